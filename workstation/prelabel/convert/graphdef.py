"""Reads a frozen TensorFlow graph (``frozen_inference_graph.pb``), constants and all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.prelabel.convert.graph import Graph, Node, array
from workstation.prelabel.convert.wire import Value, fields, raw, whole, wholes

_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 10: "?"}
_NAMES = {1: "DT_FLOAT", 3: "DT_INT32", 10: "DT_BOOL"}
_AS = {"f": np.float32, "i": np.int32, "b": np.bool_}


def read_graphdef(path: Path) -> Graph:
    """The graph of a ``.pb`` file."""
    try:
        graph = Graph({}, {})
        for number, value in fields(path.read_bytes()):
            if number == 1:
                _node(raw(value), graph)
    except (KeyError, ValueError, OverflowError, MemoryError, OSError) as error:
        raise DataError(f"is no frozen TensorFlow graph ({error})", path=path) from error
    if not graph.nodes:
        raise DataError("is no frozen TensorFlow graph (nothing is in it)", path=path)
    return graph


def _node(data: bytes, graph: Graph) -> None:
    parts = list(fields(data))
    first = dict(reversed(parts))
    name, op = raw(first[1]).decode(), raw(first[2]).decode()
    attributes: dict[str, Any] = {}
    for number, value in parts:
        if number == 5:
            entry = dict(fields(raw(value)))
            key = raw(entry[1]).decode()
            attributes[key] = _attribute(raw(entry[2]))
    constant = attributes.pop("value", None)
    if isinstance(constant, np.ndarray):
        graph.weights[name] = constant
    inputs = tuple(raw(value).decode() for number, value in parts if number == 3)
    graph.nodes[name] = Node(name=name, op=op, inputs=inputs, attributes=attributes)


def _attribute(data: bytes) -> Any:
    found: Any = None
    for number, value in fields(data):
        match number:
            case 1:
                found = _listed(raw(value))
            case 2:
                found = raw(value).decode("utf-8", "replace")
            case 3:
                found = whole(value)
            case 4:
                found = float(np.frombuffer(raw(value), "<f4")[0])
            case 5:
                found = bool(value)
            case 6:
                found = _NAMES.get(whole(value), str(value))
            case 7:
                found = _shape(raw(value))
            case 8:
                found = _tensor(raw(value))
    return found


def _listed(data: bytes) -> list[int] | list[str]:
    parts = list(fields(data))
    numbers = [one for number, value in parts if number == 3 for one in wholes(value)]
    return numbers or [raw(value).decode("utf-8", "replace") for number, value in parts if number == 2]


def _shape(data: bytes) -> list[int]:
    return [whole(dict(fields(raw(side))).get(1, 0)) for number, side in fields(data) if number == 2]


def _tensor(data: bytes) -> NDArray[Any] | None:
    kind, shape, stored, numbers = 1, list[int](), b"", list[float]()
    for number, value in fields(data):
        if number == 1:
            kind = whole(value)
        elif number == 2:
            shape = _shape(raw(value))
        elif number == 4:
            stored = raw(value)
        elif number in (5, 7, 10, 11):
            numbers += _numbers(number, value)
    if kind not in _DTYPES:
        return None
    if stored:
        values = array(stored, _DTYPES[kind], shape)
    else:
        count = int(np.prod(shape, dtype=object))
        if not 0 <= count <= 50_000_000:
            raise ValueError(f"a constant has the shape {shape}")
        # The format leaves the tail out where it repeats the last value.
        given = np.asarray(numbers or [0], _DTYPES[kind])[:count]
        values = np.concatenate([given, np.full(count - given.size, given[-1] if given.size else 0, given.dtype)])
        values = values.reshape(shape)
    return values.astype(_AS[values.dtype.kind])


def _numbers(number: int, value: Value) -> list[float]:
    if number == 5:
        return [float(one) for one in np.frombuffer(raw(value), "<f4")]
    return [float(one) for one in wholes(value)]
