"""The law of one selection for documents, volumes and series: what is selected anywhere is marked in them, and a click
in them selects for all. The panes of a drive are in ``test_linked_selection.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from linked_panes import LEFT, NONE, ON_PLANES, differs, pane, still
from main_windows import bench_of, main_window
from planes_project import SECOND, planes_project
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from strict_windows import wait_for
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.base_strips_canvas import RULER_PX
from workstation.ui.panes.document import DocumentPane
from workstation.ui.panes.series import SeriesPane
from workstation.ui.panes.volume import VolumePane

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def window(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    """One sample of a recording, a scan and a form; one thing is marked in each of them."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("planes")
    project = planes_project(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(project, checked=False) as made:
            made.resize(1500, 1000)
            yield made


def mark_on(window: MainWindow, kind: str) -> str:
    """The mark on the stream that a pane shows."""
    view = bench_of(window).view
    assert view is not None
    streams = {each.id for each in view.streams.values() if each.kind.value == kind}
    return next(each.id for each in view.annotations.values() if each.stream in streams)


@pytest.mark.parametrize("kind", [*ON_PLANES, "inspector", "entities"])
def test_what_is_selected_elsewhere_is_marked_wherever_it_shows(window: MainWindow, kind: str) -> None:
    bench = bench_of(window)
    own = mark_on(window, kind if kind in ON_PLANES else "series")
    found = pane(window, kind)
    bench.select([own], cause="test")  # turns to the page, the slice, the time
    still(found)
    bench.selection.clear(cause="test")
    plain = still(found)
    bench.select([own], cause="test")
    assert differs(found, plain)
    marked = still(found)
    bench.selection.clear(cause="test")
    assert differs(found, marked)


@pytest.mark.parametrize("kind", ON_PLANES)
def test_what_is_selected_in_another_stream_lights_up_what_shows_the_same_thing(window: MainWindow, kind: str) -> None:
    bench = bench_of(window)
    other = mark_on(window, next(each for each in ON_PLANES if each != kind))
    found = pane(window, kind)
    bench.select([other], cause="test")
    still(found)
    bench.selection.clear(cause="test")
    plain = still(found)
    bench.select([other], cause="test")
    assert differs(found, plain)
    bench.selection.clear(cause="test")


def in_series(window: MainWindow) -> None:
    found = pane(window, "series")
    assert isinstance(found, SeriesPane)
    assert found.model is not None
    found.fit()
    strip = next(each for each in found.model.strips if each.channel == "pressure")
    at = QPoint(
        round(found.model.viewport.x_of(3 * SECOND)), strip.top + RULER_PX + strip.height - 6 - found.canvas.offset
    )
    QTest.mouseMove(found.canvas, at)
    QTest.mouseClick(found.canvas, LEFT, NONE, at)


def in_volume(window: MainWindow) -> None:
    found = pane(window, "volume")
    assert isinstance(found, VolumePane)
    plane = next(each for each in found.views if each.volume.acquired is not None and each.name == "axial")
    click_at(plane.area, plane.viewport.to_screen((12.0, 16.0)))


def in_document(window: MainWindow) -> None:
    found = pane(window, "document")
    assert isinstance(found, DocumentPane)
    wait_for(lambda: found.page.painted, what="the page")
    click_at(found.page, found.page.viewport.to_screen((60.0, 240.0)))


def click_at(widget: QWidget, place: tuple[float, float]) -> None:
    at = QPoint(round(place[0]), round(place[1]))
    QTest.mouseMove(widget, at)
    QTest.mouseClick(widget, LEFT, NONE, at)


@pytest.mark.parametrize(("kind", "click"), list(zip(ON_PLANES, (in_series, in_volume, in_document), strict=True)))
def test_a_click_in_a_pane_selects_for_all(window: MainWindow, kind: str, click: Callable[[MainWindow], None]) -> None:
    bench = bench_of(window)
    own = mark_on(window, kind)
    found = pane(window, kind)
    bench.select([own], cause="test")  # the page, the slice
    still(found)
    bench.selection.clear(cause="test")
    still(found)
    inspector = pane(window, "inspector")
    plain = still(inspector)
    click(window)
    assert bench.selected == (own,)
    assert differs(inspector, plain)
    bench.selection.clear(cause="test")
