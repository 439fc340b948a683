"""Dialogs that are one list: what was told, and what is missing before a sample can be submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from workstation.app.submitting import Missing, missing_before_submitting
from workstation.app.walking import when
from workstation.ui.dialogs.sheet import Sheet, named

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow


class Messages(Sheet):
    """Everything that was said since the start, the latest first."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "messages", "Messages")
        self.resize(640, 400)
        entries = QListWidget()
        named(entries, "messages_list", "Messages, the latest first")
        entries.setWordWrap(True)
        for moment, told in reversed(window.status.history):
            entries.addItem(f"{moment}  {told.tone.value if told.tone.value != 'note' else ''}  {told.text}")
        self.column.addWidget(entries, 1)
        if not window.status.history:
            self.say("Nothing has been said yet.", "quiet")
        close = self.button("close", "Close", default=True)
        close.clicked.connect(self.accept)
        self.buttons(close)


class MissingList(Sheet):
    """What keeps the sample from being submitted; one click or Enter goes there."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "missing", "Not ready to submit")
        self.resize(560, 360)
        self.say("These are missing. Choose one to go there.")
        self._list = QListWidget()
        named(self._list, "missing_list", "What is missing")
        self._list.setWordWrap(True)
        opened = window.opened
        view = None if opened is None else opened.bench.view
        if opened is not None and view is not None:
            for missing in missing_before_submitting(opened.session.store, view.id):
                names = ", ".join(view.name_of(each) for each in missing.ids if view.exists(each))
                entry = QListWidgetItem(f"{missing.text} {names}".strip())
                entry.setData(Qt.ItemDataRole.UserRole, missing)
                self._list.addItem(entry)
        self._list.setCurrentRow(0)
        self._list.itemActivated.connect(self._on_chosen)
        self._list.itemClicked.connect(self._on_chosen)
        self.column.addWidget(self._list, 1)
        close = self.button("close", "Close")
        close.clicked.connect(self.reject)
        self.buttons(close)
        self._list.setFocus()

    @Slot(QListWidgetItem)
    def _on_chosen(self, entry: QListWidgetItem) -> None:
        missing: Missing = entry.data(Qt.ItemDataRole.UserRole)
        opened = self.frame.opened
        self.accept()
        if opened is None or opened.bench.view is None:
            return
        bench, view = opened.bench, opened.bench.view
        bench.select([each for each in missing.ids if view.exists(each)], cause="window")
        starts = [when(view, each) for each in missing.ids]
        if starts and starts[0] is not None:
            bench.clock.pause()
            bench.clock.seek(starts[0])
        bench.reveal(bench.selected)
        bench.tell(missing.text)
