"""Which models shall propose labels, on which streams; and which class of the ontology stands for which label.

The second is asked once for each ontology: what is left open is listed and left out, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
)

from workstation.app.class_maps import class_map, keep_class_map, said_elsewhere, was_asked
from workstation.app.known_models import runnable_models
from workstation.app.labellers import is_run_by_jobs
from workstation.app.model_list import Shelf, ShelvedModel
from workstation.app.prelabelling import LastRun, Wish
from workstation.app.settings import keep_for, kept_for
from workstation.core.sample import StreamKind
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.main_window import MainWindow
from workstation.ui.prelabelling import Prelabelling
from workstation.ui.workbench import Workbench

_LATER = "– left out –"
_TRACKERS = (
    ("each by itself", "none"),
    ("tracks, by where they are", "bytetrack"),
    ("tracks, also by looks", "deepsort"),
)
_SEEN = {StreamKind.VIDEO, StreamKind.IMAGE, StreamKind.CLOUD}


class Prelabel(Sheet):
    """Choose and start; the job stands in the status line."""

    def __init__(self, window: MainWindow, bench: Workbench, shelf: Shelf) -> None:
        super().__init__(window, "prelabel", "Pre-label")
        self._bench = bench
        self._shelf = shelf
        assert bench.view is not None
        models = [each for each in runnable_models(shelf) if is_run_by_jobs(each)]
        self.say("Models" if models else "No model is installed; the panel of models installs or adds one.")
        self.models = self._list(
            "prelabel_models", "Models", [(each.manifest.id, _words(each)) for each in models], chosen=_only_one(shelf)
        )
        self.say("Streams")
        streams = [(each.key, f"{each.key} ({each.kind.value})") for each in bench.view.streams.values()]
        self.streams = self._list("prelabel_streams", "Streams", streams, chosen=bench.focused_stream_key())
        self.everywhere = QCheckBox("On all samples, not only this one")
        named(self.everywhere, "prelabel_everywhere", "On all samples")
        self.column.addWidget(self.everywhere)
        self._build_ways({each.kind for each in bench.view.streams.values()})
        self._begin_where_left(kept_for(bench.session.project.path, "model_runs", LastRun))
        self.say("What they find is proposed, never judged: you accept, edit or reject it.", "quiet")
        self.start_button = self.button("start", "Start", default=True)
        self.start_button.setEnabled(bool(models))
        cancel = self.button("cancel", "Cancel")
        self.start_button.clicked.connect(self._on_start)
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, self.start_button)
        self.setMinimumWidth(460)

    def _build_ways(self, kinds: set[StreamKind]) -> None:
        """How it is looked and listened: only what the sample has streams for."""
        self.every, self.speakers, self.frames, self.tracker = QSpinBox(), QSpinBox(), QSpinBox(), QComboBox()
        self.every.setRange(1, 1000)
        self.every.setPrefix("one in ")
        self.frames.setRange(1, 1000)
        self.frames.setValue(10)
        self.frames.setPrefix("over the next ")
        self.speakers.setRange(0, 20)
        self.speakers.setSpecialValueText("as many as are heard")
        for words, key in _TRACKERS:
            self.tracker.addItem(words, key)
        form = QFormLayout()
        rows = (
            ("Pictures and sweeps", self.every, "prelabel_every", "Look at one picture or sweep in so many", _SEEN),
            ("Boxes of a film", self.tracker, "prelabel_tracker", "How boxes of a film become tracks",
             {StreamKind.VIDEO}),
            ("Masks carried", self.frames, "prelabel_frames", "Over how many next pictures optical-flow carries a mask",
             {StreamKind.VIDEO}),
            ("Speakers", self.speakers, "prelabel_speakers", "How many people speak, where that is known",
             {StreamKind.AUDIO}),
        )  # fmt: skip
        for title, widget, name, spoken, of in rows:
            named(widget, name, spoken)
            form.addRow(title, widget)
            form.setRowVisible(widget, bool(kinds & of))
        self.column.addLayout(form)

    def _begin_where_left(self, last: LastRun) -> None:
        """The same again is a key away; what is not there any more is passed over."""
        _check_kept(self.models, last.models)
        _check_kept(self.streams, last.streams)
        for box, value in ((self.every, last.every), (self.speakers, last.speakers), (self.frames, last.frames)):
            box.setValue(value)
        self.tracker.setCurrentIndex(max(0, self.tracker.findData(last.tracker)))

    def _list(
        self, name: str, spoken: str, entries: list[tuple[str, str]], chosen: str | None = None
    ) -> QListWidget:  # fmt: skip
        made = QListWidget()
        named(made, name, spoken)
        made.setMaximumHeight(120)
        for key, words in entries:
            item = QListWidgetItem(words)
            item.setData(Qt.ItemDataRole.UserRole, key)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            on = key == chosen or len(entries) == 1
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
            made.addItem(item)
        self.column.addWidget(made)
        return made

    @Slot()
    def _on_start(self) -> None:
        models, streams = _checked(self.models), _checked(self.streams)
        view = self._bench.view
        if not models or view is None:
            self._bench.tell("Choose at least one model.")
            return
        unasked = self._bench.attempt(partial(self._unasked, models))
        if unasked is None:
            return
        if unasked:
            ClassMapSheet(self.frame, self._bench, unasked[0], then=self._on_start).open()
            return
        samples = () if self.everywhere.isChecked() else (view.sample.key,)
        wish = Wish(
            models=models, samples=samples, streams=streams, every=self.every.value(),
            tracker=str(self.tracker.currentData()), speakers=self.speakers.value(),
            frames=self.frames.value(),
        )  # fmt: skip
        last = LastRun(
            models=models, streams=streams, every=wish.every, tracker=wish.tracker, speakers=wish.speakers,
            frames=wish.frames,
        )  # fmt: skip
        keep_for(self._bench.session.project.path, "model_runs", last)
        self.accept()
        Prelabelling(self._bench, self._shelf, wish).start()

    def _unasked(self, names: tuple[str, ...]) -> list[ShelvedModel]:
        """Chosen models with labels that no class stands for, as long as nobody was asked about them."""
        view = self._bench.view
        ontology = None if view is None else view.ontology
        chosen = [each for each in runnable_models(self._shelf) if each.manifest.id in names]
        return [] if ontology is None else [
            each for each in chosen
            if class_map(each.manifest, ontology).unmapped and not was_asked(each.manifest, ontology)
        ]  # fmt: skip


class ClassMapSheet(Sheet):
    """A row for each label of a model: the class that stands for it, or none."""

    def __init__(
        self, window: MainWindow, bench: Workbench, model: ShelvedModel, *, then: Callable[[], None] | None = None
    ) -> None:
        """``then`` is done once the choices are kept: what was to begin, and asked first."""
        super().__init__(window, "class_map", f"Classes of {model.manifest.id}")
        self._bench = bench
        self._model = model
        self._then = then
        assert bench.view is not None
        assert bench.view.ontology is not None
        self._ontology = bench.view.ontology
        known = class_map(model.manifest, self._ontology)
        elsewhere = {} if was_asked(model.manifest, self._ontology) else said_elsewhere(model.manifest, self._ontology)
        self.words = self.say(f"{model.manifest.id}: {_unmapped(known.unmapped)}")
        labels = list(dict.fromkeys((*known.unmapped, *known.known)))
        self.field = QLineEdit()
        self.field.setPlaceholderText("Filter labels")
        named(self.field, "class_map_filter", "Filter labels")
        self.field.textChanged.connect(self._on_filter)
        self.column.addWidget(self.field)
        self.table = QTableWidget(len(labels), 2)
        named(self.table, "class_map_table", "Labels and their classes")
        self.table.setHorizontalHeaderLabels(["Label of the model", "Class here"])
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.verticalHeader().hide()
        self.choices: dict[str, QComboBox] = {}
        for row, label in enumerate(labels):
            self._add_row(row, label, known.known.get(label) or elsewhere.get(label, ""))
        if elsewhere.keys() & set(known.unmapped):
            self._on_chosen()
            self.say(
                "Classes that you chose for other models stand here first; nothing holds before it is kept.", "quiet"
            )
        self.table.resizeColumnToContents(0)
        self.column.addWidget(self.table, 1)
        keep = self.button("keep", "Keep for this ontology" if then is None else "Keep and go on", default=True)
        cancel = self.button("cancel", "Cancel")
        keep.clicked.connect(self._on_keep)
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, keep)
        self.resize(520, 480)

    def _add_row(self, row: int, label: str, chosen: str) -> None:
        item = QTableWidgetItem(label)
        item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
        self.table.setItem(row, 0, item)
        box = QComboBox()
        named(box, f"class_map_{row}", f"Class for {label}")
        box.addItem(_LATER, "")
        for each in self._ontology.classes.values():
            if each.retired is None and self._ontology.takes_proposals(each.id):
                box.addItem(next(iter(each.names.values())), each.id)
        box.setCurrentIndex(max(0, box.findData(chosen)))
        box.currentIndexChanged.connect(self._on_chosen)
        self.choices[label] = box
        self.table.setCellWidget(row, 1, box)

    @Slot()
    def _on_chosen(self) -> None:
        left_out = tuple(label for label, box in self.choices.items() if not box.currentData())
        self.explain(f"{self._model.manifest.id}: {_unmapped(left_out)}")

    @Slot(str)
    def _on_filter(self, typed: str) -> None:
        for row, label in enumerate(self.choices):
            self.table.setRowHidden(row, typed.casefold() not in label.casefold())

    @Slot()
    def _on_keep(self) -> None:
        chosen = {label: str(box.currentData() or "") for label, box in self.choices.items()}

        def act() -> bool:
            keep_class_map(self._model.manifest, self._ontology, chosen)
            return True

        if self._bench.attempt(act):
            self._bench.tell(f"The classes of {self._model.manifest.id} are kept for {self._ontology.ontology.name}.")
            self.accept()
            if self._then is not None:
                self._then()


def _unmapped(labels: tuple[str, ...]) -> str:
    if not labels:
        return "Every label has a class."
    names = ", ".join(labels[:8]) + (" …" if len(labels) > 8 else "")
    many = "One label has" if len(labels) == 1 else f"{len(labels)} labels have"
    return f"{many} no class and will be left out: {names}."


def _words(model: ShelvedModel) -> str:
    manifest = model.manifest
    if not manifest.files:
        return f"{manifest.id} ({manifest.task.value}, {manifest.origin or 'built in'})"
    return f"{manifest.id} ({manifest.task.value}, licence {manifest.license or 'not stated'})"


def _checked(made: QListWidget) -> tuple[str, ...]:
    items = [made.item(row) for row in range(made.count())]
    return tuple(
        str(each.data(Qt.ItemDataRole.UserRole)) for each in items if each.checkState() == Qt.CheckState.Checked
    )


def _check_kept(made: QListWidget, wanted: tuple[str, ...]) -> None:
    """Check exactly these, where any of them is listed."""
    items = [made.item(row) for row in range(made.count())]
    if any(each.data(Qt.ItemDataRole.UserRole) in wanted for each in items):
        for each in items:
            on = each.data(Qt.ItemDataRole.UserRole) in wanted
            each.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def _only_one(shelf: Shelf) -> str | None:
    """The one model that was brought here, if it is one: what is meant, whatever plug-ins bring beside it."""
    brought = shelf.models()[0]
    return brought[0].manifest.id if len(brought) == 1 else None
