"""The shared 3D cursor in a picture: a point is a cross, a ray from another camera a line with its metres."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from workstation.app.space_cursor import CursorSeen
from workstation.ui.scenes.viewport import Viewport

_HELD = "#ffd54a"
_APART_PX = 26


def paint_marks(painter: QPainter, viewport: Viewport, seen: CursorSeen, *, held: bool = False) -> None:
    """The cross, or the ray with its metres; while the cursor is held, with a square around the cross or start."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pens = (QPen(QColor(0, 0, 0, 190), 3.5), QPen(QColor(_HELD if held else "#ffffff"), 1.4))
    for pen in pens:
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if seen.point is not None:
        at = QPointF(*viewport.to_screen(seen.point))
        for pen in pens:
            painter.setPen(pen)
            painter.drawLine(at + QPointF(-11, 0), at + QPointF(-3, 0))
            painter.drawLine(at + QPointF(3, 0), at + QPointF(11, 0))
            painter.drawLine(at + QPointF(0, -11), at + QPointF(0, -3))
            painter.drawLine(at + QPointF(0, 3), at + QPointF(0, 11))
            if held:
                painter.drawRect(round(at.x()) - 7, round(at.y()) - 7, 14, 14)
    if seen.ray is not None:
        _ray(painter, viewport, seen, pens)


def _ray(painter: QPainter, viewport: Viewport, seen: CursorSeen, pens: tuple[QPen, QPen]) -> None:
    assert seen.ray is not None
    to_screen = viewport.to_screen
    lines = [QLineF(QPointF(*to_screen((a, b))), QPointF(*to_screen((c, d)))) for (a, b), (c, d) in seen.ray.tolist()]
    for pen in pens:
        painter.setPen(pen)
        painter.drawLines(lines)
    last: QPointF | None = None
    for metres, x, y in seen.ticks:
        at = QPointF(*to_screen((x, y)))
        if last is not None and (at - last).manhattanLength() < _APART_PX:
            continue  # far ends run together
        last = at
        painter.setPen(pens[1])
        painter.setBrush(QColor("#101216"))
        painter.drawEllipse(at, 3, 3)
        painter.drawText(at + QPointF(6, -4), f"{metres:g} m")
