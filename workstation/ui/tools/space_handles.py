"""Where a cuboid can be taken hold of in a view into space, and what pulling there makes of it. Without Qt.

In a straight orthographic look there are four faces, four corners and a handle that turns about the line of sight; in
any other look six faces and a handle that turns about z. What does not follow the pointer stays where it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from workstation.core.cuboid_edits import Face, axes_of, face_center, face_moved, moved, place_in, turned
from workstation.core.geometry import Cuboid
from workstation.ui.tools.canvas import HandleKind
from workstation.ui.tools.space_tool import Look, SpaceHandle, SpacePointer, Vec3

Floats = NDArray[np.float64]
_ALIGNED = 0.985
_TURN_PX = 26.0
_LONGEST_ARM_M = 4.0
REACH_PX = 8.0


class Part(Enum):
    """What of a cuboid is held."""

    FACE = "face"
    CORNER = "corner"
    TURN = "turn"
    BODY = "body"
    HEIGHT = "height"


@dataclass(frozen=True, slots=True)
class Grip:
    """One place to take hold of."""

    part: Part
    place: Vec3
    faces: tuple[Face, ...] = ()
    axis: Vec3 = (0.0, 0.0, 1.0)
    """What a turn turns about."""
    arm: Vec3 | None = None
    """Where the line to a turning handle begins."""

    @property
    def kind(self) -> HandleKind:
        return {Part.FACE: HandleKind.EDGE, Part.CORNER: HandleKind.CORNER}.get(self.part, HandleKind.TURN)


def looks_along(cuboid: Cuboid, look: Look) -> int | None:
    """The axis of the cuboid that an orthographic view looks along; ``None`` for any other look."""
    if look.fov_deg is not None:
        return None
    along = np.abs(_direction(look) @ axes_of(cuboid))
    axis = int(np.argmax(along))
    return axis if along[axis] >= _ALIGNED else None


def grips(cuboid: Cuboid, look: Look) -> list[Grip]:
    """Where it can be taken hold of in this view, the ones on top first."""
    axis = looks_along(cuboid, look)
    return [*_turning(cuboid, look, axis), *_corners(cuboid, axis), *_faces(cuboid, axis)]


def grip_at(cuboid: Cuboid, event: SpacePointer, *, reach_px: float = REACH_PX) -> Grip | None:
    """The handle under the pointer."""
    found = grips(cuboid, event.look)
    px, depth, in_front = event.look.project(np.array([each.place for each in found]))
    away = np.hypot(px[:, 0] - event.x_px, px[:, 1] - event.y_px)
    near = [i for i in range(len(found)) if in_front[i] and away[i] <= reach_px]
    return found[min(near, key=lambda i: (found[i].part is Part.FACE, round(float(depth[i]), 3)))] if near else None


def drawn(found: Sequence[Grip], held: Grip | None) -> tuple[SpaceHandle, ...]:
    """As they are painted."""
    return tuple(SpaceHandle(each.place, each.kind, held=_same(each, held)) for each in found)


def _same(grip: Grip, held: Grip | None) -> bool:
    return held is not None and (grip.part, grip.faces) == (held.part, held.faces)


def _faces(cuboid: Cuboid, along: int | None) -> Iterator[Grip]:
    for axis in (each for each in range(3) if each != along):
        for sign in (1, -1):
            yield Grip(Part.FACE, face_center(cuboid, (axis, sign)), ((axis, sign),))


def _corners(cuboid: Cuboid, along: int | None) -> Iterator[Grip]:
    if along is None:
        return
    first, second = (each for each in range(3) if each != along)
    for one in (1, -1):
        for other in (1, -1):
            share = [0.0, 0.0, 0.0]
            share[first], share[second] = one, other
            yield Grip(Part.CORNER, place_in(cuboid, share), ((first, one), (second, other)))


def _turning(cuboid: Cuboid, look: Look, along: int | None) -> Iterator[Grip]:
    about = 2 if along is None else along
    outward = 0 if about != 0 else 2
    axes, start = axes_of(cuboid), face_center(cuboid, (outward, 1))
    way = axes[:, outward]
    px, _, in_front = look.project(np.array([start, np.array(start) + way]))
    per_m = float(np.hypot(*(px[1] - px[0]))) if in_front.all() else 0.0
    arm = min(_LONGEST_ARM_M, _TURN_PX / per_m) if per_m > 0 else _LONGEST_ARM_M
    place = _vec(np.array(start) + way * arm)
    axis = (0.0, 0.0, 1.0) if along is None else _vec(axes[:, about])
    yield Grip(Part.TURN, place, axis=axis, arm=start)


# --- pulling ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pull:
    """A drag in progress: what was held, and the pointer when it began."""

    cuboid: Cuboid
    grip: Grip
    start: SpacePointer

    def to(self, event: SpacePointer) -> Cuboid:
        """What the cuboid becomes with the pointer there."""
        return _PULLS[self.grip.part](self, event)


def _pull_face(pull: Pull, event: SpacePointer) -> Cuboid:
    (axis, sign) = pull.grip.faces[0]
    way = axes_of(pull.cuboid)[:, axis] * sign
    before, after = (_along_line(pull.grip.place, way, each) for each in (pull.start, event))
    if before is None or after is None:
        return pull.cuboid
    return face_moved(pull.cuboid, (axis, sign), after - before)


def _pull_corner(pull: Pull, event: SpacePointer) -> Cuboid:
    shift = _in_plane(pull.grip.place, _direction(event.look), pull.start, event)
    made = pull.cuboid
    for axis, sign in pull.grip.faces:
        outward = 0.0 if shift is None else float(shift @ axes_of(pull.cuboid)[:, axis]) * sign
        made = face_moved(made, (axis, sign), outward)
    return made


def _pull_turn(pull: Pull, event: SpacePointer) -> Cuboid:
    axis, center = np.array(pull.grip.axis), np.array(pull.cuboid.center)
    before, after = (_on_plane(pull.grip.place, axis, each) for each in (pull.start, event))
    if before is None or after is None:
        return pull.cuboid
    first, second = before - center, after - center
    angle = math.atan2(float(np.cross(first, second) @ axis), float(first @ second - (first @ axis) * (second @ axis)))
    return turned(pull.cuboid, angle, pull.grip.axis)


def _pull_body(pull: Pull, event: SpacePointer) -> Cuboid:
    """On the ground, or in the plane of an orthographic picture."""
    normal = np.array((0.0, 0.0, 1.0)) if event.look.fov_deg is not None else _direction(event.look)
    shift = _in_plane(pull.grip.place, normal, pull.start, event)
    return pull.cuboid if shift is None else moved(pull.cuboid, shift.tolist())


def _pull_height(pull: Pull, event: SpacePointer) -> Cuboid:
    up = np.array((0.0, 0.0, 1.0))
    before, after = (_along_line(pull.grip.place, up, each) for each in (pull.start, event))
    if before is None or after is None:
        return pull.cuboid
    return moved(pull.cuboid, (0.0, 0.0, after - before))


_PULLS = {
    Part.FACE: _pull_face, Part.CORNER: _pull_corner, Part.TURN: _pull_turn, Part.BODY: _pull_body,
    Part.HEIGHT: _pull_height,
}  # fmt: skip
_FARTHEST_M = 500.0
_GRAZING = 0.02


def _along_line(place: Vec3, way: Floats, event: SpacePointer) -> float | None:
    """How far along a line through ``place`` it comes nearest to the pointer's ray; ``None`` if it looks along it."""
    ray, off = np.array(event.direction), np.array(place) - np.array(event.origin)
    across = float(way @ ray)
    square = 1.0 - across * across
    if square < _GRAZING**2:
        return None
    found = (across * float(ray @ off) - float(way @ off)) / square
    return found if abs(found) <= _FARTHEST_M else None


def _on_plane(place: Vec3, normal: Floats, event: SpacePointer) -> Floats | None:
    """Where the pointer's ray meets a plane; ``None`` if it runs along it or away from it."""
    ray, origin = np.array(event.direction), np.array(event.origin)
    slope = float(ray @ normal)
    if abs(slope) < _GRAZING:
        return None
    away = float((np.array(place) - origin) @ normal) / slope
    if abs(away) > _FARTHEST_M or (away < 0 and event.look.fov_deg is not None):
        return None
    found: Floats = origin + away * ray
    return found


def _in_plane(place: Vec3, normal: Floats, start: SpacePointer, event: SpacePointer) -> Floats | None:
    before, after = (_on_plane(place, normal, each) for each in (start, event))
    return None if before is None or after is None else after - before


def on_ground(event: SpacePointer, height_m: float) -> Vec3 | None:
    """Where the pointer's ray meets a level plane."""
    found = _on_plane((0.0, 0.0, height_m), np.array((0.0, 0.0, 1.0)), event)
    return None if found is None else _vec(found)


def metres_per_px(place: Vec3, look: Look) -> float:
    """How much of the scene a pixel is there."""
    right = np.cross(_direction(look), (0.0, 0.0, 1.0))
    if np.linalg.norm(right) < 1e-6:
        right = np.array((0.0, 1.0, 0.0))
    right /= np.linalg.norm(right)
    px, _, in_front = look.project(np.array([place, np.array(place) + right]))
    away = float(np.hypot(*(px[1] - px[0]))) if in_front.all() else 0.0
    return 1.0 / away if away > 0 else 1.0


def _direction(look: Look) -> Floats:
    way = np.subtract(look.target, look.eye)
    found: Floats = way / max(float(np.linalg.norm(way)), 1e-12)
    return found


def _vec(values: Floats) -> Vec3:
    x, y, z = (float(each) for each in values)
    return (x, y, z)
