"""The real main window for tests: on the demo or on the welcome page, with settings of its own, closed afterwards."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QRegularExpression, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QTabBar, QWidget

from strict_windows import taken_back, wait_for
from workstation.app.settings import Settings
from workstation.ui.main_window import MainWindow
from workstation.ui.workbench import Workbench


@contextmanager
def main_window(
    project: Path | None = None, *, settings: Settings | None = None, checked: bool = True
) -> Generator[MainWindow, None, None]:
    """A window on the screen; ``WORKSTATION_HOME`` is to be set by the test. Not ``checked``: no findings are looked
    for beside, for tests that are not about them: on the drive that is as much work as all the rest.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not checked:
            patch.setattr(Workbench, "_check", lambda _: None)
        yield from _opened(project, settings)


def _opened(project: Path | None, settings: Settings | None) -> Generator[MainWindow, None, None]:
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
    bring_to_front(window)
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
    if window.docks.written() != stand:
        assert window.docks.put_back(stand)
        window.docks.settle()
        wait_for(lambda: _one_bar_each(window), what="the tabs of before to go")
    window.docks.settle()


def bring_to_front(window: MainWindow) -> None:
    """Keys go to this window again, if another one was opened since."""
    if not window.isActiveWindow():
        window.raise_()
        window.activateWindow()
        assert QTest.qWaitForWindowActive(window)


def _one_bar_each(window: MainWindow) -> bool:
    """Whether no tab can be seen twice: Qt makes new ones when a layout is put back, and drops the old ones later."""
    bars = [each for each in window.findChildren(QTabBar, QRegularExpression("^dock_tabs_")) if each.isVisible()]
    titles = [bar.tabText(index) for bar in bars for index in range(bar.count())]
    return len(titles) == len(set(titles))
