"""Undo and redo: which step, whether anything later depends on it, and what to write back.

A step may be taken back while every record still holds what the step wrote: values are compared, not clocks.
Called by the store inside an ordinary transaction; the gate checks structure and references as always.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from workstation.core.errors import UserError
from workstation.core.ids import SampleId, id_from_bytes
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind, Right, refusal
from workstation.core.values import dataclass
from workstation.store.changes import ChangeSet
from workstation.store.db import Connection
from workstation.store.references import revision_in_words
from workstation.store.revisions import DELETE, Barrier, Header, decode_header, owner_of
from workstation.store.rows import KINDS, key_of, read
from workstation.store.steps import DONE, UNDONE, Step, edits_of, newest_step, step_of_group, step_of_revision
from workstation.store.transaction import Transaction

_BARRIER_IN_WORDS = {
    Barrier.ONTOLOGY: "changed the ontology",
    Barrier.SYNC: "changed clocks or calibration",
    Barrier.MERGE: "merged another copy",
}
_READ = (
    "SELECT c.kind, c.id, c.op, c.digest, c.payload, c.schema_version, p.op, p.digest, p.payload, p.schema_version,"
    " p.rev FROM change c LEFT JOIN change p ON p.seq = c.prev_seq WHERE c.seq BETWEEN ? AND ? ORDER BY c.seq"
)
_JOB_RIGHT = {ActorKind.MODEL: Right.RUN_MODELS, ActorKind.IMPORT: Right.IMPORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoResult:
    """What an undo or redo did, and where to look: the step's own label, time, sample and selection."""

    changes: ChangeSet
    label: str
    revisions: tuple[int, ...]
    sample: SampleId | None = None
    time_ns: int | None = None
    selection: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A step that is about to be taken back (or done again), with its revisions in the order of writing."""

    step: Step
    revisions: tuple[int, ...]
    header: Header
    forward: bool


@dataclass(frozen=True, slots=True)
class _Image:
    """A record at one end of a change; without a digest it was not there."""

    digest: bytes | None
    payload: bytes | None
    schema_version: int


@dataclass(frozen=True, slots=True)
class _Write:
    kind: RecordKind
    key: bytes
    expected: _Image
    wanted: _Image
    since: int | None


def plan(
    connection: Connection, actor: Actor, *, forward: bool, sample: str | None, group: str | None, rev: int | None
) -> Plan | None:
    """The step to take back or do again; ``None`` if the stack is empty. Raises if something stands in the way."""
    state = UNDONE if forward else DONE
    if group is not None:
        step = step_of_group(connection, group, state)
    elif rev is not None:
        step = step_of_revision(connection, rev)
        if step is not None and step.state != state:
            raise UserError(f"revision {rev} is {'not undone' if forward else 'undone already'}")
    else:
        step = newest_step(connection, actor, state, sample)
    if step is None:
        if group is not None or rev is not None:
            what = f"group {group}" if group is not None else f"revision {rev}"
            raise UserError(f"{what} has nothing to {'redo' if forward else 'undo'}")
        return None
    revisions = edits_of(connection, step)
    header = _header(connection, revisions[0])
    _check_owner(actor, step, header)
    _check_barriers(connection, actor, step, header, revisions)
    return Plan(step, tuple(reversed(revisions)) if forward else tuple(revisions), header, forward)


def _header(connection: Connection, rev: int) -> Header:
    (data,) = connection.execute("SELECT header FROM revision WHERE rev = ?", (rev,)).fetchone()
    return decode_header(data)


def _check_owner(actor: Actor, step: Step, header: Header) -> None:
    if step.owner == owner_of(actor) or actor.kind is ActorKind.SYSTEM:
        return
    right = _JOB_RIGHT.get(header.actor.kind)
    if right is None:
        raise UserError(
            f"revision {step.id} “{header.label}” is {header.actor.name}'s: "
            "everybody takes back only what is their own; edit it, or restore an earlier revision"
        )
    reason = refusal(actor, right)
    if reason is not None:
        raise UserError(reason)


def _check_barriers(connection: Connection, actor: Actor, step: Step, header: Header, edits: list[int]) -> None:
    for rev, name in connection.execute(
        "SELECT rev, barrier FROM revision WHERE barrier IS NOT NULL AND rev > ? AND owner <> ? ORDER BY rev",
        (step.changed_rev, owner_of(actor)),
    ):
        barrier = Barrier(name)
        if barrier is Barrier.SYNC and not _meet(connection, rev, edits):
            continue
        raise UserError(
            f"“{header.label}” cannot be taken back or done again: {revision_in_words(connection, rev)} "
            f"{_BARRIER_IN_WORDS[barrier]} since; make the change by hand, or restore an earlier revision"
        )


def _meet(connection: Connection, barrier: int, edits: list[int]) -> bool:
    """Whether a change of clocks or calibration is in a sample that the step touched."""
    first, count = connection.execute("SELECT first_seq, changes FROM revision WHERE rev = ?", (barrier,)).fetchone()
    rows = connection.execute(
        "SELECT c.kind, c.schema_version, coalesce(c.payload, p.payload) FROM change c LEFT JOIN change p"
        " ON p.seq = c.prev_seq WHERE c.seq BETWEEN ? AND ? AND c.kind IN ('stream', 'rig')",
        (first, first + count - 1),
    )
    samples = {read(KINDS[kind], payload, version).sample for kind, version, payload in rows}  # type: ignore[attr-defined]
    return any(
        connection.execute(
            "SELECT 1 FROM revision_sample WHERE sample = ? AND rev = ?", (key_of(sample), rev)
        ).fetchone()
        for sample in samples
        for rev in edits
    )


def carry_out(transaction: Transaction, connection: Connection, chosen: Plan) -> None:
    """Check that nothing later depends on the step, then write."""
    writes = _writes(connection, chosen)
    now: dict[tuple[RecordKind, bytes], bytes | None] = {}
    since: dict[tuple[RecordKind, bytes], int | None] = {}
    for write in writes:
        place = (write.kind, write.key)
        if place not in now:
            now[place], since[place] = _current(connection, *place)
        if now[place] != write.expected.digest:
            raise UserError(_in_the_way(connection, chosen, write, since[place]))
        if write.wanted.digest is not None and write.wanted.payload is None:
            raise UserError(
                f"“{chosen.header.label}” cannot be taken back or done again: the content of {write.kind.value} "
                f"{id_from_bytes(write.key)} was removed for good"
            )
        now[place], since[place] = write.wanted.digest, write.since
    for kind, there, run in _runs(writes):
        if there:
            transaction.put_many(
                read(kind, write.wanted.payload, write.wanted.schema_version)
                for write in run
                if write.wanted.payload is not None
            )
        else:
            transaction.delete_many(kind, [id_from_bytes(write.key) for write in run])


def _runs(writes: list[_Write]) -> Iterator[tuple[RecordKind, bool, list[_Write]]]:
    """Neighbours of one kind that are all put, or all deleted: kind, whether they are put, and the writes."""
    for (kind, there), run in groupby(writes, key=lambda write: (write.kind, write.wanted.digest is not None)):
        yield kind, there, list(run)


def _writes(connection: Connection, chosen: Plan) -> list[_Write]:
    """What the step did, turned round for an undo."""
    writes: list[_Write] = []
    for rev in chosen.revisions:
        first, count = connection.execute("SELECT first_seq, changes FROM revision WHERE rev = ?", (rev,)).fetchone()
        part = []
        for kind, key, op, digest, payload, version, *rest in connection.execute(_READ, (first, first + count - 1)):
            after = _Image(None, None, 0) if op == DELETE else _Image(digest, payload, version)
            old_op, old_digest, old_payload, old_version, old_rev = rest
            there = old_op is not None and old_op != DELETE
            before = _Image(old_digest, old_payload, old_version) if there else _Image(None, None, 0)
            if chosen.forward:
                part.append(_Write(KINDS[kind], key, before, after, rev))
            else:
                part.append(_Write(KINDS[kind], key, after, before, old_rev))
        writes += part if chosen.forward else reversed(part)
    return writes


def _current(connection: Connection, kind: RecordKind, key: bytes) -> tuple[bytes | None, int | None]:
    """The digest of a record as it stands, and the revision that made it so."""
    row = connection.execute(
        f"SELECT c.digest, c.rev FROM {kind.value} t JOIN change c ON c.seq = t.seq WHERE t.id = ?", (key,)
    ).fetchone()
    if row is not None:
        return row[0], row[1]
    row = connection.execute(
        "SELECT c.rev FROM removed r JOIN change c ON c.seq = r.seq WHERE r.kind = ? AND r.id = ?", (kind.value, key)
    ).fetchone()
    return None, None if row is None else row[0]


def _in_the_way(connection: Connection, chosen: Plan, write: _Write, since: int | None) -> str:
    later = "a later change" if since is None else revision_in_words(connection, since)
    verb = "done again" if chosen.forward else "taken back"
    return (
        f"“{chosen.header.label}” cannot be {verb}: {later} changed {write.kind.value} "
        f"{id_from_bytes(write.key)} since; undo that first, or make the change by hand"
    )
