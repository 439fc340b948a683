"""The contract between a picture on the screen and a tool in the hand: what a tool may ask, and what it must answer.

A camera view implements ``Canvas`` (``ui/panes/camera_canvas.py``); a module of this folder implements ``Tool`` and
registers in ``catalogue.py``. Tools know no Qt: pointer and keys reach them as values, so a test drives them without
a window. A tool keeps a preview while the pointer is down and runs one command when it is let go.

Places are picture pixels as floats: the centre of the top-left pixel is at (0.5, 0.5), the picture spans
[0, width] × [0, height]. Reach and sizes of handles are screen pixels: divide by ``scale`` to get picture pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from workstation.app.sample_view import SampleView
from workstation.app.session import Run
from workstation.core.geometry import Shape
from workstation.core.sample import Stream
from workstation.core.selection import Ids, Mode
from workstation.core.tracks import Moment
from workstation.ui.tools.state import Hand, Sight

Place = tuple[float, float]
"""(x, y) in picture pixels."""


class Button(IntFlag):
    """Buttons of the pointer."""

    NONE = 0
    LEFT = 1
    RIGHT = 2
    MIDDLE = 4


class Modifier(IntFlag):
    """Keys held beside."""

    NONE = 0
    SHIFT = 1
    CTRL = 2
    ALT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerEvent:
    """The pointer at a place of the picture, which may lie outside of it."""

    x: float
    y: float
    button: Button = Button.NONE
    """The button pressed or let go; none for a move."""
    held: Button = Button.NONE
    """What is down after it."""
    modifiers: Modifier = Modifier.NONE
    clicks: int = 1
    scale: float = 1.0
    """Screen pixels per picture pixel."""

    @property
    def place(self) -> Place:
        return (self.x, self.y)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPress:
    """A key, named as in key maps: ``Escape``, ``Return``, ``Backspace``, ``Left``, ``A``; ``Undo`` and ``Redo`` stand
    for whatever key those have."""

    key: str
    text: str = ""
    modifiers: Modifier = Modifier.NONE


class Cursor(StrEnum):
    """What the pointer looks like."""

    ARROW = "arrow"
    CROSS = "cross"
    MOVE = "move"
    HAND = "hand"
    FORBIDDEN = "forbidden"
    SIZE_HORIZONTAL = "size_horizontal"
    SIZE_VERTICAL = "size_vertical"
    SIZE_DOWN = "size_down"
    """From top left to bottom right."""
    SIZE_UP = "size_up"
    TURN = "turn"
    NOTHING = "nothing"
    """The tool paints its own, as a brush does."""


class HandleKind(StrEnum):
    """How a handle is painted."""

    CORNER = "corner"
    EDGE = "edge"
    VERTEX = "vertex"
    MIDPOINT = "midpoint"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class Handle:
    """Something to take hold of."""

    place: Place
    kind: HandleKind = HandleKind.VERTEX
    held: bool = False


@dataclass(frozen=True, slots=True)
class Guide:
    """A thin line beside shapes: rubber band, lasso, extension of a handle, brush outline."""

    points: tuple[Place, ...]
    closed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """A mask in the making: booleans (height, width) with their corner in picture pixels.

    A tool that goes on painting into ``inside`` adds what it touched to ``fresh`` (left, top, right, bottom, from the
    corner), and asks for a repaint; whoever paints takes it from there and renews nothing else. If there is some when
    it is first painted, nothing is inside elsewhere.
    """

    x: int
    y: int
    inside: NDArray[np.bool_]
    fresh: list[tuple[int, int, int, int]] = field(default_factory=list)


Preview = Shape | Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a tool wants painted over the picture besides shapes."""

    handles: tuple[Handle, ...] = ()
    guides: tuple[Guide, ...] = ()
    text: str = ""
    """A few words beside the pointer: ``34 × 21 px``, ``click to close``."""


NO_HINTS = Hints()
NEW = "new"
"""Key of a shape in the making in ``preview``; every other key is an annotation's id."""


class Canvas(Protocol):
    """A picture on the screen with what is drawn on it. Everything is as painted now, not as asked for."""

    @property
    def view(self) -> SampleView:
        """The open sample's records."""
        ...

    @property
    def hand(self) -> Hand: ...
    @property
    def sight(self) -> Sight: ...
    @property
    def stream(self) -> Stream:
        """The stream whose picture it is."""
        ...

    @property
    def item(self) -> int | None:
        """Number of the picture painted; ``None`` while there is none, and then nothing can be drawn."""
        ...

    @property
    def instance(self) -> str | None:
        """Value for ``Annotation.item``: the image instance of a slice; ``None`` where time tells the picture."""
        ...

    @property
    def own_ns(self) -> int | None:
        """Stream time of the picture painted; ``None`` for a picture without time."""
        ...

    @property
    def next_ns(self) -> int | None:
        """Stream time at which the next picture shows: the half-open end of what is true of this one alone."""
        ...

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the whole picture."""
        ...

    @property
    def scale(self) -> float:
        """Screen pixels per picture pixel."""
        ...

    @property
    def selected(self) -> Ids: ...
    @property
    def active(self) -> str | None: ...
    def to_screen(self, place: Place) -> Place: ...
    def to_picture(self, place: Place) -> Place: ...
    def hit(self, place: Place, *, reach_px: float = 6.0) -> list[str]:
        """Annotations under a place, topmost first; ``reach_px`` in screen pixels. Hidden ones are not there;
        projected cuboids come after what is drawn on the picture itself."""
        ...

    def within(self, ring: Sequence[Place]) -> list[str]:
        """Annotations that lie wholly inside a closed ring."""
        ...

    def shape_of(self, annotation: str) -> Shape | None:
        """The shape on the painted picture (interpolated if need be, a preview if there is one); ``None`` if it shows
        nothing here or lies on another stream."""
        ...

    def moment_of(self, annotation: str) -> Moment | None:
        """Keyframe, interpolated, gap, absent or outside, at the painted picture."""
        ...

    def locked(self, annotation: str) -> bool:
        """Whether gestures leave it alone."""
        ...

    def mask_of(self, annotation: str) -> Pixels | None:
        """The pixels of a mask on the painted picture."""
        ...

    def picture(self) -> NDArray[np.uint8] | None:
        """The whole picture painted as RGB (height, width, 3), for tools that look at pixels. Not in a move."""
        ...

    def preview(self, shapes: Mapping[str, Preview], *, class_id: str | None = None) -> None:
        """Paint these in place of what is stored, until the next call; ``{}`` ends it. ``class_id`` colours ``NEW``."""
        ...

    def repaint(self) -> None:
        """Hints have changed."""
        ...

    def run(self, command_id: str, /, **arguments: object) -> Any:
        """One command as one undo step; what it made, ``None`` if refused, which the person is told."""
        ...

    def together(self, label: str, act: Act, *, group: str | None = None) -> Any:
        """Several commands as one undo step: ``act(run)``; ``None`` if refused. The same ``group`` joins a step."""
        ...

    def select(self, ids: Iterable[str], *, mode: Mode | None = None, active: str | None = None) -> None:
        """Change what is selected; the mode is to replace unless given."""
        ...

    def tell(self, text: str) -> None:
        """Say one sentence to the person."""
        ...


class Act(Protocol):
    """What is done inside ``Canvas.together``."""

    def __call__(self, run: Run, /) -> Any: ...


class Tool(Protocol):
    """One tool on one canvas. Made when the hand takes it over a view, dropped when the hand takes another."""

    @property
    def busy(self) -> bool:
        """Whether something is begun that ``Esc`` would cancel; then keys come here before the pane's own."""
        ...

    def press(self, event: PointerEvent) -> None: ...
    def move(self, event: PointerEvent) -> None:
        """Also without a button held: hovering."""
        ...

    def release(self, event: PointerEvent) -> None: ...
    def double_click(self, event: PointerEvent) -> bool:
        """In place of the second press; whether it meant something here (else the view is enlarged)."""
        ...

    def key(self, event: KeyPress) -> bool:
        """Whether the key meant something here."""
        ...

    def cancel(self) -> None:
        """Leave everything as it was; also called when the picture, the tool or the sample changes."""
        ...

    def picture_changed(self) -> None:
        """Another picture is painted now. A drag that belongs to the old one is cancelled by the tool."""
        ...

    def hints(self) -> Hints:
        """What to paint over the picture now."""
        ...

    def cursor(self, event: PointerEvent) -> Cursor: ...


@runtime_checkable
class Wheels(Protocol):
    """A tool that uses the wheel itself while Ctrl is held, as a brush does for its size."""

    def wheel(self, steps: float) -> bool:
        """Whether it meant something here."""
        ...


def visible_ids(canvas: Canvas, ids: Iterable[str]) -> Iterator[str]:
    """Those of the ids that show something on the painted picture."""
    return (each for each in ids if canvas.shape_of(each) is not None)
