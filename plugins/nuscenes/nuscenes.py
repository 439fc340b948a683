"""nuScenes scenes: every camera, lidar and radar with its own capture times, ego poses and calibration.

A data set folder holds a folder of tables (``v1.0-mini``) and the files they name (``samples``, ``sweeps``). Tables
are read through typed records, so that a table of a million rows stays small and a wrong field is named. Times are
microseconds since 1970; calibrations hold ego from sensor, poses global from ego, quaternions with the scalar first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from workstation.core.cameras import Camera, opencv_lens
from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.mounts import camera_doubt
from workstation.core.poses import transform_of
from workstation.core.sample import StreamKind
from workstation.core.space import Frame
from workstation.core.untrusted import inside
from workstation.media.base import OpenContext, Options, OptionValue, ReaderSpec, one_path
from workstation.media.gaps import hold_of
from workstation.media.held import HeldTrajectory, Origin, held_trajectory, unit_rotations
from workstation.media.proposal import (
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
    times_option,
)

_TABLE_BYTES = 2 << 30
_NEEDED = ("scene", "sample", "sample_data", "calibrated_sensor", "sensor", "ego_pose")
_ANNOTATIONS = {
    "sample_annotation.json", "instance.json", "category.json", "attribute.json", "visibility.json", "lidarseg.json",
}  # fmt: skip
_MOST_SCENES = 5_000
_MICROSECOND = 1000
_READER_OF = {
    StreamKind.VIDEO: "timed_images", StreamKind.CLOUD: "timed_clouds", StreamKind.RADAR: "timed_radar",
}  # fmt: skip
Row = TypeVar("Row", bound=msgspec.Struct)


class _Scene(msgspec.Struct, frozen=True):
    token: str
    name: str
    description: str = ""
    log_token: str = ""


class _Sample(msgspec.Struct, frozen=True):
    token: str
    scene_token: str


class _Data(msgspec.Struct, frozen=True):
    sample_token: str
    calibrated_sensor_token: str
    timestamp: int
    filename: str
    ego_pose_token: str = ""
    is_key_frame: bool = False
    width: int | None = None
    height: int | None = None


class _Calibrated(msgspec.Struct, frozen=True):
    token: str
    sensor_token: str
    translation: tuple[float, float, float]
    rotation: tuple[float, float, float, float]
    camera_intrinsic: tuple[tuple[float, ...], ...] = ()


class _Sensor(msgspec.Struct, frozen=True):
    token: str
    channel: str
    modality: str


class _EgoPose(msgspec.Struct, frozen=True):
    timestamp: int
    rotation: tuple[float, float, float, float]
    translation: tuple[float, float, float]
    token: str = ""


class _Log(msgspec.Struct, frozen=True):
    token: str
    vehicle: str = ""
    date_captured: str = ""
    location: str = ""


def recognise(folder: Path) -> float:
    """Tables beside ``samples``."""
    return 0.95 if _tables(folder) is not None else 0.0


def propose(folder: Path) -> Proposal:
    """One sample a scene."""
    tables = _tables(folder)
    if tables is None:
        raise DataError("holds no folder of nuScenes tables", path=folder)
    scenes = _read(tables / "scene.json", _Scene)
    if len(scenes) > _MOST_SCENES:
        raise DataError(f"lists {len(scenes):,} scenes; add its parts one by one", path=tables / "scene.json")
    scene_of = {sample.token: sample.scene_token for sample in _read(tables / "sample.json", _Sample)}
    data: dict[str, dict[str, list[_Data]]] = {scene.token: {} for scene in scenes}
    sensors = {sensor.token: sensor for sensor in _read(tables / "sensor.json", _Sensor)}
    calibrated = {row.token: row for row in _read(tables / "calibrated_sensor.json", _Calibrated)}
    channel_of = {row.token: sensors[row.sensor_token] for row in calibrated.values() if row.sensor_token in sensors}
    for row in _read(tables / "sample_data.json", _Data):
        sensor, belongs_to = channel_of.get(row.calibrated_sensor_token), scene_of.get(row.sample_token, "")
        if sensor is not None and belongs_to in data:
            data[belongs_to].setdefault(sensor.channel, []).append(row)
    logs = {log.token: log for log in _read(tables / "log.json", _Log)} if (tables / "log.json").is_file() else {}
    samples: list[SampleProposal] = []
    skipped: list[Skipped] = []
    together = _together(data)
    for scene in scenes:
        sample = _scene(folder, tables, scene, data[scene.token], calibrated, channel_of, skipped)
        if sample is not None and scene.token in together:
            sample = _with_own_poses(sample, tables, scene)
        if sample is not None:
            log = logs.get(scene.log_token)
            words = {"description": scene.description, "location": log.location if log else ""}
            properties = {name: text[:1000] for name, text in words.items() if text}
            samples.append(replace(sample, properties=properties))
    used = {path for sample in samples for stream in sample.streams for path in stream.files}
    used |= {mount.source for sample in samples if sample.rig for mount in sample.rig.mounts}
    named = used | {item.path for item in skipped}
    return Proposal(
        folder=folder,
        layout="nuscenes",
        title=f"nuScenes ({tables.name})",
        samples=tuple(samples),
        skipped=(*skipped, *left_over(folder, named, _why)),
    )


def _together(data: dict[str, dict[str, list[_Data]]]) -> set[str]:
    """Scenes that were recorded while another one was: two cars on the road."""
    times = {scene: [row.timestamp for rows in channels.values() for row in rows] for scene, channels in data.items()}
    spans = sorted((min(known), max(known), scene) for scene, known in times.items() if known)
    found: set[str] = set()
    last_us, last = -1, ""
    for first_us, until_us, scene in spans:
        if first_us <= last_us:
            found |= {scene, last}
        if until_us > last_us:
            last_us, last = until_us, scene
    return found


def _with_own_poses(sample: SampleProposal, tables: Path, scene: _Scene) -> SampleProposal:
    """Times do not tell whose pose one is then; the tables of captures do, which are long and else not needed."""
    *streams, poses = sample.streams
    files = (*poses.files, tables / "sample.json", tables / "sample_data.json")
    own = replace(poses, files=files, options={**poses.options, "scene": scene.token})
    return replace(sample, streams=(*streams, own))


def _why(path: Path) -> str:
    if path.name in _ANNOTATIONS:
        return "holds annotations: an import, not a stream"
    if path.suffix == ".json":
        return "is a table that was read, or that no stream needs"
    return "is named by no scene of the tables"


def _tables(folder: Path) -> Path | None:
    """The folder of tables: ``v1.0-…`` with all the tables needed."""
    if not (folder / "samples").is_dir():
        return None
    for candidate in sorted(folder.glob("v*")):
        if candidate.is_dir() and all((candidate / f"{name}.json").is_file() for name in _NEEDED):
            return candidate
    return None


def _read(path: Path, kind: type[Row]) -> list[Row]:
    try:
        return msgspec.json.decode(read_bounded(path, _TABLE_BYTES), type=list[kind])  # type: ignore[valid-type]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DataError(f"is no table of the layout: {str(error)[:200]}", path=path) from error


def _scene(
    folder: Path,
    tables: Path,
    scene: _Scene,
    channels: dict[str, list[_Data]],
    calibrated: dict[str, _Calibrated],
    channel_of: dict[str, _Sensor],
    skipped: list[Skipped],
) -> SampleProposal | None:
    streams: list[StreamProposal] = []
    mounts: list[Mount] = []
    cameras: list[Camera] = []
    times: list[int] = []
    for channel, rows in sorted(channels.items()):
        sensor = channel_of[rows[0].calibrated_sensor_token]
        try:
            stream = _stream(folder, tables, sensor, rows)
            mount, camera = _mount(tables, sensor, rows, calibrated)
        except DataError as error:
            skipped.append(Skipped(folder / "samples" / channel, f"{scene.name}: {error.reason}"))
            continue
        streams.append(stream)
        mounts.append(mount)
        cameras += [] if camera is None else [camera]
        times += [row.timestamp for row in rows]
    if not streams:
        return None
    epoch_ns = min(times) * _MICROSECOND
    streams.append(
        StreamProposal(
            key="ego_pose",
            kind=StreamKind.TRAJECTORY,
            files=(tables / "ego_pose.json",),
            reader="nuscenes_pose",
            options={"from_us": min(times), "to_us": max(times)},
            clock="vehicle",
            clock_source="data set",
            epoch_ns=epoch_ns,
            frame="ego",
        )
    )
    ego = Frame(name="ego", parent="global", trajectory="ego_pose")
    mounts.append(Mount(frame=ego, stated="ego_pose.json: global from ego", source=tables / "ego_pose.json"))
    rig = RigProposal(mounts=tuple(mounts), cameras=tuple(cameras))
    sample = SampleProposal(key=scene.name or scene.token, streams=tuple(streams), rig=rig, epoch_ns=epoch_ns)
    return aligned(sample, {})


def _stream(folder: Path, tables: Path, sensor: _Sensor, rows: list[_Data]) -> StreamProposal:
    """Files that are there, at their capture times; the ones that are not are gaps, and told."""
    rows = sorted(rows, key=lambda row: row.timestamp)
    files: list[Path] = []
    kept: list[int] = []
    for row in rows:
        path = inside(folder, row.filename, source=tables / "sample_data.json")
        if path.is_file():
            files.append(path)
            kept.append(row.timestamp * _MICROSECOND)
    if not files:
        raise DataError(f"none of the {len(rows)} files of {sensor.channel} is there")
    options: dict[str, OptionValue] = {TIMES_OPTION: times_option([time - kept[0] for time in kept])}
    options["clock_source"] = "hardware trigger"
    hold_ns = hold_of([row.timestamp * _MICROSECOND for row in rows])
    if hold_ns is not None:
        options["hold_ns"] = hold_ns
    kinds = {"camera": StreamKind.VIDEO, "lidar": StreamKind.CLOUD, "radar": StreamKind.RADAR}
    kind = kinds.get(sensor.modality)
    if kind is None:
        raise DataError(f"{sensor.channel} is a {sensor.modality[:40]!r}, which no reader shows")
    if kind is not StreamKind.VIDEO:
        options["frame"] = sensor.channel
    if kind is StreamKind.CLOUD:
        options |= {"layout": "nuscenes", "format": "bin"}
    missing = len(rows) - len(files)
    return StreamProposal(
        key=sensor.channel,
        kind=kind,
        files=tuple(files),
        reader=_READER_OF[kind],
        options=options,
        clock="vehicle",
        clock_source="hardware trigger",
        epoch_ns=kept[0],
        frame=sensor.channel,
        notes=(f"{missing} of {len(rows)} files that the tables name are not there: gaps",) if missing else (),
    )


def _mount(
    tables: Path, sensor: _Sensor, rows: list[_Data], calibrated: dict[str, _Calibrated]
) -> tuple[Mount, Camera | None]:
    """The calibration of a channel; a scene has one for each."""
    source = tables / "calibrated_sensor.json"
    row = calibrated[rows[0].calibrated_sensor_token]
    try:
        ego_from_sensor = transform_of(row.rotation, row.translation)
    except DataError as error:
        raise DataError(f"{sensor.channel}: {error.reason}", path=source) from error
    frame = Frame(name=sensor.channel, parent="ego", parent_from_child=ego_from_sensor)
    is_camera = sensor.modality == "camera"
    mount = Mount(
        frame=frame,
        stated=f"calibrated_sensor.json: ego from {sensor.channel}",
        source=source,
        doubt=camera_doubt(sensor.channel, ego_from_sensor) if is_camera else "",
    )
    if not is_camera:
        return mount, None
    sized = next((item for item in rows if item.width and item.height), None)
    if sized is None or len(row.camera_intrinsic) != 3:
        raise DataError(f"{sensor.channel} lacks its camera matrix or the size of its pictures", path=source)
    lens = opencv_lens(row.camera_intrinsic)
    width, height = sized.width or 0, sized.height or 0
    return mount, Camera(name=sensor.channel, frame=sensor.channel, width_px=width, height_px=height, lens=lens)


def open_poses(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldTrajectory:
    """The ego poses between two times of the table, or those of one scene."""
    path = one_path(paths[:1], "the table of ego poses")
    first, last = options.get("from_us"), options.get("to_us")
    if isinstance(first, bool) or isinstance(last, bool) or not isinstance(first, int) or not isinstance(last, int):
        raise DataError("needs the options 'from_us' and 'to_us', microseconds since 1970", path=path)
    poses = [pose for pose in _read(path, _EgoPose) if first <= pose.timestamp <= last]
    if scene := options.get("scene"):
        if len(paths) != 3:
            raise DataError("needs the tables of poses, samples and captures, in this order", path=path)
        samples = {row.token for row in _read(paths[1], _Sample) if row.scene_token == scene}
        own = {row.ego_pose_token for row in _read(paths[2], _Data) if row.sample_token in samples}
        poses = [pose for pose in poses if pose.token in own]
    if not poses:
        raise DataError("holds no pose between these times", path=path)
    poses.sort(key=lambda pose: pose.timestamp)
    epoch_ns = first * _MICROSECOND
    turns, notes = unit_rotations(np.array([pose.rotation for pose in poses], np.float64))
    places = np.array([pose.translation for pose in poses], np.float64)
    places[np.isnan(turns[:, 0])] = np.nan
    times_ns = np.array([pose.timestamp * _MICROSECOND - epoch_ns for pose in poses], np.int64)
    origin = Origin(paths=tuple(paths), clock_source="data set", epoch_ns=epoch_ns, notes=notes)
    return held_trajectory(("global", "ego"), times_ns, places, turns, origin=origin)


READERS = (
    ReaderSpec(
        name="nuscenes_pose",
        kind=StreamKind.TRAJECTORY,
        title="nuScenes ego poses",
        suffixes=(".json",),
        open=open_poses,
        options={
            "from_us": "first time of the scene, microseconds since 1970: the zero of the stream",
            "to_us": "last time of the scene",
            "scene": "token of the scene, where others were recorded meanwhile",
        },
    ),
)
DATASETS = (DatasetSpec(name="nuscenes", title="nuScenes", recognise=recognise, propose=propose),)
