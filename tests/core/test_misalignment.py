"""What patterns of disagreement are taken for, against disagreements made here from known causes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from workstation.core.cameras import Camera, Pinhole
from workstation.core.misalignment import (
    FEWEST_THINGS,
    Estimate,
    Offs,
    directions,
    displacement_of,
    pattern_of,
    together,
)

Floats = NDArray[np.float64]
SHOTS = 30


def offs(
    things: int = 10, *, yaw_deg: float = 0.0, late_s: float = 0.0, drift_s: float = 0.0, seed: int = 0,
    noise_deg: float = 0.02, shift_m: float = 0.0,
) -> Offs:  # fmt: skip
    """Things at 8 to 60 m that pass at different angular speeds, boxed with noise and a bias of each thing's own."""
    rng = np.random.default_rng(seed)
    thing = np.repeat(np.arange(things), SHOTS)
    times = np.tile(np.linspace(0, 20, SHOTS), things)
    range_m = np.repeat(rng.uniform(8, 60, things), SHOTS)
    rate = np.repeat(rng.normal(0, 0.1, (things, 2)), SHOTS, axis=0) * (1, 0.1)
    off = rng.normal(0, np.radians(noise_deg), (len(thing), 2))
    off += np.repeat(rng.normal(0, np.radians(0.01), (things, 2)), SHOTS, axis=0)
    off[:, 0] += np.radians(yaw_deg) + shift_m / range_m
    off += rate * (late_s + drift_s * (times / 20 - 0.5))[:, None]
    return Offs(thing=thing, times_s=times, off=off, rate=rate, range_m=range_m)


@pytest.mark.parametrize("seed", range(5))
def test_each_cause_is_told_from_the_others_with_an_error_that_covers_it(seed: int) -> None:
    found = pattern_of(offs(yaw_deg=0.3, late_s=0.03, drift_s=0.02, seed=seed))
    assert found is not None
    for estimate, truth in (
        (found.yaw_rad, np.radians(0.3)),
        (found.pitch_rad, 0.0),
        (found.late_s, 0.03),
        (found.drift_s, 0.02),
    ):
        assert abs(estimate.value - truth) <= 4 * estimate.error
    assert np.degrees(found.yaw_rad.error) < 0.02
    assert found.late_s.error < 0.004
    assert found.yaw_rad.beyond(np.radians(0.1))
    assert found.late_s.beyond(0.01)


@pytest.mark.parametrize("seed", range(5))
def test_where_nothing_is_off_nothing_is_beyond_any_limit(seed: int) -> None:
    found = pattern_of(offs(seed=seed))
    assert found is not None
    assert not any(each.beyond(0.0, sure=5.0) for each in (found.yaw_rad, found.pitch_rad, found.late_s, found.drift_s))


def test_one_thing_far_off_does_not_turn_the_camera() -> None:
    given = offs(yaw_deg=0.0)
    given.off[given.thing == 3] += np.radians(2.0)
    found = pattern_of(given)
    assert found is not None
    assert abs(np.degrees(found.yaw_rad.value)) < 0.05
    assert not found.yaw_rad.beyond(np.radians(0.1))
    assert np.degrees(np.median(found.left[given.thing == 3, 0])) == pytest.approx(2.0, abs=0.1)


def test_a_camera_that_sits_elsewhere_is_told_from_a_turned_one() -> None:
    shifted, turned = pattern_of(offs(shift_m=0.2, noise_deg=0.005)), pattern_of(offs(yaw_deg=0.3, noise_deg=0.005))
    assert shifted is not None
    assert turned is not None
    assert shifted.shift_m.value == pytest.approx(0.2, abs=4 * shifted.shift_m.error)
    assert shifted.shift_m.error < 0.03
    assert not shifted.yaw_rad.beyond(np.radians(0.1))
    assert turned.shift_m.value == 0.0
    assert turned.yaw_rad.beyond(np.radians(0.1))


def test_few_things_say_nothing() -> None:
    assert pattern_of(offs(FEWEST_THINGS - 1, yaw_deg=3.0)) is None


def test_estimates_together_lie_between_and_are_surer() -> None:
    found = together([Estimate(value=1.0, error=0.1), Estimate(value=2.0, error=0.2)])
    assert found.value == pytest.approx((1.0 / 0.01 + 2.0 / 0.04) / (1 / 0.01 + 1 / 0.04))
    assert found.error < 0.1


def test_directions_are_angles_from_the_axis() -> None:
    camera = Camera(name="c", frame="c", width_px=100, height_px=100, lens=Pinhole(fx=100, fy=50, cx=50, cy=50))
    found = directions(camera, np.array([[50, 50], [150, 50], [50, 0]], float))
    assert np.degrees(found) == pytest.approx(np.array([[0, 0], [45, 0], [0, -45]]))


def boxes_of(displaced: Floats, *, filled: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """Sides off, their motion by metre and the boxes of a car 4 m wide, passed by at 20 to 10 m, focal length 500."""
    away = np.linspace(20, 10, 15)
    by_metre = np.zeros((15, 4, 3))
    by_metre[:, ::2, 0] = (500 / away)[:, None]
    by_metre[:, 1::2, 2] = (-500 / away)[:, None]
    size = np.stack([2000 / away, 750 / away], 1)
    boxes = np.concatenate([np.zeros((15, 2)), size], 1)
    off = by_metre @ displaced
    off[:, 2] -= filled * size[:, 0]
    return off, by_metre, boxes


def test_a_displaced_cuboid_is_measured_and_an_empty_side_is_no_displacement() -> None:
    usable = np.ones((15, 4), np.bool_)
    found = displacement_of(*boxes_of(np.array([0.5, 0, 0])), usable)
    assert found is not None
    assert found.metres == pytest.approx([0.5, 0, 0], abs=0.02)
    assert found.beyond(0.2)
    empty = displacement_of(*boxes_of(np.zeros(3), filled=0.1), usable)
    assert empty is not None
    assert not empty.beyond(0.1)
    assert displacement_of(*boxes_of(np.array([0.5, 0, 0])), np.zeros((15, 4), np.bool_)) is None
