"""Whether anything grows: open and close 500 samples of every kind of stream, then scrub over twelve cameras.

    python tests/bench/bench_memory.py [--minutes 10] [--samples 500] [--cameras 12] [--limit-mib 256]

Run from the repository's root, on Linux. Prints what the process holds as it goes; goal: the byte limit of the shared
cache holds at every look, threads and open files return to what they were, and resident memory levels off. No part of
pass or fail.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "media")]

from films import Film, make_film  # noqa: E402
from wear import cameras, held_now, make_sample, open_and_close, scrub  # noqa: E402

from workstation.media.base import OpenContext, View  # noqa: E402
from workstation.media.cache import DiskCache, MemoryCache  # noqa: E402
from workstation.media.probe import built_in_readers  # noqa: E402
from workstation.media.proxy import ProxyFolder  # noqa: E402

MIB = 1 << 20


def samples(folder: Path, count: int) -> None:
    """Open, look, close; what is held after every tenth part."""
    files = make_sample(folder / "media")
    memory = MemoryCache(64 * MIB)
    context = OpenContext(memory=memory, disk=DiskCache(folder / "cache"))
    readers = built_in_readers()
    print(f"open and close {count} samples of {len(files)} streams: {', '.join(files)}")
    print(f"  at the start        {held_now()}")
    start = time.monotonic()
    for number in range(1, count + 1):
        open_and_close(files, readers, context)
        if number % max(1, count // 10) == 0 or number == 1:
            print(f"  after {number:4} samples  {held_now()}; cache {memory.used_bytes} bytes")
    print(f"  {(time.monotonic() - start) / count * 1e3:.0f} ms a sample")


def twelve_cameras(folder: Path, count: int, minutes: float, limit_bytes: int) -> None:
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

    def look() -> None:
        nonlocal fullest, looks
        fullest, looks = max(fullest, memory.used_bytes), looks + 1

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
    # What the C library keeps of freed memory is not held by anything: with this it goes back to the system.
    ctypes.CDLL(None).malloc_trim(0)
    print(f"  given back          {held_now()}")
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
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="workstation-memory-") as folder:
        if arguments.samples:
            samples(Path(folder), arguments.samples)
        if arguments.minutes:
            twelve_cameras(Path(folder), arguments.cameras, arguments.minutes, arguments.limit_mib * MIB)


if __name__ == "__main__":
    main()
