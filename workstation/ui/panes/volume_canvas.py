"""A plane of a volume as tools see it: ``ui/tools/canvas.py``, with the patient behind it and masks over its slices.

Shapes in pixels are drawn on stored images alone; on the cuts across them a tool that draws finds no picture
(``item``), and only measuring, which needs none, works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workstation.app.mask_edits import filled
from workstation.app.sample_view import SampleView
from workstation.app.session import Run
from workstation.app.slice_masks import SliceGroup
from workstation.core.annotation import Annotation, Source, SourceKind
from workstation.core.geometry import Figure, Mask, Measured, Measurement, Shape
from workstation.core.measured import outline_of, value_of
from workstation.core.sample import Stream
from workstation.core.tracks import Moment
from workstation.ui.panes.base_canvas import FlatCanvas, Placing
from workstation.ui.tools.canvas import Pixels, Place, Preview
from workstation.ui.tools.mask_keeping import given_mask
from workstation.ui.tools.measuring import Lying, Vec3
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.ui.panes.volume_view import PlaneView

BETWEEN = "between"
"""Id of a mask that is not drawn on this slice yet: it is interpolated, or about to be."""
FRAME = "patient"


class PlaneCanvas(FlatCanvas):
    """The canvas of one plane view."""

    cause = "volume"

    def __init__(self, plane_view: PlaneView) -> None:
        self._view = plane_view

    @property
    def view(self) -> SampleView:
        return self._view.scene.view

    @property
    def bench(self) -> Workbench:
        return self._view.bench

    @property
    def placing(self) -> Placing:
        return self._view.viewport

    @property
    def stream(self) -> Stream:
        return self._view.volume.stream

    @property
    def item(self) -> int | None:
        cut = self._view.cut
        return None if cut is None or not cut.plane.acquired else cut.index

    @property
    def instance(self) -> str | None:
        item = self.item
        return None if item is None else self._view.volume.instance(self._view.name, item)

    @property
    def own_ns(self) -> int | None:
        return None

    @property
    def next_ns(self) -> int | None:
        return None

    @property
    def size_px(self) -> tuple[int, int]:
        return self._view.viewport.size_px

    def hit(self, place: Place, *, reach_px: float = 6.0) -> list[str]:
        return self._view.scene.hit(place, reach_px / self.scale)

    def within(self, ring: Sequence[Place]) -> list[str]:
        return self._view.scene.within(ring)

    def shape_of(self, annotation: str) -> Shape | None:
        return self._view.scene.shape_of(annotation)

    def moment_of(self, annotation: str) -> Moment | None:
        return None

    def locked(self, annotation: str) -> bool:
        return self.sight.locked(self._view.marks.keys_of(annotation))

    def mask_of(self, annotation: str) -> Pixels | None:
        if annotation == BETWEEN:
            group, item = self._group(), self.item
            placed = None if group is None or item is None else self._view.marks.shapes.at(group, item)
            return None if placed is None else Pixels(*placed)
        shape = self.shape_of(annotation)
        inside = self._view.scene.mask(shape) if isinstance(shape, Mask) else None
        return None if inside is None or not isinstance(shape, Mask) else Pixels(shape.x, shape.y, inside)

    def picture(self) -> NDArray[np.uint8] | None:
        cut = self._view.cut
        if cut is None:
            return None
        levels = (cut.screen & 0xFF).astype(np.uint8)
        return np.repeat(levels[..., None], 3, axis=2)

    def preview(self, shapes: Mapping[str, Preview], *, class_id: str | None = None) -> None:
        self._view.show_preview(shapes, class_id)

    def repaint(self) -> None:
        self._view.area.update()

    # --- the patient --------------------------------------------------------------------------------------------

    @property
    def frame(self) -> str:
        return self.stream.frame or FRAME

    def in_patient(self, place: Place) -> Vec3:
        plane, index = self._view.plane_painted
        return plane.to_patient(place[0], place[1], index)

    def measured(
        self, figure: Figure, points: Sequence[Sequence[float]], *, like: Measurement | None = None
    ) -> Measurement:
        quantity, value, unit = value_of(figure, points)
        if like is not None and figure is Figure.LINE:
            quantity = like.quantity
        kept = tuple(tuple(round(float(c), 4) for c in point) for point in points)
        also = self._statistics(figure, points) if figure in (Figure.ELLIPSE, Figure.OUTLINE) else ()
        return Measurement(quantity, round(value, 4), unit, kept, figure, also)

    def lying(self) -> Sequence[Lying]:
        return self._view.scene.lying()

    def _statistics(self, figure: Figure, points: Sequence[Sequence[float]]) -> tuple[Measured, ...]:
        """Mean and standard deviation of the voxels of the painted slice whose centres are inside."""
        cut = self._view.cut
        if cut is None:
            return ()
        ring = cut.plane.all_from_patient(outline_of(figure, points))[:, :2]
        height, width = cut.slab.pixels.shape
        ring = ring * (width / cut.plane.size_px[0], height / cut.plane.size_px[1])
        inside = filled([ring.tolist()], width, height)
        values = cut.slab.values()[inside]
        values = values[np.isfinite(values)]
        if not values.size:
            return ()
        unit = "" if self._view.volume.reader is None else self._view.volume.reader.unit
        mean, spread = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
        return (Measured("mean", round(mean, 3), unit), Measured("standard deviation", round(spread, 3), unit))

    # --- masks over slices --------------------------------------------------------------------------------------

    def slice_target(self) -> str | None:
        active, group, item = self._record(), self._group(), self.item
        if active is None or group is None or item is None:
            return None
        here = [each for each in group.slices.get(item, ()) if not self.locked(each)]
        if here:
            return active.id if active.id in here else here[0]
        fits = self.hand.class_id in (None, group.class_id)
        return BETWEEN if fits and group.keys_around(item) is not None else None

    def keep_slice(self, given: Mapping[str, object], *, fresh: bool, also: Mapping[str, object]) -> bool:
        record, group, item = self._record(), self._group(), self.item
        class_id = self.hand.class_id
        if fresh or record is None or group is None or item is None or self.locked(record.id):
            return False
        if item in group.slices or class_id not in (None, group.class_id):
            return False  # it has a mask here, which the usual way changes; or another class is to be painted
        made = self.together("Paint mask", _NextSlice(self, record, given, also))
        if made is not None:
            self.select((str(made),))
        return True

    def write_between(self) -> int:
        """Make the interpolated shapes of the selected thing masks of their own, as one step; how many."""
        record, group = self._record(), self._group()
        if record is None or group is None:
            return 0
        view, found = self._view, {}
        for number, placed in view.marks.shapes.all_of(group):
            item = view.volume.instance(view.volume.main, number)
            if number not in group.slices and item is not None:
                found[item] = given_mask(Pixels(*placed))
        if found and self.together("Write interpolated slices", _Between(self, record, found)) is None:
            return 0
        return len(found)

    def _record(self) -> Annotation | None:
        active = self.active
        record = None if active is None else self.view.annotations.get(active)
        return record if record is not None and record.stream == self.stream.id else None

    def _group(self) -> SliceGroup | None:
        return self._view.marks.group_of(self.active)


class _NextSlice:
    """The commands that give a thing a mask on one more slice; what was no thing yet becomes one."""

    def __init__(
        self, canvas: PlaneCanvas, record: Annotation, given: Mapping[str, object], also: Mapping[str, object]
    ) -> None:
        self._canvas, self._record, self._given, self._also = canvas, record, given, also

    def __call__(self, run: Run, /) -> Any:
        canvas, record = self._canvas, self._record
        for other, shape in self._also.items():
            if shape is None:
                run("annotation.delete", annotations=(other,))
            else:
                run("annotation.set_shape", annotation=other, shape=shape)
        entity = record.entity or run(
            "entity.add", class_id=canvas.view.class_of(record), annotations=(record.id,)
        )  # fmt: skip
        return run(
            "annotation.add", stream=canvas.stream.id, entity=entity, shape=self._given, item=canvas.instance,
            layer=record.layer,
        )  # fmt: skip


class _Between:
    """The commands that store what was interpolated."""

    def __init__(self, canvas: PlaneCanvas, record: Annotation, masks: Mapping[str, Mapping[str, object]]) -> None:
        self._canvas, self._record, self._masks = canvas, record, masks

    def __call__(self, run: Run, /) -> Any:
        record, source = self._record, Source(kind=SourceKind.INTERPOLATION, name="signed distances between slices")
        where = {"stream": self._canvas.stream.id, "entity": record.entity, "layer": record.layer, "source": source}
        return [run("annotation.add", shape=given, item=item, **where) for item, given in self._masks.items()]
