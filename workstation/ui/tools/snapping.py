"""Drawing to what stands beside: the nearest corner, else edge, of a neighbour's outline; and shared borders along it.

Used by the tools that draw outlines, while snapping is switched on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from workstation.core.geometry import Box, Polygon, Polyline, Shape
from workstation.ui.tools import box_handles
from workstation.ui.tools.canvas import Canvas, Place

REACH_PX = 10.0


@dataclass(frozen=True, slots=True)
class Snap:
    """A place on the outline of a neighbour: so far along ring number ``ring`` (2.5: half-way from corner 2 to 3)."""

    place: Place
    owner: str
    ring: int
    along: float
    corners: tuple[Place, ...]
    closed: bool


def snapped(canvas: Canvas, place: Place, *, apart_from: Iterable[str] = ()) -> Snap | None:
    """Where a place is drawn to: a corner within reach before an edge within reach; ``None``: nowhere."""
    reach = REACH_PX / canvas.scale
    without = set(apart_from)
    corner: tuple[float, Snap] | None = None
    edge: tuple[float, Snap] | None = None
    for owner in canvas.hit(place, reach_px=REACH_PX):
        shape = canvas.shape_of(owner)
        if owner in without or shape is None:
            continue
        for number, (corners, closed) in enumerate(rings_of(shape)):
            corner = _nearer(corner, _corner(place, owner, number, corners, closed), reach)
            edge = _nearer(edge, _edge(place, owner, number, corners, closed), reach)
    found = corner or edge
    return None if found is None else found[1]


def between(last: Snap | None, now: Snap | None) -> list[Place]:
    """The corners of the neighbour from one snapped place to the next, the shorter way: the border becomes shared."""
    if last is None or now is None or (last.owner, last.ring) != (now.owner, now.ring):
        return []
    ways = [_onward(last, now)]
    if last.closed:
        ways.append(_onward(now, last)[::-1])
    elif now.along < last.along:
        ways = [_onward(now, last)[::-1]]
    return min(ways, key=lambda way: _length([last.place, *way, now.place]))


def rings_of(shape: Shape) -> list[tuple[tuple[Place, ...], bool]]:
    """The outlines of a shape, and whether each is closed."""
    if isinstance(shape, Polygon):
        return [(ring, True) for ring in (shape.outer, *shape.holes)]
    if isinstance(shape, Polyline):
        return [(shape.points, False)]
    if isinstance(shape, Box):
        return [(box_handles.corners(shape), True)]
    return []


def _nearer(
    best: tuple[float, Snap] | None, found: tuple[float, Snap] | None, reach: float
) -> tuple[float, Snap] | None:
    if found is None or found[0] > reach or (best is not None and best[0] <= found[0]):
        return best
    return found


def _corner(place: Place, owner: str, ring: int, corners: tuple[Place, ...], closed: bool) -> tuple[float, Snap] | None:
    number = min(range(len(corners)), key=lambda i: math.dist(corners[i], place))
    snap = Snap(corners[number], owner, ring, float(number), corners, closed)
    return math.dist(corners[number], place), snap


def _edge(place: Place, owner: str, ring: int, corners: tuple[Place, ...], closed: bool) -> tuple[float, Snap] | None:
    best: tuple[float, Snap] | None = None
    for number in range(len(corners) if closed else len(corners) - 1):
        start, end = corners[number], corners[(number + 1) % len(corners)]
        share, at = nearest_on(start, end, place)
        distance = math.dist(at, place)
        if best is None or distance < best[0]:
            best = distance, Snap(at, owner, ring, number + share, corners, closed)
    return best


def nearest_on(start: Place, end: Place, place: Place) -> tuple[float, Place]:
    """How far along an edge its nearest place is (0 to 1), and that place."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length2 = dx * dx + dy * dy
    share = 0.0 if length2 == 0 else ((place[0] - start[0]) * dx + (place[1] - start[1]) * dy) / length2
    share = min(max(share, 0.0), 1.0)
    return share, (start[0] + share * dx, start[1] + share * dy)


def _onward(first: Snap, second: Snap) -> list[Place]:
    """Corners strictly between two places along the ring, in its own direction."""
    count = len(first.corners)
    until = second.along if second.along >= first.along else second.along + count
    numbers = range(math.floor(first.along) + 1, math.ceil(until))
    return [first.corners[number % count] for number in numbers]


def _length(places: list[Place]) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(places))
