"""Which proposals of the open sample are shown, and why the others are not: too doubtful, or the stream is labelled
without them (the blind share).

Held by the workbench, told of every ChangeSet; panes ask ``Sight``, which is handed the ids that stay out of sight.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from workstation.app.sample_view import SampleView
from workstation.app.settings import keep_for, kept_for
from workstation.core.annotation import Annotation
from workstation.core.proposals import BLIND_SHARE, by_machine, is_blind, is_proposal
from workstation.core.records import RecordKind
from workstation.core.sample import Project
from workstation.store.changes import ChangeSet


class ProposalsSeen(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a person looks at proposals in one project."""

    least_confidence: float = 0.0
    """Proposals below it are not shown."""


class ShownProposals:
    """The proposals of one sample, and which of them are kept from sight."""

    def __init__(self, project: Path, view: SampleView, settings: Project | None) -> None:
        self._project = project
        self._view = view
        self._settings = settings
        self.least = kept_for(project, "proposals", ProposalsSeen).least_confidence
        self._waiting: dict[str, Annotation] = {
            each.id: each for each in view.annotations.values() if is_proposal(each)
        }  # fmt: skip

    def apply(self, changes: ChangeSet, settings: Project | None) -> bool:
        """Take in what a commit changed; whether it touched any proposal, or what is blind."""
        touched = changes.touched(RecordKind.ANNOTATION)
        changed = settings != self._settings
        self._settings = settings
        for record_id in touched:
            record = self._view.annotations.get(record_id)
            before = self._waiting.pop(record_id, None)
            if record is not None and is_proposal(record):
                self._waiting[record_id] = record
                changed = True
            changed = changed or before is not None
        return changed

    def set_least(self, confidence: float) -> None:
        """Show only proposals that are at least so sure, and remember it for this project."""
        self.least = min(1.0, max(0.0, confidence))
        keep_for(self._project, "proposals", ProposalsSeen(self.least))

    def blind(self, stream: str | None) -> bool:
        """Whether this stream is labelled without proposals."""
        if self._settings is None:
            return False
        share = self._settings.tolerances.get(BLIND_SHARE, 0.0)
        return is_blind(self._settings.id, self._view.id, stream, share)

    def blind_streams(self) -> list[str]:
        """Keys of the streams that have proposals which nobody is shown."""
        held = {each.stream for each in self._waiting.values() if by_machine(each)}
        return sorted(self._view.streams[each].key for each in held if each in self._view.streams and self.blind(each))

    def shown(self) -> Iterator[Annotation]:
        """Those that a person sees."""
        kept = self.kept_from_sight()
        return (each for key, each in self._waiting.items() if key not in kept)

    def kept_from_sight(self) -> frozenset[str]:
        """Ids of the others. What says nothing of its confidence is not hidden for it."""
        blind = {each: self.blind(each) for each in {one.stream for one in self._waiting.values()}}
        return frozenset(
            key
            for key, each in self._waiting.items()
            if (each.confidence is not None and each.confidence < self.least)
            or (blind[each.stream] and by_machine(each))
        )

    def counts(self) -> tuple[int, int]:
        """How many are shown, and how many there are that are not blind."""
        open_ones = [each for each in self._waiting.values() if not (self.blind(each.stream) and by_machine(each))]
        return len(self._waiting) - len(self.kept_from_sight()), len(open_ones)
