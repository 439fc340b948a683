"""The own units of a stream on the session's axis: frames, sweeps, samples, rows, poses.

Asked by the timeline for its ruler, for steps and nudges by one unit and for snapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from workstation.app.moment import table_of
from workstation.app.streams import OpenStreams
from workstation.app.viewport import Int64s
from workstation.core.errors import DataError
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import FrameTable, TimeMap, TimeRange
from workstation.core.values import dataclass
from workstation.media.base import AudioReader, Reader

_NAMES = {
    StreamKind.VIDEO: "frame", StreamKind.CLOUD: "sweep", StreamKind.RADAR: "sweep", StreamKind.SERIES: "row",
    StreamKind.TRAJECTORY: "pose", StreamKind.AUDIO: "sample",
}  # fmt: skip
_ORDER = (*_NAMES, *(kind for kind in StreamKind if kind not in _NAMES))


class Units(Protocol):
    """The items of one stream by number."""

    @property
    def name(self) -> str:
        """``frame``, ``sweep``, ``sample``…"""
        ...

    @property
    def count(self) -> int: ...

    @property
    def typical_ns(self) -> int:
        """How long one lasts, roughly."""
        ...

    def own_ns(self, index: int) -> int:
        """The stream's own time of an item."""
        ...

    def session_ns(self, index: int) -> int:
        """The session time of an item."""
        ...

    def at_or_before(self, session_ns: int) -> int:
        """The last item that is not later; −1 before the first."""
        ...

    def shows(self, index: int, session_ns: int) -> bool:
        """Whether the item is still there then, and no gap has begun."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TableUnits:
    """Items with times of their own."""

    name: str
    time_map: TimeMap
    table: FrameTable
    sessions: Int64s

    @property
    def count(self) -> int:
        return len(self.table)

    @property
    def typical_ns(self) -> int:
        steps = np.diff(self.sessions)
        return max(1, int(np.median(steps))) if len(steps) else 1_000_000_000

    def own_ns(self, index: int) -> int:
        return int(self.table.times_ns[index])

    def session_ns(self, index: int) -> int:
        return int(self.sessions[index])

    def at_or_before(self, session_ns: int) -> int:
        return int(self.sessions.searchsorted(session_ns, side="right")) - 1

    def shows(self, index: int, session_ns: int) -> bool:
        return self.table.shown(index).contains(self.time_map.first_stream_at(session_ns + 1) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class SampleUnits:
    """The samples of a sound."""

    name: str
    time_map: TimeMap
    reader: AudioReader

    @property
    def count(self) -> int:
        return self.reader.frames

    @property
    def typical_ns(self) -> int:
        return max(1, 1_000_000_000 // self.reader.sample_rate_hz)

    def own_ns(self, index: int) -> int:
        return self.reader.time_of(index)

    def session_ns(self, index: int) -> int:
        return self.time_map.to_session(self.reader.time_of(index))

    def at_or_before(self, session_ns: int) -> int:
        own_ns = self.time_map.first_stream_at(session_ns + 1) - 1
        if own_ns < self.reader.time_of(0):
            return -1
        found = self.reader.sample_at(own_ns)
        return self.reader.frames - 1 if found is None else found

    def shows(self, index: int, session_ns: int) -> bool:
        return self.reader.sample_at(self.time_map.first_stream_at(session_ns + 1) - 1) == index


def units_of(stream: Stream, reader: Reader) -> Units | None:
    """The units of a stream; ``None`` for what has none (one picture, a document, running text)."""
    name = _NAMES.get(stream.kind)
    if name is None:
        return None
    if isinstance(reader, AudioReader):
        return SampleUnits(name, stream.time_map, reader) if reader.frames else None
    table = table_of(reader)
    if table is None or not len(table):
        return None
    return TableUnits(name, stream.time_map, table, stream.time_map.to_session_array(table.times_ns))


def stepped(units: Units, session_ns: int, steps: int) -> int:
    """The session time ``steps`` units on, kept inside the stream. In a gap, one back is the last before it."""
    index = units.at_or_before(session_ns)
    target = index + steps + (1 if steps < 0 and index >= 0 and not units.shows(index, session_ns) else 0)
    return units.session_ns(min(max(target, 0), units.count - 1))


def nearest_unit(units: Units, session_ns: int) -> int:
    """The item whose own moment is closest; the earlier of two as close."""
    before = units.at_or_before(session_ns)
    candidates = [each for each in (before, before + 1) if 0 <= each < units.count]
    return min(candidates, key=lambda each: (abs(units.session_ns(each) - session_ns), each))


def shown_between(units: Units, shown: TimeRange) -> range:
    """The items whose moment lies in a stretch of session time."""
    first = units.at_or_before(shown.start_ns - 1) + 1
    return range(first, units.at_or_before(shown.end_ns - 1) + 1)


def units_at_hand(streams: Mapping[str, Stream], readers: OpenStreams, focused: str | None) -> Units | None:
    """The units of the stream that is worked on, else of the first that has frames: what a step goes over where the
    pane in use has no units of its own."""
    by_kind = sorted(streams.values(), key=lambda each: (_ORDER.index(each.kind), each.key))
    for stream in ([streams[focused]] if focused is not None and focused in streams else []) + by_kind:
        try:
            found = units_of(stream, readers.reader(stream))
        except DataError:
            continue  # its own pane says why it cannot be read
        if found is not None:
            return found
    return None
