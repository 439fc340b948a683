"""The lanes of the series pane on the screen: a ruler, kept pictures of every lane, over them labels, values given by
hand, the read-out under the pointer and the playhead; and the mouse. One widget; a playhead that moves repaints two
narrow strips and no lane.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from workstation.app.series_curves import reading_at, value_in_words
from workstation.core.annotation import Annotation
from workstation.core.geometry import Curve
from workstation.core.ontology import Pattern
from workstation.ui.panes.series_gestures import Gesture, Preview, Table, drag_for, pan, scrub
from workstation.ui.panes.series_model import Hit, Part, SeriesModel, Strip
from workstation.ui.scenes.curve_scene import CurveScene
from workstation.ui.scenes.lane_scene import Look, small_font
from workstation.ui.scenes.ruler import in_words, marks, time_step, unit_marks
from workstation.ui.scenes.tier_scene import TierScene

RULER_PX = 32
_AROUND = 3
_ZOOM = 0.8
_DASHES = {
    Pattern.DASHED: Qt.PenStyle.DashLine,
    Pattern.DOTTED: Qt.PenStyle.DotLine,
    Pattern.HATCHED: Qt.PenStyle.DashDotLine,
}
_CURSORS = {
    Part.START: Qt.CursorShape.SizeHorCursor,
    Part.END: Qt.CursorShape.SizeHorCursor,
    Part.POINT: Qt.CursorShape.SizeAllCursor,
}


class SeriesCanvas(QWidget):
    """Paints and feels; what a gesture means is in ``series_gestures.py``. Places count from below the ruler."""

    gesture_changed = QtSignal(object)
    zoom_wanted = QtSignal(float, float)
    pan_wanted = QtSignal(float)
    scroll_wanted = QtSignal(float)
    instant_wanted = QtSignal(object)
    """A ``Hit``: a double click marks a moment there, or takes a point out of a curve."""
    resized = QtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("series_lanes")
        self.setAccessibleName("Channels over time")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumHeight(RULER_PX + 40)
        self.table: Table | None = None
        self.offset = 0
        self.mark_in_ns: int | None = None
        self.pointer: QPointF | None = None
        """Where the pointer is, for the read-out."""
        self._drag: Gesture | None = None
        self._playhead_x: int | None = None

    @property
    def model(self) -> SeriesModel | None:
        return None if self.table is None else self.table.model

    @property
    def drag(self) -> Gesture | None:
        return self._drag

    def show_playhead(self) -> None:
        """Repaint where the playhead was and where it is."""
        model = self.model
        if model is None:
            return
        x = round(model.viewport.x_of(model.bench.clock.time_ns))
        if x == self._playhead_x:
            return
        for each in (self._playhead_x, x):
            if each is not None and -_AROUND <= each <= self.width() + _AROUND:
                self.update(QRect(each - 7, 0, 15, RULER_PX))
                self.update(QRect(each - _AROUND, RULER_PX, 2 * _AROUND + 1, self.height() - RULER_PX))
        self._playhead_x = x

    # --- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(small_font())
        model = self.model
        if model is None:
            painter.fillRect(event.rect(), self.palette().window())
            painter.end()
            return
        painter.fillRect(event.rect(), QColor(model.bench.theme.panel))
        painter.setClipRect(event.rect().intersected(QRect(0, RULER_PX, self.width(), self.height())))
        painter.translate(0, RULER_PX - self.offset)
        shown = event.rect().translated(0, self.offset - RULER_PX)
        for strip in model.strips:
            if strip.bottom > shown.top() and strip.top <= shown.bottom():
                self._paint_strip(painter, model, strip, shown)
        self._paint_marks(painter, model)
        if self._drag is not None:
            self._paint_preview(painter, model, self._drag.preview)
        elif self.pointer is not None:
            self._paint_pointer(painter, model, self._place(self.pointer))
        painter.resetTransform()
        painter.setClipping(False)
        self._paint_ruler(painter, model)
        self._paint_playhead(painter, model)
        painter.end()

    def _paint_strip(self, painter: QPainter, model: SeriesModel, strip: Strip, shown: QRect) -> None:
        theme = model.bench.theme
        if strip.is_group:
            painter.fillRect(0, strip.top, self.width(), strip.height, QColor(theme.raised))
        part = QRect(shown.left(), strip.top, shown.width(), strip.height - 1).intersected(shown)
        look = Look(model.viewport, max(1, strip.height - 1), self.devicePixelRatioF(), theme)
        if not part.isEmpty():
            image = strip.scene.image(look)
            ratio = image.devicePixelRatio()
            source = QRectF(
                part.left() * ratio, (part.top() - strip.top) * ratio, part.width() * ratio, part.height() * ratio
            )
            painter.drawImage(QRectF(part), image, source)
        if isinstance(strip.scene, TierScene):
            self._paint_chosen(painter, model, strip, strip.scene)
        elif strip.is_group:
            painter.setPen(QColor(theme.quiet))
            place = QRectF(8, strip.top, self.width() - 12, strip.height)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, f"drag here to mark all of {strip.stream.key}")
        for annotation in model.over(strip):
            self._paint_over(painter, model, strip, annotation)
        for annotation, curve in model.curves_over(strip):
            self._paint_curve(painter, model, strip, annotation, curve)
        painter.fillRect(0, strip.bottom - 1, self.width(), 1, QColor(theme.line))

    def _paint_over(self, painter: QPainter, model: SeriesModel, strip: Strip, annotation: Annotation) -> None:
        """A span over a lane: lightly filled, its own pattern as the line, handles once it is selected."""
        span = model.view.session_range(annotation)
        if span is None:
            return
        paint, theme = model.view.paint_of(annotation), model.bench.theme
        rect = _rect(model, strip, span.start_ns, span.end_ns)
        chosen, whole = annotation.id in model.bench.selected, annotation.item is None
        fill = QColor(paint.colour)
        fill.setAlpha(64 if chosen else 16 if whole else 34)
        painter.fillRect(rect, fill)
        if whole and not chosen:
            return  # it is named on the stream's own lane
        if chosen:
            painter.setPen(QPen(QColor(theme.paper), 3))
            painter.drawRect(rect)
        pen = QPen(QColor(paint.colour), 2.0 if chosen else 1.0, _DASHES.get(paint.pattern, Qt.PenStyle.SolidLine))
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect)
        if chosen and not span.is_instant:
            for x in (rect.left(), rect.right()):
                painter.fillRect(QRectF(x - 2.5, rect.center().y() - 9, 5, 18), QColor(theme.accent))
        self._paint_name(painter, model, rect, model.view.name_of(annotation.id), span.is_instant)

    def _paint_name(self, painter: QPainter, model: SeriesModel, rect: QRectF, name: str, beside: bool) -> None:
        width = QFontMetricsF(painter.font()).horizontalAdvance(name)
        if rect.height() <= 16 or (rect.width() < width + 8 and not beside):
            return
        left = rect.right() + 2 if beside else max(rect.left(), 0.0) + 2
        back = QColor(model.bench.theme.panel)
        back.setAlpha(200)
        box = QRectF(left, rect.top() + 2, width + 4, 13)
        painter.fillRect(box, back)
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
        painter.setPen(
            QPen(QColor(paint.colour), 2.6 if chosen else 1.8, _DASHES.get(paint.pattern, Qt.PenStyle.SolidLine))
        )
        painter.drawPolyline(line)
        half = 3.0 if chosen else 2.0
        painter.setPen(QPen(QColor(model.bench.theme.accent if chosen else model.bench.theme.ink), 1.0))
        painter.setBrush(QColor(paint.colour))
        for x, y in places.tolist():
            painter.drawRect(QRectF(x - half, y - half, 2 * half, 2 * half))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.restore()

    def _paint_chosen(self, painter: QPainter, model: SeriesModel, strip: Strip, scene: TierScene) -> None:
        for record_id in model.bench.selected:
            number = scene.tier.numbers.get(record_id)
            if number is None:
                continue
            rect = scene.item_rect(number, model.viewport, strip.height - 1).translated(0, strip.top)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for colour, width in ((model.bench.theme.paper, 3.6), (model.bench.theme.accent, 2.0)):
                painter.setPen(QPen(QColor(colour), width))
                painter.drawRect(rect)

    def _paint_marks(self, painter: QPainter, model: SeriesModel) -> None:
        """The loop, the lane in hand, and the beginning of a span whose end is still to be marked."""
        theme, view, loop = model.bench.theme, model.viewport, model.bench.clock.loop
        active = model.active_strip()
        if active is not None:
            painter.fillRect(0, active.top, 3, active.height - 1, QColor(theme.accent))
        if loop is not None:
            shade = QColor(theme.accent)
            shade.setAlpha(26)
            left, right = view.x_of(loop.start_ns), view.x_of(loop.end_ns)
            painter.fillRect(QRectF(left, 0, right - left, model.height), shade)
        if self.mark_in_ns is not None:
            painter.setPen(QPen(QColor(theme.good), 1.5, Qt.PenStyle.DashDotLine))
            x = view.x_of(self.mark_in_ns)
            painter.drawLine(QPointF(x, 0), QPointF(x, model.height))
            painter.drawText(QPointF(x + 3, self.offset + 11), "in")

    def _paint_preview(self, painter: QPainter, model: SeriesModel, preview: Preview) -> None:
        theme, strip = model.bench.theme, preview.strip
        if strip is not None and preview.shown is not None:
            over = strip
            for each in model.strips:
                if each is strip or (strip.is_group and each.stream is strip.stream):
                    over = each
                    rect = _rect(model, over, preview.shown.start_ns, preview.shown.end_ns)
                    fill = QColor(theme.accent)
                    fill.setAlpha(50)
                    painter.fillRect(rect, fill)
                    painter.setPen(QPen(QColor(theme.accent), 1.6, Qt.PenStyle.DashLine))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRect(rect)
        if strip is not None and preview.stroke:
            self._paint_stroke(painter, model, strip, preview.stroke)
        if preview.snap is not None:
            x = model.viewport.x_of(preview.snap.session_ns)
            painter.setPen(QPen(QColor(theme.good), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(x, 0), QPointF(x, model.height))
        if preview.at is not None:
            said = preview.text if preview.snap is None else f"{preview.text}  → {preview.snap.label}"
            self._paint_note(painter, model, preview.at, said)

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

    def _paint_pointer(self, painter: QPainter, model: SeriesModel, at: QPointF) -> None:
        """The read-out: the reading under the pointer as it stands in the file, marked where it is."""
        said = self.read_out(at)
        strip = model.strip_at(at.y())
        if not said or strip is None:
            return
        theme, curve, axis = model.bench.theme, model.curve(strip), model.axis(strip)
        line = QColor(theme.quiet)
        line.setAlpha(120)
        painter.setPen(QPen(line, 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(at.x(), 0), QPointF(at.x(), model.height))
        found = None if curve is None else reading_at(curve, model.viewport.ns_at(at.x()))
        if found is not None and axis is not None and curve is not None:
            x = model.viewport.x_of(curve.time_map.to_session(found.own_ns))
            y = float(CurveScene.y_of(axis, np.array([found.value]), strip.height - 1)[0]) + strip.top
            if np.isfinite(y):
                painter.setPen(QPen(QColor(theme.ink), 1.4))
                painter.drawEllipse(QPointF(x, y), 3.5, 3.5)
        self._paint_note(painter, model, at, said)

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

    def _paint_note(self, painter: QPainter, model: SeriesModel, at: QPointF, text: str) -> None:
        theme = model.bench.theme
        width = QFontMetricsF(painter.font()).horizontalAdvance(text) + 10
        left = min(at.x() + 12, self.width() - width - 4)
        box = QRectF(max(2.0, left), max(at.y() - 24, self.offset + 2.0), width, 18)
        painter.fillRect(box, QColor(theme.raised))
        painter.setPen(QColor(theme.ink))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_ruler(self, painter: QPainter, model: SeriesModel) -> None:
        view, theme = model.viewport, model.bench.theme
        painter.fillRect(0, 0, self.width(), RULER_PX, QColor(theme.raised))
        half, step = RULER_PX // 2, time_step(view, 90)
        for time_ns in marks(view, max(1, step // 5)):
            x, labelled = round(view.x_of(time_ns)), time_ns % step == 0
            painter.fillRect(QRectF(x, half - (7 if labelled else 3), 1, 7 if labelled else 3), QColor(theme.quiet))
            if labelled:
                painter.setPen(QColor(theme.ink))
                painter.drawText(QPointF(x + 4, half - 4), in_words(time_ns, step))
        units = model.units(model.stream())
        if units is not None:
            painter.setPen(QColor(theme.quiet))
            for number, time_ns in unit_marks(units, view, 84):
                x = round(view.x_of(time_ns))
                painter.fillRect(QRectF(x, half + 1, 1, 4), QColor(theme.accent))
                painter.drawText(QPointF(x + 4, RULER_PX - 4), f"{units.name} #{number:,}")
        painter.fillRect(0, RULER_PX - 1, self.width(), 1, QColor(theme.line))

    def _paint_playhead(self, painter: QPainter, model: SeriesModel) -> None:
        x = round(model.viewport.x_of(model.bench.clock.time_ns))
        self._playhead_x = x
        colour = QColor(model.bench.theme.playhead)
        painter.fillRect(x - 1, RULER_PX, 2, self.height(), colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        bottom = float(RULER_PX)
        painter.drawPolygon([QPointF(x - 6, bottom - 9), QPointF(x + 6, bottom - 9), QPointF(x, bottom)])

    # --- the mouse ----------------------------------------------------------------------------------------------

    def _place(self, at: QPointF) -> QPointF:
        return QPointF(at.x(), at.y() - RULER_PX + self.offset)

    def _hit(self, at: QPointF) -> Hit | None:
        model = self.model
        if model is None:
            return None
        if at.y() < RULER_PX:
            return Hit(None, model.viewport.ns_at(at.x()))
        place = self._place(at)
        return model.hit(place.x(), place.y())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = self._hit(event.position())
        if self.table is None or hit is None or self._drag is not None:
            return
        place, held = self._place(event.position()), event.modifiers()
        if event.button() is Qt.MouseButton.MiddleButton:
            self._drag = pan(self.table, place, hit)
        elif event.button() is Qt.MouseButton.LeftButton:
            on_ruler = event.position().y() < RULER_PX
            self._drag = scrub(self.table, place, hit) if on_ruler else drag_for(self.table, place, hit, held)
        else:
            return
        self.gesture_changed.emit(self._drag)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag.move(self._place(event.position()), event.modifiers())
            return
        hit = self._hit(event.position())
        if hit is None or self.table is None:
            return
        self.pointer = event.position() if event.position().y() >= RULER_PX else None
        self.table.bench.selection.hover(hit.annotation, cause="series")
        body = Qt.CursorShape.ArrowCursor if hit.annotation is not None else Qt.CursorShape.CrossCursor
        self.setCursor(_CURSORS.get(hit.part, body) if hit.strip is not None else Qt.CursorShape.ArrowCursor)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and event.button() is not Qt.MouseButton.RightButton:
            drag = self._drag
            self.end_drag()
            drag.finish(event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        hit = self._hit(event.position())
        if event.button() is Qt.MouseButton.LeftButton and hit is not None and hit.strip is not None:
            self.instant_wanted.emit(hit)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointer = None
        self.update()

    def end_drag(self) -> None:
        """The gesture is over."""
        if self._drag is not None:
            self._drag = None
            self.gesture_changed.emit(None)
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        held, turned = event.modifiers(), event.angleDelta()
        steps = (turned.y() or turned.x()) / 120
        if held & Qt.KeyboardModifier.ControlModifier:
            self.zoom_wanted.emit(_ZOOM**steps, event.position().x())
        elif held & Qt.KeyboardModifier.ShiftModifier or turned.x():
            self.pan_wanted.emit(-steps * 80)
        else:
            self.scroll_wanted.emit(-steps * 40)
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()


def _rect(model: SeriesModel, strip: Strip, start_ns: int, end_ns: int) -> QRectF:
    """A stretch of time on a strip, in pixels of the pane; an instant has the width of its mark."""
    left, right = model.viewport.x_of(start_ns), model.viewport.x_of(end_ns)
    if right - left < 2:
        left, right = left - 1, left + 1
    return QRectF(left, strip.top, right - left, strip.height - 1)
