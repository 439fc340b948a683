"""Back to the window's thread: workers hand over a value, a method of a QObject that lives there receives it.

Used by panes for pictures that a worker decoded, and by the jobs. A plain callable connected to a signal of another
thread would run on the worker; a slot of a QObject runs where the object lives.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot


class GuiThread(QObject):
    """A queue into the window's thread. ``post`` from anywhere; what was posted runs in order, soon, over there.

    One signal wakes the event loop however many are waiting; the queue is drained in one go, since the slot reads
    all of it. After ``close`` whatever still comes is dropped: the one who would have received it is gone.
    """

    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._lock = threading.Lock()
        self._closed = False
        self._woken.connect(self._drain, Qt.ConnectionType.QueuedConnection)

    def post(self, receive: Callable[[Any], None], value: object) -> None:
        """Call ``receive(value)`` on the window's thread."""
        with self._lock:
            if self._closed:
                return
            first = not self._waiting
            self._waiting.append((receive, value))
        if first:
            self._woken.emit()

    def close(self) -> None:
        """Forget what waits and whatever comes later."""
        with self._lock:
            self._closed = True
            self._waiting.clear()

    @Slot()
    def _drain(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
        for receive, value in waiting:
            if self._closed:
                return
            receive(value)
