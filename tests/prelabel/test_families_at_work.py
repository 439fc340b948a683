"""Every family of which no weights can be had: a file as its makers export it, brought bare, run in a process of its
own by a real job. What each must find, and how sure it is, depends on the pixels that really reach its graph: the
thing is pure red, so a graph that is given other colours, another scale or another name finds nothing or something
else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tiny_graphs import Node, Shape, graph_bytes
from workstation.app.bare_models import Told, of_file
from workstation.app.models import models_shelf
from workstation.app.opening import new_project, open_project
from workstation.cli.main import main
from workstation.core.geometry import Box, Mask
from workstation.core.pixels import mask_pixels
from workstation.prelabel.api import Task

SIZE, WIDE, HIGH = 64, 128, 96
THING = (40.0, 20.0, 30.0, 24.0)
"""Left, top, width, height in the picture, which goes into 64 × 64 by a half."""
SEEN, BELOW, DOG = 0.9, 8.0, 1
LABELS = "cat\ndog\n"
ONTOLOGY = """
version: 1
name: animals
language: en
modalities: [image]
classes:
  animal:
    name: {en: Animal}
    definition: It moves by itself.
    shapes: {image: [box, mask]}
"""


def middle(*, top: float) -> tuple[float, float, float, float]:
    """Middle and size of the thing in the graph's picture, which lies ``top`` lower there."""
    left, up, width, height = (each / 2 for each in THING)
    return left + width / 2, up + height / 2 + top, width, height


def logit(share: float) -> float:
    return math.log(share / (1 - share))


def seeing(
    always: Mapping[str, np.ndarray], red: Mapping[str, np.ndarray], *, name: str = "images", channel: int = 0,
    full: float = 1.0, more: Mapping[str, Shape] | None = None, task: str = "",
) -> bytes:  # fmt: skip
    """Answers ``always``, and ``red`` on top as far as the reddest pixel of its input comes to ``full``."""
    nodes = [
        Node("Gather", [name, "channel"], ["reds"], {"axis": 1}),
        Node("ReduceMax", ["reds"], ["most"], {"keepdims": 0}),
        Node("Div", ["most", "full"], ["share"]),
    ]
    weights: dict[str, np.ndarray] = {"channel": np.array([channel], np.int64), "full": np.array(full, np.float32)}
    whole = [each for each in (more or {}) if each == "orig_target_sizes"]
    for output, values in always.items():
        weights |= {f"{output} always": values, f"{output} red": red.get(output, np.zeros(1, np.float32))}
        summed = output if values.dtype == np.float32 else f"{output} as number"
        nodes += [Node("Mul", ["share", f"{output} red"], [f"{output} seen"])]
        if values.dtype == np.float32:
            nodes.append(Node("Add", [f"{output} always", f"{output} seen"], [summed]))
        else:
            nodes.append(Node("Identity", [f"{output} always"], [output]))
            whole.append(output)
    for size in more or {}:  # it is told sizes, and must be told the right ones: else its boxes are elsewhere
        nodes = [each for each in nodes if each.outputs[0] != "boxes"]
        nodes += [
            Node("Cast", [size], ["side"], {"to": 1}), Node("ReduceMax", ["side"], ["sides"], {"keepdims": 0}),
            Node("Mul", ["boxes always", "sides"], ["boxes"]),
        ]  # fmt: skip
    return graph_bytes(
        nodes, inputs={name: [1, 3, SIZE, SIZE], **(more or {})},
        outputs={output: list(values.shape) for output, values in always.items()}, weights=weights, whole=whole,
        metadata={"names": "{0: 'cat', 1: 'dog'}", "task": task} if task else None,
    )  # fmt: skip


def in_columns(masks: int = 0) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """YOLO v8 and after: the thing is the third of forty candidates."""
    always, red = np.zeros((1, 6 + masks, 40), np.float32), np.zeros((1, 6 + masks, 40), np.float32)
    always[0, :4, 2] = middle(top=BELOW)
    red[0, 4 + DOG, 2] = SEEN
    if not masks:
        return {"output0": always}, {"output0": red}
    always[0, 6, 2] = 1.0
    return {"output0": always, "output1": prototypes(masks)}, {"output0": red}


def prototypes(count: int) -> np.ndarray:
    """The first says yes in the left half of the thing."""
    planes = np.zeros((1, count, 64, 64), np.float32)
    x = round(middle(top=BELOW)[0])
    planes[0, 0] = np.where(np.arange(64) < x, 5.0, -5.0)
    return planes


def in_rows(masks: int = 0, *, rows: int = 1008, row: int = 5, boxes: tuple[float, ...] = ()) -> tuple[
    dict[str, np.ndarray], dict[str, np.ndarray]
]:  # fmt: skip
    """YOLO v5 and YOLOX: with an objectness beside the classes."""
    always, red = np.zeros((1, rows, 7 + masks), np.float32), np.zeros((1, rows, 7 + masks), np.float32)
    always[0, row, :4] = boxes or middle(top=BELOW)
    always[0, row, 4] = 1.0
    red[0, row, 5 + DOG] = SEEN
    if not masks:
        return {"output0": always}, {"output0": red}
    always[0, row, 7] = 1.0
    return {"output0": always, "output1": prototypes(masks)}, {"output0": red}


def finished() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """YOLO v10: rows of corners, score and class."""
    x, y, width, height = middle(top=BELOW)
    always, red = np.zeros((1, 30, 6), np.float32), np.zeros((1, 30, 6), np.float32)
    always[0, 0] = (x - width / 2, y - height / 2, x + width / 2, y + height / 2, 0, DOG)
    red[0, 0, 4] = SEEN
    return {"output0": always}, {"output0": red}


def numbered() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """YOLO v7 with its own suppression: picture, corners, class, score."""
    always, red = np.zeros((1, 7), np.float32), np.zeros((1, 7), np.float32)
    x, y, width, height = middle(top=BELOW)
    always[0, :6] = (0, x - width / 2, y - height / 2, x + width / 2, y + height / 2, DOG)
    red[0, 6] = SEEN
    return {"output": always}, {"output": red}


def on_the_grid() -> tuple[float, ...]:
    """What YOLOX answers in its second level, cell (row 2, column 1): where the thing's middle is, in cells of 16."""
    x, y, width, height = middle(top=0)
    return (x / 16 - 1, y / 16 - 1, math.log(width / 16), math.log(height / 16))


def shared(*, raw: bool) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """RT-DETR and D-FINE: shares of a picture that was stretched; raw with logits, or finished with labels."""
    left, top, width, height = THING[0] / WIDE, THING[1] / HIGH, THING[2] / WIDE, THING[3] / HIGH
    if raw:
        boxes, logits = np.full((1, 20, 4), 0.5, np.float32), np.full((1, 20, 2), -9.0, np.float32)
        boxes[0, 7] = (left + width / 2, top + height / 2, width, height)
        red = np.zeros((1, 20, 2), np.float32)
        red[0, 7, DOG] = logit(SEEN) + 9
        return {"logits": logits, "pred_boxes": boxes}, {"logits": red}
    boxes, scores = np.zeros((1, 20, 4), np.float32), np.zeros((1, 20), np.float32)
    boxes[0, 7] = (left, top, left + width, top + height)
    scores[0, 7] = SEEN
    labels = np.full((1, 20), DOG, np.int64)
    return {"labels": labels, "boxes": boxes, "scores": np.zeros((1, 20), np.float32)}, {"scores": scores}


def reddest(scale: float, mean: float = 0.0, std: float = 1.0) -> float:
    return (255 * scale - mean) / std


GRAPHS: Mapping[str, bytes] = {
    "yolo11": seeing(*in_columns(), task="detect"),
    "yolo11-seg": seeing(*in_columns(4), task="segment"),
    "yolov10": seeing(*finished(), task="detect"),
    "yolov5": seeing(*in_rows()),
    "yolov5-seg": seeing(*in_rows(4)),
    "yolov7": seeing(*numbered(), name="input_tensor"),
    "yolox": seeing(*in_rows(rows=84, row=64 + 4 + 1, boxes=on_the_grid()), channel=2, full=reddest(1.0)),
    "rt-detr": seeing(*shared(raw=True), name="pixel_values"),
    "d-fine": seeing(*shared(raw=False), more={"orig_target_sizes": [1, 2]}),
}
FAMILIES = {
    "yolo11": "yolo-v8", "yolo11-seg": "yolo-v8", "yolov10": "yolo-v8", "yolov5": "yolo-v5", "yolov5-seg": "yolo-v5",
    "yolov7": "yolo-v5", "yolox": "yolox", "rt-detr": "detr", "d-fine": "detr",
}  # fmt: skip
MASKED = {"yolo11-seg", "yolov5-seg"}


def test_bare_files_are_recognised_with_what_their_graphs_are_told(tmp_path: Path) -> None:
    for name, data in GRAPHS.items():
        (tmp_path / f"{name}.onnx").write_bytes(data)
        made = of_file(tmp_path / f"{name}.onnx", Told(labels=("cat", "dog")))
        assert (made.family, made.input.width, made.input.height) == (FAMILIES[name], SIZE, SIZE), name
        assert made.task is (Task.INSTANCE_SEG if name in MASKED else Task.DETECT)
    assert of_file(tmp_path / "rt-detr.onnx", Told()).options["input_name"] == "pixel_values"
    assert of_file(tmp_path / "d-fine.onnx", Told()).options["size_input"] == "orig_target_sizes"


@pytest.mark.slow
@pytest.mark.usefixtures("models_home")
def test_each_finds_the_red_thing_in_a_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = np.zeros((HIGH, WIDE, 3), np.uint8)
    left, top, width, height = (int(each) for each in THING)
    pixels[top : top + height, left : left + width, 0] = 255
    Image.fromarray(pixels).save(tmp_path / "p.png")
    (tmp_path / "ontology.yaml").write_text(ONTOLOGY, encoding="utf-8")
    (tmp_path / "labels.txt").write_text(LABELS, encoding="utf-8")
    folder = new_project(tmp_path / "p", ontology=str(tmp_path / "ontology.yaml"), in_force=True, person="ann")
    assert main(["add", str(folder), str(tmp_path / "p.png"), "--sample", "s", "--stream", "eye"]) == 0
    for name, data in GRAPHS.items():
        (tmp_path / f"{name}.onnx").write_bytes(data)
        # The job tries each once anyway.
        told = ("--labels", str(tmp_path / "labels.txt"), "--untried")
        assert main(["models", "add", str(tmp_path / f"{name}.onnx"), *told]) == 0
    capsys.readouterr()
    maps = [word for name in GRAPHS for word in ("--map", f"{name}:dog=animal")]
    assert main(["prelabel", str(folder), "--models", ",".join(GRAPHS), *maps, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["model"]: row["proposed"] for row in rows if "model" in row} == dict.fromkeys(GRAPHS, 1)
    with open_project(folder, read_only=True) as session:
        (sample,) = session.store.samples()
        found = {each.source.name: each for each in session.store.annotations(sample.id)}
        blobs = {
            name: session.store.blob(each.shape.blob) for name, each in found.items() if isinstance(each.shape, Mask)
        }
    for name, each in found.items():
        sha256 = models_shelf().find(name).manifest.weights_sha256
        assert (each.class_id, each.source.device, each.source.weights_sha256) == ("animal", "CPU", sha256)
        assert each.confidence == pytest.approx(SEEN, abs=1e-4), name
        shape = each.shape
        if name in MASKED:
            assert isinstance(shape, Mask)
            inside = mask_pixels(blobs[name], shape.width, shape.height)
            rows_, columns = np.nonzero(inside)
            edges = (shape.x + columns.min(), shape.y + rows_.min(), shape.x + columns.max() + 1,
                     shape.y + rows_.max() + 1)  # fmt: skip
            wanted = (left, top, left + width / 2, top + height)
            assert np.abs(np.subtract(edges, wanted)).max() <= 2, name
        else:
            assert isinstance(shape, Box)
            assert (shape.x, shape.y, shape.width, shape.height) == pytest.approx(THING, abs=0.01), name
