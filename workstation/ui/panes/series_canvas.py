"""The lanes of the series pane on the screen: over curves labels, values given by hand, previews and the read-out under
the pointer. The ruler, the playhead and the mouse are in ``base_strips_canvas.py``; what a gesture means is in
``series_gestures.py``.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from workstation.app.lanes import Standing, standing_of
from workstation.app.series_curves import reading_at, value_in_words
from workstation.app.units import Units
from workstation.core.annotation import Annotation
from workstation.core.geometry import Curve
from workstation.ui.panes.base_gestures import Modifiers
from workstation.ui.panes.base_strips_canvas import RULER_PX, StripsCanvas, tinted
from workstation.ui.panes.series_gestures import Gesture, Preview, Table, drag_for, pan, scrub
from workstation.ui.panes.series_model import Hit, SeriesModel, Strip
from workstation.ui.scenes.curve_scene import CurveScene
from workstation.ui.scenes.ruler import in_words
from workstation.ui.scenes.tier_scene import TierScene


class SeriesCanvas(StripsCanvas[Table, SeriesModel, Strip, Preview]):
    """Paints and feels."""

    instant_wanted = QtSignal(object)
    """A ``Hit``: a double click marks a moment there, or takes a point out of a curve."""
    cause = "series"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("series_lanes", "Channels over time", parent)
        self.pointer: QPointF | None = None
        """Where the pointer is, for the read-out."""

    @property
    def model(self) -> SeriesModel | None:
        return None if self.table is None else self.table.model

    def scrubbed(self, table: Table, at: QPointF, hit: Hit) -> Gesture:
        return scrub(table, at, hit)

    def panned(self, table: Table, at: QPointF, hit: Hit) -> Gesture:
        return pan(table, at, hit)

    def pressed(self, table: Table, at: QPointF, hit: Hit, held: Modifiers) -> Gesture:
        return drag_for(table, at, hit, held)

    def unit_words(self, units: Units, number: int) -> str:
        return f"{units.name} #{number:,}"

    # --- painting -----------------------------------------------------------------------------------------------

    def paint_under(self, painter: QPainter, model: SeriesModel, strip: Strip) -> None:
        if strip.is_group:
            painter.fillRect(0, strip.top, self.width(), strip.height, QColor(model.bench.theme.raised))

    def paint_over(self, painter: QPainter, model: SeriesModel, strip: Strip) -> None:
        if isinstance(strip.scene, TierScene):
            self.paint_chosen(painter, model, strip, strip.scene)
        elif strip.is_group:
            painter.setPen(QColor(model.bench.theme.quiet))
            place = QRectF(8, strip.top, self.width() - 12, strip.height)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, f"drag here to mark all of {strip.stream.key}")
        self.paint_crowd(painter, model, strip, height_px=strip.height - 1)
        for annotation in model.over(strip):
            self._paint_label(painter, model, strip, annotation)
        for annotation, curve in model.curves_over(strip):
            self._paint_curve(painter, model, strip, annotation, curve)

    def _paint_label(self, painter: QPainter, model: SeriesModel, strip: Strip, annotation: Annotation) -> None:
        """A span over a lane: lightly filled, its own pattern as the line, handles once it is selected."""
        span = model.view.session_range(annotation)
        if span is None:
            return
        paint = model.view.paint_of(annotation)
        rect = _rect(model, strip, span.start_ns, span.end_ns)
        chosen, whole = annotation.id in model.bench.selected, annotation.item is None
        related = annotation.id in self.related
        sure = standing_of(annotation) is Standing.SURE
        painter.fillRect(
            rect, tinted(paint.colour, 64 if chosen else 48 if related else 34 if sure and not whole else 16)
        )
        if related:
            self.paint_related(painter, model, rect)
        if whole and not chosen:
            return  # it is named on the stream's own lane
        self.paint_frame(painter, model, rect, annotation, chosen=chosen, handles=chosen and not span.is_instant)
        self._paint_name(painter, model, rect, self.label_of(model, annotation), span.is_instant)

    def _paint_name(self, painter: QPainter, model: SeriesModel, rect: QRectF, name: str, beside: bool) -> None:
        width = QFontMetricsF(painter.font()).horizontalAdvance(name)
        if rect.height() <= 16 or (rect.width() < width + 8 and not beside):
            return
        left = rect.right() + 2 if beside else max(rect.left(), 0.0) + 2
        box = QRectF(left, rect.top() + 2, width + 4, 13)
        painter.fillRect(box, tinted(model.bench.theme.panel, 200))
        painter.setPen(QColor(model.bench.theme.ink))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    def _paint_curve(
        self, painter: QPainter, model: SeriesModel, strip: Strip, annotation: Annotation, curve: Curve
    ) -> None:
        """Values given by hand: a line in the class's colour with a square at each point, so it never passes for a
        recording."""
        places = model.xy(strip, annotation, curve)
        places[:, 1] += strip.top
        chosen = annotation.id in model.bench.selected
        paint = model.view.paint_of(annotation)
        line = QPolygonF([QPointF(x, y) for x, y in places.tolist()])
        painter.save()
        painter.setClipRect(QRectF(0, strip.top, self.width(), strip.height), Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(QColor(model.bench.theme.paper), 5.0 if chosen else 3.6))
        painter.drawPolyline(line)
        if annotation.id in self.related:
            painter.setPen(QPen(QColor(model.bench.theme.accent), 5.0, Qt.PenStyle.DotLine))
            painter.drawPolyline(line)
        painter.setPen(self.pen_of(paint, 2.6 if chosen else 1.8, standing_of(annotation)))
        painter.drawPolyline(line)
        half = 3.0 if chosen else 2.0
        painter.setPen(QPen(QColor(model.bench.theme.accent if chosen else model.bench.theme.ink), 1.0))
        painter.setBrush(QColor(paint.colour))
        for x, y in places.tolist():
            painter.drawRect(QRectF(x - half, y - half, 2 * half, 2 * half))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.restore()

    def paint_marks(self, painter: QPainter, model: SeriesModel) -> None:
        active = model.active_strip()
        if active is not None:  # the lane in hand
            painter.fillRect(0, active.top, 3, active.height - 1, QColor(model.bench.theme.accent))
        super().paint_marks(painter, model)

    def paint_preview(self, painter: QPainter, model: SeriesModel, preview: Preview) -> None:
        strip = preview.strip
        if strip is not None and preview.shown is not None:
            for each in model.strips:
                if each is strip or (strip.is_group and each.stream is strip.stream):
                    rect = _rect(model, each, preview.shown.start_ns, preview.shown.end_ns)
                    self.paint_wanted(painter, model, rect)
        if strip is not None and preview.stroke:
            self._paint_stroke(painter, model, strip, preview.stroke)
        super().paint_preview(painter, model, preview)

    def _paint_stroke(
        self, painter: QPainter, model: SeriesModel, strip: Strip, stroke: list[tuple[int, float]]
    ) -> None:
        axis = model.axis(strip)
        if axis is None:
            return
        y = CurveScene.y_of(axis, np.array([value for _, value in stroke]), strip.height - 1) + strip.top
        line = [QPointF(model.viewport.x_of(time), float(at)) for (time, _), at in zip(stroke, y, strict=True)]
        painter.setPen(QPen(QColor(model.bench.theme.accent), 2.0, Qt.PenStyle.DashLine))
        painter.drawPolyline(QPolygonF(line))
        painter.drawEllipse(line[-1], 3.0, 3.0)

    def paint_pointer(self, painter: QPainter, model: SeriesModel) -> None:
        """The read-out: the reading under the pointer as it stands in the file, marked where it is."""
        if self.pointer is None:
            return
        at = self.place(self.pointer)
        said = self.read_out(at)
        strip = model.strip_at(at.y())
        if not said or strip is None:
            return
        theme, curve, axis = model.bench.theme, model.curve(strip), model.axis(strip)
        painter.setPen(QPen(tinted(theme.quiet, 120), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(at.x(), 0), QPointF(at.x(), model.height))
        found = None if curve is None else reading_at(curve, model.viewport.ns_at(at.x()))
        if found is not None and axis is not None and curve is not None:
            x = model.viewport.x_of(curve.time_map.to_session(found.own_ns))
            y = float(CurveScene.y_of(axis, np.array([found.value]), strip.height - 1)[0]) + strip.top
            if np.isfinite(y):
                painter.setPen(QPen(QColor(theme.ink), 1.4))
                painter.drawEllipse(QPointF(x, y), 3.5, 3.5)
        self.paint_note(painter, model, at, said)

    def read_out(self, at: QPointF) -> str:
        """What stands at a place below the ruler: value with unit, time, row; or that nothing was read there."""
        model = self.model
        strip = None if model is None else model.strip_at(at.y())
        curve = None if model is None or strip is None else model.curve(strip)
        if model is None or strip is None or curve is None:
            return ""
        now = model.viewport.ns_at(at.x())
        found = reading_at(curve, now)
        if found is None:
            return f"{curve.name}: nothing at {in_words(now)}"
        taken = curve.time_map.to_session(found.own_ns)
        return f"{curve.name} {value_in_words(curve, found.value)}  at {taken / 1e9:.4f} s, row {found.row:,}"

    # --- the mouse ----------------------------------------------------------------------------------------------

    def hovered(self, table: Table, at: QPointF, hit: Hit) -> None:
        self.pointer = at if at.y() >= RULER_PX else None
        super().hovered(table, at, hit)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        hit = self.hit_at(event.position())
        if event.button() is Qt.MouseButton.LeftButton and hit is not None and hit.strip is not None:
            self.instant_wanted.emit(hit)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointer = None
        self.update()


def _rect(model: SeriesModel, strip: Strip, start_ns: int, end_ns: int) -> QRectF:
    """A stretch of time on a strip, in pixels of the pane; an instant has the width of its mark."""
    left, right = model.viewport.x_of(start_ns), model.viewport.x_of(end_ns)
    if right - left < 2:
        left, right = left - 1, left + 1
    return QRectF(left, strip.top, right - left, strip.height - 1)
