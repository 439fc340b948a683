"""The arithmetic of average precision, cuboid overlap and identity, against numbers worked out by hand and, for the
overlap of turned cuboids, against polygons (shapely)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strict_turn import iou_3d
from workstation.core.geometry import Cuboid
from workstation.core.rotation import about_z
from workstation.prelabel.api import FoundBox, FoundCuboid
from workstation.prelabel.cuboid_overlap import bird_eye_iou, rows_of, solid_iou
from workstation.prelabel.evaluate import (
    as_found,
    average_precision,
    box_overlap,
    cuboid_overlap,
    identity,
    mean_average_precision,
    precision_area,
)


def box(left: float, *, score: float = 1.0, label: str = "car", track: int | None = None) -> FoundBox:
    """Ten by ten, so that a shift of one pixel leaves 90 of 110."""
    return FoundBox(left=left, top=0, width=10, height=10, label=label, score=score, track=track)


# --- overlap ----------------------------------------------------------------------------------------------------


def test_boxes_shifted_by_half_overlap_by_a_third() -> None:
    table = box_overlap([box(0), box(5), box(20)], [box(0)])
    assert table[:, 0].tolist() == pytest.approx([1.0, 50 / 150, 0.0])


def test_a_cuboid_turned_by_45_degrees_shares_an_octagon() -> None:
    """Two squares of side 2 about one middle: the octagon has 8 (√2 − 1), 3.3137; the union 8 less that."""
    rows = rows_of([
        Cuboid((0, 0, 0), (2, 2, 1), about_z(0.0)), Cuboid((0, 0, 0.5), (2, 2, 1), about_z(math.pi / 4)),
    ])  # fmt: skip
    shared = 8 * (math.sqrt(2) - 1)
    assert bird_eye_iou(rows[:1], rows[1:])[0, 0] == pytest.approx(shared / (8 - shared))
    assert solid_iou(rows[:1], rows[1:])[0, 0] == pytest.approx(shared / 2 / (8 - shared / 2))


def test_a_cuboid_overlaps_itself_wholly_and_one_beside_it_not_at_all() -> None:
    rows = rows_of([Cuboid((3, 2, 0), (4, 2, 1), about_z(0.3)), Cuboid((9, 2, 0), (4, 2, 1), about_z(0.3))])
    assert solid_iou(rows, rows) == pytest.approx(np.eye(2))
    assert solid_iou(rows, np.empty((0, 7))).shape == (2, 0)


places = st.floats(-3, 3)
cuboids = st.builds(
    lambda x, y, z, length, width, height, yaw: Cuboid((x, y, z), (length, width, height), about_z(yaw)),
    places, places, places, *[st.floats(0.2, 6)] * 3, st.floats(-4, 4),
)  # fmt: skip


@given(cuboids, cuboids)
def test_overlap_in_space_is_that_of_polygons_and_heights(first: Cuboid, second: Cuboid) -> None:
    table = solid_iou(rows_of([first]), rows_of([second]))
    assert table[0, 0] == pytest.approx(iou_3d(first, second), abs=1e-6)


# --- average precision --------------------------------------------------------------------------------------------


def test_precision_area_of_a_ranking_worked_out_by_hand() -> None:
    """Right, wrong, right of 4: precision 1 up to recall 0.25 (26 of the 101 recalls), then 2/3 up to 0.5 (25)."""
    found = precision_area(np.array([True, False, True]), 4)
    assert found == pytest.approx((26 * 1.0 + 25 * 2 / 3) / 101)


def test_precision_area_at_the_ends() -> None:
    assert precision_area(np.array([True, True]), 2) == 1.0
    assert precision_area(np.array([False]), 2) == 0.0
    assert precision_area(np.array([], bool), 2) == 0.0
    assert math.isnan(precision_area(np.array([False]), 0))


def test_classes_are_scored_apart_and_the_better_detection_takes_the_truth() -> None:
    frames = [
        ([box(1, score=0.9), box(0, score=0.8), box(50, score=0.7)], [box(0), box(50)]),
        ([box(0, score=0.95, label="van")], [box(100)]),
    ]
    car, van = average_precision(frames, box_overlap, level=0.5)
    # cars, best first: right, wrong (its truth is taken), right; 3 truths
    assert (car.label, car.truths, car.found, car.right) == ("car", 3, 3, 2)
    assert car.ap == pytest.approx((34 * 1.0 + 33 * 2 / 3) / 101)  # recalls 0–0.33, then 0.34–0.66
    assert car.mean_overlap == pytest.approx((90 / 110 + 1) / 2)
    assert car.recall == pytest.approx(2 / 3)
    assert (van.truths, van.found, van.right) == (0, 1, 0)
    assert mean_average_precision([car, van]) == car.ap


def test_a_stricter_level_refuses_what_overlaps_less() -> None:
    frames = [([box(2, score=0.9)], [box(0)])]  # 80 / 120
    assert average_precision(frames, box_overlap, level=0.65)[0].right == 1
    assert average_precision(frames, box_overlap, level=0.7)[0].right == 0


def test_nothing_found_and_nothing_true_score_nothing() -> None:
    assert average_precision([([], [])], box_overlap) == []
    assert average_precision([([], [box(0)])], box_overlap)[0].ap == 0.0
    assert math.isnan(mean_average_precision([]))


# --- identity -----------------------------------------------------------------------------------------------------


def test_an_identity_that_changes_half_way_is_one_switch() -> None:
    frames = [([box(t, track=7 if t < 3 else 8)], [box(t, track=1)]) for t in range(6)]
    every, car = identity(frames, box_overlap)
    assert (every.switches, every.misses, every.false_positives) == (1, 0, 0)
    assert every.mota == pytest.approx(1 - 1 / 6)
    assert every.idf1 == pytest.approx(2 * 3 / 12)  # one of the two halves agrees: 3 frames of 6 + 6
    assert car.label == "car"
    assert car.switches == 1


def test_misses_and_false_ones_count_and_a_gap_is_no_switch() -> None:
    frames = [
        ([box(0, track=5)], [box(0, track=1)]),
        ([], [box(0, track=1)]),
        ([box(0, track=5), box(60, track=6)], [box(0, track=1)]),
    ]
    every = identity(frames, box_overlap)[0]
    assert (every.truths, every.misses, every.false_positives, every.switches) == (3, 1, 1, 0)
    assert every.mota == pytest.approx(1 - 2 / 3)
    assert every.idf1 == pytest.approx(2 * 2 / (3 + 3))


def test_who_went_together_stays_together_though_another_overlaps_more() -> None:
    frames = [
        ([box(0, track=5)], [box(0, track=1)]),
        ([box(2, track=5), box(0, track=6)], [box(0, track=1)]),
    ]
    every = identity(frames, box_overlap)[0]
    assert (every.switches, every.false_positives) == (0, 1)


def test_two_things_that_swap_their_names_are_two_switches() -> None:
    frames = [
        ([box(0, track=1), box(50, track=2)], [box(0, track=1), box(50, track=2)]),
        ([box(0, track=2), box(50, track=1)], [box(0, track=1), box(50, track=2)]),
    ]
    assert identity(frames, box_overlap)[0].switches == 2


def test_cuboids_are_scored_in_space() -> None:
    true = as_found(Cuboid((0, 0, 0), (4, 2, 2)), "car", track=0)
    found = FoundCuboid(center=(1, 0, 0), size=(4, 2, 2), rotation=(1, 0, 0, 0), label="car", score=0.4, track=9)
    score = average_precision([([found], [true])], cuboid_overlap)[0]
    assert score.mean_overlap == pytest.approx(12 / 20)
    assert identity([([found], [true])], cuboid_overlap)[0].idf1 == 1.0
