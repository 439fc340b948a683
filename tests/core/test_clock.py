"""The playhead, stepped with a fixed dt."""

from __future__ import annotations

from fractions import Fraction
from math import trunc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.clock import Clock, TimeCause, TimeChanged, TransportChanged
from workstation.core.errors import DataError, UserError
from workstation.core.timebase import SECOND_NS, TimeRange

MS = 1_000_000
SPAN = TimeRange(0, 10 * SECOND_NS)


class Ear:
    def __init__(self, clock: Clock) -> None:
        self.times: list[TimeChanged] = []
        self.transports: list[TransportChanged] = []
        clock.time_changed.connect(self.hear_time)
        clock.transport_changed.connect(self.hear_transport)

    def hear_time(self, change: TimeChanged) -> None:
        self.times.append(change)

    def hear_transport(self, change: TransportChanged) -> None:
        self.transports.append(change)


def test_a_paused_clock_stands_still() -> None:
    clock = Clock(SPAN)
    ear = Ear(clock)
    clock.tick(16 * MS)
    clock.follow_audio(500)
    assert clock.time_ns == 0
    assert ear.times == []


def test_playing_moves_with_each_tick_and_pausing_stops() -> None:
    clock = Clock(SPAN)
    ear = Ear(clock)
    clock.play()
    clock.tick(16 * MS)
    clock.tick(16 * MS)
    clock.pause()
    clock.tick(16 * MS)
    assert [change.time_ns for change in ear.times] == [16 * MS, 32 * MS]
    assert ear.times[-1] == TimeChanged(32 * MS, 16 * MS, TimeCause.TICK)
    assert [change.playing for change in ear.transports] == [True, False]


@given(
    st.lists(st.integers(0, 40 * MS), max_size=50),
    st.integers(100, 4000),
    st.booleans(),
)
def test_many_small_ticks_go_as_far_as_one_long_one(ticks: list[int], rate_milli: int, back: bool) -> None:
    clock = Clock(TimeRange(-(10**12), 10**12))
    clock.seek(0)
    clock.set_rate(Fraction(rate_milli, 1000))
    if back:
        clock.shuttle_back()
        clock.set_rate(Fraction(rate_milli, 1000))
    else:
        clock.play()
    for dt_ns in ticks:
        clock.tick(dt_ns)
    assert clock.time_ns == trunc(clock.speed * sum(ticks))
    assert clock.speed == Fraction(-rate_milli if back else rate_milli, 1000)


def test_the_end_stops_on_the_last_nanosecond_and_play_starts_again() -> None:
    clock = Clock(SPAN)
    clock.seek(SPAN.end_ns - MS)
    clock.play()
    clock.tick(5 * MS)
    assert clock.time_ns == SPAN.end_ns - 1
    assert not clock.playing
    clock.play()
    assert clock.time_ns == 0
    assert clock.playing


def test_going_back_stops_at_the_start() -> None:
    clock = Clock(SPAN)
    clock.seek(MS)
    clock.shuttle_back()
    clock.tick(5 * MS)
    assert clock.time_ns == 0
    assert not clock.playing


def test_seeking_stays_in_the_span_and_says_why_it_moved() -> None:
    clock = Clock(SPAN)
    ear = Ear(clock)
    clock.seek(14 * SECOND_NS)
    clock.seek(14 * SECOND_NS)
    clock.seek(-5)
    assert [(c.time_ns, c.cause) for c in ear.times] == [(SPAN.end_ns - 1, TimeCause.SEEK), (0, TimeCause.SEEK)]
    with pytest.raises(DataError, match="146 years"):
        clock.seek(1 << 70)


def test_seeking_while_playing_goes_on_from_there() -> None:
    clock = Clock(SPAN)
    clock.play()
    clock.tick(MS)
    clock.seek(5 * SECOND_NS)
    clock.tick(MS)
    assert clock.time_ns == 5 * SECOND_NS + MS


def test_a_loop_keeps_what_went_past_its_end() -> None:
    clock = Clock(SPAN)
    ear = Ear(clock)
    clock.set_loop(TimeRange(2 * SECOND_NS, 3 * SECOND_NS))
    clock.seek(3 * SECOND_NS - 10 * MS)
    clock.play()
    clock.tick(16 * MS)
    assert clock.time_ns == 2 * SECOND_NS + 6 * MS
    assert ear.times[-1].cause is TimeCause.LOOP
    clock.tick(2500 * MS)
    assert clock.time_ns == 2 * SECOND_NS + 506 * MS
    assert clock.playing


def test_a_loop_at_the_end_of_the_span_goes_round() -> None:
    clock = Clock(SPAN)
    clock.set_loop(TimeRange(9 * SECOND_NS, 99 * SECOND_NS))
    assert clock.loop == TimeRange(9 * SECOND_NS, 10 * SECOND_NS)
    clock.seek(9 * SECOND_NS)
    clock.play()
    for _ in range(101):
        clock.tick(16 * MS)
        assert 9 * SECOND_NS <= clock.time_ns < 10 * SECOND_NS
    assert clock.time_ns == 9 * SECOND_NS + 616 * MS
    assert clock.playing


def test_a_loop_backwards() -> None:
    clock = Clock(SPAN)
    clock.set_loop(TimeRange(2 * SECOND_NS, 3 * SECOND_NS))
    clock.seek(2 * SECOND_NS + MS)
    clock.shuttle_back()
    clock.tick(3 * MS)
    assert clock.time_ns == 3 * SECOND_NS - 2 * MS


def test_a_playhead_behind_the_loop_plays_on() -> None:
    clock = Clock(SPAN)
    clock.set_loop(TimeRange(2 * SECOND_NS, 3 * SECOND_NS))
    clock.seek(3 * SECOND_NS)
    clock.play()
    clock.tick(SECOND_NS)
    assert clock.time_ns == 4 * SECOND_NS


@pytest.mark.parametrize("loop", [TimeRange(5, 5), TimeRange(20 * SECOND_NS, 30 * SECOND_NS)])
def test_a_loop_without_duration_in_the_sample_is_refused(loop: TimeRange) -> None:
    clock = Clock(SPAN)
    with pytest.raises(UserError, match="duration inside the sample"):
        clock.set_loop(loop)
    assert clock.loop is None


@pytest.mark.parametrize("rate", [0, 0.09, 4.01, -1, float("nan"), float("inf")])
def test_rates_outside_a_tenth_to_four_are_refused(rate: float) -> None:
    clock = Clock(SPAN)
    with pytest.raises(UserError, match=r"between 0\.1 and 4"):
        clock.set_rate(rate)
    assert clock.rate == 1


def test_the_rate_takes_effect_while_playing() -> None:
    clock = Clock(SPAN)
    clock.play()
    clock.set_rate(0.1)
    clock.tick(100 * MS)
    assert clock.time_ns == 10 * MS


def test_shuttle_keys() -> None:
    clock = Clock(SPAN)
    speeds: list[Fraction] = []
    for key in "LLLLJJJJLKJK":
        {"J": clock.shuttle_back, "K": clock.shuttle_stop, "L": clock.shuttle_forward}[key]()
        speeds.append(clock.speed)
    assert speeds == [1, 2, 4, 4, -1, -2, -4, -4, 1, 0, -1, 0]


def test_shuttle_from_slow_motion_goes_to_the_next_speed() -> None:
    clock = Clock(SPAN)
    clock.set_rate(0.5)
    clock.play()
    clock.shuttle_forward()
    assert clock.speed == 1
    clock.pause()
    clock.play()
    assert clock.speed == Fraction(1, 2), "shuttling leaves the rate of play alone"


def test_sound_sets_the_time_and_the_end_stops() -> None:
    clock = Clock(SPAN)
    ear = Ear(clock)
    clock.play()
    clock.follow_audio(123_456_789)
    assert ear.times[-1] == TimeChanged(123_456_789, 0, TimeCause.AUDIO)
    clock.follow_audio(SPAN.end_ns + 5)
    assert clock.time_ns == SPAN.end_ns - 1
    assert not clock.playing


def test_toggle_is_play_and_pause() -> None:
    clock = Clock(SPAN)
    clock.toggle()
    assert clock.playing
    clock.toggle()
    assert not clock.playing


def test_a_shorter_span_takes_playhead_and_loop_along() -> None:
    clock = Clock(SPAN)
    ear = Ear(clock)
    clock.set_loop(TimeRange(4 * SECOND_NS, 6 * SECOND_NS))
    clock.seek(9 * SECOND_NS)
    clock.set_span(TimeRange(0, 5 * SECOND_NS))
    assert clock.time_ns == 5 * SECOND_NS - 1
    assert ear.times[-1].cause is TimeCause.SPAN
    assert clock.loop == TimeRange(4 * SECOND_NS, 5 * SECOND_NS)
    clock.set_span(TimeRange(0, SECOND_NS))
    assert clock.loop is None


def test_a_sample_without_duration_does_not_play() -> None:
    clock = Clock(TimeRange.instant(5))
    clock.play()
    clock.tick(MS)
    assert clock.time_ns == 5
    assert not clock.playing


def test_a_listener_may_seek_when_the_end_is_reached() -> None:
    clock = Clock(SPAN)

    class Rewinder:
        def hear(self, change: TimeChanged) -> None:
            if change.time_ns == SPAN.end_ns - 1:
                clock.seek(SECOND_NS)

    rewinder = Rewinder()
    clock.time_changed.connect(rewinder.hear)
    clock.seek(SPAN.end_ns - MS)
    clock.play()
    clock.tick(2 * MS)
    assert clock.time_ns == SECOND_NS
    assert clock.playing


def test_time_does_not_pass_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        Clock(SPAN).tick(-1)


@given(st.integers(0, SPAN.end_ns - 1), st.integers(1, SPAN.end_ns), st.integers(100, 4000), st.integers(1, 3 * MS))
def test_a_selection_stops_on_its_last_nanosecond(start_ns: int, length_ns: int, rate: int, dt_ns: int) -> None:
    clock = Clock(SPAN)
    clock.set_loop(TimeRange(0, SECOND_NS))
    clock.set_rate(Fraction(rate, 1000))
    clock.seek(start_ns)
    clock.play_until(start_ns + length_ns)
    clock.tick(trunc(length_ns * 1000 / rate) * 9 // 10)
    assert clock.time_ns <= start_ns + length_ns
    for _ in range(3):
        clock.tick(dt_ns + trunc(length_ns * 1000 / rate))
    assert not clock.playing
    assert clock.until_ns is None
    assert clock.time_ns == min(start_ns + length_ns, SPAN.end_ns - 1)


def test_a_seek_past_the_end_of_a_selection_plays_on() -> None:
    clock = Clock(SPAN)
    ear = Ear(clock)
    clock.play_until(SECOND_NS)
    clock.seek(SECOND_NS // 2)
    assert clock.until_ns == SECOND_NS
    clock.seek(2 * SECOND_NS)
    clock.tick(SECOND_NS)
    assert (clock.playing, clock.until_ns, clock.time_ns) == (True, None, 3 * SECOND_NS)
    assert [change.until_ns for change in ear.transports] == [SECOND_NS, None]
    clock.play_until(SECOND_NS)  # not ahead
    assert clock.until_ns is None


def test_what_is_heard_never_goes_past_a_selection() -> None:
    clock = Clock(SPAN)
    clock.play_until(SECOND_NS)
    clock.follow_audio(SECOND_NS - 1)
    assert clock.playing
    clock.follow_audio(SECOND_NS + 5 * MS)
    assert (clock.time_ns, clock.playing) == (SECOND_NS, False)
