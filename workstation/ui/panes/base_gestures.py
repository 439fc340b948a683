"""What a pressed button does over a stretch of time until it is let go, as far as timeline, sound and series agree.

``Drag`` is the base of all their gestures; it keeps a preview and edits nothing. ``StripDrag`` and what follows it
are for panes of strips (sound, series), where a drag knows what it began on: ``Scrub`` and ``Pan`` are whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent

from workstation.app.snapping import Target
from workstation.app.viewport import Viewport
from workstation.core.selection import Mode, add, replace, toggle
from workstation.core.timebase import TimeRange
from workstation.ui.workbench import Workbench

Modifiers = Qt.KeyboardModifier
START_PX = 4
"""A shorter way is a click."""


@dataclass(slots=True)
class Preview:
    """What a gesture shows before it has happened; panes add what they draw."""

    snap: Target | None = None
    text: str = ""
    at: QPointF | None = None


class Stretch(Protocol):
    """What a pane shows, of which gestures need the stretch of time and whether they snap."""

    viewport: Viewport
    snapping: bool


class Table(Protocol):
    """What every gesture works on; panes add what theirs need."""

    @property
    def bench(self) -> Workbench: ...

    @property
    def model(self) -> Stretch: ...

    @property
    def redraw(self) -> Callable[[], None]: ...


class Hit(Protocol):
    """What lies where a drag began."""

    @property
    def session_ns(self) -> int: ...

    @property
    def annotation(self) -> str | None: ...


TableT = TypeVar("TableT", bound=Table)
PreviewT = TypeVar("PreviewT", bound=Preview)
HitT = TypeVar("HitT", bound=Hit)


class Drag(Generic[TableT, PreviewT]):
    """Base of the gestures; ``preview`` is painted while it lasts."""

    def __init__(self, table: TableT, start: QPointF, preview: PreviewT) -> None:
        self.table = table
        self.start = start
        self.preview = preview
        self.begun = False
        self.alive = True

    def move(self, at: QPointF, modifiers: Modifiers) -> None:
        """The pointer is there now."""
        if self.alive and (self.begun or (at - self.start).manhattanLength() >= START_PX):
            self.begun = True
            self.moved(at, modifiers)
            self.table.redraw()

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        """Change the preview."""

    def clicked(self, modifiers: Modifiers) -> None:
        """It was no drag."""

    def key(self, event: QKeyEvent) -> bool:
        """No key does anything to a drag; ``Esc`` comes as ``cancel``."""
        del event
        return False

    def cancel(self) -> None:
        """Leave everything as it was."""
        self.alive = False
        self.preview = type(self.preview)()
        self.table.redraw()

    def drawn_to(self, x: float, modifiers: Modifiers, find: Callable[[int], Target | None]) -> int:
        """The moment meant by a place: what it is drawn to, or the place itself, which ``Alt`` always takes."""
        model = self.table.model
        session_ns = model.viewport.ns_at(x)
        wanted = model.snapping and not modifiers & Modifiers.AltModifier
        self.preview.snap = find(session_ns) if wanted else None
        return session_ns if self.preview.snap is None else self.preview.snap.session_ns


class StripDrag(Drag[TableT, PreviewT], Generic[TableT, PreviewT, HitT]):
    """A drag that began on a strip, or on the ruler over them; ``cause`` is who selects."""

    cause: str

    def __init__(self, table: TableT, start: QPointF, hit: HitT, preview: PreviewT) -> None:
        super().__init__(table, start, preview)
        self.hit = hit

    def finish(self, modifiers: Modifiers) -> None:
        """The button was let go."""
        if self.alive:
            self.alive = False
            if self.begun:
                self.done()
            else:
                self.clicked(modifiers)

    def done(self) -> None:
        """Do the command."""

    def clicked(self, modifiers: Modifiers) -> None:
        """It was no drag: select what is there, and go there."""
        bench, mode = self.table.bench, mode_of(modifiers)
        if self.hit.annotation is not None:
            bench.select([self.hit.annotation], cause=self.cause, mode=mode)
        elif mode is replace:
            bench.selection.clear(cause=self.cause)
        bench.clock.seek(self.hit.session_ns)


class Scrub(StripDrag[TableT, PreviewT, HitT]):
    """The playhead under the pointer; ``heard`` is told where it is."""

    def __init__(
        self, table: TableT, start: QPointF, hit: HitT, preview: PreviewT, heard: Callable[[int], None] | None = None
    ) -> None:
        super().__init__(table, start, hit, preview)
        self._before_ns = table.bench.clock.time_ns
        self._heard = heard
        self._go(hit.session_ns)

    def _go(self, session_ns: int) -> None:
        self.table.bench.clock.seek(session_ns)
        if self._heard is not None:
            self._heard(session_ns)

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        del modifiers
        self._go(self.table.model.viewport.ns_at(at.x()))

    def clicked(self, modifiers: Modifiers) -> None:
        del modifiers

    def cancel(self) -> None:
        if self.alive:
            self.table.bench.clock.seek(self._before_ns)
        super().cancel()


class Pan(StripDrag[TableT, PreviewT, HitT]):
    """The view under the hand."""

    def __init__(self, table: TableT, start: QPointF, hit: HitT, preview: PreviewT) -> None:
        super().__init__(table, start, hit, preview)
        self._before = table.model.viewport

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        del modifiers
        self.table.model.viewport = panned(self._before, self.table, at.x() - self.start.x())

    def clicked(self, modifiers: Modifiers) -> None:
        del modifiers


def panned(before: Viewport, table: Table, by_px: float) -> Viewport:
    """The view after the hand took it along so many pixels; its width may be another by now."""
    width = table.model.viewport.width_px
    return before.resized(width).panned(-before.distance_ns(by_px), table.bench.clock.span)


def mode_of(modifiers: Modifiers) -> Mode:
    """How a click selects: ``Ctrl`` changes sides, ``Shift`` beside the others."""
    if modifiers & Modifiers.ControlModifier:
        return toggle
    return add if modifiers & Modifiers.ShiftModifier else replace


def range_in_words(shown: TimeRange) -> str:
    """``1.250 – 1.900 s (650.0 ms)``."""
    return f"{shown.start_ns / 1e9:.3f} – {shown.end_ns / 1e9:.3f} s ({shown.duration_ns / 1e6:.1f} ms)"
