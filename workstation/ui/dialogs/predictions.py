"""Predictions made elsewhere, brought in: a file is looked through first, and what would come of it is shown.

What comes in, on which streams; which classes of the file mean nothing here, to be said once for each ontology; what is
left out and why. Nothing is stored before the button is pressed, and what is stored is proposed.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)
from shiboken6 import isValid

from workstation.app.bringing_predictions import Looked, Wish, looked_at
from workstation.app.class_maps import class_map_of_imports, keep_class_map_of_imports
from workstation.app.importing_predictions import Model
from workstation.app.jobs import Job
from workstation.ui.bringing_predictions import BringingPredictions
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.main_window import MainWindow
from workstation.ui.workbench import Workbench

_LATER = "– left out –"
_TALL_PX = 130


class ImportPredictions(Sheet):
    """Choose, look, say classes, propose."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window, "import_predictions", "Import predictions")
        self._bench = bench
        assert bench.view is not None
        assert bench.view.ontology is not None
        self._ontology = bench.view.ontology
        self._file: Path | None = None
        self._images: Path | None = None
        self._looked: Looked | None = None
        self._job: Job | None = None
        self._foreign: list[str] = []
        """Classes of the file that were asked about, in the order of their rows."""
        self._classes = dict(class_map_of_imports(self._ontology))
        self._build_form()
        self.words = self.say("JSON Lines, one prediction a line, or COCO results. They come in as proposals.", "quiet")
        self._build_tables()
        self._build_buttons()
        self.finished.connect(self._on_closed)
        self.resize(680, 420)

    def _build_form(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.file, file_row = self._file_field("file", "The file with the predictions", self._on_choose_file)
        self.images, images_row = self._file_field("images", "The COCO file with pictures and categories",
                                                   self._on_choose_images)  # fmt: skip
        self.model, self.version = QLineEdit(), QLineEdit()
        self.model.setPlaceholderText("as the file says")
        self.version.setPlaceholderText("as the file says")
        named(self.model, "import_predictions_model", "Which model made them")
        named(self.version, "import_predictions_version", "Which version of the model")
        self.only_here = QCheckBox("Only into this sample")
        named(self.only_here, "import_predictions_here", "Only into this sample")
        form.addRow("File", file_row)
        form.addRow("COCO pictures", images_row)
        form.addRow("Model", self.model)
        form.addRow("Version", self.version)
        form.addRow("", self.only_here)
        self.model.editingFinished.connect(self.look)
        self.version.editingFinished.connect(self.look)
        self.only_here.toggled.connect(self.look)
        self._form = form
        form.setRowVisible(images_row, False)
        self._images_row = images_row
        self.column.addLayout(form)

    def _file_field(self, name: str, spoken: str, choose: object) -> tuple[QLineEdit, QWidget]:
        row, held = QHBoxLayout(), QWidget()
        field, button = QLineEdit(), QPushButton("Choose…")
        field.setReadOnly(True)
        named(field, f"import_predictions_{name}", spoken)
        named(button, f"import_predictions_choose_{name}", f"Choose: {spoken.lower()}")
        button.setAutoDefault(False)
        button.clicked.connect(choose)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(field, 1)
        row.addWidget(button)
        held.setLayout(row)
        return field, held

    def _build_tables(self) -> None:
        self.lines = self._table("lines", "What would come in", ["Sample", "Stream", "Class", "Count", "Sure"])
        self.unmapped_words = self.say(
            "Classes of the file that the ontology does not know by name; what is left open stays out:"
        )
        self.unmapped = self._table("unmapped", "Classes of the file", ["In the file", "Count", "Class here"])
        self.left_words = self.say("")
        self.left = QListWidget()
        named(self.left, "import_predictions_left", "What is left out, and why")
        self.left.setMaximumHeight(_TALL_PX)
        self.left.setWordWrap(True)
        self.column.addWidget(self.left)
        for each in (self.lines, self.unmapped_words, self.unmapped, self.left_words, self.left):
            each.hide()

    def _table(self, name: str, spoken: str, titles: list[str]) -> QTableWidget:
        made = QTableWidget(0, len(titles))
        named(made, f"import_predictions_{name}", spoken)
        made.setHorizontalHeaderLabels(titles)
        made.verticalHeader().hide()
        made.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        made.horizontalHeader().setStretchLastSection(True)
        self.column.addWidget(made, 1)
        return made

    def _build_buttons(self) -> None:
        self.propose_button = self.button("propose", "Propose", default=True)
        self.propose_button.setEnabled(False)
        self.propose_button.clicked.connect(self._on_propose)
        cancel = self.button("cancel", "Cancel")
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, self.propose_button)

    # --- choosing -----------------------------------------------------------------------------------------------

    @Slot()
    def _on_choose_file(self) -> None:
        self._ask("choose_predictions", "Predictions", "Predictions (*.jsonl *.json *.ndjson);;All files (*)",
                  self.take_file)  # fmt: skip

    @Slot()
    def _on_choose_images(self) -> None:
        self._ask("choose_images", "COCO pictures and categories", "COCO (*.json);;All files (*)", self.take_images)

    def _ask(self, name: str, title: str, kinds: str, take: object) -> None:
        start = str(Path.home() if self._file is None else self._file.parent)
        dialog = QFileDialog(self, title, start, kinds)
        dialog.setObjectName(name)
        dialog.fileSelected.connect(take)
        dialog.open()

    @Slot(str)
    def take_file(self, path: str) -> None:
        """This is the file; look through it at once."""
        if path:
            self._file = Path(path)
            self.file.setText(path)
            self._form.setRowVisible(self._images_row, Wish(file=self._file).is_coco)
            self.look()

    @Slot(str)
    def take_images(self, path: str) -> None:
        """These are the pictures and categories that COCO results count."""
        if path:
            self._images = Path(path)
            self.images.setText(path)
            self.look()

    # --- looking ------------------------------------------------------------------------------------------------

    @Slot()
    def look(self) -> None:
        """Look through the file as it is to be read now."""
        bench, wish = self._bench, self._wish()
        if wish is None or bench.jobs is None:
            return
        if self._job is not None:
            self._job.cancel()
        self.propose_button.setEnabled(False)
        if wish.is_coco and wish.model is None:
            self.explain("COCO results do not say which model made them: write its name.")
            return
        self.explain("Looking through the file…")
        work = partial(_look, bench.session.project.path, wish)
        self._job = bench.jobs.start("Look through predictions", work, done=self._on_looked, failed=self._on_failed)

    def _wish(self) -> Wish | None:
        view = self._bench.view
        if self._file is None or view is None:
            return None
        name = self.model.text().strip()
        return Wish(
            file=self._file, images=self._images, classes=self._classes,
            model=Model(name=name, version=self.version.text().strip()) if name else None,
            sample=view.sample.key if self.only_here.isChecked() else None,
        )  # fmt: skip

    def _on_failed(self, why: str) -> None:
        if isValid(self):
            self._job = None
            self.explain(why)

    def _on_looked(self, looked: Looked) -> None:
        if not isValid(self):
            return
        self._job, self._looked = None, looked
        report = looked.report
        known = f" {report.known} are there already, or were rejected." if report.known else ""
        self.explain(f"{looked.count} of {report.read} read would be proposed.{known}")
        self._fill_lines(looked)
        self._fill_unmapped(looked)
        self._fill_left(looked)
        self.propose_button.setEnabled(looked.count > 0)
        self.propose_button.setText(f"Propose {looked.count}" if looked.count else "Propose")
        self.propose_button.setAccessibleName(self.propose_button.text())

    def _fill_lines(self, looked: Looked) -> None:
        self.lines.setVisible(bool(looked.lines))
        self.lines.setRowCount(len(looked.lines))
        for row, each in enumerate(looked.lines):
            cells = (each.sample, each.stream, each.class_name, str(each.count), f"{each.sure:.2f}")
            for column, text in enumerate(cells):
                self.lines.setItem(row, column, QTableWidgetItem(text))

    def _fill_unmapped(self, looked: Looked) -> None:
        """What was said stays in sight as long as the dialog is open, so that it can be said otherwise."""
        counts = dict(looked.report.unmapped.most_common())
        self._foreign = list(dict.fromkeys((*self._foreign, *counts)))
        for each in (self.unmapped_words, self.unmapped):
            each.setVisible(bool(self._foreign))
        for row, name in enumerate(self._foreign):
            if row >= self.unmapped.rowCount():
                self.unmapped.insertRow(row)
                self.unmapped.setItem(row, 0, QTableWidgetItem(name))
                self.unmapped.setCellWidget(row, 2, self._class_box(row, name))
            self.unmapped.setItem(row, 1, QTableWidgetItem(str(counts.get(name, 0) or "")))
        self.unmapped.resizeColumnToContents(0)

    def _class_box(self, row: int, foreign: str) -> QComboBox:
        box = QComboBox()
        named(box, f"import_predictions_class_{row}", f"Class for {foreign}")
        box.addItem(_LATER, "")
        for each in self._ontology.classes.values():
            if each.retired is None and self._ontology.takes_proposals(each.id):
                box.addItem(next(iter(each.names.values())), each.id)
        box.activated.connect(self._on_class)
        return box

    @Slot(int)
    def _on_class(self, _index: int) -> None:
        for row, foreign in enumerate(self._foreign):
            box = self.unmapped.cellWidget(row, 2)
            assert isinstance(box, QComboBox)
            wanted = str(box.currentData() or "")
            if wanted:
                self._classes[foreign] = wanted
            else:
                self._classes.pop(foreign, None)
        self.look()

    def _fill_left(self, looked: Looked) -> None:
        report, reasons = looked.report, [*looked.barred, *looked.report.reasons]
        self.left.clear()
        self.left.addItems(reasons)
        for each in (self.left_words, self.left):
            each.setVisible(bool(reasons))
        more = report.left_out - len(report.reasons)
        self.left_words.setText("Left out:" if more <= 0 else f"Left out ({more} more not listed):")

    # --- storing ------------------------------------------------------------------------------------------------

    @Slot()
    def _on_propose(self) -> None:
        looked = self._looked
        if looked is None or self._file is None or not looked.count:
            return

        def keep() -> bool:
            keep_class_map_of_imports(self._ontology, self._classes)
            return True

        if self._bench.attempt(keep):
            self.accept()
            BringingPredictions(self._bench, looked, self._file).start()

    @Slot()
    def _on_closed(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None


def _look(folder: Path, wish: Wish, job: Job) -> Looked:
    from workstation.app.opening import open_project

    with open_project(folder, read_only=True) as session:
        return looked_at(session, wish, tell=lambda done, total: job.report(done, total, wish.file.name))
