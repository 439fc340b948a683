"""What a sample's streams are, measured, and what each of them has at one session time.

The figures of ``workstation info --sample`` and ``--at``, and of whatever shows the same in a window.
The distance is a sampling distance: the item's own session time minus the time asked for. It says nothing about
whether the clocks are right, which is the residual of the time map.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field, replace

import numpy as np

from workstation.app.streams import OpenStreams, digest_of
from workstation.core.errors import DataError
from workstation.core.frametable import nearest_capture, shown_capture
from workstation.core.sample import Stream
from workstation.core.timebase import FrameTable, TimeMap, TimeRange, frame_table
from workstation.core.values import dataclass
from workstation.media.base import (
    AudioReader,
    MediaInfo,
    Reader,
    SeriesReader,
    TextReader,
    TimedReader,
    TrajectoryReader,
)
from workstation.media.gaps import longest_shown_ns, longest_step_ns

_QUOTED = 60
_MARKUP = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFacts:
    """One stream as measured. Times are session nanoseconds; ``trouble`` says why nothing could be measured."""

    key: str
    kind: str
    role: str
    count: int | None = None
    rate_hz: float | None = None
    """Items per second of session time."""
    span: TimeRange | None = None
    gaps: tuple[TimeRange, ...] = ()
    clock: str = ""
    """Which clock it is, and where the reader found its times."""
    map: str = ""
    residual_ns: int | None = None
    sha256: str = ""
    files: int = 0
    details: dict[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one stream has at a session time. Without ``item`` there is nothing there."""

    key: str
    kind: str
    item: str = ""
    index: int | None = None
    own_ns: int | None = None
    """The item's own time in the stream's clock."""
    session_ns: int | None = None
    distance_ns: int | None = None
    """``session_ns`` minus the time asked for: below zero for an item captured before."""
    nearest: str = ""
    """Where nothing is shown: the closest item there is."""
    trouble: str = ""


def facts_of(streams: Sequence[Stream], readers: OpenStreams) -> Iterator[StreamFacts]:
    """Every stream as measured from its files."""
    for stream in streams:
        recorded = StreamFacts(
            key=stream.key,
            kind=stream.kind.value,
            role=stream.role,
            clock=stream.clock,
            map=map_in_words(stream.time_map),
            residual_ns=stream.time_map.residual_ns,
            sha256=digest_of(stream),
            files=len(stream.files),
        )
        try:
            yield _measured(recorded, stream.time_map, readers.reader(stream).info)
        except DataError as error:
            yield replace(recorded, trouble=str(error))


def _measured(recorded: StreamFacts, time_map: TimeMap, info: MediaInfo) -> StreamFacts:
    sources = [each for each in (recorded.clock, info.clock_source) if each]
    return replace(
        recorded,
        count=info.count,
        rate_hz=_session_rate(info, time_map),
        span=None if info.span is None else time_map.range_to_session(info.span),
        gaps=tuple(time_map.range_to_session(gap) for gap in info.gaps),
        clock=": ".join(sources),
        details=dict(info.details),
        notes=info.notes,
    )


def moment_of(streams: Sequence[Stream], readers: OpenStreams, session_ns: int) -> Iterator[Shown]:
    """The item of every stream at a session time."""
    for stream in streams:
        try:
            reader = readers.reader(stream)
            yield _shown(stream, reader, session_ns)
        except DataError as error:
            yield Shown(key=stream.key, kind=stream.kind.value, trouble=str(error))


def map_in_words(time_map: TimeMap) -> str:
    """Where stream time leads, how it was found, and how well it fits."""
    stream_ns, session_ns = time_map.knots[0]
    if len(time_map.knots) > 1:
        said = f"{len(time_map.knots)} knots"
    else:
        said = f"{(session_ns - stream_ns) / 1e9:+.6f} s"
    if time_map.rate_after != (1, 1):
        said += f", rate {time_map.rate_after[0] / time_map.rate_after[1]:.9f}"
    residual = "" if time_map.residual_ns is None else f", residual {time_map.residual_ns / 1e6:g} ms"
    return f"{said} ({time_map.method}{residual})"


def table_of(reader: Reader) -> FrameTable | None:
    """When each item of a stream shows; ``None`` for sound, text and what has no time."""
    if isinstance(reader, TimedReader):
        return reader.table
    if isinstance(reader, SeriesReader | TrajectoryReader):
        times = reader.times_ns
        return frame_table(times, unit_num=1, unit_den=1_000_000_000, hold_ns=longest_shown_ns(times))
    return None


def _session_rate(info: MediaInfo, time_map: TimeMap) -> float | None:
    """The measured rate in session seconds: a clock that runs fast has fewer of its items in one."""
    if info.rate_hz is None or info.span is None or info.span.is_instant:
        return info.rate_hz
    return info.rate_hz * info.span.duration_ns / time_map.range_to_session(info.span).duration_ns


def _shown(stream: Stream, reader: Reader, session_ns: int) -> Shown:
    empty = Shown(key=stream.key, kind=stream.kind.value)
    table = table_of(reader)
    if table is not None and reader.info.span is not None:
        return _from_table(empty, stream.time_map, reader, table, session_ns)
    if isinstance(reader, AudioReader):
        return _from_sound(empty, stream.time_map, reader, session_ns)
    if isinstance(reader, TextReader):
        return _from_text(empty, stream.time_map, reader, session_ns)
    return Shown(key=empty.key, kind=empty.kind, item="the whole of it, at any time")


def _from_table(empty: Shown, time_map: TimeMap, reader: Reader, table: FrameTable, session_ns: int) -> Shown:
    found = shown_capture(table, time_map, session_ns)
    if found is None:
        near = nearest_capture(table, time_map, session_ns)
        said = "" if near is None else f"{_named(reader, near.index)} at {near.session_ns / 1e9:.6f} s"
        return Shown(key=empty.key, kind=empty.kind, nearest=said)
    return Shown(
        key=empty.key,
        kind=empty.kind,
        item=_named(reader, found.index) + _values(reader, found.index),
        index=found.index,
        own_ns=found.stream_ns,
        session_ns=found.session_ns,
        distance_ns=found.distance_ns,
    )


def _from_sound(empty: Shown, time_map: TimeMap, reader: AudioReader, session_ns: int) -> Shown:
    index = reader.sample_at(time_map.first_stream_at(session_ns + 1) - 1)
    if index is None:
        return empty
    own_ns = reader.time_of(index)
    mapped_ns = time_map.to_session(own_ns)
    return Shown(
        key=empty.key, kind=empty.kind, item=f"sample {index}", index=index, own_ns=own_ns, session_ns=mapped_ns,
        distance_ns=mapped_ns - session_ns,
    )  # fmt: skip


def _from_text(empty: Shown, time_map: TimeMap, reader: TextReader, session_ns: int) -> Shown:
    """The smallest timed part that is being said then, words aside."""
    own_ns = time_map.first_stream_at(session_ns + 1) - 1
    said = [p for p in reader.parts if p.span is not None and p.kind != "word" and p.span.contains(own_ns)]
    if not said:
        untimed = all(part.span is None for part in reader.parts)
        return Shown(key=empty.key, kind=empty.kind, item="the whole of it, at any time") if untimed else empty
    part = min(said, key=lambda p: p.stop - p.start)
    assert part.span is not None
    text = " ".join(_MARKUP.sub("", reader.text[part.start : part.stop]).split())
    mapped_ns = time_map.to_session(part.span.start_ns)
    return Shown(
        key=empty.key,
        kind=empty.kind,
        item=f"{part.kind} “{text if len(text) <= _QUOTED else text[: _QUOTED - 1] + '…'}”",
        index=reader.parts.index(part),
        own_ns=part.span.start_ns,
        session_ns=mapped_ns,
        distance_ns=mapped_ns - session_ns,
    )


UNITS = {
    "video": "frame", "cloud": "sweep", "radar": "sweep", "series": "row", "trajectory": "pose", "audio": "sample",
}  # fmt: skip
"""What an item of a stream is called, by kind."""


def _named(reader: Reader, index: int) -> str:
    """An item by number; one of several files also by its name, which may count what is missing."""
    name = f"{UNITS.get(reader.info.kind.value, 'item')} {index}"
    return f"{name} ({reader.paths[index].name})" if len(reader.paths) == reader.info.count > 1 else name


def _values(reader: Reader, index: int) -> str:
    if isinstance(reader, SeriesReader):
        return _readings(reader, index)
    if isinstance(reader, TrajectoryReader):
        x, y, z = reader.positions_m[index].tolist()
        return f": {x:.3f}, {y:.3f}, {z:.3f} m" if np.isfinite((x, y, z)).all() else ": missing"
    return ""


def _last_value(reader: SeriesReader, channel: str, index: int) -> tuple[float, int]:
    """A channel's value at a row, and how much older than the row it is.

    A channel that comes at a rate of its own (a CAN signal) keeps its last value, as long as its rhythm allows.
    """
    times, values = reader.samples(channel)
    if len(times) == len(reader.times_ns):
        return float(values[index]), 0
    row_ns = int(reader.times_ns[index])
    own = int(times.searchsorted(row_ns, side="right")) - 1
    if own < 0:
        return float("nan"), 0
    late_ns = row_ns - int(times[own])
    longest = longest_step_ns(times)
    return (float("nan"), 0) if longest is not None and late_ns > longest else (float(values[own]), late_ns)


def _readings(reader: SeriesReader, index: int) -> str:
    parts = []
    for channel in reader.channels[:6]:
        value, late_ns = _last_value(reader, channel.name, index)
        unit = f" {channel.unit}" if channel.unit else ""
        said = channel.labels.get(int(value), f"{value:.9g}{unit}") if np.isfinite(value) else "missing"
        parts.append(f"{channel.name} {said}" + (f" ({late_ns / 1e6:g} ms before)" if late_ns else ""))
    more = f", and {len(reader.channels) - 6} more" if len(reader.channels) > 6 else ""
    return f": {', '.join(parts)}{more}"
