"""What things look like by a model for re-identification: crops in, one vector a crop out. For the tracker that
compares looks (``tracking.py``), which takes colours (``appearance.py``) where no such model is there.

Family ``reid``: one graph, a batch of crops stretched to the graph's size; its vectors are compared by their angle, so
it is all one whether the graph has made their length one. Called by ``app/label_looks.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.answers import tensor
from workstation.prelabel.api import Arrays, BadOutput, FoundBox, InputSpec, ModelCard, Pixels, Prepared, Runs
from workstation.prelabel.fitting import prepared
from workstation.prelabel.onnx_read import Port

FAMILY = "reid"
INPUT = InputSpec(
    width=128, height=256, scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), resize="stretch"
)
_MOST_AT_ONCE = 16
_LEAST_PX = 2


def feeds_of(card: ModelCard, crops: Sequence[Pixels]) -> Prepared:
    """A batch of crops as the graph takes it."""
    said = INPUT if card.input == InputSpec() else card.input
    return prepared(replace(card, input=said), crops, INPUT, "images")


def with_looks(
    runs: Runs, card: ModelCard, picture: Pixels, boxes: Sequence[FoundBox], *, batch: int = 0
) -> list[FoundBox]:  # fmt: skip
    """The boxes, each with its vector; those with hardly a pixel in the picture stay without one. ``batch`` is how many
    the graph takes, where it takes no other number."""
    cut = [(place, crop) for place, box in enumerate(boxes) if (crop := _crop(picture, box)) is not None]
    found = list(boxes)
    at_once = batch or _MOST_AT_ONCE
    for start in range(0, len(cut), at_once):
        part = cut[start : start + at_once]
        crops = [crop for _, crop in part]
        crops += crops[-1:] * (batch - len(crops))
        vectors = _vectors(runs.run(feeds_of(card, crops).feeds), len(crops))
        for (place, _), vector in zip(part, vectors[: len(part)], strict=True):
            found[place] = replace(found[place], features=vector)
    return found


def fixed_batch(inputs: Sequence[Port]) -> int:
    """How many crops a graph takes at once, where its maker fixed that; else 0."""
    first = inputs[0].shape[0] if inputs and inputs[0].shape else 0
    return first if isinstance(first, int) else 0


def _crop(picture: Pixels, box: FoundBox) -> Pixels | None:
    height, width = picture.shape[:2]
    left, right = (int(np.clip(each, 0, width)) for each in (box.left, np.ceil(box.left + box.width)))
    top, bottom = (int(np.clip(each, 0, height)) for each in (box.top, np.ceil(box.top + box.height)))
    if right - left < _LEAST_PX or bottom - top < _LEAST_PX:
        return None
    return np.ascontiguousarray(picture[top:bottom, left:right])


def _vectors(outputs: Arrays, count: int) -> NDArray[np.float32]:
    flat = [name for name, values in outputs.items() if np.shape(values)[:1] == (count,) and np.ndim(values) >= 2]
    if len(flat) != 1:
        shapes = ", ".join(f"{name} {np.shape(values)}" for name, values in outputs.items()) or "nothing"
        raise BadOutput(f"a re-identification graph answers one vector a crop, ({count}, n), and not {shapes}")
    values = tensor({flat[0]: np.reshape(outputs[flat[0]], (count, -1))}, flat[0], (count, None))
    if values.shape[1] < 2 or not (np.linalg.norm(values, axis=1) > 0).all():
        raise BadOutput(f"output {flat[0]!r} holds vectors of no length, with which nothing can be compared")
    return np.asarray(values, np.float32)
