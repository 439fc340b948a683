"""Which relations people make in this project, and which of them counts most: for whoever may change its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout

from workstation.app.link_figures import ordered_types
from workstation.core.ontology import name_in
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_COLUMNS = 2


class Relations(Sheet):
    """One box for each relation of the ontology; the one that counts most stays in use. One step, which undo takes
    back.
    """

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window, "relations", "Relations of the project")
        self._bench = bench
        project = bench.session.store.project()
        ontology = bench.session.store.ontology()
        self._main = "" if project is None else project.main_link
        off = () if project is None else project.links_off
        self.say("The relation that counts most leads the reports with its coverage and agreement.")
        self.main = QComboBox()
        named(self.main, "relations_main", "The relation that counts most")
        self.main.addItem("None", "")
        self.column.addWidget(self.main)
        self.say("Relations that people make here; those that are off are offered to nobody, and links there stay.")
        grid = QGridLayout()
        self.boxes: dict[str, QCheckBox] = {}
        self._absences = set()
        for number, kind in enumerate(() if ontology is None else ordered_types(ontology)):
            name = name_in(kind.names, ontology.ontology.language) if ontology is not None else kind.id
            box = QCheckBox(name)
            named(box, f"relations_{kind.id}", f"{name} is made here")
            box.setToolTip(kind.definition or name)
            box.setChecked(kind.id not in off)
            grid.addWidget(box, number // _COLUMNS, number % _COLUMNS)
            self.boxes[kind.id] = box
            if kind.absence:
                self._absences.add(kind.id)
            else:
                self.main.addItem(name, kind.id)
        self.main.setCurrentIndex(max(0, self.main.findData(self._main)))
        self.column.addLayout(grid)
        only = self.button("only", "Only that one")
        only.setToolTip("Switches off all but the relation that counts most, and absences")
        only.clicked.connect(self._on_only)
        done = self.button("do", "Done", default=True)
        done.clicked.connect(self._on_done)
        cancel = self.button("cancel", "Cancel")
        cancel.clicked.connect(self.reject)
        self.buttons(only, cancel, done)
        self.main.currentIndexChanged.connect(self._on_main)
        self._on_main()

    @Slot()
    def _on_main(self) -> None:
        """What counts most is made."""
        chosen = str(self.main.currentData())
        for type_id, box in self.boxes.items():
            box.setEnabled(type_id != chosen)
            if type_id == chosen:
                box.setChecked(True)

    @Slot()
    def _on_only(self) -> None:
        chosen = str(self.main.currentData())
        for type_id, box in self.boxes.items():
            box.setChecked(not chosen or type_id == chosen or type_id in self._absences)

    @Slot()
    def _on_done(self) -> None:
        chosen = str(self.main.currentData())
        off = [type_id for type_id, box in self.boxes.items() if not box.isChecked()]
        self._bench.run("project.set", main_link=chosen, links_off=off)
        self.accept()
