"""When each frame, sweep or reading of a stream is presented, and which one shows at a given time.

Built once by a reader in ``media/``, cached by content hash, asked by every pane on every tick.
A frame shows from its own time until the next one's, never by ``frame / rate``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.ratio import Int64s, scale_array
from workstation.core.timemap import TimeMap
from workstation.core.timerange import SECOND_NS, TimeRange, check_ns
from workstation.core.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameTable:
    """Presentation times in stream time, sorted; row ``i`` is frame number ``i``. Arrays are read-only."""

    times_ns: Int64s
    """(n,) int64, never falling; repeated times are kept."""
    durations_ns: Int64s
    """(n,) int64, 0 where the file does not say. Only the last one decides what shows."""
    key: NDArray[np.bool_]
    """(n,) whether decoding can start there."""
    units: Int64s
    """(n,) int64, the same times in the container's own units, as read."""
    unit_num: int
    """One unit lasts ``unit_num / unit_den`` seconds."""
    unit_den: int
    hold_ns: int | None = None
    """Longest time an item shows if no next one comes: keeps a missing sweep a gap. ``None``: until the next one."""

    def __post_init__(self) -> None:
        _check_table(self)
        for array in (self.times_ns, self.durations_ns, self.key, self.units):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.times_ns)

    def index_at(self, stream_ns: int) -> int | None:
        """The frame that shows then; ``None`` before the first, after the last has ended, and in a gap.

        Of frames with the same time the last one shows.
        """
        i = int(self.times_ns.searchsorted(stream_ns, side="right")) - 1
        if i < 0:
            return None
        return i if self.shown(i).contains(stream_ns) else None

    def index_at_all(self, stream_ns: Int64s) -> Int64s:
        """``index_at`` of every element, -1 for none."""
        if not len(self):
            return np.full(stream_ns.shape, -1, np.int64)
        i = self.times_ns.searchsorted(stream_ns, side="right") - 1
        ends = np.append(self.times_ns[1:], self.end_ns)
        if self.hold_ns is not None:
            ends = np.minimum(ends, self.times_ns + self.hold_ns)
        shows = (i >= 0) & ((stream_ns < ends[i]) | (stream_ns == self.times_ns[i]))
        return np.where(shows, i, -1)

    def shown(self, index: int) -> TimeRange:
        """When frame ``index`` shows: an instant for all but the last of frames with the same time."""
        start_ns = int(self.times_ns[index])
        end_ns = int(self.times_ns[index + 1]) if index + 1 < len(self) else self.end_ns
        if self.hold_ns is not None:
            end_ns = min(end_ns, start_ns + self.hold_ns)
        return TimeRange(start_ns, end_ns)

    @property
    def end_ns(self) -> int:
        """When the last frame ends: its duration, else the step before it; an instant if there is neither."""
        last_ns = int(self.times_ns[-1])
        duration_ns = int(self.durations_ns[-1])
        if duration_ns == 0:
            before = int(self.times_ns.searchsorted(last_ns, side="left")) - 1
            duration_ns = last_ns - int(self.times_ns[before]) if before >= 0 else 0
        return last_ns + duration_ns

    @property
    def span(self) -> TimeRange | None:
        """From the first frame's time to the last one's end; ``None`` without frames."""
        return TimeRange(int(self.times_ns[0]), self.end_ns) if len(self) else None

    def nearest(self, stream_ns: int) -> int | None:
        """The frame presented closest to then; the earlier of two at the same distance, the last of repeated ones."""
        if not len(self):
            return None
        after = int(self.times_ns.searchsorted(stream_ns, side="right"))
        if after == 0:
            return int(self.times_ns.searchsorted(self.times_ns[0], side="right")) - 1
        before = after - 1
        if after == len(self) or stream_ns - int(self.times_ns[before]) <= int(self.times_ns[after]) - stream_ns:
            return before
        return int(self.times_ns.searchsorted(self.times_ns[after], side="right")) - 1

    def rank(self, stream_ns: int) -> int:
        """How many frames come before that time: the frame number, if a frame has exactly this time."""
        return int(self.times_ns.searchsorted(stream_ns, side="left"))

    def rate_hz(self) -> float | None:
        """Frames a second, measured over the whole table; ``None`` with fewer than two times."""
        if len(self) < 2 or self.times_ns[-1] == self.times_ns[0]:
            return None
        return (len(self) - 1) * SECOND_NS / (int(self.times_ns[-1]) - int(self.times_ns[0]))

    def gaps(self, *, longer_than_ns: int) -> tuple[TimeRange, ...]:
        """The steps between frames that are longer, from one frame's time to the next one's."""
        starts = np.flatnonzero(np.diff(self.times_ns) > longer_than_ns)
        return tuple(TimeRange(int(self.times_ns[i]), int(self.times_ns[i + 1])) for i in starts)


def frame_table(
    units: Sequence[int] | Int64s,
    *,
    unit_num: int,
    unit_den: int,
    durations: Sequence[int] | Int64s | None = None,
    key: Sequence[bool] | NDArray[np.bool_] | None = None,
    hold_ns: int | None = None,
) -> FrameTable:
    """The table of a container's times, in any order, in units of ``unit_num / unit_den`` seconds.

    Each time is rounded to nanoseconds once. Without ``key`` every frame is a key frame.
    """
    given = _int64(units, "presentation times")
    lengths = np.zeros_like(given) if durations is None else _int64(durations, "durations")
    keys = np.ones(given.shape, np.bool_) if key is None else np.array(key, np.bool_)
    if not given.shape == lengths.shape == keys.shape:
        raise DataError(f"{len(given)} times, {len(lengths)} durations, {len(keys)} keys", place="frame table")
    order = np.argsort(given, kind="stable")
    return FrameTable(
        times_ns=ns_from_units(given[order], unit_num, unit_den),
        durations_ns=ns_from_units(lengths[order], unit_num, unit_den),
        key=keys[order],
        units=given[order],
        unit_num=unit_num,
        unit_den=unit_den,
        hold_ns=hold_ns,
    )


def ns_from_units(units: Int64s, unit_num: int, unit_den: int) -> Int64s:
    """Nanoseconds of times in units of ``unit_num / unit_den`` seconds, each rounded half up once."""
    if not (0 < unit_num < 1 << 31 and 0 < unit_den < 1 << 31):
        raise DataError(f"{unit_num}/{unit_den} s is no unit of time; both lie from 1 to 2**31", place="time base")
    if units.size:
        for extreme in (int(units.min()), int(units.max())):
            check_ns(extreme * unit_num * SECOND_NS // unit_den, place=f"{extreme} units of {unit_num}/{unit_den} s")
    return scale_array(units, np.array(unit_num * SECOND_NS), np.array(unit_den))


@dataclass(frozen=True, slots=True)
class Capture:
    """One item of a stream as seen from a moment of the session."""

    index: int
    stream_ns: int
    session_ns: int
    distance_ns: int
    """Its session time minus the moment asked for. A sampling distance: it says nothing about the clocks."""


def shown_capture(table: FrameTable, time_map: TimeMap, session_ns: int) -> Capture | None:
    """The item a pane shows at a session time; ``None`` if the stream has nothing then."""
    last_stream_ns = time_map.first_stream_at(session_ns + 1) - 1  # the last stream time that is not after session_ns
    index = table.index_at(last_stream_ns)
    return None if index is None else _capture(table, time_map, index, session_ns)


def nearest_capture(table: FrameTable, time_map: TimeMap, session_ns: int) -> Capture | None:
    """The item captured closest to a session time, measured in session time; the earlier of two as close."""
    after = table.rank(time_map.first_stream_at(session_ns))
    candidates = [_capture(table, time_map, i, session_ns) for i in (after - 1, after) if 0 <= i < len(table)]
    if not candidates:
        return None
    closest = min(candidates, key=lambda capture: (abs(capture.distance_ns), capture.distance_ns))
    same_time = int(table.times_ns.searchsorted(closest.stream_ns, side="right")) - 1
    return _capture(table, time_map, same_time, session_ns)


def _capture(table: FrameTable, time_map: TimeMap, index: int, session_ns: int) -> Capture:
    stream_ns = int(table.times_ns[index])
    mapped_ns = time_map.to_session(stream_ns)
    return Capture(index, stream_ns, mapped_ns, mapped_ns - session_ns)


def _int64(values: Sequence[int] | Int64s, what: str) -> Int64s:
    array = np.array(values) if len(values) else np.zeros(0, np.int64)
    if array.dtype.kind != "i" or array.ndim != 1:
        raise DataError(f"{what} must be one row of whole numbers that fit in 64 bits", place="frame table")
    return array.astype(np.int64)


def _check_table(table: FrameTable) -> None:
    arrays = (table.times_ns, table.durations_ns, table.key, table.units)
    if {array.shape for array in arrays} != {(len(table.times_ns),)}:
        raise DataError("times, durations, keys and units must be as many", place="frame table")
    if [array.dtype for array in arrays] != [np.int64, np.int64, np.bool_, np.int64]:
        raise DataError("times, durations and units are int64, keys are bool", place="frame table")
    if np.any(table.times_ns[1:] < table.times_ns[:-1]):
        raise DataError("presentation times must not fall", place="frame table")
    if np.any(table.durations_ns < 0):
        raise DataError("a duration is negative", place=f"frame {int(np.argmax(table.durations_ns < 0))}")
    if table.hold_ns is not None and table.hold_ns <= 0:
        raise DataError(f"the longest time an item shows must be more than zero, not {table.hold_ns} ns")
    if len(table):
        check_ns(int(table.times_ns[0]), place="first frame")
        check_ns(table.end_ns, place="end of the last frame")
