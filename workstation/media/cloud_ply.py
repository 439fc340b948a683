"""PLY files: ascii and both byte orders, every number of a ``vertex`` under its own name. Used by ``cloud.py``."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import Limits, Options
from workstation.media.cloud_columns import CloudFormat, RawCloud, check_columns, file_size

_HEADER_LIMIT = 1 << 16
_KINDS = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(frozen=True, slots=True)
class _Element:
    name: str
    count: int
    properties: tuple[tuple[str, str], ...]
    """(name, NumPy kind without byte order); a list has the kind ``list``."""

    @property
    def has_lists(self) -> bool:
        return any(kind == "list" for _, kind in self.properties)


def load(path: Path, options: Options, limits: Limits) -> RawCloud:
    """Binary files are mapped; ascii ones are decoded whole, within the limits."""
    del options
    size = file_size(path)
    order, elements, start = _read_header(path)
    before: list[_Element] = []
    for element in elements:
        if element.name == "vertex":
            break
        before.append(element)
    else:
        raise DataError("it has no element 'vertex'", path=path, place="header")
    if element.has_lists:
        raise DataError("a list belongs to every point; only plain numbers can be read", path=path, place="header")
    limits.check_items(element.count, path=path)
    record = _record(element, order)
    limits.check_bytes(element.count * record.itemsize, path=path)
    if order:
        columns = _read_binary(path, element, record, before, start, size)
    else:
        columns = _read_ascii(path, element, sum(each.count for each in before), start, size)
    others = ", ".join(each.name for each in elements if each.name != "vertex" and each.count)
    notes = (f"only points are shown, not its other elements: {others}",) if others else ()
    details = {"format": f"PLY {'ascii' if not order else 'binary'}", "columns": ",".join(columns)}
    return check_columns(RawCloud(columns=columns, details=details, notes=notes), path)


def _read_header(path: Path) -> tuple[str, list[_Element], int]:
    """(byte order, empty for ascii; elements; where the data begin)."""
    order: str | None = None
    elements: list[tuple[str, int, list[tuple[str, str]]]] = []
    with path.open("rb") as file:
        if file.readline(8).strip() != b"ply":
            raise DataError("it does not begin with 'ply'", path=path)
        while True:
            at = file.tell()
            line = file.readline(_HEADER_LIMIT)
            if not line or at > _HEADER_LIMIT:
                raise DataError("the header has no end_header", path=path, place="header")
            words = line.decode("ascii", errors="replace").split()
            if words == ["end_header"]:
                break
            try:
                order = _take_line(words, elements, order)
            except (ValueError, KeyError, IndexError) as error:
                raise DataError(f"the header cannot be read ({error})", path=path, place=f"byte {at}") from error
        start = file.tell()
    if order is None:
        raise DataError("the header does not name a format", path=path, place="header")
    return order, [_Element(name, count, tuple(properties)) for name, count, properties in elements], start


def _take_line(
    words: list[str], elements: list[tuple[str, int, list[tuple[str, str]]]], order: str | None
) -> str | None:
    if not words or words[0] in ("comment", "obj_info"):
        return order
    if words[0] == "format":
        return _ORDERS[words[1]]
    if words[0] == "element":
        count = int(words[2])
        if count < 0:
            raise ValueError(f"{count} of an element")
        elements.append((words[1].lower(), count, []))
    elif words[0] == "property":
        if words[1] == "list":
            elements[-1][2].append((words[4].lower(), "list"))
        else:
            elements[-1][2].append((words[2].lower(), _KINDS[words[1]]))
    else:
        raise ValueError(f"unknown word {words[0][:30]!r}")
    return order


def _record(element: _Element, order: str) -> np.dtype[Any]:
    return np.dtype([(f"f{i}", (order or "<") + kind) for i, (_, kind) in enumerate(element.properties)])


def _read_binary(
    path: Path, element: _Element, record: np.dtype[Any], before: list[_Element], start: int, size: int
) -> dict[str, NDArray[Any]]:
    for other in before:
        if other.has_lists and other.count:
            raise DataError(f"lists of '{other.name}' stand before the points; write 'vertex' first", path=path)
        start += other.count * _record(other, "<").itemsize
    need = element.count * record.itemsize
    if start + need > size:
        reason = f"the header promises {element.count} points ({need} bytes), {max(0, size - start)} bytes follow"
        raise DataError(reason, path=path)
    if not need:
        rows: NDArray[Any] = np.zeros(0, record)
    else:
        rows = np.memmap(path, record, mode="r", offset=start, shape=(element.count,))
    return {name: rows[f"f{i}"] for i, (name, _) in reversed(list(enumerate(element.properties)))}


def _read_ascii(path: Path, element: _Element, skip: int, start: int, size: int) -> dict[str, NDArray[Any]]:
    width = len(element.properties)
    if element.count and size - start < 2 * width * element.count - 1:
        raise DataError(
            f"the header promises {element.count} points, more than {size - start} bytes can hold", path=path
        )
    with path.open("rb") as file:
        file.seek(start)
        for _ in range(skip):
            file.readline(_HEADER_LIMIT)
        text = file.read()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            values = np.fromstring(text, np.float64, count=width * element.count or -1, sep=" ")
        except (DeprecationWarning, ValueError) as error:
            raise DataError("its points are not all numbers", path=path, place="after end_header") from error
    if element.count and values.size != width * element.count:
        reason = f"{values.size} numbers follow; {element.count} points need {width * element.count}"
        raise DataError(reason, path=path, place="after end_header")
    table = values[: width * element.count].reshape(element.count, width)
    columns: dict[str, NDArray[Any]] = {}
    for i, (name, kind) in enumerate(element.properties):
        with np.errstate(all="ignore"):
            column = table[:, i].astype("<" + kind)
        if column.dtype.kind in "iu" and (column != table[:, i]).any():
            raise DataError(f"the property {name} holds what is no {kind}", path=path, place="after end_header")
        columns.setdefault(name, column)
    return columns


def _probe(path: Path, head: bytes) -> float:
    del path
    return 1.0 if head[:4] in (b"ply\n", b"ply\r") else 0.0


FORMAT = CloudFormat(name="ply", suffixes=(".ply",), probe=_probe, load=load)
