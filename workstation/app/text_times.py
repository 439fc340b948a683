"""When the words of a text are said, and what is said at a time. Without Qt; asked by the text pane."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workstation.app.sample_view import SampleView
from workstation.app.text_source import Body, Passage, Place, Sheet
from workstation.app.transcript import word_places
from workstation.core.timebase import TimeRange
from workstation.media.base import Reader, TextReader


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word of a body's text; ``own`` is in its stream's time."""

    start: int
    stop: int
    own: TimeRange


class TextTimes:
    """Of one sheet. Made again with the sheet, and when words are placed."""

    def __init__(self, view: SampleView, sheet: Sheet, readers: Mapping[str, Reader]) -> None:
        self._view = view
        self._sheet = sheet
        self._readers = readers
        self._words: dict[int, Sequence[TimedWord]] = {}
        timed = [at for at, each in enumerate(sheet.passages) if each.shown is not None]
        self._passages = np.array(timed, np.int64)
        shown = [sheet.passages[at].shown for at in timed]
        self._starts = np.array([each.start_ns for each in shown if each is not None], np.int64)
        self._ends = np.array([each.end_ns for each in shown if each is not None], np.int64)

    @property
    def timed(self) -> bool:
        """Whether anything on the sheet is said at a time."""
        return len(self._passages) > 0

    def words(self, body: int) -> Sequence[TimedWord]:
        """The words of a body that have a time."""
        found = self._words.get(body)
        if found is None:
            found = self._words[body] = self._timed_words(self._sheet.bodies[body])
        return found

    def _words_in(self, held: Passage) -> Sequence[TimedWord]:
        """The words of one passage, found among those of its body without looking at all: asked at every tick."""
        words = self.words(held.body)
        first = bisect_left(words, held.start, key=_start)
        return words[first : bisect_left(words, held.end, lo=first, key=_start)]

    def _timed_words(self, body: Body) -> list[TimedWord]:
        if body.anchor.of is not None:
            words, places = self._view.words(body.anchor.of), word_places(body.text)
            if len(words) != len(places):
                return []
            return [
                TimedWord(start, stop, TimeRange(word.start_ns, word.end_ns))
                for word, (start, stop) in zip(words, places, strict=True)
                if word.start_ns is not None and word.end_ns is not None
            ]
        reader = self._readers.get(body.anchor.stream or "")
        parts = reader.parts if isinstance(reader, TextReader) else ()
        found = [TimedWord(each.start, each.stop, each.span) for each in parts if each.kind == "word" and each.span]
        return sorted(found, key=_start)

    def passage_at(self, time_ns: int) -> int | None:
        """The passage that is said at a session time; of several the one that began last."""
        inside = np.flatnonzero((self._starts <= time_ns) & (time_ns < self._ends))
        if not len(inside):
            return None
        last = inside[np.argmax(self._starts[inside])]
        return int(self._passages[last])

    def stretch_at(self, time_ns: int) -> tuple[int, int, int] | None:
        """(passage, start, end) of the word that is said then; of the whole passage where its words have no times."""
        passage = self.passage_at(time_ns)
        if passage is None:
            return None
        held = self._sheet.passages[passage]
        body = self._sheet.bodies[held.body]
        own_ns = self.own_ns(body, time_ns)
        words = self._words_in(held)
        if not words:
            return passage, 0, len(held.text)
        said = next((each for each in words if each.own.start_ns <= own_ns < each.own.end_ns), None)
        if said is None:
            return passage, 0, 0
        return passage, said.start - held.start, min(said.stop, held.end) - held.start

    def when(self, place: Place) -> int | None:
        """The session time of the word at a place, or of the last timed one before it; of its passage without."""
        held = self._sheet.passages[place.passage]
        if held.body < 0:
            return None
        body, offset = self._sheet.bodies[held.body], self._sheet.offset(place)
        before = [each for each in self._words_in(held) if each.start <= offset]
        if before:
            return self._session(body, before[-1].own.start_ns)
        return None if held.shown is None else held.shown.start_ns

    def interval(self, body: int, parts: Sequence[tuple[int, int]]) -> TimeRange | None:
        """When the words of a span are said, in the stream's time; of its passages where no word has a time."""
        words = [
            each.own for each in self.words(body)
            if any(start < each.stop and each.start < stop for start, stop in parts)
        ]  # fmt: skip
        if not words:
            over = {at for part in parts for at, _, _ in self._sheet.over(body, *part)}
            words = [each for at in over if (each := self._sheet.passages[at].own) is not None]
        if not words:
            return None
        return TimeRange(min(each.start_ns for each in words), max(each.end_ns for each in words))

    def starts(self) -> np.ndarray:
        """The session times at which words begin, or passages where words have no times; rising."""
        found = {
            self._session(body, word.own.start_ns)
            for number, body in enumerate(self._sheet.bodies)
            for word in self.words(number)
        } or {int(each) for each in self._starts}
        return np.array(sorted(found), np.int64)

    def own_ns(self, body: Body, time_ns: int) -> int:
        """A session time on the axis of a body's stream."""
        stream = self._view.streams.get(body.anchor.stream or "")
        return time_ns if stream is None else stream.time_map.first_stream_at(time_ns + 1) - 1

    def _session(self, body: Body, own_ns: int) -> int:
        stream = self._view.streams.get(body.anchor.stream or "")
        return own_ns if stream is None else stream.time_map.to_session(own_ns)


def _start(word: TimedWord) -> int:
    return word.start
