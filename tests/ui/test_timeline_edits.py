"""Editing on the timeline with real mouse and keys: one gesture is one step, and boundaries land where they should."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from timeline_window import SECOND, lane_y, place_of, timeline_of, wait_until_filled, x_of

from strict_windows import copy_of, drag
from workstation.ui.panes.timeline_edits import Edits
from workstation.ui.workbench import Told, Workbench

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from workstation.ui.panes.timeline import TimelinePane

LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier
ALT, CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def shared(qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimelinePane]:
    assert qapp is not None
    folder = tmp_path_factory.mktemp("timeline_edits")
    with timeline_of(copy_of(demo_template, folder / "drive"), home=folder / "home") as made:
        wait_until_filled(made, pictures=0)
        yield made


@pytest.fixture
def pane(shared: TimelinePane) -> Iterator[TimelinePane]:
    """The shared timeline; what a test changes is taken back after it, by the undo that a person has."""
    bench = shared.bench
    assert bench is not None
    head = bench.session.store.head()
    bench.selection.clear(cause="test")
    bench.hand.set_class(None)
    bench.clock.seek(0)
    shared.fit()
    shared._bar.setValue(0)
    shared.setFocus()
    yield shared
    while bench.session.store.head() > head and bench.session.undo() is not None:
        pass


@pytest.fixture
def bench(pane: TimelinePane) -> Workbench:
    assert pane.bench is not None
    return pane.bench


def span(bench: Workbench, start_s: float, end_s: float, stream: str = "commentary") -> str:
    made: str = bench.run(
        "annotation.add", stream=stream, class_id="horn", kind="span",
        start_ns=round(start_s * SECOND), end_ns=round(end_s * SECOND),
    )  # fmt: skip
    assert made
    return made


def interval(bench: Workbench, record_id: str) -> tuple[int, int]:
    assert bench.view is not None
    found = bench.view.annotations[record_id]
    assert found.start_ns is not None
    assert found.end_ns is not None
    return found.start_ns, found.end_ns


def edges(pane: TimelinePane, record_id: str) -> tuple[QPoint, QPoint]:
    return place_of(pane, record_id, 0) + QPoint(1, 0), place_of(pane, record_id, 1) - QPoint(1, 0)


def steps(bench: Workbench) -> int:
    return bench.session.store.head()


def test_dragging_over_a_sound_makes_a_span_of_the_class_in_the_hand(pane: TimelinePane, bench: Workbench) -> None:
    bench.hand.set_class("horn")
    pane.toggle_snapping()
    before, y = steps(bench), lane_y(pane, "commentary/sound")
    drag(pane.canvas, QPoint(x_of(pane, 3 * SECOND), y), QPoint(x_of(pane, 4 * SECOND), y))
    pane.toggle_snapping()
    assert steps(bench) == before + 1
    (made,) = bench.selected
    start, end = interval(bench, made)
    px = SECOND // 100
    assert abs(start - 3 * SECOND) < px
    assert abs(end - 4 * SECOND) < px
    assert pane.model is not None
    assert pane.model.row_of("commentary/spans") is not None


def test_without_a_class_it_is_asked_for_and_escape_makes_nothing(pane: TimelinePane, bench: Workbench) -> None:
    before, y = steps(bench), lane_y(pane, "commentary/sound")
    drag(pane.canvas, QPoint(x_of(pane, 3 * SECOND), y), QPoint(x_of(pane, 4 * SECOND), y))
    assert bench.hand.waiting
    assert steps(bench) == before
    assert bench.hand.say_class("horn")
    assert steps(bench) == before + 1
    drag(pane.canvas, QPoint(x_of(pane, SECOND), y), QPoint(x_of(pane, 2 * SECOND), y), release=False)
    assert pane.gesture is not None
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert pane.gesture is None
    QTest.mouseMove(pane.canvas, QPoint(x_of(pane, 3 * SECOND), y))
    QTest.mouseRelease(pane.canvas, LEFT, PLAIN, QPoint(x_of(pane, 2 * SECOND), y))
    assert steps(bench) == before + 1
    assert not bench.hand.waiting


def test_in_and_out_by_keys_make_a_span_on_the_focused_stream(pane: TimelinePane, bench: Workbench) -> None:
    assert bench.view is not None
    sound = bench.view.stream_by_key("commentary")
    assert sound is not None
    bench.focus_on(sound.id)
    bench.hand.set_class("horn")
    bench.clock.seek(3 * SECOND)
    QTest.keyClick(pane, Qt.Key.Key_I)
    bench.clock.seek(3 * SECOND + SECOND // 2)
    QTest.keyClick(pane, Qt.Key.Key_O)
    (made,) = bench.selected
    assert interval(bench, made) == (3 * SECOND, 3 * SECOND + SECOND // 2)
    assert bench.view.annotations[made].stream == sound.id


def test_a_boundary_is_drawn_to_a_frame_and_stored_as_that_frames_own_time(
    pane: TimelinePane, bench: Workbench
) -> None:
    made = span(bench, 1.02, 2.03, "front_camera")
    view = bench.view
    assert view is not None
    assert bench.readers is not None
    camera = view.stream_by_key("front_camera")
    assert camera is not None
    times = bench.readers.reader(camera).table.times_ns  # type: ignore[attr-defined]
    target = int(times[30])
    x = x_of(pane, camera.time_map.to_session(target)) + 1
    before = steps(bench)
    _, end = edges(pane, made)
    drag(pane.canvas, end, QPoint(x, end.y()), release=False)
    assert pane.canvas.drag is not None
    snap = pane.canvas.drag.preview.snap
    assert snap is not None
    assert snap.label == "frame 30"
    assert steps(bench) == before
    QTest.mouseRelease(pane.canvas, LEFT, PLAIN, QPoint(x, end.y()))
    assert steps(bench) == before + 1
    assert interval(bench, made)[1] == target


def test_alt_and_the_button_suspend_snapping(pane: TimelinePane, bench: Workbench) -> None:
    made = span(bench, 1.02, 2.03, "front_camera")
    assert pane.model is not None
    _, end = edges(pane, made)
    free = x_of(pane, 3 * SECOND) + 3
    pane.toggle_snapping()
    drag(pane.canvas, end, QPoint(free, end.y()))
    pane.toggle_snapping()
    assert bench.view is not None
    shown = bench.view.session_range(bench.view.annotations[made])
    assert shown is not None
    px = pane.model.viewport.distance_ns(1)
    assert abs(shown.end_ns - pane.model.viewport.ns_at(free)) <= px


def test_a_shared_boundary_moves_both_and_ctrl_parts_them(pane: TimelinePane, bench: Workbench) -> None:
    first, second = span(bench, 1, 2), span(bench, 2, 3)
    before = steps(bench)
    at = edges(pane, first)[1]
    drag(pane.canvas, at, at + QPoint(60, 0))
    assert steps(bench) == before + 1
    assert interval(bench, first)[1] == interval(bench, second)[0] > 2 * SECOND + SECOND // 4
    assert interval(bench, first)[0] == SECOND
    bench.session.undo()
    assert interval(bench, first)[1] == interval(bench, second)[0] == 2 * SECOND
    at = edges(pane, first)[1]
    QTest.mousePress(pane.canvas, LEFT, CTRL, at)
    for step in range(1, 9):
        pane.canvas.mouseMoveEvent(moved(pane, at - QPoint(5 * step, 0), CTRL))
    QTest.mouseRelease(pane.canvas, LEFT, CTRL, at - QPoint(40, 0))
    assert interval(bench, first)[1] < 2 * SECOND
    assert interval(bench, second)[0] == 2 * SECOND


def moved(pane: TimelinePane, at: QPoint, modifiers: Qt.KeyboardModifier):  # type: ignore[no-untyped-def]
    """QTest moves the pointer without modifiers."""
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent

    where = QPointF(at)
    return QMouseEvent(
        QEvent.Type.MouseMove, where, QPointF(pane.canvas.mapToGlobal(at)), Qt.MouseButton.NoButton, LEFT, modifiers
    )


def test_moving_keeps_the_length_and_undo_takes_the_whole_drag_back(pane: TimelinePane, bench: Workbench) -> None:
    made = span(bench, 1, 2)
    before = steps(bench)
    at = place_of(pane, made)
    drag(pane.canvas, at, at + QPoint(200, 0))
    assert steps(bench) == before + 1
    start, end = interval(bench, made)
    assert end - start == SECOND
    assert start > 2 * SECOND
    bench.session.undo()
    assert interval(bench, made) == (SECOND, 2 * SECOND)


def test_a_dragged_boundary_never_crosses_the_other_end(pane: TimelinePane, bench: Workbench) -> None:
    made = span(bench, 1, 2)
    at = edges(pane, made)[1]
    drag(pane.canvas, at, QPoint(x_of(pane, 0), at.y()))
    start, end = interval(bench, made)
    assert start == SECOND
    assert end > start


def test_a_run_of_nudges_is_one_step_and_a_pause_begins_another(pane: TimelinePane, bench: Workbench) -> None:
    now = [0.0]
    made = span(bench, 1, 2)
    assert pane.model is not None
    pane.edits = Edits(bench, pane.model, lambda: now[0])
    bench.select([made], cause="test")
    bench.clock.seek(2 * SECOND)
    for _ in range(3):
        QTest.keyClick(pane, Qt.Key.Key_BracketRight)
        now[0] += 0.2
    assert interval(bench, made) == (SECOND, 2 * SECOND + 3 * SECOND // 16000)
    now[0] += 1
    QTest.keyClick(pane, Qt.Key.Key_BracketLeft)
    assert interval(bench, made) == (SECOND, 2 * SECOND + 2 * SECOND // 16000)
    bench.session.undo()
    assert interval(bench, made) == (SECOND, 2 * SECOND + 3 * SECOND // 16000)
    bench.session.undo()
    assert interval(bench, made) == (SECOND, 2 * SECOND)
    QTest.keyClick(pane, Qt.Key.Key_Backslash)
    QTest.keyClick(pane, Qt.Key.Key_BracketLeft)
    assert interval(bench, made) == (SECOND - SECOND // 16000, 2 * SECOND)


def test_split_join_and_merge(pane: TimelinePane, bench: Workbench) -> None:
    made = span(bench, 1, 3)
    bench.select([made], cause="test")
    bench.clock.seek(2 * SECOND)
    QTest.keyClick(pane, Qt.Key.Key_S)
    assert interval(bench, made) == (SECOND, 2 * SECOND)
    (second,) = bench.selected
    assert interval(bench, second) == (2 * SECOND, 3 * SECOND)
    bench.select([made, second], cause="test")
    QTest.keyClick(pane, Qt.Key.Key_J, CTRL)
    assert bench.selected == (made,)
    assert interval(bench, made) == (SECOND, 3 * SECOND)
    assert bench.view is not None
    assert second not in bench.view.annotations


def test_a_track_is_split_at_the_playhead_and_shifts_only_with_alt(pane: TimelinePane, bench: Workbench) -> None:
    assert bench.view is not None
    track = next(each for each in bench.view.annotations.values() if each.track is not None)
    before = steps(bench)
    at = place_of(pane, track.id, 0.4)
    drag(pane.canvas, at, at + QPoint(50, 0))
    assert steps(bench) == before
    bench.select([track.id], cause="test")
    bench.clock.seek(3 * SECOND)
    QTest.keyClick(pane, Qt.Key.Key_S)
    assert len(bench.selected) == 1
    assert bench.selected[0] != track.id
    assert interval(bench, track.id)[1] <= 3 * SECOND < interval(bench, bench.selected[0])[1]


def test_looping_around_a_boundary_plays_half_a_second_on_both_sides(pane: TimelinePane, bench: Workbench) -> None:
    made = span(bench, 1, 3)
    bench.select([made], cause="test")
    bench.clock.seek(3 * SECOND)
    QTest.keyClick(pane, Qt.Key.Key_B)
    loop = bench.clock.loop
    assert loop is not None
    assert (loop.start_ns, loop.end_ns) == (3 * SECOND - SECOND // 2, 3 * SECOND + SECOND // 2)
    assert bench.clock.playing
    QTest.keyClick(pane, Qt.Key.Key_B)
    assert bench.clock.loop is None
    assert not bench.clock.playing


class Ear:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def hear(self, told: Told) -> None:
        self.heard.append(told.text)


def test_what_is_locked_stays_and_says_why(pane: TimelinePane, bench: Workbench) -> None:
    made = span(bench, 1, 2)
    ear = Ear()
    bench.told.connect(ear.hear)
    bench.sight.toggle_locked("commentary/spans")
    before = steps(bench)
    for at in (place_of(pane, made), edges(pane, made)[1]):
        drag(pane.canvas, at, at + QPoint(80, 0))
    bench.select([made], cause="test")
    QTest.keyClick(pane, Qt.Key.Key_BracketRight)
    bench.sight.toggle_locked("commentary/spans")
    assert steps(bench) == before
    assert any("locked" in text for text in ear.heard)


def test_a_refused_edit_is_told_and_leaves_everything(pane: TimelinePane, bench: Workbench) -> None:
    ear = Ear()
    bench.told.connect(ear.hear)
    bench.hand.set_class("gone")
    before, y = steps(bench), lane_y(pane, "commentary/sound")
    drag(pane.canvas, QPoint(x_of(pane, 3 * SECOND), y), QPoint(x_of(pane, 4 * SECOND), y))
    assert steps(bench) == before
    assert ear.heard


def test_one_keyframe_is_dragged_to_another_frame_and_its_neighbours_stay(pane: TimelinePane, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    camera = view.stream_by_key("front_camera")
    assert camera is not None
    assert pane.model is not None
    units = pane.model.units(camera.id)
    assert units is not None
    shape = {"kind": "box", "x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0}
    keyframes = [{"time_ns": units.own_ns(frame), "shape": shape} for frame in (10, 30, 50)]
    track = bench.run("track.add", stream=camera.id, class_id="car", keyframes=keyframes)
    before = steps(bench)
    y = place_of(pane, track).y()
    start, end = (QPoint(x_of(pane, units.session_ns(frame)), y) for frame in (30, 37))
    drag(pane.canvas, start, end)
    assert steps(bench) == before + 1
    assert [each.time_ns for each in view.keyframes(track)] == [units.own_ns(frame) for frame in (10, 37, 50)]
    bench.session.undo()
    assert [each.time_ns for each in view.keyframes(track)] == [units.own_ns(frame) for frame in (10, 30, 50)]
    drag(pane.canvas, start, QPoint(x_of(pane, units.session_ns(50)), y))  # where there is one already
    assert [each.time_ns for each in view.keyframes(track)] == [units.own_ns(frame) for frame in (10, 30, 50)]
    drag(pane.canvas, start, end, release=False)
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    QTest.mouseRelease(pane.canvas, LEFT, PLAIN, end)
    assert [each.time_ns for each in view.keyframes(track)] == [units.own_ns(frame) for frame in (10, 30, 50)]
