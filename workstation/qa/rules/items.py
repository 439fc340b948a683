"""What rules call things: items of findings with the words a person knows them by, and what an end of a link shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workstation.core.annotation import Annotation, Entity, Link, LinkEnd, State, TargetKind, effective_class
from workstation.core.findings import Item
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import CannotRunError

ON_SAMPLE = "the whole sample"
JUDGED = frozenset({State.DRAFT, State.DONE, State.APPROVED})
"""The states in which somebody stands behind a label; proposals and rejected ones say nothing yet, or no more."""


def ontology_of(snapshot: Snapshot) -> CompiledOntology:
    """The ontology in force; without one there is nothing to hold labels against."""
    ontology = snapshot.ontology()
    if ontology is None:
        raise CannotRunError("no version of the ontology is locked yet")
    return ontology


def streams_by_id(snapshot: Snapshot, sample: Sample) -> dict[str, Stream]:
    """The streams of a sample."""
    return {stream.id: stream for stream in snapshot.streams(sample.id)}


def entities_by_id(snapshot: Snapshot, sample: Sample) -> dict[str, Entity]:
    """The entities of a sample."""
    return {entity.id: entity for entity in snapshot.entities(sample.id)}


def entity_item(entity: Entity) -> Item:
    """An entity by the name it was given, else as "van 17"."""
    return Item(RecordKind.ENTITY.value, entity.id, entity.called())


def annotation_item(annotation: Annotation, streams: Mapping[str, Stream], class_id: str | None = None) -> Item:
    """An annotation, as "truck (cuboid on lidar)"."""
    stream = None if annotation.stream is None else streams.get(annotation.stream)
    place = ON_SAMPLE if stream is None else stream.key
    named = annotation.class_id or class_id or "label"
    return Item(RecordKind.ANNOTATION.value, annotation.id, f"{named} ({annotation.kind.value} on {place})")


def link_item(link: Link) -> Item:
    """A link, by its type."""
    return Item(RecordKind.LINK.value, link.id, link.type_id)


def end_item(end: LinkEnd) -> Item:
    """What an end points at, by its role."""
    return Item(end.kind.value, end.target, end.role)


def class_of_end(snapshot: Snapshot, end: LinkEnd) -> str | None:
    """The class that an end counts under, if it is a label or an entity that exists."""
    if end.kind is TargetKind.ENTITY:
        entity = snapshot.get(RecordKind.ENTITY, end.target)
        return entity.class_id if isinstance(entity, Entity) else None
    if end.kind is not TargetKind.ANNOTATION:
        return None
    annotation = snapshot.get(RecordKind.ANNOTATION, end.target)
    return class_of(snapshot, annotation) if isinstance(annotation, Annotation) else None


def class_of(snapshot: Snapshot, annotation: Annotation) -> str | None:
    """The class an annotation counts under."""
    if annotation.class_id is not None or annotation.entity is None:
        return annotation.class_id
    entity = snapshot.get(RecordKind.ENTITY, annotation.entity)
    return effective_class(annotation, entity if isinstance(entity, Entity) else None)


def judged_annotations(snapshot: Snapshot, sample: Sample) -> Iterator[Annotation]:
    """The annotations that somebody stands behind."""
    return (annotation for annotation in snapshot.annotations(sample.id) if annotation.state in JUDGED)
