"""PandaSet drives: as published (``camera/``, ``lidar/*.pkl.gz``, ``meta/``), and as a scene of films and sweeps.

Frames of the data set: x right, y forward, z up for vehicle and world; every camera pose is world from camera. As
published, points are in the world's frame. A scene (``calibration.json`` with ``cameras``, ``timestamps.json``) has
points in the vehicle's frame and matrices that say ``T_cam_from_ego``; they are turned round here, and the frame
``vehicle`` below ``ego`` has the axes that the program uses everywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.axes import VEHICLE, axis_change
from workstation.core.cameras import Camera, opencv_lens
from workstation.core.errors import DataError
from workstation.core.mounts import camera_doubt
from workstation.core.poses import RigidTransform, transform_of_matrix
from workstation.core.sample import StreamKind
from workstation.core.space import Frame
from workstation.core.timebase import offset_map
from workstation.core.untrusted import Found, inside, read_json
from workstation.media.base import Channel, OpenContext, Options, OptionValue, ReaderSpec, one_path
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
    left_over,
    times_given,
    times_option,
)

from .tables import open_sweeps

_AXES = ("right", "forward", "up")
_LICENCE = "PandaSet, CC BY 4.0 with the data set's terms"
_MOST_DRIVES = 1000
_SCANNERS = {0: "lidar_spinning", 1: "lidar_forward"}
_GPS = (("lat", "deg"), ("long", "deg"), ("height", "m"), ("xvel", "m/s"), ("yvel", "m/s"))


def recognise(folder: Path) -> float:
    """A drive, a folder of drives, or a scene."""
    return 0.95 if _is_scene(folder) or next(_drives(folder), None) is not None else 0.0


def propose(folder: Path) -> Proposal:
    """One sample a drive, or the one of a scene."""
    skipped: list[Skipped] = []
    if _is_scene(folder):
        samples = [_scene(folder, skipped)]
    else:
        drives = list(_drives(folder))
        if len(drives) > _MOST_DRIVES:
            raise DataError(f"holds more than {_MOST_DRIVES} drives", path=folder)
        samples = [sample for drive in drives if (sample := _drive(drive, skipped)) is not None]
    used = {path for sample in samples for stream in sample.streams for path in stream.files}
    used |= {mount.source for sample in samples if sample.rig for mount in sample.rig.mounts}
    skipped += left_over(folder, used | {item.path for item in skipped}, _why)
    return Proposal(
        folder=folder,
        layout="pandaset",
        title="PandaSet",
        samples=tuple(samples),
        skipped=tuple(skipped),
        notes=("never use it to identify a person; attribution travels with the data",),
    )


def _why(path: Path) -> str:
    if path.name in ("annotations", "labels"):
        return "holds annotations: an import, not a stream"
    if path.name in ("timestamps.json", "poses.json", "intrinsics.json", "meta", "calibration.json"):
        return "was read: times, poses and calibration"
    return "is no part of the layout"


def _is_scene(folder: Path) -> bool:
    return (
        all((folder / name).is_file() for name in ("calibration.json", "timestamps.json"))
        and (folder / "camera").is_dir()
    )


def _drives(folder: Path) -> Iterator[Path]:
    for candidate in (folder, *sorted(folder.glob("*"))):
        if (candidate / "lidar" / "timestamps.json").is_file() and (candidate / "camera").is_dir():
            yield candidate


def _times(path: Path) -> list[int]:
    """Unix nanoseconds of a list of seconds, exactly as written."""
    return [item.seconds_ns() for item in read_json(path, max_bytes=64 << 20)]


def _files(folder: Path, suffixes: Sequence[str], count: int) -> list[tuple[int, Path]]:
    """(number, file) of the numbered files of a folder."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.lower().endswith(tuple(suffixes)) and re.fullmatch(r"\d{1,6}", path.name.split(".")[0]):
            number = int(path.name.split(".")[0])
            if number >= count:
                raise DataError(f"there are {count} times, but a file {path.name}", path=folder)
            found.append((number, path))
    if not found:
        raise DataError("holds no numbered files", path=folder)
    return found


def _drive(drive: Path, skipped: list[Skipped]) -> SampleProposal | None:
    try:
        sweep_times = _times(drive / "lidar" / "timestamps.json")
        sweeps = _files(drive / "lidar", (".pkl.gz", ".pkl"), len(sweep_times))
    except DataError as error:
        skipped.append(Skipped(Path(error.path or drive), error.reason))
        return None
    cameras = [path for path in sorted((drive / "camera").iterdir()) if path.is_dir() and not path.is_symlink()]
    times: dict[str, list[int]] = {}
    for camera in cameras:
        try:
            times[camera.name] = _times(camera / "timestamps.json")
        except DataError as error:
            skipped.append(Skipped(camera, error.reason))
    epoch_ns = min([*sweep_times, *(time for known in times.values() for time in known)])
    streams = [_sweep_stream(sweeps, sweep_times, epoch_ns, sensor) for sensor in _SCANNERS]
    mounts: list[Mount] = []
    lenses: list[Camera] = []
    for camera in cameras:
        if camera.name in times:
            try:
                more, mount, lens = _camera_streams(camera, times[camera.name], epoch_ns)
            except DataError as error:
                skipped.append(Skipped(camera, error.reason))
                continue
            streams += more
            mounts.append(mount)
            lenses.append(lens)
    poses = drive / "lidar" / "poses.json"
    if poses.is_file():
        streams.append(_pose_stream("ego_pose", poses, sweep_times, epoch_ns, "ego"))
        mounts += _ego_mounts(poses)
    gps = drive / "meta" / "gps.json"
    if gps.is_file() and (drive / "meta" / "timestamps.json").is_file():
        streams.append(_series_stream(gps, _times(drive / "meta" / "timestamps.json"), epoch_ns))
    rig = RigProposal(mounts=tuple(mounts), cameras=tuple(lenses))
    return SampleProposal(key=drive.resolve().name, streams=tuple(streams), rig=rig, epoch_ns=epoch_ns)


def _timed(times: Sequence[int], zero_ns: int, /, **more: OptionValue | None) -> dict[str, OptionValue]:
    stated = {name: value for name, value in more.items() if value is not None}
    return {TIMES_OPTION: times_option([time - zero_ns for time in times]), **stated}


def _sweep_stream(sweeps: list[tuple[int, Path]], times: list[int], epoch_ns: int, sensor: int) -> StreamProposal:
    own = [times[number] for number, _ in sweeps]
    missing = len(times) - len(own)
    return StreamProposal(
        key=_SCANNERS[sensor],
        kind=StreamKind.CLOUD,
        files=tuple(path for _, path in sweeps),
        reader="pandaset_lidar",
        options=_timed(own, epoch_ns, epoch_ns=epoch_ns, sensor=sensor, hold_ns=hold_of(times)),
        clock="vehicle",
        clock_source="timestamps.json",
        epoch_ns=epoch_ns,
        frame="world",
        licence=_LICENCE,
        notes=(f"{missing} of {len(times)} sweeps have no file: gaps",) if missing else (),
    )


def _camera_streams(camera: Path, times: list[int], epoch_ns: int) -> tuple[list[StreamProposal], Mount, Camera]:
    """The pictures, the poses that move the camera, its mount and its lens."""
    pictures = _files(camera, (".jpg", ".png"), len(times))
    intrinsics = read_json(camera / "intrinsics.json", max_bytes=1 << 20)
    fx, fy, cx, cy = (intrinsics[name].number() for name in ("fx", "fy", "cx", "cy"))
    width, height = _picture_size(pictures[0][1])
    lens = opencv_lens(np.array([(fx, 0.0, cx), (0.0, fy, cy), (0.0, 0.0, 1.0)]))
    own = [times[number] for number, _ in pictures]
    stream = StreamProposal(
        key=camera.name,
        kind=StreamKind.VIDEO,
        files=tuple(path for _, path in pictures),
        reader="timed_images",
        options=_timed(own, epoch_ns, hold_ns=hold_of(times), clock_source="timestamps.json"),
        clock="vehicle",
        clock_source="timestamps.json",
        epoch_ns=epoch_ns,
        frame=camera.name,
        licence=_LICENCE,
    )
    poses = camera / "poses.json"
    pose = _pose_stream(f"{camera.name}_pose", poses, times, epoch_ns, camera.name)
    doubt = camera_doubt(camera.name, _first_pose(poses))
    frame = Frame(name=camera.name, parent="world", trajectory=pose.key)
    mount = Mount(frame=frame, stated="poses.json: world from camera", source=poses, doubt=doubt)
    made = Camera(name=camera.name, frame=camera.name, width_px=width, height_px=height, lens=lens)
    return [stream, pose], mount, made


def _picture_size(path: Path) -> tuple[int, int]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError("its first picture cannot be read", path=path) from error


def _pose_stream(key: str, path: Path, times: list[int], epoch_ns: int, child: str) -> StreamProposal:
    return StreamProposal(
        key=key,
        kind=StreamKind.TRAJECTORY,
        files=(path,),
        reader="pandaset_pose",
        options=_timed(times, epoch_ns, child_frame=child),
        clock="vehicle",
        clock_source="timestamps.json",
        epoch_ns=epoch_ns,
        frame=child,
        licence=_LICENCE,
    )


def _series_stream(path: Path, times: list[int], epoch_ns: int) -> StreamProposal:
    return StreamProposal(
        key="gps",
        kind=StreamKind.SERIES,
        files=(path,),
        reader="pandaset_gps",
        options=_timed(times, epoch_ns),
        clock="vehicle",
        clock_source="timestamps.json",
        epoch_ns=epoch_ns,
        licence=_LICENCE,
    )


def _ego_mounts(source: Path) -> list[Mount]:
    """The vehicle moves with its poses; below it a frame with the program's own axes."""
    ego_from_vehicle = RigidTransform(axis_change(VEHICLE, _AXES).as_rotation())
    moved = Frame(name="ego", parent="world", trajectory="ego_pose")
    turned = Frame(name="vehicle", parent="ego", parent_from_child=ego_from_vehicle)
    return [
        Mount(frame=moved, stated=f"{source.name}: world from ego; x right, y forward, z up", source=source),
        Mount(frame=turned, stated="axes of the program: x forward, y left, z up", source=source),
    ]


def _scene(folder: Path, skipped: list[Skipped]) -> SampleProposal:
    calibration = read_json(folder / "calibration.json", max_bytes=64 << 20)
    times = read_json(folder / "timestamps.json", max_bytes=64 << 20)
    epoch = times.get("epoch_s_of_t0")
    epoch_ns = None if epoch is None else epoch.seconds_ns()
    streams: list[StreamProposal] = []
    mounts: list[Mount] = []
    lenses: list[Camera] = []
    for name, value in calibration["cameras"].mapping().items():
        try:
            stream, mount, lens = _scene_camera(folder, name, Found(value, calibration.path, name), calibration, times)
        except DataError as error:
            skipped.append(Skipped(folder / "camera" / name, error.reason))
            continue
        streams.append(stream)
        mounts.append(mount)
        lenses.append(lens)
    streams += _scene_sweeps(folder, times, skipped)
    for key, kind, relative, reader, options in _SCENE_FILES:
        path = folder / relative
        if path.is_file():
            streams.append(_scene_file(key, kind, path, reader, options))
    if (folder / "sensors" / "ego_pose.json").is_file():
        mounts += _ego_mounts(folder / "sensors" / "ego_pose.json")
    rig = RigProposal(
        mounts=tuple(mounts),
        cameras=tuple(lenses),
        notes=("cameras hang at their fixed places below the moving vehicle; the matrices per sweep are not used",),
    )
    return SampleProposal(key=folder.resolve().name, streams=tuple(streams), rig=rig, epoch_ns=epoch_ns)


_SCENE_FILES: tuple[tuple[str, StreamKind, str, str, dict[str, OptionValue]], ...] = (
    ("ego_pose", StreamKind.TRAJECTORY, "sensors/ego_pose.json", "trajectory",
     {"parent_frame": "world", "child_frame": "ego"}),
    ("gps", StreamKind.SERIES, "sensors/gps.csv", "series", {}),
    ("narration", StreamKind.AUDIO, "audio/narration_synthetic.wav", "audio", {}),
    ("transcript", StreamKind.TEXT, "text/narration.json", "transcript_json", {}),
    ("captions", StreamKind.TEXT, "text/narration.vtt", "vtt", {}),
)  # fmt: skip


def _scene_file(key: str, kind: StreamKind, path: Path, reader: str, options: dict[str, OptionValue]) -> StreamProposal:
    """What counts from the scene's own zero."""
    return StreamProposal(
        key=key,
        kind=kind,
        files=(path,),
        reader=reader,
        options=options,
        clock="scene",
        clock_source="scene time",
        frame=str(options.get("child_frame", "")),
        licence=_LICENCE,
    )


def _scene_camera(
    folder: Path, name: str, found: Found, calibration: Found, times: Found
) -> tuple[StreamProposal, Mount, Camera]:
    path = inside(folder, found["file"].text(), source=str(calibration.path))
    if not path.is_file():
        raise DataError("the film is not there", path=path)
    width, height = (size.whole() for size in calibration["image_size"])
    fx, fy, cx, cy = (found[key].number() for key in ("fx", "fy", "cx", "cy"))
    matrix = np.array([row.numbers(4) for row in found["T_cam_from_ego_static"]])
    try:
        ego_from_camera = transform_of_matrix(matrix).inverted()
    except DataError as error:
        found["T_cam_from_ego_static"].fail(error.reason)
    first_ns = _first_time(times, name)
    frame = Frame(name=name, parent="ego", parent_from_child=ego_from_camera)
    mount = Mount(
        frame=frame,
        stated="T_cam_from_ego_static: camera from ego, turned round",
        source=Path(str(calibration.path)),
        doubt=camera_doubt(name, ego_from_camera),
    )
    stream = StreamProposal(
        key=name,
        kind=StreamKind.VIDEO,
        files=(path,),
        reader="video",
        clock="vehicle",
        clock_source="timestamps.json and the film's own times",
        time_map=offset_map(first_ns).found_by("declared", evidence={"first_frame_ns": first_ns}),
        frame=name,
        licence=_LICENCE,
    )
    lens = opencv_lens(np.array([(fx, 0.0, cx), (0.0, fy, cy), (0.0, 0.0, 1.0)]))
    return stream, mount, Camera(name=name, frame=name, width_px=width, height_px=height, lens=lens)


def _first_time(times: Found, name: str) -> int:
    """Films count from their first frame, which the list of times puts on the scene's axis."""
    for place in (times, times.get("cameras"), times.get("camera")):
        own = None if place is None else place.get(name)
        if own is not None:
            return (own["t_s"] if own.has("t_s") else own)[0].seconds_ns()
    raise DataError(f"lists no times of {name!r}", path=times.path)


def _scene_sweeps(folder: Path, times: Found, skipped: list[Skipped]) -> list[StreamProposal]:
    lidar = folder / "lidar"
    try:
        listed = [item.seconds_ns() for item in times["lidar"]["t_s"]]
        sweeps = _files(lidar, (".pcd",), len(listed))
    except (DataError, FileNotFoundError) as error:
        reason = error.reason if isinstance(error, DataError) else "there are no sweeps"
        skipped.append(Skipped(lidar, reason))
        return []
    own = [listed[number] for number, _ in sweeps]
    gone = sorted(set(range(len(listed))) - {number for number, _ in sweeps})
    note = f"sweeps {', '.join(map(str, gone[:12]))} have no file: gaps" if gone else ""
    return [
        StreamProposal(
            key="lidar",
            kind=StreamKind.CLOUD,
            files=tuple(path for _, path in sweeps),
            reader="timed_clouds",
            options=_timed(own, 0, hold_ns=hold_of(listed), frame="ego", clock_source="timestamps.json"),
            clock="vehicle",
            clock_source="timestamps.json",
            frame="ego",
            licence=_LICENCE,
            notes=(note,) if note else (),
        )
    ]


def _pose_rows(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions (n, 3) and quaternions (n, 4) of a list of ``position`` and ``heading``."""
    places, turns = [], []
    for row in read_json(path, max_bytes=64 << 20):
        places.append([row["position"][axis].number() for axis in "xyz"])
        turns.append([row["heading"][axis].number() for axis in "wxyz"])
    if not places:
        raise DataError("holds no poses", path=path)
    quaternions = np.array(turns)
    lengths = np.linalg.norm(quaternions, axis=1)
    if np.abs(lengths - 1).max() > 0.01:
        raise DataError(
            "holds a heading that is no unit quaternion", path=path, place=f"pose {int(np.argmax(np.abs(lengths - 1)))}"
        )
    return np.array(places), quaternions / lengths[:, None]


def _first_pose(path: Path) -> RigidTransform:
    places, turns = _pose_rows(path)
    x, y, z = places[0].tolist()
    a, b, c, d = turns[0].tolist()
    return RigidTransform((a, b, c, d), (x, y, z))


def open_poses(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldTrajectory:
    """Poses whose times are in a list beside them."""
    path = one_path(paths, "a list of poses")
    places, turns = _pose_rows(path)
    times = times_given(options, len(places), path)
    origin = Origin(paths=tuple(paths), clock_source="timestamps.json")
    child = str(options.get("child_frame", "ego"))
    return held_trajectory(("world", child), times, places, turns, origin=origin)


def open_gps(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldSeries:
    """Places and speeds of the receiver."""
    path = one_path(paths, "a list of fixes")
    rows = [[row[name].number() for name, _ in _GPS] for row in read_json(path, max_bytes=64 << 20)]
    times = times_given(options, len(rows), path)
    channels = [Channel(name=name, unit=unit) for name, unit in _GPS]
    origin = Origin(paths=tuple(paths), clock_source="timestamps.json")
    return held_series(channels, times, np.array(rows).reshape(len(rows), len(_GPS)), origin=origin)


READERS = (
    ReaderSpec(
        name="pandaset_lidar",
        kind=StreamKind.CLOUD,
        title="PandaSet sweeps",
        suffixes=(".pkl.gz", ".pkl"),
        open=open_sweeps,
        options={
            **TIMES_HELP,
            "epoch_ns": "Unix time of the stream's zero, for the points' own times",
            "sensor": "0 the spinning scanner, 1 the forward one, -1 both",
            "hold_ns": "longest time a sweep is shown if no next one comes",
        },
        several=True,
    ),
    ReaderSpec(
        name="pandaset_pose",
        kind=StreamKind.TRAJECTORY,
        title="PandaSet poses",
        suffixes=(".json",),
        open=open_poses,
        options={**TIMES_HELP, "child_frame": "the frame that moves"},
    ),
    ReaderSpec(
        name="pandaset_gps",
        kind=StreamKind.SERIES,
        title="PandaSet GPS",
        suffixes=(".json",),
        open=open_gps,
        options=TIMES_HELP,
    ),
)
DATASETS = (DatasetSpec(name="pandaset", title="PandaSet", recognise=recognise, propose=propose),)
