"""The text pane in the real window: spans that survive edits, what is said now, notes, languages, and texts reviewed
beside their picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from main_windows import as_found, bench_of, main_window
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from strict_texts import text_project
from strict_windows import copy_of, wait_for
from workstation.app.moods import Mood, moods_of
from workstation.app.text_source import Place
from workstation.core.annotation import Annotation
from workstation.core.geometry import TextSpan
from workstation.ui.actions.action import Hands
from workstation.ui.actions.session import _why_unseen
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.text import TextPane

Key = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
CODE_SWITCH = "Let’s finalise the timeline by agle mahine."

pytestmark = pytest.mark.slow
"""In two windows, which take some seconds to open."""


@pytest.fixture(scope="module")
def home(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    assert qapp is not None
    folder = tmp_path_factory.mktemp("text")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        yield folder


@pytest.fixture(scope="module")
def talk_window(talk_template: Path, home: Path) -> Iterator[MainWindow]:
    with main_window(copy_of(talk_template, home / "talk"), checked=False) as made:
        made.resize(1300, 860)
        made.show_pane("text")
        yield made


@pytest.fixture
def talk(talk_window: MainWindow) -> Iterator[MainWindow]:
    """The conversation's text; whatever a test does with the window is taken back."""
    with as_found(talk_window):
        typing = pane_of(talk_window).type_in.isChecked()
        yield talk_window
        pane_of(talk_window).type_in.setChecked(typing)


@pytest.fixture(scope="module")
def texts_window(home: Path) -> Iterator[MainWindow]:
    texts = {"speech.txt": CODE_SWITCH, "report.md": "# Report\n\n- a **red** lamp\n"}
    with main_window(text_project(home / "texts", texts), checked=False) as made:
        made.resize(1300, 860)
        made.show_pane("text")
        yield made


@pytest.fixture
def texts(texts_window: MainWindow) -> Iterator[MainWindow]:
    """Two texts; whatever a test does with the window is taken back."""
    with as_found(texts_window):
        typing = pane_of(texts_window).type_in.isChecked()
        yield texts_window
        pane_of(texts_window).type_in.setChecked(typing)


def pane_of(window: MainWindow) -> TextPane:
    found = window.pane("text")
    assert isinstance(found, TextPane)
    wait_for(found.isVisible, what="the text pane")
    return found


def marking(window: MainWindow) -> TextPane:
    pane = pane_of(window)
    pane.type_in.setChecked(False)
    pane.reading.canvas.setFocus()
    wait_for(pane.reading.canvas.hasFocus, what="the focus")
    return pane


def press(
    pane: TextPane, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, times: int = 1
) -> None:
    for _ in range(times):
        QTest.keyClick(pane.reading.canvas, key, held)


def spans(window: MainWindow, class_id: str) -> list[Annotation]:
    view = bench_of(window).view
    assert view is not None
    found = [each for each in view.annotations.values() if each.class_id == class_id]
    return [each for each in found if isinstance(each.shape, TextSpan)]


def quoted(window: MainWindow, span: Annotation) -> str:
    """What stands under a span now, by Python's own slices of the text as stored."""
    view = bench_of(window).view
    assert view is not None
    shape = span.shape
    assert isinstance(shape, TextSpan)
    text = view.annotations[shape.of].text if shape.of is not None else None
    assert text is not None
    return " ".join(text[slice(*part)] for part in shape.parts)


def test_five_spans_by_keys_cover_the_same_words_after_an_earlier_word_was_mended(talk: MainWindow) -> None:
    pane = marking(talk)
    sheet = pane.reading.canvas.sheet
    number = next(at for at, each in enumerate(sheet.passages) if "late again" in each.text)
    pane.reading.marking.put_caret(Place(number, 0))
    before = {each.id for each in spans(talk, "mention")}
    for word in range(5):
        press(pane, Key.Key_Right, CTRL, times=1 if word == 0 else 0)
        press(pane, Key.Key_Right)
        press(pane, Key.Key_Right, CTRL | SHIFT)
        press(pane, Key.Key_D)
        press(pane, Key.Key_Right, CTRL, times=0)
    made = [each for each in spans(talk, "mention") if each.id not in before]
    words = [quoted(talk, each) for each in made]
    assert words == ["order", "is", "late", "again", "and"]
    assert all(each.start_ns is not None for each in made)  # when their words are said
    pane.type_in.setChecked(True)
    line = next(at for at in range(pane.typing.page.blockCount()) if "late again" in pane.typing.page.line_text(at))
    pane.typing.page.setFocus()
    pane.typing.page.put_caret(line, 0)
    for _ in "My":
        QTest.keyClick(pane.typing.page, Key.Key_Delete)
    QTest.keyClicks(pane.typing.page, "Our whole")
    pane.typing.store_typed()
    view = bench_of(talk).view
    assert view is not None
    again = [view.annotations[each.id] for each in made]
    assert [quoted(talk, each) for each in again] == words
    assert [each.shape for each in again] != [each.shape for each in made]


def test_what_is_said_is_marked_and_a_click_goes_to_a_word(talk: MainWindow) -> None:
    pane = marking(talk)
    bench, canvas = bench_of(talk), pane.reading.canvas
    assert bench.view is not None
    turn = next(each for each in bench.view.annotations.values() if "late again" in (each.text or ""))
    word = bench.view.words(turn.id)[4]
    time_map = bench.view.time_map(turn)
    assert word.start_ns is not None
    at = word.start_ns if time_map is None else time_map.to_session(word.start_ns)
    bench.clock.seek(at)
    assert canvas.said is not None
    passage, start, end = canvas.said
    assert canvas.sheet.passages[passage].text[start:end] == "again"
    assert "ms" in pane.header.accessibleName()
    bench.clock.seek(0)
    canvas.reveal(passage)
    (rect,) = canvas.rects_of(passage, start, end)
    place = rect.center().toPoint()
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert bench.clock.time_ns == at


def test_a_negative_turn_colours_its_stretch_of_the_waveform(talk: MainWindow) -> None:
    bench = bench_of(talk)
    assert bench.view is not None
    turn = next(each for each in bench.view.annotations.values() if "I will note it" in (each.text or ""))
    bench.run("annotation.set_attributes", annotations=[turn.id], attributes={"sentiment": "negative"})
    shown = bench.view.session_range(turn)
    assert shown is not None
    assert (shown, Mood.NEGATIVE) in moods_of(bench.view, turn.stream or "")


def test_nothing_is_written_or_judged_while_the_clip_is_hidden(talk: MainWindow) -> None:
    pane = pane_of(talk)
    bench = bench_of(talk)
    wait_for(lambda: bench.panes is not None and "camera" in bench.panes, what="the clip")
    wait_for(lambda: not pane.typing.page.isReadOnly(), what="a page to write on")
    dock = talk.docks.dock("camera")
    assert dock is not None
    dock.close()
    wait_for(lambda: bool(pane.typing.barred), what="the bar")
    assert pane.typing.page.isReadOnly()
    assert "hidden" in pane.header.accessibleName()
    line = pane.typing.page.line_text(0)
    pane.typing.page.setFocus()
    head = bench.session.store.head()
    QTest.keyClicks(pane.typing.page, "x")  # no class of that letter for the turn with the caret either
    assert pane.typing.page.line_text(0) == line
    assert bench.session.store.head() == head
    assert "show it to write" in talk.status.said
    hands = Hands(bench=bench, pane=pane, frame=talk)
    assert "show it to approve" in (_why_unseen(hands) or "")
    talk.show_pane("camera")
    wait_for(lambda: not pane.typing.barred, what="the clip again")
    assert not pane.typing.page.isReadOnly()
    assert _why_unseen(hands) is None


def test_a_code_switch_keeps_its_letters_and_its_language(texts: MainWindow) -> None:
    pane = marking(texts)
    pane.show_text(next(each.key for each in pane._choices if each.title == "speech"))
    sheet = pane.reading.canvas.sheet
    start = CODE_SWITCH.index("agle")
    assert sheet.passages[0].text == CODE_SWITCH
    pane.reading.marking.put_caret(Place(0, start))
    press(pane, Key.Key_Right, CTRL | SHIFT, times=2)
    press(pane, Key.Key_W)
    (span,) = spans(texts, "code_switch")
    assert isinstance(span.shape, TextSpan)
    assert CODE_SWITCH[slice(*span.shape.parts[0])] == span.shape.quote == "agle mahine"
    pane.give_language("hi")
    assert spans(texts, "code_switch")[0].language == "hi"
    assert pane.language.currentText() == "hi"
    pane.give_language("no language")
    assert spans(texts, "code_switch")[0].language == "hi"  # refused, and said
    assert "language" in texts.status.said


def test_a_note_is_typed_line_by_line_and_the_whole_text_classified(texts: MainWindow) -> None:
    bench, pane = bench_of(texts), pane_of(texts)
    assert bench.view is not None
    stream = bench.view.stream_by_key("report")
    assert stream is not None
    note = bench.run("annotation.add", stream=stream.id, class_id="summary_sentence", kind="tag", text="First line")
    pane.show_text(f"notes:{stream.id}")
    pane.type_in.setChecked(True)
    page = pane.typing.page
    page.setFocus()
    page.put_caret(0, len("First line"))
    QTest.keyClick(page, Key.Key_Return)
    page.insertPlainText("नमस्ते")
    QTest.keyClicks(page, " and more")
    pane.typing.store_typed()
    assert bench.view.annotations[note].text == "First line\nनमस्ते and more"
    assert page.blockCount() == 1

    pane.show_text(f"stream:{stream.id}")
    pane = marking(texts)
    press(pane, Key.Key_A, CTRL, times=2)
    press(pane, Key.Key_Z)
    view = bench.view
    tags = [each for each in view.annotations_of(stream.id) if each.class_id == "summary_sentence" and each.id != note]
    assert [each.kind.value for each in tags] == ["tag"]
    assert "as a whole" in pane.header.accessibleName()


def test_a_text_is_judged_once_every_detail_is_answered(texts: MainWindow) -> None:
    pane = marking(texts)
    pane.show_text(next(each.key for each in pane._choices if each.title == "report"))
    pane.review()
    assert pane.strip.isVisible()
    count = len(pane.strip.details)
    assert count >= 2
    assert not pane.strip.verdict.isEnabled()
    taken = pane.reading.marking.quote
    assert taken == pane.strip.details[0].words
    for number in range(count):
        assert not pane.strip.verdict.isEnabled()
        name = "text_review_unconfirmable" if number == 0 else "text_review_confirmed"
        button = pane.findChild(QPushButton, name)
        assert button is not None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(5, 5))
    assert pane.strip.verdict.isEnabled()
    QTest.mouseClick(pane.strip.verdict, Qt.MouseButton.LeftButton)
    bench = bench_of(texts)
    assert "1 not visually confirmable" in texts.status.said
    bench.session.undo()
    bench.session.undo()  # the verdict and the last answer
    wait_for(lambda: not pane.strip.verdict.isEnabled(), what="the open detail")
