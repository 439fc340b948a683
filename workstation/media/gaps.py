"""Where a stream misses items, judged by its own rhythm. Used by ``items.py``, and by readers for how long an item
of a stream without durations is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workstation.core.timebase import FrameTable, TimeRange

_REGULAR_SHARE = 0.9
_REGULAR_WITHIN = 0.25
_MISSING_STEPS = 1.75
_IRREGULAR_STEPS = 10


def longest_step_ns(times_ns: NDArray[np.int64], *, paced: bool = False) -> int | None:
    """The longest step in which nothing is missing; ``None`` for fewer than three times.

    A stream is regular if nine steps of ten lie within a quarter of the typical one: then a step of 1.75 has lost an
    item. In an irregular one (a screen recording) a long step is normal; only ten times the typical one is a gap.
    A sensor that turns or fires at its own pace is ``paced``: however many of its items are missing, it is regular.
    """
    steps = np.diff(times_ns)
    steps = steps[steps > 0]
    if len(steps) < 2:
        return None
    typical = float(np.median(steps))
    regular = paced or np.mean(np.abs(steps - typical) <= _REGULAR_WITHIN * typical) >= _REGULAR_SHARE
    return int(typical * (_MISSING_STEPS if regular else _IRREGULAR_STEPS))


def longest_shown_ns(times_ns: NDArray[np.int64], *, paced: bool = False) -> int | None:
    """How long an item without a duration shows at most: the longest step in which nothing is missing.

    So jitter leaves no blanks, and where an item is missing nothing shows in its place.
    """
    limit = longest_step_ns(times_ns, paced=paced)
    steps = np.diff(times_ns)
    kept = steps[(steps > 0) & (steps <= limit)] if limit is not None else steps[:0]
    return int(kept.max()) if len(kept) else None


def hold_of(listed_ns: Sequence[int]) -> int | None:
    """How long each item of a sensor shows at most, from all times its data set lists, those without a file too."""
    return longest_shown_ns(np.array(sorted(listed_ns), np.int64), paced=True)


def find_gaps(table: FrameTable) -> tuple[TimeRange, ...]:
    """The steps in which at least one item is missing; where the table says how long an item shows, longer ones."""
    limit = longest_step_ns(table.times_ns) if table.hold_ns is None else table.hold_ns
    return () if limit is None else table.gaps(longer_than_ns=limit)
