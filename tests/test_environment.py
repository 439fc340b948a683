"""``make`` on machines that lack something: what it installs, what it says, and that a second run does nothing."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, over a small tree of its own, unable to start any process unless a test lets it."""
    spec = importlib.util.spec_from_file_location("environment", ROOT / ".ci" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources" / "constraints.txt").write_text("click==8.5.1\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\ndependencies = ["click"]\n[build-system]\nrequires = []\n', encoding="utf-8"
    )
    libraries = module._load_system_libraries()
    for name, value in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "STAMP": tmp_path / ".venv" / "stamp",
        "CONSTRAINTS": tmp_path / "resources" / "constraints.txt",
        "BYTES_NEEDED": 0,
        "_load_system_libraries": lambda: libraries,
        "_run": lambda command: False,
        "_install": lambda arguments: pytest.fail(f"must not install {arguments}"),
    }.items():
        monkeypatch.setattr(module, name, value)
    yield module
    sys.modules.pop("system_libraries", None)


def lack(environment: ModuleType, monkeypatch: pytest.MonkeyPatch, *names: str, root: bool) -> list[list[str]]:
    """Make the machine lack these libraries; returns what apt is asked for, which mends the lack."""
    libraries = environment._load_system_libraries()
    lacking = set(names)
    asked: list[list[str]] = []

    def apt(prefix: list[str], packages: list[str]) -> None:
        asked.append(packages)
        lacking.clear()

    monkeypatch.setattr(
        libraries,
        "missing",
        lambda purposes: tuple(n for n in libraries.LINUX_NEEDS if n.name in lacking and n.purpose in set(purposes)),
    )
    monkeypatch.setattr(libraries, "family", lambda: libraries.Family.DEBIAN)
    monkeypatch.setattr(environment, "_apt_install", apt)
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000, raising=False)
    return asked


def test_root_installs_only_what_is_missing(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = lack(environment, monkeypatch, "libGL.so.1", "Xvfb", root=True)
    environment.ensure_system_packages(for_tests=True)
    assert asked == [["libgl1", "xvfb"]]


def test_nothing_missing_installs_nothing(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = lack(environment, monkeypatch, root=True)
    environment.ensure_system_packages(for_tests=True)
    assert asked == []


def test_others_are_told_exactly_what(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = lack(environment, monkeypatch, "libGL.so.1", "Xvfb", root=False)
    with pytest.raises(environment.CannotContinueError) as caught:
        environment.ensure_system_packages(for_tests=True)
    assert "libGL.so.1  (package libgl1, for drawing)" in str(caught.value)
    assert str(caught.value).endswith("sudo apt-get install libgl1 xvfb")
    assert asked == []


def test_the_demo_needs_no_test_programs(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lack(environment, monkeypatch, "Xvfb", root=False)
    environment.ensure_system_packages(for_tests=False)


def test_sound_is_not_needed(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lack(environment, monkeypatch, "libportaudio.so.2", root=False)
    environment.ensure_system_packages(for_tests=True)
    assert "sudo apt-get install libportaudio2" in capsys.readouterr().out


def test_the_whole_script_ends_with_2(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lack(environment, monkeypatch, "Xvfb", root=False)
    monkeypatch.setattr(sys, "argv", ["environment.py", "test"])
    assert environment.main() == 2
    assert "xvfb" in capsys.readouterr().err


def built(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Build once, with the steps recorded instead of done."""
    steps: list[Any] = []

    def create() -> None:
        python = environment._venv_python()
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text("", encoding="utf-8")
        steps.append("created")

    monkeypatch.setattr(environment, "_create_venv", create)
    monkeypatch.setattr(environment, "_install", steps.append)
    environment.ensure_venv()
    return steps


def test_the_second_run_does_nothing(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = built(environment, monkeypatch)
    assert steps[0] == "created"
    assert steps[-1][-1].endswith("[dev]")
    steps.clear()
    environment.ensure_venv()
    with (environment.ROOT / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("[tool.ruff]\nline-length = 100\n")
    environment.ensure_venv()
    assert steps == []


def test_new_constraints_build_anew(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = built(environment, monkeypatch)
    steps.clear()
    environment.CONSTRAINTS.write_text("click==8.5.2\n", encoding="utf-8")
    environment.ensure_venv()
    assert steps[0] == "created"


def test_a_build_that_failed_is_not_taken_for_done(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: list[str]) -> None:
        raise environment.CannotContinueError("no index")

    steps = built(environment, monkeypatch)
    environment.CONSTRAINTS.write_text("click==8.5.2\n", encoding="utf-8")
    monkeypatch.setattr(environment, "_install", fail)
    with pytest.raises(environment.CannotContinueError):
        environment.ensure_venv()
    environment.CONSTRAINTS.write_text("click==8.5.1\n", encoding="utf-8")
    monkeypatch.setattr(environment, "_install", steps.append)
    steps.clear()
    environment.ensure_venv()
    assert steps[0] == "created"


def test_a_python_without_venv_gets_pip_from_outside(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lack(environment, monkeypatch, root=False)
    done: list[list[str]] = []

    def run(command: list[str]) -> bool:
        done.append(command)
        return "venv" not in command or "--without-pip" in command

    monkeypatch.setattr(environment, "_run", run)
    environment._create_venv()
    assert done[-1][-3:] == ["install", "--quiet", "pip"]


def test_a_python_that_can_make_none_says_what_to_install(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    lack(environment, monkeypatch, root=False)
    with pytest.raises(environment.CannotContinueError, match=r"sudo apt-get install python3\.\d+-venv"):
        environment._create_venv()


def test_a_full_disk_is_named(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "BYTES_NEEDED", 10**18)
    with pytest.raises(environment.CannotContinueError, match="GB free"):
        environment.ensure_venv()
