"""Panels inside the real main window: link mode, the query and the reasons to return a sample, all by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from main_windows import main_window
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QWidget

from strict_windows import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from workstation.ui.main_window import MainWindow


def type_key(window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    focus: QWidget | None = window.focusWidget()
    QTest.keyClick(window if focus is None else focus, key, held)


def shown(window: MainWindow) -> bool:
    """Whether link mode is on, and to be seen."""
    assert window.link_mode.active is window.link_mode.isVisible()
    return window.link_mode.active


@pytest.mark.slow
def test_link_mode_the_query_and_the_reasons_by_keys(
    qapp: QApplication, demo_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    with main_window(demo_project, checked=False) as window:
        assert window.opened is not None
        bench = window.opened.bench
        view = bench.view
        assert view is not None
        first, second = [each.id for each in view.annotations.values() if view.class_of(each) == "car"][:2]
        before = set(view.links)

        bench.select([first], cause="camera")
        window.show_pane("timeline")
        type_key(window, Qt.Key.Key_R)
        assert shown(window)
        type_key(window, Qt.Key.Key_End)  # seeking leaves it alone
        window.show_pane("samples")  # and so does another pane
        bench.select([second], cause="timeline")
        assert [each.key for each in window.link_mode.offered][:1] == ["s"]
        type_key(window, Qt.Key.Key_S)
        (made,) = set(view.links) - before
        assert view.links[made].type_id == "same_object"
        assert not shown(window)

        type_key(window, Qt.Key.Key_R)
        type_key(window, Qt.Key.Key_Escape)
        assert not shown(window)
        assert bench.selected  # Esc left link mode and nothing else

        type_key(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
        inspector = window.pane("inspector")
        assert inspector is not None
        QTest.keyClicks(window.focusWidget(), "class:bicycle")
        type_key(window, Qt.Key.Key_Return)
        assert {view.class_of(view.annotations[each]) for each in bench.selected} == {"bicycle"}

        window.take_workspace("review")
        type_key(window, Qt.Key.Key_X)
        wait_for(lambda: window.findChild(QMenu, "review_reasons") is not None, what="the reasons")
        menu = window.findChild(QMenu, "review_reasons")
        assert isinstance(menu, QMenu)
        assert menu.actions()[0].text().startswith("&1")
        menu.close()
