"""Whole numbers times a fraction: the array path equals Python's own whole numbers, also where the guess is far off."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from workstation.core.ratio import scale, scale_array

BIG = 1 << 62


@given(st.integers(-(10**30), 10**30), st.integers(-(10**20), 10**20), st.integers(1, 10**20))
def test_one_value_is_rounded_half_up(value: int, num: int, den: int) -> None:
    assert scale(value, num, den) == floor(Fraction(value * num, den) + Fraction(1, 2))


@given(
    st.lists(st.integers(-BIG, BIG), min_size=1, max_size=20),
    st.integers(-BIG, BIG),
    st.integers(1, BIG),
)
@example([1, -1, 3, -3], 1, 2)
@example([BIG, -BIG], BIG - 1, BIG)
@example([10**13, -(10**13)], 50_000_001, 10**13 + 7)
def test_arrays_equal_single_values(values: list[int], num: int, den: int) -> None:
    expected = [scale(value, num, den) for value in values]
    fitting = [(v, e) for v, e in zip(values, expected, strict=True) if abs(e) < 1 << 63]
    got = scale_array(np.array([v for v, _ in fitting], np.int64), np.array([num]), np.array([den]))
    assert got.tolist() == [e for _, e in fitting]


@given(
    st.lists(st.tuples(st.integers(-BIG, BIG), st.integers(-(10**9), 10**9), st.integers(10**9, 10**14)), min_size=1)
)
def test_each_element_may_have_its_own_fraction(rows: list[tuple[int, int, int]]) -> None:
    values, num, den = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    assert scale_array(values, num, den).tolist() == [scale(*row) for row in rows]
