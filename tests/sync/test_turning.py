"""Turns between pictures and between sweeps, against scenes that were turned by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from workstation.sync.turning import PictureTurns, SweepTurns

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
def test_a_pan_is_followed_to_a_tenth_of_a_pixel_past_a_car_that_drives_by(shift: float) -> None:
    rng = np.random.default_rng(1)
    scene, car = texture(rng, 220, 440), texture(rng, 220, 440)
    before, after = shown(scene, 0.0), shown(scene, shift)
    before[60:150, 40:140] = car[60:150, 40:140]
    after[60:150, 60:160] = car[60:150, 40:140]  # 20 px to the right whatever the camera does
    noise = [rng.normal(0, 2, before.shape) for _ in range(2)]
    turns = PictureTurns()
    pictures = [
        np.clip(each + more, 0, 255).astype(np.uint8) for each, more in zip((before, after), noise, strict=True)
    ]
    assert np.isnan(turns.turned_px(pictures[0]))
    assert turns.turned_px(pictures[1]) == pytest.approx(shift, abs=0.15)


def test_driving_straight_on_is_no_turn_and_an_empty_picture_says_nothing() -> None:
    rng = np.random.default_rng(2)
    scene = texture(rng, 220, 440)
    y, x = np.mgrid[0:180, 0:320]
    turns = PictureTurns()
    for grown in (1.0, 0.98):
        at = [110 + (y - 90) * grown, 220 + (x - 160) * grown]
        found = turns.turned_px(np.clip(ndimage.map_coordinates(scene, at, order=3), 0, 255).astype(np.uint8))
    assert found == pytest.approx(0.0, abs=0.15)
    empty = PictureTurns()
    for _ in range(2):
        nothing = empty.turned_px(np.full((180, 320), 90, np.uint8))
    assert np.isnan(nothing)


def street(rng: np.random.Generator) -> Floats:
    """Walls on both sides with gaps, poles, and ground."""
    along = rng.uniform(-40, 60, 4000)
    side = np.where(rng.random(4000) < 0.5, 9.0, -11.0)
    keep = np.floor(along / 7) % 3 != 0
    walls = np.stack([along, side + 0.8 * (np.floor(along / 5) % 2), rng.uniform(0, 4, 4000)], 1)[keep]
    poles = np.concatenate([[x, y, 0.0] + rng.uniform(0, 1, (40, 3)) * [0.1, 0.1, 4] for x, y in
                            rng.uniform((-30, -8), (50, 8), (20, 2))])  # fmt: skip
    ground = np.stack([rng.uniform(-40, 60, 4000), rng.uniform(-10, 9, 4000), np.zeros(4000)], 1)
    return np.concatenate([walls, poles, ground])


@pytest.mark.parametrize("turned", [0.0, 0.02, -0.11])
def test_sweeps_tell_a_turn_while_the_car_drives_on(turned: float) -> None:
    rng = np.random.default_rng(3)
    world = street(rng)
    turns = SweepTurns()
    for ahead, angle in ((0.0, 0.0), (1.6, turned)):
        c, s = np.cos(angle), np.sin(angle)
        seen = world[rng.random(len(world)) < 0.6] - [ahead, 0.0, 1.9]
        seen = seen @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) + rng.normal(0, 0.015, (len(seen), 3))
        found = turns.turned_rad(seen)
    assert found == pytest.approx(turned, abs=0.002)


def test_an_empty_sweep_says_nothing() -> None:
    turns = SweepTurns()
    for _ in range(2):
        found = turns.turned_rad(np.zeros((0, 3)))
    assert np.isnan(found)
    assert np.isnan(turns.turned_rad(np.full((100, 3), np.nan)))
