"""Finding by a few letters: how well a name fits what was typed. Used by the palette and the class picker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")
_START, _WORD, _RUN, _PLAIN = 12, 8, 6, 1


def score(typed: str, name: str) -> int | None:
    """How well ``typed`` fits ``name``, more is better; ``None`` if its letters are not in it in that order.

    The whole as a part beats scattered letters, starts of words beat their insides, short names beat long ones.
    """
    wanted, there = typed.casefold().strip(), name.casefold()
    if not wanted:
        return 0
    whole = there.find(wanted)
    if whole >= 0:
        at_word = whole == 0 or not there[whole - 1].isalnum()
        return 1000 + (200 if whole == 0 else 100 if at_word else 0) - len(there)
    total, at, ran = 0, 0, False
    for letter in wanted:
        if letter.isspace():
            ran = False
            continue
        found = there.find(letter, at)
        if found < 0:
            return None
        ran = found == at and at > 0
        starts_word = found == 0 or not there[found - 1].isalnum()
        total += _START if found == 0 else _WORD if starts_word else _RUN if ran else _PLAIN
        at = found + 1
    return total - len(there) // 8


def best(typed: str, named: Iterable[tuple[str, T]], limit: int) -> list[T]:
    """The values whose names fit best, in their given order where they fit as well."""
    scored = [
        (found, -number, value)
        for number, (name, value) in enumerate(named)
        if (found := score(typed, name)) is not None
    ]
    scored.sort(key=lambda each: each[:2], reverse=True)
    return [value for _, _, value in scored[:limit]]
