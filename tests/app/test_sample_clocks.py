"""The clocks of a generated drive: shown, checked, aligned by stamps, mixed. The truth is what was planted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drive_projects import SAMPLE, drive_project, short_drive

from strict_windows import copy_of
from workstation import open_project
from workstation.app.session import Session
from workstation.cli.main import main
from workstation.core.rights import ActorKind
from workstation.core.sample import GateState, Stream
from workstation.core.sync_state import sync_state
from workstation.core.timebase import TimeMap

pytestmark = pytest.mark.slow
Printed = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def media(short_media: Path) -> Path:
    return short_media


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    def run(*words: str, code: int = 0) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert main([*words, "--json"]) == code
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.fixture
def project(short_template: Path, tmp_path: Path) -> Path:
    return copy_of(short_template, tmp_path / "p")


def write(project: Path) -> Session:
    return open_project(project, person="Ana", kind=ActorKind.PERSON)


def streams(session: Session) -> dict[str, Stream]:
    (sample,) = session.store.samples()
    return {each.key: each for each in session.store.streams(sample.id)}


def test_the_clock_table_says_who_was_locked_and_who_ran_free(
    project: Path, printed: Printed, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {row["stream"]: row for row in printed("sync", "status", str(project))}
    locked = {key for key, row in rows.items() if row["clock"] == "ptp" and row["lock"] == "locked"}
    assert locked == {"camera_front", "lidar_top", "radar_front", "ultrasonic", "imu", "ego_pose"}
    assert {rows[key]["offset_ns"] for key in locked} == {0}
    assert (rows["microphone"]["clock"], rows["microphone"]["lock"]) == ("free-running", "not locked")
    assert rows["microphone"]["offset_ns"] is None
    assert {row["sync"] for row in rows.values()} == {"hardware, verified"}
    assert main(["sync", "status", str(project), "--sample", SAMPLE]) == 0
    table = capsys.readouterr().out
    assert "free-running" in table
    assert f"{SAMPLE}: hardware, verified" in table


def test_streams_on_one_reference_are_not_accused(project: Path, printed: Printed) -> None:
    (found,) = printed("sync", "check", str(project))
    assert found["odd"] == []
    assert found["clocks"]["free-running"] == ["microphone"]
    assert found["notes"] == []


@pytest.mark.parametrize("hours", [1.0, -2.0])
def test_a_radar_in_local_time_is_named_with_its_constant_offset(
    media: Path, tmp_path: Path, printed: Printed, capsys: pytest.CaptureFixture[str], hours: float
) -> None:
    made = short_drive(media, f"radar_local_time@{hours * 3600:g}")
    project = drive_project(made, tmp_path / "p")
    planted_ns = -made.truth["clocks"]["radar_front"]["offset_ns"]
    (found,) = printed("sync", "check", str(project), code=1)
    (odd,) = found["odd"]
    assert odd["stream"] == "radar_front"
    assert odd["nominal_ns"] == planted_ns == hours * 3600e9
    assert abs(odd["offset_ns"] - planted_ns) <= 75_000_000, "a cycle of the radar"
    assert main(["sync", "check", str(project)]) == 1
    assert "radar_front is off by" in capsys.readouterr().out
    (row, *_) = printed("sync", "status", str(project))
    assert row["sync"] == "hardware, unverified"


def forget_clocks(project: Path) -> None:
    """As delivered by somebody without PTP: no clock named, and the films not placed."""
    with write(project) as session, session.together("Drop PTP") as run:
        for stream in streams(session).values():
            run("stream.set_time", stream=stream.id, sample=SAMPLE, time_map={}, clock="")


def true_maps(media: Path) -> dict[str, int]:
    """What has to be added to a stream's own time, by the generator's word."""
    made = short_drive(media)
    return {
        each["key"]: each.get("first_ns", 0) + made.truth["clocks"][each["key"]]["offset_ns"]
        for each in made.sample["streams"]
    }


def jitter(project: Path, amount_ns: int) -> None:
    """Stamps as a busy host writes them: late by anything up to ``amount_ns``, and a few much later."""
    path = project / "media" / SAMPLE / "camera_front.times.csv"
    rng = np.random.default_rng(7)
    lines = path.read_text().splitlines()
    late = rng.uniform(-amount_ns / 2, amount_ns / 2, len(lines) - 1)
    late[[5, 30]] += 180e6
    times = [int(line.split(",")[1]) + round(extra) for line, extra in zip(lines[1:], late, strict=True)]
    path.write_text("frame,time_ns\n" + "".join(f"{i},{t}\n" for i, t in enumerate(times)))


@pytest.mark.parametrize("jitter_ns", [0, 16_000_000])
def test_without_hardware_streams_are_aligned_by_their_stamps(
    project: Path, media: Path, printed: Printed, jitter_ns: int
) -> None:
    forget_clocks(project)
    if jitter_ns:
        jitter(project, jitter_ns)
    truth = true_maps(media)
    head = printed("info", str(project))[0]["revisions"]
    rows = {row["stream"]: row for row in printed("sync", "align", str(project), "--method", "interpolate")}
    assert rows["microphone"]["left"].startswith("microphone only counts its samples")
    with open_project(project, read_only=True) as session:
        assert session.store.head() == head + 1
        found = streams(session)
        (sample,) = session.store.samples()
        assert sync_state(sample, found.values()) == "software, unverified"
        assert "residual" in sample.gates["sync"].reason
        for key, row in rows.items():
            if row["left"]:
                continue
            time_map = found[key].time_map
            errors = [abs(time_map.to_session(t) - t - truth[key]) for t in range(0, 1_200_000_000, 50_000_000)]
            assert max(errors) <= 10_000_000, key
            assert time_map.method == "interpolate"
            assert time_map.residual_ns == row["residual_ns"]
        front = found["camera_front"].time_map
    assert front.evidence_values["stamps"] == "camera_front.times.csv"
    assert front.residual_ns is not None
    if jitter_ns:
        assert front.evidence_values["left_out"] == 2
        uniform = jitter_ns / 12**0.5
        assert 0.7 * uniform < front.residual_ns < 1.3 * uniform
    assert main(["undo", str(project), "--person", "Ana"]) == 0
    with open_project(project, read_only=True) as session:
        assert streams(session)["camera_front"].time_map == TimeMap()
        (sample,) = session.store.samples()
        assert sample.gates["sync"].state is GateState.VERIFIED


def test_alignment_refuses_what_it_cannot_better(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sync", "align", str(project), "--method", "interpolate"]) == 2
    assert "locked to a clock" in capsys.readouterr().err
    wrong = tmp_path / "stamps.csv"
    wrong.write_text("frame,time_ns\n0,0\n1,33333333\n")
    assert main(["sync", "align", str(project), "--method", "interpolate", "--stamps", f"camera_front={wrong}"]) == 2
    assert "stamps.csv" in capsys.readouterr().err
    assert main(["sync", "align", str(project), "--method", "interpolate", "--stamps", f"moon={wrong}"]) == 2
    assert "no stream 'moon'" in capsys.readouterr().err
    double = tmp_path / "double.csv"
    double.write_text("frame,time_ns\n" + "".join(f"{i},{i * 66_666_667}\n" for i in range(36)))
    assert main(["sync", "align", str(project), "--method", "interpolate", "--stamps", f"camera_front={double}"]) == 2
    assert "not its stamps" in capsys.readouterr().err


def test_a_latency_moves_the_marks_on_a_stream_and_nothing_else(project: Path, printed: Printed) -> None:
    sound = project / "media" / SAMPLE / "microphone.wav"
    before = hashlib.sha256(sound.read_bytes()).hexdigest()
    with write(project) as session:
        session.run(
            "annotation.add", sample=SAMPLE, stream="microphone", class_id="horn", kind="span",
            start_ns=1_000_000_000, end_ns=1_200_000_000,
        )  # fmt: skip
    assert main(["sync", "latency", str(project), f"{SAMPLE}/microphone", "25", "--granularity", "0.0625"]) == 0
    (row,) = [row for row in printed("sync", "status", str(project)) if row["stream"] == "microphone"]
    assert (row["latency_ns"], row["granularity_ns"], row["method"]) == (25_000_000, 62_500, "latency")
    with write(project) as session:
        found = streams(session)
        (mark,) = [each for each in session.store.annotations(found["microphone"].sample) if each.start_ns == 10**9]
        assert found["microphone"].time_map.to_session(mark.start_ns or 0) == 975_000_000
        assert found["camera_front"].time_map.to_session(0) == 4_000_000
        session.run("stream.set_latency", stream=f"{SAMPLE}/microphone", latency_ns=-5_000_000)
        assert streams(session)["microphone"].time_map.to_session(0) == 5_000_000, "it replaces, it does not add up"
        session.run("stream.set_latency", stream=f"{SAMPLE}/microphone", latency_ns=0)
        assert streams(session)["microphone"].time_map.knots == ((0, 0),)
        assert streams(session)["microphone"].time_map.method == "identity"
    assert hashlib.sha256(sound.read_bytes()).hexdigest() == before


def test_a_stream_of_another_recording_unverifies_the_sample(project: Path, media: Path, printed: Printed) -> None:
    other = short_drive(media).path("microphone")
    with write(project) as session:
        (sample,) = session.store.samples()
        assert sync_state(sample, streams(session).values()) == "hardware, verified"
    words = ["add", str(project), str(other), "--sample", SAMPLE, "--stream", "sound_2", "--recording", "session_2"]
    assert main(words) == 0
    rows = {row["stream"]: row for row in printed("sync", "status", str(project))}
    assert {row["sync"] for row in rows.values()} == {"software, unverified"}
    assert (rows["camera_front"]["recording"], rows["camera_front"]["clock"]) == ("session_1", "ptp")
    assert (rows["sound_2"]["recording"], rows["sound_2"]["lock"]) == ("session_2", "not said")
    with write(project) as session:
        (sample,) = session.store.samples()
        assert "session_1 and session_2" in sample.gates["sync"].reason
        session.undo()
        (sample,) = session.store.samples()
        assert sample.gates["sync"].state is GateState.VERIFIED
