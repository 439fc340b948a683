"""Everything a damaged database still gives, collected in a scratch database, each row checked by its own hash.

``salvage.py`` calls ``gather`` on a copy. Two ways are used: SQLite itself, stepping over what it cannot read, and,
where that left gaps, the bare pages. A row of history carries the SHA-256 of its payload, so it does not matter
through which hole it was fetched.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workstation.core.errors import UserError
from workstation.core.records import RecordKind
from workstation.store.db import Connection, DatabaseError, connect
from workstation.store.revisions import DELETE, NOTHING_DIGEST, PUT, decode_header
from workstation.store.salvage_pages import Pages, Row

SCRATCH = """
CREATE TABLE change(
    seq INTEGER PRIMARY KEY, rev INTEGER, kind TEXT, id BLOB, op TEXT, prev_seq INTEGER, schema_version INTEGER,
    digest BLOB, payload BLOB);
CREATE TABLE revision(
    rev INTEGER PRIMARY KEY, prev_hash BLOB, hash BLOB, header BLOB, first_seq INTEGER, changes INTEGER);
CREATE TABLE blob(sha256 BLOB PRIMARY KEY, size INTEGER, data BLOB);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE known(kind TEXT, id BLOB, seq INTEGER, PRIMARY KEY(kind, id)) WITHOUT ROWID;
"""
_KINDS = frozenset(kind.value for kind in RecordKind)
_LARGEST = (1 << 63) - 1
_BATCH = 500


@dataclass(slots=True)
class Damage:
    """What reading met: sentences for the report, and whether the bare pages were needed."""

    sentences: list[str] = field(default_factory=list)
    pages_read: bool = False
    rows_refused: int = 0


def gather(database: Path, log: Path | None, scratch: Connection) -> Damage:
    """Fill ``scratch`` (with the tables of ``SCRATCH``) from the damaged ``database``, which is only read."""
    found = Damage()
    complete = False
    try:
        connection = connect(database, read_only=True)
    except UserError as error:
        found.sentences.append(f"SQLite cannot open the database: {error}")
    else:
        with contextlib.closing(connection):
            connection.execute("PRAGMA cell_size_check = OFF")  # half a page is better than none
            complete = _through_sqlite(connection, scratch, found)
    if not complete:
        found.pages_read = True
        pages = Pages(database, log)
        with contextlib.closing(pages):
            _through_pages(pages, scratch, found)
    return found


def _through_sqlite(connection: Connection, scratch: Connection, found: Damage) -> bool:
    complete = True
    for table, columns, accept in (
        ("change", "seq, rev, kind, id, op, prev_seq, schema_version, digest, payload", _is_change),
        ("revision", "rev, prev_hash, hash, header, first_seq, changes", _is_revision),
    ):
        gaps: list[str] = []
        rows = _stepping(connection, table, columns, gaps)
        _keep(scratch, table, rows, accept, found)
        complete = complete and not gaps
        found.sentences += gaps
    gaps = []
    rows = (row[1:] for row in _stepping(connection, "blob", "rowid, sha256, size, data", gaps))
    _keep(scratch, "blob", rows, _is_blob, found)
    found.sentences += gaps
    complete = complete and not gaps
    with contextlib.suppress(DatabaseError):
        _keep(scratch, "meta", connection.execute("SELECT key, value FROM meta"), lambda _: True, found)
    for kind in RecordKind:
        gaps = []
        known = ((kind.value, *row) for row in _both_ends(connection, kind.value, gaps))
        _keep(scratch, "known", known, lambda _: True, found)
        found.sentences += gaps
    return complete


def _through_pages(pages: Pages, scratch: Connection, found: Damage) -> None:
    """Sort the rows of all leaves by what they are: each of our history tables has a shape of its own."""
    changes: list[Row] = []
    revisions: list[Row] = []
    blobs: list[Row] = []
    for rowid, row in pages.leaf_rows():
        if len(row) == 9 and row[2] in _KINDS and row[4] in (PUT, DELETE):
            changes.append((rowid, *row[1:]))
        elif len(row) == 17 and isinstance(row[3], bytes) and row[3].startswith(b"{"):
            revisions.append((rowid, *row[1:6]))
        elif len(row) == 3 and isinstance(row[0], bytes) and len(row[0]) == 32:
            blobs.append(row)
        if len(changes) + len(revisions) + len(blobs) >= _BATCH:
            _keep_all(scratch, changes, revisions, blobs, found)
    _keep_all(scratch, changes, revisions, blobs, found)


def _keep_all(scratch: Connection, changes: list[Row], revisions: list[Row], blobs: list[Row], found: Damage) -> None:
    _keep(scratch, "change", changes, _is_change, found)
    _keep(scratch, "revision", revisions, _is_revision, found)
    _keep(scratch, "blob", blobs, _is_blob, found)
    for rows in (changes, revisions, blobs):
        rows.clear()


def _keep(scratch: Connection, table: str, rows: Iterable[Row], accept: Callable[[Row], bool], found: Damage) -> None:
    """Store the rows that prove themselves; one that was kept already stays."""
    batch: list[Row] = []

    def write() -> None:
        if batch:
            marks = ", ".join("?" * len(batch[0]))
            scratch.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", batch)
            batch.clear()

    for row in rows:
        if not accept(row):
            found.rows_refused += 1
            continue
        batch.append(row)
        if len(batch) >= _BATCH:
            write()
    write()


def _is_change(row: Row) -> bool:
    seq, rev, kind, key, op, _, version, digest, payload = row
    if not (isinstance(seq, int) and isinstance(rev, int) and isinstance(version, int) and kind in _KINDS):
        return False
    if not (isinstance(key, bytes) and len(key) == 16):
        return False
    if op == DELETE:
        return digest == NOTHING_DIGEST and payload is None
    if payload is None:  # taken out on purpose: a tombstone
        return op == PUT and isinstance(digest, bytes) and len(digest) == 32
    return op == PUT and isinstance(payload, bytes) and hashlib.sha256(payload).digest() == digest


def _is_revision(row: Row) -> bool:
    _, previous, own, header, first, count = row
    if not (isinstance(previous, bytes) and isinstance(own, bytes) and len(previous) == len(own) == 32):
        return False
    if not (isinstance(header, bytes) and isinstance(first, int) and isinstance(count, int)):
        return False
    with contextlib.suppress(UserError):
        decode_header(header)
        return True
    return False


def _is_blob(row: Row) -> bool:
    sha256, size, data = row
    if data is None:
        return isinstance(sha256, bytes)
    return isinstance(data, bytes) and len(data) == size and hashlib.sha256(data).digest() == sha256


def _stepping(connection: Connection, table: str, columns: str, gaps: list[str]) -> Iterator[Row]:
    """All rows SQLite can reach by rowid, from the front; where it stops, on behind the smallest gap it can jump.

    The first column is the rowid.
    """
    last = -1
    while True:
        try:
            sql = f"SELECT {columns} FROM {table} WHERE rowid > ? ORDER BY rowid"
            for row in connection.execute(sql, (last,)):
                last = row[0]
                yield row
            return
        except DatabaseError as error:
            reason = str(error)
        # A cursor reads one row ahead, so the error has swallowed the readable row before it: fetch that one alone.
        alone = _first_from(connection, table, columns, last + 1)
        if isinstance(alone, tuple):
            last = alone[0]
            yield alone
            continue
        following = _next_readable(connection, table, columns, last + 1)
        if following is None:
            gaps.append(f"table {table}: nothing can be read after row {last} ({reason})")
            return
        gaps.append(f"table {table}: rows {last + 1} to {following - 1} cannot be read ({reason})")
        last = following - 1


def _next_readable(connection: Connection, table: str, columns: str, start: int) -> int | None:
    """The smallest rowid from ``start`` on whose row can be read: doubling steps, then halving back."""
    step, bad = 1, start - 1
    while (row := _first_from(connection, table, columns, start + step - 1)) is False:
        bad = start + step - 1
        step *= 2
        if start + step > _LARGEST:
            return None
    good = start + step - 1
    while isinstance(row, tuple) and good - bad > 1:
        middle = (good + bad) // 2
        nearer = _first_from(connection, table, columns, middle)
        if nearer is False:
            bad = middle
        else:
            good, row = middle, nearer
    return row[0] if isinstance(row, tuple) else None


def _first_from(connection: Connection, table: str, columns: str, rowid: int) -> Any:
    """The first row from ``rowid`` on; ``None`` behind the end; ``False`` where it cannot be read."""
    try:
        return connection.execute(
            f"SELECT {columns} FROM {table} WHERE rowid >= ? ORDER BY rowid LIMIT 1", (rowid,)
        ).fetchone()
    except DatabaseError:
        return False


def _both_ends(connection: Connection, table: str, gaps: list[str]) -> Iterator[Row]:
    """Id and newest change of the current records: from the front, and where that stops, from the back too.

    These rows only tell what is missing; the records themselves come from the history.
    """
    for order in ("ASC", "DESC"):
        try:
            yield from connection.execute(f"SELECT id, seq FROM {table} ORDER BY id {order}")
            return
        except DatabaseError as error:
            gaps.append(f"table {table} cannot be read to its end ({error})")
