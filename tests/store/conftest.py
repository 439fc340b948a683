"""A small world for each test of the store, closed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A project with people, an ontology, a sample and streams."""
    made = World(tmp_path)
    yield made
    made.store.close()
