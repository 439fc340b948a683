"""A sound listened to in blocks of a minute: finished spans of speech as they come, and the state to go on with.

Called by ``label_sounds.py``. What comes out does not depend on where a job was stopped: every block is read and
resampled by itself with a little of its surroundings, and the memory of the graph goes from block to block.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import AudioReader
from workstation.prelabel.api import FoundSpan, Runs
from workstation.prelabel.speech_sound import Piece, Sound, as_speech, cut
from workstation.prelabel.speech_vad import WINDOW_S, Listening, SpeechLimits, listen, segments

BLOCK_S = 60
_AROUND_S = 1
_SETTLED_S = 1.0
"""How far behind the end of what was heard a span must end before it counts as finished."""


class _Kept(msgspec.Struct, frozen=True):
    h: bytes
    c: bytes
    before: bytes
    rest: bytes
    tail: bytes
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How far a sound was listened to, and the probabilities that are not yet made into spans."""

    listening: Listening = field(default_factory=Listening)
    tail: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    first: int = 0
    """Number of the window that ``tail`` begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What one block finished. Spans count from ``from_s``, as do the windows of ``probable``."""

    position: int
    """Seconds of the sound that are done."""
    from_s: float
    spans: tuple[FoundSpan, ...]
    probable: NDArray[np.float32]
    heard: Heard


def packed(heard: Heard) -> bytes:
    """To be kept with a chunk."""
    state = heard.listening
    arrays = (state.h, state.c, state.before, state.rest, heard.tail)
    h, c, before, rest, tail = (each.astype("<f4").tobytes() for each in arrays)
    return msgspec.msgpack.encode(_Kept(h, c, before, rest, tail, heard.first))


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.msgpack.Decoder(_Kept)


def unpacked(data: bytes) -> Heard:
    """Back again. ``DataError`` for what is no such thing."""
    try:
        kept = _READ.decode(data)
        h, c, before, rest, tail = (
            np.frombuffer(each, "<f4").astype(np.float32)
            for each in (kept.h, kept.c, kept.before, kept.rest, kept.tail)
        )
        usual = Listening()
        listening = Listening(
            h=h.reshape(usual.h.shape), c=c.reshape(usual.c.shape), before=before.reshape(usual.before.shape), rest=rest
        )
    except (msgspec.MsgspecError, ValueError) as problem:
        raise DataError(
            "what an earlier run kept of this sound cannot be read; run prelabel with --again", path="prelabel"
        ) from problem
    return Heard(listening=listening, tail=tail, first=kept.first)


def length_s(reader: AudioReader) -> float:
    """Of the whole sound."""
    return reader.frames / reader.sample_rate_hz


def sound_of(reader: AudioReader, piece: Piece) -> Sound:
    """A piece of a stream at 16 kHz, the same however the rest of it is read. Edges are whole seconds or any."""
    rate = reader.sample_rate_hz
    first = max(0, math.floor(piece.start_s) - _AROUND_S)
    last = math.ceil(piece.end_s) + _AROUND_S
    samples = reader.read(first * rate, min(last * rate, reader.frames))
    return cut(as_speech(samples, rate), Piece(piece.start_s - first, piece.end_s - first))


def blocks(
    reader: AudioReader,
    runs: Runs,
    limits: SpeechLimits,
    *,
    position: int,
    heard: Heard,
    cancelled: Callable[[], bool],
) -> Iterator[Block]:
    """From second ``position`` on, which ``heard`` is the state of."""
    end = length_s(reader)
    while position < end and not cancelled():
        stop = min(position + BLOCK_S, math.ceil(end))
        last = stop >= end
        found, listening = listen(runs, sound_of(reader, Piece(position, min(stop, end))), heard.listening, last=last)
        tail = np.concatenate([heard.tail, found])
        from_s = heard.first * WINDOW_S
        spans, done = _finished(tail, limits, None if not last else end - from_s)
        heard = Heard(listening=listening, tail=tail[done:], first=heard.first + done)
        position = stop
        yield Block(position=stop, from_s=from_s, spans=spans, probable=tail, heard=heard)


def _finished(
    tail: NDArray[np.float32], limits: SpeechLimits, length: float | None
) -> tuple[tuple[FoundSpan, ...], int]:
    """The spans that nothing to come can change, and how many windows need not be looked at again."""
    found = segments(tail, limits, length_s=length)
    if length is not None:
        return tuple(found), len(tail)
    settled = len(tail) * WINDOW_S - _SETTLED_S - limits.pause_s
    spans = [each for each in found if each.end_s <= settled]
    opened = [each.start_s for each in found if each.end_s > settled]
    # Cut within the pause before what is still open, else where it is settled that nobody speaks.
    after = spans[-1].end_s if spans else 0.0
    upto = min(settled, opened[0]) if opened else settled
    return tuple(spans), max(0, int(max(after, upto - limits.pad_s if opened else settled) / WINDOW_S))


def moved(span: FoundSpan, by_s: float) -> FoundSpan:
    """The same, so much later."""
    words = tuple(replace(each, start_s=each.start_s + by_s, end_s=each.end_s + by_s) for each in span.words)
    return replace(span, start_s=span.start_s + by_s, end_s=span.end_s + by_s, words=words)
