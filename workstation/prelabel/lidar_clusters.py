"""What hangs together above the ground: points into things, by a reach that grows with range. Second step of
``lidar_detect.py``.

The rays of a spinning sensor part as they go out, so that two hits of one thing lie farther apart the farther it is;
one reach for all either joins what stands side by side near the sensor or breaks what is far. The map is cut into rings
of range, each with its own reach; a pair that lies across two rings is joined by the wider.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.lidar_ground import CLEAR_M, GroundGrid

Floats = NDArray[np.float64]
HIGHEST_M = 4.2
"""Higher above the ground are trees and signs, which would join what stands under them."""
_CELL_M = 0.1
_COLUMN_M = 0.4
_LOWEST_M = 1.3
"""What begins higher stands on nothing."""
_GAP_PER_M = 0.025
"""Of air between two points of one thing in a column, as a share of range: so far apart lie the rays."""
_PER_M = 0.014
"""Reach as a share of range, between the two below."""
_LEAST_M, _MOST_M = 0.35, 1.1
_RINGS_M = (0.0, 25.0, 35.0, 45.0, 55.0, 65.0, 80.0, 200.0)


def standing(
    points: NDArray[np.floating], ground: GroundGrid, eye: tuple[float, float, float]
) -> NDArray[np.bool_]:  # fmt: skip
    """Which points (n, 3) belong to what stands on the ground, low enough to be a road user, or hang together upwards
    with it. What is over it with air between, as the crown of a tree, does not."""
    height = points[:, 2] - ground.at(points)
    found: NDArray[np.bool_] = (height > CLEAR_M) & (height < HIGHEST_M + 1.0)
    rows = np.flatnonzero(found)
    if len(rows):
        away = np.linalg.norm(points[rows, :2] - np.array(eye[:2]), axis=1)
        # A wall of a van that runs along the border of two columns has half of its points in each, and gaps in both:
        # what hangs together in one of two grids does.
        whole = [_hanging(points[rows, :2] + shift, height[rows], away) for shift in (0.0, _COLUMN_M / 2)]
        found[rows[~(whole[0] | whole[1])]] = False
    return found


def _hanging(
    places: NDArray[np.floating], height: NDArray[np.floating], away: NDArray[np.floating]
) -> NDArray[np.bool_]:  # fmt: skip
    """Which points hang together with what stands under them in their column."""
    cells = np.floor(places / _COLUMN_M).astype(np.int64)
    order = np.lexsort((height, cells[:, 1], cells[:, 0]))
    cells, heights = cells[order], height[order]
    first = np.r_[True, (np.diff(cells, axis=0) != 0).any(axis=1)]
    widest = np.clip(_GAP_PER_M * away[order], 0.6, 1.4)
    gap = np.where(first, heights > _LOWEST_M, np.diff(heights, prepend=0.0) > widest)
    # Whatever lies above the first gap of its column is cut off.
    breaks = np.cumsum(gap)
    before = np.maximum.accumulate(np.where(first, breaks - gap, 0))
    found = np.empty(len(order), np.bool_)
    found[order] = breaks <= before
    return found


def reach_m(range_m: float) -> float:
    """How far two points of one thing may be apart at a range."""
    return float(np.clip(_PER_M * range_m, _LEAST_M, _MOST_M))


def things(points: NDArray[np.floating], eye: tuple[float, float, float]) -> NDArray[np.int64]:
    """The number of the thing that each point (n, 3) belongs to, from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    if not len(points):
        return np.empty(0, np.int64)
    cells, which = np.unique(np.floor(points[:, :2] / _CELL_M).astype(np.int64), axis=0, return_inverse=True)
    places = (cells.astype(np.float64) + 0.5) * _CELL_M
    away = np.linalg.norm(places - np.array(eye[:2]), axis=1)
    pairs = [np.empty((0, 2), np.int64)]
    for near_m, far_m in pairwise(_RINGS_M):
        reach = reach_m(near_m)
        rows = np.flatnonzero((away >= near_m - reach) & (away < far_m))
        if len(rows):
            found = cKDTree(places[rows]).query_pairs(reach, output_type="ndarray")
            pairs.append(rows[found])
    first, second = np.concatenate(pairs).T
    joined = coo_array((np.ones(len(first), np.bool_), (first, second)), shape=(len(places), len(places)))
    _, numbers = connected_components(joined, directed=False)
    return np.asarray(numbers, np.int64)[which.ravel()]


def parts(numbers: NDArray[np.int64], *, fewest: int) -> list[NDArray[np.int64]]:
    """The rows of each thing that has at least so many points, in the order of their numbers."""
    order = np.argsort(numbers, kind="stable")
    edges = np.flatnonzero(np.diff(numbers[order])) + 1
    return [rows for rows in np.split(order, edges) if len(rows) >= fewest]
