"""How the Sync panel draws: a curve by pixel columns, and the residual plot with its line and 95 % band.

Plain painting on a ``QPainter`` for ``ui/panels/sync_canvas.py``; colours from the theme, work proportional to pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from workstation.app.sync_work import ShownCurve, picks_of
from workstation.app.synchronising import Measured
from workstation.ui.scenes.ruler import in_words
from workstation.ui.theme import Theme

_GAP_STEPS = 6
_ROUND = tuple(factor * 10.0**power for power in range(-4, 6) for factor in (1, 2, 5))


def draw_curve(
    painter: QPainter, rect: QRectF, curve: ShownCurve, start_ns: int, end_ns: int, theme: Theme, *, filled: bool
) -> None:
    """What of a curve lies between two times, as high as the rectangle; ``filled`` mirrors it, as a waveform."""
    low, high = np.searchsorted(curve.times_ns, (start_ns, end_ns))
    low, high = max(0, int(low) - 1), min(len(curve.times_ns), int(high) + 1)
    times, values = curve.times_ns[low:high], curve.values[low:high]
    known = np.isfinite(values)
    if not known.any() or end_ns <= start_ns:
        return
    least = 0.0 if filled else float(np.nanmin(values))
    span = max(float(np.nanmax(values)) - least, 1e-12)
    x = rect.left() + (times[known] - start_ns) * (rect.width() / (end_ns - start_ns))
    share = (values[known] - least) / span
    painter.save()
    painter.setClipRect(rect)
    painter.setPen(QPen(QColor(theme.wave), 1.2))
    if filled:
        _filled(painter, rect, x, share)
    else:
        _line(painter, rect, x, share, times[known])
    painter.restore()


def _filled(painter: QPainter, rect: QRectF, x: np.ndarray, share: np.ndarray) -> None:
    column = np.floor(x).astype(np.int64)
    first = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    tops = np.maximum.reduceat(share, first)
    middle, half = rect.center().y(), rect.height() / 2 - 1
    wide = max(1, int(np.median(np.diff(column[first]))) if len(first) > 1 else 1)
    colour = painter.pen().color()
    for at, top in zip(column[first].tolist(), tops.tolist(), strict=True):
        painter.fillRect(QRectF(at, middle - top * half, wide, max(1.0, 2 * top * half)), colour)


def _line(painter: QPainter, rect: QRectF, x: np.ndarray, share: np.ndarray, times: np.ndarray) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    y = rect.bottom() - 2 - share * (rect.height() - 4)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    cuts = np.flatnonzero(np.diff(times) > _GAP_STEPS * step) + 1
    for part_x, part_y in zip(np.split(x, cuts), np.split(y, cuts), strict=True):
        painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(part_x.tolist(), part_y.tolist(), strict=True)]))
        if len(part_x) and rect.width() / max(len(x), 1) > 7:
            painter.setBrush(painter.pen().color())
            for a, b in zip(part_x.tolist(), part_y.tolist(), strict=True):
                painter.drawEllipse(QPointF(a, b), 1.8, 1.8)


def draw_residuals(painter: QPainter, rect: QRectF, measured: Measured, chosen: int, theme: Theme) -> None:
    """How late the stream is over the recording: points with their intervals, the map, and the map's 95 % band."""
    points = sorted(measured.points, key=lambda each: each.at_ns)
    at = np.array([each.at_ns for each in points], np.float64)
    late = -np.array([each.offset_ns for each in points]) / 1e6
    wide = np.array([each.half_width_ns for each in points]) / 1e6
    line = late + np.array(measured.fit.left_ns, np.float64) / 1e6
    sure = np.array(measured.fit.sure_ns, np.float64) / 1e6
    lows, highs = np.minimum(late - wide, line - sure), np.maximum(late + wide, line + sure)
    low, high = float(lows.min()), float(highs.max())
    slack = max(0.12 * (high - low), 1e-3)
    low, high = low - slack, high + slack
    plot = rect.adjusted(52, 6, -10, -20)
    first, last = float(at.min()), float(at.max())
    if last <= first:
        first, last = first - 1e9, last + 1e9
    margin = 0.03 * (last - first)
    first, last = first - margin, last + margin

    def place(time_ns: float, ms: float) -> QPointF:
        return QPointF(
            plot.left() + (time_ns - first) / (last - first) * plot.width(),
            plot.bottom() - (ms - low) / (high - low) * plot.height(),
        )

    _axes(painter, plot, (low, high), (first, last), theme)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ends = [first, *at.tolist(), last] if len(at) == 1 else at.tolist()
    over = np.interp(ends, at, line)
    by = np.interp(ends, at, sure)
    band = QPolygonF([place(t, m + s) for t, m, s in zip(ends, over, by, strict=True)])
    for t, m, s in reversed(list(zip(ends, over, by, strict=True))):
        band.append(place(t, m - s))
    shade = QColor(theme.accent)
    shade.setAlpha(70)
    painter.setPen(QPen(QColor(theme.accent), 1, Qt.PenStyle.DotLine))
    painter.setBrush(shade)
    painter.drawPolygon(band)
    painter.setPen(QPen(QColor(theme.accent), 2))
    painter.drawPolyline(QPolygonF([place(t, m) for t, m in zip(ends, over, strict=True)]))
    for number, (t, ms, width) in enumerate(zip(at.tolist(), late.tolist(), wide.tolist(), strict=True)):
        colour = QColor(theme.playhead if number == chosen else theme.ink)
        painter.setPen(QPen(colour, 1.2))
        painter.drawLine(place(t, ms - width), place(t, ms + width))
        painter.setBrush(colour)
        painter.drawEllipse(place(t, ms), 4.0 if number == chosen else 2.6, 4.0 if number == chosen else 2.6)


def _axes(painter: QPainter, plot: QRectF, ms: tuple[float, float], times: tuple[float, float], theme: Theme) -> None:
    painter.fillRect(plot, QColor(theme.paper))
    step = next((each for each in _ROUND if each >= (ms[1] - ms[0]) * 24 / max(plot.height(), 1)), _ROUND[-1])
    for number in range(int(np.ceil(ms[0] / step)), int(np.floor(ms[1] / step)) + 1):
        y = plot.bottom() - (number * step - ms[0]) / (ms[1] - ms[0]) * plot.height()
        painter.setPen(QColor(theme.line))
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        painter.setPen(QColor(theme.quiet))
        text = f"{number * step:g} ms".replace("-", "−")
        painter.drawText(
            QRectF(plot.left() - 52, y - 8, 48, 16), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text
        )
    for share, align in ((0.0, Qt.AlignmentFlag.AlignLeft), (1.0, Qt.AlignmentFlag.AlignRight)):
        text = f"{in_words(round(times[0] + share * (times[1] - times[0])), 100_000_000)} s"
        painter.drawText(QRectF(plot.left(), plot.bottom() + 2, plot.width(), 16), align, text)


def span_of(measured: Measured, number: int, around_ns: int) -> tuple[int, int]:
    """What to show of the signals at first: the pick in the middle, with room on both sides."""
    picks: Sequence[tuple[int, int]] = picks_of(measured)
    reference_ns, moved_ns = picks[number]
    middle, apart = (reference_ns + moved_ns) // 2, abs(reference_ns - moved_ns)
    return middle - around_ns - apart, middle + around_ns + apart
