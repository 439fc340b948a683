"""Select on slices: the tool ``select`` of pictures, and with it the ends of measurements and the whole of them.

An end of a measurement that is selected or under the pointer is pulled; its line moves all of it within the slice. The
value is computed anew from the points, and one release is one step. Everything else is the selecting tool's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workstation.app.volume_texts import measurement_text
from workstation.core.geometry import Measurement
from workstation.core.measured import dragged
from workstation.ui.tools.canvas import (
    Button,
    Canvas,
    Cursor,
    Handle,
    Hints,
    KeyPress,
    Modifier,
    Place,
    PointerEvent,
)
from workstation.ui.tools.drawing import SLACK_PX
from workstation.ui.tools.measuring import Lying, PatientCanvas, patient_canvas
from workstation.ui.tools.select import Select

_REACH_PX = 8.0


@dataclass(slots=True)
class _Pull:
    """A measurement taken hold of; ``index`` is the end, or none for all of it."""

    lying: Lying
    index: int | None
    start: PointerEvent
    now: Measurement | None = None


class SelectOnSlices:
    """The tool ``select`` over a volume."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._select = Select(canvas)
        self._pull: _Pull | None = None

    @property
    def busy(self) -> bool:
        return self._select.busy or (self._pull is not None and self._pull.now is not None)

    def press(self, event: PointerEvent) -> None:
        self._pull = self._taken(event) if event.button is Button.LEFT else None
        self._select.press(event)

    def move(self, event: PointerEvent) -> None:
        pull, patient = self._pull, patient_canvas(self._canvas)
        if pull is None or patient is None:
            self._select.move(event)
            return
        if pull.now is None:
            if math.dist(pull.start.place, event.place) * event.scale <= SLACK_PX:
                return
            self._select.cancel()
            if pull.lying.annotation not in self._canvas.selected:
                self._canvas.select((pull.lying.annotation,))
        pull.now = _pulled(patient, pull, event.place)
        self._canvas.preview({pull.lying.annotation: pull.now})

    def release(self, event: PointerEvent) -> None:
        pull, self._pull = self._pull, None
        if pull is None or pull.now is None:
            self._select.release(event)
            return
        self._canvas.preview({})
        self._canvas.run("annotation.set_shape", annotation=pull.lying.annotation, shape=pull.now)
        self._canvas.repaint()

    def double_click(self, event: PointerEvent) -> bool:
        return self._select.double_click(event)

    def key(self, event: KeyPress) -> bool:
        return self._select.key(event)

    def cancel(self) -> None:
        if self._pull is not None:
            self._pull = None
            self._canvas.preview({})
        self._select.cancel()

    def picture_changed(self) -> None:
        if self._pull is not None and self._pull.now is not None:
            self.cancel()
        self._select.picture_changed()

    def hints(self) -> Hints:
        pull = self._pull
        if pull is not None and pull.now is not None:
            return Hints(text=measurement_text(pull.now))
        patient, active = patient_canvas(self._canvas), self._canvas.active
        lying = None if patient is None else next((e for e in patient.lying() if e.annotation == active), None)
        if lying is None:
            return self._select.hints()
        return Hints(handles=tuple(Handle(place) for place in lying.places))

    def cursor(self, event: PointerEvent) -> Cursor:
        taken = self._pull or self._taken(event)
        if taken is not None and (taken.index is not None or taken.lying.annotation in self._canvas.selected):
            return Cursor.CROSS if taken.index is not None else Cursor.MOVE
        return self._select.cursor(event)

    def _taken(self, event: PointerEvent) -> _Pull | None:
        """What a press here would take hold of: an end before a line, the selected before the others."""
        patient = patient_canvas(self._canvas)
        if patient is None or event.modifiers & (Modifier.SHIFT | Modifier.CTRL):
            return None
        there = sorted(patient.lying(), key=lambda each: each.annotation not in self._canvas.selected)
        for lying in there:
            near = [math.dist(place, event.place) * event.scale for place in lying.places]
            if near and min(near) <= _REACH_PX and not self._canvas.locked(lying.annotation):
                return _Pull(lying, near.index(min(near)), event)
        pile = self._canvas.hit(event.place)
        found = next((each for each in there if pile and each.annotation == pile[0]), None)
        return None if found is None or self._canvas.locked(found.annotation) else _Pull(found, None, event)


def _pulled(patient: PatientCanvas, pull: _Pull, place: Place) -> Measurement:
    shape, figure = pull.lying.shape, pull.lying.figure
    to = patient.in_patient(place)
    if pull.index is not None:
        points = dragged(figure, shape.points, pull.index, to)
    else:
        by = np.subtract(to, patient.in_patient(pull.start.place))
        points = tuple(tuple((np.asarray(each) + by).tolist()) for each in shape.points)
    return patient.measured(figure, points, like=shape)
