"""What estimators read: a signal of even samples that can be asked for any stretch, so that hours need not be held.

Made by ``app/sync_signals.py`` from readers, and from arrays by ``ArraySignal``. Times are a stream's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


class Signal(Protocol):
    """Even samples; sample ``i`` stands at ``start_ns + i / rate_hz``."""

    @property
    def rate_hz(self) -> float: ...

    @property
    def start_ns(self) -> int: ...

    @property
    def count(self) -> int: ...

    def read(self, first: int, count: int) -> Floats:
        """(count,) float64; zero outside the recording."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ArraySignal:
    """Samples that are in memory."""

    samples: Floats
    rate_hz: float
    start_ns: int = 0

    @property
    def count(self) -> int:
        return len(self.samples)

    def read(self, first: int, count: int) -> Floats:
        found = np.zeros(count)
        begin, end = max(first, 0), min(first + count, len(self.samples))
        if begin < end:
            found[begin - first : end - first] = self.samples[begin:end]
        return found


def resampled(signal: Signal, from_ns: float, rate_hz: float, count: int) -> Floats:
    """(count,) values at ``from_ns + i / rate_hz``, between samples by a cubic through four of them."""
    step = signal.rate_hz / rate_hz
    at = (from_ns - signal.start_ns) * signal.rate_hz * 1e-9 + np.arange(count) * step
    first = int(np.floor(at[0])) - 1
    held = signal.read(first, int(np.floor(at[-1])) - first + 4)
    whole = np.floor(at).astype(np.int64)
    part = at - whole
    index = whole - first
    before, here, after, beyond = held[index - 1], held[index], held[index + 1], held[index + 2]
    slope, far_slope = (after - before) / 2, (beyond - here) / 2
    rise = after - here
    found: Floats = here + part * (
        slope + part * (3 * rise - 2 * slope - far_slope + part * (slope + far_slope - 2 * rise))
    )
    return found
