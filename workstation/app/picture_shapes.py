"""Shapes of pictures as lines and areas: what an outline is, how far a place is from it, what lies inside a lasso.

Pure functions over values in picture pixels, asked by camera views for painting and picking.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.geometry import Box, Keypoints, Mask, Measurement, Point, PointState, Polygon, Polyline, Shape
from workstation.core.values import dataclass

Place = tuple[float, float]
Ring = NDArray[np.float64]
"""(n, 2) pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """``rings`` are closed, the first one is the outside and the others are holes; ``open`` lines; loose ``points``."""

    rings: tuple[Ring, ...] = ()
    open: tuple[Ring, ...] = ()
    points: Ring | None = None

    def every(self) -> Ring:
        """All places of it, (n, 2)."""
        parts = [*self.rings, *self.open, *([] if self.points is None else [self.points])]
        return np.concatenate(parts) if parts else np.empty((0, 2))


def lines_of(shape: Shape) -> Lines:
    """The lines of a shape; empty for what is not drawn on pictures."""
    build = _BUILD.get(type(shape))
    return Lines() if build is None else build(shape)


def box_corners(box: Box) -> Ring:
    """(4, 2) from the top left, clockwise before turning."""
    angle = math.radians(box.angle_deg)
    cos, sin = math.cos(angle), math.sin(angle)
    half = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (box.width / 2, box.height / 2)
    corners: Ring = half @ np.array([(cos, sin), (-sin, cos)]) + (box.x + box.width / 2, box.y + box.height / 2)
    return corners


def bounds_of(places: Ring) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    (left, top), (right, bottom) = places.min(0).tolist(), places.max(0).tolist()
    return left, top, right, bottom


def size_of(shape: Shape) -> float:
    """How much a shape covers, for laying small ones over large ones; lines and points cover nothing."""
    if isinstance(shape, Box):
        return shape.width * shape.height
    if isinstance(shape, Mask):
        return float(shape.area_px)
    if isinstance(shape, Polygon):
        return abs(_area(np.array(shape.outer)))
    return 0.0


def distance(lines: Lines, place: Place) -> float:
    """From a place to a shape: 0 inside an area, else to the nearest line or point."""
    at = np.array(place)
    if lines.rings and _inside_rings(lines.rings, at):
        return 0.0
    found = [_to_line(np.vstack([ring, ring[:1]]), at) for ring in lines.rings]
    found += [_to_line(line, at) for line in lines.open]
    if lines.points is not None and len(lines.points):
        found.append(float(np.linalg.norm(lines.points - at, axis=1).min()))
    return min(found, default=math.inf)


def inside(places: Ring, ring: Sequence[Place]) -> bool:
    """Whether all places lie inside a closed ring."""
    around = np.array(ring, np.float64)
    return len(places) > 0 and len(around) >= 3 and all(_inside_ring(around, place) for place in places)


def hull(places: Ring) -> Ring:
    """The convex ring around places (n, 2)."""
    ordered = sorted(set(map(tuple, places.tolist())))
    if len(ordered) < 3:
        return np.array(ordered, np.float64).reshape(-1, 2)
    return np.array(_half_hull(ordered)[:-1] + _half_hull(ordered[::-1])[:-1], np.float64)


def _half_hull(places: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for x, y in places:
        while len(kept) > 1 and _cross(kept[-2], kept[-1], (x, y)) <= 0:
            kept.pop()
        kept.append((x, y))
    return kept


def _cross(a: Place, b: Place, c: Place) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _area(ring: Ring) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def _inside_rings(rings: Sequence[Ring], at: Ring) -> bool:
    """By the rule of odd crossings, so that holes are outside."""
    return sum(_inside_ring(ring, at) for ring in rings) % 2 == 1


def _inside_ring(ring: Ring, at: Ring) -> bool:
    x, y = ring[:, 0], ring[:, 1]
    x2, y2 = np.roll(x, -1), np.roll(y, -1)
    crossing = (y > at[1]) != (y2 > at[1])
    if not crossing.any():
        return False
    x, y, x2, y2 = x[crossing], y[crossing], x2[crossing], y2[crossing]
    right = at[0] < x + (at[1] - y) * (x2 - x) / (y2 - y)
    return int(np.count_nonzero(right)) % 2 == 1


def _to_line(line: Ring, at: Ring) -> float:
    if len(line) == 1:
        return float(np.linalg.norm(line[0] - at))
    start, along = line[:-1], np.diff(line, axis=0)
    length = (along * along).sum(1)
    share = np.clip(((at - start) * along).sum(1) / np.where(length > 0, length, 1.0), 0, 1)
    return float(np.linalg.norm(start + share[:, None] * along - at, axis=1).min())


def _of_box(shape: Box) -> Lines:
    return Lines(rings=(box_corners(shape),))


def _of_polygon(shape: Polygon) -> Lines:
    return Lines(rings=tuple(np.array(ring, np.float64) for ring in (shape.outer, *shape.holes)))


def _of_polyline(shape: Polyline) -> Lines:
    return Lines(open=(np.array(shape.points, np.float64),))


def _of_point(shape: Point) -> Lines:
    return Lines(points=np.array([(shape.x, shape.y)]))


def _of_keypoints(shape: Keypoints) -> Lines:
    there = [(p.x, p.y) for p in shape.points if p.state is not PointState.ABSENT]
    return Lines(points=np.array(there, np.float64).reshape(-1, 2))


def _of_mask(shape: Mask) -> Lines:
    left, top, right, bottom = shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
    return Lines(rings=(np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64),))


def _of_measurement(shape: Measurement) -> Lines:
    flat = [point for point in shape.points if len(point) == 2]
    return Lines(open=(np.array(flat, np.float64),)) if flat else Lines()


_BUILD: dict[type, Callable[[Any], Lines]] = {
    Box: _of_box,
    Polygon: _of_polygon,
    Polyline: _of_polyline,
    Point: _of_point,
    Keypoints: _of_keypoints,
    Mask: _of_mask,
    Measurement: _of_measurement,
}
