"""The form over a sentence about relations: what, how it stands, to what, how much; and what must hold meanwhile.

It says a sentence and is filled from one. The panel of searches owns it.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from workstation.app.statement_form import BY_KEY, CONDITIONS, Form, Part, links_to_say, things_to_say
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.statement import Mode
from workstation.ui.eliding import ChoiceBox

_MODES = ((Mode.FIND, "Find"), (Mode.EVERY, "Every"), (Mode.NO, "No"))


class PartFields(QWidget):
    """One clause as fields."""

    changed = QtSignal()

    def __init__(self, name: str, spoken: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.thing = _choices(f"{name}_thing", f"{spoken}: what")
        self.condition = _choices(f"{name}_condition", f"{spoken}: how it stands")
        self.amount = QDoubleSpinBox()
        self.amount.setObjectName(f"{name}_amount")
        self.amount.setAccessibleName(f"{spoken}: how much")
        self.amount.setDecimals(2)
        self.amount.setKeyboardTracking(False)
        self.other = _choices(f"{name}_other", f"{spoken}: to what")
        self.link = _choices(f"{name}_link", f"{spoken}: by which link type")
        for each in CONDITIONS:
            self.condition.addItem(each.words, each.key)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for column, widget in enumerate((self.thing, self.condition, self.amount)):
            grid.addWidget(widget, 0, column)
        grid.addWidget(self.other, 1, 0, 1, 2)
        grid.addWidget(self.link, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        for box in (self.thing, self.condition, self.other, self.link):
            box.activated.connect(self._on_changed)
        self.amount.valueChanged.connect(self._on_changed)
        self._fit()

    def offer(self, ontology: CompiledOntology) -> None:
        """The words of an ontology."""
        for box, first, words in (
            (self.thing, "anything", things_to_say(ontology)),
            (self.other, "anything", things_to_say(ontology)),
            (self.link, "any link", links_to_say(ontology)),
        ):
            kept = box.currentData()
            box.clear()
            box.addItem(first, "")
            for word in words:
                box.addItem(word.replace("_", " "), word)
            box.setCurrentIndex(max(0, box.findData(kept)))

    def part(self) -> Part:
        """What the fields say."""
        return Part(
            thing=self.thing.currentData() or "", condition=self.condition.currentData(),
            other=self.other.currentData() or "", amount=self.amount.value(),
            link_type=self.link.currentData() or "",
        )  # fmt: skip

    def show_part(self, part: Part) -> None:
        """Fill the fields."""
        self.condition.setCurrentIndex(self.condition.findData(part.condition))
        for box, word in ((self.thing, part.thing), (self.other, part.other), (self.link, part.link_type)):
            at = box.findData(word.replace(" ", "_")) if word else 0
            box.setCurrentIndex(max(0, at))
        self._fit()
        self.amount.blockSignals(True)
        self.amount.setValue(part.amount)
        self.amount.blockSignals(False)

    def _fit(self) -> None:
        chosen = BY_KEY[self.condition.currentData()]
        self.amount.setVisible(bool(chosen.unit))
        self.amount.setMaximum(chosen.most or 1.0)
        self.amount.setSuffix(f" {chosen.unit}")
        self.other.setVisible(chosen.other)
        self.link.setVisible(chosen.link)

    @Slot()
    def _on_changed(self) -> None:
        self._fit()
        self.changed.emit()


class SearchForm(QWidget):
    """A whole sentence as fields."""

    said = QtSignal(str)
    """The sentence after a person changed a field."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mode = _choices("search_mode", "Find things, or say how every one or none must be")
        self.mode.setMinimumContentsLength(7)
        for mode, words in _MODES:
            self.mode.addItem(words, mode.value)
        self.head = PartFields("search_head", "What it is about")
        self.meanwhile = QCheckBox("while at the same time")
        self.meanwhile.setObjectName("search_meanwhile")
        self.meanwhile.setAccessibleName("Something else must hold at the same time")
        self.beside = PartFields("search_beside", "What must hold at the same time")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.mode, alignment=Qt.AlignmentFlag.AlignLeft)
        for widget in (self.head, self.meanwhile, self.beside):
            column.addWidget(widget)
        self.beside.setVisible(False)
        self.mode.activated.connect(self._on_changed)
        self.meanwhile.toggled.connect(self._on_changed)
        self.head.changed.connect(self._on_changed)
        self.beside.changed.connect(self._on_changed)
        self._filling = False

    def offer(self, ontology: CompiledOntology) -> None:
        """The words of an ontology."""
        self.head.offer(ontology)
        self.beside.offer(ontology)

    def show_form(self, form: Form) -> None:
        """Fill the fields without saying anything."""
        self._filling = True
        self.mode.setCurrentIndex(self.mode.findData(form.mode.value))
        self.head.show_part(form.head)
        self.meanwhile.setChecked(form.beside is not None)
        if form.beside is not None:
            self.beside.show_part(form.beside)
        self.beside.setVisible(form.beside is not None)
        self._filling = False

    @Slot()
    def _on_changed(self) -> None:
        self.beside.setVisible(self.meanwhile.isChecked())
        if not self._filling:
            beside = self.beside.part() if self.meanwhile.isChecked() else None
            self.said.emit(Form(mode=Mode(self.mode.currentData()), head=self.head.part(), beside=beside).sentence())


def _choices(name: str, spoken: str) -> QComboBox:
    made = ChoiceBox()
    made.setObjectName(name)
    made.setAccessibleName(spoken)
    made.setToolTip(spoken)
    return made


def note_label(name: str) -> QLabel:
    """A sentence under a field."""
    made = QLabel()
    made.setObjectName(name)
    made.setWordWrap(True)
    return made
