"""What a pressed button does in the sound pane until it is let go: scrub, pan, draw, move, resize.

Each keeps a preview and edits nothing; letting go does one command, ``Esc`` does none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from workstation.app.speakers import give, give_to_new, name_of_row, speaking_classes
from workstation.core.geometry import Band, ShapeKind
from workstation.core.sample import StreamKind
from workstation.core.timebase import TimeRange
from workstation.ui.panes import base_gestures as base
from workstation.ui.panes.base_gestures import Modifiers, Pan, Scrub, StripDrag, range_in_words
from workstation.ui.panes.base_strips import Part
from workstation.ui.panes.sound_model import Hit, SoundModel, Strip
from workstation.ui.scenes.sound_scene import SoundScene
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.workbench import Workbench

_SPAN = frozenset({ShapeKind.SPAN})
BAND_PX = 12
"""A drag on a spectrogram less high than this marks a time and no band of frequencies."""


@dataclass(slots=True)
class Preview(base.Preview):
    """What a gesture shows before it has happened: a stretch of time, perhaps with frequencies on one strip."""

    shown: TimeRange | None = None
    stream: str | None = None
    strip: str | None = None
    band: Band | None = None
    row: int | None = None
    """Of a tier of speakers: where the turn would go."""


@dataclass(frozen=True, slots=True)
class Table:
    """What every gesture works on."""

    bench: Workbench
    model: SoundModel
    redraw: Callable[[], None]
    audible: Callable[[int], None]
    """Scrubbing is to be heard there, if that is wanted."""


class Drag(StripDrag[Table, Preview, Hit]):
    """Base of the gestures on strips."""

    cause = "sound"

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start, hit, Preview())

    def clicked(self, modifiers: Modifiers) -> None:
        strip = self.hit.strip
        if strip is not None and strip.stream is not None:
            self.table.bench.focus_on(strip.stream)
        super().clicked(modifiers)

    def snap(self, x: float, modifiers: Modifiers, leave_out: tuple[int, ...] = ()) -> int:
        """The moment meant by a place; ``Alt`` takes the place itself."""
        stream = None if self.hit.strip is None else self.hit.strip.stream
        return self.drawn_to(x, modifiers, lambda now: self.table.model.snapped(now, stream, leave_out))


Gesture = StripDrag[Table, Preview, Hit]


def scrub(table: Table, at: QPointF, hit: Hit) -> Gesture:
    """The playhead under the pointer, to be heard if that is wanted."""
    return Scrub(table, at, hit, Preview(), table.audible)


def pan(table: Table, at: QPointF, hit: Hit) -> Gesture:
    """The view under the hand."""
    return Pan(table, at, hit, Preview())


class Draw(Drag):
    """A new span; on a spectrogram, a band of frequencies if the drag is high enough and the class may be one."""

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        strip = self.hit.strip
        assert strip is not None
        first = self.snap(self.start.x(), modifiers)
        last = self.snap(at.x(), modifiers)
        shown = TimeRange(min(first, last), max(first, last))
        self.preview.shown, self.preview.stream, self.preview.strip = shown, strip.stream, strip.key
        self.preview.band = self._band(strip, at.y())
        self.preview.text, self.preview.at = in_words(shown, self.preview.band), at

    def _band(self, strip: Strip, y: float) -> Band | None:
        tall = abs(y - self.start.y()) >= BAND_PX
        if not strip.is_spectrogram or not tall or not _may_be_band(self.table):
            return None
        first, last = (hz_at(strip, each) for each in (self.start.y(), y))
        return Band(low_hz=round(min(first, last), 1), high_hz=round(max(first, last), 1))

    def done(self) -> None:
        shown = self.preview.shown
        if shown is not None and not shown.is_instant:
            make(self.table, self.preview.stream, shown, self.preview.band)


class MoveEdge(Drag):
    """One side of a label: its start, its end, or the lowest or highest frequency of a band."""

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start, hit)
        assert hit.annotation is not None
        self._annotation = table.model.view.annotations[hit.annotation]
        shown = table.model.view.session_range(self._annotation)
        assert shown is not None
        self._shown = shown

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        strip, shape = self.hit.strip, self._annotation.shape
        assert strip is not None
        self.preview.stream, self.preview.strip, self.preview.at = strip.stream, strip.key, at
        self.preview.shown, self.preview.band = self._shown, shape if isinstance(shape, Band) else None
        if self.hit.part in (Part.LOW, Part.HIGH) and isinstance(shape, Band):
            hz = round(hz_at(strip, at.y()), 1)
            low = min(hz, shape.high_hz - 1) if self.hit.part is Part.LOW else shape.low_hz
            high = max(hz, shape.low_hz + 1) if self.hit.part is Part.HIGH else shape.high_hz
            self.preview.band = Band(low_hz=low, high_hz=high)
        else:
            at_end = self.hit.part is Part.END
            mine = self._shown.end_ns if at_end else self._shown.start_ns
            wanted = self.snap(at.x(), modifiers, (mine,))
            start, end = (self._shown.start_ns, wanted) if at_end else (wanted, self._shown.end_ns)
            start = min(start, end - 1) if not at_end else start
            self.preview.shown = TimeRange(start, max(end, start + 1))
        self.preview.text = in_words(self.preview.shown, self.preview.band)

    def done(self) -> None:
        bench, model, annotation = self.table.bench, self.table.model, self._annotation
        if self.hit.part in (Part.LOW, Part.HIGH):
            band = self.preview.band
            if band is not None and band != annotation.shape:
                shape = {"kind": "band", "low_hz": band.low_hz, "high_hz": band.high_hz}
                bench.run("annotation.set_shape", annotation=annotation.id, shape=shape)
            return
        shown = self.preview.shown
        if shown is None or shown == self._shown:
            return
        at_end = self.hit.part is Part.END
        own_ns = model.own_ns(annotation.stream, shown.end_ns if at_end else shown.start_ns)
        bench.run("annotation.set_interval", annotation=annotation.id, **{"end_ns" if at_end else "start_ns": own_ns})


class MoveLabel(Drag):
    """A whole label in time, its words with it."""

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start, hit)
        assert hit.annotation is not None
        self._annotation = table.model.view.annotations[hit.annotation]
        shown = table.model.view.session_range(self._annotation)
        assert shown is not None
        self._shown = shown
        self._by_ns = 0

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        strip, view = self.hit.strip, self.table.model.viewport
        assert strip is not None
        own = (self._shown.start_ns, self._shown.end_ns)
        start = self.snap(view.x_of(self._shown.start_ns) + at.x() - self.start.x(), modifiers, own)
        self._by_ns = start - self._shown.start_ns
        shape = self._annotation.shape
        self.preview.shown = TimeRange(start, start + self._shown.duration_ns)
        self.preview.stream, self.preview.strip = strip.stream, strip.key
        self.preview.band = shape if isinstance(shape, Band) else None
        self.preview.text, self.preview.at = f"{self._by_ns / 1e6:+.1f} ms", at

    def done(self) -> None:
        model, annotation = self.table.model, self._annotation
        if self._by_ns and annotation.start_ns is not None:
            own_ns = model.own_ns(annotation.stream, self._shown.start_ns + self._by_ns)
            shift = own_ns - annotation.start_ns
            if shift:
                self.table.bench.run("annotation.move", annotations=[annotation.id], by_ns=shift)


class GiveTurn(Drag):
    """A turn to the row of somebody else; its times stay."""

    def __init__(self, table: Table, start: QPointF, hit: Hit) -> None:
        super().__init__(table, start, hit)
        strip, view = hit.strip, table.model.view
        assert hit.annotation is not None
        assert strip is not None
        assert strip.speakers is not None
        self._strip, self._speakers = strip, strip.speakers
        self._annotation = view.annotations[hit.annotation]
        self._row = self._speakers.row_of(self._annotation.id)

    def moved(self, at: QPointF, modifiers: Modifiers) -> None:
        del modifiers
        view, scene = self.table.model.view, self._strip.scene
        assert isinstance(scene, TierScene)
        row = scene.row_at(at.y() - self._strip.top, self._strip.height)
        self.preview.strip, self.preview.row, self.preview.at = self._strip.key, row, at
        self.preview.shown = view.session_range(self._annotation)
        new = row == self._speakers.new_row
        name = "a new person" if new else name_of_row(view, self._speakers.rows[row])
        self.preview.text = f"stays with {name}" if row == self._row else f"to {name}"

    def done(self) -> None:
        row = self.preview.row
        if row == self._speakers.new_row:
            give_to_somebody_new(self.table.bench, [self._annotation.id])
        elif row is not None and row != self._row:
            give_turns(self.table.bench, {self._annotation.id: self._speakers.rows[row]})


def give_turns(bench: Workbench, given: Mapping[str, str | None]) -> None:
    """Somebody else speaks them, or nobody who is named."""
    view = bench.view
    if view is not None:
        bench.attempt(lambda: give(bench.session, view, given))


def give_to_somebody_new(bench: Workbench, turns: Sequence[str]) -> None:
    """Somebody who was not there yet speaks them; where it may be more than one kind of thing, it is asked which."""
    view = bench.view
    if view is None:
        return
    classes = speaking_classes(view, view.annotations[turns[0]])

    def create(chosen: str) -> None:
        bench.attempt(lambda: told(give_to_new(bench.session, view, turns, chosen)))

    def told(made: str) -> None:
        count = "this turn" if len(turns) == 1 else f"these {len(turns)} turns"
        bench.tell(f"{view.name_of(made)} speaks {count}; the inspector of the thing takes a name.")

    if not classes:
        bench.tell("The ontology has no class that may speak a turn.")
    elif len(classes) == 1:
        create(classes[0])
    else:
        bench.hand.ask_class(create, fits=lambda chosen: chosen in classes, likely=classes[0])
        bench.tell(f"Enter: {view.class_name(classes[0])}. Another class: its key, or 0 to search. Esc: nobody new.")


def drag_for(table: Table, at: QPointF, hit: Hit, modifiers: Modifiers) -> Gesture:
    """What a press of the left button begins. Labels are moved by their body once they are selected."""
    if hit.strip is None:
        return scrub(table, at, hit)
    annotation = None if hit.annotation is None else table.model.view.annotations.get(hit.annotation)
    if annotation is not None and hit.strip.speakers is not None and hit.part is Part.BODY:
        held = modifiers & (Modifiers.ControlModifier | Modifiers.ShiftModifier) or table.model.locked(annotation)
        return Drag(table, at, hit) if held else GiveTurn(table, at, hit)
    if annotation is None or table.model.locked(annotation):
        if hit.strip.speakers is not None:
            return Drag(table, at, hit)  # a turn is made where its words are
        return Draw(table, at, hit) if hit.strip.stream is not None else Drag(table, at, hit)
    if modifiers & (Modifiers.ControlModifier | Modifiers.ShiftModifier):
        return Drag(table, at, hit)
    if hit.part is not Part.BODY:
        return MoveEdge(table, at, hit)
    if annotation.id in table.bench.selected:
        return MoveLabel(table, at, hit)
    return Draw(table, at, hit) if isinstance(hit.strip.scene, SoundScene) else MoveLabel(table, at, hit)


def make(table: Table, stream: str | None, shown: TimeRange, band: Band | None) -> None:
    """Make a span or a band with the class in the hand, or ask for one."""
    bench, model = table.bench, table.model

    def create(chosen: str) -> None:
        kind: dict[str, object] = {"kind": "span"}
        if band is not None and _takes_band(table, chosen):
            kind = {"shape": {"kind": "band", "low_hz": band.low_hz, "high_hz": band.high_hz}}
        made = bench.run(
            "annotation.add",
            stream=stream,
            class_id=chosen,
            start_ns=model.own_ns(stream, shown.start_ns),
            end_ns=model.own_ns(stream, shown.end_ns),
            **kind,
        )
        if made is not None:
            bench.select([made], cause="sound")

    if stream is not None:
        bench.focus_on(stream)
    if bench.hand.class_id is not None:
        create(bench.hand.class_id)
        return
    view = model.view
    kinds = _SPAN if band is None else _SPAN | {ShapeKind.BAND}
    bench.hand.ask_class(create, fits=lambda chosen: view.may_be_drawn(chosen, stream, kinds))
    bench.tell("Which class? Press its key, or 0 to search.")


def hz_at(strip: Strip, y: float) -> float:
    """The frequency at a height of the pane."""
    assert isinstance(strip.scene, SoundScene)
    return strip.scene.axis.hz_at(1 - (y - strip.top) / max(1, strip.height - 1))


def in_words(shown: TimeRange, band: Band | None) -> str:
    """``1.250 – 1.900 s (650.0 ms), 300 – 1200 Hz``."""
    text = range_in_words(shown)
    return text if band is None else f"{text}, {band.low_hz:.0f} – {band.high_hz:.0f} Hz"


def _may_be_band(table: Table) -> bool:
    """Whether the class in the hand may have frequencies; with none in the hand it is seen when it is said."""
    class_id = table.bench.hand.class_id
    return class_id is None or _takes_band(table, class_id)


def _takes_band(table: Table, class_id: str) -> bool:
    ontology = table.model.view.ontology
    if ontology is None or class_id not in ontology.classes:
        return True
    return ShapeKind.BAND in ontology.shapes_for(class_id, StreamKind.AUDIO)


def rect_of(model: SoundModel, strip: Strip, shown: TimeRange, top: float, bottom: float) -> QRectF:
    """A stretch of time on a strip, in pixels of the pane."""
    left, right = model.viewport.x_of(shown.start_ns), model.viewport.x_of(shown.end_ns)
    return QRectF(left, strip.top + top, max(1.0, right - left), bottom - top)
