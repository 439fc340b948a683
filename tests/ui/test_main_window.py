"""The main window on the real demo: keys go where they should, places are found, walks arrive, layouts are kept."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from main_windows import bench_of, bring_to_front, main_window, press
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QVBoxLayout

from strict_windows import copy_of, wait_for
from workstation.app.linking import offers
from workstation.app.places import time_in, time_text
from workstation.app.playing import Playing, keep_offset
from workstation.media.playback_recorded import RecordedOutput
from workstation.ui.panes.base import Pane
from workstation.ui.panes.catalogue import Area, PaneSpec

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow
    from workstation.ui.workbench import Workbench

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier,
)  # fmt: skip


class Drag:
    """A gesture that counts what it gets."""

    def __init__(self, pane: Pane) -> None:
        self.pane = pane
        self.keys: list[int] = []
        self.cancelled = False

    def key(self, event: QKeyEvent) -> bool:
        self.keys.append(event.key())
        return event.key() == Qt.Key.Key_Return

    def cancel(self) -> None:
        self.cancelled = True
        self.pane.gesture = None


class Plain(Pane):
    """A pane with a field to type in."""

    kind = "cloud"  # stands in every workspace
    title = "Plain"

    def bound(self, bench: Workbench) -> None:
        self.field = QLineEdit(self.body)
        self.field.setAccessibleName("Field")
        QVBoxLayout(self.body).addWidget(self.field)


class Broken(Pane):
    """Cannot even be made."""

    def __init__(self) -> None:
        raise RuntimeError("no such screen")


PLAIN = PaneSpec(Plain.kind, "Plain", Area.CENTRE, f"{__name__}:Plain")
BROKEN = PaneSpec("text", "Text", Area.CENTRE, f"{__name__}:Broken")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def window(
    qapp: QApplication, home: Path, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Generator[MainWindow, None, None]:
    """One window for all tests that leave it as it was."""
    assert qapp is not None
    assert home.is_dir()
    project = copy_of(demo_template, tmp_path_factory.mktemp("window") / "drive")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workstation.ui.main_window.PANES", (PLAIN,))
        with main_window(project, checked=False) as made:
            made.show_pane(Plain.kind)
            bench_of(made).clock.play()  # the player's thread is the window's, not a test's
            bench_of(made).clock.pause()
            yield made


@pytest.fixture
def bench(window: MainWindow) -> Generator[Workbench, None, None]:
    """The window's workbench, at the start of the sample and with nothing selected; taken back afterwards."""
    bring_to_front(window)
    made = bench_of(window)
    head = made.session.store.head()
    made.clock.pause()
    made.clock.seek(0)
    made.selection.clear(cause="test")
    window.show_pane(Plain.kind)
    yield made
    made.hand.set_class(None)
    made.hand.forget_drawn()
    while made.session.store.head() > head and made.session.store.undo_label(sample=made.session.sample):
        made.session.undo()
    for dialog in window.findChildren(QDialog):
        dialog.close()


def pane_of(window: MainWindow) -> Plain:
    pane = window.pane(Plain.kind)
    assert isinstance(pane, Plain)
    return pane


def dialog_of(window: MainWindow, name: str) -> QDialog:
    found = [
        each for each in window.findChildren(QDialog) if each.objectName() == f"dialog_{name}" and each.isVisible()
    ]
    assert found, f"{name} is not open"
    return found[0]


# --- who gets a key ---------------------------------------------------------------------------------------------


def test_space_plays_from_anywhere_but_text(window: MainWindow, bench: Workbench) -> None:
    press(window, Qt.Key.Key_Space)
    assert bench.clock.playing
    wait_for(lambda: bench.clock.time_ns > 0, what="the clock to move")
    press(window, Qt.Key.Key_Space)
    assert not bench.clock.playing
    field = pane_of(window).field
    field.setFocus()
    QTest.keyClicks(field, "l k j")
    assert field.text() == "l k j"
    assert not bench.clock.playing
    press(window, Qt.Key.Key_K, CTRL)  # a chord with Ctrl leaves the text
    assert dialog_of(window, "palette").isVisible()
    dialog_of(window, "palette").close()
    field.setFocus()
    press(window, Qt.Key.Key_Escape)
    assert not field.hasFocus()
    press(window, Qt.Key.Key_L)
    assert bench.clock.playing
    field.clear()


def test_esc_leaves_a_text_that_has_the_focus_for_its_whole_pane(window: MainWindow, bench: Workbench) -> None:
    """As the sentence of the panel of searches, which a pane passes its focus on to."""
    pane = pane_of(window)
    pane.setFocusProxy(pane.field)
    try:
        pane.field.setFocus()
        press(window, Qt.Key.Key_Escape)
        press(window, Qt.Key.Key_L)
        assert pane.field.text() == ""
        assert bench.clock.playing
    finally:
        pane.setFocusProxy(None)  # type: ignore[arg-type]
        pane.field.clear()


def test_the_texts_own_chords_stay_in_the_text(window: MainWindow, bench: Workbench) -> None:
    stream = next(iter(bench.view.streams)) if bench.view is not None else ""
    made = bench.run("annotation.add", stream=stream, class_id="car", start_ns=0, end_ns=1, kind="tag")
    field = pane_of(window).field
    field.setFocus()
    field.setText("")
    QTest.keyClicks(field, "ab")
    press(window, Qt.Key.Key_Z, CTRL)
    assert bench.view is not None
    assert field.text() == ""
    assert made is None or made in bench.view.annotations


def test_a_gesture_hears_keys_first_and_esc_cancels_it(window: MainWindow, bench: Workbench) -> None:
    pane = pane_of(window)
    gesture = Drag(pane)
    pane.gesture = gesture
    bench.select([next(iter(bench.view.annotations))] if bench.view is not None else [], cause="test")
    press(window, Qt.Key.Key_Return)  # taken: no proposal is accepted
    press(window, Qt.Key.Key_Space)  # not taken: plays
    assert gesture.keys == [Qt.Key.Key_Return, Qt.Key.Key_Space]
    assert bench.clock.playing
    press(window, Qt.Key.Key_Escape)
    assert gesture.cancelled
    assert bench.selected  # one Esc, one thing
    press(window, Qt.Key.Key_Escape)
    assert bench.selected == ()


def test_tab_moves_the_focus_and_nothing_takes_it(window: MainWindow, bench: Workbench) -> None:
    assert bench is not None
    before = window.focusWidget()
    press(window, Qt.Key.Key_Tab)
    assert window.focusWidget() is not before


def test_enter_in_a_field_does_one_thing(window: MainWindow, bench: Workbench) -> None:
    press(window, Qt.Key.Key_G)
    assert window.toolbar.time.hasFocus()
    QTest.keyClicks(window.toolbar.time, "frame 40")
    press(window, Qt.Key.Key_Return)
    assert "Accept" not in window.status.said
    assert not window.toolbar.time.hasFocus()
    view, readers = bench.view, bench.readers
    assert view is not None
    assert readers is not None
    from workstation.app.feeds import PictureFeed  # the pictures' own rule says which frame shows
    from workstation.core.sample import StreamKind
    from workstation.media.base import VideoReader

    camera = next(each for each in view.streams.values() if each.kind is StreamKind.VIDEO)
    reader = readers.reader(camera)
    assert isinstance(reader, VideoReader)
    feed = PictureFeed(camera, reader, print)
    now = feed.at(bench.clock.time_ns)
    feed.close()
    assert now.capture is not None
    assert (now.capture.index, now.capture.distance_ns) == (40, 0)


def test_a_place_that_is_none_is_refused_in_a_sentence(window: MainWindow, bench: Workbench) -> None:
    before = bench.clock.time_ns
    for text in ("nowhere", "frame 99999999", "sweep -3"):
        window.toolbar.time_entered.emit(text)
        assert window.status.said.startswith("▲")
        assert bench.clock.time_ns == before


def test_times_are_read_as_they_are_written() -> None:
    for ns in (0, 14_327_000_000, 3_723_004_000_000, -1_500_000_000):
        assert time_in(time_text(ns)) == ns
    assert time_in("1:02.5") == 62_500_000_000
    assert time_in("14,327") == 14_327_000_000
    assert [time_in(text) for text in ("", ":", "1:2:3:4", "nan", "1e9", "٣")] == [
        None,
        None,
        None,
        None,
        None,
        time_in("٣"),
    ]


# --- labels by key ----------------------------------------------------------------------------------------------


def test_a_class_key_sets_the_next_shape_or_relabels_or_names_what_waits(window: MainWindow, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    assert view.ontology is not None
    class_id, made = next((i, c) for i, c in view.ontology.classes.items() if c.key == "c")
    press(window, Qt.Key.Key_C)
    assert bench.hand.class_id == class_id
    said: list[str] = []
    bench.hand.ask_class(said.append)
    press(window, Qt.Key.Key_C)
    assert said == [class_id]
    assert made.key == "c"
    other = next((i, c) for i, c in view.ontology.classes.items() if c.key == "t")
    tracks = [each for each in view.annotations.values() if view.class_of(each) == class_id and each.entity][:2]
    bench.select([each.id for each in tracks], cause="test")
    head = bench.session.store.head()
    press(window, Qt.Key.Key_T)
    assert bench.session.store.head() == head + 1  # one step, however many
    assert {view.class_of(view.annotations[each.id]) for each in tracks} == {other[0]}
    press(window, Qt.Key.Key_Z, CTRL)
    assert {view.class_of(view.annotations[each.id]) for each in tracks} == {class_id}


def test_undo_goes_back_to_the_place_and_says_what_it_took_back(window: MainWindow, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    track = next(each for each in view.annotations.values() if each.track is not None)
    bench.clock.seek(5_000_000_000)
    bench.select([track.id], cause="test")
    press(window, Qt.Key.Key_Delete)
    for dialog in [each for each in window.findChildren(QDialog) if each.isVisible()]:
        QTest.keyClick(dialog, Qt.Key.Key_Return)  # it has links: they go too
    assert track.id not in view.annotations
    bench.clock.seek(0)
    press(window, Qt.Key.Key_Z, CTRL)
    assert track.id in view.annotations
    assert bench.clock.time_ns == 5_000_000_000
    assert bench.selected == (track.id,)
    assert window.status.said.startswith("Took back: Delete")
    press(window, Qt.Key.Key_Z, CTRL | SHIFT)
    assert track.id not in view.annotations


def test_what_is_linked_is_deleted_with_its_links_or_not_at_all_and_comes_back_whole(
    window: MainWindow, bench: Workbench
) -> None:
    view = bench.view
    assert view is not None
    first = next(each.id for each in view.annotations.values() if each.text)
    second = next(each.id for each in view.annotations.values() if each.track is not None)
    offer = next(each for each in offers(view, first, second) if f"annotation:{first}" in each.ends.values())
    made = bench.run("link.add", type_id=offer.type_id, ends=offer.ends, rationale="it is what makes the sound")
    assert made in view.links
    bench.select([first], cause="test")
    head = bench.session.store.head()
    for key, there in ((Qt.Key.Key_Escape, True), (Qt.Key.Key_Return, False)):
        press(window, Qt.Key.Key_Delete)
        (dialog,) = (each for each in window.findChildren(QDialog) if each.isVisible())
        QTest.keyClick(dialog.focusWidget(), key)
        assert ((first in view.annotations), (made in view.links)) == (there, there)
    assert bench.session.store.head() == head + 1
    press(window, Qt.Key.Key_Z, CTRL)
    assert first in view.annotations
    assert made in view.links


def test_keyframes_are_walked_in_order_and_back(window: MainWindow, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    track = max((a for a in view.annotations.values() if a.track), key=lambda each: len(view.keyframes(each.id)))
    time_map = view.time_map(track)
    assert time_map is not None
    alike = [a for a in view.annotations.values() if a.track and a.id in view.related([track.id])]
    truth = sorted(
        {view.time_map(a).to_session(k.time_ns) for a in alike for k in view.keyframes(a.id)}  # type: ignore[union-attr]
    )
    bench.select([track.id], cause="test")
    bench.clock.seek(truth[0])
    seen = [truth[0]]
    for _ in truth[1:4]:
        press(window, Qt.Key.Key_Right, CTRL)
        seen.append(bench.clock.time_ns)
    assert seen == truth[: len(seen)]
    press(window, Qt.Key.Key_Left, CTRL)
    assert bench.clock.time_ns == truth[len(seen) - 2]


def test_all_links_are_walked_and_the_walk_comes_round(window: MainWindow, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    link = next(iter(view.links.values()))
    bench.select([link.ends[0].target], cause="test")
    seen: list[str] = []
    for _ in range(len(view.links) + 1):
        press(window, Qt.Key.Key_Right, ALT)
        seen.append(bench.selected[0])
        if seen.count(seen[0]) > 1:
            break
    ring = seen[:-1]
    assert seen[-1] == seen[0]
    assert link.id in ring
    assert len(set(ring)) == len(ring)
    press(window, Qt.Key.Key_Left, ALT)
    assert bench.selected == (ring[-1],)


def test_copies_are_put_where_the_playhead_is(window: MainWindow, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    camera = view.stream_by_key("front_camera")
    assert camera is not None
    start = camera.time_map.first_stream_at(1_000_000_000)
    box = {"kind": "box", "x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0}
    made = bench.run("annotation.add", stream=camera.id, class_id="car", start_ns=start, end_ns=start + 1, shape=box)
    bench.clock.seek(1_000_000_000)
    bench.select([made], cause="test")
    press(window, Qt.Key.Key_C, CTRL)
    bench.clock.seek(3_000_000_000)
    press(window, Qt.Key.Key_V, CTRL)
    (copy,) = bench.selected
    assert copy != made
    assert view.annotations[copy].shape == view.annotations[made].shape
    moved = view.session_range(view.annotations[copy])
    assert moved is not None
    assert abs(moved.start_ns - 3_000_000_000) <= 1


def test_what_is_missing_is_listed_and_taken_to(window: MainWindow, bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    press(window, Qt.Key.Key_Return, CTRL)
    sample = bench.session.store.sample_by_key("sf_drive")
    assert sample is not None
    listed = [each for each in window.findChildren(QDialog) if each.objectName() == "dialog_missing"]
    assert bool(listed) != (sample.state.value == "submitted")


def test_the_palette_goes_to_times_and_does_actions(window: MainWindow, bench: Workbench) -> None:
    for typed, arrived in (("go to 3.5", 3_500_000_000), ("sweep 20", None)):
        press(window, Qt.Key.Key_K, CTRL)
        palette = dialog_of(window, "palette")
        field = palette.findChild(QLineEdit)
        assert isinstance(field, QLineEdit)
        QTest.keyClicks(field, typed)
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert arrived is None or bench.clock.time_ns == arrived
        assert bench.clock.time_ns != 0
    press(window, Qt.Key.Key_K, CTRL)
    field = dialog_of(window, "palette").findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, "go to end")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert bench.clock.time_ns == bench.clock.span.end_ns - 1


def test_every_command_can_be_reached_and_its_form_refuses_in_words(window: MainWindow, bench: Workbench) -> None:
    registry = bench.session.registry
    assert {each.id for each in registry} <= set(window.performing.table.actions)
    window.open_dialog("command gate.waive")
    form = dialog_of(window, "command")
    assert form.findChild(QLineEdit, "argument_gate") is not None
    form.findChild(QLineEdit, "argument_gate").setText("sync")  # type: ignore[union-attr]
    button = form.findChild(object, "dialog_command_do")  # type: ignore[type-var]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)  # type: ignore[call-overload]
    assert form.isVisible()  # the reason is missing: what was typed stays


# --- keys that were changed -------------------------------------------------------------------------------------


def test_a_changed_key_works_at_once_and_after_a_restart(
    window: MainWindow, bench: Workbench, home: Path, qapp: QApplication
) -> None:
    assert qapp is not None
    window.keymap.remap("transport.play", ["P"])
    window.keep_keys()
    press(window, Qt.Key.Key_P)
    assert bench.clock.playing
    press(window, Qt.Key.Key_P)
    kept = json.loads((home / "keys.json").read_text()) if (home / "keys.json").is_file() else None
    kept = kept or json.loads(next(home.rglob("keys.json")).read_text())
    assert kept["keys"] == {"transport.play": ["P"]}
    with main_window() as second:
        assert second.keymap.keys_of("transport.play") == ("P",)
    window.keymap.reset()
    window.keep_keys()


# --- places of panes --------------------------------------------------------------------------------------------


def test_what_stood_where_is_kept_per_project(
    qapp: QApplication, home: Path, demo_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert qapp is not None
    assert home.is_dir()
    monkeypatch.setattr("workstation.ui.main_window.PANES", (PLAIN, BROKEN_LATER))
    with main_window(demo_project, checked=False) as first:
        first.take_workspace("sync")
        bench_of(first).clock.seek(7_000_000_000)
        dock = first.docks.dock(Plain.kind)
        assert dock is not None
        first.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    with main_window(demo_project, checked=False) as second:
        assert second.workspace.name == "sync"
        assert bench_of(second).clock.time_ns == 7_000_000_000
        dock = second.docks.dock(Plain.kind)
        assert dock is not None
        assert second.dockWidgetArea(dock) == Qt.DockWidgetArea.BottomDockWidgetArea


def test_a_double_click_on_the_header_gives_a_pane_the_window_and_takes_it_back(
    qapp: QApplication, home: Path, demo_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert qapp is not None
    assert home.is_dir()
    monkeypatch.setattr("workstation.ui.main_window.PANES", (PLAIN, BROKEN_LATER))
    with main_window(demo_project, checked=False) as made:
        pane = pane_of(made)
        before = pane.width()
        QTest.mouseDClick(pane.header, Qt.MouseButton.LeftButton)
        assert made.docks.maximised
        wait_for(lambda: pane.width() > before, what="the pane to grow")
        QTest.mouseDClick(pane.header, Qt.MouseButton.LeftButton)
        wait_for(lambda: pane.width() == before, what="the pane to shrink again")


class Other(Pane):
    """Stands on the left."""

    kind = "samples"
    title = "Samples"


BROKEN_LATER = PaneSpec(Other.kind, "Samples", Area.LEFT, f"{__name__}:Other")


@pytest.mark.expect_log("ERROR workstation.ui.panes.base: the pane text failed")
def test_a_pane_that_cannot_be_made_stands_there_with_its_error(
    qapp: QApplication, home: Path, demo_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert qapp is not None
    assert home.is_dir()
    monkeypatch.setattr("workstation.ui.main_window.PANES", (BROKEN, PLAIN))
    with main_window(demo_project, checked=False) as made:
        made.show_pane("text")
        broken = made.pane("text")
        assert broken is not None
        assert broken.failed
        made.show_pane(Plain.kind)
        press(made, Qt.Key.Key_End)
        assert bench_of(made).clock.time_ns == bench_of(made).clock.span.end_ns - 1  # the others work on


def test_a_device_whose_sound_is_too_far_from_the_picture_is_warned_of_once(
    window: MainWindow, bench: Workbench
) -> None:
    opened = window.opened
    assert opened is not None
    keep_offset("recording", 20_000_000, residual_ns=23_000_000)
    try:
        bench.session.play_with(Playing(bench.session, output=RecordedOutput()))
        assert bench.session.player.offset_ns == 20_000_000
        opened._show_device()
        assert "23.0 ms apart on recording" in window.status.said
        assert "more than the 10 ms" in window.status.said
        assert "compensation +20.0 ms" in window.status.device.toolTip()
        bench.tell("something else")
        opened._show_device()
        assert window.status.said == "something else"
    finally:
        keep_offset("recording", 0)
        bench.session.play_with(None)
