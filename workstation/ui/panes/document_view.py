"""One page of a document on the screen: sharp at any zoom, with its words, spans and shapes, under the hand.

A page is drawn by a worker for exactly the part and size that is seen; until it comes, what was drawn before is shown
larger or smaller. Points of the page are what shapes are kept in. Held by the document pane.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.app.looks import claimed_name
from workstation.app.page_feed import DrawnPage, PageFeed, PageWish
from workstation.app.page_words import PageWords, Rect, item_of
from workstation.app.picture_shapes import bounds_of
from workstation.app.sample_view import SampleView
from workstation.core.geometry import TextSpan
from workstation.core.sample import Stream
from workstation.media.base import DocumentReader, Region
from workstation.ui.keymap import keyless
from workstation.ui.panes.document_canvas import PageCanvas
from workstation.ui.panes.document_words import WordHand
from workstation.ui.pointing import pointer_of
from workstation.ui.scenes.overlays import Marks, Overlay, OverlayLook
from workstation.ui.scenes.page_scene import PageSpan, paint_paper, paint_spans, paint_taken, paint_tokens, screen_rect
from workstation.ui.scenes.text_scene import Standing
from workstation.ui.scenes.tool_hints import paint_hints
from workstation.ui.scenes.viewport import FIT, Viewport, Zoom
from workstation.ui.tools.canvas import PointerEvent, Tool
from workstation.ui.tools.catalogue import make_tool
from workstation.ui.tools.state import SELECT

if TYPE_CHECKING:
    from workstation.ui.keymap import keyless
from workstation.ui.workbench import Workbench

_WHEEL = 1.25
_MARGIN_PX = 8.0
_MOST_WORDS_HELD = 200
_A4_PT = (595.0, 842.0)
_EMPTY = Viewport(picture_px=(1, 1), area=(1.0, 1.0))


class PageView(QWidget):
    """Paints the page it is told to; wheel, zoom and hand are its own."""

    page_changed = QtSignal()
    gesture_changed = QtSignal()
    """A drag or a shape in the making began or ended."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("document_page")
        self.setAccessibleName("Page of the document")
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.bench: Workbench | None = None
        self.stream: Stream | None = None
        self.page = 0
        self.count = 0
        self.trouble = ""
        self.with_tokens = False
        self._reader: DocumentReader | None = None
        self._feed: PageFeed | None = None
        self._wishes = 0
        self._sizes: dict[int, tuple[float, float]] = {}
        self._held_words: dict[int, PageWords] = {}
        self._drawn: DrawnPage | None = None
        self._image: QImage | None = None
        self._zoom = FIT
        self._pointer: QPointF | None = None
        self._grabbed: QPointF | None = None
        self._standing = Standing()
        self.canvas = PageCanvas(self)
        self.word_hand = WordHand(self)
        self._tool_name = SELECT
        self._tool: Tool | None = None
        self._holds: WordHand | Tool | None = None
        """What the press went to."""

    def sizeHint(self) -> QSize:
        return QSize(420, 520)

    # --- which page ---------------------------------------------------------------------------------------------

    @property
    def view(self) -> SampleView | None:
        return None if self.bench is None else self.bench.view

    def open(self, stream: Stream, reader: DocumentReader) -> None:
        """Another document, at its first page."""
        self.close_document()
        assert self.bench is not None
        self.stream, self._reader = stream, reader
        self.count = reader.info.count
        self._feed = PageFeed(reader, self._post)
        self._zoom = FIT
        self.show_page(0)

    def close_document(self) -> None:
        """Nothing is shown; the worker is ended."""
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()
        self._hand_cancel()
        self.stream = self._reader = self._drawn = self._image = None
        self.count, self.page, self.trouble = 0, 0, ""
        self._sizes, self._held_words = {}, {}
        self.canvas.forget()
        self.update()

    def show_page(self, page: int, *, top: bool | None = None) -> None:
        """Go to a page, within what there is; ``top``: look at its top, or else its bottom, where zoomed in."""
        page = min(max(page, 0), max(0, self.count - 1))
        if page != self.page:
            self._hand_cancel()
        self.page = page
        if top is not None and not self._zoom.is_fit:
            self._zoom = replace(self._zoom, y=0.0 if top else 1.0)
        self.renew()
        self._ask()
        self.page_changed.emit()
        self.update()

    @property
    def words(self) -> PageWords | None:
        """The tokens of the page, once they have come."""
        return self._held_words.get(self.page)

    @property
    def painted(self) -> bool:
        """Whether a picture of this very page is on the screen."""
        return self._drawn is not None and self._drawn.wish.page == self.page and self._image is not None

    @property
    def sharp(self) -> bool:
        """Whether what is seen is what was asked for last."""
        return self._feed is None or (self._drawn is not None and self._drawn.wish.number == self._wishes)

    def _size(self) -> tuple[float, float]:
        """Of the page in points; until the worker has measured it, as the page before it: PDFium has one lock, and the
        window does not wait for it."""
        return self._sizes.get(self.page) or next(reversed(self._sizes.values()), _A4_PT)

    @property
    def viewport(self) -> Viewport:
        """Where the page lies; its points are the viewport's pixels."""
        if self._reader is None:
            return _EMPTY
        width, height = self._size()
        return Viewport(
            picture_px=(math.ceil(width), math.ceil(height)), area=(float(self.width()), float(self.height())),
            zoom=self._zoom, device_ratio=self.devicePixelRatioF(),
        )  # fmt: skip

    # --- drawing ------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        if self._feed is None or self.width() < 2 or self.height() < 2:
            return
        viewport = self.viewport
        per_point = min(viewport.scale * viewport.device_ratio, 60.0)
        region = None
        if not self._zoom.is_fit:
            left, top = (edge * per_point for edge in viewport.to_picture((0.0, 0.0)))
            right, bottom = (edge * per_point for edge in viewport.to_picture(viewport.area))
            width, height = (max(1, round(size * per_point)) for size in self._size())
            region = Region(
                math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
            ).clipped(width, height)  # fmt: skip
        self._wishes += 1
        self._feed.show(PageWish(self._wishes, self.page, per_point, region))

    def _post(self, drawn: DrawnPage) -> None:
        """On the worker's thread."""
        bench = self.bench
        if bench is not None:
            bench.gui.post(self._take_in, drawn)

    def _take_in(self, drawn: DrawnPage) -> None:
        if self._feed is None or drawn.wish.page != self.page:
            if drawn.words is not None and self._feed is not None:
                self._hold(drawn)
            return
        self.trouble = drawn.trouble
        guessed = self._size()
        if drawn.size_pt is not None:
            self._sizes[drawn.wish.page] = drawn.size_pt
        if self._size() != guessed:
            self._ask()  # it was drawn for a page of another size
        self._hold(drawn)
        self._drawn = drawn
        if drawn.picture is not None:
            pixels = np.ascontiguousarray(drawn.picture.pixels)
            height, width = pixels.shape[:2]
            self._image = QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB888).copy()
        else:
            self._image = None
        self.page_changed.emit()
        self.update()

    def _hold(self, drawn: DrawnPage) -> None:
        if drawn.words is not None:
            if len(self._held_words) > _MOST_WORDS_HELD and self._feed is not None:
                self._held_words = {self.page: self._held_words[self.page]} if self.page in self._held_words else {}
            self._held_words[drawn.wish.page] = drawn.words

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        bench = self.bench
        if bench is None:
            painter.end()
            return
        painter.fillRect(self.rect(), QColor(bench.theme.picture))
        if self._reader is None:
            self._say(painter, "" if bench.view is None else "This sample has no document.")
            return
        viewport = self.viewport
        paint_paper(painter, viewport, bench.theme)
        if self.trouble:
            self._say(painter, self.trouble)
            return
        if self.painted:
            self._paint_picture(painter, viewport)
        words = self.words
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if words is not None:
            if self.with_tokens:
                paint_tokens(painter, viewport, words)
            if not words.tokens and self.painted:
                self._say_scanned(painter, viewport)
            paint_spans(painter, viewport, words, self._spans(), self._standing)
            paint_taken(painter, viewport, words.rects(self.word_hand.taken))
            if self.word_hand.caret is not None and self.hasFocus():
                token = words.tokens[self.word_hand.caret]
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor("#0b62c4"), 1.6, Qt.PenStyle.DotLine))
                painter.drawRect(screen_rect(viewport, (token.left, token.top, token.right, token.bottom)))
        marks = Marks(
            selected=self._standing.selected, related=self._standing.related, hovered=self._standing.hovered
        )  # fmt: skip
        Overlay(painter, viewport, marks, OverlayLook(), _no_mask, _no_skeleton).paint(self.canvas.shown, [])
        if self._tool is not None:
            paint_hints(painter, viewport, self._tool.hints(), self._pointer, bench.theme)
        painter.end()
        if self.painted and bench.seen is not None and self.stream is not None and self._drawn is not None:
            bench.seen.saw_item(self.stream.id, self._drawn.wish.page)

    def _paint_picture(self, painter: QPainter, viewport: Viewport) -> None:
        drawn = self._drawn
        assert drawn is not None
        assert drawn.picture is not None
        assert self._image is not None
        region, per_point = drawn.picture.region, drawn.wish.pixels_per_point
        target = screen_rect(viewport, (region.left / per_point, region.top / per_point,
                                        region.right / per_point, region.bottom / per_point))  # fmt: skip
        ratio = viewport.device_ratio
        if abs(target.width() * ratio - self._image.width()) < 1.0:
            self._image.setDevicePixelRatio(ratio)
            corner = QPointF(round(target.left() * ratio) / ratio, round(target.top() * ratio) / ratio)
            painter.drawImage(corner, self._image)
            self._image.setDevicePixelRatio(1.0)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(target, self._image)

    def _say_scanned(self, painter: QPainter, viewport: Viewport) -> None:
        """On the paper, below its top edge: why no word can be taken."""
        width = float(viewport.picture_px[0])
        top = screen_rect(viewport, (0.0, 0.0, width, 1.0))
        line = QRectF(max(0.0, top.left()), max(0.0, top.top()), min(top.width(), float(self.width())), 22.0)
        painter.fillRect(line, QColor(16, 18, 22, 190))
        painter.setPen(QColor("#f4f5f7"))
        spelled = keyless if self.bench is None else self.bench.spelled
        text = spelled("Only a picture: it holds no words. Draw boxes (@tool.box).")
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)

    def _say(self, painter: QPainter, text: str) -> None:
        assert self.bench is not None
        painter.setPen(QColor(self.bench.theme.quiet if self._reader is None else "#3a3f48"))
        inner = self.rect().adjusted(16, 8, -16, -8)
        painter.drawText(inner, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
        painter.end()

    # --- what lies on it ----------------------------------------------------------------------------------------

    def renew(self) -> None:
        """Records have changed, or something was hidden."""
        if self.bench is not None and self.view is not None:
            self.canvas.renew()
        self.update()

    def stand(self, standing: Standing) -> None:
        """Other things are looked at."""
        if standing != self._standing:
            self._standing = standing
            self.update()

    def _spans(self) -> list[PageSpan]:
        view, stream, bench = self.view, self.stream, self.bench
        if view is None or stream is None or bench is None:
            return []
        found: list[PageSpan] = []
        item = item_of(self.page)
        for each in view.annotations_of(stream.id):
            shape = each.shape
            if not isinstance(shape, TextSpan) or each.item != item or shape.of is not None:
                continue
            if bench.sight.visible((view.class_of(each), each.entity, each.stream, each.id)):
                name = claimed_name(view.name_of(each.id), each.state, each.confidence)
                found.append((each.id, shape.parts, view.paint_of(each), name, each.state))
        return sorted(found, key=lambda span: -sum(end - start for start, end in span[1]))

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        """Spans and shapes of these on the page, as far as they are in sight."""
        viewport, words, inside = self.viewport, self.words, QRectF(self.rect())
        found: list[tuple[str, QRectF]] = []
        for span in self._spans() if words is not None else ():
            if span[0] in ids and words is not None:
                found += [(span[0], screen_rect(viewport, rect)) for rect in words.rects(span[1])[:1]]
        for drawn in self.canvas.shown.drawn:
            places = drawn.lines.every()
            if drawn.id in ids and len(places):
                found.append((drawn.id, screen_rect(viewport, bounds_of(places))))
        return [(key, rect.intersected(inside)) for key, rect in found if rect.intersects(inside)]

    def spans_over(self, offset: int) -> list[str]:
        """The spans over a code point of the page, the shortest first."""
        return [
            span[0] for span in reversed(self._spans()) if any(start <= offset < end for start, end in span[1])
        ]  # fmt: skip

    def bring_into_view(self, token: int) -> None:
        """Scroll to a word if the page is zoomed in."""
        words = self.words
        if words is not None and token < len(words.tokens):
            each = words.tokens[token]
            self.show_rect((each.left, each.top, each.right, each.bottom))

    def show_rect(self, rect: Rect) -> None:
        """Bring a part of the page into view, keeping the zoom."""
        if self._zoom.is_fit:
            return
        on_screen = screen_rect(self.viewport, rect)
        if not QRectF(self.rect()).contains(on_screen):
            self.set_zoom(self.viewport.centred(((rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2)))

    # --- zoom ---------------------------------------------------------------------------------------------------

    def set_zoom(self, zoom: Zoom) -> None:
        """Look at this part of the page."""
        if zoom != self._zoom:
            self._zoom = zoom
            self._ask()
            self.update()

    def zoom_by(self, steps: float) -> None:
        """Around the pointer if it is here, else around the middle."""
        at = (self.width() / 2, self.height() / 2) if self._pointer is None else self._pointer.toTuple()
        self.set_zoom(self.viewport.zoomed(_WHEEL**steps, (float(at[0]), float(at[1]))))

    def fit_page(self) -> None:
        """All of the page."""
        self.set_zoom(FIT)

    def fit_width(self) -> None:
        """The page as wide as the pane, from its top."""
        viewport = self.viewport
        factor = (self.width() - 2 * _MARGIN_PX) / max(1.0, viewport.picture_px[0] * viewport.fit_scale)
        self.set_zoom(Zoom(factor, 0.5, 0.0) if factor > 1.0 else FIT)

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._pointer = event.position()
            self.zoom_by(steps)
        elif steps:
            self.scroll_by(steps * 60.0)
        event.accept()

    def scroll_by(self, px: float) -> None:
        """Pull the page down (positive) or up; beyond its edge comes the next page."""
        before = self._zoom
        panned = self.viewport.panned((0.0, px))
        if not before.is_fit and abs(panned.y - before.y) > 1e-9 and self._shown_moves(panned):
            self.set_zoom(panned)
        elif px < 0 and self.page < self.count - 1:
            self.show_page(self.page + 1, top=True)
        elif px > 0 and self.page > 0:
            self.show_page(self.page - 1, top=False)

    def _shown_moves(self, zoom: Zoom) -> bool:
        viewport = self.viewport
        return abs(replace(viewport, zoom=zoom).corner[1] - viewport.corner[1]) > 0.5

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._ask()

    # --- the hand -----------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether something is begun that ``Esc`` would cancel."""
        return self.word_hand.busy or (self._tool is not None and self._tool.busy)

    def hand_changed(self) -> None:
        """Another tool is held, or a drawn shape got its class."""
        bench = self.bench
        if bench is None:
            return
        if bench.hand.tool != self._tool_name:
            self._hand_cancel()
            self._tool_name, self._tool = bench.hand.tool, None
        self.word_hand.asked_in_vain()
        if not bench.hand.waiting and (self._tool is None or not self._tool.busy):
            self.canvas.preview({})
        self.update()

    def cancel(self) -> None:
        """``Esc`` while something is begun."""
        self._hand_cancel()
        self.gesture_changed.emit()

    def _hand_cancel(self) -> None:
        self._holds = None
        self.word_hand.cancel()
        if self._tool is not None:
            self._tool.cancel()

    @property
    def tool(self) -> Tool:
        """The drawing tool in the hand, at work on this page."""
        if self._tool is None:
            self._tool = make_tool(self._tool_name, self.canvas)
        return self._tool

    def _taker(self, pointed: PointerEvent) -> WordHand | Tool:
        """Who gets a press: the tool, unless it is the one that selects and there is nothing of its own there."""
        if self._tool_name != SELECT:
            return self.tool
        active = self.canvas.active
        near = self.canvas.hit(pointed.place) or (active is not None and self.canvas.shape_of(active) is not None)
        words = self.words
        on_word = words is not None and words.at(*pointed.place) is not None and not self.canvas.hit(pointed.place)
        return self.word_hand if on_word or not near else self.tool

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() is Qt.MouseButton.MiddleButton:
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            return
        if event.button() is not Qt.MouseButton.LeftButton or self._reader is None or self.bench is None:
            return
        if self.stream is not None:
            self.bench.focus_on(self.stream.id)
        pointed = pointer_of(event, self.canvas)
        self._holds = self._taker(pointed)
        self._holds.press(pointed)
        self._after(pointed)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        if self._grabbed is not None:
            by = event.position() - self._grabbed
            self._grabbed = event.position()
            self.set_zoom(self.viewport.panned((by.x(), by.y())))
            return
        if self._reader is None or self.bench is None:
            return
        pointed = pointer_of(event, self.canvas)
        if self._holds is not None:
            self._holds.move(pointed)
        elif self._tool_name != SELECT or self.canvas.hit(pointed.place):
            self.tool.move(pointed)
        self._after(pointed)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            self._grabbed = None
            return
        if self._reader is None or self.bench is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        pointed = pointer_of(event, self.canvas)
        holds, self._holds = self._holds, None
        if holds is not None:
            holds.release(pointed)
        self._after(pointed)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._reader is None or self.bench is None:
            return
        pointed = pointer_of(event, self.canvas, clicks=2)
        words = self.words
        number = None if words is None else words.at(*pointed.place)
        if self._tool_name == SELECT and words is not None and number is not None:
            self.word_hand.take((words.between(number, number),))
            self.word_hand.offer(at_once=True)
        elif self._tool_name != SELECT:
            self.tool.double_click(pointed)
        self._after(pointed)

    def leaveEvent(self, event: QEvent) -> None:
        del event
        self._pointer = None
        self.update()

    def _after(self, pointed: PointerEvent) -> None:
        words = self.words
        shape = Qt.CursorShape.ArrowCursor
        if self._tool_name != SELECT:
            shape = Qt.CursorShape.CrossCursor
        elif words is not None and words.at(*pointed.place) is not None:
            shape = Qt.CursorShape.IBeamCursor
        self.setCursor(shape)
        self.gesture_changed.emit()
        self.update()


def _no_mask(mask: object) -> None:
    del mask


def _no_skeleton(class_id: str | None) -> None:
    del class_id
