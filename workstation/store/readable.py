"""Where to read a project's database when nothing may be written: a read-only disk, somebody else's folder.

``project.py`` asks before it opens read-only. SQLite can read a database in write-ahead mode only where it may make
its shared index beside it, or where it is promised that the file does not change.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from workstation.core.errors import DataError, UserError
from workstation.core.values import dataclass
from workstation.store.db import DATABASE_NAME

LOG_SUFFIX = "-wal"
INDEX_SUFFIX = "-shm"


@dataclass(frozen=True, slots=True)
class Readable:
    """A database file that can be opened read-only as it stands, with ``immutable`` or without.

    ``temporary`` is a folder to be deleted when the database has been closed.
    """

    database: Path
    immutable: bool = False
    temporary: Path | None = None

    def discard(self) -> None:
        """Delete the temporary copy, if there is one."""
        if self.temporary is not None:
            shutil.rmtree(self.temporary)


def readable_database(folder: Path) -> Readable:
    """How to read the project in ``folder`` without writing into it.

    Where the folder can be written, or a writer's index lies there, SQLite manages by itself. Otherwise the file is
    promised not to change, unless a log with work in it was left: then both are copied to a temporary folder, where
    SQLite may bring them together.
    """
    database = folder / DATABASE_NAME
    log, index = (database.with_name(database.name + suffix) for suffix in (LOG_SUFFIX, INDEX_SUFFIX))
    if os.access(folder, os.W_OK) and os.access(database, os.W_OK):
        return Readable(database)
    try:
        if os.access(log, os.R_OK) and os.access(index, os.R_OK):
            return Readable(database)
        if not index.exists() and (not log.exists() or log.stat().st_size == 0):
            return Readable(database, immutable=True)
        return _copied(database, log)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path=database) from error


def _copied(database: Path, log: Path) -> Readable:
    """Copy the database, then its log: frames for pages that the database has meanwhile got are harmless twice."""
    temporary = Path(tempfile.mkdtemp(prefix="workstation-read-"))
    try:
        free = shutil.disk_usage(temporary).free
        if free < database.stat().st_size:
            raise UserError(
                f"{database}: unfinished work lies in {log.name} and reading it takes a temporary copy, for which "
                f"{temporary.parent} has no space; set TMPDIR to a folder on a larger disk"
            )
        shutil.copyfile(database, temporary / DATABASE_NAME)
        if log.exists():
            shutil.copyfile(log, temporary / log.name)
    except BaseException:
        shutil.rmtree(temporary)
        raise
    return Readable(temporary / DATABASE_NAME, temporary=temporary)
