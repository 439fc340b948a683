"""The audit: does the whole history still say what was written, and do the tables still say what history says?

Names every entry that does not fit: revision, change, record and reason. Reads everything, in memory that does not
grow with the project (a byte per change). Called by ``workstation audit verify`` on a reader of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any

from workstation.core.errors import DataError
from workstation.core.ids import id_from_bytes
from workstation.core.records import RecordKind
from workstation.core.values import dataclass
from workstation.store import refusals
from workstation.store.db import Connection, DatabaseError
from workstation.store.projections import projection_problems
from workstation.store.revisions import (
    DELETE,
    NOTHING_DIGEST,
    PROJECTED,
    PUT,
    SALVAGE_TOOL,
    ChainStart,
    ChangeHasher,
    Header,
    RevisionKind,
    decode_header,
    kinds_mask,
    projected,
    read_chain_start,
    revision_hash,
)
from workstation.store.rows import KINDS, read

MAX_ENTRIES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class BadEntry:
    """Something that is not as it was written. ``place`` is where to look if it is not in a revision."""

    reason: str
    rev: int | None = None
    change: int | None = None
    kind: str = ""
    id: str = ""
    place: str = ""

    def __str__(self) -> str:
        parts = [] if self.rev is None else [f"revision {self.rev}"]
        if self.change is not None:
            parts.append(f"change {self.change}")
        if self.kind:
            parts.append(f"{self.kind} {self.id}".rstrip())
        if self.place:
            parts.append(self.place)
        return f"{', '.join(parts)}: {self.reason}"


@dataclass(slots=True)
class VerifyReport:
    """What the audit saw. ``entries`` are in the order of history; at most a thousand are kept."""

    revisions: int = 0
    changes: int = 0
    records: int = 0
    blobs: int = 0
    tombstones: int = 0
    head: str = ""
    entries: list[BadEntry] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether everything fits."""
        return not self.entries

    @property
    def first(self) -> BadEntry | None:
        """The first entry that does not fit."""
        return self.entries[0] if self.entries else None


def verify(
    connection: Connection,
    *,
    against: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> VerifyReport:
    """Audit an open database. ``against`` is a head hash kept elsewhere (a backup, a package): it must be in the chain.

    ``progress`` is told how many of how many changes have been read.
    """
    report = VerifyReport()
    audit = _Audit(connection, report, progress)
    for part in (audit.history(against), audit.blobs(), audit.refusals(), audit.tables()):
        try:
            for entry in part:
                if len(report.entries) < MAX_ENTRIES:
                    report.entries.append(entry)
        except DatabaseError as error:
            report.entries.append(BadEntry(place=audit.place, reason=f"the database file is damaged here: {error}"))
    return report


class _Audit:
    """One audit's state: where it is, and which changes have been followed by another of the same record."""

    def __init__(self, connection: Connection, report: VerifyReport, progress: Callable[[int, int], None]) -> None:
        self._db = connection
        self._report = report
        self._progress = progress
        self.place = "start"
        (top,) = connection.execute("SELECT max(seq) FROM change").fetchone()
        self._top = int(top or 0)
        self._followed = bytearray(self._top + 1)
        self._removed: set[str] = set()

    def history(self, against: str | None) -> Iterator[BadEntry]:
        """The chain of revisions and the changes of each."""
        self._removed = self._announced_removals()
        start = read_chain_start(self._db)
        previous, expected_rev, expected_seq = bytes.fromhex(start.hash), start.rev + 1, 1
        if start.rev:
            yield from self._salvaged(start)
        seen = against is None
        columns = ", ".join(PROJECTED)
        for row in self._db.execute(
            f"SELECT rev, prev_hash, hash, header, first_seq, changes, kinds, {columns} FROM revision ORDER BY rev"
        ):
            rev, prev_hash, stored, data, first, count, kinds, *projection = row
            self.place = f"revision {rev}"
            if rev != expected_rev:
                yield BadEntry(rev=expected_rev, reason=f"is missing: revision {rev} follows {expected_rev - 1}")
            if prev_hash != previous:
                yield BadEntry(rev=rev, reason="does not follow the one before it: the previous hash does not fit")
            if first != expected_seq:
                yield BadEntry(rev=rev, reason=f"should begin with change {expected_seq}, not {first}")
            hasher = ChangeHasher()
            found_kinds: list[RecordKind | None] = []
            for kind, bad in self._changes(rev, first, count, hasher):
                found_kinds.append(kind)
                yield from bad
            if len(found_kinds) != count:
                yield BadEntry(rev=rev, reason=f"has {len(found_kinds)} of its {count} changes")
            if revision_hash(prev_hash, data, hasher.digest()) != stored:
                yield BadEntry(rev=rev, reason="was changed: its hash does not fit its header and changes")
            yield from _header_problems(rev, data, prev_hash, projection)
            if kinds_mask({kind for kind in found_kinds if kind is not None}) != kinds:
                yield BadEntry(rev=rev, reason="the kinds it touches are listed wrongly")
            previous, expected_rev, expected_seq = stored, rev + 1, first + count
            seen = seen or bytes(stored).hex() == against
            self._report.revisions += 1
            self._progress(expected_seq - 1, self._top)
        self._report.head = bytes(previous).hex() if self._report.revisions else ""
        if self._top >= expected_seq:
            yield BadEntry(
                change=expected_seq, place="after the last revision", reason="changes that belong to no revision"
            )
        if not seen:
            yield BadEntry(
                place="the chain", reason=f"does not contain the hash {against}: revisions were cut off or rewritten"
            )

    def _salvaged(self, start: ChainStart) -> Iterator[BadEntry]:
        """Only a salvage may begin behind another history; otherwise the beginning was cut off."""
        row = self._db.execute("SELECT header FROM revision ORDER BY rev LIMIT 1").fetchone()
        with contextlib.suppress(DataError):
            header = decode_header(row[0]) if row else None
            if header is not None and header.kind is RevisionKind.RESTORE and header.actor.tool == SALVAGE_TOOL:
                return
        yield BadEntry(rev=start.rev + 1, reason="begins behind a history that is not here, and no salvage says why")

    def _changes(
        self, rev: int, first: int, count: int, hasher: ChangeHasher
    ) -> Iterator[tuple[RecordKind | None, list[BadEntry]]]:
        """Kind and problems of each change of a revision."""
        cursor = self._db.execute(
            "SELECT c.seq, c.rev, c.kind, c.id, c.op, c.schema_version, c.digest, c.payload, c.prev_seq, p.kind, p.id"
            " FROM change c LEFT JOIN change p ON p.seq = c.prev_seq WHERE c.seq BETWEEN ? AND ? ORDER BY c.seq",
            (first, first + count - 1),
        )
        for row in cursor:
            seq, own_rev, name, key, op, version, digest, payload, prev_seq, prev_kind, prev_id = row
            self.place = f"revision {rev}, change {seq}"
            bad: list[BadEntry] = []
            kind = KINDS.get(name)
            record_id = id_from_bytes(key) if isinstance(key, bytes) and len(key) == 16 else repr(key)

            def note(reason: str, seq: int = seq, name: Any = name, record_id: str = record_id) -> BadEntry:
                return BadEntry(rev=rev, change=seq, kind=str(name), id=record_id, reason=reason)

            if kind is None or op not in (PUT, DELETE) or not isinstance(key, bytes) or not isinstance(digest, bytes):
                yield None, [note("is not readable: kind, id, operation or digest was changed")]
                continue
            if own_rev != rev:
                bad.append(note(f"is marked as part of revision {own_rev}"))
            if prev_seq is not None:
                if (prev_kind, prev_id) != (name, key) or prev_seq >= seq:
                    bad.append(note("follows a change of another record"))
                elif self._followed[prev_seq]:
                    bad.append(note("follows a change that another one follows already"))
                else:
                    self._followed[prev_seq] = 1
            bad += [note(reason) for reason in self._payload(kind, op, version, digest, payload)]
            hasher.add(kind, key, op, version & 0xFFFF, digest)
            self._report.changes += 1
            yield kind, bad

    def _payload(self, kind: RecordKind, op: str, version: int, digest: bytes, payload: Any) -> Iterator[str]:
        if payload is None:
            if op == DELETE:
                if digest != NOTHING_DIGEST:
                    yield "a deletion has a digest of something"
            elif digest.hex() in self._removed:
                self._report.tombstones += 1
            else:
                yield "the content is gone, and no revision says that it was removed"
            return
        content = payload if isinstance(payload, bytes) else str(payload).encode()
        if hashlib.sha256(content).digest() != digest:
            yield "the content was changed: it does not fit its digest"
            return
        try:
            read(kind, content, version)
        except DataError as error:
            yield f"cannot be read: {error}"

    def _announced_removals(self) -> set[str]:
        digests: set[str] = set()
        for (data,) in self._db.execute("SELECT header FROM revision WHERE kind = 'removal'"):
            try:
                digests.update(decode_header(data).removed)
            except DataError:
                continue  # named when its revision is read
        return digests

    def blobs(self) -> Iterator[BadEntry]:
        """Blobs against their names."""
        self.place = "blobs"
        for key, size, data in self._db.execute("SELECT sha256, size, data FROM blob"):
            self._report.blobs += 1
            if data is not None and (hashlib.sha256(data).digest() != key or len(data) != size):
                yield BadEntry(
                    place=f"blob {bytes(key).hex()}", reason="the content was changed: it does not fit its hash"
                )

    def refusals(self) -> Iterator[BadEntry]:
        """The log of refusals, and that the history knows no newer entry of it than there is."""
        self.place = "the log of refusals"
        for problem in refusals.refusal_problems(self._db):
            yield BadEntry(place=self.place, reason=problem)
        known = {stored.hash.hex() for stored in refusals.read_refusals(self._db)}
        last: tuple[int, str] | None = None
        for rev, data in self._db.execute("SELECT rev, header FROM revision ORDER BY rev DESC LIMIT 1"):
            try:
                last = (rev, decode_header(data).refusals)
            except DataError:
                continue  # named when the revision was read
        if last is not None and last[1] and last[1] not in known:
            yield BadEntry(
                place=self.place, reason=f"was cut short: revision {last[0]} knows an entry that is not there"
            )

    def tables(self) -> Iterator[BadEntry]:
        """The current tables against the history they are made from."""
        self.place = "the current tables"
        for kind, record_id, reason in projection_problems(self._db, self._followed, self._count_record):
            yield BadEntry(kind=kind, id=record_id, place="the current tables", reason=reason)

    def _count_record(self) -> None:
        self._report.records += 1


def _header_problems(rev: int, data: Any, prev_hash: bytes, projection: list[Any]) -> Iterator[BadEntry]:
    try:
        header: Header = decode_header(data)
    except DataError as error:
        yield BadEntry(rev=rev, reason=str(error))
        return
    for name, stored, value in zip(PROJECTED, projection, projected(header), strict=True):
        if stored != value:
            yield BadEntry(rev=rev, reason=f"the column {name} says {stored!r}, its header {value!r}")
    parents = (bytes(prev_hash).hex(),) if rev > 1 else ()
    if header.parents[:1] != parents:
        yield BadEntry(rev=rev, reason="its header names another revision as the one before it")
