"""Draw an outline or a line: click its points or pull it by hand, and close it. Tools ``polygon`` and ``polyline``.

Backspace and undo take back the last point, redo sets it again; Enter, a double click or a click on the first point
finishes. Pulling with the button held draws by hand, and what was pulled keeps only the corners it needs. With snapping
on, points go to the outlines beside, and between two points on the same neighbour its border is followed. Shift on the
finishing click continues the selected track. A ring begun with Ctrl is a hole in the selected polygon.
"""

from __future__ import annotations

import math

from workstation.app.outlines import area_of, polygon_of, simplified, with_hole
from workstation.core.geometry import Polygon, Polyline, Shape
from workstation.ui.tools.canvas import (
    NEW,
    Button,
    Canvas,
    Hints,
    KeyPress,
    Modifier,
    Place,
    PointerEvent,
)
from workstation.ui.tools.drawing import BACK, CLOSE_PX, SLACK_PX, Drawing, marked
from workstation.ui.tools.edits import continue_track, keep_changed, keep_new
from workstation.ui.tools.snapping import Snap, between, snapped

_BY_HAND_PX = 2.0
"""While pulling, a point every so many screen pixels; and how far what is kept may stand off."""
_SMOOTH_PX = 1.2


class DrawPath(Drawing):
    """A path in the making; ``_finished`` says what becomes of it."""

    _closed = False
    _least = 2

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._places: list[Place] = []
        self._snaps: list[Snap | None] = []
        self._gone: list[tuple[Place, Snap | None]] = []
        """Points that were taken back, until another is set."""
        self._press: PointerEvent | None = None
        self._by_hand: int | None = None
        """How many points there were before the hand began to pull."""
        self._modifiers = Modifier.NONE

    @property
    def busy(self) -> bool:
        return bool(self._places or self._gone)

    def press(self, event: PointerEvent) -> None:
        if not self._begins(event):
            return
        self._press = event
        if not self._places:
            self._modifiers = event.modifiers
            self._begun(event)
        if self._on_first(event) and len(self._places) >= self._least:
            self._finish(event.modifiers)
            return
        self._add(event.place)
        self._show()

    def move(self, event: PointerEvent) -> None:
        self._pointer = event.place
        if self._press is not None and self._places and Button.LEFT in event.held:
            self._pull(event)
        if self._places:
            self._show()
        self._canvas.repaint()

    def release(self, event: PointerEvent) -> None:
        if event.button is not Button.LEFT:
            return
        by_hand, self._by_hand, self._press = self._by_hand, None, None
        if by_hand is None or not self._places:
            return
        before, pulled = self._places[:by_hand], self._places[by_hand - 1 :]
        kept = simplified(pulled, _SMOOTH_PX / event.scale)[1:]
        self._places = [*before, *kept]
        self._snaps = [*self._snaps[:by_hand], *([None] * len(kept))]
        round_again = self._on_first(event, times=2.0) and len(self._places) > 3
        if by_hand == 1 and (round_again or not self._closed):
            self._finish(event.modifiers)
        else:
            self._show()

    def double_click(self, event: PointerEvent) -> bool:
        """The first of the two clicks has set the last point."""
        if self._places:
            self._finish(event.modifiers)
        return True

    def key(self, event: KeyPress) -> bool:
        if event.key == "Redo" and self._gone:
            place, snap = self._gone.pop()
            self._places.append(place)
            self._snaps.append(snap)
            self._show()
            return True
        if not self._places:
            if event.key in BACK:
                self._gone = []  # what is taken back from now on was done before the drawing began
            return False
        if event.key in BACK:
            self._gone.append((self._places.pop(), self._snaps.pop()))
            self._by_hand = None
            self._show()
        elif event.key == "Return":
            self._finish(event.modifiers)
        else:
            return event.key == "Redo"
        return True

    def cancel(self) -> None:
        self._forget()
        self._canvas.preview({})
        self._canvas.repaint()

    def hints(self) -> Hints:
        if not self._places:
            return self._asking("")
        text = "click the first point to close" if self._ready_to_close() else self._said()
        return Hints(handles=marked(self._places, first=self._ready_to_close()), text=text)

    # --- what each kind says ------------------------------------------------------------------------------------

    def _begun(self, event: PointerEvent) -> None:
        """The first point is about to be set."""

    def _said(self) -> str:
        return f"{len(self._places)} points"

    def _shape(self, places: list[Place]) -> Shape | None:
        """What the places make; tells the person why if nothing."""
        return Polyline(tuple(places)) if len(set(places)) >= 2 else None

    def _keep(self, shape: Shape, modifiers: Modifier) -> None:
        if Modifier.SHIFT in modifiers and continue_track(self._canvas, shape):
            return
        keep_new(self._canvas, shape, preview=shape)

    # --- points -------------------------------------------------------------------------------------------------

    def _add(self, place: Place) -> None:
        self._gone = []
        snap = snapped(self._canvas, place) if self._canvas.hand.ways.snap else None
        if snap is not None and self._snaps:
            border = between(self._snaps[-1], snap)
            self._places += border
            self._snaps += [None] * len(border)
        self._places.append(self._inside(place) if snap is None else snap.place)
        self._snaps.append(snap)

    def _pull(self, event: PointerEvent) -> None:
        assert self._press is not None
        if self._by_hand is None:
            if math.dist(self._press.place, event.place) * event.scale <= 2 * SLACK_PX:
                return
            self._by_hand = len(self._places)
        if math.dist(self._places[-1], event.place) * event.scale >= _BY_HAND_PX:
            self._places.append(self._inside(event.place))
            self._snaps.append(None)

    def _on_first(self, event: PointerEvent, *, times: float = 1.0) -> bool:
        if not self._closed or len(self._places) < 3:
            return False
        return math.dist(self._places[0], event.place) * event.scale <= CLOSE_PX * times

    def _ready_to_close(self) -> bool:
        if not self._closed or len(self._places) < 3 or self._pointer is None:
            return False
        return math.dist(self._places[0], self._pointer) * self._canvas.scale <= CLOSE_PX

    def _show(self) -> None:
        places = list(self._places)
        if self._pointer is not None and self._by_hand is None:
            snap = snapped(self._canvas, self._pointer) if self._canvas.hand.ways.snap else None
            if snap is not None and self._snaps:
                places += between(self._snaps[-1], snap)
            places.append(self._inside(self._pointer) if snap is None else snap.place)
        shape: Shape = Polygon(tuple(places)) if self._closed and len(places) > 2 else Polyline(tuple(places))
        self._canvas.preview({NEW: shape} if len(places) > 1 else {}, class_id=self._canvas.hand.class_id)
        self._canvas.repaint()

    # --- the end ------------------------------------------------------------------------------------------------

    def _finish(self, modifiers: Modifier) -> None:
        places = [p for p, before in zip(self._places, [None, *self._places], strict=False) if p != before]
        shape = self._shape(places) if len(places) >= self._least else None
        if shape is None:
            if len(places) < self._least:
                self._canvas.tell(f"It needs at least {self._least} points.")
            self._show()
            return
        self._forget()
        self._canvas.preview({})
        self._keep(shape, modifiers)
        self._canvas.repaint()

    def _forget(self) -> None:
        self._places, self._snaps, self._gone, self._press, self._by_hand = [], [], [], None, None


class DrawPolyline(DrawPath):
    """The tool ``polyline``."""


class DrawPolygon(DrawPath):
    """The tool ``polygon``."""

    _closed = True
    _least = 3

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._hole_of: tuple[str, Polygon] | None = None

    def _begun(self, event: PointerEvent) -> None:
        self._hole_of = None
        if Modifier.CTRL not in event.modifiers:
            return
        active = self._canvas.active
        shape = None if active is None else self._canvas.shape_of(active)
        if active is None or not isinstance(shape, Polygon):
            self._canvas.tell("Select the polygon first that gets the hole.")
        elif self._canvas.locked(active):
            self._canvas.tell("It is locked.")
        else:
            self._hole_of = (active, shape)

    def _said(self) -> str:
        what = "hole, " if self._hole_of is not None else ""
        return f"{what}{len(self._places)} point{'s' if len(self._places) != 1 else ''}"

    def _shape(self, places: list[Place]) -> Shape | None:
        polygon, mended = polygon_of(places)
        if polygon is None:
            self._canvas.tell("These points have no area between them.")
        elif mended:
            self._canvas.tell(f"The outline crossed itself; its largest part is kept ({area_of(polygon):,.0f} px).")
        return polygon

    def _keep(self, shape: Shape, modifiers: Modifier) -> None:
        if self._hole_of is None:
            super()._keep(shape, modifiers)
            return
        (owner, polygon), self._hole_of = self._hole_of, None
        assert isinstance(shape, Polygon)
        cut = with_hole(polygon, shape.outer)
        if cut is None:
            self._canvas.tell("That would cut the polygon in two, or leave nothing of it.")
        else:
            keep_changed(self._canvas, owner, cut)
