"""Sound files and the sound of video files, read to the sample at any place.

``AudioFile`` is what playback, waveforms and spectrograms read through: decoded blocks lie in the session's shared
cache, so that looking at a place again costs nothing. Decoding itself is in ``audio_decode.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.ratio import scale
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.media.audio_decode import PcmSource, is_mp3_sync, open_source
from workstation.media.base import CancelToken, MediaInfo, OpenContext, Options, ReaderSpec, check_options

_BLOCK_BYTES = 1 << 18
_PLAIN = frozenset(("PCM_16", "PCM_U8", "PCM_S8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"))
_FROM_INT16 = np.float32(1 / 32768)


class AudioFile:
    """One sound track. Any thread may read; one decodes at a time."""

    def __init__(self, path: Path, track: int, context: OpenContext) -> None:
        self.path = path
        self.track = track
        self._source: PcmSource = open_source(path, track, context)
        self._cache = context.memory.share()
        self._lock = threading.Lock()
        self._block = max(1024, _BLOCK_BYTES // (4 * self.channels))
        self._info = _describe(self._source)

    @property
    def info(self) -> MediaInfo:
        return self._info

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path,)

    @property
    def sample_rate_hz(self) -> int:
        return self._source.sample_rate_hz

    @property
    def channels(self) -> int:
        return self._source.channels

    @property
    def frames(self) -> int:
        return self._source.frames

    @property
    def stored_plain(self) -> bool:
        """Whether samples lie in the file as they are, so that any place is read at once."""
        details = self._source.details
        return details.get("container") != "FLAC" and details.get("codec") in _PLAIN

    def held(self, start: int, stop: int) -> bool:
        """Whether ``[start, stop)`` is decoded already: reading it takes no time."""
        start, stop = max(0, start), min(stop, self.frames)
        numbers = range(start // self._block, (stop - 1) // self._block + 1) if start < stop else ()
        return all(self._cache.get(number) is not None for number in numbers)

    def time_of(self, sample: int) -> int:
        """Stream time of a sample, rounded once."""
        return _time_of(self._source, sample)

    def sample_at(self, time_ns: int) -> int | None:
        """The sample sounding then; ``None`` outside."""
        sample = (time_ns - self._source.origin_ns) * self.sample_rate_hz // SECOND_NS
        # Times of samples are rounded, so the one before or after may be the one that sounds.
        sample += (self.time_of(sample + 1) <= time_ns) - (self.time_of(sample) > time_ns)
        return sample if 0 <= sample < self.frames else None

    def read(self, start: int, stop: int, *, cancel: CancelToken | None = None) -> NDArray[np.float32]:
        """(stop − start, channels) float32, full scale ±1; both ends clipped to the stream."""
        blocks = self._pieces(start, stop, cancel)
        out = np.empty((sum(len(block) for block in blocks), self.channels), np.float32)
        at = 0
        for block in blocks:
            part = out[at : at + len(block)]
            if block.dtype == np.int16:
                np.multiply(block, _FROM_INT16, out=part)
            else:
                part[:] = block
            at += len(block)
        return out

    def read_stored(self, start: int, stop: int, *, cancel: CancelToken | None = None) -> NDArray[Any]:
        """Like ``read``, but int16 (full scale ±32768) where the file holds that: for drawing, at half the cost."""
        blocks = self._pieces(start, stop, cancel)
        return np.concatenate(blocks) if blocks else np.zeros((0, self.channels), np.float32)

    def close(self) -> None:
        with self._lock:
            self._cache.close()
            self._source.close()

    def _pieces(self, start: int, stop: int, cancel: CancelToken | None) -> list[NDArray[Any]]:
        """Views of the blocks that cover ``[start, stop)``, clipped to the stream."""
        start, stop = max(0, start), min(stop, self.frames)
        pieces = []
        for number in range(start // self._block, (stop - 1) // self._block + 1) if start < stop else ():
            if cancel is not None:
                cancel.check()
            first = number * self._block
            pieces.append(self._block_of(number)[max(start, first) - first : stop - first])
        return pieces

    def _block_of(self, number: int) -> NDArray[Any]:
        held: NDArray[Any] | None = self._cache.get(number)
        if held is not None:
            return held
        with self._lock:
            first = number * self._block
            count = min(self._block, self.frames - first)
            source = self._source
            block = source.read_int16(first, count) if source.fits_int16 else source.read(first, count)
        block.flags.writeable = False
        self._cache.put(number, block, block.nbytes)
        return block


def open_audio(path: Path, *, track: int = 0, context: OpenContext | None = None) -> AudioFile:
    """The sound of a file; ``track`` counts its sound tracks from 0."""
    return AudioFile(path, track, context or OpenContext())


def _time_of(source: PcmSource, sample: int) -> int:
    return source.origin_ns + scale(sample, SECOND_NS, source.sample_rate_hz)


def _describe(source: PcmSource) -> MediaInfo:
    return MediaInfo(
        kind=StreamKind.AUDIO,
        span=TimeRange(source.origin_ns, _time_of(source, source.frames)),
        count=source.frames,
        rate_hz=float(source.sample_rate_hz),
        gaps=tuple(TimeRange(_time_of(source, start), _time_of(source, stop)) for start, stop in source.silent),
        clock_source="container" if "track" in source.details else "sample count",
        details={**source.details, "sample_rate_hz": source.sample_rate_hz, "channels": source.channels},
        notes=source.notes,
    )


def _probe(path: Path, head: bytes) -> float:
    if head[:4] in (b"RIFF", b"RF64", b"RIFX") and head[8:12] == b"WAVE":
        return 1.0
    if head[:4] in (b"fLaC", b"caff", b".snd") or (head[:4] == b"FORM" and head[8:11] == b"AIF") or head[:4] == b"riff":
        return 1.0
    if head[:4] == b"OggS":
        return 0.2 if b"theora" in head or b"\x80kate" in head else 0.95
    if head[4:8] == b"ftyp":
        return 0.9 if head[8:11] in (b"M4A", b"M4B") or path.suffix.lower() == ".m4a" else 0.2
    if head[:3] == b"ID3" or is_mp3_sync(head):
        return 0.9 if path.suffix.lower() in _SUFFIXES else 0.4
    # Films may hold sound as well: said faintly, so that one is taken for a film unless sound is asked for.
    film = (head[:4] == b"RIFF" and head[8:12] == b"AVI ") or head[:3] == b"FLV" or head[:4] == b"\0\0\1\xba"
    if film or (head[:1] == b"G" and head[188:189] == b"G"):
        return 0.1
    known = head[:4] in (b"\x1aE\xdf\xa3", b"\x30\x26\xb2\x75")
    return (0.9 if path.suffix.lower() in _SUFFIXES else 0.1) if known or _is_mpeg_sync(head) else 0.0


def _is_mpeg_sync(head: bytes) -> bool:
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] < 0xFE


def _open(paths: Sequence[Path], options: Options, context: OpenContext) -> AudioFile:
    check_options(READERS[0], options)
    track = options.get("track", 0)
    if len(paths) != 1 or not isinstance(track, int):
        raise DataError("a sound stream is one file and the whole number of one of its tracks", path=paths[0])
    return AudioFile(paths[0], track, context)


_SUFFIXES = (
    ".wav", ".wave", ".w64", ".rf64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".m4b", ".aac", ".aif", ".aiff",
    ".caf", ".au", ".mka", ".weba", ".wma", ".ac3", ".mp2",
)  # fmt: skip

READERS = (
    ReaderSpec(
        name="audio",
        kind=StreamKind.AUDIO,
        title="Sound",
        suffixes=_SUFFIXES,
        probe=_probe,
        open=_open,
        options={"track": "which sound track of the file, counted from 0"},
    ),
)
