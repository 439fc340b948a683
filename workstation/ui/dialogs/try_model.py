"""A model tried on the picture that is looked at: what it finds there, and which class here stands for that.

Nothing is stored. The model runs as a job; what is wrong with it is said here.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QLabel, QTableWidget, QTableWidgetItem
from shiboken6 import isValid

from workstation.app.jobs import Job
from workstation.app.model_list import Shelf, ShelvedModel
from workstation.app.trying import Tried, tried
from workstation.prelabel.api import FoundBox, Pixels
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.main_window import MainWindow
from workstation.ui.workbench import Workbench

_WIDE_PX, _TALL_PX = 720, 420
_MOST_ROWS = 200


class TryModel(Sheet):
    """The picture with what was found on it, and the same as a list."""

    def __init__(
        self, window: MainWindow, bench: Workbench, model: ShelvedModel, shelf: Shelf, picture: Pixels
    ) -> None:  # fmt: skip
        super().__init__(window, "try_model", f"Try {model.manifest.id}")
        self._bench, self._picture = bench, picture
        self.words = self.say(f"{model.manifest.id} looks at the picture…")
        self.shown = QLabel()
        named(self.shown, "try_model_picture", "The picture, with what was found on it")
        self.shown.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.shown.setPixmap(_drawn(picture, (), bench.theme.accent))
        self.column.addWidget(self.shown)
        self.table = QTableWidget(0, 3)
        named(self.table, "try_model_found", "What was found")
        self.table.setHorizontalHeaderLabels(["The model says", "Sure", "Class here"])
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.verticalHeader().hide()
        self.column.addWidget(self.table, 1)
        close = self.button("close", "Close", default=True)
        close.clicked.connect(self.accept)
        self.buttons(close)
        self.finished.connect(self._on_closed)
        self.resize(760, 640)
        assert bench.jobs is not None
        ontology = None if bench.view is None else bench.view.ontology
        self._names = {} if ontology is None else {
            each.id: next(iter(each.names.values())) for each in ontology.classes.values()
        }  # fmt: skip
        self._job: Job | None = bench.jobs.start(
            f"Try {model.manifest.id}", lambda job: tried(model, shelf, picture, ontology, partial(_asked, job)),
            done=self._on_done, failed=self._on_failed,
        )  # fmt: skip

    def _on_done(self, found: Tried) -> None:
        if not isValid(self):
            return
        self._job = None
        many = "nothing" if not found.boxes else "1 thing" if len(found.boxes) == 1 else f"{len(found.boxes)} things"
        self.explain(f"It found {many} in {found.seconds:.2f} s, starting included; it runs on {found.device}.")
        self.shown.setPixmap(_drawn(self._picture, found.boxes, self._bench.theme.accent))
        rows = list(zip(found.boxes, found.classes, strict=True))[:_MOST_ROWS]
        self.table.setRowCount(len(rows))
        for row, (box, class_id) in enumerate(rows):
            name = self._names.get(class_id, class_id) if class_id else "– left out –"
            for column, text in enumerate((box.label, f"{box.score:.2f}", name)):
                self.table.setItem(row, column, QTableWidgetItem(text))

    def _on_failed(self, why: str) -> None:
        if isValid(self):
            self._job = None
            self.explain(f"It does not run: {why}")

    @Slot()
    def _on_closed(self) -> None:
        if self._job is not None:
            self._job.cancel()


def _asked(job: Job) -> bool:
    return job.cancel_asked


def _drawn(picture: Pixels, boxes: tuple[FoundBox, ...], accent: str) -> QPixmap:
    plain = np.ascontiguousarray(picture)
    height, width = plain.shape[:2]
    image = QImage(plain.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    shown = QPixmap.fromImage(image).scaled(
        _WIDE_PX, _TALL_PX, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    scale = shown.width() / width
    painter = QPainter(shown)
    metrics = QFontMetricsF(painter.font())
    for each in boxes:
        rect = QRectF(each.left * scale, each.top * scale, each.width * scale, each.height * scale)
        painter.setPen(QPen(QColor(accent), 2, Qt.PenStyle.DashLine))
        painter.drawRect(rect)
        said = f"{each.label} {each.score:.2f}"
        top = max(0.0, rect.top() - metrics.height())
        plate = QRectF(rect.left(), top, metrics.horizontalAdvance(said) + 6, metrics.height())
        painter.fillRect(plate, QColor(0, 0, 0, 190))
        painter.setPen(QColor("white"))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, said)
    painter.end()
    return shown
