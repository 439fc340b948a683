"""A transcript that is late against its sound is told, and moved there in one step with what stands on its text."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from workstation.app.opening import new_project, open_project
from workstation.cli.main import cli
from workstation.core.rights import ActorKind

MS = 1_000_000
LATE_MS = 600
RATE = 16_000


def spoken_project(folder: Path) -> tuple[Path, list[tuple[int, int]]]:
    """Eight turns of noise in a room, transcribed 600 ms late; when they were said, in ms."""
    rng = np.random.default_rng(8)
    at, turns = 4.0, []
    for _ in range(8):
        length = float(rng.uniform(0.8, 2.2))
        turns.append((round(at * 1000), round((at + length) * 1000)))
        at += length + float(rng.uniform(0.5, 1.5))
    sound = rng.normal(0, 0.004, round((at + 4) * RATE))
    for begin, end in turns:
        first, last = begin * RATE // 1000, end * RATE // 1000
        sound[first:last] += rng.normal(0, 0.2, last - first)
    project = new_project(folder / "late", profile="dialogue", person="Ana")
    with wave.open(str(project / "voice.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    size = (project / "voice.wav").stat().st_size
    with open_project(project, kind=ActorKind.PERSON, person="Ana") as session:
        session.run("sample.add", key="talk")
        session.run(
            "stream.add", sample="talk", key="sound", kind="audio",
            files=[{"path": "voice.wav", "sha256": "0" * 64, "size": size}],
        )  # fmt: skip
        for number, (begin, end) in enumerate(turns):
            a, b = (begin + LATE_MS) * MS, (end + LATE_MS) * MS
            session.run(
                "turn.add", sample="talk", stream="sound", start_ns=a, end_ns=b,
                words=[{"text": f"word{number}", "start_ns": a, "end_ns": b}],
            )  # fmt: skip
    return project, turns


def ran(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(cli, ["sync", "transcript", *arguments, "--json"], standalone_mode=False)
    if isinstance(result.exception, Exception):
        raise result.exception
    found: dict[str, Any] = json.loads(result.output)
    return result.return_value or 0, found


def starts(project: Path) -> list[float]:
    with open_project(project, read_only=True) as session:
        sample = next(iter(session.store.samples()))
        turns = [each for each in session.store.annotations(sample.id) if each.text is not None]
        words = [word.start_ns for turn in turns for word in session.store.words(turn.id)]
        assert sorted(each.start_ns or 0 for each in turns) == sorted(each or 0 for each in words)
        return sorted((each.start_ns or 0) / MS for each in turns)


def test_a_late_transcript_is_told_and_moved_to_where_it_is_spoken(tmp_path: Path) -> None:
    project, turns = spoken_project(tmp_path)
    code, found = ran(str(project))
    assert code == 1
    assert found["clear"] is True
    assert abs(found["late_ms"] - LATE_MS) <= min(40, found["give_or_take_ms"])
    before = starts(project)
    code, found = ran(str(project), "--accept", "--person", "Ana")
    assert code == 0
    assert found["moved"] == len(turns)
    assert starts(project) == pytest.approx([begin for begin, _ in turns], abs=40)
    code, found = ran(str(project))
    assert code == 0
    assert found["clear"] is False
    CliRunner().invoke(cli, ["undo", str(project), "--person", "Ana"], standalone_mode=False)
    assert starts(project) == before
