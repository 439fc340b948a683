"""Runs rules over samples and over the project. Called by ``app/validation.py``, and by the window as people edit.

A rule that cannot run says why and is reported as not run; it never counts as passed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from workstation.core.annotation import FindingDecision
from workstation.core.evidence import Evidence, Unmeasured
from workstation.core.findings import decided
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.core.stopping import Stopped, StopToken
from workstation.core.values import dataclass
from workstation.qa.findings import CannotRunError, Finding, Rule
from workstation.qa.remembered import RememberedSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one rule on one sample (``None``: on the project): its findings, or why it did not run."""

    rule: Rule
    sample: Sample | None
    findings: tuple[Finding, ...] = ()
    not_run: str | None = None


def run_rules(
    snapshot: Snapshot,
    rules: Sequence[Rule],
    samples: Iterable[Sample],
    *,
    project: bool = True,
    evidence: Callable[[Sample], AbstractContextManager[Evidence]] | None = None,
    stop: StopToken | None = None,
) -> Iterator[Outcome]:
    """Every rule on every sample, and with ``project`` on what belongs to none; sample by sample, project first.

    ``evidence`` opens what knows a sample's media, for as long as that sample is checked. Once asked to ``stop`` it
    raises ``Stopped``, in the middle of a rule on a sample too.
    """
    if project:
        for rule in rules:
            if rule.per_project:
                yield _run(snapshot, rule, None, ())
    asked = [rule for rule in rules if rule.per_sample]
    if not asked:
        return
    for sample in samples:
        decisions = tuple(_decisions(snapshot, sample))
        with nullcontext() if evidence is None else evidence(sample) as known:
            remembered = RememberedSnapshot(snapshot, known, stop)
            for rule in asked:
                yield _run(remembered, rule, sample, decisions)


def _run(snapshot: Snapshot, rule: Rule, sample: Sample | None, decisions: Sequence[FindingDecision]) -> Outcome:
    found, not_run = judge(snapshot, rule, sample)
    return Outcome(rule=rule, sample=sample, findings=tuple(decided(told_once(found), decisions)), not_run=not_run)


def judge(snapshot: Snapshot, rule: Rule, sample: Sample | None) -> tuple[list[Finding], str | None]:
    """What a rule finds, before anybody's decisions; or nothing and why it did not run."""
    try:
        return [rule.finding(fault, sample) for fault in rule.check(snapshot, sample)], None
    except (CannotRunError, Unmeasured) as reason:
        return [], str(reason)
    except Stopped:
        raise
    except Exception as bug:
        # The border to rules, plug-ins' among them: one that fails must neither stop the others nor look passed.
        logging.getLogger(__name__).exception("the rule %s failed", rule.id)
        return [], f"the rule itself failed: {type(bug).__name__}: {bug}"


def told_once(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Each fingerprint once; of two that say it from either side, always the same one."""
    unique: dict[str, Finding] = {}
    for finding in findings:
        known = unique.setdefault(finding.fingerprint, finding)
        if (finding.items, finding.text) < (known.items, known.text):
            unique[finding.fingerprint] = finding
    return unique.values()


def _decisions(snapshot: Snapshot, sample: Sample) -> Iterator[FindingDecision]:
    for record in snapshot.records(RecordKind.FINDING_DECISION, sample=sample.id):
        if isinstance(record, FindingDecision):
            yield record
