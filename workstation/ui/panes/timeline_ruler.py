"""Over the lanes the ruler, in time and in the focused stream's units; under them the whole sample in small.

Dragging on the ruler scrubs, its wheel zooms; the small picture shows where labels and findings are, and the view.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget

from workstation.app.lane_media import tick_columns
from workstation.app.viewport import Viewport, whole
from workstation.core.ontology import Severity
from workstation.ui.panes.timeline_gestures import Drag, Scrub, Table
from workstation.ui.panes.timeline_model import TimelineModel
from workstation.ui.scenes.finding_scene import FindingScene
from workstation.ui.scenes.kept_picture import KeptPicture
from workstation.ui.scenes.lane_scene import argb, image_of
from workstation.ui.scenes.letters import small_font
from workstation.ui.scenes.ruler import in_words, marks, time_step, unit_marks
from workstation.ui.scenes.signs import severity_colour

RULER_PX = 38
MINIMAP_PX = 22
_HALF = RULER_PX // 2


class Ruler(QWidget):
    """Time above, units of the focused stream below."""

    gesture_changed = QtSignal(object)
    zoom_wanted = QtSignal(float, float)
    pan_wanted = QtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline_ruler")
        self.setAccessibleName("Ruler")
        self.setToolTip("Drag to move the playhead; turn the wheel to zoom")
        self.setFixedHeight(RULER_PX)
        self.table: Table | None = None
        self._drag: Drag | None = None
        self._scale = KeptPicture()

    @property
    def drag(self) -> Drag | None:
        return self._drag

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(small_font())
        if self.table is not None:
            theme = self.table.bench.theme
            model = self.table.model
            of = (model.viewport, theme)
            self._scale.draw(painter, self.size(), of, model.focused_units, self._paint_scale)
            self._paint_playhead(painter, model)
            painter.fillRect(0, self.height() - 1, self.width(), 1, QColor(theme.line))
        painter.end()

    def _paint_scale(self, painter: QPainter) -> None:
        assert self.table is not None
        painter.fillRect(self.rect(), QColor(self.table.bench.theme.raised))
        self._paint_times(painter, self.table.model)
        self._paint_units(painter, self.table.model)

    def _paint_times(self, painter: QPainter, model: TimelineModel) -> None:
        view, theme = model.viewport, model.bench.theme
        step = time_step(view, 90)
        for time_ns in marks(view, max(1, step // 5)):
            x = round(view.x_of(time_ns))
            labelled = time_ns % step == 0
            painter.fillRect(QRectF(x, _HALF - (8 if labelled else 4), 1, 8 if labelled else 4), QColor(theme.quiet))
            if labelled:
                painter.setPen(QColor(theme.ink))
                painter.drawText(QPointF(x + 4, _HALF - 6), in_words(time_ns, step))

    def _paint_units(self, painter: QPainter, model: TimelineModel) -> None:
        view, theme, units = model.viewport, model.bench.theme, model.focused_units
        painter.fillRect(0, _HALF, self.width(), 1, QColor(theme.line))
        if units is None:
            return
        longest = f"{units.name} #{max((number for number, _ in unit_marks(units, view, 64)), default=0)}"
        room = max(64, painter.fontMetrics().horizontalAdvance(longest) + 12)  # "sample #120000" needs more than most
        for number, time_ns in unit_marks(units, view, room):
            x = round(view.x_of(time_ns))
            painter.fillRect(QRectF(x, _HALF + 1, 1, 5), QColor(theme.accent))
            painter.setPen(QColor(theme.quiet))
            painter.drawText(QPointF(x + 4, RULER_PX - 6), f"{units.name} #{number}")

    def _paint_playhead(self, painter: QPainter, model: TimelineModel) -> None:
        theme = model.bench.theme
        x = model.viewport.x_of(model.bench.clock.time_ns)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(QColor(theme.paper), 1))
        painter.setBrush(QColor(theme.playhead))
        top = self.height() - 12
        painter.drawPolygon(QPolygonF([QPointF(x - 6, top), QPointF(x + 6, top), QPointF(x, self.height() - 1)]))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.table is not None and event.button() is Qt.MouseButton.LeftButton and self._drag is None:
            self._drag = Scrub(self.table, event.position())
            self._drag.ended = self.end_drag
            self.gesture_changed.emit(self._drag)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag.move(event.position(), event.modifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and event.button() is Qt.MouseButton.LeftButton:
            self._drag.finish(event.position(), event.modifiers())
            self.end_drag()

    def end_drag(self) -> None:
        """The gesture is over."""
        if self._drag is not None:
            self._drag = None
            self.gesture_changed.emit(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(delta.x()) > abs(delta.y()):
            self.pan_wanted.emit(-(delta.y() or delta.x()) * 0.6)
        else:
            self.zoom_wanted.emit(0.8 ** (delta.y() / 120), event.position().x())
        event.accept()


class MiniMap(QWidget):
    """The whole sample: labels as density, findings as lines, the view as a frame that can be dragged."""

    view_wanted = QtSignal(object)
    """A ``Viewport``."""
    zoom_wanted = QtSignal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline_minimap")
        self.setAccessibleName("Whole sample")
        self.setToolTip("The whole sample; drag to move what is in view")
        self.setFixedHeight(MINIMAP_PX)
        self.table: Table | None = None
        self._density: QImage | None = None
        self._grabbed_ns: int | None = None

    def renew(self) -> None:
        """Labels changed."""
        self._density = None
        self.update()

    def _all(self, model: TimelineModel) -> Viewport:
        return whole(model.bench.clock.span, max(1, self.width()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.table is not None:
            model, theme = self.table.model, self.table.bench.theme
            everything = self._all(model)
            painter.fillRect(event.rect(), QColor(theme.raised))
            if self._density is None or self._density.width() != self.width():
                self._density = self._make_density(model, everything)
            painter.drawImage(0, 0, self._density)
            left, right = everything.x_of(model.viewport.start_ns), everything.x_of(model.viewport.end_ns)
            frame = QRectF(left, 0.5, max(3.0, right - left), self.height() - 1.5)
            fill = QColor(theme.accent)
            fill.setAlpha(38)
            painter.fillRect(frame, fill)
            painter.setPen(QPen(QColor(theme.accent), 1.4))
            painter.drawRect(frame)
            x = round(everything.x_of(model.bench.clock.time_ns))
            painter.fillRect(x, 0, 1, self.height(), QColor(theme.playhead))
        painter.end()

    def _make_density(self, model: TimelineModel, view: Viewport) -> QImage:
        counts = np.zeros(view.width_px, np.int64)
        for _, scene in model.tiers():
            counts += tick_columns(scene.tier.items.starts, view)
        height = np.ceil(np.log2(1 + counts) * 2.4).clip(0, MINIMAP_PX - 3)
        y = np.arange(MINIMAP_PX)[:, None]
        pixels = np.where(y >= MINIMAP_PX - 1 - height[None, :], argb(model.bench.theme.wave, 0.8), 0)
        for row in model.rows:
            if isinstance(row.scene, FindingScene):
                for severity in (Severity.INFO, Severity.WARNING, Severity.ERROR):
                    seen = tick_columns(row.scene.times_of(severity), view) > 0
                    seen[:-1] |= seen[1:]  # two pixels each
                    pixels[:6, seen] = argb(severity_colour(severity, model.bench.theme))
        return image_of(pixels.astype(np.uint32))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.table is not None and event.button() is Qt.MouseButton.LeftButton:
            model = self.table.model
            pointed = self._all(model).ns_at(event.position().x())
            inside = model.viewport.start_ns <= pointed < model.viewport.end_ns
            self._grabbed_ns = pointed - model.viewport.start_ns if inside else model.viewport.duration_ns // 2
            self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.table is not None and self._grabbed_ns is not None:
            model = self.table.model
            wanted = self._all(model).ns_at(event.position().x()) - self._grabbed_ns
            self.view_wanted.emit(model.viewport.panned(wanted - model.viewport.start_ns, model.bench.clock.span))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        del event
        self._grabbed_ns = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.table is not None:
            self.zoom_wanted.emit(0.8 ** (event.angleDelta().y() / 120), self.table.model.viewport.width_px / 2)
        event.accept()
