"""The project's own records: settings, people, samples, streams, rigs, ontology versions, and what waits for a person.

The bundle of streams of one moment is a sample; it is opened, labelled, reviewed and exported as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from workstation.core.annotation import Record, TargetKind
from workstation.core.ids import RecordId, RigId, SampleId, StreamId
from workstation.core.ontology import ErrorType, Severity
from workstation.core.timebase import TimeMap


class Role(StrEnum):
    """What a person is here for. Roles are attested, not authenticated."""

    ANNOTATOR = "annotator"
    EXPERT = "expert"
    REVIEWER = "reviewer"
    QA_LEAD = "qa_lead"
    AUDITOR = "auditor"
    LEAD = "lead"
    ML_ENGINEER = "ml_engineer"
    COMPLIANCE = "compliance"


class OwnRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A check that a project wrote itself, as a sentence (``core/statement.py``). It judges nothing until it is on."""

    id: str
    says: str
    severity: Severity = Severity.WARNING
    error_type: ErrorType = ErrorType.SEMANTIC
    on: bool = False
    note: str = ""


class SearchUse(StrEnum):
    """What a saved search is for: to look at, to draw samples by, or to be told when it finds something."""

    VIEW = "view"
    SAMPLING = "sampling"
    ALERT = "alert"


class SavedSearch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A search over relations that somebody gave a name."""

    name: str
    says: str
    use: SearchUse = SearchUse.VIEW


class Project(Record, frozen=True, kw_only=True):
    """The one record of the project itself: its name, its profile, its limits, gates, own checks and searches."""

    id: RecordId
    name: str
    profile: str = "general"
    tolerances: Mapping[str, float] = {}
    gates: Mapping[str, str] = {}
    modalities: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    """What may lead to findings, beside the usual causes."""
    rules: tuple[OwnRule, ...] = ()
    searches: tuple[SavedSearch, ...] = ()
    main_link: str = ""
    """The link type that counts most: its coverage and agreement come first."""
    links_off: tuple[str, ...] = ()
    """Link types of the ontology that nobody makes here; links that are there stay."""


class Person(Record, frozen=True, kw_only=True):
    """Somebody who works in the project, with every role she may act in."""

    id: RecordId
    name: str
    roles: tuple[Role, ...] = (Role.ANNOTATOR,)
    active: bool = True


class SampleState(StrEnum):
    """Where a sample stands in the work."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    QUARANTINED = "quarantined"


class GateState(StrEnum):
    """Whether something that must be sure before labelling is sure."""

    UNVERIFIED = "unverified"
    DECLARED = "declared"
    VERIFIED = "verified"
    WAIVED = "waived"
    NOT_NEEDED = "not_needed"


class Gate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The state of one gate of a sample (``sync``, ``calibration``, …), and on whose word."""

    state: GateState = GateState.UNVERIFIED
    person: str = ""
    reason: str = ""


class Sample(Record, frozen=True, kw_only=True):
    """The streams of one moment under one id and one human key, unique in the project."""

    id: SampleId
    key: str
    profile: str = ""
    state: SampleState = SampleState.NEW
    gates: Mapping[str, Gate] = {}
    assigned_to: RecordId | None = None
    notes: str = ""
    properties: Mapping[str, str] = {}


class StreamKind(StrEnum):
    """The modality of a stream."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    CLOUD = "cloud"
    RADAR = "radar"
    SERIES = "series"
    TEXT = "text"
    DOCUMENT = "document"
    VOLUME = "volume"
    TRAJECTORY = "trajectory"
    MAP = "map"
    TURNS = "turns"


class MediaFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One file behind a stream: where it lies, what it holds, how large it is.

    ``path`` uses forward slashes and is relative to the project folder where possible; it may leave the folder
    (``../recordings/a.mp4``) or be absolute, since media are usually not copied in. They are only ever read.
    """

    path: str
    sha256: str
    size: int


class Stream(Record, frozen=True, kw_only=True):
    """One modality of a sample: files, clock, time map, frame, and where it came from. ``key`` is unique in its sample.

    ``epoch_ns`` anchors the stream's own zero in Unix time where known; ``time_map`` leads to session time.
    ``clock`` names the clock, ``clock_locked`` says whether it was locked to its master while recording (``None``:
    nobody said), ``clock_offset_ns`` how far off it said it was itself. What was measured is in the time map.
    """

    id: StreamId
    sample: SampleId
    key: str
    kind: StreamKind
    role: str = ""
    files: tuple[MediaFile, ...] = ()
    reader: str = ""
    options: Mapping[str, str | bool | int | float] = {}
    clock: str = ""
    clock_locked: bool | None = None
    clock_offset_ns: int | None = None
    epoch_ns: int | None = None
    time_map: TimeMap
    frame: str = ""
    recording: str = ""
    language: str = ""
    consent: str = ""
    licence: str = ""
    transformations: tuple[str, ...] = ()


class Rig(Record, frozen=True, kw_only=True):
    """Where the sensors sit: a tree of frames and the cameras, valid for a stretch of session time.

    ``frames`` and ``cameras`` are the JSON of the values in ``core/space.py``; they are parsed where they are used,
    so that the store needs no camera model.
    """

    id: RigId
    sample: SampleId
    key: str = "rig"
    version: int = 1
    start_ns: int | None = None
    end_ns: int | None = None
    frames: tuple[Mapping[str, Any], ...] = ()
    cameras: tuple[Mapping[str, Any], ...] = ()
    note: str = ""


class OntologyState(StrEnum):
    """A version goes draft → in review → locked; the locked one with the highest number is in force."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    LOCKED = "locked"
    WITHDRAWN = "withdrawn"


class OntologyVersion(Record, frozen=True, kw_only=True):
    """One version of the ontology as readable text. ``migration`` is the JSON of how records came from ``parent``.

    ``reviewer`` has accepted it; ``cross_modal_reasons`` ("class/modality" → why not there) is what the review asked.
    """

    id: RecordId
    number: int
    text: str
    sha256: str
    state: OntologyState = OntologyState.DRAFT
    author: str = ""
    note: str = ""
    parent: int | None = None
    locked_ms: int | None = None
    migration: str = ""
    cross_modal_reasons: Mapping[str, str] = {}
    reviewer: str = ""


class Guideline(Record, frozen=True, kw_only=True):
    """One version of the guideline for all modalities."""

    id: RecordId
    number: int
    text: str
    sha256: str
    ontology_number: int


class Acknowledgement(Record, frozen=True, kw_only=True):
    """A person has read a guideline version."""

    id: RecordId
    person: RecordId
    guideline_number: int


class QueueState(StrEnum):
    """Whether a person has decided."""

    OPEN = "open"
    CHANGED = "changed"
    KEPT = "kept"


class QueueItem(Record, frozen=True, kw_only=True):
    """Something a person must decide after an ontology change: nothing is rewritten silently.

    ``aspect`` says what an answer sets: ``class``, ``link_type``, ``attribute:colour``; without one it is only noted.
    """

    id: RecordId
    sample: SampleId
    target_kind: TargetKind
    target: str
    question: str
    options: tuple[str, ...] = ()
    aspect: str = ""
    ontology_number: int = 0
    state: QueueState = QueueState.OPEN
    answer: str = ""
    person: RecordId | None = None


class ParkedState(StrEnum):
    """What became of a record that did not fit."""

    OPEN = "open"
    MAPPED = "mapped"
    DISCARDED = "discarded"


class Parked(Record, frozen=True, kw_only=True):
    """A record from outside that the gate refused: kept word for word until a person maps or discards it."""

    id: RecordId
    sample: SampleId | None = None
    origin: str
    kind: str
    payload: str
    problems: tuple[str, ...]
    state: ParkedState = ParkedState.OPEN
    resolution: str = ""
