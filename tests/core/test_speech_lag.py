"""Where words are said to be against where it is loud; speech and pauses are made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.speech_lag import HOP_NS, late_spans, speech_lag

MS = 1_000_000


def spoken(rng: np.random.Generator, turns: int = 12, noise: float = 0.02) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Turns with pauses, and the loudness of a voice that swells inside them, over a room's noise."""
    at, spans = 3.2, []
    for _ in range(turns):
        length = float(rng.uniform(0.4, 2.5))
        spans.append((round(at * 1e9), round((at + length) * 1e9)))
        at += length + float(rng.uniform(0.3, 1.6))
    count = round((at + 4) * 1e9 / HOP_NS)
    loud = np.abs(rng.normal(noise, noise / 3, count))
    for begin, end in spans:
        first, last = begin // HOP_NS, end // HOP_NS
        loud[first:last] += 0.3 * (0.5 + 0.5 * np.abs(np.sin(np.arange(last - first) / 9))) * rng.uniform(0.7, 1)
    return spans, loud


@pytest.mark.parametrize("late_ms", [0, 600, -430, 90, 1500])
def test_a_transcript_that_is_late_is_told_with_an_interval_that_holds_the_truth(late_ms: int) -> None:
    held = 0
    for seed in range(12):
        spans, loud = spoken(np.random.default_rng(seed))
        found = speech_lag([(a + late_ms * MS, b + late_ms * MS) for a, b in spans], loud, 0)
        assert found is not None
        assert abs(found.late_ns - late_ms * MS) < 40 * MS
        assert found.clear == (late_ms != 0)
        held += abs(found.late_ns - late_ms * MS) <= found.half_width_ns
    assert held >= 11


def test_one_turn_that_is_late_among_others_is_named() -> None:
    spans, loud = spoken(np.random.default_rng(3))
    length = spans[5][1] - spans[5][0]
    gap = min(400 * MS, spans[6][0] - spans[5][1] - 40 * MS)
    moved = [*spans[:5], (spans[5][0] + gap, spans[5][0] + gap + length), *spans[6:]]
    found = late_spans(moved, loud, 0)
    assert found[5] == pytest.approx(gap, abs=60 * MS)
    assert all(each is None or abs(each) < 60 * MS for n, each in enumerate(found) if n != 5)


def test_what_cannot_be_told_is_not_told() -> None:
    spans, loud = spoken(np.random.default_rng(4))
    assert speech_lag(spans, np.zeros(3000), 0) is None  # silence
    assert speech_lag(spans, np.full(3000, 0.3), 0) is None  # no pauses
    assert speech_lag(spans[:2], loud, 0) is None
    assert speech_lag(spans, np.full(3000, np.nan), 0) is None
    beat = np.tile(np.repeat([0.3, 0.01], 50), 30)  # half a second on, half a second off: any second fits
    evenly = [(n * 1000 * MS, n * 1000 * MS + 500 * MS) for n in range(5, 25)]
    assert speech_lag(evenly, beat, 0) is None
    stranger, _ = spoken(np.random.default_rng(77))
    found = speech_lag(stranger, loud, 0)
    assert found is None or found.agreement < 0.6
    assert late_spans(spans, np.zeros(3000), 0) == (None,) * len(spans)


@given(start=st.integers(-(10**18), 10**18), seed=st.integers(0, 50))
def test_where_time_begins_does_not_matter(start: int, seed: int) -> None:
    spans, loud = spoken(np.random.default_rng(seed), turns=6)
    start = start // HOP_NS * HOP_NS
    here = speech_lag(spans, loud, 0)
    there = speech_lag([(a + start, b + start) for a, b in spans], loud, start)
    assert here == there
