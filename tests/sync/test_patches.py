"""Where patches of pictures went, against scenes that were moved by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from workstation.sync.film_turns import film_turns, plain_sight
from workstation.sync.patches import PatchFollower

Floats = NDArray[np.floating[Any]]


def texture(rng: np.random.Generator, height: int, width: int) -> Floats:
    found = ndimage.gaussian_filter(rng.normal(size=(height, width)), 2.0)
    found = 128 + 40 * found / found.std()
    return np.asarray(np.clip(found, 0, 255))


def shown(scene: Floats, shift_px: float) -> Floats:
    """The middle of the scene, moved to the right by a part of a pixel."""
    y, x = np.mgrid[0:180, 0:320]
    return np.asarray(ndimage.map_coordinates(scene, [y + 20, x + 60 - shift_px], order=3, mode="nearest"))


@pytest.mark.parametrize("shift", [0.0, 0.3, -4.6, 12.25])
def test_patches_are_followed_to_a_tenth_of_a_pixel_and_a_car_goes_its_own_way(shift: float) -> None:
    rng = np.random.default_rng(1)
    scene, car = texture(rng, 220, 440), texture(rng, 220, 440)
    before, after = shown(scene, 0.0), shown(scene, shift)
    before[60:150, 40:140] = car[60:150, 40:140]
    after[60:150, 60:160] = car[60:150, 40:140]  # 20 px to the right whatever the camera does
    follower = PatchFollower()
    pictures = [np.clip(each + rng.normal(0, 2, before.shape), 0, 255).astype(np.uint8) for each in (before, after)]
    assert follower.follow(pictures[0]) is None
    found = follower.follow(pictures[1])
    assert found is not None
    went = found.after_px - found.before_px
    scenery = (found.before_px[:, 0] > 200) | (found.before_px[:, 1] < 20)
    assert np.count_nonzero(scenery) > 6
    np.testing.assert_allclose(np.median(went[scenery], axis=0), [shift, 0], atol=0.1)
    inside = (np.abs(found.before_px - [90, 105]) < 20).all(axis=1)
    np.testing.assert_allclose(went[inside], [[20.0, 0.0]] * np.count_nonzero(inside), atol=0.2)


def test_driving_straight_on_is_no_turn_and_an_empty_picture_says_nothing() -> None:
    rng = np.random.default_rng(2)
    scene = texture(rng, 220, 440)
    y, x = np.mgrid[0:180, 0:320]
    follower, steps = PatchFollower(), []
    for grown in (1.0, 0.98, 0.9604):
        at = [110 + (y - 90) * grown, 220 + (x - 160) * grown]
        steps.append(follower.follow(np.clip(ndimage.map_coordinates(scene, at, order=3), 0, 255).astype(np.uint8)))
    found = film_turns(steps[1:], np.full(2, 1 / 30), plain_sight(320, 180), np.array([160.0, 90.0]))
    np.testing.assert_allclose(found.turned_rad, 0, atol=0.15 / 320)
    empty = PatchFollower()
    grey = np.full((180, 320), 90, np.uint8)
    assert empty.follow(grey) is None
    nothing = empty.follow(grey)
    assert nothing is not None
    assert len(nothing.sharpness) == 0
    assert empty.follow(np.zeros((90, 160), np.uint8)) is None  # another size
