"""The conformance films, made once a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from films import Film, make_film

from strict_once import folder_of_the_run


@pytest.fixture(scope="session")
def film_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = folder_of_the_run(tmp_path_factory) / "films"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def made(film_folder: Path) -> Callable[[Film], Path]:
    return lambda film: make_film(film, film_folder)
