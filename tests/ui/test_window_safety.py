"""What goes wrong around a project is said in the window with a way on: held, not closed, media gone, backups."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from main_windows import bench_of, main_window
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QListWidget, QToolButton, QTreeWidget

from strict_windows import wait_for
from workstation.app.opening import new_project, open_project
from workstation.ui.dialogs.safety import Backups, Relink

_DIES = """
import os, sys
from workstation.app.opening import open_project
session = open_project(sys.argv[1], kind="person")
session.run("project.set", name="Kept")
os._exit(1)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Path:
    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("workstation.ui.main_window.PANES", ())
    return new_project(tmp_path / "project")


def test_a_project_that_was_not_closed_is_checked_and_offers_its_backups(project: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _DIES, str(project)], timeout=60, check=False)
    assert done.returncode == 1
    with main_window(project) as window:
        edits = bench_of(window).session.store.head()
        assert "was not closed last time" in window.notice.text
        assert f"all {edits} edits" in window.notice.text
        assert window.windowTitle() == "Kept"  # what was stored before the end is there
        act = window.notice.findChild(QToolButton, "notice_act")
        assert isinstance(act, QToolButton)
        QTest.mouseClick(act, Qt.MouseButton.LeftButton)
        assert any(isinstance(each, Backups) for each in window.findChildren(QDialog))
        assert window.notice.text == ""
    with main_window(project) as again:
        assert again.notice.text == ""


def test_what_somebody_else_has_open_is_looked_at_and_the_holder_named(project: Path) -> None:
    with open_project(project, kind="person") as holder, main_window(project) as window:
        assert bench_of(window).session.read_only
        assert "to look at only" in window.notice.text
        assert holder.actor.name in window.notice.text
        assert "read-only" in window.windowTitle()
        assert "open it read-only" not in window.notice.text
        window.perform("edit.undo")
        assert "to look at only" in window.status.said
        assert "First: Open for editing" in window.status.said
        window.perform("project.edit")
        assert holder.actor.name in window.status.said
        assert bench_of(window).session.read_only
        holder.close()
        window.perform("project.edit")
        assert not bench_of(window).session.read_only
        assert "read-only" not in window.windowTitle()
        assert window.performing.why_not(window.performing.table.find("project.edit"), None) is not None


def test_a_folder_that_is_no_project_is_refused_and_what_is_open_stays(project: Path, tmp_path: Path) -> None:
    with main_window(project) as window:
        before = window.opened
        (tmp_path / "empty").mkdir()
        assert not window.open_project(tmp_path / "empty")
        assert window.opened is before
        assert window.status.said.startswith("▲")


def test_a_backup_is_restored_into_a_copy(project: Path, tmp_path: Path) -> None:
    with main_window(project) as window:
        bench_of(window).run("project.set", name="Before")
        window.open_dialog("backups")
        (dialog,) = (each for each in window.findChildren(QDialog) if isinstance(each, Backups))
        button = dialog.findChild(object, "dialog_backups_now")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)  # type: ignore[call-overload]
        wait_for(lambda: not window.jobs.running(), what="the backup")
        listed = dialog.findChild(QTreeWidget, "backup_list")
        assert isinstance(listed, QTreeWidget)
        newest = listed.topLevelItem(0)
        assert newest is not None
        bench_of(window).run("project.set", name="After")
        dialog.restore(newest.text(4), tmp_path / "copy")
        wait_for(lambda: not window.jobs.running(), what="the restoring")
        dialog.close()
        assert window.windowTitle() != ""
    with open_project(tmp_path / "copy", read_only=True) as copy, open_project(project, read_only=True) as kept:
        names = [each.name for each in (copy.store.project(), kept.store.project()) if each is not None]
        assert names == ["Before", "After"]


def test_media_that_moved_are_found_again_by_content(project: Path, tmp_path: Path) -> None:
    media = tmp_path / "here.txt"
    media.write_text("what was said\n", encoding="utf-8")
    from workstation.app.adding import add_files

    with open_project(project, kind="person") as session:
        add_files(
            session, (media,), sample="one", stream=None, kind=None, role="", copy=False, progress=lambda *_: None
        )
    (tmp_path / "elsewhere").mkdir()
    media.rename(tmp_path / "elsewhere" / "renamed.txt")
    with main_window(project) as window:
        assert "missing" in window.notice.text
        window.open_dialog("relink")
        (dialog,) = (each for each in window.findChildren(QDialog) if isinstance(each, Relink))
        wait_for(lambda: not window.jobs.running(), what="the look at the media")
        listed = dialog.findChild(QListWidget, "missing_media")
        assert isinstance(listed, QListWidget)
        assert listed.count() == 1
        dialog.search(tmp_path / "elsewhere")
        wait_for(lambda: not window.jobs.running(), what="the search")
        assert listed.count() == 0
        assert window.notice.text == ""  # it is no longer so
        store = bench_of(window).session.store
        (sample,) = store.samples()
        assert next(file.path for stream in store.streams(sample.id) for file in stream.files).endswith("renamed.txt")
        dialog.close()
