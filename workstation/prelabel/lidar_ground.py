"""The ground under a sweep: a grid of heights without what stands on it. The first step of ``lidar_detect.py``.

The lowest point of each square metre is taken; what rises out of its surroundings more steeply than a road does (a
car's roof where no ray reached the road, a hedge) is cut off by openings with growing windows, as progressive
morphological filters do, and the gaps are filled from beside. Metres, z up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CELL_M = 1.0
CLEAR_M = 0.2
"""Points no higher above the ground than this are ground."""
_FARTHEST_M = 150.0
_WINDOWS = (3, 7, 15, 31)
"""Cells; the widest must be wider than a lorry is long."""
_STEEPEST = 0.12
_STEP_M = 0.25
"""So much a cell may rise beside the slope: kerbs, and what noise does."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundGrid:
    """Heights (rows along x, columns along y) of cells that begin at ``corner``."""

    corner: tuple[float, float]
    heights: Floats

    def at(self, places: NDArray[np.floating]) -> Floats:
        """The height of the ground under places (n, 2 or more); beyond the grid that of its border."""
        at = (np.asarray(places, np.float64)[:, :2] - np.array(self.corner)) / CELL_M - 0.5
        at = np.clip(at, 0.0, np.array(self.heights.shape) - 1.0)
        low = np.minimum(np.floor(at).astype(np.int64), np.maximum(np.array(self.heights.shape) - 2, 0))
        high = np.minimum(low + 1, np.array(self.heights.shape) - 1)
        part = at - low
        (x0, y0), (x1, y1) = low.T, high.T
        before = self.heights[x0, y0] * (1 - part[:, 1]) + self.heights[x0, y1] * part[:, 1]
        after = self.heights[x1, y0] * (1 - part[:, 1]) + self.heights[x1, y1] * part[:, 1]
        found: Floats = before * (1 - part[:, 0]) + after * part[:, 0]
        return found


def usable(points: NDArray[np.floating], eye: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Which points (n, 3) have a place, within reach of the sensor: the others would blow up every grid."""
    with np.errstate(invalid="ignore"):
        near: NDArray[np.bool_] = (np.abs(points - np.array(eye)) <= _FARTHEST_M).all(axis=1)
    return near


def ground_of(points: NDArray[np.floating]) -> GroundGrid | None:
    """The ground of points (n, 3), all of them ``usable``; ``None`` where there are none."""
    if not len(points):
        return None
    flat = np.asarray(points, np.float64)
    corner = np.floor(flat[:, :2].min(axis=0) / CELL_M) * CELL_M
    cells = np.floor((flat[:, :2] - corner) / CELL_M).astype(np.int64)
    lowest = _lowest(cells, flat[:, 2], (int(cells[:, 0].max()) + 1, int(cells[:, 1].max()) + 1))
    return GroundGrid((float(corner[0]), float(corner[1])), _opened(lowest))


def _lowest(cells: NDArray[np.int64], heights: Floats, shape: tuple[int, int]) -> Floats:
    """The lowest height of each cell, the second where there are several (one may be a reflection); NaN of empty."""
    number = cells[:, 0] * shape[1] + cells[:, 1]
    order = np.lexsort((heights, number))
    held, first, counts = np.unique(number[order], return_index=True, return_counts=True)
    grid = np.full(shape[0] * shape[1], np.nan)
    grid[held] = heights[order][first + np.minimum(counts // 4, 1)]
    return grid.reshape(shape)


def _opened(lowest: Floats) -> Floats:
    from scipy import ndimage  # a tenth of a second, which only those pay who look for things

    heights = _filled(lowest, np.isnan(lowest))
    for window in _WINDOWS:
        base = ndimage.grey_opening(heights, size=(window, window), mode="nearest")
        stands = heights - base > _STEP_M + _STEEPEST * CELL_M * (window - 1) / 2
        heights = _filled(heights, stands | np.isnan(lowest))
    smooth: Floats = ndimage.uniform_filter(heights, 3, mode="nearest")
    return smooth


def _filled(heights: Floats, gaps: NDArray[np.bool_]) -> Floats:
    """With the height of the nearest cell that has one where there is a gap."""
    from scipy import ndimage

    if gaps.all():
        return np.nan_to_num(heights)
    nearest = ndimage.distance_transform_edt(gaps, return_distances=False, return_indices=True)
    found: Floats = heights[tuple(nearest)]
    return found
