"""Values of pictures as the 8 bits a screen shows: as they are, or through a window. Asked by camera views.

16-bit pictures and slices go through a window, the file's own or one by hand; the curve is ``media/windowing.py``'s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workstation.media.base import Pixels, Window, WindowShape
from workstation.media.windowing import grey, shares_of_window


def eight_bits(pixels: Pixels, window: Window | None) -> NDArray[np.uint8]:
    """Values brought into 0 to 255. Without a window from the least to the greatest; what is missing (NaN) is black."""
    if pixels.dtype == np.uint8:
        return pixels
    return grey(shares_of_window(pixels, window if window is not None else whole_window(pixels)))


def whole_window(pixels: Pixels) -> Window:
    """From the least to the greatest value."""
    if not np.isfinite(pixels).any():
        return Window("all values", 0.5, 1.0, WindowShape.LINEAR_EXACT)
    low, high = float(np.nanmin(pixels)), float(np.nanmax(pixels))
    return Window("all values", (low + high) / 2, max(high - low, 1e-6), WindowShape.LINEAR_EXACT)
