"""The real main window for tests: on the demo or on the welcome page, with settings of its own, closed afterwards."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from strict_windows import wait_for
from workstation.app.settings import Settings
from workstation.ui.main_window import MainWindow
from workstation.ui.workbench import Workbench


@contextmanager
def main_window(project: Path | None = None, *, settings: Settings | None = None) -> Generator[MainWindow, None, None]:
    """A window on the screen; ``WORKSTATION_HOME`` is to be set by the test."""
    window = MainWindow(settings)
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    window.activateWindow()
    if project is not None:
        assert window.open_project(project), window.status.said
        wait_for(lambda: _calm(window) and not window.jobs.running(), what="the jobs of opening")
    yield window
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents()


def _calm(window: MainWindow) -> bool:
    """Whether what waits for the sample to be shown has begun."""
    bench = bench_of(window)
    return bench.view is None or bench.calm.is_set()


def bench_of(window: MainWindow) -> Workbench:
    assert window.opened is not None
    return window.opened.bench


def press(window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """A key as the window gets it: at whatever has the focus."""
    focus: QWidget | None = window.focusWidget()
    QTest.keyClick(window if focus is None else focus, key, modifiers)
