"""A form of sections: built once for each shape of selection, filled anew without rebuilding while that stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as made

from PySide6.QtCore import Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from workstation.app.inspecting import Editor, InspectorField, Section
from workstation.ui.panels.editors import AnyEditor, LineEditor, LongEditor, editor_for

_Signature = tuple[tuple[str, tuple[tuple[str, Editor], ...]], ...]
_MOST_PAGES = 8
"""Shapes of selection whose form is kept: one is built in 40 ms, and people go back and forth between few."""


@dataclass(slots=True)
class _Page:
    """The form of one shape of selection."""

    widget: QWidget = made(default_factory=QWidget)
    editors: dict[str, AnyEditor] = made(default_factory=dict)
    labels: dict[str, QLabel] = made(default_factory=dict)


class Form(QScrollArea):
    """``changed`` tells the key of a field and its new value."""

    changed = QtSignal(str, object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._page = _Page()
        self._pages: dict[_Signature, _Page] = {(): self._page}
        self._signature: _Signature = ()
        within = QWidget()
        self._column = QVBoxLayout(within)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._page.widget)
        self.setWidget(within)

    def editor(self, key: str) -> AnyEditor | None:
        """The editor of a field that is shown."""
        return self._page.editors.get(key)

    def settle(self) -> None:
        """What is being typed belongs to what is shown now: take it for done before something else is shown."""
        for editor in self._page.editors.values():
            if isinstance(editor, LineEditor | LongEditor):
                editor.settle()

    def show_sections(self, sections: Sequence[Section]) -> None:
        """Show these; a field being typed in keeps what is typed."""
        signature = tuple((each.title, tuple((f.key, f.editor) for f in each.fields)) for each in sections)
        if signature != self._signature:
            self._turn_to(signature, sections)
        for section in sections:
            for field in section.fields:
                self._fill(field)

    def _fill(self, field: InspectorField) -> None:
        editor, label = self._page.editors[field.key], self._page.labels[field.key]
        editor.show_field(field)
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

    def _turn_to(self, signature: _Signature, sections: Sequence[Section]) -> None:
        """Show the page of that shape, built now if it was not; pages that were not shown for longest are let go."""
        old, page = self._page, self._pages.pop(signature, None)
        if page is None:
            page = self._built(sections)
        self._pages[signature] = page
        self._page, self._signature = page, signature
        for editor in old.editors.values():
            editor.setObjectName("")  # a name belongs to what is shown
        for key, editor in page.editors.items():
            editor.setObjectName(f"{self.objectName()}_{key.replace(':', '_').replace('.', '_')}")
        old.widget.hide()
        page.widget.show()
        while len(self._pages) > _MOST_PAGES:
            gone = self._pages.pop(next(iter(self._pages)))
            self._column.removeWidget(gone.widget)
            gone.widget.deleteLater()

    def _built(self, sections: Sequence[Section]) -> _Page:
        page = _Page(QWidget(self.widget()))
        column = QVBoxLayout(page.widget)
        column.setContentsMargins(8, 6, 8, 8)
        column.setSpacing(4)
        for section in sections:
            title = QLabel(section.title)
            title.setProperty("role", "section")
            title.setWordWrap(True)
            title.setContentsMargins(0, 6, 0, 0)
            column.addWidget(title)
            column.addLayout(self._rows(section, page))
        column.addStretch(1)
        page.widget.hide()
        self._column.addWidget(page.widget)
        return page

    def _rows(self, section: Section, page: _Page) -> QGridLayout:
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
            number = rows.rowCount()
            rows.addWidget(label, number, 0)
            rows.addWidget(editor, number, 1)
            page.editors[field.key], page.labels[field.key] = editor, label
        return rows

    @Slot(object)
    def _on_changed(self, value: object) -> None:
        editor = self.sender()
        self.changed.emit(str(editor.property("field")), value)
