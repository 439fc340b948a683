"""Foreign axes: nothing is rounded, nothing is mirrored unawares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.axes import CAMERA, PATIENT, VEHICLE, Axes, axis_change
from workstation.core.errors import DataError
from workstation.core.poses import RigidTransform
from workstation.core.rotation import about_z, matrix_of, unit

FOREIGN: Axes = ("right", "forward", "up")
every_number = st.floats(allow_nan=False)
all_axes: list[Axes] = [
    FOREIGN,
    VEHICLE,
    CAMERA,
    ("forward", "right", "up"),  # left-handed game engines
    ("backward", "down", "left"),
    ("up", "right", "backward"),
]


def test_right_forward_up_by_hand() -> None:
    change = axis_change(FOREIGN)
    assert change.points(np.array([[3.0, 7.0, 0.5]])).tolist() == [[7.0, -3.0, 0.5]]
    assert change.extent((1.9, 4.7, 1.8)) == (4.7, 1.9, 1.8)
    assert not change.mirrors


def test_nifti_is_ras_and_we_are_lps() -> None:
    change = axis_change(("right", "anterior", "superior"), PATIENT)
    assert change.points(np.array([10.0, 20.0, 30.0])).tolist() == [-10.0, -20.0, 30.0]


@given(st.sampled_from(all_axes), st.sampled_from(all_axes), st.tuples(every_number, every_number, every_number))
def test_there_and_back_is_the_same_to_the_bit(source: Axes, target: Axes, point: tuple[float, float, float]) -> None:
    change = axis_change(source, target)
    back = change.inverted().points(change.points(np.array([point])))
    assert back.tolist() == [list(point)]
    assert change.inverted() == axis_change(target, source)


@given(st.sampled_from(all_axes), st.sampled_from(all_axes), st.tuples(*[st.floats(-1, 1)] * 3))
def test_turning_then_changing_is_changing_then_turning(
    source: Axes, target: Axes, vector: tuple[float, float, float]
) -> None:
    change = axis_change(source, target)
    transform = RigidTransform(unit((0.5, *vector)), (1.0, 2.0, 3.0))
    points = np.array([[4.0, -5.0, 6.0]])
    assert change.transform(transform) @ change.points(points) == pytest.approx(change.points(transform @ points))


def test_a_left_handed_heading_turns_the_other_way() -> None:
    """x forward, y right, z up: a yaw of 90° goes from forward to right, which is -90° for us."""
    change = axis_change(("forward", "right", "up"))
    assert change.mirrors
    assert change.rotation(about_z(np.pi / 2)) == pytest.approx(about_z(-np.pi / 2))


def test_as_rotation_puts_a_camera_on_a_vehicle() -> None:
    """Points along the camera's z are in front of the vehicle."""
    turned = matrix_of(axis_change(CAMERA).as_rotation())
    assert turned @ (0, 0, 1) == pytest.approx((1, 0, 0))
    assert turned @ (1, 0, 0) == pytest.approx((0, -1, 0))
    with pytest.raises(DataError, match="left-handed"):
        axis_change(("forward", "right", "up")).as_rotation()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (("north", "left", "up"), "no direction is called 'north'"),
        (("left", "right", "up"), "across each other"),
        (("left", "forward"), "across each other"),
        (("left", "posterior", "superior"), "same space"),
    ],
)
def test_impossible_axes_are_refused(source: Axes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        axis_change(source)
