"""The curves of the open sample's channels: short ones at once, long ones on a thread with readers of its own.

Held by the series pane. Without Qt: ``deliver`` is called on the thread for what was made there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from workstation.app.background import Background
from workstation.app.series_curves import ChannelCurve, curve_of
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError, UserError
from workstation.core.sample import Stream
from workstation.media.base import Cancelled, CancelToken, Channel, OpenContext, ReaderSpec, SeriesReader

AT_ONCE = 200_000
"""Rows of a stream up to which its channels are prepared on the window's thread: a few milliseconds each."""
Key = tuple[str, str]
"""Id of the stream, name of the channel."""


class SeriesFeed:
    """Of one sample; ``close`` it when another is opened."""

    def __init__(
        self,
        project: Path,
        streams: Sequence[Stream],
        readers: OpenStreams,
        deliver: Callable[[Key, ChannelCurve | UserError], None],
        *,
        specs: Sequence[ReaderSpec],
        context: OpenContext,
        calm: threading.Event | None = None,
    ) -> None:
        self._streams: dict[str, Stream] = {each.id: each for each in streams}
        self._readers = readers
        self._made: dict[Key, ChannelCurve | UserError] = {}
        self._missed: dict[Key, None] = {}
        self._own = OpenStreams(project, readers=specs, context=context)
        self._deliver = deliver
        self._thread: Background[Key, ChannelCurve] = Background(
            "series", self._make_there, self._deliver_there, at_end=self._own.close, calm=calm
        )

    def channels(self, stream: str) -> tuple[Channel, ...]:
        """The columns of a stream; ``DataError`` if it cannot be read."""
        return self._reader(self._readers, stream).channels

    def curve(self, key: Key) -> ChannelCurve | None:
        """A channel ready to be drawn; ``None`` while it is being read (``begin``), which
        ``deliver`` ends. ``UserError`` if it
        cannot be read."""
        found = self._made.get(key)
        if found is None:
            reader = self._reader(self._readers, key[0])
            if len(reader.times_ns) > AT_ONCE:
                self._missed[key] = None
                return None
            found = self._made[key] = self._made_from(reader, key)
        if isinstance(found, UserError):
            raise found
        return found

    def begin(self) -> None:
        """Read what was missed since, on the thread."""
        if self._missed:
            self._thread.want(tuple(self._missed))

    @property
    def waiting(self) -> bool:
        """Whether something is still being read."""
        return bool(self._missed)

    def arrived(self, key: Key, result: ChannelCurve | UserError) -> None:
        """What the thread made, on the window's thread."""
        self._missed.pop(key, None)
        self._made[key] = result

    def close(self) -> None:
        """End the thread."""
        self._thread.close()

    def _reader(self, readers: OpenStreams, stream: str) -> SeriesReader:
        reader = readers.reader(self._streams[stream])
        if not isinstance(reader, SeriesReader):
            raise DataError("its reader gives no numbers over time", path=self._streams[stream].key)
        return reader

    def _made_from(self, reader: SeriesReader, key: Key) -> ChannelCurve:
        channel = next(each for each in reader.channels if each.name == key[1])
        times, values = reader.samples(channel.name)
        return curve_of(channel.name, channel.unit, channel.labels, self._streams[key[0]].time_map, times, values)

    # --- on the thread ------------------------------------------------------------------------------------------

    def _make_there(self, key: Key, cancel: CancelToken) -> ChannelCurve:
        if cancel.cancelled or key in self._made:
            raise Cancelled
        return self._made_from(self._reader(self._own, key[0]), key)

    def _deliver_there(self, key: Key, result: ChannelCurve | UserError) -> None:
        self._deliver(key, result)
