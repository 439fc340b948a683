"""LAS and LAZ through laspy: whole-number coordinates stay exact about an origin. Used by ``cloud.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import Limits, Options
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
        names = [name for name in header.point_format.dimension_names if name not in ("X", "Y", "Z")]
        parts: dict[str, list[NDArray[Any]]] = {name: [] for name in ("X", "Y", "Z", *names)}
        for piece in reader.chunk_iterator(_CHUNK_POINTS):
            for name, column in parts.items():
                column.append(np.asarray(piece[name]))
        kind = f"{'LAZ' if packed else 'LAS'} {header.version}, point format {header.point_format.id}"
    whole = {name: np.concatenate(column) if column else np.zeros(0) for name, column in parts.items()}
    if len(whole["X"]) != count:
        raise DataError(f"the header promises {count} points, the file holds {len(whole['X'])}", path=path)
    columns, origin = _placed(whole, scales, offsets)
    columns |= {name.lower(): whole[name] for name in names}
    notes = ("its GPS time counts from the start of a week that it does not name",) if _weekly(header, whole) else ()
    return RawCloud(columns=columns, origin=origin, time_unit="s", details={"format": kind}, notes=notes)


def _placed(
    whole: dict[str, NDArray[Any]], scales: NDArray[np.float64], offsets: NDArray[np.float64]
) -> tuple[dict[str, NDArray[Any]], Vector]:
    columns: dict[str, NDArray[Any]] = {}
    origin = [0.0, 0.0, 0.0]
    for axis, name in enumerate("XYZ"):
        stored = whole[name].astype(np.int64)
        middle = (int(stored.min()) + int(stored.max())) // 2 if len(stored) else 0
        # The origin is a stored place, so that the difference is a whole number of steps: nothing is lost but the
        # last bit of float32 near the edges.
        origin[axis] = float(middle * scales[axis] + offsets[axis])
        columns[name.lower()] = ((stored - middle) * scales[axis]).astype(np.float32)
    return columns, (origin[0], origin[1], origin[2])


def _weekly(header: Any, whole: dict[str, NDArray[Any]]) -> bool:
    return "gps_time" in whole and int(header.global_encoding.gps_time_type) == 0


def _words(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _probe(path: Path, head: bytes) -> float:
    del path
    return 1.0 if head[:4] == b"LASF" else 0.0


FORMAT = CloudFormat(name="las", suffixes=(".las", ".laz"), probe=_probe, load=load)
