"""Transcripts with times of segments and words: the JSON of common recognisers, and CTM.

Such a file is no running text, so the text of the stream is what was recognised, one segment a line, in the file's
own words. Word times are read exactly as written. Opened through ``READERS``; the shapes are in ``transcript_forms``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.core.untrusted import parse_json
from workstation.media.base import OpenContext, Options, OptionValue, ReaderSpec, TextPart, one_path
from workstation.media.held import HeldText, Origin, held_text
from workstation.media.text import ENCODING_OPTION, head_text, lines_of, read_text
from workstation.media.transcript_forms import FORMS, Segment, Word

MOST_WORDS = 2_000_000
_MOST_NOTES = 100


@dataclass(slots=True)
class _Layout:
    """The text of the segments, and where each segment and word came to stand in it."""

    pieces: list[str] = field(default_factory=list)
    parts: list[TextPart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, segment: Segment) -> None:
        text = segment.text or " ".join(word.text for word in segment.words)
        lead = len(text) - len(text.lstrip())
        text = text.strip()
        if not text:
            return
        start = self.length
        span = self._span(segment.start_ns, segment.end_ns, f"segment {text[:30]!r}")
        if span is None:
            spans = [word for word in segment.words if word.start_ns is not None and word.end_ns is not None]
            if spans:
                first = min(word.start_ns or 0 for word in spans)
                span = self._span(first, max(word.end_ns or 0 for word in spans), f"segment {text[:30]!r}")
        self.parts.append(
            TextPart(
                start=start,
                stop=start + len(text),
                kind="turn" if segment.speaker else "cue",
                span=span,
                speaker=segment.speaker,
                confidence=segment.confidence,
                properties=dict(segment.properties),
            )
        )
        self._words(segment.words, text, start, segment.speaker, lead)
        self.pieces += [text, "\n"]
        self.length += len(text) + 1

    def _words(self, words: Sequence[Word], text: str, start: int, speaker: str, lead: int) -> None:
        position = 0
        for word in words:
            wanted = word.text.strip()
            if not wanted:
                continue
            at = _find(text, wanted, position)
            if at is None:
                self.note(f"the word {wanted[:40]!r} does not stand in its segment {text[:30]!r}; its time is not used")
                continue
            position = at + len(wanted)
            self.parts.append(
                TextPart(
                    start=start + at,
                    stop=start + position,
                    kind="word",
                    span=self._span(word.start_ns, word.end_ns, f"word {wanted[:40]!r}"),
                    speaker=word.speaker or speaker,
                    confidence=word.confidence,
                )
            )

    def _span(self, start_ns: int | None, end_ns: int | None, what: str) -> TimeRange | None:
        if start_ns is None or end_ns is None:
            return None
        if end_ns < start_ns:
            self.note(f"{what} ends before it starts and has no time here")
            return None
        return TimeRange(start_ns, end_ns)

    def note(self, sentence: str) -> None:
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(sentence)
        elif len(self.notes) == _MOST_NOTES:
            self.notes.append("more problems follow; the first hundred are listed")


def _find(text: str, wanted: str, position: int) -> int | None:
    """Where the word stands, from ``position`` on and not far away; capitals and small letters count as equal."""
    window = text[position : position + len(wanted) + 64]
    at = window.find(wanted)
    if at < 0 and len(window.lower()) == len(window) and len(wanted.lower()) == len(wanted):
        at = window.lower().find(wanted.lower())
    return None if at < 0 else position + at


def open_json(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldText:
    """A recogniser's JSON, of whichever known form."""
    path = one_path(paths, "a transcript")
    decoded = read_text(path, options)
    found = parse_json(decoded.text, path=path)
    for form in FORMS:
        if form.fits(found):
            return _held(path, form.read(found), form.name, dict(form.details(found)))
    known = ", ".join(form.name for form in FORMS)
    raise DataError(f"is no transcript of a known form; known are {known}", path=path)


def open_ctm(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldText:
    """CTM lines: recording, channel, start, duration, word, and perhaps a confidence."""
    path = one_path(paths, "a CTM file")
    wanted = options.get("recording", "")
    decoded = read_text(path, options)
    rows: dict[tuple[str, str], list[Word]] = {}
    for number, (_, line) in enumerate(lines_of(decoded.text), start=1):
        if line.strip() and not line.startswith(";;"):
            recording, channel, word = _ctm_row(line, path, number)
            rows.setdefault((recording, channel), []).append(word)
    recordings = sorted({recording for recording, _ in rows})
    if wanted and wanted not in recordings:
        raise DataError(f"holds no recording {wanted!r}, only {', '.join(recordings[:10])}", path=path)
    if not wanted and len(recordings) > 1:
        raise DataError(
            f"holds {len(recordings)} recordings ({', '.join(recordings[:5])}…); choose one by the option 'recording'",
            path=path,
        )
    segments = [
        Segment(words=tuple(sorted(words, key=lambda word: word.start_ns or 0)), properties={"channel": channel})
        for (recording, channel), words in sorted(rows.items())
        if not wanted or recording == wanted
    ]
    return _held(path, segments, "CTM", {"recording": str(wanted) or (recordings[0] if recordings else "")})


_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")


def _ctm_row(line: str, path: Path, number: int) -> tuple[str, str, Word]:
    fields = line.split()
    if len(fields) < 5 or not _NUMBER.fullmatch(fields[2]) or not _NUMBER.fullmatch(fields[3]):
        raise DataError(
            "must be recording, channel, start, duration and word, parted by blanks", path=path, place=f"line {number}"
        )
    start = Decimal(fields[2])
    end = start + Decimal(fields[3])
    confidence = float(fields[5]) if len(fields) > 5 and _NUMBER.fullmatch(fields[5]) else None
    word = Word(fields[4], start_ns=_ns(start), end_ns=_ns(end), confidence=confidence)
    return fields[0], fields[1], word


def _ns(seconds: Decimal) -> int:
    return int((seconds * SECOND_NS + Decimal("0.5")).__floor__())


def _held(path: Path, segments: Sequence[Segment], form: str, details: dict[str, OptionValue]) -> HeldText:
    count = sum(len(segment.words) for segment in segments)
    if count > MOST_WORDS:
        raise DataError(f"holds {count:,} words, more than {MOST_WORDS:,}; split it", path=path)
    layout = _Layout()
    for segment in segments:
        layout.add(segment)
    if not layout.parts:
        raise DataError("holds no recognised words", path=path)
    counts: dict[str, OptionValue] = {"form": form, "segments": len(segments), "words": count}
    parts = sorted(layout.parts, key=lambda part: (part.start, -part.stop))
    origin = Origin(paths=(path,), clock_source="recogniser", details=counts | details, notes=tuple(layout.notes))
    return held_text(path, "".join(layout.pieces), parts, origin=origin)


def _probe_json(path: Path, head: bytes) -> float:
    text = head_text(head)
    if text is None or not text.lstrip().startswith(("{", "[")):
        return 0.0
    marks = (
        '"segments"', '"transcription"', '"result"', '"results"', '"alternatives"', '"recognizedPhrases"', '"words"',
        '"transcript"', '"transcripts"', '"phrases"', '"utterances"', '"word"',
    )  # fmt: skip
    timed = ('"start', '"from"', '"offset', '"conf', '"end')
    if any(mark in text for mark in marks) and any(mark in text for mark in timed):
        return 0.75
    return 0.0


def _probe_ctm(path: Path, head: bytes) -> float:
    text = head_text(head)
    if text is None:
        return 0.0
    lines = [line for _, line in lines_of(text) if line.strip() and not line.startswith(";;")][:-1][:20]
    fitting = sum(
        len(fields := line.split()) in (5, 6, 7) and all(_NUMBER.fullmatch(field) for field in fields[2:4])
        for line in lines
    )
    if path.suffix.lower() == ".ctm":
        return 0.9 if fitting == len(lines) else 0.0
    return 0.0


READERS = (
    ReaderSpec(
        name="transcript_json",
        kind=StreamKind.TEXT,
        title="Transcript with word times (JSON)",
        suffixes=(".json",),
        probe=_probe_json,
        open=open_json,
        options=ENCODING_OPTION,
    ),
    ReaderSpec(
        name="ctm",
        kind=StreamKind.TEXT,
        title="Transcript with word times (CTM)",
        suffixes=(".ctm",),
        probe=_probe_ctm,
        open=open_ctm,
        options={"recording": "which recording of the file, by the name in its first column"} | ENCODING_OPTION,
    ),
)
