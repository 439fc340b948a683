"""What the window shows without a project: the demo one click away, recent projects, open. Made by the main window."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from workstation import __version__


class Welcome(QWidget):
    """Says what can be done and asks for it."""

    performed = QtSignal(str)
    project_chosen = QtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setAccessibleName("Welcome")
        page = QWidget()
        page.setMaximumWidth(620)
        self._column = QVBoxLayout(page)
        self._column.setSpacing(12)
        self._build_words()
        self._build_buttons()
        self._build_recent()
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        outer.addWidget(page, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(3)

    def list_recent(self, projects: Iterable[Path]) -> None:
        """The projects opened before, the latest first."""
        self._recent.clear()
        for path in projects:
            entry = QListWidgetItem(f"{path.name}\n{path.parent}")
            entry.setData(Qt.ItemDataRole.UserRole, str(path))
            entry.setData(Qt.ItemDataRole.AccessibleTextRole, f"{path.name} in {path.parent}")
            self._recent.addItem(entry)
        known = self._recent.count() > 0
        self._recent.setVisible(known)
        self._recent_title.setVisible(known)
        if known:
            self._recent.setCurrentRow(0)
        rows = min(6, self._recent.count())
        self._recent.setFixedHeight(max(1, rows) * (self._recent.sizeHintForRow(0) + 2) + 4)

    def _build_words(self) -> None:
        title = QLabel("Workstation")
        title.setProperty("role", "title")
        said = QLabel(
            "Label video, sound, point clouds, text and medical series of one moment,\nand the links between them."
        )  # lines of our own: what is wrapped in the middle of a window is given too little height
        version = QLabel(f"Version {__version__}. Everything stays on this computer.")
        version.setProperty("tone", "quiet")
        for label in (title, said, version):
            self._column.addWidget(label)

    def _build_buttons(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        for action_id, text in (("project.demo", "Open the demo"), ("project.open", "Open project…")):
            button = QPushButton(text)
            button.setObjectName(f"welcome_{action_id}")
            button.setAccessibleName(text)
            button.setProperty("action_id", action_id)
            button.clicked.connect(self._on_clicked)
            button.setDefault(action_id == "project.demo")
            row.addWidget(button)
        row.addStretch(1)
        self._column.addSpacing(8)
        self._column.addLayout(row)

    def _build_recent(self) -> None:
        self._recent_title = QLabel("Recent projects")
        self._recent_title.setProperty("role", "section")
        self._recent = QListWidget()
        self._recent.setObjectName("recent_projects")
        self._recent.setAccessibleName("Recent projects")
        self._recent.itemActivated.connect(self._on_activated)
        self._recent.itemClicked.connect(self._on_activated)
        self._column.addSpacing(8)
        self._column.addWidget(self._recent_title)
        self._column.addWidget(self._recent)

    @Slot()
    def _on_clicked(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.performed.emit(str(sender.property("action_id")))

    @Slot(QListWidgetItem)
    def _on_activated(self, entry: QListWidgetItem) -> None:
        self.project_chosen.emit(str(entry.data(Qt.ItemDataRole.UserRole)))
