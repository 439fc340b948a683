"""How much later one signal shows what another shows: from the phase of what the two have in common.

Used by the estimators of sound, speech and motion. First the best whole sample by correlation, then the slope of the
phase over frequency, weighted by how much of every frequency the two share (their coherence). The same coherence says
how far the answer may be off, so that the uncertainty is measured and not assumed.

A positive delay: the second signal is late, it shows everything that much later than the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.sync.transform import irfft, quick_length, rfft

Floats = NDArray[np.floating[Any]]

SURE = 1.96
"""Half-widths are of 95 % intervals."""
_LEAST_SEGMENTS = 4
_OVERLAPPED = 0.53
"""Of how many independent segments those of a half-overlapping Hann window are worth, each."""
_CLEAR = 7.0
"""The highest of a million chance peaks stands five times above their root mean square."""
_ROUNDS = 3
_TINY = float(np.finfo(float).tiny)
_FLOOR = 1e-3
"""What is so much weaker than the strongest frequency is not lifted any further."""
_WHITEN = 0.7
"""0 leaves the spectrum as it is, 1 makes all frequencies count the same and lifts the noise between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """In seconds; ``strength`` is how far the peak stands above chance, in its root mean squares."""

    delay_s: float
    half_width_s: float
    strength: float

    @property
    def clear(self) -> bool:
        """Whether the two signals have anything in common at all."""
        return self.strength >= _CLEAR


def delay_between(
    first: Floats, second: Floats, rate_hz: float, *, most_s: float, whiten: float = _WHITEN, segment_s: float = 0.25
) -> Delay:
    """The delay of ``second`` against ``first``, which begin together and are sampled at ``rate_hz``.

    ``most_s`` bounds the search; ``segment_s`` is how much is taken at once to see which frequencies are shared.
    """
    for signal, name in ((first, "the first signal"), (second, "the second signal")):
        if signal.ndim != 1 or len(signal) < 8:
            raise DataError(f"{len(signal)} samples are too few to compare", place=name)
        if not np.isfinite(signal).all():
            raise DataError("holds values that are no numbers", place=name)
    first, second = first - first.mean(), second - second.mean()
    if not first.any() or not second.any():
        return Delay(delay_s=0.0, half_width_s=most_s, strength=0.0)
    lag, strength = _best_lag(first, second, max(1, round(most_s * rate_hz)), whiten)
    size = 1 << max(3, round(np.log2(max(segment_s * rate_hz, 8))))
    fine, half_width = _by_phase(first, second, lag, size)
    found = Delay(delay_s=(lag + fine) / rate_hz, half_width_s=half_width / rate_hz, strength=strength)
    return found if found.clear else Delay(delay_s=found.delay_s, half_width_s=most_s, strength=strength)


def _best_lag(first: Floats, second: Floats, most: int, whiten: float) -> tuple[int, float]:
    """The whole lag at which the two agree best, and how far that peak stands above the rest."""
    size = quick_length(len(first) + len(second))
    cross = np.conj(rfft(first, size)) * rfft(second, size)
    if whiten:
        level = np.abs(cross)
        cross /= np.maximum(level, _FLOOR * level.max()) ** whiten
    found = irfft(cross, size)
    most = min(most, size // 2 - 1)
    best = int(np.argmax(np.concatenate((found[-most:], found[: most + 1])))) - most
    # What chance makes is seen at all lags, also at those that are not asked about: smooth curves have few of them.
    wide = max(most, min(len(first), len(second)) // 2)
    chance = np.concatenate((found[-wide:], found[: wide + 1]))
    away = np.abs(np.arange(-wide, wide + 1) - best) > max(8, most // 3)
    noise = float(np.sqrt(np.mean(chance[away] ** 2))) if away.any() else 0.0
    strength = float(found[best]) / noise if noise > 0 else 0.0
    return best, strength


def _by_phase(first: Floats, second: Floats, lag: int, size: int) -> tuple[float, float]:
    """What is left beside the whole lag, and the half-width of its 95 % interval, both in samples."""
    a, b = _laid_over(first, second, lag)
    while size > 8 and len(a) < size * (_LEAST_SEGMENTS + 1) // 2:
        size //= 2
    window = np.hanning(size + 1)[:size]
    starts = np.arange(0, len(a) - size + 1, size // 2)
    if not len(starts):
        return 0.0, 0.5
    rows = starts[:, None] + np.arange(size)
    one, other = rfft(a[rows] * window), rfft(b[rows] * window)
    cross = (np.conj(one) * other).mean(0)[1:-1]
    power = (np.abs(one) ** 2).mean(0)[1:-1] * (np.abs(other) ** 2).mean(0)[1:-1]
    # A few loud segments among many quiet ones decide alone, and count for as many as they are.
    loud = np.sum(np.abs(one) * np.abs(other), 1)
    independent = max(1.0, _OVERLAPPED * float(loud.sum() ** 2 / max(float(loud @ loud), _TINY)))
    shared: Floats = np.asarray(np.abs(cross) ** 2 / np.maximum(power, _TINY), np.float64)
    # What chance alone makes of so few segments counts for nothing.
    shared = np.clip((shared - 1 / independent) / max(1 - 1 / independent, 1e-9), 0.0, 1 - 1e-6)
    shared[shared < 3 / independent] = 0.0
    # Far below the strongest frequency there is only what the window lets through of it, and that does not move.
    shared[power < (_FLOOR * power.max() ** 0.5) ** 2] = 0.0
    if not shared.any():
        return 0.0, 0.5
    weights = shared / (1 - shared)
    turns = 2 * np.pi * np.arange(1, size // 2) / size
    fine = 0.0
    for _ in range(_ROUNDS):
        phase = -np.angle(cross * np.exp(1j * turns * fine))
        fine += float((weights * turns) @ phase) / float((weights * turns) @ turns)
    left = -np.angle(cross * np.exp(1j * turns * fine))
    expected = 1 / (2 * independent * float((weights * turns) @ turns))
    # Where the phases scatter more than their coherence allows (echoes, a delay that moves), the scatter decides.
    scatter = float(np.sum(weights * left**2)) * 2 * independent
    excess = scatter / max(int(np.count_nonzero(weights)) - 1, 1)
    return fine, SURE * float(np.sqrt(expected * max(1.0, excess)))


def _laid_over(first: Floats, second: Floats, lag: int) -> tuple[Floats, Floats]:
    if lag >= 0:
        count = min(len(first), len(second) - lag)
        return first[: max(count, 0)], second[lag : lag + max(count, 0)]
    count = min(len(first) + lag, len(second))
    return first[-lag : -lag + max(count, 0)], second[: max(count, 0)]
