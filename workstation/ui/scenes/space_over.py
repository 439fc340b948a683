"""What is written over a picture of space: names beside cuboids, letters at the axes, the legend of colours, what a
tool holds. Painted by Qt with the picture's own view; called by the cloud pane and its side views.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPen, QPolygonF

from workstation.app.cloud_paint import TITLES, Scale
from workstation.core.poses import RigidTransform
from workstation.ui.scenes.labels import Wanted, placed
from workstation.ui.scenes.space_things import AXIS_COLOURS, CuboidsDrawn
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.theme import Theme
from workstation.ui.tools.canvas import HandleKind
from workstation.ui.tools.space_tool import SpaceOverlay

_INK, _GROUND, _EDGE = QColor("#f2f4f7"), QColor(14, 17, 22, 205), QColor(0, 0, 0, 170)
_LEAST_PX = 14.0
"""Cuboids smaller than this on the screen are named only when they are selected."""
_ROUND = frozenset({HandleKind.VERTEX, HandleKind.MIDPOINT, HandleKind.TURN})


@dataclass(frozen=True, slots=True)
class Name:
    """A label beside a cuboid."""

    row: int
    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PlacedName:
    """Where a label goes, in widget pixels."""

    rect: QRectF
    text: str
    colour: str
    strong: bool


def place_names(
    painter: QPainter,
    view: SpaceView,
    ratio: float,
    cuboids: CuboidsDrawn,
    names: Sequence[Name],
    size: tuple[int, int],
) -> list[PlacedName]:
    """Labels that do not lie over each other: strong ones first, then the nearest."""
    if not names:
        return []
    corners = cuboids.corners()
    projected = view.project(corners.reshape(-1, 3))
    px, depth = projected.px.reshape(-1, 8, 2) / ratio, projected.depth.reshape(-1, 8)
    seen = np.all(projected.in_front.reshape(-1, 8), axis=1)
    with np.errstate(invalid="ignore"):  # of all at once, also of those behind the eye, which are left out below
        lows, highs, depths = px.min(axis=1).tolist(), px.max(axis=1).tolist(), depth.mean(axis=1).tolist()
    metrics = painter.fontMetrics()
    found: list[tuple[float, Name, Wanted]] = []
    for name in names:
        if not seen[name.row]:
            continue
        (left, top), (right, bottom) = lows[name.row], highs[name.row]
        outside = right < 0 or bottom < 0 or left > size[0] or top > size[1]
        if outside or (not name.strong and max(right - left, bottom - top) < _LEAST_PX):
            continue
        wide, tall = metrics.horizontalAdvance(name.text) + 10, metrics.height() + 2
        wanted = Wanted(wide, tall, (left, top - 2, right, bottom + 2), needed=name.strong)
        found.append((-1e9 if name.strong else depths[name.row], name, wanted))
    found.sort(key=lambda each: each[0])
    places = placed((wanted for _, _, wanted in found), (float(size[0]), float(size[1])))
    return [
        PlacedName(QRectF(*place, wanted.width, wanted.height), name.text, _hex(cuboids.colours[name.row]), name.strong)
        for place, (_, name, wanted) in zip(places, found, strict=True)
        if place is not None
    ]


def paint_names(painter: QPainter, names: Sequence[PlacedName]) -> None:
    """Dark plates with an edge in the thing's colour."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for name in reversed(names):
        painter.fillRect(name.rect, _GROUND)
        painter.fillRect(QRectF(name.rect.left(), name.rect.top(), 3, name.rect.height()), QColor(name.colour))
        if name.strong:
            painter.setPen(QPen(QColor(name.colour), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(name.rect)
        painter.setPen(_INK)
        painter.drawText(name.rect.adjusted(7, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, name.text)


def paint_axis_letters(
    painter: QPainter, view: SpaceView, ratio: float, vehicle: RigidTransform, length_m: float
) -> None:
    """x, y and z at the ends of the axes."""
    px, _, seen = view.project(vehicle @ (np.eye(3) * length_m * 1.12))
    for letter, (x, y), there, colour in zip("xyz", px.tolist(), seen.tolist(), AXIS_COLOURS, strict=True):
        if there:
            _words(painter, letter, QPointF(x / ratio - 4, y / ratio + 4), QColor(*colour))


def paint_legend(painter: QPainter, scale: Scale, title: str, size: tuple[int, int]) -> QRectF:
    """A bar from low to high with its numbers, at the foot; where it was painted."""
    metrics = painter.fontMetrics()
    wide, tall = 168.0, 8.0
    rect = QRectF(8, size[1] - metrics.height() - tall - 16, wide + 16, metrics.height() + tall + 10)
    painter.fillRect(rect, _GROUND)
    bar = QRectF(rect.left() + 8, rect.bottom() - tall - 5, wide, tall)
    ramp = QLinearGradient(bar.topLeft(), bar.topRight())
    for at, (red, green, blue) in zip(np.linspace(0, 1, len(scale.stops)).tolist(), scale.stops.tolist(), strict=True):
        ramp.setColorAt(at, QColor(red, green, blue))
    painter.fillRect(bar, ramp)
    painter.setPen(_INK)
    above = QRectF(bar.left(), rect.top() + 2, wide, metrics.height())
    unit, span = f" {scale.unit}" if scale.unit else "", scale.high - scale.low
    painter.drawText(above, Qt.AlignmentFlag.AlignLeft, _number(scale.low, span))
    painter.drawText(above, Qt.AlignmentFlag.AlignRight, f"{_number(scale.high, span)}{unit}")
    painter.drawText(above, Qt.AlignmentFlag.AlignHCenter, title or TITLES[scale.by])
    return rect


def paint_lines_of_text(painter: QPainter, lines: Sequence[tuple[str, str]], corner: QPointF) -> None:
    """Lines with a coloured mark before each, on one plate from a corner downwards."""
    if not lines:
        return
    metrics = painter.fontMetrics()
    wide = max(metrics.horizontalAdvance(text) for text, _ in lines) + 26
    rect = QRectF(corner.x(), corner.y(), wide, metrics.height() * len(lines) + 6)
    painter.fillRect(rect, _GROUND)
    for row, (text, colour) in enumerate(lines):
        top = rect.top() + 3 + row * metrics.height()
        painter.fillRect(QRectF(rect.left() + 7, top + metrics.height() / 2 - 4, 8, 8), QColor(colour))
        painter.setPen(_INK)
        painter.drawText(QPointF(rect.left() + 20, top + metrics.ascent()), text)


def paint_overlay(
    painter: QPainter, view: SpaceView, ratio: float, overlay: SpaceOverlay, pointer: QPointF | None, theme: Theme
) -> None:
    """What a tool shows: marked points, guides, a lasso, handles, a few words beside the pointer."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if overlay.marked is not None and len(overlay.marked):
        px, _, seen = view.project(overlay.marked)
        painter.setPen(QPen(QColor(theme.accent), 3))
        painter.drawPoints(QPolygonF([QPointF(x / ratio, y / ratio) for x, y in px[seen].tolist()]))
    for guide in overlay.guides:
        px, _, seen = view.project(np.array(guide.points))
        line = QPolygonF([QPointF(x / ratio, y / ratio) for x, y in px[seen].tolist()])
        _stroke(painter, line, closed=guide.closed and bool(seen.all()))
    if len(overlay.ring) > 1:
        _stroke(painter, QPolygonF([QPointF(x / ratio, y / ratio) for x, y in overlay.ring]), overlay.ring_closed)
    if overlay.handles:
        px, _, seen = view.project(np.array([each.place for each in overlay.handles]))
        for handle, (x, y), there in zip(overlay.handles, px.tolist(), seen.tolist(), strict=True):
            if there:
                _handle(painter, QPointF(x / ratio, y / ratio), handle.kind, held=handle.held, theme=theme)
    if overlay.text and pointer is not None:
        wide = painter.fontMetrics().horizontalAdvance(overlay.text) + 6
        room = painter.viewport().width() / ratio
        left = max(4.0, min(pointer.x() + 14, room - wide))
        _words(painter, overlay.text, QPointF(left, pointer.y() + 22), _INK)


def _stroke(painter: QPainter, line: QPolygonF, closed: bool) -> None:
    for pen in (QPen(_EDGE, 2.5), QPen(QColor(255, 255, 255, 225), 1.2, Qt.PenStyle.DashLine)):
        painter.setPen(pen)
        if closed:
            painter.drawPolygon(line)
        else:
            painter.drawPolyline(line)


def _handle(painter: QPainter, at: QPointF, kind: HandleKind, *, held: bool, theme: Theme) -> None:
    size = 6.0 if held else 4.5
    painter.setPen(QPen(QColor("#101216"), 1.4))
    painter.setBrush(QColor(theme.accent if held else "#ffffff"))
    if kind in _ROUND:
        painter.drawEllipse(at, size, size)
    else:
        painter.drawRect(QRectF(at.x() - size, at.y() - size, 2 * size, 2 * size))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _words(painter: QPainter, text: str, at: QPointF, colour: QColor) -> None:
    metrics = painter.fontMetrics()
    plate = QRectF(at.x() - 3, at.y() - metrics.ascent() - 1, metrics.horizontalAdvance(text) + 6, metrics.height() + 2)
    painter.fillRect(plate, _GROUND)
    painter.setPen(colour)
    painter.drawText(at, text)


def _number(value: float, span: float) -> str:
    """With as many digits as a scale of that length needs."""
    digits = min(max(0, math.ceil(-math.log10(max(span, 1e-9))) + 1), 6)
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def _hex(colour: np.ndarray) -> str:
    red, green, blue = colour.tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"
