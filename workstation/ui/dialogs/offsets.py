"""Offsets over all samples: how far sound is from picture in each, so that a small lateness they share is seen.

The figures are those of ``workstation report offsets``; read by a job, since a project may have thousands of samples.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QWidget
from shiboken6 import isValid

from workstation.app.jobs import Job
from workstation.app.offset_report import OffsetRow, Spread, offset_rows, spread_of
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.scenes.letters import small_font
from workstation.ui.theme import Theme
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_BARS, _FOOT_PX = 21, 18
_COLUMNS = ("Sample", "Sound late by", "Known by")


class Bars(QWidget):
    """How many samples are how late; zero and the mean are marked."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        named(self, "offsets_bars", "How many samples are how late")
        self._theme = theme
        self.spread: Spread | None = None

    def sizeHint(self) -> QSize:
        return QSize(420, 150)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 110)

    def show_spread(self, spread: Spread) -> None:
        """Draw this distribution."""
        self.spread = spread
        self.setAccessibleDescription(spread.words())
        self.update()

    def x_of(self, late_ms: float) -> float:
        """Where a lateness stands; zero is always in view."""
        low, high = self._ends()
        return 8 + (late_ms - low) / (high - low) * (self.width() - 16)

    def _ends(self) -> tuple[float, float]:
        values = (0.0,) if self.spread is None else (0.0, *self.spread.late_ms)
        room = max((max(values) - min(values)) * 0.06, 1.0)
        return min(values) - room, max(values) + room

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.raised))
        if self.spread is None:
            painter.end()
            return
        counts, edges = np.histogram(self.spread.late_ms, bins=_BARS, range=self._ends())
        floor = self.height() - _FOOT_PX
        for count, low, high in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            tall = count / max(counts) * (floor - 8)
            bar = QRectF(self.x_of(low) + 1, floor - tall, max(1.0, self.x_of(high) - self.x_of(low) - 2), tall)
            painter.fillRect(bar, QColor(self._theme.accent))
        painter.setFont(small_font())
        mean = self.spread.mean_ms
        marks = ((0.0, "0", self._theme.quiet), (mean, f"mean {mean:+.1f} ms", self._theme.error))
        for at, words, colour in marks:
            x = round(self.x_of(at))
            painter.setPen(QColor(colour))
            painter.drawLine(x, 4, x, floor)
            wide = painter.fontMetrics().horizontalAdvance(words)
            left = min(max(2, x - wide // 2), self.width() - wide - 2)
            painter.drawText(left, self.height() - 4, words)
        painter.end()


class Offsets(Sheet):
    """The spread in a sentence and as bars, and the samples, the furthest off first; a double click opens one."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window, "offsets", "Offsets over all samples")
        self.resize(520, 460)
        self._bench = bench
        self.words = self.say("Reading all samples…")
        self.words.setObjectName("offsets_words")
        self.bars = Bars(bench.theme)
        self.column.addWidget(self.bars, 2)
        self.table = QTableWidget(0, len(_COLUMNS))
        named(self.table, "offsets_list", "Samples, the furthest off first")
        self.table.setHorizontalHeaderLabels(list(_COLUMNS))
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.table.itemActivated.connect(self._on_row)
        self.column.addWidget(self.table, 3)
        close = self.button("close", "Close", default=True)
        close.clicked.connect(self.accept)
        self.buttons(close)
        work = partial(_read, bench.session.project.path)
        self._job = window.jobs.start("Read offsets", work, done=self._take, failed=self.explain)
        self.finished.connect(self._job.cancel)

    def _take(self, rows: list[OffsetRow]) -> None:
        if not isValid(self):
            return
        spread = spread_of([each.late_ms for each in rows])
        if spread is None:
            few = f"{len(rows)} samples say how far sound and picture are apart; a spread needs at least three."
            self.explain(f"{few} Note what was measured, or link what is heard to what is seen.")
        else:
            self.explain(spread.words())
            self.bars.show_spread(spread)
        self.bars.setVisible(spread is not None)
        self.table.setRowCount(len(rows))
        for number, each in enumerate(sorted(rows, key=lambda row: -abs(row.late_ms))):
            for column, text in enumerate((each.sample, f"{each.late_ms:+.1f} ms", each.by)):
                item = QTableWidgetItem(text)
                if column == 1:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(number, column, item)

    def _on_row(self, item: QTableWidgetItem) -> None:
        key = self.table.item(item.row(), 0)
        if key is not None and self._bench.open_sample(key.text()):
            self.accept()


def _read(folder: Path, job: Job) -> list[OffsetRow]:
    from workstation.app.opening import open_project

    found = []
    with open_project(folder, read_only=True) as session:
        for row in offset_rows(session.store):
            job.check()
            found.append(row)
    return found
