"""Stating an absence: what has no counterpart, in which stream or modality, and for which reason of the ontology."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit

from workstation.app.absences import AbsenceKind, absence_kinds, absent_of, needs_words
from workstation.core.errors import Refused, UserError
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow


class Absence(Sheet):
    """One absence for each thing or label that is selected, as one step."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window, "absence", "State an absence")
        self._bench = bench
        view = bench.view
        assert view is not None
        self._of = absent_of(view, bench.selected)
        self._kinds: list[AbsenceKind] = absence_kinds(view, self._of[0]) if self._of else []
        self._described = any(needs_words(view, each) for each in self._of)
        names = ", ".join(view.name_of(each) for each in self._of[:6]) + (" …" if len(self._of) > 6 else "")
        self.say(f"{names} has no counterpart:" if len(self._of) == 1 else f"These have no counterpart: {names}")
        self._build_form()
        self._problem = self.say("", "error")
        self._problem.setObjectName("absence_problem")
        self._problem.hide()
        done = self.button("do", "State the absence", default=True)
        done.clicked.connect(self._do)
        done.setEnabled(bool(self._kinds))
        cancel = self.button("cancel", "Cancel")
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, done)
        self.resize(480, 240)
        self._show_kind()
        self.where.setFocus()

    def _build_form(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.type, self.where, self.reason, self.rationale = QComboBox(), QComboBox(), QComboBox(), QLineEdit()
        for each in self._kinds:
            self.type.addItem(each.name, each.type_id)
        self.type.currentIndexChanged.connect(self._on_kind)
        rows = (
            ("Relation", self.type, "absence_type", "Which absence it is"),
            ("Missing in", self.where, "absence_where", "The stream or modality in which it has no counterpart"),
            ("Because", self.reason, "absence_reason", "The reason; the ontology may list them"),
            ("In words", self.rationale, "absence_rationale", self._words_asked()),
        )
        for title, widget, name, spoken in rows:
            named(widget, name, spoken)
            form.addRow(title, widget)
        form.setRowVisible(self.type, len(self._kinds) > 1)
        self.column.addLayout(form)

    def _words_asked(self) -> str:
        if not self._described:
            return "More than the reason says; may be empty"
        self.rationale.setPlaceholderText("Where the sound comes from, in a sentence")
        return "A sentence that says where the sound comes from"

    @Slot(int)
    def _on_kind(self, _index: int) -> None:
        self._show_kind()

    def _show_kind(self) -> None:
        kind = next((each for each in self._kinds if each.type_id == self.type.currentData()), None)
        self.where.clear()
        self.reason.clear()
        for value, words in () if kind is None else kind.places:
            self.where.addItem(words, value)
        for value, words in () if kind is None else kind.reasons:
            self.reason.addItem(words, value)
        self.reason.setEditable(kind is None or not kind.reasons)

    @Slot()
    def _do(self) -> None:
        index = self.reason.findText(self.reason.currentText())
        reason = str(self.reason.itemData(index)) if index >= 0 else self.reason.currentText().strip()
        if self._described and not self.rationale.text().strip():
            self._refuse("Say in a sentence where the sound comes from.")
            self.rationale.setFocus()
            return
        try:
            self._state(reason)
        except Refused as refused:
            self._refuse(" ".join(f"{problem.rstrip('.')}." for problem in refused.problems))
        except UserError as problem:
            self._refuse(str(problem))
        else:
            self.accept()

    def _state(self, reason: str) -> None:
        view = self._bench.view
        with self._bench.together("State an absence") as run:
            for each in self._of:
                kind = "annotation" if view is not None and each in view.annotations else "entity"
                run("link.absent", of=f"{kind}:{each}", missing_in=str(self.where.currentData()), reason=reason,
                    type_id=str(self.type.currentData()), rationale=self.rationale.text().strip())  # fmt: skip

    def _refuse(self, why: str) -> None:
        self._problem.setText(why)
        self._problem.setAccessibleName(why)
        self._problem.show()
