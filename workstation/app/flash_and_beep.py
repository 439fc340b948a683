"""A film that flashes and a sound that beeps at the same instants, for measuring playing (``playback_bench.py``)."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workstation.core.timebase import SECOND_NS
from workstation.media.base import OpenContext, VideoReader

BEEP_RATE_HZ = 48000
_FRAMES_A_SECOND = 30
_EVERY_FRAMES = 15
_FLASH_FRAMES = 3
_BEEP_S = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashAndBeep:
    """Files, and the stream times at which both begin."""

    sound: Path
    film: Path | None
    times_ns: tuple[int, ...]
    duration_ns: int


def make_flash_and_beep(folder: Path, *, beeps: int, film: bool) -> FlashAndBeep:
    """Write them into ``folder``: a beep every half second, each beginning on the first sample of a frame."""
    frames = [_EVERY_FRAMES * (number + 1) for number in range(beeps)]
    count = _EVERY_FRAMES * (beeps + 2)
    sound = folder / "beep.wav"
    samples = np.zeros(count * BEEP_RATE_HZ // _FRAMES_A_SECOND, np.int16)
    # A cosine: the first sample is the loudest, so that where a beep begins is no matter of opinion.
    beep = np.rint(16000 * np.cos(2 * np.pi * 1000 * np.arange(round(_BEEP_S * BEEP_RATE_HZ)) / BEEP_RATE_HZ))
    for frame in frames:
        start = frame * BEEP_RATE_HZ // _FRAMES_A_SECOND
        samples[start : start + len(beep)] = beep.astype(np.int16)
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(BEEP_RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())
    return FlashAndBeep(
        sound=sound,
        film=_film(folder / "flash.mp4", frames, count) if film else None,
        times_ns=tuple(frame * SECOND_NS // _FRAMES_A_SECOND for frame in frames),
        duration_ns=count * SECOND_NS // _FRAMES_A_SECOND,
    )


def open_film(path: Path) -> VideoReader:
    """The film as the cameras read it; close it."""
    from workstation.media.video import open_video

    return open_video([path], {}, OpenContext())


def _film(path: Path, flashes: list[int], count: int) -> Path:
    from workstation.synth.writers import VideoWriter

    white = {frame + number for frame in flashes for number in range(_FLASH_FRAMES)}
    with VideoWriter(path, width=320, height=240, rate=_FRAMES_A_SECOND) as writer:
        for number in range(count):
            writer.write(np.full((240, 320, 3), 255 if number in white else 0, np.uint8))
    return path
