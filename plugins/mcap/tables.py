"""Topics of numbers, poses, transforms, words and sound. Opened through ``mcap_log``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.media.base import CancelToken, Channel, MediaInfo, OpenContext, Options, TextPart
from workstation.media.held import (
    HeldSeries,
    HeldText,
    HeldTrajectory,
    Origin,
    held_series,
    held_text,
    held_trajectory,
    unit_rotations,
)

from .messages import Message, bytes_of, frame_of, number_of, part_of
from .topics import TopicMessages

TEXT_TYPES = {"std_msgs/String", "rcl_interfaces/Log", "rosgraph_msgs/Log", "foxglove.Log", "foxglove_msgs/Log"}
AUDIO_TYPES = {
    "foxglove.RawAudio", "foxglove_msgs/RawAudio", "audio_common_msgs/AudioData", "audio_common_msgs/AudioDataStamped",
}  # fmt: skip
POSE_TYPES = {"nav_msgs/Odometry", "geometry_msgs/PoseStamped", "geometry_msgs/PoseWithCovarianceStamped"}
TRANSFORM_TYPES = {"tf2_msgs/TFMessage", "tf/tfMessage"}
_UNITS = {
    "linear_acceleration": "m/s²", "angular_velocity": "rad/s", "latitude": "deg", "longitude": "deg", "altitude": "m",
}  # fmt: skip
_LONGEST_ARRAY = 64
_MOST_CHANNELS = 512
_MOST_ROWS = 5_000_000


def numbers_in(message: Message, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, float]]:
    """(path, number) of every number; stamps, covariances and long arrays are left out."""
    names = message.get("name")
    labels = [str(name) for name in names] if isinstance(names, list) and depth == 0 else []
    for name, value in message.items():
        if name in ("header", "stamp", "timestamp") or name.endswith("covariance") or name == "covariance_type":
            continue
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict) and depth < 6:
            yield from numbers_in(value, path, depth + 1)
        elif isinstance(value, np.ndarray | list | memoryview) and len(value) <= _LONGEST_ARRAY:
            for i, item in enumerate(value.tolist() if isinstance(value, np.ndarray | memoryview) else value):
                if _is_number(item):
                    yield f"{path}[{labels[i] if len(labels) == len(value) else i}]", float(item)
        elif _is_number(value):
            yield path, float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal | np.number)


def open_series(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldSeries:
    """Every number of the messages of one topic, a channel each."""
    messages = TopicMessages(paths, options, context)
    try:
        names = [name for name, _ in numbers_in(messages.message(0))]
        if not names or len(names) > _MOST_CHANNELS:
            raise messages.wrong(0, f"holds {len(names)} numbers; from 1 to {_MOST_CHANNELS} can be shown")
        if len(messages) > _MOST_ROWS:
            raise DataError(f"holds {len(messages):,} messages, more than {_MOST_ROWS:,}", path=messages.path)
        table = np.full((len(messages), len(names)), np.nan)
        for i, message in enumerate(messages.each(context)):
            found = dict(numbers_in(message))
            table[i] = [found.get(name, math.nan) for name in names]
        channels = [
            Channel(name=name, unit=next((unit for part, unit in _UNITS.items() if part in name), "")) for name in names
        ]
        return held_series(channels, messages.times_ns, table, origin=_origin(messages))
    finally:
        messages.close()


def open_text(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldText:
    """Every message of one topic as a turn at its time."""
    messages = TopicMessages(paths, options, context)
    try:
        parts: list[TextPart] = []
        pieces: list[str] = []
        length = 0
        for i, message in enumerate(messages.each(context)):
            text = next((str(message[name]) for name in ("data", "msg", "message") if name in message), "")
            at = int(messages.times_ns[i])
            parts.append(
                TextPart(
                    start=length,
                    stop=length + len(text),
                    kind="turn",
                    span=TimeRange.instant(at),
                    speaker=str(message.get("name", ""))[:200],
                )
            )
            pieces += [text, "\n"]
            length += len(text) + 1
            context.limits.check_bytes(4 * length, path=messages.path)
        return held_text(messages.path, "".join(pieces), parts, origin=_origin(messages))
    finally:
        messages.close()


def open_poses(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldTrajectory:
    """Poses of one topic, or the transforms from ``child`` to ``parent`` of a topic of transforms."""
    messages = TopicMessages(paths, options, context)
    try:
        parent, child = str(options.get("parent", "")), str(options.get("child", ""))
        times: list[int] = []
        rows: list[list[float]] = []
        for i, message in enumerate(messages.each(context)):
            try:
                for own_parent, own_child, numbers in poses_in(message):
                    parent, child = parent or own_parent, child or own_child
                    if (own_parent, own_child or child) == (parent, child):
                        times.append(int(messages.times_ns[i]))
                        rows.append(numbers)
            except DataError as error:
                raise messages.wrong(i, error.reason) from error
        if not rows:
            raise DataError(f"holds no pose of {child!r} in {parent!r}", path=messages.path, place=messages.topic.name)
        table = np.array(rows)
        table[:, 3:], notes = unit_rotations(table[:, 3:])
        table[~np.isfinite(table).all(axis=1)] = np.nan
        frames = (parent or "world", child or "body")
        stamps = np.array(times, np.int64)
        return held_trajectory(frames, stamps, table[:, :3], table[:, 3:], origin=_origin(messages, notes))
    finally:
        messages.close()


def poses_in(message: Message) -> Iterator[tuple[str, str, list[float]]]:
    """(parent, child, x y z w i j k) of each pose or transform of a message."""
    transforms = message.get("transforms")
    if isinstance(transforms, list):
        for item in transforms:
            moved = part_of(item, "transform")
            yield (
                frame_of(item),
                str(item.get("child_frame_id", "")).lstrip("/"),
                _seven(moved, "translation", "rotation"),
            )
        return
    pose = part_of(message, "pose")
    if isinstance(pose.get("pose"), dict):
        pose = pose["pose"]
    yield frame_of(message), str(message.get("child_frame_id", "")).lstrip("/"), _seven(pose, "position", "orientation")


def _seven(message: Message, place: str, turn: str) -> list[float]:
    places, turns = part_of(message, place), part_of(message, turn)
    return [*(number_of(places, axis) for axis in "xyz"), *(number_of(turns, axis) for axis in "wxyz")]


def _origin(messages: TopicMessages, notes: tuple[str, ...] = ()) -> Origin:
    return Origin(
        paths=(messages.path,),
        clock_source=messages.source,
        epoch_ns=messages.epoch_ns,
        details={"topic": messages.topic.name, "type": messages.topic.schema.name},
        notes=messages.recording.notes + notes,
    )


class TopicSound:
    """An ``AudioReader`` of 16-bit PCM in messages, laid one after the other from the first one's time."""

    def __init__(self, messages: TopicMessages, options: Options, context: OpenContext) -> None:
        self._messages = messages
        self._share = context.memory.share()
        first = messages.message(0)
        self.sample_rate_hz, self.channels = _format(first, options, messages)
        width = 2 * self.channels
        sizes = []
        for i, message in enumerate(messages.each(context)):
            size = len(bytes_of(message, "data"))
            if size % width:
                raise messages.wrong(i, f"{size} bytes are no whole samples of {self.channels} channels")
            sizes.append(size // width)
        self._starts = np.append(0, np.cumsum(sizes)).astype(np.int64)
        self.frames = int(self._starts[-1])
        self._first_ns = int(messages.times_ns[0])
        self.info = self._describe()

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self._messages.path,)

    def time_of(self, sample: int) -> int:
        return self._first_ns + (2 * sample * SECOND_NS + self.sample_rate_hz) // (2 * self.sample_rate_hz)

    def sample_at(self, time_ns: int) -> int | None:
        sample = (time_ns - self._first_ns) * self.sample_rate_hz // SECOND_NS
        return sample if 0 <= sample < self.frames else None

    def read(self, start: int, stop: int, *, cancel: CancelToken | None = None) -> NDArray[np.float32]:
        return self.read_stored(start, stop, cancel=cancel) * np.float32(1 / 32768)

    def read_stored(self, start: int, stop: int, *, cancel: CancelToken | None = None) -> NDArray[np.int16]:
        start, stop = max(0, start), min(self.frames, stop)
        if stop <= start:
            return np.zeros((0, self.channels), np.int16)
        sound = np.empty((stop - start, self.channels), np.int16)
        number = int(self._starts.searchsorted(start, side="right")) - 1
        while number < len(self._messages) and self._starts[number] < stop:
            if cancel is not None:
                cancel.check()
            begin = int(self._starts[number])
            pcm = self._pcm(number)
            first, last = max(start, begin), min(stop, begin + len(pcm))
            sound[first - start : last - start] = pcm[first - begin : last - begin]
            number += 1
        return sound

    def close(self) -> None:
        self._share.close()
        self._messages.close()

    def _pcm(self, number: int) -> NDArray[np.int16]:
        held: NDArray[np.int16] | None = self._share.get(number)
        if held is None:
            data = bytes_of(self._messages.message(number), "data")
            held = np.frombuffer(data, "<i2").reshape(-1, self.channels)
            self._share.put(number, held, held.nbytes)
        return held

    def _describe(self) -> MediaInfo:
        expected = np.array([self.time_of(int(start)) for start in self._starts[:-1]])
        away = int(np.abs(self._messages.times_ns - expected).max()) if len(expected) else 0
        note = f"messages arrive up to {away / 1e6:.1f} ms away from where their samples fall"
        info = self._messages.info(StreamKind.AUDIO, {"channels": self.channels, "sample_rate_hz": self.sample_rate_hz})
        return MediaInfo(
            kind=StreamKind.AUDIO,
            span=TimeRange(self._first_ns, self.time_of(self.frames)),
            count=self.frames,
            rate_hz=float(self.sample_rate_hz),
            clock_source=info.clock_source,
            epoch_ns=info.epoch_ns,
            details=info.details,
            notes=(*info.notes, note) if away > 20_000_000 else info.notes,
        )


def _format(first: Message, options: Options, messages: TopicMessages) -> tuple[int, int]:
    """Rate and channels: of the message, else of the options; never guessed."""
    rate = first.get("sample_rate", options.get("sample_rate_hz"))
    channels = first.get("number_of_channels", options.get("channels", 1))
    coding = str(first.get("format", "pcm-s16"))
    if coding not in ("pcm-s16", "wave", "s16le", ""):
        raise messages.wrong(0, f"sound coded as {coding[:30]!r} cannot be played; pcm-s16 can")
    if isinstance(rate, bool) or not isinstance(rate, int) or not 1 <= rate <= 1_000_000:
        raise messages.wrong(0, "does not say its sample rate; give the option 'sample_rate_hz'")
    if isinstance(channels, bool) or not isinstance(channels, int) or not 1 <= channels <= 64:
        raise messages.wrong(0, f"{channels} channels cannot be")
    return rate, channels


def open_sound(paths: Sequence[Path], options: Options, context: OpenContext) -> TopicSound:
    """The sound of one topic."""
    messages = TopicMessages(paths, options, context)
    try:
        return TopicSound(messages, options, context)
    except BaseException:
        messages.close()
        raise
