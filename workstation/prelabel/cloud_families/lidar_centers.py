"""LiDAR detectors of the kind of CenterPoint whose last layers come as they are: a map for each class with a peak where
the middle of something is, and beside it what belongs to that place.

``heatmap`` (or ``hm``) (1, classes, rows, columns), ``reg`` (1, 2, …): how far within its cell along x and y,
``height`` (1, 1, …): z of the middle, ``dim`` (1, 3, …): logarithms of the size, ``rot`` (1, 2, …): sine and cosine of
the heading. What else is answered, as speeds, is left aside. Rows go along y, columns along x.

Options: ``stride`` (cells of points to a place of the map), ``dim: metres`` where sizes are no logarithms, ``z:
bottom``, ``activated`` where the graph has made probabilities of its peaks, ``groups``: how many labels each of several
heads has, in the order of the labels; the tensors of the first are then called ``heatmap0``, ``reg0`` and so on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.api import Arrays, BadOutput, FoundCuboid, ModelCard, Prepared, SensorSweep, Task
from workstation.prelabel.sweep_cells import cell_of, in_cells, takes_cells
from workstation.prelabel.sweep_tensors import SweepInput, box_order, likely, solid, tensor, whole, wrong

Floats = NDArray[np.float64]
_PARTS = {"reg": 2, "height": 1, "dim": 3, "rot": 2}
_USUAL_STRIDE, _MOST_STRIDE = 4, 64
_MOST = 300


class LidarCenters:
    """Cells of points in, peaks out."""

    name = "lidar-centers"
    tasks = frozenset({Task.LIDAR_DETECT})

    def prepare(self, card: ModelCard, sweep: SensorSweep) -> Prepared:
        _groups(card)  # a manifest that cannot be used is told of before anything runs
        return in_cells(card, sweep)

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[FoundCuboid]:
        groups = _groups(card)
        ends = np.cumsum(groups)
        heads = [
            _boxes(card, outputs, str(head) if len(groups) > 1 or "groups" in card.options else "", count)
            for head, count in enumerate(groups)
        ]
        boxes = np.concatenate([each[0] for each in heads])
        scores = np.concatenate([each[1] for each in heads])
        labels = np.concatenate(
            [each[2] + end - count for each, end, count in zip(heads, ends.tolist(), groups, strict=True)]
        )
        return solid(card, boxes, scores, labels, bottom=card.options.get("z") == "bottom")

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        raw = any(
            {f"{each}{number}" for each in _PARTS} <= outputs.keys()
            and (f"heatmap{number}" in outputs or f"hm{number}" in outputs)
            for number in ("", "0")
        )
        return 0.9 if takes_cells(inputs) and raw else 0.0


FAMILY = LidarCenters()


def _boxes(card: ModelCard, outputs: Arrays, number: str, count: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Of one head: boxes (n, 7) as x, y, z, l, w, h, heading, their scores and its labels from 0."""
    renamed = card.options.get("outputs", {})
    short = f"hm{number}" in outputs and not (isinstance(renamed, Mapping) and f"heatmap{number}" in renamed)
    heat = likely(card, _map(card, outputs, f"hm{number}" if short else f"heatmap{number}", count))
    parts = {each: _map(card, outputs, each + number, size) for each, size in _PARTS.items()}
    if any(each.shape[1:] != heat.shape[1:] for each in parts.values()):
        raise BadOutput("the maps of one head differ in size: " + ", ".join(str(each.shape) for each in parts.values()))
    high = np.flatnonzero((heat >= card.thresholds.get("score", 0.3)) & _peaks(heat))
    high = high[np.argsort(-heat.reshape(-1)[high], kind="stable")][:_MOST]
    label, rows, columns = np.unravel_index(high, heat.shape)
    own = {each: values[:, rows, columns] for each, values in parts.items()}
    low, step = SweepInput.of(card).low, cell_of(card) * whole(card, "stride", _USUAL_STRIDE, _MOST_STRIDE)
    size = own["dim"] if card.options.get("dim") == "metres" else np.exp(np.clip(own["dim"], -20, 20))
    boxes = np.column_stack([
        low[0] + (columns + own["reg"][0]) * step[0], low[1] + (rows + own["reg"][1]) * step[1], own["height"][0],
        size.T, np.arctan2(own["rot"][0], own["rot"][1]),
    ])  # fmt: skip
    return boxes[:, box_order(card)], heat.reshape(-1)[high], label


def _peaks(heat: Floats) -> NDArray[np.bool_]:
    """Which places (classes, rows, columns) are as high as every one of the eight beside them."""
    around = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    rows, columns = heat.shape[1:]
    found = np.ones(heat.shape, np.bool_)
    for down in range(3):
        for right in range(3):
            found &= heat >= around[:, down : down + rows, right : right + columns]
    return found


def _map(card: ModelCard, outputs: Arrays, name: str, channels: int) -> Floats:
    found = tensor(card, outputs, name)
    found = found[0] if found.ndim == 4 and found.shape[0] == 1 else found
    if found.ndim != 3 or found.shape[0] != channels or 0 in found.shape:
        raise BadOutput(f"{name} is {found.shape} and not ({channels}, rows, columns)")
    return found


def _groups(card: ModelCard) -> list[int]:
    listed: Any = card.options.get("groups", [len(card.labels)])
    fits = isinstance(listed, list | tuple) and all(type(each) is int and each > 0 for each in listed)
    if not fits or sum(listed) != len(card.labels):
        raise wrong("groups", f"must say how many of the {len(card.labels)} labels each head has")
    return list(listed)
