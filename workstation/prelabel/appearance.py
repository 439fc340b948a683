"""What things look like, for the tracker that compares looks, when no model for it is installed.

Colours of the upper and the lower half of each box. It tells a red car from a white one and not two white ones: call
it "by colour". A model for re-identification fills the same field of ``FoundBox`` and is far better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workstation.media.opencv import cv2
from workstation.prelabel.api import FoundBox, Pixels

_SIDE_PX = 32
_BINS = 6


def with_colours(picture: Pixels, boxes: Sequence[FoundBox]) -> list[FoundBox]:
    """The boxes, each with the roots of its shares of colours as features: their product is the Bhattacharyya sum."""
    return [box if box.features is not None else replace(box, features=_colours(picture, box)) for box in boxes]


def _colours(picture: Pixels, box: FoundBox) -> NDArray[np.float32] | None:
    height, width = picture.shape[:2]
    # The border of a box shows what stands behind the thing: a tenth on every side is left out.
    left, right = box.left + 0.1 * box.width, box.left + 0.9 * box.width
    top, bottom = box.top + 0.1 * box.height, box.top + 0.9 * box.height
    x0, x1 = int(np.clip(left, 0, width)), int(np.clip(np.ceil(right), 0, width))
    y0, y1 = int(np.clip(top, 0, height)), int(np.clip(np.ceil(bottom), 0, height))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    small = cv2.resize(picture[y0:y1, x0:x1], (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    bins = np.asarray(small, np.int64) * _BINS // 256
    cells = (bins[..., 0] * _BINS + bins[..., 1]) * _BINS + bins[..., 2]
    halves = [np.bincount(half.reshape(-1), minlength=_BINS**3) for half in np.array_split(cells, 2)]
    return np.sqrt(np.concatenate(halves) / cells.size).astype(np.float32)
