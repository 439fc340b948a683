"""Masks under the hand: strokes, rings filled in, outlines traced, holes closed, parts told apart.

Pure functions over arrays of booleans; a pixel lies inside where its centre does. Asked by the mask tools.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon as ShapelyPolygon

from workstation.core.geometry import Polygon

Bits = NDArray[np.bool_]
Place = tuple[float, float]
Rect = tuple[int, int, int, int]
"""Left, top, right, bottom; the last two are not part of it."""


def filled(rings: Sequence[Sequence[Place]], width: int, height: int) -> Bits:
    """The pixels inside rings by the rule of odd crossings, so that inner rings are holes."""
    turns = np.zeros((height, width + 1), np.bool_)
    for ring in rings:
        points = np.asarray(ring, np.float64)
        for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
            if y0 == y1:
                continue
            low, high = sorted((y0, y1))
            rows = np.arange(max(0, math.ceil(low - 0.5)), min(height, math.ceil(high - 0.5)))
            across = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            columns = np.clip(np.ceil(across - 0.5), 0, width).astype(np.int64)
            turns[rows, columns] ^= True
    inside: Bits = np.logical_xor.accumulate(turns[:, :width], axis=1)
    return inside


def polygon_pixels(polygon: Polygon, size_px: tuple[int, int]) -> tuple[int, int, Bits] | None:
    """A polygon as pixels with their corner, cut at the picture; ``None`` if no pixel's centre is inside."""
    rings = [np.asarray(ring, np.float64) for ring in (polygon.outer, *polygon.holes)]
    left, top = (max(0, math.floor(each)) for each in rings[0].min(0))
    right, bottom = (min(most, math.ceil(each)) for most, each in zip(size_px, rings[0].max(0), strict=True))
    if right <= left or bottom <= top:
        return None
    inside = filled([(ring - (left, top)).tolist() for ring in rings], right - left, bottom - top)
    return cropped(inside, left, top)


def cropped(inside: Bits, x: int = 0, y: int = 0) -> tuple[int, int, Bits] | None:
    """Without empty rows and columns around: the corner and what is left; ``None`` if nothing is."""
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not rows.size:
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return x + int(left), y + int(top), inside[top:bottom, left:right]


def stroke(layer: Bits, start: Place, end: Place, width_px: float, *, square: bool, inside: bool, kept: Bits | None
           ) -> Rect | None:  # fmt: skip
    """Paint a stroke into ``layer`` in place (``inside`` false: wipe it out) and say what may have changed.

    ``kept`` marks pixels that stay as they are. Long strokes are cut up, so that the work goes with what is painted.
    """
    reach = max(width_px / 2, 0.5)
    pieces = max(1, math.ceil(math.dist(start, end) / (4 * reach)))
    touched: Rect | None = None
    for piece in range(pieces):
        a = _along(start, end, piece / pieces)
        b = _along(start, end, (piece + 1) / pieces)
        rect = _piece(layer, a, b, reach, square=square, inside=inside, kept=kept)
        touched = rect if touched is None else touched if rect is None else joined(touched, rect)
    return touched


def _along(start: Place, end: Place, share: float) -> Place:
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def _piece(layer: Bits, a: Place, b: Place, reach: float, *, square: bool, inside: bool, kept: Bits | None
           ) -> Rect | None:  # fmt: skip
    height, width = layer.shape
    left, right = max(0, math.floor(min(a[0], b[0]) - reach)), min(width, math.ceil(max(a[0], b[0]) + reach))
    top, bottom = max(0, math.floor(min(a[1], b[1]) - reach)), min(height, math.ceil(max(a[1], b[1]) + reach))
    if right <= left or bottom <= top:
        return None
    x = np.arange(left, right)[None, :] + 0.5
    y = np.arange(top, bottom)[:, None] + 0.5
    under = _under_square(x, y, a, b, reach) if square else _under_round(x, y, a, b, reach)
    part = layer[top:bottom, left:right]
    if kept is not None:
        under &= ~kept[top:bottom, left:right]
    part[under] = inside
    return left, top, right, bottom


def _under_round(x: NDArray[np.float64], y: NDArray[np.float64], a: Place, b: Place, reach: float) -> Bits:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length2 = dx * dx + dy * dy
    # the pixel under the pointer is always painted, however thin the brush
    near2 = max(reach * reach, 0.5)
    if length2 == 0:
        under: Bits = (x - a[0]) ** 2 + (y - a[1]) ** 2 <= near2
        return under
    share = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / length2, 0.0, 1.0)
    along: Bits = (x - a[0] - share * dx) ** 2 + (y - a[1] - share * dy) ** 2 <= near2
    return along


def _under_square(x: NDArray[np.float64], y: NDArray[np.float64], a: Place, b: Place, reach: float) -> Bits:
    """A square pulled along a line covers its ends and the band between their corners."""
    (ax, ay), (bx, by) = a, b
    dx, dy = bx - ax, by - ay
    within_x = (x >= min(ax, bx) - reach) & (x <= max(ax, bx) + reach)
    within_y = (y >= min(ay, by) - reach) & (y <= max(ay, by) + reach)
    off_line = np.abs((x - ax) * dy - (y - ay) * dx) <= reach * (abs(dx) + abs(dy))
    under: Bits = within_x & within_y & off_line
    return under


def joined(a: Rect, b: Rect) -> Rect:
    """The smallest rectangle around both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def without_holes(inside: Bits) -> Bits:
    """With everything filled in that cannot be reached from outside."""
    from scipy import ndimage  # a tenth of a second, which a start does not pay

    closed: Bits = ndimage.binary_fill_holes(inside)
    return closed


def parts(inside: Bits) -> list[tuple[int, int, Bits]]:
    """Its connected pieces (over edges and corners), the largest first, each with its corner."""
    from scipy import ndimage

    numbers, count = ndimage.label(inside, structure=np.ones((3, 3), np.int8))
    found = []
    for number, place in enumerate(ndimage.find_objects(numbers), start=1):
        rows, columns = place
        found.append((int(columns.start), int(rows.start), numbers[place] == number))
    assert len(found) == count
    return sorted(found, key=lambda part: -int(np.count_nonzero(part[2])))


def outlined(inside: Bits, x: int, y: int, tolerance: float) -> list[Polygon]:
    """Polygons around the pixels, the largest first; with ``tolerance`` 0 they fill to exactly the same pixels."""
    made = [polygon for part, left, top in _parts(inside) for polygon in _around(part, x + left, y + top)]
    made.sort(key=lambda polygon: -polygon.area)
    return [_simple(polygon, tolerance) for polygon in made]


def _parts(inside: Bits) -> Iterator[tuple[Bits, int, int]]:
    """Pixels that hang together by their edges, each part cut out with the column and row of its corner.

    Parts that touch at corners alone are apart: joined there, their outline and a hole beside it would meet twice.
    """
    from scipy import ndimage  # what it takes is loaded when the first outline is made

    labels, _ = ndimage.label(inside)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        yield labels[place] == number, place[1].start, place[0].start


def _around(part: Bits, x: int, y: int) -> list[ShapelyPolygon]:
    rings = [[(cx + x, cy + y) for cx, cy in ring] for ring in _rings(part)]
    outside = [ring for ring in rings if _signed(ring) > 0]
    made = [ShapelyPolygon(ring) for ring in outside]
    within: dict[int, list[list[Place]]] = defaultdict(list)
    for hole in (ring for ring in rings if _signed(ring) < 0):
        around = [i for i, each in enumerate(made) if each.covers(ShapelyPolygon(hole))]
        within[min(around, key=lambda i: made[i].area)].append(hole)
    return [ShapelyPolygon(ring, within[i]) for i, ring in enumerate(outside)]


def _simple(polygon: ShapelyPolygon, tolerance: float) -> Polygon:
    if tolerance > 0:
        simpler = polygon.simplify(tolerance)
        polygon = simpler if simpler.geom_type == "Polygon" and simpler.area > 0 else polygon
    rings = [tuple((float(x), float(y)) for x, y in list(ring.coords)[:-1])
             for ring in (polygon.exterior, *polygon.interiors)]  # fmt: skip
    return Polygon(rings[0], tuple(rings[1:]))


def _signed(ring: Sequence[Place]) -> float:
    points = np.asarray(ring)
    x, y = points[:, 0], points[:, 1]
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def _rings(inside: Bits) -> list[list[Place]]:
    """The borders along the edges of pixels, clockwise on the screen around what is inside, holes the other way; only
    corners. No ring meets itself: where two pixels touch at a corner alone, it is cut in two there."""
    padded = np.pad(inside, 1)
    here = padded[1:-1, 1:-1]
    ways: dict[Place, list[Place]] = defaultdict(list)
    for edge, ax, ay, bx, by in (
        (here & ~padded[:-2, 1:-1], 0, 0, 1, 0),
        (here & ~padded[1:-1, 2:], 1, 0, 1, 1),
        (here & ~padded[2:, 1:-1], 1, 1, 0, 1),
        (here & ~padded[1:-1, :-2], 0, 1, 0, 0),
    ):
        rows, columns = np.nonzero(edge)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            ways[(column + ax, row + ay)].append((column + bx, row + by))
    rings: list[list[Place]] = []
    while ways:
        _walk(ways, next(iter(ways)), rings)
    return [_corners(ring) for ring in rings]


def _walk(ways: dict[Place, list[Place]], start: Place, rings: list[list[Place]]) -> None:
    """Follow the border from a place until there is no way on, taking off a ring whenever a place comes again."""
    path, at = [start], {start: 0}
    while path[-1] in ways:
        here = path[-1]
        there = ways[here].pop()
        if not ways[here]:
            del ways[here]
        if there in at:
            ring = path[at[there] :]
            rings.append(ring)
            for place in ring[1:]:
                del at[place]
            del path[at[there] + 1 :]
        else:
            at[there] = len(path)
            path.append(there)


def _corners(ring: list[Place]) -> list[Place]:
    """Without places on a straight way between their neighbours."""
    count = len(ring)
    kept = []
    for number, (x, y) in enumerate(ring):
        (px, py), (nx, ny) = ring[number - 1], ring[(number + 1) % count]
        if (x - px) * (ny - y) != (y - py) * (nx - x):
            kept.append((x, y))
    return kept
