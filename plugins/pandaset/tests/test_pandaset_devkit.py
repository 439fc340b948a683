"""Published drives and the scene that ships with the program, held against the data set's own arithmetic.

Written here from the published description, with 4×4 matrices and nothing of the program: points are in the world, a
camera's pose is world from camera with the quaternion's scalar first, and the pinhole's four numbers make the pixel.
Tables were pickled by real pandas (``panda_tables.py``), the scene is eight seconds of sequence 002.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from panda_tables import TABLES
from PIL import Image

from workstation.app.resources import resource
from workstation.core.poses import Trajectory
from workstation.core.projection import project
from workstation.core.space import FrameTree, NoTransform
from workstation.media.base import CloudReader, OpenContext, Reader, SeriesReader, TrajectoryReader, VideoReader
from workstation.media.probe import ReaderShelf, open_with
from workstation.media.proposal import SampleProposal, StreamProposal

START_S = 1_557_539_924.5
COUNT = 5


def matrix(pose: dict[str, Any]) -> np.ndarray:
    """4×4 of a ``position`` and a ``heading``."""
    w, x, y, z = (pose["heading"][axis] for axis in "wxyz")
    made = np.eye(4)
    made[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    made[:3, 3] = [pose["position"][axis] for axis in "xyz"]
    return made


def pose(rng: np.random.Generator, about: tuple[float, ...], place: tuple[float, ...]) -> dict[str, Any]:
    turn = np.array(about) + rng.normal(0, 0.03, 4)
    turn /= np.linalg.norm(turn)
    where = np.array(place) + rng.normal(0, 0.2, 3)
    return {
        "position": dict(zip("xyz", where.tolist(), strict=True)),
        "heading": dict(zip("wxyz", turn.tolist(), strict=True)),
    }


def opened(plugin: ModuleType, stream: StreamProposal) -> Reader:
    """As the program opens it: by a reader of that name and that kind."""
    spec = ReaderShelf(lambda: plugin.READERS).named(stream.kind, stream.reader)
    assert spec is not None, (stream.kind, stream.reader)
    return open_with(spec, stream.files, options=stream.options, context=OpenContext())


def moves(plugin: ModuleType, sample: SampleProposal) -> FrameTree:
    """The sample's frames with all that moves in it."""
    paths = {}
    for stream in sample.streams:
        if stream.kind == "trajectory":
            reader = opened(plugin, stream)
            assert isinstance(reader, TrajectoryReader)
            paths[stream.key] = Trajectory(
                times_ns=reader.times_ns, rotations=reader.rotations, translations=reader.positions_m, max_gap_ns=10**9
            )
    assert sample.rig is not None
    return FrameTree(sample.rig.calibration(), paths)


def test_points_of_a_published_drive_meet_its_pictures(plugin: ModuleType, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    drive = tmp_path / "057"
    cameras = {"front_camera": (0.7, -0.7, 0.0, 0.0), "back_camera": (0.0, 0.0, 0.7, -0.7)}
    intrinsics = {
        name: dict(zip(("fx", "fy", "cx", "cy"), rng.uniform(80, 120, 4).tolist(), strict=True)) for name in cameras
    }
    poses = {name: [pose(rng, about, (2.0, -20.0, 1.0)) for _ in range(COUNT)] for name, about in cameras.items()}
    poses["back_camera"] = [pose(rng, cameras["back_camera"], (2.0, 20.0, 1.0)) for _ in range(COUNT)]
    vehicle = [pose(rng, (1.0, 0.0, 0.0, 0.0), (0.5 * i, 0.0, 0.0)) for i in range(COUNT)]
    for name in ("lidar", "meta", *(f"camera/{name}" for name in cameras)):
        (drive / name).mkdir(parents=True)
    late_s = {"front_camera": 0.0, "back_camera": 0.0501}
    stamps = {name: [START_S + 0.1 * i + late for i in range(COUNT)] for name, late in late_s.items()}
    for name in cameras:
        folder = drive / "camera" / name
        for i in range(COUNT):
            Image.new("RGB", (192, 108)).save(folder / f"{i:02}.jpg")
        for file, content in (("timestamps", stamps[name]), ("poses", poses[name]), ("intrinsics", intrinsics[name])):
            (folder / f"{file}.json").write_text(json.dumps(content))
    sweeps_s = [START_S + 0.1 * i + 0.0101 for i in range(COUNT)]
    for i in range(COUNT):
        (drive / "lidar" / f"{i:02}.pkl.gz").write_bytes(TABLES["2.3.3"])
    (drive / "lidar" / "timestamps.json").write_text(json.dumps(sweeps_s))
    (drive / "lidar" / "poses.json").write_text(json.dumps(vehicle))
    fixes = [
        {"lat": 37.7 + 1e-6 * i, "long": -122.4, "height": 3.0 + i, "xvel": 0.1 * i, "yvel": -0.2} for i in range(COUNT)
    ]
    (drive / "meta" / "gps.json").write_text(json.dumps(fixes))
    (drive / "meta" / "timestamps.json").write_text(json.dumps(sweeps_s))
    (sample,) = plugin.propose(drive).samples
    tree = moves(plugin, sample)
    streams = {stream.key: stream for stream in sample.streams}
    assert sample.epoch_ns is not None
    clouds = [opened(plugin, streams[name]) for name in ("lidar_spinning", "lidar_forward")]
    i = np.arange(6)
    known = np.column_stack([i + 0.5, -i, np.full(6, 2.0)])  # what the table holds, of both scanners
    found = np.concatenate(
        [c.cloud(3).points + np.array(c.cloud(3).origin) for c in clouds if isinstance(c, CloudReader)]
    )
    assert np.allclose(found, known)
    for name in cameras:
        pictures = opened(plugin, streams[name])
        assert isinstance(pictures, VideoReader)
        for number in range(COUNT):
            taken_ns = int(pictures.table.times_ns[number])
            # A double of seconds since 1970 says a quarter of a microsecond.
            assert abs(taken_ns + sample.epoch_ns - stamps[name][number] * 1e9) < 500
            camera_from_world = tree.transform(name, "world", taken_ns)
            assert not isinstance(camera_from_world, NoTransform)
            lens = intrinsics[name]
            x, y, z, _ = np.linalg.inv(matrix(poses[name][number])) @ np.column_stack([known, np.ones(6)]).T
            assert (z > 1).all(), "the made drive looks away from its points"
            wanted = np.column_stack([lens["fx"] * x / z + lens["cx"], lens["fy"] * y / z + lens["cy"]])
            assert sample.rig is not None
            ours = project(sample.rig.calibration().camera(name), known, camera_from_frame=camera_from_world)
            assert np.abs(ours.pixels - 0.5 - wanted).max() < 0.01
    ego = opened(plugin, streams["ego_pose"])
    assert isinstance(ego, TrajectoryReader)
    for number in range(COUNT):
        there = tree.transform("world", "ego", int(ego.times_ns[number]))
        assert not isinstance(there, NoTransform)
        assert np.allclose(there.matrix, matrix(vehicle[number]), atol=1e-9)
    gps = opened(plugin, streams["gps"])
    assert isinstance(gps, SeriesReader)
    for name in ("lat", "long", "height", "xvel", "yvel"):
        assert gps.values(name).tolist() == [fix[name] for fix in fixes]


def points_of(path: Path) -> np.ndarray:
    """The places of a binary PCD, by its own header."""
    head, _, body = path.read_bytes().partition(b"DATA binary\n")
    lines = dict(line.split(" ", 1) for line in head.decode().splitlines() if not line.startswith("#"))
    kinds = {"F4": "<f4", "F8": "<f8", "U1": "u1", "U2": "<u2", "U4": "<u4", "I1": "i1", "I2": "<i2", "I4": "<i4"}
    fields = zip(lines["FIELDS"].split(), lines["TYPE"].split(), lines["SIZE"].split(), strict=True)
    table = np.frombuffer(body, np.dtype([(name, kinds[kind + size]) for name, kind, size in fields]))
    assert len(table) == int(lines["POINTS"])
    return np.column_stack([table[axis] for axis in "xyz"])


def test_the_published_seconds_are_read_as_they_are_written(plugin: ModuleType) -> None:
    """Four cameras, 76 sweeps, fixes and poses of a real drive: every number from the files by another way."""
    folder = resource("demo", "sf_drive")
    numbers, times = (json.loads((folder / f"{name}.json").read_text()) for name in ("calibration", "timestamps"))
    (sample,) = plugin.propose(folder).samples
    streams = {stream.key: stream for stream in sample.streams}
    assert sample.rig is not None
    calibration, tree = sample.rig.calibration(), moves(plugin, sample)
    sweeps = opened(plugin, streams["lidar"])
    assert isinstance(sweeps, CloudReader)
    there = [i for i in range(80) if (folder / "lidar" / f"{i:02}.pcd").exists()]
    assert sorted({*range(80)} - {*there}) == times["lidar"]["missing_sweeps"]
    assert sweeps.table.times_ns.tolist() == [round(times["lidar"]["t_s"][i] * 1e9) for i in there]
    shown = 0
    for index in (0, 31, 75):
        cloud = sweeps.cloud(index)
        points = points_of(folder / "lidar" / f"{there[index]:02}.pcd")
        assert np.array_equal(cloud.points + np.array(cloud.origin, np.float32), points)
        for name, lens in numbers["cameras"].items():
            camera_from_ego = tree.transform(name, "ego", 0)
            assert not isinstance(camera_from_ego, NoTransform)
            x, y, z, _ = np.array(lens["T_cam_from_ego_static"]) @ np.column_stack([points, np.ones(len(points))]).T
            ahead = z > 1
            wanted = np.column_stack([lens["fx"] * x / z + lens["cx"], lens["fy"] * y / z + lens["cy"]])[ahead]
            ours = project(calibration.camera(name), points, camera_from_frame=camera_from_ego).pixels[ahead] - 0.5
            inside = ((wanted > 0) & (wanted < (960, 540))).all(axis=1)
            assert np.abs(ours - wanted)[inside].max() < 0.01
            shown += int(inside.sum())
    assert shown > 20_000
    for name in numbers["cameras"]:
        film = opened(plugin, streams[name])
        assert isinstance(film, VideoReader)
        taken = [streams[name].time_map.to_session(int(time)) for time in film.table.times_ns]
        assert (
            np.abs(np.array(taken) - np.array(times[name]["t_s"]) * 1e9).max() < 1000
        )  # whole microseconds in the film
    rows = json.loads((folder / "sensors" / "ego_pose.json").read_text())
    for row in rows[::13]:
        world_from_ego = tree.transform("world", "ego", round(row["t_s"] * 1e9))
        assert not isinstance(world_from_ego, NoTransform)
        assert np.allclose(world_from_ego.matrix, matrix(row), atol=1e-7)
    fixes = np.genfromtxt(folder / "sensors" / "gps.csv", delimiter=",", names=True)
    gps = opened(plugin, streams["gps"])
    assert isinstance(gps, SeriesReader)
    assert np.abs(gps.times_ns - fixes["t_s"] * 1e9).max() < 1
    for name in ("lat", "long", "height", "xvel", "yvel"):
        assert np.array_equal(gps.values(name), fixes[name])
