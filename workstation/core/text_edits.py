"""Where the places of a text are after it was edited. Pure functions; offsets are code points.

What stands before an edit stays, what stands after it shifts; text put in at the edge of a span stays outside it;
a place whose text is gone is gone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple


class Edit(NamedTuple):
    """A stretch that was replaced, put in or taken out; ``head`` and ``tail`` characters at its ends stayed the same.

    A word that changed is replaced as a whole; only a place inside it asks for its head and tail.
    """

    old_start: int
    old_end: int
    new_start: int
    new_end: int
    head: int = 0
    tail: int = 0


# Comparing character by character is quadratic; beyond this a changed stretch counts as replaced as a whole.
_COMPARED = 2_000
_JOINERS = "\u200c\u200d"


def edits_between(old: str, new: str) -> list[Edit]:
    """What was changed, in order."""
    start = _outside_word(old, new, _common_prefix(old, new))
    end = _common_prefix(old[start:][::-1], new[start:][::-1])
    end = _outside_word(old[::-1], new[::-1], end)
    old_middle, new_middle = old[start : len(old) - end], new[start : len(new) - end]
    if not old_middle and not new_middle:
        return []
    if max(len(old_middle), len(new_middle)) > _COMPARED or not old_middle or not new_middle:
        return [_edit(old, new, start, start + len(old_middle), start, start + len(new_middle))]
    matcher = SequenceMatcher(str.isspace, _pieces(old_middle), _pieces(new_middle), autojunk=False)
    old_at, new_at = _offsets(_pieces(old_middle), start), _offsets(_pieces(new_middle), start)
    return [
        _edit(old, new, old_at[i1], old_at[i2], new_at[j1], new_at[j2])
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def rebased(parts: Sequence[tuple[int, int]], edits: Sequence[Edit]) -> tuple[tuple[int, int], ...]:
    """The parts of a text span after the edits; parts whose text is gone are left out, parts that meet become one."""
    kept: list[tuple[int, int]] = []
    for start, end in parts:
        new_start, new_end = _new_start(start, edits), _new_end(end, edits)
        if new_start >= new_end:
            continue
        if kept and new_start <= kept[-1][1]:
            kept[-1] = (kept[-1][0], max(kept[-1][1], new_end))
        else:
            kept.append((new_start, new_end))
    return tuple(kept)


def united(parts: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Parts in order as a text span holds them: empty ones left out, those that touch or overlap become one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(each for each in parts if each[0] < each[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def without(parts: Sequence[tuple[int, int]], taken: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """What is left of parts when some are taken out."""
    left = list(parts)
    for low, high in taken:
        pieces = [piece for start, end in left for piece in ((start, min(end, low)), (max(start, high), end))]
        left = [(start, end) for start, end in pieces if start < end]
    return united(left)


def quote(text: str, parts: Sequence[tuple[int, int]]) -> str:
    """What stands in the parts, joined by a blank."""
    return " ".join(text[start:end] for start, end in parts)


def _edit(old: str, new: str, old_start: int, old_end: int, new_start: int, new_end: int) -> Edit:
    before, after = old[old_start:old_end], new[new_start:new_end]
    head = _common_prefix(before, after)
    tail = _common_prefix(before[head:][::-1], after[head:][::-1])
    return Edit(old_start, old_end, new_start, new_end, head, tail)


def _new_start(at: int, edits: Sequence[Edit]) -> int:
    shift = 0
    for edit in edits:
        if at < edit.old_start:
            break
        if at < edit.old_end:
            return edit.new_start if at == edit.old_start else _inside(at, edit, otherwise=edit.new_end)
        shift = edit.new_end - edit.old_end
    return at + shift


def _new_end(at: int, edits: Sequence[Edit]) -> int:
    shift = 0
    for edit in edits:
        if at <= edit.old_start:
            break
        if at <= edit.old_end:
            return edit.new_end if at == edit.old_end else _inside(at, edit, otherwise=edit.new_start)
        shift = edit.new_end - edit.old_end
    return at + shift


def _inside(at: int, edit: Edit, *, otherwise: int) -> int:
    if at - edit.old_start <= edit.head:
        return edit.new_start + at - edit.old_start
    if edit.old_end - at <= edit.tail:
        return edit.new_end - (edit.old_end - at)
    return otherwise


def _common_prefix(a: str, b: str) -> int:
    length = min(len(a), len(b))
    if a[:length] == b[:length]:
        return length
    return next(i for i in range(length) if a[i] != b[i])


def _outside_word(old: str, new: str, shared: int) -> int:
    """``shared`` moved back out of a word that goes on in one of the texts: "car" became "cars", not "car" and "s"."""
    if not any(_in_word(text[shared : shared + 1]) for text in (old, new)):
        return shared
    while shared > 0 and _in_word(old[shared - 1]):
        shared -= 1
    return shared


def _in_word(char: str) -> bool:
    """Letters, digits, and the signs that stand on them: a vowel sign of Devanagari is no letter to Python."""
    return bool(char) and (char.isalnum() or char in _JOINERS or unicodedata.category(char)[0] == "M")


def _pieces(text: str) -> list[str]:
    """Words and what is between them: comparing those keeps a shared letter from tearing a word apart."""
    pieces: list[str] = []
    for char in text:
        if pieces and _in_word(char) and _in_word(pieces[-1][-1]):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _offsets(pieces: Sequence[str], start: int) -> list[int]:
    offsets = [start]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return offsets
