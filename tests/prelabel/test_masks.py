"""Box to mask, carrying by flow and prompts, over pictures whose truth the test draws itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from workstation.core.errors import UserError
from workstation.prelabel.api import Arrays, BadOutput, InputSpec, ModelCard, Pixels, Task
from workstation.prelabel.flow import carried
from workstation.prelabel.masks import FoundMask, Stroke, box_to_mask, crop_of
from workstation.prelabel.promptable import Prompt, Promptable

BOX = (100.0, 60.0, 120.0, 90.0)


class Answering:
    """Stands in for a graph: a function of the feeds; counts."""

    def __init__(self, answer: Callable[[Arrays], Arrays]) -> None:
        self.answer, self.fed = answer, list[Arrays]()

    def run(self, feeds: Arrays) -> Arrays:
        self.fed.append(dict(feeds))
        return self.answer(feeds)


def scene(dx: float = 0.0, dy: float = 0.0) -> tuple[Pixels, np.ndarray]:
    """A textured ellipse on a textured ground, and which pixels are the ellipse's."""
    rng = np.random.default_rng(5)
    down, across = np.mgrid[:240, :320]
    ground = 90 + 18 * np.sin(across / 7) * np.cos(down / 9) + rng.normal(0, 3, (240, 320))
    inside = ((across - 160 - dx) / 50) ** 2 + ((down - 105 - dy) / 38) ** 2 <= 1
    thing = 190 + 25 * np.sin((across - dx) / 6) * np.sin((down - dy) / 5)
    picture = np.stack([np.where(inside, thing, ground), np.where(inside, 60, ground), ground], axis=-1)
    return np.clip(picture, 0, 255).astype(np.uint8), inside


def overlap(found: FoundMask, truth: np.ndarray) -> float:
    whole = np.zeros_like(truth)
    height, width = found.mask.shape
    whole[found.top : found.top + height, found.left : found.left + width] = found.mask
    return float((whole & truth).sum() / (whole | truth).sum())


def saliency(plane: np.ndarray) -> Answering:
    return Answering(lambda _: {"d0": plane[None, None].astype(np.float32), "d1": np.zeros((1, 1, 320, 320))})


def test_without_a_graph_the_colours_in_the_box_make_the_mask() -> None:
    picture, truth = scene()
    crop = crop_of(picture, BOX)
    found = box_to_mask(picture, crop)
    assert overlap(found, truth) > 0.95
    assert np.array_equal(found.mask, box_to_mask(picture, crop).mask)


def test_with_a_graph_its_border_stands_and_is_cut_to_the_box() -> None:
    picture, _ = scene()
    plane = np.zeros((320, 320))
    plane[:, :160] = 0.8
    graph = saliency(plane)
    found = box_to_mask(picture, crop_of(picture, BOX, graph, "in"))
    assert (found.left, found.top, found.mask.shape) == (100, 60, (90, 120))
    # The crop is 8 % larger on every side, the left half of it is the left half of the box.
    assert found.mask[:, :58].all()
    assert not found.mask[:, 62:].any()
    assert found.score == pytest.approx(0.8, abs=0.05)
    fed = graph.fed[0]["in"]
    assert fed.shape == (1, 3, 320, 320)
    corner = picture[int(60 - 7.2), int(100 - 9.6)] / 255
    assert fed[0, :, 0, 0] == pytest.approx((corner - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], abs=0.2)


def test_strokes_bind() -> None:
    picture, truth = scene()
    plane = np.full((320, 320), 0.5)  # a graph that cannot tell
    crop = crop_of(picture, BOX, saliency(plane))
    middle = Stroke(np.array([[140.0, 105.0], [180.0, 105.0]]), 4, plus=True)
    corners = [Stroke(np.array([[x, y]]), 5, plus=False) for x in (106, 213) for y in (66, 143)]
    found = box_to_mask(picture, crop, [middle, *corners])
    assert overlap(found, truth) > 0.95
    hole = Stroke(np.array([[160.0, 105.0]]), 3, plus=False)
    holed = box_to_mask(picture, crop, [middle, *corners, hole])
    assert found.mask[45, 60]
    assert not holed.mask[45, 60]


@pytest.mark.parametrize("plus", [True, False])
def test_strokes_over_everything_leave_one_kind_only(plus: bool) -> None:
    picture, _ = scene()
    crop = crop_of(picture, BOX)
    found = box_to_mask(picture, crop, [Stroke(np.array([[90.0, 105.0], [230.0, 105.0]]), 200, plus=plus)])
    assert found.mask.all() if plus else found.empty


def test_odd_boxes_and_strokes() -> None:
    picture, _ = scene()
    for box in ((-20.0, -20.0, 60.0, 50.0), (310.0, 230.0, 50.0, 50.0), (5.0, 5.0, 0.4, 0.4)):
        found = box_to_mask(picture, crop_of(picture, box), [Stroke(np.array([[np.nan, 1.0]]), 3, plus=True)])
        assert 0 <= found.left < 320
        assert 0 <= found.top < 240
    for box in ((0.0, 0.0, 0.0, 5.0), (400.0, 0.0, 5.0, 5.0), (np.nan, 0.0, 5.0, 5.0)):
        with pytest.raises(ValueError, match="box"):
            crop_of(picture, box)


@pytest.mark.parametrize(
    "answer",
    [{}, {"d0": np.full((1, 1, 4, 4), np.nan, np.float32)}, {"d0": np.zeros((1, 3, 4, 4))}, {"d0": np.zeros((4, 4))},
     {"d0": np.zeros((1, 1, 0, 4))}],
)  # fmt: skip
def test_a_graph_that_answers_nonsense_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(BadOutput):
        crop_of(scene()[0], BOX, Answering(lambda _: answer))


def test_flow_carries_a_mask_to_where_the_thing_went() -> None:
    (before, old), (after, new) = scene(), scene(7, -4)
    start = FoundMask(left=0, top=0, mask=old, score=1)
    found = carried(start, before, after)
    assert overlap(found, new) > 0.95 > overlap(start, new)
    assert found.score > 0.7
    gone = carried(found, after, np.full_like(after, 255))
    assert gone.score < found.score
    nothing = FoundMask(left=0, top=0, mask=np.zeros((0, 0), np.bool_), score=0)
    assert carried(nothing, before, after).empty
    with pytest.raises(ValueError, match="one size"):
        carried(start, before, after[:-1])


def card(family: str, **options: Any) -> ModelCard:
    spec = InputSpec(width=64, height=64, resize="letterbox-corner" if family == "sam" else "stretch", scale=1 / 255)
    return ModelCard(id="tiny", task=Task.PROMPTABLE_SEG, family=family, input=spec, options=options)


def decoder(shape: tuple[int, int]) -> Answering:
    """Answers three masks; the second is the best, and is a rectangle of the graph's picture."""

    def answer(_: Arrays) -> Arrays:
        masks = np.full((1, 3, *shape), -5.0, np.float32)
        masks[0, 1, shape[0] // 4 : shape[0] // 2, : shape[1] // 2] = 5
        return {"masks": masks, "iou_predictions": np.array([[0.2, 0.9, 0.5]], np.float32),
                "low_res_masks": np.zeros((1, 3, 16, 16), np.float32)}  # fmt: skip

    return Answering(answer)


def encoder(*names: str) -> Answering:
    return Answering(lambda _: {name: np.ones((1, 4, 4, 4), np.float32) for name in names})


def test_sam_sees_a_picture_once_and_is_asked_often() -> None:
    picture, _ = scene()
    eyes, hand = encoder("image_embeddings"), decoder((240, 320))
    model = Promptable(card("sam"), eyes, hand)
    found = model.mask("a", lambda: picture, Prompt(points=((160, 120, True), (0, 0, False)))).found
    model.mask("a", lambda: picture, Prompt(box=(32, 24, 64, 48)))
    assert len(eyes.fed) == 1
    assert (found.left, found.top, found.mask.shape, found.score) == (0, 60, (60, 160), pytest.approx(0.9))
    # 320 × 240 goes into 64 × 64 by a fifth; a point that is none stands behind where there is no box.
    assert hand.fed[0]["point_coords"].tolist() == [[[32, 24], [0, 0], [0, 0]]]
    assert hand.fed[0]["point_labels"].tolist() == [[1, 0, -1]]
    assert hand.fed[1]["point_coords"][0].tolist() == pytest.approx(np.array([[6.4, 4.8], [19.2, 14.4]]))
    assert hand.fed[1]["point_labels"].tolist() == [[2, 3]]
    assert hand.fed[0]["orig_im_size"].tolist() == [240, 320]
    assert hand.fed[0]["has_mask_input"].tolist() == [0]
    assert (eyes.fed[0]["images"][0, :, 48:] == 0).all()


def test_sam_2_has_finer_features_and_masks_of_its_own_size() -> None:
    picture, _ = scene()
    eyes, hand = encoder("image_embed", "high_res_feats_0", "high_res_feats_1"), decoder((16, 16))
    model = Promptable(card("sam2"), eyes, hand)
    found = model.mask(1, lambda: picture, Prompt(points=((10, 10, True),))).found
    assert {"image_embed", "high_res_feats_0", "high_res_feats_1"} <= set(hand.fed[0])
    assert "orig_im_size" not in hand.fed[0]
    # A quarter to a half of the height, half of the width; the border lies between two logits.
    assert (found.left, found.top, found.mask.shape) == (0, 60, (60, 160))


def test_what_was_seen_is_bounded_in_bytes() -> None:
    picture, _ = scene()
    eyes = encoder("image_embeddings")
    model = Promptable(card("sam"), eyes, decoder((240, 320)), cache_bytes=600)  # two embeddings of 256
    for key in ("a", "b", "a", "c", "a", "b"):
        model.mask(key, lambda: picture, Prompt(points=((1, 1, True),)))
    assert len(eyes.fed) == 4  # a, b, c, and b again


def test_a_mask_is_followed_with_its_box_and_logits() -> None:
    (before, old), (after, _) = scene(), scene(7, -4)
    eyes, hand = encoder("image_embeddings"), decoder((240, 320))
    model = Promptable(card("sam"), eyes, hand)
    first = model.mask("a", lambda: before, Prompt(points=((160, 105, True),)))
    whole = FoundMask(left=0, top=0, mask=old, score=1)
    model.follow(type(first)(whole, first.logits), before, "b", after)
    fed = hand.fed[1]
    assert fed["has_mask_input"].tolist() == [1]
    assert fed["mask_input"].shape == (1, 1, 16, 16)
    assert fed["mask_input"][0, 0, 5, 8] > 5  # the ellipse's middle, (167, 101), is at (8.4, 5.1) there
    assert fed["mask_input"][0, 0, 14, 8] < -5
    box = fed["point_coords"][0] * 5
    assert box.reshape(-1).tolist() == pytest.approx([117, 63, 218, 140], abs=4)


def test_prompts_and_answers_that_make_no_sense() -> None:
    picture, _ = scene()
    good = decoder((240, 320)).run({})
    with pytest.raises(UserError, match="takes no prompts"):
        Promptable(card("yolo-v8"), encoder("x"), decoder((4, 4)))
    model = Promptable(card("sam"), encoder("image_embeddings"), decoder((240, 320)))
    for prompt in (Prompt(), Prompt(points=((np.nan, 0, True),))):
        with pytest.raises(ValueError, match="prompt"):
            model.mask("a", lambda: picture, prompt)
    bad = [{}, {**good, "masks": good["masks"] * np.nan}, {**good, "iou_predictions": np.zeros((1, 2))},
           {**good, "masks": good["masks"][:, :0], "iou_predictions": np.zeros((1, 0))}]  # fmt: skip
    for answer in bad:
        model = Promptable(card("sam"), encoder("image_embeddings"), Answering(lambda _, one=answer: one))
        with pytest.raises(BadOutput):
            model.mask("a", lambda: picture, Prompt(points=((1, 1, True),)))
    with pytest.raises(BadOutput, match="image_embeddings"):
        Promptable(card("sam"), Answering(lambda _: {}), decoder((4, 4))).mask(
            "a", lambda: picture, Prompt(points=((1, 1, True),))
        )
