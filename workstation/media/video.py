"""Video files as a stream of exact frames. Opened through ``READERS``; asked by panes through ``prefetch.py``.

A frame is found by its number in the packet table (``video_table.py``), decoded on the shortest honest way
(``video_decode.py``), kept as it was decoded in the shared cache, and turned into upright pixels of just the size
that is shown (``video_convert.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import FrameTable
from workstation.media.base import (
    Cancelled,
    CancelToken,
    Item,
    MediaInfo,
    OpenContext,
    Options,
    OptionValue,
    Picture,
    ReaderSpec,
    View,
)
from workstation.media.gaps import find_gaps

if TYPE_CHECKING:
    import av

    from workstation.media.video_decode import FrameDecoder
    from workstation.media.video_table import PacketTable

NEAR_FRAMES = 60
"""A request this close to the last one is a step or a scrub: what is decoded on the way is kept."""
_MOST_AHEAD = 128
_DECODER_THREADS = 2
_MATRICES = {0: "RGB", 1: "BT.709", 4: "FCC", 5: "BT.601", 6: "BT.601", 7: "SMPTE 240M", 9: "BT.2020", 10: "BT.2020"}
_VIEW = View()


class VideoFile:
    """One video track. Any thread may ask; one at a time decodes."""

    def __init__(self, path: Path, table: PacketTable, decoder: FrameDecoder, context: OpenContext) -> None:
        self._path = path
        self._packets = table
        self._decoder = decoder
        self._share = context.memory.share()
        self._lock = threading.RLock()
        self._last: int | None = None
        self._frame_bytes = 1
        self._closed = self._decoding = False
        self.width_px, self.height_px = table.look.upright_size
        self.info = _info(table, decoder.description)

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self._path,)

    @property
    def table(self) -> FrameTable:
        return self._packets.frames

    def item(self, index: int) -> Item:
        shown = self.table.shown(self._checked(index))
        return Item(index, shown.start_ns, shown.end_ns)

    def item_at(self, time_ns: int) -> Item | None:
        index = self.table.index_at(time_ns)
        return None if index is None else self.item(index)

    def held(self, index: int) -> bool:
        return index in self._share

    def picture(self, index: int, view: View = _VIEW, *, cancel: CancelToken | None = None) -> Picture:
        from workstation.media.video_convert import picture_of

        return picture_of(self.frame(index, cancel=cancel), self._packets.look, view)

    def value_at(self, index: int, x_px: int, y_px: int) -> tuple[int | float, ...]:
        from workstation.media.video_convert import value_of

        return value_of(self.frame(index), self._packets.look, x_px, y_px)

    def frame(self, index: int, *, cancel: CancelToken | None = None) -> av.VideoFrame:
        """Exactly this frame, as decoded. ``DataError`` if the file cannot give it."""
        self._checked(index)
        found: av.VideoFrame | None = self._share.get(index)
        if found is None:
            with self._lock:
                found = self._share.get(index)
                if found is None:
                    found = self._decode(self._first_to_keep(index), index, cancel or CancelToken())
        if found is None:
            raise DataError("the frame is damaged and cannot be decoded", path=self._path, place=f"frame {index}")
        self._last = index
        return found

    def read_ahead(self, index: int, direction: int, count: int, *, cancel: CancelToken) -> None:
        """Fill the cache from ``index`` on. Waits until half of the stretch is used up, so that stepping back decodes
        a group once per stretch and not once per step."""
        count = max(1, min(count, self._affordable))
        last = len(self.table) - 1
        if direction > 0:
            stretch = range(index, min(index + count, last + 1))
        else:
            stretch = range(index, max(index - count, -1), -1)
        missing = next((i for i in stretch if i not in self._share), None)
        if missing is None or abs(missing - index) > count // 2:
            return
        first, last = sorted((missing, stretch[-1]))
        with self._lock:
            self._decode(first, last, cancel)

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._share.close()
                self._decoder.close()

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self.table):
            raise IndexError(f"frame {index} of {len(self.table)}")
        return index

    @property
    def _affordable(self) -> int:
        """Frames that this stream's part of the cache holds, with room for the other direction."""
        return max(1, min(_MOST_AHEAD, self._share.fair_bytes // (2 * self._frame_bytes)))

    def _first_to_keep(self, index: int) -> int:
        """Keeping frames before the asked one costs their decoding: only where the requests move step by step."""
        last = self._last
        if last is None or index == last or abs(index - last) > NEAR_FRAMES:
            return index
        reach = min(NEAR_FRAMES, self._affordable)
        return max(0, index - reach + 1) if index < last else max(last + 1, index - reach + 1)

    def _decode(self, first: int, last: int, cancel: CancelToken) -> Any:
        """Decode and keep frames ``first`` to ``last``; the last one, or ``None`` if the file cannot give it."""
        from workstation.media.video_convert import frame_bytes

        if self._closed:
            raise DataError("the video was closed", path=self._path)
        if self._decoding:  # asked through the cancel token of the decoding in hand, for what was held until just now
            raise Cancelled
        wanted: list[av.VideoFrame] = []

        def keep(index: int, frame: av.VideoFrame) -> None:
            self._frame_bytes = frame_bytes(frame)
            self._share.put(index, frame, self._frame_bytes)
            if index == last:
                wanted.append(frame)

        self._decoding = True
        try:
            self._decoder.decode(first, last, keep, cancel)
        finally:
            self._decoding = False
        return wanted[0] if wanted else None


def open_video(paths: Sequence[Path], options: Options, context: OpenContext) -> VideoFile:
    """The video of one file. Options: ``track`` (from 0), ``threads``, ``hardware``."""
    from workstation.media.video_decode import FrameDecoder
    from workstation.media.video_hardware import proven_device
    from workstation.media.video_table import packet_table

    if len(paths) != 1:
        raise DataError(f"a video is one file, not {len(paths)}")
    path = paths[0]
    track, threads = options.get("track", 0), options.get("threads", _DECODER_THREADS)
    if not isinstance(track, int) or not isinstance(threads, int) or not 1 <= threads <= 16:
        raise DataError("'track' is a whole number from 0, 'threads' one from 1 to 16", path=path)
    table = packet_table(path, track, context, sha256=context.hashes.get(path, ""))
    context.limits.check_picture(*table.look.upright_size, bytes_per_pixel=8, path=path)
    most = context.limits.max_pixels
    device = proven_device(path, track, table, max_pixels=most) if options.get("hardware", False) else ""
    decoder = FrameDecoder(path, track, table, max_pixels=most, threads=threads, hardware=device)
    return VideoFile(path, table, decoder, context)


def _info(table: PacketTable, description: dict[str, OptionValue]) -> MediaInfo:
    look, frames = table.look, table.frames
    turned = {(1, 0, 0, 1): "", (0, -1, 1, 0): "90° left", (0, 1, -1, 0): "90° right", (-1, 0, 0, -1): "180°"}
    width, height = look.upright_size
    details = description | {
        "width_px": width,
        "height_px": height,
        "pixel_format": look.pixel_format,
        "colours": _MATRICES.get(look.matrix, str(look.matrix))
        + (", full range" if look.full_range else ", limited range")
        + (" (matrix guessed from the size)" if look.guessed_matrix else ""),
        "key_frames": int(table.key.sum()),
    }
    if look.aspect[0] != look.aspect[1]:
        details["pixel_aspect"] = f"{look.aspect[0]}:{look.aspect[1]}"
    if turn := turned.get(look.turn, "mirrored"):
        details["turned"] = turn
    return MediaInfo(
        kind=StreamKind.VIDEO,
        span=frames.span,
        count=len(frames),
        rate_hz=frames.rate_hz(),
        gaps=find_gaps(frames),
        clock_source="container",
        details=details,
        notes=table.notes + look.notes,
    )


_MAGIC = (
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (0, b"\x1a\x45\xdf\xa3"),
    (8, b"AVI "),
    (0, b"FLV\x01"),
    (0, b"\x00\x00\x01\xba"),
    (0, b"\x00\x00\x01\xb3"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01"),
    (0, b"DKIF"),
    (0, b"YUV4MPEG2"),
    (0, b"nut/multimedia container"),
)
_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".wmv", ".asf", ".flv",
    ".3gp", ".mxf", ".ogv", ".h264", ".264", ".h265", ".hevc", ".265", ".ivf", ".obu", ".y4m", ".nut", ".mjpeg",
)  # fmt: skip


def probe(path: Path, head: bytes) -> float:
    """By the container's own mark; transport streams by their sync bytes, elementary streams by the name."""
    if any(head[at : at + len(mark)] == mark for at, mark in _MAGIC):
        # An ISO file may hold only sound; the name decides between equals.
        return 0.6 if path.suffix.lower() in (".m4a", ".m4b", ".mka", ".heic", ".heif", ".avif") else 0.9
    for packet, lead in ((188, 0), (192, 4)):
        if len(head) > lead + 4 * packet and all(head[lead + i * packet] == 0x47 for i in range(5)):
            return 0.9
    return 0.4 if path.suffix.lower() in _SUFFIXES else 0.0


READERS = (
    ReaderSpec(
        name="video",
        kind=StreamKind.VIDEO,
        title="Video file",
        suffixes=_SUFFIXES,
        probe=probe,
        open=open_video,
        options={
            "track": "which video track of the file, counted from 0",
            "threads": "decoder threads, 1 to 16",
            "hardware": "decode on a graphics card if one gives exactly the same frames (checked when opening)",
        },
    ),
)
