"""Whether the current tables, ends of links and counts are what the history makes them. Called by the audit.

Also finds references that lead nowhere, which nothing but damage or another program can cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from workstation.core.annotation import Link, TargetKind
from workstation.core.errors import DataError
from workstation.core.ids import id_from_bytes
from workstation.core.records import RecordKind
from workstation.store.counts import POSITIONS, PROJECT_SCOPE, with_project_scope
from workstation.store.db import Connection
from workstation.store.references import HOLDING
from workstation.store.revisions import DELETE
from workstation.store.rows import KINDS, TABLES, link_end_rows, read

Problem = tuple[str, str, str]
_BATCH = 2000


def projection_problems(connection: Connection, followed: bytearray, seen: Callable[[], None]) -> Iterator[Problem]:
    """Kind, id and reason of everything in the tables that the history does not say.

    ``followed[seq]`` tells whether a change is followed by another of the same record.
    """
    heads = bytearray(len(followed))
    for kind in RecordKind:
        yield from _rows(connection, kind, followed, heads, seen)
    yield from _removed(connection, followed, heads)
    yield from _lost(connection, followed, heads)
    yield from _ends(connection)
    yield from _counts(connection)
    yield from dangling(connection)


def _rows(
    connection: Connection, kind: RecordKind, followed: bytearray, heads: bytearray, seen: Callable[[], None]
) -> Iterator[Problem]:
    table = TABLES[kind]
    columns = [name for name, _ in table.columns]
    cursor = connection.execute(
        "SELECT c.kind, c.id, c.op, c.rev, c.payload, c.schema_version, t.id, t.seq, t.created_rev, t.rev,"
        f" {', '.join(f't.{name}' for name in columns)} FROM {table.name} t LEFT JOIN change c ON c.seq = t.seq"
    )
    while rows := cursor.fetchmany(_BATCH):
        for c_kind, c_id, op, c_rev, payload, version, key, seq, created, rev, *values in rows:
            seen()
            record_id = id_from_bytes(key) if isinstance(key, bytes) and len(key) == 16 else repr(key)
            if (c_kind, c_id) != (kind.value, key) or op == DELETE:
                yield kind.value, record_id, f"stands on change {seq}, which is not of this record"
                continue
            if 0 <= seq < len(heads):
                heads[seq] = 1
                if followed[seq]:
                    yield kind.value, record_id, f"stands on change {seq}, which is not its last"
            if rev != c_rev or not 0 < created <= rev:
                yield kind.value, record_id, "the revision in which it was made or changed is wrong"
            yield from ((kind.value, record_id, reason) for reason in _values(kind, payload, version, columns, values))


def _values(
    kind: RecordKind, payload: bytes | None, version: int, columns: list[str], values: list[Any]
) -> Iterator[str]:
    if payload is None:
        yield "its content was removed although it still exists"
        return
    try:
        expected = TABLES[kind].values(read(kind, payload, version))
    except (DataError, ValueError) as error:
        yield f"cannot be read: {error}"
        return
    for name, stored, value in zip(columns, values, expected, strict=True):
        if stored != value:
            yield f"the column {name} says {_shown(stored)}, history says {_shown(value)}"


def _shown(value: Any) -> str:
    return id_from_bytes(value) if isinstance(value, bytes) and len(value) == 16 else repr(value)


def _removed(connection: Connection, followed: bytearray, heads: bytearray) -> Iterator[Problem]:
    for name, key, seq, c_kind, c_id, op in connection.execute(
        "SELECT r.kind, r.id, r.seq, c.kind, c.id, c.op FROM removed r LEFT JOIN change c ON c.seq = r.seq"
    ):
        record_id = id_from_bytes(key) if isinstance(key, bytes) and len(key) == 16 else repr(key)
        if (c_kind, c_id, op) != (name, key, DELETE):
            yield str(name), record_id, f"is listed as deleted by change {seq}, which does not say so"
        elif followed[seq]:
            yield str(name), record_id, "is listed as deleted, but came back since"
        else:
            heads[seq] = 1


def _lost(connection: Connection, followed: bytearray, heads: bytearray) -> Iterator[Problem]:
    """Changes that are nobody's last although nothing follows them: the table lost a record."""
    for seq in range(1, len(followed)):
        if not followed[seq] and not heads[seq]:
            row = connection.execute("SELECT kind, id FROM change WHERE seq = ?", (seq,)).fetchone()
            if row is not None and row[0] in KINDS and isinstance(row[1], bytes):
                yield row[0], id_from_bytes(row[1]), f"is in the history (change {seq}) but in no table"


def _ends(connection: Connection) -> Iterator[Problem]:
    """The ends of links, link by link."""
    cursor = connection.execute(
        "SELECT t.id, c.payload, c.schema_version FROM link t JOIN change c ON c.seq = t.seq"
        " WHERE c.payload IS NOT NULL"
    )
    total = 0
    for key, payload, version in cursor:
        try:
            record = read(RecordKind.LINK, payload, version)
        except DataError:
            continue  # named with its row
        if not isinstance(record, Link):
            continue
        stored = connection.execute("SELECT * FROM link_end WHERE link = ? ORDER BY ordinal", (key,)).fetchall()
        total += len(stored)
        if stored != link_end_rows(key, record):
            yield "link", id_from_bytes(key), "its ends are listed wrongly"
    (all_ends,) = connection.execute("SELECT count(*) FROM link_end").fetchone()
    if all_ends > total:
        yield "link", "", f"{all_ends - total} ends are listed for links that do not exist"


def _counts(connection: Connection) -> Iterator[Problem]:
    """The kept counts against a count of everything."""
    deltas: defaultdict[tuple[bytes, str, str, str, str], int] = defaultdict(int)
    for kind in RecordKind:
        table = TABLES[kind]
        parts = [f"t.{table.columns[at][0]}" if at >= 0 else "''" for at in POSITIONS[kind]]
        if kind is RecordKind.ANNOTATION:
            parts[1] = "coalesce(t.class_id, (SELECT class_id FROM entity e WHERE e.id = t.entity))"
        for scope, class_id, state, layer, n in connection.execute(
            f"SELECT {', '.join(parts)}, count(*) FROM {table.name} t GROUP BY 1, 2, 3, 4"
        ):
            deltas[scope or PROJECT_SCOPE, kind.value, class_id or "", state or "", layer or ""] += n
    expected = {tuple(row[:5]): row[5] for row in with_project_scope(deltas)}
    for scope, kind_name, class_id, state, layer, n in connection.execute("SELECT * FROM count"):
        right = expected.pop((scope, kind_name, class_id, state, layer), 0)
        if n != right:
            yield str(kind_name), "", f"{n} are counted as {class_id or '-'}/{state or '-'}, there are {right}"
    for key, n in expected.items():
        yield str(key[1]), "", f"none are counted as {key[2] or '-'}/{key[3] or '-'}, there are {n}"


def dangling(connection: Connection) -> Iterator[Problem]:
    """References that lead nowhere."""
    for pointer in HOLDING:
        for key, target in connection.execute(
            f"SELECT t.id, t.{pointer.column} FROM {pointer.kind.value} t WHERE t.{pointer.column} IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM {pointer.target.value} x WHERE x.id = t.{pointer.column})"
        ):
            reason = f"needs {pointer.target.value} {_shown(target)}, which does not exist"
            yield pointer.kind.value, id_from_bytes(key), reason
    for kind in TargetKind:
        if kind is TargetKind.MODALITY:
            continue
        for link, role, target in connection.execute(
            f"SELECT e.link, e.role, e.target FROM link_end e WHERE e.kind = ?"
            f" AND NOT EXISTS (SELECT 1 FROM {kind.value} x WHERE x.id = e.target)",
            (kind.value,),
        ):
            yield "link", id_from_bytes(link), f"its end {role} is {kind.value} {_shown(target)}, which does not exist"
