"""A passage with its spans as bands under the words and its relations as elbows over them; painted by the text canvas.

Bands are stacked by ``Marks.rows``; a class is told by colour, by the pattern of its band and by its sign and name.
Relations within a row run over it; those that leave it run to the rails left of the text, where the canvas joins them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QTextCharFormat

from workstation.app.text_marks import Edge, Mark, Marks, rows_of
from workstation.app.text_source import Passage
from workstation.ui.scenes.glyphs import paint_mark
from workstation.ui.scenes.text_claims import paint_band, struck
from workstation.ui.scenes.text_layout import Laid
from workstation.ui.scenes.text_look import ARC_STEP_PX, BAND_PX, LINE_GAP_PX, SMALL_PX, TextLook
from workstation.ui.theme import Theme

_SIGN_PX = 7.0
_DARKEST = 0.1
"""What is darker than this is lost on dark panels."""
_GRIP_PX = 4.0
Visible = Callable[[Mark], bool]
Shows = Callable[[Edge], bool]


class Standing(NamedTuple):
    """What is looked at: ids that are selected, that belong to them, and the one under the pointer."""

    selected: frozenset[str] = frozenset()
    related: frozenset[str] = frozenset()
    hovered: str | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """A piece of a span on one row, in pixels from the passage's top left."""

    mark: Mark
    line: int
    rect: QRectF
    text: QRectF
    room: float
    """How wide its name may be."""
    opens: bool
    closes: bool
    part: int
    back: bool
    """Whether its text runs from right to left: then it opens at its right."""
    named: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A relation over one row: from ``x`` of this end to ``other`` on the same row, or to the rails."""

    edge: Edge
    line: int
    row: int
    x: float
    other: float | None
    is_source: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all passages of a canvas share."""

    font: QFont
    width: float
    theme: Theme
    look: TextLook
    visible: Visible
    shows: Shows


class PassageScene:
    """Made when a passage comes into view, and again when what lies on it changes."""

    def __init__(
        self, passage: Passage, number: int, marks: Marks, setting: Setting,
        formats: Sequence[tuple[int, int, QTextCharFormat]] = (),
    ) -> None:  # fmt: skip
        self._setting = setting
        self.number = number
        self.laid = Laid(
            passage.text, font=setting.font, width=setting.width, look=passage.look, theme=setting.theme, marked=formats
        )
        self._pieces = [each for each in marks.pieces(number) if setting.visible(each.mark)]
        self._rows = marks.rows(number)
        self._anchors = self._anchor_places(marks)
        wanted = self._wanted(marks)
        below = self._rows_below()
        heights = [(max((row + 1 for *_, row in wanted[n]), default=0), below[n]) for n in range(len(self.laid.lines))]
        self.laid.arrange(self._room(heights), gap=LINE_GAP_PX)
        self.bands = self._bands()
        self.runs = [
            Run(edge, line, row, x, other, is_source)
            for line, found in enumerate(wanted)
            for edge, x, other, is_source, row in found
        ]

    @property
    def height(self) -> float:
        return self.laid.height

    def _room(self, heights: Sequence[tuple[int, int]]) -> Callable[[int], tuple[float, float]]:
        step = self._setting.look.row_px

        def room(line: int) -> tuple[float, float]:
            over, under = heights[line]
            return (over * ARC_STEP_PX + 3.0 if over else 0.0, under * step + 2.0 if under else 0.0)

        return room

    # --- bands --------------------------------------------------------------------------------------------------

    def _rows_below(self) -> list[int]:
        found = []
        for line in self.laid.lines:
            rows = [
                self._rows[each.mark.id] for each in self._pieces if each.start < line.stop and line.start < each.end
            ]
            found.append(max(rows, default=-1) + 1)
        return found

    def _bands(self) -> list[Band]:
        step, made = self._setting.look.row_px, []
        named: set[str] = set()
        lefts: dict[tuple[int, int], list[float]] = defaultdict(list)
        places: list[tuple[int, int, float, float]] = []
        for at, piece in enumerate(self._pieces):
            for number, line in enumerate(self.laid.lines):
                if piece.start < line.stop and line.start < piece.end:
                    for left, right in self.laid.stretches(piece.start, piece.end, number):
                        places.append((at, number, left, right))
                        lefts[number, self._rows[piece.mark.id]].append(left)
        for at, number, left, right in places:
            piece, line = self._pieces[at], self.laid.lines[number]
            row = self._rows[piece.mark.id]
            top = line.text_bottom + 1.0 + row * step
            after = [each for each in lefts[number, row] if each > left + 1.0]
            room = min(after, default=self._setting.width) - left - 6.0
            first = piece.mark.id not in named
            named.add(piece.mark.id)
            back = self.laid.right_to_left and self.laid.runs_back(max(piece.start, line.start), number)
            made.append(Band(
                piece.mark, number, QRectF(left, top, max(2.0, right - left), BAND_PX),
                QRectF(left, line.text_top, right - left, line.text_height), max(room, right - left),
                piece.opens and self._holds(number, piece.start, left, right),
                piece.closes and self._holds(number, piece.end - 1, left, right), piece.part, back, first,
            ))  # fmt: skip
        return made

    def _holds(self, number: int, offset: int, left: float, right: float) -> bool:
        """Whether a code point stands on this row, within this piece of it: mixed directions part a stretch."""
        line = self.laid.lines[number]
        if not line.start <= offset < line.stop:
            return False
        if not self.laid.right_to_left:
            return True
        ((low, high), *_) = self.laid.stretches(offset, offset + 1, number) or [(left, right)]
        return left - 0.5 <= (low + high) / 2 <= right + 0.5

    def bands_at(self, x: float, y: float) -> list[Band]:
        """The bands under a place, names included; over the words all that cover them, the shortest first."""
        step = self._setting.look.row_px
        on_band = [
            each for each in self.bands
            if each.rect.top() - 1 <= y < each.rect.top() + step - 1
            and each.rect.left() - 2 <= x <= max(each.rect.right() + 2, each.rect.left() + _named_px(each))
        ]  # fmt: skip
        if on_band:
            return sorted(on_band, key=lambda each: each.rect.width())
        covering = [each for each in self.bands if each.text.contains(QPointF(x, y))]
        return sorted(covering, key=lambda each: sum(b - a for a, b in each.mark.parts))

    def boundary_at(self, x: float, y: float, ids: frozenset[str]) -> tuple[Band, bool] | None:
        """The boundary under a place and whether it is where the part begins: on a band, or on the words of a span
        that is selected."""
        for each in self.bands:
            tall = each.text.united(each.rect) if each.mark.id in ids else each.rect.adjusted(0, -2, 0, 3)
            if not tall.top() <= y <= tall.bottom():
                continue
            for edge_x, begins in ((each.rect.left(), not each.back), (each.rect.right(), each.back)):
                known = each.opens if begins else each.closes
                if known and abs(x - edge_x) <= _GRIP_PX:
                    return each, begins
        return None

    # --- relations ----------------------------------------------------------------------------------------------

    def _anchor_places(self, marks: Marks) -> dict[str, tuple[int, float, float]]:
        """Where relations meet a span that begins here: its first row, and from where to where."""
        found: dict[str, tuple[int, float, float]] = {}
        for piece in self._pieces:
            if piece.opens and piece.part == 0 and piece.mark.id not in found:
                line = self.laid.line_of(piece.start)
                stretches = self.laid.stretches(piece.start, piece.end, line)
                if stretches:
                    found[piece.mark.id] = (line, *stretches[0])
        return found

    def _wanted(self, marks: Marks) -> list[list[tuple[Edge, float, float | None, bool, int]]]:
        """For each row what runs over it: (relation, x here, x of the other end or the rails, whether source, row)."""
        per_line: list[dict[str, tuple[Edge, float, float | None, bool]]] = [{} for _ in self.laid.lines]
        for mark, (line, left, right) in self._anchors.items():
            edges = sorted((each for each in marks.edges_of(mark) if self._setting.shows(each)), key=_key)
            for at, edge in enumerate(edges):
                x = left + (right - left) * (at + 1) / (len(edges) + 1)
                is_source = edge.source == mark
                other = self._anchors.get(edge.target if is_source else edge.source)
                here = other is not None and other[0] == line
                name = f"{edge.link} {edge.source} {edge.target}"
                if not here:
                    per_line[line][f"{name} {mark}"] = (edge, x, None, is_source)
                elif name not in per_line[line]:
                    per_line[line][name] = (edge, x, x, is_source)
                else:
                    first = per_line[line][name]
                    per_line[line][name] = (edge, first[1], x, first[3])
        return [self._in_rows(found) for found in per_line]

    def _in_rows(
        self, found: dict[str, tuple[Edge, float, float | None, bool]]
    ) -> list[tuple[Edge, float, float | None, bool, int]]:
        reach = {
            name: (round(min(x, other)), round(max(x, other)) + 1) if other is not None else (-1_000_000, round(x) + 1)
            for name, (_, x, other, _) in found.items()
        }
        rows = rows_of(reach)
        return [(*each, rows[name]) for name, each in found.items()]

    def run_y(self, run: Run) -> float:
        """The height of a relation's horizontal piece."""
        line = self.laid.lines[run.line]
        return line.text_top - 5.0 - run.row * ARC_STEP_PX

    # --- painting -----------------------------------------------------------------------------------------------

    def paint_under(self, painter: QPainter, standing: Standing) -> None:
        """What lies behind the letters: tints of what is looked at."""
        for band in self.bands:
            alpha = _tint(band.mark.id, standing)
            if alpha:
                colour = QColor(band.mark.paint.colour)
                colour.setAlpha(alpha)
                painter.fillRect(band.text, colour)

    def paint_over(self, painter: QPainter, standing: Standing) -> None:
        """Bands, names, and the relations of each row as far as the row goes."""
        painter.setFont(small())
        metrics = QFontMetricsF(small())
        for band in self.bands:
            self._paint_band(painter, band, standing, metrics)
        self._paint_joins(painter)

    def _paint_band(self, painter: QPainter, band: Band, standing: Standing, metrics: QFontMetricsF) -> None:
        mark, theme = band.mark, self._setting.theme
        colour = readable(mark.paint.colour, theme)
        chosen = mark.id in standing.selected
        bar = band.rect.adjusted(0, -1, 0, 1) if chosen else band.rect
        paint_band(painter, bar, mark.paint.pattern, colour, state=mark.state)
        if chosen:
            painter.setPen(QPen(QColor(theme.ink), 1.4))
            tall = band.text.united(band.rect)
            if band.opens:
                x = tall.right() if band.back else tall.left()
                painter.drawLine(QLineF(x, tall.top(), x, tall.bottom()))
            if band.closes:
                x = tall.left() if band.back else tall.right()
                painter.drawLine(QLineF(x, tall.top(), x, tall.bottom()))
        if self._setting.look.names and (band.named or band.opens):
            sign = QRectF(band.rect.left(), band.rect.bottom() + 2.5, _SIGN_PX, _SIGN_PX)
            paint_mark(painter, mark.paint.mark, sign, colour)
            room = band.room - _SIGN_PX - 3
            if band.named and room > 8:
                painter.setPen(QColor(theme.ink if chosen or mark.id == standing.hovered else theme.quiet))
                said = metrics.elidedText(mark.name, Qt.TextElideMode.ElideRight, room)
                with struck(painter, mark.state):
                    painter.drawText(QPointF(sign.right() + 3, sign.bottom() + 1.5), said)

    def _paint_joins(self, painter: QPainter) -> None:
        """The parts of a discontinuous span on one row are joined by dots."""
        by_mark: dict[tuple[str, int], list[Band]] = defaultdict(list)
        for band in self.bands:
            if len(band.mark.parts) > 1:
                by_mark[band.mark.id, band.line].append(band)
        for bands in by_mark.values():
            for one, other in pairwise(bands):
                pen = QPen(readable(one.mark.paint.colour, self._setting.theme), 1.2, Qt.PenStyle.DotLine)
                painter.setPen(pen)
                y = one.rect.center().y()
                painter.drawLine(QLineF(one.rect.right(), y, other.rect.left(), y))


def _named_px(band: Band) -> float:
    """How wide its name may be pressed as well."""
    return min(band.room, 60.0) if band.named else 0.0


def _key(edge: Edge) -> tuple[str, str, str]:
    return edge.link, edge.source, edge.target


def _tint(mark: str, standing: Standing) -> int:
    if mark in standing.selected:
        return 78
    if mark == standing.hovered:
        return 46
    return 30 if mark in standing.related else 0


def small() -> QFont:
    """Letters of names of classes and relations."""
    font = QFont()
    font.setPixelSize(SMALL_PX)
    return font


def readable(colour: str, theme: Theme) -> QColor:
    """A class's colour, darker on light paper and lighter on dark where it would be lost."""
    made = QColor(colour)
    if theme.name != "light" and _luminance(made) < _DARKEST:
        made = made.lighter(150)
    if theme.name == "light" and made.lightnessF() > 0.5:
        made = made.darker(130 + round(120 * (made.lightnessF() - 0.5)))
    return made


def _luminance(colour: QColor) -> float:
    """0 black to 1 white, as the eye weighs it."""
    red, green, blue = (float(part) ** 2.2 for part in (colour.redF(), colour.greenF(), colour.blueF()))
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)
