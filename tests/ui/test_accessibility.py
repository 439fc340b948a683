"""Every control of the window and its dialogs has a name; colours differ for colour-blind eyes or by a second cue."""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from main_windows import bench_of, main_window
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QToolButton,
    QWidget,
)  # fmt: skip

from strict_windows import copy_of
from workstation.app import looks
from workstation.core.findings import Finding, Item
from workstation.core.ontology import ErrorType, Severity
from workstation.ui.dialogs.catalogue import DIALOGS
from workstation.ui.keymap import named_in
from workstation.ui.theme import THEMES

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

CONTROLS = (QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit,
            QTextEdit, QTabBar)  # fmt: skip
_HELD = ("Meta", "Shift+Meta", "Alt+Meta", "Ctrl+Meta", "Alt+Shift+Meta", "Ctrl+Shift+Meta", "Ctrl+Alt+Meta",
         "Ctrl+Alt+Shift+Meta")  # fmt: skip
_QTS_OWN = ("qt_", "ScrollLeftButton", "ScrollRightButton")


@pytest.fixture(scope="module")
def window(
    qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Generator[MainWindow, None, None]:
    assert qapp is not None
    folder = tmp_path_factory.mktemp("accessible")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(copy_of(demo_template, folder / "drive"), checked=False) as made:
            for dock in made.docks:
                dock.built()
            yield made


def nameless(root: QWidget) -> list[str]:
    """Controls a screen reader has no name for; parts of Qt's own controls answer through those."""
    found = []
    for widget in root.findChildren(QWidget):
        parts = (QComboBox, QAbstractSpinBox, QAbstractItemView, QLineEdit)
        if not isinstance(widget, CONTROLS) or isinstance(widget, QScrollBar):
            continue
        if widget.objectName().startswith(_QTS_OWN) or isinstance(widget.parentWidget(), parts):
            continue
        if any(isinstance(each, parts) for each in _ancestors(widget)):
            continue
        if not widget.accessibleName() or not widget.objectName():
            found.append(f"{type(widget).__name__} {widget.objectName()!r} in {_path(widget)}")
    return found


def _ancestors(widget: QWidget) -> Generator[QWidget, None, None]:
    above = widget.parentWidget()
    while above is not None:
        yield above
        above = above.parentWidget()


def _path(widget: QWidget) -> str:
    return " < ".join(each.objectName() or type(each).__name__ for each in _ancestors(widget))


def test_every_control_of_the_window_has_a_name(window: MainWindow) -> None:
    assert nameless(window) == []


def look_at_a_finding(window: MainWindow) -> None:
    """As if the checks had found something wrong with a thing of the sample."""
    bench = bench_of(window)
    assert bench.view is not None
    thing = next(iter(bench.view.entities))
    finding = Finding(
        rule="test.thing", version=1, error_type=ErrorType.SEMANTIC, severity=Severity.WARNING, text="it is odd",
        items=(Item("entity", thing),), fingerprint="0" * 32,
    )  # fmt: skip
    bench.checks.findings = (*bench.checks.findings, finding)
    bench.look_at(finding.fingerprint)


@pytest.mark.parametrize("name", [*DIALOGS, "command annotation.add", "command link.add", "command gate.waive"])
def test_every_control_of_a_dialog_has_a_name(window: MainWindow, name: str) -> None:
    if name == "decide":
        look_at_a_finding(window)
    window.open_dialog(name)
    (dialog,) = [each for each in window.findChildren(QDialog) if each.isVisible()]
    try:
        assert dialog.accessibleName()
        assert nameless(dialog) == []
        assert dialog.focusWidget() is not None
    finally:
        dialog.close()
        QApplication.sendPostedEvents()
        QApplication.processEvents()


def test_every_tool_button_can_be_reached_and_says_what_it_does(window: MainWindow) -> None:
    for button in window.toolbar.findChildren(QToolButton):
        if not button.objectName().startswith(_QTS_OWN):
            assert button.focusPolicy().value & 1, button.objectName()  # Tab reaches it
            assert button.toolTip() or button.text(), button.objectName()


def test_words_name_the_keys_as_they_are(window: MainWindow) -> None:
    """Every action gets another key: no tool tip, heading, help or message names one of before."""
    before = {each.id: window.keymap.keys_of(each.id) for each in window.table}
    told = tips(window)
    letters = [*string.ascii_uppercase, *(f"F{number}" for number in range(1, 25))]
    spare = iter([f"{held}+{each}" for held in _HELD for each in letters])
    new = {}
    try:
        for action_id in [each for each, keys in before.items() if keys]:
            new[action_id] = next(spare)
            window.keymap.remap(action_id, [new[action_id]])
        window.keep_keys()
        named = re.compile(r"\((\S+)\)")
        old = {key for keys in before.values() for key in keys}
        for was, now in zip(told, tips(window), strict=True):
            assert "(@" not in now
            assert not set(named.findall(now)) & old, now
            assert len(named.findall(now)) >= len(set(named.findall(was)) & old), (was, now)
        assert sum("Meta+" in each for each in tips(window)) >= 20
        heading = window.docks.pane("classes").model.headerData(
            3, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole
        )  # type: ignore[union-attr]
        assert heading == f"Shown or hidden ({new['classes.hide']})"
        suggests = window.performing.help_of(window.table.find("link.suggest"))
        assert f"accept ({new['annotation.accept']}) or reject ({new['annotation.reject']}) them" in suggests
        bench_of(window).tell("Mark the beginning first (@timeline.mark_in), then the end.")
        assert window.status.said == f"Mark the beginning first ({new['timeline.mark_in']}), then the end."
        window.keymap.remap("timeline.snapping", [])
        window.keep_keys()
        snap = window.findChild(QToolButton, "timeline_snap")
        assert snap is not None
        assert snap.toolTip() == "Snap to frames, sweeps, onsets and boundaries"
    finally:
        window.keymap.reset()
        window.keep_keys()
    assert set(told) <= set(tips(window))


def tips(window: MainWindow) -> list[str]:
    """What every control says when the pointer rests on it."""
    modal = window.link_mode.findChildren(QWidget)  # its keys belong to the gesture, no map changes them
    parts = [each for each in (window, *window.findChildren(QWidget)) if each not in modal]
    for pane in window.docks.panes():
        parts += [pane.header, *pane.header.findChildren(QWidget)]
    return [each.toolTip() for each in dict.fromkeys(parts) if each.toolTip()]


def marked_words() -> list[str]:
    """Sources that name the key of an action."""
    folder = Path(looks.__file__).parent.parent
    texts = [each.read_text(encoding="utf-8") for name in ("ui", "app") for each in (folder / name).rglob("*.py")]
    return [each for each in texts if "(@" in each]


def test_every_key_named_in_words_is_an_actions(window: MainWindow) -> None:
    for text in marked_words():
        assert set(named_in(text)) <= set(window.table.actions), set(named_in(text))


def test_what_is_focused_is_drawn_otherwise(window: MainWindow) -> None:
    bench_of(window).clock.pause()
    button = window.toolbar.button("edit.undo")
    assert button is not None
    window.setFocus()
    before = button.grab().toImage()
    button.setFocus()
    after = button.grab().toImage()
    assert before != after


# --- colours ----------------------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
DEFICIENCIES = {
    name: np.array(rows).reshape(3, 3)
    for name, rows in {
        "none": (1, 0, 0, 0, 1, 0, 0, 0, 1),
        "protanopia": (0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998),
        "deuteranopia": (0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881),
        "tritanopia": (1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039),
    }.items()
}


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    ratio = xyz / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    light = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(each)) for each in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_first_eight_things_are_told_apart_by_everybody(deficiency: str) -> None:
    matrix = DEFICIENCIES[deficiency]
    seen = [lab(matrix @ linear(colour)) for colour in looks._THINGS[:8]]
    distances = {
        (looks._THINGS[i], looks._THINGS[j]): float(np.linalg.norm(seen[i] - seen[j]))
        for i, j in itertools.combinations(range(8), 2)
    }
    assert min(distances.values()) > 8.0, min(distances.items(), key=lambda each: each[1])


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_words_are_readable(theme: object) -> None:
    token = lambda name: str(getattr(theme, name))  # noqa: E731
    for ground in ("paper", "panel"):
        assert contrast(token("ink"), token(ground)) >= 7
        for quiet in ("quiet", "warning", "error", "good"):
            assert contrast(token(quiet), token(ground)) >= 4.5, (quiet, ground)
    assert contrast(token("ink"), token("raised")) >= 7
    assert contrast(token("on_accent"), token("accent")) >= 4.5
    assert contrast(token("accent"), token("panel")) >= 3  # the focus ring
    assert contrast(token("accent"), token("raised")) >= 3


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_good_and_bad_differ_for_everybody_or_carry_a_sign(theme: object, deficiency: str) -> None:
    """A refusal and an error carry a sign before their words; good and error must differ without one."""
    good, error = (lab(DEFICIENCIES[deficiency] @ linear(str(getattr(theme, name)))) for name in ("good", "error"))
    assert float(np.linalg.norm(good - error)) > 10
