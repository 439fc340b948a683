"""Signs in front of rows: a class's colour with its mark, a wider swatch with its pattern too. Drawn at every scale."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPen, QPixmap

from workstation.app.looks import Paint
from workstation.core.ontology import Pattern
from workstation.ui.scenes.glyphs import paint_mark

_SCALES = (1, 2, 3)
_BRUSHES = {
    Pattern.HATCHED: Qt.BrushStyle.BDiagPattern, Pattern.CROSSHATCHED: Qt.BrushStyle.DiagCrossPattern,
}  # fmt: skip
_PENS = {Pattern.DASHED: Qt.PenStyle.DashLine, Pattern.DOTTED: Qt.PenStyle.DotLine}


@lru_cache(maxsize=2048)
def mark_icon(paint: Paint) -> QIcon:
    """The mark in the colour."""
    made = QIcon()
    for scale in _SCALES:
        picture, painter = _begin(16, 16, scale)
        paint_mark(painter, paint.mark, QRectF(3, 3, 10, 10), QColor(paint.colour))
        painter.end()
        made.addPixmap(picture)
    return made


@lru_cache(maxsize=1024)
def pattern_icon(paint: Paint) -> QIcon:
    """Mark and colour over the pattern in which outlines and spans are drawn."""
    made = QIcon()
    for scale in _SCALES:
        picture, painter = _begin(30, 16, scale)
        colour = QColor(paint.colour)
        ground = QColor(colour)
        ground.setAlpha(70)
        frame = QRectF(15, 2.5, 13.5, 11)
        painter.setPen(QPen(colour, 1.4, _PENS.get(paint.pattern, Qt.PenStyle.SolidLine)))
        painter.setBrush(QBrush(ground))
        painter.drawRect(frame)
        hatch = _BRUSHES.get(paint.pattern)
        if hatch is not None:
            painter.fillRect(frame, QBrush(colour, hatch))
        paint_mark(painter, paint.mark, QRectF(1.5, 3, 10, 10), colour)
        painter.end()
        made.addPixmap(picture)
    return made


def _begin(width: int, height: int, scale: int) -> tuple[QPixmap, QPainter]:
    picture = QPixmap(width * scale, height * scale)
    picture.setDevicePixelRatio(scale)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    return picture, painter
