"""One passage of a text laid out by Qt: lines with room over and under them, and where every code point is.

Offsets are code points; Qt's UTF-16 units stay in here. A character as a person sees it may be several code points:
its width is shared evenly between them, so that a boundary inside it has a place of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QTextCharFormat, QTextLayout, QTextLine, QTextOption

from workstation.app.markdown_looks import LineLook, Style
from workstation.app.text_words import Utf16, base_is_right_to_left, characters, is_right_to_left
from workstation.ui.theme import Theme

_HEADING_SIZES = (1.0, 1.5, 1.3, 1.15, 1.05, 1.0, 1.0)
_WORD = QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere


class Character(NamedTuple):
    """Code points [start, stop) and the pixels they take; ``back``: they run from right to left."""

    start: int
    stop: int
    left: float
    right: float
    back: bool


@dataclass(slots=True)
class LineBox:
    """One row of a passage. ``start`` and ``stop`` are code points; heights are pixels from the passage's top."""

    start: int
    stop: int
    qt: QTextLine
    ascent: float
    text_height: float
    above: float = 0.0
    below: float = 0.0
    top: float = 0.0
    _characters: Sequence[Character] | None = field(default=None, repr=False)

    @property
    def text_top(self) -> float:
        return self.top + self.above

    @property
    def text_bottom(self) -> float:
        return self.text_top + self.text_height

    @property
    def bottom(self) -> float:
        return self.text_bottom + self.below


class Laid:
    """A passage at a width. ``arrange`` puts the lines where what lies over and under them leaves room."""

    def __init__(
        self, text: str, *, font: QFont, width: float, look: LineLook, theme: Theme,
        marked: Sequence[tuple[int, int, QTextCharFormat]] = (),
    ) -> None:  # fmt: skip
        self.text = text
        self.units = Utf16(text)
        self.right_to_left = is_right_to_left(text)
        used = QFont(font)
        if look.heading:
            used.setPointSizeF(font.pointSizeF() * _HEADING_SIZES[min(look.heading, 6)])
            used.setBold(True)
        self._layout = QTextLayout(text, used)
        option = QTextOption()
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setWrapMode(_WORD)
        self._layout.setTextOption(option)
        self._layout.setCacheEnabled(True)
        formats = [*_formats(look, self.units, theme), *(self._range(*each) for each in marked)]
        if formats:
            self._layout.setFormats(formats)
        hang = QFontMetricsF(used).horizontalAdvance(text[: look.hang]) if look.hang else 0.0
        self.lines = self._lines(width, hang)
        self.height = 0.0
        self.arrange(lambda _line: (0.0, 0.0))

    def _range(self, start: int, end: int, form: QTextCharFormat) -> QTextLayout.FormatRange:
        return _format_range(self.units, start, end, form)

    def _lines(self, width: float, hang: float) -> list[LineBox]:
        found: list[LineBox] = []
        from_right = base_is_right_to_left(self.text)
        self._layout.beginLayout()
        while (line := self._layout.createLine()).isValid():
            inset = hang if found and not from_right else 0.0
            line.setLineWidth(max(40.0, width - inset))
            if from_right:
                inset = max(0.0, width - line.naturalTextWidth())
            line.setPosition(QPointF(inset, 0.0))
            start = self.units.offset(line.textStart())
            stop = self.units.offset(line.textStart() + line.textLength())
            found.append(LineBox(start, stop, line, line.ascent(), line.height()))
        self._layout.endLayout()
        return found

    def arrange(self, room: Callable[[int], tuple[float, float]], *, gap: float = 0.0) -> None:
        """Give each line (by number) so much room above and below it, in pixels."""
        top = 0.0
        for number, line in enumerate(self.lines):
            line.above, line.below = room(number)
            line.top = top
            line.qt.setPosition(QPointF(line.qt.x(), line.text_top))
            top = line.bottom + gap
        self.height = top

    # --- where things are ---------------------------------------------------------------------------------------

    def line_of(self, offset: int, *, ends: bool = False) -> int:
        """The row of a caret; at a break the later one, unless it ``ends`` a stretch."""
        for number, line in enumerate(self.lines):
            if offset < line.stop or (ends and offset == line.stop):
                return number
        return len(self.lines) - 1

    def characters(self, number: int) -> Sequence[Character]:
        """What stands on a row, in the order of the text."""
        line = self.lines[number]
        if line._characters is None:
            line._characters = self._measure(line)
        return line._characters

    def _measure(self, line: LineBox) -> list[Character]:
        starts = characters(self.text)
        held = [each for each in starts if line.start <= each < line.stop]
        ends = [*held[1:], line.stop]
        units, qt = self.units, line.qt
        if not self.right_to_left:
            xs = [_x(qt, units.of(each)) for each in held]
            last = _x(qt, units.of(line.stop)) if held else 0.0
            return [
                Character(a, b, x, max(x, then), back=False)
                for a, b, x, then in zip(held, ends, xs, [*xs[1:], last], strict=True)
            ]
        return _both_ways(qt, units, list(zip(held, ends, strict=True)))

    def caret_x(self, offset: int, number: int) -> float:
        """Where a caret on a row is, in pixels from the passage's left."""
        if not self.right_to_left:
            return self._forward_x(offset, number)
        held = self.characters(number)
        for each in held:
            if each.start <= offset < each.stop:
                return _within(each, offset)
        if not held:
            return self.lines[number].qt.naturalTextRect().left()
        return _within(held[-1], held[-1].stop)

    def _forward_x(self, offset: int, number: int) -> float:
        """The same where everything runs from left to right: one question to Qt, three inside a character."""
        line = self.lines[number]
        offset = min(max(offset, line.start), line.stop)
        starts = characters(self.text)
        at = bisect_right(starts, offset) - 1
        here = _x(line.qt, self.units.of(starts[at]))
        if starts[at] == offset or at + 1 >= len(starts):
            return here
        share = (offset - starts[at]) / (starts[at + 1] - starts[at])
        return here + share * (_x(line.qt, self.units.of(starts[at + 1])) - here)

    def caret(self, offset: int, *, ends: bool = False) -> QRectF:
        """A caret: a line of no width."""
        number = self.line_of(offset, ends=ends)
        line = self.lines[number]
        return QRectF(self.caret_x(offset, number), line.text_top, 0.0, line.text_height)

    def stretches(self, start: int, end: int, number: int) -> list[tuple[float, float]]:
        """(left, right) of the pieces of a stretch on a row; several where directions mix."""
        line = self.lines[number]
        start, end = max(start, line.start), min(end, line.stop)
        if start >= end:
            return []
        if not self.right_to_left:
            left, right = self._forward_x(start, number), self._forward_x(end, number)
            return [(left, max(left, right))]
        found: list[tuple[float, float]] = []
        for each in self.characters(number):
            low, high = max(start, each.start), min(end, each.stop)
            if low >= high:
                continue
            left, right = sorted((_within(each, low), _within(each, high)))
            if found and (abs(found[-1][1] - left) < 0.6 or abs(found[-1][0] - right) < 0.6):
                found[-1] = (min(found[-1][0], left), max(found[-1][1], right))
            else:
                found.append((left, right))
        return found

    def rects(self, start: int, end: int) -> list[QRectF]:
        """The text of a stretch."""
        found = []
        for number, line in enumerate(self.lines):
            if line.start < end and start < line.stop:
                for left, right in self.stretches(start, end, number):
                    found.append(QRectF(left, line.text_top, right - left, line.text_height))
        return found

    def runs_back(self, offset: int, number: int) -> bool:
        """Whether the character at a place of a row is written from right to left; at the row's end the last one."""
        held = self.characters(number)
        after = next((each.back for each in held if each.start <= offset < each.stop), None)
        return bool(held) and held[-1].back if after is None else after

    def line_at(self, y: float) -> int:
        """The row at a height; the nearest one beyond."""
        for number, line in enumerate(self.lines):
            if y < line.bottom:
                return number
        return len(self.lines) - 1

    def offset_at(self, x: float, y: float, *, exact: bool = False) -> int:
        """The caret nearest to a place; ``exact``: also inside a character."""
        found = self._character_at(x, self.line_at(y))
        if found is None:
            return self.lines[self.line_at(y)].start
        wide = max(found.right - found.left, 1e-6)
        share = min(max((x - found.left) / wide, 0.0), 1.0)
        share = 1.0 - share if found.back else share
        if exact:
            return found.start + round(share * (found.stop - found.start))
        return found.start if share < 0.5 else found.stop

    def code_point_at(self, x: float, y: float) -> int | None:
        """The first code point of the character under a place; ``None`` beside the text."""
        number = self.line_at(y)
        found = self._character_at(x, number)
        return found.start if found is not None and found.left <= x <= found.right else None

    def _character_at(self, x: float, number: int) -> Character | None:
        nearest, least = None, float("inf")
        for each in self.characters(number):
            away = max(each.left - x, x - each.right, 0.0)
            if away < least:
                nearest, least = each, away
        return nearest

    def draw(self, painter: QPainter, at: QPointF, clip: QRectF) -> None:
        """Paint the letters; the painter's pen is their colour."""
        self._layout.draw(painter, at, [], clip)


def _both_ways(line: QTextLine, units: Utf16, pieces: Sequence[tuple[int, int]]) -> list[Character]:
    """Characters of a row in which directions mix, from the places of their glyphs.

    ``cursorToX`` is of no use here: where two directions meet it answers with a caret's place, which is not the
    letter's, and inside a character with the end of the next one.
    """
    found: list[Character] = []
    for start, stop in pieces:
        edges: list[float] = []
        back = False
        for run in line.glyphRuns(units.of(start), units.of(stop) - units.of(start)):
            back = run.isRightToLeft()
            wide = run.rawFont().advancesForGlyphIndexes(run.glyphIndexes())
            for place, advance in zip(run.positions(), wide, strict=True):
                if advance.x() > 0:
                    edges += (place.x(), place.x() + advance.x())
        if not edges:  # a sign that is not drawn: it stands where the one before it ends
            before = found[-1] if found else Character(start, stop, 0.0, 0.0, False)
            edges, back = [before.left if before.back else before.right], before.back
        found.append(_beside(found, Character(start, stop, min(edges), max(edges), back)))
    return _ligatures_shared(found)


def _beside(before: Sequence[Character], each: Character) -> Character:
    """Without what belongs to the one before it: joined signs give the glyphs of their neighbour as well."""
    last = before[-1] if before else None
    if last is None or last.back is not each.back or (last.left, last.right) == (each.left, each.right):
        return each
    if each.back and each.left < last.left < each.right:
        return each._replace(right=last.left)
    if not each.back and each.left < last.right < each.right:
        return each._replace(left=last.right)
    return each


def _ligatures_shared(found: list[Character]) -> list[Character]:
    """Characters drawn as one glyph (lam and alef) get an even part of it each."""
    made: list[Character] = []
    for _, group in groupby(found, key=lambda each: (each.left, each.right, each.back)):
        together = list(group)
        wide = (together[0].right - together[0].left) / len(together)
        for at, each in enumerate(together):
            number = len(together) - 1 - at if each.back else at
            left = each.left + number * wide
            made.append(each._replace(left=left, right=left + wide))
    return made


def _x(line: QTextLine, unit: int, edge: QTextLine.Edge = QTextLine.Edge.Leading) -> float:
    found: Any = line.cursorToX(unit, edge)  # PySide answers with the place it took as well
    return float(found[0] if isinstance(found, tuple) else found)


def _within(each: Character, offset: int) -> float:
    share = (offset - each.start) / (each.stop - each.start)
    if each.back:
        return each.right - share * (each.right - each.left)
    return each.left + share * (each.right - each.left)


def _format_range(units: Utf16, start: int, end: int, form: QTextCharFormat) -> QTextLayout.FormatRange:
    made = QTextLayout.FormatRange()
    made.start = units.of(start)
    made.length = units.of(end) - units.of(start)
    made.format = form
    return made


def _formats(look: LineLook, units: Utf16, theme: Theme) -> list[QTextLayout.FormatRange]:
    found = []
    for each in look.styled:
        form = QTextCharFormat()
        if each.style is Style.MARK:
            form.setForeground(QColor(theme.quiet))
        elif each.style is Style.STRONG:
            form.setFontWeight(QFont.Weight.Bold)
        elif each.style in (Style.EMPHASIS, Style.QUOTE):
            form.setFontItalic(True)
        elif each.style is Style.CODE:
            form.setFontFamilies(["monospace"])
            form.setBackground(QColor(theme.raised))
        else:
            continue
        found.append(_format_range(units, each.start, each.end, form))
    return found
