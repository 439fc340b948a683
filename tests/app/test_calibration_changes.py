"""A change of a clock or a calibration says beforehand which verdicts it changes, is one step, and undo takes it back.

On a generated drive, whose boxes and cuboids agree by design. What must be flagged is reckoned here from the drive's
own numbers, by plain trigonometry.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from drive_projects import SAMPLE, drive_project, short_drive

from strict_windows import copy_of
from workstation.app.opening import open_project
from workstation.app.sync_forecast import forecast, media_of, with_map
from workstation.cli.main import cli
from workstation.core.errors import UserError
from workstation.core.records import RecordKind
from workstation.core.rigs import newest_calibration
from workstation.core.stopping import Stopped, StopToken
from workstation.core.timemap import offset_map

EDGE_PX = 5.0


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drives")


@pytest.fixture(scope="module")
def clean(short_template: Path, drives: Path) -> Path:
    return copy_of(short_template, drives / "clean")


def ran(*arguments: str) -> tuple[int, list[Any]]:
    """Exit code and the lines of JSON; what follows ``--`` are numbers below zero."""
    options = [each for each in arguments if each != "--"]
    cut = arguments.index("--") if "--" in arguments else len(options)
    words = [*options[:cut], "--json", *(["--", *options[cut:]] if cut < len(options) else [])]
    result = CliRunner().invoke(cli, words, standalone_mode=False)
    if isinstance(result.exception, Exception):
        raise result.exception
    return result.return_value or 0, [json.loads(line) for line in result.output.splitlines()]


def flagged(project: Path) -> set[str]:
    """The links that ``sync pairs`` flags now."""
    _, lines = ran("sync", "pairs", str(project))
    return {line["link"] for line in lines if line["flag"]}


def records(project: Path) -> dict[str, Any]:
    with open_project(project, read_only=True) as session:
        sample = session.store.sample_by_key(SAMPLE)
        assert sample is not None
        return {
            f"{kind.value}/{getattr(each, 'id', '')}": each
            for kind in RecordKind
            for each in session.store.records(kind, sample=sample.id)
        }


def test_a_turned_camera_is_reported_with_its_angle_and_the_clean_drive_with_none(
    clean: Path, short_media: Path, drives: Path
) -> None:
    code, (found,) = ran("report", "calibration", str(clean))
    assert code == 0
    (camera,) = found["cameras"]
    assert camera["verdict"] == "none"
    assert found["suspects"] == []
    yaw = drive_project(short_drive(short_media, "yaw@0.3"), drives / "yaw")
    code, (found,) = ran("report", "calibration", str(yaw))
    assert code == 1
    (camera,) = found["cameras"]
    assert camera["verdict"] == "angular"
    assert camera["turned_deg"] == pytest.approx(0.3, abs=0.03)
    assert camera["metres_at_50"] == pytest.approx(50 * math.tan(math.radians(0.3)), abs=0.03)
    assert "about 0.3°" in camera["words"]
    # In metres the residual rises with the range.
    off = [(each["range_m"], abs(each["off_m"])) for each in camera["things"]]
    assert all(m == pytest.approx(r * math.tan(math.radians(0.3)), abs=0.05) for r, m in off)
    assert {each["cause"] for each in found["suspects"]} == {"calibration_off"}


def test_one_misplaced_cuboid_is_named_alone(short_media: Path, drives: Path) -> None:
    made = short_drive(short_media, "cuboid_off@1.5")
    project = drive_project(made, drives / "cuboid_off")
    code, (found,) = ran("report", "calibration", str(project))
    assert code == 0
    assert found["cameras"][0]["verdict"] == "none"
    assert [each["cause"] for each in found["suspects"]] == ["cuboid_misplaced"]


def test_another_calibration_is_forecast_flags_exactly_those_and_undo_brings_all_back(clean: Path) -> None:
    before = records(clean)
    assert flagged(clean) == set()
    degrees = 1.5
    _, (seen,) = ran("sync", "calibrate", str(clean), "--turn", f"camera_front={degrees}", "--dry-run")
    assert records(clean) == before  # looking ahead writes nothing
    with open_project(clean, read_only=True) as session:
        sample = session.store.sample_by_key(SAMPLE)
        assert sample is not None
        (camera,) = newest_calibration(session.store, sample.id).cameras
    focal_px = camera.lens.fx
    assert focal_px * math.tan(math.radians(degrees)) > EDGE_PX + 1  # so that whole boxes cross the limit
    foreseen = set(seen["loosened"])
    assert foreseen
    assert seen["moved"] == 0
    _, (done,) = ran("sync", "calibrate", str(clean), "--turn", f"camera_front={degrees}", "--person", "Ana")
    assert done["raised"] == seen["raised"]
    assert flagged(clean) == foreseen
    little = focal_px * math.tan(math.radians(0.1))
    assert little < EDGE_PX
    result = CliRunner().invoke(cli, ["undo", str(clean), "--person", "Ana"], standalone_mode=False)
    assert result.exception is None
    assert records(clean) == before
    assert flagged(clean) == set()
    _, (nothing,) = ran("sync", "calibrate", str(clean), "--turn", "camera_front=0.1", "--dry-run")
    assert nothing["links"] == []


def test_a_shift_keeps_native_times_lists_changed_verdicts_and_is_one_step(clean: Path) -> None:
    before = records(clean)
    stream = f"{SAMPLE}/camera_front"
    _, (seen,) = ran("sync", "shift", str(clean), stream, "--dry-run", "--", "-200")
    assert records(clean) == before
    assert seen["moved"] > 0
    assert seen["loosened"]  # the car drives: what it passes stood elsewhere
    _, (done,) = ran("sync", "shift", str(clean), stream, "--person", "Ana", "--", "-200")
    assert done["links"] == seen["links"] != []
    after = records(clean)
    changed = {key for key in before if after[key] != before[key]}
    assert {key.split("/")[0] for key in changed} <= {"stream", "sample"}  # no label and no link was touched
    assert flagged(clean) == set(seen["loosened"])
    CliRunner().invoke(cli, ["undo", str(clean), "--person", "Ana"], standalone_mode=False)
    assert records(clean) == before
    with pytest.raises(UserError, match="names no stream"):
        ran("sync", "shift", str(clean), f"{SAMPLE}/nothing", "--dry-run", "--", "5")
    with pytest.raises(UserError, match="no correction"):
        ran("sync", "shift", str(clean), stream, "--dry-run", "--", "nan")
    with pytest.raises(UserError, match="CAMERA=DEGREES"):
        ran("sync", "calibrate", str(clean), "--turn", "camera_front=much", "--dry-run")


class _Soon(StopToken):
    """Asked by somebody while the work is at it: at its two hundredth look."""

    looks = 0

    def look(self) -> None:
        self.looks += 1
        if self.looks == 200:
            self.ask()
        super().look()


def test_a_forecast_that_nobody_waits_for_ends_in_the_middle(clean: Path) -> None:
    stop = _Soon()
    with open_project(clean, read_only=True) as session:
        sample = session.store.sample_by_key(SAMPLE)
        assert sample is not None
        stream = next(each for each in session.store.streams(sample.id) if each.key == "camera_front")
        later = with_map(stream, stream.time_map.then(offset_map(50_000_000)))
        with pytest.raises(Stopped):
            forecast(session.store, sample, [later], evidence=media_of(session.project, stop), stop=stop)
    assert stop.looks == 200


@pytest.mark.parametrize(("planted", "found"), [(8, True), (3, False)])
def test_a_box_that_is_too_wide_is_told_in_pixels_and_metres(
    short_media: Path, drives: Path, planted: int, found: bool
) -> None:
    made = short_drive(short_media, f"box_wide@{planted}")
    project = drive_project(made, drives / f"wide_{planted}")
    _, lines = ran("validate", str(project), "--only", "boxes.overrun")
    told = [line for line in lines if line.get("rule") == "boxes.overrun"]
    assert bool(told) is found
    if found:
        (one,) = told
        assert one["measured"] == pytest.approx(planted, abs=1.0)
        assert "right 8 px (" in one["text"]
        assert " m at its " in one["text"]
