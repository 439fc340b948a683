"""The demo's real drive as a sample: streams on one clock, the rig, the published labels. Called by ``demo.py``.

Everything is recorded through the commands a person's own import would use, in one step, with its source.
Nothing is smoothed over: missing sweeps are gaps, each camera keeps its own times, both LiDARs' cuboids are there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.app.demo_source import CAMERAS, EGO, WORLD, PublishedCuboid, Source, ns, pose_rows, turned_sweep
from workstation.app.session import Run, Session
from workstation.core.annotation import Source as Origin
from workstation.core.annotation import SourceKind
from workstation.core.errors import DataError, UserError
from workstation.core.files import write_whole
from workstation.core.sample import MediaFile, StreamKind
from workstation.core.space import Calibration, Frame, as_json_values
from workstation.core.timebase import FrameTable, TimeMap
from workstation.media.base import OpenContext
from workstation.media.video import open_video
from workstation.store.media_files import record_file

KEY = "sf_drive"
_MOST_OFF_NS = 1_000_000
"""Media that are off their published times by more than this are not the demo's."""
_MOST_OFF_BEEP_NS = 5_000_000
_PANDASET = "CC BY 4.0, PandaSet sequence 002, © Scale AI and Hesai"
_OURS = "CC0 1.0"
_CLASSES = {
    "Car": "car",
    "Pickup Truck": "truck",
    "Medium-sized Truck": "truck",
    "Other Vehicle - Construction Vehicle": "vehicle",
    "Towed Object": "trailer",
    "Motorcycle": "motorcycle",
    "Bicycle": "bicycle",
    "Pedestrian": "pedestrian",
    "Pedestrian with Object": "pedestrian",
    "Cones": "traffic_cone",
}
_ATTRIBUTES = {
    ("object_motion", "Parked"): ("motion", "parked"),
    ("object_motion", "Stopped"): ("motion", "stopped"),
    ("object_motion", "Moving"): ("motion", "moving"),
    ("pedestrian_behavior", "Walking"): ("pedestrian_state", "walking"),
    ("pedestrian_behavior", "Standing"): ("pedestrian_state", "standing"),
}
_POINT_CLASSES = {
    **_CLASSES,
    "Road": "drivable_area",
    "Signs": "traffic_sign",
    "Road Barriers": "barrier",
}
"""Point classes that the ontology has a word for as a thing; buildings, plants and the like it has not."""
Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured on the media while the sample was built."""

    largest_difference_ns: int
    """Between a picture's presentation time, mapped, and its published capture time."""
    beep_offset_ns: int
    """Largest distance of a beep's first loud sample from the picture it belongs to."""


STEPS = 459
"""Files that are brought and commands that are run."""


def build(session: Session, source: Source, *, copy: Callable[[Path, Path], None], step: Callable[[], None]) -> None:
    """Put the drive into a new project. ``copy`` copies one file; ``step`` is called after each of about ``STEPS``
    equal parts of the work, and may raise to end it."""
    media = session.project.media_folder / KEY
    _bring_media(source, media, copy, step)
    tables = {name: _checked_times(source, name, media / "camera" / f"{name}.mp4") for name in CAMERAS}
    maps = {name: _camera_map(source, name, tables[name]) for name in CAMERAS}
    evidence = Evidence(
        max(_difference(source, name, tables[name], maps[name]) for name in CAMERAS),
        _beep_offset_ns(
            source, media / "audio" / "narration_synthetic.wav", tables["front_camera"], maps["front_camera"]
        ),
    )
    with session.together("Build the demo drive") as commit:

        def run(command_id: str, /, **arguments: object) -> Any:
            step()
            return commit(command_id, **arguments)

        run(
            "sample.add",
            key=KEY,
            properties={"place": "San Francisco", "recorded": "2019-05-11", "source": "PandaSet sequence 002"},
            notes="Eight seconds of a real drive. The commentary is synthetic; everything else was recorded.",
        )
        _add_streams(session, run, source, media, maps)
        _add_rig(run, source)
        _set_gates(run, evidence)
        _add_cuboids(run, source)
        _add_point_classes(run, source)
        _add_turns(run, source)


def _bring_media(source: Source, media: Path, copy: Callable[[Path, Path], None], step: Callable[[], None]) -> None:
    """Files go into the project as they are, but for points and poses, which are turned into our axes."""
    for name in ("camera", "lidar", "audio", "text", "sensors"):
        (media / name).mkdir(parents=True)
    plain = [f"camera/{name}.mp4" for name in CAMERAS]
    plain += ["audio/narration_synthetic.wav", "text/narration.vtt", "sensors/gps.csv", "timestamps.json", "README.md"]
    for name in plain:
        copy(source.path(*name.split("/")), media / name)
        step()
    for path in source.sweeps().values():
        write_whole(media / "lidar" / path.name, turned_sweep(path.read_bytes(), path=path))
        step()
    write_whole(media / "sensors" / "ego_pose.csv", pose_rows(source.trajectory))


# --- time ----------------------------------------------------------------------------------------------------------


def _checked_times(source: Source, name: str, path: Path) -> FrameTable:
    """The frame table of a film; as many pictures as published, or it is not the film."""
    reader = open_video([path], {}, OpenContext())
    try:
        table = reader.table
    finally:
        reader.close()
    published = len(source.times_ns(name))
    if len(table) != published:
        raise DataError(f"it holds {len(table)} pictures, timestamps.json lists {published}", path=path)
    return table


def _camera_map(source: Source, name: str, table: FrameTable) -> TimeMap:
    """The film counts from its own first picture: that one's capture time places it."""
    published = source.times_ns(name)
    knot = (int(table.times_ns[0]), int(published[0]))
    errors = TimeMap(knots=(knot,)).to_session_array(table.times_ns) - published
    said = {
        "file": "timestamps.json",
        "key": name,
        "pictures": len(table),
        "largest_difference_ns": int(np.abs(errors).max()),
    }
    residual = round(float(np.sqrt(np.mean(errors.astype(np.float64) ** 2))))
    return TimeMap(knots=(knot,), method="declared", evidence=json.dumps(said), residual_ns=residual)


def _difference(source: Source, name: str, table: FrameTable, time_map: TimeMap) -> int:
    largest = int(np.abs(time_map.to_session_array(table.times_ns) - source.times_ns(name)).max())
    if largest > _MOST_OFF_NS:
        raise DataError(f"its pictures are up to {largest / 1e6:.1f} ms off timestamps.json", path=name)
    return largest


def _beep_offset_ns(source: Source, path: Path, table: FrameTable, time_map: TimeMap) -> int:
    """How far the beeps begin from the pictures of the front camera that they belong to, as heard in the file."""
    from workstation.media.audio import open_audio

    reader = open_audio(path)
    try:
        rate = reader.sample_rate_hz
        offsets = []
        for beep in source.narration.sync_beeps:
            seen_ns = time_map.to_session(int(table.times_ns[beep.front_camera_frame]))
            first = seen_ns * rate // 1_000_000_000 - rate // 20
            start = first + _tone_start(reader.read(first, first + rate // 7)[:, 0], rate)
            offsets.append(abs(reader.time_of(start) - seen_ns))
    finally:
        reader.close()
    if max(offsets) > _MOST_OFF_BEEP_NS:
        raise DataError(f"its beeps are {max(offsets) / 1e6:.1f} ms off the pictures that they mark", path=path)
    return max(offsets)


def _tone_start(heard: NDArray[np.float32], rate_hz: int) -> int:
    """The sample at which 40 ms of a tone of 1 kHz fit best; a voice may speak over it."""
    turns = np.exp(-2j * np.pi * 1000 / rate_hz * np.arange(len(heard)))
    total = np.concatenate([[0], np.cumsum(heard * turns)])
    lasts = rate_hz // 25
    return int(np.argmax(np.abs(total[lasts:] - total[:-lasts])))


def _set_gates(run: Run, evidence: Evidence) -> None:
    run(
        "gate.set",
        sample=KEY,
        gate="sync",
        state="verified",
        reason=(
            "capture times published with the recording; every picture of the four films agrees with them within "
            f"{evidence.largest_difference_ns / 1e6:g} ms, and the three beeps of the commentary begin within "
            f"{evidence.beep_offset_ns / 1e6:.2f} ms of the pictures of the front camera that they mark"
        ),
    )
    run(
        "gate.set",
        sample=KEY,
        gate="calibration",
        state="declared",
        reason="published with the recording; cuboids lie on their objects in all four cameras",
    )


# --- streams and rig -----------------------------------------------------------------------------------------------


def _add_streams(session: Session, run: Run, source: Source, media: Path, maps: dict[str, TimeMap]) -> None:
    def add(key: str, kind: StreamKind, paths: Sequence[Path], **more: Any) -> None:
        files: tuple[MediaFile, ...] = tuple(record_file(session.project.path, path) for path in paths)
        run("stream.add", sample=KEY, key=key, kind=kind, files=msgspec.to_builtins(files), **more)

    for name in CAMERAS:
        add(
            name, StreamKind.VIDEO, [media / "camera" / f"{name}.mp4"], role=name.replace("_", " "), frame=name,
            clock="camera trigger", epoch_ns=source.zero_ns + maps[name].to_session(0),
            time_map=msgspec.to_builtins(maps[name]), recording=KEY, licence=_PANDASET,
            transformations=("scaled from 1920×1080 to 960×540", "encoded as H.264"),
        )  # fmt: skip
    turned = "axes turned from x right, y forward to x forward, y left"
    lasers = [media / "lidar" / path.name for path in source.sweeps().values()]
    add(
        "lidar", StreamKind.CLOUD, lasers, role="roof LiDAR", frame=EGO, clock="end of each sweep",
        options={"times": "../timestamps.json#lidar/t_s", "frame": EGO}, epoch_ns=source.zero_ns, recording=KEY,
        licence=_PANDASET, transformations=("range below 60 m, every sixth point", "moved into the ego frame", turned),
    )  # fmt: skip
    add(
        "gps", StreamKind.SERIES, [media / "sensors" / "gps.csv"], role="GPS", clock="GPS", epoch_ns=source.zero_ns,
        recording=KEY, licence=_PANDASET,
    )  # fmt: skip
    add(
        "ego_pose", StreamKind.TRAJECTORY, [media / "sensors" / "ego_pose.csv"], role="pose of the vehicle",
        frame=WORLD, options={"parent_frame": WORLD, "child_frame": EGO}, clock="end of each sweep",
        epoch_ns=source.zero_ns, recording=KEY, licence=_PANDASET, transformations=(turned,),
    )  # fmt: skip
    add(
        "commentary", StreamKind.AUDIO, [media / "audio" / "narration_synthetic.wav"], role="commentary",
        clock="commentary track", epoch_ns=source.zero_ns, language="en", recording=KEY, licence=_OURS,
        transformations=("synthetic voice",),
    )  # fmt: skip
    add(
        "transcript", StreamKind.TEXT, [media / "text" / "narration.vtt"], role="transcript of the commentary",
        clock="commentary track", epoch_ns=source.zero_ns, language="en", recording=KEY, licence=_OURS,
    )  # fmt: skip


def _add_rig(run: Run, source: Source) -> None:
    """``parent_from_child`` throughout: the vehicle in the world by its poses, each camera on the vehicle."""
    moving = Frame(name=EGO, parent=WORLD, trajectory="ego_pose")
    fixed = [Frame(name=name, parent=EGO, parent_from_child=source.ego_from_camera(name)) for name in CAMERAS]
    calibration = Calibration(frames=(moving, *fixed), cameras=tuple(source.camera(name) for name in CAMERAS))
    run(
        "rig.add",
        sample=KEY,
        key="vehicle",
        frames=as_json_values(calibration.frames),
        cameras=as_json_values(calibration.cameras),
        note="published camera_from_ego matrices of the standing vehicle, inverted to ego_from_camera; no distortion",
    )


# --- labels --------------------------------------------------------------------------------------------------------


def _add_cuboids(run: Run, source: Source) -> None:
    made: dict[str, str] = {}
    tracks = source.cuboids()
    for uuid, cuboids in tracks.items():
        first = cuboids[0][1]
        class_id = _class_of(first)
        entity = run("entity.add", sample=KEY, class_id=class_id)
        track = run(
            "track.add",
            sample=KEY,
            stream="lidar",
            entity=entity,
            keyframes=[{"time_ns": time_ns, "shape": msgspec.to_builtins(each.shape)} for time_ns, each in cuboids],
            frame=EGO,
            attributes={"occlusion": "unknown", **_attributes(first)},
            state="done",
            source=msgspec.to_builtins(_origin(first)),
        )
        for time_ns, said in _changes(cuboids):
            run("keyframe.set", annotation=track, time_ns=time_ns, attributes=said)
        made[uuid] = track
    _propose_siblings(run, tracks, made)


def _class_of(cuboid: PublishedCuboid) -> str:
    if cuboid.label not in _CLASSES:
        raise UserError(f"nothing is known about the label {cuboid.label!r} of {cuboid.uuid}")
    return _CLASSES[cuboid.label]


def _attributes(cuboid: PublishedCuboid) -> Attributes:
    """What the driving ontology has a place for; the rest goes along in the label's source."""
    said = (_ATTRIBUTES.get((name, getattr(cuboid, name))) for name in ("object_motion", "pedestrian_behavior"))
    return dict(pair for pair in said if pair is not None)


def _changes(cuboids: Sequence[tuple[int, PublishedCuboid]]) -> Iterator[tuple[int, Attributes]]:
    """Where an attribute takes another value along a track, and the first moment again if it ever does."""
    values = [(time_ns, _attributes(each)) for time_ns, each in cuboids]
    changed = [now for before, now in pairwise(values) if now[1] != before[1]]
    return iter([values[0], *changed] if changed else [])


def _origin(cuboid: PublishedCuboid) -> Origin:
    return Origin(kind=SourceKind.IMPORT, name="PandaSet", version="sequence 002", parameters=cuboid.facts)


def _propose_siblings(
    run: Run, tracks: Mapping[str, Sequence[tuple[int, PublishedCuboid]]], made: Mapping[str, str]
) -> None:
    """The publisher names pairs of cuboids, one a sensor, as one object: a proposal, for a person to judge.

    Some name a sibling that does not name them, or that is not there, or themselves, or not in every sweep.
    """
    proposed: set[frozenset[str]] = set()
    for uuid, cuboids in tracks.items():
        for _, cuboid in cuboids:
            pair = frozenset((uuid, cuboid.sibling_uuid))
            if cuboid.sibling_uuid not in made or len(pair) < 2 or pair in proposed:
                continue
            proposed.add(pair)
            run(
                "link.add",
                sample=KEY,
                type_id="same_object",
                ends={"view": [f"annotation:{made[uuid]}", f"annotation:{made[cuboid.sibling_uuid]}"]},
                rationale="named as siblings by the publisher, one cuboid from each LiDAR",
                state="proposed",
                source=msgspec.to_builtins(_origin(cuboid)),
            )


def _add_point_classes(run: Run, source: Source) -> None:
    """The classes of the points where they were published, one point set a class and sweep."""
    origin = msgspec.to_builtins(Origin(kind=SourceKind.IMPORT, name="PandaSet", version="sequence 002, point classes"))
    for _, time_ns, by_class in source.point_classes(_POINT_CLASSES):
        for class_id, indices in by_class.items():
            run(
                "annotation.add",
                sample=KEY,
                stream="lidar",
                class_id=class_id,
                shape={"kind": "point_indices", "indices": indices},
                start_ns=time_ns,
                end_ns=time_ns,
                frame=EGO,
                attributes={"occlusion": "unknown"},
                state="done",
                source=origin,
            )


def _add_turns(run: Run, source: Source) -> None:
    origin = msgspec.to_builtins(Origin(kind=SourceKind.IMPORT, name="narration.json"))
    for phrase in source.narration.phrases:
        run(
            "turn.add",
            sample=KEY,
            stream="commentary",
            start_ns=ns(phrase.start_s),
            end_ns=ns(phrase.end_s),
            text=phrase.text,
            class_id="speech",
            language=phrase.lang,
            state="done",
            source=origin,
        )
