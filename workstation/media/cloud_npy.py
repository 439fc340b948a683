"""Clouds in NPY and NPZ: one array of rows, a structured array, or one array a column. Used by ``cloud.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import Limits, Options
from workstation.media.cloud_columns import CloudFormat, RawCloud, check_columns, file_size, named_columns
from workstation.media.npy_arrays import array_names, read_npy, read_npz

_USUAL = ("x", "y", "z", "intensity", "ring", "time")
_PLACES = ("points", "xyz", "positions", "coords", "pts", "pc", "lidar", "arr_0")


def load(path: Path, options: Options, limits: Limits) -> RawCloud:
    """NPY is mapped; NPZ is read within the limits."""
    file_size(path)
    with path.open("rb") as file:
        packed = file.read(2) == b"PK"
    if packed:
        columns = _from_npz(read_npz(path, limits), options, path)
    else:
        columns = _split(read_npy(path, limits), options, path)
    details = {"format": "NPZ" if packed else "NPY", "columns": ",".join(columns)}
    return check_columns(RawCloud(columns=columns, details=details), path)


def _from_npz(arrays: dict[str, NDArray[Any]], options: Options, path: Path) -> dict[str, NDArray[Any]]:
    lower = {name.lower(): values for name, values in arrays.items()}
    if {"x", "y", "z"} <= set(lower):
        return {name: values for name, values in lower.items() if values.ndim == 1 and len(values) == len(lower["x"])}
    place = next((name for name in _PLACES if name in lower), None)
    if place is None and len(lower) == 1:
        place = next(iter(lower))
    if place is None:
        raise DataError(f"none of its arrays is called x, y, z or points; it has: {', '.join(arrays)}", path=path)
    columns = _split(lower.pop(place), options, path)
    for name, values in lower.items():
        if values.ndim in (1, 2) and len(values) == len(columns["x"]) and name not in columns:
            columns[name] = values
    return columns


def _split(values: NDArray[Any], options: Options, path: Path) -> dict[str, NDArray[Any]]:
    if values.dtype.names:
        return {name.lower(): values[name] for name in values.dtype.names}
    if values.ndim != 2 or values.shape[1] < 3 or values.dtype.kind not in "fiu":
        raise DataError(f"an array of shape {values.shape} and kind {values.dtype} holds no points in rows", path=path)
    names = named_columns(options) or _USUAL
    if named_columns(options) is None and values.shape[1] > len(_USUAL):
        names = (*_USUAL, *(f"column_{i}" for i in range(len(_USUAL), values.shape[1])))
    if named_columns(options) is not None and len(names) != values.shape[1]:
        raise DataError(f"it has {values.shape[1]} columns, the option 'columns' names {len(names)}", path=path)
    return {name: values[:, i] for i, name in enumerate(names[: values.shape[1]])}


def _probe(path: Path, head: bytes) -> float:
    if head[:6] == b"\x93NUMPY":
        return 0.6
    if head[:2] != b"PK" or path.suffix.lower() != ".npz":
        return 0.0
    names = array_names(path)
    return 0.5 if {"x", "y", "z"} <= names or names & set(_PLACES) or len(names) == 1 else 0.1


FORMAT = CloudFormat(name="npy", suffixes=(".npy", ".npz"), probe=_probe, load=load)
