"""Actions of the trajectory pane: the view, what is shown around the path. Its keys work while it has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from workstation.ui.actions.action import Hands, action, needs_sample

if TYPE_CHECKING:
    from workstation.ui.panes.trajectory import TrajectoryPane

MENU = "Trajectory"
SCOPE = "trajectory"


def _trajectory(hands: Hands) -> TrajectoryPane | None:
    """The trajectory pane, by its kind: its module is imported when it is first shown."""
    found = hands.pane if hands.pane is not None and hands.pane.kind == SCOPE else hands.frame.pane(SCOPE)
    return cast("TrajectoryPane | None", found)


@action("trajectory.fit", title="Show the whole path", keys="Ctrl+0", scope=SCOPE, menu=MENU, enabled=needs_sample)
def fit(hands: Hands) -> None:
    """Show the ground from the first pose to the last."""
    pane = _trajectory(hands)
    if pane is not None:
        pane.fit()


@action("trajectory.zoom_in", title="Nearer to the ground", keys=("+", "="), scope=SCOPE, menu=MENU,
        enabled=needs_sample, repeats=True)  # fmt: skip
def zoom_in(hands: Hands) -> None:
    """Show less ground, around the middle. The wheel zooms around the pointer."""
    pane = _trajectory(hands)
    if pane is not None:
        pane.zoom_in()


@action("trajectory.zoom_out", title="Further from the ground", keys="-", scope=SCOPE, menu=MENU, enabled=needs_sample,
        repeats=True)  # fmt: skip
def zoom_out(hands: Hands) -> None:
    """Show more ground."""
    pane = _trajectory(hands)
    if pane is not None:
        pane.zoom_out()


@action(
    "trajectory.things", title="Things around the path", keys="Shift+T", scope=SCOPE, menu=MENU, enabled=needs_sample
)
def things(hands: Hands) -> None:
    """Show labelled things where they stand, or the path alone."""
    pane = _trajectory(hands)
    if pane is not None:
        pane.things.toggle()


@action("trajectory.follow", title="Follow the playhead", keys="Shift+C", scope=SCOPE, menu=MENU, enabled=needs_sample)
def follow(hands: Hands) -> None:
    """Keep the place at the playhead in view."""
    pane = _trajectory(hands)
    if pane is not None:
        pane.follow.toggle()
