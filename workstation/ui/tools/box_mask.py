"""A mask from a box or a click: tool ``box_mask``. What is found is shown first; Enter keeps it, Esc drops it.

Begins with the selected box, with the one that is clicked, with a box that is pulled, or with a click where no box is
(Ctrl: whatever box is there), which needs a model of the SAM class. While the mask is shown, a click or stroke says
"this too", with Alt "not this"; Backspace and undo take the last one back, redo draws it
again. The finding is done by whoever holds the canvas, on
a worker (``FindsMasks``); an answer to what is no longer asked is dropped. What is kept is a person's label: of the
box's thing, or of a new one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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
from workstation.ui.tools.drawing import BACK, SLACK_PX, Drawing, asking
from workstation.ui.tools.edits import keep_new
from workstation.ui.tools.mask_keeping import cut, given_mask, minus, other_masks

if TYPE_CHECKING:
    from workstation.app.mask_proposals import MaskProposal, MaskStroke

Extent = tuple[float, float, float, float]
Receive = Callable[["MaskProposal | UserError"], None]


@runtime_checkable
class FindsMasks(Protocol):
    """A canvas behind which somebody finds masks."""

    def find_mask(self, box: Extent | None, strokes: tuple[MaskStroke, ...], receive: Receive) -> None:
        """Find the mask in the box (left, top, width, height) of the painted picture, or what the strokes lie on;
        ``receive`` is called later, on this thread, and not at all if something else is asked in between."""
        ...


class MaskFromBox(Drawing):
    """The tool ``box_mask``."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._begun = False
        self._record: Annotation | None = None
        """Whose box it began with; ``None``: it becomes a thing of its own."""
        self._box: Extent | None = None
        self._pulled: Place | None = None
        """Where a press began that becomes a box or a click."""
        self._strokes: tuple[MaskStroke, ...] = ()
        self._gone: tuple[MaskStroke, ...] = ()
        """Strokes that were taken back, until another is drawn."""
        self._line: list[Place] = []
        self._plus = True
        self._found: Pixels | None = None
        self._made_with: Mapping[str, Any] = {}
        self._by = ""
        self._item: tuple[int | None, str | None] = (None, None)
        self._asked = 0
        self._waits = False
        self._said = ""
        if canvas.item is not None and canvas.active is not None:
            self._begin(canvas.active)

    @property
    def busy(self) -> bool:
        return self._begun or self._pulled is not None

    # --- the pointer --------------------------------------------------------------------------------------------

    def press(self, event: PointerEvent) -> None:
        if not self._begins(event):
            return
        if self._begun:
            self._plus = Modifier.ALT not in event.modifiers
            self._line = [event.place]
            return
        under = (each for each in self._canvas.hit(event.place) if isinstance(self._canvas.shape_of(each), Box))
        box = None if Modifier.CTRL in event.modifiers else next(under, None)
        if box is None:
            self._pulled = self._pointer = self._inside(event.place)
            self._item = (self._canvas.item, self._canvas.instance)
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
        if self._pulled is not None:
            start, self._pulled = self._pulled, None
            self._begin_at(start, self._inside(event.place), SLACK_PX / event.scale)
            return
        if not self._line:
            return
        points = [*self._line, event.place]
        self._line = []
        self._gone = ()
        self._strokes = (*self._strokes, _stroke(points, self._radius, plus=self._plus))
        self._ask()

    def wheel(self, steps: float) -> bool:
        size_brush(self._canvas, steps)
        self._canvas.repaint()
        return True

    def key(self, event: KeyPress) -> bool:
        if not self._begun:
            return False
        if event.key in BACK:
            if len(self._strokes) > (1 if self._box is None else 0):  # the click it began with stays
                self._strokes, self._gone = self._strokes[:-1], (*self._gone, self._strokes[-1])
                self._ask()
            elif event.key == "Undo":
                self.cancel()
        elif event.key == "Redo":
            if self._gone:
                self._strokes, self._gone = (*self._strokes, self._gone[-1]), self._gone[:-1]
                self._ask()
        elif event.key in ("Return", "Enter"):
            self._keep()
        else:
            return False
        return True

    def cancel(self) -> None:
        if self._begun:
            self._canvas.preview({})
        self._forget()
        self._canvas.repaint()

    def _forget(self) -> None:
        self._begun, self._record, self._found, self._pulled = False, None, None, None
        self._strokes, self._gone, self._line = (), (), []
        self._asked += 1
        self._waits = False

    def picture_changed(self) -> None:
        """The same picture comes again when zoom or layout change: only another one ends it."""
        if self.busy and (self._canvas.item, self._canvas.instance) != self._item:
            self.cancel()

    # --- what is shown ------------------------------------------------------------------------------------------

    def hints(self) -> Hints:
        guides: list[Guide] = []
        if self._pulled is not None and self._pointer is not None:
            guides.append(Guide(_corners(self._pulled, self._inside(self._pointer)), closed=True))
        if self._begun and self._pointer is not None:
            guides.append(Guide(outline(self._pointer, 2 * self._radius), closed=True))
        if len(self._line) > 1:
            guides.append(Guide(tuple(self._line)))
        if self._waits:
            text = "finding the mask…"
        elif self._begun:
            by = f"{self._by} · " if self._by else ""
            text = f"{by}Enter keeps · drag: this too · Alt+drag: not this · Esc drops"
        else:
            text = asking(self._canvas) or "click a box, or pull one"
        return Hints(guides=tuple(guides), text=text)

    def cursor(self, event: PointerEvent) -> Cursor:
        return Cursor.FORBIDDEN if self._canvas.item is None else Cursor.CROSS

    @property
    def _radius(self) -> float:
        """Half the brush, and never so wide that a stroke covers the thing it mends."""
        side = min(self._canvas.size_px if self._box is None else self._box[2:])
        return max(0.5, min(self._canvas.hand.ways.brush_px / 2, side / 8))

    # --- inside -------------------------------------------------------------------------------------------------

    def _begin(self, annotation: str) -> None:
        canvas = self._canvas
        record, shape = canvas.view.annotations.get(annotation), canvas.shape_of(annotation)
        if record is None or not isinstance(shape, Box) or record.stream != canvas.stream.id:
            return
        self._record, self._box = record, _extent(shape)
        self._start(())

    def _begin_at(self, start: Place, end: Place, slack: float) -> None:
        """With a box that was pulled, or with a click."""
        left, top, width, height = *map(min, start, end), abs(end[0] - start[0]), abs(end[1] - start[1])
        self._record = None
        if max(width, height) <= slack:
            self._box = None
            self._start((_stroke([start], self._radius, plus=True),))
        elif min(width, height) > slack:
            self._box = (left, top, width, height)
            self._start(())
        else:
            self._canvas.tell("That is no box: pull from one corner of the thing to the other.")

    def _start(self, strokes: tuple[MaskStroke, ...]) -> None:
        canvas = self._canvas
        if not isinstance(canvas, FindsMasks):
            canvas.tell("Masks from boxes are found on the pictures of cameras.")
            return
        self._begun, self._strokes, self._gone, self._found = True, strokes, (), None
        self._said, self._by, self._item = "", "", (canvas.item, canvas.instance)
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
        found, self._made_with, self._by = answer.found, answer.made_with, answer.by
        pixels = None if found.empty else cut(Pixels(found.left, found.top, found.mask))
        if not self._canvas.hand.ways.take_pixels:
            for other in other_masks(self._canvas, None).values():
                pixels = None if pixels is None else minus(pixels, other)
        self._found = pixels
        if pixels is None:
            self._canvas.tell("Nothing stands out here; draw over the thing.")
        shown = {} if pixels is None else {NEW: Pixels(pixels.x, pixels.y, pixels.inside)}
        record = self._record
        class_id = self._canvas.hand.class_id if record is None else self._canvas.view.class_of(record)
        self._canvas.preview(shown, class_id=class_id)
        self._canvas.repaint()

    def _keep(self) -> None:
        canvas, record, pixels = self._canvas, self._record, self._found
        if self._waits:
            canvas.tell("The mask is still being found.")
            return
        if pixels is None:
            canvas.tell("There is no mask to keep yet; draw over the thing, or Esc.")
            return
        source = Source(parameters=dict(self._made_with))
        if record is None:
            self._forget()
            keep_new(canvas, given_mask(pixels), preview=pixels, source=source)
            canvas.repaint()
            return
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


def _stroke(points: Sequence[Place], radius: float, *, plus: bool) -> MaskStroke:
    from workstation.app.mask_proposals import MaskStroke

    return MaskStroke(np.asarray(points, np.float64), radius, plus)


def _corners(one: Place, other: Place) -> tuple[Place, ...]:
    return (one, (other[0], one[1]), other, (one[0], other[1]))


def _extent(box: Box) -> Extent:
    """Left, top, width, height of what stands upright around a box that may be turned."""
    turn = math.radians(box.angle_deg)
    across = abs(box.width * math.cos(turn)) + abs(box.height * math.sin(turn))
    down = abs(box.width * math.sin(turn)) + abs(box.height * math.cos(turn))
    return box.x + (box.width - across) / 2, box.y + (box.height - down) / 2, across, down
