"""PDF pages against files written by hand: sizes, words at their places, pictures, and a sentence for broken ones."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from workstation.core.errors import DataError
from workstation.media.base import DocumentReader, Limits, OpenContext, Region, View
from workstation.media.document import PdfFile, open_pdf, probe

DRAWING = "BT /F1 20 Tf 100 700 Td (Hello) Tj 100 0 Td (world,) Tj ET\nBT /F1 10 Tf 50 100 Td (small print) Tj ET"


def pdf(
    drawings: list[str], *, page: str = "/MediaBox [0 0 600 800]", packed: bytes | None = None, count: int | None = None
) -> bytes:
    """A PDF with these pages, each a stream of drawing commands; the cross references are right."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(drawings)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(drawings) if count is None else count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, drawing in enumerate(drawings):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R {page} /Contents {5 + 2 * i} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        data, more = (packed, "/Filter /FlateDecode ") if packed is not None else (drawing.encode(), "")
        objects.append(f"<< {more}/Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream")
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    opener = Opener(tmp_path)
    yield opener
    for reader in opener.readers:
        reader.close()


class Opener:
    """Opens bytes as a PDF and closes what it opened."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "a.pdf"
        self.readers: list[PdfFile] = []

    def __call__(self, data: bytes, limits: Limits | None = None) -> PdfFile:
        self.path.write_bytes(data)
        reader = open_pdf([self.path], {}, OpenContext(limits=limits or Limits()))
        self.readers.append(reader)
        return reader


def boxes(reader: PdfFile, page: int = 0) -> dict[str, tuple[float, float, float, float]]:
    text = reader.page_text(page)
    return {text[t.start : t.stop]: (t.left, t.top, t.right, t.bottom) for t in reader.tokens(page)}


def test_words_stand_where_they_were_written(opened: Opener) -> None:
    reader = opened(pdf([DRAWING, "BT /F1 12 Tf 10 10 Td (two) Tj ET"]))
    assert isinstance(reader, DocumentReader)
    assert reader.info.count == 2
    assert reader.page_size(0) == (600, 800)
    found = boxes(reader)
    assert list(found) == ["Hello", "world,", "small", "print"]
    left, top, right, bottom = found["Hello"]
    # Helvetica: H is 0.716 em high with 0.08 em before it, and "Hello" 2.278 em wide.
    assert left == pytest.approx(100 + 0.08 * 20, abs=1)
    assert bottom == pytest.approx(800 - 700, abs=1)
    assert top == pytest.approx(100 - 0.72 * 20, abs=1)
    assert right == pytest.approx(100 + 2.278 * 20, abs=2)
    assert boxes(reader, 1)["two"][3] == pytest.approx(790, abs=1)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("box", ["", "/CropBox [40 60 500 760]"])
def test_ink_lies_in_the_boxes_however_the_page_is_turned_and_cut(opened: Opener, turn: int, box: str) -> None:
    reader = opened(pdf([DRAWING], page=f"/MediaBox [0 0 600 800] {box} /Rotate {turn}"))
    size = (460, 700) if box else (600, 800)
    assert reader.page_size(0) == (size if turn % 180 == 0 else size[::-1])
    picture = reader.picture(0, View(), pixels_per_point=2)
    assert (picture.width_px, picture.height_px) == tuple(2 * side for side in reader.page_size(0))
    dark = picture.pixels.min(axis=2) < 128
    covered = np.zeros_like(dark)
    for left, top, right, bottom in boxes(reader).values():
        inside = slice(int(2 * top) - 3, int(2 * bottom) + 4), slice(int(2 * left) - 3, int(2 * right) + 4)
        assert dark[inside].any()
        covered[inside] = True
    assert dark.any()
    assert not (dark & ~covered).any()


def test_a_region_is_the_same_as_that_part_of_the_whole(opened: Opener) -> None:
    reader = opened(pdf([DRAWING]))
    whole = reader.picture(0, View(), pixels_per_point=1.5).pixels
    region = Region(140, 100, 400, 180)
    part = reader.picture(0, View(region=region), pixels_per_point=1.5)
    assert part.region == region
    assert np.array_equal(part.pixels, whole[100:180, 140:400])


def test_a_page_is_drawn_at_the_size_that_is_shown(opened: Opener) -> None:
    reader = opened(pdf([DRAWING]))
    picture = reader.picture(0, View(width_px=300, height_px=300), pixels_per_point=2)
    assert picture.pixels.shape == (300, 225, 3)
    assert (picture.width_px, picture.height_px) == (1200, 1600)


def test_a_scanned_page_by_another_writer(opened: Opener) -> None:
    pixels = np.full((100, 200, 3), 255, np.uint8)
    pixels[40:60, 50:150] = (200, 30, 30)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PDF", resolution=72)
    reader = opened(file.getvalue())
    assert reader.page_size(0) == (200, 100)
    assert reader.tokens(0) == ()
    drawn = reader.picture(0, View(), pixels_per_point=1).pixels
    assert np.abs(drawn[50, 100].astype(int) - (200, 30, 30)).max() < 12
    assert drawn[10, 10].min() > 245


def test_pages_that_do_not_exist_and_closed_documents(opened: Opener) -> None:
    reader = opened(pdf([DRAWING]))
    with pytest.raises(IndexError):
        reader.tokens(1)
    reader.close()
    reader.close()
    with pytest.raises(DataError, match="was closed"):
        reader.picture(0, View(), pixels_per_point=1)


def test_a_picture_beyond_the_limits_is_refused(opened: Opener) -> None:
    reader = opened(pdf([DRAWING]), Limits(max_pixels=10_000))
    with pytest.raises(DataError, match="more than the limit"):
        reader.picture(0, View(), pixels_per_point=1)
    with pytest.raises(DataError, match="at this scale"):
        reader.picture(0, View(), pixels_per_point=5000)
    assert reader.picture(0, View(width_px=50), pixels_per_point=1).pixels.shape[1] == 50


def test_a_page_of_impossible_size_is_refused(opened: Opener) -> None:
    reader = opened(pdf([DRAWING], page="/MediaBox [0 0 2000000000 2000000000]"))
    with pytest.raises(DataError, match=r"a\.pdf"):
        reader.picture(0, View(), pixels_per_point=1)


WHOLE = pdf([DRAWING])
PROTECTED = WHOLE.replace(
    b"trailer <<",
    b"trailer << /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] "
    b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"ab" * 32 + b"> /U <" + b"cd" * 32 + b"> >>",
)
HOSTILE = {
    "empty": (b"", "no PDF or is damaged"),
    "zeros": (bytes(4096), "no PDF or is damaged"),
    "another format": (b"\x89PNG\r\n\x1a\n" + bytes(100), "no PDF or is damaged"),
    "only the mark": (b"%PDF-1.4\n", "no PDF or is damaged"),
    "protected": (PROTECTED, "is protected by a password; save a copy without one"),
    "no pages": (pdf([]), "no PDF or is damaged"),
}


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_usable_pdf_is_one_sentence(opened: Opener, case: tuple[bytes, str]) -> None:
    data, sentence = case
    with pytest.raises(DataError, match=sentence) as caught:
        opened(data)
    assert "a.pdf" in str(caught.value)


def test_a_page_count_that_lies_does_not_cost_memory(opened: Opener) -> None:
    reader = opened(pdf([DRAWING], count=2_000_000_000))
    assert reader.info.count == 1
    assert "Hello" in boxes(reader)


def test_a_content_bomb_ends(opened: Opener) -> None:
    packed = zlib.compress(b" " * (64 << 20), 9)
    reader = opened(pdf([""], packed=packed))
    assert reader.tokens(0) == ()


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        open_pdf([tmp_path / "none.pdf"], {}, OpenContext())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.booleans())
def test_damaged_pdfs_are_pages_or_a_sentence(opened: Opener, at: int, byte: int, cut: bool) -> None:
    data = bytearray(WHOLE)
    data[at] = byte
    try:
        reader = opened(bytes(data[:at] if cut else data))
        for page in range(min(reader.info.count, 3)):
            reader.tokens(page)
            reader.picture(page, View(width_px=64), pixels_per_point=0.5)
    except DataError:
        return


@pytest.mark.parametrize(
    ("head", "sure"), [(b"%PDF-1.7\n", True), (b"junk %PDF-1.4", True), (b"PDF", False), (b"", False)]
)
def test_the_mark_decides_not_the_name(head: bytes, sure: bool) -> None:
    assert (probe(Path("a.txt"), head) > 0.5) is sure
    assert (probe(Path("a.pdf"), head) > 0.5) is sure
