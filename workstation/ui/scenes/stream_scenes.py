"""Lanes of what was recorded, pictures and sound aside: sweeps and poses as ticks, series as curves, texts as turns.

Real gaps are hatched and say how long they are; nothing is ever joined across one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from workstation.app.lane_media import Curve, Moments, Said, curve_columns, few_readings, tick_columns
from workstation.core.timebase import TimeRange
from workstation.ui.scenes.lane_scene import LaneScene, Look, argb, blank, draw_gap, image_of, painter_on

_CURVE_PX = 18


def gap_label(gap: TimeRange) -> str:
    """How long nothing came."""
    return f"gap {gap.duration_ns / 1e6:,.0f} ms" if gap.duration_ns < 10**9 else f"gap {gap.duration_ns / 1e9:,.1f} s"


class SweepScene(LaneScene):
    """Sweeps, poses or frames as ticks at their own times."""

    def __init__(self, moments: Moments | None) -> None:
        super().__init__()
        self._moments = moments
        self.note = "" if moments is not None else "no times"

    def paint(self, look: Look) -> QImage:
        if self._moments is None:
            return blank(look)
        counts = tick_columns(self._moments.sessions, look.fine)
        pixels = np.zeros((look.fine_height, look.fine.width_px), np.uint32)
        inset = max(1, look.fine_height // 6)
        band = pixels[inset:-inset] if look.fine_height > 4 else pixels
        band[:, counts > 0] = argb(look.theme.wave, 0.55)
        band[:, counts > 1] = argb(look.theme.wave, 0.85)
        image = image_of(pixels)
        painter = painter_on(image, look)
        for gap in self._moments.gaps:
            draw_gap(painter, look, gap, gap_label(gap))
        painter.end()
        return image


class PlotScene(LaneScene):
    """The channels of a series, one over the other, each on its own scale."""

    def __init__(self, curves: Sequence[Curve], gaps: Sequence[TimeRange] = ()) -> None:
        super().__init__()
        self._curves = tuple(curves)
        self._gaps = tuple(gaps)

    def natural_height(self) -> int:
        return max(24, _CURVE_PX * len(self._curves) + 4)

    def paint(self, look: Look) -> QImage:
        image = blank(look)
        painter = painter_on(image, look)
        each = look.height_px / max(1, len(self._curves))
        for i, curve in enumerate(self._curves):
            self._paint_curve(painter, look, curve, QRectF(0, i * each, look.view.width_px, each))
        for gap in self._gaps:
            draw_gap(painter, look, gap, gap_label(gap))
        painter.end()
        return image

    def _paint_curve(self, painter: QPainter, look: Look, curve: Curve, band: QRectF) -> None:
        if band.top() > 0:
            painter.setPen(QPen(QColor(look.theme.line), 1.0))
            painter.drawLine(band.topLeft(), band.topRight())
        height = band.height() - 5
        scale = height / (curve.high - curve.low) if curve.high > curve.low else 0.0
        base = band.bottom() - 2.5 if scale else band.center().y()
        painter.setPen(QPen(QColor(look.theme.wave), 1.0))  # any wider takes twelve times as long to paint
        part = few_readings(curve, look.view, look.view.width_px // 2)
        if part is not None:
            self._paint_lines(painter, look, curve, part, base, scale)
        else:
            columns = curve_columns(curve, look.view)
            known = np.flatnonzero(np.isfinite(columns.low))
            for x in known.tolist():
                top = base - (float(columns.high[x]) - curve.low) * scale
                bottom = base - (float(columns.low[x]) - curve.low) * scale
                painter.drawLine(QPointF(x + 0.5, top), QPointF(x + 0.5, max(bottom, top + 0.8)))
        if band.height() >= 13:
            self._paint_name(painter, look, curve, band)

    def _paint_lines(self, painter: QPainter, look: Look, curve: Curve, part: slice, base: float, scale: float) -> None:
        times, values = curve.sessions[part], curve.values[part]
        known = np.isfinite(values)
        broken = ~known | (np.diff(times, prepend=times[:1]) > curve.longest_step_ns)
        x = (times - look.view.start_ns) * (look.view.width_px / look.view.duration_ns)
        y = base - (np.nan_to_num(values) - curve.low) * scale
        run: list[QPointF] = []
        for i in range(len(times)):
            if broken[i] and run:
                _draw_run(painter, run)
                run = []
            if known[i]:
                run.append(QPointF(float(x[i]), float(y[i])))
        _draw_run(painter, run)

    def _paint_name(self, painter: QPainter, look: Look, curve: Curve, band: QRectF) -> None:
        unit = f" {curve.unit}" if curve.unit else ""
        text = f"{curve.name}  {curve.low:.4g} … {curve.high:.4g}{unit}"
        width = QFontMetricsF(painter.font()).horizontalAdvance(text)
        box = QRectF(2, band.top() + 1, width + 6, 12)
        back = QColor(look.theme.panel)
        back.setAlpha(200)
        painter.fillRect(box, back)
        painter.setPen(QColor(look.theme.quiet))
        painter.drawText(box.adjusted(3, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)


def _draw_run(painter: QPainter, run: list[QPointF]) -> None:
    if len(run) > 1:
        painter.drawPolyline(QPolygonF(run))
    elif run:
        painter.drawEllipse(run[0], 1.0, 1.0)


class TextScene(LaneScene):
    """The timed parts of a text where they are said."""

    def __init__(self, said: Sequence[Said]) -> None:
        super().__init__()
        self._said = tuple(said)
        self.note = "" if said else "no times"

    def paint(self, look: Look) -> QImage:
        image = blank(look)
        painter = painter_on(image, look)
        metrics = QFontMetricsF(painter.font())
        for each in self._said:
            left, right = look.view.x_of(each.shown.start_ns), look.view.x_of(each.shown.end_ns)
            if right < 0 or left > look.view.width_px:
                continue
            rect = QRectF(left, 1.5, max(1.0, right - left), look.height_px - 3)
            back = QColor(look.theme.raised)
            painter.setPen(QPen(QColor(look.theme.line), 1.0))
            painter.setBrush(back)
            painter.drawRoundedRect(rect, 2, 2)
            inside = rect.intersected(QRectF(0, 0, look.view.width_px, look.height_px)).adjusted(4, 0, -3, 0)
            if inside.width() > 14 and look.height_px >= 12:
                painter.setPen(QColor(look.theme.quiet))
                text = metrics.elidedText(each.text, Qt.TextElideMode.ElideRight, inside.width())
                painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.end()
        return image


class AwaitedScene(LaneScene):
    """A stream that is opened in a moment: its place is kept free."""

    def __init__(self, height_px: int) -> None:
        super().__init__()
        self._height_px = height_px

    def natural_height(self) -> int:
        return self._height_px


class SaidScene(LaneScene):
    """A stream that has nothing to draw in time, and why."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def paint(self, look: Look) -> QImage:
        image = blank(look)
        painter = painter_on(image, look)
        painter.setPen(QColor(look.theme.quiet))
        painter.drawText(
            QRectF(6, 0, look.view.width_px - 12, look.height_px), Qt.AlignmentFlag.AlignVCenter, self._text
        )
        painter.end()
        return image
