"""What of a shape in the patient lies on one slice of a plane: its lines in the slice's pixels. Without Qt.

A figure whose points all lie on the slice is whole there; where they lie on several, what is between them is shown on
each, as belonging to it and not lying in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.app.picture_shapes import Lines, hull
from workstation.app.volume_planes import Plane
from workstation.core.geometry import Cuboid, Figure, Measurement, Point3D, Polyline3D, Shape
from workstation.core.measured import outline_of
from workstation.core.resizing import rotated

Points = NDArray[np.float64]
_HALF = 0.5001
"""Slices: how far from a slice's middle still lies on it."""
_CORNERS = np.array([(a, b, c) for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (-0.5, 0.5)])
_EDGES = tuple((a, b) for a in range(8) for b in range(a + 1, 8) if bin(a ^ b).count("1") == 1)


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """``whole``: all of the shape lies on this slice."""

    lines: Lines
    whole: bool


def section_of(shape: Shape, plane: Plane, index: int) -> Section | None:
    """``None`` where the slice has nothing of it."""
    if isinstance(shape, Cuboid):
        return _of_cuboid(shape, plane, index)
    points = points_of(shape)
    if not points:
        return None
    placed = plane.all_from_patient(np.array(points, np.float64))
    away = placed[:, 2] - index
    if away.min() > _HALF or away.max() < -_HALF:
        return None
    return Section(_lines(shape, plane, placed), bool(np.abs(away).max() <= _HALF))


def points_of(shape: Shape) -> tuple[Sequence[float], ...]:
    """The places in the patient a shape is made of; none for what lies in pixels."""
    if isinstance(shape, Point3D):
        return ((shape.x, shape.y, shape.z),)
    if isinstance(shape, Polyline3D):
        return shape.points
    if isinstance(shape, Measurement) and shape.points and len(shape.points[0]) == 3:
        return shape.points
    return (shape.center,) if isinstance(shape, Cuboid) else ()


def figure_of(shape: Measurement) -> Figure | None:
    """What its points draw; two points without a word are a line."""
    if shape.figure is not None:
        return shape.figure
    return {2: Figure.LINE}.get(len(shape.points))


def _lines(shape: Shape, plane: Plane, placed: Points) -> Lines:
    flat = placed[:, :2]
    if not isinstance(shape, Measurement):
        return Lines(points=flat) if isinstance(shape, Point3D) else Lines(open=(flat,))
    figure = figure_of(shape)
    if figure in (Figure.ELLIPSE, Figure.OUTLINE):
        ring = plane.all_from_patient(outline_of(figure, shape.points))
        return Lines(rings=(ring[:, :2],))
    return Lines(open=(flat,)) if len(flat) > 1 else Lines(points=flat)


def _of_cuboid(shape: Cuboid, plane: Plane, index: int) -> Section | None:
    """Where its edges cross the slice, with the ring around the crossings."""
    corners = np.array([rotated(tuple(each), shape.rotation) for each in (_CORNERS * shape.size).tolist()])
    placed = plane.all_from_patient(corners + shape.center)
    away = placed[:, 2] - index
    if away.min() > 0 or away.max() < 0:
        return None
    crossings = []
    for a, b in _EDGES:
        if (away[a] <= 0) != (away[b] <= 0):
            share = away[a] / (away[a] - away[b])
            crossings.append(placed[a, :2] + share * (placed[b, :2] - placed[a, :2]))
    if len(crossings) < 3:
        return None
    return Section(Lines(rings=(hull(np.round(np.array(crossings), 9)),)), whole=True)
