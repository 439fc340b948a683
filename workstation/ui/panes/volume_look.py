"""How volumes are looked at: one for all planes and all volumes of the pane, so that what is compared looks alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workstation.app.volume_planes import Plane, PlaneName
from workstation.ui.scenes.plane_viewport import WHOLE, PlaneZoom


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeLook:
    """A flip is of the display alone: letters follow it, sides and records do not."""

    overlays: bool = True
    names: bool = True
    cross_hair: bool = True
    flipped_sides: frozenset[PlaneName] = frozenset()
    """Left and right of the screen exchanged."""
    flipped_up: frozenset[PlaneName] = frozenset()
    """Up and down of the screen exchanged."""
    zooms: Mapping[PlaneName, PlaneZoom] = field(default_factory=dict)

    def zoom(self, name: PlaneName) -> PlaneZoom:
        return self.zooms.get(name, WHOLE)

    def turn(self, plane: Plane) -> NDArray[np.int64]:
        """How a plane's pixels are turned on the screen."""
        signs = (-1 if plane.name in self.flipped_sides else 1, -1 if plane.name in self.flipped_up else 1)
        found: NDArray[np.int64] = np.diag(signs) @ plane.turn
        return found
