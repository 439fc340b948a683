"""Every decoder against arithmetic written out here, one candidate at a time; and against hostile answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from workstation.core.errors import DataError, UserError
from workstation.prelabel.api import Arrays, BadOutput, FoundBox, InputSpec, ModelCard, Prepared, Task
from workstation.prelabel.families import families, family_named, usual_input

LABELS = ("cat", "dog", "bird")
PICTURE = np.zeros((120, 320, 3), np.uint8)
"""Into 64 × 64 by letterbox: a fifth, 24 high, 20 from the top."""


def card(family: str, resize: str = "letterbox", **options: Any) -> ModelCard:
    spec = InputSpec(width=64, height=64, resize=resize)
    return ModelCard(id="tiny", task=Task.DETECT, family=family, labels=LABELS, options=options, input=spec,
                     thresholds={"score": 0.3, "iou": 0.5})  # fmt: skip


def decoded(model: ModelCard, outputs: Arrays, pictures: int = 1) -> list[list[FoundBox]]:
    family = family_named(model.family)
    return family.decode(model, outputs, family.prepare(model, [PICTURE] * pictures))


def numbers(box: FoundBox) -> tuple[float, float, float, float]:
    return box.left, box.top, box.width, box.height


def test_every_file_is_a_family_of_its_own_name() -> None:
    assert list(families()) == ["centernet", "detr", "nanodet", "ssd", "yolo-v5", "yolo-v8", "yolox"]
    assert all(family.name == name and family.tasks for name, family in families().items())
    assert all(usual_input(name).width >= 300 for name in families())
    with pytest.raises(UserError, match="known are centernet, detr"):
        family_named("yolo-v99")


def test_yolo_v8_columns_become_boxes_of_the_picture() -> None:
    values = np.zeros((1, 7, 40), np.float32)
    values[0, :, 5] = (32, 32, 20, 10, 0.1, 0.9, 0.0)
    values[0, :, 6] = (33, 32, 20, 10, 0.0, 0.8, 0.0)  # the same dog once more
    values[0, :, 7] = (33, 32, 20, 10, 0.7, 0.0, 0.0)  # a cat at the same place
    values[0, :, 8] = (2, 32, 20, 10, 0.0, 0.0, 0.5)  # half out of the picture
    values[0, :, 9] = (32, 5, 8, 8, 0.9, 0.0, 0.0)  # in the padding
    found = decoded(card("yolo-v8"), {"output0": values})[0]
    assert [(box.label, round(box.score, 4)) for box in found] == [("dog", 0.9), ("cat", 0.7), ("bird", 0.5)]
    # Twenty rows of padding lie above, and each pixel of the graph is five of the picture.
    assert numbers(found[0]) == pytest.approx((110, 35, 100, 50))
    assert numbers(found[2]) == pytest.approx((0, 35, 12 * 5, 50))


def test_suppression_across_classes_is_an_option() -> None:
    values = np.zeros((1, 7, 40), np.float32)
    values[0, :, 5] = (32, 32, 20, 10, 0.0, 0.9, 0.0)
    values[0, :, 7] = (33, 32, 20, 10, 0.7, 0.0, 0.0)
    assert [box.label for box in decoded(card("yolo-v8", agnostic=True), {"o": values})[0]] == ["dog"]


def test_yolo_v8_turned_round_and_finished_forms() -> None:
    values = np.zeros((1, 40, 7), np.float32)
    values[0, 3] = (32, 32, 20, 10, 0.0, 0.9, 0.0)
    assert numbers(decoded(card("yolo-v8"), {"o": values})[0][0]) == pytest.approx((110, 35, 100, 50))
    finished = np.zeros((2, 30, 6), np.float32)
    finished[1, 4] = (22, 27, 42, 37, 0.9, 1)
    first, second = decoded(card("yolo-v8"), {"o": finished}, pictures=2)
    assert first == []
    assert [(box.label, numbers(box)) for box in second] == [("dog", pytest.approx((110, 35, 100, 50)))]


def test_masks_are_the_prototypes_weighed_and_enlarged() -> None:
    # Prototype 0 is positive left of the middle, prototype 1 everywhere; 16 × 16 over the graph's 64 × 64.
    prototypes = np.ones((1, 2, 16, 16), np.float32)
    prototypes[0, 0, :, 8:] = -1.0
    values = np.zeros((1, 9, 40), np.float32)
    values[0, :, 0] = (32, 32, 40, 16, 0.9, 0, 0, 1.0, 0.0)
    values[0, :, 1] = (32, 32, 40, 16, 0, 0.8, 0, 0.0, 1.0)
    cat, dog = decoded(card("yolo-v8"), {"o": values, "p": prototypes})[0]
    assert numbers(cat) == pytest.approx((60, 20, 200, 80))
    assert cat.mask is not None
    assert cat.mask.shape == (80, 200)
    assert dog.mask is not None
    assert dog.mask.all()
    # The change of sign lies between prototype columns 7 and 8: at 32 of 64, at 160 of 320, 100 into the box.
    assert cat.mask[:, :99].all()
    assert not cat.mask[:, 101:].any()


def test_yolo_v5_multiplies_objectness() -> None:
    values = np.zeros((1, 60, 8), np.float32)
    values[0, 0] = (32, 32, 20, 10, 0.5, 0.0, 0.8, 0.1)
    values[0, 1] = (32, 45, 20, 10, 0.5, 0.5, 0.0, 0.0)  # 0.25: under the threshold
    found = decoded(card("yolo-v5"), {"output": values})[0]
    assert [(box.label, round(box.score, 4), numbers(box)) for box in found] == [
        ("dog", 0.4, pytest.approx((110, 35, 100, 50)))
    ]


def test_yolo_v7_finished_rows_name_their_picture() -> None:
    rows = np.array([[1, 22, 27, 42, 37, 2, 0.9], [0, 22, 27, 42, 37, 0, 0.6]], np.float32)
    first, second = decoded(card("yolo-v5"), {"output": rows}, pictures=2)
    assert [box.label for box in first + second] == ["cat", "bird"]
    assert decoded(card("yolo-v5"), {"output": rows[:0]}) == [[]]


def test_yolox_undoes_the_grid() -> None:
    # 8 × 8 cells of 8, 4 × 4 of 16, 2 × 2 of 32; row 3, column 2 of the second level.
    values = np.zeros((1, 64 + 16 + 4, 8), np.float32)
    values[0, 64 + 3 * 4 + 2] = (0.25, -0.5, math.log(1.5), math.log(0.5), 0.9, 0.0, 0.9, 0.0)
    found = decoded(card("yolox", "letterbox-corner"), {"output": values})[0]
    middle, across, down = ((2 + 0.25) * 16, (3 - 0.5) * 16), 1.5 * 16, 0.5 * 16
    # The picture is the upper 24 rows; this box lies below and is gone, unless the picture is stretched.
    assert found == []
    found = decoded(card("yolox", "stretch"), {"output": values})[0]
    left, top = (middle[0] - across / 2) * 5, (middle[1] - down / 2) * 120 / 64
    assert numbers(found[0]) == pytest.approx((left, top, across * 5, down * 120 / 64))
    assert (found[0].label, found[0].score) == ("dog", pytest.approx(0.81))
    values[0, 64 + 14, :4] = (*middle, across, down)
    assert numbers(decoded(card("yolox", "stretch", decoded=True), {"o": values})[0][0]) == pytest.approx(
        numbers(found[0])
    )


def test_nanodet_takes_the_mean_of_the_distances() -> None:
    outputs: dict[str, np.ndarray] = {}
    for stride in (8, 16, 32):
        cells = (64 // stride) ** 2
        outputs[f"scores {stride}"] = np.zeros((1, cells, 3), np.float32)
        outputs[f"bins {stride}"] = np.zeros((1, cells, 44), np.float32)
    cell = 2 * 4 + 1  # row 2, column 1 of the level of stride 16
    outputs["scores 16"][0, cell] = (0.1, 0.2, 0.8)
    sides = np.full((4, 11), -50.0, np.float32)
    sides[0, 1] = sides[1, 0] = sides[2, 2] = 9.0
    sides[3, 1] = sides[3, 2] = 9.0  # half and half: one and a half
    outputs["bins 16"][0, cell] = sides.reshape(-1)
    found = decoded(card("nanodet", "stretch"), outputs)[0]
    x, y = 1.5 * 16, 2.5 * 16
    edges = ((x - 16) * 5, y * 1.875, (x + 32) * 5, (y + 24) * 1.875)
    assert numbers(found[0]) == pytest.approx((edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1]), abs=1e-3)
    assert (found[0].label, found[0].score) == ("bird", pytest.approx(0.8))


def test_nanodet_plus_has_one_output_and_no_half_cells() -> None:
    cells = 64 + 16 + 4 + 1
    values = np.full((1, cells, 3 + 32), 0.0, np.float32)
    values[0, 64 + 9, 1] = 0.9
    values[0, 64 + 9, 3:] = np.where(np.arange(32) % 8 == 1, 60.0, -60.0)  # one stride on every side
    found = decoded(card("nanodet", "stretch"), {"output": values})[0]
    assert numbers(found[0]) == pytest.approx((0, 16 * 1.875, 32 * 5, 32 * 1.875), abs=1e-3)


def test_ssd_moves_its_priors() -> None:
    offsets, logits = np.zeros((1, 1917, 1, 4), np.float32), np.full((1, 1917, 4), -9.0, np.float32)
    # The second map has 10 × 10 cells of six shapes, after 19 × 19 of three; row 4, column 6, ratio 2.
    place = 19 * 19 * 3 + (4 * 10 + 6) * 6 + 1
    offsets[0, place, 0] = (2.0, -1.0, 0.5, -0.25)  # y, x, height, width, in tenths and fifths
    logits[0, place] = (9.0, -9.0, 1.5, -9.0)  # the first is "nothing", and is not looked at
    found = decoded(card("ssd", "stretch"), {"concat": offsets, "concat_1": logits})[0]
    scale = 0.2 + 0.75 / 5
    height, width = scale / math.sqrt(2), scale * math.sqrt(2)
    y, x = 0.45 + 0.2 * height, 0.65 - 0.1 * width
    height, width = height * math.exp(0.1), width * math.exp(-0.05)
    expected = ((x - width / 2) * 320, (y - height / 2) * 120, width * 320, height * 120)
    assert [(box.label, round(box.score, 5)) for box in found] == [("dog", round(1 / (1 + math.exp(-1.5)), 5))]
    assert numbers(found[0]) == pytest.approx(expected, abs=1e-3)


def test_ssd_with_its_own_suppression() -> None:
    outputs = {"detection_boxes:0": np.array([[[0.25, 0.5, 0.75, 1.0], [0, 0, 1, 1]]], np.float32),
               "detection_scores:0": np.array([[0.9, 0.1]], np.float32),
               "detection_classes:0": np.array([[3.0, 1.0]], np.float32),
               "num_detections:0": np.array([2.0], np.float32)}  # fmt: skip
    found = decoded(card("ssd", "stretch"), outputs)[0]
    assert [(box.label, numbers(box)) for box in found] == [("bird", pytest.approx((160, 30, 160, 60)))]


def test_detr_scales_shares_and_suppresses_nothing() -> None:
    boxes, logits = np.full((1, 20, 4), 0.5, np.float32), np.full((1, 20, 3), -9.0, np.float32)
    boxes[0, 4] = boxes[0, 5] = (0.5, 0.5, 0.25, 0.5)
    logits[0, 4, 0], logits[0, 5, 0] = 2.0, 1.0
    found = decoded(card("detr", "stretch"), {"pred_boxes": boxes, "logits": logits})[0]
    assert [round(box.score, 5) for box in found] == [round(1 / (1 + math.exp(-x)), 5) for x in (2, 1)]
    assert numbers(found[0]) == pytest.approx((160 - 40, 60 - 30, 80, 60))


def test_the_first_detr_has_a_class_for_nothing() -> None:
    boxes, logits = np.full((1, 20, 4), 0.5, np.float32), np.zeros((1, 20, 4), np.float32)
    logits[..., 3] = 9.0
    logits[0, 2] = (0.0, 3.0, 0.0, 0.0)
    found = decoded(card("detr", "stretch", softmax=True), {"boxes": boxes, "logits": logits})[0]
    assert [(box.label, round(box.score, 5)) for box in found] == [("dog", round(math.exp(3) / (math.exp(3) + 3), 5))]


def test_detr_with_its_own_arithmetic_is_told_the_size() -> None:
    model = card("detr", "stretch", size_input="orig_target_sizes")
    feeds = family_named("detr").prepare(model, [PICTURE, PICTURE]).feeds
    assert feeds["orig_target_sizes"].tolist() == [[64, 64], [64, 64]]
    outputs = {"labels": np.array([[1, 0]]), "boxes": np.array([[[16, 16, 48, 32], [0, 0, 9, 9]]], np.float32),
               "scores": np.array([[0.9, 0.1]], np.float32)}  # fmt: skip
    found = decoded(model, outputs)[0]
    assert [(box.label, numbers(box)) for box in found] == [("dog", pytest.approx((80, 30, 160, 30)))]


def test_centernet_takes_the_peaks_of_each_class() -> None:
    heat, sides = np.zeros((1, 16, 16, 3), np.float32), np.zeros((1, 16, 16, 4), np.float32)
    heat[0, 8, 5, 1], heat[0, 8, 6, 1], heat[0, 8, 6, 0] = 0.9, 0.7, 0.6  # beside a peak; a peak of another class
    sides[0, 8, 5] = sides[0, 8, 6] = (4, 8, 12, 16)
    found = decoded(card("centernet", "stretch"), {"heat": heat, "sides": sides})[0]
    assert [(box.label, round(box.score, 4)) for box in found] == [("dog", 0.9), ("cat", 0.6)]
    # Cell 5, 8 of 16 is pixel 20, 32 of 64; the picture is five times as wide and 1.875 times as high.
    assert numbers(found[0]) == pytest.approx((16 * 5, 24 * 1.875, 16 * 5, 24 * 1.875))


GOOD: Mapping[str, Mapping[str, np.ndarray]] = {
    "yolo-v8": {"o": np.full((1, 7, 40), 0.5, np.float32)},
    "yolo-v5": {"o": np.full((1, 60, 8), 0.5, np.float32)},
    "yolox": {"o": np.full((1, 84, 8), 0.5, np.float32)},
    "nanodet": {
        f"{kind} {cells}": np.full((1, cells, width), 0.5, np.float32)
        for cells in (64, 16, 4)
        for kind, width in (("scores", 3), ("bins", 44))
    },
    "ssd": {"boxes": np.full((1, 1917, 1, 4), 0.5, np.float32), "logits": np.full((1, 1917, 4), 0.5, np.float32)},
    "centernet": {"heat": np.full((1, 16, 16, 3), 0.5, np.float32), "sides": np.full((1, 16, 16, 4), 0.5, np.float32)},
    "detr": {"boxes": np.full((1, 20, 4), 0.5, np.float32), "logits": np.full((1, 20, 3), 0.5, np.float32)},
}


@pytest.mark.parametrize("family", sorted(GOOD))
@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_no_number_and_infinity_are_refused(family: str, poison: float) -> None:
    decoded(card(family), GOOD[family])
    for name, values in GOOD[family].items():
        bad = values.copy()
        bad.reshape(-1)[-1] = poison
        with pytest.raises(BadOutput, match="infinite or no numbers"):
            decoded(card(family), {**GOOD[family], name: bad})


@pytest.mark.parametrize("family", sorted(GOOD))
def test_wrong_shapes_are_refused(family: str) -> None:
    for name, values in GOOD[family].items():
        for bad in (values[0], values[:, :0], values[..., :0], values[:, :, :, None] if values.ndim == 3 else values[0],
                    np.concatenate([values, values]), np.full(values.shape, "a"), np.float32(1)):  # fmt: skip
            try:
                found = decoded(card(family), {**GOOD[family], name: np.asarray(bad)})
            except BadOutput:
                continue
            assert family.startswith("yolo-v"), (name, np.shape(bad))  # only there may a list be empty
            assert found == [[]]
    with pytest.raises(BadOutput):
        decoded(card(family), {})


@pytest.mark.parametrize("family", sorted(GOOD))
def test_giant_numbers_end_at_the_border(family: str) -> None:
    outputs = {name: values * np.float32(1e30) if "scores" not in name else values
               for name, values in GOOD[family].items()}  # fmt: skip
    try:
        found = decoded(card(family), outputs)
    except BadOutput:
        return  # scores that are no shares, boxes that are none
    for box in found[0]:
        assert 0 <= box.left <= box.left + box.width <= 320
        assert 0 <= box.top <= box.top + box.height <= 120


@pytest.mark.parametrize("family", ["centernet", "yolo-v8", "yolo-v5", "yolox", "ssd", "detr"])
def test_another_number_of_classes_than_named_is_refused(family: str) -> None:
    model = card(family)
    wrong = ModelCard(id="a", task=model.task, family=family, labels=("cat",), input=model.input)
    with pytest.raises(BadOutput, match="names 1"):
        decoded(wrong, GOOD[family])


def test_thresholds_out_of_range_are_named() -> None:
    model = card("yolo-v8")
    for thresholds in ({"score": float("nan")}, {"iou": 2.0}):
        wrong = ModelCard(id="a", task=model.task, family="yolo-v8", input=model.input, thresholds=thresholds)
        with pytest.raises(DataError, match="threshold"):
            decoded(wrong, GOOD["yolo-v8"])


def test_a_batch_of_another_family_is_refused() -> None:
    for family in families().values():
        with pytest.raises(BadOutput):
            family.decode(card(family.name), GOOD[family.name], Prepared({}, "something"))


@pytest.mark.parametrize(
    ("family", "outputs"),
    [
        ("yolo-v8", {"output0": (1, 84, 8400)}),
        ("yolo-v8", {"output0": (1, 116, 8400), "output1": (1, 32, 160, 160)}),
        ("yolo-v8", {"output0": (1, 300, 6)}),
        ("yolo-v5", {"output0": (1, 25200, 85)}),
        ("yolo-v5", {"output0": (1, 25200, 117), "output1": (1, 32, 160, 160)}),
        ("yolox", {"output": (1, 8400, 85)}),
        ("detr", {"labels": (1, 300), "boxes": (1, 300, 4), "scores": (1, 300)}),
        ("detr", {"logits": (1, 300, 80), "pred_boxes": (1, 300, 4)}),
        ("ssd", {"concat": ("batch", 1917, 1, 4), "concat_1": ("batch", 1917, 91)}),
        ("nanodet", {"a": (1, 2704, 80), "b": (1, 676, 80), "c": (1, 169, 80), "d": (1, 2704, 44), "e": (1, 676, 44),
                     "f": (1, 169, 44)}),
        ("nanodet", {"output": (1, 3598, 112)}),
        ("centernet", {"tower_0/wh": (1, 128, 128, 4), "tower_0/keypoints": (1, 128, 128, 80)}),
    ],
)  # fmt: skip
def test_bare_graphs_are_recognised(family: str, outputs: dict[str, tuple[int | str, ...]]) -> None:
    inputs: dict[str, tuple[int | str, ...]] = {"images": (1, 3, 640, 640)}
    if "labels" in outputs:
        inputs["orig_target_sizes"] = (1, 2)
    sure = {name: one.recognises(inputs, outputs, {}) for name, one in families().items()}
    assert max(sure, key=lambda name: sure[name]) == family, sure
    assert all(0 <= value <= 1 for value in sure.values())


def test_nonsense_is_recognised_by_nobody() -> None:
    for outputs in ({}, {"y": (1,)}, {"y": (1, 1000)}, {"y": ("a", "b", "c", "d", "e")}):
        assert all(one.recognises({"x": (1, 3, 8, 8)}, outputs, {}) == 0 for one in families().values())
