"""Radar returns (or any points) as rows of a CSV, Parquet or NPZ table: the rows of one cycle are one sweep.

Used through ``READERS`` for streams of the kind radar. Places come from x, y, z or from range, azimuth and elevation;
all other columns stay, the Doppler velocity under ``velocity``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import CancelToken, Cloud, OpenContext, Options, ReaderSpec, check_options, one_path
from workstation.media.cloud_columns import RawCloud, field_names, make_cloud
from workstation.media.items import TimedItems, info_of_table, table_of_times

_CYCLES = ("cycle", "sweep", "scan", "frame")


class PointTable(TimedItems):
    """Sweeps as groups of rows; everything is held in memory. Any thread."""

    def __init__(self, path: Path, options: Options, context: OpenContext) -> None:
        from workstation.media.series import numbers
        from workstation.media.table_columns import open_table, split_unit
        from workstation.media.time_columns import find_time, relative

        table = open_table(path, context.limits)
        wanted, unit = str(options.get("time_column", "")), str(options.get("time_unit", ""))
        time = find_time({name: table.column(name) for name in table.names}, path=path, wanted=wanted, unit=unit)
        times, epoch_ns = relative(time)
        rows = np.flatnonzero(time.known)
        rows = rows[np.argsort(times[rows], kind="stable")]
        columns: dict[str, NDArray[np.float64]] = {}
        for name in table.names:
            if name != time.name and not table.holds_words(name):
                columns[_bare(name, *split_unit(name))] = numbers(table.column(name), None)[0][rows]
        self._path, self._frame = path, str(options.get("frame", ""))
        self._columns = _placed(columns, path)
        cycle = next((self._columns[name] for name in _CYCLES if name in self._columns), times[rows])
        begins = np.flatnonzero(np.append(True, cycle[1:] != cycle[:-1]))
        self._bounds = np.append(begins, len(rows))
        starts = times[rows][begins]
        self.table = table_of_times(starts, paced=True)
        left = len(times) - len(rows)
        whole = RawCloud(columns={name: values[:0] for name, values in self._columns.items()})
        self.info = info_of_table(
            StreamKind.RADAR,
            self.table,
            clock_source=f"column {time.name}: {time.evidence}",
            epoch_ns=epoch_ns,
            details={"points": len(rows), "fields": ",".join(field_names(whole))},
            notes=(*table.notes, *((f"{left} rows without a time are left out",) if left else ())),
        )

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self._path,)

    def cloud(self, index: int, *, max_points: int | None = None, cancel: CancelToken | None = None) -> Cloud:
        """The returns of one cycle; radar gives too few to leave any out, so ``max_points`` only cuts the end off."""
        if cancel is not None:
            cancel.check()
        if not 0 <= index < len(self.table):
            raise IndexError(index)
        rows = slice(int(self._bounds[index]), int(self._bounds[index + 1]))
        raw = RawCloud(columns={name: values[rows] for name, values in self._columns.items()})
        made = make_cloud(raw, slice(max_points), sweep_ns=int(self.table.times_ns[index]), epoch_ns=None)
        return Cloud(points=made.points, origin=made.origin, fields=made.fields, frame=self._frame, total=made.total)

    def close(self) -> None:
        """Nothing is held open."""


def _bare(name: str, without_brackets: str, unit: str) -> str:
    """``doppler_mps`` and ``doppler [m/s]`` are both ``doppler``."""
    if unit and without_brackets == name:
        return name.rpartition("_")[0].lower()
    return without_brackets.lower()


def _placed(columns: dict[str, NDArray[np.float64]], path: Path) -> dict[str, NDArray[np.float64]]:
    """With x, y and z: given, or from range, azimuth (to the left of ahead) and elevation in radians."""
    if "x" in columns and "y" in columns:
        columns.setdefault("z", np.zeros(len(columns["x"])))
    elif "range" in columns and "azimuth" in columns:
        away, turn = _finite(columns["range"]), _finite(columns["azimuth"])
        rise = _finite(columns.get("elevation", np.zeros(len(away))))
        flat = away * np.cos(rise)
        columns |= {"x": flat * np.cos(turn), "y": flat * np.sin(turn), "z": away * np.sin(rise)}
    else:
        raise DataError("a radar table needs x and y, or range and azimuth", path=path)
    return columns


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """With NaN for what is endless: such a return has no place."""
    return np.where(np.isfinite(values), values, np.nan)


def open_points(path: Path, *, options: Options | None = None, context: OpenContext | None = None) -> PointTable:
    """One table of returns; ``options`` as in ``READERS``."""
    return PointTable(path, options or {}, context or OpenContext())


def _probe(path: Path, head: bytes) -> float:
    if path.suffix.lower() not in (".csv", ".tsv") or b"\0" in head:
        return 0.0
    names = head.split(b"\n", 1)[0].lower()
    radar = (
        b"azimuth" in names and b"range" in names and any(word in names for word in (b"doppler", b"velocity", b"rcs"))
    )
    return 0.85 if radar else 0.0


def _open(paths: Sequence[Path], options: Options, context: OpenContext) -> PointTable:
    check_options(READERS[0], options)
    return PointTable(one_path(paths, "a table of returns"), options, context)


READERS = (
    ReaderSpec(
        name="points",
        kind=StreamKind.RADAR,
        title="Radar returns in a table",
        suffixes=(".csv", ".tsv", ".parquet", ".npz"),
        probe=_probe,
        open=_open,
        options={
            "time_column": "name of the column that is the time",
            "time_unit": "unit of the time: s, ms, us or ns",
            "frame": "name of the frame the points are in",
        },
    ),
)
