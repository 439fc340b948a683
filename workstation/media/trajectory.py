"""Poses over time from CSV, Parquet, NPZ, TUM text and JSON, as read; their interpolation is ``core/poses.py``.

Positions alone (a GPS track) are a trajectory without rotations. Latitude and longitude become metres east, north and
up of the first fix.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.poses import Trajectory
from workstation.core.sample import StreamKind
from workstation.media.base import MediaInfo, OpenContext, Options, OptionValue, ReaderSpec, check_options, one_path
from workstation.media.gaps import longest_step_ns
from workstation.media.held import unit_rotations
from workstation.media.items import info_of_rows

Floats = NDArray[np.float64]
_JSON_BYTES = 512 << 20
_PLACE = (("x", "y", "z"), ("x_m", "y_m", "z_m"), ("tx", "ty", "tz"), ("px", "py", "pz"), ("p_x", "p_y", "p_z"),
          ("pos_x", "pos_y", "pos_z"), ("position.x", "position.y", "position.z"),
          ("translation.x", "translation.y", "translation.z"), ("east", "north", "up"), ("east_m", "north_m", "up_m"),
          ("translation[0]", "translation[1]", "translation[2]"), ("position[0]", "position[1]", "position[2]"),
          ("positions[0]", "positions[1]", "positions[2]"))  # fmt: skip
_TURN = (("qw", "qx", "qy", "qz"), ("q_w", "q_x", "q_y", "q_z"), ("rot_w", "rot_x", "rot_y", "rot_z"),
         *(tuple(f"{word}.{axis}" for axis in "wxyz") for word in ("heading", "rotation", "orientation", "quaternion")),
         *(tuple(f"{word}[{i}]" for i in range(4)) for word in ("rotation", "rotations", "quaternion")))  # fmt: skip
_GLOBE = (("latitude", "longitude"), ("lat", "lon"), ("lat", "long"), ("lat", "lng"), ("latitude_deg", "longitude_deg"))
_HEIGHT = ("altitude", "altitude_m", "alt", "height", "height_m", "elevation", "ele")
_TUM = ("time", "x", "y", "z", "qx", "qy", "qz", "qw")
_EARTH_M, _FLATTENING = 6_378_137.0, 1 / 298.257223563


class TrajectoryFile:
    """Poses with their times; what is missing is NaN."""

    def __init__(self, path: Path, options: Options, context: OpenContext) -> None:
        self._path = path
        table = _read_columns(path, options, context)
        self.parent_frame = str(options.get("parent_frame", "world"))
        self.child_frame = str(options.get("child_frame", "vehicle"))
        lower = {name.strip().lower(): name for name in table.columns}
        self.times_ns, rows, self._epoch_ns, evidence, notes = _times(table, path, options)
        place, self._details, place_notes = _positions(table.columns, lower, path)
        turn, turn_notes = _rotations(table.columns, lower)
        self.positions_m, self.rotations = place[rows], turn[rows]
        for values in (self.times_ns, self.positions_m, self.rotations):
            values.flags.writeable = False
        self._evidence = evidence
        self._notes = (*notes, *place_notes, *turn_notes)

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self._path,)

    @property
    def info(self) -> MediaInfo:
        return info_of_rows(
            StreamKind.TRAJECTORY,
            self.times_ns,
            clock_source=self._evidence,
            epoch_ns=self._epoch_ns,
            details={**self._details, "frames": f"{self.parent_frame} from {self.child_frame}"},
            notes=self._notes,
        )

    def trajectory(self, *, max_gap_ns: int | None = None) -> Trajectory:
        """For interpolation; without ``max_gap_ns`` the stream's own rhythm says what a gap is."""
        known: NDArray[np.bool_] = np.array(np.isfinite(self.positions_m).all(axis=1), np.bool_)
        known &= np.isfinite(self.rotations).all(axis=1)
        if not known.any():
            raise DataError("it has positions but no rotations; it cannot place a sensor", path=self._path)
        known[1:] &= np.diff(self.times_ns) > 0  # of repeated times the first one counts
        longest = longest_step_ns(self.times_ns) or 0
        return Trajectory(
            times_ns=self.times_ns[known],
            rotations=self.rotations[known],
            translations=self.positions_m[known],
            max_gap_ns=longest if max_gap_ns is None else max_gap_ns,
        )

    def close(self) -> None:
        """Nothing is held open."""


class _Columns:
    """Named columns of text or numbers."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.columns = columns


def open_trajectory(
    path: Path, *, options: Options | None = None, context: OpenContext | None = None
) -> TrajectoryFile:
    """One file of poses; ``options`` as in ``READERS``."""
    return TrajectoryFile(path, options or {}, context or OpenContext())


def _read_columns(path: Path, options: Options, context: OpenContext) -> _Columns:
    from workstation.media.table_columns import open_table

    if path.suffix.lower() == ".json":
        return _Columns(_json_columns(path, str(options.get("inside", ""))))
    table = open_table(path, context.limits)
    names = list(table.names)
    if len(names) == 8 and all(name.startswith("column ") for name in names):
        return _Columns({new: table.column(old) for new, old in zip(_TUM, names, strict=True)})
    # EuRoC heads its columns "p_RS_R_x [m]": the axis is the end of the name, the unit is in brackets.
    return _Columns({_short_name(name): table.column(name) for name in names})


def _short_name(name: str) -> str:
    from workstation.media.table_columns import split_unit
    from workstation.media.time_columns import name_unit

    if name_unit(name)[0]:
        return name  # the unit of a time is needed
    name = split_unit(name)[0]
    name = name.removesuffix("[]").strip()
    for prefix in ("p_RS_R_", "q_RS_"):
        if name.startswith(prefix):
            return f"{prefix[0]}_{name.removeprefix(prefix)}"
    return name


def _json_columns(path: Path, inside: str) -> dict[str, Any]:
    import pyarrow as pa

    try:
        # Numbers stay text until they are known to be no time.
        value = json.loads(read_bounded(path, _JSON_BYTES), parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON ({error})", path=path) from error
    for key in filter(None, inside.split("/")):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, dict):
        lists = [each for each in value.values() if isinstance(each, list) and each and isinstance(each[0], dict)]
        value = lists[0] if len(lists) == 1 else value
    if not isinstance(value, list) or not value:
        raise DataError("it holds no list of poses; say where it is with the option 'inside'", path=path)
    columns: dict[str, list[str | None]] = {}
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise DataError("this is no pose", path=path, place=f"entry {number}")
        for name, text in _flat(entry, ""):
            columns.setdefault(name, [None] * len(value))[number] = text
        if len(columns) > 1000:
            raise DataError("more than a thousand different keys", path=path, place=f"entry {number}")
    return {name: pa.array(texts, pa.string()) for name, texts in columns.items()}


def _flat(value: Any, name: str, depth: int = 0) -> list[tuple[str, str | None]]:
    if depth > 8:
        return []
    if isinstance(value, dict):
        return [
            each for key, part in value.items() for each in _flat(part, f"{name}.{key}" if name else key, depth + 1)
        ]
    if isinstance(value, list):
        return [each for i, part in enumerate(value[:16]) for each in _flat(part, f"{name}[{i}]", depth + 1)]
    return [(name, None if value is None else str(value))]


def _times(
    table: _Columns, path: Path, options: Options
) -> tuple[NDArray[np.int64], NDArray[np.intp], int | None, str, tuple[str, ...]]:
    from workstation.media.time_columns import find_time, relative

    column = find_time(
        table.columns,
        path=path,
        wanted=str(options.get("time_column", "")),
        unit=str(options.get("time_unit", "")),
    )
    times, epoch_ns = relative(column)
    rows = np.flatnonzero(column.known)
    notes: list[str] = []
    if len(rows) < len(times):
        notes.append(f"{len(times) - len(rows)} rows without a time are left out")
    if (np.diff(times[rows]) < 0).any():
        notes.append("the poses are not in the order of their times; they are put in it")
        rows = rows[np.argsort(times[rows], kind="stable")]
    if (np.diff(times[rows]) == 0).any():
        notes.append("some times repeat; the first pose of each counts")
    return times[rows], rows, epoch_ns, f"column {column.name}: {column.evidence}", tuple(notes)


def _positions(
    columns: Mapping[str, Any], lower: Mapping[str, str], path: Path
) -> tuple[Floats, dict[str, OptionValue], tuple[str, ...]]:
    for names in _PLACE:
        if all(name in lower for name in names):
            return _stack(columns, lower, names), {"positions": ",".join(names)}, ()
    for pair in _GLOBE:
        if all(name in lower for name in pair):
            return _from_globe(columns, lower, pair, path)
    raise DataError(f"no columns are clearly x, y, z or latitude, longitude (it has: {', '.join(columns)})", path=path)


def _from_globe(
    columns: Mapping[str, Any], lower: Mapping[str, str], names: tuple[str, ...], path: Path
) -> tuple[Floats, dict[str, OptionValue], tuple[str, ...]]:
    latitude, longitude = _stack(columns, lower, names).T
    high = next((name for name in _HEIGHT if name in lower), None)
    height = _stack(columns, lower, (high,))[:, 0] if high else np.zeros(len(latitude))
    sane = (np.abs(latitude) <= 90) & (np.abs(longitude) <= 360) & ((latitude != 0) | (longitude != 0))
    if not sane.any():
        raise DataError("no row has a latitude and a longitude in degrees", path=path)
    notes = ()
    first = int(np.argmax(sane))
    east_north_up = _east_north_up(latitude, longitude, height, first)
    east_north_up[~sane] = np.nan
    details: dict[str, OptionValue] = {
        "positions": f"metres east, north, up of {latitude[first]:.7f}°, {longitude[first]:.7f}°",
        "origin_latitude_deg": float(latitude[first]),
        "origin_longitude_deg": float(longitude[first]),
    }
    return east_north_up, details, notes


def _east_north_up(latitude: Floats, longitude: Floats, height: Floats, first: int) -> Floats:
    """(n, 3) metres in the plane that touches WGS 84 at the first fix."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    squared = _FLATTENING * (2 - _FLATTENING)
    with np.errstate(invalid="ignore"):
        normal = _EARTH_M / np.sqrt(1 - squared * np.sin(phi) ** 2)
        x = (normal + height) * np.cos(phi) * np.cos(lam)
        y = (normal + height) * np.cos(phi) * np.sin(lam)
        z = (normal * (1 - squared) + height) * np.sin(phi)
    delta = np.stack([x - x[first], y - y[first], z - z[first]], axis=1)
    sp, cp, sl, cl = np.sin(phi[first]), np.cos(phi[first]), np.sin(lam[first]), np.cos(lam[first])
    turn = np.array([[-sl, cl, 0], [-sp * cl, -sp * sl, cp], [cp * cl, cp * sl, sp]])
    moved: Floats = delta @ turn.T
    return moved


def _rotations(columns: Mapping[str, Any], lower: Mapping[str, str]) -> tuple[Floats, tuple[str, ...]]:
    count = len(next(iter(columns.values())))
    for names in _TURN:
        if all(name in lower for name in names):
            return unit_rotations(_stack(columns, lower, names))
    return np.full((count, 4), np.nan), ("it has no rotations: a track of places",)


def _stack(columns: Mapping[str, Any], lower: Mapping[str, str], names: Sequence[str]) -> Floats:
    from workstation.media.series import numbers

    stacked = np.stack([numbers(columns[lower[name]], None)[0] for name in names], axis=1)
    stacked[~np.isfinite(stacked).all(axis=1)] = np.nan
    return stacked


def _probe(path: Path, head: bytes) -> float:
    suffix = path.suffix.lower()
    start = head[:2048].lower()
    words = (b"qw", b"q_w", b"rot_w", b"heading", b"rotation", b"orientation", b"quaternion")
    turned = any(word in start for word in words)
    placed = any(word in start for word in (b"position", b"translation", b"x_m", b"tx", b",x,", b" x ", b"p_x", b"px"))
    if b"\0" in head or not (turned and placed):
        return 0.0
    return 0.85 if suffix in (".csv", ".json", ".txt", ".tum", ".tsv") else 0.0


def _open(paths: Sequence[Path], options: Options, context: OpenContext) -> TrajectoryFile:
    check_options(READERS[0], options)
    return TrajectoryFile(one_path(paths, "a trajectory"), options, context)


READERS = (
    ReaderSpec(
        name="trajectory",
        kind=StreamKind.TRAJECTORY,
        title="Poses over time",
        suffixes=(".csv", ".json", ".txt", ".tum", ".parquet", ".npz"),
        probe=_probe,
        open=_open,
        options={
            "time_column": "name of the column that is the time",
            "time_unit": "unit of the time: s, ms, us or ns",
            "inside": "where in a JSON file the list of poses is, as key/key",
            "parent_frame": "frame the poses are in; world if not said",
            "child_frame": "frame that moves; vehicle if not said",
        },
    ),
)
