"""Boxes on a camera taken over from a cuboid: what the projection of its track shows becomes the same thing's 2D box.

Where the boxes are is the caller's to compute (``app/adopting.py``), who knows the rig and the poses.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from workstation.commands.arguments import AnnotationRef, StreamRef
from workstation.commands.given_shapes import stored_shape
from workstation.commands.keyframes import store_life
from workstation.commands.reading import (
    fetch,
    first_state,
    keyframes_of,
    ontology_number,
    source_of,
    starting_attributes,
    state_after_edit,
)
from workstation.commands.registry import command, needs_selection
from workstation.commands.tracks import Moment
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, Entity, Keyframe, Presence, Source, Track
from workstation.core.errors import UserError
from workstation.core.geometry import Box, ShapeKind
from workstation.core.ids import AnnotationId, RecordId
from workstation.core.records import RecordKind
from workstation.core.rights import Right

PROJECTION = "projection"
"""Name of the source of a box that was taken over from a cuboid."""


@command("cuboid.adopt_boxes", title="Adopt as 2D box", right=Right.LABEL, enabled=needs_selection)
def adopt_boxes(
    tx: Transaction, *, cuboid: AnnotationRef, stream: StreamRef, boxes: tuple[Moment, ...], whole: bool = False
) -> AnnotationId:
    """Take over where a cuboid projects to in a camera as the box of the same thing there: as keyframes of its box
    track, or as a new one. The keyframes name the projection as their source.

    cuboid: the cuboid that is projected
    stream: the camera
    boxes: a list of {"time_ns": …, "shape": {"kind": "box", …}, "presence": "visible"}, in the camera's own time
    whole: true for boxes along the whole track: keyframes drawn by hand stay, those once taken over are made anew
    """
    source, entity = _source(tx, cuboid)
    moments = {each.time_ns: each for each in boxes}
    if not any(isinstance(stored_shape(tx, each.shape), Box) for each in moments.values()):
        raise UserError("cuboid.adopt_boxes needs at least one box")
    wrong = [each for each in moments.values() if each.shape is not None and not isinstance(each.shape, Box)]
    if wrong:
        raise UserError("only boxes can be adopted from a projection")
    track = _box_track(tx, entity, stream, source.layer)
    known = [] if track is None else keyframes_of(tx, track)
    if track is None:
        track = _new_track(tx, source, entity, stream)
    if whole:
        _forget(tx, (each for each in known if each.source.name == PROJECTION and each.time_ns not in moments))
        hand_made = {each.time_ns for each in known if each.source.name != PROJECTION}
        moments = {time_ns: each for time_ns, each in moments.items() if time_ns not in hand_made}
    moments = {time_ns: each for time_ns, each in moments.items() if not _in_gap(track, time_ns)}
    if not moments:
        raise UserError("the track already has boxes drawn by hand, or stated gaps, at all of these moments")
    there = {each.time_ns: each for each in known}
    for time_ns, each in sorted(moments.items()):
        tx.put(_keyframe(tx, track, each, there.get(time_ns), source.id))
    store_life(tx, track, state=state_after_edit(tx, track.state))
    return track.id


def _source(tx: Transaction, cuboid: AnnotationId) -> tuple[Annotation, Entity]:
    found = fetch(tx, Annotation, cuboid)
    if found.kind is not ShapeKind.CUBOID:
        raise UserError(f"annotation {cuboid} is a {found.kind.value}; only a cuboid projects to a box")
    if found.entity is None:
        raise UserError(f"cuboid {cuboid} shows no entity yet; say which thing it is first (entity.attach)")
    return found, fetch(tx, Entity, found.entity)


def _box_track(tx: Transaction, entity: Entity, stream: str, layer: str) -> Annotation | None:
    """The box track of the thing on that camera, in the same layer."""
    shown = (each for each in tx.annotations_of(entity.id) if each.stream == stream)
    tracks = [each for each in shown if each.kind is ShapeKind.BOX and each.track is not None and each.layer == layer]
    return min(tracks, key=lambda each: each.id, default=None)


def _new_track(tx: Transaction, source: Annotation, entity: Entity, stream: str) -> Annotation:
    made = Annotation(
        id=AnnotationId(tx.new_id()),
        sample=entity.sample,
        stream=stream,  # type: ignore[arg-type]  # a stream's id
        entity=entity.id,
        kind=ShapeKind.BOX,
        start_ns=0,
        end_ns=1,
        attributes=starting_attributes(tx, entity.class_id, {}, per_stream=True),
        track=Track(),
        state=first_state(tx),
        layer=source.layer,
        source=_projection(tx, source.id),
        ontology_version=ontology_number(tx),
    )
    tx.put(made)
    return made


def _keyframe(
    tx: Transaction, track: Annotation, moment: Moment, there: Keyframe | None, cuboid: AnnotationId
) -> Keyframe:
    made = there or Keyframe(id=RecordId(tx.new_id()), annotation=track.id, time_ns=moment.time_ns)
    shape = None if moment.presence is Presence.ABSENT else stored_shape(tx, moment.shape)
    return replace(made, shape=shape, presence=moment.presence, source=_projection(tx, cuboid))


def _projection(tx: Transaction, cuboid: AnnotationId) -> Source:
    return replace(source_of(tx), name=PROJECTION, parameters={"cuboid": cuboid})


def _forget(tx: Transaction, keyframes: Iterable[Keyframe]) -> None:
    for each in keyframes:
        tx.delete(RecordKind.KEYFRAME, each.id)


def _in_gap(track: Annotation, time_ns: int) -> bool:
    return track.track is not None and any(gap.start_ns <= time_ns < gap.end_ns for gap in track.track.gaps)
