"""A box around the thing a person clicked on: its points in the cloud, then the upright box that fits them.

Used by the tool that makes cuboids and by the action that fits one anew. What is seen of a thing is mostly an L: the
two sides that face the sensor. The heading is the one whose edges most points lie close to (closeness criterion of
Zhang et al., 2017); what the sensor cannot see is completed from the usual size of the class, away from the sensor.
Metres, z up; pure NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.core.connected import connected
from workstation.core.cuboid_edits import Vec3, inside, level, yaw_of
from workstation.core.geometry import Cuboid
from workstation.core.ground import Ground
from workstation.core.rotation import about_z

Floats = NDArray[np.float64]
Size = tuple[float, float, float]
FEWEST_POINTS = 4
CLEAR_M = 0.15
"""Points no higher above the ground than this are ground."""
_HIGHEST_M = 4.6
_CELL_M = 0.1
_NEAR_EDGE_M = 0.04
_EDGE_SHARE = 0.004
"""Of the points, so many may stand out of a side: noise and mirrors."""
_SEEN_SHARE = 0.82
"""A side that is seen for less than this share of the usual size is taken to be hidden in part."""
_WIDEST_TURN = math.radians(15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a fit needs to know of where the points were taken."""

    points: NDArray[np.floating]
    """(n, 3)."""
    ground: Ground | None
    eye: Vec3
    """Where the sensor was."""
    heading_rad: float = 0.0
    """Where a front is more likely to look, of two ways that fit alike."""


def cluster_about(scene: Scene, seed: Sequence[float], *, reach_m: float = 8.0) -> NDArray[np.bool_]:
    """Which points belong to the thing at a point: what hangs together on the map, above the ground."""
    points = np.asarray(scene.points, np.float64)
    start = np.asarray(seed, np.float64)
    clear = points[:, 2] - _floor(scene, points, start)
    taken: NDArray[np.bool_] = (clear > CLEAR_M) & (clear < _HIGHEST_M)
    taken &= (np.abs(points[:, :2] - start[:2]) <= reach_m).all(axis=1)
    rows = np.flatnonzero(taken)
    if len(rows) == 0:
        return taken
    cells, which = np.unique(np.floor(points[rows, :2] / _CELL_M).astype(np.int64), axis=0, return_inverse=True)
    centers = (cells.astype(np.float64) + 0.5) * _CELL_M
    nearest = int(np.argmin(((centers - start[:2]) ** 2).sum(axis=1)))
    taken[rows] = connected(centers, nearest, _link_m(scene, start))[which.ravel()]
    return taken


def _floor(scene: Scene, points: Floats, start: Floats) -> Floats:
    if scene.ground is not None:
        return scene.ground.at(points)
    near = points[(np.abs(points[:, :2] - start[:2]) <= 3.0).all(axis=1), 2]
    return np.full(len(points), near.min() if len(near) else start[2] - 1.0)


def _link_m(scene: Scene, start: Floats) -> float:
    """How far two points of one thing may be apart there: farther away the rays are farther apart."""
    away = float(np.linalg.norm(start[:2] - np.array(scene.eye[:2])))
    return float(np.clip(0.012 * away, 0.35, 0.8))


def fitted(
    thing: NDArray[np.floating], scene: Scene, usual: Size | None = None, *, along_rad: float | None = None,
    seen_share: float = _SEEN_SHARE,
) -> Cuboid | None:  # fmt: skip
    """The upright box around the points of one thing (n, 3); ``None`` if there are too few.

    ``usual``: length, width and height of such things, for what is not seen. ``along_rad``: the way its length lies,
    where that is known. ``seen_share``: a side seen for less than this share of the usual is completed.
    """
    points = np.asarray(thing, np.float64)
    if len(points) < FEWEST_POINTS:
        return None
    flat = _thinned(points[:, :2])
    if along_rad is not None:
        yaw = along_rad
    elif usual is not None and _shapeless(flat, usual):
        yaw = scene.heading_rad
    else:
        yaw = _sharpened(flat, _best_yaw(flat, np.radians(np.arange(0.0, 90.0, 1.0))))
    low, high = _edges(_along(flat, yaw))
    seen = high - low
    if along_rad is None and _lies_across(seen, usual):
        yaw += math.pi / 2
        low, high = _edges(_along(flat, yaw))
    if math.cos(yaw - scene.heading_rad) < 0:
        yaw += math.pi
        low, high = -high, -low
    length_width = None if usual is None else usual[:2]
    if usual is not None and _shapeless(flat, usual):
        # Somebody walking reaches out to all sides of what is seen of the body, also towards the sensor.
        low, high = _around((low + high) / 2, np.maximum(high - low, usual[:2]))
    else:
        low, high = _completed(low, high, _along(np.array([scene.eye[:2]]), yaw)[0], length_width, seen_share)
    return _standing(points, scene, yaw, low, high, None if usual is None else usual[2])


def refitted(cuboid: Cuboid, scene: Scene) -> Cuboid | None:
    """A cuboid of known size laid onto the points about it; ``None`` where there are too few to say.

    Its heading changes by at most 15°, and only where two sides can be seen; it stays as high above the ground.
    """
    base = level(cuboid)
    near = np.asarray(scene.points, np.float64)[inside(base, scene.points, grown_m=0.8)]
    if len(near) < FEWEST_POINTS:
        return None
    near = near[near[:, 2] - _floor(scene, near, np.array(cuboid.center)) > CLEAR_M]
    if len(near) < FEWEST_POINTS:
        return None
    flat, yaw = _thinned(near[:, :2]), yaw_of(cuboid)
    low, high = _edges(_along(flat, yaw))
    size = np.array(cuboid.size[:2])
    if not _shapeless(flat, cuboid.size) and ((high - low) > 0.3 * size).all():
        yaw = _sharpened(flat, _best_yaw(flat, yaw + np.radians(np.arange(-15.0, 15.5, 1.0))))
        yaw = float(np.clip(yaw, yaw_of(cuboid) - _WIDEST_TURN, yaw_of(cuboid) + _WIDEST_TURN))
        low, high = _edges(_along(flat, yaw))
    low, high = _laid(low, high, _along(np.array([scene.eye[:2]]), yaw)[0], size)
    middle = _back(((low + high) / 2)[None], yaw)[0]
    height = cuboid.center[2]
    if scene.ground is not None:
        height += scene.ground.under(*middle) - scene.ground.under(*cuboid.center[:2])
    return Cuboid(center=(float(middle[0]), float(middle[1]), float(height)), size=cuboid.size, rotation=about_z(yaw))


def _thinned(flat: Floats) -> Floats:
    """One point a cell of 4 cm, so that what is near the sensor does not outvote the rest."""
    return flat[np.unique(np.floor(flat / 0.04).astype(np.int64), axis=0, return_index=True)[1]]


def _along(flat: Floats, yaw: float) -> Floats:
    """Places (n, 2) along and across a heading."""
    cos, sin = math.cos(yaw), math.sin(yaw)
    return np.column_stack([flat @ (cos, sin), flat @ (-sin, cos)])


def _back(along: Floats, yaw: float) -> Floats:
    cos, sin = math.cos(yaw), math.sin(yaw)
    return np.column_stack([along @ (cos, -sin), along @ (sin, cos)])


def _edges(along: Floats) -> tuple[Floats, Floats]:
    """Lowest and highest along both axes, but for the few that stand out."""
    return _ends(along, 0)


def _ends(values: Floats, axis: int) -> tuple[Floats, Floats]:
    """The lowest and highest along an axis but for the share that stands out: two places of the sorted values. Hundreds
    of times a sweep, and ``np.quantile`` takes four times as long."""
    count = values.shape[axis]
    out = round(_EDGE_SHARE * (count - 1))
    if out == 0:
        return values.min(axis=axis), values.max(axis=axis)
    placed = np.partition(values, (out, count - 1 - out), axis=axis)
    return placed.take(out, axis=axis), placed.take(count - 1 - out, axis=axis)


def _best_yaw(flat: Floats, yaws: Floats) -> float:
    """The heading of these to whose edges most points lie close."""
    cos, sin = np.cos(yaws)[:, None], np.sin(yaws)[:, None]
    best = np.zeros(len(yaws))
    both = [flat[:, 0] * cos + flat[:, 1] * sin, flat[:, 1] * cos - flat[:, 0] * sin]
    off = []
    for along in both:
        low, high = _ends(along, 1)
        off.append(np.minimum(np.abs(along - low[:, None]), np.abs(along - high[:, None])))
    best = (1.0 / np.maximum(np.minimum(*off), _NEAR_EDGE_M)).sum(axis=1)
    return float(yaws[int(np.argmax(best))])


def _sharpened(flat: Floats, yaw: float) -> float:
    return _best_yaw(flat, yaw + np.radians(np.arange(-1.0, 1.05, 0.1)))


def _shapeless(flat: Floats, usual: Size) -> bool:
    """Whether it is so small that its outline tells no heading: a person, a cone."""
    return max(usual[:2]) < 1.3 and float(np.ptp(flat, axis=0).max()) < 1.5


def _lies_across(seen: Floats, usual: Size | None) -> bool:
    """Whether the second axis is the length."""
    if usual is None:
        return bool(seen[1] > seen[0])
    size = np.array(usual[:2])

    def misfit(extent: Floats) -> float:
        return float((4 * np.maximum(0, extent - 1.1 * size) + 0.5 * np.maximum(0, size - extent)).sum())

    return misfit(seen[::-1]) < misfit(seen)


def _completed(
    low: Floats, high: Floats, eye: Floats, usual: Sequence[float] | None, seen_share: float
) -> tuple[Floats, Floats]:  # fmt: skip
    """What is hidden in part gets its usual size, away from the sensor."""
    if usual is None:
        return low, np.maximum(high, low + CLEAR_M)
    size = np.array(usual)
    wanted = np.where(high - low >= seen_share * size, high - low, size)
    return _laid(low, high, eye, wanted)


def _around(middle: Floats, size: Floats) -> tuple[Floats, Floats]:
    return middle - size / 2, middle + size / 2


def _laid(low: Floats, high: Floats, eye: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Stretches of a size onto what is seen: the edge that faces the sensor is the one to trust."""
    middle = (low + high) / 2
    whole = np.abs(high - low - size) < 0.05
    low_faces, high_faces = (eye < low) & ~whole, (eye > high) & ~whole
    start = np.where(low_faces, low, np.where(high_faces, high - size, middle - size / 2))
    return start, start + size


def _standing(
    points: Floats, scene: Scene, yaw: float, low: Floats, high: Floats, usual_height: float | None
) -> Cuboid:
    middle = _back(((low + high) / 2)[None], yaw)[0]
    bottom = float(points[:, 2].min()) if scene.ground is None else scene.ground.under(*middle)
    height = float(_ends(points[:, 2], 0)[1]) - bottom
    if usual_height is not None and height < 0.5 * usual_height:
        height = usual_height
    height = float(max(height, CLEAR_M))
    length, width = np.maximum(high - low, CLEAR_M).tolist()
    return Cuboid(
        center=(float(middle[0]), float(middle[1]), float(bottom + height / 2)),
        size=(length, width, height),
        rotation=about_z(yaw),
    )
