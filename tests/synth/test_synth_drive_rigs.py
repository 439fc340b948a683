"""FX-DRIVE with many sensors, indoors, and on the bus: what is delivered agrees with the truth, judged from outside."""

from __future__ import annotations

import csv
import struct
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from workstation.core.errors import UserError
from workstation.media.opencv import cv2
from workstation.synth.drive.fixture import drive
from workstation.synth.drive.rig import DriveOptions, cameras, lidars
from workstation.synth.drive.scenes import script_of
from workstation.synth.truth import Truth

Rows = dict[str, list[float]]
TINY = DriveOptions(seconds=0.2, scale=0.25, camera_rate_hz=20, workers=1)


def options_of(**changes: Any) -> DriveOptions:
    kept = {name: getattr(TINY, name) for name in ("seconds", "scale", "camera_rate_hz", "workers")}
    return DriveOptions(**{**kept, **changes})


@pytest.fixture(scope="module")
def full_rig(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """Twelve cameras and three LiDARs, 0.2 s of them."""
    return drive(tmp_path_factory.mktemp("rig"), options=options_of(cameras=12, lidars=3))


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """The warehouse with six cameras and two LiDARs."""
    return drive(tmp_path_factory.mktemp("hall"), options=options_of(scene="indoor", cameras=6, lidars=2))


class Poses:
    """``world_from_ego`` from the delivered file, by SciPy."""

    def __init__(self, made: Truth) -> None:
        with (made.folder / "media/ego_pose.csv").open() as file:
            rows = [[float(v) for v in row.values()] for row in csv.DictReader(file)]
        table = np.array(rows)
        self._times, self._places = table[:, 0] / 1e9, table[:, 1:4]
        self._turns = Slerp(self._times, Rotation.from_quat(table[:, [5, 6, 7, 4]]))

    def at(self, times: np.ndarray) -> tuple[np.ndarray, Rotation]:
        inside = np.clip(times, self._times[0], self._times[-1])
        places = np.stack([np.interp(inside, self._times, self._places[:, i]) for i in range(3)], axis=1)
        past = (times - inside)[:, None]  # the car drives on evenly for the few milliseconds before and after
        speed = (self._places[-1] - self._places[0]) / (self._times[-1] - self._times[0])
        return places + past * speed, self._turns(inside)


def truth_pose(made: Truth, number: int, time_s: float) -> tuple[np.ndarray, float]:
    """Ground place and heading of an actor, between the sweeps of the truth."""
    rows = [row for row in made.truth["poses"]["rows"] if row[1] == number]
    times = [row[0] * 0.1 for row in rows]
    x, y, z, yaw = (float(np.interp(time_s, times, [row[i] for row in rows])) for i in (2, 3, 4, 5))
    return np.array([x, y, z]), yaw


def corners(size: list[float], place: np.ndarray, yaw: float) -> np.ndarray:
    signs = np.array([[sx, sy, sz] for sx in (-0.5, 0.5) for sy in (-0.5, 0.5) for sz in (0, 1)])
    return Rotation.from_euler("z", yaw).apply(signs * size) + place


def projected(made: Truth, camera: str, points: np.ndarray, time_s: float) -> np.ndarray | None:
    """By OpenCV from the delivered calibration; ``None`` if a point is not in front."""
    given = made.sample["rig"]["cameras"][camera]
    place, turn = Poses(made).at(np.array([time_s]))
    ego = np.eye(4)
    ego[:3, :3], ego[:3, 3] = turn.as_matrix()[0], place[0]
    camera_from_world = np.linalg.inv(ego @ np.array(given["ego_from_camera"]))
    local = points @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    if local[:, 2].min() < 0.5:
        return None
    matrix = np.array([[given["fx"], 0, given["cx"]], [0, given["fy"], given["cy"]], [0, 0, 1]])
    lens = np.array(given.get("distortion") or [0.0] * 4)
    if given["model"] == "fisheye":
        found, _ = cv2.fisheye.projectPoints(local[None], np.zeros(3), np.zeros(3), matrix, lens)
    else:
        found, _ = cv2.projectPoints(local, np.zeros(3), np.zeros(3), matrix, lens)
    return np.asarray(found).reshape(-1, 2)


def boxes_agree(made: Truth, camera: str) -> int:
    """How many boxes of the truth were found again by OpenCV, all within what rounding leaves."""
    sizes = {each["number"]: each["size"] for each in made.truth["entities"]}
    with (made.folder / f"media/{camera}.times.csv").open() as file:
        times = [int(row["time_ns"]) / 1e9 for row in csv.DictReader(file)]
    given = made.sample["rig"]["cameras"][camera]
    found = 0
    for row in made.truth["boxes"][camera]["rows"]:
        frame, number, hull = row[0], row[1], row[6:10]
        if times[frame] > 0.1:
            continue  # the truth's poses end with the last sweep
        points = corners(sizes[number], *truth_pose(made, number, times[frame]))
        px = projected(made, camera, points, times[frame])
        if px is None:
            continue
        low = np.clip(px.min(axis=0), 0, None)
        high = np.minimum(px.max(axis=0), [given["width"], given["height"]])
        assert np.allclose([*low, *(high - low)], hull, atol=0.15), (camera, row)
        found += 1
    return found


@pytest.mark.slow
def test_twelve_cameras_film_and_box_what_opencv_projects(full_rig: Truth) -> None:
    films = [each["key"] for each in full_rig.sample["streams"] if each["kind"] == "video"]
    assert len(films) == len(set(films)) == 12
    firsts = set()
    for key in films:
        with av.open(str(full_rig.path(key))) as container:
            pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert len(pictures) == 4
        given = full_rig.sample["rig"]["cameras"][key]
        assert pictures[0].shape == (given["height"], given["width"], 3)
        assert pictures[0].std() > 10, "it shows something"
        firsts.add(pictures[0].tobytes())
    assert len(firsts) == 12
    counts = {key: boxes_agree(full_rig, key) for key in films}
    assert sum(counts.values()) > 30
    models = {full_rig.sample["rig"]["cameras"][key]["model"] for key, count in counts.items() if count}
    assert models == {"pinhole", "brown", "fisheye"}


def sweep_points(folder: Path, sweep: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) metres in the sensor and (n,) seconds from the sweep's time, parsed here."""
    head, _, body = (folder / f"{sweep:06d}.pcd").read_bytes().partition(b"DATA binary\n")
    words = {line.split()[0]: line.split()[1:] for line in head.decode().splitlines() if line and line[0] != "#"}
    kinds = {("F", "4"): "<f4", ("U", "2"): "<u2", ("U", "1"): "u1", ("U", "4"): "<u4", ("F", "8"): "<f8"}
    fields = [(n, kinds[t, s]) for n, t, s in zip(words["FIELDS"], words["TYPE"], words["SIZE"], strict=True)]
    table = np.frombuffer(body, np.dtype(fields))
    assert len(table) == int(words["POINTS"][0])
    return np.stack([table[n].astype(np.float64) for n in "xyz"], axis=1), table["time"].astype(np.float64)


def points_on_things(made: Truth, lidar: str) -> int:
    """Points that the truth counts on a thing lie on it, each at its own time; how many there were."""
    sizes = {each["number"]: each["size"] for each in made.truth["entities"]}
    mount = np.array(next(f for f in made.sample["rig"]["frames"] if f["name"] == lidar)["parent_from_child"])
    points, since = sweep_points(made.path(lidar), 1)
    place, turn = Poses(made).at(0.1 + since)
    world = turn.apply(points @ mount[:3, :3].T + mount[:3, 3]) + place
    total = 0
    for _, number, count, mean_s in (r for r in made.truth["lidar_points"][lidar]["rows"] if r[0] == 1):
        now, yaw = truth_pose(made, number, 0.1)
        before, _ = truth_pose(made, number, 0.0)
        moved = now + (now - before) / 0.1 * mean_s
        local = Rotation.from_euler("z", -yaw).apply(world - moved)
        half = np.array(sizes[number]) / 2 + 0.12  # noise, and the motion within the thing's own sweep
        inside = (np.abs(local - [0, 0, sizes[number][2] / 2]) <= half).all(axis=1)
        assert inside.sum() >= 0.95 * count, (lidar, number, count, int(inside.sum()))
        total += count
    return total


@pytest.mark.slow
def test_three_lidars_measure_the_same_things(full_rig: Truth) -> None:
    keys = [each["key"] for each in full_rig.sample["streams"] if each["kind"] == "cloud"]
    assert keys == ["lidar_top", "lidar_front_left", "lidar_front_right"]
    assert all(points_on_things(full_rig, key) > 10 for key in keys)


@pytest.mark.slow
def test_indoors_sensors_agree_and_no_satellite_is_heard(hall: Truth) -> None:
    films = [each["key"] for each in hall.sample["streams"] if each["kind"] == "video"]
    assert len(films) == 6
    assert sum(boxes_agree(hall, key) for key in films) > 10
    keys = [each["key"] for each in hall.sample["streams"] if each["kind"] == "cloud"]
    assert keys == ["lidar_top", "lidar_front_left"]
    assert sum(points_on_things(hall, key) for key in keys) > 100
    assert "gps" not in {each["key"] for each in hall.sample["streams"]}
    assert not (hall.folder / "media/gps.csv").exists()
    assert {"forklift", "mobile_robot", "pallet", "pedestrian"} <= {e["class"] for e in hall.truth["entities"]}
    returns = (hall.folder / "media/radar_front.csv").read_text().splitlines()[1:]
    numbers = hall.truth["radar_numbers"]
    assert len(returns) == len(numbers)
    assert any(numbers), "radar sees things, not walls alone"


@pytest.mark.slow
def test_the_raw_log_holds_the_decoded_table(full_rig: Truth) -> None:
    """Decoded here by the DBC's words: bit 0, little-endian, its factors."""
    with (full_rig.folder / "media/can.csv").open() as file:
        rows = list(csv.DictReader(file))
    frames: dict[tuple[int, str], bytes] = {}
    for line in (full_rig.folder / "media/can.log").read_text().splitlines():
        stamp, interface, frame = line.split()
        assert interface == "can0"
        seconds, _, part = stamp.strip("()").partition(".")
        identifier, _, data = frame.partition("#")
        frames[int(seconds) * 1_000_000_000 + int(part) * 1000, identifier] = bytes.fromhex(data)
    assert len(frames) == 3 * len(rows)
    dbc = (full_rig.folder / "media/can.dbc").read_text()
    for row in rows:
        time_ns = int(row["time_ns"])
        (speed,) = struct.unpack_from("<H", frames[time_ns, "1A0"])
        brake, throttle, flags = struct.unpack_from("<HHB", frames[time_ns, "220"])
        (steering,) = struct.unpack_from("<i", frames[time_ns, "0C4"])
        assert speed * 0.01 == pytest.approx(float(row["speed_kph"]), abs=1e-9)
        assert brake * 0.1 == pytest.approx(float(row["brake_pedal_pct"]), abs=1e-9)
        assert throttle * 0.1 == pytest.approx(float(row["throttle_pct"]), abs=1e-9)
        assert (flags & 1, flags >> 1 & 1) == (int(row["brake_switch"]), int(row["turn_signal_left"]))
        assert steering * 0.01 == pytest.approx(float(row["steering_wheel_deg"]), abs=1e-9)
    assert all(f"BO_ {int(key, 16)} " in dbc for key in ("1A0", "220", "0C4"))


def test_every_size_of_rig_has_its_sensors() -> None:
    for count in (1, 3, 6, 12):
        assert len({each.key for each in cameras(DriveOptions(cameras=count))}) == count
    for count in (1, 2, 3):
        assert len({each.key for each in lidars(DriveOptions(lidars=count))}) == count
    with pytest.raises(UserError, match="1 to 3 LiDARs"):
        lidars(DriveOptions(lidars=4))


def test_the_worker_steps_out_before_the_robot_and_it_slows() -> None:
    script = script_of(DriveOptions(scene="indoor"))
    worker = next(each for each in script.actors if each.key == "worker_1")
    nearest = min(
        float(np.hypot(*(script.ego.pose_at(t).translation - worker.path.pose_at(t).translation)[:2]))
        for t in np.arange(0, 12, 0.1)
    )
    assert 0.8 < nearest < 3.0, "close, and not into them"
    speeds = [float(np.hypot(*script.ego.velocity_at(t)[:2, 0])) for t in (5.0, 9.5)]
    assert speeds[0] > 1.2 > 0.5 > speeds[1]
