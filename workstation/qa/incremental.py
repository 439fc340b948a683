"""Checks one sample again and again while people edit it: only what a change touches, with the result of a full run.

Held by ``app/checking.py`` on the thread that checks. What rules declare of themselves (``findings.py``) says how
little is enough. A rule that reaches no further than what is near its first item is run on the surroundings of the
change, as far as it can see from everything that may now be judged otherwise; findings about those items are replaced
and all others stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from workstation.core.annotation import FindingDecision
from workstation.core.evidence import Evidence
from workstation.core.findings import decided
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.core.stopping import Stopped, StopToken
from workstation.qa.findings import LABEL_KINDS, PAPER_KINDS, Finding, Reach, Rule
from workstation.qa.held import HeldSample, Touched
from workstation.qa.runner import Outcome, judge, told_once
from workstation.qa.sees import Sees

STEPS = 2
"""From a label over a link to what stands at its other end: how far a rule of reach near looks."""
_LABELS = (RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.LINK)
_SEEN = LABEL_KINDS - {RecordKind.ENTITY}
"""What declarations speak of; entities are in the lists of every rule."""
_NODES = frozenset({RecordKind.ENTITY.value, RecordKind.ANNOTATION.value, RecordKind.LINK.value})
_OWN = LABEL_KINDS | PAPER_KINDS | {RecordKind.FINDING_DECISION}


@dataclass(slots=True)
class _Kept:
    """What a rule said last: by the item that each finding is about first."""

    by_item: dict[str, list[Finding]] = field(default_factory=dict)
    due: bool = True
    """Whether something that it looks at has changed since."""
    whole: bool = True
    """Whether it must be run over the whole sample the next time, whatever it declares."""
    not_run: str | None = None
    told: Outcome | None = None
    """What was said last, while nothing changed."""

    def take(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.by_item.setdefault(_about(finding), []).append(finding)


class KeptChecks:
    """The findings of one sample, kept true by ``check``. One thread at a time."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = [rule for rule in rules if rule.per_sample]
        self.judged: dict[str, int] = {}
        """How many records each rule was shown the last time; a rule that was not run is not there."""
        self._held: HeldSample | None = None
        self._kept: dict[str, _Kept] = {}
        self._decisions: Sequence[FindingDecision] = ()

    def check(
        self,
        snapshot: Snapshot,
        sample: Sample,
        evidence: Evidence,
        touched: Touched | None,
        stop: StopToken | None = None,
        *,
        near_first: bool = False,
    ) -> list[Outcome] | None:
        """What all rules say now. ``touched`` is everything that changed since the last check; ``None``: not known.

        ``None`` is given back if it was asked to ``stop``, and the next check is a full one. With ``near_first`` rules
        that must look at the whole sample say what they said before, and are run by ``check_rest``.
        """
        try:
            return self._check(snapshot, sample, evidence, touched, stop or StopToken(), near_first=near_first)
        except Stopped:
            return None

    def _check(
        self,
        snapshot: Snapshot,
        sample: Sample,
        evidence: Evidence,
        touched: Touched | None,
        stop: StopToken,
        *,
        near_first: bool,
    ) -> list[Outcome]:
        held, self._held = self._held, None  # a check that does not come to its end leaves nothing to go on from
        self.judged = {}
        if held is not None:
            held.begin(snapshot, evidence, stop)
        if held is None or held.id != sample.id or touched is None or _is_ground(held, touched):
            held, around = HeldSample(sample.id, snapshot, evidence, stop), None
            self._kept = {rule.id: _Kept() for rule in self.rules}
            near_first = False
        else:
            around = _surroundings(held, touched, {rule.sees for rule in self.rules})
        self._decisions = tuple(held.decisions())
        if touched is None or RecordKind.FINDING_DECISION in touched:
            for kept in self._kept.values():
                kept.told = None
        for rule in self.rules:
            stop.look()
            kept = self._kept[rule.id]
            kept.due = kept.due or _is_due(rule, touched or {}, around)
            if not kept.due:
                continue
            if around is None or around.near is None or _must_be_whole(rule, kept, touched or {}):
                if near_first:
                    kept.whole = True  # what was touched now is not known any more when the rest is run
                else:
                    self._look_at_all(rule, kept, held, sample)
            else:
                self._look_near(rule, kept, around.near, sample, around.core)
        self._held = held
        return self._outcomes(sample)

    @property
    def left(self) -> int:
        """How many rules ``check`` has left for ``check_rest``."""
        return sum(kept.due for kept in self._kept.values())

    def check_rest(self, sample: Sample, stop: StopToken) -> list[Outcome] | None:
        """Run the rules that ``check`` has left, over what it has read; what was not run to its end when asked to
        ``stop`` stays due, and ``None`` is given back. ``None`` also if nothing is left.
        """
        left = [rule for rule in self.rules if self._kept[rule.id].due]
        held = self._held
        if held is None or not left:
            return None
        held.go_on(stop)
        try:
            for rule in left:
                stop.look()
                self._look_at_all(rule, self._kept[rule.id], held, sample)
        except Stopped:
            return None
        return self._outcomes(sample)

    def _outcomes(self, sample: Sample) -> list[Outcome]:
        found = []
        for rule in self.rules:
            kept = self._kept[rule.id]
            if kept.told is None:
                raw = (each for some in kept.by_item.values() for each in some)
                findings = tuple(decided(told_once(raw), self._decisions))
                kept.told = Outcome(rule=rule, sample=sample, findings=findings, not_run=kept.not_run)
            found.append(kept.told)
        return found

    def _look_at_all(self, rule: Rule, kept: _Kept, held: HeldSample, sample: Sample) -> None:
        seen = held.seen_by(rule.sees)
        self.judged[rule.id] = len(seen)
        findings, kept.not_run = judge(seen, rule, sample)
        by_item: dict[str, list[Finding]] = {}
        for finding in held.stop.over(findings):
            by_item.setdefault(_about(finding), []).append(finding)
        kept.by_item, kept.due, kept.told = by_item, False, None
        kept.whole = kept.not_run is not None or (rule.reach is Reach.NEAR and "" in by_item)

    def _look_near(self, rule: Rule, kept: _Kept, near: HeldSample, sample: Sample, core: set[str]) -> None:
        self.judged[rule.id] = len(near)
        findings, kept.not_run = judge(near, rule, sample)
        if not kept.not_run and not findings and not core & kept.by_item.keys():
            kept.due = False
            return
        kept.due, kept.told = False, None
        if kept.not_run is not None:
            kept.by_item, kept.whole = {}, True
            return
        for item in core:
            kept.by_item.pop(item, None)
        kept.take(each for each in findings if _about(each) in core or not _about(each))
        kept.whole = "" in kept.by_item


def _must_be_whole(rule: Rule, kept: _Kept, touched: Touched) -> bool:
    return kept.whole or rule.reach is Reach.SAMPLE or bool(rule.looks_at & PAPER_KINDS & touched.keys())


def _about(finding: Finding) -> str:
    """The label that a finding is about first; nothing if that is no label, and then nobody knows what is near it."""
    first = finding.items[0] if finding.items else None
    return first.id if first is not None and first.kind in _NODES else ""


def _is_ground(held: HeldSample, touched: Touched) -> bool:
    """Whether something changed that all labels stand on: the project, the ontology, the sample, a stream, a rig."""
    return any(held.stands_on(kind, each) for kind, ids in touched.items() if kind not in _OWN for each in ids)


@dataclass(frozen=True, slots=True)
class _Around:
    """What may be judged otherwise now, before the change and after it; all that must be seen to judge it (``None``
    where that is half of the sample); and the declarations of those rules that see any of it.
    """

    core: set[str]
    near: HeldSample | None
    seen: frozenset[Sees]


def _surroundings(held: HeldSample, touched: Touched, declared: Iterable[Sees]) -> _Around:
    """Brings ``held`` up to date between looking at what was and at what is."""
    nodes = {each for kind in _LABELS for each in touched.get(kind, ())}
    core = held.near(nodes, STEPS)
    seen = held.renew(touched, declared)
    core |= held.near(nodes, STEPS)
    wide = held.near(core, STEPS)
    held.mark(wide)
    near = held.only(wide) if 2 * len(wide) < len(held) or len(held) < 200 else None
    return _Around(core, near, seen)


def _is_due(rule: Rule, touched: Touched, around: _Around | None) -> bool:
    """Whether something changed that a rule looks at. Of labels it must be one that it sees or that these refer to."""
    kinds = rule.looks_at & touched.keys()
    if around is None or kinds - _SEEN:
        return bool(kinds)
    return bool(kinds) and rule.sees in around.seen
