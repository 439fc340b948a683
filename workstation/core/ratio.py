"""Whole numbers times a fraction, rounded once and exactly.

Time maps and frame tables turn nanoseconds and container ticks into each other with it.
Rounding is half up, ``floor(x + 1/2)``: it is monotone, and it does not depend on the sign of the distance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]

_FAST_TERM = 1 << 61
_FAST_PRODUCT = 1 << 110


def scale(value: int, num: int, den: int) -> int:
    """``value × num / den`` rounded half up, for any size of whole number; ``den`` is positive."""
    return (2 * value * num + den) // (2 * den)


def scale_array(values: Int64s, num: Int64s, den: Int64s) -> Int64s:
    """``scale`` of every element; shapes broadcast, every result must fit in int64.

    The product does not fit in 64 bits, so the quotient is guessed in floating point and put right with the
    remainder, which does fit although it is computed modulo 2**64. Where the guess could be too far off,
    Python's own whole numbers do the work: about thirty times slower, the same result.
    """
    if values.size == 0 or not num.any():  # an identity or an offset: nothing to scale
        return np.zeros(np.broadcast_shapes(values.shape, num.shape, den.shape), np.int64)
    if not _guess_is_close(values, num, den):
        columns = np.broadcast_arrays(values, num, den)
        flat = [scale(v, n, d) for v, n, d in zip(*(column.ravel().tolist() for column in columns), strict=True)]
        return np.array(flat, np.int64).reshape(columns[0].shape)
    guess = (values * (num / den)).astype(np.int64)
    with np.errstate(over="ignore"):  # wraps on purpose: only the small difference of the two products is used
        rest = values * num - guess * den
    step, rest = np.divmod(rest, den)
    quotient: Int64s = guess + step + (rest >= den - den // 2)
    return quotient


def _guess_is_close(values: Int64s, num: Int64s, den: Int64s) -> bool:
    """Whether the guessed quotient leaves a remainder that fits in 63 bits."""
    largest_value = max(-int(values.min()), int(values.max()))
    largest_num = max(-int(num.min()), int(num.max()))
    largest_den = int(den.max())
    largest_quotient = int(largest_value * float(np.abs(num / den).max())) + 1
    return (
        largest_num < _FAST_TERM
        and largest_den < _FAST_TERM
        and largest_quotient < _FAST_TERM
        and largest_quotient * largest_den < _FAST_PRODUCT
    )
