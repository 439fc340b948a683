"""One transaction: reads that see their own writes, writes that pass the gate, and the commit as one revision.

Made by the store only. An exception that leaves the ``with`` block takes everything back.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from workstation.core.annotation import LinkEnd, Record
from workstation.core.errors import UserError
from workstation.core.ids import SampleId, id_from_bytes, id_to_bytes
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind, record_kind
from workstation.core.rights import Actor, ActorKind, Right
from workstation.core.values import dataclass
from workstation.store.changes import ChangeSet
from workstation.store.db import Connection
from workstation.store.effective import EffectiveOntology
from workstation.store.ends import end_value_now
from workstation.store.final import check_final
from workstation.store.gate import Gate, NotAllowed
from workstation.store.queries import Reads
from workstation.store.refusals import refusal_head
from workstation.store.revisions import (
    HEADER_FORMAT,
    Barrier,
    Header,
    RevisionKind,
    encode_header,
    insert_revision,
    kinds_mask,
    read_head,
)
from workstation.store.steps import note_revision
from workstation.store.writer import Put, Writer

_CHUNK = 2000
_KIND_ORDER = {kind: number for number, kind in enumerate(RecordKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a transaction is for: everything of its revision's header that is known at the start."""

    label: str
    actor: Actor
    kind: RevisionKind = RevisionKind.EDIT
    group: str | None = None
    sample: SampleId | None = None
    selection: tuple[str, ...] = ()
    time_ns: int | None = None
    initiator: str = ""
    undoes: tuple[int, ...] = ()
    redoes: tuple[int, ...] = ()
    restores: int | None = None
    removed: tuple[str, ...] = ()
    reason: str = ""

    @property
    def restoring(self) -> bool:
        """Whether earlier states are written back, which need not fit today's ontology."""
        return self.kind in (RevisionKind.UNDO, RevisionKind.REDO, RevisionKind.RESTORE)


class Transaction(Reads):
    """The only way to write records."""

    _closed = "this transaction is over"

    def __init__(
        self, connection: Connection, act: Act, ontology: EffectiveOntology, new_id: Callable[[], str], replica: str
    ) -> None:
        super().__init__(connection)
        self.act = act
        self._new_id = new_id
        self._replica = replica
        self._ontology = ontology
        ontology.refresh(connection)
        self._ontology_before = ontology.digest
        self._head = read_head(connection)
        self._writer = Writer(connection, self._head)
        self._gate = Gate(
            connection, act.actor, ontology, self._writer, restoring=act.restoring,
            giving_back=act.kind in (RevisionKind.UNDO, RevisionKind.REDO),
        )  # fmt: skip
        self._half_done = False
        self.denials: list[tuple[str, ...]] = []

    @property
    def actor(self) -> Actor:
        """On whose word this is done."""
        return self.act.actor

    @property
    def rev(self) -> int:
        """The number this transaction's revision will have."""
        return self._writer.rev

    def ontology(self) -> CompiledOntology | None:
        """The ontology in force, compiled; ``None`` before the first version is locked."""
        return self._gate.ontology.rules

    def new_id(self) -> str:
        """A new id."""
        return self._new_id()

    def put(self, record: Record) -> None:
        """Insert a record, or replace the one with its id."""
        self._put(record_kind(record), [record])

    def put_many(self, records: Iterable[Record]) -> None:
        """The same for many, a few thousand at a time. If one is refused, the whole transaction must be given up."""
        iterator = iter(records)
        written = self._writer.changes
        while chunk := list(islice(iterator, _CHUNK)):
            by_kind: dict[RecordKind, list[Record]] = {}
            for record in chunk:
                by_kind.setdefault(record_kind(record), []).append(record)
            try:
                with _collector_at_rest():
                    for kind in sorted(by_kind, key=_KIND_ORDER.__getitem__):
                        for part in _without_repeats(by_kind[kind]):
                            self._put(kind, part)
            except BaseException:
                self._half_done = self._half_done or self._writer.changes > written
                raise

    def delete(self, kind: RecordKind, record_id: str) -> None:
        """Delete a record. What still points at it when the transaction ends stops the transaction."""
        self.delete_many(kind, [record_id])

    def delete_many(self, kind: RecordKind, record_ids: Iterable[str]) -> None:
        """Delete records of one kind; all of them, or none if one cannot be deleted."""
        self._check_open()
        try:
            victims = self._gate.deletes(kind, list(dict.fromkeys(record_ids)))
        except NotAllowed as error:
            self.denials.append(error.problems)
            raise
        if victims:
            self._writer.delete(kind, victims)
            self._gate.deleted(kind, [key for _, key, _ in victims])

    def put_blob(self, data: bytes) -> str:
        """Store bytes under their SHA-256, which shapes name. It is kept only if this transaction changes something."""
        digest = hashlib.sha256(data)
        row = self._db.execute("SELECT data IS NULL FROM blob WHERE sha256 = ?", (digest.digest(),)).fetchone()
        if row is None:
            self._db.execute("INSERT INTO blob VALUES (?, ?, ?)", (digest.digest(), len(data), data))
        elif row[0]:
            raise UserError(
                f"the content of blob {digest.hexdigest()[:12]}… was removed for good and may not come back"
            )
        return digest.hexdigest()

    def confirmed_ends(self, ends: Sequence[LinkEnd]) -> tuple[LinkEnd, ...]:
        """The ends with what they look like now, as confirmed in this revision. Only a person may."""
        if self.actor.kind not in (ActorKind.PERSON, ActorKind.SCRIPT) or (
            self.actor.kind is ActorKind.SCRIPT and self.actor.person is None
        ):
            problem = f"{self.actor.name}, as {self.actor.kind.value}, may not confirm a link: only a person may"
            self.denials.append((problem,))
            raise NotAllowed((problem,))
        return tuple(
            LinkEnd(
                role=end.role, kind=end.kind, target=end.target,
                confirmed_revision=self.rev, confirmed=end_value_now(self, end),
            )
            for end in ends
        )  # fmt: skip

    def allow(self, right: Right) -> None:
        """Raise, and have it logged, unless the actor has the right."""
        try:
            self._gate.allow(right)
        except NotAllowed as error:
            self.denials.append(error.problems)
            raise

    def _rows(self, sql: str, values: tuple[Any, ...]) -> Iterator[tuple[bytes, int]]:
        """All at once: whoever writes while reading must not meet what it has just written, without end."""
        yield from self._db.execute(sql, values).fetchall()

    def _check_open(self) -> None:
        if self._connection is None:
            raise UserError(self._closed)

    def retire(self) -> None:
        """The transaction is over; whoever kept it can do nothing with it any more."""
        self._connection = None

    def _put(self, kind: RecordKind, records: list[Record]) -> None:
        self._check_open()
        try:
            puts: list[Put] = self._gate.puts(kind, records)
        except NotAllowed as error:
            self.denials.append(error.problems)
            raise
        if puts:
            self._writer.put(kind, puts)
            self._gate.written(kind, puts)

    def finish(self, made_ms: int) -> ChangeSet | None:
        """Check the end state and write the revision; ``None`` if nothing changed. The store commits."""
        if self._half_done:
            raise RuntimeError("part of a put_many was refused and the refusal was swallowed: nothing can be kept")
        check_final(self._gate, self._writer)
        writer, db = self._writer, self._db
        if not writer.changes and not self.act.removed:
            return None
        writer.counts.flush()
        header = self._header(made_ms)
        step = note_revision(db, writer.rev, header)
        insert_revision(
            db, self._head, header, encode_header(header),
            rev=writer.rev, changes=writer.changes, changes_digest=writer.hasher.digest(),
            kinds=kinds_mask(writer.kinds), step=step,
        )  # fmt: skip
        samples = writer.touched.samples | ({id_to_bytes(self.act.sample)} if self.act.sample is not None else set())
        db.executemany("INSERT INTO revision_sample VALUES (?, ?)", [(key, writer.rev) for key in sorted(samples)])
        return self._change_set()

    def _header(self, made_ms: int) -> Header:
        act = self.act
        barriers = self._gate.barriers
        if RecordKind.ONTOLOGY in self._writer.kinds and self._ontology.digest != self._ontology_before:
            barriers = barriers | {Barrier.ONTOLOGY}
        return Header(
            format=HEADER_FORMAT,
            replica=self._replica,
            parents=(self._head.hash.hex(),) if self._head.rev else (),
            made_ms=made_ms,
            actor=act.actor,
            label=act.label,
            kind=act.kind,
            group=act.group,
            ontology=self._ontology.number,
            sample=act.sample,
            selection=act.selection,
            time_ns=act.time_ns,
            undoes=act.undoes,
            redoes=act.redoes,
            restores=act.restores,
            barrier=min(barriers) if barriers else None,
            removed=act.removed,
            reason=act.reason,
            refusals=refusal_head(self._db),
        )

    def _change_set(self) -> ChangeSet:
        touched = self._writer.touched
        added: dict[RecordKind, frozenset[str]] = {}
        changed: dict[RecordKind, frozenset[str]] = {}
        removed: dict[RecordKind, frozenset[str]] = {}
        for kind, existed in touched.existed.items():
            gone = {record_id for one, record_id in touched.deleted if one is kind}
            parts = (
                (added, frozenset(i for i, old in existed.items() if not old and i not in gone)),
                (changed, frozenset(i for i, old in existed.items() if old and i not in gone)),
                (removed, frozenset(i for i in gone if existed[i])),
            )
            for target, ids in parts:
                if ids:
                    target[kind] = ids
        return ChangeSet(
            rev=self._writer.rev,
            label=self.act.label,
            actor=self.act.actor,
            group=self.act.group,
            initiator=self.act.initiator,
            added=added,
            changed=changed,
            removed=removed,
            samples=frozenset(SampleId(id_from_bytes(key)) for key in touched.samples),
        )


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """No search for cycles while a chunk is written: it makes none, and looking costs an eighth of the time."""
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.enable()


def _without_repeats(records: list[Record]) -> Iterable[list[Record]]:
    """Parts in which no id comes twice, so that every state of a record is journalled in order."""
    ids = {record.id for record in records}  # type: ignore[attr-defined]
    if len(ids) == len(records):
        yield records
        return
    part: list[Record] = []
    seen: set[str] = set()
    for record in records:
        record_id = record.id  # type: ignore[attr-defined]
        if record_id in seen:
            yield part
            part, seen = [], set()
        part.append(record)
        seen.add(record_id)
    yield part
