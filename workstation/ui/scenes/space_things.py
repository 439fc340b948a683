"""What stands in a view into space besides points, as lines: cuboids with their heading, ground grid, axes, frusta of
cameras, the way of the vehicle, Doppler speeds. Pure arrays, no Qt; called by the cloud pane and its side views.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.core.cameras import Camera
from workstation.core.poses import RigidTransform
from workstation.core.projection import EDGES, corners_of, unproject
from workstation.core.rotation import matrix_of
from workstation.ui.scenes.cloud_scene import FaceLayer, LineLayer

Floats = NDArray[np.float64]
Segments = NDArray[np.float32]
Rgb = tuple[int, int, int]

_EDGES = np.array(EDGES)
AXIS_COLOURS: tuple[Rgb, ...] = ((226, 105, 60), (56, 186, 140), (96, 170, 240))
"""x, y, z; the letters beside them are the second cue."""
_SIDES = ((0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5))
"""Corners of the six faces, in order; the second is the front."""
_BEHIND_POINTS = 0.4
"""Edges stay in sight where points stand before them, so that a cuboid keeps its shape."""
_GRID_LINES = 24
_FRUSTUM_PARTS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CuboidsDrawn:
    """Cuboids as they stand in the scene now, a row each."""

    ids: tuple[str, ...] = ()
    centers: Floats
    sizes: Floats
    rotations: Floats
    between: NDArray[np.bool_]
    """Interpolated."""
    colours: NDArray[np.uint8]
    """(n, 3)."""

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, annotation: str) -> int | None:
        """Where one stands."""
        return self.ids.index(annotation) if annotation in self.ids else None

    def some(self, rows: NDArray[np.intp]) -> CuboidsDrawn:
        """Only these rows."""
        ids = tuple(self.ids[row] for row in rows.tolist())
        return CuboidsDrawn(
            ids=ids, centers=self.centers[rows], sizes=self.sizes[rows], rotations=self.rotations[rows],
            between=self.between[rows], colours=self.colours[rows],
        )  # fmt: skip

    def corners(self) -> Floats:
        """(n, 8, 3)."""
        if not len(self):
            return np.empty((0, 8, 3))
        return np.asarray(corners_of(self.centers, self.sizes, self.rotations), np.float64)


NO_CUBOIDS = CuboidsDrawn(
    centers=np.empty((0, 3)), sizes=np.empty((0, 3)), rotations=np.empty((0, 4)), between=np.empty(0, np.bool_),
    colours=np.empty((0, 3), np.uint8),
)  # fmt: skip


def rgb_of(colour: str) -> Rgb:
    """``#rrggbb``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def cuboid_lines(cuboids: CuboidsDrawn, rows: NDArray[np.bool_], key: str, *, width_px: float) -> list[LineLayer]:
    """The edges and heading marks of some rows: what is interpolated dashed, what is keyed or as good solid."""
    found = []
    for dashed in (False, True):
        chosen = np.flatnonzero(rows & (cuboids.between == dashed))
        if len(chosen):
            segments = _outlines(cuboids.some(chosen))
            lines = segments.reshape(-1, 2, 3).astype(np.float32)
            colours = np.repeat(cuboids.colours[chosen], segments.shape[1], axis=0)
            name = f"{key}, {'interpolated' if dashed else 'keyed'}"
            found.append(
                LineLayer(
                    key=name, segments=lines, colours=colours, width_px=width_px, dashed=dashed, behind=_BEHIND_POINTS
                )
            )
    return found


def cuboid_faces(cuboids: CuboidsDrawn, rows: NDArray[np.bool_], opacity: int = 26) -> list[FaceLayer]:
    """The faces of some rows, faintly; the front a little more."""
    chosen = np.flatnonzero(rows)
    if not len(chosen):
        return []
    corners = cuboids.corners()[chosen]
    quads = corners[:, np.array(_SIDES)].reshape(-1, 4, 3).astype(np.float32)
    colours = np.empty((len(chosen), len(_SIDES), 4), np.uint8)
    colours[..., :3] = cuboids.colours[chosen][:, None]
    colours[..., 3] = opacity
    colours[:, 1, 3] = min(255, opacity * 2)
    return [FaceLayer(key="faces", quads=quads, colours=colours.reshape(-1, 4))]


def _outlines(cuboids: CuboidsDrawn) -> Floats:
    """(n, 15, 2, 3): twelve edges, and an arrow that leaves the front at its foot."""
    corners = cuboids.corners()
    edges = corners[:, _EDGES]
    turn = matrix_of(cuboids.rotations) if len(cuboids) else np.empty((0, 3, 3))
    forward, left, up = turn[:, :, 0], turn[:, :, 1], turn[:, :, 2]
    length, width, height = cuboids.sizes[:, 0:1], cuboids.sizes[:, 1:2], cuboids.sizes[:, 2:3]
    reach = np.clip(0.3 * length, 0.25, 1.5)
    foot = cuboids.centers - up * height / 2
    front = foot + forward * length / 2
    tip = front + forward * reach
    barb = np.minimum(0.5 * reach, 0.5 * width)
    wings = (tip - forward * barb + left * barb, tip - forward * barb - left * barb)
    arrow = np.stack([np.stack(pair, 1) for pair in ((foot, tip), (tip, wings[0]), (tip, wings[1]))], 1)
    return np.concatenate([edges, arrow], axis=1)


def grid_lines(center: Sequence[float], ground_m: float, step_m: float, colour: Rgb) -> LineLayer:
    """A ground grid around a place, on whole multiples of its step; every fifth line stronger, fading outwards."""
    half = _GRID_LINES // 2
    middle = np.round(np.array(center[:2]) / step_m)
    counts = np.arange(-half, half + 1)
    segments = np.empty((2, len(counts), 2, 3))
    strength = np.empty((2, len(counts)))
    for axis in range(2):
        lines = (middle[axis] + counts) * step_m
        other = (middle[1 - axis] + np.array([-half, half])) * step_m
        segments[axis, :, :, axis] = lines[:, None]
        segments[axis, :, :, 1 - axis] = other
        strength[axis] = np.where((middle[axis] + counts) % 5 == 0, 110, 50)
    segments[..., 2] = ground_m
    fading = strength * (1 - 0.75 * np.abs(counts) / half)
    colours = np.empty((2 * len(counts), 4), np.uint8)
    colours[:, :3] = colour
    colours[:, 3] = fading.ravel()
    return LineLayer(key="grid", segments=segments.reshape(-1, 2, 3).astype(np.float32), colours=colours, width_px=1.0)


def grid_step(distance_m: float) -> float:
    """1, 5, 10, 50, 100 … metres: the grid's step that suits the distance one looks from."""
    wanted = max(distance_m, 0.5) / 12
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(power * (5 if wanted / power >= 5 else 1))


def axis_length(distance_m: float) -> float:
    """How long the axes are drawn, seen from that far; in steps, so that they are not drawn anew with every turn."""
    return max(1.5, 2.0 ** round(math.log2(max(distance_m, 0.5) / 25)))


def axes_lines(scene_from_vehicle: RigidTransform, length_m: float) -> LineLayer:
    """The axes of the vehicle."""
    ends = scene_from_vehicle @ (np.vstack([np.zeros(3), np.eye(3) * length_m]))
    segments = np.stack([np.stack([ends[0], end]) for end in ends[1:]]).astype(np.float32)
    return LineLayer(key="axes", segments=segments, colours=np.array(AXIS_COLOURS, np.uint8), width_px=2.0, on_top=True)


def frustum_lines(camera: Camera, scene_from_camera: RigidTransform, far_m: float, colour: Rgb) -> LineLayer:
    """The pyramid a camera looks through: from its eye to the border of its picture, that far away."""
    share = np.arange(_FRUSTUM_PARTS) / _FRUSTUM_PARTS
    width, height = float(camera.width_px), float(camera.height_px)
    sides = (
        np.stack([share * width, np.zeros_like(share)], 1),
        np.stack([np.full_like(share, width), share * height], 1),
        np.stack([(1 - share) * width, np.full_like(share, height)], 1),
        np.stack([np.zeros_like(share), (1 - share) * height], 1),
    )
    rays = unproject(camera, np.concatenate(sides))
    directions = np.where(rays.valid[:, None], rays.directions, np.nan)
    border = scene_from_camera @ (directions * far_m)
    eye = np.array(scene_from_camera.translation)
    rim = np.stack([border, np.roll(border, -1, axis=0)], 1)
    corners = border[::_FRUSTUM_PARTS]
    legs = np.stack([np.broadcast_to(eye, corners.shape), corners], 1)
    segments = np.concatenate([rim, legs])
    segments = segments[np.isfinite(segments).all(axis=(1, 2))].astype(np.float32)
    colours = np.tile(np.array([*colour, 200], np.uint8), (len(segments), 1))
    return LineLayer(key=f"frustum {camera.name}", segments=segments, colours=colours, width_px=1.0)


def way_lines(places: NDArray[np.float32], colour: Rgb) -> LineLayer | None:
    """The way of the vehicle; ``None`` where there is none to draw."""
    if len(places) < 2:
        return None
    segments = np.stack([places[:-1], places[1:]], 1)
    colours = np.tile(np.array([*colour, 190], np.uint8), (len(segments), 1))
    return LineLayer(key="way", segments=segments, colours=colours, width_px=1.5)


def together(layers: Sequence[LineLayer], ratio: float) -> list[LineLayer]:
    """The same lines in as few layers as can be, widths in device pixels: drawing a layer has a price of its own."""
    kinds: dict[tuple[float, bool, bool], list[LineLayer]] = {}
    for each in layers:
        kinds.setdefault((each.width_px, each.dashed, each.on_top), []).append(each)
    return [
        LineLayer(
            key=" and ".join(each.key for each in alike),
            segments=np.concatenate([each.segments for each in alike]),
            colours=np.concatenate([_opaque(each.colours) for each in alike]),
            width_px=width_px * ratio,
            dashed=dashed,
            on_top=on_top,
        )
        for (width_px, dashed, on_top), alike in kinds.items()
    ]


def _opaque(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if colours.shape[1] == 4:
        return colours
    return np.concatenate([colours, np.full((len(colours), 1), 255, np.uint8)], axis=1)


def doppler_lines(
    points: NDArray[np.float32], sensor: Sequence[float], speed_m_s: NDArray[np.floating], colours: NDArray[np.uint8]
) -> LineLayer | None:
    """From each return along its ray as far as it goes in half a second, at most halfway to the sensor; what hardly
    moves gets none."""
    out = points - np.asarray(sensor, np.float32)
    length = np.linalg.norm(out, axis=1)
    speed = np.asarray(speed_m_s, np.float32)
    moving = np.flatnonzero((np.abs(speed) > 0.3) & (length > 0) & np.isfinite(speed))
    if not len(moving):
        return None
    reach = np.clip(0.5 * speed[moving], -0.5 * length[moving], 0.5 * length[moving])
    step = out[moving] * (reach / length[moving])[:, None]
    segments = np.stack([points[moving], points[moving] + step], 1).astype(np.float32)
    return LineLayer(key="doppler", segments=segments, colours=colours[moving], width_px=2.0)


def inside(points: NDArray[np.float32], cuboids: CuboidsDrawn, row: int) -> NDArray[np.bool_]:
    """(n,) which points lie in a cuboid, its faces included."""
    turn = matrix_of(cuboids.rotations[row])
    half = cuboids.sizes[row] / 2
    center = cuboids.centers[row]
    reach = float(np.linalg.norm(half))
    near = np.flatnonzero((np.abs(points - center.astype(np.float32)) <= reach).all(axis=1))
    there = np.zeros(len(points), np.bool_)
    there[near] = (np.abs((points[near] - center) @ turn) <= half + 1e-4).all(axis=1)
    return there
