"""How long the window's thread waits for Python's lock while pictures and sound are read beside busy programs.

    python tests/bench/bench_neighbours.py [--neighbours 2] [--rounds 3] [--seconds 3]

Each round twice: with the background threads sharing the cores alike, as they do, and with less right to a core than
others (what ``nice`` does), as they once had: they were put aside while they held the lock, and the window with them.
A *turn* stands for a paint: some Python that gives the lock away a hundred times, as Qt does. Linux. No part of pass or
fail.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from workstation.app.background import Background  # noqa: E402
from workstation.media.base import CancelToken, OpenContext, Picture, View  # noqa: E402
from workstation.media.cache import DiskCache, MemoryCache  # noqa: E402
from workstation.media.probe import built_in_readers, open_stream  # noqa: E402
from workstation.synth.writers import VideoWriter  # noqa: E402

SWITCH_S = 0.0005  # as the window has it
FRAMES, RATE_HZ, SOUND_S = 600, 48_000, 600


def media(folder: Path) -> tuple[Path, Path]:
    film, sound = folder / "film.mp4", folder / "sound.wav"
    noise = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    with VideoWriter(film, width=1280, height=720, rate=30, group=120) as video:
        for number in range(FRAMES):
            video.write(np.ascontiguousarray(np.roll(noise, 4 * number, axis=1)))
    with wave.open(str(sound), "wb") as out:
        out.setparams((2, 2, RATE_HZ, 0, "NONE", ""))
        second = np.random.default_rng(1).integers(-9000, 9000, 2 * RATE_HZ, np.int16).tobytes()
        for _ in range(SOUND_S):
            out.writeframes(second)
    return film, sound


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Programs that never rest."""
    with ExitStack() as stack:
        for _ in range(count):
            busy = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(busy.kill)
        yield


def turns(seconds: float) -> list[float]:
    """Milliseconds that turns of the window's thread take, one every 16 ms."""
    took, end = list[float](), time.perf_counter() + seconds
    while time.perf_counter() < end:
        begun = time.perf_counter()
        for _ in range(100):
            sum(range(2000))
            os.fstat(0)  # the lock is given away and taken back, the core is not
        took.append((time.perf_counter() - begun) * 1e3)
        time.sleep(max(0.0, 0.016 - took[-1] / 1e3))
    return took


def beside_background(film: Path, sound: Path, seconds: float, *, easy: bool) -> list[float]:
    """Turns while one thread makes thumbnails and one reads sound, of lower priority or not."""
    easy_threads = set[int]()

    def begun() -> None:
        thread = threading.get_native_id()
        if easy and thread not in easy_threads:
            easy_threads.add(thread)
            os.setpriority(os.PRIO_PROCESS, thread, 10)

    with tempfile.TemporaryDirectory() as kept:
        context = OpenContext(memory=MemoryCache(1 << 22), disk=DiskCache(Path(kept)))
        readers = built_in_readers()
        video: Any = open_stream([film], readers, options={}, context=context)
        audio: Any = open_stream([sound], readers, options={}, context=context)

        def thumbnail(frame: int, cancel: CancelToken) -> Picture:
            begun()
            picture: Picture = video.picture(frame, View(height_px=60), cancel=cancel)
            return picture

        def peaks(second: int, cancel: CancelToken) -> int:
            begun()
            cancel.check()
            samples = audio.read(second * RATE_HZ, (second + 1) * RATE_HZ)
            return int(samples.max())

        films = Background("pictures", thumbnail, lambda key, value: None)
        sounds = Background("sound", peaks, lambda key, value: None)
        films.want(range(0, FRAMES, 4))
        sounds.want(range(SOUND_S))
        took = turns(seconds)
        for each in (films, sounds):
            each.close()
        video.close()
        audio.close()
    return took


def line(name: str, values: Sequence[float]) -> str:
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 0.99)]
    return (
        f"  {name:28} median {at[0]:6.1f}  p95 {at[1]:6.1f}  p99 {at[2]:6.1f}  longest {ordered[-1]:6.1f} ms"
        f"  n {len(ordered)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neighbours", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)
    with tempfile.TemporaryDirectory() as folder:
        film, sound = media(Path(folder))
        print(f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()}")
        print(line("alone", turns(given.seconds)))
        with neighbours(given.neighbours):
            print(line(f"{given.neighbours} neighbours", turns(given.seconds)))
            for _ in range(given.rounds):
                print(line("and background, alike", beside_background(film, sound, given.seconds, easy=False)))
                print(line("and background, lower", beside_background(film, sound, given.seconds, easy=True)))


if __name__ == "__main__":
    main()
