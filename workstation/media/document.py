"""PDF documents: pages as pictures at any scale, and their words with boxes, in reading order.

Opened through ``READERS``. Boxes are points (1/72 inch) of the upright page with the origin at the top left, so a box
times ``pixels_per_point`` lies on the picture. Pages are drawn by PDFium, which is one library for the whole process
and may only be used by one thread at a time: every call is under its lock.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import (
    MediaInfo,
    OpenContext,
    Options,
    OptionValue,
    Picture,
    ReaderSpec,
    Region,
    Token,
    View,
)

MOST_PAGES = 100_000
_MOST_CHARACTERS = 5_000_000
_MOST_PIXELS_ACROSS = 1 << 20
_PDFIUM = threading.RLock()
_WHITE = 0xFFFFFFFF
_TOKEN_BYTES = 200
Place = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Words:
    """The text of one page and its tokens."""

    text: str
    tokens: tuple[Token, ...]


class PdfFile:
    """One PDF. Any thread may ask; pages are loaded when asked for and let go again."""

    def __init__(self, path: Path, document: Any, context: OpenContext) -> None:
        self._path = path
        self._document = document
        self._limits = context.limits
        self._share = context.memory.share()
        self._closed = False
        self.info = self._measure()

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self._path,)

    def page_size(self, page: int) -> tuple[float, float]:
        known: tuple[float, float] | None = self._share.get(("size", page))
        if known is None:
            with self._page(page) as loaded:
                width, height = loaded.get_size()
            if not (0 < width < 1e7 and 0 < height < 1e7):
                raise DataError(f"the page is {width:g} × {height:g} points", path=self._path, place=f"page {page}")
            known = float(width), float(height)
            self._share.put(("size", page), known, 64)
        return known

    def page_text(self, page: int) -> str:
        return self._words(page).text

    def tokens(self, page: int) -> tuple[Token, ...]:
        return self._words(page).tokens

    def picture(self, page: int, view: View, *, pixels_per_point: float) -> Picture:
        width_pt, height_pt = self.page_size(page)
        if not 0 < pixels_per_point < 1e4:
            raise ValueError(f"{pixels_per_point} pixels per point")
        width, height = (max(1, round(size * pixels_per_point)) for size in (width_pt, height_pt))
        if max(width, height) > _MOST_PIXELS_ACROSS:
            raise DataError(f"would be {width} × {height} pixels at this scale", path=self._path, place=f"page {page}")
        region = (view.region or Region(0, 0, width, height)).clipped(width, height)
        shrink = min(1.0, *(size / full for size, full in _wanted(view, region)))
        out = max(1, round(region.width_px * shrink)), max(1, round(region.height_px * shrink))
        self._limits.check_picture(*out, bytes_per_pixel=4, path=self._path)
        with self._page(page) as loaded:
            pixels = _draw(loaded, out, (width, height), region)
        return Picture(pixels=pixels, region=region, width_px=width, height_px=height)

    def close(self) -> None:
        with _PDFIUM:
            if not self._closed:
                self._closed = True
                self._share.close()
                self._document.close()

    @contextmanager
    def _page(self, page: int) -> Iterator[Any]:
        import pypdfium2

        if not 0 <= page < self.info.count:
            raise IndexError(f"page {page} of {self.info.count}")
        with _PDFIUM:
            if self._closed:
                raise DataError("the document was closed", path=self._path)
            try:
                loaded = self._document[page]
            except pypdfium2.PdfiumError as error:
                raise DataError(
                    "the page is damaged and cannot be drawn", path=self._path, place=f"page {page}"
                ) from error
            try:
                yield loaded
            finally:
                loaded.close()

    def _words(self, page: int) -> _Words:
        found: _Words | None = self._share.get(("words", page))
        if found is None:
            import pypdfium2

            with self._page(page) as loaded:
                place = _upright(loaded)
                try:
                    text_page = loaded.get_textpage()
                except pypdfium2.PdfiumError as error:
                    raise DataError("its text cannot be read", path=self._path, place=f"page {page}") from error
                try:
                    count = text_page.count_chars()
                    if count > _MOST_CHARACTERS:
                        raise DataError(f"holds {count:,} characters", path=self._path, place=f"page {page}")
                    found = _collect(text_page.raw, count, place)
                finally:
                    text_page.close()
            self._share.put(("words", page), found, 4 * len(found.text) + _TOKEN_BYTES * len(found.tokens) + 64)
        return found

    def _measure(self) -> MediaInfo:
        with _PDFIUM:
            count = len(self._document)
            version = self._document.get_version()
        if not 0 < count <= MOST_PAGES:
            raise DataError(f"claims {count:,} pages; from 1 to {MOST_PAGES:,} can be read", path=self._path)
        details: dict[str, OptionValue] = {"format": f"PDF {version / 10:.1f}" if version else "PDF"}
        return MediaInfo(kind=StreamKind.DOCUMENT, count=count, clock_source="none", details=details)


def open_pdf(paths: Sequence[Path], options: Options, context: OpenContext) -> PdfFile:
    """The pages of one PDF. A password is never asked for: it would have to be kept in the project."""
    import pypdfium2

    if len(paths) != 1:
        raise DataError(f"a document is one file, not {len(paths)}")
    path = paths[0]
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(path)
        except FileNotFoundError as error:
            raise DataError("there is no such file", path=path) from error
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error
        except pypdfium2.PdfiumError as error:
            # PDFium may still tell the error of an earlier file: the name of the dictionary must be there, too.
            if "assword" in str(error) and _mentions(path, b"/Encrypt"):
                raise DataError("is protected by a password; save a copy without one", path=path) from error
            raise DataError("is no PDF or is damaged beyond reading", path=path) from error
        try:
            return PdfFile(path, document, context)
        except BaseException:
            document.close()
            raise


def _mentions(path: Path, word: bytes) -> bool:
    """Whether the bytes stand anywhere in the file."""
    with path.open("rb") as file:
        before = b""
        while chunk := file.read(1 << 20):
            if word in before + chunk:
                return True
            before = chunk[-len(word) :]
    return False


def _wanted(view: View, region: Region) -> Iterator[tuple[int, int]]:
    if view.width_px is not None:
        yield max(1, view.width_px), region.width_px
    if view.height_px is not None:
        yield max(1, view.height_px), region.height_px
    yield 1, 1


def _draw(page: Any, out: tuple[int, int], full: tuple[int, int], region: Region) -> NDArray[np.uint8]:
    """(height, width, 3) RGB of the region, drawn at the size that is shown and never larger."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    scale_x, scale_y = out[0] / region.width_px, out[1] / region.height_px
    try:
        bitmap = pypdfium2.PdfBitmap.new_native(out[0], out[1], pdfium.FPDFBitmap_BGRx)
    except pypdfium2.PdfiumError as error:
        raise DataError(f"no memory for a picture of {out[0]} × {out[1]} pixels") from error
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, *out)
        place = (-round(region.left * scale_x), -round(region.top * scale_y))
        size = (max(1, round(full[0] * scale_x)), max(1, round(full[1] * scale_y)))
        flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
        pdfium.FPDF_RenderPageBitmap(bitmap.raw, page.raw, *place, *size, 0, flags)
        drawn: NDArray[np.uint8] = bitmap.to_numpy()[..., :3].copy()
    finally:
        bitmap.close()
    return drawn


def _upright(page: Any) -> Place:
    """From the page's own points (origin bottom left, before turning) to the upright page from its top left."""
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page.raw, box)
    left, bottom, right, top = box.left, box.bottom, box.right, box.top
    quarter = int(pdfium.FPDFPage_GetRotation(page.raw)) % 4
    ways: tuple[Place, ...] = (
        lambda x, y: (x - left, top - y),
        lambda x, y: (y - bottom, x - left),
        lambda x, y: (right - x, y - bottom),
        lambda x, y: (top - y, right - x),
    )
    return ways[quarter]


def _collect(raw: Any, count: int, place: Place) -> _Words:
    """Text in PDFium's reading order, and a token for every stretch without blanks."""
    words = _WordBuilder(place)
    box = _Box()
    for i in range(count):
        words.add(*_character(raw, i), box.of(raw, i))
    words.end()
    return _Words("".join(words.text), tuple(words.tokens))


def _character(raw: Any, index: int) -> tuple[str, bool]:
    """What is written there, and whether it parts words."""
    import pypdfium2.raw as pdfium

    code = int(pdfium.FPDFText_GetUnicode(raw, index))
    if code in (0x02, 0xFFFE) or pdfium.FPDFText_IsHyphen(raw, index) == 1:
        return "-", False  # a hyphen at the end of a line, which PDFium marks with a code of its own
    if code < 0x20 and code not in (0x09, 0x0A, 0x0D):
        return "", False
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return "\ufffd", False
    text = chr(code)
    return text, text.isspace()


class _Box:
    """The box of a character, asked for through four doubles that are made once."""

    def __init__(self) -> None:
        self._sides = [ctypes.c_double() for _ in range(4)]

    def of(self, raw: Any, index: int) -> tuple[float, float, float, float] | None:
        """left, bottom, right, top in the page's own points; ``None`` where nothing is drawn."""
        import pypdfium2.raw as pdfium

        left, right, bottom, top = self._sides
        if not pdfium.FPDFText_GetCharBox(raw, index, left, right, bottom, top):
            return None
        sides = left.value, bottom.value, right.value, top.value
        if not all(np.isfinite(sides)) or sides[0] == sides[2] or sides[1] == sides[3]:
            return None
        return sides


class _WordBuilder:
    """Characters in order, joined to words with the box around theirs."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.text: list[str] = []
        self.tokens: list[Token] = []
        self._length = 0
        self._start = 0
        self._corners: list[tuple[float, float]] = []

    def add(self, character: str, parts_words: bool, box: tuple[float, float, float, float] | None) -> None:
        alone = bool(character) and _is_ideograph(character)
        if parts_words or alone:
            self.end()
        if not character:
            return
        self.text.append(character)
        self._length += 1
        if parts_words:
            self._start = self._length
            return
        if box is not None:
            self._corners += [self._place(box[0], box[1]), self._place(box[2], box[3])]
        if alone:
            self.end()

    def end(self) -> None:
        """The word so far becomes a token, if anything of it is drawn."""
        if self._length > self._start and self._corners:
            across = [x for x, _ in self._corners]
            down = [y for _, y in self._corners]
            self.tokens.append(
                Token(
                    start=self._start,
                    stop=self._length,
                    left=min(across),
                    top=min(down),
                    right=max(across),
                    bottom=max(down),
                )
            )
        self._start = self._length
        self._corners = []


def _is_ideograph(character: str) -> bool:
    """Scripts without blanks: every sign is a token of its own."""
    point = ord(character)
    return 0x3040 <= point <= 0x30FF or 0x3400 <= point <= 0x9FFF or 0xF900 <= point <= 0xFAFF or point >= 0x20000


def probe(path: Path, head: bytes) -> float:
    """The mark may follow some bytes of rubbish, as readers everywhere allow."""
    if b"%PDF-" in head[:1024]:
        return 0.95 if head.startswith(b"%PDF-") else 0.6
    return 0.0


READERS = (
    ReaderSpec(
        name="pdf",
        kind=StreamKind.DOCUMENT,
        title="PDF document",
        suffixes=(".pdf",),
        probe=probe,
        open=open_pdf,
    ),
)
