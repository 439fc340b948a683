"""Masks while they are painted: kept as a picture in screen form, of which only what was touched is renewed.

One per picture area. On a 4K picture a stroke renews some thousand pixels instead of eight million.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QTransform

from workstation.ui.scenes.overlays import Placing
from workstation.ui.tools.canvas import Pixels

_SHARE = 0.5


class _Held:
    """One mask in screen form; ``image`` looks at ``screen``."""

    def __init__(self, pixels: Pixels, colour: str) -> None:
        self.pixels = pixels
        self.colour = colour
        paint = QColor(colour)
        paint.setAlphaF(_SHARE)
        alpha = paint.alpha()
        red, green, blue = (each * alpha // 255 for each in (paint.red(), paint.green(), paint.blue()))
        self._value = np.uint32(alpha << 24 | red << 16 | green << 8 | blue)
        height, width = pixels.inside.shape
        self.screen: NDArray[np.uint32] = np.zeros((height, width), np.uint32)
        self.image = QImage(self.screen.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        pixels.fresh[:] = pixels.fresh or [(0, 0, width, height)]
        self.take_in()

    def take_in(self) -> None:
        """Renew what was painted since."""
        for rect in self.pixels.fresh:
            self._renew(*rect)
        self.pixels.fresh.clear()

    def _renew(self, left: int, top: int, right: int, bottom: int) -> None:
        part = self.pixels.inside[top:bottom, left:right]
        np.multiply(part, self._value, out=self.screen[top:bottom, left:right])


class WetPixels:
    """All masks in the making of one picture."""

    def __init__(self) -> None:
        self._held: list[_Held] = []

    def paint(self, painter: QPainter, viewport: Placing, masks: Iterable[tuple[Pixels, str]]) -> None:
        """Paint them where they lie, as they are now."""
        self._held = [self._of(pixels, colour) for pixels, colour in masks]
        for held in self._held:
            held.take_in()
            painter.save()
            painter.setTransform(QTransform(*viewport.affine), True)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            place = QRectF(held.pixels.x, held.pixels.y, held.image.width(), held.image.height())
            painter.drawImage(place, held.image)
            painter.restore()

    def _of(self, pixels: Pixels, colour: str) -> _Held:
        found = next((each for each in self._held if each.pixels is pixels and each.colour == colour), None)
        return _Held(pixels, colour) if found is None else found
