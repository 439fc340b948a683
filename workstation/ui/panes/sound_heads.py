"""What stands left of the strips: names, mute and solo of every channel, the gain of each sound, the frequency axis.

Says what is wanted through ``mix_wanted``; the pane tells the player.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QDoubleSpinBox, QToolButton, QWidget

from workstation.app.playing import TrackMix
from workstation.app.speakers import Speakers, name_of_row, paint_of_row
from workstation.ui.key_tips import set_tip
from workstation.ui.keymap import keyless
from workstation.ui.panes.base_strips_canvas import RULER_PX
from workstation.ui.panes.base_strips_pane import StripsHeads
from workstation.ui.panes.sound_model import SoundModel, Strip
from workstation.ui.scenes.glyphs import paint_mark
from workstation.ui.scenes.letters import small_font
from workstation.ui.scenes.sound_scene import SoundScene
from workstation.ui.scenes.tier_scene import TierScene

HEAD_PX = 118
_NEW_PERSON = "Give the selected turns to a new person; or drag a turn to this row (@sound.new_speaker)"
_BUTTON_PX = 22
_AXIS_PX = 26
_LOWEST_DB, _HIGHEST_DB = -60.0, 24.0
_NICE_HZ = (100, 200, 300, 500, 1000, 2000, 3000, 5000, 8000, 10_000, 15_000, 20_000, 40_000, 80_000)
Mix = Callable[[str], TrackMix]


class SoundHeads(StripsHeads):
    """Controls stand beside the strip they belong to and scroll with it."""

    mix_wanted = QtSignal(str, object)
    """Key of a stream and the ``TrackMix`` it is to have."""
    new_person_wanted = QtSignal()
    """For the selected turns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("sound_heads", "Channels", HEAD_PX, parent)
        self.model: SoundModel | None = None
        self._mix: Mix | None = None
        self._spelled: Callable[[str], str] = keyless
        self._controls: dict[tuple[str, int, str], QWidget] = {}

    def spell(self, spelled: Callable[[str], str]) -> None:
        """Put keys into the tips of controls that come with this."""
        self._spelled = spelled

    def show_model(self, model: SoundModel | None, mix: Mix | None) -> None:
        """Another sample, or none."""
        for control in self._controls.values():
            control.hide()
            control.deleteLater()
        self._controls.clear()
        self.model, self._mix = model, mix
        self.place()

    def place(self) -> None:
        """Put the controls beside the strips."""
        seen: set[tuple[str, int, str]] = set()
        model = self.model
        for strip in [] if model is None else model.strips:
            if isinstance(strip.scene, SoundScene) and model is not None:
                key = model.view.streams[strip.stream or ""].key
                channel = strip.scene.channel or 0
                self._place_channel(strip, key, channel, seen)
            elif strip.speakers is not None and isinstance(strip.scene, TierScene):
                begin, tall = strip.scene.row_rect(strip.speakers.new_row, strip.height - 1)
                seen.add((strip.key, -1, "new"))
                new = self._controls.get((strip.key, -1, "new")) or self._new_person(strip.key)
                top = strip.top - self.offset + RULER_PX + begin
                new.setGeometry(4, round(top), HEAD_PX - 8, round(tall))
        for each, control in self._controls.items():
            control.setVisible(each in seen)
        self.update()

    def _place_channel(self, strip: Strip, key: str, channel: int, seen: set[tuple[str, int, str]]) -> None:
        y = strip.top - self.offset + RULER_PX + 18
        for at, name in enumerate(("mute", "solo")):
            place = (key, channel, name)
            if place not in seen:
                seen.add(place)
                button = self._controls.get(place) or self._button(key, channel, name)
                button.setGeometry(6 + at * (_BUTTON_PX + 3), y, _BUTTON_PX, 18)
        gain = (key, -1, "gain")
        if channel == 0 and gain not in seen:
            seen.add(gain)
            spin = self._controls.get(gain) or self._spin(key)
            spin.setGeometry(6, y + 21, HEAD_PX - _AXIS_PX - 14, 20)
            spin.setVisible(strip.height >= 62)

    def _button(self, key: str, channel: int, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"sound_{name}_{key}_{channel + 1}")
        words = (
            f"Mute channel {channel + 1} of {key}" if name == "mute" else f"Hear channel {channel + 1} of {key} only"
        )
        button.setAccessibleName(words)
        button.setToolTip(words)
        button.setText(name[0].upper())
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        mix = TrackMix() if self._mix is None else self._mix(key)
        button.setChecked(channel in (mix.muted_channels if name == "mute" else mix.solo_channels))
        button.setProperty("place", (key, channel, name))
        button.toggled.connect(self._changed)
        self._controls[(key, channel, name)] = button
        button.show()
        return button

    def _new_person(self, key: str) -> QToolButton:
        """Below everybody who speaks: what is dropped on its row, or selected, goes to somebody new."""
        button = QToolButton(self)
        button.setObjectName(f"sound_new_person_{key}")
        button.setAccessibleName(f"Give the turn to a new person, {key}")
        set_tip(button, _NEW_PERSON, self._spelled)
        button.setText("+ new person")
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setFont(small_font())
        button.clicked.connect(self.new_person_wanted)
        self._controls[(key, -1, "new")] = button
        button.show()
        return button

    def _spin(self, key: str) -> QDoubleSpinBox:
        spin = QDoubleSpinBox(self)
        spin.setObjectName(f"sound_gain_{key}")
        spin.setAccessibleName(f"Gain of {key} in decibels")
        spin.setToolTip("How loud this sound is heard; the file stays as it is")
        spin.setRange(_LOWEST_DB, _HIGHEST_DB)
        spin.setDecimals(0)
        spin.setSuffix(" dB")
        mix = TrackMix() if self._mix is None else self._mix(key)
        spin.setValue(decibels(mix.gain))
        spin.setProperty("place", (key, -1, "gain"))
        spin.valueChanged.connect(self._changed)
        self._controls[(key, -1, "gain")] = spin
        spin.show()
        return spin

    def _changed(self) -> None:
        place = self.sender().property("place")
        if place is not None:
            self.mix_wanted.emit(place[0], self._mix_of(place[0]))

    def _mix_of(self, key: str) -> TrackMix:
        muted: set[int] = set()
        solo: set[int] = set()
        gain = 0.0
        for (each, channel, name), control in self._controls.items():
            if each != key:
                continue
            if isinstance(control, QDoubleSpinBox):
                gain = control.value()
            elif isinstance(control, QToolButton) and control.isChecked():
                (muted if name == "mute" else solo).add(channel)
        factor = 0.0 if gain <= _LOWEST_DB else min(16.0, 10 ** (gain / 20))
        return TrackMix(gain=factor, muted_channels=frozenset(muted), solo_channels=frozenset(solo))

    # --- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(small_font())
        model = self.model
        if model is None:
            painter.fillRect(event.rect(), self.palette().window())
            painter.end()
            return
        theme = model.bench.theme
        painter.fillRect(event.rect(), QColor(theme.raised))
        painter.setClipRect(QRectF(0, RULER_PX, self.width(), self.height()))
        for strip in model.strips:
            top = strip.top - self.offset + RULER_PX
            painter.fillRect(QRectF(0, top + strip.height - 1, self.width(), 1), QColor(theme.line))
            painter.setPen(QColor(theme.ink))
            if strip.speakers is not None:
                self._paint_speakers(painter, model, strip, strip.speakers, top)
                continue  # the names of the rows say what they are
            title = QRectF(6, top + 2, self.width() - 8 - _AXIS_PX, 14)
            text = painter.fontMetrics().elidedText(strip.title, Qt.TextElideMode.ElideRight, int(title.width()))
            painter.drawText(title, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
            if isinstance(strip.scene, SoundScene):
                if strip.scene.note:
                    painter.setPen(QColor(theme.quiet))
                    painter.drawText(QPointF(60, top + 32), strip.scene.note)
                self._paint_axis(painter, model, strip, strip.scene, top)
        painter.end()

    def _paint_speakers(self, painter: QPainter, model: SoundModel, strip: Strip, speakers: Speakers, top: int) -> None:
        """Name and mark of whoever a row belongs to."""
        assert isinstance(strip.scene, TierScene)
        for row, speaker in enumerate(speakers.rows):
            begin, each = strip.scene.row_rect(row, strip.height - 1)
            paint = paint_of_row(model.view, speaker)
            if paint is not None:
                size = min(10.0, each - 4)
                place = QRectF(6, top + begin + (each - size) / 2, size, size)
                paint_mark(painter, paint.mark, place, QColor(paint.colour))
            room = QRectF(20, top + begin, self.width() - 24, each)
            painter.setPen(QColor(model.bench.theme.quiet if speaker is None else model.bench.theme.ink))
            name = name_of_row(model.view, speaker)
            text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_axis(self, painter: QPainter, model: SoundModel, strip: Strip, scene: SoundScene, top: int) -> None:
        painter.setPen(QColor(model.bench.theme.quiet))
        right, room = self.width() - 4, strip.height - 1
        if not scene.spectrogram:
            for share, text in ((0.0, "+1"), (0.5, "0"), (1.0, "−1")):
                place = QRectF(right - _AXIS_PX, min(max(share * room - 6, 1), room - 13) + top, _AXIS_PX, 12)
                value = text if model.choice.taller == 1.0 or text == "0" else f"{text[0]}{1 / model.choice.taller:.2g}"
                painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)
            return
        last = float(room + 20)
        for hz in _NICE_HZ:
            y = room * (1 - scene.axis.share_of(hz))
            if hz <= scene.axis.high_hz and last - y >= 13 and 6 <= y <= room - 5:
                last = y
                text = f"{hz // 1000}k" if hz >= 1000 else str(hz)
                painter.drawText(
                    QRectF(right - _AXIS_PX, top + y - 6, _AXIS_PX - 4, 12), Qt.AlignmentFlag.AlignRight, text
                )
                painter.fillRect(QRectF(right - 2, top + y, 4, 1), QColor(model.bench.theme.quiet))


def decibels(gain: float) -> float:
    """A factor as decibels, silence as the lowest."""
    return _LOWEST_DB if gain <= 0 else max(_LOWEST_DB, 20 * math.log10(gain))
