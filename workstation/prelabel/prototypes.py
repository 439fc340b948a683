"""Masks as YOLO's segmenters answer them: a few prototype pictures, and for each box how much of each it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.media.opencv import cv2
from workstation.prelabel.answers import sized, tensor
from workstation.prelabel.api import Arrays, BadOutput
from workstation.prelabel.fitting import Fit

MOST_MASK_PX = 400_000_000
"""Of all masks of one picture together: more is a hostile answer, or a threshold of nought on a giant picture."""


def prototypes_of(outputs: Arrays, batch: int) -> NDArray[Any] | None:
    """(batch, prototypes, height, width), when the graph answers them."""
    names = sized(outputs, 4)
    if not names:
        return None
    values = tensor(outputs, names[0], (batch, None, None, None))
    if 0 in values.shape:
        raise BadOutput(f"output {names[0]!r} holds prototypes without pixels")
    return values


def prototypes_fit(shapes: Sequence[tuple[int | str, ...]], values: int | str, least: int) -> bool:
    """Whether a bare graph's picture outputs can be prototypes: each box holds a value for each, beside ``least``."""
    counts = [shape[1] for shape in shapes if len(shape) == 4]
    if not counts or isinstance(values, str):
        return True
    return all(isinstance(count, str) or count + least <= values for count in counts)


def box_masks(prototypes: NDArray[Any], shares: NDArray[np.float32], edges: NDArray[np.float64], fit: Fit,
              size: tuple[int, int]) -> list[NDArray[np.bool_]]:  # fmt: skip
    """For each box (in pixels of the picture) the pixels inside: whole pixels from its left, top corner on.

    ``prototypes`` are of one picture, (count, height, width), and cover the graph's picture of (width, height)
    ``size``. The sum is taken at their size and only then made larger, between logits: smooth edges.
    """
    count, height, width = prototypes.shape
    if shares.shape[1] != count:
        raise BadOutput(f"a box has {shares.shape[1]} mask values, but there are {count} prototypes")
    corners = np.concatenate([np.floor(edges[:, :2]), np.ceil(edges[:, 2:])], axis=1).astype(np.int64)
    sides = np.clip(corners[:, 2:] - corners[:, :2], 0, None)
    if int((sides[:, 0] * sides[:, 1]).sum()) > MOST_MASK_PX:
        raise BadOutput("the masks of one picture take too much memory; raise the score threshold")
    logits = (shares @ prototypes.reshape(count, -1)).reshape(-1, height, width)
    return [enlarged(plane, fit, size, tuple(area)) for plane, area in zip(logits, corners.tolist(), strict=True)]


def enlarged(logits: NDArray[Any], fit: Fit, size: tuple[int, int], area: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which pixels of the picture within ``area`` (left, top, right, bottom) have a logit above nought.

    ``logits`` (height, width) cover the graph's picture of (width, height) ``size``, at any size of their own.
    """
    left, top, right, bottom = area
    if right <= left or bottom <= top:
        return np.zeros((max(bottom - top, 0), max(right - left, 0)), np.bool_)
    per_x, per_y = logits.shape[1] / size[0], logits.shape[0] / size[1]
    x, y = fit.scale_x * per_x, fit.scale_y * per_y
    # Centre of pixel i of the picture -> centre of a pixel of the logits: (i + 1/2) * scale + offset - 1/2.
    way = np.array([[x, 0.0, (left + 0.5) * x + fit.offset_x * per_x - 0.5],
                    [0.0, y, (top + 0.5) * y + fit.offset_y * per_y - 0.5]])  # fmt: skip
    plane = np.ascontiguousarray(logits, np.float32)
    large = cv2.warpAffine(plane, way, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                           borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return np.asarray(large) > 0.0
