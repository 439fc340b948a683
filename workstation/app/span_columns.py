"""Spans reduced to pixel columns: a hundred thousand of them cost what the pixels cost, not what the spans cost.

The lanes of the timeline paint from it and pick from it. Bars lie in rows in which they do not overlap
(``packed_rows``); of two that share a pixel the narrow one shows, so that a short event is never swallowed, and of
several narrow ones the one of the rarest kind, so that a rare event is not lost in a solid band.
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from workstation.app.viewport import Int64s, Viewport
from workstation.core.values import dataclass

Int32s = NDArray[np.int32]
MOST_ROWS = 256
"""What overlaps more deeply than that shares the last row."""


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Intervals of session time in rows, by start. All arrays are (n,)."""

    starts: Int64s
    ends: Int64s
    rows: Int32s
    codes: Int32s
    """How each is painted: see ``lanes.code_of``."""
    owners: Int32s
    """Which item of the tier each belongs to."""
    reach: Int64s
    """The latest end so far, an instant taken as a nanosecond: where to begin looking for what reaches into a view."""

    def __len__(self) -> int:
        return len(self.starts)

    def visible(self, view: Viewport) -> slice:
        """The bars from the first that reaches into the view to the last that begins in it."""
        first = int(self.reach.searchsorted(view.start_ns, side="right"))
        return slice(first, max(first, int(self.starts.searchsorted(view.end_ns, side="left"))))


def bars(starts: Int64s, ends: Int64s, rows: Int32s, codes: Int32s, owners: Int32s, *, in_order: bool = False) -> Bars:
    """Sorted by start, then by end."""
    if not in_order:
        order = np.lexsort((ends, starts))
        starts, ends = starts[order], ends[order]
        rows, codes, owners = rows[order], codes[order], owners[order]
    return Bars(starts, ends, rows, codes, owners, np.maximum.accumulate(np.maximum(ends, starts + 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """What shows in each pixel of each row."""

    index: Int32s
    """(rows, width) which bar, −1 where there is none."""
    first: NDArray[np.bool_]
    """(rows, width) whether a bar of at least three pixels begins there."""


def reduce_bars(held: Bars, view: Viewport, row_count: int, span: tuple[int, int] | None = None) -> Reduced:
    """Which bar shows in each pixel column of each row.

    ``span`` names other columns than those in view, counted from its beginning; they come out as if all were asked.
    """
    at, width = (0, view.width_px) if span is None else (span[0], span[1] - span[0])
    reach = view if span is None else _around(view, span)
    part = held.visible(reach)
    index = np.full((row_count, width), -1, np.int32)
    first = np.zeros(index.shape, np.bool_)
    inside = np.flatnonzero(np.maximum(held.ends[part], held.starts[part] + 1) > reach.start_ns)
    if not len(inside) or not row_count:
        return Reduced(index, first)
    if len(inside) < part.stop - part.start:
        chosen = inside + part.start
        starts, ends, rows = held.starts[chosen], held.ends[chosen], held.rows[chosen]
        numbers = chosen.astype(np.int32)
    else:
        starts, ends, rows = held.starts[part], held.ends[part], held.rows[part]
        numbers = np.arange(part.start, part.stop, dtype=np.int32)
    begin, end = view.columns(starts) - at, view.columns(ends) - at
    broad = end > begin
    _fill_broad(index, begin, end, rows, numbers, broad)
    wide = broad & (end - begin >= 3) & (begin >= 0) & (begin < width)
    first[rows[wide], begin[wide]] = True
    narrow = np.flatnonzero(~broad & (begin >= 0) & (begin < width))
    narrow = narrow[rarest_last(held.codes, held.codes[numbers[narrow]])]
    index[rows[narrow], begin[narrow]] = numbers[narrow]  # of several the last one stays
    return Reduced(index, first)


def _around(view: Viewport, span: tuple[int, int]) -> Viewport:
    """The columns and one more on either side, where rounding may have put a bar's beginning or end."""
    start_ns, end_ns = view.ns_at(span[0] - 1), view.ns_at(span[1] + 1)
    return Viewport(start_ns, max(1, end_ns - start_ns), span[1] - span[0] + 2)


def rarest_last(everything: Int32s, codes: Int32s) -> Int64s:
    """The order that puts the codes that are rare in ``everything`` last; of equally rare ones the order stays.

    Rare is what is rare in the whole lane, not in the view, so that a pan changes nothing. (n,) positions.
    """
    counts = np.bincount(everything) if len(codes) else np.zeros(0, np.int64)
    if np.count_nonzero(counts) < 2:
        return np.arange(len(codes), dtype=np.int64)
    ranks = len(counts) - np.sort(counts).searchsorted(counts, side="right")
    small = np.minimum(ranks, np.iinfo(np.uint16).max).astype(np.uint16)  # sorted by digits, ten times as fast
    order: Int64s = np.argsort(small[codes], kind="stable").astype(np.int64)
    return order


def _fill_broad(
    index: Int32s, begin: Int64s, end: Int64s, rows: Int32s, numbers: Int32s, broad: NDArray[np.bool_]
) -> None:
    """Each bar from its first column to before its last: the one that began last, as far as it reaches."""
    width = index.shape[1]
    if not broad.any():
        return
    begin, end, rows, numbers = begin[broad], end[broad], rows[broad], numbers[broad]
    reaches = (end > 0) & (begin < width)
    begin, end, rows, numbers = np.maximum(begin[reaches], 0), end[reaches], rows[reaches], numbers[reaches]
    if not len(begin):
        return
    index[rows, begin] = numbers
    np.maximum.accumulate(index, axis=1, out=index)
    base = int(numbers[0])
    ends = np.zeros(int(numbers[-1]) - base + 1, np.int64)
    ends[numbers - base] = end
    over = ends[np.maximum(index - base, 0)] <= np.arange(width)
    index[over] = -1


def packed_rows(starts: Int64s, ends: Int64s) -> tuple[Int32s, int]:
    """The lowest row that is free for each interval (by start), and how many rows that takes, at most ``MOST_ROWS``.

    An instant takes its place like an interval of a nanosecond.
    """
    rows = np.zeros(len(starts), np.int32)
    if len(starts) < 2 or bool((starts[1:] >= np.maximum.accumulate(np.maximum(ends, starts + 1))[:-1]).all()):
        return rows, 1
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    count = 0
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            row = heapq.heappop(free)
        elif count < MOST_ROWS:
            row, count = count, count + 1
        else:
            row = MOST_ROWS - 1
            rows[i] = row
            continue
        rows[i] = row
        heapq.heappush(busy, (max(end, start + 1), row))
    return rows, max(1, count)


def free_row(held: Bars, start_ns: int, end_ns: int, wanted: int | None, row_count: int) -> int:
    """A row where nothing lies between two times: the wanted one if it is free, else the lowest."""
    end_ns = max(end_ns, start_ns + 1)
    overlapping = (held.starts < end_ns) & (np.maximum(held.ends, held.starts + 1) > start_ns)
    taken = set(held.rows[overlapping].tolist())
    if wanted is not None and wanted not in taken:
        return wanted
    return min(next(row for row in range(row_count + 1) if row not in taken), MOST_ROWS - 1)
