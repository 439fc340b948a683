"""The timeline on the demo, in a real window with real mouse and keys: looking, walking, seeking."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QScrollBar
from timeline_window import SECOND, lane_y, place_of, timeline_of, turn_wheel, wait_until_filled, x_of

from strict_windows import copy_of, drag, wait_for
from workstation.app.finding_places import place_all
from workstation.app.lanes import LaneKind
from workstation.app.viewport import whole
from workstation.core.findings import Finding, Item, fingerprint_of
from workstation.core.ontology import ErrorType, Severity
from workstation.ui.scenes.film_scene import FilmScene
from workstation.ui.scenes.finding_scene import FindingScene
from workstation.ui.scenes.lane_scene import Look
from workstation.ui.scenes.sound_scene import SoundScene
from workstation.ui.theme import DARK, LIGHT
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from workstation.ui.panes.timeline import TimelinePane

LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def shared(qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimelinePane]:
    """One timeline for all of these tests: each finds it as if it had just been opened."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("timeline")
    with timeline_of(copy_of(demo_template, folder / "drive"), home=folder / "home") as made:
        wait_until_filled(made)
        yield made


@pytest.fixture
def fresh(qapp: QApplication, demo_project: Path, tmp_path: Path) -> Iterator[TimelinePane]:
    """A timeline of the test's own, which it may close and bind again."""
    assert qapp is not None
    with timeline_of(demo_project, home=tmp_path / "home") as made:
        yield made


@pytest.fixture
def pane(shared: TimelinePane) -> TimelinePane:
    bench = shared.bench
    assert bench is not None
    if shared.gesture is not None:
        QTest.keyClick(shared, Qt.Key.Key_Escape)
    bench.selection.clear(cause="test")
    bench.sight.show_all()
    bench.clock.pause()
    bench.clock.seek(0)
    bench.focus_on(None)
    shared.fit()
    shared._bar.setValue(0)
    shared.setFocus()
    return shared


@pytest.fixture
def bench(pane: TimelinePane) -> Workbench:
    """The workbench of the shared timeline."""
    assert pane.bench is not None
    return pane.bench


def turns(pane: TimelinePane) -> list[str]:
    """The turns of the demo by time."""
    assert pane.model is not None
    return list(next(scene for _, scene in pane.model.tiers() if scene.kind is LaneKind.TURNS).tier.ids)


def test_lanes_of_the_demo_fill_with_pictures_and_sound(pane: TimelinePane, bench: Workbench) -> None:
    assert pane.model is not None
    kinds = [row.lane.kind for row in pane.model.rows]
    assert kinds.count(LaneKind.FILM) == 4
    assert {LaneKind.SOUND, LaneKind.TURNS, LaneKind.TEXT, LaneKind.SWEEPS, LaneKind.TRACKS, LaneKind.PLOT} <= set(
        kinds
    )
    assert all(row.scene._held for row in pane.model.rows if isinstance(row.scene, FilmScene))
    sound = next(row.scene for row in pane.model.rows if isinstance(row.scene, SoundScene))
    assert sound.sound.complete
    view = bench.view
    assert view is not None
    first = view.session_range(view.annotations[turns(pane)[0]])
    assert first is not None
    assert (
        min(abs(int(onset) - first.start_ns) for onset in sound.onsets) < SECOND // 5
    )  # where somebody begins to speak


def test_a_click_beside_everything_seeks_and_focuses_the_stream(pane: TimelinePane, bench: Workbench) -> None:
    assert pane.model is not None
    bench.select(turns(pane)[:1], cause="test")
    x = x_of(pane, 4 * SECOND)
    QTest.mouseClick(pane.canvas, LEFT, PLAIN, QPoint(x, lane_y(pane, "lidar/sweeps")))
    assert bench.clock.time_ns == pane.model.viewport.ns_at(x)
    assert bench.selected == ()
    assert bench.view is not None
    lidar = bench.view.stream_by_key("lidar")
    assert lidar is not None
    assert bench.focused_stream == lidar.id
    assert pane.unit_name() == "sweep"


def test_dragging_on_the_ruler_scrubs_and_escape_brings_the_playhead_back(pane: TimelinePane, bench: Workbench) -> None:
    before = bench.clock.time_ns
    drag(pane.ruler, QPoint(x_of(pane, 2 * SECOND), 8), QPoint(x_of(pane, 5 * SECOND), 8))
    assert abs(bench.clock.time_ns - 5 * SECOND) < SECOND // 50
    drag(pane.ruler, QPoint(x_of(pane, 2 * SECOND), 8), QPoint(x_of(pane, 6 * SECOND), 8), release=False)
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert abs(bench.clock.time_ns - 5 * SECOND) < SECOND // 50
    QTest.mouseRelease(pane.ruler, LEFT, PLAIN, QPoint(0, 8))
    assert bench.clock.time_ns != before
    assert pane.gesture is None


def test_the_wheel_zooms_around_the_pointer_down_to_samples(pane: TimelinePane) -> None:
    assert pane.model is not None
    at = QPoint(x_of(pane, 3 * SECOND), lane_y(pane, "commentary/sound"))
    held = pane.model.viewport.ns_at(at.x())
    for _ in range(60):
        turn_wheel(pane, at, 1, CTRL)
    assert abs(pane.model.viewport.ns_at(at.x()) - held) < 100
    assert pane.model.viewport.duration_ns < 1000 * SECOND // 16000
    pane.grab()
    for _ in range(80):
        turn_wheel(pane, at, -1, CTRL)
    assert pane.model.viewport.duration_ns > 8 * SECOND


def test_a_moving_playhead_paints_no_lane_again(pane: TimelinePane, bench: Workbench) -> None:
    assert pane.model is not None
    pane.canvas.repaint()
    scenes = [row.scene for row in pane.model.rows if not (isinstance(row.scene, FilmScene) and row.scene.missing)]
    assert len(scenes) >= 8
    painted = [scene.painted for scene in scenes]
    view = pane.model.viewport
    for step in range(20):
        bench.clock.seek(SECOND + step * SECOND // 30)
        pane.canvas.repaint()
    assert pane.model.viewport == view
    assert [scene.painted for scene in scenes] == painted


def test_the_page_turns_while_playing_and_not_before(pane: TimelinePane, bench: Workbench) -> None:
    assert pane.model is not None
    bench.clock.seek(SECOND)
    pane.zoom(0.2, x_of(pane, SECOND))
    view = pane.model.viewport
    bench.clock.play()
    while bench.clock.time_ns < view.end_ns - SECOND // 20:
        bench.clock.tick(SECOND // 50)
        assert pane.model.viewport == view
    bench.clock.tick(SECOND // 5)
    bench.clock.pause()
    assert pane.model.viewport.start_ns > view.start_ns
    assert pane.model.viewport.start_ns <= bench.clock.time_ns < pane.model.viewport.end_ns


def test_stepping_goes_by_the_units_of_the_focused_stream(pane: TimelinePane, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    assert bench.readers is not None
    for key, unit in (("front_camera", "frame"), ("lidar", "sweep"), ("commentary", "sample")):
        stream = view.stream_by_key(key)
        assert stream is not None
        bench.focus_on(stream.id)
        assert pane.unit_name() == unit
        bench.clock.seek(2 * SECOND)
        there = pane.step_time(1)
        assert there is not None
        bench.clock.seek(there)
        back = pane.step_time(-1)
        bench.clock.seek(2 * SECOND)
        assert back is not None
        assert back <= 2 * SECOND < there
        if unit == "sample":
            assert there - back == SECOND // 16000
        else:
            table = bench.readers.reader(stream).table  # type: ignore[attr-defined]
            sessions = stream.time_map.to_session_array(table.times_ns).tolist()
            assert there == min(time for time in sessions if time > 2 * SECOND)


def test_in_a_gap_one_back_is_the_last_sweep_before_it(pane: TimelinePane, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    lidar = view.stream_by_key("lidar")
    assert lidar is not None
    bench.focus_on(lidar.id)
    bench.clock.seek(5_800_000_000)  # the demo's sweeps stop from 5.60 to 6.00 s
    assert pane.step_time(-1) == 5_599_754_000
    assert pane.step_time(1) == 5_999_852_000
    assert pane.header._item.text() == "nothing here"


def test_clicks_select_shift_adds_ctrl_takes_away(pane: TimelinePane, bench: Workbench) -> None:
    first, second, third, _ = turns(pane)
    for record_id, modifier, chosen in (
        (first, PLAIN, (first,)),
        (second, SHIFT, (first, second)),
        (third, CTRL, (first, second, third)),
        (first, CTRL, (second, third)),
        (third, PLAIN, (third,)),
    ):
        QTest.mouseClick(pane.canvas, LEFT, modifier, place_of(pane, record_id))
        assert bench.selected == chosen


def test_a_rubber_band_selects_what_it_touches(pane: TimelinePane, bench: Workbench) -> None:
    first, second, third, _ = turns(pane)
    y = place_of(pane, first).y()
    gap_before = QPoint(place_of(pane, first, 0).x() - 20, y - 4)
    drag(pane.canvas, gap_before, QPoint(place_of(pane, second, 0.3).x(), y + 4))
    assert set(bench.selected) == {first, second}
    assert third not in bench.selected


def test_arrows_walk_from_label_to_label_and_say_what_has_the_focus(pane: TimelinePane, bench: Workbench) -> None:
    ids = turns(pane)
    QTest.mouseClick(pane.canvas, LEFT, PLAIN, place_of(pane, ids[0]))
    QTest.keyClick(pane, Qt.Key.Key_Right)
    assert bench.selected == (ids[1],)
    assert bench.view is not None
    said = bench.view.annotations[ids[1]].text
    assert said
    assert said in pane.accessibleDescription()
    assert "commentary" in pane.accessibleDescription()
    QTest.keyClick(pane, Qt.Key.Key_Right, SHIFT)
    assert bench.selected == (ids[1], ids[2])
    QTest.keyClick(pane, Qt.Key.Key_Left)
    assert bench.selected == (ids[1],)
    QTest.keyClick(pane, Qt.Key.Key_Down)
    active = bench.selection.state.active
    assert active is not None
    assert bench.view.annotations[active].track is not None
    for _ in range(4):
        QTest.keyClick(pane, Qt.Key.Key_Left)
    QTest.keyClick(pane, Qt.Key.Key_A, CTRL)
    assert len(bench.selected) == 128


def test_what_is_selected_elsewhere_comes_into_view_by_its_labels(pane: TimelinePane, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    assert pane.model is not None
    track = next(each for each in view.annotations.values() if each.track is not None and each.entity is not None)
    assert track.entity is not None
    pane.zoom(0.05, x_of(pane, 7 * SECOND))
    bench.select([track.entity], cause="entities")
    shown = view.session_range(track)
    assert shown is not None
    assert shown.overlaps(pane.model.viewport.shown)
    y = place_of(pane, track.id).y()
    assert 0 <= y <= pane.canvas.height()
    pane.canvas.repaint()
    assert pane.canvas._related is not None
    assert track.id in pane.canvas._related


def test_lanes_fold_hide_lock_filter_and_their_order_is_kept(fresh: TimelinePane) -> None:
    pane, bench = fresh, fresh.bench
    assert bench is not None
    assert pane.model is not None
    row = pane.model.row_of("gps/plot")
    assert row is not None
    before = row.height

    def press(name: str) -> None:
        button = pane.findChild(QAbstractButton, name)
        assert button is not None
        QTest.mouseClick(button, LEFT)

    press("lane_fold_gps/plot")
    folded = pane.model.row_of("gps/plot")
    assert folded is not None
    assert folded.height < before
    press("lane_solo_lidar/sweeps")
    shown = {each.lane.key for each in pane.model.rows if each.shown}
    assert {"lidar/sweeps", "lidar/tracks"} <= shown
    assert all(key.startswith("lidar/") for key in shown)
    press("lane_solo_lidar/sweeps")
    keys = [each.lane.key for each in pane.model.rows]
    lidar = pane.heads.head("lidar/sweeps")
    assert lidar is not None
    next(each for each in lidar.menu().actions() if each.text() == "Move up").trigger()
    moved = [each.lane.key for each in pane.model.rows]
    assert moved != keys
    model = pane.model
    lidar_lane = model.row_of("lidar/tracks")
    assert lidar_lane is not None
    pane.filter.setText("camera")
    wait_for(lambda: {each.lane.kind for each in model.rows} == {LaneKind.FILM}, what="the cameras alone")
    of_lidar = lidar_lane.lane.stream
    pane.filter.setText("truck")
    wait_for(lambda: {each.lane.stream for each in model.rows} == {of_lidar}, what="the lanes with trucks")
    assert not any(each.lane.key == "lidar/sweeps" for each in model.rows)
    pane.filter.clear()
    wait_for(lambda: len(model.rows) == len(moved), what="all lanes")
    pane.unbind()
    pane.bind(bench)
    assert [each.lane.key for each in pane.model.rows] == moved
    again = pane.model.row_of("gps/plot")
    assert again is not None
    assert again.folded


def test_hiding_a_stream_hides_its_labels_and_it_can_be_shown_again(pane: TimelinePane, bench: Workbench) -> None:
    assert pane.model is not None
    button = pane.findChild(QAbstractButton, "lane_hide_commentary/sound")
    assert button is not None
    QTest.mouseClick(button, LEFT)
    hidden = [row for row in pane.model.rows if row.lane.key in ("commentary/sound", "commentary/turns")]
    assert not any(row.shown for row in hidden)
    QTest.mouseClick(button, LEFT)
    assert all(row.shown for row in pane.model.rows)


def test_findings_of_the_open_sample_come_by_themselves(pane: TimelinePane, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    assert pane.model is not None
    scene = pane.model.scene_of(LaneKind.FINDINGS)
    assert isinstance(scene, FindingScene)
    wait_for(lambda: scene.checked, what="the first run of the checks")
    before = len(scene.placed)
    link = next(each for each in view.links.values() if view.class_of(view.annotations[each.ends[0].target]) == "car")
    target = view.annotations[link.ends[0].target]
    bench.run("annotation.relabel", annotations=[target.id], class_id="truck", here=True)
    wait_for(lambda: len(scene.placed) > before, what="a finding")
    found = next(each for each in scene.placed if any(item.id == target.id for item in each.finding.items))
    shown = view.session_range(target)
    assert shown is not None
    bench.clock.seek(7 * SECOND)
    pane._bar.setValue(pane._bar.maximum())
    QTest.mouseClick(pane.canvas, LEFT, PLAIN, QPoint(x_of(pane, found.session_ns), lane_y(pane, "findings")))
    assert target.id in bench.selected
    assert bench.clock.time_ns == found.session_ns
    bench.session.undo()
    wait_for(lambda: len(scene.placed) == before, what="no finding")


def test_of_many_findings_at_one_place_the_gravest_shows_and_is_named_first(bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    times = {each.id: shown.start_ns for each in view.annotations.values() if (shown := view.session_range(each))}
    grave, *others = sorted(times, key=times.__getitem__)[5:9]

    def found(number: int, annotation: str, severity: Severity) -> Finding:
        item = Item("annotation", annotation)
        return Finding(
            rule="made.up", version=1, error_type=ErrorType.GRANULARITY, severity=severity, sample=view.id,
            items=(item,), text=f"number {number}", fingerprint=fingerprint_of("made.up", [item], str(number)),
        )  # fmt: skip

    notes = [found(i, (grave, *others)[i % 4], Severity.INFO) for i in range(400)]
    scene = FindingScene(view)
    scene.show(place_all(view, [*notes[:200], found(1000, grave, Severity.ERROR), *notes[200:]]))
    look = Look(whole(bench.clock.span, 900), 24, 1.0, DARK)
    x = look.view.x_of(times[grave])
    assert scene.image(look).pixelColor(round(x), 13).name() == DARK.error
    hit = scene.hit(x, 12, look.view, 24)
    assert hit is not None
    assert hit.session_ns == times[grave]
    here = 1 + sum(abs(look.view.x_of(times[each.items[0].id]) - x) <= 8 for each in notes)
    assert hit.text.splitlines()[0] == "error: number 1000"
    assert hit.text.splitlines()[-1] == f"and {here - 6} more"
    assert grave in hit.ids


def test_every_control_has_a_name(pane: TimelinePane) -> None:
    for kind in (QAbstractButton, QLineEdit, QScrollBar):
        for widget in pane.findChildren(kind):
            inner = widget.parent()
            if isinstance(inner, QLineEdit):
                continue  # the clear button is Qt's own
            assert widget.objectName(), widget
            assert widget.accessibleName(), widget.objectName()


def test_another_theme_paints_everything_anew(pane: TimelinePane, bench: Workbench) -> None:
    before = pane.capture()
    bench.set_theme(LIGHT)
    assert pane.capture() != before
    bench.set_theme(DARK)


def test_without_a_sample_nothing_is_there_and_nothing_breaks(fresh: TimelinePane) -> None:
    pane, bench = fresh, fresh.bench
    assert bench is not None
    bench.close_sample()
    pane.grab()
    for key in (Qt.Key.Key_I, Qt.Key.Key_Right, Qt.Key.Key_BracketLeft):
        QTest.keyClick(pane, key)
    QTest.mouseClick(pane.canvas, LEFT, PLAIN, QPoint(200, 50))
    assert pane.step_time(1) is None
    assert bench.open_sample("sf_drive")
    assert pane.model is not None


def test_the_header_says_how_far_behind_the_clock_the_painted_playhead_is(pane: TimelinePane, bench: Workbench) -> None:
    said = pane.header.findChild(QLabel, "pane_lag")
    assert isinstance(said, QLabel)
    wait_for(lambda: pane.lag._right is not None and pane.lag._right[0] <= 0 <= pane.lag._right[1], what="the paint")
    pane.lag._now_ns = lambda: bench.clock.time_ns
    pane.canvas.setUpdatesEnabled(False)
    bench.clock.play()
    for _ in range(6):
        bench.clock.tick(SECOND // 10)
    pane.canvas.setUpdatesEnabled(True)
    late_ms = re.fullmatch(r"lag (\d+) ms", said.text())
    assert late_ms
    pixel_ms = pane.model.viewport.ns_per_px / 1e6 if pane.model is not None else 0.0
    assert 500 - pixel_ms <= int(late_ms[1]) <= 500  # said at half a second, and right for the pixel it stood on
    assert said.isVisible()
    bench.clock.pause()
    assert not said.isVisible()
