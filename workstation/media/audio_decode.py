"""Decoded sound with exact sample positions: one protocol, and the files that libsndfile reads.

``audio.py`` opens sources with ``open_source`` and caches their blocks; the pyramid opens one of its own, so that
building never moves the position playback reads at. Containers that libsndfile does not know are in
``audio_container.py``.
"""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import OpenContext, OptionValue

Samples = NDArray[np.float32]
"""(n, channels) float32, full scale ±1."""

MAX_CHANNELS = 64
MAX_RATE_HZ = 6_144_000
_FLAC_TAIL = 8192
_OGG_PAGE = re.compile(rb"OggS\0([\0-\7]).{8}(.{4})", re.DOTALL)
"""A page: what it is (2: a stream begins) and the number of its stream; the largest has 65,307 bytes."""
_OGG_ENDS = 1 << 17
_UNKNOWN_DELAY = (
    "the file does not say how many samples the encoder put before the first one; "
    "positions may be late by about 1,100 samples"
)


class PcmSource(Protocol):
    """A decoder that can stand anywhere. Sample 0 is the first one the encoder was given, where the file says."""

    sample_rate_hz: int
    channels: int
    frames: int
    """Samples of one channel; gaps of the container count, as silence."""
    origin_ns: int
    """Stream time of sample 0."""
    details: dict[str, OptionValue]
    notes: tuple[str, ...]
    silent: tuple[tuple[int, int], ...]
    """Sample ranges the file does not hold."""
    fits_int16: bool
    """Whether 16 bits hold every sample exactly: half the memory, and faster to draw."""

    def read(self, start: int, count: int) -> Samples:
        """Samples ``[start, start + count)``; the caller keeps both inside the stream."""
        ...

    def read_int16(self, start: int, count: int) -> NDArray[np.int16]:
        """The same, rounded and clipped to 16 bits; exact where the file holds 16 bits."""
        ...

    def close(self) -> None: ...


def open_source(path: Path, track: int, context: OpenContext) -> PcmSource:
    """The decoder that fits the file's first bytes; both may try before the file is refused."""
    head = _head(path)
    if track == 0 and _for_sndfile(head):
        try:
            return SndfileSource(path)
        except _NotSndfile as refusal:
            return _container(path, track, context, refusal)
    return _container(path, track, context, None)


def _container(path: Path, track: int, context: OpenContext, refusal: _NotSndfile | None) -> PcmSource:
    from workstation.media.audio_container import ContainerSource

    try:
        source = ContainerSource(path, track, context)
    except DataError as error:
        if refusal is None:
            raise
        raise DataError(f"{error.reason}; the sound library says: {refusal}", path=path) from error
    if refusal is not None and refusal.claimed_s:
        held = source.frames / source.sample_rate_hz
        source.notes += (
            f"the header promises {refusal.claimed_s:.3f} s, the file holds {held:.3f} s: it is truncated",
        )
    elif refusal is not None and refusal.unended:
        source.notes += ("its header says that it holds nothing, as of a recorder that was cut off; all of it is read",)
    return source


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error
    if not head:
        raise DataError("the file is empty", path=path)
    return head


def _for_sndfile(head: bytes) -> bool:
    """Whether libsndfile knows it. An Ogg with pictures and an MPEG stream that is AAC go to FFmpeg."""
    if head[:4] in (
        b"RIFF",
        b"RF64",
        b"RIFX",
        b"riff",
        b"FORM",
        b"fLaC",
        b"caff",
        b".snd",
        b"ID3\x02",
        b"ID3\x03",
        b"ID3\x04",
    ):
        return head[:4] != b"RIFF" or head[8:12] == b"WAVE"
    if head[:4] == b"OggS":
        return any(word in head for word in (b"\x01vorbis", b"OpusHead", b"\x7fFLAC"))
    return is_mp3_sync(head)


def is_mp3_sync(head: bytes) -> bool:
    """An MPEG audio frame of layer III: AAC in ADTS has the layer bits 00."""
    return len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08


class _NotSndfile(Exception):
    """libsndfile does not read it; FFmpeg may."""

    def __init__(self, reason: str, *, claimed_s: float = 0.0, unended: bool = False) -> None:
        self.claimed_s = claimed_s
        self.unended = unended
        super().__init__(reason)


class SndfileSource:
    """WAV and its kin, FLAC, Ogg Vorbis, Ogg Opus and MP3: seeks to the sample, trims what the encoder added."""

    def __init__(self, path: Path) -> None:
        import soundfile

        self._path = path
        self._error: type[Exception] = soundfile.SoundFileError
        try:
            self._file: Any = soundfile.SoundFile(path)
        except (soundfile.SoundFileError, OSError, ValueError) as error:
            raise _NotSndfile(_words(error)) from error
        try:
            self._describe()
        except BaseException:
            self._file.close()
            raise

    def _describe(self) -> None:
        file = self._file
        self.sample_rate_hz, self.channels = int(file.samplerate), int(file.channels)
        check_shape(self.sample_rate_hz, self.channels, path=self._path)
        self._at = 0
        self.fits_int16 = file.subtype in ("PCM_16", "PCM_U8", "PCM_S8", "ULAW", "ALAW")
        self._whole_numbers = file.subtype not in ("FLOAT", "DOUBLE")
        self.details = {"container": file.format, "codec": file.subtype}
        self.origin_ns = 0
        self.silent: tuple[tuple[int, int], ...] = ()
        self.notes: tuple[str, ...] = ()
        self.frames = int(file.frames)
        if not self.frames:
            # A recorder writes the length last: one that lost its power leaves a zero before hours of sound.
            raise _NotSndfile("there is no sound in it", unended=True)
        if not self._holds(self.frames - 1):
            # libsndfile cannot seek in a file whose header lies; FFmpeg walks through the packets that are there.
            # An MP3 without an index promises nothing: libsndfile's length of it is a guess.
            claimed_s = 0.0 if file.format == "MP3" else self.frames / self.sample_rate_hz
            raise _NotSndfile("it is shorter than its header says", claimed_s=claimed_s)
        if file.format == "MP3" and not _names_its_delay(self._path):
            self.notes += (_UNKNOWN_DELAY,)
        if file.format == "OGG" and _is_chained(self._path):
            self.notes += ("it holds several recordings one after another; only the first one is heard",)

    def _holds(self, sample: int) -> bool:
        try:
            if self._file.format == "FLAC":
                held = len(self._ending(sample, 1, "int16")) == 1
            else:
                self._file.seek(sample)
                held = len(self._file.read(1, dtype="float32", always_2d=True)) == 1
        except (self._error, RuntimeError):
            held = False
        self._at = -1
        return held

    def _ending(self, start: int, count: int, dtype: str) -> NDArray[Any]:
        """The last samples of a FLAC, read to the very end: to stand before one of them takes libFLAC seconds."""
        safe = max(0, min(start, self.frames - _FLAC_TAIL))
        self._file.seek(safe)
        block: NDArray[Any] = self._file.read(self.frames - safe, dtype=dtype, always_2d=True)
        return block[start - safe : start - safe + count]

    def read(self, start: int, count: int) -> Samples:
        block = self._read(start, count, "float32")
        if self._whole_numbers:
            return block
        # A sample that is no number would silence or deafen whatever plays it.
        finite: Samples = np.nan_to_num(block, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
        return finite

    def read_int16(self, start: int, count: int) -> NDArray[np.int16]:
        if self.fits_int16:
            return self._read(start, count, "int16")
        return to_int16(self.read(start, count))

    def _read(self, start: int, count: int, dtype: str) -> NDArray[Any]:
        try:
            ending = self._file.format == "FLAC" and start + count > self.frames - _FLAC_TAIL
            if start != self._at and not ending:
                self._file.seek(start)
            block: NDArray[Any] = (
                self._ending(start, count, dtype) if ending else self._file.read(count, dtype=dtype, always_2d=True)
            )
        except (self._error, RuntimeError) as error:
            self._at = -1
            place = f"sample {start}"
            raise DataError(f"cannot be decoded there ({_words(error)})", path=self._path, place=place) from error
        self._at = start + len(block)
        if len(block) < count:
            missing = np.zeros((count - len(block), self.channels), block.dtype)
            block = np.concatenate((block, missing))
        return block

    def close(self) -> None:
        self._file.close()


def check_shape(sample_rate_hz: int, channels: int, *, path: Path) -> None:
    """Refuse what no sound has."""
    if not 0 < sample_rate_hz <= MAX_RATE_HZ:
        raise DataError(f"{sample_rate_hz} samples a second is no rate of sound", path=path)
    if not 0 < channels <= MAX_CHANNELS:
        raise DataError(f"it has {channels} channels; 1 to {MAX_CHANNELS} can be opened", path=path)


def to_int16(samples: Samples) -> NDArray[np.int16]:
    """Full scale ±1 to 16 bits, clipped."""
    scaled = np.rint(samples * np.float32(32768))
    whole: NDArray[np.int16] = np.clip(scaled, -32768, 32767, out=scaled).astype(np.int16)
    return whole


def _names_its_delay(path: Path) -> bool:
    """Whether the first MP3 frame carries a LAME (or Lavc) tag: encoder delay and padding."""
    with path.open("rb") as file:
        head = file.read(10)
        skip = 0
        if head[:3] == b"ID3" and len(head) == 10:
            a, b, c, d = head[6:10]
            skip = 10 + (a << 21 | b << 14 | c << 7 | d)
        file.seek(skip)
        frame = file.read(4096)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 8:
        return False
    flags = int.from_bytes(frame[at + 4 : at + 8], "big")
    tag = at + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    return frame[tag : tag + 4] in (b"LAME", b"Lavf", b"Lavc", b"L3.9")


def _is_chained(path: Path) -> bool:
    """Whether its last page belongs to a stream that its beginning does not announce, as in a radio's capture."""
    with path.open("rb") as file:
        first = _OGG_PAGE.findall(file.read(_OGG_ENDS))
        file.seek(max(0, path.stat().st_size - _OGG_ENDS))
        last = _OGG_PAGE.findall(file.read())
    announced = {stream for _, stream in takewhile(lambda page: page[0][0] & 2, first)}
    return bool(last) and last[-1][1] not in announced


def _words(error: Exception) -> str:
    return str(error).rstrip(".").removeprefix("Error opening ").split(": ")[-1] or type(error).__name__
