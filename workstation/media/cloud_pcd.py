"""PCD files: ascii, binary and binary_compressed. Used by ``cloud.py``.

Our own reader: the usual package reads ascii numbers inexactly and renames padding fields; binary files are mapped.
"""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lzf  # type: ignore[import-untyped, import-not-found, unused-ignore]
import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import Limits, Options
from workstation.media.cloud_columns import CloudFormat, RawCloud, check_columns, file_size

_HEADER_LIMIT = 1 << 16
_KINDS = {
    "F": {4: "<f4", 8: "<f8"},
    "I": {1: "i1", 2: "<i2", 4: "<i4", 8: "<i8"},
    "U": {1: "u1", 2: "<u2", 4: "<u4", 8: "<u8"},
}
_MAX_COUNT = 1 << 16
_LONG_TEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class _Header:
    names: tuple[str, ...]
    kinds: tuple[np.dtype[Any], ...]
    counts: tuple[int, ...]
    points: int
    data: str
    viewpoint: str
    size: int
    """Bytes of the header itself."""

    @property
    def stride(self) -> int:
        return sum(kind.itemsize * count for kind, count in zip(self.kinds, self.counts, strict=True))


def load(path: Path, options: Options, limits: Limits) -> RawCloud:
    """Binary files are mapped; the others are decoded whole, within the limits."""
    del options
    size = file_size(path)
    header = _read_header(path)
    limits.check_items(header.points, path=path)
    limits.check_bytes(header.points * header.stride, path=path)
    columns = _READERS[header.data](path, header, size - header.size)
    notes: tuple[str, ...] = ()
    if not _stands_still(header.viewpoint):
        notes = (f"the file gives a sensor pose (VIEWPOINT {header.viewpoint}), which is not applied",)
    details = {"format": f"PCD {header.data}", "columns": ",".join(columns)}
    return check_columns(RawCloud(columns=columns, details=details, notes=notes), path)


def _stands_still(viewpoint: str) -> bool:
    """Whether the sensor's pose is none or the identity, however its numbers are written."""
    try:
        return [float(word) for word in viewpoint.split()] in ([], [0, 0, 0, 1, 0, 0, 0])
    except ValueError:
        return False


def _read_header(path: Path) -> _Header:
    words: dict[str, str] = {}
    with path.open("rb") as file:
        while "DATA" not in words:
            line = file.readline(_HEADER_LIMIT)
            if not line or file.tell() > _HEADER_LIMIT:
                raise DataError("the header has no line DATA", path=path, place="header")
            try:
                text = line.decode("ascii").strip()
            except UnicodeDecodeError as error:
                raise DataError("this is no PCD header", path=path, place=f"byte {file.tell() - len(line)}") from error
            if text and not text.startswith("#"):
                key, _, value = text.partition(" ")
                words[key.upper()] = value.strip()
        end = file.tell()
    return _parse_header(words, end, path)


def _parse_header(words: dict[str, str], end: int, path: Path) -> _Header:
    def listed(key: str) -> list[str]:
        if key not in words:
            raise DataError(f"the header has no line {key}", path=path, place="header")
        return words[key].split()

    names = [name.lower() for name in listed("FIELDS")]
    sizes, kinds = listed("SIZE"), listed("TYPE")
    counts = words["COUNT"].split() if "COUNT" in words else ["1"] * len(names)
    if not names or not len(names) == len(sizes) == len(kinds) == len(counts):
        raise DataError("FIELDS, SIZE, TYPE and COUNT differ in length", path=path, place="header")
    try:
        types = tuple(np.dtype(_KINDS[kind.upper()][int(size)]) for kind, size in zip(kinds, sizes, strict=True))
        numbers = tuple(int(count) for count in counts)
        points = int(words["POINTS"] if "POINTS" in words else words["WIDTH"])
        points *= 1 if "POINTS" in words else int(words.get("HEIGHT", "1"))
    except (KeyError, ValueError) as error:
        raise DataError(f"the header makes no sense ({error})", path=path, place="header") from error
    if points < 0 or not all(0 < count <= _MAX_COUNT for count in numbers):
        raise DataError("the header gives a negative or absurd number", path=path, place="header")
    data = words["DATA"].lower()
    if data not in _READERS:
        raise DataError(f"DATA {words['DATA']} is unknown; it is {', '.join(_READERS)}", path=path, place="header")
    return _Header(tuple(names), types, numbers, points, data, words.get("VIEWPOINT", ""), end)


def _read_binary(path: Path, header: _Header, left: int) -> dict[str, NDArray[Any]]:
    need = header.points * header.stride
    if left < need:
        raise DataError(f"the header promises {header.points} points ({need} bytes), {left} bytes follow", path=path)
    # Unnamed and repeated fields (padding is called "_") must not collide in the record.
    record = np.dtype(
        [(f"f{i}", kind, (count,)) for i, (kind, count) in enumerate(zip(header.kinds, header.counts, strict=True))]
    )
    if not header.points:
        return _named(
            header, [np.zeros((0, count), kind) for kind, count in zip(header.kinds, header.counts, strict=True)]
        )
    rows = np.memmap(path, record, mode="r", offset=header.size, shape=(header.points,))
    return _named(header, [rows[f"f{i}"] for i in range(len(header.names))])


def _read_compressed(path: Path, header: _Header, left: int) -> dict[str, NDArray[Any]]:
    need = header.points * header.stride
    with path.open("rb") as file:
        file.seek(header.size)
        sizes = file.read(8)
        if len(sizes) < 8:
            raise DataError("the sizes of the compressed part are missing", path=path, place=f"byte {header.size}")
        packed, unpacked = struct.unpack("<II", sizes)
        if unpacked != need:
            reason = f"the compressed part claims {unpacked} bytes, the header {need} for {header.points} points"
            raise DataError(reason, path=path, place=f"byte {header.size}")
        if packed > left - 8:
            reason = f"the compressed part claims {packed} bytes, {left - 8} follow; it is truncated"
            raise DataError(reason, path=path, place=f"byte {header.size}")
        squeezed = file.read(packed)
    try:
        data = lzf.decompress(squeezed, unpacked) if unpacked else b""
    except ValueError as error:
        raise DataError(f"the compressed part is damaged ({error})", path=path) from error
    if data is None or len(data) != need:
        raise DataError("the compressed part does not hold what the header promises", path=path)
    columns, start = [], 0
    for kind, count in zip(header.kinds, header.counts, strict=True):
        values = np.frombuffer(data, kind, header.points * count, start)
        columns.append(values.reshape(header.points, count))
        start += values.nbytes
    return _named(header, columns)


def _read_ascii(path: Path, header: _Header, left: int) -> dict[str, NDArray[Any]]:
    width = sum(header.counts)
    if header.points and left < 2 * width * header.points - 1:
        raise DataError(f"the header promises {header.points} points, more than {left} bytes can hold", path=path)
    with path.open("rb") as file:
        file.seek(header.size)
        text = file.read()
    if any(kind.itemsize == 8 and kind.kind in "iu" for kind in header.kinds):
        return _read_ascii_exact(path, header, text)
    values = _numbers(text, width, path)
    if values.size != width * header.points:
        reason = f"{values.size} numbers follow; {header.points} points need {width * header.points}"
        raise DataError(reason, path=path, place="after DATA ascii")
    table = values.reshape(header.points, width)
    columns, start = [], 0
    for kind, count in zip(header.kinds, header.counts, strict=True):
        part = table[:, start : start + count]
        columns.append(_fitted(part, kind, path))
        start += count
    return _named(header, columns)


def _numbers(text: bytes, width: int, path: Path) -> NDArray[np.float64]:
    """All numbers in order. Arrow reads an even table four times as fast; anything else is read one by one."""
    if len(text) > _LONG_TEXT:
        import pyarrow as pa
        from pyarrow import csv

        names = [str(column) for column in range(width)]
        try:
            table = csv.read_csv(
                pa.BufferReader(text),
                csv.ReadOptions(column_names=names),
                csv.ParseOptions(delimiter=" "),
                csv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64()), null_values=[]),
            )
            return np.stack([np.asarray(column) for column in table.columns], axis=1).ravel()
        except pa.ArrowInvalid:
            pass  # tabs, double blanks or words: the slow way knows the first two and refuses the last
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text, np.float64, sep=" ")
        except (DeprecationWarning, ValueError) as error:
            raise DataError("its points are not all numbers", path=path, place="after DATA ascii") from error


def _read_ascii_exact(path: Path, header: _Header, text: bytes) -> dict[str, NDArray[Any]]:
    """Whole numbers of 64 bits do not fit in a float: slower, digit by digit."""
    words = text.split()
    width = sum(header.counts)
    if len(words) != width * header.points:
        raise DataError(f"{len(words)} numbers follow; {header.points} points need {width * header.points}", path=path)
    table = np.array(words, dtype=bytes).reshape(header.points, width)
    columns, start = [], 0
    for kind, count in zip(header.kinds, header.counts, strict=True):
        try:
            columns.append(table[:, start : start + count].astype(kind))
        except (ValueError, OverflowError) as error:
            raise DataError("its points are not all numbers", path=path, place="after DATA ascii") from error
        start += count
    return _named(header, columns)


def _fitted(values: NDArray[np.float64], kind: np.dtype[Any], path: Path) -> NDArray[Any]:
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(kind)
    limits = np.iinfo(kind)
    if not np.isfinite(values).all() or (values < limits.min).any() or (values > limits.max).any():
        raise DataError(f"a field of whole numbers ({kind}) holds what is none or does not fit", path=path)
    return values.astype(kind)


def _named(header: _Header, columns: list[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    named: dict[str, NDArray[Any]] = {}
    for name, count, values in zip(header.names, header.counts, columns, strict=True):
        if name != "_":
            named.setdefault(name, values[:, 0] if count == 1 else values)
    return named


_READERS = {"ascii": _read_ascii, "binary": _read_binary, "binary_compressed": _read_compressed}


def _probe(path: Path, head: bytes) -> float:
    start = head[:200].upper()
    if b".PCD" in start or (b"VERSION" in start and b"FIELDS" in start):
        return 1.0
    return 0.5 if path.suffix.lower() == ".pcd" else 0.0


FORMAT = CloudFormat(name="pcd", suffixes=(".pcd",), probe=_probe, load=load)
