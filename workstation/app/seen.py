"""What of a sample a person has really had before her: seconds and slices of each stream that were painted or heard.

For the review panel's bar. Paint events and the sound that the device played tell it (``saw_time``, ``saw_item``);
opening a sample, or having it decoded, counts for nothing. Kept for each project in the user's own folder, because it
is what this person has seen; the project is left alone, and may be open to look at only.
"""

from __future__ import annotations

import hashlib
import logging
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from typing import Annotated

import msgspec

from workstation.app.folders import settings_folder
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.files import read_bounded, write_whole
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.core.values import dataclass

LOOKED_AT = (StreamKind.VIDEO, StreamKind.IMAGE, StreamKind.CLOUD, StreamKind.RADAR, StreamKind.VOLUME)
COUNTED = (*LOOKED_AT, StreamKind.AUDIO, StreamKind.DOCUMENT)
"""Curves and texts are not: one cannot tell what of them was read."""
_MOST_BYTES = 8_000_000
_MOST_SAMPLES = 500
_log = logging.getLogger(__name__)
Bound = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
Pieces = list[tuple[Bound, Bound]]


class Stretches:
    """A set of half-open ranges of whole numbers, each as long as it can be."""

    def __init__(self, pieces: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in pieces:
            self.add(start, end)

    def add(self, start: int, end: int) -> bool:
        """Put ``[start, end)`` in; whether any of it is new."""
        if start >= end:
            return False
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if last - first == 1 and self._starts[first] <= start and end <= self._ends[first]:
            return False
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]
        return True

    @property
    def pieces(self) -> list[tuple[int, int]]:
        return list(zip(self._starts, self._ends, strict=True))

    def within(self, start: int, end: int) -> list[tuple[int, int]]:
        """Of a range, what is in."""
        cut = [(max(a, start), min(b, end)) for a, b in self.pieces if a < end and b > start]
        return [(a, b) for a, b in cut if a < b]


class _Kept(msgspec.Struct):
    """Of one sample, by id of the stream."""

    times: dict[str, Pieces] = {}
    items: dict[str, Pieces] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRow:
    """One line of the bar."""

    stream: str
    name: str
    unit: str
    """``s``, ``slices`` or ``pages``."""
    start: int
    """Where the stream begins: session time, or item 0."""
    end: int
    pieces: tuple[tuple[int, int], ...]
    gaps: tuple[tuple[int, int], ...] = ()
    """Where it has nothing that could be seen."""

    @property
    def timed(self) -> bool:
        return self.unit == "s"

    @property
    def whole(self) -> int:
        return max(1, self.end - self.start - sum(b - a for a, b in self.gaps))

    @property
    def share(self) -> float:
        return min(1.0, sum(b - a for a, b in self.pieces) / self.whole)

    @property
    def words(self) -> str:
        """``3.2 of 8.0 s``, ``12 of 40 slices``."""
        seen = sum(b - a for a, b in self.pieces)
        if self.timed:
            return f"{min(seen, self.whole) / SECOND_NS:.1f} of {self.whole / SECOND_NS:.1f} s"
        return f"{seen} of {self.whole} {self.unit}"

    @property
    def first_unseen(self) -> int | None:
        """Where to go on."""
        at = self.start
        for start, end in sorted((*self.pieces, *self.gaps)):
            if start > at:
                return at
            at = max(at, end)
        return at if at < self.end else None


@dataclass(slots=True)
class Seen:
    """Of one sample. For the window's thread."""

    sample: str
    news: int = 0
    """Grows whenever something was seen for the first time."""
    _times: dict[str, Stretches] = field(default_factory=dict)
    _items: dict[str, Stretches] = field(default_factory=dict)

    def saw_time(self, stream: str, start_ns: int, end_ns: int) -> None:
        """What lies there in session time was painted, or heard."""
        self.news += self._times.setdefault(stream, Stretches()).add(start_ns, end_ns)

    def saw_item(self, stream: str, number: int) -> None:
        """A slice or page was painted."""
        self.news += self._items.setdefault(stream, Stretches()).add(number, number + 1)

    def row(self, stream: Stream, span: TimeRange, gaps: tuple[TimeRange, ...]) -> SeenRow:
        """What was seen of a stream that lies there in session time."""
        seen = self._times.get(stream.id, Stretches()).within(span.start_ns, span.end_ns)
        holes = Stretches((gap.start_ns, gap.end_ns) for gap in gaps).within(span.start_ns, span.end_ns)
        real = [piece for a, b in seen for piece in _without(a, b, holes)]
        return SeenRow(
            stream=stream.id, name=stream.key, unit="s", start=span.start_ns, end=span.end_ns, pieces=tuple(real),
            gaps=tuple(holes),
        )  # fmt: skip

    def items_row(self, stream: Stream, count: int, unit: str) -> SeenRow:
        """What was seen of a stream of so many slices or pages."""
        seen = self._items.get(stream.id, Stretches()).within(0, count)
        return SeenRow(stream=stream.id, name=stream.key, unit=unit, start=0, end=count, pieces=tuple(seen))


def _without(start: int, end: int, holes: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found = []
    for a, b in holes:
        if b > start and a < end:
            if a > start:
                found.append((start, a))
            start = max(start, b)
    return [*found, (start, end)] if start < end else found


def seen_rows(seen: Seen, view: SampleView, readers: OpenStreams) -> list[SeenRow]:
    """A line for each stream that can be seen or heard and that somebody has opened; pictures first."""
    rows = []
    streams = [each for each in view.streams.values() if each.kind in COUNTED]
    for stream in sorted(streams, key=lambda each: (COUNTED.index(each.kind), each.key)):
        reader = readers.opened(stream)
        info = None if reader is None else reader.info
        if info is None:
            rows.append(seen.items_row(stream, 1, "never opened"))
        elif stream.kind in (StreamKind.VOLUME, StreamKind.DOCUMENT) or info.span is None:
            unit = {StreamKind.VOLUME: "slices", StreamKind.DOCUMENT: "pages"}.get(stream.kind, "pictures")
            rows.append(seen.items_row(stream, max(1, info.count), unit))
        else:
            to_session = stream.time_map.range_to_session
            rows.append(seen.row(stream, to_session(info.span), tuple(to_session(gap) for gap in info.gaps)))
    return rows


# --- keeping ------------------------------------------------------------------------------------------------------


def seen_path(project: Path, folder: Path | None = None) -> Path:
    """The file of one project: named by its place on this machine."""
    name = hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:24]
    return (folder or settings_folder()) / "seen" / f"{name}.json"


def read_seen(project: Path, sample: str, folder: Path | None = None) -> Seen:
    """What was seen of a sample before. A damaged file is logged and counts for nothing."""
    kept = _read(seen_path(project, folder)).get(sample, _Kept())
    return Seen(
        sample,
        _times={stream: Stretches(pieces) for stream, pieces in kept.times.items()},
        _items={stream: Stretches(pieces) for stream, pieces in kept.items.items()},
    )


def keep_seen(project: Path, seen: Seen, folder: Path | None = None) -> None:
    """Remember it, for the last five hundred samples. ``OSError`` if it cannot be written."""
    path = seen_path(project, folder)
    others = {sample: kept for sample, kept in _read(path).items() if sample != seen.sample}
    while len(others) >= _MOST_SAMPLES:
        del others[next(iter(others))]
    others[seen.sample] = _Kept(
        times={stream: held.pieces for stream, held in seen._times.items()},
        items={stream: held.pieces for stream, held in seen._items.items()},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(others))


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(dict[str, _Kept])


def _read(path: Path) -> dict[str, _Kept]:
    if not path.is_file():
        return {}
    try:
        return _READ.decode(read_bounded(path, _MOST_BYTES))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, DataError, OSError) as problem:
        _log.warning("what was seen before is forgotten, %s: %s", path, problem)
        return {}
