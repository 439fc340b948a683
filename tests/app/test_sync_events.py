"""Lists of events as clocks: pulses and switches in files with clocks that were made to differ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from workstation.app.opening import new_project, open_project
from workstation.app.sync_events import edges
from workstation.cli.main import cli
from workstation.core.errors import DataError, UserError
from workstation.core.rights import ActorKind


def switching(
    at_s: np.ndarray, rate_hz: float, seconds: float, *, late_s: float, ppm: float
) -> tuple[list[int], list[int]]:
    """A channel that is on for 60 ms from each moment, sampled by a clock that is late and runs otherwise."""
    own_s = np.arange(0, seconds, 1 / rate_hz)
    on = np.zeros(len(own_s), int)
    for each in at_s:
        on[(own_s >= each) & (own_s < each + 0.06)] = 1
    stamps = np.round(((own_s * (1 + ppm * 1e-6)) + late_s) * 1e9).astype(np.int64)
    return stamps.tolist(), on.tolist()


def project_with(folder: Path, *, late_s: float = 0.1234, ppm: float = 0.0, many: int = 40) -> Path:
    rng = np.random.default_rng(5)
    seconds = 120.0
    at_s = np.sort(rng.uniform(2, seconds - 2, many))
    project = new_project(folder / "events", profile="driving", person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="test") as session:
        session.run("sample.add", key="drive")
        for key, channel, rate, late, drift in (
            ("trigger", "ttl_out", 1000.0, 0.0, 0.0), ("can", "brake_switch", 50.0, late_s, ppm),
        ):  # fmt: skip
            times, on = switching(at_s, rate, seconds, late_s=late, ppm=drift)
            path = session.project.path / f"{key}.csv"
            rows = "\n".join(f"{t},{v},{i % 7}" for i, (t, v) in enumerate(zip(times, on, strict=True)))
            path.write_text(f"time_ns,{channel},count\n{rows}\n")
            session.run(
                "stream.add", sample="drive", key=key, kind="series", reader="series",
                files=[{"path": path.name, "sha256": "0" * 64, "size": path.stat().st_size}],
            )  # fmt: skip
    return project


def measured(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(cli, ["sync", *arguments, "--json"], standalone_mode=False)
    if isinstance(result.exception, Exception):
        raise result.exception
    found: dict[str, object] = json.loads(result.output)
    return found


def test_pulses_and_a_switch_on_the_bus_agree_to_far_less_than_a_message(tmp_path: Path) -> None:
    found = measured("events", str(project_with(tmp_path)), "trigger", "can")
    late, sure = found["late_ms"], found["give_or_take_ms"]
    assert isinstance(late, float)
    assert isinstance(sure, float)
    assert abs(late - 123.4) < 2  # the bus speaks every 20 ms
    assert abs(late - 123.4) <= sure
    assert found["points"] == 40


def test_a_bus_that_drifts_is_found_and_named_channels_are_asked_for(tmp_path: Path) -> None:
    project = project_with(tmp_path, ppm=150.0, many=60)
    found = measured("events", str(project), "trigger", "can", "--channel", "brake_switch", "--dry-run")
    assert found["model"] == "linear"
    rate = found["rate_ppm"]
    assert isinstance(rate, float)
    assert abs(rate + 150) < 40
    assert found["dry_run"] is True
    with pytest.raises(DataError, match="no channel 'horn'"):
        measured("events", str(project), "trigger", "can", "--channel", "horn")
    with pytest.raises(UserError, match="against itself"):
        measured("events", str(project), "can", "can")


def test_edges_count_once_however_they_chatter() -> None:
    times = np.arange(10) * 10
    assert [(e.from_ns, e.to_ns) for e in edges(times, np.array([0, 0, 1, 1, 0.5, 1, 0, 0, 1, 1.0]))] == [
        (10, 20),
        (70, 80),
    ]
    assert [(e.from_ns, e.to_ns) for e in edges(times, np.array([0, 0, 1, 1, 0.5, 1, 0, 0, 1, 1.0]), falling=True)] == [
        (50, 60)
    ]
    assert edges(times, np.full(10, np.nan)) == []
    assert edges(times, np.ones(10)) == []
