"""ONNX files of a few nodes, written byte by byte, and a family that reads one of them: models without weights.

``bright_box`` finds what is bright: the largest value of each column and of each row of a picture. ``prompt_pair`` is
of the SAM class by its names: the mask is what looks as the place pointed at does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FLOAT, INT64 = 1, 7

FAMILY = '''
"""Reads the tiny graph that finds what is bright. For tests."""
from collections.abc import Mapping, Sequence

import numpy as np

from workstation.prelabel.api import Arrays, BadOutput, FoundBox, InputSpec, ModelCard, Pixels, Prepared, Task

INPUT = InputSpec(width=64, height=48)


class BrightFamily:
    name = "bright-box"
    tasks = frozenset({Task.DETECT, Task.INSTANCE_SEG})

    def prepare(self, card: ModelCard, pictures: Sequence[Pixels]) -> Prepared:
        stacked = np.stack([np.asarray(each, np.float32).transpose(2, 0, 1) / 255 for each in pictures])
        return Prepared({"x": stacked}, None)

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[list[FoundBox]]:
        if "columns" not in outputs or outputs["columns"].ndim != 2:
            raise BadOutput("the output 'columns' has the wrong shape")
        found = []
        for columns, rows in zip(outputs["columns"], outputs["rows"], strict=True):
            x, y = np.flatnonzero(columns > 0.5), np.flatnonzero(rows > 0.5)
            if not x.size:
                found.append([])
                continue
            width, height = float(x[-1] - x[0] + 1), float(y[-1] - y[0] + 1)
            found.append([FoundBox(left=float(x[0]), top=float(y[0]), width=width, height=height, label="bright",
                                   score=float(columns.max()))])
        return found

    def recognises(self, inputs: Mapping[str, object], outputs: Mapping[str, object],
                   metadata: Mapping[str, str]) -> float:
        return 1.0 if set(outputs) == {"columns", "rows"} else 0.0


FAMILY = BrightFamily()
'''


@dataclass(frozen=True)
class Node:
    """One operator; whole numbers and lists of them are its attributes."""

    op: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, int | Sequence[int]] = field(default_factory=dict)


Shape = Sequence[int | str]


def graph_bytes(
    nodes: Sequence[Node], *, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape],
    weights: Mapping[str, np.ndarray] | None = None, metadata: Mapping[str, str] | None = None,
    whole: Sequence[str] = (),
) -> bytes:  # fmt: skip
    """A model of opset 17 with float inputs and outputs, but for those in ``whole``, which are whole numbers."""
    graph = b"".join(_part(1, _node(each)) for each in nodes) + _part(2, b"tiny")
    graph += b"".join(_part(5, _tensor(name, array)) for name, array in (weights or {}).items())
    graph += b"".join(_part(11, _port(name, shape, name in whole)) for name, shape in inputs.items())
    graph += b"".join(_part(12, _port(name, shape, name in whole)) for name, shape in outputs.items())
    notes = b"".join(_part(14, _part(1, k.encode()) + _part(2, v.encode())) for k, v in (metadata or {}).items())
    return _number(1, 9) + _part(7, graph) + _part(8, _number(2, 17)) + notes


def bright_box(metadata: Mapping[str, str] | None = None, *, batch: int | str = "n") -> bytes:
    """The largest value of each column and each row."""
    return graph_bytes(
        [
            Node("ReduceMax", ["x"], ["columns"], {"axes": [1, 2], "keepdims": 0}),
            Node("ReduceMax", ["x"], ["rows"], {"axes": [1, 3], "keepdims": 0}),
        ],
        inputs={"x": [batch, 3, "h", "w"]}, outputs={"columns": [batch, "w"], "rows": [batch, "h"]}, metadata=metadata,
    )  # fmt: skip


def logarithm() -> bytes:
    """Answers NaN for what is below zero and minus infinity for zero."""
    return graph_bytes([Node("Log", ["x"], ["y"])], inputs={"x": ["n"]}, outputs={"y": ["n"]})


def expanding(size: int) -> bytes:
    """Answers an array of so many floats, whatever it is given."""
    return graph_bytes(
        [Node("ConstantOfShape", ["size"], ["all"]), Node("ReduceMax", ["x"], ["one"], {"keepdims": 1}),
         Node("Add", ["all", "one"], ["y"])],
        inputs={"x": ["n"]}, outputs={"y": ["m"]}, weights={"size": np.array([size], np.int64)},
    )  # fmt: skip


def squares(size: int) -> bytes:
    """Needs ``n × size`` floats inside and answers ``n`` numbers: memory grows with the batch."""
    return graph_bytes(
        [Node("Expand", ["x", "wide"], ["e"]), Node("ReduceSum", ["e", "last"], ["y"], {"keepdims": 0})],
        inputs={"x": ["n", 1]}, outputs={"y": ["n"]},
        weights={"wide": np.array([1, size], np.int64), "last": np.array([1], np.int64)},
    )  # fmt: skip


SIDE = 64
"""Of the pictures that ``prompt_pair`` looks at."""


def prompt_pair(kind: str = "sam") -> tuple[bytes, bytes]:
    """Encoder and decoder with the inputs and outputs of the usual exports of SAM, of SAM 2 (``sam2``), and of those
    whose encoder takes plain pixels and pads them itself (``plain``). The embedding is the picture in grey; a pixel is
    in the mask where it differs by less than a tenth from the middle of the points and corners given."""
    finer = kind == "sam2"
    embedding = "image_embed" if finer else "image_embeddings"
    zeros = ["mask_input", "has_mask_input", *(["high_res_feats_0", "high_res_feats_1"] if finer else ["orig_im_size"])]
    nodes = [
        Node("GreaterOrEqual", ["point_labels", "zero"], ["real"]),
        Node("Cast", ["real"], ["weight"], {"to": FLOAT}),
        Node("Unsqueeze", ["weight", "last"], ["weights"]),
        Node("Mul", ["point_coords", "weights"], ["counted"]),
        Node("ReduceSum", ["counted", "points"], ["sum"], {"keepdims": 0}),
        Node("ReduceSum", ["weights", "points"], ["many"], {"keepdims": 0}),
        Node("Div", ["sum", "many"], ["middle"]),
        Node("Cast", ["middle"], ["across_down"], {"to": INT64}),
        Node("Gather", ["across_down", "down_across"], ["index"], {"axis": 1}),
        Node("Concat", ["origin", "index"], ["place"], {"axis": 1}),
        Node("GatherND", [embedding, "place"], ["there"]),
        Node("Sub", [embedding, "there"], ["less"]),
        Node("Abs", ["less"], ["apart"]),
        Node("Sub", ["near", "apart"], ["large"]),
        Node("AveragePool", ["large"], ["small"], {"kernel_shape": [4, 4], "strides": [4, 4]}),
        Node("Identity", ["small" if finer else "large"], ["masks"]),
        *([] if finer else [Node("Identity", ["small"], ["low_res_masks"])]),
        *(Node("ReduceSum", [name], [f"{name} sum"], {"keepdims": 0}) for name in zeros),
        Node("Sum", [f"{name} sum" for name in zeros], ["rest"]),
        Node("Mul", ["rest", "zero"], ["nothing"]),
        Node("Add", ["sure", "nothing"], ["iou_predictions"]),
    ]
    side = SIDE // 4
    inputs: dict[str, Shape] = {
        embedding: [1, 1, SIDE, SIDE], "point_coords": [1, "n", 2], "point_labels": [1, "n"],
        "mask_input": [1, 1, side, side], "has_mask_input": [1],
    }  # fmt: skip
    inputs |= {name: [1, 1, SIDE, SIDE] for name in zeros[2:]} if finer else {"orig_im_size": [2]}
    outputs: dict[str, Shape] = {"masks": [1, 1, *([side] * 2 if finer else [SIDE] * 2)], "iou_predictions": [1, 1]}
    decoder = graph_bytes(
        nodes, inputs=inputs, outputs=outputs if finer else outputs | {"low_res_masks": [1, 1, side, side]},
        weights={
            "zero": np.zeros((1,), np.float32), "last": np.array([2], np.int64), "points": np.array([1], np.int64),
            "down_across": np.array([1, 0], np.int64), "origin": np.zeros((1, 2), np.int64),
            "near": np.array([0.1], np.float32), "sure": np.array([[0.9]], np.float32),
        },
    )  # fmt: skip
    return _prompt_encoder(kind), decoder


def _prompt_encoder(kind: str) -> bytes:
    grey = {"axes": [1], "keepdims": 1}
    seen = [1, 1, SIDE, SIDE]
    if kind == "sam2":
        names = ["image_embed", "high_res_feats_0", "high_res_feats_1"]
        return graph_bytes(
            [Node("ReduceMean", ["image"], [name], grey) for name in names],
            inputs={"image": [1, 3, SIDE, SIDE]}, outputs=dict.fromkeys(names, seen),
        )  # fmt: skip
    if kind == "sam":
        return graph_bytes(
            [Node("ReduceMean", ["images"], ["image_embeddings"], grey)],
            inputs={"images": [1, 3, SIDE, SIDE]}, outputs={"image_embeddings": seen},
        )  # fmt: skip
    return graph_bytes(
        [
            Node("ReduceMean", ["input_image"], ["bright"], {"axes": [2], "keepdims": 0}),
            Node("Div", ["bright", "full"], ["share"]),
            Node("Shape", ["share"], ["is"]),
            Node("Sub", ["side", "is"], ["missing"]),
            Node("Concat", ["none", "missing"], ["pads"], {"axis": 0}),
            Node("Pad", ["share", "pads"], ["whole"]),
            Node("Unsqueeze", ["whole", "front"], ["image_embeddings"]),
        ],
        inputs={"input_image": ["h", "w", 3]}, outputs={"image_embeddings": seen},
        weights={"full": np.array(255, np.float32), "side": np.full(2, SIDE, np.int64),
                 "none": np.zeros(2, np.int64), "front": np.array([0, 1], np.int64)},
    )  # fmt: skip


def prompt_folder(folder: Path, pair: tuple[bytes, bytes] | None = None, *, model_id: str = "tiny-sam") -> Path:
    """A folder with the pair and its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for role, data in zip(("encoder", "decoder"), pair or prompt_pair(), strict=True):
        (folder / f"{role}.onnx").write_bytes(data)
        files.append(f"{role}: {{path: {role}.onnx, sha256: {hashlib.sha256(data).hexdigest()}}}")
    (folder / "model.yaml").write_text(
        f'schema: 1\nid: {model_id}\nversion: "1"\ntask: promptable-seg\nfamily: sam\n'
        f"files: {{{', '.join(files)}}}\n"
        f"input: {{size: [{SIDE}, {SIDE}], scale: 0.00392156862745098, resize: letterbox-corner}}\n",
        encoding="utf-8",
    )
    return folder


def model_folder(
    folder: Path, data: bytes, *, model_id: str = "bright", task: str = "detect", family: str = "bright-box",
    extra: str = "",
) -> Path:  # fmt: skip
    """A folder with the graph and its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    (folder / "model.yaml").write_text(
        f'schema: 1\nid: {model_id}\nversion: "3"\ntask: {task}\nfamily: {family}\n'
        f"files: {{model: {{path: model.onnx, sha256: {digest}}}}}\nlabels: [bright]\n{extra}",
        encoding="utf-8",
    )
    return folder


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field_number: int, value: int) -> bytes:
    return _varint(field_number << 3) + _varint(value)


def _part(field_number: int, data: bytes) -> bytes:
    return _varint(field_number << 3 | 2) + _varint(len(data)) + data


def _node(node: Node) -> bytes:
    out = b"".join(_part(1, name.encode()) for name in node.inputs)
    out += b"".join(_part(2, name.encode()) for name in node.outputs) + _part(4, node.op.encode())
    for name, value in node.attributes.items():
        if isinstance(value, int):
            out += _part(5, _part(1, name.encode()) + _number(3, value) + _number(20, 2))
        else:
            out += _part(5, _part(1, name.encode()) + b"".join(_number(8, each) for each in value) + _number(20, 7))
    return out


def _tensor(name: str, array: np.ndarray) -> bytes:
    kind = INT64 if array.dtype == np.int64 else FLOAT
    return (
        b"".join(_number(1, side) for side in array.shape)
        + _number(2, kind)
        + _part(8, name.encode())
        + _part(9, array.tobytes())
    )


def _port(name: str, shape: Shape, whole: bool) -> bytes:
    sides = b"".join(_part(1, _number(1, side) if isinstance(side, int) else _part(2, side.encode())) for side in shape)
    return _part(1, name.encode()) + _part(2, _part(1, _number(1, INT64 if whole else FLOAT) + _part(2, sides)))
