"""Frame tables: which frame shows, judged by walking through the frames one by one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.core.timebase import (
    FrameTable,
    TimeMap,
    TimeRange,
    frame_table,
    knot_map,
    nearest_capture,
    offset_map,
    rate_map,
    shown_capture,
)

MS = 1_000_000


def table_of(times_ns: list[int], *, last_ns: int = 0, hold_ns: int | None = None) -> FrameTable:
    durations = [0] * (len(times_ns) - 1) + [last_ns] if times_ns else []
    return frame_table(times_ns, unit_num=1, unit_den=10**9, durations=durations, hold_ns=hold_ns)


def walk(times_ns: list[int], end_ns: int, asked_ns: int) -> int | None:
    """The last frame that has begun, if it has not ended."""
    begun = [i for i, t in enumerate(times_ns) if t <= asked_ns]
    if not begun:
        return None
    return begun[-1] if asked_ns < end_ns or asked_ns == times_ns[begun[-1]] else None


frame_times = st.lists(st.integers(-30, 60), max_size=8).map(sorted)


@given(frame_times, st.integers(0, 5), st.integers(-40, 80))
@example([0, 10, 10, 10, 20], 5, 10)
def test_a_frame_shows_until_the_next_one(times_ns: list[int], last_ns: int, asked_ns: int) -> None:
    table = table_of(times_ns, last_ns=last_ns)
    distinct = sorted(set(times_ns))
    step = last_ns or (distinct[-1] - distinct[-2] if len(distinct) > 1 else 0)
    expected = walk(times_ns, times_ns[-1] + step, asked_ns) if times_ns else None
    assert table.index_at(asked_ns) == expected
    assert table.index_at_all(np.array([asked_ns])).tolist() == [-1 if expected is None else expected]
    if expected is not None:
        assert table.shown(expected).contains(asked_ns)


@given(frame_times, st.integers(-40, 80))
def test_nearest_is_the_closest(times_ns: list[int], asked_ns: int) -> None:
    got = table_of(times_ns).nearest(asked_ns)
    if not times_ns:
        assert got is None
        return
    closest = min(abs(t - asked_ns) for t in times_ns)
    earliest = min(t for t in times_ns if abs(t - asked_ns) == closest)
    assert got == max(i for i, t in enumerate(times_ns) if t == earliest)


@given(st.lists(st.integers(-30, 60), unique=True, max_size=8).map(sorted))
def test_the_rank_of_a_frames_time_is_its_number(times_ns: list[int]) -> None:
    table = table_of(times_ns)
    assert [table.rank(t) for t in times_ns] == list(range(len(times_ns)))


def test_variable_rate_with_a_dropped_frame() -> None:
    """30 fps in the usual 1/90000 units: frame 3 is missing, times are rounded once."""
    ticks = [0, 3003, 6006, 12012, 15015]
    table = frame_table(ticks, unit_num=1, unit_den=90_000, durations=[3003] * 5, key=[True] + [False] * 4)
    assert table.times_ns.tolist() == [0, 33_366_667, 66_733_333, 133_466_667, 166_833_333]
    assert table.units.tolist() == ticks
    assert (table.unit_num, table.unit_den) == (1, 90_000)
    assert table.index_at(133_466_666) == 2, "the frame before a hole shows on"
    assert table.index_at(133_466_667) == 3
    assert table.index_at(200_199_999) == 4
    assert table.index_at(200_200_000) is None, "after the last, nothing"
    assert table.index_at(-1) is None
    assert table.gaps(longer_than_ns=50 * MS) == (TimeRange(66_733_333, 133_466_667),)
    assert table.span == TimeRange(0, 200_200_000)
    assert table.rate_hz() == pytest.approx(4 / 0.166833333)
    assert table.key.tolist() == [True, False, False, False, False]


def test_a_missing_sweep_is_a_gap_where_items_are_held_for_a_while() -> None:
    sweeps = table_of([0, 100, 300], last_ns=100, hold_ns=110)
    assert [sweeps.index_at(t) for t in (99, 100, 209, 210, 299, 300, 399, 400)] == [0, 1, 1, None, None, 2, 2, None]
    assert sweeps.index_at_all(np.array([209, 210])).tolist() == [1, -1]


def test_times_in_decoding_order_are_sorted_with_their_flags() -> None:
    table = frame_table([0, 3, 1, 2], unit_num=1, unit_den=1000, key=[True, False, False, True], durations=[1, 4, 2, 3])
    assert table.units.tolist() == [0, 1, 2, 3]
    assert table.key.tolist() == [True, False, True, False]
    assert table.durations_ns.tolist() == [1 * MS, 2 * MS, 3 * MS, 4 * MS]


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1), st.integers(1, 1001), st.integers(1, 10**6))
def test_times_are_rounded_once(units: list[int], num: int, den: int) -> None:
    table = frame_table(units, unit_num=num, unit_den=den)
    for unit, time_ns in zip(table.units.tolist(), table.times_ns.tolist(), strict=True):
        assert abs(time_ns - Fraction(unit * num * 10**9, den)) <= Fraction(1, 2)


def test_an_empty_stream_shows_nothing() -> None:
    empty = frame_table([], unit_num=1, unit_den=25)
    assert (empty.index_at(0), empty.nearest(0), empty.span, empty.rate_hz(), empty.rank(5)) == (None,) * 4 + (0,)
    assert empty.index_at_all(np.array([0, 1])).tolist() == [-1, -1]
    assert empty.gaps(longer_than_ns=0) == ()
    assert shown_capture(empty, offset_map(0), 0) is None
    assert nearest_capture(empty, offset_map(0), 0) is None


def test_a_single_frame_of_unknown_duration_is_an_instant() -> None:
    single = table_of([50])
    assert [single.index_at(t) for t in (49, 50, 51)] == [None, 0, None]


def test_clock_offset_and_sampling_distance_are_two_numbers() -> None:
    """10 Hz sweeps whose clock is 12 ms late, asked between two sweeps."""
    sweeps, clock = table_of([0, 100 * MS, 200 * MS], last_ns=100 * MS), offset_map(12 * MS)
    shown = shown_capture(sweeps, clock, 162 * MS)
    assert shown is not None
    assert (shown.index, shown.stream_ns, shown.session_ns, shown.distance_ns) == (1, 100 * MS, 112 * MS, -50 * MS)
    nearest = nearest_capture(sweeps, clock, 163 * MS)
    assert nearest is not None
    assert (nearest.index, nearest.distance_ns) == (2, 49 * MS)
    assert clock.offset_at(nearest.stream_ns) == 12 * MS


@given(
    st.lists(st.integers(-300, 600), max_size=8).map(sorted),
    st.sampled_from(
        [offset_map(37), rate_map(Fraction(3, 7)), rate_map(Fraction(5, 2)), knot_map([(0, 0), (90, 400)])]
    ),
    st.integers(-2000, 2000) | st.integers(-1, 1),
    st.integers(0, 7),
)
def test_captures_agree_with_every_frame_mapped_to_session_time(
    times_ns: list[int], clock: TimeMap, asked: int, near: int
) -> None:
    table = table_of(times_ns, last_ns=1000)
    mapped = [clock.to_session(t) for t in times_ns]
    if abs(asked) <= 1 and mapped:  # at the very edge of a frame
        asked += mapped[near % len(mapped)]
    shown = shown_capture(table, clock, asked)
    begun = [i for i, t in enumerate(mapped) if t <= asked]
    if not begun or asked >= clock.to_session(times_ns[-1] + 1000):
        assert shown is None
    else:
        assert shown is not None
        assert shown.index == begun[-1]
    nearest = nearest_capture(table, clock, asked)
    if times_ns:
        assert nearest is not None
        assert abs(nearest.distance_ns) == min(abs(t - asked) for t in mapped)


def test_arrays_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        table_of([1, 2]).times_ns[0] = 5


def test_hostile_times_are_refused_in_a_sentence() -> None:
    with pytest.raises(DataError, match="64 bits"):
        frame_table([1 << 70], unit_num=1, unit_den=1)
    with pytest.raises(DataError, match="whole numbers"):
        frame_table([0.5], unit_num=1, unit_den=1)  # type: ignore[list-item]
    with pytest.raises(DataError, match="no unit of time"):
        frame_table([0], unit_num=1, unit_den=0)
    with pytest.raises(DataError, match="no unit of time"):
        frame_table([0], unit_num=-1, unit_den=5)
    with pytest.raises(DataError, match="146 years"):
        frame_table([1 << 62], unit_num=1, unit_den=90_000)
    with pytest.raises(DataError, match="146 years"):
        frame_table([0], unit_num=1, unit_den=1, durations=[1 << 61])
    with pytest.raises(DataError, match="2 times, 1 durations, 2 keys"):
        frame_table([0, 1], unit_num=1, unit_den=1, durations=[5])
    with pytest.raises(DataError, match="negative"):
        frame_table([0, 1], unit_num=1, unit_den=1, durations=[5, -1])
    with pytest.raises(DataError, match="more than zero"):
        frame_table([0, 1], unit_num=1, unit_den=1, hold_ns=0)
    times = np.array([5, 3], np.int64)
    with pytest.raises(DataError, match="must not fall"):
        FrameTable(
            times_ns=times, durations_ns=times, key=np.array([True, True]), units=times.copy(), unit_num=1, unit_den=1
        )
