"""The line over one view of several in a pane (cameras, planes): says what is painted, and takes clicks.

Painted, not made of labels: it changes with every picture, and labels in a layout cost more than the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from PySide6.QtCore import QRect, QSize
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.ui.theme import Theme

SaidT = TypeVar("SaidT")


class ViewHeader(QWidget, Generic[SaidT]):
    """One line; ``said`` is what it says, ``hint`` what a double click does."""

    enlarge_wanted = QtSignal()
    taken = QtSignal()
    """Pressed: this view is worked on now."""
    hint = ""

    def __init__(self, said: SaidT, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.focused = False
        self.said = said
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip(self.hint)

    def words(self, said: SaidT) -> Iterable[str]:
        """What is spoken of it; empty words are left out."""
        raise AssertionError(f"{type(self).__name__} says which")

    def say(self, said: SaidT) -> None:
        """Say something else."""
        if said != self.said:
            self.said = said
            spoken = " ".join(filter(None, self.words(said)))
            self.setAccessibleName(spoken)
            self.setToolTip(f"{spoken}\n{self.hint}")
            self.update()

    def set_look(self, theme: Theme, *, focused: bool) -> None:
        """Other colours, or this view is the one worked on."""
        if (theme, focused) != (self.theme, self.focused):
            self.theme, self.focused = theme, focused
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, self.fontMetrics().height() + 6)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.taken.emit()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.enlarge_wanted.emit()
        event.accept()

    def paint_ground(self, painter: QPainter) -> None:
        """Below the words; the view that is worked on has a bar at its left."""
        painter.fillRect(self.rect(), QColor(self.theme.raised))
        if self.focused:
            painter.fillRect(QRect(0, 0, 3, self.height()), QColor(self.theme.accent))
