"""Playing slower or faster at the same pitch: overlap-add of pieces found by likeness (WSOLA), our own.

Each step cross-fades from the natural continuation of the last piece into the piece near the wanted place that fits
it best. Where each step begins and ends in the input is kept and handed over, so the clock knows at every step which
sample is heard; the search never lets errors add up, and never goes back.

Nothing outside ``[start, end)`` is ever read, and the first sample heard is the first of it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
ReadPlaces = Callable[[int, int], Samples]
"""(first, last) places of the grid -> (last − first, channels) float32."""

_STEP_S = 0.020
_SEARCH_S = 0.008
"""Either way: reaches the next pitch period of a voice of 63 Hz."""
_PREFER_NEAR = 1e-3
"""So much worse a fit at the end of the search is taken as equal: silence and noise stay where they should be."""


class Stretcher:
    """One pass over ``[start, end)`` of the grid at one speed."""

    def __init__(self, read: ReadPlaces, *, start: int, end: int, speed: Fraction, rate_hz: int, channels: int) -> None:
        self._read = read
        self._start, self._end = start, end
        self._speed = speed
        self._channels = channels
        self._step = max(16, round(_STEP_S * rate_hz))
        self._search = round(_SEARCH_S * rate_hz)
        phase = (np.arange(self._step, dtype=np.float32) + np.float32(0.5)) / np.float32(self._step)
        self._fade_in = (0.5 - 0.5 * np.cos(np.pi * phase)).astype(np.float32)[:, None]
        self._steps = 0
        self._piece = start  # where in the input the last piece began

    def next(self) -> tuple[Samples, int, int] | None:
        """Samples, and the places at which they begin and end in the input; ``None`` when all has been played."""
        step = self._step
        from_place = self._start if not self._steps else self._piece + step
        if from_place >= self._end:
            return None
        if not self._steps:
            block, to_place = self._inside(self._start, self._start + step), self._start + step
        else:
            tail = self._inside(from_place, from_place + step)
            wanted = self._start + int(self._steps * step * self._speed)
            self._piece = self._best(tail, wanted)
            head = self._inside(self._piece, self._piece + step)
            block = tail + (head - tail) * self._fade_in
            to_place = self._piece + step
        self._steps += 1
        if to_place > self._end:  # the last step ends where the input does
            kept = -(-(self._end - from_place) * step // (to_place - from_place))
            block, to_place = block[: max(1, kept)], self._end
        return block, from_place, to_place

    def _best(self, tail: Samples, wanted: int) -> int:
        low = max(wanted - self._search, self._piece + 1)
        high = max(wanted + self._search, low)
        region = self._inside(low, high + self._step).mean(axis=1)
        like = np.correlate(region, tail.mean(axis=1), "valid")
        power = np.concatenate(([0.0], np.cumsum(np.square(region, dtype=np.float64))))
        energy = power[self._step :] - power[: -self._step]
        floor = 1e-9 * self._step
        fit = like / np.sqrt(np.maximum(energy, floor))
        away = np.abs(np.arange(low, high + 1) - wanted) / max(1, self._search)
        loudness = float(np.sqrt(max(float(np.square(tail, dtype=np.float64).mean(axis=1).sum()), floor)))
        return low + int(np.argmax(fit - _PREFER_NEAR * loudness * away))

    def _inside(self, first: int, last: int) -> Samples:
        """The input, silence outside ``[start, end)``."""
        low, high = max(first, self._start), min(last, self._end)
        if low >= high:
            return np.zeros((last - first, self._channels), np.float32)
        block = self._read(low, high)
        if (low, high) == (first, last):
            return block
        whole = np.zeros((last - first, block.shape[1]), np.float32)
        whole[low - first : high - first] = block
        return whole
