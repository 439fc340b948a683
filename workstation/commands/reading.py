"""Typed reads for the commands: a record of the wanted class, or one sentence that says it is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from workstation.commands.transaction import Reads, Transaction
from workstation.core.annotation import (
    Annotation,
    AttributeValue,
    Entity,
    Keyframe,
    Link,
    Record,
    Source,
    SourceKind,
    State,
)
from workstation.core.described import is_sound, lacks_sentence
from workstation.core.errors import UserError
from workstation.core.ids import AnnotationId, EntityId, RecordId
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RECORD_TYPES, RecordKind
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import Stream

R = TypeVar("R", bound=Record)
_KINDS = {cls: kind for kind, cls in RECORD_TYPES.items()}


def fetch(reads: Reads, cls: type[R], record_id: str) -> R:
    """The record of that class and id; refused if there is none."""
    kind = _KINDS[cls]
    record = reads.get(kind, record_id)
    if not isinstance(record, cls):
        raise UserError(f"there is no {kind.value.replace('_', ' ')} {record_id}")
    return record


def record_id(record: Record) -> str:
    """The id, which every record has."""
    found: str = record.id  # type: ignore[attr-defined]  # the base class leaves it to each kind to type its id
    return found


def fetch_all(reads: Reads, ids: Iterable[AnnotationId]) -> list[Annotation]:
    """Annotations in the order given, each once."""
    return [fetch(reads, Annotation, each) for each in dict.fromkeys(ids)]


def entity_of(reads: Reads, annotation: Annotation) -> Entity | None:
    """The entity an annotation shows, if any."""
    return None if annotation.entity is None else fetch(reads, Entity, EntityId(annotation.entity))


def keyframes_of(reads: Reads, annotation: Annotation) -> list[Keyframe]:
    """The keyframes of a track, by time; refused if it is no track."""
    if annotation.track is None:
        raise UserError(f"annotation {annotation.id} is no track")
    return sorted(reads.keyframes(annotation.id), key=lambda keyframe: keyframe.time_ns)


def source_of(tx: Transaction, given: Source | None = None) -> Source:
    """Where a value made in this transaction comes from: what was said, else the actor."""
    if given is not None:
        return given
    if tx.actor.kind is ActorKind.MODEL:
        return Source(kind=SourceKind.MODEL, name=tx.actor.name)
    if tx.actor.kind is ActorKind.IMPORT:
        return Source(kind=SourceKind.IMPORT, name=tx.actor.tool or tx.actor.name)
    return Source()


def first_state(tx: Transaction, given: State | None = None) -> State:
    """The state of something new: what was said, else a proposal from a model and a draft from anybody else."""
    if given is not None:
        return given
    return State.PROPOSED if tx.actor.kind is ActorKind.MODEL else State.DRAFT


def state_after_edit(tx: Transaction, state: State) -> State:
    """A hand's edit turns a proposal into a draft and takes an approval back; a model's leaves the state alone."""
    if tx.actor.kind is ActorKind.MODEL or state is State.DONE:
        return state
    return State.DRAFT


def may_confirm(actor: Actor) -> bool:
    """Whether the actor can say that a link holds: a person, or a script that a person answers for."""
    return actor.kind is ActorKind.PERSON or (actor.kind is ActorKind.SCRIPT and actor.person is not None)


def refuse_if_off(tx: Transaction, type_id: str) -> None:
    """A project may do without some of the ontology's link types; what comes from elsewhere is taken as it is."""
    project = tx.project()
    if project is not None and type_id in project.links_off and tx.actor.kind is not ActorKind.IMPORT:
        raise UserError(f"'{type_id}' is switched off in this project (Relations of the project…, or project.set)")


def refuse_unsaid(tx: Transaction, link: Link, before: Link | None = None) -> None:
    """A relation that says nothing without a sentence is made with one, by whomever; a proposal may still lack it.

    What comes from elsewhere is taken as it is, and what lacked it ``before`` can be edited: the checks name both.
    """
    wordless = lacks_sentence(link) and not (before is not None and lacks_sentence(before))
    if wordless and tx.actor.kind is not ActorKind.IMPORT:
        raise UserError(f"'{link.type_id}' needs a rationale: a sentence that says how the sound comes from its source")


def refuse_unsaid_absence(tx: Transaction, of: RecordId, rationale: str) -> None:
    """Where a sound comes from that has no source in sight is said in a sentence."""
    label = tx.get(RecordKind.ANNOTATION, of)
    if rationale.strip() or not isinstance(label, Annotation) or tx.actor.kind is ActorKind.IMPORT:
        return
    if is_sound(label, None if label.stream is None else fetch(tx, Stream, label.stream)):
        raise UserError(
            "the absence of a sound's counterpart needs a rationale: a sentence that says where the sound is from"
        )


def ontology_number(reads: Reads) -> int:
    """The number of the ontology version in force; 0 before the first (the gate then refuses labels)."""
    ontology = ontology_of(reads)
    return 0 if ontology is None else ontology.number


def starting_attributes(
    tx: Transaction, class_id: str | None, given: Mapping[str, AttributeValue], *, per_stream: bool
) -> Mapping[str, AttributeValue]:
    """What something a hand makes starts with: the ontology's defaults for its class, under what was said.

    An import and a model start with what they say and nothing else: a default would be a label that nobody made.
    """
    ontology = ontology_of(tx)
    if ontology is None or class_id not in ontology.classes or tx.actor.kind in (ActorKind.IMPORT, ActorKind.MODEL):
        return given
    return {**ontology.defaults_of(class_id, per_stream=per_stream), **given}


def ontology_of(reads: Reads) -> CompiledOntology | None:
    """The ontology in force. The store knows of it only what the gate asks; commands know the whole."""
    rules = reads.ontology()
    if rules is not None and not isinstance(rules, CompiledOntology):
        raise TypeError(f"the store was opened with {type(rules).__name__} in place of an ontology")
    return rules
