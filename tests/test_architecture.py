"""Import rules that the contracts in ``.importlinter`` cannot say, and proof that the contracts bite."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "workstation"
PACKAGES = (
    "core", "store", "commands", "media", "sync", "synth", "formats", "qa", "prelabel", "app", "cli",
)  # fmt: skip

# A library that only this one module may import, and why the rest must go through it.
SINGLE_PLACES = {
    "sqlite3": ("workstation/store/db.py", "locks, pragmas and recovery are decided once"),
    "yaml": ("workstation/store/yaml.py", "one strict loader for every YAML file"),
    "onnxruntime": ("workstation/prelabel/runtime.py", "a provider is proven before it is believed"),
    "vtkmodules": ("workstation/ui/scenes/vtk_scene.py", "the scene owns its render window and how it is closed"),
}
NEVER = {
    "vtk": "import vtkmodules: vtk loads everything",
    "apsw": "",
    "torch": "",
    "plyfile": "GPL",
    "requests": "offline",
}


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module this file imports anywhere, as it is written."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def test_some_libraries_are_imported_in_one_place_only() -> None:
    wrong = [
        f"{path.relative_to(ROOT).as_posix()} imports {name}"
        for path in modules()
        for name in {module.split(".")[0] for module in imports(path)}
        if name in NEVER or (name in SINGLE_PLACES and path.relative_to(ROOT).as_posix() != SINGLE_PLACES[name][0])
    ]
    assert wrong == []


def test_opencv_is_imported_in_at_most_one_module() -> None:
    places = [path.relative_to(PACKAGE) for path in modules() if any(m.split(".")[0] == "cv2" for m in imports(path))]
    assert len(places) <= 1
    assert all(place.parts[0] in ("media", "sync", "synth", "prelabel") for place in places)


def test_types_are_learned_before_threads_start() -> None:
    """msgspec crashes where two threads learn a type at once: a decoder made at import learns it before."""
    wrong = [f"{path.relative_to(ROOT).as_posix()}:{line}" for path in modules() for line in taught_late(path)]
    assert not wrong, f"make a decoder of the type at the top of the module instead: {', '.join(wrong)}"


def test_a_type_named_in_decode_is_found(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text("msgspec.json.decode(data, type=list[_Row])\nmsgspec.json.decode(data, type=dict)\n")
    assert list(taught_late(path)) == [1]


def taught_late(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "decode":
            given = [keyword.value for keyword in node.keywords if keyword.arg == "type"]
            names = [each.id for value in given for each in ast.walk(value) if isinstance(each, ast.Name)]
            if any(name.lstrip("_")[:1].isupper() for name in names):
                yield node.lineno


def test_core_imports_only_the_standard_library_numpy_and_msgspec() -> None:
    allowed = sys.stdlib_module_names | {"numpy", "msgspec", "workstation"}
    wrong = [
        f"{path.name} imports {module}"
        for path in sorted((PACKAGE / "core").rglob("*.py"))
        for module in imports(path)
        if module.split(".")[0] not in allowed
    ]
    assert wrong == []


def test_a_pane_imports_no_other_pane() -> None:
    """The modules of one pane share the word before the first underscore: ``camera.py``, ``camera_view.py``."""
    panes = "workstation.ui.panes."
    wrong = [
        f"{path.name} imports {module}"
        for path in sorted((PACKAGE / "ui" / "panes").glob("*.py"))
        for module in imports(path)
        if module.startswith(panes) and family(module[len(panes) :]) not in ("base", family(path.stem))
    ]
    assert wrong == []


def family(module: str) -> str:
    return module.split(".", maxsplit=1)[0].split("_", maxsplit=1)[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_without_the_window_loads_neither_qt_nor_vtk(package: str) -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((PACKAGE / package).rglob("*.py"))
    ]
    heavy = "('PySide6', 'shiboken6', 'vtkmodules', 'vtk', 'pyqtgraph')"
    text = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
    assert run_python(text + f"print([name for name in {heavy} if name in sys.modules])") == "[]"


def run_python(text: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "workstation", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in result.stderr.splitlines() if "|" in line}
    assert "click" in loaded
    heavy = {"PySide6", "vtkmodules", "cv2", "onnxruntime", "scipy", "pyarrow", "av", "numpy", "sqlite3", "yaml", "PIL"}
    assert loaded & heavy == set()


def copy_with(tmp_path: Path, module: str, line: str) -> Path:
    """A copy of the tree with one import added, for a contract to find."""
    shutil.copytree(PACKAGE, tmp_path / "workstation", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    target = tmp_path / "workstation" / module
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    return subprocess.run(
        [*program, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )


def test_the_contracts_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("core/__init__.py", "import workstation.store", "core imports"),
        ("store/__init__.py", "import workstation.app.resources", "store imports core"),
        ("commands/__init__.py", "import workstation.media", "commands import"),
        ("qa/__init__.py", "import workstation.store", "do not reach into the store"),
        ("media/__init__.py", "import workstation.qa", "independent of each other"),
        ("sync/__init__.py", "import workstation.app", "know neither each other"),
        ("synth/__init__.py", "import workstation.qa", "synth imports"),
        ("prelabel/__init__.py", "import workstation.formats", "prelabel imports"),
        ("app/__init__.py", "import workstation.cli", "app knows neither"),
        ("cli/__init__.py", "import workstation.ui", "cli imports app"),
        ("ui/__init__.py", "import sqlite3", "ui imports app"),
        ("app/__init__.py", "import PySide6.QtCore", "only ui imports Qt"),
        ("store/__init__.py", "import cv2", "touch neither OpenCV"),
    ],
)
def test_each_contract_bites(tmp_path: Path, module: str, line: str, contract: str) -> None:
    result = lint(copy_with(tmp_path, module, line))
    assert result.returncode == 1
    broken = [text for text in result.stdout.splitlines() if re.search(r" BROKEN( \(\d+ ignored imports?\))?$", text)]
    assert any(contract in text for text in broken), result.stdout
