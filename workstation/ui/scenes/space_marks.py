"""The shared 3D cursor in a picture: a point is a cross, a ray from another camera a line that fades with distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from workstation.core.cameras import Camera
from workstation.core.poses import RigidTransform
from workstation.core.projection import project, unproject
from workstation.core.selection import SpaceCursor
from workstation.ui.scenes.viewport import Viewport

_RAY_M = np.geomspace(0.5, 200.0, 96)
_TICKS_M = (5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True, slots=True, eq=False)
class SpaceMarks:
    """Where the cursor falls in a picture, in pixels."""

    point: tuple[float, float] | None = None
    ray: NDArray[np.float64] | None = None
    """(n, 2), rows of NaN where the camera does not see it."""
    ticks: tuple[tuple[float, float, float], ...] = ()
    """(metres from the other camera, x, y)."""


def ray_of(camera: Camera, place: tuple[float, float]) -> SpaceCursor | None:
    """The ray that a pixel of a camera casts."""
    rays = unproject(camera, np.array([place]))
    if not rays.valid[0]:
        return None
    x, y, z = rays.directions[0].tolist()
    return SpaceCursor(camera.frame, (0.0, 0.0, 0.0), (x, y, z))


def cursor_marks(camera: Camera, cursor: SpaceCursor, camera_from_cursor: RigidTransform) -> SpaceMarks:
    """Where a camera sees the cursor."""
    start = np.array(cursor.point)
    if cursor.direction is None:
        seen = project(camera, start[None], camera_from_frame=camera_from_cursor)
        if not seen.in_picture[0]:
            return SpaceMarks()
        x, y = seen.pixels[0].tolist()
        return SpaceMarks(point=(x, y))
    along = np.array(cursor.direction)
    seen = project(camera, start + _RAY_M[:, None] * along, camera_from_frame=camera_from_cursor)
    ray = np.where(seen.in_picture[:, None], seen.pixels, np.nan)
    marks = project(camera, start + np.array(_TICKS_M)[:, None] * along, camera_from_frame=camera_from_cursor)
    ticks = [
        (metres, *pixel)
        for metres, pixel, there in zip(_TICKS_M, marks.pixels.tolist(), marks.in_picture.tolist(), strict=True)
        if there
    ]
    return SpaceMarks(ray=ray, ticks=tuple((metres, x, y) for metres, x, y in ticks))


def paint_marks(painter: QPainter, viewport: Viewport, marks: SpaceMarks) -> None:
    """The cross, or the ray with its metres."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pens = (QPen(QColor(0, 0, 0, 190), 3.5), QPen(QColor("#ffffff"), 1.4))
    if marks.point is not None:
        at = QPointF(*viewport.to_screen(marks.point))
        for pen in pens:
            painter.setPen(pen)
            painter.drawLine(at + QPointF(-11, 0), at + QPointF(-3, 0))
            painter.drawLine(at + QPointF(3, 0), at + QPointF(11, 0))
            painter.drawLine(at + QPointF(0, -11), at + QPointF(0, -3))
            painter.drawLine(at + QPointF(0, 3), at + QPointF(0, 11))
    if marks.ray is not None:
        _ray(painter, viewport, marks, pens)


def _ray(painter: QPainter, viewport: Viewport, marks: SpaceMarks, pens: tuple[QPen, QPen]) -> None:
    assert marks.ray is not None
    there = np.isfinite(marks.ray).all(axis=1)
    line = QPolygonF([QPointF(*viewport.to_screen((x, y))) for x, y in marks.ray[there].tolist()])
    if line.size() < 2:
        return
    for pen in pens:
        painter.setPen(pen)
        painter.drawPolyline(line)
    for metres, x, y in marks.ticks:
        at = QPointF(*viewport.to_screen((x, y)))
        painter.setPen(pens[1])
        painter.setBrush(QColor("#101216"))
        painter.drawEllipse(at, 3, 3)
        painter.drawText(at + QPointF(6, -4), f"{metres:g} m")
