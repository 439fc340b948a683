"""Whether a graphics card decodes this film exactly as the processor does. Asked by ``video.py`` when opening.

A driver is believed only after a comparison: frames at the start and after a jump must be equal bit for bit. Then the
card's frames are brought back and go the same way as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from av.codec.hwaccel import hwdevices_available
from av.error import FFmpegError

from workstation.core.errors import DataError
from workstation.media.base import CancelToken
from workstation.media.video_convert import plane_rows
from workstation.media.video_decode import FrameDecoder
from workstation.media.video_table import PacketTable

_AT_START, _AFTER_JUMP = 6, 4


class OpenDecoder(Protocol):
    """How a decoder is opened, as ``FrameDecoder`` itself is; a test may bring a card of its own."""

    def __call__(
        self, path: Path, track: int, table: PacketTable, *, max_pixels: int, hardware: str = ""
    ) -> FrameDecoder: ...


def proven_device(
    path: Path,
    track: int,
    table: PacketTable,
    *,
    max_pixels: int,
    devices: Callable[[], Sequence[str]] = hwdevices_available,
    open_decoder: OpenDecoder = FrameDecoder,
) -> tuple[str, str]:
    """(the first device that decodes the film exactly, why there is none); one of them is empty."""
    expected: list[av.VideoFrame] | None = None
    refused: list[str] = []
    for device in devices():
        try:
            with_device = open_decoder(path, track, table, max_pixels=max_pixels, hardware=device)
        except DataError:
            refused.append(f"{device} is not there or not for this codec")
            continue
        try:
            found = _samples(with_device, len(table.frames))
        except (FFmpegError, DataError, ValueError):
            refused.append(f"{device} fails on this file")
            continue
        finally:
            with_device.close()
        if expected is None:
            with_processor = open_decoder(path, track, table, max_pixels=max_pixels)
            expected = _samples(with_processor, len(table.frames))
            with_processor.close()
        if equal_frames(found, expected):
            return device, ""
        refused.append(f"{device} gives other pixels than the processor")
    reasons = "; ".join(refused) or "this program's decoders know none"
    return "", f"decoded on the processor, since no graphics card can be used: {reasons}"


def _samples(decoder: FrameDecoder, count: int) -> list[av.VideoFrame]:
    """Frames at the start, then some reached by a seek, in the middle."""
    frames: dict[int, av.VideoFrame] = {}
    for first, last in ((0, min(_AT_START, count) - 1), (count // 2, min(count // 2 + _AFTER_JUMP, count) - 1)):
        if not decoder.decode(first, last, frames.__setitem__, CancelToken()):
            return []
    return [frames[index] for index in sorted(frames)]


def equal_frames(left: Iterable[av.VideoFrame], right: Iterable[av.VideoFrame]) -> bool:
    """Whether both are the same number of frames, more than none, with the same pixels in the same format."""
    ours, theirs = list(left), list(right)
    return bool(ours) and len(ours) == len(theirs) and all(map(_equal, ours, theirs))


def _equal(left: av.VideoFrame, right: av.VideoFrame) -> bool:
    shape = (left.format.name, left.width, left.height)
    if shape != (right.format.name, right.width, right.height):
        return False
    planes = zip(left.planes, right.planes, strict=True)
    return all(np.array_equal(plane_rows(left, ours), plane_rows(right, theirs)) for ours, theirs in planes)
