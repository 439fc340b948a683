"""Where a picture lies on the screen: zoom and place as values, and the way from picture pixels to the screen and back.

Asked by camera views for painting, picking and for what to decode. Knows no Qt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workstation.media.base import Region, View

LARGEST_SCALE = 64.0
"""Screen pixels per picture pixel."""
_MARGIN = 0.15
"""Of the shown part, decoded around it, so that a pan does not run into the dark at once."""
Place = tuple[float, float]
Affine = tuple[float, float, float, float, float, float]
"""How a place of the picture comes to the screen, as Qt's transform takes it: (xx, xy, yx, yy, left, top)."""


@dataclass(frozen=True, slots=True)
class Zoom:
    """How far a person has zoomed in, apart from any picture: kept over frames, samples and linked views."""

    factor: float = 1.0
    """Times the scale at which the whole picture fits."""
    x: float = 0.5
    y: float = 0.5
    """What part of the picture is in the middle, 0 to 1 across and down."""

    @property
    def is_fit(self) -> bool:
        return self.factor <= 1.0


FIT = Zoom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewport:
    """A picture of a size in a screen area of a size (logical pixels), at a zoom."""

    picture_px: tuple[int, int]
    area: tuple[float, float]
    zoom: Zoom = FIT
    device_ratio: float = 1.0
    aspect: float = 1.0
    """How many times as high as wide a pixel of the picture is, in what it shows: slices and ultrasound need it."""

    @property
    def fit_scale(self) -> float:
        """Screen pixels per picture pixel when all of it is seen; small pictures are enlarged, whole times if far."""
        across = self.area[0] / self.picture_px[0]
        down = self.area[1] / (self.picture_px[1] * self.aspect)
        return max(min(across, down), 1e-6)

    @property
    def scale(self) -> float:
        """Screen pixels per pixel of the picture, across; ``steps`` has both ways."""
        return min(self.fit_scale * self.zoom.factor, max(LARGEST_SCALE, self.fit_scale))

    @property
    def steps(self) -> Place:
        """Screen pixels per pixel of the picture, across and down."""
        return self.scale, self.scale * self.aspect

    @property
    def affine(self) -> Affine:
        (across, down), (left, top) = self.steps, self.corner
        return (across, 0.0, 0.0, down, left, top)

    def screen_of(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Many places of the picture on the screen, (n, 2)."""
        there: NDArray[np.float64] = places * self.steps + self.corner
        return there

    @property
    def corner(self) -> Place:
        """Where the picture's top left corner is on the screen; on a whole pixel of the device while all of it is seen,
        so that it is copied and not smoothed. (Zoomed it is exact: rounding would drift with every turn of the wheel.)
        """
        (width, height), (across, down) = self.picture_px, self.steps
        left = self._edge(self.area[0], width * across, self.zoom.x)
        top = self._edge(self.area[1], height * down, self.zoom.y)
        if not self.zoom.is_fit:
            return (left, top)
        ratio = self.device_ratio
        return (round(left * ratio) / ratio, round(top * ratio) / ratio)

    @staticmethod
    def _edge(area: float, shown: float, middle: float) -> float:
        if shown <= area:
            return (area - shown) / 2
        return min(0.0, max(area - shown, area / 2 - middle * shown))

    def to_screen(self, place: Place) -> Place:
        (left, top), (across, down) = self.corner, self.steps
        return (left + place[0] * across, top + place[1] * down)

    def to_picture(self, place: Place) -> Place:
        (left, top), (across, down) = self.corner, self.steps
        return ((place[0] - left) / across, (place[1] - top) / down)

    def zoomed(self, times: float, at: Place) -> Zoom:
        """The zoom after a step, with what is under the screen place ``at`` staying there."""
        factor = min(max(self.zoom.factor * times, 1.0), max(1.0, LARGEST_SCALE / self.fit_scale))
        under = self.to_picture(at)
        scale = self.fit_scale * factor
        return self._with_corner(factor, (at[0] - under[0] * scale, at[1] - under[1] * scale * self.aspect))

    def panned(self, by: Place) -> Zoom:
        """The zoom after the picture was pulled by so many screen pixels."""
        left, top = self.corner
        return self._with_corner(self.zoom.factor, (left + by[0], top + by[1]))

    def centred(self, place: Place) -> Zoom:
        """The zoom that brings a place of the picture to the middle."""
        return replace(self.zoom, x=place[0] / self.picture_px[0], y=place[1] / self.picture_px[1])

    def _with_corner(self, factor: float, corner: Place) -> Zoom:
        scale = self.fit_scale * factor
        steps = (scale, scale * self.aspect)
        middle = [
            min(1.0, max(0.0, (area / 2 - at) / (size * step)))
            for area, at, size, step in zip(self.area, corner, self.picture_px, steps, strict=True)
        ]
        return Zoom(factor, *middle) if factor > 1.0 else FIT

    @property
    def shown(self) -> Region:
        """The part of the picture on the screen, in whole pixels."""
        left, top = self.to_picture((0.0, 0.0))
        right, bottom = self.to_picture(self.area)
        return Region(math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)).clipped(*self.picture_px)

    @property
    def whole_pixels(self) -> bool:
        """Whether pixels of the picture are large enough to be seen as pixels."""
        return self.scale * self.device_ratio >= 2.0

    def wanted(self) -> View:
        """What to decode: the part shown and a little around it, no finer than the screen."""
        width, height = self.picture_px
        if self.zoom.is_fit:
            return View(None, *self._sized(width, height))
        shown = self.shown
        more_x, more_y = math.ceil(shown.width_px * _MARGIN), math.ceil(shown.height_px * _MARGIN)
        part = Region(
            shown.left - more_x, shown.top - more_y, shown.right + more_x, shown.bottom + more_y
        ).clipped(width, height)  # fmt: skip
        return View(part, *self._sized(part.width_px, part.height_px))

    def _sized(self, width: int, height: int) -> tuple[int, int]:
        device = self.scale * self.device_ratio * max(1.0, self.aspect)
        return max(1, round(width * device)), max(1, round(height * device))
