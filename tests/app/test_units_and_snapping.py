"""Steps by a stream's own units, and what a dragged boundary is drawn to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.snapping import Target, nearest, nearest_item, nearest_moment, onset_columns
from workstation.app.units import TableUnits, nearest_unit, shown_between, stepped
from workstation.core.timebase import TimeMap, TimeRange, frame_table, offset_map

TIMES = st.lists(st.integers(0, 10_000), min_size=1, max_size=40, unique=True).map(sorted)


def units_of(times: list[int], offset: int = 0, hold_ns: int | None = None) -> TableUnits:
    table = frame_table(times, unit_num=1, unit_den=1_000_000_000, hold_ns=hold_ns)
    time_map = offset_map(offset) if offset else TimeMap()
    return TableUnits("frame", time_map, table, time_map.to_session_array(table.times_ns))


@given(TIMES, st.integers(-500, 500), st.data())
def test_a_step_forward_and_back_is_the_neighbour(times: list[int], offset: int, data: st.DataObject) -> None:
    units = units_of(times, offset)
    index = data.draw(st.integers(0, len(times) - 1))
    now = units.session_ns(index)
    assert now == times[index] + offset
    assert stepped(units, now, 1) == times[min(index + 1, len(times) - 1)] + offset
    assert stepped(units, now, -1) == times[max(index - 1, 0)] + offset
    assert nearest_unit(units, now) == index


@given(TIMES, st.integers(-100, 11_000), st.integers(0, 3_000))
def test_what_is_in_view_is_counted_exactly(times: list[int], start: int, length: int) -> None:
    inside = shown_between(units_of(times), TimeRange(start, start + length))
    assert [times[i] for i in inside] == [time for time in times if start <= time < start + length]


def test_in_a_gap_one_back_is_the_item_before_it() -> None:
    units = units_of([0, 100, 500], hold_ns=100)
    assert stepped(units, 300, -1) == 100
    assert stepped(units, 300, 1) == 500
    assert stepped(units, 150, -1) == 0


@given(TIMES, st.integers(-100, 11_000), st.integers(0, 400))
def test_the_nearest_target_is_the_nearest_and_never_beyond_reach(times: list[int], at: int, reach: int) -> None:
    found = nearest(at, reach, [nearest_moment(np.array(times, np.int64), at, "frame")])
    closest = min(times, key=lambda time: abs(time - at))
    if abs(closest - at) <= reach:
        assert found is not None
        assert abs(found.session_ns - at) == abs(closest - at)
    else:
        assert found is None


def test_of_two_as_close_the_first_named_wins_and_nothing_gives_nothing() -> None:
    assert nearest(10, 5, [Target(8, "boundary"), None, Target(12, "frame")]) == Target(8, "boundary")
    assert nearest_item(None, 5) is None
    assert nearest_moment(np.zeros(0, np.int64), 5, "x") is None


@pytest.mark.parametrize("level", [0.02, 0.5])
def test_onsets_are_where_a_sound_sets_in(level: float) -> None:
    rms = np.full(400, 0.001)
    for start in (60, 200, 330):
        rms[start : start + 40] = level
    assert onset_columns(rms).tolist() == [60, 200, 330]
    assert onset_columns(np.full(100, level)).tolist()[1:] == []  # what goes on sets in once at most
    assert len(onset_columns(np.zeros(3))) == 0
