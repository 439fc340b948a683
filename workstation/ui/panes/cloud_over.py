"""What the cloud pane writes over its picture: names, legend, list of streams, what a tool holds, the shared cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from workstation.app.cloud_paint import STREAMS, TITLES, ColourBy, Scale
from workstation.core.selection import SpaceCursor
from workstation.ui.scenes.space_over import (
    Name,
    PlacedName,
    paint_axis_letters,
    paint_legend,
    paint_lines_of_text,
    paint_names,
    paint_overlay,
    place_names,
)
from workstation.ui.scenes.space_things import axis_length
from workstation.ui.times import distance_text

if TYPE_CHECKING:
    from workstation.ui.panes.cloud import CloudPane
    from workstation.ui.panes.cloud_canvas import SpaceCanvas
    from workstation.ui.panes.cloud_picture import CloudMoment

SPARSE = 5
"""Fewer points than this say little about a thing's size."""
_COUNTED_POINTS = 3_000_000
"""In more points than this nothing is counted while painting."""


_NO_SCALE = frozenset({ColourBy.RING, ColourBy.CLASS, ColourBy.CAMERA, ColourBy.FILE, ColourBy.STREAM})


class CloudOver:
    """One for the pane; what is costly is kept until the moment, the view or the selection changes."""

    def __init__(self, pane: CloudPane) -> None:
        self._pane = pane
        self._names: list[Name] | None = None
        self._places: list[PlacedName] | None = None
        self._counts: dict[str, str] = {}

    def forget(self) -> None:
        """Another moment, or another selection."""
        self._names = self._places = None
        self._counts.clear()

    def forget_places(self) -> None:
        """The same things seen from elsewhere."""
        self._places = None

    def paint(self, painter: QPainter, canvas: SpaceCanvas) -> None:
        """Over the picture, in widget pixels."""
        pane, moment = self._pane, self._pane.moment
        bench = pane.bench
        if bench is None:
            return
        if moment is None or canvas.drawn is None:
            self._say(painter, canvas.rect(), pane.empty_text())
            return
        view, ratio = canvas.look, canvas.devicePixelRatioF()
        if pane.look.axes and moment.vehicle is not None:
            scale_m = view.distance_m if view.fov_deg is not None else view.height_m
            paint_axis_letters(painter, view, ratio, moment.vehicle, axis_length(scale_m))
        if pane.look.labels and len(moment.cuboids):
            if self._places is None:
                size = (canvas.width(), canvas.height())
                self._places = place_names(painter, view, ratio, moment.cuboids, self._named(moment), size)
            paint_names(painter, self._places)
        if canvas.tool is not None:
            paint_overlay(painter, view, ratio, canvas.tool.overlay(), canvas.pointer, bench.theme)
        self._cursor(painter, canvas, moment)
        if pane.look.legend:
            self._legend(painter, canvas, moment)
            self._streams(painter, moment)
        self._late(painter, canvas, moment)

    def described(self, moment: CloudMoment, row: int) -> str:
        """``213 points, 14.2 m``, and whether that is little."""
        key = moment.cuboids.ids[row]
        if key not in self._counts:
            text = f"{moment.range_m(row):.1f} m"
            if moment.points.count <= _COUNTED_POINTS and not moment.being_read:
                count = moment.counted(row) if moment.counts is None else int(moment.counts[row])
                text = f"{_points(count)}, {text}" + (", sparse" if count < SPARSE else "")
            self._counts[key] = text
        return self._counts[key]

    # --- inside -------------------------------------------------------------------------------------------------

    def _named(self, moment: CloudMoment) -> list[Name]:
        if self._names is None:
            bench = self._pane.bench
            hovered = None if bench is None else bench.selection.state.hovered
            related = self._pane.related()
            self._names = []
            for row, (key, name) in enumerate(zip(moment.cuboids.ids, moment.names, strict=True)):
                strong = key in related
                text = name
                if strong:
                    text = f"{name}: {self.described(moment, row)}"
                elif not moment.being_read and moment.counts is not None and moment.counts[row] < SPARSE:
                    text = f"{name}: {_points(int(moment.counts[row]))}"
                self._names.append(Name(row, text, strong or key == hovered))
        return self._names

    def _legend(self, painter: QPainter, canvas: SpaceCanvas, moment: CloudMoment) -> None:
        painting = moment.points.painting
        scale = self._scale(moment)
        size = (canvas.width(), canvas.height())
        if scale is not None:
            floor = 0.0
            if painting.by is ColourBy.HEIGHT:  # over the ground at the vehicle; of a survey over the sea
                floor = painting.ground_m if painting.scales.on_vehicle else -moment.ground.origin[2]
            shown = Scale(scale.by, scale.low - floor, scale.high - floor, scale.logarithmic)
            paint_legend(painter, shown, TITLES[painting.by], size)
            return
        metrics = painter.fontMetrics()
        text = {
            ColourBy.RING: "Ring: eight colours in turn",
            ColourBy.CLASS: "Class: what is labelled has its own colour",
            ColourBy.CAMERA: f"Colours from the cameras{', being made' if moment.points.waiting else ''}",
            ColourBy.FILE: "Colours from the file",
        }.get(painting.by, TITLES[painting.by])
        paint_lines_of_text(painter, [(text, "#9aa0a6")], QPointF(8, size[1] - metrics.height() - 14))

    def _scale(self, moment: CloudMoment) -> Scale | None:
        painting, sweep = moment.points.painting, moment.lead_sweep
        if sweep is None or painting.by in (
            ColourBy.RING,
            ColourBy.CLASS,
            ColourBy.CAMERA,
            ColourBy.FILE,
            ColourBy.STREAM,
        ):
            return None
        found = next((each for _, each in moment.sweeps if painting.scales.fits(painting.by, each)), None)
        return None if found is None else painting.scales.scale(painting.by, found, painting.ground_m)

    def _streams(self, painter: QPainter, moment: CloudMoment) -> None:
        """With several streams: which sweep of each is shown, and what is missing."""
        layers = self._pane.layers.layers
        if len(layers) < 2:
            return
        lines = []
        shown = {layer.stream.id: sweep for layer, sweep in moment.sweeps}
        order = {layer.stream.id: number for number, (layer, _) in enumerate(moment.sweeps)}
        for layer in layers:
            sweep = shown.get(layer.stream.id)
            if sweep is None:
                what = layer.trouble or ("nothing here" if layer.now.index is None else "hidden")
                lines.append((f"{layer.stream.key}: {what}", "#5a606b"))
                continue
            red, green, blue = STREAMS[order[layer.stream.id] % len(STREAMS)]
            away = "" if sweep.session_ns is None else f"  {distance_text(sweep.session_ns - self._pane.time_ns)}"
            colour = f"#{red:02x}{green:02x}{blue:02x}"
            lines.append((f"{layer.stream.key} {sweep.index}{away}  {len(sweep.points):,} points", colour))
        paint_lines_of_text(painter, lines, QPointF(8, 8))

    def _cursor(self, painter: QPainter, canvas: SpaceCanvas, moment: CloudMoment) -> None:
        """Where other panes point: a point as a cross, a ray as a line."""
        bench = self._pane.bench
        cursor: SpaceCursor | None = None if bench is None else bench.selection.state.cursor
        held = bench is not None and bench.selection.state.cursor_held
        if cursor is None or (canvas.pointer is not None and not held):
            return
        when = moment.session_ns if cursor.session_ns is None else cursor.session_ns
        way = moment.ground.in_scene(cursor.frame, when)
        if way is None:
            return
        start = way @ np.array(cursor.point)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if cursor.direction is None:
            px, _, seen = canvas.look.project(start[None])
            if seen[0]:
                at = canvas.to_widget(*px[0].tolist())
                for pen in (QPen(QColor(0, 0, 0, 190), 3.5), QPen(QColor("#ffd54a" if held else "#ffffff"), 1.4)):
                    painter.setPen(pen)
                    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                        painter.drawLine(at + QPointF(3 * dx, 3 * dy), at + QPointF(11 * dx, 11 * dy))
            return
        along = way.turn(np.array(cursor.direction))
        px, _, seen = canvas.look.project(start + np.geomspace(0.2, 150.0, 64)[:, None] * along)
        places = [canvas.to_widget(x, y) for x, y in px[seen].tolist()]
        for pen in (QPen(QColor(0, 0, 0, 190), 3.5), QPen(QColor("#ffd54a" if held else "#ffffff"), 1.4)):
            painter.setPen(pen)
            painter.drawPolyline(places)

    def _late(self, painter: QPainter, canvas: SpaceCanvas, moment: CloudMoment) -> None:
        """A large cloud that is being read says so in the picture."""
        sweep = moment.lead_sweep
        if sweep is not None and sweep.total > len(sweep.points) + 1 and sweep.rows is not None:
            text = f"{len(sweep.points) / 1e6:.1f} of {sweep.total / 1e6:.1f} million points"
            paint_lines_of_text(painter, [(text, "#9aa0a6")], QPointF(8, 8))

    def _say(self, painter: QPainter, rect: QRect, text: str) -> None:
        painter.setPen(QColor("#aab0bb"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(rect.adjusted(12, 6, -12, -6), flags, text)


def _points(count: int) -> str:
    return f"{count} point{'' if count == 1 else 's'}"
