"""What a migration would touch, counted by modality and in words, and what a person must decide.

Filled by ``ontology_plan.py``, shown before a version is locked, and compared with what was then done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import field
from typing import NamedTuple

from workstation.core.annotation import Record, TargetKind
from workstation.core.ids import SampleId
from workstation.core.values import dataclass

KEEP = "keep"


class Decision(NamedTuple):
    """A question for a person about one record. ``aspect`` says what the answer sets; "keep" is always an answer."""

    target_kind: TargetKind
    target: str
    aspect: str
    question: str
    options: tuple[str, ...]


class CountKey(NamedTuple):
    """What is counted: records of a kind, seen in a modality ("" counts each record once), with an outcome.

    Outcomes: ``rewritten``, ``queued`` (a person is asked), ``following`` (its class is its entity's, which changes).
    """

    modality: str
    kind: str
    outcome: str


@dataclass(slots=True)
class SamplePlan:
    """What happens in one sample."""

    sample: SampleId
    rewrites: list[Record] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    counts: Counter[CountKey] = field(default_factory=Counter)

    def count(self, kind: str, outcome: str, modalities: Iterable[str]) -> None:
        """Count one record, once in all and once in each modality."""
        self.counts[CountKey("", kind, outcome)] += 1
        for modality in set(modalities):
            self.counts[CountKey(modality, kind, outcome)] += 1


class Forecast:
    """The sums over all samples, as numbers and in words."""

    def __init__(self) -> None:
        self.counts: Counter[CountKey] = Counter()
        self.samples = 0

    def add(self, plan: SamplePlan) -> None:
        """Add one sample's plan."""
        self.counts.update(plan.counts)
        self.samples += bool(plan.rewrites or plan.decisions)

    def total(self, kind: str, outcome: str) -> int:
        """How many records of the kind have this outcome, each counted once."""
        return self.counts[CountKey("", kind, outcome)]

    @property
    def rewritten(self) -> int:
        """How many records are rewritten."""
        return sum(n for key, n in self.counts.items() if key.modality == "" and key.outcome == "rewritten")

    @property
    def queued(self) -> int:
        """How many records a person is asked about."""
        return sum(n for key, n in self.counts.items() if key.modality == "" and key.outcome == "queued")

    def in_words(self) -> list[str]:
        """One line for each modality, the whole first."""
        lines = []
        for modality in sorted({key.modality for key in self.counts}):
            parts = [
                f"{n} {key.kind}{'s' if n != 1 and key.kind != 'entity' else ''} {key.outcome}"
                if key.kind != "entity"
                else f"{n} {'entity' if n == 1 else 'entities'} {key.outcome}"
                for key, n in sorted(self.counts.items())
                if key.modality == modality
            ]
            lines.append(f"{modality or 'in all'}: {', '.join(parts)}")
        return lines or ["no label is touched"]
