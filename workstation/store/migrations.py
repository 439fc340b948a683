"""Bring a project of an older version of the program up to date, with a verified backup first.

The project folder calls ``migrate`` while it holds the lock and before the store opens. Each step is one transaction
that changes the tables, raises the version and leaves a record of itself, all or nothing. History is never touched:
payloads of old versions are read through ``upcast.py``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from workstation.core.errors import DataError, UserError
from workstation.core.version import __version__
from workstation.store import schema
from workstation.store.backup import BackupReason, Snapshot, make_snapshot
from workstation.store.db import Connection, DatabaseError, connect, in_words
from workstation.store.revisions import Head, read_head

Steps = Mapping[int, Callable[[Connection], None]]


class MigrationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What ``meta`` keeps of a step: from which version, when, by which program, and where the backup lies."""

    from_version: int
    made_ms: int
    program: str
    backup: str
    head_hash: str


def migrate(
    database: Path,
    backups: Path,
    *,
    now_ms: Callable[[], int],
    steps: Steps | None = None,
    target: int | None = None,
) -> tuple[MigrationRecord, ...]:
    """Run the missing steps, by default the program's own; returns what was done, nothing if all is up to date.

    The caller holds the project's lock. Raises ``UserError`` for a newer project, a missing step, or when the backup
    cannot be made; a step that fails leaves the version before it.
    """
    steps = schema.MIGRATIONS if steps is None else steps
    target = schema.SCHEMA_VERSION if target is None else target
    with contextlib.closing(connect(database)) as connection:
        version = schema.version_of(connection)
        if version > target:
            raise newer_version(database, version, target)
        missing = [number for number in range(version, target) if number not in steps]
        if missing:
            raise DataError(f"the step from version {missing[0]} is not known to this program", path=database)
        if version == target:
            return ()
    snapshot = make_snapshot(database, backups, reason=BackupReason.MIGRATION, now_ms=now_ms())
    with contextlib.closing(connect(database)) as connection:
        return tuple([
            _step(connection, database, number, steps[number], snapshot, now_ms()) for number in range(version, target)
        ])  # fmt: skip


def newer_version(database: Path, version: int, target: int) -> UserError:
    """The refusal to write to what a newer program made."""
    return UserError(
        f"{database} was written by a newer version of the program (format {version}, this program knows {target}); "
        "open it read-only, or update the program"
    )


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(MigrationRecord)


def records_of_migrations(connection: Connection) -> list[MigrationRecord]:
    """The steps a project has been through, oldest first."""
    rows = connection.execute("SELECT value FROM meta WHERE key GLOB 'migration:*'").fetchall()
    records = [_READ.decode(value) for (value,) in rows]
    return sorted(records, key=lambda record: record.from_version)


def _step(
    connection: Connection,
    database: Path,
    number: int,
    change: Callable[[Connection], None],
    snapshot: Snapshot,
    now_ms: int,
) -> MigrationRecord:
    try:
        connection.execute("BEGIN IMMEDIATE")
        before = _history_fingerprint(connection)
        change(connection)
        if not connection.in_transaction:
            raise RuntimeError(f"step {number} ended the transaction it was given")
        if _history_fingerprint(connection) != before:
            raise RuntimeError(f"step {number} changed the history")
        record = MigrationRecord(
            from_version=number, made_ms=now_ms, program=__version__, backup=snapshot.file,
            head_hash=before[0].hash.hex(),
        )  # fmt: skip
        text = msgspec.json.encode(record).decode()
        connection.execute("INSERT INTO meta(key, value) VALUES (?, ?)", (f"migration:{number}", text))
        connection.execute(f"PRAGMA user_version = {number + 1:d}")
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, DatabaseError):
            raise in_words(error, database) from error
        raise
    return record


def _history_fingerprint(connection: Connection) -> tuple[Head, int]:
    """Enough to notice a step that writes history by mistake; the chain itself is checked by ``audit verify``."""
    (changes,) = connection.execute("SELECT count(*) FROM change").fetchone()
    return read_head(connection), int(changes)
