"""A box around what is laid out often: the window is not laid out with it.

In Qt a word that changes asks every layout above it to think again, up to the main window with all its docks, some
milliseconds each time; headers and forms change many times a second. Used by ``panes/base.py`` around a pane's body.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget


class StillBox(QWidget):
    """Holds one widget in all its room. What is around it hears of it only when its least size is another."""

    def __init__(self, inner: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inner = inner
        self._least: QSize | None = None
        inner.setParent(self)

    def sizeHint(self) -> QSize:
        return self._inner.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self._inner.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._inner.setGeometry(self.rect())

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            least = self.minimumSizeHint()
            if least != self._least:
                self._least = least
                self.updateGeometry()
        return super().event(event)
