"""The picture of a plane: paints the slice, what lies over it, the cross-hair, sides and scale; forwards the pointer.

The slice is scaled to true millimetres by the painter and kept so until slice or place change; so is, as a layer, what
is drawn over it. A cross-hair that moves costs two copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QCursor,
    QFont,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.ui.pointing import CURSORS, pointer_of
from workstation.ui.scenes.overlays import Overlay, OverlayLook
from workstation.ui.scenes.tool_hints import paint_hints
from workstation.ui.scenes.wet_pixels import WetPixels
from workstation.ui.tools.canvas import Button, PointerEvent

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent

    from workstation.ui.panes.volume_shown import Cut
    from workstation.ui.panes.volume_view import PlaneView

_GRAB_PX = 9.0
"""How near to the crossing of its lines a press takes hold of the cross-hair."""
_GAP_PX = 12.0
"""Free of lines around the crossing, so that what is looked at is not covered."""
_RULER_SHARE = 0.3
_INK = "#e9ecf1"
_CROSS = QColor(120, 190, 255, 150)
_SHADE = QColor(0, 0, 0, 170)


class PlaneArea(QWidget):
    """Where a slice is. ``plane_view`` holds everything; this paints and forwards."""

    def __init__(self, plane_view: PlaneView) -> None:
        super().__init__(plane_view)
        self._view = plane_view
        self._layer: QPixmap | None = None
        self._cut: Cut | None = None
        self._place: object = None
        self._crossed: tuple[float, float] | None = None
        """Where the cross-hair was painted."""
        self._slice: QPixmap | None = None
        self._wet = WetPixels()
        self._grabbed: tuple[Button, QPointF] | None = None
        self._moving_cross = False
        self.pointer: QPointF | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setObjectName(f"slice_{plane_view.volume.stream.key}_{plane_view.name}")
        self.setAccessibleName(f"Slice of {plane_view.volume.title}, {plane_view.name}")

    def sizeHint(self) -> QSize:
        return QSize(240, 200)

    def forget_layer(self) -> None:
        """What lies over the picture is not what it was."""
        self._layer = None
        self.update()

    # --- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        view = self._view
        painter = QPainter(self)
        cut = view.cut
        if cut is None:
            painter.fillRect(self.rect(), Qt.GlobalColor.black)
            painter.setPen(QColor(_INK))
            painter.drawText(
                self.rect().adjusted(12, 6, -12, -6), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap,
                view.empty_text(),
            )  # fmt: skip
            return
        painter.drawPixmap(0, 0, self._kept_slice(cut))
        if view.look.overlays:
            painter.drawPixmap(0, 0, self._kept_layer())
        self._wet.paint(painter, view.viewport, view.scene.wet())
        if view.look.cross_hair:
            self._cross_hair(painter)
        self._sides(painter)
        self._ruler(painter)
        self._value(painter)
        paint_hints(painter, view.viewport, view.tool.hints(), self.pointer, view.bench.theme)
        painter.end()
        view.painted(cut)

    def _kept_slice(self, cut: Cut) -> QPixmap:
        place = self._view.viewport.affine
        if self._slice is None or cut is not self._cut or place != self._place:
            self._cut, self._place = cut, place
            height, width = cut.screen.shape
            image = QImage(cut.screen.data, width, height, 4 * width, QImage.Format.Format_RGB32)
            self._slice = self._fresh_pixmap(self._slice, Qt.GlobalColor.black)  # whatever the theme: greys need it
            painter = QPainter(self._slice)
            painter.setTransform(QTransform(*place), True)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(0, 0, *cut.plane.size_px), image)
            painter.end()
        return self._slice

    def _fresh_pixmap(self, old: QPixmap | None, colour: Qt.GlobalColor) -> QPixmap:
        """As large as the area; the old one if it is."""
        ratio = self.devicePixelRatioF()
        size = self.size() * ratio
        made = old if old is not None and old.size() == size else QPixmap(size)
        made.setDevicePixelRatio(ratio)
        made.fill(colour)
        return made

    def _kept_layer(self) -> QPixmap:
        if self._layer is None:
            self._layer = self._fresh_pixmap(None, Qt.GlobalColor.transparent)
            painter = QPainter(self._layer)
            view = self._view
            scene = view.scene
            look = OverlayLook(names=view.look.names, calm=True)
            Overlay(painter, view.viewport, view.shown_marks, look, scene.mask, scene.skeleton_of).paint(
                scene.shown, []
            )
            painter.end()
        return self._layer

    def _cross_hair(self, painter: QPainter) -> None:
        """The two other planes, each a line; free around the crossing."""
        view = self._view
        x, y = self._crossed = view.cross_on_screen()
        width, height = float(self.width()), float(self.height())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for rect in (
            QRectF(0.0, y, x - _GAP_PX, 1.0), QRectF(x + _GAP_PX, y, width - x - _GAP_PX, 1.0),
            QRectF(x, 0.0, 1.0, y - _GAP_PX), QRectF(x, y + _GAP_PX, 1.0, height - y - _GAP_PX),
        ):  # fmt: skip
            if rect.isValid():
                painter.fillRect(rect, _CROSS)  # a quarter of what a see-through line costs

    def cross_moved(self) -> None:
        """The planes cross elsewhere: what its lines cover, and covered, is painted anew and no more."""
        if not self._view.look.cross_hair or self._crossed is None:
            return
        wide = round(2 * _GAP_PX) + 4
        for x, y in (self._crossed, self._view.cross_on_screen()):
            self.update(QRect(round(x) - wide // 2, 0, wide, self.height()))
            self.update(QRect(0, round(y) - wide // 2, self.width(), wide))

    def _sides(self, painter: QPainter) -> None:
        """Which side of the patient lies beyond each edge."""
        font = QFont(self.font())
        font.setPixelSize(13)
        font.setBold(True)
        painter.setFont(font)
        left, right, top, bottom = self._view.sides
        metrics = painter.fontMetrics()
        middle_x, middle_y, high = self.width() / 2, self.height() / 2, metrics.height()
        for text, x, y in (
            (left, 5.0, middle_y), (right, self.width() - 5.0 - metrics.horizontalAdvance(right), middle_y),
            (top, middle_x - metrics.horizontalAdvance(top) / 2, high / 2 + 3),
            (bottom, middle_x - metrics.horizontalAdvance(bottom) / 2, self.height() - high / 2 - 3),
        ):  # fmt: skip
            _shaded(painter, QPointF(x, y + metrics.ascent() / 2 - 1), text)

    def _ruler(self, painter: QPainter) -> None:
        """A bar of a round length, with its length."""
        per_mm = self._view.viewport.per_mm
        most = self.width() * _RULER_SHARE / per_mm
        length = max((each for each in (1, 2, 5, 10, 20, 50, 100, 200) if each <= most), default=0)
        if not length:
            return
        wide, y = length * per_mm, self.height() - 8.0
        x = self.width() - 8.0 - wide
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for pen in (QPen(_SHADE, 4), QPen(QColor(_INK), 1.6)):
            painter.setPen(pen)
            painter.drawLine(QPointF(x, y), QPointF(x + wide, y))
            for end in (x, x + wide):
                painter.drawLine(QPointF(end, y - 4), QPointF(end, y + 4))
        text = f"{length // 10} cm" if length >= 10 else f"{length} mm"
        font = QFont(self.font())
        font.setPixelSize(11)
        painter.setFont(font)
        _shaded(painter, QPointF(x + wide - painter.fontMetrics().horizontalAdvance(text), y - 7), text)

    def _value(self, painter: QPainter) -> None:
        """What the voxel under the pointer holds, or what is wrong with the picture."""
        text = self._view.value_text(self.pointer)
        if text:
            font = QFont(self.font())
            font.setPixelSize(11)
            painter.setFont(font)
            _shaded(painter, QPointF(8, self.height() - 8), text)

    # --- pointer ------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        view = self._view
        view.taken.emit()
        if event.button() is Qt.MouseButton.MiddleButton:
            self._grabbed = (Button.MIDDLE, event.position())
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() is Qt.MouseButton.RightButton:
            self._grabbed = (Button.RIGHT, event.position())
        elif self._on_cross(event.position()):
            self._moving_cross = True
        else:
            view.pressed(self._pointed(event))
            view.guard(view.tool.press, self._pointed(event))
            self._after(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer = event.position()
        view = self._view
        if self._moving_cross:
            view.look_at_screen((event.position().x(), event.position().y()))
        elif self._grabbed is not None:
            button, last = self._grabbed
            self._grabbed = (button, event.position())
            by = event.position() - last
            if button is Button.MIDDLE:
                view.pan((by.x(), by.y()))
            else:
                view.shift_window(by.x() / max(1, self.width()), by.y() / max(1, self.height()))
        else:
            pointed = self._pointed(event)
            view.guard(view.tool.move, pointed)
            if pointed.held is Button.NONE:
                view.hover(pointed)
            self._after(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        view = self._view
        if self._moving_cross:
            self._moving_cross = False
        elif self._grabbed is not None:
            self._grabbed = None
        else:
            view.guard(view.clicked, self._pointed(event))
            view.guard(view.tool.release, self._pointed(event))
        self._after(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        view = self._view
        if not view.guard(view.tool.double_click, self._pointed(event, clicks=2)):
            view.header.enlarge_wanted.emit()
        self._after(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointer = None
        self._view.hover(None)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        if steps:
            ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self._view.wheel(steps, (event.position().x(), event.position().y()), ctrl=ctrl)
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._view.resized()

    def _on_cross(self, at: QPointF) -> bool:
        view = self._view
        if not view.look.cross_hair or view.tool.busy or not view.selects:
            return False
        x, y = view.cross_on_screen()
        pile = view.canvas.hit(view.viewport.to_picture((at.x(), at.y())))
        return not pile and max(abs(at.x() - x), abs(at.y() - y)) <= _GRAB_PX

    def _pointed(self, event: QMouseEvent, *, clicks: int = 1) -> PointerEvent:
        return pointer_of(event, self._view.canvas, clicks=clicks)

    def _after(self, event: QMouseEvent) -> None:
        """The tool may have begun or ended something."""
        self._view.tool_moved.emit()
        shape: Any = CURSORS[self._view.tool.cursor(self._pointed(event))]
        if self._on_cross(event.position()):
            shape = Qt.CursorShape.SizeAllCursor
        if self.cursor().shape() is not shape:
            self.setCursor(QCursor(shape))
        self.update()


def _shaded(painter: QPainter, at: QPointF, text: str) -> None:
    """Letters that can be read on white and on black."""
    painter.setPen(_SHADE)
    for x, y in ((-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)):
        painter.drawText(at + QPointF(x, y), text)
    painter.setPen(QColor(_INK))
    painter.drawText(at, text)
