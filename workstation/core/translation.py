"""Shapes moved as a whole. Used by the commands that move labels; pure functions over values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from workstation.core.errors import UserError
from workstation.core.geometry import (
    Box,
    Cuboid,
    Curve,
    Keypoints,
    Mask,
    Measurement,
    Point,
    Point3D,
    Polygon,
    Polyline,
    Polyline3D,
    Shape,
    kind_of,
)

_replace = msgspec.structs.replace


def later(shape: Shape | None, by_ns: int) -> Shape | None:
    """The shape of an annotation that was moved in time: the points of a curve have times of their own."""
    if not by_ns or not isinstance(shape, Curve):
        return shape
    moved: Shape = _replace(shape, points=tuple((time_ns + by_ns, value) for time_ns, value in shape.points))
    return moved


def translated(shape: Shape, by: tuple[float, ...]) -> Shape:
    """``shape`` moved by (x, y) pixels or (x, y, z) metres; refused for shapes that lie in no such space."""
    move = _MOVES.get(type(shape))
    if move is None:
        raise UserError(f"a {kind_of(shape).value} has no place to move in; give by_ns to move it in time")
    wanted = len(shape.points[0]) if isinstance(shape, Measurement) and shape.points else _DIMENSIONS[type(shape)]
    if len(by) != wanted:
        raise UserError(f"a {kind_of(shape).value} moves by {wanted} numbers, not {len(by)}")
    moved: Shape = move(shape, by)
    return moved


def _ring(ring: tuple[tuple[float, ...], ...], by: tuple[float, ...]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(c + d for c, d in zip(point, by, strict=True)) for point in ring)


def _corner(shape: Box | Point, by: tuple[float, ...]) -> Box | Point:
    return _replace(shape, x=shape.x + by[0], y=shape.y + by[1])


def _mask(shape: Mask, by: tuple[float, ...]) -> Mask:
    if any(step != int(step) for step in by):
        raise UserError("a mask moves by whole pixels")
    return _replace(shape, x=shape.x + int(by[0]), y=shape.y + int(by[1]))


def _point_3d(shape: Point3D, by: tuple[float, ...]) -> Point3D:
    return Point3D(shape.x + by[0], shape.y + by[1], shape.z + by[2])


def _polygon(shape: Polygon, by: tuple[float, ...]) -> Polygon:
    return _replace(shape, outer=_ring(shape.outer, by), holes=tuple(_ring(hole, by) for hole in shape.holes))


def _points(shape: Polyline | Polyline3D | Measurement, by: tuple[float, ...]) -> Polyline | Polyline3D | Measurement:
    return _replace(shape, points=_ring(shape.points, by))


def _keypoints(shape: Keypoints, by: tuple[float, ...]) -> Keypoints:
    return Keypoints(tuple(_replace(p, x=p.x + by[0], y=p.y + by[1]) for p in shape.points))


def _cuboid(shape: Cuboid, by: tuple[float, ...]) -> Cuboid:
    return _replace(shape, center=_ring((shape.center,), by)[0])


_MOVES: dict[type, Callable[[Any, tuple[float, ...]], Any]] = {
    Box: _corner,
    Point: _corner,
    Point3D: _point_3d,
    Polygon: _polygon,
    Polyline: _points,
    Polyline3D: _points,
    Keypoints: _keypoints,
    Mask: _mask,
    Cuboid: _cuboid,
    Measurement: _points,
}
_DIMENSIONS: dict[type, int] = {kind: 3 if kind in (Point3D, Polyline3D, Cuboid) else 2 for kind in _MOVES}
