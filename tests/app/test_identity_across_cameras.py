"""Identity across cameras by geometry: things of one class on a table, two cameras that look at them from aside and
above, boxes with a pixel of noise. The test projects them by the pinhole formula; nothing of the program does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.one_sample import one_sample
from workstation.app.adopting import Onlooker
from workstation.app.opening import open_project
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.sightings import Sightings
from workstation.app.streams import OpenStreams
from workstation.app.suggest_identity import by_identity, ranked
from workstation.core.cameras import Camera, Pinhole
from workstation.core.poses import RigidTransform
from workstation.core.rays import meeting
from workstation.core.rotation import quaternion_of
from workstation.core.space import Calibration, Frame, as_json_values
from workstation.core.timebase import frame_table

Floats = NDArray[np.float64]
MS = 1_000_000
FOCAL, WIDE, HIGH = 900.0, 1280, 720
PLACES = {"side": (-6.0, 0.0, 1.5), "corner": (-3.5, -5.0, 3.0)}
TARGET = np.array((0.0, 0.0, 0.5))
SIZE = 0.8


def looking(place: tuple[float, float, float]) -> Floats:
    """Rows: right, down and ahead of a camera there that looks at the table."""
    ahead = TARGET - np.array(place)
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    return np.array((right, np.cross(ahead, right), ahead))


def drawn(camera: str, middle: Floats, noise: Floats) -> dict[str, Any]:
    signs = np.array([[(i >> 2 & 1) - 0.5, (i >> 1 & 1) - 0.5, (i & 1) - 0.5] for i in range(8)])
    seen = (signs * SIZE + middle - np.array(PLACES[camera])) @ looking(PLACES[camera]).T
    pixels = seen[:, :2] / seen[:, 2:] * FOCAL + (WIDE / 2, HIGH / 2)
    left, top, right, bottom = (np.concatenate([pixels.min(0), pixels.max(0)]) + noise).tolist()
    return {"kind": "box", "x": left, "y": top, "width": right - left, "height": bottom - top}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "p"
    with one_sample(made) as session:
        frames, cameras = [], []
        for name, place in PLACES.items():
            turn = quaternion_of(looking(place).T)
            frames.append(Frame(name=name, parent="world", parent_from_child=RigidTransform(turn, place)))
            lens = Pinhole(fx=FOCAL, fy=FOCAL, cx=WIDE / 2, cy=HIGH / 2)
            cameras.append(Camera(name=name, frame=name, width_px=WIDE, height_px=HIGH, lens=lens))
            session.run("stream.add", key=name, kind="video", frame=name)
        rig = Calibration(frames=tuple(frames), cameras=tuple(cameras))
        session.run("rig.add", key="r", frames=as_json_values(rig.frames), cameras=as_json_values(rig.cameras))
    return made


@pytest.mark.parametrize("count", [1, 3, 5])
def test_things_of_one_class_find_their_twins_and_no_other(count: int, project: Path) -> None:
    rng = np.random.default_rng(count)
    grid = np.array([(x, y, 0.5) for x in (-1.4, 0.0, 1.4) for y in (-1.2, 0.0, 1.2)])
    right = wrong = 0
    with open_project(project, kind="person") as session, OpenStreams(project, readers=Formats().readers) as readers:
        session.open_sample("s")
        names: dict[str, int] = {}
        for number in range(4):
            places = grid[rng.permutation(len(grid))[:count]] + rng.uniform(-0.1, 0.1, (count, 3))
            when = {"start_ns": number * 100 * MS, "end_ns": number * 100 * MS + 1}
            for camera in PLACES:
                for thing in rng.permutation(count).tolist():
                    shape = drawn(camera, places[thing], rng.normal(0, 1, 4))
                    made = session.run(
                        "annotation.add", stream=camera, class_id="car", shape=shape,
                        attributes={"occlusion": "unknown"}, **when,
                    )  # fmt: skip
                    names[made] = 100 * number + thing
        seen = sightings(SampleView(session.store, session.store.sample_by_key("s").id), readers)  # type: ignore[union-attr]
        for each in by_identity(seen):
            one, other = (names[end.target] for end in each.ends)
            right, wrong = right + (one == other), wrong + (one != other)
        best = ranked(seen, seen.flat())
    sys.stdout.write(f"{count} things a picture: {right} of {4 * count} twins proposed, {wrong} wrong\n")
    assert wrong == 0
    assert right >= 0.7 * 4 * count
    assert [each.score for each in best] == sorted((each.score for each in best), reverse=True)
    assert all(each.gap_m < each.limit_m for each in best)


def sightings(view: SampleView, readers: OpenStreams) -> Sightings:
    """Cameras with pictures every 100 ms, without files behind them."""
    placed = PlacedCuboids(view, readers)
    table = frame_table([0, 1, 2, 3], unit_num=1, unit_den=10)
    cameras = {}
    for stream in view.streams.values():
        camera = placed.camera_of(stream)
        assert camera is not None
        cameras[stream.id] = Onlooker(stream, camera, table)
    return Sightings(view, placed, readers, cameras)


def unit(values: tuple[float, float, float]) -> Floats:
    found: Floats = np.array([values]) / np.linalg.norm(values)
    return found


coordinate = st.floats(-5, 5)


@given(st.tuples(coordinate, coordinate, coordinate), st.tuples(coordinate, coordinate, coordinate))
def test_rays_through_one_point_meet_there(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> None:
    point = np.array((9.0, 7.0, 8.0))
    starts = [np.array([each]) for each in (first, second)]
    ways = [unit(tuple((point - each[0]).tolist())) for each in starts]
    met = meeting((starts[0], ways[0]), (starts[1], ways[1]))
    if met.angle_rad[0] > 1e-3:
        assert met.gap_m[0] < 1e-6
        assert met.first_m[0] == pytest.approx(np.linalg.norm(point - starts[0][0]), rel=1e-6)
        assert met.second_m[0] == pytest.approx(np.linalg.norm(point - starts[1][0]), rel=1e-6)


def test_rays_side_by_side_meet_nowhere_and_skew_ones_pass_at_their_distance() -> None:
    ahead, up = unit((1.0, 0.0, 0.0)), unit((0.0, 0.0, 1.0))
    start, aside = np.array([[0.0, 0.0, 0.0]]), np.array([[5.0, 2.0, -3.0]])
    assert np.isnan(meeting((start, ahead), (aside, ahead)).first_m).all()
    met = meeting((start, ahead), (aside, up))
    assert (met.gap_m[0], met.first_m[0], met.second_m[0]) == pytest.approx((2.0, 5.0, 3.0))
    assert meeting((start, -ahead), (aside, up)).first_m[0] == pytest.approx(-5.0)  # behind
