"""Which stretch of session time a timeline shows on how many pixels, and the way between the two. A pure value.

Held by the timeline pane and asked by everything that paints or picks on it; ``span_columns.py`` and ``lane_media.py``
reduce records to the pixel columns that it defines. Column ``c`` is where ``floor(x_of(ns))`` is ``c``.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workstation.core.timebase import TimeRange
from workstation.core.values import dataclass

Int64s = NDArray[np.int64]

SHORTEST_NS = 20_000
"""Four samples at 192 kHz: closer there is nothing more to see."""
_FAR = 1 << 30


@dataclass(frozen=True, slots=True)
class Viewport:
    """``[start_ns, start_ns + duration_ns)`` of session time on ``width_px`` pixels."""

    start_ns: int
    duration_ns: int
    width_px: int

    def __post_init__(self) -> None:
        if self.duration_ns <= 0 or self.width_px <= 0:
            raise ValueError(f"nothing can be shown of {self.duration_ns} ns on {self.width_px} pixels")

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.duration_ns

    @property
    def shown(self) -> TimeRange:
        """What is visible."""
        return TimeRange(self.start_ns, self.end_ns)

    @property
    def ns_per_px(self) -> float:
        return self.duration_ns / self.width_px

    def x_of(self, session_ns: int) -> float:
        """Pixels from the left edge; outside the view it lies outside."""
        return (session_ns - self.start_ns) * self.width_px / self.duration_ns

    def ns_at(self, x: float) -> int:
        """The session time at a place, to the nearest nanosecond."""
        return self.start_ns + round(x * self.duration_ns / self.width_px)

    def columns(self, session_ns: Int64s) -> Int64s:
        """The pixel column of every element; far outside it is kept at ±2**30 so that it stays a number of pixels."""
        x = (session_ns - self.start_ns) * (self.width_px / self.duration_ns)
        np.floor(x, out=x)
        np.maximum(x, -_FAR, out=x)
        np.minimum(x, _FAR, out=x)
        return x.astype(np.int64)

    def distance_ns(self, pixels: float) -> int:
        """How much time so many pixels are."""
        return round(pixels * self.duration_ns / self.width_px)

    def resized(self, width_px: int) -> Viewport:
        """The same stretch on another width."""
        return replace(self, width_px=max(1, width_px))

    def panned(self, by_ns: int, within: TimeRange) -> Viewport:
        """Moved, as far as something of ``within`` stays in the middle of the view."""
        return _kept(replace(self, start_ns=self.start_ns + by_ns), within)

    def stepped(self, count: int, step_px: float, within: TimeRange) -> Viewport:
        """Panned by whole steps, at the end of ``within`` by fewer: a kept picture can be moved along."""
        wanted = self.panned(self.distance_ns(count * step_px), within).start_ns - self.start_ns
        done = self.distance_ns(count * step_px)
        if wanted != done:
            done = self.distance_ns(math.trunc(wanted / (step_px * self.ns_per_px)) * step_px)
        return replace(self, start_ns=self.start_ns + done)

    def zoomed(self, factor: float, at_x: float, within: TimeRange) -> Viewport:
        """``factor`` times as much time on the same pixels; what is at ``at_x`` stays there."""
        longest = max(SHORTEST_NS, round(within.duration_ns * 1.1))
        duration = min(max(round(self.duration_ns * factor), SHORTEST_NS), longest)
        held = self.ns_at(at_x)
        start = held - round(at_x * duration / self.width_px)
        return _kept(Viewport(start, duration, self.width_px), within)

    def showing(self, wanted: TimeRange, within: TimeRange, *, share: float = 0.6) -> Viewport:
        """The stretch centred and filling ``share`` of the width."""
        duration = max(SHORTEST_NS, math.ceil(wanted.duration_ns / share))
        duration = min(duration, max(SHORTEST_NS, round(within.duration_ns * 1.1)))
        middle = (wanted.start_ns + wanted.end_ns) // 2
        return _kept(Viewport(middle - duration // 2, duration, self.width_px), within)

    def turned_to(self, session_ns: int, within: TimeRange) -> Viewport:
        """The page on which a time lies: this one if it does already, else the one that begins a little before it."""
        if self.start_ns <= session_ns < self.end_ns:
            return self
        return _kept(replace(self, start_ns=session_ns - self.duration_ns // 20), within)


def whole(within: TimeRange, width_px: int) -> Viewport:
    """Everything, with a little air on both sides."""
    air = max(within.duration_ns // 100, SHORTEST_NS // 2)
    return Viewport(within.start_ns - air, within.duration_ns + 2 * air, max(1, width_px))


def _kept(view: Viewport, within: TimeRange) -> Viewport:
    half = view.duration_ns // 2
    start = min(max(view.start_ns, within.start_ns - half), within.end_ns - half)
    return view if start == view.start_ns else replace(view, start_ns=start)
