"""What happened: revisions, their changes, one record's past, and the difference of two revisions.

Mixed into the reads, so a store, a reader and a view answer alike. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workstation.core.annotation import Keyframe, Record, Word
from workstation.core.ids import SampleId, id_from_bytes, id_to_bytes
from workstation.core.records import RecordKind
from workstation.core.values import dataclass
from workstation.store.db import Connection
from workstation.store.revisions import DELETE, Header, decode_header
from workstation.store.rows import KINDS, key_or_none, read


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision: its number, its header, its hash, and how many changes it made."""

    rev: int
    header: Header
    hash: str
    changes: int


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one record. ``record`` is what it became; ``None`` if it was deleted or its content removed."""

    rev: int
    kind: RecordKind
    id: str
    op: str
    digest: str
    record: Record | None
    content_removed: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that is not the same in two revisions; ``None`` where it is not there.

    Where it was there but its content was removed for good, that side is ``None`` too and says so.
    """

    kind: RecordKind
    id: str
    before: Record | None
    after: Record | None
    before_removed: bool = False
    after_removed: bool = False


@dataclass(frozen=True, slots=True)
class RecordInfo:
    """When a record came and changed last, and on whose word."""

    kind: RecordKind
    id: str
    created_rev: int
    rev: int
    created_ms: int
    made_ms: int
    created_by: str
    author: str


def revisions(
    connection: Connection, sample: SampleId | None, limit: int | None, before: int | None
) -> Iterator[Revision]:
    """Newest first."""
    top = before if before is not None else 1 << 62
    count = -1 if limit is None else limit
    if sample is None:
        sql, values = "SELECT {} FROM revision r WHERE r.rev < ? ORDER BY r.rev DESC LIMIT ?", [top, count]
    else:
        sql = (
            "SELECT {} FROM revision_sample s CROSS JOIN revision r ON r.rev = s.rev"
            " WHERE s.sample = ? AND s.rev < ? ORDER BY s.rev DESC LIMIT ?"
        )
        values = [id_to_bytes(sample), top, count]  # type: ignore[list-item]
    for rev, data, digest, changes in connection.execute(sql.format("r.rev, r.header, r.hash, r.changes"), values):
        yield Revision(rev, decode_header(data), bytes(digest).hex(), changes)


def revision(connection: Connection, rev: int) -> Revision | None:
    """One revision."""
    found = next(revisions(connection, None, 1, rev + 1), None)
    return found if found is not None and found.rev == rev else None


def changes(connection: Connection, rev: int) -> Iterator[Change]:
    """What a revision changed, in the order of writing."""
    row = connection.execute("SELECT first_seq, changes FROM revision WHERE rev = ?", (rev,)).fetchone()
    if row is not None:
        yield from _changes(connection, "seq BETWEEN ? AND ? ORDER BY seq", (row[0], row[0] + row[1] - 1))


def touched_since(connection: Connection, rev: int, most: int) -> dict[RecordKind, set[str]] | None:
    """The ids of what later revisions touched, and the labels of keyframes and words; ``None`` if it is too much."""
    row = connection.execute("SELECT first_seq FROM revision WHERE rev > ? ORDER BY rev LIMIT 1", (rev,)).fetchone()
    found: dict[RecordKind, set[str]] = {}
    if row is None:
        return found
    rows = connection.execute(
        "SELECT c.kind, c.id, ifnull(c.payload, p.payload), ifnull(c.schema_version, p.schema_version)"
        " FROM change c LEFT JOIN change p ON p.seq = c.prev_seq WHERE c.seq >= ? LIMIT ?",
        (row[0], most + 1),
    ).fetchall()
    for name, key, payload, version in rows:
        kind = KINDS[name]
        found.setdefault(kind, set()).add(id_from_bytes(key))
        if kind in (RecordKind.KEYFRAME, RecordKind.WORD) and payload is not None:
            part = read(kind, payload, version)
            if isinstance(part, Keyframe | Word):
                found.setdefault(RecordKind.ANNOTATION, set()).add(part.annotation)
    return found if len(rows) <= most else None


def past(connection: Connection, kind: RecordKind, record_id: str) -> list[Change]:
    """Every change of one record, oldest first, whether it still exists or not."""
    key = key_or_none(record_id)
    found: list[Change] = []
    seq = None if key is None else newest_seq(connection, kind, key)
    while seq is not None:
        (previous,) = connection.execute("SELECT prev_seq FROM change WHERE seq = ?", (seq,)).fetchone()
        found += _changes(connection, "seq = ?", (seq,))
        seq = previous
    return found[::-1]


def newest_seq(connection: Connection, kind: RecordKind, key: bytes) -> int | None:
    """The last change of a record."""
    row = connection.execute(f"SELECT seq FROM {kind.value} WHERE id = ?", (key,)).fetchone()
    if row is None:
        row = connection.execute("SELECT seq FROM removed WHERE kind = ? AND id = ?", (kind.value, key)).fetchone()
    return None if row is None else int(row[0])


def _changes(connection: Connection, where: str, values: tuple[int, ...]) -> Iterator[Change]:
    sql = f"SELECT rev, kind, id, op, digest, payload, schema_version FROM change WHERE {where}"
    for rev, name, key, op, digest, payload, version in connection.execute(sql, values):
        kind = KINDS[name]
        record = None if payload is None else read(kind, payload, version)
        gone = payload is None and op != DELETE
        yield Change(rev, kind, id_from_bytes(key), op, bytes(digest).hex(), record, gone)


def info(connection: Connection, kind: RecordKind, record_id: str) -> RecordInfo | None:
    """Who made a record and who changed it last."""
    key = key_or_none(record_id)
    row = connection.execute(
        "SELECT t.created_rev, t.rev, a.made_ms, b.made_ms, a.actor, b.actor"
        f" FROM {kind.value} t JOIN revision a ON a.rev = t.created_rev JOIN revision b ON b.rev = t.rev"
        " WHERE t.id = ?",
        (key,),
    ).fetchone()
    return None if row is None else RecordInfo(kind, record_id, *row)


_TOUCHED = (
    "SELECT kind, id, min(seq), max(seq) FROM change WHERE seq > ? AND seq <= ? {where}"
    " GROUP BY kind, id ORDER BY min(seq)"
)
_ONLY_SAMPLE = "AND rev IN (SELECT rev FROM revision_sample WHERE sample = ?)"


def difference(connection: Connection, a: int, b: int, sample: SampleId | None = None) -> Iterator[Difference]:
    """What is not the same in revision ``b`` as in ``a`` (0 is the empty project), in one sample if given."""
    low, high = sorted((a, b))
    where, values = ("", ()) if sample is None else (_ONLY_SAMPLE, (id_to_bytes(sample),))
    edges = (last_seq(connection, low), last_seq(connection, high))
    for kind, key, first, last in connection.execute(_TOUCHED.format(where=where), (*edges, *values)):
        (previous,) = connection.execute("SELECT prev_seq FROM change WHERE seq = ?", (first,)).fetchone()
        old_digest, old = _image(connection, KINDS[kind], previous)
        new_digest, new = _image(connection, KINDS[kind], last)
        if old_digest == new_digest:
            continue
        if sample is not None and _sample_of(connection, KINDS[kind], old if new is None else new) not in (
            None,
            sample,
        ):
            continue
        lost_old, lost_new = old_digest is not None and old is None, new_digest is not None and new is None
        pair = (old, new, lost_old, lost_new) if a <= b else (new, old, lost_new, lost_old)
        yield Difference(KINDS[kind], id_from_bytes(key), *pair)


def _sample_of(connection: Connection, kind: RecordKind, record: Any) -> str | None:
    """The sample a record lies in; ``None`` where that cannot be said."""
    if record is None:
        return None
    if kind is RecordKind.SAMPLE:
        return str(record.id)
    annotation = getattr(record, "annotation", None)
    if annotation is not None:
        found = next(
            (c.record for c in reversed(past(connection, RecordKind.ANNOTATION, annotation)) if c.record), None
        )
        return _sample_of(connection, RecordKind.ANNOTATION, found)
    return getattr(record, "sample", "")  # of the project, so of no sample


def last_seq(connection: Connection, rev: int) -> int:
    """The last change at or before a revision."""
    row = connection.execute(
        "SELECT first_seq + changes - 1 FROM revision WHERE rev <= ? ORDER BY rev DESC LIMIT 1", (rev,)
    ).fetchone()
    return 0 if row is None else int(row[0])


def _image(connection: Connection, kind: RecordKind, seq: int | None) -> tuple[bytes | None, Record | None]:
    if seq is None:
        return None, None
    op, digest, payload, version = connection.execute(
        "SELECT op, digest, payload, schema_version FROM change WHERE seq = ?", (seq,)
    ).fetchone()
    if op == DELETE:
        return None, None
    return digest, None if payload is None else read(kind, payload, version)
