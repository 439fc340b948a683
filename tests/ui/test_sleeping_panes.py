"""Panes that nobody sees are not made and not kept up to date, and are right when somebody looks. In a real window."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from main_windows import as_found, bench_of, main_window
from PySide6.QtCore import QRegularExpression, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTabBar

from strict_windows import copy_of, wait_for
from workstation.core.annotation import State
from workstation.core.sample import StreamKind
from workstation.store.media_files import record_file
from workstation.ui.main_window import MainWindow
from workstation.ui.panels.entities import EntitiesPanel
from workstation.ui.panels.links import LinksPanel
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.sound import SoundPane
from workstation.ui.panes.timeline import TimelinePane

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from workstation.ui.panes.base import Pane


@pytest.fixture(scope="module")
def opened(
    qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[MainWindow, frozenset[str]], None, None]:
    """One window for all, and the kinds of panes that were made when it opened."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("sleeping")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(copy_of(demo_template, folder / "drive"), checked=False) as made:
            kinds = frozenset(pane.kind for pane in made.docks.panes())
            bench_of(made).clock.play()  # the player's thread is the window's, not a test's
            bench_of(made).clock.pause()
            bench_of(made).clock.seek(0)
            yield made, kinds


@pytest.fixture
def window(opened: tuple[MainWindow, frozenset[str]]) -> Generator[MainWindow, None, None]:
    with as_found(opened[0]):
        yield opened[0]


class Calls:
    """How often a pane is asked to show something, by method."""

    NAMES = ("sample_opened", "apply", "show_time", "show_selection", "refresh")

    def __init__(self, pane: Pane, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        for name in self.NAMES:
            method = getattr(pane, name, None)
            if method is None:
                continue

            def counted(*given: object, _name: str = name, _method: object = method) -> object:
                self.made.append(_name)
                assert callable(_method)
                return _method(*given)

            monkeypatch.setattr(pane, name, counted)


def click_tab(window: MainWindow, title: str) -> None:
    """On the tab of a dock, as a hand does."""
    for bar in window.findChildren(QTabBar, QRegularExpression("^dock_tabs_")):
        for index in range(bar.count()):
            if bar.tabText(index) == title and bar.isVisible():
                QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(index).center())
                return
    raise AssertionError(f"no tab {title}")


def test_panes_behind_a_tab_are_not_made_until_their_tab_is_chosen(
    window: MainWindow, opened: tuple[MainWindow, frozenset[str]]
) -> None:
    made = opened[1]
    assert {"camera", "timeline", "samples", "streams", "inspector", "entities"} <= made
    assert not made & {"text", "classes", "links", "findings", "history", "review"}
    click_tab(window, "Links")
    wait_for(lambda: window.pane("links") is not None, what="the list of links")
    panel = window.pane("links")
    view = bench_of(window).view
    assert isinstance(panel, LinksPanel)
    assert view is not None
    wait_for(lambda: set(view.links) <= {row.key for row in panel.model.rows}, what="every link")
    entities = window.pane("entities")
    assert isinstance(entities, EntitiesPanel)
    wait_for(lambda: not entities.awake, what="the entities to sleep")


def test_a_pane_in_a_tab_hears_nothing_and_has_caught_up_when_it_is_seen(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_of(window)
    entities = window.pane("entities")
    assert isinstance(entities, EntitiesPanel)
    click_tab(window, "Links")
    wait_for(lambda: not entities.awake, what="the entities to sleep")
    links = window.pane("links")
    assert isinstance(links, LinksPanel)
    wait_for(lambda: links.model.rowCount() > 0, what="the links")
    calls = Calls(entities, monkeypatch)
    view = bench.view
    assert view is not None
    named = next(iter(view.entities))
    bench.run("entity.set", entity=named, name="the one that was named in the dark")
    bench.select([named], cause="test")
    bench.clock.seek(2_000_000_000)
    window.turn_theme()
    proposed = [each.id for each in view.links.values() if each.state is State.PROPOSED]
    bench.run("link.confirm", links=proposed)
    wait_for(lambda: not any(row.key in proposed and "proposed" in str(row) for row in links.model.rows),
             what="the links to say that they are confirmed")  # fmt: skip
    assert calls.made == []
    click_tab(window, "Entities")
    wait_for(lambda: "refresh" in calls.made, what="the list of entities to be made again")
    assert calls.made.count("apply") == 1
    names = [cell.text for row in entities.model.rows for cell in row.cells]
    assert "the one that was named in the dark" in names
    assert [row.key for row in entities.table.selected_rows()] == [named]
    assert entities.model.theme == window.theme


@pytest.mark.slow
def test_a_hidden_timeline_and_cameras_cost_nothing_while_playing_and_are_right_afterwards(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_of(window)
    timeline, camera = window.pane("timeline"), window.pane("camera")
    assert isinstance(timeline, TimelinePane)
    assert isinstance(camera, CameraPane)
    window.maximise(window.pane("inspector"))
    wait_for(lambda: not timeline.awake and not camera.awake, what="the others to sleep")
    calls = [Calls(timeline, monkeypatch), Calls(camera, monkeypatch)]
    bench.clock.play()
    wait_for(lambda: bench.clock.time_ns > 1_500_000_000, what="a second of playing")
    bench.clock.pause()
    assert [each.made for each in calls] == [[], []]
    assert window.docks.settled()
    window.maximise(window.pane("inspector"))
    wait_for(lambda: timeline.awake and camera.awake and window.docks.settled(), what="the pictures of now")
    assert [each.made.count("show_time") for each in calls] == [1, 1]
    for each in camera.views:
        feed, frame = each.frames.feed, each.frames.frame
        assert feed is not None
        assert (None if frame is None else frame.index) == feed.at(bench.clock.time_ns).index
    assert timeline.in_view(bench.clock.time_ns)


def test_another_sample_is_opened_by_sleeping_panes_when_they_are_seen(window: MainWindow) -> None:
    bench = bench_of(window)
    first = bench.view
    assert first is not None
    bench.run("sample.add", key="second")
    sound = window.pane("sound")
    assert isinstance(sound, SoundPane)
    assert sound.model is not None
    click_tab(window, "Text")
    wait_for(lambda: not sound.awake, what="the sound to sleep")
    sound.spectrogram.setChecked(False)
    assert bench.open_sample("second")
    assert not sound.canvas.table  # what it held of the first is closed
    click_tab(window, "Sound")
    wait_for(lambda: sound.model is not None and sound.model.view is bench.view, what="the second sample's sound")
    assert sound.model is not None
    assert not sound.model.streams
    assert not sound.model.choice.spectrogram
    assert not sound.failed


def test_an_action_in_a_pane_that_nobody_sees_works_on_what_is_there_now(window: MainWindow) -> None:
    bench = bench_of(window)
    timeline = window.pane("timeline")
    assert isinstance(timeline, TimelinePane)
    window.maximise(window.pane("inspector"))
    wait_for(lambda: not timeline.awake, what="the timeline to sleep")
    view = bench.view
    assert view is not None
    front = next(each for each in view.streams.values() if "front" in each.key and each.kind.value == "video")
    bench.focus_on(front.id)
    before = bench.clock.time_ns
    window.perform("transport.step_forward")
    assert before < bench.clock.time_ns < before + 200_000_000
    bench.close_sample()
    window.perform("transport.step_forward")
    assert not timeline.failed


@pytest.mark.slow
def test_a_returned_sample_opens_on_its_first_comment_whatever_is_seen(window: MainWindow) -> None:
    bench = bench_of(window)
    view = bench.view
    assert view is not None
    labels = list(view.annotations)
    bench.run("comment.add", text="too early", target=labels[3])
    bench.run("sample.start")
    proposed = [each.id for each in view.links.values() if each.state is State.PROPOSED]
    bench.run("link.confirm", links=proposed)
    bench.run("comment.resolve", comment=bench.session.store.comments(view.id)[0].id)
    bench.run("sample.submit")
    bench.run("comment.add", text="the class is wrong", target=labels[5])
    bench.run("sample.return", reason="see the comment")
    bench.selection.clear(cause="test")
    for kind in ("samples", "review"):
        dock = window.docks.dock(kind)
        assert dock is not None
        dock.hide()
    assert bench.open_sample("sf_drive")
    wait_for(lambda: bench.selected == (labels[5],), what="the comment's label to be selected")
    assert "the class is wrong" in window.status.said


def test_a_pane_with_nothing_to_show_gives_way_to_one_that_has(window: MainWindow) -> None:
    bench = bench_of(window)
    before = bench.view
    assert before is not None
    cloud, path = window.docks.dock("cloud"), window.docks.dock("trajectory")
    assert cloud is not None
    assert path is not None
    wait_for(lambda: cloud.in_sight, what="the cloud in front")
    bench.session.run("sample.add", key="a walk")
    pose = next(each for each in before.streams.values() if each.kind is StreamKind.TRAJECTORY)
    bench.session.run(
        "stream.add", sample="a walk", key="steps", kind=pose.kind.value, files=msgspec.to_builtins(pose.files),
        reader=pose.reader, options=dict(pose.options),
    )  # fmt: skip
    assert bench.open_sample("a walk")
    wait_for(lambda: path.in_sight and not cloud.in_sight, what="the path in front, as there is no cloud")
    click_tab(window, "Cloud")  # who wants to see that there is nothing may
    wait_for(lambda: cloud.in_sight, what="the cloud's tab")
    assert bench.open_sample(before.sample.key)
    wait_for(lambda: cloud.in_sight, what="the cloud")


def test_a_sample_without_any_time_has_no_timeline_until_it_is_asked_for(window: MainWindow) -> None:
    bench = bench_of(window)
    drive, timeline, words = bench.view, window.docks.dock("timeline"), window.docks.dock("text")
    assert drive is not None
    assert timeline is not None
    assert words is not None
    wait_for(lambda: timeline.in_sight, what="the timeline")
    note = bench.session.project.media_folder / "note.txt"
    note.write_text("No enlarged lymph nodes.\n", encoding="utf-8")
    file = record_file(bench.session.project.path, note)
    bench.session.run("sample.add", key="a note")
    bench.session.run("stream.add", sample="a note", key="note", kind="text", files=msgspec.to_builtins((file,)))
    assert bench.open_sample("a note")
    wait_for(lambda: words.in_sight and not timeline.in_sight, what="the words, and no timeline")
    assert bench.open_sample(drive.sample.key)
    wait_for(lambda: timeline.in_sight, what="the timeline of the drive")
    assert bench.open_sample("a note")
    wait_for(lambda: not timeline.in_sight, what="no timeline")
    window.show_pane("timeline")
    wait_for(lambda: timeline.in_sight, what="the timeline that was asked for")
    assert bench.open_sample(drive.sample.key)


def test_panes_that_had_no_place_get_none_when_a_layout_is_put_back(window: MainWindow) -> None:
    before = window.workspace.name
    window.take_workspace("sync")
    window.docks.settle()
    seen = {dock.spec.kind for dock in window.docks if not dock.isHidden()}
    assert "samples" in seen
    assert "proposals" not in seen
    assert window.docks.put_back(window.docks.written())
    window.docks.settle()
    assert {dock.spec.kind for dock in window.docks if not dock.isHidden()} == seen
    assert [bar for bar in window.findChildren(QTabBar) if bar.isVisible() and not bar.accessibleName()] == []
    window.take_workspace(before)


@pytest.mark.slow
def test_what_is_done_in_a_closed_pane_offers_to_show_it(window: MainWindow) -> None:
    dock = window.docks.dock("timeline")
    assert dock is not None
    dock.hide()
    wait_for(lambda: window.pane("timeline") is None, what="the timeline to close")
    zoom = window.performing.table.find("timeline.zoom_in")
    assert "its pane is closed" in str(window.performing.why_not(zoom, None))
    offered = window.performing.unlock(zoom, None)
    assert offered is not None
    assert offered.id == "pane.show_timeline"
    window.perform(offered.id)
    assert window.performing.why_not(zoom, None) is None
