"""The offset between two sensors from one fast thing that both followed: a passing car in camera and LiDAR.

Called by ``app/synchronising.py`` for ``workstation sync object``. Both describe the thing by the same number (where it
stands in the picture, in px or as an angle), each at its own times; the offset is the shift at which the two paths
agree, beside a constant that a small error of the mounting makes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline, make_smoothing_spline

from workstation.core.errors import DataError
from workstation.sync.curves import Curve
from workstation.sync.delay import SURE, Floats
from workstation.sync.drift import OffsetAt

_FEWEST = 6
_GRID_STEPS = 400
_ROUNDS = 8
_REACH = 2.5
_APART = 0.98
"""With a constant that looks this much like a shift, the two cannot be told apart."""
_SMOOTHINGS = np.logspace(-7, 0, 15)
"""Tried for the line through the positions, times the cube of a second; the best by generalised cross-validation."""
_ROUGHER = 3
"""Steps of those before the best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOffset:
    """The offset, the constant beside it, and how well the paths then agree (in the unit of the curves)."""

    offset: OffsetAt
    constant: float
    constant_known: bool
    """Whether the thing's speed across the picture varied enough to tell the constant from the offset; if not, it is
    taken for nothing, and a fault of the mounting would look like an offset."""
    residual: float
    pairs: int


def object_offset(reference: Curve, other: Curve, *, most_s: float = 0.5) -> ObjectOffset:
    """What must be added to ``other``'s times. ``other`` is followed by a smooth line through its points.

    Raises ``DataError`` where the two do not overlap or the thing hardly moves.
    """
    path = _path(other, "the second path")
    known = np.isfinite(reference.values)
    zero = int(other.times_ns[len(other.times_ns) // 2])
    at = (reference.times_ns[known] - zero) * 1e-9
    seen = reference.values[known]
    if len(at) < _FEWEST:
        raise DataError(f"{len(at)} pictures of it are too few", place="the first path")
    start = _searched(path, at, seen, most_s)
    free = _solved(path, at, seen, start, constant=True)
    fixed = _solved(path, at, seen, start, constant=False)
    chosen = free if free.apart < _APART and abs(free.shift_s) <= most_s else fixed
    if not np.isfinite(chosen.sigma_s) or chosen.pairs < _FEWEST:
        raise DataError("it hardly moves, or the two did not follow it at the same time", place="the two paths")
    own = path.own
    half_width = SURE * chosen.sigma_s
    middle_ns = zero + round(float(np.median(own)) * 1e9)
    return ObjectOffset(
        offset=OffsetAt(
            at_ns=middle_ns, offset_ns=-round(chosen.shift_s * 1e9), half_width_ns=max(1, round(half_width * 1e9))
        ),
        constant=chosen.constant, constant_known=chosen is free, residual=chosen.residual, pairs=chosen.pairs,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solved:
    shift_s: float
    """``reference(t) = other(t + shift)``."""
    constant: float
    sigma_s: float
    residual: float
    apart: float
    pairs: int


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """A smooth line through positions at ``own`` (n,) seconds. It is linear in the positions: ``parts`` holds the line
    of each position alone, which is what the error of that position does to the line."""

    own: Floats
    line: BSpline
    parts: BSpline
    noise: float
    """The variance of one position about the line."""

    def inside(self, at: Floats) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (at >= self.own[0]) & (at <= self.own[-1])
        return found


def _path(curve: Curve, place: str) -> _Path:
    known = np.isfinite(curve.values)
    times, first = np.unique(curve.times_ns[known], return_index=True)
    if len(times) < _FEWEST:
        raise DataError(f"{len(times)} positions are too few", place=place)
    zero = int(curve.times_ns[len(curve.times_ns) // 2])
    own = (times - zero) * 1e-9
    values = curve.values[known][first]
    tried = [_Smoothed.of(own, values, float(each)) for each in _SMOOTHINGS]
    best = min(range(len(tried)), key=lambda number: tried[number].score)
    # Rather too rough than too smooth: what is smoothed away at the end, where it is near and fast, is an offset.
    chosen = tried[max(0, best - _ROUGHER)]
    noise = max(tried[best].noise, 0.0)
    return _Path(own=own, line=BSpline(chosen.parts.t, chosen.parts.c @ values, 3), parts=chosen.parts, noise=noise)


@dataclass(frozen=True, slots=True, eq=False)
class _Smoothed:
    """One smoothing: how well it does for positions it has not seen, and what it leaves of them (a variance)."""

    parts: BSpline
    score: float
    noise: float

    @staticmethod
    def of(own: Floats, values: Floats, smoothing: float) -> _Smoothed:
        # Each position by itself, so that one solution holds for the line and for what every error does to it.
        parts = make_smoothing_spline(own, np.eye(len(own)), lam=smoothing)
        hat = parts(own)
        left = values - hat @ values
        free = len(own) - float(np.trace(hat))
        cost = max(len(own) - 1.4 * float(np.trace(hat)), 1e-9)
        return _Smoothed(
            parts=parts,
            score=float(left @ left) / cost**2,
            noise=float(left @ left) / max(free, 1e-9) if free > 1 else 0.0,
        )


def _searched(path: _Path, at: Floats, seen: Floats, most_s: float) -> float:
    """The best shift of a coarse grid, the constant taken out each time."""
    best, found = np.inf, 0.0
    for shift in np.linspace(-most_s, most_s, _GRID_STEPS + 1):
        inside = path.inside(at + shift)
        if np.count_nonzero(inside) < max(_FEWEST, len(at) // 2):
            continue
        left = seen[inside] - path.line(at[inside] + shift)
        # By the plain distance: with the constant taken out, a thing at even speed would fit at any shift.
        cost = float(np.median(np.abs(left)))
        if cost < best:
            best, found = cost, float(shift)
    return found


def _solved(path: _Path, at: Floats, seen: Floats, shift: float, *, constant: bool) -> _Solved:
    """Gauss and Newton from there, wild pictures counting less."""
    bias, sigma, apart, residual, pairs = 0.0, np.inf, 1.0, np.inf, 0
    for _ in range(_ROUNDS):
        inside = path.inside(at + shift)
        pairs = int(np.count_nonzero(inside))
        if pairs < _FEWEST:
            break
        slope = path.line(at[inside] + shift, 1)
        left = seen[inside] - path.line(at[inside] + shift) - bias
        spread = max(float(np.median(np.abs(left - np.median(left)))) * 1.4826, 1e-12)
        weights = np.minimum(1.0, _REACH * spread / np.maximum(np.abs(left), 1e-12))
        design = np.stack([slope, np.ones(pairs)], 1) if constant else slope[:, None]
        normal = design.T @ (weights[:, None] * design)
        if abs(float(np.linalg.det(normal))) < 1e-12 * max(float(np.abs(normal).max()), 1e-12) ** len(normal):
            return _Solved(shift_s=shift, constant=bias, sigma_s=np.inf, residual=np.inf, apart=1.0, pairs=pairs)
        step = np.linalg.solve(normal, design.T @ (weights * left))
        residual = float(np.sqrt(np.average((left - design @ step) ** 2, weights=weights)))
        sigma = _sigma(path, at[inside] + shift, left - design @ step, design, weights)
        shift += float(step[0])
        bias += float(step[1]) if constant else 0.0
        if constant:
            apart = float(abs(normal[0, 1]) / np.sqrt(normal[0, 0] * normal[1, 1]))
        if abs(float(step[0])) < 1e-7:
            break
    return _Solved(shift_s=shift, constant=bias, sigma_s=sigma, residual=residual, apart=apart, pairs=pairs)


def _sigma(path: _Path, at: Floats, left: Floats, design: Floats, weights: Floats) -> float:
    """The standard error of the shift: pictures err each by itself, but those between the same positions share theirs.

    What changes from one picture to the next is the pictures' own error; the rest is that of the positions.
    """
    pull = np.linalg.solve(design.T @ (weights[:, None] * design), design.T * weights)[0]
    shared = path.parts(at)
    own = shared @ shared.T
    total = float(np.average(left**2, weights=weights)) * len(left) / max(len(left) - design.shape[1], 1)
    alone = min(total, float(np.mean(np.diff(left, 2) ** 2)) / 6)
    common = max((total - alone) / max(float(np.mean(np.diag(own))), 1e-12), path.noise)
    return float(np.sqrt(alone * float(pull @ pull) + common * float(pull @ own @ pull)))
