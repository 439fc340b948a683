"""Which pictures of a camera stand where on a lane, and a thread that makes them small. Without Qt.

Few decodes: where a stretch of the strip holds a key frame that one is taken, and pictures are asked for only while
they are in view. Each picture stands at its own time; where the stream has nothing there is none.
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from workstation.app.background import Background
from workstation.app.lane_media import Moments
from workstation.app.streams import OpenStreams
from workstation.app.viewport import Viewport
from workstation.core.errors import DataError, UserError
from workstation.core.sample import Stream
from workstation.core.values import dataclass
from workstation.media.base import CancelToken, OpenContext, Picture, ReaderSpec, VideoReader, View
from workstation.media.cache import MemoryCache

_MEMORY_BYTES = 96 << 20
_FINE = 8


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One small picture: which frame of which stream, how high in device pixels."""

    stream: str
    frame: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Place:
    """A picture on the strip: its frame, and from where to where it may be painted, in session time."""

    frame: int
    start_ns: int
    end_ns: int


def places(moments: Moments, view: Viewport, wide_px: float) -> list[Place]:
    """The pictures of a strip, each about ``wide_px`` pixels: a grid that stays where it is when the view moves."""
    table, sessions = moments.table, moments.sessions
    if not len(sessions):
        return []
    slot_ns = _slot_ns(view, wide_px)
    typical = int(np.median(np.diff(sessions))) if len(sessions) > 1 else slot_ns
    if typical >= slot_ns:
        first = max(0, int(sessions.searchsorted(view.start_ns, side="right")) - 1)
        last = int(sessions.searchsorted(view.end_ns))
        return [Place(i, int(sessions[i]), _end(moments, i)) for i in range(first, last)]
    found = []
    for number in range(view.start_ns // slot_ns, -(-view.end_ns // slot_ns)):
        start, end = number * slot_ns, (number + 1) * slot_ns
        low, high = (int(each) for each in sessions.searchsorted([start, end]))
        if low < high:
            keys = np.flatnonzero(table.key[low:high])
            found.append(Place(low + int(keys[0]) if len(keys) else low, start, end))
    return found


def _slot_ns(view: Viewport, wide_px: float) -> int:
    """Just as long as a picture is wide, in steps of an eighth of an octave, so that zooming rarely moves the grid."""
    wanted = max(1.0, view.ns_per_px * wide_px)
    return max(1, round(math.exp2(math.ceil(math.log2(wanted) * _FINE) / _FINE)))


def _end(moments: Moments, index: int) -> int:
    """When a frame gives way to the next one, or to a gap."""
    shown = moments.table.shown(index)
    length = shown.duration_ns
    following = int(moments.sessions[index + 1]) if index + 1 < len(moments.sessions) else None
    end = int(moments.sessions[index]) + length
    return end if following is None else min(end, following)


class Thumbnails:
    """Small pictures of all cameras of a sample, made one after the other with decoders of their own: what the camera
    panes show is not slowed down by what the timeline shows."""

    def __init__(
        self,
        project: Path,
        streams: Sequence[Stream],
        deliver: Callable[[Thumbnail, Picture | UserError], None],
        *,
        readers: Sequence[ReaderSpec] | None = None,
        context: OpenContext | None = None,
        calm: threading.Event | None = None,
    ) -> None:
        shared = dataclasses.replace(context or OpenContext(), memory=MemoryCache(_MEMORY_BYTES))
        self._open = OpenStreams(project, readers=readers, context=shared)
        self._streams: dict[str, Stream] = {stream.id: stream for stream in streams}
        self._background: Background[Thumbnail, Picture] = Background(
            "thumbnails", self._make, deliver, at_end=self._open.close, calm=calm
        )

    def want(self, wanted: Sequence[Thumbnail]) -> None:
        """These are in view and missing."""
        self._background.want(wanted)

    def close(self) -> None:
        """Stop the thread; it closes its decoders."""
        self._background.close()

    def _make(self, wanted: Thumbnail, cancel: CancelToken) -> Picture:
        stream = self._streams.get(wanted.stream)
        if stream is None:
            raise UserError("the stream is gone")
        reader = self._open.reader(stream)
        if not isinstance(reader, VideoReader):
            raise DataError("it has no pictures in time", path=stream.key)
        return reader.picture(wanted.frame, View(height_px=wanted.height_px), cancel=cancel)
