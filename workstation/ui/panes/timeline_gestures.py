"""What a pressed button does on the timeline until it is let go: scrub, pan, move, resize, draw a span, rubber band.

Each keeps a preview and edits nothing; letting go does one command, ``Esc`` does none.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF

from workstation.app.units import nearest_unit
from workstation.core.annotation import Keyframe
from workstation.core.selection import add, replace
from workstation.core.timebase import TimeRange
from workstation.core.values import dataclass
from workstation.ui.panes import base_gestures as base
from workstation.ui.panes.base_gestures import Modifiers, mode_of, panned, range_in_words
from workstation.ui.panes.timeline_edits import Boundary, Edits
from workstation.ui.panes.timeline_model import Hit, Part, Row, TimelineModel
from workstation.ui.workbench import Workbench


@dataclass(slots=True)
class Preview(base.Preview):
    """What a gesture shows before it has happened, for the canvas to paint."""

    spans: tuple[tuple[Row, QRectF], ...] = ()
    band: QRectF | None = None
    """In pixels below the first lane."""


@dataclass(frozen=True, slots=True)
class Table:
    """What every gesture works on."""

    bench: Workbench
    model: TimelineModel
    edits: Edits
    redraw: Callable[[], None]


class Drag(base.Drag[Table, Preview]):
    """Base of the gestures; where the button is let go counts too."""

    def __init__(self, table: Table, start: QPointF) -> None:
        super().__init__(table, start, Preview())
        self.ended: Callable[[], None] | None = None
        """Told when the gesture is cancelled, so that whoever holds it lets go."""

    def finish(self, at: QPointF, modifiers: Modifiers) -> None:
        """The button was let go."""
        if not self.alive:
            return
        self.alive = False
        if self.begun:
            self.done(at, modifiers)
        else:
            self.clicked(modifiers)

    def done(self, at: QPointF, modifiers: Modifiers) -> None:
        """Do the command."""

    def cancel(self) -> None:
        super().cancel()
        if self.ended is not None:
            self.ended()

    def snap(self, x: float, row: Row | None, modifiers: Modifiers, *, leave_out: tuple[int, ...] = ()) -> int:
        """The moment meant by a place: what it is drawn to, or the place itself."""
        stream = None if row is None else row.lane.stream
        return self.drawn_to(x, modifiers, lambda now: self.table.model.snapped(now, stream, leave_out=leave_out))


class Scrub(Drag):
    """The playhead under the pointer."""

    def __init__(self, table: Table, start: QPointF) -> None:
        super().__init__(table, start)
        self._before_ns = table.bench.clock.time_ns
        table.bench.clock.seek(table.model.viewport.ns_at(start.x()))

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        del modifiers
        self.table.bench.clock.seek(self.table.model.viewport.ns_at(at.x()))

    def cancel(self) -> None:
        if self.alive:
            self.table.bench.clock.seek(self._before_ns)
        super().cancel()


class Pan(Drag):
    """The view under the hand."""

    def __init__(self, table: Table, start: QPointF, scroll: Callable[[float], None]) -> None:
        super().__init__(table, start)
        self._before = table.model.viewport
        self._scroll = scroll
        self._last_y = start.y()

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        del modifiers
        self.table.model.viewport = panned(self._before, self.table, at.x() - self.start.x())
        self._scroll(self._last_y - at.y())
        self._last_y = at.y()


class Band(Drag):
    """A rubber band: a click beside everything seeks and selects nothing."""

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start)
        self._hit = hit

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        del modifiers
        self.preview.band = QRectF(self.start, at).normalized()

    def done(self, at: QPointF, modifiers: Modifiers) -> None:
        band = QRectF(self.start, at).normalized()
        found = self.table.model.inside(band.left(), band.top(), band.right(), band.bottom())
        mode = add if modifiers & (Modifiers.ShiftModifier | Modifiers.ControlModifier) else replace
        self.table.bench.select(found, cause="timeline", mode=mode)

    def clicked(self, modifiers: Modifiers) -> None:
        bench = self.table.bench
        if self._hit.row is not None and self._hit.row.lane.stream is not None:
            bench.focus_on(self._hit.row.lane.stream)
        bench.clock.seek(self._hit.session_ns)
        if not modifiers & (Modifiers.ShiftModifier | Modifiers.ControlModifier):
            bench.selection.clear(cause="timeline")


class DrawSpan(Drag):
    """A new span on a stream, from where the button was pressed to where it is let go."""

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start)
        self._hit = hit
        self._shown: TimeRange | None = None

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        row = self._hit.row
        assert row is not None
        first = self.snap(self.start.x(), row, modifiers)
        last = self.snap(at.x(), row, modifiers)
        self._shown = TimeRange(min(first, last), max(first, last))
        view = self.table.model.viewport
        left, right = view.x_of(self._shown.start_ns), view.x_of(self._shown.end_ns)
        self.preview.spans = ((row, QRectF(left, 0, right - left, row.height)),)
        self.preview.text, self.preview.at = range_in_words(self._shown), at

    def done(self, at: QPointF, modifiers: Modifiers) -> None:
        del at, modifiers
        row = self._hit.row
        if self._shown is not None and not self._shown.is_instant and row is not None:
            if row.lane.stream is not None:
                self.table.bench.focus_on(row.lane.stream)
            self.table.edits.create(row.lane.stream, self._shown)

    def clicked(self, modifiers: Modifiers) -> None:
        Band(self.table, self.start, self._hit).clicked(modifiers)


class Resize(Drag):
    """One boundary, or two that touch: ``Ctrl`` takes only the one that was grabbed."""

    def __init__(self, table: Table, start: QPointF, hit: Hit, boundary: Boundary) -> None:
        super().__init__(table, start)
        self._hit = hit
        self._boundary = boundary
        self._partner = table.edits.partner(boundary)
        self._target: int | None = None
        self._limits = self._room()
        annotation = table.model.view.annotations[boundary.annotation]
        shown = table.model.view.session_range(annotation)
        assert shown is not None
        self._shown = shown
        self._from_ns = shown.end_ns if boundary.part is Part.END else shown.start_ns

    def _room(self) -> tuple[int, int]:
        """Between which moments the boundary can stand: an end never crosses its own start, nor the neighbour's end."""
        low, high = -(1 << 62), 1 << 62
        for each in (self._boundary, self._partner):
            if each is None:
                continue
            shown = self.table.model.view.session_range(self.table.model.view.annotations[each.annotation])
            if shown is not None and each.part is Part.END:
                low = max(low, shown.start_ns + 1)
            elif shown is not None:
                high = min(high, shown.end_ns - 1)
        return low, high

    def _both(self, modifiers: Modifiers) -> list[Boundary]:
        if self._partner is None or modifiers & Modifiers.ControlModifier:
            return [self._boundary]
        return [self._boundary, self._partner]

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        row = self._hit.row
        assert row is not None
        wanted = self.snap(at.x(), row, modifiers, leave_out=(self._from_ns,))
        self._target = min(max(wanted, self._limits[0]), self._limits[1])
        self.preview.spans = tuple(
            (row, rect) for each in self._both(modifiers) for rect in [self._rect(row, each, self._target)] if rect
        )
        moved_ms = (self._target - self._from_ns) / 1e6
        both = ", with its neighbour" if len(self._both(modifiers)) == 2 else ""
        self.preview.text, self.preview.at = f"{self._target / 1e9:.3f} s ({moved_ms:+.1f} ms{both})", at

    def _rect(self, row: Row, boundary: Boundary, target: int) -> QRectF | None:
        place = self.table.model.place_of(boundary.annotation)
        if place is None:
            return None
        _, scene, number = place
        view = self.table.model.viewport
        rect = scene.item_rect(number, view, row.height)
        if boundary.part is Part.END:
            rect.setRight(view.x_of(target))
        else:
            rect.setLeft(view.x_of(target))
        return rect

    def done(self, at: QPointF, modifiers: Modifiers) -> None:
        del at
        if self._target is not None and self._target != self._from_ns:
            both = self._both(modifiers)
            later = self._target > self._from_ns
            both.sort(key=lambda each: (each.part is Part.END) == later)
            self.table.edits.move_boundaries(both, self._target)

    def clicked(self, modifiers: Modifiers) -> None:
        pick(self.table, self._hit, modifiers)


class MoveItems(Drag):
    """Whole labels in time. A track shifts only with ``Alt``: its keyframes lie on frames."""

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start)
        self._hit = hit
        chosen = table.bench.selected if hit.ids[0] in table.bench.selected else hit.ids
        annotations = [table.model.view.annotations[each] for each in chosen if each in table.model.view.annotations]
        self._tracks = any(each.track is not None for each in annotations)
        self._ids = [each.id for each in annotations if each.start_ns is not None and not table.model.locked(each)]
        shown = table.model.view.session_range(table.model.view.annotations[hit.ids[0]])
        assert shown is not None
        self._shown = shown
        self._by_ns = 0

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        model = self.table.model
        if not self._ids or (self._tracks and not modifiers & Modifiers.AltModifier):
            self._by_ns = 0
            self.preview.text = "locked" if not self._ids else "hold Alt to shift the whole track"
            self.preview.spans, self.preview.at = (), at
            return
        start_x = model.viewport.x_of(self._shown.start_ns) + at.x() - self.start.x()
        end_x = model.viewport.x_of(self._shown.end_ns) + at.x() - self.start.x()
        own = (self._shown.start_ns, self._shown.end_ns)
        start_ns = self.snap(start_x, self._hit.row, modifiers, leave_out=own)
        by_start, snapped = start_ns - self._shown.start_ns, self.preview.snap
        if snapped is None and not self._tracks:
            end_ns = self.snap(end_x, self._hit.row, modifiers, leave_out=own)
            by_start = end_ns - self._shown.end_ns if self.preview.snap is not None else by_start
        self._by_ns = by_start
        self.preview.spans = tuple(self._rects())
        self.preview.text, self.preview.at = f"{by_start / 1e6:+.1f} ms", at

    def _rects(self) -> list[tuple[Row, QRectF]]:
        by_px = self._by_ns / self.table.model.viewport.ns_per_px
        found = []
        for each in self._ids[:200]:
            place = self.table.model.place_of(each)
            if place is not None:
                row, scene, number = place
                rect = scene.item_rect(number, self.table.model.viewport, row.height)
                found.append((row, rect.translated(by_px, 0)))
        return found

    def done(self, at: QPointF, modifiers: Modifiers) -> None:
        del at, modifiers
        if self._by_ns:
            self.table.edits.move(self._ids, self._by_ns)

    def clicked(self, modifiers: Modifiers) -> None:
        pick(self.table, self._hit, modifiers)


class MoveKeyframe(Drag):
    """One keyframe along time, from frame to frame; its shape and its neighbours stay as they are."""

    def __init__(self, table: Table, start: QPointF, hit: Hit, keyframe: Keyframe) -> None:
        super().__init__(table, start)
        self._hit = hit
        self._keyframe = keyframe
        self._own_ns = keyframe.time_ns

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        del modifiers
        row, model = self._hit.row, self.table.model
        assert row is not None
        target = model.viewport.ns_at(at.x())
        units = model.units(row.lane.stream)
        name = ""
        if units is not None and units.count:
            index = nearest_unit(units, target)
            self._own_ns, target = units.own_ns(index), units.session_ns(index)
            name = f"{units.name} #{index}, "
        else:
            self._own_ns = model.own_ns(row.lane.stream, target)
        x = model.viewport.x_of(target)
        self.preview.spans = ((row, self._mark(row, x)),)
        assert self._hit.keyframe_ns is not None
        moved_ms = (target - self._hit.keyframe_ns) / 1e6
        self.preview.text, self.preview.at = f"keyframe to {name}{target / 1e9:.3f} s ({moved_ms:+.1f} ms)", at

    def _mark(self, row: Row, x: float) -> QRectF:
        place = self.table.model.place_of(self._hit.ids[0])
        assert place is not None
        _, scene, number = place
        rect = scene.item_rect(number, self.table.model.viewport, row.height)
        return QRectF(x - 2.5, rect.top(), 5, rect.height())

    def done(self, at: QPointF, modifiers: Modifiers) -> None:
        del at, modifiers
        self.table.edits.move_keyframe(self._keyframe, self._own_ns)

    def clicked(self, modifiers: Modifiers) -> None:
        pick(self.table, self._hit, modifiers)


def pick(table: Table, hit: Hit, modifiers: Modifiers) -> None:
    """Select what was clicked: ``Shift`` beside the others, ``Ctrl`` changes sides."""
    if hit.row is not None and hit.row.lane.stream is not None:
        table.bench.focus_on(hit.row.lane.stream)
    table.bench.select(hit.ids, cause="timeline", mode=mode_of(modifiers))
