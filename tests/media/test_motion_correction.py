"""A wall scanned from a moving car is bent by the motion and straight after correction."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.poses import RigidTransform, Trajectory
from workstation.core.rotation import about_z
from workstation.media.base import Cloud
from workstation.media.motion_correction import correct_motion

MS = 1_000_000
SENSOR = RigidTransform(about_z(0.3), (1.2, 0.1, 1.8))


def _drive(*, speed_mps: float, turn_rad_s: float) -> Trajectory:
    times = np.arange(0, 300 * MS, MS, dtype=np.int64)
    seconds = times / 1e9
    heading = turn_rad_s * seconds
    rotations = np.stack([np.cos(heading / 2), 0 * heading, 0 * heading, np.sin(heading / 2)], axis=1)
    if turn_rad_s:
        radius = speed_mps / turn_rad_s
        places = np.stack([radius * np.sin(heading), radius * (1 - np.cos(heading)), 0 * heading], axis=1)
    else:
        places = np.stack([speed_mps * seconds, 0 * seconds, 0 * seconds], axis=1)
    return Trajectory(times_ns=times, rotations=rotations, translations=places, max_gap_ns=20 * MS)


def _scan(
    world: NDArray[np.float64], times: NDArray[np.int64], drive: Trajectory, origin: tuple[float, float, float]
) -> Cloud:
    """Each point as the sensor saw it at its own time, one after the other."""
    seen = []
    for point, time_ns in zip(world, times.tolist(), strict=True):
        pose = drive.pose_at(time_ns)
        assert pose is not None
        seen.append((pose @ SENSOR).inverted() @ point)
    points = (np.array(seen) - origin).astype(np.float32)
    return Cloud(points=points, origin=origin, fields={"time_ns": times}, total=len(points))


@pytest.mark.parametrize(("speed_mps", "turn_rad_s"), [(60 / 3.6, 0.0), (60 / 3.6, 0.4), (3.0, 2.0)])
@pytest.mark.parametrize("origin", [(0.0, 0.0, 0.0), (5000.0, -3000.0, 0.0)])
def test_a_wall_is_straight_again(speed_mps: float, turn_rad_s: float, origin: tuple[float, float, float]) -> None:
    drive = _drive(speed_mps=speed_mps, turn_rad_s=turn_rad_s)
    rng = np.random.default_rng(0)
    wall = np.stack([rng.uniform(5, 40, 400), np.full(400, 8.0), rng.uniform(0, 3, 400)], axis=1)
    times = np.linspace(50 * MS, 150 * MS, 400).astype(np.int64)
    cloud = _scan(wall, times, drive, origin)
    result = correct_motion(cloud, drive, to_ns=100 * MS, vehicle_from_sensor=SENSOR)
    middle = drive.pose_at(100 * MS)
    assert middle is not None
    back = (middle @ SENSOR) @ (result.cloud.points.astype(np.float64) + origin)
    assert result.corrected.all()
    assert np.abs(back - wall).max() < (1e-4 if origin == (0.0, 0.0, 0.0) else 1e-3)
    bent = (middle @ SENSOR) @ (cloud.points.astype(np.float64) + origin)
    assert np.abs(bent - wall).max() > 0.1  # without correction the wall is off


def test_points_without_a_pose_stay_and_say_so() -> None:
    drive = _drive(speed_mps=10, turn_rad_s=0)
    cloud = Cloud(
        points=np.ones((3, 3), np.float32),
        fields={"time_ns": np.array([-5 * MS, 100 * MS, 900 * MS], np.int64)},
        total=3,
    )
    result = correct_motion(cloud, drive, to_ns=50 * MS)
    assert result.corrected.tolist() == [False, True, False]
    assert result.cloud.points[[0, 2]].tolist() == [[1, 1, 1], [1, 1, 1]]
    assert result.cloud.points[1].tolist() == pytest.approx([1.5, 1, 1])


def test_without_times_or_without_a_pose_it_says_why() -> None:
    drive = _drive(speed_mps=10, turn_rad_s=0)
    timeless = Cloud(points=np.ones((3, 3), np.float32), total=3)
    with pytest.raises(DataError, match="no time of their own"):
        correct_motion(timeless, drive, to_ns=0)
    timed = Cloud(points=np.ones((1, 3), np.float32), fields={"time_ns": np.zeros(1, np.int64)}, total=1)
    with pytest.raises(DataError, match="no pose at"):
        correct_motion(timed, drive, to_ns=10**12)
