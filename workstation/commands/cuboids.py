"""Cuboids of tracks: setting one at a moment, with the size that belongs to the whole track, and parked things."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from workstation.commands.arguments import AnnotationRef
from workstation.commands.keyframes import new_keyframes, store_life
from workstation.commands.reading import (
    entity_of,
    fetch,
    keyframes_of,
    ontology_number,
    ontology_of,
    source_of,
    state_after_edit,
)
from workstation.commands.registry import command, needs_selection
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, Keyframe, Presence, effective_class
from workstation.core.errors import UserError
from workstation.core.geometry import Cuboid
from workstation.core.records import RecordKind
from workstation.core.resizing import with_size
from workstation.core.rights import Right
from workstation.core.tracks import life, moment

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


@command("cuboid.set", title="Set cuboid here", right=Right.LABEL, enabled=needs_selection)
def set_cuboid(
    tx: Transaction,
    *,
    annotation: AnnotationRef,
    center: Vector,
    size: Vector,
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0),
    time_ns: int | None = None,
    held: tuple[int, int, int] = (0, 0, 0),
) -> None:
    """Say where a cuboid is at a moment. Its size becomes that of the whole track, unless the class is deformable.

    A parked thing is put there for its whole life. Outside of the track's life it is refused (track.extend).

    center: metres in the annotation's frame
    size: length, width and height in metres
    rotation: unit quaternion w, x, y, z
    time_ns: the moment, in the stream's own time; needed for a track
    held: where the size changes, which face of length, width and height stays: 1, -1, or 0 for the middle
    """
    track, shape = fetch(tx, Annotation, annotation), Cuboid(center, size, rotation)
    if track.track is None:
        if not isinstance(track.shape, Cuboid):
            raise UserError(f"annotation {annotation} is no cuboid")
        tx.put(_edited(tx, replace(track, shape=shape)))
        return
    keyframes = keyframes_of(tx, track)
    if any(each.shape is not None and not isinstance(each.shape, Cuboid) for each in keyframes):
        raise UserError(f"track {annotation} is of {track.kind.value} shapes, not of cuboids")
    if track.track.static:
        tx.put_many([replace(each, shape=shape) for each in keyframes if each.shape is not None])
        store_life(tx, track)
        return
    if time_ns is None:
        raise UserError(f"annotation {annotation} is a track: give time_ns, the moment that is meant")
    _set_keyframe(tx, track, keyframes, time_ns, shape)
    if not _deformable(tx, track):
        tx.put_many(_resized(keyframes, time_ns, size, held))
    store_life(tx, track)


def _set_keyframe(tx: Transaction, track: Annotation, keyframes: list[Keyframe], time_ns: int, shape: Cuboid) -> None:
    lived = life(keyframes)
    if lived is None or not lived[0] <= time_ns < lived[1]:
        raise UserError(f"{time_ns} ns is outside the track's life; extend it with track.extend")
    here = next((each for each in keyframes if each.time_ns == time_ns), None)
    if here is not None:
        seen = Presence.VISIBLE if here.presence is Presence.ABSENT else here.presence
        tx.put(replace(here, shape=shape, presence=seen, source=source_of(tx)))
        return
    assert track.track is not None
    there = moment(track.track, keyframes, time_ns).presence
    seen = Presence.OCCLUDED if there is Presence.OCCLUDED else Presence.VISIBLE
    new_keyframes(tx, track.id, [(time_ns, shape, seen)], source_of(tx))


def _resized(keyframes: Iterable[Keyframe], time_ns: int, size: Vector, held: tuple[int, int, int]) -> list[Keyframe]:
    return [
        replace(each, shape=with_size(each.shape, size, held))
        for each in keyframes
        if each.time_ns != time_ns and isinstance(each.shape, Cuboid) and each.shape.size != size
    ]


def _deformable(tx: Transaction, track: Annotation) -> bool:
    ontology, class_id = ontology_of(tx), effective_class(track, entity_of(tx, track))
    return ontology is not None and class_id in ontology.classes and ontology.deformable(class_id)


@command("cuboid.shift", title="Move track", right=Right.LABEL, enabled=needs_selection)
def shift(tx: Transaction, *, annotation: AnnotationRef, by: tuple[Vector, ...]) -> None:
    """Move a cuboid with all its keyframes. Sizes and headings stay, and so does what is said of being seen.

    by: metres in the annotation's frame: one for all keyframes, or one for each in the order of time
    """
    track = fetch(tx, Annotation, annotation)
    if track.track is None:
        if not isinstance(track.shape, Cuboid) or len(by) != 1:
            raise UserError(f"annotation {annotation} is no track of cuboids: it is moved by one step")
        tx.put(_edited(tx, replace(track, shape=_shifted(track.shape, by[0]))))
        return
    keyframes = keyframes_of(tx, track)
    if any(each.shape is not None and not isinstance(each.shape, Cuboid) for each in keyframes):
        raise UserError(f"track {annotation} is of {track.kind.value} shapes, not of cuboids")
    if len(by) not in (1, len(keyframes)):
        raise UserError(f"track {annotation} has {len(keyframes)} keyframes: give one step, or {len(keyframes)}")
    steps = by * len(keyframes) if len(by) == 1 else by
    tx.put_many(
        [
            replace(each, shape=_shifted(each.shape, step))
            for each, step in zip(keyframes, steps, strict=True)
            if isinstance(each.shape, Cuboid)
        ]
    )
    store_life(tx, track)


def _shifted(cuboid: Cuboid, by: Vector) -> Cuboid:
    x, y, z = (place + step for place, step in zip(cuboid.center, by, strict=True))
    return replace(cuboid, center=(x, y, z))


@command("cuboid.park", title="Parked: one pose", right=Right.LABEL, enabled=needs_selection)
def park(
    tx: Transaction,
    *,
    annotation: AnnotationRef,
    center: Vector,
    size: Vector,
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0),
    frame: str,
) -> None:
    """Say that a thing stands still: one cuboid for the whole life of its track, in a frame that does not move.

    Keyframes that say nothing else go; where it becomes occluded or absent they stay. track.set_rule takes it back.

    center: metres in that frame
    size: length, width and height in metres
    rotation: unit quaternion w, x, y, z
    frame: the frame that stands still, as world
    """
    track = fetch(tx, Annotation, annotation)
    keyframes, shape = keyframes_of(tx, track), Cuboid(center, size, rotation)
    assert track.track is not None
    if any(each.shape is not None and not isinstance(each.shape, Cuboid) for each in keyframes):
        raise UserError(f"track {annotation} is of {track.kind.value} shapes, not of cuboids")
    before: Keyframe | None = None
    for each in keyframes:
        plain = before is not None and (before.presence, before.attributes) == (each.presence, each.attributes)
        if plain and each is not keyframes[-1]:
            tx.delete(RecordKind.KEYFRAME, each.id)
            continue
        before = each
        tx.put(replace(each, shape=None if each.shape is None else shape))
    store_life(tx, replace(track, frame=frame, track=replace(track.track, static=True)))


def _edited(tx: Transaction, annotation: Annotation) -> Annotation:
    state = state_after_edit(tx, annotation.state)
    return replace(annotation, state=state, ontology_version=ontology_number(tx))
