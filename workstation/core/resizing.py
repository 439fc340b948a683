"""One edge or face of a shape moved while the opposite one stays, as a hand does with a handle. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec.structs import replace

from workstation.core.errors import UserError
from workstation.core.geometry import Box, Cuboid, Shape, kind_of

_BOX_EDGES = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}
_CUBOID_FACES = {
    "front": (1, 0, 0), "back": (-1, 0, 0), "left": (0, 1, 0), "right": (0, -1, 0), "top": (0, 0, 1),
    "bottom": (0, 0, -1),
}  # fmt: skip


def resized(shape: Shape, edge: str, outward: float) -> Shape:
    """``shape`` with ``edge`` moved outward (negative: inward) along the shape's own axis; the opposite edge stays."""
    if isinstance(shape, Box):
        return _resized_box(shape, _direction(_BOX_EDGES, edge, "box"), outward)
    if isinstance(shape, Cuboid):
        return _resized_cuboid(shape, _direction(_CUBOID_FACES, edge, "cuboid"), outward)
    raise UserError(f"a {kind_of(shape).value} has no edges to drag; give the whole new shape to annotation.set_shape")


def with_size(cuboid: Cuboid, size: tuple[float, float, float], held: tuple[int, int, int] = (0, 0, 0)) -> Cuboid:
    """Another size. Of each axis (length, width, height) the face with the sign in ``held`` stays; for 0 the middle."""
    if min(size) <= 0:
        raise UserError("a cuboid needs a positive length, width and height")
    steps = tuple(-sign * (new - old) / 2 for sign, new, old in zip(held, size, cuboid.size, strict=True))
    x, y, z = rotated(steps, cuboid.rotation)
    center = (cuboid.center[0] + x, cuboid.center[1] + y, cuboid.center[2] + z)
    return replace(cuboid, center=center, size=size)


def rotated(vector: tuple[float, ...], rotation: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """``vector`` turned by the unit quaternion ``rotation`` (w, x, y, z)."""
    w, x, y, z = rotation
    vx, vy, vz = vector
    tx, ty, tz = 2 * (y * vz - z * vy), 2 * (z * vx - x * vz), 2 * (x * vy - y * vx)
    return (vx + w * tx + y * tz - z * ty, vy + w * ty + z * tx - x * tz, vz + w * tz + x * ty - y * tx)


def _direction(edges: Mapping[str, tuple[int, ...]], edge: str, kind: str) -> tuple[int, ...]:
    if edge not in edges:
        raise UserError(f"a {kind} has no edge {edge!r}; it has {', '.join(edges)}")
    return edges[edge]


def _resized_box(box: Box, direction: tuple[int, ...], outward: float) -> Box:
    """The centre goes half the way, turned with the box; the size takes the whole."""
    width = box.width + abs(direction[0]) * outward
    height = box.height + abs(direction[1]) * outward
    if width <= 0 or height <= 0:
        raise UserError("that would turn the box inside out")
    angle = math.radians(box.angle_deg)
    along, across = direction[0] * outward / 2, direction[1] * outward / 2
    center_x = box.x + box.width / 2 + along * math.cos(angle) - across * math.sin(angle)
    center_y = box.y + box.height / 2 + along * math.sin(angle) + across * math.cos(angle)
    return replace(box, x=center_x - width / 2, y=center_y - height / 2, width=width, height=height)


def _resized_cuboid(cuboid: Cuboid, direction: tuple[int, ...], outward: float) -> Cuboid:
    size = tuple(length + abs(d) * outward for length, d in zip(cuboid.size, direction, strict=True))
    if min(size) <= 0:
        raise UserError("that would turn the cuboid inside out")
    step = rotated(tuple(d * outward / 2 for d in direction), cuboid.rotation)
    center = tuple(c + s for c, s in zip(cuboid.center, step, strict=True))
    return replace(cuboid, center=center, size=size)
