"""Raw heads of LiDAR detectors: boxes that the test knows are written into tensors as their makers train them, one
number at a time, and must come back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.prelabel.planted_heads import (
    COLUMNS,
    KNOWN,
    LABELS,
    ROOM,
    ROTATIONS,
    ROWS,
    Box,
    anchored,
    centred,
)
from workstation.core.errors import DataError
from workstation.prelabel.api import BadOutput, FoundCuboid, ModelCard, Prepared, SensorSweep, Task
from workstation.prelabel.cloud_families import cloud_families
from workstation.prelabel.cuboid_overlap import rows_of

ANCHORS, CENTERS = cloud_families()["lidar-anchors"], cloud_families()["lidar-centers"]
NOTHING = Prepared({}, None)


def card(**options: Any) -> ModelCard:
    return ModelCard(id="m", task=Task.LIDAR_DETECT, family="", labels=LABELS, thresholds={"score": 0.5},
                     options={**ROOM, **options})  # fmt: skip


def close(found: list[FoundCuboid], boxes: list[Box]) -> None:
    assert [LABELS.index(each.label) for each in found] == [each[0] for each in boxes]
    for row, (_, *wanted) in zip(rows_of(found).tolist(), boxes, strict=True):
        assert row[:6] == pytest.approx(wanted[:6], abs=2e-3)
        assert math.remainder(row[6] - wanted[6], math.tau) == pytest.approx(0, abs=2e-3)


FOUR: list[Box] = [
    (2, 5.3, 1.2, -1.0, 4.4, 1.8, 1.6, 0.2), (0, 9.9, -7.3, 0.1, 0.7, 0.6, 1.8, 2.0),
    (1, 20.1, 8.6, -0.2, 1.7, 0.7, 1.6, -1.4), (2, 27.0, -3.0, -0.9, 5.1, 2.0, 1.9, 3.5),
]  # fmt: skip
BOXES = st.builds(
    lambda label, x, y, z, size, yaw: (label, x, y, z, *size, yaw),
    st.integers(0, 2), st.floats(1, 31), st.floats(-9, 9), st.floats(-2, 1),
    st.tuples(st.floats(0.5, 6), st.floats(0.4, 2.5), st.floats(0.8, 3)), st.floats(-3.1, 3.1),
)  # fmt: skip


@pytest.mark.parametrize("aligned", [True, False])
def test_what_an_anchor_head_saw_comes_back(aligned: bool) -> None:
    options = {"anchors": KNOWN, "rotations": list(ROTATIONS), "aligned": aligned}
    close(ANCHORS.decode(card(**options), anchored(FOUR, aligned=aligned), NOTHING), FOUR)


@given(BOXES)
@settings(max_examples=60, deadline=None)
def test_any_box_comes_back_from_either_head(box: Box) -> None:
    options = {"anchors": KNOWN, "rotations": list(ROTATIONS)}
    close(ANCHORS.decode(card(**options), anchored([box]), NOTHING), [box])
    close(CENTERS.decode(card(), centred([box]), NOTHING), [box])


def test_what_a_centre_head_saw_comes_back() -> None:
    """The shoulders of peaks are no things of their own."""
    close(CENTERS.decode(card(), centred(FOUR), NOTHING), FOUR)
    close(CENTERS.decode(card(groups=[2, 1]), centred(FOUR, (2, 1)), NOTHING), FOUR)


def test_makers_differ_in_names_order_and_layout() -> None:
    outputs = anchored(FOUR)
    last = {each: np.moveaxis(values, 1, 3) for each, values in outputs.items()}
    deltas = last["bbox_pred0"].reshape(1, ROWS, COLUMNS, -1, 7)[..., [0, 1, 2, 4, 3, 5, 6]]  # width before length
    given = {"a": 1 / (1 + np.exp(-last["cls_score0"])), "b": deltas.reshape(1, ROWS, COLUMNS, -1)}
    options = {
        "anchors": KNOWN, "rotations": list(ROTATIONS), "layout": "NHWC", "activated": True,
        "box": "x y z w l h yaw", "outputs": {"cls_score": "a", "bbox_pred": "b", "dir_cls_pred": "c"},
    }  # fmt: skip
    close(ANCHORS.decode(card(**options), given | {"c": last["dir_cls_pred0"]}, NOTHING), FOUR)
    centre = centred(FOUR)
    centre = {("hm" if each == "heatmap" else each): values for each, values in centre.items()}
    centre["dim"] = np.exp(centre["dim"][:, [1, 0, 2]])
    centre["height"] = centre["height"] - centre["dim"][:, 2:] / 2
    close(CENTERS.decode(card(box="x y z w l h yaw", dim="metres", z="bottom"), centre, NOTHING), FOUR)


def test_a_graph_says_by_its_outputs_which_head_it_has() -> None:
    inputs = {"voxels": (1,), "num_points": (1,), "coors": (1,)}
    seen = {name: {family.name for family in cloud_families().values() if family.recognises(inputs, outputs, {}) > 0.5}
            for name, outputs in {
                "anchors": dict.fromkeys(anchored([]), (1,)), "centres": dict.fromkeys(centred([]), (1,)),
                "finished": dict.fromkeys(("boxes", "scores", "labels"), (1,)), "several": {
                    f"{each}{head}": (1,) for each in ("hm", "reg", "height", "dim", "rot") for head in range(2)},
            }.items()}  # fmt: skip
    assert seen == {"anchors": {"lidar-anchors"}, "centres": {"lidar-centers"}, "finished": {"lidar-pillars"},
                    "several": {"lidar-centers"}}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "spoiled"),
    [
        (ANCHORS, {"cls_score0": np.zeros((1, 5, ROWS, COLUMNS))}),
        (ANCHORS, {"bbox_pred0": np.zeros((1, 42, ROWS, COLUMNS + 1))}),
        (ANCHORS, {"bbox_pred0": np.full((1, 42, ROWS, COLUMNS), np.nan)}),
        (ANCHORS, {"bbox_pred0": np.full((1, 42, ROWS, COLUMNS), 1e30)}),
        (ANCHORS, {"cls_score0": np.zeros((1, 18, 0, 0)), "bbox_pred0": np.zeros((1, 42, 0, 0))}),
        (CENTERS, {"heatmap": np.zeros((1, 2, ROWS, COLUMNS))}),
        (CENTERS, {"reg": np.zeros((1, 2, ROWS, 3))}),
        (CENTERS, {"dim": np.full((1, 3, ROWS, COLUMNS), 1e30)}),
        (CENTERS, {"heatmap": np.full((1, 3, ROWS, COLUMNS), np.inf)}),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused(family: Any, spoiled: dict[str, np.ndarray]) -> None:
    whole = anchored(FOUR) if family is ANCHORS else centred(FOUR)
    with pytest.raises(BadOutput):
        family.decode(card(anchors=KNOWN), whole | spoiled, NOTHING)


def test_a_graph_without_an_output_is_refused_by_its_name() -> None:
    for family, outputs, name in ((ANCHORS, anchored(FOUR), "bbox_pred0"), (CENTERS, centred(FOUR), "rot")):
        del outputs[name]
        with pytest.raises(BadOutput, match=name.rstrip("0")):
            family.decode(card(anchors=KNOWN), outputs, NOTHING)


@pytest.mark.parametrize(
    ("family", "options"),
    [
        (ANCHORS, {"anchors": None}), (ANCHORS, {"anchors": [{"size": [1, 2], "bottom": 0}]}),
        (ANCHORS, {"anchors": [{"size": [1, 2, -3], "bottom": 0}]}), (ANCHORS, {"anchors": "car"}),
        (CENTERS, {"groups": [1, 1]}), (CENTERS, {"groups": [4, -1]}), (CENTERS, {"groups": 3}),
    ],
)  # fmt: skip
def test_options_that_make_no_sense_are_told_of_before_anything_runs(family: Any, options: dict[str, Any]) -> None:
    sweep = SensorSweep(np.zeros((1, 3), np.float32), np.zeros(1, np.float32))
    with pytest.raises(DataError, match=next(iter(options))):
        family.prepare(card(**options), sweep)
