"""Every published cuboid of the real drive in every camera, against a projection worked out here: the publisher's own
axes and numbers, SciPy for turns, OpenCV for the lens. Nothing of ours goes in but what is compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from workstation.app.evidence import media_evidence
from workstation.app.session import Session
from workstation.core.annotation import Annotation
from workstation.core.cuboid_views import PlacedTracks
from workstation.core.projection import corners_of, project
from workstation.core.rigs import newest_calibration
from workstation.core.sample import Stream
from workstation.media.opencv import cv2

Floats = NDArray[np.float64]
Json = dict[str, Any]
CAMERAS = ("back_camera", "front_camera", "front_left_camera", "front_right_camera")
EVERY = 9
AHEAD_M = 0.5
POSE_GAP_NS = 150_000_000
"""Where a sweep is missing there is no pose, so nothing can be placed."""


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


class Published:
    """The files, in the publisher's axes: x right, y forward, z up."""

    def __init__(self, folder: Path) -> None:
        self.calibration = read(folder / "calibration.json")["cameras"]
        self.times = read(folder / "timestamps.json")
        poses = read(folder / "sensors" / "ego_pose.json")
        self.pose_ns = np.array([round(each["t_s"] * 1e9) for each in poses])
        self.turns = Rotation.from_quat([[each["heading"][k] for k in "xyzw"] for each in poses])
        self.places = np.array([[each["position"][k] for k in "xyz"] for each in poses])
        self.tracks: dict[str, list[tuple[int, Json]]] = {}
        for frame in read(folder / "labels" / "cuboids.json")["frames"]:
            for each in frame["objects"]:
                self.tracks.setdefault(each["uuid"], []).append((round(frame["t_s"] * 1e9), each))

    def pose(self, time_ns: int) -> tuple[Rotation, Floats] | None:
        """``world_from_ego``."""
        after = int(np.searchsorted(self.pose_ns, time_ns))
        if after < len(self.pose_ns) and self.pose_ns[after] == time_ns:
            return self.turns[after], self.places[after]
        if not 0 < after < len(self.pose_ns) or self.pose_ns[after] - self.pose_ns[after - 1] > POSE_GAP_NS:
            return None
        share = (time_ns - self.pose_ns[after - 1]) / (self.pose_ns[after] - self.pose_ns[after - 1])
        turn = Slerp([0, 1], self.turns[[after - 1, after]])([share])[0]
        return turn, self.places[after - 1] + share * (self.places[after] - self.places[after - 1])

    def corners(self, uuid: str, time_ns: int) -> Floats | None:
        """(8, 3) in the world: straight, and the short way round, from one sweep's cuboid to the next one's."""
        rows = self.tracks[uuid]
        after = next((i for i, (at, _) in enumerate(rows) if at >= time_ns), None)
        if after is None or (after == 0 and rows[0][0] != time_ns):
            return None
        around = [rows[after]] if rows[after][0] == time_ns else rows[after - 1 : after + 1]
        placed = []
        for at, cuboid in around:
            pose = self.pose(at)
            if pose is None:
                return None
            turn, place = pose
            own = Rotation.from_euler("z", cuboid["yaw_ego"])
            placed.append((turn * own, place + turn.apply(cuboid["center_ego"]), np.array(cuboid["size_wlh"])))
        share = 0.0 if len(placed) == 1 else (time_ns - around[0][0]) / (around[1][0] - around[0][0])
        first, last = placed[0], placed[-1]
        turn = Slerp([0, 1], Rotation.concatenate([first[0], last[0]]))([share])[0]
        middle, size = (first[i] + share * (last[i] - first[i]) for i in (1, 2))
        signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
        corners: Floats = middle + turn.apply(signs * size / 2)
        return corners

    def in_camera(self, key: str, points: Floats, time_ns: int) -> Floats | None:
        pose = self.pose(time_ns)
        if pose is None:
            return None
        turn, place = pose
        matrix = np.array(self.calibration[key]["T_cam_from_ego_static"])
        there: Floats = turn.inv().apply(points - place) @ matrix[:3, :3].T + matrix[:3, 3]
        return there

    def pixels(self, key: str, in_camera: Floats) -> Floats:
        lens = self.calibration[key]
        matrix = np.array([[lens["fx"], 0, lens["cx"]], [0, lens["fy"], lens["cy"]], [0, 0, 1]])
        found, _ = cv2.projectPoints(in_camera, np.zeros(3), np.zeros(3), matrix, np.zeros(4))
        # OpenCV counts pixels from the middle of the first one, we from its corner.
        return np.asarray(found.reshape(-1, 2) + 0.5, np.float64)


@pytest.mark.slow
def test_every_cuboid_falls_where_the_published_numbers_put_it(demo_session: Session, published: Path) -> None:
    truth = Published(published)
    store = demo_session.store
    (sample,) = store.samples()
    streams: dict[str, Stream] = {each.id: each for each in store.streams(sample.id)}
    by_key = {each.key: each for each in streams.values()}
    tracks: list[Annotation] = [each for each in store.annotations(sample.id) if each.track is not None]
    with media_evidence(store, demo_session.project)(sample) as evidence:
        placed = PlacedTracks(
            tracks,
            lambda each: store.keyframes(each.id),
            streams,
            evidence.frames(),
            newest_calibration(store, sample.id),
        )
    assert len(placed.rows) == len(truth.tracks) == 128
    corners: list[float] = []
    boxes: list[float] = []
    for key in CAMERAS:
        camera = placed.camera_of(by_key[key])
        assert camera is not None
        times = np.array([round(each * 1e9) for each in truth.times[key]["t_s"]][::EVERY], np.int64)
        for track in tracks:
            uuid = str(track.source.parameters["uuid"])
            standing, seen = placed.place(track.id, times), placed.seen(camera, track.id, times)
            for row, time_ns in enumerate(times.tolist()):
                there = truth.corners(uuid, time_ns)
                wanted = None if there is None else truth.in_camera(key, there, time_ns)
                assert (wanted is not None) == bool(np.isfinite(seen.range_m[row])), (key, uuid, time_ns)
                if wanted is None or wanted[:, 2].max() < AHEAD_M:
                    continue
                way = placed.camera_from_root(camera, track.id, time_ns)
                assert way is not None
                ours = project(camera, way @ corners_of(*(each[row : row + 1] for each in (
                    standing.centers, standing.sizes, standing.rotations)))[0])  # fmt: skip
                ahead = wanted[:, 2] > AHEAD_M
                pixels = truth.pixels(key, wanted)
                near = ((pixels > -500) & (pixels < 1500)).all(1) & ahead
                apart = np.linalg.norm(ours.pixels[None] - pixels[near][:, None], axis=2)
                corners += np.nanmin(apart, axis=1).tolist() if near.any() else []
                if ahead.all() and ((pixels > 0) & (pixels < (960, 540))).all():
                    box = np.concatenate([pixels.min(0), pixels.max(0)])
                    boxes.append(float(np.abs(seen.boxes[row] - box).max()))
    assert len(corners) > 5_000
    assert len(boxes) > 500
    assert max(corners) <= 0.5
    assert max(boxes) <= 0.5
