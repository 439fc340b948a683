"""LiDAR detectors in two files: what the first graph is given of each point, and where its rows lie on the map, against
loops written out here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from workstation.core.errors import DataError
from workstation.prelabel.api import Arrays, BadOutput, ModelCard, Prepared, SensorSweep, Task
from workstation.prelabel.cloud_families import cloud_families
from workstation.prelabel.onnx_read import Port
from workstation.prelabel.sweep_stages import TwoStages

ROOM = {"range": [0, -4, -3, 8, 4, 3], "cell": [2, 1, 6], "max_points": 3}
"""Four columns of two metres, eight rows of one."""
POINTS = np.array(
    [(1, -3.5, 0, 0.5), (1.5, -3.25, 1, 0.25), (7, 3.5, -1, 1), (3, 0.5, 0, 0), (1, -3.5, 2, 0), (1, -3.9, 2, 0)],
    np.float32,
)
CELLS = {(0, 0): [0, 1, 4], (7, 3): [2], (4, 1): [3]}
"""(row, column) -> the points it keeps, in the order of the sweep."""
USUAL = ("x", "y", "z", "intensity", "mean_x", "mean_y", "mean_z", "center_x", "center_y")


class Stand:
    """Stands in for a graph: its inputs, and a function of what it is fed."""

    def __init__(self, inputs: dict[str, tuple[int | str, ...]], answer: Callable[[Arrays], Any]) -> None:
        self.inputs = tuple(Port(name, "float32", shape) for name, shape in inputs.items())
        self.fed: list[Arrays] = []
        self._answer = answer

    def run(self, feeds: Arrays) -> Arrays:
        self.fed.append(feeds)
        found = self._answer(feeds)
        return found if isinstance(found, dict) else {"out": found}


def card(**options: Any) -> ModelCard:
    return ModelCard(id="m", task=Task.LIDAR_DETECT, family="lidar-centers", labels=("car",), options=ROOM | options)


def prepared(model: ModelCard) -> Prepared:
    return cloud_families()["lidar-centers"].prepare(model, SensorSweep(POINTS[:, :3], POINTS[:, 3]))


def head(*shape: int | str) -> Stand:
    return Stand({"spatial_features": shape or (1, "c", 8, 4)}, lambda feeds: feeds["spatial_features"])


def told(name: str, number: int, held: list[int], row: int, column: int) -> float:
    x, y, z, strength = (float(each) for each in POINTS[number])
    mean = POINTS[held, :3].astype(float).mean(axis=0)
    center = ((column + 0.5) * 2, (row + 0.5) - 4, 0.0)
    known = {"x": x, "y": y, "z": z, "intensity": strength, "time": 0.0}
    for place, axis in enumerate("xyz"):
        known[f"mean_{axis}"] = (x, y, z)[place] - float(mean[place])
        known[f"center_{axis}"] = (x, y, z)[place] - center[place]
    return known[name]


@pytest.mark.parametrize("columns", [None, ["center_z", "z", "x", "mean_y"]])
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("fixed", [0, 5])
def test_each_point_is_told_as_the_manifest_says(columns: list[str] | None, across: bool, fixed: int) -> None:
    model = card(**({"encoder_columns": columns} if columns else {}))
    names = tuple(columns or USUAL)
    side = fixed or "cells"
    encoder = Stand(
        {"input_features": (1, len(names), side, 3) if across else (side, 3, len(names))},
        lambda feeds: np.zeros((fixed or 3, 2), np.float32),
    )
    TwoStages(model, encoder, head()).run(prepared(model).feeds)
    given = encoder.fed[0]["input_features"]
    given = given[0].transpose(1, 2, 0) if across else given
    assert given.shape == (fixed or 3, 3, len(names))
    for place, ((row, column), held) in enumerate(CELLS.items()):
        wanted = [[told(name, number, held, row, column) for name in names] for number in held]
        wanted += [[0.0] * len(names)] * (3 - len(held))
        assert given[place] == pytest.approx(np.array(wanted), abs=1e-6)
    assert not given[3:].any()


@pytest.mark.parametrize("turn", [lambda rows: rows, lambda rows: rows[:, None], lambda rows: rows.T[None, :, :, None]])
def test_rows_lie_where_their_cells_do(turn: Callable[[np.ndarray], np.ndarray]) -> None:
    """Also of an encoder that takes the tensors of a single file, and only some of them."""
    model = card()
    encoder = Stand(
        {"voxels": (4, 3, 4), "num_points": (4,)},
        lambda feeds: turn(np.stack([feeds["num_points"], feeds["voxels"][:, 0, 0]], axis=1).astype(np.float32)),
    )
    answer = TwoStages(model, encoder, head(1, 2, 8, 4)).run(prepared(model).feeds)["out"]
    assert set(encoder.fed[0]) == {"voxels", "num_points"}
    wanted = np.zeros((1, 2, 8, 4))
    for (row, column), held in CELLS.items():
        wanted[0, :, row, column] = len(held), POINTS[held[0], 0]
    assert np.array_equal(answer, wanted)


def test_a_point_beyond_the_last_whole_cell_is_left_out() -> None:
    encoder = Stand({"p": ("n", 3, 9)}, lambda feeds: np.ones((len(feeds["p"]), 1), np.float32))
    model = card(range=[0.9, -4, -3, 7.2, 4, 3])  # three columns and a bit, in which one point lies
    assert TwoStages(model, encoder, head(1, 1, 8, 3)).run(prepared(model).feeds)["out"].sum() == 2
    assert len(encoder.fed[0]["p"]) == 3


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (np.zeros((2, 2)), "not one row for each of 3 cells"),
        (np.full((3, 2), np.nan), "not a number"),
        ({"a": np.zeros((3, 2)), "b": np.zeros((3, 2))}, "not one row"),
        ({}, "answers nothing"),
        (np.zeros((3, 2, 2)), "not one row"),
    ],
)
def test_a_first_graph_that_answers_nonsense_is_refused(answer: Any, why: str) -> None:
    encoder = Stand({"p": ("n", 3, 9)}, lambda _: answer)
    with pytest.raises(BadOutput, match=why):
        TwoStages(card(), encoder, head()).run(prepared(card()).feeds)


@pytest.mark.parametrize(
    ("options", "encoder", "after", "why"),
    [
        ({}, {"p": ("n", 3, 9)}, (1, 64, 496, 432), r"map of 1 × 64 × 496 × 432.*make 1 × 1 × 8 × 4"),
        ({"cell": [2, 1, 3]}, {"p": ("n", 3, 9)}, (), "cell"),
        ({"cell": [1e-9, 1, 6]}, {"p": ("n", 3, 9)}, (), "cell"),
        ({"encoder_columns": ["x", "colour"]}, {"p": ("n", 3, 9)}, (), "encoder_columns"),
        ({"encoder_columns": ["x", "time"]}, {"p": ("n", 3, 9)}, (), "features leaves out"),
        ({"encoder_columns": 3}, {"p": ("n", 3, 9)}, (), "encoder_columns"),
        ({}, {"p": (2, 3, 9)}, (), "max_cells"),
        ({}, {"p": (1 << 40, 3, 9)}, (), "max_cells"),
        ({}, {"p": ("n", 3, 9), "q": (1,)}, (), "which input points goes to; the graph takes p, q"),
    ],
)
def test_what_does_not_fit_together_is_told_by_its_name(
    options: dict[str, Any], encoder: dict[str, tuple[int | str, ...]], after: tuple[int, ...], why: str
) -> None:
    model = card(**options)
    first = Stand(encoder, lambda feeds: np.zeros((3, 1), np.float32))
    with pytest.raises(DataError, match=why):
        TwoStages(model, first, head(*after)).run(prepared(model).feeds)
