"""Transforms and trajectories."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.core.poses import RigidTransform, Trajectory, transform_of, transform_of_matrix
from workstation.core.rotation import about_z, unit
from workstation.core.timebase import TimeRange, offset_map

coordinate = st.floats(-1e3, 1e3)
vectors = st.tuples(coordinate, coordinate, coordinate)
transforms = st.builds(
    lambda vector, move: transform_of(unit((0.1, *vector)), move),
    st.tuples(*[st.floats(-1, 1)] * 3),
    vectors,
)


@given(transforms, transforms, vectors)
def test_names_cancel(a_from_b: RigidTransform, b_from_c: RigidTransform, point: tuple[float, float, float]) -> None:
    points_in_c = np.array([point])
    step_by_step = a_from_b @ (b_from_c @ points_in_c)
    assert (a_from_b @ b_from_c) @ points_in_c == pytest.approx(step_by_step, abs=1e-8)
    assert (a_from_b.matrix @ b_from_c.matrix)[:3] @ (*point, 1) == pytest.approx(step_by_step[0], abs=1e-8)
    assert a_from_b.inverted() @ (a_from_b @ points_in_c) == pytest.approx(points_in_c, abs=1e-8)


@given(transforms)
def test_matrix_and_json_round_trips(transform: RigidTransform) -> None:
    back = transform_of_matrix(transform.matrix)
    assert back.matrix == pytest.approx(transform.matrix, abs=1e-9)
    assert msgspec.json.decode(msgspec.json.encode(transform), type=RigidTransform) == transform


def test_a_direction_turns_but_does_not_move() -> None:
    transform = RigidTransform(about_z(np.pi / 2), (5.0, 6.0, 7.0))
    assert transform.turn(np.array([[1.0, 0, 0]]))[0] == pytest.approx((0, 1, 0))
    assert (transform @ np.array([[1.0, 0, 0]]))[0] == pytest.approx((5, 7, 7))


def test_few_digits_are_put_right() -> None:
    """A matrix as a calibration file prints it."""
    printed = np.array(
        [
            [0.0188623, -0.999822, -9.36529e-05, -0.0323222],
            [0.0288601, 0.000638227, -0.999583, -0.396685],
            [0.999405, 0.0188516, 0.028867, -0.0869361],
        ]
    )
    transform = transform_of_matrix(printed)
    assert transform.matrix[:3] == pytest.approx(printed, abs=2e-6)
    assert np.linalg.norm(transform.rotation) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.eye(3), "shape"),
        (np.full((4, 4), np.nan), "finite"),
        (np.diag([2.0, 2, 2, 1]), "scales"),
        (np.diag([1.0, 1, -1, 1]), "mirrors"),
        (np.diag([1.0, 1, 1, 1]).T + np.eye(4, k=-3), "transposed"),
        (np.diag([0.0, 1, 1, 1]), "scales"),
    ],
)
def test_what_is_no_transform_is_refused(matrix: np.ndarray, words: str) -> None:
    with pytest.raises(DataError, match=words):
        transform_of_matrix(matrix)


@pytest.mark.parametrize("rotation", [(0.0, 0, 0, 0), (1.0, 1, 0, 0), (float("nan"), 0, 0, 1), (1.0, 0, 0)])
def test_what_is_no_unit_quaternion_is_refused(rotation: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="unit quaternion"):
        transform_of(rotation, (0, 0, 0))


def test_decoded_transforms_are_checked() -> None:
    with pytest.raises(DataError, match="length 2"):
        msgspec.json.decode(b'{"rotation":[2,0,0,0]}', type=RigidTransform)
    with pytest.raises(DataError, match="finite"):
        RigidTransform(translation=(0.0, float("inf"), 0.0))


def drive() -> Trajectory:
    """Poses every 100 ms, straight on and turning left by 0.2 rad a step; one stretch is missing."""
    steps = np.array([0, 1, 2, 5, 6])
    return Trajectory(
        times_ns=steps * 100,
        rotations=np.array([about_z(0.2 * step) for step in steps]),
        translations=np.column_stack([steps * 2.0, np.zeros(5), np.zeros(5)]),
        max_gap_ns=150,
    )


def test_between_poses_the_way_is_even() -> None:
    pose = drive().pose_at(125)
    assert pose is not None
    assert pose.translation == pytest.approx((2.5, 0, 0))
    assert pose.rotation == pytest.approx(about_z(0.25))


def test_gaps_stay_gaps() -> None:
    path = drive()
    assert [path.pose_at(t) is not None for t in (-1, 0, 100, 200, 201, 499, 500, 600, 601)] == [
        False, True, True, True, False, False, True, True, False,
    ]  # fmt: skip
    assert path.span == TimeRange(0, 600)


def test_many_at_once_equal_one_by_one() -> None:
    path = drive()
    times = np.array([-5, 0, 33, 200, 300, 555, 600, 700])
    rotations, translations, known = path.poses_at(times)
    for i, time_ns in enumerate(times.tolist()):
        pose = path.pose_at(time_ns)
        assert (pose is not None) == known[i]
        if pose is None:
            assert np.isnan(rotations[i]).all()
            assert np.isnan(translations[i]).all()
        else:
            assert pose.translation == pytest.approx(translations[i])
            assert pose.rotation == pytest.approx(rotations[i])


def test_the_shortest_way_is_taken_whatever_the_sign() -> None:
    q = np.array([about_z(0.1), about_z(0.3)])
    q[1] *= -1
    path = Trajectory(times_ns=np.array([0, 10]), rotations=q, translations=np.zeros((2, 3)), max_gap_ns=10)
    pose = path.pose_at(5)
    assert pose is not None
    assert pose.rotation == pytest.approx(about_z(0.2))


def test_a_trajectory_comes_to_session_time_through_its_map() -> None:
    moved = drive().in_session_time(offset_map(1000))
    pose, original = moved.pose_at(1125), drive().pose_at(125)
    assert pose == original
    assert moved.pose_at(125) is None


def test_no_poses_are_no_poses() -> None:
    none = Trajectory(
        times_ns=np.zeros(0, np.int64), rotations=np.zeros((0, 4)), translations=np.zeros((0, 3)), max_gap_ns=1
    )
    assert none.pose_at(0) is None
    assert none.span is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"times_ns": np.array([0, 100, 100, 500, 600])}, "grow"),
        ({"times_ns": np.zeros(4, np.int64)}, "as many"),
        ({"times_ns": np.zeros(5)}, "int64"),
        ({"rotations": np.zeros((5, 4))}, "unit quaternion"),
        ({"translations": np.full((5, 3), np.nan)}, "finite"),
        ({"max_gap_ns": -1}, "longest gap"),
    ],
)
def test_hostile_trajectories_are_refused(changes: dict[str, object], words: str) -> None:
    path = drive()
    fields = {name: getattr(path, name) for name in ("times_ns", "rotations", "translations", "max_gap_ns")}
    with pytest.raises(DataError, match=words):
        Trajectory(**{**fields, **changes})
