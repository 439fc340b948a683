"""A sound as timeline and sound pane draw it: columns of the waveform, cut-outs of the spectrogram, onsets. Without Qt.

The waveform's pyramid is built once for both, on a thread of its own, and kept with the project; until then what is
known so far is shown. ``ui/sounds.py`` holds one ``SoundLane`` a stream.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.app.background import at_rest
from workstation.app.snapping import onset_columns
from workstation.app.viewport import Int64s, Viewport
from workstation.core.errors import UserError
from workstation.core.sample import Stream
from workstation.core.timebase import SECOND_NS
from workstation.core.values import dataclass
from workstation.media.audio import AudioFile
from workstation.media.audio_pyramid import Waveform
from workstation.media.base import Cancelled, CancelToken, OpenContext, Reader
from workstation.media.spectrogram import TILE_COLUMNS, Spectrogram

_LOOK_S = 0.02
_ONSET_STEP_NS = 10_000_000
_MOST_ONSET_COLUMNS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class WaveColumns:
    """(width,) lowest, highest and RMS of what was asked for, full scale ±32768; ``known``: where something is."""

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


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples that have to be decoded before the waveform of a close view is exact."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The single samples in view: (n,) session times in nanoseconds and values, full scale ±1."""

    times: Int64s
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequencies:
    """The frequency axis: from ``low_hz`` at the bottom to ``high_hz``, linear or in mel, as tall as it is drawn."""

    low_hz: float
    high_hz: float
    mel: bool = False

    def at(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Hertz at these heights, 0 at the bottom to 1."""
        low, high = self._scaled(self.low_hz), self._scaled(self.high_hz)
        place = low + share * (high - low)
        return 700.0 * (np.power(10.0, place / 2595.0) - 1.0) if self.mel else place

    def hz_at(self, share: float) -> float:
        return float(self.at(np.array([min(max(share, 0.0), 1.0)]))[0])

    def share_of(self, hz: float) -> float:
        """How high a frequency lies, 0 to 1 within the axis."""
        low, high = self._scaled(self.low_hz), self._scaled(self.high_hz)
        return (self._scaled(hz) - low) / (high - low)

    def _scaled(self, hz: float) -> float:
        return 2595.0 * math.log10(1.0 + max(hz, 0.0) / 700.0) if self.mel else hz


class SoundLane:
    """One sound. ``columns`` and ``cut_out`` on the window's thread; ``build``, ``bring`` and ``tile`` on others."""

    def __init__(self, stream: Stream, sound: AudioFile, context: OpenContext) -> None:
        self.stream = stream
        self._sound = sound
        self._context = context
        self._wave = Waveform.open(sound, context)
        self._spectrogram = Spectrogram(sound, context)
        self.onsets: Int64s = np.zeros(0, np.int64)
        """Session times at which a sound sets in, sorted; known when the waveform is built."""

    @property
    def channels(self) -> int:
        return self._sound.channels

    @property
    def highest_hz(self) -> float:
        """Half the sample rate: nothing sounds above it."""
        return self._sound.sample_rate_hz / 2

    @property
    def floor_db(self) -> float:
        """What a spectrogram's 0 stands for; 255 is full scale, 0 dB."""
        return self._spectrogram.settings.floor_db

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

    def columns(self, view: Viewport, channel: int | None = None) -> WaveColumns:
        """The waveform of what is in view, at any zoom: of one channel, or of all taken together. Nothing is decoded:
        while ``missing`` says that samples are, a close view shows the extremes of 256 samples."""
        parts = [self._columns(start, stop, width, channel) for start, stop, width in self._pieces(view)]
        return WaveColumns(*(np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES))

    def missing(self, view: Viewport) -> Stretch | None:
        """What has to be decoded for a close view, with half a view around it to move in; ``None``: nothing."""
        start, stop = self._sample_at(view.start_ns), self._sample_at(view.end_ns)
        around = (stop - start) // 2 + 1
        if not self._wave.must_decode(start - 1, stop + 1, view.width_px):
            return None
        low, high = max(0, start - around), min(self._sound.frames, stop + around)
        return Stretch(low, high) if low < high else None

    def bring(self, stretch: Stretch, cancel: CancelToken) -> None:
        """Decode a stretch into the shared memory. For a worker's thread."""
        self._sound.read_stored(stretch.start, stretch.stop, cancel=cancel)

    def samples(self, view: Viewport, channel: int) -> Samples:
        """The samples in view and one on either side, for zooms at which each is seen by itself."""
        low = max(0, self._sample_at(view.start_ns) - 1)
        high = min(self._sound.frames, self._sample_at(view.end_ns) + 1)
        if low >= high:
            return Samples(np.zeros(0, np.int64), np.zeros(0, np.float32))
        own = np.array([self._sound.time_of(each) for each in range(low, high)], np.int64)
        values = self._sound.read(low, high)[:, channel]
        return Samples(self.stream.time_map.to_session_array(own), values)

    def samples_in(self, view: Viewport) -> int:
        """How many samples long the view is."""
        return self._sample_at(view.end_ns) - self._sample_at(view.start_ns)

    def _columns(self, start: int, stop: int, width: int, channel: int | None) -> WaveColumns:
        found = self._wave.columns(start, max(stop, start + 1), width, at_once=True)
        if channel is not None:
            return WaveColumns(found.low[:, channel], found.high[:, channel], found.rms[:, channel], found.known)
        return WaveColumns(found.low.min(axis=1), found.high.max(axis=1), found.rms.max(axis=1), found.known)

    def _pieces(self, view: Viewport) -> Iterator[tuple[int, int, int]]:
        """(first sample, end sample, columns) between the knots of the time map, where a sample is a sample long."""
        inner = {round(view.x_of(session)) for _, session in self.stream.time_map.knots}
        edges = [0, *sorted(x for x in inner if 0 < x < view.width_px), view.width_px]  # none of them without width
        for left, right in pairwise(edges):
            yield self._sample_at(view.ns_at(left)), self._sample_at(view.ns_at(right)), right - left

    def _sample_at(self, session_ns: int) -> int:
        """The sample that begins then or next; counted on beyond both ends, so that a view may reach there."""
        own_ns = self.stream.time_map.first_stream_at(session_ns) - self._sound.time_of(0)
        return -(-own_ns * self._sound.sample_rate_hz // SECOND_NS)

    # --- the spectrogram ----------------------------------------------------------------------------------------

    def tiles_in(self, view: Viewport, channel: int = 0) -> list[TileKey]:
        """The tiles that are needed for a view, from its middle outwards."""
        level = self._level(view)
        per_tile = self._spectrogram.samples_per_column(level) * TILE_COLUMNS
        last = (self._spectrogram.columns(level) - 1) // TILE_COLUMNS
        first = max(0, self._sample_at(view.start_ns) // per_tile)
        stop = min(last, self._sample_at(view.end_ns) // per_tile)
        middle = (first + stop) / 2
        numbers = sorted(range(first, stop + 1), key=lambda number: abs(number - middle))
        return [TileKey(channel, level, number) for number in numbers]

    def tile(self, key: TileKey, cancel: CancelToken) -> NDArray[np.uint8]:
        """(frequencies, columns) 0 to 255. For a worker's thread."""
        return self._spectrogram.tile(key.channel, key.level, key.number, cancel=cancel)

    def cut_out(
        self,
        view: Viewport,
        height: int,
        tiles: Mapping[TileKey, NDArray[np.uint8]],
        *,
        channel: int = 0,
        axis: Frequencies | None = None,
    ) -> NDArray[np.uint8]:
        """(height, width) of the spectrogram, high frequencies on top; 0 where a tile is not there yet.

        Without ``axis`` all frequencies, linear.
        """
        out = np.zeros((height, view.width_px), np.uint8)
        level = self._level(view)
        step = self._spectrogram.samples_per_column(level)
        start, stop = self._sample_at(view.start_ns), self._sample_at(view.end_ns)
        samples = start + (np.arange(view.width_px, dtype=np.int64) * (stop - start)) // view.width_px
        columns = samples // step
        columns[(samples < 0) | (columns >= self._spectrogram.columns(level))] = -1
        edges = self._edges(height, axis or Frequencies(low_hz=0.0, high_hz=self.highest_hz))
        for number in np.unique(columns[columns >= 0] // TILE_COLUMNS).tolist():
            tile = tiles.get(TileKey(channel, level, number))
            if tile is not None:
                where = np.flatnonzero(columns // TILE_COLUMNS == number)
                inside = np.minimum(columns[where] - number * TILE_COLUMNS, tile.shape[1] - 1)
                out[:, where] = _squeezed(tile, edges)[:, inside]
        return out

    def _edges(self, height: int, axis: Frequencies) -> NDArray[np.intp]:
        """(height + 1,) the frequency row at which each line begins, low frequencies first."""
        rows = self._spectrogram.rows
        hertz = axis.at(np.arange(height + 1) / height)
        return np.clip((hertz / self.highest_hz * rows).astype(np.intp), 0, rows)

    def _level(self, view: Viewport) -> int:
        samples = self._sample_at(view.end_ns) - self._sample_at(view.start_ns)
        return self._spectrogram.level_for(max(1.0, samples / view.width_px))


def _squeezed(tile: NDArray[np.uint8], edges: NDArray[np.intp]) -> NDArray[np.uint8]:
    """(height, columns), high frequencies on top: of those that share a line the loudest, lest a tone vanish."""
    begin = np.minimum(edges[:-1], len(tile) - 1)
    squeezed: NDArray[np.uint8] = np.maximum.reduceat(tile[: max(int(edges[-1]), int(begin[-1]) + 1)], begin, axis=0)
    return squeezed[::-1]


_NAMES = ("low", "high", "rms", "known")


class Building:
    """Builds waveforms one after the other on a thread; ``told`` is called there with the lane's number at times."""

    def __init__(
        self,
        lanes: list[SoundLane],
        told: Callable[[int, UserError | None], None],
        *,
        calm: threading.Event | None = None,
    ) -> None:
        self._calm = calm or at_rest()
        self._lanes = lanes
        self._told = told
        self._token = CancelToken()
        self._thread = threading.Thread(target=self._work, name="waveforms", daemon=True)
        self._thread.start()

    @property
    def share_known(self) -> float:
        """How much of all of them is known, 0 to 1."""
        return sum(lane.share_known for lane in self._lanes) / max(1, len(self._lanes))

    def cancel(self) -> None:
        """Stop soon; what was not finished is built again next time."""
        self._token.cancel()

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended within so long."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Stop and wait."""
        self._token.cancel()
        self._thread.join()

    def _work(self) -> None:
        while not self._token.cancelled and not self._calm.wait(_LOOK_S):
            pass
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


def lane_of(stream: Stream, reader: Reader, context: OpenContext) -> SoundLane | None:
    """The lane of a sound; ``None`` for what has no pyramid."""
    return SoundLane(stream, reader, context) if isinstance(reader, AudioFile) else None
