"""Between the preparing thread and the callback: what comes late is left out, and the places stay true."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.media.playback_feed import Entry, Feed, Grid, Run
from workstation.media.playback_feeder import Playout, Wish

RATE = 8000


def ramp(first: int, last: int) -> NDArray[np.float32]:
    """Every sample is its own place."""
    return np.arange(first, last, dtype=np.float32)[:, None]


def playout(*, speed: Fraction = Fraction(1), start: int = 0, end: int = 100_000, loop: tuple[int, int] | None = None,
            capacity: int = 8192) -> Playout:  # fmt: skip
    grid = Grid(RATE)
    run = Run(grid, capacity=capacity, channels=1, speed=speed, end_ns=grid.time_of(end))
    wish = Wish(
        start_ns=grid.time_of(start),
        end_ns=grid.time_of(end),
        speed=speed,
        loop=None if loop is None else TimeRange(grid.time_of(loop[0]), grid.time_of(loop[1])),
    )
    return Playout(run, ramp, wish, channels=1)


def taken(run: Run, count: int) -> NDArray[np.float32]:
    out = np.full((count, 1), np.nan, np.float32)
    run.take(out)
    return out[:, 0]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 4000), st.booleans()), min_size=1, max_size=40))
def test_whatever_is_heard_is_in_time(asked: list[tuple[int, bool]]) -> None:
    play = playout()
    at = 0
    for count, prepared in asked:
        while prepared and play.fill():
            pass
        got = taken(play.run, count)
        own = np.arange(at, at + count)
        heard = got != 0
        assert np.array_equal(got[heard], own[heard].astype(np.float32))
        if prepared:
            assert heard[: min(count, 4000)].sum() >= min(count, 4000) - 1  # place 0 is silent itself
        at += count
        time_ns = play.run.time_at(at)
        assert time_ns is None or time_ns == Grid(RATE).time_of(at)


def test_what_came_late_in_a_slow_run_is_left_out() -> None:
    play = playout(speed=Fraction(1, 2))
    while play.fill():
        pass
    taken(play.run, 20_000)  # more than was ready
    assert play.run.starved
    while play.fill():
        pass
    place_ns = play.run.time_at(20_000)
    assert place_ns is not None
    got = taken(play.run, 160)
    assert got[0] == pytest.approx(place_ns * RATE / SECOND_NS, abs=1)
    assert place_ns == pytest.approx(10_000 * SECOND_NS // RATE, abs=20_000_000)


def test_what_came_late_in_a_loop_is_left_out_round_by_round() -> None:
    play = playout(start=100, loop=(100, 350))
    play.fill()
    taken(play.run, 9_999)
    while play.fill():
        pass
    assert np.array_equal(taken(play.run, 500), (9_999 + np.arange(500)) % 250 + 100)


def test_what_came_late_at_the_end_is_the_end() -> None:
    play = playout(end=3000)
    taken(play.run, 5000)
    while play.fill():
        pass
    assert play.run.total == 3000
    assert play.run.time_at(5000) == Grid(RATE).time_of(3000)
    assert not taken(play.run, 100).any()


def test_a_loop_behind_the_playhead_is_not_taken() -> None:
    play = playout(start=400, end=1000, loop=(100, 350))
    while play.fill():
        pass
    assert np.array_equal(taken(play.run, 600), np.arange(400, 1000))


def test_a_selection_shorter_than_a_sample_is_over_at_once() -> None:
    grid = Grid(RATE)
    run = Run(grid, capacity=8192, channels=1, speed=Fraction(1), end_ns=60_000)
    play = Playout(run, ramp, Wish(start_ns=10, end_ns=60_000, speed=Fraction(1)), channels=1)
    assert not play.fill()
    assert (run.total, run.time_at(0)) == (0, 60_000)


@given(
    place=st.integers(-(10**9), 10**10), rate=st.sampled_from([8000, 44100, 48000, 96000]), phase=st.integers(-9, 99)
)
def test_a_place_begins_at_its_own_time(place: int, rate: int, phase: int) -> None:
    grid = Grid(rate, phase)
    time_ns = grid.time_of(place)
    assert grid.first_at(time_ns) == place
    assert grid.first_at(time_ns + 1) == place + 1
    assert abs(grid.time_between(float(place)) - time_ns) <= 1


def test_the_ledger_of_a_long_slow_run_does_not_grow() -> None:
    run = Run(Grid(RATE), capacity=64, channels=1, speed=Fraction(1, 2))
    for number in range(20_000):
        run.write(ramp(0, 10), [Entry(10 * number, 10 * number + 10, 5 * number, 5 * number + 5)])
        taken(run, 10)
    assert run.time_at(199_990) == Grid(RATE).time_of(99_995)
    assert len(run._ledger) <= 4096


def test_a_device_that_stood_still_is_believed_where_it_stood() -> None:
    feed, play = Feed(), playout()
    while play.fill():
        pass
    feed.attach(play.run)
    out = np.empty((800, 1), np.float32)
    feed.fill(out, 1_000_000_000)
    feed.fill(out, 1_500_000_000)  # 400 ms late
    assert feed.heard(play.run, 999_999_999) is None
    assert feed.heard(play.run, 1_050_000_000) == 400
    assert feed.heard(play.run, 1_300_000_000) == 800
    assert feed.heard(play.run, 1_510_000_000) == 880
    assert feed.heard(play.run, 9_000_000_000) == 1600 + 2000  # a quarter of a second is carried on, no more
    feed.attach(None)
    feed.fill(out, 1_600_000_000)
    assert feed.heard(play.run, 1_550_000_000) == 1200
    assert feed.heard(play.run, 1_650_000_000) is None
