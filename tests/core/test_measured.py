"""Figures measured against closed formulas, wherever they lie in space."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.geometry import Figure, Measured, Measurement, shape_problems
from workstation.core.measured import angle_deg, area_mm2, dragged, outline_of, side_of, value_of

LENGTHS = st.floats(0.5, 300.0)
TURNS = st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))


def placed(points: list[tuple[float, float]], turn: tuple[float, float, float]) -> np.ndarray:
    """Flat points somewhere in space: turned about all three axes and moved."""
    a, b, c = turn
    about_z = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    about_y = np.array([[math.cos(c), 0, math.sin(c)], [0, 1, 0], [-math.sin(c), 0, math.cos(c)]])
    flat = np.column_stack([np.array(points), np.zeros(len(points))])
    return flat @ (about_z @ about_x @ about_y).T + (12.0, -340.0, 77.0)


@given(LENGTHS, LENGTHS, TURNS)
def test_areas_do_not_depend_on_where_they_lie(a: float, b: float, turn: tuple[float, float, float]) -> None:
    ellipse = placed([(-a, 0), (a, 0), (0, -b), (0, b)], turn)
    assert area_mm2(Figure.ELLIPSE, ellipse.tolist()) == pytest.approx(math.pi * a * b, rel=1e-9)
    rectangle = placed([(0, 0), (a, 0), (a, b), (0, b)], turn)
    assert area_mm2(Figure.OUTLINE, rectangle.tolist()) == pytest.approx(a * b, rel=1e-9)
    ring = outline_of(Figure.ELLIPSE, ellipse.tolist())
    assert area_mm2(Figure.OUTLINE, ring.tolist()) == pytest.approx(math.pi * a * b, rel=0.002)


@given(st.floats(0.1, 179.9), LENGTHS, LENGTHS, TURNS)
def test_an_angle_is_the_one_that_was_opened(
    angle: float, a: float, b: float, turn: tuple[float, float, float]
) -> None:
    arm = (b * math.cos(math.radians(angle)), b * math.sin(math.radians(angle)))
    assert angle_deg(placed([(a, 0), (0, 0), arm], turn).tolist()) == pytest.approx(angle, abs=1e-5)


def test_values_come_with_their_units() -> None:
    assert value_of(Figure.LINE, [(0, 0, 0), (3, 4, 12)]) == ("distance", 13.0, "mm")
    assert value_of(Figure.ANGLE, [(1, 0, 0), (0, 0, 0), (0, 2, 0)]) == ("angle", 90.0, "°")
    assert value_of(Figure.OUTLINE, [(0, 0, 5), (10, 0, 5), (10, 10, 5), (0, 10, 5)]) == ("area", 100.0, "mm²")
    assert angle_deg([(0, 0, 0), (0, 0, 0), (1, 1, 1)]) == 0.0


@given(LENGTHS, LENGTHS, LENGTHS, TURNS)
def test_pulling_an_end_of_an_ellipse_keeps_the_far_end_and_the_other_length(
    a: float, b: float, more: float, turn: tuple[float, float, float]
) -> None:
    before = placed([(-a, 0), (a, 0), (0, -b), (0, b), (a + more, 0)], turn)
    after = np.array(dragged(Figure.ELLIPSE, before[:4].tolist(), 1, before[4].tolist()))
    assert after[0] == pytest.approx(before[0])
    assert after[1] == pytest.approx(before[4])
    assert np.linalg.norm(after[3] - after[2]) == pytest.approx(2 * b)
    assert area_mm2(Figure.ELLIPSE, after.tolist()) == pytest.approx(math.pi * (a + more / 2) * b, rel=1e-6)
    assert np.dot(after[3] - after[2], before[3] - before[2]) > 0, "the axis has turned over"


def test_the_side_is_the_patients() -> None:
    assert side_of([(-60, 0, 0), (-40, 5, 5)]) == "right"
    assert side_of([(60, 0, 0)]) == "left"
    assert side_of([(-30, 0, 0), (32, 0, 0)]) == "midline"


def test_numbers_that_come_along_must_be_finite() -> None:
    fine = Measurement("area", 10.0, "mm²", ((0.0, 0.0, 0.0),) * 3, Figure.OUTLINE, (Measured("mean", -800.0, "HU"),))
    assert not list(shape_problems(fine))
    broken = Measurement("area", 10.0, "mm²", also=(Measured("mean", float("nan"), "HU"),))
    assert list(shape_problems(broken)) == ["a measurement needs finite numbers"]
