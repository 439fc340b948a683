"""What lies over a page: boxes of words, spans on them, what is taken; painted in screen pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from workstation.app.looks import Paint
from workstation.app.page_words import PageWords, Parts, Rect
from workstation.app.text_marks import rows_of
from workstation.core.annotation import State
from workstation.ui.scenes.glyphs import paint_plate, plate_font, plate_size
from workstation.ui.scenes.labels import Wanted, placed
from workstation.ui.scenes.text_claims import paint_band
from workstation.ui.scenes.text_scene import Standing, readable
from workstation.ui.scenes.viewport import Viewport
from workstation.ui.theme import LIGHT, Theme

_BAND_PX = 3.0
PageSpan = tuple[str, Parts, Paint, str, State]
"""Id, parts, look, name and state of a span on the page."""


def screen_rect(viewport: Viewport, rect: Rect) -> QRectF:
    """A rectangle of the page on the screen."""
    left, top = viewport.to_screen(rect[:2])
    right, bottom = viewport.to_screen(rect[2:])
    return QRectF(left, top, right - left, bottom - top)


def paint_tokens(painter: QPainter, viewport: Viewport, words: PageWords) -> None:
    """A thin box round every word."""
    colour = QColor(LIGHT.accent)
    colour.setAlpha(120)
    painter.setPen(QPen(colour, 0.8))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    boxes = [screen_rect(viewport, (each.left, each.top, each.right, each.bottom)) for each in words.tokens]
    if boxes:
        painter.drawRects(boxes)


def paint_taken(painter: QPainter, viewport: Viewport, rects: Iterable[Rect]) -> None:
    """What is taken and no span yet."""
    colour = QColor(LIGHT.accent)
    colour.setAlpha(85)
    for rect in rects:
        painter.fillRect(screen_rect(viewport, rect), colour)


def paint_spans(
    painter: QPainter, viewport: Viewport, words: PageWords, spans: Sequence[PageSpan], standing: Standing
) -> None:
    """Tints over the words, bands under them, names where there is room; paper is light in every theme."""
    wanted: list[Wanted] = []
    area = (viewport.area[0], viewport.area[1])
    painter.setFont(plate_font())
    metrics = QFontMetricsF(plate_font())
    rows = rows_of({record_id: (parts[0][0], parts[-1][1]) for record_id, parts, *_ in spans})
    for record_id, parts, paint, name, state in spans:
        rects = [screen_rect(viewport, rect) for rect in words.rects(parts)]
        colour = QColor(paint.colour)
        chosen, related = record_id in standing.selected, record_id in standing.related
        for rect in rects:
            tint = QColor(colour)
            tint.setAlpha(105 if chosen else 60 if related or record_id == standing.hovered else 34)
            painter.fillRect(rect, tint)
            top = rect.bottom() + rows[record_id] * (_BAND_PX + 1.0)
            band = QRectF(rect.left(), top, rect.width(), _BAND_PX)
            paint_band(painter, band, paint.pattern, readable(paint.colour, LIGHT), state=state)
            if chosen:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor("#101216"), 1.4))
                painter.drawRect(rect)
        whole = rects[0] if rects else QRectF()
        bounds = (whole.left(), whole.top(), whole.right(), whole.bottom() + _BAND_PX)
        wanted.append(Wanted(*plate_size(metrics, name), bounds, needed=chosen))
    for (record_id, _, paint, name, _), place, want in zip(spans, placed(wanted, area), wanted, strict=True):
        if place is not None and want.bounds[2] > want.bounds[0]:
            plate = QRectF(*place, want.width, want.height)
            paint_plate(painter, plate, name, paint.colour, paint.mark, strong=record_id in standing.selected)


def paint_paper(painter: QPainter, viewport: Viewport, theme: Theme) -> None:
    """The sheet itself, with an edge, while its picture is still to come."""
    width, height = viewport.picture_px
    sheet = screen_rect(viewport, (0.0, 0.0, float(width), float(height)))
    painter.fillRect(sheet.adjusted(2, 2, 3, 3), QColor(0, 0, 0, 70))
    painter.fillRect(sheet, QColor("#ffffff"))
    painter.setPen(QPen(QColor(theme.line), 1.0))
    painter.drawRect(sheet)
