"""The residual of a fused pair in ms, px and m, against a camera whose pinhole formula the test works out itself."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.one_sample import one_sample
from workstation.app.evidence import MediaEvidence
from workstation.app.opening import open_project
from workstation.app.pair_rows import is_fused, link_residuals, residual_section
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.cli.main import main
from workstation.core.cameras import Camera, Pinhole
from workstation.core.pair_fit import loose_links
from workstation.core.poses import RigidTransform
from workstation.core.space import Calibration, Frame, as_json_values
from workstation.qa.remembered import RememberedSnapshot

MS = 1_000_000
FOCAL, AHEAD = 500.0, 20.0
SIZE = (2.0, 2.0, 2.0)
CORNERS = [(AHEAD + x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]


def drawn(right_px: float = 0.0, down_px: float = 0.0) -> dict[str, Any]:
    """The tight box of the cube by u = cx - f y / x, shifted."""
    u = [480 - FOCAL * y / x + right_px for x, y, _ in CORNERS]
    v = [270 - FOCAL * z / x + down_px for x, _, z in CORNERS]
    return {"kind": "box", "x": min(u), "y": min(v), "width": max(u) - min(u), "height": max(v) - min(v)}


def fused(folder: Path, box: dict[str, Any], apart_ms: int) -> Path:
    """A camera that looks along x from the origin, and a cube 20 m ahead that goes 10 m/s to the left."""
    project = folder / "p"
    with one_sample(project) as session:
        session.run("stream.add", key="cam", kind="video", frame="cam")
        session.run("stream.add", key="lidar", kind="cloud", frame="world")
        frames = (Frame(name="cam", parent="world", parent_from_child=RigidTransform(rotation=(0.5, -0.5, 0.5, -0.5))),)
        lens = Pinhole(fx=FOCAL, fy=FOCAL, cx=480.0, cy=270.0)
        cameras = (Camera(name="cam", frame="cam", width_px=960, height_px=540, lens=lens),)
        rig = Calibration(frames=frames, cameras=cameras)
        session.run("rig.add", key="r", frames=as_json_values(rig.frames), cameras=as_json_values(rig.cameras))
        car = session.run("entity.add", class_id="car")
        where = {"stream": "lidar", "entity": car, "frame": "world", "attributes": {"occlusion": "unknown"}}
        cubes = [_cube(session, where, ms) for ms in dict.fromkeys((0, 1000, 1000 + apart_ms))]
        flat = session.run(
            "annotation.add", stream="cam", entity=car, shape=box, start_ns=1000 * MS, end_ns=1001 * MS,
            attributes={"occlusion": "unknown"},
        )  # fmt: skip
        session.run("link.add", type_id="same_object", ends={"view": [f"annotation:{flat}", f"annotation:{cubes[-1]}"]})
    return project


def _cube(session: Session, where: dict[str, Any], ms: int) -> str:
    shape = {"kind": "cuboid", "center": [AHEAD, (ms - 1000) / 100, 0.0], "size": SIZE}
    made: str = session.run("annotation.add", shape=shape, start_ns=ms * MS, end_ns=(ms + 1) * MS, **where)
    return made


def rows(project: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["sync", "pairs", str(project), "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(("right", "down"), [(0.0, 0.0), (6.0, 0.0), (-3.0, 4.0)])
def test_the_offset_is_given_in_pixels_and_in_metres_at_the_range(
    right: float, down: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    (row,) = rows(fused(tmp_path, drawn(right, down), 0), capsys)
    assert row["residual_ns"] == 0
    assert row["offset_px"] == pytest.approx(math.hypot(right, down), abs=0.01)
    assert row["offset_m"] == pytest.approx(math.hypot(right, down) * AHEAD / FOCAL, rel=0.01, abs=1e-4)
    assert row["range_m"] == pytest.approx(AHEAD, abs=0.01)
    assert (row["overlap"] > 0.999) == (right == down == 0)


def test_what_it_moves_between_the_captures_is_given_in_metres_and_pixels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    (row,) = rows(fused(tmp_path, drawn(), 40), capsys)
    assert row["residual_ns"] == 40 * MS
    assert row["distance_m"] == pytest.approx(0.4, abs=0.001)  # 10 m/s × 40 ms
    assert row["distance_px"] == pytest.approx(0.4 * FOCAL / AHEAD, rel=0.02)


def test_the_inspector_says_it_of_one_link(tmp_path: Path) -> None:
    project = fused(tmp_path, drawn(6.0), 0)
    with open_project(project, read_only=True) as session, OpenStreams(project, readers=Formats().readers) as readers:
        view = SampleView(session.store, session.open_sample("s"))
        (link,) = view.links.values()
        assert is_fused(view, link)
        (one,) = link_residuals(view, session.store, link, MediaEvidence(session.store, view.id, readers))
        said = one.words()
        assert said.startswith("captures +0.0 ms apart; moved 0.00 m (0.0 px) meanwhile; box 6.0 px off the cuboid, ")
        assert said.endswith("0.24 m at 20.0 m; overlap 0.80")
        section = residual_section(view, session.store, readers, link)
        assert section is not None
        assert (section.fields[0].title, section.fields[0].value) == ("cam", one.words())


@pytest.mark.parametrize(("apart_ms", "known"), [(-50, True), (-400, False)])
def test_a_cuboid_of_one_sweep_is_taken_as_standing_a_little_while(
    apart_ms: int, known: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one made from the box comes: its sweep is not when the picture was taken, and nothing says how it moves."""
    project = fused(tmp_path, drawn(6.0), 0)
    with open_project(project, kind="person") as session:
        view = SampleView(session.store, session.open_sample("s"))
        cubes = [each.id for each in view.annotations.values() if each.kind.value == "cuboid"]
        session.run("annotation.delete", annotations=cubes, links="remove")
        (flat,) = (each.id for each in view.annotations.values() if each.kind.value == "box")
        shape = {"kind": "cuboid", "center": [AHEAD, 0.0, 0.0], "size": SIZE}
        keyframes = [{"time_ns": (1000 + apart_ms) * MS, "shape": shape}]
        solid = session.run("track.add", stream="lidar", entity="car 1", frame="world", keyframes=keyframes)
        session.run("link.add", type_id="same_object", ends={"view": [f"annotation:{flat}", f"annotation:{solid}"]})
    (row,) = rows(project, capsys)
    assert row["residual_ns"] == apart_ms * MS
    assert row["distance_m"] is None
    assert row["stood"] is known
    assert row["offset_px"] == (pytest.approx(6.0, abs=0.01) if known else None)
    assert row["range_m"] == (pytest.approx(AHEAD, abs=0.01) if known else None)


def test_a_thing_has_one_name_in_panes_lists_and_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = fused(tmp_path, drawn(12.0), 0)
    for given, name in (("", "Car 1"), ("VN 118", "VN 118")):
        with open_project(project, kind="person") as session:
            if given:
                session.run("entity.set", sample="s", entity="car 1", name=given)
            view = SampleView(session.store, session.open_sample("s"))
            (car,) = view.entities
            assert view.name_of(car) == name
            with OpenStreams(project, readers=Formats().readers) as readers:
                snapshot = RememberedSnapshot(session.store, MediaEvidence(session.store, view.id, readers))
                (loose,) = loose_links(snapshot, view.sample, 5.0).values()
            assert loose.words().startswith(f"{name} in cam at 1.000 s: the right edge is 12.0 px too wide")
        assert [row["thing"] for row in rows(project, capsys)] == [name]


def test_without_a_rig_the_milliseconds_are_still_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = fused(tmp_path, drawn(), 40)
    with open_project(project, kind="person") as session:
        session.open_sample("s")
        session.run("rig.add", key="r", frames=[], cameras=[])
    (row,) = rows(project, capsys)
    assert (row["residual_ns"], row["offset_px"], row["range_m"]) == (40 * MS, None, None)
