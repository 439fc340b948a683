"""What a hand does to a cuboid, as pure functions over values: move, turn, drag a face or corner, snap it to points.

Used by the tools of views into space and the actions on cuboids. Metres in one frame with z up; yaw turns about z.
A face is an axis of the cuboid (0 length, 1 width, 2 height) and a sign: (0, 1) is the front, (2, -1) the bottom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from workstation.core.geometry import Cuboid
from workstation.core.poses import RigidTransform
from workstation.core.rotation import about_z, matrix_of, multiply, unit

Floats = NDArray[np.float64]
Vec3 = tuple[float, float, float]
Face = tuple[int, int]
FACES: tuple[Face, ...] = ((0, 1), (0, -1), (1, 1), (1, -1), (2, 1), (2, -1))
FACE_NAMES = {(0, 1): "front", (0, -1): "back", (1, 1): "left", (1, -1): "right", (2, 1): "top", (2, -1): "bottom"}
LEAST_M = 0.05
"""No side of a cuboid gets shorter by hand."""
_SLACK_M = 0.15
"""How far beside a face points still count for it: noise, mirrors, a door that stands out."""


def axes_of(cuboid: Cuboid) -> Floats:
    """(3, 3) columns: unit vectors along length, width and height."""
    return matrix_of(cuboid.rotation)


def yaw_of(cuboid: Cuboid) -> float:
    """Turn about z, radians."""
    ahead = axes_of(cuboid)[:, 0]
    return math.atan2(ahead[1], ahead[0])


def local(cuboid: Cuboid, points: NDArray[np.floating]) -> Floats:
    """Points (n, 3) along the cuboid's own axes about its centre."""
    found: Floats = (np.asarray(points, np.float64) - np.array(cuboid.center)) @ axes_of(cuboid)
    return found


def inside(cuboid: Cuboid, points: NDArray[np.floating], *, grown_m: float = 0.0) -> NDArray[np.bool_]:
    """Which points (n, 3) lie in it."""
    center, half = np.array(cuboid.center), np.array(cuboid.size) / 2 + grown_m
    reach = float(np.linalg.norm(half))
    within: NDArray[np.bool_] = (np.abs(points - center) <= reach).all(axis=1)
    near = np.flatnonzero(within)
    within[near] = (np.abs(local(cuboid, points[near])) <= half).all(axis=1)
    return within


def face_center(cuboid: Cuboid, face: Face) -> Vec3:
    """The middle of a face."""
    axis, sign = face
    return _vec(np.array(cuboid.center) + axes_of(cuboid)[:, axis] * sign * cuboid.size[axis] / 2)


def place_in(cuboid: Cuboid, share: Sequence[float]) -> Vec3:
    """A place of it by shares of half its size: (1, 1, 0) is the edge between front and left."""
    return _vec(np.array(cuboid.center) + axes_of(cuboid) @ (np.array(share) * np.array(cuboid.size) / 2))


def moved(cuboid: Cuboid, by: Sequence[float]) -> Cuboid:
    """Shifted."""
    return replace(cuboid, center=_vec(np.array(cuboid.center) + np.array(by)))


def turned(cuboid: Cuboid, angle_rad: float, axis: Sequence[float] = (0.0, 0.0, 1.0)) -> Cuboid:
    """Turned about an axis through its centre."""
    x, y, z = np.asarray(axis, np.float64) / np.linalg.norm(axis)
    half = angle_rad / 2
    sine = math.sin(half)
    turn = unit((math.cos(half), x * sine, y * sine, z * sine))
    return replace(cuboid, rotation=multiply(turn, cuboid.rotation))


def turned_round(cuboid: Cuboid) -> Cuboid:
    """Front and back exchanged."""
    return replace(cuboid, rotation=multiply(cuboid.rotation, about_z(math.pi)))


def turned_quarter(cuboid: Cuboid) -> Cuboid:
    """The same box with another side called its front: length and width change their names."""
    length, width, height = cuboid.size
    return replace(cuboid, size=(width, length, height), rotation=multiply(cuboid.rotation, about_z(math.pi / 2)))


def level(cuboid: Cuboid) -> Cuboid:
    """Upright again: yaw stays."""
    return replace(cuboid, rotation=about_z(yaw_of(cuboid)))


def face_moved(cuboid: Cuboid, face: Face, outward_m: float) -> Cuboid:
    """One face moved along its own axis; the opposite one stays."""
    axis, sign = face
    by = max(outward_m, LEAST_M - cuboid.size[axis])
    size = list(cuboid.size)
    size[axis] += by
    center = np.array(cuboid.center) + axes_of(cuboid)[:, axis] * (sign * by / 2)
    return replace(cuboid, center=_vec(center), size=(size[0], size[1], size[2]))


def in_frame(cuboid: Cuboid, target_from_source: RigidTransform) -> Cuboid:
    """The same cuboid in another frame."""
    there = target_from_source @ RigidTransform(unit(cuboid.rotation), cuboid.center)
    return replace(cuboid, center=there.translation, rotation=there.rotation)


def snap_to_points(
    cuboid: Cuboid, face: Face, points: NDArray[np.floating], *, reach_m: float, floor_m: float | None = None
) -> float:
    """How far outward a face must go to lie on the outermost of its points within reach; 0 where there are none.

    Points beside the face do not count, nor, for its four sides, what lies at or below ``floor_m`` (the ground). A
    single point is not believed: the second outermost says where the edge is.
    """
    axis, sign = face
    half = np.array(cuboid.size) / 2
    near = local(cuboid, points)
    others = [each for each in range(3) if each != axis]
    beside = (np.abs(near[:, others]) <= half[others] + min(_SLACK_M, reach_m)).all(axis=1)
    if floor_m is not None and axis != 2:
        beside &= np.asarray(points)[:, 2] > floor_m
    outward = near[beside, axis] * sign - half[axis]
    within = np.sort(outward[np.abs(outward) <= reach_m])[::-1]
    if not len(within):
        return 0.0
    return float(within[min(1, len(within) - 1)] if len(within) > 2 else within[0])


def range_m(cuboid: Cuboid, eye: Sequence[float]) -> float:
    """How far its middle is from the sensor."""
    return float(np.linalg.norm(np.array(cuboid.center) - np.array(eye)))


def _vec(values: Sequence[float] | Floats) -> Vec3:
    x, y, z = (float(each) for each in values)
    return (x, y, z)
