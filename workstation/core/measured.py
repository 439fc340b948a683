"""What a figure measures, from its points alone: distance, angle and area in the patient, in millimetres and degrees.

Points are (n, 3) LPS millimetres (or any space of one unit); a figure lies in the plane of its points. Tools, panes and
checks ask here, so that a value on the screen and a value in the project are the same arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workstation.core.geometry import Figure

Points = Sequence[Sequence[float]]
Ring = NDArray[np.float64]
LEAST_POINTS = {Figure.LINE: 2, Figure.ANGLE: 3, Figure.ELLIPSE: 4, Figure.OUTLINE: 3}
MOST_POINTS = {Figure.LINE: 2, Figure.ANGLE: 3, Figure.ELLIPSE: 4}
"""An outline has as many as it needs. An ellipse has the two ends of one axis, then those of the other."""
_TURNS = 64


def value_of(figure: Figure, points: Points) -> tuple[str, float, str]:
    """Quantity, value and unit of a figure that has all its points."""
    if figure is Figure.LINE:
        return "distance", math.dist(points[0], points[1]), "mm"
    if figure is Figure.ANGLE:
        return "angle", angle_deg(points), "°"
    return "area", area_mm2(figure, points), "mm²"


def angle_deg(points: Points) -> float:
    """Between the two arms that meet in the middle one of three points; 0 while an arm has no length."""
    start, corner, end = (np.asarray(each, np.float64) for each in points[:3])
    a, b = start - corner, end - corner
    return math.degrees(math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b)))


def area_mm2(figure: Figure, points: Points) -> float:
    """Inside an ellipse or an outline."""
    if figure is Figure.ELLIPSE:
        a, b = (np.subtract(points[i + 1], points[i]) for i in (0, 2))
        return math.pi / 4 * float(np.linalg.norm(np.cross(a, b)))
    ring = np.asarray(points, np.float64)
    around = np.cross(ring - ring[0], np.roll(ring, -1, axis=0) - ring[0]).sum(0)
    return float(np.linalg.norm(around)) / 2


def outline_of(figure: Figure, points: Points) -> Ring:
    """(n, 3): the closed line around what an ellipse or an outline encloses."""
    ends = np.asarray(points, np.float64)
    if figure is not Figure.ELLIPSE:
        return ends
    middle = ends[:2].mean(0)
    turn = 2 * np.pi * np.arange(_TURNS)[:, None] / _TURNS
    ring: Ring = middle + np.cos(turn) * (ends[1] - ends[0]) / 2 + np.sin(turn) * (ends[3] - ends[2]) / 2
    return ring


def dragged(figure: Figure, points: Points, index: int, to: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """The figure with one point elsewhere. An end of an ellipse's axis takes its axis along, the far end stays, and the
    other axis keeps its length and stands at right angles on the new middle."""
    moved = [tuple(float(c) for c in each) for each in points]
    moved[index] = tuple(float(c) for c in to)
    if figure is not Figure.ELLIPSE:
        return tuple(moved)
    pulled = 0 if index < 2 else 2
    other = 2 - pulled
    old = [np.asarray(each, np.float64) for each in points]
    normal = np.cross(old[1] - old[0], old[3] - old[2])
    ends = [np.asarray(moved[pulled + i]) for i in (0, 1)]
    axis, middle = ends[1] - ends[0], (ends[0] + ends[1]) / 2
    across = np.cross(normal, axis) if pulled == 0 else np.cross(axis, normal)
    length = float(np.linalg.norm(across))
    if length > 0:
        half = across / length * float(np.linalg.norm(old[other + 1] - old[other])) / 2
        moved[other], moved[other + 1] = tuple((middle - half).tolist()), tuple((middle + half).tolist())
    return tuple(moved)


def side_of(points: Points, *, midline_mm: float = 5.0) -> str:
    """``right`` or ``left`` of the patient by the first of the LPS coordinates; ``midline`` close to zero."""
    across = float(np.mean([point[0] for point in points]))
    if abs(across) < midline_mm:
        return "midline"
    return "left" if across > 0 else "right"
