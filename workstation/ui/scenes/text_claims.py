"""How bands, bars and names beside a text say what stands behind them: a label, a proposal, or one that was rejected.

What is proposed is dashed and hollow and its name says how sure its maker is (``app/looks.py``); what was rejected is
faint and struck out. Used by the scenes of texts and pages and by the gutters of both text canvases.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from workstation.core.annotation import State
from workstation.core.ontology import Pattern

_DASHES = {
    Pattern.DASHED: (8.0, 3.0), Pattern.DOTTED: (2.5, 2.5), Pattern.HATCHED: (2.0, 4.0),
    Pattern.CROSSHATCHED: (3.0, 2.0),
}  # fmt: skip
_PROPOSED = (4.0, 3.0)
_FAINT = 110


def paint_band(painter: QPainter, rect: QRectF, pattern: Pattern, colour: QColor, *, state: State) -> None:
    """One band: solid, dashed, dotted or ticked; a dashed outline where it is only proposed."""
    if state is State.PROPOSED:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = QPen(colour, 1.0, Qt.PenStyle.CustomDashLine, Qt.PenCapStyle.FlatCap)
        pen.setDashPattern(list(_PROPOSED))
        painter.setPen(pen)
        painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))
        return
    if state is State.REJECTED:
        colour = QColor(colour)
        colour.setAlpha(_FAINT)
        painter.setPen(QPen(colour, 1.0))
        painter.drawLine(QLineF(rect.left(), rect.center().y(), rect.right(), rect.center().y()))
        return
    if pattern is Pattern.SOLID:
        painter.fillRect(rect, colour)
        return
    if pattern in (Pattern.HATCHED, Pattern.CROSSHATCHED):
        faint = QColor(colour)
        faint.setAlpha(90)
        painter.fillRect(rect, faint)
    pen = QPen(colour, rect.height(), Qt.PenStyle.CustomDashLine, Qt.PenCapStyle.FlatCap)
    pen.setDashPattern([part / rect.height() for part in _DASHES[pattern]])
    painter.setPen(pen)
    y = rect.center().y()
    painter.drawLine(QLineF(rect.left(), y, rect.right(), y))


def paint_bar(painter: QPainter, rect: QRectF, colour: str, state: State) -> None:
    """The bar beside a turn or note, in the colour of whoever speaks."""
    made = QColor(colour)
    if state is State.REJECTED:
        made.setAlpha(_FAINT)
    if state is not State.PROPOSED:
        painter.fillRect(rect, made)
        return
    pen = QPen(made, rect.width(), Qt.PenStyle.CustomDashLine, Qt.PenCapStyle.FlatCap)
    pen.setDashPattern([part / rect.width() for part in _PROPOSED])
    painter.setPen(pen)
    x = rect.center().x()
    painter.drawLine(QLineF(x, rect.top(), x, rect.bottom()))


def paint_speaker(painter: QPainter, row: QRectF, name: str, state: State) -> None:
    """Who speaks, at the left of its row; what was rejected and has nobody to strike out says so."""
    if not name and state is State.REJECTED:
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "rejected")
        return
    with struck(painter, state):
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)


@contextmanager
def struck(painter: QPainter, state: State) -> Iterator[None]:
    """Letters are struck out meanwhile if that was rejected."""
    before = painter.font()
    if state is State.REJECTED:
        font = painter.font()
        font.setStrikeOut(True)
        painter.setFont(font)
    yield
    painter.setFont(before)
