"""Garbage is collected on the window's thread only. Started by ``application.py`` with the application.

Python collects wherever the counters happen to overflow, also on a decoding thread; a cycle that holds Qt objects
would then be freed there, and PySide crashes in its deletion for the main thread (seen with 6.11). So the automatic
collector is off while there is a window, and a timer looks at the counters instead.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Slot

_LOOK_MS = 1_000
_YOUNG, _MIDDLE, _OLD = 2_000, 10, 20
"""When a generation is due: objects made since, then how often the one below was collected since."""


class Collecting(QObject):
    """Collects what is due; one for the process, ended by ``stop``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.young_only = False
        """While something plays: the oldest generation takes a tenth of a second."""
        self._was_on = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.collect_due)
        self._timer.start()

    @Slot()
    def collect_due(self) -> None:
        """The oldest generation that is due, with the younger ones."""
        young, middle, old = gc.get_count()
        if young < _YOUNG:
            return
        oldest = old >= _OLD and not self.young_only
        gc.collect(2 if oldest else 1 if middle >= _MIDDLE else 0)

    def stop(self) -> None:
        """As it was before."""
        self._timer.stop()
        if self._was_on:
            gc.enable()


def begin_collecting(application: QCoreApplication) -> Collecting:
    """From now on, once for an application."""
    return application.findChild(Collecting) or Collecting(application)


def hold_back(playing: bool) -> None:
    """While something plays only the young are collected."""
    application = QCoreApplication.instance()
    found = None if application is None else application.findChild(Collecting)
    if found is not None:
        found.young_only = playing
