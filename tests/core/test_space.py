"""Frames over time: where things are, and the sentence when that is not known."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from workstation.core.axes import CAMERA, axis_change
from workstation.core.cameras import BrownConrady, Camera, Fisheye, Pinhole
from workstation.core.errors import DataError
from workstation.core.ids import RigId, SampleId
from workstation.core.poses import RigidTransform, Trajectory
from workstation.core.records import RecordKind, decode, encode
from workstation.core.rotation import about_z
from workstation.core.sample import Rig
from workstation.core.space import Calibration, Frame, FrameTree, NoTransform, as_json_values, calibration_of
from workstation.core.timebase import TimeRange

LENS = Pinhole(fx=1000.0, fy=1000.0, cx=480.0, cy=270.0)
MOUNT = RigidTransform(axis_change(CAMERA).as_rotation(), (1.5, 0.0, 1.6))
LIDAR = RigidTransform(about_z(np.pi / 2), (0.0, 0.0, 2.0))


def calibration() -> Calibration:
    return Calibration(
        frames=(
            Frame(name="ego", parent="world", trajectory="ego_pose"),
            Frame(name="front", parent="ego", parent_from_child=MOUNT, valid=TimeRange(0, 1000)),
            Frame(name="front", parent="ego", parent_from_child=LIDAR, valid=TimeRange(1000, 2000)),
            Frame(name="lidar", parent="ego", parent_from_child=LIDAR),
        ),
        cameras=(
            Camera(name="front", frame="front", width_px=960, height_px=540, lens=LENS, row_time_ns=30_000),
            Camera(
                name="wide",
                frame="front",
                width_px=640,
                height_px=480,
                lens=Fisheye(fx=300.0, fy=300.0, cx=320.0, cy=240.0, k1=0.01),
            ),
            Camera(
                name="bent",
                frame="lidar",
                width_px=640,
                height_px=480,
                lens=BrownConrady(fx=300.0, fy=300.0, cx=320.0, cy=240.0, k1=-0.1),
            ),
        ),
    )


def tree() -> FrameTree:
    poses = Trajectory(
        times_ns=np.array([0, 100, 500]),
        rotations=np.array([about_z(0), about_z(np.pi / 2), about_z(np.pi / 2)]),
        translations=np.array([[0.0, 0, 0], [10, 0, 0], [20, 0, 0]]),
        max_gap_ns=150,
    )
    return FrameTree(calibration(), {"ego_pose": poses})


def must(transform: RigidTransform | NoTransform) -> RigidTransform:
    assert isinstance(transform, RigidTransform)
    return transform


def test_siblings_meet_at_their_parent_without_the_world() -> None:
    """A point 10 m ahead of the vehicle, 1.6 m up, as the LiDAR (turned left, 2 m up) and the camera have it."""
    front_from_lidar = must(tree().transform("front", "lidar", 300))  # the ego pose is unknown then
    in_lidar = LIDAR.inverted() @ np.array([[10.0, 0.0, 1.6]])
    assert in_lidar[0] == pytest.approx((0, -10, -0.4))
    assert (front_from_lidar @ in_lidar)[0] == pytest.approx((0, 0, 8.5))


def test_poses_move_what_hangs_on_them() -> None:
    world_from_ego = must(tree().transform("world", "ego", 50))
    assert world_from_ego.translation == pytest.approx((5, 0, 0))
    assert world_from_ego.rotation == pytest.approx(about_z(np.pi / 4))
    there = must(tree().transform("world", "front", 100)) @ np.array([[0.0, 0, 0]])
    assert there[0] == pytest.approx((10, 1.5, 1.6))
    back = must(tree().transform("front", "world", 100)) @ there
    assert back[0] == pytest.approx((0, 0, 0), abs=1e-12)


def test_a_recalibration_holds_from_its_time_on() -> None:
    assert must(tree().transform("ego", "front", 999)).translation == (1.5, 0.0, 1.6)
    assert must(tree().transform("ego", "front", 1000)).translation == (0.0, 0.0, 2.0)


def test_to_itself_nothing_moves() -> None:
    assert must(tree().transform("lidar", "lidar", 10**9)).matrix == pytest.approx(np.eye(4))


@pytest.mark.parametrize(
    ("target", "source", "time_ns", "words"),
    [
        ("world", "lidar", 300, "'ego' has no pose at this time"),
        ("ego", "front", 2000, "calibration of 'front' does not cover this time"),
        ("ego", "radar", 0, "no frame is called 'radar'"),
    ],
)
def test_what_is_not_known_says_why(target: str, source: str, time_ns: int, words: str) -> None:
    answer = tree().transform(target, source, time_ns)
    assert isinstance(answer, NoTransform)
    assert words in answer.reason


def test_missing_poses_and_separate_trees_say_so() -> None:
    without = FrameTree(calibration()).transform("world", "ego", 0)
    assert without == NoTransform("the poses 'ego_pose' of 'ego' are missing")
    two = Calibration(
        frames=(
            Frame(name="a", parent="one", parent_from_child=MOUNT),
            Frame(name="b", parent="two", parent_from_child=MOUNT),
        )
    )
    assert FrameTree(two).transform("a", "b", 0) == NoTransform("the frames 'a' and 'b' are not connected")
    assert FrameTree(two).names == {"a", "b", "one", "two"}


def test_json_round_trip_as_the_rig_record_keeps_it() -> None:
    value = calibration()
    record = Rig(
        id=RigId("0" * 26),
        sample=SampleId("1" * 26),
        frames=as_json_values(value.frames),
        cameras=as_json_values(value.cameras),
    )
    stored = decode(RecordKind.RIG, encode(record))
    assert isinstance(stored, Rig)
    assert calibration_of(stored.frames, stored.cameras) == value
    assert value.camera("wide").lens == value.cameras[1].lens
    with pytest.raises(DataError, match="no camera 'rear'; it has front, wide, bent"):
        value.camera("rear")


def frame(name: str, parent: str, valid: TimeRange | None = None) -> Frame:
    return Frame(name=name, parent=parent, parent_from_child=MOUNT, valid=valid)


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([frame("a", "b"), frame("b", "c"), frame("c", "a")], "circle"),
        ([frame("a", "b"), frame("a", "b")], "twice"),
        ([frame("a", "b", TimeRange(0, 10)), frame("a", "c", TimeRange(9, 20))], "twice"),
        ([frame("a", "b", TimeRange(0, 10)), frame("b", "a", TimeRange(10, 20))], "circle"),
    ],
)
def test_frames_that_make_no_tree_are_refused(frames: list[Frame], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Calibration(frames=tuple(frames))


def test_a_very_long_chain_is_no_crash() -> None:
    chain = tuple(frame(str(i), str(i + 1)) for i in range(5000))
    far = must(FrameTree(Calibration(frames=chain)).transform("5000", "4990", 0))
    near = must(FrameTree(Calibration(frames=tuple(reversed(chain)))).transform("5000", "4990", 0))
    assert far == near
    ring = (*chain, frame("5000", "0"))
    with pytest.raises(DataError, match="circle"):
        Calibration(frames=ring)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a", "parent": "a", "trajectory": "t"}, "own parent"),
        ({"name": "a", "parent": "b"}, "either"),
        ({"name": "a", "parent": "b", "trajectory": "t", "parent_from_child": {}}, "either"),
        ({"name": 5, "parent": "b", "trajectory": "t"}, "name"),
        ({"name": "a", "parent": "b", "parent_from_child": {"rotation": [1, 0, 0]}}, "rotation"),
        ({"name": "a", "parent": "b", "trajectory": "t", "colour": "red"}, "colour"),
    ],
)
def test_hostile_frames_are_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        calibration_of([given], [])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width_px": 0}, "0 × 540"),
        ({"height_px": -1}, "960 × -1"),
        ({"lens": {"type": "pinhole", "fx": 0, "fy": 1, "cx": 0, "cy": 0}}, "focal"),
        ({"lens": {"type": "tilt", "fx": 0, "fy": 1, "cx": 0, "cy": 0}}, "tilt"),
        ({"lens": {"type": "fisheye", "fx": 1, "fy": 1, "cx": 0, "cy": 0, "max_angle_rad": 4}}, "180"),
        ({"lens": {"type": "pinhole", "fx": 1, "fy": 1, "cx": 1e999, "cy": 0}}, "finite"),
        ({"lens": {"type": "brown-conrady", "fx": 1, "fy": 1, "cx": 1, "cy": 0, "k3": -1e200}}, "thousand million"),
    ],
)
def test_hostile_cameras_are_refused(changes: dict[str, object], words: str) -> None:
    good = msgspec.to_builtins(calibration().cameras[0])
    with pytest.raises(DataError, match=words):
        calibration_of([], [{**good, **changes}])


def test_two_cameras_of_one_name_are_refused() -> None:
    camera = calibration().cameras[0]
    with pytest.raises(DataError, match="2 cameras are called 'front'"):
        Calibration(cameras=(camera, camera))


def test_rolling_shutter_rows_have_times() -> None:
    camera = calibration().cameras[0]
    assert camera.row_times_ns(1_000_000, [0.5, 1.5, 539.5]).tolist() == [1_000_000, 1_030_000, 17_170_000]
