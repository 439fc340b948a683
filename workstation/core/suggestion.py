"""A relation that a rule proposes: which link, between what, and why. Only a person makes more of it than a proposal.

Made by the rules of ``app/suggest_*.py``; ``app/suggesting.py`` leaves out what is said already and stores the rest.
"""

from __future__ import annotations

import msgspec

from workstation.core.annotation import TargetKind

SAME_OBJECT = "same_object"
"""The link type that says that labels show one thing; every starter ontology calls it so."""


class SuggestedEnd(msgspec.Struct, frozen=True):
    """What a proposed link would join, and as what."""

    role: str
    kind: TargetKind
    target: str


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """One proposed link. ``evidence`` is one sentence with the figures it rests on; ``confidence`` is 0 to 1."""

    rule: str
    type_id: str
    ends: tuple[SuggestedEnd, ...]
    evidence: str
    confidence: float

    @property
    def targets(self) -> frozenset[str]:
        """The ids at its ends."""
        return frozenset(end.target for end in self.ends)
