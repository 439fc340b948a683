"""The points about one cuboid, for the views that look straight at it: those in it bright, those beside it dimmed.

Used by the side views of the cloud pane and by the strip. What lies before or behind the cuboid in the direction of
the look is left out, so that a side view shows the thing and not the street behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.core.cuboid_edits import axes_of
from workstation.core.geometry import Cuboid
from workstation.ui.scenes.cloud_scene import PointLayer
from workstation.ui.scenes.space_view import Side, SpaceView

BESIDE = 0.8
"""Of the cuboid's own size, so much is seen beside it."""
_LEAST_BESIDE_M, _MOST_BESIDE_M, _DEPTH_M = 1.0, 4.0, 0.4
_DIMMED = 0.45
DEPTH_AXIS = {Side.TOP: 2, Side.SIDE: 1, Side.FRONT: 0}
"""The axis of the cuboid that a look goes along."""
TITLES = {Side.TOP: "Top", Side.SIDE: "Side", Side.FRONT: "Front"}


class Layers(Protocol):
    """What makes the coloured points (``SweepPoints``)."""

    @property
    def count(self) -> int: ...
    def layers(self) -> Sequence[PointLayer]: ...


def beside_m(cuboid: Cuboid) -> NDArray[np.float64]:
    """(3,) how much is seen beside it along its axes."""
    return np.clip(np.array(cuboid.size) * BESIDE / 2, _LEAST_BESIDE_M, _MOST_BESIDE_M)


def straight(view: SpaceView, side: Side, cuboid: Cuboid, zoom: float) -> SpaceView:
    """A straight look at a cuboid with what is beside it; ``zoom`` above one comes nearer."""
    size = (np.array(cuboid.size) + 2 * beside_m(cuboid)) / zoom
    return view.straight_at(side, cuboid.center, size, axes_of(cuboid))


class NearPoints:
    """The points of other layers that lie about a cuboid. Made for one side, on the render thread, once."""

    def __init__(self, base: Layers, cuboid: Cuboid, side: Side, *, size_px: int) -> None:
        self.base, self.cuboid, self.side = base, cuboid, side
        self._size_px = size_px

    @property
    def count(self) -> int:
        return self.base.count

    def same_as(self, other: NearPoints | None) -> bool:
        """Whether nothing would look different."""
        if other is None:
            return False
        return self.base is other.base and self.cuboid == other.cuboid and self.side is other.side

    def layers(self) -> Sequence[PointLayer]:
        return [near(each, self.cuboid, self.side, self._size_px) for each in self.base.layers()]


def near(layer: PointLayer, cuboid: Cuboid, side: Side, size_px: int) -> PointLayer:
    """The part of a layer about a cuboid."""
    half, margin = np.array(cuboid.size) / 2, beside_m(cuboid) * 2
    margin[DEPTH_AXIS[side]] = _DEPTH_M
    reach = float(np.linalg.norm(half + margin))
    there = np.flatnonzero((np.abs(layer.points - np.array(cuboid.center, np.float32)) <= reach).all(axis=1))
    own = np.abs((layer.points[there].astype(np.float64) - np.array(cuboid.center)) @ axes_of(cuboid))
    kept = (own <= half + margin).all(axis=1)
    inside = (own[kept] <= half).all(axis=1)
    colours = layer.colours[there[kept]]
    dimmed = np.where(inside[:, None], colours, (colours * _DIMMED).astype(np.uint8)).astype(np.uint8)
    return PointLayer(key=layer.key, points=layer.points[there[kept]], colours=dimmed, size_px=size_px)
