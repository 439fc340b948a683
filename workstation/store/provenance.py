"""The whole chain behind one record: proposed by which model with which hash, edited, reviewed, under which ontology.

Called for ``workstation provenance ID``, by the inspector and by the provenance export.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from workstation.core.annotation import Annotation, Link, Record, Source, Verdict
from workstation.core.errors import UserError
from workstation.core.records import RecordKind
from workstation.core.rights import Actor
from workstation.core.sample import MediaFile, Stream
from workstation.core.values import dataclass
from workstation.store.db import Connection
from workstation.store.history import Change
from workstation.store.revisions import Header, decode_header, kinds_mask
from workstation.store.rows import KINDS, key_or_none

if TYPE_CHECKING:
    from workstation.store.queries import Reads

_PARTS = (RecordKind.KEYFRAME, RecordKind.WORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceEntry:
    """One step of a record's life. ``part`` is set where a keyframe or word of it changed instead of itself."""

    rev: int
    made_ms: int
    actor: Actor
    act: str
    label: str
    op: str
    ontology: int
    group: str | None = None
    source: Source | None = None
    state: str = ""
    confidence: float | None = None
    fields: tuple[str, ...] = ()
    part: str = ""
    content_removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceVerdict:
    """What a reviewer said about the record."""

    verdict: Verdict
    rev: int
    made_ms: int
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Everything known of where a record comes from; oldest first."""

    kind: RecordKind
    id: str
    exists: bool
    entries: tuple[ProvenanceEntry, ...]
    verdicts: tuple[ProvenanceVerdict, ...] = ()
    links: tuple[Link, ...] = ()
    stream: Stream | None = None
    files: tuple[MediaFile, ...] = ()


def provenance(reads: Reads, connection: Connection, record_id: str) -> Provenance:
    """The chain of a record of any kind, also of one that was deleted."""
    kind = _kind_of(connection, record_id)
    past = reads.past(kind, record_id)
    last = next((change.record for change in reversed(past) if change.record is not None), None)
    steps = [(change, "") for change in past]
    if isinstance(last, Annotation):
        steps += [(change, f"{change.kind.value} {change.id}") for change in _parts(connection, reads, last)]
    steps.sort(key=lambda step: step[0].rev)
    stream = _stream(reads, last)
    return Provenance(
        kind=kind,
        id=record_id,
        exists=reads.get(kind, record_id) is not None,
        entries=tuple(_entries(connection, steps)),
        verdicts=tuple(_verdicts(reads, record_id)),
        links=tuple(reads.links_of(record_id)),
        stream=stream,
        files=() if stream is None else stream.files,
    )


def _kind_of(connection: Connection, record_id: str) -> RecordKind:
    key = key_or_none(record_id)
    for kind in RecordKind:
        if connection.execute(f"SELECT 1 FROM {kind.value} WHERE id = ?", (key,)).fetchone() is not None:
            return kind
    row = connection.execute(
        f"SELECT kind FROM removed WHERE id = ? AND kind IN ({', '.join(repr(name) for name in KINDS)})", (key,)
    ).fetchone()
    if row is None:
        raise UserError(f"nothing in this project ever had the id {record_id}")
    return KINDS[row[0]]


def _parts(connection: Connection, reads: Reads, annotation: Annotation) -> Iterator[Change]:
    """The changes of an annotation's keyframes and words, found through the revisions of its sample."""
    mask = kinds_mask(_PARTS)
    created = connection.execute(
        "SELECT r.rev FROM revision_sample s JOIN revision r ON r.rev = s.rev"
        " WHERE s.sample = ? AND r.kinds & ? ORDER BY s.rev",
        (key_or_none(annotation.sample), mask),
    ).fetchall()
    mine: set[tuple[RecordKind, str]] = set()
    for (rev,) in created:
        for change in reads.changes(rev):
            if change.kind not in _PARTS:
                continue
            place = (change.kind, change.id)
            if getattr(change.record, "annotation", None) == annotation.id:
                mine.add(place)
            if place in mine:
                yield change


def _entries(connection: Connection, steps: list[tuple[Change, str]]) -> Iterator[ProvenanceEntry]:
    headers: dict[int, Header] = {}
    before: dict[tuple[RecordKind, str], Record | None] = {}
    for change, part in steps:
        header = headers.get(change.rev)
        if header is None:
            (data,) = connection.execute("SELECT header FROM revision WHERE rev = ?", (change.rev,)).fetchone()
            header = headers[change.rev] = decode_header(data)
        place = (change.kind, change.id)
        record: Any = change.record
        state = getattr(record, "state", None)
        yield ProvenanceEntry(
            rev=change.rev,
            made_ms=header.made_ms,
            actor=header.actor,
            act=header.kind.value,
            label=header.label,
            op=change.op,
            ontology=header.ontology,
            group=header.group,
            source=getattr(record, "source", None),
            state="" if state is None else state.value,
            confidence=getattr(record, "confidence", None),
            fields=_changed_fields(before.get(place), record),
            part=part,
            content_removed=change.content_removed,
        )
        before[place] = record


def _changed_fields(before: Record | None, after: Record | None) -> tuple[str, ...]:
    if before is None or after is None:
        return ()
    return tuple(name for name in after.__struct_fields__ if getattr(before, name) != getattr(after, name))


def _verdicts(reads: Reads, record_id: str) -> Iterator[ProvenanceVerdict]:
    for verdict in reads.verdicts_on(record_id):
        info = reads.info(RecordKind.VERDICT, verdict.id)
        if info is not None:
            yield ProvenanceVerdict(verdict=verdict, rev=info.rev, made_ms=info.made_ms, actor=info.author)


def _stream(reads: Reads, record: Record | None) -> Stream | None:
    if isinstance(record, Stream):
        return record
    if isinstance(record, Annotation) and record.stream is not None:
        found = reads.get(RecordKind.STREAM, record.stream)
        if found is None:  # gone: what it was last
            found = next((c.record for c in reversed(reads.past(RecordKind.STREAM, record.stream)) if c.record), None)
        return found if isinstance(found, Stream) else None
    return None
