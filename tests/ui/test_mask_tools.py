"""Masks without a window: strokes against a slow reading of what they cover, instances kept apart, conversions."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from store_canvas import SIZE, StoreCanvas, canvas_project, empty_canvas

from workstation.app.mask_edits import filled, outlined, parts, polygon_pixels, stroke, without_holes
from workstation.app.session import Session
from workstation.core.geometry import Mask, Polygon
from workstation.core.pixels import mask_pixels
from workstation.ui.tools import shape_edits
from workstation.ui.tools.canvas import Modifier, Pixels

Bits = NDArray[np.bool_]
BITS = arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Generator[Session, None, None]:
    with canvas_project(tmp_path_factory.mktemp("masks") / "project") as session:
        yield session


@pytest.fixture
def still(project: Session) -> StoreCanvas:
    canvas = empty_canvas(project, "still")
    canvas.hand.set_class("car")
    canvas.hand.set_ways(brush_px=20.0)
    return canvas


def whole(canvas: StoreCanvas, annotation: str) -> Bits:
    """The mask as stored, decoded and laid into the whole picture."""
    shape = canvas.shape_of(annotation)
    assert isinstance(shape, Mask)
    blob = canvas.session.store.blob(shape.blob)
    assert blob is not None
    picture = np.zeros((SIZE[1], SIZE[0]), np.bool_)
    pixels = mask_pixels(blob, shape.width, shape.height)
    assert pixels.sum() == shape.area_px
    picture[shape.y : shape.y + shape.height, shape.x : shape.x + shape.width] = pixels
    return picture


def capsule(start: tuple[float, float], end: tuple[float, float], reach: float) -> Bits:
    """Pixel by pixel: the centre lies within reach of the line."""
    down, across = np.indices((SIZE[1], SIZE[0])) + 0.5
    found: Bits = shapely.distance(shapely.LineString([start, end]), shapely.points(across, down)) <= reach
    return found


def test_what_is_stored_are_the_pixels_under_the_brush(still: StoreCanvas) -> None:
    still.pull(still.tool("brush"), (60.0, 60.0), (90.0, 70.0), (160.0, 110.0))
    assert still.active is not None, still.said
    expected = capsule((60, 60), (90, 70), 10) | capsule((90, 70), (160, 110), 10)
    assert np.array_equal(whole(still, still.active), expected)


def test_another_stroke_goes_into_the_same_mask_and_the_eraser_takes_away(still: StoreCanvas) -> None:
    brush = still.tool("brush")
    still.pull(brush, (60.0, 60.0), (100.0, 60.0))
    mask = still.active
    still.pull(brush, (60.0, 75.0), (100.0, 75.0))
    assert still.active == mask
    assert len(still.shapes()) == 1
    still.pull(still.tool("eraser"), (80.0, 40.0), (80.0, 100.0))
    assert mask is not None
    expected = (capsule((60, 60), (100, 60), 10) | capsule((60, 75), (100, 75), 10)) & ~capsule((80, 40), (80, 100), 10)
    assert np.array_equal(whole(still, mask), expected)


@pytest.mark.parametrize("take", [False, True])
def test_instances_are_kept_apart(still: StoreCanvas, take: bool) -> None:
    still.hand.set_ways(take_pixels=take)
    brush = still.tool("brush")
    still.pull(brush, (60.0, 60.0), (120.0, 60.0))
    first = still.active
    still.pull(brush, (100.0, 65.0), (160.0, 65.0), modifiers=Modifier.CTRL)
    second = still.active
    assert first is not None, still.said
    assert second is not None
    assert first != second
    one, two = capsule((60, 60), (120, 60), 10), capsule((100, 65), (160, 65), 10)
    assert np.array_equal(whole(still, first), one & ~two if take else one)
    assert np.array_equal(whole(still, second), two if take else two & ~one)
    if take:  # one gesture, one step: the first gets its pixels back
        still.session.undo()
        assert np.array_equal(whole(still, first), one)


def test_an_instance_painted_over_wholly_is_gone_and_comes_back_with_undo(still: StoreCanvas) -> None:
    still.hand.set_ways(take_pixels=True)
    brush = still.tool("brush")
    still.click(brush, (60.0, 60.0))
    first = still.active
    still.hand.set_ways(brush_px=60.0)
    still.click(brush, (60.0, 60.0), modifiers=Modifier.CTRL)
    assert first not in still.view.annotations
    still.session.undo()
    assert list(still.view.annotations) == [first]


def test_without_a_class_strokes_add_up_until_it_is_said(still: StoreCanvas) -> None:
    still.hand.set_class(None)
    brush = still.tool("brush")
    still.pull(brush, (60.0, 60.0), (90.0, 60.0))
    still.pull(brush, (60.0, 100.0), (90.0, 100.0))
    assert still.hand.waiting
    assert still.shapes() == []
    still.hand.say_class("car")
    assert still.active is not None, still.said
    expected = capsule((60, 60), (90, 60), 10) | capsule((60, 100), (90, 100), 10)
    assert np.array_equal(whole(still, still.active), expected)


def test_escape_in_a_stroke_leaves_the_mask(still: StoreCanvas) -> None:
    brush = still.tool("brush")
    still.click(brush, (60.0, 60.0))
    before = still.the_shape()
    brush.press(still.event((100.0, 100.0)))
    brush.move(still.event((120.0, 100.0)))
    assert brush.busy
    brush.cancel()
    brush.release(still.event((120.0, 100.0)))
    assert still.the_shape() == before
    assert still.previews == {}


def test_an_outline_fills_and_takes_away(still: StoreCanvas) -> None:
    ring = ((20.0, 20.0), (80.0, 20.0), (80.0, 80.0), (20.0, 80.0))
    tool = still.tool("mask_fill")
    still.click(tool, *ring, ring[0])
    hole = ((30.0, 30.0), (50.0, 30.0), (50.0, 50.0), (30.0, 50.0))
    still.click(tool, hole[0], modifiers=Modifier.ALT)
    still.click(tool, *hole[1:], hole[0], modifiers=Modifier.ALT)
    assert still.active is not None, still.said
    expected = np.zeros((SIZE[1], SIZE[0]), np.bool_)
    expected[20:80, 20:80] = True
    expected[30:50, 30:50] = False
    assert np.array_equal(whole(still, still.active), expected)
    shape_edits.fill_holes(still.canvas)
    expected[30:50, 30:50] = True
    assert np.array_equal(whole(still, still.active), expected)


def test_a_mask_becomes_a_polygon_and_a_mask_again(still: StoreCanvas) -> None:
    ring = ((20.0, 20.0), (80.0, 20.0), (80.0, 80.0), (20.0, 80.0))
    still.click(still.tool("mask_fill"), *ring, ring[0])
    shape_edits.to_polygons(still.canvas)
    shape = still.the_shape()
    assert isinstance(shape, Polygon)
    assert {tuple(map(float, each)) for each in shape.outer} == set(ring)
    shape_edits.to_masks(still.canvas)
    assert still.active is not None, still.said
    assert whole(still, still.active).sum() == 3600
    assert [still.view.class_of(each) for each in still.view.annotations.values()] == ["car"]


def test_pieces_become_instances_and_the_largest_stays(still: StoreCanvas) -> None:
    brush = still.tool("brush")
    still.pull(brush, (60.0, 60.0), (90.0, 60.0))
    still.click(brush, (60.0, 130.0))
    first = still.active
    shape_edits.part_masks(still.canvas)
    assert first is not None, still.said
    assert np.array_equal(whole(still, first), capsule((60, 60), (90, 60), 10))
    (other,) = set(still.view.annotations) - {first}
    assert np.array_equal(whole(still, other), capsule((60, 130), (60, 130), 10))


def test_only_what_was_touched_is_reported_fresh() -> None:
    layer = np.zeros((2160, 3840), np.bool_)
    touched = stroke(layer, (1000, 1000), (1010, 1004), 24, square=False, inside=True, kept=None)
    assert touched == (988, 988, 1022, 1016)
    rows, columns = np.nonzero(layer)
    assert 988 <= columns.min() <= columns.max() < 1022
    assert 988 <= rows.min() <= rows.max() < 1016


@given(st.tuples(st.floats(-10, 60), st.floats(-10, 60)), st.tuples(st.floats(-10, 60), st.floats(-10, 60)),
       st.floats(1, 20))  # fmt: skip
def test_a_square_brush_covers_what_the_pulled_square_covers(
    start: tuple[float, float], end: tuple[float, float], width: float
) -> None:
    layer = np.zeros((50, 50), np.bool_)
    stroke(layer, start, end, width, square=True, inside=True, kept=None)
    ends = [shapely.box(x - width / 2, y - width / 2, x + width / 2, y + width / 2) for x, y in (start, end)]
    swept = shapely.unary_union(ends).convex_hull
    for y in range(0, 50, 3):
        for x in range(0, 50, 3):
            centre = shapely.Point(x + 0.5, y + 0.5)
            if swept.boundary.distance(centre) > 1e-6:
                assert layer[y, x] == swept.contains(centre)


@given(BITS)
@example(np.array([[0, 1, 1, 1], [1, 0, 1, 1], [0, 1, 1, 1]], np.bool_))
def test_an_outline_fills_to_exactly_its_pixels(bits: Bits) -> None:
    made = outlined(bits, 3, 5, 0.0)
    again = np.zeros((30, 30), np.bool_)
    for polygon in made:
        assert shapely.Polygon(polygon.outer, polygon.holes).is_valid
        again ^= filled([polygon.outer, *polygon.holes], 30, 30)
    expected = np.zeros((30, 30), np.bool_)
    expected[5 : 5 + bits.shape[0], 3 : 3 + bits.shape[1]] = bits
    assert np.array_equal(again, expected)


@given(st.lists(st.tuples(st.floats(-5, 25), st.floats(-5, 25)), min_size=3, max_size=7))
def test_a_ring_fills_the_pixels_whose_centre_is_inside(ring: list[tuple[float, float]]) -> None:
    drawn = shapely.Polygon(ring)
    if not drawn.is_valid:
        return
    inside = filled([ring], 20, 20)
    for y in range(20):
        for x in range(20):
            centre = shapely.Point(x + 0.5, y + 0.5)
            if drawn.boundary.distance(centre) > 1e-9:
                assert inside[y, x] == drawn.contains(centre)


@given(BITS)
def test_parts_are_the_whole_and_do_not_touch(bits: Bits) -> None:
    again = np.zeros(bits.shape, np.int64)
    sizes = []
    for x, y, inside in parts(bits):
        again[y : y + inside.shape[0], x : x + inside.shape[1]] += inside
        sizes.append(int(inside.sum()))
    assert np.array_equal(again, bits.astype(np.int64))
    assert sizes == sorted(sizes, reverse=True)
    assert not (bits & ~without_holes(bits)).any()


def test_a_polygon_beyond_the_picture_gives_only_pixels_of_it() -> None:
    found = polygon_pixels(Polygon(((-20.0, -20.0), (10.0, -20.0), (10.0, 10.0), (-20.0, 10.0))), (100, 100))
    assert found is not None
    x, y, inside = found
    assert (x, y, inside.shape, bool(inside.all())) == (0, 0, (10, 10), True)
    assert polygon_pixels(Polygon(((-20.0, -20.0), (-10.0, -20.0), (-10.0, -9.0))), (100, 100)) is None


def test_a_mask_reaching_over_the_edge_is_clipped(still: StoreCanvas) -> None:
    still.pull(still.tool("brush"), (10.0, 60.0), (20.0, 60.0))
    mask = still.active
    assert mask is not None
    shape_edits.nudge(still.canvas, (-10, 0))
    shape = still.the_shape()
    assert isinstance(shape, Mask)
    assert shape.x < 0
    shape_edits.clip(still.canvas)
    shape = still.the_shape()
    assert isinstance(shape, Mask)
    assert shape.x == 0, still.said
    expected = capsule((0, 60), (10, 60), 10)
    assert np.array_equal(whole(still, mask), expected)
    assert math.isclose(shape.area_px, expected.sum())
    assert isinstance(still.canvas.mask_of(mask), Pixels)
