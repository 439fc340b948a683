"""The lane of findings: a sign where the item is, with what was measured against which limit. Form says how severe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPen

from workstation.app.sample_view import SampleView
from workstation.app.viewport import Viewport
from workstation.core.annotation import TargetKind
from workstation.core.findings import Finding, Measure
from workstation.core.ontology import Severity
from workstation.ui.scenes.lane_scene import LaneScene, Look, blank, painter_on
from workstation.ui.scenes.link_scene import Found, arc_of, moment_of_end
from workstation.ui.scenes.signs import severity_colour, severity_path

_SIZE = 6.0
_REACH_PX = 8.0
_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


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
        self._placed: list[Placed] = []
        self.checked = False

    def natural_height(self) -> int:
        return 24

    def show(self, findings: Sequence[Finding]) -> None:
        """These are the findings now; settled ones are left out."""
        self.checked = True
        placed = [Placed(each, self._moment(each)) for each in findings if not each.settled]
        self._placed = sorted(placed, key=lambda each: (-_RANK[each.finding.severity], each.session_ns))
        self.note = f"{len(placed)} open" if placed else "none"
        self.invalidate()

    @property
    def placed(self) -> Sequence[Placed]:
        return self._placed

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
        middle = look.height_px / 2
        metrics = QFontMetricsF(painter.font())
        ends = self._text_ends(look.view, metrics)
        drawn: set[tuple[int, Severity]] = set()
        for placed, room in zip(self._placed, ends, strict=True):
            x, severity = look.view.x_of(placed.session_ns), placed.finding.severity
            if not -_SIZE <= x <= look.view.width_px + _SIZE or (round(x), severity) in drawn:
                continue
            drawn.add((round(x), severity))
            painter.setPen(QPen(QColor(look.theme.paper), 1.0))
            painter.setBrush(QColor(severity_colour(severity, look.theme)))
            painter.drawPath(severity_path(severity, x, middle, _SIZE))
            if room > 40 and look.height_px >= 14:
                painter.setPen(QColor(look.theme.ink))
                text = metrics.elidedText(measured_in_words(placed.finding), Qt.TextElideMode.ElideRight, room - 4)
                box = QRectF(x + _SIZE + 4, 0, room, look.height_px)
                painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
        return image

    def _text_ends(self, view: Viewport, metrics: QFontMetricsF) -> list[float]:
        """How much room each has for its words before the next sign."""
        order = sorted({round(view.x_of(each.session_ns)) for each in self._placed})
        following = dict(zip(order, [*order[1:], 1 << 30], strict=True)) if order else {}
        return [
            min(following[round(view.x_of(each.session_ns))] - view.x_of(each.session_ns) - 2 * _SIZE - 4, 420.0)
            for each in self._placed
        ]

    def hit(self, x: float, y: float, view: Viewport, height_px: int) -> Found | None:
        """The findings whose sign is there."""
        del y, height_px
        near = [each for each in self._placed if abs(view.x_of(each.session_ns) - x) <= _REACH_PX]
        if not near:
            return None
        ids = tuple(dict.fromkeys(item.id for each in near for item in each.finding.items))
        text = "\n".join(f"{each.finding.severity}: {each.finding.text}" for each in near[:6])
        return Found(tuple(each for each in ids if self._view.exists(each)), near[-1].session_ns, text)
