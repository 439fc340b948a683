"""Lines and faces over a picture of points: clipped, depth-tested, antialiased where nothing hides them.

Called by the scene at every move of the mouse, so it touches only the pixels that lines and faces cover.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workstation.ui.scenes.cloud_scene import EMPTY, FaceLayer, LineLayer, PointPicture, Rendered
from workstation.ui.scenes.space_view import NEAREST_M

Floats = NDArray[np.float64]
_DASH_PX: Final = 6.0


def stroke(points: PointPicture, lines: Sequence[LineLayer], faces: Sequence[FaceLayer]) -> Rendered:
    """Faces, then lines, then the lines that are on top."""
    image = points.image.copy()
    height, width = image.shape
    bytes_ = image.view(np.uint8).reshape(height, width, 4)
    for layer in sorted(lines, key=lambda layer: layer.on_top):
        _draw_lines(bytes_, points, layer)
    return Rendered(points, bytes_)


def _draw_lines(image: NDArray[np.uint8], points: PointPicture, layer: LineLayer) -> None:
    ends = clipped_ends(points, layer.segments)
    if ends is None:
        return
    first, last, inverse, rows = ends
    length = np.abs(last - first).max(axis=1)
    steps = np.ceil(length).astype(np.int64) + 1
    which = np.repeat(np.arange(len(steps)), steps)
    share = (np.arange(len(which)) - np.repeat(np.cumsum(steps) - steps, steps)) / np.maximum(steps[which] - 1, 1)
    place = first[which] + (last - first)[which] * share[:, None]
    column, row = np.floor(place).astype(np.int64).T
    height, width = image.shape[:2]
    seen = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    if layer.dashed:
        seen &= (share * length[which]) % (2 * _DASH_PX) < _DASH_PX
    if not layer.on_top:
        closeness = inverse[which, 0] + (inverse[which, 1] - inverse[which, 0]) * share
        seen[seen] &= _in_front(points, column[seen], row[seen], closeness[seen])
    image[row[seen], column[seen], :3] = layer.colours[rows[which[seen]], 2::-1]


def clipped_ends(
    points: PointPicture, segments: NDArray[np.float32]
) -> tuple[Floats, Floats, Floats, NDArray[np.int64]] | None:
    """Segments that can be seen: (begin px, end px, closeness of both, row), cut at the eye and at the picture.

    Closeness is what is linear along a line on the screen: one over the depth, or minus the depth without perspective.
    """
    height, width = points.image.shape
    matrix = points.view.matrix()
    flat = points.view.fov_deg is None
    with np.errstate(all="ignore"):
        mapped = segments.astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
    rows = np.flatnonzero(np.isfinite(mapped).all(axis=(1, 2)))
    begin, end = mapped[rows, 0], mapped[rows, 1]
    margin = 16.0
    # Each border of what is seen as (a · mapped >= 0), in homogeneous pixels: no division at the eye.
    borders = [(1, 0, 0, margin), (-1, 0, 0, width + margin), (0, 1, 0, margin), (0, -1, 0, height + margin)]
    borders += [] if flat else [(0, 0, 1, -NEAREST_M)]
    low, high = np.zeros(len(rows)), np.ones(len(rows))
    for across, down, deep, constant in borders:
        factors = np.array([across, down, deep, 0.0])
        if deep:
            inside = np.stack([begin @ factors + constant, end @ factors + constant])
        else:
            factors[3] = constant
            inside = np.stack([begin @ factors, end @ factors])
        with np.errstate(all="ignore"):
            crossing = inside[0] / (inside[0] - inside[1])
        low = np.where((inside[0] < 0) & (inside[1] >= 0), np.maximum(low, crossing), low)
        high = np.where((inside[1] < 0) & (inside[0] >= 0), np.minimum(high, crossing), high)
        low = np.where((inside < 0).all(axis=0), 2.0, low)
    keep = np.flatnonzero(low < high)
    if not len(keep):
        return None
    begin, end, low, high = begin[keep], end[keep], low[keep, None], high[keep, None]
    begin, end = begin + (end - begin) * low, begin + (end - begin) * high
    closeness = np.stack([begin[:, 2], end[:, 2]], axis=1)
    closeness = -closeness if flat else 1 / closeness
    return begin[:, :2] / begin[:, 3:], end[:, :2] / end[:, 3:], closeness, rows[keep]


def _in_front(
    points: PointPicture, column: NDArray[np.int64], row: NDArray[np.int64], closeness: Floats
) -> NDArray[np.bool_]:
    packed = points.packed[row, column]
    there = (packed >> np.uint64(32)).astype(np.uint32).view(np.float32).astype(np.float64) - points.depth_shift
    with np.errstate(all="ignore"):
        points_closeness = -there if points.view.fov_deg is None else 1 / there
    return np.asarray((packed == EMPTY) | (closeness >= points_closeness), np.bool_)
