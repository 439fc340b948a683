"""YOLO v8, v9, v10 and 11, boxes and masks: a column a candidate (middle, size, class scores, mask values).

Also reads exports that end in their own suppression (v10, 26): a row a box, with its corners, score and class.
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
    chosen,
    edges_of_middles,
    found,
    labels_of,
    named_classes,
    shares,
    sized,
    tensor,
)
from workstation.prelabel.api import Arrays, BadOutput, FoundBox, InputSpec, ModelCard, Pixels, Prepared, Task
from workstation.prelabel.fitting import Fit, back_of, prepared
from workstation.prelabel.prototypes import box_masks, prototypes_fit, prototypes_of

INPUT = InputSpec(width=640, height=640, scale=1 / 255)


class YoloV8:
    """The families after v5 that have no objectness of their own."""

    name = "yolo-v8"
    tasks = frozenset({Task.DETECT, Task.INSTANCE_SEG})

    def prepare(self, card: ModelCard, pictures: Sequence[Pixels]) -> Prepared:
        return prepared(card, pictures, INPUT, "images")

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[list[FoundBox]]:
        back, limits = back_of(prepared), Limits.of(card)
        prototypes = prototypes_of(outputs, len(back.fits))
        extra = 0 if prototypes is None else prototypes.shape[1]
        names = sized(outputs, 3)
        if len(names) != 1:
            raise BadOutput(f"YOLO answers one list of boxes, not {len(names)}")
        values = tensor(outputs, names[0], (len(back.fits), None, None))
        finished = values.shape[2] == 6 + extra and _is_finished(card, values, extra)
        answers = []
        for number, fit in enumerate(back.fits):
            if finished:
                picks, labels = _rows(card, values[number], limits, names[0])
            else:
                picks, labels = _columns(card, values[number], limits, extra, names[0])
            planes = None if prototypes is None else prototypes[number]
            answers.append(with_masks(fit, picks, labels, planes, back.size))
        return answers

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        shapes = [tuple(shape) for shape in outputs.values()]
        lists = [shape for shape in shapes if len(shape) == 3]
        if len(lists) != 1 or len(shapes) - len(lists) > 1 or any(len(shape) not in (3, 4) for shape in shapes):
            return 0.0
        named = 0.1 if "names" in metadata and metadata.get("task") in ("detect", "segment") else 0.0
        _, first, last = lists[0]
        if not prototypes_fit(shapes, first, 5) and not prototypes_fit(shapes, last, 6):
            return 0.0
        if isinstance(last, int) and last in (6, 38) and (not isinstance(first, int) or first <= 1000):
            return 0.7 + named
        if isinstance(first, int) and 5 <= first < 2000 and (not isinstance(last, int) or last > first):
            return 0.8 + named
        return 0.5 if named and metadata.get("description", "").startswith("Ultralytics YOLO") else 0.0


FAMILY = YoloV8()


def with_masks(fit: Fit, picks: Picks, labels: Sequence[str], prototypes: NDArray[Any] | None,
               size: tuple[int, int]) -> list[FoundBox]:  # fmt: skip
    """The picks as boxes, with their masks when the graph answers prototypes."""
    if prototypes is None or picks.extra is None:
        return found(fit, picks, labels)
    return found(fit, picks, labels, box_masks(prototypes, picks.extra, fit.to_picture(picks.edges), fit, size))


def _is_finished(card: ModelCard, values: NDArray[Any], extra: int) -> bool:
    """Rows of finished boxes, and not six candidates in columns: the number of classes decides, where both fit."""
    return values.shape[1] != 4 + len(card.labels) + extra or not card.labels or values.shape[1] == values.shape[2]


def _columns(card: ModelCard, values: NDArray[Any], limits: Limits, extra: int,
             name: str) -> tuple[Picks, Sequence[str]]:  # fmt: skip
    want = 4 + len(card.labels) + extra
    if values.shape[0] != want and values.shape[1] == want and card.labels:
        values = values.T  # some exporters turn the list round
    classes = values.shape[0] - 4 - extra
    if classes < 1:
        raise BadOutput(f"output {name!r} has {values.shape[0]} rows: no class is left beside box and mask")
    labels = labels_of(card, classes)
    scores = shares(values[4 : 4 + classes], name)
    best = scores.max(axis=0)
    rows = np.flatnonzero(best >= limits.score)
    edges = edges_of_middles(values[:4, rows].T)
    coefficients = np.ascontiguousarray(values[4 + classes :, rows].T) if extra else None
    picks = Picks(edges=edges, scores=best[rows], classes=scores[:, rows].argmax(axis=0), extra=coefficients)
    return chosen(picks, limits), labels


def _rows(card: ModelCard, values: NDArray[Any], limits: Limits, name: str) -> tuple[Picks, Sequence[str]]:
    scores = shares(values[:, 4], name)
    rows = best_first(scores, limits)
    classes, labels = named_classes(card, values[rows, 5], name)
    rest = np.ascontiguousarray(values[rows, 6:]) if values.shape[1] > 6 else None
    return Picks(edges=values[rows, :4], scores=scores[rows], classes=classes, extra=rest), labels
