"""What a commit changed, told to everyone who shows it: the one value that leaves the store after a transaction.

A type module: panes, lists, checks and jobs read it; only the store makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.rights import Actor
from workstation.core.values import dataclass

Ids = Mapping[RecordKind, frozenset[str]]
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """One revision, seen from outside: which records came, changed and went, in which samples, and on whose word.

    What was both made and deleted inside the transaction appears in none of the three.
    """

    rev: int
    label: str
    actor: Actor
    group: str | None = None
    initiator: str = ""
    added: Ids = field(default_factory=dict)
    changed: Ids = field(default_factory=dict)
    removed: Ids = field(default_factory=dict)
    samples: frozenset[SampleId] = frozenset()

    def touched(self, kind: RecordKind) -> frozenset[str]:
        """Every id of one kind that came, changed or went."""
        return self.added.get(kind, _NONE) | self.changed.get(kind, _NONE) | self.removed.get(kind, _NONE)

    @property
    def kinds(self) -> frozenset[RecordKind]:
        """The kinds touched."""
        return frozenset((*self.added, *self.changed, *self.removed))

    def __len__(self) -> int:
        """How many records were touched."""
        return sum(len(ids) for part in (self.added, self.changed, self.removed) for ids in part.values())

    def then(self, later: ChangeSet) -> ChangeSet:
        """Both as one, seen by somebody who looks only after the second."""
        added: dict[RecordKind, frozenset[str]] = {}
        changed: dict[RecordKind, frozenset[str]] = {}
        removed: dict[RecordKind, frozenset[str]] = {}
        for kind in self.kinds | later.kinds:
            came, differs, went = (part.get(kind, _NONE) for part in (self.added, self.changed, self.removed))
            comes, differs_now, goes = (part.get(kind, _NONE) for part in (later.added, later.changed, later.removed))
            _keep(added, kind, (came - goes) | (comes - went))
            _keep(changed, kind, (differs - goes) | (differs_now - came) | (comes & went))
            _keep(removed, kind, (went - comes) | (goes - came))
        return replace(
            later, added=added, changed=changed, removed=removed, samples=self.samples | later.samples,
            group=later.group if later.group == self.group else None,
        )  # fmt: skip


def _keep(part: dict[RecordKind, frozenset[str]], kind: RecordKind, ids: frozenset[str]) -> None:
    if ids:
        part[kind] = ids
