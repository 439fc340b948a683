"""Operations on constants alone, done while converting: batch norms and sizes are written as such sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.convert.graph import Node

Values = NDArray[Any]


def folded(node: Node, inputs: Sequence[Values | None]) -> Values | None:
    """The node's value when every input is a constant and the operation is one of these; else ``None``."""
    fold = _FOLDS.get(node.op)
    known = [value for value in inputs if value is not None]
    if fold is None or not inputs or len(known) != len(inputs):
        return None
    return np.asarray(fold(node, *known))


def _cast(node: Node, values: Values) -> Values:
    return values.astype(np.int32 if node.attributes.get("DstT") == "DT_INT32" else np.float32)


def _pack(node: Node, *values: Values) -> Values:
    return np.stack(values, node.attributes.get("axis") or 0)


def _join(_node: Node, *values: Values) -> Values:
    return np.concatenate(values[:-1], int(values[-1]))


def _dense(_node: Node, places: Values, shape: Values, values: Values, default: Values) -> Values:
    # Stands in graphs that came from ONNX, where it only builds constants.
    dense = np.full(shape.reshape(-1), default.reshape(-1)[0] if default.size else 0, np.int32)
    for number, place in enumerate(places.reshape(-1, dense.ndim)):
        dense[tuple(place)] = values.reshape(-1)[number if values.size > 1 else 0]
    return dense


_FOLDS: dict[str, Callable[..., Values]] = {
    "Add": lambda _node, a, b: a + b,
    "AddV2": lambda _node, a, b: a + b,
    "Sub": lambda _node, a, b: a - b,
    "Mul": lambda _node, a, b: a * b,
    "FloorDiv": lambda _node, a, b: a // b,
    "Rsqrt": lambda _node, a: (1 / np.sqrt(a)).astype(a.dtype),
    "Identity": lambda _node, a: a,
    "Transpose": lambda _node, a, order: a.transpose(order),
    "Reshape": lambda _node, a, shape: a.reshape(shape),
    "Pack": _pack,
    "ConcatV2": _join,
    "Cast": _cast,
    "SparseToDense": _dense,
}
