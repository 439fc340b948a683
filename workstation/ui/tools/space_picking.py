"""Which cuboid lies under the pointer: rays against oriented boxes. Shared by the tools of views into space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from workstation.core.geometry import Cuboid
from workstation.core.projection import EDGES, cuboid_corners
from workstation.core.rotation import matrix_of
from workstation.ui.tools.space_tool import SpacePointer, Vec3

Floats = NDArray[np.float64]
_EDGES = np.array(EDGES)


def entry(cuboid: Cuboid, origin: Vec3, direction: Vec3) -> float | None:
    """How far along a ray it enters a cuboid; ``None`` if it misses. Below zero: the ray begins inside or behind."""
    turn = matrix_of(cuboid.rotation)
    start = (np.array(origin) - np.array(cuboid.center)) @ turn
    way = np.array(direction) @ turn
    half = np.array(cuboid.size) / 2
    with np.errstate(all="ignore"):
        one, other = (-half - start) / way, (half - start) / way
    parallel = np.abs(way) < 1e-12
    if np.any(parallel & (np.abs(start) > half)):
        return None
    near = np.where(parallel, -np.inf, np.minimum(one, other)).max()
    far = np.where(parallel, np.inf, np.maximum(one, other)).min()
    return None if near > far or far < 0 else float(near)


def under(cuboids: Mapping[str, Cuboid], event: SpacePointer, *, reach_px: float = 6.0) -> list[str]:
    """Cuboids under the pointer, nearest first: those the ray enters, then those with an edge within reach."""
    close = [key for key, near in zip(cuboids, _near_ray(list(cuboids.values()), event), strict=True) if near]
    entered = {key: entry(cuboids[key], event.origin, event.direction) for key in close}
    inside = {key: far for key, far in entered.items() if far is not None}
    beside = {}
    for key in set(close) - inside.keys():
        off = _edge_distance_px(cuboids[key], event)
        if off <= reach_px:
            beside[key] = off
    return sorted(inside, key=lambda key: inside[key]) + sorted(beside, key=lambda key: beside[key])


def _near_ray(cuboids: Sequence[Cuboid], event: SpacePointer) -> list[bool]:
    """Which of them the pointer can touch at all, all at once: the others need no closer look."""
    if not cuboids:
        return []
    off = np.array([each.center for each in cuboids]) - np.array(event.origin)
    along = off @ np.array(event.direction)
    away = np.linalg.norm(off - along[:, None] * np.array(event.direction), axis=1)
    radius = np.linalg.norm([each.size for each in cuboids], axis=1) / 2
    found: list[bool] = (away <= radius + 0.3 + 0.03 * np.abs(along)).tolist()
    return found


def _edge_distance_px(cuboid: Cuboid, event: SpacePointer) -> float:
    """How many pixels the pointer is from the nearest painted edge; infinity where part of it lies behind."""
    px, _, in_front = event.look.project(cuboid_corners(cuboid))
    if not in_front.all():
        return float("inf")
    starts, ends = px[_EDGES[:, 0]], px[_EDGES[:, 1]]
    way = ends - starts
    off = np.array(event.pixel) - starts
    length = np.maximum((way * way).sum(-1), 1e-12)
    share = np.clip((off * way).sum(-1) / length, 0, 1)[:, None]
    return float(np.linalg.norm(off - share * way, axis=-1).min())
