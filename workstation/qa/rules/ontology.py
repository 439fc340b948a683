"""Conformance of labels with the ontology in force: one label per thing, nothing unknown or retired, nothing missing.

Words in texts are held against classes in ``words.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from workstation.core.annotation import Annotation, Attributes, Link, State, TargetKind
from workstation.core.evidence import Unmeasured
from workstation.core.findings import Item
from workstation.core.ontology import ClassRelation, ErrorType, Retired, Severity
from workstation.core.ontology_compile import CompiledOntology, missing_attributes
from workstation.core.records import RecordKind
from workstation.core.sample import Parked, ParkedState, QueueItem, QueueState, Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, Fix, Reach, rule
from workstation.qa.rules.delivered import ends_of
from workstation.qa.rules.items import (
    JUDGED,
    annotation_item,
    class_of,
    entities_by_id,
    entity_item,
    judged_annotations,
    link_item,
    ontology_of,
    streams_by_id,
)

SAME_THING = frozenset({"same_object"})
"""Link types that say that all their ends show one thing."""
_FINISHED = frozenset({State.DONE, State.APPROVED})


@dataclass(frozen=True, slots=True)
class _Labelled:
    """One thing with everything that names its class: class and item, in the order met."""

    what: str
    labels: tuple[tuple[str, Item], ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(class_id for class_id, _ in self.labels))


@rule(
    "ontology.labels_conflict",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def labels_conflict(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """One thing carries labels that cannot both be true, as van in the camera and truck in the scan.

    Compared are the entity, its annotations, and what a same_object link joins, each layer for itself.
    """
    yield from _labels(snapshot, sample, conflicting=True)


@rule(
    "ontology.labels_coarser",
    error_type=ErrorType.GRANULARITY,
    severity=Severity.WARNING,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def labels_coarser(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """One thing carries a finer and a coarser label, as sedan in the camera and car in the text."""
    yield from _labels(snapshot, sample, conflicting=False)


def _labels(snapshot: Snapshot, sample: Sample, *, conflicting: bool) -> Iterator[Fault]:
    ontology = ontology_of(snapshot)
    for thing in _things(snapshot, sample):
        known = [class_id for class_id in thing.classes if class_id in ontology.classes]
        if len(known) < 2 or _conflict(ontology, known) is not conflicting:
            continue
        named = " and ".join(item.label + _said_by(snapshot, sample, item) for _, item in thing.labels)
        finest = min(known, key=lambda class_id: len(ontology.below(class_id)))
        yield Fault(
            text=f"{thing.what} is labelled as {named}, which "
            + ("cannot both be true" if conflicting else "differ in how fine they are"),
            items=tuple(item for _, item in thing.labels),
            measured=", ".join(known),
            suggestion="give every label of the thing one class"
            if conflicting
            else f"use {finest} everywhere if it is right, else the coarser class",
            aspect="/".join(sorted(known)),
            fix=_one_class(thing),
        )


def _one_class(thing: _Labelled) -> Fix | None:
    """Every label of an entity as the entity itself is called."""
    class_id, first = thing.labels[0]
    if first.kind != RecordKind.ENTITY.value:
        return None
    others = [item.id for _, item in thing.labels[1:]]
    return Fix(
        "annotation.relabel", {"annotations": others, "class_id": class_id}, f"Call every label of it {class_id}"
    )


def _said_by(snapshot: Snapshot, sample: Sample, item: Item) -> str:
    """Who gave it its class, where the history is at hand."""
    try:
        author = snapshot.evidence(sample.id).author(item.id)
    except Unmeasured:
        return ""
    return f" by {author}" if author else ""


def _conflict(ontology: CompiledOntology, classes: list[str]) -> bool:
    pairs = ((a, b) for number, a in enumerate(classes) for b in classes[:number])
    return any(ontology.relation(a, b) is ClassRelation.CONFLICT for a, b in pairs)


def _things(snapshot: Snapshot, sample: Sample) -> Iterator[_Labelled]:
    """Entities with the annotations whose own class differs; then what links call the same."""
    streams, entities = streams_by_id(snapshot, sample), entities_by_id(snapshot, sample)
    own: defaultdict[tuple[str, str], list[tuple[str, Item]]] = defaultdict(list)
    for annotation in judged_annotations(snapshot, sample):
        entity = None if annotation.entity is None else entities.get(annotation.entity)
        if entity is not None and annotation.class_id is not None:
            own[entity.id, annotation.layer].append((annotation.class_id, annotation_item(annotation, streams)))
    for (entity_id, _layer), labels in own.items():
        entity = entities[entity_id]
        item = entity_item(entity)
        differing = tuple(label for label in labels if label[0] != entity.class_id)
        yield _Labelled(item.label, ((entity.class_id, item), *differing))
    for link in snapshot.links(sample.id):
        if link.type_id in SAME_THING and link.holds and link.state in JUDGED:
            yield _Labelled("one thing", tuple(_linked_labels(snapshot, link, streams)))


def _linked_labels(snapshot: Snapshot, link: Link, streams: Mapping[str, Stream]) -> Iterator[tuple[str, Item]]:
    """The labels of the ends, one per entity: what differs inside an entity was said there."""
    seen = set()
    for end in link.ends:
        if end.kind is not TargetKind.ANNOTATION:
            continue
        annotation = snapshot.get(RecordKind.ANNOTATION, end.target)
        if not isinstance(annotation, Annotation) or (annotation.entity is not None and annotation.entity in seen):
            continue
        class_id = class_of(snapshot, annotation)
        if class_id is not None:
            seen.add(annotation.entity)
            yield class_id, annotation_item(annotation, streams, class_id)


@dataclass(frozen=True, slots=True)
class _Use:
    """One place where a record names something of the ontology."""

    item: Item
    class_id: str | None
    attributes: Attributes
    link_type: str | None = None


def _uses(snapshot: Snapshot, sample: Sample) -> Iterator[_Use]:
    streams = streams_by_id(snapshot, sample)
    for entity in snapshot.entities(sample.id):
        yield _Use(entity_item(entity), entity.class_id, entity.attributes)
    for annotation in snapshot.annotations(sample.id):
        if annotation.state is not State.REJECTED and (annotation.class_id is not None or annotation.attributes):
            yield _Use(annotation_item(annotation, streams), annotation.class_id, annotation.attributes)
    for link in snapshot.links(sample.id):
        if link.state is not State.REJECTED:
            yield _Use(link_item(link), None, link.attributes, link.type_id)


@rule(
    "ontology.unknown",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def unknown(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A class, attribute, option or link type that the version in force does not know."""
    ontology = ontology_of(snapshot)
    for use in _uses(snapshot, sample):
        for what in _unknown_in(ontology, use):
            yield Fault(
                text=f"{use.item.label}: version {ontology.number} of the ontology has no {what}",
                items=(use.item,),
                measured=what,
                suggestion="choose what the ontology has, or bring it into the next version",
                aspect=what,
            )


def _unknown_in(ontology: CompiledOntology, use: _Use) -> Iterator[str]:
    if use.class_id is not None and use.class_id not in ontology.classes:
        yield f"class '{use.class_id:.60}'"
    if use.link_type is not None and use.link_type not in ontology.link_types:
        yield f"link type '{use.link_type:.60}'"
    for name, value in use.attributes.items():
        attribute = ontology.attributes.get(name)
        if attribute is None:
            yield f"attribute '{name:.60}'"
        elif attribute.options:
            options = {option.id for option in attribute.options}
            for chosen in value if isinstance(value, tuple) else (value,):
                if chosen not in options:
                    yield f"option {chosen!r:.60} of attribute '{name}'"


@rule(
    "ontology.retired",
    error_type=ErrorType.SEMANTIC_DRIFT,
    severity=Severity.WARNING,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def retired(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A class, attribute, option or link type that is retired and still in use."""
    ontology = ontology_of(snapshot)
    for use in _uses(snapshot, sample):
        for what, gone in _retired_in(ontology, use):
            instead = " or ".join(gone.replacements)
            yield Fault(
                text=f"{use.item.label}: {what} is retired{f' since version {gone.since}' if gone.since else ''}",
                items=(use.item,),
                measured=what,
                suggestion=f"use {instead}" if instead else "leave it out",
                aspect=what,
            )


def _retired_in(ontology: CompiledOntology, use: _Use) -> Iterator[tuple[str, Retired]]:
    cls = None if use.class_id is None else ontology.classes.get(use.class_id)
    if cls is not None and cls.retired is not None:
        yield f"class '{cls.id}'", cls.retired
    link_type = None if use.link_type is None else ontology.link_types.get(use.link_type)
    if link_type is not None and link_type.retired is not None:
        yield f"link type '{link_type.id}'", link_type.retired
    for name, value in use.attributes.items():
        attribute = ontology.attributes.get(name)
        if attribute is None:
            continue
        if attribute.retired is not None:
            yield f"attribute '{name}'", attribute.retired
        chosen = value if isinstance(value, tuple) else (value,)
        for option in attribute.options:
            if option.retired is not None and option.id in chosen:
                yield f"option '{option.id}' of attribute '{name}'", option.retired


@rule(
    "ontology.missing_attribute",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def missing_attribute(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A required attribute is missing on a label or link that is done or approved, or on the thing such labels show.

    What changes over time may stand on a keyframe, and what a thing is may stand on one of its finished labels.
    """
    ontology = ontology_of(snapshot)
    streams, entities = streams_by_id(snapshot, sample), entities_by_id(snapshot, sample)
    said: defaultdict[str, set[str]] = defaultdict(set)
    for annotation in snapshot.annotations(sample.id):
        if annotation.state not in _FINISHED:
            continue
        if annotation.entity is not None:
            said[annotation.entity].update(annotation.attributes)
        class_id = class_of(snapshot, annotation)
        if class_id in ontology.classes:
            item = annotation_item(annotation, streams, class_id)
            names = list(_missing_on(snapshot, ontology, class_id, annotation))
            yield from _lacking(item, annotation.state.value, names)
    for entity_id, known in said.items():
        entity = entities.get(entity_id)
        if entity is not None and entity.class_id in ontology.classes:
            names = [name for name in missing_attributes(ontology, entity) if name not in known]
            yield from _lacking(entity_item(entity), "shown in finished labels", names)
    for link in snapshot.links(sample.id):
        if link.state in _FINISHED and link.type_id in ontology.link_types:
            required = (each.id for each in ontology.attributes_of_link(link.type_id) if each.required)
            names = [name for name in required if name not in link.attributes]
            yield from _lacking(link_item(link), link.state.value, names)


def _missing_on(snapshot: Snapshot, ontology: CompiledOntology, class_id: str, annotation: Annotation) -> Iterator[str]:
    """What the annotation itself must say: per stream always, of the thing only where no entity says it."""
    for attribute in ontology.attributes_of(class_id):
        elsewhere = not attribute.per_stream and annotation.entity is not None
        if not attribute.required or elsewhere or attribute.id in annotation.attributes:
            continue
        moving = annotation.track is not None and attribute.over_time
        if not moving or all(attribute.id not in each.attributes for each in snapshot.keyframes(annotation.id)):
            yield attribute.id


def _lacking(item: Item, state: str, names: Iterable[str]) -> Iterator[Fault]:
    for name in names:
        yield Fault(
            text=f"{item.label} is {state} without the required attribute '{name}'",
            items=(item,),
            suggestion=f"set {name}",
            aspect=name,
        )


@rule(
    "ontology.parked",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    per_project=True,
    looks_at={RecordKind.PARKED},
)
def parked(snapshot: Snapshot, sample: Sample | None) -> Iterator[Fault]:
    """A record from outside did not fit the ontology and still waits for somebody to say what it means."""
    wanted = None if sample is None else sample.id
    for record in snapshot.records(RecordKind.PARKED, sample=wanted):
        if isinstance(record, Parked) and record.state is ParkedState.OPEN and record.sample == wanted:
            if len({each.sample for each in ends_of(snapshot, record)}) > 1:
                continue  # found by delivered.other_sample
            more = f" (and {len(record.problems) - 1} more)" if len(record.problems) > 1 else ""
            why = record.problems[0] if record.problems else "no reason was kept"
            yield Fault(
                text=f"a {record.kind} from {record.origin} is parked: {why}{more}",
                items=(Item(RecordKind.PARKED.value, record.id, record.origin),),
                suggestion="say what its value means (parked.map), or discard it with a reason (parked.discard)",
            )


@rule(
    "ontology.queue", error_type=ErrorType.SEMANTIC_DRIFT, severity=Severity.WARNING, looks_at={RecordKind.QUEUE_ITEM}
)
def queue(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A change of the ontology left a question about a label, and nobody has answered it yet."""
    for record in snapshot.records(RecordKind.QUEUE_ITEM, sample=sample.id):
        if isinstance(record, QueueItem) and record.state is QueueState.OPEN:
            yield Fault(
                text=f"version {record.ontology_number} asks: {record.question.rstrip('.')}",
                items=(
                    Item(record.target_kind.value, record.target),
                    Item(RecordKind.QUEUE_ITEM.value, record.id),
                ),
                suggestion=f"answer it (queue.answer): keep{''.join(f', {option}' for option in record.options)}",
            )
