"""NIfTI-1 and NIfTI-2 volumes, plain or gzipped, in one file or as a pair. Opened through ``READERS``.

The file's world is RAS; it becomes LPS here, once. ``sform`` counts before ``qform``; a file with neither says nothing
about the patient's sides, which is noted. A gzipped file is unpacked once, within what its header may claim: into
the disk cache where there is one, else into memory.
"""

from __future__ import annotations

import gzip
import mmap
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import MediaInfo, OpenContext, Options, OptionValue, ReaderSpec, Window
from workstation.media.cache import hash_file
from workstation.media.volume import (
    StackVolume,
    StoredSlice,
    VolumeLook,
    check_geometry,
    edge_letters,
    plane_name,
    spacing_mm,
)

_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
_REFUSED = {1: "single bits", 32: "complex numbers", 128: "RGB colours", 1536: "quadruple floats", 2304: "RGBA colours"}
_UNITS_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_MAGIC = (b"n+1\0", b"ni1\0", b"n+2\0", b"ni2\0")
_CHUNK = 1 << 20
_SAME_PLACE_MM = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a NIfTI header says, checked."""

    dims: tuple[int, ...]
    """Columns, rows, slices, then times and more; always at least three."""
    dtype: np.dtype[np.generic]
    offset: int
    slope: float
    intercept: float
    shown: tuple[float, float]
    """Darkest and brightest value to show; equal if the file does not say."""
    patient_from_voxel: NDArray[np.float64]
    """(4, 4): (slice, row, column, 1) to LPS millimetres."""
    placed_by: str
    alone: bool
    """Whether the voxels are in the same file."""
    version: int
    description: str
    notes: tuple[str, ...]

    @property
    def slice_bytes(self) -> int:
        return self.dims[0] * self.dims[1] * self.dtype.itemsize

    @property
    def volumes(self) -> int:
        count = 1
        for size in self.dims[3:]:
            count *= size
        return count

    @property
    def voxel_bytes(self) -> int:
        return self.slice_bytes * self.dims[2] * self.volumes


def parse_header(data: bytes, *, path: Path | str) -> Header:
    """The header of either version and byte order, or a ``DataError``."""
    order, version = _layout(data, path)
    reads = _fields_1 if version == 1 else _fields_2
    raw = reads(data, order)
    dims = _dims(raw.dim, path)
    if raw.datatype not in _TYPES:
        what = _REFUSED.get(raw.datatype, f"an unknown type ({raw.datatype})")
        raise DataError(f"holds {what}; only volumes of whole numbers and floats can be shown", path=path)
    offset = int(raw.vox_offset) if np.isfinite(raw.vox_offset) and 0 <= raw.vox_offset < 1 << 40 else -1
    if offset < 0:
        raise DataError("says its voxels begin before the file does", path=path)
    alone = raw.magic[1:2] == b"+"
    slope, intercept = raw.slope, raw.intercept
    notes: list[str] = []
    if not (np.isfinite(slope) and np.isfinite(intercept)):
        notes.append("slope and intercept are no numbers; the stored values are shown")
        slope, intercept = 1.0, 0.0
    if slope == 0:
        slope, intercept = 1.0, 0.0
    matrix, placed_by = _placed(raw, notes)
    check_geometry(matrix, path)
    low, high = raw.shown
    return Header(
        dims=dims,
        dtype=np.dtype(order + _TYPES[raw.datatype]),
        offset=max(offset, len(data)) if alone else offset,
        slope=slope,
        intercept=intercept,
        shown=(low, high) if np.isfinite(low) and np.isfinite(high) and high > low else (0.0, 0.0),
        patient_from_voxel=matrix,
        placed_by=placed_by,
        alone=alone,
        version=version,
        description=raw.description,
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """The fields of a header as they stand there."""

    dim: tuple[int, ...]
    datatype: int
    pixdim: tuple[float, ...]
    vox_offset: float
    slope: float
    intercept: float
    units: int
    shown: tuple[float, float]
    description: str
    qform: int
    sform: int
    quatern: tuple[float, float, float]
    offsets: tuple[float, float, float]
    rows: tuple[float, ...]
    magic: bytes


def _layout(data: bytes, path: Path | str) -> tuple[str, int]:
    for order in ("<", ">"):
        size = struct.unpack(order + "i", data[:4])[0] if len(data) >= 4 else 0
        if size == 348 and len(data) >= 348 and data[344:348] in _MAGIC[:2]:
            return order, 1
        if size == 540 and len(data) >= 540 and data[4:8] in _MAGIC[2:]:
            return order, 2
    raise DataError("is no NIfTI volume, or its header is cut off", path=path)


def _fields_1(data: bytes, order: str) -> _Raw:
    def read(form: str, at: int) -> tuple[float, ...]:
        return struct.unpack_from(order + form, data, at)

    slope, intercept = read("2f", 112)
    high, low = read("2f", 124)
    q = read("6f", 256)
    codes = struct.unpack_from(order + "2h", data, 252)
    return _Raw(
        dim=struct.unpack_from(order + "8h", data, 40),
        datatype=struct.unpack_from(order + "h", data, 70)[0],
        pixdim=read("8f", 76),
        vox_offset=read("f", 108)[0],
        slope=slope,
        intercept=intercept,
        units=data[123],
        shown=(low, high),
        description=data[148:228].split(b"\0")[0].decode("ascii", "replace"),
        qform=codes[0],
        sform=codes[1],
        quatern=(q[0], q[1], q[2]),
        offsets=(q[3], q[4], q[5]),
        rows=read("12f", 280),
        magic=data[344:348],
    )


def _fields_2(data: bytes, order: str) -> _Raw:
    def read(form: str, at: int) -> tuple[float, ...]:
        return struct.unpack_from(order + form, data, at)

    slope, intercept = read("2d", 176)
    high, low = read("2d", 192)
    q = read("6d", 352)
    codes = struct.unpack_from(order + "2i", data, 344)
    return _Raw(
        dim=struct.unpack_from(order + "8q", data, 16),
        datatype=struct.unpack_from(order + "h", data, 12)[0],
        pixdim=read("8d", 104),
        vox_offset=struct.unpack_from(order + "q", data, 168)[0],
        slope=slope,
        intercept=intercept,
        units=struct.unpack_from(order + "i", data, 500)[0],
        shown=(low, high),
        description=data[240:320].split(b"\0")[0].decode("ascii", "replace"),
        qform=codes[0],
        sform=codes[1],
        quatern=(q[0], q[1], q[2]),
        offsets=(q[3], q[4], q[5]),
        rows=read("12d", 400),
        magic=data[4:8],
    )


def _dims(dim: tuple[int, ...], path: Path | str) -> tuple[int, ...]:
    count = dim[0]
    if not 1 <= count <= 7 or any(not 1 <= size < 1 << 31 for size in dim[1 : count + 1]):
        raise DataError(f"claims the sizes {list(dim)}, which no volume has", path=path)
    return (*dim[1 : count + 1], 1, 1)[: max(3, count)]


def _placed(raw: _Raw, notes: list[str]) -> tuple[NDArray[np.float64], str]:
    """(slice, row, column) to LPS millimetres, and which of the file's three ways said so."""
    scale = _UNITS_MM.get(raw.units & 7, 1.0)
    by_quaternion = _from_quaternion(raw)
    by_rows = np.vstack([np.array(raw.rows).reshape(3, 4), (0, 0, 0, 1)])
    if raw.sform > 0:
        ras, placed_by = by_rows, "sform"
        if raw.qform > 0 and by_quaternion is not None:
            corner = np.array([*(max(1, min(size, 1 << 20)) - 1 for size in raw.dim[1:4]), 1.0])
            apart = float(np.abs((by_rows - by_quaternion) @ corner).max()) * scale
            if not apart <= _SAME_PLACE_MM:
                notes.append(f"sform and qform place the last voxel {apart:.3g} mm apart; sform counts")
    elif raw.qform > 0:
        if by_quaternion is None:
            raise DataError("its qform holds no rotation")
        ras, placed_by = by_quaternion, "qform"
    else:
        ras, placed_by = np.diag([*(abs(size) for size in raw.pixdim[1:4]), 1.0]), "spacing only"
        notes.append("the file does not say where the patient's sides are; sides and letters are a guess")
    if raw.units & 7 == 0:
        notes.append("the file names no unit of length; millimetres are assumed")
    lps = np.diag([-scale, -scale, scale, 1.0]) @ np.where(np.isfinite(ras), ras, np.nan)
    return lps[:, [2, 1, 0, 3]], placed_by


def _from_quaternion(raw: _Raw) -> NDArray[np.float64] | None:
    b, c, d = raw.quatern
    rest = 1.0 - (b * b + c * c + d * d)
    if not np.isfinite(rest) or rest < -1e-3:
        return None
    a = float(np.sqrt(max(0.0, rest)))
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    flip = -1.0 if raw.pixdim[0] < 0 else 1.0
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.array([raw.pixdim[1], raw.pixdim[2], raw.pixdim[3] * flip])
    matrix[:3, 3] = raw.offsets
    return matrix


def open_nifti(paths: Sequence[Path], options: Options, context: OpenContext) -> StackVolume:
    """One volume of the file; the option ``volume`` picks it where there are several, from 0."""
    header_path, data_path = _pair(paths)
    header = _read_header(header_path)
    number = options.get("volume", 0)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < header.volumes:
        raise DataError(f"has {header.volumes} volumes, counted from 0; there is no {number!r}", path=header_path)
    context.limits.check_picture(header.dims[0], header.dims[1], bytes_per_pixel=8, path=header_path)
    context.limits.check_bytes(header.voxel_bytes, path=header_path)
    context.limits.check_items(header.dims[2] * header.volumes, path=header_path)
    voxels, close = _voxels(data_path, header, context)
    look = VolumeLook(
        paths=(header_path,) if header.alone else (header_path, data_path),
        info=_info(header, number, chosen="volume" in options),
        shape=(header.dims[2], header.dims[1], header.dims[0]),
        patient_from_voxel=header.patient_from_voxel,
        unit="",
        windows=_windows(header),
    )

    def load(index: int) -> StoredSlice:
        at = (number * header.dims[2] + index) * header.slice_bytes
        pixels = np.frombuffer(voxels, header.dtype, header.dims[0] * header.dims[1], at)
        native = pixels.astype(header.dtype.newbyteorder("="))  # a copy: the file may be closed while it is shown
        return StoredSlice(native.reshape(header.dims[1], header.dims[0]), header.slope, header.intercept)

    return StackVolume(look, load, context, close)


def _pair(paths: Sequence[Path]) -> tuple[Path, Path]:
    """Header and voxels: one file, or ``.hdr`` and ``.img`` beside each other."""
    if len(paths) == 2:
        header = next((path for path in paths if ".hdr" in path.name.lower()), None)
        data = next((path for path in paths if ".img" in path.name.lower()), None)
        if header is not None and data is not None:
            return header, data
    if len(paths) != 1:
        raise DataError(f"a NIfTI volume is one file, or a .hdr and a .img, not {len(paths)} files")
    path = paths[0]
    for here, there in ((".hdr", ".img"), (".img", ".hdr")):
        if here in path.name.lower():
            twin = path.with_name(path.name.replace(here, there).replace(here.upper(), there.upper()))
            if twin != path and twin.is_file():
                return (path, twin) if here == ".hdr" else (twin, path)
    return path, path


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


@contextmanager
def _unpacking(path: Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    """The file's bytes, unpacked where it is gzipped; what is broken inside is a ``DataError``."""
    try:
        with gzip.open(path, "rb") if _is_gzip(path) else path.open("rb") as file:
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError("its packing is damaged or cut off", path=path) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error


def _read_header(path: Path) -> Header:
    with _unpacking(path) as file:
        data = file.read(540)
    if len(data) >= 4 and 348 in struct.unpack("<i", data[:4]) + struct.unpack(">i", data[:4]):
        data = data[:348]
    try:
        return parse_header(data, path=path)
    except DataError as error:
        raise error if error.path else DataError(error.reason, path=path) from error


def _voxels(path: Path, header: Header, context: OpenContext) -> tuple[memoryview | bytearray, Callable[[], None]]:
    """The voxels of all volumes as a buffer, and how to let go of it."""
    if not _is_gzip(path):
        size = path.stat().st_size
        if size < header.offset + header.voxel_bytes:
            raise DataError(
                f"is cut off: {size:,} bytes of {header.offset + header.voxel_bytes:,} that its header claims",
                path=path,
            )
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        view = memoryview(mapped)[header.offset : header.offset + header.voxel_bytes]

        def close() -> None:
            view.release()
            mapped.close()

        return view, close
    if context.disk is not None:
        key = context.hashes.get(path) or hash_file(path)
        cached = context.disk.mapped("nifti", key, 1)
        if cached is None or len(cached) != header.voxel_bytes:
            with context.disk.writing("nifti", key, 1) as write:
                _unpack(path, header, context, write)
            cached = context.disk.mapped("nifti", key, 1)
        if cached is not None and len(cached) == header.voxel_bytes:
            return cached, cached.release
    if header.voxel_bytes > context.memory.limit_bytes:
        raise DataError(f"unpacks to {header.voxel_bytes:,} bytes, too many to hold; unpack the file first", path=path)
    held = bytearray()
    _unpack(path, header, context, held.extend)
    return held, held.clear


def _unpack(path: Path, header: Header, context: OpenContext, write: Callable[[bytes], object]) -> None:
    """Exactly the bytes that the header claims, a chunk at a time: a bomb is not unpacked beyond them."""
    wanted = header.voxel_bytes
    done = 0
    with _unpacking(path) as file:
        skip = header.offset
        while skip > 0:
            chunk = file.read(min(_CHUNK, skip))
            if not chunk:
                break
            skip -= len(chunk)
        while done < wanted:
            context.cancel.check()
            chunk = file.read(min(_CHUNK, wanted - done))
            if not chunk:
                raise DataError(f"is cut off: {done:,} bytes of {wanted:,} that its header claims", path=path)
            write(chunk)
            done += len(chunk)
            if context.progress is not None:
                context.progress(done / wanted)


def _windows(header: Header) -> tuple[Window, ...]:
    low, high = header.shown
    return (Window("file", (low + high) / 2, high - low),) if high > low else ()


def _info(header: Header, number: int, *, chosen: bool) -> MediaInfo:
    slices, rows, columns = spacing_mm(header.patient_from_voxel)
    details: dict[str, OptionValue] = {
        "format": f"NIfTI-{header.version}",
        "columns": header.dims[0],
        "rows": header.dims[1],
        "spacing_mm": f"{slices:.4g} × {rows:.4g} × {columns:.4g}",
        "plane": plane_name(header.patient_from_voxel),
        "edges": " ".join(edge_letters(header.patient_from_voxel, 0)),
        "placed_by": header.placed_by,
        "stored": str(header.dtype.newbyteorder("=")),
    }
    if header.volumes > 1:
        details |= {"volumes": header.volumes, "volume": number}
    if header.description.strip():
        details["description"] = header.description.strip()
    notes = header.notes
    if header.volumes > 1 and not chosen:
        notes += (f"it holds {header.volumes} volumes; the first one is shown",)
    return MediaInfo(kind=StreamKind.VOLUME, count=header.dims[2], clock_source="none", details=details, notes=notes)


def probe(path: Path, head: bytes) -> float:
    """By the header's own marks; of a gzipped file the beginning is unpacked."""
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(31).decompress(head, 600)
        except zlib.error:
            return 0.0
    try:
        _layout(head, path)
    except DataError:
        return 0.0
    return 0.98


READERS = (
    ReaderSpec(
        name="nifti",
        kind=StreamKind.VOLUME,
        title="NIfTI volume",
        suffixes=(".nii", ".nii.gz", ".hdr", ".img"),
        probe=probe,
        open=open_nifti,
        options={"volume": "which volume of a series of them, counted from 0"},
        several=True,
    ),
)
