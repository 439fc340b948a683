"""What panels that are lists share: a filter over a table, a menu of what can be done, selection linked both ways.

A subclass says its columns, its rows, its choices to filter by and its entries; everything else is here. Rows are made
again a moment after something changed, as soon as somebody sees the panel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QPoint, QTimer, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workstation.app.rows import Cell, Column, Row, says
from workstation.app.sample_view import SampleView
from workstation.core.selection import SelectionChanged
from workstation.core.values import dataclass
from workstation.store.changes import ChangeSet
from workstation.ui.eliding import ChoiceBox
from workstation.ui.icons import icon
from workstation.ui.panels.going import go_to
from workstation.ui.panels.row_model import RowModel
from workstation.ui.panels.row_table import RowTable
from workstation.ui.panes.base import Pane
from workstation.ui.theme import Theme
from workstation.ui.workbench import Workbench

_SOON_MS = 30
_MOST_ABREAST = 3
"""More choices than these stand in two columns where the panel is narrow."""


_FILTER_PX = 150
"""Of the filter and the button behind it: so much room it keeps beside the choices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing to filter by: a box with entries (key, words); the first shows everything."""

    name: str
    spoken: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that can be done to the selected rows; greyed with the reason where it cannot."""

    text: str
    act: Callable[[], object]
    why_not: str = ""


class FilterField(QLineEdit):
    """Enter and the arrow down give the focus to the list."""

    def __init__(self, table: RowTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = table

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (0x01000004, 0x01000005, 0x01000015):  # Return, Enter, Down
            self._table.setFocus()
            if not self._table.currentIndex().isValid() and self._table.model() is not None:
                self._table.selectRow(0)
            return
        super().keyPressEvent(event)


class ListPanel(Pane):
    """A filterable list of rows about the open sample."""

    columns: tuple[Column, ...] = ()
    choices: tuple[Choice, ...] = ()
    empty = "Nothing here."
    hint = "Filter"
    needs_a_sample = True
    searches_itself = False
    """Whether ``all_rows`` has looked at the field already."""
    selects = True
    """Whether its rows are records that can be selected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = RowTable(f"{self.kind}_list", f"{self.title}: list")
        self.model = RowModel(self.columns, self)
        self._boxes: dict[str, QComboBox] = {}
        self._narrow = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._on_soon)
        self._stale = True
        """Whether something changed since the rows were made."""
        self._build_bar()
        self._build_body()
        self.setFocusProxy(self.table)

    # --- to override --------------------------------------------------------------------------------------------

    def all_rows(self) -> list[Row]:
        """Every row, before filtering."""
        return []

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        """What can be done to these."""
        return []

    def fits(self, row: Row, chosen: dict[str, str]) -> bool:
        """Whether the boxes let it through; ``chosen`` holds only those that are set."""
        return all(value in row.group.split() for value in chosen.values())

    def choose(self, row: Row, cell: Cell | None) -> None:
        """A row was clicked or Enter pressed on it."""
        if self.bench is not None:
            ids = cell.ids if cell is not None and cell.ids else row.ids
            go_to(self.bench, ids, cause=self.kind, time_ns=row.time_ns)

    # --- for subclasses -----------------------------------------------------------------------------------------

    def refresh_soon(self) -> None:
        """Make the rows again a moment later, once for many changes; as soon as somebody can see them."""
        self._stale = True
        self._soon.start()

    def refresh(self) -> None:
        """Make the rows again now."""
        self._soon.stop()
        self._stale = False
        bench = self.bench
        if bench is None or (self.needs_a_sample and bench.view is None):
            self.model.set_rows([])
            self.table.empty = "Open a sample to see this." if bench is not None else ""
            self.header.say()
            return
        rows = self.all_rows()
        typed, chosen = self.field.text(), self.chosen()
        own = typed if not self.searches_itself else ""
        shown = [row for row in rows if self.fits(row, chosen) and (not own or says(row, own))]
        filtered = bool(typed or chosen) and bool(rows or self.searches_itself)
        self.table.empty = "Nothing fits the filter." if filtered else self.empty
        if self.model.set_rows(shown):
            self._mark_selected()
        count = f"{len(rows)}" if len(shown) == len(rows) else f"{len(shown)} of {len(rows)}"
        self.header.say(item=count)
        self.table.viewport().update()

    def chosen(self) -> dict[str, str]:
        """What the boxes are set to, without those that show everything."""
        return {name: str(box.currentData()) for name, box in self._boxes.items() if box.currentIndex() > 0}

    def set_choice(self, name: str, key: str) -> None:
        """Set a box."""
        box = self._boxes[name]
        box.setCurrentIndex(max(0, box.findData(key)))

    def refill(self, name: str, entries: Sequence[tuple[str, str]]) -> None:
        """Other entries in a box; what was chosen stays if it is still there."""
        box = self._boxes[name]
        have = [(str(box.itemData(i)), box.itemText(i)) for i in range(box.count())]
        if have == list(entries):
            return
        before = box.currentData()
        box.blockSignals(True)
        box.clear()
        for key, words in entries:
            box.addItem(words, key)
        box.setCurrentIndex(max(0, box.findData(before)))
        box.blockSignals(False)

    # --- from the workbench -------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.hear(bench.theme_changed, self.wear)
        self.wear(bench.theme)

    def unbound(self, bench: Workbench) -> None:
        self._soon.stop()
        self.model.set_rows([])

    def wear(self, theme: Theme) -> None:
        """Paint in this theme."""
        self.model.theme = theme
        self.table.wear(theme)
        self.more.setIcon(icon("more", theme))

    def sample_opened(self, view: SampleView | None) -> None:
        if self.model.rows or view is None:
            self.refresh_soon()
        elif self.awake:
            self.refresh()  # a window that is painted for the first time holds its lists

    def apply(self, changes: ChangeSet) -> None:
        self.refresh_soon()

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed and self.selects and change.cause != self.kind:
            self._mark_selected()
        elif change.ids_changed:
            self.table.show_related(())

    def _mark_selected(self) -> None:
        if self.bench is None or not self.selects:
            return
        rows, wanted, related = self.model.rows, self.wanted_ids(), self.related_ids()
        self.table.show_selected([i for i, row in enumerate(rows) if not wanted.isdisjoint(row.ids)] if wanted else [])
        self.table.show_related([i for i, row in enumerate(rows) if not related.isdisjoint(row.ids)] if related else [])

    def related_ids(self) -> frozenset[str]:
        """The ids whose rows are marked as belonging to what is selected."""
        return frozenset()

    def wanted_ids(self) -> frozenset[str]:
        """The ids whose rows are marked."""
        return frozenset(self.bench.selected) if self.bench is not None else frozenset()

    # --- Qt -----------------------------------------------------------------------------------------------------

    def woken(self) -> None:
        if self._stale:
            self._on_soon()

    @Slot()
    def _on_soon(self) -> None:
        if self.awake and not self.failed:
            self.guard(self.refresh)

    @Slot()
    def _on_filter(self) -> None:
        self.guard(self.refresh)

    @Slot()
    def _on_picked(self) -> None:
        self.guard(self._pick)

    def _pick(self) -> None:
        if self.bench is None or not self.selects:
            return
        ids = [each for row in self.table.selected_rows() for each in row.ids]
        self.bench.select(ids, cause=self.kind)

    @Slot(object, object)
    def _on_chosen(self, row: Row, cell: Cell | None) -> None:
        if len(self.table.selected_rows()) <= 1:
            self.guard(self.choose, row, cell)

    @Slot(object, QPoint)
    def _on_menu(self, _row: Row | None, place: QPoint) -> None:
        menu = self.menu()
        if menu is not None:
            menu.popup(place)

    @Slot()
    def _on_more(self) -> None:
        menu = self.menu()
        if menu is not None:
            menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def menu(self) -> QMenu | None:
        """What can be done to the selected rows, made when it is asked for."""
        entries = self.guard(self.entries, self.table.selected_rows()) or []
        menu = QMenu(self)
        menu.setObjectName(f"{self.kind}_menu")
        menu.setToolTipsVisible(True)
        for entry in entries:
            action = menu.addAction(entry.text + (f"   ({entry.why_not})" if entry.why_not else ""))
            action.setEnabled(not entry.why_not)
            action.setToolTip(entry.why_not or entry.text)
            action.setProperty("act", entry.act)
            action.triggered.connect(self._on_entry)
        if not entries:
            menu.addAction("Select a row first").setEnabled(False)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    @Slot()
    def _on_entry(self) -> None:
        action: QObject | None = self.sender()
        act = action.property("act") if action is not None else None
        if callable(act):
            self.guard(act)

    # --- making -------------------------------------------------------------------------------------------------

    def _build_bar(self) -> None:
        self.bar = QHBoxLayout()
        self.bar.setContentsMargins(6, 4, 6, 4)
        self.bar.setSpacing(4)
        self.field = FilterField(self.table)
        self.field.setObjectName(f"{self.kind}_filter")
        self.field.setAccessibleName(f"{self.title}: {self.hint}")
        self.field.setPlaceholderText(self.hint)
        self.field.setToolTip(f"{self.hint}; Enter goes to the list")
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._on_filter)
        self.bar.addWidget(self.field, 2)
        for choice in self.choices:
            box = ChoiceBox()
            box.setObjectName(f"{self.kind}_{choice.name}")
            box.setAccessibleName(choice.spoken)
            box.setToolTip(choice.spoken)
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.setMinimumWidth(70)
            for key, words in choice.entries:
                box.addItem(words, key)
            box.currentIndexChanged.connect(self._on_filter)
            self._boxes[choice.name] = box
            self.bar.addWidget(box, 1)
        self.more = QToolButton()
        self.more.setObjectName(f"{self.kind}_more")
        self.more.setAccessibleName(f"{self.title}: what can be done")
        self.more.setToolTip("What can be done to the selected rows (also the menu key)")
        self.more.clicked.connect(self._on_more)
        self.bar.addWidget(self.more)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_bar()

    def _fit_bar(self) -> None:
        """Where the choices would have no room beside the filter they stand below it."""
        boxes = list(self._boxes.values())
        wanted = _FILTER_PX + sum(box.sizeHint().width() + self.bar.spacing() for box in boxes)
        narrow = bool(boxes) and self.width() < wanted
        if narrow != self._narrow:
            self._narrow = narrow
            across = len(boxes) if len(boxes) <= _MOST_ABREAST else 2
            for place, box in enumerate(boxes):
                (self.bar if narrow else self._second).removeWidget(box)
                if narrow:
                    self._second.addWidget(box, place // across, place % across)
                else:
                    self.bar.insertWidget(place + 1, box, 1)
            self._second.setContentsMargins(6, 0, 6, 4 if narrow else 0)

    def _build_body(self) -> None:
        self.column = QVBoxLayout(self.body)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self.column.addLayout(self.bar)
        self._second = QGridLayout()
        self._second.setContentsMargins(6, 0, 6, 0)
        self._second.setSpacing(4)
        self.column.addLayout(self._second)
        self.table.set_model(self.model, self.columns)
        self.table.picked.connect(self._on_picked)
        self.table.chosen.connect(self._on_chosen)
        self.table.menu_wanted.connect(self._on_menu)
        self.column.addWidget(self.table, 1)
