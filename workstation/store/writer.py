"""Writes accepted records: history, current row, ends of links, counts. Every change of a project passes here.

The transaction hands over batches of one kind; a batch of one is an ordinary edit. The gate has spoken before,
so nothing here refuses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from workstation.core import records
from workstation.core.annotation import Link, Record
from workstation.core.records import RecordKind
from workstation.core.values import dataclass
from workstation.store.counts import CountKeeper
from workstation.store.db import Connection
from workstation.store.revisions import DELETE, NOTHING_DIGEST, PUT, ChangeHasher, Head
from workstation.store.rows import TABLES, Row, link_end_rows, read

_LOOKUP = 400
_NO_GHOSTS: Mapping[bytes, tuple[int, int]] = {}
_INSERT_CHANGE = "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_CURRENT = {
    kind: f"INSERT INTO {table.name} VALUES (?, ?, ?, ?{', ?' * len(table.columns)})" for kind, table in TABLES.items()
}
_BEFORE = (
    "SELECT t.id, t.seq, t.created_rev, t.rev, c.digest, c.payload, c.schema_version"
    " FROM {name} t CROSS JOIN change c ON c.seq = t.seq WHERE t.id IN ({marks})"
)


@dataclass(slots=True)
class Before:
    """What stands in the project under an id before it is written."""

    seq: int
    created_rev: int
    rev: int
    digest: bytes
    payload: bytes
    schema_version: int
    kind: RecordKind
    _record: Record | None = None

    @property
    def record(self) -> Record:
        """The record itself."""
        if self._record is None:
            self._record = read(self.kind, self.payload, self.schema_version)
        return self._record


@dataclass(slots=True)
class Put:
    """A record on its way in: its key, its exact bytes, and the row made from it."""

    record_id: str
    key: bytes
    record: Record
    payload: bytes
    digest: bytes
    row: Row
    before: Before | None = None


class Touched:
    """Which records a transaction came across, and whether they were there before it."""

    def __init__(self) -> None:
        self.existed: dict[RecordKind, dict[str, bool]] = {}
        self.deleted: dict[tuple[RecordKind, str], bytes] = {}
        self.samples: set[bytes] = set()


class Writer:
    """One transaction's hand on the tables."""

    def __init__(self, connection: Connection, head: Head) -> None:
        self._db = connection
        self.rev = head.rev + 1
        self._first_seq = head.seq + 1
        self._seq = head.seq + 1
        self.hasher = ChangeHasher()
        self.counts = CountKeeper(connection)
        self.touched = Touched()
        self._newest: dict[RecordKind, bytes] = {}
        self._any_removed: dict[RecordKind, bool] = {}

    @property
    def changes(self) -> int:
        """How many changes were written."""
        return self._seq - self._first_seq

    @property
    def kinds(self) -> frozenset[RecordKind]:
        """The kinds written."""
        return frozenset(self.touched.existed)

    def before(self, kind: RecordKind, keys: Sequence[bytes]) -> dict[bytes, Before]:
        """What stands under ``keys``; new ids at the end of the table cost nothing to look up."""
        newest = self._newest.get(kind)
        if newest is None:
            (found,) = self._db.execute(f"SELECT max(id) FROM {kind.value}").fetchone()
            newest = self._newest[kind] = found or b""
        wanted = [key for key in keys if key <= newest]
        result: dict[bytes, Before] = {}
        for start in range(0, len(wanted), _LOOKUP):
            part = wanted[start : start + _LOOKUP]
            sql = _BEFORE.format(name=kind.value, marks=", ".join("?" * len(part)))
            for key, seq, created, rev, digest, payload, version in self._db.execute(sql, part):
                result[key] = Before(seq, created, rev, digest, payload, version, kind)
        return result

    def put(
        self,
        kind: RecordKind,
        puts: Sequence[Put],
        version: int = records.SCHEMA_VERSION,
        ghosts: Mapping[bytes, tuple[int, int]] = _NO_GHOSTS,
    ) -> None:
        """Write records of one kind, each id at most once, in the form of one version of the program.

        ``ghosts`` are records whose present content was removed: their last change and first revision.
        """
        rev, seq, name = self.rev, self._seq, kind.value
        gone = self._removed(kind, [put.key for put in puts if put.before is None])
        existed = self.touched.existed.setdefault(kind, {})
        changes: list[Row] = []
        current: list[Row] = []
        for put in puts:
            key, before = put.key, put.before
            previous: int | None
            if before is not None:
                previous, created = before.seq, before.created_rev
            else:
                earlier = ghosts.get(key) or gone.get(key)
                previous, created = (None, rev) if earlier is None else earlier
            changes.append((seq, rev, name, key, PUT, previous, version, put.digest, put.payload))
            current.append((key, seq, created, rev, *put.row))
            existed.setdefault(put.record_id, before is not None)
            seq += 1
        self._seq = seq
        self._db.executemany(_INSERT_CHANGE, changes)
        self.hasher.add_puts(kind, version, [(put.key, put.digest) for put in puts])
        self._project_puts(kind, puts, current)
        if gone:
            self._db.executemany("DELETE FROM removed WHERE kind = ? AND id = ?", [(name, key) for key in gone])
        if self.touched.deleted:
            for put in puts:
                self.touched.deleted.pop((kind, put.record_id), None)
        self._newest[kind] = max(self._newest.get(kind, b""), *[put.key for put in puts])

    def delete(
        self, kind: RecordKind, victims: Sequence[tuple[str, bytes, Before]], version: int = records.SCHEMA_VERSION
    ) -> None:
        """Take records of one kind out of the current tables; history keeps them."""
        name, rev, seq = kind.value, self.rev, self._seq
        self._take_out(kind, [(key, before) for _, key, before in victims])
        changes, removed = [], []
        existed = self.touched.existed.setdefault(kind, {})
        for record_id, key, before in victims:
            changes.append((seq, rev, name, key, DELETE, before.seq, version, NOTHING_DIGEST, None))
            removed.append((name, key, seq, before.created_rev))
            self.hasher.add(kind, key, DELETE, version, NOTHING_DIGEST)
            existed.setdefault(record_id, True)
            self.touched.deleted[kind, record_id] = key
            seq += 1
        self._seq = seq
        self._db.executemany(_INSERT_CHANGE, changes)
        self._db.executemany("INSERT INTO removed VALUES (?, ?, ?, ?)", removed)
        self._any_removed[kind] = True

    def tombstone(
        self, kind: RecordKind, record_id: str, key: bytes, version: int, digest: bytes, before: Before | None,
        ghost: tuple[int, int] | None,
    ) -> tuple[int, int]:  # fmt: skip
        """A state whose content was removed takes its place in the chain; answers its change and first revision."""
        gone = self._removed(kind, [key]).get(key)
        if before is not None:
            self._take_out(kind, [(key, before)])
            earlier: tuple[int | None, int] = (before.seq, before.created_rev)
        else:
            earlier = ghost or gone or (None, self.rev)
        change = (self._seq, self.rev, kind.value, key, PUT, earlier[0], version, digest, None)
        self._db.execute(_INSERT_CHANGE, change)
        self.hasher.add(kind, key, PUT, version, digest)
        self._db.execute("DELETE FROM removed WHERE kind = ? AND id = ?", (kind.value, key))
        self.touched.existed.setdefault(kind, {}).setdefault(record_id, earlier[0] is not None)
        self._seq += 1
        return self._seq - 1, earlier[1]

    def delete_ghost(self, kind: RecordKind, record_id: str, key: bytes, ghost: tuple[int, int], version: int) -> None:
        """The deletion of a record whose content was removed."""
        change = (self._seq, self.rev, kind.value, key, DELETE, ghost[0], version, NOTHING_DIGEST, None)
        self._db.execute(_INSERT_CHANGE, change)
        self.hasher.add(kind, key, DELETE, version, NOTHING_DIGEST)
        self._db.execute("INSERT INTO removed VALUES (?, ?, ?, ?)", (kind.value, key, self._seq, ghost[1]))
        self._any_removed[kind] = True
        self.touched.existed.setdefault(kind, {}).setdefault(record_id, True)
        self._seq += 1

    def _take_out(self, kind: RecordKind, victims: Sequence[tuple[bytes, Before]]) -> None:
        """The current rows, and what is kept beside them."""
        values = TABLES[kind].values
        rows = [(key, values(before.record)) for key, before in victims]
        self.counts.add(kind, [row for _, row in rows], -1)
        keys = [(key,) for key, _ in rows]
        if kind is RecordKind.ENTITY:
            for key, _ in rows:
                self.counts.entity_changes(key, None)
        elif kind is RecordKind.LINK:
            self._db.executemany("DELETE FROM link_end WHERE link = ?", keys)
        self._db.executemany(f"DELETE FROM {kind.value} WHERE id = ?", keys)
        self._note_samples(kind, rows)

    def _project_puts(self, kind: RecordKind, puts: Sequence[Put], current: list[Row]) -> None:
        """Current rows, counts and ends of links."""
        if kind is RecordKind.ENTITY:
            for put in puts:
                self.counts.entity_changes(put.key, put.row)
            self._db.executemany(
                "INSERT OR IGNORE INTO entity_number VALUES (?, ?, ?)",
                [(put.row[0], put.row[2], put.key) for put in puts if put.row[2]],
            )
        fresh = [row for put, row in zip(puts, current, strict=True) if put.before is None]
        if fresh:
            self._db.executemany(_INSERT_CURRENT[kind], fresh)
            self.counts.add(kind, [row[4:] for row in fresh], 1)
        if len(fresh) < len(puts):
            self._replace(kind, [(put, row) for put, row in zip(puts, current, strict=True) if put.before is not None])
        if kind is RecordKind.LINK:
            ends = [row for put in puts if isinstance(put.record, Link) for row in link_end_rows(put.key, put.record)]
            self._db.executemany("INSERT INTO link_end VALUES (?, ?, ?, ?, ?)", ends)
        self._note_samples(kind, [(put.key, put.row) for put in puts])

    def _replace(self, kind: RecordKind, puts: list[tuple[Put, Row]]) -> None:
        """Update the columns that differ and no others: a box that moved leaves every index page as it is."""
        table = TABLES[kind]
        groups: dict[tuple[int, ...], list[Row]] = {}
        left, came = [], []
        for put, (key, seq, _created, rev, *new) in puts:
            assert put.before is not None
            old = table.values(put.before.record)
            differing = tuple(at for at, value in enumerate(new) if value != old[at])
            if differing:
                left.append(old)
                came.append(put.row)
            groups.setdefault(differing, []).append((seq, rev, *(new[at] for at in differing), key))
        for differing, rows in groups.items():
            columns = "".join(f", {table.columns[at][0]} = ?" for at in differing)
            self._db.executemany(f"UPDATE {table.name} SET seq = ?, rev = ?{columns} WHERE id = ?", rows)
        self.counts.add(kind, left, -1)
        self.counts.add(kind, came, 1)
        if kind is RecordKind.LINK:
            self._db.executemany("DELETE FROM link_end WHERE link = ?", [(put.key,) for put, _ in puts])

    def _note_samples(self, kind: RecordKind, rows: list[tuple[bytes, Row]]) -> None:
        if kind is RecordKind.SAMPLE:
            self.touched.samples.update(key for key, _ in rows)
        elif kind in _SAMPLE_AT:
            at = _SAMPLE_AT[kind]
            self.touched.samples.update({row[at] for _, row in rows if row[at] is not None})
        elif kind in (RecordKind.KEYFRAME, RecordKind.WORD):
            for annotation in {row[0] for _, row in rows}:
                found = self._db.execute("SELECT sample FROM annotation WHERE id = ?", (annotation,)).fetchone()
                if found is not None:
                    self.touched.samples.add(found[0])

    def _removed(self, kind: RecordKind, keys: list[bytes]) -> dict[bytes, tuple[int, int]]:
        """Those of ``keys`` that were there once: last change and first revision."""
        some = self._any_removed.get(kind)
        if some is None:
            some = (
                self._db.execute("SELECT 1 FROM removed WHERE kind = ? LIMIT 1", (kind.value,)).fetchone() is not None
            )
            self._any_removed[kind] = some
        if not some:
            return {}
        result: dict[bytes, tuple[int, int]] = {}
        for start in range(0, len(keys), _LOOKUP):
            part = keys[start : start + _LOOKUP]
            marks = ", ".join("?" * len(part))
            sql = f"SELECT id, seq, created_rev FROM removed WHERE kind = ? AND id IN ({marks})"
            for key, seq, created in self._db.execute(sql, (kind.value, *part)):
                result[key] = (seq, created)
        return result


_SAMPLE_AT = {
    kind: table.position("sample") for kind, table in TABLES.items() if any(n == "sample" for n, _ in table.columns)
}


def prepared(kind: RecordKind, record: Record, key: bytes, payload: bytes) -> Put:
    """A record with what is made from it."""
    digest = hashlib.sha256(payload).digest()
    return Put(record.id, key, record, payload, digest, TABLES[kind].values(record))  # type: ignore[attr-defined]
