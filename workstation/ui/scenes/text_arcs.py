"""Relations between spans as elbow lines: over a row where both ends stand on it, else by the rails left of the text.

Painted by the text canvas after its passages, from what each passage in view knows of its own ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from workstation.app.text_marks import Edge
from workstation.ui.scenes.text_look import RAIL_STEP_PX
from workstation.ui.scenes.text_scene import PassageScene, Run, Standing, small
from workstation.ui.theme import Theme

_NEAR_PX = 4.0
_BEYOND_PX = 24.0


class Shown(NamedTuple):
    """A passage in view and where its top is."""

    number: int
    top: float
    scene: PassageScene


class Elbow(NamedTuple):
    """A relation as it is drawn; ``source`` and ``target`` are where its ends meet their words, if they are in view."""

    edge: Edge
    line: tuple[QPointF, ...]
    target: QPointF | None
    label: QPointF
    """Where its name stands: the middle, or with ``to_left`` its right end."""
    to_left: bool
    room: float


def elbows(
    shown: Sequence[Shown], left: float, rails: Mapping[Edge, int], first_passage: Mapping[str, int]
) -> list[Elbow]:
    """All relations with an end in view. ``left`` is where the words begin, ``first_passage`` where each span does."""
    found: list[Elbow] = []
    crossing: dict[Edge, list[tuple[Shown, Run]]] = defaultdict(list)
    for each in shown:
        for run in each.scene.runs:
            if run.other is None:
                crossing[run.edge].append((each, run))
            else:
                found.append(_over(each, run, left))
    for edge, ends in crossing.items():
        rail_x = left - 10.0 - rails.get(edge, 0) * RAIL_STEP_PX
        found.append(_beside(edge, ends, left, rail_x, shown, first_passage))
    return found


def _over(each: Shown, run: Run, left: float) -> Elbow:
    assert run.other is not None
    y = each.top + each.scene.run_y(run)
    foot = each.top + each.scene.laid.lines[run.line].text_top
    source, target = (run.x, run.other) if run.is_source else (run.other, run.x)
    line = (
        QPointF(left + source, foot), QPointF(left + source, y), QPointF(left + target, y), QPointF(left + target, foot)
    )  # fmt: skip
    middle = QPointF(left + (source + target) / 2, y)
    return Elbow(run.edge, line, line[-1], middle, False, abs(target - source) - 6.0)


def _beside(
    edge: Edge, ends: Sequence[tuple[Shown, Run]], left: float, rail_x: float,
    shown: Sequence[Shown], first_passage: Mapping[str, int],
) -> Elbow:  # fmt: skip
    ends = sorted(ends, key=lambda end: not end[1].is_source)
    legs = [_leg(each, run, left, rail_x) for each, run in ends]
    if len(legs) > 1:
        line = (*legs[0], *reversed(legs[1]))
        target: QPointF | None = legs[1][0]
    else:
        run = ends[0][1]
        other = first_passage.get(edge.target if run.is_source else edge.source, 0)
        below = other > shown[0].number
        away = shown[-1].top + shown[-1].scene.height + _BEYOND_PX if below else -_BEYOND_PX
        line = (*legs[0], QPointF(rail_x, away))
        target = None if run.is_source else legs[0][0]
        if not run.is_source:
            line = tuple(reversed(line))
    foot, corner = legs[0][0], legs[0][1]
    return Elbow(edge, line, target, QPointF(foot.x() - 4.0, corner.y()), True, foot.x() - rail_x - 12.0)


def _leg(each: Shown, run: Run, left: float, rail_x: float) -> tuple[QPointF, QPointF, QPointF]:
    """From the words up to the row of the relation and left to its rail."""
    y = each.top + each.scene.run_y(run)
    foot = each.top + each.scene.laid.lines[run.line].text_top
    return QPointF(left + run.x, foot), QPointF(left + run.x, y), QPointF(rail_x, y)


def paint_elbows(painter: QPainter, found: Sequence[Elbow], standing: Standing, theme: Theme) -> None:
    """Lines first, so that no line crosses a name; what is looked at last and strongest."""
    looked = standing.selected | standing.related
    order = sorted(found, key=lambda each: _weight(each.edge, standing))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for each in order:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(_pen(each.edge, standing, theme, crowd=len(found) > 60 and bool(looked)))
        painter.drawPolyline(QPolygonF(each.line))
        if each.target is not None and each.edge.directed:
            _arrow(painter, each.target)
    painter.setFont(small())
    metrics = QFontMetricsF(small())
    for each in order:
        _paint_name(painter, each, standing, theme, metrics)


def _weight(edge: Edge, standing: Standing) -> int:
    if edge.link in standing.selected or edge.link == standing.hovered:
        return 2
    return int(edge.source in standing.selected or edge.target in standing.selected)


def _pen(edge: Edge, standing: Standing, theme: Theme, *, crowd: bool) -> QPen:
    weight = _weight(edge, standing)
    colour = QColor(theme.accent if weight == 2 else theme.ink if weight else theme.quiet)
    if not weight:
        colour.setAlpha(90 if crowd else 190)
    style = Qt.PenStyle.DashLine if edge.proposed else Qt.PenStyle.SolidLine
    pen = QPen(colour, 2.0 if weight == 2 else 1.5 if weight else 1.1, style if edge.holds else Qt.PenStyle.DotLine)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def _arrow(painter: QPainter, tip: QPointF) -> None:
    painter.setBrush(painter.pen().color())
    pen = painter.pen()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(QPolygonF([tip, tip + QPointF(-3.2, -5.5), tip + QPointF(3.2, -5.5)]))
    painter.setPen(pen)


def _paint_name(painter: QPainter, each: Elbow, standing: Standing, theme: Theme, metrics: QFontMetricsF) -> None:
    if each.room < 14:
        return
    name = each.edge.name if each.edge.holds else f"not {each.edge.name}"
    said = metrics.elidedText(name, Qt.TextElideMode.ElideRight, each.room)
    wide, tall = metrics.horizontalAdvance(said) + 6.0, metrics.height()
    x = each.label.x() - wide if each.to_left else each.label.x() - wide / 2
    rect = QRectF(x, each.label.y() - tall / 2, wide, tall)
    painter.fillRect(rect, QColor(theme.panel))
    painter.setPen(QColor(theme.accent if _weight(each.edge, standing) == 2 else theme.ink))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, said)


def edge_at(found: Sequence[Elbow], x: float, y: float) -> Edge | None:
    """The relation whose line runs under a place."""
    best, least = None, _NEAR_PX
    for each in found:
        for one, other in zip(each.line, each.line[1:], strict=False):
            low_x, high_x = sorted((one.x(), other.x()))
            low_y, high_y = sorted((one.y(), other.y()))
            away = max(low_x - x, x - high_x, low_y - y, y - high_y, 0.0)
            if away < least:
                best, least = each.edge, away
    return best
