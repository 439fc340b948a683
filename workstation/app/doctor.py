"""What this machine has and lacks, in plain words, and how to mend it.

Called by ``workstation doctor`` and by the window's help menu. Changes nothing, never raises: a check that fails in a
way nobody foresaw is reported as a check. Each check is one function; ``CHECKS`` is the list.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from workstation import __version__
from workstation.app import doctor_probes as probes
from workstation.app import system_libraries as libraries
from workstation.app.folders import state_folder, user_plugins_folder, usual_projects_folder
from workstation.app.log import LOG_FILE
from workstation.app.resources import resources_folder
from workstation.app.settings import read_settings, settings_path
from workstation.core.errors import UserError
from workstation.store.lock import can_lock

_GB = 1_000_000_000
_ON_LINUX = platform.system() == "Linux"
# Renderers that compute every pixel on the processor.
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "gdi generic", "microsoft basic render")

# What has to be installed, and what does not work without it. A test holds it to the project's dependencies.
DISTRIBUTIONS: Mapping[str, str] = {
    "PySide6-Essentials": "the window", "pyqtgraph": "plots and timelines", "vtk": "3-D views", "numpy": "everything",
    "scipy": "signals and geometry", "opencv-python": "images", "av": "video", "pillow": "images",
    "soundfile": "sound files", "soxr": "sound at other rates", "sounddevice": "playing sound", "pyarrow": "tables",
    "laspy": "LAS point clouds", "lazrs": "LAZ point clouds", "python-neo-lzf": "packed PCD clouds", "pydicom": "DICOM",
    "pylibjpeg": "compressed DICOM", "pylibjpeg-openjpeg": "compressed DICOM", "pypdfium2": "PDF",
    "shapely": "polygons", "onnxruntime": "models", "msgspec": "everything", "fastjsonschema": "checking imports",
    "pyyaml": "everything", "platformdirs": "everything", "click": "the command line",
}  # fmt: skip
# Distributions of which exactly one may be installed, because they share a folder and destroy each other.
RIVALS: Mapping[str, tuple[str, ...]] = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"),
    "opencv-python": (
        "opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless",
    ),
}  # fmt: skip

Installed = Callable[[str], str | None]


class State(StrEnum):
    """``lack`` is for what is needed; ``note`` for what may be absent."""

    OK = "ok"
    NOTE = "note"
    LACK = "lack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. ``mend`` is what to type or do, empty when nothing is wrong."""

    name: str
    state: State
    summary: str
    mend: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def examine(folder: Path | None = None, *, ask: probes.Ask = probes.ask_child) -> tuple[Check, ...]:
    """Every check, in the order of ``CHECKS``; the slow ones wait for their child processes side by side."""
    place = usual_projects_folder() if folder is None else folder
    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="doctor") as pool:
        return tuple(pool.map(lambda entry: _guarded(entry[0], entry[1], place, ask), CHECKS))


def nothing_needed_is_missing(checks: tuple[Check, ...]) -> bool:
    """Whether the program can do its work here."""
    return all(check.state is not State.LACK for check in checks)


def _guarded(name: str, check: Callable[[Path, probes.Ask], Check], folder: Path, ask: probes.Ask) -> Check:
    try:
        return check(folder, ask)
    except Exception as error:  # noqa: BLE001 - whoever asks what is wrong must get an answer, whatever is wrong
        return Check(name=name, state=State.LACK, summary=f"could not be examined: {type(error).__name__}: {error}")


def check_python(_folder: Path, _ask: probes.Ask) -> Check:
    """The interpreter."""
    bits = 64 if sys.maxsize > 2**32 else 32
    summary = f"{platform.python_version()}, {bits} bit, on {platform.platform(terse=True)}, in {sys.prefix}"
    if bits != 64:
        return Check(
            name="Python", state=State.LACK, summary=summary, mend="Install a 64-bit Python 3.11, 3.12 or 3.13."
        )
    if sys.version_info >= (3, 14):
        mend = "The program is tested with 3.11, 3.12 and 3.13; use one of these if something fails."
        return Check(name="Python", state=State.NOTE, summary=summary, mend=mend)
    return Check(name="Python", state=State.OK, summary=summary)


def installed_version(distribution: str) -> str | None:
    """The version, or None where it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_packages(_folder: Path, _ask: probes.Ask, installed: Installed = installed_version) -> Check:
    """That everything is there which the program was installed with, and no version that is known to crash."""
    versions = {name: installed(name) for name in DISTRIBUTIONS}
    for name, rivals in RIVALS.items():
        versions[name] = next((found for rival in rivals if (found := installed(rival))), None)
    absent = [name for name, version in versions.items() if version is None]
    qt = versions["PySide6-Essentials"]
    if absent:
        losses = "; ".join(f"{name} is missing (for {DISTRIBUTIONS[name]})" for name in absent)
        return Check(name="Packages", state=State.LACK, summary=losses, mend=_pip_install(*absent), facts=versions)
    if qt is not None and sys.version_info < (3, 12) and _numbers(qt) >= (6, 12):
        summary = f"PySide6 {qt} crashes Python {platform.python_version()} after some hundred calls"
        mend = _pip_install("PySide6-Essentials>=6.10,<6.12")
        return Check(name="Packages", state=State.LACK, summary=summary, mend=mend, facts=versions)
    return Check(name="Packages", state=State.OK, summary=f"all {len(versions)} are installed", facts=versions)


def check_opencv(_folder: Path, ask: probes.Ask, installed: Installed = installed_version) -> Check:
    """That one OpenCV is installed, and imports."""
    return _check_one_of("OpenCV", "opencv-python", probes.OPENCV, ask, installed)


def check_models(_folder: Path, ask: probes.Ask, installed: Installed = installed_version) -> Check:
    """That one model runtime is installed, and which processors it was built for."""
    check = _check_one_of("Models", "onnxruntime", probes.MODELS, ask, installed)
    if check.state is not State.OK:
        return check
    names = [str(name).removesuffix("ExecutionProvider") for name in check.facts.get("providers", [])]
    summary = f"onnxruntime {check.facts.get('version')}, built for {', '.join(names)}"
    if set(names) <= {"CPU", "Azure"}:
        summary += "; models run on the processor"
    else:
        summary += "; what a model really runs on is tried when it is loaded"
    return Check(name="Models", state=State.OK, summary=summary, facts=check.facts)


def _check_one_of(name: str, wanted: str, program: str, ask: probes.Ask, installed: Installed) -> Check:
    there = [rival for rival in RIVALS[wanted] if installed(rival) is not None]
    if len(there) > 1:
        keep = next((rival for rival in there if rival.endswith("-gpu")), wanted)
        mend = f"pip uninstall --yes {' '.join(there)} && pip install --force-reinstall --no-deps {keep}"
        summary = f"{' and '.join(there)} are both installed and destroy each other; one may stay"
        return Check(name=name, state=State.LACK, summary=summary, mend=mend, facts={"installed": there})
    if not there:
        return Check(name=name, state=State.LACK, summary=f"{wanted} is missing", mend=_pip_install(wanted))
    answer = ask(program)
    if answer.fault:
        mend = f"pip install --force-reinstall --no-deps {there[0]}"
        summary = f"{there[0]} is installed but does not work: {answer.fault}"
        return Check(name=name, state=State.LACK, summary=summary, mend=mend)
    summary = f"{there[0]} {answer.facts.get('version')}"
    return Check(name=name, state=State.OK, summary=summary, facts=answer.facts)


def check_system_libraries(_folder: Path, _ask: probes.Ask) -> Check:
    """What a window and 3-D views need from the operating system."""
    name = "System libraries"
    lacking = libraries.missing([libraries.Purpose.DRAWING, libraries.Purpose.WINDOW])
    if not lacking:
        return Check(name=name, state=State.OK, summary="all that windows and 3-D views need")
    here = libraries.family()
    # Without a display no window will open here, and what only a window needs is not missed.
    needed = _display_is_named() or any(need.purpose is libraries.Purpose.DRAWING for need in lacking)
    parts = (f"{need.name} (package {need.package(here)}, for {need.purpose})" for need in lacking)
    return Check(
        name=name,
        state=State.LACK if needed else State.NOTE,
        summary="missing: " + ", ".join(parts),
        mend=libraries.install_command(lacking, here),
        facts={"missing": [need.name for need in lacking], "packages": list(libraries.packages(lacking, here))},
    )


def check_display(_folder: Path, ask: probes.Ask) -> Check:
    """Whether a window could open."""
    if not _display_is_named():
        mend = "On a machine with a screen, start it from the desktop; the command line needs none."
        return Check(name="Display", state=State.NOTE, summary="none: no window can open here", mend=mend)
    if libraries.missing([libraries.Purpose.DRAWING, libraries.Purpose.WINDOW]):
        return Check(name="Display", state=State.NOTE, summary="not tried: see System libraries")
    answer = ask(probes.DISPLAY)
    if answer.fault:
        mend = "Log in on the desktop, or check that DISPLAY names a running X server. QT_DEBUG_PLUGINS=1 tells more."
        return Check(name="Display", state=State.LACK, summary=f"no window can open: {answer.fault}", mend=mend)
    facts = answer.facts
    summary = (
        f"{facts['width']} × {facts['height']} at {facts['scale']:g}, {facts['screens']} screen(s), {facts['platform']}"
    )
    return Check(name="Display", state=State.OK, summary=summary, facts=facts)


def check_opengl(_folder: Path, ask: probes.Ask) -> Check:
    """What draws 3-D views; never tried where its libraries are missing, because VTK then crashes without a word."""
    if libraries.missing([libraries.Purpose.DRAWING]):
        summary = "not tried: its libraries are missing, see System libraries"
        return Check(name="OpenGL", state=State.LACK, summary=summary, mend="Mend System libraries first.")
    answer = ask(probes.OPENGL)
    if answer.fault:
        mend = _opengl_mend()
        return Check(name="OpenGL", state=State.LACK, summary=f"3-D views cannot be drawn: {answer.fault}", mend=mend)
    facts = answer.facts
    if facts.get("pixel") != [255, 0, 0]:
        summary = f"{facts.get('renderer')} draws wrong pictures: red came back as {facts.get('pixel')}"
        return Check(name="OpenGL", state=State.LACK, summary=summary, mend=_opengl_mend(), facts=facts)
    renderer = str(facts.get("renderer") or "unnamed renderer")
    slow = any(word in renderer.lower() for word in _SOFTWARE)
    summary = f"{renderer}, OpenGL {facts.get('version')}" + (
        "; drawn by the processor, no graphics card" if slow else ""
    )
    return Check(name="OpenGL", state=State.OK, summary=summary, facts={**facts, "software": slow})


def _opengl_mend() -> str:
    if _ON_LINUX:
        names = {"debian": "libgl1-mesa-dri libegl1", "fedora": "mesa-dri-drivers mesa-libEGL", "arch": "mesa"}
        package = names.get(libraries.family(), "the Mesa OpenGL drivers")
        return f"Install or renew the graphics driver; for drawing by the processor: {package}"
    return "Install the graphics card maker's driver; a remote desktop may offer too old an OpenGL (3.2 is needed)."


def check_sound(_folder: Path, ask: probes.Ask) -> Check:
    """Three states: no library, no device, works. The program works without sound, so none of them is a lack."""
    answer = ask(probes.SOUND)
    if answer.fault:
        return Check(
            name="Sound",
            state=State.NOTE,
            summary=f"cannot be played: {answer.fault}",
            mend=_pip_install("sounddevice"),
        )
    if not answer.facts["library"]:
        lacking = [need for need in libraries.LINUX_NEEDS if need.purpose is libraries.Purpose.SOUND]
        mend = libraries.install_command(lacking, libraries.family())
        if not _ON_LINUX:
            mend = "pip install --force-reinstall --no-deps sounddevice"
        return Check(
            name="Sound", state=State.NOTE, summary="no library: nothing is heard", mend=mend, facts=answer.facts
        )
    if not answer.facts["outputs"]:
        mend = "Connect a loudspeaker or headphones and see that the system's sound settings list them."
        return Check(
            name="Sound", state=State.NOTE, summary="no device: nothing is heard", mend=mend, facts=answer.facts
        )
    usual = answer.facts["usual"] or answer.facts["outputs"][0]
    return Check(name="Sound", state=State.OK, summary=f"plays on {usual}", facts=answer.facts)


def check_disk(folder: Path, _ask: probes.Ask) -> Check:
    """Free space where projects go."""
    there = next((parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists()), Path.cwd())
    free = shutil.disk_usage(there).free
    summary = f"{free / _GB:.1f} GB free in {folder}"
    facts = {"free_bytes": free, "folder": str(folder)}
    if free < _GB:
        mend = "Make room: a full disk stops saving. A project's folder cache may be deleted at any time."
        return Check(name="Disk", state=State.LACK, summary=summary, mend=mend, facts=facts)
    state, mend = (State.NOTE, "Proxies of video may need several GB.") if free < 10 * _GB else (State.OK, "")
    return Check(name="Disk", state=state, summary=summary, mend=mend, facts=facts)


def check_locks(folder: Path, _ask: probes.Ask) -> Check:
    """Takes a real lock in the folder: without one, two programs could write to one project."""
    facts = {"folder": str(folder)}
    if not folder.is_dir():
        mend = "Name a folder that exists: workstation doctor --folder FOLDER"
        return Check(name="Locks", state=State.LACK, summary=f"{folder} is not a folder", mend=mend, facts=facts)
    problem = can_lock(folder)
    if problem is not None:
        mend = "Keep projects on a disk of this machine, or have the network drive exported with locking."
        return Check(name="Locks", state=State.LACK, summary=problem, mend=mend, facts=facts)
    return Check(name="Locks", state=State.OK, summary=f"a project in {folder} can be locked", facts=facts)


def check_plugins(_folder: Path, ask: probes.Ask) -> Check:
    """Which plug-ins load; in a child process, because it is other people's code."""
    answer = ask(probes.PLUGINS)
    facts = {**answer.facts, "folder": str(user_plugins_folder())}
    if answer.fault:
        summary = f"a plug-in brings the program down: {answer.fault}"
        mend = f"Move the folders in {user_plugins_folder()} away, one after the other."
        return Check(name="Plug-ins", state=State.LACK, summary=summary, mend=mend, facts=facts)
    found = ", ".join(answer.facts["plugins"]) or "none"
    if answer.facts["problems"]:
        summary = f"{found}; left out: " + "; ".join(answer.facts["problems"])
        mend = "Mend or remove the folders named; the program works without them."
        return Check(name="Plug-ins", state=State.NOTE, summary=summary, mend=mend, facts=facts)
    return Check(
        name="Plug-ins", state=State.OK, summary=f"{found} (your own go into {user_plugins_folder()})", facts=facts
    )


def check_program(_folder: Path, _ask: probes.Ask) -> Check:
    """That the program's own files came with it."""
    lacking = [
        name for name in ("constraints.txt", "changelog.md", "manual") if not (resources_folder() / name).exists()
    ]
    summary = f"Workstation {__version__}, its files in {resources_folder()}"
    if lacking:
        mend = "The installation is not complete; install the program again."
        return Check(name="Program", state=State.LACK, summary=f"{summary}; missing: {', '.join(lacking)}", mend=mend)
    return Check(name="Program", state=State.OK, summary=summary)


def check_settings(_folder: Path, _ask: probes.Ask) -> Check:
    """That the user's choices can be read, and where the log is."""
    where = f"settings in {settings_path()}, log in {state_folder() / LOG_FILE}"
    try:
        read_settings()
    except UserError as problem:
        return Check(name="Settings", state=State.NOTE, summary=f"the usual ones are used; {where}", mend=str(problem))
    return Check(name="Settings", state=State.OK, summary=where)


def _display_is_named() -> bool:
    if not _ON_LINUX:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _pip_install(*names: str) -> str:
    try:
        constraint = f'--constraint "{resources_folder() / "constraints.txt"}" '
    except UserError:
        constraint = ""
    quoted = " ".join(f'"{name}"' if set(name) & set("<>=") else name for name in names)
    return f"pip install {constraint}{quoted}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


CHECKS: tuple[tuple[str, Callable[[Path, probes.Ask], Check]], ...] = (
    ("Program", check_program),
    ("Python", check_python),
    ("Packages", check_packages),
    ("System libraries", check_system_libraries),
    ("Display", check_display),
    ("OpenGL", check_opengl),
    ("Sound", check_sound),
    ("Models", check_models),
    ("OpenCV", check_opencv),
    ("Disk", check_disk),
    ("Locks", check_locks),
    ("Plug-ins", check_plugins),
    ("Settings", check_settings),
)
