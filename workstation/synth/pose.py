"""Rigid poses and sampled paths of the generated scenes.

Kept apart from ``core/space.py`` on purpose: what is written into a truth file tests the program's own geometry, so
it must not come out of it. Axes: x forward, y left, z up, metres; angles in radians, positive pitch is nose down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Floats:
    """3×3 rotation: roll about x first, then pitch about y, then yaw about z."""
    cy, sy = math.cos(yaw), math.sin(yaw)
    cp, sp = math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def rotations(yaw: Floats, pitch: Floats, roll: Floats) -> Floats:
    """The same for arrays of N angles: N×3×3."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    rows = [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
    return np.moveaxis(np.array([[np.broadcast_to(c, np.shape(yaw)) for c in row] for row in rows]), -1, 0)


def quaternion(matrix: Floats) -> tuple[float, float, float, float]:
    """Unit quaternion w, x, y, z of a rotation matrix, with w not negative."""
    trace = float(np.trace(matrix))
    candidates = np.array([trace, matrix[0, 0], matrix[1, 1], matrix[2, 2]])
    largest = int(np.argmax(candidates))
    q = np.empty(4)
    if largest == 0:
        q[0] = 1.0 + trace
        q[1:] = matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]
    else:
        i = largest - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        q[0] = matrix[k, j] - matrix[j, k]
        q[1 + i] = 1.0 + matrix[i, i] - matrix[j, j] - matrix[k, k]
        q[1 + j] = matrix[j, i] + matrix[i, j]
        q[1 + k] = matrix[k, i] + matrix[i, k]
    q /= np.linalg.norm(q)
    if q[0] < 0:
        q = -q
    return float(q[0]), float(q[1]), float(q[2]), float(q[3])


@dataclass(frozen=True, slots=True)
class Pose:
    """``parent_from_child``: rotation 3×3 and translation in metres."""

    rotation: Floats
    translation: Floats

    def apply(self, points_in_child: Floats) -> Floats:
        """N×3 points of the child frame, in the parent frame."""
        return points_in_child @ self.rotation.T + self.translation

    def inverse(self) -> Pose:
        """``child_from_parent``."""
        return Pose(self.rotation.T, -self.rotation.T @ self.translation)

    def then(self, child: Pose) -> Pose:
        """``parent_from_grandchild`` of ``self`` = parent_from_child and ``child`` = child_from_grandchild."""
        return Pose(self.rotation @ child.rotation, self.rotation @ child.translation + self.translation)

    def matrix(self) -> list[list[float]]:
        """4×4 as nested lists, for JSON."""
        out = np.eye(4)
        out[:3, :3] = self.rotation
        out[:3, 3] = self.translation
        rows: list[list[float]] = out.tolist()
        return rows


def pose(x: float, y: float, z: float, *, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Pose:
    """A pose from a place and three angles."""
    return Pose(rotation(yaw, pitch, roll), np.array([x, y, z], dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Path6:
    """A motion sampled evenly: six rows (x, y, z, yaw, pitch, roll), between the samples straight lines.

    At the 1 ms step used here a straight line is within 1 µm of a car's curve.
    """

    start_s: float
    step_s: float
    values: Floats
    """6×N."""

    def at(self, time_s: ArrayLike) -> Floats:
        """6×M values at M times; before the first and after the last sample the end value stands still."""
        times = np.atleast_1d(np.asarray(time_s, dtype=np.float64))
        place = np.clip((times - self.start_s) / self.step_s, 0.0, self.values.shape[1] - 1)
        index = np.minimum(place.astype(np.int64), self.values.shape[1] - 2)
        before = self.values[:, index]
        between: Floats = before + (self.values[:, index + 1] - before) * (place - index)
        return between

    def pose_at(self, time_s: float) -> Pose:
        """``world_from_body`` at one instant."""
        place = min(max((time_s - self.start_s) / self.step_s, 0.0), self.values.shape[1] - 1.0)
        index = min(int(place), self.values.shape[1] - 2)
        before, after = self.values[:, index].tolist(), self.values[:, index + 1].tolist()
        share = place - index
        x, y, z, yaw, pitch, roll = (a + (b - a) * share for a, b in zip(before, after, strict=True))
        return pose(x, y, z, yaw=yaw, pitch=pitch, roll=roll)

    def velocity_at(self, time_s: ArrayLike, window_s: float = 0.01) -> Floats:
        """6×M rates (m/s, rad/s) by central difference over ``window_s``."""
        times = np.atleast_1d(np.asarray(time_s, dtype=np.float64))
        half = window_s / 2
        rates: Floats = (self.at(times + half) - self.at(times - half)) / window_s
        return rates


def resting(x: float, y: float, *, yaw: float = 0.0, z: float = 0.0) -> Path6:
    """A path that stays where it is."""
    return Path6(0.0, 1.0, np.array([[x] * 2, [y] * 2, [z] * 2, [yaw] * 2, [0.0] * 2, [0.0] * 2]))
