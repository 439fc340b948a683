"""The graphs that packages carry and we convert: which nodes are cut, and the hash of what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from workstation.prelabel.convert.graph import Graph, Node
from workstation.prelabel.convert.graphdef import read_graphdef
from workstation.prelabel.convert.tfjs import read_tfjs
from workstation.prelabel.convert.translate import to_onnx


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """From one file of a package to ONNX. ``sources`` and ``sha256`` pin what goes in and what comes out."""

    convert: Callable[[Path], bytes]
    sources: Mapping[str, str]
    sha256: str


def ssd_mobilenet_v2(path: Path) -> bytes:
    """The SSD of TensorFlow's object detection, cut between its own preparation and its own suppression."""
    graph = read_graphdef(path)
    start = "Preprocessor/sub"
    graph.nodes[start] = Node(name=start, op="Placeholder", attributes={"shape": [-1, 300, 300, 3]})
    for level in range(6):
        for name, shape in (("Reshape", (0, -1, 1, 4)), ("Reshape_1", (0, -1, 91))):
            _set_shape(graph, f"BoxPredictor_{level}/{name}", shape)
    return to_onnx(graph, {"concat": (-1, 1917, 1, 4), "concat_1": (-1, 1917, 91)})


def nanodet(path: Path) -> bytes:
    """NanoDet-g out of its ``model.json``: three levels of scores and of distances, for batches of any size."""
    graph = read_tfjs(path)
    for node in list(graph.nodes.values()):
        if node.op == "Reshape" and node.inputs:  # all six stand at the ends, with a batch of one reckoned in
            source = graph.nodes.get(node.inputs[0].split(":")[0])
            _set_shape(graph, node.name, (0, 80 if source is not None and source.op == "Sigmoid" else 44, -1))
    if "input_1" in graph.nodes:
        graph.nodes["input_1"] = replace(graph.nodes["input_1"], attributes={"shape": [-1, 3, 416, 416]})
    levels = ((2704, "Identity", "Identity_3"), (676, "Identity_1", "Identity_4"), (169, "Identity_2", "Identity_5"))
    scores = {name: (-1, cells, 80) for cells, name, _ in levels}
    return to_onnx(graph, scores | {name: (-1, cells, 44) for cells, _, name in levels})


def centernet(path: Path) -> bytes:
    """CenterNet out of its ``model.json``: a heat map of middles, and sizes."""
    return to_onnx(read_tfjs(path), {"tower_0/wh": (1, 128, 128, 4), "tower_0/keypoints": (1, 128, 128, 80)})


def _set_shape(graph: Graph, name: str, shape: tuple[int, ...]) -> None:
    """A reshape to sizes that stand in the file; 0 keeps the batch as it is. ``to_onnx`` names missing nodes."""
    node = graph.nodes.get(name)
    if node is not None and node.inputs:
        size = f"{name}/static"
        graph.weights[size] = np.array(shape, np.int32)
        graph.nodes[size] = Node(name=size, op="Const")
        graph.nodes[name] = replace(node, inputs=(node.inputs[0], size))


CONVERSIONS: Mapping[str, Conversion] = MappingProxyType(
    {
        "nanodet-g": Conversion(
            convert=nanodet,
            sources={
                "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
                "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
            },
            sha256="f69225a6f3ffa889304d4b119ce5df2e2025301d00033148fc7a832dfcf75dd4",
        ),
        "centernet": Conversion(
            convert=centernet,
            sources={
                "centernet.json": "bfb942eaacc5becf738d536663bc4580a0ae9e560722306e6d4dd7fe4a09de05",
                "centernet.bin": "1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef",
            },
            sha256="97b9c154ad4e42c36b2d74e0437cb53a3f3fd4c1ea58358eb33f21a9af231d1b",
        ),
        "ssd-mobilenet-v2": Conversion(
            convert=ssd_mobilenet_v2,
            sources={"frozen_inference_graph.pb": "2a8d8a89d695842e60d8c6d144181100555563e21acf2fa1e8f561fec5c3c6ad"},
            sha256="bcb43d0342aa060d0e3bbb0c36171faae741a8304f9ca3f388773785a4eafff4",
        ),
    }
)
"""By the name under which the model is installed; the first source is the one to hand to ``convert``."""
