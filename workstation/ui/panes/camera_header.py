"""The line over each camera: stream, number of the picture painted, its own time, its distance from the playhead.

Painted, not made of labels: it changes with every frame, and four labels in a layout cost more than the picture.
What it says is set in the same step that takes a picture for painting, so both always speak of the same one.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.ui.theme import Theme

_GAP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a header says. ``item`` is the picture painted, nothing else."""

    item: str = ""
    own: str = ""
    distance: str = ""
    note: str = ""
    """What is not as it should be: decoding, lag, an error."""
    best: bool = False
    """This camera sees the selection best."""
    locked: bool = False


class CameraHeader(QWidget):
    """One line."""

    enlarge_wanted = QtSignal()
    taken = QtSignal()
    """Pressed: this camera is worked on now."""

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._theme = theme
        self._focused = False
        self.said = Said()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip("Double-click: enlarge this camera, or go back to all")

    def say(self, said: Said) -> None:
        """Say something else."""
        if said != self.said:
            self.said = said
            words = (self._title, said.item, said.own, said.distance, said.note, "sees it best" if said.best else "")
            spoken = " ".join(filter(None, words))
            self.setAccessibleName(spoken)
            self.setToolTip(f"{spoken}\nDouble-click: enlarge this camera, or go back to all")
            self.update()

    def set_look(self, theme: Theme, *, focused: bool) -> None:
        """Other colours, or this camera is the one worked on."""
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
        painter = QPainter(self)
        theme, said = self._theme, self.said
        painter.fillRect(self.rect(), QColor(theme.raised))
        if self._focused:
            painter.fillRect(QRect(0, 0, 3, self.height()), QColor(theme.accent))
        metrics = self.fontMetrics()
        right = self.width() - 8
        parts = (
            (said.note, theme.warning),
            (said.distance, theme.quiet),
            (said.own, theme.ink),
            (said.item, theme.ink),
        )
        named = 9 + metrics.horizontalAdvance(self._title) + _GAP
        said_px = sum(metrics.horizontalAdvance(text) + _GAP for text, _ in parts if text)
        cramped = named + said_px > self.width()
        for text, colour in parts:
            if cramped and text == said.own and said.item:
                continue  # which camera and which picture matter more; the time is the tool tip's and the reader's
            if text and right > 40:
                right = self._right(painter, metrics, right, text, colour)
        left = self._left(painter, metrics, 9, self._title, theme.ink, right)
        if said.best:
            left = self._left(painter, metrics, left, "★ best view", theme.accent, right)
        if said.locked:
            self._left(painter, metrics, left, "zoom locked", theme.quiet, right)

    def _right(self, painter: QPainter, metrics: QFontMetrics, right: int, text: str, colour: str) -> int:
        width = metrics.horizontalAdvance(text)
        painter.setPen(QColor(colour))
        painter.drawText(QRect(right - width, 0, width, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        return right - width - _GAP

    def _left(self, painter: QPainter, metrics: QFontMetrics, left: int, text: str, colour: str, right: int) -> int:
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, right - left))
        painter.setPen(QColor(colour))
        width = metrics.horizontalAdvance(shown)
        painter.drawText(QRect(left, 0, width + 1, self.height()), Qt.AlignmentFlag.AlignVCenter, shown)
        return left + width + _GAP
