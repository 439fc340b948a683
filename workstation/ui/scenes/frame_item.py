"""A decoded picture as the screen shows it: brightness, contrast, gamma or a window of values, then 32 bits a pixel.

``Tone`` is applied on the worker that decoded (``painted``), and again by the view when a slider moves. Camera views
call both; a volume's slices and 16-bit pictures use the window, everything else the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from workstation.media.base import Picture, Pixels, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """How values become light. Brightness −1 to 1, contrast and gamma 0.1 to 10 with 1 as it is."""

    brightness: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    window: Window | None = None
    """For values beyond 8 bits; ``None``: from the least to the greatest of the picture."""

    @property
    def is_plain(self) -> bool:
        return (self.brightness, self.contrast, self.gamma) == (0.0, 1.0, 1.0)


PLAIN = Tone()


def painted(picture: Picture, tone: Tone) -> QImage:
    """The picture in the form the screen takes without converting; it owns its pixels. Any thread."""
    pixels = eight_bits(picture.pixels, tone.window)
    if not tone.is_plain:
        colours = pixels[..., :3] if pixels.ndim == 3 and pixels.shape[2] == 4 else pixels
        toned = _curve(tone)[colours]
        pixels = toned if colours is pixels else np.dstack([toned, pixels[..., 3]])
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    if pixels.ndim == 2:
        image = QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8)
    elif pixels.shape[2] == 3:
        image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    else:
        image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
        return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    return image.convertToFormat(QImage.Format.Format_RGB32)


def eight_bits(pixels: Pixels, window: Window | None) -> NDArray[np.uint8]:
    """Values brought into 0 to 255: as they are, or through a window. What is missing (NaN) is black."""
    if pixels.dtype == np.uint8:
        return pixels
    shown = window if window is not None else whole_window(pixels)
    low = shown.centre - shown.width / 2
    scaled = (pixels.astype(np.float32) - low) * (255.0 / max(shown.width, 1e-9))
    levels: NDArray[np.uint8] = np.nan_to_num(np.clip(scaled, 0, 255), nan=0.0).astype(np.uint8)
    return levels


def whole_window(pixels: Pixels) -> Window:
    """From the least to the greatest value."""
    if not np.isfinite(pixels).any():
        return Window("all values", 0.5, 1.0)
    low, high = float(np.nanmin(pixels)), float(np.nanmax(pixels))
    return Window("all values", (low + high) / 2, max(high - low, 1e-6))


def _curve(tone: Tone) -> NDArray[np.uint8]:
    """256 levels to 256 levels; contrast turns about the middle grey."""
    share = np.arange(256, dtype=np.float64) / 255
    share = np.clip((share - 0.5) * tone.contrast + 0.5 + tone.brightness, 0, 1) ** (1 / tone.gamma)
    levels: NDArray[np.uint8] = np.round(share * 255).astype(np.uint8)
    return levels
