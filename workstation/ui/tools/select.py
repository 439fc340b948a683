"""Select, move and resize: the tool the hand holds when it holds no other.

A click picks what lies on top; clicking again at the same place goes to what lies under it, and round. Shift adds,
Ctrl changes sides. A drag from an empty place draws a rubber band, with Alt a lasso. A drag on what is selected moves
it here, with Alt the whole track. Boxes have grips; other shapes get theirs from the tools of their kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto

from workstation.core.geometry import Box, Shape
from workstation.core.selection import Mode, add, replace, toggle
from workstation.core.translation import translated
from workstation.ui.tools import box_handles
from workstation.ui.tools.box_handles import Grip
from workstation.ui.tools.canvas import (
    NO_HINTS,
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
from workstation.ui.tools.edits import keep_all_changed, keep_changed, shift_all

_REACH_PX = 7.0
_SLACK_PX = 4.0
"""A press that moves less is a click."""


class _Doing(Enum):
    NOTHING = auto()
    PRESSED = auto()
    MOVING = auto()
    RESIZING = auto()
    BAND = auto()
    LASSO = auto()


@dataclass(frozen=True, slots=True)
class _Click:
    """Where the last click was, and what it picked from the pile there."""

    place: Place
    pile: tuple[str, ...]
    picked: str


class Select:
    """The tool ``select``."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._doing = _Doing.NOTHING
        self._start: PointerEvent | None = None
        self._pile: list[str] = []
        self._grip: Grip | None = None
        self._before: dict[str, Shape] = {}
        self._now: dict[str, Shape] = {}
        self._ring: list[Place] = []
        self._last: _Click | None = None
        self._whole = False

    @property
    def busy(self) -> bool:
        return self._doing not in (_Doing.NOTHING, _Doing.PRESSED)

    def press(self, event: PointerEvent) -> None:
        if event.button is not Button.LEFT:
            return
        self._start, self._doing = event, _Doing.PRESSED
        self._pile = self._canvas.hit(event.place)
        self._grip = self._grip_under(event)
        self._whole = Modifier.ALT in event.modifiers

    def move(self, event: PointerEvent) -> None:
        if self._start is None:
            return
        if self._doing is _Doing.PRESSED and self._away(event) > _SLACK_PX:
            self._begin()
        if self._doing in (_Doing.MOVING, _Doing.RESIZING):
            self._drag_to(event)
        elif self._doing is _Doing.LASSO:
            self._ring.append(event.place)
            self._canvas.repaint()
        elif self._doing is _Doing.BAND:
            (x0, y0), (x1, y1) = self._start.place, event.place
            self._ring = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
            self._canvas.repaint()

    def release(self, event: PointerEvent) -> None:
        if event.button is not Button.LEFT or self._start is None:
            return
        doing, now, ring = self._doing, self._now, self._ring
        start = self._start
        if doing in (_Doing.MOVING, _Doing.RESIZING):
            self.move(event)
            now = self._now
        self._forget()
        if doing is _Doing.PRESSED:
            self._click(start)
        elif doing in (_Doing.MOVING, _Doing.RESIZING):
            self._keep(now, start, event, moved=doing is _Doing.MOVING)
        elif len(ring) >= 3:
            self._canvas.select(self._canvas.within(ring), mode=_mode(start))
        self._canvas.repaint()

    def double_click(self, event: PointerEvent) -> bool:
        return False

    def key(self, event: KeyPress) -> bool:
        return False

    def cancel(self) -> None:
        self._forget()
        self._canvas.preview({})
        self._canvas.repaint()

    def picture_changed(self) -> None:
        if self.busy:
            self.cancel()
        self._last = None

    def hints(self) -> Hints:
        if self._doing in (_Doing.BAND, _Doing.LASSO):
            return Hints(guides=(Guide(tuple(self._ring), closed=True),))
        box = self._active_box()
        if box is None or self._doing is _Doing.MOVING:
            return NO_HINTS
        text = "" if self._doing is not _Doing.RESIZING else _measured(box, self._grip)
        return Hints(handles=box_handles.handles(box, self._canvas.scale, self._grip), text=text)

    def cursor(self, event: PointerEvent) -> Cursor:
        if self._doing is _Doing.MOVING:
            return Cursor.MOVE
        if self._doing in (_Doing.BAND, _Doing.LASSO):
            return Cursor.CROSS
        grip = self._grip if self._doing is _Doing.RESIZING else self._grip_under(event)
        box = self._active_box()
        if grip is not None and box is not None:
            return box_handles.cursor_of(box, grip)
        pile = self._canvas.hit(event.place)
        return Cursor.MOVE if pile and pile[0] in self._canvas.selected and self._editable(pile[0]) else Cursor.ARROW

    # --- how a gesture begins -----------------------------------------------------------------------------------

    def _begin(self) -> None:
        assert self._start is not None
        active = self._canvas.active
        if self._grip is not None and active is not None:
            box = self._canvas.shape_of(active)
            if isinstance(box, Box):
                self._doing, self._before = _Doing.RESIZING, {active: box}
                return
        held = next((each for each in self._pile if each in self._canvas.selected), None)
        held = held if held is not None else next(iter(self._pile), None)
        if held is not None and _mode(self._start) is replace:
            if held not in self._canvas.selected:
                self._canvas.select((held,))
            self._take_up()
        else:
            self._doing = _Doing.LASSO if Modifier.ALT in self._start.modifiers else _Doing.BAND
            self._ring = [self._start.place]

    def _take_up(self) -> None:
        """Move all selected shapes of this picture together."""
        shapes = {each: self._canvas.shape_of(each) for each in self._canvas.selected if self._editable(each)}
        self._before = {each: shape for each, shape in shapes.items() if shape is not None}
        if self._before:
            self._doing = _Doing.MOVING
        else:
            self._doing, self._start = _Doing.NOTHING, None
            locked = any(self._canvas.locked(each) for each in self._canvas.selected)
            self._canvas.tell("It is locked." if locked else "It is edited where it was drawn, not on this picture.")

    # --- while it lasts -----------------------------------------------------------------------------------------

    def _drag_to(self, event: PointerEvent) -> None:
        assert self._start is not None
        if self._doing is _Doing.MOVING:
            by = (event.x - self._start.x, event.y - self._start.y)
            self._now = {each: translated(shape, by) for each, shape in self._before.items()}
        else:
            ((annotation, box),) = self._before.items()
            assert isinstance(box, Box)
            assert self._grip is not None
            straight = Modifier.SHIFT in event.modifiers
            self._now = {annotation: box_handles.dragged(box, self._grip, event.place, straight=straight)}
        self._canvas.preview(dict(self._now))

    # --- how it ends --------------------------------------------------------------------------------------------

    def _keep(self, now: dict[str, Shape], start: PointerEvent, end: PointerEvent, *, moved: bool) -> None:
        if moved and self._whole:
            shift_all(self._canvas, tuple(now), (end.x - start.x, end.y - start.y))
        elif len(now) == 1:
            ((annotation, shape),) = now.items()
            keep_changed(self._canvas, annotation, shape)
        elif now:
            keep_all_changed(self._canvas, now)
        self._canvas.preview({})

    def _click(self, event: PointerEvent) -> None:
        mode = _mode(event)
        pile = tuple(self._pile)
        if not pile:
            self._last = None
            if mode is replace:
                self._canvas.select(())
            return
        picked = self._next_in(pile, event) if mode is replace else pile[0]
        self._last = _Click(event.place, pile, picked)
        self._canvas.select((picked,), mode=mode)

    def _next_in(self, pile: tuple[str, ...], event: PointerEvent) -> str:
        """The one on top; clicked again at the same place, the one under the one that was picked."""
        last = self._last
        if last is None or set(last.pile) != set(pile) or last.picked not in self._canvas.selected:
            return pile[0]
        if math.dist(last.place, event.place) * event.scale > _SLACK_PX:
            return pile[0]
        return last.pile[(last.pile.index(last.picked) + 1) % len(last.pile)]

    def _forget(self) -> None:
        self._doing, self._start, self._grip = _Doing.NOTHING, None, None
        self._before, self._now, self._ring = {}, {}, []

    # --- what is there ------------------------------------------------------------------------------------------

    def _editable(self, annotation: str) -> bool:
        record = self._canvas.view.annotations.get(annotation)
        if record is None or record.stream != self._canvas.stream.id or self._canvas.locked(annotation):
            return False
        return self._canvas.shape_of(annotation) is not None

    def _active_box(self) -> Box | None:
        active = self._canvas.active
        if active is None or not self._editable(active):
            return None
        shape = self._canvas.shape_of(active)
        return shape if isinstance(shape, Box) else None

    def _grip_under(self, event: PointerEvent) -> Grip | None:
        box = self._active_box()
        return None if box is None else box_handles.grip_at(box, event.place, event.scale, reach_px=_REACH_PX)

    def _away(self, event: PointerEvent) -> float:
        assert self._start is not None
        return math.dist(self._start.place, event.place) * event.scale


def _mode(event: PointerEvent) -> Mode:
    if Modifier.SHIFT in event.modifiers:
        return add
    return toggle if Modifier.CTRL in event.modifiers else replace


def _measured(box: Box, grip: Grip | None) -> str:
    if grip is not None and grip.turn:
        return f"{box.angle_deg:.0f}°"
    return f"{box.width:.0f} × {box.height:.0f} px"
