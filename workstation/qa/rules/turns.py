"""What rules about speech share: turns with their words, who speaks them, and whose face shows where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workstation.core.annotation import Annotation, Entity, Keyframe, Presence, TargetKind, Word
from workstation.core.geometry import Box, ShapeKind
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.qa.remembered import remembered
from workstation.qa.rules.items import entities_by_id, judged_annotations, streams_by_id
from workstation.qa.rules.said import annotation_at, standing_links
from workstation.qa.sees import Sees, shaped

SPEAKS = "speaks"
_SPOKEN = shaped(ShapeKind.SPAN, on=[StreamKind.AUDIO, StreamKind.TURNS])
TURNS = Sees(labels=_SPOKEN, links=frozenset({SPEAKS}))
"""What rules look at that ask for turns alone."""
TURNS_AND_FACES = Sees(labels=(*_SPOKEN, *shaped(ShapeKind.BOX, on=[StreamKind.VIDEO], tracks=True)))
"""And for faces, and for who is stated to be off-screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A turn in session time, with its words and its speaker if somebody said who."""

    label: Annotation
    stream: Stream
    start_ns: int
    end_ns: int
    words: tuple[Word, ...]
    speaker: Entity | None

    def spoken(self) -> list[tuple[int, int]]:
        """When its timed words are spoken, in session time."""
        to_session = self.stream.time_map.to_session
        return [
            (to_session(word.start_ns), to_session(word.end_ns))
            for word in self.words
            if word.start_ns is not None and word.end_ns is not None
        ]


def turns_of(snapshot: Snapshot, sample: Sample) -> Sequence[Turn]:
    """The turns of a sample in their order: spans on sound or on a stream of turns that have words."""
    return remembered(snapshot, ("turns", sample.id), lambda: tuple(_turns(snapshot, sample)), TURNS)


def _turns(snapshot: Snapshot, sample: Sample) -> list[Turn]:
    streams = streams_by_id(snapshot, sample)
    speakers = dict(_speakers(snapshot, sample))
    entities = entities_by_id(snapshot, sample)
    found = []
    for label in judged_annotations(snapshot, sample):
        stream = streams.get(label.stream or "")
        if stream is None or label.kind is not ShapeKind.SPAN or label.start_ns is None or label.end_ns is None:
            continue
        words = tuple(snapshot.words(label.id)) if stream.kind in (StreamKind.AUDIO, StreamKind.TURNS) else ()
        if words:
            who = label.entity or speakers.get(label.id)
            found.append(
                Turn(
                    label=label, stream=stream, words=words, speaker=entities.get(who or ""),
                    start_ns=stream.time_map.to_session(label.start_ns),
                    end_ns=stream.time_map.to_session(label.end_ns),
                )
            )  # fmt: skip
    return sorted(found, key=lambda turn: (turn.start_ns, turn.label.id))


def _speakers(snapshot: Snapshot, sample: Sample) -> Iterator[tuple[str, str]]:
    """Which entity a link says speaks a turn, by the turn; a face stands for its entity."""
    for link in standing_links(snapshot, sample, (SPEAKS,)):
        who: str | None = None
        for end in link.ends:
            label = annotation_at(snapshot, end)
            if end.role == "speaker":
                who = end.target if end.kind is TargetKind.ENTITY else None if label is None else label.entity
        for end in link.ends:
            if who is not None and end.role != "speaker" and end.kind is TargetKind.ANNOTATION:
                yield end.target, who


def faces_of(snapshot: Snapshot, sample: Sample) -> dict[str, tuple[Annotation, Stream]]:
    """The box track of each person on film, by entity."""
    streams = streams_by_id(snapshot, sample)
    found: dict[str, tuple[Annotation, Stream]] = {}
    for label in judged_annotations(snapshot, sample):
        stream = streams.get(label.stream or "")
        on_film = stream is not None and stream.kind is StreamKind.VIDEO
        if stream is not None and on_film and label.kind is ShapeKind.BOX and label.track and label.entity is not None:
            found.setdefault(label.entity, (label, stream))
    return found


def box_at(snapshot: Snapshot, track: Annotation, stream: Stream, session_ns: int) -> Box | None:
    """The nearest visible keyframe before a moment; ``None`` where the track says that nothing is there."""
    best: Keyframe | None = None
    for each in sorted(snapshot.keyframes(track.id), key=lambda frame: frame.time_ns):
        if best is None or stream.time_map.to_session(each.time_ns) <= session_ns:
            best = each
    if best is None or best.presence is Presence.ABSENT or not isinstance(best.shape, Box):
        return None
    return best.shape


def absent_from_film(snapshot: Snapshot, sample: Sample, absence_types: Mapping[str, object]) -> set[str]:
    """Who or what somebody said is not seen on film."""
    films = {each.id for each in snapshot.streams(sample.id) if each.kind is StreamKind.VIDEO}
    found: set[str] = set()
    for link in standing_links(snapshot, sample, absence_types):
        places = {end.target for end in link.ends if end.kind in (TargetKind.STREAM, TargetKind.MODALITY)}
        if places & {StreamKind.VIDEO.value, *films}:
            found |= {end.target for end in link.ends}
    return found


def sound_of(snapshot: Snapshot, sample: Sample, turn: Turn) -> Stream | None:
    """The sound in which a turn is heard: its own stream, else the only sound of the sample."""
    if turn.stream.kind is StreamKind.AUDIO:
        return turn.stream
    sounds = [each for each in snapshot.streams(sample.id) if each.kind is StreamKind.AUDIO]
    return sounds[0] if len(sounds) == 1 else None
