"""A drive written here, byte by byte: times, gaps, places, and a point that must fall on a known pixel."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from workstation.core.errors import DataError
from workstation.core.poses import Trajectory
from workstation.core.projection import project
from workstation.core.sample import StreamKind
from workstation.core.space import FrameTree
from workstation.core.timebase import shown_capture
from workstation.media.base import CloudReader, OpenContext, SeriesReader, TrajectoryReader, VideoReader
from workstation.media.probe import built_in_readers, open_stream
from workstation.media.proposal import Proposal, StreamProposal

# The calibration of 2011_09_26, camera 2 shortened to what its projection needs.
R_VELO = (
    "7.533745e-03 -9.999714e-01 -6.166020e-04 1.480249e-02 7.280733e-04 "
    "-9.998902e-01 9.998621e-01 7.523790e-03 1.480755e-02"
)
T_VELO = "-4.069766e-03 -7.631618e-02 -2.717806e-01"
R_IMU = (
    "9.999976e-01 7.553071e-04 -2.035826e-03 -7.854027e-04 9.998898e-01 "
    "-1.482298e-02 2.024406e-03 1.482454e-02 9.998881e-01"
)
T_IMU = "-8.086759e-01 3.195559e-01 -7.997231e-01"
R_RECT = (
    "9.999239e-01 9.837760e-03 -7.445048e-03 -9.869795e-03 9.999421e-01 "
    "-4.278459e-03 7.402527e-03 4.351614e-03 9.999631e-01"
)
P_RECT = "7.215377e+02 0 6.095593e+02 4.485728e+01 0 7.215377e+02 1.728540e+02 2.163791e-01 0 0 1 2.745884e-03"
START = "2011-09-26 13:02:25.{:09}"


def matrix(text: str, *shape: int) -> np.ndarray:
    return np.array([float(word) for word in text.split()]).reshape(shape)


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    date = tmp_path / "2011_09_26"
    folder = date / "2011_09_26_drive_0001_sync"
    for name in ("image_02", "velodyne_points", "oxts"):
        (folder / name / "data").mkdir(parents=True)
    for i in range(5):
        Image.fromarray(np.full((4, 8, 3), 20 * i, np.uint8)).save(folder / "image_02" / "data" / f"{i:010}.png")
        if i != 2:
            points = np.full((3, 4), i, np.float32)
            points.tofile(folder / "velodyne_points" / "data" / f"{i:010}.bin")
        row = [49.0 + 1e-5 * i, 8.4, 110.0, 0.0, 0.0, 0.5, *([0.25] * 19), 4, 9, 5, 5, 5]
        (folder / "oxts" / "data" / f"{i:010}.txt").write_text(" ".join(map(str, row)))
    for name, late in (("image_02", 0), ("velodyne_points", 20_000_001), ("oxts", 5)):
        lines = [START.format(100_000_000 * i + late) for i in range(5)]
        (folder / name / "timestamps.txt").write_text("\n".join(lines) + "\n")
    (folder / "tracklet_labels.xml").write_text("<x/>")
    head = "calib_time: 09-Jan-2012 13:57:47\n"
    (date / "calib_velo_to_cam.txt").write_text(f"{head}R: {R_VELO}\nT: {T_VELO}\ndelta_f: 0 0\n")
    (date / "calib_imu_to_velo.txt").write_text(f"{head}R: {R_IMU}\nT: {T_IMU}\n")
    (date / "calib_cam_to_cam.txt").write_text(
        f"{head}corner_dist: 9.95e-02\nR_rect_00: {R_RECT}\nS_rect_02: 1242 375\nP_rect_02: {P_RECT}\n"
    )
    return folder


def streams(proposal: Proposal) -> dict[str, StreamProposal]:
    return {stream.key: stream for stream in proposal.samples[0].streams}


def opened(plugin: ModuleType, stream: StreamProposal) -> object:
    readers = (*built_in_readers(), *plugin.READERS)
    return open_stream(stream.files, readers, reader=stream.reader, options=stream.options, context=OpenContext())


def test_a_drive_becomes_a_sample_whose_streams_open(plugin: ModuleType, drive: Path) -> None:
    for folder in (drive, drive.parent, drive.parent.parent):
        assert plugin.recognise(folder) > 0.9
    proposal = plugin.propose(drive.parent)
    assert [sample.key for sample in proposal.samples] == ["2011_09_26_drive_0001_sync"]
    found = streams(proposal)
    assert {key: stream.kind for key, stream in found.items()} == {
        "image_02": StreamKind.VIDEO,
        "velodyne": StreamKind.CLOUD,
        "oxts": StreamKind.SERIES,
        "imu_pose": StreamKind.TRAJECTORY,
    }
    kinds = {"image_02": VideoReader, "velodyne": CloudReader, "oxts": SeriesReader, "imu_pose": TrajectoryReader}
    for key, protocol in kinds.items():
        assert isinstance(opened(plugin, found[key]), protocol)


def test_times_are_exact_and_a_missing_sweep_is_a_gap(plugin: ModuleType, drive: Path) -> None:
    found = streams(plugin.propose(drive))
    cloud, camera = found["velodyne"], found["image_02"]
    assert cloud.epoch_ns == 1_317_042_145_020_000_001
    assert camera.time_map.to_session(0) == 0
    assert cloud.time_map.to_session(0) == 20_000_001
    sweeps, pictures = opened(plugin, cloud), opened(plugin, camera)
    assert isinstance(sweeps, CloudReader)
    assert isinstance(pictures, VideoReader)
    assert sweeps.table.times_ns.tolist() == [0, 100_000_000, 300_000_000, 400_000_000]
    at_ns = 345_000_000
    shown = shown_capture(sweeps.table, cloud.time_map, at_ns)
    assert shown is not None
    assert sweeps.cloud(shown.index).points[0].tolist() == [3, 3, 3]
    assert shown_capture(sweeps.table, cloud.time_map, 300_000_000) is None  # the sweep that is missing
    picture = shown_capture(pictures.table, camera.time_map, at_ns)
    assert picture is not None
    assert pictures.value_at(picture.index, 0, 0) == (60, 60, 60)
    assert "1 of 5 listed items have no file" in cloud.notes[0]


def test_a_point_falls_on_the_pixel_of_the_data_sets_own_formula(plugin: ModuleType, drive: Path) -> None:
    rig = plugin.propose(drive).samples[0].rig
    assert rig is not None
    calibration = rig.calibration()
    camera_from_velodyne = FrameTree(calibration).transform("image_02", "velodyne", 0)
    point = np.array([[12.0, 1.5, -0.7]])
    seen = project(calibration.camera("image_02"), point, camera_from_frame=camera_from_velodyne)
    whole = np.eye(4)
    whole[:3] = np.column_stack([matrix(R_VELO, 3, 3), matrix(T_VELO, 3)])
    turn = np.eye(4)
    turn[:3, :3] = matrix(R_RECT, 3, 3)
    u, v, w = matrix(P_RECT, 3, 4) @ turn @ whole @ np.array([12.0, 1.5, -0.7, 1.0])
    assert np.allclose(seen.pixels[0], (u / w + 0.5, v / w + 0.5), atol=0.01)  # our pixels have their centre at a half
    assert plugin.propose(drive).doubts == ()


def test_calibration_the_wrong_way_round_is_recognised_and_inverted(plugin: ModuleType, drive: Path) -> None:
    right = plugin.propose(drive).samples[0].rig.calibration()
    turn, place = matrix(R_VELO, 3, 3), matrix(T_VELO, 3)
    wrong = "R: " + " ".join(map(str, turn.T.ravel())) + "\nT: " + " ".join(map(str, -(turn.T @ place))) + "\n"
    (drive.parent / "calib_velo_to_cam.txt").write_text(wrong)
    proposal = plugin.propose(drive)
    (doubt,) = proposal.doubts
    assert "lies on its side" in doubt
    assert "invert it" in doubt
    rig = proposal.samples[0].rig.inverted(["image_02"])
    rectified = right.frames[0].parent_from_child
    mended = rig.mounts[0].frame.parent_from_child
    assert np.allclose(mended.matrix[:3, :3], rectified.matrix[:3, :3], atol=0.03)


def test_poses_are_metres_from_the_first_place(plugin: ModuleType, drive: Path) -> None:
    reader = opened(plugin, streams(plugin.propose(drive))["imu_pose"])
    assert isinstance(reader, TrajectoryReader)
    north = 6_378_137 * np.radians(1e-5)  # one hundred-thousandth of a degree of latitude
    assert np.allclose(reader.positions_m[3], (0, 3 * north, 0), atol=1e-3)
    path = Trajectory(
        times_ns=reader.times_ns,
        rotations=reader.rotations,
        translations=reader.positions_m,
        max_gap_ns=10**9,
    )
    pose = path.pose_at(0)
    assert pose is not None
    assert np.allclose(pose.turn(np.array([1.0, 0, 0])), (np.cos(0.5), np.sin(0.5), 0))
    series = opened(plugin, streams(plugin.propose(drive))["oxts"])
    assert isinstance(series, SeriesReader)
    assert (series.channels[0].name, series.channels[0].unit, len(series.channels)) == ("lat", "deg", 30)
    assert series.values("af").tolist() == [0.25] * 5


def test_every_file_is_accounted_for(plugin: ModuleType, drive: Path) -> None:
    proposal = plugin.propose(drive.parent)
    named = {path for path, _ in proposal.destinations()}
    assert {path for path in drive.parent.rglob("*") if path.is_file()} <= named
    reasons = {item.path.name: item.reason for item in proposal.skipped}
    assert reasons["tracklet_labels.xml"] == "holds annotations: an import, not a stream"


def test_other_folders_are_not_recognised(plugin: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "image_02" / "data").mkdir(parents=True)
    assert plugin.recognise(tmp_path) == 0


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("image_02/timestamps.txt", "2011-09-26 13:02:25.1\nsoon\n", "must be a date and time"),
        ("image_02/timestamps.txt", "2011-99-26 13:02:25.1\n" * 5, "must be a date and time"),
        ("image_02/timestamps.txt", "", "lists no times"),
        ("image_02/timestamps.txt", "2011-09-26 13:02:25.1\n", "has 1 lines, but there is a file 4"),
        ("image_02/data/cam.png", "x", "not numbered"),
    ],
)
def test_a_stream_that_cannot_be_used_is_left_out_with_its_reason(
    plugin: ModuleType, drive: Path, name: str, content: str, sentence: str
) -> None:
    (drive / name).write_text(content)
    proposal = plugin.propose(drive)
    assert "image_02" not in streams(proposal)
    assert any(sentence in item.reason for item in proposal.skipped)


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("calib_velo_to_cam.txt", "R: 1 2 3\nT: 0 0 0\n", "lacks R (9 numbers)"),
        ("calib_velo_to_cam.txt", "R: 2 0 0 0 2 0 0 0 2\nT: 0 0 0\n", "this is no rotation"),
        ("calib_velo_to_cam.txt", "R: nan 0 0 0 1 0 0 0 1\nT: 0 0 0\n", "not finite"),
        ("calib_cam_to_cam.txt", "R_rect_00: 1 0 0 0 1 0 0 0 1\n", "lacks S_rect_02"),
    ],
)
def test_a_broken_calibration_leaves_the_streams(
    plugin: ModuleType, drive: Path, file: str, content: str, sentence: str
) -> None:
    (drive.parent / file).write_text(content)
    proposal = plugin.propose(drive)
    assert "image_02" in streams(proposal)
    assert any(sentence in item.reason for item in proposal.skipped)


@pytest.mark.parametrize(
    ("content", "sentence"), [("1 2 3", "holds 3 numbers"), ("a " * 30, "no number"), ("", "0 numbers")]
)
def test_broken_readings_are_a_sentence(plugin: ModuleType, drive: Path, content: str, sentence: str) -> None:
    (drive / "oxts" / "data" / "0000000003.txt").write_text(content)
    with pytest.raises(DataError, match=sentence):
        opened(plugin, streams(plugin.propose(drive))["oxts"])
