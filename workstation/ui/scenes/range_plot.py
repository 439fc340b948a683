"""Residual against range: how far each thing's boxes stand beside its projected cuboid, with the angle through them.

A widget of ``ui/panels/calibration.py``. Painting is plain; a click chooses the nearest thing.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.app.calibration_report import CameraReport
from workstation.core.calibration_error import ThingOff
from workstation.ui.scenes.letters import small_font
from workstation.ui.theme import DARK, Theme

_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 8, 22
_STEPS = tuple(factor * 10.0**power for power in range(-3, 5) for factor in (1, 2, 5))
_LEAST_M = 0.1


class RangePlot(QWidget):
    """``chosen`` says the thing that was clicked."""

    chosen = QtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calibration_plot")
        self.setAccessibleName("How far boxes stand beside their cuboids, against the range")
        self.setMinimumSize(220, 130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.theme: Theme = DARK
        self.report: CameraReport | None = None
        self.thing = ""

    def sizeHint(self) -> QSize:
        return QSize(360, 190)

    def show_camera(self, report: CameraReport | None, thing: str) -> None:
        """Draw this camera, one thing marked."""
        self.report, self.thing = report, thing
        self.update()

    # --- places -------------------------------------------------------------------------------------------------

    def plot(self) -> QRectF:
        """Where points can lie."""
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)

    def spans(self) -> tuple[float, float]:
        """The farthest range and the largest residual that are in view, in metres."""
        things = () if self.report is None else self.report.things
        farthest = max((each.range_m for each in things), default=50.0)
        return farthest * 1.08, max(_LEAST_M, *(abs(each.off_m) for each in things), 0.0) * 1.2

    def place(self, range_m: float, off_m: float) -> QPointF:
        """Where a residual at a range stands in the widget."""
        plot, (farthest, most) = self.plot(), self.spans()
        x = plot.left() + range_m / farthest * plot.width()
        return QPointF(x, plot.center().y() - off_m / most * plot.height() / 2)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.report is None or not self.report.things:
            return
        at = event.position()
        near = min(self.report.things, key=lambda each: (self.place(each.range_m, each.off_m) - at).manhattanLength())
        self.chosen.emit(near.thing)

    # --- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self.theme
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.setFont(small_font())
        report = self.report
        if report is None:
            painter.setPen(QColor(theme.quiet))
            words = "Check, to see how far boxes and cuboids are apart."
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)
            return
        self._axes(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self.plot())
        if report.error is not None:
            self._angle(painter, report)
        for each in report.things:
            self._point(painter, each)

    def _axes(self, painter: QPainter) -> None:
        theme, plot, (farthest, most) = self.theme, self.plot(), self.spans()
        painter.fillRect(plot, QColor(theme.paper))
        step = next((each for each in _STEPS if each >= 2 * most * 26 / max(plot.height(), 1)), _STEPS[-1])
        for number in range(math.ceil(-most / step), math.floor(most / step) + 1):
            y = self.place(0, number * step).y()
            painter.setPen(QPen(QColor(theme.quiet if number == 0 else theme.line), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(QColor(theme.quiet))
            text = f"{number * step:+g} m".replace("-", "−") if number else "0"
            where = QRectF(0, y - 8, _LEFT - 5, 16)
            painter.drawText(where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        across = next((each for each in _STEPS if each >= farthest * 60 / max(plot.width(), 1)), _STEPS[-1])
        for number in range(math.floor(farthest / across) + 1):
            x = self.place(number * across, 0).x()
            painter.setPen(QColor(theme.line))
            painter.drawLine(QPointF(x, plot.bottom()), QPointF(x, plot.bottom() + 4))
            painter.setPen(QColor(theme.quiet))
            where = QRectF(x - 30, plot.bottom() + 4, 60, 16)
            painter.drawText(where, Qt.AlignmentFlag.AlignHCenter, f"{number * across:g} m")

    def _angle(self, painter: QPainter, report: CameraReport) -> None:
        """The line of the angle with the band that holds it in 95 of 100 cases."""
        error = report.error
        assert error is not None
        farthest, _ = self.spans()
        accent = QColor(self.theme.accent)
        lines = [
            [
                self.place(at, -math.radians(error.turned_deg + side * error.half_width_deg) * at - error.shifted_m)
                for at in (0.0, farthest)
            ]
            for side in (-1, 0, 1)
        ]
        shade = QColor(accent)
        shade.setAlpha(60)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        painter.drawPolygon(QPolygonF([*lines[0], *reversed(lines[2])]))
        painter.setPen(QPen(accent, 2))
        painter.drawLine(*lines[1])

    def _point(self, painter: QPainter, thing: ThingOff) -> None:
        marked = thing.thing == self.thing
        colour = QColor(self.theme.playhead if marked else self.theme.ink)
        at = self.place(thing.range_m, thing.off_m)
        painter.setPen(QPen(colour, 1.4))
        painter.setBrush(colour)
        if not marked:
            painter.drawEllipse(at, 3.2, 3.2)
            return
        # The chosen one has a shape of its own, and says its name.
        painter.drawPolygon(QPolygonF([at + QPointF(x, y) for x, y in ((-6, 0), (0, -6), (6, 0), (0, 6))]))
        right = at.x() < self.plot().center().x()
        where = QRectF(at.x() + 9 if right else at.x() - 159, at.y() - 18, 150, 16)
        painter.drawText(where, Qt.AlignmentFlag.AlignLeft if right else Qt.AlignmentFlag.AlignRight, thing.name)
