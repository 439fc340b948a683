"""Between mark in and mark out: the beginning that is marked is something begun, as a shape half drawn is.

Held by panes that make spans by keys (timeline, sound, series). While it stands, undo takes it back, redo sets it
again, and ``Esc`` gives it up; every other key goes on to the pane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent


class Markable(Protocol):
    """The canvas that draws where the span begins."""

    mark_in_ns: int | None

    def update(self) -> None: ...


class MarkedIn:
    """A gesture of a pane. ``over`` is called when nothing is left of it."""

    def __init__(self, canvas: Markable, over: Callable[[], None]) -> None:
        self._canvas = canvas
        self._over = over
        self._gone: int | None = None

    @property
    def begun(self) -> bool:
        """Whether the pane's keys of undo and redo are about it."""
        return self._canvas.mark_in_ns is not None or self._gone is not None

    def set(self, session_ns: int) -> None:
        """The span begins there."""
        self._gone = None
        self._canvas.mark_in_ns = session_ns
        self._canvas.update()

    def key(self, event: QKeyEvent) -> bool:
        canvas = self._canvas
        if event.key() == Qt.Key.Key_Undo:
            if canvas.mark_in_ns is None:
                self.cancel()  # what is taken back from now on was done before
                return False
            self._gone, canvas.mark_in_ns = canvas.mark_in_ns, None
        elif event.key() == Qt.Key.Key_Redo and self._gone is not None:
            self.set(self._gone)
        else:
            return event.key() == Qt.Key.Key_Redo
        canvas.update()
        return True

    def cancel(self) -> None:
        self._canvas.mark_in_ns = self._gone = None
        self._canvas.update()
        self._over()
