"""Which play belongs to which scene option of FX-DRIVE: the street, ten minutes at the kerb, a drone above
it, or a robot in a warehouse."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from workstation.core.errors import UserError
from workstation.synth.drive.rig import SCENES, DriveOptions
from workstation.synth.drive.script import FAST_MPS, LANE_M, Script, street_script
from workstation.synth.drive.warehouse import hall_script
from workstation.synth.motion import LEAD_S, STEP_S, grid, integrate
from workstation.synth.pose import Floats, Path6, resting

KERB_X = 60.0
PASS_M = 180.0
"""A car of the long scene comes back after so many metres."""


def script_of(options: DriveOptions) -> Script:
    """The script of a scene at its length."""
    if options.scene == "street":
        return street_script(options.length_s())
    if options.scene == "long":
        return _at_the_kerb(options.length_s())
    if options.scene == "drone":
        return _from_above(options.length_s())
    if options.scene == "indoor":
        return hall_script(options.length_s())
    raise UserError(f"there is no scene {options.scene!r}; there are: {', '.join(SCENES)}")


def _at_the_kerb(seconds: float) -> Script:
    """The own car stands; two cars pass again and again, at 60 and at 40 km/h: a slow drift can be measured."""
    street = street_script()
    times = grid(seconds)
    ego = resting(KERB_X, -4.4)
    kept = [a for a in street.actors if a.key in ("car_2", "car_3", "car_4", "pedestrian_2")]
    moved = {
        "car_3": _passing(times, FAST_MPS, east=True),
        "car_4": _passing(times, 40 / 3.6, east=False),
        "pedestrian_2": resting(KERB_X + 14.0, 7.4, yaw=-math.pi / 2),
    }
    actors = tuple(replace(a, path=moved.get(a.key, a.path)) for a in kept)
    actors = tuple(replace(a, states=((-1.0, 1e9, "standing"),)) if a.key == "pedestrian_2" else a for a in actors)
    return replace(street, seconds=seconds, ego=ego, actors=actors, brake_speed=np.zeros(len(times)), key_moment=False)


def _passing(times: Floats, speed: float, *, east: bool) -> Path6:
    """To and fro is one way here: at the far end the car is put back to where it came from, out of sight."""
    along = np.mod(speed * (times + 3.0), PASS_M) - PASS_M / 2
    zero = np.zeros_like(along)
    x, yaw = (KERB_X + along, 0.0) if east else (KERB_X - along, math.pi)
    return Path6(-LEAD_S, STEP_S, np.stack([x, zero + (-LANE_M if east else LANE_M), zero, zero + yaw, zero, zero]))


def _from_above(seconds: float) -> Script:
    """A drone follows the first road ten metres up, rolling and pitching as it fights the wind."""
    street = street_script(seconds)
    times = grid(max(seconds, 20.0))
    velocity = np.full_like(times, 7.0)
    x = 10.0 + integrate(velocity, times)
    sway = [
        np.sin(2 * math.pi * times / period + phase)
        for period, phase in ((7.0, 0.3), (3.1, 1.0), (2.3, 2.0), (9.0, 0.0))
    ]
    values = np.stack(
        [x, -1.0 + 1.2 * sway[0], 10.0 + 0.6 * sway[3], 0.12 * sway[0], 0.05 + 0.06 * sway[1], 0.10 * sway[2]]
    )
    return replace(street, ego=Path6(-LEAD_S, STEP_S, values), brake_speed=velocity, key_moment=False)
