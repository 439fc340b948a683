"""TensorFlow operations as ONNX nodes, one function each. TensorFlow counts channels last, ONNX first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.convert.graph import Node
from workstation.prelabel.convert.onnx_file import OnnxGraph


@dataclass(frozen=True, slots=True)
class Place:
    """One operation being written: its inputs by name, their values where constant, the graph it goes into."""

    node: Node
    names: list[str]
    values: list[NDArray[Any] | None]
    graph: OnnxGraph

    def value(self, number: int) -> NDArray[Any]:
        """An input that must be constant."""
        value = self.values[number]
        if value is None:
            raise ValueError(f"input {number} of {self.node.name} is not constant")
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        found = self.node.attributes.get(name)
        return default if found is None else found

    def add(self, op: str, inputs: list[str], **attributes: Any) -> str:
        """A node on the way to the result."""
        return self.graph.add(op, inputs, **attributes)

    def end(self, op: str, inputs: list[str], **attributes: Any) -> None:
        """The node that answers under this operation's name."""
        self.graph.add(op, inputs, self.node.name, **attributes)

    @property
    def channels_last(self) -> bool:
        return bool(self.get("data_format", "NHWC") == "NHWC")

    @property
    def sides(self) -> tuple[int, int]:
        """Where height and width stand in lists of four."""
        return (1, 2) if self.channels_last else (2, 3)

    def first(self) -> str:
        """The first input, channels first."""
        return self.add("Transpose", [self.names[0]], perm=[0, 3, 1, 2]) if self.channels_last else self.names[0]

    def back(self, name: str) -> None:
        """The result, in the order of the graph."""
        if self.channels_last:
            self.end("Transpose", [name], perm=[0, 2, 3, 1])
        else:
            self.end("Identity", [name])

    def padding(self) -> dict[str, Any]:
        """TensorFlow's SAME puts the odd pixel at the end."""
        kind = self.get("padding")
        if kind == "SAME":
            return {"auto_pad": "SAME_UPPER"}
        edges = self.get("explicit_paddings") if kind == "EXPLICIT" else [0] * 8
        y, x = (2, 4) if self.channels_last else (4, 6)
        return {"pads": [edges[y], edges[x], edges[y + 1], edges[x + 1]]}


def _convolution(place: Place) -> None:
    kernel, strides, spread = place.value(1), place.get("strides"), place.get("dilations", [1] * 4)
    fused = place.get("fused_ops", [])
    if "epthwise" in place.node.op:
        kernels, groups = kernel.transpose(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2]), kernel.shape[2]
    else:
        kernels, groups = kernel.transpose(3, 2, 0, 1), 1
    inputs = [place.first(), place.graph.constant(np.ascontiguousarray(kernels))]
    if "BiasAdd" in fused:
        inputs.append(place.graph.constant(place.value(2).reshape(-1)))
    out = place.add("Conv", inputs, strides=[strides[side] for side in place.sides], group=groups,
                    dilations=[spread[side] for side in place.sides], kernel_shape=list(kernel.shape[:2]),
                    **place.padding())  # fmt: skip
    for name in fused:
        out = _activated(place, name, out)
    place.back(out)


def _activated(place: Place, name: str, out: str) -> str:
    match name:
        case "BiasAdd":
            return out
        case "Relu6":
            return place.add("Clip", [out, *_zero_to_six(place)])
        case "LeakyRelu":
            return place.add("LeakyRelu", [out], alpha=float(place.get("leakyrelu_alpha", 0.2)))
        case "Prelu":
            return place.add("PRelu", [out, place.graph.constant(place.value(3).reshape(-1, 1, 1))])
    return place.add(name, [out])


def _zero_to_six(place: Place) -> list[str]:
    return [place.graph.constant(np.float32(0)), place.graph.constant(np.float32(6))]


def _convolution_back(place: Place) -> None:
    out = place.add("Transpose", [place.names[2]], perm=[0, 3, 1, 2])
    kernel = place.graph.constant(np.ascontiguousarray(place.value(1).transpose(3, 2, 0, 1)))
    place.back(place.add("ConvTranspose", [out, kernel], strides=place.get("strides")[1:3], auto_pad="SAME_UPPER"))


def _pool(place: Place) -> None:
    op = "MaxPool" if place.node.op == "MaxPool" else "AveragePool"
    size, strides = place.get("ksize"), place.get("strides")
    place.back(place.add(op, [place.first()], kernel_shape=[size[side] for side in place.sides],
                         strides=[strides[side] for side in place.sides], **place.padding()))  # fmt: skip


def _batch_norm(place: Place) -> None:
    epsilon = float(place.get("epsilon", 1e-3))
    place.back(place.add("BatchNormalization", [place.first(), *place.names[1:5]], epsilon=epsilon))


def _resize(place: Place) -> None:
    picture, linear = place.first(), "Bilinear" in place.node.op
    sides = place.graph.constant(place.value(1).astype(np.int64))
    size = place.add("Concat", [place.add("Shape", [picture], end=2), sides], axis=0)
    half = "half_pixel" if place.get("half_pixel_centers") else "asymmetric"
    mode = "align_corners" if place.get("align_corners") else half
    rounding = {} if linear else {"nearest_mode": "floor"}
    place.back(place.add("Resize", [picture, "", "", size], mode="linear" if linear else "nearest",
                         coordinate_transformation_mode=mode, **rounding))  # fmt: skip


def _plain(op: str) -> Callable[[Place], None]:
    return lambda place: place.end(op, place.names)


def _relu6(place: Place) -> None:
    place.end("Clip", [place.names[0], *_zero_to_six(place)])


def _leaky(place: Place) -> None:
    place.end("LeakyRelu", place.names[:1], alpha=float(place.get("alpha", 0.2)))


def _square(place: Place) -> None:
    place.end("Mul", [place.names[0]] * 2)


def _product(place: Place) -> None:
    second = place.names[1]
    place.end("MatMul", [place.names[0], place.add("Transpose", [second]) if place.get("transpose_b") else second])


def _transpose(place: Place) -> None:
    place.end("Transpose", place.names[:1], perm=[int(axis) for axis in place.value(1)])


def _reshape(place: Place) -> None:
    place.end("Reshape", [place.names[0], place.graph.constant(place.value(1).astype(np.int64))])


def _squeeze(place: Place) -> None:
    place.end("Squeeze", [place.names[0], place.graph.constant(np.asarray(place.get("squeeze_dims"), np.int64))])


def _expand(place: Place) -> None:
    place.end("Unsqueeze", [place.names[0], place.graph.constant(place.value(1).astype(np.int64).reshape(-1))])


def _join(place: Place) -> None:
    place.end("Concat", place.names[:-1], axis=int(place.value(-1)))


def _pad(place: Place) -> None:
    inputs = [place.names[0], place.graph.constant(place.value(1).astype(np.int64).T.reshape(-1).copy())]
    if place.node.op == "PadV2":
        inputs.append(place.graph.constant(place.value(2).astype(np.float32)))
    place.end("Pad", inputs)


def _mean(place: Place) -> None:
    axes = [int(axis) for axis in place.value(1).reshape(-1)]
    place.end("ReduceMean", place.names[:1], axes=axes, keepdims=int(bool(place.get("keep_dims"))))


def _split(place: Place) -> None:
    sizes = place.value(1).astype(np.int64)
    outs = [place.node.name, *(f"{place.node.name}:{number}" for number in range(1, sizes.size))]
    place.graph.add("Split", [place.names[0], place.graph.constant(sizes)], outs, axis=int(place.value(2)))


_SAME = {
    "Add": "Add", "AddV2": "Add", "BiasAdd": "Add", "Sub": "Sub", "Mul": "Mul", "RealDiv": "Div", "Maximum": "Max",
    "Minimum": "Min", "AddN": "Sum", "Relu": "Relu", "Sigmoid": "Sigmoid", "Exp": "Exp", "Tanh": "Tanh", "Abs": "Abs",
    "Sqrt": "Sqrt", "Neg": "Neg", "Softmax": "Softmax", "Identity": "Identity",
}  # fmt: skip

OPERATORS: dict[str, Callable[[Place], None]] = {
    **{name: _plain(op) for name, op in _SAME.items()},
    **dict.fromkeys(("Conv2D", "_FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"), _convolution),
    "Conv2DBackpropInput": _convolution_back,
    "MaxPool": _pool,
    "AvgPool": _pool,
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), _batch_norm),
    "ResizeBilinear": _resize,
    "ResizeNearestNeighbor": _resize,
    "Relu6": _relu6,
    "LeakyRelu": _leaky,
    "Square": _square,
    "MatMul": _product,
    "Transpose": _transpose,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "ExpandDims": _expand,
    "ConcatV2": _join,
    "Pad": _pad,
    "PadV2": _pad,
    "Mean": _mean,
    "SplitV": _split,
}
