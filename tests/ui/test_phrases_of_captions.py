"""Phrases without a region in the real window: underlined, walked through by keys, declared, linked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from main_windows import bench_of, main_window
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from strict_texts import text_project
from strict_windows import wait_for
from workstation.app.opening import open_project
from workstation.ui.panes.text import TextPane

pytestmark = pytest.mark.slow
TEXT = "I see a blue car ahead and a dog near the old church."
NOTHING, ALT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Path:
    """A text that describes the sample, beside a camera that nobody has a film of."""
    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    made = text_project(tmp_path, {"caption.txt": TEXT}, ontology="vision_language")
    with open_project(made, kind="person") as session:
        sample = next(iter(session.store.samples()))
        session.open_sample(sample.key)
        text = next(iter(session.store.streams(sample.id)))
        session.run("stream.add", key="camera", kind="image")
        session.run("stream.set", stream=text.key, language="en")
        ends = {"text": f"stream:{text.key}", "subject": "stream:camera"}
        session.run("link.add", type_id="describes", ends=ends)
    return made


def underlined(pane: TextPane) -> list[str]:
    canvas = pane.reading.canvas
    dotted = QTextCharFormat.UnderlineStyle.DotLine
    return [
        each.text[start:end]
        for number, each in enumerate(canvas.sheet.passages)
        for start, end, look in canvas.formats(number)
        if look.underlineStyle() is dotted
    ]


def test_phrases_are_underlined_until_they_are_declared_or_linked(project: Path) -> None:
    with main_window(project, checked=False) as window:
        window.resize(1100, 700)
        window.show_pane("text")
        pane = window.pane("text")
        assert isinstance(pane, TextPane)
        canvas = pane.reading.canvas
        wait_for(lambda: underlined(pane) == ["a blue car", "a dog", "the old church"], what="the lines")
        wait_for(lambda: "3 phrases without a region" in pane.header.accessibleName(), what="the header")
        folder = os.environ.get("WORKSTATION_STORY_PICTURES")
        if folder:
            window.grab().save(str(Path(folder) / "phrases.png"))
        canvas.setFocus()
        wait_for(canvas.hasFocus, what="the focus")
        QTest.keyClick(canvas, Qt.Key.Key_Down, ALT)
        assert pane.reading.marking.quote == "a blue car"
        QTest.keyClick(canvas, Qt.Key.Key_Up, ALT)
        assert pane.reading.marking.quote == "the old church"
        QTest.keyClick(canvas, Qt.Key.Key_X, ALT)
        wait_for(lambda: underlined(pane) == ["a blue car", "a dog"], what="the line to go")
        assert pane.reading.marking.quote == "a blue car"  # and the next is taken
        view = bench_of(window).view
        assert view is not None
        (absence,) = [each for each in view.links.values() if each.type_id == "absent"]
        assert absence.reason
        window.perform("edit.undo")
        wait_for(lambda: len(underlined(pane)) == 3, what="the line again")
        pane.phrases.setChecked(False)
        assert underlined(pane) == []
