"""The small window behind the Picture button: light of the focused camera, strength of shapes, size of a step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QPushButton, QSlider, QSpinBox, QWidget

from workstation.ui.scenes.frame_item import Tone

if TYPE_CHECKING:
    from workstation.ui.panes.camera import CameraPane

_FINE = 100


class CameraSettings(QFrame):
    """A popup; every slider acts at once."""

    def __init__(self, pane: CameraPane) -> None:
        super().__init__(pane, Qt.WindowType.Popup)
        self._pane = pane
        self.setObjectName("camera_settings")
        self.setAccessibleName("Picture settings")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._form = QFormLayout(self)
        self._about = QLabel()
        self._form.addRow(self._about)
        self.brightness = self._slider("Brightness", -_FINE, _FINE)
        self.contrast = self._slider("Contrast", -_FINE, _FINE)
        self.gamma = self._slider("Gamma", -_FINE, _FINE)
        self._button("Picture as it is", self._plain)
        self.fill = self._slider("Fill of shapes", 0, _FINE)
        self.opacity = self._slider("Class", 0, _FINE)
        self._opacity_title = self._form.labelForField(self.opacity)
        self.step = QSpinBox()
        self.step.setRange(1, 1000)
        self.step.setSuffix(" frames")
        self._named(self.step, "Step", "How many frames the step keys go")
        self._form.addRow("Step", self.step)
        for slider in (self.brightness, self.contrast, self.gamma):
            slider.valueChanged.connect(self._light_moved)
        for slider in (self.fill, self.opacity):
            slider.valueChanged.connect(self._shapes_moved)
        self.step.valueChanged.connect(self._step_moved)

    def open_below(self, button: QWidget) -> None:
        """Show what is set, under the button."""
        self._show_values()
        self.adjustSize()
        corner = button.mapToGlobal(button.rect().bottomRight())
        self.move(corner.x() - self.width(), corner.y() + 2)
        self.show()

    def _slider(self, title: str, least: int, most: int) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(least, most)
        slider.setMinimumWidth(180)
        self._named(slider, title, title)
        self._form.addRow(title, slider)
        return slider

    def _button(self, title: str, act: object) -> None:
        button = QPushButton(title)
        self._named(button, title, "Take brightness, contrast, gamma and window back")
        button.clicked.connect(act)
        self._form.addRow(button)

    def _named(self, widget: QWidget, title: str, tip: str) -> None:
        widget.setObjectName(f"camera_{title.lower().replace(' ', '_')}")
        widget.setAccessibleName(title)
        widget.setToolTip(tip)

    def _class_id(self) -> str | None:
        """The class whose opacity the slider sets: the selected thing's, else the one in the hand."""
        bench = self._pane.bench
        if bench is None or bench.view is None:
            return None
        active = bench.selection.state.active
        record = None if active is None else bench.view.annotations.get(active)
        return bench.hand.class_id if record is None else bench.view.class_of(record)

    def _show_values(self) -> None:
        camera, look, bench = self._pane.focused, self._pane.look, self._pane.bench
        tone = Tone() if camera is None else camera.frames.tone
        self._about.setText("Light of all cameras" if camera is None else f"Light of {camera.title}")
        class_id = self._class_id()
        named = "of no class" if class_id is None or bench is None or bench.view is None else (
            f"of {bench.view.class_name(class_id)}"
        )  # fmt: skip
        if isinstance(self._opacity_title, QLabel):
            self._opacity_title.setText(f"Opacity {named}")
        self.opacity.setEnabled(class_id is not None)
        values = (
            (self.brightness, round(tone.brightness * _FINE)),
            (self.contrast, _exponent(tone.contrast)),
            (self.gamma, _exponent(tone.gamma)),
            (self.fill, round(look.overlay.fill * _FINE)),
            (self.opacity, round(look.overlay.opacity.get(class_id or "", 1.0) * _FINE)),
        )
        for slider, value in values:
            with QSignalBlocker(slider):
                slider.setValue(value)
        with QSignalBlocker(self.step):
            self.step.setValue(1 if bench is None else bench.step_every)

    def _light_moved(self) -> None:
        camera = self._pane.focused
        if camera is not None:
            tone = replace(
                camera.frames.tone,
                brightness=self.brightness.value() / _FINE,
                contrast=10 ** (self.contrast.value() / _FINE),
                gamma=10 ** (self.gamma.value() / _FINE),
            )
            camera.set_tone(tone)

    def _shapes_moved(self) -> None:
        overlay = self._pane.look.overlay
        opacity = dict(overlay.opacity)
        class_id = self._class_id()
        if class_id is not None:
            opacity[class_id] = self.opacity.value() / _FINE
        self._pane.set_look(overlay=replace(overlay, fill=self.fill.value() / _FINE, opacity=opacity))

    def _step_moved(self, value: int) -> None:
        if self._pane.bench is not None:
            self._pane.bench.step_every = value

    def _plain(self) -> None:
        if self._pane.focused is not None:
            self._pane.focused.plain_light()
        self._show_values()


def _exponent(value: float) -> int:
    from math import log10

    return round(log10(max(value, 0.1)) * _FINE)
