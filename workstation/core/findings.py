"""What a check found: the rule, how grave it is, which items, what was measured against which limit, and what helps.

Findings are derived: they are computed anew and never edited. What a person does about one is a record
(``FindingDecision``), joined by the fingerprint, which is the same as long as rule and items are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from workstation.core.annotation import DecisionValue, FindingDecision
from workstation.core.ids import SampleId
from workstation.core.ontology import ErrorType, Severity

Measure = str | float | None
"""A number in the finding's unit, or words where no number says it."""


class FindingState(StrEnum):
    """What people have said about a finding."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    FIXED = "fixed"
    DISMISSED = "dismissed"
    WAIVED = "waived"


_SETTLED = frozenset({FindingState.DISMISSED, FindingState.WAIVED})


USUAL_CAUSES = (
    "slip of the hand", "clock off", "calibration off", "cuboid misplaced", "guideline unclear", "class misunderstood",
    "model or import", "hard to see or hear", "rule too strict",
)  # fmt: skip
"""What may have led to a finding; a project adds its own (``Project.causes``)."""


def causes_of(extra: Iterable[str]) -> tuple[str, ...]:
    """The causes to choose from, with those of a project."""
    return tuple(dict.fromkeys((*USUAL_CAUSES, *extra)))


class Fix(NamedTuple):
    """A command that would settle a finding, with its arguments and what it does in words. Only a person runs it."""

    command: str
    arguments: dict[str, Any]
    title: str


class Item(NamedTuple):
    """A record that a finding is about. ``kind`` is a record's kind, or ``modality``; ``label`` what people call it."""

    kind: str
    id: str
    label: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that a rule found in a sample (without one: in the project). ``text`` is the sentence for a person."""

    rule: str
    version: int
    error_type: ErrorType
    severity: Severity
    sample: SampleId | None = None
    items: tuple[Item, ...]
    text: str
    measured: Measure = None
    limit: Measure = None
    unit: str = ""
    suggestion: str = ""
    fix: Fix | None = None
    fingerprint: str
    state: FindingState = FindingState.OPEN
    reason: str = ""
    cause: str = ""

    @property
    def settled(self) -> bool:
        """Whether nobody has to look any more. What was said to be fixed and is found again is not settled."""
        return self.state in _SETTLED


def fingerprint_of(rule: str, items: Iterable[Item], aspect: str = "") -> str:
    """The name of a finding for decisions: the rule, the items in any order, and what about them (``aspect``)."""
    parts = [rule, aspect, *sorted(f"{item.kind}:{item.id}" for item in items)]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def decided(findings: Iterable[Finding], decisions: Iterable[FindingDecision]) -> list[Finding]:
    """The findings with what people have decided about them."""
    by_fingerprint = {decision.fingerprint: decision for decision in decisions}
    joined = []
    for finding in findings:
        decision = by_fingerprint.get(finding.fingerprint)
        if decision is not None:
            finding = msgspec.structs.replace(
                finding, state=_STATE_OF[decision.decision], reason=decision.reason, cause=decision.cause
            )
        joined.append(finding)
    return joined


_STATE_OF = {value: FindingState(value.value) for value in DecisionValue}
