"""Garbage is collected on the window's thread only. Started by ``application.py`` with the application.

Python collects wherever the counters happen to overflow, also on a decoding thread; a cycle that holds Qt objects
would then be freed there, and PySide crashes in its deletion for the main thread (seen with 6.11). So the automatic
collector is off while there is a window, and a timer looks at the counters instead.

Looking through everything takes a tenth of a second with a large sample open, nearly all of it for records and
modules that stay. What has come with a sample is therefore set aside (``gc.freeze``) and looked through again only
when nobody has touched mouse or keys for some seconds, or after many samples without such a pause.

The same timer has freed memory given back to the system (``app/freed_memory.py``): in such a pause, and when the
process has grown by much.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Slot
from PySide6.QtGui import QCursor, QGuiApplication

from workstation.app.freed_memory import FreedMemory

_LOOK_MS = 1_000
_YOUNG, _MIDDLE, _OLD = 2_000, 10, 20
"""When a generation is due: objects made since, then how often the one below was collected since."""
_QUIET_LOOKS = 3
_MOST_SAMPLES = 12
"""So many samples may come one after the other without a pause before what they left is looked for all the same."""


class Collecting(QObject):
    """Collects what is due; one for the process, ended by ``stop``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.young_only = False
        """While something plays: the oldest generation takes a tenth of a second."""
        self._was_on = gc.isenabled()
        self._samples = 1  # the program itself stays as a sample does
        self._rounds = 0
        """How often something was collected since everything was."""
        self._to_set_aside = True
        self._quiet = 0
        self._worked = False
        self._pointer = (0, 0)
        self._freed = FreedMemory()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.collect_due)
        self._timer.start()

    @Slot()
    def collect_due(self) -> None:
        """Everything in a pause, else the oldest generation that is due of what came since it was last set aside."""
        self._quiet = 0 if self._at_work() else self._quiet + 1
        self._freed.look()
        if self._all_due():
            self._collect_all()
            return
        if self._to_set_aside:
            self._to_set_aside = False
            gc.freeze()
            return
        young, middle, old = gc.get_count()
        if young < _YOUNG:
            return
        self._rounds += 1
        oldest = old >= _OLD and not self.young_only
        gc.collect(2 if oldest else 1 if middle >= _MIDDLE else 0)

    def sample_came(self) -> None:
        """What there is now stays for a while."""
        self._samples += 1
        self._to_set_aside = True

    def worked(self) -> None:
        """A key was pressed: this is no pause."""
        self._worked = True

    def _all_due(self) -> bool:
        if self.young_only:
            return False
        wanted = self._samples > 0 or self._rounds >= _MIDDLE * _OLD
        return (wanted and self._quiet >= _QUIET_LOOKS) or self._samples > _MOST_SAMPLES

    def _at_work(self) -> bool:
        """Whether mouse or keys were touched since the last look."""
        place = QCursor.pos()
        pointer, worked = (place.x(), place.y()), self._worked
        held = QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
        moved = pointer != self._pointer
        self._pointer, self._worked = pointer, False
        return held or moved or worked

    def _collect_all(self) -> None:
        """What was set aside with the rest; what stays is set aside again."""
        self._samples = self._rounds = 0
        self._to_set_aside = False
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._freed.begin()

    def stop(self) -> None:
        """As it was before."""
        self._timer.stop()
        self._freed.wait()
        gc.unfreeze()
        if self._was_on:
            gc.enable()


def begin_collecting(application: QCoreApplication) -> Collecting:
    """From now on, once for an application."""
    return application.findChild(Collecting) or Collecting(application)


def hold_back(playing: bool) -> None:
    """While something plays only the young are collected."""
    found = _here()
    if found is not None:
        found.young_only = playing


def set_aside() -> None:
    """A sample was opened: what came with it is not looked through while someone works."""
    found = _here()
    if found is not None:
        found.sample_came()


def at_work() -> None:
    """A key was pressed."""
    found = _here()
    if found is not None:
        found.worked()


def _here() -> Collecting | None:
    application = QCoreApplication.instance()
    return None if application is None else application.findChild(Collecting)
