"""Pages of a document drawn beside the window: the newest wish counts, older ones are dropped.

Used by the document pane. PDFium is one library under one lock, so one thread is all that helps. Words of pages come
the same way: a page of many words takes a moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from workstation.app.page_words import PageWords
from workstation.core.errors import DataError
from workstation.media.base import DocumentReader, Picture, Region, View


@dataclass(frozen=True, slots=True)
class PageWish:
    """A part of a page at a scale; ``region`` counts pixels at that scale, ``None`` is all of it."""

    number: int
    page: int
    pixels_per_point: float
    region: Region | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DrawnPage:
    """What came of a wish: a picture, or why there is none."""

    wish: PageWish
    size_pt: tuple[float, float] | None = None
    """Width and height of the page in points."""
    picture: Picture | None = None
    words: PageWords | None = None
    """Only with the first picture of a page."""
    trouble: str = ""


class PageFeed:
    """One thread for one document. ``deliver`` is called on that thread."""

    def __init__(self, reader: DocumentReader, deliver: Callable[[DrawnPage], None]) -> None:
        self._reader = reader
        self._deliver = deliver
        self._wish: PageWish | None = None
        self._known: set[int] = set()
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="pages", daemon=True)
        self._thread.start()

    def show(self, wish: PageWish) -> None:
        """Draw this next; what waited is not wanted any longer."""
        with self._changed:
            self._wish = wish
            self._changed.notify()

    def close(self) -> None:
        """End the thread and wait for it. The reader belongs to ``OpenStreams``."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._wish is None and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                wish, self._wish = self._wish, None
            if wish is not None:
                self._deliver(self._drawn(wish))

    def _drawn(self, wish: PageWish) -> DrawnPage:
        try:
            size = self._reader.page_size(wish.page)
            picture = self._reader.picture(wish.page, View(wish.region), pixels_per_point=wish.pixels_per_point)
            words = None
            if wish.page not in self._known:
                words = PageWords(self._reader.page_text(wish.page), self._reader.tokens(wish.page))
                self._known.add(wish.page)
            return DrawnPage(wish, size, picture, words)
        except DataError as problem:
            return DrawnPage(wish, trouble=str(problem))
