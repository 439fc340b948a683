"""Minimum, maximum and RMS of a long signal at every zoom: 256 samples a bin, then four bins into one.

Pure NumPy. ``audio_pyramid.py`` feeds it while decoding and keeps it on disk; a sound pane asks it for columns.
A pyramid can be asked while it is being filled: what is not there yet says so.
"""

from __future__ import annotations

import struct
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.values import dataclass

Int16s = NDArray[np.int16]

BIN = 256
FACTOR = 4
_TOP_BINS = 1024
_LIFT_BINS = 16384
"""The upper levels follow in steps of so many bins: smaller steps cost more calls than arithmetic."""
_HEADER = struct.Struct("<8sQI44x")
_MAGIC = b"WSPYRA01"


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What to draw: one row a column, (width, channels) int16, full scale ±32768."""

    low: Int16s
    high: Int16s
    rms: NDArray[np.uint16]
    known: NDArray[np.bool_]
    """(width,) whether the pyramid reaches there already."""


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """(channels, bins) views of the pyramid's one array."""

    low: Int16s
    high: Int16s
    rms: NDArray[np.uint16]
    size: int
    """Samples in one bin."""
    frames: int
    """Samples in all bins: the last one may hold fewer than ``size``."""

    def weights(self, first: int, last: int) -> NDArray[np.float32]:
        """Samples in each of the bins ``[first, last)``."""
        ends = np.minimum(np.arange(first, last + 1, dtype=np.int64) * self.size, self.frames)
        return np.diff(ends).astype(np.float32)


def value_count(frames: int, channels: int) -> int:
    """How many int16 values a pyramid of that signal needs."""
    return 3 * channels * sum(_bins(frames))


class Pyramid:
    """Over ``values``, a flat int16 array of ``value_count`` elements: in memory, mapped, or being filled."""

    def __init__(self, values: Int16s, frames: int, channels: int, *, ready_frames: int | None = None) -> None:
        self.values = values
        self.frames = frames
        self.channels = channels
        self.ready_frames = frames if ready_frames is None else ready_frames
        """Samples from the start that are summarised; columns beyond are unknown."""
        self.lifted_frames = self.ready_frames
        """Of these, how many the upper levels know."""
        bins = _bins(frames)
        ends = list(accumulate((3 * channels * count for count in bins), initial=0))
        self._levels = []
        for number, count in enumerate(bins):
            low, high, rms = values[ends[number] : ends[number + 1]].reshape(3, channels, count)
            self._levels.append(_Level(low, high, rms.view(np.uint16), BIN * FACTOR**number, frames))

    @staticmethod
    def finest_samples_per_column() -> int:
        """Below this, a column is better made from the samples themselves."""
        return 2 * BIN

    def columns(self, start: int, stop: int, width: int) -> Columns:
        """Columns of equal length over samples ``[start, stop)``, which may reach beyond the signal.

        Every bin that a column touches counts: no peak is ever lost, and none is drawn further than one bin from
        where it is (a bin is at most half a column).
        """
        edges = start + (np.arange(width + 1, dtype=np.int64) * (stop - start)) // width
        ready = min(self.ready_frames, self.frames)
        known = (edges[:-1] < ready) & (edges[1:] > 0) & (edges[1:] > edges[:-1])
        # With nothing known yet, the column in which the sound begins still reaches over its first sample.
        if not ready or not known.any():
            return _nothing(width, self.channels)
        level = self._level_for((stop - start) // width, min(int(edges[-1]), ready))
        begin = np.clip(edges[:-1], 0, ready - 1) // level.size
        end = np.maximum(begin + 1, -(-np.clip(edges[1:], 0, ready) // level.size))
        return _reduced(level, begin, end, known)

    def _level_for(self, samples_per_column: int, last: int) -> _Level:
        """The coarsest level with at least two bins a column whose bins are all there up to ``last``."""
        chosen = self._levels[0]
        for level in self._levels[1:]:
            if 2 * level.size > samples_per_column:
                break
            if self.lifted_frames < self.frames and last > self.lifted_frames // level.size * level.size:
                break
            chosen = level
        return chosen


class PyramidBuilder:
    """Fills a pyramid from blocks in order. The pyramid may be asked from another thread meanwhile."""

    def __init__(self, values: Int16s, frames: int, channels: int) -> None:
        self.pyramid = Pyramid(values, frames, channels, ready_frames=0)
        self._done = [0] * len(self.pyramid._levels)
        self._lifted = 0
        self._scratch = np.empty(0, np.float32)
        self._starts = np.empty(0, np.intp)

    def add(self, block: Int16s) -> None:
        """(n, channels) samples; every block but the last holds a multiple of ``BIN``."""
        pyramid = self.pyramid
        if len(block):
            self._summarise(np.ascontiguousarray(block.T))
        ready = min(pyramid.frames, pyramid.ready_frames + len(block))
        last = ready >= pyramid.frames
        if last or self._done[0] >= min(2 * self._lifted, self._lifted + _LIFT_BINS):
            self._lift(last=last)
            self._lifted = self._done[0]
            pyramid.lifted_frames = ready
        pyramid.ready_frames = ready

    def _summarise(self, rows: Int16s) -> None:
        level, done = self.pyramid._levels[0], self._done[0]
        whole = rows.shape[1] // BIN
        if whole:
            bins = np.ascontiguousarray(rows[:, : whole * BIN]).reshape(len(rows), whole, BIN)
            place = slice(done, done + whole)
            # reduceat over one long row takes half the time of a reduction along the last axis.
            flat, starts = bins.reshape(-1), self._starts_of(len(rows) * whole)
            level.low[:, place] = np.minimum.reduceat(flat, starts).reshape(len(rows), whole)
            level.high[:, place] = np.maximum.reduceat(flat, starts).reshape(len(rows), whole)
            if self._scratch.size < bins.size:
                self._scratch = np.empty(bins.size, np.float32)
            level.rms[:, place] = _rms(bins, self._scratch)
        rest = rows[:, whole * BIN :]
        if rest.shape[1]:
            at = done + whole
            level.low[:, at], level.high[:, at] = rest.min(axis=1), rest.max(axis=1)
            level.rms[:, at] = _rms(rest[:, None, :])[:, 0]
        self._done[0] = done + whole + bool(rest.shape[1])

    def _starts_of(self, count: int) -> NDArray[np.intp]:
        """Where so many bins begin in one row of samples."""
        if len(self._starts) < count:
            self._starts = np.arange(count, dtype=np.intp) * BIN
        return self._starts[:count]

    def _lift(self, *, last: bool) -> None:
        for number in range(1, len(self._done)):
            below, level = self.pyramid._levels[number - 1], self.pyramid._levels[number]
            ready, done = self._done[number - 1], self._done[number]
            whole = ready // FACTOR
            if whole > done:
                shape = (len(level.low), whole - done, FACTOR)
                source, place = slice(done * FACTOR, whole * FACTOR), slice(done, whole)
                level.low[:, place] = _of_four(np.minimum, below.low[:, source].reshape(shape))
                level.high[:, place] = _of_four(np.maximum, below.high[:, source].reshape(shape))
                power = np.square(below.rms[:, source].astype(np.float32)).reshape(shape)
                level.rms[:, place] = np.rint(np.sqrt(_of_four(np.add, power) * np.float32(1 / FACTOR)))
                self._done[number] = whole
            if last and ready % FACTOR:
                source = slice(whole * FACTOR, ready)
                level.low[:, whole] = below.low[:, source].min(axis=1)
                level.high[:, whole] = below.high[:, source].max(axis=1)
                level.rms[:, whole] = _mean_rms(below.rms[:, None, source], below.weights(source.start, source.stop))[
                    :, 0
                ]
                self._done[number] = whole + 1


def header(frames: int, channels: int) -> bytes:
    """What stands before the values on disk."""
    return _HEADER.pack(_MAGIC, frames, channels)


def from_bytes(data: memoryview, *, frames: int, channels: int) -> Pyramid | None:
    """The pyramid in stored bytes, not copied; ``None`` if they describe another signal."""
    size = _HEADER.size + 2 * value_count(frames, channels)
    if len(data) != size or _HEADER.unpack_from(data) != (_MAGIC, frames, channels):
        return None
    return Pyramid(np.frombuffer(data, "<i2", offset=_HEADER.size), frames, channels)


def sample_columns(samples: NDArray[Any], begin: NDArray[np.int64], end: NDArray[np.int64]) -> Columns:
    """Columns of samples (n, channels), int16 or float full scale ±1; column ``i`` shows ``[begin[i], end[i])``."""
    known = (begin < len(samples)) & (end > 0)
    if not known.any():
        return _nothing(len(begin), samples.shape[1])
    first = np.clip(begin, 0, len(samples) - 1)
    last = np.maximum(first + 1, np.clip(end, 0, len(samples)))
    rows = np.ascontiguousarray(samples[first[0] : last[-1]].T)
    pairs = _pairs(first - first[0], last - first[0])
    if pairs[-1] == rows.shape[1]:
        if (pairs[:-1] == rows.shape[1]).any():
            rows = np.concatenate((rows, rows[:, -1:]), axis=1)
        else:
            pairs = pairs[:-1]  # the last stretch goes to the end by itself
    # As they are until only columns are left: converting the samples costs more than reducing them.
    power = np.square(rows, dtype=np.float32)
    mean = np.add.reduceat(power, pairs, axis=1)[:, ::2] / (last - first)
    full_scale = 1 if rows.dtype == np.int16 else 32768
    columns = Columns(
        low=_whole(np.minimum.reduceat(rows, pairs, axis=1)[:, ::2]),
        high=_whole(np.maximum.reduceat(rows, pairs, axis=1)[:, ::2]),
        rms=np.rint(np.minimum(np.sqrt(mean) * full_scale, 65535)).astype(np.uint16).T,
        known=known,
    )
    return _hide_unknown(columns)


def _bins(frames: int) -> list[int]:
    bins = [-(-max(1, frames) // BIN)]
    while bins[-1] > _TOP_BINS:
        bins.append(-(-bins[-1] // FACTOR))
    return bins


def _rms(bins: Int16s, scratch: NDArray[np.float32] | None = None) -> NDArray[np.uint16]:
    """(channels, bins, samples) -> (channels, bins). ``scratch`` saves the pages of a new array each time: 1/3."""
    values = bins.astype(np.float32) if scratch is None else scratch[: bins.size].reshape(bins.shape)
    if scratch is not None:
        np.copyto(values, bins)
    power = np.vecdot(values, values)
    power /= np.float32(bins.shape[2])
    rounded: NDArray[np.uint16] = np.rint(np.sqrt(power, out=power), out=power).astype(np.uint16)
    return rounded


def _of_four(together: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
    """(channels, bins, 4) -> (channels, bins). Four strided rows take a fifth of a reduction along so short an axis."""
    first = together(values[:, :, 0], values[:, :, 1])
    joined: NDArray[Any] = together(together(first, values[:, :, 2], out=first), values[:, :, 3], out=first)
    return joined


def _mean_rms(rms: NDArray[np.uint16], weights: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(channels, bins, k) -> (channels, bins); ``weights`` (k,) as the bins differ in length."""
    power = np.average(np.square(rms.astype(np.float32)), axis=2, weights=weights)
    rounded: NDArray[np.uint16] = np.rint(np.sqrt(power)).astype(np.uint16)
    return rounded


def _reduced(level: _Level, begin: NDArray[np.int64], end: NDArray[np.int64], known: NDArray[np.bool_]) -> Columns:
    first, last = int(begin.min()), int(end.max())
    pairs = _pairs(begin - first, end - first)
    low, high, rms = (
        # One bin is repeated at the end so that the last ``end`` is an index.
        np.concatenate((values[:, first:last], values[:, last - 1 : last]), axis=1)
        for values in (level.low, level.high, level.rms)
    )
    weights = np.append(level.weights(first, last), np.float32(0))
    power = np.add.reduceat(np.square(rms.astype(np.float32)) * weights, pairs, axis=1)[:, ::2]
    mean = power / np.add.reduceat(weights, pairs)[::2]
    columns = Columns(
        low=np.minimum.reduceat(low, pairs, axis=1)[:, ::2].T,
        high=np.maximum.reduceat(high, pairs, axis=1)[:, ::2].T,
        rms=np.rint(np.sqrt(mean)).astype(np.uint16).T,
        known=known,
    )
    return _hide_unknown(columns)


def _pairs(begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices for ``reduceat`` over ``[begin, end)`` that may overlap: every second result is thrown away."""
    pairs = np.empty(2 * len(begin), np.int64)
    pairs[::2], pairs[1::2] = begin, end
    return pairs


def _whole(values: NDArray[Any]) -> Int16s:
    """(channels, width) int16 or full scale ±1 to (width, channels) int16."""
    if values.dtype != np.int16:
        values = np.clip(np.rint(values * np.float32(32768)), -32768, 32767).astype(np.int16)
    whole: Int16s = values.T
    return whole


def _hide_unknown(columns: Columns) -> Columns:
    for values in (columns.low, columns.high, columns.rms):
        values[~columns.known] = 0
    return columns


def _nothing(width: int, channels: int) -> Columns:
    empty = np.zeros((width, channels), np.int16)
    return Columns(empty, empty.copy(), np.zeros((width, channels), np.uint16), np.zeros(width, np.bool_))
