"""With a selection the key of a class that fits relabels before the focused pane has its letter."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from main_windows import bench_of, main_window, press
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QTextBrowser, QTreeWidget

from strict_windows import copy_of
from workstation.ui.dialogs import hits
from workstation.ui.dialogs.keys import KeyDialog
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.timeline import TimelinePane

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


@pytest.fixture(scope="module")
def window(
    qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Generator[MainWindow, None, None]:
    assert qapp is not None
    folder = tmp_path_factory.mktemp("class_keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(copy_of(demo_template, folder / "drive"), checked=False) as made:
            yield made


def test_b_makes_a_bus_of_a_car_and_z_zooms_to_a_turn(window: MainWindow) -> None:
    bench = bench_of(window)
    view = bench.view
    assert view is not None
    window.show_pane("timeline")
    timeline = window.pane("timeline")
    assert isinstance(timeline, TimelinePane)
    assert timeline.model is not None
    car = next(each for each in view.annotations.values() if view.class_of(each) == "car" and each.entity)
    bench.select([car.id], cause="test")
    shown = timeline.model.viewport
    press(window, Qt.Key.Key_B)  # not the timeline's loop around a boundary
    assert view.class_of(view.annotations[car.id]) == "bus"
    assert bench.clock.loop is None
    press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert view.class_of(view.annotations[car.id]) == "car"
    turn = next(each for each in view.annotations.values() if each.text)
    bench.select([turn.id], cause="test")
    head = bench.session.store.head()
    press(window, Qt.Key.Key_Z)  # no sign can be said
    assert bench.session.store.head() == head
    assert timeline.model.viewport.duration_ns < shown.duration_ns


def test_with_nothing_selected_the_letter_is_the_pane_s(window: MainWindow) -> None:
    bench = bench_of(window)
    window.show_pane("camera")
    bench.selection.clear(cause="test")
    camera = window.pane("camera")
    assert camera is not None
    before = bench.hand.class_id
    press(window, Qt.Key.Key_H)
    assert bench.hand.class_id == before
    press(window, Qt.Key.Key_H)


def test_the_list_of_keys_says_where_a_class_has_the_letter(window: MainWindow) -> None:
    window.open_dialog("keys")
    tree = window.findChild(QTreeWidget, "key_tree")
    assert isinstance(tree, QTreeWidget)
    rows = [tree.topLevelItem(number) for number in range(tree.topLevelItemCount())]
    words = {row.text(0): row.text(3) for row in rows if row is not None and row.text(2) == "timeline"}
    assert "with a selection B: Bus" in words["Loop around boundary"]
    review = {row.text(0): row.text(3) for row in rows if row is not None and row.text(2) == "review"}
    assert "with a selection A: Animal" in review["Approve and go on"]
    tree.window().close()


def test_the_cheat_sheet_begins_with_the_focused_pane_and_leaves_what_is_typed(window: MainWindow) -> None:
    window.show_pane("timeline")
    window.open_dialog("cheat_sheet")
    page = window.findChild(QTextBrowser, "cheat_sheet_text")
    field = window.findChild(QLineEdit, "cheat_sheet_field")
    assert isinstance(page, QTextBrowser)
    assert isinstance(field, QLineEdit)
    assert page.toPlainText().startswith("Pane timeline")
    QTest.keyClicks(field, "ctrl+k")
    assert "Find anything" in page.toPlainText()
    assert "Pane timeline" not in page.toPlainText()
    page.window().close()


def test_a_key_that_is_pressed_says_whose_it_is_and_is_taken_from_there(window: MainWindow) -> None:
    window.open_dialog("keys")
    tree, filtered = window.findChild(QTreeWidget, "key_tree"), window.findChild(QLineEdit, "key_filter")
    field = window.findChild(QLineEdit, "key_field")
    assert isinstance(tree, QTreeWidget)
    assert isinstance(filtered, QLineEdit)
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(filtered, "larger brush")
    shown = [tree.topLevelItem(number) for number in range(tree.topLevelItemCount())]
    assert {row.text(0) for row in shown if row is not None and not row.isHidden()} == {
        "Larger brush", "Larger brush on slices",
    }  # fmt: skip
    dialog = tree.window()
    assert isinstance(dialog, KeyDialog)
    assert dialog.tree.currentItem().text(2) == "camera"
    QTest.keyClick(field, Qt.Key.Key_BracketLeft)
    assert "[ is Smaller brush." in dialog.words_said
    for name in ("set", "take"):
        button = window.findChild(QPushButton, f"dialog_keys_{name}")
        assert isinstance(button, QPushButton)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.keymap.action_for("[", "camera") == "brush.larger"
    assert window.keymap.keys_of("brush.smaller") == ()
    assert "Smaller brush gave it up." in dialog.words_said
    window.keymap.reset()
    window.keep_keys()
    dialog.close()


def test_samples_beyond_those_listed_are_found_while_one_types(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        bench_of(window).session.run("sample.add", key=f"zz_{number}")
    monkeypatch.setattr(hits, "MOST_SAMPLES", 2)
    monkeypatch.setattr(hits, "_MOST_FOUND", 1)
    assert [each.name for each in hits.hits_of(window) if each.kind == "sample"] == ["sf_drive", "zz_0"]
    assert [each.name for each in hits.sample_hits(window, "zz")] == ["zz_1"]
    assert [each.name for each in hits.sample_hits(window, "zz_3")] == ["zz_3"]
    assert hits.sample_hits(window, "sf_drive") == []  # it is listed


def test_a_number_typed_for_a_class_is_no_time(window: MainWindow) -> None:
    window.open_dialog("class")
    field, found = window.findChild(QLineEdit, "dialog_class_field"), window.findChild(QTreeWidget, "dialog_class_list")
    assert isinstance(field, QLineEdit)
    assert isinstance(found, QTreeWidget)
    QTest.keyClicks(field, "2")
    rows = [found.topLevelItem(number) for number in range(found.topLevelItemCount())]
    assert not [row.text(0) for row in rows if row is not None and row.text(0).startswith("Go to")]
    field.window().close()
