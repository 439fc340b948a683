"""The laws of the way between time and pixels, at every zoom from ten hours to single samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.viewport import SHORTEST_NS, Viewport, whole
from workstation.core.timebase import SECOND_NS, TimeRange

TEN_HOURS = 36_000 * SECOND_NS
SPANS = st.tuples(st.integers(-TEN_HOURS, TEN_HOURS), st.integers(1_000, TEN_HOURS)).map(
    lambda each: TimeRange(each[0], each[0] + each[1])
)
VIEWS = st.builds(
    Viewport, st.integers(-TEN_HOURS, TEN_HOURS), st.integers(SHORTEST_NS, TEN_HOURS), st.integers(50, 8000)
)
FACTORS = st.floats(0.001, 1000)


@given(VIEWS, st.integers(0, 7999))
def test_there_and_back_is_within_a_nanosecond_of_pixels(view: Viewport, x: int) -> None:
    assert abs(view.x_of(view.ns_at(x)) - x) <= 0.51 / view.ns_per_px + 1e-6


@given(VIEWS, st.floats(0, 1))
def test_a_time_comes_back_within_half_a_nanosecond_per_rounding(view: Viewport, share: float) -> None:
    time_ns = view.start_ns + round(share * (view.duration_ns - 1))
    error = abs(view.ns_at(view.x_of(time_ns)) - time_ns)
    assert error <= 1 + view.duration_ns * 1e-12  # what a float can hold of a number of pixels


@given(VIEWS, st.lists(st.integers(-2 * TEN_HOURS, 2 * TEN_HOURS), min_size=1, max_size=50))
def test_columns_are_the_floor_of_places_and_never_fall(view: Viewport, times: list[int]) -> None:
    ordered = sorted(times)
    columns = view.columns(np.array(ordered, np.int64))
    assert (np.diff(columns) >= 0).all()
    for time_ns, column in zip(ordered, columns.tolist(), strict=True):
        if abs(column) < 1 << 30:
            assert column - 1e-6 * (1 + abs(column)) <= view.x_of(time_ns) <= column + 1 + 1e-6 * (1 + abs(column))


@given(SPANS, FACTORS, st.floats(0.2, 0.8), st.integers(100, 4000))
def test_zooming_keeps_what_is_under_the_pointer(span: TimeRange, factor: float, share: float, width: int) -> None:
    view = whole(span, width)
    at_x = share * width
    held = view.ns_at(at_x)
    zoomed = view.zoomed(factor, at_x, span)
    middle = zoomed.start_ns + zoomed.duration_ns // 2
    if span.start_ns < middle < span.end_ns - 1:  # else the end of the sample pushed the view
        assert abs(zoomed.ns_at(at_x) - held) <= 2
    assert SHORTEST_NS <= zoomed.duration_ns <= max(SHORTEST_NS, round(span.duration_ns * 1.1))


@given(SPANS, st.integers(-TEN_HOURS, TEN_HOURS))
def test_panning_never_loses_the_sample(span: TimeRange, by_ns: int) -> None:
    view = whole(span, 1000).zoomed(0.3, 500, span).panned(by_ns, span)
    middle = view.start_ns + view.duration_ns // 2
    assert span.start_ns <= middle <= span.end_ns
    back = view.panned(-by_ns, span)
    assert back.duration_ns == view.duration_ns


@given(SPANS, st.floats(0, 1))
def test_a_page_turns_to_a_time_and_stays_when_it_is_there(span: TimeRange, share: float) -> None:
    view = whole(span, 1000).zoomed(0.1, 0, span)
    time_ns = span.start_ns + round(share * (span.duration_ns - 1))
    turned = view.turned_to(time_ns, span)
    assert turned.start_ns <= time_ns < turned.end_ns
    assert turned.turned_to(time_ns, span) == turned


def test_from_hours_to_single_samples() -> None:
    span = TimeRange(0, TEN_HOURS)
    view = whole(span, 1200)
    assert view.shown.contains_range(span)
    view = view.zoomed(1e-12, view.x_of(5 * SECOND_NS), span)
    assert view.duration_ns == SHORTEST_NS
    assert view.ns_per_px < SECOND_NS / 192_000
    assert abs(view.ns_at(view.x_of(5 * SECOND_NS)) - 5 * SECOND_NS) <= 1


def test_nothing_cannot_be_shown() -> None:
    with pytest.raises(ValueError, match="nothing can be shown"):
        Viewport(0, 0, 100)


@given(SPANS, st.integers(-3000, 3000), st.sampled_from([1.0, 0.5]))
def test_a_view_steps_by_whole_pixels_and_as_far_as_it_may(span: TimeRange, count: int, step_px: float) -> None:
    view = whole(span, 1000)
    after = view.stepped(count, step_px, span)
    steps = (after.start_ns - view.start_ns) / (view.ns_per_px * step_px)
    assert abs(steps - round(steps)) * view.ns_per_px * step_px <= 1  # a nanosecond of rounding
    freely = view.panned(view.distance_ns(count * step_px), span)
    assert abs(after.start_ns - freely.start_ns) <= view.ns_per_px * step_px + 1
    assert abs(after.start_ns - view.start_ns) <= abs(view.distance_ns(count * step_px))
