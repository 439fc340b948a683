"""A scene with every sensor at its own time, held against the arithmetic of the data set's own description.

Written here from the published schema, with 4×4 matrices and nothing of the program: a quaternion has its scalar first,
``calibrated_sensor`` is ego from sensor, ``ego_pose`` is global from ego *at the time of that very capture*; a point of
the scanner meets a picture through the world, over the two poses of the two moments.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workstation.core.poses import Trajectory
from workstation.core.projection import project
from workstation.core.sample import StreamKind
from workstation.core.space import FrameTree, NoTransform
from workstation.media.base import CloudReader, OpenContext, Reader, TrajectoryReader
from workstation.media.probe import ReaderShelf, open_with
from workstation.media.proposal import SampleProposal, StreamProposal

START_US = 1_533_151_603_547_590
SENSORS = {"CAM_BACK": "camera", "CAM_FRONT": "camera", "LIDAR_TOP": "lidar", "RADAR_FRONT": "radar"}
RADAR_HEAD = """# .PCD v0.7 - Point Cloud Data file format
VERSION 0.7
FIELDS x y z dyn_prop id rcs vx vy vx_comp vy_comp is_quality_valid ambig_state x_rms y_rms invalid_state pdh0 \
vx_rms vy_rms
SIZE 4 4 4 1 2 4 4 4 4 4 1 1 1 1 1 1 1 1
TYPE F F F I I F F F F F I I I I I I I I
COUNT 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
WIDTH 3
HEIGHT 1
VIEWPOINT 0 0 0 1 0 0 0
POINTS 3
DATA binary
"""
RADAR = np.dtype(
    [
        *((name, "<f4") for name in "xyz"), ("dyn_prop", "i1"), ("id", "<i2"),
        *((name, "<f4") for name in ("rcs", "vx", "vy", "vx_comp", "vy_comp")),
        *((name, "i1") for name in ("is_quality_valid", "ambig_state", "x_rms", "y_rms", "invalid_state", "pdh0",
                                    "vx_rms", "vy_rms")),
    ]
)  # fmt: skip


def matrix(rotation: list[float], translation: list[float]) -> np.ndarray:
    """4×4 of a quaternion with its scalar first."""
    w, x, y, z = rotation
    made = np.eye(4)
    made[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    made[:3, 3] = translation
    return made


def turned(rng: np.random.Generator, about: list[float], spread: float) -> list[float]:
    """A unit quaternion near another one."""
    made = np.array(about) + rng.normal(0, spread, 4)
    return (made / np.linalg.norm(made)).tolist()


class Made:
    """A data set of one scene or more on disk, and every number that went into it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, np.random.default_rng(seed)
        self.tables: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("scene", "sample", "sample_data", "ego_pose", "sensor", "calibrated_sensor", "log")
        }
        self.clouds: dict[str, np.ndarray] = {}
        self.radars: dict[str, np.ndarray] = {}
        (folder / "samples").mkdir(parents=True)

    def scene(self, name: str, start_us: int, place: list[float]) -> None:
        """Twelve captures of each sensor, about two a tenth of a second, each with a pose of its own."""
        rng, tables = self.rng, self.tables
        tables["log"].append({"token": f"log {name}", "location": "boston-seaport", "vehicle": name})
        tables["scene"].append({"token": name, "name": name, "description": "", "log_token": f"log {name}"})
        for channel, modality in SENSORS.items():
            own = f"{channel} {name}"
            looks = [0.5, 0.5, -0.5, -0.5] if channel == "CAM_BACK" else [0.5, -0.5, 0.5, -0.5]
            lens = [[1252.8, 0.0, 826.6], [0.0, 1252.8, 469.98], [0.0, 0.0, 1.0]] if modality == "camera" else []
            tables["sensor"].append({"token": f"s {own}", "channel": channel, "modality": modality})
            tables["calibrated_sensor"].append(
                {
                    "token": f"c {own}",
                    "sensor_token": f"s {own}",
                    "translation": rng.normal(0, 1, 3).tolist(),
                    "rotation": turned(rng, looks if modality == "camera" else [0.7, 0, 0, -0.7], 0.02),
                    "camera_intrinsic": lens,
                }
            )
            late = int(rng.integers(0, 40_000))
            for i in range(12):
                self._capture(name, own, channel, modality, i, start_us + 49_873 * i + late, place)

    def _capture(
        self, scene: str, own: str, channel: str, modality: str, i: int, time_us: int, place: list[float]
    ) -> None:
        tables, rng = self.tables, self.rng
        token = f"{own} {i}"
        if channel == "CAM_FRONT":
            tables["sample"].append({"token": f"{scene} {i}", "scene_token": scene, "timestamp": time_us})
        ending = {"camera": "jpg", "lidar": "pcd.bin", "radar": "pcd"}[modality]
        name = f"{'samples' if i % 6 == 0 else 'sweeps'}/{channel}/{scene}__{channel}__{time_us}.{ending}"
        row = {"token": token, "sample_token": f"{scene} {i}", "ego_pose_token": f"p {token}", "timestamp": time_us}
        size = {"width": 1600, "height": 900} if modality == "camera" else {"width": 0, "height": 0}
        tables["sample_data"].append(
            row | size | {"calibrated_sensor_token": f"c {own}", "filename": name, "is_key_frame": i % 6 == 0}
        )
        moved = [place[0] + (time_us - START_US) * 8e-6, place[1] + rng.normal(0, 0.05), rng.normal(0, 0.02)]
        heading = turned(rng, [0.8, 0.0, 0.0, 0.6], 0.01)
        tables["ego_pose"].append(
            {"token": f"p {token}", "timestamp": time_us, "rotation": heading, "translation": moved}
        )
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if modality == "camera":
            Image.new("RGB", (16, 9)).save(path)
        elif modality == "lidar":
            self.clouds[token] = np.column_stack(
                [rng.uniform(-30, 30, (400, 3)), rng.integers(0, 32, (400, 2))]
            ).astype("<f4")
            self.clouds[token].tofile(path)
        else:
            points = np.zeros(3, RADAR)
            for field in RADAR.names or ():
                points[field] = rng.integers(-100, 100, 3) / (8 if RADAR[field].kind == "f" else 1)
            self.radars[token] = points
            path.write_bytes(RADAR_HEAD.encode() + points.tobytes())

    def write(self) -> Path:
        (self.folder / "v1.0-mini").mkdir()
        for name, rows in self.tables.items():
            (self.folder / "v1.0-mini" / f"{name}.json").write_text(json.dumps(rows))
        return self.folder

    def sensor(self, own: str) -> np.ndarray:
        row = next(row for row in self.tables["calibrated_sensor"] if row["token"] == f"c {own}")
        return matrix(row["rotation"], row["translation"])

    def ego(self, token: str) -> np.ndarray:
        row = next(row for row in self.tables["ego_pose"] if row["token"] == f"p {token}")
        return matrix(row["rotation"], row["translation"])

    def time_us(self, token: str) -> int:
        return next(int(row["timestamp"]) for row in self.tables["sample_data"] if row["token"] == token)


def opened(plugin: ModuleType, stream: StreamProposal) -> Reader:
    """As the program opens it: by a reader of that name and that kind."""
    spec = ReaderShelf(lambda: plugin.READERS).named(stream.kind, stream.reader)
    assert spec is not None, (stream.kind, stream.reader)
    return open_with(spec, stream.files, options=stream.options, context=OpenContext())


def tree_of(plugin: ModuleType, sample: SampleProposal) -> FrameTree:
    poses = opened(plugin, next(stream for stream in sample.streams if stream.key == "ego_pose"))
    assert isinstance(poses, TrajectoryReader)
    path = Trajectory(
        times_ns=poses.times_ns, rotations=poses.rotations, translations=poses.positions_m, max_gap_ns=10**9
    )
    assert sample.rig is not None
    return FrameTree(sample.rig.calibration(), {"ego_pose": path})


@pytest.mark.parametrize("seed", [1, 2])
def test_points_meet_pictures_over_the_poses_of_both_moments(plugin: ModuleType, tmp_path: Path, seed: int) -> None:
    made = Made(tmp_path / "n", seed)
    made.scene("scene-0061", START_US, [411.0, 1180.0])
    (sample,) = plugin.propose(made.write()).samples
    assert sample.rig is not None
    tree = tree_of(plugin, sample)
    streams = {stream.key: stream for stream in sample.streams}
    sweeps, echoes = opened(plugin, streams["LIDAR_TOP"]), opened(plugin, streams["RADAR_FRONT"])
    assert isinstance(sweeps, CloudReader)
    assert isinstance(echoes, CloudReader)
    assert streams["RADAR_FRONT"].kind is StreamKind.RADAR
    zero_us = min(row["timestamp"] for row in made.tables["sample_data"])
    assert sample.epoch_ns == zero_us * 1000
    shown = 0
    for i in (0, 5, 11):
        swept, echo = f"LIDAR_TOP scene-0061 {i}", f"RADAR_FRONT scene-0061 {i}"
        cloud = sweeps.cloud(i)
        points = cloud.points + np.array(cloud.origin, np.float32)
        assert np.array_equal(
            np.column_stack([points, cloud.fields["intensity"], cloud.fields["ring"]]), made.clouds[swept]
        )
        at_ns = streams["LIDAR_TOP"].time_map.to_session(int(sweeps.table.times_ns[i]))
        assert at_ns == (made.time_us(swept) - zero_us) * 1000
        radar, known = echoes.cloud(i), made.radars[echo]
        assert np.array_equal(radar.points, np.column_stack([known[axis] for axis in "xyz"]))
        for field in ("rcs", "vx_comp", "vy_comp", "dyn_prop", "id", "invalid_state"):
            assert np.array_equal(radar.fields[field], known[field]), field
        global_from_lidar = tree.transform("global", "LIDAR_TOP", at_ns)
        assert not isinstance(global_from_lidar, NoTransform)
        for channel in ("CAM_FRONT", "CAM_BACK"):
            taken = f"{channel} scene-0061 {i}"
            taken_ns = (made.time_us(taken) - zero_us) * 1000
            camera_from_global = tree.transform(channel, "global", taken_ns)
            assert not isinstance(camera_from_global, NoTransform)
            seen = np.linalg.inv(made.ego(taken) @ made.sensor(f"{channel} scene-0061"))
            place = made.ego(swept) @ made.sensor("LIDAR_TOP scene-0061")
            x, y, z, _ = seen @ place @ np.column_stack([points, np.ones(len(points))]).astype(np.float64).T
            before = z > 1.0
            wanted = np.column_stack([1252.8 * x / z + 826.6, 1252.8 * y / z + 469.98])[before]
            moved = camera_from_global @ (global_from_lidar @ points.astype(np.float64))
            ours = project(sample.rig.calibration().camera(channel), moved).pixels[before] - 0.5
            inside = (np.abs(wanted) < 4000).all(axis=1)
            assert np.abs(ours - wanted)[inside].max() < 0.01
            shown += int(inside.sum())
    assert shown > 500


def test_two_cars_that_drive_at_the_same_time_keep_their_own_poses(plugin: ModuleType, tmp_path: Path) -> None:
    """The table of poses holds those of every drive; times alone do not tell whose one is."""
    made = Made(tmp_path / "n", 5)
    made.scene("n008", START_US, [411.0, 1180.0])
    made.scene("n015", START_US + 120_000, [2000.0, 90.0])
    samples = plugin.propose(made.write()).samples
    assert [sample.key for sample in samples] == ["n008", "n015"]
    for sample in samples:
        poses = opened(plugin, next(stream for stream in sample.streams if stream.key == "ego_pose"))
        assert isinstance(poses, TrajectoryReader)
        own = [row for row in made.tables["ego_pose"] if f" {sample.key} " in row["token"]]
        own.sort(key=lambda row: int(row["timestamp"]))
        assert sample.epoch_ns is not None
        assert (poses.times_ns + sample.epoch_ns).tolist() == [row["timestamp"] * 1000 for row in own]
        assert np.allclose(poses.positions_m, [row["translation"] for row in own])
