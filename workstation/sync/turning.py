"""How far a vehicle turns from one picture or sweep to the next, by what stands still around it. Arrays in, turns out.

Called by ``app/sync_signals.py`` for ``workstation sync imu``. What moves by itself, and what the vehicle only drives
past, must not pass for a turn: pictures are followed in many patches, of which a robust line takes the part that is
the same all over; sweeps are laid over each other by their points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workstation.sync.delay import Floats

_PATCH_PX = 64
_STEP_PX = 32
_LEAST_TEXTURE = 2.0
"""Grey levels of deviation: a patch of sky says nothing."""
_FEWEST_PATCHES = 4
_REACH = 4.0
_ROUNDS = 8
_INNER_PX = 8
_FLOOR_M = 0.5
_NEAREST_M, _FARTHEST_M = 2.0, 60.0
_CELL_M = 0.25
_MOST_POINTS = 3000
_FEWEST_POINTS = 50
_SWEEP_ROUNDS = 25
_FIRST_REACH_M = 3.0
_LAST_REACH_M = 0.4
_SETTLED = 1e-6
_WINDOW: Floats = np.hanning(_PATCH_PX)[:, None] * np.hanning(_PATCH_PX)


class PictureTurns:
    """Follows a film: give it grey pictures (height, width) of one size, one after another."""

    def __init__(self) -> None:
        self._before: tuple[Floats, NDArray[np.complex128]] | None = None

    def turned_px(self, picture: NDArray[np.uint8]) -> float:
        """How far the far-away part of the picture went to the right since the one before, in px, as it does when
        the camera turns left; NaN for the first, and where too little is to be followed."""
        grey = picture.astype(np.float64)
        places = _places(grey.shape[0], grey.shape[1])
        patches = _patches(grey, places)
        spectra = np.fft.rfft2((patches - patches.mean(axis=(1, 2), keepdims=True)) * _WINDOW)
        before, self._before = self._before, (grey, spectra)
        if before is None or before[0].shape != grey.shape:
            return float("nan")
        rough, sharp = _whole_shifts(before[1], spectra)
        usable = (patches.std(axis=(1, 2)) > _LEAST_TEXTURE) & np.isfinite(sharp)
        shifts, sure = _refined_shifts(before[0], grey, places, rough)
        usable &= sure
        if np.count_nonzero(usable) < _FEWEST_PATCHES:
            return float("nan")
        middle = np.array([grey.shape[1], grey.shape[0]]) / 2
        spots = (places[usable] + _PATCH_PX / 2 - middle) / grey.shape[1]
        return _common_shift(spots, shifts[usable, 0], sharp[usable])


def _places(height: int, width: int) -> NDArray[np.intp]:
    """(n, 2) left and top of patches that cover the picture."""
    xs = np.arange(0, max(width - _PATCH_PX, 0) + 1, _STEP_PX)
    ys = np.arange(0, max(height - _PATCH_PX, 0) + 1, _STEP_PX)
    return np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)


def _patches(grey: Floats, places: NDArray[np.intp]) -> Floats:
    """(n, patch, patch)."""
    every = np.lib.stride_tricks.sliding_window_view(grey, (_PATCH_PX, _PATCH_PX))
    found: Floats = every[places[:, 1], places[:, 0]]
    return found


def _whole_shifts(before: NDArray[np.complex128], after: NDArray[np.complex128]) -> tuple[NDArray[np.intp], Floats]:
    """(n, 2) by how many whole pixels each patch went right and down, and how much its peak stands out."""
    cross = after * np.conj(before)
    cross /= np.maximum(np.abs(cross), 1e-9)
    peaks = np.fft.irfft2(cross, (_PATCH_PX, _PATCH_PX)).reshape(len(cross), -1)
    best = peaks.argmax(axis=1)
    sharp = peaks.max(axis=1) / np.maximum(peaks.std(axis=1), 1e-12)
    found = np.stack([best % _PATCH_PX, best // _PATCH_PX], 1)
    half = _PATCH_PX // 2
    return np.where(found > half, found - _PATCH_PX, found), sharp


def _refined_shifts(
    before: Floats, after: Floats, places: NDArray[np.intp], rough: NDArray[np.intp]
) -> tuple[Floats, NDArray[np.bool_]]:
    """(n, 2) to a part of a pixel, by the slopes inside each patch; and which patches allow it.

    The middle of the patch is read in the picture before, and where it went to in the one after.
    """
    size = _PATCH_PX - 2 * _INNER_PX
    start = places + _INNER_PX
    there = start + rough
    limit = np.array([before.shape[1], before.shape[0]]) - size
    inside = ((there >= 0) & (there <= limit)).all(axis=1)
    there = np.clip(there, 0, limit)
    (down, right), (after_down, after_right) = _slopes(before), _slopes(after)
    every = np.lib.stride_tricks.sliding_window_view

    def read(picture: Floats, at: NDArray[np.intp]) -> Floats:
        found: Floats = every(picture, (size, size))[at[:, 1], at[:, 0]].reshape(len(at), -1)
        return found

    x = (read(right, start) + read(after_right, there)) / 2
    y = (read(down, start) + read(after_down, there)) / 2
    apart = read(before, start) - read(after, there)
    xx, yy, xy = (x * x).sum(1), (y * y).sum(1), (x * y).sum(1)
    det = xx * yy - xy * xy
    sure: NDArray[np.bool_] = inside & (det > 1e-6 * np.maximum(xx, yy) ** 2) & (det > 0)
    safe = np.where(sure, det, 1.0)
    bx, by = (x * apart).sum(1), (y * apart).sum(1)
    part = np.stack([(yy * bx - xy * by) / safe, (xx * by - xy * bx) / safe], 1)
    sure &= (np.abs(part) <= 1.5).all(axis=1)
    found: Floats = rough.astype(np.float64) + np.where(sure[:, None], part, 0.0)
    return found, sure


def _slopes(picture: Floats) -> tuple[Floats, Floats]:
    """Downwards and to the right."""
    found = np.asarray(np.gradient(picture), np.float64)
    return found[0], found[1]


def _common_shift(spots: Floats, shifts: Floats, sharp: Floats) -> float:
    """The shift in the middle of the picture, beside what grows sideways (driving on) and downwards (rolling, the
    ground); patches that follow something else count little, or not at all."""
    design = np.concatenate([np.ones((len(spots), 1)), spots], 1)
    weights = sharp.copy()
    # From the median on, so that a car that fills a third of the picture does not pull the line over.
    left = shifts - np.median(shifts)
    found = np.array([float(np.median(shifts)), 0.0, 0.0])
    for _ in range(_ROUNDS):
        spread = max(1.4826 * float(np.median(np.abs(left))), 0.05)
        share = np.clip(1 - (left / (_REACH * spread)) ** 2, 0.0, None) ** 2
        rows = weights * share
        # A little pull towards no slope keeps the line steady where only few patches can be followed.
        normal = design.T @ (rows[:, None] * design) + np.diag([0.0, 1e-2, 1e-2]) * max(float(rows.sum()), 1e-9)
        if not np.isfinite(normal).all() or rows.sum() <= 0:
            break
        fresh = np.linalg.solve(normal + np.eye(3) * 1e-9, design.T @ (rows * shifts))
        left = shifts - design @ fresh
        settled = float(np.abs(fresh - found).max()) < 1e-4
        found = fresh
        if settled:
            break
    return float(found[0])


class SweepTurns:
    """Follows sweeps: give it the points (n, 3) of one after another, in the sensor's frame, metres, z up."""

    def __init__(self) -> None:
        self._before: Floats | None = None
        self._moved: Floats = np.zeros(3)
        """Forward, left, turned: of the last step, from where the next one is looked for."""

    def turned_rad(self, points: NDArray[np.floating]) -> float:
        """By how much the sensor turned left since the sweep before; NaN for the first, and where nothing fits."""
        here = standing(points)
        before, self._before = self._before, here
        if before is None or min(len(before), len(here)) < _FEWEST_POINTS:
            self._moved = np.zeros(3)
            return float("nan")
        tries = [laid_over(before, here, start) for start in (self._moved, np.zeros(3))]
        best = min(tries, key=lambda each: each[1])
        if not np.isfinite(best[1]):
            return float("nan")
        self._moved = best[0]
        return float(best[0][2])


def standing(points: NDArray[np.floating]) -> Floats:
    """(m, 2) seen from above: what stands higher than the ground, one point a cell of a quarter of a metre."""
    flat = np.hypot(points[:, 0], points[:, 1])
    known = np.isfinite(points[:, :3]).all(axis=1) & (flat > _NEAREST_M) & (flat < _FARTHEST_M)
    if not known.any():
        return np.zeros((0, 2))
    kept = points[known]
    floor = float(np.percentile(kept[:, 2], 20))
    high = kept[kept[:, 2] > floor + _FLOOR_M][:, :2].astype(np.float64)
    if not len(high):
        return np.zeros((0, 2))
    cells = np.floor(high / _CELL_M).astype(np.int64)
    _, which, count = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    which = which.ravel()
    sums = np.stack([np.bincount(which, weights=high[:, axis]) for axis in (0, 1)], 1)
    found: Floats = sums / count[:, None]
    return found[:: max(1, len(found) // _MOST_POINTS)]


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
