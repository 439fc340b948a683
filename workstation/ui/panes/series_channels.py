"""The list in which channels are chosen and put in order: a small window over the series pane."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

_KEY = Qt.ItemDataRole.UserRole


class ChannelList(QFrame):
    """``chosen`` tells the whole list after each change: (key, shown) in order."""

    chosen = QtSignal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("series_channels")
        self.setAccessibleName("Channels to show")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.list = QListWidget()
        self.list.setObjectName("series_channel_list")
        self.list.setAccessibleName("Channels; Space shows or hides")
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.list.setMinimumSize(280, 260)
        note = QLabel("Space shows or hides; drag, or use the arrows, to put in order")
        note.setObjectName("series_channel_note")
        row = QHBoxLayout()
        for name, text, tip, step in (("up", "↑", "Move up", -1), ("down", "↓", "Move down", 1)):
            button = QToolButton()
            button.setObjectName(f"series_channel_{name}")
            button.setText(text)
            button.setAccessibleName(tip)
            button.setToolTip(tip)
            button.setProperty("step", step)
            button.clicked.connect(self._move)
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(note)
        column.addWidget(self.list)
        column.addLayout(row)
        self.list.itemChanged.connect(self._tell)
        self.list.model().rowsMoved.connect(self._tell)

    def offer(self, channels: Sequence[tuple[str, str, bool]]) -> None:
        """(key, title, shown) of every channel, in order."""
        self.list.blockSignals(True)
        self.list.clear()
        for key, title, shown in channels:
            item = QListWidgetItem(title)
            item.setData(_KEY, key)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if shown else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.list.blockSignals(False)

    def _move(self) -> None:
        step = int(self.sender().property("step"))
        at = self.list.currentRow()
        to = at + step
        if at >= 0 and 0 <= to < self.list.count():
            item = self.list.takeItem(at)
            self.list.insertItem(to, item)
            self.list.setCurrentRow(to)
            self._tell()

    def _tell(self) -> None:
        items = [self.list.item(i) for i in range(self.list.count())]
        self.chosen.emit([(str(each.data(_KEY)), each.checkState() is Qt.CheckState.Checked) for each in items])
