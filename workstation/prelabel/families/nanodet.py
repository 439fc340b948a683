"""NanoDet: levels of class scores and, for each side of a box, a share for each of some distances.

Reads NanoDet-g as it comes out of ``convert/known.py`` (six outputs) and NanoDet-Plus as its makers export it (one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.answers import Limits, Picks, above, chosen, found, labels_of, shares, sized, tensor
from workstation.prelabel.api import Arrays, BadOutput, FoundBox, InputSpec, ModelCard, Pixels, Prepared, Task
from workstation.prelabel.fitting import back_of, prepared

# Stretched, as it was trained: with a letterbox a plain person on a photograph fell from 0.70 to 0.34.
INPUT = InputSpec(width=416, height=416, color="BGR", mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395),
                  resize="stretch")  # fmt: skip


class NanoDet:
    """NanoDet-g and NanoDet-Plus."""

    name = "nanodet"
    tasks = frozenset({Task.DETECT})

    def prepare(self, card: ModelCard, pictures: Sequence[Pixels]) -> Prepared:
        return prepared(card, pictures, INPUT, "input_1")

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[list[FoundBox]]:
        back, limits = back_of(prepared), Limits.of(card, score=0.35, iou=0.5)
        scores, bins, middles, strides = _cells(card, outputs, len(back.fits), back.size)
        labels = labels_of(card, scores.shape[2])
        answers = []
        for number, fit in enumerate(back.fits):
            rows, classes, values = above(scores[number], limits.score)
            edges = _edges(bins[number][rows], middles[rows], strides[rows])
            picks = chosen(Picks(edges=edges, scores=values, classes=classes), limits)
            answers.append(found(fit, picks, labels))
        return answers

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        sides = [shape for shape in outputs.values() if len(shape) == 3]
        if len(sides) == len(outputs) in (6, 8) and sum(1 for shape in sides if shape[-1] in _BINS) == len(sides) // 2:
            return 0.9
        if len(outputs) == len(sides) == 1 and sides[0][1] in (2125, 3598) and sides[0][2] != 85:
            return 0.8
        return 0.0


_BINS = {4 * count for count in range(5, 18)}
FAMILY = NanoDet()

Grid = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Middles (cells, 2) and strides (cells,)."""
Cells = tuple[NDArray[Any], NDArray[Any], NDArray[np.float64], NDArray[np.float64]]


def _cells(card: ModelCard, outputs: Arrays, batch: int, size: tuple[int, int]) -> Cells:
    """Scores (batch, cells, classes), distances (batch, cells, 4, bins), middles (cells, 2) and strides (cells,)."""
    if len(outputs) == 1:
        return _plus(card, outputs, batch, size)
    levels: dict[int, dict[bool, NDArray[Any]]] = {}
    names = sized(outputs, 3)
    kinds = _told_apart(card, {name: np.asarray(outputs[name]).shape for name in names})
    for name in names:
        values = tensor(outputs, name, (batch, None, None))
        if kinds[name] in levels.setdefault(values.shape[1], {}):
            raise BadOutput(f"output {name!r} has as many cells as another level")
        levels[values.shape[1]][kinds[name]] = values
    if not levels or any(len(level) != 2 for level in levels.values()):
        raise BadOutput("the graph does not answer scores and distances for each level")
    order = sorted(levels, reverse=True)
    grids = [_grid(count, size, middle=0.5) for count in order]
    scores = np.concatenate([shares(levels[count][True], f"scores of {count} cells") for count in order], axis=1)
    bins = np.concatenate([levels[count][False] for count in order], axis=1)
    middles, strides = _joined(grids)
    return scores, bins.reshape(batch, bins.shape[1], 4, -1), middles, strides


def _told_apart(card: ModelCard, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, bool]:
    """Whether each output holds scores: the last side tells, as many as classes or four times the bins."""
    lasts = sorted({shape[2] for shape in shapes.values()})
    if len(lasts) != 2:
        raise BadOutput(f"outputs of NanoDet have two widths, scores and distances, not {len(lasts)}")
    classes = len(card.labels) if len(card.labels) in lasts else next((one for one in lasts if one not in _BINS), 80)
    distances = lasts[0] if lasts[1] == classes else lasts[1]
    if distances % 4:
        raise BadOutput(f"{distances} distances cannot be shared among four sides")
    return {name: shape[2] == classes for name, shape in shapes.items()}


def _plus(card: ModelCard, outputs: Arrays, batch: int, size: tuple[int, int]) -> Cells:
    name = next(iter(outputs))
    values = tensor(outputs, name, (batch, None, None))
    bins = int(card.options.get("bins", 8))
    classes = values.shape[2] - 4 * bins
    strides = tuple(card.options.get("strides", (8, 16, 32, 64)))
    if classes < 1 or bins < 2:
        raise BadOutput(f"output {name!r} has {values.shape[2]} columns; four sides of {bins} distances leave no class")
    grids = [_grid_of_stride(stride, size, middle=0.0) for stride in strides]
    middles, cells = _joined(grids)
    if len(cells) != values.shape[1]:
        raise BadOutput(f"output {name!r} has {values.shape[1]} cells; a picture of {size} has {len(cells)}")
    scores = shares(values[:, :, :classes], name)
    return scores, values[:, :, classes:].reshape(batch, len(cells), 4, bins), middles, cells


def _grid(count: int, size: tuple[int, int], *, middle: float) -> Grid:
    for stride in (8, 16, 32, 64, 128, 4):
        if -(-size[0] // stride) * -(-size[1] // stride) == count:
            return _grid_of_stride(stride, size, middle=middle)
    raise BadOutput(f"a level of {count} cells fits no stride in a picture of {size[0]} × {size[1]}")


def _grid_of_stride(stride: int, size: tuple[int, int], *, middle: float) -> Grid:
    across, down = np.meshgrid(np.arange(-(-size[0] // stride)), np.arange(-(-size[1] // stride)))
    middles = (np.stack([across, down], axis=-1).reshape(-1, 2).astype(np.float64) + middle) * float(stride)
    return np.asarray(middles, np.float64), np.full(len(middles), float(stride))


def _joined(grids: Sequence[Grid]) -> Grid:
    return np.concatenate([middles for middles, _ in grids]), np.concatenate([strides for _, strides in grids])


def _edges(bins: NDArray[Any], middles: NDArray[np.float64], strides: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each side is as far from the middle as the mean of its distances, weighed by their softmax, in strides."""
    bins = bins.astype(np.float64)
    weights = np.exp(bins - bins.max(axis=-1, keepdims=True))
    far = (weights * np.arange(bins.shape[-1])).sum(axis=-1) / weights.sum(axis=-1) * strides[:, None]
    return np.concatenate([middles - far[:, :2], middles + far[:, 2:]], axis=1)
