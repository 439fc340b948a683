"""Record to row and back: per kind one table of what queries need, filled from the record by one function.

History keeps the record's bytes; a row of the current tables is only a projection of them, so ``audit verify`` can
compute it again. Called by the schema (columns), the writer (values), the reads (``read``) and the audit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from workstation.core import records
from workstation.core.annotation import (
    Annotation,
    Comment,
    Entity,
    FindingDecision,
    Keyframe,
    Link,
    Record,
    TargetKind,
    Verdict,
    Word,
)
from workstation.core.geometry import TextSpan, kind_of
from workstation.core.ids import id_to_bytes
from workstation.core.records import RecordKind
from workstation.core.sample import (
    Acknowledgement,
    Guideline,
    OntologyVersion,
    Parked,
    Person,
    Project,
    QueueItem,
    Rig,
    Sample,
    Stream,
)
from workstation.core.values import dataclass
from workstation.store.upcast import upcast

Row = tuple[Any, ...]
ID = re.compile(r"[0-7][0-9a-v]{25}")
WHOLE = -1
"""The bucket of what has no interval: it shows in every window."""

_key = lru_cache(maxsize=65_536)(id_to_bytes)


def key_of(record_id: str) -> bytes:
    """The database key of an id; kept for the ids that many records share."""
    return _key(record_id)


def key_or_none(record_id: str) -> bytes | None:
    """The key of an id, or ``None`` for what is no id."""
    return _key(record_id) if ID.fullmatch(record_id) else None


def _optional(record_id: str | None) -> bytes | None:
    return None if record_id is None else _key(record_id)


def bucket_of(start_ns: int | None, end_ns: int | None) -> int:
    """Which class of durations an interval falls in: bucket ``b`` holds durations below ``4 ** b``."""
    if start_ns is None or end_ns is None:
        return WHOLE
    return ((end_ns - start_ns).bit_length() + 1) >> 1


@dataclass(frozen=True, slots=True)
class Table:
    """The current table of one kind: its columns after the common ones, and how a record fills them.

    ``counted`` names the columns for scope, class, state and layer in the counts, "" where the kind has none.
    """

    kind: RecordKind
    columns: tuple[tuple[str, str], ...]
    values: Callable[[Any], Row]
    indexes: tuple[str, ...] = ()
    counted: tuple[str, str, str, str] = ("", "", "", "")

    @property
    def name(self) -> str:
        """The name in the database, the same word as everywhere."""
        return self.kind.value

    def position(self, column: str) -> int:
        """Where ``column`` stands in a row of ``values``."""
        return [name for name, _ in self.columns].index(column)


def target_key(kind: TargetKind, target: str) -> bytes | str:
    """What ``target`` is in the database: an id's key, or a modality's name."""
    return target if kind is TargetKind.MODALITY else _key(target)


def _project(record: Project) -> Row:
    return (record.name, record.profile)


def _person(record: Person) -> Row:
    return (record.name, record.active)


def _ontology(record: OntologyVersion) -> Row:
    return (record.number, record.state.value)


def _guideline(record: Guideline) -> Row:
    return (record.number,)


def _acknowledgement(record: Acknowledgement) -> Row:
    return (_key(record.person), record.guideline_number)


def _sample(record: Sample) -> Row:
    return (record.key, record.profile, record.state.value, _optional(record.assigned_to))


def _stream(record: Stream) -> Row:
    return (_key(record.sample), record.key, record.kind.value)


def _rig(record: Rig) -> Row:
    return (_key(record.sample), record.key, record.version, record.start_ns, record.end_ns)


def _entity(record: Entity) -> Row:
    return (_key(record.sample), record.class_id, record.number)


def _annotation(record: Annotation) -> Row:
    stream, entity, shape = record.stream, record.entity, record.shape
    start_ns, end_ns = record.start_ns, record.end_ns
    return (
        _key(record.sample),
        None if stream is None else _key(stream),
        None if entity is None else _key(entity),
        record.class_id,
        record.kind.value,
        record.state.value,
        record.layer,
        record.track is not None,
        WHOLE if start_ns is None or end_ns is None else ((end_ns - start_ns).bit_length() + 1) >> 1,
        start_ns,
        end_ns,
        record.item,
        _optional(shape.of) if type(shape) is TextSpan else None,
    )


def _keyframe(record: Keyframe) -> Row:
    shape = record.shape
    return (_key(record.annotation), record.time_ns, None if shape is None else kind_of(shape).value)


def _word(record: Word) -> Row:
    return (_key(record.annotation), record.position, record.start_ns, record.end_ns)


def _link(record: Link) -> Row:
    return (
        _key(record.sample), record.type_id, record.state.value, record.layer,
        record.start_ns, record.end_ns,
    )  # fmt: skip


def _verdict(record: Verdict) -> Row:
    target = target_key(record.target_kind, record.target)
    return (_key(record.sample), target, record.value.value, record.closed, _key(record.person))


def _comment(record: Comment) -> Row:
    target = target_key(record.target_kind, record.target)
    return (_key(record.sample), target, record.state.value, _key(record.person), _optional(record.reply_to))


def _finding_decision(record: FindingDecision) -> Row:
    return (_key(record.sample), record.fingerprint, record.rule, record.decision.value, _key(record.person))


def _queue_item(record: QueueItem) -> Row:
    target = target_key(record.target_kind, record.target)
    return (_key(record.sample), target, record.state.value, _optional(record.person))


def _parked(record: Parked) -> Row:
    return (_optional(record.sample), record.origin, record.kind, record.state.value)


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    """``"sample BLOB, key TEXT"`` as pairs."""
    return tuple((name, kind) for name, kind in (part.split() for part in text.split(",")))


_K = RecordKind
_TABLES = (
    Table(_K.PROJECT, _columns("name TEXT, profile TEXT"), _project),
    Table(_K.PERSON, _columns("name TEXT, active INTEGER"), _person),
    Table(_K.ONTOLOGY, _columns("number INTEGER, state TEXT"), _ontology, ("number",), ("", "", "state", "")),
    Table(_K.GUIDELINE, _columns("number INTEGER"), _guideline, ("number",)),
    Table(_K.ACKNOWLEDGEMENT, _columns("person BLOB, guideline_number INTEGER"), _acknowledgement, ("person",)),
    Table(
        _K.SAMPLE, _columns("key TEXT, profile TEXT, state TEXT, assigned_to BLOB"), _sample,
        ("key", "state, key", "assigned_to, key"), ("", "", "state", ""),
    ),
    Table(
        _K.STREAM, _columns("sample BLOB, key TEXT, kind TEXT"), _stream,
        ("sample, key",), ("sample", "kind", "", ""),
    ),
    Table(
        _K.RIG, _columns("sample BLOB, key TEXT, version INTEGER, start_ns INTEGER, end_ns INTEGER"), _rig,
        ("sample, key, version",), ("sample", "", "", ""),
    ),
    Table(
        _K.ENTITY, _columns("sample BLOB, class_id TEXT, number INTEGER"), _entity,
        ("sample, number",), ("sample", "class_id", "", ""),
    ),
    Table(
        _K.ANNOTATION,
        _columns(
            "sample BLOB, stream BLOB, entity BLOB, class_id TEXT, kind TEXT, state TEXT, layer TEXT, tracked INTEGER,"
            " bucket INTEGER, start_ns INTEGER, end_ns INTEGER, item TEXT, text_of BLOB"
        ),
        _annotation,
        ("sample", "ifnull(stream, sample), bucket, start_ns, end_ns", "entity?", "text_of?"),
        ("sample", "class_id", "state", "layer"),
    ),
    Table(
        _K.KEYFRAME, _columns("annotation BLOB, time_ns INTEGER, shape_kind TEXT"), _keyframe, ("annotation, time_ns",),
    ),
    Table(
        _K.WORD, _columns("annotation BLOB, position INTEGER, start_ns INTEGER, end_ns INTEGER"), _word,
        ("annotation, position",),
    ),
    Table(
        _K.LINK, _columns("sample BLOB, type_id TEXT, state TEXT, layer TEXT, start_ns INTEGER, end_ns INTEGER"), _link,
        ("sample",), ("sample", "type_id", "state", "layer"),
    ),
    Table(
        _K.VERDICT, _columns("sample BLOB, target BLOB, value TEXT, closed INTEGER, person BLOB"), _verdict,
        ("sample", "target"), ("sample", "", "value", ""),
    ),
    Table(
        _K.COMMENT, _columns("sample BLOB, target BLOB, state TEXT, person BLOB, reply_to BLOB"), _comment,
        ("sample", "target", "reply_to?"), ("sample", "", "state", ""),
    ),
    Table(
        _K.FINDING_DECISION, _columns("sample BLOB, fingerprint TEXT, rule TEXT, decision TEXT, person BLOB"),
        _finding_decision, ("sample", "fingerprint"), ("sample", "rule", "decision", ""),
    ),
    Table(
        _K.QUEUE_ITEM, _columns("sample BLOB, target BLOB, state TEXT, person BLOB"), _queue_item,
        ("sample", "target"), ("sample", "", "state", ""),
    ),
    Table(
        _K.PARKED, _columns("sample BLOB, origin TEXT, kind TEXT, state TEXT"), _parked,
        ("sample",), ("sample", "kind", "state", ""),
    ),
)  # fmt: skip
TABLES: dict[RecordKind, Table] = {table.kind: table for table in _TABLES}
KINDS: dict[str, RecordKind] = {kind.value: kind for kind in RecordKind}


def link_end_rows(key: bytes, link: Link) -> list[Row]:
    """The rows of ``link_end`` of one link: link, ordinal, role, kind, target."""
    return [
        (key, ordinal, end.role, end.kind.value, target_key(end.kind, end.target))
        for ordinal, end in enumerate(link.ends)
    ]


def read(kind: RecordKind, payload: bytes, schema_version: int) -> Record:
    """The record of stored bytes, whatever version of the program wrote them."""
    return records.decode(kind, upcast(kind, payload, schema_version))
