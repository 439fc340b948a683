"""The type module of ``media``: what a reader of each kind of stream answers, and how a format registers.

Panes, checks, exporters and models speak to readers through these protocols and nothing else.
Adding a format is one file: a module that holds a ``READERS`` tuple of ``ReaderSpec`` (see ``probe.py``).

Times are stream time: whole nanoseconds from the stream's own origin. What cannot be used is a ``DataError``
with one sentence; a reader answers from any one thread at a time, and never writes to the file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import FrameTable, TimeRange
from workstation.core.values import dataclass
from workstation.media.cache import DiskCache, MemoryCache

Pixels = NDArray[Any]
"""(height, width) or (height, width, 3 or 4): grey, RGB or RGBA; uint8, uint16 or float32."""
OptionValue = str | bool | int | float
Options = Mapping[str, OptionValue]
Progress = Callable[[float], None]
"""Told the finished share, 0 to 1, from the thread that does the work."""

HEAD_BYTES = 4096
"""How much of a file's beginning a probe is given."""


class Cancelled(Exception):
    """The caller took the request back; nothing was delivered and nothing is broken."""


class CancelToken:
    """Whether an answer is still wanted. Set from any thread; long work asks it often."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise ``Cancelled`` if the answer is no longer wanted."""
        if self._event.is_set():
            raise Cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a reader may use before it says no. A file's header is a claim: check it against these first."""

    max_pixels: int = 1 << 29
    """Of one picture, decoded (0.5 gigapixels)."""
    max_bytes: int = 4 << 30
    """Of one item, decoded."""
    max_items: int = 50_000_000
    """Frames, sweeps, rows or samples of a table held in memory."""

    def check_picture(self, width_px: int, height_px: int, *, bytes_per_pixel: int, path: Path | str) -> None:
        """Refuse a picture that is empty or larger than the limits, before any of it is decoded."""
        if width_px <= 0 or height_px <= 0:
            raise DataError(f"the picture is {width_px} × {height_px} pixels: there is nothing to show", path=path)
        if width_px * height_px > self.max_pixels:
            raise DataError(
                f"the file claims {width_px} × {height_px} pixels, more than the limit of "
                f"{self.max_pixels:,} pixels; split it into tiles",
                path=path,
            )
        self.check_bytes(width_px * height_px * bytes_per_pixel, path=path)

    def check_bytes(self, size: int, *, path: Path | str) -> None:
        """Refuse an item that would need more memory than one item may."""
        if size > self.max_bytes:
            raise DataError(f"one item would need {size:,} bytes, more than the limit of {self.max_bytes:,}", path=path)

    def check_items(self, count: int, *, path: Path | str) -> None:
        """Refuse a table longer than the limit."""
        if count > self.max_items:
            raise DataError(f"{count:,} items, more than the limit of {self.max_items:,}", path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenContext:
    """What a reader is given besides its files: limits, shared caches, and who waits.

    ``memory`` is shared by all streams of a session; without ``disk`` nothing is kept between runs.
    """

    limits: Limits = field(default_factory=Limits)
    memory: MemoryCache = field(default_factory=MemoryCache)
    disk: DiskCache | None = None
    hashes: Mapping[Path, str] = field(default_factory=dict)
    """SHA-256 of files whose content is known already, so that nobody reads them again only to hash them."""
    progress: Progress | None = None
    cancel: CancelToken = field(default_factory=CancelToken)


@dataclass(frozen=True, slots=True)
class Item:
    """One frame, sweep, picture or page of a stream, and when it shows: ``[time_ns, end_ns)``."""

    index: int
    time_ns: int
    end_ns: int

    @property
    def shown(self) -> TimeRange:
        return TimeRange(self.time_ns, self.end_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """What ``workstation info`` prints of a stream; measured from the file, not believed from its header."""

    kind: StreamKind
    span: TimeRange | None = None
    """First item's time to the last one's end; ``None`` for what has no time (a picture, a document)."""
    count: int
    """Frames, sweeps, samples per channel, rows, pages, slices, code points."""
    rate_hz: float | None = None
    """Measured over the whole stream; ``None`` for fewer than two times."""
    gaps: tuple[TimeRange, ...] = ()
    """Where items are missing, judged by the stream's own typical step."""
    clock_source: str = ""
    """Where the times come from, in words: ``container``, ``file names``, ``hardware``."""
    epoch_ns: int | None = None
    """Unix time of the stream's zero, where the file says."""
    details: Mapping[str, OptionValue] = field(default_factory=dict)
    """More that a person wants to see, in the words of the screen: codec, size, colour, channels, units."""
    notes: tuple[str, ...] = ()
    """What the reader had to put right or could not use, one sentence each; never lost quietly."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of whole pixels of the upright picture at full resolution; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width_px(self) -> int:
        return self.right - self.left

    @property
    def height_px(self) -> int:
        return self.bottom - self.top

    def clipped(self, width_px: int, height_px: int) -> Region:
        """The part of it inside a picture of that size; at least one pixel of the picture."""
        left, top = min(max(self.left, 0), width_px - 1), min(max(self.top, 0), height_px - 1)
        right, bottom = max(min(self.right, width_px), left + 1), max(min(self.bottom, height_px), top + 1)
        return Region(left, top, right, bottom)


@dataclass(frozen=True, slots=True)
class View:
    """What a pane wants painted: a region (``None``: all) shrunk to at most so many pixels (``None``: as it is).

    The aspect of the region is kept; a reader never enlarges.
    """

    region: Region | None = None
    width_px: int | None = None
    height_px: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """Upright pixels with square pixels, and which part of the full picture they show."""

    pixels: Pixels
    region: Region
    width_px: int
    """Of the whole upright picture at full resolution: the space annotations are made in."""
    height_px: int
    preview: bool = False
    """Whether this is a small stand-in of the right frame (``proxy.py``), shown until the exact one comes."""


@runtime_checkable
class Reader(Protocol):
    """What every open stream has. ``close`` may be called twice."""

    @property
    def info(self) -> MediaInfo:
        """Measured from the files, not believed from their headers; ``notes`` may grow as more of them is read."""
        ...

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, in the order of the stream's items where each is one."""
        ...

    def close(self) -> None:
        """Let go of files and of the shared memory; what is asked afterwards may fail."""
        ...


@runtime_checkable
class TimedReader(Reader, Protocol):
    """A stream of items with times of their own."""

    @property
    def table(self) -> FrameTable:
        """When each item is presented; row ``i`` is item ``i``."""
        ...

    def item(self, index: int) -> Item:
        """Its times; ``IndexError`` outside the table."""
        ...

    def item_at(self, time_ns: int) -> Item | None:
        """What shows at that stream time; ``None`` before the first, after the end and in a gap."""
        ...


@runtime_checkable
class ImageReader(Reader, Protocol):
    """One still picture, upright."""

    @property
    def width_px(self) -> int:
        """Of the upright picture at full resolution."""
        ...

    @property
    def height_px(self) -> int: ...
    def picture(self, view: View = View()) -> Picture:
        """Pixels with the depth of the file."""
        ...

    def value_at(self, x_px: int, y_px: int) -> tuple[int | float, ...]:
        """The file's own value of an upright pixel, one number a channel."""
        ...


@runtime_checkable
class VideoReader(TimedReader, Protocol):
    """Frames with presentation times: a video file or a sequence of pictures. Frame number is rank of time."""

    @property
    def width_px(self) -> int:
        """Of the upright picture at full resolution."""
        ...

    @property
    def height_px(self) -> int: ...
    def picture(self, index: int, view: View = View(), *, cancel: CancelToken | None = None) -> Picture:
        """Exactly frame ``index``, upright, as RGB or grey uint8 (or RGBA if the file has alpha)."""
        ...

    def value_at(self, index: int, x_px: int, y_px: int) -> tuple[int | float, ...]:
        """The decoded value of an upright pixel, one number a channel, in the file's own depth."""
        ...

    def held_picture(self, index: int, view: View = View()) -> Picture | None:
        """``picture`` if it is had without decoding, else ``None``; at once, whatever else is being decoded."""
        ...

    def read_ahead(self, index: int, direction: int, count: int, *, cancel: CancelToken, view: View = View()) -> None:
        """Decode ``count`` frames from ``index`` on (+1) or back (−1) into the shared cache, for such views."""
        ...

    def held(self, index: int, view: View = View()) -> bool:
        """Whether ``held_picture`` would answer."""
        ...


@runtime_checkable
class AudioReader(Reader, Protocol):
    """Sound with exact sample positions: sample 0 is the first the encoder was given, where the file can say."""

    @property
    def sample_rate_hz(self) -> int:
        """Samples of one channel a second, as the file counts them."""
        ...

    @property
    def channels(self) -> int:
        """How many sounds run side by side; at least one."""
        ...

    @property
    def frames(self) -> int:
        """Samples of one channel."""
        ...

    def time_of(self, sample: int) -> int:
        """Stream time of a sample, rounded once."""
        ...

    def sample_at(self, time_ns: int) -> int | None:
        """The sample sounding then; ``None`` outside."""
        ...

    def read(self, start: int, stop: int, *, cancel: CancelToken | None = None) -> NDArray[np.float32]:
        """(stop − start, channels) float32, full scale ±1; both ends clipped to the stream."""
        ...

    def read_stored(self, start: int, stop: int, *, cancel: CancelToken | None = None) -> NDArray[Any]:
        """Like ``read``, but int16 (full scale ±32768) where 16 bits hold every sample: to draw at half the cost."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cloud:
    """Points of one sweep. ``fields`` holds ``intensity``, ``ring``, ``time_ns``, ``rgb``, ``velocity``… if present,
    and ``index`` where the points are a level of detail: each point's number in the file's order."""

    points: NDArray[np.float32]
    """(n, 3) metres in ``frame``, relative to ``origin``; rows with NaN have no place."""
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Added to the points in float64: map coordinates do not fit in float32."""
    fields: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Name -> (n,) or (n, k); ``time_ns`` is int64 stream time per point."""
    frame: str = ""
    total: int = 0
    """Points in the file; more than ``len(points)`` where a level of detail was asked for."""


@runtime_checkable
class CloudReader(TimedReader, Protocol):
    """Sweeps of a LiDAR or radar, or one still cloud (a table of one item)."""

    def cloud(self, index: int, *, max_points: int | None = None, cancel: CancelToken | None = None) -> Cloud:
        """Sweep ``index``; with ``max_points`` an even level of detail of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One column of a series."""

    name: str
    unit: str = ""
    labels: Mapping[int, str] = field(default_factory=dict)
    """Words for the values of a state channel (decoded CAN): gear 3 is ``drive``."""


@runtime_checkable
class SeriesReader(Reader, Protocol):
    """Numbers over time. A gap or a sentinel is NaN: never zero, never interpolated."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The columns in the order of the file; their names are distinct."""
        ...

    @property
    def times_ns(self) -> NDArray[np.int64]:
        """(n,) never falling."""
        ...

    def values(self, channel: str) -> NDArray[np.float64]:
        """(n,) in the channel's unit, one for each of ``times_ns``; ``DataError`` for a channel it does not have."""
        ...

    def samples(self, channel: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The channel's own times and values: fewer than ``times_ns`` where channels come at rates of their own.

        A decoded CAN log has a value of one signal at a time; between two of them the others are not missing.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A cue, turn, paragraph or word: code points ``[start, stop)`` of the text, and when it is said, if ever."""

    start: int
    stop: int
    kind: str
    """``cue``, ``turn``, ``paragraph``, ``heading`` or ``word``."""
    span: TimeRange | None = None
    speaker: str = ""
    confidence: float | None = None
    properties: Mapping[str, OptionValue] = field(default_factory=dict)


@runtime_checkable
class TextReader(Reader, Protocol):
    """Text exactly as in the file: offsets are code points of ``text`` and survive any normal form."""

    @property
    def text(self) -> str:
        """All of it; whatever points into it counts its code points."""
        ...

    @property
    def parts(self) -> tuple[TextPart, ...]:
        """By start; words lie inside cues and turns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One word of a page with its box in page points, origin at the top left: code points of the page's text."""

    start: int
    stop: int
    left: float
    top: float
    right: float
    bottom: float


@runtime_checkable
class DocumentReader(Reader, Protocol):
    """Pages with positioned text."""

    def page_size(self, page: int) -> tuple[float, float]:
        """Width and height in points (1/72 inch), upright."""
        ...

    def page_text(self, page: int) -> str:
        """The words of a page in reading order; ``IndexError`` outside the document."""
        ...

    def tokens(self, page: int) -> tuple[Token, ...]:
        """Where each word of ``page_text`` stands; a page that is only a picture has none."""
        ...

    def picture(self, page: int, view: View, *, pixels_per_point: float) -> Picture:
        """The page drawn; ``view`` counts pixels at that scale."""
        ...


class WindowShape(StrEnum):
    """The curve of a window, as DICOM names it; ``windowing.py`` draws it."""

    LINEAR = "linear"
    LINEAR_EXACT = "linear_exact"
    SIGMOID = "sigmoid"


@dataclass(frozen=True, slots=True)
class Window:
    """How values become grey: a centre and a width in the volume's unit."""

    name: str
    centre: float
    width: float
    shape: WindowShape = WindowShape.LINEAR


@runtime_checkable
class VolumeReader(Reader, Protocol):
    """A stack of slices in a patient. Indices are (slice, row, column)."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns; a slice that the files lack counts."""
        ...

    @property
    def patient_from_voxel(self) -> NDArray[np.float64]:
        """(4, 4): (slice, row, column, 1) to LPS millimetres."""
        ...

    @property
    def unit(self) -> str:
        """``HU`` where the file says so, else empty."""
        ...

    @property
    def windows(self) -> tuple[Window, ...]:
        """The file's own first, then the usual ones of its unit."""
        ...

    @property
    def instances(self) -> tuple[str, ...]:
        """Per slice the identifier of its image (empty for a missing slice); none where the files have no such."""
        ...

    def slab(self, axis: int, index: int) -> NDArray[np.float32]:
        """One plane across ``axis`` in the volume's unit, the other two axes in order."""
        ...

    def value_at(self, slice_index: int, row: int, column: int) -> float:
        """The voxel in the volume's unit; NaN in a missing slice, ``IndexError`` outside."""
        ...


@runtime_checkable
class TrajectoryReader(Reader, Protocol):
    """Poses over time as read; interpolation and its gaps are the business of ``core/poses.py``."""

    @property
    def parent_frame(self) -> str:
        """The frame the places are in."""
        ...

    @property
    def child_frame(self) -> str:
        """The frame that moves."""
        ...

    @property
    def times_ns(self) -> NDArray[np.int64]:
        """(n,) rising."""
        ...

    @property
    def positions_m(self) -> NDArray[np.float64]:
        """(n, 3) in the parent; a row of NaN is a gap."""
        ...

    @property
    def rotations(self) -> NDArray[np.float64]:
        """(n, 4) unit quaternions (w, x, y, z), ``parent_from_child``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSpec:
    """One format of one kind of stream, as data. ``open`` imports what is heavy; the module that holds it does not."""

    name: str
    kind: StreamKind
    title: str
    """For a person: ``Video file``."""
    suffixes: tuple[str, ...]
    """Lower case with the dot; a hint, never a proof."""
    open: Callable[[Sequence[Path], Options, OpenContext], Reader]
    """Opens one stream from its files (several: a sequence, a DICOM series, a cloud per sweep)."""
    probe: Callable[[Path, bytes], float] = lambda path, head: 0.0
    """(path, first ``HEAD_BYTES`` bytes) -> 0 not this format … 1 certain. Looks at the bytes before the suffix.

    Left out where only a data set's layout knows what its files are: then the layout names the reader.
    """
    options: Mapping[str, str] = field(default_factory=dict)
    """Name -> one line of help of every option ``open`` understands; others are refused."""
    several: bool = False
    """Whether one stream may be several files, or a folder of them."""


def one_path(paths: Sequence[Path], what: str) -> Path:
    """The only file of a stream that is one file; ``what`` names it in the sentence that refuses more."""
    if len(paths) != 1:
        raise DataError(f"{what} is one file, not {len(paths)}", path=paths[0].parent if paths else None)
    return paths[0]


def check_options(spec: ReaderSpec, options: Options) -> None:
    """Refuse options the format does not know: a typing error must not pass for a setting."""
    unknown = sorted(set(options) - set(spec.options))
    if unknown:
        known = ", ".join(sorted(spec.options)) or "none"
        raise DataError(f"the reader '{spec.name}' has no option {', '.join(unknown)}; it knows: {known}")
