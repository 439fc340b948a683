"""Whether anything grows: open and close 500 samples of every kind of stream, then scrub over twelve cameras.

    python tests/bench/bench_memory.py [--minutes 10] [--samples 500] [--cameras 12] [--limit-mib 256] [--keep]

Run from the repository's root, on Linux. Prints what the process holds as it goes; goal: the byte limit of the shared
cache holds at every look, threads and open files return to what they were, and resident memory levels off: its slope
after a third of the time, by least squares over half minutes, holds zero within its 95 % interval. Freed memory is
given back as the window does it (``app/freed_memory.py``); ``--keep`` leaves that out. No part of pass or fail.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "media")]

import numpy as np  # noqa: E402
from films import Film, make_film  # noqa: E402
from scipy import stats  # noqa: E402
from wear import cameras, held_now, make_sample, open_and_close, scrub  # noqa: E402

from workstation.app.freed_memory import FreedMemory, resident_bytes  # noqa: E402
from workstation.media.base import OpenContext, View  # noqa: E402
from workstation.media.cache import DiskCache, MemoryCache  # noqa: E402
from workstation.media.probe import built_in_readers  # noqa: E402
from workstation.media.proxy import ProxyFolder  # noqa: E402

MIB = 1 << 20
BLOCK_S = 30.0


class Resident:
    """What is resident over time, looked at as often as the window's timer does; freed memory is given back."""

    def __init__(self, *, keep: bool) -> None:
        self._freed = None if keep else FreedMemory()
        self._begun = self._next = time.monotonic()
        self._seen: list[tuple[float, float]] = []

    def look(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + 1.0
            self._seen.append((now - self._begun, resident_bytes() / MIB))
            if self._freed is not None:
                self._freed.look()

    def pause(self) -> None:
        """As after the last sample, when nobody touches anything."""
        if self._freed is not None:
            self._freed.begin()
            self._freed.wait()

    def slope(self, unit: str, per: float) -> str:
        """By least squares over the means of half minutes, from a third of the time on, with its 95 % interval."""
        at, level = np.array(self._seen).T
        after = at >= at[-1] / 3
        blocks = (at[after] // min(BLOCK_S, at[-1] / 30)).astype(int)
        times = np.array([at[after][blocks == number].mean() for number in np.unique(blocks)])
        means = np.array([level[after][blocks == number].mean() for number in np.unique(blocks)])
        fit = stats.linregress(times * per, means)
        half = float(stats.t.ppf(0.975, len(times) - 2)) * fit.stderr
        return (
            f"resident after a third of the time: {means.mean():.0f} MiB ({level[after].min():.0f} to"
            f" {level[after].max():.0f}), slope {fit.slope:+.2f} ± {half:.2f} MiB a {unit} (95 %, {len(times)} means)"
        )


def samples(folder: Path, count: int, *, keep: bool) -> None:
    """Open, look, close; what is held after every tenth part."""
    files = make_sample(folder / "media")
    memory = MemoryCache(64 * MIB)
    context = OpenContext(memory=memory, disk=DiskCache(folder / "cache"))
    readers = built_in_readers()
    print(f"open and close {count} samples of {len(files)} streams: {', '.join(files)}")
    print(f"  at the start        {held_now()}")
    start = time.monotonic()
    resident = Resident(keep=keep)
    for number in range(1, count + 1):
        open_and_close(files, readers, context)
        resident.look()
        if number % max(1, count // 10) == 0 or number == 1:
            print(f"  after {number:4} samples  {held_now()}; cache {memory.used_bytes} bytes")
    each_s = (time.monotonic() - start) / count
    print(f"  {each_s * 1e3:.0f} ms a sample; {resident.slope('hundred samples', 1 / each_s / 100)}")


def twelve_cameras(folder: Path, count: int, minutes: float, limit_bytes: int, *, keep: bool) -> None:
    """Films of 720p with groups of 100 frames, scrubbed together; what is held ten times on the way."""
    films = [
        Film(
            name=f"camera_{number}.mp4",
            codec="libx264",
            options={"preset": "ultrafast", "crf": "30"},
            gop=100,
            frames=300,
            size=(1280, 720),
        )
        for number in range(2)
    ]
    paths = [make_film(films[number % 2], folder) for number in range(count)]
    memory = MemoryCache(limit_bytes)
    context = OpenContext(memory=memory, disk=DiskCache(folder / "cache"))
    fullest = looks = 0
    resident = Resident(keep=keep)

    def look() -> None:
        nonlocal fullest, looks
        fullest, looks = max(fullest, memory.used_bytes), looks + 1
        resident.look()

    proxies = ProxyFolder(folder / "proxies", 256 * MIB)
    print(f"scrub over {count} cameras (720p) for {minutes:g} minutes, cache limit {limit_bytes / MIB:.0f} MiB")
    print(f"  at the start        {held_now()}")
    with cameras(paths, context, proxies) as opened:
        for part in range(10):
            asked = scrub(opened, minutes * 6, view=View(width_px=640, height_px=360), look=look, seed=part)
            print(
                f"  after {minutes * (part + 1) / 10:4.1f} min      {held_now()};"
                f" cache {memory.used_bytes / MIB:.1f} MiB; {asked} requests"
            )
    print(f"  all closed          {held_now()}; cache {memory.used_bytes} bytes")
    resident.pause()
    print(f"  after a pause       {held_now()}")
    print(f"  {resident.slope('minute', 1 / 60)}")
    print(f"  fullest {fullest / MIB:.1f} of {limit_bytes / MIB:.0f} MiB in {looks} looks")
    size = sum(path.stat().st_size for path in (folder / "proxies").rglob("*") if path.is_file())
    print(f"  previews on disk {size / MIB:.1f} of 256 MiB")


def main() -> None:
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--cameras", type=int, default=12)
    parser.add_argument("--limit-mib", type=int, default=256)
    parser.add_argument("--keep", action="store_true", help="give nothing back")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="workstation-memory-") as folder:
        if arguments.samples:
            samples(Path(folder), arguments.samples, keep=arguments.keep)
        if arguments.minutes:
            limit = arguments.limit_mib * MIB
            twelve_cameras(Path(folder), arguments.cameras, arguments.minutes, limit, keep=arguments.keep)


if __name__ == "__main__":
    main()
