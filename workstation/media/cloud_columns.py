"""What the readers of single cloud files have in common: columns as read, and what the program makes of them.

A format is one module ``cloud_*.py`` with a ``FORMAT``; ``cloud.py`` lists them. Columns may be views of a mapped file:
only what is asked for is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import Cloud, Limits, Options, OptionValue

Column = NDArray[Any]
Vector = tuple[float, float, float]

FAR_M = 4096.0
"""From here on float32 steps by half a millimetre and more: such clouds get an origin of their own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawCloud:
    """One cloud file: ``x``, ``y``, ``z`` and whatever else it has, under the names it gives them in lower case."""

    columns: Mapping[str, Column]
    """May make a column when it is asked for."""
    origin: Vector = (0.0, 0.0, 0.0)
    """Already taken off ``x``, ``y``, ``z``."""
    time_unit: str = ""
    """Of the points' own times, where the format says."""
    details: Mapping[str, OptionValue] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.columns["x"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudFormat:
    """How one kind of file is recognised and read."""

    name: str
    suffixes: tuple[str, ...]
    probe: Callable[[Path, bytes], float]
    """(path, first bytes) -> 0 … 1, by the bytes before the suffix."""
    load: Callable[[Path, Options, Limits], RawCloud]


_ALIASES = {
    "intensity": ("intensity", "i", "reflectance", "remission", "reflectivity", "strength", "scalar_intensity"),
    "ring": ("ring", "channel", "laser", "laser_id", "beam", "line", "lidar_ring"),
    "time": (
        "time",
        "t",
        "timestamp",
        "time_offset",
        "offset_time",
        "timeoffset",
        "gps_time",
        "time_stamp",
        "ts",
        "scalar_gpstime",
    ),
}
_COLOUR = (("r", "g", "b"), ("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
_VELOCITY = (("vx", "vy", "vz"), ("vx", "vy"), ("velocity_x", "velocity_y", "velocity_z"))
_DOPPLER = ("velocity", "doppler", "radial_velocity", "vr", "v_r", "range_rate", "radial_speed")
_HEADER_BYTES = 2000
_RELATIVE_S = 1000.0
_EPOCH_S = 1e8


def make_cloud(
    raw: RawCloud, rows: slice | NDArray[np.integer[Any]], *, sweep_ns: int, epoch_ns: int | None, time_unit: str = ""
) -> Cloud:
    """The chosen rows as the program wants them: float32 about an origin, known fields under known names."""
    points, origin = _points(raw, rows)
    left = [name for name in raw.columns if name not in ("x", "y", "z")]
    fields: dict[str, Column] = {}
    _take_colour(raw, left, fields, rows)
    _take_velocity(raw, left, fields, rows)
    for name, aliases in _ALIASES.items():
        found = next((alias for alias in aliases if alias in left), None)
        if found is None:
            continue
        left.remove(found)
        whole = raw.columns[found]
        if name == "time":
            unit = time_unit or raw.time_unit
            fields["time_ns"] = point_times(whole[rows], whole, sweep_ns=sweep_ns, epoch_ns=epoch_ns, time_unit=unit)
        else:
            fields[name] = whole[rows]
    fields |= {name: raw.columns[name][rows] for name in left}
    fields = {name: np.ascontiguousarray(values, values.dtype.newbyteorder("=")) for name, values in fields.items()}
    return Cloud(points=points, origin=origin, fields=fields, total=len(raw))


def field_names(raw: RawCloud) -> tuple[str, ...]:
    """The fields that ``make_cloud`` will give, from the names alone: nothing is read or unpacked."""
    empty = {name: np.zeros(0, np.float32) for name in raw.columns}
    return tuple(make_cloud(RawCloud(columns=empty), slice(None), sweep_ns=0, epoch_ns=None).fields)


def names_radar(head: bytes) -> bool:
    """Whether the header of a PCD or PLY names the cross-section of a return (``rcs``): a LiDAR measures none."""
    return b"rcs" in head[:_HEADER_BYTES].lower().split()


def _points(raw: RawCloud, rows: slice | NDArray[np.integer[Any]]) -> tuple[NDArray[np.float32], Vector]:
    axes = [raw.columns[name] for name in "xyz"]
    origin = raw.origin
    if axes[0].dtype != np.float32 and origin == (0.0, 0.0, 0.0):
        origin = far_origin(axes)
    parts = [axis[rows] for axis in axes]
    points = np.empty((len(parts[0]), 3), np.float32)
    for column, (axis, part) in enumerate(zip(axes, parts, strict=True)):
        shift = origin[column] if raw.origin == (0.0, 0.0, 0.0) else 0.0
        points[:, column] = part if axis.dtype == np.float32 or not shift else part - shift
    return points, origin


def far_origin(axes: list[Column]) -> Vector:
    """A whole-metre origin near the points if they are too far from zero for float32, else zero."""
    middle = []
    for axis in axes:
        known = axis[np.isfinite(axis)] if axis.dtype.kind == "f" else axis
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        middle.append(float(round(low / 2 + high / 2)) if max(abs(low), abs(high)) > FAR_M else 0.0)
    return middle[0], middle[1], middle[2]


def _take_colour(raw: RawCloud, left: list[str], fields: dict[str, Column], rows: Any) -> None:
    for names in _COLOUR:
        if all(name in left for name in names):
            parts = [raw.columns[name] for name in names]
            deep = parts[0].dtype.kind in "ui" and max(int(part.max(initial=0)) for part in parts) > 255
            unit = parts[0].dtype.kind == "f" and max(float(np.nanmax(part, initial=0)) for part in parts) <= 1
            colour = np.stack([part[rows] for part in parts], axis=1)
            fields["rgb"] = _bytes(colour / 257 if deep else colour * 255 if unit else colour)
            left[:] = [name for name in left if name not in names]
            return
    packed = next((name for name in ("rgb", "rgba") if name in left), None)
    if packed is not None and raw.columns[packed].dtype.itemsize == 4 and raw.columns[packed].ndim == 1:
        # PCL hides 0xAARRGGBB in the bits of a float.
        words = np.ascontiguousarray(raw.columns[packed][rows]).view(np.uint32)
        fields["rgb"] = np.stack([words >> 16 & 255, words >> 8 & 255, words & 255], axis=1).astype(np.uint8)
        left.remove(packed)


def _bytes(colour: NDArray[Any]) -> NDArray[np.uint8]:
    whole: NDArray[np.uint8] = np.clip(np.rint(np.nan_to_num(colour)), 0, 255).astype(np.uint8)
    return whole


def _take_velocity(raw: RawCloud, left: list[str], fields: dict[str, Column], rows: Any) -> None:
    for names in _VELOCITY:
        if all(name in left for name in names):
            fields["velocity"] = np.stack([raw.columns[name][rows] for name in names], axis=1).astype(np.float32)
            left[:] = [name for name in left if name not in names]
            return
    found = next((name for name in _DOPPLER if name in left and raw.columns[name].ndim == 1), None)
    if found is not None:
        fields["velocity"] = raw.columns[found][rows].astype(np.float32)
        left.remove(found)


def point_times(
    values: Column, whole: Column, *, sweep_ns: int, epoch_ns: int | None, time_unit: str
) -> NDArray[np.int64]:
    """Stream time of points. Sensors count from the sweep's time or from an epoch, in seconds down to nanoseconds.

    ``whole`` is the same column of all points: it decides the unit, so that a level of detail has the same times.
    """
    unit_ns = _point_unit(whole, time_unit)
    if whole.dtype.kind == "f":
        values = values.astype(np.float64)
        known = np.isfinite(values)
        base = np.trunc(values[known][0]) if known.any() else 0.0
        # Whole units and the rest apart: seconds since 1970 times a billion do not fit in a float.
        absolute = np.zeros(len(values), np.int64)
        absolute[known] = int(base) * unit_ns + np.rint((values[known] - base) * unit_ns).astype(np.int64)
        first = float(np.nanmin(whole)) if np.isfinite(whole).any() else 0.0
        start = int(np.trunc(first)) * unit_ns + round((first - np.trunc(first)) * unit_ns)
    else:
        absolute = values.astype(np.int64) * unit_ns
        start = int(whole.min(initial=np.iinfo(whole.dtype).max)) * unit_ns if len(whole) else 0
    if abs(start) < _RELATIVE_S * 1e9:
        return absolute + sweep_ns
    if epoch_ns is not None and abs(start - epoch_ns - sweep_ns) < _RELATIVE_S * 1e9:
        return absolute - epoch_ns
    # Another clock than the stream's: only the time within the sweep is known.
    within: NDArray[np.int64] = absolute - start + sweep_ns
    return within


def _point_unit(values: Column, time_unit: str) -> int:
    units = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}
    if time_unit:
        if time_unit not in units:
            raise DataError(f"'{time_unit}' is no unit of a point's time; it is one of {', '.join(units)}")
        return units[time_unit]
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not len(known):
        return 1_000_000_000
    largest = float(np.abs(known.astype(np.float64)).max())
    for unit, factor in (("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9)):
        if _EPOCH_S * factor <= largest < 1000 * _EPOCH_S * factor:
            return units[unit]
    spread = float(known.max()) - float(known.min())
    if values.dtype.kind == "f" and spread < 10:
        return units["s"]
    # A sweep lasts 20 ms to a second: whichever unit makes it so.
    for unit in ("ns", "us", "ms"):
        if 2e7 <= spread * units[unit] <= 2e9:
            return units[unit]
    return units["s"] if values.dtype.kind == "f" else units["ns"]


def check_columns(raw: RawCloud, path: Path) -> RawCloud:
    """Refuse a cloud without places or with columns that differ in length."""
    missing = [name for name in "xyz" if name not in raw.columns]
    if missing:
        raise DataError(f"it has no column {', '.join(missing)}; it has: {', '.join(raw.columns) or 'none'}", path=path)
    for name in "xyz":
        axis = raw.columns[name]
        if axis.ndim != 1 or axis.dtype.kind not in "fiu":
            raise DataError(f"its column {name} is not one number a point", path=path)
    if len({len(column) for column in raw.columns.values()}) != 1:
        raise DataError("its columns differ in length", path=path)
    return raw


def file_size(path: Path) -> int:
    """Bytes in the file; an empty or missing one is a ``DataError``."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error
    if not size:
        raise DataError("the file is empty", path=path)
    return size


def named_columns(options: Options) -> tuple[str, ...] | None:
    """The option ``columns``: names for files that carry none."""
    given = options.get("columns")
    if given is None:
        return None
    names = tuple(name.strip().lower() for name in str(given).split(","))
    if len(set(names)) != len(names) or not {"x", "y", "z"} <= set(names):
        raise DataError(f"the option 'columns' must name x, y and z once each; it is '{given}'")
    return names
