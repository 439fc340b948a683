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


def calm_keyframes(times_ns: Sequence[int], boxes: NDArray[np.float64], *, share: float = 0.06,
                   least_px: float = 2.0, longest_gap_ns: int | None = None,
                   ) -> tuple[Keyframes, NDArray[np.float64]]:  # fmt: skip
    """Keyframes of a detector's track, and all its boxes smoothed: the chosen ones are the shapes to propose.

    Off by at most ``share`` of the box's usual side, but never held to less than ``least_px``. Each piece between gaps
    is smoothed on its own: what happened unseen says nothing of what was seen.
    """
    times = np.asarray(times_ns, np.int64)
    holes = [] if longest_gap_ns is None else (np.flatnonzero(np.diff(times) > longest_gap_ns) + 1).tolist()
    pieces = [piece for piece in np.split(np.arange(times.size), holes) if piece.size]
    calm = np.asarray(boxes, np.float64).copy()
    for piece in pieces:
        calm[piece] = smoothed(times[piece].tolist(), calm[piece])
    side = float(np.median(calm[:, 2:] - calm[:, :2])) if len(calm) else 0.0
    deviation = max(least_px, share * side)
    return keyframes(times_ns, calm, deviation_px=deviation, longest_gap_ns=longest_gap_ns), calm


def smoothed(times_ns: Sequence[int], boxes: NDArray[np.float64], *, jitter: float = 0.05,
             turning: float = 0.5) -> NDArray[np.float64]:  # fmt: skip
    """The boxes of a track without a detector's trembling, by what lies before and after each of them.

    A Rauch-Tung-Striebel smoother of constant velocity for each edge: ``jitter`` is how much an edge trembles, as a
    share of the box's side; ``turning`` how much its speed changes within a second, in sides a second.
    """
    count = len(boxes)
    if count < 3:
        return boxes.copy()
    steps = np.diff(np.asarray(times_ns, np.int64)) / 1e9
    side = np.maximum(np.median(boxes[:, 2:] - boxes[:, :2], axis=0), 1.0)[[0, 1, 0, 1]]
    noise, push = (jitter * side) ** 2, (turning * side) ** 2
    place, speed = boxes[0].astype(np.float64), np.zeros(4)
    spread = np.stack([noise, np.zeros(4), (4 * side) ** 2])  # variances: of the place, of both, of the speed
    forward = []
    for number in range(count):
        if number:
            place, spread = place + speed * steps[number - 1], _spread_on(spread, float(steps[number - 1]), push)
        guess = place, speed, spread
        gain = spread[:2] / (spread[0] + noise)
        off = boxes[number] - place
        place, speed = place + gain[0] * off, speed + gain[1] * off
        spread = np.stack([spread[0] * (1 - gain[0]), spread[1] * (1 - gain[0]), spread[2] - gain[1] * spread[1]])
        forward.append((guess, (place, speed, spread)))
    out = np.empty((count, 4))
    out[-1] = place
    for number in range(count - 2, -1, -1):
        (later_place, later_speed, later), (here, here_speed, now) = forward[number + 1][0], forward[number][1]
        step = float(steps[number])
        # Covariance of now with what was foreseen, times the inverse of the foreseen, a two by two a column.
        with_place = np.stack([now[0] + step * now[1], now[1] + step * now[2]])
        whole = later[0] * later[2] - later[1] ** 2
        from_place = (with_place * later[2] - now[1:] * later[1]) / whole
        from_speed = (now[1:] * later[0] - with_place * later[1]) / whole
        off_place, off_speed = place - later_place, speed - later_speed
        place = here + from_place[0] * off_place + from_speed[0] * off_speed
        speed = here_speed + from_place[1] * off_place + from_speed[1] * off_speed
        out[number] = place
    return out


def _spread_on(spread: NDArray[np.float64], step: float, push: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variances a step later, with white noise on the acceleration."""
    both, fast = spread[1] + step * spread[2], spread[2]
    return np.stack([spread[0] + step * (spread[1] + both) + push * step**3 / 3, both + push * step**2 / 2,
                     fast + push * step])  # fmt: skip


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
