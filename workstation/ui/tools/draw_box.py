"""Draw a box: press at a corner, let go at the other; or click twice. Shift continues the selected track.

Undo between the two clicks takes back the first one, and redo sets it again.
"""

from __future__ import annotations

from workstation.core.geometry import Box
from workstation.ui.tools.canvas import (
    NEW,
    Button,
    Canvas,
    Cursor,
    Guide,
    Hints,
    KeyPress,
    Modifier,
    Place,
    PointerEvent,
)
from workstation.ui.tools.drawing import Steps, asking
from workstation.ui.tools.edits import continue_track, keep_new

_LEAST_SCREEN_PX = 3.0
"""A shorter drag is a click: the first corner is set, and the next click sets the other."""


class DrawBox:
    """The tool ``box``."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._corner: Steps[Place] = Steps()
        """Where it begins."""
        self._end: Place | None = None
        self._pointer: Place | None = None
        self._pressed = False

    @property
    def busy(self) -> bool:
        return bool(self._corner)

    def press(self, event: PointerEvent) -> None:
        if event.button is not Button.LEFT or self._canvas.item is None:
            return
        self._pressed = True
        if not self._corner.set:
            self._canvas.hand.forget_drawn()
            self._end = self._inside(event.place)
            self._corner.add(self._end)

    def move(self, event: PointerEvent) -> None:
        self._pointer = event.place
        if self._corner.set:
            self._end = self._inside(event.place)
            box = self._box()
            self._canvas.preview({} if box is None else {NEW: box}, class_id=self._canvas.hand.class_id)
        self._canvas.repaint()

    def release(self, event: PointerEvent) -> None:
        if event.button is not Button.LEFT or not self._corner.set or not self._pressed:
            return
        self._pressed = False
        self._end = self._inside(event.place)
        box = self._box()
        if box is None or max(box.width, box.height) * event.scale < _LEAST_SCREEN_PX:
            return  # a click: the second corner comes with the next one
        self._end = None
        self._corner.clear()
        if Modifier.SHIFT in event.modifiers and continue_track(self._canvas, box):
            return
        keep_new(self._canvas, box, preview=box)

    def double_click(self, event: PointerEvent) -> bool:
        self.press(event)
        return True

    def key(self, event: KeyPress) -> bool:
        if self._pressed or not self._corner.key(event.key):  # a pull is given up as a whole
            return False
        if self._corner.set and self._pointer is not None:
            self._end = self._inside(self._pointer)
        box = self._box()
        self._canvas.preview({} if box is None else {NEW: box}, class_id=self._canvas.hand.class_id)
        self._canvas.repaint()
        return True

    def cancel(self) -> None:
        self._end = None
        self._corner.clear()
        self._pressed = False
        self._canvas.preview({})

    def picture_changed(self) -> None:
        if self.busy:
            self.cancel()

    def hints(self) -> Hints:
        width, height = self._canvas.size_px
        box = self._box()
        if box is not None:
            return Hints(text=f"{box.width:.0f} × {box.height:.0f} px")
        words = asking(self._canvas)
        if self._pointer is None or words:
            return Hints(text=words)
        x, y = self._pointer
        return Hints(guides=(Guide(((x, 0.0), (x, float(height)))), Guide(((0.0, y), (float(width), y)))))

    def cursor(self, event: PointerEvent) -> Cursor:
        return Cursor.CROSS if self._canvas.item is not None else Cursor.FORBIDDEN

    def _inside(self, place: Place) -> Place:
        width, height = self._canvas.size_px
        return (min(max(place[0], 0.0), float(width)), min(max(place[1], 0.0), float(height)))

    def _box(self) -> Box | None:
        if not self._corner.set or self._end is None:
            return None
        (x0, y0), (x1, y1) = self._corner.set[0], self._end
        if x0 == x1 or y0 == y1:
            return None
        return Box(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
