"""Making, labelling, copying and deleting annotations. Moving and cutting them is in ``shapes.py``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec.structs import replace

from workstation.commands.arguments import AnnotationRef, ClassRef, EntityRef, SampleRef, StreamRef, TargetRef
from workstation.commands.given_shapes import GivenShape, stored_shape
from workstation.commands.reading import (
    entity_of,
    fetch,
    fetch_all,
    first_state,
    ontology_number,
    source_of,
    starting_attributes,
    state_after_edit,
)
from workstation.commands.registry import command, needs_sample, needs_selection
from workstation.commands.removal import LinkPolicy, remove_labels
from workstation.commands.resolve import Target
from workstation.commands.transaction import Transaction
from workstation.core.annotation import (
    Annotation,
    Attributes,
    AttributeValue,
    Entity,
    Keyframe,
    Source,
    State,
    effective_class,
)
from workstation.core.errors import UserError
from workstation.core.geometry import Shape, ShapeKind, Span, Tag, kind_of
from workstation.core.ids import AnnotationId, EntityId, RecordId
from workstation.core.proposals import is_open_tag, languages_in, why_one_at_a_time
from workstation.core.rights import Right
from workstation.core.translation import later, translated

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")
_EMPTY_SHAPES: dict[ShapeKind, Shape] = {ShapeKind.SPAN: Span(), ShapeKind.TAG: Tag()}


@command("annotation.add", title="Add annotation", right=Right.LABEL, enabled=needs_sample)
def add(
    tx: Transaction,
    *,
    sample: SampleRef,
    stream: StreamRef | None = None,
    class_id: ClassRef | None = None,
    entity: EntityRef | None = None,
    shape: GivenShape | None = None,
    kind: ShapeKind | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    item: str | None = None,
    frame: str | None = None,
    attributes: Mapping[str, AttributeValue] = {},
    text: str | None = None,
    language: str | None = None,
    state: State | None = None,
    layer: str = "main",
    source: Source | None = None,
    confidence: float | None = None,
) -> AnnotationId:
    """Make one annotation on a stream, or on the whole sample when no stream is named.

    shape: the shape, as {"kind": "box", "x": …}; mask_rle and point_indices bring their pixels or points along
    kind: span or tag, which need no shape
    start_ns: where it begins, in the stream's own nanoseconds
    end_ns: where it ends, half-open; the same as start_ns for an instant
    item: the page, picture or image instance it lies on
    frame: the named frame of a 3-D shape
    text: what a transcript turn, a caption or a report says
    language: the language of the text, as de or en-GB
    state: proposed, draft, done, approved or rejected; draft unless a model makes it
    layer: whose pass this is
    source: where it comes from; the person unless said
    confidence: 0 to 1
    """
    drawn = stored_shape(tx, shape) or _EMPTY_SHAPES.get(kind or ShapeKind.SPAN)
    if drawn is None or (kind is not None and kind_of(drawn) is not kind):
        raise UserError(f"a {kind} annotation needs its shape" if drawn is None else "kind and shape do not agree")
    counts_as = class_id or (fetch(tx, Entity, entity).class_id if entity is not None else None)
    made = Annotation(
        id=AnnotationId(tx.new_id()),
        sample=sample,
        stream=stream,
        entity=entity,
        class_id=class_id,
        kind=kind_of(drawn),
        shape=drawn,
        start_ns=start_ns,
        end_ns=start_ns if end_ns is None else end_ns,
        item=item,
        frame=frame,
        attributes=starting_attributes(tx, counts_as, attributes, per_stream=True),
        text=text,
        language=language,
        state=first_state(tx, state),
        layer=layer,
        source=source_of(tx, source),
        confidence=confidence,
        ontology_version=ontology_number(tx),
    )
    tx.put(made)
    return made.id


@command("annotation.relabel", title="Change class", right=Right.LABEL, enabled=needs_selection)
def relabel(tx: Transaction, *, annotations: tuple[AnnotationRef, ...], class_id: ClassRef, here: bool = False) -> None:
    """Give annotations another class. Where one shows an entity, the entity is relabelled, in every modality at once.

    here: true to change only this annotation and leave its entity alone (kept, and a finding)
    """
    number = ontology_number(tx)
    for annotation in fetch_all(tx, annotations):
        state = state_after_edit(tx, annotation.state)
        entity = None if here else entity_of(tx, annotation)
        if entity is not None:
            tx.put(replace(entity, class_id=class_id, ontology_version=number))
        own = class_id if entity is None else None
        tx.put(replace(annotation, class_id=own, state=state, ontology_version=number))


@command("annotation.set_attributes", title="Set attributes", right=Right.LABEL, enabled=needs_selection)
def set_attributes(
    tx: Transaction, *, annotations: tuple[AnnotationRef, ...], attributes: Mapping[str, AttributeValue | None]
) -> None:
    """Set attributes of annotations; the others stay.

    attributes: values by attribute name; null takes a value away
    """
    for annotation in fetch_all(tx, annotations):
        tx.put(
            replace(
                annotation,
                attributes=changed_attributes(annotation.attributes, attributes),
                state=state_after_edit(tx, annotation.state),
                ontology_version=ontology_number(tx),
            )
        )


def changed_attributes(old: Attributes, changes: Mapping[str, AttributeValue | None]) -> Attributes:
    """``old`` with ``changes`` laid over it, without what was set to nothing."""
    return {name: value for name, value in {**old, **changes}.items() if value is not None}


@command("annotation.set_language", title="Set language", right=Right.LABEL, enabled=needs_selection)
def set_language(tx: Transaction, *, annotations: tuple[AnnotationRef, ...], language: str) -> None:
    """Say in which language the words of annotations are.

    language: as de, hi or en-GB; empty for that of the text around them
    """
    said = language.strip()
    if said and not _LANGUAGE.fullmatch(said):
        raise UserError(f"{said[:40]!r} names no language; write it as de, hi or en-GB")
    number = ontology_number(tx)
    for annotation in fetch_all(tx, annotations):
        state = state_after_edit(tx, annotation.state)
        tx.put(replace(annotation, language=said or None, state=state, ontology_version=number))


@command("annotation.set_state", title="Set state", right=Right.LABEL, enabled=needs_selection)
def set_state(tx: Transaction, *, annotations: tuple[AnnotationRef, ...], state: State) -> None:
    """Say how far annotations have come.

    state: proposed, draft, done, approved or rejected
    """
    tx.put_many([replace(annotation, state=state) for annotation in fetch_all(tx, annotations)])


@command("annotation.set_confidence", title="Set confidence", right=Right.LABEL, enabled=needs_selection)
def set_confidence(tx: Transaction, *, annotations: tuple[AnnotationRef, ...], confidence: float | None = None) -> None:
    """Say how sure each of these labels is, on its own stream: a thing may be plain in the camera and faint in LiDAR.

    confidence: 0 to 1; left out, nothing is said of it
    """
    if confidence is not None and not 0 <= confidence <= 1:
        raise UserError(f"a confidence lies between 0 and 1, {confidence:g} does not")
    number = ontology_number(tx)
    found = [replace(each, confidence=confidence, ontology_version=number) for each in fetch_all(tx, annotations)]
    tx.put_many([replace(each, state=state_after_edit(tx, each.state)) for each in found])


@command("annotation.accept", title="Accept proposal", shortcut="Return", right=Right.LABEL, enabled=needs_selection)
def accept(tx: Transaction, *, annotations: tuple[AnnotationRef, ...]) -> None:
    """Take proposals over as done. What a model left unsaid starts as on a label that a hand draws.

    Several at once are refused where one of them asks to be looked at by itself: speech in two languages, and what is
    tagged as an edge case.
    """
    found = _proposals(tx, annotations)
    if len(found) > 1:
        _refuse_what_asks_for_a_look(tx, found)
    tx.put_many([_accepted(tx, each) for each in found])


def _refuse_what_asks_for_a_look(tx: Transaction, proposals: list[Annotation]) -> None:
    samples = dict.fromkeys(each.sample for each in proposals)
    beside = {each: list(tx.annotations(each)) for each in samples}
    tags = {tag.target: tag for each in samples for tag in tx.comments(each) if is_open_tag(tag)}
    for each in proposals:
        tag = tags.get(each.id) or tags.get(each.entity or "")
        reason = why_one_at_a_time(languages_in(each, beside[each.sample]), tag)
        if reason:
            raise UserError(f"{each.id} is not accepted together with others: {reason}")


def _accepted(tx: Transaction, proposal: Annotation) -> Annotation:
    counts_as = effective_class(proposal, entity_of(tx, proposal))
    said = starting_attributes(tx, counts_as, proposal.attributes, per_stream=True)
    return replace(proposal, state=State.DONE, attributes=said)


@command("annotation.reject", title="Reject proposal", shortcut="Backspace", right=Right.LABEL, enabled=needs_selection)
def reject(tx: Transaction, *, annotations: tuple[AnnotationRef, ...]) -> None:
    """Refuse proposals; they are kept as rejected, so that the model's errors can be counted."""
    tx.put_many([replace(each, state=State.REJECTED) for each in _proposals(tx, annotations)])


def _proposals(tx: Transaction, annotations: tuple[AnnotationId, ...]) -> list[Annotation]:
    found = fetch_all(tx, annotations)
    for annotation in found:
        if annotation.state is not State.PROPOSED:
            raise UserError(f"annotation {annotation.id} is {annotation.state.value}, not a proposal")
    return found


@command("annotation.copy", title="Copy annotation", shortcut="Ctrl+V", right=Right.LABEL, enabled=needs_selection)
def copy(
    tx: Transaction,
    *,
    annotations: tuple[AnnotationRef, ...],
    stream: StreamRef | None = None,
    by_ns: int = 0,
    by: tuple[float, ...] | None = None,
    item: str | None = None,
    layer: str | None = None,
) -> tuple[AnnotationId, ...]:
    """Copy annotations with their keyframes, also to another stream, moment or item. Links are not copied.

    by_ns: how much later the copy stands
    by: how far the copy is moved, as [x, y] or [x, y, z]
    item: the item the copy lies on
    layer: the layer of the copy
    """
    return tuple(
        _copy_one(tx, annotation, stream or annotation.stream, by_ns, by, item or annotation.item, layer)
        for annotation in fetch_all(tx, annotations)
    )


def _copy_one(
    tx: Transaction,
    annotation: Annotation,
    stream: str | None,
    by_ns: int,
    by: tuple[float, ...] | None,
    item: str | None,
    layer: str | None,
) -> AnnotationId:
    made = replace(
        annotation,
        id=AnnotationId(tx.new_id()),
        stream=stream,
        shape=later(_moved(annotation.shape, by), by_ns),
        start_ns=_later(annotation.start_ns, by_ns),
        end_ns=_later(annotation.end_ns, by_ns),
        item=item,
        layer=layer or annotation.layer,
        state=first_state(tx),
        source=source_of(tx),
        confidence=None,
        ontology_version=ontology_number(tx),
    )
    if made.track is not None:
        gaps = tuple(replace(g, start_ns=g.start_ns + by_ns, end_ns=g.end_ns + by_ns) for g in made.track.gaps)
        made = replace(made, track=replace(made.track, gaps=gaps))
    tx.put(made)
    for keyframe in list(tx.keyframes(annotation.id)) if annotation.track is not None else []:
        moved = _moved(keyframe.shape, by)
        tx.put(_keyframe_copy(tx, keyframe, made.id, keyframe.time_ns + by_ns, moved))
    return made.id


def _keyframe_copy(
    tx: Transaction, keyframe: Keyframe, annotation: AnnotationId, time_ns: int, shape: Shape | None
) -> Keyframe:
    return replace(keyframe, id=RecordId(tx.new_id()), annotation=annotation, time_ns=time_ns, shape=shape)


def _moved(shape: Shape | None, by: tuple[float, ...] | None) -> Shape | None:
    return shape if shape is None or by is None else translated(shape, by)


def _later(time_ns: int | None, by_ns: int) -> int | None:
    return None if time_ns is None else time_ns + by_ns


@command("annotation.delete", title="Delete", shortcut="Delete", right=Right.LABEL, enabled=needs_selection)
def delete(
    tx: Transaction,
    *,
    annotations: tuple[AnnotationRef, ...],
    links: LinkPolicy = LinkPolicy.REFUSE,
    to: TargetRef | None = None,
    reason: str = "",
) -> None:
    """Delete annotations with their keyframes and words, and say what becomes of the links that end at them.

    links: refuse, remove the links too, retarget them to another end, or turn them into an absence
    to: the new end for retarget; for absence the stream or modality where the counterpart is missing
    reason: for absence, why there is no counterpart
    """
    remove_labels(tx, fetch_all(tx, annotations), links=links, to=to, reason=reason)


def entity_for(tx: Transaction, annotation: Annotation, class_id: str) -> Entity:
    """A new entity with a number of its own; used where what an annotation shows becomes a thing of its own."""
    made = Entity(
        id=EntityId(tx.new_id()),
        sample=annotation.sample,
        class_id=class_id,
        number=tx.next_entity_number(annotation.sample),
        attributes=starting_attributes(tx, class_id, {}, per_stream=False),
        ontology_version=ontology_number(tx),
    )
    tx.put(made)
    return made


__all__ = ["Target", "add", "changed_attributes", "copy", "delete", "entity_for", "fetch"]
