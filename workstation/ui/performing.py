"""Doing actions: which can be done now, why not, and the doing itself with its refusals told.

Menus, toolbar, palette and keys all come through here, so that none of them can do what another refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from workstation.ui.actions.action import NO_PROJECT, SHOW_PANE, UNLOCKS, Action, Frame, Hands
from workstation.ui.actions.table import ActionTable
from workstation.ui.panes.base import Pane
from workstation.ui.told import Tone

if TYPE_CHECKING:
    from workstation.ui.workbench import Workbench

Tell = Callable[[str, Tone], None]


class Performing:
    """One per window. ``bench`` changes with the project."""

    def __init__(self, table: ActionTable, frame: Frame, tell: Tell, spelled: Callable[[str], str]) -> None:
        self.table = table
        """With a project open, every command of its registry too."""
        self._actions = table
        self.bench: Workbench | None = None
        self._frame = frame
        self._tell = tell
        self._spelled = spelled
        """Puts keys into words."""

    def begin(self, bench: Workbench) -> None:
        """A project is open."""
        self.bench = bench
        self.table = self._actions.with_commands(bench.session.registry)

    def end(self) -> None:
        """None is."""
        self.bench = None
        self.table = self._actions

    def hands(self, pane: Pane | None) -> Hands:
        """What an action gets; project-free ones leave the bench alone, which may be absent."""
        return Hands(bench=cast("Workbench", self.bench), pane=pane, frame=self._frame)

    def why_not(self, action: Action, pane: Pane | None) -> str | None:
        """Why it cannot be done now, in words for the person; ``None`` if it can."""
        if self.bench is None and not action.project_free:
            return NO_PROJECT
        reason = action.why_not(self.hands(pane)) or self._closed(action, pane)
        return None if reason is None else self._spelled(reason)

    def help_of(self, action: Action) -> str:
        """What it does, in words that name keys as they are."""
        return self._spelled(action.help)

    def _closed(self, action: Action, pane: Pane | None) -> str | None:
        """Why an action of a pane's own cannot be done while that pane is not open."""
        shows = self.table.actions.get(SHOW_PANE + action.scope)
        near = pane is not None and pane.kind == action.scope
        if shows is None or near or self._frame.pane(action.scope) is not None:
            return None
        return f"its pane is closed: {shows.title.casefold()}"

    def unlock(self, action: Action, pane: Pane | None) -> Action | None:
        """What a greyed action offers in its place: the act that makes it possible, if that can be done now."""
        reason = self.why_not(action, pane)
        if reason is None:
            return None
        found = self.table.actions.get(action.unlocked_by or UNLOCKS.get(reason, "") or _unlocks_clocks(reason))
        if found is None and self._frame.pane(action.scope) is None:
            found = self.table.actions.get(SHOW_PANE + action.scope)
        return found if found is not None and found is not action and self.why_not(found, pane) is None else None

    def perform(self, action_id: str, pane: Pane | None) -> None:
        """Do it, or say why not."""
        action = self.table.actions.get(action_id)
        if action is None:
            self._tell(f"there is no action {action_id}", Tone.REFUSED)
            return
        reason = self.why_not(action, pane)
        if reason is not None:
            offer = self.unlock(action, pane)
            way = "" if offer is None else f" First: {offer.title.rstrip('…')}."
            self._tell(f"{action.title}: {reason}.{way}", Tone.REFUSED)
            return
        hands = self.hands(pane)
        if self.bench is not None:
            self.bench.settle()
            self.bench.attempt(lambda: action.run(hands))
        else:
            action.run(hands)


def _unlocks_clocks(reason: str) -> str:
    """What is locked until clocks are verified is unlocked in their panel."""
    from workstation.core.sync_state import LOCKED  # with NumPy: a start goes without

    return "pane.show_sync" if reason.startswith(LOCKED) else ""
