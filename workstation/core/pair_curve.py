"""Where to put the limit between pairs that belong together and pairs that do not, by the project's own pairs.

Every pair of the project has a score, and so has every pair crossed with another sample's: those do not belong
together. The curve says for each limit how many of each fall below it. Asked by the checks of similarity and by whoever
shows the curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_PAIRS = 8
"""Below this a project says nothing about its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """A limit, how many of the project's pairs it flags, and which share of crossed pairs it would catch."""

    limit: float
    flagged: int
    caught: float


def pair_curve(own: Sequence[float], crossed: Sequence[float]) -> tuple[CurvePoint, ...]:
    """A point at each score of the project's own pairs and one above them all, by growing limit; flagged is below."""
    scores, others = sorted(own), sorted(crossed)
    limits = sorted({*scores, *(others[-1:])})
    if limits:
        limits.append(limits[-1] + 1e-6)
    return tuple(
        CurvePoint(limit=limit, flagged=_below(scores, limit), caught=_below(others, limit) / max(1, len(others)))
        for limit in limits
    )


def suggested_limit(own: Sequence[float], crossed: Sequence[float]) -> float | None:
    """The limit that parts them best: most crossed pairs below, fewest own ones. ``None`` where pairs are too few, or
    where crossed pairs score no lower than own ones, so that no limit would mean anything.
    """
    if len(own) < FEWEST_PAIRS or len(crossed) < FEWEST_PAIRS:
        return None
    scores, others = sorted(own), sorted(crossed)
    best, gain = None, 0.0
    for low, high in zip(values := sorted({*scores, *others}), values[1:], strict=False):
        limit = (low + high) / 2
        won = _below(others, limit) / len(others) - _below(scores, limit) / len(scores)
        if won > gain + 1e-12:
            best, gain = limit, won
    return best if gain >= _LEAST_GAIN else None


_LEAST_GAIN = 0.3
"""Crossed pairs caught beyond own pairs flagged; less is what chance does."""


def _below(ordered: Sequence[float], limit: float) -> int:
    from bisect import bisect_left

    return bisect_left(ordered, limit)
