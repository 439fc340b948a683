"""The store: one project's records, their history, and the only door to change them.

``session.py`` holds one; commands get its transactions. One thread owns a store; long read-only work in another
thread opens a ``reader`` there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType

from workstation.core.errors import DataError, UserError
from workstation.core.ids import IdSource, SampleId
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, Right
from workstation.core.signal import Signal
from workstation.store import db
from workstation.store.changes import ChangeSet
from workstation.store.derived import DerivedWriter
from workstation.store.effective import EffectiveOntology, RulesOf, compiled
from workstation.store.foreign import HistoryImport
from workstation.store.queries import Reads
from workstation.store.refusals import Refusal, append_refusal, read_refusals
from workstation.store.removal import Removal, carry_out_removal, plan_removal, plan_removals
from workstation.store.restore import put_back
from workstation.store.revisions import ChainStart, RevisionKind, read_head, write_chain_start
from workstation.store.schema import SCHEMA_VERSION, create, version_of
from workstation.store.steps import DONE, UNDONE, edits_of, newest_step
from workstation.store.transaction import Act, Transaction
from workstation.store.undo import UndoResult, carry_out, plan
from workstation.store.verify import VerifyReport, verify
from workstation.store.view import Snapshot


def now_in_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


class Store(Reads):
    """An open project database. Use ``open`` or ``create``, and close it."""

    def __init__(
        self,
        connection: db.Connection,
        path: Path,
        *,
        actor: Actor,
        read_only: bool = False,
        immutable: bool = False,
        ids: IdSource | None = None,
        now_ms: Callable[[], int] = now_in_ms,
        rules_of: RulesOf = compiled,
        on_listener_error: Callable[[Exception], None] | None = None,
    ) -> None:
        super().__init__(connection)
        self.path = path
        self.actor = actor
        self.read_only = read_only or immutable
        self._immutable = immutable
        self.changed: Signal[ChangeSet] = Signal("changed", on_error=on_listener_error)
        self._ids = ids if ids is not None else IdSource(now_ms)
        self._now_ms = now_ms
        self._ontology = EffectiveOntology(rules_of)
        self._open_act: Act | None = None
        self._telling = False
        self.replica = str(connection.execute("SELECT value FROM meta WHERE key = 'replica'").fetchone()[0])

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        actor: Actor,
        read_only: bool = False,
        immutable: bool = False,
        ids: IdSource | None = None,
        now_ms: Callable[[], int] = now_in_ms,
        rules_of: RulesOf = compiled,
        on_listener_error: Callable[[Exception], None] | None = None,
    ) -> Store:
        """Open a project folder or its database file. Reads no records, whatever the size."""
        file = db.database_file(path)
        connection = db.connect(file, read_only, immutable=immutable)
        try:
            version = version_of(connection)
            if version > SCHEMA_VERSION and not read_only:
                raise DataError("was written by a newer version of the program: open it read-only", path=file)
            if version < SCHEMA_VERSION and not read_only:
                raise DataError(
                    "has an older schema: open the project, which makes a backup and migrates it", path=file
                )
            return cls(
                connection, file, actor=actor, read_only=read_only, immutable=immutable, ids=ids, now_ms=now_ms,
                rules_of=rules_of, on_listener_error=on_listener_error,
            )  # fmt: skip
        except db.DatabaseError as error:
            connection.close()
            raise db.in_words(error, file) from error
        except BaseException:
            connection.close()
            raise

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        actor: Actor,
        ids: IdSource | None = None,
        now_ms: Callable[[], int] = now_in_ms,
        rules_of: RulesOf = compiled,
        on_listener_error: Callable[[Exception], None] | None = None,
    ) -> Store:
        """Make a new database in a folder (or under a file name) and open it."""
        file = db.database_file(path)
        if file.exists():
            raise UserError(f"{file} exists already: open it, or choose another folder")
        source = ids if ids is not None else IdSource(now_ms)
        connection = db.connect(file, create=True)
        try:
            create(connection, replica=source.new())
            return cls(
                connection, file, actor=actor, ids=source, now_ms=now_ms, rules_of=rules_of,
                on_listener_error=on_listener_error,
            )  # fmt: skip
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the database; a second call does nothing."""
        if self._connection is None:
            return
        if self._open_act is not None:
            raise RuntimeError(f"the transaction {self._open_act.label!r} is still open")
        self._db.close()
        self._connection = None

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(
        self,
        label: str,
        *,
        actor: Actor | None = None,
        group: str | None = None,
        sample: SampleId | None = None,
        selection: tuple[str, ...] = (),
        time_ns: int | None = None,
        initiator: str = "",
        reason: str = "",
    ) -> Iterator[Transaction]:
        """One revision, one undo step, one ChangeSet; nothing at all if the block raises or changes nothing."""
        act = Act(
            label=label, actor=actor if actor is not None else self.actor, group=group, sample=sample,
            selection=selection, time_ns=time_ns, initiator=initiator, reason=reason,
        )  # fmt: skip
        with self._write(act) as transaction:
            yield transaction

    @contextmanager
    def restoring(self, label: str, *, start: ChainStart, reason: str) -> Iterator[Transaction]:
        """The first transaction of a salvaged project: what is written back need not fit today's ontology."""
        self._may_write()
        write_chain_start(self._db, start)
        act = Act(label=label, actor=self.actor, kind=RevisionKind.RESTORE, reason=reason)
        with self._write(act) as transaction:
            yield transaction

    def undo(
        self, actor: Actor | None = None, *, sample: SampleId | None = None, group: str | None = None,
        rev: int | None = None, initiator: str = "",
    ) -> UndoResult | None:  # fmt: skip
        """Take back the actor's last step (in ``sample``), a job by its group, or one revision.

        ``None`` if there is nothing to take back; refuses in words if something later depends on it.
        """
        return self._go(actor, sample, group, rev, initiator, forward=False)

    def redo(
        self, actor: Actor | None = None, *, sample: SampleId | None = None, group: str | None = None,
        rev: int | None = None, initiator: str = "",
    ) -> UndoResult | None:  # fmt: skip
        """Do again what was taken back last."""
        return self._go(actor, sample, group, rev, initiator, forward=True)

    def copy_to(self, target: Path) -> None:
        """Copy the database as it is now into a new file: to work on it, not to keep it (nothing is synced)."""
        self._check_idle("copy the project")
        db.copy_into(self._db, target, goes_on=lambda: True)

    def reader_elsewhere(self) -> Callable[[], Reader]:
        """What another thread calls to read the project as it is then, over a connection of its own; close that."""
        return partial(Reader, self.path, immutable=self._immutable)

    def view(self, rev: int, sample: SampleId | None = None) -> Snapshot:
        """The project as it was at a revision, to read from; close it. ``sample`` makes it quick in a large project."""
        self._check_idle("look at an earlier revision")
        return Snapshot(self.path, rev, sample=sample, immutable=self._immutable)

    def restore(
        self, rev: int, *, sample: SampleId | None = None, actor: Actor | None = None, reason: str = ""
    ) -> ChangeSet | None:
        """Make the project (or one sample) what it was at a revision, as a new revision; later ones stay in history."""
        self._may_write()
        if not 0 < rev <= self.head():
            raise UserError(f"there is no revision {rev}; the newest is {self.head()}")
        act = Act(
            label=f"Restore revision {rev}", actor=actor or self.actor, kind=RevisionKind.RESTORE, sample=sample,
            restores=rev, reason=reason,
        )  # fmt: skip
        told: list[ChangeSet] = []
        with self._write(act, told) as transaction:
            put_back(transaction, self._db, rev, sample)
        return told[0] if told else None

    def remove_content(self, kind: RecordKind, record_id: str, *, reason: str, actor: Actor | None = None) -> Removal:
        """Take the content of a deleted record out of the whole history; the chain still verifies. Cannot be undone."""
        self._may_write()
        if not reason.strip():
            raise UserError("removing content for good needs a reason")
        removal = plan_removal(self._db, kind, record_id)
        act = Act(
            label=f"Remove content of {kind.value} {record_id}", actor=actor or self.actor, kind=RevisionKind.REMOVAL,
            removed=removal.digests, reason=reason,
        )  # fmt: skip
        with self._write(act) as transaction:
            transaction.allow(Right.REMOVE_PAYLOAD)
            carry_out_removal(self._db, removal)
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # the log still holds the content
        return removal

    def remove_contents(self, gone: Iterable[tuple[RecordKind, str]], *, label: str, reason: str) -> Removal:
        """The same for many deleted records in one revision: for copies from which something is left out."""
        self._may_write()
        removal = plan_removals(self._db, gone)
        act = Act(label=label, actor=self.actor, kind=RevisionKind.REMOVAL, removed=removal.digests, reason=reason)
        with self._write(act) as transaction:
            transaction.allow(Right.REMOVE_PAYLOAD)
            carry_out_removal(self._db, removal)
        return removal

    def verify(
        self, *, against: str | None = None, progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> VerifyReport:
        """Audit the whole history and the tables made from it. In another thread: ``Reader.verify``."""
        return verify(self._db, against=against, progress=progress)

    @contextmanager
    def derived(self) -> Iterator[DerivedWriter]:
        """Write rebuildable data: no revision, no undo, no ChangeSet."""
        self._may_write()
        connection = self._db
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield DerivedWriter(connection)
            connection.execute("COMMIT")
        except BaseException as error:
            _roll_back(connection)
            if isinstance(error, db.DatabaseError) and db.is_trouble(error):
                raise db.in_words(error, self.path) from error
            raise

    @contextmanager
    def import_history(self) -> Iterator[HistoryImport]:
        """Take a whole history into this empty project, all of it or nothing."""
        self._may_write()
        connection = self._db
        try:
            connection.execute("BEGIN IMMEDIATE")
            incoming = HistoryImport(connection)
            yield incoming
            incoming.finish()
            connection.execute("COMMIT")
        except BaseException as error:
            _roll_back(connection)
            if isinstance(error, db.DatabaseError) and db.is_trouble(error):
                raise db.in_words(error, self.path) from error
            raise

    def undo_label(self, actor: Actor | None = None, sample: SampleId | None = None) -> str | None:
        """The label of what ``undo`` would take back, for menus."""
        return self._label(actor, DONE, sample)

    def redo_label(self, actor: Actor | None = None, sample: SampleId | None = None) -> str | None:
        """The label of what ``redo`` would do again, for menus."""
        return self._label(actor, UNDONE, sample)

    def head(self) -> int:
        """The number of the newest revision, 0 in a new project."""
        return read_head(self._db).rev

    def head_hash(self) -> str:
        """The hash of the newest revision, which stands for everything before it."""
        return read_head(self._db).hash.hex()

    def ontology(self) -> CompiledOntology | None:
        """The ontology in force, compiled; ``None`` before the first version is locked."""
        self._ontology.refresh(self._db)
        return self._ontology.rules

    def refusals(self) -> list[Refusal]:
        """What was refused for want of a right, oldest first."""
        return [stored.refusal for stored in read_refusals(self._db)]

    def log_refusal(self, label: str, problems: tuple[str, ...], actor: Actor | None = None) -> None:
        """Keep a refusal that was decided outside the gate (a command that needs a right of its own)."""
        if self.read_only:
            return
        connection = self._db
        connection.execute("BEGIN IMMEDIATE")
        try:
            append_refusal(
                connection, made_ms=self._now_ms(), actor=actor or self.actor, label=label, problems=problems
            )
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise

    def _label(self, actor: Actor | None, state: str, sample: SampleId | None) -> str | None:
        step = newest_step(self._db, actor or self.actor, state, sample)
        if step is None:
            return None
        row = self._db.execute("SELECT label FROM revision WHERE rev = ?", (edits_of(self._db, step)[0],)).fetchone()
        return str(row[0])

    def _go(
        self, actor: Actor | None, sample: SampleId | None, group: str | None, rev: int | None, initiator: str,
        *, forward: bool,
    ) -> UndoResult | None:  # fmt: skip
        who = actor if actor is not None else self.actor
        self._may_write()
        chosen = plan(self._db, who, forward=forward, sample=sample, group=group, rev=rev)
        if chosen is None:
            return None
        edits, header = tuple(sorted(chosen.revisions)), chosen.header
        act = Act(
            label=f"{'Redo' if forward else 'Undo'}: {header.label}", actor=who, sample=header.sample,
            kind=RevisionKind.REDO if forward else RevisionKind.UNDO, initiator=initiator,
            undoes=() if forward else edits, redoes=edits if forward else (),
        )  # fmt: skip
        told: list[ChangeSet] = []
        with self._write(act, told) as transaction:
            carry_out(transaction, self._db, chosen)
        return UndoResult(
            changes=told[0], label=header.label, revisions=edits, sample=header.sample, time_ns=header.time_ns,
            selection=header.selection,
        )  # fmt: skip

    def _check_idle(self, what: str) -> None:
        if self._open_act is not None:
            raise RuntimeError(f"a transaction is open ({self._open_act.label!r}): finish it to {what}")

    def _may_write(self) -> None:
        if self.read_only:
            raise UserError(f"{self.path} is open read-only: open it for writing to change it")
        if self._telling:
            raise RuntimeError("a listener of `changed` may not start a transaction: do it after the signal")
        if self._open_act is not None:
            raise RuntimeError(
                f"a transaction is open already ({self._open_act.label!r}): pass it on instead of opening another"
            )

    @contextmanager
    def _write(self, act: Act, told: list[ChangeSet] | None = None) -> Iterator[Transaction]:
        connection = self._db
        self._may_write()
        self._open_act = act
        transaction: Transaction | None = None
        try:
            connection.execute("BEGIN IMMEDIATE")
            transaction = Transaction(connection, act, self._ontology, self._ids.new, self.replica)
            yield transaction
            changes = transaction.finish(self._now_ms())
            connection.execute("COMMIT" if changes is not None else "ROLLBACK")
        except BaseException as error:
            _roll_back(connection)
            self._end(act, transaction)
            if isinstance(error, db.DatabaseError) and db.is_trouble(error):
                raise db.in_words(error, self.path) from error
            raise
        self._end(act, transaction)
        if changes is None:
            return
        if told is not None:
            told.append(changes)
        self._telling = True
        try:
            self.changed.emit(changes)
        finally:
            self._telling = False

    def _end(self, act: Act, transaction: Transaction | None) -> None:
        """The transaction is over, one way or the other: keep what was refused for want of a right."""
        self._open_act = None
        if transaction is None:
            return
        transaction.retire()
        for problems in transaction.denials:
            self.log_refusal(act.label, problems, act.actor)


def _roll_back(connection: db.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


class Reader(Reads):
    """A connection of its own for a long read in another thread: sees the project as it was when it was opened."""

    def __init__(self, path: Path, *, immutable: bool = False) -> None:
        super().__init__(db.connect(db.database_file(path), True, immutable=immutable))
        self._db.execute("BEGIN")
        self._db.execute("SELECT max(rev) FROM revision").fetchone()  # the moment that is seen

    def head(self) -> int:
        """The number of the newest revision that is seen."""
        return read_head(self._db).rev

    def verify(
        self, *, against: str | None = None, progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> VerifyReport:
        """Audit the whole history and the tables made from it."""
        return verify(self._db, against=against, progress=progress)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._db.close()
            self._connection = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
