"""Merging two things and splitting one: what goes where is shown before anything is stored, and done as one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
)

from workstation.app.entity_preview import Preview, described, merged, split
from workstation.app.inspecting import entities_of
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.icons import icon

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow
    from workstation.ui.workbench import Workbench

_OWN = ""
"""Data of the entry that leaves classes as they are."""


class Changes(QTreeWidget):
    """What would change, part by part; a sign before what contradicts."""

    def __init__(self, bench: Workbench, name: str) -> None:
        super().__init__()
        self._bench = bench
        named(self, name, "What would change")
        self.setHeaderHidden(True)
        self.setWordWrap(True)
        self.setUniformRowHeights(False)
        self.setMinimumHeight(220)

    def show_preview(self, preview: Preview) -> None:
        """These changes, all unfolded."""
        self.clear()
        if preview.why_not:
            self.addTopLevelItem(QTreeWidgetItem([preview.why_not.capitalize() + "."]))
            return
        sign = icon("warning", self._bench.theme)
        for part in preview.parts:
            warns = sum(line.warns for line in part.lines)
            top = QTreeWidgetItem([f"{part.title} ({len(part.lines)})" + (f", {warns} to look at" if warns else "")])
            for line in part.lines:
                entry = QTreeWidgetItem([line.text])
                entry.setToolTip(0, line.text)
                if line.warns:
                    entry.setIcon(0, sign)
                    entry.setText(0, f"! {line.text}")
                top.addChild(entry)
            self.addTopLevelItem(top)
            top.setExpanded(True)


class _Things(Sheet):
    """What both dialogs share: the bench, the changes, a button that does it and one that does not."""

    def __init__(self, window: MainWindow, bench: Workbench, name: str, title: str, act: str) -> None:
        super().__init__(window, name, title)
        assert bench.view is not None
        self.bench = bench
        self.view: SampleView = bench.view
        self.changes = Changes(bench, f"{name}_changes")
        self.doing = self.button("do", act, default=True)
        self.words = None

    def _finish(self) -> None:
        """Below what the subclass put in: the changes and the buttons."""
        self.column.addWidget(self.changes, 1)
        self.words = self.say("", "quiet")
        cancel = self.button("cancel", "Cancel")
        cancel.clicked.connect(self.reject)
        self.doing.clicked.connect(self._on_do)
        self.buttons(cancel, self.doing)

    def preview(self) -> Preview:
        """What would change now."""
        raise AssertionError("each dialog says its own")

    def store(self) -> bool | None:
        """Do it; nothing if it was refused."""
        raise AssertionError("each dialog does its own")

    @Slot()
    def renew(self) -> None:
        """Something was chosen: show what that changes."""
        found = self.preview()
        self.changes.show_preview(found)
        self.doing.setEnabled(not found.why_not)
        lines = f"{found.conflicts} to look at before you go on." if found.conflicts else "Nothing contradicts."
        self.explain("" if found.why_not else f"{lines} One step, which undo takes back.")

    @Slot()
    def _on_do(self) -> None:
        if self.bench.view is not self.view:
            self.reject()
        elif self.store():
            self.accept()

    def _row(self, words: str, box: QComboBox, *more: QPushButton) -> None:
        row = QHBoxLayout()
        label = QLabel(words)
        label.setMinimumWidth(70)
        label.setBuddy(box)
        row.addWidget(label)
        row.addWidget(box, 1)
        for each in more:
            row.addWidget(each)
        self.column.addLayout(row)


class MergeThings(_Things):
    """Two things become one. ``link``: the proposed link that says so, which is accepted with it."""

    def __init__(self, window: MainWindow, bench: Workbench, link: str = "") -> None:
        super().__init__(window, bench, "merge", "Merge things", "Merge")
        self._link = link
        self.resize(620, 480)
        if link and link in self.view.links:
            self.say(f"Proposed: {self.view.links[link].rationale}.")
        things = [each.id for each in entities_of(self.view, self._about())]
        every = sorted(self.view.entities.values(), key=lambda each: (each.class_id, each.number))
        self.stays, self.goes, self.agreed = QComboBox(), QComboBox(), QComboBox()
        named(self.stays, "merge_stays", "The thing that stays")
        named(self.goes, "merge_goes", "The thing that goes")
        named(self.agreed, "merge_class", "The class of all its labels")
        for box, number in ((self.stays, 0), (self.goes, 1)):
            for each in every:
                box.addItem(f"{self.view.name_of(each.id)}  ({self.view.class_name(each.class_id)})", each.id)
            box.setCurrentIndex(box.findData(things[number]) if len(things) > number else -1)
            box.setPlaceholderText("Choose a thing")
            box.currentIndexChanged.connect(self._on_thing)
        exchange = self.button("exchange", "Exchange")
        exchange.setToolTip("The other one stays")
        exchange.clicked.connect(self._on_exchange)
        self._row("&Stays", self.stays, exchange)
        self._row("&Goes", self.goes)
        self._row("&Class", self.agreed)
        self.agreed.currentIndexChanged.connect(self.renew)
        self._finish()
        self._on_thing()

    def _about(self) -> tuple[str, ...]:
        link = self.view.links.get(self._link)
        return self.bench.selected if link is None else tuple(end.target for end in link.ends)

    def _ids(self) -> tuple[str, str]:
        return str(self.stays.currentData() or ""), str(self.goes.currentData() or "")

    @Slot()
    def _on_thing(self) -> None:
        """Other things: other classes to agree on."""
        classes = _classes(self.view, [each for each in self._ids() if each])
        self.agreed.blockSignals(True)
        self.agreed.clear()
        self.agreed.addItem("As each label has it" if len(classes) > 1 else "The same", _OWN)
        for class_id in classes if len(classes) > 1 else ():
            self.agreed.addItem(f"All are {self.view.class_name(class_id)}", class_id)
        self.agreed.setEnabled(len(classes) > 1)
        self.agreed.blockSignals(False)
        self.renew()

    @Slot()
    def _on_exchange(self) -> None:
        stays, goes = self.stays.currentIndex(), self.goes.currentIndex()
        for box, index in ((self.stays, goes), (self.goes, stays)):
            box.blockSignals(True)
            box.setCurrentIndex(index)
            box.blockSignals(False)
        self._on_thing()

    def preview(self) -> Preview:
        return merged(self.view, *self._ids(), self.agreed.currentData() or None)

    def store(self) -> bool | None:
        keeper, goes = self._ids()
        agreed, name = self.agreed.currentData(), self.view.name_of(keeper)

        def act() -> bool:
            with self.bench.together("Merge things") as run:
                if self._link:
                    run("link.accept", links=[self._link], join=False)
                run("entity.merge", entity=keeper, other=goes)
                if agreed:
                    run("entity.decide_class", entity=keeper, class_id=agreed)
            return True

        done: bool | None = self.bench.attempt(act)
        if done:
            self.bench.select([keeper], cause="window")
            self.bench.tell(f"Merged into {name}.")
        return done


class SplitThing(_Things):
    """Some labels of a thing show another one."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window, bench, "split", "Split thing", "Split")
        self.resize(620, 560)
        things = entities_of(self.view, bench.selected)
        self._thing = things[0] if len(things) == 1 else None
        name = "" if self._thing is None else self.view.name_of(self._thing.id)
        asked = f"Choose the labels of {name} that show another thing (space bar or click)."
        self.say(asked if name else "Select labels of one thing first.")
        self.labels = QListWidget()
        named(self.labels, "split_labels", "Labels that go: chosen with the space bar")
        self.labels.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        for each in () if self._thing is None else self.view.annotations_of_entity(self._thing.id):
            self._add(each, chosen=each.id in bench.selected)
        self.labels.itemSelectionChanged.connect(self.renew)
        self.column.addWidget(self.labels, 1)
        self.agreed = QComboBox()
        named(self.agreed, "split_class", "The class of the new thing")
        ontology = self.view.ontology
        old = "" if self._thing is None else self._thing.class_id
        listed = () if ontology is None else [key for key, each in ontology.classes.items() if each.retired is None]
        for class_id in sorted({old, *listed} - {""}, key=lambda key: (key != old, self.view.class_name(key))):
            self.agreed.addItem(self.view.class_name(class_id), class_id)
        self.agreed.currentIndexChanged.connect(self.renew)
        self._row("&Class", self.agreed)
        self._finish()
        self.renew()
        self.labels.setCurrentRow(0, QItemSelectionModel.SelectionFlag.NoUpdate)
        self.labels.setFocus()

    def _add(self, label: Annotation, *, chosen: bool) -> None:
        entry = QListWidgetItem(described(self.view, label))
        entry.setData(Qt.ItemDataRole.UserRole, label.id)
        self.labels.addItem(entry)
        entry.setSelected(chosen)

    def _going(self) -> list[str]:
        return [str(each.data(Qt.ItemDataRole.UserRole)) for each in self.labels.selectedItems()]

    def preview(self) -> Preview:
        return split(self.view, self._going(), self.agreed.currentData() or None)

    def store(self) -> bool | None:
        going, class_id = self._going(), self.agreed.currentData()
        made = self.bench.run("entity.split", annotations=going, class_id=class_id)
        if made is None:
            return None
        self.bench.select([made], cause="window")
        self.bench.tell(f"Split off: {self.view.name_of(made)}.")
        return True


def _classes(view: SampleView, things: list[str]) -> list[str]:
    """Every class that the things or their labels say."""
    found = [view.entities[each].class_id for each in things]
    own = [label.class_id for each in things for label in view.annotations_of_entity(each) if label.class_id]
    return list(dict.fromkeys([*found, *own]))
