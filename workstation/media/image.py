"""Still pictures as streams, one file each; numbered and time-stamped sequences are opened here too.

Pixels keep the depth of the file; what turns 16 bits or floating point into screen colours is the pane's window.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import MediaInfo, OpenContext, Options, OptionValue, Picture, ReaderSpec, Region, View

if TYPE_CHECKING:
    from workstation.media.image_decode import ImageHeader
    from workstation.media.image_levels import Levels
    from workstation.media.image_sequence import ImageSequence

_TILED_FROM_BYTES = 192 << 20
_VIEW = View()
_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm",
    ".pfm", ".tga", ".ico", ".avif", ".pcx", ".sgi", ".qoi", ".hdr", ".exr",
)  # fmt: skip


class ImageFile:
    """One picture. Decoded when first looked at; any thread."""

    def __init__(self, header: ImageHeader, context: OpenContext) -> None:
        self._header = header
        self._disk = context.disk
        self._content = context.hashes.get(header.path, "")
        self._share = context.memory.share()
        self._limit_bytes = context.memory.limit_bytes
        self._lock = threading.Lock()
        self._tiles: Levels | None = None
        self.width_px, self.height_px = header.width_px, header.height_px
        self.info = info_of(header)

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self._header.path,)

    def picture(self, view: View = _VIEW) -> Picture:
        with self._lock:
            return self._quick(view) or self._levels().picture(view)

    def value_at(self, x_px: int, y_px: int) -> tuple[int | float, ...]:
        with self._lock:
            return self._levels().value_at(x_px, y_px)

    def close(self) -> None:
        self._share.close()
        self._tiles = None

    def _quick(self, view: View) -> Picture | None:
        """The whole of a large JPEG, much shrunk, without decoding all of it: what a list of pictures shows."""
        from workstation.media.image_decode import decode_small
        from workstation.media.image_levels import fitting_scale, shrunk

        whole = Region(0, 0, self.width_px, self.height_px)
        scale = fitting_scale(whole, view)
        if view.region not in (None, whole) or scale > 0.5 or self._tiles is not None or "full" in self._share:
            return None
        width, height = max(1, round(self.width_px * scale)), max(1, round(self.height_px * scale))
        small = decode_small(self._header, width, height)
        if small is None:
            return None
        return Picture(
            pixels=shrunk(small, width, height), region=whole, width_px=self.width_px, height_px=self.height_px
        )

    def _levels(self) -> Levels:
        from workstation.media.image_decode import decode
        from workstation.media.image_levels import geometry_of, held_levels, tiled_levels, tiles_key, write_tiles

        if self._tiles is not None:
            return self._tiles
        full = self._share.get("full")
        if full is None:
            full = decode(self._header)
            huge = full.nbytes > min(_TILED_FROM_BYTES, self._limit_bytes // 2)
            if huge and self._disk is not None:
                shape = geometry_of(full)
                key = tiles_key(self._content or self._disk.content_hash(self._header.path))
                self._tiles = tiled_levels(shape, self._disk, key)
                if self._tiles is None and write_tiles(full, self._disk, key):
                    self._tiles = tiled_levels(shape, self._disk, key)
                if self._tiles is not None:
                    return self._tiles
            self._share.put("full", full, full.nbytes)
        return held_levels(full, self._share)


def info_of(header: ImageHeader) -> MediaInfo:
    """What the header of a picture tells a person."""
    details: dict[str, OptionValue] = {
        "format": header.format,
        "width_px": header.width_px,
        "height_px": header.height_px,
        "depth": header.depth,
    }
    if header.orientation != 1:
        details["orientation"] = f"EXIF {header.orientation}, shown upright"
    if header.taken:
        details["taken"] = header.taken
    return MediaInfo(
        kind=StreamKind.IMAGE,
        count=1,
        clock_source="EXIF" if header.taken else "",
        epoch_ns=header.taken_ns,
        details=details,
        notes=header.notes,
    )


def open_image(paths: Sequence[Path], options: Options, context: OpenContext) -> ImageFile:
    """One picture from one file."""
    from workstation.media.image_decode import read_header

    if len(paths) != 1:
        raise DataError(f"a picture is one file, not {len(paths)}; several are a picture sequence")
    if options:
        raise DataError(f"a picture has no option {', '.join(sorted(options))}", path=paths[0])
    return ImageFile(read_header(paths[0], context.limits), context)


def open_sequence(paths: Sequence[Path], options: Options, context: OpenContext) -> ImageSequence:
    """Several pictures as a stream with times."""
    from workstation.media.image_sequence import sequence_from_files

    return sequence_from_files(paths, options, context)


_MAGIC = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"BM",
    b"GIF8",
    b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51",
    b"#?RADIANCE",
    b"#?RGBE",
    b"\x76\x2f\x31\x01",
    b"qoif",
)


def probe(path: Path, head: bytes) -> float:
    """By the format's own mark; Targa has none."""
    if head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:12] == b"ftypavif":
        return 0.95
    if len(head) > 2 and head[:1] == b"P" and head[1:2] in b"123456fF" and head[2:3] in b" \t\r\n#":
        return 0.9
    return 0.4 if path.suffix.lower() in _SUFFIXES else 0.0


READERS = (
    ReaderSpec(name="image", kind=StreamKind.IMAGE, title="Picture", suffixes=_SUFFIXES, probe=probe, open=open_image),
    ReaderSpec(
        name="image_sequence",
        kind=StreamKind.VIDEO,
        title="Picture sequence",
        suffixes=_SUFFIXES,
        probe=lambda path, head: probe(path, head) / 2,
        open=open_sequence,
        several=True,
        options={
            "times": "'names' (time stamps in the file names), 'numbers' (numbered files) or 'exif'",
            "rate_hz": "pictures a second of numbered files",
            "times_file": "list of times beside the pictures, as text, table or JSON (file.json#key/key)",
            "times_unit": "unit of those times: s, ms, us or ns",
        },
    ),
)
