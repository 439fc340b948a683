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
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)).body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All of them at any depth; no expression can hold an import, and there are twenty times as many."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, part, []))
        for branch in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            yield from _statements(branch.body)


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
    text = path.read_text(encoding="utf-8")
    if "decode" not in text:
        return
    for node in ast.walk(ast.parse(text, filename=str(path))):
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


def test_packages_without_the_window_load_neither_qt_nor_vtk() -> None:
    """One package after the other in one fresh interpreter; the first to load one of them is named."""
    heavy = "('PySide6', 'shiboken6', 'vtkmodules', 'vtk', 'pyqtgraph')"
    text = "import importlib, sys\n"
    for package in PACKAGES:
        names = [
            ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for path in sorted((PACKAGE / package).rglob("*.py"))
        ]
        assert names
        text += f"for name in {names!r}: importlib.import_module(name)\n"
        text += f"print({package!r}, [name for name in {heavy} if name in sys.modules])\n"
    assert run_python(text).splitlines() == [f"{package} []" for package in PACKAGES]


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


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    return subprocess.run(
        [*program, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )


def test_the_contracts_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


FORBIDDEN = (
    ("core", "workstation.store", "core imports"),
    ("store", "workstation.app.resources", "store imports core"),
    ("commands", "workstation.media", "commands import"),
    ("qa", "workstation.store", "do not reach into the store"),
    ("media", "workstation.qa", "independent of each other"),
    ("sync", "workstation.app", "know neither each other"),
    ("synth", "workstation.qa", "synth imports"),
    ("prelabel", "workstation.formats", "prelabel imports"),
    ("app", "workstation.cli", "app knows neither"),
    ("cli", "workstation.ui", "cli imports app"),
    ("ui", "sqlite3", "ui imports app"),
    ("app", "PySide6.QtCore", "only ui imports Qt"),
    ("store", "cv2", "touch neither OpenCV"),
)
"""A package, what it is made to import, and words of the contract that must say so."""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is said under each broken contract about a tree with all those imports."""
    folder = tmp_path_factory.mktemp("broken")
    shutil.copytree(PACKAGE, folder / "workstation", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", folder)
    for package, imported, _ in FORBIDDEN:
        with (folder / "workstation" / package / "__init__.py").open("a", encoding="utf-8") as file:
            file.write(f"\nimport {imported}\n")
    result = lint(folder)
    assert result.returncode == 1
    _, _, report = result.stdout.partition("Broken contracts")
    parts = re.split(r"^(\S.*)\n-{3,}\n", report, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(("package", "imported", "contract"), FORBIDDEN)
def test_each_contract_bites(broken: dict[str, str], package: str, imported: str, contract: str) -> None:
    """By the import itself, not by one that another line of the same tree brought along."""
    (said,) = [text for title, text in broken.items() if contract in title]
    place = re.escape(imported.removesuffix(".QtCore"))
    assert re.search(rf"^- +workstation\.{package} -> {place}\S* \(l\.\d+\)$", said, re.MULTILINE), said
