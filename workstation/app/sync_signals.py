"""What streams show, as the signals and curves that the estimators of ``sync/`` compare: sounds, brightness, turning.

Called by ``synchronising.py``. Everything is in session time by the maps the streams have now, so that what an
estimator finds is what those maps still leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.app.camera_sight import camera_of, looks_aside, sight_of
from workstation.core.cameras import Camera
from workstation.core.errors import DataError
from workstation.core.ratio import Int64s
from workstation.core.sample import Stream
from workstation.core.space import Calibration
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
from workstation.sync.film_turns import film_turns
from workstation.sync.patches import Followed, PatchFollower
from workstation.sync.sweep_turns import SweepTurns

Progress = Callable[[float], None]
_SMALL_PX = (96, 54)
_MOTION_PX = (320, 180)
_NOISE_GREY = 6
"""What changes by less is the camera's own noise."""
_MOST_POINTS = 40_000
_LOOK_STEP_S = 0.0005
_LOOK_AROUND_S = 1.2
_MOST_LOOKS = 100
_EXPOSED, _WENT_ROUND, _TIMED = 0.1, 0.05, 0.01
"""Of the time from one frame or sweep to the next, on either side; the last where each point has a time of its own."""
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


@dataclass(frozen=True, slots=True, eq=False)
class Turning:
    """How fast a vehicle turns as a stream sees it."""

    curve: Curve
    doubt_ns: int
    """What no comparison of motion can tell: where within an exposure or a round of the sensor its time stamp lies."""
    doubt: str = ""
    """Why a person should look before believing it."""


def turning_of(
    stream: Stream, reader: Reader, *, channel: str = "", calibration: Calibration | None = None,
    progress: Progress | None = None, cancel: CancelToken | None = None,
) -> Turning:  # fmt: skip
    """By a gyro's channel, poses, the turn of a camera as its film shows it, or that of sweeps.

    The unit of a gyro is the stream's own; only the shape counts. A value stands in the middle between the two items
    it is from.
    """
    own: Int64s
    values: Floats
    share, doubt = 0.0, ""
    if isinstance(reader, SeriesReader):
        name = _channel(stream, reader, channel)
        own, values = reader.samples(name)
    elif isinstance(reader, TrajectoryReader):
        own, values = _of_poses(reader)
    elif isinstance(reader, VideoReader):
        known = calibration or Calibration()
        camera = camera_of(known, stream.frame)
        own, values = _of_video(reader, known, camera, progress, cancel)
        share = _EXPOSED
        if looks_aside(known, camera):
            doubt = f"{stream.key} looks aside, where what is near passes for a turn; take a camera that looks ahead"
    elif isinstance(reader, CloudReader):
        own, values, timed = _of_sweeps(reader, progress, cancel)
        share = _TIMED if timed else _WENT_ROUND
    else:
        raise DataError("shows no motion", place=stream.key)
    curve = Curve(
        times_ns=stream.time_map.to_session_array(np.asarray(own, np.int64)), values=np.asarray(values, float)
    )
    step_ns = float(np.median(np.diff(curve.times_ns))) if len(curve.times_ns) > 1 else 0.0
    return Turning(curve, round(share * step_ns), doubt)


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
    reader: VideoReader, calibration: Calibration, camera: Camera | None, progress: Progress | None,
    cancel: CancelToken | None,
) -> tuple[Int64s, Floats]:  # fmt: skip
    """How fast the camera turns, each value at the time when the rows that tell it were exposed."""
    times = reader.table.times_ns
    follower, steps = PatchFollower(), list[Followed | None]()
    shape = (_MOTION_PX[1], _MOTION_PX[0])
    for index in range(len(times)):
        picture = _small(reader, index, _MOTION_PX, cancel)
        shape = (picture.shape[0], picture.shape[1])
        found = follower.follow(picture)
        if index:
            steps.append(found)
        if progress is not None:
            progress((index + 1) / len(times))
    step_s = np.maximum(np.diff(times) * 1e-9, 1e-9)
    middle_px = np.array([shape[1], shape[0]]) / 2
    turns = film_turns(steps, step_s, sight_of(calibration, camera, shape[1], shape[0]), middle_px)
    middles = (times[1:] + times[:-1]) // 2
    if camera is not None:
        rows = camera.height_px / 2 + turns.below_px * camera.height_px / shape[0]
        middles = middles + camera.row_times_ns(0, rows)
    return middles, turns.turned_rad / step_s


def _of_sweeps(
    reader: CloudReader, progress: Progress | None, cancel: CancelToken | None
) -> tuple[Int64s, Floats, bool]:
    """How fast the sensor turns from sweep to sweep, and whether its points said when they were measured."""
    times = reader.table.times_ns
    turns, angles, timed = SweepTurns(), np.full(len(times), np.nan), len(times) > 0
    for index in range(len(times)):
        cloud = reader.cloud(index, max_points=_MOST_POINTS, cancel=cancel)
        own = cloud.fields.get("time_ns")
        timed &= own is not None
        late_s = None if own is None else (own - times[index]) * 1e-9
        step_s = float(times[index] - times[index - 1]) * 1e-9 if index else 0.0
        angles[index] = turns.turned_rad(cloud.points[:, :3], late_s, step_s=step_s)
        if progress is not None:
            progress((index + 1) / len(times))
    rate = angles[1:] / np.maximum(np.diff(times) * 1e-9, 1e-9)
    return (times[1:] + times[:-1]) // 2, rate, timed


def _grey(reader: VideoReader, index: int, size: tuple[int, int], cancel: CancelToken | None) -> NDArray[np.uint8]:
    """(height, width) of ``size``, black where the picture has another form."""
    grey = _small(reader, index, size, cancel)
    fixed = np.zeros((size[1], size[0]), np.uint8)
    height, width = min(size[1], grey.shape[0]), min(size[0], grey.shape[1])
    fixed[:height, :width] = grey[:height, :width]
    return fixed


def _small(reader: VideoReader, index: int, size: tuple[int, int], cancel: CancelToken | None) -> NDArray[np.uint8]:
    """A picture in grey, at most of ``size`` and of its own form."""
    pixels = reader.picture(index, View(width_px=size[0], height_px=size[1]), cancel=cancel).pixels
    grey = pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=2)
    if grey.dtype != np.uint8:
        span = float(np.ptp(grey)) or 1.0
        grey = (grey - grey.min()) * (255.0 / span) if grey.max() > 255 else grey
    return grey.astype(np.uint8)
