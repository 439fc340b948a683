"""Stories of what goes wrong around the work: the program dies in the middle of a drag, somebody else has the project
open, media are moved, a backup is needed, the keys are not to one's liking."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hands import Person, Stored, sit_down
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QListWidget, QTreeWidget

from strict_windows import copy_of
from workstation.app.adding import add_files
from workstation.app.opening import new_project, open_project

DYING = Path(__file__).with_name("dying_window.py")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Path:
    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def small(home: Path, tmp_path: Path) -> Path:
    """A project with one text in it, that lies beside the project."""
    assert home is not None
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "said.txt").write_text("what was said\n", encoding="utf-8")
    project = new_project(tmp_path / "project", name="Small")
    with open_project(project, kind="person") as session:
        add_files(
            session, (tmp_path / "notes" / "said.txt",), sample="one", stream=None, kind=None, role="", copy=False,
            progress=lambda *_: None,
        )  # fmt: skip
    return project


def workstation(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, as a person or a script calls it."""
    return subprocess.run(
        [sys.executable, "-m", "workstation", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="not on Windows: there is no SIGKILL")
def test_killed_in_the_middle_of_a_drag_nothing_stored_is_lost(home: Path, demo_template: Path, tmp_path: Path) -> None:
    assert home is not None
    project = copy_of(demo_template, tmp_path / "drive")
    child = subprocess.Popen(
        [sys.executable, str(DYING), "open", str(project)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    with child:
        assert child.stdout is not None
        line = child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=20)
    said = json.loads(line)
    stored = Stored(project)
    spans = stored.rows("SELECT id, start_ns, end_ns FROM annotation WHERE class_id = 'horn'")
    assert [(start, end) for _, start, end in spans] == [(1_000_000_000, 2_000_000_000)]
    assert said["pulled_px"] > 20  # on the screen the boundary was already elsewhere
    assert stored.edits() == said["edits"]
    with sit_down(project) as me:
        assert "was not closed last time" in me.read("notice_text")
        assert f"all {said['edits']} edits" in me.read("notice_text")
        assert f"all {said['edits']:,} edits stored" in me.read("status_stored")
        view = me.bench.view
        assert view is not None
        (horn,) = (each for each in view.annotations.values() if each.class_id == "horn")
        assert (horn.start_ns, horn.end_ns) == (1_000_000_000, 2_000_000_000)
        me.waits_for_pictures().keep_picture("after_the_crash")
        me.press("Ctrl+Z")  # what was stored can be taken back as ever
        assert stored.spans("horn") == []
    verified = workstation("audit", "verify", str(project))
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_second_window_may_look_and_is_told_who_holds_the_project(small: Path) -> None:
    with sit_down(small) as first, sit_down(small) as second:
        holder = first.bench.session.actor.name
        assert "to look at only" in second.read("notice_text")
        assert holder in second.read("notice_text")
        assert "read-only" in second.window.windowTitle()
        assert second.find("Notice").width() <= second.window.width() <= 1440  # a long sentence breaks its line
        assert second.find("Close").visibleRegion().contains(second.find("Close").rect().center())
        before = Stored(small).edits()
        second.press("Delete", "Ctrl+V")
        assert Stored(small).edits() == before
        second.keep_picture("second_window")


def choose(me: Person, path: Path) -> None:
    """Answer the system's file dialog, which is not ours to type into, with a path."""
    dialog = [each for each in me.window.findChildren(QFileDialog) if each.isVisible()][-1]
    dialog.fileSelected.emit(str(path))
    dialog.close()


def test_media_that_were_moved_are_found_again(small: Path, tmp_path: Path) -> None:
    shutil.move(tmp_path / "notes" / "said.txt", tmp_path / "said_elsewhere.txt")
    with sit_down(small) as me:
        me.waits(lambda: "missing" in me.window.notice.text, "the notice of what is missing")
        assert "missing" in me.read("notice_text")
        me.click("Find again…").waits(lambda: not me.window.jobs.running(), "the look at the media")
        listed = me.find("Missing media")
        assert isinstance(listed, QListWidget)
        assert [listed.item(0).text()] == [each for each in [listed.item(0).text()] if "said.txt" in each]
        me.keep_picture("relink")
        me.click("Search in a folder…")
        choose(me, tmp_path)
        me.waits(lambda: not me.window.jobs.running(), "the search")
        me.waits(lambda: listed.count() == 0, "the list to empty")
        assert any("said_elsewhere.txt" in str(row) for row in Stored(small).content("stream", "1"))
        me.click("Close")


def test_a_backup_is_restored_into_a_copy_and_this_one_stays(small: Path, tmp_path: Path) -> None:
    with sit_down(small) as me:
        me.press("Ctrl+K").type("Backups").press("Enter")
        me.click("Back up now").waits(lambda: not me.window.jobs.running(), "the backup")
        listed = me.find("Backups, the newest first")
        assert isinstance(listed, QTreeWidget)
        assert listed.topLevelItemCount() > 0
        me.bench.run("project.set", name="Later")
        listed.setFocus()
        me.press("Home")
        me.click("Restore into a copy…")
        choose(me, tmp_path / "restored")
        me.waits(lambda: not me.window.jobs.running(), "the restoring")
        me.keep_picture("backups")
        me.click("Close")
        assert Stored(small).rows("SELECT name FROM project") == [("Later",)]
    assert Stored(tmp_path / "restored").rows("SELECT name FROM project") == [("Small",)]
    assert workstation("audit", "verify", str(tmp_path / "restored")).returncode == 0


@pytest.fixture
def at_keys(small: Path) -> Generator[Person, None, None]:
    with sit_down(small) as me:
        me.press("Ctrl+K").type("Change keys").press("Enter")
        yield me


def pick_action(me: Person, title: str) -> None:
    """The row of an action in the dialog of keys, by clicking it."""
    tree = me.find("Actions and their keys")
    assert isinstance(tree, QTreeWidget)
    (item,) = tree.findItems(title, Qt.MatchFlag.MatchExactly, 0)
    tree.scrollToItem(item)
    QTest.mouseClick(
        tree.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, tree.visualItemRect(item).center()
    )


def row_of(me: Person, title: str) -> list[str]:
    tree = me.find("Actions and their keys")
    assert isinstance(tree, QTreeWidget)
    (item,) = tree.findItems(title, Qt.MatchFlag.MatchExactly, 0)
    return [item.text(column) for column in range(4)]


def new_key(me: Person, chord: str, button: str) -> None:
    me.click("Press the new key")
    me.find("Press the new key").setFocus()
    me.press(chord).click(button)


@pytest.mark.slow
def test_a_key_is_changed_works_clashes_visibly_and_travels_in_a_file(at_keys: Person, tmp_path: Path) -> None:
    me = at_keys
    pick_action(me, "Mark in")
    new_key(me, "Ctrl+Shift+P", "Use this key")
    assert row_of(me, "Mark in")[1] == "Ctrl+Shift+P"
    pick_action(me, "Play or pause")
    new_key(me, "Ctrl+Shift+P", "Use this key")
    assert "Mark in" in row_of(me, "Play or pause")[3]  # the conflict is named at both
    assert "Play or pause" in row_of(me, "Mark in")[3]
    me.keep_picture("keys_clash")
    pick_action(me, "Mark in")
    me.click("As it comes")
    assert row_of(me, "Play or pause")[3] == ""
    me.click("Export…")
    choose(me, tmp_path / "mine.json")
    me.click("All as they come")
    assert row_of(me, "Play or pause")[1] == "Space"
    me.click("Close")
    me.press("Ctrl+Shift+P")
    assert not me.bench.clock.playing
    me.press("Ctrl+K").type("Change keys").press("Enter").click("Import…")
    choose(me, tmp_path / "mine.json")
    assert row_of(me, "Play or pause")[1] == "Ctrl+Shift+P"
    me.click("Close")
    with sit_down(None) as again:  # kept: the next window has it too
        assert again.window.keymap.keys_of("transport.play") == ("Ctrl+Shift+P",)
