"""What was recorded, reduced to the pixel columns of a lane: sweeps as ticks with their gaps, series as low and high.

Asked by the timeline pane with the readers that the workbench holds; without Qt, so that a report draws the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workstation.app.moment import table_of
from workstation.app.viewport import Int64s, Viewport
from workstation.core.sample import Stream
from workstation.core.timebase import FrameTable, TimeRange
from workstation.core.values import dataclass
from workstation.media.base import Reader, SeriesReader, TextReader, TrajectoryReader
from workstation.media.gaps import longest_step_ns

Floats = NDArray[np.float64]
MOST_CURVES = 8
_BLOCK = 256
_MARKUP = re.compile(r"<[^<>]*>")
_LONG = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The items of a stream on the session's axis, and where items are missing."""

    table: FrameTable
    sessions: Int64s
    """(n,) session time of each item."""
    gaps: tuple[TimeRange, ...]
    """In session time."""


def moments_of(stream: Stream, reader: Reader) -> Moments | None:
    """When a stream has something; ``None`` where nothing in it has a time of its own."""
    table = table_of(reader)
    if table is None or not len(table):
        return None
    gaps = tuple(stream.time_map.range_to_session(gap) for gap in reader.info.gaps)
    return Moments(table, stream.time_map.to_session_array(table.times_ns), gaps)


def tick_columns(times: Int64s, view: Viewport) -> NDArray[np.int64]:
    """(width,) how many moments fall into each pixel column."""
    first, last = times.searchsorted([view.start_ns, view.end_ns], side="left")
    columns = view.columns(times[first:last])
    columns = columns[(columns >= 0) & (columns < view.width_px)]
    return np.bincount(columns, minlength=view.width_px)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One channel of a series on the session's axis. NaN where it says nothing."""

    name: str
    unit: str
    sessions: Int64s
    values: Floats
    low: float
    high: float
    longest_step_ns: int
    """A longer step between two readings is a gap, and nothing is drawn across it."""
    blocks: tuple[Floats, Floats] | None = None
    """Lowest and highest of every ``_BLOCK`` readings of a long series."""


def curves_of(stream: Stream, reader: Reader) -> tuple[Curve, ...]:
    """The channels of a series, or the speed of a trajectory."""
    if isinstance(reader, SeriesReader):
        made = []
        for each in reader.channels[:MOST_CURVES]:
            # A signal's own readings: between two of them a bus log has rows of others, which break no line.
            times, values = reader.samples(each.name)
            made.append(_curve(each.name, each.unit, stream.time_map.to_session_array(times), values))
        return tuple(made)
    if isinstance(reader, TrajectoryReader):
        sessions = stream.time_map.to_session_array(reader.times_ns)
        return (_curve("speed", "m/s", sessions, _speeds(reader.positions_m, sessions)),)
    return ()


def _curve(name: str, unit: str, sessions: Int64s, values: Floats) -> Curve:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    blocks = None
    if len(values) > _LONG:
        whole = len(values) // _BLOCK * _BLOCK
        parts = values[:whole].reshape(-1, _BLOCK)
        blocks = np.fmin.reduce(parts, axis=1), np.fmax.reduce(parts, axis=1)
    step = longest_step_ns(sessions)
    longest = int(step) if step is not None else 1 << 62
    return Curve(name, unit, sessions, values, low, high, longest, blocks)


def _speeds(positions_m: Floats, sessions: Int64s) -> Floats:
    if len(sessions) < 2:
        return np.full(len(sessions), np.nan)
    steps = np.linalg.norm(np.diff(positions_m, axis=0), axis=1) / np.maximum(np.diff(sessions) / 1e9, 1e-9)
    return np.append(steps, steps[-1])


@dataclass(frozen=True, slots=True, eq=False)
class CurveColumns:
    """(width,) lowest and highest value in each column, NaN where no reading falls into it."""

    low: Floats
    high: Floats


def curve_columns(curve: Curve, view: Viewport) -> CurveColumns:
    """The readings of each pixel column reduced to their extremes; NaN readings count for nothing."""
    edges = view.start_ns + (np.arange(view.width_px + 1, dtype=np.int64) * view.duration_ns) // view.width_px
    at = curve.sessions.searchsorted(edges, side="left")
    values, scale = (curve.values, curve.values), 1
    if curve.blocks is not None and (at[-1] - at[0]) // view.width_px >= 4 * _BLOCK:
        values, scale = curve.blocks, _BLOCK
        at = np.minimum(at // scale, len(values[0]))
    low, high = (np.full(view.width_px, np.nan) for _ in range(2))
    begin, end = at[:-1], at[1:]
    some = np.flatnonzero(end > begin)
    if len(some):
        stretch = slice(int(begin[some[0]]), int(end[some[-1]]))
        places = begin[some] - stretch.start
        low[some] = np.fmin.reduceat(values[0][stretch], places)
        high[some] = np.fmax.reduceat(values[1][stretch], places)
    return CurveColumns(low, high)


def few_readings(curve: Curve, view: Viewport, most: int) -> slice | None:
    """The readings to join by lines, one more on each side; ``None`` where there are more than ``most``."""
    first = max(0, int(curve.sessions.searchsorted(view.start_ns)) - 1)
    last = min(len(curve.sessions), int(curve.sessions.searchsorted(view.end_ns)) + 1)
    return slice(first, last) if last - first <= most else None


@dataclass(frozen=True, slots=True)
class Said:
    """A timed part of a text: a cue or a turn, with what it says."""

    shown: TimeRange
    text: str


def said_in(stream: Stream, reader: Reader) -> Sequence[Said]:
    """The timed parts of a text in session time, words aside, by start."""
    if not isinstance(reader, TextReader):
        return ()
    found = [
        Said(stream.time_map.range_to_session(part.span), _plain(reader.text[part.start : part.stop]))
        for part in reader.parts
        if part.span is not None and part.kind != "word"
    ]
    return sorted(found, key=lambda each: each.shown)


def _plain(text: str) -> str:
    """As a person reads it: without the marks of the format, on one line."""
    return " ".join(_MARKUP.sub("", text).split())
