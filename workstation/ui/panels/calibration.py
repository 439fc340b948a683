"""The panel of calibration: is a camera off, or one cuboid? Evidence for either, and the correction, forecast first.

The report is a job on a thread of its own (``app/calibration_report.py``), and so is the forecast of a correction.
Nothing is changed before a person presses; what a person says led to a finding is kept with that finding.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workstation.app.calibration_report import CalibrationReport, CameraReport, reporting
from workstation.app.checking import SampleChecks
from workstation.app.correcting import calibrate, turned_camera
from workstation.app.jobs import Job, Jobs, JobState
from workstation.app.sample_view import SampleView
from workstation.app.sync_forecast import Forecast, forecasting
from workstation.core.calibration_error import Cause, CauseFound
from workstation.core.findings import Finding
from workstation.core.records import RecordKind
from workstation.core.selection import SelectionChanged
from workstation.store.changes import ChangeSet
from workstation.ui.panels.going import go_to
from workstation.ui.panes.base import Pane
from workstation.ui.scenes.range_plot import RangePlot
from workstation.ui.theme import Theme
from workstation.ui.told import Tone
from workstation.ui.workbench import Workbench

_MARKS = {Cause.CALIBRATION: "◆", Cause.CUBOID: "▲", Cause.CLOCK: "◷", Cause.UNCLEAR: "?", Cause.NONE: "●"}
_OF_CAMERAS = "calibration."
_PLACE = Qt.ItemDataRole.UserRole
_CHANGES = frozenset({RecordKind.RIG, RecordKind.STREAM, RecordKind.ANNOTATION, RecordKind.KEYFRAME})


class CalibrationPanel(Pane):
    """Check, look at what is off and why, say the cause, correct the camera."""

    kind = "calibration"
    title = "Calibration"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.report: CalibrationReport | None = None
        self._jobs: Jobs | None = None
        self._own_jobs = False
        self._job: Job | None = None
        self._asked: CameraReport | None = None
        self._looking: Job | None = None
        column = QVBoxLayout(self.body)
        column.setContentsMargins(8, 6, 8, 8)
        column.setSpacing(6)
        column.addLayout(self._build_choice())
        self.words = self._label("calibration_words")
        column.addWidget(self.words)
        self.plot = RangePlot()
        self.plot.chosen.connect(self._on_thing)
        column.addWidget(self.plot, 3)
        self.suspects = QListWidget()
        self.suspects.setObjectName("calibration_suspects")
        self.suspects.setAccessibleName("Things whose boxes and cuboids disagree")
        self.suspects.currentRowChanged.connect(self._on_suspect)
        column.addWidget(self.suspects, 2)
        self.evidence = self._label("calibration_evidence")
        column.addWidget(self.evidence)
        column.addLayout(self._build_causes())
        self.forecast = self._label("calibration_forecast")
        column.addWidget(self.forecast)
        self.correct = self._button(
            "calibration_correct", "Correct camera", "Make a new version of the calibration; undo takes it back",
            self._on_correct,
        )  # fmt: skip
        column.addWidget(self.correct)

    # --- building -----------------------------------------------------------------------------------------------

    def _build_choice(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.check = self._button(
            "calibration_check", "Check", "Compare boxes with the projected cuboids of the same things", self._on_check
        )
        self.camera = QComboBox()
        self.camera.setObjectName("calibration_camera")
        self.camera.setAccessibleName("Camera")
        self.camera.setToolTip("Camera")
        self.camera.currentIndexChanged.connect(self._on_camera)
        row.addWidget(self.check)
        row.addWidget(self.camera, 1)
        return row

    def _build_causes(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.misplaced = self._button(
            "calibration_misplaced", "Cuboid misplaced", "Say that this finding is the cuboid's", self._on_misplaced
        )
        self.off = self._button(
            "calibration_off", "Calibration off", "Say that this finding is the calibration's", self._on_off
        )
        row.addWidget(self.misplaced)
        row.addWidget(self.off)
        return row

    def _label(self, name: str) -> QLabel:
        made = QLabel()
        made.setObjectName(name)
        made.setWordWrap(True)
        return made

    def _button(self, name: str, text: str, tip: str, act: object) -> QPushButton:
        made = QPushButton(text)
        made.setObjectName(name)
        made.setAccessibleName(text)
        made.setToolTip(tip)
        made.clicked.connect(act)
        return made

    # --- from the workbench -------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self._own_jobs = bench.jobs is None
        self._jobs = bench.jobs or Jobs(bench.gui.post)
        self._jobs.changed.connect(self._on_job)
        self.hear(bench.theme_changed, self._wear)
        self.hear(bench.checks.changed, self._on_checks)
        self._wear(bench.theme)

    def unbound(self, bench: Workbench) -> None:
        self._stop_looking()
        if self._job is not None:
            self._job.cancel()
        if self._jobs is not None:
            self._jobs.changed.disconnect(self._on_job)
            if self._own_jobs:
                self._jobs.close()
        self._jobs, self._job = None, None

    def _wear(self, theme: Theme) -> None:
        self.plot.theme = theme
        self.plot.update()

    def _on_checks(self, _checks: SampleChecks) -> None:
        self._show_buttons()

    def sample_opened(self, view: SampleView | None) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._take(None)

    def apply(self, changes: ChangeSet) -> None:
        if self.report is not None and changes.kinds & _CHANGES:
            self._take(None)
            self.words.setText("Labels or clocks were changed since; check again.")
        self._show_buttons()

    def show_selection(self, change: SelectionChanged) -> None:
        self._show_buttons()

    # --- checking -----------------------------------------------------------------------------------------------

    @Slot()
    def _on_check(self) -> None:
        bench = self.bench
        if self._job is not None:
            self._job.cancel()
            return
        if bench is None or bench.view is None or self._jobs is None:
            return
        work = reporting(bench.session.project, bench.session.store.reader_elsewhere(), bench.view.sample)
        self._job = self._jobs.start("Check calibration", work, done=self._take, failed=self._on_failed)
        self.words.setText("Comparing boxes with projected cuboids…")
        self._show_buttons()

    def _on_job(self, job: Job) -> None:
        if self._job is not None and job.number == self._job.number and job.state is not JobState.RUNNING:
            self._job = None
            self._show_buttons()

    def _on_failed(self, words: str) -> None:
        self._take(None)
        self.words.setText(words)
        if self.bench is not None:
            self.bench.tell(words, Tone.REFUSED)

    def _take(self, report: CalibrationReport | None) -> None:
        self.report = report
        self.camera.blockSignals(True)
        self.camera.clear()
        for each in () if report is None else report.cameras:
            self.camera.addItem(each.camera, each.camera)
        self.camera.blockSignals(False)
        self.suspects.blockSignals(True)
        self.suspects.clear()
        for found in self._found():
            item = QListWidgetItem(f"{_MARKS[found.cause]}  {found.words()}, {abs(found.off.off_m):.2f} m")
            item.setData(_PLACE, (found.camera, found.thing))
            self.suspects.addItem(item)
        self.suspects.blockSignals(False)
        self.evidence.setText("")
        self._on_camera()
        if report is not None and not report.cameras:
            self.words.setText("Nothing has boxes in a calibrated camera and a cuboid.")

    def _found(self) -> tuple[CauseFound, ...]:
        return () if self.report is None else self.report.suspects()

    # --- choosing -----------------------------------------------------------------------------------------------

    def shown(self) -> CameraReport | None:
        """The camera that is looked at."""
        wanted = self.camera.currentData()
        return next((e for e in (() if self.report is None else self.report.cameras) if e.camera == wanted), None)

    def suspect(self) -> CauseFound | None:
        """The thing that is looked at."""
        row = self.suspects.currentRow()
        place = self.suspects.item(row).data(_PLACE) if row >= 0 else None
        return next((each for each in self._found() if place == (each.camera, each.thing)), None)

    @Slot()
    def _on_camera(self) -> None:
        camera = self.shown()
        self.words.setText("" if camera is None else camera.words() + ".")
        found = self.suspect()
        self.plot.show_camera(camera, "" if found is None else found.thing)
        self._look_ahead(camera)
        self._show_buttons()

    @Slot(str)
    def _on_thing(self, thing: str) -> None:
        camera = self.shown()
        if camera is None or self.report is None:
            return
        for row in range(self.suspects.count()):
            if self.suspects.item(row).data(_PLACE) == (camera.camera, thing):
                self.suspects.setCurrentRow(row)
                return
        self.suspects.setCurrentRow(-1)
        for each in self.report.causes(thing):
            if each.camera == camera.camera:
                self._show_found(each)

    @Slot(int)
    def _on_suspect(self, row: int) -> None:
        found = self.suspect() if row >= 0 else None
        if found is None:
            self.evidence.setText("")
            self._show_buttons()
            return
        if self.camera.currentData() != found.camera:
            self.camera.setCurrentIndex(self.camera.findData(found.camera))
        self._show_found(found)

    def _show_found(self, found: CauseFound) -> None:
        facts = "\n".join(f"• {each}" for each in found.evidence)
        self.evidence.setText(f"{found.words()}\n{facts}")
        self.plot.show_camera(self.shown(), found.thing)
        if self.bench is not None and self.bench.view is not None:
            there = [each for each in found.off.labels if each in self.bench.view.annotations]
            go_to(self.bench, there, cause=self.kind)
        self._show_buttons()

    # --- saying the cause -----------------------------------------------------------------------------------------

    def flag(self) -> Finding | None:
        """The open finding about the thing that is looked at, or else about its camera."""
        found, bench = self.suspect(), self.bench
        if found is None or bench is None or bench.view is None:
            return None
        held = [each for each in bench.checks.findings if not each.settled]
        labels = set(found.off.labels)
        about = [each for each in held if len(labels & {item.id for item in each.items}) > 1]
        stream = bench.view.stream_by_key(found.camera)
        if stream is not None:
            about += [
                each for each in held if stream.id in {item.id for item in each.items} and _OF_CAMERAS in each.rule
            ]
        return about[0] if about else None

    @Slot()
    def _on_misplaced(self) -> None:
        self._say(Cause.CUBOID)

    @Slot()
    def _on_off(self) -> None:
        self._say(Cause.CALIBRATION)

    def _say(self, cause: Cause) -> None:
        bench, flag, found = self.bench, self.flag(), self.suspect()
        if bench is None or bench.view is None or flag is None or found is None:
            return
        head = bench.session.store.head()
        bench.run(
            "finding.decide", sample=bench.view.sample.id, fingerprint=flag.fingerprint, rule=flag.rule,
            decision="confirmed", reason="; ".join(found.evidence), cause=cause.words,
        )  # fmt: skip
        if bench.session.store.head() > head:
            bench.tell(f"{found.name}: {cause.words}; kept with the finding.")

    # --- correcting -----------------------------------------------------------------------------------------------

    def _look_ahead(self, camera: CameraReport | None) -> None:
        """What correcting the camera would change, worked out beside the work."""
        bench = self.bench
        self._asked = None
        self._stop_looking()
        self.forecast.setText("")
        if camera is None or camera.error is None or not camera.error.angular or bench is None or bench.view is None:
            return
        if self._jobs is None:
            return
        sample, degrees = bench.view.sample, -camera.error.turned_deg
        new = bench.attempt(lambda: turned_camera(bench.session.store, sample, camera.camera, degrees))
        if new is None:
            return
        self._asked = camera
        self.forecast.setText("Working out what correcting the camera would change…")
        work = forecasting(
            bench.session.project, bench.session.store.reader_elsewhere(), sample,
            [new.rig(bench.session.store, sample)],
        )  # fmt: skip
        self._looking = self._jobs.start("Forecast checks", work, done=self._on_forecast)

    def _stop_looking(self) -> None:
        """The forecast that is being made is of a camera that is no longer asked about."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _on_forecast(self, found: Forecast) -> None:
        if self._asked is not None and self._asked is self.shown():
            self.forecast.setText(found.words())

    @Slot()
    def _on_correct(self) -> None:
        bench, camera = self.bench, self.shown()
        if bench is None or bench.view is None or camera is None or camera.error is None:
            return
        sample, degrees = bench.view.sample, -camera.error.turned_deg

        def act() -> None:
            calibrate(bench.session, sample, turned_camera(bench.session.store, sample, camera.camera, degrees))

        head = bench.session.store.head()
        # The button is done for then; the focus must not end in some field, which would take undo for its own.
        self.check.setFocus(Qt.FocusReason.OtherFocusReason)
        bench.attempt(act)
        if bench.session.store.head() > head:
            bench.tell(f"{camera.camera} is turned by {degrees:+.3f}°; undo takes it back.")

    @Slot()
    def _show_buttons(self) -> None:
        bench, camera = self.bench, self.shown()
        view = None if bench is None else bench.view
        may = view is not None and bench is not None and not bench.session.read_only
        self.check.setText("Checking…" if self._job is not None else "Check")
        self.check.setEnabled(view is not None)
        self.camera.setEnabled(self.camera.count() > 0)
        angular = camera is not None and camera.error is not None and camera.error.angular
        self.correct.setEnabled(may and angular)
        if angular and camera is not None and camera.error is not None:
            self.correct.setText(f"Turn {camera.camera} by {-camera.error.turned_deg:+.2f}°")
        else:
            self.correct.setText("Correct camera")
        self.correct.setAccessibleName(self.correct.text())
        flagged = self.flag() is not None
        for button in (self.misplaced, self.off):
            button.setEnabled(may and flagged)
            button.setToolTip("Say what led to the finding" if flagged else "No check has flagged this thing or camera")
