"""What one camera shows of the space around it: the shared 3D cursor, shapes dragged in other panes, points of a cloud.

Part of a camera view. With every move of a hand only what the marks cover, before and after, is painted again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QPainter

from workstation.app.previews import PreviewsChanged
from workstation.app.space_cursor import CursorSeen, cursor_seen, ray_of, return_at
from workstation.app.sweep_feed import CloudSweeps
from workstation.core.selection import SpaceCursor
from workstation.ui.scenes.cloud_dots import paint_dots
from workstation.ui.scenes.overlays import DraggedShadow
from workstation.ui.scenes.space_marks import paint_marks
from workstation.ui.tools.canvas import Place

if TYPE_CHECKING:
    from workstation.ui.panes.camera_view import CameraView

_REACH_PX, _LEAST_REACH_PX = 5.0, 2.0
"""A return of the cloud this near to the pointer is what is pointed at: pixels of the screen; at least of the picture.
"""
_MOST_DOTS = 16_000
_CROSS_PX = 16
_NAME_PX = (180, 48)
"""How far a dragged thing's name may stand from it."""


class CameraSpace:
    """One per camera view. ``sweeps`` is set by the pane: the cloud behind points and cursor, opened when wanted."""

    def __init__(self, camera: CameraView) -> None:
        self._camera = camera
        self.sweeps: Callable[[], CloudSweeps | None] = _no_sweeps
        self._seen = CursorSeen()
        self._cursor_rect: QRect | None = QRect()
        """Where the cursor was painted last; ``None``: anywhere."""
        self._dragged_rect = QRect()

    # --- the cursor ---------------------------------------------------------------------------------------------

    def pointed_at(self, place: Place) -> SpaceCursor | None:
        """The ray of a pixel, or the return of the cloud that is seen there. While pictures play it stays a ray."""
        camera, frame = self._camera.scene.camera, self._camera.frames.frame
        if camera is None or frame is None or frame.session_ns is None:
            return None
        sweeps = None if self._camera.bench.clock.playing else self.sweeps()
        sweep = None if sweeps is None else sweeps.at(frame.session_ns)
        found = None if sweep is None else return_at(
            self._camera.scene, camera, place, frame.session_ns, sweep.points, sweep.frame, sweep.session_ns,
            reach_px=max(_REACH_PX / self._camera.viewport.scale, _LEAST_REACH_PX),
        )  # fmt: skip
        return found or ray_of(camera, place, frame.session_ns)

    def cursor_moved(self) -> None:
        """The shared cursor is elsewhere: paint what it covered and what it covers."""
        before, self._seen = self._cursor_rect, self._cursor_seen()
        if self._seen.ray is not None:
            self._cursor_rect = None
        elif self._seen.point is not None:
            at = QPointF(*self._camera.viewport.to_screen(self._seen.point)).toPoint()
            self._cursor_rect = QRect(at.x() - _CROSS_PX, at.y() - _CROSS_PX, 2 * _CROSS_PX, 2 * _CROSS_PX)
        else:
            self._cursor_rect = QRect()
        if before is None or self._cursor_rect is None:
            self._camera.area.update()
            return
        for rect in (before, self._cursor_rect):
            if not rect.isEmpty():
                self._camera.area.update(rect)

    def _cursor_seen(self) -> CursorSeen:
        """The ray of the pixel under the pointer is that pixel, and not marked."""
        state = self._camera.bench.selection.state
        cursor, frame, camera = state.cursor, self._camera.frames.frame, self._camera.scene.camera
        if cursor is None or camera is None or frame is None or frame.session_ns is None:
            return CursorSeen()
        if cursor.direction is not None and self._camera.area.pointer is not None and not state.cursor_held:
            return CursorSeen()
        return cursor_seen(self._camera.scene, camera, cursor, frame.session_ns)

    def paint_cursor(self, painter: QPainter) -> None:
        """Where this picture shows it."""
        state = self._camera.bench.selection.state
        if state.cursor is not None:
            self._seen = self._cursor_seen()  # the picture may be another one than when the cursor moved
            paint_marks(painter, self._camera.viewport, self._seen, held=state.cursor_held)

    # --- what is dragged ----------------------------------------------------------------------------------------

    def dragged(self, change: PreviewsChanged) -> None:
        """Shapes are dragged, here or in another pane. What lies still is painted again only when others are taken up
        or let go."""
        camera = self._camera
        if not camera.scene.drag(change.after):
            return
        before, self._dragged_rect = self._dragged_rect, self._covered(camera.scene.dragged)
        if change.ids_changed or any(each.stream == camera.stream.id for each in change.after.values()):
            camera.area.forget_layer()
        else:
            camera.area.update(before.united(self._dragged_rect))

    def _covered(self, dragged: Iterable[DraggedShadow]) -> QRect:
        """Outlines and boxes with the room their names may take."""
        found = QRectF()
        for each in dragged:
            ends: NDArray[np.float64] = each.shadow.seen.segments.reshape(-1, 2)
            (left, top), (right, bottom) = ends.min(0).tolist(), ends.max(0).tolist()
            if each.box is not None:
                left, top = min(left, each.box.left), min(top, each.box.top)
                right, bottom = max(right, each.box.right), max(bottom, each.box.bottom)
            to_screen = self._camera.viewport.to_screen
            found = found.united(QRectF(QPointF(*to_screen((left, top))), QPointF(*to_screen((right, bottom)))))
        wide, high = _NAME_PX
        return found.toAlignedRect().adjusted(-wide, -high, wide, high) if found.isValid() else QRect()

    # --- points -------------------------------------------------------------------------------------------------

    def paint_points(self, painter: QPainter) -> None:
        """Points of the cloud, if they are switched on."""
        view = self._camera
        frame, camera = view.frames.frame, view.scene.camera
        if not view.look.points or camera is None or frame is None or frame.session_ns is None:
            return
        sweeps = self.sweeps()
        sweep = None if sweeps is None else sweeps.at(frame.session_ns)
        if sweep is None:
            return
        camera_from = view.scene.carried(camera.frame, frame.session_ns, sweep.frame, sweep.session_ns)
        if camera_from is not None:
            paint_dots(painter, view.viewport, camera, sweep.points[:_MOST_DOTS], camera_from)


def _no_sweeps() -> CloudSweeps | None:
    return None
