"""A decoded picture as the screen shows it: brightness, contrast, gamma or a window of values, then 32 bits a pixel.

``Tone`` is applied on the worker that decoded (``shown_pixels``), and again by the view when a slider moves. Camera
views call both; a volume's slices and 16-bit pictures use the window, everything else the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from workstation.app.light import eight_bits
from workstation.media.base import Picture, Window


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


Shown = NDArray[np.uint8]
"""(height, width, 4) blue, green, red, alpha: what the screen takes without converting."""


def shown_pixels(picture: Picture, tone: Tone) -> Shown:
    """The picture with a tone in the screen's own order of bytes. Any thread: nothing of Qt is made here.

    (PySide 6.11 hands what a worker lets go of to the main thread for deletion, and crashes there now and then.)
    """
    pixels = eight_bits(picture.pixels, tone.window)
    curve = None if tone.is_plain else _curve(tone)
    height, width = pixels.shape[:2]
    shown = np.empty((height, width, 4), np.uint8)
    for to in range(3):
        plane = pixels if pixels.ndim == 2 else pixels[..., 2 - to]
        shown[..., to] = plane if curve is None else curve[plane]
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        shown[..., 3] = pixels[..., 3]
    else:
        shown[..., 3] = 255
    return shown


def image_of(shown: Shown, *, see_through: bool = False) -> QImage:
    """An image over pixels that the caller keeps alive as long as it. The window's thread."""
    height, width = shown.shape[:2]
    form = QImage.Format.Format_ARGB32 if see_through else QImage.Format.Format_RGB32
    return QImage(shown.data, width, height, 4 * width, form)


def painted(picture: Picture, tone: Tone) -> QImage:
    """The picture as an image of its own. The window's thread."""
    return image_of(shown_pixels(picture, tone), see_through=has_alpha(picture)).copy()


def has_alpha(picture: Picture) -> bool:
    """Whether something lies behind the picture."""
    return picture.pixels.ndim == 3 and picture.pixels.shape[2] == 4


def _curve(tone: Tone) -> NDArray[np.uint8]:
    """256 levels to 256 levels; contrast turns about the middle grey."""
    share = np.arange(256, dtype=np.float64) / 255
    share = np.clip((share - 0.5) * tone.contrast + 0.5 + tone.brightness, 0, 1) ** (1 / tone.gamma)
    levels: NDArray[np.uint8] = np.round(share * 255).astype(np.uint8)
    return levels
