"""FX-DRIVE: its truth against independent arithmetic and against what its pixels, points and samples hold."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.long_drive import LONG_DRIVE
from workstation.core.errors import UserError
from workstation.media.opencv import cv2
from workstation.synth.camera import Camera
from workstation.synth.drive import signals
from workstation.synth.drive.fixture import drive
from workstation.synth.drive.place import Place, build_place, map_polygons
from workstation.synth.drive.rig import DriveOptions, cameras, lidars, radar_mount
from workstation.synth.drive.scenes import script_of
from workstation.synth.drive.script import HORN_BEARING_DEG, KEY_MOMENT_NS, KEY_MOMENT_S, Script, street_script
from workstation.synth.drive.stage import Stage
from workstation.synth.drive.variants import VARIANTS
from workstation.synth.raycast import Body, Caster, Sweep
from workstation.synth.truth import Truth

SMALL = DriveOptions(seconds=0.3, cameras=1, scale=0.5, workers=1)


@pytest.fixture(scope="module")
def script() -> Script:
    return street_script()


@pytest.fixture(scope="module")
def place(script: Script) -> Place:
    return build_place(script.roads, 0)


@pytest.fixture(scope="module")
def stage(script: Script, place: Place) -> Stage:
    return Stage(script, place)


@pytest.fixture(scope="module")
def caster(script: Script, place: Place) -> Caster:
    return Caster(place.blocks, place.ground, script.ego)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return drive(tmp_path_factory.mktemp("drive"), options=SMALL)


def sweep_at(script: Script, stage: Stage, caster: Caster, t: float) -> Sweep:
    bodies = [Body(stage.mesh(a, t), a.path, a.number, 0.6) for a in script.actors]
    return caster.sweep(lidars(DriveOptions())[0], t, bodies, np.random.default_rng(5))


def in_world(script: Script, sweep: Sweep, *, moving: bool, t: float) -> np.ndarray:
    """Points in the world: each with the pose of its own time, or all with that of the reference time."""
    mount = lidars(DriveOptions())[0].ego_from_lidar
    out = np.empty((len(sweep.points), 3))
    for when in np.unique(sweep.time_s):
        chosen = sweep.time_s == when
        pose = script.ego.pose_at(t + (float(when) if moving else 0.0))
        out[chosen] = pose.then(mount).apply(sweep.points[chosen].astype(np.float64))
    return out


def frames_of(path: Path) -> list[np.ndarray]:
    import av

    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.slow
def test_the_planted_cube_is_where_opencv_puts_it(small: Truth) -> None:
    """Axes and directions: calibration and pose as delivered, OpenCV's projection, and the magenta pixels agree."""
    corners = np.array(small.truth["planted_object"]["corners_world"])
    rows = (small.folder / "media/ego_pose.csv").read_text().splitlines()
    x, y, z, qw, qx, qy, qz = (float(v) for v in rows[1].split(",")[1:])
    ego = np.eye(4)
    ego[:3, :3] = [
        [1 - 2 * (qy * qy + qz * qz), 2 * (qx * qy - qw * qz), 2 * (qx * qz + qw * qy)],
        [2 * (qx * qy + qw * qz), 1 - 2 * (qx * qx + qz * qz), 2 * (qy * qz - qw * qx)],
        [2 * (qx * qz - qw * qy), 2 * (qy * qz + qw * qx), 1 - 2 * (qx * qx + qy * qy)],
    ]
    first_ns = small.sample["streams"][0]["first_ns"]
    ego[:3, 3] = x + 60 / 3.6 * first_ns / 1e9, y, z
    calibration = small.sample["rig"]["cameras"]["camera_front"]
    camera_from_world = np.linalg.inv(ego @ np.array(calibration["ego_from_camera"]))
    matrix = np.array([[calibration["fx"], 0, calibration["cx"]], [0, calibration["fy"], calibration["cy"]], [0, 0, 1]])
    turn, _ = cv2.Rodrigues(camera_from_world[:3, :3])
    expected, _ = cv2.projectPoints(corners, turn, camera_from_world[:3, 3], matrix, None)
    expected = expected.reshape(-1, 2)
    assert np.allclose(small.truth["planted_object"]["pixels"], expected, atol=0.02)
    image = frames_of(small.path("camera_front"))[0].astype(int)
    magenta = (image[..., 0] > 190) & (image[..., 1] < 90) & (image[..., 2] > 190)
    rows_, columns = np.nonzero(magenta)
    assert columns.min() + 0.5 == pytest.approx(expected[:, 0].min(), abs=2.0)
    assert columns.max() + 0.5 == pytest.approx(expected[:, 0].max(), abs=2.0)
    assert rows_.min() + 0.5 == pytest.approx(expected[:, 1].min(), abs=2.0)
    assert rows_.max() + 0.5 == pytest.approx(expected[:, 1].max(), abs=2.0)


@pytest.mark.slow
@pytest.mark.parametrize("t", [0.5, 14.33, 17.2])
def test_seen_pixels_lie_in_the_full_box_and_the_cuboids_box(stage: Stage, t: float) -> None:
    for camera in cameras(DriveOptions(cameras=3)):
        _, ids = stage.frame(camera, t)
        for shown in stage.shown(camera, t, ids):
            x, y, w, h = shown.full
            hx, hy, hw, hh = shown.hull
            assert hx <= x + 1e-6
            assert hy <= y + 1e-6
            assert hx + hw >= x + w - 1e-6
            assert hy + hh >= y + h - 1e-6
            everywhere = np.nonzero(ids == shown.number)
            if len(everywhere[0]):
                assert everywhere[1].min() + 0.5 >= x - 2
                assert everywhere[1].max() + 0.5 <= x + w + 2
                assert everywhere[0].min() + 0.5 >= y - 2
                assert everywhere[0].max() + 0.5 <= y + h + 2


@pytest.mark.slow
def test_rolling_shutter_moves_rows_by_their_own_time(script: Script, stage: Stage) -> None:
    """With a slow read-out the box of a passing thing is that of its own rows' time, not of the first row's."""
    base = cameras(DriveOptions(cameras=1))[0]
    rolling = cameras(DriveOptions(cameras=1, row_time_ns=60_000))[0]
    truck = next(a.number for a in script.actors if a.key == "truck_1")
    t = 1.6
    _, still_ids = stage.frame(base, t)
    _, ids = stage.frame(rolling, t)
    still = next(s for s in stage.shown(base, t, still_ids) if s.number == truck)
    moved = next(s for s in stage.shown(rolling, t, ids) if s.number == truck)
    assert moved.full[2] > still.full[2], "the truck comes nearer while the rows are read"
    columns = np.nonzero(ids == truck)[1]
    assert columns.min() + 0.5 == pytest.approx(moved.full[0], abs=3.0)


def test_horn_brake_and_pedestrian_coincide(script: Script) -> None:
    ego = script.ego.pose_at(KEY_MOMENT_S)
    walker = next(a for a in script.actors if a.key == "pedestrian_1")
    away = ego.inverse().apply(walker.path.pose_at(KEY_MOMENT_S).translation[None])[0]
    assert math.hypot(away[0], away[1]) == pytest.approx(12.0, abs=1e-3)
    assert away[0] > 11.5
    assert walker.state_at(KEY_MOMENT_S) == "crossing"
    taxi = ego.inverse().apply(script.horn.path.pose_at(KEY_MOMENT_S).translation[None])[0]
    assert math.degrees(math.atan2(taxi[1], taxi[0])) == pytest.approx(HORN_BEARING_DEG, abs=0.1)
    can = signals.can(script)
    on = can["time_ns"][(can["brake_switch"] == 1) & (can["time_ns"] > 13_500_000_000)]
    assert on[0] == KEY_MOMENT_NS
    crossing = next(a for a in map_polygons(script.roads) if a["kind"] == "crossing")
    ring = np.array(crossing["polygon"])[:, :2]
    spot = walker.path.pose_at(KEY_MOMENT_S).translation[:2]
    assert (ring.min(axis=0) <= spot).all()
    assert (spot <= ring.max(axis=0)).all()


def test_the_horn_begins_on_its_very_sample(script: Script) -> None:
    samples, events = signals.street_sound(script, DriveOptions(), np.random.default_rng(0))
    onset = next(e for e in events if e["key"] == "horn")["start_sample"]
    assert onset == 229_232 == KEY_MOMENT_NS * 16_000 // 1_000_000_000
    step = np.abs(np.diff(samples[:, 0]))
    assert step[onset - 1] > 0.3
    assert step[onset - 4000 : onset - 1].max() < 0.12, "nothing as sharp comes before it"


def test_four_microphones_hear_the_horn_from_thirty_degrees(script: Script) -> None:
    options = DriveOptions(microphones=4)
    samples, events = signals.street_sound(script, options, np.random.default_rng(0))
    onset = next(e for e in events if e["key"] == "horn")["start_sample"]
    part = samples[onset - 200 : onset + 6000]
    from workstation.synth.drive.rig import microphone_places

    places = microphone_places(options)
    delays = []
    for channel in range(1, 4):
        a, b = np.fft.rfft(part[:, 0], 65536), np.fft.rfft(part[:, channel], 65536)
        cross = np.fft.irfft(np.conj(a) * b, 65536 * 16)
        lag = int(np.argmax(cross))
        delays.append((lag if lag < len(cross) / 2 else lag - len(cross)) / 16 / 16_000)
    # Delay = −(place − place0) · direction / 343: least squares for the direction.
    direction, *_ = np.linalg.lstsq(-(places[1:] - places[0]) / 343.0, np.array(delays), rcond=None)
    assert math.degrees(math.atan2(direction[1], direction[0])) == pytest.approx(30.0, abs=6.0)


@pytest.mark.slow
def test_points_lie_on_the_cube_and_on_the_truck(script: Script, stage: Stage, caster: Caster) -> None:
    t = 0.8
    sweep = sweep_at(script, stage, caster, t)
    world = in_world(script, sweep, moving=True, t=t)
    for key in ("marker_1", "truck_1"):
        actor = next(a for a in script.actors if a.key == key)
        local = actor.path.pose_at(t).inverse().apply(world[sweep.number == actor.number])
        assert len(local) > 10
        half = np.array(actor.size) / 2
        outside = np.abs(local - [0, 0, half[2]]) - half
        assert outside.max() < 0.06, "no point is outside the cuboid by more than the noise"
        if key == "marker_1":
            assert np.abs(outside.max(axis=1)).max() < 0.06, "every point is on a face of the cube"


@pytest.mark.slow
def test_the_sweep_is_bent_by_the_cars_own_motion(script: Script, stage: Stage, caster: Caster) -> None:
    """At 60 km/h a wall seen early or late in the turn is off by up to 0.8 m unless each point's own time is used."""
    t = 0.8
    sweep = sweep_at(script, stage, caster, t)
    straight, bent = in_world(script, sweep, moving=True, t=t), in_world(script, sweep, moving=False, t=t)
    shift = np.linalg.norm(straight - bent, axis=1)
    assert shift.max() == pytest.approx(60 / 3.6 * 0.05, rel=0.05)
    flat = (sweep.number == 0) & (np.abs(straight[:, 1]) < 3) & (np.hypot(*sweep.points[:, :2].T) < 15)
    assert np.abs(straight[flat, 2]).max() < 0.08, "the road is flat at z = 0"
    azimuth = np.unwrap(np.arctan2(sweep.points[:, 1], sweep.points[:, 0])[np.argsort(sweep.time_s, kind="stable")])
    assert azimuth[-1] < azimuth[0], "it turns clockwise seen from above"
    assert sweep.time_s.min() < -0.045 < 0.045 < sweep.time_s.max()


@pytest.mark.slow
def test_rays_see_what_the_camera_sees(script: Script, stage: Stage, caster: Caster) -> None:
    """Points of a thing, put into the picture, land on its pixels."""
    t = 17.0
    sweep = sweep_at(script, stage, caster, t)
    camera: Camera = cameras(DriveOptions(cameras=1))[0]
    _, ids = stage.frame(camera, t)
    world = in_world(script, sweep, moving=True, t=t)
    local = script.ego.pose_at(t).then(camera.ego_from_camera).inverse().apply(world)
    inside = local[:, 2] > 1
    px = camera.project(local[inside]).astype(int)
    number = sweep.number[inside]
    ok = (px[:, 0] >= 2) & (px[:, 0] < camera.width - 2) & (px[:, 1] >= 2) & (px[:, 1] < camera.height - 2)
    still = {a.number for a in script.actors if a.key in ("auto_rickshaw_1", "car_5", "car_6")}
    chosen = ok & np.isin(number, list(still))
    assert chosen.sum() > 100
    agree = ids[px[chosen, 1], px[chosen, 0]] == number[chosen]
    assert agree.mean() > 0.9, "a sensor 0.4 m higher looks over some edges, no more"


@pytest.mark.slow
def test_doppler_is_the_change_of_range(script: Script, stage: Stage, caster: Caster) -> None:
    short = street_script(3.0)
    columns, numbers = signals.radar(short, stage, caster, DriveOptions(seconds=3.0), np.random.default_rng(1))
    van = next(a for a in short.actors if a.key == "van_1")
    mine = numbers == van.number
    assert mine.sum() > 20
    mount = radar_mount(DriveOptions())
    for time_ns, doppler in zip(columns["time_ns"][mine][:20], columns["doppler_mps"][mine][:20], strict=True):
        t = float(time_ns) / 1e9
        gaps = [
            float(np.linalg.norm(van.path.pose_at(s).translation - short.ego.pose_at(s).then(mount).translation))
            for s in (t - 0.01, t + 0.01)
        ]
        assert doppler == pytest.approx((gaps[1] - gaps[0]) / 0.02, abs=0.5)
    assert (columns["elevation_rad"] != 0).any()


def test_the_gyro_adds_up_to_the_left_turn(script: Script) -> None:
    imu = signals.imu(script, np.random.default_rng(0))
    assert math.degrees(imu["gyro_z_radps"].sum() / 100) == pytest.approx(90.0, abs=1.0)
    parked = (imu["time_ns"] > 16_500_000_000) & (imu["time_ns"] < 18_000_000_000)
    assert imu["accel_z_mps2"][parked].mean() == pytest.approx(9.80665, abs=0.02)
    braking = (imu["time_ns"] > 14_700_000_000) & (imu["time_ns"] < 15_700_000_000)
    assert imu["accel_x_mps2"][braking].mean() == pytest.approx(-4.8, abs=0.3)


def test_brake_lamps_burn_while_a_car_slows(script: Script) -> None:
    rickshaw = next(a for a in script.actors if a.key == "auto_rickshaw_1")
    assert rickshaw.braking_at(13.8)
    assert not rickshaw.braking_at(5.0)
    lead = next(a for a in script.actors if a.key == "car_1")
    assert not lead.braking_at(5.0)


def digest(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.mark.slow
def test_two_runs_give_the_same_bytes(small: Truth, tmp_path: Path) -> None:
    again = drive(tmp_path / "again", options=SMALL)
    assert digest(small.folder) == digest(again.folder)
    other = drive(tmp_path / "other", seed=1, options=SMALL)
    assert digest(other.folder)["media/lidar_top/000001.pcd"] != digest(again.folder)["media/lidar_top/000001.pcd"]


@pytest.mark.slow
def test_two_cloud_formats_hold_the_same_points(small: Truth) -> None:
    pcd = (small.folder / "media/lidar_top/000001.pcd").read_bytes()
    header, body = pcd.split(b"DATA binary\n", 1)
    count = int(next(line for line in header.split(b"\n") if line.startswith(b"POINTS")).split()[1])
    row = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("i", "<f4"), ("ring", "<u2"), ("t", "<f4")])
    points = np.frombuffer(body, row)
    flat = np.fromfile(small.folder / "media/lidar_top_bin/000001.bin", "<f4").reshape(-1, 5)
    assert len(points) == count == len(flat)
    assert np.array_equal(flat[:, 0], points["x"])
    assert np.array_equal(flat[:, 4], points["ring"].astype(np.float32))


@pytest.mark.slow
def test_a_variant_shares_the_media_and_moves_only_its_clock(small: Truth) -> None:
    before = digest(small.folder / "media")
    late = drive(small.folder, variant="lidar_offset@12.5", options=SMALL)
    assert digest(small.folder / "media") == before
    rows = (small.folder / late.sample["streams"][1]["times"]).read_text().splitlines()
    assert rows[1].split(",")[2] == "12500000"
    assert late.truth["clocks"]["lidar_top"]["offset_ns"] == -12_500_000
    before_after = list(zip(small.labels["annotations"], late.labels["annotations"], strict=True))
    assert all(one == other for one, other in before_after if one["stream"] != "lidar_top")
    solid = [(one, other) for one, other in before_after if one["stream"] == "lidar_top"]
    assert solid
    for one, other in solid:  # drawn around points, they stand at the stamps that those points got
        times = [[k["time_ns"] for k in each["keyframes"]] for each in (one, other)]
        assert [b - a for a, b in zip(*times, strict=True)] == [12_500_000] * len(times[0])
    turned = drive(small.folder, variant="yaw@0.3", options=SMALL)
    a, b = (np.array(t.sample["rig"]["cameras"]["camera_front"]["ego_from_camera"])[:3, :3] for t in (small, turned))
    angle = math.degrees(math.acos((np.trace(b @ a.T) - 1) / 2))
    assert angle == pytest.approx(0.3, abs=1e-6)
    assert turned.truth["calibration"] == small.truth["calibration"]


def test_wrong_wishes_are_refused_in_one_sentence(tmp_path: Path) -> None:
    for variant in ("nonsense", "clean@3", "lidar_offset@late", "class_conflict@4"):
        with pytest.raises(UserError):
            drive(tmp_path, variant=variant, options=SMALL)
    with pytest.raises(UserError, match="1, 3, 6 or 12 cameras"):
        cameras(DriveOptions(cameras=5))
    assert not (tmp_path / "media").exists()


def test_every_variant_says_what_it_is() -> None:
    for name, variant in VARIANTS.items():
        assert variant.name == name
        assert variant.about
        assert bool(variant.unit) == bool(variant.size)


@pytest.mark.slow
def test_the_whole_drive_and_each_planted_error(made_once: Callable[..., Truth]) -> None:
    """The whole play at thumbnail size: every variant changes what it names and nothing else."""
    clean = made_once(drive, options=LONG_DRIVE)
    assert not clean.planted
    tracks = [a for a in clean.labels["annotations"] if a["id"].startswith("box/camera_front/")]
    assert len({a["entity"] for a in tracks}) == len(tracks) >= 12
    assert [k["id"] for k in clean.labels["links"] if k["id"] == "key-moment"]
    counts = {row[1]: 0 for row in clean.truth["lidar_points"]["lidar_top"]["rows"]}
    assert len(counts) >= 12
    for name in VARIANTS:
        made = drive(clean.folder, variant=name, options=LONG_DRIVE)
        assert made.planted, name
        _only_planted_changed(clean, made, name)


def _only_planted_changed(clean: Truth, made: Truth, name: str) -> None:
    named = {item for p in made.planted for item in p.items}
    for table, key in (("annotations", "id"), ("links", "id"), ("entities", "id")):
        a, b = ({row[key]: row for row in t.labels[table]} for t in (clean, made))
        changed = {k for k in a.keys() | b.keys() if a.get(k) != b.get(k)}
        if table == "annotations":  # what lies on a stream whose stamps are wrong stands at those stamps
            changed -= {k for k in changed if k in a and a[k]["stream"] in named}
        if table == "links":
            changed -= {k for k in changed if k in a and any(e.get("annotation") in named for e in a[k]["ends"])}
        assert changed <= named, (name, changed - named)
    a_streams, b_streams = ({s["key"]: s for s in t.sample["streams"]} for t in (clean, made))
    assert {k for k in a_streams if a_streams[k] != b_streams[k]} <= named, name
    same: list[Any] = ["poses", "boxes", "lidar_points", "entities", "calibration", "sound_events"]
    assert all(clean.truth[k] == made.truth[k] for k in same), name


@pytest.mark.slow
def test_the_drone_rolls_and_its_sensors_still_agree() -> None:
    """Points of the truck, seen by a rolling and pitching drone, land on the truck's pixels."""
    options = DriveOptions(scene="drone", cameras=1)
    script = script_of(options)
    place = build_place(script.roads, 0)
    stage = Stage(script, place)
    camera, lidar = cameras(options)[0], lidars(options)[0]
    t = 2.0
    bodies = [Body(stage.mesh(a, t), a.path, a.number, 0.6) for a in script.actors]
    sweep = Caster(place.blocks, place.ground, script.ego).sweep(lidar, t, bodies, np.random.default_rng(0))
    truck = next(a.number for a in script.actors if a.key == "truck_1")
    mine = sweep.number == truck
    assert mine.sum() > 50
    world = np.array(
        [
            script.ego.pose_at(t + float(when)).then(lidar.ego_from_lidar).apply(point[None].astype(np.float64))[0]
            for point, when in zip(sweep.points[mine], sweep.time_s[mine], strict=True)
        ]
    )
    ego = script.ego.pose_at(t)
    assert abs(ego.rotation[2, 1]) > 0.03, "it does roll"
    px = camera.project(ego.then(camera.ego_from_camera).inverse().apply(world)).astype(int)
    _, ids = stage.frame(camera, t)
    inside = (px >= 1).all(axis=1) & (px[:, 0] < camera.width - 1) & (px[:, 1] < camera.height - 1)
    assert (ids[px[inside, 1], px[inside, 0]] == truck).mean() > 0.9


@pytest.mark.slow
def test_ten_minutes_drift_from_nothing_to_the_whole_size(tmp_path: Path) -> None:
    options = DriveOptions(scene="long", seconds=6.0, workers=1)
    made = drive(tmp_path, variant="drift@50", options=options)
    rows = [line.split(",") for line in (tmp_path / made.sample["streams"][1]["times"]).read_text().splitlines()[1:]]
    shifts = [int(row[2]) - int(row[0]) * 100_000_000 for row in rows]
    assert shifts[0] == 0
    assert shifts[30] == 25_000_000
    assert shifts == sorted(shifts)
    fast = [r for r in made.truth["poses"]["rows"] if r[6] > 16]
    assert fast, "a car at 60 km/h passes"
    assert not any(k["id"] == "key-moment" for k in made.labels["links"])
    assert DriveOptions(scene="long").length_s() == 600.0
