"""The one place where a write is allowed or refused, whoever asks: window, script, import, model, undo.

Checked at once: types (by decoding what was encoded), structure, rights, authority, and the ontology where the
surroundings are known. Checked at the commit (``final.py``): references, ends of links, unique keys, what was waiting.
In restore mode (undo, redo, restore, import of a history) today's ontology and the rules of states are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workstation.core import records
from workstation.core.annotation import Annotation, Keyframe, Record, State
from workstation.core.errors import DataError, Refused, UserError
from workstation.core.geometry import Mask, PointSet, kind_of
from workstation.core.ids import id_to_bytes
from workstation.core.ontology_compile import CompiledOntology, compile_ontology
from workstation.core.ontology_parse import parse_ontology
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind, Right, refusal
from workstation.core.sample import OntologyVersion, Person
from workstation.store.context import AnnotationView, Context
from workstation.store.db import Connection
from workstation.store.permissions import LABELS, authority_problems, changes_sync, locked_problems, rights_for
from workstation.store.references import HOLDING_OF
from workstation.store.revisions import Barrier
from workstation.store.rows import ID, TABLES, key_of, key_or_none, read
from workstation.store.structure import MAX_RECORD_BYTES, structure_problems
from workstation.store.writer import Before, Put, Writer, prepared
from workstation.store.yaml import load_yaml

NOT_LOCKED = (
    "no version of the ontology is locked yet, so nothing can be labelled: "
    "review the draft and run `workstation ontology lock`"
)
_SHOWN_PROBLEMS = 100
_SAMPLE_BOUND = frozenset(kind for kind, table in TABLES.items() if any(name == "sample" for name, _ in table.columns))


RulesOf = Callable[[OntologyVersion], CompiledOntology]


def compiled(version: OntologyVersion) -> CompiledOntology:
    """The checks of a version's text."""
    source = f"ontology version {version.number}"
    return compile_ontology(parse_ontology(load_yaml(version.text, source=source), source=source))


class NotAllowed(Refused):
    """Refused for want of a right or authority; the store logs it."""


class EffectiveOntology:
    """The locked version with the highest number, compiled once and kept until another one takes its place."""

    def __init__(self, rules_of: RulesOf = compiled) -> None:
        self._rules_of = rules_of
        self.digest: bytes | None = None
        self.number = 0
        self.rules: CompiledOntology | None = None

    def refresh(self, connection: Connection) -> None:
        """Look which version is in force now."""
        row = connection.execute(
            "SELECT t.seq, c.digest FROM ontology t CROSS JOIN change c ON c.seq = t.seq"
            " WHERE t.state = 'locked' ORDER BY t.number DESC LIMIT 1"
        ).fetchone()
        digest = None if row is None else row[1]
        if digest == self.digest:
            return
        self.digest, self.number, self.rules = None, 0, None
        if row is not None:
            payload, version = connection.execute(
                "SELECT payload, schema_version FROM change WHERE seq = ?", (row[0],)
            ).fetchone()
            record = read(RecordKind.ONTOLOGY, payload, version)
            if isinstance(record, OntologyVersion):
                self.number, self.rules = record.number, self._rules_of(record)
        self.digest = digest


class Gate:
    """The checks of one transaction."""

    def __init__(
        self, connection: Connection, actor: Actor, ontology: EffectiveOntology, writer: Writer, *,
        restoring: bool, giving_back: bool,
    ) -> None:  # fmt: skip
        """``restoring``: earlier states are written; ``giving_back``: they were the actor's own to change."""
        self.db = connection
        self.actor = actor
        self.ontology = ontology
        self.restoring = restoring
        self._giving_back = giving_back
        self.context = Context(connection)
        self.barriers: set[Barrier] = set()
        self.missing: dict[tuple[RecordKind, bytes], str] = {}
        self.missing_blobs: dict[str, str] = {}
        self.late: dict[tuple[RecordKind, str], tuple[Record, Record | None]] = {}
        self.unique: dict[RecordKind, set[tuple[Any, ...]]] = {}
        self.recheck: dict[tuple[RecordKind, str], bytes] = {}
        self._waiting: list[Put] = []
        self.next_rev = writer.rev
        self._writer = writer
        self._rights: dict[Right, str | None] = {}
        self._actor_problem = _actor_problem(connection, actor)
        self._free = self._kinds_without_question()

    def puts(self, kind: RecordKind, given: list[Record]) -> list[Put]:
        """The given records, each id once, as they will be stored; those that change nothing are left out.

        Refuses all of them if one cannot be stored.
        """
        problems: list[str] = []
        denied: list[str] = []
        puts: list[Put] = []
        for record in given:
            put = _typed(kind, record, problems)
            if put is not None:
                puts.append(put)
        before = self._writer.before(kind, [put.key for put in puts])
        accepted = []
        free = kind in self._free
        for put in puts:
            put.before = before.get(put.key)
            if put.before is not None and put.before.digest == put.digest:
                continue
            old = None if put.before is None else put.before.record
            if not free or getattr(put.record, "state", None) is State.APPROVED:
                denied.extend(f"{kind.value} {put.record_id}: {text}" for text in self._denials(kind, old, put.record))
            found = self._problems(kind, put, old)
            if found:
                problems.extend(f"{kind.value} {put.record_id} {text}" for text in found)
            accepted.append(put)
        if denied or problems:
            self._waiting.clear()
            raise refused(denied, problems)
        self._note(kind, accepted)
        return accepted

    def _note(self, kind: RecordKind, puts: list[Put]) -> None:
        """What must be looked at again at the commit. Only of records that were accepted."""
        for put in puts:
            self._note_references(kind, put)
            if put.before is not None:
                self._note_change(kind, put, put.before.record)
        columns = UNIQUE.get(kind)
        if columns is not None:
            self.unique.setdefault(kind, set()).update(tuple([put.row[at] for at in columns]) for put in puts)
        if self.late:
            for put in puts:
                self.late.pop((kind, put.record_id), None)
        for put in self._waiting:
            self.late[kind, put.record_id] = (put.record, None if put.before is None else put.before.record)
        self._waiting.clear()

    def _note_change(self, kind: RecordKind, put: Put, before: Record) -> None:
        if changes_sync(kind, before, put.record):
            self.barriers.add(Barrier.SYNC)
        if _others_lean_on_it(kind, before, put.record):
            self.recheck[kind, put.record_id] = put.key

    def written(self, kind: RecordKind, puts: list[Put]) -> None:
        """The writer has taken the records."""
        self.context.forget(kind, [put.key for put in puts])
        if kind is RecordKind.ONTOLOGY:
            self.ontology.refresh(self.db)

    def deletes(self, kind: RecordKind, record_ids: list[str]) -> list[tuple[str, bytes, Before]]:
        """The records as they stand, if they may be deleted; what points at them is looked at in the end."""
        problems: list[str] = []
        denied: list[str] = []
        keys = {record_id: key_or_none(record_id) or b"" for record_id in record_ids}
        before = self._writer.before(kind, list(keys.values()))
        victims = []
        for record_id, key in keys.items():
            old = before.get(key)
            if old is None:
                problems.append(f"{kind.value} {record_id} cannot be deleted: there is no such {kind.value}")
                continue
            name = f"{kind.value} {record_id}"
            denied.extend(f"{name}: {text}" for text in self._denials(kind, old.record, None))
            locked = () if self.restoring else locked_problems(old.record, None)
            problems.extend(f"{name}: {text}" for text in locked)
            if changes_sync(kind, old.record, None):
                self.barriers.add(Barrier.SYNC)
            victims.append((record_id, key, old))
        if denied or problems:
            raise refused(denied, problems)
        for record_id in record_ids:
            self.late.pop((kind, record_id), None)
            self.recheck.pop((kind, record_id), None)
        return victims

    def deleted(self, kind: RecordKind, keys: list[bytes]) -> None:
        """The writer has deleted the records."""
        self.context.forget(kind, keys)
        if kind is RecordKind.ONTOLOGY:
            self.ontology.refresh(self.db)

    def allow(self, right: Right) -> None:
        """Raise unless the actor has the right."""
        reason = self._right(right)
        if reason is not None:
            raise NotAllowed((reason,))

    def _right(self, right: Right) -> str | None:
        if right not in self._rights:
            self._rights[right] = refusal(self.actor, right)
        return self._rights[right]

    def _kinds_without_question(self) -> frozenset[RecordKind]:
        """What this actor may write and delete in any way short of approving; decided once for a million records."""
        if self.actor.kind is ActorKind.SYSTEM:
            return frozenset(RecordKind)
        by_hand = self.actor.kind is ActorKind.PERSON or (
            self.actor.kind is ActorKind.SCRIPT and self.actor.person is not None
        )
        allowed = by_hand and self._actor_problem is None and self._right(Right.LABEL) is None
        return LABELS if allowed else frozenset()

    def _denials(self, kind: RecordKind, before: Record | None, after: Record | None) -> Iterator[str]:
        if self.actor.kind is ActorKind.SYSTEM:
            return
        if self._actor_problem is not None:
            yield self._actor_problem
        for right in rights_for(self.actor, kind, before, after):
            # Whoever undoes gives back what somebody with the right had written.
            reason = None if self._giving_back and right is Right.REVIEW and kind in LABELS else self._right(right)
            if reason is not None:
                yield reason
        if not self.restoring:
            yield from authority_problems(self.actor, kind, before, after)

    def _problems(self, kind: RecordKind, put: Put, before: Record | None) -> list[str]:
        problems = list(structure_problems(kind, put.record))
        if before is not None:
            problems.extend(_fixed_problems(kind, before, put.record))
            if not self.restoring:
                problems.extend(locked_problems(before, put.record))
        if kind in LABELS:
            problems += self._label_problems(kind, put, before)
        return problems

    def _label_problems(self, kind: RecordKind, put: Put, before: Record | None) -> list[str]:
        """What the surroundings and the ontology say; waits for the commit if the surroundings are not there yet."""
        record = put.record
        if not self.restoring:
            if self.ontology.rules is None:
                return [NOT_LOCKED]
            if getattr(record, "ontology_version", 0) > self.ontology.number:
                return [f"claims an ontology version after {self.ontology.number}, the newest that is locked"]
        found = None if kind is RecordKind.LINK else self.in_context(kind, record, before)
        if found is None:
            self._waiting.append(put)
            return []
        return found

    def _note_references(self, kind: RecordKind, put: Put) -> None:
        for position, pointer in HOLDING_OF[kind]:
            key = put.row[position]
            if key is not None and not self.context.exists(pointer.target, key):
                self.missing.setdefault((pointer.target, key), f"{kind.value} {put.record_id}")
        shape = getattr(put.record, "shape", None)
        if isinstance(shape, Mask | PointSet) and not self.context.has_blob(shape.blob):
            self.missing_blobs.setdefault(shape.blob, f"{kind.value} {put.record_id}")

    def in_context(self, kind: RecordKind, record: Any, before: Any = None) -> list[str] | None:
        """The problems of a label among its surroundings; ``None`` if part of them is missing."""
        if kind is RecordKind.ANNOTATION:
            return self._annotation_in_context(record, before)
        if kind is RecordKind.ENTITY:
            rules = self._rules()
            return [] if rules is None else rules.check_entity(record, before)
        annotation = self.context.annotation(key_of(record.annotation))
        if annotation is None:
            return None
        problems = []
        if self.actor.kind is ActorKind.MODEL and annotation.state != "proposed":
            problems.append(f"belongs to an annotation that is {annotation.state}, which is not a model's to change")
        if kind is RecordKind.KEYFRAME:
            problems += self._keyframe_in_context(record, annotation, before)
        return problems

    def _rules(self) -> CompiledOntology | None:
        return None if self.restoring else self.ontology.rules

    def _annotation_in_context(self, record: Annotation, before: Annotation | None) -> list[str] | None:
        sample = key_of(record.sample)
        stream_kind = entity_class = None
        problems: list[str] = []
        if record.stream is not None:
            stream = self.context.stream(key_of(record.stream))
            if stream is None:
                return None
            if stream.sample != sample:
                problems.append(f"lies on stream {record.stream}, which belongs to another sample")
            stream_kind = stream.kind
        if record.entity is not None:
            entity = self.context.entity(key_of(record.entity))
            if entity is None:
                return None
            if entity.sample != sample:
                problems.append(f"shows entity {record.entity}, which belongs to another sample")
            entity_class = entity.class_id
        rules = self._rules()
        if rules is not None:
            problems += rules.check_annotation(record, stream_kind, entity_class, before)
        return problems

    def _keyframe_in_context(self, record: Keyframe, annotation: AnnotationView, before: Keyframe | None) -> list[str]:
        problems = []
        if not annotation.tracked:
            problems.append(f"belongs to annotation {record.annotation}, which is no track")
        if record.shape is not None and kind_of(record.shape) is not annotation.kind:
            problems.append(f"holds a {kind_of(record.shape).value}; its track is made of {annotation.kind.value}")
        rules = self._rules()
        if rules is not None:
            stream = None if annotation.stream is None else self.context.stream(annotation.stream)
            kind = None if stream is None else stream.kind
            problems += rules.check_keyframe(record, annotation.kind, kind, annotation.class_id, before)
        return problems


UNIQUE: dict[RecordKind, tuple[int, ...]] = {
    kind: tuple(TABLES[kind].position(column) for column in columns)
    for kind, columns in {
        RecordKind.SAMPLE: ("key",),
        RecordKind.STREAM: ("sample", "key"),
        RecordKind.RIG: ("sample", "key", "version"),
        RecordKind.KEYFRAME: ("annotation", "time_ns"),
        RecordKind.ENTITY: ("sample", "number"),
        RecordKind.ONTOLOGY: ("number",),
        RecordKind.GUIDELINE: ("number",),
        RecordKind.PROJECT: (),
    }.items()
}


def refused(denied: list[str], problems: list[str]) -> Refused:
    """The refusal for these reasons; want of a right comes first and is the kind that is logged."""
    reasons = list(dict.fromkeys((*denied, *problems)))
    shown = reasons[:_SHOWN_PROBLEMS]
    if len(reasons) > len(shown):
        shown.append(f"… and {len(reasons) - len(shown)} more of this sort")
    return (NotAllowed if denied else Refused)(tuple(shown))


def _typed(kind: RecordKind, record: Any, problems: list[str]) -> Put | None:
    """The record as it will come back from the disk; a wrong type or a NaN does not come back as it went."""
    record_id = record.id
    if type(record_id) is not str or ID.fullmatch(record_id) is None:
        problems.append(f"{kind.value}: {str(record_id)[:40]!r} is no id (26 characters of 0-9 and a-v)")
        return None
    try:
        stored = records.decode(kind, records.encode(record))
        payload = records.encode(stored)
    except (DataError, TypeError, ValueError, OverflowError, RecursionError) as error:
        problems.append(f"{kind.value} {record_id} cannot be stored: {error}")
        return None
    if stored != record:
        problems.append(
            f"{kind.value} {record_id} would not come back as it is: it holds NaN, an infinity, or a list where "
            "a tuple belongs"
        )
        return None
    if len(payload) > MAX_RECORD_BYTES:
        problems.append(f"{kind.value} {record_id} has {len(payload)} bytes; at most {MAX_RECORD_BYTES} are kept")
        return None
    try:
        return prepared(kind, stored, id_to_bytes(record_id), payload)
    except ValueError as error:
        problems.append(f"{kind.value} {record_id} names a record by something that is no id: {error}")
        return None


def _others_lean_on_it(kind: RecordKind, before: Any, after: Any) -> bool:
    """Whether the change may make keyframes or annotations unfit that were not written themselves."""
    if kind is RecordKind.ENTITY:
        return bool(before.class_id != after.class_id)
    fields = ("kind", "track", "class_id", "entity", "stream")
    return kind is RecordKind.ANNOTATION and any(getattr(before, name) != getattr(after, name) for name in fields)


def _fixed_problems(kind: RecordKind, before: Any, after: Any) -> Iterator[str]:
    """What may not change while a record lives: where it belongs."""
    if kind in _SAMPLE_BOUND and before.sample != after.sample and before.sample is not None:
        yield "may not move to another sample: copy it there and delete it here"
    if kind in (RecordKind.KEYFRAME, RecordKind.WORD) and before.annotation != after.annotation:
        yield "may not move to another annotation: add it there and delete it here"


def _actor_problem(connection: Connection, actor: Actor) -> str | None:
    """Why the actor may not act at all: unknown, gone, or not in that role."""
    if actor.person is None or actor.kind is ActorKind.SYSTEM:
        return None
    if ID.fullmatch(actor.person) is None:
        raise UserError(f"the actor {actor.name} names a person by {actor.person[:40]!r}, which is no id")
    row = connection.execute(
        "SELECT c.payload, c.schema_version FROM person t CROSS JOIN change c ON c.seq = t.seq WHERE t.id = ?",
        (id_to_bytes(actor.person),),
    ).fetchone()
    if row is None:
        nobody = connection.execute("SELECT 1 FROM person LIMIT 1").fetchone() is None
        return None if nobody else f"{actor.name} is not among the people of this project"
    person = read(RecordKind.PERSON, *row)
    if isinstance(person, Person):
        if not person.active:
            return f"{person.name} does not work in this project any more"
        if actor.role not in person.roles:
            return f"{person.name} may not act as {actor.role.value}: ask a lead to add the role"
    return None
