"""Headers of a DICOM series kept in the disk cache, so that a series is opened again without parsing every file.

Found by the content hashes of all files in their order; a series with a file whose content is not known is not kept,
nor one with lookup tables, which are large and rare. Used by ``dicom`` alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from workstation.media.base import OpenContext, Window
from workstation.media.dicom_header import FileHeader, FrameHeader

_KIND, _VERSION = "dicom", 1
_PLAIN = tuple(
    each.name for each in fields(FileHeader) if each.name not in ("path", "value_table", "grey_table", "frames")
)


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """One file: its plain fields as a mapping, and its frames without their paths."""

    plain: dict[str, Any]
    frames: list[dict[str, Any]]


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_DECODER = msgspec.msgpack.Decoder(list[_Kept])
_LEARNT = msgspec.msgpack.Decoder(Window)


def kept_headers(paths: Sequence[Path], context: OpenContext) -> list[FileHeader] | None:
    """The headers of these files, if they were kept."""
    key = _key(paths, context)
    stored = None if key is None or context.disk is None else context.disk.read(_KIND, key, _VERSION)
    if stored is None:
        return None
    try:
        kept = _DECODER.decode(stored)
        return [_header(each, path) for each, path in zip(kept, paths, strict=True)]
    except (msgspec.MsgspecError, TypeError, ValueError):
        return None  # written by another version: the files are read as if nothing had been kept


def keep_headers(headers: Sequence[FileHeader], context: OpenContext) -> None:
    """Put them down for the next time."""
    key = _key([each.path for each in headers], context)
    if key is None or context.disk is None:
        return
    if any(each.value_table is not None or each.grey_table is not None for each in headers):
        return
    kept = [_Kept({name: getattr(each, name) for name in _PLAIN}, [_frame(f) for f in each.frames]) for each in headers]
    context.disk.write(_KIND, key, _VERSION, msgspec.msgpack.encode(kept))


def _key(paths: Sequence[Path], context: OpenContext) -> str | None:
    hashes = [context.hashes.get(path, "") for path in paths]
    if not paths or not all(hashes):
        return None
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _frame(frame: FrameHeader) -> dict[str, Any]:
    return {each.name: getattr(frame, each.name) for each in fields(FrameHeader) if each.name != "path"}


_BLANK = FrameHeader(
    path=Path(), frame=0, instance="", position=None, orientation=None, row_mm=None, column_mm=None, slope=1.0,
    intercept=0.0, windows=(),
)  # fmt: skip


def _header(kept: _Kept, path: Path) -> FileHeader:
    frames = tuple(_frame_of(each, path) for each in kept.frames)
    plain = {
        **kept.plain,
        "discriminators": tuple((str(name), str(value)) for name, value in kept.plain["discriminators"]),
        "frame_times_ms": tuple(msgspec.convert(each, Decimal) for each in kept.plain["frame_times_ms"]),
        "notes": tuple(kept.plain["notes"]),
        "edges": None if kept.plain["edges"] is None else tuple(kept.plain["edges"]),
    }
    return FileHeader(path=path, value_table=None, grey_table=None, frames=frames, **plain)


def _frame_of(kept: dict[str, Any], path: Path) -> FrameHeader:
    windows = tuple(msgspec.convert(each, Window) for each in kept["windows"])
    places = {name: None if kept[name] is None else tuple(kept[name]) for name in ("position", "orientation")}
    return replace(_BLANK, **{**kept, **places, "windows": windows, "path": path})
