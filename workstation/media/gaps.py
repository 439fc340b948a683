"""Where a stream misses items, judged by its own rhythm. Used by readers for ``MediaInfo.gaps`` and for how long an
item of a stream without durations is shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workstation.core.timebase import FrameTable, TimeRange

_REGULAR_SHARE = 0.9
_REGULAR_WITHIN = 0.25
_MISSING_STEPS = 1.75
_IRREGULAR_STEPS = 10


def longest_step_ns(times_ns: NDArray[np.int64]) -> int | None:
    """The longest step in which nothing is missing; ``None`` for fewer than three times.

    A stream is regular if nine steps of ten lie within a quarter of the typical one: then a step of 1.75 has lost an
    item. In an irregular one (a screen recording) a long step is normal; only ten times the typical one is a gap.
    """
    steps = np.diff(times_ns)
    steps = steps[steps > 0]
    if len(steps) < 2:
        return None
    typical = float(np.median(steps))
    regular = np.mean(np.abs(steps - typical) <= _REGULAR_WITHIN * typical) >= _REGULAR_SHARE
    return int(typical * (_MISSING_STEPS if regular else _IRREGULAR_STEPS))


def longest_shown_ns(times_ns: NDArray[np.int64]) -> int | None:
    """How long an item without a duration shows at most: the longest step in which nothing is missing.

    So jitter leaves no blanks, and where an item is missing nothing shows in its place.
    """
    limit = longest_step_ns(times_ns)
    steps = np.diff(times_ns)
    kept = steps[(steps > 0) & (steps <= limit)] if limit is not None else steps[:0]
    return int(kept.max()) if len(kept) else None


def find_gaps(table: FrameTable) -> tuple[TimeRange, ...]:
    """The steps in which at least one item is missing."""
    limit = longest_step_ns(table.times_ns)
    return () if limit is None else table.gaps(longer_than_ns=limit)
