"""A tier of the timeline: spans, turns, tracks and other labels in rows, reduced to pixels before anything is painted.

Keyframes are solid, what is interpolated is dashed, gaps are hatched, absence is dotted and said; proposals are light.
A class's pattern lies over its colour, so that nothing rests on colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter

from workstation.app.lanes import LaneKind, Palette, Style, Ticks, Tier, paints_in, styles_in
from workstation.app.span_columns import Int32s, Reduced, bars, rarest_last, reduce_bars
from workstation.app.viewport import Int64s, Viewport
from workstation.core.ontology import Pattern
from workstation.ui.scenes.lane_scene import Argb, LaneScene, Look, argb, image_of, mixed, painter_on
from workstation.ui.theme import DARK, Theme

ROW_PX = 18
_DENSE_PX = 72
_LABEL_PX = 22
_MOST_LABELS = 260
_MOST_OUTLINES = 2000
_TEXT_ROW_PX = 12
_PATTERNS = tuple(Pattern)
_NO_PATTERN = 0
_PATTERN_ROW_PX = 4
Tables = tuple[Argb, Argb, Int32s, Argb]


class TierScene(LaneScene):
    """``label`` names an item by id; ``words`` gives a turn's words with their session times."""

    def __init__(
        self,
        kind: LaneKind,
        tier: Tier,
        palette: Palette,
        label: Callable[[str], str],
        words: Callable[[str], Iterable[tuple[int, int, str]]] | None = None,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.tier = tier
        self._palette = palette
        self._label = label
        self._words = words
        self._tables_for: tuple[int, Theme | None] = (0, None)
        self._tables: Tables = _tables(palette, DARK)
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
        reduced = reduce_bars(tier.drawn, look.fine, tier.row_count)
        if self._tables_for != (len(self._palette.paints), look.theme):
            self._tables_for, self._tables = (len(self._palette.paints), look.theme), _tables(self._palette, look.theme)
        pixels = _pixels(tier, reduced, self._tables, look)
        _add_ticks(pixels, tier, self._tables, look)
        if self._sought is not None:
            pixels = _faded(_faded(pixels))
            found = _only(tier, self._sought)
            bright = _pixels(found, reduce_bars(found.drawn, look.fine, tier.row_count), self._tables, look)
            _add_ticks(bright, found, self._tables, look)
            np.copyto(pixels, bright, where=bright != 0)
        image = image_of(pixels)
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
        paint = self._palette.paints[int(self.tier.items.codes[item]) >> 3]
        style = int(self.tier.items.codes[item]) & 7
        on_colour = self.kind is not LaneKind.TRACKS and style == Style.FULL
        painter.setPen(QColor(_ink_on(paint.colour) if on_colour else look.theme.ink))
        if self._words is not None and self._paint_words(painter, metrics, look, item, rect):
            return
        text = metrics.elidedText(self._label(self.tier.ids[item]), Qt.TextElideMode.ElideRight, rect.width())
        if self.kind is LaneKind.TRACKS and text:
            box = QRectF(rect.left() - 1, rect.top() + 1, metrics.horizontalAdvance(text) + 4, rect.height() - 2)
            back = QColor(look.theme.panel)
            back.setAlpha(215)
            painter.fillRect(box, back)
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

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


def _ink_on(colour: str) -> str:
    """Black or white, whichever reads better."""
    value = QColor(colour)
    light = 0.2126 * value.redF() ** 2.2 + 0.7152 * value.greenF() ** 2.2 + 0.0722 * value.blueF() ** 2.2
    return "#101216" if light > 0.18 else "#ffffff"


def _pixels(tier: Tier, reduced: Reduced, tables: Tables, look: Look) -> Argb:
    """(height, width): the bars of every row with their patterns."""
    height, width = look.fine_height, look.fine.width_px
    if not tier.row_count or not len(tier.drawn):
        return np.zeros((height, width), np.uint32)
    some = reduced.index >= 0
    codes = np.where(some, tier.drawn.codes[np.maximum(reduced.index, 0)], 0)
    fills, edges, kinds, _ = tables
    flat = np.where(some, np.where(reduced.first, edges[codes], fills[codes]), np.uint32(0)).astype(np.uint32)
    each = height / tier.row_count
    y = np.arange(height)
    rows = np.minimum((y / each).astype(np.int64), tier.row_count - 1)
    inside = y - np.floor(rows * each).astype(np.int64)
    pixels = flat[rows]
    if each >= 4:
        pixels[np.diff(rows, append=tier.row_count) > 0] = 0
    drawn = np.zeros(len(kinds), np.bool_)
    drawn[codes[some]] = True
    present = sorted(set(kinds[drawn].tolist()))  # np.unique would import NumPy's masked arrays at every start
    phase = int(look.fine.start_ns / look.fine.ns_per_px) % 1024
    x = np.arange(phase, phase + width, dtype=np.int32)
    faded: Argb | None = None
    for kind in present:
        if kind == _NO_PATTERN:
            continue
        # A pattern is the same in every row: it is computed for one and looked up for all.
        if each < _PATTERN_ROW_PX:
            _thin(pixels, (some & (kinds[codes] == kind))[rows], int(kind))
            continue
        away = _erased(int(kind), x, np.arange(int(each) + 2), each)[inside]
        away &= (some & (kinds[codes] == kind))[rows]
        if kind >= 8:
            pixels[away] = 0
        else:
            faded = _faded(pixels) if faded is None else faded
            np.copyto(pixels, faded, where=away)
    return pixels


def _only(tier: Tier, sought: NDArray[np.bool_]) -> Tier:
    """What is drawn of some items; rows and numbers stay."""
    held, ticks = tier.drawn, tier.ticks
    bar, tick = sought[held.owners], sought[ticks.owners]
    drawn = bars(held.starts[bar], held.ends[bar], held.rows[bar], held.codes[bar], held.owners[bar], in_order=True)
    return replace(
        tier, drawn=drawn, ticks=Ticks(ticks.times[tick], ticks.rows[tick], ticks.codes[tick], ticks.owners[tick])
    )


def _tables(palette: Palette, theme: Theme) -> Tables:
    """Fill, left edge, kind of pattern and colour of a tick by code."""
    fills, edges, kinds, ticks = [], [], [], []
    for paint in palette.paints:
        for style in range(8):
            share = 0.34 if style in (Style.PROPOSED, Style.REJECTED) else 1.0
            colour = theme.missing if style in (Style.GAP, Style.ABSENT) else paint.colour
            ticks.append(argb(colour))
            fills.append(argb(colour, share * (0.92 if style == Style.FULL else 1.0)))
            edges.append(argb(mixed(colour, "#000000", 0.35)) if style != Style.INTERPOLATED else argb(colour))
            kinds.append(_PATTERNS.index(paint.pattern) if style in (Style.FULL, Style.PROPOSED) else 8 + style)
    return np.array(fills, np.uint32), np.array(edges, np.uint32), np.array(kinds, np.int32), np.array(ticks, np.uint32)


def _erased(kind: int, x: Int32s, y: NDArray[np.int64], each: float) -> NDArray[np.bool_]:
    """(height, width) or what broadcasts to it: the pixels of a row that a pattern takes lighter, or away."""
    column, row = x[None, :], y[:, None].astype(np.int32)
    taken: NDArray[np.bool_] = np.broadcast_to(_taken(kind, column, row, each), (len(y), len(x)))
    return taken


def _taken(kind: int, column: Int32s, row: Int32s, each: float) -> Any:
    if kind >= 8:
        style = kind - 8
        middle = (row >= each * 0.36) & (row < max(each * 0.36 + 1, each * 0.62))
        if style == Style.INTERPOLATED:
            return ~(middle & (column % 9 < 6))
        if style == Style.HELD:
            return ~middle
        if style == Style.GAP:
            return (column + row) % 5 >= 1
        if style == Style.ABSENT:
            return ~((column % 6 < 2) & middle)
        return ~((column - row) % 4 == 0)
    pattern = _PATTERNS[kind]
    if pattern is Pattern.DASHED:
        return (column % 12 >= 9) & (row >= 0)
    if pattern is Pattern.DOTTED:
        return (column % 5 < 2) & (row % 5 < 2)
    if pattern is Pattern.HATCHED:
        return (column + row) % 7 == 0
    return ((column + row) % 7 == 0) | ((column - row) % 7 == 0)


def _add_ticks(pixels: Argb, tier: Tier, tables: Tables, look: Look) -> None:
    """Keyframes and instants, solid and three pixels wide, hollow where they state an absence; all rows at once."""
    view, ratio = look.fine, round(max(1.0, look.ratio))
    first, last = tier.ticks.times.searchsorted([view.start_ns, view.end_ns])
    if first == last:
        return
    columns = view.columns(tier.ticks.times[first:last])
    rows, codes = tier.ticks.rows[first:last], tier.ticks.codes[first:last]
    each = look.fine_height / max(1, tier.row_count)
    y = np.arange(look.fine_height)
    row_of = np.minimum((y / each).astype(np.int64), tier.row_count - 1)
    inside = y - np.floor(row_of * each)
    inset = ratio if each >= 8 * ratio else 0
    tall = (inside >= inset) & (inside < max(1.0, each - inset - (ratio if each >= 4 else 0)))
    border = (inside < inset + ratio) | (inside >= each - inset - 2 * ratio)
    half = ratio + ratio // 2
    order = rarest_last(tier.ticks.codes, codes)  # a mark is broader than its moment: the rarest lies on top
    columns, rows, codes = columns[order], rows[order], codes[order]
    for hollow in (False, True):
        chosen = (styles_in(codes) == Style.ABSENT) == hollow
        if not chosen.any():
            continue
        on_top, middle = _on_top(columns[chosen], rows[chosen], (tier.row_count, view.width_px), half, half - ratio)
        shown = np.where(on_top >= 0, codes[chosen][np.maximum(on_top, 0)], -1)
        where = (shown >= 0)[row_of] & tall[:, None]
        if hollow:
            where &= border[:, None] | ~middle[row_of]
        colours = np.where(shown >= 0, tables[3][np.maximum(shown, 0)], np.uint32(0))
        np.copyto(pixels, colours[row_of], where=where)


def _on_top(
    columns: Int64s, rows: Int32s, size: tuple[int, int], half: int, inner: int
) -> tuple[Int32s, NDArray[np.bool_]]:
    """(rows, width) which of the ticks, the last of them on top, lies in each pixel, −1 for none; and whether it is
    its middle that does."""
    on_top = np.full(size, -1, np.int32)
    middle = np.zeros(size, np.bool_)
    numbers = np.arange(len(columns), dtype=np.int32)
    for step in range(-half, half + 1):
        at = columns + step
        fits = (at >= 0) & (at < size[1])
        here = np.full(size, -1, np.int32)
        here[rows[fits], at[fits]] = numbers[fits]
        above = here > on_top
        on_top[above] = here[above]
        middle[above] = abs(step) <= inner
    return on_top, middle


def _thin(pixels: Argb, where: NDArray[np.bool_], kind: int) -> None:
    """In rows too flat for a pattern: what is interpolated or held is faint beside its solid keyframes."""
    if kind in (8 + Style.INTERPOLATED, 8 + Style.HELD):
        np.copyto(pixels, _faded(_faded(pixels)), where=where)


def _faded(pixels: Argb) -> Argb:
    """Half of every part of every pixel: what a class's pattern leaves where it takes away."""
    return ((pixels >> np.uint32(1)) & np.uint32(0x7F7F7F7F)).astype(np.uint32)


def codes_shown(tier: Tier, palette: Palette) -> set[tuple[str, int]]:
    """Which colours and styles a tier holds: for legends and for tests."""
    codes = np.unique(tier.drawn.codes)
    pairs = zip(paints_in(codes).tolist(), styles_in(codes).tolist(), strict=True)
    return {(palette.paints[paint].colour, style) for paint, style in pairs}
