"""A view that goes along with a vehicle: behind it at first, and beside it once it has moved and turned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.poses import RigidTransform
from workstation.ui.scenes.space_view import SpaceView

_START = ((-16.0, 0.0, 9.0), (8.0, 0.0, 0.0))
"""Where one stands at first, from the vehicle: behind and above it, looking ahead."""


def behind(vehicle: RigidTransform, view: SpaceView) -> SpaceView:
    """Behind and above a vehicle, looking ahead, in a picture of the same size."""
    ahead = vehicle.turn(np.array([1.0, 0.0, 0.0]))
    turn = _about_z(float(np.arctan2(ahead[1], ahead[0])))
    eye, target = ((turn @ np.array(each)) + vehicle.translation for each in _START)
    return SpaceView(eye=_vector(eye), target=_vector(target), width_px=view.width_px, height_px=view.height_px)


def carried(view: SpaceView, before: RigidTransform, after: RigidTransform) -> SpaceView:
    """A view that keeps its place beside a vehicle that has moved and turned; it stays upright."""
    ahead_before, ahead_after = (each.turn(np.array([1.0, 0.0, 0.0])) for each in (before, after))
    turned = np.arctan2(ahead_after[1], ahead_after[0]) - np.arctan2(ahead_before[1], ahead_before[0])
    turn = _about_z(float(turned))
    start, end = np.array(before.translation), np.array(after.translation)
    return replace(
        view,
        eye=_vector(turn @ (np.array(view.eye) - start) + end),
        target=_vector(turn @ (np.array(view.target) - start) + end),
        up=_vector(turn @ np.array(view.up)),
    )


def upright(vehicle: RigidTransform) -> NDArray[np.float64]:
    """(3, 3) the axes of a vehicle as if it stood level: ahead, left and straight up."""
    ahead = vehicle.turn(np.array([1.0, 0.0, 0.0]))
    return np.asarray(_about_z(float(np.arctan2(ahead[1], ahead[0]))), np.float64)


def _about_z(yaw: float) -> Any:
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _vector(values: Any) -> tuple[float, float, float]:
    x, y, z = np.asarray(values, np.float64).tolist()
    return x, y, z
