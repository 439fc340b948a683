"""How far a vehicle turns from one sweep to the next, by what stands around it. Arrays in, turns out.

Called by ``app/sync_signals.py`` for ``workstation sync imu``. Sweeps are laid over each other by their points. While
the sensor goes round the vehicle turns and drives on, so points that say when they were measured are first brought to
where they would have been seen at the sweep's own time: else a turn would count from whenever the sensor happened to
look at the walls that give it away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workstation.sync.delay import Floats

_FLOOR_M = 0.5
_NEAREST_M, _FARTHEST_M = 2.0, 60.0
_CELL_M = 0.25
_MOST_POINTS = 3000
_FEWEST_POINTS = 50
_SWEEP_ROUNDS = 25
_FIRST_REACH_M = 3.0
_LAST_REACH_M = 0.4
_SETTLED = 1e-6
_STRAIGHTENED = 3
"""How often sweeps are straightened by the move that laying them over each other gave, and laid over again."""


class SweepTurns:
    """Follows sweeps: give it the points (n, 3) of one after another, in the sensor's frame, metres, z up."""

    def __init__(self) -> None:
        self._before: tuple[Floats, Floats] | None = None
        self._moved: Floats = np.zeros(3)
        """Forward, left, turned: of the last step, from where the next one is looked for."""
        self._pace: Floats = np.zeros(3)
        """The same a second."""

    def turned_rad(self, points: NDArray[np.floating], late_s: Floats | None = None, *, step_s: float = 0.1) -> float:
        """By how much the sensor turned left since the sweep before, from the time of the one to that of the other;
        NaN for the first, and where nothing fits. ``late_s`` (n,) is how much later than that time each point was
        measured, where it is known, ``step_s`` how much later this sweep is than the one before."""
        here, here_late_s = standing(points, late_s)
        before, self._before = self._before, (here, here_late_s)
        if before is None or min(len(before[0]), len(here)) < _FEWEST_POINTS or step_s <= 0:
            self._moved = self._pace = np.zeros(3)
            return float("nan")
        straight = not (before[1].any() or here_late_s.any())
        last, pace = self._pace, self._pace
        for again in range(1 if straight else _STRAIGHTENED):
            # The pace changes: at the sweep before it was between the last step's and this one's, now it is beyond.
            one = at_its_time(before[0], before[1], (last + pace) / 2)
            two = at_its_time(here, here_late_s, pace + (pace - last) / 2)
            starts = [self._moved] if again else [self._moved, np.zeros(3)]
            found = min((laid_over(one, two, start) for start in starts), key=lambda each: each[1])
            if not np.isfinite(found[1]):
                return float("nan")
            self._moved, pace = found[0], found[0] / step_s
            if not last.any():
                last = pace
        self._pace = pace
        return float(self._moved[2])


def standing(points: NDArray[np.floating], late_s: Floats | None = None) -> tuple[Floats, Floats]:
    """(m, 2) seen from above: what stands higher than the ground, one point a cell of a quarter of a metre; and (m,)
    how late each was measured, 0 where that is not known."""
    flat = np.hypot(points[:, 0], points[:, 1])
    late = np.zeros(len(points)) if late_s is None else late_s
    known = np.isfinite(points[:, :3]).all(axis=1) & (flat > _NEAREST_M) & (flat < _FARTHEST_M) & np.isfinite(late)
    if not known.any():
        return np.zeros((0, 2)), np.zeros(0)
    kept = points[known]
    floor = float(np.percentile(kept[:, 2], 20))
    above = kept[:, 2] > floor + _FLOOR_M
    high = np.column_stack([kept[above][:, :2], late[known][above]]).astype(np.float64)
    if not len(high):
        return np.zeros((0, 2)), np.zeros(0)
    cells = np.floor(high[:, :2] / _CELL_M).astype(np.int64)
    _, which, count = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    which = which.ravel()
    sums = np.stack([np.bincount(which, weights=high[:, axis]) for axis in range(3)], 1)
    found: Floats = (sums / count[:, None])[:: max(1, len(count) // _MOST_POINTS)]
    return found[:, :2], found[:, 2]


def at_its_time(points: Floats, late_s: Floats, pace: Floats) -> Floats:
    """(n, 2) points as the sensor would have seen them at the sweep's own time, ``pace`` (3,) being how it moves
    forward and left and turns, a second."""
    angle = late_s * pace[2]
    c, s = np.cos(angle), np.sin(angle)
    x, y = points[:, 0], points[:, 1]
    return np.stack([c * x - s * y + late_s * pace[0], s * x + c * y + late_s * pace[1]], 1)


def laid_over(before: Floats, after: Floats, start: Floats) -> tuple[Floats, float]:
    """The move (forward, left, turned) that takes points of ``after`` to where they stood before, and how far the
    middle pair is then apart, in metres.

    A pair is held along the line through its neighbours, and left free along it: walls are seen at other spots each
    time.
    """
    from scipy.spatial import cKDTree  # half a second, which a gyro beside poses does not pay

    tree = cKDTree(before)
    _, near = tree.query(before, k=min(5, len(before)))
    normals = _normals(before, near)
    move = start.astype(np.float64).copy()
    reach = _FIRST_REACH_M
    left = np.full(1, np.inf)
    for _ in range(_SWEEP_ROUNDS):
        c, s = np.cos(move[2]), np.sin(move[2])
        turned = after @ np.array([[c, s], [-s, c]])
        there = turned + move[:2]
        away, index = tree.query(there, distance_upper_bound=reach)
        paired = np.isfinite(away)
        if np.count_nonzero(paired) < _FEWEST_POINTS // 2:
            return move, float("inf")
        normal = normals[index[paired]]
        left = ((before[index[paired]] - there[paired]) * normal).sum(1)
        arm = turned[paired]
        design = np.stack([normal[:, 0], normal[:, 1], normal[:, 1] * arm[:, 0] - normal[:, 0] * arm[:, 1]], 1)
        spread = max(1.4826 * float(np.median(np.abs(left))), 0.01)
        weights = 1 / (1 + (left / (2 * spread)) ** 2)
        normal_matrix = design.T @ (weights[:, None] * design) + np.eye(3) * 1e-6
        step = np.linalg.solve(normal_matrix, design.T @ (weights * left))
        move += step
        reach = max(_LAST_REACH_M, reach * 0.8)
        if reach == _LAST_REACH_M and float(np.abs(step).max()) < _SETTLED:
            break
    return move, float(np.median(np.abs(left)))


def _normals(points: Floats, near: NDArray[np.intp]) -> Floats:
    """(n, 2) across the line through each point's neighbours."""
    around = points[near] - points[near].mean(axis=1, keepdims=True)
    xx, yy = (around[..., 0] ** 2).sum(1), (around[..., 1] ** 2).sum(1)
    xy = (around[..., 0] * around[..., 1]).sum(1)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    return np.stack([-np.sin(angle), np.cos(angle)], 1)
