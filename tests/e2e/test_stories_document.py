"""A form of three pages: words taken in reading order, a box on the scanned page, pages by keys; all taken back.

Where words stand on the page was written by the test; the pane must find them there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hands import CTRL_HELD, PLAIN, Person, Stored, sit_down
from PySide6.QtCore import QPoint

from strict_texts import pdf_of, text_project
from workstation.ui.panes.document import DocumentPane

HEIGHT = 800
PAGES: list[list[tuple[int, int, str]]] = [
    [
        (50, 700, "Nodule"),
        (140, 700, "in"),
        (180, 700, "the"),
        (230, 700, "right"),
        (300, 700, "upper"),
        (380, 700, "lobe"),
        (50, 660, "seen before in May"),
        (320, 660, "size 12 mm"),
    ],
    [],
    [(60, 400, "Signed by Dr Weber")],
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def form_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("form")
    return text_project(folder, {"form.pdf": pdf_of(PAGES), "note.md": "# Note\n\nA *nodule*."}, ontology="radiology")


@pytest.fixture
def me(form_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object) -> Iterator[Person]:
    from strict_windows import copy_of

    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    project = copy_of(form_template, tmp_path / "texts")
    with sit_down(project) as person:
        person.window.resize(1400, 900)
        person.window.show_pane("document")
        person.waits(lambda: person.window.pane("document") is not None, "the document pane")
        pane = pane_of(person)
        person.window.maximise(pane)
        person.waits(lambda: pane.page.painted and pane.page.sharp and pane.page.words is not None, "the page")
        yield person


def pane_of(me: Person) -> DocumentPane:
    found = me.pane("document")
    assert isinstance(found, DocumentPane)
    return found


def stored(me: Person) -> Stored:
    assert me.window.opened is not None
    return Stored(me.window.opened.bench.session.project.path)


def marks(me: Person, kind: str) -> list[dict[str, Any]]:
    return stored(me).content("annotation", "k.kind = ?", kind)


def at(me: Person, x: float, y: float) -> QPoint:
    """A place of the page, in points from its top left, on the screen."""
    place = pane_of(me).page.viewport.to_screen((x, y))
    return QPoint(round(place[0]), round(place[1]))


def word(me: Person, number: int) -> QPoint:
    """Inside a word of the first page, near its first letter, where the test wrote it."""
    x, y, _ = PAGES[0][number]
    return at(me, x + 6, HEIGHT - y - 6)


def test_words_are_taken_in_reading_order_and_pages_turned_by_keys(me: Person) -> None:
    before = stored(me).state()
    pane = pane_of(me)
    assert "page 1 of 3" in me.header("document")
    words = pane.page.words
    assert words is not None
    assert " ".join(words.text.split()) == "Nodule in the right upper lobe seen before in May size 12 mm"
    me.drag(pane.page, word(me, 3), word(me, 5))
    me.press("2")
    (span,) = marks(me, "text_span")
    assert span["class_id"] == "right_upper_lobe"
    assert span["item"] == "1"
    (part,) = span["shape"]["parts"]
    assert words.text[slice(*part)] == span["shape"]["quote"] == "right upper lobe"

    me.drag(pane.page, word(me, 0), word(me, 0) + QPoint(8, 0))
    me.drag(pane.page, word(me, 6), word(me, 6) + QPoint(8, 0), CTRL_HELD)  # a part on the next line
    me.press("2")
    two = next(each for each in marks(me, "text_span") if len(each["shape"]["parts"]) == 2)
    assert two["shape"]["quote"] == "Nodule seen"
    me.press("Ctrl+0").keep_picture("document_spans")

    me.press(".")
    me.waits(lambda: "page 2 of 3" in me.header("document"), "the next page")
    me.waits(lambda: pane.page.words is not None, "its words")
    assert "scanned" in me.header("document")
    me.press("F3")
    me.waits(lambda: pane.page.sharp, "the page")
    me.drag(pane.page, at(me, 100, 100), at(me, 300, 200))
    me.press("1")
    (box,) = marks(me, "box")
    assert box["item"] == "2"
    shape = box["shape"]
    close = 2 / pane.page.viewport.scale
    assert abs(shape["x"] - 100) < close
    assert abs(shape["y"] - 100) < close
    assert abs(shape["width"] - 200) < close
    me.press("F2", ".", ".")
    assert "page 3 of 3" in me.header("document")

    me.bench.select([span["id"]], cause="test")  # picked elsewhere: its page comes
    assert "page 1 of 3" in me.header("document")
    for _ in range(8):
        if stored(me).state() == before:
            break
        me.press("Ctrl+Z")
    assert stored(me).state() == before


def test_a_page_is_drawn_as_finely_as_it_is_shown(me: Person) -> None:
    pane = pane_of(me)
    page = pane.page
    me.click_at(page, at(me, 300, 300), PLAIN)
    for _ in range(6):
        me.press("Ctrl+=")
    me.waits(lambda: page.sharp, "the page at its new size")
    drawn, image = page._drawn, page._image
    assert drawn is not None
    assert drawn.picture is not None
    assert image is not None
    scale = page.viewport.scale * page.viewport.device_ratio
    assert drawn.wish.pixels_per_point == pytest.approx(scale)
    assert image.width() <= page.width() * page.devicePixelRatioF() + 2
    me.press("Shift+Right")  # words are taken by keys alone
    me.press("Shift+Right", "Shift+Right", "2")
    (span,) = marks(me, "text_span")
    assert span["shape"]["quote"] == "Nodule in the"
    assert page.hasFocus() or me.focus is page
