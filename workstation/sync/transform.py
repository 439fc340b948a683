"""Fourier transforms for the estimators: NumPy's own, at lengths that are quick.

``scipy.fft`` gives the same numbers as fast, but is half a second in the importing, which the first check of a sample
in the window would pay (``app/gyro_clock.py``).
"""

from __future__ import annotations

from numpy.fft import irfft, rfft

__all__ = ["irfft", "quick_length", "rfft"]


def quick_length(least: int) -> int:
    """The smallest product of twos, threes and fives that is at least so large."""
    best = 1 << max(0, least - 1).bit_length()
    fives = 1
    while fives < best:
        odd = fives
        while odd < best:
            best = min(best, odd << max(0, -(-least // odd) - 1).bit_length())
            odd *= 3
        fives *= 5
    return best
