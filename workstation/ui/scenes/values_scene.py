"""The ground of a lane of values given by hand: its axis and grid. The curves over it are painted by the pane."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPen

from workstation.app.series_curves import Axis, ScaleMode, axis_for, ticks_of
from workstation.app.viewport import Viewport
from workstation.ui.scenes.curve_scene import LANE_PX, CurveScene
from workstation.ui.scenes.lane_scene import LaneScene, Look, blank, painter_on


class ValuesScene(LaneScene):
    """Reaches from one value to another at every zoom, so that a value keeps its height."""

    def __init__(self) -> None:
        super().__init__()
        self._axis = axis_for(0.0, 1.0, ScaleMode.FIXED)

    def natural_height(self) -> int:
        return LANE_PX

    def reach(self, low: float, high: float) -> None:
        """From which value to which."""
        axis = axis_for(low, high, ScaleMode.FIXED)
        if axis != self._axis:
            self._axis = axis
            self.invalidate()

    def axis(self, view: Viewport) -> Axis:
        """The same at every view."""
        del view
        return self._axis

    def paint(self, look: Look) -> QImage:
        image = blank(look)
        painter = painter_on(image, look)
        painter.setPen(QPen(QColor(look.theme.line), 1.0, Qt.PenStyle.DotLine))
        for value in ticks_of(self._axis, max(1, look.height_px // 26)):
            y = float(CurveScene.y_of(self._axis, np.array([value]), look.height_px)[0])
            painter.drawLine(QPointF(0, y), QPointF(look.view.width_px, y))
        painter.end()
        return image
