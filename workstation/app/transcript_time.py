"""Whether transcripts stand where they are spoken, and moving them there. Called by ``workstation sync transcript``.

The sound is where it is: the labels move, in one step, turns with their words and every span over their text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workstation.app.session import Session
from workstation.core.annotation import Annotation, State
from workstation.core.errors import UserError
from workstation.core.evidence import Evidence, Unmeasured
from workstation.core.geometry import TextSpan
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.speech_lag import HOP_NS, MOST_LAG_NS, SpeechLag, late_spans, speech_lag

_FEWEST_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptTime:
    """The turns of one stream against the sound they belong to."""

    stream: Stream
    sound: Stream
    lag: SpeechLag | None
    turns: tuple[Annotation, ...]
    turns_late_ns: tuple[int | None, ...]
    """Turn by turn, beside the others where it stands by itself."""

    def words(self) -> str:
        """One sentence."""
        if self.lag is None:
            return f"{self.stream.key}: where it is spoken in {self.sound.key} cannot be told"
        late_ms = self.lag.late_ns / 1e6
        if not self.lag.clear:
            return f"{self.stream.key} stands where it is spoken, give or take {self.lag.half_width_ns / 1e6:.0f} ms"
        side = "late" if late_ms > 0 else "early"
        return (
            f"{self.stream.key} is {abs(late_ms):.0f} ms {side} against {self.sound.key}, give or take "
            f"{self.lag.half_width_ns / 1e6:.0f} ms; move it by {-late_ms:+.0f} ms"
        )

    def plain(self) -> dict[str, Any]:
        """For programs."""
        lag = self.lag
        return {
            "stream": self.stream.key, "sound": self.sound.key,
            "late_ms": None if lag is None else round(lag.late_ns / 1e6, 3),
            "give_or_take_ms": None if lag is None else round(lag.half_width_ns / 1e6, 3),
            "clear": lag is not None and lag.clear, "turns": len(self.turns),
            "turns_late_ms": [None if each is None else round(each / 1e6, 1) for each in self.turns_late_ns],
        }  # fmt: skip


def transcript_times(snapshot: Snapshot, sample: Sample, evidence: Evidence) -> Iterator[TranscriptTime]:
    """Every stream of the sample on which turns with times are transcribed."""
    streams = {str(each.id): each for each in snapshot.streams(sample.id)}
    turns: dict[str, list[Annotation]] = {}
    for each in snapshot.annotations(sample.id):
        placed = each.text is not None and each.start_ns is not None and each.stream is not None
        if placed and each.state is not State.REJECTED and not isinstance(each.shape, TextSpan):
            turns.setdefault(str(each.stream), []).append(each)
    for key, those in turns.items():
        stream = streams.get(key)
        sound = None if stream is None else _sound_of(stream, list(streams.values()))
        if stream is not None and sound is not None:
            ordered = tuple(sorted(those, key=lambda each: each.start_ns or 0))
            yield _judged(snapshot, stream, sound, ordered, evidence)


def _sound_of(stream: Stream, streams: list[Stream]) -> Stream | None:
    """The sound itself, or the only one of the transcript's recording."""
    if stream.kind is StreamKind.AUDIO:
        return stream
    sounds = [each for each in streams if each.kind is StreamKind.AUDIO]
    same = [each for each in sounds if each.recording == stream.recording]
    return same[0] if len(same) == 1 else sounds[0] if len(sounds) == 1 else None


def _judged(
    snapshot: Snapshot, stream: Stream, sound: Stream, turns: tuple[Annotation, ...], evidence: Evidence
) -> TranscriptTime:
    to_session = stream.time_map.to_session
    whole = [(to_session(each.start_ns or 0), to_session(each.end_ns or 0)) for each in turns]
    words = [
        (to_session(word.start_ns), to_session(word.end_ns))
        for turn in turns for word in snapshot.words(turn.id)
        if word.start_ns is not None and word.end_ns is not None
    ]  # fmt: skip
    spans = words if len(words) >= _FEWEST_WORDS else whole
    start_ns = min(a for a, _ in whole) - MOST_LAG_NS
    end_ns = max(b for _, b in whole) + MOST_LAG_NS
    try:
        loudness = evidence.loudness(sound, start_ns, end_ns, HOP_NS)
    except Unmeasured:
        return TranscriptTime(
            stream=stream, sound=sound, lag=None, turns=turns, turns_late_ns=(None,) * len(turns)
        )  # fmt: skip
    lag = speech_lag(spans, loudness, start_ns)
    common_ns = lag.late_ns if lag is not None and lag.clear else 0
    own = late_spans(whole, loudness, start_ns, common_ns=common_ns)
    return TranscriptTime(stream=stream, sound=sound, lag=lag, turns=turns, turns_late_ns=own)


def realign(session: Session, sample: Sample, found: TranscriptTime) -> int:
    """Move the turns to where they are spoken, with what stands on their text; how many labels moved."""
    if found.lag is None or not found.lag.clear:
        raise UserError(f"{found.words()}; there is nothing to move")
    turns = {str(each.id) for each in found.turns}
    over = [
        each.id
        for each in session.store.annotations(sample.id)
        if isinstance(each.shape, TextSpan) and str(each.shape.of) in turns and each.start_ns is not None
    ]
    moving = [*sorted(turns), *over]
    with session.together(f"Move {found.stream.key} to where it is spoken") as run:
        run("bulk.move", sample=sample.id, by_ns=-found.lag.late_ns, annotations=moving)
    return len(moving)
