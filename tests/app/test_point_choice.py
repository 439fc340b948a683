"""Which points a ring, a box or growing means, against shapely and against laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shapely.geometry import Point, Polygon

from workstation.app.point_choice import Way, combined, grown, in_front_within, in_ring, rows_of_blob
from workstation.core.errors import UserError

PIXEL = st.tuples(st.floats(0, 100), st.floats(0, 100))


@example([(0.0, 0.0), (0.0, 1.0), (2.0, 2.2250738585e-313)], np.ones((20, 2)))  # an edge as good as level
@given(st.lists(PIXEL, min_size=3, max_size=9), arrays(np.float64, (20, 2), elements=st.floats(-20, 120)))
def test_inside_a_ring_is_what_shapely_says(ring: list[tuple[float, float]], px: np.ndarray) -> None:
    polygon = Polygon(ring)
    if not polygon.is_valid or polygon.area < 1:
        return
    found = in_ring(px, ring)
    for each, inside in zip(px.tolist(), found.tolist(), strict=True):
        if polygon.exterior.distance(Point(each)) > 1e-6:
            assert inside == polygon.contains(Point(each))


def test_nothing_is_inside_no_ring_and_what_has_no_picture_is_outside() -> None:
    px = np.array([[5.0, 5.0], [np.nan, np.nan]])
    assert not in_ring(px, [(0, 0), (10, 10)]).any()
    assert in_ring(px, [(0, 0), (10, 0), (10, 10), (0, 10)]).tolist() == [True, False]


def test_what_stands_behind_is_left_out() -> None:
    depth = np.array([10.0, 10.2, 10.9, 11.6, 20.0, 20.1, 5.0])
    chosen = np.array([True, True, True, True, True, True, False])
    assert in_front_within(depth, chosen, behind_m=8, gap_m=1.5).tolist() == [True] * 4 + [False] * 3
    assert in_front_within(depth, chosen, behind_m=1, gap_m=1.5).tolist() == [True] * 3 + [False] * 4
    assert not in_front_within(depth, np.zeros(7, bool), behind_m=1, gap_m=1).any()


def test_growing_goes_from_point_to_point_and_no_farther() -> None:
    line = np.column_stack([np.arange(0, 10, 0.3), np.zeros(34), np.zeros(34)]).astype(np.float32)
    apart = line + np.array((0, 2, 0), np.float32)
    points = np.concatenate([line, apart])
    assert np.flatnonzero(grown(points, 3, link_m=0.5, most_m=50)).tolist() == list(range(34))
    assert grown(points, 3, link_m=0.5, most_m=3).sum() == 14
    assert np.flatnonzero(grown(points, 3, link_m=0.1, most_m=50)).tolist() == [3]
    assert not grown(points, 999, link_m=1, most_m=50).any()
    assert not grown(points, 3, link_m=0.5, most_m=50, among=points[:, 0] < 3)[11:].any()


@given(st.sets(st.integers(0, 50)), st.sets(st.integers(0, 50)))
def test_ways_are_those_of_sets(before: set[int], now: set[int]) -> None:
    old, new = (np.array(sorted(each), np.int64) for each in (before, now))
    assert set(combined(old, new, Way.ADD).tolist()) == before | now
    assert set(combined(old, new, Way.SUBTRACT).tolist()) == before - now
    assert set(combined(old, new, Way.REPLACE).tolist()) == now


def test_a_stored_set_that_is_cut_off_is_refused_and_rows_beyond_the_sweep_are_left_out() -> None:
    blob = np.array([1, 5, 900], "<u4").tobytes()
    assert rows_of_blob(blob, 100).tolist() == [1, 5]
    with pytest.raises(UserError, match="cut off"):
        rows_of_blob(blob[:-1], 100)
