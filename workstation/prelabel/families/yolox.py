"""YOLOX: like v5, but one candidate a cell, and the export leaves boxes in units of the grid unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.prelabel.answers import Limits, found, labels_of, sized, tensor
from workstation.prelabel.api import Arrays, BadOutput, FoundBox, InputSpec, ModelCard, Pixels, Prepared, Task
from workstation.prelabel.families.yolo_v5 import rows_above
from workstation.prelabel.fitting import back_of, prepared

INPUT = InputSpec(width=640, height=640, color="BGR", resize="letterbox-corner")


class YoloX:
    """YOLOX of every size. Option ``decoded: true`` when the export did the arithmetic of the grid itself."""

    name = "yolox"
    tasks = frozenset({Task.DETECT})

    def prepare(self, card: ModelCard, pictures: Sequence[Pixels]) -> Prepared:
        return prepared(card, pictures, INPUT, "images")

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[list[FoundBox]]:
        back, limits = back_of(prepared), Limits.of(card)
        names = sized(outputs, 3)
        if len(names) != 1 or len(outputs) != 1:
            raise BadOutput(f"YOLOX answers one list of boxes, not {len(outputs)} outputs")
        values = tensor(outputs, names[0], (len(back.fits), None, None))
        classes = values.shape[2] - 5
        if classes < 1:
            raise BadOutput(f"output {names[0]!r} has {values.shape[2]} columns: no class is left beside the box")
        labels = labels_of(card, classes)
        cells = None if card.options.get("decoded", False) else _cells(card, back.size, values.shape[1], names[0])
        answers = []
        for number, fit in enumerate(back.fits):
            rows = values[number] if cells is None else _in_pixels(values[number], cells)
            answers.append(found(fit, rows_above(rows, classes, limits, names[0]), labels))
        return answers

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        shapes = [tuple(shape) for shape in outputs.values()]
        pictures = [tuple(shape) for shape in inputs.values() if len(shape) == 4]
        if len(shapes) != 1 or len(shapes[0]) != 3 or len(pictures) != 1:
            return 0.0
        _, first, last = shapes[0]
        height, width = pictures[0][2:]
        if not (isinstance(height, int) and isinstance(width, int) and isinstance(last, int) and last >= 6):
            return 0.0
        return 0.85 if first == sum((height // stride) * (width // stride) for stride in (8, 16, 32)) else 0.0


FAMILY = YoloX()


def _cells(card: ModelCard, size: tuple[int, int], count: int, name: str) -> NDArray[np.float32]:
    """Column, row and stride of every candidate."""
    strides = card.options.get("strides", (8, 16, 32))
    if not all(isinstance(stride, int) and 0 < stride <= 1024 for stride in strides):
        raise DataError(f"model.yaml: option strides is {strides!r}; it must be a list of whole numbers")
    levels = []
    for stride in strides:
        across, down = np.meshgrid(np.arange(size[0] // stride), np.arange(size[1] // stride))
        levels.append(np.stack([across, down, np.full_like(across, stride)], axis=-1).reshape(-1, 3))
    cells = np.concatenate(levels).astype(np.float32)
    if len(cells) != count:
        raise BadOutput(f"output {name!r} has {count} candidates; a picture of {size[0]} × {size[1]} has {len(cells)}")
    return cells


def _in_pixels(values: NDArray[Any], cells: NDArray[np.float32]) -> NDArray[Any]:
    rows = values.copy()
    rows[:, :2] = (values[:, :2] + cells[:, :2]) * cells[:, 2:]
    rows[:, 2:4] = np.exp(np.minimum(values[:, 2:4], 20.0)) * cells[:, 2:]
    return rows
