"""Strips on the screen, as far as sound and series agree: a ruler, kept pictures of every strip, over them what moves
(labels, previews, marks, the playhead), and the mouse. One widget; a playhead that moves repaints two narrow parts of
it and no strip. Places count from below the ruler.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
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

from workstation.app.doubts import Doubt
from workstation.app.lag import Lag
from workstation.app.lanes import Standing, standing_of
from workstation.app.looks import Paint
from workstation.app.units import Units
from workstation.core.annotation import Annotation
from workstation.core.ontology import Pattern
from workstation.ui.panes.base_gestures import Modifiers, PreviewT, StripDrag, TableT
from workstation.ui.panes.base_strips import Hit, Part, StripsModel, StripT
from workstation.ui.scenes.kept_picture import KeptPicture
from workstation.ui.scenes.lane_scene import Look, image_of
from workstation.ui.scenes.letters import small_font
from workstation.ui.scenes.ruler import in_words, marks, time_step, unit_marks
from workstation.ui.scenes.tier_scene import TierScene

RULER_PX = 32
_AROUND = 3
_MOST_RELATED = 200
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
    Part.POINT: Qt.CursorShape.SizeAllCursor,
}
ModelT = TypeVar("ModelT", bound=StripsModel[Any])


class StripsCanvas(QWidget, Generic[TableT, ModelT, StripT, PreviewT]):
    """Paints and feels; what a gesture means is in the pane's own gestures."""

    gesture_changed = QtSignal(object)
    zoom_wanted = QtSignal(float, float)
    pan_wanted = QtSignal(float)
    scroll_wanted = QtSignal(float)
    resized = QtSignal()
    cause: str
    """Who hovers."""

    def __init__(self, name: str, called: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(called)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumHeight(RULER_PX + 40)
        self.table: TableT | None = None
        self.offset = 0
        self.mark_in_ns: int | None = None
        self.lag = Lag()
        self.paints = 0
        """How often something was painted, for tests and benchmarks."""
        self.related: frozenset[str] = frozenset()
        """What belongs to the selected: other labels of the same thing, ends of a link."""
        self._drag: StripDrag[TableT, PreviewT, Hit[StripT]] | None = None
        self._scale = KeptPicture()
        self._playhead_x: int | None = None

    # --- what a pane says ---------------------------------------------------------------------------------------

    @property
    def model(self) -> ModelT | None:
        raise AssertionError(f"{type(self).__name__} says which")

    def scrubbed(self, table: TableT, at: QPointF, hit: Hit[StripT]) -> StripDrag[TableT, PreviewT, Hit[StripT]]:
        """What a press on the ruler begins."""
        raise AssertionError(f"{type(self).__name__} says how")

    def panned(self, table: TableT, at: QPointF, hit: Hit[StripT]) -> StripDrag[TableT, PreviewT, Hit[StripT]]:
        """What a press of the middle button begins."""
        raise AssertionError(f"{type(self).__name__} says how")

    def pressed(
        self, table: TableT, at: QPointF, hit: Hit[StripT], held: Modifiers
    ) -> StripDrag[TableT, PreviewT, Hit[StripT]]:
        """What a press of the left button on the strips begins."""
        raise AssertionError(f"{type(self).__name__} says how")

    def unit_words(self, units: Units, number: int) -> str:
        """How the ruler names a unit."""
        raise AssertionError(f"{type(self).__name__} says how")

    def paint_under(self, painter: QPainter, model: ModelT, strip: StripT) -> None:
        """Below the picture of a strip."""

    def paint_over(self, painter: QPainter, model: ModelT, strip: StripT) -> None:
        """Over the picture of a strip."""
        raise AssertionError(f"{type(self).__name__} says what")

    def paint_pointer(self, painter: QPainter, model: ModelT) -> None:
        """Where the pointer is, while nothing is dragged."""

    # --- painting -----------------------------------------------------------------------------------------------

    @property
    def drag(self) -> StripDrag[TableT, PreviewT, Hit[StripT]] | None:
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

    def paintEvent(self, event: QPaintEvent) -> None:
        self.paints += 1
        painter = QPainter(self)
        try:
            self._paint(painter, event)
        finally:
            painter.end()  # a painter that is left behind ends the program once its widget goes

    def _paint(self, painter: QPainter, event: QPaintEvent) -> None:
        painter.setFont(small_font())
        model = self.model
        if model is None:
            painter.fillRect(event.rect(), self.palette().window())
            return
        painter.fillRect(event.rect(), QColor(model.bench.theme.panel))
        chosen = model.bench.selected
        self.related = model.view.related(chosen) - set(chosen) if len(chosen) <= _MOST_RELATED else frozenset()
        painter.setClipRect(event.rect().intersected(QRect(0, RULER_PX, self.width(), self.height())))
        painter.translate(0, RULER_PX - self.offset)
        shown = event.rect().translated(0, self.offset - RULER_PX)
        for strip in model.strips:
            if strip.bottom > shown.top() and strip.top <= shown.bottom():
                self._paint_strip(painter, model, strip, shown)
        self.paint_marks(painter, model)
        if self._drag is not None:
            self.paint_preview(painter, model, self._drag.preview)
        else:
            self.paint_pointer(painter, model)
        painter.resetTransform()
        painter.setClipping(False)
        ruler, of = QSize(self.width(), RULER_PX), (model.viewport, model.bench.theme)
        self._scale.draw(painter, ruler, of, model.own_units(), self._paint_ruler)
        time_ns = model.bench.clock.time_ns
        x = self._paint_playhead(painter, model, time_ns)
        if event.rect().left() <= x <= event.rect().right() or not 0 <= x <= self.width():
            self.lag.painted_playhead(model.viewport, time_ns)

    def _paint_strip(self, painter: QPainter, model: ModelT, strip: StripT, shown: QRect) -> None:
        theme = model.bench.theme
        self.paint_under(painter, model, strip)
        part = QRect(shown.left(), strip.top, shown.width(), strip.height - 1).intersected(shown)
        look = Look(model.viewport, max(1, strip.height - 1), self.devicePixelRatioF(), theme)
        if not part.isEmpty():
            image = strip.scene.image(look)
            ratio = image.devicePixelRatio()
            source = QRectF(
                part.left() * ratio, (part.top() - strip.top) * ratio, part.width() * ratio, part.height() * ratio
            )
            painter.drawImage(QRectF(part), image, source)
        self.paint_over(painter, model, strip)
        painter.fillRect(0, strip.bottom - 1, self.width(), 1, QColor(theme.line))

    def paint_frame(
        self, painter: QPainter, model: ModelT, rect: QRectF, annotation: Annotation, *, chosen: bool, handles: bool
    ) -> None:
        """The frame of a label over a strip: its own pattern as the line, handles once it is selected. What is only
        proposed is dashed whatever its class, what is rejected is struck through."""
        theme, paint, standing = model.bench.theme, model.view.paint_of(annotation), standing_of(annotation)
        if chosen:
            painter.setPen(QPen(QColor(theme.paper), 3))
            painter.drawRect(rect)
        painter.setPen(self.pen_of(paint, 2.0 if chosen else 1.0, standing))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect)
        if standing is Standing.REJECTED:
            painter.drawLine(rect.bottomLeft(), rect.topRight())
        if handles:
            for x in (rect.left(), rect.right()):
                painter.fillRect(QRectF(x - 2.5, rect.center().y() - 9, 5, 18), QColor(theme.accent))

    @staticmethod
    def pen_of(paint: Paint, width: float, standing: Standing = Standing.SURE) -> QPen:
        """A class's own line, dashed where it is only proposed."""
        colour, style = QColor(paint.colour), _DASHES.get(paint.pattern, Qt.PenStyle.SolidLine)
        if standing is Standing.REJECTED:
            colour.setAlphaF(0.5)
        pen = QPen(colour, width, style)
        if standing is Standing.PROPOSED:
            pen.setDashPattern([4.0, 3.0])
        return pen

    @staticmethod
    def label_of(model: ModelT, annotation: Annotation) -> str:
        """Its name, and of a proposal how sure it is."""
        return f"{model.view.name_of(annotation.id)} {Doubt(model.view)(annotation.id)}".rstrip()

    def paint_chosen(self, painter: QPainter, model: ModelT, strip: StripT, scene: TierScene) -> None:
        """Frames around the selected labels of a strip of labels, and dotted ones around what belongs to them."""
        theme, numbers = model.bench.theme, scene.tier.numbers
        painter.setBrush(Qt.BrushStyle.NoBrush)
        solid = (QPen(QColor(theme.paper), 3.6), QPen(QColor(theme.accent), 2.0))
        for ids, pens in ((self.related, (self._related_pen(model),)), (model.bench.selected, solid)):
            for number in [numbers[each] for each in ids if each in numbers]:
                rect = scene.item_rect(number, model.viewport, strip.height - 1).translated(0, strip.top)
                for pen in pens:
                    painter.setPen(pen)
                    painter.drawRect(rect)

    def paint_related(self, painter: QPainter, model: ModelT, rect: QRectF) -> None:
        """The frame of a label that shows the same thing as a selected one, or is linked to it."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(self._related_pen(model))
        painter.drawRect(rect.adjusted(1, 1, -1, -1) if rect.width() > 6 else rect)

    @staticmethod
    def _related_pen(model: ModelT) -> QPen:
        return QPen(QColor(model.bench.theme.accent), 1.6, Qt.PenStyle.DotLine)

    def paint_crowd(self, painter: QPainter, model: ModelT, strip: StripT, *, height_px: int) -> None:
        """Behind the labels drawn one by one over the lower part of a strip: all there are, where they are many."""
        ratio = self.devicePixelRatioF()
        row = model.crowd_over(strip, model.viewport.resized(round(model.viewport.width_px * ratio)))
        if row is not None:
            place = QRectF(0, strip.bottom - 1 - height_px, model.viewport.width_px, height_px)
            painter.drawImage(place, image_of(row[None, :]))

    def paint_marks(self, painter: QPainter, model: ModelT) -> None:
        """The loop, and the beginning of a span whose end is still to be marked."""
        theme, view, loop = model.bench.theme, model.viewport, model.bench.clock.loop
        if loop is not None:
            left, right = view.x_of(loop.start_ns), view.x_of(loop.end_ns)
            painter.fillRect(QRectF(left, 0, right - left, model.height), tinted(theme.accent, 26))
        if self.mark_in_ns is not None:
            painter.setPen(QPen(QColor(theme.good), 1.5, Qt.PenStyle.DashDotLine))
            x = view.x_of(self.mark_in_ns)
            painter.drawLine(QPointF(x, 0), QPointF(x, model.height))
            painter.drawText(QPointF(x + 3, self.offset + 11), "in")

    def paint_preview(self, painter: QPainter, model: ModelT, preview: PreviewT) -> None:
        """What a gesture is drawn to, and what it says; panes paint before what it makes."""
        if preview.snap is not None:
            x = model.viewport.x_of(preview.snap.session_ns)
            painter.setPen(QPen(QColor(model.bench.theme.good), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(x, 0), QPointF(x, model.height))
        if preview.at is not None:
            said = preview.text if preview.snap is None else f"{preview.text}  → {preview.snap.label}"
            self.paint_note(painter, model, preview.at, said)

    def paint_wanted(self, painter: QPainter, model: ModelT, rect: QRectF) -> None:
        """A label that a gesture would make or change."""
        painter.fillRect(rect, tinted(model.bench.theme.accent, 50))
        painter.setPen(QPen(QColor(model.bench.theme.accent), 1.6, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect)

    def paint_note(self, painter: QPainter, model: ModelT, at: QPointF, text: str) -> None:
        """Words beside a place, inside the canvas."""
        theme = model.bench.theme
        width = QFontMetricsF(painter.font()).horizontalAdvance(text) + 10
        left = min(at.x() + 12, self.width() - width - 4)
        box = QRectF(max(2.0, left), max(at.y() - 24, self.offset + 2.0), width, 18)
        painter.fillRect(box, QColor(theme.raised))
        painter.setPen(QColor(theme.ink))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_ruler(self, painter: QPainter) -> None:
        model = self.model
        assert model is not None
        view, theme = model.viewport, model.bench.theme
        painter.fillRect(0, 0, self.width(), RULER_PX, QColor(theme.raised))
        half, step = RULER_PX // 2, time_step(view, 90)
        for time_ns in marks(view, max(1, step // 5)):
            x, labelled = round(view.x_of(time_ns)), time_ns % step == 0
            painter.fillRect(QRectF(x, half - (7 if labelled else 3), 1, 7 if labelled else 3), QColor(theme.quiet))
            if labelled:
                painter.setPen(QColor(theme.ink))
                painter.drawText(QPointF(x + 4, half - 4), in_words(time_ns, step))
        units = model.own_units()
        if units is not None:
            painter.setPen(QColor(theme.quiet))
            for number, time_ns in unit_marks(units, view, 84):
                x = round(view.x_of(time_ns))
                painter.fillRect(QRectF(x, half + 1, 1, 4), QColor(theme.accent))
                painter.drawText(QPointF(x + 4, RULER_PX - 4), self.unit_words(units, number))
        painter.fillRect(0, RULER_PX - 1, self.width(), 1, QColor(theme.line))

    def _paint_playhead(self, painter: QPainter, model: ModelT, time_ns: int) -> int:
        """Where it is now."""
        x = round(model.viewport.x_of(time_ns))
        self._playhead_x = x
        colour = QColor(model.bench.theme.playhead)
        painter.fillRect(x - 1, RULER_PX, 2, self.height(), colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        bottom = float(RULER_PX)
        painter.drawPolygon([QPointF(x - 6, bottom - 9), QPointF(x + 6, bottom - 9), QPointF(x, bottom)])
        return x

    # --- the mouse ----------------------------------------------------------------------------------------------

    def place(self, at: QPointF) -> QPointF:
        """A place of the widget, below the ruler and scrolled."""
        return QPointF(at.x(), at.y() - RULER_PX + self.offset)

    def hit_at(self, at: QPointF) -> Hit[StripT] | None:
        """What lies at a place of the widget."""
        model = self.model
        if model is None:
            return None
        if at.y() < RULER_PX:
            return Hit(None, model.viewport.ns_at(at.x()))
        place = self.place(at)
        found: Hit[StripT] = model.hit(place.x(), place.y())
        return found

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = self.hit_at(event.position())
        if self.table is None or hit is None or self._drag is not None:
            return
        place = self.place(event.position())
        if event.button() is Qt.MouseButton.MiddleButton:
            self._drag = self.panned(self.table, place, hit)
        elif event.button() is not Qt.MouseButton.LeftButton:
            return
        elif event.position().y() < RULER_PX:
            self._drag = self.scrubbed(self.table, place, hit)
        else:
            self._drag = self.pressed(self.table, place, hit, event.modifiers())
        self.gesture_changed.emit(self._drag)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag.move(self.place(event.position()), event.modifiers())
            return
        hit = self.hit_at(event.position())
        if hit is not None and self.table is not None:
            self.hovered(self.table, event.position(), hit)

    def hovered(self, table: TableT, at: QPointF, hit: Hit[StripT]) -> None:
        """The pointer is there, and nothing is dragged."""
        del at
        table.bench.selection.hover(hit.annotation, cause=self.cause)
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


def tinted(colour: str, alpha: int) -> QColor:
    """A colour that lets through what is below."""
    found = QColor(colour)
    found.setAlpha(alpha)
    return found
