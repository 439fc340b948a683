"""The panel of findings: what the checks say of the open sample, measured against the limit, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QWidget

from workstation.app.finding_places import FindingPlaces
from workstation.app.finding_rows import COLUMNS, NOT_RUN, FindingRows, filter_key
from workstation.app.rows import Cell, Row
from workstation.app.sample_view import SampleView
from workstation.core.findings import Finding, FindingState, causes_of
from workstation.core.ontology import ErrorType
from workstation.ui.panels.going import decide, fix, go_to_finding
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.slices import Slices
from workstation.ui.workbench import Workbench

_REASONS = (
    ("Not an error here", "not an error here"),
    ("Known limit of the sensor", "known limit of the sensor"),
    ("Edge case of the guideline", "edge case of the guideline"),
)
_ALL_RULES, _ALL_STREAMS = ("", "All rules"), ("", "All streams")


class FindingsPanel(ListPanel):
    """Checked beside the work, after every change. ``N`` goes to the next one."""

    kind = "findings"
    title = "Findings"
    columns = COLUMNS
    hint = "Filter findings"
    choices = (
        Choice(name="state", spoken="Show findings in one state", entries=(
            ("", "All"), ("unsettled", "Not settled"), ("settled", "Settled"),
            *((f"state:{each.value}", each.value.capitalize()) for each in FindingState),
            (f"state:{NOT_RUN}", "Not run"),
        )),
        Choice(name="severity", spoken="Show findings of one severity", entries=(
            ("", "Any severity"), ("error", "Errors"), ("warning", "Warnings"), ("info", "Notes"),
        )),
        Choice(name="error", spoken="Show findings of one type of error", entries=(
            ("", "All types"), *((each.value, each.value.replace("-", " ").capitalize()) for each in ErrorType),
        )),
        Choice(name="rule", spoken="Show findings of one rule", entries=(_ALL_RULES,)),
        Choice(name="stream", spoken="Show findings on one stream", entries=(_ALL_STREAMS,)),
    )  # fmt: skip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        second = QHBoxLayout()  # five boxes beside the field would show nothing of what they say
        second.setContentsMargins(6, 0, 6, 4)
        second.setSpacing(4)
        for name in ("error", "rule", "stream"):
            self.bar.removeWidget(self._boxes[name])
            second.addWidget(self._boxes[name], 1)
        self.column.insertLayout(1, second)
        self._rows = FindingRows()
        self._making = Slices(self)

    def bound(self, bench: Workbench) -> None:
        super().bound(bench)
        self.hear(bench.findings_placed, self._on_findings)
        bench.check_soon()

    def unbound(self, bench: Workbench) -> None:
        self._making.stop()
        self._rows = FindingRows()
        super().unbound(bench)

    def sample_opened(self, view: SampleView | None) -> None:
        self._making.stop()
        self._rows = FindingRows()
        super().sample_opened(view)
        if self.bench is not None and view is not None:
            self.bench.check_soon()

    def _on_findings(self, _places: FindingPlaces) -> None:
        self.refresh_soon()

    def refresh(self) -> None:
        """Make the rows again, a slice at a time where they are very many, and show them when they are made."""
        bench = self.bench
        if bench is None or bench.view is None or bench.places is None or not bench.places.told:
            self._making.stop()
            self._rows = FindingRows()
            super().refresh()
        else:
            self._soon.stop()
            self._making.start(self._rows.make(bench.places, bench.checks.not_run), super().refresh)

    def _findings(self) -> Sequence[Finding]:
        bench = self.bench
        if bench is None or bench.view is None or bench.checks.sample != bench.view.id:
            return ()
        return bench.checks.findings

    def all_rows(self) -> list[Row]:
        bench = self.bench
        assert bench is not None
        assert bench.view is not None
        told = bench.places is not None and bench.places.told
        self.empty = "Nothing was found." if told else "Checking …"
        made = self._rows
        self.refill("rule", (_ALL_RULES, *((filter_key("rule", each), each) for each in sorted(made.rules))))
        self.refill("stream", (_ALL_STREAMS, *((filter_key("stream", each), each) for each in sorted(made.streams))))
        return made.rows

    def choose(self, row: Row, cell: Cell | None) -> None:
        finding = next((each for each in self._findings() if each.fingerprint == row.key), None)
        if finding is not None and self.bench is not None:
            go_to_finding(self.bench, finding, cause=self.kind)

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        bench = self.bench
        if bench is None:
            return []
        chosen = self._chosen(rows)
        none = "the project is open to look at only" if bench.session.read_only else ""
        none = none or ("" if chosen else "select a finding first")
        project = bench.session.store.project()
        causes = causes_of(() if project is None else project.causes)
        return [
            *self._fixes(chosen, none),
            *(
                Entry(text=f"Dismiss: {words}", act=partial(self._decide, "dismissed", reason=reason), why_not=none)
                for words, reason in _REASONS
            ),
            Entry(text="Decide, with a reason and a cause…", act=partial(bench.wish, "finding.decide"), why_not=none),
            Entry(text="Confirm: it is an error", act=partial(self._decide, "confirmed"), why_not=none),
            *(
                Entry(text=f"Confirm, cause: {cause}", act=partial(self._decide, "confirmed", cause=cause),
                      why_not=none)
                for cause in causes
            ),
            Entry(text="Mark as mended", act=partial(self._decide, "fixed"), why_not=none),
            Entry(text="Next finding", act=partial(bench.wish, "finding.next")),
            Entry(text="Rules and their precision…", act=partial(bench.wish, "finding.rules")),
        ]  # fmt: skip

    def _fixes(self, chosen: Sequence[Finding], none: str) -> list[Entry]:
        bench = self.bench
        fixable = [each for each in chosen if each.fix is not None]
        if bench is None or not fixable:
            return []
        titles = {each.fix.title for each in fixable if each.fix is not None}
        words = titles.pop() if len(fixable) == 1 else f"{len(fixable)} findings as their rules suggest"
        return [Entry(text=f"Fix: {words}", act=partial(fix, bench, fixable), why_not=none)]

    def _chosen(self, rows: Sequence[Row]) -> list[Finding]:
        keys = {row.key for row in rows}
        return [each for each in self._findings() if each.fingerprint in keys]

    def _decide(self, decision: str, *, reason: str = "", cause: str = "") -> None:
        if self.bench is not None:
            chosen = self._chosen(self.table.selected_rows())
            decide(self.bench, chosen, decision, reason=reason, cause=cause)
