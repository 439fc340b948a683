"""Numbers over time: sensors, decoded CAN, robot states. What is missing is NaN, and the reasons are told.

Reads CSV, Parquet and NPZ by column. Two shapes are known: one column a channel, and (decoded CAN) one row a value with
the signal's name beside it, where every signal keeps its own times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS
from workstation.media.base import Channel, MediaInfo, OpenContext, Options, ReaderSpec, check_options, one_path
from workstation.media.items import info_of_rows
from workstation.media.text import ENCODING_OPTION

if TYPE_CHECKING:
    import pyarrow as pa

    from workstation.media.table_columns import Table

Floats = NDArray[np.float64]
_MAX_WORDS = 1000
_SENTINELS = (
    -9999.0, -99999.0, -999.0, 9999.0, 99999.0, 65535.0, 32767.0, -32768.0, 4294967295.0, 9.969209968386869e36,
)  # fmt: skip
_FAR = 5.0
"""A sentinel lies this many times the range of all other values away from them."""
_ROW_WORDS = {"signal": ("signal", "signal_name", "name", "channel"), "value": ("value", "physical", "phys_value"),
              "unit": ("unit", "units"), "message": ("message", "message_name", "msg", "frame_name")}  # fmt: skip


class SeriesFile:
    """One table of numbers over time; one thread at a time."""

    def __init__(self, path: Path, options: Options, context: OpenContext) -> None:
        from workstation.media.table_columns import open_table

        self._path = path
        self._sentinels = _wanted_sentinels(options, path)
        table: Table = open_table(path, context.limits, encoding=options.get("encoding", ""))
        self._layout: _Wide | _Long
        rows = _row_columns(table.names)
        time_names = _time_candidates(table, rows, options)
        time = _time_axis(time_names, path, options)
        self._layout = _Long(table, rows, time, path) if rows else _Wide(table, time, path)
        self._cache = context.memory.share()
        self._notes: list[str] = [*table.notes, *self._layout.notes]
        if table.held:
            for channel in self._layout.channels:
                self.values(channel.name)

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self._path,)

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self._layout.channels

    @property
    def times_ns(self) -> NDArray[np.int64]:
        """(n,) never falling; of a table of signals the times of all of them."""
        return self._layout.times_ns

    @property
    def info(self) -> MediaInfo:
        return info_of_rows(
            StreamKind.SERIES,
            self.times_ns,
            clock_source=self._layout.evidence,
            epoch_ns=self._layout.epoch_ns,
            details={"channels": len(self.channels), "units": _listed_units(self.channels)},
            notes=tuple(self._notes),
        )

    def values(self, channel: str) -> Floats:
        """(n,) in the channel's unit, one for each of ``times_ns``; NaN where there is none."""
        times, own = self.samples(channel)
        if len(own) == len(self.times_ns):
            return own
        spread = np.full(len(self.times_ns), np.nan)
        spread[self.times_ns.searchsorted(times)] = own
        return spread

    def samples(self, channel: str) -> tuple[NDArray[np.int64], Floats]:
        """The channel's own times and values: what a signal of a CAN log has, without the others' times."""
        held: tuple[NDArray[np.int64], Floats] | None = self._cache.get(channel)
        if held is not None:
            return held
        if channel not in {known.name for known in self.channels}:
            raise DataError(f"it has no channel '{channel}'", path=self._path)
        times, values = self._layout.read(channel)
        values = self._without_sentinels(channel, values)
        values.flags.writeable = False
        self._cache.put(channel, (times, values), values.nbytes + times.nbytes)
        return times, values

    def close(self) -> None:
        self._cache.close()

    def _without_sentinels(self, channel: str, values: Floats) -> Floats:
        values = np.array(values)
        endless = np.isinf(values)
        if endless.any():
            values[endless] = np.nan
            self._tell(f"channel {channel}: {int(endless.sum())} infinite values are gaps")
        for sentinel in self._sentinels or _SENTINELS:
            found = values == sentinel
            if found.any() and (self._sentinels or _stands_apart(sentinel, values[~found & np.isfinite(values)])):
                values[found] = np.nan
                self._tell(f"channel {channel}: {int(found.sum())} values of {sentinel:g} are gaps")
        return values

    def _tell(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)


class _Wide:
    """One column a channel."""

    def __init__(self, table: Table, time: _TimeAxis, path: Path) -> None:
        self._table, self._path = table, path
        self._rows, self.times_ns = time.rows, time.times_ns
        self.epoch_ns, self.evidence, self.notes = time.epoch_ns, time.evidence, time.notes
        self._labels: dict[str, tuple[str, ...]] = {}
        self.channels = self._find_channels(time.name)

    def read(self, channel: str) -> tuple[NDArray[np.int64], Floats]:
        values, _ = numbers(self._table.column(self._columns[channel]), self._labels.get(channel))
        return self.times_ns, values[self._rows]

    def _find_channels(self, time_name: str) -> tuple[Channel, ...]:
        from workstation.media.table_columns import split_unit

        self._columns: dict[str, str] = {}
        channels = []
        for column in self._table.names:
            if column == time_name:
                continue
            name, unit = split_unit(column)
            name = column if name in self._columns or name == time_name else name
            labels: tuple[str, ...] | None = ()
            if self._table.held or self._table.holds_words(column):
                labels = words_of(self._table.column(column))
            if labels is None:
                self.notes += (f"column {column} holds text; it is no channel",)
                continue
            self._columns[name] = column
            self._labels |= {name: labels} if labels else {}
            unit = self._table.metadata.get(column, {}).get("unit", unit)
            channels.append(Channel(name=name, unit=unit, labels=dict(enumerate(labels))))
        if not channels:
            raise DataError("it has a time but no numbers beside it", path=self._path)
        return tuple(channels)


class _Long:
    """One row a value, with the name of its signal."""

    def __init__(self, table: Table, rows: dict[str, str], time: _TimeAxis, path: Path) -> None:
        self._keep, self._all_times = time.rows, time.times_ns
        self.epoch_ns, self.evidence = time.epoch_ns, time.evidence
        # Signals of one message share its time: that rows repeat it is no finding here.
        self.notes = tuple(note for note in time.notes if "repeat" not in note)
        self.times_ns: NDArray[np.int64] = np.unique(time.times_ns)
        self._labels = words_of(table.column(rows["value"])) or ()
        self._values, _ = numbers(table.column(rows["value"]), self._labels)
        signals = _text_column(table, rows["signal"])
        if "message" in rows:
            messages = _text_column(table, rows["message"])
            signals = np.array([f"{m}.{s}" for m, s in zip(messages, signals, strict=True)], object)
        self._names, self._which = np.unique(signals.astype(str), return_inverse=True)
        if len(self._names) > _MAX_WORDS * 10:
            raise DataError(f"{len(self._names)} different signals; is '{rows['signal']}' the name?", path=path)
        units = _text_column(table, rows["unit"]) if "unit" in rows else np.full(table.rows, "", object)
        first = {name: int(np.argmax(self._which == i)) for i, name in enumerate(self._names.tolist())}
        self._labels_used = dict(enumerate(self._labels))
        self.channels = tuple(
            Channel(name=name, unit=str(units[row]), labels=self._labels_used) for name, row in first.items()
        )

    def read(self, channel: str) -> tuple[NDArray[np.int64], Floats]:
        number = int(np.flatnonzero(self._names == channel)[0])
        mine = self._which[self._keep] == number
        times, values = self._all_times[mine], self._values[self._keep][mine]
        last = np.append(times[1:] != times[:-1], True) if len(times) else np.zeros(0, np.bool_)
        return times[last], values[last]  # of values at one time the last one counts


def _time_candidates(table: Table, rows: dict[str, str], options: Options) -> dict[str, Any]:
    """The columns among which the time is: by name where there is one, so that big files are not read whole."""
    from workstation.media.time_columns import name_unit

    wanted = str(options.get("time_column", ""))
    if wanted:
        return {wanted: table.column(wanted)} if wanted in table.names else dict.fromkeys(table.names)
    named = [name for name in table.names if name_unit(name)[0] and name not in rows.values()]
    return {name: table.column(name) for name in named or table.names}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _TimeAxis:
    """Rows in the order of time, and how the time was found."""

    rows: NDArray[np.intp]
    times_ns: NDArray[np.int64]
    epoch_ns: int | None
    evidence: str
    name: str
    notes: tuple[str, ...]


def _time_axis(columns: dict[str, Any], path: Path, options: Options) -> _TimeAxis:
    from workstation.media.time_columns import find_time, relative

    wanted, unit = str(options.get("time_column", "")), str(options.get("time_unit", ""))
    column = find_time(columns, path=path, wanted=wanted, unit=unit)
    times, epoch_ns = relative(column)
    notes: list[str] = []
    rows = np.flatnonzero(column.known)
    if len(rows) < len(times):
        notes.append(f"{len(times) - len(rows)} rows without a time are left out")
    steps = np.diff(times[rows])
    backwards = int((steps < 0).sum())
    if backwards:
        worst = -int(steps.min()) / SECOND_NS
        notes.append(f"the time goes back {backwards} times, by up to {worst:g} s; rows are put in order of time")
        rows = rows[np.argsort(times[rows], kind="stable")]
    repeated = int((np.diff(times[rows]) == 0).sum())
    if repeated:
        notes.append(f"{repeated} rows repeat the time of the row before")
    return _TimeAxis(
        rows=rows,
        times_ns=times[rows],
        epoch_ns=epoch_ns,
        evidence=f"column {column.name}: {column.evidence}",
        name=column.name,
        notes=tuple(notes),
    )


def numbers(values: pa.Array, labels: Sequence[str] | None) -> tuple[Floats, int]:
    """(n,) float64 with NaN for null, and how many words that are no numbers became NaN; words of a state are coded."""
    import pyarrow as pa
    import pyarrow.compute as pc

    strange = 0
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type) or pa.types.is_nested(values.type):
        return np.full(len(values), math.nan), len(values) - values.null_count  # bytes that are no text
    if labels:
        codes = pc.index_in(pc.cast(values, pa.string()), pa.array(list(labels)))
        return np.asarray(pc.cast(codes, pa.float64()).fill_null(math.nan), np.float64), 0
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        trimmed = pc.utf8_trim_whitespace(values)
        usable = pc.match_substring_regex(trimmed, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
        strange = int(pc.sum(pc.invert(usable)).as_py() or 0)
        values = pc.if_else(usable, trimmed, None)
    elif pa.types.is_boolean(values.type):
        values = pc.cast(values, pa.int8())
    elif pa.types.is_temporal(values.type):
        values = pc.cast(values, pa.int64())
    numeric = pc.cast(values, pa.float64(), safe=False)
    return np.array(numeric.fill_null(math.nan), np.float64), strange


def words_of(values: pa.Array) -> tuple[str, ...] | None:
    """The words of a state channel, empty for numbers, ``None`` for running text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        return None
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return ()
    _, strange = numbers(values, None)
    held = len(values) - values.null_count
    if strange * 2 <= held:
        return ()
    words = pc.unique(values.drop_null())
    return tuple(sorted(str(word) for word in words.to_pylist())) if len(words) <= _MAX_WORDS else None


def _text_column(table: Table, name: str) -> NDArray[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    return np.array(pc.cast(table.column(name), pa.string()).fill_null("").to_pylist(), object)


def _row_columns(names: Sequence[str]) -> dict[str, str]:
    """Which columns say signal, value, unit and message; empty for a table with a column a channel."""
    lower = {name.strip().lower(): name for name in names}
    found = {role: next((lower[word] for word in words if word in lower), "") for role, words in _ROW_WORDS.items()}
    return {role: name for role, name in found.items() if name} if found["signal"] and found["value"] else {}


def _wanted_sentinels(options: Options, path: Path) -> tuple[float, ...]:
    given = options.get("sentinels")
    if given is None:
        return ()
    if str(given).strip().lower() == "none":
        return (math.nan,)  # equals no value: nothing is taken for a gap
    try:
        return tuple(float(part) for part in str(given).split(","))
    except ValueError as error:
        raise DataError(f"the option 'sentinels' is a list of numbers or 'none', not '{given}'", path=path) from error


def _stands_apart(sentinel: float, others: Floats) -> bool:
    if len(others) < 2:
        return False
    low, high = float(others.min()), float(others.max())
    away = low - sentinel if sentinel < low else sentinel - high
    return away > _FAR * max(high - low, abs(high), abs(low))


def _listed_units(channels: Sequence[Channel]) -> str:
    return ", ".join(f"{channel.name} {channel.unit}" for channel in channels[:32] if channel.unit)


def open_series(path: Path, *, options: Options | None = None, context: OpenContext | None = None) -> SeriesFile:
    """One table; ``options`` as in ``READERS``."""
    return SeriesFile(path, options or {}, context or OpenContext())


def _probe(path: Path, head: bytes) -> float:
    suffix = path.suffix.lower()
    if head[:4] == b"PAR1":
        return 0.9
    if head[:2] == b"PK":
        return 0.3 if suffix == ".npz" else 0.0
    if b"\0" in head or suffix not in (".csv", ".tsv", ".txt"):
        return 0.0
    return 0.7 if suffix in (".csv", ".tsv") else 0.1


def _open(paths: Sequence[Path], options: Options, context: OpenContext) -> SeriesFile:
    check_options(READERS[0], options)
    return SeriesFile(one_path(paths, "a series"), options, context)


READERS = (
    ReaderSpec(
        name="series",
        kind=StreamKind.SERIES,
        title="Series of numbers",
        suffixes=(".csv", ".tsv", ".parquet", ".npz"),
        probe=_probe,
        open=_open,
        options={
            "time_column": "name of the column that is the time",
            "time_unit": "unit of the time: s, ms, us or ns",
            "sentinels": "values that mean nothing was measured, as -1,255; none: take every value as it is",
        }
        | ENCODING_OPTION,
    ),
)
