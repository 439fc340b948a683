"""Measure on slices: tools ``measure`` (distance), ``measure_angle``, ``measure_ellipse`` and ``measure_outline``.

A distance is pulled or clicked from end to end, an angle clicked over its corner, an ellipse pulled across the picture
from corner to corner, an outline clicked or pulled by hand. What comes out is the program's arithmetic on the points in
the patient; with areas come the mean and the standard deviation of what they enclose.
"""

from __future__ import annotations

import math

from workstation.app.volume_texts import measurement_text
from workstation.core.geometry import Figure, Polygon, Shape
from workstation.core.measured import LEAST_POINTS
from workstation.ui.tools.canvas import NEW, Button, Canvas, Cursor, Hints, KeyPress, Modifier, Place, PointerEvent
from workstation.ui.tools.draw_path import DrawPath
from workstation.ui.tools.drawing import SLACK_PX, Drawing, Steps, marked
from workstation.ui.tools.measuring import KeepMeasurement, patient_canvas

_ELSEWHERE = "Measuring needs a volume: its planes are in the pane Volume."


class MeasureByPoints(Drawing):
    """A figure of so many clicks; the tool ``measure`` as it stands."""

    _figure = Figure.LINE
    _words = "from end to end"

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._steps: Steps[Place] = Steps()
        self._pressed: PointerEvent | None = None

    @property
    def busy(self) -> bool:
        return bool(self._steps)

    def press(self, event: PointerEvent) -> None:
        if begins(self._canvas, event, busy=self.busy):
            self._pressed = event
            self._set(event.place)

    def move(self, event: PointerEvent) -> None:
        self._pointer = event.place
        if self._steps.set:
            self._show()
        self._canvas.repaint()

    def release(self, event: PointerEvent) -> None:
        pressed, self._pressed = self._pressed, None
        if event.button is not Button.LEFT or pressed is None or not self._steps.set:
            return
        if math.dist(pressed.place, event.place) * event.scale > SLACK_PX:
            self._set(event.place)

    def key(self, event: KeyPress) -> bool:
        if not self._steps.key(event.key):
            return False
        self._show()
        return True

    def cancel(self) -> None:
        self._pressed = None
        self._steps.clear()
        self._canvas.preview({})
        self._canvas.repaint()

    def hints(self) -> Hints:
        if not self._steps.set:
            return self._asking(self._words)
        return Hints(handles=marked(self._steps.set), text=self._said())

    def cursor(self, event: PointerEvent) -> Cursor:
        return cursor_of(self._canvas)

    def _set(self, place: Place) -> None:
        self._steps.add(self._inside(place))
        self._pointer = place
        if len(self._steps.set) < LEAST_POINTS[self._figure]:
            self._show()
            return
        places, self._pressed = tuple(self._steps.set), None
        self._steps.clear()
        self._canvas.preview({})
        keep(self._canvas, self._figure, places)

    def _show(self) -> None:
        places = [*self._steps.set, *([] if self._pointer is None else [self._inside(self._pointer)])]
        patient = patient_canvas(self._canvas)
        if patient is None or len(places) < 2:
            self._canvas.preview({})
            return
        figure = self._figure if len(places) >= LEAST_POINTS[self._figure] else Figure.LINE
        shape = patient.measured(figure, [patient.in_patient(each) for each in places])
        self._canvas.preview({NEW: shape}, class_id=self._canvas.hand.class_id)

    def _said(self) -> str:
        patient = patient_canvas(self._canvas)
        places = [*self._steps.set, *([] if self._pointer is None else [self._inside(self._pointer)])]
        if patient is None or len(places) < LEAST_POINTS[self._figure]:
            return ""
        return measurement_text(patient.measured(self._figure, [patient.in_patient(each) for each in places]))


class MeasureAngle(MeasureByPoints):
    """The tool ``measure_angle``."""

    _figure = Figure.ANGLE
    _words = "one arm's end, the corner, the other arm's end"


class MeasureEllipse(Drawing):
    """The tool ``measure_ellipse``; with Shift a circle."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._corner: Steps[PointerEvent] = Steps()

    @property
    def busy(self) -> bool:
        return bool(self._corner)

    def press(self, event: PointerEvent) -> None:
        if not begins(self._canvas, event, busy=self.busy):
            return
        if self._corner.set:
            self._finish(event)
        else:
            self._corner.add(event)

    def move(self, event: PointerEvent) -> None:
        self._pointer = event.place
        patient, ends = patient_canvas(self._canvas), self._ends(event)
        if patient is not None and ends is not None:
            shape = patient.measured(Figure.ELLIPSE, [patient.in_patient(each) for each in ends])
            self._canvas.preview({NEW: shape}, class_id=self._canvas.hand.class_id)
        self._canvas.repaint()

    def release(self, event: PointerEvent) -> None:
        if event.button is Button.LEFT and self._ends(event) is not None:
            self._finish(event)

    def key(self, event: KeyPress) -> bool:
        if not self._corner.key(event.key):
            return False
        if not self._corner.set:
            self._canvas.preview({})
        self._canvas.repaint()
        return True

    def cancel(self) -> None:
        self._corner.clear()
        self._canvas.preview({})
        self._canvas.repaint()

    def hints(self) -> Hints:
        return self._asking("pull from corner to corner; Shift: a circle")

    def cursor(self, event: PointerEvent) -> Cursor:
        return cursor_of(self._canvas)

    def _finish(self, event: PointerEvent) -> None:
        ends = self._ends(event)
        self._corner.clear()
        self._canvas.preview({})
        if ends is not None:
            keep(self._canvas, Figure.ELLIPSE, ends)

    def _ends(self, event: PointerEvent) -> tuple[Place, ...] | None:
        """The ends of both axes in the picture; ``None`` while the hand has hardly moved."""
        start = self._corner.set[0] if self._corner.set else None
        if start is None or math.dist(start.place, event.place) * event.scale <= SLACK_PX:
            return None
        (x0, y0), (x1, y1) = start.place, self._inside(event.place)
        if Modifier.SHIFT in event.modifiers:
            x1, y1 = self._round(start.place, (x1, y1))
        if x0 == x1 or y0 == y1:
            return None
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        return (x0, middle[1]), (x1, middle[1]), (middle[0], y0), (middle[0], y1)

    def _round(self, start: Place, end: Place) -> Place:
        """As long as wide in the patient."""
        patient = patient_canvas(self._canvas)
        assert patient is not None
        corner = patient.in_patient(start)
        across = math.dist(corner, patient.in_patient((end[0], start[1])))
        down = math.dist(corner, patient.in_patient((start[0], end[1])))
        if min(across, down) == 0:
            return end
        side = max(across, down)
        return (start[0] + (end[0] - start[0]) * side / across, start[1] + (end[1] - start[1]) * side / down)


class MeasureOutline(DrawPath):
    """The tool ``measure_outline``."""

    _closed = True
    _least = 3

    def cursor(self, event: PointerEvent) -> Cursor:
        return cursor_of(self._canvas)

    def _begins(self, event: PointerEvent) -> bool:
        return begins(self._canvas, event, busy=self.busy)

    def _shape(self, places: list[Place]) -> Shape | None:
        return Polygon(tuple(places)) if len(set(places)) >= 3 else None

    def _keep(self, shape: Shape, modifiers: Modifier) -> None:
        assert isinstance(shape, Polygon)
        self._canvas.preview({})
        keep(self._canvas, Figure.OUTLINE, shape.outer)


def begins(canvas: Canvas, event: PointerEvent, *, busy: bool) -> bool:
    """Whether a press measures something; a shape that still waits for its class is given up."""
    if event.button is not Button.LEFT:
        return False
    if patient_canvas(canvas) is None:
        canvas.tell(_ELSEWHERE)
        return False
    if not busy:
        canvas.hand.forget_drawn()
    return True


def cursor_of(canvas: Canvas) -> Cursor:
    """A cross where something can be measured."""
    return Cursor.FORBIDDEN if patient_canvas(canvas) is None else Cursor.CROSS


def keep(canvas: Canvas, figure: Figure, places: tuple[Place, ...]) -> None:
    """Keep a figure drawn on the painted picture as a measurement in the patient."""
    patient = patient_canvas(canvas)
    if patient is not None:
        KeepMeasurement(canvas, patient.measured(figure, [patient.in_patient(each) for each in places])).begin()
