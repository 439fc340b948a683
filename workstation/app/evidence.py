"""Facts of a sample's media for the rules, read when a rule first asks. Fits ``core.evidence.Evidence``.

Made by ``validation.py`` for each sample that is checked, on the thread that checks; nothing is opened before it is
wanted. The window's checks keep theirs (``KeptEvidence``) for as long as the sample, its streams and rig stay.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from workstation.app.gyro_clock import gyro_late
from workstation.app.likeness import LikenessModels
from workstation.app.moment import table_of
from workstation.app.reading import Formats
from workstation.app.scenery import trajectories_of
from workstation.app.streams import OpenStreams, reading_context
from workstation.core.errors import DataError
from workstation.core.evidence import ClockOff, Evidence, Likeness, Unmeasured
from workstation.core.frametable import nearest_capture
from workstation.core.geometry import Box, Mask, Point, Polygon, Shape
from workstation.core.ids import SampleId
from workstation.core.pixels import mask_pixels
from workstation.core.rigs import newest_calibration
from workstation.core.sample import Sample, Stream
from workstation.core.space import FrameTree
from workstation.core.stopping import StopToken
from workstation.media.base import (
    AudioReader,
    ImageReader,
    OpenContext,
    Picture,
    Region,
    SeriesReader,
    VideoReader,
    View,
    VolumeReader,
)
from workstation.store.project import ProjectFolder
from workstation.store.queries import Reads

T = TypeVar("T")
Inside = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]
_BLOCK_HOPS = 512
_SCORED_PX = 512
_BESIDE_PX = 2
"""A point stands for the pixels about it."""


class MediaEvidence:
    """Of one sample. One thread; close it, or use it in a ``with`` block."""

    def __init__(
        self, reads: Reads, sample: SampleId, readers: OpenStreams, models: LikenessModels | None = None
    ) -> None:
        self._models = LikenessModels() if models is None else models
        self._reads = reads
        self._sample = sample
        self._readers = readers
        self._stop = StopToken()
        self._known: dict[Hashable, Any] = {}

    def read_from(self, reads: Reads, stop: StopToken) -> None:
        """Where records and blobs are read from now on, until asked to ``stop``; the streams are those of before."""
        self._reads, self._stop = reads, stop

    def frames(self) -> FrameTree:
        """The newest rig with the poses of the sample's trajectories."""
        return self._once("frames", self._frames)

    def captures(self, stream: Stream) -> NDArray[np.int64]:
        """When each item was taken."""
        return self._once(("captures", stream.id), lambda: self._captures(stream))

    def pixels(self, stream: Stream, session_ns: int, shape: Shape) -> NDArray[np.uint8]:
        """The colours inside a flat shape."""
        reader = self._reader(stream)
        around, inside = self._inside(shape)
        if not isinstance(reader, ImageReader | VideoReader):
            raise Unmeasured(f"{stream.key} is no picture")
        view = View(around.clipped(reader.width_px, reader.height_px))
        if not isinstance(reader, VideoReader):  # a reader of films also answers to the protocol of single pictures
            return _coloured(reader.picture(view), inside)
        near = nearest_capture(reader.table, stream.time_map, session_ns)
        if near is None:
            raise Unmeasured(f"{stream.key} has no picture to look at")
        return _coloured(reader.picture(near.index, view), inside)

    def motion(
        self, stream: Stream, shape: Shape, start_ns: int, end_ns: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Changes between pictures."""
        return self._once(
            ("motion", stream.id, shape, start_ns, end_ns), lambda: self._motion(stream, shape, start_ns, end_ns)
        )

    def voxels(self, stream: Stream, place: tuple[float, float, float], radius: float) -> NDArray[np.float64]:
        """Values around a place of the patient."""
        reader = self._reader(stream)
        if not isinstance(reader, VolumeReader):
            raise Unmeasured(f"{stream.key} is no volume")
        return _voxels(reader, np.array(place, float), radius)

    def loudness(self, stream: Stream, start_ns: int, end_ns: int, hop_ns: int) -> NDArray[np.float64]:
        """Root mean square per hop."""
        key = ("loudness", stream.id, start_ns, end_ns, hop_ns)
        return self._once(key, lambda: self._loudness(stream, start_ns, end_ns, hop_ns))

    def readings(self, stream: Stream, channel: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and values of a channel."""
        return self._once(("readings", stream.id, channel), lambda: self._readings(stream, channel))

    def turning(self, stream: Stream) -> ClockOff | None:
        """By the poses of the sample's first trajectory."""
        streams = tuple(self._reads.streams(self._sample))
        return self._once(("turning", stream.id), lambda: gyro_late(stream, streams, self._reader, stop=self._stop))

    def tag_likeness(self, tags: Sequence[str], texts: Sequence[str]) -> Likeness:
        """By the sentence model of this machine."""
        return self._once(("tags", tuple(tags), tuple(texts)), lambda: self._models.tag_likeness(tags, texts))

    def picture_likeness(self, stream: Stream, session_ns: int, texts: Sequence[str]) -> Likeness:
        """By the scorer of pictures of this machine."""
        key = ("fits", stream.id, session_ns, tuple(texts))
        return self._once(key, lambda: self._models.picture_likeness(lambda: self._picture(stream, session_ns), texts))

    def _picture(self, stream: Stream, session_ns: int) -> NDArray[np.uint8]:
        """All of it at no more than some hundred pixels a side: a scorer looks at fewer."""
        reader = self._reader(stream)
        if not isinstance(reader, ImageReader | VideoReader):
            raise Unmeasured(f"{stream.key} is no picture")
        view = View(width_px=_SCORED_PX, height_px=_SCORED_PX)
        if not isinstance(reader, VideoReader):
            return _three_channels(reader.picture(view))
        near = nearest_capture(reader.table, stream.time_map, session_ns)
        if near is None:
            raise Unmeasured(f"{stream.key} has no picture to look at")
        return _three_channels(reader.picture(near.index, view))

    def author(self, record_id: str) -> str:
        """Who said last what a record is."""
        entries = self._reads.provenance(record_id).entries
        own = [entry for entry in entries if not entry.part]
        said = [entry for entry in own if not entry.fields or "class_id" in entry.fields]
        return said[-1].actor.name if said else ""

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        self._stop.look()
        if key not in self._known:
            try:
                self._known[key] = make()
            except Unmeasured as why:
                self._known[key] = why
        found = self._known[key]
        if isinstance(found, Unmeasured):
            raise Unmeasured(str(found))
        return cast("T", found)

    def _reader(self, stream: Stream) -> Any:
        self._stop.look()  # a film is read through before its first frame can be asked for
        try:
            return self._readers.reader(stream)
        except (DataError, OSError) as error:
            raise Unmeasured(f"{stream.key} cannot be read: {error}") from error

    def _frames(self) -> FrameTree:
        streams = list(self._reads.streams(self._sample))
        return FrameTree(newest_calibration(self._reads, self._sample), trajectories_of(streams, self._readers))

    def _captures(self, stream: Stream) -> NDArray[np.int64]:
        table = table_of(self._reader(stream))
        if table is None:
            raise Unmeasured(f"{stream.key} has no items with times of their own")
        return stream.time_map.to_session_array(np.asarray(table.times_ns, np.int64))

    def _inside(self, shape: Shape) -> tuple[Region, Inside]:
        """The rectangle around a shape, and which pixel centres of the full picture lie in it."""
        if isinstance(shape, Point):
            x, y = int(shape.x), int(shape.y)
            around = Region(x - _BESIDE_PX, y - _BESIDE_PX, x + _BESIDE_PX + 1, y + _BESIDE_PX + 1)
            return around, lambda x, y: np.ones(x.shape, bool)
        if isinstance(shape, Mask):
            blob = self._reads.blob(shape.blob)
            if blob is None:
                raise Unmeasured("the pixels of a mask are not stored any more")
            pixels = mask_pixels(blob, shape.width, shape.height)
            left, top = shape.x, shape.y
            around = Region(left, top, left + shape.width, top + shape.height)
            return around, lambda x, y: pixels[y.astype(np.intp) - top, x.astype(np.intp) - left]
        rings = _rings(shape)
        corners = np.concatenate(rings)
        low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
        around = Region(
            int(low[0]), int(low[1]), max(int(high[0]), int(low[0]) + 1), max(int(high[1]), int(low[1]) + 1)
        )
        return around, lambda x, y: _within(rings, x, y)

    def _motion(
        self, stream: Stream, shape: Shape, start_ns: int, end_ns: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        reader = self._reader(stream)
        if not isinstance(reader, VideoReader):
            raise Unmeasured(f"{stream.key} is no film")
        around, inside = self._inside(shape)
        view = View(around.clipped(reader.width_px, reader.height_px))
        times = stream.time_map.to_session_array(np.asarray(reader.table.times_ns, np.int64))
        wanted = np.flatnonzero((times >= start_ns) & (times < end_ns))
        before: NDArray[np.int16] | None = None
        changes = []
        for index in wanted.tolist():
            self._stop.look()
            now = _coloured(reader.picture(index, view), inside).astype(np.int16)
            if before is not None:
                changes.append(float(np.abs(now - before).mean()) if len(now) else 0.0)
            before = now
        shown = times[wanted]
        return (shown[1:] + shown[:-1]) // 2, np.array(changes, float)

    def _loudness(self, stream: Stream, start_ns: int, end_ns: int, hop_ns: int) -> NDArray[np.float64]:
        reader = self._reader(stream)
        if not isinstance(reader, AudioReader):
            raise Unmeasured(f"{stream.key} is no sound")
        if hop_ns <= 0 or end_ns <= start_ns:
            return np.zeros(0)
        edges = start_ns + np.arange((end_ns - start_ns) // hop_ns + 1, dtype=np.int64) * hop_ns
        own = stream.time_map.to_stream_array(edges)
        at = np.rint((own - reader.time_of(0)) * (reader.sample_rate_hz / 1e9)).astype(np.int64)
        found = np.zeros(len(at) - 1)
        for first in range(0, len(found), _BLOCK_HOPS):
            self._stop.look()
            last = min(first + _BLOCK_HOPS, len(found))
            _add_loudness(reader, at[first : last + 1], found[first:last])
        return found

    def _readings(self, stream: Stream, channel: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        reader = self._reader(stream)
        if not isinstance(reader, SeriesReader):
            raise Unmeasured(f"{stream.key} is no series")
        try:
            times_ns, values = reader.samples(channel)
        except DataError as error:
            raise Unmeasured(f"{stream.key}: {error}") from error
        known = np.isfinite(values)
        return stream.time_map.to_session_array(times_ns[known]), values[known]


def _add_loudness(reader: AudioReader, at: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    start, stop = max(0, int(at[0])), min(reader.frames, int(at[-1]))
    if stop <= start:
        return
    power = np.square(reader.read(start, stop), dtype=np.float64).mean(axis=1)
    summed = np.concatenate([[0.0], np.cumsum(power)])
    edges = np.clip(at, start, stop) - start
    count = np.diff(at)
    with np.errstate(divide="ignore", invalid="ignore"):
        out[:] = np.where(count > 0, np.sqrt(np.maximum(np.diff(summed[edges]), 0) / count), 0.0)


def _voxels(reader: VolumeReader, place: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Those whose middle lies within the radius, at least the nearest; NaN where the files have none is left out."""
    forth = reader.patient_from_voxel
    steps = np.linalg.norm(forth[:3, :3], axis=0)
    radius = max(radius, float(np.linalg.norm(steps)) / 2)
    middle = np.linalg.solve(forth, np.append(place, 1.0))[:3]
    low = np.maximum(np.floor(middle - radius / steps).astype(int), 0)
    high = np.minimum(np.ceil(middle + radius / steps).astype(int) + 1, reader.shape)
    if (low >= high).any():
        return np.zeros(0)
    found = []
    for number in range(low[0], high[0]):
        rows, columns = np.mgrid[low[1] : high[1], low[2] : high[2]]
        at = np.stack([np.full(rows.size, number), rows.ravel(), columns.ravel(), np.ones(rows.size)])
        near = np.linalg.norm((forth @ at)[:3] - place[:, None], axis=0) <= radius
        found.append(reader.slab(0, number)[rows.ravel()[near], columns.ravel()[near]].astype(np.float64))
    values = np.concatenate(found)
    known: NDArray[np.float64] = values[np.isfinite(values)]
    return known


def _rings(shape: Shape) -> list[NDArray[np.float64]]:
    if isinstance(shape, Polygon):
        return [np.array(ring, float) for ring in (shape.outer, *shape.holes)]
    if isinstance(shape, Box):
        angle = np.radians(shape.angle_deg)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        half = np.array([shape.width, shape.height]) / 2
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        return [corners @ turn.T + [shape.x + half[0], shape.y + half[1]]]
    raise Unmeasured(f"a {type(shape).__name__.lower()} has no inside on a picture")


def _within(rings: list[NDArray[np.float64]], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Even-odd: inside the outer ring and in none of the holes."""
    odd = np.zeros(x.shape, bool)
    for ring in rings:
        for (x0, y0), (x1, y1) in zip(ring.tolist(), np.roll(ring, -1, axis=0).tolist(), strict=True):
            if y0 != y1:
                odd ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return odd


def _coloured(picture: Picture, inside: Inside) -> NDArray[np.uint8]:
    pixels = _three_channels(picture)
    rows, columns = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]]
    found = inside(columns + picture.region.left + 0.5, rows + picture.region.top + 0.5)
    return np.ascontiguousarray(pixels[found])


def _three_channels(picture: Picture) -> NDArray[np.uint8]:
    pixels = picture.pixels if picture.pixels.ndim == 3 else picture.pixels[..., None].repeat(3, axis=2)
    if pixels.dtype != np.uint8:
        raise Unmeasured("its pixels are measurements, not colours")
    return pixels[..., :3]


def media_evidence(
    reads: Reads, project: ProjectFolder, models: LikenessModels | None = None, stop: StopToken | None = None
) -> Callable[[Sample], AbstractContextManager[Evidence]]:
    """What ``Validation`` opens for each sample it checks. ``models``: those that compare texts and pictures. Once
    asked to ``stop``, what is being learnt of media is broken off."""
    formats, shared = Formats(), OpenContext()
    scorers = LikenessModels() if models is None else models

    @contextmanager
    def opened(sample: Sample) -> Iterator[Evidence]:
        context = reading_context(project, reads.streams(sample.id), shared=shared)
        with OpenStreams(project.path, readers=formats.readers, context=context) as readers:
            found = MediaEvidence(reads, sample.id, readers, scorers)
            if stop is not None:
                found.read_from(reads, stop)
            yield found

    return opened


class KeptEvidence:
    """The evidence of the sample that is checked again and again, with its readers open. One thread; close it."""

    def __init__(self, project: ProjectFolder, models: LikenessModels | None = None) -> None:
        self._project = project
        self._models = LikenessModels() if models is None else models
        self._formats, self._shared = Formats(), OpenContext()
        self._sample: SampleId | None = None
        self._readers: OpenStreams | None = None
        self._made: MediaEvidence | None = None

    def of(self, reads: Reads, sample: SampleId, stop: StopToken | None = None) -> MediaEvidence:
        """That of a sample, as long as nobody calls ``forget`` with what was learnt of its media before."""
        stop = stop or StopToken()
        if self._made is not None and self._sample == sample:
            self._made.read_from(reads, stop)
            return self._made
        self.forget()
        context = reading_context(self._project, reads.streams(sample), shared=self._shared)
        self._readers = OpenStreams(self._project.path, readers=self._formats.readers, context=context)
        self._sample, self._made = sample, MediaEvidence(reads, sample, self._readers, self._models)
        self._made.read_from(reads, stop)
        return self._made

    def forget(self) -> None:
        """Let go of what was learnt: the streams or the rig are others now. Closes the readers."""
        if self._readers is not None:
            self._readers.close()
        self._sample, self._readers, self._made = None, None, None
