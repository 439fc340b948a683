"""A cuboid for each thing of a sweep: which class it could be by its size, and its box. Part of ``lidar_detect.py``.

The box is the L-shape fit of ``core/box_fitting.py``. Which class a thing is, and which side its length, only sizes can
say here: what is seen must not be larger than things of the class are; what faces the sensor is seen whole; what lies
along the ray may be hidden, and is completed to the usual size away from the sensor. The score says how well size and
number of points go together with the class; it is no probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from workstation.core.box_fitting import Scene, Size, fitted
from workstation.core.cuboid_edits import yaw_of
from workstation.core.geometry import Cuboid
from workstation.core.ground import Ground
from workstation.prelabel.api import FoundCuboid
from workstation.prelabel.lidar_clusters import HIGHEST_M
from workstation.prelabel.lidar_ground import GroundGrid

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Vec3 = tuple[float, float, float]
FEWEST_POINTS = 5
_LONGEST_M = 20.0
_LEAST_HEIGHT_M = 0.45
_TOO_LARGE = 5.0
"""How much dearer it is to be larger than the class than smaller."""
_LEAST_SCORE = 0.12
_SLENDER_M = 1.0
_POST_M = 0.28
_CROWN_M = 0.5
_BEYOND_M = 0.05
"""Half of what lies between two rays, or nearly: by so much a vehicle is larger than its hits to each side."""
_STEEPNESS_SLACK = 0.035
"""Between two rays, or nearly."""
_ENOUGH = 40.0
"""Points that say all; with a tenth of them a box is half as sure."""
_MOST_POINTS = 600
"""Of a thing, for its box; more say no more and a lorry beside the sensor has thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What is seen of a thing along two sides at right angles, and how high its top is above the ground."""

    sides_m: tuple[float, float]
    faces: tuple[float, float]
    """How squarely each side lies across the ray: 1 is seen from end to end, 0 from its end only."""
    yaw_rad: float
    """Of the first side."""
    top_m: float
    """From the ground to the highest point."""
    body_m: float
    """From its lowest point to its highest."""
    cut: bool = False
    """Whether it goes on above the highest ray, so that nobody knows how high it is."""
    under: bool = False
    """Whether something hangs right above it, as a crown does over its trunk."""
    points: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Boxer:
    """Fits boxes to things of one sweep. ``points`` (n, 3) are those above the ground."""

    points: Floats
    ground: GroundGrid
    sizes: Mapping[str, Size]
    eye: Vec3
    heading_rad: float
    steepest: float
    common: Mapping[str, float]
    over: Floats

    @classmethod
    def of(
        cls, points: Floats, ground: GroundGrid, sizes: Mapping[str, Size], *, eye: Vec3, heading_rad: float = 0.0,
        common: Mapping[str, float] = {}, over: Floats | None = None,
    ) -> Boxer:  # fmt: skip
        """For a sweep; ``sizes``: length, width and height by class; ``common``: how much a class is to be believed
        where size alone leaves several, 1 if not said; ``over`` (m, 3): what hangs above the points with air
        between."""
        steepest = float(_steepness(points, eye).max(initial=0.0)) - _STEEPNESS_SLACK
        hanging = np.empty((0, 3)) if over is None else over
        return cls(points, ground, sizes, eye, heading_rad, steepest, common, hanging)

    def worth(self, rows: Rows) -> float:
        """How well points go with the best class, 0 to 1; more of them are worth more."""
        seen = self._seen(rows)
        return 0.0 if seen is None else self._best(seen[1])[1] * _sureness(len(rows))

    def boxes(self, parts: Sequence[Rows]) -> list[FoundCuboid]:
        """The cuboids of what some class fits, best first; their ``points`` are rows of the points above the ground."""
        found = [made for rows in parts if len(rows) >= FEWEST_POINTS and (made := self._box(rows)) is not None]
        return sorted(found, key=lambda each: -each.score)

    def _box(self, rows: Rows) -> FoundCuboid | None:
        seen = self._seen(rows)
        if seen is None:
            return None
        scene, extent = seen
        label, fits, along_rad = self._best(extent)
        score = fits * _sureness(len(rows))
        if score < _LEAST_SCORE:
            return None
        # Of a crowded street most is hidden in part: what is seen shorter than usual is more often that than short.
        cuboid = fitted(scene.points, scene, self.sizes[label], along_rad=along_rad, seen_share=1.0)
        return None if cuboid is None else _found(_rounded_off(cuboid, self.sizes[label][2]), label, score, rows)

    def _best(self, extent: Extent) -> tuple[str, float, float]:
        """The class that goes best with it, how well, and the heading it then has."""
        best = ("", 0.0, extent.yaw_rad)
        for name, size in self.sizes.items():
            fits, across = fit_of(extent, size)
            fits *= self.common.get(name, 1.0)
            if fits > best[1]:
                best = (name, fits, extent.yaw_rad + (math.pi / 2 if across else 0.0))
        return best

    def _seen(self, rows: Rows) -> tuple[Scene, Extent] | None:
        """The thing as a scene of its own, and what is seen of it; ``None`` of a kerb, a wall, a pole, a tree."""
        thing = self.points[rows[:: 1 + len(rows) // _MOST_POINTS]]
        if float(np.ptp(thing[:, :2], axis=0).max()) > _LONGEST_M:
            return None
        middle = np.median(thing, axis=0)
        height = float(self.ground.at(middle[None])[0])
        top_m = float(self.points[rows, 2].max()) - height
        if not _LEAST_HEIGHT_M < top_m < HIGHEST_M:
            return None
        scene = Scene(points=thing, ground=Ground(height=height), eye=self.eye, heading_rad=self.heading_rad)
        bare = fitted(thing, scene)
        if bare is None:
            return None
        yaw = yaw_of(bare)
        ray = middle[:2] - np.array(self.eye[:2])
        ray /= max(float(np.linalg.norm(ray)), 1e-9)
        facing = abs(float(ray[1]) * math.cos(yaw) - float(ray[0]) * math.sin(yaw))
        extent = Extent(
            sides_m=bare.size[:2], faces=(facing, math.sqrt(max(0.0, 1 - facing * facing))), yaw_rad=yaw,
            top_m=top_m, body_m=float(np.ptp(self.points[rows, 2])),
            cut=bool(_steepness(thing, self.eye).max() > self.steepest),
            under=self._is_under(middle, float(self.points[rows, 2].max())), points=len(rows),
        )  # fmt: skip
        return scene, extent

    def _is_under(self, middle: Floats, top: float) -> bool:
        near = (np.abs(self.over[:, :2] - middle[:2]) < _CROWN_M).all(axis=1)
        return bool((np.abs(self.over[near, 2] - top) < _CROWN_M).any())


def fit_of(extent: Extent, size: Size) -> tuple[float, bool]:
    """How well what is seen goes with a class, 0 to 1, and whether its second side is then the length."""
    (first, second), (faces, faces_too) = extent.sides_m, extent.faces
    along = _misfit(first, size[0], faces) + _misfit(second, size[1], faces_too)
    across = _misfit(second, size[0], faces_too) + _misfit(first, size[1], faces)
    cost = min(along, across) + _misfit(extent.top_m, size[2], 1.0)
    # A person or a cone reaches down to the ground; the crown of a tree does not.
    if extent.body_m < 0.4 * size[2]:
        cost += 0.5
    if min(size[:2]) < _SLENDER_M and (extent.under or _is_post(extent)):
        cost += 1.5  # a trunk, a lamp
    # A post is as high as a lorry and nowhere near as wide.
    if max(extent.sides_m) < 0.4 * min(size[:2]) and min(size[:2]) > _SLENDER_M:
        cost += 1.5
    # A face without depth that goes on upwards is more likely a wall.
    if extent.cut and min(extent.sides_m) < 0.6 * min(size[:2]):
        cost += 1.4
    return math.exp(-cost), across < along


def _rounded_off(cuboid: Cuboid, usual_m: float) -> Cuboid:
    """A vehicle goes on a little beyond its outermost hits, between two rays, and is as high as usual where less is
    seen: it reaches down then, since its roof shows and the road under it does not."""
    length, width, height = cuboid.size
    if width < _SLENDER_M:
        return cuboid
    x, y, z = cuboid.center
    top, tall = z + height / 2 + _BEYOND_M, max(height, usual_m) + _BEYOND_M
    return replace(
        cuboid, size=(length + 2 * _BEYOND_M, width + 2 * _BEYOND_M, tall), center=(x, y, top - tall / 2)
    )  # fmt: skip


def _is_post(extent: Extent) -> bool:
    """Thinner than anybody, and seen well enough to say so."""
    return extent.points >= _ENOUGH / 4 and max(extent.sides_m) < _POST_M


def _misfit(seen_m: float, usual_m: float, faces: float) -> float:
    ratio = seen_m / usual_m
    return _TOO_LARGE * max(0.0, ratio - 1.12) + (0.1 + 1.1 * faces) * max(0.0, 0.85 - ratio)


def _sureness(points: int) -> float:
    return min(1.0, 0.5 + 0.5 * math.log10(10 * points / _ENOUGH)) if points < _ENOUGH else 1.0


def _steepness(points: NDArray[np.floating], eye: Vec3) -> Floats:
    """How steeply the rays to points (n, 3) rise."""
    off = np.asarray(points, np.float64) - np.array(eye)
    found: Floats = off[:, 2] / np.maximum(np.hypot(off[:, 0], off[:, 1]), 0.1)
    return found


def _found(cuboid: Cuboid, label: str, score: float, rows: Rows) -> FoundCuboid:
    return FoundCuboid(
        center=cuboid.center, size=cuboid.size, rotation=cuboid.rotation, label=label, score=round(score, 4),
        points=rows,
    )  # fmt: skip
