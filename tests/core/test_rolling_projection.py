"""Rolling shutter: pixels against the generator's exact truth, and against a case computed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workstation.core.cameras import Camera, Lens, Pinhole, opencv_lens
from workstation.core.geometry import Cuboid
from workstation.core.poses import RigidTransform, Trajectory, transform_of_matrix
from workstation.core.projection import cuboid_corners, cuboid_outline, project, project_rolling, rolling_outline
from workstation.core.rotation import NO_ROTATION
from workstation.synth.camera import Camera as MadeCamera
from workstation.synth.drive.place import build_place
from workstation.synth.drive.rig import BROWN, FISHEYE, DriveOptions, cameras
from workstation.synth.drive.script import Actor, Script, street_script
from workstation.synth.drive.stage import Stage

ROW_NS = 60_000
LENS = Pinhole(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0)


def sideways(speed_mps: float, *, seconds: float = 0.2, start_ns: int = 0) -> Trajectory:
    """A frame 20 m ahead that moves to the right of the picture."""
    times = start_ns + np.array([-1e9 * seconds, 1e9 * seconds]).astype(np.int64)
    places = np.array([[speed_mps * (t - start_ns) / 1e9, 0.0, 20.0] for t in times])
    turns = np.tile(np.array([NO_ROTATION]), (2, 1))
    return Trajectory(times_ns=times, rotations=turns, translations=places, max_gap_ns=10**9)


def camera_of(lens: Lens = LENS, *, row_ns: int = ROW_NS, timed_row_px: float = 0.0) -> Camera:
    return Camera(
        name="c", frame="c", width_px=1280, height_px=720, lens=lens, row_time_ns=row_ns, timed_row_px=timed_row_px
    )


def test_a_point_that_passes_is_shown_where_it_was_at_its_row() -> None:
    """At 20 m and 10 m/s a picture point moves 500 px/s; row 460 is read 27.6 ms after the first, so 13.8 px on."""
    seen = project_rolling(
        camera_of(), np.array([[0.0, 2.0, 0.0]]), camera_from_frame=sideways(10.0, start_ns=7), frame_time_ns=7
    )
    assert seen.valid.all()
    assert np.allclose(seen.pixels, [[640 + 13.8, 460.0]], atol=1e-3)
    assert seen.times_ns.tolist() == [7 + 27_600_000]
    reverse = project_rolling(
        camera_of(row_ns=-ROW_NS), np.array([[0.0, 2.0, 0.0]]), camera_from_frame=sideways(10.0), frame_time_ns=0
    )
    assert np.allclose(reverse.pixels, [[640 - 13.8, 460.0]], atol=1e-3)


def test_without_row_time_or_motion_nothing_differs_from_the_plain_projection() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform((-8, -8, -4), (8, 8, 12), (500, 3))
    for row_ns, speed in ((0, 25.0), (ROW_NS, 0.0)):
        plain = project(camera_of(), points, camera_from_frame=RigidTransform(translation=(0.0, 0.0, 20.0)))
        rolling = project_rolling(camera_of(row_ns=row_ns), points, camera_from_frame=sideways(speed), frame_time_ns=0)
        assert np.array_equal(plain.valid, rolling.valid)
        assert np.allclose(plain.pixels, rolling.pixels, equal_nan=True)
        assert np.array_equal(plain.in_picture, rolling.in_picture)


def test_rows_that_no_pose_covers_have_no_pixel() -> None:
    short = sideways(10.0, seconds=0.02)
    points = np.array([[0.0, -6.0, 0.0], [0.0, 6.0, 0.0], [0.0, 0.0, -50.0]])
    seen = project_rolling(camera_of(), points, camera_from_frame=short, frame_time_ns=0)
    assert seen.valid.tolist() == [True, False, False], "row 60 is read after 4 ms, row 660 after 40; one is behind"
    assert np.isnan(seen.pixels[1:]).all()
    nothing = project_rolling(camera_of(), np.empty((0, 3)), camera_from_frame=short, frame_time_ns=0)
    assert nothing.pixels.shape == (0, 2)


def test_the_outline_of_a_passing_cuboid_leans_and_lies_on_its_corners() -> None:
    cuboid = Cuboid(center=(0.0, 0.0, 0.0), size=(4.0, 6.0, 2.0))
    camera, motion = camera_of(), sideways(20.0)
    leaning = rolling_outline(camera, cuboid, camera_from_frame=motion, frame_time_ns=0)
    corners = project_rolling(camera, cuboid_corners(cuboid), camera_from_frame=motion, frame_time_ns=0).pixels
    ends = leaning.segments.reshape(-1, 2)
    assert np.allclose(ends.min(0), corners.min(0), atol=1e-3)
    assert np.allclose(ends.max(0), corners.max(0), atol=1e-3)
    standing = cuboid_outline(camera, cuboid, camera_from_frame=RigidTransform(translation=(0.0, 0.0, 20.0)))
    plain = standing.segments.reshape(-1, 2)
    assert ends[:, 0].max() - plain[:, 0].max() > 20, "the lower rows come 20 px later"
    assert set(leaning.edges.tolist()) == set(range(12))


# --- against the generated street ----------------------------------------------------------------------------------


def ours(made: MadeCamera) -> Camera:
    matrix = np.array([[made.focal_px, 0, made.center[0] - 0.5], [0, made.focal_px, made.center[1] - 0.5], [0, 0, 1]])
    lens = opencv_lens(matrix, made.distortion, fisheye=made.model == "fisheye")
    return Camera(
        name=made.key, frame=made.key, width_px=made.width, height_px=made.height, lens=lens,
        row_time_ns=made.row_time_ns, timed_row_px=0.0,
    )  # fmt: skip


def motion_of(script: Script, actor: Actor, camera: MadeCamera, time_s: float) -> Trajectory:
    """``camera_from_thing`` around an exposure, from the play's own poses."""
    times = time_s + np.arange(-0.005, 0.045, 0.001)
    moves = []
    for t in times.tolist():
        camera_from_world = script.ego.pose_at(t).then(camera.ego_from_camera).inverse()
        moves.append(transform_of_matrix(camera_from_world.then(actor.path.pose_at(t)).matrix()))
    return Trajectory(
        times_ns=np.round(times * 1e9).astype(np.int64),
        rotations=np.array([each.rotation for each in moves]),
        translations=np.array([each.translation for each in moves]),
        max_gap_ns=2_000_000,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("model", "numbers"), [("pinhole", ()), ("brown", BROWN), ("fisheye", FISHEYE)])
def test_cuboids_of_passing_cars_are_where_the_generator_has_them(model: str, numbers: tuple[float, ...]) -> None:
    """At 60 km/h within 0.01 px of the truth, where one time for a whole frame misses by more than a pixel."""
    script = street_script()
    few = tuple(each for each in script.actors if each.key in ("van_1", "truck_1", "car_2", "marker_1"))
    script = replace(script, actors=few)
    stage = Stage(script, build_place(script.roads, 0))
    front = cameras(DriveOptions(cameras=1, row_time_ns=ROW_NS))[0]
    camera = replace(front, model=model, distortion=numbers)
    found, worst = 0, 0.0
    for time_s in (0.5, 1.4):
        nobody = np.zeros((camera.height, camera.width), np.uint8)
        for shown in stage.shown(camera, time_s, nobody):
            actor = next(each for each in script.actors if each.number == shown.number)
            x, y, width, height = shown.hull
            if x <= 0 or y <= 0 or x + width >= camera.width or y + height >= camera.height:
                continue  # the truth is cut at the border there
            length, wide, high = actor.size
            corners = cuboid_corners(Cuboid(center=(0.0, 0.0, high / 2), size=(length, wide, high)))
            motion = motion_of(script, actor, camera, time_s)
            frame_ns = round(time_s * 1e9)
            seen = project_rolling(ours(camera), corners, camera_from_frame=motion, frame_time_ns=frame_ns)
            assert seen.valid.all()
            low, high_px = seen.pixels.min(0), seen.pixels.max(0)
            assert np.allclose([*low, *(high_px - low)], shown.hull, atol=0.01)
            still = motion.pose_at(frame_ns)
            assert still is not None
            at_once = project(ours(camera), corners, camera_from_frame=still).pixels
            worst = max(worst, float(np.abs(at_once - seen.pixels).max()))
            found += 1
    assert found >= 3
    assert worst > 1.0
