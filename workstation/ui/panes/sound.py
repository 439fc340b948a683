"""The sound pane: waveform and spectrogram of every channel, with spans, turns and words, to look at, hear and edit.

It owns the stretch of time it shows, linked to the timeline's or free, and passes gestures on; what is shown is in
``sound_model.py``, how in ``sound_canvas.py``, what a hand does in ``sound_gestures.py``. Keys: ``actions/sound.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QComboBox, QWidget

from workstation.app.playing import TrackMix
from workstation.app.sample_view import SampleView
from workstation.core.selection import SelectionChanged
from workstation.core.timebase import TimeRange
from workstation.ui.panes.base_buttons import header_toggle
from workstation.ui.panes.base_strips_pane import StripsPane
from workstation.ui.panes.sound_canvas import SoundCanvas
from workstation.ui.panes.sound_gestures import Table, give_to_somebody_new, give_turns, make
from workstation.ui.panes.sound_heads import SoundHeads
from workstation.ui.panes.sound_model import Choice, SoundModel
from workstation.ui.scenes.ruler import in_words
from workstation.ui.tools.state import Hand
from workstation.ui.workbench import Workbench

_FLOORS = (-60, -75, -90, -100)
_SCRUB_NS = 60_000_000
_AIR_PX = 6

_SPECTRA = "Show spectrograms (@sound.spectrogram)"
_MEL = "Frequencies as heard (mel) instead of evenly (@sound.mel)"
_SNAPS = "Snap to onsets, samples and boundaries (@sound.snapping)"


class SoundPane(StripsPane[SoundModel]):
    """All sounds of the sample."""

    kind = "sound"
    title = "Sound"
    canvas: SoundCanvas
    heads: SoundHeads
    no_length = "The end is where the beginning is: move the playhead, then mark out (@sound.mark_out)."

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
        self.waveform = header_toggle("sound_waveform", "Wave", "Show waveforms", on=True)
        self.spectrogram = header_toggle("sound_spectrogram", "Spectrum", _SPECTRA, on=True)
        self.mel = header_toggle("sound_mel", "Mel", _MEL, on=False)
        self.floor = QComboBox()
        self.floor.setObjectName("sound_floor")
        self.floor.setAccessibleName("Quietest level shown in the spectrogram")
        self.floor.setToolTip("Quietest level shown in the spectrogram, below full scale")
        for level in _FLOORS:
            self.floor.addItem(f"{level} dB", float(level))
        self.floor.setCurrentIndex(_FLOORS.index(-90))
        self.floor.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.audible = header_toggle("sound_audible", "Scrub", "Hear the sound while dragging on the ruler", on=False)
        self.linked = header_toggle("sound_linked", "Link", "Show the same stretch of time as the timeline", on=False)
        self.snap = header_toggle("sound_snap", "Snap", _SNAPS, on=True)
        for button in (self.waveform, self.spectrogram, self.mel):
            button.toggled.connect(self._look_changed)
        self.floor.currentIndexChanged.connect(self._look_changed)
        for widget in (
            self.waveform, self.spectrogram, self.mel, self.floor, self.audible, self.linked, self.snap,
        ):  # fmt: skip
            self.header.extra.addWidget(widget)

    def _build_body(self) -> None:
        self.canvas, self.heads = SoundCanvas(), SoundHeads()
        self.canvas.lag = self.lag
        self.build_strips("Scroll sounds")
        self.heads.mix_wanted.connect(self._mix)
        self.heads.new_person_wanted.connect(self.give_to_new)

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        super().bound(bench)
        self.hear(bench.stream_focused, self._on_focused)
        self.hear(bench.hand.changed, self._on_hand)

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
            self.say_instead("")
            self.canvas.update()
            return
        self.model = SoundModel(bench, view, max(1, self.canvas.width()), self.canvas.update)
        self.model.choice = self._choice or self.model.choice
        self.model.snapping = self.snap.isChecked()
        self.canvas.table = Table(bench, self.model, self.redraw, self._scrubbed)
        self.heads.show_model(self.model, self._mix_of)
        self.renew()
        if self.linked.isChecked() and bench.window is not None:
            self._on_window(bench.window)
        if self.model.streams and bench.sounds is not None:
            bench.sounds.begin(bench.jobs)

    def renew(self) -> None:
        model = self.model
        if model is not None:
            model.rebuild(self.room())
            self.say_instead("\n".join(model.troubles) if model.streams else "This sample has no sound.")
            self.placed()

    def say(self, model: SoundModel, time_ns: int) -> None:
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
                view = None if self.model is None else self.model.view
                self._scroll_to(change.after.ids if view is None else view.to_show(change.after.ids))
            self.canvas.update()

    def unit_name(self) -> str:
        return "" if self.model is None or not self.model.streams else "sample"

    # --- the view -----------------------------------------------------------------------------------------------

    def taller(self, factor: float) -> None:
        """Draw waveforms taller or less tall."""
        if self.model is not None:
            height = min(max(self.model.choice.taller * factor, 1.0), 64.0)
            self.model.choice = replace(self.model.choice, taller=height)
            self.renew()

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

    def maker(self) -> Callable[[TimeRange], None] | None:
        """On the sound that was worked on last."""
        model, table = self.model, self.canvas.table
        if model is None or table is None:
            return None
        return lambda marked: make(table, model.stream(), marked, None)

    def give_turns(self, rows: int) -> None:
        """The selected turns to whoever stands so many rows below."""
        model, bench = self.model, self.bench
        if model is None or bench is None:
            return
        given = {}
        for speakers in [strip.speakers for strip in model.strips if strip.speakers is not None]:
            for turn in bench.selected:
                row = speakers.row_of(turn)
                if row is not None:
                    given[turn] = speakers.rows[min(max(row + rows, 0), len(speakers.rows) - 1)]
        if given:
            give_turns(bench, given)
        else:
            bench.tell("Select a turn of a speaker first.")

    def give_to_new(self) -> None:
        """The selected turns to somebody who was not there yet."""
        bench = self.bench
        view = None if bench is None else bench.view
        if bench is None or view is None:
            return
        chosen = [view.annotations[each] for each in bench.selected if each in view.annotations]
        turns = [each.id for each in chosen if each.text is not None and each.start_ns is not None]
        if turns:
            give_to_somebody_new(bench, turns)
        else:
            bench.tell("Select a turn first: who speaks it is to be somebody new.")

    def redraw(self) -> None:
        model, bench = self.model, self.bench
        if model is not None and bench is not None and self.linked.isChecked():
            bench.show_window(model.viewport.shown)
        self.drop_cancelled()
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
        self.renew()

    def _on_focused(self, stream: str | None) -> None:
        del stream
        if self.bench is not None:
            self.show_time(self.bench.clock.time_ns)
        self.canvas.update()

    def _on_hand(self, hand: Hand) -> None:
        del hand
        self.canvas.update()

    def _scroll_to(self, ids: tuple[str, ...]) -> None:
        """Bring the strip, and in it the row, of the first of these that has one above the lower edge."""
        model = self.model
        for strip, scene in () if model is None else model.tiers():
            number = next((scene.tier.numbers[each] for each in ids if each in scene.tier.numbers), None)
            if number is not None and model is not None:
                rect = scene.item_rect(number, model.viewport, strip.height)
                top, bottom = strip.top + round(rect.top()), strip.top + round(rect.bottom())
                if bottom > self.canvas.offset + self.room():
                    self._bar.setValue(bottom + _AIR_PX - self.room())
                elif top < self.canvas.offset:
                    self._bar.setValue(max(0, top - _AIR_PX))
                return
