"""The lanes on the screen: kept pictures of each lane, over them what moves (playhead, selection, previews), and the
mouse. One widget for all lanes. A playhead that moves repaints a strip and no lane.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from workstation.app.lag import Lag
from workstation.app.moments_of import moments_of_ends
from workstation.core.annotation import Keyframe
from workstation.core.timebase import TimeRange
from workstation.ui.panes.timeline_edits import Boundary
from workstation.ui.panes.timeline_gestures import (
    Band,
    Drag,
    DrawSpan,
    MoveItems,
    MoveKeyframe,
    Pan,
    Resize,
    Table,
    pick,
)
from workstation.ui.panes.timeline_model import Hit, Part, Row, TimelineModel
from workstation.ui.scenes.lane_scene import Look
from workstation.ui.scenes.letters import small_font
from workstation.ui.scenes.link_scene import arc_path
from workstation.ui.scenes.ruler import marks, time_step
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.tools.state import SELECT

SPAN_TOOL = "span"
_STRIP = 3
_MOST_ARCS = 60
_MOST_RELATED = 500


class LanesCanvas(QWidget):
    """Paints and feels; what a gesture means is in ``timeline_gestures.py``."""

    gesture_changed = QtSignal(object)
    """A ``Drag`` that began, or ``None``."""
    scroll_wanted = QtSignal(float)
    zoom_wanted = QtSignal(float, float)
    """Factor, and the place that stays."""
    pan_wanted = QtSignal(float)
    """Pixels."""
    resized = QtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline_lanes")
        self.setAccessibleName("Lanes")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumHeight(40)
        self.table: Table | None = None
        self.offset = 0
        self.focused = False
        """Whether keys come to the timeline: then the active label's frame is thick."""
        self.edge: Boundary | None = None
        """The boundary that nudges move."""
        self.mark_in_ns: int | None = None
        self.waiting: tuple[str | None, TimeRange] | None = None
        """A span that was drawn and has no class yet: its stream and where it is."""
        self._drag: Drag | None = None
        self.lag = Lag()
        self._playhead_x: int | None = None
        self._hovered: str | None = None
        self._outlines: dict[tuple[str, bool], list[QRectF]] = {}
        self._related: tuple[str, ...] | None = None
        self._arcs: list[tuple[QPointF, QPointF]] | None = None

    # --- what changes -----------------------------------------------------------------------------------------

    @property
    def model(self) -> TimelineModel | None:
        return None if self.table is None else self.table.model

    def refresh(self) -> None:
        """View, lanes or selection are others now."""
        self._outlines.clear()
        self._arcs = self._related = None
        self.update()

    def show_playhead(self) -> None:
        """Repaint the strip where the playhead was and the one where it is."""
        model = self.model
        if model is None:
            return
        x = round(model.viewport.x_of(model.bench.clock.time_ns))
        if x == self._playhead_x:
            return
        for each in (self._playhead_x, x):
            if each is not None and -_STRIP <= each <= self.width() + _STRIP:
                self.update(QRect(each - _STRIP, 0, 2 * _STRIP + 1, self.height()))
        self._playhead_x = x

    @property
    def drag(self) -> Drag | None:
        return self._drag

    # --- painting ---------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(small_font())
        model = self.model
        if model is None:
            painter.fillRect(event.rect(), self.palette().window())
            return
        theme = model.bench.theme
        rows = self._rows_in(event.rect())
        bottom = rows[-1].bottom - self.offset if rows else 0  # each row fills its own
        painter.fillRect(event.rect().intersected(self.rect().adjusted(0, bottom, 0, 0)), QColor(theme.paper))
        for row in rows:
            self._paint_row(painter, row, event.rect())
        time_ns = model.bench.clock.time_ns
        x = self._paint_over(painter, event.rect(), time_ns)
        painter.end()
        if event.rect().left() <= x <= event.rect().right() or not 0 <= x <= self.width():
            self.lag.painted_playhead(model.viewport, time_ns)

    def _rows_in(self, rect: QRect) -> list[Row]:
        top, bottom = rect.top() + self.offset, rect.bottom() + self.offset
        assert self.model is not None
        return [row for row in self.model.rows if row.bottom > top and row.top <= bottom]

    def look(self, row: Row) -> Look:
        """How a lane is to be painted now."""
        assert self.model is not None
        return Look(self.model.viewport, max(1, row.height - 1), self.devicePixelRatioF(), self.model.bench.theme)

    def _paint_row(self, painter: QPainter, row: Row, rect: QRect) -> None:
        assert self.model is not None
        theme, y = self.model.bench.theme, row.top - self.offset
        focused = row.lane.stream is not None and row.lane.stream == self.model.bench.focused_stream
        part = QRect(rect.left(), y, rect.width(), row.height).intersected(rect)
        painter.fillRect(part, QColor(theme.raised if focused else theme.panel))
        part.setBottom(min(part.bottom(), y + row.height - 2))
        if row.shown and not part.isEmpty():
            image = row.scene.image(self.look(row))
            ratio = image.devicePixelRatio()
            source = QRectF(part.left() * ratio, (part.top() - y) * ratio, part.width() * ratio, part.height() * ratio)
            painter.drawImage(QRectF(part), image, source)
        painter.fillRect(0, y + row.height - 1, self.width(), 1, QColor(theme.line))

    def _paint_over(self, painter: QPainter, rect: QRect, playhead_ns: int) -> int:
        """Where the playhead is now."""
        model = self.model
        assert model is not None
        theme, view = model.bench.theme, model.viewport
        grid = QColor(theme.line)
        grid.setAlpha(110)
        for time_ns in marks(view, time_step(view, 90)):
            painter.fillRect(QRectF(round(view.x_of(time_ns)), rect.top(), 1, rect.height()), grid)
        self._paint_ends(painter)
        self._paint_loop(painter)
        self._paint_selection(painter)
        self._paint_arcs(painter)
        self._paint_waiting(painter)
        if self._drag is not None:
            self._paint_drag(painter, self._drag)
        x = round(view.x_of(playhead_ns))
        self._playhead_x = x
        painter.fillRect(x - 1, 0, 2, self.height(), QColor(theme.playhead))
        return x

    def _paint_ends(self, painter: QPainter) -> None:
        """Dim what lies before the sample and after it."""
        model = self.model
        assert model is not None
        shade = QColor(model.bench.theme.paper)
        shade.setAlpha(110)
        left = model.viewport.x_of(model.bench.clock.span.start_ns)
        right = model.viewport.x_of(model.bench.clock.span.end_ns)
        if left > 0:
            painter.fillRect(QRectF(0, 0, left, self.height()), shade)
        if right < self.width():
            painter.fillRect(QRectF(right, 0, self.width() - right, self.height()), shade)

    def _paint_loop(self, painter: QPainter) -> None:
        model = self.model
        assert model is not None
        view, theme = model.viewport, model.bench.theme
        loop = model.bench.clock.loop
        if loop is not None:
            shade = QColor(theme.accent)
            shade.setAlpha(26)
            left, right = view.x_of(loop.start_ns), view.x_of(loop.end_ns)
            painter.fillRect(QRectF(left, 0, right - left, self.height()), shade)
            painter.setPen(QPen(QColor(theme.accent), 1, Qt.PenStyle.DashLine))
            for x in (left, right):
                painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        if self.mark_in_ns is not None:
            painter.setPen(QPen(QColor(theme.good), 1.5, Qt.PenStyle.DashDotLine))
            x = view.x_of(self.mark_in_ns)
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
            painter.drawText(QPointF(x + 3, 11), "in")

    def _paint_selection(self, painter: QPainter) -> None:
        model = self.model
        assert model is not None
        theme = model.bench.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        chosen = model.bench.selected
        if self._related is None:
            self._related = tuple(model.view.marked(chosen) - set(chosen)) if len(chosen) <= _MOST_RELATED else ()
        for row, scene in model.tiers():
            if row.folded or row.bottom < self.offset or row.top > self.offset + self.height():
                continue
            painter.setPen(QPen(QColor(theme.accent), 1.4, Qt.PenStyle.DotLine))
            for rect in self._outlines_of(row, scene, self._related, related=True):
                painter.drawRect(rect.translated(0, row.top - self.offset))
            for rect in self._outlines_of(row, scene, chosen, related=False):
                place = rect.translated(0, row.top - self.offset)
                painter.setPen(QPen(QColor(theme.paper), 3))
                painter.drawRect(place)
                painter.setPen(QPen(QColor(theme.accent), 1.6))
                painter.drawRect(place)
        active = model.bench.selection.state.active
        place_of = None if active is None else model.place_of(active)
        if place_of is not None:
            self._paint_active(painter, *place_of)
        self._paint_hovered(painter)

    def _outlines_of(self, row: Row, scene: TierScene, chosen: tuple[str, ...], *, related: bool) -> list[QRectF]:
        """Frames of what is selected, or of what belongs to it: other labels of the same thing, ends of a link."""
        found = self._outlines.get((row.lane.key, related))
        if found is None:
            assert self.model is not None
            numbers = [scene.tier.numbers[each] for each in chosen if each in scene.tier.numbers]
            found = scene.outlines(np.array(numbers, np.intp), self.model.viewport, row.height - 1) if numbers else []
            self._outlines[row.lane.key, related] = found
        return found

    def _paint_active(self, painter: QPainter, row: Row, scene: TierScene, number: int) -> None:
        """The label that keys act on: a thick frame while the timeline has the focus, and the edge that nudges move."""
        if row.folded or self.model is None:
            return
        theme = self.model.bench.theme
        rect = scene.item_rect(number, self.model.viewport, row.height - 1).translated(0, row.top - self.offset)
        pen = QPen(QColor(theme.ink if self.focused else theme.accent), 2.4 if self.focused else 1.6)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawRect(rect.adjusted(-1, 0, 1, 0))
        if self.edge is not None and self.edge.annotation == scene.tier.ids[number]:
            x = rect.right() if self.edge.part is Part.END else rect.left()
            painter.fillRect(QRectF(x - 2.5, rect.top(), 5, rect.height()), QColor(theme.accent))

    def _paint_hovered(self, painter: QPainter) -> None:
        model = self.model
        assert model is not None
        hovered = model.bench.selection.state.hovered
        place = None if hovered is None else model.place_of(hovered)
        if place is None or place[0].folded:
            return
        row, scene, number = place
        rect = scene.item_rect(number, model.viewport, row.height - 1).translated(0, row.top - self.offset)
        painter.setPen(QPen(QColor(model.bench.theme.ink), 1, Qt.PenStyle.DotLine))
        painter.drawRect(rect)

    def _paint_arcs(self, painter: QPainter) -> None:
        """The links of what is selected, from label to label over the lanes."""
        if self._arcs is None:
            self._arcs = self._link_feet()
        assert self.model is not None
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for first, last in self._arcs:
            a, b = first - QPointF(0.0, float(self.offset)), last - QPointF(0.0, float(self.offset))
            for colour, width in ((self.model.bench.theme.paper, 3.6), (self.model.bench.theme.accent, 1.8)):
                painter.setPen(QPen(QColor(colour), width))
                path = arc_path(0, max(6.0, abs(b.x() - a.x())), 0, 22)
                if abs(a.y() - b.y()) < 4:
                    painter.drawPath(path.translated(min(a.x(), b.x()), a.y()))
                else:
                    bulge = 26 + abs(b.y() - a.y()) * 0.08
                    line = QPointF(max(a.x(), b.x()) + bulge, (a.y() + b.y()) / 2)
                    curved = type(path)(a)
                    curved.quadTo(line, b)
                    painter.drawPath(curved)
            painter.setBrush(QColor(self.model.bench.theme.accent))
            for foot in (a, b):
                painter.drawEllipse(foot, 2.5, 2.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _link_feet(self) -> list[tuple[QPointF, QPointF]]:
        model = self.model
        assert model is not None
        found: list[tuple[QPointF, QPointF]] = []
        seen: set[str] = set()
        for chosen in model.bench.selected[:_MOST_ARCS]:
            links = [*model.view.links_of(chosen)]
            if chosen in model.view.links:
                links.append(model.view.links[chosen])
            for link in links:
                if link.id in seen or len(found) >= _MOST_ARCS:
                    continue
                seen.add(link.id)
                when = moments_of_ends(model.view, link)
                feet = [
                    foot for end in link.ends if (foot := self._foot(end.target, when.get(end.target))) is not None
                ]  # fmt: skip
                found += [(feet[0], each) for each in feet[1:]]
        return found

    def _foot(self, target: str, at_ns: int | None) -> QPointF | None:
        """Where an arc stands: on the label's beginning, on a track at the moment the link is about, or at the edge of
        the view where that is outside.
        """
        model = self.model
        assert model is not None
        place = model.place_of(target)
        if place is None:
            for each in model.view.annotations_of_entity(target):
                place = place or model.place_of(each.id)
        if place is None or place[0].folded:
            return None
        row, scene, number = place
        rect = scene.item_rect(number, model.viewport, row.height - 1)
        x = rect.left() + min(6.0, rect.width() / 2)
        if at_ns is not None:
            x = max(x, min(model.viewport.x_of(at_ns), rect.right()))
        x = min(max(x, 4.0), self.width() - 4.0)
        return QPointF(x, row.top + rect.center().y())

    def _paint_waiting(self, painter: QPainter) -> None:
        if self.waiting is None or self.model is None:
            return
        stream, shown = self.waiting
        row = next((each for each in self.model.rows if each.lane.stream == stream), None)
        if row is not None:
            view = self.model.viewport
            left, right = view.x_of(shown.start_ns), view.x_of(shown.end_ns)
            self._paint_span(painter, QRectF(left, row.top - self.offset, right - left, row.height - 1), "class?")

    def _paint_span(self, painter: QPainter, rect: QRectF, text: str) -> None:
        assert self.model is not None
        theme = self.model.bench.theme
        fill = QColor(theme.accent)
        fill.setAlpha(70)
        painter.fillRect(rect, fill)
        painter.setPen(QPen(QColor(theme.accent), 1.6, Qt.PenStyle.DashLine))
        painter.drawRect(rect)
        if text:
            painter.setPen(QColor(theme.ink))
            painter.drawText(rect.adjusted(4, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_drag(self, painter: QPainter, drag: Drag) -> None:
        assert self.model is not None
        theme, preview = self.model.bench.theme, drag.preview
        for row, rect in preview.spans:
            self._paint_span(painter, rect.translated(0, row.top - self.offset), "")
        if preview.band is not None:
            self._paint_span(painter, preview.band.translated(0, -self.offset), "")
        if preview.snap is not None:
            x = self.model.viewport.x_of(preview.snap.session_ns)
            painter.setPen(QPen(QColor(theme.good), 1.5))
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
            self._paint_text(painter, QPointF(x + 5, 4), preview.snap.label, theme.good)
        if preview.text and preview.at is not None:
            self._paint_text(painter, preview.at + QPointF(14, 14.0 - self.offset), preview.text, theme.ink)

    def _paint_text(self, painter: QPainter, at: QPointF, text: str, colour: str) -> None:
        assert self.model is not None
        width = QFontMetricsF(painter.font()).horizontalAdvance(text)
        left = min(max(at.x(), 2.0), self.width() - width - 12)
        top = min(max(at.y(), 2.0), self.height() - 18.0)
        box = QRectF(left, top, width + 10, 16)
        painter.setPen(QPen(QColor(self.model.bench.theme.line), 1))
        painter.setBrush(QColor(self.model.bench.theme.raised))
        painter.drawRoundedRect(box, 3, 3)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QColor(colour))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    # --- the mouse --------------------------------------------------------------------------------------------

    def _at(self, position: QPointF) -> QPointF:
        return position + QPointF(0.0, float(self.offset))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        table = self.table
        if table is None or self._drag is not None:
            return
        at = self._at(event.position())
        if event.button() is Qt.MouseButton.MiddleButton:
            self._begin(Pan(table, at, self.scroll_wanted.emit))
            return
        if event.button() is not Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        hit = table.model.hit(at.x(), at.y())
        self._begin(self._drag_for(table, at, hit, event.modifiers()))

    def _drag_for(self, table: Table, at: QPointF, hit: Hit, modifiers: Qt.KeyboardModifier) -> Drag:
        """What a press begins there, with the tool in the hand."""
        tool = table.bench.hand.tool
        row = hit.row
        if hit.item is not None:
            annotation = table.model.view.annotations[hit.ids[0]]
            plain = not modifiers & (Qt.KeyboardModifier.ShiftModifier)
            if hit.part is not Part.BODY and plain and not table.model.locked(annotation):
                self.edge = Boundary(hit.ids[0], hit.part)
                return Resize(table, at, hit, self.edge)
            if tool == SELECT:
                self._take_up(table, hit, modifiers)
                keyframe = self._grabbed_keyframe(table, hit, modifiers)
                if keyframe is not None:
                    return MoveKeyframe(table, at, hit, keyframe)
                return MoveItems(table, at, hit)
        elif hit.ids:
            pick(table, hit, modifiers)
            if hit.go_to_ns is not None:
                table.bench.clock.seek(hit.go_to_ns)
            return Drag(table, at)
        can_draw = row is not None and row.lane.stream is not None and not row.folded
        if can_draw and (tool == SPAN_TOOL or (tool == SELECT and row is not None and not row.lane.is_tier)):
            return DrawSpan(table, at, hit)
        return Band(table, at, hit)

    def _grabbed_keyframe(self, table: Table, hit: Hit, modifiers: Qt.KeyboardModifier) -> Keyframe | None:
        """The keyframe that a drag moves; with ``Alt`` the whole track shifts, wherever it is grabbed."""
        if hit.keyframe_ns is None or modifiers & Qt.KeyboardModifier.AltModifier:
            return None
        if table.model.locked(table.model.view.annotations[hit.ids[0]]):
            return None
        return table.edits.keyframe_at(hit.ids[0], hit.keyframe_ns)

    def _take_up(self, table: Table, hit: Hit, modifiers: Qt.KeyboardModifier) -> None:
        """A press on a label that is not selected selects it at once, so that a drag moves what is seen marked."""
        with_others = modifiers & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier)
        if not with_others and hit.ids[0] not in table.bench.selected:
            pick(table, hit, modifiers)

    def _begin(self, drag: Drag) -> None:
        self._drag = drag
        drag.ended = self.end_drag
        self.gesture_changed.emit(drag)
        self.update()

    def end_drag(self) -> None:
        """The gesture is over, done or cancelled."""
        if self._drag is not None:
            self._drag = None
            self.gesture_changed.emit(None)
            self.refresh()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag.move(self._at(event.position()), event.modifiers())
            return
        self._hover(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag = self._drag
        if drag is not None and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            drag.finish(self._at(event.position()), event.modifiers())
            self.end_drag()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click on a label goes to its beginning."""
        table = self.table
        if table is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        at = self._at(event.position())
        hit = table.model.hit(at.x(), at.y())
        if hit.go_to_ns is not None:
            table.bench.clock.seek(hit.go_to_ns)

    def _hover(self, position: QPointF) -> None:
        table = self.table
        if table is None:
            return
        at = self._at(position)
        hit = table.model.hit(at.x(), at.y())
        if hit.item is not None and (hit.part is not Part.BODY or hit.keyframe_ns is not None):
            self.setCursor(Qt.CursorShape.SplitHCursor)
        else:
            self.unsetCursor()
        hovered = hit.ids[0] if len(hit.ids) == 1 else None
        if hovered != self._hovered:
            self._hovered = hovered
            table.bench.selection.hover(hovered, cause="timeline")
            self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        del event
        if self._hovered is not None and self.table is not None:
            self._hovered = None
            self.table.bench.selection.hover(None, cause="timeline")
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ctrl zooms around the pointer, Shift pans, neither scrolls the lanes; a sideways wheel pans."""
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_wanted.emit(0.8 ** (delta.y() / 120), event.position().x())
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(delta.x()) > abs(delta.y()):
            self.pan_wanted.emit(-(delta.y() or delta.x()) * 0.6)
        else:
            self.scroll_wanted.emit(-delta.y() * 0.5)
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_tip(event.pos(), event.globalPos())
            return True
        return super().event(event)

    def _show_tip(self, position: QPoint, on_screen: QPoint) -> None:
        model = self.model
        if model is None:
            return
        hit = model.hit(position.x(), position.y() + self.offset)
        text = hit.text or (self.describe(hit.ids[0]) if len(hit.ids) == 1 else "")
        QToolTip.showText(on_screen, text, self)

    def describe(self, record_id: str) -> str:
        """A label in words: what it is, when, where, how far it has come."""
        model = self.model
        annotation = None if model is None else model.view.annotations.get(record_id)
        if model is None or annotation is None:
            link = None if model is None else model.view.links.get(record_id)
            return "" if link is None or model is None else f"{link.type_id}: {model.view.name_of(record_id)}"
        shown = model.view.session_range(annotation)
        stream = model.view.streams.get(annotation.stream or "")
        when = ""
        if shown is not None:
            when = f", {shown.start_ns / 1e9:.3f} s to {shown.end_ns / 1e9:.3f} s"
        where = f", on {stream.key}" if stream is not None else ", on the sample"
        said = f": {annotation.text}" if annotation.text else ""
        return f"{model.view.name_of(record_id)}{said}{when}{where}, {annotation.state.value}"
