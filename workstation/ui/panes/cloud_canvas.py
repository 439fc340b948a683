"""A view into space as a widget: paints the last drawn picture, turns it by mouse and wheel, hands the rest to a tool.

Drawing happens on a ``SpaceRenderer``'s thread; what is painted is always one whole picture with the view, points and
moment it was drawn of (``drawn.wish.about``), and everything written over it uses that same view. Used by the cloud
pane, and orthographic by the side views and the strip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.core.poses import Vector
from workstation.ui.panes.cloud_render import Drawn, Easel, Points, SpaceRenderer, Still, Wish
from workstation.ui.pointing import CURSORS, buttons_of, modifiers_of
from workstation.ui.scenes.cloud_scene import CloudScene, FaceLayer, Hit, LineLayer, Rendered, pick
from workstation.ui.scenes.space_scene import scene_for_this_machine
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.tools.canvas import Button, Modifier
from workstation.ui.tools.space_tool import Shown, SpaceHit, SpacePointer, SpaceTool
from workstation.ui.turnstile import Turnstile

WHEEL = 1.2
_REST_MS = 160
_FLIGHT_MS = 220
_TURN_MS = 15
_REACH_PX = 4

PaintOver = Callable[[QPainter, "SpaceCanvas"], None]


class SpaceCanvas(QWidget):
    """``turns``: whether the middle button orbits; else it pans. ``tool`` gets what is not navigation."""

    view_changed = QtSignal(object)
    """The person moved the view; its new ``SpaceView``."""
    painted = QtSignal()
    """Another picture is on the screen."""
    taken = QtSignal()
    """Somebody works here now."""
    pointed = QtSignal(object)
    """What is under the pointer (``SpacePointer``), or ``None`` when it has left."""
    tool_moved = QtSignal()
    """The tool got an event; it may have begun or ended something."""

    def __init__(
        self,
        renderer: SpaceRenderer,
        name: str,
        title: str,
        parent: QWidget | None = None,
        *,
        turns: bool = True,
        scene: Callable[[], CloudScene] = scene_for_this_machine,
        turnstile: Turnstile | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.turns = turns
        self._turnstile = turnstile
        self.tool: SpaceTool | None = None
        self.background = "#0d0e11"
        self.zoom_locked = False
        self.guard: Callable[..., Any] = _plainly
        """How tool and painter are called: a pane's own guard keeps their failures inside it."""
        self.has_painted: Callable[[], None] = _nothing
        """Called when a paint event is done."""
        self.over: list[PaintOver] = []
        """What is painted over the picture, in order, in widget pixels."""
        self.drawn: Drawn | None = None
        """What is painted."""
        self._view = SpaceView()
        self._points: Points | None = None
        self._lines: tuple[LineLayer, ...] = ()
        self._faces: tuple[FaceLayer, ...] = ()
        self._still: Still | None = None
        self._about: object = None
        self._wished: Wish | None = None
        self._number = self._forgotten = 0
        """Of the newest wish, and of the newest one before nothing was to be shown."""
        self._image: QImage | None = None
        self._grabbed: tuple[str, QPointF] | None = None
        self._flight: tuple[SpaceView, SpaceView, int] | None = None
        self._moving = False
        self.pointer: QPointF | None = None
        self._easel: Easel | None = renderer.easel(self._receive, scene)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._at_rest)
        self._flying = QTimer(self)
        self._flying.setInterval(_TURN_MS)
        self._flying.timeout.connect(self._fly_on)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._send)

    # --- what is shown ------------------------------------------------------------------------------------------

    @property
    def view(self) -> SpaceView:
        """Where one looks from; on its way to the screen."""
        return self._view

    @property
    def points(self) -> Points | None:
        """What points are shown; on their way to the screen."""
        return self._points

    @property
    def look(self) -> SpaceView:
        """Where the painted picture was drawn from: what tools and labels use."""
        return self._view if self.drawn is None else self.drawn.rendered.view

    @property
    def rendered(self) -> Rendered | None:
        """The painted picture with its depths and point numbers."""
        return None if self.drawn is None else self.drawn.rendered

    @property
    def pending(self) -> bool:
        """Whether the screen does not show all of what was wished for yet."""
        if self._easel is None or not self.isVisible():
            return False
        if self._soon.isActive() or self._rest.isActive() or self._flight is not None:
            return True
        if self.drawn is None or self._wished is None:
            return self._wished is not None
        return self.drawn.wish is not self._wished or not self.drawn.rendered.points.complete

    def show_things(
        self,
        *,
        points: Points | None,
        lines: Sequence[LineLayer] = (),
        faces: Sequence[FaceLayer] = (),
        still: Still | None = None,
        about: object = None,
        view: SpaceView | None = None,
    ) -> None:
        """Show other points and lines, and from elsewhere if ``view`` is given; ``about`` comes back with them."""
        self._still = still
        self._points, self._lines, self._faces, self._about = points, tuple(lines), tuple(faces), about
        if view is not None:
            self._view = view.sized(*self._size_px())
            self._flight = None
        self._wish()

    def show_lines(
        self, lines: Sequence[LineLayer], faces: Sequence[FaceLayer] = (), *, still: Still | None = None
    ) -> None:
        """Show other lines over the same points; costs no points."""
        self._lines, self._faces = tuple(lines), tuple(faces)
        self._still = still or self._still
        self._wish()

    def set_view(self, view: SpaceView, *, moving: bool = False) -> None:
        """Look from there at once."""
        self._flight = None
        self._flying.stop()
        self._take_view(view, moving=moving)

    def fly(self, view: SpaceView) -> None:
        """Go there in a fifth of a second, so that the eye can follow."""
        view = view.sized(*self._size_px())
        if not self.isVisible():
            self.set_view(view)
            return
        self._flight = (self._view, view, 0)
        self._flying.start()

    def forget(self) -> None:
        """Show nothing; what still comes is dropped."""
        self._points, self._lines, self._faces, self._about, self._still = None, (), (), None, None
        self.drawn = self._image = self._wished = None
        self._forgotten = self._number
        self._soon.stop()
        self.update()

    def repaint_over(self) -> None:
        """What is written over the picture has changed."""
        self.update()

    def close_canvas(self) -> None:
        """Let go of the scene. The renderer belongs to the pane."""
        easel, self._easel = self._easel, None
        if easel is not None:
            easel.close()
        for timer in (self._rest, self._flying, self._soon):
            timer.stop()

    def _wish(self) -> None:
        """One wish a turn of the event loop, however many things change in it."""
        if self._easel is not None and not self._soon.isActive():
            self._soon.start()

    def _send(self) -> None:
        if self._easel is None or self.width() < 2 or self.height() < 2:
            return
        self._view = self._view.sized(*self._size_px())
        self._number += 1
        self._wished = Wish(
            number=self._number,
            view=self._view,
            points=self._points,
            lines=self._lines,
            faces=self._faces,
            still=self._still,
            moving=self._moving,
            about=self._about,
        )
        if self.isVisible():
            self._easel.show(self._wished)

    def _receive(self, drawn: Drawn) -> None:
        if self._turnstile is None:
            self._take(drawn)
        else:
            self._turnstile.enter(self._take, drawn)

    def _take(self, drawn: Drawn) -> None:
        if self._easel is None or drawn.wish.number <= self._forgotten:
            return  # closed, or told to show nothing meanwhile
        self.drawn = drawn
        pixels = drawn.rendered.image
        height, width = pixels.shape[:2]
        self._image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        self._image.setDevicePixelRatio(self.devicePixelRatioF())
        self.update()
        self.painted.emit()

    # --- from the person ----------------------------------------------------------------------------------------

    def orbit(self, dx: float, dy: float) -> None:
        """Turn by so many pixels of a drag."""
        self._go(self._view.orbit(dx, dy))

    def pan(self, dx: float, dy: float) -> None:
        """Pull what is seen along by so many pixels."""
        ratio = self.devicePixelRatioF()
        self._go(self._view.pan(dx * ratio, dy * ratio))

    def zoom(self, steps: float, at: QPointF | None = None) -> None:
        """Nearer by steps of the wheel, to the pointer or to the middle."""
        if self.zoom_locked:
            return
        ratio = self.devicePixelRatioF()
        place = QPointF(self.width() / 2, self.height() / 2) if at is None else at
        x, y = place.x() * ratio, place.y() * ratio
        held: Vector | None = None
        if self.rendered is not None and self.rendered.view == self._view:
            hit = pick(self.rendered, x, y, 2 * _REACH_PX)
            held = None if hit is None else hit.point
        self._go(self._view.zoom_to(x, y, WHEEL**steps, held))

    def _go(self, view: SpaceView) -> None:
        self.set_view(view, moving=True)
        self.view_changed.emit(self._view)

    def _take_view(self, view: SpaceView, *, moving: bool) -> None:
        self._view = view.sized(*self._size_px())
        self._moving = moving
        if moving:
            self._rest.start()
        self._wish()

    def _at_rest(self) -> None:
        self._moving = False
        self._wish()

    def _fly_on(self) -> None:
        if self._flight is None:
            self._flying.stop()
            return
        start, end, gone_ms = self._flight
        gone_ms += _TURN_MS
        share = min(1.0, gone_ms / _FLIGHT_MS)
        self._flight = None if share >= 1 else (start, end, gone_ms)
        self._take_view(start.towards(end, share * share * (3 - 2 * share)) if share < 1 else end, moving=share < 1)
        if share >= 1:
            self._flying.stop()
            self._rest.stop()
            self._moving = False
            self._wish()
            self.view_changed.emit(self._view)

    def pointer_of(self, event: QMouseEvent, *, clicks: int = 1) -> SpacePointer:
        """A mouse event as tools get it."""
        return self._pointed_at(
            event.position(),
            button=buttons_of(event.button()),
            held=buttons_of(event.buttons()),
            modifiers=modifiers_of(event.modifiers()),
            clicks=clicks,
        )

    def hit_at(self, place: QPointF) -> Hit | None:
        """The point painted under a place of the widget."""
        ratio = self.devicePixelRatioF()
        if self.rendered is None:
            return None
        return pick(self.rendered, place.x() * ratio, place.y() * ratio, round(_REACH_PX * ratio))

    def to_widget(self, x_px: float, y_px: float) -> QPointF:
        """Device pixels of the view as a place of the widget."""
        ratio = self.devicePixelRatioF()
        return QPointF(x_px / ratio, y_px / ratio)

    def _pointed_at(self, place: QPointF, **said: Any) -> SpacePointer:
        ratio = self.devicePixelRatioF()
        look, x, y = self.look, place.x() * ratio, place.y() * ratio
        origin, direction = look.ray(x, y)
        hit = self.hit_at(place)
        found = None if hit is None else SpaceHit(hit.key, hit.index, hit.point)
        return SpacePointer(x_px=x, y_px=y, origin=origin, direction=direction, hit=found, look=look, **said)

    # --- events -------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(320, 240)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.background))
        if self._image is not None:
            painter.drawImage(QPointF(0, 0), self._image)
        for over in self.over:
            self.guard(over, painter, self)
        painter.end()
        self.has_painted()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._wish()

    def showEvent(self, event: QShowEvent) -> None:
        self._wish()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.taken.emit()
        how = self._grab(event)
        if how is not None:
            self._grabbed = (how, event.position())
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self.tool is not None:
            self.guard(self.tool.press, self.pointer_of(event))
            self._after(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer = event.position()
        if self._grabbed is not None:
            how, last = self._grabbed
            self._grabbed = (how, event.position())
            by = event.position() - last
            if how == "orbit":
                self.orbit(by.x(), by.y())
            else:
                self.pan(by.x(), by.y())
            return
        pointer = self.pointer_of(event)
        if self.tool is not None:
            self.guard(self.tool.move, pointer)
        if pointer.held is Button.NONE:
            self.pointed.emit(pointer)
        self._after(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            self._grabbed = None
            self._rest.start()
        elif self.tool is not None:
            self.guard(self.tool.release, self.pointer_of(event))
        self._after(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or self._grab(event) is not None:
            return
        meant = self.tool is not None and self.guard(self.tool.double_click, self.pointer_of(event, clicks=2))
        hit = None if meant else self.hit_at(event.position())
        if hit is not None:
            self.fly(self._view.fly_to(hit.point, self._view.distance_m / 8))
        self._after(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointer = None
        self.pointed.emit(None)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        if steps:
            self.taken.emit()
            self.zoom(steps, event.position())
        event.accept()

    def _grab(self, event: QMouseEvent) -> str | None:
        """Whether a press moves the view, and how: the middle button, or Alt with the left one where there is none and
        the tool has no use for it; Shift pans. The right button pans."""
        modifiers = modifiers_of(event.modifiers())
        shift = Modifier.SHIFT in modifiers
        if event.button() is Qt.MouseButton.RightButton:
            return "pan"
        alone = event.button() is Qt.MouseButton.LeftButton and Modifier.ALT in modifiers
        if alone and self.tool is not None and (self.tool.busy or self.tool.takes_alt(self.pointer_of(event))):
            return None
        if event.button() is Qt.MouseButton.MiddleButton or alone:
            return "pan" if shift or not self.turns else "orbit"
        return None

    def _after(self, event: QMouseEvent) -> None:
        self.tool_moved.emit()
        shape = Qt.CursorShape.ArrowCursor
        if self.tool is not None:
            shape = CURSORS[self.tool.cursor(self.pointer_of(event))]
        if self.cursor().shape() is not shape:
            self.setCursor(shape)
        self.update()

    def _size_px(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))


class CanvasSource:
    """The canvas as tools ask it (``SpaceSource``); ``shown`` answers what is painted."""

    def __init__(self, canvas: SpaceCanvas, shown: Callable[[], Shown | None]) -> None:
        self._canvas, self._shown = canvas, shown

    @property
    def shown(self) -> Shown | None:
        return self._shown()

    @property
    def look(self) -> SpaceView:
        return self._canvas.look

    def repaint(self) -> None:
        self._canvas.update()


def _nothing() -> None:
    """Nobody wants to know."""


def _plainly(act: Callable[..., Any], *arguments: Any) -> Any:
    return act(*arguments)
