"""Whether what is seen in pictures is accounted for in scans: labelled there, or said to be absent with a reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from workstation.core.annotation import Annotation, Entity, Presence, State, TargetKind
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, rule
from workstation.qa.rules.items import (
    annotation_item,
    entities_by_id,
    entity_item,
    judged_annotations,
    ontology_of,
    streams_by_id,
)

_PICTURES = frozenset({StreamKind.IMAGE, StreamKind.VIDEO})
_FLAT = frozenset({ShapeKind.BOX, ShapeKind.POLYGON, ShapeKind.MASK, ShapeKind.KEYPOINTS})
_SOLID = frozenset({ShapeKind.CUBOID, ShapeKind.POINT_SET})
Stretch = tuple[int | None, int | None]
"""From when to when, in session time; ``None``: always."""


@rule(
    "space.missing",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.WARNING,
    version=2,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def missing(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A thing is labelled in a camera only, in a sample that has scans: neither a cuboid nor points of it, and nobody
    said that the scanner does not see it (sparse, far, occluded, out of its field).
    """
    streams = streams_by_id(snapshot, sample)
    clouds = [each for each in streams.values() if each.kind is StreamKind.CLOUD]
    if not clouds:
        return
    ontology, views = ontology_of(snapshot), _views(snapshot, sample)
    absent = _absent_from_clouds(snapshot, sample, ontology, {each.id for each in clouds})
    for entity in entities_by_id(snapshot, sample).values():
        flat = [each for each in views[entity.id] if _is_flat(each, streams)]
        if not flat or not _may_be_solid(ontology, entity):
            continue
        if any(each.kind in _SOLID for each in views[entity.id]):
            continue
        excused = [part for each in (entity.id, *(one.id for one in views[entity.id])) for part in absent[each]]
        if all(_excused(snapshot, each, streams, excused) for each in flat):
            continue
        where = ", ".join(each.key for each in clouds)
        thing, seen_on = entity_item(entity), streams[flat[0].stream or ""].key
        yield Fault(
            text=f"{thing.label} is labelled on {seen_on} and not in {where}, and nothing says why",
            items=(thing, *(annotation_item(each, streams, entity.class_id) for each in flat[:3])),
            suggestion="make its cuboid, or state that the scanner does not see it, with the reason (link.absent)",
        )


def _views(snapshot: Snapshot, sample: Sample) -> defaultdict[str, list[Annotation]]:
    found: defaultdict[str, list[Annotation]] = defaultdict(list)
    for each in judged_annotations(snapshot, sample):
        if each.entity is not None:
            found[each.entity].append(each)
    return found


def _is_flat(annotation: Annotation, streams: dict[str, Stream]) -> bool:
    stream = streams.get(annotation.stream or "")
    return annotation.kind in _FLAT and stream is not None and stream.kind in _PICTURES


def _may_be_solid(ontology: CompiledOntology, entity: Entity) -> bool:
    """Whether the class has a place in scans at all; a reflection has none."""
    if entity.class_id not in ontology.classes:
        return False
    return bool(_SOLID & ontology.shapes_for(entity.class_id, StreamKind.CLOUD))


def _excused(snapshot: Snapshot, flat: Annotation, streams: dict[str, Stream], absent: Iterable[Stretch]) -> bool:
    """Whether the absences cover every moment at which a label shows the thing; one without a time covers all."""
    stretches = list(absent)
    if not stretches or any(start is None for start, _ in stretches):
        return bool(stretches)
    to_session = streams[flat.stream or ""].time_map.to_session
    if flat.track is None:
        shown = [] if flat.start_ns is None else [to_session(flat.start_ns)]
    else:
        shown = [
            to_session(each.time_ns)
            for each in snapshot.keyframes(flat.id)
            if each.shape is not None and each.presence is not Presence.ABSENT
        ]
    return all(any((start or 0) <= at <= (end or 0) for start, end in stretches) for at in shown)


def _absent_from_clouds(
    snapshot: Snapshot, sample: Sample, ontology: CompiledOntology, clouds: set[str]
) -> defaultdict[str, list[Stretch]]:
    """What somebody said that a scanner does not see, and from when to when if they said so."""
    found: defaultdict[str, list[Stretch]] = defaultdict(list)
    for link in snapshot.links(sample.id):
        kind = ontology.link_types.get(link.type_id)
        if kind is None or not kind.absence or link.state is State.REJECTED or not link.holds:
            continue
        places = {end.target for end in link.ends if end.kind in (TargetKind.STREAM, TargetKind.MODALITY)}
        if places & {StreamKind.CLOUD.value, *clouds}:
            for end in link.ends:
                found[end.target].append((link.start_ns, link.end_ns))
    return found
