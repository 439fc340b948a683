"""How fast a film decodes, and what follows for what is kept and when reading back has to begin. Used by ``video.py``.

Frames come forwards only: going back over a group means decoding it once more while somebody steps over what is held.
"""

from __future__ import annotations

import math

LEAST_KEPT = 8
MOST_KEPT = 60
_STEPS_A_SECOND = 10 * 1.5
"""How fast somebody steps back, and half as much again: the machine does other things meanwhile, and a pace measured
while nobody stepped is too good."""
_AHEAD_AFTER_A_JUMP = 16
"""Frames read forward before the way back is begun (``prefetch.py``)."""
_GUESS_S = 1.9e-9
"""Seconds to decode a pixel, until it has been measured: 4K on two cores."""


class Pace:
    """Seconds a frame takes on the way to another one, as measured last."""

    def __init__(self, pixels: int) -> None:
        self.frame_s = _GUESS_S * pixels

    def took(self, seconds: float, frames: int) -> None:
        """So long for so many frames; a few say nothing."""
        if frames >= LEAST_KEPT:
            self.frame_s += (seconds / frames - self.frame_s) / 2

    def steps_during(self, frames: int) -> int:
        """How many steps somebody takes while so many frames are decoded."""
        return math.ceil(frames * self.frame_s * _STEPS_A_SECOND)

    def kept_before(self, on_the_way: int) -> int:
        """How many frames before one that was jumped to, over so many others, are kept: as many as somebody steps back
        over while the rest of the group is decoded once more for those behind them. Few in a short group or a small
        film, 50 late in 4K."""
        share = _STEPS_A_SECOND * self.frame_s
        return min(max(LEAST_KEPT, math.ceil((on_the_way + _AHEAD_AFTER_A_JUMP) * share / (1 + share))), MOST_KEPT)
