"""Checks over a project: what ``workstation validate`` prints, and the findings that the store keeps for the window.

Findings are derived data: keeping them writes no revision, and each run replaces those of the rules it ran.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from typing import Any

import msgspec

from workstation.core.annotation import FindingDecision
from workstation.core.evidence import Evidence
from workstation.core.findings import Finding, decided
from workstation.core.guideline import last_read, newest, people_behind
from workstation.core.ids import SampleId
from workstation.core.ontology import ErrorType
from workstation.core.records import RecordKind
from workstation.core.sample import Acknowledgement, Guideline, Sample
from workstation.core.values import dataclass
from workstation.qa.examples import EXAMPLES
from workstation.qa.findings import Rule, choose_rules, load_rules
from workstation.qa.own import own_rules
from workstation.qa.runner import Outcome, run_rules
from workstation.store.queries import Reads
from workstation.store.store import Store

OpenEvidence = Callable[[Sample], AbstractContextManager[Evidence]]
"""Opens what knows the media of a sample; without it, rules about media count as not run."""
FINDINGS_AREA = "finding."
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Finding)


def rules_for(reads: Reads, only: Iterable[str] = ()) -> Sequence[Rule]:
    """The rules that are run in a project, its own among them, or those of these ids and subjects."""
    return choose_rules((*load_rules(), *own_rules(reads)), only)


class NotRun(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that could not judge, and why. ``samples`` counts where; 0 means the project."""

    rule: str
    reason: str
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a run came to: samples and rules, open findings (by error type) and settled ones, and what did not run."""

    samples: int
    rules: int
    open: int
    settled: int
    not_run: tuple[NotRun, ...]
    by_type: Mapping[str, int] = field(default_factory=dict)


class Validation:
    """One run over a project or one sample. Read ``findings`` to the end, then ask for the ``summary``."""

    def __init__(
        self,
        reads: Reads,
        *,
        only: Iterable[str] = (),
        sample: Sample | None = None,
        evidence: OpenEvidence | None = None,
        rules: Sequence[Rule] | None = None,
    ) -> None:
        """``rules`` are run instead of those of the project: to try one before it is switched on."""
        self.rules: Sequence[Rule] = rules_for(reads, only) if rules is None else rules
        self._reads = reads
        self._sample = sample
        self._evidence = evidence
        self._keys: set[str] = set()
        self._counts = {True: 0, False: 0}
        self._types: Counter[str] = Counter()
        self._not_run: dict[tuple[str, str], int] = {}

    def findings(self, keep_in: Store | None = None) -> Iterator[tuple[Sample | None, list[Finding]]]:
        """The findings of each sample that has some, the project's first; kept in the store if one is given."""
        whole = self._sample is None
        samples = self._reads.samples() if self._sample is None else [self._sample]
        outcomes = run_rules(self._reads, self.rules, samples, project=whole, evidence=self._evidence)
        for sample, those in _by_sample(outcomes):
            if keep_in is not None:
                _keep(keep_in, sample, those)
            found = [finding for outcome in those for finding in outcome.findings]
            self._note(sample, those, found)
            if found:
                yield sample, found

    def _note(self, sample: Sample | None, outcomes: Sequence[Outcome], found: Sequence[Finding]) -> None:
        if sample is not None:
            self._keys.add(sample.id)
        for finding in found:
            self._counts[finding.settled] += 1
            self._types[finding.error_type.value] += not finding.settled
        for outcome in outcomes:
            if outcome.not_run is not None:
                key = (outcome.rule.id, outcome.not_run)
                self._not_run[key] = self._not_run.get(key, 0) + (sample is not None)

    def summary(self) -> Summary:
        """What the run came to so far."""
        return Summary(
            samples=len(self._keys),
            rules=len(self.rules),
            open=self._counts[False],
            settled=self._counts[True],
            not_run=tuple(
                NotRun(rule=rule, reason=reason, samples=count) for (rule, reason), count in self._not_run.items()
            ),
            by_type={each.value: count for each in ErrorType if (count := self._types[each.value])},
        )


def _by_sample(outcomes: Iterable[Outcome]) -> Iterator[tuple[Sample | None, list[Outcome]]]:
    """The outcomes in groups; they come sample by sample."""
    group: list[Outcome] = []
    for outcome in outcomes:
        if group and group[0].sample is not outcome.sample:
            yield group[0].sample, group
            group = []
        group.append(outcome)
    if group:
        yield group[0].sample, group


def _keep(store: Store, sample: Sample | None, outcomes: Sequence[Outcome]) -> None:
    scope = None if sample is None else sample.id
    with store.derived() as derived:
        for outcome in outcomes:
            if outcome.not_run is None:
                derived.clear(FINDINGS_AREA + outcome.rule.id, scope)
                for finding in outcome.findings:
                    derived.put(FINDINGS_AREA + outcome.rule.id, finding.fingerprint, _ENCODER.encode(finding), scope)


def kept_findings(reads: Reads, sample: SampleId | None) -> list[Finding]:
    """The findings of the last run that was kept, with what people have decided since."""
    found = [
        _DECODER.decode(data)
        for rule in rules_for(reads)
        for data in reads.derived_values(FINDINGS_AREA + rule.id, sample).values()
    ]
    if sample is None:
        return found
    records = reads.records(RecordKind.FINDING_DECISION, sample=sample)
    return decided(found, [each for each in records if isinstance(each, FindingDecision)])


def finding_row(finding: Finding, sample: Sample | None) -> dict[str, Any]:
    """A finding as plain values, every field there, with the sample's key."""
    return {
        "sample": None if sample is None else sample.key,
        "rule": finding.rule,
        "version": finding.version,
        "error_type": finding.error_type.value,
        "severity": finding.severity.value,
        "state": finding.state.value,
        "text": finding.text,
        "items": [item._asdict() for item in finding.items],
        "measured": finding.measured,
        "limit": finding.limit,
        "unit": finding.unit,
        "suggestion": finding.suggestion,
        "fix": None if finding.fix is None else finding.fix._asdict(),
        "fingerprint": finding.fingerprint,
        "reason": finding.reason,
        "cause": finding.cause,
    }


def rule_rows() -> Iterator[dict[str, Any]]:
    """Every rule with its defaults."""
    for rule in load_rules():
        yield {
            "rule": rule.id, "version": rule.version, "error_type": rule.error_type.value,
            "severity": rule.severity.value, "limit": rule.limit, "unit": rule.unit, "help": rule.help,
            "example": EXAMPLES.get(rule.id, ""),
        }  # fmt: skip


def acknowledgement_rows(reads: Reads) -> Iterator[dict[str, Any]]:
    """Everybody active, with the guideline version read last and whether it is the newest."""
    guidelines = [each for each in reads.records(RecordKind.GUIDELINE) if isinstance(each, Guideline)]
    read = [each for each in reads.records(RecordKind.ACKNOWLEDGEMENT) if isinstance(each, Acknowledgement)]
    people = [person for person in reads.people() if person.active]
    behind = {person.id for person, _ in people_behind(people, guidelines, read)}
    current = newest(guidelines)
    for person in people:
        yield {
            "person": person.name,
            "roles": [role.value for role in person.roles],
            "read": last_read(person, read),
            "newest": 0 if current is None else current.number,
            "behind": person.id in behind,
        }
