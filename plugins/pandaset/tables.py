"""Sweeps of the data set as published: a pickled table each, read by a process of its own and kept in the cache.

Used by ``pandaset``. The points are in the world's frame, as the data set has them; ``t`` becomes each point's time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS
from workstation.media.base import Cloud, MediaInfo, OpenContext, Options
from workstation.media.cache import DiskCache
from workstation.media.items import info_of_table, table_of_times
from workstation.media.proposal import times_given
from workstation.media.sweeps import LoadedSweeps

_SECONDS = 90
_MOST_PICKLE_BYTES = 1 << 30
_SCRIPT = Path(__file__).with_name("unpickle.py")


def read_pickle(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    """Column names and (rows, columns) of one pickled table. What is anything else is a ``DataError``."""
    if path.stat().st_size > _MOST_PICKLE_BYTES:
        raise DataError(f"is larger than {_MOST_PICKLE_BYTES:,} bytes", path=path)
    command = [sys.executable, "-I", "-B", str(_SCRIPT), str(path.resolve())]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise DataError(f"could not be read within {_SECONDS} s", path=path) from error
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "replace").strip()[:300] if done.returncode == 3 else "stopped its reader"
        raise DataError(f"{reason}; it is not read", path=path)
    head, _, body = done.stdout.partition(b"\n")
    said = json.loads(head)
    columns: list[str] = said["columns"]
    return columns, np.frombuffer(body, "<f8").reshape(said["rows"], len(columns))


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the rows of a table become points."""

    epoch_ns: int
    """Unix time of the stream's zero, or 0: then the points have no times."""
    sensor: int
    """Which scanner's points are kept; -1 for all."""
    disk: DiskCache | None

    def cloud(self, path: Path) -> Cloud:
        columns, values = self._table(path)
        column = {name: values[:, i] for i, name in enumerate(columns)}
        if not {"x", "y", "z"} <= set(column):
            raise DataError(f"has the columns {', '.join(columns)[:200]}, not x, y, z", path=path)
        kept = np.ones(len(values), bool)
        if self.sensor != -1 and "d" in column:
            kept = column["d"] == self.sensor
        places = np.column_stack([column[name][kept] for name in "xyz"])
        known = places[np.isfinite(places).all(axis=1)]
        origin = np.round(known.mean(axis=0)) if len(known) else np.zeros(3)
        fields: dict[str, NDArray[np.generic]] = {}
        if "i" in column:
            fields["intensity"] = column["i"][kept].astype(np.float32)
        if "d" in column:
            fields["sensor"] = column["d"][kept].astype(np.int8)
        if "t" in column and self.epoch_ns:
            whole, part = np.divmod(column["t"][kept], 1.0)
            with np.errstate(invalid="ignore"):
                late = whole.astype(np.int64) * SECOND_NS + np.rint(part * SECOND_NS).astype(np.int64)
            fields["time_ns"] = late - self.epoch_ns
        x, y, z = origin.tolist()
        return Cloud(
            points=(places - origin).astype(np.float32),
            origin=(x, y, z),
            fields=fields,
            frame="world",
            total=len(places),
        )

    def _table(self, path: Path) -> tuple[list[str], NDArray[np.float64]]:
        if self.disk is None:
            return read_pickle(path)
        key = self.disk.content_hash(path)
        known = self.disk.read("pandaset", key, 1)
        if known is None:
            columns, values = read_pickle(path)
            self.disk.write("pandaset", key, 1, json.dumps(columns).encode() + b"\n" + values.tobytes())
            return columns, values
        head, _, body = known.partition(b"\n")
        columns = json.loads(head)
        return columns, np.frombuffer(body, "<f8").reshape(-1, len(columns))


def open_sweeps(paths: Sequence[Path], options: Options, context: OpenContext) -> LoadedSweeps:
    """The sweeps of one drive; of one of its two scanners where the option ``sensor`` says which."""
    times = times_given(options, len(paths), paths[0].parent if paths else None)
    order = np.argsort(times, kind="stable")
    files = [paths[i] for i in order.tolist()]
    table = table_of_times(times[order], hold_ns=_whole(options, "hold_ns", None), paced=True)
    reading = _Reading(_whole(options, "epoch_ns", 0) or 0, _whole(options, "sensor", -1) or 0, context.disk)

    def describe(first: Cloud) -> MediaInfo:
        return info_of_table(
            StreamKind.CLOUD,
            table,
            clock_source="timestamps.json",
            epoch_ns=reading.epoch_ns or None,
            details={"points": first.total, "fields": ",".join(first.fields), "format": "pickled table"},
        )

    return LoadedSweeps(files, table, lambda index: reading.cloud(files[index]), context, describe=describe)


def _whole(options: Options, name: str, default: int | None) -> int | None:
    value = options.get(name, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise DataError(f"the option {name!r} is a whole number, not {value!r}")
    return value
