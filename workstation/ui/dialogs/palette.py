"""Find anything (``Ctrl+K``): actions and commands, samples, classes, things, labels, and places in time.

The class picker is the same with classes alone. What can be found is in ``hits.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem

from workstation.app.searching import best
from workstation.ui.dialogs.hits import Hit, class_hits, hits_of, place_hit, sample_hits
from workstation.ui.dialogs.sheet import Sheet, named

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_SHOWN = 40
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class Palette(Sheet):
    """A field and the list of what fits."""

    def __init__(self, window: MainWindow, name: str = "palette", title: str = "Find anything") -> None:
        super().__init__(window, name, title)
        self.resize(620, 460)
        self._hits = self.hits()
        self.field = QLineEdit()
        named(self.field, f"{self.objectName()}_field", title)
        self.field.setPlaceholderText(self.hint())
        self.list = QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        named(self.list, f"{self.objectName()}_list", "What fits")
        self.list.setToolTip("")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.column.addWidget(self.field)
        self.column.addWidget(self.list, 1)
        self.field.installEventFilter(self)
        self.field.textChanged.connect(self._search)
        self.field.returnPressed.connect(self._take)
        self.list.itemClicked.connect(self._on_clicked)
        self._search("")
        self.field.setFocus()

    def hits(self) -> list[Hit]:
        """Everything that can be found."""
        return hits_of(self.frame)

    def asked(self, typed: str) -> tuple[list[Hit], list[Hit]]:
        """What is found only by what was typed: the place in time it names, and samples beyond those listed."""
        place = place_hit(self.frame, typed)
        return ([] if place is None else [place]), sample_hits(self.frame, typed)

    def hint(self) -> str:
        return "A command, sample, class or thing; or go to 14.327"

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while letters go into the field."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() in _MOVES:
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -8}.get(Qt.Key(event.key()), 8)
            current: QTreeWidgetItem | None = self.list.currentItem()
            if current is not None:
                self._go(self.list.indexOfTopLevelItem(current) + step)
            return True
        return super().eventFilter(watched, event)

    @Slot(str)
    def _search(self, typed: str) -> None:
        first, more = self.asked(typed)
        found = first + best(typed, ((hit.name, hit) for hit in (*self._hits, *more)), _SHOWN)
        self.list.clear()
        for hit in found:
            entry = QTreeWidgetItem([hit.name, hit.keys or hit.kind])
            entry.setData(0, Qt.ItemDataRole.UserRole, hit)
            entry.setToolTip(0, hit.why_not or hit.help)
            entry.setForeground(1, QColor(self.frame.theme.quiet))
            if hit.why_not:
                entry.setForeground(0, QColor(self.frame.theme.quiet))
                entry.setText(0, f"{hit.name}: {hit.why_not}")
            self.list.addTopLevelItem(entry)
        self._go(0)

    def _go(self, row: int) -> None:
        entry = self.list.topLevelItem(min(max(row, 0), self.list.topLevelItemCount() - 1))
        if entry is not None:
            self.list.setCurrentItem(entry)

    @Slot()
    def _take(self) -> None:
        self._do(self.list.currentItem())

    @Slot(QTreeWidgetItem)
    def _on_clicked(self, entry: QTreeWidgetItem) -> None:
        self._do(entry)

    def _do(self, entry: QTreeWidgetItem | None) -> None:
        if entry is None:
            return
        hit: Hit = entry.data(0, Qt.ItemDataRole.UserRole)
        self.accept()  # first: what is found may open another dialog
        hit.act()


class ClassPicker(Palette):
    """Type to search for a class: key 0."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "class", "Choose a class")
        self.resize(420, 380)

    def hits(self) -> list[Hit]:
        return class_hits(self.frame)

    def asked(self, typed: str) -> tuple[list[Hit], list[Hit]]:
        return [], []

    def hint(self) -> str:
        return "A class"
