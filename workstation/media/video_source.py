"""A video file as FFmpeg gives it: packets in order, seeking, and how a frame wants to be looked at.

The only module that opens containers with PyAV for video; used by ``video_table.py`` and ``video_decode.py``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import msgspec
import numpy as np
from av.codec.hwaccel import HWAccel
from av.error import FFmpegError
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.stream import Discard
from av.video.stream import VideoStream
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import OpenContext

# Playlists (HLS, concat, image lists) name other files and addresses; a film is one file.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,vvc,flv,asf,ogg,"
    "gif,apng,mxf,mjpeg,dv,rm,nut,y4m,yuv4mpegpipe,webp_anim"
)
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
_MICROSECOND = Fraction(1, 1_000_000)
_FULL_RANGE = 2
_UNSPECIFIED_MATRIX = 2
_BT709, _BT601 = 1, 6
_HD_HEIGHT = 720


class FrameLook(msgspec.Struct, frozen=True, kw_only=True):
    """How decoded frames of a stream become an upright picture. ``turn`` maps decoded to upright pixel directions."""

    width: int
    height: int
    pixel_format: str
    turn: tuple[int, int, int, int] = (1, 0, 0, 1)
    """(a, b, c, d): a step right in the decoded picture goes (a, b) (right, down) upright, a step down goes (c, d)."""
    aspect: tuple[int, int] = (1, 1)
    """Width to height of one decoded pixel."""
    matrix: int = _BT601
    """YUV matrix as in ISO/IEC 23091-4; guessed from the size where the file does not say."""
    full_range: bool = False
    guessed_matrix: bool = False
    notes: tuple[str, ...] = ()

    @property
    def square_size(self) -> tuple[int, int]:
        """Decoded size with square pixels: stretched, never shrunk, so that no pixel is lost."""
        num, den = self.aspect
        if num >= den:
            return max(1, round(self.width * num / den)), self.height
        return self.width, max(1, round(self.height * den / num))

    @property
    def swaps_axes(self) -> bool:
        return self.turn[0] == 0

    @property
    def upright_size(self) -> tuple[int, int]:
        width, height = self.square_size
        return (height, width) if self.swaps_axes else (width, height)


class Source:
    """One open container and its video stream; one thread at a time."""

    def __init__(self, path: Path, track: int, *, max_pixels: int, threads: int = 0, hardware: str = "") -> None:
        self.path = path
        self.size = _size(path)
        try:
            # "file:" keeps a name such as "concat:a|b" from being taken for a protocol.
            self.container = av.open(
                f"file:{path.absolute()}",
                container_options=_OPTIONS,
                options={"max_pixels": str(max_pixels)},
                hwaccel=HWAccel(hardware, allow_software_fallback=False) if hardware else None,
            )
        # RuntimeError: the device asked for is not for this codec.
        except (FFmpegError, OSError, ValueError, RuntimeError) as error:
            raise self.error(f"not a video this program can read ({_words(error)})") from error
        try:
            self.stream = self._stream(track)
        except DataError:
            self.container.close()
            raise
        self.codec = self.stream.codec_context
        # A packet's row travels with it through the decoder: presentation times may repeat, rows do not.
        self.codec.copy_opaque = True
        self.codec.options = {"max_pixels": str(max_pixels)}
        if threads:
            self.codec.thread_type = "FRAME" if threads > 1 else "SLICE"
            self.codec.thread_count = threads
        for other in self.container.streams:
            if other.index != self.stream.index:
                other.discard = Discard.all  # sound and data are not even read, where the container allows

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the decoder with its threads, now and not once nobody holds this object any more."""
        self.container.close()
        if hasattr(self, "codec"):
            del self.stream, self.codec

    @property
    def unit(self) -> tuple[int, int]:
        """One unit of time lasts ``num / den`` seconds."""
        base = self.stream.time_base or _MICROSECOND
        return int(base.numerator), int(base.denominator)

    @property
    def nominal_step_units(self) -> int:
        """A frame at the rate the header claims; only for files that hold no times at all."""
        rate = self.stream.average_rate or self.stream.guessed_rate or 25
        return max(1, round(1 / (rate * Fraction(*self.unit))))

    @property
    def reorders(self) -> bool:
        """Whether the decoder shows frames in another order than it gets them."""
        return bool(self.codec.has_b_frames)

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """The packets from here on. A damaged end ends them."""
        try:
            for packet in self.container.demux(self.stream):
                if packet.size:
                    yield packet
        except FFmpegError:
            return  # truncated: what came before is good

    def error(self, reason: str) -> DataError:
        return DataError(reason, path=self.path)

    def _stream(self, track: int) -> VideoStream:
        pictures = [s for s in self.container.streams.video if "attached_pic" not in str(s.disposition)]
        if not pictures:
            raise self.error("it holds no video track")
        if not 0 <= track < len(pictures):
            raise self.error(f"it has {len(pictures)} video tracks; there is no track {track} (they count from 0)")
        stream = pictures[track]
        if stream.codec_context is None:
            raise self.error("its video codec is not known to this program")
        return stream


def _size(path: Path) -> int:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error
    if not size:
        raise DataError("the file is empty", path=path)
    return size


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


@dataclass(frozen=True, slots=True, eq=False)
class PresentationOrder:
    """Rows of packets in the order in which the decoder shows them, and the first frame's look."""

    rows: NDArray[np.int64]
    look: FrameLook | None


def decoded_order(path: Path, track: int, context: OpenContext, *, stop_after: int | None) -> PresentationOrder:
    """Decode from the start until so many frames are out (``None``: all) and tell in which order packets were shown."""
    rows: list[int] = []
    look: FrameLook | None = None
    with Source(path, track, max_pixels=context.limits.max_pixels, threads=2) as source:
        claimed = (source.codec.width, source.codec.height)
        if claimed != (0, 0):
            context.limits.check_picture(*claimed, bytes_per_pixel=8, path=path)
        for frame in _decoded(source, context):
            if look is None:
                look = look_of(frame, source)
                context.limits.check_picture(frame.width, frame.height, bytes_per_pixel=8, path=path)
            row = row_of(frame)
            if row is not None:
                rows.append(row)
            if stop_after is not None and len(rows) >= stop_after:
                break
    return PresentationOrder(np.array(rows, np.int64), look)


def _decoded(source: Source, context: OpenContext) -> Iterator[av.VideoFrame]:
    for row, packet in enumerate(source.packets()):
        context.cancel.check()
        mark(packet, row)
        yield from decode(source, packet)
        if context.progress is not None and packet.pos is not None:
            context.progress(min(0.99, packet.pos / source.size))
    yield from decode(source, None)


def decode(source: Source, packet: Packet[VideoStream] | None) -> list[av.VideoFrame]:
    """The frames that come out when this packet goes in (``None``: the rest). A damaged packet gives none."""
    try:
        frames: list[av.VideoFrame] = source.codec.decode(packet)
    except (FFmpegError, EOFError):
        return []  # the frame is missing from the answer, and whoever waits for it says so
    return frames


def mark(packet: Packet[VideoStream], row: int) -> None:
    """Let the packet's row travel through the decoder.

    A new object each time: PyAV keeps these by identity and forgets one when any packet or frame that carries the
    *same* object is freed, so small whole numbers, which Python shares, get lost.
    """
    packet.opaque = [row]


def row_of(frame: av.VideoFrame) -> int | None:
    """The row of the packet that became this frame."""
    carried = frame.opaque
    return carried[0] if isinstance(carried, list) else None


def look_of(frame: av.VideoFrame, source: Source) -> FrameLook:
    """From a decoded frame and what the container adds."""
    turn, notes = _turn(frame)
    aspect = source.stream.sample_aspect_ratio or source.codec.sample_aspect_ratio
    if aspect is None or not 1 / 16 <= aspect <= 16:
        aspect = Fraction(1)
    guessed = frame.colorspace in (_UNSPECIFIED_MATRIX, 3)
    guess = _BT709 if frame.height >= _HD_HEIGHT else _BT601
    return FrameLook(
        width=frame.width,
        height=frame.height,
        pixel_format=frame.format.name,
        turn=turn,
        aspect=(aspect.numerator, aspect.denominator),
        matrix=guess if guessed else frame.colorspace,
        full_range=frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj"),
        guessed_matrix=guessed,
        notes=notes,
    )


def _turn(frame: av.VideoFrame) -> tuple[tuple[int, int, int, int], tuple[str, ...]]:
    """The display matrix as a quarter turn with or without a mirror image."""
    attached: Any = frame.side_data  # PyAV's stub knows motion vectors only
    raw = next((bytes(data) for data in attached if data.type == Type.DISPLAYMATRIX), None)
    upright = (1, 0, 0, 1)
    if raw is None or len(raw) < 20:
        return upright, ()
    a, b, _, c, d = struct.unpack_from("=5i", raw)
    whole = tuple((value > 0) - (value < 0) if abs(value) > 1 << 15 else 0 for value in (a, b, c, d))
    if abs(whole[0] * whole[3] - whole[1] * whole[2]) != 1 or sum(map(abs, whole)) != 2:
        return upright, ("its display matrix is no quarter turn and is not applied",)
    return (whole[0], whole[1], whole[2], whole[3]), ()
