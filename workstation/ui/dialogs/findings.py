"""Dialogs about findings: deciding on one with a reason and a cause, and how good each rule is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QHeaderView, QLineEdit, QTableWidget, QTableWidgetItem

from workstation.app.measured_words import measured_text
from workstation.app.rule_counts import RuleCount, kept_counts
from workstation.core.findings import Finding, causes_of
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.panels.going import decide

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow
    from workstation.ui.workbench import Workbench

_DECISIONS = (
    ("dismissed", "Dismiss: it is no error"),
    ("confirmed", "Confirm: it is an error"),
    ("waived", "Waive: it is an error and stays"),
    ("fixed", "It is mended"),
)
_NEED_A_REASON = frozenset({"dismissed", "waived"})


class Decide(Sheet):
    """What one finding is, why, and what led to it."""

    def __init__(self, window: MainWindow, bench: Workbench, finding: Finding) -> None:
        super().__init__(window, "decide", "Decide on finding")
        self.resize(520, 260)
        self._bench, self._finding = bench, finding
        measured = measured_text(finding)
        self.say(f"{finding.text}.")
        self.say(f"{finding.rule}{f': {measured}' if measured else ''}", "quiet")
        self._decision = self._box("decision", "What it is", _DECISIONS)
        self._reason = QLineEdit(finding.reason)
        named(self._reason, "decide_reason", "Why")
        self._reason.setPlaceholderText("Why; needed to dismiss and to waive")
        self.column.addWidget(self._reason)
        project = bench.session.store.project()
        causes = causes_of(() if project is None else project.causes)
        self._cause = self._box(
            "cause", "What led to it", (("", "Cause not known"), *((each, each) for each in causes))
        )
        self._cause.setCurrentIndex(max(0, self._cause.findData(finding.cause)))
        self.words = self.say("", "error")
        keep = self.button("keep", "Keep", default=True)
        keep.clicked.connect(self._on_keep)
        close = self.button("close", "Cancel")
        close.clicked.connect(self.reject)
        self.buttons(close, keep)
        self._reason.setFocus()

    def _box(self, name: str, spoken: str, entries: tuple[tuple[str, str], ...]) -> QComboBox:
        box = QComboBox()
        named(box, f"decide_{name}", spoken)
        for key, words in entries:
            box.addItem(words, key)
        self.column.addWidget(box)
        return box

    @Slot()
    def _on_keep(self) -> None:
        decision, reason = str(self._decision.currentData()), self._reason.text().strip()
        if decision in _NEED_A_REASON and not reason:
            self.explain(f"A finding is {decision} with a reason.")
            self._reason.setFocus()
            return
        if decide(self._bench, [self._finding], decision, reason=reason, cause=str(self._cause.currentData())):
            self.accept()


class RulesTable(Sheet):
    """Rule by rule: what it found, what was dismissed, and whether it is noisy or could not judge."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window, "rules", "Rules and their precision")
        self.resize(820, 480)
        self.say(
            "Precision is the share of a rule's findings that nobody dismissed. A rule of which most was dismissed is "
            "noisy. Counted are the findings of this sample as they are now, and of the others as they were when "
            "findings were kept last (workstation validate --keep)."
        )
        self.table = QTableWidget(0, len(_COLUMNS))
        named(self.table, "rules_list", "Rules and their precision")
        self.table.setHorizontalHeaderLabels([title for title, _ in _COLUMNS])
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self._fill(bench)
        self.column.addWidget(self.table, 1)
        close = self.button("close", "Close", default=True)
        close.clicked.connect(self.accept)
        self.buttons(close)

    def _fill(self, bench: Workbench) -> None:
        counts = kept_counts(bench.session.store, bench.checks.findings, dict(bench.checks.not_run))
        self.table.setRowCount(len(counts))
        for row, count in enumerate(counts):
            for column, (_, text) in enumerate(_COLUMNS):
                item = QTableWidgetItem(text(count))
                if 0 < column < len(_COLUMNS) - 1:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, column, item)


def _remark(count: RuleCount) -> str:
    return "▲ noisy" if count.noisy else f"not run: {count.not_run}" if count.not_run else ""


def _precision(count: RuleCount) -> str:
    return "" if count.precision is None else f"{count.precision:.0%}"


_COLUMNS: tuple[tuple[str, Callable[[RuleCount], str]], ...] = (
    ("Rule", lambda count: count.rule),
    ("Found", lambda count: str(count.found)),
    ("Open", lambda count: str(count.open)),
    ("Confirmed", lambda count: str(count.confirmed + count.waived)),
    ("Fixed", lambda count: str(count.fixed)),
    ("Dismissed", lambda count: str(count.dismissed)),
    ("Precision", _precision),
    ("", _remark),
)
