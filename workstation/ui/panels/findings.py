"""The panel of findings: what the checks say of the open sample, measured against the limit, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from workstation.app.checking import SampleChecks
from workstation.app.finding_rows import COLUMNS, finding_rows
from workstation.app.rows import Row
from workstation.app.sample_view import SampleView
from workstation.core.findings import Finding
from workstation.core.ontology import ErrorType
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.workbench import Workbench

_REASONS = (
    ("Not an error here", "not an error here"),
    ("Known limit of the sensor", "known limit of the sensor"),
    ("Edge case of the guideline", "edge case of the guideline"),
)


class FindingsPanel(ListPanel):
    """Checked beside the work, after every change. ``N`` goes to the next one."""

    kind = "findings"
    title = "Findings"
    columns = COLUMNS
    hint = "Filter findings"
    choices = (
        Choice(name="severity", spoken="Show findings of one severity", entries=(
            ("", "All"), ("open", "Open"), ("error", "Errors"), ("warning", "Warnings"), ("info", "Notes"),
            ("settled", "Settled"),
        )),
        Choice(name="error", spoken="Show findings of one type of error", entries=(
            ("", "All types"), *((each.value, each.value.replace("-", " ").capitalize()) for each in ErrorType),
        )),
    )  # fmt: skip

    def bound(self, bench: Workbench) -> None:
        super().bound(bench)
        self.hear(bench.checks.changed, self._on_checks)
        bench.check_soon()

    def unbound(self, bench: Workbench) -> None:
        super().unbound(bench)

    def sample_opened(self, view: SampleView | None) -> None:
        super().sample_opened(view)
        if self.bench is not None and view is not None:
            self.bench.check_soon()

    def _on_checks(self, _checks: SampleChecks) -> None:
        self.refresh_soon()

    def _findings(self) -> Sequence[Finding]:
        bench = self.bench
        if bench is None or bench.view is None or bench.checks.sample != bench.view.id:
            return ()
        return bench.checks.findings

    def all_rows(self) -> list[Row]:
        bench = self.bench
        assert bench is not None
        assert bench.view is not None
        checked = bench.checks.sample == bench.view.id
        self.empty = "Nothing was found." if checked else "Checking …"
        if checked and bench.checks.not_run:
            self.empty += f" {len(bench.checks.not_run)} checks could not judge: {': '.join(bench.checks.not_run[0])}"
        return finding_rows(bench.view, self._findings())

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        bench = self.bench
        if bench is None:
            return []
        none = "the project is open to look at only" if bench.session.read_only else ""
        none = none or ("" if rows else "select a finding first")
        made = [
            Entry(text=f"Dismiss: {words}", act=partial(self._decide, "dismissed", reason), why_not=none)
            for words, reason in _REASONS
        ]
        return [
            *made,
            Entry(text="Dismiss with another reason…", act=partial(bench.wish, "finding.decide"), why_not=none),
            Entry(text="Confirm: it is an error", act=partial(self._decide, "confirmed", ""), why_not=none),
            Entry(text="Mark as mended", act=partial(self._decide, "fixed", ""), why_not=none),
            Entry(text="Next finding", act=partial(bench.wish, "finding.next")),
        ]

    def _decide(self, decision: str, reason: str) -> None:
        bench = self.bench
        if bench is None:
            return
        chosen = {row.key for row in self.table.selected_rows()}
        found = [each for each in self._findings() if each.fingerprint in chosen]

        def decide() -> None:
            with bench.together("Decide on findings") as run:
                for each in found:
                    run("finding.decide", fingerprint=each.fingerprint, rule=each.rule, decision=decision,
                        reason=reason)  # fmt: skip

        bench.attempt(decide)
