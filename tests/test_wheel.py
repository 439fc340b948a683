"""The program as people install it: a wheel in an environment of its own, far from any checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = 'id: traveller\nname: Traveller\nversion: "1"\napi: 1\nkinds: [rule]\nmodule: traveller.py\n'

LIST_COMMANDS = """
import click, json, workstation
from workstation.cli.main import cli

def walk(group, prefix=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        yield [*prefix, name]
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from walk(command, (*prefix, name))

print(json.dumps({"package": workstation.__file__, "commands": list(walk(cli))}))
"""

LIST_FILES = """
import json
from workstation.app.plugins import find_plugins, load_plugins
from workstation.app.resources import bundled_plugins_folder, resources_folder
loaded = load_plugins(find_plugins())
print(json.dumps({
    "resources": str(resources_folder()), "plugins": str(bundled_plugins_folder()),
    "loaded": sorted(loaded.modules), "problems": [problem.reason for problem in loaded.found.problems],
}))
"""


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and nothing else of ours."""

    folder: Path
    wheel: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        environment["WORKSTATION_HOME"] = str(self.folder / "home")
        programs = self.folder / ("Scripts" if os.name == "nt" else "bin")
        return subprocess.run(
            [str(programs / command[0]), *command[1:]],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def ask(self, program: str) -> dict[str, object]:
        result = self.run("python", "-c", program)
        assert result.returncode == 0, result.stderr
        answer: dict[str, object] = json.loads(result.stdout)
        return answer


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built from a copy of the tree that has one more plug-in, with tests, so that we see what becomes of both."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    junk = shutil.ignore_patterns("__pycache__")
    for name in ("workstation", "resources", "plugins"):
        shutil.copytree(ROOT / name, tree / name, ignore=junk)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    plugin = tree / "plugins" / "traveller"
    (plugin / "tests").mkdir(parents=True)
    (plugin / "plugin.yaml").write_text(MANIFEST, encoding="utf-8")
    (plugin / "traveller.py").write_text("ARRIVED = True\n", encoding="utf-8")
    (plugin / "tests" / "test_traveller.py").write_text("", encoding="utf-8")
    _checked(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"), cwd=tree)
    (wheel,) = (folder / "dist").glob("*.whl")
    place = folder / "environment"
    _checked(sys.executable, "-m", "venv", "--without-pip", str(place), cwd=folder)
    python = str(place / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    _checked(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", str(wheel),
        cwd=folder,
    )  # fmt: skip
    # The dependencies are borrowed from the environment that runs the tests, so that no network is needed. A path in a
    # .pth file is only looked through for packages: the link to the checkout that lies there is not followed.
    site = _checked(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    (Path(site) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return Installed(folder=place, wheel=wheel)


def _checked(*command: str, cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=200, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_every_command_runs(installed: Installed) -> None:
    answer = installed.ask(LIST_COMMANDS)
    assert Path(str(answer["package"])).is_relative_to(installed.folder)
    names = answer["commands"]
    assert isinstance(names, list)
    assert ["doctor"] in names
    for words in [[], *names]:
        result = installed.run("workstation", *words, "--help")
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("Usage: workstation"), words


def test_doctor_runs_and_finds_its_files(installed: Installed) -> None:
    result = installed.run("workstation", "doctor", "--json", "--folder", str(installed.folder))
    report = json.loads(result.stdout)
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["Program"]["state"] == "ok"
    assert str(installed.folder) in checks["Program"]["summary"]
    assert "traveller 1" in checks["Plug-ins"]["summary"]
    assert result.returncode == (0 if report["ok"] else 1)


def test_python_dash_m_runs(installed: Installed) -> None:
    assert installed.run("python", "-m", "workstation", "--version").stdout.startswith("workstation, version ")


def test_resources_and_plugins_travel(installed: Installed) -> None:
    answer = installed.ask(LIST_FILES)
    assert Path(str(answer["resources"])).is_relative_to(installed.folder)
    assert Path(str(answer["plugins"])).is_relative_to(installed.folder)
    assert answer["problems"] == []
    assert "traveller" in str(answer["loaded"])
    there = {
        path.relative_to(str(answer["resources"])).as_posix() for path in Path(str(answer["resources"])).rglob("*")
    }
    ours = {path.relative_to(ROOT / "resources").as_posix() for path in (ROOT / "resources").rglob("*")}
    assert there >= ours


def test_the_demo_is_made_from_what_travelled(installed: Installed) -> None:
    made = installed.run("workstation", "demo", "drive", "--at", "5.72")
    assert made.returncode == 0, made.stderr
    assert "nothing here (nearest: sweep 55" in made.stdout
    assert installed.run("workstation", "demo", "drive").stdout.startswith("There already:")


def test_tests_stay_out_and_the_licence_goes_in(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = archive.namelist()
    tests = re.compile(r"(^|/)(tests?/|test_[^/]*$|conftest\.py$)")
    assert [name for name in names if tests.search(name)] == []
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "workstation/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"workstation"}
