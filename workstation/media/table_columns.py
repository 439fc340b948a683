"""Tables by column, from CSV, Parquet and NPZ, whatever their size. Used by ``series.py`` and ``trajectory.py``.

Small CSV files are parsed once; big ones once a column, so that memory holds only what is looked at.
"""

from __future__ import annotations

import csv as plain_csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from workstation.core.errors import DataError
from workstation.media.base import Limits, OptionValue
from workstation.media.npy_arrays import read_npz
from workstation.media.text import encoding_named
from workstation.media.time_columns import name_unit

_SAMPLE_BYTES = 1 << 16
_AT_ONCE_BYTES = 256 << 20
_LONGEST_LINE = 1 << 20
_MAX_COLUMNS = 10_000
_GAP_WORDS = ["", "NaN", "nan", "NAN", "NA", "N/A", "n/a", "null", "NULL", "None", "none", "-", "--", "#N/A", "NaT"]


class Table(Protocol):
    """Named columns of one length."""

    names: tuple[str, ...]
    rows: int
    metadata: dict[str, dict[str, str]]
    """Column -> what the file says about it (``unit``…)."""
    notes: tuple[str, ...]
    held: bool
    """Whether looking at every column costs no further reading."""

    def column(self, name: str) -> pa.Array:
        """The values; words that mean "nothing" are null."""
        ...

    def holds_words(self, name: str) -> bool:
        """Whether the column is text, told without reading all of it."""
        ...


def open_table(path: Path, limits: Limits, *, encoding: OptionValue = "") -> Table:
    """By the first bytes, then by the suffix; ``encoding`` is that of a text which is no UTF-8."""
    try:
        with path.open("rb") as file:
            head = file.read(_SAMPLE_BYTES)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error
    if not head:
        raise DataError("the file is empty", path=path)
    if head[:4] == b"PAR1":
        return ParquetTable(path, limits)
    if head[:2] == b"PK":
        return NpzTable(path, limits)
    return CsvTable(path, head, limits, encoding=encoding_named(encoding, path) or "utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """How a text table is written."""

    delimiter: str
    names: tuple[str, ...]
    skip_lines: int
    decimal_point: str


class CsvTable:
    """Comma, semicolon, tab or blanks between the values; comments and a decimal comma are understood."""

    def __init__(self, path: Path, head: bytes, limits: Limits, *, encoding: str) -> None:
        self._path = path
        self._encoding = encoding
        self._size = path.stat().st_size
        self._dialect = _sniff(path, head, encoding)
        self.names = self._dialect.names
        self.metadata: dict[str, dict[str, str]] = {}
        self.notes: tuple[str, ...] = ()
        self.held = self._size <= _AT_ONCE_BYTES
        # A row takes at least a byte for each value and its separator.
        limits.check_items(self._size // max(1, 2 * len(self.names)) if not self.held else 0, path=path)
        self._all = self._read(self.names) if self.held else None
        self.rows = self._all.num_rows if self._all is not None else len(self.column(self.names[0]))
        limits.check_items(self.rows, path=path)

    def column(self, name: str) -> pa.Array:
        table = self._all if self._all is not None else self._read((name,))
        return table.column(name).combine_chunks()

    def holds_words(self, name: str) -> bool:
        with self._path.open("rb") as file:
            head = file.read(_SAMPLE_BYTES)
        start = self._read((name,), pa.BufferReader(head[: head.rfind(b"\n") + 1]))
        return _is_words(start.column(name).type)

    def _read(self, names: Sequence[str], source: pa.BufferReader | None = None) -> pa.Table:
        dialect = self._dialect
        # Time stays text: a float would lose nanoseconds.
        types = {name: pa.string() for name in names if name_unit(split_unit(name)[0])[0] or name_unit(name)[0]}
        try:
            return csv.read_csv(
                source or self._path,
                read_options=csv.ReadOptions(
                    column_names=list(dialect.names), skip_rows=dialect.skip_lines, encoding=self._encoding
                ),
                parse_options=csv.ParseOptions(delimiter=dialect.delimiter),
                convert_options=csv.ConvertOptions(
                    include_columns=list(names), column_types=types, null_values=_GAP_WORDS,
                    strings_can_be_null=True, decimal_point=dialect.decimal_point,
                ),
            )  # fmt: skip
        except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
            raise DataError(f"not a table ({_words(error)})", path=self._path) from error


def _sniff(path: Path, head: bytes, encoding: str) -> _Dialect:
    try:
        text = head[: head.rfind(b"\n") + 1 or len(head)].decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        do = "save it so, or name its encoding (--encoding cp1252)" if encoding == "utf-8" else "name another encoding"
        raise DataError(f"it is not {encoding.upper()} text; {do}", path=path, place=f"byte {error.start}") from error
    if "\0" in text:
        raise DataError("it is not text", path=path, place=f"character {text.index(chr(0))}")
    lines = text.splitlines()
    stated = re.fullmatch(r"sep=(.)", lines[0].strip('"')) if lines else None  # Excel's own first line
    started = enumerate(lines[1:], start=1) if stated else enumerate(lines)
    first = next((i for i, line in started if line.strip() and not line.startswith(("#", "%"))), None)
    comment = next((line for line in reversed(lines[:first]) if line.startswith(("#", "%"))), "")
    if first is None or len(lines[first]) > _LONGEST_LINE:
        raise DataError("it has no table in it", path=path)
    line = lines[first]
    delimiter = stated[1] if stated else max(",;\t|", key=line.count)
    if delimiter not in line:
        delimiter = " " if " " in line.strip() else ","
    cells = next(plain_csv.reader([line], delimiter=delimiter))
    if len(cells) > _MAX_COLUMNS:
        raise DataError(f"it has {len(cells)} columns, more than {_MAX_COLUMNS}", path=path)
    comma = delimiter != "," and re.search(r"\d,\d", "".join(lines[first + 1 : first + 9])) is not None
    headed = not all(_is_number(cell, comma=comma) for cell in cells)
    if headed:
        named, skip = cells, first + 1
    else:
        above = next(plain_csv.reader([comment.lstrip("#% ")], delimiter=delimiter), [])
        named, skip = above if len(above) == len(cells) else [f"column {i + 1}" for i in range(len(cells))], first
    return _Dialect(delimiter=delimiter, names=_unique(named), skip_lines=skip, decimal_point="," if comma else ".")


def _is_number(text: str, *, comma: bool) -> bool:
    try:
        float(text.strip().replace(",", ".") if comma else text.strip())
    except ValueError:
        return text.strip() in _GAP_WORDS
    return True


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for number, raw in enumerate(names):
        name = raw.strip() or f"column {number + 1}"
        copy = 2
        while name in found:
            name, copy = f"{raw.strip()} ({copy})", copy + 1
        found.append(name)
    return tuple(found)


class ParquetTable:
    """Columns read when asked for; lists of one length become a column each."""

    def __init__(self, path: Path, limits: Limits) -> None:
        from pyarrow import parquet  # with its file systems and their network: not before there is such a file

        self._path = path
        try:
            self._file = parquet.ParquetFile(path)
            schema = self._file.schema_arrow
            self.rows = int(self._file.metadata.num_rows)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DataError(f"not a Parquet file this program can read ({_words(error)})", path=path) from error
        limits.check_items(self.rows, path=path)
        self._limits = limits
        self.held = False
        self.notes: tuple[str, ...] = ()
        self.metadata = {entry.name: _metadata(entry) for entry in schema}
        self._lists: dict[str, tuple[str, int]] = {}
        names: list[str] = []
        for entry in schema:
            names.extend(self._parts(entry))
        self.names = tuple(names)

    def column(self, name: str) -> pa.Array:
        source, place = self._lists.get(name, (name, -1))
        values = self._read(source)
        if place < 0:
            return pc.cast(values, values.type.value_type) if pa.types.is_dictionary(values.type) else values
        return pc.list_element(values, place)

    def holds_words(self, name: str) -> bool:
        return name not in self._lists and _is_words(self._file.schema_arrow.field(name).type)

    def _parts(self, entry: pa.Field) -> list[str]:
        if not (pa.types.is_list(entry.type) or pa.types.is_fixed_size_list(entry.type)):
            return [entry.name]
        lengths = pc.unique(pc.list_value_length(self._read(entry.name))).to_pylist()
        if len(lengths) != 1 or not lengths[0] or lengths[0] > _MAX_COLUMNS:
            self.notes += (f"column {entry.name} holds lists of different lengths; it is left out",)
            return []
        names = [f"{entry.name}[{i}]" for i in range(lengths[0])]
        self._lists |= {name: (entry.name, i) for i, name in enumerate(names)}
        return names

    def _read(self, name: str) -> pa.Array:
        try:
            values = self._file.read(columns=[name]).column(name).combine_chunks()
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"cannot be read ({_words(error)})", path=self._path, place=f"column {name}") from error
        self._limits.check_bytes(values.nbytes, path=self._path)
        return values


@dataclass(eq=False)
class NpzTable:
    """One array a column; arrays of rows become a column each."""

    path: Path
    limits: Limits
    names: tuple[str, ...] = ()
    rows: int = 0
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    held: bool = True

    def __post_init__(self) -> None:
        arrays = read_npz(self.path, self.limits)
        longest = max((len(values) for values in arrays.values() if values.ndim), default=0)
        self._columns: dict[str, np.ndarray[Any, Any]] = {}
        for name, values in arrays.items():
            fits = values.ndim in (1, 2) and len(values) == longest and values.dtype.kind in "fiubM"
            if not fits or (values.ndim == 2 and values.shape[1] > _MAX_COLUMNS):
                self.notes += (f"array {name} of shape {values.shape} is no column; it is left out",)
            elif values.ndim == 1:
                self._columns[name] = values
            else:
                self._columns |= {f"{name}[{i}]": values[:, i] for i in range(values.shape[1])}
        if not self._columns:
            raise DataError("none of its arrays is a column of numbers", path=self.path)
        self.names, self.rows = tuple(self._columns), longest

    def column(self, name: str) -> pa.Array:
        values = np.ascontiguousarray(self._columns[name])
        return pa.array(values.astype(values.dtype.newbyteorder("=")))

    def holds_words(self, name: str) -> bool:
        return self._columns[name].dtype.kind not in "fiubM"


def _is_words(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_nested(kind))


def _metadata(entry: pa.Field) -> dict[str, str]:
    raw = entry.metadata or {}
    return {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in raw.items()}


# "state[3]" is the third of a list, not a unit.
_UNIT_BRACKETS = re.compile(r"^(?P<name>.*\S)\s*[\[(]\s*(?=[^\])]*[^\d\s\])])(?P<unit>[^\])]{1,24}?)\s*[\])]$")
_UNIT_ENDINGS = {
    "mps": "m/s", "mps2": "m/s²", "kph": "km/h", "kmh": "km/h", "mph": "mph", "deg": "°", "rad": "rad",
    "radps": "rad/s", "dps": "°/s", "degps": "°/s", "m": "m", "mm": "mm", "cm": "cm", "km": "km", "s": "s", "ms": "ms",
    "us": "µs", "ns": "ns", "hz": "Hz", "khz": "kHz", "pct": "%", "percent": "%", "degc": "°C", "celsius": "°C",
    "pa": "Pa", "kpa": "kPa", "bar": "bar", "rpm": "1/min", "volt": "V", "mv": "mV", "ma": "mA", "amp": "A",
    "newton": "N", "nm": "N·m", "kg": "kg", "db": "dB", "dbsm": "dBsm", "ut": "µT", "lux": "lx",
}  # fmt: skip


def split_unit(name: str) -> tuple[str, str]:
    """(name, unit): ``speed [m/s]`` and ``speed (m/s)`` lose the unit, ``speed_mps`` keeps its name and tells it."""
    bracketed = _UNIT_BRACKETS.match(name)
    if bracketed is not None:
        return bracketed["name"], bracketed["unit"]
    stem, _, ending = name.rpartition("_")
    return name, _UNIT_ENDINGS.get(ending.lower(), "") if stem else ""


def _words(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
