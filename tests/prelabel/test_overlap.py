"""Overlap and suppression, against the loops that define them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workstation.prelabel.overlap import overlaps, suppressed

BOXES = hnp.arrays(np.float64, st.tuples(st.integers(0, 12), st.just(4)), elements=st.integers(0, 20).map(float))


def _iou(a: list[float], b: list[float]) -> float:
    across = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    down = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area = [max(0.0, one[2] - one[0]) * max(0.0, one[3] - one[1]) for one in (a, b)]
    union = sum(area) - across * down
    return across * down / union if union > 0 else 0.0


def _greedy(boxes: list[list[float]], scores: list[float], classes: list[int], iou: float, agnostic: bool) -> list[int]:
    kept: list[int] = []
    for place in sorted(range(len(boxes)), key=lambda one: -scores[one]):
        rivals = [one for one in kept if agnostic or classes[one] == classes[place]]
        if all(_iou(boxes[place], boxes[one]) <= iou for one in rivals):
            kept.append(place)
    return kept


@given(BOXES, BOXES)
def test_overlaps_are_what_each_pair_has(first: np.ndarray, second: np.ndarray) -> None:
    expected = [[_iou(a, b) for b in second.tolist()] for a in first.tolist()]
    assert np.allclose(overlaps(first, second), np.array(expected).reshape(len(first), len(second)))


@given(BOXES, st.data(), st.booleans())
def test_suppression_keeps_what_the_definition_keeps(boxes: np.ndarray, data: st.DataObject, agnostic: bool) -> None:
    count = len(boxes)
    scores = data.draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
    classes = data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    kept = suppressed(boxes, np.array(scores), np.array(classes, np.int64), iou=0.4, agnostic=agnostic)
    assert kept.tolist() == _greedy(boxes.tolist(), scores, classes, 0.4, agnostic)


def test_a_flood_of_boxes_is_bounded() -> None:
    count = 200_000
    left = np.arange(count) * 10.0
    boxes = np.stack([left, np.zeros(count), left + 5, np.full(count, 5.0)], axis=1)
    kept = suppressed(boxes, np.linspace(1, 0, count), np.zeros(count, np.int64), iou=0.5, limit=300)
    assert kept.tolist() == list(range(300))
