"""What is painted over pictures: a golden picture of every shape in every standing, and laws of labels and of tone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from strict_golden import assert_golden, pixels_of
from workstation.app.light import eight_bits
from workstation.app.looks import Paint
from workstation.app.picture_scene import Drawn, OnPicture
from workstation.app.picture_shapes import Lines, bounds_of, distance, hull, lines_of, size_of
from workstation.core.geometry import (
    Box,
    Keypoint,
    Keypoints,
    Mask,
    Point,
    PointState,
    Polygon,
    Polyline,
    Shape,
)
from workstation.core.ontology import Mark, Pattern, Skeleton
from workstation.core.tracks import MomentKind
from workstation.media.base import Picture, Region, Window
from workstation.ui.scenes.frame_item import PLAIN, Tone, painted
from workstation.ui.scenes.labels import Wanted, placed
from workstation.ui.scenes.overlays import Marks, Overlay, OverlayLook
from workstation.ui.scenes.viewport import FIT, Viewport

SKELETON = Skeleton(id="stick", points=("head", "hip", "foot"), edges=(("head", "hip"), ("hip", "foot")))


def drawn(
    name: str, shape: Shape, colour: str, pattern: Pattern = Pattern.SOLID, *, between: bool = False,
    occluded: bool = False,
) -> Drawn:  # fmt: skip
    kind = MomentKind.INTERPOLATED if between else MomentKind.KEYFRAME
    paint = Paint(colour, Mark.CIRCLE, pattern)
    return Drawn(name, shape, lines_of(shape), kind, occluded, False, paint, name, "thing", size_of(shape))


def ring_mask(_shape: Mask) -> np.ndarray:
    y, x = np.mgrid[:60, :60]
    away = np.hypot(x - 29.5, y - 29.5)
    return np.asarray((away < 28) & (away > 12))


def skeleton_of(_class_id: str | None) -> Skeleton:
    return SKELETON


def shapes() -> Iterator[Drawn]:
    yield drawn("plain", Box(10, 10, 80, 50), "#56b4e9")
    yield drawn("between", Box(110, 10, 80, 50), "#e69f00", between=True)
    yield drawn("occluded", Box(210, 10, 80, 50), "#2fb58a", occluded=True)
    yield drawn("both", Box(310, 10, 80, 50), "#cc79a7", between=True, occluded=True)
    yield drawn("selected", Box(10, 90, 80, 50, 20), "#f0e442")
    yield drawn("hovered", Box(110, 90, 80, 50), "#d55e00")
    yield drawn("related", Box(210, 90, 80, 50), "#7fa8ff")
    hole = ((340.0, 105.0), (360.0, 105.0), (350.0, 125.0))
    outer = ((310.0, 90.0), (390.0, 90.0), (370.0, 140.0), (320.0, 140.0))
    yield drawn("holed", Polygon(outer, (hole,)), "#8fd3c1", Pattern.HATCHED)
    yield drawn("line", Polyline(((10.0, 170.0), (50.0, 220.0), (90.0, 170.0))), "#ffb777")
    joints = (
        Keypoint("head", 130, 165),
        Keypoint("hip", 150, 195, PointState.OCCLUDED),
        Keypoint("foot", 135, 225),
    )
    yield drawn("bones", Keypoints(joints), "#b58fd6")
    yield drawn("mask", Mask("0" * 64, 210, 165, 60, 60, 2000), "#66a3a3")
    yield drawn("point", Point(330, 195), "#ff8f7a")


def test_every_shape_in_every_standing(qapp: QApplication) -> None:
    assert qapp is not None
    image = QImage(800, 480, QImage.Format.Format_RGB32)
    image.fill(0x606468)
    painter = QPainter(image)
    viewport = Viewport(picture_px=(400, 240), area=(800.0, 480.0))
    marks = Marks(selected=frozenset({"selected"}), related=frozenset({"related", "selected"}), hovered="hovered")
    overlay = Overlay(painter, viewport, marks, OverlayLook(names=False), ring_mask, skeleton_of)
    overlay.paint(OnPicture(tuple(shapes())), [])
    painter.end()
    assert_golden(image, __file__, "overlay_shapes")


def test_a_hole_is_not_filled_and_the_inside_is(qapp: QApplication) -> None:
    """Against pixels worked out here: fill lies inside the outer ring and outside of the hole."""
    assert qapp is not None
    image = QImage(200, 200, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    viewport = Viewport(picture_px=(100, 100), area=(200.0, 200.0))
    polygon = Polygon(
        ((10.0, 10.0), (90.0, 10.0), (90.0, 90.0), (10.0, 90.0)),
        (((40.0, 40.0), (60.0, 40.0), (60.0, 60.0), (40.0, 60.0)),),
    )
    look = OverlayLook(fill=1.0, names=False)
    Overlay(painter, viewport, Marks(), look, ring_mask, skeleton_of).paint(
        OnPicture((drawn("a", polygon, "#00ff00"),)), []
    )
    painter.end()
    pixels = pixels_of(image)
    assert pixels[50, 50].tolist() == [0, 255, 0]
    assert pixels[100, 100].tolist() == [0, 0, 0]
    assert pixels[5, 5].tolist() == [0, 0, 0]


RECTS = st.builds(
    lambda x, y, w, h: Wanted(w, h, (x, y, x + 30, y + 20)),
    st.floats(0, 600), st.floats(0, 400), st.floats(10, 120), st.floats(10, 20),
)  # fmt: skip


@given(st.lists(RECTS, max_size=40))
def test_no_label_lies_over_another_or_leaves_the_screen(wanted: list[Wanted]) -> None:
    found = [(w, p) for w, p in zip(wanted, placed(wanted, (640.0, 480.0)), strict=True) if p is not None]
    assert len(found) >= min(1, len(wanted))
    for i, (label, (x, y)) in enumerate(found):
        assert 0 <= x <= 640 - label.width
        assert 0 <= y <= 480 - label.height
        for other, (x2, y2) in found[:i]:
            apart = x + label.width <= x2 or x2 + other.width <= x or y + label.height <= y2 or y2 + other.height <= y
            assert apart


def test_what_is_selected_has_its_name_even_without_room() -> None:
    wanted = [Wanted(600.0, 470.0, (0.0, 0.0, 10.0, 10.0)), Wanted(600.0, 470.0, (0, 0, 9, 9), needed=True)]
    assert placed(wanted, (640.0, 480.0))[1] is not None


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=20))
def test_the_hull_holds_every_place(places: list[tuple[int, int]]) -> None:
    around = hull(np.array(places, np.float64))
    if len(around) >= 3:
        lines = Lines(rings=(around,))
        assert all(distance(lines, place) < 1e-9 for place in places)
        assert bounds_of(around) == pytest.approx(bounds_of(np.array(places)))
        assert {tuple(corner) for corner in around.tolist()} <= set(places)


def test_distance_is_nought_inside_and_to_the_edge_outside() -> None:
    lines = lines_of(Box(10, 10, 20, 10))
    assert distance(lines, (15, 15)) == 0
    assert distance(lines, (10, 25)) == pytest.approx(5)
    holed = lines_of(Polygon(((0.0, 0.0), (30.0, 0.0), (30.0, 30.0), (0.0, 30.0)),
                             (((10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0)),)))  # fmt: skip
    assert distance(holed, (15, 14)) == pytest.approx(4)
    assert distance(holed, (5, 5)) == 0


@given(
    st.tuples(st.integers(1, 5000), st.integers(1, 5000)), st.tuples(st.floats(20, 3000), st.floats(20, 3000)),
    st.lists(st.tuples(st.floats(-4, 4), st.floats(0, 1), st.floats(0, 1)), max_size=6),
)  # fmt: skip
def test_the_way_to_the_screen_and_back(
    size: tuple[int, int], area: tuple[float, float], turns: list[tuple[float, float, float]]
) -> None:
    viewport = Viewport(picture_px=size, area=area)
    for steps, across, down in turns:
        at = (area[0] * across, area[1] * down)
        viewport = Viewport(picture_px=size, area=area, zoom=viewport.zoomed(1.2**steps, at))
        assert viewport.scale >= viewport.fit_scale * 0.999
        place = (size[0] * across, size[1] * down)
        assert viewport.to_picture(viewport.to_screen(place)) == pytest.approx(place, abs=1e-6 * max(size))
        wanted = viewport.wanted()
        shown, part = viewport.shown, wanted.region
        if part is not None:  # what is decoded holds what is seen
            assert part.left <= shown.left
            assert part.top <= shown.top
            assert part.right >= shown.right
            assert part.bottom >= shown.bottom
    assert Viewport(picture_px=size, area=area, zoom=FIT).wanted().region is None


def whole(pixels: np.ndarray) -> Picture:
    height, width = pixels.shape[:2]
    return Picture(pixels=pixels, region=Region(0, 0, width, height), width_px=width, height_px=height)


def test_pixels_reach_the_screen_unchanged() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    colour = np.random.default_rng(1).integers(0, 255, (7, 13, 3), np.uint8)
    np.testing.assert_array_equal(pixels_of(painted(whole(grey), PLAIN))[..., 1], grey)
    np.testing.assert_array_equal(pixels_of(painted(whole(colour), PLAIN)), colour)
    odd = colour[:, 2:9]  # not contiguous
    np.testing.assert_array_equal(pixels_of(painted(whole(odd), PLAIN)), odd)


def test_a_window_spreads_its_values_over_all_greys() -> None:
    values = np.array([[-1000, -160, 40, 240, 3000]], np.float32)
    levels = eight_bits(values, Window("soft tissue", 40.0, 400.0))
    assert levels.tolist() == [[0, 0, 128, 255, 255]]
    assert eight_bits(np.array([[np.nan, 5.0]], np.float32), Window("w", 5.0, 1.0))[0, 0] == 0
    assert eight_bits(np.full((2, 2), np.nan, np.float32), None).max() == 0
    deep = np.array([[0, 65535]], np.uint16)
    assert eight_bits(deep, None).tolist() == [[0, 255]]


def test_brightness_contrast_and_gamma_go_the_way_they_say() -> None:
    grey = np.array([[0, 64, 128, 192, 255]], np.uint8)

    def toned(**how: float) -> list[int]:
        return [int(v) for v in pixels_of(painted(whole(grey), Tone(**how)))[0, :, 0]]  # type: ignore[arg-type]

    assert toned(brightness=0.1) > toned()
    assert toned(brightness=1.0) == [255] * 5
    flat = toned(contrast=0.1)
    assert flat[-1] - flat[0] < 30
    assert toned(gamma=2.0)[2] > 128 > toned(gamma=0.5)[2]
    assert toned(gamma=2.0)[::4] == [0, 255]
