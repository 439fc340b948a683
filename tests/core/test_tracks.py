"""Tracks at a moment, and shapes between two shapes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.annotation import Gap, Interpolation, Keyframe, Presence, Track
from workstation.core.geometry import Box, Cuboid, Keypoint, Keypoints, Point, Polygon, Shape
from workstation.core.ids import AnnotationId, RecordId
from workstation.core.tracks import MomentKind, interpolated, life, moment, slerp


def key(time_ns: int, shape: Shape | None, presence: Presence = Presence.VISIBLE) -> Keyframe:
    return Keyframe(
        id=RecordId(f"{time_ns}"), annotation=AnnotationId("a"), time_ns=time_ns, shape=shape, presence=presence
    )


KEYS = [key(0, Point(0, 0)), key(10, Point(10, 0)), key(20, None, Presence.ABSENT), key(30, Point(30, 0))]


@pytest.mark.parametrize(
    ("at", "kind", "shape"),
    [
        (-1, MomentKind.OUTSIDE, None), (0, MomentKind.KEYFRAME, Point(0, 0)),
        (4, MomentKind.INTERPOLATED, Point(4, 0)),
        (10, MomentKind.KEYFRAME, Point(10, 0)), (15, MomentKind.INTERPOLATED, Point(10, 0)),
        (20, MomentKind.ABSENT, None), (29, MomentKind.ABSENT, None), (30, MomentKind.KEYFRAME, Point(30, 0)),
        (31, MomentKind.OUTSIDE, None),
    ],
)  # fmt: skip
def test_keyframe_interpolated_and_absent_are_three_answers(at: int, kind: MomentKind, shape: Shape | None) -> None:
    shown = moment(Track(), KEYS, at)
    assert (shown.kind, shown.shape) == (kind, shape)


def test_a_gap_shows_nothing_and_the_rule_decides_between_keyframes() -> None:
    gap = Track(gaps=(Gap(2, 5, "bus"),))
    assert [moment(gap, KEYS, at).kind for at in (1, 2, 4, 5)] == [
        MomentKind.INTERPOLATED, MomentKind.GAP, MomentKind.GAP, MomentKind.INTERPOLATED,
    ]  # fmt: skip
    assert moment(Track(interpolation=Interpolation.HOLD), KEYS, 9).shape == Point(0, 0)
    assert moment(Track(interpolation=Interpolation.NONE), KEYS, 9).shape is None


def test_a_track_lives_through_its_last_keyframe() -> None:
    assert life(KEYS) == (0, 31)
    assert life([]) is None
    assert moment(Track(), [], 0).kind is MomentKind.OUTSIDE


def test_a_box_turns_the_short_way_round() -> None:
    middle = interpolated(Box(0, 0, 10, 10, 350), Box(10, 0, 20, 10, 10), 0.5)
    assert middle == Box(5, 0, 15, 10, 360)


def test_a_turning_cuboid_keeps_its_size_and_turns_evenly() -> None:
    quarter = Cuboid((1, 0, 0), (4, 2, 1), (math.cos(math.pi / 4), 0, 0, math.sin(math.pi / 4)))
    middle = interpolated(Cuboid((0, 0, 0), (4, 2, 1)), quarter, 1 / 3)
    assert isinstance(middle, Cuboid)
    assert middle.size == (4, 2, 1)
    assert middle.rotation == pytest.approx((math.cos(math.pi / 12), 0, 0, math.sin(math.pi / 12)))


def test_shapes_with_other_corners_have_no_way_between_them() -> None:
    triangle, square = Polygon(((0, 0), (1, 0), (0, 1))), Polygon(((0, 0), (1, 0), (1, 1), (0, 1)))
    assert interpolated(triangle, square, 0.5) == triangle
    joints = Keypoints((Keypoint("head", 0, 0), Keypoint("foot", 0, 10)))
    moved = Keypoints((Keypoint("foot", 2, 10), Keypoint("head", 2, 0)))
    assert interpolated(joints, moved, 0.5) == Keypoints((Keypoint("head", 1, 0), Keypoint("foot", 1, 10)))


angle = st.floats(-math.pi, math.pi)


@given(a=angle, b=angle, fraction=st.floats(0, 1))
def test_a_turn_between_two_turns_is_a_unit_and_ends_where_it_should(a: float, b: float, fraction: float) -> None:
    first, second = (math.cos(a), 0.0, 0.0, math.sin(a)), (math.cos(b), 0.0, 0.0, math.sin(b))
    between = slerp(first, second, fraction)
    assert math.hypot(*between) == pytest.approx(1)
    assert slerp(first, second, 0) == pytest.approx(first)
    end = slerp(first, second, 1)
    assert abs(sum(x * y for x, y in zip(end, second, strict=True))) == pytest.approx(1)
