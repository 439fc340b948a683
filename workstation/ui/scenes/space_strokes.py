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

from workstation.ui.scenes.cloud_scene import REACH_M, FaceLayer, LineLayer, PointPicture, packed_colours
from workstation.ui.scenes.space_view import NEAREST_M

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DASH_PX: Final = 6.0
_WIDEST_PX: Final = 32.0
_FAINTEST: Final = np.float32(1 / 255)
_BIAS: Final = 1e-3
"""Share of the depth by which a line may lie behind a point and is still seen: edges lie on what they frame."""
_DEPTH_BITS: Final = np.uint64(32)
_ROW_BITS: Final = np.uint32(24)
_ROW_MASK: Final = np.uint32((1 << 24) - 1)
_POINT_PX: Final = 1e-6
"""What is shorter on the screen has no direction; a direction told from it could be almost nothing, and walking to the
side of a line by the inverse of that would not end."""
_BATCH: Final = 1 << 19
"""Steps along lines drawn at once, which bounds the memory."""


class Strokes:
    """Draws lines and faces into pictures of one size; keeps the memory that this takes."""

    def __init__(self) -> None:
        self._best = np.zeros(0, np.uint32)

    def draw_lines(self, image: NDArray[np.uint32], points: PointPicture, layer: LineLayer) -> None:
        """Blend the lines of a layer into an image (h, w) 0xFFRRGGBB."""
        radius = max(0.5, min(layer.width_px, _WIDEST_PX) / 2)
        ends = _clipped_ends(points, layer.segments, radius)
        if ends is None or 0 in image.shape:
            return
        if len(self._best) != image.size:
            self._best = np.zeros(image.size, np.uint32)
        colours = packed_colours(layer.colours)
        for part in _batches(ends, radius):
            touched = list(_covered(image.shape, points, layer, radius, part))
            place, packed = (np.concatenate(parts) for parts in zip(*touched, strict=True))
            # Per pixel the strongest line, as strength above and line below: joints are not blended twice.
            np.maximum.at(self._best, place, packed)
            won = self._best.take(place) == packed
            self._best[place] = 0
            place, packed = place[won], packed[won]
            row = part.row.take(packed & _ROW_MASK)
            _blend(image, place, colours.take(row), packed >> _ROW_BITS)


def draw_faces(image: NDArray[np.uint32], points: PointPicture, layer: FaceLayer) -> None:
    """Blend the faces of a layer into an image, in order; what points hide is left out."""
    colours, opacities = packed_colours(layer.colours), layer.colours[:, 3].astype(np.uint32)
    for corners, colour, opacity in zip(layer.quads, colours, opacities, strict=True):
        outline = _clipped_outline(points, corners)
        if outline is None:
            continue
        row, column = _inside(outline[:, :2], image.shape)
        if not len(row):
            continue
        plane = _plane(outline)
        closeness = plane[0] * (column + 0.5) + plane[1] * (row + 0.5) + plane[2]
        place = row * image.shape[1] + column
        place = place[~_hidden(points, place, closeness.astype(np.float32))]
        _blend(image, place, np.full(len(place), colour), np.full(len(place), opacity))


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """Lines on the screen, n of them."""

    begin: Floats
    """(n, 2) px"""
    end: Floats
    closeness: NDArray[np.float32]
    """(2, n) at begin and end: what is linear along a line on the screen, one over the depth in perspective."""
    row: Ints
    skipped: NDArray[np.float32]
    """(n,) px of the dashes' period that lie before the cut, so that dashes stay where they are when one pans."""

    def part(self, which: slice) -> _Ends:
        return _Ends(self.begin[which], self.end[which], self.closeness[:, which], self.row[which], self.skipped[which])


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
    whole = begin
    begin, end = begin + (end - begin) * low, begin + (end - begin) * high
    with np.errstate(all="ignore"):
        away = np.hypot(*(begin[:, :2] / begin[:, 3:] - whole[:, :2] / whole[:, 3:]).T) % (2 * _DASH_PX)
    return _Ends(
        begin[:, :2] / begin[:, 3:],
        end[:, :2] / end[:, 3:],
        np.stack([_closeness(begin[:, 2], flat), _closeness(end[:, 2], flat)]).astype(np.float32),
        rows[keep],
        np.where(np.isfinite(away) & (whole[:, 3] > 0), away, 0).astype(np.float32),
    )


def _closeness(depth: Floats, flat: bool) -> Floats:
    """Larger is nearer, and linear over the screen along a line or a face."""
    return -depth if flat else 1 / np.maximum(depth, NEAREST_M / 2)


def _covered(
    shape: tuple[int, ...], points: PointPicture, layer: LineLayer, radius: float, ends: _Ends
) -> Iterator[tuple[Ints, NDArray[np.uint32]]]:
    """(places, strength above and number of the line below) of the pixels that strokes cover, with repetitions."""
    steps = _steps(ends, radius, shape)
    reach = np.float32(radius + 0.5)
    cosine = np.abs(steps.direction)[steps.line]
    opacity = layer.colours[ends.row, 3].astype(np.float32) / np.float32(255) if layer.colours.shape[1] == 4 else None
    most = int(np.ceil(float(reach / np.abs(steps.direction).min()) - 0.5))
    for offset in range(-most, most + 1):
        cover = reach - np.abs(steps.aside + np.float32(offset)) * cosine
        seen = np.flatnonzero((cover > _FAINTEST) & (steps.before >= -offset) & (steps.after >= offset))
        line = steps.line.take(seen)
        place = steps.place.take(seen)
        place += offset * steps.stride.take(line)
        length = steps.length.take(line)
        travelled = steps.travelled.take(seen)
        travelled += (steps.aside.take(seen) + np.float32(offset)) * steps.sideways.take(line)
        strength = np.minimum(cover.take(seen), 1)
        strength *= np.clip(reach + np.minimum(travelled, length - travelled), 0, 1)
        # Half of a light is seen as less than half: without this a line is thinner wherever it changes its row.
        strength *= np.float32(1.5) - np.float32(0.5) * strength
        if layer.dashed:
            strength *= (travelled + ends.skipped.take(line)) % np.float32(2 * _DASH_PX) < np.float32(_DASH_PX)
        if not layer.on_top:
            share = np.clip(travelled / np.maximum(length, np.float32(1e-6)), 0, 1)
            closeness = ends.closeness[0].take(line) + share * (ends.closeness[1] - ends.closeness[0]).take(line)
            strength *= np.where(_hidden(points, place, closeness), np.float32(layer.behind), np.float32(1))
        if opacity is not None:
            strength *= opacity.take(line)
        shown = np.flatnonzero(strength > _FAINTEST)
        level = (strength.take(shown) * np.float32(255)).astype(np.uint32) << _ROW_BITS
        yield place.take(shown), level | line.take(shown).astype(np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """A walk along lines, pixel by pixel of each line's longer axis ("main"); the other axis is its side."""

    direction: NDArray[np.float32]
    """(n,) unit vector's part along the longer axis, and the other's."""
    sideways: NDArray[np.float32]
    length: NDArray[np.float32]
    stride: Ints
    """(n,) places from a pixel to the next on the side."""
    line: Ints
    """(steps,) which line."""
    place: Ints
    """The pixel that the line's middle falls into, counted row by row; it may lie outside the picture."""
    before: NDArray[np.float32]
    """Pixels of the picture before it on its side, and after it; negative outside the picture."""
    after: NDArray[np.float32]
    aside: NDArray[np.float32]
    """From the middle of the line to that pixel's centre."""
    travelled: NDArray[np.float32]
    """From the line's beginning to its middle there."""


def _steps(ends: _Ends, radius: float, shape: tuple[int, ...]) -> _Steps:
    height, width = shape
    vector = ends.end - ends.begin
    steep = np.abs(vector[:, 1]) > np.abs(vector[:, 0])
    each, main = np.arange(len(steep)), np.where(steep, 1, 0)
    length = np.hypot(vector[:, 0], vector[:, 1])
    stands, divisor = length < _POINT_PX, np.maximum(length, _POINT_PX)
    direction = np.where(stands, 1.0, vector[each, main] / divisor)
    sideways = np.where(stands, 0.0, vector[each, 1 - main] / divisor)
    a, b = ends.begin[each, main], ends.end[each, main]
    first = np.maximum(np.floor(np.minimum(a, b) - radius).astype(np.int64), 0)
    last = np.minimum(np.floor(np.maximum(a, b) + radius).astype(np.int64), np.where(steep, height, width) - 1)
    counts = np.maximum(last - first + 1, 0)
    line = np.repeat(each, counts)
    along = np.arange(len(line)) + (first - np.cumsum(counts) + counts)[line]
    travelled = (along + 0.5 - a[line]) / direction[line]
    middle = ends.begin[each, 1 - main][line] + sideways[line] * travelled
    side = np.floor(middle)
    stride = np.where(steep, 1, width)
    return _Steps(
        direction.astype(np.float32),
        sideways.astype(np.float32),
        length.astype(np.float32),
        stride,
        line,
        along * np.where(steep, width, 1)[line] + side.astype(np.int64) * stride[line],
        side.astype(np.float32),
        (np.where(steep, width, height)[line] - 1 - side).astype(np.float32),
        (side + 0.5 - middle).astype(np.float32),
        travelled.astype(np.float32),
    )


def _hidden(points: PointPicture, place: Ints, closeness: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where a point lies before what is that close. Empty pixels hide nothing."""
    if points.view.fov_deg is None:
        depth = np.float32(points.depth_shift - _BIAS * points.view.distance_m) - closeness
        np.maximum(depth, 0, out=depth)
    else:
        depth = np.float32(1 - _BIAS) / closeness
    # Positive floats are in the order of their bits, and the bits of an empty pixel come last.
    return np.asarray(points.packed.reshape(-1).take(place) < depth.view(np.uint32).astype(np.uint64) << _DEPTH_BITS)


def _blend(image: NDArray[np.uint32], place: Ints, colour: NDArray[np.uint32], strength: NDArray[np.uint32]) -> None:
    """Lay colours over places, 0 to 255 of them. Two channels at a time: their products do not reach each other."""
    pixels = image.reshape(-1)
    below = pixels.take(place)
    over = strength + (strength >> np.uint32(7))  # 255 becomes 256, which is all
    under = np.uint32(256) - over
    blended = np.full(len(place), 0xFF000000, np.uint32)
    for mask in (np.uint32(0xFF00FF), np.uint32(0x00FF00)):
        blended |= (((below & mask) * under + (colour & mask) * over) >> np.uint32(8)) & mask
    pixels[place] = blended


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
