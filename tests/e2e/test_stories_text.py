"""Spans in three scripts by keys and by mouse, a relation between two, and everything taken back: as a person does it.

Offsets are checked against Python's own slices of the text, read from the project file by SQL alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hands import CTRL_HELD, PLAIN, Person, Stored, sit_down
from PySide6.QtCore import QPoint, Qt

from strict_texts import text_project
from workstation.app.text_source import Anchor
from workstation.ui.panes.text import TextPane

ENGLISH = "Ms Weber ordered two lamps 👨‍👩‍👧 yesterday.\nThe red lamp flickers, she says."
HINDI = "नमस्ते, क्षत्रिय जी की कार लाल है।"
ARABIC = "السيارة الحمراء توقفت car فجأة"
DECOMPOSED = "cafe\u0301 and caf\u00e9"
TEXTS = {"english.txt": ENGLISH, "hindi.txt": HINDI, "arabic.txt": ARABIC, "forms.txt": DECOMPOSED}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def texts_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return text_project(tmp_path_factory.mktemp("texts"), TEXTS)


@pytest.fixture
def me(texts_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object) -> Iterator[Person]:
    from strict_windows import copy_of

    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    project = copy_of(texts_template, tmp_path / "texts")
    with sit_down(project) as person:
        person.window.resize(1300, 860)
        person.project = project  # type: ignore[attr-defined]
        person.window.show_pane("text")
        person.waits(lambda: person.window.pane("text") is not None, "the text pane")
        person.waits(lambda: pane_of(person).awake and pane_of(person).isVisible(), "the text pane in front")
        yield person


def pane_of(me: Person) -> TextPane:
    found = me.pane("text")
    assert isinstance(found, TextPane)
    return found


def stored(me: Person) -> Stored:
    return Stored(me.project)  # type: ignore[attr-defined]


def spans(me: Person, class_id: str) -> list[dict[str, Any]]:
    return stored(me).content("annotation", "k.class_id = ? AND k.kind = 'text_span'", class_id)


def parts(span: dict[str, Any]) -> list[tuple[int, int]]:
    return [tuple(each) for each in span["shape"]["parts"]]


def choose(me: Person, title: str) -> None:
    """The text of that name, from the list in the header."""
    pane = pane_of(me)
    pane.texts.setCurrentIndex(pane.texts.findText(title))
    pane.reading.canvas.setFocus()
    me.waits(lambda: me.focus is pane.reading.canvas, "the focus on the text")


def place(me: Person, stream: str, offset: int, *, after: bool = False) -> QPoint:
    """Where the code point stands on the canvas; its far edge with ``after``."""
    canvas = pane_of(me).reading.canvas
    view = me.bench.view
    assert view is not None
    found = view.stream_by_key(stream)
    assert found is not None
    body = canvas.sheet.body_of(Anchor(found.id))
    assert body is not None
    at = canvas.sheet.place(body, offset)
    (rect,) = canvas.rects_of(at.passage, at.offset, at.offset + 1)
    back = canvas.scene(at.passage).laid.runs_back(at.offset, canvas.scene(at.passage).laid.line_of(at.offset))
    x = rect.right() if after is not back else rect.left()
    inward = -1 if x == rect.right() else 1
    return QPoint(round(x + inward), round(rect.center().y()))


def pull(me: Person, stream: str, start: int, end: int, held: Qt.KeyboardModifier = PLAIN) -> None:
    """Drag over a stretch of code points."""
    viewport = pane_of(me).reading.canvas.viewport()
    me.drag(viewport, place(me, stream, start), place(me, stream, end - 1, after=True), held)


def test_spans_in_three_scripts_by_keys_alone_and_taken_back(me: Person) -> None:
    before = stored(me).state()
    choose(me, "english")
    me.press("Ctrl+Shift+Right", "Ctrl+Shift+Right", "D")
    (name,) = spans(me, "mention")
    assert parts(name) == [(0, 8)]
    assert ENGLISH[0:8] == name["shape"]["quote"] == "Ms Weber"

    choose(me, "hindi")
    start = HINDI.index("क्षत्रिय")
    for _ in range(40):  # by words to the conjunct
        if HINDI[:start].rstrip() == HINDI[: caret(me)].rstrip():
            break
        me.press("Ctrl+Right")
    me.press("Right", "Ctrl+Shift+Right", "D")
    hindi = next(each for each in spans(me, "mention") if each["shape"]["quote"].startswith("क"))
    assert hindi["shape"]["quote"] == "क्षत्रिय" == HINDI[slice(*parts(hindi)[0])]
    assert parts(hindi) == [(start, start + len("क्षत्रिय"))]

    choose(me, "arabic")
    me.press("Ctrl+Shift+Left", "Ctrl+Shift+Left")  # the letters run to the left, and so does the caret
    me.press("D")
    arabic = next(each for each in spans(me, "mention") if each["shape"]["quote"].startswith("ا"))
    assert parts(arabic) == [(0, len("السيارة الحمراء"))]
    assert arabic["shape"]["quote"] == ARABIC[: len("السيارة الحمراء")]

    assert stored(me).edits() > 0
    me.press("Ctrl+Z", "Ctrl+Z", "Ctrl+Z")
    assert stored(me).state() == before
    me.keep_picture("text_by_keys")


def caret(me: Person) -> int:
    marking = pane_of(me).reading.marking
    at = marking.caret()
    assert at is not None
    return marking.sheet.offset(at)


def test_spans_in_three_scripts_by_mouse(me: Person) -> None:
    before = stored(me).state()
    choose(me, "english")
    begin = ENGLISH.index("red lamp")
    pull(me, "english", begin + 1, begin + 5)  # from inside one word into the next: both are taken
    me.press("D")
    (span,) = spans(me, "mention")
    assert parts(span) == [(begin, begin + len("red lamp"))]
    family = ENGLISH.index("👨")
    pull(me, "english", family, family + 5)
    me.press("D")
    taken = next(each for each in spans(me, "mention") if "👨" in each["shape"]["quote"])
    assert parts(taken) == [(family, family + 5)]
    assert taken["shape"]["quote"] == ENGLISH[family : family + 5] == "👨‍👩‍👧"

    choose(me, "hindi")
    word = HINDI.index("लाल")
    pull(me, "hindi", word + 1, word + 2)
    me.press("D")
    hindi = next(each for each in spans(me, "mention") if each["shape"]["quote"] == "लाल")
    assert HINDI[slice(*parts(hindi)[0])] == "लाल"

    choose(me, "arabic")
    word = ARABIC.index("الحمراء")
    pull(me, "arabic", word + 2, word + 4)
    me.press("D")
    arabic = next(each for each in spans(me, "mention") if each["shape"]["quote"] == "الحمراء")
    assert parts(arabic) == [(word, word + len("الحمراء"))]
    across = ARABIC.index("توقفت")
    pull(me, "arabic", across + 1, ARABIC.index("car") + 2)  # over the change of direction
    me.press("D")
    mixed = next(each for each in spans(me, "mention") if each["shape"]["quote"].endswith("car"))
    assert parts(mixed) == [(across, ARABIC.index("car") + 3)]

    choose(me, "forms")
    pull(me, "forms", 0, 2)
    me.press("D")
    pull(me, "forms", DECOMPOSED.index("caf\u00e9"), len(DECOMPOSED))
    me.press("D")
    quotes = {each["shape"]["quote"] for each in spans(me, "mention")}
    assert {"cafe\u0301", "caf\u00e9"} <= quotes  # equal to the eye, kept as they are written
    me.keep_picture("text_by_mouse")
    me.press(*["Ctrl+Z"] * 7)
    assert stored(me).state() == before


def test_parts_characters_boundaries_and_a_relation(me: Person) -> None:
    before = stored(me).state()
    choose(me, "english")
    ordered, lamps = ENGLISH.index("ordered"), ENGLISH.index("lamps")
    pull(me, "english", ordered, ordered + 7)
    pull(me, "english", lamps, lamps + 5, CTRL_HELD)
    me.press("D")
    (span,) = spans(me, "mention")
    assert parts(span) == [(ordered, ordered + 7), (lamps, lamps + 5)]
    assert span["shape"]["quote"] == "ordered lamps"
    me.press("[")  # the end of the last part goes back over its only word, and the part is gone
    assert parts(spans(me, "mention")[0]) == [(ordered, ordered + 7)]
    me.press("Alt+]")
    assert parts(spans(me, "mention")[0]) == [(ordered, ordered + 8)]
    me.press("Ctrl+Z", "Ctrl+Z")
    assert parts(spans(me, "mention")[0]) == [(ordered, ordered + 7), (lamps, lamps + 5)]

    family = ENGLISH.index("👨")
    me.click_at(pane_of(me).reading.canvas.viewport(), place(me, "english", family))
    pull(me, "english", family, family + 2, Qt.KeyboardModifier.AltModifier)
    assert pane_of(me).reading.marking.parts == ((family, family + 2),)  # inside what one sees as one
    me.press("D")
    assert any(parts(each) == [(family, family + 2)] for each in spans(me, "mention"))
    me.press("Ctrl+Z")

    flickers = ENGLISH.index("flickers")
    pull(me, "english", flickers, flickers + 8)
    me.press("D")
    canvas = pane_of(me).reading.canvas
    me.press("R")  # the span just made is the first pick; the other is picked in the text
    me.click_at(canvas.viewport(), place(me, "english", lamps + 1))
    me.press("E")
    (link,) = stored(me).content("link", "k.type_id = ?", "same_referent")
    assert len(link["ends"]) == 2
    assert {end["target"] for end in link["ends"]} == {each["id"] for each in spans(me, "mention")}
    me.waits(lambda: bool(canvas._elbows), "the relation on the screen")
    assert not canvas._elbows[0].edge.directed, "who means the same as another is meant by it"
    me.keep_picture("text_relation")
    for _ in range(8):
        if stored(me).state() == before:
            break
        me.press("Ctrl+Z")
    assert stored(me).state() == before


def test_a_boundary_is_dragged_to_a_word(me: Person) -> None:
    choose(me, "english")
    ordered = ENGLISH.index("ordered")
    pull(me, "english", ordered, ordered + 7)
    me.press("D")
    canvas = pane_of(me).reading.canvas
    (mark,) = spans(me, "mention")
    (band,) = canvas.band_rects(mark["id"])
    end = place(me, "english", ENGLISH.index("lamps") + 4, after=True)
    me.drag(canvas.viewport(), QPoint(round(band.right()), round(band.center().y())), end)
    assert parts(spans(me, "mention")[0]) == [(ordered, ENGLISH.index("lamps") + 5)]
    weber = ENGLISH.index("Weber")
    pull(me, "english", weber, weber + 5, CTRL_HELD)  # another part of the span that is selected
    assert parts(spans(me, "mention")[0]) == [(weber, weber + 5), (ordered, ENGLISH.index("lamps") + 5)]
    assert len(spans(me, "mention")) == 1
