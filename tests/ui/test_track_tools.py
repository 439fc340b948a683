"""What is done to tracks at a picture, without a window: neighbours stay, and each act is one step."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from store_canvas import FRAME_NS, StoreCanvas, canvas_project, contents, empty_canvas

from workstation.app.session import Session
from workstation.core.annotation import Presence
from workstation.core.geometry import Box
from workstation.core.tracks import MomentKind
from workstation.ui.tools import shape_edits, track_edits
from workstation.ui.tools.canvas import Modifier
from workstation.ui.tools.pasting import paste


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Generator[Session, None, None]:
    with canvas_project(tmp_path_factory.mktemp("tracks") / "project") as session:
        yield session


@pytest.fixture
def film(project: Session) -> StoreCanvas:
    return empty_canvas(project, "front")


def track(canvas: StoreCanvas, *frames: tuple[int, float]) -> str:
    """A box track with keyframes (frame, x)."""
    keyframes = [{"time_ns": n * FRAME_NS, "shape": Box(x, 50.0, 40.0, 30.0)} for n, x in frames]
    made = canvas.run("track.add", stream=canvas.stream.id, class_id="car", keyframes=keyframes)
    assert made is not None, canvas.said
    canvas.select((made,))
    return str(made)


def across(canvas: StoreCanvas, annotation: str, frames: range) -> list[float | None]:
    """Where the track is on each frame."""
    found = []
    for frame in frames:
        canvas.show(frame)
        shape = canvas.shape_of(annotation)
        found.append(shape.x if isinstance(shape, Box) else None)
    return found


def times(canvas: StoreCanvas, annotation: str) -> list[int]:
    return [each.time_ns // FRAME_NS for each in canvas.view.keyframes(annotation)]


def test_editing_between_keyframes_makes_one_there_and_leaves_its_neighbours(film: StoreCanvas) -> None:
    made = track(film, (0, 0.0), (10, 100.0))
    film.show(5)
    film.pull(film.tool("select"), (70.0, 65.0), (80.0, 80.0), (90.0, 85.0))
    assert times(film, made) == [0, 5, 10]
    assert across(film, made, range(0, 11, 5)) == [0.0, 70.0, 100.0]
    film.session.undo()
    assert across(film, made, range(0, 11, 5)) == [0.0, 50.0, 100.0]


def test_alt_shifts_the_whole_track_in_one_step(film: StoreCanvas) -> None:
    made = track(film, (0, 0.0), (10, 100.0))
    film.show(5)
    film.pull(film.tool("select"), (70.0, 65.0), (80.0, 65.0), (90.0, 65.0), modifiers=Modifier.ALT)
    assert across(film, made, range(0, 11, 5)) == [20.0, 70.0, 120.0]
    assert times(film, made) == [0, 10]
    film.session.undo()
    assert across(film, made, range(0, 11, 5)) == [0.0, 50.0, 100.0]


def test_occluded_absent_and_back(film: StoreCanvas) -> None:
    made = track(film, (0, 0.0), (10, 100.0))
    film.show(4)
    track_edits.turn_presence(film.canvas, Presence.OCCLUDED)
    moment = film.moment_of(made)
    assert moment is not None
    assert (moment.presence, film.shape_of(made)) == (Presence.OCCLUDED, Box(40.0, 50.0, 40.0, 30.0))
    film.show(6)
    track_edits.turn_presence(film.canvas, Presence.ABSENT)
    assert across(film, made, range(5, 8)) == [pytest.approx(40.0), None, None]
    film.show(8)
    track_edits.turn_presence(film.canvas, Presence.ABSENT)  # back again, where it was last seen
    assert across(film, made, range(7, 11))[0] is None
    assert across(film, made, range(8, 9)) == [40.0]
    assert times(film, made) == [0, 4, 6, 8, 10]


def test_a_gap_lasts_to_the_next_keyframe_and_is_taken_back(film: StoreCanvas) -> None:
    made = track(film, (0, 0.0), (6, 60.0), (10, 100.0))
    before = list(contents(film.session))
    film.show(3)
    track_edits.turn_gap(film.canvas)
    assert across(film, made, range(2, 8)) == [20.0, None, None, None, 60.0, 70.0]
    film.show(4)
    track_edits.turn_gap(film.canvas)
    assert [each for each in across(film, made, range(2, 8)) if each is None] == []
    film.show(10)
    track_edits.turn_gap(film.canvas)
    assert "two keyframes" in film.said[-1]
    for _ in range(2):
        film.session.undo()
    assert list(contents(film.session)) == before


def test_a_track_is_extended_on_request_only(film: StoreCanvas) -> None:
    made = track(film, (2, 20.0), (4, 40.0))
    film.show(8)
    assert film.shape_of(made) is None
    track_edits.extend_here(film.canvas)
    assert across(film, made, range(1, 10)) == [None, 20.0, 30.0, 40.0, 40.0, 40.0, 40.0, 40.0, None]


def test_split_and_join_again(film: StoreCanvas) -> None:
    made = track(film, (0, 0.0), (10, 100.0))
    film.show(5)
    track_edits.split_here(film.canvas)
    second = film.active
    assert second is not None
    assert second != made
    assert across(film, made, range(0, 11, 5)) == [0.0, None, None]
    assert across(film, second, range(0, 11, 5)) == [None, 50.0, 100.0]
    film.select((made, second), active=made)
    film.show(0)
    track_edits.join(film.canvas)
    assert list(film.view.annotations) == [made]
    assert across(film, made, range(0, 11, 5)) == [0.0, 50.0, 100.0]


def test_two_that_exchanged_identities_are_swapped_from_here(film: StoreCanvas) -> None:
    one, two = track(film, (0, 0.0), (4, 40.0), (6, 200.0)), track(film, (0, 200.0), (4, 180.0), (6, 60.0))
    film.select((one, two))
    film.show(6)
    track_edits.swap_from_here(film.canvas)
    assert [across(film, each, range(0, 7, 2)) for each in (one, two)] == [
        [0.0, 20.0, 40.0, 60.0], [200.0, 190.0, 180.0, 200.0],
    ]  # fmt: skip


def test_deleting_a_keyframe_interpolates_again(film: StoreCanvas) -> None:
    made = track(film, (0, 0.0), (5, 90.0), (10, 100.0))
    film.show(4)
    track_edits.delete_keyframes(film.canvas)
    assert "no" in film.said[-1] or "None" in film.said[-1]
    film.show(5)
    track_edits.delete_keyframes(film.canvas)
    assert across(film, made, range(5, 6)) == [50.0]
    track_edits.set_keyframes(film.canvas)
    moment = film.moment_of(made)
    assert moment is not None
    assert moment.kind is MomentKind.KEYFRAME


def test_a_single_shape_becomes_a_track(film: StoreCanvas) -> None:
    made = film.run("annotation.add", stream=film.stream.id, class_id="car", shape=Box(5.0, 5.0, 9.0, 9.0),
                    start_ns=0, end_ns=FRAME_NS * 4)  # fmt: skip
    film.select((made,))
    film.show(2)
    track_edits.make_tracks(film.canvas)
    assert times(film, made) == [2]


def test_carried_on_to_the_next_picture(film: StoreCanvas) -> None:
    made = track(film, (0, 0.0), (10, 100.0))
    film.show(5)
    assert track_edits.carry_on(film.canvas) == 6 * FRAME_NS
    assert across(film, made, range(5, 8, 1))[:2] == [50.0, 50.0]
    film.show(10)
    assert track_edits.carry_on(film.canvas) == 11 * FRAME_NS
    assert times(film, made) == [0, 5, 6, 10, 11]


def test_nudging_an_interpolated_frame_makes_a_keyframe_there(film: StoreCanvas) -> None:
    made = track(film, (0, 0.0), (10, 100.0))
    film.show(5)
    shape_edits.nudge(film.canvas, (1, 0))
    shape_edits.nudge(film.canvas, (1, 0))
    assert times(film, made) == [0, 5, 10]
    assert across(film, made, range(0, 11, 5)) == [0.0, 52.0, 100.0]
    film.session.undo()
    assert times(film, made) == [0, 10]


def test_a_copied_track_is_put_on_another_frame_and_another_camera(film: StoreCanvas) -> None:
    film.run("stream.add", key="rear", kind="video", clock="front")
    made = track(film, (0, 0.0), (4, 40.0))
    here = {film.stream.id: 2 * FRAME_NS}
    film.show(2)
    assert not paste(film.canvas, (made,), here.get)  # onto itself: that is a copy beside it, made elsewhere
    for frame in (9, 3):
        film.show(frame)
        assert paste(film.canvas, (made,), here.get)
    assert times(film, made) == [0, 3, 4, 9]
    assert [across(film, made, range(each, each + 1)) for each in (3, 4, 9)] == [[20.0], [40.0], [20.0]]
    here[film.stream.id] = 3 * FRAME_NS
    rear = StoreCanvas(film.session, "rear", 5 * FRAME_NS)
    assert paste(rear.canvas, (made,), here.get)
    other = rear.active
    assert other is not None
    assert rear.view.annotations[other].entity == rear.view.annotations[made].entity
    assert (rear.the_shape(), times(rear, other)) == (Box(20.0, 50.0, 40.0, 30.0), [5])
