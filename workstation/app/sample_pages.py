"""A project's samples page by page, in the order asked for, and what the list says of each. Without Qt.

A million samples are never read at once: pages go by key, by state and key, or along the few that have findings.
``describe`` is asked for rows that are on the screen, not for those that were only passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from time import perf_counter

from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_disagreement import Disagreement
from workstation.app.validation import FINDINGS_AREA, kept_findings
from workstation.core.annotation import State
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.sample import GateState, Sample, SampleState
from workstation.core.values import dataclass
from workstation.store.queries import Reads

PAGE = 200
COLUMNS = (
    Column(title="Sample", stretch=True, help="Its key; a double click or Enter opens it"),
    Column(title="State", width=13, help="Where it stands in the work"),
    Column(title="Done", width=12, spare=1, help="Finished labels of all; the bar has a part for each lane"),
    Column(title="Findings", width=8, numeric=True, spare=2, help="Open findings of the checks that were run last"),
    Column(title="Sync", width=11, spare=3, help="Whether its clocks are verified"),
)
_FINISHED = frozenset({State.DONE, State.APPROVED, State.REJECTED})
_TONES = {SampleState.RETURNED: "warning", SampleState.APPROVED: "good", SampleState.QUARANTINED: "error"}
_SYNC = {GateState.UNVERIFIED: ("not verified", "warning"), GateState.NOT_NEEDED: ("not needed", "quiet")}


class Order(StrEnum):
    """By what samples are sorted; the numbers of labels are not, since they would have to be counted for all."""

    KEY = "key"
    STATE = "state"
    FINDINGS = "findings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which samples, in which order."""

    typed: str = ""
    state: SampleState | None = None
    findings: bool | None = None
    sync: bool | None = None
    """Whether the clocks are verified, waived or not needed."""
    order: Order = Order.KEY
    after: str | None = None
    """Only those whose keys come later; in the order of keys."""
    disputed: Mapping[str, Disagreement] | None = None
    """Only these samples by key, in this order: where models and labels disagree."""


class SamplePages:
    """Hands out samples in pages; begin again with a new one when something changed."""

    def __init__(self, reads: Reads, wish: Wish = Wish()) -> None:
        self._reads = reads
        self._wish = wish
        self._counts = reads.derived_counts(FINDINGS_AREA) if _needs_counts(wish) else {}
        self._stream = self._in_order()
        self.ended = False

    def next_page(self, size: int = PAGE, *, within_s: float = 0.02) -> list[Sample]:
        """The next samples that fit. Fewer than asked for where they are rare: after ``within_s`` it stops looking,
        and goes on from there when asked again; ``ended`` says when there are no more."""
        page: list[Sample] = []
        until = perf_counter() + within_s
        for passed, sample in enumerate(self._stream, start=1):
            if self._fits(sample):
                page.append(sample)
            if len(page) == size or (passed % PAGE == 0 and perf_counter() > until):
                return page
        self.ended = True
        return page

    def described(self, sample: Sample, *, findings: int | None = None) -> Row:
        """The whole row of one of them, with what has to be counted."""
        return whole_row(self._reads, sample, findings=findings, dispute=self.dispute(sample))

    def dispute(self, sample: Sample) -> Disagreement | None:
        """How far models and labels disagree on it, where that is what is listed."""
        return None if self._wish.disputed is None else self._wish.disputed.get(sample.key)

    def _in_order(self) -> Iterator[Sample]:
        states = [self._wish.state] if self._wish.state is not None else list(SampleState)
        if self._wish.disputed is not None:
            found = (self._reads.sample_by_key(each) for each in self._wish.disputed)
            yield from (each for each in found if each is not None and self._wish.state in (None, each.state))
        elif self._wish.order is Order.FINDINGS or self._wish.findings:
            yield from self._by_findings()
        elif self._wish.order is Order.STATE:
            for state in states:
                yield from self._keyed(state)
        else:
            yield from self._keyed(self._wish.state)

    def _keyed(self, state: SampleState | None) -> Iterator[Sample]:
        """By key, a page of the database at a time, so that no cursor stays open over a commit."""
        after = self._wish.after
        while True:
            page = list(self._reads.samples(state=state, after_key=after, limit=PAGE))
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].key

    def _by_findings(self) -> Iterator[Sample]:
        found = (self._reads.get(RecordKind.SAMPLE, each) for each in self._counts)
        ahead = [each for each in found if isinstance(each, Sample)]
        ahead.sort(key=lambda each: each.key)
        if self._wish.order is Order.FINDINGS:
            ahead.sort(key=lambda each: -self._counts[each.id])
        yield from (each for each in ahead if self._wish.state in (None, each.state))
        if not self._wish.findings:
            yield from (each for each in self._keyed(self._wish.state) if each.id not in self._counts)

    def _fits(self, sample: Sample) -> bool:
        wish = self._wish
        if wish.typed and any(
            word not in f"{sample.key} {sample.notes}".casefold() for word in wish.typed.casefold().split()
        ):
            return False
        if wish.findings is False and sample.id in self._counts:
            return False
        return wish.sync is None or (_sync_open(sample) is not wish.sync)


def _needs_counts(wish: Wish) -> bool:
    return wish.findings is not None or wish.order is Order.FINDINGS


def _sync_open(sample: Sample) -> bool:
    gate = sample.gates.get("sync")
    return gate is not None and gate.state is GateState.UNVERIFIED


def short_row(sample: Sample, dispute: Disagreement | None = None) -> Row:
    """What is known without asking further."""
    state = sample.state
    words = state.value.replace("_", " ")
    gate = sample.gates.get("sync")
    sync, tone = ("", "") if gate is None else _SYNC.get(gate.state, (gate.state.value.replace("_", " "), ""))
    return Row(
        key=sample.key,
        sample=sample.key,
        group=state.value,
        cells=(
            Cell(text=sample.key if dispute is None else f"{sample.key}   {dispute.share:.0%}",
                 tip=f"{sample.key}\n{sample.notes}{_dispute_in_words(dispute)}".strip()),
            Cell(text=words, icon=f"state_{state.value}", tone=_TONES.get(state, "")),
            Cell(text="…", tone="quiet"),
            Cell(text="…", tone="quiet"),
            Cell(text=sync or "no gate", tone=tone if sync else "quiet", tip="" if gate is None else gate.reason),
        ),
    )  # fmt: skip


def _dispute_in_words(dispute: Disagreement | None) -> str:
    if dispute is None:
        return ""
    other = f"; {dispute.other_class} proposals lie on a label of another class" if dispute.other_class else ""
    return f"\nModels and labels disagree on {dispute.alone} of {dispute.claims} claims{other}"


def whole_row(
    reads: Reads, sample: Sample, *, findings: int | None = None, dispute: Disagreement | None = None
) -> Row:  # fmt: skip
    """With progress per lane and open findings; ``findings`` is known for the open sample."""
    row = short_row(sample, dispute)
    if findings is None:
        findings = sum(not each.settled for each in kept_findings(reads, sample.id))
    counted = replace(row, cells=(*row.cells[:2], progress_cell(reads, sample.id), *row.cells[3:]))
    return with_findings(counted, findings)


def with_findings(row: Row, findings: int) -> Row:
    """The same with so many open findings; what else was counted stays."""
    count = Cell(text=str(findings), tone="warning" if findings else "quiet", tip=f"{findings} open findings")
    return replace(row, cells=(*row.cells[:3], count, *row.cells[4:]))


def progress_cell(reads: Reads, sample: SampleId) -> Cell:
    """``12 of 40`` with a bar that has a part for each lane, and each lane in words."""
    lanes: dict[str | None, list[int]] = defaultdict(lambda: [0, 0])
    for stream, state, count in reads.lane_states(sample):
        lanes[stream][1] += count
        lanes[stream][0] += count if state in _FINISHED else 0
    if not lanes:
        return Cell(text="no labels", tone="quiet", tip="No labels yet")
    names: dict[str | None, str] = {each.id: each.key for each in reads.streams(sample)}
    ordered = sorted(lanes.items(), key=lambda each: names.get(each[0], ""))
    tip = "\n".join(f"{names.get(each, 'the whole sample')}: {done} of {total}" for each, (done, total) in ordered)
    done, total = (sum(pair[which] for pair in lanes.values()) for which in (0, 1))
    shares = tuple(each / total_of_lane for _, (each, total_of_lane) in ordered)
    return Cell(text=f"{done} of {total}", tip=tip, shares=shares)
