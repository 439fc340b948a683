"""The bars and ticks of a tier as pixels, kept from one picture to the next. Held by ``tier_scene.py``.

A pan by whole pixels moves what is there and makes only the columns that came into view. They are counted from where
the first picture began, not from where the view begins now, so that a moved picture is the one a fresh painting makes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.app.lanes import Palette, Style, Ticks, Tier, styles_in
from workstation.app.span_columns import Int32s, bars, rarest_last, reduce_bars
from workstation.app.viewport import Int64s, Viewport
from workstation.core.ontology import Pattern
from workstation.ui.scenes.lane_scene import Argb, Look, argb, mixed
from workstation.ui.theme import Theme

_PATTERNS = tuple(Pattern)
_NO_PATTERN = 0
_PATTERN_ROW_PX = 4
_PATTERN_PERIOD = 1260
"""Pixels after which every pattern is where it was: a multiple of 4, 5, 6, 7, 9 and 12."""
_NEAR_PX = 1 / 16
"""A view that lies so near to whole pixels beside the kept one is shown from it."""
_MOST_MOVED = 1 << 24
Tables = tuple[Argb, Argb, Int32s, Argb]


@dataclass(frozen=True, slots=True)
class _Grid:
    """What decides the pixels besides the tier: columns are counted from the beginning of ``view``."""

    view: Viewport
    height: int
    ratio: int
    tables: Tables

    def fits(self, other: _Grid) -> bool:
        mine, its = self.view, other.view
        same_view = mine.duration_ns == its.duration_ns and mine.width_px == its.width_px
        same_size = self.height == other.height and self.ratio == other.ratio
        return same_view and same_size and self.tables is other.tables

    def steps_to(self, view: Viewport) -> int | None:
        """How many whole pixels further a view of the same scale begins."""
        away = (view.start_ns - self.view.start_ns) / self.view.ns_per_px
        steps = round(away)
        return steps if abs(away - steps) <= _NEAR_PX and abs(steps) < _MOST_MOVED else None


class TierPixels:
    """The pixels of one tier as they were asked for last."""

    def __init__(self) -> None:
        self._of: tuple[Tier, NDArray[np.bool_] | None] | None = None
        self._grid: _Grid | None = None
        self._moved = 0
        self._pixels: Argb = np.zeros((0, 0), np.uint32)
        self.columns_made = 0
        """How many columns were painted so far, for tests."""

    def pixels(self, tier: Tier, sought: NDArray[np.bool_] | None, tables: Tables, look: Look) -> Argb:
        """(height, width): bars and ticks; what is not sought is faint. Not to be written to."""
        grid = _Grid(look.fine, look.fine_height, round(max(1.0, look.ratio)), tables)
        steps = self._steps_to(grid) if self._of is not None and _same(self._of, (tier, sought)) else None
        if steps is None:
            self._of, self._grid, self._moved = (tier, sought), grid, 0
            self._pixels = self._made(0, look.fine.width_px)
        elif steps != self._moved:
            self._pixels, self._moved = self._moved_to(steps), steps
        return self._pixels

    def _steps_to(self, grid: _Grid) -> int | None:
        """Where the grid's view begins on the kept one, if it shows something of what is kept."""
        if self._grid is None or not self._grid.fits(grid):
            return None
        steps = self._grid.steps_to(grid.view)
        return steps if steps is not None and abs(steps - self._moved) < grid.view.width_px else None

    def _moved_to(self, steps: int) -> Argb:
        by, width = steps - self._moved, self._pixels.shape[1]
        if by > 0:
            return np.concatenate((self._pixels[:, by:], self._made(self._moved + width, steps + width)), axis=1)
        return np.concatenate((self._made(steps, self._moved), self._pixels[:, :by]), axis=1)

    def _made(self, first: int, last: int) -> Argb:
        """The pixels of some columns of the grid."""
        assert self._of is not None
        assert self._grid is not None
        (tier, sought), grid = self._of, self._grid
        self.columns_made += last - first
        made = _painted(tier, grid, (first, last))
        if sought is not None:
            made = _faded(_faded(made))
            bright = _painted(_only(tier, sought), grid, (first, last))
            np.copyto(made, bright, where=bright != 0)
        return made


def _same(one: tuple[object, object], other: tuple[object, object]) -> bool:
    return one[0] is other[0] and one[1] is other[1]


def _painted(tier: Tier, grid: _Grid, span: tuple[int, int]) -> Argb:
    pixels = _bars(tier, grid, span)
    _add_ticks(pixels, tier, grid, span)
    return pixels


def _bars(tier: Tier, grid: _Grid, span: tuple[int, int]) -> Argb:
    """(height, width): the bars of every row with their patterns."""
    height, width = grid.height, span[1] - span[0]
    if not tier.row_count or not len(tier.drawn):
        return np.zeros((height, width), np.uint32)
    reduced = reduce_bars(tier.drawn, grid.view, tier.row_count, span)
    some = reduced.index >= 0
    codes = np.where(some, tier.drawn.codes[np.maximum(reduced.index, 0)], 0)
    fills, edges, kinds, _ = grid.tables
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
    phase = (math.floor(grid.view.start_ns / grid.view.ns_per_px) + span[0]) % _PATTERN_PERIOD
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


def tables_of(palette: Palette, theme: Theme) -> Tables:
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


def _add_ticks(pixels: Argb, tier: Tier, grid: _Grid, span: tuple[int, int]) -> None:
    """Keyframes and instants, solid and three pixels wide, hollow where they state an absence; all rows at once."""
    view, ratio = grid.view, grid.ratio
    half = ratio + ratio // 2
    reach = (view.ns_at(span[0] - half - 1), view.ns_at(span[1] + half + 1))
    first, last = tier.ticks.times.searchsorted(reach)
    if first == last:
        return
    columns = view.columns(tier.ticks.times[first:last]) - span[0]
    rows, codes = tier.ticks.rows[first:last], tier.ticks.codes[first:last]
    each = grid.height / max(1, tier.row_count)
    y = np.arange(grid.height)
    row_of = np.minimum((y / each).astype(np.int64), tier.row_count - 1)
    inside = y - np.floor(row_of * each)
    inset = ratio if each >= 8 * ratio else 0
    tall = (inside >= inset) & (inside < max(1.0, each - inset - (ratio if each >= 4 else 0)))
    border = (inside < inset + ratio) | (inside >= each - inset - 2 * ratio)
    order = rarest_last(tier.ticks.codes, codes)  # a mark is broader than its moment: the rarest lies on top
    columns, rows, codes = columns[order], rows[order], codes[order]
    for hollow in (False, True):
        chosen = (styles_in(codes) == Style.ABSENT) == hollow
        if not chosen.any():
            continue
        on_top, middle = _on_top(columns[chosen], rows[chosen], (tier.row_count, span[1] - span[0]), half, half - ratio)
        shown = np.where(on_top >= 0, codes[chosen][np.maximum(on_top, 0)], -1)
        where = (shown >= 0)[row_of] & tall[:, None]
        if hollow:
            where &= border[:, None] | ~middle[row_of]
        colours = np.where(shown >= 0, grid.tables[3][np.maximum(shown, 0)], np.uint32(0))
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
