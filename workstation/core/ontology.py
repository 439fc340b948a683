"""The ontology as values: one list of classes, attributes, link types, words and rules for every modality.

Read from YAML by ``ontology_parse.py``, checked by ``ontology_check.py``, made fast by ``ontology_compile.py``,
compared by ``ontology_diff.py``, carried from version to version by ``ontology_migration.py``.
Ids are permanent and never used again; names may change freely, since nothing refers to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from workstation.core.annotation import TargetKind
from workstation.core.geometry import ShapeKind

Names = Mapping[str, str]
"""A text per language code; the ontology's own language is always there."""


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of the parts of an ontology."""


class Surface(StrEnum):
    """What an annotation lies on: a kind of stream, or the sample as a whole."""

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
    SAMPLE = "sample"


class AttributeType(StrEnum):
    """What an attribute's value is."""

    CHOICE = "choice"
    CHOICES = "choices"
    FLAG = "flag"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"


class WordRelation(StrEnum):
    """How a word stands to the class under which it is listed."""

    SYNONYMS = "synonyms"
    NARROWER = "narrower"
    BROADER = "broader"
    RELATED = "related"


class WordPolicy(StrEnum):
    """What it means when a text uses the word for a thing of the class."""

    SAME = "same"
    ALLOWED = "allowed"
    WARN = "warn"
    CONFLICT = "conflict"


class ClassRelation(StrEnum):
    """How one class stands to another: ``coarser`` says that the first is above the second."""

    SAME = "same"
    COARSER = "coarser"
    FINER = "finer"
    CONFLICT = "conflict"


class ErrorType(StrEnum):
    """The eight kinds of error that a rule may find."""

    TEMPORAL = "temporal"
    SEMANTIC = "semantic"
    MISSING_REFERENCE = "missing-reference"
    GRANULARITY = "granularity"
    INCORRECT_PAIRING = "incorrect-pairing"
    PARTIAL_ALIGNMENT = "partial-alignment"
    SEMANTIC_DRIFT = "semantic-drift"
    HALLUCINATION = "hallucination"


class Severity(StrEnum):
    """How much a broken rule matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Mark(StrEnum):
    """The sign beside a class's colour, for those who cannot tell the colours apart."""

    CIRCLE = "circle"
    SQUARE = "square"
    TRIANGLE = "triangle"
    DIAMOND = "diamond"
    HEXAGON = "hexagon"
    STAR = "star"
    CROSS = "cross"
    PLUS = "plus"
    RING = "ring"
    BAR = "bar"


class Pattern(StrEnum):
    """How outlines and spans of a class are drawn."""

    SOLID = "solid"
    DASHED = "dashed"
    DOTTED = "dotted"
    HATCHED = "hatched"
    CROSSHATCHED = "crosshatched"


class Retired(Value, frozen=True, kw_only=True):
    """Why something is not used any more; ``replacements`` are what a person is offered instead."""

    reason: str = ""
    replacements: tuple[str, ...] = ()
    since: int = 0


class Option(Value, frozen=True, kw_only=True):
    """One value of a choice."""

    id: str
    names: Names
    definition: str = ""
    retired: Retired | None = None


class Attribute(Value, frozen=True, kw_only=True):
    """A named property. ``applies_to`` lists classes (with all below them); empty means every class.

    ``per_stream``: the value may differ between the streams that show one thing (occlusion), so it belongs to the
    annotation. ``over_time``: it may change along a track, so a keyframe may carry it.
    """

    id: str
    names: Names
    type: AttributeType
    definition: str = ""
    options: tuple[Option, ...] = ()
    applies_to: tuple[str, ...] = ()
    required: bool = False
    per_stream: bool = False
    over_time: bool = False
    default: str | bool | int | float | tuple[str, ...] | None = None
    min: float | None = None
    max: float | None = None
    unit: str = ""
    retired: Retired | None = None


class OntologyClass(Value, frozen=True, kw_only=True):
    """A class. What is not said (shapes of a surface, colour, mark, pattern, skeleton, deformable, proposals, usual
    size) is its parent's."""

    id: str
    names: Names
    parent: str | None = None
    definition: str = ""
    colour: str | None = None
    mark: Mark | None = None
    pattern: Pattern | None = None
    key: str | None = None
    deformable: bool | None = None
    proposals: bool | None = None
    """False: the class takes context to judge, so no model may propose it."""
    usual_size_m: tuple[float, float, float] | None = None
    """Length, width and height of most things of the class, in metres."""
    skeleton: str | None = None
    shapes: Mapping[Surface, tuple[ShapeKind, ...]] = {}
    modalities: Mapping[Surface, str] = {}
    examples: Mapping[Surface, str] = {}
    not_in: Mapping[Surface, str] = {}
    retired: Retired | None = None


class EndRole(Value, frozen=True, kw_only=True):
    """One role of a link type and what may fill it. Empty limits allow everything; classes count with all below."""

    id: str
    names: Names
    min: int = 1
    max: int | None = 1
    targets: tuple[TargetKind, ...] = (TargetKind.ANNOTATION, TargetKind.ENTITY)
    classes: tuple[str, ...] = ()
    shapes: tuple[ShapeKind, ...] = ()
    streams: tuple[Surface, ...] = ()


class LinkType(Value, frozen=True, kw_only=True):
    """A type of link. ``absence``: it states that something has no counterpart, so it needs a reason."""

    id: str
    names: Names
    roles: tuple[EndRole, ...]
    definition: str = ""
    symmetric: bool = False
    absence: bool = False
    negatable: bool = False
    tolerance: Mapping[str, float] = {}
    reasons: Names = {}
    attributes: tuple[str, ...] = ()
    key: str | None = None
    colour: str | None = None
    retired: Retired | None = None


class Word(Value, frozen=True, kw_only=True):
    """A word or phrase listed under a class in one language."""

    class_id: str
    language: str
    word: str
    relation: WordRelation
    policy: WordPolicy


class Rule(Value, frozen=True, kw_only=True):
    """A numbered rule of the guideline that a flag or question may cite."""

    id: str
    title: str
    text: str
    error_type: ErrorType
    severity: Severity = Severity.WARNING
    limit: float | None = None
    unit: str = ""
    classes: tuple[str, ...] = ()
    link_types: tuple[str, ...] = ()
    retired: Retired | None = None


class EdgeCase(Value, frozen=True, kw_only=True):
    """A numbered hard case and its decision."""

    id: str
    text: str
    title: str = ""
    classes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    retired: Retired | None = None


class Skeleton(Value, frozen=True, kw_only=True):
    """The joints of a skeleton, which of them are joined, and which are left and right of each other."""

    id: str
    points: tuple[str, ...]
    edges: tuple[tuple[str, str], ...] = ()
    mirror: tuple[tuple[str, str], ...] = ()


class Ontology(Value, frozen=True, kw_only=True):
    """One version of the ontology. Everything keeps the order of the file; ids are unique within each list."""

    name: str
    language: str
    version: int = 1
    description: str = ""
    modalities: tuple[Surface, ...]
    shapes: Mapping[Surface, tuple[ShapeKind, ...]] = {}
    classes: tuple[OntologyClass, ...]
    attributes: tuple[Attribute, ...] = ()
    link_types: tuple[LinkType, ...] = ()
    skeletons: tuple[Skeleton, ...] = ()
    lexicon: tuple[Word, ...] = ()
    rules: tuple[Rule, ...] = ()
    edge_cases: tuple[EdgeCase, ...] = ()
    mappings: Mapping[str, Mapping[str, tuple[str, ...]]] = {}


def name_in(names: Names, language: str) -> str:
    """The name in ``language``, else in the first language given, which is the ontology's own."""
    return names.get(language) or next(iter(names.values()), "")


def ancestors(class_id: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """``class_id`` and everything above it, from below. ``parents`` holds no cycle (parsing saw to that)."""
    chain = []
    current: str | None = class_id
    while current is not None:
        chain.append(current)
        current = parents[current]
    return tuple(chain)


def parents_of(ontology: Ontology) -> dict[str, str | None]:
    """Class id → id of the class above it."""
    return {cls.id: cls.parent for cls in ontology.classes}


def relation_between(a: str, b: str, parents: Mapping[str, str | None]) -> ClassRelation:
    """How class ``a`` stands to class ``b``: the same, coarser (above it), finer (below it), or a conflict."""
    if a == b:
        return ClassRelation.SAME
    if a in ancestors(b, parents):
        return ClassRelation.COARSER
    if b in ancestors(a, parents):
        return ClassRelation.FINER
    return ClassRelation.CONFLICT


def inherited_shapes(
    class_id: str, classes: Mapping[str, OntologyClass], ontology: Ontology
) -> dict[Surface, tuple[ShapeKind, ...]]:
    """What may be drawn for a class on each surface: the ontology's shapes, overridden by each class from the top."""
    shapes = dict(ontology.shapes)
    chain = []
    current: str | None = class_id
    while current is not None:
        chain.append(classes[current])
        current = classes[current].parent
    for cls in reversed(chain):
        shapes.update(cls.shapes)
    return shapes
