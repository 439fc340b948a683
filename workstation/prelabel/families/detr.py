"""RT-DETR, D-FINE and other DETRs: a fixed number of queries, each a box and class logits; nothing is suppressed.

Reads the two raw outputs (boxes as shares of the picture, and logits) and the three finished ones (labels, boxes,
scores) of the makers' own exports, which are told the picture's size by a second input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.answers import (
    Limits,
    Picks,
    best_first,
    edges_of_middles,
    found,
    labels_of,
    named_classes,
    shares,
    sigmoid,
    sized,
    tensor,
)
from workstation.prelabel.api import Arrays, BadOutput, FoundBox, InputSpec, ModelCard, Pixels, Prepared, Task
from workstation.prelabel.fitting import Back, back_of, prepared

INPUT = InputSpec(width=640, height=640, scale=1 / 255, resize="stretch")


class Detr:
    """RT-DETR, D-FINE. Option ``size_input`` names the input that takes sizes; ``softmax: true`` is the first DETR."""

    name = "detr"
    tasks = frozenset({Task.DETECT})

    def prepare(self, card: ModelCard, pictures: Sequence[Pixels]) -> Prepared:
        done = prepared(card, pictures, INPUT, "images")
        size_input = card.options.get("size_input")
        if size_input is None:
            return done
        # Our own resize is undone afterwards like every other: the graph is told the size of what it sees.
        sizes = np.tile(np.array(back_of(done).size, np.int64), (len(pictures), 1))
        return Prepared({**done.feeds, str(size_input): sizes}, done.back)

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[list[FoundBox]]:
        back, limits = back_of(prepared), Limits.of(card, score=0.4)
        if {"labels", "boxes", "scores"} <= set(outputs):
            return _finished(card, outputs, back, limits)
        boxes, logits = _raw(card, outputs, len(back.fits))
        first = bool(card.options.get("softmax", False))
        labels = labels_of(card, logits.shape[2] - first)
        answers = []
        for number, fit in enumerate(back.fits):
            scores = _softmax(logits[number])[:, :-1] if first else sigmoid(logits[number])
            rows, classes = np.nonzero(scores >= limits.score)
            order = np.argsort(-scores[rows, classes], kind="stable")[: limits.most]
            rows, classes = rows[order], classes[order]
            edges = edges_of_middles(boxes[number, rows]) * np.tile(back.size, 2)
            answers.append(found(fit, Picks(edges=edges, scores=scores[rows, classes], classes=classes), labels))
        return answers

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        if {"labels", "boxes", "scores"} == set(outputs) and len(inputs) == 2:
            return 0.95
        shapes = {name: tuple(shape) for name, shape in outputs.items() if len(shape) == 3}
        boxes = [shape for shape in shapes.values() if shape[2] == 4]
        if len(shapes) != 2 or len(boxes) != 1:
            return 0.0
        others = [shape for shape in shapes.values() if shape[2] != 4]
        same = len(others) == 1 and others[0][1] == boxes[0][1]
        few = isinstance(boxes[0][1], int) and boxes[0][1] <= 1000
        return (0.9 if any("logit" in name for name in shapes) else 0.7) if same and few else 0.0


FAMILY = Detr()


def _raw(card: ModelCard, outputs: Arrays, batch: int) -> tuple[NDArray[Any], NDArray[Any]]:
    names = sized(outputs, 3)
    boxes = [name for name in names if "box" in name.lower()]
    boxes = boxes or [name for name in names if np.asarray(outputs[name]).shape[2] == 4]
    others = [name for name in names if name not in boxes and np.asarray(outputs[name]).shape[2] != 0]
    if len(boxes) != 1 or len(others) != 1:
        raise BadOutput(f"a DETR answers boxes and logits, not {', '.join(outputs) or 'nothing'}")
    corners = tensor(outputs, boxes[0], (batch, None, 4))
    if corners.size and (corners.min() < -2 or corners.max() > 3):
        raise BadOutput(f"output {boxes[0]!r} holds boxes that are no shares of the picture")
    return corners, tensor(outputs, others[0], (batch, corners.shape[1], None))


def _softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    lifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    whole: NDArray[np.float64] = lifted / lifted.sum(axis=-1, keepdims=True)
    return whole


def _finished(card: ModelCard, outputs: Arrays, back: Back, limits: Limits) -> list[list[FoundBox]]:
    boxes = tensor(outputs, "boxes", (len(back.fits), None, 4))
    scores = shares(tensor(outputs, "scores", boxes.shape[:2]), "scores")
    classes, labels = named_classes(card, tensor(outputs, "labels", boxes.shape[:2]), "labels")
    answers = []
    for number, fit in enumerate(back.fits):
        rows = best_first(scores[number], limits)
        picks = Picks(edges=boxes[number, rows], scores=scores[number, rows], classes=classes[number, rows])
        answers.append(found(fit, picks, labels))
    return answers
