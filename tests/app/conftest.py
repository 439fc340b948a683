"""One built demo for all tests that look at it, and the published files it was built from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workstation import open_project
from workstation.app.demo import make_demo
from workstation.app.resources import resource
from workstation.app.session import Session


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo drive; to be read only."""
    made = make_demo(tmp_path_factory.mktemp("demo") / "drive")
    assert made.new
    return made.folder


@pytest.fixture(scope="session")
def published() -> Path:
    """The files as published."""
    return resource("demo", "sf_drive")


@pytest.fixture
def demo_session(demo_folder: Path) -> Iterator[Session]:
    """The demo drive, open to be looked at."""
    with open_project(demo_folder, read_only=True) as session:
        yield session
