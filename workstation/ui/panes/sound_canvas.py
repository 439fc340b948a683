"""The sounds on the screen: a ruler, kept pictures of every strip, over them labels, selection, previews and the
playhead; and the mouse. One widget; a playhead that moves repaints two narrow strips and no sound.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from workstation.core.annotation import Annotation
from workstation.core.ontology import Pattern
from workstation.ui.panes.sound_gestures import Gesture, Preview, Table, drag_for, pan, rect_of, scrub
from workstation.ui.panes.sound_model import Hit, Part, SoundModel, Strip
from workstation.ui.scenes.lane_scene import Look, small_font
from workstation.ui.scenes.ruler import in_words, marks, time_step, unit_marks
from workstation.ui.scenes.sound_scene import SoundScene
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
    Part.LOW: Qt.CursorShape.SizeVerCursor,
    Part.HIGH: Qt.CursorShape.SizeVerCursor,
}


class SoundCanvas(QWidget):
    """Paints and feels; what a gesture means is in ``sound_gestures.py``. Places count from below the ruler."""

    gesture_changed = QtSignal(object)
    zoom_wanted = QtSignal(float, float)
    pan_wanted = QtSignal(float)
    scroll_wanted = QtSignal(float)
    resized = QtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sound_strips")
        self.setAccessibleName("Sounds")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumHeight(RULER_PX + 40)
        self.table: Table | None = None
        self.offset = 0
        self.mark_in_ns: int | None = None
        self.paints = 0
        """How often something was painted, for tests and benchmarks."""
        self._drag: Gesture | None = None
        self._playhead_x: int | None = None

    @property
    def model(self) -> SoundModel | None:
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
        self.paints += 1
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
        painter.resetTransform()
        painter.setClipping(False)
        self._paint_ruler(painter, model)
        self._paint_playhead(painter, model)
        painter.end()

    def _paint_strip(self, painter: QPainter, model: SoundModel, strip: Strip, shown: QRect) -> None:
        theme = model.bench.theme
        part = QRect(shown.left(), strip.top, shown.width(), strip.height - 1).intersected(shown)
        look = Look(model.viewport, max(1, strip.height - 1), self.devicePixelRatioF(), theme)
        if not part.isEmpty():
            image = strip.scene.image(look)
            ratio = image.devicePixelRatio()
            source = QRectF(
                part.left() * ratio, (part.top() - strip.top) * ratio, part.width() * ratio, part.height() * ratio
            )
            painter.drawImage(QRectF(part), image, source)
        if isinstance(strip.scene, SoundScene):
            for annotation in model.over(strip):
                self._paint_over(painter, model, strip, annotation)
        elif isinstance(strip.scene, TierScene):
            self._paint_chosen(painter, model, strip, strip.scene)
        painter.fillRect(0, strip.bottom - 1, self.width(), 1, QColor(theme.line))

    def _paint_over(self, painter: QPainter, model: SoundModel, strip: Strip, annotation: Annotation) -> None:
        """A label over a sound: lightly filled, its own pattern as the line, handles once it is selected."""
        span = model.view.session_range(annotation)
        if span is None:
            return
        paint, theme = model.view.paint_of(annotation), model.bench.theme
        rect = rect_of(model, strip, span, *model.frequencies(strip, annotation))
        chosen = annotation.id in model.bench.selected
        fill = QColor(paint.colour)
        fill.setAlpha(64 if chosen else 30)
        painter.fillRect(rect, fill)
        if chosen:
            painter.setPen(QPen(QColor(theme.paper), 3))
            painter.drawRect(rect)
        pen = QPen(QColor(paint.colour), 2.0 if chosen else 1.0, _DASHES.get(paint.pattern, Qt.PenStyle.SolidLine))
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect)
        if chosen:
            for x in (rect.left(), rect.right()):
                painter.fillRect(QRectF(x - 2.5, rect.center().y() - 9, 5, 18), QColor(theme.accent))
        name = model.view.name_of(annotation.id)
        if rect.width() > QFontMetricsF(painter.font()).horizontalAdvance(name) + 8 and rect.height() > 16:
            place = QPointF(max(rect.left(), 0.0) + 4, rect.top() + 12)
            back = QColor(theme.panel)
            back.setAlpha(190)
            width = QFontMetricsF(painter.font()).horizontalAdvance(name)
            painter.fillRect(QRectF(place.x() - 2, rect.top() + 2, width + 4, 13), back)
            painter.setPen(QColor(theme.ink))
            painter.drawText(place, name)

    def _paint_chosen(self, painter: QPainter, model: SoundModel, strip: Strip, scene: TierScene) -> None:
        for record_id in model.bench.selected:
            number = scene.tier.numbers.get(record_id)
            if number is None:
                continue
            rect = scene.item_rect(number, model.viewport, strip.height - 1).translated(0, strip.top)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for colour, width in ((model.bench.theme.paper, 3.6), (model.bench.theme.accent, 2.0)):
                painter.setPen(QPen(QColor(colour), width))
                painter.drawRect(rect)

    def _paint_marks(self, painter: QPainter, model: SoundModel) -> None:
        """The loop, and the beginning of a span whose end is still to be marked."""
        theme, view, loop = model.bench.theme, model.viewport, model.bench.clock.loop
        if loop is not None:
            shade = QColor(theme.accent)
            shade.setAlpha(26)
            left, right = view.x_of(loop.start_ns), view.x_of(loop.end_ns)
            painter.fillRect(QRectF(left, 0, right - left, model.height), shade)
            painter.setPen(QPen(QColor(theme.accent), 1, Qt.PenStyle.DashLine))
            for x in (left, right):
                painter.drawLine(QPointF(x, 0), QPointF(x, model.height))
        if self.mark_in_ns is not None:
            painter.setPen(QPen(QColor(theme.good), 1.5, Qt.PenStyle.DashDotLine))
            x = view.x_of(self.mark_in_ns)
            painter.drawLine(QPointF(x, 0), QPointF(x, model.height))
            painter.drawText(QPointF(x + 3, 11), "in")

    def _paint_preview(self, painter: QPainter, model: SoundModel, preview: Preview) -> None:
        theme = model.bench.theme
        if preview.shown is None:
            return
        for strip in model.strips:
            if strip.key != preview.strip and (strip.stream != preview.stream or isinstance(strip.scene, TierScene)):
                continue
            top, bottom = 0.0, float(strip.height - 1)
            if preview.band is not None and isinstance(strip.scene, SoundScene) and strip.is_spectrogram:
                high, low = (strip.scene.axis.share_of(hz) for hz in (preview.band.high_hz, preview.band.low_hz))
                top, bottom = bottom * (1 - min(high, 1.0)), bottom * (1 - max(low, 0.0))
            rect = rect_of(model, strip, preview.shown, top, bottom)
            fill = QColor(theme.accent)
            fill.setAlpha(50)
            painter.fillRect(rect, fill)
            painter.setPen(QPen(QColor(theme.accent), 1.6, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect)
        if preview.snap is not None:
            x = model.viewport.x_of(preview.snap.session_ns)
            painter.setPen(QPen(QColor(theme.good), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(x, 0), QPointF(x, model.height))
        if preview.at is not None:
            said = preview.text if preview.snap is None else f"{preview.text}  → {preview.snap.label}"
            self._paint_note(painter, model, preview.at, said)

    def _paint_note(self, painter: QPainter, model: SoundModel, at: QPointF, text: str) -> None:
        theme = model.bench.theme
        width = QFontMetricsF(painter.font()).horizontalAdvance(text) + 10
        left = min(at.x() + 12, self.width() - width - 4)
        box = QRectF(max(2.0, left), max(at.y() - 24, self.offset + 2.0), width, 18)
        painter.fillRect(box, QColor(theme.raised))
        painter.setPen(QColor(theme.ink))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_ruler(self, painter: QPainter, model: SoundModel) -> None:
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
                painter.drawText(QPointF(x + 4, RULER_PX - 4), f"#{number:,}")
        painter.fillRect(0, RULER_PX - 1, self.width(), 1, QColor(theme.line))

    def _paint_playhead(self, painter: QPainter, model: SoundModel) -> None:
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
            on_ruler = hit.strip is None
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
        self.table.bench.selection.hover(hit.annotation, cause="sound")
        body = Qt.CursorShape.ArrowCursor if hit.annotation is not None else Qt.CursorShape.CrossCursor
        self.setCursor(_CURSORS.get(hit.part, body) if hit.strip is not None else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and event.button() is not Qt.MouseButton.RightButton:
            drag = self._drag
            self.end_drag()
            drag.finish(event.modifiers())

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
