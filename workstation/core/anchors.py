"""Anchors in sound: what is tied to a moment that was heard, and what stayed behind when that moment was moved.

The tie is a link of one instant between a sound's label and another label. A link remembers where its ends stood when
a person confirmed it; from that one sees how far the anchor went since. Asked by ``commands/anchors.py`` and by the
window, which offers to move along what stayed behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from workstation.core.annotation import Annotation, Link, LinkEnd, Record, State, TargetKind
from workstation.core.ontology import LinkType
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import Stream, StreamKind
from workstation.core.values import dataclass

_LEAST_NS = 1_000_000


class HoldsLinks(Protocol):
    """A snapshot, or a transaction."""

    def get(self, kind: RecordKind, record_id: str) -> Record | None: ...
    def links_of(self, target: str) -> Iterable[Link]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """A label that was tied to an anchor, and how much later the anchor stands than when the tie was confirmed."""

    link: Link
    anchor: str
    dependent: str
    moved_ns: int


def tie_type(ontology: CompiledOntology) -> str | None:
    """The link type that says that labels are one instant: symmetric, with a tolerance of time; ``None`` without."""
    return next((key for key, each in ontology.link_types.items() if _ties(each)), None)


def left_behind(records: HoldsLinks, ontology: CompiledOntology | None, anchors: Iterable[str]) -> Iterator[LeftBehind]:
    """What is tied to these labels and did not go along with them."""
    if ontology is None:
        return
    for anchor in anchors:
        label = records.get(RecordKind.ANNOTATION, anchor)
        if not isinstance(label, Annotation) or not _heard(records, label):
            continue
        for link in records.links_of(anchor):
            kind = ontology.link_types.get(link.type_id)
            if kind is not None and _ties(kind) and link.holds and link.state is not State.REJECTED:
                yield from _behind(records, link, label)


def _behind(records: HoldsLinks, link: Link, anchor: Annotation) -> Iterator[LeftBehind]:
    own = next((end for end in link.ends if end.target == anchor.id), None)
    went_ns = None if own is None else _moved_ns(own, anchor)
    if not went_ns or abs(went_ns) < _LEAST_NS:
        return
    for end in link.ends:
        other = records.get(RecordKind.ANNOTATION, end.target) if end.kind is TargetKind.ANNOTATION else None
        if not isinstance(other, Annotation) or other.id == anchor.id or _heard(records, other):
            continue
        along_ns = _moved_ns(end, other)
        if along_ns is not None and abs(went_ns - along_ns) >= _LEAST_NS:
            yield LeftBehind(link=link, anchor=anchor.id, dependent=other.id, moved_ns=went_ns - along_ns)


def _moved_ns(end: LinkEnd, now: Annotation) -> int | None:
    """By the label's own clock: what a correction of the clock moves is no move of the label."""
    if end.confirmed is None or end.confirmed.start_ns is None or now.start_ns is None:
        return None
    return now.start_ns - end.confirmed.start_ns


def _heard(records: HoldsLinks, label: Annotation) -> bool:
    stream = None if label.stream is None else records.get(RecordKind.STREAM, label.stream)
    return isinstance(stream, Stream) and stream.kind is StreamKind.AUDIO


def _ties(kind: LinkType) -> bool:
    """Whether it says of any labels that they are one instant, and nothing of where they are."""
    open_to_all = all(not role.classes and TargetKind.ANNOTATION in role.targets for role in kind.roles)
    return kind.symmetric and set(kind.tolerance) == {"time_ms"} and open_to_all and not kind.absence
