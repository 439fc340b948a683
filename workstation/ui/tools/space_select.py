"""Pick cuboids in a view into space: a click selects, clicking again takes the one behind, Shift and Ctrl add."""

from __future__ import annotations

from workstation.core.selection import add, toggle
from workstation.ui.tools.space_picking import under
from workstation.ui.tools.space_tool import (
    NO_OVERLAY,
    Button,
    Cursor,
    KeyPress,
    Modifier,
    Pixel,
    Space,
    SpaceOverlay,
    SpacePointer,
)

SLACK_PX = 4.0
"""A press that moves less is a click."""


class SpaceSelect:
    """The tool ``select`` over a view into space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._pressed: Pixel | None = None

    @property
    def busy(self) -> bool:
        return False

    def press(self, event: SpacePointer) -> None:
        if event.button is Button.LEFT:
            self._pressed = event.pixel

    def move(self, event: SpacePointer) -> None:
        """Nothing is dragged yet."""

    def release(self, event: SpacePointer) -> None:
        pressed, self._pressed = self._pressed, None
        if event.button is Button.LEFT and pressed is not None and _near(pressed, event.pixel):
            self._pick(event)

    def double_click(self, event: SpacePointer) -> bool:
        return False

    def key(self, event: KeyPress) -> bool:
        return False

    def cancel(self) -> None:
        self._pressed = None

    def scene_changed(self) -> None:
        """Picking belongs to no sweep."""

    def overlay(self) -> SpaceOverlay:
        return NO_OVERLAY

    def cursor(self, event: SpacePointer) -> Cursor:
        return Cursor.HAND if under(self._space.cuboids(), event) else Cursor.ARROW

    def _pick(self, event: SpacePointer) -> None:
        found = under(self._space.cuboids(), event)
        if Modifier.SHIFT in event.modifiers or Modifier.CTRL in event.modifiers:
            mode = toggle if Modifier.CTRL in event.modifiers else add
            self._space.select(found[:1], mode=mode, active=found[0] if found else None)
            return
        active = self._space.active
        if active in found:
            found = found[found.index(active) + 1 :] + found[: found.index(active) + 1]
        self._space.select(found[:1], active=found[0] if found else None)


def _near(first: Pixel, second: Pixel) -> bool:
    return max(abs(first[0] - second[0]), abs(first[1] - second[1])) <= SLACK_PX
