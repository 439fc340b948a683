"""Values that people type and draw: numbers with units, curves through points."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.series_curves import ScaleMode
from workstation.app.series_layout import ChannelChoice, SeriesLayout, keep_series_layout, read_series_layout
from workstation.app.series_values import drawn_over, thinned, typed_unit, typed_value, value_of, with_point
from workstation.core.errors import UserError
from workstation.core.geometry import Curve


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("4.2", "m/s²", 4.2), ("−4,2 m/s²", "m/s²", -4.2), (" 4.2 m/s^2 ", "m/s²", 4.2), ("36 km/h", "m/s", 10.0),
        ("1 g", "m/s²", 9.80665), ("350 ms", "s", 0.35), ("0.5", "", 0.5), ("50 %", "", 0.5), ("180 °", "rad", math.pi),
        ("1e-3", "V", 1e-3), (".5 mV", "mV", 0.5), ("250 µV", "mV", 0.25),
    ],
)  # fmt: skip
def test_a_number_is_taken_in_the_unit_wanted(text: str, unit: str, value: float) -> None:
    assert typed_value(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("text", ["", "fast", "4 furlongs", "1e999", "nan", "4 5", "--3", "4 kg"])
def test_what_is_no_such_number_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(UserError) as refused:
        typed_value(text, "m/s")
    assert str(refused.value)


def test_the_unit_behind_a_number() -> None:
    assert typed_unit("0.4 mV") == "mV"
    assert typed_unit("0.4") == ""


points = st.lists(st.tuples(st.integers(0, 1000), st.floats(-5, 5)), min_size=1, max_size=30).map(
    lambda each: tuple(sorted(dict(each).items()))
)


@given(points, st.integers(0, 1000), st.floats(-5, 5))
def test_a_point_more_keeps_the_others(held: tuple[tuple[int, float], ...], time: int, value: float) -> None:
    now = with_point(held, time, value)
    assert dict(now) == {**dict(held), time: value}
    assert [each for each, _ in now] == sorted({each for each, _ in now})


@given(points, st.lists(st.tuples(st.integers(0, 1000), st.floats(-5, 5)), min_size=1, max_size=20))
def test_a_stroke_replaces_what_lies_under_it_and_nothing_else(
    held: tuple[tuple[int, float], ...], stroke: list[tuple[int, float]]
) -> None:
    now = dict(drawn_over(held, stroke))
    first, last = min(time for time, _ in stroke), max(time for time, _ in stroke)
    assert {t: v for t, v in now.items() if not first <= t <= last} == {t: v for t, v in held if not first <= t <= last}
    assert {t: v for t, v in now.items() if first <= t <= last} == dict(stroke)


@given(points, st.floats(0.01, 2.0))
def test_a_thinned_line_stays_within_the_tolerance(held: tuple[tuple[int, float], ...], tolerance: float) -> None:
    kept = Curve(points=thinned(held, tolerance))
    assert kept.points[0] == held[0]
    assert kept.points[-1] == held[-1]
    for time, value in held:
        there = value_of(kept, time)
        assert there is not None
        assert abs(there - value) <= tolerance + 1e-9


def test_a_curve_says_nothing_outside_its_points() -> None:
    curve = Curve(points=((10, 1.0), (20, 3.0)))
    assert [value_of(curve, each) for each in (9, 10, 15, 20, 21)] == [None, 1.0, 2.0, 3.0, None]


def test_channels_are_chosen_ordered_and_kept(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    keys = [f"imu/c{i}" for i in range(10)]
    layout = SeriesLayout()
    assert layout.shown(keys) == keys[:8]
    layout = layout.with_choice("imu/c9", ChannelChoice(shown=True)).with_choice("imu/c0", ChannelChoice(shown=False))
    assert layout.shown(keys) == [*keys[1:8], "imu/c9"]
    layout = layout.moved(layout.shown(keys), "imu/c9", -7)
    assert layout.ordered(layout.shown(keys)) == ["imu/c9", *keys[1:8]]
    layout = layout.with_choice("imu/c1", ChannelChoice(mode=ScaleMode.LOG, low=0.1, high=10.0))
    keep_series_layout(tmp_path / "project", layout)
    assert read_series_layout(tmp_path / "project") == layout
    assert read_series_layout(tmp_path / "other") == SeriesLayout()
