"""A spinning LiDAR in the generated world: every beam at its own time, from where the car is at that time.

The beams meet the same meshes that the cameras see (decals have no thickness and are left out). Ego motion within a
sweep therefore bends the cloud the way a real one is bent; moving things smear in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.synth.mesh import Finish, Mesh
from workstation.synth.pose import Floats, Path6, Pose, rotations
from workstation.synth.scenery import Block, Ground

SWEEP_NS = 100_000_000
LOW_M, LOW_REACH_M = 0.3, 45.0
"""What is lower (kerbs: most of the scenery) is left out beyond so many metres, where rings lie 0.7 m apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lidar:
    """One spinning sensor. It turns clockwise seen from above and looks forward at the sweep's reference time."""

    key: str
    ego_from_lidar: Pose
    rings: int = 32
    columns: int = 540
    lowest_deg: float = -24.0
    highest_deg: float = 6.0
    field_deg: float = 360.0
    range_m: float = 120.0
    noise_m: float = 0.012
    nearest_m: float = 1.2
    weakest: float = 0.012
    """Echoes under this strength are lost."""

    def elevations(self) -> Floats:
        """Ring angles above the horizon, lowest first, radians."""
        return np.radians(np.linspace(self.lowest_deg, self.highest_deg, self.rings))

    def offsets_s(self) -> Floats:
        """Per column: seconds from the sweep's reference time (from −half to +half a turn)."""
        return ((np.arange(self.columns) + 0.5) / self.columns - 0.5) * (SWEEP_NS / 1e9) * self.field_deg / 360.0

    def azimuths(self) -> Floats:
        """Per column: bearing in the sensor frame, left positive; falls with time because it turns clockwise."""
        return math.radians(self.field_deg) * (0.5 - (np.arange(self.columns) + 0.5) / self.columns)


@dataclass(frozen=True, slots=True)
class Body:
    """Something a beam can hit: its mesh in its own frame, how it moves (``None``: the mesh is in the world)."""

    mesh: Mesh
    path: Path6 | None
    number: int
    reflectivity: float


@dataclass(frozen=True, slots=True)
class Sweep:
    """One turn, as measured: points in the sensor frame *at each point's own time*, metres."""

    points: NDArray[np.float32]
    intensity: NDArray[np.float32]
    """0 to 1."""
    ring: NDArray[np.uint16]
    time_s: NDArray[np.float32]
    """From the sweep's reference time."""
    number: NDArray[np.uint8]
    """Which actor was hit; 0 is the scenery. Not written to the media: it is truth."""


@dataclass(frozen=True, slots=True)
class _Solid:
    planes: Floats
    reflectivities: Floats
    center: Floats
    radius: float
    path: Path6 | None
    number: int


class Caster:
    """Casts sweeps; keeps the scenery's triangles between them."""

    def __init__(self, blocks: Sequence[Block], ground: Ground, ego: Path6) -> None:
        self._scenery = [_solid(Body(block.mesh, None, 0, block.reflectivity)) for block in blocks]
        self._centers = np.array([solid.center for solid in self._scenery])
        self._radii = np.array([solid.radius for solid in self._scenery])
        low = np.array([block.mesh.vertices[:, 2].max() < LOW_M for block in blocks])
        self._limits = np.where(low, LOW_REACH_M, np.inf)
        self._ground = ground
        self._ego = ego
        self._cache: dict[int, _Solid] = {}
        self._still: tuple[bytes, tuple[Floats, Floats, NDArray[np.uint8]]] | None = None

    def sweep(
        self, lidar: Lidar, time_s: float, bodies: Sequence[Body], rng: np.random.Generator, *, ground: bool = True
    ) -> Sweep:
        """The sweep whose reference time is ``time_s``; without ``ground`` only what stands on it echoes."""
        moments = time_s + lidar.offsets_s()
        ego = self._ego.at(moments)
        turns = rotations(ego[3], ego[4], ego[5])
        turns_to_sensor = turns @ lidar.ego_from_lidar.rotation
        origins = np.einsum("cij,j->ci", turns, lidar.ego_from_lidar.translation) + ego[:3].T
        local = _directions(lidar)
        rays = np.einsum("cij,crj->cri", turns_to_sensor, local)
        distance, reflect, number = self._scenery_hits(lidar, origins, rays, moments, ground=ground)
        for body in bodies:
            solid = self._cache.get(id(body.mesh))
            if solid is None:
                solid = self._cache[id(body.mesh)] = _solid(body)
            _cast(
                _Solid(solid.planes, solid.reflectivities, solid.center, solid.radius, body.path, body.number),
                origins,
                rays,
                moments,
                distance,
                reflect,
                number,
            )
        return _measured(lidar, local, distance, reflect, number, rng)

    def _scenery_hits(
        self, lidar: Lidar, origins: Floats, rays: Floats, moments: Floats, *, ground: bool
    ) -> tuple[Floats, Floats, NDArray[np.uint8]]:
        """What does not move. A car that stands sees the same again, which makes ten minutes at the kerb affordable."""
        place = lidar.key.encode() + bytes([ground]) + origins.tobytes() + rays[:2].tobytes()
        if self._still is not None and self._still[0] == place:
            distance, reflect, number = self._still[1]
            return distance.copy(), reflect.copy(), number.copy()
        distance, reflect, number = self._ground_hits(origins, rays)
        if not ground:
            distance = np.full_like(distance, np.inf)
        where = origins.mean(axis=0)
        near = np.hypot(*(self._centers[:, :2] - where[:2]).T) - self._radii < np.minimum(self._limits, lidar.range_m)
        for i in np.flatnonzero(near):
            _cast(self._scenery[i], origins, rays, moments, distance, reflect, number)
        self._still = place, (distance.copy(), reflect.copy(), number.copy())
        return distance, reflect, number

    def clear(self, origin: Floats, target: Floats) -> bool:
        """Whether no piece of scenery stands between two places."""
        ray = target - origin
        length = float(np.linalg.norm(ray))
        ray = ray / length
        toward = self._centers - origin
        along = toward @ ray
        beside = np.linalg.norm(toward - along[:, None] * ray, axis=1)
        for i in np.flatnonzero((along > 0) & (along - self._radii < length) & (beside < self._radii)):
            if _nearest(origin[None], ray[None], self._scenery[i].planes)[0][0] < length - 0.5:
                return False
        return True

    def _ground_hits(self, origins: Floats, rays: Floats) -> tuple[Floats, Floats, NDArray[np.uint8]]:
        down = rays[..., 2] < -1e-4
        distance = np.where(down, -origins[:, None, 2] / np.where(down, rays[..., 2], -1.0), np.inf)
        flat = np.where(np.isfinite(distance), distance, 0.0)
        x, y = (origins[:, None, i] + rays[..., i] * flat for i in (0, 1))
        grazing = np.maximum(-rays[..., 2], 0.02)
        reflect = np.clip(self._ground.brightness(x, y) ** 2 * 0.75 * grazing**0.3, 0.01, 1.0)
        return distance, reflect, np.zeros(distance.shape, np.uint8)


def _directions(lidar: Lidar) -> Floats:
    """C×R×3 unit beams in the sensor frame."""
    azimuth, rise = lidar.azimuths()[:, None], lidar.elevations()[None, :]
    level = np.cos(rise)
    return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(rise) + 0 * azimuth], axis=-1)


def _solid(body: Body) -> _Solid:
    triangles, faces = body.mesh.triangles()
    points = body.mesh.vertices
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    shine = body.reflectivity * (0.35 + 0.65 * body.mesh.colors[faces].mean(axis=1) / 255.0)
    shine = np.where(body.mesh.finishes[faces] == Finish.RETROREFLECTIVE, 1.0, shine)
    return _Solid(
        _planes(triangles), shine, middle, float(np.linalg.norm(points - middle, axis=1).max()), body.path, body.number
    )


def _cast(
    solid: _Solid,
    origins: Floats,
    rays: Floats,
    moments: Floats,
    distance: Floats,
    reflect: Floats,
    number: NDArray[np.uint8],
) -> None:
    """Shortens the beams that meet ``solid``; the arrays are changed in place."""
    if solid.path is None:
        center = np.broadcast_to(solid.center, origins.shape)
        turns = None
        places = None
    else:
        motion = solid.path.at(moments)
        turns = rotations(motion[3], motion[4], motion[5])
        places = motion[:3].T
        center = np.einsum("cij,j->ci", turns, solid.center) + places
    toward = center - origins
    gap = np.linalg.norm(toward, axis=1)
    reach = np.minimum(solid.radius / np.maximum(gap, solid.radius), 1.0)
    # Beams whose angle to the middle is under the angle the ball around the thing fills.
    middle_column = rays[:, rays.shape[1] // 2]
    flat = middle_column[:, 0] * toward[:, 0] + middle_column[:, 1] * toward[:, 1]
    away = np.hypot(toward[:, 0], toward[:, 1])
    level = np.hypot(middle_column[:, 0], middle_column[:, 1]) * away
    flat_reach = np.minimum(solid.radius / np.maximum(away, solid.radius), 1.0)
    columns = np.flatnonzero((flat >= level * np.sqrt(1 - flat_reach**2) - 1e-9) | (flat_reach >= 1.0))
    if not len(columns):
        return
    along = (rays[columns] @ toward[columns, :, None])[..., 0]
    close = along >= gap[columns, None] * np.sqrt(1 - reach[columns, None] ** 2) - 1e-9
    picked, ring = np.nonzero(close)
    if not len(picked):
        return
    column = columns[picked]
    origin, ray = origins[column], rays[column, ring]
    if turns is not None and places is not None:
        inverse = np.swapaxes(turns[column], 1, 2)
        origin = np.einsum("nij,nj->ni", inverse, origin - places[column])
        ray = np.einsum("nij,nj->ni", inverse, ray)
    hit, which = _nearest(origin, ray, solid.planes)
    better = hit < distance[column, ring]
    column, ring, hit, which = column[better], ring[better], hit[better], which[better]
    distance[column, ring] = hit
    reflect[column, ring] = solid.reflectivities[which]
    number[column, ring] = solid.number


def _nearest(origin: Floats, ray: Floats, planes: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Distance to the nearest triangle per beam (infinite if none) and its number.

    ``planes`` is 3×4×T: per triangle the plane and its two edge coordinates as rows of (x, y, z, offset), so that a
    beam's distance and place inside the triangle come from matrix products: several times faster than Möller–Trumbore.
    """
    best = np.full(len(origin), np.inf)
    which = np.zeros(len(origin), np.int64)
    for start in range(0, len(origin), 4096):
        o, d = origin[start : start + 4096], ray[start : start + 4096]
        steep = d @ planes[0, :3]
        steep[np.abs(steep) < 1e-12] = 1e-12
        t = -(o @ planes[0, :3] + planes[0, 3]) / steep
        u = o @ planes[1, :3] + planes[1, 3] + t * (d @ planes[1, :3])
        v = o @ planes[2, :3] + planes[2, 3] + t * (d @ planes[2, :3])
        t[(u < -1e-9) | (v < -1e-9) | (u + v > 1 + 1e-9) | (t < 0.05)] = np.inf
        nearest = t.argmin(axis=1)
        which[start : start + 4096] = nearest
        best[start : start + 4096] = t[np.arange(len(t)), nearest]
    return best, which


def _planes(triangles: Floats) -> Floats:
    """3×4×T of ``_nearest`` from T×3×3 corners: plane, share along the first edge, share along the second."""
    a, ab, ac = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    normal = np.cross(ab, ac)
    square = np.maximum((normal**2).sum(axis=1, keepdims=True), 1e-18)
    first, second = np.cross(ac, normal) / square, np.cross(normal, ab) / square
    rows = [np.concatenate([row, -(row * a).sum(axis=1, keepdims=True)], axis=1).T for row in (normal, first, second)]
    return np.stack(rows)


def _measured(
    lidar: Lidar, local: Floats, distance: Floats, reflect: Floats, number: NDArray[np.uint8], rng: np.random.Generator
) -> Sweep:
    noisy = distance + rng.normal(0, lidar.noise_m, distance.shape)
    strength = reflect / np.maximum(distance / 25.0, 1.0) ** 2
    # A weak echo is lost: dark asphalt ends near 50 m, a sign is seen to the end of the range.
    kept = (
        (distance < lidar.range_m)
        & (strength > lidar.weakest * (1 + 0.8 * rng.random(distance.shape)))
        & (distance > lidar.nearest_m)
    )
    column, ring = np.nonzero(kept)
    points = local[column, ring] * noisy[column, ring, None]
    intensity = np.clip(reflect[column, ring] * (0.9 + 0.2 * rng.random(len(column))), 0, 1)
    return Sweep(
        points.astype(np.float32),
        intensity.astype(np.float32),
        ring.astype(np.uint16),
        lidar.offsets_s()[column].astype(np.float32),
        number[column, ring],
    )
