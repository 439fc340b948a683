"""One identity for labels of two cameras, by rays: against things that the test places in front of two pinholes whose
formula it works out itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.one_sample import one_sample, view_of
from workstation.app.adopting import Onlooker
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.reading import Formats
from workstation.app.session import Session
from workstation.app.sightings import Sightings
from workstation.app.streams import OpenStreams
from workstation.app.suggesting import suggestions
from workstation.core.cameras import Camera, Pinhole
from workstation.core.frametable import frame_table
from workstation.core.poses import RigidTransform
from workstation.core.space import Calibration, Frame, as_json_values
from workstation.core.suggestion import Suggestion

MS = 1_000_000
FOCAL, APART_M = 500.0, 1.0
CAMERAS = ("left", "right")
Place = tuple[float, float]
"""Metres ahead of the cameras, and to their left."""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Two cameras a metre apart that look along x, and a LiDAR between them."""
    with one_sample(tmp_path / "p") as opened:
        frames, cameras = [], []
        for name, y in zip(CAMERAS, (APART_M / 2, -APART_M / 2), strict=True):
            way = RigidTransform(rotation=(0.5, -0.5, 0.5, -0.5), translation=(0.0, y, 0.0))
            frames.append(Frame(name=name, parent="world", parent_from_child=way))
            lens = Pinhole(fx=FOCAL, fy=FOCAL, cx=480.0, cy=270.0)
            cameras.append(Camera(name=name, frame=name, width_px=960, height_px=540, lens=lens))
            opened.run("stream.add", key=name, kind="video", frame=name)
        opened.run("stream.add", key="lidar", kind="cloud", frame="world")
        rig = Calibration(frames=tuple(frames), cameras=tuple(cameras))
        opened.run("rig.add", key="r", frames=as_json_values(rig.frames), cameras=as_json_values(rig.cameras))
        yield opened


def drawn(session: Session, stream: str, *at: tuple[int, Place], tall_m: float = 1.5, thing: str = "") -> str:
    """A box track of a car as that camera sees it, upright about the height of the cameras."""
    eye = APART_M / 2 if stream == "left" else -APART_M / 2
    keyframes = []
    for ms, (ahead, left) in at:
        u, half = 480 - FOCAL * (left - eye) / ahead, FOCAL * tall_m / 2 / ahead
        shape = {"kind": "box", "x": u - half, "y": 270 - half, "width": 2 * half, "height": 2 * half}
        keyframes.append({"time_ns": ms * MS, "shape": shape})
    shows = {"entity": thing} if thing else {"class_id": "car"}
    return str(session.run("track.add", stream=stream, keyframes=keyframes, **shows))


def cuboid(session: Session, thing: str, at: Place) -> None:
    shape = {"kind": "cuboid", "center": [*at, 0.0], "size": [4.4, 1.8, 1.5]}
    session.run("track.add", stream="lidar", entity=thing, frame="world",
                keyframes=[{"time_ns": each * MS, "shape": shape} for each in (0, 9_000)])  # fmt: skip


def found(session: Session) -> list[Suggestion]:
    view = view_of(session)
    with OpenStreams(session.project.path, readers=Formats().readers) as readers:
        placed = PlacedCuboids(view, readers)
        table = frame_table([each * 100 for each in range(100)], unit_num=1, unit_den=1000)
        streams = [each for each in view.streams.values() if each.key in CAMERAS]
        cameras: dict[str, Onlooker] = {
            each.id: Onlooker(each, camera, table) for each in streams if (camera := placed.camera_of(each))
        }
        return list(suggestions(Sightings(view, placed, readers, cameras), ("identity",)).new)


def test_what_stands_at_one_place_in_both_pictures_is_proposed_as_one(session: Session) -> None:
    one, other = drawn(session, "left", (0, (12.0, 1.0))), drawn(session, "right", (0, (12.0, 1.0)))
    drawn(session, "right", (0, (9.0, -2.0)))
    (only,) = found(session)
    assert only.targets == {one, other}
    assert "pass 0.00 m apart at 12.0 m over one moment; there it is 1.50 and 1.50 m tall" in only.evidence


def test_long_tracks_are_compared_while_both_are_there(session: Session) -> None:
    """A car that drives by is in both pictures for a moment of its long life in either."""
    leaves = [(ms, (12.0, ms / 1000 - 5)) for ms in range(0, 6_000, 100)]
    comes = [(ms, (12.0, ms / 1000 - 5)) for ms in range(5_700, 9_000, 100)]
    one, other = drawn(session, "left", *leaves), drawn(session, "right", *comes)
    (only,) = found(session)
    assert only.targets == {one, other}
    assert "3 moments" in only.evidence


@pytest.mark.parametrize("tall_m", [0.15, 6.0])
def test_rays_that_meet_where_no_such_thing_could_stand_say_nothing(tall_m: float, session: Session) -> None:
    for stream in CAMERAS:
        drawn(session, stream, (0, (12.0, 1.0)), tall_m=tall_m)
    assert found(session) == []


@pytest.mark.parametrize(("where", "proposed"), [((12.5, 1.0), 1), ((30.0, -4.0), 0)])
def test_a_thing_whose_cuboid_stands_elsewhere_is_another_one(where: Place, proposed: int, session: Session) -> None:
    thing = session.run("entity.add", class_id="car")
    cuboid(session, thing, where)
    drawn(session, "left", (0, (12.0, 1.0)), thing=thing)
    drawn(session, "right", (0, (12.0, 1.0)))
    assert len(found(session)) == proposed
