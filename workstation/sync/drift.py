"""From offsets at several points of a recording to one time map: a constant, a line, or a line with bends.

Called by whatever measured the offsets (``sounds.py``, ``curves.py``, ``marks.py``). The simplest map that the points
allow is taken: a rate is believed when it differs from one by three of its own standard errors, a bend when the line
leaves more than the points' own uncertainty explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from workstation.core.errors import DataError
from workstation.core.timebase import TimeMap
from workstation.core.timemap import knot_map, offset_map
from workstation.sync.delay import SURE, Floats

_SURE_OF_RATE = 3.0
_MOST_BENDS = 8
_LEAST_POINTS_A_PIECE = 3
_LEAST_SIGMA_NS = 100.0
_LEAST_BEND_NS = 20_000.0
"""A clock that leaves the line by less is as good as straight."""
_REACH = 3.0
"""A point counts less when it lies further off than so many times what the others scatter."""
_ROUNDS = 12


class DriftModel(StrEnum):
    """The shape of the map."""

    OFFSET = "offset"
    LINEAR = "linear"
    PIECEWISE = "piecewise"


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetAt:
    """What must be added to a stream's own time ``at_ns`` to get session time, give or take ``half_width_ns``."""

    at_ns: int
    offset_ns: int
    half_width_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftFit:
    """The map, how well the points agree with it, and how sure it is."""

    time_map: TimeMap
    model: DriftModel
    offset_ns: int
    """In the middle of the points."""
    half_width_ns: int
    """Of the 95 % interval there."""
    rate_ppm: float
    """How much slower the stream's clock runs than the session's, over all points."""
    rate_half_width_ppm: float
    drift_ns: int
    """How far the offset moves from the first point to the last."""
    residual_ns: int
    """Root mean square distance of the points from the map."""
    left_ns: tuple[int, ...]
    """Point by point, what the map leaves."""
    sure_ns: tuple[int, ...]
    """Half-width of the map's 95 % interval at each point."""


def fit_drift(points: Sequence[OffsetAt], *, shared: float = 1.0) -> DriftFit:
    """The simplest map through the points. ``shared`` is in how many of them each piece of the recording was counted:
    points from overlapping windows err together, and know less than as many that do not.
    """
    if not points:
        raise DataError("there is no measured offset to make a map of", place="the offsets")
    ordered = sorted(points, key=lambda each: each.at_ns)
    at = np.array([each.at_ns for each in ordered], np.int64)
    zero, base = int(at[len(at) // 2]), int(np.median([each.offset_ns for each in ordered]))
    x = (at - zero).astype(np.float64)
    y = np.array([each.offset_ns - base for each in ordered], np.float64)
    sigma = np.maximum([each.half_width_ns / SURE for each in ordered], _LEAST_SIGMA_NS)
    bends = _bends(x, y, np.maximum(sigma, _LEAST_BEND_NS))
    design = _design(x, bends)
    coefficients, covariance = _fitted(design, y, sigma)
    covariance *= _widened(len(ordered), len(coefficients), shared)
    linear = len(coefficients) > 1 and (
        bool(bends) or abs(coefficients[1]) > _SURE_OF_RATE * float(np.sqrt(covariance[1, 1]))
    )
    rate, rate_sigma = (0.0, 0.0) if len(coefficients) < 2 else _mean_rate(x, design, coefficients, covariance)
    if not linear:
        design = design[:, :1]
        coefficients, covariance = _fitted(design, y, sigma)
        covariance *= _widened(len(ordered), len(coefficients), shared)
    knots = _knots(x, bends, coefficients, linear)
    time_map = _map(knots, zero, base)
    left = np.array([each.offset_ns for each in ordered], np.int64) - (time_map.to_session_array(at) - at)
    at_middle = _design(np.zeros(1), bends)[:, : design.shape[1]]
    middle_sigma = float(np.sqrt((at_middle @ covariance @ at_middle.T)[0, 0]))
    spread = np.einsum("ij,jk,ik->i", design, covariance, design)
    offsets = time_map.to_session_array(at) - at
    residual_ns = round(float(np.sqrt(np.mean(left.astype(np.float64) ** 2))))
    model = DriftModel.PIECEWISE if bends else DriftModel.LINEAR if linear else DriftModel.OFFSET
    return DriftFit(
        time_map=time_map, model=model, offset_ns=int(time_map.to_session(zero) - zero),
        half_width_ns=max(1, round(SURE * middle_sigma)), rate_ppm=rate * 1e6,
        rate_half_width_ppm=SURE * rate_sigma * 1e6, drift_ns=int(offsets[-1] - offsets[0]), residual_ns=residual_ns,
        left_ns=tuple(int(each) for each in left),
        sure_ns=tuple(max(1, round(SURE * float(each) ** 0.5)) for each in spread),
    )  # fmt: skip


def _widened(count: int, unknowns: int, shared: float) -> float:
    """By how much the covariance of overlapping points grows: for what they share, and because what is left over of so
    few that stand alone tells the scatter badly (Student's t, to within a few per cent).
    """
    if shared <= 1.0:
        return 1.0
    free = max(1.0, count / shared - unknowns)
    return shared * (1 + 1.25 / free) ** 2


def less_sure(fit: DriftFit, points: Sequence[OffsetAt], doubt_ns: int) -> tuple[DriftFit, tuple[OffsetAt, ...]]:
    """The same with a doubt that all points share and none of them shows: every interval is that much wider."""

    def wider(half_width_ns: int) -> int:
        return max(1, round(float(np.hypot(half_width_ns, doubt_ns))))

    return (
        replace(
            fit, half_width_ns=wider(fit.half_width_ns), sure_ns=tuple(wider(each) for each in fit.sure_ns)
        ),
        tuple(replace(each, half_width_ns=wider(each.half_width_ns)) for each in points),
    )  # fmt: skip


def _design(x: Floats, bends: Sequence[float]) -> Floats:
    """A constant, a slope, and a change of slope at every bend."""
    return np.stack([np.ones_like(x), x, *(np.maximum(x - bend, 0.0) for bend in bends)], 1)


def _fitted(design: Floats, y: Floats, sigma: Floats) -> tuple[Floats, Floats]:
    """Weighted least squares that a few wild points cannot bend: coefficients, and their covariance, widened where the
    points scatter more than they say."""
    count, unknowns = design.shape
    if count < unknowns:
        design = design[:, :1]
        unknowns = 1
    scale = np.abs(design).max(0)
    scaled = design / scale
    weights = 1 / sigma**2
    coefficients = np.zeros(unknowns)
    for _ in range(_ROUNDS):
        normal = scaled.T @ (weights[:, None] * scaled)
        fresh = np.linalg.solve(normal, scaled.T @ (weights * y))
        if np.allclose(fresh, coefficients, rtol=1e-12, atol=1e-9):
            break
        coefficients = fresh
        left = np.abs(y - scaled @ coefficients) / sigma
        reach = _REACH * max(1.0, float(np.median(left)) * 1.4826)
        weights = np.minimum(1.0, reach / np.maximum(left, 1e-12)) / sigma**2
    left = (y - scaled @ coefficients) * np.sqrt(weights)
    excess = float(left @ left) / max(count - unknowns, 1) if count > unknowns else 1.0
    covariance = np.linalg.inv(scaled.T @ (weights[:, None] * scaled)) * max(1.0, excess)
    return coefficients / scale, covariance / np.outer(scale, scale)


def _bends(x: Floats, y: Floats, sigma: Floats) -> list[float]:
    """Where the line must bend, if it must: one more bend at a time, as long as each is worth its two numbers."""
    bends: list[float] = []
    if len(x) < 2 * _LEAST_POINTS_A_PIECE:
        return bends
    cost = _cost(x, y, sigma, bends)
    while len(bends) < _MOST_BENDS:
        tried = [(_cost(x, y, sigma, [*bends, at]), at) for at in _possible(x, bends)]
        if not tried:
            break
        best, at = min(tried)
        # Two numbers more (where, and the new slope) must explain far more than chance does.
        if cost - best < 2 * np.log(len(x)) * 2 + 6:
            break
        bends, cost = sorted([*bends, at]), best
    return bends


def _cost(x: Floats, y: Floats, sigma: Floats, bends: Sequence[float]) -> float:
    """What is left, in squared standard errors; a wild point counts no more than a bounded amount."""
    coefficients, _ = _fitted(_design(x, sorted(bends)), y, sigma)
    design = _design(x, sorted(bends))[:, : len(coefficients)]
    left = np.abs(y - design @ coefficients) / sigma
    return float(np.sum(np.where(left > _REACH, 2 * _REACH * left - _REACH**2, left**2)))


def _possible(x: Floats, bends: Sequence[float]) -> list[float]:
    """Points at which every piece would keep enough points."""
    found = []
    for at in x[_LEAST_POINTS_A_PIECE - 1 : len(x) - _LEAST_POINTS_A_PIECE + 1]:
        edges = np.sort([*bends, float(at)])
        counts = np.diff([0, *np.searchsorted(x, edges), len(x)])
        if float(at) not in bends and counts.min() >= _LEAST_POINTS_A_PIECE - 1:
            found.append(float(at))
    return found


def _mean_rate(x: Floats, design: Floats, coefficients: Floats, covariance: Floats) -> tuple[float, float]:
    """From the first point to the last, and its standard error."""
    span = x[-1] - x[0]
    if span <= 0 or len(coefficients) < design.shape[1]:
        return 0.0, 0.0
    difference = (design[-1] - design[0]) / span
    return float(difference @ coefficients), float(np.sqrt(difference @ covariance @ difference))


def _knots(x: Floats, bends: Sequence[float], coefficients: Floats, linear: bool) -> list[tuple[float, float]]:
    """(own time, offset) where the map turns; with a rate at least two of them."""
    if not linear:
        return [(0.0, float(coefficients[0]))]
    at = np.array([x[0], *bends, x[-1]])
    return list(zip(at.tolist(), (_design(at, bends) @ coefficients).tolist(), strict=True))


def _map(knots: Sequence[tuple[float, float]], zero: int, base: int) -> TimeMap:
    if len(knots) == 1:
        return offset_map(base + round(knots[0][1]))
    whole = [(zero + round(at), zero + round(at) + base + round(offset)) for at, offset in knots]
    return knot_map(whole)
