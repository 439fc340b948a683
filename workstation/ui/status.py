"""The status bar: what was said last, that everything is stored, how the clocks agree, the device, the jobs.

Built by the main window; shows and forwards, asks ``app`` for every figure.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QLabel, QStatusBar, QToolButton, QWidget

from workstation.ui.workbench import Told, Tone

_MARKS = {Tone.NOTE: "", Tone.REFUSED: "▲ ", Tone.ERROR: "■ "}
"""A second cue beside the colour."""


class Status(QStatusBar):
    """One line at the foot of the window."""

    messages_wanted = QtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setAccessibleName("Status")
        self.setSizeGripEnabled(False)
        self._build_told()
        self.stored = self._fact("status_stored", "Stored edits")
        self.sync = self._fact("status_sync", "Agreement of the clocks")
        self.device = self._fact("status_device", "Devices")

    def say(self, told: Told) -> None:
        """The latest sentence, calm and in one line; the whole of it and all earlier ones on a click."""
        self._told.setProperty("tone", told.tone.value)
        self._told.style().unpolish(self._told)
        self._told.style().polish(self._told)
        line = _MARKS[told.tone] + " ".join(told.text.split())
        self._told.setText(line if len(line) <= 140 else line[:139] + "…")
        self._told.setToolTip(told.text)
        self._told.setAccessibleDescription(told.text)

    @property
    def said(self) -> str:
        return self._told.text()

    def _build_told(self) -> None:
        self._told = QToolButton()
        self._told.setObjectName("status_told")
        self._told.setAccessibleName("Messages")
        self._told.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._told.clicked.connect(self.messages_wanted)
        self.addWidget(self._told, 1)

    def _fact(self, name: str, spoken: str) -> QLabel:
        label = QLabel()
        label.setObjectName(name)
        label.setAccessibleName(spoken)
        self.addPermanentWidget(label)
        return label
