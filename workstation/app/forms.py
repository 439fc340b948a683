"""A command's arguments as fields to fill in: what the selection and the playhead already say, what can be chosen, and
the way back from the texts of a form to arguments. Read by the argument dialog and the action table of the window.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import msgspec

from workstation.app.sample_view import SampleView
from workstation.commands.arguments import Argument
from workstation.commands.registry import Command
from workstation.commands.resolve import Wanted
from workstation.core.errors import UserError
from workstation.core.timebase import SECOND_NS

_AT_PLAYHEAD = frozenset({"at_ns", "from_ns", "to_ns", "time_ns"})
_MANY = frozenset({"annotations", "links"})
_SECONDS_PLACES = 9
_MOST_NAMED = 6


class Entry(enum.StrEnum):
    """How a field is filled in."""

    TEXT = "text"
    CHOICE = "choice"
    SWITCH = "switch"
    SECONDS = "seconds"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One argument in a form. ``value`` is the text it starts with; ``choices`` are (what is meant, what is read)."""

    name: str
    title: str
    help: str
    entry: Entry
    required: bool
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    open_choice: bool = False
    """Whether something else than the choices may be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the hand is: what is selected, in the order of picking, and the playhead."""

    view: SampleView | None
    selected: tuple[str, ...]
    time_ns: int


def filled(command: Command, place: Place) -> dict[str, object] | None:
    """All arguments a command must have, where the selection and the playhead say them; ``None`` if they do not."""
    given: dict[str, object] = {}
    for argument in command.arguments:
        if argument.required or (argument.name in _AT_PLAYHEAD and given):
            value = _said(argument, command, place)
            if value is None and argument.required:
                return None
            if value is not None:
                given[argument.name] = value
    return given


def fields_of(command: Command, place: Place) -> list[Field]:
    """The form of a command; what is said already stands in it."""
    return [_field(each, command, place) for each in command.arguments if each.name != "sample"]


def arguments_from(command: Command, texts: Mapping[str, str]) -> dict[str, object]:
    """Arguments from the texts of a form; empty ones are left out. ``UserError`` names the field that is wrong."""
    given: dict[str, object] = {}
    for argument in command.arguments:
        text = texts.get(argument.name, "").strip()
        if not text:
            continue
        try:
            given[argument.name] = _value(argument, text)
        except (ValueError, InvalidOperation, msgspec.DecodeError, RecursionError) as error:
            raise UserError(f"{title_of(argument.name)}: {text[:60]!r} cannot be read ({error})") from error
    return given


def title_of(name: str) -> str:
    """``at_ns`` as ``At``, ``class_id`` as ``Class``."""
    plain = name.removesuffix("_ns").removesuffix("_id").replace("_", " ")
    return plain[:1].upper() + plain[1:]


# --- what is said -----------------------------------------------------------------------------------------------


def _said(argument: Argument, command: Command, place: Place) -> object | None:
    view = place.view
    if view is None:
        return None
    names = argument.names
    if Wanted.ANNOTATION in names:
        found = [each for each in place.selected if each in view.annotations]
        return _by_place(argument, command, found, Wanted.ANNOTATION)
    if Wanted.LINK in names:
        return _by_place(argument, command, [each for each in place.selected if each in view.links], Wanted.LINK)
    if Wanted.ENTITY in names:
        return _by_place(argument, command, _entities(view, place.selected), Wanted.ENTITY)
    if names & {Wanted.TARGET}:
        return place.selected[-1] if len(place.selected) == 1 else None
    if argument.name in _AT_PLAYHEAD:
        return _own_time(view, place)
    return None


def _by_place(argument: Argument, command: Command, found: Sequence[str], wanted: Wanted) -> object | None:
    """Several arguments of one kind take the selected ones in the order of picking."""
    if argument.name in _MANY:
        return list(found) or None
    singles = [each.name for each in command.arguments if wanted in each.names and each.name not in _MANY]
    if len(found) != len(singles) or argument.name not in singles:
        return None
    return found[singles.index(argument.name)]


def _entities(view: SampleView, selected: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for record_id in selected:
        annotation = view.annotations.get(record_id)
        entity = record_id if annotation is None else annotation.entity
        if entity is not None and entity in view.entities:
            found[entity] = None
    return list(found)


def _own_time(view: SampleView, place: Place) -> int | None:
    """The playhead on the axis of what is selected."""
    for record_id in place.selected:
        annotation = view.annotations.get(record_id)
        if annotation is not None:
            return view.own_ns(annotation, place.time_ns)
    return None


# --- the form ---------------------------------------------------------------------------------------------------


def _field(argument: Argument, command: Command, place: Place) -> Field:
    said = _said(argument, command, place) if argument.required or argument.name in {"target", "of"} else None
    choices, open_choice = _choices(argument, place)
    entry = _entry(argument, choices)
    named = _named(said, entry, place.view)
    if named is not None:
        choices, open_choice, entry = (named, *choices), True, Entry.CHOICE
    return Field(
        name=argument.name,
        title=title_of(argument.name) + (" (s, on the clock of the stream)" if entry is Entry.SECONDS else ""),
        help=argument.help,
        entry=entry,
        required=argument.required,
        value=_text(argument.default if said is None and not argument.required else said, entry),
        choices=choices,
        open_choice=open_choice,
    )


def _named(said: object, entry: Entry, view: SampleView | None) -> tuple[str, str] | None:
    """What is selected, by its name: nobody reads ids. ``None`` if it is no record, or can be chosen by name anyway."""
    ids = [said] if isinstance(said, str) else said
    if view is None or entry not in (Entry.TEXT, Entry.JSON) or not isinstance(ids, list) or not ids:
        return None
    if not all(isinstance(each, str) and view.exists(each) for each in ids):
        return None
    names = ", ".join(view.name_of(each) for each in ids[:_MOST_NAMED])
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return _text(said, entry), names + more


def _entry(argument: Argument, choices: tuple[tuple[str, str], ...]) -> Entry:
    plain = _plain_types(argument.wire)
    if argument.name.endswith("_ns"):
        return Entry.SECONDS
    if plain == {bool}:
        return Entry.SWITCH
    if choices:
        return Entry.CHOICE
    return Entry.TEXT if plain <= {str, int, float} else Entry.JSON


def _choices(argument: Argument, place: Place) -> tuple[tuple[tuple[str, str], ...], bool]:
    for kind in _plain_types(argument.wire):
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return tuple((str(each.value), str(each.value).replace("_", " ")) for each in kind), False
    view = place.view
    if view is None or _is_many(argument.wire):
        return (), False
    names = argument.names
    if Wanted.CLASS in names and view.ontology is not None:
        return tuple((each, view.class_name(each)) for each in view.ontology.classes), True
    if Wanted.LINK_TYPE in names and view.ontology is not None:
        return tuple((each, each.replace("_", " ")) for each in view.ontology.link_types), True
    if argument.name == "case" and view.ontology is not None:
        cases = (each for each in view.ontology.ontology.edge_cases if each.retired is None)
        return tuple((each.id, f"{each.id} {each.title}".strip()) for each in cases), True
    if Wanted.STREAM in names:
        return tuple((each.id, each.key) for each in view.streams.values()), True
    if Wanted.ENTITY in names:
        return tuple((each, view.name_of(each)) for each in view.entities), True
    return (), False


def _plain_types(wire: object) -> set[object]:
    origin = typing.get_origin(wire)
    if origin in (typing.Union, types.UnionType):
        parts = set().union(*(_plain_types(part) for part in typing.get_args(wire)))
        return parts - {type(None), type(msgspec.UNSET), msgspec.UnsetType}
    if origin is typing.Annotated:
        return _plain_types(typing.get_args(wire)[0])
    return {wire if origin is None else origin}


def _is_many(wire: object) -> bool:
    return not _plain_types(wire) <= {str, int, float, bool}


def _text(value: object, entry: Entry) -> str:
    if value is None or value is msgspec.UNSET:
        return ""
    if entry is Entry.SECONDS and isinstance(value, int):
        return format(Decimal(value) / SECOND_NS, f".{_SECONDS_PLACES}f").rstrip("0").rstrip(".")
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, (str, int, float)):
        return str(value)
    return msgspec.json.encode(value).decode() if value else ""


def _value(argument: Argument, text: str) -> object:
    entry = _entry(argument, ())
    if entry is Entry.SECONDS:
        return int(Decimal(text.replace(",", ".")) * SECOND_NS)
    plain = _plain_types(argument.wire)
    if plain == {bool}:
        return text.casefold() in ("yes", "true", "1")
    if plain == {int}:
        return int(text)
    if plain <= {int, float}:
        return float(text)
    if plain <= {str, int, float} or any(isinstance(kind, type) and issubclass(kind, enum.Enum) for kind in plain):
        return text
    if text[:1] in "[{" or not plain <= {tuple, list, str}:
        return msgspec.json.decode(text)
    return [part.strip() for part in text.split(",")]  # ids, one after another
