"""A form of sections: each built once for its fields, filled anew without rebuilding, shared by all that have it.

One selection differs from the next in few sections, so turning to it shows and hides those, and builds what was never
seen: a whole form takes 40 ms to build.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as made

from PySide6.QtCore import Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from workstation.app.inspecting import Editor, InspectorField, Section
from workstation.ui.panels.editors import AnyEditor, LineEditor, LongEditor, editor_for

_Signature = tuple[str, tuple[tuple[str, Editor], ...]]
_MOST_PARTS = 40
"""Sections that are kept though they are not shown."""


@dataclass(slots=True)
class _Part:
    """One section: its title and an editor for each field."""

    widget: QWidget
    editors: dict[str, AnyEditor] = made(default_factory=dict)
    labels: dict[str, QLabel] = made(default_factory=dict)
    shown: dict[str, InspectorField] = made(default_factory=dict)
    """What each label and tool tip was written for."""


class Form(QScrollArea):
    """``changed`` tells the key of a field and its new value."""

    changed = QtSignal(str, object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setProperty("form", True)  # has the focus where nothing in it can be edited, and shows it
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._parts: dict[_Signature, _Part] = {}
        """Every section that was built, those shown last at the end."""
        self._signatures: tuple[_Signature, ...] = ()
        self._editors: dict[str, AnyEditor] = {}
        within = QWidget()
        self._column = QVBoxLayout(within)
        self._column.setContentsMargins(7, 5, 7, 7)
        self._column.setSpacing(4)
        self._column.addStretch(1)
        self.setWidget(within)

    def editor(self, key: str) -> AnyEditor | None:
        """The editor of a field that is shown."""
        return self._editors.get(key)

    def settle(self) -> None:
        """What is being typed belongs to what is shown now: take it for done before something else is shown."""
        for editor in self._editors.values():
            if isinstance(editor, LineEditor | LongEditor):
                editor.settle()

    def show_sections(self, sections: Sequence[Section]) -> None:
        """Show these; a field being typed in keeps what is typed."""
        signatures = tuple((each.title, tuple((f.key, f.editor) for f in each.fields)) for each in sections)
        if signatures != self._signatures:
            self._column.setEnabled(False)  # else each section that comes lays out all of them
            try:
                self._turn_to(signatures, sections)
            finally:
                self._column.setEnabled(True)
        for signature, section in zip(signatures, sections, strict=True):
            for field in section.fields:
                _fill(self._parts[signature], field)

    def _turn_to(self, signatures: tuple[_Signature, ...], sections: Sequence[Section]) -> None:
        """Show these sections in this order; those that were not shown for longest are let go."""
        for signature in set(self._signatures) - set(signatures):
            part = self._parts[signature]
            part.widget.hide()
            for editor in part.editors.values():
                editor.setObjectName("")  # a name belongs to what is shown
        self._editors = {}
        above: QWidget | None = None
        for signature, section in zip(signatures, sections, strict=True):
            part = self._parts.pop(signature) if signature in self._parts else self._built(section)
            self._parts[signature] = part
            self._editors |= part.editors
            self._put_below(above, part.widget)
            above = part.widget
            for key, editor in part.editors.items():
                editor.setObjectName(f"{self.objectName()}_{key.replace(':', '_').replace('.', '_')}")
            part.widget.show()
        self._signatures = signatures
        while len(self._parts) > max(_MOST_PARTS, len(signatures)):
            gone = self._parts.pop(next(iter(self._parts)))
            self._column.removeWidget(gone.widget)
            gone.widget.deleteLater()

    def _put_below(self, above: QWidget | None, widget: QWidget) -> None:
        """Those that are hidden may lie between; a section that stands right is left alone, which lays out nothing."""
        column = self._column
        least = 0 if above is None else column.indexOf(above) + 1
        if column.indexOf(widget) < least:
            column.removeWidget(widget)
            column.insertWidget(0 if above is None else column.indexOf(above) + 1, widget)

    def _built(self, section: Section) -> _Part:
        part = _Part(QWidget(self.widget()))
        column = QVBoxLayout(part.widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        title = QLabel(section.title)
        title.setProperty("role", "section")
        title.setWordWrap(True)
        title.setContentsMargins(0, 6, 0, 0)
        column.addWidget(title)
        column.addLayout(self._rows(section, part))
        return part

    def _rows(self, section: Section, part: _Part) -> QGridLayout:
        rows = QGridLayout()
        rows.setColumnStretch(0, 2)
        rows.setColumnStretch(1, 3)
        rows.setColumnMinimumWidth(0, self.fontMetrics().averageCharWidth() * 11)
        rows.setHorizontalSpacing(10)
        rows.setVerticalSpacing(3)
        for field in section.fields:
            editor, label = editor_for(field.editor), QLabel()
            editor.setProperty("field", field.key)
            editor.changed.connect(self._on_changed)
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            label.setBuddy(editor)
            if field.editor is Editor.PLAIN:  # its value may run over several lines: the title stands by the first
                label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            number = rows.rowCount()
            rows.addWidget(label, number, 0)
            rows.addWidget(editor, number, 1)
            part.editors[field.key], part.labels[field.key] = editor, label
        return rows

    @Slot(object)
    def _on_changed(self, value: object) -> None:
        editor = self.sender()
        self.changed.emit(str(editor.property("field")), value)


def _fill(part: _Part, field: InspectorField) -> None:
    editor, label = part.editors[field.key], part.labels[field.key]
    editor.show_field(field)  # always: what was refused is shown as it is stored
    before, part.shown[field.key] = part.shown.get(field.key), field
    if before is not None and _about(before) == _about(field):
        return
    unit = f" [{field.unit}]" if field.unit and field.editor is not Editor.PLAIN else ""
    label.setText(f"{field.title}{unit}" + (" – missing" if field.missing else ""))
    tone = "warning" if field.missing or field.wrong else "quiet"
    if label.property("tone") != tone:
        label.setProperty("tone", tone)
        label.style().unpolish(label)
        label.style().polish(label)
    said = f"{field.title}{unit}. {field.help}" if field.help else f"{field.title}{unit}"
    tip = f"{said}{' Required, and not said.' if field.missing else ''}"
    editor.setToolTip(tip)
    label.setToolTip(tip)
    editor.setAccessibleName(f"{field.title}{', required and missing' if field.missing else ''}")
    editor.setAccessibleDescription(field.help)


def _about(field: InspectorField) -> tuple[object, ...]:
    """What label, tool tip and name say, whatever the value."""
    return (field.title, field.unit, field.editor, field.missing, field.wrong, field.help)
