"""One definition per edit: id, title, arguments, shortcut and right, read off a plain function.

The menu, the palette, the shortcuts, ``workstation annotate`` and scripts all read a ``Registry`` and run commands
by id, so an edit cannot behave differently from two sides. A command is a function ``(tx, *, typed arguments)``
under ``@command``; its docstring is its help, with one indented ``name: what it means`` line per argument.
The parsing of arguments is in ``arguments.py``, the finding of what an argument names in ``resolve.py``.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any, Protocol

import msgspec

import workstation.commands
from workstation.commands.arguments import Argument, arguments_of, help_of, wire_type
from workstation.commands.resolve import Resolver
from workstation.core.errors import UserError
from workstation.core.ids import SampleId
from workstation.core.rights import Actor, Right
from workstation.core.values import dataclass


class SessionView(Protocol):
    """What a command may ask about the session to say whether it can run now."""

    @property
    def actor(self) -> Actor: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def sample(self) -> SampleId | None: ...
    @property
    def selected(self) -> tuple[str, ...]: ...


Enabled = Callable[[SessionView], str | None]
"""Answers ``None`` if the command can run, else the sentence that a greyed entry shows."""


def always(_session: SessionView) -> str | None:
    """Never greyed."""
    return None


def needs_sample(session: SessionView) -> str | None:
    """Greyed until a sample is open."""
    return None if session.sample else "open a sample first"


def needs_selection(session: SessionView) -> str | None:
    """Greyed until something is selected."""
    return None if session.selected else "select something first"


@dataclass(frozen=True, kw_only=True)
class Command:
    """One edit a person can make. ``function`` takes a transaction and the arguments and answers the ids it made."""

    id: str
    title: str
    help: str
    function: Callable[..., Any]
    shortcut: str | None
    right: Right | None
    enabled: Enabled

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """Read off the function when first asked: of a hundred commands a window at its start asks for none."""
        return arguments_of(self.function)

    @cached_property
    def _as_found(self) -> tuple[Argument, ...]:
        """In the order in which what they name is looked for."""
        return tuple(sorted(self.arguments, key=lambda argument: argument.rank))

    @cached_property
    def wire(self) -> type[msgspec.Struct]:
        """The struct that the arguments' JSON is converted to."""
        return wire_type(self.id, self.arguments)

    def parse(self, given: Mapping[str, object]) -> dict[str, object]:
        """Arguments from JSON or Python, types checked, defaults left to the function."""
        self._refuse_unknown(given)
        try:
            plain = msgspec.to_builtins(dict(given))
            parsed = msgspec.convert(plain, self.wire)
        except (msgspec.ValidationError, TypeError, RecursionError) as error:
            raise UserError(f"{self.id}: {_in_words(str(error))}") from error
        return {name: getattr(parsed, name) for name in given}

    def run(self, tx: Any, given: Mapping[str, object], *, sample: SampleId | None = None) -> Any:
        """Parse, find what the arguments name, and do it inside ``tx``. ``sample`` is the open one, if any."""
        parsed = self.parse(given)
        resolver = Resolver(tx, sample)
        resolved: dict[str, object] = {}
        for argument in self._as_found:
            if argument.name in parsed:
                value = argument.resolve(resolver, parsed[argument.name])
                if argument.passed_on:
                    resolved[argument.name] = value
        if any(argument.from_context and resolved.get("sample") is None for argument in self.arguments):
            if resolver.sample is None:
                raise UserError(f"{self.id} needs to know the sample: name it, or something in it")
            resolved["sample"] = resolver.sample
        return self.function(tx, **self._grouped(resolved))

    def _grouped(self, resolved: Mapping[str, object]) -> dict[str, object]:
        """What the function is given: the arguments of a group as one value of its class."""
        given = dict(resolved)
        groups = dict(argument.group for argument in self.arguments if argument.group is not None)
        for name, made in groups.items():
            fields = [argument.name for argument in self.arguments if argument.group == (name, made)]
            given[name] = made(**{field: given.pop(field) for field in fields if field in given})
        return given

    def unavailable(self, session: SessionView) -> str | None:
        """Why the command cannot run now, or ``None``."""
        if session.read_only:
            return "the project is open read-only"
        return self.enabled(session)

    def _refuse_unknown(self, given: Mapping[str, object]) -> None:
        known = [argument.name for argument in self.arguments]
        for name in given:
            if name not in known:
                raise UserError(
                    f"{self.id} has no argument {name!r}{did_you_mean(name, known)}; it takes {', '.join(known)}"
                )
        missing = [a.name for a in self.arguments if a.required and a.name not in given]
        if missing:
            raise UserError(f"{self.id} needs {', '.join(missing)}")


def command(
    command_id: str, *, title: str, shortcut: str | None = None, right: Right | None = None, enabled: Enabled = always
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as a command; the function itself stays a plain function."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        made = Command(
            id=command_id,
            title=title,
            help=help_of(function),
            function=function,
            shortcut=shortcut,
            right=right,
            enabled=enabled,
        )
        function.__command__ = made  # type: ignore[attr-defined]
        return function

    return mark


@dataclass(frozen=True, slots=True)
class Registry:
    """Every command by id."""

    commands: Mapping[str, Command]

    def find(self, command_id: str) -> Command:
        """The command of that id; a slip is answered with the nearest ones."""
        found = self.commands.get(command_id)
        if found is None:
            raise UserError(f"there is no command {command_id!r}{did_you_mean(command_id, self.commands)}")
        return found

    def __iter__(self) -> Iterator[Command]:
        return iter(self.commands.values())

    def schema(self) -> dict[str, Any]:
        """JSON Schema of one line of ``annotate``: one alternative per command."""
        refs, components = msgspec.json.schema_components([c.wire for c in self], ref_template="#/$defs/{name}")
        definitions = dict(components)
        for each in self:
            definitions[each.wire.__name__] = _line_schema(each, definitions[each.wire.__name__])
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "One line of workstation annotate",
            "oneOf": list(refs),
            "$defs": definitions,
        }
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
        return plain


def _line_schema(each: Command, arguments: Mapping[str, Any]) -> dict[str, Any]:
    name = {
        "description": "a name for the id this line makes; later lines say $name (a list where several are made)",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    extra = {"shortcut": each.shortcut, "right": each.right}
    return {
        "title": each.title,
        "description": each.help,
        "type": "object",
        "properties": {"do": {"const": each.id}, "as": name, **arguments.get("properties", {})},
        "required": ["do", *arguments.get("required", [])],
        "additionalProperties": False,
        **{f"x-{key}": value for key, value in extra.items() if value},
    }


@cache
def load_registry() -> Registry:
    """All commands of the program: a new module in this folder is found by itself. Importing them takes a moment."""
    commands: dict[str, Command] = {}
    for found in sorted(pkgutil.iter_modules(workstation.commands.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"workstation.commands.{found.name}")
        for value in vars(module).values():
            made = getattr(value, "__command__", None)
            if isinstance(made, Command) and made.function.__module__ == module.__name__:
                if made.id in commands:
                    raise ValueError(f"two commands are called {made.id}")
                commands[made.id] = made
    return Registry(commands)


def did_you_mean(wrong: str, known: Mapping[str, object] | list[str]) -> str:
    """``; did you mean …?`` or nothing."""
    near = difflib.get_close_matches(wrong[:100], list(known), n=2)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _in_words(message: str) -> str:
    """msgspec's message with the argument's name in front of it."""
    text, at, path = message.partition(" - at `$.")
    return f"{path.rstrip('`')}: {text[0].lower()}{text[1:]}" if at else message


__all__ = ["Command", "Registry", "always", "command", "load_registry", "needs_sample", "needs_selection"]
