"""The form of a command: its arguments as fields, filled in from the selection and the playhead as far as they say.

What is refused stays open with the reason, so that nothing typed is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QWidget,
)

from workstation.app.forms import Entry, Field, arguments_from, fields_of
from workstation.commands.registry import Command
from workstation.core.errors import Refused, UserError
from workstation.ui.actions.commands import place_of
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_CTRL = Qt.KeyboardModifier.ControlModifier
_LONG = frozenset({"text", "reason", "note", "rationale"})


class Arguments(Sheet):
    """One command, one form."""

    def __init__(self, window: MainWindow, command: Command, bench: Workbench) -> None:
        super().__init__(window, "command", command.title.rstrip("…"))
        self._command = command
        self._bench = bench
        self._widgets: dict[str, QWidget] = {}
        place = place_of(window.performing.hands(window.focused_pane()))
        self.say(command.help, "quiet")
        if place.view is not None and place.selected:
            names = ", ".join(place.view.name_of(each) for each in place.selected[:6])
            self.say(f"Selected: {names}" + (" …" if len(place.selected) > 6 else ""))
        self._build_fields(fields_of(command, place))
        self._problem = self.say("", "error")
        self._problem.hide()
        done = self.button("do", command.title.rstrip("…"), default=True)
        done.setToolTip("Ctrl+Enter")
        done.clicked.connect(self._do)
        cancel = self.button("cancel", "Cancel")
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, done)
        self.resize(520, min(680, 240 + 46 * len(self._widgets)))

    def _build_fields(self, fields: list[Field]) -> None:
        page = QWidget()
        form = QFormLayout(page)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for field in sorted(fields, key=lambda each: not each.required):
            widget = _widget(field)
            named(widget, f"argument_{field.name}", field.title)
            widget.setToolTip(field.help)
            widget.setAccessibleDescription(field.help)
            form.addRow(field.title + (" *" if field.required else ""), widget)
            self._widgets[field.name] = widget
        area = QScrollArea()
        named(area, "arguments", "Arguments")
        area.setToolTip("")
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(page)
        self.column.addWidget(area, 1)
        wanted = sorted((each for each in fields if not each.value), key=lambda each: not each.required)
        empty = next((self._widgets[each.name] for each in wanted), None)
        if empty is not None:
            empty.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+Enter does it, also from a field of several lines."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and event.modifiers() & _CTRL:
            self._do()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _do(self) -> None:
        texts = {name: _text(widget) for name, widget in self._widgets.items()}
        try:
            self._bench.session.run(self._command.id, **arguments_from(self._command, texts))
        except Refused as refused:
            self._refuse(" ".join(f"{problem.rstrip('.')}." for problem in refused.problems))
        except UserError as problem:
            self._refuse(str(problem))
        else:
            self.accept()

    def _refuse(self, why: str) -> None:
        self._problem.setText(why)
        self._problem.setAccessibleName(why)
        self._problem.show()


def _widget(field: Field) -> QWidget:
    if field.entry is Entry.SWITCH:
        switch = QCheckBox()
        switch.setChecked(field.value == "yes")
        return switch
    if field.entry is Entry.CHOICE:
        box = QComboBox()
        box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setEditable(field.open_choice)
        if not field.required or field.open_choice:
            box.addItem("", "")
        for value, words in field.choices:
            box.addItem(words, value)
        box.setCurrentIndex(max(0, box.findData(field.value)))
        return box
    if field.name in _LONG:
        text = QPlainTextEdit(field.value)
        text.setTabChangesFocus(True)
        text.setFixedHeight(text.fontMetrics().lineSpacing() * 4)
        return text
    return QLineEdit(field.value)


def _text(widget: QWidget) -> str:
    if isinstance(widget, QCheckBox):
        return "yes" if widget.isChecked() else ""
    if isinstance(widget, QComboBox):
        index = widget.findText(widget.currentText(), Qt.MatchFlag.MatchExactly)
        return str(widget.itemData(index)) if index >= 0 else widget.currentText()
    if isinstance(widget, QPlainTextEdit):
        return widget.toPlainText()
    return widget.text() if isinstance(widget, QLineEdit) else ""
