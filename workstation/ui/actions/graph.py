"""Keys of the graph of links: from item to item by arrows, Enter goes there, all of it or what is near."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from workstation.ui.actions.action import Hands, action, needs_sample

SCOPE, MENU = "graph", ""


@runtime_checkable
class WalksGraph(Protocol):
    """The panel of the graph."""

    def step(self, across: int, down: int) -> None: ...
    def take(self) -> None: ...
    def turn_whole(self) -> None: ...


def _stepping(across: int, down: int, where: str) -> Callable[[Hands], None]:
    def step(hands: Hands) -> None:
        pane: object = hands.pane
        if isinstance(pane, WalksGraph):
            pane.step(across, down)

    step.__doc__ = f"Stand on the thing or relation {where} in the graph of links."
    step.__module__ = __name__
    return step


left = action("graph.left", title="Graph: to the left", keys="Left", scope=SCOPE, enabled=needs_sample,
              repeats=True)(_stepping(-1, 0, "to the left"))  # fmt: skip
right = action("graph.right", title="Graph: to the right", keys="Right", scope=SCOPE, enabled=needs_sample,
               repeats=True)(_stepping(1, 0, "to the right"))  # fmt: skip
up = action("graph.up", title="Graph: up", keys="Up", scope=SCOPE, enabled=needs_sample,
            repeats=True)(_stepping(0, -1, "above"))  # fmt: skip
down = action("graph.down", title="Graph: down", keys="Down", scope=SCOPE, enabled=needs_sample,
              repeats=True)(_stepping(0, 1, "below"))  # fmt: skip


@action("graph.go", title="Graph: go there", keys="Enter", scope=SCOPE, enabled=needs_sample)
def go(hands: Hands) -> None:
    """Select the thing or relation on which the arrow keys stand, and go to it; the graph then stands around it."""
    pane: object = hands.pane
    if isinstance(pane, WalksGraph):
        pane.take()


@action("graph.whole", title="Graph: all links or those near", keys="Shift+A", scope=SCOPE, enabled=needs_sample)
def whole(hands: Hands) -> None:
    """Draw all links of the sample, or those around what is selected."""
    pane: object = hands.pane
    if isinstance(pane, WalksGraph):
        pane.turn_whole()
