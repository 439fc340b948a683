"""Lines and faces over a picture of points: clipped, depth-tested, antialiased.

Called by the scene at every move of the mouse, so it touches only the pixels that lines and faces cover.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workstation.ui.scenes.cloud_scene import REACH_M, FaceLayer, LineLayer, PointPicture
from workstation.ui.scenes.space_view import NEAREST_M

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DASH_PX: Final = 6.0
_WIDEST_PX: Final = 32.0
_FAINTEST: Final = np.float32(1 / 255)
_BIAS: Final = 1e-3
"""Share of the depth by which a line may lie behind a point and is still seen: edges lie on what they frame."""
_BATCH: Final = 1 << 19
"""Steps along lines drawn at once, which bounds the memory."""


def draw_lines(image: NDArray[np.uint32], points: PointPicture, layer: LineLayer) -> None:
    """Blend the lines of a layer into an image (h, w) 0xFFRRGGBB."""
    radius = max(0.5, min(layer.width_px, _WIDEST_PX) / 2)
    ends = _clipped_ends(points, layer.segments, radius)
    if ends is None or 0 in image.shape:
        return
    # Per pixel the best covered line, as coverage above and row below: joints are not blended twice.
    best = np.zeros(image.size, np.uint64)
    touched = [cover for part in _batches(ends, radius) for cover in _covered(image.shape, points, layer, radius, part)]
    for place, packed in touched:
        np.maximum.at(best, place, packed)
    place, packed = (np.concatenate(parts) for parts in zip(*touched, strict=True))
    won = best.take(place) == packed
    place, packed = place[won], packed[won]
    cover = (packed >> np.uint64(32)).astype(np.float32) / np.float32(255)
    _blend(image, place, layer.colours[(packed & np.uint64(0xFFFF_FFFF)).astype(np.int64)], cover)


def draw_faces(image: NDArray[np.uint32], points: PointPicture, layer: FaceLayer) -> None:
    """Blend the faces of a layer into an image, in order; what points hide is left out."""
    for corners, colour in zip(layer.quads, layer.colours, strict=True):
        outline = _clipped_outline(points, corners)
        if outline is None:
            continue
        row, column = _inside(outline[:, :2], image.shape)
        if not len(row):
            continue
        plane = _plane(outline)
        closeness = plane[0] * (column + 0.5) + plane[1] * (row + 0.5) + plane[2]
        place = row * image.shape[1] + column
        seen = ~_hidden(points, place, closeness)
        _blend(image, place[seen], colour, np.ones(int(seen.sum()), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """Lines on the screen, n of them."""

    begin: Floats
    """(n, 2) px"""
    end: Floats
    closeness: Floats
    """(n, 2) at begin and end: what is linear along a line on the screen, one over the depth in perspective."""
    row: Ints

    def part(self, which: slice) -> _Ends:
        return _Ends(self.begin[which], self.end[which], self.closeness[which], self.row[which])


def _batches(ends: _Ends, radius: float) -> Iterator[_Ends]:
    steps = np.abs(ends.end - ends.begin).max(axis=1) + 2 * radius + 2
    batch = np.floor(np.cumsum(steps) / _BATCH).astype(np.int64)
    borders = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(batch)]
    for begin, end in pairwise(borders):
        yield ends.part(slice(begin, end))


def _clipped_ends(points: PointPicture, segments: NDArray[np.float32], radius: float) -> _Ends | None:
    """What of the segments can be seen: cut at the eye and a little outside the picture."""
    height, width = points.image.shape
    matrix = points.view.matrix()
    flat = points.view.fov_deg is None
    with np.errstate(all="ignore"):
        mapped = segments.reshape(-1, 2, 3).astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
    rows = np.flatnonzero((np.abs(segments.reshape(-1, 6)) < REACH_M).all(axis=1))
    begin, end = mapped[rows, 0], mapped[rows, 1]
    low, high = np.zeros(len(rows)), np.ones(len(rows))
    margin = radius + 2
    # Each border as (factors · mapped + constant >= 0), in homogeneous pixels: no division at the eye.
    borders = [
        ((1, 0, 0, margin), 0.0), ((-1, 0, 0, width + margin), 0.0),
        ((0, 1, 0, margin), 0.0), ((0, -1, 0, height + margin), 0.0),
    ]  # fmt: skip
    borders += [] if flat else [((0, 0, 1, 0), -NEAREST_M)]
    for factors, constant in borders:
        first, last = begin @ np.array(factors) + constant, end @ np.array(factors) + constant
        with np.errstate(all="ignore"):
            crossing = first / (first - last)
        low = np.where((first < 0) & (last >= 0), np.maximum(low, crossing), low)
        high = np.where((last < 0) & (first >= 0), np.minimum(high, crossing), high)
        low = np.where((first < 0) & (last < 0), 2.0, low)
    keep = np.flatnonzero(low <= high)
    if not len(keep):
        return None
    begin, end, low, high = begin[keep], end[keep], low[keep, None], high[keep, None]
    begin, end = begin + (end - begin) * low, begin + (end - begin) * high
    return _Ends(
        begin[:, :2] / begin[:, 3:],
        end[:, :2] / end[:, 3:],
        np.stack([_closeness(begin[:, 2], flat), _closeness(end[:, 2], flat)], axis=1),
        rows[keep],
    )


def _closeness(depth: Floats, flat: bool) -> Floats:
    """Larger is nearer, and linear over the screen along a line or a face."""
    return -depth if flat else 1 / np.maximum(depth, NEAREST_M / 2)


def _covered(
    shape: tuple[int, ...], points: PointPicture, layer: LineLayer, radius: float, ends: _Ends
) -> Iterator[tuple[Ints, NDArray[np.uint64]]]:
    """(places, coverage · 255 above and row below) of the pixels that strokes cover, with repetitions."""
    steps = _steps(ends, radius)
    height, width = shape
    line, reach = steps.line, np.float32(radius + 0.5)
    slant = float(np.hypot(1, np.abs(steps.sideways / steps.direction).max(initial=0)))
    sideways, cosine, length = steps.sideways[line], np.abs(steps.direction)[line], steps.length[line]
    highest_main = np.where(steps.steep, height, width)[line]
    highest_side = np.where(steps.steep, width, height)[line]
    in_main = (steps.along >= 0) & (steps.along < highest_main)
    for offset in range(-(most := int(np.ceil(reach * slant - 0.5))), most + 1):
        aside = steps.aside + np.float32(offset)
        travelled = steps.travelled + aside * sideways
        cover = np.clip(reach - np.abs(aside) * cosine, 0, 1)
        cover *= np.clip(reach + np.minimum(travelled, length - travelled), 0, 1)
        side = steps.side + offset
        seen = np.flatnonzero((cover > _FAINTEST) & in_main & (side >= 0) & (side < highest_side))
        if layer.dashed:
            seen = seen[travelled[seen] % np.float32(2 * _DASH_PX) < np.float32(_DASH_PX)]
        which = line[seen]
        main, side, strength = steps.along[seen], side[seen], cover[seen]
        place = np.where(steps.steep[which], main * width + side, side * width + main)
        if not layer.on_top:
            share = np.clip(travelled[seen] / np.maximum(length[seen], np.float32(1e-6)), 0, 1)
            closeness = ends.closeness[which, 0] + (ends.closeness[which, 1] - ends.closeness[which, 0]) * share
            strength = np.where(_hidden(points, place, closeness), strength * np.float32(layer.behind), strength)
            shown = strength > _FAINTEST
            place, strength, which = place[shown], strength[shown], which[shown]
        yield place, (strength * 255).astype(np.uint64) << np.uint64(32) | ends.row[which].astype(np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """A walk along lines, pixel by pixel of each line's longer axis ("main"); the other axis is its side."""

    steep: NDArray[np.bool_]
    """(n,) of each line: the longer axis goes down."""
    direction: NDArray[np.float32]
    """(n,) unit vector's part along the longer axis, and the other's."""
    sideways: NDArray[np.float32]
    length: NDArray[np.float32]
    line: Ints
    """(steps,) which line."""
    along: Ints
    """Pixel on the longer axis."""
    side: Ints
    """Pixel on the other axis that the line's middle falls into."""
    aside: NDArray[np.float32]
    """From the middle of the line to that pixel's centre."""
    travelled: NDArray[np.float32]
    """From the line's beginning to its middle there."""


def _steps(ends: _Ends, radius: float) -> _Steps:
    vector = ends.end - ends.begin
    steep = np.abs(vector[:, 1]) > np.abs(vector[:, 0])
    each, main = np.arange(len(steep)), np.where(steep, 1, 0)
    length = np.hypot(vector[:, 0], vector[:, 1])
    direction = np.where(length > 0, vector[each, main] / np.maximum(length, 1e-9), 1.0)
    sideways = np.where(length > 0, vector[each, 1 - main] / np.maximum(length, 1e-9), 0.0)
    a, b = ends.begin[each, main], ends.end[each, main]
    first = np.floor(np.minimum(a, b) - radius).astype(np.int64)
    counts = np.floor(np.maximum(a, b) + radius).astype(np.int64) - first + 1
    line = np.repeat(each, counts)
    along = np.arange(len(line)) + (first - np.cumsum(counts) + counts)[line]
    travelled = (along + 0.5 - a[line]) / direction[line]
    middle = ends.begin[each, 1 - main][line] + sideways[line] * travelled
    side = np.floor(middle)
    return _Steps(
        steep,
        direction.astype(np.float32),
        sideways.astype(np.float32),
        length.astype(np.float32),
        line,
        along,
        side.astype(np.int64),
        (side + 0.5 - middle).astype(np.float32),
        travelled.astype(np.float32),
    )


def _hidden(points: PointPicture, place: Ints, closeness: Floats) -> NDArray[np.bool_]:
    """Where a point lies before what is that close. Empty pixels hide nothing."""
    packed = points.packed.reshape(-1)[place]
    bits = (packed >> np.uint64(32)).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        depth = bits.astype(np.float64) - points.depth_shift
        flat = points.view.fov_deg is None
        # An empty pixel's depth is no number, and no number is smaller than another.
        line = -closeness if flat else 1 / closeness
        return np.asarray(depth < line - _BIAS * (points.view.distance_m if flat else line), np.bool_)


def _blend(image: NDArray[np.uint32], place: Ints, colours: NDArray[np.uint8], cover: NDArray[np.float32]) -> None:
    """Each place once; ``colours`` (n, 3 or 4) or one (4,)."""
    channels = image.view(np.uint8).reshape(-1, 4)
    alpha = cover if colours.shape[-1] == 3 else cover * (colours[..., 3].astype(np.float32) / 255)
    below = channels[place, :3].astype(np.float32)
    above = colours[..., 2::-1].astype(np.float32)
    channels[place, :3] = below + (above - below) * alpha[:, None] + np.float32(0.5)


def _clipped_outline(points: PointPicture, corners: NDArray[np.float32]) -> Floats | None:
    """(k, 3) px and closeness of what of a face lies before the eye; ``None`` where nothing does."""
    matrix = points.view.matrix()
    flat = points.view.fov_deg is None
    with np.errstate(all="ignore"):
        mapped = corners.astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
    if not (np.abs(corners) < REACH_M).all():
        return None
    kept: list[Floats] = []
    for here, there in zip(mapped, np.roll(mapped, -1, axis=0), strict=True):
        depth, next_depth = (1.0, 1.0) if flat else (here[2] - NEAREST_M, there[2] - NEAREST_M)
        if depth > 0:
            kept.append(here)
        if depth * next_depth < 0:
            kept.append(here + (there - here) * (depth / (depth - next_depth)))
    if len(kept) < 3:
        return None
    outline = np.array(kept)
    return np.column_stack([outline[:, :2] / outline[:, 3:], _closeness(outline[:, 2], flat)])


def _inside(outline: Floats, shape: tuple[int, ...]) -> tuple[Ints, Ints]:
    """(rows, columns) of the pixels whose centres lie in a convex outline."""
    height, width = shape
    low, high = np.clip([outline[:, 1].min(), outline[:, 1].max()], -1, height + 1)
    rows = np.arange(max(0, int(np.ceil(low - 0.5))), min(height, int(np.floor(high - 0.5)) + 1))
    left, right = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
    for (x, y), (next_x, next_y) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y == next_y:
            continue
        share = (rows + 0.5 - y) / (next_y - y)
        crossed = (share >= 0) & (share <= 1)
        place = x + share * (next_x - x)
        left = np.where(crossed, np.minimum(left, place), left)
        right = np.where(crossed, np.maximum(right, place), right)
    first = np.ceil(np.clip(left, 0, width + 1) - 0.5).astype(np.int64)
    last = np.floor(np.clip(right, -1, width) - 0.5).astype(np.int64)
    first, last = np.maximum(first, 0), np.minimum(last, width - 1)
    counts = np.maximum(last - first + 1, 0)
    row = np.repeat(rows, counts)
    column = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    return row, column


def _plane(outline: Floats) -> Floats:
    """(3,) closeness = a x + b y + c over the screen, through the outline's corners."""
    screen = np.column_stack([outline[:, :2], np.ones(len(outline))])
    return np.asarray(np.linalg.lstsq(screen, outline[:, 2], rcond=None)[0], np.float64)
