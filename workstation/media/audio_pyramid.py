"""The waveform of a sound at every zoom: built while decoding, kept on disk by content, asked by the sound pane.

``Waveform.open`` answers at once: from the cache, or with an empty pyramid that ``build`` fills from a worker, so that
the first minute can be drawn while the tenth hour is still being read.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from workstation.media.audio import AudioFile
from workstation.media.audio_decode import open_source
from workstation.media.base import CancelToken, OpenContext
from workstation.media.pyramid import (
    BIN,
    Columns,
    Int16s,
    Pyramid,
    PyramidBuilder,
    from_bytes,
    header,
    sample_columns,
    value_count,
)

_KIND = "audio_pyramid"
_VERSION = 1
_BLOCK_VALUES = 1 << 19
_FIRST_BINS = 64
"""The first blocks are small, so that something shows at once; they double from there."""
_WRITE_VALUES = 1 << 20
_IN_MEMORY = 32 << 20
"""Bytes up to which a pyramid is filled in memory (ten hours at 16 kHz take 18 MB); a file costs a sixth more."""


class Waveform:
    """Columns of one sound at any zoom: from the pyramid, or from the samples when a column holds few of them."""

    def __init__(self, sound: AudioFile, pyramid: Pyramid, builder: PyramidBuilder | None) -> None:
        self._sound = sound
        self.pyramid = pyramid
        self._builder = builder

    @classmethod
    def open(cls, sound: AudioFile, context: OpenContext) -> Waveform:
        """The waveform kept from an earlier run, or one that ``build`` still has to fill."""
        stored = _stored(sound, context)
        if stored is not None:
            return cls(sound, stored, None)
        size = value_count(sound.frames, sound.channels)
        context.limits.check_bytes(2 * size, path=sound.path)
        builder = PyramidBuilder(_scratch(size), sound.frames, sound.channels)
        return cls(sound, builder.pyramid, builder)

    @property
    def complete(self) -> bool:
        return self.pyramid.ready_frames >= self.pyramid.frames

    def build(self, context: OpenContext, *, cancel: CancelToken | None = None) -> None:
        """Read the whole sound with a decoder of its own, telling the share done; then keep the result.

        For a worker's thread, while other threads ask for columns. Raises ``Cancelled``; may be called again.
        """
        if self._builder is None or self.complete:
            return
        token = cancel or context.cancel
        # From the start, also after a cancel. Panes ask the waveform, which now answers from the new pyramid.
        self._builder = PyramidBuilder(self.pyramid.values, self.pyramid.frames, self.pyramid.channels)
        self.pyramid = self._builder.pyramid
        _fill(self._builder, self._sound, context, token)
        if context.disk is not None:
            # Hashed last: the waveform is on screen before the file is read a second time.
            content = context.disk.content_hash(self._sound.path, tick=lambda _: token.check())
            with context.disk.writing(_KIND, _key(content, self._sound.track), _VERSION) as write:
                write(header(self.pyramid.frames, self.pyramid.channels))
                for start in range(0, len(self.pyramid.values), _WRITE_VALUES):
                    write(self.pyramid.values[start : start + _WRITE_VALUES].astype("<i2").tobytes())

    def columns(
        self, start: int, stop: int, width: int, *, at_once: bool = False, cancel: CancelToken | None = None
    ) -> Columns:
        """``width`` columns over samples ``[start, stop)``, which may reach beyond the sound.

        ``at_once`` decodes nothing: until somebody has read the samples (``must_decode``) columns are a bin wide.
        """
        if stop <= start or width <= 0:
            raise ValueError(f"{width} columns over samples {start} to {stop}")
        if (stop - start) // width >= Pyramid.finest_samples_per_column():
            return self.pyramid.columns(start, stop, width)
        if at_once and self.must_decode(start, stop, width):
            return self.pyramid.columns(start, stop, width)
        low, high = max(0, start), min(stop, self._sound.frames)
        samples = self._sound.read_stored(low, high, cancel=cancel)
        edges = start + (np.arange(width + 1, dtype=np.int64) * (stop - start)) // width - low
        # With fewer samples than columns, each column shows the sample it lies in.
        return sample_columns(samples, edges[:-1], np.maximum(edges[1:], edges[:-1] + 1))

    def must_decode(self, start: int, stop: int, width: int) -> bool:
        """Whether exact columns need samples that are compressed and not decoded yet."""
        fine = (stop - start) // max(1, width) < Pyramid.finest_samples_per_column()
        return fine and not self._sound.stored_plain and not self._sound.held(start, stop)


def _stored(sound: AudioFile, context: OpenContext) -> Pyramid | None:
    content = context.disk.known_hash(sound.path) if context.disk is not None else None
    if context.disk is None or content is None:
        return None
    data = context.disk.mapped(_KIND, _key(content, sound.track), _VERSION)
    return None if data is None else from_bytes(data, frames=sound.frames, channels=sound.channels)


def _scratch(size: int) -> Int16s:
    """An array, a large one in a nameless file: the system may write it out, so a long recording fills no memory."""
    if 2 * size <= _IN_MEMORY:
        return np.empty(size, np.int16)
    with tempfile.TemporaryFile(prefix="waveform-") as file:
        file.truncate(2 * size)
        # As a plain array: the subclass costs more than the arithmetic on small blocks.
        return np.asarray(np.memmap(file, np.int16, "r+", shape=(size,)))


def _fill(builder: PyramidBuilder, sound: AudioFile, context: OpenContext, token: CancelToken) -> None:
    """Block after block on this one thread, which finds what it decoded still in its core's own memory: a thread for
    decoding beside it cost a fifth to two fifths more of processor for WAV, a twentieth for FLAC."""
    source = open_source(Path(sound.path), sound.track, context)
    with closing(source):
        for start, count in _places(sound.frames, sound.channels):
            token.check()
            builder.add(source.read_int16(start, count))
            if context.progress is not None:
                context.progress(min(1.0, (start + count) / sound.frames))


def _places(frames: int, channels: int) -> Iterator[tuple[int, int]]:
    """(start, count) of the blocks."""
    largest = max(BIN, _BLOCK_VALUES // channels // BIN * BIN)
    start, block = 0, min(largest, _FIRST_BINS * BIN)
    while start < frames:
        yield start, min(block, frames - start)
        start += block
        block = min(largest, 2 * block)


def _key(content: str, track: int) -> str:
    return hashlib.sha256(f"{content}\0{track}".encode()).hexdigest()
