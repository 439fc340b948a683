"""LiDAR sweeps into tensors and boxes out of them, against loops written out here."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.prelabel.api import BadOutput, ModelCard, Prepared, SensorSweep, Task
from workstation.prelabel.cloud_families import cloud_families
from workstation.prelabel.cuboid_overlap import rows_of
from workstation.prelabel.sweep_cells import sorted_in

POINTS, PILLARS = cloud_families()["lidar-points"], cloud_families()["lidar-pillars"]
ROOM = {"range": [0, -10, -3, 20, 10, 3]}
NOTHING = Prepared({}, None)


def card(**options: Any) -> ModelCard:
    return ModelCard(id="m", task=Task.LIDAR_DETECT, family="", labels=("car", "cyclist"),
                     thresholds={"score": 0.4}, options={**ROOM, **options})  # fmt: skip


def sweep(*points: tuple[float, ...]) -> SensorSweep:
    rows = np.array(points, np.float32).reshape(-1, 4)
    return SensorSweep(rows[:, :3], rows[:, 3])


@given(
    rows=st.lists(st.tuples(*[st.floats(0, 3.5, width=32)] * 3), max_size=40),
    most=st.integers(1, 4), cells=st.integers(1, 8),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_cells_hold_their_points_in_the_order_of_the_sweep(rows: list[Any], most: int, cells: int) -> None:
    points = np.array(rows, np.float32).reshape(-1, 3)
    wanted: dict[tuple[int, ...], list[list[float]]] = {}
    for row in points.tolist():
        place = tuple(int(value // 2) for value in row)
        if place in wanted or len(wanted) < cells:
            held = wanted.setdefault(place, [])
            if len(held) < most:
                held.append(row)
    voxels, counts, places = sorted_in(points, np.zeros(3), np.full(3, 2.0), most=most, cells=cells)
    assert places.tolist() == [[0, *place[::-1]] for place in wanted]
    assert counts.tolist() == [len(held) for held in wanted.values()]
    for voxel, held in zip(voxels.tolist(), wanted.values(), strict=True):
        assert voxel == held + [[0.0] * 3] * (most - len(held))


def test_points_are_those_in_range_lifted_and_in_the_order_of_the_columns() -> None:
    given_sweep = sweep((1, 2, 0.5, 0.25), (25, 0, 0, 1), (3, -4, 1.5, 1))
    feeds = POINTS.prepare(card(lift_m=-1.0, features=["z", "x", "intensity"], intensity_scale=255), given_sweep).feeds
    assert feeds["points"].tolist() == [[-0.5, 1, 63.75], [0.5, 3, 255]]
    batch = POINTS.prepare(card(batch=True, inputs={"points": "cloud"}, max_points=1), given_sweep).feeds
    assert batch["cloud"].shape == (1, 1, 4)
    pillars = PILLARS.prepare(card(cell=[1, 1, 6], features=["x", "y", "z", "intensity", "time"]), given_sweep).feeds
    assert pillars["voxels"].shape == (2, 32, 5)
    assert pillars["coors"].tolist() == [[0, 0, 12, 1], [0, 0, 6, 3]]
    assert pillars["num_points"].dtype == np.int32


def test_boxes_are_read_as_the_manifest_says_they_are_written() -> None:
    """Makers differ in the order of size, in whose height is meant and in which way a heading turns."""
    outputs = {
        "pred": np.array([[5, 1, -1, 1.8, 4.4, 1.5, 0.3], [5.1, 1, -1, 1.8, 4.4, 1.5, 0.3], [9, 9, 0, 1, 2, 1, 0]]),
        "scores": np.array([0.9, 0.8, 0.3]), "labels": np.array([0, 0, 1]),
    }  # fmt: skip
    options = {"box": "x y z w l h yaw", "z": "bottom", "yaw_sign": -1, "yaw_offset": -math.pi / 2, "lift_m": 1.0,
               "outputs": {"boxes": "pred"}}  # fmt: skip
    found = POINTS.decode(card(**options), outputs, NOTHING)
    assert [(each.label, each.score) for each in found] == [("car", 0.9)]  # the second stands in it, the third is doubt
    x, y, z, length, width, height, yaw = rows_of(found)[0]
    assert (x, y, length, width, height) == (5, 1, 4.4, 1.8, 1.5)
    assert z == pytest.approx(-1 - 1 + 0.75)
    assert math.remainder(yaw - (-0.3 - math.pi / 2), math.tau) == pytest.approx(0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"boxes": np.zeros((1, 7))},
        {"boxes": np.zeros((2, 7)), "scores": np.ones(1), "labels": np.zeros(1)},
        {"boxes": np.full((1, 7), np.nan), "scores": np.ones(1), "labels": np.zeros(1)},
        {"boxes": np.ones((1, 7)), "scores": np.ones(1), "labels": np.array([7])},
        {"boxes": np.full((1, 7), 1e9), "scores": np.ones(1), "labels": np.zeros(1)},
        {"boxes": np.ones((1, 5)), "scores": np.ones(1), "labels": np.zeros(1)},
    ],
)
def test_an_answer_that_cannot_be_read_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadOutput):
        PILLARS.decode(card(), wrong, NOTHING)


@pytest.mark.parametrize(
    "options",
    [
        {"range": [0, 1]}, {"range": [1, 0, 0, 0, 1, 1]}, {"features": ["x", "colour"]}, {"cell": [0, 1, 1]},
        {"max_points": -1}, {"max_cells": 0.5}, {"lift_m": float("nan")}, {"lift_m": True}, {"features": []},
    ],
)  # fmt: skip
def test_options_that_make_no_sense_name_themselves(options: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=next(iter(options))):
        PILLARS.prepare(card(**options), sweep((1, 2, 0, 1)))
