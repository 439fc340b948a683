"""Pictures of a sample's streams for panes: one worker thread per stream that decodes what the playhead shows.

A pane asks for a session time; the feed finds the item that shows then (or that there is none), asks the worker,
and calls back on the worker's thread, which the window carries over to its own (``ui/gui_thread.py``).

Three kinds, one contract: pictures in time (video, sequences, films), a still picture, slices of a volume.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from workstation.app.moment import table_of
from workstation.app.shown_kinds import PICTURE_KINDS
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.frametable import Capture, nearest_capture, shown_capture
from workstation.core.sample import Stream
from workstation.core.timebase import FrameTable
from workstation.media.base import CancelToken, ImageReader, Picture, Pixels, VideoReader, View, VolumeReader, Window
from workstation.media.image_levels import single_level
from workstation.media.prefetch import Delivery, Loader, Previews, Screen, Together, VideoLoader, Worker

PictureDelivery = Delivery[Picture]
Deliver = Callable[[PictureDelivery], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What a stream shows at a session time: an item, or nothing with the nearest one there is."""

    capture: Capture | None = None
    nearest: Capture | None = None
    index: int | None = None
    """The item, also of what has no time and then no capture."""


class Feed(Protocol):
    """The pictures of one stream."""

    stream: Stream
    screen: Screen

    @property
    def table(self) -> FrameTable | None:
        """When each picture shows, in stream time; ``None`` where time says nothing."""
        ...

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of a picture."""
        ...

    @property
    def aspect(self) -> float:
        """How many times as high as wide a pixel is in what the picture shows."""
        ...

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows a volume brings with it."""
        ...

    @property
    def item_name(self) -> str:
        """``frame``, ``picture``, ``slice``."""
        ...

    def at(self, session_ns: int) -> Now: ...
    def instance(self, index: int) -> str | None:
        """What ``Annotation.item`` names this picture by, where time does not."""
        ...

    def place_mm(self, index: int) -> float | None:
        """Where a slice lies in the patient along the way through the volume; ``None`` for pictures."""
        ...

    def show(self, index: int, view: View) -> int: ...
    def whole(self, index: int) -> Picture:
        """A picture at full resolution, now: on the thread that asks. Mostly it was decoded for the screen already."""
        ...

    def stop(self) -> None:
        """End its worker without waiting for it; ``close`` is still to come."""
        ...

    def close(self) -> None: ...


class PictureFeed:
    """The pictures of one video or picture sequence. ``deliver`` is called on the worker's thread."""

    windows: tuple[Window, ...] = ()
    item_name = "frame"

    def __init__(
        self,
        stream: Stream,
        reader: VideoReader,
        deliver: Deliver,
        *,
        previews: Previews | None = None,
        calm: threading.Event | None = None,
        together: Together | None = None,
    ) -> None:
        self.stream = stream
        self.reader = reader
        self.screen = Screen()
        """Whether a delivery is to be painted: ask ``screen.accepts``."""
        loader = VideoLoader(reader, previews=previews)
        self._worker: Worker[Picture] = Worker(stream.key, loader, deliver, calm=calm, together=together)

    @property
    def table(self) -> FrameTable:
        """When each picture shows, in stream time."""
        return self.reader.table

    @property
    def size_px(self) -> tuple[int, int]:
        return self.reader.width_px, self.reader.height_px

    @property
    def aspect(self) -> float:
        return pixel_aspect(self.reader)

    def at(self, session_ns: int) -> Now:
        """Which picture shows then."""
        found = shown_capture(self.table, self.stream.time_map, session_ns)
        if found is not None:
            return Now(capture=found, index=found.index)
        return Now(nearest=nearest_capture(self.table, self.stream.time_map, session_ns))

    def instance(self, index: int) -> str | None:
        return None

    def place_mm(self, index: int) -> float | None:
        return None

    def show(self, index: int, view: View) -> int:
        """Ask for a picture; answers the number of the request, which its delivery carries."""
        return self._worker.show(index, view).number

    def whole(self, index: int) -> Picture:
        """The picture at full resolution, now."""
        return self.reader.picture(index, View())

    def stop(self) -> None:
        self._worker.stop()

    def close(self) -> None:
        """End the worker and wait for it. The reader belongs to ``OpenStreams``."""
        self._worker.close()


class StillFeed:
    """One picture, always there; or the slices of a volume, of which the pane chooses one (``choose``)."""

    table: FrameTable | None = None

    def __init__(
        self,
        stream: Stream,
        loader: StillLoader | SliceLoader,
        deliver: Deliver,
        *,
        windows: tuple[Window, ...] = (),
        instances: tuple[str, ...] = (),
    ) -> None:
        self.stream = stream
        self.screen = Screen()
        self.windows = windows
        self.count = loader.count
        self.chosen = self.count // 2
        self.size_px = loader.size_px
        self.aspect = loader.aspect
        self.item_name = "picture" if isinstance(loader, StillLoader) else "slice"
        self._instances = instances
        self._loader = loader
        self._worker: Worker[Picture] = Worker(stream.key, loader, deliver)

    def choose(self, index: int) -> None:
        """The slice to show from now on."""
        self.chosen = min(max(index, 0), self.count - 1)

    def at(self, session_ns: int) -> Now:
        return Now(index=self.chosen)

    def instance(self, index: int) -> str | None:
        return slice_item(self._instances, index) if self.item_name == "slice" else None

    def place_mm(self, index: int) -> float | None:
        return self._loader.place_mm(index)

    def show(self, index: int, view: View) -> int:
        return self._worker.show(index, view).number

    def whole(self, index: int) -> Picture:
        return self._loader.load(index, View(), CancelToken())

    def stop(self) -> None:
        self._worker.stop()

    def close(self) -> None:
        self._worker.close()


class _Loader:
    """A loader without previews, whose items are read where they are asked for."""

    def at_once(self, index: int, view: View) -> Picture | None:
        return None

    def preview(self, index: int, view: View) -> Picture | None:
        return None

    def spare(self, index: int, cancel: CancelToken) -> float | None:
        return None


class StillLoader(_Loader):
    """A single picture for a worker."""

    ahead = 0
    count = 1

    def __init__(self, reader: ImageReader) -> None:
        self._reader = reader
        self.size_px = (reader.width_px, reader.height_px)
        self.aspect = pixel_aspect(reader)

    def place_mm(self, index: int) -> float | None:
        return None

    def load(self, index: int, view: View, cancel: CancelToken) -> Picture:
        return self._reader.picture(view)

    def read_ahead(self, index: int, direction: int, count: int, view: View, cancel: CancelToken) -> None:
        """There is nothing else to read."""


class SliceLoader(_Loader):
    """Slices of a volume across its first axis, values in the volume's unit."""

    ahead = 4

    def __init__(self, reader: VolumeReader) -> None:
        self._reader = reader
        self.count, height, width = reader.shape
        self.size_px = (width, height)
        _, down_mm, across_mm = np.linalg.norm(reader.patient_from_voxel[:3, :3], axis=0).tolist()
        self.aspect = down_mm / across_mm

    def place_mm(self, index: int) -> float | None:
        along = self._reader.patient_from_voxel[:3, 0]
        start = self._reader.patient_from_voxel[:3, 3]
        axis = int(np.abs(along).argmax())
        return float(start[axis] + index * along[axis])

    def load(self, index: int, view: View, cancel: CancelToken) -> Picture:
        return single_level(self._slab(index)).picture(view)

    def read_ahead(self, index: int, direction: int, count: int, view: View, cancel: CancelToken) -> None:
        for ahead in range(index, index + direction * count, direction):
            cancel.check()
            if 0 <= ahead < self.count:
                self._slab(ahead)

    def _slab(self, index: int) -> Pixels:
        return np.asarray(self._reader.slab(0, index))


def slice_item(instances: tuple[str, ...], index: int) -> str | None:
    """What ``Annotation.item`` names a slice by: its image instance, or its number where the files name none; ``None``
    for a slice that is missing."""
    return (instances[index] or None) if index < len(instances) else f"slice {index + 1}"


def pixel_aspect(reader: ImageReader | VideoReader) -> float:
    """How many times as high as wide a pixel is: 1 for all but films and pictures that state their spacing."""
    return float(getattr(reader, "pixel_aspect", 1.0))


def open_feed(stream: Stream, readers: OpenStreams, deliver: Deliver) -> PictureFeed:
    """The feed of a stream of pictures in time; ``DataError`` if it has none."""
    reader = readers.reader(stream)
    if not isinstance(reader, VideoReader) or table_of(reader) is None:
        raise DataError(f"a stream of the kind {stream.kind.value} has no pictures in time", path=stream.key)
    return PictureFeed(stream, reader, deliver)


def open_pictures(stream: Stream, readers: OpenStreams, deliver: Deliver) -> PictureFeed | StillFeed:
    """The feed of whatever has pictures: in time, a single one, or slices; ``DataError`` if it has none."""
    reader = readers.reader(stream)
    if isinstance(reader, VideoReader) and table_of(reader) is not None:
        previews, together = readers.previews(stream), readers.together
        return PictureFeed(stream, reader, deliver, previews=previews, calm=readers.calm, together=together)
    if isinstance(reader, VolumeReader):
        look = getattr(reader, "look", None)
        instances = tuple(getattr(look, "instances", ()))
        return StillFeed(stream, SliceLoader(reader), deliver, windows=reader.windows, instances=instances)
    if isinstance(reader, ImageReader):
        return StillFeed(stream, StillLoader(reader), deliver)
    raise DataError(f"a stream of the kind {stream.kind.value} has no pictures", path=stream.key)


__all__ = ["PICTURE_KINDS", "Feed", "Loader", "Now", "PictureDelivery", "PictureFeed", "StillFeed", "open_feed"]
