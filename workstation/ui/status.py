"""The status bar: what was said last, that everything is stored, how the clocks agree, the device, the jobs.

Built by the main window; shows and forwards, asks ``app`` for every figure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from PySide6.QtCore import Qt, QTime, QTimer, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QSizePolicy, QStatusBar, QToolButton, QWidget

from workstation.app.jobs import Job
from workstation.ui.told import Told, Tone

_KEPT = 500
_NEWS_MS = 15_000
_MARKS = {Tone.NOTE: "", Tone.REFUSED: "▲ ", Tone.ERROR: "■ "}
"""A second cue beside the colour."""


class Status(QStatusBar):
    """One line at the foot of the window."""

    messages_wanted = QtSignal()
    cancel_wanted = QtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setAccessibleName("Status")
        self.setSizeGripEnabled(False)
        self.history: deque[tuple[str, Told]] = deque(maxlen=_KEPT)
        """When what was said, the latest last."""
        self._grows_old = QTimer(self)
        self._grows_old.setSingleShot(True)
        self._grows_old.setInterval(_NEWS_MS)
        self._grows_old.timeout.connect(self._on_old)
        self._build_told()
        self._build_jobs()
        self.stored = self._fact("status_stored", "Stored edits")
        self.findings = self._fact("status_findings", "Open findings")
        self.sync = self._fact("status_sync", "Agreement of the clocks")
        self.device = self._fact("status_device", "Devices")

    def say(self, told: Told) -> None:
        """The latest sentence, calm and in one line; the whole of it and all earlier ones on a click."""
        self._grows_old.start()
        self.history.append((QTime.currentTime().toString("HH:mm:ss"), told))
        self._tone(told.tone.value)
        line = _MARKS[told.tone] + " ".join(told.text.split())
        self._told.setText(line if len(line) <= 140 else line[:139] + "…")
        self._told.setToolTip(told.text)
        self._told.setAccessibleDescription(told.text)

    def _tone(self, tone: str) -> None:
        self._told.setProperty("tone", tone)
        self._told.style().unpolish(self._told)
        self._told.style().polish(self._told)

    @Slot()
    def _on_old(self) -> None:
        """What was said a while ago stays to be read, and no longer looks like news."""
        self._tone("quiet")

    @property
    def said(self) -> str:
        return self._told.text()

    def _build_told(self) -> None:
        self._told = QPushButton()
        self._told.setFlat(True)
        self._told.setObjectName("status_told")
        self._told.setAccessibleName("Messages")
        self._told.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._told.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._told.clicked.connect(self.messages_wanted)
        self.addWidget(self._told, 1)

    def show_jobs(self, running: Sequence[Job]) -> None:
        """What works in the background: the oldest by name, how many more, how far, and a way to stop it."""
        for widget in (self._job_name, self._job_bar, self._job_cancel):
            widget.setVisible(bool(running))
        if not running:
            return
        first = running[0]
        more = f" and {len(running) - 1} more" if len(running) > 1 else ""
        self._job_name.setText(f"{first.title}{more}")
        self._job_bar.setRange(0, 0 if first.share is None else 100)
        self._job_bar.setValue(0 if first.share is None else round(first.share * 100))
        self._job_cancel.setEnabled(not first.cancel_asked)
        self._job_cancel.setAccessibleName(f"Cancel {first.title}")

    def _build_jobs(self) -> None:
        self._job_name = QLabel()
        self._job_name.setObjectName("job_name")
        self._job_name.setAccessibleName("Job")
        self._job_bar = QProgressBar()
        self._job_bar.setObjectName("job_progress")
        self._job_bar.setAccessibleName("Progress of the job")
        self._job_bar.setFixedWidth(120)
        self._job_cancel = QToolButton()
        self._job_cancel.setObjectName("job_cancel")
        self._job_cancel.setAccessibleName("Cancel the job")
        self._job_cancel.setText("Cancel")
        self._job_cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._job_cancel.clicked.connect(self.cancel_wanted)
        for widget in (self._job_name, self._job_bar, self._job_cancel):
            widget.hide()
            self.addPermanentWidget(widget)

    def _fact(self, name: str, spoken: str) -> QLabel:
        label = QLabel()
        label.setObjectName(name)
        label.setAccessibleName(spoken)
        self.addPermanentWidget(label)
        return label
