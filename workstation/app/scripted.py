"""Scripted edits: one JSON object a line, run through the very commands the window uses.

``workstation annotate`` reads a file or standard input with it; a line is acknowledged only once it is durable.
``{"do": "annotation.add", …, "as": "horn"}`` gives the id it makes a name, and later lines say ``"$horn"``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import msgspec

from workstation.core.errors import UserError

LONGEST_LINE = 16 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_REFERENCE = re.compile(r"^((?:[a-z]+:)?)\$([A-Za-z_][A-Za-z0-9_-]{0,63})$")


class Runner(Protocol):
    """The part of a session that scripted edits need."""

    def run(self, command_id: str, /, **arguments: object) -> Any: ...
    def together(self, label: str) -> AbstractContextManager[Callable[..., Any]]: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a script with its arguments, ready to run. ``names`` are what later lines call its results."""

    line: int
    do: str
    arguments: Mapping[str, Any]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one line: the ids it made, or why it was refused."""

    line: int
    do: str = ""
    result: Any = None
    error: str | None = None


@dataclass(slots=True)
class Names:
    """The ids that earlier lines gave names to."""

    ids: dict[str, str] = field(default_factory=dict)

    def fill(self, value: Any) -> Any:
        """``value`` with every ``$name`` replaced by its id; ``$$`` stands for a dollar sign."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.fill(each) for each in value]
        if isinstance(value, dict):
            return {key: self.fill(each) for key, each in value.items()}
        return value

    def keep(self, names: tuple[str, ...], result: Any) -> None:
        """Remember what a line made."""
        made = list(result) if isinstance(result, tuple | list) else [result]
        made = [each for each in made if isinstance(each, str)]
        if names and len(made) < len(names):
            raise UserError(f"this command made {len(made)} ids; it cannot name {', '.join(names)}")
        self.ids.update(zip(names, made, strict=False))

    def _text(self, text: str) -> str:
        if text.startswith("$$"):
            return text[1:]
        found = _REFERENCE.match(text)
        if found is None:
            return text
        if found[2] not in self.ids:
            raise UserError(f"no earlier line made ${found[2]} (write $$ for a dollar sign)")
        return found[1] + self.ids[found[2]]


def run_script(runner: Runner, file: BinaryIO) -> Iterator[Outcome]:
    """Run line by line; a refused line does not stop the others. Each outcome comes after its edit is durable."""
    names = Names()
    for number, data in lines_of(file):
        do = ""
        try:
            step = parse_line(number, data)
            do = step.do
            result = runner.run(step.do, **names.fill(dict(step.arguments)))
            names.keep(step.names, result)
        except UserError as error:
            yield Outcome(number, do, error=str(error))
        else:
            yield Outcome(number, do, result)


def run_script_together(runner: Runner, file: BinaryIO, label: str) -> list[Outcome]:
    """Run all lines as one step, or none: the first refused line takes everything back."""
    steps, faults = [], []
    for number, data in lines_of(file):
        try:
            steps.append(parse_line(number, data))
        except UserError as error:
            faults.append(Outcome(number, error=str(error)))
    if faults:
        return faults
    names, outcomes = Names(), []
    step = Step(0, "", {})
    try:
        with runner.together(label) as run:
            for step in steps:
                result = run(step.do, **names.fill(dict(step.arguments)))
                names.keep(step.names, result)
                outcomes.append(Outcome(step.line, step.do, result))
    except UserError as error:
        return [Outcome(step.line, step.do, error=str(error))]
    return outcomes


def parse_line(number: int, data: bytes | str) -> Step:
    """One line as a step; ``data`` is text when the line could not even be taken in."""
    if isinstance(data, str):
        raise UserError(data)
    try:
        value = msgspec.json.decode(data)
    except RecursionError as error:
        raise UserError("this line is nested too deeply") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UserError(f"this line is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError('a line is an object, as {"do": "annotation.add", …}')
    do = value.pop("do", None)
    if not isinstance(do, str):
        raise UserError('a line says what to do: {"do": "annotation.add", …}')
    return Step(number, do, value, _names(value.pop("as", ())))


def _names(given: object) -> tuple[str, ...]:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not all(isinstance(n, str) and _NAME.fullmatch(n) for n in names):
        raise UserError('"as" is a name of letters, digits, _ and -, or a list of such names')
    return tuple(names)


def lines_of(file: BinaryIO) -> Iterator[tuple[int, bytes | str]]:
    """Numbered lines; blank ones are passed over, and one too long to take in is replaced by the reason."""
    number = 0
    while data := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(data) > LONGEST_LINE:
            while data and not data.endswith(b"\n"):
                data = file.readline(LONGEST_LINE)
            yield number, f"this line is longer than {LONGEST_LINE // 1024 // 1024} MB"
        elif data.strip():
            yield number, data
