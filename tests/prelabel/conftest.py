"""A family that reads the tiny graphs, known to the program as its own are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tiny_graphs import FAMILY
from workstation.prelabel import families


@pytest.fixture
def bright_family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The family ``bright-box``."""
    folder = tmp_path_factory.mktemp("families")
    (folder / "bright_box.py").write_text(FAMILY, encoding="utf-8")
    families.__path__.append(str(folder))
    families.families.cache_clear()
    yield
    families.__path__.remove(str(folder))
    families.families.cache_clear()
    sys.modules.pop("workstation.prelabel.families.bright_box", None)
    if hasattr(families, "bright_box"):
        del families.bright_box


@pytest.fixture
def models_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for models, settings and verdicts, and no graphics card to be seen."""
    home = tmp_path / "home"
    monkeypatch.setenv("WORKSTATION_HOME", str(home))
    monkeypatch.delenv("WORKSTATION_MODELS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return home
