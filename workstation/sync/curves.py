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
from workstation.sync.delay import Floats, delay_between
from workstation.sync.drift import DriftFit, OffsetAt, fit_drift

_MOST_RATE_HZ = 200.0
_LEAST_RATE_HZ = 20.0
_GAP_STEPS = 5.0
"""A pause of more than so many usual steps is a gap."""
_SEGMENT_S = 2.5
_WINDOW_S = 60.0
_FEWEST = 16
_EDGE_S = 0.5
_SLACK_S = 0.25
_MOST_WINDOWS = 40
_FEWEST_WINDOWS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Values (n,) at ``times_ns`` (n,) of a stream's own clock, growing; NaN where nothing was measured."""

    times_ns: Int64s
    values: Floats


def curve_offset(reference: Curve, other: Curve, *, most_s: float = 2.0) -> OffsetAt | None:
    """What must be added to ``other``'s times, or ``None`` where the two curves have nothing in common."""
    rate = _rate(reference, other)
    start_ns = max(int(reference.times_ns[0]), int(other.times_ns[0]))
    end_ns = min(int(reference.times_ns[-1]), int(other.times_ns[-1]))
    rough = _offset(reference, other, start_ns, end_ns, rate, most_s, 0)
    if rough is None:
        return None
    # Once more with the two laid over each other, so that the edges of gaps are the same in both.
    return _offset(reference, other, start_ns, end_ns, rate, _SLACK_S, rough.offset_ns) or rough


def curve_drift(reference: Curve, other: Curve, *, most_s: float = 2.0) -> tuple[DriftFit, tuple[OffsetAt, ...]]:
    """The map from ``other``'s times to ``reference``'s and what it was made from: offsets in windows of a minute.

    Raises ``DataError`` where the two have nothing in common.
    """
    whole = curve_offset(reference, other, most_s=most_s)
    if whole is None:
        raise DataError("the two curves have nothing in common", place="the curves")
    rate = _rate(reference, other)
    first, last = int(other.times_ns[0]), int(other.times_ns[-1])
    window_ns = round(_WINDOW_S * 1e9)
    many = min(_MOST_WINDOWS, (last - first) // window_ns * 2 - 1)
    if many < _FEWEST_WINDOWS:
        return fit_drift([whole]), (whole,)
    points = []
    for start in np.linspace(first, last - window_ns, int(many)).astype(np.int64):
        found = _offset(reference, other, int(start), int(start) + window_ns, rate, _SLACK_S, whole.offset_ns)
        if found is not None:
            points.append(found)
    if len(points) < _FEWEST_WINDOWS:
        return fit_drift([whole]), (whole,)
    return fit_drift(points), tuple(points)


def _offset(
    reference: Curve, other: Curve, start_ns: int, end_ns: int, rate: float, most_s: float, known_ns: int
) -> OffsetAt | None:
    """In one stretch of ``other``'s time, where the reference is read ``known_ns`` later."""
    count = int((end_ns - start_ns) * 1e-9 * rate)
    if count < _FEWEST:
        return None
    grid = np.arange(count) * (1e9 / rate)
    # A curve is as exact as its numbers, so the grid is laid about the stretch and not about the year 1970.
    first, sure = _on_grid(reference, start_ns + known_ns, grid)
    second, also_sure = _on_grid(other, start_ns, grid)
    both = sure & also_sure
    if np.count_nonzero(both) < max(_FEWEST, count // 4):
        return None
    soft = _soft(both, rate)
    first, second = _at_rest(first, both) * soft, _at_rest(second, both) * soft
    delay = delay_between(first, second, rate, most_s=min(most_s, count / rate / 3), segment_s=_SEGMENT_S)
    if not delay.clear:
        return None
    return OffsetAt(
        at_ns=(start_ns + end_ns) // 2, offset_ns=known_ns - round(delay.delay_s * 1e9),
        half_width_ns=max(1, round(delay.half_width_s * 1e9)),
    )  # fmt: skip


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


def _soft(known: NDArray[np.bool_], rate: float) -> Floats:
    """1 where both are known, falling to 0 towards gaps, whose edges both share and which would look like agreement."""
    reach = max(1, round(_EDGE_S * rate))
    window = np.hanning(2 * reach + 1)
    padded = np.concatenate((np.zeros(reach, bool), known, np.zeros(reach, bool)))
    found: Floats = np.convolve(padded, window / window.sum(), mode="valid")
    return np.where(known, np.maximum(2 * found - 1, 0.0), 0.0)


def _at_rest(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """About its mean, in units of its spread, and at rest where nothing is known."""
    middle = float(values[known].mean())
    spread = float(values[known].std())
    return np.where(known, (values - middle) / spread if spread > 0 else 0.0, 0.0)
