"""Converted graphs answer what the operations mean, reckoned here in NumPy; files that are none are refused."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.errors import DataError, UserError
from workstation.prelabel.convert.graph import Graph, Node
from workstation.prelabel.convert.graphdef import read_graphdef
from workstation.prelabel.convert.known import CONVERSIONS
from workstation.prelabel.convert.tfjs import read_tfjs
from workstation.prelabel.convert.translate import to_onnx
from workstation.prelabel.convert.wire import fields, signed, varint, write_field, write_varint

RNG = np.random.default_rng(4)


def answers(model: bytes, **feeds: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return [np.asarray(one) for one in session.run(None, feeds)]


def graph(*nodes: Node, shape: tuple[int, ...], **weights: Any) -> Graph:
    start = Node(name="x", op="Placeholder", attributes={"shape": list(shape)})
    constants = [Node(name=name, op="Const") for name in weights]
    arrays = {name: np.asarray(value) for name, value in weights.items()}
    return Graph({node.name: node for node in (start, *constants, *nodes)}, arrays)


def run(found: Graph, x: np.ndarray, shape: tuple[int, ...] | None = None) -> np.ndarray:
    return answers(to_onnx(found, {"y": shape}), x=x)[0]


def convolved(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """SAME, channels last, one output at a time; the odd pixel of padding at the end."""
    high, wide = kernel.shape[:2]
    out_h, out_w = -(-x.shape[1] // stride), -(-x.shape[2] // stride)
    pad_h = max((out_h - 1) * stride + high - x.shape[1], 0)
    pad_w = max((out_w - 1) * stride + wide - x.shape[2], 0)
    padded = np.pad(x, ((0, 0), (pad_h // 2, pad_h - pad_h // 2), (pad_w // 2, pad_w - pad_w // 2), (0, 0)))
    out = np.zeros((x.shape[0], out_h, out_w, kernel.shape[3]))
    for row in range(out_h):
        for column in range(out_w):
            part = padded[:, row * stride : row * stride + high, column * stride : column * stride + wide]
            out[:, row, column] = np.tensordot(part, kernel, 3)
    return out


@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_with_bias_and_clipping(stride: int) -> None:
    kernel, bias = RNG.normal(size=(3, 3, 2, 4)).astype("f4"), RNG.normal(size=4).astype("f4")
    node = Node(name="y", op="_FusedConv2D", inputs=("x", "k", "b"),
                attributes={"strides": [1, stride, stride, 1], "padding": "SAME",
                            "fused_ops": ["BiasAdd", "Relu6"]})  # fmt: skip
    x = RNG.normal(size=(2, 6, 7, 2)).astype("f4")
    expected = np.clip(convolved(x, kernel, stride) + bias, 0, 6)
    assert np.allclose(run(graph(node, shape=(-1, 6, 7, 2), k=kernel, b=bias), x), expected, atol=1e-5)


def test_a_depthwise_convolution_keeps_channels_apart() -> None:
    kernel = RNG.normal(size=(3, 3, 2, 1)).astype("f4")
    node = Node(name="y", op="DepthwiseConv2dNative", inputs=("x", "k"),
                attributes={"strides": [1, 1, 1, 1], "padding": "SAME"})  # fmt: skip
    x = RNG.normal(size=(1, 5, 4, 2)).astype("f4")
    expected = np.concatenate([convolved(x[..., c : c + 1], kernel[:, :, c : c + 1], 1) for c in range(2)], axis=-1)
    assert np.allclose(run(graph(node, shape=(-1, 5, 4, 2), k=kernel), x), expected, atol=1e-5)


def test_constants_are_folded_before_they_are_used() -> None:
    """A batch norm written out: x * (rsqrt(var + e) * gamma)."""
    nodes = [Node(name="a", op="AddV2", inputs=("var", "e")), Node(name="r", op="Rsqrt", inputs=("a",)),
             Node(name="s", op="Mul", inputs=("r", "gamma")),
             Node(name="y", op="Mul", inputs=("x", "s:0"))]  # fmt: skip
    var, gamma = np.array([4.0, 9.0], "f4"), np.array([2.0, 6.0], "f4")
    found = graph(*nodes, shape=(-1, 2), var=var, e=np.float32(0), gamma=gamma)
    model = to_onnx(found, {"y": (-1, 2)})
    assert b"Rsqrt" not in model
    assert model.count(b"gamma") == 0
    assert answers(model, x=np.array([[1.0, 1.0]], "f4"))[0].tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("node", "weights", "expected"),
    [
        (Node(name="y", op="Transpose", inputs=("x", "p")), {"p": np.array([0, 2, 1], "i4")},
         lambda x: x.transpose(0, 2, 1)),
        (Node(name="y", op="Reshape", inputs=("x", "s")), {"s": np.array([2, 12], "i4")}, lambda x: x.reshape(2, 12)),
        (Node(name="y", op="Mean", inputs=("x", "a"), attributes={"keep_dims": True}), {"a": np.array([1], "i4")},
         lambda x: x.mean(axis=1, keepdims=True)),
        (Node(name="y", op="PadV2", inputs=("x", "p", "v")),
         {"p": np.array([[0, 0], [1, 2], [0, 1]], "i4"), "v": np.float32(7)},
         lambda x: np.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=7)),
        (Node(name="y", op="ExpandDims", inputs=("x", "a")), {"a": np.int32(1)}, lambda x: x[:, None]),
        (Node(name="y", op="ConcatV2", inputs=("x", "x", "a")), {"a": np.int32(2)},
         lambda x: np.concatenate([x, x], axis=2)),
        (Node(name="y", op="LeakyRelu", inputs=("x",), attributes={"alpha": 0.1}), {},
         lambda x: np.where(x > 0, x, 0.1 * x)),
        (Node(name="y", op="Square", inputs=("x",)), {}, lambda x: x * x),
        (Node(name="y", op="Relu6", inputs=("x",)), {}, lambda x: np.clip(x, 0, 6)),
        (Node(name="y", op="Sigmoid", inputs=("x",)), {}, lambda x: 1 / (1 + np.exp(-x))),
    ],
    ids=lambda value: value.op if isinstance(value, Node) else "",
)  # fmt: skip
def test_operations_mean_what_they_say(node: Node, weights: dict[str, Any], expected: Any) -> None:
    x = (RNG.normal(size=(2, 3, 4)) * 5).astype("f4")
    assert np.allclose(run(graph(node, shape=(2, 3, 4), **weights), x), expected(x), atol=1e-5)


def test_pooling_resizing_and_splitting() -> None:
    x = RNG.normal(size=(1, 4, 4, 2)).astype("f4")
    pool = Node(name="y", op="MaxPool", inputs=("x",),
                attributes={"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"})  # fmt: skip
    assert np.array_equal(run(graph(pool, shape=(-1, 4, 4, 2)), x), x.reshape(1, 2, 2, 2, 2, 2).max(axis=(2, 4)))
    larger = Node(name="y", op="ResizeNearestNeighbor", inputs=("x", "s"))
    found = run(graph(larger, shape=(-1, 4, 4, 2), s=np.array([8, 8], "i4")), x)
    assert np.array_equal(found, x.repeat(2, axis=1).repeat(2, axis=2))
    parts = [Node(name="q", op="SplitV", inputs=("x", "n", "a")), Node(name="y", op="Neg", inputs=("q:1",))]
    found = run(graph(*parts, shape=(1, 4, 4, 2), n=np.array([1, 3], "i4"), a=np.int32(1)), x)
    assert np.array_equal(found, -x[:, 1:])


def test_what_cannot_be_converted_is_named() -> None:
    with pytest.raises(UserError, match="Einsum at 'y'"):
        to_onnx(graph(Node(name="y", op="Einsum", inputs=("x",)), shape=(1,)), {"y": None})
    with pytest.raises(UserError, match="no node 'z'"):
        to_onnx(graph(Node(name="y", op="Neg", inputs=("z",)), shape=(1,)), {"y": None})
    with pytest.raises(UserError, match="in a form"):
        to_onnx(graph(Node(name="y", op="Transpose", inputs=("x", "x")), shape=(1,)), {"y": None})


def test_a_ring_of_nodes_ends() -> None:
    ring = graph(Node(name="y", op="Neg", inputs=("w",)), Node(name="w", op="Neg", inputs=("y",)), shape=(1,))
    assert to_onnx(ring, {"y": None})


def _tfjs(folder: Path, paths: list[str] | None = None) -> Path:
    half = np.array([1.5, -2.0], "<f2")
    packed = np.array([0, 255], "u1")
    (folder / "w.bin").write_bytes(half.tobytes() + packed.tobytes())
    tensors = [
        {"name": "half", "shape": [2], "dtype": "float32", "quantization": {"dtype": "float16"}},
        {"name": "packed", "shape": [2], "dtype": "float32",
         "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0}},
    ]  # fmt: skip
    side = [{"size": "-1"}, {"size": "2"}]
    nodes = [{"name": "x", "op": "Placeholder", "attr": {"shape": {"shape": {"dim": side}}}},
             {"name": "half", "op": "Const"}, {"name": "packed", "op": "Const"},
             {"name": "a", "op": "AddV2", "input": ["x", "half"],
              "attr": {"T": {"type": "DT_FLOAT"}, "note": {"s": base64.b64encode(b"hello").decode()}}},
             {"name": "y", "op": "Mul", "input": ["a", "packed", "^x"]}]  # fmt: skip
    model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"paths": paths or ["w.bin"], "weights": tensors}]}
    path = folder / "model.json"
    path.write_text(json.dumps(model), encoding="utf-8")
    return path


def test_a_tensorflow_js_model_is_read_with_packed_weights(tmp_path: Path) -> None:
    found = read_tfjs(_tfjs(tmp_path))
    assert found.nodes["a"].attributes == {"T": "DT_FLOAT", "note": "hello"}
    x = np.array([[1.0, 1.0]], "f4")
    assert run(found, x, (-1, 2)).tolist() == [[(1 + 1.5) * -1.0, (1 - 2.0) * 126.5]]


def test_weights_come_from_the_models_own_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"0" * 100)
    inner = tmp_path / "model"
    inner.mkdir()
    for name in ("../secret", "/etc/hosts", ".."):
        with pytest.raises(DataError, match="outside the folder"):
            read_tfjs(_tfjs(inner, [name]))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"modelTopology": 3}', "[" * 100_000, "\xff"])
def test_json_that_is_no_model_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"model\.json"):
        read_tfjs(path)


def test_weights_cut_off_are_refused(tmp_path: Path) -> None:
    path = _tfjs(tmp_path)
    (tmp_path / "w.bin").write_bytes(b"12345")
    with pytest.raises(DataError, match="shorter"):
        read_tfjs(path)


def test_a_node_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(write_field(1, write_field(1, "x")))
    with pytest.raises(DataError, match=r"graph\.pb"):
        read_graphdef(path)


def _frozen() -> bytes:
    def attribute(name: str, value: bytes) -> bytes:
        return write_field(5, write_field(1, name) + write_field(2, value))

    def shape(*sides: int) -> bytes:
        return b"".join(write_field(2, write_field(1, side)) for side in sides)

    def node(name: str, op: str, *inputs: str, attributes: bytes = b"") -> bytes:
        ends = b"".join(write_field(3, one) for one in inputs)
        return write_field(1, write_field(1, name) + write_field(2, op) + ends + attributes)

    tensor = write_field(1, 1) + write_field(2, shape(2)) + write_field(4, struct.pack("<2f", 2, 3))
    # One value stands for all the rest.
    filled = write_field(1, 1) + write_field(2, shape(2)) + write_field(5, struct.pack("<f", 10))
    return (node("x", "Placeholder", attributes=attribute("shape", write_field(7, shape(-1, 2))))
            + node("w", "Const", attributes=attribute("value", write_field(8, tensor)))
            + node("v", "Const", attributes=attribute("value", write_field(8, filled)))
            + node("m", "Mul", "x", "w") + node("y", "Add", "m", "v"))  # fmt: skip


def test_a_frozen_graph_is_read(tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(_frozen())
    assert run(read_graphdef(path), np.array([[1.0, 1.0]], "f4"), (-1, 2)).tolist() == [[12, 13]]


@given(st.one_of(st.binary(max_size=60), st.integers(0, 200).map(lambda cut: _frozen()[:cut]),
                 st.tuples(st.integers(0, 150), st.integers(0, 255)).map(
                     lambda one: _frozen()[: one[0]] + bytes([one[1]]) + _frozen()[one[0] + 1 :])))  # fmt: skip
def test_broken_graphs_end_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "broken.pb"
    path.write_bytes(data)
    try:
        read_graphdef(path)
    except DataError as error:
        assert "broken.pb" in str(error)  # noqa: PT017  (a broken byte may also make no difference)


@given(st.integers(-(2**63), 2**63 - 1))
def test_numbers_survive_the_wire(number: int) -> None:
    read, place = varint(write_varint(number), 0)
    assert (signed(read), place) == (number, len(write_varint(number)))
    assert list(fields(write_field(3, number))) == [(3, number % 2**64)]


def test_what_is_known_is_pinned() -> None:
    for conversion in CONVERSIONS.values():
        assert all(len(one) == 64 for one in (conversion.sha256, *conversion.sources.values()))


def test_a_known_graph_that_is_another_is_refused(tmp_path: Path) -> None:
    other = _tfjs(tmp_path)
    (tmp_path / "graph.pb").write_bytes(_frozen())
    for name, path in (("nanodet-g", other), ("centernet", other), ("ssd-mobilenet-v2", tmp_path / "graph.pb")):
        with pytest.raises(UserError, match="another model"):
            CONVERSIONS[name].convert(path)
