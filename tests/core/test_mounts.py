"""Cameras that stand upright and cameras read the wrong way round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.mounts import camera_doubt
from workstation.core.poses import RigidTransform, transform_of_matrix
from workstation.core.rotation import about_z, matrix_of

FORWARD = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
"""Vehicle from camera: right is −y, down is −z, into the picture is x."""


def mounted(yaw_rad: float, pitch_rad: float, place: tuple[float, float, float]) -> RigidTransform:
    tilt = np.array([[np.cos(pitch_rad), 0, np.sin(pitch_rad)], [0, 1, 0], [-np.sin(pitch_rad), 0, np.cos(pitch_rad)]])
    turn = matrix_of(about_z(yaw_rad)) @ tilt @ FORWARD
    return transform_of_matrix(np.column_stack([turn, place]))


@given(st.floats(-3.1, 3.1), st.floats(-0.6, 0.6))
def test_an_upright_camera_is_never_doubted(yaw_rad: float, pitch_rad: float) -> None:
    assert camera_doubt("front", mounted(yaw_rad, pitch_rad, (1.5, 0, 1.6))) == ""


@pytest.mark.parametrize("yaw_deg", [-20, 0, 30, 120, 180])
def test_the_wrong_direction_is_doubted(yaw_deg: int) -> None:
    wrong = mounted(np.radians(yaw_deg), 0.05, (1.5, 0, 1.6)).inverted()
    doubt = camera_doubt("front", wrong)
    assert "'front' lies on its side" in doubt
    assert "invert it" in doubt


def test_a_camera_that_stands_upright_both_ways_is_left_to_a_person() -> None:
    sideways = mounted(np.radians(-90), 0.0, (0, 0, 0))  # looking to the right: its axes turn round into themselves
    assert camera_doubt("right", sideways) == camera_doubt("right", sideways.inverted()) == ""
