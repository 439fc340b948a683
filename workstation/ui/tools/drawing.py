"""What all tools that draw have in common: the pointer, the edge of the picture, and words while a class is asked for.

A base of one level; each tool says what its presses mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from workstation.ui.tools.canvas import Button, Canvas, Cursor, Handle, Hints, KeyPress, Place, PointerEvent

SLACK_PX = 4.0
"""A press that moves less is a click."""
CLOSE_PX = 9.0
"""How near to the first point a click closes a ring."""
BACK = ("Backspace", "Undo")
"""Keys that take back the last part of what is being drawn."""


StepT = TypeVar("StepT")


class Steps(Generic[StepT]):
    """What was set one after the other, and what of it was taken back, until something else is set.

    True as long as there is any of it: then it is this drawing that undo and redo are about.
    """

    def __init__(self) -> None:
        self.set: list[StepT] = []
        self._gone: list[StepT] = []

    def __bool__(self) -> bool:
        return bool(self.set or self._gone)

    def add(self, step: StepT) -> None:
        """One more; what was taken back before stays away."""
        self.set.append(step)
        self._gone.clear()

    def clear(self) -> None:
        """The drawing is over."""
        self.set, self._gone = [], []

    def key(self, name: str) -> bool:
        """Take the last one back, or set it again; whether the key meant one of both here."""
        if name in BACK and not self.set:
            self._gone.clear()  # what is taken back from now on was done before the drawing began
        elif name in BACK:
            self._gone.append(self.set.pop())
            return True
        elif name == "Redo":
            if self._gone:
                self.set.append(self._gone.pop())
            return bool(self.set)
        return False


class Drawing:
    """A tool that draws something new."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._pointer: Place | None = None

    @property
    def busy(self) -> bool:
        return False

    def double_click(self, event: PointerEvent) -> bool:
        self.press(event)
        return True

    def press(self, event: PointerEvent) -> None:
        """Each tool's own."""

    def key(self, event: KeyPress) -> bool:
        return False

    def cancel(self) -> None:
        """Each tool's own."""

    def picture_changed(self) -> None:
        if self.busy:
            self.cancel()

    def cursor(self, event: PointerEvent) -> Cursor:
        return Cursor.CROSS if self._canvas.item is not None else Cursor.FORBIDDEN

    def _begins(self, event: PointerEvent) -> bool:
        """Whether a press of the left button on a picture; a shape that still waits for its class is given up."""
        if event.button is not Button.LEFT or self._canvas.item is None:
            return False
        if not self.busy:
            self._canvas.hand.forget_drawn()
        return True

    def _inside(self, place: Place) -> Place:
        width, height = self._canvas.size_px
        return (min(max(place[0], 0.0), float(width)), min(max(place[1], 0.0), float(height)))

    def _asking(self, text: str) -> Hints:
        """What stands beside the pointer before anything is begun."""
        return Hints(text=asking(self._canvas) or text)


def asking(canvas: Canvas) -> str:
    """How a shape that was drawn without a class gets one."""
    return "its class: a key, or 0 to search" if canvas.hand.waiting else ""


def marked(places: Sequence[Place], *, first: bool = False) -> tuple[Handle, ...]:
    """Points set so far; ``first``: the first one can be taken to close the ring."""
    return tuple(Handle(place, held=first and number == 0) for number, place in enumerate(places))
