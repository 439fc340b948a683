"""A form of sections: built once for each shape of selection, filled anew without rebuilding while that stays."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from workstation.app.inspecting import Editor, InspectorField, Section
from workstation.ui.panels.editors import AnyEditor, LineEditor, LongEditor, editor_for

_Signature = tuple[tuple[str, tuple[tuple[str, Editor], ...]], ...]


class Form(QScrollArea):
    """``changed`` tells the key of a field and its new value."""

    changed = QtSignal(str, object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._signature: _Signature = ()
        self._editors: dict[str, AnyEditor] = {}
        self._labels: dict[str, QLabel] = {}

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
        signature = tuple((each.title, tuple((f.key, f.editor) for f in each.fields)) for each in sections)
        if signature != self._signature:
            self._build(sections)
            self._signature = signature
        for section in sections:
            for field in section.fields:
                self._fill(field)

    def _fill(self, field: InspectorField) -> None:
        editor, label = self._editors[field.key], self._labels[field.key]
        editor.show_field(field)
        unit = f" [{field.unit}]" if field.unit and field.editor is not Editor.PLAIN else ""
        label.setText(f"{field.title}{unit}" + (" – missing" if field.missing else ""))
        tone = "warning" if field.missing else "quiet"
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

    def _build(self, sections: Sequence[Section]) -> None:
        self._editors, self._labels = {}, {}
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 6, 8, 8)
        column.setSpacing(4)
        for section in sections:
            title = QLabel(section.title)
            title.setProperty("role", "section")
            title.setWordWrap(True)
            title.setContentsMargins(0, 6, 0, 0)
            column.addWidget(title)
            column.addLayout(self._rows(section))
        column.addStretch(1)
        self.setWidget(page)

    def _rows(self, section: Section) -> QGridLayout:
        rows = QGridLayout()
        rows.setColumnStretch(0, 2)
        rows.setColumnStretch(1, 3)
        rows.setColumnMinimumWidth(0, self.fontMetrics().averageCharWidth() * 11)
        rows.setHorizontalSpacing(10)
        rows.setVerticalSpacing(3)
        for field in section.fields:
            editor, label = editor_for(field.editor), QLabel()
            editor.setObjectName(f"{self.objectName()}_{field.key.replace(':', '_').replace('.', '_')}")
            editor.setProperty("field", field.key)
            editor.changed.connect(self._on_changed)
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            label.setBuddy(editor)
            number = rows.rowCount()
            rows.addWidget(label, number, 0)
            rows.addWidget(editor, number, 1)
            self._editors[field.key], self._labels[field.key] = editor, label
        return rows

    @Slot(object)
    def _on_changed(self, value: object) -> None:
        editor = self.sender()
        self.changed.emit(str(editor.property("field")), value)
