"""KITTI raw drives: cameras, laser scanner, GPS and inertial unit, each with its own list of times.

A date folder holds calibration files and drives (``2011_09_26_drive_0001_sync``); a drive holds ``image_00`` to
``image_03``, ``velodyne_points`` and ``oxts``, each with ``data`` and ``timestamps.txt``. Files are numbered by the
lines of that list, so a missing sweep keeps its neighbours' times. Calibration files state target from source
(``velo_to_cam``: camera from velodyne); frames are named ``imu``, ``velodyne`` and ``image_02``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.cameras import Camera, opencv_lens
from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.mounts import camera_doubt
from workstation.core.poses import RigidTransform, transform_of_matrix
from workstation.core.rotation import quaternion_of
from workstation.core.sample import StreamKind
from workstation.core.space import Frame
from workstation.core.timebase import SECOND_NS
from workstation.media.base import Channel, OpenContext, Options, ReaderSpec
from workstation.media.gaps import hold_of
from workstation.media.held import HeldSeries, HeldTrajectory, Origin, held_series, held_trajectory
from workstation.media.proposal import (
    TIMES_HELP,
    TIMES_OPTION,
    DatasetSpec,
    Mount,
    Proposal,
    RigProposal,
    SampleProposal,
    Skipped,
    StreamProposal,
    aligned,
    left_over,
    times_given,
    times_option,
)

_MOST_ITEMS = 500_000
_TEXT_BYTES = 64 << 20
_PICTURES = (".png", ".jpg", ".jpeg")
_CLOUDS = (".bin", ".pcd", ".txt")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?")
_CHANNELS = (
    ("lat", "deg"), ("lon", "deg"), ("alt", "m"), ("roll", "rad"), ("pitch", "rad"), ("yaw", "rad"), ("vn", "m/s"),
    ("ve", "m/s"), ("vf", "m/s"), ("vl", "m/s"), ("vu", "m/s"), ("ax", "m/s²"), ("ay", "m/s²"), ("az", "m/s²"),
    ("af", "m/s²"), ("al", "m/s²"), ("au", "m/s²"), ("wx", "rad/s"), ("wy", "rad/s"), ("wz", "rad/s"),
    ("wf", "rad/s"), ("wl", "rad/s"), ("wu", "rad/s"), ("pos_accuracy", "m"), ("vel_accuracy", "m/s"),
    ("navstat", ""), ("numsats", ""), ("posmode", ""), ("velmode", ""), ("orimode", ""),
)  # fmt: skip
_EARTH_M = 6_378_137.0
_WHY_SKIPPED = {
    "tracklet_labels.xml": "holds annotations: an import, not a stream",
    "timestamps.txt": "is the list of times of its stream",
    "timestamps_start.txt": "holds the start of each sweep; the middle is used",
    "timestamps_end.txt": "holds the end of each sweep; the middle is used",
    "dataformat.txt": "describes the columns of the GPS and inertial unit",
}


@dataclass(frozen=True, slots=True)
class _Sensor:
    """One folder with numbered files and their times."""

    name: str
    files: tuple[Path, ...]
    times_ns: tuple[int, ...]
    """Unix time of each file, as if the list were in UTC."""
    hold_ns: int | None
    """Half as long again as the list's own step: a missing file stays a gap."""
    notes: tuple[str, ...]


def recognise(folder: Path) -> float:
    """A drive, a date with drives, or a folder of dates."""
    return 0.95 if next(_drives(folder), None) is not None else 0.0


def propose(folder: Path) -> Proposal:
    """One sample a drive."""
    samples: list[SampleProposal] = []
    skipped: list[Skipped] = []
    used: set[Path] = set()
    for drive in _drives(folder):
        sample = _sample(drive, skipped)
        if sample is not None:
            samples.append(sample)
            used |= {path for stream in sample.streams for path in stream.files}
            used |= {mount.source for mount in sample.rig.mounts} if sample.rig else set()
    named = used | {item.path for item in skipped}
    skipped += left_over(folder, named, lambda path: _WHY_SKIPPED.get(path.name, "is no part of the layout"))
    return Proposal(
        folder=folder,
        layout="kitti_raw",
        title="KITTI raw data",
        samples=tuple(samples),
        skipped=tuple(skipped),
        notes=("the lists of times name no time zone; they are taken as UTC",),
    )


def _drives(folder: Path) -> Iterator[Path]:
    for candidate in (folder, *sorted(folder.glob("*")), *sorted(folder.glob("*/*"))):
        if candidate.is_dir() and not candidate.is_symlink() and _is_drive(candidate):
            yield candidate


def _is_drive(folder: Path) -> bool:
    names = ("image_00", "image_01", "image_02", "image_03", "velodyne_points", "oxts")
    return any((folder / name / "timestamps.txt").is_file() and (folder / name / "data").is_dir() for name in names)


def _sample(drive: Path, skipped: list[Skipped]) -> SampleProposal | None:
    streams: list[StreamProposal] = []
    for name in sorted(inner.name for inner in drive.iterdir() if inner.is_dir() and not inner.is_symlink()):
        if not re.fullmatch(r"image_0[0-3]|velodyne_points|oxts", name):
            continue
        try:
            sensor = _sensor(drive / name)
        except DataError as error:
            skipped.append(Skipped(drive / name, error.reason))
            continue
        streams += _streams(sensor)
    if not streams:
        skipped.append(Skipped(drive, "holds no stream whose files and times fit"))
        return None
    rig = _rig(drive, {stream.key for stream in streams}, skipped)
    sample = SampleProposal(key=drive.resolve().name or "drive", streams=tuple(streams), rig=rig)
    return aligned(sample, {})


def _sensor(folder: Path) -> _Sensor:
    suffixes = {"image": _PICTURES, "velod": _CLOUDS, "oxts": (".txt",)}[folder.name[:5]]
    data = folder / "data"
    files = sorted(path for path in data.iterdir() if path.suffix.lower() in suffixes) if data.is_dir() else []
    if not files:
        raise DataError("holds no data", path=folder)
    if len(files) > _MOST_ITEMS:
        raise DataError(f"holds more than {_MOST_ITEMS:,} files", path=folder)
    times = read_times(folder / "timestamps.txt")
    numbers = [int(path.stem) if re.fullmatch(r"\d{1,10}", path.stem) else -1 for path in files]
    if min(numbers) < 0 or len(set(numbers)) < len(numbers):
        raise DataError("its files are not numbered by the lines of timestamps.txt", path=folder)
    if max(numbers) >= len(times):
        raise DataError(f"timestamps.txt has {len(times)} lines, but there is a file {max(numbers)}", path=folder)
    missing = len(times) - len(files)
    notes = (f"{missing} of {len(times)} listed items have no file: gaps",) if missing else ()
    return _Sensor(folder.name, tuple(files), tuple(times[number] for number in numbers), hold_of(times), notes)


def read_times(path: Path) -> list[int]:
    """Unix nanoseconds of each line, exactly; the lines name no zone and count as UTC."""
    text = read_bounded(path, _TEXT_BYTES).decode("utf-8", "replace")
    times = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        found = _TIME.fullmatch(line.strip())
        try:
            if found is None:
                raise ValueError("no date and time")
            moment = datetime(*(int(field) for field in found.groups()[:6]), tzinfo=UTC)  # type: ignore[misc, arg-type]
        except ValueError as error:
            raise DataError(
                "must be a date and time with up to nine decimals", path=path, place=f"line {number}"
            ) from error
        times.append(int(moment.timestamp()) * SECOND_NS + int((found[7] or "0").ljust(9, "0")))
    if not times:
        raise DataError("lists no times", path=path)
    return times


def _streams(sensor: _Sensor) -> list[StreamProposal]:
    epoch_ns = sensor.times_ns[0]
    relative = times_option([time - epoch_ns for time in sensor.times_ns])

    def stream(key: str, kind: StreamKind, reader: str, frame: str, options: Options) -> StreamProposal:
        return StreamProposal(
            key=key,
            kind=kind,
            files=sensor.files,
            reader=reader,
            frame=frame,
            options=options,
            clock="kitti",
            clock_source="timestamps.txt",
            epoch_ns=epoch_ns,
            notes=sensor.notes,
        )

    timed: Options = {TIMES_OPTION: relative}
    shown: Options = timed if sensor.hold_ns is None else {**timed, "hold_ns": sensor.hold_ns}
    if sensor.name == "oxts":
        return [
            stream("oxts", StreamKind.SERIES, "kitti_oxts", "", timed),
            stream("imu_pose", StreamKind.TRAJECTORY, "kitti_pose", "imu", timed),
        ]
    if sensor.name == "velodyne_points":
        options = {**shown, "frame": "velodyne"}
        if sensor.files[0].suffix == ".bin":
            options["layout"] = "kitti"
        return [stream("velodyne", StreamKind.CLOUD, "timed_clouds", "velodyne", options)]
    return [stream(sensor.name, StreamKind.VIDEO, "timed_images", sensor.name, shown)]


def read_calibration(path: Path) -> dict[str, NDArray[np.float64]]:
    """``name: numbers`` lines; lines of text (``calib_time``) are passed over."""
    values: dict[str, NDArray[np.float64]] = {}
    text = read_bounded(path, 1 << 20).decode("utf-8", "replace")
    for line in text.split("\n"):
        name, colon, rest = line.partition(":")
        try:
            numbers = np.array([float(word) for word in rest.split()])
        except ValueError:
            continue
        if colon and len(numbers):
            if not np.isfinite(numbers).all():
                raise DataError("holds a number that is not finite", path=path, place=name)
            values[name.strip()] = numbers
    return values


def _rig(drive: Path, streams: set[str], skipped: list[Skipped]) -> RigProposal | None:
    mounts: list[Mount] = []
    cameras: list[Camera] = []
    notes: list[str] = []
    calibration = next((place for place in (drive, drive.parent) if (place / "calib_velo_to_cam.txt").is_file()), None)
    if calibration is not None:
        try:
            cam0_from_velodyne = _rigid(calibration / "calib_velo_to_cam.txt")
            intrinsics = read_calibration(calibration / "calib_cam_to_cam.txt")
            for name in sorted(key for key in streams if key.startswith("image_")):
                mount, camera = _camera(name, drive, calibration, cam0_from_velodyne, intrinsics)
                mounts.append(mount)
                cameras.append(camera)
            mounts.append(_imu_mount(calibration / "calib_imu_to_velo.txt"))
        except DataError as error:
            skipped.append(Skipped(Path(error.path or calibration), error.reason))
            notes.append(f"the calibration is not complete: {error}")
    else:
        notes.append("there are no calibration files beside the drive")
    if "imu_pose" in streams:
        frame = Frame(name="imu", parent="world", trajectory="imu_pose")
        mounts.append(Mount(frame=frame, stated="oxts: world from imu", source=drive / "oxts" / "timestamps.txt"))
    return RigProposal(mounts=tuple(mounts), cameras=tuple(cameras), notes=tuple(notes))


def _rigid(path: Path) -> RigidTransform:
    values = read_calibration(path)
    if values.get("R", np.zeros(0)).shape != (9,) or values.get("T", np.zeros(0)).shape != (3,):
        raise DataError("lacks R (9 numbers) or T (3 numbers)", path=path)
    return _transform(np.column_stack([values["R"].reshape(3, 3), values["T"]]), path)


def _transform(matrix: NDArray[np.float64], path: Path) -> RigidTransform:
    try:
        return transform_of_matrix(matrix)
    except DataError as error:
        raise DataError(error.reason, path=path) from error


def _imu_mount(path: Path) -> Mount:
    """The file holds velodyne from imu; the scanner hangs under the inertial unit, so it is turned round."""
    velodyne_from_imu = _rigid(path)
    frame = Frame(name="velodyne", parent="imu", parent_from_child=velodyne_from_imu.inverted())
    return Mount(frame=frame, stated="calib_imu_to_velo.txt: velodyne from imu, turned round", source=path)


def _camera(
    name: str,
    drive: Path,
    calibration: Path,
    cam0_from_velodyne: RigidTransform,
    values: dict[str, NDArray[np.float64]],
) -> tuple[Mount, Camera]:
    """The camera of rectified pictures (``_sync``), or of the ones as taken (``_extract``) with their distortion."""
    path = calibration / "calib_cam_to_cam.txt"
    number = name[-2:]
    rectified = not drive.name.endswith("_extract")
    size, *wanted = (f"S_rect_{number}", f"P_rect_{number}", "R_rect_00") if rectified else (
        f"S_{number}", f"K_{number}", f"D_{number}", f"R_{number}", f"T_{number}"
    )  # fmt: skip
    lengths = (12, 9) if rectified else (9, 5, 9, 3)
    for key, length in ((size, 2), *zip(wanted, lengths, strict=True)):
        if values.get(key, np.zeros(0)).shape != (length,):
            raise DataError(f"lacks {key} ({length} numbers)", path=path)
    if rectified:
        projection, turn = values[wanted[0]].reshape(3, 4), values[wanted[1]].reshape(3, 3)
        shift = np.linalg.lstsq(projection[:, :3], projection[:, 3], rcond=None)[0]
        lens = opencv_lens(projection[:, :3])
        camera_from_cam0 = RigidTransform(
            quaternion_of(_transform(np.column_stack([turn, np.zeros(3)]), path).matrix[:3, :3]),
            (float(shift[0]), float(shift[1]), float(shift[2])),
        )
        stated = f"calib_velo_to_cam.txt, R_rect_00, P_rect_{number}: {name} from velodyne, turned round"
    else:
        lens = opencv_lens(values[wanted[0]].reshape(3, 3), values[wanted[1]].tolist())
        matrix = np.column_stack([values[wanted[2]].reshape(3, 3), values[wanted[3]]])
        camera_from_cam0 = _transform(matrix, path)
        stated = f"calib_velo_to_cam.txt, R_{number}, T_{number}: {name} from velodyne, turned round"
    velodyne_from_camera = (camera_from_cam0 @ cam0_from_velodyne).inverted()
    frame = Frame(name=name, parent="velodyne", parent_from_child=velodyne_from_camera)
    mount = Mount(frame=frame, stated=stated, source=path, doubt=camera_doubt(name, velodyne_from_camera))
    width, height = int(values[size][0]), int(values[size][1])
    return mount, Camera(name=name, frame=name, width_px=width, height_px=height, lens=lens)


def _rows(
    paths: Sequence[Path], options: Options, context: OpenContext
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times (n,) and the thirty numbers of each file (n, 30)."""
    times_ns = times_given(options, len(paths), paths[0].parent if paths else None)
    table = np.empty((len(paths), len(_CHANNELS)))
    for i, path in enumerate(paths):
        context.cancel.check()
        words = read_bounded(path, 65_536).split()
        try:
            row = [float(word) for word in words]
        except ValueError as error:
            raise DataError("holds something that is no number", path=path) from error
        if len(row) != len(_CHANNELS):
            raise DataError(f"holds {len(row)} numbers, not {len(_CHANNELS)}", path=path)
        table[i] = row
    table[~np.isfinite(table)] = np.nan
    return times_ns, table


def open_oxts(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldSeries:
    """The thirty channels of the GPS and inertial unit."""
    times_ns, table = _rows(paths, options, context)
    channels = [Channel(name=name, unit=unit) for name, unit in _CHANNELS]
    return held_series(channels, times_ns, table, origin=Origin(paths=tuple(paths), clock_source="timestamps.txt"))


def open_poses(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldTrajectory:
    """Where the inertial unit was: east, north and up of its first place, by the Mercator map of the data set."""
    times_ns, table = _rows(paths, options, context)
    lat, lon, alt, roll, pitch, yaw = (table[:, i] for i in range(6))
    known = np.isfinite(table[:, :6]).all(axis=1) & (np.abs(lat) < 89)
    if not known.any():
        raise DataError("no file holds a usable place", path=paths[0].parent)
    scale = float(np.cos(np.radians(lat[known][0])))
    with np.errstate(all="ignore"):
        east = scale * _EARTH_M * np.radians(lon)
        north = scale * _EARTH_M * np.log(np.tan(np.pi / 4 + np.radians(lat) / 2))
    places = np.column_stack([east, north, alt])
    places -= places[known][0]
    half = np.column_stack([yaw, pitch, roll]) / 2
    (cy, cp, cr), (sy, sp, sr) = np.cos(half).T, np.sin(half).T
    turns = np.column_stack(
        [
            cr * cp * cy + sr * sp * sy,
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
        ]
    )
    places[~known], turns[~known] = np.nan, np.nan
    origin = Origin(
        paths=tuple(paths),
        clock_source="timestamps.txt",
        details={"origin_lat": float(lat[known][0]), "origin_lon": float(lon[known][0])},
    )
    return held_trajectory(("world", "imu"), times_ns, places, turns, origin=origin)


READERS = tuple(
    ReaderSpec(name=name, kind=kind, title=title, suffixes=(".txt",), open=opener, options=TIMES_HELP, several=True)
    for name, kind, title, opener in (
        ("kitti_oxts", StreamKind.SERIES, "KITTI GPS and inertial unit", open_oxts),
        ("kitti_pose", StreamKind.TRAJECTORY, "KITTI poses", open_poses),
    )
)
DATASETS = (DatasetSpec(name="kitti_raw", title="KITTI raw data", recognise=recognise, propose=propose),)
