"""Labels over a strip of sound or series, however many there are: which are told apart and drawn one by one, and what
all of them look like as columns. Asked by ``base_strips.py``.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from workstation.app.lanes import Palette, Ticks, Tier, paints_in
from workstation.app.span_columns import Bars, bars, rarest_last, reduce_bars
from workstation.app.viewport import Int64s, Viewport
from workstation.ui.scenes.lane_scene import Argb, argb

MOST_TOLD_APART = 400
"""So many labels at most are drawn one by one over a strip."""
_TINT, _INSTANT_TINT = 0.14, 0.6
_BAND_SHARE = 0.25
"""Instants of one kind in more of the columns than that are a band, behind which the curve must be seen."""


def told_apart(tier: Tier, view: Viewport, chosen: Collection[str]) -> list[str]:
    """Ids of the labels in view that are drawn one by one: all, or the broadest and those that are selected."""
    numbers = _in_view(tier.items, view)
    if len(numbers) > MOST_TOLD_APART:
        lengths = tier.items.ends[numbers] - tier.items.starts[numbers]
        kept = numbers[np.argsort(-lengths, kind="stable")[:MOST_TOLD_APART]]
        kept = kept[tier.items.ends[kept] - tier.items.starts[kept] >= view.distance_ns(3)]
        picked = [tier.numbers[each] for each in chosen if each in tier.numbers]
        numbers = np.array(sorted({*kept.tolist(), *picked}), np.int64)
    return [tier.ids[number] for number in numbers.tolist()]


def crowded(tier: Tier, palette: Palette, view: Viewport) -> Argb | None:
    """(width,) every label in view as a tint of its columns, instants on top and stronger while they are few,
    the rarest kind where several lie in one; ``None`` where all are told apart."""
    numbers = _in_view(tier.items, view)
    if len(numbers) <= MOST_TOLD_APART:
        return None
    held = tier.items
    reduced = reduce_bars(held, view, tier.row_count).index
    codes = np.where(reduced >= 0, held.codes[np.maximum(reduced, 0)], -1)
    counts = np.bincount(held.codes)
    seldom = np.where(codes >= 0, counts[np.maximum(codes, 0)], np.iinfo(np.int64).max)
    best = np.argmin(seldom, axis=0)
    shown = codes[best, np.arange(view.width_px)]
    tints = np.array([argb(each.colour, _TINT) for each in palette.paints], np.uint32)
    row = np.where(shown >= 0, tints[paints_in(np.maximum(shown, 0))], np.uint32(0)).astype(np.uint32)
    _instants(row, tier.ticks, palette, view)
    return row


def _instants(row: Argb, ticks: Ticks, palette: Palette, view: Viewport) -> None:
    first, last = ticks.times.searchsorted([view.start_ns, view.end_ns])
    codes = ticks.codes[first:last]
    order = rarest_last(ticks.codes, codes)
    columns = view.columns(ticks.times[first:last])[order]
    inside = (columns >= 0) & (columns < view.width_px)
    paints = paints_in(codes[order][inside])
    shown = np.full(view.width_px, -1, np.int64)
    shown[columns[inside]] = paints
    wide = np.bincount(shown[shown >= 0], minlength=len(palette.paints)) > _BAND_SHARE * view.width_px
    tints = np.array([argb(each.colour, _TINT if band else _INSTANT_TINT)
                      for each, band in zip(palette.paints, wide.tolist(), strict=True)], np.uint32)  # fmt: skip
    row[shown >= 0] = tints[shown[shown >= 0]]


def reaching(tier: Tier, start_ns: int, end_ns: int) -> list[str]:
    """Ids of the labels that reach into a stretch of time."""
    held = tier.items
    first = int(held.reach.searchsorted(start_ns, side="right"))
    last = int(held.starts.searchsorted(end_ns, side="left"))
    part = slice(first, max(first, last))
    inside = np.flatnonzero(np.maximum(held.ends[part], held.starts[part] + 1) > start_ns)
    return [tier.ids[first + each] for each in inside.tolist()]


def part_of(tier: Tier, mine: NDArray[np.bool_]) -> Tier:
    """Some of the labels of a tier of spans, in their rows."""
    if mine.all():
        return tier
    held, ids = tier.items, tuple(each for each, kept in zip(tier.ids, mine.tolist(), strict=True) if kept)
    owners = np.arange(len(ids), dtype=np.int32)
    items = bars(held.starts[mine], held.ends[mine], held.rows[mine], held.codes[mine], owners, in_order=True)
    tick = mine[tier.ticks.owners]
    numbered = np.cumsum(mine).astype(np.int32) - 1
    ticks = Ticks(
        tier.ticks.times[tick], tier.ticks.rows[tick], tier.ticks.codes[tick], numbered[tier.ticks.owners[tick]]
    )
    return Tier(ids, items, items, ticks, tier.row_count, {each: i for i, each in enumerate(ids)})


def _in_view(held: Bars, view: Viewport) -> Int64s:
    """Numbers of the bars that reach into the view."""
    part = held.visible(view)
    inside = np.flatnonzero(np.maximum(held.ends[part], held.starts[part] + 1) > view.start_ns)
    numbers: Int64s = inside + part.start
    return numbers
