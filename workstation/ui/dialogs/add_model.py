"""A model taken in from a file of this machine: what it is recognised as, and what it cannot say of itself, which is
asked here. The panel of models then takes it in as a job, which runs it once before.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QFileDialog, QFormLayout, QLineEdit

from workstation.app.bare_models import Told, class_list, seems
from workstation.core.errors import UserError
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.main_window import MainWindow

_ASKED = "– say what it is –"
_HINT = "An ONNX file, one of several that make one model, or the model.yaml of a model folder."


class AddModel(Sheet):
    """File, family, classes, name and licence of a model."""

    def __init__(self, window: MainWindow, take_in: Callable[[Path, Told], None]) -> None:
        super().__init__(window, "add_model", "Add a model from this machine")
        self._take_in = take_in
        self._path: Path | None = None
        self._labels: tuple[str, ...] = ()
        self._says_all = False
        self.words = self.say(_HINT)
        self.file = self.button("file", "Choose a file…")
        self.classes = self.button("classes", "Choose a list…")
        self.family, self.name, self.licence = QComboBox(), QLineEdit(), QLineEdit()
        self.licence.setPlaceholderText("not stated")
        form = QFormLayout()
        rows = (
            ("File", self.file, "add_model_file", "Choose the file of the model"),
            ("Family", self.family, "add_model_family", "How its answers are read"),
            ("Classes", self.classes, "add_model_classes", "Choose a file with its classes, one a line"),
            ("Name", self.name, "add_model_name", "What to call it"),
            ("Licence", self.licence, "add_model_licence", "Under which terms you have it"),
        )
        for title, widget, name, spoken in rows:
            named(widget, name, spoken)
            form.addRow(title, widget)
        self.column.addLayout(form)
        self.say("It is run once before it is taken in. What it finds is proposed, never judged.", "quiet")
        self.add_button = self.button("add", "Add", default=True)
        cancel = self.button("cancel", "Cancel")
        self.file.clicked.connect(self._on_choose)
        self.classes.clicked.connect(self._on_choose_classes)
        self.family.currentIndexChanged.connect(self._on_family)
        self.add_button.clicked.connect(self._on_add)
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, self.add_button)
        self.setMinimumWidth(520)
        self._may_say(asked=False)
        self._on_family()

    def read(self, path: Path) -> None:
        """Look at a file; raises ``UserError`` for one that is no model."""
        found = seems(path)
        self._path, self._labels, self._says_all = found.path, found.labels, found.says_all
        self.file.setText(path.name)
        self.classes.setText(_said(self._labels))
        self.name.setPlaceholderText(found.name)
        self.family.clear()
        for text, data in () if found.says_all else ((_ASKED, ""), *((each, each) for each in found.families)):
            self.family.addItem(text, data)
        self.family.setCurrentIndex(max(0, self.family.findData(found.family)))
        self._may_say(asked=not found.says_all)
        self.explain(found.words)
        self._on_family()
        (self.add_button if self.add_button.isEnabled() else self.family).setFocus()

    def read_classes(self, path: Path) -> None:
        """Take the classes out of a file; raises ``UserError`` for one that is none."""
        self._labels = tuple(class_list(path))
        self.classes.setText(_said(self._labels))

    def _may_say(self, *, asked: bool) -> None:
        for each in (self.family, self.classes, self.name, self.licence):
            each.setEnabled(asked)

    def _read(self, act: Callable[[Path], None], path: str) -> None:
        try:
            act(Path(path))
        except UserError as problem:
            self._path = None if act == self.read else self._path
            self.explain(str(problem))
            self._on_family()

    @Slot()
    def _on_family(self) -> None:
        self.add_button.setEnabled(self._path is not None and (self._says_all or bool(self.family.currentData())))

    @Slot()
    def _on_choose(self) -> None:
        self._ask("Add a model", "Models (*.onnx model.yaml);;All files (*)", self.file_chosen)

    @Slot()
    def _on_choose_classes(self) -> None:
        self._ask("Classes, one a line", "Lists (*.txt *.csv);;All files (*)", self._on_list)

    def _ask(self, title: str, kinds: str, then: Callable[[str], None]) -> None:
        start = Path.home() if self._path is None else self._path.parent
        dialog = QFileDialog(self, title, str(start), kinds)
        dialog.setObjectName("add_model_files")
        dialog.fileSelected.connect(then)
        dialog.open()

    @Slot(str)
    def file_chosen(self, path: str) -> None:
        """Look at a file; what is wrong with it is said in the dialog."""
        self._read(self.read, path)

    @Slot(str)
    def _on_list(self, path: str) -> None:
        self._read(self.read_classes, path)

    @Slot()
    def _on_add(self) -> None:
        if self._path is None:
            return
        told = Told(
            model_id=self.name.text().strip(), family=str(self.family.currentData() or ""), labels=self._labels,
            licence=self.licence.text().strip(),
        )  # fmt: skip
        self._take_in(self._path, told)
        self.accept()


def _said(labels: tuple[str, ...]) -> str:
    return "1 class…" if len(labels) == 1 else f"{len(labels)} classes…" if labels else "Choose a list…"
