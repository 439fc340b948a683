"""Entities: the one real thing that several annotations show. Numbers are given once per sample and never again."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from workstation.commands.annotations import changed_attributes
from workstation.commands.arguments import AnnotationRef, ClassRef, EntityRef, SampleRef, TargetRef
from workstation.commands.reading import fetch, fetch_all, ontology_number, starting_attributes, state_after_edit
from workstation.commands.registry import command, needs_sample, needs_selection
from workstation.commands.removal import LinkPolicy, remove_labels, remove_links, retargeted
from workstation.commands.resolve import Target
from workstation.commands.review import add_comment
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, AttributeValue, Entity, State, TargetKind
from workstation.core.errors import UserError
from workstation.core.ids import EntityId
from workstation.core.rights import Right


@command("entity.add", title="New entity", right=Right.LABEL, enabled=needs_sample)
def add(
    tx: Transaction,
    *,
    sample: SampleRef,
    class_id: ClassRef,
    name: str = "",
    attributes: Mapping[str, AttributeValue] = {},
    annotations: tuple[AnnotationRef, ...] = (),
) -> EntityId:
    """Make the one real thing, with the next number of its sample, and attach annotations that show it.

    name: what people call it
    annotations: annotations that show it
    """
    made = Entity(
        id=EntityId(tx.new_id()),
        sample=sample,
        class_id=class_id,
        number=tx.next_entity_number(sample),
        name=name,
        attributes=starting_attributes(tx, class_id, attributes, per_stream=False),
        ontology_version=ontology_number(tx),
    )
    tx.put(made)
    _attach(tx, made, fetch_all(tx, annotations))
    return made.id


@command("entity.attach", title="Attach to entity", right=Right.LABEL, enabled=needs_selection)
def attach(tx: Transaction, *, entity: EntityRef, annotations: tuple[AnnotationRef, ...]) -> None:
    """Say that annotations show this entity. A class of their own that differs is kept, and is a finding."""
    _attach(tx, fetch(tx, Entity, entity), fetch_all(tx, annotations))


def _attach(tx: Transaction, entity: Entity, annotations: list[Annotation]) -> None:
    for annotation in annotations:
        if annotation.sample != entity.sample:
            raise UserError(f"annotation {annotation.id} and entity {entity.id} are of different samples")
        own = None if annotation.class_id == entity.class_id else annotation.class_id
        state = state_after_edit(tx, annotation.state)
        tx.put(replace(annotation, entity=entity.id, class_id=own, state=state))


@command("entity.detach", title="Detach from entity", right=Right.LABEL, enabled=needs_selection)
def detach(tx: Transaction, *, annotations: tuple[AnnotationRef, ...]) -> None:
    """Say that annotations do not show their entity. They keep its class as their own."""
    for annotation in fetch_all(tx, annotations):
        if annotation.entity is None:
            raise UserError(f"annotation {annotation.id} shows no entity")
        entity = fetch(tx, Entity, annotation.entity)
        class_id = annotation.class_id or entity.class_id
        state = state_after_edit(tx, annotation.state)
        tx.put(replace(annotation, entity=None, class_id=class_id, state=state))


@command("entity.merge", title="Merge entities", right=Right.LABEL, enabled=needs_selection)
def merge(tx: Transaction, *, entity: EntityRef, other: EntityRef) -> None:
    """Two entities are the same thing: the first takes over the annotations and links of the other.

    other: the entity that goes; a class of its annotations that differs is kept on them, and is a finding
    """
    keeper, goes = fetch(tx, Entity, entity), fetch(tx, Entity, other)
    if keeper.id == goes.id:
        raise UserError("an entity cannot be merged with itself")
    if keeper.sample != goes.sample:
        raise UserError("entities of different samples are different things")
    for annotation in list(tx.annotations_of(goes.id)):
        own = annotation.class_id or (goes.class_id if goes.class_id != keeper.class_id else None)
        tx.put(replace(annotation, entity=keeper.id, class_id=own, state=state_after_edit(tx, annotation.state)))
    for link in list(tx.links_of(goes.id)):
        moved = retargeted(link, goes.id, Target(TargetKind.ENTITY, keeper.id))
        if len({end.target for end in moved.ends}) == 1 and len(moved.ends) > 1:
            remove_links(tx, [link])  # it said that the two are related; now they are one
        else:
            tx.put(moved)
    tx.put(replace(keeper, attributes={**goes.attributes, **keeper.attributes}, name=keeper.name or goes.name))
    remove_labels(tx, [goes], links=LinkPolicy.REFUSE, to=None, reason="")


@command("entity.split", title="Split entity", right=Right.LABEL, enabled=needs_selection)
def split(tx: Transaction, *, annotations: tuple[AnnotationRef, ...], class_id: ClassRef | None = None) -> EntityId:
    """Some annotations show another thing: they get a new entity, with a number of its own.

    annotations: the annotations of one entity that show something else
    class_id: the class of the new entity; left out, the old one's
    """
    found = fetch_all(tx, annotations)
    entities = {annotation.entity for annotation in found}
    (old_id,) = entities if len(entities) == 1 else (None,)
    if old_id is None:
        raise UserError("entity.split needs annotations that all show one entity")
    old = fetch(tx, Entity, old_id)
    if len(found) == len(list(tx.annotations_of(old.id))):
        raise UserError(f"these are all the annotations of entity {old.number}; nothing would be left of it")
    made = replace(
        old,
        id=EntityId(tx.new_id()),
        class_id=class_id or old.class_id,
        number=tx.next_entity_number(old.sample),
        name="",
        ontology_version=ontology_number(tx),
    )
    tx.put(made)
    for annotation in found:
        tx.put(replace(annotation, entity=made.id, state=state_after_edit(tx, annotation.state)))
    return made.id


@command("entity.relabel", title="Change class of entity", right=Right.LABEL, enabled=needs_selection)
def relabel(tx: Transaction, *, entity: EntityRef, class_id: ClassRef) -> None:
    """Give an entity another class, and with it every annotation that has none of its own.

    Where nothing but proposals shows it, a person who says what it is takes them over, as with any other edit.
    """
    old = fetch(tx, Entity, entity)
    tx.put(replace(old, class_id=class_id, ontology_version=ontology_number(tx)))
    if class_id != old.class_id:
        _take_over(tx, [each for each in tx.annotations_of(old.id) if each.state is not State.REJECTED])


def _take_over(tx: Transaction, labels: list[Annotation]) -> None:
    if all(each.state is State.PROPOSED for each in labels):
        tx.put_many([replace(each, state=state_after_edit(tx, each.state)) for each in labels])


@command("entity.decide_class", title="Agree on the class of an entity", right=Right.LABEL, enabled=needs_selection)
def decide_class(tx: Transaction, *, entity: EntityRef, class_id: ClassRef, reason: str = "") -> None:
    """Settle a conflict: the entity and every label that shows it get one class. History keeps who decided, and when.

    class_id: the class agreed upon
    reason: why; kept as a comment on the entity
    """
    old = fetch(tx, Entity, entity)
    tx.put(replace(old, class_id=class_id, ontology_version=ontology_number(tx)))
    for annotation in list(tx.annotations_of(old.id)):
        if annotation.class_id is not None:
            tx.put(replace(annotation, class_id=None, state=state_after_edit(tx, annotation.state)))
    if reason:
        add_comment(tx, sample=old.sample, text=reason, target=Target(TargetKind.ENTITY, old.id))


@command("entity.set", title="Name and attributes of entity", right=Right.LABEL, enabled=needs_selection)
def set_entity(
    tx: Transaction,
    *,
    entity: EntityRef,
    name: str | None = None,
    attributes: Mapping[str, AttributeValue | None] = {},
) -> None:
    """Name an entity and set its attributes; what is not mentioned stays. The number never changes.

    name: what people call it
    attributes: values by attribute name; null takes a value away
    """
    old = fetch(tx, Entity, entity)
    changed = changed_attributes(old.attributes, attributes)
    tx.put(
        replace(
            old,
            name=old.name if name is None else name,
            attributes=changed,
            ontology_version=ontology_number(tx),
        )
    )


@command("entity.delete", title="Delete entity", right=Right.LABEL, enabled=needs_selection)
def delete(
    tx: Transaction,
    *,
    entity: EntityRef,
    links: LinkPolicy = LinkPolicy.REFUSE,
    to: TargetRef | None = None,
    reason: str = "",
    with_annotations: bool = False,
) -> None:
    """Delete an entity. Its annotations keep its class as their own, or go with it. Its number is not used again.

    links: refuse, remove the links too, retarget them to another end, or turn them into an absence
    to: the new end for retarget; for absence the stream or modality where the counterpart is missing
    reason: for absence, why there is no counterpart
    with_annotations: true to delete the annotations that show it as well
    """
    gone = fetch(tx, Entity, entity)
    shown = list(tx.annotations_of(gone.id))
    if with_annotations:
        remove_labels(tx, [*shown, gone], links=links, to=to, reason=reason)
        return
    if shown:
        detach(tx, annotations=tuple(annotation.id for annotation in shown))
    remove_labels(tx, [gone], links=links, to=to, reason=reason)
