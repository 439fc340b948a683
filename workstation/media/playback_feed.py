"""What lies between the thread that prepares sound and the callback of the device that takes it.

``Run`` is one stretch of playing: a ring of samples, and a ledger that says which place of the session each of them
is. ``Feed`` is what a device holds: its callback asks ``fill`` for the next samples, the player asks ``heard`` what
is in people's ears. Both sides go on without a lock: each number has one writer, and a seek makes a new run instead
of emptying a ring that is being read.

Time never waits for sound: where the ring is empty the callback plays silence and counts on, and what comes too late
is left out, so sound and clock stay together.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from workstation.core.ratio import scale
from workstation.core.timebase import SECOND_NS
from workstation.core.values import dataclass

Samples = NDArray[np.float32]
_FILLS = 1024
"""Remembered calls of the device: more than lie between preparing and hearing, also with a compensation of seconds."""
_BEYOND_NS = SECOND_NS // 4
"""How far past the last delivered sample time is carried on."""
_LEDGER = 4096


@dataclass(frozen=True, slots=True)
class Grid:
    """The places of the device's samples in session time: ``phase_ns`` plus whole numbers of sample periods."""

    rate_hz: int
    phase_ns: int = 0

    def time_of(self, place: int) -> int:
        """Session time of a place, rounded once."""
        return self.phase_ns + scale(place, SECOND_NS, self.rate_hz)

    def first_at(self, time_ns: int) -> int:
        """The first place at that time or later."""
        place = (time_ns - self.phase_ns) * self.rate_hz // SECOND_NS
        while self.time_of(place) < time_ns:
            place += 1
        while self.time_of(place - 1) >= time_ns:
            place -= 1
        return place

    def time_between(self, place: float) -> int:
        """Session time of a place between two."""
        return self.phase_ns + round(place * SECOND_NS / self.rate_hz)


@dataclass(frozen=True, slots=True)
class Entry:
    """Samples ``[first, last)`` of a run go evenly from one place of the grid to another."""

    first: int
    last: int
    from_place: int
    to_place: int


class Run:
    """One stretch of playing. The feeding thread writes, the callback takes, the player asks for the place."""

    def __init__(self, grid: Grid, *, capacity: int, channels: int, speed: Fraction, end_ns: int | None = None) -> None:
        self.grid = grid
        self.speed = speed
        self.end_ns = end_ns
        """Session time when all of it has been heard; ``None`` if it never ends by itself."""
        self._ring: Samples = np.zeros((capacity, channels), np.float32)
        self._written = 0  # by the feeding thread alone
        self._taken = 0  # by the callback alone
        self._total: int | None = None
        self._ledger: list[Entry] = []
        self.starved = False
        """Whether the callback found too little when it last asked."""

    @property
    def taken(self) -> int:
        """Samples the device has asked for."""
        return self._taken

    @property
    def written(self) -> int:
        """Samples prepared."""
        return self._written

    @property
    def total(self) -> int | None:
        """Samples in all, once the end has been prepared."""
        return self._total

    def room(self) -> int:
        """How many samples may be written now."""
        return len(self._ring) - max(0, self._written - self._taken)

    def late(self) -> int:
        """How many samples the device has gone past without getting them."""
        return max(0, self._taken - self._written)

    def write(self, block: Samples, entries: list[Entry]) -> None:
        """Append samples, no more than there is ``room`` for, with the places they are."""
        size = len(self._ring)
        at = self._written % size
        head = min(len(block), size - at)
        self._ring[at : at + head] = block[:head]
        self._ring[: len(block) - head] = block[head:]
        for entry in entries:
            self._note(entry)
        self._written += len(block)

    def finish(self) -> None:
        """Nothing follows what is written."""
        self._total = self._written

    def take(self, out: Samples) -> int:
        """Fill ``out`` with what comes next, silence where there is nothing. Answers the number of its first sample."""
        first, total, size = self._taken, self._total, len(self._ring)
        have = min(max(0, self._written - first), len(out))
        at = first % size
        head = min(have, size - at)
        out[:head] = self._ring[at : at + head]
        if have > head:
            out[head:have] = self._ring[: have - head]
        if have < len(out):
            out[have:] = 0
        self.starved = have < len(out) and total is None
        self._taken = first + len(out)
        return first

    def time_at(self, sample: float) -> int | None:
        """Session time of a sample's place; ``None`` while nothing has been prepared."""
        ledger = self._ledger
        if self._total is not None and sample >= self._total and self.end_ns is not None:
            return self.end_ns
        if not ledger:
            return None
        entry = ledger[max(0, bisect_right(ledger, sample, key=_first) - 1)]
        along = max(0.0, sample - entry.first)
        if along <= entry.last - entry.first:
            slope = (entry.to_place - entry.from_place) / (entry.last - entry.first)
            return self.grid.time_between(entry.from_place + along * slope)
        beyond = along - (entry.last - entry.first)
        return self.grid.time_between(entry.to_place + beyond * float(self.speed))

    def _note(self, entry: Entry) -> None:
        ledger = self._ledger
        last = ledger[-1] if ledger else None
        if last is not None and _goes_on(last, entry):
            ledger[-1] = Entry(last.first, entry.last, last.from_place, entry.to_place)
            return
        if len(ledger) >= _LEDGER:
            self._ledger = ledger = ledger[_LEDGER // 2 :]
        ledger.append(entry)


def _first(entry: Entry) -> int:
    return entry.first


def _goes_on(last: Entry, entry: Entry) -> bool:
    """Whether one straight line goes through both: sample for sample, without a jump."""
    return (
        last.last == entry.first
        and last.to_place == entry.from_place
        and last.to_place - last.from_place == last.last - last.first
        and entry.to_place - entry.from_place == entry.last - entry.first
    )


@dataclass(frozen=True, slots=True)
class _Fill:
    """One call of the device: whose samples, from which number on, how many, and when the first is heard."""

    run: Run | None
    first: int
    count: int
    heard_ns: int


class Feed:
    """The place where a device finds the run that plays now."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._fills: list[_Fill | None] = [None] * _FILLS
        self._count = 0
        self.underruns = 0
        """How often a run had too little ready; counted by the callback."""

    @property
    def run(self) -> Run | None:
        """What plays now."""
        return self._run

    def attach(self, run: Run | None) -> None:
        """Play this from the next call of the device on; ``None``: silence."""
        self._run = run

    @property
    def last_heard_ns(self) -> int | None:
        """When what the device asked for last is heard; ``None`` before it asked."""
        last = self._fills[(self._count - 1) % _FILLS]
        return None if last is None else last.heard_ns

    def fill(self, out: Samples, heard_ns: int) -> None:
        """For the callback: the next samples, of which the first will be heard at that monotonic time."""
        run = self._run
        if run is None:
            out.fill(0)
            first = 0
        else:
            first = run.take(out)
            self.underruns += run.starved
        self._fills[self._count % _FILLS] = _Fill(run, first, len(out), heard_ns)
        self._count += 1

    def heard(self, run: Run, at_ns: int) -> float | None:
        """Which sample of the run is heard at a monotonic time; ``None`` before its first one."""
        newest = self._count
        for number in range(newest - 1, max(-1, newest - _FILLS), -1):
            fill = self._fills[number % _FILLS]
            if fill is None:
                return None
            if fill.heard_ns > at_ns:
                continue
            if fill.run is not run:
                return None
            passed = (at_ns - fill.heard_ns) * run.grid.rate_hz / SECOND_NS
            beyond = 0 if number < newest - 1 else _BEYOND_NS * run.grid.rate_hz / SECOND_NS
            return fill.first + min(passed, fill.count + beyond)
        return None
