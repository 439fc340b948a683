"""The line over each plane: its name, the slice painted of how many, where it lies in millimetres, the window."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from workstation.ui.panes.base_view_header import ViewHeader
from workstation.ui.theme import Theme

_GAP = 12
LINKED = "linked"
"""A note that calls for nothing."""
Said = tuple[str, str, str, str, str]


class PlaneHeader(ViewHeader[Said]):
    """One line. ``said`` is title, slice, place, window and note, in this order; what has no room is left out from the
    end, the note last."""

    hint = "Double-click: this plane alone, or all"

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(("", "", "", "", ""), theme, parent)

    def words(self, said: Said) -> Said:
        return said

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self.theme
        self.paint_ground(painter)
        title, number, place, window, note = self.said
        left = self._put(painter, 9, title, theme.ink)
        right = self.width() - 8
        alarming = theme.quiet if note == LINKED else theme.warning
        for text, colour in ((note, alarming), (place, theme.ink), (number, theme.ink), (window, theme.quiet)):
            width = self.fontMetrics().horizontalAdvance(text)
            if text and right - width > left:
                self._put(painter, right - width, text, colour)
                right -= width + _GAP

    def _put(self, painter: QPainter, left: int, text: str, colour: str) -> int:
        width = self.fontMetrics().horizontalAdvance(text)
        painter.setPen(QColor(colour))
        painter.drawText(QRect(left, 0, width + 1, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        return left + width + _GAP
