"""Which of many things stand somehow to one: asked for each thing of a sentence by ``statement_match.py``.

Arrays instead of pairs: among 20,000 labels the question is put 20,000 times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from workstation.core.cuboid_rows import Rows
from workstation.core.rotation import Floats
from workstation.core.statement import Relation
from workstation.core.timerange import TimeRange

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]
_FAR_NS = 2**62
_SLACK_M = 1e-6


class InTime:
    """Stretches of time of many things, in the order of these."""

    def __init__(self, times: Iterable[Sequence[TimeRange]]) -> None:
        of_each = [list(each) for each in times]
        flat = [time for each in of_each for time in each]
        self._starts: Int64s = np.array([time.start_ns for time in flat], np.int64)
        self._ends: Int64s = np.array([time.end_ns for time in flat], np.int64)
        self._owners: Int64s = np.repeat(np.arange(len(of_each)), [len(each) for each in of_each])

    def standing(self, relation: Relation, time: TimeRange, amount_s: float) -> Int64s:
        """Which things (their numbers, rising, perhaps repeated) one stretch of time stands so to."""
        return self._owners[self._stands(relation, time, amount_s)]

    def _stands(self, relation: Relation, time: TimeRange, amount_s: float) -> Bools:
        starts, ends, start_ns, end_ns = self._starts, self._ends, time.start_ns, time.end_ns
        if relation is Relation.NEAR_IN_TIME:
            near_ns = int(min(amount_s * 1e9, float(_FAR_NS)))
            return (starts <= min(end_ns + near_ns, _FAR_NS)) & (ends >= max(start_ns - near_ns, -_FAR_NS))
        if relation is Relation.DURING:
            return (starts <= start_ns) & (ends >= end_ns)
        if relation is Relation.BEFORE:
            return starts >= end_ns
        if relation is Relation.AFTER:
            return ends <= start_ns
        inside = np.maximum(starts, start_ns) < np.minimum(ends, end_ns)
        if time.is_instant:
            inside |= (starts == start_ns) | ((starts <= start_ns) & (start_ns < ends))
        else:
            inside |= (starts == ends) & (starts >= start_ns) & (starts < end_ns)
        return inside


class InSpace:
    """Where many cuboids are as long as they are there: a box around all places of each."""

    def __init__(self, rows: Sequence[Rows]) -> None:
        self._roots = np.array([each.root for each in rows], dtype=object)
        self._first: Int64s = np.array([each.times_ns[0] for each in rows], np.int64)
        self._end: Int64s = np.array([each.end_ns for each in rows], np.int64)
        self._low: Floats = np.array([each.centers.min(0) for each in rows]).reshape(-1, 3)
        self._high: Floats = np.array([each.centers.max(0) for each in rows]).reshape(-1, 3)

    def near(self, root: str, times_ns: Int64s, places: Floats, amount_m: float) -> Int64s:
        """Which of them may be as near to one of these places (NaN is none) at its time; the others never are."""
        known = np.isfinite(places).all(1)
        if not known.any():
            return np.zeros(0, np.int64)
        times_ns, places = times_ns[known], places[known]
        there = (self._first <= times_ns.max()) & (self._end > times_ns.min())
        gap = np.maximum(self._low - places.max(0), places.min(0) - self._high)
        close = (np.maximum(gap, 0.0) ** 2).sum(1) <= (amount_m + _SLACK_M) ** 2
        return np.flatnonzero(there & close & (self._roots == root))
