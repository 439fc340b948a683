"""What a pressed button does in the series pane until it is let go: scrub, pan, mark, move, resize, draw values.

Each keeps a preview and edits nothing; letting go does one command, ``Esc`` does none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF

from workstation.app.series_curves import Axis
from workstation.core.annotation import Annotation
from workstation.core.timebase import TimeRange
from workstation.ui.panes import base_gestures as base
from workstation.ui.panes.base_gestures import Modifiers, Pan, Scrub, StripDrag, range_in_words
from workstation.ui.panes.base_strips import Part
from workstation.ui.panes.series_edits import CAUSE, SeriesEdits
from workstation.ui.panes.series_model import Hit, SeriesModel, Strip
from workstation.ui.scenes.curve_scene import CurveScene
from workstation.ui.workbench import Workbench


@dataclass(slots=True)
class Preview(base.Preview):
    """What a gesture shows before it has happened."""

    shown: TimeRange | None = None
    strip: Strip | None = None
    stroke: list[tuple[int, float]] = field(default_factory=list)
    """Values as they are drawn: session time, value."""


@dataclass(frozen=True, slots=True)
class Table:
    """What every gesture works on."""

    bench: Workbench
    model: SeriesModel
    edits: SeriesEdits
    redraw: Callable[[], None]


class Drag(StripDrag[Table, Preview, Hit]):
    """Base of the gestures on lanes."""

    cause = CAUSE

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start, hit, Preview())

    def clicked(self, modifiers: Modifiers) -> None:
        strip = self.hit.strip
        if strip is not None:
            self.table.model.active = strip.key
            self.table.bench.focus_on(strip.stream.id)
        super().clicked(modifiers)
        self.table.redraw()

    def snap(self, x: float, modifiers: Modifiers, leave_out: tuple[int, ...] = ()) -> int:
        """The moment meant by a place; ``Alt`` takes the place itself."""
        model, strip = self.table.model, self.hit.strip
        return self.drawn_to(
            x, modifiers, lambda now: None if strip is None else model.snapped(now, strip.stream, leave_out)
        )


Gesture = StripDrag[Table, Preview, Hit]


def scrub(table: Table, at: QPointF, hit: Hit) -> Gesture:
    """The playhead under the pointer."""
    return Scrub(table, at, hit, Preview())


def pan(table: Table, at: QPointF, hit: Hit) -> Gesture:
    """The view under the hand."""
    return Pan(table, at, hit, Preview())


class Draw(Drag):
    """A new span: on a channel's lane for that channel, on the stream's own lane for all of it."""

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        strip = self.hit.strip
        assert strip is not None
        first = self.snap(self.start.x(), modifiers)
        last = self.snap(at.x(), modifiers)
        shown = TimeRange(min(first, last), max(first, last))
        self.preview.shown, self.preview.strip = shown, strip
        self.preview.text, self.preview.at = f"{range_in_words(shown)} on {strip.channel or strip.stream.key}", at

    def done(self) -> None:
        shown, strip = self.preview.shown, self.preview.strip
        if shown is not None and strip is not None and not shown.is_instant:
            self.table.model.active = strip.key
            self.table.edits.make(strip, shown)


class DrawValues(Drag):
    """Values as the hand goes, on the axis of the lane; they are in the lane's unit."""

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start, hit)
        self.preview.strip = hit.strip
        self._add(start)

    def _add(self, at: QPointF) -> None:
        model, strip = self.table.model, self.hit.strip
        axis = None if strip is None else model.axis(strip)
        if strip is None or axis is None:
            return
        y = min(max(at.y() - strip.top, 0.0), float(strip.height - 1))
        value = _rounded(CurveScene.value_at(axis, y, strip.height - 1), axis)
        self.preview.stroke.append((model.viewport.ns_at(at.x()), value))
        self.preview.text, self.preview.at = f"{value:g} {model.unit(strip)}".rstrip(), at

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        del modifiers
        self._add(at)

    def done(self) -> None:
        strip = self.hit.strip
        if strip is not None:
            self.table.model.active = strip.key
            self.table.bench.focus_on(strip.stream.id)
            self.table.bench.attempt(lambda: self.table.edits.draw(strip, self.preview.stroke))


class MovePoint(Drag):
    """One point of a curve, in time and value."""

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start, hit)
        self._annotation = table.model.view.annotations[hit.annotation or ""]
        self._target: tuple[int, float] | None = None

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        model, strip = self.table.model, self.hit.strip
        axis = None if strip is None else model.axis(strip)
        if strip is None or axis is None:
            return
        value = _rounded(CurveScene.value_at(axis, at.y() - strip.top, strip.height - 1), axis)
        self._target = (self.snap(at.x(), modifiers), value)
        self.preview.strip, self.preview.stroke = strip, [self._target]
        self.preview.text, self.preview.at = f"{value:g} {model.unit(strip)}".rstrip(), at

    def done(self) -> None:
        strip, target = self.hit.strip, self._target
        if strip is not None and target is not None:
            edits, number = self.table.edits, self.hit.point
            self.table.bench.attempt(lambda: edits.move_point(strip, self._annotation, number, *target))


class _Shown(Drag):
    """Of a label that has a place in time."""

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start, hit)
        self.annotation: Annotation = table.model.view.annotations[hit.annotation or ""]
        shown = table.model.view.session_range(self.annotation)
        assert shown is not None
        self.shown = shown
        self.preview.strip = hit.strip


class MoveEdge(_Shown):
    """One end of a label."""

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        at_end = self.hit.part is Part.END
        wanted = self.snap(at.x(), modifiers, (self.shown.end_ns if at_end else self.shown.start_ns,))
        start = self.shown.start_ns if at_end else min(wanted, self.shown.end_ns - 1)
        end = max(wanted, start + 1) if at_end else self.shown.end_ns
        self.preview.shown, self.preview.strip = TimeRange(start, end), self.hit.strip
        self.preview.text, self.preview.at = range_in_words(self.preview.shown), at

    def done(self) -> None:
        now, at_end = self.preview.shown, self.hit.part is Part.END
        if now is not None and now != self.shown:
            self.table.edits.set_edge(self.annotation, now.end_ns if at_end else now.start_ns, at_end=at_end)


class MoveLabel(_Shown):
    """A whole label in time."""

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        view = self.table.model.viewport
        own = (self.shown.start_ns, self.shown.end_ns)
        start = self.snap(view.x_of(self.shown.start_ns) + at.x() - self.start.x(), modifiers, own)
        self.preview.shown = TimeRange(start, start + self.shown.duration_ns)
        self.preview.strip = self.hit.strip
        self.preview.text, self.preview.at = f"{(start - self.shown.start_ns) / 1e6:+.1f} ms", at

    def done(self) -> None:
        if self.preview.shown is not None:
            self.table.edits.move(self.annotation, self.preview.shown.start_ns)


def drag_for(table: Table, at: QPointF, hit: Hit, modifiers: Modifiers) -> Drag:
    """What a press of the left button begins. Labels are moved by their body once they are selected."""
    model, strip = table.model, hit.strip
    if strip is None:
        return Drag(table, at, hit)
    if modifiers & (Modifiers.ControlModifier | Modifiers.ShiftModifier):
        return Drag(table, at, hit)
    annotation = None if hit.annotation is None else model.view.annotations.get(hit.annotation)
    free = annotation is not None and not model.locked(annotation)
    if free and hit.part is Part.POINT:
        return MovePoint(table, at, hit)
    if model.drawing and not strip.is_group and model.axis(strip) is not None:
        return DrawValues(table, at, hit)
    if annotation is None or not free:
        return Draw(table, at, hit) if strip.class_id is None else Drag(table, at, hit)
    if annotation.shape is not None and hit.part is not Part.BODY:
        return MoveEdge(table, at, hit)
    if annotation.id in table.bench.selected or strip.is_group:
        return MoveLabel(table, at, hit)
    return Draw(table, at, hit) if strip.class_id is None else Drag(table, at, hit)


def _rounded(value: float, axis: Axis) -> float:
    """As fine as a hand can place it: a thousandth of the lane."""
    span = abs(axis.high - axis.low)
    digits = 0
    while span * 10**digits < 1000 and digits < 12:
        digits += 1
    return round(value, digits)
