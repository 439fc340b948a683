"""The lane of findings: a sign where the item is, with what was measured against which limit. Form says how severe.

Signs that would cover each other are one, the most severe, so that forty thousand findings cost what the pixels cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from workstation.app.sample_view import SampleView
from workstation.app.viewport import Int64s, Viewport
from workstation.core.annotation import TargetKind
from workstation.core.findings import Finding, Measure
from workstation.core.ontology import Severity
from workstation.core.values import dataclass
from workstation.ui.scenes.lane_scene import LaneScene, Look, blank, painter_on
from workstation.ui.scenes.link_scene import Found, arc_of, moment_of_end
from workstation.ui.scenes.signs import severity_colour, severity_path

_SIZE = 6.0
_REACH_PX = 8.0
_CELL_PX = 5.0
"""Of several signs within so much the most severe shows."""
_LINES = 6
_SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_RANK = {severity: rank for rank, severity in enumerate(_SEVERITIES)}


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding at the moment of its first item that has one; at the sample's start without."""

    finding: Finding
    session_ns: int


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
        self._place([])
        self.checked = False

    def natural_height(self) -> int:
        return 24

    def show(self, findings: Sequence[Finding]) -> None:
        """These are the findings now; settled ones are left out."""
        self.checked = True
        self._place([Placed(each, self._moment(each)) for each in findings if not each.settled])
        self.note = f"{len(self._placed)} open" if self._placed else "none"
        self.invalidate()

    def _place(self, placed: list[Placed]) -> None:
        self._placed = sorted(placed, key=lambda each: (each.session_ns, _RANK[each.finding.severity]))
        self._times: Int64s = np.array([each.session_ns for each in self._placed], np.int64)
        self._ranks: NDArray[np.int64] = np.array([_RANK[each.finding.severity] for each in self._placed], np.int64)

    @property
    def placed(self) -> Sequence[Placed]:
        """By time."""
        return self._placed

    def times_of(self, severity: Severity) -> Int64s:
        """Session time of each finding that is as severe."""
        found: Int64s = self._times[self._ranks == _RANK[severity]]
        return found

    def _moment(self, finding: Finding) -> int:
        for item in finding.items:
            link = self._view.links.get(item.id)
            arc = None if link is None else arc_of(self._view, link)
            if arc is not None:
                return arc.first_ns
            kind = TargetKind.ENTITY if item.kind == "entity" else TargetKind.ANNOTATION
            found = moment_of_end(self._view, kind, item.id)
            if found is not None:
                return found
        return 0

    def paint(self, look: Look) -> QImage:
        image = blank(look)
        painter = painter_on(image, look)
        shown = self._shown(look.view)
        places = [(placed, look.view.x_of(placed.session_ns)) for placed in shown]
        for severity in reversed(_SEVERITIES):
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

    def _paint_words(self, painter: QPainter, look: Look, places: Sequence[tuple[Placed, float]]) -> None:
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

    def _shown(self, view: Viewport) -> list[Placed]:
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
        near = self._placed[self._between(view, x - _REACH_PX, x + _REACH_PX)]
        if not near:
            return None
        near.sort(key=lambda each: _RANK[each.finding.severity])
        ids = tuple(dict.fromkeys(item.id for each in near for item in each.finding.items))
        text = "\n".join(_lines(near))
        return Found(tuple(each for each in ids if self._view.exists(each)), near[0].session_ns, text)


def _lines(findings: Sequence[Placed]) -> Iterator[str]:
    """The first of them in words, and how many more there are."""
    for each in findings[:_LINES]:
        yield f"{each.finding.severity}: {each.finding.text}"
    if len(findings) > _LINES:
        yield f"and {len(findings) - _LINES:,} more"
