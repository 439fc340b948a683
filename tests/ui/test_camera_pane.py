"""The camera pane on the real demo, with real mouse events: picking, drawing, moving, identities, cuboids, space."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from strict_windows import copy_of, drag, show, wait_for
from workstation.app.opening import open_project
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.scenery import Scenery
from workstation.core.geometry import Box, ShapeKind
from workstation.core.tracks import MomentKind
from workstation.ui.panes.camera import CameraPane, columns
from workstation.ui.panes.camera_view import CameraView
from workstation.ui.workbench import Workbench

Opened = tuple[Workbench, CameraPane]

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture(scope="module")
def opened(qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """One bench and one pane for all tests here; each leaves them as they were."""
    assert qapp is not None
    folder = copy_of(demo_template, tmp_path_factory.mktemp("cameras") / "drive")
    with open_project(folder, kind="person", role="lead") as session:
        workbench = Workbench(session)
        assert workbench.open_sample("sf_drive")
        made = CameraPane()
        made.bind(workbench)
        show(made, 1200, 760)
        made.views[0].space.sweeps()  # the worker behind the cursor lives as long as the pane, and so as this fixture
        yield workbench, made
        made.unbind()
        made.close()
        workbench.close()


@pytest.fixture
def bench(opened: Opened) -> Workbench:
    return opened[0]


@pytest.fixture
def pane(opened: Opened) -> Iterator[CameraPane]:
    """All cameras of the demo at four seconds, painted."""
    bench, made = opened
    bench.clock.seek(4_000_000_000)
    settle(made)
    yield made
    if made.gesture is not None:
        made.gesture.cancel()
    bench.selection.clear(cause="test")
    bench.hand.take("select")
    bench.hand.set_class(None)
    bench.hand.forget_drawn()
    bench.sight.show_all()
    made.enlarge(None)
    made.set_look(cuboids=True, linked_zoom=False)
    for camera in made.views:
        camera.lock_zoom(False)
        camera.fit()
    assert bench.view is not None
    while any(each.kind is ShapeKind.BOX for each in bench.view.annotations.values()):
        bench.session.undo()


def settle(pane: CameraPane) -> None:
    wait_for(lambda: all(v.frames.frame is not None and not v.frames.pending for v in pane.views if v.isVisible()))


def front(pane: CameraPane) -> CameraView:
    return next(each for each in pane.views if each.stream.key == "front_camera")


def at(camera: CameraView, x: float, y: float) -> QPoint:
    left, top = camera.viewport.to_screen((x, y))
    return QPoint(round(left), round(top))


def click(camera: CameraView, x: float, y: float, modifier: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(camera.area, LEFT, modifier, at(camera, x, y))


def draw_box(bench: Workbench, camera: CameraView, box: tuple[float, float, float, float]) -> str:
    """Draw with the mouse as a person does; the id of what came of it."""
    bench.hand.take("box")
    bench.hand.set_class("car")
    before = set(bench.selected)
    drag(camera.area, at(camera, *box[:2]), at(camera, *box[2:]))
    bench.hand.take("select")
    (made,) = set(bench.selected) - before
    return made


def shown_box(camera: CameraView, annotation: str) -> Box:
    drawn = camera.scene.drawn(annotation)
    assert drawn is not None
    assert isinstance(drawn.shape, Box)
    return drawn.shape


@pytest.mark.parametrize("row_time_ns", [0, 40_000])
def test_the_outlines_are_those_of_the_projection(bench: Workbench, pane: CameraPane, row_time_ns: int) -> None:
    """Against the other implementation, cuboid by cuboid, at the camera's own capture time; also row by row."""
    view, camera = bench.view, front(pane)
    assert view is not None
    assert bench.readers is not None
    assert camera.scene.camera is not None
    frame = camera.frames.frame
    assert frame is not None
    assert frame.session_ns is not None
    assert frame.session_ns != bench.clock.time_ns
    lens = replace(camera.scene.camera, row_time_ns=row_time_ns)
    scenery = Scenery(bench.session, view.id, bench.readers)
    expected: dict[str, NDArray[np.float64]] = {
        each.annotation.id: outline.segments for each, outline, _ in scenery.outlines(lens, frame.session_ns)
    }
    seen = PlacedCuboids(view, bench.readers).projected(lens, frame.session_ns)
    found = {each.annotation: each.segments for each in seen}
    assert found.keys() == expected.keys()
    assert len(found) > 20
    for annotation, segments in found.items():
        np.testing.assert_allclose(segments, expected[annotation], atol=1e-6)
    if row_time_ns == 0:  # and that is what the pane paints
        painted = {shadow.seen.annotation: shadow.seen.segments for shadow in camera.scene.shadows}
        assert painted.keys() == found.keys()
        assert all(np.array_equal(painted[key], found[key]) for key in found)


def test_a_click_selects_in_every_camera_and_marks_the_best(bench: Workbench, pane: CameraPane) -> None:
    camera = next(each for each in pane.views if each.stream.key == "front_right_camera")
    nearest = camera.scene.shadows[0].seen
    x, y = nearest.segments.reshape(-1, 2).mean(0).tolist()
    click(camera, x, y)
    assert bench.selected
    related = pane.views[0].marks.related
    assert set(bench.selected) <= related
    assert all(each.marks.related == related for each in pane.views)
    best = [each for each in pane.views if each.best]
    shares = {each.stream.key: each.scene.share_of(related) for each in pane.views}
    assert [each.stream.key for each in best] == [max(shares, key=lambda key: shares[key])]
    click(camera, 3, 3)
    assert bench.selected == ()


def test_a_drawn_box_becomes_a_numbered_track_and_is_moved_by_keyframes(bench: Workbench, pane: CameraPane) -> None:
    camera, view = front(pane), bench.view
    assert view is not None
    pane.set_look(cuboids=False)
    pane.enlarge(camera)
    wait_for(lambda: camera.area.width() > 1000, what="the layout")
    settle(pane)
    made = draw_box(bench, camera, (600, 230, 760, 430))
    record = view.annotations[made]
    assert record.track is not None
    assert view.name_of(made).startswith("Car ")
    assert [each.time_ns for each in view.keyframes(made)] == [camera.canvas.own_ns]
    first = shown_box(camera, made)
    assert (first.x, first.y, first.width, first.height) == pytest.approx((600, 230, 160, 200), abs=1.5)

    later = Box(400.0, 200.0, 160.0, 200.0)
    start_ns = camera.canvas.own_ns
    assert start_ns is not None
    bench.run("track.extend", annotation=made, to_ns=start_ns + 1_000_000_000, shape=later)
    bench.clock.seek(4_500_000_000)
    settle(pane)
    drawn = camera.scene.drawn(made)
    assert drawn is not None
    assert drawn.kind is MomentKind.INTERPOLATED
    between = shown_box(camera, made)
    assert min(first.x, later.x) < between.x < max(first.x, later.x)

    drag(camera.area, at(camera, between.x + 80, between.y + 100), at(camera, between.x + 120, between.y + 90))
    moved = shown_box(camera, made)
    assert (moved.x - between.x, moved.y - between.y) == pytest.approx((40, -10), abs=1.5)
    assert len(view.keyframes(made)) == 3
    assert view.keyframes(made)[0].shape == first  # its neighbours stay
    bench.session.undo()
    assert shown_box(camera, made) == between  # one gesture, one step

    corner = (between.x + between.width, between.y + between.height)
    drag(camera.area, at(camera, *corner), at(camera, corner[0] - 50, corner[1] - 30))
    resized = shown_box(camera, made)
    assert (resized.x, resized.y) == pytest.approx((between.x, between.y), abs=1e-6)  # the opposite corner stays
    assert (resized.width, resized.height) == pytest.approx((110, 170), abs=1.5)


def test_escape_in_a_drag_leaves_everything_as_it_was(bench: Workbench, pane: CameraPane) -> None:
    camera = front(pane)
    pane.set_look(cuboids=False)
    made = draw_box(bench, camera, (600, 230, 760, 430))
    before, head = shown_box(camera, made), bench.session.store.head()
    drag(camera.area, at(camera, 680, 330), at(camera, 500, 200), release=False)
    assert shown_box(camera, made) != before  # the preview
    held = pane.gesture
    assert held is not None
    held.cancel()
    assert not camera.tool.busy
    QTest.mouseRelease(camera.area, LEFT, NONE, at(camera, 500, 200))
    assert shown_box(camera, made) == before
    assert bench.session.store.head() == head


def test_a_drawn_shape_waits_for_its_class(bench: Workbench, pane: CameraPane) -> None:
    camera, view = front(pane), bench.view
    assert view is not None
    bench.hand.take("box")
    before = len(view.annotations)
    drag(camera.area, at(camera, 300, 200), at(camera, 400, 300))
    assert bench.hand.waiting
    assert len(view.annotations) == before
    assert any(each.id == "new" for each in camera.scene.shown.drawn)  # it stays on the screen meanwhile
    assert bench.hand.say_class("bus")
    assert len(view.annotations) == before + 1
    assert view.class_of(view.annotations[bench.selected[0]]) == "bus"
    assert not any(each.id == "new" for each in camera.scene.shown.drawn)


def test_clicking_again_goes_through_the_pile(bench: Workbench, pane: CameraPane) -> None:
    camera = front(pane)
    pane.set_look(cuboids=False)
    large = draw_box(bench, camera, (300, 100, 700, 460))
    bench.selection.clear(cause="test")
    small = draw_box(bench, camera, (710, 200, 800, 300))
    bench.run("keyframe.set", annotation=small, time_ns=camera.canvas.own_ns, shape=Box(400.0, 200.0, 100.0, 100.0))
    bench.selection.clear(cause="test")
    picked = []
    for _ in range(3):
        click(camera, 450, 250)
        picked.append(bench.selected)
    assert picked == [(small,), (large,), (small,)]
    click(camera, 350, 150, Qt.KeyboardModifier.ShiftModifier)
    assert set(bench.selected) == {small, large}
    bench.selection.clear(cause="test")
    drag(camera.area, at(camera, 880, 90), at(camera, 290, 480))  # a rubber band around both
    assert set(bench.selected) == {small, large}


def test_hidden_and_locked_things_are_left_alone(bench: Workbench, pane: CameraPane) -> None:
    camera = front(pane)
    pane.set_look(cuboids=False)
    made = draw_box(bench, camera, (600, 230, 760, 430))
    before = shown_box(camera, made)
    bench.sight.toggle_locked(made)
    drag(camera.area, at(camera, 680, 330), at(camera, 500, 200))
    assert shown_box(camera, made) == before
    bench.sight.toggle_hidden(made)
    assert camera.scene.drawn(made) is None
    assert made not in camera.canvas.hit((680.0, 330.0))


def test_a_pixel_is_a_ray_in_the_other_cameras(bench: Workbench, pane: CameraPane) -> None:
    camera = front(pane)
    QTest.mouseMove(camera.area, at(camera, 480, 60))
    cursor = bench.selection.state.cursor
    assert cursor is not None
    assert camera.scene.camera is not None
    assert cursor.frame == camera.scene.camera.frame
    assert cursor.direction is not None
    assert np.linalg.norm(cursor.direction) == pytest.approx(1.0)


def test_one_camera_alone_and_back(bench: Workbench, pane: CameraPane) -> None:
    second = pane.views[1]
    QTest.mouseDClick(second.header, LEFT, NONE, QPoint(30, 8))
    assert [each for each in pane.views if each.isVisible()] == [second]
    assert bench.focused_stream == second.stream.id
    pane.setFocus()
    assert pane.gesture is not None
    assert not pane.gesture.key(QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_A, NONE))
    pane.gesture.cancel()  # what Esc does
    assert all(each.isVisible() for each in pane.views)
    pane.pick(3)
    assert [each for each in pane.views if each.isVisible()] == [pane.views[2]]
    pane.pick(3)
    assert all(each.isVisible() for each in pane.views)


def test_zoom_is_each_cameras_own_or_linked_or_locked(pane: CameraPane) -> None:
    first, second, third, _ = pane.views
    first.wheel(3, (100.0, 80.0), ctrl=False)
    assert not first.zoom.is_fit
    assert second.zoom.is_fit
    third.lock_zoom(True)
    pane.set_look(linked_zoom=True)
    first.wheel(1, (100.0, 80.0), ctrl=False)
    assert second.zoom == first.zoom
    assert third.zoom.is_fit


def test_the_grid_makes_pictures_as_large_as_it_can() -> None:
    assert [columns(count) for count in range(1, 13)] == [1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4]
    assert columns(4, aspect=0.5) == 1  # a tall pane stacks them
    assert columns(4, aspect=8.0) == 4  # a flat one lays them side by side
    assert columns(3, aspect=3.6) == 3
