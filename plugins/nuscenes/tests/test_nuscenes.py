"""A tiny data set in the layout: capture times, poses, a point on its pixel, and tables that lie."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workstation.core.errors import DataError
from workstation.core.poses import Trajectory
from workstation.core.projection import project
from workstation.core.sample import StreamKind
from workstation.core.space import FrameTree, NoTransform
from workstation.core.timebase import nearest_capture
from workstation.media.base import CloudReader, OpenContext, Reader, TrajectoryReader, VideoReader
from workstation.media.probe import built_in_readers, open_stream
from workstation.media.proposal import StreamProposal

START_US = 1_532_402_927_612_460
HALF = float(np.sqrt(0.5))
FRONT = {"translation": [1.7, 0.0, 1.5], "rotation": [0.5, -0.5, 0.5, -0.5]}
"""Ego from camera, looking forward: the camera's right is −y, its down −z."""


def tables() -> dict[str, list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    poses: list[dict[str, Any]] = []
    for i in range(12):
        for channel, late, ending in (("CAM_FRONT", 0, "jpg"), ("LIDAR_TOP", 35_333, "pcd.bin")):
            time = START_US + 83_333 * i + late
            folder = "samples" if i % 6 == 0 else "sweeps"
            rows.append(
                {
                    "token": f"d{channel}{i}",
                    "sample_token": f"s{i // 6}",
                    "ego_pose_token": f"p{channel}{i}",
                    "calibrated_sensor_token": f"c{channel}",
                    "timestamp": time,
                    "filename": f"{folder}/{channel}/x__{channel}__{time}.{ending}",
                    "is_key_frame": i % 6 == 0,
                    "width": 1600 if channel == "CAM_FRONT" else 0,
                    "height": 900 if channel == "CAM_FRONT" else 0,
                    "prev": "",
                    "next": "",
                }
            )
            poses.append(
                {
                    "token": f"p{channel}{i}",
                    "timestamp": time,
                    "rotation": [HALF, 0, 0, HALF],
                    "translation": [600.0, 1600.0 + (time - START_US) * 1e-5, 0.0],
                }
            )
    return {
        "scene": [{"token": "x", "name": "scene-0001", "description": "Turn left", "log_token": "l"}],
        "sample": [{"token": f"s{i}", "scene_token": "x", "timestamp": START_US} for i in range(2)],
        "sample_data": rows,
        "ego_pose": poses,
        "sensor": [
            {"token": "sc", "channel": "CAM_FRONT", "modality": "camera"},
            {"token": "sl", "channel": "LIDAR_TOP", "modality": "lidar"},
        ],
        "calibrated_sensor": [
            {
                "token": "cCAM_FRONT",
                "sensor_token": "sc",
                "camera_intrinsic": [[1266.4, 0, 816.3], [0, 1266.4, 491.5], [0, 0, 1]],
                **FRONT,
            },
            {
                "token": "cLIDAR_TOP",
                "sensor_token": "sl",
                "translation": [0.9, 0, 1.8],
                "rotation": [HALF, 0, 0, -HALF],
                "camera_intrinsic": [],
            },
        ],
        "log": [{"token": "l", "location": "singapore-onenorth"}],
        "sample_annotation": [],
    }


def write(folder: Path, content: dict[str, list[dict[str, Any]]], *, leave_out: int | None = 4) -> Path:
    (folder / "samples").mkdir(parents=True)
    (folder / "v1.0-mini").mkdir()
    for name, rows in content.items():
        (folder / "v1.0-mini" / f"{name}.json").write_text(json.dumps(rows))
    for number, row in enumerate(content["sample_data"]):
        path = folder / row["filename"]
        if ".." in row["filename"] or number // 2 == leave_out:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".jpg":
            Image.fromarray(np.full((9, 16, 3), 10 * (number // 2), np.uint8)).save(path, quality=95)
        else:
            np.full((4, 5), number // 2, np.float32).tofile(path)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "nuscenes", tables())


def opened(plugin: ModuleType, stream: StreamProposal) -> Reader:
    readers = (*built_in_readers(), *plugin.READERS)
    return open_stream(stream.files, readers, reader=stream.reader, options=stream.options, context=OpenContext())


def streams(plugin: ModuleType, folder: Path) -> dict[str, StreamProposal]:
    return {stream.key: stream for stream in plugin.propose(folder).samples[0].streams}


def test_a_scene_becomes_a_sample_whose_streams_open(plugin: ModuleType, folder: Path) -> None:
    assert plugin.recognise(folder) > 0.9
    assert plugin.recognise(folder / "samples") == 0
    proposal = plugin.propose(folder)
    (sample,) = proposal.samples
    assert (sample.key, sample.epoch_ns) == ("scene-0001", START_US * 1000)
    assert sample.properties == {"description": "Turn left", "location": "singapore-onenorth"}
    found = streams(plugin, folder)
    assert {key: stream.kind for key, stream in found.items()} == {
        "CAM_FRONT": StreamKind.VIDEO,
        "LIDAR_TOP": StreamKind.CLOUD,
        "ego_pose": StreamKind.TRAJECTORY,
    }
    camera, lidar = opened(plugin, found["CAM_FRONT"]), opened(plugin, found["LIDAR_TOP"])
    assert isinstance(camera, VideoReader)
    assert isinstance(lidar, CloudReader)
    assert found["LIDAR_TOP"].time_map.to_session(0) == 35_333_000
    at_ns = 7 * 83_333_000 + 40_000_000
    nearest = nearest_capture(lidar.table, found["LIDAR_TOP"].time_map, at_ns)
    assert nearest is not None
    assert nearest.distance_ns == 35_333_000 - 40_000_000
    cloud = lidar.cloud(nearest.index)
    assert cloud.points[0].tolist() == [7, 7, 7]
    assert cloud.frame == "LIDAR_TOP"
    assert set(cloud.fields) >= {"intensity", "ring"}


def test_a_file_that_is_not_there_is_a_gap(plugin: ModuleType, folder: Path) -> None:
    stream = streams(plugin, folder)["CAM_FRONT"]
    assert len(stream.files) == 11
    assert "1 of 12 files that the tables name are not there" in stream.notes[0]
    camera = opened(plugin, stream)
    assert isinstance(camera, VideoReader)
    assert camera.item_at(4 * 83_333_000 + 60_000_000) is None
    assert camera.item_at(5 * 83_333_000) is not None


def test_a_point_falls_on_the_pixel_of_the_data_sets_own_formula(plugin: ModuleType, folder: Path) -> None:
    sample = plugin.propose(folder).samples[0]
    calibration = sample.rig.calibration()
    pose = opened(plugin, streams(plugin, folder)["ego_pose"])
    assert isinstance(pose, TrajectoryReader)
    path = Trajectory(times_ns=pose.times_ns, rotations=pose.rotations, translations=pose.positions_m, max_gap_ns=10**9)
    tree = FrameTree(calibration, {"ego_pose": path})
    camera_from_lidar = tree.transform("CAM_FRONT", "LIDAR_TOP", 0)
    assert not isinstance(camera_from_lidar, NoTransform)
    point = np.array([[-1.0, 15.0, -0.5]])
    seen = project(calibration.camera("CAM_FRONT"), point, camera_from_frame=camera_from_lidar)
    # Lidar to ego is a quarter turn to the right: (x, y) becomes (y, −x); then the pinhole formula.
    ahead, left, up = 15.0 + 0.9, 1.0, -0.5 + 1.8
    u = 816.3 + 1266.4 * (-left) / (ahead - 1.7)
    v = 491.5 + 1266.4 * -(up - 1.5) / (ahead - 1.7)
    assert np.allclose(seen.pixels[0], (u + 0.5, v + 0.5), atol=0.01)
    world = tree.transform("global", "ego", 83_333_000)
    assert not isinstance(world, NoTransform)
    assert np.allclose(world.translation, (600, 1600 + 83_333 * 1e-5, 0))


def test_calibration_the_wrong_way_round_is_doubted(plugin: ModuleType, tmp_path: Path) -> None:
    content = tables()
    content["calibrated_sensor"][0] |= {"rotation": [0.5, 0.5, -0.5, 0.5], "translation": [0.0, 1.5, -1.7]}
    (doubt,) = plugin.propose(write(tmp_path / "n", content)).doubts
    assert "'CAM_FRONT' lies on its side" in doubt


def test_every_file_is_accounted_for(plugin: ModuleType, folder: Path) -> None:
    (folder / "maps").mkdir()
    (folder / "maps" / "a.png").write_bytes(b"x")
    proposal = plugin.propose(folder)
    named = {path for path, _ in proposal.destinations()}
    lost = [path for path in folder.rglob("*") if path.is_file() and not ({path, *path.parents} & named)]
    assert lost == []
    reasons = {item.path.name: item.reason for item in proposal.skipped}
    assert reasons["sample_annotation.json"] == "holds annotations: an import, not a stream"
    assert reasons["maps"] == "is named by no scene of the tables"


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "samples/../../x.jpg", "samples/link/x.jpg"])
def test_a_table_cannot_name_files_outside(plugin: ModuleType, tmp_path: Path, name: str) -> None:
    content = tables()
    content["sample_data"][0]["filename"] = name
    folder = write(tmp_path / "n", content)
    shutil.rmtree(folder / "samples" / "link", ignore_errors=True)
    (tmp_path / "out").mkdir()
    (folder / "samples" / "link").symlink_to(tmp_path / "out")
    proposal = plugin.propose(folder)
    assert "CAM_FRONT" not in {stream.key for stream in proposal.samples[0].streams}
    assert any("leads out of" in item.reason for item in proposal.skipped)


@pytest.mark.parametrize(
    ("table", "text", "sentence"),
    [
        ("scene", "", "is no table of the layout"),
        ("scene", '{"token": 1}', "is no table of the layout"),
        ("sample_data", '[{"sample_token": "s0"}]', "is no table of the layout"),
        ("sample_data", "[" * 100_000, "is no table of the layout"),
        ("sample_data", '[{"timestamp": 1e400}]', "is no table of the layout"),
        ("ego_pose", None, "holds no folder of nuScenes tables"),
    ],
)
def test_broken_tables_are_one_sentence(
    plugin: ModuleType, folder: Path, table: str, text: str | None, sentence: str
) -> None:
    path = folder / "v1.0-mini" / f"{table}.json"
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    with pytest.raises(DataError, match=sentence):
        plugin.propose(folder)


@pytest.mark.parametrize(
    "patch",
    [
        {"rotation": [9, 0, 0, 0]},
        {"camera_intrinsic": [[0, 0, 0], [0, 0, 0], [0, 0, 1]]},
        {"camera_intrinsic": [[1.0]]},
    ],
)
def test_an_impossible_calibration_leaves_the_channel_out(
    plugin: ModuleType, tmp_path: Path, patch: dict[str, Any]
) -> None:
    content = tables()
    content["calibrated_sensor"][0] |= patch
    proposal = plugin.propose(write(tmp_path / "n", content))
    assert {stream.key for stream in proposal.samples[0].streams} == {"LIDAR_TOP", "ego_pose"}
    assert any(item.path.name == "CAM_FRONT" for item in proposal.skipped)


def test_poses_of_another_time_or_without_rotation(plugin: ModuleType, folder: Path) -> None:
    stream = streams(plugin, folder)["ego_pose"]
    with pytest.raises(DataError, match="no pose between these times"):
        plugin.open_poses(stream.files, {"from_us": 0, "to_us": 5}, OpenContext())
    with pytest.raises(DataError, match="needs the options"):
        plugin.open_poses(stream.files, {}, OpenContext())
    rows = tables()["ego_pose"]
    rows[3]["rotation"] = [0, 0, 0, 0]
    stream.files[0].write_text(json.dumps(rows))
    reader = plugin.open_poses(stream.files, stream.options, OpenContext())
    assert np.isnan(reader.positions_m[3]).all()
    assert "1 poses have no unit quaternion" in reader.info.notes[0]
