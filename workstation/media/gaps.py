"""Where a stream misses items, judged by its own rhythm. Used by readers for ``MediaInfo.gaps``."""

from __future__ import annotations

import numpy as np

from workstation.core.timebase import FrameTable, TimeRange

_REGULAR_SHARE = 0.9
_REGULAR_WITHIN = 0.25
_MISSING_STEPS = 1.75
_IRREGULAR_STEPS = 10


def find_gaps(table: FrameTable) -> tuple[TimeRange, ...]:
    """The steps in which at least one item is missing.

    A stream is regular if nine steps of ten lie within a quarter of the typical one: then a step of 1.75 has lost an
    item. In an irregular one (a screen recording) a long step is normal; only ten times the typical one is a gap.
    """
    steps = np.diff(table.times_ns)
    steps = steps[steps > 0]
    if len(steps) < 2:
        return ()
    typical = float(np.median(steps))
    regular = np.mean(np.abs(steps - typical) <= _REGULAR_WITHIN * typical) >= _REGULAR_SHARE
    limit = typical * (_MISSING_STEPS if regular else _IRREGULAR_STEPS)
    return table.gaps(longer_than_ns=int(limit))
