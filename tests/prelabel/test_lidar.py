"""Cuboids and tracks out of clouds: rays of a spinning sensor onto boxes whose place the test knows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from strict_turn import iou_3d
from workstation.core.geometry import Cuboid
from workstation.core.rotation import about_z
from workstation.prelabel.api import FoundCuboid
from workstation.prelabel.lidar_clusters import reach_m, things
from workstation.prelabel.lidar_detect import apart, cuboids_in
from workstation.prelabel.lidar_ground import ground_of
from workstation.prelabel.lidar_tracks import CuboidTracker, keyframes_of

SIZES = {"car": (4.4, 1.8, 1.5), "truck": (7.5, 2.45, 3.1), "pedestrian": (0.8, 0.65, 1.75)}
EYE_M = 1.8
SENSOR = (0.0, 0.0, 0.0)


def scan(*boxes: Cuboid, up: tuple[float, float] = (-22.0, 8.0), slope: float = 0.0) -> np.ndarray:
    """Where 60 rays, turned in steps of 0.25°, first meet a box or the ground 1.8 m below, rising by ``slope``."""
    pitch, yaw = np.meshgrid(np.radians(np.linspace(*up, 60)), np.radians(np.arange(-180, 180, 0.25)))
    ways = np.column_stack([
        (np.cos(pitch) * np.cos(yaw)).ravel(), (np.cos(pitch) * np.sin(yaw)).ravel(), np.sin(pitch).ravel(),
    ])  # fmt: skip
    fall = ways[:, 2] - slope * ways[:, 0]
    with np.errstate(divide="ignore"):
        nearest = np.where(fall < 0, -EYE_M / fall, np.inf)
    for box in boxes:
        turn = -2 * math.atan2(box.rotation[3], box.rotation[0])
        cos, sin = math.cos(turn), math.sin(turn)
        matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        start, along = matrix @ -np.array(box.center), ways @ matrix.T
        with np.errstate(divide="ignore", invalid="ignore"):
            sides = [(sign * np.array(box.size) / 2 - start) / along for sign in (-1, 1)]
        enter, leave = np.minimum(*sides).max(1), np.maximum(*sides).min(1)
        nearest = np.where((enter <= leave) & (enter > 0), np.minimum(nearest, enter), nearest)
    kept = nearest < 70
    points: np.ndarray = ways[kept] * nearest[kept, None]
    return points


def standing(x: float, y: float, size: tuple[float, float, float], yaw_deg: float = 0.0) -> Cuboid:
    return Cuboid((x, y, size[2] / 2 - EYE_M), size, about_z(math.radians(yaw_deg)))


def solid(found: FoundCuboid) -> Cuboid:
    return Cuboid(found.center, found.size, found.rotation)


# --- ground and clusters ------------------------------------------------------------------------------------------


def test_the_ground_goes_on_under_a_lorry_and_up_a_slope() -> None:
    points = scan(standing(12, 3, SIZES["truck"]), slope=0.05)
    ground = ground_of(points)
    assert ground is not None
    places = np.array([[12.0, 3.0], [-15.0, 4.0], [20.0, -6.0]])
    assert ground.at(places) == pytest.approx(-EYE_M + 0.05 * places[:, 0], abs=0.15)


def test_nothing_and_nonsense_hold_nothing() -> None:
    for points in (np.empty((0, 3)), np.full((50, 3), np.nan), np.full((50, 3), np.inf), np.full((9, 3), 1e12)):
        assert cuboids_in(points, SIZES) == []
    assert cuboids_in(scan(), {}) == []
    assert ground_of(np.empty((0, 3))) is None


def test_what_hangs_together_depends_on_how_far_away_it_is() -> None:
    def gap(range_m: float) -> int:
        row = np.array([[range_m, side, 0.0] for side in (0.0, 0.7)])
        return len(set(things(row, SENSOR).tolist()))

    assert reach_m(10.0) < 0.7 < reach_m(60.0)
    assert gap(10.0) == 2
    assert gap(60.0) == 1


# --- cuboids ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "yaw"), [(12.0, 3.0, 0.0), (18.0, -4.0, 30.0), (-14.0, 5.0, 75.0), (22.0, 0.5, 0.0), (0.0, 15.0, 0.0)]
)
def test_a_car_gets_its_cuboid_from_the_sides_that_can_be_seen(x: float, y: float, yaw: float) -> None:
    truth = standing(x, y, SIZES["car"], yaw)
    found = cuboids_in(scan(truth), SIZES)
    assert [each.label for each in found] == ["car"]
    assert iou_3d(solid(found[0]), truth) > 0.7


def test_a_lorry_and_a_person_are_told_apart_by_size() -> None:
    truths = {"truck": standing(15, -5, SIZES["truck"]), "pedestrian": standing(9, 4, SIZES["pedestrian"])}
    found = {each.label: solid(each) for each in cuboids_in(scan(*truths.values()), SIZES)}
    assert set(found) == set(truths)
    assert iou_3d(found["truck"], truths["truck"]) > 0.6
    assert iou_3d(found["pedestrian"], truths["pedestrian"]) > 0.3


def test_a_wall_and_a_mast_are_no_vehicles() -> None:
    wall, mast = standing(0, 12, (40.0, 0.3, 8.0)), standing(10, -6, (0.3, 0.3, 6.0))
    assert cuboids_in(scan(wall, mast, up=(-22.0, 25.0)), SIZES) == []


def test_rows_say_which_points_of_the_sweep_are_meant() -> None:
    truth = standing(12, 3, SIZES["car"])
    points = np.concatenate([np.full((7, 3), np.nan), scan(truth)])
    (found,) = cuboids_in(points, SIZES)
    assert found.points is not None
    near = np.abs(points[found.points] - np.array(truth.center)) <= np.array(truth.size) / 2 + 0.05
    assert near.all()


def test_of_two_in_one_place_the_better_stays() -> None:
    def one(x: float, score: float) -> FoundCuboid:
        return FoundCuboid(center=(x, 0, 0), size=(4, 2, 1), rotation=(1, 0, 0, 0), label="car", score=score)

    assert [each.score for each in apart([one(0, 0.3), one(1, 0.6), one(9, 0.2)])] == [0.6, 0.2]


# --- tracks -------------------------------------------------------------------------------------------------------


def test_a_car_that_drives_and_one_that_stands_are_two_tracks_that_keep_their_names() -> None:
    tracker = CuboidTracker()
    driving = [standing(-16 + 1.2 * step, 4.5, SIZES["car"]) for step in range(16)]
    parked = standing(10, -5, SIZES["car"], 90.0)
    for step, truth in enumerate(driving):
        tracker.add(step * 100_000_000, cuboids_in(scan(truth, parked), SIZES), eye=SENSOR)
    tracks = tracker.tracks()
    assert [each.label for each in tracks] == ["car", "car"]
    still, moving = sorted(tracks, key=lambda each: not each.static)
    assert (still.static, moving.static) == (True, False)
    assert len(set(still.cuboids)) == 1
    assert iou_3d(still.cuboids[0], parked) > 0.7
    assert len(moving.times_ns) >= 14
    steps = [time_ns // 100_000_000 for time_ns in moving.times_ns]
    shared = [iou_3d(each, driving[step]) for each, step in zip(moving.cuboids, steps, strict=True)]
    assert np.median(shared) > 0.7
    ahead = [2 * math.atan2(each.rotation[3], each.rotation[0]) for each in moving.cuboids]
    assert all(math.cos(each) > 0.9 for each in ahead)  # it looks where it goes
    assert len(keyframes_of(still)) == 2
    assert len(keyframes_of(moving)) < len(moving.times_ns)


BICYCLE = (1.8, 0.65, 1.7)
WHEELS = {"motorcycle": (2.1, 0.8, 1.6), "bicycle": BICYCLE}


def small(x: float, y: float) -> FoundCuboid:
    """As large as somebody on foot."""
    return FoundCuboid(
        center=(x, y, -0.95), size=(0.9, 0.65, 1.7), rotation=about_z(0.1), label="pedestrian", score=0.9
    )


def test_somebody_small_and_too_fast_to_run_rides_and_reaches_away_from_the_sensor() -> None:
    """Of a rider ahead only the back is seen."""
    seeks, does_not = CuboidTracker(riders=WHEELS), CuboidTracker()
    truths = [standing(12 + 0.6 * step, 3.0, BICYCLE) for step in range(20)]
    for step, truth in enumerate(truths):
        for each in (seeks, does_not):
            each.add(step * 100_000_000, [small(truth.center[0] - 0.45, 3.0)], eye=SENSOR)
    (rider,), (walker,) = seeks.tracks(), does_not.tracks()
    assert (rider.label, walker.label) == ("bicycle", "pedestrian")
    assert walker.score < rider.score
    assert min(iou_3d(each, truth) for each, truth in zip(rider.cuboids, truths, strict=True)) > 0.8


def test_what_jumps_about_as_fast_as_a_rider_is_none() -> None:
    tracker = CuboidTracker(riders=WHEELS)
    for step, (x, y) in enumerate(np.random.default_rng(3).uniform(-0.7, 0.7, (20, 2)).tolist()):
        tracker.add(step * 100_000_000, [small(12 + x, 3 + y)], eye=SENSOR)
    assert {each.label for each in tracker.tracks()} <= {"pedestrian"}


def test_what_is_seen_once_is_no_track() -> None:
    tracker = CuboidTracker()
    tracker.add(0, cuboids_in(scan(standing(12, 3, SIZES["car"])), SIZES), eye=SENSOR)
    tracker.add(100_000_000, [], eye=SENSOR)
    assert tracker.tracks() == []


def test_keyframes_are_where_straight_lines_do_not_reach() -> None:
    """Ten metres ahead, then ten to the left: start, corner and end are enough."""
    tracker = CuboidTracker()
    way = [(float(step), 0.0) for step in range(11)] + [(10.0, float(step)) for step in range(1, 11)]
    for step, (x, y) in enumerate(way):
        one = FoundCuboid(center=(x, y, 0), size=(0.8, 0.7, 1.7), rotation=(1, 0, 0, 0), label="person", score=0.9)
        tracker.add(step * 1_000_000_000 // 5, [one], eye=(5.0, -30.0, 1.0))
    (track,) = tracker.tracks()
    kept = keyframes_of(track, most_rad=10.0)
    places = [track.cuboids[row].center[:2] for row in kept]
    assert len(kept) <= 5
    assert min(math.dist(each, (10.0, 0.0)) for each in places) < 0.6


def test_a_post_and_a_trunk_under_its_crown_are_nobody() -> None:
    post, trunk = standing(8, 0, (0.15, 0.15, 1.9)), standing(8, 5, (0.45, 0.45, 1.9))
    crown = Cuboid((8, 5, 2.5 - EYE_M), (2.5, 2.5, 0.6))
    person = standing(8, -5, (0.5, 0.45, 1.75))
    found = [each for each in cuboids_in(scan(post, trunk, crown, person), SIZES) if each.score > 0.3]
    assert [each.label for each in found] == ["pedestrian"]
    assert found[0].center[1] == pytest.approx(-5, abs=0.3)


def test_what_jumps_or_comes_and_goes_is_believed_less() -> None:
    """The same looks, steady and shaken: pieces of a wall look like the second."""
    rng = np.random.default_rng(2)

    def score(shake_m: float, every: int) -> float:
        tracker = CuboidTracker()
        for sweep in range(24):
            at = (8.0 + rng.normal(0, shake_m), 3.0 + rng.normal(0, shake_m), 0.8)
            seen = FoundCuboid(center=at, size=(4.4, 1.8, 1.5), rotation=(1.0, 0.0, 0.0, 0.0), label="car", score=0.8)
            tracker.add(sweep * 100_000_000, [] if sweep % every else [seen], eye=SENSOR)
        return max((each.score for each in tracker.tracks()), default=0.0)

    steady = score(0.03, 1)
    assert steady > 0.75
    assert score(0.8, 1) < 0.6 * steady
    assert score(0.03, 4) < 0.6 * steady


def looks_of(way: list[tuple[float, float]], yaws: list[float], label: str = "car") -> list[FoundCuboid]:
    return [
        FoundCuboid(center=(x, y, 0.8), size=(4.4, 1.8, 1.5), rotation=about_z(yaw), label=label, score=0.8)
        for (x, y), yaw in zip(way, yaws, strict=True)
    ]


def test_a_slow_car_that_turns_a_corner_keeps_its_front() -> None:
    """Two metres a second round a quarter; each look is turned as a fit may be, some of them by a quarter too much."""
    turn = np.linspace(0, math.pi / 2, 40)
    way = [(5 * math.sin(angle), -5 * math.cos(angle)) for angle in turn.tolist()]
    quarters = np.random.default_rng(3).choice([0, 0, 0, 0, 2, 2, 1, 3], len(turn))
    tracker = CuboidTracker()
    for step, look in enumerate(looks_of(way, (turn + quarters * math.pi / 2).tolist())):
        tracker.add(step * 100_000_000, [look], eye=(0.0, -20.0, 1.8))
    (track,) = tracker.tracks()
    ahead = np.array([2 * math.atan2(each.rotation[3], each.rotation[0]) for each in track.cuboids])
    assert np.degrees(np.abs((ahead - turn + math.pi) % math.tau - math.pi)).max() < 20


@pytest.mark.parametrize("seed", [0, 1, 3, 7])
def test_a_parked_car_whose_middle_wanders_stays_one(seed: int) -> None:
    """Hidden in turns, its middle jumps by metres along it, and it is not found for three sweeps of five: that is not
    its speed."""
    off = np.random.default_rng(seed).uniform(-1.4, 1.4, 40)
    tracker = CuboidTracker()
    for step, look in enumerate(looks_of([(10 + each, 5.0) for each in off.tolist()], [0.0] * 40)):
        tracker.add(step * 100_000_000, [look] if step % 5 < 2 else [], eye=SENSOR)
    (track,) = tracker.tracks()
    assert len(track.times_ns) == 16


def test_what_is_a_person_now_and_a_lorry_then_is_believed_less() -> None:
    def score(sizes: list[tuple[tuple[float, float, float], str]]) -> float:
        tracker = CuboidTracker()
        for step in range(24):
            size, label = sizes[step % len(sizes)]
            look = FoundCuboid(center=(8.0, 3.0, 0.8), size=size, rotation=(1.0, 0.0, 0.0, 0.0), label=label, score=0.8)
            tracker.add(step * 100_000_000, [look], eye=SENSOR)
        return max(each.score for each in tracker.tracks())

    person, lorry = (SIZES["pedestrian"], "pedestrian"), (SIZES["truck"], "truck")
    assert score([person, lorry]) < 0.75 * score([person])
