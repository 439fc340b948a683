"""The one place that talks to ``sqlite3``: connections with the settings we rely on, and errors in words.

Called by the store, the project folder and their tests; everything else gets a ``Connection`` from here.
Write-ahead log and ``synchronous=FULL``: a commit that returned is on the disk, and readers never wait for the writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from workstation.core.errors import DataError, StoppedError, UserError

Connection = sqlite3.Connection
Cursor = sqlite3.Cursor
DatabaseError = sqlite3.DatabaseError
IntegrityError = sqlite3.IntegrityError
OperationalError = sqlite3.OperationalError

APPLICATION_ID = 0x57534E31
DATABASE_NAME = "project.db"
CACHE_KIB = 65_536
BUSY_SECONDS = 5.0


def connect(path: Path, read_only: bool = False, *, create: bool = False, immutable: bool = False) -> Connection:
    """Open a database file.

    ``immutable`` promises that nobody writes the file meanwhile (a folder without write permission, no log left).
    Only one thread at a time may use the connection; the store holds its callers to that.
    """
    if not create and not path.is_file():
        raise UserError(f"{path} is no project database: there is no such file")
    mode = "ro&immutable=1" if immutable else "ro" if read_only else "rwc" if create else "rw"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_SECONDS,
            cached_statements=512,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise in_words(error, path) from error
    try:
        if not create:
            _check_ours(connection, path)
        _configure(connection, read_only=read_only or immutable)
    except sqlite3.Error as error:
        connection.close()
        raise in_words(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _check_ours(connection: Connection, path: Path) -> None:
    """Before anything is written: an empty file or somebody else's database stays as it is."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise DataError("this file is not the database of a Workstation project", path=path)


def _configure(connection: Connection, *, read_only: bool) -> None:
    execute = connection.execute
    execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    execute("PRAGMA trusted_schema = OFF")
    execute("PRAGMA cell_size_check = ON")
    if read_only:
        execute("PRAGMA query_only = ON")
        return
    execute("PRAGMA journal_mode = WAL")
    execute("PRAGMA synchronous = FULL")


def is_trouble(error: BaseException) -> bool:
    """Whether an error is the disk's, the file's or another program's; a wrong statement is our bug and is not."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.ProgrammingError | sqlite3.IntegrityError | sqlite3.NotSupportedError
    )


def database_file(path: Path) -> Path:
    """The database of a project folder, or ``path`` itself where it names the file."""
    return path / DATABASE_NAME if path.is_dir() else path


def in_words(error: sqlite3.Error, path: Path | str) -> UserError:
    """What a failure of the database means for the person, and what she can do."""
    name = str(getattr(error, "sqlite_errorname", ""))
    if name.startswith("SQLITE_FULL"):
        return UserError(f"the disk that holds {path} is full: nothing was changed; free some space and try again")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return UserError(f"{path} is being written by another program: wait for it or open read-only")
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM")):
        return UserError(f"{path} may not be written: check the permissions of the file and of its folder")
    if name.startswith("SQLITE_CANTOPEN"):
        return UserError(f"{path} cannot be opened: check that it and its folder exist and may be read")
    if name.startswith("SQLITE_IOERR"):
        return UserError(f"reading or writing {path} failed ({error}): check the disk; nothing was changed")
    if name.startswith("SQLITE_NOTADB"):
        return DataError("this file is not the database of a Workstation project", path=path)
    if name.startswith("SQLITE_CORRUPT"):
        return DataError(f"the database is damaged ({error}); `workstation salvage` saves what is left", path=path)
    return DataError(f"the database reports: {error}", path=path)


def copy_into(source: Connection, target: Path, *, goes_on: Callable[[], bool]) -> None:
    """Copy what ``source`` sees into the new file ``target``: one file, no log, not synced.

    With a read transaction open on ``source`` the copy is of that moment, whatever is written meanwhile.
    ``goes_on`` is asked between pieces; false ends the copy with ``StoppedError``.
    """

    def piece(_status: int, _left: int, _total: int) -> None:
        if not goes_on():
            raise StoppedError("the copy was stopped")

    copy = sqlite3.connect(target, isolation_level=None)
    try:
        copy.execute("PRAGMA synchronous = OFF")  # whoever asks for the copy syncs it once, at the end
        source.backup(copy, pages=1024, progress=piece)
        copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise in_words(error, target) from error
    finally:
        copy.close()


def damage(connection: Connection, *, quick: bool, goes_on: Callable[[], bool] = lambda: True) -> str | None:
    """What SQLite's own check finds wrong, in one line; ``None`` if all is well. Slow: it reads the whole file.

    The quick check leaves out comparing indexes with their tables. ``goes_on`` as for ``copy_into``.
    """
    connection.set_progress_handler(lambda: 0 if goes_on() else 1, 100_000)
    try:
        rows = connection.execute(f"PRAGMA {'quick' if quick else 'integrity'}_check(5)").fetchall()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
            raise StoppedError("the check was stopped") from error
        return str(error)
    finally:
        connection.set_progress_handler(None, 0)
    return None if rows == [("ok",)] else "; ".join(str(text).replace("\n", " ") for (text,) in rows)


def set_meta_in_copy(path: Path, **values: str) -> None:
    """Set entries of ``meta`` in a copied database that nobody has open. Leaves one file, not synced."""
    copy = sqlite3.connect(path, isolation_level=None)
    try:
        copy.execute("PRAGMA synchronous = OFF")
        copy.execute("BEGIN IMMEDIATE")
        copy.executemany("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", values.items())
        copy.execute("COMMIT")
    except sqlite3.Error as error:
        raise in_words(error, path) from error
    finally:
        copy.close()
