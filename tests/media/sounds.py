"""Sound files with a known signal, made by writers that share no code with the readers: stdlib ``wave`` and FFmpeg."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray


def impulses(rate: int, seconds: float = 5.0, channels: int = 2) -> tuple[NDArray[np.float32], list[int]]:
    """Silence with single loud samples, and their positions; the length is no multiple of any codec's frame."""
    n = int(rate * seconds) + 317
    positions = [rate // 2 + 7, rate * 2 + 501, n - 2000]
    signal = np.zeros((n, channels), np.float32)
    signal[positions] = 0.9
    return signal, positions


def peak_near(samples: NDArray[np.float32], position: int, *, within: int = 1500) -> int:
    """Where the loudest sample of the first channel lies, around a position."""
    start = max(0, position - within)
    return start + int(np.argmax(np.abs(samples[start : position + within, 0])))


def write_wav(path: Path, samples: NDArray[np.int16], rate: int) -> None:
    """(n, channels) int16."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())


def encode(
    path: Path,
    codec: str,
    signal: NDArray[np.float32],
    rate: int,
    *,
    start: int = 0,
    without: range = range(0),
    video: bool = False,
    tracks: int = 1,
) -> None:
    """Through FFmpeg. ``start`` delays the first sample, ``without`` leaves out packets, ``tracks`` get quieter."""
    layout = "stereo" if signal.shape[1] == 2 else "mono"
    with av.open(str(path), "w") as container:
        picture: Any = container.add_stream("mpeg4", rate=25) if video else None
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        streams: list[Any] = []
        for _ in range(tracks):
            stream: Any = container.add_stream(codec, rate=rate)
            stream.layout = layout
            if not codec.startswith(("pcm", "flac", "alac")):
                stream.bit_rate = 256_000
            streams.append(stream)
        if picture is not None:
            for number in range(10):
                frame = av.VideoFrame(64, 64, "yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        for number, stream in enumerate(streams):
            values = np.ascontiguousarray(signal.T / 2**number)
            sound = av.AudioFrame.from_ndarray(values, format="fltp", layout=layout)
            sound.sample_rate, sound.pts, sound.time_base = rate, start, Fraction(1, rate)
            packets = [*stream.encode(sound), *stream.encode(None)]
            container.mux([packet for i, packet in enumerate(packets) if i not in without])
