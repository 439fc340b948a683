"""The findings of a sample as rows: what is wrong, measured against the limit, and what to do. Without Qt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_view import SampleView
from workstation.app.walking import when
from workstation.core.findings import Finding
from workstation.core.ontology import Severity

COLUMNS = (
    Column(title="Finding", stretch=True, help="What a check says; a click goes to what it is about"),
    Column(title="Measured", width=20, spare=1, help="What was measured, and the limit"),
    Column(title="State", width=11, spare=2),
)
_ICONS = {Severity.ERROR: "severity_error", Severity.WARNING: "severity_warning", Severity.INFO: "severity_info"}
_TONES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: ""}
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


NOT_RUN = "not-run"


def finding_rows(view: SampleView, findings: Iterable[Finding], not_run: Iterable[tuple[str, str]] = ()) -> list[Row]:
    """Open ones first, the gravest first, then by time; last the rules that could not judge, with the reason."""
    placed = [(each, _starts(view, each)) for each in findings]
    placed.sort(key=lambda each: (each[0].settled, _ORDER[each[0].severity], each[1] or 0, each[0].fingerprint))
    return [*(_row(view, finding, start_ns) for finding, start_ns in placed), *map(_not_run_row, sorted(not_run))]


def open_in_words(findings: Iterable[Finding]) -> str:
    """How many are open of each severity, as in the status line; that there are none as well."""
    counts = Counter(each.severity for each in findings if not each.settled)
    marks = {Severity.ERROR: "▲", Severity.WARNING: "◆", Severity.INFO: "●"}
    told = "  ".join(f"{marks[each]} {counts[each]}" for each in _ORDER if counts[each])
    return told or "no open findings"


def filter_key(kind: str, name: str) -> str:
    """What a row's group calls a rule or a stream; groups are words between blanks."""
    return f"{kind}:{'_'.join(name.split())}"


def _row(view: SampleView, finding: Finding, start_ns: int | None) -> Row:
    lines = [finding.text, f"Rule {finding.rule}, {finding.error_type.value}, {finding.severity.value}."]
    if finding.suggestion:
        lines.append(f"Suggestion: {finding.suggestion}")
    if finding.fix is not None:
        lines.append(f"Fix: {finding.fix.title} ({finding.fix.command})")
    if finding.reason or finding.cause:
        lines.append(f"{finding.state.value}: {', '.join(each for each in (finding.reason, finding.cause) if each)}")
    tip = "\n".join(lines)
    tone = "quiet" if finding.settled else _TONES[finding.severity]
    groups = [
        finding.severity.value, finding.error_type.value, "settled" if finding.settled else "unsettled",
        f"state:{finding.state.value}", filter_key("rule", finding.rule),
        *(filter_key("stream", key) for key in streams_of(view, finding)),
    ]  # fmt: skip
    return Row(
        key=finding.fingerprint,
        ids=tuple(each.id for each in finding.items if view.exists(each.id)),
        time_ns=start_ns,
        group=" ".join(groups),
        enabled=not finding.settled,
        cells=(
            Cell(text=finding.text, tip=tip, icon=_ICONS[finding.severity]),
            Cell(text=measured_text(finding), tip=tip, tone=tone),
            Cell(text=finding.state.value, tone="quiet" if finding.settled else "", tip=tip),
        ),
    )


def _not_run_row(missed: tuple[str, str]) -> Row:
    rule, why = missed
    tip = f"{rule} could not judge and has not passed: {why}"
    return Row(
        key=f"{NOT_RUN} {rule}",
        group=f"state:{NOT_RUN} unsettled {filter_key('rule', rule)}",
        enabled=False,
        cells=(Cell(text=f"{rule}: {why}", tip=tip, icon="severity_info"), Cell(tip=tip),
               Cell(text="not run", tone="quiet", tip=tip)),
    )  # fmt: skip


def streams_of(view: SampleView, finding: Finding) -> list[str]:
    """Keys of the streams that a finding's items are on, in order."""
    found: dict[str, None] = {}
    for item in finding.items:
        labels = [view.annotations[item.id]] if item.id in view.annotations else view.annotations_of_entity(item.id)
        ids = [item.id, *(each.stream for each in labels)]
        found.update({view.streams[each].key: None for each in ids if each is not None and each in view.streams})
    return list(found)


def measured_text(finding: Finding) -> str:
    """``112 ms > 100 ms``; empty where nothing is measured."""
    if finding.measured is None:
        return ""
    unit = f" {finding.unit}" if finding.unit else ""
    measured = f"{_figure(finding.measured)}{unit}"
    if finding.limit is None:
        return measured
    sign = "≠"
    if isinstance(finding.measured, int | float) and isinstance(finding.limit, int | float):
        sign = ">" if finding.measured > finding.limit else "<" if finding.measured < finding.limit else "="
    return f"{measured} {sign} {_figure(finding.limit)}{unit}"


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _starts(view: SampleView, finding: Finding) -> int | None:
    starts = [when(view, each.id) for each in finding.items if view.exists(each.id)]
    return min((each for each in starts if each is not None), default=None)
