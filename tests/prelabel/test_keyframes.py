"""Keyframes: few enough, near enough. Against trying every choice."""

from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.prelabel.keyframes import calm_keyframes, keyframes, smoothed

SECOND = 1_000_000_000


def _off(times: list[int], boxes: np.ndarray, chosen: tuple[int, ...]) -> float:
    worst = 0.0
    for place, at in enumerate(times):
        after = next(one for one in chosen if one >= place)
        before = max(one for one in chosen if one <= place)
        share = 0.0 if after == before else (at - times[before]) / (times[after] - times[before])
        worst = max(worst, float(np.abs(boxes[before] + (boxes[after] - boxes[before]) * share - boxes[place]).max()))
    return worst


@given(st.data())
def test_no_smaller_choice_is_near_enough(data: st.DataObject) -> None:
    steps = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=7))
    times = [int(one) * SECOND // 10 + 1_700_000_000 * SECOND for one in np.cumsum(steps)]
    edges = data.draw(st.lists(st.lists(st.integers(0, 6), min_size=4, max_size=4), min_size=len(times),
                               max_size=len(times)))  # fmt: skip
    boxes, most = np.array(edges, np.float64), data.draw(st.sampled_from([0.0, 0.9, 2.1]))
    found = keyframes(times, boxes, deviation_px=most)
    assert _off(times, boxes, found.places) == pytest.approx(found.worst_px, abs=1e-6)
    assert found.worst_px <= most + 1e-6
    inner = range(1, len(times) - 1)
    for count in range(max(len(found.places) - 2, 0)):
        for few in combinations(inner, count):
            assert _off(times, boxes, (0, *few, len(times) - 1)) > most + 1e-9


def test_a_straight_way_needs_two_and_a_corner_three() -> None:
    at = np.arange(60.0)
    way = np.where(at < 30, at * 5, 300 - at * 5)
    boxes = np.stack([way, at, way + 40, at + 20], axis=1)
    times = [int(one) * SECOND // 30 for one in at]
    assert keyframes(times[:30], boxes[:30], deviation_px=0.5).places == (0, 29)
    assert keyframes(times, boxes, deviation_px=0.5).places == (0, 30, 59)


def test_a_long_silence_is_a_gap_between_two_keyframes() -> None:
    times = [one * SECOND for one in (0, 1, 2, 9, 10, 11)]
    boxes = np.arange(6.0)[:, None].repeat(4, axis=1) * 100
    found = keyframes(times, boxes, deviation_px=1, longest_gap_ns=3 * SECOND)
    assert found.places == (0, 2, 3, 5)
    assert found.gaps == ((2 * SECOND + 1, 9 * SECOND),)


def test_jitter_within_the_allowance_costs_nothing() -> None:
    rng = np.random.default_rng(3)
    at = np.arange(300.0)
    boxes = np.stack([at, at, at + 50, at + 50], axis=1) + rng.uniform(-1, 1, (300, 4))
    times = [int(one * SECOND / 30) for one in at]
    assert len(keyframes(times, boxes, deviation_px=3).places) == 2


def test_hours_of_noise_take_seconds() -> None:
    count = 10_000
    boxes = np.random.default_rng(0).uniform(0, 1000, (count, 4))
    begun = time.process_time()
    assert len(keyframes([one * SECOND for one in range(count)], boxes, deviation_px=2).places) > count / 3
    assert time.process_time() - begun < 10


def test_nothing_and_little() -> None:
    assert keyframes([], np.zeros((0, 4)), deviation_px=1).places == ()
    assert keyframes([5], np.zeros((1, 4)), deviation_px=1).places == (0,)
    for times, boxes in (([1, 1], np.zeros((2, 4))), ([1], np.zeros((2, 4))), ([1], np.full((1, 4), np.nan))):
        with pytest.raises(ValueError, match="a track"):
            keyframes(times, boxes, deviation_px=1)


def test_trembling_is_taken_away_and_the_way_stays() -> None:
    rng = np.random.default_rng(1)
    seconds = np.arange(150) / 30
    turn = 300 + 120 * np.sin(seconds)
    truth = np.stack([turn, 0 * turn + 50, turn + 80, 0 * turn + 110], axis=1)
    seen = truth + rng.normal(0, 4, truth.shape)
    times = [int(one * SECOND) + 1_700_000_000 * SECOND for one in seconds]
    calm = smoothed(times, seen)
    error = np.abs(calm - truth)
    assert np.abs(seen - truth).mean() > 2.5
    assert error.mean() < 1.5
    few, many = (len(keyframes(times, boxes, deviation_px=4).places) for boxes in (calm, seen))
    assert few <= 10 < 40 < many


@given(st.integers(0, 6), st.floats(-50, 50), st.floats(-1000, 1000))
def test_a_steady_way_is_left_as_it_is(count: int, speed: float, start: float) -> None:
    seconds = np.cumsum(np.arange(count) % 3 + 1) / 10
    way = start + speed * seconds
    boxes = np.stack([way, way, way + 60, way + 40], axis=1).reshape(-1, 4)
    calm = smoothed([int(one * SECOND) for one in seconds], boxes)
    assert np.allclose(calm, boxes, atol=2.0)


def test_the_smoother_solves_its_own_least_squares() -> None:
    """The same answer as one big weighted least squares over all places and speeds."""
    rng = np.random.default_rng(2)
    seconds = np.array([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])
    boxes = np.sort(rng.uniform(0, 100, (6, 4)), axis=1)
    side = np.maximum(np.median(boxes[:, 2:] - boxes[:, :2], axis=0), 1.0)[[0, 1, 0, 1]]
    calm = smoothed([round(one * SECOND) for one in seconds], boxes)
    for edge in range(4):
        noise, push, fast = (0.05 * side[edge]) ** 2, (0.5 * side[edge]) ** 2, (4 * side[edge]) ** 2
        normal, right = np.zeros((12, 12)), np.zeros(12)
        for number, seen in enumerate(boxes[:, edge]):
            normal[2 * number, 2 * number] += 1 / noise
            right[2 * number] += seen / noise
        normal[0, 0] += 1 / noise  # what is believed before: the first box, and speeds around nought
        right[0] += boxes[0, edge] / noise
        normal[1, 1] += 1 / fast
        for number, step in enumerate(np.diff(seconds)):
            on = np.zeros((2, 12))
            on[0, 2 * number : 2 * number + 3] = (-1, -step, 1)
            on[1, 2 * number + 1], on[1, 2 * number + 3] = -1, 1
            weight = np.linalg.inv(push * np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]]))
            normal += on.T @ weight @ on
        assert np.allclose(np.linalg.solve(normal, right)[::2], calm[:, edge], atol=1e-6)


def test_a_detectors_track_becomes_few_calm_keyframes_and_keeps_its_gaps() -> None:
    rng = np.random.default_rng(6)
    frames = [*range(60), *range(90, 150)]
    way = np.array(frames) * 4.0
    boxes = np.stack([way, way * 0 + 50, way + 120, way * 0 + 140], axis=1) + rng.normal(0, 3, (120, 4))
    found, calm = calm_keyframes([at * SECOND // 30 for at in frames], boxes, longest_gap_ns=SECOND // 2)
    assert {0, 59, 60, 119} <= set(found.places)
    assert len(found.places) <= 10
    assert found.gaps == ((59 * SECOND // 30 + 1, 90 * SECOND // 30),)
    assert np.abs(calm - boxes).max() < 15
    assert calm_keyframes([], np.zeros((0, 4)))[0].places == ()
