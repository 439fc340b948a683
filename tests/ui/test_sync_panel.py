"""The panel of synchronisation in the real main window, on a talk whose sound was made 70 ms late."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from main_windows import main_window
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from strict_windows import copy_of, drag, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication, QPushButton

LATE_MS = 70


@pytest.fixture(scope="module")
def late_talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from workstation.app.demo_generated import add_generated
    from workstation.app.demo_talk import label
    from workstation.app.opening import new_project, open_project
    from workstation.core.rights import ActorKind
    from workstation.synth.talk import TalkOptions, talk

    folder = tmp_path_factory.mktemp("late_talk")
    made = talk(folder / "made", variant=f"audio_offset@{LATE_MS}", options=TalkOptions(scale=0.5))
    project = new_project(folder / "late", profile="dialogue", person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
        add_generated(session, made, label)
    return project


def click(button: QPushButton) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def late_ms(words: str) -> float:
    found = re.search(r"is ([\d.]+) ms (late|early)", words)
    assert found is not None, words
    return float(found[1]) * (1 if found[2] == "late" else -1)


@pytest.mark.slow
def test_a_person_measures_sets_a_pick_right_accepts_and_takes_it_back(
    qapp: QApplication, late_talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workstation.app.sync_work import picks_of
    from workstation.ui.panels.sync import SyncPanel

    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    with main_window(copy_of(late_talk, tmp_path / "late")) as window:
        assert window.opened is not None
        bench = window.opened.bench
        window.resize(1500, 950)
        window.take_workspace("sync")
        window.show_pane("sync")
        panel = window.pane("sync")
        assert isinstance(panel, SyncPanel)
        wait_for(lambda: panel.method.count() > 0 and panel.isVisible(), what="the panel")
        assert panel.method.currentData() == "clap"
        assert panel.accept.isEnabled() is False
        assert bench.view is not None
        sound = bench.view.stream_by_key("sound")
        assert sound is not None

        click(panel.measure)
        wait_for(lambda: panel.measured is not None, what="the measurement", timeout_ms=60_000)
        assert panel.measured is not None
        assert abs(late_ms(panel.words.text()) - LATE_MS) <= 1000 / 30
        assert panel.band.text().startswith("▲ Amber")
        assert bench.view.streams[sound.id].time_map == sound.time_map  # nothing is applied before somebody accepts

        # A handle is dragged to the right by a fifth of the picture: the stream is that much later.
        many, before = len(panel.measured.points), late_ms(panel.words.text())
        picks = picks_of(panel.measured)[panel.number]
        start = panel.canvas.handle(1).toPoint()
        by = panel.canvas.width() // 5
        drag(panel.canvas, start, start + QPoint(by, 0))
        moved_ns = picks_of(panel.measured)[panel.number][1] - picks[1]
        expected_ms = by / (panel.canvas.x_of(10**9) - panel.canvas.x_of(0)) * 1000
        assert abs(moved_ns / 1e6 - expected_ms) < 2 * expected_ms / by
        assert abs(late_ms(panel.words.text()) - before - moved_ns / 1e6 / many) < 5
        # And Esc in the middle of a drag leaves it where it was.
        held = picks_of(panel.measured)
        start = panel.canvas.handle(1).toPoint()
        drag(panel.canvas, start, start - QPoint(by, 0), release=False)
        QTest.keyClick(panel.canvas, Qt.Key.Key_Escape)
        QTest.mouseRelease(panel.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
        assert picks_of(panel.measured) == held

        panel._take(None)
        click(panel.measure)
        wait_for(lambda: panel.measured is not None, what="the second measurement", timeout_ms=60_000)
        found_ms = late_ms(panel.words.text())
        wait_for(lambda: panel.forecast.text().startswith("Accepting"), what="the forecast")
        panel.accept.setFocus()
        click(panel.accept)
        now = bench.view.streams[sound.id].time_map
        assert abs((sound.time_map.to_session(10**9) - now.to_session(10**9)) / 1e6 - found_ms) < 0.01
        assert now.method == "clap"
        assert "Verified by Ana: verified empirically by clap" in panel.state.text()
        assert panel.accept.isEnabled() is False  # it was measured on the clock as it was
        # The very next key takes it back: no field beside the button has taken the focus.
        focus = window.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        wait_for(lambda: bench.view.streams[sound.id].time_map == sound.time_map, what="undo")
        assert panel.accept.isEnabled()

        # What is noted can still be accepted: nothing has been corrected.
        click(panel.note)
        assert "more than 10 ms" in panel.state.text()
        assert panel.accept.isEnabled()

        QTest.keyClicks(panel.reason, "one recorder, one clock")
        click(panel.waive)
        assert panel.state.text().endswith("Waived by Ana: one recorder, one clock")


@pytest.mark.slow
def test_measuring_can_be_stopped_and_tools_are_locked_until_clocks_are_sure(
    qapp: QApplication, late_talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workstation.ui.panels.sync import SyncPanel

    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    with main_window(copy_of(late_talk, tmp_path / "late")) as window:
        window.take_workspace("sync")
        window.show_pane("sync")
        panel = window.pane("sync")
        assert isinstance(panel, SyncPanel)
        wait_for(lambda: panel.method.count() > 0 and panel.isVisible(), what="the panel")
        click(panel.measure)
        assert panel.measure.text() == "Cancel"
        click(panel.measure)
        wait_for(lambda: panel.measure.text() == "Measure", what="the end", timeout_ms=60_000)
        assert panel.measured is None

        # Where the project requires verified clocks, the tools are locked until somebody verifies or signs.
        assert window.opened is not None
        bench, performing = window.opened.bench, window.performing
        box = performing.table.find("tool.box")
        assert performing.why_not(box, None) is None
        bench.run("project.set", gates={"sync": "required"})
        bench.run("gate.set", gate="sync", state="unverified")
        assert "the clocks of talk are not verified" in str(performing.why_not(box, None))
        offered = performing.unlock(box, None)
        assert offered is not None
        assert offered.id == "pane.show_sync"
        head = bench.session.store.head()
        assert bench.run("entity.add", class_id="person") is None
        assert bench.session.store.head() == head
        assert "labelling is locked" in window.status.said
        QTest.keyClicks(panel.reason, "recorded on one clock")
        click(panel.waive)
        assert performing.why_not(box, None) is None
