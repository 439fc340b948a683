"""A mask followed with memory: what is asked of the four graphs, and in which order memories and codes of time come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from workstation.prelabel.api import Arrays, BadOutput, InputSpec, ModelCard, Pixels, Task
from workstation.prelabel.masks import FoundMask
from workstation.prelabel.promptable_memory import FAMILY, RememberingMasks

SIDE, GRID, WIDE, POINTER = 64, 4, 2, 8
CARD = ModelCard(id="tiny", task=Task.PROMPTABLE_SEG, family=FAMILY,
                 input=InputSpec(width=SIDE, height=SIDE, resize="stretch", scale=1 / 255))  # fmt: skip
MASK = FoundMask(left=16, top=32, mask=np.ones((16, 32), np.bool_), score=1.0)


class Answering:
    def __init__(self, answer: Callable[[Arrays], Arrays]) -> None:
        self.answer, self.fed = answer, list[Arrays]()

    def run(self, feeds: Arrays) -> Arrays:
        self.fed.append(dict(feeds))
        return self.answer(feeds)


def picture(value: int) -> Pixels:
    return np.full((128, 64, 3), value, np.uint8)


def encoded(feeds: Arrays) -> Arrays:
    """Everything is the value of the picture, so that it is seen where it goes."""
    value = float(feeds["image"].mean() * 255)
    shapes = {"pix_feat": (1, 3, GRID, GRID), "high_res_feat0": (1, 1, 16, 16), "high_res_feat1": (1, 1, 8, 8),
              "vision_feats": (1, 3, GRID, GRID), "vision_pos_embed": (GRID * GRID, 1, 3)}  # fmt: skip
    return {name: np.full(shape, value, np.float32) for name, shape in shapes.items()}


def decoded(feeds: Arrays) -> Arrays:
    """The right half of the picture; the pointer holds what the embedding says."""
    mask = np.full((1, 1, 16, 16), -5, np.float32)
    mask[..., 8:] = 5
    pointer = np.full((1, POINTER), feeds["image_embed"].mean(), np.float32)
    return {"obj_ptr": pointer, "mask_for_mem": np.zeros((1, 1, 32, 32), np.float32), "pred_mask": mask}


def remembered(feeds: Arrays) -> Arrays:
    """Features are the picture's; places count up; the code of time is its own age, in hundreds."""
    value = feeds["pix_feat"].mean()
    places = np.arange(GRID * GRID, dtype=np.float32)[:, None, None].repeat(WIDE, axis=2)
    times = (100 * np.arange(7, dtype=np.float32)).reshape(7, 1, 1, 1).repeat(WIDE, axis=3)
    return {"maskmem_features": np.full((1, WIDE, GRID, GRID), value, np.float32), "maskmem_pos_enc": places,
            "temporal_code": times}  # fmt: skip


def graphs(**other: Callable[[Arrays], Arrays]) -> dict[str, Answering]:
    answers: dict[str, Any] = {
        "encoder": encoded, "decoder": decoded, "memory_encoder": remembered,
        "memory_attention": lambda feeds: {"image_embed": feeds["current_vision_feat"] + 1000},
    }  # fmt: skip
    return {role: Answering(answer) for role, answer in {**answers, **other}.items()}


def test_the_first_picture_is_remembered_with_the_mask_that_was_given() -> None:
    held = graphs()
    RememberingMasks(CARD, held).begin(picture(10), MASK)
    (asked,) = held["decoder"].fed
    # 64 × 128 is stretched to 64 × 64: the box keeps its columns, its rows are halved.
    assert asked["point_coords"].tolist() == [[[16, 16], [48, 24]]]
    assert asked["point_labels"].tolist() == [[2, 3]]
    (kept,) = held["memory_encoder"].fed
    given = kept["mask_for_mem"][0, 0]
    assert given.shape == (32, 32)
    assert (given[8:12, 8:24] == 10).all()  # surely inside
    assert (given[:8] == -10).all()
    assert kept["pix_feat"].mean() == pytest.approx(10)


def test_memories_come_as_the_model_was_trained_with_them() -> None:
    held = graphs()
    model = RememberingMasks(CARD, held)
    model.begin(picture(10), MASK)
    found = [model.follow(picture(value)) for value in range(11, 29)][-1]
    assert (found.left, found.top, found.mask.shape) == (32, 0, (128, 32))
    assert found.score == pytest.approx(1 / (1 + np.exp(-5)), abs=1e-3)
    last = held["memory_attention"].fed[-1]  # of picture 28
    assert last["current_vision_feat"].mean() == pytest.approx(28)
    assert [round(float(each.mean())) for each in last["memory_1"]] == [10, 22, 23, 24, 25, 26, 27]
    spatial = last["memory_pos_embed"][: 7 * GRID * GRID, 0, 0].reshape(7, -1)
    assert spatial[:, 0].tolist() == [600, 500, 400, 300, 200, 100, 0]  # the first, then from old to new
    assert (np.diff(spatial, axis=1) == 1).all()
    pointers = last["memory_0"][:, 0]
    assert len(pointers) == 16
    assert pointers[0] == pytest.approx(10)  # prompted without memory
    assert pointers[1:4].tolist() == pytest.approx([1027, 1026, 1025])
    blank = last["memory_pos_embed"][7 * GRID * GRID :]
    assert blank.shape == (16 * POINTER // WIDE, 1, WIDE)
    assert not blank.any()
    assert held["decoder"].fed[-1]["point_labels"].tolist() == [[-1]]
    assert held["decoder"].fed[-1]["image_embed"].mean() == pytest.approx(1028)


def test_after_one_picture_there_is_the_first_memory_alone() -> None:
    held = graphs()
    model = RememberingMasks(CARD, held)
    model.begin(picture(10), MASK)
    model.follow(picture(11))
    (asked,) = held["memory_attention"].fed
    assert asked["memory_1"].shape == (1, WIDE, GRID, GRID)
    assert asked["memory_pos_embed"][0, 0, 0] == 600
    assert asked["memory_0"].shape == (1, POINTER)
    model.begin(picture(50), MASK)  # another thing: nothing of the old one is left
    model.follow(picture(51))
    assert [round(float(each.mean())) for each in held["memory_attention"].fed[-1]["memory_1"]] == [50]


def test_what_is_not_seen_is_empty_and_nonsense_is_refused() -> None:
    gone = dict(decoded({"image_embed": np.zeros(1)}), pred_mask=np.full((1, 1, 16, 16), -5, np.float32))
    model = RememberingMasks(CARD, graphs(decoder=lambda _: gone))
    with pytest.raises(ValueError, match="nothing is followed"):
        model.follow(picture(1))
    with pytest.raises(ValueError, match="empty"):
        model.begin(picture(1), FoundMask(left=0, top=0, mask=np.zeros((0, 0), np.bool_), score=0))
    model.begin(picture(1), MASK)
    assert model.follow(picture(2)).empty
    few = remembered({"pix_feat": np.zeros(1)})
    few = {**few, "temporal_code": few["temporal_code"][:3]}
    with pytest.raises(BadOutput, match="seven"):
        RememberingMasks(CARD, graphs(memory_encoder=lambda _: few)).begin(picture(1), MASK)
    with pytest.raises(BadOutput, match="encoder answered y, not 'pix_feat'"):
        RememberingMasks(CARD, graphs(encoder=lambda _: {"y": np.zeros(1)})).begin(picture(1), MASK)
