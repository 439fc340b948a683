"""Lets one thing through per turn of the event loop: pictures of many cameras and of space come together, and drawn in
one turn they would be a long one in which nothing else happens. One for the window, held by the workbench.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer

T = TypeVar("T")


class Turnstile(QObject):
    """First come, first through."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[Callable[[Any], None], Any] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._let_through)

    def enter(self, take: Callable[[T], None], carried: T) -> None:
        """Call ``take(carried)`` soon. It takes the place of an older one for the same that still waits, so that nobody
        waits for ever who brings something often. Whoever is closed meanwhile is called all the same."""
        self._waiting[take] = carried
        self._timer.start()

    def close(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._timer.stop()

    def _let_through(self) -> None:
        if self._waiting:
            take = next(iter(self._waiting))
            take(self._waiting.pop(take))
        if not self._waiting:
            self._timer.stop()
