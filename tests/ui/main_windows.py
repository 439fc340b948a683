"""The real main window for tests: on the demo or on the welcome page, with settings of its own, closed afterwards."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from strict_windows import taken_back, wait_for
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


@contextmanager
def as_found(window: MainWindow) -> Generator[MainWindow, None, None]:
    """A window that tests share, lent to one of them: what it stored, opened, chose or moved is put back afterwards."""
    workspace, stand, theme = window.workspace, window.docks.written(), window.theme
    with taken_back(bench_of(window)):
        yield window
        for dialog in window.findChildren(QDialog):
            dialog.close()
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()
        for pane in (window.link_mode, *window.docks.panes()):
            if pane.gesture is not None:
                pane.gesture.cancel()
    window.maximise(None)
    if window.theme != theme:
        window.wear(theme)
    if window.workspace is not workspace:
        window.arrange(workspace)
    assert window.docks.put_back(stand)
    window.docks.settle()
