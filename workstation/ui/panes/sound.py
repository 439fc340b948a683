"""The sound pane: waveform and spectrogram of every channel, with spans, turns and words, to look at, hear and edit.

It owns the stretch of time it shows, linked to the timeline's or free, and passes gestures on; what is shown is in
``sound_model.py``, how in ``sound_canvas.py``, what a hand does in ``sound_gestures.py``. Keys: ``actions/sound.py``.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QScrollBar, QToolButton, QWidget

from workstation.app.playing import TrackMix
from workstation.app.sample_view import SampleView
from workstation.app.units import stepped
from workstation.app.viewport import Viewport
from workstation.core.selection import SelectionChanged
from workstation.core.timebase import TimeRange
from workstation.store.changes import ChangeSet
from workstation.ui.panes.base_gestures import Drag
from workstation.ui.panes.base_strips_canvas import RULER_PX
from workstation.ui.panes.base_time import TimePane
from workstation.ui.panes.sound_canvas import SoundCanvas
from workstation.ui.panes.sound_gestures import Gesture, Table, make
from workstation.ui.panes.sound_heads import HEAD_PX, SoundHeads
from workstation.ui.panes.sound_model import Choice, SoundModel
from workstation.ui.scenes.ruler import in_words
from workstation.ui.theme import Theme
from workstation.ui.tools.state import Hand, Sight
from workstation.ui.workbench import Workbench

_FLOORS = (-60, -75, -90, -100)
_SCRUB_NS = 60_000_000
_AIR_PX = 6


class SoundPane(TimePane):
    """All sounds of the sample."""

    kind = "sound"
    title = "Sound"
    canvas: SoundCanvas

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model: SoundModel | None = None
        self._choice: Choice | None = None
        """What was chosen to be shown, kept over samples."""
        self._mixes: dict[str, TrackMix] = {}
        self._scrub_ended = QTimer(self)
        self._scrub_ended.setSingleShot(True)
        self._build_controls()
        self._build_body()

    # --- building -----------------------------------------------------------------------------------------------

    def _build_controls(self) -> None:
        self.waveform = self._toggle("sound_waveform", "Wave", "Show waveforms", True)
        self.spectrogram = self._toggle("sound_spectrogram", "Spectrum", "Show spectrograms (W)", True)
        self.mel = self._toggle("sound_mel", "Mel", "Frequencies as heard (mel) instead of evenly (E)", False)
        self.floor = QComboBox()
        self.floor.setObjectName("sound_floor")
        self.floor.setAccessibleName("Quietest level shown in the spectrogram")
        self.floor.setToolTip("Quietest level shown in the spectrogram, below full scale")
        for level in _FLOORS:
            self.floor.addItem(f"{level} dB", float(level))
        self.floor.setCurrentIndex(_FLOORS.index(-90))
        self.floor.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.audible = self._toggle("sound_audible", "Scrub", "Hear the sound while dragging on the ruler", False)
        self.linked = self._toggle("sound_linked", "Link", "Show the same stretch of time as the timeline", False)
        self.snap = self._toggle("sound_snap", "Snap", "Snap to onsets, samples and boundaries (Y)", True)
        for button in (self.waveform, self.spectrogram, self.mel):
            button.toggled.connect(self._look_changed)
        self.floor.currentIndexChanged.connect(self._look_changed)
        self.linked.toggled.connect(self._link_changed)
        self.snap.toggled.connect(self._snap_changed)
        for widget in (
            self.waveform, self.spectrogram, self.mel, self.floor, self.audible, self.linked, self.snap,
        ):  # fmt: skip
            self.header.extra.addWidget(widget)

    def _toggle(self, name: str, text: str, tip: str, on: bool) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(tip.partition(" (")[0])
        button.setCheckable(True)
        button.setChecked(on)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _build_body(self) -> None:
        self.canvas, self.heads, self._bar = SoundCanvas(), SoundHeads(), QScrollBar(Qt.Orientation.Vertical)
        self._bar.setObjectName("sound_scroll")
        self._bar.setAccessibleName("Scroll sounds")
        self._bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bar.valueChanged.connect(self._scrolled)
        self._said = QLabel()
        self._said.setObjectName("sound_said")
        self._said.setWordWrap(True)
        self._said.setContentsMargins(8, 4, 8, 4)
        self._said.hide()
        grid = QGridLayout(self.body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self._said, 0, 0, 1, 3)
        grid.addWidget(self.heads, 1, 0)
        grid.addWidget(self.canvas, 1, 1)
        grid.addWidget(self._bar, 1, 2)
        grid.setColumnMinimumWidth(0, HEAD_PX)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(1, 1)
        self.canvas.gesture_changed.connect(self._on_gesture)
        self.canvas.zoom_wanted.connect(self.zoom)
        self.canvas.pan_wanted.connect(self.pan)
        self.canvas.scroll_wanted.connect(self._scroll_by)
        self.canvas.resized.connect(self._fit_size)
        self.heads.mix_wanted.connect(self._mix)

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.hear(bench.stream_focused, self._on_focused)
        self.hear(bench.theme_changed, self._on_theme)
        self.hear(bench.sight.changed, self._on_sight)
        self.hear(bench.hand.changed, self._on_hand)
        self.hear(bench.reveal_wanted, self.reveal)
        self.hear(bench.window_changed, self._on_window)

    def unbound(self, bench: Workbench) -> None:
        self._let_go()

    def _let_go(self) -> None:
        self.canvas.end_drag()
        self.canvas.table = None
        self.canvas.mark_in_ns = None
        self.heads.show_model(None, None)
        if self.model is not None:
            self.model.close()
        self.model = None

    def sample_opened(self, view: SampleView | None) -> None:
        if self.model is not None:
            self._choice = self.model.choice
        self._let_go()
        bench = self.bench
        if bench is None or view is None:
            self.header.say(item="" if view is not None else "nothing here")
            self._said.hide()
            self.canvas.update()
            return
        self.model = SoundModel(bench, view, max(1, self.canvas.width()), self.canvas.update)
        self.model.choice = self._choice or self.model.choice
        self.model.snapping = self.snap.isChecked()
        self.canvas.table = Table(bench, self.model, self.redraw, self._scrubbed)
        self.heads.show_model(self.model, self._mix_of)
        self._renew()
        if self.linked.isChecked() and bench.window is not None:
            self._on_window(bench.window)
        if self.model.streams and bench.sounds is not None:
            bench.sounds.begin(bench.jobs)

    def _renew(self) -> None:
        """Strips may be others now."""
        model = self.model
        if model is None:
            return
        model.rebuild(self._room())
        if not model.streams:
            self._said.setText("This sample has no sound.")
        else:
            self._said.setText("\n".join(model.troubles))
        self._said.setVisible(not model.streams or bool(model.troubles))
        self._placed()

    def _room(self) -> int:
        return max(40, self.canvas.height() - RULER_PX)

    def _placed(self) -> None:
        model = self.model
        if model is not None:
            self._bar.setRange(0, max(0, model.height - self._room()))
            self._bar.setPageStep(self._room())
            self._bar.setVisible(self._bar.maximum() > 0)
            self.heads.place()
        self.redraw()

    def show_time(self, time_ns: int) -> None:
        model, bench = self.model, self.bench
        if model is None or bench is None:
            return
        inside = model.viewport.start_ns <= time_ns < model.viewport.end_ns
        if not isinstance(self.gesture, Drag) and not inside:
            self.show_view(model.viewport.turned_to(time_ns, bench.clock.span))
        self.canvas.show_playhead()
        units = model.own_units()
        index = -1 if units is None else units.at_or_before(time_ns)
        if units is None or index < 0 or not units.shows(index, time_ns):
            self.header.say(item="nothing here", own=in_words(time_ns))
            return
        away = units.session_ns(index) - time_ns
        self.header.say(
            item=f"sample #{index:,}", own=f"{units.own_ns(index) / 1e9:.3f} s", distance=f"{away / 1e6:+.2f} ms"
        )

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed:
            if change.cause != self.kind:
                self._scroll_to(change.after.ids)
            self.canvas.update()

    def apply(self, changes: ChangeSet) -> None:
        del changes
        if isinstance(self.gesture, Drag):
            self.gesture.cancel()
        self._renew()

    def step_time(self, steps: int) -> int | None:
        units = None if self.model is None else self.model.own_units()
        if units is None or self.bench is None:
            return None
        return stepped(units, self.bench.clock.time_ns, steps)

    def unit_name(self) -> str:
        return "" if self.model is None or not self.model.streams else "sample"

    # --- the view -----------------------------------------------------------------------------------------------

    def taller(self, factor: float) -> None:
        """Draw waveforms taller or less tall."""
        if self.model is not None:
            height = min(max(self.model.choice.taller * factor, 1.0), 64.0)
            self.model.choice = replace(self.model.choice, taller=height)
            self._renew()

    def reveal(self, ids: tuple[str, ...]) -> None:
        """Bring the first of these into view."""
        self._scroll_to(ids)
        model, bench = self.model, self.bench
        if model is None or bench is None:
            return
        for each in ids:
            annotation = model.view.annotations.get(each)
            shown = None if annotation is None else model.view.session_range(annotation)
            if shown is not None:
                if shown.end_ns < model.viewport.start_ns or shown.start_ns >= model.viewport.end_ns:
                    self.show_view(model.viewport.turned_to(shown.start_ns, bench.clock.span))
                return

    def mark(self, *, out: bool) -> None:
        """Mark in or out at the playhead; with both a span is made on the sound that was worked on last."""
        model, bench = self.model, self.bench
        if model is None or bench is None or self.canvas.table is None:
            return
        now, begin = bench.clock.time_ns, self.canvas.mark_in_ns
        if not out:
            self.canvas.mark_in_ns = now
        elif begin is None:
            bench.tell("Mark the beginning first (I), then the end (O).")
        elif begin == now:
            bench.tell("The end is where the beginning is: move the playhead, then mark out (O).")
        else:
            self.canvas.mark_in_ns = None
            make(self.canvas.table, model.stream(), TimeRange(min(begin, now), max(begin, now)), None)
        self.canvas.update()

    def redraw(self) -> None:
        model, bench = self.model, self.bench
        if model is not None and bench is not None and self.linked.isChecked():
            bench.show_window(model.viewport.shown)
        if self.canvas.drag is not None and not self.canvas.drag.alive:
            self.canvas.end_drag()  # it was cancelled
        self.canvas.update()

    # --- what is heard ------------------------------------------------------------------------------------------

    def _mix_of(self, key: str) -> TrackMix:
        """Kept here too: asking the player would make one, and a start is to pay nothing for sound."""
        return self._mixes.get(key, TrackMix())

    def _mix(self, key: str, mix: TrackMix) -> None:
        self._mixes[key] = mix
        if self.bench is not None:
            self.bench.session.player.set_mix(key, mix)

    def _scrubbed(self, session_ns: int) -> None:
        """A little of the sound under the hand, if that is wanted."""
        bench = self.bench
        if bench is not None and self.audible.isChecked() and not self._scrub_ended.isActive():
            end = min(session_ns + _SCRUB_NS, bench.clock.span.end_ns)
            if end > session_ns >= bench.clock.span.start_ns:
                bench.session.player.play_range(session_ns, end)
                self._scrub_ended.start(_SCRUB_NS // 1_000_000)

    # --- what is told -------------------------------------------------------------------------------------------

    def _look_changed(self) -> None:
        if self.model is None:
            return
        if not (self.waveform.isChecked() or self.spectrogram.isChecked()):
            self.waveform.setChecked(True)  # comes back here
            return
        self.model.choice = replace(
            self.model.choice,
            waveform=self.waveform.isChecked(),
            spectrogram=self.spectrogram.isChecked(),
            mel=self.mel.isChecked(),
            floor_db=float(self.floor.currentData()),
        )
        self._renew()

    def _link_changed(self, linked: bool) -> None:
        if linked and self.bench is not None and self.bench.window is not None:
            self._on_window(self.bench.window)

    def _snap_changed(self, wanted: bool) -> None:
        if self.model is not None:
            self.model.snapping = wanted

    def _on_window(self, shown: TimeRange) -> None:
        if self.linked.isChecked() and self.model is not None and shown != self.model.viewport.shown:
            self.show_view(Viewport(shown.start_ns, shown.duration_ns, self.model.viewport.width_px))

    def _on_focused(self, stream: str | None) -> None:
        del stream
        if self.bench is not None:
            self.show_time(self.bench.clock.time_ns)
        self.canvas.update()

    def _on_theme(self, theme: Theme) -> None:
        del theme
        self.heads.update()
        self.canvas.update()

    def _on_sight(self, sight: Sight) -> None:
        del sight
        self._renew()

    def _on_hand(self, hand: Hand) -> None:
        del hand
        self.canvas.update()

    def _on_gesture(self, drag: Gesture | None) -> None:
        self.gesture = drag
        self.canvas.update()

    def _scrolled(self, value: int) -> None:
        self.canvas.offset = self.heads.offset = value
        self.heads.place()
        self.canvas.update()

    def _scroll_to(self, ids: tuple[str, ...]) -> None:
        """Bring the strip, and in it the row, of the first of these that has one above the lower edge."""
        model = self.model
        for strip, scene in () if model is None else model.tiers():
            number = next((scene.tier.numbers[each] for each in ids if each in scene.tier.numbers), None)
            if number is not None and model is not None:
                rect = scene.item_rect(number, model.viewport, strip.height)
                top, bottom = strip.top + round(rect.top()), strip.top + round(rect.bottom())
                if bottom > self.canvas.offset + self._room():
                    self._bar.setValue(bottom + _AIR_PX - self._room())
                elif top < self.canvas.offset:
                    self._bar.setValue(max(0, top - _AIR_PX))
                return

    def _scroll_by(self, pixels: float) -> None:
        self._bar.setValue(round(self._bar.value() + pixels))

    def _fit_size(self) -> None:
        if self.model is not None:
            self.model.viewport = self.model.viewport.resized(max(1, self.canvas.width()))
            self.model.place(self._room())
            self._placed()
