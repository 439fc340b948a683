"""When a link must be looked at again: small changes do not count, together they do, and undoing them does not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.annotation import EndValue, Interpolation
from workstation.core.geometry import (
    Band,
    Box,
    Cuboid,
    Curve,
    Keypoint,
    Keypoints,
    Mask,
    Measurement,
    Point,
    Point3D,
    PointSet,
    PointState,
    Polygon,
    Polyline,
    Polyline3D,
    Shape,
    TextSpan,
)
from workstation.core.staleness import MAX_KEYFRAMES, Limits, significant_change

_SQUARE = ((0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0))
_HALF_TURN = math.sqrt(0.5)


def change(old: Shape, new: Shape, limits: Limits | None = None) -> str | None:
    """What is said of a change of shape."""
    return significant_change(EndValue(shape=old), EndValue(shape=new), limits or Limits())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (Box(0, 0, 100, 80), Box(10, 0, 100, 80), None),
        (Box(0, 0, 100, 80), Box(40, 0, 100, 80), "box moved 40 px"),
        (Box(0, 0, 100, 80), Box(3, 4, 100, 80), None),
        (Box(0, 0, 12, 12), Box(6, 0, 12, 12), "box moved 6 px"),
        (Box(0, 0, 100, 80), Box(-10, 0, 120, 80), "box resized by 20 px"),
        (Box(0, 0, 100, 80), Box(0, 0, 100, 80, 358), None),
        (Box(0, 0, 100, 80), Box(0, 0, 100, 80, 350), "box turned 10°"),
        (Box(0, 0, 100, 80), Box(math.nan, 0, 100, 80), "box moved nan px"),
        (Point(0, 0), Point(3, 4), None),
        (Point(0, 0), Point(6, 8), "point moved 10 px"),
        (Point3D(0, 0, 0), Point3D(0, 0, 1), "point moved 1 m"),
        (Polygon(_SQUARE), Polygon(((5.0, 0.0), *_SQUARE[1:])), None),
        (Polygon(_SQUARE), Polygon((*_SQUARE[:2], (130.0, 100.0), _SQUARE[3])),
         "outline moved 30 px, area changed by 15%"),
        (Polygon(_SQUARE), Polygon((_SQUARE[0], _SQUARE[1], (50.0, 50.0), *_SQUARE[2:])), "area changed by 25%"),
        (Polyline(_SQUARE), Polyline(_SQUARE[:-1]), None),
        (Polyline(_SQUARE), Polyline(((0.0, 20.0), *_SQUARE[1:])), "line moved 20 px"),
        (Polyline3D(((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))), Polyline3D(((0.0, 0.5, 0.0), (1.0, 0.0, 0.0))),
         "line moved 0.5 m"),
        (Cuboid((0, 0, 0), (4, 2, 1.5)), Cuboid((0.1, 0, 0), (4, 2, 1.5)), None),
        (Cuboid((0, 0, 0), (4, 2, 1.5)), Cuboid((3, 4, 0), (4, 2, 1.5)), "cuboid moved 5 m"),
        (Cuboid((0, 0, 0), (4, 2, 1.5)), Cuboid((0, 0, 0), (5, 2, 1.5)), "cuboid resized by 1 m"),
        (Cuboid((0, 0, 0), (4, 2, 1.5)), Cuboid((0, 0, 0), (4, 2, 1.5), (_HALF_TURN, 0, 0, _HALF_TURN)),
         "cuboid turned 90°"),
        (Cuboid((0, 0, 0), (4, 2, 1.5)), Cuboid((0, 0, 0), (4, 2, 1.5), (-1, 0, 0, 0)), None),
        (Mask("a" * 64, 0, 0, 100, 100, 5000), Mask("b" * 64, 2, 0, 100, 100, 5100), None),
        (Mask("a" * 64, 0, 0, 100, 100, 5000), Mask("b" * 64, 0, 0, 100, 100, 9000), "mask's area changed by 80%"),
        (Mask("a" * 64, 0, 0, 100, 100, 5000), Mask("b" * 64, 30, 0, 100, 100, 5000), "mask moved 30 px"),
        (PointSet("a" * 64, 100), PointSet("b" * 64, 102), None),
        (PointSet("a" * 64, 100), PointSet("b" * 64, 100), "points exchanged"),
        (PointSet("a" * 64, 100), PointSet("b" * 64, 50), "number of points changed by 50%"),
        (TextSpan(((0, 3),), "car"), TextSpan(((7, 10),), "car"), None),
        (TextSpan(((0, 3),), "car"), TextSpan(((0, 3),), "bus"), "text span changed"),
        (TextSpan(((0, 3),)), TextSpan(((1, 4),)), "text span changed"),
        (Band(100, 200), Band(105, 200), None),
        (Band(100, 200), Band(100, 300), "band moved 100 Hz"),
        (Measurement("diameter", 2.3, "cm"), Measurement("diameter", 2.35, "cm"), None),
        (Measurement("diameter", 2.3, "cm"), Measurement("diameter", 3, "cm"), "diameter changed from 2.3 to 3 cm"),
        (Measurement("diameter", 2.3, "cm"), Measurement("diameter", 2.3, "mm"), "another quantity is measured"),
        (Curve(((0, 0.0), (10, 10.0))), Curve(((0, 0.0), (5, 5.2), (10, 10.0))), None),
        (Curve(((0, 0.0), (10, 10.0))), Curve(((0, 0.0), (5, 9.0), (10, 10.0))), "curve changed by 4"),
        (Box(0, 0, 9, 9), Point(1, 1), "shape changed from box to point"),
        (Keypoints((Keypoint("nose", 0, 0),)), Keypoints((Keypoint("nose", 0, 0, PointState.OCCLUDED),)),
         "keypoint nose is occluded"),
        (Keypoints((Keypoint("nose", 0, 0),)), Keypoints((Keypoint("nose", 20, 0),)), "keypoint nose moved 20 px"),
        (Keypoints((Keypoint("nose", 0, 0),)), Keypoints((Keypoint("eye", 0, 0),)),
         "keypoint eye added, keypoint nose removed"),
    ],
)  # fmt: skip
def test_what_counts(old: Shape, new: Shape, said: str | None) -> None:
    assert change(old, new) == said
    assert change(old, old) is None


def test_class_text_and_interval() -> None:
    old = EndValue(class_id="car", text="the car", start_ns=0, end_ns=1_000_000_000)
    for fields, said in (
        ({"class_id": "truck"}, "class changed from car to truck"),
        ({"text": "the Car"}, "text changed"),
        ({"start_ns": 50_000_000}, None),
        ({"start_ns": 51_000_000}, "start moved 51 ms"),
        ({"end_ns": None}, "end removed"),
    ):
        new = {"class_id": "car", "text": "the car", "start_ns": 0, "end_ns": 1_000_000_000, **fields}
        assert significant_change(old, EndValue(**new)) == said  # type: ignore[arg-type]


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60))
def test_small_changes_add_up_from_the_confirmed_value(nudges: list[float]) -> None:
    """However a box wanders, only where it stands now counts."""
    confirmed = box = Box(0, 0, 200, 200)
    for nudge in nudges:
        box = Box(box.x + nudge, 0, 200, 200)
    assert (change(confirmed, box) is None) == (abs(box.x) <= 10 * (1 + 1e-9))


def test_ten_nudges_none_forty_pixels_one_and_back_none() -> None:
    confirmed = Box(50, 50, 120, 90)
    assert change(confirmed, Box(60, 50, 120, 90)) is None
    assert change(confirmed, Box(90, 50, 120, 90)) == "box moved 40 px"
    assert change(confirmed, confirmed) is None


def _track(xs: list[float], step: int = 10) -> EndValue:
    return EndValue(keyframes=tuple((i * step, Box(x, 0, 100, 100)) for i, x in enumerate(xs)))


def test_tracks_are_compared_where_either_has_a_keyframe() -> None:
    confirmed = _track([0, 100, 200])
    assert significant_change(confirmed, _track([0, 105, 200])) is None
    assert significant_change(confirmed, _track([0, 150, 200])) == "box moved 50 px at 0.000 s"
    denser = EndValue(keyframes=((0, Box(0, 0, 100, 100)), (5, Box(50, 0, 100, 100)), (20, Box(200, 0, 100, 100))))
    assert significant_change(confirmed, denser) is None  # other keyframes, same path
    bent = EndValue(keyframes=(*confirmed.keyframes[:1], (5, Box(90, 0, 100, 100)), *confirmed.keyframes[1:]))
    assert "moved 40 px" in str(significant_change(confirmed, bent))
    assert significant_change(confirmed, EndValue()) == "track lost its shapes"
    held = EndValue(keyframes=(*confirmed.keyframes[:1], (5, Box(0, 0, 100, 100)), *confirmed.keyframes[1:]))
    assert significant_change(confirmed, held, interpolation=Interpolation.HOLD) is None
    assert significant_change(confirmed, held) is not None


def test_a_long_track_is_compared_at_its_samples() -> None:
    xs = [float(i % 7) * 30 for i in range(5 * MAX_KEYFRAMES)]
    whole = tuple((i * 10, Box(x, 0, 100, 100)) for i, x in enumerate(xs))
    sampled = EndValue(keyframes=whole[:: len(whole) // MAX_KEYFRAMES][:MAX_KEYFRAMES])
    assert significant_change(sampled, sampled, all_keyframes=whole) is None
    moved = tuple((t, Box(b.x + 40, 0, 100, 100)) for t, b in whole)
    assert "moved 40 px" in str(significant_change(sampled, EndValue(keyframes=sampled.keyframes), all_keyframes=moved))


def test_tolerances_of_the_project_win() -> None:
    limits = Limits.of({"stale_box_px": 50.0, "stale_box_share": 1.0, "stale_nothing": 1.0, "iou": 0.5})
    assert (limits.box_px, limits.point_px) == (50.0, Limits().point_px)
    assert change(Box(0, 0, 100, 80), Box(40, 0, 100, 80), limits) is None


@given(st.floats(), st.floats())
def test_whatever_numbers_come_something_is_said_or_nothing(x: float, width: float) -> None:
    said = change(Box(0, 0, 10, 10), Box(x, 0, width, 10))
    calm = abs(x + width / 2 - 5) <= 2.5 and abs(width - 10) <= 2.5
    assert (said is None) == calm
