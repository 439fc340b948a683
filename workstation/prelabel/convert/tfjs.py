"""Reads a TensorFlow.js graph model: ``model.json`` and the ``.bin`` files beside it, with packed weights."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.prelabel.convert.graph import Graph, Node, array

_STORED = {"float16": "<f2", "uint8": "u1", "uint16": "<u2"}
_PLAIN = {"float32": "<f4", "int32": "<i4", "bool": "?"}


def read_tfjs(path: Path) -> Graph:
    """The graph of a ``model.json``; only files in its own folder are read."""
    try:
        model = json.loads(path.read_bytes())
        nodes = [_node(node) for node in model["modelTopology"]["node"]]
        weights: dict[str, NDArray[Any]] = {}
        for group in model["weightsManifest"]:
            weights.update(_weights(_bytes(path, group["paths"]), group["weights"]))
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error, RecursionError, OSError) as error:
        raise DataError(f"is no TensorFlow.js graph model ({error})", path=path) from error
    return Graph({node.name: node for node in nodes}, weights)


def _bytes(path: Path, names: list[str]) -> bytes:
    for name in names:
        if name != Path(name).name or name in ("", ".", ".."):
            raise ValueError(f"weights outside the folder: {name!r}")
    return b"".join((path.parent / name).read_bytes() for name in names)


def _weights(buffer: bytes, tensors: list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    found, offset = {}, 0
    for tensor in tensors:
        packed = tensor.get("quantization")
        values = array(buffer, _STORED[packed["dtype"]] if packed else _PLAIN[tensor["dtype"]], tensor["shape"], offset)
        offset += values.nbytes
        if packed:
            values = values.astype(np.float32)
            if packed["dtype"] != "float16":
                values = values * np.float32(packed["scale"]) + np.float32(packed["min"])
        found[tensor["name"]] = values
    return found


def _node(node: dict[str, Any]) -> Node:
    attributes = {name: _value(value) for name, value in node.get("attr", {}).items()}
    return Node(name=node["name"], op=node["op"], inputs=tuple(node.get("input", ())), attributes=attributes)


def _value(value: dict[str, Any]) -> Any:
    match value:
        case {"list": listed}:
            return [int(number) for number in listed["i"]] if "i" in listed else [_text(s) for s in listed.get("s", ())]
        case {"s": text}:
            return _text(text)
        case {"i": number}:
            return int(number)
        case {"f": number}:
            return float(number)
        case {"b": truth}:
            return bool(truth)
        case {"type": kind}:
            return str(kind)
        case {"shape": shape}:
            return [int(side["size"]) for side in shape.get("dim", ())]
    return None


def _text(packed: str) -> str:
    return base64.b64decode(packed).decode("ascii")
