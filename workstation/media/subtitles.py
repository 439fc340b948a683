"""Subtitles and captions: WebVTT, SubRip and SBV, each cue a stretch of the file's own text.

A broken cue stays: its text is a part without a time and with a ``problem``, and a note names its line.
Opened through ``READERS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.media.base import OpenContext, Options, OptionValue, ReaderSpec, TextPart, one_path
from workstation.media.held import HeldText, Origin, held_text
from workstation.media.text import ENCODING_OPTION, head_text, lines_of, read_text

MOST_CUES = 500_000
_MOST_NOTES = 100
_TIME = r"(?:([0-9]{1,6}):)?([0-9]{1,2}):([0-9]{1,2})[.,]([0-9]{1,9})"
_STAMP = re.compile(_TIME)
_ARROW = re.compile(r"[ \t]*(\S+)[ \t]*-->[ \t]*(\S+)[ \t]*(.*)")
_SBV = re.compile(r"[ \t]*([0-9:.]+),([0-9:.]+)[ \t]*")
_INNER_TIME = re.compile(rf"<({_TIME})>")
_VOICE = re.compile(r"<v(?:\.[^ \t>]{0,200})?[ \t]{1,20}([^>]{0,200})>")
_TAG = re.compile(r"<[^>]{0,400}>")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: number from 1, offset of its first code point, text without the line end."""

    number: int
    offset: int
    text: str

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


@dataclass(slots=True)
class Cues:
    """What was found in one file."""

    text: str
    parts: list[TextPart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    details: dict[str, OptionValue] = field(default_factory=dict)
    count: int = 0
    broken: int = 0

    def cue(
        self, payload: Sequence[Line], times: TimeRange | str, *, line: int, name: str = "", settings: str = ""
    ) -> None:
        """Add a cue whose text is ``payload``; ``times`` is its range, or what is wrong with it."""
        start, stop = (payload[0].offset, payload[-1].end) if payload else (0, 0)
        properties: dict[str, OptionValue] = {
            key: value for key, value in (("id", name), ("settings", settings)) if value
        }
        self.count += 1
        if isinstance(times, str):
            self.broken += 1
            self.note(f"line {line}: {times}; its text is kept without a time")
            properties["problem"] = times
        if not payload:
            return
        span = times if isinstance(times, TimeRange) else None
        voices = list(_VOICE.finditer(self.text, start, stop))
        speaker = voices[0][1].strip() if voices else ""
        self.parts.append(
            TextPart(start=start, stop=stop, kind="cue", span=span, speaker=speaker, properties=properties)
        )
        if len(voices) > 1:
            ends = [voice.start() for voice in voices[1:]] + [stop]
            for voice, end in zip(voices, ends, strict=True):
                self.parts.append(
                    TextPart(start=voice.end(), stop=end, kind="turn", span=span, speaker=voice[1].strip())
                )
        if span is not None:
            self.parts.extend(self._timed_pieces(start, stop, span, line))

    def note(self, sentence: str) -> None:
        """Keep a sentence for the person; a file of nothing but errors does not fill the memory with them."""
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(sentence)
        elif len(self.notes) == _MOST_NOTES:
            self.notes.append("more problems follow; the first hundred are listed")

    def _timed_pieces(self, start: int, stop: int, span: TimeRange, line: int) -> Iterator[TextPart]:
        """The words between time stamps inside a cue."""
        stamps = [
            (match.end(), match.start(), time_ns(match[1])) for match in _INNER_TIME.finditer(self.text, start, stop)
        ]
        known = [(end, begin, at) for end, begin, at in stamps if at is not None and span.start_ns <= at <= span.end_ns]
        if len(known) < len(stamps):
            self.note(f"line {line}: a time inside the cue lies outside it and is not used")
        if not known or any(later[2] < earlier[2] for earlier, later in pairwise(known)):
            return
        begins = [(start, span.start_ns), *((end, at) for end, _, at in known)]
        ends = [*((begin, at) for _, begin, at in known), (stop, span.end_ns)]
        for (first, from_ns), (last, to_ns) in zip(begins, ends, strict=True):
            yield from self._word(first, last, TimeRange(from_ns, to_ns))

    def _word(self, first: int, last: int, span: TimeRange) -> Iterator[TextPart]:
        """What is left of a piece without blanks and tags at its ends."""
        while first < last:
            tag = _TAG.match(self.text, first, last)
            if tag is None and not self.text[first].isspace():
                break
            first = tag.end() if tag else first + 1
        while first < last and (self.text[last - 1].isspace() or self.text[last - 1] == ">"):
            opening = self.text.rfind("<", first, last) if self.text[last - 1] == ">" else last - 1
            if opening < 0:
                break
            last = opening
        if first < last:
            yield TextPart(start=first, stop=last, kind="word", span=span)


def time_ns(stamp: str) -> int | None:
    """``01:02:03.456`` or ``02:03,456`` in nanoseconds; ``None`` if it is no time."""
    match = _STAMP.fullmatch(stamp)
    if match is None or int(match[2]) > 59 or int(match[3]) > 59:
        return None
    seconds = (int(match[1] or 0) * 60 + int(match[2])) * 60 + int(match[3])
    return seconds * SECOND_NS + int(match[4].ljust(9, "0"))


def parse_vtt(text: str) -> Cues:
    """WebVTT. Notes, styles and regions are passed over; the header's metadata goes into the details."""
    cues = Cues(text)
    blocks = _blocks(text)
    header = next(blocks, [])
    if not header or not re.match(r"WEBVTT(?:[ \t]|$)", header[0].text):
        cues.note("the file does not begin with WEBVTT")
        if header:
            _take_block(cues, header)
    for line in header[1:]:
        name, colon, value = line.text.partition(":")
        if colon and "-->" not in line.text:
            cues.details[name.strip().lower()[:40]] = value.strip()[:200]
    for block in blocks:
        word = block[0].text.split(maxsplit=1)[0]
        if word in ("NOTE", "STYLE", "REGION") and not any("-->" in line.text for line in block):
            continue
        _take_block(cues, block)
    return cues


def parse_srt(text: str) -> Cues:
    """SubRip."""
    cues = Cues(text)
    for block in _blocks(text):
        _take_block(cues, block)
    return cues


def parse_sbv(text: str) -> Cues:
    """SBV: the two times in one line, then the text."""
    cues = Cues(text)
    for block in _blocks(text):
        match = _SBV.fullmatch(block[0].text)
        if match is None:
            cues.cue(block, "a cue has no line with its two times", line=block[0].number)
        else:
            cues.cue(block[1:], _range(match[1], match[2]), line=block[0].number)
    return cues


def _blocks(text: str) -> Iterator[list[Line]]:
    block: list[Line] = []
    for number, (offset, line) in enumerate(lines_of(text), start=1):
        if line.strip():
            block.append(Line(number, offset, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _take_block(cues: Cues, block: list[Line]) -> None:
    """A block of lines: an id, the times, the text. Some writers leave out the empty line before the next cue."""
    arrows = [i for i, line in enumerate(block) if "-->" in line.text]
    if not arrows:
        name, payload = _name(block)
        cues.cue(payload, "a cue has no line with its times", line=block[0].number, name=name)
        return
    if arrows[0] > 1:
        cues.cue(block[: arrows[0] - 1], "text without times stands before a cue", line=block[0].number)
    named = arrows[0] > 0
    for at, following in pairwise([*arrows, len(block)]):
        end = following
        next_named = following < len(block) and following > at + 1 and block[following - 1].text.strip().isdecimal()
        end -= 1 if next_named else 0
        match = _ARROW.fullmatch(block[at].text)
        times = _range(match[1], match[2]) if match else "the line with the times cannot be read"
        name = block[at - 1].text.strip() if named else ""
        settings = match[3].strip() if match else ""
        cues.cue(block[at + 1 : end], times, line=block[at].number, name=name, settings=settings)
        named = next_named


def _name(block: list[Line]) -> tuple[str, list[Line]]:
    if len(block) > 1 and block[0].text.strip().isdecimal():
        return block[0].text.strip(), block[1:]
    return "", block


def _range(start: str, end: str) -> TimeRange | str:
    start_ns, end_ns = time_ns(start), time_ns(end)
    if start_ns is None or end_ns is None:
        return f"{(start if start_ns is None else end)[:40]!r} is no time"
    if end_ns < start_ns:
        return f"the cue ends at {end[:40]}, before it starts at {start[:40]}"
    return TimeRange(start_ns, end_ns)


def _opener(parse: Callable[[str], Cues]) -> Callable[[Sequence[Path], Options, OpenContext], HeldText]:
    def open_subtitles(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldText:
        path = one_path(paths, "a subtitle file")
        decoded = read_text(path, options)
        if decoded.text.count("-->") > MOST_CUES or decoded.text.count("\n\n") > 2 * MOST_CUES:
            raise DataError(f"holds more than {MOST_CUES:,} cues; split it", path=path)
        cues = parse(decoded.text)
        if cues.count == cues.broken:
            raise DataError("holds no cue with usable times", path=path)
        details = dict(decoded.details) | cues.details | {"cues": cues.count}
        if cues.broken:
            details["broken_cues"] = cues.broken
        parts = sorted(cues.parts, key=lambda part: (part.start, -part.stop))
        origin = Origin(paths=(path,), clock_source="cues", details=details, notes=tuple(cues.notes))
        return held_text(path, decoded.text, parts, origin=origin)

    return open_subtitles


def _probe_vtt(path: Path, head: bytes) -> float:
    text = head_text(head)
    if text is None:
        return 0.0
    if re.match(r"WEBVTT(?:[ \t\r\n]|$)", text):
        return 0.95
    return 0.6 if path.suffix.lower() == ".vtt" and "-->" in text else 0.0


def _probe_srt(path: Path, head: bytes) -> float:
    text = head_text(head)
    if (
        text is None
        or not re.search(rf"(?:^|\r)[ \t]*{_TIME}[ \t]*-->", text, re.MULTILINE)
        or text.startswith("WEBVTT")
    ):
        return 0.0
    return 0.9 if path.suffix.lower() == ".srt" else 0.7


def _probe_sbv(path: Path, head: bytes) -> float:
    text = head_text(head)
    if text is None or not re.match(r"\s*[0-9]+:[0-9]{2}:[0-9]{2}\.[0-9]{3},[0-9]+:[0-9]{2}:[0-9]{2}\.[0-9]{3}", text):
        return 0.0
    return 0.9


READERS = (
    ReaderSpec(
        name="vtt",
        kind=StreamKind.TEXT,
        title="WebVTT subtitles",
        suffixes=(".vtt",),
        probe=_probe_vtt,
        open=_opener(parse_vtt),
        options=ENCODING_OPTION,
    ),
    ReaderSpec(
        name="srt",
        kind=StreamKind.TEXT,
        title="SubRip subtitles",
        suffixes=(".srt",),
        probe=_probe_srt,
        open=_opener(parse_srt),
        options=ENCODING_OPTION,
    ),
    ReaderSpec(
        name="sbv",
        kind=StreamKind.TEXT,
        title="SBV captions",
        suffixes=(".sbv",),
        probe=_probe_sbv,
        open=_opener(parse_sbv),
        options=ENCODING_OPTION,
    ),
)
