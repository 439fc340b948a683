"""Real file-systems of a few megabytes for tests: full ones, read-only ones. They need the right to mount.

Permissions do not bind root, so a read-only folder is made by mounting read-only, not by changing modes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

CANNOT_MOUNT = "needs the right to mount a file-system"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@cache
def may_mount() -> bool:
    """Whether this process can mount: root alone does not say so inside a container."""
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("mount") is not None and _probe()


def _probe() -> bool:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        try:
            _run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder)
        except subprocess.CalledProcessError:
            return False
        _run("umount", folder)
    return True


@contextmanager
def small_disk(at: Path, *, size_kib: int = 8192) -> Iterator[Path]:
    """A disk of its own at ``at``, gone afterwards."""
    if not may_mount():
        pytest.skip(CANNOT_MOUNT)
    at.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(at))
    try:
        yield at
    finally:
        _run("umount", "-l", str(at))


def make_read_only(disk: Path) -> None:
    """Turn the disk read-only as a failing drive does; refused while somebody has a file open for writing."""
    _run("mount", "-o", "remount,ro", str(disk))


def make_writable(disk: Path) -> None:
    """Turn it back."""
    _run("mount", "-o", "remount,rw", str(disk))


@contextmanager
def read_only_view(of: Path, at: Path) -> Iterator[Path]:
    """The folder ``of`` seen read-only at ``at``, while ``of`` itself stays as it is."""
    if not may_mount():
        pytest.skip(CANNOT_MOUNT)
    at.mkdir()
    _run("mount", "--bind", str(of), str(at))
    try:
        _run("mount", "-o", "remount,ro,bind", str(at))
        yield at
    finally:
        _run("umount", "-l", str(at))
