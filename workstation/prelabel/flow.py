"""A mask carried to the next frame by optical flow: where each pixel of the new frame was in the old one.

Works without any model. A step is near enough to start from, and errors add up over steps: whoever calls this stops
where ``score`` falls, and refines with ``masks.py`` or a promptable model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workstation.media.opencv import cv2
from workstation.prelabel.api import Pixels
from workstation.prelabel.masks import FoundMask

_LONG_SIDE_PX = 640
_REACH = 0.75
"""How far around the mask is looked, in its own sides: what moves further between two frames is lost."""


def carried(mask: FoundMask, before: Pixels, after: Pixels) -> FoundMask:
    """The mask in ``after`` of what it marks in ``before``. The score is how alike the pixels under it are, 0 to 1."""
    if before.shape != after.shape:
        raise ValueError("two frames of one film have one size")
    if mask.empty:
        return mask
    left, top, right, bottom = _window(mask, before.shape)
    first, second = (_grey(frame[top:bottom, left:right]) for frame in (before, after))
    size = first.shape[1], first.shape[0]
    scale = min(1.0, _LONG_SIDE_PX / max(size))
    small = max(round(size[0] * scale), 16), max(round(size[1] * scale), 16)
    one, two = (cv2.resize(frame, small, interpolation=cv2.INTER_AREA) for frame in (first, second))
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    back = cv2.resize(dis.calc(two, one, np.zeros((*small[::-1], 2), np.float32)), size, interpolation=cv2.INTER_LINEAR)
    down, across = np.mgrid[: size[1], : size[0]].astype(np.float32)
    from_x = across + back[..., 0] * np.float32(size[0] / small[0])
    from_y = down + back[..., 1] * np.float32(size[1] / small[1])
    canvas = np.zeros((size[1], size[0]), np.float32)
    canvas[mask.top - top : mask.top - top + mask.mask.shape[0],
           mask.left - left : mask.left - left + mask.mask.shape[1]] = mask.mask  # fmt: skip
    moved = np.asarray(cv2.remap(canvas, from_x, from_y, cv2.INTER_LINEAR)) >= 0.5
    seen = cv2.remap(first, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    score = _alike(np.asarray(seen, np.float32)[moved], second.astype(np.float32)[moved])
    return _tight(moved, left, top, score)


def _window(mask: FoundMask, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    height, width = mask.mask.shape
    x, y = max(round(width * _REACH), 32), max(round(height * _REACH), 32)
    return (max(mask.left - x, 0), max(mask.top - y, 0), min(mask.left + width + x, shape[1]),
            min(mask.top + height + y, shape[0]))  # fmt: skip


def _grey(frame: Pixels) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY), np.uint8)


def _alike(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """1 where every pixel is as it was; 0 from a mean difference of a quarter of the scale on."""
    return 0.0 if first.size == 0 else float(max(0.0, 1.0 - np.abs(first - second).mean() / 64.0))


def _tight(mask: NDArray[np.bool_], left: int, top: int, score: float) -> FoundMask:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return FoundMask(left=left, top=top, mask=np.zeros((0, 0), np.bool_), score=0.0)
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return FoundMask(left=left + int(columns[0]), top=top + int(rows[0]), mask=np.ascontiguousarray(cut), score=score)
