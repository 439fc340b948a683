"""What stands left of the lanes: the channel's name and unit, its value at the playhead, its axis, and a menu for
scale, order and visibility. Says what is wanted through ``wished``; the pane does it.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QAction, QColor, QContextMenuEvent, QFont, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QWidget

from workstation.app.series_curves import Axis, ScaleMode, reading_at, ticks_of, value_in_words
from workstation.app.series_values import value_of
from workstation.ui.panes.base_strips_canvas import RULER_PX
from workstation.ui.panes.base_strips_pane import StripsHeads
from workstation.ui.panes.series_model import SeriesModel, Strip
from workstation.ui.scenes.curve_scene import CurveScene
from workstation.ui.scenes.letters import small_font

HEAD_PX = 172
_AXIS_PX = 50
_FAINT = "–"


class Wish(StrEnum):
    """What a head asks for."""

    TAKE = "take"
    AUTO = "auto"
    FIXED = "fixed"
    LOG = "log"
    LIMITS = "limits"
    UP = "up"
    DOWN = "down"
    HIDE = "hide"


_TITLES = {
    Wish.AUTO: "Scale to what is in view", Wish.FIXED: "Scale to the whole channel", Wish.LOG: "Logarithmic scale",
    Wish.LIMITS: "Type the limits…", Wish.UP: "Move up", Wish.DOWN: "Move down", Wish.HIDE: "Hide channel",
}  # fmt: skip


class SeriesHeads(StripsHeads):
    """One widget for all lanes; it scrolls with them."""

    wished = QtSignal(str, object)
    """Key of a lane and a ``Wish``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("series_heads", "Names and values of the channels", HEAD_PX, parent)
        self.setToolTip("Click takes the channel in hand; right-click for scale, order and hiding")
        self.model: SeriesModel | None = None

    def _strip_at(self, y: float) -> Strip | None:
        return None if self.model is None else self.model.strip_at(y - RULER_PX + self.offset)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        strip = self._strip_at(event.position().y())
        if strip is not None and event.button() is Qt.MouseButton.LeftButton:
            self.wished.emit(strip.key, Wish.TAKE)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        strip = self._strip_at(event.pos().y())
        if strip is not None and strip.channel is not None and self.model is not None:
            self.menu_for(strip).popup(event.globalPos())

    def menu_for(self, strip: Strip) -> QMenu:
        """Scale, order and hiding of one channel."""
        menu = QMenu(self)
        menu.setObjectName("series_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        mode = strip.scene.mode if isinstance(strip.scene, CurveScene) else ScaleMode.AUTO
        for wish, title in _TITLES.items():
            if wish is Wish.UP:
                menu.addSeparator()
            act = QAction(title, menu)
            act.setObjectName(f"series_menu_{wish.value}")
            if wish.value in list(ScaleMode):
                act.setCheckable(True)
                act.setChecked(wish.value == mode.value)
            act.setData((strip.key, wish))
            menu.addAction(act)
        menu.triggered.connect(self._chosen)
        return menu

    def _chosen(self, act: QAction) -> None:
        key, wish = act.data()
        self.wished.emit(key, Wish(wish))

    # --- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(small_font())
        model = self.model
        if model is None:
            painter.fillRect(event.rect(), self.palette().window())
            painter.end()
            return
        painter.fillRect(event.rect(), QColor(model.bench.theme.raised))
        painter.setClipRect(QRectF(0, RULER_PX, self.width(), self.height()))
        active = model.active_strip()
        for strip in model.strips:
            top = strip.top - self.offset + RULER_PX
            if top < self.height() and top + strip.height > RULER_PX:
                self._paint_head(painter, model, strip, top, strip is active)
        painter.end()

    def _paint_head(self, painter: QPainter, model: SeriesModel, strip: Strip, top: int, active: bool) -> None:
        theme = model.bench.theme
        painter.fillRect(QRectF(0, top + strip.height - 1, self.width(), 1), QColor(theme.line))
        if active:
            painter.fillRect(QRectF(0, top, 3, strip.height - 1), QColor(theme.accent))
        axis = model.axis(strip)
        room = self.width() - 12 - (0 if axis is None else _AXIS_PX)
        font = QFont(small_font())
        font.setBold(strip.is_group or active)
        painter.setFont(font)
        painter.setPen(QColor(theme.ink))
        title = painter.fontMetrics().elidedText(strip.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(8, top + 3, room, 15), Qt.AlignmentFlag.AlignVCenter, title)
        painter.setFont(small_font())
        if axis is None:
            return
        font.setBold(True)
        font.setPixelSize(13)
        painter.setFont(font)
        value = self.value_of(model, strip)
        painter.setPen(QColor(theme.quiet if value == _FAINT else theme.ink))
        said = painter.fontMetrics().elidedText(value, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(8, top + 19, room, 18), Qt.AlignmentFlag.AlignVCenter, said)
        painter.setFont(small_font())
        if isinstance(strip.scene, CurveScene) and strip.height >= 56 and strip.scene.mode is not ScaleMode.AUTO:
            painter.setPen(QColor(theme.quiet))
            painter.drawText(QPointF(8, top + strip.height - 7), strip.scene.mode.value)
        self._paint_axis(painter, model, strip, axis, top)

    @staticmethod
    def value_of(model: SeriesModel, strip: Strip) -> str:
        """The value at the playhead with its unit; a dash where there is none."""
        now, curve = model.bench.clock.time_ns, model.curve(strip)
        if curve is not None:
            found = reading_at(curve, now)
            return _FAINT if found is None else value_in_words(curve, found.value)
        for _, given in model.curves_over(strip):
            value = value_of(given, strip.stream.time_map.first_stream_at(now + 1) - 1)
            if value is not None:
                return f"{value:.4g} {given.unit}".rstrip().replace("-", "−", 1)
        return _FAINT

    def _paint_axis(self, painter: QPainter, model: SeriesModel, strip: Strip, axis: Axis, top: int) -> None:
        painter.setPen(QColor(model.bench.theme.quiet))
        right = self.width() - 4
        ticks = np.array(ticks_of(axis, max(1, (strip.height - 1) // 26)))
        if not len(ticks):
            return
        step = float(ticks[1] - ticks[0]) if len(ticks) > 1 else 0.0
        curve = strip.scene.curve if isinstance(strip.scene, CurveScene) else None
        for value, y in zip(ticks.tolist(), CurveScene.y_of(axis, ticks, strip.height - 1).tolist(), strict=True):
            place = min(max(y - 6, 0.0), strip.height - 14.0) + top
            text = _tick_words(value, step, axis.log)
            if curve is not None and curve.labels:
                text = curve.labels.get(int(value), "") if value == int(value) else ""
                text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, _AXIS_PX - 4)
            painter.drawText(QRectF(right - _AXIS_PX, place, _AXIS_PX - 3, 12), Qt.AlignmentFlag.AlignRight, text)
            painter.fillRect(QRectF(right - 1, top + y, 4, 1), QColor(model.bench.theme.quiet))


def _tick_words(value: float, step: float, log: bool) -> str:
    if not log and abs(value) < abs(step) / 1e6:
        value = 0.0
    text = f"{value:.4g}"
    if not log and step and abs(value) < 1e6 and step > 1e-9:
        text = f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
    return text.replace("e+0", "e").replace("e-0", "e−").replace("-", "−")
