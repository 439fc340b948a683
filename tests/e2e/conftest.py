"""What stories share: settings of their own, and the drive with a second sample to go on to."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from strict_windows import copy_of
from workstation.app.adding import add_files
from workstation.app.opening import open_project


@pytest.fixture(scope="session")
def two_samples(demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drive, and after it a second of silence as the next sample; take ``copy_of`` it to change it."""
    project = copy_of(demo_template, tmp_path_factory.mktemp("stories") / "drive")
    sound = project.parent / "silence.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * 16_000))
    with open_project(project, kind="person", role="lead") as session:
        add_files(
            session, (sound,), sample="z_next", stream=None, kind=None, role="", copy=True, progress=lambda *_: None
        )
    return project
