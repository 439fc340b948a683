"""The published weights of the GE2E speaker encoder into an ONNX file, without torch and without running the pickle.

Called when the model is installed. The file is torch's old form: pickles, then the raw numbers. Only the names that
describe tensors are let through; a pickle that asks for anything else is refused before it is called.
"""

from __future__ import annotations

import collections
import io
import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.files import read_bounded, write_whole
from workstation.prelabel.convert.onnx_file import OnnxGraph
from workstation.prelabel.speakers import FRAMES
from workstation.prelabel.speech_mels import MELS

Weights = Mapping[str, NDArray[np.float32]]
HIDDEN, LAYERS = 256, 3
_MOST_BYTES = 256 << 20
_PICKLES_BEFORE = 3
_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}
_ORDER = (0, 3, 1, 2)
"""Torch keeps input, forget, cell, output; ONNX wants input, output, forget, cell."""


def ge2e_onnx(content: bytes) -> bytes:
    """The ONNX file: ``mels`` (batch, 160, 40) to ``embedding`` (batch, 256). ``DataError`` for any other file."""
    return _graph(read_weights(content))


def ge2e_files(taken: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """The converter as a recipe names it: the checkpoint's file by role in, the model's file by role out."""
    made = folder / "ge2e.onnx"
    write_whole(made, ge2e_onnx(read_bounded(taken["weights"], _MOST_BYTES)))
    return {"model": made}


def read_weights(content: bytes) -> dict[str, NDArray[np.float32]]:
    """The tensors of a checkpoint by name."""
    if len(content) > _MOST_BYTES:
        raise DataError(f"the checkpoint has {len(content) >> 20} MB; a speaker encoder has less than 256")
    file = io.BytesIO(content)
    reader = _Tensors()
    try:
        for _ in range(_PICKLES_BEFORE):
            reader.load(file)
        state = reader.load(file)["model_state"]
        stored = {key: _numbers(file, reader.stores[key]) for key in reader.load(file)}
        return {name: _tensor(stored, each) for name, each in state.items() if isinstance(each, _View) and each.shape}
    except DataError:
        raise
    except (pickle.UnpicklingError, EOFError, KeyError, IndexError, TypeError, ValueError, AttributeError,
            ImportError, struct.error, RecursionError, MemoryError, OverflowError) as problem:  # fmt: skip
        raise DataError(f"the file is no checkpoint of the speaker encoder ({problem})") from problem


class _View(tuple[str, int, tuple[int, ...], tuple[int, ...]]):
    """Where a tensor lies: storage, offset, shape, stride."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return self[2]


def _view(storage: str, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object) -> _View:
    return _View((storage, offset, shape, stride))


class _Tensors:
    """Unpickles one thing after another; what a storage is called and its type are remembered."""

    def __init__(self) -> None:
        self.stores: dict[str, str] = {}

    def load(self, file: BinaryIO) -> Any:
        return _Names(file, self.stores).load()


class _Names(pickle.Unpickler):
    def __init__(self, file: BinaryIO, stores: dict[str, str]) -> None:
        super().__init__(file)
        self._stores = stores

    def find_class(self, module: str, name: str) -> Any:
        """Only what describes tensors."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _view
        if module == "torch" and name in _TYPES:
            return name
        raise DataError(f"the checkpoint asks to run {module}.{name}, which a list of weights never needs; refused")

    def persistent_load(self, pid: Any) -> str:
        """A storage is known by its key; its numbers follow the pickles."""
        kind, key = str(pid[1]), str(pid[2])
        self._stores[key] = kind
        return key


def _numbers(file: BinaryIO, kind: str) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    stored = np.dtype(_TYPES[kind])
    if not 0 <= count <= _MOST_BYTES // stored.itemsize:
        raise ValueError(f"a tensor of {count} numbers")
    data = file.read(count * stored.itemsize)
    if len(data) != count * stored.itemsize:
        raise ValueError("it is cut off")
    return np.frombuffer(data, stored)


def _tensor(stored: Mapping[str, NDArray[Any]], view: _View) -> NDArray[np.float32]:
    storage, offset, shape, stride = view
    numbers = stored[storage]
    at = np.array(offset)
    for side, step in zip(shape, stride, strict=True):
        at = at[..., None] + np.arange(side) * step
        if at.size > len(numbers):
            raise ValueError("a tensor larger than what is stored")
    if at.size and (at.min() < 0 or at.max() >= len(numbers)):
        raise ValueError("a tensor outside what is stored")
    return np.asarray(numbers[at], np.float32)


def _graph(weights: Weights) -> bytes:
    graph = OnnxGraph()
    one, zero = graph.constant(np.array([1])), graph.constant(np.array([0]))
    x = graph.add("Transpose", ["mels"], perm=[1, 0, 2])
    last = ""
    for layer in range(LAYERS):
        w = _gates(_of(weights, f"lstm.weight_ih_l{layer}", (4 * HIDDEN, HIDDEN if layer else MELS)))
        r = _gates(_of(weights, f"lstm.weight_hh_l{layer}", (4 * HIDDEN, HIDDEN)))
        bias = [_gates(_of(weights, f"lstm.bias_{kind}_l{layer}", (4 * HIDDEN,))) for kind in ("ih", "hh")]
        given = [x, *(graph.constant(each[None]) for each in (w, r, np.concatenate(bias)))]
        last = f"h{layer}"
        y = graph.add("LSTM", given, [f"y{layer}", last], hidden_size=HIDDEN)
        x = graph.add("Squeeze", [y, one])
    state = graph.add("Squeeze", [last, zero])
    straight = graph.constant(np.ascontiguousarray(_of(weights, "linear.weight", (HIDDEN, HIDDEN)).T))
    turned = graph.add("MatMul", [state, straight])
    moved = graph.add("Add", [turned, graph.constant(_of(weights, "linear.bias", (HIDDEN,)))])
    graph.add("LpNormalization", [graph.add("Relu", [moved])], "embedding", axis=1, p=2)
    return graph.file({"mels": (-1, FRAMES, MELS)}, {"embedding": (-1, HIDDEN)})


def _of(weights: Weights, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    found = weights.get(name)
    if found is None or found.shape != shape:
        has = "no such tensor" if found is None else f"the shape {found.shape}"
        raise DataError(f"the checkpoint has {has} where a speaker encoder has {name} {shape}")
    if not np.isfinite(found).all():
        raise DataError(f"the tensor {name} holds what is not a number")
    return found


def _gates(values: NDArray[np.float32]) -> NDArray[np.float32]:
    parts = np.split(values, 4)
    return np.concatenate([parts[number] for number in _ORDER])
