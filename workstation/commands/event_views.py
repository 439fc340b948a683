"""One event seen from several views has one set of boundaries: editing it in one view edits it in all.

Views of one event are spans of one class, on several streams of pictures, with the same interval in session time,
that show one entity or are joined by a symmetric link that stands. Used by the commands that move boundaries
(``shapes.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec.structs import replace

from workstation.commands.reading import fetch, ontology_of, state_after_edit
from workstation.commands.transaction import Reads, Transaction
from workstation.core.annotation import Annotation, State
from workstation.core.geometry import ShapeKind
from workstation.core.records import RecordKind
from workstation.core.sample import Stream, StreamKind

_VIEWS = frozenset({StreamKind.VIDEO, StreamKind.IMAGE})
_SAME_NS = 1_000_000
"""Boundaries that lie closer together than this were one boundary."""


def views_of(reads: Reads, event: Annotation) -> list[Annotation]:
    """The other views of the event that a span marks; none for anything else."""
    stream = _view(reads, event)
    if stream is None:
        return []
    there = _session(stream, event)
    found = {each.id: each for each in _related(reads, event) if each.id != event.id}
    views = []
    for each in found.values():
        other = _view(reads, each)
        if other is None or other.id == stream.id or each.class_id != event.class_id or each.layer != event.layer:
            continue
        if max(abs(one - two) for one, two in zip(there, _session(other, each), strict=True)) < _SAME_NS:
            views.append(each)
    return views


def carry_along(
    tx: Transaction, views: Collection[Annotation], edited: Annotation, *, but: Collection[str] = ()
) -> None:  # fmt: skip
    """Give the other views of an event the boundaries that one of them has now, each in its own stream's time."""
    stream = _view(tx, edited)
    if stream is None or edited.start_ns is None or edited.end_ns is None:
        return
    start_ns, end_ns = _session(stream, edited)
    for each in views:
        other = _view(tx, each)
        if other is not None and each.id not in but:
            own = [other.time_map.first_stream_at(time_ns) for time_ns in (start_ns, end_ns)]
            tx.put(replace(each, start_ns=own[0], end_ns=own[1], state=state_after_edit(tx, each.state)))


def _view(reads: Reads, event: Annotation) -> Stream | None:
    """The stream of pictures that a span lies on."""
    if event.kind is not ShapeKind.SPAN or event.track is not None or event.start_ns is None or event.end_ns is None:
        return None
    stream = None if event.stream is None else fetch(reads, Stream, event.stream)
    return stream if stream is not None and stream.kind in _VIEWS else None


def _session(stream: Stream, event: Annotation) -> tuple[int, int]:
    assert event.start_ns is not None
    assert event.end_ns is not None
    return stream.time_map.to_session(event.start_ns), stream.time_map.to_session(event.end_ns)


def _related(reads: Reads, event: Annotation) -> Iterator[Annotation]:
    if event.entity is not None:
        yield from reads.annotations_of(event.entity)
    ontology = ontology_of(reads)
    for link in reads.links_of(event.id):
        known = None if ontology is None else ontology.link_types.get(link.type_id)
        if known is None or not known.symmetric or not link.holds or link.state in (State.PROPOSED, State.REJECTED):
            continue
        for end in link.ends:
            found = reads.get(RecordKind.ANNOTATION, end.target)
            if isinstance(found, Annotation):
                yield found
