"""A TensorFlow graph as plain values: what the two readers give and the translator takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operation. Inputs are names of nodes, ``:1`` behind them for a second output; ``^`` before them orders."""

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Graph:
    """Operations by name, and the constants among them."""

    nodes: dict[str, Node]
    weights: dict[str, NDArray[Any]]


def array(buffer: bytes, dtype: str, shape: list[int], offset: int = 0) -> NDArray[Any]:
    """Numbers out of a file, or ``ValueError`` when the file is shorter than it says."""
    if any(side < 0 for side in shape):
        raise ValueError(f"a tensor has the shape {shape}")
    count, kind = int(np.prod(shape, dtype=object)), np.dtype(dtype)
    if offset + count * kind.itemsize > len(buffer):
        raise ValueError("the weights are shorter than the graph says")
    return np.frombuffer(buffer, kind, count, offset).reshape(shape)
