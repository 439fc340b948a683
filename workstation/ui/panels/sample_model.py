"""The samples of a project as a Qt model that reads a page when the list is scrolled to its end.

What has to be counted (progress, findings) is asked for when a row is first painted, a few milliseconds at a time.
"""

from __future__ import annotations

from collections.abc import Collection
from time import perf_counter
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, Qt, QTimer, Slot
from PySide6.QtCore import Signal as QtSignal

from workstation.app.rows import Row
from workstation.app.sample_pages import COLUMNS, SamplePages, short_row, with_findings
from workstation.core.sample import Sample
from workstation.ui.panels.row_model import Index, RowModel

_COUNTED = 2
"""The first column that has to be counted; the one after it too."""
_TURN_S = 0.006
_NOWHERE = QModelIndex()


class SampleModel(RowModel):
    """``begin`` shows the first page; more comes as the view asks."""

    grown = QtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(COLUMNS, parent)
        self._pages: SamplePages | None = None
        self._samples: list[Sample] = []
        self._waiting: dict[int, None] = {}
        self._whole: set[int] = set()
        self._open: tuple[str, int] | None = None
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._on_turn)

    def begin(self, pages: SamplePages | None, *, at_least: int = 0) -> None:
        """Show these; as many rows as before where they are shown again."""
        self.beginResetModel()
        self._pages = pages
        self._rows, self._samples = [], []
        self._waiting.clear()
        self._whole.clear()
        if self._pages is not None:
            self._take(self._pages.next_page(max(at_least, 100)))
        self.endResetModel()
        if self.canFetchMore() and len(self._rows) < 100:
            self._turn.start(0)

    def know_open(self, key: str, findings: int) -> None:
        """How many findings the open sample has now, checked beside the work."""
        self._open = (key, findings)
        for number, row in enumerate(self._rows):
            if row.key == key and number in self._whole:  # else it is counted when it is painted
                self._rows[number] = with_findings(row, findings)
                self._changed(number)

    def recount(self, samples: Collection[str]) -> None:
        """Labels of these changed; what is counted of them is counted again when it is next painted."""
        for number in [each for each in self._whole if self._samples[each].id in samples]:
            self._whole.discard(number)
            self._changed(number)

    @property
    def ended(self) -> bool:
        """Whether all that fit are here."""
        return self._pages is None or self._pages.ended

    # --- Qt -----------------------------------------------------------------------------------------------------

    def canFetchMore(self, parent: Index = _NOWHERE) -> bool:
        return not parent.isValid() and not self.ended

    def fetchMore(self, parent: Index = _NOWHERE) -> None:
        if parent.isValid() or self._pages is None:
            return
        page = self._pages.next_page()
        if page:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(page) - 1)
            self._take(page)
            self.endInsertRows()
        self.grown.emit()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        number = index.row()
        if index.column() >= _COUNTED and role == Qt.ItemDataRole.DisplayRole and number not in self._whole:
            self._waiting[number] = None
            if not self._turn.isActive():
                self._turn.start(0)
        return super().data(index, role)

    # --- own ----------------------------------------------------------------------------------------------------

    def _take(self, page: list[Sample]) -> None:
        self._samples += page
        pages = self._pages
        self._rows += [short_row(each, None if pages is None else pages.dispute(each)) for each in page]

    @Slot()
    def _on_turn(self) -> None:
        """Count for a few milliseconds, then let the window breathe; look on for rows that are rare."""
        until = perf_counter() + _TURN_S
        while self._waiting and self._pages is not None and perf_counter() < until:
            number = next(reversed(self._waiting))  # what came into sight last
            del self._waiting[number]
            if number < len(self._rows) and number not in self._whole:
                self._rows[number] = self._described(number)
                self._whole.add(number)
                self._changed(number)
        if len(self._rows) < 100 and self.canFetchMore():
            self.fetchMore()
        if self._waiting or (len(self._rows) < 100 and self.canFetchMore()):
            self._turn.start(0)

    def _described(self, number: int) -> Row:
        assert self._pages is not None
        sample = self._samples[number]
        known = self._open[1] if self._open is not None and self._open[0] == sample.key else None
        return self._pages.described(sample, findings=known)

    def _changed(self, number: int) -> None:
        self.dataChanged.emit(self.index(number, 0), self.index(number, len(self.columns) - 1))
