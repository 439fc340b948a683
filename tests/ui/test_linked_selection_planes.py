"""The law of one selection for documents, volumes and series: what is selected anywhere is marked in them, and a click
in them selects for all. The panes of a drive are in ``test_linked_selection.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pydicom
import pytest
from linked_panes import LEFT, NONE, ON_PLANES, differs, pane, still
from main_windows import bench_of, main_window
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from strict_texts import pdf_of
from strict_windows import wait_for
from workstation.app.adding import add_files
from workstation.app.opening import new_project, open_project
from workstation.core.sample import StreamKind
from workstation.synth.ct import CtOptions, write_series
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.base_strips_canvas import RULER_PX
from workstation.ui.panes.document import DocumentPane
from workstation.ui.panes.series import SeriesPane
from workstation.ui.panes.volume import VolumePane

pytestmark = pytest.mark.slow
SECOND = 1_000_000_000
ONTOLOGY = """
version: 1
name: Findings
language: en
modalities: [series, volume, document]
classes:
  finding:
    name: Finding
    definition: Whatever is worth a mark.
    colour: "#d62728"
    shapes: {series: [span], volume: [box], document: [box, text_span]}
"""


@pytest.fixture(scope="module")
def window(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    """One sample of a recording, a scan and a form; one thing is marked in each of them."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("planes")
    (folder / "own.yaml").write_text(ONTOLOGY, encoding="utf-8")
    rows = [f"{i / 50:.2f},{np.sin(i / 20):.4f}" for i in range(500)]
    (folder / "pulse.csv").write_text("time_s,pressure [bar]\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (folder / "form.pdf").write_bytes(pdf_of([[(50, 700, "Nodule")], [(50, 700, "Signed by Dr Weber")]]))
    write_series(folder / "scan", CtOptions(size=40, slices=20, spacing_mm=8.0, slice_mm=11.0), 2)
    slices = sorted((folder / "scan").glob("*.dcm"))
    project = new_project(folder / "project", ontology=str(folder / "own.yaml"), in_force=True, person="Ada")
    with open_project(project, kind="person", role="lead") as session:
        add_files(session, [folder / "pulse.csv"], sample="one", stream="pulse", kind=StreamKind.SERIES, copy=True)
        add_files(session, slices, sample="one", stream="scan", kind=StreamKind.VOLUME, copy=True)
        add_files(session, [folder / "form.pdf"], sample="one", stream="form", kind=StreamKind.DOCUMENT, copy=True)
        session.open_sample("one")
        entity = session.run("entity.add", sample="one", class_id="finding")
        image = str(pydicom.dcmread(slices[4], stop_before_pixels=True).SOPInstanceUID)
        for stream, given in (
            ("pulse", {"kind": "span", "item": "pressure", "start_ns": 2 * SECOND, "end_ns": 4 * SECOND}),
            ("scan", {"item": image, "shape": {"kind": "box", "x": 12.0, "y": 10.0, "width": 14.0, "height": 12.0}}),
            ("form", {"item": "2", "shape": {"kind": "box", "x": 60.0, "y": 200.0, "width": 200.0, "height": 90.0}}),
        ):
            session.run("annotation.add", sample="one", stream=stream, entity=entity, **given)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(project) as made:
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


def click_at(widget: object, place: tuple[float, float]) -> None:
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
