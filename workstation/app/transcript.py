"""A transcript as panes show it: turns in order with speakers and words, and what typing in one would do. Without Qt.

Asked by the transcript pane, and by the tiers of the sound pane for what stands on a turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workstation.app.looks import Paint, claimed_name, paint_of
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, Link, State, Word
from workstation.core.geometry import TextSpan
from workstation.core.text_edits import edits_between, rebased
from workstation.core.values import dataclass

DOUBTFUL = 0.6
"""Words of which the recogniser was less sure are marked."""
SPEAKS = "speaks"


def turns_of(view: SampleView, stream: str | None, kept: frozenset[str] = frozenset()) -> list[Annotation]:
    """The turns of a stream in the order in which they are said, without those that are kept from sight."""
    held = [
        each
        for each in view.annotations_of(stream)
        if each.text is not None and each.start_ns is not None and each.id not in kept
    ]
    return sorted(held, key=lambda each: (each.start_ns or 0, each.end_ns or 0, each.id))


def streams_with_turns(view: SampleView) -> list[str]:
    """The streams on which something is transcribed, by key."""
    found = [each for each in view.streams.values() if turns_of(view, each.id)]
    return [each.id for each in sorted(found, key=lambda each: each.key)]


def speaker_of(view: SampleView, turn: Annotation) -> str | None:
    """The entity that speaks a turn: the turn's own, else the one a link says."""
    if turn.entity is not None:
        return turn.entity
    found = spoken_by(view, turn)
    return None if found is None else found[1]


def spoken_by(view: SampleView, turn: Annotation) -> tuple[Link, str] | None:
    """The link that says who speaks a turn, and the entity it says."""
    for link in view.links_of(turn.id):
        if link.type_id == SPEAKS and link.holds and link.state is not State.REJECTED:
            for end in link.ends:
                if end.target in view.entities:
                    return link, end.target
    return None


def said_by(view: SampleView, turn: Annotation) -> str:
    """What stands beside a turn: who speaks it, with ``?`` where that or the turn itself is only proposed."""
    speaker, link = speaker_of(view, turn), None if turn.entity is not None else spoken_by(view, turn)
    name = "" if speaker is None else view.name_of(speaker)
    if turn.state is not State.PROPOSED and link is not None:
        return claimed_name(name, link[0].state, link[0].confidence)
    return claimed_name(name, turn.state, turn.confidence)


def speaker_paint(view: SampleView, turn: Annotation) -> Paint:
    """The colour of whoever speaks, which is that of the same person everywhere; else the turn's own."""
    speaker = view.entities.get(speaker_of(view, turn) or "")
    return view.paint_of(turn) if speaker is None else paint_of(view.ontology, speaker.class_id, speaker)


def normal(text: str) -> str:
    """Typed text as a turn keeps it: words with one blank between them."""
    return " ".join(text.split())


def word_at(text: str, offset: int) -> int:
    """The number of the word at a caret, counted in words; past the last it is their count."""
    before = text[:offset]
    count = len(before.split())
    inside = bool(before) and not before[-1].isspace()
    return count - 1 if inside else count


def word_places(text: str) -> list[tuple[int, int]]:
    """(start, end) of every word of a text, in its own units."""
    found: list[tuple[int, int]] = []
    at = 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        found.append((start, at))
    return found


def word_now(words: Sequence[Word], own_ns: int) -> int | None:
    """The number of the word that is said at a time of its stream."""
    for number, word in enumerate(words):
        if word.start_ns is not None and word.end_ns is not None and word.start_ns <= own_ns < word.end_ns:
            return number
    return None


def cut_at(turn: Annotation, words: Sequence[Word], number: int) -> int:
    """The moment before a word at which its turn can be cut: where it begins, else between what is placed around."""
    begins = words[number].start_ns
    if begins is not None:
        return begins
    earlier = [word.end_ns for word in words[:number] if word.end_ns is not None]
    later = [word.start_ns for word in words[number:] if word.start_ns is not None]
    low = max(earlier, default=turn.start_ns or 0)
    high = min(later, default=turn.end_ns or low)
    return low if earlier else (low + high) // 2


@dataclass(frozen=True, slots=True)
class Loss:
    """A span whose text an edit would take away although links lead to it."""

    span: str
    quote: str
    links: tuple[str, ...]


def losses(view: SampleView, turn: Annotation, text: str) -> list[Loss]:
    """What becomes homeless if a turn's text is changed to this: the person is asked before."""
    edits = edits_between(turn.text or "", text)
    found = []
    for span in view.annotations_of(turn.stream):
        shape = span.shape
        if isinstance(shape, TextSpan) and shape.of == turn.id and not rebased(shape.parts, edits):
            links = tuple(link.id for link in view.links_of(span.id))
            if links:
                found.append(Loss(span.id, shape.quote, links))
    return found


@dataclass(frozen=True, slots=True)
class SpokenLabel:
    """What stands on a label of a sound: who says what in a turn, else the thing or class."""

    view: SampleView
    turns: bool

    def __call__(self, record_id: str) -> str:
        annotation = self.view.annotations.get(record_id)
        if annotation is None or not self.turns:
            return self.view.name_of(record_id)
        speaker = speaker_of(self.view, annotation)
        return annotation.text or "" if speaker is None else f"{self.view.name_of(speaker)}: {annotation.text}"


@dataclass(frozen=True, slots=True)
class PlacedWords:
    """The placed words of a turn in session time."""

    view: SampleView

    def __call__(self, record_id: str) -> Iterator[tuple[int, int, str]]:
        annotation = self.view.annotations.get(record_id)
        if annotation is None:
            return
        time_map = self.view.time_map(annotation)
        for word in self.view.words(record_id):
            if word.start_ns is not None and word.end_ns is not None:
                start, end = word.start_ns, word.end_ns
                if time_map is not None:
                    start, end = time_map.to_session(start), time_map.to_session(end)
                yield start, end, word.text
