"""A list of ``Row`` values as a Qt model. It holds the rows it is given; ``sample_model.py`` pages instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from workstation.app.rows import Cell, Column, Row
from workstation.ui.icons import icon
from workstation.ui.keymap import keyless
from workstation.ui.panels.swatches import mark_icon
from workstation.ui.theme import DARK, Theme

Index = QModelIndex | QPersistentModelIndex
ROW = int(Qt.ItemDataRole.UserRole)
CELL = ROW + 1
_NOWHERE = QModelIndex()
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class RowModel(QAbstractTableModel):
    """``set_rows`` replaces them; whoever asks again for the same rows causes no redraw."""

    def __init__(self, columns: Sequence[Column], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self.theme: Theme = DARK
        self.spelled: Callable[[str], str] = keyless
        self._rows: list[Row] = []

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns; the rows go."""
        if tuple(columns) != self.columns:
            self.beginResetModel()
            self.columns, self._rows = tuple(columns), []
            self.endResetModel()

    def set_rows(self, rows: Sequence[Row]) -> bool:
        """Show these; whether anything is different."""
        fresh = list(rows)
        if fresh == self._rows:
            return False
        if [row.key for row in fresh] == [row.key for row in self._rows]:
            self._rows = fresh
            self.dataChanged.emit(self.index(0, 0), self.index(len(fresh) - 1, len(self.columns) - 1))
            return True
        self.beginResetModel()
        self._rows = fresh
        self.endResetModel()
        return True

    def row_at(self, number: int) -> Row | None:
        return self._rows[number] if 0 <= number < len(self._rows) else None

    # --- Qt -----------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.spelled(column.help) or column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            return _RIGHT if column.numeric else left
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index.row())
        if row is None or not 0 <= index.column() < len(row.cells):
            return None
        return cell_data(row, row.cells[index.column()], self.columns[index.column()], self.theme, role)

    def flags(self, index: Index) -> Qt.ItemFlag:
        row = self.row_at(index.row())
        if row is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled


def cell_data(row: Row, cell: Cell, column: Column, theme: Theme, role: int) -> Any:
    """What a cell answers in a role; one place for all models of rows."""
    if role == Qt.ItemDataRole.DisplayRole:
        return cell.text
    if role == Qt.ItemDataRole.ToolTipRole:
        return cell.tip or cell.text
    if role == Qt.ItemDataRole.AccessibleTextRole:
        return f"{column.title}: {cell.text or 'nothing'}"
    if role == Qt.ItemDataRole.ForegroundRole:
        tone = cell.tone or ("" if row.enabled else "quiet")
        return QColor(getattr(theme, tone)) if tone else None
    if role == Qt.ItemDataRole.DecorationRole:
        if cell.paint is not None:
            return mark_icon(cell.paint)
        return icon(cell.icon, theme) if cell.icon else None
    if role == Qt.ItemDataRole.TextAlignmentRole:
        return _RIGHT if column.numeric else None
    return {ROW: row, CELL: cell}.get(role)
