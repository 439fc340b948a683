"""The line over each plane: its name, the slice painted of how many, where it lies in millimetres, the window."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.ui.theme import Theme

_GAP = 12
LINKED = "linked"
"""A note that calls for nothing."""


class PlaneHeader(QWidget):
    """One line. ``said`` is title, slice, place, window and note, in this order; what has no room is left out from the
    end, the note last."""

    enlarge_wanted = QtSignal()
    taken = QtSignal()
    """Pressed: this plane is worked on now."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._focused = False
        self.said = ("", "", "", "", "")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def say(self, said: tuple[str, str, str, str, str]) -> None:
        """Say something else."""
        if said != self.said:
            self.said = said
            spoken = " ".join(filter(None, said))
            self.setAccessibleName(spoken)
            self.setToolTip(f"{spoken}\nDouble-click: this plane alone, or all")
            self.update()

    def set_look(self, theme: Theme, *, focused: bool) -> None:
        """Other colours, or this plane is the one worked on."""
        if (theme, focused) != (self._theme, self._focused):
            self._theme, self._focused = theme, focused
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, self.fontMetrics().height() + 6)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.taken.emit()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.enlarge_wanted.emit()
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self._theme
        painter.fillRect(self.rect(), QColor(theme.raised))
        if self._focused:
            painter.fillRect(QRect(0, 0, 3, self.height()), QColor(theme.accent))
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
