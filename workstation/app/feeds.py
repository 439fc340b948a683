"""Pictures of a sample's streams for panes: one worker thread per stream that decodes what the playhead shows.

A pane asks for a session time; the feed finds the item that shows then (or that there is none), asks the worker,
and calls back on the worker's thread, which the window carries over to its own (``ui/gui_thread.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workstation.app.moment import table_of
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.frametable import Capture, nearest_capture, shown_capture
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import FrameTable
from workstation.media.base import Picture, VideoReader, View
from workstation.media.prefetch import Delivery, Screen, VideoLoader, Worker

PictureDelivery = Delivery[Picture]


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What a stream shows at a session time: an item, or nothing with the nearest one there is."""

    capture: Capture | None = None
    nearest: Capture | None = None


class PictureFeed:
    """The pictures of one video or picture sequence. ``deliver`` is called on the worker's thread."""

    def __init__(self, stream: Stream, reader: VideoReader, deliver: Callable[[PictureDelivery], None]) -> None:
        self.stream = stream
        self.reader = reader
        self.screen = Screen()
        """Whether a delivery is newer than what is painted: ask ``screen.accepts(delivery.request)``."""
        self._worker: Worker[Picture] = Worker(stream.key, VideoLoader(reader), deliver)

    @property
    def table(self) -> FrameTable:
        """When each picture shows, in stream time."""
        return self.reader.table

    def at(self, session_ns: int) -> Now:
        """Which picture shows then."""
        found = shown_capture(self.table, self.stream.time_map, session_ns)
        if found is not None:
            return Now(capture=found)
        return Now(nearest=nearest_capture(self.table, self.stream.time_map, session_ns))

    def show(self, index: int, view: View) -> int:
        """Ask for a picture; answers the number of the request, which its delivery carries."""
        return self._worker.show(index, view).number

    def close(self) -> None:
        """End the worker and wait for it. The reader belongs to ``OpenStreams``."""
        self._worker.close()


def open_feed(stream: Stream, readers: OpenStreams, deliver: Callable[[PictureDelivery], None]) -> PictureFeed:
    """The feed of a stream of pictures in time; ``DataError`` if it has none."""
    reader = readers.reader(stream)
    if not isinstance(reader, VideoReader) or table_of(reader) is None:
        raise DataError(f"a stream of the kind {stream.kind.value} has no pictures in time", path=stream.key)
    return PictureFeed(stream, reader, deliver)


PICTURE_KINDS = frozenset({StreamKind.VIDEO, StreamKind.IMAGE})
"""Kinds of streams that a camera pane shows. A single picture has no time and is read directly."""
