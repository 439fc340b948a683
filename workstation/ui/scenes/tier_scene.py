"""A tier of the timeline: spans, turns, tracks and other labels in rows, reduced to pixels before anything is painted.

Keyframes are solid, what is interpolated is dashed, gaps are hatched, absence is dotted and said. Proposals are pale in
a dashed frame and say how sure their maker is; what is rejected is struck through.
A class's pattern lies over its colour, so that nothing rests on colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter

from workstation.app.lanes import LaneKind, Palette, Standing, Style, Tier, code_of, paints_in, standings_in
from workstation.app.viewport import Viewport
from workstation.ui.scenes.lane_scene import LaneScene, Look, image_of, painter_on
from workstation.ui.scenes.tier_pixels import Tables, TierPixels, tables_of
from workstation.ui.theme import DARK, Theme

ROW_PX = 18
_DENSE_PX = 72
_LABEL_PX = 22
_MOST_LABELS = 260
_MOST_OUTLINES = 2000
_TEXT_ROW_PX = 12


class TierScene(LaneScene):
    """``label`` names an item by id; ``words`` gives a turn's words with their session times; ``doubt`` says of a
    proposal how sure it is."""

    def __init__(
        self,
        kind: LaneKind,
        tier: Tier,
        palette: Palette,
        label: Callable[[str], str],
        words: Callable[[str], Iterable[tuple[int, int, str]]] | None = None,
        doubt: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.tier = tier
        self._palette = palette
        self._label = label
        self._words = words
        self._doubt = doubt
        self._tables_for: tuple[int, Theme | None] = (0, None)
        self._tables: Tables = tables_of(palette, DARK)
        self._pixels = TierPixels()
        self._sought: NDArray[np.bool_] | None = None
        self._names: list[str] | None = None
        self._text = ""

    def natural_height(self) -> int:
        """Every row readable, as long as they are few."""
        rows = self.tier.row_count
        return min(rows * ROW_PX + 2, max(_DENSE_PX, ROW_PX + 2))

    def full_height(self) -> int:
        """Every row readable, however many."""
        return self.tier.row_count * ROW_PX + 2

    def show(self, tier: Tier) -> None:
        """Draw other columns from now on."""
        if tier is not self.tier:
            self.tier = tier
            self._names = None
            self._sought = self._found(self._text)
            self.invalidate()

    def seek(self, text: str) -> bool:
        """Dim what is not called so; no text dims nothing. Whether anything is."""
        text = text.casefold().strip()
        if text != self._text:
            self._text, self._sought = text, self._found(text)
            self.invalidate()
        return self._sought is not None and bool(self._sought.any())

    def _found(self, text: str) -> NDArray[np.bool_] | None:
        if not text:
            return None
        if self._names is None:  # asked once: of a hundred thousand labels the names cost more than the search
            self._names = [self._label(each).casefold() for each in self.tier.ids]
        return np.fromiter((text in each for each in self._names), np.bool_, len(self._names))

    # --- where things are ---------------------------------------------------------------------------------------

    def row_at(self, y: float, height_px: int) -> int:
        """The row under a place."""
        return min(max(int(y * self.tier.row_count / max(1, height_px)), 0), self.tier.row_count - 1)

    def row_rect(self, row: int, height_px: int) -> tuple[float, float]:
        """Top and height of a row in logical pixels."""
        each = height_px / max(1, self.tier.row_count)
        return row * each, each

    def item_rect(self, item: int, view: Viewport, height_px: int) -> QRectF:
        """Where an item is painted; an instant has the width of its mark."""
        top, each = self.row_rect(int(self.tier.items.rows[item]), height_px)
        left, right = view.x_of(int(self.tier.items.starts[item])), view.x_of(int(self.tier.items.ends[item]))
        if right - left < 2:
            left, right = left - 1, left + 2
        return QRectF(left, top, right - left, max(1.0, each - (1 if each >= 4 else 0)))

    # --- painting -----------------------------------------------------------------------------------------------

    def paint(self, look: Look) -> QImage:
        tier = self.tier
        if self._tables_for != (len(self._palette.paints), look.theme):
            self._tables_for, self._tables = (
                (len(self._palette.paints), look.theme),
                tables_of(self._palette, look.theme),
            )
        image = image_of(self._pixels.pixels(tier, self._sought, self._tables, look))
        painter = painter_on(image, look)
        if look.height_px / max(1, tier.row_count) >= _TEXT_ROW_PX:
            self._paint_labels(painter, look)
        painter.end()
        return image

    def _paint_labels(self, painter: QPainter, look: Look) -> None:
        items, view = self.tier.items, look.view
        part = items.visible(view)
        begin = np.maximum(view.columns(items.starts[part]), 0)
        end = np.minimum(view.columns(items.ends[part]), view.width_px)
        wide = np.flatnonzero(end - begin >= _LABEL_PX)
        if len(wide) > _MOST_LABELS:
            wide = np.sort(wide[np.argsort(begin[wide] - end[wide], kind="stable")[:_MOST_LABELS]])
        metrics = QFontMetricsF(painter.font())
        for at in wide.tolist():
            item = part.start + at
            if self._sought is not None and not self._sought[item]:
                continue
            top, each = self.row_rect(int(items.rows[item]), look.height_px)
            rect = QRectF(float(begin[at]) + 4, top, float(end[at] - begin[at]) - 6, each - 1)
            self._paint_label(painter, metrics, look, item, rect)

    def _paint_label(self, painter: QPainter, metrics: QFontMetricsF, look: Look, item: int, rect: QRectF) -> None:
        code = self.tier.items.codes[item]
        paint, standing = self._palette.paints[int(paints_in(code))], int(standings_in(code))
        on_colour = self.kind is not LaneKind.TRACKS and code == code_of(int(paints_in(code)), Style.FULL)
        ink = _ink_on(paint.colour) if on_colour else look.theme.ink
        painter.setPen(QColor(look.theme.quiet if standing == Standing.REJECTED else ink))
        name = self._label(self.tier.ids[item])
        if standing == Standing.PROPOSED and self._doubt is not None:
            said = self._doubt(self.tier.ids[item])
            if self.kind is LaneKind.TRACKS:
                name = f"{name} {said}"
            else:
                rect = _paint_at_end(painter, metrics, said, rect)
        if self._words is not None and self._paint_words(painter, metrics, look, item, rect):
            return
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, rect.width())
        if text and (self.kind is LaneKind.TRACKS or standing == Standing.REJECTED):
            box = QRectF(rect.left() - 1, rect.top() + 1, metrics.horizontalAdvance(text) + 4, rect.height() - 2)
            back = QColor(look.theme.panel)
            back.setAlpha(215)
            painter.fillRect(box, back)
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        if text and standing == Standing.REJECTED:
            end = min(rect.left() + metrics.horizontalAdvance(text), rect.right())
            painter.drawLine(QPointF(rect.left(), rect.center().y()), QPointF(end, rect.center().y()))

    def _paint_words(self, painter: QPainter, metrics: QFontMetricsF, look: Look, item: int, rect: QRectF) -> bool:
        """The words of a turn where they are said, if there is room for most of them."""
        assert self._words is not None
        words = list(self._words(self.tier.ids[item]))
        if not words:
            return False
        needed = sum(metrics.horizontalAdvance(text) + 5 for _, _, text in words)
        if needed > look.view.x_of(words[-1][1]) - look.view.x_of(words[0][0]):
            return False
        for start, end, text in words:
            left, right = look.view.x_of(start), look.view.x_of(end)
            if right < 0 or left > look.view.width_px:
                continue
            place = QRectF(left + 2, rect.top(), max(8.0, right - left + 6), rect.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
            painter.drawLine(QPointF(left, rect.top() + 2), QPointF(left, rect.top() + 4))
        return True

    def outlines(self, numbers: NDArray[np.intp], view: Viewport, height_px: int) -> list[QRectF]:
        """Where these items are painted, each place once and only what is in view."""
        items = self.tier.items
        begin, end = view.columns(items.starts[numbers]), view.columns(items.ends[numbers])
        seen = (end >= 0) & (begin <= view.width_px)
        numbers, begin, end = numbers[seen], begin[seen], end[seen]
        places = np.stack((items.rows[numbers].astype(np.int64), begin, end))
        _, kept = np.unique(places, axis=1, return_index=True)
        return [self.item_rect(int(numbers[i]), view, height_px) for i in kept[:_MOST_OUTLINES].tolist()]


def _paint_at_end(painter: QPainter, metrics: QFontMetricsF, said: str, rect: QRectF) -> QRectF:
    """How sure a proposal is, at its end, where room for its name is left; the room that is left."""
    wide = metrics.horizontalAdvance(said)
    if rect.width() < wide + _LABEL_PX + 4:
        return rect
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, said)
    return rect.adjusted(0, 0, -wide - 4, 0)


def _ink_on(colour: str) -> str:
    """Black or white, whichever reads better."""
    value = QColor(colour)
    light = 0.2126 * value.redF() ** 2.2 + 0.7152 * value.greenF() ** 2.2 + 0.0722 * value.blueF() ** 2.2
    return "#101216" if light > 0.18 else "#ffffff"
