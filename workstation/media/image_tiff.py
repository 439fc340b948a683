"""What the first directory of a TIFF says, and who decodes such pixels rightly. Used by ``image_decode.py``.

None of the libraries can be asked alone: Pillow cuts deep colour to eight bits, OpenCV reads planes that lie apart or
bits packed together as other numbers without a word, and both turn a picture on their own in some versions.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workstation.core.errors import DataError

TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MOST_ENTRIES = 4096
_TAGS = {
    256: "width",
    257: "height",
    258: "bits",
    262: "photometric",
    274: "orientation",
    277: "samples",
    284: "planar",
    339: "format",
}
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_WHITE_IS_ZERO, _APART, _SIGNED, _FLOAT = 0, 2, 2, 3
_WITH_PILLOW = ((1, 16, False), (1, 32, True), (1, 32, False))
_WITH_OPENCV = ((3, 16, False), (4, 16, False), (1, 64, True), (3, 32, True), (4, 32, True), (3, 64, True))
_WITH_FFMPEG = ((2, 16, False),)
_APART_WITH_FFMPEG = ((3, 16, False), (4, 16, False), (3, 32, True), (4, 32, True))


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffFacts:
    """The tags that decide how the pixels are read; sizes as stored, before any turning."""

    width: int = 0
    height: int = 0
    bits: int = 1
    photometric: int = 1
    orientation: int = 1
    samples: int = 1
    planar: int = 1
    format: int = 1
    orientation_at: int = 0
    """Where the file keeps the orientation, to be read as upright by libraries that would turn it; 0: nowhere."""
    orientation_code: str = "<H"

    @property
    def floating(self) -> bool:
        return self.format == _FLOAT

    @property
    def negative(self) -> bool:
        """Whether zero is white and no library turns it round: they do up to eight bits."""
        return self.photometric == _WHITE_IS_ZERO and self.samples == 1 and self.bits == 16 and not self.floating

    def decoder(self, *, known_to_pillow: bool) -> str:
        """``pillow``, ``opencv`` or ``ffmpeg``; empty if nobody reads such pixels as they are stored."""
        kind = (self.samples, self.bits, self.floating)
        signed = self.format == _SIGNED and self.samples > 1
        if self.planar == _APART and self.samples > 1 and self.bits > 8:
            return "ffmpeg" if kind in _APART_WITH_FFMPEG and not signed else ""
        if known_to_pillow and (self.bits <= 8 or kind in _WITH_PILLOW or kind == (1, 12, False)):
            return "pillow"
        if kind in _WITH_OPENCV and not signed:
            return "opencv"
        return "ffmpeg" if kind in _WITH_FFMPEG and not signed else ""

    @property
    def refusal(self) -> str:
        """What is special about pixels that nobody reads, as a sentence with what to do."""
        numbers = "floating point numbers" if self.floating else "numbers"
        apart = " that lie in planes of their own" if self.planar == _APART and self.samples > 1 else ""
        return (
            f"its pixels are {self.samples} {numbers} of {self.bits} bits{apart}, which this program does not read; "
            "write it with 1, 3 or 4 channels of 8 or 16 bits, or of 32-bit floating point"
        )

    def read_upright(self, path: Path) -> bytes:
        """The file with its orientation said to be 1, so that no library turns what we turn."""
        raw = bytearray(path.read_bytes())
        if self.orientation_at:
            struct.pack_into(self.orientation_code, raw, self.orientation_at, 1)
        return bytes(raw)


def tiff_facts(path: Path, head: bytes) -> TiffFacts:
    """The first directory of a classic or a big TIFF; raises what ``struct`` raises where the file is cut."""
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    told: dict[str, int] = {}
    place: tuple[int, str] = (0, "<H")
    with path.open("rb") as file:
        (start,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
        file.seek(start)
        (count,) = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))
        if count > _MOST_ENTRIES:
            raise DataError(f"its directory claims {count:,} entries", path=path)
        first = file.tell()
        length = 20 if big else 12
        entries = file.read(length * count)
        for at in range(0, len(entries) - length + 1, length):
            (tag,) = struct.unpack_from(order + "H", entries, at)
            if tag not in _TAGS:
                continue
            value, code = _value(file, entries[at : at + length], order, big=big)
            if value is not None:
                told[_TAGS[tag]] = value
            if _TAGS[tag] == "orientation" and code:
                place = (first + at + (12 if big else 8), order + code)
    return TiffFacts(**told, orientation_at=place[0], orientation_code=place[1])


def _value(file: BinaryIO, entry: bytes, order: str, *, big: bool) -> tuple[int | None, str]:
    """(the entry's first number, its code) or nothing: of several channels the first one speaks for all."""
    (kind,) = struct.unpack_from(order + "H", entry, 2)
    (count,) = struct.unpack_from(order + ("Q" if big else "I"), entry, 4)
    code = _NUMBERS.get(kind)
    if code is None or not count:
        return None, ""
    size = struct.calcsize(order + code)
    inside = entry[12:] if big else entry[8:]
    if size * count > len(inside):
        file.seek(struct.unpack(order + ("Q" if big else "I"), inside)[0])
        inside = file.read(size)
        return int(struct.unpack(order + code, inside)[0]), ""
    return int(struct.unpack_from(order + code, inside)[0]), code
