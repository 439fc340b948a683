"""The metres of the same-scan rule against motion that is known in closed form: nothing here asks the program where a
thing is. Sweeps come ten times a second, their clock two seconds behind the camera's."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from workstation import open_project
from workstation.app.opening import new_project
from workstation.cli.main import main
from workstation.core.rights import ActorKind

MS = 1_000_000
BEHIND_NS = 2_000 * MS
Place = Callable[[float], tuple[float, float]]


def straight(t: float) -> tuple[float, float]:
    """12 m/s along x."""
    return 3.0 + 12.0 * t, 5.0


def circle(t: float) -> tuple[float, float]:
    """10 m/s around a circle of 20 m."""
    return 20.0 * math.cos(t / 2), 20.0 * math.sin(t / 2)


def standing(_t: float) -> tuple[float, float]:
    """Parked."""
    return 7.0, -2.0


def linked(folder: Path, place: Place, frame_ms: int, sweep: int) -> Path:
    """A project in which the box of a frame is linked with the cuboid of a sweep; every sweep has its cuboid."""
    project = new_project(folder / "p", profile="driving", person="Ana")
    with open_project(project, kind=ActorKind.PERSON, person="Ana") as session:
        session.run("sample.add", key="take")
        session.run("gate.waive", sample="take", gate="sync", reason="clocks known by design")
        camera = session.run("stream.add", sample="take", key="front", kind="video")
        shift = {"knots": [[0, BEHIND_NS]], "method": "declared"}
        lidar = session.run("stream.add", sample="take", key="lidar", kind="cloud", time_map=shift, frame="world")
        car = session.run("entity.add", sample="take", class_id="car")
        cuboids = []
        for number in range(11):
            x, y = place(number / 10)
            own_ns = number * 100 * MS - BEHIND_NS
            shape = {"kind": "cuboid", "center": [x, y, 0.8], "size": [4.5, 1.8, 1.5]}
            cuboids.append(
                session.run(
                    "annotation.add",
                    sample="take",
                    stream=lidar,
                    entity=car,
                    shape=shape,
                    frame="world",
                    start_ns=own_ns,
                    end_ns=own_ns + 1,
                    attributes={"occlusion": "unknown"},
                )
            )
        box = session.run(
            "annotation.add", sample="take", stream=camera, entity=car, start_ns=frame_ms * MS,
            end_ns=frame_ms * MS + 1, shape={"kind": "box", "x": 10, "y": 10, "width": 50, "height": 40},
            attributes={"occlusion": "unknown"},
        )  # fmt: skip
        ends = {"view": [f"annotation:{box}", f"annotation:{cuboids[sweep]}"]}
        session.run("link.add", sample="take", type_id="same_object", ends=ends)
    return project


@pytest.mark.parametrize(
    ("place", "frame_ms", "sweep", "apart_ms", "moved_m"),
    [
        (straight, 433, 4, -33, 0.396),  # 12 m/s × 33 ms, the nearest sweep
        (straight, 433, 5, 67, 0.804),  # 12 m/s × 67 ms, the next one
        (straight, 410, 6, 190, 2.28),
        (circle, 433, 7, 267, 2 * 20 * math.sin(0.267 / 4)),  # the chord, not the way along the circle
        (standing, 433, 6, 167, 0.0),
    ],
)
def test_milliseconds_and_metres_are_those_of_the_motion(
    place: Place, frame_ms: int, sweep: int, apart_ms: int, moved_m: float, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    project = linked(tmp_path, place, frame_ms, sweep)
    capsys.readouterr()
    main(["sync", "pairs", str(project), "--json"])
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert row["residual_ns"] == apart_ms * MS
    assert row["distance_m"] == pytest.approx(moved_m, abs=0.01)
    flagged = main(["validate", str(project), "--only", "moments", "--json"])
    found = [each for each in map(json.loads, capsys.readouterr().out.splitlines()) if "text" in each]
    if abs(apart_ms) <= 50:  # the tolerance of the link type in the driving ontology
        assert (flagged, found) == (0, [])
        return
    assert flagged == 1
    assert [each["measured"] for each in found] == [abs(apart_ms)]
    said = float(found[0]["text"].rpartition("it moved ")[2].removesuffix(" m"))
    assert said == pytest.approx(moved_m, abs=0.015)
