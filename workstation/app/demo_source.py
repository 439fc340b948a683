"""The published files of the demo drive, read and checked: times, calibration, cuboids, poses, phrases.

Called by ``demo_drive.py``. Here the drive's own axes (x right, y forward, z up) become ours; nothing behind this
module knows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.app.demo_points import points_by_class
from workstation.core.axes import axis_change
from workstation.core.cameras import Camera, opencv_lens
from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.geometry import Cuboid
from workstation.core.poses import RigidTransform, Trajectory, transform_of, transform_of_matrix
from workstation.core.rotation import about_z

T = TypeVar("T")
CAMERAS = ("front_left_camera", "front_camera", "front_right_camera", "back_camera")
EGO = "ego"
WORLD = "world"
_AXES = axis_change(("right", "forward", "up"))
_LARGEST = 64 << 20
_POSE_GAP_NS = 175_000_000


class _Times(msgspec.Struct, frozen=True):
    t_s: tuple[Decimal, ...]
    missing_sweeps: tuple[int, ...] = ()


class _Timestamps(msgspec.Struct, frozen=True):
    epoch_s_of_t0: Decimal
    lidar: _Times
    front_camera: _Times
    front_left_camera: _Times
    front_right_camera: _Times
    back_camera: _Times


class _CameraNumbers(msgspec.Struct, frozen=True):
    fx: float
    fy: float
    cx: float
    cy: float
    T_cam_from_ego_static: tuple[tuple[float, ...], ...]


class _Calibration(msgspec.Struct, frozen=True):
    image_size: tuple[int, int]
    cameras: Mapping[str, _CameraNumbers]


class PublishedCuboid(msgspec.Struct, frozen=True):
    """One cuboid as published. ``facts`` leaves the numbers out."""

    uuid: str
    label: str
    center_ego: tuple[float, float, float]
    size_wlh: tuple[float, float, float]
    yaw_ego: float
    stationary: bool
    object_motion: str = ""
    pedestrian_behavior: str = ""
    pedestrian_age: str = ""
    rider_status: str = ""
    sensor_id: int | None = None
    sibling_uuid: str = ""

    @property
    def shape(self) -> Cuboid:
        """In the ego frame of ours: the length lies along the published y, which is our x."""
        width, length, height = self.size_wlh
        x, y, z = _AXES.points(np.array(self.center_ego)).tolist()
        return Cuboid(center=(x, y, z), size=(length, width, height), rotation=about_z(self.yaw_ego))

    @property
    def facts(self) -> dict[str, str | bool | int | float]:
        """What was published beside the numbers, for the provenance of the label."""
        said: dict[str, Any] = {"uuid": self.uuid, "label": self.label, "stationary": self.stationary}
        for name in ("pedestrian_age", "rider_status", "sensor_id", "sibling_uuid"):
            value = getattr(self, name)
            if value not in (None, ""):
                said[name] = value
        return said


class _Frame(msgspec.Struct, frozen=True):
    sweep: int
    objects: tuple[PublishedCuboid, ...]


class _Cuboids(msgspec.Struct, frozen=True):
    frames: tuple[_Frame, ...]


class _PointClasses(msgspec.Struct, frozen=True):
    classes: Mapping[str, str]


class _Pose(msgspec.Struct, frozen=True):
    t_s: Decimal
    position: Mapping[str, float]
    heading: Mapping[str, float]


class Phrase(msgspec.Struct, frozen=True):
    """One sentence of the commentary, placed to the sample."""

    speaker: str
    lang: str
    start_s: Decimal
    end_s: Decimal
    text: str


class Beep(msgspec.Struct, frozen=True):
    """A 40 ms tone that begins on a picture of the front camera."""

    front_camera_frame: int
    first_sample: int


class _Narration(msgspec.Struct, frozen=True):
    sample_rate: int
    phrases: tuple[Phrase, ...]
    sync_beeps: tuple[Beep, ...]


@dataclass(frozen=True)
class Source:
    """The folder of the drive. Everything is read when it is asked for, and once."""

    folder: Path

    def path(self, *parts: str) -> Path:
        """A file of it."""
        return self.folder.joinpath(*parts)

    @cached_property
    def _times(self) -> _Timestamps:
        return _read(self.path("timestamps.json"), _Timestamps)

    @property
    def zero_ns(self) -> int:
        """Unix time of session time zero."""
        return ns(self._times.epoch_s_of_t0)

    def times_ns(self, stream: str) -> NDArray[np.int64]:
        """(n,) session times of a camera's pictures, or of all sweeps, also those without a file."""
        listed: _Times = getattr(self._times, stream)
        return np.array([ns(each) for each in listed.t_s], np.int64)

    @property
    def missing_sweeps(self) -> tuple[int, ...]:
        """Sweeps that have a time and no file."""
        return self._times.lidar.missing_sweeps

    def sweeps(self) -> dict[int, Path]:
        """The files of the sweeps by number; exactly the missing ones have none."""
        found = {int(path.stem): path for path in sorted(self.path("lidar").glob("*.pcd"))}
        expected = set(range(len(self.times_ns("lidar")))) - set(self.missing_sweeps)
        if set(found) != expected:
            odd = ", ".join(map(str, sorted(set(found) ^ expected)))
            raise DataError(f"the sweeps {odd} do not agree with timestamps.json", path=self.path("lidar"))
        return found

    @cached_property
    def _calibration(self) -> _Calibration:
        return _read(self.path("calibration.json"), _Calibration)

    def camera(self, name: str) -> Camera:
        """The lens of a camera; the published pixels are OpenCV's."""
        numbers = self._calibration.cameras[name]
        matrix = np.array([[numbers.fx, 0, numbers.cx], [0, numbers.fy, numbers.cy], [0, 0, 1]])
        width, height = self._calibration.image_size
        return Camera(name=name, frame=name, width_px=width, height_px=height, lens=opencv_lens(matrix))

    def ego_from_camera(self, name: str) -> RigidTransform:
        """Where a camera sits, in our axes: measured while the vehicle stood."""
        camera_from_foreign = transform_of_matrix(self._calibration.cameras[name].T_cam_from_ego_static)
        return _EGO_FROM_FOREIGN @ camera_from_foreign.inverted()

    @cached_property
    def _poses(self) -> tuple[_Pose, ...]:
        return _read(self.path("sensors", "ego_pose.json"), tuple[_Pose, ...])

    @cached_property
    def trajectory(self) -> Trajectory:
        """``world_from_ego`` in our axes; the world's own axes stay as published."""
        poses = [
            transform_of([p.heading[k] for k in "wxyz"], [p.position[k] for k in "xyz"]) @ _EGO_FROM_FOREIGN.inverted()
            for p in self._poses
        ]
        return Trajectory(
            times_ns=np.array([ns(pose.t_s) for pose in self._poses], np.int64),
            rotations=np.array([pose.rotation for pose in poses]),
            translations=np.array([pose.translation for pose in poses]),
            max_gap_ns=_POSE_GAP_NS,
        )

    def cuboids(self) -> dict[str, list[tuple[int, PublishedCuboid]]]:
        """By track: (session time of the sweep, cuboid), in order of time."""
        path = self.path("labels", "cuboids.json")
        times = self.times_ns("lidar")
        tracks: dict[str, list[tuple[int, PublishedCuboid]]] = {}
        for frame in _read(path, _Cuboids).frames:
            if not 0 <= frame.sweep < len(times):
                raise DataError(f"there is no sweep {frame.sweep}", path=path)
            for each in frame.objects:
                tracks.setdefault(each.uuid, []).append((int(times[frame.sweep]), each))
        return tracks

    def point_classes(self, names: Mapping[str, str]) -> Iterator[tuple[int, int, dict[str, list[int]]]]:
        """Of the sweeps that have them: (sweep, session time, points by class), classes in the words of ``names``."""
        said = _read(self.path("labels", "semseg_classes.json"), _PointClasses).classes
        known = {int(number): names[label] for number, label in said.items() if label in names}
        times, sweeps = self.times_ns("lidar"), self.sweeps()
        for path in sorted(self.path("labels").glob("*.label")):
            sweep = int(path.stem)
            if sweep not in sweeps:
                raise DataError("there is no sweep for these point classes", path=path)
            points = sweeps[sweep].read_bytes().partition(b"DATA binary\n")[2]
            yield sweep, int(times[sweep]), points_by_class(path, points=len(points) // 16, names=known)

    @cached_property
    def narration(self) -> _Narration:
        """What is said and when, and the beeps."""
        return _read(self.path("text", "narration.json"), _Narration)


def turned_sweep(data: bytes, *, path: Path) -> bytes:
    """A sweep's PCD file with its points in our axes; every other byte stays."""
    head, mark, body = data.partition(b"DATA binary\n")
    if not mark or b"FIELDS x y z intensity" not in head:
        raise DataError("this is not one of the demo's sweeps (binary PCD with x y z intensity)", path=path)
    points = np.frombuffer(body, "<f4").reshape(-1, 4).copy()
    points[:, :3] = _AXES.points(points[:, :3])
    return head + mark + points.tobytes()


def ns(seconds: Decimal) -> int:
    """Nanoseconds of seconds as they stand in a file, rounded once."""
    return int((seconds * 1_000_000_000).to_integral_value())


def pose_rows(trajectory: Trajectory) -> str:
    """A trajectory as a CSV table whose numbers read back to the same bits."""
    lines = ["t_ns,x,y,z,qw,qx,qy,qz"]
    for time_ns, place, turn in zip(
        trajectory.times_ns.tolist(), trajectory.translations.tolist(), trajectory.rotations.tolist(), strict=True
    ):
        lines.append(",".join([str(time_ns), *map(repr, place), *map(repr, turn)]))
    return "\n".join(lines) + "\n"


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(read_bounded(path, _LARGEST), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"not the demo's file: {error}", path=path) from error


_EGO_FROM_FOREIGN = RigidTransform(_AXES.as_rotation(), (0.0, 0.0, 0.0))
