"""Text to be read below a list; while there is none, a sentence that says what comes there. Held by the panels.

Qt's own sentence for an empty field is one line that is cut where the field ends.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QTextBrowser, QWidget


class ReadingBox(QTextBrowser):
    """``empty`` wraps as other words do."""

    def __init__(self, name: str, spoken: str, empty: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.empty = empty

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.document().isEmpty():
            return
        painter = QPainter(self.viewport())
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(self._room(), Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap, self.empty)
        painter.end()

    def _room(self) -> QRect:
        margin = round(self.document().documentMargin())
        return self.viewport().rect().adjusted(margin, margin, -margin, -margin)
