"""Long work of the window's own thread in slices, one in each turn of the event loop: nothing else waits for it.

For what cannot be done beside it because it reads the records that the window holds. What is short is done at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

from PySide6.QtCore import QObject, QTimer, Slot

_SLICE_S = 0.006
_STRIDE = 16


class Slices(QObject):
    """One piece of work at a time; a new one takes the place of the one before."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work: Iterator[None] | None = None
        self._done: Callable[[], None] | None = None
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(0)
        self._again.timeout.connect(self._go_on)

    @property
    def busy(self) -> bool:
        """Whether something is not done yet."""
        return self._work is not None

    def start(self, work: Iterator[None], done: Callable[[], None]) -> None:
        """Do this, a step after the other, then ``done``; both before it returns where that is short."""
        self._work, self._done = work, done
        self._go_on()

    def stop(self) -> None:
        """Leave it."""
        self._again.stop()
        self._work = self._done = None

    @Slot()
    def _go_on(self) -> None:
        work, done = self._work, self._done
        if work is None or done is None:
            return
        end = perf_counter() + _SLICE_S
        while perf_counter() < end:
            for _ in range(_STRIDE):
                try:
                    next(work)
                except StopIteration:
                    self.stop()
                    done()
                    return
        self._again.start()
