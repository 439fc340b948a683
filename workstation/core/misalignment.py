"""What a pattern of disagreement between boxes and projected cuboids says: camera turned, clock late, or one thing off.

Pure: arrays in, estimates with their uncertainty out. Asked by the checks (``qa/rules/calibration.py``), and through
them by the report and the panel on calibration, so that all say the same.
All things off by the same angle whatever their range: the camera is turned; by the same metres: it sits elsewhere.
All off by what they move in the same time: the scanner's clock is late (or runs wrong, if that time grows). What is
left of one thing alone is that thing's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.core.cameras import Camera
from workstation.core.projection import unproject
from workstation.core.rotation import Floats

FEWEST_THINGS = 4
"""A pattern is one of several things; fewer than these say nothing."""
SHIFTED_M = 0.05
"""A camera that sits elsewhere by less is no matter."""
_LEVERAGE = 1.6
"""The farthest things must be so many times farther than the nearest, or a turn and a shift look alike."""
_ROUNDS = 12
_REACH = 4.0
"""Residuals beyond so many typical ones count nothing (Tukey's bisquare)."""
_LEAST_RAD = 2e-4
_FEWEST_PICTURES = 5
_FILLED = (0.02, 0.05)
"""A thing leaves at least so much of its cuboid's outline empty: the near lower edge of a car is air."""
_ONE_SIDED = 1.0
"""What is left empty on one side only moves the middle by so much of what both leave together."""
_MIDDLE_PX = 0.3
"""How exactly a middle is known."""
_FARTHEST_M = 3.0
"""Nothing that is taken for the same thing is off by much more."""
_ALIKE = 4.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Offs:
    """Disagreements of labelled boxes with projected cuboids, one row a pair; angles in radians."""

    thing: NDArray[np.intp]
    """(n,) whose, counted from 0."""
    times_s: Floats
    """(n,) when."""
    off: Floats
    """(n, 2) the box's middle minus the projected one: to the right, downward."""
    rate: Floats
    """(n, 2) how fast the projected middle moves, radians a second."""
    range_m: Floats
    """(n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its standard error, both in the unit that its place says."""

    value: float
    error: float

    def beyond(self, limit: float, *, sure: float = 3.0) -> bool:
        """Above the limit, and surely not zero."""
        return abs(self.value) > limit and abs(self.value) > sure * self.error


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Pattern:
    """What all things share."""

    yaw_rad: Estimate
    """The boxes lie so far to the right of the projection: the camera is held to look more to the left than it does
    where this is negative."""
    pitch_rad: Estimate
    late_s: Estimate
    """The cuboids' clock is stamped so much late, in the middle of the recording."""
    drift_s: Estimate
    """How much more at the end than at the beginning."""
    shift_m: Estimate
    """A camera that sits elsewhere: the boxes lie so far to the right of the projection at every range. 0 where angles
    alone explain it."""
    apart: bool
    """Whether the ranges differ enough to tell a turn from a shift; if not, the turn stands for both."""
    left: Floats
    """(n, 2) what the pattern leaves of each disagreement, radians."""
    predicted: Floats
    """(n, 2) the pattern itself."""
    things: int


def together(estimates: Sequence[Estimate]) -> Estimate:
    """What several independent estimates of one value say, each by its own error."""
    weights = np.array([1 / max(each.error, 1e-12) ** 2 for each in estimates])
    values = np.array([each.value for each in estimates])
    return Estimate(value=float((weights * values).sum() / weights.sum()), error=float(1 / np.sqrt(weights.sum())))


def directions(camera: Camera, pixels: Floats) -> Floats:
    """(n, 2) how far to the right and downward pixels (n, 2) look from the camera's axis, in radians."""
    rays = unproject(camera, pixels).directions
    return np.stack([np.arctan2(rays[:, 0], rays[:, 2]), np.arctan2(rays[:, 1], rays[:, 2])], 1)


def pattern_of(offs: Offs) -> Pattern | None:
    """The pattern, every thing with equal say; ``None`` of too few things."""
    names = np.unique(offs.thing)
    if len(names) < FEWEST_THINGS:
        return None
    apart = _apart(offs)
    best, errors, predicted = _solved(offs, shifted=apart and _shift_is_better(offs))
    shift = Estimate(value=float(best[4]), error=float(errors[4]))
    if shift.value and not shift.beyond(SHIFTED_M):
        best, errors, predicted = _solved(offs, shifted=False)
        shift = Estimate(value=0.0, error=shift.error)
    return Pattern(
        yaw_rad=Estimate(value=float(best[0]), error=float(errors[0])),
        pitch_rad=Estimate(value=float(best[1]), error=float(errors[1])),
        late_s=Estimate(value=float(best[2]), error=float(errors[2])),
        drift_s=Estimate(value=float(best[3]), error=float(errors[3])),
        shift_m=shift,
        apart=apart,
        left=offs.off - predicted,
        predicted=predicted,
        things=len(names),
    )


def _apart(offs: Offs) -> bool:
    ranges = [float(np.median(offs.range_m[offs.thing == name])) for name in np.unique(offs.thing)]
    return max(ranges) >= _LEVERAGE * min(ranges)


def _solved(offs: Offs, *, shifted: bool) -> tuple[Floats, Floats, Floats]:
    """Turned right, turned down, late, later still, and shifted right; their errors by leaving out thing after thing;
    and what they predict.
    """
    rows, values, whose = _equations(offs)
    if not shifted:
        rows[:, 4] = 0.0
    names = np.unique(offs.thing)
    best = _robust(rows, values, whose)
    without = np.array([_robust(rows[whose != name], values[whose != name], whose[whose != name]) for name in names])
    n = len(names)
    few = 1 + 3 / (n - 3)  # few things know little of their own scatter
    errors = np.sqrt(few * (n - 1) / n * ((without - without.mean(0)) ** 2).sum(0))
    return best, np.asarray(errors, np.float64), (rows @ best).reshape(2, -1).T


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Displaced:
    """How far one cuboid stands from where its boxes say, along the axes of its root frame."""

    metres: Floats
    """(3,)."""
    covariance: Floats
    """(3, 3) of its error."""

    @property
    def length_m(self) -> float:
        """How far it is off."""
        return float(np.linalg.norm(self.metres))

    @property
    def error_m(self) -> float:
        """The standard error of that, along where it is off to."""
        along = self.metres / max(self.length_m, 1e-9)
        return float(np.sqrt(max(float(along @ self.covariance @ along), 0.0)))

    def beyond(self, limit_m: float, *, sure: float = 4.0) -> bool:
        """Surely farther off than the limit."""
        return self.length_m > limit_m and self.length_m > sure * self.error_m


def displacement_of(off_px: Floats, by_metre: Floats, boxes: Floats, usable: NDArray[np.bool_]) -> Displaced | None:
    """The displacement that explains best how the middles of boxes lie off the projected cuboid.

    ``off_px`` (n, 4) box minus projection (left, top, right, bottom); ``by_metre`` (n, 4, 3) how the projection's sides
    move when the cuboid does; ``usable`` (n, 4) sides that are not cut. A thing that does not fill its cuboid looks as
    if it were farther away, so only middles count, and nothing is said along a view that never turns.
    ``None`` where too few pictures show it.
    """
    both = usable[:, :2] & usable[:, 2:]
    whose, axis = np.nonzero(both)
    if len(np.unique(whose)) < _FEWEST_PICTURES:
        return None
    values = ((off_px[:, :2] + off_px[:, 2:]) / 2)[both]
    rows = ((by_metre[:, :2] + by_metre[:, 2:]) / 2)[both]
    weak = np.eye(3) * _MIDDLE_PX / _FARTHEST_M
    found, weight = _robust_px(rows, values, weak)
    bread = np.linalg.inv((rows * weight[:, None]).T @ rows + weak**2)
    scores = np.zeros((len(boxes), 3))
    np.add.at(scores, whose, rows * (weight * (values - rows @ found))[:, None])
    # Pictures one after another show nearly the same: they say together what a few would.
    covariance = bread @ (scores.T @ scores) @ bread * _ALIKE + bread * _MIDDLE_PX**2
    # And what a thing leaves empty on one side of its cuboid it leaves in every picture.
    extent = boxes[:, 2:] - boxes[:, :2]
    empty = (off_px[:, :2] - off_px[:, 2:]) / 2 / extent
    for i in (0, 1):
        slack = max(float(np.median(empty[both[:, i], i])) if both[:, i].any() else 0.0, _FILLED[i])
        pushed = bread @ (rows.T @ (weight * np.where(axis == i, _ONE_SIDED * slack * extent[whose, i], 0.0)))
        covariance += np.outer(pushed, pushed)
    return Displaced(metres=found, covariance=covariance)


def _robust_px(rows: Floats, values: Floats, weak: Floats) -> tuple[Floats, Floats]:
    weight: Floats = np.ones(len(values))
    found: Floats = np.zeros(rows.shape[1])
    for _ in range(_ROUNDS):
        scaled = np.sqrt(weight)[:, None] * rows
        found = np.linalg.lstsq(
            np.concatenate([scaled, weak]), np.concatenate([np.sqrt(weight) * values, np.zeros(len(weak))]), rcond=None
        )[0]
        residual = np.abs(values - rows @ found)
        typical = max(float(np.median(residual)) * 1.4826, _MIDDLE_PX)
        weight = np.maximum(np.clip(1 - (residual / (_REACH * typical)) ** 2, 0, None) ** 2, 1e-6)
    return np.asarray(found, np.float64), weight


def _equations(offs: Offs) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Rows of (turned right, turned down, late, later still, shifted right), first all to the right, then all
    downward."""
    n = len(offs.thing)
    span = np.ptp(offs.times_s) or 1.0
    along = (offs.times_s - (offs.times_s.max() + offs.times_s.min()) / 2) / span
    one, none = np.ones(n), np.zeros(n)
    near = 1 / np.maximum(offs.range_m, 1.0)
    across = np.stack([one, none, offs.rate[:, 0], offs.rate[:, 0] * along, near], 1)
    down = np.stack([none, one, offs.rate[:, 1], offs.rate[:, 1] * along, none], 1)
    return np.concatenate([across, down]), offs.off.T.ravel(), np.tile(offs.thing, 2)


def _robust(rows: Floats, values: Floats, whose: NDArray[np.intp]) -> Floats:
    """Least squares in which every thing counts the same and what does not fit hardly counts.

    Sideways and downward have a scatter each: an axis that fits exactly must not hide what the other says.
    """
    _, place, count = np.unique(whose, return_inverse=True, return_counts=True)
    equal = 1 / np.sqrt(count[place])
    down = rows[:, 1] != 0 if rows.shape[1] > 1 else np.zeros(len(rows), np.bool_)
    parts = [part for part in (~down, down) if part.any()]
    found = np.asarray(np.linalg.lstsq(rows * equal[:, None], values * equal, rcond=1e-9)[0], np.float64)
    for _ in range(_ROUNDS):
        residual = np.abs(values - rows @ found)
        weight: Floats = np.ones(len(values))
        for part in parts:
            typical = max(_weighted_median(residual[part], equal[part] ** 2) * 1.4826, _LEAST_RAD)
            weight[part] = np.maximum(np.clip(1 - (residual[part] / (_REACH * typical)) ** 2, 0, None) ** 2, 1e-6)
        scale = np.sqrt(weight) * equal
        found = np.asarray(np.linalg.lstsq(rows * scale[:, None], values * scale, rcond=1e-9)[0], np.float64)
    return found


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    summed = np.cumsum(weights[order])
    return float(values[order][int(np.searchsorted(summed, summed[-1] / 2))])


def _shift_is_better(offs: Offs) -> bool:
    """Whether angles that fall with range fit better than equal ones."""
    misses = []
    for column in (np.ones(len(offs.thing)), 1 / np.maximum(offs.range_m, 1.0)):
        rows = column[:, None]
        fitted = _robust(rows, offs.off[:, 0], offs.thing)
        misses.append(float(np.median(np.abs(offs.off[:, 0] - rows @ fitted))))
    return misses[1] < 0.7 * misses[0]
