"""Where words and characters of a text begin and end, in code points, and how a window counts it. Without Qt.

Asked by the text and document panes while something is selected: a drag takes words, Alt takes characters, and a caret
stands inside a character as a person sees it (a flag, a syllable with its signs) only where it is put there.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache

from workstation.media.text_positions import character_starts

_JOINERS = "\u200c\u200d"
_INSIDE = "'’-‐‑_.,:/@"
"""Between two letters or digits these do not end a word: ``don't``, ``12.5``, ``a@b.c``."""
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0x20000, 0x3FFFF),
)  # fmt: skip
"""Thai, Lao, Burmese, Khmer, kana and Han put no blanks between words: there every character stands for itself."""
_RTL = ("R", "AL", "AN")


class Utf16:
    """How a window counts a text: characters beyond the first plane count twice."""

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._astral = [] if text.isascii() else [at for at, char in enumerate(text) if ord(char) > 0xFFFF]
        self._units = [at + number for number, at in enumerate(self._astral)]

    def of(self, offset: int) -> int:
        """UTF-16 units before a code point."""
        return offset + bisect_left(self._astral, offset)

    def offset(self, unit: int) -> int:
        """The code point that a unit belongs to."""
        return unit - bisect_left(self._units, unit)

    def __len__(self) -> int:
        return self._length + len(self._astral)


@lru_cache(maxsize=256)
def characters(text: str) -> Sequence[int]:
    """Where each character as a person sees it begins, and at last the length of the text."""
    if text.isascii() and "\r" not in text:
        return range(len(text) + 1)
    return [*character_starts(text), len(text)] if text else [0]


def character_around(text: str, offset: int) -> tuple[int, int]:
    """Start and end of the character that a code point belongs to; past the end nothing."""
    starts = characters(text)
    if offset >= len(text):
        return len(text), len(text)
    at = bisect_right(starts, offset) - 1
    return starts[at], starts[at + 1]


def next_character(text: str, offset: int, step: int) -> int:
    """The caret one character on (+1) or back (−1), never inside one."""
    starts = characters(text)
    at = bisect_right(starts, offset) if step > 0 else bisect_left(starts, offset) - 1
    return starts[min(max(at, 0), len(starts) - 1)]


def word_around(text: str, offset: int) -> tuple[int, int]:
    """Start and end of the word at a code point; between words, of the blank or sign that is there."""
    if not text:
        return 0, 0
    offset, after = character_around(text, min(max(offset, 0), len(text) - 1))
    if _kind(text, offset) != "word":
        return offset, after
    start = offset
    while start > 0 and _kind(text, start - 1) == "word":
        start -= 1
    end = offset + 1
    while end < len(text) and _kind(text, end) == "word":
        end += 1
    return character_around(text, start)[0], max(end, character_around(text, end - 1)[1])


def next_word(text: str, offset: int, step: int) -> int:
    """The end of the word after a caret (+1), or the beginning of the one before (−1)."""
    at = offset
    if step > 0:
        while at < len(text) and _kind(text, at) == "blank":
            at += 1
        return word_around(text, at)[1] if at < len(text) else len(text)
    while at > 0 and _kind(text, at - 1) == "blank":
        at -= 1
    return word_around(text, at - 1)[0] if at > 0 else 0


def snapped(text: str, start: int, end: int) -> tuple[int, int]:
    """A stretch drawn out to whole words; blanks at its ends stay outside unless there is nothing else."""
    start, end = min(start, end), max(start, end)
    first, last = start, max(start, end - 1)
    while first < last and _kind(text, first) == "blank":
        first += 1
    while last > first and _kind(text, last) == "blank":
        last -= 1
    begin, stop = word_around(text, first)[0], word_around(text, last)[1]
    while begin < stop:  # a character of mixed kinds may belong to the words on both its sides
        wider = word_around(text, begin)[0], word_around(text, stop - 1)[1]
        if wider == (begin, stop):
            break
        begin, stop = min(begin, wider[0]), max(stop, wider[1])
    return begin, stop


def is_right_to_left(text: str) -> bool:
    """Whether anything in it is written from right to left, so that what is one stretch may stand in two places."""
    return not text.isascii() and any(unicodedata.bidirectional(char) in _RTL for char in text)


def base_is_right_to_left(text: str) -> bool:
    """Whether the first letter that has a direction runs from right to left: so does the line then."""
    if text.isascii():
        return False
    found = (unicodedata.bidirectional(char) for char in text)
    return next((each for each in found if each in ("L", "R", "AL")), "L") != "L"


@lru_cache(maxsize=4096)
def _class_of(char: str) -> str:
    if char.isspace():
        return "blank"
    point = ord(char)
    if any(low <= point <= high for low, high in _UNSPACED):
        return "alone"
    category = unicodedata.category(char)
    if category[0] in "LMN" or char in _JOINERS or category == "Sc":
        return "word"
    return "inside" if char in _INSIDE else "sign"


def _kind(text: str, at: int) -> str:
    found = _class_of(text[at])
    if found != "inside":
        return found
    between = 0 < at < len(text) - 1 and _class_of(text[at - 1]) == "word" == _class_of(text[at + 1])
    return "word" if between else "sign"
