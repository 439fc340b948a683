"""One writer per project: the operating system's lock decides, the text in the lock file informs.

``project.py`` takes the lock before it opens the database for writing; ``doctor`` asks ``can_lock``.
The lock belongs to an open file, so it ends with the process that holds it, however that ends; a suspended
process keeps it. The file itself is never deleted: a name that comes and goes could be locked twice.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import socket
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded
from workstation.core.values import dataclass
from workstation.core.version import __version__

LOCK_FILE = "project.lock"
_HOLDER_LIMIT = 4096
# Windows locks are mandatory: the locked byte lies far behind the text, so that others can still read who holds it.
_LOCKED_BYTE = 1 << 30
_CANNOT_WRITE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_BUSY = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})
_NETWORK_FILE_SYSTEMS = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.rclone", "fuse.gvfsd-fuse",
    "fuse.s3fs", "davfs", "fuse.davfs2", "vboxsf", "prl_fs", "fuse.vmhgfs-fuse",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has the project open for writing, as far as the lock file says."""

    name: str
    host: str
    pid: int
    since_ms: int
    program: str

    def describe(self) -> str:
        """The holder in words for a message."""
        since = datetime.fromtimestamp(self.since_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        suspended = ", suspended" if self.host == socket.gethostname() and _is_suspended(self.pid) else ""
        return f"{self.name} on {self.host} (process {self.pid}{suspended}, Workstation {self.program}) since {since}"


class LockHeldError(UserError):
    """Somebody else writes to this project; ``holder`` is absent when the lock file does not say who."""

    def __init__(self, folder: Path, holder: Holder | None) -> None:
        self.holder = holder
        who = holder.describe() if holder else "another program that did not leave its name"
        self.why_to_look = f"{who} has it open for writing"
        """Why it is only looked at, for those who look already."""
        super().__init__(
            f"{folder}: the project is open for writing by {who}. "
            "Close it there, or open it read-only here to look at what is stored."
        )


class FolderReadOnlyError(UserError):
    """The folder cannot be written, so nobody can open the project for writing here."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.why_to_look = f"the project's folder cannot be written ({reason})"
        super().__init__(
            f"{folder}: the project folder cannot be written ({reason}). "
            "Open it read-only, or copy it to a folder that you may change."
        )


class LockUnsupportedError(UserError):
    """This file-system has no locks that work, so two writers could damage the project."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"{folder}: this file-system cannot lock files ({reason}), so two programs could write at once. "
            "Copy the project to a local disk and work there; read-only opening is still possible."
        )


class ProjectLock:
    """The right to write to one project folder, held until ``release``."""

    def __init__(self, file: IO[bytes], last_text: bytes) -> None:
        self._file: IO[bytes] | None = file
        self._last_text = last_text

    @classmethod
    def acquire(cls, folder: Path, *, name: str, now_ms: int) -> ProjectLock:
        """Take the lock at once, or raise one of the three errors above."""
        file = _open_lock_file(folder)
        try:
            if not _try_lock(file, folder):
                raise LockHeldError(folder, _parse_holder(_read_text(file)))
            last_text = _read_text(file)
            _write_holder(
                file,
                Holder(name=name, host=socket.gethostname(), pid=os.getpid(), since_ms=now_ms, program=__version__),
            )
        except BaseException:
            file.close()
            raise
        return cls(file, last_text)

    @property
    def held(self) -> bool:
        """Whether the lock has not been given back."""
        return self._file is not None

    @property
    def last_holder_vanished(self) -> bool:
        """Whether whoever had the lock before left without giving it back: a crash, or a power cut."""
        return self._last_text != b""

    def release(self, *, soundly: bool = True) -> None:
        """Give the lock back; a second call does nothing. Unless ``soundly``, the next holder checks the database."""
        if self._file is None:
            return
        file, self._file = self._file, None
        if not soundly:
            file.close()
            return
        # An emptied file tells a curious reader that nobody holds the lock. A full disk cannot stop this, a folder that
        # turned read-only can, and then the name stays behind: it only informs, the lock decides.
        with file, contextlib.suppress(OSError):
            file.truncate(0)

    def __enter__(self) -> ProjectLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def current_holder(folder: Path) -> Holder | None:
    """Who holds the lock now; ``None`` if nobody does or nobody can tell. Changes nothing in the folder."""
    path = folder / LOCK_FILE
    try:
        text = read_bounded(path, _HOLDER_LIMIT)
        with path.open("rb") as file:
            # A shared lock: two curious readers must not take each other for the writer.
            if _try_lock(file, folder, shared=True):
                return None
    except (DataError, OSError, LockUnsupportedError):
        return None
    return _parse_holder(text)


def can_lock(folder: Path) -> str | None:
    """Why a project in ``folder`` could not be locked safely, in one sentence with what to do; ``None`` if it can.

    Both kinds of lock are tried against themselves: ours, and the byte-range locks that SQLite uses.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".lock-probe.", dir=folder)
    except OSError as error:
        return str(FolderReadOnlyError(folder, error.strerror or str(error)))
    try:
        with os.fdopen(handle, "r+b") as first, Path(name).open("r+b") as second:
            if not _try_lock(first, folder):
                return str(LockUnsupportedError(folder, "a lock on a new file was refused"))
            if _try_lock(second, folder):
                return str(LockUnsupportedError(folder, "the same lock was given out twice"))
            problem = _range_lock_problem(first, second)
            if problem:
                return str(LockUnsupportedError(folder, problem))
    except LockUnsupportedError as error:
        return str(error)
    finally:
        Path(name).unlink()
    network = network_file_system(folder)
    if network:
        return (
            f"{folder} lies on a network file-system ({network}): its locks work between programs here, but nobody can "
            "promise them between machines. Work on a local copy and copy the result back."
        )
    return None


def network_file_system(folder: Path) -> str | None:
    """The kind of network file-system ``folder`` lies on, where the system tells (Linux); else ``None``."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        wanted = f"{os.major(folder.stat().st_dev)}:{os.minor(folder.stat().st_dev)}"
    except OSError:
        return None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[2] == wanted:
            kind = after.split()[0]
            return kind if kind in _NETWORK_FILE_SYSTEMS else None
    return None


def _open_lock_file(folder: Path) -> IO[bytes]:
    path = folder / LOCK_FILE
    if path.exists() and not os.access(folder, os.W_OK):
        # The lock file could be opened, but SQLite could not make its log.
        raise FolderReadOnlyError(folder, "no new file can be made in it")
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NONBLOCK", 0)  # a pipe of that name must not hang us
    try:
        return os.fdopen(os.open(path, flags, 0o644), "r+b", buffering=0)
    except OSError as error:
        if error.errno in _CANNOT_WRITE:
            raise FolderReadOnlyError(folder, error.strerror or str(error)) from error
        if error.errno == errno.ENOSPC:
            raise UserError(f"{folder}: the disk is full, so the project cannot be opened for writing") from error
        if error.errno == errno.ELOOP or path.is_symlink():
            raise DataError("is a symbolic link; delete it, the program makes its own", path=path) from error
        raise DataError(f"cannot be opened: {error.strerror}; move it away", path=path) from error


if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
    import msvcrt

    def _try_lock(file: IO[bytes], folder: Path, *, shared: bool = False) -> bool:  # noqa: ARG001
        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in _BUSY:
                return False
            raise LockUnsupportedError(folder, error.strerror or str(error)) from error
        return True

    def _range_lock_problem(first: IO[bytes], second: IO[bytes]) -> str | None:  # noqa: ARG001
        return None  # the same kind of lock as ours

else:
    import fcntl

    def _try_lock(file: IO[bytes], folder: Path, *, shared: bool = False) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _BUSY:
                return False
            raise LockUnsupportedError(folder, error.strerror or str(error)) from error
        return True

    def _range_lock_problem(first: IO[bytes], second: IO[bytes]) -> str | None:
        """Byte-range locks as SQLite takes them. Linux can test them within one process, by open file description."""
        import struct

        command = getattr(fcntl, "F_OFD_SETLK", None)
        if command is None:
            return None
        request = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, _LOCKED_BYTE, 1, 0)
        try:
            fcntl.fcntl(first, command, request)
        except OSError as error:
            return f"byte-range locks are refused: {error.strerror}"
        try:
            fcntl.fcntl(second, command, request)
        except OSError:
            return None
        return "the same byte-range lock was given out twice"


def _read_text(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_HOLDER_LIMIT)


def _write_holder(file: IO[bytes], holder: Holder) -> None:
    """Leave the holder's name. Failing to (a full disk) does not matter for safety, so the lock is kept without."""
    named = dataclasses.replace(holder, name=_printable(holder.name), host=_printable(holder.host))
    with contextlib.suppress(OSError):
        file.truncate(0)
        file.seek(0)
        file.write(msgspec.json.encode(named))


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(Holder)


def _parse_holder(text: bytes) -> Holder | None:
    """The holder, or ``None`` for anything that is not exactly what we write: the file may hold anything."""
    try:
        holder = _READ.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return Holder(
        name=_printable(holder.name),
        host=_printable(holder.host),
        pid=holder.pid,
        since_ms=min(max(holder.since_ms, 0), 1 << 43),
        program=_printable(holder.program),
    )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:200])


def _is_suspended(pid: int) -> bool:
    """Whether the process is stopped (Linux tells; elsewhere the answer is no)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] in (["T"], ["t"])
