"""The offset between two curves that follow the same thing: turning, shaking, a mouth and the voice. Curves in, offsets
out.

Called by ``app/synchronising.py`` for ``workstation sync imu`` and ``sync voice``. Each curve brings its own times, as
irregular as they are; both are laid on one even grid, and where either has a gap nothing is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.ratio import Int64s
from workstation.core.stopping import StopToken
from workstation.sync.delay import SURE, Floats
from workstation.sync.drift import DriftFit, OffsetAt, fit_drift
from workstation.sync.transform import irfft, quick_length, rfft

_MOST_RATE_HZ = 200.0
_LEAST_RATE_HZ = 20.0
_GAP_STEPS = 5.0
"""A pause of more than so many usual steps is a gap."""
_WINDOW_S = 60.0
_FEWEST = 16
_SLOW_S = 1.0
_SLACK_S = 0.25
_MOST_WINDOWS = 40
_FEWEST_WINDOWS = 3
_CLEAR = 5.0
"""In standard errors of chance agreement; the best of hundreds of lags reaches four by chance."""
_ROUNDS = 10
_REWEIGHTED = 4
_REACH = 2.5
_LEAST_HALF_WIDTH = 1e-3
_LEAST_FREEDOM = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Values (n,) at ``times_ns`` (n,) of a stream's own clock, growing; NaN where nothing was measured."""

    times_ns: Int64s
    values: Floats


def curve_offset(
    reference: Curve, other: Curve, *, most_s: float = 2.0, stop: StopToken | None = None
) -> OffsetAt | None:
    """What must be added to ``other``'s times, or ``None`` where the two curves have nothing in common."""
    stop = stop or StopToken()
    rate = _rate(reference, other)
    start_ns = max(int(reference.times_ns[0]), int(other.times_ns[0]))
    end_ns = min(int(reference.times_ns[-1]), int(other.times_ns[-1]))
    rough = _offset(reference, other, start_ns, end_ns, rate, most_s, 0, stop)
    if rough is None:
        return None
    # Once more with the two laid over each other, so that the edges of gaps are the same in both.
    return _offset(reference, other, start_ns, end_ns, rate, _SLACK_S, rough.offset_ns, stop) or rough


def curve_drift(
    reference: Curve, other: Curve, *, most_s: float = 2.0, stop: StopToken | None = None
) -> tuple[DriftFit, tuple[OffsetAt, ...]]:
    """The map from ``other``'s times to ``reference``'s and what it was made from: offsets in windows of a minute.

    Raises ``DataError`` where the two have nothing in common.
    """
    stop = stop or StopToken()
    whole = curve_offset(reference, other, most_s=most_s, stop=stop)
    if whole is None:
        raise DataError("the two curves have nothing in common", place="the curves")
    rate = _rate(reference, other)
    first, last = int(other.times_ns[0]), int(other.times_ns[-1])
    window_ns = round(_WINDOW_S * 1e9)
    many = min(_MOST_WINDOWS, (last - first) // window_ns * 2 - 1)
    if many < _FEWEST_WINDOWS:
        return fit_drift([whole]), (whole,)
    points = []
    starts = np.linspace(first, last - window_ns, int(many)).astype(np.int64)
    for start in starts:
        found = _offset(reference, other, int(start), int(start) + window_ns, rate, _SLACK_S, whole.offset_ns, stop)
        if found is not None:
            points.append(found)
    if len(points) < _FEWEST_WINDOWS:
        return fit_drift([whole]), (whole,)
    return fit_drift(points, shared=max(1.0, window_ns / float(starts[1] - starts[0]))), tuple(points)


def _offset(
    reference: Curve,
    other: Curve,
    start_ns: int,
    end_ns: int,
    rate: float,
    most_s: float,
    known_ns: int,
    stop: StopToken,
) -> OffsetAt | None:
    """In one stretch of ``other``'s time, where the reference is read ``known_ns`` later."""
    count = int((end_ns - start_ns) * 1e-9 * rate)
    if count < _FEWEST:
        return None
    grid = np.arange(count) * (1e9 / rate)
    # A curve is as exact as its numbers, so the grid is laid about the stretch and not about the year 1970.
    first, sure = _on_grid(reference, start_ns + known_ns, grid)
    second, also_sure = _on_grid(other, start_ns, grid)
    width = max(_smooth_s(reference), _smooth_s(other)) * rate
    one, other_one = _Laid(_smoothed(first, sure, width), sure), _Laid(_smoothed(second, also_sure, width), also_sure)
    most = min(round(most_s * rate), count // 3)
    lag, strength = _best_lag(_moving(one, rate), _moving(other_one, rate), most, stop)
    if strength < _CLEAR:
        return None
    delay, half_width = _refined(one, other_one, lag, stop)
    return OffsetAt(
        at_ns=(start_ns + end_ns) // 2, offset_ns=known_ns - round(delay / rate * 1e9),
        half_width_ns=max(1, round(half_width / rate * 1e9)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Laid:
    """Values on the grid, and where they are known."""

    values: Floats
    known: NDArray[np.bool_]


def _best_lag(first: _Laid, second: _Laid, most: int, stop: StopToken) -> tuple[int, float]:
    """The whole lag at which the two agree best where both are known, and how far that is above chance."""
    best, found = -1.0, 0
    count = len(first.values)
    least = max(_FEWEST, int(np.count_nonzero(first.known & second.known)) // 2)
    for lag in range(-most, most + 1):
        stop.look()
        here = slice(max(0, -lag), count - max(0, lag))
        there = slice(max(0, lag), count + min(0, lag))
        both = first.known[here] & second.known[there]
        if np.count_nonzero(both) < least:
            continue
        agreement = _agreement(first.values[here][both], second.values[there][both])
        if agreement > best:
            best, found = agreement, lag
    if best <= 0:
        return 0, 0.0
    independent = _independent(first, second)
    return found, float(np.arctanh(min(best, 1 - 1e-9)) * np.sqrt(max(independent - 3, 0.0)))


def _agreement(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size > 0 else -1.0


def _independent(first: _Laid, second: _Laid) -> float:
    """Of how many independent values the two curves are worth: smooth ones agree by chance more easily."""
    both = first.known & second.known
    together = _echo(np.where(both, first.values, 0.0)) * _echo(np.where(both, second.values, 0.0))
    return float(np.count_nonzero(both)) / max(1.0, float(2 * together.sum() - together[0]))


def _echo(values: Floats) -> Floats:
    """How like itself a curve is some steps later, from none on; 1 first."""
    size = quick_length(2 * len(values))
    power = np.abs(rfft(values - values.mean(), size)) ** 2
    found = irfft(power, size)[: len(values) // 2]
    like: Floats = found / found[0] if found[0] > 0 else np.eye(1, len(found))[0]
    return like


def _refined(first: _Laid, second: _Laid, lag: int, stop: StopToken) -> tuple[float, float]:
    """The delay to a part of a step, and its half-width: the shift at which one is best a multiple of the other.

    Stretches where they do not follow each other count less, as a camera's pan while something large drives past.
    """
    at = np.arange(len(first.values), dtype=np.float64)
    delay, half_width = float(lag), 0.5
    slope_of = np.gradient(second.values)
    for _ in range(_ROUNDS):
        stop.look()
        place = at + delay
        inside = first.known & (place >= 0) & (place <= len(at) - 1)
        inside &= np.interp(place, at, second.known) > 1 - 1e-9
        if np.count_nonzero(inside) < _FEWEST:
            return float(lag), 0.5
        moved = np.interp(place[inside], at, second.values)
        slope = np.interp(place[inside], at, slope_of)
        design = np.stack([moved, np.ones(len(moved)), slope], 1)
        wanted = first.values[inside]
        weights: Floats = np.ones(len(wanted))
        found: Floats = np.zeros(3)
        left: Floats = wanted
        for _ in range(_REWEIGHTED):
            found, *_ = np.linalg.lstsq(design * weights[:, None], wanted * weights, rcond=None)
            left = wanted - design @ found
            reach = _REACH * max(1.4826 * float(np.median(np.abs(left))), 1e-12)
            weights = np.sqrt(np.minimum(1.0, reach / np.maximum(np.abs(left), 1e-12)))
        if found[0] <= 0:
            return float(lag), 0.5
        step = float(np.clip(found[2] / found[0], -2.0, 2.0))
        left, slope = left * weights, slope * weights
        # What is left is no white noise: neighbours share it, and the slope too is alike from one to the next.
        crowd = _echo(left) * _echo(slope)
        crowd = crowd[: max(2, len(crowd) // 4)]
        facts = max(1.0, float(2 * crowd.sum() - crowd[0]))
        spread = float(np.sqrt(left @ left / len(left)))
        steepness = (slope - slope.mean()) ** 2
        steep = float(np.sqrt(steepness.sum()))
        # Where all the slope is in one turn, that turn alone says how far off what is left can be.
        told = steep**4 / max(float(steepness @ steepness), 1e-300) / facts
        half_width = _sure(told - 1) * spread * float(np.sqrt(facts)) / max(found[0] * steep, 1e-12)
        delay += step
        if abs(step) < 1e-4:
            break
    return delay, max(half_width, _LEAST_HALF_WIDTH)


def _sure(freedom: float) -> float:
    """Half-width of a 95 % interval in standard errors that were themselves worked out of few values (Student's t)."""
    few = max(freedom, _LEAST_FREEDOM)
    return SURE + (SURE**3 + SURE) / (4 * few) + (5 * SURE**5 + 16 * SURE**3 + 3 * SURE) / (96 * few**2)


def _rate(reference: Curve, other: Curve) -> float:
    """Of the grid: as fine as the finer of the two, within reason."""
    for each, name in ((reference, "the first curve"), (other, "the second curve")):
        if len(each.times_ns) < _FEWEST or len(each.times_ns) != len(each.values):
            raise DataError(f"{len(each.times_ns)} values are too few to compare", place=name)
        if (np.diff(each.times_ns) < 0).any():
            raise DataError("its times run backwards", place=name)
    steps = [float(np.median(np.diff(each.times_ns))) for each in (reference, other)]
    return float(np.clip(1e9 / max(min(steps), 1.0), _LEAST_RATE_HZ, _MOST_RATE_HZ))


def _on_grid(curve: Curve, zero_ns: int, grid: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    known = np.isfinite(curve.values)
    times = (curve.times_ns[known] - zero_ns).astype(np.float64)
    values = curve.values[known]
    if len(times) < 2:
        return np.zeros(len(grid)), np.zeros(len(grid), bool)
    after = np.clip(np.searchsorted(times, grid, side="right"), 1, len(times) - 1)
    usual = float(np.median(np.diff(times)))
    inside = (grid >= times[0]) & (grid <= times[-1]) & (times[after] - times[after - 1] <= _GAP_STEPS * usual)
    return np.interp(grid, times, values), inside


def _smooth_s(curve: Curve) -> float:
    """Half a usual step: what is faster is noise, or between two values."""
    return float(np.median(np.diff(curve.times_ns))) * 1e-9 / 2


def _smoothed(values: Floats, known: NDArray[np.bool_], width: float) -> Floats:
    """By a bell so many grid steps wide, over what is known."""
    reach = max(1, round(3 * width))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width, 1e-6)) ** 2)
    total = np.convolve(np.where(known, values, 0.0), bell, mode="same")
    weight = np.convolve(known.astype(float), bell, mode="same")
    return np.where(known, total / np.maximum(weight, 1e-12), 0.0)


def _moving(curve: _Laid, rate: float) -> _Laid:
    """What is left beside the mean of a second around: slow turns look alike at every small offset, and by chance."""
    reach = max(1, round(_SLOW_S / 2 * rate))
    window = np.ones(2 * reach + 1)
    count = np.convolve(curve.known.astype(float), window, mode="same")
    total = np.convolve(np.where(curve.known, curve.values, 0.0), window, mode="same")
    return _Laid(np.where(curve.known, curve.values - total / np.maximum(count, 1.0), 0.0), curve.known)
