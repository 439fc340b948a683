"""Which frames of a track become keyframes: as few as can be, so that few are left to edit.

A pure function over times and boxes. Between keyframes the program interpolates in straight lines; the choice is the
smallest set of the observed boxes from which no observed edge lies further off than allowed. Called where proposals
of tracks are made into records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Keyframes:
    """The chosen places among the observations, the gaps (half-open, ns) and how far off the worst edge is, px."""

    places: tuple[int, ...]
    gaps: tuple[tuple[int, int], ...]
    worst_px: float


def keyframes(times_ns: Sequence[int], boxes: NDArray[np.float64], *, deviation_px: float,
              longest_gap_ns: int | None = None) -> Keyframes:  # fmt: skip
    """Keyframes of a track seen at ``times_ns`` (rising) as ``boxes`` (n, 4: left, top, right, bottom).

    Where nothing was seen for longer than ``longest_gap_ns`` the track has a gap, with a keyframe on either side.
    """
    times = np.asarray(times_ns, np.int64)
    if times.size and (np.diff(times) <= 0).any():
        raise ValueError("a track is seen at rising times")
    if boxes.shape != (times.size, 4) or not np.isfinite(boxes).all() or not deviation_px >= 0:
        raise ValueError("a track has one finite box a time")
    holes = [] if longest_gap_ns is None else np.flatnonzero(np.diff(times) > longest_gap_ns).tolist()
    starts, ends = [0, *(hole + 1 for hole in holes)], [*(hole + 1 for hole in holes), times.size]
    places: list[int] = []
    worst = 0.0
    for start, end in zip(starts, ends, strict=True):
        # From the piece's own start, in seconds: nanoseconds since an epoch lose their digits as real numbers.
        seconds = (times[start:end] - times[start]) / 1e9 if end > start else np.zeros(0)
        chosen = _fewest(seconds, boxes[start:end], deviation_px)
        worst = max(worst, _worst(seconds, boxes[start:end], chosen))
        places += [start + place for place in chosen]
    gaps = tuple((int(times[hole]) + 1, int(times[hole + 1])) for hole in holes)
    return Keyframes(tuple(places), gaps, worst)


def _fewest(seconds: NDArray[np.float64], boxes: NDArray[np.float64], most: float) -> list[int]:
    """The shortest way from the first to the last observation over steps that straight lines can do."""
    count = len(seconds)
    if count < 3:
        return list(range(count))
    steps, before = np.full(count, count, np.int64), np.zeros(count, np.int64)
    steps[0] = 0
    for place in range(count - 1):
        reached = _reached(seconds, boxes, place, most)
        better = reached[steps[reached] > steps[place] + 1]
        steps[better], before[better] = steps[place] + 1, place
    way = [count - 1]
    while way[-1]:
        way.append(int(before[way[-1]]))
    return way[::-1]


def _reached(seconds: NDArray[np.float64], boxes: NDArray[np.float64], place: int, most: float) -> NDArray[np.intp]:
    """Observations to which a straight line from ``place`` passes all between within ``most``.

    The slopes allowed by each observation shrink a cone; an observation is reached when its own slope lies within.
    Looked at in growing stretches, for most cones close soon.
    """
    stretch = 32
    most += 1e-9  # a straight line is no less straight for the last digits of its numbers
    while True:
        ahead = slice(place + 1, place + 1 + stretch)
        run = (seconds[ahead] - seconds[place])[:, None]
        rise = boxes[ahead] - boxes[place]
        low = np.maximum.accumulate((rise - most) / run, axis=0)
        high = np.minimum.accumulate((rise + most) / run, axis=0)
        if place + 1 + stretch >= len(seconds) or (low[-1] > high[-1]).any():
            break
        stretch *= 2
    slope = rise / run
    passes = np.ones(len(slope), np.bool_)
    passes[1:] = ((slope[1:] >= low[:-1]) & (slope[1:] <= high[:-1])).all(axis=1)
    return np.flatnonzero(passes) + place + 1


def _worst(seconds: NDArray[np.float64], boxes: NDArray[np.float64], chosen: list[int]) -> float:
    if not chosen:
        return 0.0
    lines = np.stack([np.interp(seconds, seconds[chosen], boxes[chosen, edge]) for edge in range(4)], axis=1)
    return float(np.abs(lines - boxes).max())
