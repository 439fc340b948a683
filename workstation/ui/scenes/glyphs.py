"""The marks of classes as small signs, and name plates with one: the second cue beside every colour.

Used wherever a label names a class or a thing: overlays of pictures, lanes, lists.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from workstation.core.ontology import Mark

PLATE_PX = 11
_PAD = 3.0
_SIGN = 8.0


def plate_font() -> QFont:
    """Letters of name plates."""
    font = QFont()
    font.setPixelSize(PLATE_PX)
    return font


def plate_size(metrics: QFontMetricsF, text: str) -> tuple[float, float]:
    """Width and height of a plate with that text."""
    return metrics.horizontalAdvance(text) + _SIGN + 3 * _PAD, metrics.height() + 2.0


def paint_plate(painter: QPainter, rect: QRectF, text: str, colour: str, mark: Mark, *, strong: bool) -> None:
    """A dark plate with the class's sign in its colour and white letters; ``strong``: turned round, for what is
    selected. The painter has ``plate_font``."""
    ground = QColor(colour) if strong else QColor("#14161a")
    ground.setAlpha(255 if strong else 205)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(rect, 2.5, 2.5)
    ink = QColor("#0b0d10") if strong else QColor("#f4f5f7")
    sign = QRectF(rect.left() + _PAD, rect.center().y() - _SIGN / 2, _SIGN, _SIGN)
    paint_mark(painter, mark, sign, ink if strong else QColor(colour))
    painter.setPen(ink)
    room = rect.adjusted(_SIGN + 2 * _PAD, 0, 0, 0)
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


def paint_mark(painter: QPainter, mark: Mark, rect: QRectF, colour: QColor) -> None:
    """One sign, filling ``rect``."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    corners = _CORNERS.get(mark)
    if corners is not None:
        middle, radius = rect.center(), rect.width() / 2
        painter.drawPolygon(QPolygonF([middle + point * radius for point in corners()]))
    elif mark in (Mark.CROSS, Mark.PLUS):
        painter.setPen(QPen(colour, max(1.6, rect.width() / 4)))
        inner = rect.adjusted(1, 1, -1, -1)
        if mark is Mark.CROSS:
            painter.drawLine(inner.topLeft(), inner.bottomRight())
            painter.drawLine(inner.topRight(), inner.bottomLeft())
        else:
            painter.drawLine(QPointF(inner.center().x(), inner.top()), QPointF(inner.center().x(), inner.bottom()))
            painter.drawLine(QPointF(inner.left(), inner.center().y()), QPointF(inner.right(), inner.center().y()))
    elif mark is Mark.SQUARE:
        painter.drawRect(rect.adjusted(0.6, 0.6, -0.6, -0.6))
    else:
        painter.drawEllipse(rect)


def _around(count: int, *, inner: float | None = None) -> list[QPointF]:
    steps = count if inner is None else 2 * count
    radii = [1.0 if inner is None or i % 2 == 0 else inner for i in range(steps)]
    angles = [-math.pi / 2 + 2 * math.pi * i / steps for i in range(steps)]
    return [QPointF(r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles, strict=True)]


def _triangle() -> list[QPointF]:
    return _around(3)


def _diamond() -> list[QPointF]:
    return _around(4)


def _hexagon() -> list[QPointF]:
    return _around(6)


def _star() -> list[QPointF]:
    return _around(5, inner=0.45)


_CORNERS: dict[Mark, Callable[[], list[QPointF]]] = {
    Mark.TRIANGLE: _triangle,
    Mark.DIAMOND: _diamond,
    Mark.HEXAGON: _hexagon,
    Mark.STAR: _star,
}
