"""A cuboid from a box in a picture and the points that lie in its frustum. Pure NumPy; asked by ``frustum_labels.py``.

The points that project into the box are parted from the ground and into things that hang together; for each the upright
box is fitted (``box_fitting.py``: the usual size of the class completes what the sensor cannot see), and the thing
whose box projects best onto the drawn one is taken. A fence before a car, or a wall behind it, loses by that.
Few points on a far thing say little of its ends: place, size and heading are then moved by small steps, as long as box,
points and usual size together agree better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workstation.core.box_fitting import CLEAR_M, FEWEST_POINTS, Scene, Size, cluster_about, fitted
from workstation.core.cameras import Camera
from workstation.core.connected import connected
from workstation.core.cuboid_edits import inside, yaw_of
from workstation.core.geometry import Cuboid
from workstation.core.ground import ground_near
from workstation.core.poses import RigidTransform
from workstation.core.projection import corners_of, cuboid_corners, project
from workstation.core.rotation import about_z

Floats = NDArray[np.float64]
Bounds = tuple[float, float, float, float]
_MOST_THINGS = 6
_LEAST_SHARE = 0.1
"""A thing with fewer points than this share of the largest is a twig before it, or a hole in it."""
_CELL_M = 0.2
_FARTHEST_M = 120.0
_LINK = 0.035
"""How far two points of one thing may be apart on the map, as a share of its range."""
_PENALTY = 0.02
"""Of overlap that a thing farther away must gain to be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrustumFit:
    """The cuboid, in the frame of the points, and what it rests on."""

    cuboid: Cuboid
    points: int
    """Of the thing, in the frustum."""
    overlap: float
    """Intersection over union of its projection and the drawn box."""
    range_m: float
    apart_ms: float = 0.0
    """The sweep minus the picture the box is from: what moves has moved on by that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frustum:
    """A drawn box (left, top, right, bottom) in a camera, and where the camera is: ``camera_from_points``."""

    bounds: Bounds
    camera: Camera
    camera_from_points: RigidTransform

    def holds(self, points: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which points (n, 3) project into the box."""
        seen = project(self.camera, points, camera_from_frame=self.camera_from_points)
        left, top, right, bottom = self.bounds
        found = np.asarray(seen.valid, np.bool_) & (seen.depth_m > 0)
        with np.errstate(invalid="ignore"):
            found &= (seen.pixels >= np.array((left, top))).all(axis=1)
            found &= (seen.pixels <= np.array((right, bottom))).all(axis=1)
        return found

    def overlap(self, cuboid: Cuboid) -> float:
        """How well a cuboid projects onto the box; 0 where it is not wholly before the camera."""
        return float(self.overlaps(cuboid_corners(cuboid)[None])[0])

    def overlaps(self, corners: Floats) -> Floats:
        """The same of many, by their corners (n, 8, 3): what of their upright rectangles is in the picture."""
        seen = project(self.camera, corners.reshape(-1, 3), camera_from_frame=self.camera_from_points)
        ahead = np.asarray(seen.valid & (seen.depth_m > 0), np.bool_).reshape(-1, 8)
        whole = np.logical_and.reduce(ahead, axis=1)
        pixels = np.where(whole[:, None, None], seen.pixels.reshape(-1, 8, 2), 0.0)
        border = np.array((self.camera.width_px, self.camera.height_px), np.float64)
        low, high = (np.clip(each, 0.0, border) for each in (pixels.min(axis=1), pixels.max(axis=1)))
        start, end = np.array(self.bounds[:2]), np.array(self.bounds[2:])
        shared = np.prod(np.maximum(np.minimum(high, end) - np.maximum(low, start), 0.0), axis=1)
        both = np.prod(end - start) + np.prod(high - low, axis=1) - shared
        found: Floats = np.where(whole & (both > 0), shared / np.maximum(both, 1e-9), 0.0)
        return found


def cuboid_in_frustum(frustum: Frustum, scene: Scene, usual: Size | None = None) -> FrustumFit | None:
    """The cuboid of what is in the box; ``None`` where there are too few points above the ground.

    ``scene.points`` are all points of the sweep with z up; ``scene.ground`` is found anew under each thing.
    ``usual``: length, width and height of such things.
    """
    points = np.asarray(scene.points, np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    rows = np.flatnonzero(frustum.holds(points))
    near = np.linalg.norm(points[rows] - np.array(scene.eye), axis=1) <= _FARTHEST_M
    inner = points[rows[near]]
    best: FrustumFit | None = None
    for thing in _things(inner, points, np.array(scene.eye)):
        found = _fitted(frustum, replace(scene, points=points), thing, usual)
        if found is not None and (best is None or found.overlap > best.overlap + _PENALTY):
            best = found  # nearest first: one that is farther must fit better
    return best


def _things(inner: Floats, points: Floats, eye: Floats) -> Iterator[Floats]:
    """Points of the frustum that hang together above the ground, the nearest of some size first."""
    if len(inner) < FEWEST_POINTS:
        return
    clear = inner[_above_ground(inner, points)]
    found: list[Floats] = []
    rest = clear
    while len(rest) >= FEWEST_POINTS and len(found) < 4 * _MOST_THINGS:
        cells, which = np.unique(np.floor(rest[:, :2] / _CELL_M).astype(np.int64), axis=0, return_inverse=True)
        centers = (cells.astype(np.float64) + 0.5) * _CELL_M
        start = int(np.argmin(((rest[:, :2] - eye[:2]) ** 2).sum(axis=1)))
        which = which.ravel()
        reach = float(np.clip(_LINK * np.linalg.norm(rest[start] - eye), 0.5, 1.0))
        mine = connected(centers, int(which[start]), reach)[which]
        found.append(rest[mine])
        rest = rest[~mine]
    most = max((len(each) for each in found), default=0)
    kept = [each for each in found if len(each) >= max(FEWEST_POINTS, _LEAST_SHARE * most)]
    yield from kept[:_MOST_THINGS]


def _above_ground(inner: Floats, points: Floats) -> NDArray[np.bool_]:
    """By the ground under each place: along the ray of a box it may lie at many heights."""
    above = np.zeros(len(inner), np.bool_)
    cells = np.floor(inner[:, :2] / 8.0).astype(np.int64)
    for cell in np.unique(cells, axis=0):
        mine = (cells == cell).all(axis=1)
        middle = inner[mine, :2].mean(axis=0)
        ground = ground_near(points, (float(middle[0]), float(middle[1])))
        floor = inner[mine, 2].min() if ground is None else ground.at(inner[mine])
        above[mine] = inner[mine, 2] - floor > CLEAR_M
    return above


def _fitted(frustum: Frustum, scene: Scene, thing: Floats, usual: Size | None) -> FrustumFit | None:
    """What is fitted to the whole thing, of which some points may lie beside the box, or to what is in it only; then
    moved, turned and sized by small steps as long as points and picture agree with it better."""
    middle = np.median(thing, axis=0)
    ground = ground_near(scene.points, (float(middle[0]), float(middle[1])))
    here = replace(scene, ground=ground)
    seed = thing[int(np.argmin(((thing - middle) ** 2).sum(axis=1)))]
    whole: Floats = np.asarray(scene.points, np.float64)[cluster_about(here, seed.tolist())]
    best: tuple[float, Cuboid] | None = None
    for part in (thing, whole) if len(whole) <= 2 * len(thing) + 50 else (thing,):
        for heading in (scene.heading_rad, scene.heading_rad + math.pi / 2):
            found = fitted(part, replace(here, heading_rad=heading), usual)
            if found is not None:
                few = part[:: 1 + len(part) // _MOST_POINTS]
                candidate = _Judge(frustum, few, found, usual).improved()
                if best is None or candidate[0] > best[0]:
                    best = candidate
    if best is None:
        return None
    cuboid = best[1]
    return FrustumFit(
        cuboid=cuboid, points=int(inside(cuboid, thing, grown_m=0.1).sum()), overlap=frustum.overlap(cuboid),
        range_m=float(np.linalg.norm(np.array(cuboid.center) - np.array(scene.eye))),
    )  # fmt: skip


@dataclass(slots=True, eq=False)
class _Judge:
    """How well a cuboid goes with box, points and usual size together. Six numbers move: place, size and heading; the
    bottom stays where the ground is."""

    frustum: Frustum
    thing: Floats
    start: Cuboid
    usual: Size | None

    def improved(self) -> tuple[float, Cuboid]:
        """The best of the neighbourhood, by steps that get smaller, and its score."""
        at = np.array([*self.start.center[:2], *self.start.size, yaw_of(self.start)])
        score = float(self._scores(at[None])[0])
        for share in _STEPS:
            steps = np.diag(np.array(_REACH) * share)
            around = np.concatenate([steps, -steps])
            for _ in range(_ROUNDS):
                found = self._scores(at + around)
                best = int(np.argmax(found))
                if found[best] <= score + 1e-6:
                    break
                score, at = float(found[best]), at + around[best]
        x, y, length, width, height, yaw = at.tolist()
        bottom = self.start.center[2] - self.start.size[2] / 2
        return score, Cuboid(
            center=(x, y, bottom + height / 2), size=(length, width, height), rotation=about_z(yaw)
        )  # fmt: skip

    def _scores(self, at: Floats) -> Floats:
        """Of cuboids (n, 6): x, y, length, width, height, heading."""
        bottom = self.start.center[2] - self.start.size[2] / 2
        sizes = np.maximum(at[:, 2:5], _LEAST_M)
        centers = np.column_stack([at[:, :2], bottom + sizes[:, 2] / 2])
        cos, sin = np.cos(at[:, 5]), np.sin(at[:, 5])
        off = self.thing[None] - centers[:, None]
        along = np.abs(off[..., 0] * cos[:, None] + off[..., 1] * sin[:, None])
        across = np.abs(off[..., 1] * cos[:, None] - off[..., 0] * sin[:, None])
        beyond = np.stack([along, across, np.abs(off[..., 2])], -1) - sizes[:, None] / 2
        outside = np.linalg.norm(np.maximum(beyond, 0.0), axis=-1)
        inner = np.maximum(-beyond.max(axis=-1), 0.0)  # to the nearest side, or the roof
        away = np.minimum(2 * outside + inner, _MOST_M).mean(axis=1)
        apart = np.zeros(len(at))
        if self.usual is not None:
            apart = np.abs(np.log(sizes / np.array(self.usual))).sum(axis=1)
        spun = np.column_stack([np.cos(at[:, 5] / 2), np.zeros((len(at), 2)), np.sin(at[:, 5] / 2)])
        found: Floats = self.frustum.overlaps(corners_of(centers, sizes, spun)) - _PER_M * away - _PER_SIZE * apart
        return found


_REACH = (0.4, 0.4, 0.4, 0.2, 0.2, 0.1)
"""The first steps: metres of place and size, radians of heading."""
_STEPS = (1.0, 0.5, 0.25)
_ROUNDS = 8
_MOST_POINTS = 400
_LEAST_M = 0.1
_MOST_M = 1.0
_PER_M = 0.6
"""Overlap that a metre between points and the nearest side is worth, on average over the points."""
_PER_SIZE = 0.12
"""Overlap that a size e times the usual one is worth."""
