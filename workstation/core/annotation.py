"""What people and models say about a sample: entities, annotations, keyframes, words, links, verdicts, comments.

Frozen values, written as JSON in the field order below (that text is what history keeps and hashes).
Ids are 26-character text, times integer nanoseconds, wall-clock moments Unix milliseconds.
Mappings are never changed in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from workstation.core.geometry import Shape, ShapeKind
from workstation.core.ids import AnnotationId, EntityId, LinkId, RecordId, SampleId, StreamId

AttributeValue = str | bool | int | float | tuple[str, ...]
Attributes = Mapping[str, AttributeValue]


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of everything that has an id and a history."""


class State(StrEnum):
    """How far an annotation or link has come. A model may write only ``proposed``."""

    PROPOSED = "proposed"
    DRAFT = "draft"
    DONE = "done"
    APPROVED = "approved"
    REJECTED = "rejected"


class SourceKind(StrEnum):
    """Where a value came from."""

    PERSON = "person"
    IMPORT = "import"
    INTERPOLATION = "interpolation"
    MODEL = "model"
    RULE = "rule"
    """A rule of the program that proposes (``app/suggesting.py``); its name says which."""


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who or what made a value: a person, an import (format name), or a model with all that is needed to repeat it."""

    kind: SourceKind = SourceKind.PERSON
    name: str = ""
    version: str = ""
    weights_sha256: str = ""
    parameters: Mapping[str, str | bool | int | float] = {}
    device: str = ""


PERSON = Source()


class Presence(StrEnum):
    """What a keyframe says of the thing from its time on."""

    VISIBLE = "visible"
    OCCLUDED = "occluded"
    ABSENT = "absent"


class Interpolation(StrEnum):
    """What stands between two keyframes."""

    LINEAR = "linear"
    HOLD = "hold"
    NONE = "none"


class Gap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of stream time in which the track is stated to be absent, with the reason."""

    start_ns: int
    end_ns: int
    reason: str = ""


class Track(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Makes an annotation a track: its shapes are keyframes, kept as records of their own."""

    interpolation: Interpolation = Interpolation.LINEAR
    gaps: tuple[Gap, ...] = ()
    static: bool = False


class Entity(Record, frozen=True, kw_only=True):
    """The one real thing that annotations show. The class lives here. ``number`` is never used again in its sample."""

    id: EntityId
    sample: SampleId
    class_id: str
    number: int = 0
    name: str = ""
    attributes: Attributes = {}
    ontology_version: int = 0

    def called(self, class_name: str = "") -> str:
        """What everybody calls it: the name it was given, else its class (as said here, or its id) and number."""
        return self.name or f"{class_name or self.class_id} {self.number}".removesuffix(" 0")


class Annotation(Record, frozen=True, kw_only=True):
    """A shape with a class on one stream (or, without a stream, on the whole sample).

    ``start_ns``/``end_ns`` is a half-open interval in the *stream's* time (session time without a stream);
    equal ends are an instant; both absent means all of the item. ``item`` names a page, picture or DICOM instance.
    ``frame`` names the frame of 3-D shapes. With ``track`` the shapes are keyframes and ``shape`` is absent.
    ``class_id`` that differs from the entity's is kept and is a finding; without it the entity's class counts.
    """

    id: AnnotationId
    sample: SampleId
    stream: StreamId | None = None
    entity: EntityId | None = None
    class_id: str | None = None
    kind: ShapeKind
    shape: Shape | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    item: str | None = None
    frame: str | None = None
    attributes: Attributes = {}
    text: str | None = None
    language: str | None = None
    track: Track | None = None
    state: State = State.DRAFT
    layer: str = "main"
    source: Source = PERSON
    confidence: float | None = None
    ontology_version: int = 0


class Keyframe(Record, frozen=True, kw_only=True):
    """The shape of a track at one moment of its stream's time. One keyframe per track and moment."""

    id: RecordId
    annotation: AnnotationId
    time_ns: int
    shape: Shape | None = None
    presence: Presence = Presence.VISIBLE
    attributes: Attributes = {}
    source: Source = PERSON


class Word(Record, frozen=True, kw_only=True):
    """One word of a transcript turn. ``position`` orders the words; without times the word is not placed yet."""

    id: RecordId
    annotation: AnnotationId
    position: int
    text: str
    start_ns: int | None = None
    end_ns: int | None = None
    probability: float | None = None


class TargetKind(StrEnum):
    """What an end of a link, a verdict or a comment may point at."""

    ANNOTATION = "annotation"
    ENTITY = "entity"
    LINK = "link"
    STREAM = "stream"
    SAMPLE = "sample"
    MODALITY = "modality"


class EndValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an end looked like when a person last confirmed the link; compared by ``core/staleness.py``."""

    class_id: str | None = None
    shape: Shape | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    text: str | None = None
    keyframes: tuple[tuple[int, Shape], ...] = ()


class LinkEnd(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One end: its role in the link type, what it points at (an id, or a modality's name), what was confirmed."""

    role: str
    kind: TargetKind
    target: str
    confirmed_revision: int | None = None
    confirmed: EndValue | None = None


class Link(Record, frozen=True, kw_only=True):
    """A typed, directed relation. An absence is a link type whose other end is a stream or modality, with a reason.

    The interval is in session time. ``holds`` false is a negative link: "these two are *not* …".
    """

    id: LinkId
    sample: SampleId
    type_id: str
    ends: tuple[LinkEnd, ...]
    start_ns: int | None = None
    end_ns: int | None = None
    attributes: Attributes = {}
    holds: bool = True
    reason: str = ""
    rationale: str = ""
    state: State = State.DRAFT
    layer: str = "main"
    source: Source = PERSON
    confidence: float | None = None
    ontology_version: int = 0


class VerdictLevel(StrEnum):
    """How wide a verdict looks."""

    WITHIN = "within"
    CROSS = "cross"
    HOLISTIC = "holistic"


class VerdictValue(StrEnum):
    """What a reviewer said."""

    APPROVED = "approved"
    REJECTED = "rejected"
    UNSURE = "unsure"


class Verdict(Record, frozen=True, kw_only=True):
    """A reviewer's judgement of one target at one revision. Never edits what it judges."""

    id: RecordId
    sample: SampleId
    target_kind: TargetKind
    target: str
    target_revision: int
    level: VerdictLevel
    tier: int = 1
    aspect: str = ""
    value: VerdictValue
    reason: str = ""
    person: RecordId
    closed: bool = False


class CommentState(StrEnum):
    """Whether somebody still has to answer."""

    OPEN = "open"
    RESOLVED = "resolved"


class Comment(Record, frozen=True, kw_only=True):
    """A remark or a question about a target; travels in packages."""

    id: RecordId
    sample: SampleId
    target_kind: TargetKind
    target: str
    text: str
    person: RecordId
    addressed_to: str = ""
    question: bool = False
    edge_case: str | None = None
    """Tags its target as an edge case: the number in the guideline, empty for one that the guideline does not know."""
    reply_to: RecordId | None = None
    state: CommentState = CommentState.OPEN


class DecisionValue(StrEnum):
    """What a person did about a finding."""

    DISMISSED = "dismissed"
    CONFIRMED = "confirmed"
    FIXED = "fixed"
    WAIVED = "waived"


class FindingDecision(Record, frozen=True, kw_only=True):
    """What a person did about a finding, keyed by the finding's stable fingerprint; findings themselves are derived."""

    id: RecordId
    sample: SampleId
    fingerprint: str
    rule: str
    decision: DecisionValue
    reason: str = ""
    cause: str = ""
    person: RecordId


def effective_class(annotation: Annotation, entity: Entity | None) -> str | None:
    """The class an annotation counts under: its own, else its entity's."""
    if annotation.class_id is not None or entity is None:
        return annotation.class_id
    return entity.class_id
