"""The ground under a place of a cloud: a plane through the lowest points about it. For fitting boxes; pure NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
REACH_M = 12.0
_CELL_M = 1.0
_FEWEST_CELLS = 6
_STEEPEST = 0.35
_CLOSER_M = (1.0, 0.6, 0.4, 0.25, 0.2, 0.2)
"""What still counts as ground from round to round; the last is kerbs and rough gravel."""


@dataclass(frozen=True, slots=True)
class Ground:
    """z = ``along_x`` · x + ``along_y`` · y + ``height``."""

    along_x: float = 0.0
    along_y: float = 0.0
    height: float = 0.0

    def at(self, places: NDArray[np.floating]) -> Floats:
        """Heights under places (n, 2 or 3)."""
        found: Floats = places[..., 0] * self.along_x + places[..., 1] * self.along_y + self.height
        return found

    def under(self, x: float, y: float) -> float:
        """Height under one place."""
        return float(x * self.along_x + y * self.along_y + self.height)


def ground_near(points: NDArray[np.floating], place: tuple[float, float], *, reach_m: float = REACH_M) -> Ground | None:
    """The ground about a place, from points (n, 3) with z up; ``None`` where there are too few to say."""
    off = points[:, :2] - np.asarray(place)
    near = points[(np.abs(off) <= reach_m).all(axis=1) & np.isfinite(points).all(axis=1)].astype(np.float64)
    lowest = _lowest(near)
    if len(lowest) < _FEWEST_CELLS:
        return None
    plane = np.array([0.0, 0.0, np.quantile(lowest[:, 2], 0.2)])
    matrix = np.column_stack([lowest[:, :2], np.ones(len(lowest))])
    for closer in _CLOSER_M:
        fits = np.abs(lowest[:, 2] - matrix @ plane) <= closer
        if fits.sum() < _FEWEST_CELLS:
            break
        found = np.linalg.lstsq(matrix[fits], lowest[fits, 2], rcond=None)[0]
        if np.abs(found[:2]).max() > _STEEPEST:
            break  # a wall or an embankment: better level than wrong
        plane = found
    return Ground(*plane.tolist())


def _lowest(points: Floats) -> Floats:
    """The lowest point of each square metre; where there are several the second, since one may be a reflection."""
    if not len(points):
        return points
    cells = np.floor(points[:, :2] / _CELL_M).astype(np.int64)
    order = np.lexsort((points[:, 2], cells[:, 1], cells[:, 0]))
    cells, sorted_points = cells[order], points[order]
    first = np.flatnonzero(np.r_[True, (np.diff(cells, axis=0) != 0).any(axis=1)])
    count = np.diff(np.r_[first, len(cells)])
    found: Floats = sorted_points[first + np.minimum(count // 4, 1)]
    return found
