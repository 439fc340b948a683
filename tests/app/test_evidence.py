"""What rules are told of the media: held against what was put into the files, with NumPy's arithmetic beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

import workstation
from workstation.app.evidence import MediaEvidence, media_evidence
from workstation.app.opening import new_project
from workstation.app.session import Session
from workstation.core.evidence import Unmeasured
from workstation.core.geometry import Box, Cuboid, Polygon

SECOND = 1_000_000_000
RATE = 8000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of a two-coloured picture and a sound that is loud in its second half second."""
    place = new_project(tmp_path_factory.mktemp("evidence") / "p", profile="speech", person="Ana")
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30], pixels[:, 30:] = (200, 10, 20), (5, 60, 220)
    Image.fromarray(pixels).save(place / "still.png")
    sound = np.zeros(RATE)
    sound[RATE // 2 :] = 0.5 * np.sign(np.sin(np.arange(RATE // 2) * 0.7) + 1e-9)
    soundfile.write(place / "mic.wav", sound, RATE, subtype="PCM_16")
    with workstation.open_project(place, kind="person") as session:
        session.run("sample.add", key="s")
        for key, kind, name in (("still", "image", "still.png"), ("mic", "audio", "mic.wav")):
            more: dict[str, Any] = {"time_map": {"knots": [[0, SECOND]]}} if key == "mic" else {}
            session.run("stream.add", sample="s", key=key, kind=kind, files=[file_of(place / name)], **more)
    return place


def file_of(path: Path) -> dict[str, object]:
    return {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}


@pytest.fixture
def asked(folder: Path) -> Iterator[tuple[Session, MediaEvidence, dict[str, Any]]]:
    with workstation.open_project(folder, read_only=True) as session:
        (sample,) = session.store.samples()
        streams = {each.key: each for each in session.store.streams(sample.id)}
        with media_evidence(session.store, session.project)(sample) as known:
            assert isinstance(known, MediaEvidence)
            yield session, known, streams


def test_the_colours_inside_a_shape_are_those_of_its_pixels(asked: Any) -> None:
    _, known, streams = asked
    left = known.pixels(streams["still"], 0, Box(2, 3, 10, 4))
    assert left.shape == (40, 3)
    assert (left == (200, 10, 20)).all()
    ring = Polygon(((20, 0), (40, 0), (40, 40), (20, 40)), (((20, 10), (30, 10), (30, 40), (20, 40)),))
    both = known.pixels(streams["still"], 0, ring)
    assert len(both) == 20 * 40 - 10 * 30
    assert (both[:, 2] == 220).sum() == 10 * 40
    outside = known.pixels(streams["still"], 0, Box(-50, -50, 10, 10))
    assert len(outside) == 0
    turned = known.pixels(streams["still"], 0, Box(40, 10, 10, 2, angle_deg=90.0))
    assert (turned == (5, 60, 220)).all()
    assert len(turned) == 20


def test_loudness_is_the_root_mean_square_of_each_hop_in_session_time(asked: Any) -> None:
    _, known, streams = asked
    loud = known.loudness(streams["mic"], SECOND // 2, 5 * SECOND // 2, SECOND // 4)
    assert loud == pytest.approx([0, 0, 0, 0, 0.5, 0.5, 0, 0], abs=1e-3)


def test_what_cannot_be_had_says_why_each_time(asked: Any) -> None:
    session, known, streams = asked
    for question in (
        lambda: known.captures(streams["mic"]),
        lambda: known.readings(streams["mic"], "speed"),
        lambda: known.pixels(streams["mic"], 0, Box(0, 0, 4, 4)),
        lambda: known.pixels(streams["still"], 0, Cuboid((0, 0, 0), (1, 1, 1))),
        lambda: known.loudness(streams["still"], 0, SECOND, SECOND),
        lambda: session.store.evidence("s").frames(),
    ):
        for _ in range(2):
            with pytest.raises(Unmeasured, match="still|mic|cuboid|media"):
                question()
    assert known.frames().names == frozenset()
