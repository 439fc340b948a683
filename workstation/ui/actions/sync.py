"""Actions about clocks that are no command: the limits of time, and the offsets of all samples together."""

from __future__ import annotations

from workstation.ui.actions.action import READ_ONLY, Hands, action

MENU = "Sync"


def _may_set(hands: Hands) -> str | None:
    return READ_ONLY if hands.bench.session.read_only else None


@action("sync.limits", title="Limits of time…", menu=MENU, enabled=_may_set)
def limits(hands: Hands) -> None:
    """How far apart in time what belongs together may be, for all work or one profile, and what that is in metres."""
    hands.frame.open_dialog("limits")


@action("sync.offsets", title="Offsets over all samples…", menu=MENU)
def offsets(hands: Hands) -> None:
    """How far sound is from picture in each sample: a small lateness that they share is seen, though none fails."""
    hands.frame.open_dialog("offsets")
