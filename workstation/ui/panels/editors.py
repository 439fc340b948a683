"""One editor for each kind of value: shows it without a word, tells once when a person has changed it.

``show_field`` never emits; ``changed`` tells the new value, ``None`` where it was taken away.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QMenu, QPlainTextEdit, QPushButton, QSizePolicy, QWidget

from workstation.app.inspecting import Editor, InspectorField
from workstation.ui.eliding import ChoiceBox

MIXED = "mixed"
_NOTHING = "—"


class PlainValue(QLabel):
    """What is only read; can be marked and copied."""

    changed = QtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_field(self, field: InspectorField) -> None:
        value = f"{field.value:.6g}" if isinstance(field.value, float) else str(field.value or _NOTHING)
        self.setText(MIXED if field.mixed else f"{value} {field.unit}".strip())


class ChoiceEditor(ChoiceBox):
    """One of several; the wheel does nothing until it has the focus."""

    changed = QtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(4)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMaxVisibleItems(24)
        self._choices: tuple[tuple[object, str], ...] = ()
        self.activated.connect(self._on_activated)

    def show_field(self, field: InspectorField) -> None:
        choices: tuple[tuple[object, str], ...] = field.choices
        if field.editor is Editor.FLAG:
            choices = ((True, "yes"), (False, "no"))
        if field.may_be_empty:
            choices = ((None, _NOTHING), *choices)
        known = {value for value, _ in choices}
        if field.value is not None and field.value not in known:
            choices = (*choices, (field.value, f"{field.value} (not legal here)"))
        with QSignalBlocker(self):
            if choices != self._choices:
                self._choices = choices
                self.clear()
                self.addItems([words for _, words in choices])
            self.setPlaceholderText(MIXED if field.mixed else _NOTHING)
            place = next((i for i, (value, _) in enumerate(choices) if value == field.value), -1)
            self.setCurrentIndex(-1 if field.mixed else place)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    @Slot(int)
    def _on_activated(self, number: int) -> None:
        self.changed.emit(self._choices[number][0])


class ChoicesEditor(QPushButton):
    """Several of several: a menu to tick in."""

    changed = QtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMenu(QMenu(self))
        self.menu().triggered.connect(self._on_triggered)
        self.setStyleSheet("text-align: left; padding: 2px 6px")

    def show_field(self, field: InspectorField) -> None:
        chosen = set(field.value or ())
        menu = self.menu()
        menu.clear()
        for key, words in field.choices:
            action = menu.addAction(words)
            action.setData(key)
            action.setCheckable(True)
            action.setChecked(key in chosen)
        names = [words for key, words in field.choices if key in chosen]
        self.setText(MIXED if field.mixed else ", ".join(names) or _NOTHING)

    @Slot()
    def _on_triggered(self) -> None:
        chosen = tuple(str(action.data()) for action in self.menu().actions() if action.isChecked())
        self.changed.emit(chosen or None)


class LineEditor(QLineEdit):
    """A number or a line of text: kept on Enter and when the focus leaves."""

    changed = QtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field: InspectorField | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.editingFinished.connect(self._on_finished)

    def show_field(self, field: InspectorField) -> None:
        self._field = field
        if self.hasFocus() and self.isModified():
            return  # somebody is typing here; what she types counts
        with QSignalBlocker(self):
            self.setText("" if field.mixed else _text(field))
            self.setModified(False)
        self.setPlaceholderText(MIXED if field.mixed else _NOTHING)
        self.setCursorPosition(0)

    def settle(self) -> None:
        """Take what was typed for done, as if the focus had left."""
        self._on_finished()

    @Slot()
    def _on_finished(self) -> None:
        field = self._field
        if field is None or not self.isModified():
            return
        self.setModified(False)
        text = self.text().strip()
        if not text and field.may_be_empty:
            self.changed.emit(None if field.editor is not Editor.TEXT else "")
            return
        value = _value(field.editor, text)
        if value is None:
            self.show_field(field)
            self.setToolTip(
                f"“{text[:40]}” is not {'a whole number' if field.editor is Editor.INTEGER else 'a number'}"
            )
        else:
            self.changed.emit(value)


class LongEditor(QPlainTextEdit):
    """Several lines of text, kept when the focus leaves."""

    changed = QtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self.fontMetrics().height() * 3 + 12)

    def show_field(self, field: InspectorField) -> None:
        if self.hasFocus() and self.document().isModified():
            return
        with QSignalBlocker(self):
            self.setPlainText("" if field.mixed else str(field.value or ""))
            self.document().setModified(False)
        self.setPlaceholderText(MIXED if field.mixed else _NOTHING)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.settle()

    def settle(self) -> None:
        """Take what was typed for done."""
        if self.document().isModified():
            self.document().setModified(False)
            self.changed.emit(self.toPlainText())


AnyEditor = PlainValue | ChoiceEditor | ChoicesEditor | LineEditor | LongEditor
_MADE: dict[Editor, type[Any]] = {
    Editor.PLAIN: PlainValue, Editor.CHOICE: ChoiceEditor, Editor.FLAG: ChoiceEditor, Editor.CHOICES: ChoicesEditor,
    Editor.INTEGER: LineEditor, Editor.NUMBER: LineEditor, Editor.TEXT: LineEditor, Editor.LONG: LongEditor,
}  # fmt: skip


def editor_for(editor: Editor) -> AnyEditor:
    """A new editor of that kind."""
    made: AnyEditor = _MADE[editor]()
    return made


def _text(field: InspectorField) -> str:
    if field.value is None:
        return ""
    return f"{field.value:.9g}" if isinstance(field.value, float) else str(field.value)


def _value(editor: Editor, text: str) -> object | None:
    """What was typed; ``None`` where it is no such value. A comma is taken for the point."""
    if editor is Editor.TEXT:
        return text
    try:
        return int(text) if editor is Editor.INTEGER else float(text.replace(",", ".").replace("−", "-"))
    except ValueError:
        return None
