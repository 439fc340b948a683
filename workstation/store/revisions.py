"""The header of a revision, and the hash that chains it to the one before.

The hash is SHA-256 over: the previous hash, the header's length (8 bytes, big-endian) and its exact bytes, and the
SHA-256 of the change entries. An entry is kind, a zero byte, the 16 bytes of the id, ``p`` or ``d`` for put or
delete, the schema version (2 bytes, big-endian) and the SHA-256 of the payload (of nothing, for a delete).
Called by the writer, the audit, the undo and the import of a foreign history.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from workstation.core.errors import DataError
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind
from workstation.core.values import dataclass
from workstation.store.db import Connection

NO_HASH = bytes(32)
PUT = "put"
DELETE = "delete"
SALVAGE_TOOL = "salvage"
NOTHING_DIGEST = hashlib.sha256(b"").digest()
_PREFIX = {
    (kind, op): kind.value.encode() + b"\0" for kind in RecordKind for op in (PUT, DELETE)
}  # fmt: skip
_BIT = {kind: 1 << number for number, kind in enumerate(RecordKind)}
_OP = {PUT: b"p", DELETE: b"d"}


class RevisionKind(StrEnum):
    """What sort of act a revision is."""

    EDIT = "edit"
    UNDO = "undo"
    REDO = "redo"
    RESTORE = "restore"
    REMOVAL = "removal"
    MERGE = "merge"


class Barrier(StrEnum):
    """Why the work of others before this revision is not undone any more."""

    ONTOLOGY = "ontology"
    SYNC = "sync"
    MERGE = "merge"


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who made a revision, when, why and on what: JSON, kept and hashed byte for byte.

    ``parents`` are hashes in hexadecimal (two for a merge). ``removed`` holds the digests of payloads taken out of the
    history, ``refusals`` the head of the log of refusals, which so becomes part of the chain.
    """

    format: int
    replica: str
    parents: tuple[str, ...]
    made_ms: int
    actor: Actor
    label: str
    kind: RevisionKind = RevisionKind.EDIT
    group: str | None = None
    ontology: int = 0
    sample: SampleId | None = None
    selection: tuple[str, ...] = ()
    time_ns: int | None = None
    undoes: tuple[int, ...] = ()
    redoes: tuple[int, ...] = ()
    restores: int | None = None
    barrier: Barrier | None = None
    removed: tuple[str, ...] = ()
    reason: str = ""
    refusals: str = ""


HEADER_FORMAT = 1
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Header)


def encode_header(header: Header) -> bytes:
    """The bytes that are kept."""
    return _ENCODER.encode(header)


def decode_header(data: bytes) -> Header:
    """The header of kept bytes."""
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"not a readable revision header: {error}") from error


class ChangeHasher:
    """The running digest of a revision's changes."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, kind: RecordKind, key: bytes, op: str, schema_version: int, digest: bytes) -> None:
        """One change."""
        self._hash.update(b"".join((_PREFIX[kind, op], key, _OP[op], schema_version.to_bytes(2, "big"), digest)))

    def add_puts(self, kind: RecordKind, schema_version: int, keys_and_digests: list[tuple[bytes, bytes]]) -> None:
        """Many puts of one kind."""
        head, tail = _PREFIX[kind, PUT], _OP[PUT] + schema_version.to_bytes(2, "big")
        self._hash.update(b"".join([part for key, digest in keys_and_digests for part in (head, key, tail, digest)]))

    def digest(self) -> bytes:
        """The digest so far."""
        return self._hash.digest()


def revision_hash(previous: bytes, header: bytes, changes_digest: bytes) -> bytes:
    """The hash of a revision."""
    return hashlib.sha256(previous + len(header).to_bytes(8, "big") + header + changes_digest).digest()


def owner_of(actor: Actor) -> str:
    """Whose undo stack an actor's revisions belong to: the person, else the name."""
    return actor.person if actor.person is not None else f"name:{actor.name}"


def by_hand(actor: Actor) -> bool:
    """Whether the actor's revisions are on the stack that undo takes from without being told a group."""
    return actor.kind in (ActorKind.PERSON, ActorKind.SCRIPT)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the history ends."""

    rev: int = 0
    hash: bytes = NO_HASH
    seq: int = 0


def read_head(connection: Connection) -> Head:
    """The newest revision, found without reading the others."""
    row = connection.execute(
        "SELECT rev, hash, first_seq + changes - 1 FROM revision ORDER BY rev DESC LIMIT 1"
    ).fetchone()
    if row is not None:
        return Head(*row)
    start = read_chain_start(connection)
    return Head(start.rev, bytes.fromhex(start.hash))


class ChainStart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the first revision follows: nothing, or, in a salvaged project, the old one's last number and good hash."""

    rev: int = 0
    hash: str = NO_HASH.hex()


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(ChainStart)


def read_chain_start(connection: Connection) -> ChainStart:
    """Where this project's chain starts."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'chain_start'").fetchone()
    if row is None:
        return ChainStart()
    try:
        return _READ.decode(row[0])
    except (msgspec.MsgspecError, TypeError) as error:
        raise DataError(f"the start of the history cannot be read: {error}") from error


def write_chain_start(connection: Connection, start: ChainStart) -> None:
    """Let a project without revisions follow another one's history. Called by the salvage only."""
    if connection.execute("SELECT 1 FROM revision LIMIT 1").fetchone() is not None:
        raise RuntimeError("a history that has begun keeps its start")
    text = msgspec.json.encode(start).decode()
    connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('chain_start', ?)", (text,))


def kinds_mask(kinds: Any) -> int:
    """The kinds a revision touches, as bits, so that others can be passed over."""
    return sum(_BIT[kind] for kind in set(kinds))


PROJECTED = (
    "kind", "made_ms", "actor", "actor_kind", "role", "owner", "label", "group_id", "barrier",
)  # fmt: skip


def projected(header: Header) -> tuple[Any, ...]:
    """The columns of ``revision`` that repeat the header, in the order of ``PROJECTED``."""
    actor = header.actor
    barrier = None if header.barrier is None else header.barrier.value
    return (
        header.kind.value, header.made_ms, actor.name, actor.kind.value, actor.role.value, owner_of(actor),
        header.label, header.group, barrier,
    )  # fmt: skip


_INSERT = (
    f"INSERT INTO revision(rev, prev_hash, hash, header, first_seq, changes, kinds, step, {', '.join(PROJECTED)})"
    f" VALUES (?, ?, ?, ?, ?, ?, ?, ?{', ?' * len(PROJECTED)})"
)


def insert_revision(
    connection: Connection, head: Head, header: Header, data: bytes, *,
    rev: int, changes: int, changes_digest: bytes, kinds: int, step: int | None,
) -> bytes:  # fmt: skip
    """Write the revision that follows ``head`` and answer its hash."""
    new_hash = revision_hash(head.hash, data, changes_digest)
    connection.execute(
        _INSERT, (rev, head.hash, new_hash, data, head.seq + 1, changes, kinds, step, *projected(header))
    )
    return new_hash
