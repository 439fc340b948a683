"""MCAP recordings: every topic of pictures, clouds, sound, words, numbers and poses as a stream of one sample.

Needs nothing beyond the program: the container and the messages of ROS 2, ROS 1 and JSON are read here. Frames come
from ``/tf_static`` (fixed mounts, stated as parent from child) and ``/tf`` (trajectories), cameras from ``CameraInfo``.
All times of a proposal are the recorder's; the option ``stamp`` turns a stream to its sensor's own stamps, and a note
says how far they lie apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from workstation.core.cameras import Camera, opencv_lens
from workstation.core.errors import DataError
from workstation.core.mounts import camera_doubt
from workstation.core.poses import transform_of
from workstation.core.sample import StreamKind
from workstation.core.space import Frame
from workstation.media.base import OpenContext, OptionValue, Reader, ReaderSpec
from workstation.media.proposal import (
    DatasetSpec,
    Mount,
    Proposal,
    RigProposal,
    SampleProposal,
    Skipped,
    StreamProposal,
    aligned,
    left_over,
)

from .clouds import CLOUD_TYPES, open_clouds
from .messages import Decoder, Message, decoder_of, frame_of, stamp_ns
from .pictures import PICTURE_TYPES, open_pictures
from .records import MAGIC, Recording, Topic
from .tables import (
    AUDIO_TYPES,
    POSE_TYPES,
    TEXT_TYPES,
    TRANSFORM_TYPES,
    numbers_in,
    open_poses,
    open_series,
    open_sound,
    open_text,
    poses_in,
)

_CAMERA_TYPES = {"sensor_msgs/CameraInfo"}
_LOOKED_AT = 200
_STAMPS_LOOKED_AT = 12
_WORTH_SAYING_MS = 0.5
_MOST_FILES = 1000
_COMPANIONS = (".yaml", ".yml", ".md", ".txt", ".json")
_KINDS: tuple[tuple[set[str], StreamKind, str], ...] = (
    (PICTURE_TYPES, StreamKind.VIDEO, "mcap_video"),
    (CLOUD_TYPES, StreamKind.CLOUD, "mcap_cloud"),
    (AUDIO_TYPES, StreamKind.AUDIO, "mcap_audio"),
    (TEXT_TYPES, StreamKind.TEXT, "mcap_text"),
    (POSE_TYPES, StreamKind.TRAJECTORY, "mcap_pose"),
)


def recognise(folder: Path) -> float:
    """MCAP files and what describes them, and nothing else to show."""
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    recordings = [path for path in files if path.suffix.lower() == ".mcap"]
    others = [path for path in files if path not in recordings and path.suffix.lower() not in _COMPANIONS]
    return 0.9 if recordings and not others else 0.0


def propose(folder: Path) -> Proposal:
    """One sample a recording."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".mcap" and path.is_file())
    if len(paths) > _MOST_FILES:
        raise DataError(f"holds more than {_MOST_FILES:,} recordings", path=folder)
    samples: list[SampleProposal] = []
    skipped: list[Skipped] = []
    for path in paths:
        try:
            if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
                raise DataError("is a link that leads out of the folder; it is not followed")
            samples.append(propose_recording(path))
        except DataError as error:
            skipped.append(Skipped(path, error.reason))
    used = {path for sample in samples for stream in sample.streams for path in stream.files}
    skipped += left_over(folder, used | {item.path for item in skipped}, lambda path: "is no MCAP recording")
    return Proposal(
        folder=folder, layout="mcap", title="MCAP recordings", samples=tuple(samples), skipped=tuple(skipped)
    )


def propose_recording(path: Path) -> SampleProposal:
    """The streams and the rig of one file."""
    recording = Recording(path, OpenContext())
    try:
        streams: list[StreamProposal] = []
        notes = list(recording.notes)
        rig = _Rig(path)
        for topic in recording.topics:
            try:
                streams += _streams(recording, topic, rig)
            except DataError as error:
                notes.append(f"the topic {topic.name} ({topic.schema.name}) is not shown: {error.reason}")
        if not streams:
            raise DataError(f"holds no topic that can be shown; {'; '.join(notes)[:500]}", path=path)
        streams = _distinct(streams)
        sample = SampleProposal(key=path.stem, streams=tuple(streams), rig=rig.proposal(streams), notes=tuple(notes))
        return aligned(sample, {})
    finally:
        recording.close()


def _streams(recording: Recording, topic: Topic, rig: _Rig) -> Iterator[StreamProposal]:
    schema = topic.schema
    decode = decoder_of(topic.encoding, schema.name, schema.encoding, schema.data)
    kind_name = schema.name.replace("/msg/", "/")
    first = decode(recording.message(topic, 0))
    epoch_ns = int(recording.log_times(topic)[0])
    common = _Common(recording.path, topic, epoch_ns if epoch_ns > 10**17 else None)
    if kind_name in TRANSFORM_TYPES:
        yield from rig.transforms(recording, topic, decode, common)
        return
    if kind_name in _CAMERA_TYPES:
        rig.camera(topic, first)
        return
    for types, kind, reader in _KINDS:
        if kind_name in types:
            child = str(first.get("child_frame_id", "")) if kind is StreamKind.TRAJECTORY else ""
            stream = common.stream(topic.name, kind, reader, frame=child or frame_of(first))
            yield replace(stream, notes=_lateness(recording, topic, decode))
            return
    if next(numbers_in(first), None) is None:
        raise DataError("its messages hold no numbers and are of no known type")
    stream = common.stream(topic.name, StreamKind.SERIES, "mcap_series", frame=frame_of(first))
    yield replace(stream, notes=_lateness(recording, topic, decode))


def _lateness(recording: Recording, topic: Topic, decode: Decoder) -> tuple[str, ...]:
    """By how much the recorder was later than the sensor's own stamps, where some messages have them."""
    times = recording.log_times(topic)
    late_ms = []
    for i in np.unique(np.linspace(0, len(times) - 1, _STAMPS_LOOKED_AT).astype(int)).tolist():
        stamp = stamp_ns(decode(recording.message(topic, i)))
        if stamp is None or not stamp:
            return ()
        late_ms.append((int(times[i]) - stamp) / 1e6)
    middle = float(np.median(late_ms))
    if max(map(abs, late_ms)) < _WORTH_SAYING_MS:
        return ()
    spread = f"{min(late_ms):.1f} to {max(late_ms):.1f} ms"
    said = f"the recorder wrote it {middle:.1f} ms after its sensor's stamps ({spread})"
    return (f"{said}; --option stamp=header reads it by the stamps",)


class _Common:
    """What all streams of a topic share."""

    def __init__(self, path: Path, topic: Topic, epoch_ns: int | None) -> None:
        self.path, self.topic, self.epoch_ns = path, topic, epoch_ns

    def stream(
        self, key: str, kind: StreamKind, reader: str, *, frame: str = "", options: dict[str, OptionValue] | None = None
    ) -> StreamProposal:
        return StreamProposal(
            key=_slug(key),
            kind=kind,
            files=(self.path,),
            reader=reader,
            options={"topic": self.topic.name, **(options or {})},
            clock="recorder",
            clock_source="recorder (log time)",
            epoch_ns=self.epoch_ns,
            frame=frame,
        )


class _Rig:
    """Mounts, moving frames and cameras as they are met."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mounts: dict[str, Mount] = {}
        self._moving: dict[str, tuple[str, str]] = {}
        """Child frame -> (parent, stream key)."""
        self._cameras: dict[str, Camera] = {}
        self._notes: list[str] = []

    def transforms(
        self, recording: Recording, topic: Topic, decode: Decoder, common: _Common
    ) -> Iterator[StreamProposal]:
        static = topic.name.rstrip("/").endswith("tf_static")
        count = len(recording.log_times(topic))
        pairs: dict[tuple[str, str], list[float]] = {}
        for i in range(count if static else min(count, _LOOKED_AT)):
            for parent, child, numbers in poses_in(decode(recording.message(topic, i))):
                pairs.setdefault((parent, child), numbers)
        for (parent, child), numbers in pairs.items():
            if not parent or not child or parent == child:
                self._notes.append(f"{topic.name} has a transform without two frames; left out")
            elif static:
                self._mount(topic, parent, child, numbers)
            else:
                key = _slug(f"{topic.name}_{child}")
                self._moving.setdefault(child, (parent, key))
                yield common.stream(
                    key, StreamKind.TRAJECTORY, "mcap_pose", frame=child, options={"parent": parent, "child": child}
                )

    def _mount(self, topic: Topic, parent: str, child: str, numbers: list[float]) -> None:
        try:
            placed = transform_of(numbers[3:], numbers[:3])
        except DataError as error:
            self._notes.append(f"{topic.name}, {child} in {parent}: {error.reason}; left out")
            return
        frame = Frame(name=child, parent=parent, parent_from_child=placed)
        self._mounts[child] = Mount(frame=frame, stated=f"{topic.name}: {parent} from {child}", source=self._path)

    def camera(self, topic: Topic, message: Message) -> None:
        """The lens of a ``CameraInfo``; its frame is the optical one that the message names."""
        name = topic.name.rsplit("/", 1)[0].strip("/") or topic.name.strip("/")
        fisheye = message.get("distortion_model") in ("equidistant", "fisheye")
        matrix = message.get("k", message.get("K"))
        numbers = message.get("d", message.get("D"))
        values = [float(number) for number in (numbers if numbers is not None else [])]
        if matrix is None or len(matrix) != 9 or not float(matrix[0]) > 0:
            raise DataError("the camera is not calibrated (its matrix is empty)")
        rows = [[float(matrix[3 * row + column]) for column in range(3)] for row in range(3)]
        lens = opencv_lens(rows, values, fisheye=fisheye)
        width, height = int(message.get("width", 0)), int(message.get("height", 0))
        # A camera is called as its frame: that is what its pictures name, in whatever topics they come.
        frame = frame_of(message) or name
        camera = Camera(name=frame, frame=frame, width_px=width, height_px=height, lens=lens)
        if self._cameras.setdefault(frame, camera) != camera:
            self._notes.append(f"{topic.name} gives the frame {frame} a second lens, which is left out")

    def proposal(self, streams: Sequence[StreamProposal]) -> RigProposal | None:
        moving = [
            Mount(
                frame=Frame(name=child, parent=parent, trajectory=key),
                stated=f"transforms of the recording: {parent} from {child}",
                source=self._path,
            )
            for child, (parent, key) in self._moving.items()
            if child not in self._mounts and any(stream.key == key for stream in streams)
        ]
        if not (self._mounts or moving or self._cameras):
            return None
        mounts = [self._with_doubt(mount) for mount in self._mounts.values()]
        rig = RigProposal(mounts=(*mounts, *moving), cameras=tuple(self._cameras.values()), notes=tuple(self._notes))
        try:
            rig.calibration()
        except DataError as error:
            return RigProposal(notes=(*self._notes, f"the transforms make no tree and are left out: {error}"))
        return rig

    def _with_doubt(self, mount: Mount) -> Mount:
        """Optical frames must stand upright in a base whose z is up."""
        placed = mount.frame.parent_from_child
        optical = any(camera.frame == mount.frame.name for camera in self._cameras.values())
        if placed is None or not optical or "optical" in mount.frame.parent or "camera" in mount.frame.parent:
            return mount
        doubt = camera_doubt(mount.frame.name, placed)
        return Mount(frame=mount.frame, stated=mount.stated, source=mount.source, doubt=doubt)


def _distinct(streams: list[StreamProposal]) -> list[StreamProposal]:
    """Two topics may be called alike once their names are keys; later ones get a number."""
    seen: set[str] = set()
    renamed = []
    for stream in streams:
        key, number = stream.key, 2
        while key in seen:
            key = f"{stream.key}_{number}"
            number += 1
        seen.add(key)
        renamed.append(replace(stream, key=key))
    return renamed


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_") or "topic"


def _spec(name: str, kind: StreamKind, title: str, opener: Callable[..., Reader], **more: str) -> ReaderSpec:
    return ReaderSpec(
        name=name,
        kind=kind,
        title=f"{title} of an MCAP recording",
        suffixes=(".mcap",),
        probe=lambda path, head: 0.05 if head.startswith(MAGIC) else 0.0,  # a topic must be named: never by itself
        open=opener,
        options={
            "topic": "which topic",
            "stamp": "'log': when messages were recorded; 'header': the sensor's own stamp",
            **more,
        },
    )


READERS = (
    _spec("mcap_video", StreamKind.VIDEO, "Pictures", open_pictures),
    _spec("mcap_cloud", StreamKind.CLOUD, "Clouds", open_clouds),
    _spec(
        "mcap_audio",
        StreamKind.AUDIO,
        "Sound",
        open_sound,
        sample_rate_hz="samples a second, where the messages do not say",
        channels="channels, where the messages do not say",
    ),
    _spec("mcap_text", StreamKind.TEXT, "Words", open_text),
    _spec("mcap_series", StreamKind.SERIES, "Numbers", open_series),
    _spec(
        "mcap_pose",
        StreamKind.TRAJECTORY,
        "Poses",
        open_poses,
        parent="frame the poses are in, for transforms",
        child="frame that moves, for transforms",
    ),
)
DATASETS = (DatasetSpec(name="mcap", title="MCAP recordings", recognise=recognise, propose=propose),)
