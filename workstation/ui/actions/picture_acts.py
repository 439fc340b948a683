"""Making actions out of what is done to the focused picture. Used by the actions on shapes and on tracks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workstation.ui.actions.action import Hands, Run, WhyNot, action
from workstation.ui.actions.camera import SCOPE, canvas_of

if TYPE_CHECKING:
    from workstation.ui.tools.canvas import Canvas


def act_on_picture(
    action_id: str, title: str, help_text: str, act: Callable[[Canvas], object], keys: str = "", *,
    enabled: WhyNot, menu: str, module: str, repeats: bool = False,
) -> Run:  # fmt: skip
    """An action that does ``act`` to the focused camera's picture; ``module`` is the one that lists it."""

    def run(hands: Hands) -> None:
        canvas = canvas_of(hands)
        if canvas is not None:
            act(canvas)

    run.__doc__, run.__module__ = help_text, module
    return action(action_id, title=title, keys=keys or (), scope=SCOPE, menu=menu, enabled=enabled, repeats=repeats)(
        run
    )
