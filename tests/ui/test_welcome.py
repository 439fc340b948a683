"""The demo from the welcome page, in the real window: progress, cancel, and then the demo itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from main_windows import main_window
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QProgressBar, QPushButton, QToolButton

from strict_windows import wait_for


@pytest.mark.slow
def test_the_demo_is_made_with_progress_can_be_cancelled_and_is_opened(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert qapp is not None
    documents = tmp_path / "documents"
    documents.mkdir()
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("workstation.app.folders.platformdirs.user_documents_path", lambda: documents)
    with main_window() as window:
        button = window.findChild(QPushButton, "welcome_project.demo")
        bar = window.findChild(QProgressBar, "job_progress")
        cancel = window.findChild(QToolButton, "job_cancel")
        assert isinstance(button, QPushButton)
        assert isinstance(bar, QProgressBar)
        assert isinstance(cancel, QToolButton)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        wait_for(lambda: bar.isVisible() and 0 < bar.value() < 100, what="some progress")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert len(window.jobs.running()) == 1
        assert "being made" in window.status.said
        QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
        assert window.status.said == "Cancelled: Make the demo."
        wait_for(lambda: not window.jobs.running(), what="the end of the job")
        assert list(documents.iterdir()) == []
        assert window.opened is None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        wait_for(lambda: window.opened is not None, what="the demo")
        assert window.opened is not None
        assert window.opened.bench.view is not None
        wait_for(lambda: not window.jobs.running(), what="the jobs of opening")
