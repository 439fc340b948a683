"""Still pictures from files to upright arrays in the depth of the file. Used by ``image.py`` and ``image_sequence.py``.

Pillow decodes what has 8 bits a channel or one channel; OpenCV what Pillow would cut to 8 bits (16-bit colour PNG,
TIFF, PNM and JPEG 2000, Radiance HDR); FFmpeg reads OpenEXR, because OpenCV's own EXR reader is off by default for its
safety record, and what neither of the others keeps (planes that lie apart in a TIFF, deep SGI, colour PFM). The size in
the header is checked before anything is decoded.
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
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from workstation.core.errors import DataError
from workstation.media import image_deep
from workstation.media.base import HEAD_BYTES, Limits, Pixels
from workstation.media.image_exr import exr_source
from workstation.media.image_tiff import TIFF_MARKS, TiffFacts, tiff_facts

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

_ORIENTATION = 0x0112
_NAMED = (
    (
        re.compile(rb"\A....ftyp(heic|heix|hevc|mif1|msf1)", re.DOTALL),
        "is a HEIC picture, which this program does not read; convert it to JPEG, PNG or AVIF",
    ),
    (
        re.compile(rb"\A(\xff\x0a|\0\0\0\x0cJXL )"),
        "is a JPEG XL picture, which this program does not read; convert it to PNG or JPEG",
    ),
)
"""Pictures that people have and nobody here reads: (mark, what to do)."""
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
    """``pillow``, ``opencv``, ``ffmpeg`` or ``pfm``."""
    orientation: int = 1
    taken: str = ""
    """When it was taken, as the camera wrote it; a zone only if the camera wrote one."""
    taken_ns: int | None = None
    """Unix time, only with a zone."""
    notes: tuple[str, ...] = ()
    tiff: TiffFacts | None = None

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
    elif head.startswith(b"PF") and head[2:3] in b" \t\r\n":
        header = _pfm_header(path, head)
    elif head[:4] in TIFF_MARKS:
        header = _tiff_header(path, head)
    else:
        header = _pillow_header(path, head)
    limits.check_picture(header.width_px, header.height_px, bytes_per_pixel=header.bytes_per_pixel, path=path)
    return header


def decode(header: ImageHeader) -> Pixels:
    """The whole picture, upright, C-contiguous: (h, w) or (h, w, 3 or 4), uint8, uint16 or float32."""
    with _sentences(header.path):
        decoders = {"pillow": _with_pillow, "opencv": _with_opencv, "ffmpeg": _with_ffmpeg, "pfm": _with_numpy}
        pixels = upright(decoders[header.decoder](header), header.orientation)
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


def _pillow_header(path: Path, head: bytes) -> ImageHeader:
    try:
        return _described(path, head)
    except UnidentifiedImageError as error:
        reason = next((why for mark, why in _NAMED if mark.search(head)), "not a picture this program can read")
        raise DataError(reason, path=path) from error


def _described(path: Path, head: bytes) -> ImageHeader:
    with _sentences(path), Image.open(path, formats=_formats()) as image:
        kind = image.format or ""
        bits, floating = _depth(image, head)
        orientation, taken, taken_ns, notes = _exif(image)
        width, height = image.size
        if _UPRIGHT[orientation][0]:
            width, height = height, width
        decoder = _decoder(kind, image.mode, bits)
        notes += _notes(image, bits)
        depth = "uint8"
        if floating or image.mode == "F":
            depth = "float32"
        elif bits > 8 and kind != "AVIF":
            depth = "uint16"
        return ImageHeader(
            path=path,
            format=kind,
            width_px=width,
            height_px=height,
            depth=depth,
            decoder=decoder,
            orientation=orientation,
            taken=taken,
            taken_ns=taken_ns,
            notes=notes,
        )


def _decoder(kind: str, mode: str, bits: int) -> str:
    """Who keeps all bits: Pillow has no mode for deep colour, and widens deep grey JPEG 2000 to 16 bits."""
    if bits <= 8 or kind == "AVIF":
        return "pillow"
    if kind == "JPEG2000":
        return "opencv"
    if kind == "SGI":
        return "ffmpeg"
    grey = mode in ("L", "1", "I", "F") or mode.startswith("I;")
    return "opencv" if kind in _DEEP_FORMATS and not grey else "pillow"


def _notes(image: Image.Image, bits: int) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        notes += (f"its {image.mode} colours are shown as RGB without a colour profile",)
    if getattr(image, "n_frames", 1) > 1 and image.format in ("GIF", "WEBP", "PNG", "TIFF"):
        notes += (f"it holds {getattr(image, 'n_frames', 1)} pictures; the first one is shown",)
    if image.format == "AVIF" and bits > 8:
        notes += (f"its {bits} bits a channel are shown as 8",)
    return notes


def _tiff_header(path: Path, head: bytes) -> ImageHeader:
    """By its own tags; Pillow is asked for its notes and the date, where it knows the kind."""
    with _sentences(path):
        facts = tiff_facts(path, head)
    try:
        header = _described(path, head)
    except UnidentifiedImageError:
        header = None
    decoder = facts.decoder(known_to_pillow=header is not None)
    if not decoder:
        raise DataError(facts.refusal, path=path)
    orientation = facts.orientation if facts.orientation in _UPRIGHT else 1
    width, height = facts.width, facts.height
    if _UPRIGHT[orientation][0]:
        width, height = height, width
    notes = header.notes if header is not None else ()
    if facts.bits == 32 and not facts.floating:
        notes += ("its 32-bit whole numbers are shown as floating point, large ones rounded",)
    return ImageHeader(
        path=path,
        format="TIFF",
        width_px=width,
        height_px=height,
        depth="float32" if facts.floating or facts.bits == 32 else ("uint16" if facts.bits > 8 else "uint8"),
        decoder=decoder,
        orientation=orientation,
        taken=header.taken if header is not None else "",
        taken_ns=header.taken_ns if header is not None else None,
        notes=notes,
        tiff=facts,
    )


def _depth(image: Image.Image, head: bytes) -> tuple[int, bool]:
    """(bits a channel in the file, whether they are floating point)."""
    if image.format == "PNG":
        return head[24], False
    if image.format == "SGI":
        return 8 * head[3], False
    if image.format == "AVIF":
        found = re.search(rb"pixi.{4}[\x01-\x04]([\x08-\x10])", head, re.DOTALL)
        return (found[1][0] if found else 8), False
    if image.format == "JPEG2000":
        # The size marker of the code stream; its 38th byte says how deep the first channel is.
        found = re.search(rb"\xff\x4f\xff\x51.{36}\0[\x01-\xff](.)", head, re.DOTALL)
        return ((found[1][0] & 0x7F) + 1 if found else 8), False
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


def _with_pillow(header: ImageHeader) -> Pixels:
    turned = header.tiff is not None and header.orientation != 1
    source = BytesIO(header.tiff.read_upright(header.path)) if header.tiff is not None and turned else header.path
    with Image.open(source, formats=_formats()) as image:
        pixels = _array(image)
    negative = header.tiff is not None and header.tiff.negative
    return np.invert(pixels) if negative and pixels.dtype == np.uint16 else pixels


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


def _with_opencv(header: ImageHeader) -> Pixels:
    raw = header.path.read_bytes() if header.tiff is None else header.tiff.read_upright(header.path)
    return image_deep.with_opencv(header.path, raw)


def _with_ffmpeg(header: ImageHeader) -> Pixels:
    return image_deep.with_ffmpeg(header.path, header.format)


def _with_numpy(header: ImageHeader) -> Pixels:
    return image_deep.colour_pfm(header.path, header.width_px, header.height_px)


def _hdr_header(path: Path, head: bytes) -> ImageHeader:
    found = re.search(rb"\n-Y (\d{1,9}) \+X (\d{1,9})\n", head)
    if not found:
        raise DataError("its Radiance header gives no size, or is not upright", path=path)
    height, width = int(found[1]), int(found[2])
    return ImageHeader(path=path, format="HDR", width_px=width, height_px=height, depth="float32", decoder="opencv")


def _pfm_header(path: Path, head: bytes) -> ImageHeader:
    width, height = image_deep.pfm_size(path, head)
    return ImageHeader(path=path, format="PFM", width_px=width, height_px=height, depth="float32", decoder="pfm")


def _exr_header(path: Path) -> ImageHeader:
    import av
    from av.error import FFmpegError

    with _sentences(path):
        source = exr_source(path)
        try:
            with av.open(source, format="exr_pipe") as container:
                context = container.streams.video[0].codec_context
                width, height = context.width, context.height
        except FFmpegError as error:
            raise DataError("the OpenEXR file cannot be read", path=path) from error
    return ImageHeader(path=path, format="EXR", width_px=width, height_px=height, depth="float32", decoder="ffmpeg")
