"""Select, move and resize: the tool the hand holds when it holds no other.

A click picks what lies on top; clicking again at the same place goes to what lies under it, and round. Shift adds,
Ctrl changes sides. A drag from an empty place draws a rubber band, with Alt a lasso. A drag on what is selected moves
it here, with Alt the whole track. The active shape has handles (``grips.py``): Shift keeps a box in proportion, Ctrl
its middle; a click on a point holds it for keys, Alt+click takes it out, a pull at the middle of an edge adds one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto

from workstation.core.geometry import Keypoints, Mask, PointState, Shape
from workstation.core.selection import Mode, add, replace, toggle
from workstation.core.translation import translated
from workstation.ui.tools import grips, vertices
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
from workstation.ui.tools.grips import AnyGrip
from workstation.ui.tools.snapping import snapped
from workstation.ui.tools.vertices import VertexGrip

_REACH_PX = 7.0
_SLACK_PX = 4.0
"""A press that moves less is a click."""
_ARROWS = {"Left": (-1.0, 0.0), "Right": (1.0, 0.0), "Up": (0.0, -1.0), "Down": (0.0, 1.0)}
_SAME_PX = 0.01
"""Corners nearer than this are one corner of a shared border."""
_STATES = {"V": PointState.VISIBLE, "O": PointState.OCCLUDED, "X": PointState.ABSENT}


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
        self._grip: AnyGrip | None = None
        self._held: VertexGrip | None = None
        """The point of the active shape that keys mean."""
        self._held_of: str | None = None
        self._before: dict[str, Shape] = {}
        self._now: dict[str, Shape] = {}
        self._ring: list[Place] = []
        self._last: _Click | None = None
        self._whole = False

    @property
    def busy(self) -> bool:
        return self._doing not in (_Doing.NOTHING, _Doing.PRESSED) or self._held_vertex() is not None

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
        grip = self._grip
        doing, now, ring = self._doing, self._now, self._ring
        start = self._start
        if doing in (_Doing.MOVING, _Doing.RESIZING):
            self.move(event)
            now = self._now
        self._forget()
        if doing is _Doing.PRESSED and isinstance(grip, VertexGrip):
            self._click_point(grip, start)
        elif doing is _Doing.PRESSED:
            self._click(start)
        elif doing in (_Doing.MOVING, _Doing.RESIZING):
            self._keep(now, start, event, moved=doing is _Doing.MOVING)
        elif len(ring) >= 3:
            self._canvas.select(self._canvas.within(ring), mode=_mode(start))
        self._canvas.repaint()

    def double_click(self, event: PointerEvent) -> bool:
        return False

    def key(self, event: KeyPress) -> bool:
        held = self._held_vertex()
        if held is None or self._held_of is None:
            return False
        shape = self._canvas.shape_of(self._held_of)
        assert shape is not None
        if event.key in ("Backspace", "Delete"):
            self._take_out(held)
        elif event.key in _ARROWS and not event.modifiers & (Modifier.CTRL | Modifier.ALT):
            step = 10.0 if Modifier.SHIFT in event.modifiers else 1.0
            (x, y), (dx, dy) = vertices.place_of(shape, held), _ARROWS[event.key]
            moved = vertices.dragged(shape, held, (x + dx * step, y + dy * step))
            group = self._canvas.hand.bursts.group((self._held_of, held))
            keep_changed(self._canvas, self._held_of, moved, group=group)
        elif isinstance(shape, Keypoints) and event.key in _STATES:
            changed = vertices.with_state(shape, held.index, _STATES[event.key])
            keep_changed(self._canvas, self._held_of, changed)
        else:
            return False
        return True

    def cancel(self) -> None:
        if self._doing in (_Doing.NOTHING, _Doing.PRESSED):
            self._held = None
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
        shape = self._active_shape()
        if shape is None or self._doing is _Doing.MOVING:
            return NO_HINTS
        resizing = self._doing is _Doing.RESIZING
        text = grips.measured(shape, self._grip) if resizing else ""
        held = self._held_vertex()
        if held is not None and not resizing and isinstance(shape, Keypoints):
            point = shape.points[held.index]
            text = f"{point.name.replace('_', ' ')}, {point.state.value}"
        shown: AnyGrip | None = grips.settled(self._grip) if resizing and self._grip is not None else held
        return Hints(handles=grips.handles(shape, self._canvas.scale, shown), text=text)

    def cursor(self, event: PointerEvent) -> Cursor:
        if self._doing is _Doing.MOVING:
            return Cursor.MOVE
        if self._doing in (_Doing.BAND, _Doing.LASSO):
            return Cursor.CROSS
        grip = self._grip if self._doing is _Doing.RESIZING else self._grip_under(event)
        shape = self._active_shape()
        if grip is not None and shape is not None:
            return grips.cursor_of(shape, grip)
        pile = self._canvas.hit(event.place)
        return Cursor.MOVE if pile and pile[0] in self._canvas.selected and self._editable(pile[0]) else Cursor.ARROW

    # --- how a gesture begins -----------------------------------------------------------------------------------

    def _begin(self) -> None:
        assert self._start is not None
        active = self._canvas.active
        if self._grip is not None and active is not None:
            shape = self._canvas.shape_of(active)
            if shape is not None:
                self._doing, self._before = _Doing.RESIZING, {active: shape, **self._sharing(active, shape)}
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
            by = self._by(event)
            self._now = {each: translated(shape, by) for each, shape in self._before.items()}
        else:
            self._resize_to(event)
        self._canvas.preview(dict(self._now))

    def _by(self, event: PointerEvent) -> Place:
        """How far it was pulled; masks move by whole pixels, and what moves with them does too."""
        assert self._start is not None
        by = (event.x - self._start.x, event.y - self._start.y)
        if any(isinstance(shape, Mask) for shape in self._before.values()):
            return (float(round(by[0])), float(round(by[1])))
        return by

    def _resize_to(self, event: PointerEvent) -> None:
        active, grip = self._canvas.active, self._grip
        assert active is not None
        assert grip is not None
        before = self._before[active]
        place = event.place
        if isinstance(grip, VertexGrip) and self._canvas.hand.ways.snap:
            snap = snapped(self._canvas, place, apart_from=self._before)
            place = place if snap is None else snap.place
        self._now = {active: grips.dragged(before, grip, place, event.modifiers)}
        if isinstance(grip, VertexGrip) and not grip.middle:
            was = vertices.place_of(before, grip)
            for each, shape in self._before.items():
                if each != active:
                    corner = _corner_at(shape, was)
                    assert corner is not None
                    self._now[each] = vertices.dragged(shape, corner, place)

    def _sharing(self, active: str, shape: Shape) -> dict[str, Shape]:
        """With snapping on, neighbours that have the very same corner: the border stays shared."""
        grip = self._grip
        if not isinstance(grip, VertexGrip) or grip.middle or not self._canvas.hand.ways.snap:
            return {}
        was = vertices.place_of(shape, grip)
        found = {}
        for each in self._canvas.hit(was):
            other = self._canvas.shape_of(each)
            if each != active and other is not None and self._editable(each) and _corner_at(other, was) is not None:
                found[each] = other
        return found

    # --- how it ends --------------------------------------------------------------------------------------------

    def _keep(self, now: dict[str, Shape], start: PointerEvent, end: PointerEvent, *, moved: bool) -> None:
        if moved and self._whole:
            by: Place = (end.x - start.x, end.y - start.y)
            if any(isinstance(shape, Mask) for shape in now.values()):
                by = (float(round(by[0])), float(round(by[1])))
            shift_all(self._canvas, tuple(now), by)
        elif len(now) == 1:
            ((annotation, shape),) = now.items()
            keep_changed(self._canvas, annotation, shape)
        elif now:
            keep_all_changed(self._canvas, now)
        self._canvas.preview({})

    def _click_point(self, grip: VertexGrip, event: PointerEvent) -> None:
        """Hold a point for keys; with Alt, take it out; a middle becomes a point where it is."""
        active = self._canvas.active
        shape = self._active_shape()
        assert active is not None
        assert shape is not None
        if grip.middle:
            keep_changed(self._canvas, active, vertices.dragged(shape, grip, vertices.place_of(shape, grip)))
            self._hold(vertices.settled(grip))
        elif Modifier.ALT in event.modifiers:
            self._hold(grip)
            self._take_out(grip)
        else:
            self._hold(grip)

    def _hold(self, grip: VertexGrip) -> None:
        self._held, self._held_of = grip, self._canvas.active

    def _take_out(self, grip: VertexGrip) -> None:
        assert self._held_of is not None
        shape = self._canvas.shape_of(self._held_of)
        left = None if shape is None else vertices.without(shape, grip)
        if isinstance(shape, Keypoints):
            keep_changed(self._canvas, self._held_of, vertices.with_state(shape, grip.index, PointState.ABSENT))
        elif left is None:
            self._canvas.tell("It needs the points it has; Delete with none of them held deletes the whole shape.")
            return
        else:
            keep_changed(self._canvas, self._held_of, left)
        self._held = None

    def _held_vertex(self) -> VertexGrip | None:
        """The held point, while its shape is still there as it was taken hold of."""
        if self._held is None or self._held_of is None or self._canvas.active != self._held_of:
            return None
        shape = self._canvas.shape_of(self._held_of)
        rings = () if shape is None else vertices.rings_of(shape)
        there = self._held.ring < len(rings) and self._held.index < len(rings[self._held.ring])
        return self._held if there and self._editable(self._held_of) else None

    def _click(self, event: PointerEvent) -> None:
        self._held = None
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

    def _active_shape(self) -> Shape | None:
        """The active shape, if it has handles here."""
        active = self._canvas.active
        if active is None or not self._editable(active):
            return None
        shape = self._canvas.shape_of(active)
        return shape if shape is not None and grips.has_grips(shape) else None

    def _grip_under(self, event: PointerEvent) -> AnyGrip | None:
        shape = self._active_shape()
        return None if shape is None else grips.grip_at(shape, event.place, event.scale, reach_px=_REACH_PX)

    def _away(self, event: PointerEvent) -> float:
        assert self._start is not None
        return math.dist(self._start.place, event.place) * event.scale


def _mode(event: PointerEvent) -> Mode:
    if Modifier.SHIFT in event.modifiers:
        return add
    return toggle if Modifier.CTRL in event.modifiers else replace


def _corner_at(shape: Shape, place: Place) -> VertexGrip | None:
    for ring, places in enumerate(vertices.rings_of(shape)):
        for index, each in enumerate(places):
            if math.dist(each, place) < _SAME_PX:
                return VertexGrip(ring, index)
    return None
