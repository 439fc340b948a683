"""Corrections of time: they move what a moment shows, can be taken back, and never touch a file (SYNC-03, SYNC-17)."""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

import pytest

from workstation import open_project
from workstation.app.moment import Shown, facts_of, moment_of
from workstation.app.opening import new_project
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.core.rights import ActorKind

LATENCY_NS = 25_000_000
MARK_NS = 1_500_000_000


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = new_project(tmp_path / "p", person="Ana")
    with wave.open(str(made / "mic.wav"), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(2 * 16_000 * 3))
    (made / "imu.csv").write_text("time_s,accel\n" + "".join(f"{i / 100},{i}\n" for i in range(300)))
    return made


def at(session: Session, time_ns: int) -> dict[str, Shown]:
    (sample,) = session.store.samples()
    with OpenStreams(session.project.path) as readers:
        return {each.key: each for each in moment_of(session.store.streams(sample.id), readers, time_ns)}


def hashes(project: Path) -> dict[str, str]:
    return {name: hashlib.sha256((project / name).read_bytes()).hexdigest() for name in ("mic.wav", "imu.csv")}


def test_a_constant_latency_is_applied_taken_back_and_kept_in_history(project: Path) -> None:
    before = hashes(project)
    with open_project(project, person="Ana", kind=ActorKind.PERSON) as session:
        with session.together("Add") as run:
            run("sample.add", key="take")
            for key, kind, name in (("mic", "audio", "mic.wav"), ("imu", "series", "imu.csv")):
                files = [{"path": name, "sha256": before[name], "size": (project / name).stat().st_size}]
                run(
                    "stream.add",
                    sample="take",
                    key=key,
                    kind=kind,
                    files=files,
                    clock="ptp" if key == "imu" else "free",
                )
        assert at(session, MARK_NS)["mic"].index == 24_000
        head = session.store.head()
        late = {"knots": [[0, -LATENCY_NS]], "method": "latency", "residual_ns": 500_000}
        session.run("stream.set_time", stream="take/mic", time_map=late)
        moved = at(session, MARK_NS)
        # What sounds at the mark was written 25 ms later in the file: 400 samples at 16 kHz.
        assert moved["mic"].index == 24_400
        assert (moved["mic"].own_ns, moved["mic"].session_ns) == (MARK_NS + LATENCY_NS, MARK_NS)
        assert moved["imu"].index == 150
        (sample,) = session.store.samples()
        with OpenStreams(project) as readers:
            facts = {each.key: each for each in facts_of(session.store.streams(sample.id), readers)}
        assert (facts["mic"].clock, facts["imu"].clock.split(":")[0]) == ("free: sample count", "ptp")
        assert "latency" in facts["mic"].map
        assert facts["mic"].residual_ns == 500_000
        session.undo()
        assert at(session, MARK_NS)["mic"].index == 24_000
        assert session.store.head() == head + 2
    assert hashes(project) == before
