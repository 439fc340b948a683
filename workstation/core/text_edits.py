"""Where the places of a text are after it was edited. Pure functions; offsets are code points.

What stands before an edit stays, what stands after it shifts; text put in at the edge of a span stays outside it;
a place whose text is gone is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

Edit = tuple[int, int, int, int]
"""``(old start, old end, new start, new end)`` of a stretch that was replaced, put in or taken out."""

# Comparing character by character is quadratic; beyond this a changed stretch counts as replaced as a whole.
_COMPARED = 2_000


def edits_between(old: str, new: str) -> list[Edit]:
    """What was changed, in order."""
    start = _common_prefix(old, new)
    end = _common_prefix(old[start:][::-1], new[start:][::-1])
    old_middle, new_middle = old[start : len(old) - end], new[start : len(new) - end]
    if not old_middle and not new_middle:
        return []
    if max(len(old_middle), len(new_middle)) > _COMPARED or not old_middle or not new_middle:
        return [(start, start + len(old_middle), start, start + len(new_middle))]
    matcher = SequenceMatcher(None, _pieces(old_middle), _pieces(new_middle), autojunk=False)
    old_at, new_at = _offsets(_pieces(old_middle), start), _offsets(_pieces(new_middle), start)
    return [
        (old_at[i1], old_at[i2], new_at[j1], new_at[j2])
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


def quote(text: str, parts: Sequence[tuple[int, int]]) -> str:
    """What stands in the parts, joined by a blank."""
    return " ".join(text[start:end] for start, end in parts)


def _new_start(at: int, edits: Sequence[Edit]) -> int:
    shift = 0
    for old_start, old_end, new_start, new_end in edits:
        if at < old_start:
            break
        if at < old_end:  # inside what was replaced: at its beginning the new text counts, further in it does not
            return new_start if at == old_start else new_end
        shift = new_end - old_end
    return at + shift


def _new_end(at: int, edits: Sequence[Edit]) -> int:
    shift = 0
    for old_start, old_end, new_start, new_end in edits:
        if at <= old_start:
            break
        if at <= old_end:
            return new_end if at == old_end else new_start
        shift = new_end - old_end
    return at + shift


def _common_prefix(a: str, b: str) -> int:
    length = min(len(a), len(b))
    if a[:length] == b[:length]:
        return length
    return next(i for i in range(length) if a[i] != b[i])


def _pieces(text: str) -> list[str]:
    """Words and what is between them: comparing those keeps a shared letter from tearing a word apart."""
    pieces: list[str] = []
    for char in text:
        if pieces and char.isalnum() and pieces[-1][-1].isalnum():
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _offsets(pieces: Sequence[str], start: int) -> list[int]:
    offsets = [start]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return offsets
