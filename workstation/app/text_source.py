"""The texts of a sample as passages to be read: transcripts, captions, reports, dialogues, plain texts. Without Qt.

A ``Body`` is one text that spans can lie on: a stream's own, or that of an annotation (a turn, a caption, a report).
Its passages are lines, cues and turns in order; each knows where it begins in the body's text, in code points, and when
it is said. Made by the text pane for what is chosen, and again when texts change.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from workstation.app.looks import claimed_name
from workstation.app.markdown_looks import PLAIN, LineLook, line_look
from workstation.app.sample_view import SampleView
from workstation.app.transcript import said_by, speaker_paint, streams_with_turns, turns_of
from workstation.core.annotation import Annotation, State
from workstation.core.errors import DataError
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import TimeRange
from workstation.media.base import Reader, TextPart, TextReader
from workstation.media.text import lines_of

LONGEST_PASSAGE = 3000
"""Longer lines are shown in pieces, cut at blanks, so that none is laid out as a whole."""
_READ = (StreamKind.TEXT, StreamKind.TURNS)
_MARKDOWN = (".md", ".markdown")
_GREY = "#808080"


class Anchor(NamedTuple):
    """What a span's offsets count: a stream's text, or an annotation's."""

    stream: str | None
    of: str | None = None


class Kind(Enum):
    """How a passage is set."""

    LINE = "line"
    CUE = "cue"
    TURN = "turn"
    TITLE = "title"
    """The name of the text that follows; no span lies on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One line, cue or turn; ``text`` is exactly ``body.text[start : start + len(text)]``."""

    body: int
    start: int
    text: str
    kind: Kind = Kind.LINE
    shown: TimeRange | None = None
    """In session time."""
    own: TimeRange | None = None
    """In the stream's time."""
    speaker: str = ""
    colour: str = _GREY
    state: State = State.DONE
    """Of the turn or note it is; what was recorded as text claims nothing."""
    look: LineLook = PLAIN
    first: bool = True
    """Whether it begins a line; pieces of a long line follow without a gap."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One text."""

    anchor: Anchor
    text: str
    title: str
    language: str = ""
    first: int = 0
    """Number of its first passage, and of the one after its last."""
    stop: int = 0


class Place(NamedTuple):
    """A caret: passage, and code points into it."""

    passage: int
    offset: int


class Sheet:
    """What is shown at a time. Never changed; another is made."""

    def __init__(self, bodies: Sequence[Body] = (), passages: Sequence[Passage] = ()) -> None:
        self.bodies = tuple(bodies)
        self.passages = tuple(passages)
        self._numbers = {each.anchor: number for number, each in enumerate(self.bodies)}
        self._starts: dict[int, list[int]] = {}

    def body_of(self, anchor: Anchor) -> int | None:
        """The number of the body that spans with this anchor lie on."""
        return self._numbers.get(anchor)

    def offset(self, place: Place) -> int:
        """A caret as an offset in its body's text."""
        return self.passages[place.passage].start + place.offset

    def place(self, body: int, offset: int, *, ends: bool = False) -> Place:
        """Where an offset of a body stands; ``ends``: it closes a stretch, so that the end of a line is not the
        beginning of the next."""
        found = self.bodies[body]
        starts = self._starts.get(body)
        if starts is None:
            starts = self._starts[body] = [each.start for each in self.passages[found.first : found.stop]]
        passage = found.first + max(0, bisect_right(starts, offset - 1 if ends else offset) - 1)
        inside = offset - self.passages[passage].start
        return Place(passage, min(max(inside, 0), len(self.passages[passage].text)))

    def over(self, body: int, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(passage, start, end) of the pieces of a stretch, in code points of each passage."""
        found = self.bodies[body]
        if found.first == found.stop:
            return
        at = self.place(body, start).passage
        while at < found.stop and self.passages[at].start < end:
            each = self.passages[at]
            low, high = max(start, each.start) - each.start, min(end, each.end) - each.start
            if low < high:
                yield at, low, high
            at += 1


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of the list of texts: how it is named, and what it stands for."""

    key: str
    title: str
    stream: str | None
    typed: bool = False
    """Whether it can be typed in: turns and notes are annotations, what was recorded is not."""


ALL = "all"
OpenReader = Callable[[Stream], Reader]


def choices_of(view: SampleView) -> list[Choice]:
    """The texts of a sample: transcripts first, then what was recorded as text, then what was written about streams."""
    turned = streams_with_turns(view)
    found = [Choice(f"turns:{each}", view.streams[each].key, each, typed=True) for each in turned]
    by_key = sorted(view.streams.values(), key=lambda each: each.key)
    for stream in by_key:
        if stream.kind in _READ:
            named = f"{stream.key} (to read)" if stream.id in turned else stream.key
            found.append(Choice(f"stream:{stream.id}", named, stream.id))
    for holder in (*(each.id for each in by_key), None):
        if notes_of(view, holder):
            named = "about the sample" if holder is None else f"written on {view.streams[holder].key}"
            found.append(Choice(f"notes:{holder or ''}", named, holder, typed=True))
    if len(found) > 1:
        found.append(Choice(ALL, "all texts", None))
    silent = [each for each in by_key if each.kind is StreamKind.AUDIO and each.id not in turned]
    return [*found, *(Choice(f"turns:{each.id}", f"{each.key} (no turns yet)", each.id, typed=True) for each in silent)]


def notes_of(view: SampleView, stream: str | None) -> list[Annotation]:
    """Captions and reports written about a stream or the sample: texts of annotations that stand for no moment."""
    held = [each for each in view.annotations_of(stream) if each.text is not None and each.start_ns is None]
    return sorted(held, key=lambda each: (each.item or "", each.id))


def sheet_of(
    view: SampleView, choice: Choice, reader: OpenReader, kept: frozenset[str] = frozenset()
) -> tuple[Sheet, list[str]]:  # fmt: skip
    """What is to be shown for a choice, and a sentence for every text that cannot be read.

    ``kept``: ids of turns and notes that stay out of sight.
    """
    builder = _Builder(view, reader, kept)
    if choice.key == ALL:
        for each in choices_of(view):
            if each.key != ALL and not each.title.endswith("(no turns yet)"):
                builder.title(each)
                builder.add(each)
    else:
        builder.add(choice)
    return Sheet(builder.bodies, builder.passages), builder.problems


class _Builder:
    def __init__(self, view: SampleView, reader: OpenReader, kept: frozenset[str]) -> None:
        self.view = view
        self.reader = reader
        self.kept = kept
        self.bodies: list[Body] = []
        self.passages: list[Passage] = []
        self.problems: list[str] = []

    def title(self, choice: Choice) -> None:
        self.passages.append(Passage(body=-1, start=0, text=choice.title, kind=Kind.TITLE))

    def add(self, choice: Choice) -> None:
        how, _, _ = choice.key.partition(":")
        if how == "stream" and choice.stream is not None:
            self._stream(self.view.streams[choice.stream])
        elif how == "turns":
            for turn in turns_of(self.view, choice.stream, self.kept):
                self._turn(turn)
        elif how == "notes":
            for note in notes_of(self.view, choice.stream):
                if note.id not in self.kept:
                    self._note(note)

    def _body(self, anchor: Anchor, text: str, title: str, language: str, passages: Sequence[Passage]) -> None:
        first = len(self.passages)
        self.passages += passages
        self.bodies.append(
            Body(anchor=anchor, text=text, title=title, language=language, first=first, stop=len(self.passages))
        )

    def _turn(self, turn: Annotation) -> None:
        text, own = turn.text or "", TimeRange(turn.start_ns or 0, turn.end_ns or 0)
        passages = [
            Passage(
                body=len(self.bodies), start=start, text=piece, kind=Kind.TURN, first=first,
                shown=self.view.session_range(turn), own=own, speaker=said_by(self.view, turn),
                colour=speaker_paint(self.view, turn).colour, state=turn.state,
            )
            for start, piece, first in _lines(text, 0)
        ]  # fmt: skip
        self._body(Anchor(turn.stream, turn.id), text, self.view.name_of(turn.id), turn.language or "", passages)

    def _note(self, note: Annotation) -> None:
        text = note.text or ""
        named = claimed_name(self.view.name_of(note.id), note.state, note.confidence)
        passages = [
            Passage(
                body=len(self.bodies), start=start, text=piece, first=first, speaker=named if start == 0 else "",
                look=line_look(piece) if first else PLAIN, colour=self.view.paint_of(note).colour,
                state=note.state,
            )
            for start, piece, first in _lines(text, 0)
        ]  # fmt: skip
        self._body(Anchor(note.stream, note.id), text, named, note.language or "", passages)

    def _stream(self, stream: Stream) -> None:
        try:
            reader = self.reader(stream)
        except DataError as problem:
            self.problems.append(str(problem))
            return
        if not isinstance(reader, TextReader):
            return
        parts = [each for each in reader.parts if each.kind in ("cue", "turn")]
        passages = list(self._parts(stream, reader.text, parts) if parts else self._plain(stream, reader))
        self._body(Anchor(stream.id), reader.text, stream.key, stream.language, passages)

    def _parts(self, stream: Stream, text: str, parts: Sequence[TextPart]) -> Iterator[Passage]:
        for part in parts:
            shown = None if part.span is None else stream.time_map.range_to_session(part.span)
            for start, piece, first in _lines(text[part.start : part.stop], part.start):
                yield Passage(
                    body=len(self.bodies), start=start, text=piece, first=first, shown=shown, own=part.span,
                    kind=Kind.CUE if part.kind == "cue" else Kind.TURN, speaker=part.speaker,
                )  # fmt: skip

    def _plain(self, stream: Stream, reader: TextReader) -> Iterator[Passage]:
        """Lines; those of a Markdown file with their looks."""
        marked = any(path.suffix.lower() in _MARKDOWN for path in reader.paths)
        headings = {part.start: part.stop for part in reader.parts if part.kind == "heading"}
        for start, piece, first in _lines(reader.text, 0):
            look = line_look(piece) if marked and first else PLAIN
            if not look.heading and any(at in headings for at in range(start, start + min(len(piece), 4))):
                look = LineLook(heading=2)
            yield Passage(body=len(self.bodies), start=start, text=piece, first=first, look=look)


def _lines(text: str, begin: int) -> Iterator[tuple[int, str, bool]]:
    """(offset, piece, whether it begins a line) of every line, long ones in pieces."""
    some = False
    for offset, line in lines_of(text):
        at, some = 0, True
        while True:
            end = _cut(line, at)
            yield begin + offset + at, line[at:end], at == 0
            if end >= len(line):
                break
            at = end
    if not some:
        yield begin, "", True


def _cut(line: str, at: int) -> int:
    if len(line) - at <= LONGEST_PASSAGE:
        return len(line)
    blank = line.rfind(" ", at + LONGEST_PASSAGE // 2, at + LONGEST_PASSAGE)
    return at + LONGEST_PASSAGE if blank < 0 else blank + 1
