"""What a command's function says about its arguments: names, types, defaults, help, and which of them name records.

``registry.py`` reads this. An argument that names something is annotated with one of the ``…Ref`` types below:
on the wire it is text (an id, its beginning, a key, ``car 17``), in the function it is what ``resolve.py`` found.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from workstation.commands.resolve import WANTED_IN_WORDS, Resolver, Target, Wanted
from workstation.core.ids import AnnotationId, EntityId, LinkId, RecordId, RigId, SampleId, StreamId
from workstation.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """Marks a type as naming something of the project."""

    wanted: Wanted


SampleRef = Annotated[SampleId, Reference(Wanted.SAMPLE)]
StreamRef = Annotated[StreamId, Reference(Wanted.STREAM)]
RigRef = Annotated[RigId, Reference(Wanted.RIG)]
EntityRef = Annotated[EntityId, Reference(Wanted.ENTITY)]
AnnotationRef = Annotated[AnnotationId, Reference(Wanted.ANNOTATION)]
LinkRef = Annotated[LinkId, Reference(Wanted.LINK)]
KeyframeRef = Annotated[RecordId, Reference(Wanted.KEYFRAME)]
WordRef = Annotated[RecordId, Reference(Wanted.WORD)]
PersonRef = Annotated[RecordId, Reference(Wanted.PERSON)]
CommentRef = Annotated[RecordId, Reference(Wanted.COMMENT)]
VerdictRef = Annotated[RecordId, Reference(Wanted.VERDICT)]
QueueRef = Annotated[RecordId, Reference(Wanted.QUEUE_ITEM)]
ParkedRef = Annotated[RecordId, Reference(Wanted.PARKED)]
TargetRef = Annotated[Target, Reference(Wanted.TARGET)]
ClassRef = Annotated[str, Reference(Wanted.CLASS)]
LinkTypeRef = Annotated[str, Reference(Wanted.LINK_TYPE)]

_RANK = {Wanted.SAMPLE: 0, Wanted.STREAM: 1, Wanted.ANNOTATION: 2, Wanted.LINK: 3}
_USUAL_HELP = {
    "sample": f"{WANTED_IN_WORDS[Wanted.SAMPLE]}; left out, the sample of what else is named, or the open one",
    "stream": WANTED_IN_WORDS[Wanted.STREAM],
    "entity": WANTED_IN_WORDS[Wanted.ENTITY],
    "annotation": "the annotation: its id or the beginning of it",
    "annotations": "the annotations: ids or the beginnings of them",
    "link": "the link: its id or the beginning of it",
    "person": WANTED_IN_WORDS[Wanted.PERSON],
    "class_id": WANTED_IN_WORDS[Wanted.CLASS],
    "attributes": "values by attribute name",
    "reason": "why, in the person's words",
}
_HELP_LINE = re.compile(r"^(\w+): (.+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a command. ``type`` is what the function gets, ``wire`` what JSON holds.

    Every command takes ``sample``, since "car 17" means something only in one; where the function has no use for it,
    it is not passed on.
    """

    name: str
    type: Any
    wire: Any
    required: bool
    default: object
    help: str
    from_context: bool = False
    passed_on: bool = True
    group: tuple[str, type] | None = None
    """The parameter and the class of a group of arguments that it is a field of."""

    @property
    def rank(self) -> int:
        """Samples are found first, then streams, then labels: each narrows where the next is looked for."""
        return min((_RANK.get(wanted, 4) for wanted in _references(self.type)), default=5)

    @property
    def names(self) -> frozenset[Wanted]:
        """What kinds of things it names; empty for a plain value."""
        return _references(self.type)

    def resolve(self, resolver: Resolver, value: object) -> object:
        """The value the function gets."""
        return _resolved(self.type, value, resolver)


_WHERE = Argument(
    name="sample",
    type=SampleRef,
    wire=str | None,
    required=False,
    default=None,
    help=f"{WANTED_IN_WORDS[Wanted.SAMPLE]}; needed only where a key or number means something in one sample",
    passed_on=False,
)


def argument_group(group: type) -> type:
    """Mark a dataclass as arguments that several commands take together: a command names it as one parameter."""
    group.__argument_group__ = True  # type: ignore[attr-defined]
    return group


def arguments_of(function: Callable[..., Any]) -> tuple[Argument, ...]:
    """The keyword arguments of a command's function; each must be typed and described."""
    hints = typing.get_type_hints(function, include_extras=True)
    found: list[Argument] = []
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"{function.__qualname__}: {name} must be a keyword argument")
        if hasattr(hints[name], "__argument_group__"):
            found += _group_arguments(name, hints[name])
        else:
            found.append(_argument(function, name, hints[name], parameter.default))
    if not any(argument.name == "sample" for argument in found) and any(_references(a.type) for a in found):
        found.append(_WHERE)
    return tuple(found)


def _group_arguments(name: str, group: type) -> list[Argument]:
    hints = typing.get_type_hints(group, include_extras=True)
    each = inspect.signature(group).parameters.items()
    made = [_argument(group, field, hints[field], parameter.default) for field, parameter in each]
    return [replace(argument, group=(name, group)) for argument in made]


def _argument(owner: Callable[..., Any], name: str, hint: Any, default: object) -> Argument:
    described = dict(_described(owner))
    if name not in described and name not in _USUAL_HELP:
        raise TypeError(f"{owner.__qualname__}: the docstring does not say what {name} is")
    bare = default is inspect.Parameter.empty
    from_context = bare and name == "sample"  # what else is named, or the open sample, says which sample
    return Argument(
        name=name,
        type=hint,
        wire=str | None if from_context else _wire(hint),
        required=bare and not from_context,
        default=None if bare else default,
        help=described.get(name) or _USUAL_HELP[name],
        from_context=from_context,
    )


def help_of(function: Callable[..., Any]) -> str:
    """The docstring up to the lines about arguments."""
    text = inspect.getdoc(function) or ""
    kept: list[str] = []
    for line in text.splitlines():
        if _HELP_LINE.match(line):
            break
        kept.append(line)
    return " ".join(" ".join(kept).split())


def wire_type(command_id: str, arguments: tuple[Argument, ...]) -> type[msgspec.Struct]:
    """The struct that the arguments' JSON is converted to; unknown fields are refused."""
    fields: list[Any] = []
    for argument in arguments:
        described: Any = Annotated.__class_getitem__((argument.wire, msgspec.Meta(description=argument.help)))  # type: ignore[attr-defined]
        default = argument.default
        fields.append((argument.name, described) if argument.required else (argument.name, described, default))
    return msgspec.defstruct(command_id, fields, kw_only=True, frozen=True, forbid_unknown_fields=True)


def _described(function: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    """Name and text of each ``name: text`` line; an indented line goes on with the text before."""
    name, text = "", ""
    for line in (inspect.getdoc(function) or "").splitlines():
        match = _HELP_LINE.match(line)
        if match:
            if name:
                yield name, text
            name, text = match[1], match[2]
        elif name and line.startswith(" "):
            text += " " + line.strip()
    if name:
        yield name, text


# Both are asked again for every argument of every edit; taking a type apart costs more than the edit's own work.
@cache
def _reference(kind: Any) -> Reference | None:
    if get_origin(kind) is Annotated:
        return next((meta for meta in kind.__metadata__ if isinstance(meta, Reference)), None)
    return None


@cache
def _references(kind: Any) -> frozenset[Wanted]:
    reference = _reference(kind)
    if reference is not None:
        return frozenset({reference.wanted})
    return frozenset().union(*(_references(part) for part in get_args(kind)))


def _wire(kind: Any) -> Any:
    """The type with every reference replaced by text."""
    if _reference(kind) is not None:
        return str
    arguments = get_args(kind)
    if not arguments or not _references(kind):
        return kind
    parts = tuple(_wire(part) for part in arguments)
    if get_origin(kind) in (Union, types.UnionType):
        return Union[parts]  # noqa: UP007 - built from values
    return get_origin(kind)[parts]


def _resolved(kind: Any, value: object, resolver: Resolver) -> object:
    reference = _reference(kind)
    if reference is not None:
        return resolver.find(reference.wanted, str(value))
    if value is None or value is msgspec.UNSET or not _references(kind):
        return value
    if get_origin(kind) in (Union, types.UnionType):
        return _resolved(_member(kind, value), value, resolver)
    if isinstance(value, Mapping):
        inner = get_args(kind)[1]
        return {key: _resolved(inner, each, resolver) for key, each in value.items()}
    inner = get_args(kind)[0]
    return tuple(_resolved(inner, each, resolver) for each in typing.cast("tuple[object, ...]", value))


def _member(kind: Any, value: object) -> Any:
    """The part of a union that a value on the wire belongs to."""
    for part in get_args(kind):
        scalar = _reference(part) is not None
        if _references(part) and scalar == isinstance(value, str):
            return part
    return object
