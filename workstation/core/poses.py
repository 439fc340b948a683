"""Rigid transforms, and trajectories of them that keep their gaps.

A transform is named after what it does: ``world_from_sensor @ points_in_sensor`` are points in the world.
Metres, right-handed. Patients are the exception: frames of a volume are LPS and their numbers are millimetres;
a tree never mixes the two, because no transform scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from workstation.core.errors import DataError
from workstation.core.ratio import Int64s
from workstation.core.rotation import (
    NO_ROTATION,
    Floats,
    Quaternion,
    conjugate,
    matrix_of,
    multiply,
    quaternion_of,
    slerp,
    unit,
)
from workstation.core.timemap import TimeMap
from workstation.core.timerange import TimeRange
from workstation.core.values import dataclass

Vector = tuple[float, float, float]


class RigidTransform(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A rotation, then a translation: ``parent_from_child`` holds where the child sits in the parent."""

    rotation: Quaternion = NO_ROTATION
    """Unit quaternion (w, x, y, z)."""
    translation: Vector = (0.0, 0.0, 0.0)
    """Metres, in the frame transformed to."""

    def __post_init__(self) -> None:
        numbers = (*self.rotation, *self.translation)
        if not np.isfinite(numbers).all():
            raise DataError("rotation and translation must be finite numbers", place="transform")
        length = float(np.linalg.norm(self.rotation))
        if abs(length - 1) > 1e-6:
            raise DataError(f"the quaternion has length {length:.7g}, not 1", place="transform")

    @property
    def matrix(self) -> Floats:
        """The (4, 4) matrix of it."""
        whole = np.eye(4)
        whole[:3, :3] = matrix_of(self.rotation)
        whole[:3, 3] = self.translation
        return whole

    def inverted(self) -> RigidTransform:
        """The way back."""
        back = -(matrix_of(self.rotation).T @ np.array(self.translation))
        return RigidTransform(conjugate(self.rotation), _vector(back))

    @overload
    def __matmul__(self, other: RigidTransform) -> RigidTransform: ...
    @overload
    def __matmul__(self, other: NDArray[np.floating]) -> Floats: ...
    def __matmul__(self, other: RigidTransform | NDArray[np.floating]) -> RigidTransform | Floats:
        """``a_from_b @ b_from_c`` is ``a_from_c``; ``a_from_b @ points_in_b`` (…, 3) are the points in ``a``."""
        turn = matrix_of(self.rotation)
        if isinstance(other, RigidTransform):
            moved = turn @ np.array(other.translation) + np.array(self.translation)
            return RigidTransform(multiply(self.rotation, other.rotation), _vector(moved))
        with np.errstate(invalid="ignore"):  # a point at infinity has no place in another frame: NaN
            points: Floats = np.asarray(other, np.float64) @ turn.T + np.array(self.translation)
        return points

    def turn(self, directions: NDArray[np.floating]) -> Floats:
        """Directions (…, 3): rotated, not moved."""
        turned: Floats = np.asarray(directions, np.float64) @ matrix_of(self.rotation).T
        return turned


NO_MOVE = RigidTransform()


def transform_of(rotation: Sequence[float], translation: Sequence[float]) -> RigidTransform:
    """From a quaternion (w, x, y, z) as files give it: few digits are made unit length, nonsense is refused."""
    length = float(np.linalg.norm(rotation))
    if len(rotation) != 4 or len(translation) != 3 or not abs(length - 1) < 0.01:
        raise DataError(f"a pose needs a unit quaternion (w, x, y, z) and x, y, z; got {rotation}, {translation}")
    return RigidTransform(unit(rotation), _vector(np.asarray(translation, np.float64)))


def transform_of_matrix(matrix: ArrayLike) -> RigidTransform:
    """From a (3, 4) or (4, 4) matrix as files give it: few digits are put right, mirrors and scales refused."""
    m = np.asarray(matrix, np.float64)
    if m.shape not in ((3, 4), (4, 4)) or not np.isfinite(m).all():
        raise DataError(f"a pose matrix has 3 or 4 rows of 4 finite numbers, this has the shape {m.shape}")
    if m.shape == (4, 4) and not np.array_equal(m[3], (0, 0, 0, 1)):
        raise DataError("the last row of a pose matrix must be 0 0 0 1; was it written transposed?")
    left, scales, right = np.linalg.svd(m[:3, :3])
    if np.abs(scales - 1).max() > 1e-3:
        raise DataError(f"this is no rotation: it scales by {scales.min():.4g} to {scales.max():.4g}")
    nearest = left @ right
    if np.linalg.det(nearest) < 0:
        raise DataError("this is no rotation: it mirrors; convert left-handed axes first")
    return RigidTransform(quaternion_of(nearest), _vector(m[:3, 3]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectory:
    """Where a moving frame was: poses at times, and nothing where there were none.

    Between two poses at most ``max_gap_ns`` apart the pose is interpolated (shortest way, constant speed);
    in longer gaps, before the first and after the last there is none.
    """

    times_ns: Int64s
    """(n,) int64, growing."""
    rotations: Floats
    """(n, 4) unit quaternions (w, x, y, z)."""
    translations: Floats
    """(n, 3) metres."""
    max_gap_ns: int

    def __post_init__(self) -> None:
        n = len(self.times_ns)
        if self.times_ns.dtype != np.int64 or self.rotations.shape != (n, 4) or self.translations.shape != (n, 3):
            raise DataError("a trajectory needs int64 times, as many quaternions and as many positions")
        if not (np.isfinite(self.rotations).all() and np.isfinite(self.translations).all()):
            raise DataError("poses must be finite; leave out the ones that are missing", place="trajectory")
        lengths = np.linalg.norm(self.rotations, axis=1)
        if n and np.abs(lengths - 1).max() > 1e-3:
            raise DataError("not a unit quaternion", place=f"trajectory, pose {int(np.argmax(np.abs(lengths - 1)))}")
        if np.any(self.times_ns[1:] <= self.times_ns[:-1]):
            raise DataError("the times of poses must grow", place="trajectory")
        if self.max_gap_ns < 0:
            raise DataError(f"the longest gap to interpolate cannot be {self.max_gap_ns} ns", place="trajectory")

    @property
    def span(self) -> TimeRange | None:
        """From the first pose to the last; ``None`` without poses."""
        return TimeRange(int(self.times_ns[0]), int(self.times_ns[-1])) if len(self.times_ns) else None

    def pose_at(self, time_ns: int) -> RigidTransform | None:
        """The pose then, or ``None``."""
        rotations, translations, known = self.poses_at(np.array([time_ns], np.int64))
        return RigidTransform(unit(rotations[0]), _vector(translations[0])) if known[0] else None

    def poses_at(self, times_ns: Int64s) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Rotations (m, 4), translations (m, 3) and whether known (m,) at times (m,); NaN where unknown."""
        n = len(self.times_ns)
        rotations, translations = np.full((len(times_ns), 4), np.nan), np.full((len(times_ns), 3), np.nan)
        if n == 0:
            return rotations, translations, np.zeros(len(times_ns), np.bool_)
        before = self.times_ns.searchsorted(times_ns, side="right") - 1
        inside = (before >= 0) & (times_ns <= self.times_ns[-1])
        before = np.clip(before, 0, n - 1)
        after = np.minimum(before + 1, n - 1)
        since = times_ns - self.times_ns[before]
        step = self.times_ns[after] - self.times_ns[before]
        known = inside & ((since == 0) | (step <= self.max_gap_ns))
        share = (since / np.maximum(step, 1))[known]
        first, last = before[known], after[known]
        rotations[known] = slerp(self.rotations[first], self.rotations[last], share)
        start = self.translations[first]
        translations[known] = start + share[:, None] * (self.translations[last] - start)
        return rotations, translations, known

    def in_session_time(self, time_map: TimeMap) -> Trajectory:
        """The same poses at session times, as a frame tree wants them."""
        return Trajectory(
            times_ns=time_map.to_session_array(self.times_ns),
            rotations=self.rotations,
            translations=self.translations,
            max_gap_ns=self.max_gap_ns,
        )


def _vector(values: Floats) -> Vector:
    x, y, z = values.tolist()
    return x, y, z
