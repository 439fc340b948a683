"""What the text and document panes ask without Qt: words, passages, rows of spans, Markdown, details, pages."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from workstation.app.markdown_looks import Style, line_look
from workstation.app.media_shown import hidden_media, holds_words, why_barred
from workstation.app.page_words import PageWords, item_of, page_of
from workstation.app.text_marks import rows_of
from workstation.app.text_review import details_of
from workstation.app.text_source import Anchor, Body, Passage, Place, Sheet, _lines
from workstation.app.text_words import (
    Utf16,
    character_around,
    characters,
    is_right_to_left,
    next_character,
    next_word,
    snapped,
    word_around,
)
from workstation.core.sample import StreamKind
from workstation.core.text_edits import edits_between, quote, rebased, united, without
from workstation.media.base import Token

TEXTS = st.text(
    st.sampled_from("ab .,\n-'’é\u0301नम\u094dस\u0947तिक\u094dषालابجשלום\u200d👨👩👧👍\U0001f3fd🇩🇪中文ไทย\u200f9€"),
    max_size=40,
)
FAMILY = "👨‍👩‍👧"


@given(TEXTS)
def test_a_window_counts_as_python_encodes(text: str) -> None:
    units = Utf16(text)
    for offset in range(len(text) + 1):
        here = len(text[:offset].encode("utf-16-le")) // 2
        assert units.of(offset) == here
        assert units.offset(here) == offset
    assert len(units) == len(text.encode("utf-16-le")) // 2
    for unit in range(len(units) + 1):  # inside a pair: the code point it belongs to
        assert units.of(units.offset(unit)) <= unit


@given(TEXTS, st.integers(0, 40))
def test_carets_step_over_whole_characters(text: str, offset: int) -> None:
    offset = min(offset, len(text))
    on, back = next_character(text, offset, 1), next_character(text, offset, -1)
    assert on in characters(text)
    assert back in characters(text)
    assert back <= offset <= on
    assert on > offset or on == len(text)
    assert next_character(text, on, -1) <= offset


@given(TEXTS, st.integers(0, 40), st.integers(0, 40))
@example("99\N{EMOJI MODIFIER FITZPATRICK TYPE-4}\N{DEVANAGARI VOWEL SIGN AA}9", 4, 4)
def test_a_drag_takes_whole_words_and_no_half_characters(text: str, one: int, other: int) -> None:
    one, other = min(one, len(text)), min(other, len(text))
    start, end = snapped(text, one, other)
    assert 0 <= start <= end <= len(text)
    assert start in characters(text)
    assert end in characters(text)
    if start < end:
        assert word_around(text, start)[0] == start
        assert word_around(text, end - 1)[1] == end


def test_words_of_many_scripts() -> None:
    assert word_around("don't stop", 3) == (0, 5)
    hindi = "यह क्षत्रिय है"
    start = hindi.index("क्षत्रिय")
    assert hindi[slice(*word_around(hindi, start + 3))] == "क्षत्रिय"
    arabic = "(السيارة)"
    assert arabic[slice(*word_around(arabic, 4))] == "السيارة"
    assert character_around(f"a{FAMILY}b", 3) == (1, 1 + len(FAMILY))
    assert word_around(f"a {FAMILY} b", 4) == (2, 2 + len(FAMILY))
    assert word_around("中文字", 1) == (1, 2)
    assert next_word("one  two", 3, 1) == 8
    assert next_word("one  two", 5, -1) == 0
    assert word_around("", 0) == (0, 0)
    assert is_right_to_left("a א")
    assert not is_right_to_left("नमस्ते")


@given(st.text(st.sampled_from("abc def\r\n\n\r\u2028é"), max_size=60), st.integers(0, 60))
def test_passages_are_the_text_word_for_word(text: str, offset: int) -> None:
    pieces = list(_lines(text, 0))
    for start, piece, _ in pieces:
        assert text[start : start + len(piece)] == piece
    kept = "".join(piece for _, piece, _ in pieces)
    assert kept == text.replace("\r\n", "").replace("\n", "").replace("\r", "")
    passages = [Passage(body=0, start=start, text=piece) for start, piece, _ in pieces]
    body = Body(anchor=Anchor("s"), text=text, title="", first=0, stop=len(passages))
    sheet = Sheet([body], passages)
    offset = min(offset, len(text))
    place = sheet.place(0, offset)
    found = sheet.offset(place)
    assert found <= offset
    assert text[found:offset].strip("\r\n") == ""  # only line ends have no place of their own


def test_a_long_line_comes_in_pieces_cut_at_blanks() -> None:
    line = "word " * 4000
    pieces = list(_lines(line, 0))
    assert len(pieces) > 4
    assert all(len(piece) <= 3000 for _, piece, _ in pieces)
    assert "".join(piece for _, piece, _ in pieces) == line
    assert [first for _, _, first in pieces] == [True] + [False] * (len(pieces) - 1)


def test_a_stretch_over_lines_lies_on_each_of_them() -> None:
    text = "one\ntwo\nthree"
    passages = [Passage(body=0, start=start, text=piece) for start, piece, _ in _lines(text, 0)]
    sheet = Sheet([Body(anchor=Anchor("s"), text=text, title="", first=0, stop=3)], passages)
    assert list(sheet.over(0, 1, 10)) == [(0, 1, 3), (1, 0, 3), (2, 0, 2)]
    assert sheet.place(0, 4, ends=True) == Place(0, 3)
    assert sheet.place(0, 4) == Place(1, 0)


RANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda r: (r[0], r[0] + r[1])), max_size=12)


@given(RANGES)
def test_no_band_lies_over_another(ranges: list[tuple[int, int]]) -> None:
    reach = {str(number): each for number, each in enumerate(ranges)}
    rows = rows_of(reach)
    for one, (a, b) in reach.items():
        for other, (c, d) in reach.items():
            if one < other and rows[one] == rows[other]:
                assert b <= c or d <= a
    assert set(rows.values()) == set(range(len(set(rows.values()))))  # no row is left empty


@given(RANGES, RANGES)
def test_parts_are_sets_of_code_points(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    def points(parts: object) -> set[int]:
        return {at for start, end in parts for at in range(start, end)}  # type: ignore[attr-defined]

    joined, left = united(one), without(united(one), united(other))
    assert points(joined) == points(one)
    assert points(left) == points(one) - points(other)
    for parts in (joined, left):
        assert all(a < b for a, b in parts)
        assert all(b < c for (_, b), (c, _) in pairwise(parts))


@given(TEXTS, st.data())
def test_a_span_keeps_its_words_through_edits_elsewhere(text: str, data: st.DataObject) -> None:
    words = [(at, at + len(word)) for at, word in _words(text)]
    if not words:
        return
    span = data.draw(st.sampled_from(words))
    before = data.draw(st.sampled_from(["", "new ", "नया ", "👍 ", "جديد "]))
    after = data.draw(st.sampled_from(["", " end", "\nline", " नमस्ते"]))
    # Where the new text begins or ends like the old, nobody can tell which of the two was there before.
    assume(text[:1] != before[:1] and text[-1:] != after[-1:])
    changed = f"{before}{text}{after}"
    moved = rebased((span,), edits_between(text, changed))
    assert quote(changed, moved) == text[slice(*span)]


def _words(text: str) -> list[tuple[int, str]]:
    found, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        found.append((at, word))
        at += len(word)
    return found


def test_markdown_keeps_every_sign_in_its_place() -> None:
    heading = line_look("## Findings ##")
    assert heading.heading == 2
    assert [(each.start, each.end, each.style) for each in heading.styled] == [
        (0, 3, Style.MARK), (3, 11, Style.HEADING), (11, 14, Style.MARK),
    ]  # fmt: skip
    line = "- a **bold** and *soft* `code *x*` word"
    styled = {line[each.start : each.end]: each.style for each in line_look(line).styled}
    assert styled["bold"] is Style.STRONG
    assert styled["soft"] is Style.EMPHASIS
    assert styled["code *x*"] is Style.CODE
    assert line_look(line).hang == 2
    assert line_look("snake_case_word and 2 * 3 * 4").styled == ()


@given(st.text(st.sampled_from("#*_`->1. ab\t"), max_size=80))
def test_any_line_is_markdown(line: str) -> None:
    for each in line_look(line).styled:
        assert 0 <= each.start <= each.end <= len(line)


def test_details_are_clauses_with_their_own_offsets() -> None:
    text = "A red mug stands on the table, and a dog sleeps. 12 plates  with cracks!"
    found = details_of(text)
    assert [each.words for each in found] == [
        "A red mug stands on the table", "and a dog sleeps", "12 plates", "with cracks",
    ]  # fmt: skip
    assert all(text[each.start : each.end] == each.words for each in found)
    assert details_of(" . , ") == []
    assert [each.words for each in details_of("एक कुत्ता। एक कार")] == ["एक कुत्ता", "एक कार"]


def test_words_are_written_beside_what_they_are_about() -> None:
    def sample(*kinds: StreamKind) -> Any:
        streams = {str(number): SimpleNamespace(id=str(number), kind=kind) for number, kind in enumerate(kinds)}
        return SimpleNamespace(streams=streams, annotations={})

    def hidden(*ids: str) -> Callable[[str], bool]:
        return lambda stream: stream in ids

    film, talk = sample(StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.VIDEO), sample(StreamKind.AUDIO)
    assert hidden_media(film, {"text", "camera"}, hidden()) is None
    assert hidden_media(film, {"text"}, hidden()) == "camera"
    assert hidden_media(film, {"camera"}, hidden("0")) is None
    assert hidden_media(film, {"camera"}, hidden("0", "2")) == "camera"
    assert hidden_media(talk, {"text"}, hidden()) is None
    assert hidden_media(sample(StreamKind.VOLUME), {"camera"}, hidden()) == "volume"
    assert "approve" in why_barred("camera", "approve")
    assert why_barred(None) == ""
    assert holds_words(sample(StreamKind.TEXT))
    assert not holds_words(film)


def page() -> PageWords:
    """Two columns of two lines, in the order in which they are read."""
    text = "left one\nright two"
    boxes = [(0, 4, 0, 10, 40, 20), (5, 8, 45, 10, 75, 20), (9, 14, 100, 10, 150, 20), (15, 18, 100, 30, 130, 40)]
    return PageWords(text, [Token(start=a, stop=b, left=x, top=y, right=r, bottom=s) for a, b, x, y, r, s in boxes])


def test_a_drag_takes_tokens_in_reading_order() -> None:
    words = page()
    assert words.at(10, 15) == 0
    assert words.at(90, 15) is None
    assert words.nearest(90, 14) in (1, 2)
    assert words.nearest(10, 500) == 3
    assert words.between(3, 1) == (5, 18)
    assert words.quote([words.between(1, 2)]) == "one\nright"
    assert words.offset_at(20, 15) == 2
    assert PageWords("", ()).nearest(1, 1) is None
    assert PageWords("", ()).rects([(0, 5)]) == []


def test_a_span_on_a_page_is_drawn_in_one_piece_a_line() -> None:
    words = page()
    assert words.rects([(0, 8)]) == [(0, 10, 75, 20)]
    assert words.rects([(0, 4), (5, 8)]) == [(0, 10, 40, 20), (45, 10, 75, 20)]  # two parts, with a blank between
    assert len(words.rects([(9, 18)])) == 2
    assert words.rects([(2, 4)]) == [(20, 10, 40, 20)]


def test_pages_count_from_one_for_people() -> None:
    assert item_of(0) == "1"
    assert page_of("3") == 2
    assert [page_of(each) for each in (None, "", "0", "-1", "x", "²", "1.2.840")] == [None] * 7
