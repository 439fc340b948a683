"""Masks over slices: shapes between two keys, what encloses how much, and which masks belong together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.app.slice_masks import SliceGroup, SliceShapes, between, grouped, joined
from workstation.app.volume_planes import straight_planes
from workstation.core.annotation import Annotation, State
from workstation.core.geometry import Mask, ShapeKind
from workstation.core.ids import AnnotationId, EntityId, SampleId

SAMPLE = SampleId("0" * 26)
SPACING = (0.8, 1.5)


def disc(x_mm: float, y_mm: float, radius_mm: float) -> tuple[int, int, np.ndarray]:
    """Round in the patient, on pixels that are not square."""
    reach = [math.ceil(radius_mm / each) + 1 for each in SPACING]
    left, top = round(x_mm / SPACING[0]) - reach[0], round(y_mm / SPACING[1]) - reach[1]
    y, x = np.mgrid[top : top + 2 * reach[1], left : left + 2 * reach[0]]
    inside = ((x + 0.5) * SPACING[0] - x_mm) ** 2 + ((y + 0.5) * SPACING[1] - y_mm) ** 2 <= radius_mm**2
    return left, top, inside


def area_mm2(placed: tuple[int, int, np.ndarray]) -> float:
    return float(np.count_nonzero(placed[2])) * SPACING[0] * SPACING[1]


def middle_mm(placed: tuple[int, int, np.ndarray]) -> np.ndarray:
    rows, columns = np.nonzero(placed[2])
    return np.array([(placed[0] + columns.mean() + 0.5) * SPACING[0], (placed[1] + rows.mean() + 0.5) * SPACING[1]])


@settings(max_examples=25)
@given(st.floats(8, 20), st.floats(8, 20), st.floats(0.1, 0.9), st.floats(-30, 30), st.floats(-30, 30))
def test_between_two_discs_lies_a_disc_of_the_radius_between(
    first: float, last: float, share: float, dx: float, dy: float
) -> None:
    found = between(disc(60, 60, first), disc(60 + dx, 60 + dy, last), share, SPACING)
    assert found is not None
    radius = first + share * (last - first)
    assert math.sqrt(area_mm2(found) / math.pi) == pytest.approx(radius, abs=SPACING[1] * 0.6)
    assert middle_mm(found) == pytest.approx([60 + share * dx, 60 + share * dy], abs=1.2)


def test_at_the_ends_the_shapes_are_the_keys() -> None:
    first, last = disc(40, 40, 9), disc(40, 40, 14)
    for share, key in ((0.0, first), (1.0, last)):
        found = between(first, last, share, SPACING)
        assert found is not None
        assert joined([found]) == found
        assert area_mm2(found) == pytest.approx(area_mm2(key))


def test_parts_of_one_thing_on_one_slice_are_one() -> None:
    x, y, inside = joined([(2, 3, np.ones((2, 2), bool)), (5, 4, np.ones((1, 3), bool))]) or (0, 0, np.zeros(0))
    assert (x, y) == (2, 3)
    assert inside.tolist() == [[True, True, False, False, False, False], [True, True, False, True, True, True]]
    assert joined([]) is None


def mask(key: str, item: str, entity: str | None, *, state: State = State.DRAFT, layer: str = "main") -> Annotation:
    return Annotation(
        id=AnnotationId(key), sample=SAMPLE, kind=ShapeKind.MASK, item=item, state=state, layer=layer,
        entity=None if entity is None else EntityId(entity), shape=Mask("0" * 64, 0, 0, 1, 1, 1),
    )  # fmt: skip


def test_things_and_layers_are_kept_apart() -> None:
    numbers = {"a": 0, "b": 3, "c": 9}
    groups = grouped(
        [
            mask("1", "a", "e"), mask("2", "c", "e"), mask("3", "a", "f"), mask("4", "b", None),
            mask("5", "b", "e", state=State.REJECTED), mask("6", "elsewhere", "e"), mask("7", "b", "e", layer="other"),
        ],
        lambda _: "nodule", numbers,
    )  # fmt: skip
    assert sorted((g.entity or "", g.layer, sorted(g.slices)) for g in groups) == [
        ("", "main", [3]), ("e", "main", [0, 9]), ("e", "other", [3]), ("f", "main", [0]),
    ]  # fmt: skip
    (thing,) = [g for g in groups if g.entity == "e" and g.layer == "main"]
    assert thing.keys_around(4) == (0, 9)
    assert thing.keys_around(0) is None
    assert thing.keys_around(10) is None


def test_a_sphere_drawn_on_every_third_slice_has_nearly_its_volume() -> None:
    radius, step = 15.0, 2.0
    pixels, annotations, numbers = {}, [], {}
    for number in range(15):
        away = abs(number - 7) * step
        numbers[f"s{number}"] = number
        if away < radius and (number - 7) % 3 == 0:
            pixels[f"k{number}"] = disc(40, 40, math.sqrt(radius**2 - away**2))
            annotations.append(mask(f"k{number}", f"s{number}", "e"))
    (group,) = grouped(annotations, lambda _: None, numbers)
    shapes = SliceShapes(pixels.get, SPACING)
    covered = (group.last - group.first + 1) * step
    height = covered / 2  # the part of the sphere between the outer faces of the first and the last slice
    truth = 2 * math.pi * (radius**2 * height - height**3 / 3) / 1000
    assert shapes.volume_ml(group, step) == pytest.approx(truth, rel=0.06)
    assert [index for index, _ in shapes.all_of(group)] == list(range(group.first, group.last + 1))


@pytest.mark.parametrize("tilt_deg", [0.0, 20.0, -35.0])
def test_a_ball_on_leaning_slices_is_a_disc_in_the_planes_of_the_patient(tilt_deg: float) -> None:
    """The ball's masks are made from its equation, the area it should have in a plane too."""
    shape, middle, radius = (40, 64, 64), np.array([3.0, -4.0, 6.0]), 21.0
    lean = math.radians(tilt_deg)
    turn = np.array([[1, 0, 0], [0, math.cos(lean), -math.sin(lean)], [0, math.sin(lean), math.cos(lean)]])
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack((turn @ (0, 0, 2.0), turn @ (0, 1.2, 0), turn @ (0.9, 0, 0)))  # slice, row, column
    matrix[:3, 3] = -matrix[:3, :3] @ (np.array(shape) / 2)
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    inside = np.linalg.norm(grid @ matrix[:3, :3].T + matrix[:3, 3] - middle, axis=-1) <= radius
    held = {f"{k}": (0, 0, inside[k]) for k in range(shape[0]) if inside[k].any()}
    group = SliceGroup(entity=None, class_id=None, layer="main", slices={int(k): (k,) for k in held})
    shapes = SliceShapes(held.get, (0.9, 1.2))
    voxel_from_patient = np.linalg.inv(matrix)
    for plane, axis in zip(straight_planes(shape, matrix), (2, 1, 0), strict=True):
        for away in (0.0, 8.0, -15.0, 30.0):
            place = middle.copy()
            place[axis] += away
            index = plane.index_of(tuple(place.tolist()))
            true_away = abs(float((plane.plane_from_patient @ (*middle, 1.0))[2]) - index) * plane.spacing_mm[2]
            layer = shapes.cut(group, plane, index, voxel_from_patient)
            if true_away >= radius + 1:
                assert layer is None
                continue
            assert layer is not None
            across, down, _ = plane.spacing_mm
            area = np.count_nonzero(layer) * across * down
            half_slice = 2 * math.pi * true_away * 1.0  # what half a slice's thickness changes
            assert area == pytest.approx(math.pi * (radius**2 - true_away**2), rel=0.04, abs=half_slice + 30)
            rows, columns = np.nonzero(layer)
            there = plane.to_patient(columns.mean() + 0.5, rows.mean() + 0.5, index)
            assert np.delete(there, axis) == pytest.approx(np.delete(middle, axis), abs=0.8)
