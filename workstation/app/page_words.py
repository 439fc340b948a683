"""The words of a page under the hand: which token is where, what a drag takes in reading order, and where spans lie.

Asked by the document pane. Places are page points (1/72 inch) from the top left; offsets are code points of the page's
text. An annotation on a page names it by its number from one (``item_of``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workstation.core.text_edits import quote
from workstation.media.base import Token

Parts = tuple[tuple[int, int], ...]
Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""
_SAME_LINE = 0.5
"""Boxes that share this much of the lower one's height stand on one line."""


def item_of(page: int) -> str:
    """How annotations name a page, which counts from zero here and from one for people."""
    return str(page + 1)


def page_of(item: str | None) -> int | None:
    """The page an annotation names; ``None`` for the whole document."""
    return int(item) - 1 if item is not None and item.isascii() and item.isdigit() and int(item) > 0 else None


class PageWords:
    """The tokens of one page."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.text = text
        self.tokens = tuple(tokens)
        self._boxes: NDArray[np.float64] = np.array(
            [(each.left, each.top, each.right, each.bottom) for each in tokens], np.float64
        ).reshape(-1, 4)

    def at(self, x: float, y: float) -> int | None:
        """The token under a place."""
        if not len(self._boxes):
            return None
        boxes = self._boxes
        inside = (boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])
        found = np.flatnonzero(inside)
        return int(found[0]) if len(found) else None

    def nearest(self, x: float, y: float) -> int | None:
        """The token that a drag over blank paper means: on the line nearest in height, the one nearest across."""
        if not len(self._boxes):
            return None
        boxes = self._boxes
        down = np.maximum(np.maximum(boxes[:, 1] - y, y - boxes[:, 3]), 0.0)
        across = np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 2]), 0.0)
        return int(np.lexsort((across, down))[0])

    def offset_at(self, x: float, y: float) -> int | None:
        """The code point nearest to a place, counted within the nearest token by its share of the box's width."""
        number = self.nearest(x, y)
        if number is None:
            return None
        token = self.tokens[number]
        share = (x - token.left) / max(token.right - token.left, 1e-6)
        return token.start + round(min(max(share, 0.0), 1.0) * (token.stop - token.start))

    def between(self, first: int, last: int) -> tuple[int, int]:
        """The code points from one token to another, in the order in which the page is read."""
        low, high = sorted((first, last))
        return self.tokens[low].start, self.tokens[high].stop

    def over(self, parts: Sequence[tuple[int, int]]) -> list[int]:
        """The tokens that a span touches."""
        return [
            number for number, each in enumerate(self.tokens)
            if any(start < each.stop and each.start < stop for start, stop in parts)
        ]  # fmt: skip

    def rects(self, parts: Sequence[tuple[int, int]]) -> list[Rect]:
        """Where a span stands: one rectangle for what follows on a line, cut where it begins or ends inside a token."""
        found: list[Rect] = []
        last = -2
        for number in self.over(parts):
            rect = self._covered(number, parts)
            if number == last + 1 and found and _on_line(found[-1], rect) and self._joined(last, number, parts):
                before = found[-1]
                found[-1] = (min(before[0], rect[0]), min(before[1], rect[1]), max(before[2], rect[2]),
                             max(before[3], rect[3]))  # fmt: skip
            else:
                found.append(rect)
            last = number
        return found

    def quote(self, parts: Sequence[tuple[int, int]]) -> str:
        """What stands in the parts."""
        return quote(self.text, parts)

    def _covered(self, number: int, parts: Sequence[tuple[int, int]]) -> Rect:
        token = self.tokens[number]
        held = [(max(start, token.start), min(stop, token.stop)) for start, stop in parts]
        inside = [(start, stop) for start, stop in held if start < stop]
        wide, count = token.right - token.left, max(1, token.stop - token.start)
        left = token.left + wide * (inside[0][0] - token.start) / count
        right = token.left + wide * (inside[-1][1] - token.start) / count
        return left, token.top, right, token.bottom

    def _joined(self, one: int, other: int, parts: Sequence[tuple[int, int]]) -> bool:
        """Whether the blank between two tokens belongs to the span."""
        return any(start <= self.tokens[one].start and self.tokens[other].start < stop for start, stop in parts) or any(
            start < self.tokens[one].stop and self.tokens[other].start < stop for start, stop in parts
        )


def _on_line(one: Rect, other: Rect) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return shared >= _SAME_LINE * min(one[3] - one[1], other[3] - other[1])
