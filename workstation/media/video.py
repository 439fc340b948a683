"""Video files as a stream of exact frames. Opened through ``READERS``; asked by panes through ``prefetch.py``.

A frame is found by its number in the packet table (``video_table.py``), decoded on the shortest honest way
(``video_decode.py``), kept in the shared cache, still YUV, at about the size that is shown, and turned into upright
pixels (``video_convert.py``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import FrameTable
from workstation.media.base import (
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
from workstation.media.video_pace import Pace

if TYPE_CHECKING:
    import av

    from workstation.media.video_decode import FrameDecoder
    from workstation.media.video_decoders import Decoders
    from workstation.media.video_table import PacketTable

Size = tuple[int, int]

NEAR_FRAMES = 60
"""A request this close to the last one is a step or a scrub: what is decoded on the way is kept."""
_MOST_AHEAD = 128
_DECODER_THREADS = 2
_MATRICES = {0: "RGB", 1: "BT.709", 4: "FCC", 5: "BT.601", 6: "BT.601", 7: "SMPTE 240M", 9: "BT.2020", 10: "BT.2020"}
_VIEW = View()


class VideoFile:
    """One video track. Any thread may ask; one at a time decodes.

    Held are frames at the size that the last request showed, which is many more than as decoded, and in full those
    last asked for: zooming in there needs no decoding.
    """

    def __init__(
        self, path: Path, table: PacketTable, decoders: Decoders, context: OpenContext, *, notes: tuple[str, ...] = ()
    ) -> None:
        self._path = path
        self.track = decoders.track
        self.packets = table
        self._decoders = decoders
        self.share = context.memory.share()
        """Its part of the memory that all streams share."""
        self._lock = threading.Lock()
        self._last: int | None = None
        self.pace = Pace(table.look.width * table.look.height)
        self._item: tuple[Size | None, int] | None = None
        """The size at which frames are being kept, and the bytes of one."""
        self._closed = False
        self.width_px, self.height_px = table.look.upright_size
        self.info = _info(table, decoders.description, notes)

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self._path,)

    @property
    def table(self) -> FrameTable:
        return self.packets.frames

    def item(self, index: int) -> Item:
        shown = self.table.shown(self._checked(index))
        return Item(index, shown.start_ns, shown.end_ns)

    def item_at(self, time_ns: int) -> Item | None:
        index = self.table.index_at(time_ns)
        return None if index is None else self.item(index)

    def held(self, index: int, view: View = _VIEW) -> bool:
        return self._holds(index, self._size(view))

    def held_picture(self, index: int, view: View = _VIEW) -> Picture | None:
        from workstation.media.video_convert import picture_of, picture_of_shrunk, shrunk_frame

        look, size = self.packets.look, self._size(view)
        small = None if size is None else self.share.get((self._checked(index), size))
        if small is not None:
            self._last = index
            return picture_of_shrunk(small, look)
        frame = self.share.get(self._checked(index))
        if frame is None:
            return None
        self._last = index
        small = None if size is None else shrunk_frame(frame, look, size)
        if small is None:
            return picture_of(frame, look, view)
        self._put((index, size), small)
        return picture_of_shrunk(small, look)

    def picture(self, index: int, view: View = _VIEW, *, cancel: CancelToken | None = None) -> Picture:
        from workstation.media.video_convert import picture_of

        picture = self.held_picture(index, view)
        if picture is None:
            frame = self._decoded(index, self._size(view), cancel)
            picture = self.held_picture(index, view) or picture_of(frame, self.packets.look, view)
        return picture

    def value_at(self, index: int, x_px: int, y_px: int) -> tuple[int | float, ...]:
        from workstation.media.video_convert import value_of

        return value_of(self.frame(index), self.packets.look, x_px, y_px)

    def frame(self, index: int, *, cancel: CancelToken | None = None) -> av.VideoFrame:
        """Exactly this frame, as decoded. ``DataError`` if the file cannot give it."""
        return self._decoded(index, None, cancel)

    def read_ahead(self, index: int, direction: int, count: int, *, cancel: CancelToken, view: View = _VIEW) -> None:
        """Fill the cache from ``index`` on. Waits until half of the stretch is used up, so that stepping back decodes
        a group once per stretch and not once per step; but no longer than what is held lasts while the group is
        decoded, and where that takes many steps the stretch is longer than asked."""
        size = self._size(view)
        if direction < 0 and index >= 0:
            count = max(count, 2 * self._steps_while_decoding(min(index, len(self.table) - 1)))
        count = max(1, min(count, self._affordable(size)))
        step = 1 if direction > 0 else -1
        end = min(index + count, len(self.table)) if step > 0 else max(index - count, -1)
        at = index
        while (end - at) * step > 0:
            missing = next((i for i in range(at, end, step) if not self._holds(i, size)), None)
            if missing is None:
                return
            patience = count // 2
            if step < 0 and patience < (lasts := self._steps_while_decoding(missing)) <= count * 3 // 4:
                patience = lasts  # beyond that it would be decoded for a few frames each time
            if abs(missing - index) > patience:
                return
            # Going back the nearest group comes first: its frames are wanted before those of the group behind it.
            stop = end - 1 if step > 0 else max(end + 1, self._group_start(missing))
            with self._lock:
                self._decode(min(missing, stop), max(missing, stop), size, cancel, back=step < 0)
            at = stop + step

    def another_decoder(self) -> FrameDecoder:
        """A decoder of its own for whoever reads the whole film beside the requests; the caller closes it."""
        return self._decoders.another()

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self.share.close()
                self._decoders.close()

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self.table):
            raise IndexError(f"frame {index} of {len(self.table)}")
        return index

    def _size(self, view: View) -> Size | None:
        from workstation.media.video_convert import small_size

        return small_size(self.packets.look, view)

    def _holds(self, index: int, size: Size | None) -> bool:
        return index in self.share or (size is not None and (index, size) in self.share)

    def _group_start(self, index: int) -> int:
        """The first frame that decoding towards ``index`` can show on the way."""
        return min(index, self.packets.first_frame_from(self.packets.start_for(index)))

    def _steps_while_decoding(self, index: int) -> int:
        """How many steps back somebody takes while the group is decoded up to that frame."""
        return self.pace.steps_during(index - self._group_start(index) + 1)

    def _affordable(self, size: Size | None) -> int:
        """Frames of that size which this stream's part of the cache holds, with room for the other direction."""
        if self._item is not None and self._item[0] == size:
            item = self._item[1]
        else:
            width, height = size or (self.packets.look.width, self.packets.look.height)
            item = width * height * 3 // 2
        return max(1, min(_MOST_AHEAD, self.share.fair_bytes // (2 * max(1, item))))

    def _decoded(self, index: int, size: Size | None, cancel: CancelToken | None) -> av.VideoFrame:
        """The frame in full, decoded unless it is held; what comes on the way is kept at that size."""
        found: av.VideoFrame | None = self.share.get(self._checked(index))
        if found is None:
            with self._lock:
                found = self.share.get(index)
                if found is None:
                    back = self._last is not None and 0 < self._last - index <= NEAR_FRAMES
                    first = self._first_to_keep(index, size)
                    found = self._decode(first, index, size, cancel or CancelToken(), back=back, asked=True)
        if found is None:
            raise DataError("the frame is damaged and cannot be decoded", path=self._path, place=f"frame {index}")
        self._last = index
        return found

    def _first_to_keep(self, index: int, size: Size | None) -> int:
        """Frames before the asked one are kept as far as that costs little: a step back or a scrub wants them next."""
        last, reach = self._last, min(NEAR_FRAMES, self._affordable(size))
        if last is None or abs(index - last) > NEAR_FRAMES:
            first = index - min(self.pace.kept_before(index - self._group_start(index)), reach) + 1
        else:
            first = max(last + 1, index - reach + 1) if index > last else index - reach + 1
        first = max(first, self._group_start(index))
        while first < index and self._holds(first, size):
            first += 1
        going_on_from = self._decoders.next_frame(index)
        return first if going_on_from is None else max(first, min(going_on_from, index))

    def _decode(
        self, first: int, last: int, size: Size | None, cancel: CancelToken, *, back: bool, asked: bool = False
    ) -> Any:
        """Decode and keep frames ``first`` to ``last``; the last one, or ``None`` if the file cannot give it."""
        from workstation.media.video_convert import shrunk_frame

        if self._closed:
            raise DataError("the video was closed", path=self._path)
        wanted: list[av.VideoFrame] = []

        def keep(index: int, frame: av.VideoFrame) -> None:
            small = None if size is None else shrunk_frame(frame, self.packets.look, size)
            if small is None:
                self._item = size, self._put(index, frame)
            else:
                self._item = size, self._put((index, size), small)
            if asked and index == last:
                wanted.append(frame)
                if small is not None:  # one frame in full is enough: the others would cost many small ones
                    self.share.discard(lambda key: isinstance(key, int))
                    self._put(index, frame)

        going_on_from = self._decoders.next_frame(last)
        from_frame = self._group_start(last) if back or going_on_from is None else going_on_from
        begun = time.perf_counter()
        self._decoders.decode(first, last, keep, cancel, back=back)
        self.pace.took(time.perf_counter() - begun, last - from_frame + 1)
        return wanted[0] if wanted else None

    def _put(self, key: Any, frame: av.VideoFrame) -> int:
        from workstation.media.video_convert import frame_bytes

        size = frame_bytes(frame)
        self.share.put(key, frame, size)
        return size


def open_video(paths: Sequence[Path], options: Options, context: OpenContext) -> VideoFile:
    """The video of one file. Options: ``track`` (from 0), ``threads``, ``hardware``."""
    from workstation.media.video_decode import FrameDecoder
    from workstation.media.video_decoders import Decoders
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
    device, why = "", ""
    if options.get("hardware", False):
        device, why = proven_device(path, track, table, max_pixels=most)

    def open_decoder(device: str) -> FrameDecoder:
        return FrameDecoder(path, track, table, max_pixels=most, threads=threads, hardware=device)

    decoders = Decoders(path, track, open_decoder, device)
    return VideoFile(path, table, decoders, context, notes=(why,) if why else ())


def _info(table: PacketTable, description: dict[str, OptionValue], notes: tuple[str, ...]) -> MediaInfo:
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
        notes=table.notes + look.notes + notes,
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
