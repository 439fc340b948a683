"""Small signs that say by their form what their colour says too: how severe a finding is, of which class a label is."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath, QPolygonF

from workstation.core.ontology import Mark, Severity
from workstation.ui.theme import Theme


def severity_colour(severity: Severity, theme: Theme) -> str:
    """Red, amber or blue."""
    return {Severity.ERROR: theme.error, Severity.WARNING: theme.warning, Severity.INFO: theme.accent}[severity]


def severity_path(severity: Severity, x: float, y: float, size: float) -> QPainterPath:
    """A triangle for an error, a diamond for a warning, a circle for a note, around a point."""
    if severity is Severity.ERROR:
        return _polygon(x, y + size * 0.12, size * 1.15, 3, -90)
    if severity is Severity.WARNING:
        return _polygon(x, y, size, 4, -90)
    path = QPainterPath()
    path.addEllipse(QPointF(x, y), size * 0.8, size * 0.8)
    return path


_CORNERS = {Mark.SQUARE: (4, -45), Mark.TRIANGLE: (3, -90), Mark.DIAMOND: (4, -90), Mark.HEXAGON: (6, -90)}


def mark_path(mark: Mark, x: float, y: float, size: float) -> QPainterPath:
    """The sign of a class around a point."""
    corners = _CORNERS.get(mark)
    if corners is not None:
        return _polygon(x, y, size, *corners)
    path = QPainterPath()
    thin = size * 0.35
    if mark is Mark.STAR:
        return _star(x, y, size)
    if mark in (Mark.PLUS, Mark.CROSS):
        path.addRect(x - size, y - thin / 2, 2 * size, thin)
        path.addRect(x - thin / 2, y - size, thin, 2 * size)
    elif mark is Mark.BAR:
        path.addRect(x - thin, y - size, 2 * thin, 2 * size)
    else:
        path.addEllipse(QPointF(x, y), size, size)
        if mark is Mark.RING:
            path.addEllipse(QPointF(x, y), size * 0.5, size * 0.5)
    return path


def _polygon(x: float, y: float, size: float, corners: int, turn_deg: float) -> QPainterPath:
    points = []
    for k in range(corners):
        angle = math.radians(turn_deg + 360 * k / corners)
        points.append(QPointF(x + size * math.cos(angle), y + size * math.sin(angle)))
    path = QPainterPath()
    path.addPolygon(QPolygonF(points))
    path.closeSubpath()
    return path


def _star(x: float, y: float, size: float) -> QPainterPath:
    points = []
    for k in range(10):
        angle, reach = math.radians(-90 + 36 * k), size if k % 2 == 0 else size * 0.45
        points.append(QPointF(x + reach * math.cos(angle), y + reach * math.sin(angle)))
    path = QPainterPath()
    path.addPolygon(QPolygonF(points))
    path.closeSubpath()
    return path
