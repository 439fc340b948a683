"""The panel of classes: the ontology as a tree with colours, marks, patterns and keys, searched by any word.

A click or Enter takes the class for the next shape or relabels what is selected, through the same function as the keys
of classes. Only what is legal on the focused stream can be taken; the others say why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QSplitter, QWidget

from workstation.app.class_rows import COLUMNS, ClassWish, class_rows, class_text, languages_of, person_language
from workstation.app.class_rows import HIDE as HIDE_AT
from workstation.app.class_rows import LOCK as LOCK_AT
from workstation.app.class_rows import SOLO as SOLO_AT
from workstation.app.rows import Cell, Row
from workstation.app.sample_view import SampleView
from workstation.core.records import RecordKind
from workstation.core.selection import SelectionChanged
from workstation.ui.class_keys import give_class
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.panels.reading_box import ReadingBox
from workstation.ui.panels.row_model import Index, RowModel
from workstation.ui.panels.sight_columns import HIDE, LOCK, SOLO, standing, toggle
from workstation.ui.panels.swatches import pattern_icon
from workstation.ui.theme import Theme
from workstation.ui.tools.state import Hand, Sight
from workstation.ui.workbench import Tone, Workbench

_SIGHT = {HIDE_AT: HIDE, SOLO_AT: SOLO, LOCK_AT: LOCK}


class ClassModel(RowModel):
    """Swatches with patterns in front."""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index.row())
        if role == Qt.ItemDataRole.DecorationRole and row is not None and index.column() == 0:
            paint = row.cells[0].paint
            return None if paint is None else pattern_icon(paint)
        return super().data(index, role)


class ClassesPanel(ListPanel):
    """The tree above, what there is to read about a class below."""

    kind = "classes"
    title = "Classes"
    columns = COLUMNS
    hint = "Search classes"
    empty = "The project has no ontology yet."
    selects = False
    searches_itself = True
    choices = (
        Choice(name="language", spoken="Language of the names", entries=(("", "Names"),)),
        Choice(name="which", spoken="Show all classes or those that may be drawn here", entries=(
            ("", "All"), ("enabled", "Legal here"),
        )),
    )  # fmt: skip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ClassModel(COLUMNS, self)
        self.table.set_model(self.model, COLUMNS)
        self.table.setIconSize(QSize(30, 16))
        self.table.setSelectionMode(self.table.SelectionMode.SingleSelection)
        self.reading = ReadingBox(
            "classes_reading", "Definition, examples and edge cases of the class",
            "Choose a class to read its definition, examples and edge cases.",
        )  # fmt: skip
        self.reading.setOpenLinks(False)
        self.column.removeWidget(self.table)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.reading)
        split.setSizes([300, 110])
        self.column.addWidget(split, 1)

    # --- from the workbench -------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        super().bound(bench)
        self.hear(bench.stream_focused, self._on_stream)
        self.hear(bench.hand.changed, self._on_hand)
        self.hear(bench.sight.changed, self._on_sight)

    def unbound(self, bench: Workbench) -> None:
        super().unbound(bench)

    def wear(self, theme: Theme) -> None:
        super().wear(theme)
        self._read()

    def sample_opened(self, view: SampleView | None) -> None:
        super().sample_opened(view)
        if view is not None and view.ontology is not None:
            languages = languages_of(view.ontology)
            own = person_language(view.ontology)
            self.refill("language", [("", f"Names: {own}"), *((each, each) for each in languages if each != own)])

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed:
            self._mark()

    def _on_stream(self, _stream: str | None) -> None:
        self.refresh_soon()

    def _on_sight(self, _sight: Sight) -> None:
        self.refresh_soon()

    def _on_hand(self, _hand: Hand) -> None:
        self._mark()

    # --- rows ---------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        super().refresh()
        self._mark()

    def fits(self, row: Row, chosen: dict[str, str]) -> bool:
        return "which" not in chosen or row.enabled

    def all_rows(self) -> list[Row]:
        bench = self.bench
        assert bench is not None
        assert bench.view is not None
        view = bench.view
        if view.ontology is None:
            return []
        stream = view.streams.get(bench.focused_stream or "")
        wish = ClassWish(
            typed=self.field.text(), language=self._language(), stream=None if stream is None else stream.kind,
            anywhere=stream is None,
        )  # fmt: skip
        counts: Counter[str] = Counter()
        for count in bench.session.store.counts(view.id, RecordKind.ANNOTATION):  # kept by the store, never scanned
            counts[count.class_id] += count.n
        return class_rows(view.ontology, wish, counts=counts, sight=standing(bench.sight, view.ontology.classes))

    def _language(self) -> str:
        chosen = self.chosen().get("language")
        view = None if self.bench is None else self.bench.view
        if chosen or view is None or view.ontology is None:
            return chosen or ""
        return person_language(view.ontology)

    def _mark(self) -> None:
        """The class of what is selected, else the one in the hand, is marked and can be read about."""
        bench = self.bench
        if bench is None or bench.view is None:
            return
        view = bench.view
        wanted = bench.hand.class_id
        for each in bench.selected:
            annotation, entity = view.annotations.get(each), view.entities.get(each)
            wanted = view.class_of(annotation) if annotation is not None else wanted
            wanted = entity.class_id if entity is not None else wanted
        self.table.show_selected([i for i, row in enumerate(self.model.rows) if row.key == wanted])
        self._read()

    # --- what is done -------------------------------------------------------------------------------------------

    def choose(self, row: Row, cell: Cell | None) -> None:
        bench = self.bench
        if bench is None:
            return
        column = row.cells.index(cell) if cell is not None and cell in row.cells else 0
        if column in _SIGHT:
            toggle(bench.sight, _SIGHT[column], [row.key])
        elif not row.enabled:
            bench.tell(row.cells[0].tip.splitlines()[-1], Tone.REFUSED)
        else:
            give_class(bench, row.key)

    def _pick(self) -> None:
        self._read()

    def toggle_sight(self, what: str) -> None:
        """Hide, show alone or lock the class under the hand, by key."""
        if self.bench is not None:
            toggle(self.bench.sight, what, [row.key for row in self.table.selected_rows()])

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        bench = self.bench
        if bench is None:
            return []
        none = "" if rows else "select a class first"
        return [
            Entry(text="Hide or show", act=partial(self.toggle_sight, HIDE), why_not=none),
            Entry(text="Show alone", act=partial(self.toggle_sight, SOLO), why_not=none),
            Entry(text="Lock or unlock", act=partial(self.toggle_sight, LOCK), why_not=none),
            Entry(text="Show everything hidden", act=bench.sight.show_all),
            Entry(text="Select all labels of it", act=self._select_all, why_not=none),
            Entry(text="Ask for the class after drawing", act=partial(bench.hand.set_class, None)),
        ]

    def _select_all(self) -> None:
        bench, rows = self.bench, self.table.selected_rows()
        if bench is not None and bench.view is not None and rows:
            view = bench.view
            found = [each.id for each in view.annotations.values() if view.class_of(each) == rows[0].key]
            bench.select(found, cause=self.kind)
            bench.tell(f"{len(found)} selected.")

    def _read(self) -> None:
        bench, rows = self.bench, self.table.selected_rows()
        if bench is None or bench.view is None or bench.view.ontology is None or not rows:
            self.reading.clear()
            return
        ontology = bench.view.ontology
        parts = [f"<p dir='auto'><b>{escape(rows[0].cells[0].text)}</b></p>"]
        for heading, lines in class_text(ontology, rows[0].key, self._language()):
            if heading:
                parts.append(f"<p style='color:{bench.theme.quiet}; margin-bottom:0'>{escape(heading)}</p>")
            parts += [f"<p dir='auto' style='margin-top:2px; margin-bottom:2px'>{escape(line)}</p>" for line in lines]
        self.reading.setHtml("".join(parts))
