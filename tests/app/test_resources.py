from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workstation.app.resources import bundled_plugins_folder, resource, resources_folder
from workstation.core.errors import UserError

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_checkout_finds_the_folders_beside_the_package() -> None:
    assert resources_folder() == ROOT / "resources"
    assert bundled_plugins_folder() == ROOT / "plugins"
    assert resource("manual", "index.md").read_text(encoding="utf-8").startswith("# Manual")


def test_a_missing_resource_says_what_to_do() -> None:
    with pytest.raises(UserError, match="no-such-file.*install it again"):
        resource("no-such-file")


def where_found(parent: Path) -> str:
    text = "from workstation.app.resources import resources_folder as f\nprint(f())"
    command = [sys.executable, "-c", text]
    result = subprocess.run(command, cwd=parent, capture_output=True, text=True, timeout=60, check=False)
    return result.stdout.strip() or result.stderr


def copy_package(to: Path) -> Path:
    folder = to / "workstation"
    for part in ("__init__.py", "app", "core"):
        source = ROOT / "workstation" / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / part)
    return folder


def test_somebody_elses_resources_folder_is_not_ours(tmp_path: Path) -> None:
    """site-packages may hold a folder of that name that another distribution put there."""
    package = copy_package(tmp_path)
    (tmp_path / "resources").mkdir()
    assert "install the program again" in where_found(tmp_path)
    (package / "resources").mkdir()
    assert Path(where_found(tmp_path)) == package / "resources"
