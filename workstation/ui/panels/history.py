"""The panel of history: every revision of the sample or project, what each changed, and taking one back by name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QSplitter, QWidget

from workstation.app.history_rows import CHANGE_COLUMNS, COLUMNS, PAGE, change_rows, history_rows
from workstation.app.rows import Cell, Row
from workstation.app.sample_view import SampleView
from workstation.core.records import RecordKind
from workstation.ui.panels.going import go_to
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.panels.row_model import RowModel
from workstation.ui.panels.row_table import RowTable
from workstation.ui.theme import Theme


class HistoryPanel(ListPanel):
    """Revisions above, what the chosen one changed below."""

    kind = "history"
    title = "History"
    columns = COLUMNS
    hint = "Filter history"
    empty = "Nothing was done yet."
    needs_a_sample = False
    selects = False
    choices = (
        Choice(name="of", spoken="History of the sample or of the whole project", entries=(
            ("", "This sample"), ("project", "Project"),
        )),
        Choice(name="who", spoken="Show what was done by whom", entries=(
            ("", "By anybody"), ("person", "By people"), ("script", "By scripts"), ("model", "By models"),
            ("import", "By imports"), ("undone", "Taken back"),
        )),
    )  # fmt: skip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.changes = RowTable("history_changes", "What the revision changed")
        self.changes.empty = "Choose a revision to see what it changed."
        self._changes_model = RowModel(CHANGE_COLUMNS, self)
        self.changes.set_model(self._changes_model, CHANGE_COLUMNS)
        self.changes.chosen.connect(self._on_change_chosen)
        self._page_count = 1
        self._reached_end = False
        self.table.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.column.removeWidget(self.table)
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.addWidget(self.table)
        self._split.addWidget(self.changes)
        self._split.setSizes([300, 160])
        self._split.setChildrenCollapsible(False)
        self.column.addWidget(self._split, 1)

    def sample_opened(self, view: SampleView | None) -> None:
        self._page_count = 1
        self._changes_model.set_rows([])
        super().sample_opened(view)

    def wear(self, theme: Theme) -> None:
        super().wear(theme)
        self._changes_model.theme = theme
        self.changes.wear(theme)

    def fits(self, row: Row, chosen: dict[str, str]) -> bool:
        who = chosen.get("who")
        return who is None or who in row.group.split()

    def all_rows(self) -> list[Row]:
        assert self.bench is not None
        view = self.bench.view
        sample = None if view is None or "of" in self.chosen() else view.id
        rows = history_rows(self.bench.session.store, sample, limit=PAGE * self._page_count)
        self._reached_end = len(rows) < PAGE * self._page_count
        return rows

    def choose(self, row: Row, cell: Cell | None) -> None:
        bench = self.bench
        if bench is None:
            return
        self._show_changes(int(row.key))
        ids = [each.ids[0] for each in self._changes_model.rows if each.ids]
        there = [each for each in ids if bench.view is not None and bench.view.exists(each)]
        if there:
            go_to(bench, there, cause=self.kind, time_ns=row.time_ns)

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        bench = self.bench
        if bench is None:
            return []
        read_only = "the project is open to look at only" if bench.session.read_only else ""
        one = read_only or ("" if len(rows) == 1 else "select one revision")
        undone = len(rows) == 1 and "undone" in rows[0].group.split()
        return [
            Entry(text="Take back this", act=self._take_back, why_not=one or ("it is taken back" if undone else "")),
            Entry(text="Do this again", act=self._do_again, why_not=one or ("" if undone else "it was not taken back")),
            Entry(text="What did it change", act=self._show_selected, why_not="" if rows else "select one revision"),
            Entry(text="Put the sample back as it was then", act=self._restore, why_not=one or (
                "" if bench.view is not None else "open a sample first")),
            Entry(text="Backups…", act=partial(bench.wish, "project.backups")),
        ]  # fmt: skip

    def _rev(self) -> int | None:
        rows = self.table.selected_rows()
        return int(rows[0].key) if rows else None

    def _take_back(self) -> None:
        bench, rev = self.bench, self._rev()
        if bench is None or rev is None:
            return
        revision = bench.session.store.revision(rev)
        group = None if revision is None else revision.header.group
        result = bench.attempt(lambda: bench.session.undo(**({"group": group} if group else {"rev": rev})))
        if result is not None:
            bench.tell(f"Took back: {result.label}.")

    def _do_again(self) -> None:
        bench, rev = self.bench, self._rev()
        if bench is None or rev is None:
            return
        result = bench.attempt(lambda: bench.session.redo(rev=rev))
        if result is not None:
            bench.tell(f"Did again: {result.label}.")

    def _restore(self) -> None:
        bench, rev = self.bench, self._rev()
        if bench is None or rev is None or bench.view is None:
            return
        sample = bench.view.id
        if bench.attempt(lambda: bench.session.store.restore(rev, sample=sample)) is not None:
            bench.tell(f"The sample is as it was after revision {rev}. Undo takes this back.")

    def _show_selected(self) -> None:
        rev = self._rev()
        if rev is not None:
            self._show_changes(rev)

    def _show_changes(self, rev: int) -> None:
        bench = self.bench
        if bench is None:
            return
        view, store = bench.view, bench.session.store
        ids = [each.id for each in store.changes(rev) if each.kind in _NAMED]
        names = {each: view.name_of(each) for each in ids if view is not None and view.exists(each)}
        self._changes_model.set_rows(change_rows(store, rev, names))

    @Slot(object, object)
    def _on_change_chosen(self, row: Row, _cell: Cell | None) -> None:
        if self.bench is not None:
            self.guard(partial(go_to, self.bench, row.ids, cause=self.kind))

    @Slot(int)
    def _on_scrolled(self, value: int) -> None:
        """The next page, when the end of this one comes into sight."""
        bar = self.table.verticalScrollBar()
        if bar.maximum() > 0 and value == bar.maximum() and not self._reached_end:
            self._page_count += 1
            self.refresh_soon()


_NAMED = (RecordKind.ANNOTATION, RecordKind.ENTITY, RecordKind.LINK, RecordKind.STREAM)
