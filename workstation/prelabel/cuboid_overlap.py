"""How much cuboids overlap: intersection over union seen from above and in space, pair by pair, vectorised.

Cuboids are taken as upright, with the heading of their length: what lies on a road tilts by little, and detectors know
no more. Used by ``lidar_detect.py`` and ``lidar_tracks.py`` to tell what is one thing, and by ``evaluate.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.core.rotation import matrix_of

Floats = NDArray[np.float64]
_ON_EDGE = 1e-9


class Solid(Protocol):
    """A cuboid of any module: ``core.geometry.Cuboid`` and ``api.FoundCuboid`` both are."""

    @property
    def center(self) -> tuple[float, float, float]: ...
    @property
    def size(self) -> tuple[float, float, float]: ...
    @property
    def rotation(self) -> tuple[float, float, float, float]: ...


def rows_of(solids: Sequence[Solid]) -> Floats:
    """(n, 7): centre, length, width, height, heading in radians."""
    if not solids:
        return np.empty((0, 7))
    ahead = matrix_of(np.array([each.rotation for each in solids], np.float64))[:, :, 0]
    return np.column_stack([
        np.array([each.center for each in solids], np.float64),
        np.array([each.size for each in solids], np.float64),
        np.arctan2(ahead[:, 1], ahead[:, 0]),
    ])  # fmt: skip


def bird_eye_iou(first: Floats, second: Floats) -> Floats:
    """(n, m) intersection over union seen from above, of rows (n, 7) and (m, 7)."""
    shared = _shared_area(first, second)
    whole = (first[:, 3] * first[:, 4])[:, None] + (second[:, 3] * second[:, 4])[None] - shared
    return _ratio(shared, whole)


def solid_iou(first: Floats, second: Floats) -> Floats:
    """(n, m) intersection over union in space."""
    low = np.maximum((first[:, 2] - first[:, 5] / 2)[:, None], (second[:, 2] - second[:, 5] / 2)[None])
    high = np.minimum((first[:, 2] + first[:, 5] / 2)[:, None], (second[:, 2] + second[:, 5] / 2)[None])
    shared = _shared_area(first, second) * np.maximum(high - low, 0.0)
    whole = np.prod(first[:, 3:6], axis=1)[:, None] + np.prod(second[:, 3:6], axis=1)[None] - shared
    return _ratio(shared, whole)


def _ratio(shared: Floats, whole: Floats) -> Floats:
    found: Floats = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    return np.clip(found, 0.0, 1.0)


def _shared_area(first: Floats, second: Floats) -> Floats:
    """(n, m) the area that two rectangles have in common; only those near enough to touch are cut."""
    found = np.zeros((len(first), len(second)))
    reach = np.hypot(first[:, 3], first[:, 4])[:, None] / 2 + np.hypot(second[:, 3], second[:, 4])[None] / 2
    apart = np.linalg.norm(first[:, None, :2] - second[None, :, :2], axis=-1)
    one, other = np.nonzero(apart < reach)
    if len(one):
        found[one, other] = _areas(_corners(first[one]), _corners(second[other]))
    return found


def _corners(rows: Floats) -> Floats:
    """(n, 4, 2) against the clock."""
    cos, sin = np.cos(rows[:, 6]), np.sin(rows[:, 6])
    along, across = np.stack([cos, sin], -1) * rows[:, 3:4] / 2, np.stack([-sin, cos], -1) * rows[:, 4:5] / 2
    around = [along + across, across - along, -along - across, along - across]
    found: Floats = np.stack(around, axis=1) + rows[:, None, :2]
    return found


def _areas(first: Floats, second: Floats) -> Floats:
    """Of pairs of rectangles (n, 4, 2): corners of one in the other and crossings of edges are the corners of what is
    shared; sorted by angle about their middle they give its area."""
    crossings, crossed = _crossings(first, second)
    points = np.concatenate([first, second, crossings], axis=1)
    real = np.concatenate([_inside(first, second), _inside(second, first), crossed], axis=1)
    count = real.sum(axis=1)
    middle = np.where(real[..., None], points, 0.0).sum(axis=1) / np.maximum(count, 1)[:, None]
    off = points - middle[:, None]
    angle = np.where(real, np.arctan2(off[..., 1], off[..., 0]), np.inf)
    order = np.argsort(angle, axis=1)
    off = np.take_along_axis(off, order[..., None], axis=1)
    last = np.maximum(count - 1, 0)
    # Behind the last real corner only the first is repeated, which adds no area.
    number = np.arange(off.shape[1])[None]
    off = np.where((number <= last[:, None])[..., None], off, off[:, :1])
    after = np.roll(off, -1, axis=1)
    area: Floats = np.abs((off[..., 0] * after[..., 1] - off[..., 1] * after[..., 0]).sum(axis=1)) / 2
    return np.where(count >= 3, area, 0.0)


def _inside(corners: Floats, of: Floats) -> NDArray[np.bool_]:
    """(n, 4) which corners lie in the other rectangle or on its edge."""
    start, along = of, np.roll(of, -1, axis=1) - of
    off = corners[:, :, None] - start[:, None]
    side = along[:, None, :, 0] * off[..., 1] - along[:, None, :, 1] * off[..., 0]
    found: NDArray[np.bool_] = np.logical_and.reduce(side >= -_ON_EDGE, axis=2)
    return found


def _crossings(first: Floats, second: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """(n, 16, 2) where the lines of edges cross, and whether both edges reach there."""
    start, along = first[:, :, None], (np.roll(first, -1, axis=1) - first)[:, :, None]
    other, beside = second[:, None], (np.roll(second, -1, axis=1) - second)[:, None]
    turn = along[..., 0] * beside[..., 1] - along[..., 1] * beside[..., 0]
    off = other - start
    parallel = np.abs(turn) < 1e-12
    safe = np.where(parallel, 1.0, turn)
    here = (off[..., 0] * beside[..., 1] - off[..., 1] * beside[..., 0]) / safe
    there = (off[..., 0] * along[..., 1] - off[..., 1] * along[..., 0]) / safe
    met = ~parallel & (here >= 0) & (here <= 1) & (there >= 0) & (there <= 1)
    places = start + along * np.where(parallel, 0.0, here)[..., None]
    count = len(first)
    return places.reshape(count, 16, 2), met.reshape(count, 16)
