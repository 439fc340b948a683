"""Numbers written into pixels that are large enough on the screen to hold them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from workstation.app.light import eight_bits
from workstation.media.base import Picture
from workstation.ui.scenes.viewport import Viewport

_FROM_SCALE = 36.0
"""Screen pixels per picture pixel from which on three lines of digits fit."""


def paint_values(painter: QPainter, viewport: Viewport, picture: Picture) -> None:
    """The values of every pixel on the screen, if there is room: as stored, one line a channel."""
    full = picture.pixels.shape[1] == picture.region.width_px and not picture.preview
    if min(viewport.steps) < _FROM_SCALE or not full:
        return
    font = QFont()
    font.setPixelSize(10)
    painter.setFont(font)
    shown, region = viewport.shown, picture.region
    light = eight_bits(picture.pixels, None)
    for y in range(max(shown.top, region.top), min(shown.bottom, region.bottom)):
        for x in range(max(shown.left, region.left), min(shown.right, region.right)):
            value = picture.pixels[y - region.top, x - region.left]
            numbers = value.tolist() if value.ndim else [value.item()]
            level = float(light[y - region.top, x - region.left].mean())
            painter.setPen(QColor("#000000" if level > 127 else "#ffffff"))
            left, top = viewport.to_screen((x, y))
            text = "\n".join(f"{n:g}" if isinstance(n, int) else f"{n:.5g}" for n in numbers)
            painter.drawText(QRectF(left, top, *viewport.steps), Qt.AlignmentFlag.AlignCenter, text)
