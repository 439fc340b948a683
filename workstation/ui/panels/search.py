"""The panel of searches: a sentence about relations, what it finds in every sample, and what the project keeps of it.

A sentence that says how things must be is a check: it is tried here before it is switched on. The same sentences work
in ``workstation find`` and ``validate --try``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QPushButton, QSplitter, QToolButton, QVBoxLayout, QWidget

from workstation.app.jobs import Job, Jobs, JobState
from workstation.app.relation_search import read_sentence
from workstation.app.rows import Row
from workstation.app.search_rows import COLUMNS, OWN_COLUMNS, Searched, check_name, kept_rows, searching
from workstation.app.statement_form import form_of
from workstation.core.errors import UserError
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import SearchUse
from workstation.core.statement import Mode, Statement
from workstation.store.changes import ChangeSet
from workstation.ui.panels.going import go_to
from workstation.ui.panels.row_model import RowModel
from workstation.ui.panels.row_table import RowTable
from workstation.ui.panels.search_form import SearchForm, note_label
from workstation.ui.panes.base import Pane
from workstation.ui.workbench import Workbench

_READ_MS = 200
_EXAMPLE = "horn within 0.5 s of braking while a pedestrian is within 15 m"
_USES = ((SearchUse.VIEW, "To look at again"), (SearchUse.SAMPLING, "To draw samples by"),
         (SearchUse.ALERT, "To be told of"))  # fmt: skip


class SearchPanel(Pane):
    """Asks, tries, keeps."""

    kind = "search"
    title = "Search"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.statement: Statement | None = None
        """What the sentence was read as; ``None`` while it cannot be."""
        self._chosen = ""
        """The check that was taken from the list last; it may be kept anew under its name."""
        self._jobs: Jobs | None = None
        self._own_jobs = False
        self._job: Job | None = None
        self._read_soon = QTimer(self)
        self._read_soon.setSingleShot(True)
        self._read_soon.setInterval(_READ_MS)
        self._read_soon.timeout.connect(self._on_read)
        self._build()

    # --- parts --------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.field = QLineEdit()
        self.field.setObjectName("search_sentence")
        self.field.setAccessibleName("What to look for, as a sentence")
        self.field.setPlaceholderText(_EXAMPLE)
        self.field.setClearButtonEnabled(True)
        self.field.setMaxLength(1000)
        self.field.textEdited.connect(self._on_typed)
        self.field.returnPressed.connect(self._on_find)
        self.note = note_label("search_note")
        self.form = SearchForm()
        self.form.said.connect(self._on_form)
        self.form.setVisible(False)
        self.find_all = self._button("find", "Find in all samples", self._on_find)
        self.find_here = self._button("find_here", "In this sample", self._on_find_here)
        self.fields = self._button("fields", "Fields", None)
        self.fields.setCheckable(True)
        self.fields.setToolTip("Build the sentence from fields")
        self.fields.toggled.connect(self.form.setVisible)
        self.keep = QToolButton()
        self.keep.setObjectName("search_keep")
        self.keep.setText("Keep…")
        self.keep.setAccessibleName("Keep the search or the check in the project")
        self.keep.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.keep.setMenu(QMenu(self.keep))
        self.keep.menu().setAccessibleName("Keep as")
        self.keep.menu().aboutToShow.connect(self._on_keep_menu)
        self.name = QLineEdit()
        self.name.setObjectName("search_name")
        self.name.setAccessibleName("Name to keep it under")
        self.name.setPlaceholderText("Name")
        self.table = RowTable("search_found", "What was found")
        self.model = RowModel(COLUMNS, self)
        self.table.set_model(self.model, COLUMNS)
        self.table.chosen.connect(self._on_row)
        self.table.empty = f"Ask for example: {_EXAMPLE}"
        self.kept = RowTable("search_kept", "Searches and checks that the project keeps")
        self.kept_model = RowModel(OWN_COLUMNS, self)
        self.kept.set_model(self.kept_model, OWN_COLUMNS)
        self.kept.empty = "The project keeps no searches and no checks of its own."
        self.kept.chosen.connect(self._on_kept)
        self.kept.menu_wanted.connect(self._on_kept_menu)
        self._lay_out()
        self.setFocusProxy(self.field)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for widget in (self.find_all, self.find_here, self.fields):
            row.addWidget(widget)
        row.addStretch(1)
        keep = QHBoxLayout()
        keep.addWidget(self.name, 1)
        keep.addWidget(self.keep)
        tables = QSplitter(Qt.Orientation.Vertical)
        tables.setObjectName("search_tables")
        tables.addWidget(self.table)
        tables.addWidget(self.kept)
        tables.setStretchFactor(0, 3)
        tables.setStretchFactor(1, 1)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(6, 6, 6, 0)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(self.note)
        column.addWidget(self.form)
        column.addLayout(row)
        column.addWidget(tables, 1)
        column.addLayout(keep)

    def _button(self, name: str, text: str, slot: Any) -> QPushButton:
        made = QPushButton(text)
        made.setObjectName(f"search_{name}")
        made.setAccessibleName(text)
        if slot is not None:
            made.clicked.connect(slot)
        return made

    # --- from the workbench -------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        super().bound(bench)
        self._own_jobs = bench.jobs is None
        self._jobs = bench.jobs or Jobs(bench.gui.post)
        self._jobs.changed.connect(self._on_job)
        self._offer()
        self._show_kept()
        self._on_read()

    def unbound(self, bench: Workbench) -> None:
        super().unbound(bench)
        if self._job is not None:
            self._job.cancel()
        if self._jobs is not None:
            self._jobs.changed.disconnect(self._on_job)
            if self._own_jobs:
                self._jobs.close()
        self._jobs, self._job = None, None

    def apply(self, changes: ChangeSet) -> None:
        if RecordKind.PROJECT in changes.kinds:
            self._show_kept()
        if RecordKind.ONTOLOGY in changes.kinds:
            self._offer()

    def _offer(self) -> None:
        ontology = None if self.bench is None else self.bench.session.store.ontology()
        if ontology is not None:
            self.form.offer(ontology)

    def _show_kept(self) -> None:
        project = None if self.bench is None else self.bench.session.store.project()
        rows = [] if project is None else kept_rows(project.rules, project.searches)
        self.kept_model.set_rows(rows)

    # --- reading ------------------------------------------------------------------------------------------------

    @Slot()
    def _on_typed(self) -> None:
        self._read_soon.start()

    @Slot(str)
    def _on_form(self, sentence: str) -> None:
        self.field.setText(sentence)
        self._read(fill=False)

    @Slot()
    def _on_read(self) -> None:
        self._read(fill=True)

    def say(self, sentence: str) -> None:
        """Put a sentence into the field, as if it had been typed."""
        self.field.setText(sentence)
        self._read(fill=True)

    def _read(self, *, fill: bool) -> None:
        self._read_soon.stop()
        bench, text = self.bench, self.field.text().strip()
        self.statement, said, tone = None, "", "quiet"
        if bench is not None and text:
            try:
                self.statement = read_sentence(bench.session.store, text)
            except UserError as problem:
                said, tone = str(problem), "warning"
        if self.statement is not None:
            asks = self.statement.mode is Mode.FIND
            said = (
                "A search." if asks else "A check: it finds what breaks it. It judges nothing until it is kept and on."
            )
            form = form_of(self.statement)
            if fill and form is not None:
                self.form.show_form(form)
        self._say(said, tone)
        self._enable()

    def _say(self, said: str, tone: str = "warning") -> None:
        self.note.setText(said)
        self.note.setProperty("tone", tone)
        self.note.style().unpolish(self.note)
        self.note.style().polish(self.note)
        self.note.setVisible(bool(said))

    def _enable(self) -> None:
        busy = self._job is not None and self._job.state is JobState.RUNNING
        ready = self.statement is not None and self.bench is not None
        finds = self.statement is None or self.statement.mode is Mode.FIND
        self.find_all.setText("Stop" if busy else "Find in all samples" if finds else "Try on all samples")
        self.find_all.setEnabled(busy or ready)
        self.find_here.setEnabled(ready and not busy and self.bench is not None and self.bench.view is not None)
        locked = self.bench is None or self.bench.session.read_only
        self.keep.setEnabled(ready and not locked)
        self.keep.setToolTip("The project is open to look at only" if locked else "")

    # --- searching ----------------------------------------------------------------------------------------------

    @Slot()
    def _on_find(self) -> None:
        if self._job is not None and self._job.state is JobState.RUNNING:
            self._job.cancel()
            return
        self.guard(partial(self._start, here=False))

    @Slot()
    def _on_find_here(self) -> None:
        self.guard(partial(self._start, here=True))

    def _start(self, *, here: bool) -> None:
        self._read(fill=True)
        bench = self.bench
        if bench is None or self.statement is None or self._jobs is None:
            return
        sample = bench.view.id if here and bench.view is not None else None
        store = bench.session.store
        work = searching(bench.session.project, store.reader_elsewhere(), self.statement.text, sample)
        self.model.set_rows([])
        self.table.empty = "Searching …"
        self._job = self._jobs.start("Search relations", work, done=self._on_found, failed=self._on_failed)
        self._enable()

    def _on_job(self, job: Job) -> None:
        if self._job is not None and job.number == self._job.number:
            self._enable()

    def _on_found(self, found: Searched) -> None:
        self.table.empty = "Nothing was found."
        self.model.set_rows(list(found.rows))
        parts = [f"{len(found.rows)}{' and more' if found.more else ''} found"]
        if found.unanswered:
            parts.append(f"{len(found.unanswered)} samples were not searched: {found.unanswered[0]}")
        self.note.setText(". ".join(parts) + ".")
        self.note.setVisible(True)
        self.header.say(item=parts[0])
        self._enable()

    def _on_failed(self, reason: str) -> None:
        self.table.empty = reason
        self.model.set_rows([])
        self._enable()

    @Slot(object, object)
    def _on_row(self, row: Row, _cell: object) -> None:
        self.guard(partial(self._go, row))

    def _go(self, row: Row) -> None:
        bench = self.bench
        if bench is None:
            return
        if bench.view is None or bench.view.sample.key != row.sample:
            bench.open_sample(row.sample)
        go_to(bench, row.ids, cause=self.kind, time_ns=row.time_ns)

    # --- keeping ------------------------------------------------------------------------------------------------

    @Slot()
    def _on_keep_menu(self) -> None:
        menu = self.keep.menu()
        menu.clear()
        if self.statement is None:
            return
        if self.statement.mode is Mode.FIND:
            for use, words in _USES:
                menu.addAction(words, partial(self._keep_search, use))
            return
        for severity in Severity:
            below = menu.addMenu(f"As a check that is on: {severity.value}")
            for error_type in ErrorType:
                below.addAction(error_type.value.replace("-", " "), partial(self._keep_check, severity, error_type))

    def _keep_search(self, use: SearchUse) -> None:
        bench, statement = self.bench, self.statement
        if bench is not None and statement is not None:
            name = self.name.text().strip() or statement.text[:60]
            bench.run("search.save", name=name, says=statement.text, use=use.value)

    def _keep_check(self, severity: Severity, error_type: ErrorType) -> None:
        bench, statement = self.bench, self.statement
        if bench is None or statement is None:
            return
        held = {each.key.partition("/")[2] for each in self.kept_model.rows if each.group == "rule"}
        name = check_name(self.name.text(), held)
        if name in held and name != self._chosen:
            self._say(f"There is a check {name!r} already: choose it below to change it, or give another name.")
            return
        self._chosen = name
        bench.run(
            "rule.set", rule=name, says=statement.text, severity=severity.value, error_type=error_type.value, on=True
        )

    @Slot(object, object)
    def _on_kept(self, row: Row, _cell: object) -> None:
        self.name.setText(row.key.partition("/")[2])
        self._chosen = self.name.text() if row.group == "rule" else ""
        self.say(row.cells[1].text)

    @Slot(object, QPoint)
    def _on_kept_menu(self, rows: object, place: QPoint) -> None:
        bench = self.bench
        chosen = [each for each in rows if isinstance(each, Row)] if isinstance(rows, list | tuple) else []
        if bench is None or not chosen or bench.session.read_only:
            return
        kind, _, name = chosen[0].key.partition("/")
        menu = QMenu(self)
        menu.setAccessibleName("What can be done with what is kept")
        if kind == "rule":
            on = chosen[0].cells[0].text.endswith("on")
            menu.addAction("Switch off" if on else "Switch on", partial(bench.run, "rule.set", rule=name, on=not on))
            menu.addAction("Remove check", partial(bench.run, "rule.remove", rule=name))
        else:
            menu.addAction("Remove search", partial(bench.run, "search.remove", name=name))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)
