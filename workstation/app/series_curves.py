"""One channel of a series, ready to be drawn at any zoom: exact extremes per pixel column, gaps that stay gaps.

What is missing (NaN: gaps, sentinels) is taken out once and leaves a break, which nothing is drawn across. Extremes
come from levels of eight readings into one; where a column begins and ends inside a block, the readings themselves
count, so every column holds exactly its own readings, however long the recording is. Without Qt; asked by the series
pane, for long streams on a thread (``series_feed.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from workstation.app.viewport import Int64s, Viewport
from workstation.core.timebase import TimeMap, TimeRange
from workstation.media.gaps import longest_shown_ns, longest_step_ns

Floats = NDArray[np.float64]
_FACTOR = 8
_DIRECT = 32
"""Up to so many readings a column they are reduced directly: one call over a row that lies in one piece."""
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class ChannelCurve:
    """``times_ns`` and ``values`` are the readings that say something, in the stream's own time; (n,) each."""

    name: str
    unit: str
    labels: Mapping[int, str]
    time_map: TimeMap
    times_ns: Int64s
    values: Floats
    breaks: Int64s
    """Numbers of the readings that no line may reach from the one before, rising."""
    rows_ns: Int64s
    rows: Floats
    """As the file has them, NaN included: they say when a reading ends."""
    hold_ns: int
    """How long a reading without a successor counts."""
    levels: tuple[tuple[Floats, Floats], ...]
    """Lowest and highest of every 8, 64, 512… readings."""

    @property
    def low(self) -> float:
        return float(self.levels[-1][0].min()) if self.levels else float(self.values.min(initial=math.inf))

    @property
    def high(self) -> float:
        return float(self.levels[-1][1].max()) if self.levels else float(self.values.max(initial=-math.inf))

    @property
    def stepped(self) -> bool:
        """A state stays until the next one; it does not slide into it."""
        return bool(self.labels)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as it stands in the file, and when it was taken, in the stream's own time."""

    value: float
    own_ns: int
    row: int


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """(width,) the extremes of what was read in each pixel column, NaN where nothing was; and how they are joined."""

    low: Floats
    high: Floats
    first: Floats
    last: Floats
    joined: NDArray[np.bool_]
    """Whether a line comes in from the column before."""


def curve_of(
    name: str, unit: str, labels: Mapping[int, str], time_map: TimeMap, times_ns: Int64s, values: Floats
) -> ChannelCurve:
    """A channel as its reader gives it: (n,) times that never fall, (n,) values, NaN where there is none."""
    known = np.isfinite(values)
    longest = longest_step_ns(times_ns)
    if known.all():
        kept_times, kept = times_ns, values
        broken = np.diff(times_ns) > (_NEVER if longest is None else longest)
    else:
        rows = np.flatnonzero(known)
        kept_times, kept = times_ns[rows], values[rows]
        broken = np.diff(rows) > 1
        broken |= np.diff(kept_times) > (_NEVER if longest is None else longest)
    hold = longest_shown_ns(times_ns)
    return ChannelCurve(
        name=name, unit=unit, labels=labels, time_map=time_map, times_ns=kept_times, values=kept,
        breaks=np.flatnonzero(broken).astype(np.int64) + 1, rows_ns=times_ns, rows=values,
        hold_ns=1_000_000_000 if hold is None else hold, levels=tuple(_levels(kept)),
    )  # fmt: skip


def _levels(values: Floats) -> list[tuple[Floats, Floats]]:
    made: list[tuple[Floats, Floats]] = []
    low = high = values
    while len(low) > _FACTOR * 64:
        starts = np.arange(0, len(low), _FACTOR)
        low, high = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
        made.append((low, high))
    return made


# --- reading ------------------------------------------------------------------------------------------------------


def reading_at(curve: ChannelCurve, session_ns: int) -> Reading | None:
    """The last value read then, as it stands in the file; ``None`` in a gap, before the first and after the last."""
    own_ns = curve.time_map.first_stream_at(session_ns + 1) - 1
    row = int(curve.rows_ns.searchsorted(own_ns, side="right")) - 1
    if row < 0 or not math.isfinite(curve.rows[row]):
        return None
    taken = int(curve.rows_ns[row])
    return Reading(float(curve.rows[row]), taken, row) if own_ns - taken <= curve.hold_ns else None


def value_in_words(curve: ChannelCurve, value: float) -> str:
    """``−4.2 m/s²``, or the word of a state."""
    if curve.labels and value == int(value):
        said = curve.labels.get(int(value))
        if said is not None:
            return said
    return f"{value:.8g} {curve.unit}".rstrip().replace("-", "−", 1)


def gaps_in(curve: ChannelCurve, view: Viewport, *, least_px: float = 2.0, most: int = 400) -> list[TimeRange]:
    """Where the channel says nothing between two readings, in session time; only what can be seen."""
    first, last = _inside(curve, view)
    at = curve.breaks[slice(*curve.breaks.searchsorted([first, last + 1]))]
    if not len(at):
        return []
    begin, end = (curve.time_map.to_session_array(curve.times_ns[each]) for each in (at - 1, at))
    seen = np.flatnonzero((end - begin) >= view.distance_ns(least_px))[:most]
    return [TimeRange(int(begin[i]), int(end[i])) for i in seen.tolist()]


def _inside(curve: ChannelCurve, view: Viewport) -> tuple[int, int]:
    """The readings in view and one more on each side."""
    edges = curve.time_map.stream_window(view.shown)
    first = int(curve.times_ns.searchsorted(edges.start_ns)) - 1
    last = int(curve.times_ns.searchsorted(edges.end_ns)) + 1
    return max(0, first), min(len(curve.times_ns), last)


def few_readings(curve: ChannelCurve, view: Viewport, most: int) -> slice | None:
    """The readings to join by lines, one more on each side; ``None`` where there are more than ``most``."""
    first, last = _inside(curve, view)
    return slice(first, last) if last - first <= most else None


def is_break(curve: ChannelCurve, numbers: Int64s) -> NDArray[np.bool_]:
    """Of readings by number: whether no line reaches there from the one before."""
    if not len(curve.breaks):
        return np.zeros(len(numbers), np.bool_)
    at = np.minimum(curve.breaks.searchsorted(numbers), len(curve.breaks) - 1)
    found: NDArray[np.bool_] = curve.breaks[at] == numbers
    return found


# --- columns ------------------------------------------------------------------------------------------------------


def columns_of(curve: ChannelCurve, view: Viewport) -> Columns:
    """Exactly the lowest and the highest of the readings whose moment lies in each pixel column."""
    width = view.width_px
    edges = view.start_ns + (np.arange(width + 1, dtype=np.int64) * view.duration_ns) // width
    # Edges go to the stream's time, not the readings to the session's: 1,200 numbers instead of 36 million.
    at = curve.times_ns.searchsorted(_first_stream_at(curve.time_map, edges), side="left")
    begin, end = at[:-1], at[1:]
    low, high, first, last = (np.full(width, np.nan) for _ in range(4))
    joined = np.zeros(width, np.bool_)
    some = np.flatnonzero(end > begin)
    if not len(some):
        return Columns(low, high, first, last, joined)
    begin, end = begin[some], end[some]
    low[some], high[some] = _extremes(curve, begin, end)
    first[some], last[some] = curve.values[begin], curve.values[end - 1]
    joined[some] = (begin > 0) & ~is_break(curve, begin)
    return Columns(low, high, first, last, joined)


def _first_stream_at(time_map: TimeMap, edges: Int64s) -> Int64s:
    """``TimeMap.first_stream_at`` of many. Of clocks that run about alike the rounded way back is at most one off."""
    near = time_map.to_stream_array(edges)
    found = near + 2
    for step in (1, 0, -1):
        found = np.where(time_map.to_session_array(near + step) >= edges, near + step, found)
    return found


def _extremes(curve: ChannelCurve, begin: Int64s, end: Int64s) -> tuple[Floats, Floats]:
    """Over ``[begin, end)`` that follow each other without overlap."""
    if end[-1] - begin[0] <= _DIRECT * len(begin) or not curve.levels:
        part = curve.values[begin[0] : end[-1]]
        return np.minimum.reduceat(part, begin - begin[0]), np.maximum.reduceat(part, begin - begin[0])
    low, high = np.full(len(begin), np.inf), np.full(len(begin), -np.inf)
    below: tuple[Floats, Floats] = (curve.values, curve.values)
    for above in curve.levels:
        whole_begin, whole_end = -(-begin // _FACTOR), end // _FACTOR
        inside = whole_begin < whole_end
        # What does not fill a block: up to the first whole one, and from the last on; all of it where there is none.
        _take(below, begin, np.where(inside, whole_begin * _FACTOR, end), low, high)
        _take(below, np.where(inside, whole_end * _FACTOR, end), end, low, high)
        begin, end = np.where(inside, whole_begin, 0), np.where(inside, whole_end, 0)
        below = above
    _take(below, begin, end, low, high)
    return low, high


def _take(level: tuple[Floats, Floats], begin: Int64s, end: Int64s, low: Floats, high: Floats) -> None:
    """Lower ``low`` and raise ``high`` by the few values ``[begin, end)`` of a level."""
    longest = int((end - begin).max(initial=0))
    if longest <= 0:
        return
    places = begin[:, None] + np.arange(longest)
    outside = places >= end[:, None]
    np.minimum(places, len(level[0]) - 1, out=places)
    np.minimum(low, np.where(outside, np.inf, level[0][places]).min(axis=1), out=low)
    np.maximum(high, np.where(outside, -np.inf, level[1][places]).max(axis=1), out=high)


# --- the height ---------------------------------------------------------------------------------------------------


class ScaleMode(StrEnum):
    """What decides the heights of a lane."""

    AUTO = "auto"
    """What is in view fills the lane."""
    FIXED = "fixed"
    """The whole channel, or limits that a person typed."""
    LOG = "log"
    """Powers of ten; what is not above zero has no place."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to shares of a lane's height, 0 at the bottom; NaN where a value has no place."""

    low: float
    high: float
    log: bool = False

    def shares(self, values: Floats) -> Floats:
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.where(values > 0, np.log10(values), np.nan)
            low, high = math.log10(self.low), math.log10(self.high)
        else:
            low, high = self.low, self.high
        return (values - low) / (high - low)

    def value_at(self, share: float) -> float:
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + share * (self.high - self.low)


def axis_for(low: float, high: float, mode: ScaleMode, limits: tuple[float, float] | None = None) -> Axis:
    """The axis over a range of values, with a little air where nobody typed the limits."""
    if limits is not None and mode is not ScaleMode.AUTO and (mode is not ScaleMode.LOG or limits[0] > 0):
        return Axis(*limits, log=mode is ScaleMode.LOG)
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if mode is ScaleMode.LOG:
        high = high if high > 0 else 1.0
        low = low if 0 < low <= high else high / 1000
        return Axis(low / 1.2, high * 1.2, log=True)
    pad = (high - low) * 0.06 or abs(low) * 0.1 or 1.0
    return Axis(low - pad, high + pad)


def lowest_above_zero(curve: ChannelCurve) -> float:
    """For the foot of a logarithmic axis; ``inf`` if nothing is above zero."""
    above = curve.values[curve.values > 0]
    return float(above.min()) if len(above) else math.inf


def ticks_of(axis: Axis, most: int) -> list[float]:
    """Round values on the axis, at most so many."""
    if axis.log:
        first, last = math.ceil(math.log10(axis.low)), math.floor(math.log10(axis.high))
        apart = max(1, -(-(last - first + 1) // max(1, most)))
        return [10.0**power for power in range(first, last + 1, apart)]
    span = axis.high - axis.low
    raw = span / max(1, most)
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * unit for factor in (1.0, 2.0, 5.0, 10.0) if factor * unit >= raw * 0.999)
    lowest = math.ceil(axis.low / step)
    return [number * step for number in range(lowest, math.floor(axis.high / step) + 1)]
