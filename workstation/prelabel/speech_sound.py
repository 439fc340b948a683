"""Sound as models of speech want it: one channel, 16,000 samples a second, plain numbers. Asked by whoever runs them.

Samples that are no numbers (a damaged float file) count as silence here, so that one of them spoils one instant and
not the hour that follows through a model's memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError

RATE_HZ = 16_000
Sound = NDArray[np.float32]
"""(samples,), mono, 16 kHz, -1 to 1."""
_RATES = range(1_000, 1_000_001)


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a sound: from where to before where, in seconds."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s


def one_channel(samples: NDArray[Any]) -> Sound:
    """The mean of all channels of (samples,) or (samples, channels); what is no number is silence."""
    sound = np.asarray(samples)
    if sound.ndim not in (1, 2):
        raise DataError(f"a sound has samples and channels, not {sound.ndim} dimensions")
    if sound.dtype.kind in "iu":
        sound = sound / float(np.iinfo(sound.dtype).max)
    clean = np.nan_to_num(np.asarray(sound, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if clean.ndim == 2:
        clean = clean.mean(axis=1) if clean.shape[1] else np.zeros(0, np.float32)
    return np.clip(clean, -1.0, 1.0).astype(np.float32, copy=False)


class Resampler:
    """A long sound, chunk by chunk, at 16 kHz; the joins are not heard. ``flush`` ends it."""

    def __init__(self, rate_hz: int) -> None:
        if rate_hz not in _RATES:
            raise DataError(f"a sound with {rate_hz} samples a second cannot be listened to")
        self._stream: Any = None
        if rate_hz != RATE_HZ:
            import soxr

            self._stream = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32")

    def feed(self, samples: NDArray[Any]) -> Sound:
        """The next samples, of any number of channels."""
        sound = one_channel(samples)
        return sound if self._stream is None else np.asarray(self._stream.resample_chunk(sound), np.float32)

    def flush(self) -> Sound:
        """What was still held back."""
        nothing = np.zeros(0, np.float32)
        if self._stream is None:
            return nothing
        return np.asarray(self._stream.resample_chunk(nothing, last=True), np.float32)


def as_speech(samples: NDArray[Any], rate_hz: int) -> Sound:
    """A whole sound at 16 kHz."""
    resampler = Resampler(rate_hz)
    return np.concatenate([resampler.feed(samples), resampler.flush()])


def cut(sound: Sound, piece: Piece) -> Sound:
    """The samples of a piece, as far as there are any."""
    start = max(0, round(piece.start_s * RATE_HZ))
    return sound[start : max(start, round(piece.end_s * RATE_HZ))]
