"""A folder of many files: proposing, adding and listing it. Is the cost per file the same for 1,000 and for 10,000?

    python tests/bench/bench_folder.py [--files 10000]

Run from the repository's root. Obvious: walking the folder and reading each file once, which is the least anybody
can do who records a hash. Goal: linear (the cost per file grows by less than a half), within 20 times the walk.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from workstation.app.opening import new_project, open_project  # noqa: E402
from workstation.app.proposing import proposed, write_proposal  # noqa: E402
from workstation.app.reading import Formats  # noqa: E402


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def pairs(folder: Path, files: int) -> None:
    """Pictures with a caption each, as vision-language data come: every two files are a sample."""
    from PIL import Image

    picture = folder / "p.png"
    folder.mkdir(parents=True)
    Image.new("L", (16, 16), 90).save(picture)
    content = picture.read_bytes()
    picture.unlink()
    for name in ("images", "captions"):
        (folder / name).mkdir()
    for i in range(files // 2):
        (folder / "images" / f"{i:06}.png").write_bytes(content + str(i).encode())
        (folder / "captions" / f"{i:06}.txt").write_text(f"Picture number {i}.\n")


def sequence(folder: Path, files: int) -> None:
    """One stream of that many pictures with time stamps in their names."""
    from PIL import Image

    folder.mkdir(parents=True)
    picture = folder / "p.png"
    Image.new("L", (16, 16), 90).save(picture)
    content = picture.read_bytes()
    picture.unlink()
    for i in range(files):
        (folder / f"{1_700_000_000_000_000 + i * 33_333}.png").write_bytes(content)


def walked(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        for name in names:
            hashlib.sha256((Path(place) / name).read_bytes()).hexdigest()


def timed(work: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def measure(make: Callable[[Path, int], None], files: int, scratch: Path) -> tuple[float, ...]:
    """Seconds of the walk, the proposal, writing it, and opening the project again to list its streams."""
    folder = scratch / f"{make.__name__}_{files}"
    make(folder, files)
    walk, _ = timed(lambda: walked(folder))
    formats = Formats()
    _ = formats.readers
    look, proposal = timed(lambda: proposed(folder, formats))
    project = scratch / f"{folder.name}_project"
    new_project(project, person="Ada")
    with open_project(project, person="Ada", kind="person") as session:
        write, _ = timed(lambda: write_proposal(session, proposal))  # type: ignore[arg-type]
    with open_project(project, person="Ada", kind="person") as session:
        listed, count = timed(lambda: sum(1 for s in session.store.samples() for _ in session.store.streams(s.id)))
    say(
        f"{make.__name__:9}{files:7,} files: walk {walk:6.2f} s, propose {look:6.2f} s ({look / walk:5.1f} x), "
        f"write {write:6.2f} s ({write / walk:5.1f} x), list {count} streams {listed * 1000:.0f} ms"
    )
    return walk, look, write, listed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=10_000)
    files = options.parse_args().files
    with tempfile.TemporaryDirectory() as name:
        for make in (pairs, sequence):
            small = measure(make, files // 10, Path(name))
            large = measure(make, files, Path(name))
            grown = [b / a / 10 for a, b in zip(small, large, strict=True)]
            say(f"  per file, ten times as many cost: propose {grown[1]:.2f} x, write {grown[2]:.2f} x (goal: < 1.5 x)")


if __name__ == "__main__":
    main()
