"""Actions that bring a pane to the front, one for each; lists use them to go where something is."""

from __future__ import annotations

from collections.abc import Callable

from workstation.ui.actions.action import Hands, action
from workstation.ui.panes.catalogue import PANES

_PANES = (
    ("camera", "Cameras"), ("cloud", "Cloud"), ("volume", "Volume"), ("sound", "Sound"), ("text", "Text"),
    ("document", "Document"), ("series", "Series"), ("timeline", "Timeline"), ("entities", "Entities"),
    ("sync", "Synchronise"), ("links", "Links"), ("graph", "Link graph"),
    ("ends", "Ends"),
)  # fmt: skip


def action_showing(kind: str) -> str | None:
    """The action that brings the pane of a kind of stream to the front: of several, the one that shows least else."""
    known = dict(_PANES)
    fitting = [each for each in PANES if each.kind in known and kind in each.streams]
    best = min(fitting, key=lambda each: len(each.streams), default=None)
    return None if best is None else f"pane.show_{best.kind}"


def _showing(kind: str, title: str) -> Callable[[Hands], object]:
    def show(hands: Hands) -> None:
        hands.frame.show_pane(kind)

    show.__doc__, show.__module__ = f"Bring the pane {title} to the front and give it the focus.", __name__
    return action(f"pane.show_{kind}", title=f"Show pane: {title}")(show)


camera, cloud, volume, sound, text, document, series, timeline, entities, sync, links, graph, ends = (
    _showing(*each) for each in _PANES
)
