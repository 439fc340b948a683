"""One chunk of previews as bytes: a JPEG for each frame, with what proves whose frames they are. Used by ``proxy.py``.

Intra-coded, so that any frame is one read and one small decode (about a millisecond). The bytes themselves are
guarded by the disk cache's checksum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.media.base import Picture, Region, View
from workstation.media.opencv import cv2

_QUALITY = 80
_RGB, _RGBA = 3, 4


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """JPEGs of frames ``first`` on; an empty one is a frame that could not be decoded."""

    first: int
    units: tuple[int, ...]
    """Their presentation times in the container's units: a chunk of another table is not believed."""
    pictures: tuple[memoryview, ...]


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_DECODER = msgspec.msgpack.Decoder(Chunk)


def chunk_bytes(first: int, units: Sequence[int], pictures: Sequence[bytes]) -> bytes:
    views = tuple(memoryview(picture) for picture in pictures)
    return msgspec.msgpack.encode(Chunk(first=first, units=tuple(units), pictures=views))


def chunk_from(data: bytes, *, first: int, units: Sequence[int]) -> Chunk | None:
    """The chunk, if it is one and holds just these frames."""
    try:
        chunk = _DECODER.decode(data)
    except msgspec.DecodeError:
        return None
    same = chunk.first == first and chunk.units == tuple(units) and len(chunk.pictures) == len(chunk.units)
    return chunk if same else None


def encoded(pixels: NDArray[Any]) -> bytes:
    """A grey, RGB or RGBA picture as JPEG; alpha is left out."""
    if pixels.ndim == _RGB:
        order = cv2.COLOR_RGBA2BGR if pixels.shape[2] == _RGBA else cv2.COLOR_RGB2BGR
        pixels = cv2.cvtColor(pixels, order)
    good, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(data) if good else b""


def preview_of(jpeg: memoryview, view: View, *, width_px: int, height_px: int) -> Picture | None:
    """The picture, cut and shrunk as far as the view asks, marked as a preview; ``None`` if it is damaged."""
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED) if len(jpeg) else None
    if pixels is None:
        return None
    if pixels.ndim == _RGB:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    region = Region(0, 0, width_px, height_px)
    if view.region is not None:
        pixels, region = _cut(pixels, view.region.clipped(width_px, height_px), region)
    height, width = pixels.shape[:2]
    scale = min(1.0, (view.width_px or width) / width, (view.height_px or height) / height)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return Picture(pixels=pixels, region=region, width_px=width_px, height_px=height_px, preview=True)


def _cut(pixels: NDArray[Any], wanted: Region, whole: Region) -> tuple[NDArray[Any], Region]:
    """Whole small pixels around the region, and what they show of the full picture, to the nearest pixel."""
    height, width = pixels.shape[:2]
    fx, fy = width / whole.width_px, height / whole.height_px
    left, top = int(wanted.left * fx), int(wanted.top * fy)
    right, bottom = -int(-wanted.right * fx // 1), -int(-wanted.bottom * fy // 1)
    region = Region(round(left / fx), round(top / fy), round(right / fx), round(bottom / fy))
    return np.ascontiguousarray(pixels[top:bottom, left:right]), region
