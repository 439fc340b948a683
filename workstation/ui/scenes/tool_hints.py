"""What a tool shows over the picture while it works: handles, guides, a few words."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from workstation.ui.scenes.overlays import Placing
from workstation.ui.theme import Theme
from workstation.ui.tools.canvas import Handle, HandleKind, Hints

_SIZE = {
    HandleKind.CORNER: 4.5,
    HandleKind.EDGE: 3.5,
    HandleKind.VERTEX: 4.0,
    HandleKind.MIDPOINT: 3.0,
    HandleKind.TURN: 4.5,
}
_ROUND = frozenset({HandleKind.VERTEX, HandleKind.MIDPOINT, HandleKind.TURN})


def paint_hints(painter: QPainter, viewport: Placing, hints: Hints, pointer: QPointF | None, theme: Theme) -> None:
    """Guides, then handles, then words beside the pointer."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for guide in hints.guides:
        line = QPolygonF([QPointF(*viewport.to_screen(place)) for place in guide.points])
        for pen in (QPen(QColor(0, 0, 0, 150), 2.0), QPen(QColor(255, 255, 255, 220), 1.0, Qt.PenStyle.DashLine)):
            painter.setPen(pen)
            if guide.closed:
                painter.drawPolygon(line)
            else:
                painter.drawPolyline(line)
    for handle in hints.handles:
        _handle(painter, viewport, handle, theme)
    if hints.text and pointer is not None:
        _words(painter, hints.text, pointer)


def _handle(painter: QPainter, viewport: Placing, handle: Handle, theme: Theme) -> None:
    middle = QPointF(*viewport.to_screen(handle.place))
    size = _SIZE[handle.kind] + (1.5 if handle.held else 0.0)
    painter.setPen(QPen(QColor("#101216"), 1.2))
    painter.setBrush(QColor(theme.accent) if handle.held else QColor("#ffffff"))
    if handle.kind in _ROUND:
        painter.drawEllipse(middle, size, size)
    else:
        painter.drawRect(QRectF(middle.x() - size, middle.y() - size, 2 * size, 2 * size))


def _words(painter: QPainter, text: str, pointer: QPointF) -> None:
    metrics = painter.fontMetrics()
    wide, high = metrics.horizontalAdvance(text) + 10, metrics.height() + 4
    area = painter.window()
    left = pointer.x() + 14 if pointer.x() + 14 + wide <= area.width() else pointer.x() - 14 - wide
    top = pointer.y() + 14 if pointer.y() + 14 + high <= area.height() else pointer.y() - 14 - high
    rect = QRectF(max(0.0, left), max(0.0, top), wide, high)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(16, 18, 22, 205))
    painter.drawRoundedRect(rect, 3, 3)
    painter.setPen(QColor("#f4f5f7"))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
