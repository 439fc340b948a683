"""Which points of a cloud a person means: inside a lasso or a box on the screen, or what hangs together with one.

Used by the tools that choose points and by whoever draws point sets. A choice is a row of booleans over the points of
one sweep; what it is combined with decides ``Way``. Pixels are those of the view; pure NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from workstation.core.connected import connected
from workstation.core.errors import UserError

Bools = NDArray[np.bool_]
_STORED = np.dtype("<u4")
_CELL_M = 0.12
"""Points nearer together than this are one when a choice grows."""


class Way(StrEnum):
    """What becomes of what was chosen before."""

    REPLACE = "replace"
    ADD = "add"
    SUBTRACT = "subtract"


def in_ring(px: NDArray[np.floating], ring: Sequence[tuple[float, float]]) -> Bools:
    """Which pixels (n, 2) lie inside a closed ring, by the even-odd rule; NaN is outside."""
    inside = np.zeros(len(px), np.bool_)
    if len(ring) < 3:
        return inside
    corners = np.asarray(ring, np.float64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero(((px >= low) & (px <= high)).all(axis=1))
    x, y = px[near, 0], px[near, 1]
    odd = np.zeros(len(near), np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            beside = np.flatnonzero((y0 > y) != (y1 > y))  # elsewhere the edge's share has no bounds
            odd[beside] ^= x[beside] < (x1 - x0) * ((y[beside] - y0) / (y1 - y0)) + x0
    inside[near] = odd
    return inside


def in_front_within(depth: NDArray[np.floating], chosen: Bools, *, behind_m: float, gap_m: float) -> Bools:
    """Of the chosen, what is seen in front: not farther behind the nearest than ``behind_m``, nor beyond the first
    empty stretch of depth as long as ``gap_m``."""
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return chosen
    order = rows[np.argsort(depth[rows])]
    depths = depth[order]
    first = int(np.searchsorted(depths, np.quantile(depths, 0.02)))
    gaps = np.flatnonzero(np.diff(depths[first:]) >= gap_m)
    last = first + int(gaps[0]) + 1 if len(gaps) else len(order)
    front = np.zeros_like(chosen)
    front[order[:last][depths[:last] <= depths[first] + behind_m]] = True
    return front


def grown(
    points: NDArray[np.floating], seed: int, *, link_m: float, most_m: float, among: Bools | None = None
) -> Bools:
    """What hangs together with one point: each within ``link_m`` of the next, none farther than ``most_m`` away.

    ``among``: only these may be taken, so that the ground does not join everything.
    """
    taken = np.zeros(len(points), np.bool_)
    if not 0 <= seed < len(points):
        return taken
    near = (np.abs(points - points[seed]) <= most_m).all(axis=1)
    if among is not None:
        near &= among
    near[seed] = True
    rows = np.flatnonzero(near)
    cells, which = np.unique(np.floor(points[rows] / _CELL_M).astype(np.int64), axis=0, return_inverse=True)
    which = which.ravel()
    start = int(which[np.searchsorted(rows, seed)])
    taken[rows] = connected((cells + 0.5) * _CELL_M, start, link_m)[which]
    return taken


def combined(before: NDArray[np.integer], chosen: NDArray[np.integer], way: Way) -> NDArray[np.int64]:
    """Rows chosen before and now, sorted, each once."""
    old, new = np.asarray(before, np.int64), np.asarray(chosen, np.int64)
    if way is Way.ADD:
        return np.union1d(old, new)
    if way is Way.SUBTRACT:
        return np.setdiff1d(old, new)
    return np.unique(new)


def rows_of_blob(blob: bytes, total: int) -> NDArray[np.int64]:
    """The rows that a stored point set holds; those beyond the sweep are left out, since it may have been replaced."""
    if len(blob) % _STORED.itemsize:
        raise UserError("a stored point set is cut off: its length is no multiple of four bytes")
    rows = np.frombuffer(blob, _STORED).astype(np.int64)
    return rows[rows < total]
