"""The transcript in the real window with real keys: typing, undoing, splitting, playing, following."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from main_windows import as_found, bench_of, main_window
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from strict_windows import copy_of, wait_for
from workstation.core.annotation import Annotation, Word
from workstation.core.geometry import TextSpan
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.text import TextPane
from workstation.ui.panes.text_typing import Typing

Key = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier

pytestmark = pytest.mark.slow
"""All in one window, which takes some seconds to open."""


@pytest.fixture(scope="module")
def shared(
    qapp: QApplication, talk_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:  # fmt: skip
    assert qapp is not None
    folder = tmp_path_factory.mktemp("transcript")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(copy_of(talk_template, folder / "talk"), checked=False) as made:
            made.resize(1300, 800)
            made.show_pane("text")
            yield made


@pytest.fixture
def window(shared: MainWindow) -> Iterator[MainWindow]:
    """With the transcript open; whatever a test does with the window is taken back."""
    with as_found(shared):
        yield shared


@pytest.fixture
def pane(window: MainWindow) -> Typing:
    found = window.pane("text")
    assert isinstance(found, TextPane)
    wait_for(found.isVisible, what="the transcript")
    found.typing.page.setFocus()
    wait_for(found.typing.page.hasFocus, what="the focus")
    return found.typing


def turn(pane: Typing, line: int) -> Annotation:
    found = pane.turn_at(line)
    assert found is not None
    return found


def words(pane: Typing, line: int) -> list[Word]:
    assert pane.bench is not None
    assert pane.bench.view is not None
    return list(pane.bench.view.words(turn(pane, line).id))


def times(found: list[Word]) -> list[tuple[int | None, int | None]]:
    return [(each.start_ns, each.end_ns) for each in found]


def caret(pane: Typing, line: int, before: str) -> None:
    pane.page.put_caret(line, pane.page.line_text(line).index(before))


def press(pane: Typing, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(pane.page, key, held)


def line_with(pane: Typing, text: str) -> int:
    return next(line for line in range(pane.page.blockCount()) if text in pane.page.line_text(line))


def test_a_word_is_mended_while_it_plays_and_no_time_moves(window: MainWindow, pane: Typing) -> None:
    bench = bench_of(window)
    line = line_with(pane, "late again")
    before, steps = words(pane, line), bench.session.store.head()
    shown = bench.view.session_range(turn(pane, line))  # type: ignore[union-attr]
    assert shown is not None
    bench.clock.seek(shown.start_ns)
    bench.clock.play()
    caret(pane, line, "late")
    for _ in "late":
        press(pane, Key.Key_Delete)
    QTest.keyClicks(pane.page, "tardy")
    wait_for(lambda: bench.session.store.head() > steps, what="the pause of a second")
    assert bench.clock.playing or bench.clock.time_ns > shown.start_ns
    bench.clock.pause()
    after = words(pane, line)
    assert [each.text for each in after][3] == "tardy"
    assert times(after) == times(before)
    assert bench.session.store.head() == steps + 1  # the burst is one step
    press(pane, Key.Key_Z, CTRL)
    assert "late again" in (turn(pane, line).text or "")
    assert "late again" in pane.page.line_text(line)
    press(pane, Key.Key_Y, CTRL)
    assert "tardy again" in pane.page.line_text(line)


def test_a_new_word_is_untimed_until_it_is_placed(window: MainWindow, pane: Typing) -> None:
    bench = bench_of(window)
    line = line_with(pane, "very bad")
    before = words(pane, line)
    caret(pane, line, "bad")
    QTest.keyClicks(pane.page, "very ")  # a word's end stores it at once
    after = words(pane, line)
    assert [each.text for each in after] == [each.text for each in before[:-1]] + ["very", before[-1].text]
    assert times(after[:-2]) == times(before[:-1])
    assert after[-2].start_ns is None
    assert after[-1].start_ns == before[-1].start_ns
    assert "very very bad" in pane.page.line_text(line)
    start = before[-2].end_ns
    assert start is not None
    time_map = bench.view.time_map(turn(pane, line))  # type: ignore[union-attr]
    gap = (before[-1].start_ns or 0) - start
    bench.clock.seek(start if time_map is None else time_map.to_session(start))
    pane.page.put_caret(line, pane.page.line_text(line).rindex("very"))
    press(pane, Key.Key_T, CTRL)
    if gap > 0:
        assert words(pane, line)[-2].start_ns == start


def test_a_deleted_word_leaves_its_time_to_its_neighbours(pane: Typing) -> None:
    line = line_with(pane, "late again")
    before = words(pane, line)
    caret(pane, line, "again")
    for _ in "again ":
        press(pane, Key.Key_Delete)
    pane.store_typed()
    after = words(pane, line)
    assert [each.text for each in after] == [each.text for each in before if each.text != "again"]
    left, gone = before[3], before[4]
    assert gone.text == "again"
    middle = ((gone.start_ns or 0) + (gone.end_ns or 0)) // 2
    assert (after[3].start_ns, after[3].end_ns) == (left.start_ns, middle)
    assert after[4].start_ns == middle


def test_ctrl_enter_splits_at_the_caret_and_ctrl_j_joins_again(window: MainWindow, pane: Typing) -> None:
    line = line_with(pane, "late again")
    text, count, found = pane.page.line_text(line), pane.page.blockCount(), words(pane, line)
    bench = bench_of(window)
    assert bench.view is not None
    over = [
        each.id for each in bench.view.annotations.values()
        if isinstance(each.shape, TextSpan) and each.shape.of == turn(pane, line).id
    ]  # fmt: skip
    bench.run("annotation.delete", annotations=over, links="remove")  # a span across the cut would be refused
    caret(pane, line, "and nobody")
    at = len(text[: text.index("and nobody")].split())
    press(pane, Key.Key_Return, CTRL)
    assert pane.page.blockCount() == count + 1, window.status.said
    assert pane.page.line_text(line + 1).startswith("and nobody")
    assert turn(pane, line).end_ns == turn(pane, line + 1).start_ns == found[at].start_ns
    pane.page.put_caret(line, 0)
    press(pane, Key.Key_J, CTRL)
    assert pane.page.line_text(line) == text
    assert times(words(pane, line)) == times(found)


def test_ctrl_space_plays_the_turn_to_its_end(window: MainWindow, pane: Typing) -> None:
    bench = bench_of(window)
    line = line_with(pane, "I will note it")
    shown = bench.view.session_range(turn(pane, line))  # type: ignore[union-attr]
    assert shown is not None
    pane.page.put_caret(line, 0)
    bench.clock.set_rate(4)
    press(pane, Key.Key_Space, CTRL)
    assert bench.clock.playing
    wait_for(lambda: not bench.clock.playing, what="the end of the turn")
    assert bench.clock.time_ns == shown.end_ns


def test_the_word_that_is_said_is_marked_and_a_click_goes_to_a_word(window: MainWindow, pane: Typing) -> None:
    bench = bench_of(window)
    line = line_with(pane, "late again")
    word = words(pane, line)[4]
    time_map = bench.view.time_map(turn(pane, line))  # type: ignore[union-attr]
    start = word.start_ns or 0
    at = start if time_map is None else time_map.to_session(start)
    bench.clock.seek(at)
    (mark,) = pane.page.extraSelections()
    assert mark.cursor.selectedText() == "again"  # type: ignore[attr-defined]
    bench.clock.seek(0)
    assert pane.page.extraSelections() == []
    caret(pane, line, "gain")
    place: QPoint = pane.page.cursorRect().center()
    QTest.mouseClick(pane.page.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert bench.clock.time_ns == at


def test_no_key_makes_or_merges_lines(pane: Typing) -> None:
    count, texts = pane.page.blockCount(), pane.page.toPlainText()
    pane.page.put_caret(1, 0)
    press(pane, Key.Key_Backspace)
    press(pane, Key.Key_Return)
    pane.page.selectAll()
    press(pane, Key.Key_Delete)
    QTest.keyClicks(pane.page, "x")
    assert pane.page.blockCount() == count
    assert pane.page.toPlainText() == texts
    QApplication.clipboard().setText("two\nlines")
    pane.page.put_caret(2, 0)
    pane.page.paste()
    assert pane.page.blockCount() == count
    assert pane.page.line_text(2).startswith("two lines")


def test_words_that_links_lead_to_are_asked_about(window: MainWindow, pane: Typing) -> None:
    """Its span goes with the last of its text; the person says what becomes of the links."""
    bench = bench_of(window)
    view = bench.view
    assert view is not None
    span = next(
        each for each in view.annotations.values()
        if isinstance(each.shape, TextSpan) and each.shape.quote.startswith("Look") and list(view.links_of(each.id))
    )  # fmt: skip
    line, head = line_with(pane, "Look at"), bench.session.store.head()
    text = pane.page.line_text(line)
    caret(pane, line, "Look")
    for _ in text[text.index("Look") :]:
        press(pane, Key.Key_Delete)
    pane.store_typed()
    assert pane.question.isVisible()
    assert bench.session.store.head() == head
    back = pane.findChild(QPushButton, "text_answer_back")
    assert back is not None
    QTest.mouseClick(back, Qt.MouseButton.LeftButton)
    assert pane.page.line_text(line) == text
    caret(pane, line, "Look")
    for _ in text[text.index("Look") :]:
        press(pane, Key.Key_Delete)
    pane.store_typed()
    remove = pane.findChild(QPushButton, "text_answer_remove")
    assert remove is not None
    QTest.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert span.id not in view.annotations
    assert turn(pane, line).text == text[: text.index("Look")].strip()


def test_right_to_left_and_joined_letters_are_kept_as_typed(pane: Typing) -> None:
    line = line_with(pane, "Fine, thank")
    before = words(pane, line)
    pane.page.put_caret(line, len(pane.page.line_text(line)))
    for text in (" שלום", " नमस्ते", " 👍🏽"):
        pane.page.insertPlainText(text)
    pane.store_typed()
    after = words(pane, line)
    assert [each.text for each in after[len(before) :]] == ["שלום", "नमस्ते", "👍🏽"]
    assert times(after[: len(before)]) == times(before)
