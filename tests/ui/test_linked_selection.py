"""Selection is one for all panes: what is selected anywhere is marked wherever it shows, and every pane can select."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from main_windows import bench_of, main_window
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from strict_windows import copy_of, wait_for
from workstation.core.selection import SpaceCursor
from workstation.ui.main_window import MainWindow
from workstation.ui.panels.entities import EntitiesPanel
from workstation.ui.panes.base import Pane
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.cloud import CloudPane

pytestmark = pytest.mark.slow
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture(scope="module")
def window(
    qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:  # fmt: skip
    """The drive at four seconds in the workspace that shows most."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("linked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(copy_of(demo_template, folder / "drive")) as made:
            made.resize(1700, 1000)
            made.take_workspace("link")
            bench_of(made).clock.seek(4_000_000_000)
            wait_for(lambda: "checks" in {each.name for each in threading.enumerate()}, what="the checks to begin")
            wait_for(lambda: "thumbnails" in {each.name for each in threading.enumerate()}, what="small pictures")
            yield made


def pane(window: MainWindow, kind: str) -> Pane:
    """The pane, in front and settled."""
    window.show_pane(kind)
    found = window.pane(kind)
    assert found is not None
    wait_for(lambda: found.isVisible() and found.settled(), what=kind)
    return found


def still(found: Pane) -> NDArray[np.int16]:
    """Its picture, once nothing in it moves any more."""
    before = pixels(found)
    for _ in range(40):
        QTest.qWait(60)
        after = pixels(found)
        if found.settled() and np.array_equal(before, after):
            return after
        before = after
    raise AssertionError(f"{found.kind} does not come to rest")


def differs(found: Pane, plain: NDArray[np.int16], *, by: int = 14, more_than: int = 60) -> bool:
    """Whether it comes to look different: a list may be made a moment later."""
    wait_for(lambda: (np.abs(pixels(found) - plain) > by).sum() > more_than, what=f"a mark in {found.kind}")
    return True


def pixels(found: Pane) -> NDArray[np.int16]:
    image = found.capture().convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : image.width() * 3].astype(np.int16)


def seen_in_front(window: MainWindow) -> str:
    """A cuboid of medium distance that the front camera and the cloud show whole."""
    cameras = pane(window, "camera")
    assert isinstance(cameras, CameraPane)
    front = next(each for each in cameras.views if each.stream.key == "front_camera")
    wait_for(lambda: any(8 < each.seen.depth_m < 20 for each in front.scene.shadows), what="outlines")
    near = [each.seen for each in front.scene.shadows if 8 < each.seen.depth_m < 20]
    return next(each.annotation for each in near if (each.segments > 5).all() and (each.segments < 900).all())


@pytest.mark.parametrize("kind", ["camera", "cloud", "timeline", "trajectory", "inspector", "entities", "links"])
def test_what_is_selected_elsewhere_is_marked_wherever_it_shows(window: MainWindow, kind: str) -> None:
    bench = bench_of(window)
    bench.selection.clear(cause="test")
    thing = seen_in_front(window)
    found = pane(window, kind)
    plain = still(found)
    bench.select([thing], cause="test")
    assert differs(found, plain)
    marked = still(found)
    bench.selection.clear(cause="test")
    assert differs(found, marked)  # the mark is what differs, not what arrived meanwhile


@pytest.mark.parametrize("kind", ["text", "sound", "timeline"])
def test_a_turn_selected_elsewhere_is_marked_in_words_sound_and_time(window: MainWindow, kind: str) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    turn = next(each.id for each in bench.view.annotations.values() if each.text is not None and each.start_ns)
    bench.selection.clear(cause="test")
    found = pane(window, kind)
    plain = still(found)
    bench.select([turn], cause="test")
    assert differs(found, plain)
    bench.selection.clear(cause="test")


def in_camera(window: MainWindow, thing: str) -> None:
    found = pane(window, "camera")
    assert isinstance(found, CameraPane)
    front = next(each for each in found.views if each.stream.key == "front_camera")
    shadow = next(each for each in front.scene.shadows if each.seen.annotation == thing)
    ends = shadow.seen.segments.reshape(-1, 2)
    x, y = front.viewport.to_screen(tuple(((ends.min(0) + ends.max(0)) / 2).tolist()))
    for _ in range(6):  # clicking again goes through what lies on top of each other
        QTest.mouseClick(front.area, LEFT, NONE, QPoint(round(x), round(y)))
        if bench_of(window).selected == (thing,):
            return


def in_cloud(window: MainWindow, thing: str) -> None:
    found = pane(window, "cloud")
    assert isinstance(found, CloudPane)
    still(found)
    assert found.moment is not None
    assert found.canvas is not None
    row = found.moment.cuboids.row(thing)
    assert row is not None
    px, _, _ = found.canvas.look.project(found.moment.cuboids.centers[row][None])
    at = found.canvas.to_widget(*px[0].tolist())
    for _ in range(6):
        QTest.mouseClick(found.canvas, LEFT, NONE, at.toPoint())
        if bench_of(window).selected == (thing,):
            return


def in_table(window: MainWindow, thing: str) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    found = pane(window, "entities")
    assert isinstance(found, EntitiesPanel)
    wait_for(lambda: bool(found.model.rows), what="rows")
    entity = bench.view.annotations[thing].entity
    number = next(i for i, row in enumerate(found.model.rows) if row.key == entity)
    cell = next(i for i, each in enumerate(found.model.rows[number].cells) if each.ids == (thing,))
    index = found.model.index(number, cell)
    found.table.scrollTo(index)
    QTest.mouseClick(found.table.viewport(), LEFT, NONE, found.table.visualRect(index).center())


@pytest.mark.parametrize("select", [in_camera, in_cloud, in_table])
def test_a_click_in_a_pane_selects_for_all(window: MainWindow, select: Callable[[MainWindow, str], None]) -> None:
    bench = bench_of(window)
    bench.selection.clear(cause="test")
    thing = seen_in_front(window)
    select(window, thing)
    assert bench.selected == (thing,)
    bench.selection.clear(cause="test")


def test_a_click_on_what_is_missing_goes_where_a_camera_should_see_it(window: MainWindow) -> None:
    bench = bench_of(window)
    found = pane(window, "entities")
    assert isinstance(found, EntitiesPanel)
    found.set_choice("which", "seen")
    wait_for(lambda: bool(found.model.rows), what="rows")
    row = found.model.rows[0]
    number = next(i for i, each in enumerate(row.cells) if each.text.startswith("missing at"))
    bench.clock.seek(4_000_000_000)
    index = found.model.index(0, number)
    found.table.scrollTo(index)
    QTest.mouseClick(found.table.viewport(), LEFT, NONE, found.table.visualRect(index).center())
    assert bench.selected == (row.key,)
    assert f"{bench.clock.time_ns / 1e9:.1f} s" in row.cells[number].text
    camera = pane(window, "camera")
    assert isinstance(camera, CameraPane)
    assert camera.focused is not None
    assert camera.focused.stream.key == found.model.columns[number].title
    wait_for(camera.settled, what="the pictures")
    wait_for(
        lambda: any(each.seen.annotation in camera.focused.marks.related for each in camera.focused.scene.shadows),
        what="the outline of the thing in that camera",
    )
    found.set_choice("which", "")
    bench.selection.clear(cause="test")
    bench.clock.seek(4_000_000_000)


def test_the_table_is_copied_as_text(window: MainWindow) -> None:
    bench = bench_of(window)
    found = pane(window, "entities")
    assert isinstance(found, EntitiesPanel)
    wait_for(lambda: bool(found.model.rows), what="rows")
    found.table.setFocus()
    found.table.selectRow(1)
    QTest.keyClick(found.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    head, line = QApplication.clipboard().text().splitlines()
    assert head.split("\t")[0] == "Thing"
    assert line.split("\t") == [cell.text for cell in found.model.rows[1].cells]
    bench.selection.clear(cause="test")


def test_keys_adopt_a_box_and_hold_the_cursor(window: MainWindow) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    thing = seen_in_front(window)
    cameras = pane(window, "camera")
    assert isinstance(cameras, CameraPane)
    front = next(each for each in cameras.views if each.stream.key == "front_camera")
    cameras.focus(front)
    bench.select([thing], cause="test")
    cameras.setFocus()
    before = set(bench.view.annotations)
    QTest.keyClick(cameras, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    (made,) = set(bench.view.annotations) - before
    record = bench.view.annotations[made]
    assert (record.kind, record.stream) == ("box", front.stream.id)
    assert record.entity == bench.view.annotations[thing].entity
    assert bench.view.keyframes(made)[0].source.name == "projection"
    QTest.keyClick(cameras, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert made not in bench.view.annotations
    bench.selection.point_at(SpaceCursor("ego", (10.0, 0.0, 1.0), None, bench.clock.time_ns), cause="test")
    QTest.keyClick(cameras, Qt.Key.Key_X, Qt.KeyboardModifier.ShiftModifier)
    assert bench.selection.state.cursor_held
    bench.selection.point_at(None, cause="test")
    assert bench.selection.state.cursor is not None
    QTest.keyClick(cameras, Qt.Key.Key_X, Qt.KeyboardModifier.ShiftModifier)
    assert bench.selection.state.cursor is None
    bench.selection.clear(cause="test")
