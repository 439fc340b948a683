"""Real time for the clock: a timer that lets the session's player move it, by what is heard or by a monotonic clock.

Owned by what is open in the window. The player is made at the first play, so that a start pays nothing for sound.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt as QtNames
from PySide6.QtCore import QTimer, Slot

from workstation.app.sound_skew import follows_sound
from workstation.core.clock import TransportChanged
from workstation.core.sample import StreamKind
from workstation.ui.collecting import hold_back
from workstation.ui.workbench import Workbench

_PLAYING_MS = 8
"""Twice a screen's 60 Hz: the playhead is at most half a picture late."""
_MOST_HEARD_NS = 500_000_000
"""A longer way is a jump."""
_IDLE_MS = 500
"""The player looks after its device while nothing plays."""


class Ticking(QTimer):
    """Fast while the clock plays, slow after it has played once, not at all before."""

    def __init__(self, bench: Workbench, watch: Callable[[], None]) -> None:
        """``watch`` is called when the device may have changed: about twice a second."""
        super().__init__(bench)
        self._bench = bench
        self._watch = watch
        self._ticks = 0
        self.setTimerType(QtNames.TimerType.PreciseTimer)
        self.timeout.connect(self._tick)
        bench.clock.transport_changed.connect(self._on_transport)

    def end(self) -> None:
        """For good."""
        self.stop()
        self._bench.clock.transport_changed.disconnect(self._on_transport)

    def _on_transport(self, change: TransportChanged) -> None:
        hold_back(change.playing)
        if change.playing:
            if not self.isActive():
                self._bench.session.player.look_for_device()  # made just now, it has not heard of this play
            self.start(_PLAYING_MS)
        elif self.isActive():
            self.start(_IDLE_MS)

    def _heard(self, start_ns: int, end_ns: int) -> None:
        """The device has played that of every sound that is not silenced."""
        view, seen = self._bench.view, self._bench.seen
        if view is None or seen is None or not 0 < end_ns - start_ns < _MOST_HEARD_NS:
            return
        for stream in view.streams.values():
            if stream.kind is StreamKind.AUDIO and self._bench.session.player.mix_of(stream.key).gain > 0:
                seen.saw_time(stream.id, start_ns, end_ns)

    @Slot()
    def _tick(self) -> None:
        clock, player = self._bench.clock, self._bench.session.player
        before_ns = clock.time_ns
        player.tick()
        if follows_sound(player.status):
            self._heard(before_ns, clock.time_ns)
        self._ticks += 1
        if self.interval() == _IDLE_MS or self._ticks % (_IDLE_MS // _PLAYING_MS) == 0:
            self._watch()
