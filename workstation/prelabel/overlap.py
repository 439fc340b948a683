"""How much boxes overlap, and which of many overlapping ones stay. Called by decoders, trackers and scoring.

Boxes are (n, 4): left, top, right, bottom. The greedy suppression compares one kept box with all that are left at
once, so its cost is the boxes kept times the candidates, and both are bounded by the caller.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


def overlaps(first: Boxes, second: Boxes) -> NDArray[np.float64]:
    """Intersection over union of each of ``first`` with each of ``second``: (n, m). Empty boxes overlap nothing."""
    a, b = first[:, None, :], second[None, :, :]
    across = np.clip(np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0]), 0.0, None)
    down = np.clip(np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1]), 0.0, None)
    both = across * down
    union = areas(first)[:, None] + areas(second)[None, :] - both
    shared: NDArray[np.float64] = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return shared


def areas(boxes: Boxes) -> NDArray[np.float64]:
    """Square pixels of each box; a box turned inside out has none."""
    sides: NDArray[np.float64] = np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None)
    return sides[:, 0] * sides[:, 1]


def suppressed(boxes: Boxes, scores: NDArray[np.floating], classes: NDArray[np.integer], *, iou: float,
               agnostic: bool = False, limit: int = 300, candidates: int = 3000) -> NDArray[np.intp]:  # fmt: skip
    """Places of the boxes that stay, best first: none overlaps a better one of its class by more than ``iou``.

    ``agnostic`` lets boxes of other classes push each other out too. Only the best ``candidates`` are looked at, so
    that a graph that answers nonsense cannot hold the program up.
    """
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")[:candidates]
    kept: list[np.intp] = []
    while order.size and len(kept) < limit:
        best, order = order[0], order[1:]
        kept.append(best)
        near = overlaps(boxes[best : best + 1], boxes[order])[0] > iou
        if not agnostic:
            near &= classes[order] == classes[best]
        order = order[~near]
    return np.asarray(kept, np.intp)
