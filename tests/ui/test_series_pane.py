"""The series pane in the real window with real mouse and keys, over recordings made here: what is painted is read back
from the pixels and compared with the numbers that were written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from main_windows import as_found, bench_of, main_window, press
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from strict_windows import drag, wait_for
from workstation.app.adding import add_files
from workstation.app.opening import new_project, open_project
from workstation.app.series_curves import ScaleMode
from workstation.core.annotation import Annotation
from workstation.core.geometry import Curve, ShapeKind
from workstation.core.sample import StreamKind
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.base_strips_canvas import RULER_PX
from workstation.ui.panes.series import SeriesPane
from workstation.ui.panes.series_heads import SeriesHeads
from workstation.ui.panes.series_model import Strip

SECOND = 1_000_000_000
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton
pytestmark = pytest.mark.slow
"""All in one window, which takes some seconds to open."""


def value_at(t: float) -> float:
    """What the generated sensor measures."""
    return 3.0 * math.sin(0.8 * t)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of a sensor at 50 Hz, silent from 4 to 5 s, −9999 from 7.0 to 7.5 s; and a decoded vehicle bus."""
    folder = tmp_path_factory.mktemp("series")
    rows = ["time_s,accel [m/s²],temperature [°C]"]
    for i in range(500):
        t = i / 50
        if not 4.0 <= t < 5.0:
            rows.append(f"{t:.2f},{-9999 if 7.0 <= t < 7.5 else f'{value_at(t):.5f}'},{20 + t:.3f}")
    (folder / "imu.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    bus = ["time_s,signal,value,unit"]
    for i in range(100):
        bus.append(f"{i / 10:.3f},speed,{i * 0.2:.2f},m/s")
        if i % 2:
            bus.append(f"{i / 10 + 0.037:.3f},brake,{0 if i < 50 else 30},bar")
    (folder / "can.csv").write_text("\n".join(bus) + "\n", encoding="utf-8")
    project = new_project(folder / "project", profile="driving", person="Ana")
    with open_project(project, kind="person", role="lead") as session:
        add_files(session, [folder / "imu.csv"], sample="take", stream="imu", kind=StreamKind.SERIES, copy=True)
        add_files(session, [folder / "can.csv"], sample="take", stream="can", kind=StreamKind.SERIES, copy=True)
    return project


@pytest.fixture(scope="module")
def shared(template: Path, qapp: QApplication) -> Iterator[MainWindow]:
    assert qapp is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(template.parent / "home"))
        with main_window(template, checked=False) as made:
            made.resize(1300, 860)
            yield made


@pytest.fixture
def window(shared: MainWindow) -> Iterator[MainWindow]:
    """The curves alone; whatever a test does with the window is taken back."""
    with as_found(shared):
        shared.show_pane("series")
        shared.maximise(shared.pane("series"))
        yield shared


@pytest.fixture
def pane(window: MainWindow) -> Iterator[SeriesPane]:
    found = window.pane("series")
    assert isinstance(found, SeriesPane)
    wait_for(lambda: found.canvas.width() > 1000 and found.canvas.height() > 600, what="the whole window")
    sizes: list[str] = []

    def steady() -> bool:
        sizes.append(repr(found.canvas.size()))
        return len(sizes) > 20 and len(set(sizes[-20:])) == 1

    wait_for(steady, what="the layout")
    assert found.settled()
    found.setFocus()
    found.snap.setChecked(False)
    found.fit()
    linked, layout = found.linked.isChecked(), found.layout_kept
    yield found
    found.linked.setChecked(linked)
    found.draw.setChecked(False)
    found._keep(layout)


def lane(pane: SeriesPane, key: str) -> Strip:
    assert pane.model is not None
    found = pane.model.strip(key)
    assert found is not None, [each.key for each in pane.model.strips]
    return found


def at(pane: SeriesPane, seconds: float, key: str, share: float = 0.5) -> QPoint:
    """A time and a height on a lane of the canvas."""
    assert pane.model is not None
    strip = lane(pane, key)
    x = pane.model.viewport.x_of(round(seconds * SECOND))
    return QPoint(round(x), round(strip.top + RULER_PX + strip.height * share))


def labels(window: MainWindow) -> list[Annotation]:
    view = bench_of(window).view
    assert view is not None
    return list(view.annotations.values())


def take(window: MainWindow, kind: ShapeKind) -> str:
    view = bench_of(window).view
    assert view is not None
    assert view.ontology is not None
    chosen = view.ontology.classes_for(StreamKind.SERIES, kind)[0]
    bench_of(window).hand.set_class(chosen)
    return chosen


def test_what_is_painted_is_what_was_recorded_and_gaps_stay_empty(window: MainWindow, pane: SeriesPane) -> None:
    """Pixels of the curve's colour, column by column, against the sine that was written; none in gap and sentinel."""
    key = "imu/accel"
    pane._change(key, mode=ScaleMode.FIXED, low=-4.0, high=4.0)
    strip = lane(pane, key)
    bench_of(window).clock.seek(9 * SECOND + SECOND // 2)
    picture = pane.canvas.grab().toImage()
    ratio = picture.devicePixelRatio()
    theme = bench_of(window).theme
    paper, wave = (np.array(QColor(each).getRgb()[:3], float) for each in (theme.panel, theme.wave))
    assert pane.model is not None
    checked = 0
    for t in np.arange(0.21, 9.3, 0.13).tolist():
        if min(abs(t - edge) for edge in (3.98, 5.0, 6.98, 7.5)) < 0.03:
            continue
        x = pane.model.viewport.x_of(round(t * SECOND))
        hits = []
        for y in range(1, strip.height - 1):
            colour = picture.pixelColor(round(x * ratio), round((strip.top + RULER_PX + y) * ratio))
            share = np.dot(np.array(colour.getRgb()[:3]) - paper, wave - paper) / np.dot(wave - paper, wave - paper)
            if share > 0.4 and colour.blue() > colour.red():  # the hatching of gaps is orange
                hits.append(y)
        empty = 3.98 < t < 5.0 or 6.98 < t < 7.5
        assert bool(hits) is not empty, (t, hits)
        if hits:
            # 3 px air above and below; the lane's height stands for −4 to 4.
            wanted = 3 + (1 - (value_at(t) + 4) / 8) * (strip.height - 1 - 6)
            slope = abs(2.4 * math.cos(0.8 * t)) * (strip.height / 8) / (pane.canvas.width() / 10)
            assert abs(sum(hits) / len(hits) - wanted) <= 2.0 + slope, (t, hits, wanted)
            checked += 1
    assert checked > 50


def test_values_stand_at_the_playhead_with_their_units_and_not_in_gaps(window: MainWindow, pane: SeriesPane) -> None:
    model, clock = pane.model, bench_of(window).clock
    assert model is not None

    def said(key: str) -> str:
        return SeriesHeads.value_of(model, lane(pane, key))

    clock.seek(2 * SECOND)
    assert said("imu/accel") == f"{value_at(2.0):.5f} m/s²".replace("-", "−")
    assert said("imu/temperature") == "22 °C"
    assert said("can/speed") == "4 m/s"
    assert said("can/brake") == "0 bar"
    clock.seek(4 * SECOND + SECOND // 2)
    assert said("imu/accel") == said("imu/temperature") == "–"
    clock.seek(7 * SECOND + SECOND // 5)
    assert said("imu/accel") == "–"
    assert said("imu/temperature") == "27.2 °C"
    assert said("can/brake") == "30 bar"  # of 7.137 s: kept, not slid


def test_steps_go_from_reading_to_reading_of_the_stream_in_hand(window: MainWindow, pane: SeriesPane) -> None:
    clock = bench_of(window).clock
    QTest.mouseClick(pane.canvas, LEFT, pos=at(pane, 3.0, "imu/accel"))
    clock.seek(3 * SECOND + 970_000_000)
    press(window, Qt.Key.Key_Period)
    assert clock.time_ns == 3_980_000_000
    press(window, Qt.Key.Key_Period)
    assert clock.time_ns == 5 * SECOND  # over the gap to the next reading
    press(window, Qt.Key.Key_Comma)
    assert clock.time_ns == 3_980_000_000
    QTest.mouseClick(pane.canvas, LEFT, pos=at(pane, 3.0, "can/speed"))
    before = clock.time_ns
    press(window, Qt.Key.Key_Period)
    assert 0 < clock.time_ns - before <= 100_000_000
    assert clock.time_ns in {*range(0, 10 * SECOND, SECOND // 10), *(i * SECOND // 10 + 37_000_000 for i in range(100))}


def test_a_drag_marks_a_channel_or_the_whole_stream_and_can_be_changed_and_undone(
    window: MainWindow, pane: SeriesPane
) -> None:
    bench, chosen = bench_of(window), take(window, ShapeKind.SPAN)
    assert bench.view is not None
    assert pane.model is not None
    drag(pane.canvas, at(pane, 1.0, "imu/accel"), at(pane, 2.0, "imu/accel"))
    (made,) = labels(window)
    px = pane.model.viewport.ns_per_px
    assert (made.class_id, made.item, made.kind) == (chosen, "accel", ShapeKind.SPAN)
    assert abs((made.start_ns or 0) - SECOND) <= 2 * px
    assert abs((made.end_ns or 0) - 2 * SECOND) <= 2 * px
    assert bench.selected == (made.id,) or made.id in bench.selected
    drag(pane.canvas, at(pane, 3.0, "imu/spans"), at(pane, 3.5, "imu/spans"))
    whole = next(each for each in labels(window) if each.id != made.id)
    assert whole.item is None
    assert whole.stream == made.stream
    QTest.mouseClick(pane.canvas, LEFT, pos=at(pane, 1.5, "imu/accel"))
    assert set(bench.selected) == {made.id}
    drag(pane.canvas, at(pane, 2.0, "imu/accel"), at(pane, 2.4, "imu/accel"))
    longer = bench.view.annotations[made.id]
    assert longer.start_ns == made.start_ns
    assert abs((longer.end_ns or 0) - 2.4 * SECOND) <= 2 * px
    drag(pane.canvas, at(pane, 1.5, "imu/accel"), at(pane, 2.5, "imu/accel"), release=False)
    assert pane.gesture is not None
    press(window, Qt.Key.Key_Escape)
    QTest.mouseRelease(pane.canvas, LEFT, pos=at(pane, 2.5, "imu/accel"))
    assert bench.view.annotations[made.id] == longer
    for _ in range(3):
        press(window, Qt.Key.Key_Z, CTRL)
    assert labels(window) == []


def test_keys_mark_spans_and_moments_on_the_channel_in_hand(window: MainWindow, pane: SeriesPane) -> None:
    clock = bench_of(window).clock
    take(window, ShapeKind.SPAN)
    QTest.mouseClick(pane.canvas, LEFT, pos=at(pane, 6.0, "can/brake"))
    clock.seek(SECOND)
    press(window, Qt.Key.Key_I)
    clock.seek(2 * SECOND)
    press(window, Qt.Key.Key_O)
    (span,) = labels(window)
    assert (span.item, span.start_ns, span.end_ns) == ("brake", SECOND, 2 * SECOND)
    clock.seek(5 * SECOND)
    press(window, Qt.Key.Key_M)
    moment = next(each for each in labels(window) if each.id != span.id)
    assert (moment.item, moment.start_ns, moment.end_ns) == ("brake", 5 * SECOND, 5 * SECOND)
    pane.snap.setChecked(True)
    near = pane.model.viewport.distance_ns(5) if pane.model is not None else 0
    place = at(pane, 2.0 + near / SECOND, "imu/accel")
    QTest.mouseDClick(pane.canvas, LEFT, pos=place)
    last = next(each for each in labels(window) if each.id not in (span.id, moment.id))
    assert (last.item, last.start_ns, last.end_ns) == ("accel", 2 * SECOND, 2 * SECOND)  # drawn to the span's end


def test_values_are_drawn_and_typed_over_time_in_the_channels_unit(window: MainWindow, pane: SeriesPane) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    pane._change("imu/accel", mode=ScaleMode.FIXED, low=-4.0, high=4.0)
    chosen = take(window, ShapeKind.CURVE)
    press(window, Qt.Key.Key_D)
    assert pane.draw.isChecked()
    drag(pane.canvas, at(pane, 1.0, "imu/accel", 0.25), at(pane, 3.0, "imu/accel", 0.75), steps=20)
    (made,) = labels(window)
    assert isinstance(made.shape, Curve)
    assert (made.class_id, made.item, made.shape.unit) == (chosen, "accel", "m/s²")
    first, last = made.shape.points[0], made.shape.points[-1]
    assert (made.start_ns, made.end_ns) == (first[0], last[0])
    assert first[0] / SECOND == pytest.approx(1.0, abs=0.03)
    assert (first[1], last[1]) == (pytest.approx(2.0, abs=0.15), pytest.approx(-2.0, abs=0.15))
    bench.clock.seek(2 * SECOND)
    press(window, Qt.Key.Key_V)
    QTest.keyClicks(pane.value, "0,5 g")
    QTest.keyClick(pane.value, Qt.Key.Key_Return)
    typed = bench.view.annotations[made.id].shape
    assert isinstance(typed, Curve)
    assert dict(typed.points)[2 * SECOND] == pytest.approx(0.5 * 9.80665)
    press(window, Qt.Key.Key_Z, CTRL)
    assert bench.view.annotations[made.id].shape == made.shape
    bench.run("annotation.move", annotations=[made.id], by_ns=SECOND)
    moved = bench.view.annotations[made.id].shape
    assert isinstance(moved, Curve)
    assert moved.points == tuple((time + SECOND, value) for time, value in made.shape.points)


def test_a_value_that_fits_no_unit_is_refused_in_words(window: MainWindow, pane: SeriesPane) -> None:
    take(window, ShapeKind.CURVE)
    pane.draw.setChecked(True)
    QTest.mouseClick(pane.canvas, LEFT, pos=at(pane, 6.0, "imu/temperature"))
    pane.ask_value()
    assert "°C" in pane.value.placeholderText()
    QTest.keyClicks(pane.value, "4 furlongs")
    QTest.keyClick(pane.value, Qt.Key.Key_Return)
    assert labels(window) == []
    assert "furlongs" in window.status.said


def test_channels_are_hidden_ordered_scaled_and_remembered(window: MainWindow, pane: SeriesPane) -> None:
    model = pane.model
    assert model is not None
    keys = [each.key for each in model.channels()]
    assert keys == ["can/brake", "can/speed", "imu/accel", "imu/temperature"]
    QTest.mouseClick(pane.canvas, LEFT, pos=at(pane, 6.0, "imu/temperature"))
    press(window, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    press(window, Qt.Key.Key_S)
    press(window, Qt.Key.Key_S)
    assert [each.key for each in model.channels()][2:] == ["imu/temperature", "imu/accel"]
    assert pane.layout_kept.choice("imu/temperature").mode is ScaleMode.LOG
    pane.choose_channels()
    listed = pane._channel_list.list
    listed.setCurrentRow(0)
    QTest.keyClick(listed, Qt.Key.Key_Space)
    pane._channel_list.hide()
    assert [each.key for each in model.channels()] == ["can/speed", "imu/temperature", "imu/accel"]
    bench = bench_of(window)
    pane.unbind()
    pane.bind(bench)
    assert pane.model is not None
    assert [each.key for each in pane.model.channels()] == ["can/speed", "imu/temperature", "imu/accel"]


def test_the_read_out_says_the_reading_under_the_pointer(window: MainWindow, pane: SeriesPane) -> None:
    assert window is not None
    place = at(pane, 2.0, "imu/temperature")
    assert pane.model is not None
    x = pane.model.viewport.x_of(2_010_000_000)
    assert pane.read_out(x, place.y()) == "temperature 22 °C  at 2.0000 s, row 100"
    x = pane.model.viewport.x_of(4_500_000_000)
    assert pane.read_out(x, place.y()) == "temperature: nothing at 4.500"
    QTest.mouseMove(pane.canvas, place)
    wait_for(lambda: pane.canvas.pointer is not None, what="the pointer")
    assert pane.canvas.pointer == QPointF(place)


def test_selection_and_view_are_shared_both_ways(window: MainWindow, pane: SeriesPane) -> None:
    bench = bench_of(window)
    take(window, ShapeKind.SPAN)
    drag(pane.canvas, at(pane, 1.0, "imu/accel"), at(pane, 1.5, "imu/accel"))
    (made,) = labels(window)
    bench.selection.clear(cause="test")
    assert pane.model is not None
    for _ in range(6):
        pane.zoom(0.5, pane.canvas.width())
    assert pane.model.viewport.start_ns > 5 * SECOND
    assert bench.window == pane.model.viewport.shown
    bench.select([made.id], cause="timeline")
    assert pane.model.viewport.start_ns <= (made.start_ns or 0) < pane.model.viewport.end_ns
    pane.linked.setChecked(False)
    before = bench.window
    pane.fit()
    assert bench.window == before
