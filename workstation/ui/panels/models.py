"""The panel of models: what is on this machine, what each runs on and why; installing, adding, proving, pre-labelling.

All that takes time is a job with progress in the status line. Nothing is fetched unless a person asks for it here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QWidget

from workstation.app.bare_models import Told
from workstation.app.jobs import Job
from workstation.app.model_devices import Proved, proved
from workstation.app.model_list import COLUMNS, Shelf, listed_models
from workstation.app.models import Tried, add, models_shelf
from workstation.app.rows import Cell, Row
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.told import Tone

_INSTALLED = "state:there"
_NOTHING_TOLD = Told()
_WORDS_PX = 88
"""Of what is to be read under the list: the rest is scrolled to, so that the list keeps its room."""


class ModelsPanel(ListPanel):
    """Its rows are no records."""

    kind = "models"
    title = "Models"
    columns = COLUMNS
    hint = "Filter models"
    needs_a_sample = False
    selects = False
    choices = (
        Choice(name="state", spoken="Show models in one state", entries=(
            ("", "All"), (_INSTALLED, "Installed"), ("state:to_install", "To install"),
        )),
    )  # fmt: skip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shelf: Shelf = models_shelf()
        self.devices: dict[str, str] = {}
        """What each model runs on, as far as it was found out."""
        self._build_buttons()

    def _build_buttons(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(6, 4, 6, 6)
        self.run_button = QPushButton("Pre-label…")
        self.run_button.setToolTip("Let installed models propose labels on streams of this sample, or of all")
        self.prove_button = QPushButton("Prove devices")
        self.prove_button.setToolTip("Try every installed model on the devices of this machine and time it")
        for name, button in (("models_run", self.run_button), ("models_prove", self.prove_button)):
            button.setObjectName(name)
            button.setAccessibleName(button.text().rstrip("…"))
            row.addWidget(button)
        row.addStretch(1)
        self.words = QPlainTextEdit()
        self.words.setObjectName("models_words")
        self.words.setAccessibleName("What models run on here, and what went wrong")
        self.words.setReadOnly(True)
        self.words.setTabChangesFocus(True)
        self.words.setMaximumHeight(_WORDS_PX)
        self.words.hide()
        self.column.addWidget(self.words)
        self.run_button.clicked.connect(self._on_run)
        self.prove_button.clicked.connect(self._on_prove)
        self.column.addLayout(row)

    def all_rows(self) -> list[Row]:
        bench = self.bench
        ontology = None if bench is None or bench.view is None else bench.view.ontology
        self.empty = "No model is here yet."
        return listed_models(self.shelf, self.devices, ontology)

    def choose(self, row: Row, cell: Cell | None) -> None:
        """A row is about no record: its menu says what can be done."""

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        one = rows[0] if len(rows) == 1 else None
        there = "" if one is not None and _INSTALLED in one.group.split() else "select an installed model first"
        fetched = one is not None and ("to_install" in one.group or "licence_in_doubt" in one.group)
        doubt = one is not None and "licence_in_doubt" in one.group
        no_install = "" if fetched else "select one that can be installed first"
        if doubt:
            no_install = "its licence is in doubt; workstation models install says how"
        key = "" if one is None else one.key
        return [
            Entry(text="Pre-label…", act=self._on_run),
            Entry(text="Install", act=partial(self.install, key), why_not=no_install),
            Entry(text="Add from this machine…", act=self._on_add),
            Entry(text="Classes of its labels…", act=partial(self.ask_for_classes, key), why_not=there),
            Entry(text="Try on the picture shown…", act=self._on_try, why_not=there),
            Entry(text="Prove devices", act=self._on_prove),
            Entry(text="Remove", act=partial(self._remove, key), why_not=there),
        ]

    # --- work ---------------------------------------------------------------------------------------------------

    def install(self, name: str) -> None:
        """Fetch a model by name, check and try it, as a job."""
        self._start(f"Install {name}", partial(_install, self.shelf, name), f"{name} is installed.")

    def add_from(self, path: Path, told: Told = _NOTHING_TOLD) -> None:
        """Take a model from the disk: a folder with ``model.yaml``, or bare ONNX files. It is run once before."""
        if self.bench is not None and self.bench.jobs is not None:
            self.bench.jobs.start(
                f"Add {path.name}", partial(_add, self.shelf, path, told), done=partial(self._on_added, path.name),
                failed=self._on_failed,
            )  # fmt: skip

    def prove(self) -> None:
        """Find out what each installed model runs on."""
        if self.bench is not None and self.bench.jobs is not None:
            self.bench.jobs.start(
                "Prove devices", partial(_prove, self.shelf), done=self._on_proved, failed=self._on_failed
            )

    def ask_for_classes(self, name: str) -> None:
        """The dialog that says which class stands for which label."""
        if self.bench is not None:
            self.bench.wish("prelabel.classes")

    def selected_model(self) -> str | None:
        """The installed model whose row is selected."""
        rows = [row for row in self.table.selected_rows() if _INSTALLED in row.group.split()]
        return rows[0].key if rows else None

    def _start(self, title: str, work: partial[object], said: str) -> None:
        if self.bench is not None and self.bench.jobs is not None:
            self.bench.jobs.start(title, work, done=partial(self._on_done, said), failed=self._on_failed)

    def explain(self, words: str, tone: str = "quiet") -> None:
        """What stays to be read under the list."""
        self.words.setPlainText(words)
        self.words.setProperty("tone", tone)
        self.words.style().unpolish(self.words)
        self.words.style().polish(self.words)
        self.words.setVisible(bool(words))

    def _on_done(self, said: str, _made: object) -> None:
        if self.bench is not None:
            self.bench.tell(said)
            self.explain("")
            self.refresh_soon()

    def _on_added(self, name: str, tried: str) -> None:
        cannot = tried.startswith("it cannot")
        self._on_done(f"{name} is added; {tried}" if cannot else f"{name} is added; say its classes next.", None)
        if cannot:
            self.explain(f"{name}: {tried}.", "warning")

    def _on_failed(self, why: str) -> None:
        if self.bench is not None:
            self.bench.tell(why, Tone.REFUSED)
            self.explain(why, "error")
            self.refresh_soon()

    def _on_proved(self, found: Proved) -> None:
        self.devices.update(found.devices)
        self.explain(" ".join(filter(None, (found.advice.words, found.advice.mend and f"To change that: "
                                            f"{found.advice.mend}."))))  # fmt: skip
        self.refresh_soon()

    def _remove(self, name: str) -> None:
        if self.bench is not None:
            gone = self.bench.attempt(partial(self.shelf.remove, name))
            if gone is not None:
                self.bench.tell(f"{name} is gone. What it proposed stays, with where it came from.")
            self.refresh()

    @Slot()
    def _on_run(self) -> None:
        if self.bench is not None:
            self.bench.wish("prelabel.run")

    @Slot()
    def _on_prove(self) -> None:
        self.guard(self.prove)

    @Slot()
    def _on_try(self) -> None:
        if self.bench is not None:
            self.bench.wish("models.try")

    @Slot()
    def _on_add(self) -> None:
        if self.bench is not None:
            self.bench.wish("models.add")


def _install(shelf: Shelf, name: str, job: Job) -> object:
    from workstation.app.installing import install, recipe_of

    return install(recipe_of(name), shelf, tell=lambda text: job.report(0, 0, text))


def _add(shelf: Shelf, path: Path, told: Told, _job: Job) -> str:
    tried = Tried()
    add(
        path, shelf, model_id=told.model_id, family=told.family, labels=told.labels, licence=told.licence, prove=tried
    )  # fmt: skip
    return tried.words


def _prove(shelf: Shelf, job: Job) -> Proved:
    return proved(shelf, tell=job.report, cancelled=lambda: job.cancel_asked)
