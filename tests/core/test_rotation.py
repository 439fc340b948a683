"""Quaternions against OpenCV's rotation vectors and against what they must do to vectors."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from workstation.core.rotation import (
    Floats,
    Quaternion,
    about_z,
    conjugate,
    matrix_of,
    multiply,
    quaternion_of,
    slerp,
    unit,
)

part = st.floats(-1, 1)


@st.composite
def quaternions(draw: st.DrawFn) -> Quaternion:
    raw = draw(st.tuples(part, part, part, part))
    assume(np.linalg.norm(raw) > 0.01)
    return unit(raw)


def by_opencv(rotation: Quaternion, share: float = 1.0) -> Floats:
    """The matrix of that share of the rotation, through its rotation vector."""
    w, *axis = rotation
    sine = float(np.linalg.norm(axis))
    vector = np.array(axis) / (sine or 1.0) * (2 * np.arctan2(sine, w) * share)
    return np.asarray(cv2.Rodrigues(vector)[0], np.float64)


@given(quaternions())
@example((0.0, 1.0, 0.0, 0.0))
@example((0.0, 0.0, 1.0, 0.0))
@example((0.0, 0.0, 0.0, 1.0))
def test_matrix_and_back(rotation: Quaternion) -> None:
    matrix = matrix_of(rotation)
    assert matrix == pytest.approx(by_opencv(rotation), abs=1e-12)
    back = np.array(quaternion_of(matrix))
    assert min(np.abs(back - rotation).max(), np.abs(back + rotation).max()) < 1e-12
    assert back[0] >= 0


@given(quaternions(), quaternions())
def test_product_is_one_after_the_other(left: Quaternion, right: Quaternion) -> None:
    assert matrix_of(multiply(left, right)) == pytest.approx(matrix_of(left) @ matrix_of(right), abs=1e-12)
    assert multiply(left, conjugate(left)) == pytest.approx((1, 0, 0, 0), abs=1e-12)


def test_heading_turns_x_towards_y() -> None:
    assert matrix_of(about_z(np.pi / 2)) @ (1, 0, 0) == pytest.approx((0, 1, 0))


@given(quaternions(), quaternions(), st.floats(0, 1))
def test_slerp_turns_evenly_about_one_axis(start: Quaternion, end: Quaternion, share: float) -> None:
    assume(abs(float(np.dot(start, end))) > 1e-3)  # half a turn apart there are two shortest ways
    expected = by_opencv(start) @ by_opencv(multiply(conjugate(start), end), share)
    got = slerp(np.array([start]), np.array([end]), np.array([share]))[0]
    assert matrix_of(got) == pytest.approx(expected, abs=1e-9)


def test_slerp_of_nearly_equal_rotations_is_finite_and_exact() -> None:
    turned = about_z(1e-9)
    half = slerp(np.array([(1.0, 0, 0, 0)]), np.array([turned]), np.array([0.5]))[0]
    assert half[3] == pytest.approx(0.25e-9, rel=1e-9)
