"""Writes whole files so that after any failure either the old or the new content is there, and reads bounded ones.

Called by everything that leaves a file behind: mirrors, exports, settings, reports.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from workstation.core.errors import DataError

_NEW_FILE_MODE = 0o666


def write_whole(path: Path, data: bytes | str, *, inside: Path | None = None) -> None:
    """Replace ``path`` by ``data`` at once: the bytes are on the disk before the name points to them.

    A symbolic link is replaced by a plain file, never followed. With ``inside``, a folder on the way that is a link
    leading out of ``inside`` is refused too. Permissions of an existing file are kept. Any failure is an ``OSError``
    (or ``DataError`` for a path that leaves ``inside``) and the old file is untouched.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    if inside is not None:
        _refuse_outside(path, inside)
    mode = _mode_for(path)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".part", dir=path.parent)
    try:
        try:
            _write_all(descriptor, content)
            _set_mode(descriptor, temporary, mode)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """The whole of a plain file of at most ``max_bytes``; larger ones, folders, pipes and devices are a ``DataError``.

    A file that is missing or may not be read is a ``DataError`` as well, since its name came from somewhere.
    """
    try:
        # Non-blocking, so that a pipe put in the file's place cannot hang the program.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error
    except ValueError as error:
        raise DataError(f"is no usable file name: {error}", path=repr(str(path))) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DataError("is not a plain file", path=path)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error
    finally:
        os.close(descriptor)
    if len(data) > max_bytes:
        raise DataError(f"is larger than the {max_bytes:,} bytes allowed", path=path)
    return data


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut, where the system can (Windows cannot, and does it itself)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_outside(path: Path, inside: Path) -> None:
    root = inside.resolve()
    if not path.parent.resolve().is_relative_to(root) or path.name in ("", ".", ".."):
        raise DataError(f"leads out of {inside}; nothing is written there", path=path)


def _mode_for(path: Path) -> int:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return _NEW_FILE_MODE & ~_umask()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(21, "is a folder, not a file", str(path))
    if stat.S_ISREG(found.st_mode):
        return stat.S_IMODE(found.st_mode)
    return _NEW_FILE_MODE & ~_umask()


def _umask() -> int:
    # Linux tells it without changing it; elsewhere it can only be read by setting it, which is not safe with threads.
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _set_mode(descriptor: int, temporary: str, mode: int) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)
    else:
        Path(temporary).chmod(mode)


def sync_file(path: Path) -> None:
    """Make the bytes of a file that somebody else wrote (SQLite, a copy) survive a power cut."""
    # Windows flushes only through a handle that may write; elsewhere reading is enough and cannot change the file.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
