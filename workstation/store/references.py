"""Which record points at which, and what would be left hanging if one went.

``HOLDING`` pointers keep their target alive: it cannot be deleted while they stand. Judgements and remarks
(``REMEMBERING``) outlive what they are about: their target must have existed, not exist.
Called by the gate, and by commands that ask before they delete.
"""

from __future__ import annotations

from collections.abc import Iterator

from workstation.core.ids import id_from_bytes
from workstation.core.records import RecordKind
from workstation.core.values import dataclass
from workstation.store.db import Connection
from workstation.store.rows import TABLES


@dataclass(frozen=True, slots=True)
class Pointer:
    """A column of one kind's table that holds the id of a record of another kind."""

    kind: RecordKind
    column: str
    target: RecordKind

    @property
    def position(self) -> int:
        """Where the column stands in a row."""
        return TABLES[self.kind].position(self.column)

    @property
    def expression(self) -> str:
        """How to search by it: so that an index serves."""
        if self.kind is RecordKind.ANNOTATION and self.column == "stream":
            return "ifnull(stream, sample)"
        return self.column


@dataclass(frozen=True, slots=True)
class Dependent:
    """A record that points at another one, and in what way (a column's name, or the role of a link's end)."""

    kind: RecordKind
    id: str
    way: str
    rev: int


_K = RecordKind
_IN_SAMPLE = (
    _K.STREAM, _K.RIG, _K.ENTITY, _K.ANNOTATION, _K.LINK, _K.VERDICT, _K.COMMENT, _K.FINDING_DECISION, _K.QUEUE_ITEM,
    _K.PARKED,
)  # fmt: skip
HOLDING = (
    *(Pointer(kind, "sample", _K.SAMPLE) for kind in _IN_SAMPLE),
    Pointer(_K.ANNOTATION, "stream", _K.STREAM),
    Pointer(_K.ANNOTATION, "entity", _K.ENTITY),
    Pointer(_K.ANNOTATION, "text_of", _K.ANNOTATION),
    Pointer(_K.KEYFRAME, "annotation", _K.ANNOTATION),
    Pointer(_K.WORD, "annotation", _K.ANNOTATION),
    Pointer(_K.COMMENT, "reply_to", _K.COMMENT),
    Pointer(_K.SAMPLE, "assigned_to", _K.PERSON),
    Pointer(_K.ACKNOWLEDGEMENT, "person", _K.PERSON),
    Pointer(_K.VERDICT, "person", _K.PERSON),
    Pointer(_K.COMMENT, "person", _K.PERSON),
    Pointer(_K.FINDING_DECISION, "person", _K.PERSON),
    Pointer(_K.QUEUE_ITEM, "person", _K.PERSON),
)
HOLDING_OF: dict[RecordKind, tuple[tuple[int, Pointer], ...]] = {
    kind: tuple((pointer.position, pointer) for pointer in HOLDING if pointer.kind is kind) for kind in RecordKind
}
REMEMBERING = frozenset({_K.VERDICT, _K.COMMENT, _K.QUEUE_ITEM})
LINKABLE = frozenset({_K.ANNOTATION, _K.ENTITY, _K.LINK, _K.STREAM, _K.SAMPLE})


def _any_dependent_sql(kind: RecordKind) -> str:
    parts = [
        f"EXISTS (SELECT 1 FROM {pointer.kind.value} WHERE {pointer.expression} = ?1)"
        for pointer in HOLDING
        if pointer.target is kind
    ]
    if kind in LINKABLE:
        parts.append("EXISTS (SELECT 1 FROM link_end e JOIN link t ON t.id = e.link WHERE e.target = ?1)")
    return f"SELECT {' OR '.join(parts)}" if parts else ""


_ANY_DEPENDENT = {kind: _any_dependent_sql(kind) for kind in RecordKind}


def has_dependents(connection: Connection, kind: RecordKind, key: bytes) -> bool:
    """Whether anything keeps the record from being deleted; one question for the many that nothing points at."""
    sql = _ANY_DEPENDENT[kind]
    return bool(sql) and bool(connection.execute(sql, (key,)).fetchone()[0])


def dependents(connection: Connection, kind: RecordKind, key: bytes, limit: int = 1000) -> Iterator[Dependent]:
    """The records that keep the one under ``key`` from being deleted, at most ``limit`` of each sort."""
    for pointer in HOLDING:
        if pointer.target is kind:
            sql = f"SELECT id, rev FROM {pointer.kind.value} WHERE {pointer.expression} = ? LIMIT ?"
            for found, rev in connection.execute(sql, (key, limit)):
                yield Dependent(pointer.kind, id_from_bytes(found), pointer.column, rev)
    if kind in LINKABLE:
        for found, role, rev in connection.execute(
            "SELECT e.link, e.role, t.rev FROM link_end e JOIN link t ON t.id = e.link WHERE e.target = ? LIMIT ?",
            (key, limit),
        ):
            yield Dependent(RecordKind.LINK, id_from_bytes(found), role, rev)


def exists(connection: Connection, kind: RecordKind, key: bytes) -> bool:
    """Whether there is such a record now."""
    return connection.execute(f"SELECT 1 FROM {kind.value} WHERE id = ?", (key,)).fetchone() is not None


def was_removed(connection: Connection, kind: RecordKind, key: bytes) -> int | None:
    """The revision that deleted the record, if it was there once."""
    row = connection.execute(
        "SELECT c.rev FROM removed r JOIN change c ON c.seq = r.seq WHERE r.kind = ? AND r.id = ?", (kind.value, key)
    ).fetchone()
    return None if row is None else int(row[0])


def revision_in_words(connection: Connection, rev: int) -> str:
    """``revision 7 "Move box" by Anna``."""
    row = connection.execute("SELECT label, actor FROM revision WHERE rev = ?", (rev,)).fetchone()
    return "this transaction" if row is None else f"revision {rev} “{row[0]}” by {row[1]}"
