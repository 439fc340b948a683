"""Where a project lies: its files and folders by name, what may stand there, and whether it was copied.

Called by ``project.py``, ``salvage.py`` and the mirrors.
"""

from __future__ import annotations

import os
import platform
import stat
import struct
from pathlib import Path

import msgspec

from workstation.core.errors import DataError, UserError
from workstation.store.db import APPLICATION_ID, DATABASE_NAME

_MAGIC = b"SQLite format 3\x00"
_HEADER_SIZE = 100
MEDIA_FOLDER = "media"
CACHE_FOLDER = "cache"


class Location(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What tells a project's folder from a copy of it: machine, device, number of the database file, and path."""

    host: str
    device: int
    file: int
    path: str

    def is_same_place(self, other: Location) -> bool:
        """Whether both mean one file. Device numbers may change with a restart and paths with a move, not both."""
        if (self.host, self.file) != (other.host, other.file):
            return False
        return self.device == other.device or self.path == other.path


def location_of(folder: Path) -> Location:
    """Where the project in ``folder`` lies now."""
    status = (folder / DATABASE_NAME).stat()
    return Location(platform.node(), status.st_dev, status.st_ino, str(folder.resolve()))


def encode_location(location: Location) -> str:
    """The text kept in the database."""
    return msgspec.json.encode(location).decode()


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(Location)


def decode_location(text: str) -> Location | None:
    """The location of a kept text; ``None`` for an empty one (a backup, a fresh copy) and for rubbish."""
    try:
        return _READ.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def project_folder(path: Path) -> Path:
    """The folder of the project meant by ``path``: the folder itself or its database. Refuses what is no project."""
    if path.name == DATABASE_NAME and path.is_file() and not path.is_symlink():
        path = path.parent
    if not path.exists():
        raise UserError(f"{path}: there is no such folder")
    if not path.is_dir():
        raise UserError(f"{path}: a project is a folder, and this is a file")
    check_database_file(path)
    return path


def check_database_file(folder: Path) -> None:
    """Refuse a database that is not a plain file of its own, in one sentence."""
    database = folder / DATABASE_NAME
    try:
        status = database.lstat()
    except FileNotFoundError:
        raise UserError(f"{folder}: this folder is no project, it holds no {DATABASE_NAME}") from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path=database) from error
    if stat.S_ISLNK(status.st_mode):
        # Two folders with one database would have two locks and two logs: the surest way to destroy it.
        raise DataError("is a symbolic link; a project's database must lie in its folder", path=database)
    if not stat.S_ISREG(status.st_mode):
        raise DataError("is not a file; move it away", path=database)
    log = _log_of(database)
    if log.exists() and log.stat().st_size > 0:
        return  # a crash while the log was brought home may have torn the first page; SQLite takes it from the log
    if status.st_size == 0:
        raise DataError("is empty; restore a backup, or delete it if the project was never made", path=database)
    _check_header(database, status.st_size)


def _check_header(database: Path, size: int) -> None:
    """Look at the first bytes before SQLite does: opening somebody else's database for writing would change it."""
    try:
        with database.open("rb") as file:
            header = file.read(_HEADER_SIZE)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path=database) from error
    if header[: len(_MAGIC)] != _MAGIC:
        raise DataError(
            "is not a project database; if it was one and is damaged, `workstation salvage` saves what is left",
            path=database,
        )
    (page_size,) = struct.unpack_from(">H", header.ljust(_HEADER_SIZE, b"\0"), 16)
    if size < (65536 if page_size == 1 else page_size) or len(header) < _HEADER_SIZE:
        raise DataError("is damaged: it was cut short; restore a backup or use `workstation salvage`", path=database)
    (application,) = struct.unpack_from(">I", header, 68)
    if application != APPLICATION_ID:
        raise DataError("is a database, but not one of a Workstation project", path=database)


def check_sole_name(folder: Path) -> None:
    """Refuse to write to a database that has a second name: another program may write there with another log."""
    database = folder / DATABASE_NAME
    names = database.stat().st_nlink
    if os.name == "posix" and names > 1:
        raise DataError(
            f"has {names} names (hard links), so two programs could write to it without seeing each other; "
            "copy the folder with real copies, or open it read-only",
            path=database,
        )


def check_closed_whole(database: Path) -> None:
    """Refuse to move a database that was closed but left a log: on a full disk SQLite cannot bring the log home."""
    if _log_of(database).exists():
        raise UserError(f"{database.parent}: the disk is full, the new project could not be finished")


def _log_of(database: Path) -> Path:
    return database.with_name(database.name + "-wal")
