"""Places on the time axis in words: ``14.327``, ``1:02.5``, ``frame 430``, ``sweep 143``. Read by the time field, the
palette and ``screenshot``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from workstation.app.moment import table_of
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError, UserError
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import SECOND_NS

_TIME = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9})(?:[.,](\d{1,9}))?\s*s?")
_ITEM = re.compile(r"(?:(.*?)\s*)#?\s*(\d{1,12})")
_KINDS = {
    "frame": (StreamKind.VIDEO, StreamKind.IMAGE), "picture": (StreamKind.IMAGE, StreamKind.VIDEO),
    "sweep": (StreamKind.CLOUD, StreamKind.RADAR), "scan": (StreamKind.RADAR, StreamKind.CLOUD),
    "sample": (StreamKind.SERIES, StreamKind.TRAJECTORY), "slice": (StreamKind.VOLUME,),
}  # fmt: skip
HELP = "14.327, 1:02.5, frame 430, sweep 143, or a stream's name and a number"


def time_text(time_ns: int) -> str:
    """``00:14.327``; hours in front where there are some, a minus where it is before zero."""
    sign = "−" if time_ns < 0 else ""
    ms = abs(time_ns) // 1_000_000
    hours, rest = divmod(ms, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    ahead = f"{hours}:" if hours else ""
    return f"{sign}{ahead}{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def time_in(text: str) -> int | None:
    """Session nanoseconds of a written time; ``None`` if it is none."""
    text = text.strip()
    sign = -1 if text[:1] in ("-", "−") else 1
    found = _TIME.fullmatch(text.lstrip("-−").strip())
    if found is None:
        return None
    hours, minutes, seconds, part = found.groups()
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds)
    return sign * (whole * SECOND_NS + int(Decimal(f"0.{part or 0}") * SECOND_NS))


def place_in(text: str, view: SampleView, readers: OpenStreams, *, focused: str | None = None) -> int:
    """The session time a person means; ``UserError`` with what can be written."""
    time_ns = time_in(text)
    if time_ns is not None:
        return time_ns
    found = _ITEM.fullmatch(text.strip())
    if found is None:
        raise UserError(f"{text.strip()[:60]!r} is no place in time; write {HELP}")
    word, number = found.group(1).strip().casefold(), int(found.group(2))
    for stream in _meant(word, view, focused):
        try:
            table = table_of(readers.reader(stream))
        except DataError:
            continue  # a stream that cannot be read has no items; the next of its kind may
        if table is None:
            continue
        if not 0 <= number < len(table):
            raise UserError(f"{stream.key} has {len(table)} items, from 0 to {len(table) - 1}")
        return stream.time_map.to_session(int(table.times_ns[number]))
    raise UserError(f"no stream here has {word or 'numbered items'}; write {HELP}")


def _meant(word: str, view: SampleView, focused: str | None) -> Sequence[Stream]:
    """Streams a word may mean, the focused one first."""
    streams = list(view.streams.values())
    ahead = [stream for stream in streams if stream.id == focused]
    if not word:
        return ahead or streams
    named = [stream for stream in streams if word in (stream.key.casefold(), stream.key.casefold().replace("_", " "))]
    if named:
        return named
    kinds = _KINDS.get(word.rstrip("s"), ())
    return [s for kind in kinds for s in (*ahead, *streams) if s.kind is kind]
