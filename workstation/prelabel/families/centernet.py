"""CenterNet of the TTFNet kind: a heat map a class whose peaks are middles, and how far the four sides are from there.

Reads the graph that ``convert/known.py`` cuts. Its upstream states no licence: nothing installs it by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.media.opencv import cv2
from workstation.prelabel.answers import Limits, Picks, chosen, found, labels_of, shares, tensor
from workstation.prelabel.api import Arrays, BadOutput, FoundBox, InputSpec, ModelCard, Pixels, Prepared, Task
from workstation.prelabel.fitting import back_of, prepared

INPUT = InputSpec(width=512, height=512, layout="NHWC", resize="stretch")


class CenterNet:
    """Heat map and sides, channels last."""

    name = "centernet"
    tasks = frozenset({Task.DETECT})

    def prepare(self, card: ModelCard, pictures: Sequence[Pixels]) -> Prepared:
        return prepared(card, pictures, INPUT, "tower_0/images")

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[list[FoundBox]]:
        back, limits = back_of(prepared), Limits.of(card, score=0.35, iou=0.5)
        heat, sides = _maps(outputs, len(back.fits))
        labels = labels_of(card, heat.shape[3])
        step = np.array([back.size[0] / heat.shape[2], back.size[1] / heat.shape[1]])
        answers = []
        for number, fit in enumerate(back.fits):
            rows, columns, classes = _peaks(heat[number], limits.score)
            middles = np.stack([columns, rows], axis=1) * step
            far = sides[number, rows, columns].astype(np.float64)
            edges = np.concatenate([middles - far[:, :2], middles + far[:, 2:]], axis=1)
            picks = Picks(edges=edges, scores=heat[number, rows, columns, classes], classes=classes)
            answers.append(found(fit, chosen(picks, limits), labels))
        return answers

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        shapes = [tuple(shape) for shape in outputs.values()]
        maps = len(shapes) == 2 and all(len(shape) == 4 for shape in shapes) and shapes[0][1:3] == shapes[1][1:3]
        return 0.8 if maps and sum(1 for shape in shapes if shape[3] == 4) == 1 else 0.0


FAMILY = CenterNet()


def _maps(outputs: Arrays, batch: int) -> tuple[NDArray[Any], NDArray[Any]]:
    last = {name: np.asarray(values).shape[-1:] for name, values in outputs.items()}
    sides = [name for name in last if last[name] == (4,)]
    heats = [name for name in last if name not in sides]
    if len(sides) != 1 or len(heats) != 1:
        raise BadOutput(f"CenterNet answers a heat map and sides, not {', '.join(outputs) or 'nothing'}")
    heat = shares(tensor(outputs, heats[0], (batch, None, None, None)), heats[0])
    if 0 in heat.shape:
        raise BadOutput(f"output {heats[0]!r} is empty")
    return heat, tensor(outputs, sides[0], (*heat.shape[:3], 4))


def _peaks(heat: NDArray[Any], least: float) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Cells above the threshold that no neighbour of their class exceeds: rows, columns, classes."""
    warm = np.flatnonzero((heat >= least).any(axis=(0, 1)))  # few classes are there at all
    rows, columns, classes = [], [], []
    for number in warm.tolist():
        plane = np.ascontiguousarray(heat[..., number], np.float32)
        down, across = np.nonzero(
            (np.asarray(cv2.dilate(plane, np.ones((3, 3), np.uint8))) <= plane) & (plane >= least)
        )
        rows.append(down)
        columns.append(across)
        classes.append(np.full(len(down), number))
    if not rows:
        return (np.zeros(0, np.intp),) * 3
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(classes)
