"""Outlines under the hand: simplified, mended where they cross themselves, cut by holes and by the picture's edge.

Pure functions over shapes in picture pixels, asked by the tools of pictures. Shapely does the geometry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import shapely
from msgspec.structs import replace
from shapely.geometry.base import BaseGeometry

from workstation.core.geometry import Box, Keypoints, Mask, Point, PointState, Polygon, Polyline, Shape

Place = tuple[float, float]


def simplified(places: Sequence[Place], tolerance: float) -> list[Place]:
    """A line by hand with the corners it needs: none is farther than ``tolerance`` from what was drawn."""
    if len(places) < 3:
        return list(places)
    return _places(shapely.LineString(places).simplify(tolerance, preserve_topology=False).coords)


def polygon_of(ring: Sequence[Place]) -> tuple[Polygon | None, bool]:
    """A polygon from its ring, and whether it had to be mended because the ring crosses itself; the largest part
    stays. ``None`` if it has no area."""
    places = _without_doubles(ring)
    if len(places) < 3:
        return None, False
    drawn = shapely.Polygon(places)
    if drawn.is_valid:
        return (Polygon(tuple(places)), False) if drawn.area > 0 else (None, False)
    largest = _largest(shapely.make_valid(drawn))
    return (None if largest is None else _polygon(largest)), True


def with_hole(polygon: Polygon, ring: Sequence[Place]) -> Polygon | None:
    """The polygon without what lies inside the ring; ``None`` where that leaves nothing, or two pieces.

    A ring wholly inside becomes a hole as it was drawn.
    """
    hole, mended = polygon_of(ring)
    if hole is None:
        return None
    outside, cut = _shapely(polygon), shapely.Polygon(hole.outer)
    if not mended and outside.is_valid and outside.contains_properly(cut):
        return Polygon(polygon.outer, (*polygon.holes, hole.outer))
    left = shapely.make_valid(outside).difference(cut)
    parts = [part for part in shapely.get_parts(left) if part.geom_type == "Polygon" and part.area > 0]
    return _polygon(parts[0]) if len(parts) == 1 else None


def clipped(shape: Shape, size_px: tuple[int, int]) -> Shape | None:
    """The part of a shape that lies on the picture; ``None`` if none does. Turned boxes stay as they are while any of
    them is on the picture: cut, they would be boxes no more. A mask is the caller's, who has its pixels."""
    clip = _CLIPS.get(type(shape))
    if clip is None:
        return shape
    found: Shape | None = clip(shape, size_px)
    return found


def _clip_box(shape: Box, size_px: tuple[int, int]) -> Box | None:
    width, height = size_px
    if shape.angle_deg % 180 != 0:
        turned = shapely.affinity.rotate(
            shapely.box(shape.x, shape.y, shape.x + shape.width, shape.y + shape.height), shape.angle_deg
        )
        return shape if turned.intersects(shapely.box(0, 0, width, height)) else None
    left, top = max(0.0, shape.x), max(0.0, shape.y)
    right, bottom = min(float(width), shape.x + shape.width), min(float(height), shape.y + shape.height)
    if right <= left or bottom <= top:
        return None
    return replace(shape, x=left, y=top, width=right - left, height=bottom - top)


def _clip_polygon(shape: Polygon, size_px: tuple[int, int]) -> Polygon | None:
    outline, frame = _shapely(shape), shapely.box(0, 0, *size_px)
    if frame.covers(outline):
        return shape
    largest = _largest(shapely.make_valid(outline).intersection(frame))
    return None if largest is None else _polygon(largest)


def _clip_line(shape: Polyline, size_px: tuple[int, int]) -> Polyline | None:
    line, frame = shapely.LineString(shape.points), shapely.box(0, 0, *size_px)
    if frame.covers(line):
        return shape
    parts = [each for each in shapely.get_parts(line.intersection(frame)) if each.geom_type == "LineString"]
    if not parts:
        return None
    return Polyline(tuple(_places(max(parts, key=lambda part: part.length).coords)))


def _clip_point(shape: Point, size_px: tuple[int, int]) -> Point | None:
    return shape if _is_on(shape, size_px) else None


def _clip_keypoints(shape: Keypoints, size_px: tuple[int, int]) -> Keypoints | None:
    """Joints beyond the edge cannot be seen: they are absent."""
    points = tuple(p if _is_on(p, size_px) else replace(p, state=PointState.ABSENT) for p in shape.points)
    return Keypoints(points) if any(p.state is not PointState.ABSENT for p in points) else None


def _is_on(place: Any, size_px: tuple[int, int]) -> bool:
    return bool(0 <= place.x <= size_px[0] and 0 <= place.y <= size_px[1])


def _clip_mask(shape: Mask, size_px: tuple[int, int]) -> Mask | None:
    inside = shape.x < size_px[0] and shape.y < size_px[1] and shape.x + shape.width > 0 and shape.y + shape.height > 0
    return shape if inside else None


_CLIPS: dict[type, Callable[[Any, tuple[int, int]], Shape | None]] = {
    Box: _clip_box,
    Polygon: _clip_polygon,
    Polyline: _clip_line,
    Point: _clip_point,
    Keypoints: _clip_keypoints,
    Mask: _clip_mask,
}


def area_of(polygon: Polygon) -> float:
    """Square pixels inside, holes taken off."""
    return float(_shapely(polygon).area)


def _shapely(polygon: Polygon) -> shapely.Polygon:
    return shapely.Polygon(polygon.outer, polygon.holes)


def _polygon(found: BaseGeometry) -> Polygon:
    assert isinstance(found, shapely.Polygon)
    rings = [tuple(_places(ring.coords)[:-1]) for ring in (found.exterior, *found.interiors)]
    return Polygon(rings[0], tuple(rings[1:]))


def _largest(found: BaseGeometry) -> BaseGeometry | None:
    parts = [each for each in _flat(found) if each.geom_type == "Polygon" and each.area > 0]
    return max(parts, key=lambda part: part.area, default=None)


def _flat(found: BaseGeometry) -> list[BaseGeometry]:
    parts: list[BaseGeometry] = []
    for each in shapely.get_parts(found):
        parts += [each] if not hasattr(each, "geoms") else _flat(each)
    return parts


def _places(coordinates: Any) -> list[Place]:
    return [(float(x), float(y)) for x, y in np.asarray(coordinates)[:, :2].tolist()]


def _without_doubles(ring: Sequence[Place]) -> list[Place]:
    found = [place for place, before in zip(ring, [None, *ring], strict=False) if place != before]
    return found[:-1] if len(found) > 1 and found[0] == found[-1] else found
