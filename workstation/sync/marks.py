"""The offset between two lists of moments that mark the same things: claps heard and seen, pulses, brake lights.

Called by ``app/synchronising.py`` for ``workstation sync clap`` and ``sync events``. Lists may have moments that the
other misses. A moment may be known only to lie between two times, as a clap does between two frames; many of them
pin the offset down to far less than a frame, because each falls elsewhere between its frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workstation.core.errors import DataError
from workstation.core.ratio import Int64s
from workstation.sync.delay import SURE, Floats
from workstation.sync.drift import DriftFit, OffsetAt, fit_drift

_MOST = 20_000
_FEWEST_FOR_DRIFT = 6
_LEAST_HALF_WIDTH_NS = 1_000
_AMBIGUOUS = 0.8
"""Of the weight of the best offset."""
_NEARLY = 0.95
"""Of the weight of the best offset: what more of them allow is as good."""
_RATE_STEP = 0.25
"""Rates are tried so far apart that the ends of the recording move by this part of a moment's width."""
_MOST_RATES = 200
_WORTH_A_RATE = 1.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened between two times of a stream's own clock, both included; how clear it was."""

    from_ns: int
    to_ns: int
    strength: float = 1.0

    @property
    def middle_ns(self) -> int:
        return (self.from_ns + self.to_ns) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One moment of the reference and the one of the other list that is taken for the same."""

    reference: Moment
    other: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class MarksFound:
    """The offset, the pairs it rests on, and how many moments of each list found no partner."""

    offset: OffsetAt
    pairs: tuple[Pair, ...]
    alone: tuple[int, int]
    ambiguous: bool
    """Another offset would pair nearly as many, as with claps at an even beat."""


def match_moments(
    reference: Sequence[Moment], other: Sequence[Moment], *, most_ns: int, most_ppm: float = 0.0
) -> MarksFound | None:
    """The offset within ``most_ns`` that pairs most moments, or ``None`` where no two can be the same.

    The offset is what must be added to ``other``'s times. Every pair bounds it from both sides; what most pairs allow
    is the answer, so that a wrong pair does not spoil it. A clear moment counts more than a faint one. With
    ``most_ppm`` the other clock may run faster or slower: the rate that pairs most is taken, none where that does as
    well.
    """
    if len(reference) > _MOST or len(other) > _MOST:
        raise DataError(f"more than {_MOST} moments are too many to match", place="the lists of moments")
    low, high, left, right = _bounds(reference, other, most_ns)
    if not len(low):
        return None
    at = np.array([each.middle_ns for each in other], np.int64)[right]
    weights = _strengths(reference)[left] * _strengths(other)[right]
    rate, zero_ns = _rate(low, high, at, weights, most_ppm)
    bent = np.round((at - zero_ns) * rate).astype(np.int64)
    low, high = low - bent, high - bent
    best, reached, elsewhere = _most_covered(low, high, weights)
    taken = (low <= best[1]) & (high >= best[0])
    middle = (best[0] + best[1]) // 2
    pairs = _one_to_one(reference, other, left[taken], right[taken], (middle, rate, zero_ns))
    at_ns = round(float(np.median([pair.other.middle_ns for pair in pairs])))
    return MarksFound(
        offset=OffsetAt(
            at_ns=at_ns, offset_ns=int(middle) + round((at_ns - zero_ns) * rate),
            half_width_ns=_half_width(best, pairs, int(middle), rate, zero_ns),
        ),
        pairs=tuple(pairs), alone=(len(reference) - len(pairs), len(other) - len(pairs)),
        ambiguous=elsewhere >= _AMBIGUOUS * reached,
    )  # fmt: skip


def _rate(low: Int64s, high: Int64s, at: Int64s, weights: Floats, most_ppm: float) -> tuple[float, int]:
    """How much the offset grows with the other clock's time, and about which time it turns."""
    zero_ns = int(np.median(at))
    span = float(np.ptp(at))
    wide = max(float(np.median(high - low)), 1.0)
    many = int(min(_MOST_RATES, most_ppm * 1e-6 * span / (_RATE_STEP * wide)))
    best, found = _most_covered(low, high, weights)[1], 0.0
    for step in range(1, many + 1):
        for rate in (step / many * most_ppm * 1e-6, -step / many * most_ppm * 1e-6):
            bent = np.round((at - zero_ns) * rate).astype(np.int64)
            reached = _most_covered(low - bent, high - bent, weights)[1]
            if reached > best * _WORTH_A_RATE:
                best, found = reached, rate
    return found, zero_ns


def marks_drift(found: MarksFound) -> DriftFit:
    """The map through all pairs; one offset while there are too few to see a drift."""
    if len(found.pairs) < _FEWEST_FOR_DRIFT:
        return fit_drift([found.offset])
    return fit_drift([_offset_of(pair) for pair in found.pairs])


def _offset_of(pair: Pair) -> OffsetAt:
    wide = (pair.reference.to_ns - pair.reference.from_ns) + (pair.other.to_ns - pair.other.from_ns)
    return OffsetAt(
        at_ns=pair.other.middle_ns, offset_ns=pair.reference.middle_ns - pair.other.middle_ns,
        half_width_ns=max(_LEAST_HALF_WIDTH_NS, round(SURE * wide / 12**0.5)),  # anywhere in it is as likely
    )  # fmt: skip


def _bounds(
    reference: Sequence[Moment], other: Sequence[Moment], most_ns: int
) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    """Of every pair that could be one: the least and the greatest offset, and which two it is made of."""
    a = np.array([(each.from_ns, each.to_ns) for each in reference], np.int64).reshape(-1, 2)
    b = np.array([(each.from_ns, each.to_ns) for each in other], np.int64).reshape(-1, 2)
    order = np.argsort(a[:, 0], kind="stable")
    starts = a[order, 0]
    low, high, left, right = [], [], [], []
    widest = int((a[:, 1] - a[:, 0]).max(initial=0))
    for number, (begin, end) in enumerate(b):
        first = np.searchsorted(starts, begin - most_ns - widest)
        last = np.searchsorted(starts, end + most_ns, side="right")
        near = order[first:last]
        low.append(a[near, 0] - end)
        high.append(a[near, 1] - begin)
        left.append(near)
        right.append(np.full(len(near), number))
    if not low:
        empty = np.empty(0, np.int64)
        return empty, empty, empty, empty
    found = [np.concatenate(each).astype(np.int64) for each in (low, high, left, right)]
    kept = (found[1] >= -most_ns) & (found[0] <= most_ns)
    return found[0][kept], found[1][kept], found[2][kept], found[3][kept]


def _strengths(moments: Sequence[Moment]) -> Floats:
    found = np.array([max(each.strength, 0.0) for each in moments])
    return found / max(float(found.max(initial=0.0)), 1e-12)


def _most_covered(low: Int64s, high: Int64s, weights: Floats) -> tuple[tuple[int, int], float, float]:
    """The stretch of offsets that most pairs allow, how much weight they have, and the most weight elsewhere."""
    # Stretches that only touch share their end, so an opening counts before a closing at the same place.
    at = np.concatenate((low, high))
    kind = np.concatenate((np.zeros(len(low), np.int8), np.ones(len(high), np.int8)))
    order = np.lexsort((kind, at))
    count = np.cumsum(np.where(kind == 0, 1.0, -1.0)[order] * np.concatenate((weights, weights))[order])
    best = int(np.argmax(count))
    # One pair of forty that is wrong must not decide where the others leave room.
    fewer = np.flatnonzero(count < _NEARLY * count[best])
    first = int(fewer[fewer < best].max(initial=-1)) + 1
    last = int(fewer[fewer > best].min(initial=len(order) - 1))
    stretch = (int(at[order[first]]), int(at[order[last]]))
    usual = int(np.median(high - low)) + 1
    away = (at[order] < stretch[0] - 2 * usual) | (at[order] > stretch[1] + 2 * usual)
    return stretch, float(count[best]), float(count[away].max(initial=0.0))


def _one_to_one(
    reference: Sequence[Moment], other: Sequence[Moment], left: Int64s, right: Int64s, line: tuple[int, float, int]
) -> list[Pair]:
    """Each moment once, the nearest partners first."""
    offset, rate, zero_ns = line
    apart = [
        abs(reference[i].middle_ns - other[j].middle_ns - offset - (other[j].middle_ns - zero_ns) * rate)
        for i, j in zip(left, right, strict=True)
    ]
    used: tuple[set[int], set[int]] = (set(), set())
    pairs = []
    for number in np.argsort(apart, kind="stable"):
        i, j = int(left[number]), int(right[number])
        if i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
            pairs.append(Pair(reference=reference[i], other=other[j]))
    return sorted(pairs, key=lambda pair: pair.other.from_ns)


def _half_width(best: tuple[int, int], pairs: Sequence[Pair], middle: int, rate: float, zero_ns: int) -> int:
    """Half of what is allowed, or half of a pair's own width over the root of their number if that is more."""
    wide = [(pair.reference.to_ns - pair.reference.from_ns) + (pair.other.to_ns - pair.other.from_ns) for pair in pairs]
    scatter = [
        pair.reference.middle_ns - pair.other.middle_ns - middle - (pair.other.middle_ns - zero_ns) * rate
        for pair in pairs
    ]
    by_scatter = 2 * float(np.std(scatter)) / max(len(pairs), 1) ** 0.5
    by_width = float(np.mean(wide)) / (len(pairs) + 1) if wide else 0.0
    found = max((best[1] - best[0]) / 2, min(by_scatter, 2 * by_width))
    return int(max(_LEAST_HALF_WIDTH_NS, round(found)))
