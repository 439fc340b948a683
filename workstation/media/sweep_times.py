"""When each file of a folder was captured: from a list of times, from the files' names, or from a rate a person gives.

Used by readers of files-per-moment (``cloud.py``). Without any of these there is no time, and none is made up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.timebase import SECOND_NS, FrameTable, frame_table
from workstation.media.base import Options
from workstation.media.items import table_of_times
from workstation.media.time_columns import TimeColumn, find_time, read_time, relative, texts

_LIST_BYTES = 64 << 20
_LONG_NUMBER = re.compile(r"(?<!\d)([1-9]\d{9,18}(?:\.\d{1,9})?)(?!\d)")
_LARGEST_COUNT = 10**9
"""A larger number in a name is no count but a time."""
_NUMBER = re.compile(r"(\d+)(?!.*\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepTimes:
    """The table, the Unix time of its zero, where it came from, and which file is shown when."""

    table: FrameTable
    order: tuple[int, ...]
    """Row -> index of the file as given."""
    epoch_ns: int | None
    source: str
    notes: tuple[str, ...] = ()
    timed: bool = True
    """Whether a single sweep has a time; without one it is a still cloud."""


def sweep_times(paths: Sequence[Path], options: Options) -> SweepTimes:
    """Options: ``times`` (a file, ``file.json#key/key`` for a list inside), ``rate_hz``, ``time_unit``."""
    if len(paths) == 1 and "times" not in options:
        table = frame_table([0], unit_num=1, unit_den=1_000_000_000)
        return SweepTimes(table=table, order=(0,), epoch_ns=None, source="one cloud, no time", timed=False)
    if "times" in options:
        return _listed(paths, options)
    rate = options.get("rate_hz")
    if rate is not None:
        if isinstance(rate, bool | str) or not 0 < rate < 1e6:
            raise DataError(f"{rate} is no rate in hertz", path=paths[0].parent)
        return _at_rate(paths, Fraction(rate).limit_denominator(10**6))
    named = [_LONG_NUMBER.findall(_stem(path)) for path in paths]
    if all(named):
        column = read_time(
            "file name", texts([found[-1] for found in named]), path=paths[0].parent, unit="", why="names"
        )
        times, epoch_ns = relative(column)
        return _table(times, epoch_ns, f"file names ({column.evidence})", ())
    raise DataError(
        f"{len(paths)} files without times: give the option 'times' (a file with one time a sweep) or 'rate_hz'",
        path=paths[0].parent,
    )


def _at_rate(paths: Sequence[Path], rate: Fraction) -> SweepTimes:
    """By the files' own numbers, so that a missing one stays missing."""
    numbers = _numbers(paths)
    counted = np.arange(len(paths)) if numbers is None else np.array(numbers, np.int64)
    steps = counted * rate.denominator
    order = np.argsort(steps, kind="stable")
    hold = -(-SECOND_NS * rate.denominator // rate.numerator)
    table = frame_table(steps[order], unit_num=1, unit_den=rate.numerator, hold_ns=hold)
    return SweepTimes(table=table, order=tuple(order.tolist()), epoch_ns=None, source="the rate given, no clock")


def _listed(paths: Sequence[Path], options: Options) -> SweepTimes:
    name, _, inside = str(options["times"]).partition("#")
    path = Path(name) if Path(name).is_absolute() else paths[0].parent / name
    return listed_times(paths, path, inside=inside, unit=str(options.get("time_unit", "")))


def listed_times(
    paths: Sequence[Path], path: Path, *, inside: str = "", unit: str = "", paced: bool = True
) -> SweepTimes:
    """The times that a text, table or JSON file lists for these files; ``inside`` says where in JSON, ``key/key``."""
    if path.suffix.lower() == ".json":
        column = _json_times(path, inside, unit, folder=paths[0].parent.name)
    else:
        column = _text_times(path, unit)
    if not column.known.all():
        raise DataError(f"row {int(np.argmin(column.known)) + 1} has no time", path=path)
    values, epoch_ns = relative(column)
    rows, notes = _matched(paths, len(values), path)
    return _table(values[rows], epoch_ns, f"{path.name} ({column.evidence})", notes, paced=paced)


def _matched(paths: Sequence[Path], count: int, path: Path) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Which listed time belongs to each file: the number in its name says so, from 0 or from 1.

    Where there are as many times as files, the numbers only give the order, so that frame 10 comes after frame 9.
    """
    numbers = _numbers(paths)
    if count == len(paths):
        if numbers is None or len({_NUMBER.sub("#", _stem(each)) for each in paths}) > 1:
            return np.arange(count), ()
        return np.argsort(np.argsort(np.array(numbers, np.int64))).astype(np.int64), ()
    if numbers is None or count < len(paths) or max(numbers) > count or max(numbers) - min(*numbers, 1) >= count:
        raise DataError(f"it lists {count} times for {len(paths)} files whose names do not number them", path=path)
    rows = np.array(numbers, np.int64) - int(max(numbers) == count)
    missing = sorted(set(range(count)) - set(rows.tolist()))
    return rows, (f"{len(missing)} of {count} listed items have no file: {_short(missing)}",)


def _numbers(paths: Sequence[Path]) -> list[int] | None:
    """The last number in every name, if they count the files: they differ, and none is a time."""
    found = [_NUMBER.search(_stem(path)) for path in paths]
    numbers = [int(match[1]) for match in found if match is not None and int(match[1]) < _LARGEST_COUNT]
    return numbers if len(numbers) == len(paths) == len(set(numbers)) else None


def _stem(path: Path) -> str:
    return path.stem.replace(".pcd", "")


def _short(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return shown + (" …" if len(numbers) > 8 else "")


def _text_times(path: Path, unit: str) -> TimeColumn:
    data = read_bounded(path, _LIST_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("it is not UTF-8 text", path=path, place=f"byte {error.start}") from error
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise DataError("it lists no times", path=path)
    if "," not in lines[0]:
        return read_time("time", texts(lines), path=path, unit=unit, why="one a line")
    try:
        convert = csv.ConvertOptions(column_types=dict.fromkeys(lines[0].split(","), pa.string()))
        table = csv.read_csv(pa.BufferReader(data), convert_options=convert)
    except pa.ArrowInvalid as error:
        raise DataError(f"not a table ({str(error).splitlines()[0][:200]})", path=path) from error
    return find_time(dict(zip(table.column_names, table.columns, strict=True)), path=path, unit=unit)


def _json_times(path: Path, inside: str, unit: str, *, folder: str) -> TimeColumn:
    try:
        # Numbers stay text: a float would round nanoseconds since 1970.
        value = json.loads(read_bounded(path, _LIST_BYTES), parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON ({error})", path=path) from error
    for key in filter(None, inside.split("/")):
        if not isinstance(value, dict) or key not in value:
            raise DataError(f"there is no '{key}' in it", path=path, place=inside)
        value = value[key]
    if isinstance(value, dict) and not inside:
        inside, value = _only_list(value, folder)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise DataError("this is no list of times; say where it is: times=file.json#key/key", path=path, place=inside)
    return read_time(inside.rpartition("/")[2] or "time", texts(value), path=path, unit=unit, why="a list")


def _only_list(value: object, folder: str) -> tuple[str, object]:
    """The list under the name of the files' folder, or the only list there is, and the keys that lead to it."""
    place: list[str] = []
    while isinstance(value, dict) and len(place) < 4:
        lists = [key for key, inner in value.items() if isinstance(inner, list | dict)]
        key = folder if folder in lists else lists[0] if len(lists) == 1 else ""
        if not key:
            break
        place.append(key)
        value = value[key]
    return "/".join(place), value


def _table(
    times: NDArray[np.int64], epoch_ns: int | None, source: str, notes: tuple[str, ...], *, paced: bool = True
) -> SweepTimes:
    order = np.argsort(times, kind="stable")
    sorted_times = times[order]
    if (order != np.arange(len(order))).any():
        notes += ("the files are not in the order of their times; they are shown in the order of time",)
    table = table_of_times(sorted_times, paced=paced)
    return SweepTimes(table=table, order=tuple(order.tolist()), epoch_ns=epoch_ns, source=source, notes=notes)
