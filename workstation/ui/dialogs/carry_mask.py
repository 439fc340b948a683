"""The selected mask carried over the next pictures: looked at first, picture by picture, then kept as one proposal.

A job finds the masks beside the work; nothing is stored before the button is pressed, and what is kept is proposed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QColor, QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSpinBox,
)
from shiboken6 import isValid

from workstation.app.carried_masks import Carried, CarriedMask, CarryWish, carry, propose
from workstation.app.jobs import Job
from workstation.core.annotation import Annotation
from workstation.prelabel.api import Pixels
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_USUAL, _MOST = 10, 200
_TILE_PX = 132
_COVER = 0.45


class CarryMask(Sheet):
    """Over how many pictures; what came; up to which it is good."""

    def __init__(self, window: MainWindow, bench: Workbench, record: Annotation, wish: CarryWish) -> None:
        """``wish.count`` is how many pictures there are to carry it to."""
        super().__init__(window, "carry_mask", "Carry the mask on")
        assert bench.view is not None
        self._bench, self._record, self._wish = bench, record, wish
        self._colour = QColor(bench.view.paint_of(record).colour)
        self._job: Job | None = None
        self._carried: Carried | None = None
        name = bench.view.name_of(record.id)
        self.say(f"{name} on {wish.stream.key}, from picture #{wish.index} on. What comes is proposed, never judged.")
        self._build_form(wish.count)
        self.words = self.say(
            "A model that follows masks does it where one is installed, else optical flow; it ends where what lies "
            "under the mask changes.", "quiet",
        )  # fmt: skip
        self._build_strip()
        self.finished.connect(self._on_closed)
        self.resize(760, 400)

    def _build_form(self, most: int) -> None:
        row = QHBoxLayout()
        self.count = QSpinBox()
        self.count.setRange(1, max(1, min(most, _MOST)))
        self.count.setValue(_USUAL)
        named(self.count, "carry_mask_count", "Over how many pictures")
        self.carry_button = self.button("carry", "Carry", default=True)
        _wide_enough(self.carry_button, "Carry again")
        self.carry_button.clicked.connect(self._on_carry)
        self.progress = QProgressBar()
        named(self.progress, "carry_mask_progress", "How many pictures are done")
        self.progress.hide()
        row.addWidget(QLabel("Pictures"))
        row.addWidget(self.count)
        row.addWidget(self.carry_button)
        row.addWidget(self.progress, 1)
        row.addStretch(1)
        self.column.addLayout(row)

    def _build_strip(self) -> None:
        self.strip = QListWidget()
        named(self.strip, "carry_mask_strip", "Up to which picture it is good")
        self.strip.setToolTip("Choose the last picture on which the mask is good")
        self.strip.setViewMode(QListView.ViewMode.IconMode)
        self.strip.setMovement(QListView.Movement.Static)
        self.strip.setResizeMode(QListView.ResizeMode.Adjust)
        self.strip.setIconSize(QSize(_TILE_PX, _TILE_PX))
        self.strip.setSpacing(6)
        self.strip.currentRowChanged.connect(self._on_last)
        self.column.addWidget(self.strip, 1)
        self.keep_button = self.button("keep", "Propose")
        _wide_enough(self.keep_button, f"Propose on {_MOST} pictures")
        self.keep_button.setEnabled(False)
        self.keep_button.clicked.connect(self._on_keep)
        cancel = self.button("cancel", "Cancel")
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, self.keep_button)

    # --- the job ------------------------------------------------------------------------------------------------

    @Slot()
    def _on_carry(self) -> None:
        jobs = self._bench.jobs
        if jobs is None or self._job is not None:
            return
        wish = CarryWish(
            project=self._wish.project, stream=self._wish.stream, index=self._wish.index, mask=self._wish.mask,
            count=self.count.value(),
        )  # fmt: skip
        self.strip.clear()
        self.progress.setRange(0, wish.count)
        self.progress.setValue(0)
        self.progress.show()
        self.carry_button.setEnabled(False)
        self._job = jobs.start("Carry the mask on", partial(_work, wish), done=self._on_came, failed=self._on_failed)
        jobs.changed.connect(self._on_job)

    def _on_job(self, job: Job) -> None:
        if isValid(self) and job is self._job:
            self.progress.setValue(job.done)

    def _on_came(self, carried: Carried) -> None:
        if not isValid(self):
            return
        self._ended()
        self._carried = carried
        for each in carried.masks:
            self.strip.addItem(_tile(each, self._colour))
        by = carried.source.name
        said = [f"{len(carried.masks)} pictures by {by}." if carried.masks else "It could be carried to no picture."]
        said += [f"It ended: {carried.ended}."] if carried.ended else []
        said += [f"{carried.note}."] if carried.note else []
        self.explain(" ".join(said))
        self.strip.setCurrentRow(len(carried.masks) - 1)
        self.strip.setFocus()

    def _on_failed(self, why: str) -> None:
        if isValid(self):
            self._ended()
            self.explain(why)

    def _ended(self) -> None:
        self._forget_job()
        self.progress.hide()
        self.carry_button.setEnabled(True)
        self.carry_button.setText("Carry again")

    def _forget_job(self) -> None:
        if self._job is not None and self._bench.jobs is not None:
            self._bench.jobs.changed.disconnect(self._on_job)
        self._job = None

    @Slot()
    def _on_closed(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._forget_job()

    # --- what is kept -------------------------------------------------------------------------------------------

    @Slot(int)
    def _on_last(self, row: int) -> None:
        many = row + 1
        for number in range(self.strip.count()):
            item = self.strip.item(number)
            font = item.font()
            font.setStrikeOut(number > row)
            item.setFont(font)
        self.keep_button.setEnabled(many > 0)
        self.keep_button.setText(f"Propose on {many} picture{'' if many == 1 else 's'}" if many else "Propose")
        self.keep_button.setAccessibleName(self.keep_button.text())
        self.carry_button.setDefault(many == 0)
        self.keep_button.setDefault(many > 0)

    @Slot()
    def _on_keep(self) -> None:
        carried, many = self._carried, self.strip.currentRow() + 1
        if carried is None or many < 1:
            return
        made = self._bench.attempt(partial(self._propose, carried, many))
        if made is not None:
            self._bench.selection.select((made,), cause="window")
            ways = "accept it (@annotation.accept) or reject it (@annotation.reject)"
            self._bench.tell(f"The mask is proposed on {many} more pictures; {ways}.")
            self.accept()

    def _propose(self, carried: Carried, many: int) -> str:
        with self._bench.together(f"Carry a mask over {many} pictures") as run:
            return propose(run, self._wish, self._record, carried.masks[:many], carried.source)


def _wide_enough(button: QPushButton, longest: str) -> None:
    """For what it will say, so that nothing moves when it does."""
    now = button.text()
    button.setText(longest)
    button.setMinimumWidth(button.sizeHint().width())
    button.setText(now)


def _work(wish: CarryWish, job: Job) -> Carried:
    return carry(wish, tell=partial(_report, job), cancelled=lambda: job.cancel_asked)


def _report(job: Job, done: int, total: int) -> None:
    job.report(done, total, f"picture {done} of {total}")


def _tile(each: CarriedMask, colour: QColor) -> QListWidgetItem:
    item = QListWidgetItem(QIcon(_picture(each, colour)), f"#{each.index}  {each.found.score:.2f}")
    item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter)
    item.setToolTip(f"Picture #{each.index}, {each.own_ns / 1e9:.3f} s, likeness {each.found.score:.2f}")
    return item


def _picture(each: CarriedMask, colour: QColor) -> QPixmap:
    """What lies under the mask with the mask in its colour and a line around it, so that it shows on its own colour."""
    shown: Pixels = each.small.copy()
    tint = np.array([colour.red(), colour.green(), colour.blue()], np.float32)
    inside = each.inside
    shown[inside] = (shown[inside] * (1 - _COVER) + tint * _COVER).astype(np.uint8)
    inner = inside.copy()
    inner[1:] &= inside[:-1]
    inner[:-1] &= inside[1:]
    inner[:, 1:] &= inside[:, :-1]
    inner[:, :-1] &= inside[:, 1:]
    shown[inside & ~inner] = tint.astype(np.uint8)
    height, width = shown.shape[:2]
    image = QImage(shown.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image).scaled(
        _TILE_PX, _TILE_PX, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
