"""One cell of the strip: a sweep's points about the track's cuboid, straight from one side, with a tool that edits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtGui import QPainter

from workstation.app.cloud_ground import PlacedSweep
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.core.geometry import Cuboid
from workstation.ui.panes.cloud_canvas import SpaceCanvas
from workstation.ui.panes.cloud_near import NearPoints, straight
from workstation.ui.panes.cloud_work import SpaceWork
from workstation.ui.scenes.cloud_scene import PointLayer
from workstation.ui.scenes.space_over import paint_overlay
from workstation.ui.scenes.space_things import CuboidsDrawn, Rgb, cuboid_faces, cuboid_lines
from workstation.ui.scenes.space_view import Side, SpaceView
from workstation.ui.tools.space_select import SpaceSelect
from workstation.ui.tools.space_tool import Shown
from workstation.ui.workbench import Workbench

_INK = (210, 218, 226)
_POINT_PX = 2
_EVERY = np.ones(1, np.bool_)


class _Plain:
    """A sweep in one colour."""

    def __init__(self, sweep: PlacedSweep) -> None:
        self.sweep = sweep

    @property
    def count(self) -> int:
        return len(self.sweep.points)

    def layers(self) -> Sequence[PointLayer]:
        points = self.sweep.points
        colours = np.broadcast_to(np.array(_INK, np.uint8), points.shape)
        return [PointLayer(key=f"{self.sweep.stream}/{self.sweep.index}", points=points, colours=colours)]


class Cell:
    """A canvas with what it shows. It is the ``SpaceSource`` of its own tool."""

    def __init__(self, canvas: SpaceCanvas, side: Side, cause: str) -> None:
        self.canvas, self.side, self._cause = canvas, side, cause
        self.shown: Shown | None = None
        self._anchor: Cuboid | None = None
        self._sweep: _Plain | None = None
        self._work: SpaceWork | None = None
        self._placed: PlacedCuboids | None = None
        self._bench: Workbench | None = None
        canvas.over.append(self._paint_over)

    @property
    def look(self) -> SpaceView:
        return self.canvas.look

    def repaint(self) -> None:
        self.canvas.update()

    @property
    def work(self) -> SpaceWork:
        """The cell as its tool sees it."""
        assert self._work is not None
        return self._work

    def take(self, bench: Workbench, placed: PlacedCuboids) -> None:
        """Begin to work on a sample; nothing if that is so already."""
        if self._placed is placed:
            return
        self._bench, self._placed = bench, placed
        self._work = SpaceWork(bench, self, placed, self._cause)
        self.canvas.tool = SpaceSelect(self._work)

    def turn_to(self, shown: Shown | None, track: str) -> None:
        """Another sweep or track, perhaps: a drag that belongs to the old one ends."""
        self.shown = shown
        self.work.only = track
        if self.canvas.tool is not None:
            self.canvas.tool.scene_changed()

    def drop(self) -> None:
        """The sample is gone."""
        if self.canvas.tool is not None:
            self.canvas.tool.cancel()
        self.canvas.tool = self._work = self._placed = self._bench = None
        self.shown = None
        self.forget()

    def forget(self) -> None:
        """Nothing is here."""
        self._anchor = self._sweep = None
        self.canvas.forget()

    def show(self, sweep: PlacedSweep, drawn: CuboidsDrawn, cuboid: Cuboid, *, dragged: bool) -> None:
        """The sweep about a cuboid; while something is dragged the view stands still."""
        if self._sweep is None or self._sweep.sweep is not sweep:
            self._sweep = _Plain(sweep)
        anchor = self._anchor if dragged and self._anchor is not None else cuboid
        moved, self._anchor = anchor != self._anchor, anchor
        ratio = self.canvas.devicePixelRatioF()
        points = NearPoints(self._sweep, anchor, self.side, size_px=round(_POINT_PX * ratio))
        held = self.canvas.points
        if isinstance(held, NearPoints) and points.same_as(held):
            points = held
        view = straight(self.canvas.view, self.side, anchor, 1.0) if moved or self.canvas.drawn is None else None
        lines = cuboid_lines(drawn, _EVERY, "selected", width_px=1.4 * ratio)
        self.canvas.show_things(points=points, lines=lines, faces=cuboid_faces(drawn, _EVERY), view=view)

    def _paint_over(self, painter: QPainter, canvas: SpaceCanvas) -> None:
        if self._bench is None or self._anchor is None or canvas.tool is None or canvas.drawn is None:
            return
        if canvas.pointer is not None or canvas.tool.busy:  # thirty cells of handles would hide the points
            overlay = canvas.tool.overlay()
            paint_overlay(painter, canvas.look, canvas.devicePixelRatioF(), overlay, canvas.pointer, self._bench.theme)


def one_row(annotation: str, cuboid: Cuboid, colour: Rgb, *, keyed: bool) -> CuboidsDrawn:
    """A cuboid to be drawn."""
    return CuboidsDrawn(
        ids=(annotation,), centers=np.array([cuboid.center]), sizes=np.array([cuboid.size]),
        rotations=np.array([cuboid.rotation]), between=np.array([not keyed]), colours=np.array([colour], np.uint8),
    )  # fmt: skip
