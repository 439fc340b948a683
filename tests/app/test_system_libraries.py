from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workstation.app.system_libraries import (
    LINUX_NEEDS,
    Family,
    Need,
    Purpose,
    family,
    install_command,
    missing,
    packages,
    present,
    read_os_release,
)  # fmt: skip

# What a bare Debian 12 was found to lack, by installing group after group.
DEBIAN_12 = {
    "libglib2.0-0", "libgl1", "libegl1", "libdbus-1-3", "libfontconfig1", "libxkbcommon0", "libxcb-cursor0",
    "libxcb-icccm4", "libxcb-keysyms1", "libxcb-shape0", "libxcb-xkb1", "libxkbcommon-x11-0", "libxcb-render-util0",
    "libxcb-image0", "libportaudio2", "xvfb", "xauth",
}  # fmt: skip


def nothing(need: Need) -> bool:
    return False


def test_a_bare_debian_is_told_every_package() -> None:
    lacking = missing(Purpose, platform="linux", probe=nothing)
    assert set(packages(lacking, Family.DEBIAN)) >= DEBIAN_12


def test_windows_and_macos_need_nothing() -> None:
    assert missing(Purpose, platform="win32", probe=nothing) == ()
    assert missing(Purpose, platform="darwin", probe=nothing) == ()


def test_only_the_purposes_asked_for_count() -> None:
    assert [need.name for need in missing([Purpose.SOUND], platform="linux", probe=nothing)] == ["libportaudio.so.2"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ID": "debian"}, Family.DEBIAN),
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, Family.DEBIAN),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, Family.DEBIAN),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, Family.FEDORA),
        ({"ID": "manjaro", "ID_LIKE": "arch"}, Family.ARCH),
        ({"ID": "nixos"}, Family.OTHER),
        ({}, Family.OTHER),
    ],
)
def test_the_system_is_recognised(fields: dict[str, str], expected: Family) -> None:
    assert family(fields) is expected


def test_os_release_is_read_with_and_without_quotes(tmp_path: Path) -> None:
    path = tmp_path / "os-release"
    path.write_bytes(b"# a comment\nID=\"fedora\"\nID_LIKE=\nNAME='Fe\xffdora'\nno pair\n")
    assert read_os_release(path)["ID"] == "fedora"
    assert read_os_release(tmp_path / "absent") == {}


def test_one_package_is_named_once() -> None:
    shape_and_xkb = [need for need in LINUX_NEEDS if need.fedora == "libxcb"]
    assert len(shape_and_xkb) == 2
    assert install_command(shape_and_xkb, Family.FEDORA) == "sudo dnf install libxcb"
    assert install_command(shape_and_xkb, Family.ARCH) == "sudo pacman -S libxcb"
    assert "libxcb-shape.so.0" in install_command(shape_and_xkb, Family.OTHER)


def test_the_loader_is_really_asked() -> None:
    name = {"linux": "libc.so.6", "darwin": "libSystem.dylib", "win32": "kernel32.dll"}[sys.platform]
    need = Need(name=name, purpose=Purpose.DRAWING, debian="", fedora="", arch="")
    assert present(need)
    assert not present(Need(name="libnosuch.so.9", purpose=Purpose.DRAWING, debian="", fedora="", arch=""))
    assert not present(Need(name="nosuchprogram", purpose=Purpose.TESTS, debian="", fedora="", arch="", program=True))
