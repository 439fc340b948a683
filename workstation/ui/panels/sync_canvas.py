"""The two signals around a pick, with a handle on each that can be dragged; and the residual plot. Two widgets.

Held by ``ui/panels/sync.py``. A drag previews; when it ends the canvas says where the pick was put. ``Esc`` takes it
back. The wheel zooms about the pointer, the arrow keys move the handle that was touched last.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.app.sync_work import picks_of
from workstation.app.synchronising import Measured
from workstation.app.viewport import Viewport
from workstation.core.sample import StreamKind
from workstation.ui.scenes.letters import small_font
from workstation.ui.scenes.ruler import in_words, marks, time_step
from workstation.ui.scenes.sync_scene import draw_curve, draw_residuals, span_of
from workstation.ui.theme import DARK, Theme

_GRAB_PX = 7
_RULER_PX = 18
_ROOM_PX = 24
_ZOOM = 0.8
_NARROWEST_NS = 2_000_000


class PickCanvas(QWidget):
    """``picked`` says number, session time in the reference and in the moved stream, once a drag has ended."""

    picked = QtSignal(int, object, object)
    dragging = QtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sync_picks")
        self.setAccessibleName("The two signals around the pick; drag the handles")
        self.setMinimumSize(220, 150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.theme: Theme = DARK
        self.measured: Measured | None = None
        self.number = 0
        self._span = (0, 1)
        self._pick = [0, 0]
        self._held: int | None = None
        self._last = 1

    def sizeHint(self) -> QSize:
        return QSize(360, 170)

    def show_pick(self, measured: Measured | None, number: int, around_ns: int | None) -> None:
        """Show this pick; ``around_ns`` of ``None`` keeps what is in view."""
        self.measured, self.number, self._held = measured, number, None
        if measured is not None:
            self._pick = list(picks_of(measured)[number])
            if around_ns is not None:
                self._span = span_of(measured, number, around_ns)
        self.update()

    # --- places -------------------------------------------------------------------------------------------------

    def lane(self, side: int) -> QRectF:
        """Where the reference (0) or the moved stream (1) is drawn."""
        height = (self.height() - _RULER_PX - 6) / 2
        return QRectF(0, side * (height + 6), self.width(), height)

    def x_of(self, time_ns: int) -> float:
        start, end = self._span
        return (time_ns - start) / max(end - start, 1) * self.width()

    def handle(self, side: int) -> QPointF:
        """Where a handle can be taken hold of."""
        return QPointF(self.x_of(self._pick[side]), self.lane(side).center().y())

    def _time_at(self, x: float) -> int:
        start, end = self._span
        return start + round(x / max(self.width(), 1) * (end - start))

    def _under(self, at: QPointF) -> int | None:
        for side in (0, 1):
            if self.lane(side).contains(at) and abs(at.x() - self.x_of(self._pick[side])) <= _GRAB_PX:
                return side
        return None

    # --- the mouse and keys ---------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        side = self._under(event.position()) if self.measured is not None else None
        if side is None or event.button() is not Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self._held = self._last = side
        self.dragging.emit(True)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is None:
            over = self.measured is not None and self._under(event.position()) is not None
            self.setCursor(Qt.CursorShape.SizeHorCursor if over else Qt.CursorShape.ArrowCursor)
            return
        self._pick[self._held] = self._time_at(event.position().x())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            self._held = None
            self.dragging.emit(False)
            self._tell()
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        start, end = self._span
        middle = self._time_at(event.position().x())
        factor = _ZOOM**steps
        if (end - start) * factor >= _NARROWEST_NS:
            self._span = (middle - round((middle - start) * factor), middle + round((end - middle) * factor))
            self.update()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrows nudge by a pixel; everything else is the window's."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if steps is None or self.measured is None:
            event.ignore()
            return
        start, end = self._span
        self._pick[self._last] += round(steps * (end - start) / max(self.width(), 1))
        self._tell()

    def cancel(self) -> None:
        """Put the handle back where it was."""
        if self.measured is not None and self._held is not None:
            self._held = None
            self._pick = list(picks_of(self.measured)[self.number])
            self.dragging.emit(False)
            self.update()

    def _tell(self) -> None:
        if self.measured is not None and tuple(self._pick) != picks_of(self.measured)[self.number]:
            self.picked.emit(self.number, self._pick[0], self._pick[1])

    # --- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self.theme
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.setFont(small_font())
        measured = self.measured
        if measured is None or measured.shown is None:
            painter.setPen(QColor(theme.quiet))
            words = (
                "Measure to see both signals here." if measured is None else "This way of measuring shows no signal."
            )
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, words)
            return
        start, end = self._span
        for side, stream in enumerate((measured.reference, measured.moved)):
            rect = self.lane(side)
            painter.fillRect(rect, QColor(theme.paper))
            filled = stream.kind is StreamKind.AUDIO and measured.method != "voice"
            draw_curve(painter, rect.adjusted(0, 14, 0, 0), measured.shown[side], start, end, theme, filled=filled)
        self._paint_ruler(painter)
        self._paint_handles(painter, measured)

    def _paint_ruler(self, painter: QPainter) -> None:
        start, end = self._span
        view = Viewport(start_ns=start, duration_ns=max(end - start, 1), width_px=max(self.width(), 1))
        step = time_step(view, 76)
        top = self.height() - _RULER_PX
        for time_ns in marks(view, step):
            x = self.x_of(time_ns)
            painter.setPen(QColor(self.theme.line))
            painter.drawLine(QPointF(x, top), QPointF(x, top + 4))
            painter.setPen(QColor(self.theme.quiet))
            words = f"{in_words(time_ns, step)} s"
            if _ROOM_PX < x < self.width() - _ROOM_PX:
                painter.drawText(QRectF(x - 40, top + 3, 80, 14), Qt.AlignmentFlag.AlignHCenter, words)

    def _paint_handles(self, painter: QPainter, measured: Measured) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, colour = self.theme, QColor(self.theme.playhead)
        xs = [self.x_of(each) for each in self._pick]
        gap = (self.lane(0).bottom(), self.lane(1).top())
        painter.setPen(QPen(colour, 1.4, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(xs[0], gap[0]), QPointF(xs[1], gap[1]))
        for side, stream in enumerate((measured.reference, measured.moved)):
            rect, x = self.lane(side), xs[side]
            painter.setPen(QPen(colour, 2.6 if self._held == side else 1.6))
            painter.drawLine(QPointF(x, rect.top() + 14), QPointF(x, rect.bottom()))
            painter.setBrush(colour)
            middle = rect.center().y()
            # A grip of its own shape: up for the reference, down for what is moved.
            tip = -6 if side == 0 else 6
            painter.drawPolygon(QPolygonF([QPointF(x - 5, middle), QPointF(x + 5, middle), QPointF(x, middle + tip)]))
            painter.setPen(QColor(theme.ink))
            painter.drawText(QPointF(6, rect.top() + 12), stream.key)
            painter.setPen(QColor(theme.quiet))
            words = f"{in_words(self._pick[side], 100_000)} s"
            box = QRectF(rect.right() - 130, rect.top() + 1, 124, 14)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, words)


class ResidualPlot(QWidget):
    """Offsets over the recording with the map through them; a click chooses the pick nearest in time."""

    chosen = QtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sync_residuals")
        self.setAccessibleName("How late the stream is over the recording, with the map and its 95 % band")
        self.setMinimumSize(220, 110)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.theme: Theme = DARK
        self.measured: Measured | None = None
        self.number = 0

    def sizeHint(self) -> QSize:
        return QSize(360, 120)

    def show_fit(self, measured: Measured | None, number: int) -> None:
        self.measured, self.number = measured, number
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.measured is None:
            return
        times = [moved for _, moved in picks_of(self.measured)]
        first, last = times[0], times[-1]
        share = min(1.0, max(0.0, (event.position().x() - 52) / max(self.width() - 62, 1)))
        at = first + share * (last - first)
        self.chosen.emit(min(range(len(times)), key=lambda number: abs(times[number] - at)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.panel))
        painter.setFont(small_font())
        if self.measured is not None:
            draw_residuals(painter, QRectF(self.rect()), self.measured, self.number, self.theme)
