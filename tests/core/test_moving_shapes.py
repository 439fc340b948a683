"""Shapes moved as a whole and by one edge."""

from __future__ import annotations

import math

import pytest

from workstation.core.errors import UserError
from workstation.core.geometry import (
    Band,
    Box,
    Cuboid,
    Keypoint,
    Keypoints,
    Mask,
    Measurement,
    Point3D,
    Polygon,
    Polyline3D,
    Shape,
)
from workstation.core.resizing import resized, rotated
from workstation.core.translation import translated


@pytest.mark.parametrize(
    ("shape", "by", "moved"),
    [
        (Box(1, 2, 3, 4, 30), (10, 20), Box(11, 22, 3, 4, 30)),
        (Polygon(((0, 0), (1, 0), (0, 1)), (((2, 2), (3, 2), (2, 3)),)), (1, 1),
         Polygon(((1, 1), (2, 1), (1, 2)), (((3, 3), (4, 3), (3, 4)),))),
        (Keypoints((Keypoint("a", 1, 2),)), (1, 0), Keypoints((Keypoint("a", 2, 2),))),
        (Mask("0" * 64, 5, 6, 2, 2, 3), (-1, 2), Mask("0" * 64, 4, 8, 2, 2, 3)),
        (Cuboid((0, 0, 0), (4, 2, 1)), (1, 2, 3), Cuboid((1, 2, 3), (4, 2, 1))),
        (Point3D(0, 0, 0), (1, 2, 3), Point3D(1, 2, 3)),
        (Polyline3D(((0, 0, 0), (1, 1, 1))), (0, 0, 1), Polyline3D(((0, 0, 1), (1, 1, 2)))),
        (Measurement("length", 5, "mm", ((0, 0), (3, 4))), (1, 1), Measurement("length", 5, "mm", ((1, 1), (4, 5)))),
    ],
)  # fmt: skip
def test_every_shape_with_a_place_moves(shape: Shape, by: tuple[float, ...], moved: Shape) -> None:
    assert translated(shape, by) == moved


@pytest.mark.parametrize(
    ("shape", "by", "said"),
    [
        (Band(1, 2), (1, 1), "no place to move in"),
        (Box(0, 0, 1, 1), (1, 1, 1), "moves by 2 numbers"),
        (Cuboid((0, 0, 0), (1, 1, 1)), (1, 1), "moves by 3 numbers"),
        (Mask("0" * 64, 5, 6, 2, 2, 3), (0.5, 0), "whole pixels"),
    ],
)
def test_what_cannot_move_so_is_refused(shape: Shape, by: tuple[float, ...], said: str) -> None:
    with pytest.raises(UserError, match=said):
        translated(shape, by)


def test_the_opposite_edge_of_a_turned_box_stays_where_it_is() -> None:
    box = Box(0, 0, 10, 4, 90)
    larger = resized(box, "right", 6)
    assert isinstance(larger, Box)

    def left_edge(shape: Box) -> tuple[float, float]:
        angle, half = math.radians(shape.angle_deg), shape.width / 2
        center = (shape.x + shape.width / 2, shape.y + shape.height / 2)
        return (center[0] - half * math.cos(angle), center[1] - half * math.sin(angle))

    assert left_edge(larger) == pytest.approx(left_edge(box))
    assert larger.width == 16


def test_the_opposite_face_of_a_turned_cuboid_stays_where_it_is() -> None:
    turn = (math.cos(math.pi / 4), 0.0, 0.0, math.sin(math.pi / 4))
    cuboid = Cuboid((10, 0, 0), (4, 2, 1), turn)
    longer = resized(cuboid, "front", 2)
    assert isinstance(longer, Cuboid)
    assert longer.size == (6, 2, 1)
    assert longer.center == pytest.approx((10, 1, 0))
    assert rotated((1, 0, 0), turn) == pytest.approx((0, 1, 0))
