"""Paths seen from above: true to metres, gaps that stay gaps, headings as the poses have them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.trajectory_view import Path, PlaneView, bar_length, length_in_words, path_of
from workstation.core.ids import IdSource, SampleId, StreamId
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import offset_map
from workstation.media.held import Origin, held_trajectory

MS = 1_000_000


def path(times_ms: list[int], places: list[tuple[float, float, float]], yaws: list[float] | None = None) -> Path:
    turns = np.full((len(times_ms), 4), np.nan)
    if yaws is not None:
        turns = np.array([(math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)) for yaw in yaws])
    reader = held_trajectory(
        ("world", "vehicle"), np.array(times_ms, np.int64) * MS, np.array(places, np.float64), turns,
        origin=Origin(paths=(), clock_source="test"),
    )  # fmt: skip
    ids = IdSource()
    stream = Stream(
        id=StreamId(ids.new()), sample=SampleId(ids.new()), key="ego", kind=StreamKind.TRAJECTORY,
        time_map=offset_map(5000 * MS),
    )  # fmt: skip
    found = path_of(stream, reader)
    assert found is not None
    return found


@given(
    st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.floats(0, 800), st.floats(0, 600),
    st.floats(0.1, 10),
)  # fmt: skip
def test_pixels_are_metres_and_zooming_keeps_what_is_under_the_pointer(
    x: float, y: float, scale: float, px: float, py: float, factor: float
) -> None:
    view = PlaneView(x, y, scale, 800.0, 600.0)
    at = np.array([view.to_m(px, py)])
    np.testing.assert_allclose(view.to_px(at)[0], (px, py), atol=1e-3)
    moved = view.to_px(at + np.array([[scale * 10, scale * 20]]))[0]
    np.testing.assert_allclose(moved, (px + 10, py - 20), atol=1e-3)  # y is up, both ways on one scale
    closer = view.zoomed(factor, px, py)
    np.testing.assert_allclose(closer.to_px(at)[0], (px, py), atol=1e-2)


def test_between_poses_one_moves_straight_and_turns_evenly_the_short_way() -> None:
    made = path([0, 100, 200], [(0, 0, 0), (1, 0, 0), (1, 1, 0)], [3.1, -3.1, -3.1])
    standing = made.at(5050 * MS)
    assert standing is not None
    assert standing.place_m == pytest.approx((0.5, 0.0, 0.0))
    assert standing.heading_rad is not None
    assert abs(abs(standing.heading_rad) - math.pi) < 1e-9
    assert standing.index == 0


def test_in_a_gap_nothing_is_anywhere() -> None:
    times = [*range(0, 1000, 100), *range(2000, 3000, 100)]
    places = [(float(i), 0.0, 0.0) for i in range(20)]
    places[4] = (math.nan, math.nan, math.nan)
    made = path(times, places)
    assert np.flatnonzero(made.starts).tolist() == [0, 4, 9]
    told = {at: made.at((5000 + at) * MS) for at in (-1, 0, 250, 299, 350, 420, 450, 500, 950, 1500, 1999, 2000, 2950)}
    shown = {at: None if found is None else round(found.place_m[0], 3) for at, found in told.items()}
    assert shown[-1] is None
    assert shown[250] == 2.5
    assert shown[350] == 3.0  # the last one before the gap holds for a step
    assert [shown[at] for at in (420, 450, 1500, 1999)] == [None] * 4
    assert (shown[500], shown[2000], shown[2950]) == (5.0, 10.0, 19.0)
    assert made.at(0) is None
    drawn = made.drawn(1e-9)
    assert drawn.tolist() == list(range(19))


@given(st.integers(2, 400), st.floats(0.001, 50), st.integers(0, 1_000_000))
def test_a_thinned_path_is_true_to_half_a_pixel(count: int, m_per_px: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = np.cumsum(rng.normal(0, 1, (count, 3)), axis=0)
    made = path([i * 100 for i in range(count)], [tuple(each) for each in places.tolist()])
    kept = made.drawn(m_per_px)
    assert kept[0] == 0
    assert kept[-1] == count - 1
    for first, last in zip(kept[:-1].tolist(), kept[1:].tolist(), strict=True):
        away = np.linalg.norm(places[first:last] - places[first], axis=1)
        assert away.max() <= m_per_px / 2 + 1e-9


def test_the_scale_bar_is_round_and_fits() -> None:
    assert bar_length(0.1, 140.0) == 10.0
    assert bar_length(0.03, 140.0) == 2.0
    assert [length_in_words(each) for each in (0.05, 2.0, 5000.0)] == ["5 cm", "2 m", "5 km"]


def test_a_path_without_a_place_is_none() -> None:
    reader = held_trajectory(
        ("world", "vehicle"), np.array([0, 1], np.int64), np.full((2, 3), np.nan), np.full((2, 4), np.nan),
        origin=Origin(paths=(), clock_source="test"),
    )  # fmt: skip
    ids = IdSource()
    stream = Stream(
        id=StreamId(ids.new()),
        sample=SampleId(ids.new()),
        key="ego",
        kind=StreamKind.TRAJECTORY,
        time_map=offset_map(0),
    )
    assert path_of(stream, reader) is None
