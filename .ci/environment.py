"""Builds the folder ``.venv`` and brings the system packages it needs; called by ``make`` and by ``.ci/run``.

Runs on a bare Python, before anything is installed, so it uses the standard library only.
A stamp over the constraints and the project's dependencies makes every later run free, and independent of a network.
Ends with 2 and says what to do when something cannot be had.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "workstation.stamp"
CONSTRAINTS = ROOT / "resources" / "constraints.txt"
BYTES_NEEDED = 4_000_000_000


class CannotContinueError(Exception):
    """Something only the person at the machine can change; the text says what."""


def main() -> int:
    """Make ready for one of the make targets; 0 when ready, 2 when not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=["demo", "test"], help="what will be run next")
    target = parser.parse_args().target
    try:
        ensure_system_packages(for_tests=target == "test")
        ensure_venv()
    except CannotContinueError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 2
    return 0


def ensure_system_packages(*, for_tests: bool) -> None:
    """Install what is missing when we may; sound is wanted, the rest is needed."""
    libraries = _load_system_libraries()
    purposes = libraries.Purpose
    needed = [purposes.DRAWING, purposes.WINDOW, *([purposes.TESTS] if for_tests else [])]
    lacking = libraries.missing([*needed, purposes.SOUND])
    if not lacking:
        return
    here = libraries.family()
    prefix = _privilege()
    if here is libraries.Family.DEBIAN and prefix is not None:
        _apt_install(prefix, list(libraries.packages(lacking, here)))
        lacking = libraries.missing([*needed, purposes.SOUND])
    command = libraries.install_command(lacking, here)
    if any(need.purpose in needed for need in lacking):
        names = "\n".join(f"  {need.name}  (package {need.package(here)}, for {need.purpose})" for need in lacking)
        raise CannotContinueError(f"This machine lacks:\n{names}\nInstall them, then run make again:\n  {command}")
    if lacking:
        print(f"No sound library, so nothing will be heard. To mend it: {command}")


def ensure_venv() -> None:
    """A virtual environment that holds exactly what the constraints say, built at most once for each set of them."""
    stamp = _stamp()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == stamp and _venv_python().exists():
        return
    free = shutil.disk_usage(ROOT).free
    if free < BYTES_NEEDED:
        raise CannotContinueError(
            f"{ROOT} has {free / 1e9:.1f} GB free; the environment needs {BYTES_NEEDED / 1e9:.0f} GB."
        )
    print(f"Building {VENV} (once; a few minutes and about 2 GB) …", flush=True)
    STAMP.unlink(missing_ok=True)
    _create_venv()
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", str(CONSTRAINTS)]
    # The build backend first, so that building this project needs no isolated environment of its own.
    _install([*install, "--only-binary", ":all:", "hatchling"])
    _install([*install, "--only-binary", ":all:", "--no-build-isolation", "--editable", f"{ROOT}[dev]"])
    STAMP.write_text(stamp, encoding="utf-8")


def _install(arguments: list[str]) -> None:
    if subprocess.run([str(_venv_python()), *arguments], cwd=ROOT, check=False).returncode != 0:
        raise CannotContinueError(
            "The Python packages could not be installed (pip's reason is above). The first run needs a package index, "
            "or a folder of wheels named in PIP_FIND_LINKS with PIP_NO_INDEX=1; later runs need neither."
        )


def _stamp() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    parts = {
        "constraints": CONSTRAINTS.read_text(encoding="utf-8"),
        "project": project["project"],
        "build": project["build-system"],
        "python": sys.version,
        "root": str(ROOT),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _create_venv() -> None:
    if _run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        return
    # Debian's Python comes without venv's second half; try what may be there, cheapest first.
    prefix = _privilege()
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if prefix is not None:
        _apt_install(prefix, [package])
        if _run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
            return
    if (
        _run([sys.executable, "-m", "pip", "--version"])
        and _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)])
        and _run([sys.executable, "-m", "pip", "--python", str(_venv_python()), "install", "--quiet", "pip"])
    ):
        return
    for program in (["virtualenv", "--clear", "--python", sys.executable], ["uv", "venv", "--clear", "--seed"]):
        if shutil.which(program[0]) and _run([*program, str(VENV)]):
            return
    raise CannotContinueError(
        f"{sys.executable} cannot make a virtual environment. Install its venv module, then run make again:\n"
        f"  sudo apt-get install {package}   (other systems: the package that brings Python's venv and ensurepip)"
    )


def _venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _run(command: list[str]) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _privilege() -> list[str] | None:
    """What to put before a command that installs system packages; None when we may not."""
    if not hasattr(os, "geteuid"):
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _run(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    return None


def _apt_install(prefix: list[str], names: list[str]) -> None:
    """Try with the package list at hand, then once more with a new one; the caller looks at what is still missing."""
    if shutil.which("apt-get") is None:
        return
    print(f"Installing system packages: {' '.join(names)}", flush=True)
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    install = [*prefix, *environment, "apt-get", "install", "--yes", "--no-install-recommends", *names]
    if not _run(install) and _run([*prefix, *environment, "apt-get", "update"]):
        _run(install)


def _load_system_libraries() -> ModuleType:
    """The program's own table, read by path: importing the package could want what is not installed yet."""
    path = ROOT / "workstation" / "app" / "system_libraries.py"
    spec = importlib.util.spec_from_file_location("system_libraries", path)
    if spec is None or spec.loader is None:
        raise CannotContinueError(f"{path} is missing: this checkout is not complete.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    raise SystemExit(main())
