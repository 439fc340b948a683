"""A whole history from outside, revision by revision, verified while it is taken in; and the same on its way out.

The native format and salvage call this: what went out comes back identical, hashes, numbers and tombstones included.
Only into an empty project, in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from workstation.core.errors import DataError, UserError
from workstation.core.ids import id_from_bytes
from workstation.core.records import RecordKind
from workstation.core.values import dataclass
from workstation.store.db import Connection
from workstation.store.projections import dangling
from workstation.store.refusals import Refusal, StoredRefusal, refusal_head
from workstation.store.revisions import (
    DELETE,
    NOTHING_DIGEST,
    PUT,
    decode_header,
    insert_revision,
    kinds_mask,
    read_head,
    revision_hash,
)
from workstation.store.rows import ID, KINDS, key_of, read
from workstation.store.steps import note_revision
from workstation.store.structure import structure_problems
from workstation.store.writer import Put, Writer, prepared


@dataclass(frozen=True, slots=True)
class RawChange:
    """One change as it is kept. Without a payload a put is a tombstone: its content was removed."""

    kind: RecordKind
    id: str
    op: str
    schema_version: int
    digest: bytes
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class RawBlob:
    """A blob as it is kept; without data its content was removed."""

    sha256: str
    size: int
    data: bytes | None


@dataclass(frozen=True, slots=True)
class RawRevision:
    """One revision as it is kept: exact header bytes, hash, and its changes in order."""

    rev: int
    header: bytes
    hash: bytes
    changes: tuple[RawChange, ...]


def raw_history(connection: Connection) -> Iterator[RawRevision]:
    """Every revision, oldest first, byte for byte."""
    for rev, header, digest, first, count in connection.execute(
        "SELECT rev, header, hash, first_seq, changes FROM revision ORDER BY rev"
    ):
        rows = connection.execute(
            "SELECT kind, id, op, schema_version, digest, payload FROM change WHERE seq BETWEEN ? AND ? ORDER BY seq",
            (first, first + count - 1),
        )
        changes = tuple(RawChange(KINDS[kind], id_from_bytes(key), *rest) for kind, key, *rest in rows)
        yield RawRevision(rev, bytes(header), bytes(digest), changes)


def raw_blobs(connection: Connection) -> Iterator[RawBlob]:
    """Every blob, by name."""
    for key, size, data in connection.execute("SELECT sha256, size, data FROM blob ORDER BY sha256"):
        yield RawBlob(bytes(key).hex(), size, None if data is None else bytes(data))


class HistoryImport:
    """Takes revisions in; made by ``Store.import_history`` for the length of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        if read_head(connection).rev:
            raise UserError("a whole history can only be taken into a new, empty project")
        self._ghosts: dict[tuple[RecordKind, str], tuple[int, int]] = {}

    def append(self, revision: RawRevision) -> None:
        """The next revision. Refuses one that does not follow, or whose hash does not fit."""
        head = read_head(self._db)
        place = f"revision {revision.rev}"
        if revision.rev != head.rev + 1:
            raise DataError(f"revision {head.rev + 1} should come next", place=place)
        header = decode_header(revision.header)
        if header.parents[:1] != ((head.hash.hex(),) if head.rev else ()):
            raise DataError("it does not follow the revision before it", place=place)
        writer = Writer(self._db, head)
        for number, change in enumerate(revision.changes, 1):
            try:
                self._write(writer, change)
            except DataError as error:
                raise DataError(error.reason, place=f"{place}, change {number}") from error
        digest = writer.hasher.digest()
        if revision_hash(head.hash, revision.header, digest) != revision.hash:
            raise DataError("its hash does not fit its header and changes", place=place)
        writer.counts.flush()
        step = note_revision(self._db, writer.rev, header)
        insert_revision(
            self._db, head, header, revision.header, rev=writer.rev, changes=writer.changes, changes_digest=digest,
            kinds=kinds_mask({change.kind for change in revision.changes}), step=step,
        )  # fmt: skip
        samples = writer.touched.samples | ({key_of(header.sample)} if header.sample is not None else set())
        self._db.executemany(
            "INSERT INTO revision_sample VALUES (?, ?)", [(key, writer.rev) for key in sorted(samples)]
        )

    def blob(self, blob: RawBlob) -> None:
        """A blob, or what is left of one."""
        if blob.data is not None and (
            hashlib.sha256(blob.data).hexdigest() != blob.sha256 or len(blob.data) != blob.size
        ):
            raise DataError("its content does not fit its hash", place=f"blob {blob.sha256[:12]}…")
        self._db.execute("INSERT INTO blob VALUES (?, ?, ?)", (bytes.fromhex(blob.sha256), blob.size, blob.data))

    def refusal(self, stored: StoredRefusal) -> None:
        """The next entry of the log of refusals."""
        entry: Refusal = stored.refusal
        fits = hashlib.sha256(stored.data).digest() == stored.hash and entry.previous == refusal_head(self._db)
        if not fits:
            raise DataError("it does not follow, or was changed", place=f"refusal {stored.number}")
        self._db.execute("INSERT INTO refusal VALUES (?, ?, ?)", (stored.number, stored.data, stored.hash))

    def finish(self) -> None:
        """What came in must hold together."""
        for kind, record_id, reason in dangling(self._db):
            raise DataError(reason, place=f"{kind} {record_id}")

    def _write(self, writer: Writer, change: RawChange) -> None:
        if ID.fullmatch(change.id) is None:
            raise DataError(f"{change.id[:40]!r} is no id")
        if change.op == DELETE:
            self._delete(writer, change)
        elif change.op != PUT:
            raise DataError(f"{change.op[:20]!r} is no operation")
        elif change.payload is None:
            self._tombstone(writer, change)
        else:
            self._put(writer, change, change.payload)

    def _put(self, writer: Writer, change: RawChange, payload: bytes) -> None:
        if hashlib.sha256(payload).digest() != change.digest:
            raise DataError(f"the content of {change.kind.value} {change.id} does not fit its digest")
        record = read(change.kind, payload, change.schema_version)
        problems = list(structure_problems(change.kind, record))
        if record.id != change.id:  # type: ignore[attr-defined]
            problems.insert(0, "has another id inside")
        if problems:
            raise DataError(f"{change.kind.value} {change.id} {problems[0]}")
        put: Put = prepared(change.kind, record, key_of(change.id), payload)
        put.before = writer.before(change.kind, [put.key]).get(put.key)
        ghost = self._ghosts.pop((change.kind, change.id), None)
        writer.put(change.kind, [put], change.schema_version, ghosts={} if ghost is None else {put.key: ghost})

    def _tombstone(self, writer: Writer, change: RawChange) -> None:
        """A state whose content nobody has any more: it keeps its place in the chain and shows nowhere."""
        key = key_of(change.id)
        before = writer.before(change.kind, [key]).get(key)
        ghost = self._ghosts.get((change.kind, change.id))
        self._ghosts[change.kind, change.id] = writer.tombstone(
            change.kind, change.id, key, change.schema_version, change.digest, before, ghost
        )

    def _delete(self, writer: Writer, change: RawChange) -> None:
        if change.digest != NOTHING_DIGEST or change.payload is not None:
            raise DataError(f"the deletion of {change.kind.value} {change.id} carries content")
        key = key_of(change.id)
        ghost = self._ghosts.pop((change.kind, change.id), None)
        if ghost is not None:
            writer.delete_ghost(change.kind, change.id, key, ghost, change.schema_version)
            return
        before = writer.before(change.kind, [key]).get(key)
        if before is None:
            raise DataError(f"{change.kind.value} {change.id} is deleted but does not exist")
        writer.delete(change.kind, [(change.id, key, before)], change.schema_version)
