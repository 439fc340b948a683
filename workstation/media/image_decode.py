"""Still pictures from files to upright arrays in the depth of the file. Used by ``image.py`` and ``image_sequence.py``.

Pillow decodes what has 8 bits a channel or one channel; OpenCV what Pillow would cut to 8 bits (16-bit colour PNG,
TIFF and PNM, Radiance HDR); FFmpeg reads OpenEXR, because OpenCV's own EXR reader is off by default for its safety
record. The size in the header is checked before anything is decoded.
"""

from __future__ import annotations

import logging
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from workstation.core.errors import DataError
from workstation.media.base import HEAD_BYTES, Limits, Pixels

# Only formats read in this process by Pillow's own code: no PostScript, which starts a program.
_FORMATS = (
    "PNG", "JPEG", "MPO", "TIFF", "WEBP", "BMP", "DIB", "GIF", "JPEG2000", "PPM", "TGA", "ICO", "AVIF", "PCX", "SGI",
    "QOI",
)  # fmt: skip
_DEEP_FORMATS = ("PNG", "TIFF", "PPM")
# Our own limit is checked on every header; Pillow's would only warn, from whatever thread.
Image.MAX_IMAGE_PIXELS = None
# Some of Pillow's readers log a damage that they also raise; the sentence made of the exception is enough.
logging.getLogger("PIL").setLevel(logging.CRITICAL)

_ORIENTATION, _BITS, _SAMPLE_FORMAT = 0x0112, 258, 339
# EXIF orientation -> (swap axes first, then flip left-right, then flip top-bottom).
_UPRIGHT = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}
# What third-party parsers raise on a damaged file, found by fuzzing.
_DAMAGE = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError, KeyError, TypeError, OverflowError,
    zlib.error, AttributeError, RuntimeError, MemoryError, AssertionError, Image.DecompressionBombError, UserWarning,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What a picture file says of itself; sizes are upright."""

    path: Path
    format: str
    width_px: int
    height_px: int
    depth: str
    """``uint8``, ``uint16`` or ``float32``."""
    decoder: str
    """``pillow``, ``opencv`` or ``ffmpeg``."""
    orientation: int = 1
    taken: str = ""
    """When it was taken, as the camera wrote it; a zone only if the camera wrote one."""
    taken_ns: int | None = None
    """Unix time, only with a zone."""
    notes: tuple[str, ...] = ()

    @property
    def bytes_per_pixel(self) -> int:
        return 4 * int(np.dtype(self.depth).itemsize)


def read_header(path: Path, limits: Limits) -> ImageHeader:
    """Look at the header only, and refuse what is too large."""
    with _sentences(path):
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    if not size:
        raise DataError("the file is empty", path=path)
    if head[:4] == b"\x76\x2f\x31\x01":
        header = _exr_header(path)
    elif head.startswith((b"#?RADIANCE", b"#?RGBE")):
        header = _hdr_header(path, head)
    else:
        header = _pillow_header(path, head) or _tiff_header(path, head)
    limits.check_picture(header.width_px, header.height_px, bytes_per_pixel=header.bytes_per_pixel, path=path)
    return header


def decode(header: ImageHeader) -> Pixels:
    """The whole picture, upright, C-contiguous: (h, w) or (h, w, 3 or 4), uint8, uint16 or float32."""
    with _sentences(header.path):
        decoders = {"pillow": _with_pillow, "opencv": _with_opencv, "ffmpeg": _with_ffmpeg}
        pixels = upright(decoders[header.decoder](header.path), header.orientation)
    if pixels.shape[:2] != (header.height_px, header.width_px):
        raise DataError("the picture has another size than its header says", path=header.path)
    return pixels


def decode_small(header: ImageHeader, width_px: int, height_px: int) -> Pixels | None:
    """A JPEG decoded directly at an eighth, a quarter or a half that is not below that size; else ``None``."""
    if header.format not in ("JPEG", "MPO"):
        return None
    if _UPRIGHT[header.orientation][0]:
        width_px, height_px = height_px, width_px
    with _sentences(header.path), Image.open(header.path, formats=_formats()) as image:
        # draft() leaves the picture alone if no smaller size fits.
        if image.draft(None, (width_px, height_px)) is None:
            return None
        return upright(_array(image), header.orientation)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """The picture as it was seen when it was taken."""
    swap, mirror, turn_over = _UPRIGHT[orientation]
    if swap:
        pixels = pixels.swapaxes(0, 1)
    if mirror:
        pixels = pixels[:, ::-1]
    if turn_over:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


@cache
def _formats() -> tuple[str, ...]:
    """Those of our formats that this Pillow was built with; it must have loaded its plug-ins to be asked for them."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Whatever a parser raises on this file becomes one sentence about it."""
    try:
        yield
    except (DataError, UnidentifiedImageError):
        raise
    except FileNotFoundError as error:
        raise DataError("the file is not there", path=path) from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"the picture is damaged or of an unknown kind ({reason})", path=path) from error


def _pillow_header(path: Path, head: bytes) -> ImageHeader | None:
    """``None`` for a TIFF whose kind of pixels Pillow does not know; OpenCV may."""
    try:
        return _described(path, head)
    except UnidentifiedImageError as error:
        if head[:4] in (b"II*\0", b"MM\0*"):
            return None
        raise DataError("not a picture this program can read", path=path) from error


def _described(path: Path, head: bytes) -> ImageHeader:
    with _sentences(path), Image.open(path, formats=_formats()) as image:
        kind = image.format or ""
        bits, floating = _depth(image, head)
        multichannel = image.mode not in ("L", "1", "I", "F") and not image.mode.startswith("I;")
        deep = kind in _DEEP_FORMATS and bits > 8 and (multichannel or (floating and image.mode != "F"))
        orientation, taken, taken_ns, notes = _exif(image)
        width, height = image.size
        if _UPRIGHT[orientation][0]:
            width, height = height, width
        if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
            notes += (f"its {image.mode} colours are shown as RGB without a colour profile",)
        if getattr(image, "n_frames", 1) > 1 and kind in ("GIF", "WEBP", "PNG", "TIFF"):
            notes += (f"it holds {getattr(image, 'n_frames', 1)} pictures; the first one is shown",)
        depth = "uint8"
        if floating or image.mode == "F":
            depth = "float32"
        elif bits > 8:
            depth = "uint16"
        return ImageHeader(
            path=path,
            format=kind,
            width_px=width,
            height_px=height,
            depth=depth,
            decoder="opencv" if deep else "pillow",
            orientation=orientation,
            taken=taken,
            taken_ns=taken_ns,
            notes=notes,
        )


def _depth(image: Image.Image, head: bytes) -> tuple[int, bool]:
    """(bits a channel in the file, whether they are floating point)."""
    if image.format == "PNG":
        return head[24], False
    if image.format == "TIFF":
        tags: Any = getattr(image, "tag_v2", {})
        bits = tags.get(_BITS, (8,))
        formats = tags.get(_SAMPLE_FORMAT, (1,))
        first = int(bits[0] if isinstance(bits, tuple) else bits)
        return first, 3 in (formats if isinstance(formats, tuple) else (formats,))
    if image.format == "PPM":
        # The header's third number; comments may stand between them.
        numbers = re.findall(rb"(?<!\S)\d+(?!\S)", re.sub(rb"#[^\n]*", b" ", head[2:200]))
        return (16 if len(numbers) >= 3 and int(numbers[2]) > 255 else 8), image.mode == "F"
    return (16 if image.mode.startswith("I") else 8), image.mode == "F"


def _exif(image: Image.Image) -> tuple[int, str, int | None, tuple[str, ...]]:
    """(orientation, when taken, as Unix nanoseconds, notes). Broken EXIF loses only itself."""
    try:
        exif = image.getexif()
        orientation = exif.get(_ORIENTATION, 1)
        more = exif.get_ifd(ExifTags.IFD.Exif)
    except _DAMAGE:
        return 1, "", None, ("its EXIF block is damaged and was not used",)
    if orientation not in _UPRIGHT:
        orientation = 1
    stamp = str(more.get(ExifTags.Base.DateTimeOriginal, exif.get(ExifTags.Base.DateTime, ""))).strip("\0 ")
    fraction = re.sub(r"\D", "", str(more.get(ExifTags.Base.SubsecTimeOriginal, "")))[:9]
    zone = str(more.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    try:
        plain = datetime.strptime(stamp, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  (a zone is added only if there is one)
    except ValueError:
        return int(orientation), "", None, ()
    taken = f"{plain:%Y-%m-%d %H:%M:%S}" + (f".{fraction}" if fraction else "") + (f" {zone}" if zone else "")
    try:
        aware = datetime.strptime(f"{stamp} {zone}", "%Y:%m:%d %H:%M:%S %z")
    except ValueError:
        return int(orientation), taken, None, ()
    nanoseconds = int(aware.timestamp()) * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))
    return int(orientation), taken, nanoseconds, ()


def _with_pillow(path: Path) -> Pixels:
    with Image.open(path, formats=_formats()) as image:
        return _array(image)


def _array(image: Image.Image) -> Pixels:
    mode = image.mode
    if mode in ("L", "RGB", "RGBA"):
        return np.asarray(image)
    if mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if mode == "I":
        whole = np.asarray(image)
        fits = whole.size == 0 or (int(whole.min()) >= 0 and int(whole.max()) <= 65535)
        return whole.astype(np.uint16 if fits else np.float32)
    if mode == "F":
        return np.asarray(image, np.float32)
    if mode == "1":
        return np.asarray(image.convert("L"))
    transparent = mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if transparent else "RGB"))


def _with_opencv(path: Path) -> Pixels:
    from workstation.media.opencv import cv2

    # Through memory: OpenCV's own opening of files knows no names outside the system's code page.
    raw = np.frombuffer(path.read_bytes(), np.uint8)
    try:
        pixels: Any = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
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


_TIFF_TAGS = {256: "width", 257: "height", _BITS: "bits", _ORIENTATION: "orientation", _SAMPLE_FORMAT: "format"}


def _tiff_header(path: Path, head: bytes) -> ImageHeader:
    """The first directory of a classic TIFF: what Pillow knows no mode for, such as floating point colour."""
    order = "<" if head[:2] == b"II" else ">"
    told = {"width": 0, "height": 0, "bits": 8, "orientation": 1, "format": 1}
    with _sentences(path), path.open("rb") as file:
        file.seek(struct.unpack(order + "I", head[4:8])[0])
        (count,) = struct.unpack(order + "H", file.read(2))
        entries = file.read(12 * count)
        for at in range(0, len(entries) - 11, 12):
            tag, kind, length = struct.unpack_from(order + "HHI", entries, at)
            name = _TIFF_TAGS.get(tag)
            if name is None or kind not in (3, 4):
                continue
            size, form = (2, "H") if kind == 3 else (4, "I")
            value = entries[at + 8 : at + 12]
            if size * length > 4:  # several channels: the values lie elsewhere, the first one speaks for all
                file.seek(struct.unpack(order + "I", value)[0])
                value = file.read(size)
            (told[name],) = struct.unpack_from(order + form, value)
    orientation = told["orientation"] if told["orientation"] in _UPRIGHT else 1
    width, height = told["width"], told["height"]
    if _UPRIGHT[orientation][0]:
        width, height = height, width
    return ImageHeader(
        path=path,
        format="TIFF",
        width_px=width,
        height_px=height,
        depth="float32" if told["format"] == 3 else ("uint16" if told["bits"] > 8 else "uint8"),
        decoder="opencv",
        orientation=orientation,
    )


def _hdr_header(path: Path, head: bytes) -> ImageHeader:
    found = re.search(rb"\n-Y (\d{1,9}) \+X (\d{1,9})\n", head)
    if not found:
        raise DataError("its Radiance header gives no size, or is not upright", path=path)
    height, width = int(found[1]), int(found[2])
    return ImageHeader(path=path, format="HDR", width_px=width, height_px=height, depth="float32", decoder="opencv")


def _exr_header(path: Path) -> ImageHeader:
    import av
    from av.error import FFmpegError

    with _sentences(path):
        try:
            with av.open(f"file:{path.absolute()}", format="exr_pipe") as container:
                context = container.streams.video[0].codec_context
                width, height = context.width, context.height
        except FFmpegError as error:
            raise DataError("the OpenEXR file cannot be read", path=path) from error
    return ImageHeader(path=path, format="EXR", width_px=width, height_px=height, depth="float32", decoder="ffmpeg")


def _with_ffmpeg(path: Path) -> NDArray[np.float32]:
    import av
    from av.error import FFmpegError

    try:
        with av.open(f"file:{path.absolute()}", format="exr_pipe") as container:
            frame = next(container.decode(video=0))
            grey = frame.format.name.startswith("gray")
            alpha = any(component.is_alpha for component in frame.format.components)
            kind = "grayf32le" if grey else ("gbrapf32le" if alpha else "gbrpf32le")
            return np.asarray(frame.reformat(format=kind).to_ndarray(), np.float32)
    except (FFmpegError, StopIteration) as error:
        raise DataError("the OpenEXR file is damaged", path=path) from error
