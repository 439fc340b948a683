"""Time maps: hand-computed cases, and the laws their module promises, judged with exact fractions."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from math import ceil, floor

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.core.timebase import (
    IDENTITY,
    LIMIT_NS,
    SECOND_NS,
    TimeMap,
    TimeRange,
    knot_map,
    offset_map,
    rate_map,
)

HOUR_NS = 3600 * SECOND_NS
times = st.integers(-(10**16), 10**16)


@st.composite
def maps(draw: st.DrawFn, *, slowest: Fraction = Fraction(1, 20), fastest: Fraction = Fraction(20)) -> TimeMap:
    """One to five knots up to hours apart; tight ones too, so that roundings meet knots."""
    steps = draw(st.lists(st.integers(1, 50) | st.integers(1, 5 * HOUR_NS), max_size=4))
    stream_ns, session_ns = draw(times), draw(times)
    knots = [(stream_ns, session_ns)]
    for step in steps:
        rate = draw(st.fractions(slowest, fastest, max_denominator=10**7))
        advance = min(max(round(step * rate), ceil(step * slowest)), floor(step * fastest))
        stream_ns, session_ns = stream_ns + step, session_ns + advance
        knots.append((stream_ns, session_ns))
    outer = st.fractions(slowest, fastest, max_denominator=10**9)
    return knot_map(knots, rate_before=draw(outer), rate_after=draw(outer))


def true_value(time_map: TimeMap, stream_ns: int | Fraction) -> Fraction:
    """The map without any rounding, from its knots and outer rates."""
    starts = [s for s, _ in time_map.knots]
    i = bisect_right(starts, stream_ns)
    s0, t0 = time_map.knots[max(i - 1, 0)]
    if i == 0:
        rate = Fraction(*time_map.rate_before)
    elif i == len(starts):
        rate = Fraction(*time_map.rate_after)
    else:
        s1, t1 = time_map.knots[i]
        rate = Fraction(t1 - t0, s1 - s0)
    return t0 + (stream_ns - s0) * rate


# Hand-computed


def test_identity_and_offset() -> None:
    assert IDENTITY.to_session(14_327_000_000) == 14_327_000_000
    late = offset_map(25_000_000)
    assert late.to_session(1_000_000_000) == 1_025_000_000
    assert late.to_stream(1_025_000_000) == 1_000_000_000
    assert late.offset_at(7) == 25_000_000


def test_fifty_milliseconds_over_ten_minutes() -> None:
    drift = rate_map(1 + Fraction(50_000_000, 600 * SECOND_NS))
    assert drift.rate_after == (12001, 12000)
    assert drift.to_session(600 * SECOND_NS) == 600_050_000_000
    assert drift.to_session(300 * SECOND_NS) == 300_025_000_000
    assert drift.to_session(1) == 1
    assert drift.to_session(6000) == 6001, "half a nanosecond is rounded up"
    assert drift.to_session(-6000) == -6000, "up also below zero"


def test_nothing_is_lost_over_a_year_at_one_part_in_a_trillion() -> None:
    year_ns = 365 * 24 * HOUR_NS
    assert rate_map(1 + Fraction(1, 10**12)).to_session(year_ns) == year_ns + 31_536


def test_pieces_meet_at_their_knots() -> None:
    bent = knot_map([(0, 100), (10, 120), (40, 130)])
    assert [bent.to_session(s) for s in (-5, 0, 5, 10, 25, 40, 70)] == [90, 100, 110, 120, 125, 130, 140]
    assert [bent.to_stream(t) for t in (90, 100, 110, 120, 125, 130, 140)] == [-5, 0, 5, 10, 25, 40, 70]


def test_a_slow_piece_squeezes_but_never_runs_backwards() -> None:
    third = rate_map(Fraction(1, 3))
    assert [third.to_session(s) for s in range(7)] == [0, 0, 1, 1, 1, 2, 2]
    assert [third.first_stream_at(t) for t in (0, 1, 2)] == [-1, 2, 5]


# Laws


@given(maps(), times)
def test_session_time_is_the_true_value_rounded_half_up(time_map: TimeMap, stream_ns: int) -> None:
    assert time_map.to_session(stream_ns) == floor(true_value(time_map, stream_ns) + Fraction(1, 2))


@given(maps())
def test_exact_at_knots_both_ways(time_map: TimeMap) -> None:
    for stream_ns, session_ns in time_map.knots:
        assert time_map.to_session(stream_ns) == session_ns
        assert time_map.to_stream(session_ns) == stream_ns


@given(maps(), times, st.integers(0, 100))
def test_never_backwards_and_distinct_a_step_apart(time_map: TimeMap, stream_ns: int, step_ns: int) -> None:
    before, after = time_map.to_session(stream_ns), time_map.to_session(stream_ns + step_ns)
    assert before <= after
    if step_ns >= ceil(1 / min(time_map.rates)):
        assert before < after


@given(maps(), times)
def test_round_trips(time_map: TimeMap, time_ns: int) -> None:
    back = time_map.to_stream(time_map.to_session(time_ns))
    assert abs(back - time_ns) <= floor(Fraction(1, 2) + 1 / (2 * min(time_map.rates)))
    forth = time_map.to_session(time_map.to_stream(time_ns))
    assert abs(forth - time_ns) <= floor(Fraction(1, 2) + max(time_map.rates) / 2)


@given(maps(slowest=1 - Fraction(1, 1000), fastest=1 + Fraction(1, 1000)), times)
def test_near_rate_one_a_round_trip_is_within_a_nanosecond(time_map: TimeMap, time_ns: int) -> None:
    assert abs(time_map.to_stream(time_map.to_session(time_ns)) - time_ns) <= 1


@given(maps(slowest=Fraction(1)), times)
def test_from_rate_one_on_a_round_trip_is_exact(time_map: TimeMap, time_ns: int) -> None:
    assert time_map.to_stream(time_map.to_session(time_ns)) == time_ns


@given(maps(), times, st.integers(0, 3), st.integers(-40, 40))
def test_a_window_holds_exactly_the_stream_times_that_map_into_it(
    time_map: TimeMap, start_ns: int, duration_ns: int, near: int
) -> None:
    asked = TimeRange(start_ns, start_ns + duration_ns)
    window = time_map.stream_window(asked)
    stream_ns = window.start_ns + near
    in_window = window.start_ns <= stream_ns < window.end_ns
    assert in_window == asked.contains(time_map.to_session(stream_ns))


@given(maps(), st.lists(times, max_size=8))
def test_arrays_equal_single_values(time_map: TimeMap, values: list[int]) -> None:
    array = np.array(values, np.int64)
    assert time_map.to_session_array(array).tolist() == [time_map.to_session(v) for v in values]
    assert time_map.to_stream_array(array).tolist() == [time_map.to_stream(v) for v in values]


def test_arrays_equal_single_values_near_the_limits() -> None:
    """Far from zero and with terms of 60 bits, where neither the product nor a float would do."""
    long = knot_map([(-(LIMIT_NS // 2), -(LIMIT_NS // 2) + 12345), (LIMIT_NS // 2 - 1, LIMIT_NS // 2 - 987_654_321)])
    values = [-(LIMIT_NS // 2), -(10**15) - 7, -1, 0, 1, 10**18 + 3, LIMIT_NS // 2 - 1]
    expected = [floor(true_value(long, v) + Fraction(1, 2)) for v in values]
    assert long.to_session_array(np.array(values, np.int64)).tolist() == expected


@given(maps(slowest=Fraction(1, 4), fastest=Fraction(4)), maps(slowest=Fraction(1, 4), fastest=Fraction(4)), times)
def test_composing_is_one_after_the_other(inner: TimeMap, outer: TimeMap, stream_ns: int) -> None:
    composed = inner.then(outer)
    bound = Fraction(3, 2) + max(outer.rates) + max(inner.rates) * max(outer.rates)
    stray = Fraction(abs(stream_ns) + 4 * 10**16, 10**15)  # outer rates rounded to 15 digits
    assert abs(composed.to_session(stream_ns) - outer.to_session(inner.to_session(stream_ns))) <= bound + 16 * stray


@given(maps(), times)
def test_inverted_swaps_the_directions(time_map: TimeMap, time_ns: int) -> None:
    assert time_map.inverted().to_session(time_ns) == time_map.to_stream(time_ns)
    assert time_map.inverted().inverted() == time_map


@given(maps(), times, st.integers(-(10**12), 10**12))
def test_moving_adds_to_every_session_time(time_map: TimeMap, time_ns: int, delta_ns: int) -> None:
    assert time_map.moved(delta_ns).to_session(time_ns) == time_map.to_session(time_ns) + delta_ns


@given(maps(), times, st.integers(0, 10**10))
@example(rate_map(Fraction(1, 1000)), 5, 1)
def test_ranges_stay_what_they_are(time_map: TimeMap, start_ns: int, duration_ns: int) -> None:
    given_range = TimeRange(start_ns, start_ns + duration_ns)
    for mapped in (time_map.range_to_session(given_range), time_map.range_to_stream(given_range)):
        assert mapped.is_instant == given_range.is_instant
    assert time_map.range_to_session(given_range).start_ns == time_map.to_session(start_ns)


@given(maps())
def test_json_round_trip(time_map: TimeMap) -> None:
    told = time_map.found_by("clap", evidence={"picks": [1.5, None, "é"], "n": 3}, residual_ns=41)
    time_map.to_session(0)  # a map that has been used is still the same value
    assert msgspec.json.decode(msgspec.json.encode(told), type=TimeMap) == told
    assert told.evidence_values == {"picks": [1.5, None, "é"], "n": 3}
    assert told.knots == time_map.knots


def test_composing_keeps_where_both_came_from() -> None:
    recorder = offset_map(5).found_by("ptp", evidence={"lock": True}, residual_ns=100)
    session = rate_map(Fraction(2)).found_by("clap", residual_ns=1000)
    both = recorder.then(session)
    assert both.method == "ptp, then clap"
    assert both.evidence_values == {"first": {"lock": True}, "then": {}}
    assert both.residual_ns == 1200
    assert both.to_session(10) == 30
    assert recorder.then(IDENTITY).residual_ns is None


# Refused


@pytest.mark.parametrize(
    ("knots", "words"),
    [
        ([], "at least one knot"),
        ([(0, 0), (0, 5)], "must grow"),
        ([(0, 0), (5, 0)], "must grow"),
        ([(0, 0), (5, -5)], "must grow"),
        ([(0, 0), (1, 2_000_000)], "one million"),
        ([(0, 0), (2_000_000, 1)], "one millionth"),
        ([(1 << 63, 0)], "146 years"),
        ([(0, -(1 << 64))], "146 years"),
    ],
)
def test_bad_knots_are_refused_in_a_sentence(knots: list[tuple[int, int]], words: str) -> None:
    with pytest.raises(DataError, match=words):
        TimeMap(knots=tuple(knots))
    with pytest.raises(DataError, match=words):
        msgspec.json.decode(msgspec.json.encode({"knots": knots}), type=TimeMap)


@pytest.mark.parametrize("rate", [Fraction(0), Fraction(-1), Fraction(1, 10**7), Fraction(10**7), Fraction(10**40)])
def test_bad_rates_are_refused(rate: Fraction) -> None:
    with pytest.raises(DataError):
        rate_map(rate)


@pytest.mark.parametrize("pair", [(1, 0), (0, 1), (-1, -1), (10**15 + 1, 10**15)])
def test_bad_fractions_are_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="fraction"):
        TimeMap(rate_after=pair)


@pytest.mark.parametrize("evidence", ["", "[]", "nul", "{", '"x"'])
def test_evidence_is_a_json_object(evidence: str) -> None:
    with pytest.raises(DataError, match="JSON object"):
        TimeMap(evidence=evidence)


def test_leaving_the_range_of_time_is_refused_not_wrapped() -> None:
    fast = rate_map(Fraction(1000))
    with pytest.raises(DataError, match="146 years"):
        fast.to_session(1 << 60)
    with pytest.raises(DataError, match="146 years"):
        fast.to_session_array(np.array([0, 1 << 60]))
    with pytest.raises(DataError, match="146 years"):
        IDENTITY.to_session(1 << 63)
    with pytest.raises(DataError, match="146 years"):
        IDENTITY.to_session_array(np.array([np.iinfo(np.int64).min]))
    with pytest.raises(DataError, match="146 years"):
        rate_map(Fraction(1, 1000)).first_stream_at(1 << 60)


def test_times_as_floats_are_a_mistake() -> None:
    with pytest.raises(TypeError, match="int64"):
        IDENTITY.to_session_array(np.array([0.5]))


def test_a_negative_residual_is_refused() -> None:
    with pytest.raises(DataError, match="negative"):
        IDENTITY.found_by("clap", residual_ns=-1)


def test_rates_are_what_the_knots_say() -> None:
    bent = knot_map([(0, 0), (10, 20), (30, 30)], rate_after=Fraction(1))
    assert bent.rates == (Fraction(2), Fraction(2), Fraction(1, 2), Fraction(1))
