"""The picture of a camera view: paints what the view holds, and hands pointer and wheel to the tool and the zoom.

The picture is one copy of an image already in screen form; everything drawn over it is kept as a layer until records,
selection, zoom or picture change. Only cross-hair, cursor and a tool's hints are painted anew with every move.
A GPU is not needed for this and not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QCursor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.ui.pointing import CURSORS, pointer_of
from workstation.ui.scenes.overlays import Overlay
from workstation.ui.scenes.pixel_values import paint_values
from workstation.ui.scenes.tool_hints import paint_hints
from workstation.ui.scenes.wet_pixels import WetPixels
from workstation.ui.tools.canvas import Button, PointerEvent

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent

    from workstation.ui.panes.camera_frames import Frame
    from workstation.ui.panes.camera_view import CameraView

_MAGNIFIER_PX = 150
_MAGNIFIED = 4.0
_NO_NEED_SCALE = 12.0
"""Pixels this large need no magnifier."""


class PictureArea(QWidget):
    """Where the picture is. ``camera`` holds everything; this paints and forwards."""

    painted = QtSignal(int)
    """A picture of that number is on the screen now."""

    def __init__(self, camera: CameraView) -> None:
        super().__init__(camera)
        self._camera = camera
        self._layer: QPixmap | None = None
        self._painted_index: int | None = None
        self._wet = WetPixels()
        self._grabbed: tuple[Button, QPointF] | None = None
        self.pointer: QPointF | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setObjectName(f"picture_{camera.stream.key}")
        self.setAccessibleName(f"Picture of {camera.title}")

    def sizeHint(self) -> QSize:
        return QSize(320, 180)

    def forget_layer(self) -> None:
        """What lies over the picture is not what it was."""
        self._layer = None
        self.update()

    # --- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        camera = self._camera
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(camera.bench.theme.picture))
        frame = camera.frames.frame
        if frame is None:
            self._painted_index = None
            camera.lag.nothing()
            self._say(painter, camera.empty_text())
            return
        self._picture(painter, frame)
        if camera.show_overlays:
            painter.drawPixmap(0, 0, self._kept_layer())
        self._over(painter, frame)
        painter.end()
        if frame.session_ns is not None and frame.end_ns is not None:
            camera.lag.painted(frame.session_ns, frame.end_ns, frame.index)
        camera.saw(frame)
        if frame.index != self._painted_index:
            self._painted_index = frame.index
            self.painted.emit(frame.index)

    def _picture(self, painter: QPainter, frame: Frame) -> None:
        viewport = self._camera.viewport
        region = frame.picture.region
        left, top = viewport.to_screen((region.left, region.top))
        right, bottom = viewport.to_screen((region.right, region.bottom))
        target = QRectF(left, top, right - left, bottom - top)
        ratio = viewport.device_ratio
        exact = (
            abs(target.width() * ratio - frame.image.width()) < 1.0
            and abs(target.height() * ratio - frame.image.height()) < 1.0
        )
        smooth = not exact and not viewport.whole_pixels
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        if exact:
            frame.image.setDevicePixelRatio(ratio)
            painter.drawImage(QPointF(round(left * ratio) / ratio, round(top * ratio) / ratio), frame.image)
            frame.image.setDevicePixelRatio(1.0)
        else:
            painter.drawImage(target, frame.image)
        if self._camera.late:
            painter.fillRect(self.rect(), QColor(0, 0, 0, 120))

    def _kept_layer(self) -> QPixmap:
        if self._layer is None:
            ratio = self.devicePixelRatioF()
            self._layer = QPixmap(self.size() * ratio)
            self._layer.setDevicePixelRatio(ratio)
            self._layer.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._layer)
            scene = self._camera.scene
            overlay = self._overlay(painter)
            self._camera.space.paint_points(painter)
            overlay.paint(scene.shown, scene.shadows)
            painter.end()
        return self._layer

    def _overlay(self, painter: QPainter) -> Overlay:
        camera, scene = self._camera, self._camera.scene
        return Overlay(painter, camera.viewport, camera.marks, camera.look.overlay, scene.mask, scene.skeleton_of)

    def _over(self, painter: QPainter, frame: Frame) -> None:
        camera = self._camera
        viewport = camera.viewport
        paint_values(painter, viewport, frame.picture)
        self._wet.paint(painter, viewport, camera.scene.wet())
        self._missing(painter)
        if camera.scene.dragged and camera.show_overlays:
            self._overlay(painter).paint_dragged(camera.scene.dragged)
        camera.space.paint_cursor(painter)
        if camera.look.cross_hair and self.pointer is not None and not camera.frames.trouble:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(QColor(255, 255, 255, 150), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(self.pointer.x(), 0), QPointF(self.pointer.x(), self.height()))
            painter.drawLine(QPointF(0, self.pointer.y()), QPointF(self.width(), self.pointer.y()))
        paint_hints(painter, viewport, camera.tool.hints(), self.pointer, camera.bench.theme)
        if camera.look.magnifier and self.pointer is not None and viewport.scale < _NO_NEED_SCALE:
            self._magnifier(painter, frame)

    def _missing(self, painter: QPainter) -> None:
        """What is stated not to show here, in a corner, behind a hatched edge."""
        missing = [each for each in self._camera.scene.missing if self._camera.names_missing(each.id)]
        if not missing:
            return
        lines = [f"{each.name}: {each.said}" for each in missing[:6]]
        if len(missing) > 6:
            lines.append(f"and {len(missing) - 6} more")
        metrics = painter.fontMetrics()
        width = max(metrics.horizontalAdvance(line) for line in lines) + 18
        height = metrics.height() * len(lines) + 6
        rect = QRectF(6, self.height() - height - 6, width, height)
        painter.fillRect(rect, QColor(16, 18, 22, 205))
        edge = QRectF(rect.left(), rect.top(), 7, rect.height())
        painter.setBrushOrigin(rect.topLeft())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._camera.bench.theme.missing))
        painter.setBrush(Qt.BrushStyle.BDiagPattern)
        painter.drawRect(edge)
        painter.setPen(QColor("#f4f5f7"))
        for row, line in enumerate(lines):
            painter.drawText(
                QPointF(rect.left() + 12, rect.top() + metrics.ascent() + 3 + row * metrics.height()), line
            )

    def _magnifier(self, painter: QPainter, frame: Frame) -> None:
        """The pixels under the pointer, four times as large, beside it."""
        assert self.pointer is not None
        viewport, region, image = self._camera.viewport, frame.picture.region, frame.image
        x, y = viewport.to_picture((self.pointer.x(), self.pointer.y()))
        per_x = image.width() / region.width_px
        per_y = image.height() / region.height_px
        half = _MAGNIFIER_PX / 2 / (viewport.scale * _MAGNIFIED)
        high = half / viewport.aspect
        source = QRectF(
            (x - half - region.left) * per_x, (y - high - region.top) * per_y, 2 * half * per_x, 2 * high * per_y
        )
        left = self.pointer.x() + 24
        if left + _MAGNIFIER_PX > self.width():
            left = self.pointer.x() - 24 - _MAGNIFIER_PX
        top = min(max(self.pointer.y() - _MAGNIFIER_PX / 2, 4.0), max(4.0, self.height() - _MAGNIFIER_PX - 4.0))
        target = QRectF(left, top, _MAGNIFIER_PX, _MAGNIFIER_PX)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.fillRect(target, QColor(self._camera.bench.theme.picture))
        painter.drawImage(target, image, source)
        middle = target.center()
        painter.setPen(QPen(QColor(255, 255, 255, 200), 1))
        painter.drawLine(QPointF(middle.x(), target.top()), QPointF(middle.x(), target.bottom()))
        painter.drawLine(QPointF(target.left(), middle.y()), QPointF(target.right(), middle.y()))
        painter.setPen(QPen(QColor(self._camera.bench.theme.accent), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(target)

    def _say(self, painter: QPainter, text: str) -> None:
        theme = self._camera.bench.theme
        painter.setPen(QColor(theme.ink if theme.name == "light" else theme.quiet))
        painter.drawText(
            self.rect().adjusted(12, 6, -12, -6), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text
        )

    # --- pointer ------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._camera.taken.emit()
        if event.button() is Qt.MouseButton.MiddleButton:
            self._grabbed = (Button.MIDDLE, event.position())
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() is Qt.MouseButton.RightButton:
            self._grabbed = (Button.RIGHT, event.position())
        else:
            self._camera.guard(self._camera.tool.press, self._pointed(event))
            self._after(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer = event.position()
        if self._grabbed is not None:
            button, last = self._grabbed
            self._grabbed = (button, event.position())
            by = event.position() - last
            if button is Button.MIDDLE:
                self._camera.pan((by.x(), by.y()))
            else:
                self._camera.shift_tone(by.x() / max(1, self.width()), by.y() / max(1, self.height()))
            return
        pointed = self._pointed(event)
        self._camera.guard(self._camera.tool.move, pointed)
        if pointed.held is Button.NONE:
            self._camera.hover(pointed)
        self._after(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            self._grabbed = None
        else:
            self._camera.guard(self._camera.tool.release, self._pointed(event))
        self._after(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if not self._camera.guard(self._camera.tool.double_click, self._pointed(event, clicks=2)):
            self._camera.header.enlarge_wanted.emit()
        self._after(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointer = None
        self._camera.hover(None)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        if steps:
            ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self._camera.wheel(steps, (event.position().x(), event.position().y()), ctrl=ctrl)
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._camera.viewport_changed()

    def _pointed(self, event: QMouseEvent, *, clicks: int = 1) -> PointerEvent:
        return pointer_of(event, self._camera.canvas, clicks=clicks)

    def _after(self, event: QMouseEvent) -> None:
        """The tool may have begun or ended something."""
        self._camera.tool_moved.emit()
        shape = CURSORS[self._camera.tool.cursor(self._pointed(event))]
        if self.cursor().shape() is not shape:
            self.setCursor(QCursor(shape))
        self.update()
