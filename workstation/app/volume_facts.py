"""What a mark in a volume is in the patient: where, how large in millimetres, on which side, how many millilitres.

From the metadata of the images alone: pixels and the side of the screen say nothing. Sections for the inspector.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workstation.app.feeds import slice_item
from workstation.app.inspecting import InspectorField, Section
from workstation.app.picture_shapes import lines_of
from workstation.app.sample_view import SampleView
from workstation.app.slice_masks import SliceGroup, SliceShapes, grouped, pixels_on
from workstation.app.volume_planes import LETTERS, Plane, planes_of
from workstation.app.volume_sections import figure_of, points_of
from workstation.app.volume_texts import length_text, measurement_text, value_text
from workstation.core.annotation import Annotation
from workstation.core.geometry import Cuboid, Figure, Mask, Measurement, Polygon, Shape
from workstation.core.measured import area_mm2, outline_of, side_of
from workstation.core.pixels import mask_pixels
from workstation.media.base import VolumeReader

Points = NDArray[np.float64]


def patient_section(view: SampleView, annotation: Annotation, reader: VolumeReader) -> Section:
    """What can be said of one mark; empty for what says nothing of a place."""
    numbers = {slice_item(tuple(reader.instances), i): i for i in range(reader.shape[0])}
    plane = planes_of(reader.shape, reader.patient_from_voxel)[0]
    index = None if annotation.item is None else numbers.get(annotation.item)
    shape = annotation.shape
    fields: list[InspectorField] = []
    if index is not None:
        place = plane.place_text(plane.to_patient(plane.size_px[0] / 2, plane.size_px[1] / 2, index))
        fields.append(_field("slice", "Slice", f"{index + 1} of {plane.count}, {plane.name}, {place}"))
    if shape is not None:
        points = _places(shape, plane, index)
        fields += _sizes(shape, plane, points)
        if isinstance(shape, Mask):
            fields += _volume(view, annotation, plane, {k: v for k, v in numbers.items() if k is not None})
        if len(points):
            middle = points.mean(0)
            fields.append(_field("side", "Side", side_of(points.tolist()), "Of the patient, by the images' metadata"))
            sides = zip(LETTERS, middle.tolist(), strict=True)
            said = ", ".join(f"{letters[value >= 0]} {abs(value):.1f}" for letters, value in sides)
            fields.append(_field("place", "Middle", f"{said} mm", "From the zero of the patient's coordinates"))
    if fields:
        across, down, step = plane.spacing_mm
        said = f"{across:.3g} × {down:.3g} × {step:.3g} mm"
        fields.append(_field("voxel", "Voxel", said, "No size is known better than this"))
    return Section(title="In the patient", fields=tuple(fields))


def _field(key: str, title: str, value: str, help_text: str = "") -> InspectorField:
    return InspectorField(key=f"patient:{key}", title=title, value=value, help=help_text)


def _places(shape: Shape, plane: Plane, index: int | None) -> Points:
    """The points that span a shape, in the patient."""
    solid = points_of(shape)
    if isinstance(shape, Measurement) and solid and figure_of(shape) in (Figure.ELLIPSE, Figure.OUTLINE):
        figure = figure_of(shape)
        assert figure is not None
        return outline_of(figure, solid)
    if solid:
        return np.array(solid, np.float64)
    if index is None:
        return np.empty((0, 3))
    flat = lines_of(shape).every()
    return np.array([plane.to_patient(x, y, index) for x, y in flat.tolist()], np.float64).reshape(-1, 3)


def _sizes(shape: Shape, plane: Plane, points: Points) -> list[InspectorField]:
    if isinstance(shape, Measurement):
        longest = length_text(shape.value) if shape.unit == "mm" else measurement_text(shape)
        return [_field("size", shape.quantity.capitalize(), longest)]
    if isinstance(shape, Cuboid):
        said = " × ".join(f"{each:.1f}" for each in shape.size)
        return [_field("size", "Size", f"{said} mm ({max(shape.size) / 10:.1f} cm)")]
    if len(points) < 2:
        return []
    if isinstance(shape, Mask):
        area = shape.area_px * plane.spacing_mm[0] * plane.spacing_mm[1]
        return [_field("area", "Area here", value_text(area, "mm²"))]
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    fields = [_field("size", "Longest diameter", length_text(float(apart.max())))]
    if isinstance(shape, Polygon):
        rings = [_ring_area(ring, plane) for ring in (shape.outer, *shape.holes)]
        fields.append(_field("area", "Area", value_text(rings[0] - sum(rings[1:]), "mm²")))
    return fields


def _ring_area(ring: tuple[tuple[float, float], ...], plane: Plane) -> float:
    return area_mm2(Figure.OUTLINE, [plane.to_patient(x, y, 0) for x, y in ring])


def _volume(view: SampleView, annotation: Annotation, plane: Plane, numbers: dict[str, int]) -> list[InspectorField]:
    """Of the whole thing, over all its slices."""
    here = [each for each in view.annotations_of(annotation.stream) if isinstance(each.shape, Mask)]
    groups = grouped(here, view.class_of, numbers)
    group = next((g for g in groups if any(annotation.id in ids for ids in g.slices.values())), None)
    if group is None:
        return []
    across, down, step = plane.spacing_mm
    by_id: dict[str, Annotation] = {each.id: each for each in here}

    def pixels(key: str) -> tuple[int, int, NDArray[np.bool_]] | None:
        shape = by_id[key].shape
        blob = view.blob(shape.blob) if isinstance(shape, Mask) else None
        if blob is None or not isinstance(shape, Mask):
            return None
        return pixels_on(shape, mask_pixels(blob, shape.width, shape.height))

    ml = SliceShapes(pixels, (across, down)).volume_ml(group, step)
    return [_field("volume", "Volume", f"{ml:.2f} ml", _slices_said(group))]


def _slices_said(group: SliceGroup) -> str:
    between = group.last - group.first + 1 - len(group.slices)
    return f"{len(group.slices)} slices drawn, {between} interpolated between them"
