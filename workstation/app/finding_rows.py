"""The findings of a sample as rows: what is wrong, measured against the limit, and what to do. Without Qt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from workstation.app.finding_places import GRAVITY, FindingPlaces, PlacedFinding
from workstation.app.measured_words import measured_text
from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_view import SampleView
from workstation.core.findings import Finding
from workstation.core.ontology import Severity
from workstation.core.values import dataclass

COLUMNS = (
    Column(title="Finding", stretch=True, help="What a check says; a click goes to what it is about"),
    Column(title="Measured", width=20, spare=1, help="What was measured, and the limit"),
    Column(title="State", width=11, spare=2),
)
_ICONS = {Severity.ERROR: "severity_error", Severity.WARNING: "severity_warning", Severity.INFO: "severity_info"}
_TONES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: ""}

NOT_RUN = "not-run"


class FindingRows:
    """The rows of one sample, kept from one check to the next: only findings that are new or elsewhere get new ones."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        """Open ones first, the gravest first, then by time; last the rules that could not judge, with the reason."""
        self.rules: frozenset[str] = frozenset()
        self.streams: frozenset[str] = frozenset()
        """Keys of the streams that the findings are on."""
        self._of: Sequence[PlacedFinding] | None = None
        self._missed: list[tuple[str, str]] = []
        self._known: dict[str, _Made] = {}

    def make(self, places: FindingPlaces, not_run: Iterable[tuple[str, str]] = ()) -> Iterator[None]:
        """Anew, a step at a time (``ui/slices.py``): forty thousand rows take a second."""
        missed = sorted(not_run)
        if places.all is self._of and missed == self._missed:
            return
        known, now = self._known, dict[str, _Made]()
        for placed in places.all:
            made = known.get(placed.finding.fingerprint)
            if made is None or made.of is not placed:
                streams = streams_of(places.view, placed.finding)
                made = known[placed.finding.fingerprint] = _Made(
                    placed, _row(places.view, placed, streams), tuple(streams)
                )
            now[placed.finding.fingerprint] = made
            yield
        self._of, self._missed, self._known = places.all, missed, now
        self.streams = frozenset(key for each in now.values() for key in each.streams)
        self.rules = frozenset(each.finding.rule for each in places.all) | {rule for rule, _ in missed}
        yield
        order = _order(places.all)
        yield
        all_made = list(now.values())
        self.rows = [*(all_made[i].row for i in order), *map(_not_run_row, missed)]
        yield


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    of: PlacedFinding
    row: Row
    streams: tuple[str, ...]


def _order(those: Sequence[PlacedFinding]) -> Sequence[int]:
    """Those of equal rank and time stay in the order of the checks."""
    starts = np.fromiter((each.starts_ns or 0 for each in those), np.int64, len(those))
    ranks = np.fromiter((GRAVITY[each.finding.severity] for each in those), np.int64, len(those))
    settled = np.fromiter((each.finding.settled for each in those), np.bool_, len(those))
    found: list[int] = np.lexsort((starts, ranks, settled)).tolist()
    return found


def open_in_words(findings: Iterable[Finding]) -> str:
    """How many are open of each severity, as in the status line; that there are none as well."""
    counts = Counter(each.severity for each in findings if not each.settled)
    marks = {Severity.ERROR: "▲", Severity.WARNING: "◆", Severity.INFO: "●"}
    told = "  ".join(f"{marks[each]} {counts[each]}" for each in GRAVITY if counts[each])
    return told or "no open findings"


def filter_key(kind: str, name: str) -> str:
    """What a row's group calls a rule or a stream; groups are words between blanks."""
    return f"{kind}:{'_'.join(name.split())}"


def _row(view: SampleView, placed: PlacedFinding, streams: Iterable[str]) -> Row:
    finding = placed.finding
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
        *(filter_key("stream", key) for key in streams),
    ]  # fmt: skip
    return Row(
        key=finding.fingerprint,
        ids=tuple(each.id for each in finding.items if view.exists(each.id)),
        time_ns=placed.starts_ns,
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
