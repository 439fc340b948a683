"""Nanoseconds and half-open ranges of them.

Everything in the program that has a time uses these: annotations, links, loops, validity of a calibration.
A range is ``[start, end)``. An instant is a range whose start is its end: it has no duration, it contains
exactly its own nanosecond, and it stays an instant through every operation here.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from workstation.core.errors import DataError

SECOND_NS = 1_000_000_000
LIMIT_NS = 1 << 62
"""Times lie within ±2**62 ns (146 years), so that the distance of any two of them fits in 64 bits."""


def check_ns(time_ns: int, *, place: str) -> int:
    """``time_ns`` if the program can hold it, else a ``DataError``; ``place`` says what the time is."""
    if -LIMIT_NS < time_ns < LIMIT_NS:
        return time_ns
    raise DataError(f"{time_ns} ns is more than 146 years from zero; check the unit and the clock's epoch", place=place)


class TimeRange(msgspec.Struct, frozen=True, order=True):
    """``[start_ns, end_ns)``, or the instant ``start_ns`` where the two are equal."""

    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        check_ns(self.start_ns, place="start of a range")
        check_ns(self.end_ns, place="end of a range")
        if self.end_ns < self.start_ns:
            raise DataError(f"a range ends at {self.end_ns} ns, before its start at {self.start_ns} ns; swap the two")

    @classmethod
    def instant(cls, time_ns: int) -> TimeRange:
        """The range without duration at ``time_ns``."""
        return cls(time_ns, time_ns)

    @property
    def is_instant(self) -> bool:
        return self.start_ns == self.end_ns

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns

    def contains(self, time_ns: int) -> bool:
        """Whether the range holds that nanosecond; an instant holds its own."""
        return self.start_ns <= time_ns < self.end_ns or time_ns == self.start_ns

    def contains_range(self, other: TimeRange) -> bool:
        """Whether ``other`` lies wholly in this range; an instant holds only itself."""
        if other.is_instant:
            return self.contains(other.start_ns)
        return self.start_ns <= other.start_ns and other.end_ns <= self.end_ns

    def overlaps(self, other: TimeRange) -> bool:
        """Whether some nanosecond is in both. Ranges that only touch do not overlap."""
        return self.intersection(other) is not None

    def intersection(self, other: TimeRange) -> TimeRange | None:
        """What is in both; an instant if either is one; ``None`` if nothing is."""
        start, end = max(self.start_ns, other.start_ns), min(self.end_ns, other.end_ns)
        if start < end:
            return TimeRange(start, end)
        if (self.is_instant and other.contains(self.start_ns)) or (other.is_instant and self.contains(other.start_ns)):
            return TimeRange.instant(start)
        return None

    def overlap_ns(self, other: TimeRange) -> int:
        """Duration of what is in both; 0 for instants, even for equal ones."""
        return max(0, min(self.end_ns, other.end_ns) - max(self.start_ns, other.start_ns))

    def hull(self, other: TimeRange) -> TimeRange:
        """From the earlier start to the later end, with whatever lies between."""
        return TimeRange(min(self.start_ns, other.start_ns), max(self.end_ns, other.end_ns))

    def distance_ns(self, other: TimeRange) -> int:
        """How long nothing is between the two; 0 if they touch or overlap."""
        return max(0, max(self.start_ns, other.start_ns) - min(self.end_ns, other.end_ns))

    def moved(self, delta_ns: int) -> TimeRange:
        """The same duration, ``delta_ns`` later."""
        return TimeRange(self.start_ns + delta_ns, self.end_ns + delta_ns)


def union(ranges: Iterable[TimeRange]) -> tuple[TimeRange, ...]:
    """Ranges in order and disjoint that hold exactly the same nanoseconds; overlapping and touching ones are joined."""
    joined: list[TimeRange] = []
    for item in sorted(ranges):
        last = joined[-1] if joined else None
        if last is None or item.start_ns > last.end_ns:
            joined.append(item)
        elif item.is_instant:
            if not last.contains(item.start_ns):  # on the open end of the one before
                joined.append(item)
        elif last.is_instant:  # the instant is the first nanosecond of this one
            joined[-1] = item
            _join_last_two(joined)
        else:
            joined[-1] = TimeRange(last.start_ns, max(last.end_ns, item.end_ns))
    return tuple(joined)


def _join_last_two(joined: list[TimeRange]) -> None:
    if len(joined) > 1 and joined[-2].end_ns == joined[-1].start_ns and not joined[-2].is_instant:
        last = joined.pop()
        joined[-1] = TimeRange(joined[-1].start_ns, last.end_ns)


def intersections(left: Iterable[TimeRange], right: Iterable[TimeRange]) -> tuple[TimeRange, ...]:
    """What the union of ``left`` and the union of ``right`` both hold, in order and disjoint."""
    ours, theirs = union(left), union(right)
    shared: list[TimeRange] = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        both = ours[i].intersection(theirs[j])
        if both is not None:
            shared.append(both)
        if _last_ns(ours[i]) <= _last_ns(theirs[j]):
            i += 1
        else:
            j += 1
    return union(shared)


def _last_ns(item: TimeRange) -> int:
    return item.start_ns if item.is_instant else item.end_ns - 1


def uncovered(within: TimeRange, ranges: Iterable[TimeRange]) -> tuple[TimeRange, ...]:
    """The parts of ``within`` that no range covers. Instants have no duration and cover nothing."""
    holes: list[TimeRange] = []
    position = within.start_ns
    for item in union(item for item in ranges if not item.is_instant):
        if item.start_ns > position and position < within.end_ns:
            holes.append(TimeRange(position, min(item.start_ns, within.end_ns)))
        position = max(position, item.end_ns)
    if position < within.end_ns:
        holes.append(TimeRange(position, within.end_ns))
    return tuple(holes)
