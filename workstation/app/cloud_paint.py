"""The colours of points: by height, intensity, class, distance, ring, time, speed or the file's own, with a scale.

A scale is fixed for a sample (``Scales``), so that a colour means the same in every sweep. Runs on the render thread;
pure arrays, no Qt. Colours from cameras come from ``camera_colours.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from workstation.app.cloud_ground import PlacedSweep

Rgb = tuple[int, int, int]
Colours = NDArray[np.uint8]
GREY: Rgb = (150, 156, 166)
_SAMPLED = 20_000
_PART = 1 << 16
"""Points coloured at a time: what is in between stays in the processor's cache."""
_LEAST_LIGHT = 24
"""Black points would be lost on the dark ground."""
_UNCLASSIFIED = 1
"""In LAS 0 is never classified and 1 unclassified."""
_NEAR_M, _FAR_M = 2.0, 80.0


class ColourBy(StrEnum):
    """What the colour of a point says."""

    HEIGHT = "height"
    INTENSITY = "intensity"
    CLASS = "class"
    DISTANCE = "distance"
    RING = "ring"
    TIME = "time"
    VELOCITY = "velocity"
    CAMERA = "camera"
    FILE = "file"
    STREAM = "stream"


TITLES: Mapping[ColourBy, str] = {
    ColourBy.HEIGHT: "Height",
    ColourBy.INTENSITY: "Intensity",
    ColourBy.CLASS: "Class",
    ColourBy.DISTANCE: "Distance",
    ColourBy.RING: "Ring",
    ColourBy.TIME: "Time in the sweep",
    ColourBy.VELOCITY: "Speed (Doppler)",
    ColourBy.CAMERA: "Camera",
    ColourBy.FILE: "Colour in the file",
    ColourBy.STREAM: "Stream",
}
_COLUMNS: Mapping[ColourBy, tuple[str, ...]] = {
    ColourBy.INTENSITY: ("intensity", "reflectivity", "signal", "rcs"),
    ColourBy.RING: ("ring", "channel", "laser_id"),
    ColourBy.TIME: ("time_ns",),
    ColourBy.VELOCITY: ("velocity", "doppler", "v_r"),
    ColourBy.FILE: ("rgb",),
    ColourBy.CLASS: ("classification", "label"),
}
_UNITS = {ColourBy.HEIGHT: "m", ColourBy.DISTANCE: "m", ColourBy.VELOCITY: "m/s", ColourBy.TIME: "ms"}

# Dark to light and blue to yellow, for all colour deficiencies; nothing so dark that it is lost on a dark ground.
_RISING = np.array([(62, 78, 160), (48, 118, 170), (38, 150, 150), (70, 180, 112), (160, 206, 74), (250, 232, 90)])
_WARM = np.array([(255, 244, 140), (255, 160, 60), (232, 76, 96), (150, 62, 160), (80, 90, 200), (60, 150, 220)])
_BOTH = np.array([(70, 150, 255), (150, 190, 240), (200, 204, 210), (250, 190, 120), (255, 130, 40)])
RINGS = np.array(
    [(86, 180, 233), (230, 159, 0), (47, 181, 138), (240, 228, 66), (213, 94, 0), (204, 121, 167), (127, 168, 255),
     (190, 190, 190)], np.uint8,
)  # fmt: skip
STREAMS: tuple[Rgb, ...] = ((150, 200, 235), (255, 176, 64), (110, 215, 165), (240, 150, 200), (235, 225, 110))


@dataclass(frozen=True, slots=True)
class Scale:
    """From a value to a colour."""

    by: ColourBy
    low: float
    high: float
    logarithmic: bool = False

    @property
    def unit(self) -> str:
        return _UNITS.get(self.by, "")

    @property
    def stops(self) -> NDArray[np.int64]:
        """(k, 3) from low to high."""
        if self.by is ColourBy.DISTANCE:
            return _WARM
        return _BOTH if self.by is ColourBy.VELOCITY else _RISING

    def colouring(self) -> Callable[[NDArray[np.generic]], Colours]:
        """What makes (n, 3) colours of (n,) values; what has no value is grey."""
        table = self._table()
        last, low = len(table) - 2, np.float32(self.low)
        if self.logarithmic:
            steps = np.float32(last / np.log(self.high / self.low))
        else:
            steps = np.float32(last / max(self.high - self.low, 1e-9))

        def coloured(values: NDArray[np.generic]) -> Colours:
            given = np.asarray(values, np.float32)
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                share = np.log(np.maximum(given, low) / low) if self.logarithmic else given - low
                share *= steps
            known = np.isfinite(share)
            row = np.where(known, np.clip(share, 0, last), last + 1).astype(np.intp)
            found: Colours = np.take(table, row, axis=0)
            return found

        return coloured

    def _table(self) -> Colours:
        """256 steps, then grey for no value."""
        at = np.linspace(0, len(self.stops) - 1, 256)
        steps = np.stack([np.interp(at, np.arange(len(self.stops)), self.stops[:, i]) for i in range(3)], -1)
        return np.concatenate([steps, [GREY]]).astype(np.uint8)


@dataclass(slots=True)
class Scales:
    """The scales of a sample: chosen from the first sweep that has such values, then kept."""

    on_vehicle: bool = True
    """Heights and distances have the usual range; a survey takes its own."""
    _held: dict[tuple[ColourBy, str], Scale] = field(default_factory=dict)

    def fits(self, by: ColourBy, sweep: PlacedSweep) -> bool:
        """Whether a sweep has what is asked for."""
        return by in (ColourBy.HEIGHT, ColourBy.DISTANCE) or column_of(by, sweep) is not None

    def scale(self, by: ColourBy, sweep: PlacedSweep, ground_m: float) -> Scale:
        """The scale for a sweep; ``ground_m`` is the height of the ground at the vehicle."""
        if by is ColourBy.HEIGHT and self.on_vehicle:
            return Scale(by, ground_m - 1.0, ground_m + 4.0)
        if by is ColourBy.DISTANCE and self.on_vehicle:
            return Scale(by, _NEAR_M, _FAR_M, logarithmic=True)
        key = (by, sweep.stream)
        found = self._held.get(key)
        if found is None:
            found = _measured(by, sweep)
            if len(sweep.points):
                self._held[key] = found
        return found


def available(sweeps: Iterable[PlacedSweep], *, from_cameras: bool = False) -> list[ColourBy]:
    """Ways to colour that these can be coloured by; whether there are cameras is for the caller to know."""
    columns = {name for sweep in sweeps for name in sweep.columns}
    always = [ColourBy.HEIGHT, ColourBy.DISTANCE, ColourBy.CLASS, *([ColourBy.CAMERA] if from_cameras else [])]
    return [each for each in ColourBy if each in always or (_COLUMNS.get(each, ()) and columns & set(_COLUMNS[each]))]


def column_of(by: ColourBy, sweep: PlacedSweep) -> NDArray[np.generic] | None:
    """The values behind a way of colouring, where the points bring them."""
    for name in _COLUMNS.get(by, ()):
        if name in sweep.columns:
            return sweep.columns[name]
    return None


def colours_of(by: ColourBy, sweep: PlacedSweep, scales: Scales, ground_m: float, stream_colour: Rgb) -> Colours:
    """(n, 3) colours of a sweep; one that lacks what is asked for keeps the colour of its stream.

    Part by part: arrays over ten million points at once cost eight times as much (0.7 s against 0.09 s).
    """
    coloured = _colouring(by, sweep, scales, ground_m, stream_colour)
    count = len(sweep.points)
    found = np.empty((count, 3), np.uint8)
    for begin in range(0, count, _PART):
        part = slice(begin, min(begin + _PART, count))
        found[part] = coloured(part)
    return found


def _colouring(
    by: ColourBy, sweep: PlacedSweep, scales: Scales, ground_m: float, stream_colour: Rgb
) -> Callable[[slice], Colours | Rgb]:
    """What gives the colours of a part of the points."""
    if by is ColourBy.HEIGHT:
        by_height = scales.scale(by, sweep, ground_m).colouring()
        return lambda part: by_height(sweep.points[part, 2])
    if by is ColourBy.DISTANCE:
        by_distance = scales.scale(by, sweep, ground_m).colouring()
        return lambda part: by_distance(distances(sweep, part))
    values = column_of(by, sweep)
    if values is None:
        plain = GREY if by is ColourBy.CLASS else stream_colour
        return lambda part: plain
    if by is ColourBy.RING:
        return lambda part: RINGS[values[part].astype(np.int64) % len(RINGS)]
    if by is ColourBy.FILE:
        return lambda part: np.maximum(values[part].astype(np.uint8)[:, :3], _LEAST_LIGHT)
    if by is ColourBy.CLASS:
        return lambda part: _by_number(values[part].astype(np.int64))
    scaled = scales.scale(by, sweep, ground_m).colouring()
    if by is ColourBy.TIME:
        return lambda part: scaled(_in_ms(values[part], sweep))
    return lambda part: scaled(values[part])


def _by_number(classes: NDArray[np.int64]) -> Colours:
    """The file's own classes, fainter than what is labelled here; unclassified points are grey."""
    found = (RINGS[classes % len(RINGS)] * 0.72).astype(np.uint8)
    found[classes <= _UNCLASSIFIED] = GREY
    return found


def distances(sweep: PlacedSweep, part: slice = slice(None)) -> NDArray[np.float32]:
    """(n,) metres from the sensor."""
    off = sweep.points[part] - np.asarray(sweep.sensor, np.float32)
    found: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", off, off))
    return found


def _measured(by: ColourBy, sweep: PlacedSweep) -> Scale:
    values = np.asarray(_sampled(by, sweep, max(1, len(sweep.points) // _SAMPLED)), np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return Scale(by, 0.0, 1.0)
    if by is ColourBy.VELOCITY:
        most = max(1.0, float(np.ceil(np.abs(values).max())))
        return Scale(by, -most, most)
    low, high = np.percentile(values, (1, 99)).tolist()
    return Scale(by, low, high if high > low else low + 1.0)


def _sampled(by: ColourBy, sweep: PlacedSweep, every: int) -> NDArray[np.generic]:
    if by is ColourBy.HEIGHT:
        return sweep.points[::every, 2]
    if by is ColourBy.DISTANCE:
        return distances(sweep, slice(None, None, every))
    column = column_of(by, sweep)
    if column is None:
        return np.empty(0)
    return _in_ms(column[::every], sweep) if by is ColourBy.TIME else column[::every]


def _in_ms(values: NDArray[np.generic], sweep: PlacedSweep) -> NDArray[np.float64]:
    start = sweep.own_ns if sweep.own_ns is not None else 0
    return (np.asarray(values, np.int64) - start) / 1e6
