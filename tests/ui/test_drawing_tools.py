"""Drawing without a window: what each tool makes of clicks, pulls and keys, in a real store."""

from __future__ import annotations

import math
from collections.abc import Generator

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from store_canvas import FRAME_NS, StoreCanvas, canvas_project, empty_canvas

from workstation.app.session import Session
from workstation.core.geometry import Box, Keypoints, Point, PointState, Polygon, Polyline
from workstation.ui.tools import box_handles
from workstation.ui.tools.box_handles import GRIPS
from workstation.ui.tools.canvas import Modifier
from workstation.ui.tools.draw_points import turned_box

SQUARE = ((20.0, 20.0), (120.0, 20.0), (120.0, 120.0), (20.0, 120.0))
PLACES = st.tuples(st.floats(0, 300), st.floats(0, 180))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Generator[Session, None, None]:
    with canvas_project(tmp_path_factory.mktemp("shapes") / "project") as session:
        yield session


@pytest.fixture
def still(project: Session) -> StoreCanvas:
    """An empty picture."""
    return empty_canvas(project, "still")


@pytest.fixture
def film(project: Session) -> StoreCanvas:
    """An empty film."""
    return empty_canvas(project, "front")


def draw_square(canvas: StoreCanvas) -> str:
    canvas.hand.set_class("car")
    canvas.click(canvas.tool("polygon"), *SQUARE, SQUARE[0])
    assert canvas.active is not None, canvas.said
    return canvas.active


# --- polygons ---------------------------------------------------------------------------------------------------


def test_clicks_make_a_polygon_and_the_first_point_closes_it(still: StoreCanvas) -> None:
    draw_square(still)
    assert still.the_shape() == Polygon(SQUARE)


def test_backspace_takes_back_the_last_point_and_enter_finishes(still: StoreCanvas) -> None:
    still.hand.set_class("car")
    tool = still.tool("polygon")
    still.click(tool, *SQUARE[:3], (300.0, 180.0))
    assert still.key(tool, "Backspace")
    assert still.key(tool, "Return")
    assert still.the_shape() == Polygon(SQUARE[:3])


@pytest.mark.parametrize(
    ("name", "clicks"),
    [("polygon", SQUARE), ("polyline", SQUARE[:3]), ("rotated_box", [(40.0, 40.0), (90.0, 40.0), (90.0, 70.0)]),
     ("extreme_box", [(40.0, 60.0), (70.0, 40.0), (100.0, 60.0), (70.0, 90.0)]), ("box", [(40.0, 40.0), (90.0, 70.0)]),
     ("keypoints", [(60.0, 20.0 + 9.0 * each) for each in range(5)])],
)  # fmt: skip
def test_undo_and_redo_of_points_leave_the_shape_as_without_them(
    still: StoreCanvas, name: str, clicks: list[tuple[float, float]]
) -> None:
    """After each click all are taken back and set again: the shape is the one of the clicks alone."""
    still.hand.set_class({"keypoints": "pedestrian", "polyline": "lane_marking"}.get(name, "car"))
    wanted = []
    for waver in (False, True):
        tool = still.tool(name)
        for number, place in enumerate(clicks, 1):
            still.click(tool, place)
            if waver and tool.busy:
                assert [still.key(tool, "Undo") for _ in range(number + 1)] == [True] * number + [False]
                assert (tool.busy, still.previews) == (False, {})  # what is taken back next was done before
                still.click(tool, *clicks[:number])
                assert [still.key(tool, "Undo") for _ in range(number)] == [True] * number
                assert [still.key(tool, "Redo") for _ in range(number)] == [True] * number
                assert still.key(tool, "Redo")  # nothing is left to be set again, and nothing older is done again
        if tool.busy:
            still.key(tool, "Return")
        assert (tool.busy, still.previews) == (False, {}), still.said
        wanted.append(still.the_shape())
        still.session.undo()
    assert wanted[0] == wanted[1]


def test_undo_gives_up_what_waits_for_its_class_and_redo_lets_it_wait_again(still: StoreCanvas) -> None:
    draw_square(still)
    still.session.undo()
    still.hand.set_class(None)
    still.click(still.tool("polygon"), *SQUARE, SQUARE[0])
    waits = dict(still.previews)
    assert still.hand.waiting
    still.hand.give_up_drawn()
    assert not still.hand.waiting
    still.previews.clear()
    assert still.hand.draw_again()
    assert (still.hand.waiting, still.previews) == (True, waits)
    still.hand.give_up_drawn()
    still.item = 1  # another picture
    assert still.hand.draw_again()
    assert not still.hand.waiting
    assert "stays given up" in still.said[-1]
    assert not still.hand.draw_again()
    still.item = 0
    still.click(still.tool("polygon"), *SQUARE, SQUARE[0])
    still.hand.give_up_drawn()
    still.hand.forget_given_up()
    assert not still.hand.draw_again()


def test_escape_leaves_nothing(still: StoreCanvas) -> None:
    tool = still.tool("polygon")
    still.click(tool, *SQUARE)
    assert tool.busy
    tool.cancel()
    assert (tool.busy, still.previews, still.shapes(), still.hand.waiting) == (False, {}, [], False)


def test_a_ring_begun_with_control_is_a_hole(still: StoreCanvas) -> None:
    draw_square(still)
    hole = ((40.0, 40.0), (60.0, 40.0), (60.0, 60.0))
    tool = still.tool("polygon")
    still.click(tool, hole[0], modifiers=Modifier.CTRL)
    still.click(tool, *hole[1:], hole[0])
    shape = still.the_shape()
    assert shape == Polygon(SQUARE, (hole,))


def test_a_hole_over_the_border_cuts_it_away_and_one_that_parts_it_is_refused(still: StoreCanvas) -> None:
    draw_square(still)
    for ring, area in (
        (((100.0, 30.0), (140.0, 30.0), (140.0, 60.0), (100.0, 60.0)), 10_000 - 20 * 30),
        (((10.0, 70.0), (130.0, 70.0), (130.0, 90.0), (10.0, 90.0)), 10_000 - 20 * 30),
    ):
        tool = still.tool("polygon")
        still.click(tool, ring[0], modifiers=Modifier.CTRL)
        still.click(tool, *ring[1:], ring[0])
        shape = still.the_shape()
        assert isinstance(shape, Polygon)
        assert shapely.Polygon(shape.outer, shape.holes).area == pytest.approx(area)
    assert "in two" in still.said[-1]


def test_a_ring_by_hand_keeps_the_corners_it_needs(still: StoreCanvas) -> None:
    still.hand.set_class("car")
    circle = [
        (150 + 60 * math.cos(step / 60 * math.tau), 100 + 60 * math.sin(step / 60 * math.tau)) for step in range(61)
    ]
    still.pull(still.tool("polygon"), *circle)
    shape = still.the_shape()
    assert isinstance(shape, Polygon)
    assert 8 < len(shape.outer) < 45
    assert shapely.Polygon(shape.outer).area == pytest.approx(math.pi * 3600, rel=0.03)


def test_an_outline_that_crosses_itself_is_mended_and_said(still: StoreCanvas) -> None:
    still.hand.set_class("car")
    tool = still.tool("polygon")
    still.click(tool, (20.0, 20.0), (120.0, 120.0), (120.0, 20.0), (20.0, 80.0))
    still.key(tool, "Return")
    shape = still.the_shape()
    assert isinstance(shape, Polygon)
    assert shapely.Polygon(shape.outer).is_valid
    assert "crossed itself" in still.said[-1]


def test_snapping_shares_the_border_of_a_neighbour(still: StoreCanvas) -> None:
    draw_square(still)
    still.hand.set_ways(snap=True)
    tool = still.tool("polygon")
    # from the upper right corner's left along the border: the corner between is taken over
    still.click(tool, (60.0, 21.0), (121.0, 70.0), (180.0, 70.0), (180.0, 5.0), (60.0, 5.0))
    still.key(tool, "Return")
    drawn = next(each for each in still.shapes() if each != Polygon(SQUARE))
    assert isinstance(drawn, Polygon)
    assert drawn.outer[:3] == ((60.0, 20.0), (120.0, 20.0), (120.0, 70.0))
    overlap = shapely.Polygon(drawn.outer).intersection(shapely.Polygon(SQUARE))
    assert overlap.area == pytest.approx(0)


def test_a_line_and_a_point(still: StoreCanvas) -> None:
    ontology = still.view.ontology
    assert ontology is not None
    tool = still.tool("polyline")
    still.click(tool, (10.0, 10.0), (50.0, 20.0), (90.0, 10.0))
    assert tool.double_click(still.event((90.0, 10.0)))
    (line,) = still.previews.values()
    assert line == Polyline(((10.0, 10.0), (50.0, 20.0), (90.0, 10.0)))
    still.click(still.tool("point"), (33.0, 44.0))
    (point,) = still.previews.values()
    assert point == Point(33.0, 44.0)


# --- boxes by points --------------------------------------------------------------------------------------------


def test_a_box_by_its_extreme_points(still: StoreCanvas) -> None:
    still.hand.set_class("car")
    still.click(still.tool("extreme_box"), (60.0, 10.0), (110.0, 50.0), (20.0, 40.0), (70.0, 90.0))
    assert still.the_shape() == Box(20.0, 10.0, 90.0, 80.0)


@given(PLACES, PLACES, PLACES)
def test_a_turned_box_goes_through_its_three_clicks(start: tuple[float, float], end: tuple[float, float],
                                                    reach: tuple[float, float]) -> None:  # fmt: skip
    box = turned_box(start, end, reach)
    if box is None:
        area = abs((end[0] - start[0]) * (reach[1] - start[1]) - (end[1] - start[1]) * (reach[0] - start[0]))
        assert area <= max(2.0, 1.1 * math.dist(start, end)) or math.dist(start, end) < 1
        return
    ring = shapely.LinearRing(box_handles.corners(box))
    slack = 1e-3 + 2e-5 * max(box.width, box.height)  # angles are kept to a thousandth of a degree
    for place in (start, end):
        assert ring.distance(shapely.Point(place)) < slack
    assert abs(abs(box_handles.in_box(box, reach)[1]) - box.height / 2) < slack + 1e-4 * math.dist(start, reach)


@given(
    st.builds(Box, x=st.floats(0, 100), y=st.floats(0, 100), width=st.floats(4, 90), height=st.floats(4, 90),
              angle_deg=st.floats(-180, 180)),
    st.sampled_from(GRIPS), PLACES, st.booleans(),
)  # fmt: skip
def test_proportion_and_middle_are_kept_when_asked(box: Box, grip: box_handles.Grip, place: tuple[float, float],
                                                   central: bool) -> None:  # fmt: skip
    made = box_handles.dragged(box, grip, place, aspect=True, central=central)
    assert made.width / made.height == pytest.approx(box.width / box.height, rel=1e-6)
    if central:
        assert math.dist(box_handles.centre(made), box_handles.centre(box)) < 1e-6
    elif grip.across and grip.down:
        opposite = box_handles.Grip(-grip.across, -grip.down)
        assert math.dist(box_handles.place_of(made, opposite, 1.0), box_handles.place_of(box, opposite, 1.0)) < 1e-6


# --- skeletons --------------------------------------------------------------------------------------------------


def test_a_skeleton_is_placed_in_the_order_of_the_ontology(still: StoreCanvas) -> None:
    still.hand.set_class("pedestrian")
    tool = still.tool("keypoints")
    still.click(tool, (50.0, 20.0))
    assert "left shoulder (2 of 13)" in tool.hints().text
    still.click(tool, (60.0, 40.0), modifiers=Modifier.SHIFT)
    assert still.key(tool, "X")
    still.click(tool, (70.0, 60.0), (1.0, 1.0))
    still.key(tool, "Backspace")
    assert still.key(tool, "Return")
    shape = still.the_shape()
    assert isinstance(shape, Keypoints)
    states = [point.state for point in shape.points]
    assert states[:4] == [PointState.VISIBLE, PointState.OCCLUDED, PointState.ABSENT, PointState.VISIBLE]
    assert set(states[4:]) == {PointState.ABSENT}
    assert [(p.name, p.x, p.y) for p in shape.points[:2]] == [("nose", 50, 20), ("left_shoulder", 60, 40)]
    assert shape.points[3].name == "left_elbow"


# --- the class --------------------------------------------------------------------------------------------------


def test_draw_then_class_and_only_what_the_ontology_allows(still: StoreCanvas) -> None:
    tool = still.tool("keypoints")
    for place in range(13):
        still.click(tool, (10.0 + 5 * place, 30.0))
    assert still.hand.waiting
    assert still.hand.fits("pedestrian")
    assert not still.hand.fits("car")
    assert still.hand.say_class("car")
    assert still.hand.waiting  # it still waits, and the person was told
    assert "may not be drawn" in still.said[-1]
    assert still.shapes() == []
    still.hand.say_class("pedestrian")
    assert (len(still.shapes()), still.hand.waiting, still.previews) == (1, False, {})


def test_class_then_draw_and_the_tool_stays(still: StoreCanvas) -> None:
    still.hand.set_class("car")
    tool = still.tool("extreme_box")
    still.click(tool, (60.0, 10.0), (110.0, 50.0), (20.0, 40.0), (70.0, 90.0))
    still.click(tool, (160.0, 10.0), (210.0, 50.0), (120.0, 40.0), (170.0, 90.0))
    assert len(still.shapes()) == 2
    assert still.hand.tool == "extreme_box"


def test_a_shape_on_a_film_begins_a_track_there(film: StoreCanvas) -> None:
    film.show(3)
    made = draw_square(film)
    (keyframe,) = film.view.keyframes(made)
    assert (keyframe.time_ns, keyframe.shape) == (3 * FRAME_NS, Polygon(SQUARE))
