"""What the repository holds and does not hold: nothing of one machine, nothing at the top that is out of place."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "Makefile", "workstation", "resources", "plugins", "tests"}
# Written so that this file does not match itself.
MACHINE_WORDS = "pyp[i][.]org|pythonhoste[d]|registry[.]npm[j]s|deb[.]debia[n][.]org|/wor[k]/|/roo[t]/|/far[m]/"


def tracked_files() -> list[Path]:
    """From git; in an unpacked source archive, everything that is no build product."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [p for p in ROOT.rglob("*") if p.is_file() and not {".venv", "__pycache__"} & set(p.relative_to(ROOT).parts)]


def test_top_level_holds_only_what_belongs_there() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked_files()}
    assert {name for name in names if not name.startswith(".")} - TOP_LEVEL == set()
    assert names >= TOP_LEVEL


def test_no_tracked_file_names_a_machine_or_a_package_index() -> None:
    pattern = re.compile(MACHINE_WORDS.encode())
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked_files()
        if (match := pattern.search(path.read_bytes())) and b"\0" not in path.read_bytes()[:8000]
    ]
    assert found == []


def test_the_words_are_found_where_they_stand() -> None:
    assert re.search(MACHINE_WORDS, "see " + "/ro" + "ot/.cache")
    assert re.search(MACHINE_WORDS, "https://" + "pypi." + "org/simple")
    assert not re.search(MACHINE_WORDS, "the workstation, its root and its network")


def test_no_tracked_file_is_huge() -> None:
    assert [path.name for path in tracked_files() if path.stat().st_size > 5_000_000] == []


def constraints() -> list[str]:
    text = (ROOT / "resources" / "constraints.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip()]


def test_constraints_are_exact_and_carry_no_address() -> None:
    shape = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.+]*( ; [a-z_0-9 .'<>=!()]+)?", re.IGNORECASE)
    assert [line for line in constraints() if not shape.fullmatch(line)] == []
    assert "://" not in "\n".join(constraints())


@pytest.mark.parametrize("version", ["3.11.7", "3.12.1", "3.13.0"])
@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_constraints_choose_one_version_of_every_core_dependency(version: str, platform: str) -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    here = {
        "python_version": ".".join(version.split(".")[:2]),
        "python_full_version": version,
        "sys_platform": platform,
        "platform_machine": {"linux": "x86_64", "win32": "AMD64", "darwin": "arm64"}[platform],
    }
    project = read_project()
    wanted = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["dev"]]
    pinned = [Requirement(line) for line in constraints()]
    for want in wanted:
        if want.marker is not None and not want.marker.evaluate(here):
            continue
        pins = [
            pin
            for pin in pinned
            if canonicalize_name(pin.name) == canonicalize_name(want.name)
            and (pin.marker is None or pin.marker.evaluate(here))
        ]
        assert len(pins) == 1, f"{want.name}: {pins}"
        exact = next(iter(pins[0].specifier)).version
        assert want.specifier.contains(exact), f"{want} does not allow {exact}"


def test_no_broken_pyside_is_allowed() -> None:
    """6.12 loses references on Python 3.11; 6.11.0 and 6.11.1 break docks everywhere."""
    from packaging.requirements import Requirement

    rules = [Requirement(text) for text in read_project()["dependencies"] if text.startswith("PySide6")]
    for version, forbidden in [("3.11", ["6.12.0", "6.11.0", "6.11.1"]), ("3.12", ["6.11.0", "6.11.1"])]:
        rule = next(r for r in rules if r.marker is not None and r.marker.evaluate({"python_version": version}))
        assert [v for v in forbidden if rule.specifier.contains(v)] == []
        assert rule.specifier.contains("6.11.3")


def read_project() -> dict[str, list[str] | dict[str, list[str]]]:
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_exactly_one_opencv_is_asked_for() -> None:
    names = [text for text in read_project()["dependencies"] if "opencv" in text]
    assert len(names) == 1
    assert names[0].startswith("opencv-python>")
    assert [line.split("==")[0] for line in constraints() if "opencv" in line] == ["opencv-python"]


def load_sizes() -> object:
    spec = importlib.util.spec_from_file_location("sizes", ROOT / ".ci" / "sizes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_size_check_finds_long_modules_and_functions(tmp_path: Path) -> None:
    folder = tmp_path / "workstation"
    folder.mkdir()
    long_function = "def long():\n" + "    x = 1\n" * 80
    (folder / "a.py").write_text(long_function + "x = 1\n" * 600, encoding="utf-8")
    (folder / "b.py").write_text("def short():\n" + "    x = 1\n" * 79, encoding="utf-8")
    sizes = load_sizes()
    assert len(sizes.complaints(tmp_path, {})) == 2
    allowed = {"workstation/a.py": "why", "workstation/a.py::long": "why"}
    assert sizes.complaints(tmp_path, allowed) == []
    assert len(sizes.complaints(tmp_path, {**allowed, "workstation/b.py": "why"})) == 1


def test_the_script_that_builds_the_environment_needs_nothing_installed() -> None:
    command = [sys.executable, "-I", "-S", str(ROOT / ".ci" / "environment.py"), "--help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
