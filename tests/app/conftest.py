"""One built demo for all tests that look at it, and the published files it was built from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workstation import open_project
from workstation.app.resources import resource
from workstation.app.session import Session


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
