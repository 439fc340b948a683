"""The part of the tool bar that follows the clock: play or pause, the time field, the rate. Held by the main window."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from workstation.app.places import place_in, time_text
from workstation.core.clock import TimeChanged, TransportChanged
from workstation.core.errors import UserError
from workstation.ui.toolbar import ToolBar, rate_text
from workstation.ui.workbench import Tone, Workbench


class TransportBar(QObject):
    """Binds a tool bar to the clock of one workbench."""

    def __init__(self, bar: ToolBar, bench: Workbench, leave: Callable[[QWidget], None], parent: QObject) -> None:
        """``leave``: what gives the keys back to a pane once a time was entered."""
        super().__init__(parent)
        self._bar = bar
        self._leave = leave
        self._bench = bench
        bench.clock.time_changed.connect(self._on_time)
        bench.clock.transport_changed.connect(self._on_transport)
        bar.time_entered.connect(self.go_to)
        bar.rate_chosen.connect(self._set_rate)
        self._show_time(bench.clock.time_ns)

    def close(self) -> None:
        """Let go of the workbench."""
        self._bench.clock.time_changed.disconnect(self._on_time)
        self._bench.clock.transport_changed.disconnect(self._on_transport)
        self._bar.time_entered.disconnect(self.go_to)
        self._bar.rate_chosen.disconnect(self._set_rate)
        self._bar.time.setText("")

    @Slot(str)
    def go_to(self, text: str) -> bool:
        """Move the playhead to what was typed; whether it was understood."""
        bench = self._bench
        if bench.view is None or bench.readers is None:
            return False
        try:
            target_ns = place_in(text, bench.view, bench.readers, focused=bench.focused_stream)
        except UserError as problem:
            bench.tell(str(problem), Tone.REFUSED)
            return False
        bench.clock.pause()
        bench.clock.seek(target_ns)
        self._leave(self._bar.time)
        self.show_now()
        if bench.clock.time_ns != target_ns:
            side = "ends" if target_ns > bench.clock.time_ns else "begins"
            bench.tell(f"The sample {side} at {time_text(bench.clock.time_ns)}.")
        return True

    @Slot(object)
    def _set_rate(self, rate: Fraction) -> None:
        self._bench.clock.set_rate(rate)

    def _on_time(self, change: TimeChanged) -> None:
        self._show_time(change.time_ns)

    def show_now(self) -> None:
        """Put the playhead's time back into the field."""
        self._bar.time.setText(time_text(self._bench.clock.time_ns))

    def _show_time(self, time_ns: int) -> None:
        field = self._bar.time
        if not field.hasFocus():
            field.setText(time_text(time_ns))

    def _on_transport(self, change: TransportChanged) -> None:
        self._bar.set_icon("transport.play", "pause" if change.playing else "play", self._bench.theme)
        box = self._bar.rate
        index = box.findData(change.rate)
        if index < 0:
            box.addItem(rate_text(change.rate), change.rate)
            index = box.count() - 1
        box.setCurrentIndex(index)
