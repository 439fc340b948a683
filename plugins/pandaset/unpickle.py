"""Turns one pickled table of points into plain numbers, in a process of its own that trusts nothing.

Started by ``tables.py`` as ``python -I unpickle.py FILE``; imports nothing of the program. A pickle is a program: this
one may call nothing but the few names below, each of which is a harmless stand-in written here, and the process may
use only so much memory and time. Out come a line of JSON (columns, rows) and the numbers as little-endian float64.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import sys
import zlib
from typing import Any

import numpy as np

MOST_BYTES = 512 << 20
_MEMORY = 4 << 30
_SECONDS = 60
_KINDS = ("f", "i", "u", "b")


class Refused(Exception):
    """The file asks for something that a table of points does not need."""


class _Held:
    """Stands for a table, its block manager, or an index: keeps what it is given."""

    def __init__(self, *given: Any) -> None:
        self.given = given
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Type:
    """Stands for a NumPy dtype: numbers, or objects that may only be names."""

    def __init__(self, code: Any = "", *rest: Any) -> None:
        self.code = str(code).lstrip("<>|=")
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        self.order = state[1] if state[1] in ("<", ">", "|") else "<"

    def numpy(self) -> np.dtype[Any]:
        try:
            found = np.dtype(self.code)
        except TypeError as error:
            raise Refused(f"the type {self.code[:20]!r}") from error
        if found.kind not in _KINDS:
            raise Refused(f"values of the type {self.code[:20]!r}")
        return found.newbyteorder(">" if self.order == ">" else "<")


class _Array:
    """Stands for a NumPy array until its contents come."""

    def __init__(self, *given: Any) -> None:
        self.values: Any = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, data = state
        self.fill(shape, kind, data, bool(fortran))

    def fill(self, shape: Any, kind: Any, data: Any, fortran: bool) -> None:
        sizes = tuple(int(size) for size in shape)
        if isinstance(data, list):
            if not all(isinstance(item, str | int) for item in data):
                raise Refused("a list of objects")
            self.values = list(data)
            return
        if not isinstance(kind, _Type) or not isinstance(data, bytes | bytearray | memoryview):
            raise Refused("an array of objects")
        flat = np.frombuffer(data, kind.numpy())
        if any(size < 0 for size in sizes) or int(np.prod(sizes, dtype=object)) != len(flat):
            raise Refused("an array whose size is not that of its data")
        self.values = flat.reshape(sizes, order="F" if fortran else "C")


def _array_of_buffer(data: Any, kind: Any, shape: Any, order: Any) -> _Array:
    made = _Array()
    made.fill(shape, kind, data, order == "F")
    return made


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise Refused(f"the encoding {encoding[:20]!r}")
    return text.encode("latin1")


def _new_index(_kind: Any, fields: dict[str, Any]) -> dict[str, Any]:
    return fields


class _Marker:
    """Stands for a class that is only named."""


_NAMES: dict[tuple[str, str], Any] = {
    ("pandas.core.frame", "DataFrame"): _Held,
    ("pandas.core.internals", "BlockManager"): _Held,
    ("pandas.core.internals.managers", "BlockManager"): _Held,
    ("pandas._libs.internals", "_unpickle_block"): _Held,
    ("pandas.core.indexes.base", "_new_Index"): _new_index,
    ("pandas.core.indexes.base", "Index"): _Marker,
    ("pandas.core.indexes.range", "RangeIndex"): _Marker,
    ("pandas.core.indexes.numeric", "Int64Index"): _Marker,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.numeric", "_frombuffer"): _array_of_buffer,
    ("numpy._core.numeric", "_frombuffer"): _array_of_buffer,
    ("numpy", "ndarray"): _Marker,
    ("numpy", "dtype"): _Type,
    ("builtins", "slice"): slice,
    ("__builtin__", "slice"): slice,
    ("_codecs", "encode"): _encode,
}


class _TablePickle(pickle.Unpickler):
    """Knows the names of a table of points and no others."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise Refused(f"the name {module}.{name}"[:200]) from None

    def persistent_load(self, pid: Any) -> Any:
        raise Refused("something outside the file")


def read_table(data: bytes) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
    """Column names and (rows, columns) float64."""
    table = _TablePickle(io.BytesIO(data)).load()
    if not isinstance(table, _Held) or not isinstance(table.state, dict):
        raise Refused("something that is no table")
    manager = table.state.get("_mgr", table.state.get("_data"))
    if not isinstance(manager, _Held):
        raise Refused("a table without contents")
    names, blocks = _contents(manager)
    columns: dict[int, Any] = {}
    for values, places in blocks:
        if values.ndim != 2:
            raise Refused("a block that is no table")
        where = range(len(names))[places] if isinstance(places, slice) else [int(place) for place in places.values]
        columns |= dict(zip(where, values, strict=True))
    if sorted(columns) != list(range(len(names))) or len({len(column) for column in columns.values()}) != 1:
        raise Refused("columns that do not fit together")
    return names, np.column_stack([columns[i].astype(np.float64) for i in range(len(names))])


def _contents(manager: _Held) -> tuple[list[str], list[tuple[Any, Any]]]:
    """Names and blocks of both ways in which pandas has written them: up to 1.2, and since."""
    if isinstance(manager.state, tuple) and len(manager.state) > 3 and isinstance(manager.state[3], dict):
        extra = manager.state[3]["0.14.1"]
        axes, blocks = extra["axes"], [(block["values"].values, block["mgr_locs"]) for block in extra["blocks"]]
    elif len(manager.given) >= 2:
        axes = manager.given[1]
        blocks = [(block.given[0].values, block.given[1]) for block in manager.given[0]]
    else:
        raise Refused("a table of an unknown version of pandas")
    names = axes[0]["data"].values
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refused("columns without names")
    return names, blocks


def _unpacked(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - a script of its own
        data = file.read(MOST_BYTES + 1)
    if data[:2] == b"\x1f\x8b":
        inflate = zlib.decompressobj(31)
        data = inflate.decompress(data, MOST_BYTES + 1)
        if not inflate.eof and len(data) <= MOST_BYTES:
            raise Refused("more than there is: the file is cut off")
    if len(data) > MOST_BYTES:
        raise Refused(f"more than {MOST_BYTES:,} bytes")
    return data


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit holds alone
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))


def main(path: str) -> int:
    """Write the table to the standard output; a reason to the standard error."""
    _limit()
    try:
        names, values = read_table(_unpacked(path))
    except Refused as refusal:
        sys.stderr.write(f"asks for {refusal}")
        return 3
    except MemoryError:
        sys.stderr.write("needs too much memory")
        return 3
    except (gzip.BadGzipFile, zlib.error, OSError) as error:
        sys.stderr.write(f"cannot be unpacked: {error}")
        return 3
    except Exception as error:  # noqa: BLE001 - a foreign pickle may make anything fail; the parent gets the reason
        sys.stderr.write(f"is no table of points: {type(error).__name__}")
        return 3
    head = json.dumps({"columns": names, "rows": len(values)}).encode("ascii")
    sys.stdout.buffer.write(head + b"\n" + np.ascontiguousarray(values, "<f8").tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
