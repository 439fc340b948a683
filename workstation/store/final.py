"""The checks at the commit: they look at how a transaction leaves the project, so order inside it does not matter.

References lead somewhere, nothing deleted is still pointed at, links fit their type, keys are unique, tracks and
keyframes agree, and what an entity's new class means for its annotations. Called once by the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workstation.core.annotation import Annotation, Keyframe, Link, LinkEnd, Record, TargetKind
from workstation.core.ids import id_from_bytes
from workstation.core.ontology_links import EndView
from workstation.core.records import RecordKind
from workstation.store.gate import UNIQUE, Gate, refused
from workstation.store.references import REMEMBERING, dependents, exists, has_dependents, revision_in_words, was_removed
from workstation.store.rows import TABLES, key_or_none, read
from workstation.store.writer import Writer

_NAMED = 3
_TARGET_TABLE = {kind: RecordKind(kind.value) for kind in TargetKind if kind is not TargetKind.MODALITY}
_STATEMENT_LATE = 500


def check_final(gate: Gate, writer: Writer) -> None:
    """Refuse the transaction if it would leave the project in a state that must not be."""
    problems: list[str] = []
    for check in (_missing, _dangling, _late, _rechecked, _unique, _remembered, _entity_numbers):
        for problem in check(gate, writer):
            problems.append(problem)
            if len(problems) > _STATEMENT_LATE:
                raise refused([], problems)
    if problems:
        raise refused([], problems)


def _missing(gate: Gate, _writer: Writer) -> Iterator[str]:
    for (kind, key), who in gate.missing.items():
        if not exists(gate.db, kind, key):
            yield f"{who} needs {kind.value} {id_from_bytes(key)}, {_why_missing(gate, kind, key)}"
    for blob, who in gate.missing_blobs.items():
        if not gate.context.has_blob(blob):
            yield f"{who} names the blob {blob[:12]}…, which is not stored: put the blob first"


def _why_missing(gate: Gate, kind: RecordKind, key: bytes) -> str:
    rev = was_removed(gate.db, kind, key)
    if rev is None:
        return "which does not exist: add it first"
    return f"which was deleted in {revision_in_words(gate.db, rev)}"


def _dangling(gate: Gate, writer: Writer) -> Iterator[str]:
    for (kind, record_id), key in writer.touched.deleted.items():
        if not has_dependents(gate.db, kind, key):
            continue
        found = list(dependents(gate.db, kind, key, limit=_NAMED + 1))
        for one in found[:_NAMED]:
            advice = (
                "remove or re-target the link, or turn it into an absence"
                if one.kind is RecordKind.LINK
                else ("delete or change that first")
            )
            yield (
                f"{kind.value} {record_id} cannot be deleted: {one.kind.value} {one.id} points at it ({one.way}, "
                f"since {revision_in_words(gate.db, one.rev)}); {advice}"
            )
        if len(found) > _NAMED:
            yield f"{kind.value} {record_id} cannot be deleted: more records point at it"


def _late(gate: Gate, _writer: Writer) -> Iterator[str]:
    for (kind, record_id), (record, before) in gate.late.items():
        name = f"{kind.value} {record_id}"
        if isinstance(record, Link):
            for problem in _link(gate, record, before):
                yield f"{name} {problem}"
            continue
        for problem in gate.in_context(kind, record, before) or ():
            yield f"{name} {problem}"


def _link(gate: Gate, link: Link, before: Record | None) -> Iterator[str]:
    sample = key_or_none(link.sample)
    ends = []
    whole = True
    for end in link.ends:
        if end.kind is TargetKind.MODALITY:
            ends.append(EndView(end.role, end.kind, end.target, stream_kind=end.target))
            continue
        key = key_or_none(end.target)
        kind = _TARGET_TABLE[end.kind]
        if key is None or not exists(gate.db, kind, key):
            whole = False
            why = "which is no id" if key is None else _why_missing(gate, kind, key)
            yield f"points at {kind.value} {end.target} as {end.role}, {why}"
            continue
        view, owner = _end_view(gate, end, key)
        if owner is not None and owner != sample:
            yield f"points at {kind.value} {end.target} as {end.role}, which belongs to another sample"
        ends.append(view)
        if end.confirmed_revision is not None and not 0 <= end.confirmed_revision <= gate.next_rev:
            yield f"claims that an end was confirmed in revision {end.confirmed_revision}, which is still to come"
    if whole and not gate.restoring and gate.ontology.rules is not None:
        yield from gate.ontology.rules.check_link(link, ends, before if isinstance(before, Link) else None)


def _end_view(gate: Gate, end: LinkEnd, key: bytes) -> tuple[EndView, bytes | None]:
    """The end as the ontology sees it, and the sample it belongs to."""
    context = gate.context
    if end.kind is TargetKind.ANNOTATION:
        annotation = context.annotation(key)
        if annotation is not None:
            stream = None if annotation.stream is None else context.stream(annotation.stream)
            kind = None if stream is None else stream.kind
            view = EndView(end.role, end.kind, end.target, annotation.kind, annotation.class_id, kind)
            return view, annotation.sample
    elif end.kind is TargetKind.ENTITY:
        entity = context.entity(key)
        if entity is not None:
            return EndView(end.role, end.kind, end.target, None, entity.class_id), entity.sample
    elif end.kind is TargetKind.STREAM:
        stream = context.stream(key)
        if stream is not None:
            return EndView(end.role, end.kind, end.target, None, None, stream.kind), stream.sample
    elif end.kind is TargetKind.LINK:
        row = gate.db.execute("SELECT sample, type_id FROM link WHERE id = ?", (key,)).fetchone()
        return EndView(end.role, end.kind, end.target, None, row[1]), row[0]
    return EndView(end.role, end.kind, end.target), None


def _rechecked(gate: Gate, _writer: Writer) -> Iterator[str]:
    """Records that others lean on have changed: do the others still fit?"""
    for (kind, record_id), key in gate.recheck.items():
        if kind is RecordKind.ENTITY:
            yield from _annotations_of_entity(gate, record_id, key)
        else:
            yield from _keyframes_of_track(gate, record_id, key)


def _annotations_of_entity(gate: Gate, record_id: str, key: bytes) -> Iterator[str]:
    for annotation in _records(gate, RecordKind.ANNOTATION, "t.entity = ? AND t.class_id IS NULL", key):
        if isinstance(annotation, Annotation):
            for problem in gate.in_context(RecordKind.ANNOTATION, annotation, annotation) or ():
                yield f"entity {record_id} cannot change like this: its annotation {annotation.id} {problem}"


def _keyframes_of_track(gate: Gate, record_id: str, key: bytes) -> Iterator[str]:
    view = gate.context.annotation(key)
    if view is None:
        return
    odd = gate.db.execute(
        "SELECT count(*), sum(shape_kind IS NOT NULL AND shape_kind <> ?) FROM keyframe WHERE annotation = ?",
        (view.kind.value, key),
    ).fetchone()
    if odd[0] and not view.tracked:
        yield f"annotation {record_id} has {odd[0]} keyframes and so must stay a track: delete them first"
    elif odd[1]:
        yield f"annotation {record_id} has {odd[1]} keyframes of another shape than {view.kind.value}"
    elif odd[0] and not gate.restoring:
        for keyframe in _records(gate, RecordKind.KEYFRAME, "t.annotation = ?", key):
            if isinstance(keyframe, Keyframe):
                for problem in gate.in_context(RecordKind.KEYFRAME, keyframe, keyframe) or ():
                    yield f"annotation {record_id} cannot change like this: its keyframe {keyframe.id} {problem}"


def _records(gate: Gate, kind: RecordKind, where: str, key: bytes) -> Iterator[Record]:
    sql = f"SELECT c.payload, c.schema_version FROM {kind.value} t CROSS JOIN change c ON c.seq = t.seq WHERE {where}"
    for payload, version in gate.db.execute(sql, (key,)):
        yield read(kind, payload, version)


def _unique(gate: Gate, _writer: Writer) -> Iterator[str]:
    for kind, values in gate.unique.items():
        table = TABLES[kind]
        columns = [table.columns[at][0] for at in UNIQUE[kind]]
        where = " AND ".join(f"{column} IS ?" for column in columns) or "1"
        sql = f"SELECT id FROM {kind.value} WHERE {where} LIMIT 2"
        for value in values:
            if kind is RecordKind.ENTITY and not value[1]:
                continue  # an entity without a number
            found = [row[0] for row in gate.db.execute(sql, value)]
            if len(found) > 1:
                shown = ", ".join(f"{c} {_shown(v)}" for c, v in zip(columns, value, strict=True))
                both = " and ".join(id_from_bytes(key) for key in found)
                yield f"two records of kind {kind.value} would share {shown or 'the project'}: {both}"


def _shown(value: Any) -> str:
    return id_from_bytes(value) if isinstance(value, bytes) else str(value)


def _remembered(gate: Gate, writer: Writer) -> Iterator[str]:
    """Judgements and remarks are about something that is, or was."""
    for kind in REMEMBERING & writer.touched.existed.keys():
        for record_id in writer.touched.existed[kind]:
            key = key_or_none(record_id)
            for record in _records(gate, kind, "t.id = ?", key or b""):
                target_kind, target = _target_of(record)
                if target_kind is TargetKind.MODALITY:
                    continue
                target_key = key_or_none(target) or b""
                table = _TARGET_TABLE[target_kind]
                if not exists(gate.db, table, target_key) and was_removed(gate.db, table, target_key) is None:
                    yield f"{kind.value} {record_id} is about {table.value} {target}, which never existed"


def _target_of(record: Any) -> tuple[TargetKind, str]:
    return record.target_kind, record.target


def _entity_numbers(gate: Gate, writer: Writer) -> Iterator[str]:
    """A number belongs to one entity for ever."""
    for record_id in writer.touched.existed.get(RecordKind.ENTITY, ()):
        key = key_or_none(record_id) or b""
        row = gate.db.execute(
            "SELECT e.number, n.entity FROM entity e LEFT JOIN entity_number n"
            " ON n.sample = e.sample AND n.number = e.number WHERE e.id = ? AND e.number > 0",
            (key,),
        ).fetchone()
        if row is not None and row[1] != key:
            yield (
                f"entity {record_id} cannot be number {row[0]}: that number was given to entity "
                f"{id_from_bytes(row[1])} and is never used again; ask for the next one"
            )
