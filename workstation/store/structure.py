"""What must hold of a record by itself, whatever the ontology says and whatever else is in the project.

Called by the gate for every write, also when history writes an earlier state back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from workstation.core.annotation import (
    Annotation,
    Comment,
    Entity,
    FindingDecision,
    Keyframe,
    Link,
    TargetKind,
    Verdict,
    Word,
)
from workstation.core.geometry import ShapeKind, TextSpan, kind_of, shape_problems
from workstation.core.records import RecordKind
from workstation.core.sample import Guideline, OntologyVersion, Parked, Person, Project, QueueItem, Rig, Sample, Stream
from workstation.store.rows import ID

MAX_NS = 1 << 62
MAX_NUMBER = (1 << 53) - 1
MAX_NAME = 512
MAX_RECORD_BYTES = 64 << 20
_RULE_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MOST_SENTENCE = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHAPELESS = (ShapeKind.SPAN, ShapeKind.TAG)
_MODALITIES = frozenset(
    ("image", "video", "audio", "cloud", "radar", "series", "text", "document", "volume", "trajectory", "map", "turns")
)


def structure_problems(kind: RecordKind, record: Any) -> Iterator[str]:
    """One sentence per reason why the record cannot be stored, each to be read after the record's name."""
    return _CHECKS[kind](record)


def _name(value: str, what: str) -> Iterator[str]:
    if not value.strip():
        yield f"{what} must not be empty"
    elif len(value) > MAX_NAME:
        yield f"{what} has {len(value)} characters; at most {MAX_NAME} are kept"
    if _CONTROL.search(value):
        yield f"{what} holds control characters or line breaks; take them out"


def _short(value: str, what: str) -> Iterator[str]:
    if len(value) > MAX_NAME or _CONTROL.search(value):
        yield f"{what} must be one line of at most {MAX_NAME} characters"


def _sentence(value: str, what: str) -> Iterator[str]:
    if not value.strip():
        yield f"{what} says nothing"
    elif len(value) > _MOST_SENTENCE or _CONTROL.search(value):
        yield f"{what} must be one line of at most {_MOST_SENTENCE} characters"


def _ids(*ids: str | None) -> Iterator[str]:
    for value in ids:
        if value is not None and ID.fullmatch(value) is None:
            yield f"names {value[:40]!r}, which is no id (26 characters of 0-9 and a-v)"


def _number(value: int, what: str, low: int = 0) -> Iterator[str]:
    if not low <= value <= MAX_NUMBER:
        yield f"{what} must lie between {low} and {MAX_NUMBER}, not {value}"


def _interval(start_ns: int | None, end_ns: int | None) -> Iterator[str]:
    if start_ns is None and end_ns is None:
        return
    if start_ns is None or end_ns is None:
        yield "an interval needs a start and an end, or neither; an instant has the same time twice"
    elif not -MAX_NS <= start_ns <= end_ns <= MAX_NS:
        if start_ns > end_ns:
            yield f"the interval ends ({end_ns} ns) before it starts ({start_ns} ns)"
        else:
            yield "the interval lies outside the times that can be kept (±146 years)"


def _confidence(value: float | None) -> Iterator[str]:
    if value is not None and not 0.0 <= value <= 1.0:
        yield f"confidence must lie between 0 and 1, not {value:g}"


def _annotation(record: Annotation) -> Iterator[str]:
    yield from _own_shape(record)
    if record.start_ns is not None or record.end_ns is not None:
        yield from _interval(record.start_ns, record.end_ns)
    if record.confidence is not None:
        yield from _confidence(record.confidence)
    for value in (record.sample, record.stream, record.entity):
        if value is not None and ID.fullmatch(value) is None:
            yield from _ids(value)
    if record.layer != "main":
        yield from _name(record.layer, "the layer")
    if record.class_id is not None:
        yield from _short(record.class_id, "the class")
    if record.item is not None:
        yield from _short(record.item, "the item")
    if record.ontology_version:
        yield from _number(record.ontology_version, "the ontology version")


def _own_shape(record: Annotation) -> list[str]:
    shape = record.shape
    if shape is None:
        if record.track is None and record.kind not in _SHAPELESS:
            return [f"needs its {record.kind.value}, or a track whose keyframes hold it"]
        return []
    problems = list(shape_problems(shape))
    if kind_of(shape) is not record.kind:
        problems.append(f"is declared as {record.kind.value} but holds a {kind_of(shape).value}")
    if record.track is not None:
        problems.append("is a track, whose shapes are keyframes; leave its own shape out")
    if isinstance(shape, TextSpan) and shape.of is not None:
        problems.extend(_ids(shape.of))
        if shape.of == record.id:
            problems.append("anchors its text span in itself")
    return problems


def _keyframe(record: Keyframe) -> Iterator[str]:
    yield from _ids(record.annotation)
    if not -MAX_NS <= record.time_ns <= MAX_NS:
        yield "the keyframe lies outside the times that can be kept (±146 years)"
    if record.shape is not None:
        yield from shape_problems(record.shape)


def _word(record: Word) -> Iterator[str]:
    yield from _ids(record.annotation)
    yield from _number(record.position, "the position")
    yield from _interval(record.start_ns, record.end_ns)
    yield from _confidence(record.probability)


def _link(record: Link) -> Iterator[str]:
    yield from _ids(record.sample)
    yield from _name(record.type_id, "the link type")
    yield from _name(record.layer, "the layer")
    yield from _interval(record.start_ns, record.end_ns)
    yield from _confidence(record.confidence)
    yield from _number(record.ontology_version, "the ontology version")
    if len(record.ends) < 2:
        yield f"a link joins at least two ends, this has {len(record.ends)}"
    seen = set()
    for end in record.ends:
        yield from _name(end.role, "the role of an end")
        yield from _target(end.kind, end.target)
        if end.target == record.id:
            yield "links to itself"
        if (end.role, end.target) in seen:
            yield f"names the same end twice as {end.role}"
        seen.add((end.role, end.target))


def _target(kind: TargetKind, target: str) -> Iterator[str]:
    if kind is not TargetKind.MODALITY:
        yield from _ids(target)
    elif target not in _MODALITIES:
        yield f"names the modality {target[:40]!r}; there are {', '.join(sorted(_MODALITIES))}"


def _entity(record: Entity) -> Iterator[str]:
    yield from _ids(record.sample)
    yield from _name(record.class_id, "the class")
    yield from _short(record.name, "the name")
    yield from _number(record.number, "the number")
    yield from _number(record.ontology_version, "the ontology version")


def _sample(record: Sample) -> Iterator[str]:
    yield from _name(record.key, "the key")
    yield from _short(record.profile, "the profile")
    yield from _ids(record.assigned_to)


def _stream(record: Stream) -> Iterator[str]:
    yield from _ids(record.sample)
    yield from _name(record.key, "the key")
    if record.epoch_ns is not None and not 0 <= record.epoch_ns < 1 << 63:
        yield "the epoch must be Unix time in nanoseconds"
    for file in record.files:
        yield from _name(file.path, "a file's path")
        if len(file.sha256) != 64 or file.sha256.strip("0123456789abcdef"):
            yield f"the hash of {file.path} must be a SHA-256 in lower-case hexadecimal"
        yield from _number(file.size, f"the size of {file.path}")


def _rig(record: Rig) -> Iterator[str]:
    yield from _ids(record.sample)
    yield from _name(record.key, "the key")
    yield from _number(record.version, "the version")
    for edge in (record.start_ns, record.end_ns):
        if edge is not None and not -MAX_NS <= edge <= MAX_NS:
            yield "the rig's times lie outside those that can be kept (±146 years)"
    if record.start_ns is not None and record.end_ns is not None and record.start_ns > record.end_ns:
        yield "the rig's validity ends before it starts"


def _project(record: Project) -> Iterator[str]:
    yield from _name(record.name, "the project's name")
    yield from _name(record.profile, "the profile")
    for key, value in record.tolerances.items():
        if value < 0:
            yield f"the tolerance {key} must not be negative"
    for cause in record.causes:
        yield from _name(cause, "a cause")
    for rule in record.rules:
        if not _RULE_ID.fullmatch(rule.id):
            yield f"the rule's id {rule.id[:40]!r} is not made of small letters, digits and underscores"
        yield from _sentence(rule.says, f"the rule {rule.id[:40]}")
    for search in record.searches:
        yield from _name(search.name, "the search's name")
        yield from _sentence(search.says, f"the search {search.name[:40]!r}")
    for what, names in (
        ("rules", [each.id for each in record.rules]),
        ("searches", [each.name for each in record.searches]),
    ):
        if len(set(names)) < len(names):
            yield f"two {what} of the project have one name"


def _person(record: Person) -> Iterator[str]:
    yield from _name(record.name, "the person's name")
    if not record.roles:
        yield "a person needs at least one role"


def _ontology(record: OntologyVersion) -> Iterator[str]:
    yield from _number(record.number, "the ontology's number", low=1)
    if hashlib.sha256(record.text.encode()).hexdigest() != record.sha256:
        yield "the ontology's hash is not the SHA-256 of its text"


def _guideline(record: Guideline) -> Iterator[str]:
    yield from _number(record.number, "the guideline's number", low=1)
    if hashlib.sha256(record.text.encode()).hexdigest() != record.sha256:
        yield "the guideline's hash is not the SHA-256 of its text"


def _verdict(record: Verdict) -> Iterator[str]:
    yield from _ids(record.sample, record.person)
    yield from _target(record.target_kind, record.target)
    yield from _number(record.target_revision, "the revision judged")


def _comment(record: Comment) -> Iterator[str]:
    yield from _ids(record.sample, record.person, record.reply_to)
    yield from _target(record.target_kind, record.target)
    if not record.text.strip():
        yield "a comment needs a text"


def _finding_decision(record: FindingDecision) -> Iterator[str]:
    yield from _ids(record.sample, record.person)
    yield from _name(record.fingerprint, "the finding's fingerprint")
    if record.decision.value in ("dismissed", "waived") and not record.reason.strip():
        yield f"a finding is {record.decision.value} only with a reason"


def _queue_item(record: QueueItem) -> Iterator[str]:
    yield from _ids(record.sample, record.person)
    yield from _target(record.target_kind, record.target)


def _parked(record: Parked) -> Iterator[str]:
    yield from _ids(record.sample)
    yield from _short(record.origin, "the origin")
    yield from _short(record.kind, "the kind")


def _acknowledgement(record: Any) -> Iterator[str]:
    yield from _ids(record.person)
    yield from _number(record.guideline_number, "the guideline's number")


_CHECKS: dict[RecordKind, Callable[[Any], Iterator[str]]] = {
    RecordKind.PROJECT: _project,
    RecordKind.PERSON: _person,
    RecordKind.ONTOLOGY: _ontology,
    RecordKind.GUIDELINE: _guideline,
    RecordKind.ACKNOWLEDGEMENT: _acknowledgement,
    RecordKind.SAMPLE: _sample,
    RecordKind.STREAM: _stream,
    RecordKind.RIG: _rig,
    RecordKind.ENTITY: _entity,
    RecordKind.ANNOTATION: _annotation,
    RecordKind.KEYFRAME: _keyframe,
    RecordKind.WORD: _word,
    RecordKind.LINK: _link,
    RecordKind.VERDICT: _verdict,
    RecordKind.COMMENT: _comment,
    RecordKind.FINDING_DECISION: _finding_decision,
    RecordKind.QUEUE_ITEM: _queue_item,
    RecordKind.PARKED: _parked,
}
