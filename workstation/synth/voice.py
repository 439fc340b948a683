"""A small formant synthesiser: words in, sound and exact word times out. No speech engine, no recordings.

Voiced sound is a sum of harmonics whose strengths follow the formants of the current phoneme; hiss is band noise.
It is understandable to a patient listener, word-exact by construction, and the same every time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import UserError
from workstation.synth.sound import Sound, noise

CONTROL_HZ = 200
HARMONICS = 44


@dataclass(frozen=True, slots=True)
class Phoneme:
    """Formants in Hz, how voiced and how hissing (level and band), and the usual length."""

    f1: float
    f2: float
    f3: float
    voiced: float
    hiss: float
    hiss_hz: tuple[float, float]
    seconds: float


def _vowel(f1: float, f2: float, f3: float, seconds: float = 0.11) -> Phoneme:
    return Phoneme(f1, f2, f3, 1.0, 0.0, (300, 3000), seconds)


PHONEMES: dict[str, Phoneme] = {
    "aa": _vowel(730, 1090, 2440, 0.14),
    "ae": _vowel(660, 1720, 2410, 0.13),
    "ah": _vowel(640, 1190, 2390, 0.09),
    "ao": _vowel(570, 840, 2410, 0.13),
    "eh": _vowel(530, 1840, 2480, 0.10),
    "er": _vowel(490, 1350, 1690, 0.12),
    "ih": _vowel(390, 1990, 2550, 0.08),
    "iy": _vowel(270, 2290, 3010, 0.12),
    "uh": _vowel(440, 1020, 2240, 0.09),
    "uw": _vowel(300, 870, 2240, 0.12),
    "ey": _vowel(440, 2100, 2600, 0.13),
    "ow": _vowel(450, 880, 2400, 0.13),
    "ay": _vowel(600, 1600, 2500, 0.15),
    "aw": _vowel(650, 1050, 2400, 0.15),
    "m": Phoneme(280, 1000, 2200, 0.45, 0, (0, 0), 0.07),
    "n": Phoneme(280, 1700, 2600, 0.45, 0, (0, 0), 0.06),
    "ng": Phoneme(280, 2000, 2600, 0.45, 0, (0, 0), 0.08),
    "l": Phoneme(360, 1200, 2700, 0.6, 0, (0, 0), 0.06),
    "r": Phoneme(420, 1200, 1600, 0.6, 0, (0, 0), 0.06),
    "w": Phoneme(300, 700, 2200, 0.6, 0, (0, 0), 0.06),
    "y": Phoneme(280, 2200, 3000, 0.6, 0, (0, 0), 0.05),
    "v": Phoneme(300, 1300, 2400, 0.35, 0.25, (1200, 6000), 0.06),
    "z": Phoneme(300, 1700, 2600, 0.3, 0.5, (3500, 7500), 0.08),
    "dh": Phoneme(300, 1400, 2500, 0.4, 0.2, (1500, 6000), 0.05),
    "s": Phoneme(400, 1700, 2600, 0, 0.75, (4000, 7600), 0.10),
    "sh": Phoneme(400, 1700, 2600, 0, 0.8, (1900, 6000), 0.10),
    "f": Phoneme(400, 1300, 2400, 0, 0.4, (1200, 7000), 0.09),
    "th": Phoneme(400, 1400, 2500, 0, 0.35, (1500, 7000), 0.08),
    "h": Phoneme(500, 1500, 2500, 0.05, 0.4, (500, 4000), 0.06),
    "p": Phoneme(400, 900, 2300, 0, 0.5, (300, 2500), 0.08),
    "t": Phoneme(400, 1700, 2600, 0, 0.7, (2500, 7000), 0.07),
    "k": Phoneme(400, 1800, 2400, 0, 0.6, (1200, 4000), 0.08),
    "b": Phoneme(300, 900, 2300, 0.3, 0.3, (200, 1500), 0.06),
    "d": Phoneme(300, 1700, 2600, 0.3, 0.4, (2000, 6000), 0.06),
    "g": Phoneme(300, 1900, 2400, 0.3, 0.35, (900, 3000), 0.06),
    "ch": Phoneme(400, 1700, 2600, 0, 0.8, (2000, 6500), 0.11),
    "jh": Phoneme(300, 1700, 2600, 0.3, 0.6, (1800, 6000), 0.09),
}
_STOPS = frozenset(["p", "t", "k", "b", "d", "g", "ch", "jh"])

LEXICON: dict[str, str] = {
    "good": "g uh d",
    "morning": "m ao r n ih ng",
    "how": "h aw",
    "can": "k ae n",
    "i": "ay",
    "help": "h eh l p",
    "you": "y uw",
    "my": "m ay",
    "order": "ao r d er",
    "is": "ih z",
    "late": "l ey t",
    "again": "ah g eh n",
    "and": "ae n d",
    "nobody": "n ow b ah d iy",
    "calls": "k ao l z",
    "me": "m iy",
    "this": "dh ih s",
    "very": "v eh r iy",
    "bad": "b ae d",
    "am": "ae m",
    "sorry": "s aa r iy",
    "about": "ah b aw t",
    "that": "dh ae t",
    "look": "l uh k",
    "at": "ae t",
    "the": "dh ah",
    "list": "l ih s t",
    "here": "h iy r",
    "please": "p l iy z",
    "deliver": "d ih l ih v er",
    "it": "ih t",
    "agle": "ah g l ey",
    "mahine": "m ah h iy n ey",
    "not": "n aa t",
    "today": "t ah d ey",
    "note": "n ow t",
    "will": "w ih l",
    "fine": "f ay n",
    "thank": "th ae ng k",
    "tea": "t iy",
    "anyone": "eh n iy w ah n",
    "there": "dh eh r",
    "next": "n eh k s t",
    "month": "m ah n th",
    "blue": "b l uw",
    "one": "w ah n",
    "show": "sh ow",
    "for": "f ao r",
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice: pitch, vocal tract scale (above one is shorter), and how fast it speaks."""

    key: str
    pitch_hz: float
    tract: float
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How something is said."""

    name: str
    pitch: float = 1.0
    level: float = 1.0
    pace: float = 1.0
    brightness: float = 1.0


MANNERS = {
    "neutral": Manner("neutral"),
    "frustrated": Manner("frustrated", pitch=1.28, level=1.5, pace=1.12, brightness=1.5),
    "hostile": Manner("hostile", pitch=1.42, level=2.1, pace=1.2, brightness=2.0),
    "friendly": Manner("friendly", pitch=1.08, level=1.0, pace=0.97),
}


@dataclass(frozen=True, slots=True)
class Word:
    """A spoken word: its samples from the start of the utterance."""

    text: str
    first: int
    end: int


def speak(
    words: Sequence[str], speaker: Speaker, manner: Manner, rate_hz: int, rng: np.random.Generator
) -> tuple[Sound, list[Word]]:
    """The utterance and its words; a word begins at its first sample and ends after its last."""
    track: list[tuple[Phoneme, float]] = []
    marks: list[tuple[str, float, float]] = []
    now = 0.0
    for text in words:
        start = now
        for name in _phonemes(text):
            phoneme = PHONEMES[name]
            seconds = phoneme.seconds / (speaker.pace * manner.pace) * (1.25 if phoneme.voiced == 1.0 else 1.0)
            if name in _STOPS and now > start:
                track.append((_SILENT, 0.03))
                now += 0.03
            track.append((phoneme, seconds))
            now += seconds
        marks.append((text, start, now))
        track.append((_SILENT, 0.045))
        now += 0.045
    count = int(now * rate_hz)
    samples = _render(track, count, speaker, manner, rate_hz, rng)
    placed = [Word(text, int(a * rate_hz), int(b * rate_hz)) for text, a, b in marks]
    quiet = np.ones(count, dtype=bool)
    for word in placed:
        quiet[word.first : word.end] = False
    samples[quiet] = 0.0
    return samples, placed


_SILENT = Phoneme(500, 1500, 2500, 0.0, 0.0, (0, 0), 0.05)


def _phonemes(text: str) -> list[str]:
    key = "".join(c for c in text.lower() if c.isalpha())
    if key not in LEXICON:
        raise UserError(f"the voice has no pronunciation for {text!r}; add it to LEXICON in voice.py")
    return LEXICON[key].split()


def _render(
    track: Sequence[tuple[Phoneme, float]],
    count: int,
    speaker: Speaker,
    manner: Manner,
    rate_hz: int,
    rng: np.random.Generator,
) -> Sound:
    ticks = int(count / rate_hz * CONTROL_HZ) + 2
    control = np.zeros((6, ticks))  # f1 f2 f3 voiced hiss band
    bands = sorted({p.hiss_hz for p, _ in track if p.hiss})
    now = 0.0
    for phoneme, seconds in track:
        a, b = round(now * CONTROL_HZ), round((now + seconds) * CONTROL_HZ)
        band = bands.index(phoneme.hiss_hz) if phoneme.hiss else 0
        control[:, a:b] = np.array([[phoneme.f1], [phoneme.f2], [phoneme.f3], [phoneme.voiced], [phoneme.hiss], [band]])
        now += seconds
    control[0:3, control[0] == 0] = 500.0
    smooth = np.hanning(9) / np.hanning(9).sum()
    for row in range(5):
        control[row] = np.convolve(np.pad(control[row], 4, mode="edge"), smooth, mode="valid")
    s = np.arange(count) / rate_hz
    grid = np.arange(ticks) / CONTROL_HZ
    fall = np.interp(s, [0, count / rate_hz], [1.08, 0.88])
    lilt = 1 + 0.04 * np.sin(2 * math.pi * 2.1 * s) + 0.008 * np.interp(s, grid, rng.normal(0, 1, ticks))
    pitch = speaker.pitch_hz * manner.pitch * fall * lilt
    out = _voiced(pitch, control, grid, s, speaker, manner, rate_hz)
    for i, hiss_hz in enumerate(bands):
        level = np.interp(s, grid, np.where(control[5].round() == i, control[4], 0.0))
        out += (
            0.09 * level * noise(count, rng, low_hz=hiss_hz[0], high_hz=min(hiss_hz[1], rate_hz / 2.1), rate_hz=rate_hz)
        )
    loud: Sound = out * manner.level
    return loud


def _voiced(
    pitch: NDArray[np.float64],
    control: NDArray[np.float64],
    grid: NDArray[np.float64],
    s: NDArray[np.float64],
    speaker: Speaker,
    manner: Manner,
    rate_hz: int,
) -> Sound:
    phase = 2 * math.pi * np.cumsum(pitch) / rate_hz
    out = np.zeros(len(s))
    slow_pitch = np.interp(grid, s, pitch)
    for k in range(1, HARMONICS + 1):
        freq = k * slow_pitch
        strength = np.zeros(len(grid))
        for formant, width, gain in ((0, 80.0, 1.0), (1, 110.0, 0.55), (2, 170.0, 0.28)):
            center = control[formant] * speaker.tract
            strength += gain / (1 + ((freq - center) / width) ** 2)
        strength *= control[3] * (freq / 250.0) ** (-0.35 / manner.brightness) * (freq < rate_hz * 0.46)
        out += np.interp(s, grid, strength) * np.cos(k * phase + 0.7 * k * k)
    voiced: Sound = 0.22 * out
    return voiced
