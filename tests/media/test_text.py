"""Plain text and reports: verbatim, in every encoding we promise, and a sentence for the others."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.media.base import OpenContext, TextReader
from workstation.media.report import open_report, sections
from workstation.media.text import decode_text, open_plain, paragraphs, probe, read_text

TEXTS = {
    "composed": "café\n",
    "decomposed": unicodedata.normalize("NFD", "café\n"),
    "right to left": "שלום, עולם!\r\nسلام\r\n",
    "hindi": "नमस्ते दुनिया",
    "emoji": "a👩‍👧b",
    "odd breaks": "one\u2028two\x0bthree\x85four\rfive",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(b"", "utf-8"), (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")],
)
def test_text_is_kept_verbatim(tmp_path: Path, text: str, mark: bytes, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(mark + text.encode(encoding))
    reader = open_plain([path], {}, OpenContext())
    assert isinstance(reader, TextReader)
    assert reader.text == text
    assert reader.info.count == len(text)


@pytest.mark.parametrize(("encoding", "text"), [
    ("windows-1251", "Привет, мир\r\n"), ("KOI8-R", "Как дела"), ("shift_jis", "こんにちは世界"),
    ("gb18030", "你好a世界"), ("latin-1", "Grüße"), ("mac-roman", "naïve"), ("euc-kr", "안녕"),
])  # fmt: skip
def test_an_older_encoding_is_read_when_it_is_named(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert probe(path, path.read_bytes()) == 0.5  # it may be a text: who opens it is told what is missing
    with pytest.raises(DataError, match="--encoding"):
        open_plain([path], {}, OpenContext())
    decoded = read_text(path, {"encoding": encoding})
    assert decoded.text == text
    places = [len(text[:offset].encode(encoding)) for offset in range(len(text) + 1)]
    assert [decoded.positions.byte_of(offset) for offset in range(len(text) + 1)] == places


@pytest.mark.parametrize("name", ["utf-7", "zip", "idna", "unicode_escape", "nothing", "../x", "x" * 999])
def test_what_is_no_encoding_of_a_text_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    with pytest.raises(DataError, match="no encoding known here"):
        read_text(tmp_path / "a.txt", {"encoding": name})


def test_a_mark_counts_before_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffcafé".encode())
    assert read_text(tmp_path / "a.txt", {"encoding": "cp1252"}).text == "café"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("café".encode("latin-1"), "is not UTF-8: byte 3 (E9) fits no character; save it as UTF-8"),
        (b"\xff\xfe\x00\xd8", "is not UTF-16-LE: byte 2"),
        ("a".encode("utf-32"), "is UTF-32 text; save it as UTF-8"),
        (b"abc\x00def", "character 3: holds the control character U+0000, so it is no text"),
        (bytes(100), "so it is no text"),
    ],
)
def test_other_bytes_are_refused_with_their_place(data: bytes, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        decode_text(data, path="a.txt")
    assert sentence in str(caught.value)


def test_an_empty_file_is_an_empty_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch()
    assert open_plain([path], {}, OpenContext()).parts == ()
    assert probe(path, b"") == 0.0


@given(st.binary(max_size=60))
def test_any_bytes_are_a_text_or_a_sentence(data: bytes) -> None:
    try:
        decoded = decode_text(data, path="a.txt")
    except DataError:
        return
    assert data[decoded.mark_bytes :] == decoded.text.encode(decoded.encoding)


def test_paragraphs_end_at_empty_lines_whatever_the_line_end() -> None:
    text = "one\r\nstill one\r\n \r\n\r\ntwo\rthree\n\nfour"
    found = [text[part.start : part.stop] for part in paragraphs(text)]
    assert found == ["one\r\nstill one", "two\rthree", "four"]


REPORT = """# CT abdomen

Patient stands.

## Findings ##

Liver: normal.
```
# no heading
```

Impression
----------
A lesion of 23 mm.
FINDINGS: small cyst.
More of it.
NOT A HEADING without colon
"""


def test_a_report_has_sections_and_paragraphs_that_know_them() -> None:
    parts = sections(REPORT)
    headings = [(REPORT[p.start : p.stop], p.properties["level"]) for p in parts if p.kind == "heading"]
    assert headings == [("CT abdomen", 1), ("Findings", 2), ("Impression", 2), ("FINDINGS", 2)]
    inside = {
        REPORT[p.start : p.stop].partition("\n")[0]: p.properties.get("section") for p in parts if p.kind == "paragraph"
    }
    assert inside == {
        "Patient stands.": "CT abdomen",
        "Liver: normal.": "CT abdomen / Findings",
        "A lesion of 23 mm.": "CT abdomen / Impression",
        "small cyst.": "CT abdomen / FINDINGS",
    }


@given(st.text(alphabet="#=-`~ \t\r\nAB:x", max_size=80))
def test_parts_of_a_report_lie_in_order_inside_the_text(text: str) -> None:
    end = 0
    for part in sections(text):
        assert end <= part.start <= part.stop <= len(text)
        end = part.stop


def test_long_lines_of_marks_cost_no_time(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("# " + " " * 300_000 + "x\n" + "#" * 300_000 + "\n" + "A" * 300_000 + "\n" + "-" * 300_000 + "x\n")
    assert open_report([path], {}, OpenContext()).parts


def test_a_text_is_one_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one file, not 2"):
        open_plain([tmp_path / "a", tmp_path / "b"], {}, OpenContext())
