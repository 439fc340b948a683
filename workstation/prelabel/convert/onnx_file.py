"""Writes an ONNX file: nodes, weights, inputs and outputs. Byte for byte the same for the same graph.

Our own few fields of the format instead of the ``onnx`` package: what is installed stays small, and the hash of a
converted model does not change with a library's version, so it can be pinned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.convert.wire import write_field, write_varint

_KINDS = {"float32": 1, "int32": 6, "int64": 7, "bool": 9}
_IR, _OPSET = 9, 17


@dataclass(slots=True)
class OnnxGraph:
    """What goes into the file, in the order in which it is added."""

    nodes: list[bytes] = field(default_factory=list)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    """Names that some node reads: other weights are left out."""
    _names: int = 0

    def constant(self, values: Any) -> str:
        """A new weight; its name."""
        name = self._fresh()
        self.weights[name] = np.asarray(values)
        return name

    def add(self, op: str, inputs: Sequence[str], out: str | Sequence[str] | None = None, **attributes: Any) -> str:
        """A node; the name of its (first) output."""
        outs = (out or self._fresh(),) if out is None or isinstance(out, str) else tuple(out)
        self.read.update(inputs)
        body = b"".join(write_field(1, name) for name in inputs) + b"".join(write_field(2, name) for name in outs)
        body += write_field(4, op) + b"".join(_attribute(name, attributes[name]) for name in sorted(attributes))
        self.nodes.append(body)
        return outs[0]

    def _fresh(self) -> str:
        self._names += 1
        return f"t{self._names}"

    def file(self, inputs: Mapping[str, Sequence[int]], outputs: Mapping[str, Sequence[int] | None]) -> bytes:
        """The whole file. A side of -1 is free; an output without a shape is left to the runtime."""
        graph = b"".join(write_field(1, node) for node in self.nodes) + write_field(2, "g")
        graph += b"".join(write_field(5, _tensor(k, v)) for k, v in self.weights.items() if k in self.read)
        graph += b"".join(write_field(11, _described(name, shape)) for name, shape in inputs.items())
        graph += b"".join(write_field(12, _described(name, shape)) for name, shape in outputs.items())
        opset = write_field(1, "") + write_field(2, _OPSET)
        return write_field(1, _IR) + write_field(2, "workstation") + write_field(7, graph) + write_field(8, opset)


def _attribute(name: str, value: Any) -> bytes:
    head = write_field(1, name)
    if isinstance(value, bool | int | np.integer):
        return write_field(5, head + write_field(3, int(value)) + write_field(20, 2))
    if isinstance(value, float):
        return write_field(5, head + write_field(2, value) + write_field(20, 1))
    if isinstance(value, str):
        return write_field(5, head + write_field(4, value) + write_field(20, 3))
    numbers = b"".join(write_varint(8 << 3) + write_varint(int(number)) for number in value)
    return write_field(5, head + numbers + write_field(20, 7))


def _tensor(name: str, values: NDArray[Any]) -> bytes:
    body = b"".join(write_field(1, int(side)) for side in values.shape)
    little = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"))
    return body + write_field(2, _KINDS[values.dtype.name]) + write_field(8, name) + write_field(9, little.tobytes())


def _described(name: str, shape: Sequence[int] | None) -> bytes:
    tensor = write_field(1, 1)
    if shape is not None:
        sides = (write_field(2, "batch") if side < 0 else write_field(1, int(side)) for side in shape)
        tensor += write_field(2, b"".join(write_field(1, side) for side in sides))
    return write_field(1, name) + write_field(2, write_field(1, tensor))
