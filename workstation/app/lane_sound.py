"""A sound as the timeline draws it: columns of the waveform, cut-outs of the spectrogram, onsets. Without Qt.

The waveform's pyramid is built once, on a thread of its own, and kept with the project; until then the lane shows what
is known so far. The sound pane draws from the same classes of ``media``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.app.snapping import onset_columns
from workstation.app.viewport import Int64s, Viewport
from workstation.core.errors import UserError
from workstation.core.sample import Stream
from workstation.core.timebase import SECOND_NS
from workstation.media.audio import AudioFile
from workstation.media.audio_pyramid import Waveform
from workstation.media.base import Cancelled, CancelToken, OpenContext
from workstation.media.spectrogram import TILE_COLUMNS, Spectrogram

_ONSET_STEP_NS = 10_000_000
_MOST_ONSET_COLUMNS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class WaveColumns:
    """(width,) lowest, highest and RMS of all channels, full scale ±32768; ``known`` is false where nothing is."""

    low: NDArray[np.int16]
    high: NDArray[np.int16]
    rms: NDArray[np.uint16]
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TileKey:
    """One spectrogram tile of one channel."""

    channel: int
    level: int
    number: int


class SoundLane:
    """One sound. ``columns`` and ``cut_out`` on the window's thread; ``build`` and ``tile`` on others."""

    def __init__(self, stream: Stream, sound: AudioFile, context: OpenContext) -> None:
        self.stream = stream
        self._sound = sound
        self._context = context
        self._wave = Waveform.open(sound, context)
        self._spectrogram = Spectrogram(sound, context)
        self.onsets: Int64s = np.zeros(0, np.int64)
        """Session times at which a sound sets in, sorted; known when the waveform is built."""

    @property
    def complete(self) -> bool:
        """Whether the whole waveform is known."""
        return self._wave.complete

    @property
    def share_known(self) -> float:
        """How much of the waveform is known, 0 to 1."""
        pyramid = self._wave.pyramid
        return min(1.0, pyramid.ready_frames / max(1, pyramid.frames))

    def close(self) -> None:
        """Let go of what is kept; the sound belongs to whoever opened it."""
        self._spectrogram.close()

    # --- building -----------------------------------------------------------------------------------------------

    def build(self, cancel: CancelToken) -> None:
        """Read the whole sound once, then look for onsets. Raises ``Cancelled``."""
        self._wave.build(self._context, cancel=cancel)
        cancel.check()
        self.onsets = self._find_onsets()

    def _find_onsets(self) -> Int64s:
        sound = self._sound
        step = max(1, sound.sample_rate_hz * _ONSET_STEP_NS // SECOND_NS)
        count = sound.frames // step
        if not 0 < count <= _MOST_ONSET_COLUMNS:
            return np.zeros(0, np.int64)
        if step >= self._wave.pyramid.finest_samples_per_column():
            rms = self._wave.pyramid.columns(0, count * step, count).rms.max(axis=1)
        else:
            rms = np.concatenate([self._fine_rms(start, step, count) for start in range(0, count, 4096)])
        at = onset_columns(rms.astype(np.float64) / 32768)
        own = np.array([sound.time_of(int(column) * step) for column in at.tolist()], dtype=np.int64)
        return self.stream.time_map.to_session_array(own)

    def _fine_rms(self, start: int, step: int, count: int) -> NDArray[np.uint16]:
        stop = min(start + 4096, count)
        rms: NDArray[np.uint16] = self._wave.columns(start * step, stop * step, stop - start).rms.max(axis=1)
        return rms

    # --- the waveform -------------------------------------------------------------------------------------------

    def columns(self, view: Viewport) -> WaveColumns:
        """The waveform of what is in view, at any zoom."""
        parts = [self._columns(start, stop, width) for start, stop, width in self._pieces(view)]
        return WaveColumns(*(np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES))

    def _columns(self, start: int, stop: int, width: int) -> WaveColumns:
        found = self._wave.columns(start, max(stop, start + 1), width)
        return WaveColumns(found.low.min(axis=1), found.high.max(axis=1), found.rms.max(axis=1), found.known)

    def _pieces(self, view: Viewport) -> Iterator[tuple[int, int, int]]:
        """(first sample, end sample, columns) between the knots of the time map, where a sample is a sample long."""
        inner = [view.x_of(session) for _, session in self.stream.time_map.knots]
        edges = [0, *sorted({round(x) for x in inner if 0 < x < view.width_px}), view.width_px]
        for left, right in pairwise(edges):
            yield self._sample_at(view.ns_at(left)), self._sample_at(view.ns_at(right)), right - left

    def _sample_at(self, session_ns: int) -> int:
        """The sample that begins then or next; counted on beyond both ends, so that a view may reach there."""
        own_ns = self.stream.time_map.first_stream_at(session_ns) - self._sound.time_of(0)
        return -(-own_ns * self._sound.sample_rate_hz // SECOND_NS)

    # --- the spectrogram ----------------------------------------------------------------------------------------

    def tiles_in(self, view: Viewport) -> list[TileKey]:
        """The tiles that are needed for a view, from its middle outwards."""
        level = self._level(view)
        per_tile = self._spectrogram.samples_per_column(level) * TILE_COLUMNS
        last = (self._spectrogram.columns(level) - 1) // TILE_COLUMNS
        first = max(0, self._sample_at(view.start_ns) // per_tile)
        stop = min(last, self._sample_at(view.end_ns) // per_tile)
        middle = (first + stop) / 2
        numbers = sorted(range(first, stop + 1), key=lambda number: abs(number - middle))
        return [TileKey(0, level, number) for number in numbers]

    def tile(self, key: TileKey, cancel: CancelToken) -> NDArray[np.uint8]:
        """(frequencies, columns) 0 to 255. For a worker's thread."""
        return self._spectrogram.tile(key.channel, key.level, key.number, cancel=cancel)

    def cut_out(self, view: Viewport, height: int, tiles: dict[TileKey, NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """(height, width) of the spectrogram, high frequencies on top; 0 where a tile is not there yet."""
        out = np.zeros((height, view.width_px), np.uint8)
        level = self._level(view)
        step = self._spectrogram.samples_per_column(level)
        start, stop = self._sample_at(view.start_ns), self._sample_at(view.end_ns)
        samples = start + (np.arange(view.width_px, dtype=np.int64) * (stop - start)) // view.width_px
        columns = samples // step
        columns[(samples < 0) | (columns >= self._spectrogram.columns(level))] = -1
        for number in np.unique(columns[columns >= 0] // TILE_COLUMNS).tolist():
            tile = tiles.get(TileKey(0, level, number))
            if tile is not None:
                where = np.flatnonzero(columns // TILE_COLUMNS == number)
                inside = np.minimum(columns[where] - number * TILE_COLUMNS, tile.shape[1] - 1)
                out[:, where] = _squeezed(tile, height)[:, inside]
        return out

    def _level(self, view: Viewport) -> int:
        samples = self._sample_at(view.end_ns) - self._sample_at(view.start_ns)
        return self._spectrogram.level_for(max(1.0, samples / view.width_px))


def _squeezed(tile: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """(height, columns), high frequencies on top: of those that share a line the loudest, lest a tone vanish."""
    rows = len(tile)
    if height >= rows:
        return tile[np.arange(height) * rows // height][::-1]
    squeezed: NDArray[np.uint8] = np.maximum.reduceat(tile, np.arange(height) * rows // height, axis=0)[::-1]
    return squeezed


_NAMES = ("low", "high", "rms", "known")


class Building:
    """Builds waveforms one after the other on a thread; ``told`` is called there with the lane's number at times."""

    def __init__(self, lanes: list[SoundLane], told: Callable[[int, UserError | None], None]) -> None:
        self._lanes = lanes
        self._told = told
        self._token = CancelToken()
        self._thread = threading.Thread(target=self._work, name="waveforms", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop and wait; what was not finished is built again next time."""
        self._token.cancel()
        self._thread.join()

    def _work(self) -> None:
        for number, lane in enumerate(self._lanes):
            problem: UserError | None = None
            try:
                lane.build(self._token)
            except Cancelled:
                return
            except UserError as error:
                problem = error
            if not self._token.cancelled:
                self._told(number, problem)


def is_sound(reader: Any) -> bool:
    """Whether the lane can be drawn: other readers of sound (a plug-in's) have no pyramid."""
    return isinstance(reader, AudioFile)
