"""YOLO v5 and v7, boxes and masks: a row a candidate (middle, size, objectness, class scores, mask values).

Also reads v7 exports that end in their own suppression: (picture, corners, class, score) a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.answers import (
    Limits,
    Picks,
    above,
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
from workstation.prelabel.families.yolo_v8 import with_masks
from workstation.prelabel.fitting import Back, back_of, prepared
from workstation.prelabel.prototypes import prototypes_fit, prototypes_of

INPUT = InputSpec(width=640, height=640, scale=1 / 255)


class YoloV5:
    """The families with objectness, decoded to pixels in the graph."""

    name = "yolo-v5"
    tasks = frozenset({Task.DETECT, Task.INSTANCE_SEG})

    def prepare(self, card: ModelCard, pictures: Sequence[Pixels]) -> Prepared:
        return prepared(card, pictures, INPUT, "images")

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[list[FoundBox]]:
        back, limits = back_of(prepared), Limits.of(card)
        flat = sized(outputs, 2)
        if flat and np.asarray(outputs[flat[0]]).shape[1] == 7:
            return _finished(card, outputs, flat[0], back, limits)
        prototypes = prototypes_of(outputs, len(back.fits))
        extra = 0 if prototypes is None else prototypes.shape[1]
        names = sized(outputs, 3)
        if len(names) != 1:
            raise BadOutput(f"YOLO v5 answers one list of boxes, not {len(names)}")
        values = tensor(outputs, names[0], (len(back.fits), None, None))
        classes = values.shape[2] - 5 - extra
        if classes < 1:
            raise BadOutput(f"output {names[0]!r} has {values.shape[2]} columns: no class is left beside the box")
        labels = labels_of(card, classes)
        answers = []
        for number, fit in enumerate(back.fits):
            picks = rows_above(values[number], classes, limits, names[0])
            answers.append(with_masks(fit, picks, labels, None if prototypes is None else prototypes[number],
                                      back.size))  # fmt: skip
        return answers

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        shapes = [tuple(shape) for shape in outputs.values()]
        if len(shapes) == 1 and len(shapes[0]) == 2 and shapes[0][1] == 7:
            return 0.8
        lists = [shape for shape in shapes if len(shape) == 3]
        if len(lists) != 1 or len(shapes) > 2:
            return 0.0
        _, first, last = lists[0]
        if not prototypes_fit(shapes, last, 6):
            return 0.0
        rows = (
            isinstance(last, int) and 6 <= last < 2000 and (not isinstance(first, int) or first > max(3 * last, 1000))
        )
        if not rows:
            return 0.0
        # Three anchors a cell: the number of rows is three times what YOLOX has.
        return 0.8 if not isinstance(first, int) or first % 3 == 0 else 0.4


FAMILY = YoloV5()


def rows_above(values: NDArray[Any], classes: int, limits: Limits, name: str) -> Picks:
    """Candidates of (middle, size, objectness, scores, rest) above the threshold, suppressed. Also YOLOX's."""
    sure = shares(values[:, 4], name)
    rows = np.flatnonzero(sure >= limits.score)  # a product of shares is no larger than either
    kept, best, scores = above(shares(values[rows, 5 : 5 + classes], name) * sure[rows, None], limits.score)
    rows = rows[kept]
    rest = np.ascontiguousarray(values[rows, 5 + classes :]) if values.shape[1] > 5 + classes else None
    return chosen(Picks(edges=edges_of_middles(values[rows, :4]), scores=scores, classes=best, extra=rest), limits)


def _finished(card: ModelCard, outputs: Arrays, name: str, back: Back, limits: Limits) -> list[list[FoundBox]]:
    values = tensor(outputs, name, (None, 7))
    numbers, scores = np.rint(values[:, 0]), shares(values[:, 6], name)
    if values.size and not 0 <= numbers.min() <= numbers.max() < len(back.fits):
        raise BadOutput(f"output {name!r} speaks of picture {numbers.max():g} of {len(back.fits)}")
    classes, labels = named_classes(card, values[:, 5], name)
    answers = []
    for number, fit in enumerate(back.fits):
        rows = best_first(np.where(numbers == number, scores, -1.0), limits)
        answers.append(found(fit, Picks(edges=values[rows, 1:5], scores=scores[rows], classes=classes[rows]), labels))
    return answers
