"""Which libraries of the operating system the program needs, and what each system calls their packages.

Called by ``doctor`` and, before any package is installed, by the script that builds the environment.
So it imports nothing but the standard library, and nothing of ours.
"""

from __future__ import annotations

import ctypes
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Purpose(StrEnum):
    """What stops working without the library."""

    DRAWING = "drawing"
    WINDOW = "window"
    SOUND = "sound"
    TESTS = "tests"


class Family(StrEnum):
    """Systems that share package names and a package client."""

    DEBIAN = "debian"
    FEDORA = "fedora"
    ARCH = "arch"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One shared library (``libX.so.N``) or program, and the package that brings it."""

    name: str
    purpose: Purpose
    debian: str
    fedora: str
    arch: str
    program: bool = False

    def package(self, family: Family) -> str:
        """The package's name there; on a system we do not know, the library's own name."""
        names = {Family.DEBIAN: self.debian, Family.FEDORA: self.fedora, Family.ARCH: self.arch}
        return names.get(family, self.name)


def _need(purpose: Purpose, name: str, debian: str, fedora: str, arch: str, *, program: bool = False) -> Need:
    return Need(name=name, purpose=purpose, debian=debian, fedora=fedora, arch=arch, program=program)


LINUX_NEEDS: tuple[Need, ...] = (
    _need(Purpose.DRAWING, "libglib-2.0.so.0", "libglib2.0-0", "glib2", "glib2"),
    _need(Purpose.DRAWING, "libGL.so.1", "libgl1", "libglvnd-glx", "libglvnd"),
    _need(Purpose.DRAWING, "libEGL.so.1", "libegl1", "libglvnd-egl", "libglvnd"),
    _need(Purpose.DRAWING, "libX11.so.6", "libx11-6", "libX11", "libx11"),
    _need(Purpose.DRAWING, "libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "dbus"),
    _need(Purpose.DRAWING, "libfontconfig.so.1", "libfontconfig1", "fontconfig", "fontconfig"),
    _need(Purpose.DRAWING, "libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    _need(Purpose.WINDOW, "libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    _need(Purpose.WINDOW, "libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    _need(Purpose.WINDOW, "libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    _need(Purpose.WINDOW, "libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb"),
    _need(Purpose.WINDOW, "libxcb-xkb.so.1", "libxcb-xkb1", "libxcb", "libxcb"),
    _need(Purpose.WINDOW, "libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    _need(
        Purpose.WINDOW, "libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"
    ),
    _need(Purpose.WINDOW, "libxcb-image.so.0", "libxcb-image0", "xcb-util-image", "xcb-util-image"),
    _need(Purpose.SOUND, "libportaudio.so.2", "libportaudio2", "portaudio", "portaudio"),
    _need(Purpose.TESTS, "Xvfb", "xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb", program=True),
    _need(Purpose.TESTS, "xauth", "xauth", "xorg-x11-xauth", "xorg-xauth", program=True),
)


def present(need: Need) -> bool:
    """True when the program is on the path, or the loader finds the library and everything it needs in turn."""
    if need.program:
        return shutil.which(need.name) is not None
    try:
        ctypes.CDLL(need.name)
    except OSError:
        return False
    return True


def missing(
    purposes: Iterable[Purpose], *, platform: str = sys.platform, probe: Callable[[Need], bool] = present
) -> tuple[Need, ...]:
    """What this machine lacks for these purposes. Windows and macOS bring all of it themselves."""
    if not platform.startswith("linux"):
        return ()
    wanted = frozenset(purposes)
    return tuple(need for need in LINUX_NEEDS if need.purpose in wanted and not probe(need))


def family(os_release: Mapping[str, str] | None = None) -> Family:
    """Which names to use on this system."""
    fields = read_os_release() if os_release is None else os_release
    words = [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]
    known = {
        "debian": Family.DEBIAN,
        "ubuntu": Family.DEBIAN,
        "fedora": Family.FEDORA,
        "rhel": Family.FEDORA,
        "centos": Family.FEDORA,
        "arch": Family.ARCH,
    }
    return next((known[word] for word in words if word in known), Family.OTHER)


def read_os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """The fields of the file by which a Linux system names itself; empty where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def packages(needs: Iterable[Need], on: Family) -> tuple[str, ...]:
    """Package names, each once, in the table's order."""
    return tuple(dict.fromkeys(need.package(on) for need in needs))


def install_command(needs: Iterable[Need], on: Family) -> str:
    """The words to type; where we do not know the package client, the libraries by name."""
    names = " ".join(packages(needs, on))
    clients = {
        Family.DEBIAN: "sudo apt-get install ",
        Family.FEDORA: "sudo dnf install ",
        Family.ARCH: "sudo pacman -S ",
    }
    return clients.get(on, "install the packages that bring: ") + names
