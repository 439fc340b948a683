"""How far a transcript and speaker turns are from the truth: word error rate and diarisation error rate.

Printed by ``prelabel --eval`` and by the benches. The word error rate is jiwer's where that is installed, and the same
number by our own count where it is not. The diarisation error rate follows NIST: speakers are matched one to one for
the most common time, a collar around each true boundary is left out, overlapping speech counts for each speaker.
"""

from __future__ import annotations

import importlib
import importlib.util
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.values import dataclass
from workstation.prelabel.api import FoundSpan

COLLAR_S = 0.25
_JOINS_WORDS = "'’-"


@dataclass(frozen=True, slots=True, kw_only=True)
class WordErrors:
    """Words that differ from the truth: said as others, left out, added. ``words`` is how many are true."""

    substituted: int
    deleted: int
    inserted: int
    words: int

    @property
    def rate(self) -> float | None:
        """Word error rate; ``None`` where nothing was said, of which no share can be wrong."""
        return (self.substituted + self.deleted + self.inserted) / self.words if self.words else None


def plain_words(text: str) -> list[str]:
    """Words without capitals and signs, numbers and scripts as they are: what is compared."""
    spelt = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    kept = [sign if sign in _JOINS_WORDS or unicodedata.category(sign)[0] in "LMN" else " " for sign in spelt]
    return [word for each in "".join(kept).split() if (word := each.strip(_JOINS_WORDS))]


def word_errors(truth: str, heard: str) -> WordErrors:
    """Of a whole transcript against its script."""
    true, said = plain_words(truth), plain_words(heard)
    if true and importlib.util.find_spec("jiwer") is not None:
        made = importlib.import_module("jiwer").process_words(" ".join(true), " ".join(said))
        return WordErrors(
            substituted=int(made.substitutions), deleted=int(made.deletions), inserted=int(made.insertions),
            words=len(true),
        )  # fmt: skip
    return counted_errors(true, said)


def counted_errors(true: Sequence[str], said: Sequence[str]) -> WordErrors:
    """The fewest changes (Levenshtein), counted by kind; rows of NumPy, so an hour of speech takes seconds."""
    number = {word: index for index, word in enumerate(dict.fromkeys((*true, *said)))}
    a = np.array([number[word] for word in true], np.int64)
    b = np.array([number[word] for word in said], np.int64)
    steps = np.arange(len(b) + 1, dtype=np.int32)
    costs = np.empty((len(a) + 1, len(b) + 1), np.int32)
    costs[0] = steps
    for row in range(1, len(a) + 1):
        above = costs[row - 1]
        best = np.minimum(above + 1, np.concatenate([[row], above[:-1] + (b != a[row - 1])]).astype(np.int32))
        # An insertion costs one more than the place to its left: the running minimum, with the slope taken off.
        costs[row] = np.minimum.accumulate(best - steps) + steps
    return _by_kind(costs, a, b)


def _by_kind(costs: NDArray[np.int32], a: NDArray[np.int64], b: NDArray[np.int64]) -> WordErrors:
    row, column = len(a), len(b)
    substituted = deleted = inserted = 0
    while row or column:
        here = costs[row, column]
        if row and column and here == costs[row - 1, column - 1] + int(a[row - 1] != b[column - 1]):
            substituted += int(a[row - 1] != b[column - 1])
            row, column = row - 1, column - 1
        elif row and here == costs[row - 1, column] + 1:
            deleted, row = deleted + 1, row - 1
        else:
            inserted, column = inserted + 1, column - 1
    return WordErrors(substituted=substituted, deleted=deleted, inserted=inserted, words=len(a))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Somebody speaks from ``start_s`` to before ``end_s``."""

    start_s: float
    end_s: float
    speaker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnErrors:
    """Seconds of speech missed, invented and given to somebody else, of ``speech_s`` that were spoken."""

    missed_s: float
    false_s: float
    confused_s: float
    speech_s: float

    @property
    def rate(self) -> float | None:
        """Diarisation error rate; ``None`` where nobody speaks."""
        return (self.missed_s + self.false_s + self.confused_s) / self.speech_s if self.speech_s > 0 else None


def turns_of(spans: Iterable[FoundSpan]) -> list[Turn]:
    """Spans of speech as turns."""
    return [Turn(start_s=each.start_s, end_s=each.end_s, speaker=each.speaker) for each in spans]


def turn_errors(
    truth: Sequence[Turn], found: Sequence[Turn], *, collar_s: float = COLLAR_S, length_s: float | None = None
) -> TurnErrors:
    """Who speaks when, against the truth. ``length_s`` bounds what is judged."""
    for turn in (*truth, *found):
        if not (np.isfinite(turn.start_s) and np.isfinite(turn.end_s)):
            raise DataError(f"a turn of {turn.speaker or 'nobody'} is from {turn.start_s} to {turn.end_s} s")
    edges = _edges(truth, found, collar_s, length_s)
    if len(edges) < 2:
        return TurnErrors(missed_s=0.0, false_s=0.0, confused_s=0.0, speech_s=0.0)
    middles, lengths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    lengths = np.where(_judged(middles, truth, collar_s, length_s), lengths, 0.0)
    true, said = _activity(truth, middles), _activity(found, middles)
    common = np.minimum(true.sum(axis=0), said.sum(axis=0))
    matched = _matched(true, said, lengths)
    spoken, heard = true.sum(axis=0), said.sum(axis=0)
    return TurnErrors(
        missed_s=float((np.maximum(spoken - heard, 0) * lengths).sum()),
        false_s=float((np.maximum(heard - spoken, 0) * lengths).sum()),
        confused_s=float(((common - matched) * lengths).sum()),
        speech_s=float((spoken * lengths).sum()),
    )


def _edges(
    truth: Sequence[Turn], found: Sequence[Turn], collar_s: float, length_s: float | None
) -> NDArray[np.float64]:
    times = {each for turn in (*truth, *found) for each in (turn.start_s, turn.end_s)}
    times |= {each + side for turn in truth for each in (turn.start_s, turn.end_s) for side in (-collar_s, collar_s)}
    if length_s is not None:
        times |= {0.0, length_s}
    return np.array(sorted(times))


def _judged(
    middles: NDArray[np.float64], truth: Sequence[Turn], collar_s: float, length_s: float | None
) -> NDArray[np.bool_]:
    judged = np.ones(len(middles), bool)
    for turn in truth:
        for edge in (turn.start_s, turn.end_s):
            judged &= np.abs(middles - edge) >= collar_s
    if length_s is not None:
        judged &= (middles >= 0) & (middles < length_s)
    return judged


def _activity(turns: Sequence[Turn], middles: NDArray[np.float64]) -> NDArray[np.int64]:
    """Who speaks at each place (speakers, places), 0 or 1."""
    names = {name: row for row, name in enumerate(dict.fromkeys(turn.speaker for turn in turns))}
    active = np.zeros((len(names), len(middles)), np.int64)
    for turn in turns:
        active[names[turn.speaker], (middles >= turn.start_s) & (middles < turn.end_s)] = 1
    return active


def _matched(true: NDArray[np.int64], said: NDArray[np.int64], lengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many are called by the right name at each place, by the best pairing of names."""
    from scipy.optimize import linear_sum_assignment

    together = (true * lengths) @ said.T
    rows, columns = linear_sum_assignment(-together)
    right: NDArray[np.int64] = (true[rows] * said[columns]).sum(axis=0)
    return right


def read_rttm(text: str, *, recording: str = "", source: str = "RTTM") -> list[Turn]:
    """The turns of an RTTM file, of one recording if it is named."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER" or (recording and len(fields) > 1 and fields[1] != recording):
            continue
        try:
            start, length, speaker = float(fields[3]), float(fields[4]), fields[7]
        except (IndexError, ValueError) as problem:
            raise DataError(
                "needs SPEAKER, file, channel, start, length and the speaker's name",
                path=source,
                place=f"line {number}",
            ) from problem
        if not (np.isfinite(start) and np.isfinite(length) and start >= 0 and length >= 0):
            raise DataError("has a start or length that is no time", path=source, place=f"line {number}")
        found.append(Turn(start_s=start, end_s=start + length, speaker=speaker))
    return found
