"""LAS and LAZ through laspy: whole-number coordinates stay exact about an origin. Used by ``cloud.py``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import Limits, Options, OptionValue
from workstation.media.cloud_columns import CloudFormat, RawCloud, Vector, file_size

_CHUNK_POINTS = 1 << 20
_HEADER_BYTES = 227


def load(path: Path, options: Options, limits: Limits) -> RawCloud:
    """In pieces, so that a header that claims too much is found out before the memory is spent."""
    del options
    size = file_size(path)
    if size < _HEADER_BYTES:
        raise DataError(f"{size} bytes are too few for a LAS header", path=path)
    try:
        return _load(path, size, limits)
    except (DataError, MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise DataError(f"not a LAS or LAZ file this program can read ({_words(error)})", path=path) from error
    except BaseException as error:
        # A panic of the decompressor (Rust) is no Exception, but it is about the file.
        if type(error).__name__ != "PanicException":
            raise
        raise DataError(f"its compressed points are damaged ({_words(error)})", path=path) from error


def _load(path: Path, size: int, limits: Limits) -> RawCloud:
    import laspy

    with laspy.open(path) as reader:
        header = reader.header
        count = int(header.point_count)
        limits.check_items(count, path=path)
        limits.check_bytes(count * (int(header.point_format.size) + 16), path=path)
        packed = bool(header.are_points_compressed)
        left = size - int(header.offset_to_point_data)
        if not packed and left < count * int(header.point_format.size):
            raise DataError(f"the header promises {count} points, {left} bytes follow; it is truncated", path=path)
        scales, offsets = np.asarray(header.scales, float), np.asarray(header.offsets, float)
        if not (np.isfinite(scales).all() and np.isfinite(offsets).all() and (scales != 0).all()):
            raise DataError(f"scales {scales.tolist()} and offsets {offsets.tolist()} make no places", path=path)
        kind = f"{'LAZ' if packed else 'LAS'} {header.version}, point format {header.point_format.id}"
        notes = ("its GPS time counts from the start of a week that it does not name",) if _weekly(header) else ()
        details: dict[str, OptionValue] = {"format": kind}
        if not packed and count:
            record = np.memmap(
                path, header.point_format.dtype(), "r", offset=int(header.offset_to_point_data), shape=(count,)
            )
            points = laspy.ScaleAwarePointRecord(record, header.point_format, header.scales, header.offsets)
            columns = _LasColumns(points, scales, offsets)
            return RawCloud(columns=columns, origin=columns.origin, time_unit="s", details=details, notes=notes)
        parts: dict[str, list[NDArray[Any]]] = {name: [] for name in header.point_format.dimension_names}
        for piece in reader.chunk_iterator(_CHUNK_POINTS):
            for name, column in parts.items():
                column.append(np.asarray(piece[name]))
    whole = {name: np.concatenate(column) if column else np.zeros(0) for name, column in parts.items()}
    if len(whole["X"]) != count:
        raise DataError(f"the header promises {count} points, the file holds {len(whole['X'])}", path=path)
    columns = _LasColumns(whole, scales, offsets)
    return RawCloud(columns=columns, origin=columns.origin, time_unit="s", details=details, notes=notes)


class _LasColumns(Mapping[str, NDArray[Any]]):
    """Dimensions under lower-case names, unpacked from the mapped points when they are asked for.

    The origin is a stored place, so that the distance to it is a whole number of steps: nothing is lost but the last
    bits of float32 far away from it.
    """

    def __init__(self, points: Any, scales: NDArray[np.float64], offsets: NDArray[np.float64]) -> None:
        self._points, self._scales = points, scales
        names = points.point_format.dimension_names if hasattr(points, "point_format") else points
        self._names = {name.lower(): name for name in names}
        self._middle = []
        for axis in "XYZ":
            stored = points[axis]
            self._middle.append((int(stored.min()) + int(stored.max())) // 2 if len(stored) else 0)
        places = [float(m * s + o) for m, s, o in zip(self._middle, scales, offsets, strict=True)]
        self.origin: Vector = (places[0], places[1], places[2])

    def __getitem__(self, name: str) -> NDArray[Any]:
        stored = np.asarray(self._points[self._names[name]])
        if name not in ("x", "y", "z"):
            return stored
        axis = "xyz".index(name)
        placed: NDArray[np.float32] = ((stored - np.int64(self._middle[axis])) * self._scales[axis]).astype(np.float32)
        return placed

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _weekly(header: Any) -> bool:
    return "gps_time" in list(header.point_format.dimension_names) and int(header.global_encoding.gps_time_type) == 0


def _words(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _probe(path: Path, head: bytes) -> float:
    del path
    return 1.0 if head[:4] == b"LASF" else 0.0


FORMAT = CloudFormat(name="las", suffixes=(".las", ".laz"), probe=_probe, load=load)
