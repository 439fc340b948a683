"""What streams of items with times have in common: which item shows when, and the stream as it is measured.

Readers of this package and of plug-ins build on it, so that rate, span and gaps mean the same in every kind of stream.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS, FrameTable, TimeRange, frame_table
from workstation.media.base import Item, MediaInfo, OptionValue
from workstation.media.gaps import find_gaps, longest_shown_ns


class TimedItems:
    """The ``item`` and ``item_at`` of a ``TimedReader``; the class on top sets ``table``."""

    table: FrameTable

    def item(self, index: int) -> Item:
        """When the item shows; ``IndexError`` outside the table."""
        if not 0 <= index < len(self.table):
            raise IndexError(f"item {index} of {len(self.table)}")
        shown = self.table.shown(index)
        return Item(index, shown.start_ns, shown.end_ns)

    def item_at(self, time_ns: int) -> Item | None:
        """What shows at that stream time; ``None`` before the first, after the end and in a gap."""
        index = self.table.index_at(time_ns)
        return None if index is None else self.item(index)


def table_of_times(times_ns: NDArray[np.int64], *, hold_ns: int | None = None, paced: bool = False) -> FrameTable:
    """Items that show until the next one comes, or as long as their rhythm (or ``hold_ns``) says if one is missing."""
    hold = longest_shown_ns(times_ns, paced=paced) if hold_ns is None else hold_ns
    return frame_table(times_ns, unit_num=1, unit_den=SECOND_NS, hold_ns=hold)


def info_of_table(
    kind: StreamKind,
    table: FrameTable,
    *,
    clock_source: str,
    epoch_ns: int | None = None,
    details: Mapping[str, OptionValue] | None = None,
    notes: tuple[str, ...] = (),
) -> MediaInfo:
    """A stream of items that last, measured from their table."""
    return MediaInfo(
        kind=kind,
        span=table.span,
        count=len(table),
        rate_hz=table.rate_hz(),
        gaps=find_gaps(table),
        clock_source=clock_source,
        epoch_ns=epoch_ns,
        details=details or {},
        notes=notes,
    )


def info_of_rows(
    kind: StreamKind,
    times_ns: NDArray[np.int64],
    *,
    clock_source: str,
    epoch_ns: int | None = None,
    details: Mapping[str, OptionValue] | None = None,
    notes: tuple[str, ...] = (),
) -> MediaInfo:
    """A stream of readings, measured from their times. A reading is an instant: the span ends with the last one."""
    table = frame_table(times_ns, unit_num=1, unit_den=SECOND_NS)
    return MediaInfo(
        kind=kind,
        span=TimeRange(int(times_ns[0]), int(times_ns[-1])) if len(times_ns) else None,
        count=len(times_ns),
        rate_hz=table.rate_hz(),
        gaps=find_gaps(table),
        clock_source=clock_source,
        epoch_ns=epoch_ns,
        details=details or {},
        notes=notes,
    )
