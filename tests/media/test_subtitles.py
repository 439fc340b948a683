"""Cues at their times, at their places in the file; a broken one is told, never lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.media.base import OpenContext, TextPart
from workstation.media.held import HeldText
from workstation.media.subtitles import READERS, Cues, parse_sbv, parse_srt, parse_vtt, time_ns

MS = 1_000_000


def shown(text: str, parts: Sequence[TextPart], kind: str = "cue") -> list[tuple[str, tuple[int, int] | None]]:
    return [
        (text[p.start : p.stop], None if p.span is None else (p.span.start_ns // MS, p.span.end_ns // MS))
        for p in parts
        if p.kind == kind
    ]


def open_file(path: Path) -> HeldText:
    head = path.read_bytes()[:4096]
    spec = max(READERS, key=lambda reader: reader.probe(path, head))
    reader = spec.open([path], {}, OpenContext())
    assert isinstance(reader, HeldText)
    return reader


VTT = """WEBVTT - a title
Kind: captions
Language: en

STYLE
::cue {{ color: red }}

NOTE
not a cue

intro
00:01.000 --> 00:02.500 align:start
<v Fred>Hello <b>you</b>

00:00:02.500 --> 00:00:04.000
<v Ann>Hi <v Bob>Hey

1:00:00.000 --> 1:00:01.250
When <1:00:00.500>the <c.big>moon</c>{blank}
""".format(blank=" ")


def test_vtt_cues_voices_words_and_header() -> None:
    cues = parse_vtt(VTT)
    assert shown(VTT, cues.parts) == [
        ("<v Fred>Hello <b>you</b>", (1000, 2500)),
        ("<v Ann>Hi <v Bob>Hey", (2500, 4000)),
        ("When <1:00:00.500>the <c.big>moon</c> ", (3_600_000, 3_601_250)),
    ]
    assert cues.details == {"kind": "captions", "language": "en"}
    first = cues.parts[0]
    assert (first.speaker, first.properties) == ("Fred", {"id": "intro", "settings": "align:start"})
    voices = [(part.speaker, VTT[part.start : part.stop]) for part in cues.parts if part.kind == "turn"]
    assert voices == [("Ann", "Hi "), ("Bob", "Hey")]
    assert shown(VTT, cues.parts, "word") == [
        ("When", (3_600_000, 3_600_500)),
        ("the <c.big>moon", (3_600_500, 3_601_250)),
    ]
    assert cues.notes == []


def test_srt_with_crlf_missing_blank_lines_and_dots(tmp_path: Path) -> None:
    text = "1\r\n00:00:00,500 --> 00:00:01,000\r\nOne\r\n2\r\n00:00:01.000 --> 00:00:02.000\r\nTwo\r\nlines\r\n\r\n"
    path = tmp_path / "a.srt"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    reader = open_file(path)
    assert reader.text == text
    assert shown(text, reader.parts) == [("One", (500, 1000)), ("Two\r\nlines", (1000, 2000))]


BROKEN: dict[str, tuple[Callable[[str], Cues], str, str, str]] = {
    "no times": (parse_srt, "1\n00:00:00,500 --> 00:00:01,000\nA\n\n2\nlost\n", "lost", "line 5: a cue has no line"),
    "letter in a time": (parse_vtt, "WEBVTT\n\n00:00.000 --> 00:0d.000\nlost\n", "lost", "'00:0d.000' is no time"),
    "minute 75": (parse_srt, "00:75:00,000 --> 00:76:00,000\nlost\n", "lost", "is no time"),
    "end first": (parse_sbv, "0:00:17.484,0:00:16.543\nlost\n", "lost", "before it starts"),
    "no arrow": (parse_sbv, "0:00:17.484 0:00:18.543\nlost\n", "0:00:17.484 0:00:18.543\nlost", "no line with its two"),
    "text first": (parse_srt, "lost\n1\n00:00:00,500 --> 00:00:01,000\nA\n", "lost", "stands before a cue"),
    "no header": (parse_vtt, "00:00.000 --> 00:01.000\nA\n", "A", "does not begin with WEBVTT"),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_cue_keeps_its_text_and_is_told(case: tuple[Callable[[str], Cues], str, str, str]) -> None:
    parse, text, kept, sentence = case
    cues = parse(text)
    assert kept in [text[part.start : part.stop] for part in cues.parts]
    assert sentence in " | ".join(cues.notes)


def test_a_time_inside_a_cue_that_lies_outside_it_is_told() -> None:
    cues = parse_vtt("WEBVTT\n\n00:01.000 --> 00:02.000\na <00:09.000>b\n")
    assert "lies outside it" in cues.notes[0]


def test_a_file_without_a_usable_cue_is_refused(tmp_path: Path) -> None:
    for name, text in (("a.vtt", "WEBVTT\n"), ("b.srt", "just text\n"), ("c.srt", "")):
        path = tmp_path / name
        path.write_text(text)
        reader = next(spec for spec in READERS if path.suffix in spec.suffixes)
        with pytest.raises(DataError, match="no cue with usable times"):
            reader.open([path], {}, OpenContext())


@pytest.mark.parametrize(
    ("stamp", "expected_ns"),
    [
        ("00:01.5", 1_500 * MS),
        ("100:00:00.000", 360_000_000 * MS),
        ("0:00:00.123456789", 123_456_789),
        ("00:60.000", None),
        ("1:2", None),
        ("\u0661:00.000", None),
    ],
)
def test_time_stamps(stamp: str, expected_ns: int | None) -> None:
    assert time_ns(stamp) == expected_ns


def test_half_a_million_lines_without_a_break_take_no_quadratic_time(tmp_path: Path) -> None:
    cue = "1\n00:00:00,500 --> 00:00:01,000\n<v <v <v <\n"
    cues = parse_srt(cue * 30_000)
    assert cues.count == 30_000


PIECES = [
    "WEBVTT",
    "\n",
    "\n\n",
    "\r\n",
    "1",
    "00:00.000",
    " --> ",
    "00:01.000",
    "<v A>",
    "<00:00.500>",
    "x",
    "<",
    ">",
    ",",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_whatever_the_file_parts_lie_inside_it(text: str) -> None:
    for parse in (parse_vtt, parse_srt, parse_sbv):
        cues = parse(text)
        assert all(0 <= part.start <= part.stop <= len(text) for part in cues.parts)
        assert cues.broken <= cues.count
        assert (cues.broken == 0) or cues.notes
