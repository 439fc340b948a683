"""Decoders for pictures whose depth Pillow would cut: OpenCV, FFmpeg and plain NumPy. Used by ``image_decode.py``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from workstation.core.errors import DataError
from workstation.media.base import HEAD_BYTES, Pixels
from workstation.media.image_exr import exr_source

_PIPES = {"EXR": "exr_pipe", "SGI": "sgi_pipe", "TIFF": "tiff_pipe"}
_PACKED = {"rgb48": 3, "rgba64": 4, "ya16": 2}


def with_opencv(path: Path, raw: bytes) -> Pixels:
    """16-bit and floating point colour of the file's bytes, as RGB or RGBA; also Radiance and JPEG 2000."""
    from workstation.media.opencv import cv2

    # Through memory: OpenCV's own opening of files knows no names outside the system's code page.
    try:
        pixels: Any = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise DataError("the picture is damaged or larger than OpenCV reads", path=path) from error
    if pixels is None:
        raise DataError("the picture is damaged or of a kind OpenCV does not read", path=path)
    if pixels.dtype == np.float64:
        pixels = pixels.astype(np.float32)
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    elif pixels.ndim == 3:
        pixels = pixels[..., 0]
    return np.asarray(pixels)


def with_ffmpeg(path: Path, kind: str) -> Pixels:
    """What FFmpeg alone keeps whole; ``kind`` is one of ``_PIPES``."""
    import av
    from av.error import FFmpegError

    source = exr_source(path) if kind == "EXR" else f"file:{path.absolute()}"
    try:
        with av.open(source, "r", format=_PIPES[kind]) as container:
            return _plain(next(container.decode(video=0)))
    except (FFmpegError, StopIteration) as error:
        raise DataError(f"the {kind} picture is damaged", path=path) from error


_PFM = re.compile(rb"PF\s+(\d{1,9})\s+(\d{1,9})\s+([-+.\deE]{1,32})\s")


def pfm_size(path: Path, head: bytes) -> tuple[int, int]:
    """Width and height that a colour PFM claims."""
    found = _PFM.match(head)
    if not found:
        raise DataError("its PFM header gives no size", path=path)
    return int(found[1]), int(found[2])


def colour_pfm(path: Path, width_px: int, height_px: int) -> Pixels:
    """A colour PFM: rows from the bottom up, in the byte order that the sign of its scale tells."""
    with path.open("rb") as file:
        found = _PFM.match(file.read(HEAD_BYTES))
        if not found:
            raise DataError("its PFM header gives no size", path=path)
        file.seek(found.end())
        order = "<" if float(found[3]) < 0 else ">"
        size = 3 * width_px * height_px
        pixels = np.frombuffer(file.read(4 * size), order + "f4")
    if len(pixels) != size:
        raise DataError("the picture is cut", path=path)
    return pixels.reshape(height_px, width_px, 3)[::-1].astype(np.float32)


def _plain(frame: Any) -> Pixels:
    """The numbers of a decoded frame as they are: FFmpeg's own conversion of floats cuts them to 0 … 1."""
    name = frame.format.name
    order = ">" if name.endswith("be") else "<"
    kind = next((code for word, code in (("f32", "f4"), ("f16", "f2")) if word in name), "u2")
    dtype = np.dtype(order + kind)
    kept: type[np.float32 | np.uint16] = np.uint16 if kind == "u2" else np.float32
    packed = _PACKED.get(name[:-2])
    if packed is not None:
        pixels = _plane(frame, 0, dtype, packed).reshape(frame.height, frame.width, packed).astype(kept)
        return pixels if packed > 2 else pixels[..., [0, 0, 0, 1]]  # grey with transparency
    if name.startswith("gray"):
        return _plane(frame, 0, dtype).astype(kept)
    if not name.startswith("gbr"):
        raise DataError(f"its pixels are of the unknown kind {name}")
    planes = [2, 0, 1, 3][: len(frame.planes)]
    return np.stack([_plane(frame, i, dtype) for i in planes], axis=-1).astype(kept)


def _plane(frame: Any, number: int, dtype: np.dtype[Any], channels: int = 1) -> Pixels:
    plane = frame.planes[number]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height]
    wide = frame.width * channels * dtype.itemsize
    return np.ascontiguousarray(rows[:, :wide]).view(dtype)
