"""Where in a file something is wrong, in words a lead can follow: ``classes.car.attributes[2]``.

msgspec names list positions but writes ``[...]`` for mapping keys; the key is found here by halving the mapping.
Called by ``ontology_parse.py``; knows nothing about ontologies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

MAX_DEPTH = 100
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|(\[\.\.\.\])")
_WORDS = (
    (re.compile(r"^Object contains unknown field `(.*)`$"), r"the key '\1' is not known here"),
    (re.compile(r"^Object missing required field `(.*)`$"), r"the key '\1' is missing"),
    (re.compile(r"^Invalid enum value (.*)$"), r"\1 is not one of the values allowed here"),
    (re.compile(r"matching regex '\^\[a-z\]\[a-z0-9_\]\*\$'"), "that is an id (small letters, digits, '_')"),
    (re.compile(r"matching regex '\^#.*'"), "that is a colour like '#ff8800'"),
    (re.compile(r"matching regex '\^\[A-Z\].*'"), "that is a code like 'G-12'"),
    (re.compile(r"matching regex '\^\(Shift.*'"), "that is a key like 'c', '7' or 'Shift+c'"),
    (re.compile(r"matching regex '\^\[a-z\]\{2.*'"), "that is a language code like 'en'"),
    (re.compile(r"^Expected"), "expected"),
    (re.compile(r"\bof length <= (\d+)"), r"of at most \1"),
    (re.compile(r"\bof length >= (\d+)"), r"of at least \1"),
)

_TYPES = re.compile(r"`([a-z]+(?: \| [a-z]+)*)`")
_TYPE_WORDS = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "object": "a mapping",
    "array": "a list", "null": "nothing",
}  # fmt: skip


class Problem(NamedTuple):
    """One thing that is wrong, and where."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


def plain_problems(plain: object) -> Iterator[Problem]:
    """Control characters, keys that are not text, and nesting without end, found before anything is converted."""
    stack: list[tuple[object, tuple[str, ...]]] = [(plain, ())]
    while stack:
        value, path = stack.pop()
        if len(path) > MAX_DEPTH:
            yield Problem(_joined(path[:5]), f"is nested deeper than {MAX_DEPTH} levels")
            return
        if isinstance(value, str):
            found = _CONTROL.search(value)
            if found:
                yield Problem(_joined(path), f"holds the control character U+{ord(found.group()):04X}; remove it")
        elif isinstance(value, dict):
            for key, item in value.items():
                if not isinstance(key, str):
                    yield Problem(_joined(path), f"the key {key!r} is not text")
                    continue
                if _CONTROL.search(key) or "\n" in key or "\t" in key:
                    yield Problem(_joined(path), f"the key {shown(key)} holds a control character; remove it")
                stack.append((item, (*path, f".{shorter(key)}")))
        elif isinstance(value, list | tuple):
            stack.extend((item, (*path, f"[{index}]")) for index, item in enumerate(value))


def _joined(path: tuple[str, ...]) -> str:
    return "".join(path).removeprefix(".")


def shorter(text: str) -> str:
    """``text``, cut to what fits into a sentence."""
    return text if len(text) <= 60 else f"{text[:57]}…"


def shown(text: str) -> str:
    """``text`` in quotes, made harmless and cut to what fits into a sentence."""
    return repr(shorter(text))


def place_of_error(plain: object, type_: Any, error: msgspec.ValidationError) -> tuple[str, str]:
    """Place and reason of a conversion error, both in plain words."""
    message = str(error)
    reason, _, path = message.partition(" - at ")
    path = path.strip("`")
    in_key = path.startswith("key` in `")
    path = path.removeprefix("key` in `").removeprefix("$")
    steps: list[str | int] = []
    for step in _STEP.finditer(path):
        if step.group(1):
            steps.append(step.group(1))
        elif step.group(2):
            steps.append(int(step.group(2)))
        else:
            steps.append(_failing_key(plain, steps, type_, message))
    if in_key:
        steps.append(_failing_key(plain, steps, type_, message))
    return _path_text(steps), _plain_words(reason)


def _path_text(steps: list[str | int]) -> str:
    return _joined(tuple(f"[{step}]" if isinstance(step, int) else f".{shorter(step)}" for step in steps))


def _plain_words(reason: str) -> str:
    for pattern, words in _WORDS:
        reason = pattern.sub(words, reason)
    return _TYPES.sub(_types_in_words, reason)


def _types_in_words(match: re.Match[str]) -> str:
    words = [_TYPE_WORDS.get(name, name) for name in match.group(1).split(" | ")]
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _failing_key(plain: object, steps: list[str | int], type_: Any, message: str) -> str:
    """The first key of the mapping at ``steps`` that is to blame: the shortest run of entries that still fails so."""
    mapping: Any = plain
    for step in steps:
        mapping = mapping[step]
    keys = list(mapping)
    low, high = 1, len(keys)
    while low < high:
        middle = (low + high) // 2
        part = {key: mapping[key] for key in keys[:middle]}
        if _message(_replaced(plain, steps, part), type_) == message:
            high = middle
        else:
            low = middle + 1
    return str(keys[low - 1])


def _replaced(plain: Any, steps: list[str | int], new: object) -> object:
    if not steps:
        return new
    copy: Any = dict(plain) if isinstance(plain, dict) else list(plain)
    copy[steps[0]] = _replaced(plain[steps[0]], steps[1:], new)
    return copy


def _message(plain: object, type_: Any) -> str:
    try:
        msgspec.convert(plain, type_)
    except msgspec.ValidationError as error:
        return str(error)
    return ""
