"""A question over the transcript: what is to become of links whose words are gone. Asked by ``text_typing.py``."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget


class Question(QWidget):
    """A line over the page that asks what is to become of something; nothing waits for the answer."""

    answered = QtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("text_question")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 4, 8, 4)
        self._row.addWidget(self._text, 1)
        self._buttons: list[QPushButton] = []
        self.hide()

    def ask(self, text: str, answers: Sequence[tuple[str, str]]) -> None:
        """Show the question; the same one again changes nothing."""
        if self.isVisible() and self._text.text() == f"▲ {text}":
            return
        self._text.setText(f"▲ {text}")
        self.setAccessibleName(text)
        for button in self._buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = []
        for name, title in answers:
            button = QPushButton(title)
            button.setObjectName(f"text_answer_{name}")
            button.setAccessibleName(title)
            button.setProperty("answer", name)
            button.clicked.connect(self._chosen)
            self._row.addWidget(button)
            self._buttons.append(button)
        self.show()

    def _chosen(self) -> None:
        self.answered.emit(self.sender().property("answer"))
