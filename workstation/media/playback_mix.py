"""The sounds of a sample added up at the device's rate, each read through its own time map.

The feeding thread of ``playback.py`` asks a ``Mixer`` for stretches of the device's grid. A sound at the device's own
rate goes through sample for sample; others are resampled in blocks that overlap, so that a jump gives the same
samples as playing there. The grid is laid on the samples of the first audible sound: of that one, a selection is
exact to the sample. Sounds whose clock only has an offset are put on the nearest sample; where a clock runs at
another rate, the places between the samples are computed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.timebase import SECOND_NS, TimeMap
from workstation.core.values import dataclass
from workstation.media.base import AudioReader
from workstation.media.playback_feed import Grid

Samples = NDArray[np.float32]

_READ_FRAMES = 1 << 16
"""Of many channels only so much is held at once before they are mixed down."""
_BLOCK_FRAMES = 8192
_OVERLAP_FRAMES = 1024
"""Of a resampled block on either side, thrown away: more than the filter reaches."""
_HALF_TAPS = 16
_PHASES = 2048
_MOST_STRETCH = 8
"""A clock that goes faster than this against the session's is a time lapse: its sound cannot be played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackMix:
    """How one sound is heard."""

    gain: float = 1.0
    """Amplitude, 0 to 16."""
    muted: bool = False
    solo: bool = False
    """With any solo in the sample, only solos are heard."""
    muted_channels: frozenset[int] = frozenset()
    solo_channels: frozenset[int] = frozenset()
    """Within the sound, as above."""

    def __post_init__(self) -> None:
        if not 0 <= self.gain <= 16:
            raise ValueError(f"a gain is between 0 and 16, not {self.gain}")

    def audible_channels(self, channels: int) -> tuple[int, ...]:
        """Which of so many channels are heard."""
        chosen = self.solo_channels or range(channels)
        return tuple(c for c in range(channels) if c in chosen and c not in self.muted_channels)


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One sound of a sample. ``open`` is called once, on the feeding thread, which also reads and closes it."""

    key: str
    open: Callable[[], AudioReader]
    time_map: TimeMap = field(default_factory=TimeMap)
    """Stream time to session time."""


def audible(mixes: Sequence[TrackMix]) -> tuple[bool, ...]:
    """Which of some sounds are heard at all."""
    any_solo = any(mix.solo for mix in mixes)
    return tuple(not mix.muted and (mix.solo or not any_solo) for mix in mixes)


class Sound:
    """One opened track at the device's rate: place ``k`` is ``k`` sample periods after its own first sample."""

    def __init__(self, reader: AudioReader, time_map: TimeMap, *, rate_hz: int) -> None:
        self._reader = reader
        self.channels = reader.channels
        self._map = time_map
        self._rate_hz = rate_hz
        common = math.gcd(reader.sample_rate_hz, rate_hz)
        self._in, self._out = reader.sample_rate_hz // common, rate_hz // common
        periods = max(1, _BLOCK_FRAMES // self._in)
        self._block_in, self._block_out = periods * self._in, periods * self._out
        self._before = -(-_OVERLAP_FRAMES // self._in)
        self._held: tuple[int, bytes, Samples] | None = None

    @property
    def offset_only(self) -> bool:
        """Whether its clock goes as fast as the session's."""
        return all(rate == 1 for rate in self._map.rates)

    @property
    def phase_ns(self) -> int:
        """Session time of its first sample."""
        return self._map.to_session(self._reader.time_of(0))

    def mixed(self, grid: Grid, first: int, last: int, weights: Samples) -> Samples:
        """Its part of the places ``[first, last)``: (n, device channels); ``weights`` (channels, device channels)."""
        if self.offset_only:
            shift = round((grid.phase_ns - self.phase_ns) * grid.rate_hz / SECOND_NS)
            return self._at_rate(first + shift, last + shift, weights)
        edges = np.array([grid.time_of(place) for place in range(first, last)], np.int64)
        own_ns = self._map.to_stream_array(edges) - self._reader.time_of(0)
        places = own_ns * (self._rate_hz / SECOND_NS)
        low, high = math.floor(places[0]) - _HALF_TAPS, math.ceil(places[-1]) + _HALF_TAPS + 1
        if high - low > _MOST_STRETCH * (last - first) + 4 * _HALF_TAPS:
            raise DataError("its clock runs so much faster than the session that it cannot be played with it")
        return _between(self._at_rate(low, high, weights), places - low)

    def _at_rate(self, first: int, last: int, weights: Samples) -> Samples:
        if self._in == self._out:
            return self._read(first, last, weights)
        out = np.empty((last - first, weights.shape[1]), np.float32)
        for number in range(first // self._block_out, (last - 1) // self._block_out + 1):
            begin = number * self._block_out
            low, high = max(first, begin), min(last, begin + self._block_out)
            out[low - first : high - first] = self._resampled(number, weights)[low - begin : high - begin]
        return out

    def _resampled(self, number: int, weights: Samples) -> Samples:
        """Block ``number``, whose first sample falls on a sample of the file."""
        key = weights.tobytes()
        if self._held is not None and self._held[:2] == (number, key):
            return self._held[2]
        begin = number * self._block_in
        if begin >= self._reader.frames + _OVERLAP_FRAMES or begin + self._block_in < -_OVERLAP_FRAMES:
            return np.zeros((self._block_out, weights.shape[1]), np.float32)
        import soxr

        before = self._before * self._in
        around = self._read(begin - before, begin + self._block_in + _OVERLAP_FRAMES, weights)
        whole: Samples = soxr.resample(around, self._in, self._out, "HQ")
        skip = self._before * self._out
        block = whole[skip : skip + self._block_out]
        self._held = (number, key, block)
        return block

    def _read(self, first: int, last: int, weights: Samples) -> Samples:
        """The file's own samples, silence outside it, mixed down."""
        out = np.zeros((last - first, weights.shape[1]), np.float32)
        low, high = max(0, first), min(last, self._reader.frames)
        for start in range(low, high, _READ_FRAMES):
            stop = min(high, start + _READ_FRAMES)
            block = self._reader.read(start, stop)
            # Times one is exact, so a sound that goes through unchanged is unchanged bit for bit.
            np.matmul(block, weights, out=out[start - first : start - first + len(block)])
        return out

    def close(self) -> None:
        self._reader.close()


class Mixer:
    """The tracks of a sample, opened when first needed, and what became of each. For the feeding thread."""

    def __init__(self, tracks: Sequence[Track], *, rate_hz: int, channels: int) -> None:
        self._channels = channels
        self._rate_hz = rate_hz
        self._sounds: list[tuple[int, Sound]] = []
        self.troubles: tuple[tuple[str, str], ...] = ()
        """(key, reason) of the tracks that cannot be heard."""
        for number, track in enumerate(tracks):
            try:
                self._sounds.append((number, Sound(track.open(), track.time_map, rate_hz=rate_hz)))
            except DataError as error:
                self.troubles += ((track.key, str(error)),)
        self._keys = [track.key for track in tracks]

    def grid(self, mixes: Sequence[TrackMix]) -> Grid | None:
        """Where the device's samples lie in session time; ``None`` if nothing can be heard."""
        heard = [sound for sound, _ in self._heard(mixes)]
        if not heard:
            return None
        lead = next((sound for sound in heard if sound.offset_only), None)
        return Grid(self._rate_hz, 0 if lead is None else lead.phase_ns)

    def reader_of(self, grid: Grid, mixes: Sequence[TrackMix]) -> Callable[[int, int], Samples]:
        """Reads places of a grid, everything added up and kept within full scale."""
        heard = self._heard(mixes)

        def read(first: int, last: int) -> Samples:
            total = np.zeros((last - first, self._channels), np.float32)
            for sound, weights in heard:
                try:
                    total += sound.mixed(grid, first, last, weights)
                except DataError as error:
                    self._note(sound, error)
            return np.clip(total, -1, 1, out=total)

        return read

    def close(self) -> None:
        while self._sounds:
            self._sounds.pop()[1].close()

    def _heard(self, mixes: Sequence[TrackMix]) -> list[tuple[Sound, Samples]]:
        on = audible(mixes)
        both = [(s, channel_weights(mixes[n], s.channels, self._channels)) for n, s in self._sounds if on[n]]
        return [(sound, weights) for sound, weights in both if weights.any()]

    def _note(self, sound: Sound, error: DataError) -> None:
        """A place that cannot be decoded is silent, and said once."""
        key = next(self._keys[number] for number, each in self._sounds if each is sound)
        if all(key != known for known, _ in self.troubles):
            self.troubles += ((key, str(error)),)


def channel_weights(mix: TrackMix, channels: int, device_channels: int) -> Samples:
    """(channels, device channels): one audible channel on both sides, two left and right, more in the middle."""
    weights = np.zeros((channels, device_channels), np.float32)
    heard = mix.audible_channels(channels)
    if channels == 2 and len(heard) == 2 and device_channels == 2:
        weights[0, 0] = weights[1, 1] = 1
    elif heard:
        weights[list(heard)] = 1 if len(heard) == 1 else 1 / len(heard)
    weights *= np.float32(mix.gain)
    return weights


def _between(samples: Samples, places: NDArray[np.float64]) -> Samples:
    """(n, channels) at places between the samples, by a windowed sinc; ``places`` lie ``_HALF_TAPS`` inside."""
    whole = np.floor(places).astype(np.int64)
    phase = np.rint((places - whole) * _PHASES).astype(np.int64)
    kernel = _kernel()[phase]
    index = whole[:, None] + np.arange(1 - _HALF_TAPS, _HALF_TAPS + 1)
    between: Samples = np.einsum("nt,ntc->nc", kernel, samples[index])
    return between


@functools.cache
def _kernel() -> Samples:
    """(phases + 1, taps); the rows of a whole sample are exactly that sample."""
    taps = np.arange(1 - _HALF_TAPS, _HALF_TAPS + 1, dtype=np.float64)
    distance = taps[None, :] - (np.arange(_PHASES + 1) / _PHASES)[:, None]
    window = np.where(np.abs(distance) < _HALF_TAPS, 0.5 + 0.5 * np.cos(np.pi * distance / _HALF_TAPS), 0)
    rows = np.sinc(distance) * window
    exact: Samples = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    return exact
