"""SSD of TensorFlow's object detection: prior boxes over six maps, with offsets and logits; class 0 is nothing.

Reads the graph that ``convert/known.py`` cuts, and graphs exported with their own suppression (boxes, classes,
scores and how many).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.answers import (
    Limits,
    Picks,
    best_first,
    chosen,
    found,
    labels_of,
    named_classes,
    shares,
    sigmoid,
    tensor,
)
from workstation.prelabel.api import Arrays, BadOutput, FoundBox, InputSpec, ModelCard, Pixels, Prepared, Task
from workstation.prelabel.fitting import Back, back_of, prepared

INPUT = InputSpec(width=300, height=300, layout="NHWC", scale=2 / 255, mean=(1.0, 1.0, 1.0), resize="stretch")
_VARIANCES = (10.0, 10.0, 5.0, 5.0)


class Ssd:
    """SSD with MobileNet, by its raw or its finished outputs."""

    name = "ssd"
    tasks = frozenset({Task.DETECT})

    def prepare(self, card: ModelCard, pictures: Sequence[Pixels]) -> Prepared:
        return prepared(card, pictures, INPUT, "Preprocessor/sub")

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[list[FoundBox]]:
        back, limits = back_of(prepared), Limits.of(card, score=0.3, iou=0.6)
        if any("detection_boxes" in name for name in outputs):
            return _finished(card, outputs, back, limits)
        offsets, logits = _raw(outputs, len(back.fits))
        labels = labels_of(card, logits.shape[2] - 1)
        priors = prior_boxes(tuple(card.options.get("maps", (19, 10, 5, 3, 2, 1))))
        if len(priors) != offsets.shape[1]:
            raise BadOutput(f"the graph answers {offsets.shape[1]} boxes, its maps have {len(priors)}")
        # The threshold as a logit: 1917 × 90 exponentials a picture are not worked out to be thrown away.
        least = math.log(limits.score / (1 - limits.score)) if 0 < limits.score < 1 else math.inf * (limits.score - 0.5)
        answers = []
        for number, fit in enumerate(back.fits):
            rows, classes = np.nonzero(logits[number, :, 1:] >= least)
            edges = _edges(offsets[number][rows], priors[rows]) * np.tile(back.size, 2)
            scores = sigmoid(logits[number, rows, classes + 1])
            picks = chosen(Picks(edges=edges, scores=scores, classes=classes), limits)
            answers.append(found(fit, picks, labels))
        return answers

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        if {"detection_boxes", "detection_scores", "detection_classes"} <= {name.split(":")[0] for name in outputs}:
            return 0.95
        shapes = [tuple(shape[1:]) for shape in outputs.values()]
        boxes = [shape for shape in shapes if shape in ((1917, 1, 4), (1917, 4))]
        return 0.9 if len(shapes) == 2 and len(boxes) == 1 else 0.0


FAMILY = Ssd()


@cache
def prior_boxes(maps: tuple[int, ...]) -> NDArray[np.float64]:
    """Middle y, middle x, height, width of every prior, as shares of the picture, in the order of the graph."""
    scales = [0.2 + 0.75 * level / (len(maps) - 1) for level in range(len(maps))] + [1.0]
    levels = []
    for level, cells in enumerate(maps):
        shapes = [(scales[level], ratio) for ratio in (1.0, 2.0, 1 / 2, 3.0, 1 / 3)]
        shapes.append((math.sqrt(scales[level] * scales[level + 1]), 1.0))
        if level == 0:
            shapes = [(0.1, 1.0), (scales[0], 2.0), (scales[0], 1 / 2)]
        sizes = np.array([(scale / math.sqrt(ratio), scale * math.sqrt(ratio)) for scale, ratio in shapes])
        down, across = np.meshgrid((np.arange(cells) + 0.5) / cells, (np.arange(cells) + 0.5) / cells, indexing="ij")
        middles = np.repeat(np.stack([down, across], axis=-1).reshape(-1, 2), len(shapes), axis=0)
        levels.append(np.concatenate([middles, np.tile(sizes, (cells * cells, 1))], axis=1))
    priors = np.concatenate(levels)
    priors.flags.writeable = False
    return priors


def _raw(outputs: Arrays, batch: int) -> tuple[NDArray[Any], NDArray[Any]]:
    shapes = {name: np.asarray(values).shape[2:] for name, values in outputs.items()}
    offsets = [name for name, sides in shapes.items() if sides == (1, 4)]
    offsets = offsets or [name for name, sides in shapes.items() if sides == (4,)][:1]  # three classes look like boxes
    others = [name for name in outputs if name not in offsets]
    if len(offsets) != 1 or len(others) != 1:
        raise BadOutput(f"SSD answers offsets of boxes and logits, not {', '.join(outputs) or 'nothing'}")
    flat = {offsets[0]: np.asarray(outputs[offsets[0]]), others[0]: np.asarray(outputs[others[0]])}
    if flat[offsets[0]].ndim == 4:
        flat[offsets[0]] = flat[offsets[0]][:, :, 0]
    boxes = tensor(flat, offsets[0], (batch, None, 4))
    logits = tensor(flat, others[0], (batch, boxes.shape[1], None))
    if logits.shape[2] < 2:
        raise BadOutput(f"output {others[0]!r} has no class beside the background")
    return boxes, logits


def _edges(offsets: NDArray[Any], priors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Left, top, right, bottom as shares of the picture."""
    moved = offsets.astype(np.float64) / _VARIANCES
    middles = moved[:, :2] * priors[:, 2:] + priors[:, :2]
    half = np.exp(np.minimum(moved[:, 2:], 20.0)) * priors[:, 2:] / 2
    edges = np.concatenate([middles - half, middles + half], axis=1)
    return edges[:, [1, 0, 3, 2]]


def _finished(card: ModelCard, outputs: Arrays, back: Back, limits: Limits) -> list[list[FoundBox]]:
    named = {name.split(":")[0].rsplit("/", 1)[-1]: values for name, values in outputs.items()}
    boxes = tensor(named, "detection_boxes", (len(back.fits), None, 4))
    scores = shares(tensor(named, "detection_scores", boxes.shape[:2]), "detection_scores")
    numbers = tensor(named, "detection_classes", boxes.shape[:2]) - 1
    answers = []
    for number, fit in enumerate(back.fits):
        rows = best_first(scores[number], limits)
        classes, labels = named_classes(card, numbers[number, rows], "detection_classes")
        edges = boxes[number, rows][:, [1, 0, 3, 2]].astype(np.float64) * np.tile(back.size, 2)
        answers.append(found(fit, Picks(edges=edges, scores=scores[number, rows], classes=classes), labels))
    return answers
