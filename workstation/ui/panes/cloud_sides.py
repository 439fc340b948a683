"""Three straight views of the selected cuboid beside the cloud pane's picture: from the top, the side and the front.

Each is a canvas of its own with the tool that selects and edits, whatever the hand holds over the main picture. They
look along the cuboid's own axes and follow it; while something is dragged they stand still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QSplitter, QWidget

from workstation.app.previews import PreviewsChanged
from workstation.core.geometry import Cuboid
from workstation.core.selection import SelectionChanged
from workstation.ui.panes.cloud_canvas import CanvasSource, SpaceCanvas
from workstation.ui.panes.cloud_gesture import ToolGesture
from workstation.ui.panes.cloud_near import DEPTH_AXIS, TITLES, NearPoints, straight
from workstation.ui.panes.cloud_render import SpaceRenderer
from workstation.ui.panes.cloud_work import SpaceWork
from workstation.ui.scenes.space_over import paint_overlay
from workstation.ui.scenes.space_things import CuboidsDrawn, cuboid_faces, cuboid_lines
from workstation.ui.scenes.space_view import Side, SpaceView
from workstation.ui.tools.space_select import SpaceSelect
from workstation.ui.tools.space_tool import Shown

if TYPE_CHECKING:
    from workstation.ui.panes.cloud import CloudPane
    from workstation.ui.panes.cloud_picture import CloudMoment

LEAST_PANE_PX = 560
"""In a narrower pane the side views lie under the picture."""
LEAST_TALL_PX = 380
"""In one that is less tall as well they would leave no room for it."""
_POINT_PX = 3
LEAST_PX = 120
_SHARE = 0.3
_EVERY = np.ones(1, np.bool_)


class CloudSides(QWidget):
    """Made by the cloud pane when it is bound, closed when it is unbound."""

    def __init__(self, pane: CloudPane, renderer: SpaceRenderer) -> None:
        super().__init__(pane.body)
        self.setObjectName("cloud_sides")
        self.setAccessibleName("Top, side and front of the selected cuboid")
        self._pane = pane
        self._anchor: Cuboid | None = None
        """The cuboid that the views look at: as it was before a drag."""
        self._zoom = dict.fromkeys(Side, 1.0)
        self._works: dict[Side, SpaceWork] = {}
        self.canvases = {side: self._canvas(renderer, side) for side in Side}
        self._line = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._line.setContentsMargins(1, 1, 0, 0)
        self._line.setSpacing(1)
        for canvas in self.canvases.values():
            self._line.addWidget(canvas, 1)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._renew_now)

    def _canvas(self, renderer: SpaceRenderer, side: Side) -> SpaceCanvas:
        canvas = SpaceCanvas(
            renderer, f"cloud_{side.value}", f"{TITLES[side]} of the selected cuboid", self, turns=False
        )
        canvas.guard = self._pane.guard
        canvas.over.append(self._paint_over)
        canvas.tool_moved.connect(self.tool_moved)
        canvas.taken.connect(self._taken)
        canvas.view_changed.connect(self._view_changed)
        return canvas

    def lie(self, *, below: bool) -> None:
        """In a row under the picture, or in a column beside it."""
        way = QBoxLayout.Direction.LeftToRight if below else QBoxLayout.Direction.TopToBottom
        if self._line.direction() is not way:
            self._line.setDirection(way)
            self.setMinimumSize(0 if below else LEAST_PX, LEAST_PX if below else 0)

    # --- from the pane ------------------------------------------------------------------------------------------

    def showEvent(self, event: object) -> None:
        self.renew()

    def sample_opened(self) -> None:
        """Another sample is shown, or none."""
        bench, placed = self._pane.bench, self._pane.placed
        self._anchor = None
        self._works.clear()
        for side, canvas in self.canvases.items():
            if canvas.tool is not None:
                canvas.tool.cancel()
            canvas.tool = None
            canvas.forget()
            if bench is not None and placed is not None and bench.view is not None:
                work = SpaceWork(bench, CanvasSource(canvas, self._shown), placed, f"cloud {side.value}")
                self._works[side] = work
                canvas.tool = SpaceSelect(work)

    def renew(self) -> None:
        """The moment, the selection or what is dragged has changed; once a turn of the event loop."""
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def on_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed:
            self.renew()

    def on_previews(self, change: PreviewsChanged) -> None:
        self.renew()

    def scene_changed(self) -> None:
        """Another sweep is painted."""
        for canvas in self.canvases.values():
            if canvas.tool is not None:
                self._pane.guard(canvas.tool.scene_changed)
        self.renew()

    def close_sides(self) -> None:
        """Let go of the scenes; before the renderer ends."""
        self._soon.stop()
        for canvas in self.canvases.values():
            canvas.close_canvas()

    @property
    def pending(self) -> bool:
        """Whether the screen does not show all of what was wished for yet."""
        return self.isVisible() and (self._soon.isActive() or any(each.pending for each in self.canvases.values()))

    # --- what is shown ------------------------------------------------------------------------------------------

    def _renew_now(self) -> None:
        if not self._pane.failed:
            self._pane.guard(self._renew)

    def _renew(self) -> None:
        moment = self._pane.newest
        row = None if moment is None else self._row(moment)
        if moment is None or row is None:
            self._anchor = None
            for canvas in self.canvases.values():
                canvas.forget()
            return
        now = cuboid_of(moment.cuboids, row)
        for work in self._works.values():
            work.only = moment.cuboids.ids[row]
        bench = self._pane.bench
        dragged = bench is not None and moment.cuboids.ids[row] in bench.previews.shapes
        anchor = self._anchor if dragged and self._anchor is not None else now
        moved = anchor != self._anchor
        self._anchor = anchor
        for side, canvas in self.canvases.items():
            self._show(canvas, side, moment, row, moved)

    def _show(self, canvas: SpaceCanvas, side: Side, moment: CloudMoment, row: int, moved: bool) -> None:
        anchor = self._anchor
        assert anchor is not None
        ratio = canvas.devicePixelRatioF()
        one = one_cuboid(moment.cuboids, row)
        lines = cuboid_lines(one, _EVERY, "selected", width_px=1.6 * ratio)
        faces = cuboid_faces(one, _EVERY)
        points = NearPoints(moment.points, anchor, side, size_px=round(_POINT_PX * ratio))
        held = canvas.points
        if isinstance(held, NearPoints) and points.same_as(held):
            points = held
        view = straight(canvas.view, side, anchor, self._zoom[side]) if moved or canvas.drawn is None else None
        canvas.show_things(points=points, lines=lines, faces=faces, about=moment, view=view)

    def _row(self, moment: CloudMoment) -> int | None:
        """The active cuboid, else a selected one, else one of the same thing."""
        bench = self._pane.bench
        if bench is None or bench.view is None:
            return None
        active = bench.selection.state.active
        wanted = [*(() if active is None else (active,)), *bench.selected]
        wanted += sorted(bench.view.related(bench.selected))
        return next((row for row in map(moment.cuboids.row, wanted) if row is not None), None)

    def _shown(self) -> Shown | None:
        moment = self._pane.moment
        return None if moment is None else moment.shown

    def _view_changed(self, view: SpaceView) -> None:
        """The person zoomed: that stays while the view follows."""
        for side, canvas in self.canvases.items():
            if canvas.view is view and self._anchor is not None:
                usual = straight(view, side, self._anchor, 1.0)
                self._zoom[side] = usual.height_m / view.height_m

    # --- the hand -----------------------------------------------------------------------------------------------

    def tool_moved(self) -> None:
        """A tool has begun or ended something: the pane's gesture is the one at work."""
        tools = [each.tool for each in self.canvases.values() if each.tool is not None]
        busy = next((each for each in tools if each.busy), None)
        held = self._pane.gesture
        if busy is not None and held is None:
            self._pane.gesture = ToolGesture(busy, self.tool_moved)
        elif busy is None and isinstance(held, ToolGesture) and held.tool in tools:
            self._pane.gesture = None
        for canvas in self.canvases.values():
            canvas.update()

    def _taken(self) -> None:
        self._pane.take_focus()

    # --- painting -----------------------------------------------------------------------------------------------

    def _paint_over(self, painter: QPainter, canvas: SpaceCanvas) -> None:
        side = next(each for each, own in self.canvases.items() if own is canvas)
        bench = self._pane.bench
        if bench is None:
            return
        if self._anchor is None or canvas.drawn is None:
            painter.setPen(QColor("#7c828d"))
            text = f"{TITLES[side]}: select a cuboid"
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(canvas.rect().adjusted(6, 4, -6, -4), flags, text)
            return
        if canvas.tool is not None:
            paint_overlay(
                painter, canvas.look, canvas.devicePixelRatioF(), canvas.tool.overlay(), canvas.pointer, bench.theme
            )
        across = [axis for axis in range(3) if axis != DEPTH_AXIS[side]]
        sizes = " × ".join(f"{self._now().size[axis]:.2f}" for axis in across)
        painter.setPen(QColor("#c3c8d0"))
        painter.drawText(8, painter.fontMetrics().ascent() + 5, f"{TITLES[side]}  {sizes} m")

    def _now(self) -> Cuboid:
        moment = self._pane.newest
        row = None if moment is None else self._row(moment)
        assert self._anchor is not None
        return self._anchor if moment is None or row is None else cuboid_of(moment.cuboids, row)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#2a2e36"))
        painter.end()


class SideSplit(QSplitter):
    """The picture with the side views beside it, where they are wanted and there is room."""

    def __init__(self, canvas: SpaceCanvas, sides: CloudSides, *, wanted: bool) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setObjectName("cloud_split")
        self.setChildrenCollapsible(False)
        self.addWidget(canvas)
        self.addWidget(sides)
        self.setStretchFactor(0, 1)
        self._sides, self._wanted, self._share = sides, wanted, _SHARE
        self.splitterMoved.connect(self._pulled)
        sides.setMinimumSize(LEAST_PX, 0)
        sides.hide()

    @property
    def wanted(self) -> bool:
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _pulled(self) -> None:
        """The person has given the side views another share of the room."""
        whole = sum(self.sizes())
        if whole > 0:
            self._share = self.sizes()[1] / whole

    def _arrange(self) -> None:
        below = self.width() < LEAST_PANE_PX
        shown = self._wanted and (not below or self.height() >= LEAST_TALL_PX)
        if self._sides.isHidden() is shown:
            self._sides.setVisible(shown)
            self._sides.renew()
        if shown:
            self.setOrientation(Qt.Orientation.Vertical if below else Qt.Orientation.Horizontal)
            self._sides.lie(below=below)
            whole = self.height() if below else self.width()
            aside = max(LEAST_PX, round(whole * self._share))
            self.setSizes([whole - aside, aside])


def cuboid_of(cuboids: CuboidsDrawn, row: int) -> Cuboid:
    """One of them as a shape of the scene."""
    cx, cy, cz = cuboids.centers[row].tolist()
    length, width, height = cuboids.sizes[row].tolist()
    w, x, y, z = cuboids.rotations[row].tolist()
    return Cuboid((cx, cy, cz), (length, width, height), (w, x, y, z))


def one_cuboid(cuboids: CuboidsDrawn, row: int) -> CuboidsDrawn:
    """That one alone."""
    part = slice(row, row + 1)
    return CuboidsDrawn(
        ids=cuboids.ids[part], centers=cuboids.centers[part], sizes=cuboids.sizes[part],
        rotations=cuboids.rotations[part], between=cuboids.between[part], colours=cuboids.colours[part],
    )  # fmt: skip
