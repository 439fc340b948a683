"""Selection is one for all panes: what is selected anywhere is marked wherever it shows, and every pane can select."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from linked_panes import LEFT, NO_RECORDS, NONE, OF_A_TURN, ON_A_DRIVE, ON_PLANES, differs, pane, still
from main_windows import bench_of, main_window
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from strict_windows import copy_of, wait_for
from workstation.core.selection import SpaceCursor
from workstation.ui.main_window import MainWindow
from workstation.ui.panels.ends import EndsPanel
from workstation.ui.panels.entities import EntitiesPanel
from workstation.ui.panels.graph import GraphPanel
from workstation.ui.panels.links import LinksPanel
from workstation.ui.panes.base_strips_canvas import RULER_PX
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.catalogue import PANES
from workstation.ui.panes.cloud import CloudPane
from workstation.ui.panes.cloud_strip import StripPane
from workstation.ui.panes.sound import SoundPane
from workstation.ui.panes.text import TextPane
from workstation.ui.panes.timeline import TimelinePane
from workstation.ui.panes.trajectory import TrajectoryPane
from workstation.ui.scenes.space_view import Side

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def window(
    qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:  # fmt: skip
    """The drive at four seconds in the workspace that shows most."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("linked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(copy_of(demo_template, folder / "drive"), checked=False) as made:
            made.resize(1700, 1000)
            made.take_workspace("link")
            bench_of(made).clock.seek(4_000_000_000)
            wait_for(lambda: "thumbnails" in {each.name for each in threading.enumerate()}, what="small pictures")
            yield made


def seen_in_front(window: MainWindow) -> str:
    """A cuboid of medium distance that the front camera and the cloud show whole, and that is linked."""
    cameras = pane(window, "camera")
    assert isinstance(cameras, CameraPane)
    front = next(each for each in cameras.views if each.stream.key == "front_camera")
    wait_for(lambda: any(8 < each.seen.depth_m < 20 for each in front.scene.shadows), what="outlines")
    near = [each.seen for each in front.scene.shadows if 8 < each.seen.depth_m < 20]
    whole = [each.annotation for each in near if (each.segments > 5).all() and (each.segments < 900).all()]
    view = bench_of(window).view
    assert view is not None
    return next(each for each in whole if any(view.links_of(each)))


@pytest.mark.parametrize("kind", ON_A_DRIVE)
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


@pytest.mark.parametrize("kind", OF_A_TURN)
def test_a_turn_selected_elsewhere_is_marked_in_words_sound_and_time(window: MainWindow, kind: str) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    turn = next(each.id for each in bench.view.annotations.values() if each.text is not None and each.start_ns)
    bench.selection.clear(cause="test")
    found = pane(window, kind)
    for typed in (True, False) if isinstance(found, TextPane) else (False,):
        if isinstance(found, TextPane):
            found.type_in.setChecked(typed)
        plain = still(found)
        bench.select([turn], cause="test")
        assert differs(found, plain)
        bench.selection.clear(cause="test")


def test_the_law_speaks_of_every_pane() -> None:
    assert {*ON_A_DRIVE, *OF_A_TURN, *ON_PLANES, *NO_RECORDS} == {each.kind for each in PANES}


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


def test_alt_and_a_drag_on_the_selected_cuboid_move_its_track_and_beside_it_turn_the_view(window: MainWindow) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    thing = seen_in_front(window)
    found = pane(window, "cloud")
    assert isinstance(found, CloudPane)
    bench.select([thing], cause="test")
    still(found)
    canvas = found.canvas
    assert canvas is not None
    assert found.moment is not None
    row = found.moment.cuboids.row(thing)
    px, _, _ = canvas.look.project(found.moment.cuboids.centers[row][None])
    at = canvas.to_widget(*px[0].tolist()).toPoint()
    look, before = canvas.view, bench.view.keyframes(thing)
    alt_drag(canvas, at, at + QPoint(30, 0))
    after = bench.view.keyframes(thing)
    assert canvas.view == look
    assert [each.time_ns for each in after] == [each.time_ns for each in before]
    assert all(new.shape != old.shape for new, old in zip(after, before, strict=True))
    found.setFocus()
    QTest.keyClick(found, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert bench.view.keyframes(thing) == before
    bench.selection.clear(cause="test")
    alt_drag(canvas, at, at + QPoint(30, 0))
    assert canvas.view != look
    assert bench.view.keyframes(thing) == before


def alt_drag(canvas: QWidget, start: QPoint, end: QPoint) -> None:
    alt = Qt.KeyboardModifier.AltModifier
    QTest.mousePress(canvas, LEFT, alt, start)
    for step in range(1, 7):
        place = QPointF(start + (end - start) * step / 6)
        spot = QPointF(canvas.mapToGlobal(place))
        moved = QMouseEvent(QEvent.Type.MouseMove, place, spot, Qt.MouseButton.NoButton, LEFT, alt)
        QApplication.sendEvent(canvas, moved)
    QTest.mouseRelease(canvas, LEFT, alt, end)


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


def in_trajectory(window: MainWindow, thing: str) -> None:
    found = pane(window, "trajectory")
    assert isinstance(found, TrajectoryPane)
    found.fit()
    still(found)
    canvas = found.canvas
    assert canvas._placed is not None
    row = canvas._placed.ids.index(thing)
    x, y = canvas.view.to_px(canvas._placed.centers[row : row + 1])[0].tolist()
    QTest.mouseClick(canvas, LEFT, NONE, QPoint(round(x), round(y)))


def in_timeline(window: MainWindow, thing: str) -> None:
    found = pane(window, "timeline")
    assert isinstance(found, TimelinePane)
    assert found.model is not None
    found.reveal((thing,))
    still(found)
    place = found.model.place_of(thing)
    assert place is not None
    row, scene, number = place
    # A hundred tracks lie closer together than pixels: between them, as on a screen with finer ones.
    top, high = scene.row_rect(int(scene.tier.items.rows[number]), row.height)
    rect = scene.item_rect(number, found.model.viewport, row.height)
    place = QPointF(rect.center().x(), row.top - found.canvas.offset + top + high / 2)
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
        buttons = LEFT if kind is QEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
        spot = QPointF(found.canvas.mapToGlobal(place))
        QApplication.sendEvent(found.canvas, QMouseEvent(kind, place, spot, LEFT, buttons, NONE))


def in_strip(window: MainWindow, thing: str) -> None:
    """Its middle cell from the top, while the thing as such is selected."""
    bench = bench_of(window)
    assert bench.view is not None
    found = pane(window, "strip")
    assert isinstance(found, StripPane)
    entity = bench.view.annotations[thing].entity
    assert entity is not None
    bench.select([entity], cause="test")
    wait_for(lambda: found.settled() and found.track() is bench.view.annotations[thing], what="its strip")
    still(found)
    head = next(number for number, each in enumerate(found.heads) if each.accessibleDescription())
    canvas = found.cells[Side.TOP, head].canvas
    QTest.mouseClick(canvas, LEFT, NONE, canvas.rect().center())


def in_ends(window: MainWindow, thing: str) -> None:
    """Its card, while its link is selected."""
    bench = bench_of(window)
    assert bench.view is not None
    link = next(each.id for each in bench.view.links.values() if thing in {end.target for end in each.ends})
    bench.select([link], cause="test")
    found = pane(window, "ends")
    assert isinstance(found, EndsPanel)
    wait_for(lambda: any(each.card is not None and each.card.key == thing for each in found.widgets), what="its card")
    still(found)
    card = next(each for each in found.widgets if each.card is not None and each.card.key == thing)
    assert not card.chosen
    QTest.mouseClick(card, LEFT, NONE, card.rect().center())
    wait_for(lambda: any(each.chosen for each in found.widgets), what="the mark on its card")
    assert [each.card.key for each in found.widgets if each.chosen and each.card is not None] == [thing]


@pytest.mark.parametrize("select", [in_camera, in_cloud, in_table, in_trajectory, in_timeline, in_strip, in_ends])
def test_a_click_in_a_pane_selects_for_all(window: MainWindow, select: Callable[[MainWindow, str], None]) -> None:
    bench = bench_of(window)
    bench.selection.clear(cause="test")
    thing = seen_in_front(window)
    select(window, thing)
    assert bench.selected == (thing,)
    bench.selection.clear(cause="test")


@pytest.mark.parametrize("kind", ["links", "graph"])
def test_a_click_on_a_link_selects_it_and_lights_up_what_it_joins(window: MainWindow, kind: str) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    bench.selection.clear(cause="test")
    thing = seen_in_front(window)
    link = next(each for each in bench.view.links.values() if thing in {end.target for end in each.ends})
    found = pane(window, kind)
    if isinstance(found, LinksPanel):
        wait_for(lambda: any(row.key == link.id for row in found.model.rows), what="its row")
        index = found.model.index(next(i for i, row in enumerate(found.model.rows) if row.key == link.id), 0)
        found.table.scrollTo(index)
        QTest.mouseClick(found.table.viewport(), LEFT, NONE, found.table.visualRect(index).center())
    else:
        assert isinstance(found, GraphPanel)
        bench.select([thing], cause="test")
        still(found)
        item = next(each for each in found.canvas.scene.items if each.ids == (link.id,))
        QTest.mouseClick(found.canvas, LEFT, NONE, (item.rect.center() + found.canvas.origin()).toPoint())
    assert bench.selected == (link.id,)
    cameras = pane(window, "camera")
    assert isinstance(cameras, CameraPane)
    assert all({end.target for end in link.ends} <= set(each.marks.related) for each in cameras.views)
    bench.selection.clear(cause="test")
    bench.clock.seek(4_000_000_000)


def in_sound(window: MainWindow, turn: str) -> None:
    found = pane(window, "sound")
    assert isinstance(found, SoundPane)
    assert found.model is not None
    strip, scene = next((s, t) for s, t in found.model.tiers() if turn in t.tier.numbers)
    found.fit()
    rect = scene.item_rect(scene.tier.numbers[turn], found.model.viewport, strip.height - 1)
    y = strip.top + RULER_PX - found.canvas.offset + rect.center().y()
    QTest.mouseClick(found.canvas, LEFT, NONE, QPoint(round(rect.center().x()), round(y)))


def in_text(window: MainWindow, turn: str) -> None:
    found = pane(window, "text")
    assert isinstance(found, TextPane)
    bench = bench_of(window)
    assert bench.view is not None
    found.type_in.setChecked(False)
    canvas = found.reading.canvas
    said = bench.view.annotations[turn].text
    number = next(i for i, each in enumerate(canvas.sheet.passages) if each.text == said)
    canvas.reveal(number)
    rect = canvas.rects_of(number, 0, 2)[0]
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, rect.center().toPoint())


@pytest.mark.parametrize("select", [in_sound, in_text])
def test_a_click_on_a_turn_selects_it_for_all(window: MainWindow, select: Callable[[MainWindow, str], None]) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    turn = next(each.id for each in bench.view.annotations.values() if each.text is not None and each.start_ns)
    bench.selection.clear(cause="test")
    lane = pane(window, "timeline")
    plain = still(lane)
    select(window, turn)
    assert bench.selected == (turn,)
    assert differs(lane, plain)
    bench.selection.clear(cause="test")


def test_a_right_click_in_the_strip_and_on_typed_words_opens_the_labels_menu(window: MainWindow) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    thing = seen_in_front(window)
    in_strip(window, thing)
    strip = pane(window, "strip")
    assert isinstance(strip, StripPane)
    canvas = next(each.canvas for each in strip.cells.values() if each.shown is not None)
    bench.selection.clear(cause="test")
    bench.select([thing], cause="test")
    still(strip)
    menu = right_clicked(window, canvas, canvas.rect().center())
    assert menu[0] == bench.view.name_of(thing)
    assert "Link…" in menu
    text = pane(window, "text")
    assert isinstance(text, TextPane)
    text.type_in.setChecked(True)
    page = text.typing.page
    said = next(each for each in bench.view.annotations.values() if each.text is not None and each.start_ns)
    line = next(number for number in range(page.blockCount()) if page.line_text(number) == said.text)
    page.put_caret(line, 0)
    page.moveCursor(QTextCursor.MoveOperation.NextWord, QTextCursor.MoveMode.KeepAnchor)
    chosen = page.textCursor().selectedText()
    bench.selection.clear(cause="test")
    still(text)
    QApplication.clipboard().clear()
    menu = right_clicked(window, page, page.viewport().mapTo(page, page.cursorRect().center()), press="Copy words")
    assert menu[0] == bench.view.name_of(said.id)
    assert bench.selected == (said.id,)
    assert {"Link…", "Cut words", "Copy words"} <= set(menu)
    assert QApplication.clipboard().text() == chosen != ""
    assert page.textCursor().selectedText() == chosen
    text.type_in.setChecked(False)
    bench.selection.clear(cause="test")


def right_clicked(window: MainWindow, widget: QWidget, at: QPoint, press: str = "") -> list[str]:
    """What the menu offers; closed again, or by what is pressed in it."""
    handle = window.windowHandle()
    assert handle is not None
    QTest.mouseClick(handle, Qt.MouseButton.RightButton, NONE, widget.mapTo(window, at))
    wait_for(lambda: window.label_menu.menu is not None, what="the menu")
    menu = window.label_menu.menu
    assert menu is not None
    words = [each.text() for each in menu.actions() if each.text()]
    for each in menu.actions():
        if press and each.text() == press:
            QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(each).center())
    menu.close()
    wait_for(lambda: window.label_menu.menu is None, what="the menu to go")
    return words


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
    index = found.model.index(1, 0)
    found.table.scrollTo(index)
    QTest.mouseClick(found.table.viewport(), LEFT, NONE, found.table.visualRect(index).center())
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
