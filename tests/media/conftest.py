"""The conformance films, made once a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from films import Film, make_film


@pytest.fixture(scope="session")
def film_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture
def made(film_folder: Path) -> Callable[[Film], Path]:
    return lambda film: make_film(film, film_folder)
