"""The lane of links: an arc from one end to the other, stale and negative ones told apart by their line.

Links of the same two pixels are drawn once, so that ten thousand cost what the pixels cost.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from workstation.app.moments_of import Arc, arc_of
from workstation.app.sample_view import SampleView
from workstation.app.viewport import Viewport
from workstation.core.values import dataclass
from workstation.ui.scenes.lane_scene import LaneScene, Look, blank, painter_on

_MOST_ARCS = 600
_REACH_PX = 7.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a click in the lane selects, where it leads, what it says."""

    ids: tuple[str, ...]
    session_ns: int
    text: str


class LinkScene(LaneScene):
    """All links of the sample."""

    def __init__(self, view: SampleView) -> None:
        super().__init__()
        self._view = view
        self._arcs: list[Arc] | None = None

    def natural_height(self) -> int:
        return 40 if self._view.links else 20

    def invalidate(self) -> None:
        self._arcs = None
        super().invalidate()

    def arcs(self) -> list[Arc]:
        """Every link that has a place in time."""
        if self._arcs is None:
            found = (arc_of(self._view, link) for link in self._view.links.values())
            self._arcs = [each for each in found if each is not None]
        return self._arcs

    def paint(self, look: Look) -> QImage:
        image = blank(look)
        painter = painter_on(image, look)
        arcs = self._drawn(look.view)
        if not arcs:
            painter.setPen(QColor(look.theme.quiet))
            text = "no links" if not self._view.links else ""
            painter.drawText(QRectF(6, 0, 300, look.height_px), Qt.AlignmentFlag.AlignVCenter, text)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for arc, count in arcs:
            pen = QPen(QColor(look.theme.accent), 1.4)
            if not arc.holds:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            left, right = look.view.x_of(arc.first_ns), look.view.x_of(arc.last_ns)
            painter.drawPath(arc_path(left, right, look.height_px - 3, look.height_px - 8))
            if count > 1:
                self._count(painter, look, (left + right) / 2, count)
        painter.end()
        return image

    def _drawn(self, view: Viewport) -> list[tuple[Arc, int]]:
        """One arc for each pair of pixels in view, and for how many links it stands."""
        arcs = self.arcs()
        if not arcs:
            return []
        ends = np.array([(each.first_ns, each.last_ns) for each in arcs], dtype=np.int64)
        seen = np.flatnonzero((ends[:, 1] >= view.start_ns) & (ends[:, 0] <= view.end_ns))
        columns = np.stack((view.columns(ends[seen, 0]), view.columns(ends[seen, 1])))
        if not columns.size:
            return []
        _, first, counts = np.unique(columns, axis=1, return_index=True, return_counts=True)
        kept = zip(first[:_MOST_ARCS].tolist(), counts[:_MOST_ARCS].tolist(), strict=True)
        return [(arcs[int(seen[i])], count) for i, count in kept]

    def _count(self, painter: QPainter, look: Look, x: float, count: int) -> None:
        text = f"{count}"
        width = QFontMetricsF(painter.font()).horizontalAdvance(text) + 6
        box = QRectF(x - width / 2, 2, width, 12)
        painter.fillRect(box, QColor(look.theme.panel))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def hit(self, x: float, y: float, view: Viewport, height_px: int) -> Found | None:
        """The links under a place: those whose arc passes it closely, else those whose ends stand there."""
        best: list[tuple[float, Arc]] = []
        for arc, _ in self._drawn(view):
            left, right = view.x_of(arc.first_ns), view.x_of(arc.last_ns)
            path = arc_path(left, right, height_px - 3, height_px - 8)
            away = min(_away(path.pointAtPercent(k / 16), x, y) for k in range(17))
            best.append((away, arc))
        if not best or min(best, key=lambda each: each[0])[0] > _REACH_PX:
            return None
        nearest = min(best, key=lambda each: each[0])[1]
        there = (round(view.x_of(nearest.first_ns)), round(view.x_of(nearest.last_ns)))
        alike = [
            each for each in self.arcs() if (round(view.x_of(each.first_ns)), round(view.x_of(each.last_ns))) == there
        ]
        text = "; ".join(self._view.name_of(each.link) for each in alike[:4])
        more = f" and {len(alike) - 4} more" if len(alike) > 4 else ""
        return Found(tuple(each.link for each in alike), nearest.first_ns, text + more)


def arc_path(left: float, right: float, base: float, rise: float) -> QPainterPath:
    """From one foot to the other; a loop where both stand at one place."""
    path = QPainterPath(QPointF(left, base))
    if right - left < 4:
        path.cubicTo(QPointF(left - 9, base - rise * 1.2), QPointF(right + 9, base - rise * 1.2), QPointF(right, base))
        return path
    bend = min(rise, 10 + (right - left) * 0.3) / 0.75
    path.cubicTo(QPointF(left, base - bend), QPointF(right, base - bend), QPointF(right, base))
    return path


def _away(point: QPointF, x: float, y: float) -> float:
    return float(np.hypot(point.x() - x, point.y() - y))
