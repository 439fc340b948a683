"""The ontology as it stands in the YAML file: the shape of the text, with its limits. The JSON Schema comes from here.

Only ``ontology_parse.py`` uses these types, and ``workstation schema`` prints the schema for editors.
Everything is keyed by id; classes nest by ``children`` or point up by ``parent``.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from workstation.core.annotation import TargetKind
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import (
    AttributeType,
    ErrorType,
    Mark,
    Pattern,
    Severity,
    Surface,
    WordPolicy,
)

ID_PATTERN = "^[a-z][a-z0-9_]*$"
CODE_PATTERN = "^[A-Z][A-Z0-9]{0,11}-[0-9]{1,6}$"
LANGUAGE_PATTERN = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
COLOUR_PATTERN = "^#[0-9a-fA-F]{6}$"
# 0, I, O and R have a meaning of their own while drawing; digits and other letters are the ontology's.
KEY_PATTERN = "^(Shift\\+)?[1-9a-z]$"

Id = Annotated[str, Meta(pattern=ID_PATTERN, max_length=64)]
Code = Annotated[str, Meta(pattern=CODE_PATTERN)]
Language = Annotated[str, Meta(pattern=LANGUAGE_PATTERN, max_length=35)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=20_000)]
Colour = Annotated[str, Meta(pattern=COLOUR_PATTERN)]
Metres = Annotated[float, Meta(gt=0, le=1000)]
Key = Annotated[str, Meta(pattern=KEY_PATTERN)]
NameForm = Name | dict[Language, Name]


class Form(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base: a key that is not known is refused."""


class RetiredForm(Form, frozen=True, kw_only=True):
    """Why something is not used any more, and what is offered instead."""

    reason: Text = ""
    replacements: list[Id] = []
    since: Annotated[int, Meta(ge=0)] = 0


class OptionForm(Form, frozen=True, kw_only=True):
    """One value of a choice, when it needs more than a name."""

    name: NameForm | None = None
    definition: Text = ""
    retired: RetiredForm | None = None


class AttributeForm(Form, frozen=True, kw_only=True):
    """A property; options are a list of ids, or ids with names."""

    type: AttributeType
    name: NameForm | None = None
    definition: Text = ""
    options: list[Id] | dict[Id, Name | OptionForm | None] = {}
    applies_to: list[Id] = []
    required: bool = False
    per_stream: bool = False
    over_time: bool = False
    default: bool | int | float | Text | list[Id] | None = None
    min: float | None = None
    max: float | None = None
    unit: Annotated[str, Meta(max_length=40)] = ""
    retired: RetiredForm | None = None


class ClassForm(Form, frozen=True, kw_only=True):
    """A class with the classes below it."""

    name: NameForm | None = None
    parent: Id | None = None
    definition: Text = ""
    colour: Colour | None = None
    mark: Mark | None = None
    pattern: Pattern | None = None
    key: Key | None = None
    deformable: bool | None = None
    proposals: bool | None = None
    usual_size_m: tuple[Metres, Metres, Metres] | None = None
    skeleton: Id | None = None
    attributes: list[Id] = []
    shapes: dict[Surface, list[ShapeKind]] = {}
    modalities: dict[Surface, Text] = {}
    examples: dict[Surface, Text] = {}
    not_in: dict[Surface, Text] = {}
    retired: RetiredForm | None = None
    children: dict[Id, ClassForm | None] = {}


class RoleForm(Form, frozen=True, kw_only=True):
    """One role of a link type; ``max: null`` means any number."""

    name: NameForm | None = None
    min: Annotated[int, Meta(ge=0, le=1000)] = 1
    max: Annotated[int, Meta(ge=1, le=1000)] | None = 1
    targets: tuple[TargetKind, ...] = (TargetKind.ANNOTATION, TargetKind.ENTITY)
    classes: list[Id] = []
    shapes: list[ShapeKind] = []
    streams: list[Surface] = []


class LinkTypeForm(Form, frozen=True, kw_only=True):
    """A type of link with its roles."""

    roles: dict[Id, RoleForm | None]
    name: NameForm | None = None
    definition: Text = ""
    symmetric: bool = False
    absence: bool = False
    negatable: bool = False
    tolerance: dict[Id, Annotated[float, Meta(ge=0)]] = {}
    reasons: list[Id] | dict[Id, Name | None] = {}
    attributes: list[Id] = []
    key: Key | None = None
    colour: Colour | None = None
    retired: RetiredForm | None = None


class WordForm(Form, frozen=True, kw_only=True):
    """A word whose policy differs from the usual one of its list."""

    word: Name
    policy: WordPolicy


class WordsForm(Form, frozen=True, kw_only=True):
    """The words of a class in one language: usual policies are same, allowed, warn and warn."""

    synonyms: list[Name | WordForm] = []
    narrower: list[Name | WordForm] = []
    broader: list[Name | WordForm] = []
    related: list[Name | WordForm] = []


class RuleForm(Form, frozen=True, kw_only=True):
    """A numbered rule."""

    title: Name
    text: Text
    error_type: ErrorType
    severity: Severity = Severity.WARNING
    limit: float | None = None
    unit: Annotated[str, Meta(max_length=40)] = ""
    classes: list[Id] = []
    link_types: list[Id] = []
    retired: RetiredForm | None = None


class EdgeCaseForm(Form, frozen=True, kw_only=True):
    """A numbered hard case and its decision."""

    text: Text
    title: Annotated[str, Meta(max_length=200)] = ""
    classes: list[Id] = []
    rules: list[Code] = []
    retired: RetiredForm | None = None


class SkeletonForm(Form, frozen=True, kw_only=True):
    """The joints of a skeleton."""

    points: Annotated[list[Id], Meta(min_length=1, max_length=1000)]
    edges: list[tuple[Id, Id]] = []
    mirror: list[tuple[Id, Id]] = []


class OntologyForm(Form, frozen=True, kw_only=True):
    """The whole file."""

    name: Name
    language: Language
    version: Annotated[int, Meta(ge=1)] = 1
    description: Text = ""
    modalities: Annotated[list[Surface], Meta(min_length=1)]
    shapes: dict[Surface, list[ShapeKind]] = {}
    classes: dict[Id, ClassForm | None]
    attributes: dict[Id, AttributeForm] = {}
    link_types: dict[Id, LinkTypeForm] = {}
    skeletons: dict[Id, SkeletonForm] = {}
    lexicon: dict[Id, dict[Language, WordsForm]] = {}
    rules: dict[Code, RuleForm] = {}
    edge_cases: dict[Code, EdgeCaseForm] = {}
    mappings: dict[Name, dict[Name, Id | list[Id]]] = {}


def ontology_schema() -> dict[str, Any]:
    """The JSON Schema of ``ontology.yaml``."""
    schema = msgspec.json.schema(OntologyForm)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "ontology.yaml"
    return schema
