"""The bars and ticks of a tier as pixels, kept from one picture to the next. Held by ``tier_scene.py``.

A pan by whole pixels moves what is there and makes only the columns that came into view. They are counted from where
the first picture began, not from where the view begins now, so that a moved picture is the one a fresh painting makes.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.app.lanes import CODES_A_PAINT, Palette, Standing, Style, Ticks, Tier, standings_in, styles_in
from workstation.app.span_columns import Int32s, bars, rarest_last, reduce_bars
from workstation.app.viewport import Int64s, Viewport
from workstation.core.ontology import Pattern
from workstation.core.values import dataclass
from workstation.ui.scenes.lane_scene import Argb, Look, argb, mixed
from workstation.ui.theme import Theme

_PATTERNS = tuple(Pattern)
_NO_PATTERN = 0
_STYLED = 8
"""A kind of pattern from here on is a style's, below it a class's; to either a standing is added."""
_STANDING = 16
_GONE, _QUARTER, _HALF, _WHOLE = range(4)
"""How much of a pixel a pattern leaves."""
_PATTERN_ROW_PX = 4
_PATTERN_PERIOD = 2520
"""Pixels after which every pattern is where it was: a multiple of 5, 6, 7, 8, 9 and 12."""
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
    for kind in present:
        if kind == _NO_PATTERN:
            continue
        # A pattern is the same in every row: it is computed for one and looked up for all.
        where = (some & (kinds[codes] == kind))[rows]
        if each < _PATTERN_ROW_PX:
            _thin(pixels, where, int(kind))
            continue
        left = _left(int(kind), x, np.arange(int(each) + 2), each)
        for share in (_GONE, _QUARTER, _HALF):
            if (left == share).any():
                np.copyto(pixels, _shared(pixels, share), where=where & (left == share)[inside])
        if kind // _STANDING == Standing.PROPOSED:
            begun = where & reduced.first[rows] & (inside < math.floor(each) - 1)[:, None]
            np.copyto(pixels, edges[codes][rows], where=begun)
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
    codes = np.arange(CODES_A_PAINT, dtype=np.int32)
    style, standing = styles_in(codes), standings_in(codes)
    missing = (style == Style.GAP) | (style == Style.ABSENT)
    sure, rejected, full = standing == Standing.SURE, standing == Standing.REJECTED, style == Style.FULL
    size = (len(palette.paints), CODES_A_PAINT)
    fills, edges, ticks = (np.empty(size, np.uint32) for _ in range(3))
    kinds = np.empty(size, np.int32)
    for at, paint in enumerate(palette.paints):
        whole = np.where(missing, np.uint32(argb(theme.missing)), np.uint32(argb(paint.colour)))
        dark = np.where(
            missing, argb(mixed(theme.missing, "#000000", 0.35)), argb(mixed(paint.colour, "#000000", 0.35))
        )
        fills[at] = np.where(full & sure, argb(paint.colour, 0.92), whole)
        edges[at] = np.where(sure & (style != Style.INTERPOLATED), dark, whole)
        ticks[at] = np.where(rejected, _faded(whole), whole)
        kinds[at] = np.where(full, _PATTERNS.index(paint.pattern), _STYLED + style) + _STANDING * standing
    return fills.ravel(), edges.ravel(), kinds.ravel(), ticks.ravel()


def _shades(colour: str) -> tuple[int, int]:
    return argb(colour), argb(mixed(colour, "#000000", 0.35))


def _left(kind: int, x: Int32s, y: NDArray[np.int64], each: float) -> NDArray[np.uint8]:
    """(height, width): how much of the pixels of a row its pattern leaves.

    What is proposed is pale in a dashed frame; what is rejected is hardly there and struck through.
    """
    column, row = x[None, :], y[:, None].astype(np.int32)
    standing, kind = divmod(kind, _STANDING)
    taken = np.broadcast_to(_taken(kind, column, row, each), (len(y), len(x)))
    plain = np.where(taken, _GONE if kind >= _STYLED else _HALF, _WHOLE)
    if standing == Standing.SURE:
        return plain.astype(np.uint8)
    pale = np.where(plain == _WHOLE, _HALF if kind >= _STYLED else _QUARTER, _GONE)
    line = max(1, round(each / 18))
    if standing == Standing.REJECTED:
        struck = abs(row - int(each) // 2) < line
        return np.where(struck, _WHOLE, np.where((column - row) % 8 < 2, pale, _GONE)).astype(np.uint8)
    framed = (row < line) | ((row >= math.floor(each) - 1 - line) & (row < math.floor(each) - 1))
    return np.where(framed, np.where(column % 7 < 4, _WHOLE, _GONE), pale).astype(np.uint8)


def _shared(pixels: Argb, share: int) -> Argb:
    if share == _GONE:
        return np.zeros((1, 1), np.uint32)
    return _faded(pixels) if share == _HALF else _faded(_faded(pixels))


def _taken(kind: int, column: Int32s, row: Int32s, each: float) -> Any:
    """The pixels that a class's pattern takes lighter, or a style's away."""
    if kind >= _STYLED:
        style = kind - _STYLED
        middle = (row >= each * 0.36) & (row < max(each * 0.36 + 1, each * 0.62))
        if style == Style.INTERPOLATED:
            return ~(middle & (column % 9 < 6))
        if style == Style.HELD:
            return ~middle
        if style == Style.GAP:
            return (column + row) % 5 >= 1
        return ~((column % 6 < 2) & middle)
    pattern = _PATTERNS[kind]
    if pattern is Pattern.SOLID:
        return row < 0
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
    """In rows too flat for a pattern: what is interpolated, held, proposed or rejected is faint beside the rest."""
    standing, kind = divmod(kind, _STANDING)
    if standing != Standing.SURE or kind in (_STYLED + Style.INTERPOLATED, _STYLED + Style.HELD):
        np.copyto(pixels, _shared(pixels, _QUARTER), where=where)


def _faded(pixels: Argb) -> Argb:
    """Half of every part of every pixel: what a class's pattern leaves where it takes away."""
    return ((pixels >> np.uint32(1)) & np.uint32(0x7F7F7F7F)).astype(np.uint32)
