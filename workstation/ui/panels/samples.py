"""The panel of samples: where each stands in the work, and the way from one to the next.

A double click or Enter opens one. Submit hands in the open sample, or
lists in place what is missing, each with the way there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from workstation.app.checking import SampleChecks
from workstation.app.jobs import Job
from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_disagreement import Disagreement, disagreements
from workstation.app.sample_pages import Order, SamplePages, Wish
from workstation.app.sample_view import SampleView
from workstation.app.submitting import missing_before_submitting
from workstation.core.records import RecordKind
from workstation.core.sample import SampleState
from workstation.store.changes import ChangeSet
from workstation.ui.icons import icon
from workstation.ui.panels.going import go_to
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.panels.row_model import ROW, RowModel
from workstation.ui.panels.row_table import RowTable
from workstation.ui.panels.sample_model import SampleModel
from workstation.ui.theme import Theme
from workstation.ui.told import Tone
from workstation.ui.workbench import Workbench

_ORDERS = {0: Order.KEY, 1: Order.STATE, 3: Order.FINDINGS}


class SamplesPanel(ListPanel):
    """Pages through any number of samples."""

    kind = "samples"
    title = "Samples"
    hint = "Filter by name"
    empty = "This project has no samples yet. workstation add PROJECT FOLDER adds some."
    needs_a_sample = False
    selects = False
    choices = (
        Choice(name="state", spoken="Show samples in one state", entries=(
            ("", "All states"), *((each.value, each.value.replace("_", " ").capitalize()) for each in SampleState),
        )),
        Choice(name="with", spoken="Show samples by findings and sync", entries=(
            ("", "Any"), ("findings", "With findings"), ("clean", "Without findings"), ("sync", "Sync verified"),
            ("no_sync", "Sync not verified"),
        )),
        Choice(name="queue", spoken="Show samples by how far models and labels disagree", entries=(
            ("", "All"), ("disputed", "Disputed by models"),
        )),
    )  # fmt: skip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pages = SampleModel(self)
        self._order = Order.KEY
        self._disputed: dict[str, Disagreement] | None = None
        """While the queue is chosen and was found: samples in its order."""
        self._comparing: Job | None = None
        self.table.set_model(self.pages, self.pages.columns)
        self.table.setSelectionMode(RowTable.SelectionMode.SingleSelection)
        self.table.doubleClicked.connect(self._on_opened)
        self.table.entered_on.connect(self._on_opened)
        self.pages.grown.connect(self._say_count)
        header = self.table.horizontalHeader()
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        header.sectionClicked.connect(self._on_sort)
        self._build_missing()
        self._build_foot()

    # --- from the workbench -------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        super().bound(bench)
        self.hear(bench.checks.changed, self._on_checks)

    def unbound(self, bench: Workbench) -> None:
        super().unbound(bench)
        self.pages.begin(None)

    def wear(self, theme: Theme) -> None:
        super().wear(theme)
        self.pages.theme = theme
        self._missing_model.theme = theme
        self.missing.wear(theme)
        for button, name in ((self._previous, "previous"), (self._next, "next")):
            button.setIcon(icon(name, theme))

    def sample_opened(self, view: SampleView | None) -> None:
        self._hide_missing()
        self._mark_open()
        if self.pages.rowCount() == 0:
            self.refresh_soon()

    def apply(self, changes: ChangeSet) -> None:
        if RecordKind.SAMPLE in changes.kinds:
            self.refresh_soon()
        else:
            self.pages.recount(changes.samples)
            if self.missing.isVisible():
                self._show_missing()

    def _on_checks(self, checks: SampleChecks) -> None:
        bench = self.bench
        if bench is not None and bench.view is not None and bench.view.id == checks.sample:
            self.pages.know_open(bench.view.sample.key, sum(not each.settled for each in checks.findings))

    # --- rows ---------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        self._soon.stop()
        bench = self.bench
        if bench is None:
            return
        self._look_for_disputes("queue" in self.chosen())
        kept = self.pages.rowCount()
        place = self.table.verticalScrollBar().value()
        self.pages.begin(SamplePages(bench.session.store, self._wish()), at_least=min(kept, 2000))
        self.table.empty = "Nothing fits the filter." if self.field.text() or self.chosen() else self.empty
        if self._comparing is not None:
            self.table.empty = "Comparing what models propose with what people labelled…"
        elif self._disputed is not None and not self._disputed:
            self.table.empty = "Nowhere do sure proposals and labels of people disagree."
        self.table.verticalScrollBar().setValue(place)
        self._mark_open()
        self._say_count()
        if self.missing.isVisible():
            self._show_missing()

    def _wish(self) -> Wish:
        chosen = self.chosen()
        also = chosen.get("with")
        return Wish(
            typed=self.field.text(),
            state=SampleState(chosen["state"]) if "state" in chosen else None,
            findings={"findings": True, "clean": False}.get(also or ""),
            sync={"sync": True, "no_sync": False}.get(also or ""),
            order=self._order,
            disputed=({} if self._disputed is None else self._disputed) if "queue" in chosen else None,
        )

    # --- the queue of what is disputed --------------------------------------------------------------------------

    def _look_for_disputes(self, wanted: bool) -> None:
        """Compare, as a job, once the queue is chosen; it is found anew each time it is chosen."""
        bench = self.bench
        if not wanted:
            self._disputed = None
            if self._comparing is not None:
                self._comparing.cancel()
                self._comparing = None
        elif self._disputed is None and self._comparing is None and bench is not None and bench.jobs is not None:
            self._comparing = bench.jobs.start(
                "Compare proposals and labels", partial(_compared, bench.session.project.path),
                done=self._on_compared, failed=self._on_not_compared,
            )  # fmt: skip

    def _on_compared(self, found: list[Disagreement]) -> None:
        self._comparing = None
        self._disputed = {each.sample: each for each in found if each.alone or each.other_class}
        self.refresh()

    def _on_not_compared(self, why: str) -> None:
        self._comparing = None
        self._disputed = {}
        if self.bench is not None:
            self.bench.tell(why, Tone.REFUSED)
        self.refresh()

    def _claims(self) -> list[str]:
        """Claims of the open sample that stand alone and are still there, the surest first."""
        view = None if self.bench is None else self.bench.view
        found = None if view is None or self._disputed is None else self._disputed.get(view.sample.key)
        return [] if found is None or view is None else [each for each in found.ids if view.exists(each)]

    def next_claim(self) -> None:
        """Go to the next label or proposal of the open sample that stands alone."""
        bench, claims = self.bench, self._claims()
        if bench is None or not claims:
            return
        here = next((claims.index(each) for each in bench.selected if each in claims), -1)
        at = (here + 1) % len(claims)
        go_to(bench, (claims[at],), cause=self.kind)
        bench.tell(f"Disputed {at + 1} of {len(claims)}: {bench.view.name_of(claims[at]) if bench.view else ''}.")

    @Slot()
    def _say_count(self) -> None:
        self.header.say(item=f"{self.pages.rowCount():,}{'' if self.pages.ended else '+'}")

    def _mark_open(self) -> None:
        view = None if self.bench is None else self.bench.view
        self._open_label.setText("" if view is None else view.sample.state.value.replace("_", " "))
        if view is not None:
            rows = self.pages.rows
            self.table.show_selected([i for i, row in enumerate(rows) if row.key == view.sample.key])

    def choose(self, row: Row, cell: Cell | None) -> None:
        """A click marks and no more; Enter comes through ``entered_on``, a double click through the table."""

    def open_row(self, row: Row) -> None:
        """Open that sample."""
        bench = self.bench
        if bench is not None and (bench.view is None or bench.view.sample.key != row.key):
            bench.open_sample(row.key)
        self.next_claim()

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        bench = self.bench
        if bench is None:
            return []
        one = "" if rows else "select a sample first"
        read_only = "the project is open to look at only" if bench.session.read_only else ""
        no_sample = read_only or ("" if bench.view is not None else "open a sample first")
        return [
            Entry(text="Open", act=partial(self.open_row, rows[0]) if rows else self.refresh, why_not=one),
            Entry(text="Next sample", act=partial(bench.wish, "sample.next")),
            Entry(text="Previous sample", act=partial(bench.wish, "sample.previous")),
            Entry(
                text="Next disputed label or proposal",
                act=self.next_claim,
                why_not="" if self._claims() else "show samples that are disputed by models, and open one",
            ),
            Entry(text="Submit the open sample", act=self.submit, why_not=no_sample),
            Entry(text="Begin work on it", act=partial(bench.wish, "sample.start"), why_not=no_sample),
            Entry(text="Reopen", act=partial(bench.wish, "sample.reopen"), why_not=no_sample),
            Entry(text="Quarantine…", act=partial(bench.wish, "sample.quarantine"), why_not=no_sample),
            Entry(text="Assign…", act=partial(bench.wish, "sample.assign"), why_not=no_sample),
        ]

    @Slot(QModelIndex)
    def _on_opened(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if isinstance(row, Row):
            self.guard(self.open_row, row)

    @Slot(int)
    def _on_sort(self, column: int) -> None:
        self._order = _ORDERS.get(column, self._order)
        number = next(each for each, order in _ORDERS.items() if order is self._order)
        descending = self._order is Order.FINDINGS
        self.table.horizontalHeader().setSortIndicator(
            number, Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        )
        self.guard(self.refresh)

    # --- submitting ---------------------------------------------------------------------------------------------

    def submit(self) -> None:
        """Hand in the open sample and go on; or list what is missing."""
        bench = self.bench
        if bench is None or bench.view is None:
            return
        if missing_before_submitting(bench.session.store, bench.view.id):
            self._show_missing()
            self.missing.setFocus()
            bench.tell("Not ready to submit; the list under the samples says what is missing.")
            return
        head, key = bench.session.store.head(), bench.view.sample.key
        bench.run("sample.submit")
        if bench.session.store.head() > head:
            self._hide_missing()
            bench.tell(f"Submitted {key}.")
            bench.wish("sample.next")

    def _show_missing(self) -> None:
        bench = self.bench
        if bench is None or bench.view is None:
            return
        view = bench.view
        found = missing_before_submitting(bench.session.store, view.id)
        rows = []
        for number, each in enumerate(found):
            names = ", ".join(view.name_of(one) for one in each.ids if view.exists(one))
            text = f"{each.text} {names}".strip()
            rows.append(Row(key=str(number), ids=each.ids, cells=(Cell(text=text, icon="warning"),)))
        self._missing_model.set_rows(rows)
        self.missing.setVisible(bool(rows))

    def _hide_missing(self) -> None:
        self.missing.hide()

    @Slot(object, object)
    def _on_missing_chosen(self, row: Row, _cell: Cell | None) -> None:
        if self.bench is not None:
            self.guard(partial(go_to, self.bench, row.ids, cause=self.kind))

    @Slot()
    def _on_button(self) -> None:
        button = self.sender()
        if self.bench is None:
            return
        if button is self._submit:
            self.guard(self.submit)
        else:
            self.bench.wish("sample.next" if button is self._next else "sample.previous")

    # --- making -------------------------------------------------------------------------------------------------

    def _build_missing(self) -> None:
        columns = (Column(title="Missing before it can be submitted", stretch=True),)
        self.missing = RowTable("samples_missing", "What is missing before the sample can be submitted")
        self._missing_model = RowModel(columns, self)
        self.missing.set_model(self._missing_model, columns)
        self.missing.chosen.connect(self._on_missing_chosen)
        self.missing.setMaximumHeight(180)
        self.missing.hide()
        self.column.addWidget(self.missing)

    def _build_foot(self) -> None:
        self._previous = _button("samples_previous", "Previous sample", "Previous sample (@sample.previous)")
        self._next = _button("samples_next", "Next sample", "Next sample (@sample.next)")
        self._submit = _button("samples_submit", "Submit", "Submit the open sample and go on (@sample.submit)")
        self._submit.setText("Submit")
        self._open_label = QLabel()
        self._open_label.setObjectName("samples_open_state")
        self._open_label.setProperty("tone", "quiet")
        row = QHBoxLayout()
        row.setContentsMargins(6, 4, 6, 4)
        for button in (self._previous, self._next):
            row.addWidget(button)
            button.clicked.connect(self._on_button)
        row.addWidget(self._open_label, 1)
        row.addWidget(self._submit)
        self._submit.clicked.connect(self._on_button)
        self.column.addLayout(row)


def _compared(folder: Path, job: Job) -> list[Disagreement]:
    from workstation.app.opening import open_project

    with open_project(folder, read_only=True) as session:
        return disagreements(session.store, tell=job.report)


def _button(name: str, spoken: str, tip: str) -> QToolButton:
    made = QToolButton()
    made.setObjectName(name)
    made.setAccessibleName(spoken)
    made.setToolTip(tip)
    return made
