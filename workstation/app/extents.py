"""From when to when a stream has something, and by which reader: remembered, so that opening a sample needs no file
opened that nobody looks at yet. Asked by ``streams.py``.

Derived from content: found by the files' hashes, how they are read and which plug-ins there are, so what changes any of
these is measured anew.
"""

from __future__ import annotations

import hashlib

import msgspec

from workstation.core.sample import Stream
from workstation.core.timebase import TimeRange
from workstation.media.base import Reader, TimedReader
from workstation.media.cache import DiskCache

_KIND, _VERSION = "extent", 1


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a stream before it is shown."""

    reader: str
    """Name of the reader that reads it."""
    start_ns: int | None = None
    end_ns: int | None = None
    """Stream time of the first item and of the last one's end; ``None`` for what has no time."""
    first_ns: int | None = None
    """When the first picture or sweep shows, in stream time; ``None`` for other streams."""

    @property
    def span(self) -> TimeRange | None:
        if self.start_ns is None or self.end_ns is None:
            return None
        return TimeRange(self.start_ns, self.end_ns)


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_DECODER = msgspec.json.Decoder(Extent)


def extent_of(reader: Reader, name: str) -> Extent:
    """As the open reader says."""
    span = reader.info.span
    table = reader.table if isinstance(reader, TimedReader) else None
    first_ns = int(table.times_ns[0]) if table is not None and len(table) else None
    return Extent(
        reader=name, start_ns=None if span is None else span.start_ns, end_ns=None if span is None else span.end_ns,
        first_ns=first_ns,
    )  # fmt: skip


def read_extent(disk: DiskCache, stream: Stream, plugins: str) -> Extent | None:
    """What was remembered; ``None`` if nothing was, or what is there cannot be understood."""
    key = _key(stream, plugins)
    kept = None if key is None else disk.read(_KIND, key, _VERSION)
    if kept is None:
        return None
    try:
        return _DECODER.decode(kept)
    except msgspec.DecodeError:
        return None  # written by another version under the same number; measured anew


def keep_extent(disk: DiskCache, stream: Stream, plugins: str, extent: Extent) -> None:
    """Remember it for the next time."""
    key = _key(stream, plugins)
    if key is not None:
        disk.write(_KIND, key, _VERSION, msgspec.json.encode(extent))


def _key(stream: Stream, plugins: str) -> str | None:
    """``None`` where the content of a file is not known."""
    if not stream.files or not all(file.sha256 for file in stream.files):
        return None
    digest = hashlib.sha256(msgspec.json.encode(
        (stream.kind, stream.reader, sorted(stream.options.items()), [file.sha256 for file in stream.files], plugins)
    ))  # fmt: skip
    return digest.hexdigest()
