"""A mask from a box: tool ``box_mask``. What is found is shown first; strokes mend it; Enter keeps it, Esc drops it.

Begins with the selected box, or with the one that is clicked. While the mask is shown, a stroke says "this too", with
Alt "not this"; Backspace takes the last stroke back. The finding is done by whoever holds the canvas, on a worker
(``FindsMasks``); an answer to what is no longer asked is dropped. What is kept is a person's label of the box's thing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from workstation.app.session import Run
from workstation.core.annotation import Annotation, Source
from workstation.core.errors import UserError
from workstation.core.geometry import Box
from workstation.ui.tools.canvas import (
    NEW,
    Canvas,
    Cursor,
    Guide,
    Hints,
    KeyPress,
    Modifier,
    Pixels,
    Place,
    PointerEvent,
)
from workstation.ui.tools.draw_mask import outline, size_brush
from workstation.ui.tools.drawing import BACK, Drawing
from workstation.ui.tools.mask_keeping import cut, given_mask, minus, other_masks

if TYPE_CHECKING:
    from workstation.app.mask_proposals import MaskProposal, MaskStroke

Extent = tuple[float, float, float, float]
Receive = Callable[["MaskProposal | UserError"], None]


@runtime_checkable
class FindsMasks(Protocol):
    """A canvas behind which somebody finds masks."""

    def find_mask(self, box: Extent, strokes: tuple[MaskStroke, ...], receive: Receive) -> None:
        """Find the mask in the box (left, top, width, height) of the painted picture; ``receive`` is called later, on
        this thread, and not at all if something else is asked in between."""
        ...


class MaskFromBox(Drawing):
    """The tool ``box_mask``."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._record: Annotation | None = None
        self._box: Extent = (0.0, 0.0, 0.0, 0.0)
        self._strokes: tuple[MaskStroke, ...] = ()
        self._line: list[Place] = []
        self._plus = True
        self._found: Pixels | None = None
        self._made_with: Mapping[str, Any] = {}
        self._item: tuple[int | None, str | None] = (None, None)
        self._asked = 0
        self._waits = False
        self._said = ""
        if canvas.item is not None and canvas.active is not None:
            self._begin(canvas.active)

    @property
    def busy(self) -> bool:
        return self._record is not None

    # --- the pointer --------------------------------------------------------------------------------------------

    def press(self, event: PointerEvent) -> None:
        if not self._begins(event):
            return
        if self._record is not None:
            self._plus = Modifier.ALT not in event.modifiers
            self._line = [event.place]
            return
        under = (each for each in self._canvas.hit(event.place) if isinstance(self._canvas.shape_of(each), Box))
        box = next(under, None)
        if box is None:
            self._canvas.tell("Click a box: what stands out in it becomes a mask.")
            return
        self._canvas.select((box,))
        self._begin(box)

    def double_click(self, event: PointerEvent) -> bool:
        self.press(event)
        return True

    def move(self, event: PointerEvent) -> None:
        self._pointer = event.place
        if self._line:
            self._line.append(event.place)
        self._canvas.repaint()

    def release(self, event: PointerEvent) -> None:
        if not self._line:
            return
        from workstation.app.mask_proposals import MaskStroke

        points = np.asarray([*self._line, event.place], np.float64)
        self._line = []
        self._strokes = (*self._strokes, MaskStroke(points, self._radius, self._plus))
        self._ask()

    def wheel(self, steps: float) -> bool:
        size_brush(self._canvas, steps)
        self._canvas.repaint()
        return True

    def key(self, event: KeyPress) -> bool:
        if self._record is None:
            return False
        if event.key in BACK:
            if self._strokes:
                self._strokes = self._strokes[:-1]
                self._ask()
            elif event.key == "Undo":
                self.cancel()
        elif event.key in ("Return", "Enter"):
            self._keep()
        else:
            return False
        return True

    def cancel(self) -> None:
        if self._record is not None:
            self._record = self._found = None
            self._canvas.preview({})
        self._strokes, self._line = (), []
        self._asked += 1
        self._waits = False
        self._canvas.repaint()

    def picture_changed(self) -> None:
        """The same picture comes again when zoom or layout change: only another one ends it."""
        if self.busy and (self._canvas.item, self._canvas.instance) != self._item:
            self.cancel()

    # --- what is shown ------------------------------------------------------------------------------------------

    def hints(self) -> Hints:
        guides: list[Guide] = []
        if self._record is not None and self._pointer is not None:
            guides.append(Guide(outline(self._pointer, 2 * self._radius), closed=True))
        if len(self._line) > 1:
            guides.append(Guide(tuple(self._line)))
        if self._waits:
            text = "finding the mask…"
        elif self._record is not None:
            text = "Enter keeps · drag: this too · Alt+drag: not this · Esc drops"
        else:
            text = "click a box"
        return Hints(guides=tuple(guides), text=text)

    def cursor(self, event: PointerEvent) -> Cursor:
        return Cursor.FORBIDDEN if self._canvas.item is None else Cursor.CROSS

    @property
    def _radius(self) -> float:
        """Half the brush, and never so wide that a stroke covers the thing it mends."""
        return max(0.5, min(self._canvas.hand.ways.brush_px / 2, min(self._box[2:]) / 8))

    # --- inside -------------------------------------------------------------------------------------------------

    def _begin(self, annotation: str) -> None:
        canvas = self._canvas
        record, shape = canvas.view.annotations.get(annotation), canvas.shape_of(annotation)
        if record is None or not isinstance(shape, Box) or record.stream != canvas.stream.id:
            return
        if not isinstance(canvas, FindsMasks):
            canvas.tell("Masks from boxes are found on the pictures of cameras.")
            return
        self._record, self._box, self._strokes, self._found = record, _extent(shape), (), None
        self._said, self._item = "", (canvas.item, canvas.instance)
        self._ask()

    def _ask(self) -> None:
        canvas = self._canvas
        assert isinstance(canvas, FindsMasks)
        self._asked += 1
        self._waits = True
        number = self._asked

        def receive(answer: MaskProposal | UserError) -> None:
            if number == self._asked:
                self._receive(answer)

        canvas.find_mask(self._box, self._strokes, receive)
        self._canvas.repaint()

    def _receive(self, answer: MaskProposal | UserError) -> None:
        self._waits = False
        if isinstance(answer, UserError):
            self._canvas.tell(str(answer))
            self.cancel()
            return
        if answer.note and answer.note != self._said:
            self._said = answer.note
            self._canvas.tell(answer.note)
        found, self._made_with = answer.found, answer.made_with
        pixels = None if found.empty else cut(Pixels(found.left, found.top, found.mask))
        if not self._canvas.hand.ways.take_pixels:
            for other in other_masks(self._canvas, None).values():
                pixels = None if pixels is None else minus(pixels, other)
        self._found = pixels
        if pixels is None:
            self._canvas.tell("Nothing stands out in the box; draw over the thing.")
        assert self._record is not None
        shown = {} if pixels is None else {NEW: Pixels(pixels.x, pixels.y, pixels.inside)}
        self._canvas.preview(shown, class_id=self._canvas.view.class_of(self._record))
        self._canvas.repaint()

    def _keep(self) -> None:
        canvas, record, pixels = self._canvas, self._record, self._found
        if self._waits:
            canvas.tell("The mask is still being found.")
            return
        if record is None or pixels is None:
            canvas.tell("There is no mask to keep yet; draw over the thing, or Esc.")
            return
        source = Source(parameters=dict(self._made_with))
        made = canvas.together("Mask from the box", _Keeping(canvas, record, given_mask(pixels), source))
        if made is not None:
            self.cancel()
            canvas.select((made,))


class _Keeping:
    """The command that makes the mask: of the box's thing, at the painted moment."""

    def __init__(self, canvas: Canvas, record: Annotation, given: Mapping[str, object], source: Source) -> None:
        self._canvas, self._record, self._given, self._source = canvas, record, given, source

    def __call__(self, run: Run, /) -> Any:
        canvas, record = self._canvas, self._record
        whose: dict[str, Any] = {
            "stream": record.stream, "entity": record.entity, "class_id": record.class_id, "layer": record.layer,
            "source": self._source,
        }  # fmt: skip
        if canvas.own_ns is None or record.track is None:
            return run(
                "annotation.add", shape=self._given, start_ns=record.start_ns, end_ns=record.end_ns, item=record.item,
                **whose,
            )  # fmt: skip
        return run("track.add", keyframes=({"time_ns": canvas.own_ns, "shape": self._given},), **whose)


def _extent(box: Box) -> Extent:
    """Left, top, width, height of what stands upright around a box that may be turned."""
    turn = math.radians(box.angle_deg)
    across = abs(box.width * math.cos(turn)) + abs(box.height * math.sin(turn))
    down = abs(box.width * math.sin(turn)) + abs(box.height * math.cos(turn))
    return box.x + (box.width - across) / 2, box.y + (box.height - down) / 2, across, down
