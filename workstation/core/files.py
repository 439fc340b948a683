"""Write whole files so that a crash leaves the old file or the new one, never a piece of either.

Called by the mirrors, the backups and every export.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from workstation.core.errors import DataError


def write_whole(path: Path, data: bytes) -> None:
    """Replace ``path`` by a file holding ``data``. A symbolic link is replaced, not followed.

    The new bytes are on the disk before the name points at them, and the name is on the disk on return.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fchmod(out.fileno(), _mode_for(path))
            os.fsync(out.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable. Windows does so by itself and cannot open folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the bytes of ``path`` durable."""
    # Windows flushes only through a handle that may write; everywhere else reading is enough and never changes a file.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_bounded(path: Path, *, limit: int) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes. Links, folders, pipes and devices raise ``DataError``."""
    # O_NONBLOCK: opening a pipe nobody writes to must not hang the program.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if path.is_symlink():
        raise DataError("is a symbolic link; put the file itself there", path=path)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path=path) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DataError("is not a regular file", path=path)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise DataError(f"is larger than the {limit:,} bytes allowed here", path=path)
    return data


def _mode_for(path: Path) -> int:
    """Keep the mode of what is replaced; a new file gets what the person's umask gives."""
    try:
        return stat.S_IMODE(path.lstat().st_mode) if not path.is_symlink() else _new_file_mode()
    except FileNotFoundError:
        return _new_file_mode()


def _new_file_mode() -> int:
    mask = os.umask(0o077)  # the only way to read the umask is to set it
    os.umask(mask)
    return 0o666 & ~mask
