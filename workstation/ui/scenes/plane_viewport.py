"""Where a plane of a volume lies on the screen: true millimetres both ways, turned as the patient stands, or flipped.

The sibling of ``viewport`` for volumes; overlays and hints paint through either. Knows no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.ui.scenes.viewport import Affine, Place

LARGEST_SCALE = 60.0
"""Screen pixels per millimetre."""
_AIR_PX = 18.0
"""Around the whole picture, where the letters of the sides stand."""


@dataclass(frozen=True, slots=True)
class PlaneZoom:
    """How near a person looks: kept over slices, and shared by volumes that are compared."""

    factor: float = 1.0
    """Times the scale at which all of it is seen."""
    centre_mm: tuple[float, float, float] | None = None
    """What stands in the middle, in the patient; ``None``: the middle of the volume."""


WHOLE = PlaneZoom()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneViewport:
    """A slice on a screen area (logical pixels)."""

    size_px: tuple[int, int]
    spacing_mm: tuple[float, float]
    turn: NDArray[np.int64]
    """(2, 2): right and down on the screen from right and down in the picture."""
    area: tuple[float, float]
    per_mm: float
    """Screen pixels per millimetre."""
    middle: Place
    """The place of the picture that stands in the middle of the area."""

    @property
    def _matrix(self) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self.turn * np.asarray(self.spacing_mm) * self.per_mm
        return found

    @property
    def affine(self) -> Affine:
        m, (left, top) = self._matrix, self.to_screen((0.0, 0.0))
        return (float(m[0, 0]), float(m[1, 0]), float(m[0, 1]), float(m[1, 1]), left, top)

    @property
    def scale(self) -> float:
        """Screen pixels per pixel of the picture, the mean of both ways."""
        return self.per_mm * float(np.sqrt(self.spacing_mm[0] * self.spacing_mm[1]))

    def screen_of(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Many places of the picture on the screen, (n, 2)."""
        found: NDArray[np.float64] = (places - self.middle) @ self._matrix.T + np.asarray(self.area) / 2
        return found

    def to_screen(self, place: Place) -> Place:
        found = self._matrix @ np.subtract(place, self.middle) + np.asarray(self.area) / 2
        return float(found[0]), float(found[1])

    def to_picture(self, place: Place) -> Place:
        found = np.linalg.solve(self._matrix, np.asarray(place) - np.asarray(self.area) / 2) + self.middle
        return float(found[0]), float(found[1])


def fit_per_mm(
    size_px: tuple[int, int], spacing_mm: tuple[float, float], turn: NDArray[np.int64], area: tuple[float, float]
) -> float:
    """Screen pixels per millimetre at which all of a slice is seen."""
    across, down = np.abs(turn) @ (np.asarray(size_px) * spacing_mm)
    return max(min((area[0] - 2 * _AIR_PX) / float(across), (area[1] - 2 * _AIR_PX) / float(down)), 1e-3)
