"""What came from outside and did not fit: kept word for word until a person says what it means, or discards it.

Importers park what the gate refuses (``park``); nothing is bent to fit and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from workstation.commands.arguments import ParkedRef, SampleRef
from workstation.commands.reading import fetch, ontology_of
from workstation.commands.registry import command
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, Entity, Keyframe, Link, Record, TargetKind
from workstation.core.errors import DataError, Refused, UserError
from workstation.core.ids import RecordId
from workstation.core.ontology_stamp import stamped
from workstation.core.records import RecordKind, record_from_builtins
from workstation.core.rights import Right
from workstation.core.sample import Parked, ParkedState

_ORDER = (RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.KEYFRAME, RecordKind.LINK)
_CLASS_FIELD = {RecordKind.ENTITY: "class_id", RecordKind.ANNOTATION: "class_id", RecordKind.LINK: "type_id"}
_TARGETS = {
    TargetKind.ANNOTATION: RecordKind.ANNOTATION,
    TargetKind.ENTITY: RecordKind.ENTITY,
    TargetKind.LINK: RecordKind.LINK,
    TargetKind.STREAM: RecordKind.STREAM,
    TargetKind.SAMPLE: RecordKind.SAMPLE,
}


class Mapped(msgspec.Struct, frozen=True):
    """What came of mapping a value: records brought in, and those still parked with their reasons."""

    resolved: tuple[RecordId, ...]
    waiting: tuple[RecordId, ...]


@command("parked.add", title="Park a record", right=Right.LABEL)
def park(
    tx: Transaction, *, origin: str, kind: str, payload: str, problems: tuple[str, ...], sample: SampleRef | None = None
) -> RecordId:
    """Keep a record that did not fit, word for word. Answers the id under which it waits.

    origin: where it came from, such as the name of the import
    kind: what kind of record it would be
    payload: the record as it came
    problems: why it did not fit
    sample: the sample it belongs to, if that is known
    """
    made = Parked(id=RecordId(tx.new_id()), sample=sample, origin=origin, kind=kind, payload=payload, problems=problems)
    tx.put(made)
    return made.id


@command("parked.map", title="Say what a value means", right=Right.LABEL)
def map_value(tx: Transaction, *, origin: str, value: str, meaning: str) -> Mapped:
    """Say which class (or link type) a foreign value stands for; parked records of that origin that now fit come in.

    origin: the origin whose values are meant
    value: the foreign value, as it stands in the parked records
    meaning: the class or link type of the ontology
    """
    ontology = ontology_of(tx)
    if ontology is None or (meaning not in ontology.classes and meaning not in ontology.link_types):
        raise UserError(f"{meaning!r} is neither a class nor a link type of the ontology in force")
    used = ontology.classes.get(meaning) or ontology.link_types[meaning]
    if used.retired is not None:
        raise UserError(f"{meaning!r} is retired; choose what is in use")
    waiting = [item for item in _open(tx) if item.origin == origin]
    if not any(_value_of(item) == value for item in waiting):
        raise UserError(f"no open record from {origin!r} carries the value {value!r}")
    resolved: list[RecordId] = []
    left: list[RecordId] = []
    for item in sorted(waiting, key=_rank):
        mine = _value_of(item) == value
        if not mine and not _waits_for_another(item, resolved):
            continue
        problems = _bring_in(tx, item, meaning if mine else None, ontology.number)
        if problems:
            left.append(item.id)
            tx.put(replace(item, problems=problems))
        else:
            resolved.append(item.id)
            resolution = f"{value} → {meaning}" if mine else "came in with what it belongs to"
            tx.put(replace(item, state=ParkedState.MAPPED, resolution=resolution))
    return Mapped(tuple(resolved), tuple(left))


@command("parked.discard", title="Discard a parked record", right=Right.LABEL)
def discard(tx: Transaction, *, parked: ParkedRef, reason: str) -> None:
    """Decide that a parked record is not wanted. It stays in the history with the reason.

    parked: the parked record: its id or the beginning of it
    """
    found = fetch(tx, Parked, parked)
    if found.state is not ParkedState.OPEN:
        raise UserError(f"parked record {parked} is {found.state.value} already")
    if not reason.strip():
        raise UserError("a parked record is discarded with a reason")
    tx.put(replace(found, state=ParkedState.DISCARDED, resolution=reason))


def _open(tx: Transaction) -> Iterator[Parked]:
    for record in tx.records(RecordKind.PARKED):
        if isinstance(record, Parked) and record.state is ParkedState.OPEN:
            yield record


def _rank(item: Parked) -> int:
    return next((number for number, kind in enumerate(_ORDER) if kind.value == item.kind), len(_ORDER))


def _plain(item: Parked) -> dict[str, Any] | None:
    """The parked JSON, if it is an object at all."""
    try:
        plain = msgspec.json.decode(item.payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return None
    return plain if isinstance(plain, dict) else None


def _value_of(item: Parked) -> object:
    plain = _plain(item)
    field = next((name for kind, name in _CLASS_FIELD.items() if kind.value == item.kind), None)
    return None if plain is None or field is None else plain.get(field)


def _waits_for_another(item: Parked, resolved: list[RecordId]) -> bool:
    """A record without a class of its own, parked because what it belongs to was."""
    return bool(resolved) and item.kind in [kind.value for kind in _ORDER] and _value_of(item) is None


def _bring_in(tx: Transaction, item: Parked, meaning: str | None, version: int) -> tuple[str, ...]:
    """Write the record with the meaning in place of its value; the reasons if it still does not fit."""
    plain = _plain(item)
    kind = next((kind for kind in _ORDER if kind.value == item.kind), None)
    if plain is None or kind is None:
        return ("it is no record of this program; run the import again with the mapping",)
    if meaning is not None:
        plain[_CLASS_FIELD[kind]] = meaning
    try:
        record = record_from_builtins(kind, plain)
    except DataError as error:
        return (str(error),)
    if isinstance(record, Entity | Annotation | Link):
        record = stamped(record, version)
    missing = tuple(_missing(tx, record))
    if missing:
        return missing
    try:
        tx.put(record)
    except Refused as refusal:
        return refusal.problems
    return ()


def _missing(tx: Transaction, record: Record) -> Iterator[str]:
    """References that lead nowhere; the gate would only say so at the end, for the whole step."""
    wanted: list[tuple[RecordKind, str | None]] = [(RecordKind.SAMPLE, getattr(record, "sample", None))]
    if isinstance(record, Annotation):
        wanted += [(RecordKind.STREAM, record.stream), (RecordKind.ENTITY, record.entity)]
    elif isinstance(record, Keyframe):
        wanted = [(RecordKind.ANNOTATION, record.annotation)]
    elif isinstance(record, Link):
        wanted += [(_TARGETS[end.kind], end.target) for end in record.ends if end.kind in _TARGETS]
    for kind, record_id in wanted:
        if record_id is not None and tx.get(kind, record_id) is None:
            yield f"there is no {kind.value} {record_id}"
