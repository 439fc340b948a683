"""Actions on links: link mode (``R``: pick, pick, the key of the relation), and the field that selects by words."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from workstation.ui.actions.action import READ_ONLY, Hands, action, needs_sample


@runtime_checkable
class BeginsLinks(Protocol):
    """The line of link mode."""

    def begin(self) -> None: ...


@runtime_checkable
class SelectsByWords(Protocol):
    """A panel with a field for a query."""

    def focus_query(self) -> None: ...


def _may_link(hands: Hands) -> str | None:
    return READ_ONLY if hands.bench.session.read_only else needs_sample(hands)


@action("link.add", title="Link", keys="R", menu="Link", icon="link", enabled=_may_link)
def link(hands: Hands) -> None:
    """Pick one, pick the other, in any pane, then the key of the relation; only legal ones are offered."""
    mode: object = hands.frame.pane("link_mode")
    if isinstance(mode, BeginsLinks):
        mode.begin()


@action("edit.select_where", title="Select by words…", keys="Ctrl+F", menu="Edit", enabled=needs_sample)
def select_where(hands: Hands) -> None:
    """Type what to select, as class:car state:draft stream:front_camera; Enter selects all that fit."""
    hands.frame.show_pane("inspector")
    panel: object = hands.frame.pane("inspector")
    if isinstance(panel, SelectsByWords):
        panel.focus_query()
