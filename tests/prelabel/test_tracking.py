"""Tracks over boxes whose truth the test knows: who is who after crossings, gaps and doubt."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from workstation.core.errors import UserError
from workstation.prelabel.api import FoundBox
from workstation.prelabel.appearance import with_colours
from workstation.prelabel.tracking import TrackerSettings, label_of, tracker_named, without_strays

RED, BLUE = (200, 20, 20), (20, 20, 200)


def box(x: float, y: float = 100.0, score: float = 0.9, label: str = "car", side: float = 60.0) -> FoundBox:
    return FoundBox(left=x, top=y, width=side, height=side * 0.6, label=label, score=score)


def switches(truth: list[list[int]], frames: list[list[FoundBox]]) -> int:
    """How often a thing changes its number."""
    last: dict[int, int] = {}
    count = 0
    for things, boxes in zip(truth, frames, strict=True):
        for thing, found in zip(things, boxes, strict=True):
            if found.track is not None:
                count += last.get(thing, found.track) != found.track
                last[thing] = found.track
    return count


def crossing(seed: int = 1) -> tuple[list[list[int]], list[list[FoundBox]]]:
    """Two cars pass each other on neighbouring lanes; one is hidden for six frames, a fifth of the boxes is weak."""
    rng = np.random.default_rng(seed)
    truth, frames = [], []
    for time in range(80):
        things, boxes = [], []
        for thing, (x, y) in enumerate(((50 + 6 * time, 100), (530 - 6 * time, 118))):
            if thing == 1 and 36 <= time < 42:
                continue
            shake = rng.normal(0, 1.0, 2)
            score = 0.3 if rng.random() < 0.2 else 0.85
            things.append(thing)
            boxes.append(box(x + shake[0], y + shake[1], score))
        truth.append(things)
        frames.append(boxes)
    return truth, frames


@pytest.mark.parametrize("name", ["bytetrack", "deepsort"])
def test_crossing_things_keep_their_numbers(name: str) -> None:
    for seed in range(5):
        truth, frames = crossing(seed)
        tracker = tracker_named(name)
        found = [tracker.step(boxes) for boxes in frames]
        assert switches(truth, found) == 0
        assert len({one.track for boxes in found for one in boxes if one.track}) == 2


def test_doubtful_boxes_carry_a_track_on_but_begin_none() -> None:
    tracker = tracker_named("bytetrack")
    for time in range(5):
        first = tracker.step([box(10 + 4 * time)])[0].track
    weak = [tracker.step([box(30 + 4 * time, score=0.2), box(500, score=0.2)]) for time in range(5)]
    assert all(one.track == first for one, _ in weak)
    assert all(other.track is None for _, other in weak)


def test_a_lost_thing_is_waited_for_and_then_forgotten() -> None:
    settings = TrackerSettings(lost_frames=10)
    for away, same in ((8, True), (15, False)):
        tracker = tracker_named("bytetrack", settings)
        for time in range(10):
            first = tracker.step([box(5.0 * time)])[0].track
        for _ in range(away):
            assert tracker.step([]) == []
        again = tracker.step([box(5.0 * (10 + away))])[0].track
        assert (again == first) is same


def test_frames_left_out_are_time_gone_by() -> None:
    tracker = tracker_named("bytetrack")
    for time in range(10):
        first = tracker.step([box(12.0 * time)])[0].track
    assert tracker.step([box(12.0 * 14)], frames=5)[0].track == first


def test_things_that_trade_places_unseen_are_known_by_their_colours() -> None:
    """They stand side by side, are hidden, and have traded places: overlap says nothing moved, looks know better."""
    numbers = {}
    for name in ("bytetrack", "deepsort"):
        tracker, found, truth = tracker_named(name), [], []
        for time in range(44):
            spots = (300, 340) if time < 20 else (340, 300)
            picture = np.full((240, 700, 3), 90, np.uint8)
            for x, colour in zip(spots, (RED, BLUE), strict=True):
                picture[100:130, x + 6 : x + 44] = colour
            seen = [] if 20 <= time < 32 else with_colours(picture, [box(x, side=50) for x in spots])
            found.append(tracker.step(seen))
            truth.append([0, 1] if seen else [])
        numbers[name] = switches(truth, found)
    assert numbers == {"bytetrack": 2, "deepsort": 0}


def test_other_classes_cost_and_may_be_forbidden() -> None:
    for settings, same in ((TrackerSettings(), True), (TrackerSettings(other_label=1.0), False)):
        tracker = tracker_named("bytetrack", settings)
        for _ in range(4):
            first = tracker.step([box(10)])[0].track
        assert (tracker.step([box(10, label="truck")])[0].track == first) is same
    assert label_of([box(0, score=0.4), box(0, score=0.4), box(0, label="truck", score=0.7)]) == "car"


def test_strays_lose_their_numbers_and_stay_boxes() -> None:
    tracker = tracker_named("bytetrack")
    frames = [tracker.step([box(5.0 * time), *([box(600, 10)] if time == 3 else [])]) for time in range(6)]
    cleared = without_strays(frames)
    assert Counter(one.track for boxes in cleared for one in boxes) == {1: 6, None: 1}


@pytest.mark.parametrize("name", ["bytetrack", "deepsort"])
def test_floods_and_bad_features_do_no_harm(name: str) -> None:
    rng = np.random.default_rng(0)
    tracker = tracker_named(name)
    for _ in range(3):
        nothing = np.full(4, np.nan, np.float32)
        boxes = [FoundBox(left=x, top=y, width=3, height=3, label="car", score=0.9, features=nothing)
                 for x, y in rng.uniform(0, 4000, (300, 2)).tolist()]  # fmt: skip
        assert len(tracker.step(boxes)) == 300
    assert tracker.step([]) == []
    with pytest.raises(UserError, match="bytetrack"):
        tracker_named("magic")
