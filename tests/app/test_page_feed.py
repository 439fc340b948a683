"""Pages come from a thread beside the window: the newest wish counts, what cannot be drawn comes as words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from strict_texts import pdf_of
from workstation.app.page_feed import DrawnPage, PageFeed, PageWish
from workstation.core.errors import DataError
from workstation.media.base import OpenContext, Picture, Region, Token, View
from workstation.media.document import PdfFile, open_pdf


class Desk:
    """Receives what is drawn; ``until`` waits for a number."""

    def __init__(self) -> None:
        self.drawn: list[DrawnPage] = []
        self._changed = threading.Condition()

    def take(self, page: DrawnPage) -> None:
        with self._changed:
            self.drawn.append(page)
            self._changed.notify_all()

    def until(self, number: int) -> DrawnPage:
        with self._changed:
            assert self._changed.wait_for(lambda: any(each.wish.number == number for each in self.drawn), timeout=20)
        return next(each for each in self.drawn if each.wish.number == number)


@pytest.fixture
def document(tmp_path: Path) -> Iterator[PdfFile]:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_of([[(50, 700, "Hello world")], []]))
    reader = open_pdf([path], {}, OpenContext())
    yield reader
    reader.close()


def test_a_page_comes_with_its_size_its_words_and_its_part(document: PdfFile) -> None:
    desk = Desk()
    feed = PageFeed(document, desk.take)
    feed.show(PageWish(1, 0, 2.0))
    first = desk.until(1)
    assert first.size_pt == (600, 800)
    assert first.picture is not None
    assert first.picture.pixels.shape[:2] == (1600, 1200)
    assert first.words is not None
    assert first.words.text.split() == ["Hello", "world"]
    assert (first.picture.pixels < 128).any()  # ink
    feed.show(PageWish(2, 0, 4.0, Region(0, 0, 400, 300)))
    part = desk.until(2)
    assert part.picture is not None
    assert part.picture.pixels.shape[:2] == (300, 400)
    assert part.words is None  # they came with the first picture
    feed.show(PageWish(3, 1, 1.0))
    blank = desk.until(3)
    assert blank.words is not None
    assert blank.words.tokens == ()
    feed.close()
    assert not any(thread.name == "pages" for thread in threading.enumerate())


class Slow:
    """Draws when it is let; one page cannot be drawn."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self.asked: list[int] = []

    def page_size(self, page: int) -> tuple[float, float]:
        return 100.0, 100.0

    def page_text(self, page: int) -> str:
        return ""

    def tokens(self, page: int) -> tuple[Token, ...]:
        return ()

    def picture(self, page: int, view: View, *, pixels_per_point: float) -> Picture:
        self.asked.append(page)
        self.begun.set()
        assert self.go.wait(20)
        raise DataError("the page is damaged and cannot be drawn", path="a.pdf", place=f"page {page}")


def test_only_the_newest_wish_is_drawn_and_damage_is_told() -> None:
    slow, desk = Slow(), Desk()
    feed = PageFeed(slow, desk.take)  # type: ignore[arg-type]  # as much of a reader as is asked
    feed.show(PageWish(1, 0, 1.0))
    assert slow.begun.wait(20)
    for number in range(2, 9):  # a hand on the wheel
        feed.show(PageWish(number, number, 1.0))
    slow.go.set()
    last = desk.until(8)
    assert slow.asked == [0, 8]
    assert "damaged" in last.trouble
    assert last.picture is None
    feed.close()
    feed.close()
