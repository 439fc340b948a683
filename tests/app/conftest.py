"""One built demo for all tests that look at it, the published files it was built from, and short generated drives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from drive_projects import SHORT, THREE_CAMERAS, drive_project

from strict_once import made_for_the_run
from workstation import open_project
from workstation.app.resources import resource
from workstation.app.session import Session
from workstation.synth.drive.fixture import drive
from workstation.synth.truth import Truth


@pytest.fixture(scope="session")
def demo_folder(demo_template: Path) -> Path:
    """The demo drive; to be read only."""
    return demo_template


@pytest.fixture(scope="session")
def published() -> Path:
    """The files as published."""
    return resource("demo", "sf_drive")


@pytest.fixture
def demo_session(demo_folder: Path) -> Iterator[Session]:
    """The demo drive, open to be looked at."""
    with open_project(demo_folder, read_only=True) as session:
        yield session


@pytest.fixture(scope="session")
def short_media(made_once: Callable[..., Truth]) -> Path:
    """The media of the short drive; ``short_drive`` plants its variants beside them."""
    return made_once(drive, options=SHORT).folder


@pytest.fixture(scope="session")
def short_template(made_once: Callable[..., Truth], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The short drive as a project, nothing wrong with it; to be read only, or copied by ``copy_of``."""
    return made_for_the_run(
        tmp_path_factory, "short-drive", lambda into: drive_project(made_once(drive, options=SHORT), into)
    )


@pytest.fixture(scope="session")
def three_cameras(made_once: Callable[..., Truth], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with three cameras; to be read only, or copied by ``copy_of``."""
    return made_for_the_run(
        tmp_path_factory, "three-cameras", lambda into: drive_project(made_once(drive, options=THREE_CAMERAS), into)
    )
