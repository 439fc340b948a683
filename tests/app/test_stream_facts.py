"""What is said of a generated drive's calibration, origin and times, against what the generator made it from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drive_projects import SAMPLE, SHORT, short_drive

from strict_windows import copy_of
from workstation import open_project
from workstation.cli.main import main
from workstation.core.rights import ActorKind
from workstation.synth.drive.rig import lidars
from workstation.synth.truth import Truth

pytestmark = pytest.mark.slow
MARK_NS = 1_027_000_000


@pytest.fixture(scope="module")
def made(short_media: Path) -> Truth:
    return short_drive(short_media)


@pytest.fixture
def project(short_template: Path, tmp_path: Path) -> Path:
    return copy_of(short_template, tmp_path / "p")


def rows(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main([*words, "--json"]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_sensor_has_its_matrices_with_version_and_validity(
    project: Path, made: Truth, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {row["sensor"]: row for row in rows(capsys, "info", str(project), "--calibration")}
    delivered = {each["name"]: each for each in made.sample["rig"]["frames"] if "parent_from_child" in each}
    assert set(found) == {*delivered, "ego"}
    for name, each in delivered.items():
        np.testing.assert_allclose(found[name]["parent_from_child"], each["parent_from_child"], atol=1e-8)
        assert (found[name]["version"], found[name]["valid_ns"]) == (1, [None, None])
    (lidar,) = lidars(SHORT)
    np.testing.assert_allclose(
        np.array(found["lidar_top"]["parent_from_child"])[:3, 3], lidar.ego_from_lidar.translation
    )
    lens = made.sample["rig"]["cameras"]["camera_front"]
    matrix = [[lens["fx"], 0.0, lens["cx"]], [0.0, lens["fy"], lens["cy"]], [0.0, 0.0, 1.0]]
    assert found["camera_front"]["camera_matrix"] == matrix
    assert found["ego"]["trajectory"] == "ego_pose"
    assert main(["info", str(project), "--calibration"]) == 0
    assert "ego from camera_front" in capsys.readouterr().out


def test_a_new_calibration_is_a_new_version_and_an_unknown_camera_is_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turn = {"rotation": [1, 0, 0, 0], "translation": [0, 0, 1.9]}
    with open_project(project, person="Ana", kind=ActorKind.PERSON) as session:
        frames = [{"name": "lidar_top", "parent": "ego", "parent_from_child": turn}]
        session.run("rig.add", sample=SAMPLE, key="vehicle", frames=frames, start_ns=500_000_000, end_ns=900_000_000)
    found = rows(capsys, "info", str(project), "--calibration", "--sample", SAMPLE)
    (second,) = [row for row in found if row.get("version") == 2]
    assert (second["sensor"], second["valid_ns"]) == ("lidar_top", [500_000_000, 900_000_000])
    assert sum(row.get("version") == 1 for row in found) >= 8
    (dark,) = [row for row in found if "projection" in row]
    assert dark["sensor"] == "camera_front"
    assert dark["projection"].startswith("off: no camera is called 'camera_front'")


def test_provenance_names_every_stream_and_one_changed_byte_fails(
    project: Path, made: Truth, capsys: pytest.CaptureFixture[str]
) -> None:
    (facts,) = rows(capsys, "info", str(project), "--provenance", "--sample", SAMPLE)
    said = {each["stream"]: each for each in facts["streams"]}
    # No reader takes the map, and nothing is said in so short a drive.
    delivered = {each["key"]: each for each in made.sample["streams"] if each["kind"] not in ("map", "text")}
    assert set(said) == {f"{SAMPLE}/{key}" for key in delivered}
    for key, each in delivered.items():
        row = said[f"{SAMPLE}/{key}"]
        assert row["recording"] == each["recording"] == "session_1"
        assert row["clock"].startswith(each["clock"]["source"])
        assert row["licence"] == each["licence"]
        assert "demo" in row["added"]
        assert all("sha256 " in file for file in row["files"])
        assert row["trouble"] == []
        assert {"consent", "transformations", "time_map"} <= set(row)
    sound = project / "media" / SAMPLE / "microphone.wav"
    data = bytearray(sound.read_bytes())
    data[1000] ^= 1
    sound.write_bytes(bytes(data))
    (facts,) = rows(capsys, "info", str(project), "--provenance", code=1)
    assert [each["stream"] for each in facts["streams"] if each["trouble"]] == [f"{SAMPLE}/microphone"]
    assert main(["info", str(project), "--provenance", "--sample", "moon"]) == 2


def test_an_exported_record_has_its_moment_in_every_unit(
    project: Path, made: Truth, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mark at 1.027 s: the arithmetic here is the generator's, the maps are those in the file."""
    late_ns = 25_000_000
    with open_project(project, person="Ana", kind=ActorKind.PERSON) as session:
        session.run("stream.set_latency", stream=f"{SAMPLE}/microphone", latency_ns=late_ns)
        mark = session.run(
            "annotation.add", sample=SAMPLE, stream="microphone", class_id="horn", kind="span",
            start_ns=MARK_NS + late_ns, end_ns=MARK_NS + late_ns,
        )  # fmt: skip
    out = tmp_path / "times.jsonl"
    assert main(["export", str(project), "--format", "times", "-o", str(out)]) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines[0] == {"t": "header", "format": "workstation-times", "version": 1}
    maps = {line["stream"]: line["time_map"] for line in lines if line["t"] == "stream"}
    (record,) = [line for line in lines if line["t"] == "record" and line["id"] == mark]
    moment = record["start"]
    assert (moment["own_ns"], moment["session_ns"]) == (MARK_NS + late_ns, MARK_NS)
    first_ns = next(each["first_ns"] for each in made.sample["streams"] if each["key"] == "camera_front")
    frame = (MARK_NS - first_ns) * 30 // 1_000_000_000
    expected = {
        "camera_front": ("frame", frame, round(frame * 1e9 / 30)),
        "lidar_top": ("sweep", 10, 1_000_000_000),
        "radar_front": ("sweep", 13, 975_000_000),
        "microphone": ("sample", (MARK_NS + late_ns) * 16_000 // 1_000_000_000, None),
        "imu": ("row", 102, 1_020_000_000),
    }
    for key, (unit, index, own_ns) in expected.items():
        at = moment["at"][key]
        assert (at["unit"], at["index"]) == (unit, index), key
        assert own_ns is None or abs(at["own_ns"] - own_ns) <= 1000, key
        (s0, t0), *rest = maps[key].get("knots", [[0, 0]])
        assert not rest
        assert at["session_ns"] == t0 + at["own_ns"] - s0, "recomputed from the map in the file"
        assert at["distance_ns"] == at["session_ns"] - MARK_NS <= 0
    assert main(["import", str(out), str(tmp_path / "q"), "--format", "times"]) == 2
    assert "cannot be read" in capsys.readouterr().err
