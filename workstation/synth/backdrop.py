"""What is behind everything: the sky as a panorama and the ground through a homography."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.media.opencv import cv2
from workstation.synth.lettering import Picture
from workstation.synth.pose import Floats
from workstation.synth.raster import HAZE, HAZE_FROM_M, HAZE_M, TO_SUN, View
from workstation.synth.scenery import Ground

Rays = NDArray[Any]
"""H×W×3 world directions, float32."""
PER_RADIAN = 420.0
COARSE = 5
"""The far ground is looked up in a picture this much smaller, or it flickers."""


def sky_panorama(rng: np.random.Generator) -> Picture:
    """The whole horizon: column = bearing (left turning), row = height above it from 60° down to −10°."""
    width, top, low = int(2 * math.pi * PER_RADIAN), math.radians(60), math.radians(-10)
    height = int((top - low) * PER_RADIAN)
    rise = np.linspace(top, low, height)[:, None]
    share = np.clip(rise / top, 0, 1) ** 0.6
    zenith, near = np.array([86.0, 138.0, 204.0]), np.array([202.0, 218.0, 232.0])
    image = np.repeat((zenith * share[..., None] + near * (1 - share[..., None])), width, axis=1)
    noise = np.zeros((height, width), np.float32)
    for cells, weight in ((9, 1.0), (18, 0.6), (40, 0.35), (90, 0.2)):
        rough = rng.normal(0, 1, (max(cells // 5, 3), cells)).astype(np.float32)
        rough[:, -1] = rough[:, 0]
        noise += weight * cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    cloud = np.clip((noise - 0.35) * 0.8, 0, 0.85) * np.clip(rise / 0.15, 0, 1)
    image = image * (1 - cloud[..., None]) + 246.0 * cloud[..., None]
    _sun(image, top)
    _skyline(image, rng, top)
    panorama: Picture = np.clip(image, 0, 255).astype(np.uint8)
    return panorama


def _sun(image: NDArray[np.float64], top: float) -> None:
    bearing = math.atan2(TO_SUN[1], TO_SUN[0]) % (2 * math.pi)
    rise = math.asin(TO_SUN[2])
    rows, columns = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    gap = np.hypot(columns / PER_RADIAN - bearing, top - rows / PER_RADIAN - rise)
    glow = np.exp(-((gap / 0.16) ** 2)) * 0.6 + (gap < 0.035)
    image += (np.array([255.0, 250.0, 228.0]) - image) * np.clip(glow, 0, 1)[..., None]


def _skyline(image: NDArray[np.float64], rng: np.random.Generator, top: float) -> None:
    base = int(top * PER_RADIAN) + 2
    x = 0
    while x < image.shape[1]:
        width, high = int(rng.integers(14, 46)), int(rng.integers(4, 24))
        tone = np.array([150.0, 162.0, 176.0]) + rng.uniform(-12, 12)
        image[base - high : base, x : x + width] = tone
        x += width + int(rng.integers(0, 8))
    image[base:] = HAZE


class Backdrop:
    """Sky and ground of one world, for any view of it."""

    def __init__(self, ground: Ground, sky: Picture) -> None:
        self._ground = ground
        self._sky = np.ascontiguousarray(np.concatenate([sky, sky[:, :64]], axis=1))
        self._sky_width = sky.shape[1]
        small = (ground.image.shape[1] // COARSE, ground.image.shape[0] // COARSE)
        self._far = cv2.resize(ground.image, small, interpolation=cv2.INTER_AREA)
        self._rays: dict[tuple[int, int, float, tuple[float, float]], Rays] = {}

    def paint(self, view: View) -> Picture:
        """A new picture with sky and ground."""
        rays, turn = self._rays_of(view), view.camera_from_world.rotation.T
        # A row's rays rise evenly from end to end: its ends say whether it shows sky, ground or both.
        ends = rays[:, [0, view.width // 2, -1]].astype(np.float64) @ turn.T
        image = self._paint_ground(view, ends)
        rows = np.flatnonzero(ends[..., 2].max(axis=1) > -1e-3)
        if len(rows):
            last = int(rows[-1]) + 1
            self._paint_sky(cv2.transform(rays[:last], turn), image)  # world directions, not unit
        return image

    def _rays_of(self, view: View) -> Rays:
        key = (view.width, view.height, view.focal_px, view.center)
        if key not in self._rays:
            v, u = np.mgrid[0 : view.height, 0 : view.width] + 0.5
            rays = np.stack(
                [(u - view.center[0]) / view.focal_px, (v - view.center[1]) / view.focal_px, np.ones_like(u)], axis=-1
            )
            self._rays[key] = rays.astype(np.float32)
        return self._rays[key]

    def _paint_ground(self, view: View, ends: Floats) -> Picture:
        """``ends``: height×3×3, the world directions of each row's first, middle and last pixel."""
        world_from_camera = view.camera_from_world.inverse()
        eye = world_from_camera.translation
        image = np.empty((view.height, view.width, 3), np.uint8)
        image[:] = np.tile(HAZE.astype(np.uint8), (view.width, 1))
        low = np.flatnonzero(ends[..., 2].max(axis=1) < -1e-3)
        if not len(low):
            return image
        first = int(low[0])
        distance = eye[2] / np.maximum(-ends[first:, 1, 2], 1e-4) * np.linalg.norm(ends[first:, 1], axis=1)
        footprint = distance**2 / (view.focal_px * max(float(eye[2]), 0.1))
        near_row = first + int(np.searchsorted(-footprint, -self._ground.metre_per_px * COARSE * 0.8))
        self._warp(view, image, self._ground.image, 1.0, near_row, view.height)
        self._warp(view, image, self._far, 1.0 / COARSE, first, near_row)
        fade = np.exp(-np.maximum(distance - HAZE_FROM_M, 0) / HAZE_M)[:, None, None]
        fade = fade[: int(np.searchsorted(fade[:, 0, 0], 0.9999))]
        # What each of the 256 values becomes in each row; looking up is four times faster than mixing.
        mixed = (np.arange(256)[None, :, None] * fade + HAZE * (1 - fade)).astype(np.uint8)
        for row, table in enumerate(mixed, first):
            image[row] = cv2.LUT(image[row : row + 1], table[None])
        return image

    def _warp(self, view: View, image: Picture, ground: Picture, scale: float, first: int, last: int) -> None:
        if last <= first:
            return
        c, k = view.camera_from_world, np.diag([view.focal_px, view.focal_px, 1.0])
        k[0, 2], k[1, 2] = view.center[0] - 0.5, view.center[1] - 0.5 - first
        image_from_ground = k @ np.stack([c.rotation[:, 0], c.rotation[:, 1], c.translation], axis=1)
        shrink = np.array([[scale, 0, scale / 2 - 0.5], [0, scale, scale / 2 - 0.5], [0, 0, 1.0]])
        ground_from_image = shrink @ self._ground.pixel_from_world() @ np.linalg.inv(image_from_ground)
        image[first:last] = cv2.warpPerspective(
            ground,
            ground_from_image,
            (view.width, last - first),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(104, 132, 76),
        )

    def _paint_sky(self, rays: Rays, image: Picture) -> None:
        """``rays``: world directions of the picture's first rows."""
        x, y, z = cv2.split(rays)
        level, bearing = cv2.cartToPolar(x, y)
        row = (math.radians(60) - np.arctan2(z, level)) * PER_RADIAN
        sky = cv2.remap(self._sky, bearing * PER_RADIAN, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = (z > -1e-3).astype(np.uint8)
        cv2.copyTo(sky, mask, image[: len(rays)])
