"""Side views and the strip in real windows: what is pulled there with the mouse is kept at the right sweep."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from strict_turn import DRIVEN, SAMPLE, STEP_NS, STREAM, WORLD, turn, turn_project
from strict_windows import drag, let_work, show, wait_for
from workstation.app.opening import open_project
from workstation.core.cuboid_edits import face_center
from workstation.core.geometry import Cuboid
from workstation.ui.panes.cloud import CloudPane
from workstation.ui.panes.cloud_canvas import SpaceCanvas
from workstation.ui.panes.cloud_sides import LEAST_PANE_PX
from workstation.ui.panes.cloud_strip import COLUMNS, StripPane
from workstation.ui.scenes.space_view import Side
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Generator[Workbench, None, None]:
    """A workbench on the turn; every test takes back what it did."""
    assert qapp is not None
    folder = turn_project(tmp_path_factory.mktemp("turn") / "turn")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder.parent / "home"))
        with open_project(folder, kind="person", role="lead") as session:
            made = Workbench(session)
            assert made.open_sample(SAMPLE)
            yield made
            made.close()


@pytest.fixture
def van(bench: Workbench) -> Generator[str, None, None]:
    """The driven van, keyed where it truly is at sweeps 0, 5 and 9, selected."""
    keyframes = [{"time_ns": sweep * STEP_NS, "shape": shape_of(sweep, DRIVEN)} for sweep in (0, 5, 9)]
    head = bench.session.store.head()
    made = bench.run("track.add", stream=STREAM, class_id="van", frame=WORLD, keyframes=keyframes)
    bench.select((made,), cause="test", active=made)
    yield made
    bench.select((), cause="test")
    for _ in range(9):
        if not bench.view or made not in bench.view.annotations:
            break
        bench.session.undo()
    assert bench.session.store.head() != head


def shape_of(sweep: int, name: str) -> dict[str, object]:
    found = turn().cuboids[sweep][name]
    return {"kind": "cuboid", "center": found.center, "size": found.size, "rotation": found.rotation}


def shown_at(canvas: SpaceCanvas, place: np.ndarray) -> QPoint:
    """Where a place of the scene is painted."""
    return canvas.to_widget(*canvas.look.project(place[None]).px[0].tolist()).toPoint()


@pytest.fixture
def cloud(bench: Workbench, van: str) -> Generator[CloudPane, None, None]:
    pane = CloudPane()
    show(pane, 1000, 640)
    pane.bind(bench)
    bench.clock.seek(5 * STEP_NS)
    pane.show_time(bench.clock.time_ns)
    wait_for(lambda: pane.moment is not None and pane.settled(), what="the cloud")
    yield pane
    pane.unbind()
    pane.close()
    pane.deleteLater()


def now(pane: CloudPane, track: str) -> Cuboid:
    assert pane.work is not None
    return pane.work.cuboids()[track]


def test_faces_and_corners_are_pulled_in_all_three_views(cloud: CloudPane, bench: Workbench, van: str) -> None:
    assert cloud.sides is not None
    pulls = ((Side.TOP, (0, 1), 0), (Side.SIDE, (2, 1), 2), (Side.FRONT, (1, 1), 1))
    for side, face, axis in pulls:
        canvas, before = cloud.sides.canvases[side], now(cloud, van)
        place = np.array(face_center(before, face))
        outward = (place - before.center) / np.linalg.norm(place - before.center)
        start, end = shown_at(canvas, place), shown_at(canvas, place + 0.8 * outward)
        drag_free(canvas, start, end)
        wait_for(cloud.settled, what="the views")
        after = now(cloud, van)
        others = [each for each in range(3) if each != axis]
        assert after.size[axis] == pytest.approx(before.size[axis] + 0.8, abs=0.1)
        assert np.array(after.size)[others] == pytest.approx(np.array(before.size)[others])
        opposite = (face[0], -face[1])
        assert np.allclose(face_center(after, opposite), face_center(before, opposite), atol=1e-6)
        assert bench.previews.shapes == {}
    assert cloud.gesture is None


def drag_free(canvas: SpaceCanvas, start: QPoint, end: QPoint) -> None:
    """With Ctrl, so that nothing snaps."""
    held = Qt.KeyboardModifier.ControlModifier
    QTest.mouseMove(canvas, start)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, held, start)
    for step in range(1, 6):
        QTest.mouseMove(canvas, start + (end - start) * step / 5)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, held, end)


def test_a_drag_is_seen_in_the_other_views_and_esc_takes_it_back(cloud: CloudPane, bench: Workbench, van: str) -> None:
    assert cloud.sides is not None
    top, side, before = cloud.sides.canvases[Side.TOP], cloud.sides.canvases[Side.SIDE], now(cloud, van)
    pictures = (side.grab().toImage(), cloud.canvas.grab().toImage() if cloud.canvas else None)
    start = shown_at(top, np.array(before.center))
    drag(top, start, start + QPoint(0, -18), release=False)

    def seen_in_all() -> bool:
        QTest.mouseMove(top, start + QPoint(0, -19))  # again: a late event of the pointer's jump may come in between
        let_work(20)
        images = (side.grab().toImage(), cloud.canvas.grab().toImage() if cloud.canvas else None)
        return now(cloud, van) != before and images[0] != pictures[0] and images[1] != pictures[1]

    wait_for(seen_in_all, what="the drag to be seen in all views")
    assert cloud.gesture is not None
    cloud.gesture.cancel()
    wait_for(cloud.settled, what="the end of it")
    assert cloud.gesture is None
    assert now(cloud, van) == before
    assert bench.previews.shapes == {}
    QTest.mouseRelease(top, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)


def test_the_side_views_give_way_in_a_narrow_pane_and_on_request(cloud: CloudPane) -> None:
    assert cloud.sides is not None
    assert cloud.sides.isVisible()
    top = cloud.sides.canvases[Side.TOP]
    assert top.width() > 200
    cloud.resize(LEAST_PANE_PX - 60, 640)
    wait_for(lambda: cloud.sides is not None and cloud.sides.y() > 300, what="the side views under the picture")
    cloud.resize(LEAST_PANE_PX - 60, 300)
    wait_for(lambda: cloud.sides is not None and not cloud.sides.isVisible(), what="room for the picture")
    cloud.resize(1000, 640)
    wait_for(lambda: cloud.sides is not None and cloud.sides.isVisible(), what="the side views")
    cloud.set_look(sides=False)
    assert not cloud.sides.isVisible()
    cloud.set_look(sides=True)


@pytest.fixture
def strip(bench: Workbench, van: str) -> Generator[StripPane, None, None]:
    pane = StripPane()
    show(pane, 1200, 400)
    pane.bind(bench)
    bench.clock.seek(3 * STEP_NS)
    wait_for(
        lambda: bool(pane.cells) and pane.cells[Side.TOP, 9].shown is not None and pane.settled(), what="the strip"
    )
    yield pane
    pane.unbind()
    pane.close()
    pane.deleteLater()


def test_the_strip_says_which_sweeps_are_keyed(strip: StripPane) -> None:
    names = [each.accessibleName() for each in strip.heads]
    assert [name.rpartition(", ")[2] for name in names] == [
        "keyframe" if column in (0, 5, 9) else "interpolated" for column in range(COLUMNS)
    ]


def test_what_is_pulled_in_a_column_is_keyed_at_its_sweep(strip: StripPane, bench: Workbench, van: str) -> None:
    assert bench.view is not None
    cell = strip.cells[Side.TOP, 7]
    before = cell.work.cuboids()[van]
    others = {column: strip.cells[Side.TOP, column].work.cuboids()[van] for column in (0, 5, 9)}
    start = shown_at(cell.canvas, np.array(before.center))
    drag(cell.canvas, start, start + QPoint(6, 0))
    wait_for(strip.settled, what="the strip")
    assert [each.time_ns // STEP_NS for each in bench.view.keyframes(van)] == [0, 5, 7, 9]
    moved = np.linalg.norm(np.subtract(cell.work.cuboids()[van].center, before.center))
    assert 0.1 < moved < 3
    for column, cuboid in others.items():
        assert np.allclose(strip.cells[Side.TOP, column].work.cuboids()[van].center, cuboid.center)
    QTest.mouseClick(strip.heads[5], Qt.MouseButton.LeftButton)
    assert bench.clock.time_ns == 5 * STEP_NS


def test_the_strip_is_empty_without_a_track(strip: StripPane, bench: Workbench) -> None:
    bench.select((), cause="test")
    wait_for(strip.settled, what="the strip")
    label = strip.findChild(QLabel, "strip_empty")
    assert label is not None
    assert label.isVisible()
