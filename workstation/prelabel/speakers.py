"""Who speaks when: a voice vector for each span of speech, grouped; spans and words then carry the speaker's number.

Called by the job that listens, after ``speech_vad``. Family ``ge2e``: power mels (batch, 160, 40) in, unit vectors out.
"How many speakers" is the better control; the distance cut is for when nobody knows. Two voices at once are not
parted: such a stretch has the louder one's name, and an error rate counts the other as missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import UserError
from workstation.prelabel.api import BadOutput, FoundSpan, FoundWord, Runs
from workstation.prelabel.speech_mels import MELS, mels
from workstation.prelabel.speech_sound import Piece, Sound, cut

FAMILY = "ge2e"
FRAMES, STEP = 160, 40
LONG_ENOUGH_S = 0.8
"""A shorter span says too little of its voice to found a group; it goes to the nearest one."""
SAME_VOICE = 0.33
"""Cosine distance up to which two groups are one voice."""
_BATCH = 32
_LOUD, _SILENT = 10 ** (-30 / 10), 10 ** (-90 / 10)
"""Mean power: what every piece is brought to, and below which there is nothing to bring."""
_WINDOW_S = 2.4
_WINDOW_STEP_S = 1.2
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """Spans with their speakers, and each speaker's vector, by which it is known again elsewhere."""

    spans: tuple[FoundSpan, ...]
    centroids: Vectors


def embed(runs: Runs, sound: Sound, pieces: Sequence[Piece]) -> Vectors:
    """A unit vector per piece (pieces, 256); zeros where there is no voice to speak of."""
    windows, owner = [], []
    for number, piece in enumerate(pieces):
        for window in _windows(mels(_levelled(cut(sound, piece)))):
            windows.append(window)
            owner.append(number)
    summed: Vectors | None = None
    for start in range(0, len(windows), _BATCH):
        batch = np.stack(windows[start : start + _BATCH])
        vectors = _vectors(runs.run({"mels": batch}).get("embedding"), len(batch))
        summed = np.zeros((len(pieces), vectors.shape[1]), np.float32) if summed is None else summed
        np.add.at(summed, owner[start : start + _BATCH], vectors)
    return np.zeros((len(pieces), 1), np.float32) if summed is None else _unit(summed)


def _levelled(sound: Sound) -> Sound:
    """As loud as what the encoder learnt from: its mels have no logarithm, so loudness would count as voice.

    Measured on a quiet meeting of two: 5.5 s of 30 went to the wrong speaker without it, none with it.
    """
    power = float(np.mean(np.square(sound, dtype=np.float64))) if len(sound) else 0.0
    return sound if power <= _SILENT else (sound * np.sqrt(_LOUD / power)).astype(np.float32)


def _windows(frames: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    if not frames.any():
        return []
    if len(frames) < FRAMES:
        # Said again until it fills a window: silence behind it would become part of the voice.
        return [np.resize(frames, (FRAMES, MELS))]
    return [frames[start : start + FRAMES] for start in range(0, len(frames) - FRAMES + 1, STEP)]


def _vectors(answer: NDArray[np.float32] | None, count: int) -> Vectors:
    if answer is None:
        raise BadOutput("the graph answers no 'embedding', so it is no speaker encoder of this family")
    if answer.ndim != 2 or len(answer) != count or not answer.shape[1]:
        raise BadOutput(f"embedding has the shape {answer.shape} instead of ({count}, n)")
    if not np.isfinite(answer).all():
        raise BadOutput("embedding holds what is not a number")
    return np.asarray(answer, np.float32)


def _unit(vectors: NDArray[np.float32]) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return unit


def group(vectors: Vectors, *, speakers: int | None = None, cut_at: float = SAME_VOICE) -> NDArray[np.int64]:
    """A group per vector by average link on cosine distance, numbered in the order of appearance."""
    if speakers is not None and speakers < 1:
        raise UserError(f"the number of speakers is {speakers}; it is at least 1")
    count = len(vectors)
    if not count:
        return np.zeros(0, np.int64)
    if count == 1:
        return np.zeros(1, np.int64)
    distance = np.maximum(0.0, 1.0 - vectors.astype(np.float64) @ vectors.T.astype(np.float64))
    from scipy.cluster.hierarchy import linkage

    steps = linkage(distance[np.triu_indices(count, 1)], method="average")
    wanted = count - (speakers or 1)
    of = list(range(2 * count - 1))
    for number, (a, b, apart, _) in enumerate(steps.tolist()):
        # By average link a group never forms nearer than the groups it is made of: the steps come in order.
        if number >= wanted or (speakers is None and apart > cut_at):
            break
        of[int(a)] = of[int(b)] = count + number
    roots = [_root(of, each) for each in range(count)]
    order = {group: number for number, group in enumerate(dict.fromkeys(roots))}
    return np.array([order[each] for each in roots], np.int64)


def _root(of: Sequence[int], at: int) -> int:
    while of[at] != at:
        at = of[at]
    return at


def who_speaks(
    runs: Runs,
    sound: Sound,
    spans: Sequence[FoundSpan],
    *,
    speakers: int | None = None,
    cut_at: float = SAME_VOICE,
    within_spans: bool = True,
) -> Voices:
    """The spans of speech with a speaker each, ``speaker 1`` the first to be heard.

    Long spans are looked at in windows (``within_spans``), so that two people who do not pause between them are told
    apart; neighbours of one voice are one span again.
    """
    parts = [(span, piece) for span in spans for piece in (_looked_at(span) if within_spans else [_whole(span)])]
    if not parts:
        return Voices(spans=(), centroids=np.zeros((0, 1), np.float32))
    vectors = embed(runs, sound, [piece for _, piece in parts])
    heard = vectors.any(axis=1)
    founding = heard & np.array([piece.length_s >= LONG_ENOUGH_S for _, piece in parts])
    if not founding.any():
        founding = heard
    groups = np.zeros(len(parts), np.int64)
    groups[founding] = group(vectors[founding], speakers=speakers, cut_at=cut_at)
    count = int(groups[founding].max()) + 1 if founding.any() else 1
    centroids = _unit(np.stack([vectors[founding & (groups == each)].sum(axis=0) for each in range(count)]))
    alike = vectors @ centroids.T
    groups[~founding] = alike[~founding].argmax(axis=1)
    return Voices(spans=tuple(_joined(parts, groups, alike)), centroids=centroids)


def _whole(span: FoundSpan) -> Piece:
    return Piece(span.start_s, span.end_s)


def _looked_at(span: FoundSpan) -> list[Piece]:
    """Overlapping windows of a long span; each answers for the middle of it."""
    length = span.end_s - span.start_s
    if length <= _WINDOW_S:
        return [_whole(span)]
    count = max(2, round((length - _WINDOW_S) / _WINDOW_STEP_S) + 1)
    starts = np.linspace(span.start_s, span.end_s - _WINDOW_S, count)
    return [Piece(float(start), float(start) + _WINDOW_S) for start in starts]


def _joined(
    parts: Sequence[tuple[FoundSpan, Piece]], groups: NDArray[np.int64], alike: NDArray[np.float32]
) -> list[FoundSpan]:
    found: list[FoundSpan] = []
    last: tuple[FoundSpan, int] | None = None
    for number, (span, piece) in enumerate(parts):
        who = int(groups[number])
        score = float(np.clip(alike[number, who], 0.0, 1.0)) * span.score
        if last is not None and last[0] is span:
            # Windows overlap: the voice changes in the middle of what both heard.
            turn_s = (piece.start_s + parts[number - 1][1].end_s) / 2
            if who == last[1]:
                found[-1] = replace(found[-1], end_s=span.end_s, score=min(found[-1].score, score))
            else:
                found[-1] = replace(found[-1], end_s=turn_s)
                found.append(replace(span, start_s=turn_s, speaker=_name(who), score=score))
        else:
            found.append(replace(span, speaker=_name(who), score=score))
        last = span, who
    return found


def _name(number: int) -> str:
    return f"speaker {number + 1}"


def speaker_of(word: FoundWord, turns: Sequence[FoundSpan]) -> str:
    """Who says a word: the speaker with the most of its time; of the nearest turn where there is none, "" without any.

    ``turns`` are in order of their starts.
    """
    shared: dict[str, float] = {}
    for turn in turns:
        both = min(word.end_s, turn.end_s) - max(word.start_s, turn.start_s)
        if both > 0:
            shared[turn.speaker] = shared.get(turn.speaker, 0.0) + both
    if shared:
        return max(shared, key=lambda who: shared[who])
    middle = (word.start_s + word.end_s) / 2
    nearest = min(turns, key=lambda turn: max(turn.start_s - middle, middle - turn.end_s), default=None)
    return "" if nearest is None else nearest.speaker


def turns_of_words(said: Sequence[FoundSpan], turns: Sequence[FoundSpan]) -> list[FoundSpan]:
    """A transcript cut where its speaker changes: spans of words, each of one speaker."""
    found: list[FoundSpan] = []
    for span in said:
        if not span.words:
            whole = FoundWord(text=span.text, start_s=span.start_s, end_s=span.end_s, score=span.score)
            found.append(replace(span, speaker=speaker_of(whole, turns)))
            continue
        mine: list[FoundWord] = []
        who = ""
        for word in span.words:
            by = speaker_of(word, turns)
            if mine and by != who:
                found.append(_turn(span, mine, who))
                mine = []
            who = by
            mine.append(word)
        found.append(_turn(span, mine, who))
    return found


def _turn(span: FoundSpan, words: Sequence[FoundWord], who: str) -> FoundSpan:
    if len(words) == len(span.words):
        return replace(span, speaker=who)
    return replace(
        span, start_s=words[0].start_s, end_s=max(each.end_s for each in words), speaker=who, words=tuple(words),
        text=" ".join(each.text for each in words), score=float(np.mean([each.score for each in words])),
    )  # fmt: skip
