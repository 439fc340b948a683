"""Lists of everything in a project, as plain rows: what ``workstation list`` prints and other tools read.

A row is a mapping of names to plain values, streamed, so that a million of them need no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from workstation.core.annotation import Annotation, Link, LinkEnd, Record, TargetKind
from workstation.core.errors import UserError
from workstation.core.ids import SampleId
from workstation.core.moments import moment
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.store.queries import Reads

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of list: how its rows come about, and which columns people see first."""

    rows: Callable[[Reads, SampleId | None], Iterator[Row]]
    columns: tuple[str, ...]


def rows_of(
    reads: Reads, what: str, *, sample: SampleId | None = None, filters: Iterable[str] = (), limit: int | None = None
) -> Iterator[Row]:
    """The rows of one list that pass every filter (``name=value``, ``name!=value``, ``name~part``)."""
    tests = [_test(text) for text in filters]
    count = 0
    for row in listing(what).rows(reads, sample):
        if limit is not None and count >= limit:
            return
        if all(test(row) for test in tests):
            count += 1
            yield row


def listing(what: str) -> Listing:
    """The list of that name."""
    if what not in LISTINGS:
        raise UserError(f"there is no list of {what!r}; there are {', '.join(LISTINGS)}")
    return LISTINGS[what]


def _test(text: str) -> Callable[[Row], bool]:
    for sign in ("!=", "~", "="):
        name, found, value = text.partition(sign)
        if found:
            break
    else:
        raise UserError(f"a filter reads name=value, name!=value or name~part, not {text!r}")
    if sign == "~":
        return lambda row: value.casefold() in _plain(row.get(name)).casefold()
    return lambda row: (_plain(row.get(name)) == value) is (sign == "=")


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode() if _nested(value) else str(value)


def _nested(value: Any) -> bool:
    return isinstance(value, list | tuple | dict)


def _row(record: Record, first: Mapping[str, Any]) -> Row:
    plain: Row = msgspec.to_builtins(record)
    return {**first, **{name: value for name, value in plain.items() if name not in first}}


class _Names:
    """Keys of samples and streams, looked up once each."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._keys: dict[str, str] = {}

    def key(self, kind: RecordKind, record_id: str | None) -> str | None:
        if record_id is None:
            return None
        if record_id not in self._keys:
            record = self._reads.get(kind, record_id)
            self._keys[record_id] = record.key if isinstance(record, Sample | Stream) else record_id
        return self._keys[record_id]

    def end(self, end: LinkEnd) -> str:
        """One end of a link, as a person reads it."""
        name = self.key(RecordKind.STREAM, end.target) if end.kind is TargetKind.STREAM else end.target
        return f"{end.role}={end.kind.value}:{name}"


def _samples(reads: Reads, sample: SampleId | None) -> Iterator[Row]:
    people = {person.id: person.name for person in reads.people()}
    found: Iterable[Record] = reads.samples() if sample is None else reads.records(RecordKind.SAMPLE, sample=sample)
    for record in found:
        assert isinstance(record, Sample)
        gates = {name: gate.state.value for name, gate in record.gates.items()}
        counted = {f"{kind.value}s": reads.total(kind, record.id) for kind in (RecordKind.ANNOTATION, RecordKind.LINK)}
        assigned = people.get(record.assigned_to) if record.assigned_to else None
        yield _row(
            record, {"key": record.key, "state": record.state.value, "assigned_to": assigned, **counted, "gates": gates}
        )


def _streams(reads: Reads, sample: SampleId | None) -> Iterator[Row]:
    names = _Names(reads)
    for record in reads.records(RecordKind.STREAM, sample=sample):
        assert isinstance(record, Stream)
        size = sum(file.size for file in record.files)
        first = {"sample": names.key(RecordKind.SAMPLE, record.sample), "key": record.key, "kind": record.kind.value}
        yield _row(record, {**first, "role": record.role, "file_count": len(record.files), "bytes": size})


def _annotations(reads: Reads, sample: SampleId | None) -> Iterator[Row]:
    names = _Names(reads)
    classes: dict[str, tuple[str, str]] = {}
    for record in reads.records(RecordKind.ANNOTATION, sample=sample):
        assert isinstance(record, Annotation)
        entity = None if record.entity is None else _entity(reads, classes, record.entity)
        yield _row(
            record,
            {
                "id": record.id,
                "sample": names.key(RecordKind.SAMPLE, record.sample),
                "stream": names.key(RecordKind.STREAM, record.stream),
                "class": record.class_id or (entity[0] if entity else None),
                "entity": entity[1] if entity else None,
                "kind": record.kind.value,
                "state": record.state.value,
                "start_ns": record.start_ns,
                "end_ns": record.end_ns,
                "text": record.text,
                "entity_id": record.entity,
            },
        )


def _entity(reads: Reads, known: dict[str, tuple[str, str]], record_id: str) -> tuple[str, str]:
    if record_id not in known:
        record: Any = reads.require(RecordKind.ENTITY, record_id)
        known[record_id] = (record.class_id, record.called())
    return known[record_id]


def _links(reads: Reads, sample: SampleId | None) -> Iterator[Row]:
    names = _Names(reads)
    for record in reads.records(RecordKind.LINK, sample=sample):
        assert isinstance(record, Link)
        info = reads.info(RecordKind.LINK, record.id)
        made = {} if info is None else {"author": info.created_by, "made": moment(info.created_ms), "rev": info.rev}
        yield _row(
            record,
            {
                "id": record.id,
                "sample": names.key(RecordKind.SAMPLE, record.sample),
                "type": record.type_id,
                "from_to": [names.end(end) for end in record.ends],
                "holds": record.holds,
                "state": record.state.value,
                **made,
                "confidence": record.confidence,
                "reason": record.reason,
                "rationale": record.rationale,
            },
        )


def _stale(reads: Reads, sample: SampleId | None) -> Iterator[Row]:
    for found in reads.samples() if sample is None else [reads.require(RecordKind.SAMPLE, sample)]:
        assert isinstance(found, Sample)
        for stale in reads.stale_links(found.id):
            end = stale.end
            yield {
                "sample": found.key, "link": stale.link.id, "type": stale.link.type_id, "role": end.role,
                "target": end.target, "reason": stale.reason, "confirmed_revision": end.confirmed_revision,
            }  # fmt: skip


def _plain_rows(kind: RecordKind) -> Callable[[Reads, SampleId | None], Iterator[Row]]:
    def rows(reads: Reads, sample: SampleId | None) -> Iterator[Row]:
        names = _Names(reads)
        for record in reads.records(kind, sample=sample):
            owner = getattr(record, "sample", None)
            first = {} if owner is None else {"sample": names.key(RecordKind.SAMPLE, owner)}
            yield _row(record, first)

    return rows


LISTINGS: dict[str, Listing] = {
    "samples": Listing(_samples, ("key", "state", "assigned_to", "annotations", "links", "gates", "notes", "id")),
    "streams": Listing(_streams, ("sample", "key", "kind", "role", "file_count", "bytes", "language", "clock", "id")),
    "annotations": Listing(
        _annotations,
        ("id", "sample", "stream", "class", "entity", "kind", "state", "layer", "start_ns", "end_ns", "text"),
    ),
    "entities": Listing(
        _plain_rows(RecordKind.ENTITY), ("sample", "class_id", "number", "name", "attributes", "id")
    ),
    "links": Listing(
        _links,
        (
            "id", "sample", "type", "from_to", "holds", "state", "author", "made", "confidence", "reason", "rationale",
            "layer", "start_ns", "end_ns", "ontology_version", "rev",
        ),
    ),
    "keyframes": Listing(_plain_rows(RecordKind.KEYFRAME), ("annotation", "time_ns", "presence", "shape", "id")),
    "words": Listing(_plain_rows(RecordKind.WORD), ("annotation", "position", "text", "start_ns", "end_ns", "id")),
    "stale": Listing(_stale, ("sample", "link", "type", "role", "target", "reason")),
    "queue": Listing(
        _plain_rows(RecordKind.QUEUE_ITEM),
        ("id", "sample", "target_kind", "target", "question", "options", "state", "answer"),
    ),
    "parked": Listing(_plain_rows(RecordKind.PARKED), ("id", "sample", "origin", "kind", "problems", "state")),
    "people": Listing(_plain_rows(RecordKind.PERSON), ("name", "roles", "active", "id")),
    "comments": Listing(
        _plain_rows(RecordKind.COMMENT), ("id", "sample", "target_kind", "target", "question", "text", "state")
    ),
    "verdicts": Listing(
        _plain_rows(RecordKind.VERDICT), ("id", "sample", "target_kind", "target", "level", "value", "reason", "closed")
    ),
    "decisions": Listing(
        _plain_rows(RecordKind.FINDING_DECISION), ("id", "sample", "rule", "decision", "reason", "cause")
    ),
}  # fmt: skip
