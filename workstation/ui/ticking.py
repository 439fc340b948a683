"""Real time for the clock while nothing is heard: ticks with what really passed, so that no tick is ever owed.

Owned by the main window. While what is heard moves the clock (``bench.led_by_sound``), it holds still.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from workstation.core.clock import TransportChanged
from workstation.ui.workbench import Workbench

_EVERY_MS = 8
"""Twice a screen's 60 Hz: the playhead is at most half a picture late."""


class Ticking(QObject):
    """Runs only while the clock plays."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._bench = bench
        self._clock = clock = bench.clock
        self._last_ns = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._tick)
        clock.transport_changed.connect(self._on_transport)

    def stop(self) -> None:
        """For good."""
        self._timer.stop()
        self._clock.transport_changed.disconnect(self._on_transport)

    def _on_transport(self, change: TransportChanged) -> None:
        if not change.playing:
            self._timer.stop()
        elif not self._timer.isActive():
            self._last_ns = time.monotonic_ns()
            self._timer.start()

    @Slot()
    def _tick(self) -> None:
        now_ns = time.monotonic_ns()
        passed_ns, self._last_ns = now_ns - self._last_ns, now_ns
        if not self._bench.led_by_sound:
            self._clock.tick(passed_ns)
