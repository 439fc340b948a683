"""Pictures into a graph's picture and back: where a pixel goes, what becomes of its value, and that it returns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.prelabel.api import BadOutput, InputSpec, ModelCard, Prepared, Task
from workstation.prelabel.fitting import back_of, fitted, prepared, size_of, stacked

SIDES = st.integers(1, 5000)


@given(SIDES, SIDES, st.integers(32, 1280), st.integers(32, 1280),
       st.sampled_from(["letterbox", "letterbox-corner", "stretch"]), st.data())  # fmt: skip
def test_a_box_comes_back_to_where_it_was(
    width: int, height: int, across: int, down: int, resize: str, data: st.DataObject
) -> None:
    left, right = sorted(data.draw(st.tuples(st.floats(0, width), st.floats(0, width))))
    top, bottom = sorted(data.draw(st.tuples(st.floats(0, height), st.floats(0, height))))
    fit = fitted((width, height), (across, down), resize)
    box = np.array([[left, top, right, bottom]])
    inside = fit.to_graph(box)
    assert (inside >= -1e-6).all()
    assert (inside <= np.array([across, down, across, down]) + 1e-6).all()
    assert np.allclose(fit.to_picture(inside), box, atol=1e-6)


def test_a_letterbox_keeps_the_shape_and_puts_the_picture_in_the_middle_or_the_corner() -> None:
    middle = fitted((1920, 1080), (640, 640), "letterbox")
    assert (middle.scale_x, middle.scale_y) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert (middle.offset_x, middle.offset_y) == (0, 140)
    corner = fitted((1920, 1080), (640, 640), "letterbox-corner")
    assert (corner.offset_x, corner.offset_y) == (0, 0)
    stretch = fitted((1920, 1080), (640, 640), "stretch")
    assert (stretch.scale_x, stretch.scale_y) == (pytest.approx(640 / 1920), pytest.approx(640 / 1080))


def test_boxes_are_cut_at_the_border_of_the_picture() -> None:
    fit = fitted((100, 50), (100, 100), "letterbox")
    assert fit.to_picture(np.array([[-20.0, 0.0, 130.0, 100.0]])).tolist() == [[0, 0, 100, 50]]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_values_are_scaled_then_centred_in_the_order_of_the_channels(layout: str) -> None:
    picture = np.zeros((2, 4, 3), np.uint8)
    picture[...] = (10, 20, 30)
    spec = InputSpec(layout=layout, color="BGR", scale=0.5, mean=(1.0, 2.0, 3.0), std=(2.0, 4.0, 8.0), pad=100,
                     resize="letterbox-corner")  # fmt: skip
    values, _ = stacked([picture], spec, (4, 4))
    pixels = values[0].transpose(1, 2, 0) if layout == "NCHW" else values[0]
    assert pixels.dtype == np.float32
    assert pixels[0, 0].tolist() == [(30 * 0.5 - 1) / 2, (20 * 0.5 - 2) / 4, (10 * 0.5 - 3) / 8]
    assert pixels[3, 3].tolist() == [(100 * 0.5 - 1) / 2, (100 * 0.5 - 2) / 4, (100 * 0.5 - 3) / 8]


def test_a_batch_may_mix_sizes() -> None:
    pictures = [np.full((10, 20, 3), 255, np.uint8), np.full((30, 10, 3), 255, np.uint8)]
    values, fits = stacked(pictures, InputSpec(pad=0), (20, 20))
    assert values.shape == (2, 3, 20, 20)
    assert [int((plane[0] > 0).sum()) for plane in values] == [200, 20 * round(10 * 2 / 3)]
    assert [(fit.width, fit.height) for fit in fits] == [(20, 10), (10, 30)]


@pytest.mark.parametrize(
    "spec",
    [InputSpec(width=0, height=0), InputSpec(width=100_000, height=10), InputSpec(width=-1, height=10)],
)
def test_a_size_out_of_bounds_is_named(spec: InputSpec) -> None:
    with pytest.raises(DataError, match="input size"):
        size_of(spec, InputSpec())


@pytest.mark.parametrize(
    "spec",
    [
        InputSpec(resize="squeeze"),
        InputSpec(layout="CHWN"),
        InputSpec(color="HSV"),
        InputSpec(dtype="float128"),
        InputSpec(mean=(1.0, 2.0)),
        InputSpec(std=(1.0, 0.0, 1.0)),
        InputSpec(mean=(float("nan"),)),
    ],
)
def test_a_manifest_that_makes_no_sense_is_named(spec: InputSpec) -> None:
    with pytest.raises(DataError, match=r"model\.yaml"):
        stacked([np.zeros((4, 4, 3), np.uint8)], spec, (8, 8))


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3)])
def test_what_is_no_picture_is_our_own_mistake(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a picture is"):
        stacked([np.zeros(shape, np.uint8)], InputSpec(), (8, 8))


def test_the_feed_has_the_name_that_the_card_gives() -> None:
    card = ModelCard(id="a", task=Task.DETECT, family="x", options={"input_name": "data"})
    done = prepared(card, [np.zeros((4, 4, 3), np.uint8)], InputSpec(width=8, height=8), "images")
    assert list(done.feeds) == ["data"]
    assert back_of(done).size == (8, 8)
    with pytest.raises(BadOutput):
        back_of(Prepared({}, None))
