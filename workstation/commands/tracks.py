"""Whole tracks: making, extending, gaps, static, cutting, joining, and two that swapped identities."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from workstation.commands.annotations import entity_for
from workstation.commands.arguments import AnnotationRef, ClassRef, EntityRef, SampleRef, StreamRef
from workstation.commands.keyframes import new_keyframes, refuse_other_kind, store_life
from workstation.commands.reading import (
    entity_of,
    fetch,
    first_state,
    keyframes_of,
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
    AttributeValue,
    Entity,
    Gap,
    Interpolation,
    Keyframe,
    Presence,
    Source,
    SourceKind,
    State,
    TargetKind,
    Track,
)
from workstation.core.errors import UserError
from workstation.core.geometry import Shape, kind_of
from workstation.core.ids import AnnotationId, RecordId
from workstation.core.records import RecordKind
from workstation.core.rights import Right
from workstation.core.tracks import moment


class Moment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One keyframe of a new track."""

    time_ns: int
    shape: Shape | None = None
    presence: Presence = Presence.VISIBLE


@command("track.add", title="Add track", right=Right.LABEL, enabled=needs_sample)
def add(
    tx: Transaction,
    *,
    sample: SampleRef,
    stream: StreamRef,
    keyframes: tuple[Moment, ...],
    class_id: ClassRef | None = None,
    entity: EntityRef | None = None,
    interpolation: Interpolation = Interpolation.LINEAR,
    frame: str | None = None,
    attributes: Mapping[str, AttributeValue] = {},
    state: State | None = None,
    layer: str = "main",
    source: Source | None = None,
    confidence: float | None = None,
) -> AnnotationId:
    """Make a track from its keyframes. Without an entity it gets one of its own, with the next number of the sample.

    keyframes: a list of {"time_ns": …, "shape": {…}, "presence": "visible"}
    interpolation: linear, hold or none: what stands between two keyframes
    frame: the named frame of 3-D shapes
    state: proposed, draft, done, approved or rejected
    layer: whose pass this is
    source: where it comes from; the person unless said
    confidence: 0 to 1
    """
    shapes = [each.shape for each in keyframes if each.shape is not None]
    if not shapes:
        raise UserError("a track needs at least one keyframe with a shape")
    if entity is None and class_id is None:
        raise UserError("a track needs a class, or the entity it shows")
    times = sorted(each.time_ns for each in keyframes)
    counts_as = class_id if entity is None else fetch(tx, Entity, entity).class_id
    made = Annotation(
        id=AnnotationId(tx.new_id()),
        sample=sample,
        stream=stream,
        entity=entity,
        class_id=class_id if entity is not None else None,
        kind=kind_of(shapes[0]),
        start_ns=times[0],
        end_ns=times[-1] + 1,
        frame=frame,
        attributes=starting_attributes(tx, counts_as, attributes, per_stream=True),
        track=Track(interpolation=interpolation),
        state=first_state(tx, state),
        layer=layer,
        source=source_of(tx, source),
        confidence=confidence,
        ontology_version=ontology_number(tx),
    )
    for shape in shapes:
        refuse_other_kind(made, shape)
    if entity is None and class_id is not None:
        made = replace(made, entity=entity_for(tx, made, class_id).id)
    tx.put(made)
    moments = [(each.time_ns, each.shape, each.presence) for each in keyframes]
    new_keyframes(tx, made.id, moments, made.source)
    return made.id


@command("track.make", title="Make a track", right=Right.LABEL, enabled=needs_selection)
def make(tx: Transaction, *, annotation: AnnotationRef, at_ns: int | None = None) -> None:
    """Turn a shape into a track: the shape becomes its first keyframe.

    at_ns: the moment of the first keyframe; left out, where the annotation begins
    """
    old = fetch(tx, Annotation, annotation)
    time_ns = old.start_ns if at_ns is None else at_ns
    if old.track is not None or old.shape is None:
        raise UserError(f"annotation {annotation} is a track already")
    if time_ns is None:
        raise UserError(f"annotation {annotation} has no moment of its own: give at_ns")
    tx.put(replace(old, shape=None, track=Track(), start_ns=time_ns, end_ns=time_ns + 1, state=_state(tx, old)))
    new_keyframes(tx, old.id, [(time_ns, old.shape, Presence.VISIBLE)], source_of(tx))


@command("track.extend", title="Extend track", right=Right.LABEL, enabled=needs_selection)
def extend(tx: Transaction, *, annotation: AnnotationRef, to_ns: int, shape: Shape | None = None) -> None:
    """Let a track live longer, to an earlier first or a later last keyframe.

    to_ns: the new first or last moment
    shape: the shape there; left out, the shape of the keyframe it is extended from
    """
    track = fetch(tx, Annotation, annotation)
    keyframes = keyframes_of(tx, track)
    first, last = keyframes[0], keyframes[-1]
    if first.time_ns <= to_ns <= last.time_ns:
        raise UserError(f"track {annotation} already lives at {to_ns} ns")
    edge = first if to_ns < first.time_ns else last
    refuse_other_kind(track, shape)
    new_keyframes(tx, track.id, [(to_ns, shape or edge.shape, edge.presence)], source_of(tx))
    store_life(tx, track)


@command("track.add_gap", title="Gap", right=Right.LABEL, enabled=needs_selection)
def add_gap(tx: Transaction, *, annotation: AnnotationRef, start_ns: int, end_ns: int, reason: str = "") -> None:
    """State that the thing is not there for a stretch of a track's life.

    start_ns: where the gap begins, in the stream's own time
    end_ns: where it ends, half-open
    """
    track, spec = _track(tx, annotation)
    if end_ns <= start_ns:
        raise UserError(f"a gap must run forward, not from {start_ns} to {end_ns} ns")
    if any(gap.start_ns < end_ns and start_ns < gap.end_ns for gap in spec.gaps):
        raise UserError(f"track {annotation} already has a gap between {start_ns} and {end_ns} ns")
    gaps = tuple(sorted((*spec.gaps, Gap(start_ns, end_ns, reason)), key=lambda gap: gap.start_ns))
    tx.put(replace(track, track=replace(spec, gaps=gaps), state=_state(tx, track)))


@command("track.remove_gap", title="Remove gap", right=Right.LABEL, enabled=needs_selection)
def remove_gap(tx: Transaction, *, annotation: AnnotationRef, at_ns: int) -> None:
    """Take back the gap that lies at a moment.

    at_ns: a moment inside the gap
    """
    track, spec = _track(tx, annotation)
    kept = tuple(gap for gap in spec.gaps if not gap.start_ns <= at_ns < gap.end_ns)
    if len(kept) == len(spec.gaps):
        raise UserError(f"track {annotation} has no gap at {at_ns} ns")
    tx.put(replace(track, track=replace(spec, gaps=kept), state=_state(tx, track)))


@command("track.set_rule", title="Interpolation", right=Right.LABEL, enabled=needs_selection)
def set_rule(
    tx: Transaction,
    *,
    annotation: AnnotationRef,
    interpolation: Interpolation | None = None,
    static: bool | None = None,
) -> None:
    """Say what stands between two keyframes, and whether the thing is parked (one pose for its whole life).

    interpolation: linear, hold or none
    static: true for a thing that does not move; refused while keyframes show different shapes
    """
    track, spec = _track(tx, annotation)
    shapes = {keyframe.shape for keyframe in keyframes_of(tx, track) if keyframe.shape is not None}
    if static and len(shapes) > 1:
        raise UserError(f"track {annotation} shows {len(shapes)} different shapes; delete the keyframes that differ")
    changed = replace(
        spec,
        interpolation=spec.interpolation if interpolation is None else interpolation,
        static=spec.static if static is None else static,
    )
    tx.put(replace(track, track=changed, state=_state(tx, track)))


@command("track.split", title="Split track", right=Right.LABEL, enabled=needs_selection)
def split(tx: Transaction, *, annotation: AnnotationRef, at_ns: int, new_entity: bool = False) -> AnnotationId:
    """Cut a track in two: what lies at or after the moment becomes a new track. Links stay with the first part.

    at_ns: the moment; without a keyframe there, what was shown is kept as one
    new_entity: true when the second part is another thing, which then gets a number of its own
    """
    track, spec = _track(tx, annotation)
    keyframes = keyframes_of(tx, track)
    if not keyframes[0].time_ns < at_ns <= keyframes[-1].time_ns:
        raise UserError(f"{at_ns} ns does not cut track {annotation} in two")
    second = _second_part(tx, track, new_entity)
    tx.put(replace(second, track=replace(spec, gaps=tuple(gap for gap in spec.gaps if gap.end_ns > at_ns))))
    shown = moment(spec, keyframes, at_ns)
    if not any(keyframe.time_ns == at_ns for keyframe in keyframes) and shown.shape is not None:
        kept = Source(kind=SourceKind.INTERPOLATION)
        new_keyframes(tx, second.id, [(at_ns, shown.shape, shown.presence)], kept)
    _hand_over(tx, keyframes, at_ns, second.id)
    store_life(tx, fetch(tx, Annotation, second.id))
    left = replace(track, track=replace(spec, gaps=tuple(gap for gap in spec.gaps if gap.start_ns < at_ns)))
    store_life(tx, left)
    return second.id


def _second_part(tx: Transaction, track: Annotation, new_entity: bool) -> Annotation:
    second = replace(track, id=AnnotationId(tx.new_id()), source=source_of(tx), state=_state(tx, track))
    if not new_entity:
        return second
    entity = entity_of(tx, track)
    class_id = track.class_id or (entity.class_id if entity is not None else None)
    if class_id is None:
        raise UserError(f"track {track.id} has no class for the new entity")
    return replace(second, entity=entity_for(tx, second, class_id).id)


def _hand_over(tx: Transaction, keyframes: list[Keyframe], from_ns: int, to: AnnotationId) -> None:
    """A keyframe belongs to its track for good, so a copy goes to the other one in its place."""
    for keyframe in keyframes:
        if keyframe.time_ns >= from_ns:
            tx.delete(RecordKind.KEYFRAME, keyframe.id)
            tx.put(replace(keyframe, id=RecordId(tx.new_id()), annotation=to))


@command("track.join", title="Join tracks", right=Right.LABEL, enabled=needs_selection)
def join(tx: Transaction, *, first: AnnotationRef, second: AnnotationRef) -> None:
    """Make one track of two of the same stream and kind. The first keeps its id and takes the links of the second.

    first: the track that stays
    second: the track that goes into it; it must begin after the first ends, or the other way round
    """
    one, one_spec = _track(tx, first)
    two, two_spec = _track(tx, second)
    if (one.stream, one.kind, one.layer, one.frame) != (two.stream, two.kind, two.layer, two.frame):
        raise UserError("only tracks of the same stream, kind, layer and frame can be joined")
    before, after = sorted((keyframes_of(tx, one), keyframes_of(tx, two)), key=lambda frames: frames[0].time_ns)
    if before[-1].time_ns >= after[0].time_ns:
        raise UserError("these tracks live at the same time; swap or cut them first")
    _hand_over(tx, keyframes_of(tx, two), keyframes_of(tx, two)[0].time_ns, one.id)
    remove_labels(tx, [two], links=LinkPolicy.RETARGET, to=Target(TargetKind.ANNOTATION, one.id), reason="")
    gaps = tuple(sorted((*one_spec.gaps, *two_spec.gaps), key=lambda gap: gap.start_ns))
    store_life(tx, replace(one, track=replace(one_spec, gaps=gaps)))


@command("track.swap", title="Swap from here", right=Right.LABEL, enabled=needs_selection)
def swap(tx: Transaction, *, first: AnnotationRef, second: AnnotationRef, from_ns: int) -> None:
    """Two tracks that exchanged identities: from a moment on, each takes the other's keyframes and gaps.

    first: one track
    second: the other, of the same stream and kind
    from_ns: the moment from which they are swapped
    """
    one, one_spec = _track(tx, first)
    two, two_spec = _track(tx, second)
    if (one.stream, one.kind, one.frame) != (two.stream, two.kind, two.frame) or one.id == two.id:
        raise UserError("only two tracks of the same stream, kind and frame can be swapped")
    ours, theirs = keyframes_of(tx, one), keyframes_of(tx, two)
    late = [[k for k in keyframes if k.time_ns >= from_ns] for keyframes in (ours, theirs)]
    if not any(late) or (len(late[0]) == len(ours) and len(late[1]) == len(theirs)):
        raise UserError(f"from {from_ns} ns on there is nothing to swap")
    if len(ours) - len(late[0]) + len(late[1]) == 0 or len(theirs) - len(late[1]) + len(late[0]) == 0:
        raise UserError("one of the tracks would be left without a keyframe; join them instead")
    _hand_over(tx, late[0], from_ns, two.id)
    _hand_over(tx, late[1], from_ns, one.id)
    for track, own, other in ((one, one_spec, two_spec), (two, two_spec, one_spec)):
        gaps = [g for g in own.gaps if g.start_ns < from_ns] + [g for g in other.gaps if g.start_ns >= from_ns]
        store_life(tx, replace(track, track=replace(own, gaps=tuple(gaps))))


def _track(tx: Transaction, annotation: AnnotationId) -> tuple[Annotation, Track]:
    found = fetch(tx, Annotation, annotation)
    if found.track is None:
        raise UserError(f"annotation {annotation} is no track; make it one with track.make")
    return found, found.track


def _state(tx: Transaction, track: Annotation) -> State:
    return state_after_edit(tx, track.state)
