"""Lines collected by how they are drawn and painted in few calls: a dark or light casing under every coloured line.

Used by everything that paints outlines over pictures, where a bare line is lost on a ground of its own colour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

CASING = "#101216"


class Dash(IntEnum):
    """How a line runs: labelled solid, interpolated dashed, occluded dotted. Numbered as Qt's pen styles."""

    SOLID = 1
    DASHED = 2
    DOTTED = 3
    BOTH = 4


class Standing(IntEnum):
    """How much a thing is looked at: the casing tells it without colour."""

    PLAIN = 0
    RELATED = 1
    HOVERED = 2
    SELECTED = 3


class Stroke(NamedTuple):
    """One way to draw a line."""

    colour: str
    width: float = 1.6
    dash: Dash = Dash.SOLID
    standing: Standing = Standing.PLAIN
    alpha: int = 255
    cased: bool = True
    """Far and small things go without a casing and without smoothing: they cost a tenth and clutter less."""


class Strokes:
    """Lines to be painted together."""

    def __init__(self) -> None:
        self._rings: dict[Stroke, list[QPolygonF]] = defaultdict(list)
        self._open: dict[Stroke, list[QPolygonF]] = defaultdict(list)
        self._pieces: dict[Stroke, list[QLineF]] = defaultdict(list)

    def ring(self, stroke: Stroke, places: Iterable[tuple[float, float]]) -> None:
        """A closed line."""
        self._rings[stroke].append(QPolygonF([QPointF(x, y) for x, y in places]))

    def line(self, stroke: Stroke, places: Iterable[tuple[float, float]]) -> None:
        """An open line."""
        self._open[stroke].append(QPolygonF([QPointF(x, y) for x, y in places]))

    def pieces(self, stroke: Stroke, ends: Iterable[Sequence[float]]) -> None:
        """Straight pieces (x1, y1, x2, y2)."""
        self._pieces[stroke] += [QLineF(*each) for each in ends]

    def paint(self, painter: QPainter) -> None:
        """Casings first, so that no casing covers a line.

        They are opaque, and the plain ones not smoothed: a see-through pen costs ten times as much.
        """
        painter.setBrush(Qt.BrushStyle.NoBrush)
        every = sorted({*self._rings, *self._open, *self._pieces}, key=_order)
        strokes = [stroke for stroke in every if stroke.cased]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for stroke in every:
            if not stroke.cased:
                painter.setPen(_pen(stroke))
                self._draw(painter, stroke)
        for stroke in strokes:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, stroke.standing is not Standing.PLAIN)
            painter.setPen(_casing(stroke))
            self._draw(painter, stroke)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for stroke in strokes:
            painter.setPen(_pen(stroke))
            self._draw(painter, stroke)

    def _draw(self, painter: QPainter, stroke: Stroke) -> None:
        for ring in self._rings.get(stroke, ()):
            painter.drawPolygon(ring)
        for line in self._open.get(stroke, ()):
            painter.drawPolyline(line)
        pieces = self._pieces.get(stroke)
        if pieces:
            painter.drawLines(pieces)


def _order(stroke: Stroke) -> int:
    return stroke.standing


def _pen(stroke: Stroke) -> QPen:
    colour = QColor(stroke.colour)
    colour.setAlpha(stroke.alpha)
    pen = QPen(colour, stroke.width, Qt.PenStyle(stroke.dash))
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


def _casing(stroke: Stroke) -> QPen:
    """Plain: a dark edge. Selected: a solid white one. Hovered: a dashed white one. Related: a dotted white one."""
    dark = QColor(CASING)
    dark.setAlpha(stroke.alpha)
    styles = {
        Standing.PLAIN: (dark, 1.4, Qt.PenStyle.SolidLine),
        Standing.RELATED: (QColor("#ffffff"), 2.6, Qt.PenStyle.DotLine),
        Standing.HOVERED: (QColor("#ffffff"), 3.2, Qt.PenStyle.DashLine),
        Standing.SELECTED: (QColor("#ffffff"), 3.2, Qt.PenStyle.SolidLine),
    }
    colour, more, style = styles[stroke.standing]
    pen = QPen(colour, stroke.width + more, style)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen
