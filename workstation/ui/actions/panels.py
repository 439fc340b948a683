"""Keys of the panels of streams and classes: hide, show alone and lock what the row stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from workstation.ui.actions.action import Hands, action, needs_sample


@runtime_checkable
class HasSight(Protocol):
    """A panel whose rows can be hidden, shown alone and locked."""

    def toggle_sight(self, what: str) -> None: ...


def _turn(what: str, help_text: str) -> Callable[[Hands], None]:
    def turn(hands: Hands) -> None:
        pane: object = hands.pane
        if isinstance(pane, HasSight):
            pane.toggle_sight(what)

    turn.__doc__ = help_text
    return turn


_HIDE = "Hide what the row stands for in every pane, or show it again."
_SOLO = "Show only what the row stands for, or everything again."
_LOCK = "Keep gestures off what the row stands for, or let them at it again."

hide_class = action("classes.hide", title="Hide or show class", keys="Shift+H", scope="classes",
                    enabled=needs_sample)(_turn("hide", _HIDE))  # fmt: skip
solo_class = action("classes.solo", title="Show class alone", keys="Shift+S", scope="classes",
                    enabled=needs_sample)(_turn("solo", _SOLO))  # fmt: skip
lock_class = action("classes.lock", title="Lock class", keys="Shift+L", scope="classes",
                    enabled=needs_sample)(_turn("lock", _LOCK))  # fmt: skip
hide_stream = action("streams.hide", title="Hide or show stream", keys="Shift+H", scope="streams",
                     enabled=needs_sample)(_turn("hide", _HIDE))  # fmt: skip
solo_stream = action("streams.solo", title="Show stream alone", keys="Shift+S", scope="streams",
                     enabled=needs_sample)(_turn("solo", _SOLO))  # fmt: skip
lock_stream = action("streams.lock", title="Lock stream", keys="Shift+L", scope="streams",
                     enabled=needs_sample)(_turn("lock", _LOCK))  # fmt: skip


@runtime_checkable
class CopiesRows(Protocol):
    """A panel whose rows can be taken to a sheet."""

    def copy(self) -> None: ...


@action("entities.copy", title="Copy things as text", keys="Ctrl+C", scope="entities", enabled=needs_sample)
def copy_entities(hands: Hands) -> None:
    """The selected things with what is said of them on every stream, to the clipboard, for a sheet."""
    pane: object = hands.pane
    if isinstance(pane, CopiesRows):
        pane.copy()
