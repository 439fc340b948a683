"""Sweeps of the data set as published: a pickled table each, read by a process of its own and kept in the cache.

Used by ``pandaset``. The points are in the world's frame, as the data set has them; ``t`` becomes each point's time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS, FrameTable, frame_table
from workstation.media.base import CancelToken, Cloud, Item, MediaInfo, OpenContext, Options
from workstation.media.proposal import TIMES_OPTION, times_of_option

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


class PickledSweeps:
    """A ``CloudReader`` of the sweeps of one drive."""

    def __init__(self, paths: Sequence[Path], table: FrameTable, options: Options, context: OpenContext) -> None:
        self._paths = tuple(paths)
        self.table = table
        self._context = context
        self._share = context.memory.share()
        epoch = options.get("epoch_ns", 0)
        self._epoch_ns = epoch if isinstance(epoch, int) else 0
        self._sensor = options.get("sensor", -1)
        first = self.cloud(0)
        self.info = MediaInfo(
            kind=StreamKind.CLOUD,
            span=table.span,
            count=len(table),
            rate_hz=table.rate_hz(),
            clock_source="timestamps.json",
            epoch_ns=self._epoch_ns or None,
            details={"points": first.total, "fields": ",".join(first.fields), "format": "pickled table"},
        )

    @property
    def paths(self) -> tuple[Path, ...]:
        return self._paths

    def item(self, index: int) -> Item:
        if not 0 <= index < len(self.table):
            raise IndexError(index)
        shown = self.table.shown(index)
        return Item(index, shown.start_ns, shown.end_ns)

    def item_at(self, time_ns: int) -> Item | None:
        index = self.table.index_at(time_ns)
        return None if index is None else self.item(index)

    def cloud(self, index: int, *, max_points: int | None = None, cancel: CancelToken | None = None) -> Cloud:
        self.item(index)
        whole: Cloud | None = self._share.get(index)
        if whole is None:
            if cancel is not None:
                cancel.check()
            whole = self._cloud(self._paths[index])
            size = whole.points.nbytes + sum(values.nbytes for values in whole.fields.values())
            self._share.put(index, whole, size)
        if max_points is None or whole.total <= max_points:
            return whole
        rows = np.linspace(0, whole.total - 1, max(0, max_points)).astype(np.int64)
        fields = {name: values[rows] for name, values in whole.fields.items()} | {"index": rows}
        return Cloud(
            points=whole.points[rows], origin=whole.origin, fields=fields, frame=whole.frame, total=whole.total
        )

    def close(self) -> None:
        self._share.close()

    def _cloud(self, path: Path) -> Cloud:
        columns, values = self._table(path)
        column = {name: values[:, i] for i, name in enumerate(columns)}
        if not {"x", "y", "z"} <= set(column):
            raise DataError(f"has the columns {', '.join(columns)[:200]}, not x, y, z", path=path)
        kept = np.ones(len(values), bool)
        if self._sensor != -1 and "d" in column:
            kept = column["d"] == self._sensor
        places = np.column_stack([column[name][kept] for name in "xyz"])
        known = places[np.isfinite(places).all(axis=1)]
        origin = np.round(known.mean(axis=0)) if len(known) else np.zeros(3)
        fields: dict[str, NDArray[np.generic]] = {}
        if "i" in column:
            fields["intensity"] = column["i"][kept].astype(np.float32)
        if "d" in column:
            fields["sensor"] = column["d"][kept].astype(np.int8)
        if "t" in column and self._epoch_ns:
            whole, part = np.divmod(column["t"][kept], 1.0)
            with np.errstate(invalid="ignore"):
                late = whole.astype(np.int64) * SECOND_NS + np.rint(part * SECOND_NS).astype(np.int64)
            fields["time_ns"] = late - self._epoch_ns
        x, y, z = origin.tolist()
        return Cloud(
            points=(places - origin).astype(np.float32),
            origin=(x, y, z),
            fields=fields,
            frame="world",
            total=len(places),
        )

    def _table(self, path: Path) -> tuple[list[str], NDArray[np.float64]]:
        disk = self._context.disk
        if disk is None:
            return read_pickle(path)
        key = disk.content_hash(path)
        known = disk.read("pandaset", key, 1)
        if known is None:
            columns, values = read_pickle(path)
            disk.write("pandaset", key, 1, json.dumps(columns).encode() + b"\n" + values.tobytes())
            return columns, values
        head, _, body = known.partition(b"\n")
        columns = json.loads(head)
        return columns, np.frombuffer(body, "<f8").reshape(-1, len(columns))


def open_sweeps(paths: Sequence[Path], options: Options, context: OpenContext) -> PickledSweeps:
    """The sweeps of one drive; of one of its two scanners where the option ``sensor`` says which."""
    times = times_of_option(str(options.get(TIMES_OPTION, "")), place=f"option {TIMES_OPTION}")
    if len(times) != len(paths) or not paths:
        raise DataError(
            f"{len(times)} times are given for {len(paths)} sweeps", path=paths[0].parent if paths else None
        )
    hold = options.get("hold_ns")
    table = frame_table(
        np.array(times, np.int64),
        unit_num=1,
        unit_den=SECOND_NS,
        hold_ns=hold if isinstance(hold, int) and not isinstance(hold, bool) and hold > 0 else None,
    )
    order = np.argsort(np.array(times), kind="stable")
    return PickledSweeps([paths[i] for i in order], table, options, context)
