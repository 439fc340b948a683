"""The ground from above on the screen: paths, where one stands, labelled things, a grid, a scale bar, the axes;
and the mouse. The paths are a kept picture; what moves with the playhead is painted over it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from workstation.app.lag import Lag
from workstation.app.trajectory_view import Path, PlaneView, Standing, bar_length, length_in_words
from workstation.core.cuboid_rows import Placed
from workstation.core.projection import corners_of
from workstation.ui.scenes.letters import small_font
from workstation.ui.workbench import Workbench

_REACH_PX = 10.0
_CLICK_PX = 4
_ZOOM = 0.85
_BAR_PX = 140.0
_ARROW_PX = 13.0
_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)


class TrajectoryCanvas(QWidget):
    """A drag moves the ground, the wheel zooms to the pointer, a click goes to a time or selects a thing."""

    time_wanted = QtSignal(str, object)
    """Id of a stream and a session time (a Python int: Qt's own would lose half of it)."""
    thing_wanted = QtSignal(str)
    """Id of an annotation, or nothing."""
    hovered = QtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trajectory_ground")
        self.setAccessibleName("Ground from above")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(120, 100)
        self.view = PlaneView(0.0, 0.0, 0.1, 400.0, 300.0)
        self.paths: tuple[Path, ...] = ()
        self.standing: list[tuple[Path, Standing | None]] = []
        self.lag = Lag()
        self._time_ns = 0
        self._bench: Workbench | None = None
        self._placed: Placed | None = None
        self._keep: Sequence[int] = ()
        self._ground: QImage | None = None
        self._whole: PlaneView | None = None
        """All of the paths, as last fitted."""
        self._fitted = False
        self._pressed: QPointF | None = None
        self._grabbed: PlaneView | None = None

    # --- what is shown ------------------------------------------------------------------------------------------

    def show_paths(self, paths: tuple[Path, ...], bench: Workbench | None) -> None:
        """Another sample, or none."""
        self.paths, self._bench, self._placed, self.standing = paths, bench, None, []
        self._fitted = False
        self.fit()

    def show_standing(self, standing: list[tuple[Path, Standing | None]], time_ns: int) -> None:
        """The playhead moved."""
        self.standing, self._time_ns = standing, time_ns
        self.update()

    def show_things(self, placed: Placed | None, keep: Sequence[int]) -> None:
        """Labelled things at the playhead: which of ``placed`` are not hidden."""
        self._placed, self._keep = placed, keep
        self.update()

    def renew(self) -> None:
        """Paint everything anew."""
        self._ground = None
        self.update()

    def look(self, view: PlaneView) -> None:
        """Another part of the ground."""
        if view != self.view:
            self.view = view
            self.renew()

    def fit(self) -> None:
        """The whole of all paths."""
        size = self.view.resized(self.width(), self.height())
        if self.paths:
            low = np.min([each.places_m[:, :2].min(axis=0) for each in self.paths], axis=0)
            high = np.max([each.places_m[:, :2].max(axis=0) for each in self.paths], axis=0)
            size = size.showing((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))
        self.view = self._whole = size
        self.renew()

    def zoom(self, factor: float) -> None:
        """Around the middle."""
        self.look(self.view.zoomed(factor, self.view.width_px / 2, self.view.height_px / 2))

    def keep_in_view(self, place_m: tuple[float, float, float]) -> None:
        """Turn to a place once it comes near the border."""
        x, y = self.view.to_px(np.array([place_m]))[0].tolist()
        if not (0.15 * self.width() < x < 0.85 * self.width() and 0.15 * self.height() < y < 0.85 * self.height()):
            self.look(self.view.centred(place_m[0], place_m[1]))

    def bring_into_view(self, ids: Sequence[str]) -> None:
        """Move as little as shows the first of these that is there."""
        placed = self._placed
        related = () if self._bench is None or self._bench.view is None else self._bench.view.marked(ids)
        for i in self._keep if placed is not None else ():
            assert placed is not None
            if placed.ids[i] in ids or placed.ids[i] in related:
                x, y = self.view.to_px(placed.centers[i : i + 1])[0].tolist()
                if not (0 <= x <= self.width() and 0 <= y <= self.height()):
                    self.look(self.view.centred(float(placed.centers[i][0]), float(placed.centers[i][1])))
                return

    # --- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(small_font())
        bench = self._bench
        if bench is None:
            painter.fillRect(event.rect(), self.palette().window())
            painter.end()
            return
        if self._ground is None:
            self._ground = self._paint_ground(bench)
        painter.drawImage(0, 0, self._ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        self._paint_things(painter, bench)
        for number, (path, standing) in enumerate(self.standing):
            if standing is not None:
                self._paint_standing(painter, bench, path, standing, first=number == 0)
        self._paint_scale(painter, bench)
        self._paint_axes(painter, bench)
        painter.end()
        self.lag.painted(self._time_ns, self._time_ns)

    def _paint_ground(self, bench: Workbench) -> QImage:
        ratio = self.devicePixelRatioF()
        image = QImage(round(self.width() * ratio), round(self.height() * ratio), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(QColor(bench.theme.panel))
        painter = QPainter(image)
        painter.setFont(small_font())
        self._paint_grid(painter, bench)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for number, path in enumerate(self.paths):
            painter.setPen(QPen(QColor(bench.theme.wave), 2.2, _DASHES[number % len(_DASHES)]))
            self._paint_path(painter, bench, path)
        painter.end()
        return image

    def _paint_grid(self, painter: QPainter, bench: Workbench) -> None:
        step = bar_length(self.view.m_per_px, 100.0)
        line = QColor(bench.theme.line)
        line.setAlpha(120)
        painter.setPen(QPen(line, 1.0))
        low, high = self.view.to_m(0, self.height()), self.view.to_m(self.width(), 0)
        for number in range(math.ceil(low[0] / step), math.floor(high[0] / step) + 1):
            x = float(self.view.to_px(np.array([[number * step, 0.0]]))[0, 0])
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        for number in range(math.ceil(low[1] / step), math.floor(high[1] / step) + 1):
            y = float(self.view.to_px(np.array([[0.0, number * step]]))[0, 1])
            painter.drawLine(QPointF(0, y), QPointF(self.width(), y))

    def _paint_path(self, painter: QPainter, bench: Workbench, path: Path) -> None:
        kept = path.drawn(self.view.m_per_px)
        places = self.view.to_px(path.places_m[kept])
        pieces = np.split(np.arange(len(kept)), np.flatnonzero(path.starts[kept])[1:])
        for piece in pieces:
            points = [QPointF(x, y) for x, y in places[piece].tolist()]
            if len(points) > 1:
                painter.drawPolyline(QPolygonF(points))
            else:
                painter.drawEllipse(points[0], 1.5, 1.5)
        painter.save()
        painter.setPen(QPen(QColor(bench.theme.missing), 1.6))
        for before, after in pairwise(pieces):  # a gap: its two ends, and nothing between
            for at in (places[before[-1]], places[after[0]]):
                x, y = at.tolist()
                painter.drawLine(QPointF(x - 4, y - 4), QPointF(x + 4, y + 4))
                painter.drawLine(QPointF(x - 4, y + 4), QPointF(x + 4, y - 4))
        painter.restore()

    def _paint_things(self, painter: QPainter, bench: Workbench) -> None:
        placed, view = self._placed, bench.view
        if placed is None or view is None:
            return
        related = view.marked(bench.selected)
        for i in self._keep:
            annotation = view.annotations.get(placed.ids[i])
            if annotation is None:
                continue
            ground = self._footprint(placed, i)
            paint = view.paint_of(annotation)
            chosen = annotation.id in related or annotation.id == bench.selection.state.hovered
            if chosen:
                painter.setPen(QPen(QColor(bench.theme.accent), 4.0))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPolygon(ground)
            fill = QColor(paint.colour)
            fill.setAlpha(110 if chosen else 50)
            painter.setBrush(fill)
            dash = Qt.PenStyle.DashLine if placed.between[i] else Qt.PenStyle.SolidLine
            painter.setPen(QPen(QColor(paint.colour), 1.4, dash))
            painter.drawPolygon(ground)
            x, y = self.view.to_px(placed.centers[i : i + 1])[0].tolist()
            painter.setBrush(QColor(paint.colour))
            painter.drawEllipse(QPointF(x, y), 1.8, 1.8)
            if chosen:
                painter.setPen(QColor(bench.theme.ink))
                painter.drawText(QPointF(x + 8, y - 6), view.name_of(annotation.id))

    def _footprint(self, placed: Placed, i: int) -> QPolygonF:
        """The outline of a cuboid's lower and upper face from above."""
        corners = corners_of(placed.centers[i : i + 1], placed.sizes[i : i + 1], placed.rotations[i : i + 1])[0]
        ground = corners[np.argsort(corners[:, 2])[:4]]
        middle = ground[:, :2].mean(axis=0)
        order = np.argsort(np.arctan2(ground[:, 1] - middle[1], ground[:, 0] - middle[0]))
        return QPolygonF([QPointF(x, y) for x, y in self.view.to_px(ground[order]).tolist()])

    def _paint_standing(
        self, painter: QPainter, bench: Workbench, path: Path, standing: Standing, *, first: bool
    ) -> None:
        x, y = self.view.to_px(np.array([standing.place_m]))[0].tolist()
        painter.setPen(QPen(QColor(bench.theme.paper), 1.5))
        painter.setBrush(QColor(bench.theme.playhead))
        if standing.heading_rad is None:
            painter.drawEllipse(QPointF(x, y), 6.0, 6.0)
        else:
            along = np.array([math.cos(standing.heading_rad), -math.sin(standing.heading_rad)])
            across = np.array([-along[1], along[0]])
            tip, left = along * _ARROW_PX, -along * 7 + across * 7.5
            right, notch = -along * 7 - across * 7.5, -along * 3
            shape = [QPointF(x + part[0], y + part[1]) for part in (tip, left, notch, right)]
            painter.drawPolygon(QPolygonF(shape))
        if len(self.standing) > 1 or not first:
            painter.setPen(QColor(bench.theme.ink))
            painter.drawText(QPointF(x + 12, y + 14), path.stream.key)

    def _paint_scale(self, painter: QPainter, bench: Workbench) -> None:
        metres = bar_length(self.view.m_per_px, _BAR_PX)
        length = metres / self.view.m_per_px
        left, bottom = 14.0, self.height() - 14.0
        back = QColor(bench.theme.panel)
        back.setAlpha(200)
        painter.fillRect(QRectF(left - 6, bottom - 22, length + 12, 30), back)
        painter.setPen(QPen(QColor(bench.theme.ink), 2.0))
        for line in ((left, bottom, left + length, bottom), (left, bottom - 4, left, bottom + 4),
                     (left + length, bottom - 4, left + length, bottom + 4)):  # fmt: skip
            painter.drawLine(QPointF(line[0], line[1]), QPointF(line[2], line[3]))
        place = QRectF(left, bottom - 20, length, 14)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, length_in_words(metres))

    def _paint_axes(self, painter: QPainter, bench: Workbench) -> None:
        """Which way x and y go, or east and north where the file says so, and the frame they are in."""
        north = bool(self.paths) and all(each.north_up for each in self.paths)
        x, y, length = self.width() - 58.0, 58.0, 30.0
        painter.setPen(QPen(QColor(bench.theme.quiet), 1.8))
        painter.drawLine(QPointF(x, y), QPointF(x + length, y))
        painter.drawLine(QPointF(x, y), QPointF(x, y - length))
        painter.drawText(QPointF(x + length + 5, y + 4), "E" if north else "x")
        painter.drawText(QPointF(x - 4, y - length - 5), "N" if north else "y")
        if self.paths:
            place = QRectF(self.width() - 168, y + 6, 160, 14)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight, self.paths[0].frame)

    # --- the mouse ----------------------------------------------------------------------------------------------

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        """The ground of these, as far as it is in sight."""
        placed, inside = self._placed, QRectF(self.rect())
        rows = [i for i in self._keep if placed is not None and placed.ids[i] in ids]
        grounds = [(placed.ids[i], self._footprint(placed, i).boundingRect()) for i in rows if placed is not None]
        return [(key, ground) for key, ground in grounds if ground.intersects(inside)]

    def thing_at(self, at: QPointF) -> str | None:
        """The labelled thing whose ground is under a place; the smallest of several."""
        placed = self._placed
        found: list[tuple[float, str]] = []
        for i in self._keep if placed is not None else ():
            assert placed is not None
            ground = self._footprint(placed, i)
            x, y = self.view.to_px(placed.centers[i : i + 1])[0].tolist()
            near = math.hypot(x - at.x(), y - at.y()) <= _REACH_PX / 2
            if near or ground.containsPoint(at, Qt.FillRule.OddEvenFill):
                found.append((float(placed.sizes[i][0] * placed.sizes[i][1]), placed.ids[i]))
        return min(found)[1] if found else None

    def pose_at(self, at: QPointF) -> tuple[Path, int] | None:
        """The pose of a path that is closest to a place, within reach."""
        x, y = self.view.to_m(at.x(), at.y())
        found = [(each.nearest(x, y), each) for each in self.paths]
        if not found:
            return None
        (index, away), path = min(found, key=lambda each: each[0][1])
        return (path, index) if away <= _REACH_PX * self.view.m_per_px else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pressed, self._grabbed = event.position(), None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pressed is not None:
            moved = at - self._pressed
            if self._grabbed is None and moved.manhattanLength() >= _CLICK_PX:
                self._grabbed = self.view
            if self._grabbed is not None:
                self.look(self._grabbed.panned(moved.x(), moved.y()))
            return
        thing = self.thing_at(at)
        self.hovered.emit(thing or "")
        pointing = thing is not None or self.pose_at(at) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if pointing else Qt.CursorShape.OpenHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, grabbed = self._pressed, self._grabbed
        self._pressed = self._grabbed = None
        if pressed is None or grabbed is not None or event.button() is not Qt.MouseButton.LeftButton:
            return
        thing = self.thing_at(event.position())
        pose = self.pose_at(event.position())
        if thing is not None:
            self.thing_wanted.emit(thing)
        elif pose is not None:
            path, index = pose
            self.time_wanted.emit(path.stream.id, int(path.sessions[index]))
        else:
            self.thing_wanted.emit("")

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = (event.angleDelta().y() or event.angleDelta().x()) / 120
        self.look(self.view.zoomed(_ZOOM**steps, event.position().x(), event.position().y()))
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        untouched = self.view == self._whole  # who saw all of it sees all of it on another size too
        self.view = self.view.resized(self.width(), self.height())
        if self.paths and self.isVisible() and (untouched or not self._fitted):
            self._fitted = True
            self.fit()
        self.renew()
