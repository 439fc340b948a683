"""Sounds made from nothing: engine, horn, brakes, clap, door, bark, steps, background; mono float at a given rate.

Every event begins exactly at its first sample (no fade before it), so that a planted onset is sample-exact.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workstation.synth.pose import Floats

Sound = NDArray[np.float64]


def add(track: Sound, sound: Sound, start: int, gain: float = 1.0) -> None:
    """Adds ``sound`` into ``track`` from sample ``start`` on; what runs over either end is cut."""
    first, last = max(start, 0), min(start + len(sound), len(track))
    if last > first:
        track[first:last] += gain * sound[first - start : last - start]


def noise(count: int, rng: np.random.Generator, *, low_hz: float, high_hz: float, rate_hz: int) -> Sound:
    """Band-limited noise with an RMS of one."""
    spectrum = np.fft.rfft(rng.normal(0, 1, count))
    freq = np.fft.rfftfreq(count, 1 / rate_hz)
    spectrum[(freq < low_hz) | (freq > high_hz)] = 0
    wave = np.fft.irfft(spectrum, count)
    shaped: Sound = wave / max(float(np.sqrt(np.mean(wave**2))), 1e-12)
    return shaped


def decay(count: int, rate_hz: int, half_s: float) -> Sound:
    """An envelope that is one at the first sample and halves every ``half_s``."""
    falling: Sound = 0.5 ** (np.arange(count) / rate_hz / half_s)
    return falling


def horn(seconds: float, rate_hz: int) -> Sound:
    """A car horn: two tones a third apart, at full level from the first sample (a cosine begins at its peak)."""
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    wave = sum(np.cos(2 * math.pi * base * k * t) / k for base in (415.0, 505.0) for k in (1, 2, 3, 4, 5))
    tail = np.minimum(1.0, (seconds - t) / 0.05)
    out: Sound = 0.16 * np.asarray(wave) * np.clip(tail, 0, 1)
    return out


def squeal(seconds: float, rate_hz: int, rng: np.random.Generator) -> Sound:
    """Braking: a hoarse falling whistle over tyre noise, from the first sample on."""
    count = int(seconds * rate_hz)
    t = np.arange(count) / rate_hz
    pitch = 2350.0 - 420.0 * t / max(seconds, 1e-9) + 40 * np.sin(2 * math.pi * 7 * t)
    whistle = np.cos(2 * math.pi * np.cumsum(pitch) / rate_hz)
    rub = noise(count, rng, low_hz=900, high_hz=5200, rate_hz=rate_hz)
    out: Sound = (0.5 * whistle + 0.35 * rub) * np.clip((seconds - t) / (0.5 * seconds), 0, 1)
    return out


def engine(speed_mps: Floats, rate_hz: int, rng: np.random.Generator) -> Sound:
    """A motor and rolling noise whose pitch and level follow the speed (one value per sample, m/s)."""
    gear = np.where(speed_mps < 5, 1.0, np.where(speed_mps < 10, 0.62, 0.42))
    pitch = 26.0 + 9.0 * speed_mps * gear
    phase = 2 * math.pi * np.cumsum(pitch) / rate_hz
    wave = sum(np.sin(k * phase + 0.4 * k) / k**1.2 for k in (1, 2, 3, 4, 6))
    rolling = noise(len(speed_mps), rng, low_hz=60, high_hz=1400, rate_hz=rate_hz)
    out: Sound = 0.35 * np.asarray(wave) + rolling * (0.04 + 0.018 * speed_mps)
    return out


def passing(distance_m: Floats, rate_hz: int, rng: np.random.Generator) -> Sound:
    """Another car's tyres: noise as loud as it is near (one distance per sample)."""
    out: Sound = noise(len(distance_m), rng, low_hz=180, high_hz=2600, rate_hz=rate_hz) / np.maximum(distance_m, 3.0)
    return out


def clap(rate_hz: int, rng: np.random.Generator) -> Sound:
    """One hand clap; its loudest sample is its first."""
    count = int(0.16 * rate_hz)
    burst = noise(count, rng, low_hz=600, high_hz=min(6500, rate_hz / 2.2), rate_hz=rate_hz) * decay(
        count, rate_hz, 0.008
    )
    out: Sound = 0.22 * np.clip(burst, -3.0, 3.0)
    out[0] = 0.95
    return out


def slam(rate_hz: int, rng: np.random.Generator) -> Sound:
    """A door falling shut: a thud with a rattle."""
    count = int(0.5 * rate_hz)
    t = np.arange(count) / rate_hz
    thud = np.cos(2 * math.pi * 84 * t) * decay(count, rate_hz, 0.05)
    rattle = noise(count, rng, low_hz=250, high_hz=3200, rate_hz=rate_hz) * decay(count, rate_hz, 0.022)
    out: Sound = 0.6 * thud + 0.22 * rattle
    return out


def bark(rate_hz: int, rng: np.random.Generator) -> Sound:
    """One bark: a falling voiced burst with breath."""
    count = int(0.22 * rate_hz)
    t = np.arange(count) / rate_hz
    pitch = 520 * np.exp(-t / 0.22) + 140
    phase = 2 * math.pi * np.cumsum(pitch) / rate_hz
    voiced = sum(np.cos(k * phase) * w for k, w in ((1, 0.6), (2, 0.9), (3, 0.7), (4, 0.35), (5, 0.2)))
    breath = noise(count, rng, low_hz=500, high_hz=3500, rate_hz=rate_hz)
    shape = np.minimum(1.0, 0.35 + t / 0.02) * np.clip((0.22 - t) / 0.12, 0, 1)
    out: Sound = (0.3 * np.asarray(voiced) + 0.22 * breath) * shape
    return out


def knock(rate_hz: int, rng: np.random.Generator, *, pitch_hz: float = 900.0, half_s: float = 0.012) -> Sound:
    """A short hard sound: a cup set down, a key, a step."""
    count = int(0.14 * rate_hz)
    t = np.arange(count) / rate_hz
    ring = np.cos(2 * math.pi * pitch_hz * t) + 0.5 * np.cos(2 * math.pi * pitch_hz * 2.63 * t)
    out: Sound = 0.3 * ring * decay(count, rate_hz, half_s) + 0.1 * noise(
        count, rng, low_hz=400, high_hz=min(6000, rate_hz / 2.2), rate_hz=rate_hz
    ) * decay(count, rate_hz, half_s / 2)
    return out


def room(count: int, rate_hz: int, rng: np.random.Generator, level: float = 0.002) -> Sound:
    """The quiet hiss and hum of a room or an empty street."""
    out: Sound = noise(count, rng, low_hz=40, high_hz=3000, rate_hz=rate_hz) * level
    return out


def microphones(source: Sound, bearing_rad: float, places: Floats, rate_hz: int) -> Sound:
    """N×C: a far sound from a bearing (left positive) at C microphones (C×2 metres, x forward, y left).

    Delays are fractions of a sample, done by turning phases, so the onset of channel C is earlier or later by
    ``delay × rate`` samples exactly.
    """
    toward = np.array([math.cos(bearing_rad), math.sin(bearing_rad)])
    delays = -(places @ toward) / 343.0
    padded = np.concatenate([source, np.zeros(1024)])
    spectrum = np.fft.rfft(padded)
    freq = np.fft.rfftfreq(len(padded), 1 / rate_hz)
    return np.stack([np.fft.irfft(spectrum * np.exp(-2j * math.pi * freq * d), len(padded)) for d in delays], axis=1)
