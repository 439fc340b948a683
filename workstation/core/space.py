"""Frames and calibrations: how sensors, vehicle and world hang together, and when.

A rig (``sample.Rig``, a record) keeps frames and cameras as JSON; ``calibration_of`` reads them into the values here.
Readers make them, converting foreign axes at the border (``axes``); ``FrameTree`` answers "where is that in this
frame, then" for drawing, checks and export.

Right-handed, metres. Vehicles: x forward, y left, z up. Cameras: x right, y down, z into the picture.
Patients: LPS, millimetres, in trees of their own.
Times here are session times; a trajectory is brought there with its stream's time map first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations

import msgspec

from workstation.core.cameras import Camera
from workstation.core.errors import DataError
from workstation.core.poses import NO_MOVE, RigidTransform, Trajectory
from workstation.core.timerange import TimeRange


class Frame(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One frame under its parent. The same name may come again for another time, as after a recalibration."""

    name: str
    parent: str
    parent_from_child: RigidTransform | None = None
    """Fixed mounting; ``None`` if the frame moves."""
    trajectory: str | None = None
    """Key of the trajectory stream that moves it; its poses are ``parent_from_child``."""
    valid: TimeRange | None = None
    """Session time it holds for; ``None``: always."""

    def __post_init__(self) -> None:
        if (self.parent_from_child is None) == (self.trajectory is None):
            raise DataError("give either a fixed transform or a trajectory", place=f"frame {self.name}")
        if self.name == self.parent:
            raise DataError("a frame cannot be its own parent", place=f"frame {self.name}")


class Calibration(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Frames and cameras of one rig, checked together."""

    frames: tuple[Frame, ...] = ()
    cameras: tuple[Camera, ...] = ()

    def __post_init__(self) -> None:
        _check_frames(self.frames)
        for name, count in Counter(camera.name for camera in self.cameras).items():
            if count > 1:
                raise DataError(f"{count} cameras are called {name!r}", place="calibration")

    def camera(self, name: str) -> Camera:
        """The camera of that name."""
        for camera in self.cameras:
            if camera.name == name:
                return camera
        known = ", ".join(camera.name for camera in self.cameras) or "no cameras"
        raise DataError(f"there is no camera {name!r}; it has {known}", place="calibration")


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_LEARNT = msgspec.json.Decoder(Calibration)


def calibration_of(frames: Iterable[Mapping[str, object]], cameras: Iterable[Mapping[str, object]]) -> Calibration:
    """The calibration that a rig record keeps as JSON. Raises ``DataError`` naming the field that is wrong."""
    try:
        return msgspec.convert({"frames": tuple(frames), "cameras": tuple(cameras)}, Calibration)
    except (msgspec.ValidationError, RecursionError) as error:
        raise DataError(f"not a calibration: {error}", place="rig") from error


def as_json_values(values: Iterable[Frame] | Iterable[Camera]) -> tuple[dict[str, object], ...]:
    """Frames or cameras as a rig record keeps them."""
    return tuple(msgspec.to_builtins(value) for value in values)


class NoTransform(msgspec.Struct, frozen=True):
    """Two frames cannot be brought together then; ``reason`` is a sentence for the person."""

    reason: str


class FrameTree:
    """The frames of a calibration with the trajectories that move them."""

    def __init__(self, calibration: Calibration, trajectories: Mapping[str, Trajectory] | None = None) -> None:
        """``trajectories`` by stream key, in session time."""
        self._trajectories = dict(trajectories or {})
        self._frames: dict[str, list[Frame]] = {}
        self._names = {frame.parent for frame in calibration.frames} | {frame.name for frame in calibration.frames}
        for frame in calibration.frames:
            self._frames.setdefault(frame.name, []).append(frame)

    @property
    def names(self) -> frozenset[str]:
        """All frames, roots included."""
        return frozenset(self._names)

    @property
    def roots(self) -> frozenset[str]:
        """Frames that hang under no other."""
        return frozenset(self._names - self._frames.keys())

    def transform(self, target: str, source: str, time_ns: int) -> RigidTransform | NoTransform:
        """``target_from_source`` at a session time, or why there is none."""
        ways: list[dict[str, RigidTransform]] = []
        broken: list[str] = []
        for name in (target, source):
            if name not in self._names:
                return NoTransform(f"no frame is called {name!r}; calibration is missing")
            up, reason = self._ancestors(name, time_ns)
            ways.append(up)
            broken += [] if reason is None or reason in broken else [reason]
        from_target, from_source = ways
        for shared, shared_from_target in from_target.items():
            if shared in from_source:
                return shared_from_target.inverted() @ from_source[shared]
        return NoTransform("; ".join(broken) or f"the frames {target!r} and {source!r} are not connected")

    def _ancestors(self, name: str, time_ns: int) -> tuple[dict[str, RigidTransform], str | None]:
        """Nearest first: each ancestor with ``ancestor_from_name``; and why it does not go on to the root."""
        reached = {name: NO_MOVE}
        ancestor_from_name = NO_MOVE
        while name in self._frames:
            frame = next((f for f in self._frames[name] if f.valid is None or f.valid.contains(time_ns)), None)
            if frame is None:
                return reached, f"the calibration of {name!r} does not cover this time"
            pose = self._pose(frame, time_ns)
            if isinstance(pose, str):
                return reached, pose
            ancestor_from_name = pose @ ancestor_from_name
            name = frame.parent
            reached[name] = ancestor_from_name
        return reached, None

    def _pose(self, frame: Frame, time_ns: int) -> RigidTransform | str:
        """``parent_from_child`` then, or why there is none."""
        if frame.parent_from_child is not None:
            return frame.parent_from_child
        trajectory = self._trajectories.get(frame.trajectory or "")
        if trajectory is None:
            return f"the poses {frame.trajectory!r} of {frame.name!r} are missing"
        return trajectory.pose_at(time_ns) or f"{frame.name!r} has no pose at this time"


def _check_frames(frames: tuple[Frame, ...]) -> None:
    by_name: dict[str, list[Frame]] = {}
    for frame in frames:
        by_name.setdefault(frame.name, []).append(frame)
    for name, same in by_name.items():
        if any(_at_once(a, b) for a, b in combinations(same, 2)):
            raise DataError("its place is given twice for the same time", place=f"frame {name}")
    _refuse_circles({name: {frame.parent for frame in same} for name, same in by_name.items()})


def _at_once(a: Frame, b: Frame) -> bool:
    return a.valid is None or b.valid is None or a.valid.overlaps(b.valid)


def _refuse_circles(parents: Mapping[str, set[str]]) -> None:
    """Walk up from every frame, with a stack of our own: a hostile chain may be longer than Python's."""
    done: set[str] = set()
    path: dict[str, None] = {}
    for start in parents:
        stack = [(start, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                del path[name]
                done.add(name)
            elif name in path:
                raise DataError(f"frames form a circle through {name!r}", place="calibration")
            elif name not in done:
                path[name] = None
                stack.append((name, True))
                stack.extend((parent, False) for parent in parents.get(name, ()))
