"""A TensorFlow graph into an ONNX file: what the outputs need, constants folded first, one operation at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import UserError
from workstation.prelabel.convert.folding import folded
from workstation.prelabel.convert.graph import Graph, Node
from workstation.prelabel.convert.onnx_file import OnnxGraph
from workstation.prelabel.convert.operators import OPERATORS, Place


def to_onnx(graph: Graph, outputs: Mapping[str, Sequence[int] | None]) -> bytes:
    """The ONNX file that answers these nodes, with their shapes where known (-1: as many as the batch)."""
    constants: dict[str, NDArray[Any]] = {}
    written, inputs = OnnxGraph(), dict[str, Sequence[int]]()
    for node in needed(graph, list(outputs)):
        names = [name.removesuffix(":0") for name in node.inputs if not name.startswith("^")]
        values = [constants.get(name) for name in names]
        if node.op == "Const":
            constants[node.name] = graph.weights[node.name]
        elif node.op == "Placeholder":
            inputs[node.name] = node.attributes.get("shape") or ()
        elif (known := folded(node, values)) is not None:
            constants[node.name] = known
        else:
            for name, value in zip(names, values, strict=True):
                if value is not None:
                    written.weights[name] = value.astype(np.int64) if value.dtype.kind == "i" else value
            _write(node, names, values, written)
    return written.file(inputs, outputs)


def needed(graph: Graph, outputs: Sequence[str]) -> list[Node]:
    """The nodes behind these outputs, each after what it reads. ``UserError`` names a node that is not there."""
    order, seen, stack = list[Node](), set[str](), [(name, False) for name in reversed(outputs)]
    while stack:
        name, ready = stack.pop()
        if name not in graph.nodes:
            raise UserError(f"The graph has no node {name!r}: it is another model than the one that is known.")
        node = graph.nodes[name]
        if ready:
            order.append(node)
        elif name not in seen:
            seen.add(name)
            stack.append((name, True))
            stack += [(source.split(":")[0], False) for source in node.inputs if not source.startswith("^")]
    return order


def _write(node: Node, names: list[str], values: list[NDArray[Any] | None], written: OnnxGraph) -> None:
    if node.op not in OPERATORS:
        raise UserError(f"The graph uses {node.op} at {node.name!r}, which cannot be converted yet.")
    try:
        OPERATORS[node.op](Place(node, names, values, written))
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"The graph has {node.op} at {node.name!r} in a form that cannot be converted.") from error
