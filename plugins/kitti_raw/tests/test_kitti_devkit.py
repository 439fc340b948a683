"""Drives with random calibration, held against the arithmetic of the data set's own description.

Written here from the publication (Geiger et al., *Vision meets Robotics*) and its ``dataformat.txt``: with 4×4 matrices
and nothing of the program. A rectified picture shows ``P_rect R_rect_00 (R|T) x``; one as taken goes through ``K`` and
``D`` of its own camera, which OpenCV is asked for; the inertial unit stands where Mercator puts it, turned by yaw, then
pitch, then roll.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from workstation.core.poses import Trajectory
from workstation.core.projection import project
from workstation.core.space import FrameTree, NoTransform
from workstation.media.base import CloudReader, OpenContext, SeriesReader, TrajectoryReader
from workstation.media.opencv import cv2
from workstation.media.probe import ReaderShelf, open_with
from workstation.media.proposal import StreamProposal

STEPS = 6
PIXEL = 0.01


def turn(axis: int, angle: float) -> np.ndarray:
    """4×4 about x, y or z."""
    made = np.eye(4)
    a, b = [(1, 2), (2, 0), (0, 1)][axis]
    made[a, a] = made[b, b] = np.cos(angle)
    made[b, a], made[a, b] = np.sin(angle), -np.sin(angle)
    return made


def whole(rotation: np.ndarray, place: np.ndarray) -> np.ndarray:
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = rotation, place
    return made


class Made:
    """A drive on disk, and every number that went into it."""

    def __init__(self, folder: Path, seed: int, ending: str) -> None:
        rng = np.random.default_rng(seed)
        date = folder / "2011_09_28"
        self.drive = date / f"2011_09_28_drive_0004_{ending}"
        looks = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])  # x right, y down, z ahead of x ahead, y left, z up

        def small() -> np.ndarray:
            return (turn(0, rng.normal(0, 0.03)) @ turn(1, rng.normal(0, 0.03)) @ turn(2, rng.normal(0, 0.03)))[:3, :3]

        self.velo_to_cam = whole(small() @ looks, rng.normal(0, 0.3, 3))
        self.imu_to_velo = whole(small(), rng.normal(0, 0.8, 3))
        self.rectified = small()
        self.projections = []
        for _ in range(4):
            lens = np.array([[rng.uniform(600, 800), 0, 610], [0, rng.uniform(600, 800), 180], [0, 0, 1.0]])
            shift = np.array([rng.normal(0, 300), rng.normal(0, 2), rng.normal(0, 0.01)])  # not along x alone
            self.projections.append(np.column_stack([lens, shift]))
        self.taken = [
            (p[:, :3], rng.normal(0, [0.2, 0.1, 1e-3, 1e-3, 0.02]), whole(small(), rng.normal(0, 0.3, 3)))
            for p in self.projections
        ]
        self.oxts = np.column_stack(
            [
                rng.uniform(48, 49) + np.cumsum(rng.normal(0, 2e-5, STEPS)),
                rng.uniform(8, 9) + np.cumsum(rng.normal(0, 2e-5, STEPS)),
                rng.uniform(100, 120, STEPS),
                rng.normal(0, 0.1, (STEPS, 2)),
                rng.uniform(-3, 3) + np.cumsum(rng.normal(0, 0.1, STEPS)),
                rng.normal(0, 5, (STEPS, 19)),
                rng.integers(0, 9, (STEPS, 5)),
            ]
        )
        self.clouds = [
            np.column_stack([rng.uniform(6, 40, 60), rng.uniform(-6, 6, 60), rng.uniform(-2, 2, 60), rng.random(60)])
            .astype(np.float32)
            for _ in range(STEPS)
        ]  # fmt: skip
        self.stamps = [
            f"2011-09-28 12:26:{6 + i // 10:02}.{(i % 10) * 100_000_000 + 123_456_789:09}" for i in range(STEPS)
        ]
        self._write(date, rng)

    def _write(self, date: Path, rng: np.random.Generator) -> None:
        def numbers(values: np.ndarray) -> str:
            return " ".join(repr(float(value)) for value in np.ravel(values))

        def rigid(matrix: np.ndarray) -> str:
            return f"calib_time: 15-Mar-2012 11:37:16\nR: {numbers(matrix[:3, :3])}\nT: {numbers(matrix[:3, 3])}\n"

        for name in ("image_00", "image_01", "image_02", "image_03", "velodyne_points", "oxts"):
            (self.drive / name / "data").mkdir(parents=True)
            (self.drive / name / "timestamps.txt").write_text("\n".join(self.stamps) + "\n")
            for i in range(STEPS):
                stem = self.drive / name / "data" / f"{i:010}"
                if name == "oxts":
                    stem.with_suffix(".txt").write_text(numbers(self.oxts[i]))
                elif name == "velodyne_points":
                    self.clouds[i].tofile(stem.with_suffix(".bin"))
                else:
                    Image.fromarray(np.full((4, 8), 9 * i, np.uint8)).save(stem.with_suffix(".png"))
        (date / "calib_velo_to_cam.txt").write_text(rigid(self.velo_to_cam) + "delta_f: 0 0\ndelta_c: 0 0\n")
        (date / "calib_imu_to_velo.txt").write_text(rigid(self.imu_to_velo))
        lines = ["calib_time: 09-Jan-2012 14:00:15", "corner_dist: 9.950000e-02"]
        for i, (lens, bend, mount) in enumerate(self.taken):
            lines += [f"S_{i:02}: 1392 512", f"K_{i:02}: {numbers(lens)}", f"D_{i:02}: {numbers(bend)}"]
            lines += [
                f"R_{i:02}: {numbers(mount[:3, :3])}",
                f"T_{i:02}: {numbers(mount[:3, 3])}",
                f"S_rect_{i:02}: 1224 370",
            ]
            lines += [f"R_rect_{i:02}: {numbers(self.rectified)}", f"P_rect_{i:02}: {numbers(self.projections[i])}"]
        (date / "calib_cam_to_cam.txt").write_text("\n".join(lines) + "\n")

    def world_from_imu(self, i: int) -> np.ndarray:
        """East, north, up of the first fix."""

        def place(row: np.ndarray) -> np.ndarray:
            lat, lon, alt = row[:3]
            scale = np.cos(self.oxts[0, 0] * np.pi / 180)
            x = scale * lon * np.pi * 6378137 / 180
            return np.array([x, scale * 6378137 * np.log(np.tan((90 + lat) * np.pi / 360)), alt])

        roll, pitch, yaw = self.oxts[i, 3:6]
        turned = turn(2, yaw) @ turn(1, pitch) @ turn(0, roll)
        return whole(turned[:3, :3], place(self.oxts[i]) - place(self.oxts[0]))

    def pixels(self, camera: int, points: np.ndarray) -> np.ndarray:
        """OpenCV's sense: the middle of the first pixel is (0, 0)."""
        ahead = np.column_stack([points[:, :3], np.ones(len(points))]).astype(np.float64)
        if self.drive.name.endswith("_sync"):
            seen = self.projections[camera] @ whole(self.rectified, np.zeros(3)) @ self.velo_to_cam @ ahead.T
            return (seen[:2] / seen[2]).T
        lens, bend, mount = self.taken[camera]
        in_camera = (mount @ self.velo_to_cam @ ahead.T)[:3].T
        return cv2.projectPoints(in_camera, np.zeros(3), np.zeros(3), lens, bend)[0].reshape(-1, 2)


def opened(plugin: ModuleType, stream: StreamProposal) -> object:
    """As the program opens it: by a reader of that name and that kind."""
    spec = ReaderShelf(lambda: plugin.READERS).named(stream.kind, stream.reader)
    assert spec is not None, (stream.kind, stream.reader)
    return open_with(spec, stream.files, options=stream.options, context=OpenContext())


@pytest.mark.parametrize(("seed", "ending"), [(1, "sync"), (2, "sync"), (3, "extract")])
def test_a_drive_is_read_as_its_description_says(plugin: ModuleType, tmp_path: Path, seed: int, ending: str) -> None:
    made = Made(tmp_path, seed, ending)
    (sample,) = plugin.propose(made.drive).samples
    streams = {stream.key: stream for stream in sample.streams}
    calibration = sample.rig.calibration()
    poses, series, sweeps = (opened(plugin, streams[key]) for key in ("imu_pose", "oxts", "velodyne"))
    assert isinstance(poses, TrajectoryReader)
    assert isinstance(series, SeriesReader)
    assert isinstance(sweeps, CloudReader)
    for column, channel in enumerate(series.channels):
        assert np.array_equal(series.values(channel.name), made.oxts[:, column]), channel.name
    stamps = np.array([stamp.replace(" ", "T") for stamp in made.stamps], "datetime64[ns]").astype(np.int64)
    epoch_ns = streams["velodyne"].epoch_ns
    assert epoch_ns is not None
    assert np.array_equal(sweeps.table.times_ns + epoch_ns, stamps)
    path = Trajectory(
        times_ns=poses.times_ns, rotations=poses.rotations, translations=poses.positions_m, max_gap_ns=10**9
    )
    tree = FrameTree(calibration, {"imu_pose": path})
    for i in range(STEPS):
        cloud = sweeps.cloud(i)
        points = cloud.points.astype(np.float64) + np.array(cloud.origin)
        assert np.array_equal(points.astype(np.float32), made.clouds[i][:, :3])
        assert np.array_equal(cloud.fields["intensity"], made.clouds[i][:, 3])
        world_from_velodyne = tree.transform("world", "velodyne", int(poses.times_ns[i]))
        assert not isinstance(world_from_velodyne, NoTransform)
        wanted = made.world_from_imu(i) @ np.linalg.inv(made.imu_to_velo)
        assert np.allclose(world_from_velodyne.matrix, wanted, atol=1e-6)
    for camera in range(4):
        name = f"image_{camera:02}"
        camera_from_velodyne = tree.transform(name, "velodyne", 0)
        assert not isinstance(camera_from_velodyne, NoTransform)
        ours = project(calibration.camera(name), points, camera_from_frame=camera_from_velodyne)
        assert ours.valid.mean() > 0.9  # far outside a bent lens turns back on itself: no pixel is told there
        assert np.abs(ours.pixels - 0.5 - made.pixels(camera, points))[ours.valid].max() < PIXEL, name
