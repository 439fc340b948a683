"""How values become grey: a window (linear, exact or sigmoid, as DICOM PS3.3 C.11.2 says) or a range.

Used by ``dicom`` for its own pictures, and by whatever shows a volume's slabs through a ``Window``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.media.base import Window, WindowShape


def shares_of_window(values: NDArray[Any], window: Window) -> NDArray[np.float32]:
    """0 for black to 1 for white of every value; NaN is black."""
    known = np.asarray(values, np.float32)
    if window.shape is WindowShape.SIGMOID:
        with np.errstate(over="ignore"):
            bent = 1 / (1 + np.exp(-4 * (known - np.float32(window.centre)) / np.float32(window.width)))
        return np.array(np.nan_to_num(bent, nan=0.0), np.float32)
    # The plain linear window is meant for whole numbers: it is centred half a step lower and one narrower.
    half = 0.5 if window.shape is WindowShape.LINEAR else 0.0
    return _ramp(known, window.centre - half, window.width - 2 * half)


def shares_of_range(values: NDArray[Any], low: float, high: float) -> NDArray[np.float32]:
    """0 for ``low`` and below to 1 for ``high`` and above; NaN is black."""
    return _ramp(np.asarray(values, np.float32), (low + high) / 2, high - low)


def grey(shares: NDArray[np.float32], *, inverted: bool = False) -> NDArray[np.uint8]:
    """Shares as 8-bit grey; ``inverted`` where the least value is to be white."""
    levels: NDArray[np.uint8] = np.rint((1 - shares if inverted else shares) * 255).astype(np.uint8)
    return levels


def _ramp(values: NDArray[np.float32], centre: float, width: float) -> NDArray[np.float32]:
    if width <= 0:
        return (values > centre).astype(np.float32)
    shares = (values - np.float32(centre)) / np.float32(width) + np.float32(0.5)
    return np.array(np.clip(np.nan_to_num(shares, nan=0.0), 0, 1), np.float32)
