"""Turns between sweeps, against streets that were turned by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workstation.sync.sweep_turns import SweepTurns

Floats = NDArray[np.floating[Any]]


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
    turns, found = SweepTurns(), 0.0
    for ahead, angle in ((0.0, 0.0), (1.6, turned)):
        c, s = np.cos(angle), np.sin(angle)
        seen = world[rng.random(len(world)) < 0.6] - [ahead, 0.0, 1.9]
        seen = seen @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) + rng.normal(0, 0.015, (len(seen), 3))
        found = turns.turned_rad(seen)
    assert found == pytest.approx(turned, abs=0.002)


def test_an_empty_sweep_says_nothing() -> None:
    turns, found = SweepTurns(), 0.0
    for _ in range(2):
        found = turns.turned_rad(np.zeros((0, 3)))
    assert np.isnan(found)
    assert np.isnan(turns.turned_rad(np.full((100, 3), np.nan)))


def test_a_turn_counts_at_the_sweeps_own_time_whenever_the_sensor_looked_at_the_walls() -> None:
    """A sensor goes round clockwise in a tenth of a second while the vehicle begins to turn; walls stand on one side
    only, which it sees late in each round."""
    rng = np.random.default_rng(4)
    world = street(rng)
    world = world[(world[:, 1] > 3) | (world[:, 2] < 0.1)]
    pace, gain = 0.6, 1.2  # rad/s, and how fast that grows
    straightened, raw = SweepTurns(), SweepTurns()
    errors = {"straightened": 0.0, "raw": 0.0}
    for number in range(6):
        # Each point is seen at a time of its own, by where it stands: a quarter after the sweep's time to the left.
        bearing = np.arctan2(world[:, 1], world[:, 0] - 8 * 0.1 * number)
        late_s = np.clip(bearing / (2 * np.pi) * 0.1, -0.05, 0.05)
        at_s = 0.1 * number + late_s
        angle = pace * at_s + gain * at_s**2 / 2
        away = world[:, :2] - np.stack([8 * at_s, np.zeros(len(at_s))], 1)
        c, s = np.cos(angle), np.sin(angle)
        seen = np.stack([c * away[:, 0] + s * away[:, 1], c * away[:, 1] - s * away[:, 0], world[:, 2] - 1.9], 1)
        seen += rng.normal(0, 0.01, seen.shape)
        true = pace * 0.1 + gain * 0.1 * (0.1 * number - 0.05)
        for name, found in (
            ("straightened", straightened.turned_rad(seen, late_s, step_s=0.1)),
            ("raw", raw.turned_rad(seen, step_s=0.1)),
        ):
            if number > 1:
                errors[name] = max(errors[name], abs(found - true))
    assert errors["straightened"] < 0.0012
    assert errors["raw"] > 2 * errors["straightened"]
