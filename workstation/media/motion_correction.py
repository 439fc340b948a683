"""Points of a sweep put where they would have been seen at one moment, from each point's own time and the poses.

A sweep lasts a tenth of a second; at 60 km/h its end is 1.7 m from its start. Used before a cloud is projected into a
camera or compared with one; whether it is on is for the caller to show (``corrected`` says which points it reached).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.poses import NO_MOVE, RigidTransform, Trajectory
from workstation.media.base import Cloud

_CHUNK_POINTS = 1 << 17


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedCloud:
    """A cloud as of one moment, and which of its points were moved there; the others have no pose and stay."""

    cloud: Cloud
    corrected: NDArray[np.bool_]
    """(n,)"""


def correct_motion(
    cloud: Cloud,
    world_from_vehicle: Trajectory,
    *,
    to_ns: int,
    vehicle_from_sensor: RigidTransform = NO_MOVE,
) -> CorrectedCloud:
    """The points in the sensor's frame as it stands at ``to_ns``, for things that do not move themselves.

    ``time_ns`` of the cloud, the poses and ``to_ns`` are on one clock.
    """
    times = cloud.fields.get("time_ns")
    if times is None:
        raise DataError("the points have no time of their own; without it their motion cannot be corrected")
    target = world_from_vehicle.pose_at(to_ns)
    if target is None:
        raise DataError(f"there is no pose at {to_ns} ns to correct the points to")
    sensor_at_target = (target @ vehicle_from_sensor).inverted()
    # Many points share a time (all lasers fire together): poses are found once for each.
    moments, which = np.unique(times, return_inverse=True)
    rotations, translations, known = world_from_vehicle.poses_at(moments)
    matrices = np.tile(np.eye(4), (len(moments), 1, 1))
    matrices[known, :3, :3] = _matrices(rotations[known])
    matrices[known, :3, 3] = translations[known]
    moved_by = sensor_at_target.matrix @ matrices @ vehicle_from_sensor.matrix
    moved_by[~known] = np.eye(4)
    points = np.empty_like(cloud.points)
    origin = np.array(cloud.origin)
    for start in range(0, len(points), _CHUNK_POINTS):
        part = slice(start, start + _CHUNK_POINTS)
        each = moved_by[which[part]]
        placed = cloud.points[part].astype(np.float64) + origin
        points[part] = np.einsum("nij,nj->ni", each[:, :3, :3], placed) + each[:, :3, 3] - origin
    result = Cloud(points=points, origin=cloud.origin, fields=cloud.fields, frame=cloud.frame, total=cloud.total)
    return CorrectedCloud(result, known[which])


def _matrices(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 4) unit quaternions (w, x, y, z) to (n, 3, 3)."""
    w, x, y, z = q.T
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
