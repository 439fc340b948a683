"""Lengths at which Fourier transforms are quick."""

from __future__ import annotations

from scipy.fft import next_fast_len

from workstation.sync.transform import quick_length


def test_the_quick_lengths_are_those_of_scipy() -> None:
    asked = [*range(1, 3000), 10**6 + 7, 3**12 + 1, 5**8 + 1, 48_000 * 37]
    assert [quick_length(each) for each in asked] == [next_fast_len(each, real=True) for each in asked]
