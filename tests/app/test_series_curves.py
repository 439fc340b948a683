"""Curves reduced to pixels against the plain way of doing it: loop over columns, look at every reading."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.series_curves import (
    Axis,
    ChannelCurve,
    ScaleMode,
    axis_for,
    columns_of,
    curve_of,
    gaps_in,
    reading_at,
    ticks_of,
    value_in_words,
)
from workstation.app.viewport import Viewport
from workstation.core.timebase import offset_map, rate_map

MS = 1_000_000
RNG = np.random.default_rng(5)


def curve(times_ms: list[int], values: list[float], *, offset_ms: int = 0, **more: object) -> ChannelCurve:
    times = np.array(times_ms, np.int64) * MS
    labels = more.get("labels", {})
    assert isinstance(labels, dict)
    return curve_of("a", "m/s²", labels, offset_map(offset_ms * MS), times, np.array(values, np.float64))


def plain_columns(curve: ChannelCurve, view: Viewport, missing: np.ndarray | None = None) -> tuple[list, list]:
    """Every reading by itself, in Python."""
    low, high = [math.nan] * view.width_px, [math.nan] * view.width_px
    edges = [view.start_ns + i * view.duration_ns // view.width_px for i in range(view.width_px + 1)]
    for own, value in zip(curve.rows_ns.tolist(), curve.rows.tolist(), strict=True):
        session = curve.time_map.to_session(own)
        column = next((i for i in range(view.width_px) if edges[i] <= session < edges[i + 1]), None)
        if column is not None and not math.isnan(value):
            low[column] = value if math.isnan(low[column]) else min(low[column], value)
            high[column] = value if math.isnan(high[column]) else max(high[column], value)
    return low, high


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.one_of(st.floats(-9, 9), st.just(math.nan))), min_size=1, max_size=60),
    st.integers(-300, 3000), st.integers(1, 5000), st.integers(1, 40), st.integers(-50, 50),
)  # fmt: skip
def test_every_column_holds_exactly_its_own_readings(
    rows: list[tuple[int, float]], start: int, length: int, width: int, offset: int
) -> None:
    rows = sorted(rows, key=lambda each: each[0])
    made = curve([time for time, _ in rows], [value for _, value in rows], offset_ms=offset)
    view = Viewport(start * MS, length * MS, width)
    low, high = plain_columns(made, view)
    columns = columns_of(made, view)
    np.testing.assert_array_equal(columns.low, low)
    np.testing.assert_array_equal(columns.high, high)


@pytest.mark.parametrize("rate", [Fraction(1), Fraction(1_000_017, 1_000_000)])
def test_long_recordings_are_reduced_exactly_too(rate: Fraction) -> None:
    """Two million readings through the levels, with holes, against NumPy on each column's own readings."""
    n = 2_000_000
    times = np.arange(n, dtype=np.int64) * MS
    values = np.cumsum(RNG.standard_normal(n))
    values[500_000:700_123] = np.nan
    values[[3, 77_777, n - 1]] = np.nan
    values[1_234_567] = 1e6
    made = curve_of("a", "", {}, rate_map(rate), times, values)
    sessions = rate_map(rate).to_session_array(times)
    for start, length, width in ((0, n, 1117), (123_456, 1_700_003, 640), (499_000, 3000, 100), (1_234_000, 1000, 333)):
        view = Viewport(start * MS, length * MS, width)
        edges = np.array([view.start_ns + i * view.duration_ns // width for i in range(width + 1)])
        at = sessions.searchsorted(edges)
        columns = columns_of(made, view)
        for i in range(width):
            own = values[at[i] : at[i + 1]]
            own = own[~np.isnan(own)]
            assert columns.low[i] == own.min() if len(own) else np.isnan(columns.low[i])
            assert columns.high[i] == own.max() if len(own) else np.isnan(columns.high[i])


def test_no_line_reaches_over_a_missing_value_nor_over_a_long_step() -> None:
    steps = [*range(0, 100, 10), *range(200, 300, 10)]
    values = [float(i) for i in range(20)]
    values[4] = math.nan
    made = curve(steps, values)
    view = Viewport(0, 300 * MS, 300)
    assert [(each.start_ns // MS, each.end_ns // MS) for each in gaps_in(made, view)] == [(30, 50), (90, 200)]
    columns = columns_of(made, view)
    held = np.flatnonzero(~np.isnan(columns.low))
    assert not columns.joined[50]
    assert not columns.joined[200]
    assert columns.joined[held[1:]].sum() == len(held) - 1 - 2


def test_a_reading_counts_until_the_next_one_or_the_gap() -> None:
    times = [0, 10, 20, 30, *range(100, 220, 10)]
    made = curve(times, [1.0, 2.0, math.nan, 4.0, *np.arange(5.0, 17.0)], offset_ms=1000)
    told = {at: reading_at(made, at * MS) for at in (999, 1000, 1009, 1010, 1020, 1025, 1030, 1039, 1060, 1105, 1230)}
    assert {at: None if found is None else found.value for at, found in told.items()} == {
        999: None, 1000: 1.0, 1009: 1.0, 1010: 2.0, 1020: None, 1025: None, 1030: 4.0, 1039: 4.0, 1060: None,
        1105: 5.0, 1230: None,
    }  # fmt: skip
    found = told[1009]
    assert found is not None
    assert (found.own_ns, found.row) == (0, 0)


def test_values_are_said_with_their_unit_and_states_by_their_word() -> None:
    assert value_in_words(curve([0], [1.0]), -4.25) == "−4.25 m/s²"
    gears = curve([0], [1.0], labels={3: "drive"})
    assert value_in_words(gears, 3.0) == "drive"
    assert value_in_words(gears, 4.0) == "4 m/s²"


def test_axes() -> None:
    linear = axis_for(-1.0, 3.0, ScaleMode.AUTO)
    assert linear.low < -1.0 < 3.0 < linear.high
    assert axis_for(-1.0, 3.0, ScaleMode.FIXED, (0.0, 2.0)) == Axis(0.0, 2.0)
    log = axis_for(0.01, 100.0, ScaleMode.LOG, (0.01, 100.0))
    np.testing.assert_allclose(log.shares(np.array([0.01, 0.1, 1.0, 100.0])), [0.0, 0.25, 0.5, 1.0])
    assert np.isnan(log.shares(np.array([0.0, -5.0]))).all()
    for axis in (linear, log):
        for share in (0.0, 0.3, 1.0):
            assert axis.shares(np.array([axis.value_at(share)]))[0] == pytest.approx(share)
    assert ticks_of(Axis(-1.0, 3.0), 4) == [-1.0, 0.0, 1.0, 2.0, 3.0]
    assert ticks_of(log, 5) == pytest.approx([0.01, 0.1, 1.0, 10.0, 100.0])


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 12))
def test_ticks_are_round_few_and_inside(low: float, span: float, most: int) -> None:
    axis = Axis(low, low + span)
    if axis.high - axis.low < abs(low) * 1e-9:
        return
    ticks = ticks_of(axis, most)
    assert len(ticks) <= most + 1
    slack = span * 1e-6
    assert all(axis.low - slack <= each <= axis.high + slack for each in ticks)


def test_nothing_known_is_drawn_as_nothing() -> None:
    for values in ([math.nan] * 4, [math.inf, -math.inf, math.nan, math.nan]):
        made = curve([0, 10, 20, 30], values)
        view = Viewport(0, 40 * MS, 40)
        assert np.isnan(columns_of(made, view).low).all()
        assert reading_at(made, 15 * MS) is None
        assert gaps_in(made, view) == []
