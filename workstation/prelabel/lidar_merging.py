"""Parts of one thing put together: a bumper and the windscreen above it, a flank and the mirror before it. Between
``lidar_clusters.py`` and ``lidar_boxes.py``.

A reach that joined them would join everything; size says it better. Two parts that lie near become one where together
they go with a class better than the better of the two alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
_NEAR_M = 1.6
"""How far apart the outlines of two parts of one thing may be."""
_LONGEST_M = 13.0
_BETTER, _LEAST_WORTH = 1.1, 0.25
"""Together they must be so much better than the better alone, and worth so much at all."""
_MOST_PAIRS = 400
"""Nearest first; a sweep of a street has about a hundred."""


def merged(points: NDArray[np.floating], parts: Sequence[Rows], judge: Callable[[Rows], float]) -> list[Rows]:
    """Parts (rows of ``points``) with those of one thing joined. ``judge``: how well rows go with a class, 0 to 1."""
    held: dict[int, Rows] = dict(enumerate(parts))
    worth: dict[int, float] = {}
    into: dict[int, int] = {}
    outlines = np.array([_outline(points, rows) for rows in parts]).reshape(-1, 4)

    def whole(number: int) -> int:
        while number in into:
            number = into[number]
        return number

    def value(number: int) -> float:
        if number not in worth:
            worth[number] = judge(held[number])
        return worth[number]

    for one, other in _pairs(outlines):
        first, second = whole(one), whole(other)
        if first == second:
            continue
        both = np.concatenate([held[first], held[second]])
        outline = _outline(points, both)
        if max(outline[2] - outline[0], outline[3] - outline[1]) > _LONGEST_M:
            continue
        together = judge(both)
        if together > _BETTER * max(value(first), value(second)) and together > _LEAST_WORTH:
            held[first], worth[first] = both, together
            into[second] = first
            del held[second]
    return list(held.values())


def _outline(points: NDArray[np.floating], rows: Rows) -> tuple[float, float, float, float]:
    flat = points[rows, :2]
    (left, low), (right, high) = flat.min(axis=0).tolist(), flat.max(axis=0).tolist()
    return left, low, right, high


def _pairs(outlines: Floats) -> list[tuple[int, int]]:
    """Which outlines (left, low, right, high) lie near each other, the nearest first."""
    small = np.flatnonzero((outlines[:, 2:] - outlines[:, :2]).max(axis=1, initial=0.0) <= _LONGEST_M)
    here = outlines[small]
    gap = np.maximum(here[:, None, :2] - here[None, :, 2:], here[None, :, :2] - here[:, None, 2:])
    apart = np.linalg.norm(np.maximum(gap, 0.0), axis=-1)
    one, other = np.nonzero(np.triu(apart <= _NEAR_M, 1))
    order = np.argsort(apart[one, other], kind="stable")[:_MOST_PAIRS]
    return list(zip(small[one[order]].tolist(), small[other[order]].tolist(), strict=True))
