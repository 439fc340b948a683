"""Paint masks: tools ``brush``, ``eraser`` and ``mask_fill``.

With a mask selected they change it; else brush and fill begin a new instance, and so they do with Ctrl. Alt turns a
brush into an eraser and back, and lets a filled outline take away. Shift pulls a straight stroke from the last one.
Other instances keep their pixels, or lose what is painted over, as the hand's ways say. Only the pixels under a stroke
are worked on while it lasts; the command comes when the button is let go.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workstation.app.mask_edits import Rect, joined, polygon_pixels, stroke
from workstation.core.geometry import Polygon, Shape
from workstation.ui.tools.canvas import (
    NEW,
    Button,
    Canvas,
    Cursor,
    Guide,
    Hints,
    Modifier,
    Pixels,
    Place,
    PointerEvent,
)
from workstation.ui.tools.draw_path import DrawPolygon
from workstation.ui.tools.drawing import Drawing, asking
from workstation.ui.tools.mask_keeping import cut, keep_pixels, laid, minus, other_masks, target_mask

LEAST_PX, MOST_PX = 1.0, 1000.0
_STEP = 1.25
_SHOWN_PX = 6.0
"""A brush narrower than this on the screen is shown by a cross."""


class Brush(Drawing):
    """The tool ``brush``."""

    _wipes = False

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._pixels: Pixels | None = None
        """The whole picture while a stroke lasts."""
        self._bounds: Rect | None = None
        """Around all that may be inside."""
        self._target: str | None = None
        self._kept: NDArray[np.bool_] | None = None
        self._inside_now = True
        self._fresh = False
        self._last: Place | None = None
        self._loose: Pixels | None = None
        """Painted, and waiting for its class."""

    @property
    def busy(self) -> bool:
        return self._pixels is not None

    def press(self, event: PointerEvent) -> None:
        loose = self._loose if self._canvas.hand.waiting else None
        if not self._begins(event):
            return
        self._inside_now = self._wipes is (Modifier.ALT in event.modifiers)
        self._fresh = Modifier.CTRL in event.modifiers
        self._target = None if self._fresh or loose is not None else target_mask(self._canvas)
        if not self._inside_now and self._target is None and loose is None:
            self._canvas.tell("Select the mask first that loses pixels.")
            return
        self._begin(loose)
        start = self._last if Modifier.SHIFT in event.modifiers and self._last is not None else event.place
        self._stroke(start, event.place)
        assert self._pixels is not None
        self._canvas.preview({self._target or NEW: self._pixels}, class_id=self._canvas.hand.class_id)

    def move(self, event: PointerEvent) -> None:
        self._pointer = event.place
        if self._pixels is not None and self._last is not None:
            self._stroke(self._last, event.place)
        self._canvas.repaint()

    def release(self, event: PointerEvent) -> None:
        if event.button is not Button.LEFT or self._pixels is None:
            return
        pixels, target = self._cut(), self._target
        self._pixels = self._kept = None
        self._loose = pixels if target is None else None
        if pixels is not None:
            keep_pixels(self._canvas, target, pixels, fresh=self._fresh)
        else:
            self._canvas.preview({})
            if target is not None:
                self._canvas.tell("Nothing would be left of the mask; Delete takes it away.")
        self._canvas.repaint()

    def cancel(self) -> None:
        self._pixels = self._kept = None
        self._canvas.preview({})
        self._canvas.repaint()

    def picture_changed(self) -> None:
        super().picture_changed()
        self._last = self._loose = None

    def wheel(self, steps: float) -> bool:
        size_brush(self._canvas, steps)
        self._canvas.repaint()
        return True

    def hints(self) -> Hints:
        if self._pointer is None:
            return Hints(text=asking(self._canvas))
        return Hints(guides=(Guide(_outline(self._canvas, self._pointer), closed=True),), text=asking(self._canvas))

    def cursor(self, event: PointerEvent) -> Cursor:
        if self._canvas.item is None:
            return Cursor.FORBIDDEN
        small = self._canvas.hand.ways.brush_px * self._canvas.scale < _SHOWN_PX
        return Cursor.CROSS if small else Cursor.NOTHING

    def _begin(self, loose: Pixels | None) -> None:
        width, height = self._canvas.size_px
        layer = np.zeros((height, width), np.bool_)
        before = loose if self._target is None else self._canvas.mask_of(self._target)
        self._bounds = None
        if before is not None:
            laid(layer, before)
            across, down = before.inside.shape[::-1]
            self._bounds = (
                max(0, before.x),
                max(0, before.y),
                min(width, before.x + across),
                min(height, before.y + down),
            )
        self._kept = None
        if self._inside_now and not self._canvas.hand.ways.take_pixels:
            others = other_masks(self._canvas, self._target)
            if others:
                self._kept = np.zeros((height, width), np.bool_)
                for each in others.values():
                    laid(self._kept, each)
        self._pixels = Pixels(0, 0, layer, [] if self._bounds is None else [self._bounds])

    def _stroke(self, start: Place, end: Place) -> None:
        assert self._pixels is not None
        ways = self._canvas.hand.ways
        touched = stroke(
            self._pixels.inside,
            start,
            end,
            ways.brush_px,
            square=ways.brush_square,
            inside=self._inside_now,
            kept=self._kept,
        )
        self._last = end
        if touched is not None:
            self._bounds = touched if self._bounds is None else joined(self._bounds, touched)
            self._pixels.fresh.append(touched)

    def _cut(self) -> Pixels | None:
        if self._bounds is None or self._pixels is None:
            return None
        left, top, right, bottom = self._bounds
        return cut(Pixels(left, top, self._pixels.inside[top:bottom, left:right].copy()))


class Eraser(Brush):
    """The tool ``eraser``."""

    _wipes = True


class FillMask(DrawPolygon):
    """The tool ``mask_fill``: an outline whose inside becomes pixels of the selected mask, or of a new one."""

    def _begun(self, event: PointerEvent) -> None:
        self._hole_of = None

    def _keep(self, shape: Shape, modifiers: Modifier) -> None:
        assert isinstance(shape, Polygon)
        found = polygon_pixels(shape, self._canvas.size_px)
        if found is None:
            self._canvas.tell("No pixel lies inside.")
            return
        drawn = Pixels(*found)
        asked = self._modifiers | modifiers
        target = None if Modifier.CTRL in asked else target_mask(self._canvas)
        if Modifier.ALT in asked and target is None:
            self._canvas.tell("Select the mask first that loses pixels.")
            return
        result = self._joined(target, drawn, wipes=Modifier.ALT in asked)
        if result is None:
            self._canvas.tell("Nothing would be left inside.")
        else:
            keep_pixels(self._canvas, target, result, fresh=Modifier.CTRL in asked)

    def _joined(self, target: str | None, drawn: Pixels, *, wipes: bool) -> Pixels | None:
        canvas = self._canvas
        rest: Pixels | None = drawn
        if not wipes and not canvas.hand.ways.take_pixels:
            for other in other_masks(canvas, target).values():
                rest = None if rest is None else minus(rest, other)
        before = None if target is None else canvas.mask_of(target)
        if before is None or rest is None:
            return rest
        if wipes:
            return minus(before, rest)
        width, height = canvas.size_px
        layer = np.zeros((height, width), np.bool_)
        laid(layer, before)
        laid(layer, rest)
        return cut(Pixels(0, 0, layer))


def size_brush(canvas: Canvas, steps: float) -> None:
    """A wider (narrower) brush, by a quarter each step."""
    size = canvas.hand.ways.brush_px * _STEP**steps
    size = min(max(size, LEAST_PX), MOST_PX)
    canvas.hand.set_ways(brush_px=round(size, 1))


def _outline(canvas: Canvas, place: Place) -> tuple[Place, ...]:
    ways = canvas.hand.ways
    reach, (x, y) = ways.brush_px / 2, place
    if ways.brush_square:
        return ((x - reach, y - reach), (x + reach, y - reach), (x + reach, y + reach), (x - reach, y + reach))
    return outline(place, ways.brush_px)


def outline(place: Place, width: float) -> tuple[Place, ...]:
    """A round brush so wide, at a place."""
    reach, (x, y) = width / 2, place
    turn = [2 * math.pi * step / 40 for step in range(40)]
    return tuple((x + reach * math.cos(each), y + reach * math.sin(each)) for each in turn)
