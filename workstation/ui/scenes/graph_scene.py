"""Where the parts of a graph of links lie, what is under a place, and how it is painted; for the panel of the graph."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from workstation.app.link_graph import Graph, Node, Relation
from workstation.core.annotation import State
from workstation.ui.scenes.glyphs import paint_mark
from workstation.ui.theme import Theme

_WIDE, _GAP = 172.0, 132.0
_NARROWEST = 0.72
"""Of both, where the graph would not find room."""
_HEAD, _LINE = 22.0, 15.0
_BETWEEN, _GROUPS, _EDGE = 12.0, 30.0, 16.0
_PILL_HIGH = 18.0
_SIDEWAYS, _ALONG = 2.0, 1.0


@dataclass(frozen=True, slots=True)
class Item:
    """A node or a relation with its place; ``ids`` are what a click selects."""

    key: str
    rect: QRectF
    ids: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What is looked at."""

    selected: frozenset[str]
    related: frozenset[str]
    hovered: str | None
    current: str | None
    """The key of the item on which the keys stand; ``None`` while the panel has no focus."""


class GraphScene:
    """A graph laid out once, for ``room`` pixels of width where it can be."""

    def __init__(self, graph: Graph, font: QFont, *, room: float = math.inf) -> None:
        self.graph = graph
        self._font = font
        most = max(map(len, graph.groups), default=1)
        usual = most * _WIDE + (most - 1) * _GAP
        scale = min(1.0, max(_NARROWEST, (room - 2 * _EDGE) / usual))
        self._wide, self._gap = _WIDE * scale, _GAP * scale
        self._rects: list[QRectF] = [QRectF()] * len(graph.nodes)
        self._column: dict[int, int] = {}
        self._pills: list[QRectF] = []
        self.width, self.height = _EDGE * 2, _EDGE
        for columns in graph.groups:
            self._place_group(columns)
        self._place_pills()
        self.height += _EDGE
        self.items = tuple(self._items())

    def _place_group(self, columns: list[list[int]]) -> None:
        heights = [sum(_high(self.graph.nodes[each]) + _BETWEEN for each in column) - _BETWEEN for column in columns]
        tall = max(heights, default=0.0)
        for at, (column, high) in enumerate(zip(columns, heights, strict=True)):
            left, top = _EDGE + at * (self._wide + self._gap), self.height + (tall - high) / 2
            for number in column:
                node_high = _high(self.graph.nodes[number])
                self._rects[number] = QRectF(left, top, self._wide, node_high)
                self._column[number] = at
                top += node_high + _BETWEEN
        self.width = max(self.width, _EDGE * 2 + len(columns) * (self._wide + self._gap) - self._gap)
        self.height += tall + _GROUPS

    def _place_pills(self) -> None:
        """Between the columns they join, none on another."""
        metrics = QFontMetricsF(self._font)
        taken: dict[int, list[QRectF]] = defaultdict(list)
        for relation in self.graph.relations:
            rects = [self._rects[each] for each in relation.nodes]
            first = min(self._column[each] for each in relation.nodes)
            x = _EDGE + first * (self._wide + self._gap) + self._wide + self._gap / 2
            y = sum(rect.center().y() for rect in rects) / len(rects)
            wide = min(self._gap - 18.0, metrics.horizontalAdvance(_pill_words(relation)) + 14)
            pill = QRectF(x - wide / 2, y - _PILL_HIGH / 2, wide, _PILL_HIGH)
            while any(pill.intersects(each) for each in taken[first]):
                pill.translate(0, _PILL_HIGH + 3)
            taken[first].append(pill)
            self._pills.append(pill)
            self.width, self.height = max(self.width, pill.right() + _EDGE), max(self.height, pill.bottom())

    def _items(self) -> Iterator[Item]:
        for node, rect in zip(self.graph.nodes, self._rects, strict=True):
            yield Item(node.key, rect, node.ids, ", ".join((node.name, *node.notes)))
        for relation, rect in zip(self.graph.relations, self._pills, strict=True):
            names = " – ".join(self.graph.nodes[each].name for each in relation.nodes)
            stale = ", stale" if relation.stale else ""
            words = f"{relation.name}: {names} ({relation.state.value}{stale})"
            yield Item(relation.links[0], rect, relation.links, words)

    # --- asking -------------------------------------------------------------------------------------------------

    def at(self, place: QPointF) -> Item | None:
        """What lies there; relations lie over things."""
        return next((each for each in reversed(self.items) if each.rect.contains(place)), None)

    def item(self, key: str | None) -> Item | None:
        return next((each for each in self.items if each.key == key), None)

    def beside(self, item: Item, across: int, down: int) -> Item | None:
        """The nearest item in a direction."""
        middle = item.rect.center()

        def away(other: Item) -> float:
            step = other.rect.center() - middle
            ahead, aside = (step.x() * across, step.y()) if across else (step.y() * down, step.x())
            return ahead * _ALONG + abs(aside) * _SIDEWAYS if ahead > 4.0 else math.inf

        found = min((each for each in self.items if each is not item), key=away, default=None)
        return found if found is not None and away(found) < math.inf else None

    # --- painting -----------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, theme: Theme, standing: Standing, clip: QRectF) -> None:
        """Lines first, then things, then what the relations are called."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        for relation, pill in zip(self.graph.relations, self._pills, strict=True):
            self._paint_lines(painter, theme, relation, pill, standing)
        for number, node in enumerate(self.graph.nodes):
            if self._rects[number].intersects(clip):
                self._paint_node(painter, theme, number, node, standing)
        for relation, pill in zip(self.graph.relations, self._pills, strict=True):
            if pill.intersects(clip):
                self._paint_pill(painter, theme, relation, pill, standing)

    def _paint_lines(
        self, painter: QPainter, theme: Theme, relation: Relation, pill: QRectF, standing: Standing
    ) -> None:
        colour = _colour(theme, relation, standing)
        pen = QPen(QColor(colour), 2.4 if not standing.selected.isdisjoint(relation.links) else 1.4)
        pen.setStyle(_dash(relation))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for place, number in enumerate(relation.nodes):
            rect = self._rects[number]
            right = rect.center().x() < pill.center().x()
            start = QPointF(rect.right() if right else rect.left(), rect.center().y())
            end = QPointF(pill.left() if right else pill.right(), pill.center().y())
            path = QPainterPath(start)
            bend = (end.x() - start.x()) / 2
            path.cubicTo(start + QPointF(bend, 0), end - QPointF(bend, 0), end)
            painter.setPen(pen)
            painter.drawPath(path)
            if relation.directed and place:
                _paint_head(painter, start, 1.0 if right else -1.0, colour)

    def _paint_node(self, painter: QPainter, theme: Theme, number: int, node: Node, standing: Standing) -> None:
        rect = self._rects[number]
        chosen = bool(standing.selected & {node.key})
        near = node.key in standing.related or node.key == standing.hovered
        focus = number == self.graph.focus
        painter.setBrush(QColor(theme.raised))
        painter.setPen(QPen(QColor(theme.accent if chosen or near or focus else theme.line), 2.4 if chosen else 1.4))
        painter.drawRoundedRect(rect, 6, 6)
        left = rect.left() + 8
        if node.paint is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.fillRect(QRectF(rect.left() + 1, rect.top() + 6, 3, rect.height() - 12), QColor(node.paint.colour))
            paint_mark(painter, node.paint.mark, QRectF(left + 2, rect.top() + 6, 10, 10), QColor(node.paint.colour))
            left += 18
        metrics, room = QFontMetricsF(self._font), rect.right() - 8 - left
        painter.setPen(QColor(theme.ink))
        name = metrics.elidedText(node.name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(left, rect.top() + 2, room, _HEAD - 2), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(QColor(theme.quiet))
        top, room = rect.top() + _HEAD - 2, rect.width() - 18
        for note in _notes(node):
            said = metrics.elidedText(note, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QRectF(rect.left() + 10, top, room, _LINE), Qt.AlignmentFlag.AlignVCenter, said)
            top += _LINE
        if standing.current == node.key:
            _paint_current(painter, theme, rect)

    def _paint_pill(
        self, painter: QPainter, theme: Theme, relation: Relation, pill: QRectF, standing: Standing
    ) -> None:
        chosen = not standing.selected.isdisjoint(relation.links)
        pen = QPen(QColor(_colour(theme, relation, standing)), 1.4)
        pen.setStyle(_dash(relation))
        painter.setPen(pen)
        painter.setBrush(QColor(theme.accent if chosen else theme.panel))
        painter.drawRoundedRect(pill, _PILL_HIGH / 2, _PILL_HIGH / 2)
        painter.setPen(QColor(theme.on_accent if chosen else theme.ink))
        words = QFontMetricsF(self._font).elidedText(
            _pill_words(relation), Qt.TextElideMode.ElideRight, pill.width() - 8
        )  # fmt: skip
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, words)
        if standing.current == relation.links[0]:
            _paint_current(painter, theme, pill)


def _pill_words(relation: Relation) -> str:
    return f"! {relation.name}" if relation.stale else relation.name


def _notes(node: Node) -> Iterable[str]:
    yield from node.notes
    if node.own_links:
        yield f"{node.own_links} link{'s' if node.own_links > 1 else ''} among its labels"
    if node.links:
        yield f"{node.links} more link{'s' if node.links > 1 else ''}"


def _high(node: Node) -> float:
    return _HEAD + _LINE * len(tuple(_notes(node))) + 4.0


def _colour(theme: Theme, relation: Relation, standing: Standing) -> str:
    if standing.hovered in relation.links or not standing.selected.isdisjoint(relation.links):
        return theme.accent
    if relation.stale:
        return theme.warning
    return theme.line if relation.state is State.REJECTED else theme.quiet


def _dash(relation: Relation) -> Qt.PenStyle:
    if not relation.holds:
        return Qt.PenStyle.DashLine
    return Qt.PenStyle.DotLine if relation.state is State.PROPOSED else Qt.PenStyle.SolidLine


def _paint_head(painter: QPainter, at: QPointF, side: float, colour: str) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawPolygon(QPolygonF([at, at + QPointF(7 * side, -4), at + QPointF(7 * side, 4)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_current(painter: QPainter, theme: Theme, rect: QRectF) -> None:
    pen = QPen(QColor(theme.ink), 1.2, Qt.PenStyle.DotLine)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(-4, -4, 4, 4), 8, 8)
