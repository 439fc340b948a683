"""What is said of a picture's lag, against a time table worked out by hand."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from workstation.app.lag import TOLERANCE_NS, Lag
from workstation.app.viewport import Viewport

MS = 1_000_000
ONCE = Fraction(1)


class Wall:
    """A clock on the wall that the test turns."""

    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms * MS


def played(lag: Lag, wall: Wall, *, ms: int, step: int = 10, start: int = 0) -> None:
    for at in range(start, start + ms + 1, step):
        wall.ms = at
        lag.reached(at * MS, ONCE)


def test_nothing_is_said_of_what_was_never_painted_nor_while_it_is_right() -> None:
    wall = Wall()
    lag = Lag(now_ns=wall)
    lag.begin(0)
    played(lag, wall, ms=1000)
    assert lag.text == ""
    lag.painted(0, 5000 * MS)
    played(lag, wall, ms=1000, start=1000)
    assert lag.text == ""


def test_a_picture_that_stays_is_behind_by_what_has_passed_since_it_was_right() -> None:
    wall = Wall()
    lag = Lag(now_ns=wall)
    lag.painted(0, 40 * MS)
    lag.begin(0)
    lag.painted(10 * MS, 50 * MS)
    played(lag, wall, ms=500)
    assert lag.text == "lag 450 ms"


def test_a_little_is_not_noticed_and_twice_as_much_is_allowed_at_twice_the_speed() -> None:
    for speed, late_ms, noticed in ((1, 40, False), (1, 41, True), (2, 80, False), (2, 81, True)):
        wall = Wall()
        lag = Lag(now_ns=wall)
        lag.begin(0)
        lag.painted(0, 100 * MS)
        wall.ms = 500
        assert lag.reached((100 + late_ms) * MS, Fraction(speed))
        assert bool(lag.text) is noticed, (speed, late_ms)
    assert TOLERANCE_NS == 40 * MS


def test_numbers_jumped_over_were_dropped_and_a_jump_of_the_clock_drops_none() -> None:
    wall = Wall()
    lag = Lag(now_ns=wall)
    lag.painted(0, 1, 0)
    lag.begin(0)
    for number in (0, 1, 4, 5):
        lag.painted(number, number + 1, number)
    assert lag.text == "2 dropped"
    lag.begin(900)
    lag.painted(5, 6, 5)  # the old picture once more, before the new one is there
    lag.painted(900, 901, 900)
    assert lag.dropped == 2
    lag.end()
    assert lag.text == ""


def test_what_was_painted_before_a_jump_does_not_count_as_far_behind() -> None:
    wall = Wall()
    lag = Lag(now_ns=wall)
    lag.begin(0)
    lag.painted(0, 40 * MS, 0)
    lag.begin(60_000 * MS)
    lag.painted(0, 40 * MS, 0)
    wall.ms = 500
    assert lag.reached(60_100 * MS, ONCE)
    assert lag.text == "lag 100 ms"


def test_a_playhead_is_right_as_long_as_it_stays_on_its_pixel() -> None:
    wall = Wall()
    lag = Lag(now_ns=wall)
    view = Viewport(0, 10_000 * MS, 100)  # 100 ms a pixel
    lag.painted_playhead(view, 420 * MS)
    lag.begin(420 * MS)
    lag.painted_playhead(view, 420 * MS)
    wall.ms = 500
    lag.reached(449 * MS, ONCE)
    assert lag.text == ""
    wall.ms = 1000
    lag.painted_playhead(view, 430 * MS)  # the same pixel
    lag.reached(600 * MS, ONCE)
    assert lag.text == "lag 150 ms"


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30), st.integers(-5000, 5000))
def test_the_lag_is_never_less_than_none_and_never_more_than_the_distance(times: list[int], painted: int) -> None:
    wall = Wall()
    lag = Lag(tolerance_ns=0, now_ns=wall)
    lag.begin(0)
    lag.painted(painted, painted)
    for number, time_ns in enumerate(times, start=1):
        wall.ms = 500 * number
        lag.reached(time_ns, ONCE)
        assert lag.behind_ns == abs(time_ns - painted)
