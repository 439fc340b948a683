"""Selecting, moving points, nudging and clipping without a window; and the law that undo reverses one gesture."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from store_canvas import StoreCanvas, canvas_project, contents, empty_canvas

from workstation.app.session import Session
from workstation.core.geometry import Box, Keypoint, Keypoints, Point, PointState, Polygon, Polyline, Shape
from workstation.ui.tools import shape_edits, vertices
from workstation.ui.tools.canvas import Modifier
from workstation.ui.tools.state import Bursts

SQUARE = ((20.0, 20.0), (120.0, 20.0), (120.0, 120.0), (20.0, 120.0))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Generator[Session, None, None]:
    with canvas_project(tmp_path_factory.mktemp("editing") / "project") as session:
        yield session


@pytest.fixture
def still(project: Session) -> StoreCanvas:
    return empty_canvas(project, "still")


def put(canvas: StoreCanvas, shape: Shape, class_id: str = "car") -> str:
    made = canvas.run("annotation.add", stream=canvas.stream.id, class_id=class_id, shape=shape)
    assert made is not None, canvas.said
    canvas.select((made,))
    return str(made)


# --- points -----------------------------------------------------------------------------------------------------


def test_a_point_is_pulled_and_the_others_stay(still: StoreCanvas) -> None:
    put(still, Polygon(SQUARE))
    still.pull(still.tool("select"), SQUARE[1], (130.0, 10.0), (140.0, 12.0))
    assert still.the_shape() == Polygon((SQUARE[0], (140.0, 12.0), *SQUARE[2:]))


def test_the_middle_of_an_edge_becomes_a_point_and_alt_takes_it_out(still: StoreCanvas) -> None:
    put(still, Polygon(SQUARE))
    tool = still.tool("select")
    still.pull(tool, (70.0, 20.0), (70.0, 10.0), (70.0, 2.0))
    assert still.the_shape() == Polygon((SQUARE[0], (70.0, 2.0), *SQUARE[1:]))
    still.click(tool, (70.0, 2.0), modifiers=Modifier.ALT)
    assert still.the_shape() == Polygon(SQUARE)


def test_a_held_point_is_nudged_and_deleted_by_keys(still: StoreCanvas) -> None:
    put(still, Polygon(SQUARE))
    tool = still.tool("select")
    still.click(tool, SQUARE[2])
    states = [tool.busy]
    still.key(tool, "Right")
    still.key(tool, "Down", Modifier.SHIFT)
    assert still.the_shape() == Polygon((*SQUARE[:2], (121.0, 130.0), SQUARE[3]))
    still.session.undo()
    assert still.the_shape() == Polygon(SQUARE)
    assert still.key(tool, "Backspace")
    assert still.the_shape() == Polygon((*SQUARE[:2], SQUARE[3]))
    still.click(tool, SQUARE[0])
    still.key(tool, "Backspace")
    assert still.the_shape() == Polygon((*SQUARE[:2], SQUARE[3]))  # three are needed
    tool.cancel()
    assert [*states, tool.busy] == [True, False]


def test_a_hole_of_three_goes_with_its_point(still: StoreCanvas) -> None:
    hole = ((40.0, 40.0), (80.0, 40.0), (60.0, 80.0))
    put(still, Polygon(SQUARE, (hole,)))
    still.click(still.tool("select"), hole[2], modifiers=Modifier.ALT)
    assert still.the_shape() == Polygon(SQUARE)


def test_a_joint_is_said_to_be_occluded_and_sides_are_exchanged(still: StoreCanvas) -> None:
    points = (Keypoint("nose", 50, 20), Keypoint("left_hip", 40, 60), Keypoint("right_hip", 60, 62))
    put(still, Keypoints(points), "pedestrian")
    tool = still.tool("select")
    still.click(tool, (40.0, 60.0))
    assert tool.hints().text == "left hip, visible"
    assert still.key(tool, "O")
    shape_edits.flip_sides(still.canvas)
    shape = still.the_shape()
    assert isinstance(shape, Keypoints)
    by_name = {point.name: (point.x, point.y, point.state) for point in shape.points}
    assert by_name["right_hip"] == (40, 60, PointState.OCCLUDED)
    assert by_name["left_hip"] == (60, 62, PointState.VISIBLE)


def test_a_shared_corner_moves_in_both_while_snapping(still: StoreCanvas) -> None:
    other = Polygon(((120.0, 20.0), (200.0, 20.0), (200.0, 120.0), (120.0, 120.0)))
    first = put(still, other)
    second = put(still, Polygon(SQUARE))
    still.hand.set_ways(snap=True)
    still.pull(still.tool("select"), (120.0, 20.0), (125.0, 40.0), (130.0, 50.0))
    shapes = [still.shape_of(each) for each in (first, second)]
    assert all(isinstance(shape, Polygon) and (130.0, 50.0) in shape.outer for shape in shapes)
    still.session.undo()
    assert [still.shape_of(first), still.shape_of(second)] == [other, Polygon(SQUARE)]


def test_escape_restores(still: StoreCanvas) -> None:
    put(still, Polygon(SQUARE))
    before = list(contents(still.session))
    tool = still.tool("select")
    tool.press(still.event(SQUARE[0]))
    tool.move(still.event((50.0, 50.0)))
    assert still.previews
    tool.cancel()
    tool.release(still.event((50.0, 50.0)))
    assert (list(contents(still.session)), still.previews) == (before, {})


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 200)), min_size=3, max_size=8), st.data())
def test_taking_out_an_added_point_leaves_the_shape(ring: list[tuple[float, float]], data: st.DataObject) -> None:
    shape = Polygon(tuple(ring))
    grip = vertices.VertexGrip(0, data.draw(st.integers(0, len(ring) - 1)), middle=True)
    more = vertices.dragged(shape, grip, (7.0, 9.0))
    assert vertices.place_of(more, vertices.settled(grip)) == (7.0, 9.0)
    assert vertices.without(more, vertices.settled(grip)) == shape


# --- several, nudges, clipping ----------------------------------------------------------------------------------


def test_many_are_moved_as_one_step(still: StoreCanvas) -> None:
    ids = [put(still, Box(20.0 * n, 20.0, 10.0, 10.0)) for n in range(1, 5)]
    still.select(ids)
    still.pull(still.tool("select"), (25.0, 25.0), (40.0, 50.0), (45.0, 55.0))
    assert [still.shape_of(each) for each in ids] == [Box(20.0 * n + 20, 50.0, 10.0, 10.0) for n in range(1, 5)]
    still.session.undo()
    assert [still.shape_of(each) for each in ids] == [Box(20.0 * n, 20.0, 10.0, 10.0) for n in range(1, 5)]


def test_nudges_that_follow_each_other_are_one_step(still: StoreCanvas) -> None:
    put(still, Box(20.0, 20.0, 10.0, 10.0))
    now = [0.0]
    still.hand.bursts = Bursts(lambda: now[0])
    for by, pause in (((1, 0), 0.4), ((1, 0), 0.4), ((0, -10), 0.6), ((1, 0), 0.0)):
        shape_edits.nudge(still.canvas, by)
        now[0] += pause
    assert still.the_shape() == Box(23.0, 10.0, 10.0, 10.0)
    seen = []
    for _ in range(2):
        still.session.undo()
        seen.append(still.the_shape())
    assert seen == [Box(22.0, 10.0, 10.0, 10.0), Box(20.0, 20.0, 10.0, 10.0)]


def test_clipping_cuts_at_the_picture_and_leaves_what_is_inside(still: StoreCanvas) -> None:
    made = {
        put(still, Box(-10.0, 20.0, 50.0, 30.0)): Box(0.0, 20.0, 40.0, 30.0),
        put(still, Box(300.0, 190.0, 50.0, 30.0)): Box(300.0, 190.0, 20.0, 10.0),
        put(still, Box(30.0, 20.0, 50.0, 30.0)): Box(30.0, 20.0, 50.0, 30.0),
        put(still, Box(400.0, 20.0, 50.0, 30.0)): Box(400.0, 20.0, 50.0, 30.0),
    }
    still.select(tuple(made))
    shape_edits.clip(still.canvas)
    assert {each: still.shape_of(each) for each in made} == made
    assert "outside" in still.said[-1]


def test_what_is_locked_is_left_alone(still: StoreCanvas) -> None:
    made = put(still, Box(20.0, 20.0, 40.0, 40.0))
    still.sight.toggle_locked(made)
    still.pull(still.tool("select"), (40.0, 40.0), (80.0, 80.0), (90.0, 90.0))
    shape_edits.nudge(still.canvas, (5, 5))
    assert still.the_shape() == Box(20.0, 20.0, 40.0, 40.0)
    assert "locked" in still.said[-1]


# --- undo -------------------------------------------------------------------------------------------------------

PLACES = st.tuples(st.integers(2, 318).map(float), st.integers(2, 198).map(float))
GESTURES = st.one_of(
    st.tuples(st.just("pull"), st.sampled_from(("select", "box", "brush", "eraser")), st.lists(PLACES, min_size=2,
              max_size=4), st.sampled_from((Modifier.NONE, Modifier.SHIFT, Modifier.CTRL, Modifier.ALT))),
    st.tuples(st.just("click"), st.sampled_from(("polygon", "extreme_box", "rotated_box", "point", "mask_fill")),
              st.lists(PLACES, min_size=3, max_size=5), st.sampled_from((Modifier.NONE, Modifier.CTRL))),
    st.tuples(st.just("nudge"), st.just("select"), st.lists(PLACES, min_size=1, max_size=1), st.just(Modifier.NONE)),
)  # fmt: skip


def gesture(canvas: StoreCanvas, how: str, name: str, places: list[tuple[float, float]], held: Modifier) -> None:
    tool = canvas.tool(name)
    if how == "pull":
        canvas.pull(tool, *places, modifiers=held)
    elif how == "click":
        canvas.click(tool, *(places[:1] if name == "point" else places), modifiers=held)
        if tool.busy:
            canvas.key(tool, "Return")
    else:
        shape_edits.nudge(canvas.canvas, (3, 2))
    tool.cancel()


@pytest.mark.parametrize("stream", ["still", "front"])
@settings(
    max_examples=20,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(gestures=st.lists(GESTURES, min_size=1, max_size=8))
def test_undo_reverses_one_gesture_and_redo_does_it_again(
    project: Session, stream: str, gestures: list[tuple[str, str, list[tuple[float, float]], Modifier]]
) -> None:
    canvas = empty_canvas(project, stream)
    canvas.hand.set_class("car")
    now = [0.0]
    canvas.hand.bursts = Bursts(lambda: now[0])
    states = [list(contents(project))]
    for number, each in enumerate(gestures):
        now[0] += 10.0
        canvas.show(number % 3) if stream == "front" else None
        gesture(canvas, *each)
        after = list(contents(project))
        if after != states[-1]:
            states.append(after)
    for before in reversed(states[:-1]):
        assert project.undo() is not None
        assert list(contents(project)) == before
    for after in states[1:]:
        assert project.redo() is not None
        assert list(contents(project)) == after


def test_a_line_and_a_point_have_the_handles_they_need() -> None:
    line = Polyline(((0.0, 0.0), (100.0, 0.0), (100.0, 10.0)))
    kinds = [each.middle for each in vertices.grips(line, 1.0)]
    assert kinds == [False, False, False, True]  # the short edge has no room
    assert vertices.without(Polyline(line.points[:2]), vertices.VertexGrip(0, 0)) is None
    assert vertices.without(Point(1.0, 2.0), vertices.VertexGrip(0, 0)) is None
