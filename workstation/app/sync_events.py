"""Lists of events as clocks: pulses of a trigger, switches on the CAN bus, sounds that begin, flashes. Called by
``synchronising.by_events`` for ``workstation sync events`` and for the panel.

A switch changed between the value before and the value after, and nobody knows when; many of them pin the offset down
to far less than a step, because each falls elsewhere between two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workstation.app.sync_signals import Progress, attacks, film_of, sound_of
from workstation.core.errors import DataError
from workstation.core.ratio import Int64s
from workstation.core.sample import Stream
from workstation.core.timebase import TimeRange
from workstation.media.base import AudioReader, CancelToken, Reader, SeriesReader, VideoReader
from workstation.sync.curves import Curve
from workstation.sync.delay import Floats
from workstation.sync.marks import Moment
from workstation.sync.transients import flashes, sound_onsets

MOST_EVENTS = 5_000
_MOST_ONSETS = 200
_LOW, _HIGH = 0.35, 0.65
"""Of the range: in between, a switch that chatters has not switched."""
_HINTS = ("ttl", "sync", "pulse", "trigger", "strobe", "switch", "event", "button", "brake")


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Moments of a stream in session time, the channel they are of, and what to draw."""

    moments: tuple[Moment, ...]
    channel: str
    shown: Curve


def events_of(
    stream: Stream, reader: Reader, *, channel: str = "", falling: bool = False, progress: Progress | None = None,
    cancel: CancelToken | None = None,
) -> Events:  # fmt: skip
    """The events of a stream: edges of a channel of a series, beginnings of sounds, flashes of a film."""
    if isinstance(reader, SeriesReader):
        return _of_series(stream, reader, channel, falling=falling)
    if isinstance(reader, AudioReader):
        signal = sound_of(stream, reader)
        onsets = sound_onsets(signal.read(0, signal.count), signal.rate_hz, signal.start_ns, most=_MOST_ONSETS)
        _refuse_none(stream, onsets, "sudden sound")
        return Events(
            moments=tuple(onsets), channel="", shown=attacks(signal, [each.middle_ns for each in onsets])
        )  # fmt: skip
    if isinstance(reader, VideoReader):
        info = reader.info.span
        whole = TimeRange(0, 1) if info is None else stream.time_map.range_to_session(info)
        film = film_of(stream, reader, [whole], cancel, progress)
        seen = flashes(film.times_ns, film.brightness)
        _refuse_none(stream, seen, "flash")
        return Events(
            moments=tuple(seen), channel="", shown=Curve(times_ns=film.times_ns, values=film.brightness)
        )  # fmt: skip
    raise DataError("holds no events: name a series, a sound or a film", place=stream.key)


def edges(times_ns: Int64s, values: Floats, *, falling: bool = False) -> list[Moment]:
    """Where a channel switches on (``falling``: off), each between the value before and the value after."""
    known = np.isfinite(values)
    times, held = times_ns[known], values[known]
    if len(held) < 2:
        return []
    low, high = float(held.min()), float(held.max())
    if high <= low:
        return []
    share = (held - low) / (high - low)
    if falling:
        share = 1 - share
    # Up above the upper mark counts once, until it has been below the lower one.
    above, below = share >= _HIGH, share <= _LOW
    settled = np.where(above, 1, np.where(below, 0, -1))
    decided = np.flatnonzero(settled >= 0)
    if not len(decided):
        return []
    states = settled[decided]
    rises = np.flatnonzero((states[1:] == 1) & (states[:-1] == 0)) + 1
    return [
        Moment(from_ns=int(times[decided[each - 1]]), to_ns=int(times[decided[each]]))
        for each in rises[:MOST_EVENTS].tolist()
    ]


def switch_channel(stream: Stream, reader: SeriesReader, wanted: str = "") -> str:
    """The channel that is meant; left out, the one that switches between two values, by name the likeliest."""
    names = [each.name for each in reader.channels]
    if wanted:
        if wanted not in names:
            raise DataError(f"has no channel {wanted!r}; it has {', '.join(names[:12])}", place=stream.key)
        return wanted
    switching = [name for name in names if _switches(reader, name)]
    for hint in _HINTS:
        for name in switching:
            if hint in name.lower():
                return name
    if len(switching) == 1:
        return switching[0]
    said = ", ".join((switching or names)[:12])
    raise DataError(
        f"has {'several channels that switch' if switching else 'no channel that switches'}; name one with --channel: "
        f"{said}",
        place=stream.key,
    )


def _switches(reader: SeriesReader, name: str) -> bool:
    values = reader.samples(name)[1]
    values = values[np.isfinite(values)]
    return len(values) > 1 and len(np.unique(values[:100_000])) == 2


def _of_series(stream: Stream, reader: SeriesReader, channel: str, *, falling: bool) -> Events:
    name = switch_channel(stream, reader, channel)
    own, values = reader.samples(name)
    times = stream.time_map.to_session_array(np.asarray(own, np.int64))
    found = edges(times, np.asarray(values, np.float64), falling=falling)
    _refuse_none(stream, found, f"{'falling' if falling else 'rising'} edge of {name}")
    return Events(
        moments=tuple(found), channel=name, shown=Curve(times_ns=times, values=np.asarray(values, np.float64))
    )  # fmt: skip


def _refuse_none(stream: Stream, found: list[Moment], what: str) -> None:
    if not found:
        raise DataError(f"shows no {what}", place=stream.key)
