"""The sheet of texts as the text pane paints it: passages laid out only where they are seen, spans, relations, times.

It knows sheet and marks, what is selected and where the caret is; what a press or a drag does is ``text_marking.py``.
Passages out of sight have a height that is guessed; the passage at the top of the view is what stays in place while
guesses become true, so that nothing jumps.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextCharFormat,
)
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from workstation.app.text_marks import Edge, Marks
from workstation.app.text_source import Kind, Passage, Place, Sheet
from workstation.core.annotation import State
from workstation.ui.scenes.letters import small_font
from workstation.ui.scenes.ruler import in_words
from workstation.ui.scenes.text_arcs import Elbow, Shown, edge_at, elbows, paint_elbows
from workstation.ui.scenes.text_claims import paint_bar, paint_speaker
from workstation.ui.scenes.text_look import LINE_GAP_PX, MOST_LETTERS, RAIL_STEP_PX, TextLook
from workstation.ui.scenes.text_scene import Band, PassageScene, Setting, Standing
from workstation.ui.theme import DARK, Theme

_GUTTER_PX = 150.0
_MARGIN_PX = 12.0
_KEPT = 600
_TURN_GAP_PX = 7.0
_TITLE_GAP_PX = 12.0
Formats = Callable[[int], Sequence[tuple[int, int, QTextCharFormat]]]


class Hit(NamedTuple):
    """What is under a place of the canvas."""

    place: Place
    """The caret nearest to it, never inside a character."""
    exact: Place
    """The caret nearest to it, also inside a character."""
    over: int | None
    """The first code point of the character under it; ``None`` beside the words."""
    bands: tuple[Band, ...] = ()
    boundary: tuple[Band, bool] | None = None
    edge: Edge | None = None


class Hand(Protocol):
    """What presses and drags do."""

    def press(self, hit: Hit, event: QMouseEvent) -> None: ...
    def move(self, hit: Hit, event: QMouseEvent) -> None: ...
    def release(self, event: QMouseEvent) -> None: ...
    def double(self, hit: Hit, event: QMouseEvent) -> None: ...


class TextCanvas(QAbstractScrollArea):
    """Paints; asks ``hand`` what the mouse means."""

    hovered = QtSignal(str)
    """The id under the pointer, or nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("text_canvas")
        self.setAccessibleName("Text with its spans")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.viewport().setMouseTracking(True)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self.hand: Hand | None = None
        self.sheet = Sheet()
        self.marks: Marks | None = None
        self.theme: Theme = DARK
        self.look = TextLook()
        self.standing = Standing()
        self.formats: Formats = _no_formats
        self.visible: Callable[[object], bool] = _always
        self.caret: Place | None = None
        self.pending: tuple[tuple[int, int, int], ...] = ()
        """What is selected and no span yet, or a span while it is dragged: (passage, start, end)."""
        self._painted: tuple[int, int, int] | None = None
        self.said: tuple[int, int, int] | None = None
        """The word that is said now."""
        self.placeholder = ""
        self.laid_out = 0
        """How many passages were laid out so far, for tests and benchmarks."""
        self.text_left = 16.0
        """Where words begin."""
        self._gutter_px = 8.0
        self._scenes: OrderedDict[int, PassageScene] = OrderedDict()
        self._heights = np.zeros(0)
        self._tops: np.ndarray | None = None
        self._top = (0, 0.0)
        self._last_value = 0
        self._shown: list[Shown] = []
        self._elbows: list[Elbow] = []
        self._first_passage: dict[str, int] = {}
        self._hovered: str | None = None
        self._setting: Setting | None = None

    def sizeHint(self) -> QSize:
        return QSize(480, 260)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 80)

    # --- what is shown ------------------------------------------------------------------------------------------

    def show_sheet(self, sheet: Sheet, marks: Marks | None, *, keep_place: bool = False) -> None:
        """Another sheet; ``keep_place``: the same one a little other."""
        self.sheet, self.marks = sheet, marks
        top = self._top if keep_place else (0, 0.0)
        self._top = (min(top[0], max(0, len(sheet.passages) - 1)), top[1])
        self._first_passage = {}
        self.pending, self.said = (), None
        if not keep_place or (self.caret is not None and self.caret.passage >= len(sheet.passages)):
            self.caret = None
        self.relayout()

    def relayout(self, passages: Iterable[int] | None = None) -> None:
        """Lay these out again when they are next seen; all of them without an argument."""
        if passages is None:
            self._scenes.clear()
            self._setting = None
            self._measure()
            self._guess_heights()
        else:
            for each in passages:
                self._scenes.pop(each, None)
        self._tops = None
        self._arrange()
        self.viewport().update()

    def edges_changed(self) -> None:
        """Relations were made or taken away: those in view are laid out again, the others when they come."""
        self._first_passage = {}
        self._scenes.clear()
        self._setting = None
        self._measure()
        self._arrange()
        self.viewport().update()

    def _measure(self) -> None:
        """Room left of the words for speakers and times, and for relations from line to line."""
        wide = any(each.shown is not None or each.speaker for each in self.sheet.passages[:400])
        self._gutter_px = _GUTTER_PX if wide and self.viewport().width() > 420 else 8.0
        rails = 0.0
        if self.marks is not None and self.marks.edges:
            rails = 8.0 + RAIL_STEP_PX * (max(self.marks.rails.values(), default=0) + 1)
        self.text_left = self._gutter_px + rails + 8.0

    def letters(self) -> QFont:
        """A text is read all day: letters a little larger than the window's."""
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() + self.look.larger)
        return font

    def _text_width(self) -> float:
        widest = QFontMetricsF(self.letters()).averageCharWidth() * MOST_LETTERS
        return min(max(80.0, self.viewport().width() - self.text_left - _MARGIN_PX), widest)

    def _in_force(self) -> Setting:
        if self._setting is None:
            width = self._text_width()
            self._setting = Setting(
                font=self.letters(), width=width, theme=self.theme, look=self.look,
                visible=self.visible, shows=self._shows_edge,
            )  # fmt: skip
        return self._setting

    def _shows_edge(self, edge: Edge) -> bool:
        if self.marks is None or not all(self.visible(self.marks.marks[each]) for each in (edge.source, edge.target)):
            return False
        return self.look.relations or bool({edge.link, edge.source, edge.target} & self.standing.selected)

    def scene(self, passage: int) -> PassageScene:
        """A passage laid out."""
        found = self._scenes.get(passage)
        if found is None:
            assert self.marks is not None
            each = self.sheet.passages[passage]
            formats = self.formats(passage) if each.kind is not Kind.TITLE else _TITLE
            found = PassageScene(each, passage, self.marks, self._in_force(), formats)
            self.laid_out += 1
            self._scenes[passage] = found
            if len(self._scenes) > _KEPT:
                self._scenes.popitem(last=False)
            if abs(self._heights[passage] - self._full_height(passage, found)) > 0.01:
                self._heights[passage] = self._full_height(passage, found)
                self._tops = None
        else:
            self._scenes.move_to_end(passage)
        return found

    def _full_height(self, passage: int, scene: PassageScene) -> float:
        return scene.height + self._gap(passage)

    def _gap(self, passage: int) -> float:
        """Room before a passage."""
        if passage == 0:
            return _TURN_GAP_PX
        each = self.sheet.passages[passage]
        if each.kind is Kind.TITLE:
            return _TITLE_GAP_PX
        if each.look.heading:
            return _TURN_GAP_PX
        return _TURN_GAP_PX if each.first and each.kind is not Kind.LINE else 1.0

    def _guess_heights(self) -> None:
        metrics = QFontMetricsF(self.letters())
        width = self._text_width()
        each_row = max(1.0, width / max(1.0, metrics.averageCharWidth()))
        rows = np.array([max(1, -(-len(each.text) // int(each_row))) for each in self.sheet.passages], np.float64)
        self._heights = rows * (metrics.height() + LINE_GAP_PX) + _TURN_GAP_PX
        self._tops = None

    # --- scrolling ----------------------------------------------------------------------------------------------

    def _offsets(self) -> np.ndarray:
        """Where every passage begins, from the top of the sheet; one more for the end."""
        if self._tops is None:
            self._tops = np.concatenate(([0.0], np.cumsum(self._heights)))
        return self._tops

    def _arrange(self) -> None:
        """Lay out what is in view from the passage at the top on, and tell the scroll bar."""
        self._shown = []
        count = len(self.sheet.passages)
        if not count or self.marks is None:
            self._tell_bar(0, 0)
            return
        tall = self.viewport().height()
        passage, into = self._settle_top(tall)
        y = -into
        while passage < count and y < tall:
            scene = self.scene(passage)
            self._shown.append(Shown(passage, y + self._gap(passage), scene))
            y += self._heights[passage]
            passage += 1
        if not self._first_passage:
            ids = {end for each in self.marks.edges for end in (each.source, each.target)}
            self._first_passage = {each: self.marks.first_passage(each) for each in ids}
        self._elbows = elbows(self._shown, self.text_left, self.marks.rails, self._first_passage)
        tops = self._offsets()
        total = float(tops[-1]) + _MARGIN_PX
        self._tell_bar(max(0, round(total - tall)), round(float(tops[self._top[0]]) + self._top[1]))

    def _settle_top(self, tall: int) -> tuple[int, float]:
        """The passage at the top and how far into it the view begins, within what there is."""
        passage, into = self._top
        count = len(self.sheet.passages)
        while into < 0 and passage > 0:
            passage -= 1
            self.scene(passage)
            into += self._heights[passage]
        into = max(into, 0.0)
        while passage < count - 1:
            self.scene(passage)
            if into < self._heights[passage]:
                break
            into -= self._heights[passage]
            passage += 1
        left, at = tall - _MARGIN_PX + into, passage
        while at < count and left > 0:  # not beyond the end
            self.scene(at)
            left -= self._heights[at]
            at += 1
        if left > 0:
            into -= left
            while into < 0 and passage > 0:
                passage -= 1
                self.scene(passage)
                into += self._heights[passage]
            into = max(into, 0.0)
        self._top = (passage, into)
        return self._top

    def _tell_bar(self, most: int, value: int) -> None:
        bar = self.verticalScrollBar()
        with QSignalBlocker(bar):
            bar.setRange(0, most)
            bar.setPageStep(self.viewport().height())
            bar.setSingleStep(24)
            bar.setValue(value)
        self._last_value = bar.value()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        del dx, dy
        value = self.verticalScrollBar().value()
        by = value - self._last_value
        if abs(by) <= 3 * self.viewport().height():
            self._top = (self._top[0], self._top[1] + by)
        else:
            tops = self._offsets()
            passage = min(int(tops.searchsorted(value, side="right")) - 1, len(self.sheet.passages) - 1)
            self._top = (max(0, passage), value - float(tops[max(0, passage)]))
        self._arrange()
        self.viewport().update()

    def reveal(self, passage: int, offset: int = 0, *, centre: bool = False) -> None:
        """Bring a code point into view, with as little scrolling as it takes."""
        if self.marks is None or not 0 <= passage < len(self.sheet.passages):
            return
        caret = self.scene(passage).laid.caret(offset)
        shown = next((each for each in self._shown if each.number == passage), None)
        tall = self.viewport().height()
        if shown is not None and not centre:
            top, bottom = shown.top + caret.top(), shown.top + caret.bottom()
            if top >= 0 and bottom <= tall:
                return
            by = top - 24 if top < 0 else bottom - tall + 24
            self._top = (self._top[0], self._top[1] + by)
        else:
            self._top = (passage, self._gap(passage) + caret.top() - tall / 3)
        self._arrange()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.relayout()
        else:
            self._arrange()

    # --- where things are ---------------------------------------------------------------------------------------

    def hit(self, at: QPointF) -> Hit | None:
        """What is under a place of the viewport."""
        shown = self._passage_at(at.y())
        if shown is None:
            return None
        x, y = at.x() - self.text_left, at.y() - shown.top
        laid = shown.scene.laid
        bands = tuple(shown.scene.bands_at(x, y))
        line = laid.lines[laid.line_at(y)]
        on_row = line.text_top <= y <= line.text_bottom
        return Hit(
            Place(shown.number, laid.offset_at(x, y)), Place(shown.number, laid.offset_at(x, y, exact=True)),
            laid.code_point_at(x, y) if on_row else None, bands,
            shown.scene.boundary_at(x, y, self.standing.selected), edge_at(self._elbows, at.x(), at.y()),
        )  # fmt: skip

    def _passage_at(self, y: float) -> Shown | None:
        held = [each for each in self._shown if self.sheet.passages[each.number].kind is not Kind.TITLE]
        if not held:
            return None
        return next((each for each in held if y < each.top + each.scene.height), held[-1])

    def rects_of(self, passage: int, start: int, end: int) -> list[QRectF]:
        """Where a stretch stands on the viewport; nothing if its passage is out of view."""
        shown = next((each for each in self._shown if each.number == passage), None)
        if shown is None:
            return []
        return [each.translated(self.text_left, shown.top) for each in shown.scene.laid.rects(start, end)]

    def band_rects(self, mark: str) -> list[QRectF]:
        """Where the bands of a span stand on the viewport."""
        return [
            band.rect.translated(self.text_left, each.top)
            for each in self._shown for band in each.scene.bands if band.mark.id == mark
        ]  # fmt: skip

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        """Spans by their bands, what is said as a whole by its lines; only what is in sight."""
        inside = QRectF(self.viewport().rect())
        owners = {body.first: body.anchor.of for body in self.sheet.bodies if body.anchor.of in ids}
        found = [
            (band.mark.id, band.rect.translated(self.text_left, each.top))
            for each in self._shown for band in each.scene.bands if band.mark.id in ids
        ] + [
            (str(owners[each.number]), QRectF(self.text_left, each.top, inside.width() / 3, each.scene.height))
            for each in self._shown if each.number in owners
        ]  # fmt: skip
        return [(key, rect) for key, rect in found if rect.intersects(inside)]

    def row_step(self, place: Place, rows: int, x: float | None) -> tuple[Place, float]:
        """The caret so many rows on, as near as can be to ``x``; the ``x`` to keep for the next step."""
        scene = self.scene(place.passage)
        line = scene.laid.line_of(place.offset)
        wanted = scene.laid.caret_x(place.offset, line) if x is None else x
        passage = place.passage
        line += rows
        while not 0 <= line < len(scene.laid.lines):
            step = 1 if line >= len(scene.laid.lines) else -1
            line = line - len(scene.laid.lines) if step > 0 else line
            passage += step
            if not 0 <= passage < len(self.sheet.passages) or self.sheet.passages[passage].kind is Kind.TITLE:
                return place, wanted
            scene = self.scene(passage)
            if step < 0:
                line += len(scene.laid.lines)
        box = scene.laid.lines[line]
        offset = scene.laid.offset_at(wanted, box.text_top + 1)
        return Place(passage, min(offset, box.stop)), wanted

    # --- the mouse ----------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = self.hit(event.position())
        if self.hand is not None and hit is not None and event.button() is Qt.MouseButton.LeftButton:
            self.hand.press(hit, event)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hit = self.hit(event.position())
        if hit is None:
            return
        if event.buttons() & Qt.MouseButton.LeftButton:
            tall = self.viewport().height()
            if not 0 <= event.position().y() <= tall:
                bar = self.verticalScrollBar()
                bar.setValue(bar.value() + (bar.singleStep() if event.position().y() > tall else -bar.singleStep()))
            if self.hand is not None:
                self.hand.move(hit, event)
            return
        self._point_at(hit)

    def _point_at(self, hit: Hit) -> None:
        found = hit.bands[0].mark.id if hit.bands else hit.edge.link if hit.edge is not None else None
        shape = Qt.CursorShape.IBeamCursor
        if hit.boundary is not None:
            shape = Qt.CursorShape.SplitHCursor
        elif found is not None and hit.over is None:
            shape = Qt.CursorShape.PointingHandCursor
        self.viewport().setCursor(shape)
        if found != self._hovered:
            self._hovered = found
            self.viewport().setToolTip(hit.bands[0].mark.name if hit.bands else hit.edge.name if hit.edge else "")
            self.viewport().update()
            self.hovered.emit(found or "")

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if self._hovered is not None:
            self._hovered = None
            self.hovered.emit("")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.hand is not None and event.button() is Qt.MouseButton.LeftButton:
            self.hand.release(event)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        hit = self.hit(event.position())
        if self.hand is not None and hit is not None:
            self.hand.double(hit, event)
        event.accept()

    # --- painting -----------------------------------------------------------------------------------------------

    @property
    def up_to_date(self) -> bool:
        """Whether the word that is said now is painted as such."""
        return self._painted == self.said

    def paintEvent(self, event: QPaintEvent) -> None:
        self._painted = self.said
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), QColor(self.theme.panel))
        if not self._shown:
            painter.setPen(QColor(self.theme.quiet))
            inner = self.viewport().rect().adjusted(16, 12, -16, -12)
            painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap, self.placeholder)
            painter.end()
            return
        left = self.text_left
        for each in self._shown:
            if each.top > event.rect().bottom() or each.top + each.scene.height < event.rect().top():
                continue
            self._paint_passage(painter, each, left, event.rect())
        paint_elbows(painter, self._elbows, self.standing, self.theme)
        painter.end()

    def _paint_passage(self, painter: QPainter, each: Shown, left: float, clip: QRect) -> None:
        passage = self.sheet.passages[each.number]
        painter.save()
        painter.translate(left, each.top)
        each.scene.paint_under(painter, self.standing)
        self._paint_chosen(painter, each)
        quiet = passage.kind is Kind.TITLE or passage.state is State.REJECTED
        painter.setPen(QColor(self.theme.quiet if quiet else self.theme.ink))
        each.scene.laid.draw(painter, QPointF(0, 0), QRectF(clip).translated(-left, -each.top))
        each.scene.paint_over(painter, self.standing)
        if self.caret is not None and self.caret.passage == each.number and self.hasFocus():
            caret = each.scene.laid.caret(self.caret.offset)
            painter.setPen(QPen(QColor(self.theme.accent), 2.0))
            painter.drawLine(caret.topLeft(), caret.bottomLeft())
        painter.restore()
        self._paint_gutter(painter, each, passage)

    def _paint_chosen(self, painter: QPainter, each: Shown) -> None:
        for passage, start, end in self.pending:
            if passage == each.number:
                colour = QColor(self.theme.accent)
                colour.setAlpha(95)
                for rect in each.scene.laid.rects(start, end):
                    painter.fillRect(rect, colour)
        if self.said is not None and self.said[0] == each.number:
            colour = QColor(self.theme.playhead)
            colour.setAlpha(60)
            for rect in each.scene.laid.rects(*self.said[1:]):
                painter.fillRect(rect, colour)
                painter.fillRect(QRectF(rect.left(), rect.bottom() - 2, rect.width(), 2), QColor(self.theme.playhead))

    def _paint_gutter(self, painter: QPainter, each: Shown, passage: Passage) -> None:
        wide = self._gutter_px
        if self.sheet.bodies[passage.body].anchor.of in self.standing.selected | self.standing.related:
            painter.fillRect(QRectF(0, each.top, wide - 3, each.scene.height), QColor(self.theme.line))
        if passage.kind is Kind.TITLE:
            y = each.top - 5
            painter.setPen(QPen(QColor(self.theme.line), 1))
            painter.drawLine(QPointF(0, y), QPointF(self.viewport().width(), y))
            return
        if wide < _GUTTER_PX:
            return
        line = each.scene.laid.lines[0]
        said = self.said is not None and self.said[0] == each.number
        if passage.speaker or passage.state is State.PROPOSED:
            bar = QRectF(2, each.top + line.text_top, 6 if said else 3, max(8.0, each.scene.height - line.text_top - 2))
            paint_bar(painter, bar, passage.colour, passage.state)
        if not passage.first:
            return
        painter.setFont(small_font())
        metrics = QFontMetricsF(painter.font())
        row = QRectF(11, each.top + line.text_top, wide - 18, line.text_height)
        when = "" if passage.shown is None else in_words(passage.shown.start_ns)
        painter.setPen(QColor(self.theme.quiet))
        painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, when)
        if passage.speaker or passage.state is State.REJECTED:
            room = row.width() - metrics.horizontalAdvance(when) - 6
            painter.setPen(QColor(self.theme.ink))
            named = metrics.elidedText(passage.speaker, Qt.TextElideMode.ElideRight, room)
            paint_speaker(painter, row, named, passage.state)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "_scenes"):
            self.relayout()

    def wear(self, theme: Theme) -> None:
        """Paint in other colours."""
        self.theme = theme
        self.relayout()

    def set_look(self, **changes: object) -> None:
        """Look at the text another way."""
        self.look = replace(self.look, **changes)  # type: ignore[arg-type]
        self.relayout()

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        self.viewport().update()

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self.viewport().update()


_TITLE: Sequence[tuple[int, int, QTextCharFormat]] = ()


def _no_formats(passage: int) -> Sequence[tuple[int, int, QTextCharFormat]]:
    del passage
    return ()


def _always(mark: object) -> bool:
    del mark
    return True
