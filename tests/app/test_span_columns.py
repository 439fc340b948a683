"""Reducing spans to pixels equals painting them one after the other, however many, however zoomed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.span_columns import MOST_ROWS, Bars, bars, free_row, packed_rows, reduce_bars
from workstation.app.viewport import Viewport

INTERVALS = st.lists(
    st.tuples(st.integers(-2000, 60_000), st.one_of(st.just(0), st.integers(0, 300), st.integers(0, 40_000))),
    max_size=60,
)
VIEWS = st.builds(Viewport, st.integers(-3000, 50_000), st.integers(100, 80_000), st.integers(5, 300))


def packed(intervals: list[tuple[int, int]]) -> tuple[Bars, int]:
    ordered = sorted((start, start + length) for start, length in intervals)
    starts = np.array([start for start, _ in ordered], np.int64)
    ends = np.array([end for _, end in ordered], np.int64)
    rows, count = packed_rows(starts, ends)
    numbers = np.arange(len(ordered), dtype=np.int32)
    return bars(starts, ends, rows, numbers, numbers, in_order=True), count


def painted(held: Bars, view: Viewport, row_count: int) -> np.ndarray:
    """The broad ones first, each over its pixels, then the ones narrower than a pixel."""
    picture = np.full((row_count, view.width_px), -1, np.int32)
    begin, end = view.columns(held.starts), view.columns(held.ends)
    for narrow in (False, True):
        for i in range(len(held)):
            reaches = max(held.ends[i], held.starts[i] + 1) > view.start_ns and held.starts[i] < view.end_ns
            if reaches and bool(begin[i] == end[i]) == narrow:
                last = end[i] + 1 if narrow else end[i]
                picture[held.rows[i], max(0, begin[i]) : max(0, last)] = i
    return picture


@given(INTERVALS, VIEWS)
def test_reduced_equals_painted_one_by_one(intervals: list[tuple[int, int]], view: Viewport) -> None:
    held, count = packed(intervals)
    assert np.array_equal(reduce_bars(held, view, count).index, painted(held, view, count))


@given(INTERVALS)
def test_rows_never_hold_two_at_once_and_are_as_few_as_can_be(intervals: list[tuple[int, int]]) -> None:
    held, count = packed(intervals)
    deepest = 0
    for i in range(len(held)):
        at = held.starts[i]
        over = (held.starts <= at) & (np.maximum(held.ends, held.starts + 1) > at)
        deepest = max(deepest, int(np.count_nonzero(over)))
        assert len(set(held.rows[over].tolist())) == np.count_nonzero(over)
    assert count == max(1, deepest)


@given(INTERVALS, st.integers(-2000, 60_000), st.integers(0, 5000))
def test_a_free_row_is_free(intervals: list[tuple[int, int]], start: int, length: int) -> None:
    held, count = packed(intervals)
    row = free_row(held, start, start + length, None, count)
    mine = held.rows == row
    apart = (held.starts[mine] >= max(start + length, start + 1)) | (
        np.maximum(held.ends[mine], held.starts[mine] + 1) <= start
    )
    assert apart.all()


def test_what_overlaps_too_deeply_shares_the_last_row_and_still_shows() -> None:
    held, count = packed([(0, 1000)] * (MOST_ROWS + 50))
    assert count == MOST_ROWS
    assert (reduce_bars(held, Viewport(0, 1000, 10), count).index >= 0).all()


def test_a_short_event_is_not_swallowed_by_its_neighbours() -> None:
    held, count = packed([(0, 1000), (1000, 1), (1001, 1000)])
    shown = reduce_bars(held, Viewport(0, 2001, 20), count).index
    assert set(shown[0].tolist()) == {0, 1, 2}


@given(INTERVALS, VIEWS, st.integers(-400, 400), st.integers(1, 200))
def test_some_columns_are_what_all_of_them_together_are(
    intervals: list[tuple[int, int]], view: Viewport, first: int, count_px: int
) -> None:
    """Asked for beside the view or in it, beyond its edges too."""
    held, count = packed(intervals)
    low, high = min(first, 0), max(first + count_px, view.width_px)
    everything = reduce_bars(held, view, count, (low, high))
    some = reduce_bars(held, view, count, (first, first + count_px))
    mine = slice(first - low, first - low + count_px)
    assert np.array_equal(some.index, everything.index[:, mine])
    assert np.array_equal(some.first, everything.first[:, mine])
    inside = slice(-low, view.width_px - low)
    assert np.array_equal(everything.index[:, inside], reduce_bars(held, view, count).index)
