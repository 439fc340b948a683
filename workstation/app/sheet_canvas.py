"""The ground a contact sheet is drawn on: a panel in its final pixels, its colours and letters.

Used by ``sheet_panels.py`` and ``sheet_marks.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

Size = tuple[int, int]
PAPER, PANEL, GRID = (22, 24, 28), (33, 36, 42), (58, 62, 71)
INK, QUIET = (232, 234, 238), (158, 164, 176)
PLAYHEAD, MISSING, WAVE = (255, 92, 92), (214, 112, 48), (110, 168, 224)
_FINER = 2
"""Panels are drawn this much larger and shrunk, which smooths lines and letters."""


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The letters that come with Pillow."""
    return ImageFont.load_default(size)


class Canvas:
    """A panel in the making, in its final pixels; drawn finer than it is shown."""

    def __init__(self, size: Size) -> None:
        self.width, self.height = size
        self._image = Image.new("RGB", (self.width * _FINER, self.height * _FINER), PANEL)
        self._draw = ImageDraw.Draw(self._image)

    def paste(self, picture: Image.Image, left: float, top: float, size: tuple[float, float]) -> None:
        """A picture, scaled."""
        whole = (max(1, round(size[0] * _FINER)), max(1, round(size[1] * _FINER)))
        self._image.paste(picture.resize(whole, Image.Resampling.LANCZOS), (round(left * _FINER), round(top * _FINER)))

    def dots(self, x: NDArray[np.float64], y: NDArray[np.float64], colours: NDArray[np.uint8]) -> None:
        """Points of a little more than one final pixel; later ones lie on top."""
        pixels = np.array(self._image)
        column, row = (np.floor(each * _FINER).astype(np.int64) for each in (x, y))
        inside = (column >= 0) & (column < pixels.shape[1] - 2) & (row >= 0) & (row < pixels.shape[0] - 2)
        for right, down in ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (2, 1), (0, 2), (1, 2), (2, 2)):
            pixels[row[inside] + down, column[inside] + right] = colours[inside]
        self._image = Image.fromarray(pixels)
        self._draw = ImageDraw.Draw(self._image)

    def line(self, points: Sequence[tuple[float, float]], colour: object, width: float = 1.5) -> None:
        """A line through points."""
        scaled = [(x * _FINER, y * _FINER) for x, y in points]
        self._draw.line(scaled, fill=_rgb(colour), width=max(1, round(width * _FINER)), joint="curve")

    def box(self, left: float, top: float, right: float, bottom: float, colour: object) -> None:
        """A filled rectangle; never thinner than a hair."""
        ends = (left * _FINER, top * _FINER, max(right * _FINER - 1, left * _FINER), max(bottom, top) * _FINER - 1)
        self._draw.rectangle(ends, fill=_rgb(colour))

    def text(self, x: float, y: float, said: str, *, size: int = 14, colour: object = INK, anchor: str = "la") -> None:
        """Words."""
        self._draw.text((x * _FINER, y * _FINER), said, fill=_rgb(colour), font=font(size * _FINER), anchor=anchor)

    def label(self, x: float, y: float, said: str, *, size: int = 14, colour: object = INK) -> None:
        """Words on a dark ground, for the top of pictures."""
        left, top, right, bottom = self._draw.textbbox((x * _FINER, y * _FINER), said, font=font(size * _FINER))
        pad = 4 * _FINER
        self._draw.rectangle((left - pad, top - pad, right + pad, bottom + pad), fill=PAPER)
        self.text(x, y, said, size=size, colour=colour)

    def width_of(self, said: str, size: int) -> float:
        """How wide words are."""
        return float(self._draw.textlength(said, font=font(size * _FINER))) / _FINER

    def finished(self) -> Image.Image:
        """The panel in its final pixels."""
        return self._image.resize((self.width, self.height), Image.Resampling.LANCZOS)


def empty_panel(canvas: Canvas, title: str, said: str) -> Image.Image:
    """A panel that says what is missing."""
    canvas.text(canvas.width / 2, canvas.height / 2, said, colour=MISSING, anchor="mm")
    canvas.label(10, 8, title)
    return canvas.finished()


def light(colour: str) -> tuple[int, int, int]:
    """A class's colour light enough to be read on a picture."""
    red, green, blue = (round(part + (255 - part) * 0.45) for part in _rgb(colour))
    return red, green, blue


def _rgb(colour: object) -> tuple[int, int, int]:
    if isinstance(colour, str):
        red, green, blue = ImageColor.getrgb(colour)[:3]
        return red, green, blue
    assert isinstance(colour, tuple)
    return colour
