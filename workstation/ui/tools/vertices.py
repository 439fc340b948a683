"""The points of an outline, a line, a point or a skeleton, as things to take hold of. Used by the tool that edits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from msgspec.structs import replace

from workstation.core.geometry import Keypoint, Keypoints, Point, PointState, Polygon, Polyline, Shape
from workstation.ui.tools.canvas import Handle, HandleKind, Place

_ROOM_PX = 26.0
"""An edge shorter than this on the screen shows no handle in its middle."""
_LEAST = {Polygon: 3, Polyline: 2}


@dataclass(frozen=True, slots=True)
class VertexGrip:
    """Point ``index`` of ring ``ring`` (a polygon's holes come after its outside); ``middle``: of the edge after it."""

    ring: int
    index: int
    middle: bool = False


def rings_of(shape: Shape) -> tuple[tuple[Place, ...], ...]:
    """The points of a shape by ring; empty for shapes that have none to hold."""
    if isinstance(shape, Polygon):
        return (shape.outer, *shape.holes)
    if isinstance(shape, Polyline):
        return (shape.points,)
    if isinstance(shape, Keypoints):
        return (tuple((p.x, p.y) for p in shape.points),)
    return (((shape.x, shape.y),),) if isinstance(shape, Point) else ()


def with_rings(shape: Shape, rings: tuple[tuple[Place, ...], ...]) -> Shape:
    """The shape with other points."""
    if isinstance(shape, Polygon):
        return Polygon(rings[0], tuple(rings[1:]))
    if isinstance(shape, Polyline):
        return Polyline(rings[0])
    if isinstance(shape, Keypoints):
        moved = zip(shape.points, rings[0], strict=True)
        return Keypoints(tuple(replace(point, x=x, y=y) for point, (x, y) in moved))
    assert isinstance(shape, Point)
    return Point(*rings[0][0])


def place_of(shape: Shape, grip: VertexGrip) -> Place:
    """Where a grip is."""
    ring = rings_of(shape)[grip.ring]
    if not grip.middle:
        return ring[grip.index]
    a, b = ring[grip.index], ring[(grip.index + 1) % len(ring)]
    return ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)


def grips(shape: Shape, scale: float) -> list[VertexGrip]:
    """All of them: points, then the middles of edges that have room for one."""
    rings = rings_of(shape)
    found = [VertexGrip(r, i) for r, ring in enumerate(rings) for i in range(len(ring)) if _is_there(shape, i)]
    if isinstance(shape, (Polygon, Polyline)):
        last = 0 if isinstance(shape, Polygon) else 1
        for r, ring in enumerate(rings):
            edges = ((i, ring[i], ring[(i + 1) % len(ring)]) for i in range(len(ring) - last))
            found += [VertexGrip(r, i, middle=True) for i, a, b in edges if math.dist(a, b) * scale >= _ROOM_PX]
    return found


def _is_there(shape: Shape, index: int) -> bool:
    return not isinstance(shape, Keypoints) or shape.points[index].state is not PointState.ABSENT


def grip_at(shape: Shape, place: Place, scale: float, *, reach_px: float) -> VertexGrip | None:
    """The nearest grip within reach, points before middles."""
    near = [(math.dist(place_of(shape, each), place) * scale, each) for each in grips(shape, scale)]
    near = [(distance, each) for distance, each in near if distance <= reach_px]
    return min(near, key=lambda pair: (pair[1].middle, pair[0]))[1] if near else None


def dragged(shape: Shape, grip: VertexGrip, place: Place) -> Shape:
    """The shape with a point elsewhere, or with a new point on an edge that was pulled by its middle."""
    rings = list(rings_of(shape))
    ring = list(rings[grip.ring])
    if grip.middle:
        ring.insert(grip.index + 1, place)
    else:
        ring[grip.index] = place
    rings[grip.ring] = tuple(ring)
    return with_rings(shape, tuple(rings))


def settled(grip: VertexGrip) -> VertexGrip:
    """The point that a pulled middle has become."""
    return VertexGrip(grip.ring, grip.index + 1) if grip.middle else grip


def without(shape: Shape, grip: VertexGrip) -> Shape | None:
    """The shape without a point; a hole of three goes with it. ``None`` where too few would be left."""
    least = _LEAST.get(type(shape))
    if least is None or grip.middle:
        return None
    rings = list(rings_of(shape))
    ring = rings[grip.ring][: grip.index] + rings[grip.ring][grip.index + 1 :]
    if len(ring) >= least:
        rings[grip.ring] = ring
    elif grip.ring > 0:
        del rings[grip.ring]
    else:
        return None
    return with_rings(shape, tuple(rings))


def with_state(shape: Keypoints, index: int, state: PointState) -> Keypoints:
    """A joint that is seen, hidden or not there."""
    points = list(shape.points)
    points[index] = replace(points[index], state=state)
    return Keypoints(tuple(points))


def mirrored(shape: Keypoints, pairs: tuple[tuple[str, str], ...]) -> Keypoints:
    """Left and right names exchanged, every place where it was: for a person labelled from the wrong side."""
    other = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    by_name = {point.name: point for point in shape.points}
    return Keypoints(tuple(_taking(point, by_name.get(other.get(point.name, ""))) for point in shape.points))


def _taking(point: Keypoint, other: Keypoint | None) -> Keypoint:
    return point if other is None else replace(point, x=other.x, y=other.y, state=other.state)


def handles(shape: Shape, scale: float, held: VertexGrip | None) -> tuple[Handle, ...]:
    """What is painted."""
    return tuple(
        Handle(place_of(shape, each), HandleKind.MIDPOINT if each.middle else HandleKind.VERTEX, each == held)
        for each in grips(shape, scale)
    )
