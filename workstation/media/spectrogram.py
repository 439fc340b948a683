"""Spectrogram tiles of a sound, made when they are looked at and kept in the session's cache.

A tile is ``TILE_COLUMNS`` windows of one channel in decibels below full scale, as bytes ready for a colour table.
Column ``c`` of level ``l`` is centred on sample ``c × hop × 2**l``: zooming out takes fewer windows, it does not read
everything between them, so a short event can fall between two columns. The waveform shows it at every zoom.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from workstation.core.values import dataclass
from workstation.media.audio import AudioFile
from workstation.media.base import CancelToken, OpenContext

TILE_COLUMNS = 256
_READ_AT_ONCE = 1 << 20
"""Samples; above this a tile's windows are read one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectrogramSettings:
    """How a spectrogram is cut: window and hop in samples, and which level is black."""

    window: int = 512
    hop: int = 128
    floor_db: float = -100.0
    """Shown as 0; full scale (a sine of amplitude 1) is 255."""

    def __post_init__(self) -> None:
        if not 16 <= self.window <= 1 << 16 or not 1 <= self.hop <= self.window or not self.floor_db < 0:
            raise ValueError(f"no spectrogram has {self}")


class Spectrogram:
    """Tiles of one sound with one setting."""

    def __init__(self, sound: AudioFile, context: OpenContext, settings: SpectrogramSettings | None = None) -> None:
        self._sound = sound
        self.settings = settings or SpectrogramSettings()
        self._cache = context.memory.share()

    @property
    def rows(self) -> int:
        """Frequencies, from 0 to half the sample rate."""
        return self.settings.window // 2 + 1

    def frequency_hz(self, row: int) -> float:
        return row * self._sound.sample_rate_hz / self.settings.window

    def level_for(self, samples_per_column: float) -> int:
        """The coarsest level that has at least one column per column of the screen."""
        level = 0
        while self.settings.hop << (level + 1) <= samples_per_column:
            level += 1
        return level

    def samples_per_column(self, level: int) -> int:
        return self.settings.hop << level

    def columns(self, level: int) -> int:
        """Columns of the whole sound at that level."""
        return -(-self._sound.frames // self.samples_per_column(level))

    def tile(self, channel: int, level: int, number: int, *, cancel: CancelToken | None = None) -> NDArray[np.uint8]:
        """(rows, columns) uint8, low frequencies first; the last tile of the sound is narrower."""
        key = (channel, level, number)
        held: NDArray[np.uint8] | None = self._cache.get(key)
        if held is not None:
            return held
        first = number * TILE_COLUMNS
        count = min(TILE_COLUMNS, self.columns(level) - first)
        if count <= 0 or number < 0 or not 0 <= channel < self._sound.channels:
            raise IndexError(f"no tile {number} of channel {channel} at level {level}")
        tile = self._levels(self._windows(channel, level, first, count, cancel))
        tile.flags.writeable = False
        self._cache.put(key, tile, tile.nbytes)
        return tile

    def close(self) -> None:
        self._cache.close()

    def _windows(
        self, channel: int, level: int, first: int, count: int, cancel: CancelToken | None
    ) -> NDArray[np.float32]:
        """(columns, window): the samples around each centre, silence before the first and after the last."""
        size, step = self.settings.window, self.samples_per_column(level)
        begin = first * step - size // 2
        span = (count - 1) * step + size
        if span * self._sound.channels <= _READ_AT_ONCE:
            whole = self._padded(channel, begin, begin + span, cancel)
            return np.lib.stride_tricks.sliding_window_view(whole, size)[::step]
        rows = [self._padded(channel, begin + i * step, begin + i * step + size, cancel) for i in range(count)]
        return np.stack(rows)

    def _padded(self, channel: int, start: int, stop: int, cancel: CancelToken | None) -> NDArray[np.float32]:
        low, high = max(0, start), min(stop, self._sound.frames)
        out = np.zeros(stop - start, np.float32)
        if low < high:
            out[low - start : high - start] = self._sound.read(low, high, cancel=cancel)[:, channel]
        return out

    def _levels(self, windows: NDArray[np.float32]) -> NDArray[np.uint8]:
        # Not by scipy: importing it takes as long as making 150 tiles, and whoever closes the window waits for it.
        shape = _hann(self.settings.window)
        spectrum = np.fft.rfft(windows * shape, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2) * (2 / float(shape.sum())) ** 2
        decibels = 10 * np.log10(np.maximum(power, 1e-20))
        shown = np.clip(255 * (1 - decibels / self.settings.floor_db), 0, 255)
        return np.ascontiguousarray(np.rint(shown).astype(np.uint8).T)


@functools.lru_cache(maxsize=8)
def _hann(size: int) -> NDArray[np.float32]:
    """Periodic, so that a whole number of waves falls into few frequencies."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)
