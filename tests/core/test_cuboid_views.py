"""What cameras see of cuboid tracks, against an independent projection: OpenCV's, and motion worked out here by hand.

The car drives along x at 8 m/s and turns slowly; things stand or drive; cameras look ahead and to the side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from workstation.core.annotation import Annotation, Gap, Keyframe, Presence, Track
from workstation.core.cameras import BrownConrady, Camera, Fisheye, Lens, Pinhole
from workstation.core.cuboid_views import PlacedTracks, overlap
from workstation.core.geometry import Cuboid, ShapeKind
from workstation.core.ids import deterministic_ids
from workstation.core.poses import RigidTransform, Trajectory
from workstation.core.sample import Stream, StreamKind
from workstation.core.space import Calibration, Frame, FrameTree
from workstation.core.timemap import offset_map
from workstation.media.opencv import cv2

Floats = NDArray[np.float64]
Held = list[tuple[Annotation, list[Keyframe]]]
MS = 1_000_000
BEHIND_NS = 7_000_000
SIZE = (4.4, 1.8, 1.5)
_IDS = deterministic_ids(3)
LENSES: dict[str, Lens] = {
    "pinhole": Pinhole(fx=500, fy=510, cx=320.5, cy=200.5),
    "brown": BrownConrady(fx=500, fy=510, cx=320.5, cy=200.5, k1=-0.2, k2=0.05, p1=0.0006, p2=-0.0004),
    "fisheye": Fisheye(fx=300, fy=300, cx=320.5, cy=200.5, k1=-0.02, k2=0.004, k3=-0.001, k4=0.0),
}
LOOKING = Rotation.from_matrix(np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]]).T)
"""``ego_from_camera``: x right, y down, z ahead, in a car's frame of x ahead, y left, z up."""
MOUNT_AT = np.array([1.2, 0.1, 1.5])


def mount(yaw_deg: float) -> Rotation:
    return Rotation.from_euler("z", yaw_deg, degrees=True) * LOOKING


def quaternion(turn: Rotation) -> tuple[float, float, float, float]:
    x, y, z, w = turn.as_quat().tolist()
    return w, x, y, z


def ego(time_ns: float) -> tuple[Rotation, Floats]:
    t = time_ns / 1e9
    return Rotation.from_euler("z", 0.05 * t), np.array([8.0 * t, 0.2 * t, 0.0])


def world(lens: str, yaw_deg: float, row_time_ns: int = 0) -> tuple[Camera, FrameTree, Calibration]:
    camera = Camera(name="cam", frame="cam", width_px=640, height_px=400, lens=LENSES[lens], row_time_ns=row_time_ns)
    frames = (
        Frame(name="ego", parent="world", trajectory="poses"),
        Frame(
            name="cam", parent="ego",
            parent_from_child=RigidTransform(quaternion(mount(yaw_deg)), tuple(MOUNT_AT.tolist())),
        ),
    )  # fmt: skip
    times = np.arange(0, 2_001, 10, dtype=np.int64) * MS
    poses = [ego(float(each)) for each in times]
    trajectory = Trajectory(
        times_ns=times,
        rotations=np.array([quaternion(turn) for turn, _ in poses]),
        translations=np.array([place for _, place in poses]),
        max_gap_ns=20 * MS,
    )
    calibration = Calibration(frames=frames, cameras=(camera,))
    return camera, FrameTree(calibration, {"poses": trajectory}), calibration


def label(track: Track | None = None, **more: Any) -> Annotation:
    given: dict[str, Any] = {"id": _IDS.new(), "sample": "s", "stream": "lidar", "kind": ShapeKind.CUBOID}
    return Annotation(**given, track=track, **more)


def keyframe(of: Annotation, session_ns: int, cuboid: Cuboid | None, **more: Any) -> Keyframe:
    given: dict[str, Any] = {"id": _IDS.new(), "annotation": of.id}
    return Keyframe(**given, time_ns=session_ns - BEHIND_NS, shape=cuboid, **more)


def placed(tree: FrameTree, calibration: Calibration, held: Held) -> PlacedTracks:
    given: Any = {"id": "lidar", "sample": "s", "key": "lidar", "kind": StreamKind.CLOUD, "frame": "ego"}
    lidar = Stream(**given, time_map=offset_map(BEHIND_NS))
    by_id = {each.id: rows for each, rows in held}
    return PlacedTracks([each for each, _ in held], lambda each: by_id[each.id], {"lidar": lidar}, tree, calibration)


def in_ego(turn: Rotation, place: Floats, time_ns: int) -> Cuboid:
    """A cuboid of the world as a label in the car's frame then."""
    ego_turn, ego_place = ego(time_ns)
    there = ego_turn.inv()
    x, y, z = there.apply(place - ego_place).tolist()
    return Cuboid((x, y, z), SIZE, quaternion(there * turn))


def opencv_box(lens: str, yaw_deg: float, turn: Rotation, place: Floats, time_ns: int) -> Floats:
    """The box around what lies in the picture of densely sampled edges, projected by OpenCV."""
    half = np.array(SIZE) / 2
    signs = np.array([[(i >> 2 & 1) * 2 - 1, (i >> 1 & 1) * 2 - 1, (i & 1) * 2 - 1] for i in range(8)])
    corners = turn.apply(signs * half) + place
    pairs = [(i, i | bit) for bit in (4, 2, 1) for i in range(8) if not i & bit]
    share = np.linspace(0, 1, 400)[:, None]
    points = np.concatenate([corners[a] + share * (corners[b] - corners[a]) for a, b in pairs])
    ego_turn, ego_place = ego(time_ns)
    points = ego_turn.inv().apply(points - ego_place)
    points = mount(yaw_deg).inv().apply(points - MOUNT_AT)
    kept = LENSES[lens]
    matrix = np.array([[kept.fx, 0, kept.cx - 0.5], [0, kept.fy, kept.cy - 0.5], [0, 0, 1]])
    if isinstance(kept, Fisheye):
        found, _ = cv2.fisheye.projectPoints(
            points[:, None], np.zeros(3), np.zeros(3), matrix, np.array([kept.k1, kept.k2, kept.k3, kept.k4])
        )
    else:
        numbers = (kept.k1, kept.k2, kept.p1, kept.p2) if isinstance(kept, BrownConrady) else (0.0,) * 4
        found, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, np.array(numbers))
    pixels = found.reshape(-1, 2) + 0.5
    pixels = pixels[((pixels >= 0) & (pixels <= (640, 400))).all(1)]
    return np.concatenate([pixels.min(0), pixels.max(0)])


def driven(time_ns: float) -> tuple[Rotation, Floats]:
    t = time_ns / 1e9
    return Rotation.from_euler("z", 0.3 + 0.1 * t), np.array([22.0 + 3 * t, 1.0 - 0.5 * t, 0.8])


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("moving", [False, True])
def test_the_box_is_opencvs_at_the_times_of_the_camera(lens: str, moving: bool) -> None:
    camera, tree, calibration = world(lens, -3.0)
    still = driven(0.0)
    made = label(Track())
    sweeps = range(0, 1_001, 100)
    rows = []
    for at_ms in sweeps:
        turn, place = driven(at_ms * MS) if moving else still
        rows.append(keyframe(made, at_ms * MS, in_ego(turn, place, at_ms * MS)))
    times = np.array([0, 33, 100, 133, 467, 990], np.int64) * MS
    seen = placed(tree, calibration, [(made, rows)]).seen(camera, made.id, times)
    assert seen.whole.all()
    for row, time_ns in enumerate(times.tolist()):
        if moving:  # between sweeps things go straight in the world, whatever the car does
            first = time_ns // (100 * MS) * 100 * MS
            (turn_0, place_0), (turn_1, place_1) = driven(first), driven(first + 100 * MS)
            share = (time_ns - first) / (100 * MS)
            place = place_0 + share * (place_1 - place_0)
            turn = Slerp([0, 1], Rotation.concatenate([turn_0, turn_1]))([share])[0]
        else:
            turn, place = still
        wanted = opencv_box(lens, -3.0, turn, place, time_ns)
        assert np.abs(seen.boxes[row] - wanted).max() < 0.02
        ego_turn, ego_place = ego(time_ns)
        lens_at = ego_place + ego_turn.apply(MOUNT_AT)
        assert seen.range_m[row] == pytest.approx(np.linalg.norm(place - lens_at), abs=1e-6)


def test_what_sticks_out_is_cut_and_what_is_behind_does_not_show() -> None:
    camera, tree, calibration = world("pinhole", 0.0)
    turn = Rotation.identity()
    beside, behind = label(Track()), label(Track())
    places = {beside.id: np.array([9.0, 5.0, 0.8]), behind.id: np.array([-15.0, 0.0, 0.8])}
    held = [
        (each, [keyframe(each, at * MS, in_ego(turn, places[each.id], at * MS)) for at in (0, 100)])
        for each in (beside, behind)
    ]
    things = placed(tree, calibration, held)
    times = np.array([50 * MS], np.int64)
    cut = things.seen(camera, beside.id, times)
    assert cut.boxes[0, 0] == 0
    assert cut.boxes[0] == pytest.approx(opencv_box("pinhole", 0.0, turn, places[beside.id], 50 * MS), abs=1.0)
    assert not cut.whole[0]
    gone = things.seen(camera, behind.id, times)
    assert not gone.shows[0]
    assert gone.depth_m[0] < 0


def test_gaps_absence_and_the_ends_of_life_show_nothing() -> None:
    camera, tree, calibration = world("pinhole", 0.0)
    turn, place = Rotation.identity(), np.array([25.0, 0.0, 0.8])
    made = label(Track(gaps=(Gap(200 * MS - BEHIND_NS, 300 * MS - BEHIND_NS),)))
    rows = [keyframe(made, at * MS, in_ego(turn, place, at * MS)) for at in (100, 200, 300)]
    rows.append(keyframe(made, 400 * MS, None, presence=Presence.ABSENT))
    times = np.array([99, 100, 150, 200, 250, 300, 350, 400, 450], np.int64) * MS
    seen = placed(tree, calibration, [(made, rows)]).seen(camera, made.id, times)
    assert seen.shows.tolist() == [False, True, True, False, False, True, False, False, False]


def test_a_camera_without_a_pose_sees_nothing() -> None:
    camera, tree, calibration = world("pinhole", 0.0)
    made = label(None, shape=Cuboid((20, 0, 0.8), SIZE), frame="world")
    things = placed(tree, calibration, [(made, [])])
    seen = things.seen(camera, made.id, np.array([1_000, 3_000], np.int64) * MS)
    assert seen.shows.tolist() == [True, False]
    assert np.isnan(seen.range_m[1])


def test_a_rolling_shutter_moves_the_box_as_far_as_the_rows_are_late() -> None:
    _, tree, calibration = world("pinhole", 90.0)
    camera, rolling_tree, rolling = world("pinhole", 90.0, row_time_ns=50_000)
    made = label(Track())
    turn, place = Rotation.identity(), np.array([4.0, 15.0, 1.5])
    rows = [keyframe(made, at * MS, in_ego(turn, place, at * MS)) for at in range(0, 1_001, 100)]
    times = np.array([300 * MS], np.int64)
    at_once = placed(tree, calibration, [(made, rows)]).seen(calibration.cameras[0], made.id, times)
    late = placed(rolling_tree, rolling, [(made, rows)]).seen(camera, made.id, times)
    middle_ns = 300 * MS + round((at_once.boxes[0, 1] + at_once.boxes[0, 3]) / 2 * 50_000)
    then = placed(tree, calibration, [(made, rows)]).seen(calibration.cameras[0], made.id, np.array([middle_ns]))
    moved = abs(then.boxes[0, 0] - at_once.boxes[0, 0])
    assert moved > 2
    assert late.boxes[0] == pytest.approx(then.boxes[0], abs=0.2 * moved)


def test_overlap_is_the_shared_part_of_both() -> None:
    a = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [np.nan] * 4], float)
    b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10], [0, 0, 1, 1]], float)
    assert overlap(a, b).tolist() == pytest.approx([1.0, 50 / 150, 0.0, 0.0])
