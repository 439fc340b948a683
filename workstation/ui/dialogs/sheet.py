"""What all dialogs are: named, over the window, closed by Esc, gone when closed; and the column they are built in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from shiboken6 import isValid

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow


class Sheet(QDialog):
    """A dialog of the window. ``open()`` shows it and returns at once."""

    def __init__(self, window: MainWindow, name: str, title: str) -> None:
        super().__init__(window)
        self.frame = window
        self.setObjectName(f"dialog_{name}")
        self.setAccessibleName(title)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 14, 16, 14)
        self.column.setSpacing(10)
        self.words: QLabel | None = None
        """Where ``explain`` writes."""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        focused: QWidget | None = self.focusWidget()
        if focused is None:
            self.focusNextChild()  # keys work at once

    def explain(self, text: str) -> None:
        """Say how it went; may come from a job that ends after the dialog was closed."""
        if isValid(self) and self.words is not None:
            self.words.setText(text)

    def say(self, text: str, tone: str = "") -> QLabel:
        """A sentence in the column."""
        label = QLabel(text)
        label.setWordWrap(True)
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.LinksAccessibleByMouse
        )
        if tone:
            label.setProperty("tone", tone)
        self.column.addWidget(label)
        return label

    def buttons(self, *made: QPushButton) -> QHBoxLayout:
        """A row at the foot, to the right."""
        row = QHBoxLayout()
        row.addStretch(1)
        for button in made:
            row.addWidget(button)
        self.column.addLayout(row)
        return row

    def button(self, name: str, text: str, *, default: bool = False) -> QPushButton:
        """A named button."""
        made = QPushButton(text)
        made.setObjectName(f"{self.objectName()}_{name}")
        made.setAccessibleName(text)
        made.setDefault(default)
        made.setAutoDefault(default)
        return made


def named(widget: QWidget, name: str, spoken: str) -> None:
    """Give a control its name for us and the one that is read out."""
    widget.setObjectName(name)
    widget.setAccessibleName(spoken)
    if not widget.toolTip():
        widget.setToolTip(spoken)
