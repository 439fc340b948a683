"""Moments that can be picked by their suddenness: the attack of a sound, a flash, hands that meet and part.

Called by ``app/synchronising.py`` for ``workstation sync clap``. Arrays in, moments out; ``marks.py`` pairs them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workstation.core.ratio import Int64s
from workstation.sync.delay import Floats
from workstation.sync.marks import Moment

_STEP_S = 0.001
_BEFORE_S = 0.05
_LOUDER = 6.0
"""An attack is so many times louder than the moment before."""
_ABOVE_ALL = 0.12
"""And at least so loud against the loudest of the recording."""
_APART_S = 0.12
_SOUND_HALF_WIDTH_NS = 500_000
_FLASH_RISE = 0.25
"""Of the whole range of brightness."""
_LEAST_RISE = 8.0
"""In grey levels of 255: what is less is somebody who walks past."""
_FULL = 0.97
_REACH = 8
_CLEAR_TURN = 0.45


def sound_onsets(samples: Floats, rate_hz: float, start_ns: int = 0, *, most: int = 50) -> list[Moment]:
    """Where sounds begin abruptly, the clearest ``most`` of them in the order of time.

    The attack is taken at the sample where the sound first stands out of what was there before, good to half a ms.
    """
    size = max(1, round(_STEP_S * rate_hz))
    rows = len(samples) // size
    if rows < 4:
        return []
    # Differences between samples leave the attack and take the rumble away.
    edges = np.abs(np.diff(samples, prepend=samples[:1]))
    level = np.sqrt(np.mean(edges[: rows * size].reshape(rows, size) ** 2, 1))
    loudest = float(level.max())
    if loudest <= 0:
        return []
    span = round(_BEFORE_S / _STEP_S)
    padded = np.concatenate((np.full(span, level[0]), level))
    sums = np.cumsum(np.concatenate(([0.0], padded)))
    before = (sums[span : span + rows] - sums[:rows]) / span
    ratio = level / np.maximum(before, loudest * 1e-3)
    found = np.flatnonzero((ratio > _LOUDER) & (level > _ABOVE_ALL * loudest))
    picks: list[Moment] = []
    last = -np.inf
    for row in found:
        if row * _STEP_S - last < _APART_S:
            continue
        last = row * _STEP_S
        at = _first_out(edges, int(row) * size, size, float(before[row]), loudest)
        moment = start_ns + round(at / rate_hz * 1e9)
        strength = float(ratio[row : row + 5].max() * level[row : row + 5].max() / loudest)
        picks.append(
            Moment(from_ns=moment - _SOUND_HALF_WIDTH_NS, to_ns=moment + _SOUND_HALF_WIDTH_NS, strength=strength)
        )
    clearest = sorted(picks, key=lambda each: -each.strength)[:most]
    return sorted(clearest, key=lambda each: each.from_ns)


def _first_out(edges: Floats, row_at: int, size: int, before: float, loudest: float) -> int:
    """The sample at which the attack leaves what was there before."""
    begin = max(0, row_at - size)
    around = edges[begin : row_at + 2 * size]
    limit = max(4 * before, 0.2 * float(around.max()), 0.02 * loudest)
    return begin + int(np.argmax(around >= limit))


def flashes(times_ns: Int64s, brightness: Floats, *, exposure_ns: int | None = None) -> list[Moment]:
    """Where a film becomes bright at once. ``brightness`` (n,) of the frames at ``times_ns`` (n,).

    Where the exposure is known, a first frame that is only partly lit says how long before its end the flash began.
    Else a flash that fills its first frame began after the frame before it was taken, and not after its own time.
    """
    if len(brightness) < 3:
        return []
    low, high = (float(each) for each in np.percentile(brightness, (2, 100)))
    rises = np.flatnonzero(np.diff(brightness) > max(_FLASH_RISE * (high - low), _LEAST_RISE)) + 1
    found: list[Moment] = []
    previous = -2
    for frame in rises:
        if frame == previous + 1:  # the second half of one rise
            previous = int(frame)
            continue
        previous = int(frame)
        found.append(_flash_at(times_ns, brightness, int(frame), exposure_ns))
    return found


def _flash_at(times_ns: Int64s, brightness: Floats, frame: int, exposure_ns: int | None) -> Moment:
    before = brightness[max(0, frame - 12) : max(frame - 1, 1)]
    dark, noise = float(np.median(before)), float(np.abs(np.diff(before)).mean()) if len(before) > 2 else 0.0
    lit = float(brightness[frame : frame + 2].max())
    # The first frame may have caught so little of it that the rise is that of the next.
    if frame > 1 and float(brightness[frame - 1]) - dark > max(6 * noise, 0.02 * (lit - dark)):
        frame -= 1
    share = (float(brightness[frame]) - dark) / max(lit - dark, 1e-9)
    rise = lit - dark
    if share < _FULL and exposure_ns:
        began = int(times_ns[frame]) + round((1 - share) * exposure_ns)
        slack = max(round(0.05 * exposure_ns), 100_000)
        return Moment(from_ns=began - slack, to_ns=began + slack, strength=rise / 255)
    if share < _FULL:  # it began while this frame was open, however long that was
        after = int(times_ns[min(frame + 1, len(times_ns) - 1)])
        return Moment(from_ns=int(times_ns[frame]), to_ns=max(after, int(times_ns[frame])), strength=rise / 255)
    since = int(times_ns[frame - 1]) + (exposure_ns or 0)
    return Moment(from_ns=min(since, int(times_ns[frame])), to_ns=int(times_ns[frame]), strength=rise / 255)


def turning_points(times_ns: Int64s, frames: NDArray[np.uint8], *, most: int = 20) -> list[Moment]:
    """Where what moves turns back the way it came, as clapping hands do when they meet. ``frames`` (n, pixels).

    Before and after such a moment the pictures are each other's mirror in time, while elsewhere in the movement they
    are not. The moment lies within half a frame of the best frame, or of the middle between two.
    """
    count = len(frames)
    if count < 2 * _REACH + 2:
        return []
    pictures = frames.astype(np.float32).reshape(count, -1)
    motion = np.sqrt(np.mean(np.diff(pictures, axis=0) ** 2, 1))
    if not motion.any():
        return []
    scores, strengths = _mirrored(pictures, motion)
    floor = max(float(np.percentile(strengths, 75)), 0.15 * float(strengths.max()))
    found: list[Moment] = []
    for place in np.argsort(scores):
        if scores[place] > _CLEAR_TURN or len(found) >= most:
            break
        if strengths[place] < floor:
            continue
        moment = _between(times_ns, place / 2)
        step = int(np.median(np.diff(times_ns)))
        if all(abs(moment - each.middle_ns) > _REACH * step for each in found):
            found.append(
                Moment(from_ns=moment - step // 2, to_ns=moment + step // 2, strength=float(1 - scores[place]))
            )
    return sorted(found, key=lambda each: each.from_ns)


def _mirrored(pictures: NDArray[np.float32], motion: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """For every frame and every middle between two: how unlike before and after are against how much moved."""
    count = len(pictures)
    scores = np.full(2 * count - 1, np.inf)
    strengths = np.zeros(2 * count - 1)
    for place in range(2 * _REACH, 2 * count - 2 * _REACH):
        left, right = place // 2, (place + 1) // 2
        steps = np.arange(1, _REACH // 2 + 1)
        before, after = pictures[left - steps], pictures[right + steps]
        unlike = float(np.sqrt(np.mean((before - after) ** 2)))
        moved = float(
            np.sqrt(np.mean((pictures[left] - before) ** 2)) + np.sqrt(np.mean((pictures[right] - after) ** 2))
        )
        strengths[place] = float(motion[left - _REACH // 2 : right + _REACH // 2].mean())
        scores[place] = unlike / moved if moved > 0 else np.inf
    return scores, strengths


def _between(times_ns: Int64s, place: float) -> int:
    low = int(place)
    if low + 1 >= len(times_ns) or place == low:
        return int(times_ns[low])
    return int(times_ns[low]) + round((place - low) * int(times_ns[low + 1] - times_ns[low]))
