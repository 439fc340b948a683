"""What measuring asks of a picture beyond ``canvas.py``: that it lies in a patient. And how a measurement is kept.

The canvas of a volume's planes is such a picture (``ui/panes/volume_canvas.py``). Values are never typed: the canvas
computes them from the points, in millimetres of the patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from workstation.core.geometry import Figure, Measurement, ShapeKind
from workstation.ui.tools.canvas import NEW, Canvas, Place

Vec3 = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Lying:
    """A measurement that lies on the painted slice: as it is now, and where its points are in the picture."""

    annotation: str
    shape: Measurement
    figure: Figure
    places: tuple[Place, ...]


@runtime_checkable
class PatientCanvas(Protocol):
    """A picture in a patient."""

    @property
    def frame(self) -> str:
        """The frame its millimetres are in."""
        ...

    def in_patient(self, place: Place) -> Vec3:
        """A place of the painted picture in millimetres."""
        ...

    def measured(self, figure: Figure, points: Sequence[Sequence[float]], *, like: Measurement | None = None
                 ) -> Measurement:  # fmt: skip
        """The measurement these points of the patient make now, statistics of what they enclose included; ``like``
        keeps its name of the quantity."""
        ...

    def lying(self) -> Sequence[Lying]:
        """The measurements that lie on the painted slice, the topmost first."""
        ...


def patient_canvas(canvas: Canvas) -> PatientCanvas | None:
    """The canvas as a picture in a patient, if it is one."""
    return canvas if isinstance(canvas, PatientCanvas) else None


class KeepMeasurement:
    """A measurement that was drawn, until its class is said; then one command keeps it."""

    def __init__(self, canvas: Canvas, shape: Measurement) -> None:
        self._canvas, self._shape = canvas, shape
        self._item, self._instance = canvas.item, canvas.instance

    def begin(self) -> None:
        """Keep it under the hand's class if that fits, else show it and ask for one."""
        class_id = self._canvas.hand.class_id
        if class_id is not None and self.fits(class_id):
            self(class_id)
            return
        self._canvas.preview({NEW: self._shape})
        self._canvas.hand.ask_class(self, fits=self.fits, again=self._ask_again)

    def _ask_again(self) -> None:
        if (self._canvas.item, self._canvas.instance) == (self._item, self._instance):
            self.begin()
        else:
            self._canvas.tell("Another slice shows than the one that was measured, so it stays given up.")

    def fits(self, class_id: str) -> bool:
        """Whether the ontology lets the class be measured there."""
        ontology = self._canvas.view.ontology
        if ontology is None or class_id not in ontology.classes:
            return True  # the gate will say what is wrong
        return ShapeKind.MEASUREMENT in ontology.shapes_for(class_id, self._canvas.stream.kind)

    def __call__(self, class_id: str) -> None:
        canvas = self._canvas
        if not self.fits(class_id):
            canvas.tell(f"{canvas.view.class_name(class_id)} may not be measured; choose another class.")
            self.begin()
            return
        patient = patient_canvas(canvas)
        made = canvas.run(
            "annotation.add", stream=canvas.stream.id, class_id=class_id, shape=self._shape, item=self._instance,
            frame=None if patient is None else patient.frame,
        )  # fmt: skip
        canvas.preview({})
        if made is not None:
            canvas.select((str(made),))
