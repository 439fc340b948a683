"""The table in which panels show rows: even rows, keyboard alone, a sentence where there is nothing.

Arrows move, Enter, a click or a double click chooses; letters stay free for the keys of the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import (
    QAbstractItemModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    QRectF,
    Qt,
)
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QContextMenuEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from workstation.app.rows import Cell, Column, Row
from workstation.ui.keymap import keyless
from workstation.ui.panels.row_model import CELL, ROW, Index, RowModel
from workstation.ui.theme import DARK, Theme

_STRETCH = 16
"""Letters that a column keeps which takes what room is left."""
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class RowTable(QTableView):
    """``chosen`` tells the row and cell that was chosen; ``picked`` that others are selected by hand."""

    chosen = QtSignal(object, object)
    picked = QtSignal()
    entered_on = QtSignal(QModelIndex)
    """Enter was pressed on a row, after ``chosen``."""
    menu_wanted = QtSignal(object, QPoint)

    def __init__(self, name: str, spoken: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAlternatingRowColors(False)
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.theme: Theme = DARK
        self.empty = ""
        """The sentence that stands where there are no rows."""
        self._spelled: Callable[[str], str] = keyless
        self.related: frozenset[int] = frozenset()
        """Numbers of rows that belong to what is selected."""
        self._showing = False
        self._columns: tuple[Column, ...] = ()
        self.setItemDelegate(_RowDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        header.setAccessibleName(f"{spoken}: columns")
        self.setCornerButtonEnabled(False)
        self.clicked.connect(self._on_clicked)
        self._even_rows()

    def set_model(self, model: QAbstractItemModel, columns: Iterable[Column]) -> None:
        """Show this model with columns as wide as they ask for."""
        self.setModel(model)
        self.selectionModel().selectionChanged.connect(self._on_selection)
        self.lay_out(columns)

    def lay_out(self, columns: Iterable[Column]) -> None:
        """Give the columns their widths."""
        header, letter = self.horizontalHeader(), QFontMetrics(self.font()).averageCharWidth()
        self._columns = tuple(columns)
        for number, column in enumerate(self._columns):
            mode = QHeaderView.ResizeMode.Stretch if column.stretch else QHeaderView.ResizeMode.Interactive
            header.setSectionResizeMode(number, mode)
            if not column.stretch:
                header.resizeSection(number, letter * column.width + 14)
        self._spare()

    def _spare(self) -> None:
        """Where it is narrow, what can be spared goes away, so that nothing has to be scrolled to from side to side."""
        letter, room = QFontMetrics(self.font()).averageCharWidth(), self.viewport().width()
        wanted = sum(letter * (_STRETCH if each.stretch else each.width) + 14 for each in self._columns)
        gone: set[int] = set()
        for number in sorted(range(len(self._columns)), key=lambda each: -self._columns[each].spare):
            column = self._columns[number]
            if wanted <= room or not column.spare:
                break
            gone.add(number)
            wanted -= letter * column.width + 14
        for number, column in enumerate(self._columns):
            if column.spare:
                self.setColumnHidden(number, number in gone)

    def selected_rows(self) -> list[Row]:
        """Selected ones from above to below."""
        selection: QItemSelectionModel | None = self.selectionModel()
        if selection is None:
            return []
        rows = [index.data(ROW) for index in sorted(selection.selectedRows(), key=_row_of)]
        return [row for row in rows if isinstance(row, Row)]

    def show_selected(self, numbers: Iterable[int], *, scroll: bool = True) -> None:
        """Mark these rows without telling anybody."""
        model: QAbstractItemModel | None = self.model()
        selection: QItemSelectionModel | None = self.selectionModel()
        if model is None or selection is None:
            return
        wanted = sorted(set(numbers))
        have = sorted(index.row() for index in selection.selectedRows())
        self._showing = True
        try:
            if wanted != have:
                chosen = QItemSelection()
                for number in wanted:
                    chosen.select(model.index(number, 0), model.index(number, model.columnCount() - 1))
                selection.select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)
                if wanted:
                    first = model.index(wanted[0], max(0, self.currentIndex().column()))
                    selection.setCurrentIndex(first, QItemSelectionModel.SelectionFlag.NoUpdate)
            if wanted and scroll:
                self.scrollTo(model.index(wanted[0], 0))
        finally:
            self._showing = False

    def show_related(self, numbers: Iterable[int]) -> None:
        """Mark these rows more lightly: they belong to what is selected. The first is scrolled to if none is chosen."""
        related = frozenset(numbers)
        if related == self.related:
            return
        self.related = related
        self.viewport().update()
        model: QAbstractItemModel | None = self.model()
        selection: QItemSelectionModel | None = self.selectionModel()
        if related and model is not None and selection is not None and not selection.hasSelection():
            self.scrollTo(model.index(min(related), 0))

    def wear(self, theme: Theme) -> None:
        """Paint in this theme."""
        self.theme = theme
        self.viewport().update()

    # --- Qt -----------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._spare()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ENTER:
            self._choose(self.currentIndex())
            self.entered_on.emit(self.currentIndex())
            event.accept()
            return
        super().keyPressEvent(event)

    def keyboardSearch(self, _search: str) -> None:
        """Letters are keys of the window; the field over the list filters."""

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.indexAt(event.pos())
        if event.reason() is QContextMenuEvent.Reason.Keyboard or not index.isValid():
            index = self.currentIndex()
        place = event.globalPos()
        if event.reason() is QContextMenuEvent.Reason.Keyboard and index.isValid():
            place = self.viewport().mapToGlobal(self.visualRect(index).bottomLeft())
        self.menu_wanted.emit(index.data(ROW) if index.isValid() else None, place)

    def spell(self, spelled: Callable[[str], str]) -> None:
        """Put keys into its sentence and the tips of its columns with this from now on."""
        self._spelled = spelled
        model: QAbstractItemModel | None = self.model()
        if isinstance(model, RowModel):
            model.spelled = spelled

    def changeEvent(self, event: object) -> None:
        super().changeEvent(event)  # type: ignore[arg-type]
        self._even_rows()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        model: QAbstractItemModel | None = self.model()
        if self.empty and (model is None or model.rowCount() == 0):
            painter = QPainter(self.viewport())
            painter.setPen(QColor(self.theme.quiet))
            room = self.viewport().rect().adjusted(16, 12, -16, -12)
            flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, int(flags), self._spelled(self.empty))
            painter.end()

    # --- own ----------------------------------------------------------------------------------------------------

    def _even_rows(self) -> None:
        self.verticalHeader().setDefaultSectionSize(QFontMetrics(self.font()).height() + 8)

    def _on_clicked(self, index: QModelIndex) -> None:
        self._choose(index)

    def _choose(self, index: QModelIndex) -> None:
        row = index.data(ROW) if index.isValid() else None
        if isinstance(row, Row):
            self.chosen.emit(row, index.data(CELL))

    def _on_selection(self, _now: QItemSelection, _before: QItemSelection) -> None:
        if not self._showing:
            self.picked.emit()


class _RowDelegate(QStyledItemDelegate):
    """Rows with a bar of shares, and indented ones."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        row = index.data(ROW)
        if isinstance(row, Row) and row.depth and index.column() == 0:
            option.rect = QRect(option.rect).adjusted(row.depth * 14, 0, 0, 0)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        cell, table = index.data(CELL), self.parent()
        if not isinstance(table, RowTable):
            super().paint(painter, option, index)
            return
        room, chosen = QRect(option.rect), bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            # A tint and a bar, not the full accent: marks and tones must keep their colours on a selected row.
            painter.fillRect(room, mixed(table.theme.panel, table.theme.accent, 0.38))
            if index.column() == 0:
                painter.fillRect(QRect(room.left(), room.top(), 3, room.height()), QColor(table.theme.accent))
        elif index.row() in table.related:
            painter.fillRect(room, mixed(table.theme.panel, table.theme.accent, 0.16))
            if index.column() == 0:
                painter.setPen(QColor(table.theme.accent))
                painter.drawRect(QRect(room.left(), room.top() + 2, 2, room.height() - 5))
        plain = QStyleOptionViewItem(option)
        plain.state &= ~(QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus)
        super().paint(painter, plain, index)
        if isinstance(cell, Cell) and cell.shares:
            _paint_shares(painter, QRectF(room), cell.shares, table.theme)
        if table.hasFocus() and index.row() == table.currentIndex().row():
            painter.setPen(QColor(table.theme.accent))
            painter.drawLine(room.topLeft(), room.topRight())
            painter.drawLine(room.bottomLeft(), room.bottomRight())


def mixed(ground: str, colour: str, share: float) -> QColor:
    """``share`` of a colour over another."""
    a, b = QColor(ground), QColor(colour)
    parts = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return QColor(*(round(low + (high - low) * share) for low, high in parts))


def _paint_shares(painter: QPainter, room: QRectF, shares: tuple[float, ...], theme: Theme) -> None:
    """One cell of a bar per lane, filled as far as it is done, along the foot of the row."""
    bar = QRectF(room.left() + 4, room.bottom() - 5, room.width() - 8, 3)
    step = bar.width() / len(shares)
    painter.save()
    for number, share in enumerate(shares):
        part = QRectF(bar.left() + number * step, bar.top(), max(1.0, step - 1.5), bar.height())
        painter.fillRect(part, QColor(theme.line))
        painter.fillRect(QRectF(part.left(), part.top(), part.width() * share, part.height()), QColor(theme.good))
    painter.restore()


def _row_of(index: QModelIndex) -> int:
    return index.row()
