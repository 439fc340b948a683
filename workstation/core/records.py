"""The list of record kinds, and the one way each becomes bytes and comes back.

The bytes are JSON with the fields in the order of the class; history hashes exactly these bytes.
Decoding checks types, which construction in Python does not: the gate decodes what it is about to store.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from workstation.core.annotation import (
    Annotation,
    Comment,
    Entity,
    FindingDecision,
    Keyframe,
    Link,
    Record,
    Verdict,
    Word,
)
from workstation.core.errors import DataError
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

SCHEMA_VERSION = 1


class RecordKind(StrEnum):
    """Every kind of record that has a history. The order is the order of creation when copying a project."""

    PROJECT = "project"
    PERSON = "person"
    ONTOLOGY = "ontology"
    GUIDELINE = "guideline"
    ACKNOWLEDGEMENT = "acknowledgement"
    SAMPLE = "sample"
    STREAM = "stream"
    RIG = "rig"
    ENTITY = "entity"
    ANNOTATION = "annotation"
    KEYFRAME = "keyframe"
    WORD = "word"
    LINK = "link"
    VERDICT = "verdict"
    COMMENT = "comment"
    FINDING_DECISION = "finding_decision"
    QUEUE_ITEM = "queue_item"
    PARKED = "parked"


RECORD_TYPES: dict[RecordKind, type[Record]] = {
    RecordKind.PROJECT: Project,
    RecordKind.PERSON: Person,
    RecordKind.ONTOLOGY: OntologyVersion,
    RecordKind.GUIDELINE: Guideline,
    RecordKind.ACKNOWLEDGEMENT: Acknowledgement,
    RecordKind.SAMPLE: Sample,
    RecordKind.STREAM: Stream,
    RecordKind.RIG: Rig,
    RecordKind.ENTITY: Entity,
    RecordKind.ANNOTATION: Annotation,
    RecordKind.KEYFRAME: Keyframe,
    RecordKind.WORD: Word,
    RecordKind.LINK: Link,
    RecordKind.VERDICT: Verdict,
    RecordKind.COMMENT: Comment,
    RecordKind.FINDING_DECISION: FindingDecision,
    RecordKind.QUEUE_ITEM: QueueItem,
    RecordKind.PARKED: Parked,
}
_KIND_OF_TYPE: dict[type[Record], RecordKind] = {cls: kind for kind, cls in RECORD_TYPES.items()}
_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[RecordKind, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(cls) for kind, cls in RECORD_TYPES.items()
}


def record_kind(record: Record) -> RecordKind:
    """The kind of a record."""
    return _KIND_OF_TYPE[type(record)]


def encode(record: Record) -> bytes:
    """The exact bytes that are stored and hashed."""
    return _ENCODER.encode(record)


def decode(kind: RecordKind, payload: bytes) -> Record:
    """The record of stored bytes; every field's type is checked. Raises ``DataError`` with the field's path."""
    try:
        record: Record = _DECODERS[kind].decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"not a readable {kind} record: {error}") from error
    return record


def record_from_builtins(kind: RecordKind, value: object) -> Record:
    """A record from parsed JSON (command arguments, imports); types are checked, nothing is coerced."""
    try:
        record: Record = msgspec.convert(value, RECORD_TYPES[kind])
    except (msgspec.ValidationError, RecursionError) as error:
        raise DataError(f"not a {kind}: {error}") from error
    return record
