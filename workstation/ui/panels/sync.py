"""The panel of synchronisation: measure how far a stream's clock is off, look at it, set the picks right, accept it.

Measuring is a job on a thread of its own; nothing is changed before a person accepts, and undo takes that back. What
is measured and what it means is ``app/sync_work.py``; the two pictures are ``sync_canvas.py``.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from workstation.app.jobs import Job, Jobs, JobState
from workstation.app.sample_view import SampleView
from workstation.app.sync_forecast import Forecast, forecasting, with_map
from workstation.app.sync_work import (
    METHODS,
    limits_in_words,
    measuring,
    methods_for,
    picks_of,
    speed_of,
    state_in_words,
    still_holds,
    things_in_both,
    with_pick,
    without_pick,
)
from workstation.app.synchronising import Band, Measured, accept, band_of, metres_of, note
from workstation.core.records import RecordKind
from workstation.core.sample import StreamKind
from workstation.core.selection import SelectionChanged
from workstation.core.sync_state import SYNC_GATE
from workstation.store.changes import ChangeSet
from workstation.ui.eliding import ChoiceBox
from workstation.ui.panels.sync_canvas import PickCanvas, ResidualPlot
from workstation.ui.panes.base import Pane
from workstation.ui.theme import Theme
from workstation.ui.told import Tone
from workstation.ui.workbench import Workbench

_BANDS = {
    Band.GREEN: ("good", "● Green: nobody notices up to 40 ms"),
    Band.AMBER: ("warning", "▲ Amber: noticed between 40 and 100 ms"),
    Band.RED: ("error", "■ Red: wrong above 100 ms"),
}
_USUAL_KMH = 60.0


class SyncPanel(Pane):
    """Choose a way and two streams, measure, look, accept or sign a waiver."""

    kind = "sync"
    title = "Synchronise"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.measured: Measured | None = None
        self.number = 0
        self._job: Job | None = None
        self._jobs: Jobs | None = None
        self._own_jobs = False
        self._looking: Job | None = None
        self._asked: Measured | None = None
        """For what the forecast was begun."""
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(8, 6, 12, 8)
        self._column.setSpacing(6)
        self._build_choice()
        self._build_pictures()
        self._build_words()
        area = QScrollArea()
        area.setObjectName("sync_area")
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Always there: one that came and went with the words below would shift the picture under a hand that drags.
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        area.setMinimumWidth(280)
        area.setWidget(inside)
        whole = QVBoxLayout(self.body)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area, 1)
        whole.addLayout(self._build_deciding())

    # --- building -------------------------------------------------------------------------------------------------

    def _build_choice(self) -> None:
        grid = QGridLayout()
        self.method = self._box("sync_method", "How to measure")
        self.reference = self._box("sync_reference", "The stream that is taken to be right")
        self.moved = self._box("sync_moved", "The stream to measure")
        self._moved_label = QLabel("Stream")
        grid.addWidget(QLabel("Measure by"), 0, 0)
        grid.addWidget(self.method, 0, 1, 1, 3)
        for column, part in enumerate((self._moved_label, self.moved, QLabel("against"), self.reference)):
            grid.addWidget(part, 1, column)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        self.method.currentIndexChanged.connect(self._on_method)
        self.measure = self._button("sync_measure", "Measure", "Measure; nothing is changed by it", self._on_measure)
        self.progress = QProgressBar()
        self.progress.setObjectName("sync_progress")
        self.progress.setAccessibleName("How much is measured")
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        row_of = QHBoxLayout()
        row_of.addWidget(self.measure)
        row_of.addWidget(self.progress, 1)
        self._column.addLayout(grid)
        self._column.addLayout(row_of)

    def _build_pictures(self) -> None:
        self.canvas = PickCanvas()
        self.canvas.picked.connect(self._on_picked)
        self.canvas.dragging.connect(self._on_dragging)
        self.plot = ResidualPlot()
        self.plot.chosen.connect(self._on_chosen)
        row = QHBoxLayout()
        self.before = self._button("sync_before", "◀", "The pick before", self._on_before)
        self.after = self._button("sync_after", "▶", "The next pick", self._on_after)
        self._which = QLabel()
        self._which.setObjectName("sync_which")
        self.leave_out = self._button(
            "sync_leave_out", "Leave out", "Leave this pick out of the measurement", self._on_leave_out
        )
        row.addWidget(self.before)
        row.addWidget(self.after)
        row.addWidget(self._which, 1)
        row.addWidget(self.leave_out)
        self._column.addWidget(self.canvas, 3)
        self._column.addLayout(row)
        self._column.addWidget(self.plot, 2)

    def _build_words(self) -> None:
        self.words = self._label("sync_words")
        self.band = self._label("sync_band")
        self.doubt = self._label("sync_doubt")
        self.doubt.setProperty("tone", "warning")
        self.distance = self._label("sync_distance")
        self.speed = QDoubleSpinBox()
        self.speed.setObjectName("sync_speed")
        self.speed.setAccessibleName("Speed for the distance, in km/h")
        self.speed.setRange(0, 2000)
        self.speed.setDecimals(0)
        self.speed.setSuffix(" km/h")
        self.speed.setValue(_USUAL_KMH)
        self.speed.valueChanged.connect(self._say_distance)
        row = QHBoxLayout()
        self.limits = self._button(
            "sync_limits", "Limits…", "Limits of time, for all work or one profile", self._on_limits
        )
        row.addWidget(self.distance, 1)
        row.addWidget(self.speed)
        row.addWidget(self.limits)
        for each in (self.words, self.band, self.doubt):
            self._column.addWidget(each)
        self._column.addLayout(row)

    def _build_deciding(self) -> QVBoxLayout:
        """Below what scrolls, so that it is always to be seen."""
        self.state = self._label("sync_state")
        self.forecast = self._label("sync_forecast")
        self._column.addWidget(self.forecast)
        self.accept = self._button("sync_accept", "Accept", "Correct the stream; undo takes it back", self._on_accept)
        self.note = self._button(
            "sync_note",
            "Note",
            "Keep what was measured and correct nothing; above the limit it is flagged",
            self._on_note,
        )
        self.reason = QLineEdit()
        self.reason.setObjectName("sync_reason")
        self.reason.setAccessibleName("Why the clocks need not be verified")
        self.reason.setPlaceholderText("Reason to waive")
        self.reason.textChanged.connect(self._show_buttons)
        self.reason.returnPressed.connect(self._on_waive)
        self.waive = self._button("sync_waive", "Waive", "Sign that labelling may begin unverified", self._on_waive)
        row = QHBoxLayout()
        row.addWidget(self.accept)
        row.addWidget(self.note)
        row.addWidget(self.reason, 1)
        row.addWidget(self.waive)
        below = QVBoxLayout()
        below.setContentsMargins(8, 4, 8, 8)
        below.addWidget(self.state)
        below.addLayout(row)
        return below

    def _box(self, name: str, spoken: str) -> QComboBox:
        made = ChoiceBox()
        made.setObjectName(name)
        made.setAccessibleName(spoken)
        made.setToolTip(spoken)
        made.setMinimumContentsLength(8)
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return made

    def _label(self, name: str) -> QLabel:
        made = QLabel()
        made.setObjectName(name)
        made.setWordWrap(True)
        return made

    def _button(self, name: str, text: str, tip: str, act: object) -> QPushButton:
        made = QPushButton(text)
        made.setObjectName(name)
        made.setAccessibleName(tip if len(text) < 2 else text)
        made.setToolTip(tip)
        made.clicked.connect(act)
        return made

    # --- from the workbench ---------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self._own_jobs = bench.jobs is None
        self._jobs = bench.jobs or Jobs(bench.gui.post)
        self._jobs.changed.connect(self._on_job)
        self.hear(bench.theme_changed, self._wear)
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
        self.canvas.theme = self.plot.theme = theme
        self.canvas.update()
        self.plot.update()

    def sample_opened(self, view: SampleView | None) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._fill_methods(view)
        self._take(None)
        self._show_state()

    def apply(self, changes: ChangeSet) -> None:
        if changes.kinds & {RecordKind.STREAM, RecordKind.SAMPLE}:
            self._fill_methods(None if self.bench is None else self.bench.view)
            self._show_state()
            self._show_measured()
        elif RecordKind.PROJECT in changes.kinds:
            self._say_distance()  # its limits may be others

    def show_selection(self, change: SelectionChanged) -> None:
        self._say_distance()

    # --- choosing -------------------------------------------------------------------------------------------------

    def _fill_methods(self, view: SampleView | None) -> None:
        chosen = (self.method.currentData(), self.reference.currentData(), self.moved.currentData())
        self.method.blockSignals(True)
        self.method.clear()
        for each in () if view is None else methods_for(view):
            self.method.addItem(each.title, each.name)
            self.method.setItemData(self.method.count() - 1, each.help, Qt.ItemDataRole.ToolTipRole)
        self.method.setCurrentIndex(max(0, self.method.findData(chosen[0])))
        self.method.blockSignals(False)
        self._fill_streams()
        for box, before in ((self.reference, chosen[1]), (self.moved, chosen[2])):
            if box.findData(before) >= 0:
                box.setCurrentIndex(box.findData(before))
        self._show_buttons()

    def _fill_streams(self) -> None:
        view = None if self.bench is None else self.bench.view
        method = next((each for each in METHODS if each.name == self.method.currentData()), None)
        self.reference.clear()
        self.moved.clear()
        if view is None or method is None:
            return
        self._moved_label.setText("Thing" if method.name == "object" else "Stream")
        streams = view.streams.values()
        for each in streams:
            if each.kind in method.reference:
                self.reference.addItem(each.key, each.key)
        if method.name == "object":
            for entity, name in things_in_both(view):
                self.moved.addItem(name, entity)
            return
        for each in streams:
            if each.kind in method.moved:
                self.moved.addItem(each.key, each.key)
        if self.moved.count() > 1 and self.moved.currentData() == self.reference.currentData():
            self.moved.setCurrentIndex(1)

    @Slot()
    def _on_method(self) -> None:
        self._fill_streams()
        self._show_buttons()

    # --- measuring ------------------------------------------------------------------------------------------------

    @Slot()
    def _on_measure(self) -> None:
        bench = self.bench
        if self._job is not None:
            self._job.cancel()
            return
        if bench is None or bench.view is None or self._jobs is None or not self.method.count():
            return
        name = str(self.method.currentData())
        thing = str(self.moved.currentData()) if name == "object" else ""
        work = measuring(
            bench.session.project, bench.session.store.reader_elsewhere(), bench.view.sample, name,
            reference=str(self.reference.currentData()), moved="" if thing else str(self.moved.currentData()),
            entity=thing,
        )  # fmt: skip
        self._job = self._jobs.start("Measure clocks", work, done=self._on_measured, failed=self._on_failed)
        self._show_buttons()

    def _on_job(self, job: Job) -> None:
        if self._job is None or job.number != self._job.number:
            return
        self.progress.setValue(round(1000 * (job.share or 0.0)))
        if job.state is not JobState.RUNNING:
            self._job = None
            self._show_buttons()

    def _on_measured(self, measured: Measured) -> None:
        self._take(measured)

    def _on_failed(self, words: str) -> None:
        self._take(None)
        self.words.setText(words)
        if self.bench is not None:
            self.bench.tell(words, Tone.REFUSED)

    def _take(self, measured: Measured | None) -> None:
        self.measured, self.number = measured, 0
        self.canvas.show_pick(measured, 0, self._around_ns())
        self._show_measured()

    def _around_ns(self) -> int:
        wanted = None if self.measured is None else self.measured.method
        return next((each.around_ns for each in METHODS if each.name == wanted), METHODS[0].around_ns)

    # --- picks ----------------------------------------------------------------------------------------------------

    @Slot(int, object, object)
    def _on_picked(self, number: int, reference_ns: int, moved_ns: int) -> None:
        if self.measured is not None:
            self.measured = with_pick(self.measured, number, reference_ns, moved_ns)
            self.number = picks_of(self.measured).index((reference_ns, moved_ns))
            self.canvas.show_pick(self.measured, self.number, None)
            self._show_measured()

    @Slot(bool)
    def _on_dragging(self, begun: bool) -> None:
        self.gesture = _Dragged(self) if begun else None

    @Slot(int)
    def _on_chosen(self, number: int) -> None:
        self._turn_to(number)

    @Slot()
    def _on_before(self) -> None:
        self._turn_to(self.number - 1)

    @Slot()
    def _on_after(self) -> None:
        self._turn_to(self.number + 1)

    @Slot()
    def _on_leave_out(self) -> None:
        if self.measured is not None:
            self.measured = without_pick(self.measured, self.number)
            self._turn_to(min(self.number, len(self.measured.points) - 1))

    def _turn_to(self, number: int) -> None:
        if self.measured is None:
            return
        self.number = number % len(self.measured.points)
        self.canvas.show_pick(self.measured, self.number, self._around_ns())
        self._show_measured()
        if self.bench is not None:
            self.bench.clock.seek(picks_of(self.measured)[self.number][0])

    # --- saying ---------------------------------------------------------------------------------------------------

    def _show_measured(self) -> None:
        measured = self.measured
        self.plot.show_fit(measured, self.number)
        self._which.setText("" if measured is None else f"Pick {self.number + 1} of {len(measured.points)}")
        self.words.setText("" if measured is None else measured.words())
        self.doubt.setText("" if measured is None or not measured.doubt else f"Look first: {measured.doubt}.")
        self.doubt.setVisible(bool(self.doubt.text()))
        kinds = set() if measured is None else {measured.reference.kind, measured.moved.kind}
        seen_and_heard = measured is not None and kinds == {StreamKind.AUDIO, StreamKind.VIDEO}
        self.band.setVisible(seen_and_heard)
        if measured is not None and seen_and_heard:
            tone, text = _BANDS[band_of(measured.late_ns)]
            self.band.setText(text)
            self.band.setProperty("tone", tone)
            self.band.style().unpolish(self.band)
            self.band.style().polish(self.band)
        self._say_distance()
        self._show_buttons()
        self._look_ahead()

    def _look_ahead(self) -> None:
        """What accepting would change, worked out beside the work and said when it is known."""
        bench, measured = self.bench, self.measured
        fresh = measured is not None and bench is not None and bench.view is not None
        if (
            not fresh
            or bench is None
            or bench.view is None
            or measured is None
            or not still_holds(measured, bench.view)
        ):
            self._asked = None
            self._stop_looking()
            self.forecast.setText("")
            return
        if measured is self._asked or self._jobs is None:
            return
        self._asked = measured
        self._stop_looking()
        self.forecast.setText("Working out which verdicts accepting would change…")
        work = forecasting(
            bench.session.project, bench.session.store.reader_elsewhere(), bench.view.sample,
            [with_map(measured.moved, measured.time_map)],
        )  # fmt: skip
        self._looking = self._jobs.start("Forecast checks", work, done=self._on_forecast)

    def _stop_looking(self) -> None:
        """The forecast that is being made is of a measurement that no longer stands."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _on_forecast(self, found: Forecast) -> None:
        if self._asked is not None and self._asked is self.measured:
            self.forecast.setText(found.words())

    @Slot()
    def _say_distance(self) -> None:
        measured = self.measured
        bench = self.bench
        self.speed.setVisible(bench is not None and bench.view is not None)
        if bench is None or bench.view is None:
            self.distance.setText("")
            return
        kmh, whose = self._speed()
        self.speed.setEnabled(not whose)
        if measured is None:
            self.distance.setText(limits_in_words(bench.session.store.project(), bench.view.sample, kmh, whose))
            return
        metres, share = metres_of(measured.late_ns, kmh)
        self.distance.setText(f"{metres:.2f} m at {kmh:.0f} km/h{whose}, {share:.0%} of a 3.5 m lane")

    def _speed(self) -> tuple[float, str]:
        """Of the selected track, and whose that is; else the one that is set."""
        bench = self.bench
        if bench is not None and bench.view is not None and bench.placed is not None:
            for each in bench.selected:
                annotation = bench.view.annotations.get(each)
                found = None if annotation is None else speed_of(bench.placed, annotation)
                if found is not None:
                    return found, f" ({bench.view.name_of(each)})"
        return self.speed.value(), ""

    def _show_state(self) -> None:
        view = None if self.bench is None else self.bench.view
        words = "" if view is None else f"{view.sample.key}: {state_in_words(view.sample, view.streams.values())}"
        self.state.setText(words)
        self.state.setToolTip(words)
        self._fit_state()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_state()

    def _fit_state(self) -> None:
        """As high as its lines: the column above would take their room."""
        self.state.setMinimumHeight(max(0, self.state.heightForWidth(max(80, self.width() - 16))))

    @Slot()
    def _show_buttons(self) -> None:
        bench, measured = self.bench, self.measured
        view = None if bench is None else bench.view
        running = self._job is not None
        self.measure.setText("Cancel" if running else "Measure")
        self.measure.setAccessibleName(self.measure.text())
        self.measure.setEnabled(running or bool(view is not None and self.reference.count() and self.moved.count()))
        if not self.method.count() and view is not None:
            self.measure.setToolTip("This sample has no two streams that show the same")
        self.progress.setVisible(running)
        many = 0 if measured is None else len(measured.points)
        for button in (self.before, self.after, self.leave_out):
            button.setEnabled(many > 1)
        may = view is not None and bench is not None and not bench.session.read_only
        fresh = measured is not None and view is not None and still_holds(measured, view)
        self.accept.setEnabled(may and fresh)
        self.note.setEnabled(may and fresh)
        stale = measured is not None and not fresh
        self.accept.setToolTip(
            "The clocks were changed since; measure again" if stale else "Correct the stream; undo takes it back"
        )
        self.waive.setEnabled(may and bool(self.reason.text().strip()))

    # --- deciding -------------------------------------------------------------------------------------------------

    @Slot()
    def _on_accept(self) -> None:
        bench, measured = self.bench, self.measured
        if bench is None or bench.view is None or measured is None:
            return
        sample = bench.view.sample
        head = bench.session.store.head()
        self._keep_keys_out_of_the_field()
        bench.attempt(lambda: accept(bench.session, sample, measured))
        if bench.session.store.head() > head:
            bench.tell(f"{measured.moved.key} is corrected; undo takes it back.")

    @Slot()
    def _on_limits(self) -> None:
        if self.bench is not None:
            self.bench.wish("sync.limits")

    @Slot()
    def _on_note(self) -> None:
        bench, measured = self.bench, self.measured
        if bench is not None and bench.view is not None and measured is not None:
            sample = bench.view.sample
            self._keep_keys_out_of_the_field()
            bench.attempt(lambda: note(bench.session, sample, measured))

    @Slot()
    def _on_waive(self) -> None:
        bench, reason = self.bench, self.reason.text().strip()
        if bench is None or bench.view is None or not reason:
            return
        head = bench.session.store.head()
        bench.run("gate.waive", gate=SYNC_GATE, reason=reason)
        if bench.session.store.head() > head:
            self.reason.clear()
            self._keep_keys_out_of_the_field()

    def _keep_keys_out_of_the_field(self) -> None:
        """A button that is done for hands the focus on to the field beside it, which would take undo for its own."""
        self.measure.setFocus(Qt.FocusReason.OtherFocusReason)


class _Dragged:
    """A handle in the hand."""

    def __init__(self, panel: SyncPanel) -> None:
        self._panel = panel

    def key(self, event: QKeyEvent) -> bool:
        """No key of its own; ``Esc`` is the window's, which cancels."""
        del event
        return False

    def cancel(self) -> None:
        self._panel.canvas.cancel()
        self._panel.gesture = None
