"""Which channels an OpenEXR picture has, and how FFmpeg is made to read a lone one. Used by ``image_decode.py``.

FFmpeg knows R, G, B, A and Y; a depth map's only channel is mostly called Z or V, and means the same as Y to us.
"""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from workstation.core.errors import DataError

_SHOWN = frozenset("RGBAY")
_LONGEST_NAME = 255
_MOST_CHANNEL_BYTES = 1 << 20


def exr_source(path: Path) -> str | BinaryIO:
    """What FFmpeg is given: the file, or its bytes with the lone channel named Y; refuses what it would not show."""
    channels = _channels(path)
    if channels.keys() & _SHOWN:
        return f"file:{path.absolute()}"
    if len(channels) != 1 or len(next(iter(channels))) != 1:
        names = ", ".join(sorted(channels))[:200] or "none"
        raise DataError(f"its channels are {names}; this program shows R, G, B, A and Y, or a single letter", path=path)
    raw = bytearray(path.read_bytes())
    raw[next(iter(channels.values()))] = ord("Y")
    return BytesIO(raw)


def _channels(path: Path) -> dict[str, int]:
    """Name of each channel of the first part, and where the file writes it; raises ``struct.error`` if it is cut."""
    with path.open("rb") as file:
        file.seek(8)
        while name := _word(file):
            _word(file)
            (size,) = struct.unpack("<i", file.read(4))
            if name != b"channels":
                file.seek(max(size, 0), 1)
                continue
            start = file.tell()
            return _listed(file.read(min(max(size, 0), _MOST_CHANNEL_BYTES)), start)
    return {}


def _listed(block: bytes, start: int) -> dict[str, int]:
    found: dict[str, int] = {}
    at = 0
    while at < len(block) and block[at]:
        end = block.index(b"\0", at)
        found[block[at:end].decode("utf-8", "replace")] = start + at
        at = end + 1 + 16  # the kind of number, whether it is linear, and two steps
    return found


def _word(file: BinaryIO) -> bytes:
    raw = file.read(_LONGEST_NAME + 1)
    end = raw.find(b"\0")
    if end < 0:
        raise struct.error("a name in its header does not end")
    file.seek(end + 1 - len(raw), 1)
    return raw[:end]
