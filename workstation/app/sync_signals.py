"""What streams show, as the signals and curves that the estimators of ``sync/`` compare: sounds, brightness, turning.

Called by ``synchronising.py``. Everything is in session time by the maps the streams have now, so that what an
estimator finds is what those maps still leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.ratio import Int64s
from workstation.core.sample import Stream
from workstation.core.timebase import TimeRange
from workstation.media.base import (
    AudioReader,
    CancelToken,
    CloudReader,
    Reader,
    SeriesReader,
    TrajectoryReader,
    VideoReader,
    View,
)
from workstation.sync.curves import Curve
from workstation.sync.delay import Floats
from workstation.sync.turning import PictureTurns, SweepTurns

Progress = Callable[[float], None]
_SMALL_PX = (96, 54)
_MOTION_PX = (320, 180)
_NOISE_GREY = 6
"""What changes by less is the camera's own noise."""
_MOST_POINTS = 40_000
_LOOK_STEP_S = 0.0005
_LOOK_AROUND_S = 1.2
_MOST_LOOKS = 100
_TURNING = ("gyro_z", "yaw_rate", "yawrate", "wz", "angular_velocity_z", "angular_velocity.z")
"""What the channel that says how fast a vehicle turns is called, the likeliest first; units do not matter."""


@dataclass(slots=True, eq=False)
class SoundSignal:
    """A sound stream as the mean of its channels, in session time as far as an offset goes: a rate in the map is
    followed where ``resampled`` reads, because the start and the rate are both mapped."""

    reader: AudioReader
    rate_hz: float
    start_ns: int
    count: int

    def read(self, first: int, count: int) -> Floats:
        """(count,) samples; zero outside the recording."""
        found = np.zeros(count)
        begin, end = max(first, 0), min(first + count, self.count)
        if begin < end:
            found[begin - first : end - first] = self.reader.read(begin, end).mean(axis=1)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """Small grey frames (n, pixels) of a stretch of a video, and when each was taken, in session time."""

    times_ns: Int64s
    frames: NDArray[np.uint8]

    @property
    def brightness(self) -> Floats:
        """(n,) mean grey level."""
        found: Floats = self.frames.mean(axis=1)
        return found


def sound_of(stream: Stream, reader: Reader) -> SoundSignal:
    """The sound of a stream."""
    if not isinstance(reader, AudioReader):
        raise DataError("is no sound", place=stream.key)
    if reader.frames < 2:
        raise DataError("holds no sound", place=stream.key)
    first, last = (stream.time_map.to_session(reader.time_of(each)) for each in (0, reader.frames - 1))
    rate_hz = (reader.frames - 1) / (last - first) * 1e9
    return SoundSignal(reader=reader, rate_hz=rate_hz, start_ns=first, count=reader.frames)


def attacks(signal: SoundSignal, at_ns: Sequence[int]) -> Curve:
    """How loud the sound is in every half millisecond around some session times, to be looked at; NaN between."""
    size = max(1, round(signal.rate_hz * _LOOK_STEP_S))
    reach = round(signal.rate_hz * _LOOK_AROUND_S)
    middles = sorted(round((each - signal.start_ns) * signal.rate_hz * 1e-9) for each in at_ns)
    times, values = [np.zeros(0, np.int64)], [np.zeros(0)]
    done = 0
    for middle in middles[:_MOST_LOOKS]:
        first = max(done, middle - reach) // size * size
        rows = (min(signal.count, middle + reach) - first) // size
        if rows < 1:
            continue
        done = first + rows * size
        peaks = np.abs(signal.read(first, rows * size)).reshape(rows, size).max(axis=1)
        places = first + (np.arange(rows) + 0.5) * size
        at = signal.start_ns + np.round(places / signal.rate_hz * 1e9).astype(np.int64)
        times += [at, at[-1:] + 1]
        values += [peaks, np.array([np.nan])]
    return Curve(times_ns=np.concatenate(times), values=np.concatenate(values))


def film_of(
    stream: Stream, reader: Reader, within: Sequence[TimeRange], cancel: CancelToken | None = None,
    progress: Progress | None = None,
) -> Film:  # fmt: skip
    """The frames of a video in some stretches of session time, small and grey."""
    if not isinstance(reader, VideoReader):
        raise DataError("is no video", place=stream.key)
    table = reader.table
    times = stream.time_map.to_session_array(table.times_ns)
    wanted = np.zeros(len(times), bool)
    for each in within:
        wanted |= (times >= each.start_ns) & (times <= each.end_ns)
    indices = np.flatnonzero(wanted)
    if not len(indices):
        raise DataError("has no picture where the sound has its moments", place=stream.key)
    frames = []
    for number, index in enumerate(indices):
        frames.append(_grey(reader, int(index), _SMALL_PX, cancel).ravel())
        if progress is not None:
            progress((number + 1) / len(indices))
    return Film(times_ns=times[indices], frames=np.stack(frames))


def turning_curve(
    stream: Stream, reader: Reader, *, channel: str = "", row_late_ns: int = 0, progress: Progress | None = None,
    cancel: CancelToken | None = None,
) -> Curve:  # fmt: skip
    """How fast the vehicle turns as this stream sees it: a gyro's channel, poses, the pan of a camera, or of sweeps.

    The unit is the stream's own; only the shape counts. A value stands in the middle between the two items it is from.
    ``row_late_ns`` is how much later than its time stamp the middle row of a frame was exposed.
    """
    own: Int64s
    values: Floats
    if isinstance(reader, SeriesReader):
        name = _channel(stream, reader, channel)
        own, values = reader.samples(name)
    elif isinstance(reader, TrajectoryReader):
        own, values = _of_poses(reader)
    elif isinstance(reader, VideoReader):
        own, values = _of_video(reader, row_late_ns, progress, cancel)
    elif isinstance(reader, CloudReader):
        own, values = _of_sweeps(reader, progress, cancel)
    else:
        raise DataError("shows no motion", place=stream.key)
    return Curve(times_ns=stream.time_map.to_session_array(np.asarray(own, np.int64)), values=np.asarray(values, float))


def motion_curve(
    stream: Stream, reader: Reader, within: TimeRange, *, progress: Progress | None = None,
    cancel: CancelToken | None = None,
) -> Curve:  # fmt: skip
    """How much moves between one frame and the next in a stretch of session time, as a mouth does."""
    if not isinstance(reader, VideoReader):
        raise DataError("is no video", place=stream.key)
    times = stream.time_map.to_session_array(reader.table.times_ns)
    indices = np.flatnonzero((times >= within.start_ns) & (times < within.end_ns))
    if len(indices) < 2:
        raise DataError("has no pictures while there is sound", place=stream.key)
    before: NDArray[np.int16] | None = None
    moved = []
    for number, index in enumerate(indices):
        picture = _grey(reader, int(index), _MOTION_PX, cancel).astype(np.int16)
        if before is not None:
            change = np.abs(picture - before)
            moved.append(float(change[change > _NOISE_GREY].sum()))
        before = picture
        if progress is not None:
            progress((number + 1) / len(indices))
    shown = times[indices]
    return Curve(times_ns=(shown[1:] + shown[:-1]) // 2, values=np.sqrt(np.array(moved)))


def turning_channel(reader: SeriesReader) -> str | None:
    """The channel that says how fast a vehicle turns, by its name; ``None`` if none is called so."""
    names = [each.name for each in reader.channels]
    return next((name for hint in _TURNING for name in names if hint in name.lower()), None)


def _channel(stream: Stream, reader: SeriesReader, wanted: str) -> str:
    names = [each.name for each in reader.channels]
    if wanted:
        if wanted not in names:
            raise DataError(f"has no channel {wanted!r}; it has {', '.join(names[:12])}", place=stream.key)
        return wanted
    found = turning_channel(reader)
    if found is not None:
        return found
    raise DataError(
        f"has no channel that looks like a turning rate; name one of {', '.join(names[:12])} with --channel",
        place=stream.key,
    )


def _of_poses(reader: TrajectoryReader) -> tuple[Int64s, Floats]:
    times, turned = reader.times_ns, reader.rotations
    rows = np.concatenate((turned, reader.positions_m), axis=1)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(rows).all(axis=1))
    w, x, y, z = turned.T
    heading = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    step = np.angle(np.exp(1j * np.diff(heading)))
    rate = np.where(known[1:] & known[:-1], step / np.maximum(np.diff(times) * 1e-9, 1e-9), np.nan)
    return (times[1:] + times[:-1]) // 2, rate


def _of_video(
    reader: VideoReader, row_late_ns: int, progress: Progress | None, cancel: CancelToken | None
) -> tuple[Int64s, Floats]:
    """How fast what is far away wanders through the picture. A frame counts at the time of its middle row."""
    times = reader.table.times_ns + np.int64(row_late_ns)
    turns, shifts = PictureTurns(), np.full(len(times), np.nan)
    for index in range(len(times)):
        shifts[index] = turns.turned_px(_grey(reader, index, _MOTION_PX, cancel))
        if progress is not None:
            progress((index + 1) / len(times))
    rate = shifts[1:] / np.maximum(np.diff(times) * 1e-9, 1e-9)
    return (times[1:] + times[:-1]) // 2, rate


def _of_sweeps(reader: CloudReader, progress: Progress | None, cancel: CancelToken | None) -> tuple[Int64s, Floats]:
    """How fast the sensor turns from sweep to sweep."""
    times = reader.table.times_ns
    turns, angles = SweepTurns(), np.full(len(times), np.nan)
    for index in range(len(times)):
        points = reader.cloud(index, max_points=_MOST_POINTS, cancel=cancel).points
        angles[index] = turns.turned_rad(points[:, :3])
        if progress is not None:
            progress((index + 1) / len(times))
    rate = angles[1:] / np.maximum(np.diff(times) * 1e-9, 1e-9)
    return (times[1:] + times[:-1]) // 2, rate


def _grey(reader: VideoReader, index: int, size: tuple[int, int], cancel: CancelToken | None) -> NDArray[np.uint8]:
    pixels = reader.picture(index, View(width_px=size[0], height_px=size[1]), cancel=cancel).pixels
    grey = pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=2)
    if grey.dtype != np.uint8:
        span = float(np.ptp(grey)) or 1.0
        grey = (grey - grey.min()) * (255.0 / span) if grey.max() > 255 else grey
    fixed = np.zeros((size[1], size[0]), np.uint8)
    height, width = min(size[1], grey.shape[0]), min(size[0], grey.shape[1])
    fixed[:height, :width] = grey[:height, :width]
    return fixed
