"""What lies on one slice of a plane: shapes drawn on the stored image, figures in the patient, masks across slices.

One per plane view. Renewed when another slice is painted, when records change, when something is hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workstation.app.mask_edits import outlined
from workstation.app.picture_scene import Drawn, PictureScene
from workstation.app.picture_shapes import lines_of, size_of
from workstation.app.sample_view import SampleView
from workstation.app.slice_masks import Placed, SliceGroup, SliceShapes, grouped, pixels_on
from workstation.app.volume_planes import Matrix, Plane
from workstation.app.volume_sections import figure_of, points_of, section_of
from workstation.app.volume_texts import measurement_text
from workstation.core.annotation import Annotation, State
from workstation.core.geometry import Mask, Measurement, Shape, ShapeKind
from workstation.core.ontology import Pattern
from workstation.core.tracks import MomentKind
from workstation.ui.panes.base_drawn import DrawnScene
from workstation.ui.tools.canvas import NEW, Pixels, Preview
from workstation.ui.tools.measuring import Lying
from workstation.ui.tools.state import Sight

IN_PATIENT = frozenset({ShapeKind.CUBOID, ShapeKind.POINT_3D, ShapeKind.POLYLINE_3D, ShapeKind.MEASUREMENT})
_SMOOTH_PX = 0.7


class VolumeMarks:
    """What is marked on a whole volume: one for its three planes."""

    def __init__(
        self, view: SampleView, stream: str, numbers: dict[str, int], spacing_mm: tuple[float, float], sight: Sight,
        voxel_from_patient: Matrix | None = None,
    ) -> None:  # fmt: skip
        """``numbers``: item of a stored slice to its number; ``spacing_mm`` of its pixels; ``voxel_from_patient``
        leads to slice, row and column."""
        self.view, self.stream, self.sight = view, stream, sight
        self.numbers = numbers
        self.voxel_from_patient = voxel_from_patient
        self.pictures = PictureScene(view, stream)
        self.shapes = SliceShapes(self._pixels_of, spacing_mm)
        self._groups: list[SliceGroup] | None = None
        self._solid: tuple[Annotation, ...] | None = None

    def renew(self) -> None:
        """Records have changed."""
        self.pictures.renew()
        self.shapes.forget()
        self._groups = self._solid = None

    @property
    def groups(self) -> list[SliceGroup]:
        """The masks by thing."""
        if self._groups is None:
            self._groups = grouped(self.view.annotations_of(self.stream), self.view.class_of, self.numbers)
        return self._groups

    def group_of(self, annotation: str | None) -> SliceGroup | None:
        """The group a mask belongs to."""
        return next((g for g in self.groups if any(annotation in ids for ids in g.slices.values())), None)

    @property
    def solid(self) -> tuple[Annotation, ...]:
        """What is drawn in the patient's millimetres."""
        if self._solid is None:
            here = self.view.annotations_of(self.stream)
            self._solid = tuple(
                each for each in here
                if each.kind in IN_PATIENT and each.shape is not None and each.state is not State.REJECTED
                and points_of(each.shape)
            )  # fmt: skip
        return self._solid

    def visible(self, annotation: str) -> bool:
        return self.sight.visible(self.keys_of(annotation))

    def keys_of(self, annotation: str) -> tuple[str | None, ...]:
        """Under which keys it is hidden, shown alone or locked."""
        record = self.view.annotations.get(annotation)
        if record is None:
            return (annotation,)
        return (record.id, record.entity, record.stream, self.view.class_of(record))

    def _pixels_of(self, annotation: str) -> Placed | None:
        record = self.view.annotations.get(annotation)
        if record is None or not isinstance(record.shape, Mask):
            return None
        return pixels_on(record.shape, self.pictures.mask(record.shape))


class PlaneScene(DrawnScene):
    """The drawn things of one slice."""

    def __init__(self, marks: VolumeMarks) -> None:
        super().__init__(marks.view)
        self.marks = marks
        self._plane: Plane | None = None
        self._index = 0
        self._stored: list[Drawn] = []
        self._own: frozenset[str] = frozenset()
        """Drawn on this very image: what tools may change here."""
        self._made: dict[str, NDArray[np.bool_]] = {}

    def set_slice(self, plane: Plane, index: int, instance: str | None) -> None:
        """Another slice is painted, or the same one with other records."""
        self._plane, self._index = plane, index
        self._made.clear()
        flat = self.marks.pictures.at(None, instance).drawn if plane.acquired else ()
        flat = tuple(each for each in flat if len(each.lines.every()))
        self._own = frozenset(each.id for each in flat)
        self._stored = [*flat, *self._between(), *self._across(), *self._in_patient()]
        self._stored.sort(key=lambda each: -each.size)
        self._assemble()

    def previews_differ(self, shapes: Mapping[str, Preview]) -> bool:
        """Whether other shapes would be shown than now."""
        return bool(shapes or self._previews)

    # --- what is there ------------------------------------------------------------------------------------------

    def _between(self) -> Iterator[Drawn]:
        """Shapes interpolated between the slices on which they were drawn."""
        plane = self._plane
        if plane is None or not plane.acquired:
            return
        for group in self.marks.groups:
            around = group.keys_around(self._index)
            placed = None if around is None else self.marks.shapes.at(group, self._index)
            if around is None or placed is None:
                continue
            key = group.slices[around[0]][0]
            record = self.view.annotations[key]
            paint = self.view.paint_of(record)._replace(pattern=Pattern.HATCHED)
            for polygon in outlined(placed[2], placed[0], placed[1], _SMOOTH_PX):
                yield Drawn(
                    key, polygon, lines_of(polygon), MomentKind.INTERPOLATED, False, False, paint,
                    f"{self.view.name_of(key)} between", group.class_id, size_of(polygon),
                )  # fmt: skip

    def _across(self) -> Iterator[Drawn]:
        """Masks of the stored slices, cut across or askew."""
        plane = self._plane
        if plane is None or plane.acquired:
            return
        for number, group in enumerate(self.marks.groups):
            layer = self._cut(plane, group)
            if layer is not None:
                key = group.slices[group.first][0]
                made = f"across {number}"
                self._made[made] = layer
                shape = Mask(made, 0, 0, layer.shape[1], layer.shape[0], int(layer.sum()))
                record = self.view.annotations[key]
                rows, columns = np.nonzero(layer)
                corners = np.array([(columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1)], np.float64)
                lines = replace(lines_of(shape), rings=(), points=corners)
                yield Drawn(
                    key, shape, lines, MomentKind.KEYFRAME, False, False, self.view.paint_of(record),
                    self.view.name_of(key), group.class_id, float(shape.area_px),
                )  # fmt: skip

    def _cut(self, plane: Plane, group: SliceGroup) -> NDArray[np.bool_] | None:
        if plane.axis is None:
            matrix = self.marks.voxel_from_patient
            return None if matrix is None else self.marks.shapes.cut(group, plane, self._index, matrix)
        layer = np.zeros((plane.size_px[1], plane.size_px[0]), np.bool_)
        for index, (x, y, pixels) in self.marks.shapes.all_of(group):
            at = self._index - (y if plane.axis == 1 else x)
            line = pixels if plane.axis == 1 else pixels.T
            if 0 <= at < len(line):
                start = x if plane.axis == 1 else y
                layer[index, start : start + line.shape[1]] = line[at]
        return layer if layer.any() else None

    def _in_patient(self) -> Iterator[Drawn]:
        for record in self.marks.solid:
            assert record.shape is not None
            found = self._section(record.id, record.shape)
            if found is not None:
                yield found

    def _section(self, key: str, shape: Shape) -> Drawn | None:
        assert self._plane is not None
        section = section_of(shape, self._plane, self._index)
        if section is None:
            return None
        record = self.view.annotations.get(key)
        class_id = self._preview_class if record is None else self.view.class_of(record)
        paint = self.view.paint_of_class(class_id) if record is None else self.view.paint_of(record)
        name = self.view.name_of(key) if record is not None else self.view.class_name(class_id) if class_id else ""
        if not section.whole:
            name = ""  # it is read where it lies
        elif isinstance(shape, Measurement):
            name = f"{name} {measurement_text(shape)}".strip()
        kind = MomentKind.KEYFRAME if section.whole else MomentKind.INTERPOLATED
        proposed = record is not None and record.state is State.PROPOSED
        return Drawn(key, shape, section.lines, kind, False, proposed, paint, name, class_id, 0.0)

    # --- with what is in the making -----------------------------------------------------------------------------

    def _assemble(self) -> None:
        kept = [each for each in self._stored if each.id not in self._previews and self.marks.visible(each.id)]
        fresh = (self._previewed(key, shape) for key, shape in self._previews.items())
        self._show([*kept, *(each for each in fresh if each is not None)])

    def _previewed(self, key: str, shape: Preview) -> Drawn | None:
        if isinstance(shape, Pixels) or self._plane is None:
            return None  # painted by itself
        if points_of(shape):
            return self._section(key, shape)
        stored = next((each for each in self._stored if each.id == key), None)
        if stored is not None:
            return replace(stored, shape=shape, lines=lines_of(shape), kind=MomentKind.KEYFRAME, size=size_of(shape))
        paint = self.view.paint_of_class(self._preview_class)
        name = "new" if self._preview_class is None else self.view.class_name(self._preview_class)
        return Drawn(
            key, shape, lines_of(shape), MomentKind.KEYFRAME, False, False, paint, name, self._preview_class,
            size_of(shape),
        )  # fmt: skip

    # --- what is where ------------------------------------------------------------------------------------------

    def shape_of(self, annotation: str) -> Shape | None:
        """The shape of what was drawn on this very image; other shapes are not changed in its pixels."""
        if annotation not in self._own:
            return None
        return next((each.shape for each in self.shown.drawn if each.id == annotation), None)

    def mask(self, shape: Mask) -> NDArray[np.bool_] | None:
        made = self._made.get(shape.blob)
        return self.marks.pictures.mask(shape) if made is None else made

    def lying(self) -> list[Lying]:
        """The measurements in the patient that lie on this slice, the topmost first."""
        found = []
        plane = self._plane
        for each in reversed(self.shown.drawn):
            shape = each.shape
            figure = figure_of(shape) if isinstance(shape, Measurement) else None
            if plane is None or figure is None or each.kind is not MomentKind.KEYFRAME or each.id == NEW:
                continue
            assert isinstance(shape, Measurement)
            if points_of(shape):
                flat = plane.all_from_patient(np.array(shape.points))[:, :2].tolist()
                found.append(Lying(each.id, shape, figure, tuple((x, y) for x, y in flat)))
        return found
