"""The sound of the open sample follows the session: another sample, another map, another file."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

import workstation
from workstation.app.opening import new_project
from workstation.app.playing import Playing
from workstation.app.session import Session
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.media.playback import PositionSource
from workstation.media.playback_recorded import RecordedOutput

RATE = 48000
MS = 1_000_000


def write(path: Path, level: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.full(RATE, level, "<i2").tobytes())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = new_project(tmp_path_factory.mktemp("playing") / "p", profile="speech", person="Ana")
    with workstation.open_project(folder, kind="person") as session:
        for key, level in (("a", 1000), ("b", 2000)):
            write(folder / f"{key}.wav", level)
            session.run("sample.add", key=key)
            session.run("stream.add", sample=key, key="mic", kind="audio", files=[file_of(folder / f"{key}.wav")])
    return folder


def file_of(path: Path) -> dict[str, object]:
    import hashlib

    return {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}


def listen(session: Session, output: RecordedOutput) -> list[int]:
    """The levels that are heard in half a second from the start."""
    begin = len(output.samples)
    session.clock.pause()
    session.clock.seek(0)
    session.clock.play()
    output.pass_time(session.player, 500 * MS)
    return np.unique(np.rint(output.samples[begin:, 0] * 32768).astype(int)).tolist()


def test_the_sound_of_the_open_sample_is_played(project: Path) -> None:
    output = RecordedOutput()
    with workstation.open_project(project, kind="person") as session:
        session.clock.set_span(TimeRange(0, SECOND_NS))
        session.play_with(Playing(session, output=output))
        assert session.player is session.player
        assert listen(session, output) == [0]
        session.open_sample("a")
        assert listen(session, output) == [1000]
        assert session.player.status.source is PositionSource.SOUND
        session.open_sample("b")
        assert listen(session, output) == [2000]
        stream = session.store.streams(session.sample)[0]  # type: ignore[arg-type]
        session.run("stream.set_time", stream=stream.id, time_map={"knots": [[0, 400 * MS]], "method": "offset"})
        assert listen(session, output) == [0, 2000]
        session.undo()
        assert listen(session, output) == [2000]


def test_a_session_that_never_plays_has_no_thread_and_no_device(project: Path) -> None:
    with workstation.open_project(project, kind="person") as session:
        session.open_sample("a")
        session.clock.tick(1)
        assert session._playing is None
