"""The family of plain boxes: back to the picture's own pixels, by arithmetic written out here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workstation.app.model_plugins import model_plugins
from workstation.app.plugins import find_plugins, load_plugins
from workstation.prelabel.api import BadOutput, InputSpec, ModelCard, PictureFamily, Task


@pytest.fixture(scope="module")
def family() -> PictureFamily:
    here = Path(__file__).parents[2]
    found = model_plugins(load_plugins(find_plugins(bundled=here, user=here / "none")))
    assert not found.problems
    return found.families["plain-boxes"]


def test_boxes_come_back_in_the_pixels_of_each_picture(family: PictureFamily) -> None:
    card = ModelCard(
        id="m", task=Task.DETECT, family="plain-boxes", input=InputSpec(width=10, height=20), labels=("car", "van")
    )
    pictures = [np.zeros((40, 100, 3), np.uint8), np.full((20, 10, 3), 255, np.uint8)]
    prepared = family.prepare(card, pictures)
    (feeds,) = prepared.feeds.values()
    assert feeds.shape == (2, 3, 20, 10)
    assert (feeds[0].max(), feeds[1].min()) == (0.0, 1.0)
    rows = np.zeros((2, 3, 6), np.float32)
    rows[0, 0] = (1, 2, 3, 6, 0.5, 0)
    rows[0, 1] = (0, 0, 5, 10, 0.9, 1)
    rows[1, 2] = (1, 1, 2, 2, 0.2, 0)  # below the threshold
    first, second = family.decode(card, {"out": rows}, prepared)
    assert [(each.left, each.top, each.width, each.height, each.label) for each in first] == [
        (0, 0, 50, 20, "van"), (10, 4, 20, 8, "car"),
    ]  # fmt: skip
    assert second == []


@pytest.mark.parametrize(("rows", "said"), [
    (np.zeros((1, 3, 5), np.float32), "shape"), (np.full((1, 1, 6), np.nan, np.float32), "not finite"),
])  # fmt: skip
def test_what_cannot_be_read_is_said(family: PictureFamily, rows: np.ndarray, said: str) -> None:
    card = ModelCard(id="m", task=Task.DETECT, family="plain-boxes")
    prepared = family.prepare(card, [np.zeros((8, 8, 3), np.uint8)])
    with pytest.raises(BadOutput, match=said):
        family.decode(card, {"out": rows}, prepared)


def test_a_graph_of_that_shape_is_recognised(family: PictureFamily) -> None:
    assert family.recognises({"x": (1, 3, 64, 64)}, {"y": (1, 100, 6)}, {}) > 0.5
    assert family.recognises({"x": (1, 3, 64, 64)}, {"y": (1, 84, 8400)}, {}) == 0.0
