"""LiDAR detectors of the kind of PointPillars and SECOND whose last layers come as they are: for every place of a grid
and every anchor there how likely each class is, how the box differs from the anchor, and which way it looks.

``cls_score`` (1, anchors × classes, rows, columns), ``bbox_pred`` (1, anchors × 7, …) and, where there is one,
``dir_cls_pred`` (1, anchors × 2, …), with or without a 0 behind their names; ``layout: NHWC`` where the channels come
last. Rows go along y, columns along x. The anchors of a place are every size at every rotation, sizes first.

Options: ``anchors`` (a size as l, w, h and the height of the bottom, each), ``rotations`` (radians), ``aligned: false``
where the outermost anchors lie on the border of the range and not half a step inside, ``anchor_range`` (x, y, x, y) if
it is not the range of the points, ``direction`` (the heading at which "ahead" becomes "back"), ``activated`` where the
graph has made probabilities of its scores. ``box`` orders the seven numbers, as elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.api import Arrays, BadOutput, FoundCuboid, ModelCard, Prepared, SensorSweep, Task
from workstation.prelabel.sweep_cells import in_cells, takes_cells
from workstation.prelabel.sweep_tensors import (
    BOX,
    SweepInput,
    box_order,
    flag,
    likely,
    number,
    numbers,
    solid,
    tensor,
    wrong,
)

Floats = NDArray[np.float64]
_CLASSES, _BOXES, _WAYS = ("cls_score", "cls_score0"), ("bbox_pred", "bbox_pred0"), ("dir_cls_pred", "dir_cls_pred0")
_USUAL_ROTATIONS = (0.0, math.pi / 2)
_AHEAD = math.pi / 4
_MOST = 300
"""The likeliest, before those that lie in a better one go: as many as there are things in a sweep, and more."""


class LidarAnchors:
    """Cells of points in, differences from anchors out."""

    name = "lidar-anchors"
    tasks = frozenset({Task.LIDAR_DETECT})

    def prepare(self, card: ModelCard, sweep: SensorSweep) -> Prepared:
        _anchor_sizes(card)  # a manifest that cannot be used is told of before anything runs
        return in_cells(card, sweep)

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[FoundCuboid]:
        sizes, rotations = _anchor_sizes(card), _rotations(card)
        each = len(sizes) * len(rotations)
        classes = _maps(card, outputs, _CLASSES, each * len(card.labels), len(card.labels))
        boxes = _maps(card, outputs, _BOXES, each * len(BOX), len(BOX))
        if classes.shape[:3] != boxes.shape[:3]:
            raise BadOutput(f"scores for {classes.shape[:3]} anchors and boxes for {boxes.shape[:3]}")
        scores = likely(card, classes)
        kept, best = _likeliest(card, scores)
        rows, columns, anchor = np.unravel_index(kept, classes.shape[:3])
        x, y = _places(card, classes.shape[:2], rows, columns)
        size, turned = sizes[anchor // len(rotations)], rotations[anchor % len(rotations)]
        off = boxes.reshape(-1, len(BOX))[kept][:, box_order(card)]
        across = np.hypot(size[:, 0], size[:, 1])
        found = np.column_stack([
            x + off[:, 0] * across, y + off[:, 1] * across, size[:, 3] + (0.5 + off[:, 2]) * size[:, 2],
            size[:, :3] * np.exp(np.clip(off[:, 3:6], -20, 20)), turned + off[:, 6],
        ])  # fmt: skip
        if (name := _named(card, outputs, _WAYS)) is not None:
            ways = _maps(card, outputs, (name,), each * 2, 2).reshape(-1, 2)[kept]
            ahead = number(card, "direction", _AHEAD)
            found[:, 6] = (found[:, 6] - ahead) % math.pi + ahead + math.pi * ways.argmax(axis=1)
        return solid(card, found, scores.reshape(-1, len(card.labels))[kept, best], best)

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        raw = any(each in outputs for each in _CLASSES) and any(each in outputs for each in _BOXES)
        return 0.9 if takes_cells(inputs) and raw else 0.0


FAMILY = LidarAnchors()


def _likeliest(card: ModelCard, scores: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which anchors are likely enough, best first, and the class of each."""
    flat = scores.reshape(-1, scores.shape[-1])
    best = flat.argmax(axis=1)
    highest = flat[np.arange(len(flat)), best]
    kept = np.flatnonzero(highest >= card.thresholds.get("score", 0.3))
    kept = kept[np.argsort(-highest[kept], kind="stable")][:_MOST]
    return kept, best[kept]


def _places(
    card: ModelCard, grid: tuple[int, ...], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[Floats, Floats]:  # fmt: skip
    """Where anchors stand."""
    reach = SweepInput.of(card)
    usual = (reach.low[0], reach.low[1], reach.high[0], reach.high[1])
    west, south, east, north = numbers(card, "anchor_range", usual)
    if flag(card, "aligned", usual=True):
        return west + (columns + 0.5) * (east - west) / grid[1], south + (rows + 0.5) * (north - south) / grid[0]
    return (
        west + columns * (east - west) / max(grid[1] - 1, 1),
        south + rows * (north - south) / max(grid[0] - 1, 1),
    )


def _maps(card: ModelCard, outputs: Arrays, names: tuple[str, ...], channels: int, parts: int) -> Floats:
    """(rows, columns, anchors, parts) of an output."""
    name = _named(card, outputs, names)
    found = tensor(card, outputs, names[0] if name is None else name)
    found = found[0] if found.ndim == 4 and found.shape[0] == 1 else found
    if found.ndim == 3 and str(card.options.get("layout", "NCHW")) == "NCHW":
        found = found.transpose(1, 2, 0)
    if found.ndim != 3 or found.shape[2] != channels or 0 in found.shape:
        raise BadOutput(f"{names[0]} is {found.shape} and not (rows, columns, {channels})")
    return found.reshape(*found.shape[:2], channels // parts, parts)


def _named(card: ModelCard, outputs: Arrays, names: tuple[str, ...]) -> str | None:
    """Which of its names an output has here."""
    renamed = card.options.get("outputs", {})
    if isinstance(renamed, Mapping) and names[0] in renamed:
        return names[0]
    return next((each for each in names if each in outputs), None)


def _anchor_sizes(card: ModelCard) -> Floats:
    """(n, 4): length, width, height, and the height of the bottom."""
    listed: Any = card.options.get("anchors")
    try:
        found = np.array([[*each["size"], each["bottom"]] for each in listed], np.float64)
    except (TypeError, KeyError, ValueError) as problem:
        raise wrong("anchors", "must list anchors as {size: [l, w, h], bottom: z}") from problem
    if found.ndim != 2 or found.shape[1] != 4 or not np.isfinite(found).all() or not (found[:, :3] > 0).all():
        raise wrong("anchors", "must list anchors as {size: [l, w, h], bottom: z}")
    return found


def _rotations(card: ModelCard) -> Floats:
    listed: Any = card.options.get("rotations", _USUAL_ROTATIONS)
    if not isinstance(listed, list | tuple) or not listed:
        raise wrong("rotations", "must list headings in radians")
    return np.array(numbers(card, "rotations", (0.0,) * len(listed)) if "rotations" in card.options else listed)
