"""To which moments a dragged boundary is drawn: frames, sweeps, sound onsets, other boundaries, the playhead.

The timeline asks for the nearest one within a few pixels; which one it was is shown beside the pointer.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from workstation.app.units import Units, nearest_unit
from workstation.app.viewport import Int64s
from workstation.core.values import dataclass

Floats = NDArray[np.float64]
_RISE = 2.5
_QUIET = 0.004


@dataclass(frozen=True, slots=True)
class Target:
    """A moment that draws, and what it is: ``frame 43``, ``onset``, ``end of horn``."""

    session_ns: int
    label: str


def nearest(session_ns: int, within_ns: int, targets: Iterable[Target | None]) -> Target | None:
    """The closest target within reach; the first named of two as close."""
    found: Target | None = None
    best = within_ns + 1
    for each in targets:
        if each is not None and abs(each.session_ns - session_ns) < best:
            found, best = each, abs(each.session_ns - session_ns)
    return found


def nearest_moment(times: Int64s, session_ns: int, label: str) -> Target | None:
    """The closest of sorted times."""
    if not len(times):
        return None
    at = int(times.searchsorted(session_ns))
    near = times[max(0, at - 1) : at + 1]
    return Target(int(near[int(np.argmin(np.abs(near - session_ns)))]), label)


def nearest_item(units: Units | None, session_ns: int) -> Target | None:
    """The closest frame, sweep or sample."""
    if units is None:
        return None
    index = nearest_unit(units, session_ns)
    return Target(units.session_ns(index), f"{units.name} {index}")


def onset_columns(rms: Floats) -> NDArray[np.intp]:
    """Where a sound sets in: columns whose loudness is well above that of the ones before. ``rms`` is (n,) 0 to 1."""
    if len(rms) < 4:
        return np.zeros(0, np.intp)
    sums = np.concatenate(([0.0], np.cumsum(rms)))
    at = np.arange(len(rms))
    begin = np.maximum(at - 8, 0)
    before = np.where(at > begin, (sums[at] - sums[begin]) / np.maximum(at - begin, 1), 0.0)
    rises = (rms > _RISE * before + _QUIET) & (rms > 2 * _QUIET)
    first = rises.copy()
    first[1:] &= ~rises[:-1]
    return np.flatnonzero(first)
