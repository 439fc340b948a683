"""Coloured polygon meshes and the builder that makes them; shared by the pictures, the LiDAR and the truth boxes.

A mesh is in its object's own frame (x forward, y left, z up, metres, origin on the ground below the middle).
Faces are planar, wound counter-clockwise seen from outside. A *decal* (window, lamp, stripe) lies on a solid face and
is painted right after it; the LiDAR ignores decals, because they have no thickness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from workstation.synth.pose import Floats

Color = tuple[int, int, int]
Point3 = tuple[float, float, float]


class Finish(IntEnum):
    """How a face answers light."""

    MATT = 0
    GLASS = 1
    BRAKE_LAMP = 2
    HEAD_LAMP = 3
    GLOWING = 4
    RETROREFLECTIVE = 5


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Vertices V×3; faces F×K vertex numbers (the last repeated to fill a row); per face what painting needs."""

    vertices: Floats
    faces: NDArray[np.int32]
    colors: NDArray[np.float32]
    """F×3 RGB, 0 to 255."""
    finishes: NDArray[np.int8]
    parents: NDArray[np.int32]
    """F: the solid face a decal lies on; a solid face names itself."""
    pictures: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    """face number → RGB picture stretched over that quad (corners: top left, bottom left, bottom right, top right)."""
    _normals: list[Floats] = field(init=False, repr=False, default_factory=list)
    """The normals once they were asked for: what is filmed stands in hundreds of frames."""

    @property
    def solids(self) -> NDArray[np.int32]:
        """Faces that are not decals."""
        numbers = np.arange(len(self.faces), dtype=np.int32)
        solid: NDArray[np.int32] = numbers[self.parents == numbers]
        return solid

    def normals(self) -> Floats:
        """F×3 unit normals (Newell's method, so that polygons with many corners are right)."""
        if not self._normals:
            corners = self.vertices[self.faces]
            nxt = np.roll(corners, -1, axis=1)
            normal = _crossed(corners, nxt).sum(axis=1)
            length = np.linalg.norm(normal, axis=1, keepdims=True)
            self._normals.append(normal / np.maximum(length, 1e-12))
        return self._normals[0]

    def triangles(self) -> tuple[Floats, NDArray[np.int32]]:
        """T×3×3 triangles of the solid faces (ear clipping is not needed: see ``polygon``) and their faces."""
        solids = self.solids
        rings = self.faces[solids]
        corners = 1 + np.count_nonzero(np.diff(rings, axis=1), axis=1)
        chunks: list[Floats] = []
        owners: list[NDArray[np.int32]] = []
        places = self.vertices[rings]
        plain = corners == 3
        if rings.shape[1] > 3:  # a quad that its first diagonal cuts into two halves of one side; walkers have hundreds
            first, second = places[:, [0, 1, 2]], places[:, [0, 2, 3]]
            plain |= (corners == 4) & (np.einsum("ij,ij->i", _areas(first), _areas(second)) > 0)
            halves = plain & (corners == 4)
            chunks.append(second[halves])
            owners.append(solids[halves])
        chunks.append(places[plain][:, :3])
        owners.append(solids[plain])
        for i in np.flatnonzero(~plain):
            cut = _triangulate(places[i, : corners[i]])
            chunks.append(np.array(cut).reshape(-1, 3, 3))
            owners.append(np.full(len(cut), solids[i], np.int32))
        return np.concatenate(chunks).reshape(-1, 3, 3), np.concatenate(owners)


def sides_of_box(hx: float, hy: float, hz: float) -> list[list[Point3]]:
    """The corners of front, back, left, right, top and bottom of a box around the origin, from its half extents."""
    return [
        [(hx, -hy, -hz), (hx, hy, -hz), (hx, hy, hz), (hx, -hy, hz)],
        [(-hx, hy, -hz), (-hx, -hy, -hz), (-hx, -hy, hz), (-hx, hy, hz)],
        [(hx, hy, -hz), (-hx, hy, -hz), (-hx, hy, hz), (hx, hy, hz)],
        [(-hx, -hy, -hz), (hx, -hy, -hz), (hx, -hy, hz), (-hx, -hy, hz)],
        [(-hx, -hy, hz), (hx, -hy, hz), (hx, hy, hz), (-hx, hy, hz)],
        [(-hx, hy, -hz), (hx, hy, -hz), (hx, -hy, -hz), (-hx, -hy, -hz)],
    ]


def _areas(triangles: Floats) -> Floats:
    """N×3 normals as long as twice the area."""
    normals: Floats = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return normals


class MeshBuilder:
    """Collects faces; every method that adds a solid returns the number of its face."""

    def __init__(self) -> None:
        self._vertices: list[Point3] = []
        self._faces: list[list[int]] = []
        self._colors: list[Color] = []
        self._finishes: list[int] = []
        self._parents: list[int] = []
        self._pictures: dict[int, NDArray[np.uint8]] = {}

    def polygon(
        self, points: Sequence[Point3], color: Color, finish: Finish = Finish.MATT, *, on: int | None = None
    ) -> int:
        """One planar face, counter-clockwise from outside; ``on`` makes it a decal of that face."""
        number = len(self._faces)
        start = len(self._vertices)
        self._vertices.extend(points)
        self._faces.append(list(range(start, start + len(points))))
        self._colors.append(color)
        self._finishes.append(int(finish))
        self._parents.append(number if on is None else on)
        return number

    def picture(self, points: Sequence[Point3], image: NDArray[np.uint8], *, on: int | None = None) -> int:
        """A quad that carries a picture; ``points`` are its top left, top right, bottom right and bottom left."""
        mean = tuple(int(v) for v in image.reshape(-1, 3).mean(axis=0))
        top_left, top_right, bottom_right, bottom_left = points
        ring = (top_left, bottom_left, bottom_right, top_right)  # counter-clockwise seen from outside
        number = self.polygon(ring, (mean[0], mean[1], mean[2]), on=on)
        self._pictures[number] = image
        return number

    def box(self, center: Point3, size: Point3, color: Color, finish: Finish = Finish.MATT, yaw: float = 0.0) -> int:
        """A box; returns the first of its six faces: front, back, left, right, top, bottom."""
        c, s = math.cos(yaw), math.sin(yaw)
        hx, hy, hz = (v / 2 for v in size)

        def corner(x: float, y: float, z: float) -> Point3:
            return center[0] + c * x - s * y, center[1] + s * x + c * y, center[2] + z

        numbers = [self.polygon([corner(*p) for p in side], color, finish) for side in sides_of_box(hx, hy, hz)]
        return numbers[0]

    def extrude(
        self, profile: Sequence[tuple[float, float]], half_width: float, color: Color
    ) -> tuple[int, int, list[int]]:
        """A side profile (x, z; counter-clockwise seen from the right, y negative) made ``half_width`` wide each way.

        Returns the right side, the left side, and the strip faces, one per profile edge.
        """
        right = self.polygon([(x, -half_width, z) for x, z in profile], color)
        left = self.polygon([(x, half_width, z) for x, z in reversed(profile)], color)
        strip: list[int] = []
        count = len(profile)
        for i in range(count):
            (x0, z0), (x1, z1) = profile[i], profile[(i + 1) % count]
            strip.append(
                self.polygon(
                    [(x1, -half_width, z1), (x0, -half_width, z0), (x0, half_width, z0), (x1, half_width, z1)], color
                )
            )
        return right, left, strip

    def wheel(self, x: float, y: float, radius: float, width: float, outward: int) -> None:
        """A wheel standing on the ground; ``outward`` is +1 where its hub looks left, -1 right."""
        ring = [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 12, endpoint=False)]
        outer, inner = y + outward * width / 2, y - outward * width / 2
        order = ring if outward < 0 else list(reversed(ring))

        def disc(scale: float, at: float) -> list[Point3]:
            return [(x + radius * scale * c, at, radius + radius * scale * s) for c, s in order]

        face = self.polygon(disc(1.0, outer), (28, 28, 30))
        self.polygon(disc(0.62, outer), (150, 152, 156), on=face)
        self.polygon(disc(0.2, outer), (70, 70, 72), on=face)
        for i in range(12):
            (c0, s0), (c1, s1) = ring[i], ring[(i + 1) % 12]
            a, b = (x + radius * c0, radius + radius * s0), (x + radius * c1, radius + radius * s1)
            low, high = min(outer, inner), max(outer, inner)
            self.polygon([(b[0], low, b[1]), (a[0], low, a[1]), (a[0], high, a[1]), (b[0], high, b[1])], (24, 24, 26))

    def build(self) -> Mesh:
        """The finished mesh."""
        widest = max(len(face) for face in self._faces)
        padded = np.array([face + [face[-1]] * (widest - len(face)) for face in self._faces], dtype=np.int32)
        return Mesh(
            np.array(self._vertices, dtype=np.float64),
            padded,
            np.array(self._colors, dtype=np.float32),
            np.array(self._finishes, dtype=np.int8),
            np.array(self._parents, dtype=np.int32),
            dict(self._pictures),
        )


def _crossed(a: Floats, b: Floats) -> Floats:
    """N×K×3 cross products; ``np.cross`` takes several times as long to find out that the last axis holds three."""
    out = np.empty(a.shape)
    out[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    out[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    out[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return out


def _triangulate(ring: Floats) -> list[Floats]:
    """Ear clipping of one planar ring that may be concave (a car's side is).

    On plain numbers: for rings of a dozen corners they are twenty times faster than arrays.
    """
    points: list[Point3] = [(x, y, z) for x, y, z in ring.tolist()]
    normal = _crossed(ring, np.roll(ring, -1, axis=0)).sum(axis=0).tolist()
    left = list(range(len(points)))
    triangles: list[Floats] = []
    while len(left) > 3:
        for i in range(len(left)):
            a, b, c = left[i - 1], left[i], left[(i + 1) % len(left)]
            others = [p for p in left if p not in (a, b, c)]
            if _turn(points[a], points[b], points[b], points[c], normal) > 0 and not any(
                _inside(points[p], points[a], points[b], points[c], normal) for p in others
            ):
                triangles.append(ring[[a, b, c]])
                del left[i]
                break
        else:
            del left[0]  # a straight corner: it covers nothing
    triangles.append(ring[left])
    return triangles


def _turn(a: Point3, b: Point3, c: Point3, d: Point3, normal: Sequence[float]) -> float:
    """Positive where the way c to d turns left of a to b, seen from where the normal points."""
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = d[0] - c[0], d[1] - c[1], d[2] - c[2]
    return (uy * vz - uz * vy) * normal[0] + (uz * vx - ux * vz) * normal[1] + (ux * vy - uy * vx) * normal[2]


def _inside(p: Point3, a: Point3, b: Point3, c: Point3, normal: Sequence[float]) -> bool:
    return all(_turn(u, v, u, p, normal) >= 0 for u, v in ((a, b), (b, c), (c, a)))
