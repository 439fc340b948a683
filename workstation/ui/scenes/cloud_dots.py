"""Points of a cloud in a picture, coloured by their distance: warm near, cold far, dark rims for light grounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter

from workstation.core.cameras import Camera
from workstation.core.poses import RigidTransform
from workstation.core.projection import project
from workstation.ui.scenes.viewport import Viewport

_NEAR_M, _FAR_M = 2.0, 80.0
_STOPS = np.array([(255, 244, 140), (255, 160, 60), (232, 76, 96), (150, 62, 160), (70, 80, 190), (60, 150, 220)])


def colours_of(depth_m: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Opaque ARGB of distances, on a logarithmic scale from 2 to 80 m."""
    share = np.log(np.clip(depth_m, _NEAR_M, _FAR_M) / _NEAR_M) / np.log(_FAR_M / _NEAR_M)
    at = share * (len(_STOPS) - 1)
    rgb = np.stack([np.interp(at, np.arange(len(_STOPS)), _STOPS[:, i]) for i in range(3)], -1).astype(np.uint32)
    packed = rgb[:, 0] << np.uint32(16) | rgb[:, 1] << np.uint32(8) | rgb[:, 2]
    return np.asarray(packed | np.uint32(0xFF000000), np.uint32)


def paint_dots(
    painter: QPainter, viewport: Viewport, camera: Camera, points: NDArray[np.float64], camera_from: RigidTransform
) -> None:
    """Splat points (n, 3) of a frame over the picture, the nearest on top."""
    seen = project(camera, points, camera_from_frame=camera_from)
    there = np.flatnonzero(seen.in_picture)
    if not len(there):
        return
    ratio = viewport.device_ratio
    width, height = round(viewport.area[0] * ratio), round(viewport.area[1] * ratio)
    depth = np.linalg.norm(camera_from @ points[there], axis=1)
    order = np.argsort(-depth)
    places = seen.pixels[there][order] * viewport.scale + viewport.corner
    colours = colours_of(depth[order])
    column, row = np.floor(places * ratio).astype(np.int64).T
    inside = (column >= 1) & (column < width - 1) & (row >= 1) & (row < height - 1)
    column, row, colours = column[inside], row[inside], colours[inside]
    pixels = np.zeros((height, width), np.uint32)
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        pixels[row + down, column + right] = colours
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    painter.drawImage(QPointF(0, 0), image)
