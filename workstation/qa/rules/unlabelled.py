"""Whether every view of a sample says of each thing and event what it shows: labelled there, or not to be seen and why.

No calibration is needed: views that show the same things tell by that what to expect of each other. Things with a
cuboid are asked for by ``space.unseen``, which knows what each camera sees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from workstation.core.annotation import Annotation, Link, State, TargetKind
from workstation.core.findings import Item
from workstation.core.fused_pairs import FLAT, SOLID
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, rule
from workstation.qa.rules.items import (
    annotation_item,
    class_of,
    entities_by_id,
    entity_item,
    judged_annotations,
    link_item,
    ontology_of,
    streams_by_id,
)
from workstation.qa.rules.said import annotation_at
from workstation.qa.rules.sightings import PICTURES

FEWEST = 2
"""So many other things or events must be in both views before one is expected to show what the other does."""
ALIKE = 0.75
"""And so great a share of those that the one shows."""
_SUGGESTION = "label it there, or state why that view does not show it (link.absent: occluded, out of view)"


@rule("views.unlabelled", error_type=ErrorType.MISSING_REFERENCE, severity=Severity.WARNING, looks_at=LABEL_KINDS)
def unlabelled(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A thing or an event is labelled in one view and not in another, nobody said that the other does not show it
    (occluded, out of view), and of the rest three quarters and two at least are in both. Needs no calibration.
    """
    streams = streams_by_id(snapshot, sample)
    views = [each for each in streams.values() if each.kind in PICTURES]
    if len(views) < 2:
        return
    absent = _absent(snapshot, sample)
    things, labels = _things(snapshot, sample, streams, absent)
    entities = entities_by_id(snapshot, sample)
    for key, view in _expected(things, views):
        if key not in entities:
            continue
        where = [each for each in labels[key] if each.stream in streams]
        yield Fault(
            text=f"{entity_item(entities[key]).label} is labelled on {_keys(where, streams)} and not on {view.key}, "
            "and nothing says why",
            items=(entity_item(entities[key]), *(annotation_item(each, streams) for each in where[:3]),
                   Item(RecordKind.STREAM.value, view.id, view.key)),
            suggestion=_SUGGESTION,
            aspect=view.id,
        )  # fmt: skip
    events, spans = _events(snapshot, sample, streams, absent)
    for key, view in _expected(events, views):
        link, where = spans[key]
        name = class_of(snapshot, where[0]) or "an event"
        yield Fault(
            text=f"{name} is marked on {_keys(where, streams)} and not on {view.key}, and nothing says why",
            items=(*(annotation_item(each, streams, name) for each in where[:3]), link_item(link),
                   Item(RecordKind.STREAM.value, view.id, view.key)),
            suggestion=_SUGGESTION,
            aspect=view.id,
        )  # fmt: skip


_Shown = Mapping[str, frozenset[str]]
"""Thing or event -> the views that show it, or of which it is said that they do not."""


def _expected(shown: _Shown, views: list[Stream]) -> Iterator[tuple[str, Stream]]:
    """What a view leaves out although it shows nearly everything else that another one does."""
    for key, known in shown.items():
        for view in views:
            if view.id in known:
                continue
            for other in known:
                rest = [each for name, each in shown.items() if name != key and other in each]
                both = sum(view.id in each for each in rest)
                if both >= FEWEST and both >= ALIKE * len(rest):
                    yield key, view
                    break


def _things(
    snapshot: Snapshot, sample: Sample, streams: Mapping[str, Stream], absent: Mapping[str, frozenset[str]]
) -> tuple[_Shown, Mapping[str, list[Annotation]]]:
    """Entities without a place in space: those that are drawn in pictures."""
    drawn: defaultdict[str, list[Annotation]] = defaultdict(list)
    solid = set()
    excused: defaultdict[str, set[str]] = defaultdict(set)
    for each in judged_annotations(snapshot, sample):
        if each.entity is None:
            continue
        excused[each.entity] |= absent.get(each.id, frozenset())
        if each.kind in SOLID:
            solid.add(each.entity)
        elif each.kind in FLAT and each.stream in streams:
            drawn[each.entity].append(each)
    shown = {
        key: frozenset({each.stream or "" for each in labels} | excused[key] | absent.get(key, frozenset()))
        for key, labels in drawn.items()
        if key not in solid
    }
    return shown, drawn


def _events(
    snapshot: Snapshot, sample: Sample, streams: Mapping[str, Stream], absent: Mapping[str, frozenset[str]]
) -> tuple[_Shown, Mapping[str, tuple[Link, list[Annotation]]]]:
    """Links that say that spans of several views are one event, by the id of the link."""
    types = ontology_of(snapshot).link_types
    shown: dict[str, frozenset[str]] = {}
    spans: dict[str, tuple[Link, list[Annotation]]] = {}
    for link in snapshot.links(sample.id):
        kind = types.get(link.type_id)
        if kind is None or not kind.symmetric or "time_ms" not in kind.tolerance or not link.holds:
            continue
        found = [label for end in link.ends if (label := annotation_at(snapshot, end)) is not None]
        seen = [each for each in found if each.kind is ShapeKind.SPAN and _in_picture(each, streams)]
        if link.state is State.REJECTED or len(seen) < 2 or len(seen) < len(found):
            continue  # one view, or an event of other senses too, which says nothing of views
        spans[link.id] = link, seen
        excused = frozenset[str]().union(*(absent.get(each.id, frozenset()) for each in seen))
        shown[link.id] = frozenset(each.stream or "" for each in seen) | excused
    return shown, spans


def _in_picture(label: Annotation, streams: Mapping[str, Stream]) -> bool:
    stream = streams.get(label.stream or "")
    return stream is not None and stream.kind in PICTURES


def _absent(snapshot: Snapshot, sample: Sample) -> dict[str, frozenset[str]]:
    """By label or thing, the views that somebody said do not show it."""
    types = ontology_of(snapshot).link_types
    streams = streams_by_id(snapshot, sample)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for link in snapshot.links(sample.id):
        kind = types.get(link.type_id)
        if kind is None or not kind.absence or not link.holds or link.state in (State.REJECTED, State.PROPOSED):
            continue
        places = {end.target for end in link.ends if end.kind in (TargetKind.STREAM, TargetKind.MODALITY)}
        views = {each.id for each in streams.values() if each.id in places or each.kind.value in places}
        for end in link.ends:
            found[end.target] |= views
    return {key: frozenset(views) for key, views in found.items()}


def _keys(labels: list[Annotation], streams: Mapping[str, Stream]) -> str:
    return ", ".join(dict.fromkeys(streams[each.stream or ""].key for each in labels))
