"""Shapes made by a fixed number of clicks: one point, a turned box by three, a box by the four extreme points.

A turned box: both ends of one side, then how far it reaches. Extreme points: the leftmost, highest, rightmost and
lowest points of a thing in any order, which is faster and tighter than corners that lie beside it. Backspace and undo
take back the last click, redo sets it again; Shift on the last one continues the selected track.
"""

from __future__ import annotations

import math

from workstation.core.geometry import Box, Point, Polyline, Shape
from workstation.ui.tools import box_handles
from workstation.ui.tools.canvas import NEW, Button, Canvas, Guide, Hints, KeyPress, Modifier, Place, PointerEvent
from workstation.ui.tools.drawing import Drawing, Steps, marked
from workstation.ui.tools.edits import continue_track, keep_new


class DrawPoints(Drawing):
    """A shape of ``_count`` clicks."""

    _count = 1
    _words: tuple[str, ...] = ("",)
    """What each click is to be."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._steps: Steps[Place] = Steps()

    @property
    def busy(self) -> bool:
        return bool(self._steps)

    def press(self, event: PointerEvent) -> None:
        if not self._begins(event):
            return
        self._pointer = event.place
        self._steps.add(self._inside(event.place))
        if len(self._steps.set) < self._count:
            self._show()
            return
        shape = self._shape(self._steps.set)
        if shape is None:
            self._steps.key("Undo")
            self._canvas.tell("That has no area; click elsewhere.")
            return
        self._steps.clear()
        self._canvas.preview({})
        if not (Modifier.SHIFT in event.modifiers and continue_track(self._canvas, shape)):
            keep_new(self._canvas, shape, preview=shape)
        self._canvas.repaint()

    def move(self, event: PointerEvent) -> None:
        self._pointer = event.place
        if self._steps.set:
            self._show()
        self._canvas.repaint()

    def release(self, event: PointerEvent) -> None:
        """Only presses count; a pull with the button held ends with a point where it is let go."""
        if event.button is Button.LEFT and self._steps.set:
            away = math.dist(self._steps.set[-1], self._inside(event.place)) * event.scale
            if away > 8.0:
                self.press(event)

    def key(self, event: KeyPress) -> bool:
        if not self._steps.key(event.key):
            return False
        self._show()
        return True

    def cancel(self) -> None:
        self._steps.clear()
        self._canvas.preview({})
        self._canvas.repaint()

    def hints(self) -> Hints:
        if not self._steps.set:
            return self._asking(self._words[0])
        return Hints(handles=marked(self._steps.set), guides=self._guides(), text=self._words[len(self._steps.set)])

    def _show(self) -> None:
        places = list(self._steps.set)
        if self._pointer is not None and places:
            places.append(self._inside(self._pointer))
        shape = self._preview(places)
        self._canvas.preview({} if shape is None else {NEW: shape}, class_id=self._canvas.hand.class_id)
        self._canvas.repaint()

    def _guides(self) -> tuple[Guide, ...]:
        return ()

    def _preview(self, places: list[Place]) -> Shape | None:
        return self._shape(places) if len(places) == self._count else None

    def _shape(self, places: list[Place]) -> Shape | None:
        """What the clicks make; ``None`` if it has no area."""
        return Point(*places[0])


class DrawPoint(DrawPoints):
    """The tool ``point``."""


class DrawTurnedBox(DrawPoints):
    """The tool ``rotated_box``."""

    _count = 3
    _words = ("one end of a side", "the other end of the side", "how far it reaches")

    def _preview(self, places: list[Place]) -> Shape | None:
        return Polyline(tuple(places)) if len(places) == 2 else super()._preview(places)

    def _shape(self, places: list[Place]) -> Shape | None:
        return turned_box(places[0], places[1], places[2])


class DrawExtremes(DrawPoints):
    """The tool ``extreme_box``."""

    _count = 4
    _words = tuple(f"extreme point {number} of 4" for number in range(1, 5))

    def _guides(self) -> tuple[Guide, ...]:
        (left, top), (right, bottom) = _bounds(self._steps.set)
        return (Guide(((left, top), (right, top), (right, bottom), (left, bottom)), closed=True),)

    def _shape(self, places: list[Place]) -> Shape | None:
        (left, top), (right, bottom) = _bounds(places)
        if right - left < box_handles.LEAST_PX or bottom - top < box_handles.LEAST_PX:
            return None
        return Box(left, top, right - left, bottom - top)


def turned_box(start: Place, end: Place, reach: Place) -> Box | None:
    """The box with a side from start to end whose opposite side goes through ``reach``; ``None`` without area."""
    width = math.dist(start, end)
    if width < box_handles.LEAST_PX:
        return None
    along = ((end[0] - start[0]) / width, (end[1] - start[1]) / width)
    down = (-along[1], along[0])
    height = (reach[0] - start[0]) * down[0] + (reach[1] - start[1]) * down[1]
    if abs(height) < box_handles.LEAST_PX:
        return None
    middle_x = (start[0] + end[0]) / 2 + down[0] * height / 2
    middle_y = (start[1] + end[1]) / 2 + down[1] * height / 2
    angle = math.degrees(math.atan2(along[1], along[0]))
    angle = angle if height > 0 else angle + 180.0  # the side that was drawn stays the top one
    angle = round((angle + 180.0) % 360.0 - 180.0, 3) + 0.0
    return Box(middle_x - width / 2, middle_y - abs(height) / 2, width, abs(height), angle)


def _bounds(places: list[Place]) -> tuple[Place, Place]:
    across, down = zip(*places, strict=True)
    return (min(across), min(down)), (max(across), max(down))
