"""One lane of the series pane: a channel over time on an axis of its own. Dense stretches are a band of extremes, made
as pixels at once; where readings can be told apart they are joined by lines. Nothing is drawn across a gap.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from workstation.app.series_curves import (
    Axis,
    ChannelCurve,
    Columns,
    Floats,
    ScaleMode,
    axis_for,
    columns_of,
    few_readings,
    gaps_in,
    is_break,
    lowest_above_zero,
    ticks_of,
)
from workstation.app.viewport import Viewport
from workstation.ui.scenes.lane_scene import Argb, LaneScene, Look, argb, blank, draw_gap, image_of, painter_on

LANE_PX = 64
_INSET_PX = 3.0
_THICK_PX = 1.3
_PIECE = 8
_APART_PX = 3
"""Readings this far apart are joined by smoothed lines, closer ones make a band: 400 lines cost as much as a band."""
_DOT_PX = 7.0
"""Readings further apart than this get a dot each, so that they can be counted."""


class CurveScene(LaneScene):
    """``curve`` may come later: until then the lane says that it is being read."""

    def __init__(self, curve: ChannelCurve | None = None) -> None:
        super().__init__()
        self.curve = curve
        self.mode = ScaleMode.AUTO
        self.limits: tuple[float, float] | None = None
        self.trouble = ""
        self._axis: tuple[Viewport, Axis] | None = None
        self._least_above: float | None = None
        self._held: tuple[Viewport, Columns] | None = None

    def natural_height(self) -> int:
        return LANE_PX

    def show(self, curve: ChannelCurve) -> None:
        """It has been read."""
        self.curve, self._axis, self._least_above, self._held = curve, None, None, None
        self.invalidate()

    def fail(self, reason: str) -> None:
        """It cannot be read."""
        self.trouble = reason
        self.invalidate()

    def scale(self, mode: ScaleMode, limits: tuple[float, float] | None) -> None:
        """Other heights."""
        if (mode, limits) != (self.mode, self.limits):
            self.mode, self.limits, self._axis = mode, limits, None
            self.invalidate()

    # --- the axis -----------------------------------------------------------------------------------------------

    def axis(self, view: Viewport) -> Axis:
        """The heights at that view: ``AUTO`` follows what is in it."""
        if self._axis is None or (self._axis[0] != view and self.mode is ScaleMode.AUTO):
            self._axis = (view, self._axis_at(view))
        return self._axis[1]

    def _axis_at(self, view: Viewport) -> Axis:
        curve = self.curve
        if curve is None or not len(curve.values):
            return axis_for(math.inf, -math.inf, self.mode, self.limits)
        if self.mode is ScaleMode.LOG:
            if self._least_above is None:
                self._least_above = lowest_above_zero(curve)
            return axis_for(self._least_above, curve.high, self.mode, self.limits)
        if self.mode is ScaleMode.FIXED:
            return axis_for(curve.low, curve.high, self.mode, self.limits)
        part = few_readings(curve, view, view.width_px // _APART_PX)
        if part is not None:
            values = curve.values[part]
            return axis_for(float(values.min(initial=math.inf)), float(values.max(initial=-math.inf)), self.mode)
        columns = self._columns(curve, view)
        return axis_for(_least(columns.low), _most(columns.high), self.mode)

    def _columns(self, curve: ChannelCurve, view: Viewport) -> Columns:
        """The columns of a stretch; those made for finer pixels do for its extremes too."""
        held = self._held
        if held is None or held[0].shown != view.shown or held[0].width_px < view.width_px:
            held = self._held = (view, columns_of(curve, view))
        return held[1]

    @staticmethod
    def y_of(axis: Axis, values: Floats, height_px: float) -> Floats:
        """Pixels from the lane's top."""
        return _INSET_PX + (1.0 - axis.shares(values)) * (height_px - 2 * _INSET_PX)

    @staticmethod
    def value_at(axis: Axis, y: float, height_px: float) -> float:
        """The value at a height of the lane."""
        return axis.value_at(1.0 - (y - _INSET_PX) / max(1.0, height_px - 2 * _INSET_PX))

    # --- painting -----------------------------------------------------------------------------------------------

    def paint(self, look: Look) -> QImage:
        curve = self.curve
        if curve is None or not len(curve.values):
            return self._said(look, self.trouble or ("being read…" if curve is None else "nothing was recorded"))
        part = few_readings(curve, look.view, look.view.width_px // _APART_PX)
        columns = None if part is not None else self._columns(curve, look.fine)
        axis = self.axis(look.view)
        image = blank(look) if columns is None else image_of(_band(columns, axis, look))
        painter = painter_on(image, look)
        self._paint_grid(painter, look, axis)
        for gap in gaps_in(curve, look.view):
            draw_gap(painter, look, gap, _gap_words(gap.duration_ns))
        if part is not None:
            self._paint_lines(painter, look, curve, axis, part)
        painter.end()
        return image

    def _said(self, look: Look, text: str) -> QImage:
        image = blank(look)
        painter = painter_on(image, look)
        painter.setPen(QColor(look.theme.quiet))
        painter.drawText(QRectF(8, 0, look.view.width_px - 16, look.height_px), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
        return image

    def _paint_grid(self, painter: QPainter, look: Look, axis: Axis) -> None:
        line = QColor(look.theme.line)
        line.setAlpha(130)
        painter.setPen(QPen(line, 1.0, Qt.PenStyle.DotLine))
        for value in ticks_of(axis, max(1, look.height_px // 26)):
            y = float(self.y_of(axis, np.array([value]), look.height_px)[0])
            painter.drawLine(QPointF(0, y), QPointF(look.view.width_px, y))

    def _paint_lines(self, painter: QPainter, look: Look, curve: ChannelCurve, axis: Axis, part: slice) -> None:
        times, values = curve.time_map.to_session_array(curve.times_ns[part]), curve.values[part]
        x = np.asarray((times - look.view.start_ns) * (look.view.width_px / look.view.duration_ns), np.float64)
        y = self.y_of(axis, values, look.height_px)
        numbers = np.arange(part.start, part.stop, dtype=np.int64)
        starts = np.flatnonzero(is_break(curve, numbers) | ~np.isfinite(y) | ~np.isfinite(np.roll(y, 1)))
        painter.setPen(QPen(QColor(look.theme.wave), 1.5))
        for run in np.split(np.arange(len(x)), starts[starts > 0]):
            kept = run[np.isfinite(y[run])]
            if len(kept):
                _draw_run(painter, x[kept], y[kept], stepped=curve.stepped)
        if len(x) * _DOT_PX < look.view.width_px:
            painter.setBrush(QColor(look.theme.wave))
            painter.setPen(Qt.PenStyle.NoPen)
            for i in np.flatnonzero(np.isfinite(y)).tolist():
                painter.drawEllipse(QPointF(float(x[i]), float(y[i])), 2.2, 2.2)


def _draw_run(painter: QPainter, x: Floats, y: Floats, *, stepped: bool) -> None:
    if stepped and len(x) > 1:
        x, y = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
    if len(x) > 1:
        points = [QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        # In one piece a thousand smoothed segments cost Qt 100 ms, in short ones 4: it fills the outline of each piece.
        for first in range(0, len(points) - 1, _PIECE):
            painter.drawPolyline(QPolygonF(points[first : first + _PIECE + 1]))
    else:
        painter.drawEllipse(QPointF(float(x[0]), float(y[0])), 1.2, 1.2)


def _band(columns: Columns, axis: Axis, look: Look) -> Argb:
    """The extremes of every column as premultiplied pixels; neighbours reach each other unless something is missing."""
    low, high = _reaching(columns)
    height, inset = look.fine_height, _INSET_PX * look.ratio
    room = height - 2 * inset
    with np.errstate(invalid="ignore"):
        top = inset + (1.0 - axis.shares(high)) * room
        bottom = inset + (1.0 - axis.shares(low)) * room
        # On a logarithmic axis what is not above zero lies below the lane's foot.
        bottom = np.where(np.isnan(bottom) & ~np.isnan(top), height + 1.0, bottom)
        thin = np.maximum(_THICK_PX * look.ratio - (bottom - top), 0.0) / 2
    top, bottom = np.nan_to_num(top - thin, nan=2.0 * height), np.nan_to_num(bottom + thin, nan=2.0 * height)
    rows = np.arange(height, dtype=np.float32)[:, None]
    share = np.minimum(bottom.astype(np.float32), rows + 1) - np.maximum(top.astype(np.float32), rows)
    alpha = (np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint32)
    value = argb(look.theme.wave)
    red, green, blue = (value >> 16) & 255, (value >> 8) & 255, value & 255
    table = np.array([(a << 24) | (red * a // 255 << 16) | (green * a // 255 << 8) | (blue * a // 255)
                      for a in range(256)], np.uint32)  # fmt: skip
    pixels: Argb = table[alpha]
    return pixels


def _reaching(columns: Columns) -> tuple[Floats, Floats]:
    """The bands, each reaching half-way to the next where a line joins them; empty columns under a line lie on it."""
    low, high, first, last = (each.copy() for each in (columns.low, columns.high, columns.first, columns.last))
    held = np.flatnonzero(~np.isnan(low))
    if len(held) < 2:
        return low, high
    joined = columns.joined.copy()
    before, after = held[:-1], held[1:]
    apart = columns.joined[after] & (after - before > 1)
    if apart.any():
        empty = np.flatnonzero(np.isnan(low))
        left = np.clip(before[apart].searchsorted(empty) - 1, 0, None)
        a, b = before[apart][left], after[apart][left]
        empty, a, b = (each[(a < empty) & (empty < b)] for each in (empty, a, b))
        share = (empty - a) / (b - a)
        low[empty] = columns.last[a] + share * (columns.first[b] - columns.last[a])
        high[empty] = first[empty] = last[empty] = low[empty]
        joined[empty] = True
    at = np.flatnonzero(joined[1:] & ~np.isnan(low[:-1]))
    middle = (last[at] + first[at + 1]) / 2
    low[at], high[at] = np.minimum(low[at], middle), np.maximum(high[at], middle)
    low[at + 1], high[at + 1] = np.minimum(low[at + 1], middle), np.maximum(high[at + 1], middle)
    return low, high


def _least(values: Floats) -> float:
    return float(np.fmin.reduce(values, initial=math.inf))


def _most(values: Floats) -> float:
    return float(np.fmax.reduce(values, initial=-math.inf))


def _gap_words(duration_ns: int) -> str:
    return f"gap {duration_ns / 1e6:,.0f} ms" if duration_ns < 10**9 else f"gap {duration_ns / 1e9:,.1f} s"
