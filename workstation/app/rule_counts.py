"""How good each rule is, counted from what people made of its findings. Asked by ``report rules`` and the window.

A finding counts once, by its fingerprint: what is found now, and what was decided of findings that are gone since.
Precision is the share of them that nobody dismissed: what nobody has looked at yet counts as right, and so does what
was waived, which is an error that somebody signed for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workstation.app.validation import FINDINGS_AREA, OpenEvidence, Validation, rules_for
from workstation.core.annotation import FindingDecision
from workstation.core.findings import Finding, FindingState
from workstation.core.records import RecordKind
from workstation.qa.findings import Rule
from workstation.store.queries import Reads

NOISY_BELOW = 0.5
"""A rule whose findings are dismissed more often than not is noisy."""
ENOUGH = 5
"""From so many decisions on a rule is called noisy: fewer say nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """What one rule found, and what people said of it. ``not_run``: why it could not judge, somewhere."""

    rule: str
    open: int
    confirmed: int
    fixed: int
    dismissed: int
    waived: int
    not_run: str = ""

    @property
    def found(self) -> int:
        """Everything it ever said that is known."""
        return self.open + self.confirmed + self.fixed + self.dismissed + self.waived

    @property
    def precision(self) -> float | None:
        """The share that nobody dismissed; ``None`` if it found nothing."""
        return None if self.found == 0 else 1 - self.dismissed / self.found

    @property
    def noisy(self) -> bool:
        """Whether most of it was dismissed."""
        decided = self.found - self.open
        return self.precision is not None and decided >= ENOUGH and self.precision < NOISY_BELOW

    def plain(self) -> dict[str, Any]:
        """As a row."""
        precision = None if self.precision is None else round(self.precision, 3)
        return {
            "rule": self.rule, "found": self.found, "open": self.open, "confirmed": self.confirmed,
            "fixed": self.fixed, "dismissed": self.dismissed, "waived": self.waived, "precision": precision,
            "noisy": self.noisy, "not_run": self.not_run,
        }  # fmt: skip


def rule_counts(
    rules: Iterable[Rule],
    found: Mapping[str, Iterable[str]],
    decisions: Iterable[FindingDecision],
    not_run: Mapping[str, str],
) -> list[RuleCount]:
    """The counts of every rule: ``found`` names the fingerprints that each finds now; the noisiest first."""
    said: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for rule, fingerprints in found.items():
        said[rule].update(dict.fromkeys(fingerprints, FindingState.OPEN.value))
    for decision in decisions:
        said[decision.rule][decision.fingerprint] = decision.decision.value
    counts = []
    for name in dict.fromkeys((*(rule.id for rule in rules), *said)):
        states = Counter(said[name].values())
        by_state = {state.value: states[state.value] for state in FindingState}
        counts.append(RuleCount(rule=name, **by_state, not_run=not_run.get(name, "")))
    return sorted(counts, key=lambda each: (not each.noisy, -each.found, each.rule))


def checked_counts(reads: Reads, evidence: OpenEvidence | None) -> list[RuleCount]:
    """As of now: everything is checked for it."""
    run = Validation(reads, evidence=evidence)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for _, findings in run.findings():
        for finding in findings:
            found[finding.rule].append(finding.fingerprint)
    why = {missed.rule: missed.reason for missed in run.summary().not_run}
    return rule_counts(run.rules, found, _decisions(reads), why)


def kept_counts(
    reads: Reads, fresh: Iterable[Finding] = (), not_run: Mapping[str, str] | None = None
) -> list[RuleCount]:
    """By the findings of the last run that was kept, which costs no check; with what is known ``fresh`` of a sample."""
    rules = rules_for(reads)
    found: dict[str, list[str]] = {rule.id: reads.derived_keys(FINDINGS_AREA + rule.id) for rule in rules}
    for each in fresh:
        found.setdefault(each.rule, []).append(each.fingerprint)
    return rule_counts(rules, found, _decisions(reads), not_run or {})


def _decisions(reads: Reads) -> list[FindingDecision]:
    return [each for each in reads.records(RecordKind.FINDING_DECISION) if isinstance(each, FindingDecision)]
