"""Where somebody speaks: a Silero graph over a sound that comes in chunks, and segments out of its probabilities.

Called by the job that listens to a stream. The state is a value: a job that pauses keeps it and goes on with the same
answers as if it had never stopped. Family ``silero-vad``: input (windows, 576) at 16 kHz, memory ``h`` and ``c``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.api import BadOutput, FoundSpan, Runs
from workstation.prelabel.speech_sound import RATE_HZ, Piece, Sound

WINDOW, CONTEXT = 512, 64
WINDOW_S = WINDOW / RATE_HZ
FAMILY = "silero-vad"
SPEECH = "speech"
_MOST_WINDOWS = 512
"""In one call of the graph: sixteen seconds, so that stopping is prompt."""
_MEMORY = (1, 1, 128)


def _empty() -> NDArray[np.float32]:
    return np.zeros(0, np.float32)


def _memory() -> NDArray[np.float32]:
    return np.zeros(_MEMORY, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """How far a sound has been listened to: the graph's memory, the last samples, and those that fill no window yet."""

    h: NDArray[np.float32] = field(default_factory=_memory)
    c: NDArray[np.float32] = field(default_factory=_memory)
    before: NDArray[np.float32] = field(default_factory=lambda: np.zeros(CONTEXT, np.float32))
    rest: NDArray[np.float32] = field(default_factory=_empty)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechLimits:
    """When speech begins and ends. It begins above ``on`` and lasts until it was below ``off`` for a while."""

    on: float = 0.5
    off: float = 0.35
    shortest_s: float = 0.25
    pause_s: float = 0.1
    pad_s: float = 0.03

    @classmethod
    def of(cls, thresholds: Mapping[str, float]) -> SpeechLimits:
        """Those that a model's manifest states, by the same names; ``score`` is ``on``."""
        on = thresholds.get("on", thresholds.get("score", cls().on))
        return cls(
            on=on,
            off=thresholds.get("off", max(0.01, on - 0.15)),
            shortest_s=thresholds.get("shortest_s", cls().shortest_s),
            pause_s=thresholds.get("pause_s", cls().pause_s),
            pad_s=thresholds.get("pad_s", cls().pad_s),
        )


def listen(runs: Runs, sound: Sound, state: Listening, *, last: bool = False) -> tuple[NDArray[np.float32], Listening]:
    """How probable speech is in each whole window of 32 ms so far, and the state to go on with.

    With ``last`` the rest is filled up with silence. The answer does not depend on how the sound was cut into chunks.
    """
    pending = np.concatenate([state.rest, sound]) if len(state.rest) else sound
    if last and len(pending) % WINDOW:
        pending = np.concatenate([pending, np.zeros(-len(pending) % WINDOW, np.float32)])
    whole = len(pending) // WINDOW * WINDOW
    found = [np.zeros(0, np.float32)]
    h, c, before = state.h, state.c, state.before
    for start in range(0, whole, _MOST_WINDOWS * WINDOW):
        windows = pending[start : min(start + _MOST_WINDOWS * WINDOW, whole)].reshape(-1, WINDOW)
        led_in = np.concatenate([before[None], windows[:-1, -CONTEXT:]])
        feeds = {"input": np.concatenate([led_in, windows], axis=1), "h": h, "c": c}
        probable, h, c = _answer(runs.run(feeds), len(windows))
        found.append(probable)
        before = windows[-1, -CONTEXT:].copy()
    return np.concatenate(found), Listening(h=h, c=c, before=before, rest=pending[whole:].copy())


def _answer(
    outputs: Mapping[str, NDArray[np.float32]], windows: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    for name, shape in (("speech_probs", (windows,)), ("hn", _MEMORY), ("cn", _MEMORY)):
        if name not in outputs:
            raise BadOutput(f"the graph answers no {name!r}, so it is no voice detector of this family")
        got = np.asarray(outputs[name])
        if got.size != int(np.prod(shape)) or (name != "speech_probs" and got.shape != shape):
            raise BadOutput(f"{name} has the shape {got.shape} instead of {shape}")
        if not np.isfinite(got).all():
            raise BadOutput(f"{name} holds what is not a number")
    probable = np.asarray(outputs["speech_probs"], np.float32).reshape(-1)
    if len(probable) and (probable.min() < 0 or probable.max() > 1):
        raise BadOutput("speech_probs is not between 0 and 1")
    return probable, np.asarray(outputs["hn"], np.float32), np.asarray(outputs["cn"], np.float32)


def probabilities(runs: Runs, chunks: Iterable[Sound]) -> NDArray[np.float32]:
    """Of a whole sound that comes in chunks."""
    state, found = Listening(), [np.zeros(0, np.float32)]
    for chunk in chunks:
        some, state = listen(runs, chunk, state)
        found.append(some)
    found.append(listen(runs, np.zeros(0, np.float32), state, last=True)[0])
    return np.concatenate(found)


def segments(
    probable: NDArray[np.float32], limits: SpeechLimits | None = None, *, length_s: float | None = None
) -> list[FoundSpan]:
    """The spans of speech in order, none touching the next, with the mean probability as their score.

    ``length_s`` is the sound's, beyond which nothing is proposed.
    """
    limits = SpeechLimits() if limits is None else limits
    end_s = len(probable) * WINDOW_S if length_s is None else min(length_s, len(probable) * WINDOW_S)
    kept = [each for each in _runs(probable, limits) if (each[1] - each[0]) * WINDOW_S >= limits.shortest_s]
    found: list[FoundSpan] = []
    for number, (first, after) in enumerate(kept):
        left = kept[number - 1][1] * WINDOW_S if number else 0.0
        right = kept[number + 1][0] * WINDOW_S if number + 1 < len(kept) else end_s
        start, stop = first * WINDOW_S, after * WINDOW_S
        # Padding takes at most half of a pause, so that two spans never meet.
        start -= min(limits.pad_s, (start - left) / (2 if number else 1))
        stop += min(limits.pad_s, max(0.0, right - stop) / (2 if number + 1 < len(kept) else 1))
        if (stop := min(stop, end_s)) > start:
            score = float(probable[first:after].mean())
            found.append(FoundSpan(start_s=start, end_s=stop, label=SPEECH, score=score))
    return found


def _runs(probable: NDArray[np.float32], limits: SpeechLimits) -> Iterator[tuple[int, int]]:
    """First window and the one after the last of each stretch of speech."""
    pause = max(1, round(limits.pause_s / WINDOW_S))
    start: int | None = None
    quiet = 0
    for number, value in enumerate(probable.tolist()):
        if start is None:
            if value >= limits.on:
                start, quiet = number, 0
        elif value >= limits.off:
            quiet = 0
        else:
            quiet += 1
            if quiet >= pause:
                yield start, number + 1 - quiet
                start = None
    if start is not None:
        yield start, len(probable) - quiet


def chunks_of(
    spans: Iterable[FoundSpan], probable: NDArray[np.float32], *, longest_s: float = 28.0, gap_s: float = 2.0
) -> list[Piece]:
    """Speech in pieces that a recogniser takes at once: neighbours joined, none longer than ``longest_s``.

    What is longer is cut where speech is least probable, never in the middle of nowhere.
    """
    pieces: list[Piece] = []
    for span in spans:
        for part in _shortened(Piece(span.start_s, span.end_s), probable, longest_s):
            last = pieces[-1] if pieces else None
            if last is not None and part.start_s - last.end_s <= gap_s and part.end_s - last.start_s <= longest_s:
                pieces[-1] = Piece(last.start_s, part.end_s)
            else:
                pieces.append(part)
    return pieces


def _shortened(piece: Piece, probable: NDArray[np.float32], longest_s: float) -> Iterator[Piece]:
    while piece.length_s > longest_s:
        first = int((piece.start_s + longest_s / 2) / WINDOW_S)
        last = min(int((piece.start_s + longest_s) / WINDOW_S), len(probable))
        within = probable[first:last]
        at = (first + int(np.argmin(within)) + 0.5) * WINDOW_S if len(within) else piece.start_s + longest_s
        at = min(at, piece.start_s + longest_s)
        yield Piece(piece.start_s, at)
        piece = Piece(at, piece.end_s)
    yield piece
