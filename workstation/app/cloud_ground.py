"""Where the sweeps of a sample lie: the frame a view into space is drawn in, its origin, and how a cloud gets there.

Made on the window's thread from the rig (``cloud_view.py``), then only read, so that workers may place sweeps with it.
Everything is drawn in the root of the frame tree, in which what stands still stays where it is, about an origin near
the vehicle's first place: map coordinates lose metres in float32.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.poses import NO_MOVE, RigidTransform, Trajectory
from workstation.core.sample import Stream
from workstation.core.space import Calibration, FrameTree, NoTransform
from workstation.media.base import Cloud
from workstation.media.motion_correction import correct_motion

Vec3 = tuple[float, float, float]
_CHUNK = 1 << 20
MOST_SORTED = 400_000
_MOST_WAY = 4_000
"""Poses of the drawn way of the vehicle."""


class Correction(StrEnum):
    """Whether each point was put where the sensor was at its own time."""

    OFF = "off"
    ON = "on"
    NO_TIMES = "no point times"
    NO_POSES = "no poses"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedSweep:
    """One sweep in the scene, ready to be coloured."""

    stream: str
    """Id of the stream."""
    index: int
    own_ns: int | None
    """``None`` for a still cloud without a time."""
    session_ns: int | None
    points: NDArray[np.float32]
    """(n, 3) scene metres, all finite."""
    columns: Mapping[str, NDArray[Any]]
    """As ``Cloud.fields``, of the same points."""
    rows: NDArray[np.int64] | None
    """Which points of the sweep they are, where some are left out; ``None``: all, in order."""
    total: int
    """Points of the sweep in its file."""
    correction: Correction
    sensor: Vec3
    """Where the sensor was."""
    low: Vec3
    high: Vec3
    """A box around the points; a metre about the sensor where there are none."""
    by_x: NDArray[np.intp] | None = None
    """The points in the order of their x, for counting them in many boxes; ``None`` for clouds too large for that."""

    @property
    def nbytes(self) -> int:
        """What it keeps in memory."""
        rows = 0 if self.rows is None else self.rows.nbytes
        return self.points.nbytes + rows + sum(values.nbytes for values in self.columns.values())


@dataclass(frozen=True, slots=True, eq=False)
class _Mover:
    """What moves a frame: the poses of an ancestor, and the fixed mounts above and below it."""

    poses: Trajectory
    below: RigidTransform
    """``vehicle_from_frame``."""
    above: RigidTransform
    """``root_from_parent`` of the vehicle."""


@dataclass(slots=True, eq=False)
class Ground:
    """``frame`` is the scene's, ``tree`` and ``calibration`` the sample's. Frames no rig knows are their own root."""

    frame: str
    calibration: Calibration
    tree: FrameTree
    trajectories: Mapping[str, Trajectory]
    _origin: Vec3 | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(
        cls,
        calibration: Calibration,
        tree: FrameTree,
        trajectories: Mapping[str, Trajectory],
        *,
        lead: str,
        first_ns: int,
    ) -> Ground:
        """The ground under a stream in the frame ``lead`` whose first sweep is at ``first_ns``."""
        ground = cls(_root_of(lead, calibration, first_ns), calibration, tree, trajectories)
        if lead in tree.names:
            start = ground.from_frame(lead, first_ns)
            ground._origin = (0.0, 0.0, 0.0) if isinstance(start, NoTransform) else _whole(start.translation)
        return ground

    @property
    def origin(self) -> Vec3:
        """Where the scene's zero lies in ``frame``."""
        return self._origin or (0.0, 0.0, 0.0)

    @property
    def settled(self) -> bool:
        """Whether the origin is known; without a rig the first cloud that is read brings it."""
        return self._origin is not None

    def _origin_for(self, cloud: Cloud) -> Vec3:
        with self._lock:
            if self._origin is None:
                self._origin = cloud.origin
            return self._origin

    def from_frame(self, frame: str, session_ns: int) -> RigidTransform | NoTransform:
        """``root_from_frame`` then (without the origin), or why there is none."""
        if frame == self.frame:
            return NO_MOVE
        return self.tree.transform(self.frame, frame, session_ns)

    def in_scene(self, frame: str, session_ns: int) -> RigidTransform | None:
        """``scene_from_frame`` then, if the rig can say."""
        found = self.from_frame(frame, session_ns)
        if isinstance(found, NoTransform):
            return None
        x, y, z = (a - b for a, b in zip(found.translation, self.origin, strict=True))
        return RigidTransform(found.rotation, (x, y, z))

    def vehicle_of(self, frame: str, session_ns: int) -> str:
        """The frame that moves and carries this one; itself where nothing does."""
        name = frame
        for _ in range(len(self.calibration.frames) + 1):
            here = _parent_of(name, self.calibration, session_ns)
            if here is None:
                return frame
            if here.trajectory is not None:
                return name
            name = here.parent
        return frame

    def way(self, frame: str) -> NDArray[np.float32]:
        """(n, 3) the way a moving frame goes, in the scene; empty where none is known."""
        mover = self._mover(frame, 0)
        if mover is None or not len(mover.poses.times_ns):
            return np.empty((0, 3), np.float32)
        step = max(1, len(mover.poses.times_ns) // _MOST_WAY)
        places = mover.above @ mover.poses.translations[::step]
        return np.asarray(places - np.array(self.origin), np.float32)

    def place(self, cloud: Cloud, stream: Stream, index: int, own_ns: int | None, *, correct: bool) -> PlacedSweep:
        """A cloud as it lies in the scene. ``DataError`` with the reason if it cannot be brought there."""
        frame = cloud.frame or stream.frame or ""
        session_ns = None if own_ns is None else stream.time_map.to_session(own_ns)
        way = self.from_frame(frame, session_ns or 0)
        if isinstance(way, NoTransform):
            raise DataError(f"sweep {index} cannot be placed: {way.reason}", path=stream.key)
        cloud, correction = self._corrected(cloud, stream, frame, session_ns, correct=correct)
        origin = self._origin_for(cloud)
        points = _placed(cloud, way, origin)
        there = np.isfinite(points).all(axis=1)
        rows = cloud.fields.get("index")
        columns = {name: values for name, values in cloud.fields.items() if name != "index"}
        if "velocity" in columns and columns["velocity"].ndim == 2:
            columns["velocity"] = _speed_away(cloud, columns["velocity"])
        if not there.all():
            rows = np.flatnonzero(there) if rows is None else rows[there]
            points = np.ascontiguousarray(points[there])
            columns = {name: values[there] for name, values in columns.items()}
        x, y, z = (a - b for a, b in zip(way.translation, origin, strict=True))
        low, high = _bounds(points, (x, y, z))
        return PlacedSweep(
            stream=stream.id,
            index=index,
            own_ns=own_ns,
            session_ns=session_ns,
            points=points,
            columns=columns,
            rows=None if rows is None else rows.astype(np.int64),
            total=cloud.total or len(cloud.points),
            correction=correction,
            sensor=(x, y, z),
            low=low,
            high=high,
            by_x=np.argsort(points[:, 0]) if len(points) <= MOST_SORTED else None,
        )

    def _corrected(
        self, cloud: Cloud, stream: Stream, frame: str, session_ns: int | None, *, correct: bool
    ) -> tuple[Cloud, Correction]:
        """Each point as it would have been seen at the sweep's own time, where that is wanted and possible."""
        if not correct:
            return cloud, Correction.OFF
        times = cloud.fields.get("time_ns")
        if times is None or session_ns is None:
            return cloud, Correction.NO_TIMES
        mover = self._mover(frame, session_ns)
        if mover is None or mover.poses.pose_at(session_ns) is None:
            return cloud, Correction.NO_POSES
        in_session = stream.time_map.to_session_array(np.asarray(times, np.int64))
        timed = replace(cloud, fields={**cloud.fields, "time_ns": in_session})
        done = correct_motion(timed, mover.poses, to_ns=session_ns, vehicle_from_sensor=mover.below)
        if not done.corrected.any():
            return cloud, Correction.NO_POSES
        return replace(cloud, points=done.cloud.points), Correction.ON

    def _mover(self, frame: str, session_ns: int) -> _Mover | None:
        below, name = NO_MOVE, frame
        for _ in range(len(self.calibration.frames) + 1):
            here = _parent_of(name, self.calibration, session_ns)
            if here is None:
                return None
            if here.parent_from_child is not None:
                below = here.parent_from_child @ below
                name = here.parent
                continue
            poses = self.trajectories.get(here.trajectory or "")
            above = self.from_frame(here.parent, session_ns)
            if poses is None or isinstance(above, NoTransform):
                return None
            return _Mover(poses, below, above)
        return None


def _parent_of(name: str, calibration: Calibration, session_ns: int) -> Any:
    """The frame's own entry that holds then; ``None`` for a root."""
    mine = [each for each in calibration.frames if each.name == name]
    return next((each for each in mine if each.valid is None or each.valid.contains(session_ns)), None)


def _root_of(name: str, calibration: Calibration, session_ns: int) -> str:
    for _ in range(len(calibration.frames) + 1):
        mine = [each for each in calibration.frames if each.name == name]
        if not mine:
            return name
        here = _parent_of(name, calibration, session_ns) or mine[0]
        name = here.parent
    return name


def _whole(place: Vec3) -> Vec3:
    """To whole metres: numbers that can be read, and no digits lost."""
    x, y, z = (float(round(each)) for each in place)
    return x, y, z


def _placed(cloud: Cloud, way: RigidTransform, origin: Vec3) -> NDArray[np.float32]:
    """Chunk by chunk, so that millions of points need no copy in float64."""
    if way == NO_MOVE and origin == cloud.origin:
        return cloud.points
    shift = np.array(cloud.origin)
    placed = np.empty((len(cloud.points), 3), np.float32)
    for start in range(0, len(placed), _CHUNK):
        part = slice(start, start + _CHUNK)
        placed[part] = (way @ (cloud.points[part] + shift)) - origin
    return placed


def _speed_away(cloud: Cloud, velocity: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n,) metres a second away from the sensor, of (n, 2) or (n, 3) velocities in its axes: what a Doppler sensor
    tells, and what is coloured and drawn along the ray."""
    out = (cloud.points.astype(np.float64) + cloud.origin)[:, : velocity.shape[1]]
    with np.errstate(invalid="ignore", divide="ignore"):
        ray = out / np.linalg.norm(out, axis=1, keepdims=True)
        speed: NDArray[np.float32] = (ray * velocity).sum(axis=1).astype(np.float32)
    return speed


def _bounds(points: NDArray[np.float32], sensor: Vec3) -> tuple[Vec3, Vec3]:
    if not len(points):
        x, y, z = sensor
        return (x - 0.5, y - 0.5, z - 0.5), (x + 0.5, y + 0.5, z + 0.5)
    ends = [(float(points[:, axis].min()), float(points[:, axis].max())) for axis in range(3)]
    return (ends[0][0], ends[1][0], ends[2][0]), (ends[0][1], ends[1][1], ends[2][1])
