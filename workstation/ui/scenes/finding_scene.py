"""The lane of findings: a sign where the item is, with what was measured against which limit. Form says how severe.

Signs that would cover each other are one, the most severe, so that forty thousand findings cost what the pixels cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from workstation.app.finding_places import GRAVITY, PlacedFinding
from workstation.app.sample_view import SampleView
from workstation.app.viewport import Int64s, Viewport
from workstation.core.findings import Finding, Measure
from workstation.core.ontology import Severity
from workstation.ui.scenes.lane_scene import LaneScene, Look, blank, painter_on
from workstation.ui.scenes.link_scene import Found
from workstation.ui.scenes.signs import severity_colour, severity_path

_SIZE = 6.0
_REACH_PX = 8.0
_CELL_PX = 5.0
"""Of several signs within so much the most severe shows."""
_LINES = 6


def measured_in_words(finding: Finding) -> str:
    """``112 ms > 100 ms`` where there are two numbers, else the sentence."""
    if isinstance(finding.measured, float) and isinstance(finding.limit, float):
        sign = ">" if finding.measured > finding.limit else "<"
        return f"{_number(finding.measured, finding.unit)} {sign} {_number(finding.limit, finding.unit)}"
    return finding.text


def _number(value: Measure, unit: str) -> str:
    return f"{value:,.6g} {unit}".rstrip() if isinstance(value, float) else str(value)


class FindingScene(LaneScene):
    """The open findings of the sample, most severe on top."""

    def __init__(self, view: SampleView) -> None:
        super().__init__()
        self._view = view
        self._placed: Sequence[PlacedFinding] = ()
        self._times: Int64s = np.zeros(0, np.int64)
        self._ranks: NDArray[np.int64] = self._times
        self.checked = False

    def natural_height(self) -> int:
        return 24

    def show(self, findings: Sequence[PlacedFinding]) -> None:
        """These are the findings now; settled ones are left out."""
        self.checked = True
        still = [each for each in findings if not each.finding.settled]
        times = np.fromiter((each.session_ns for each in still), np.int64, len(still))
        ranks = np.fromiter((GRAVITY[each.finding.severity] for each in still), np.int64, len(still))
        order = np.lexsort((ranks, times))
        self._placed = [still[i] for i in order.tolist()]
        self._times, self._ranks = times[order], ranks[order]
        self.note = f"{len(still)} open" if still else "none"
        self.invalidate()

    @property
    def placed(self) -> Sequence[PlacedFinding]:
        """By time."""
        return self._placed

    def times_of(self, severity: Severity) -> Int64s:
        """Session time of each finding that is as severe."""
        found: Int64s = self._times[self._ranks == GRAVITY[severity]]
        return found

    def paint(self, look: Look) -> QImage:
        image = blank(look)
        painter = painter_on(image, look)
        shown = self._shown(look.view)
        places = [(placed, look.view.x_of(placed.session_ns)) for placed in shown]
        for severity in reversed(GRAVITY):
            sign = severity_path(severity, 0.0, look.height_px / 2, _SIZE)
            painter.setPen(QPen(QColor(look.theme.paper), 1.0))
            painter.setBrush(QColor(severity_colour(severity, look.theme)))
            for placed, x in places:
                if placed.finding.severity is severity:
                    painter.drawPath(sign.translated(x, 0.0))
        if look.height_px >= 14:
            self._paint_words(painter, look, places)
        painter.end()
        return image

    def _paint_words(self, painter: QPainter, look: Look, places: Sequence[tuple[PlacedFinding, float]]) -> None:
        """What was measured, beside each sign that has room for it before the next."""
        painter.setPen(QColor(look.theme.ink))
        metrics = QFontMetricsF(painter.font())
        following = [x for _, x in places[1:]]
        for (placed, x), after in zip(places, [*following, float("inf")], strict=False):
            room = min(after - x - 2 * _SIZE - 4, 420.0)
            if room > 40:
                text = metrics.elidedText(measured_in_words(placed.finding), Qt.TextElideMode.ElideRight, room - 4)
                painter.drawText(QRectF(x + _SIZE + 4, 0, room, look.height_px), Qt.AlignmentFlag.AlignVCenter, text)

    def _between(self, view: Viewport, left: float, right: float) -> slice:
        """Those whose moment lies between two places."""
        first, last = self._times.searchsorted([view.ns_at(left), view.ns_at(right) + 1])
        return slice(int(first), int(last))

    def _shown(self, view: Viewport) -> list[PlacedFinding]:
        """Those that get a sign, by time: of each cell the most severe. Cells are of time, so a pan changes none."""
        seen = self._between(view, -_REACH_PX - 420, view.width_px + _REACH_PX)  # words reach in from the left
        times, ranks = self._times[seen], self._ranks[seen]
        if not len(times):
            return []
        cells = times // max(1, view.distance_ns(_CELL_PX))
        begins = np.flatnonzero(np.diff(cells, prepend=cells[0] - 1))
        best = np.minimum.reduceat(ranks * len(times) + np.arange(len(times)), begins) % len(times)
        return [self._placed[seen.start + i] for i in best.tolist()]

    def hit(self, x: float, y: float, view: Viewport, height_px: int) -> Found | None:
        """The findings whose sign is there."""
        del y, height_px
        near = sorted(
            self._placed[self._between(view, x - _REACH_PX, x + _REACH_PX)],
            key=lambda each: GRAVITY[each.finding.severity],
        )
        if not near:
            return None
        ids = tuple(dict.fromkeys(item.id for each in near for item in each.finding.items))
        text = "\n".join(_lines(near))
        return Found(tuple(each for each in ids if self._view.exists(each)), near[0].session_ns, text)


def _lines(findings: Sequence[PlacedFinding]) -> Iterator[str]:
    """The first of them in words, and how many more there are."""
    for each in findings[:_LINES]:
        yield f"{each.finding.severity}: {each.finding.text}"
    if len(findings) > _LINES:
        yield f"and {len(findings) - _LINES:,} more"
