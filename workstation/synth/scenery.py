"""Streets without their traffic: houses, trees, lamps, signs, kerbs as meshes, and the ground as one picture.

Everything is deterministic from the seed. A *block* carries the mesh in world coordinates and how strongly it
reflects a laser; the ground is a top-down RGB picture that cameras see through a homography.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.media.opencv import cv2
from workstation.synth.lettering import Picture, panel, road_sign, shop_front
from workstation.synth.mesh import Color, Finish, Mesh, MeshBuilder, Point3
from workstation.synth.pose import Floats

SHOPS = ("BAKERY", "BOOKS", "CAFE LUNA", "PHARMACY", "BIKES", "FLOWERS", "RADIO", "SHOES", "TEA HOUSE", "MARKET")
WALLS: tuple[Color, ...] = (
    (196, 170, 140),
    (176, 118, 96),
    (214, 204, 182),
    (150, 160, 168),
    (204, 184, 120),
    (170, 130, 110),
    (186, 196, 186),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that stands still, in world coordinates."""

    mesh: Mesh
    reflectivity: float


@dataclass(frozen=True, slots=True)
class Ground:
    """The top-down picture: pixel (row, column) lies at ``origin`` + metre_per_px × (column, −row) in (x, y)."""

    image: Picture
    origin: tuple[float, float]
    metre_per_px: float

    def pixel_from_world(self) -> Floats:
        """3×3 from (x, y, 1) on the ground to picture pixels (OpenCV: integer at the centre of a pixel)."""
        s = 1.0 / self.metre_per_px
        return np.array([[s, 0.0, -self.origin[0] * s - 0.5], [0.0, -s, self.origin[1] * s - 0.5], [0.0, 0.0, 1.0]])

    def brightness(self, x: Floats, y: Floats) -> Floats:
        """Mean brightness (0 to 1) under points; paint is bright, asphalt dark. Outside it is 0.3."""
        column = ((x - self.origin[0]) / self.metre_per_px).astype(np.int64)
        row = ((self.origin[1] - y) / self.metre_per_px).astype(np.int64)
        height, width = self.image.shape[:2]
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        value = np.full(x.shape, 0.3)
        value[inside] = self.image[row[inside], column[inside]].mean(axis=1) / 255.0
        return value


class GroundPainter:
    """Paints roads and marks in metres."""

    def __init__(
        self, x_range: tuple[float, float], y_range: tuple[float, float], metre_per_px: float, rng: np.random.Generator
    ) -> None:
        self.metre_per_px = metre_per_px
        self.origin = (x_range[0], y_range[1])
        width, height = (int((r[1] - r[0]) / metre_per_px) for r in (x_range, y_range))
        self.image: Picture = panel(width, height, (104, 132, 76))
        self._blotches(rng, 14)

    def _blotches(self, rng: np.random.Generator, strength: float) -> None:
        height, width = self.image.shape[:2]
        coarse = rng.normal(0, strength, (height // 48 + 2, width // 48 + 2)).astype(np.float32)
        fine = rng.normal(0, strength / 2, (height // 4 + 2, width // 4 + 2)).astype(np.float32)
        noise = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.add(noise, cv2.resize(fine, (width, height)), noise)
        for top in range(0, height, 64):  # a strip at a time: three more copies of the whole ground are 600 MB
            grey = noise[top : top + 64]
            cv2.add(self.image[top : top + 64], cv2.merge([grey] * 3), self.image[top : top + 64], dtype=cv2.CV_8U)

    def polygon(self, points: list[tuple[float, float]], color: Color) -> None:
        """A filled area with soft edges."""
        px = [
            ((x - self.origin[0]) / self.metre_per_px - 0.5, (self.origin[1] - y) / self.metre_per_px - 0.5)
            for x, y in points
        ]
        cv2.fillPoly(self.image, [np.round(np.array(px) * 16).astype(np.int32)], color, cv2.LINE_AA, 4)

    def rectangle(self, x0: float, x1: float, y0: float, y1: float, color: Color) -> None:
        """An upright filled rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], color)

    def roughen(
        self, rng: np.random.Generator, x_range: tuple[float, float], y_range: tuple[float, float], strength: float
    ) -> None:
        """Grain of asphalt or paving over a rectangle."""
        c0, c1 = (int((x - self.origin[0]) / self.metre_per_px) for x in x_range)
        r0, r1 = (int((self.origin[1] - y) / self.metre_per_px) for y in (y_range[1], y_range[0]))
        part = self.image[max(r0, 0) : r1, max(c0, 0) : c1]
        grain = rng.normal(0, strength, part.shape[:2]).astype(np.float32)
        patch = cv2.resize(
            rng.normal(0, strength, (part.shape[0] // 30 + 2, part.shape[1] // 30 + 2)).astype(np.float32),
            part.shape[1::-1],
        )
        part[:] = cv2.add(part, cv2.merge([grain + patch] * 3), dtype=cv2.CV_8U)

    def shade(self, points: Floats, strength: float = 0.42) -> None:
        """A baked shadow: the convex hull of ground points (N×2) gets darker."""
        hull = cv2.convexHull(points.astype(np.float32)).reshape(-1, 2)
        px = np.stack(
            [(hull[:, 0] - self.origin[0]) / self.metre_per_px, (self.origin[1] - hull[:, 1]) / self.metre_per_px],
            axis=1,
        )
        x0, y0 = np.maximum(np.floor(px.min(axis=0)).astype(int) - 2, 0)
        x1, y1 = np.ceil(px.max(axis=0)).astype(int) + 3
        part = self.image[y0:y1, x0:x1]
        if part.size == 0:
            return
        mask = np.zeros(part.shape[:2], np.float32)
        cv2.fillPoly(mask, [np.round((px - [x0, y0]) * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
        part[:] = (part * (1 - strength * cv2.GaussianBlur(mask, (5, 5), 0))[..., None]).astype(np.uint8)

    def finish(self) -> Ground:
        """The finished ground."""
        return Ground(self.image, self.origin, self.metre_per_px)


def house(
    x: float, y: float, facing: float, width: float, depth: float, floors: int, color: Color, shop: str | None
) -> Block:
    """A house whose front middle stands at (x, y) and looks along ``facing``, maybe with a shop."""
    build = MeshBuilder()
    high = 3.1 * floors + 0.4
    front = build.box((-depth / 2, 0.0, high / 2), (depth, width, high), color)
    back, left, right = front + 1, front + 2, front + 3
    columns = max(2, int(width // 2.6))
    for floor in range(floors):
        for i in range(columns):
            middle = (i + 0.5) / columns * width - width / 2
            z = 3.1 * floor + 1.1
            if floor == 0 and shop is not None:
                continue
            _window(build, front, 0.01, middle, z)
    for face, y_side in ((left, width / 2), (right, -width / 2)):
        for floor in range(floors):
            for j in range(max(1, int(depth // 4))):
                x0 = -depth * (j + 0.6) / max(1, int(depth // 4))
                _side_window(build, face, x0, y_side, 3.1 * floor + 1.1)
    if shop is not None:
        build.polygon(
            [
                (0.01, -width / 2 + 0.5, 0.35),
                (0.01, width / 2 - 0.5, 0.35),
                (0.01, width / 2 - 0.5, 2.3),
                (0.01, -width / 2 + 0.5, 2.3),
            ],
            (58, 70, 82),
            Finish.GLASS,
            on=front,
        )
        tint = tuple(int(v) for v in np.clip(np.array(color)[::-1] * 0.55, 0, 255))
        w = min(width / 2 - 0.3, 3.0)
        build.picture(
            [(0.02, -w, 3.0), (0.02, w, 3.0), (0.02, w, 2.4), (0.02, -w, 2.4)],
            shop_front(shop, (tint[0], tint[1], tint[2])),
            on=front,
        )
    build.polygon(
        [(0.015, -0.5, 0.0), (0.015, 0.5, 0.0), (0.015, 0.5, 2.1), (0.015, -0.5, 2.1)], (82, 54, 36), on=front
    )
    del back
    ridge = high + 0.28 * depth
    roof: Color = (120, 62, 50)
    build.polygon(
        [
            (0.3, -width / 2 - 0.2, high),
            (0.3, width / 2 + 0.2, high),
            (-depth / 2, width / 2 + 0.2, ridge),
            (-depth / 2, -width / 2 - 0.2, ridge),
        ],
        roof,
    )
    build.polygon(
        [
            (-depth - 0.3, width / 2 + 0.2, high),
            (-depth - 0.3, -width / 2 - 0.2, high),
            (-depth / 2, -width / 2 - 0.2, ridge),
            (-depth / 2, width / 2 + 0.2, ridge),
        ],
        roof,
    )
    for sign in (1, -1):
        gable: list[Point3] = [
            (0.0, sign * width / 2, high),
            (-depth, sign * width / 2, high),
            (-depth / 2, sign * width / 2, ridge),
        ]
        build.polygon(gable if sign > 0 else gable[::-1], color)
    return Block(_placed(build.build(), x, y, facing), 0.35)


def _window(build: MeshBuilder, face: int, x: float, y: float, z: float) -> None:
    build.polygon(
        [(x, y - 0.65, z - 0.1), (x, y + 0.65, z - 0.1), (x, y + 0.65, z + 1.5), (x, y - 0.65, z + 1.5)],
        (232, 228, 218),
        on=face,
    )
    build.polygon(
        [(x, y - 0.52, z), (x, y + 0.52, z), (x, y + 0.52, z + 1.4), (x, y - 0.52, z + 1.4)],
        (70, 88, 104),
        Finish.GLASS,
        on=face,
    )


def _side_window(build: MeshBuilder, face: int, x: float, y: float, z: float) -> None:
    ring: list[Point3] = [(x + 0.5, y, z), (x - 0.5, y, z), (x - 0.5, y, z + 1.4), (x + 0.5, y, z + 1.4)]
    build.polygon(ring if y > 0 else ring[::-1], (70, 88, 104), Finish.GLASS, on=face)


def tree(x: float, y: float, high: float, rng: np.random.Generator) -> Block:
    """A street tree: a trunk and a faceted crown."""
    build = MeshBuilder()
    trunk = high * 0.4
    build.box((0.0, 0.0, trunk / 2), (0.26, 0.26, trunk), (92, 70, 50))
    green = np.array([70, 112, 48]) + rng.integers(-14, 14, 3)
    radius = high * 0.32
    points, faces = _icosphere()
    bumps = points * (1 + rng.uniform(-0.16, 0.16, (len(points), 1)))
    bumps = bumps * [radius, radius, radius * 1.15] + [0.0, 0.0, trunk + radius * 0.95]
    for face in faces:
        tone = np.clip(green * rng.uniform(0.82, 1.14), 0, 255).astype(int)
        build.polygon(
            [(float(p[0]), float(p[1]), float(p[2])) for p in bumps[face]], (int(tone[0]), int(tone[1]), int(tone[2]))
        )
    return Block(_placed(build.build(), x, y, float(rng.uniform(0, 6.28))), 0.45)


def lamp_post(x: float, y: float, toward: float) -> Block:
    """A street lamp whose arm reaches along ``toward``."""
    build = MeshBuilder()
    build.box((0.0, 0.0, 3.0), (0.14, 0.14, 6.0), (74, 80, 84))
    build.box((0.8, 0.0, 5.95), (1.7, 0.1, 0.1), (74, 80, 84))
    build.box((1.5, 0.0, 5.86), (0.5, 0.22, 0.1), (214, 214, 200))
    return Block(_placed(build.build(), x, y, toward), 0.5)


def sign_post(x: float, y: float, facing: float, kind: str) -> Block:
    """A road sign on a post, readable from the side it faces; it throws the laser back."""
    build = MeshBuilder()
    build.box((-0.06, 0.0, 1.2), (0.07, 0.07, 2.4), (120, 124, 126))
    plate = build.box((0.0, 0.0, 2.5), (0.03, 0.72, 0.72), (160, 164, 166), Finish.RETROREFLECTIVE)
    build.picture(
        [(0.016, -0.36, 2.86), (0.016, 0.36, 2.86), (0.016, 0.36, 2.14), (0.016, -0.36, 2.14)],
        road_sign(kind),
        on=plate,
    )
    return Block(_placed(build.build(), x, y, facing), 0.95)


def kerb(x: float, y: float, along: float, length: float) -> Block:
    """A kerb stone line, 12 cm high, centred at (x, y)."""
    build = MeshBuilder()
    build.box((0.0, 0.0, 0.06), (length, 0.18, 0.12), (172, 172, 168))
    return Block(_placed(build.build(), x, y, along), 0.4)


def _placed(mesh: Mesh, x: float, y: float, yaw: float) -> Mesh:
    c, s = math.cos(yaw), math.sin(yaw)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    moved = mesh.vertices @ turn.T + [x, y, 0.0]
    return Mesh(moved, mesh.faces, mesh.colors, mesh.finishes, mesh.parents, mesh.pictures)


def _icosphere() -> tuple[Floats, NDArray[np.int64]]:
    """A unit sphere of 80 triangles: the icosahedron, every face cut in four."""
    g = (1 + math.sqrt(5)) / 2
    base = [
        (-1, g, 0),
        (1, g, 0),
        (-1, -g, 0),
        (1, -g, 0),
        (0, -1, g),
        (0, 1, g),
        (0, -1, -g),
        (0, 1, -g),
        (g, 0, -1),
        (g, 0, 1),
        (-g, 0, -1),
        (-g, 0, 1),
    ]
    faces = [
        (0, 11, 5),
        (0, 5, 1),
        (0, 1, 7),
        (0, 7, 10),
        (0, 10, 11),
        (1, 5, 9),
        (5, 11, 4),
        (11, 10, 2),
        (10, 7, 6),
        (7, 1, 8),
        (3, 9, 4),
        (3, 4, 2),
        (3, 2, 6),
        (3, 6, 8),
        (3, 8, 9),
        (4, 9, 5),
        (2, 4, 11),
        (6, 2, 10),
        (8, 6, 7),
        (9, 8, 1),
    ]
    points = [np.array(p) / math.hypot(1, g) for p in base]
    middles: dict[tuple[int, int], int] = {}

    def middle(a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in middles:
            m = (points[a] + points[b]) / 2
            points.append(m / np.linalg.norm(m))
            middles[key] = len(points) - 1
        return middles[key]

    cut: list[tuple[int, int, int]] = []
    for a, b, c in faces:
        ab, bc, ca = middle(a, b), middle(b, c), middle(c, a)
        cut += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    return np.array(points), np.array(cut)
