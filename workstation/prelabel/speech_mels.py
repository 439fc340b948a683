"""Mel spectra as librosa makes them (power, Slaney's scale and norm), in NumPy: what speaker encoders are fed with."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.speech_sound import RATE_HZ, Sound

FFT, HOP, MELS = 400, 160, 40
_LINEAR_HZ, _PER_MEL, _LOG_STEP = 1000.0, 200.0 / 3, np.log(6.4) / 27
_BLOCK = 4096


def mels(sound: Sound) -> NDArray[np.float32]:
    """Power in 40 bands every 10 ms (frames, 40); no logarithm. None for an empty sound."""
    if not len(sound):
        return np.zeros((0, MELS), np.float32)
    padded = np.pad(sound.astype(np.float32), FFT // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP]
    shape, bands = np.hanning(FFT + 1)[:-1].astype(np.float32), filters()
    out = np.empty((len(windows), MELS), np.float32)
    for start in range(0, len(windows), _BLOCK):
        power = np.abs(np.fft.rfft(windows[start : start + _BLOCK] * shape)) ** 2
        out[start : start + _BLOCK] = power @ bands.T
    return out


@lru_cache(maxsize=1)
def filters() -> NDArray[np.float64]:
    """The triangles (40, 201), each of the same area."""
    edges = _hz(np.linspace(0.0, float(_mel(np.array(RATE_HZ / 2))), MELS + 2))
    tones = np.linspace(0.0, RATE_HZ / 2, FFT // 2 + 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (tones - low) / (middle - low), (high - tones) / (high - middle)
    found: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * 2 / (high - low)
    return found


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithmic = _LINEAR_HZ / _PER_MEL + np.log(np.maximum(hz, 1e-9) / _LINEAR_HZ) / _LOG_STEP
    return np.where(hz < _LINEAR_HZ, hz / _PER_MEL, logarithmic)


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    first = _LINEAR_HZ / _PER_MEL
    return np.where(mel < first, mel * _PER_MEL, _LINEAR_HZ * np.exp(_LOG_STEP * (mel - first)))
