"""What a bare ONNX file says of itself, read from its bytes alone: inputs, outputs, metadata. Nothing is run or built.

Called when a file without a manifest is added and by ``models doctor``. An ONNX file is a protobuf message; only the
few fields needed here are walked, weights are stepped over, and whatever does not add up is a ``DataError``.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from workstation.core.errors import DataError

Dim = int | str
"""A fixed length, or the name of one that is free (``""`` where it has none)."""

_MODEL_GRAPH, _MODEL_OPSET, _MODEL_METADATA = 7, 8, 14
_GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 5, 11, 12
_TENSOR_NAME, _TENSOR_LOCATION = 8, 14
_MOST_FIELDS = 5_000_000
_MOST_TEXT = 4 << 20
_TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "str", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph."""

    name: str
    dtype: str
    shape: tuple[Dim, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """What goes in, what comes out, what its maker noted, and whether weights lie in files beside it."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str]
    external: bool = False

    @property
    def input_shapes(self) -> Mapping[str, Sequence[Dim]]:
        """Shapes by name."""
        return {port.name: port.shape for port in self.inputs}

    @property
    def output_shapes(self) -> Mapping[str, Sequence[Dim]]:
        """Shapes by name."""
        return {port.name: port.shape for port in self.outputs}


def read_signature(path: Path) -> Signature:
    """What the file at ``path`` says of itself."""
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) == 0:
                raise DataError("is empty, not an ONNX model", path=path)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return signature_of(data, path)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error


def signature_of(data: bytes | mmap.mmap, path: Path | str) -> Signature:
    """The same of bytes."""
    walk = _Walk(data, path)
    inputs: list[Port] = []
    outputs: list[Port] = []
    weights: set[str] = set()
    metadata: dict[str, str] = {}
    external = seen = False
    for number, start, stop in walk.fields(0, len(data)):
        if number == _MODEL_METADATA:
            key, value = walk.pair(start, stop)
            metadata[key] = value
        elif number == _MODEL_GRAPH:
            seen = True
            for inner, begin, end in walk.fields(start, stop):
                if inner == _GRAPH_INPUT:
                    inputs.append(walk.port(begin, end))
                elif inner == _GRAPH_OUTPUT:
                    outputs.append(walk.port(begin, end))
                elif inner == _GRAPH_INITIALIZER:
                    name, outside = walk.weight(begin, end)
                    weights.add(name)
                    external = external or outside
    if not seen or not outputs:
        raise DataError("is not an ONNX model: it holds no graph with outputs", path=path)
    # Older exporters list the weights among the inputs.
    return Signature(tuple(port for port in inputs if port.name not in weights), tuple(outputs), metadata, external)


class _Walk:
    """Steps through protobuf fields inside given bounds, and counts its steps."""

    def __init__(self, data: bytes | mmap.mmap, path: Path | str) -> None:
        self._data = data
        self._path = path
        self._steps = 0

    def fields(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """(number, start, stop) of each length-delimited field; (number, value, -1) of each whole number."""
        at = start
        while at < stop:
            self._steps += 1
            if self._steps > _MOST_FIELDS:
                self._fail("it has too many parts")
            key, at = self._varint(at, stop)
            number, wire = key >> 3, key & 7
            if wire == 0:
                value, at = self._varint(at, stop)
                yield number, value, -1
            elif wire == 2:
                size, at = self._varint(at, stop)
                if number == 0 or size > stop - at:
                    self._fail("a part is longer than the file")
                yield number, at, at + size
                at += size
            elif wire in (1, 5):
                at += 8 if wire == 1 else 4
                if at > stop:
                    self._fail("it ends in the middle of a number")
            else:
                self._fail("it is no protobuf message")

    def _varint(self, at: int, stop: int) -> tuple[int, int]:
        value = shift = 0
        while at < stop and shift < 64:
            byte = self._data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
        raise self._failure("it ends in the middle of a number")

    def text(self, start: int, stop: int) -> str:
        if stop < 0 or stop - start > _MOST_TEXT:
            self._fail("a name is too long")
        try:
            return self._data[start:stop].decode("utf-8")
        except UnicodeDecodeError:
            self._fail("a name is not UTF-8")

    def pair(self, start: int, stop: int) -> tuple[str, str]:
        found = {number: self.text(a, b) for number, a, b in self._inner(start, stop) if number in (1, 2)}
        return found.get(1, ""), found.get(2, "")

    def weight(self, start: int, stop: int) -> tuple[str, bool]:
        name, outside = "", False
        for number, a, b in self._inner(start, stop):
            if number == _TENSOR_NAME:
                name = self.text(a, b)
            elif number == _TENSOR_LOCATION and b < 0:
                outside = a == 1
        return name, outside

    def port(self, start: int, stop: int) -> Port:
        name, dtype = "", ""
        shape: tuple[Dim, ...] = ()
        for number, a, b in self._inner(start, stop):
            if number == 1:
                name = self.text(a, b)
            elif number == 2:
                dtype, shape = self._type(a, b)
        return Port(name, dtype, shape)

    def _type(self, start: int, stop: int) -> tuple[str, tuple[Dim, ...]]:
        for number, a, b in self._inner(start, stop):
            if number == 1:
                dtype, shape = "", []
                for inner, c, d in self._inner(a, b):
                    if inner == 1 and d < 0:
                        dtype = _TYPES.get(c, "")
                    elif inner == 2:
                        shape = [self._dim(e, f) for n, e, f in self._inner(c, d) if n == 1]
                return dtype, tuple(shape)
        return "", ()

    def _dim(self, start: int, stop: int) -> Dim:
        for number, a, b in self._inner(start, stop):
            if number == 1 and b < 0:
                # A negative length means "free" to some exporters.
                return a if 0 < a < 1 << 40 else ""
            if number == 2:
                return self.text(a, b)
        return ""

    def _inner(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        if stop < 0:
            self._fail("a part is a number where a message belongs")
        return self.fields(start, stop)

    def _fail(self, reason: str) -> NoReturn:
        raise self._failure(reason)

    def _failure(self, reason: str) -> DataError:
        return DataError(f"is not an ONNX model, or damaged: {reason}", path=self._path)
