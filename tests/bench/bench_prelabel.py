"""Goal I1: what a pipeline of pre-labelling makes of the machine; its memory and cost per item over 10,000 frames.

    python tests/bench/bench_prelabel.py [--film FILE] [--model FOLDER] [--frames 200] [--many 10000]

Run from the repository's root. Ratios of one run; no part of pass or fail. Without --model a tiny graph stands in, and
the line says so. The limit is cores ÷ (model + decode + preparation + reading of answers, CPU seconds of one frame).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from tests.tiny_graphs import bright_box  # noqa: E402
from workstation.app.label_pictures import FamilyWork  # noqa: E402
from workstation.app.model_trial import plain_pixels  # noqa: E402
from workstation.app.models import models_shelf  # noqa: E402
from workstation.media.base import OpenContext  # noqa: E402
from workstation.media.cache import MemoryCache  # noqa: E402
from workstation.media.video import open_video  # noqa: E402
from workstation.prelabel.api import Arrays, Prepared  # noqa: E402
from workstation.prelabel.families import family_named  # noqa: E402
from workstation.prelabel.pipeline import Pipeline  # noqa: E402
from workstation.prelabel.worker import Worker  # noqa: E402


class Means:
    """A stand-in's work: what is bright in small pictures."""

    def prepare(self, pieces: Any) -> Prepared:
        return Prepared({"x": np.stack([each[::8, ::8].transpose(2, 0, 1) for each in pieces]) / np.float32(255)}, None)

    def decode(self, outputs: Arrays, prepared: Prepared) -> list[float]:
        return [float(each.max()) for each in outputs["columns"]]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def cpu_of(pid: int) -> float:
    """CPU seconds of a process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def parts(film: Path, work: Any, model: Path, frames: int) -> dict[str, float]:
    """CPU seconds a frame of each stage, alone."""
    with_reader = open_video([film], {}, OpenContext(memory=MemoryCache(64 << 20)))
    count = min(frames, len(with_reader.table), 40)
    begin = time.process_time()
    pictures = [plain_pixels(with_reader.picture(at)) for at in range(count)]
    spent = {"decode": (time.process_time() - begin) / count}
    with_reader.close()
    begin = time.process_time()
    batches = [work.prepare([each]) for each in pictures]
    spent["prepare"] = (time.process_time() - begin) / count
    with Worker(model) as worker:
        assert worker.pid is not None
        worker.run(batches[0].feeds)
        begin, started = cpu_of(worker.pid), time.perf_counter()
        answers = [worker.run(each.feeds) for each in batches]
        spent["model"] = (cpu_of(worker.pid) - begin) / count
        spent["model, wall"] = (time.perf_counter() - started) / count
    begin = time.process_time()
    for answer, batch in zip(answers, batches, strict=True):
        work.decode(answer, batch)
    spent["read answers"] = (time.process_time() - begin) / count
    return spent


def through(film: Path, work: Any, model: Path, frames: int, batch: int, cores: int) -> tuple[float, float]:
    """Frames a second of the whole, and the longest the main thread could not run, ms."""
    reader = open_video([film], {}, OpenContext(memory=MemoryCache(64 << 20)))
    count = min(frames, len(reader.table))

    def pieces() -> Iterator[tuple[int, Any]]:
        for at in range(count):
            yield at, plain_pixels(reader.picture(at))

    began: list[float] = []

    def job() -> None:
        with Pipeline(work, [partial(Worker, model, threads=cores)], batch=batch) as pipeline:
            began.extend(time.perf_counter() for _ in pipeline.run(pieces()))

    thread = threading.Thread(target=job)
    thread.start()
    worst, last = 0.0, time.perf_counter()
    while thread.is_alive():
        time.sleep(0.002)
        now = time.perf_counter()
        worst, last = max(worst, now - last - 0.002), now
    reader.close()
    first = min(10, count // 2)
    return (count - 1 - first) / (began[-1] - began[first]), worst * 1000


def many(folder: Path, count: int) -> None:
    """Memory and cost per item over a long job."""
    model = folder / "tiny.onnx"
    model.write_bytes(bright_box())
    picture = np.zeros((240, 320, 3), np.uint8)
    marks: list[tuple[float, float]] = []
    with Pipeline(Means(), [partial(Worker, model)], batch=8) as pipeline:
        for at, _ in enumerate(pipeline.run((i, picture.copy()) for i in range(count))):
            if at % (count // 10) == 0:
                marks.append((time.process_time(), resident_mb()))
    marks.append((time.process_time(), resident_mb()))
    early, late = marks[2][0] - marks[1][0], marks[-1][0] - marks[-2][0]
    say(f"{count:,} frames: memory {marks[1][1]:.0f} MB after a tenth, {marks[-1][1]:.0f} MB at the end")
    say(f"CPU per item here, last tenth ÷ second tenth: {late / early:.2f} (goal: does not grow)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    films = sorted((ROOT / "resources" / "demo").rglob("*.mp4"))
    parser.add_argument("--film", type=Path, default=films[0] if films else None)
    parser.add_argument("--model", help="a model of the models folder; a tiny graph if left out")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--many", type=int, default=10_000)
    given = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work: Any = Means()
        model, batch = folder / "model.onnx", 8
        model.write_bytes(bright_box())
        if given.model:
            found = models_shelf().find(given.model)
            model, batch = found.file(), found.manifest.runtime.batch
            work = FamilyWork(family_named(found.manifest.family), found.manifest.card)
        else:
            say("no --model: a tiny graph stands in, so the figures say nothing of a real model")
        spent = parts(given.film, work, model, given.frames)
        say("one frame, ms of CPU: " + ", ".join(f"{key} {value * 1000:.1f}" for key, value in spent.items()))
        total = sum(value for key, value in spent.items() if key != "model, wall")
        limit = cores / total
        rate, stall = through(given.film, work, model, given.frames, batch, cores)
        share = 100 * rate / limit
        say(f"pipeline {rate:.1f} frames/s; limit {limit:.1f} ({cores} cores): {share:.0f} % (goal I1: 90 %)")
        alone = 1 / spent["model, wall"]
        say(f"the model alone, one thread: {alone:.1f} frames/s; load by everybody meanwhile {os.getloadavg()[0]:.1f}")
        say(f"longest the main thread waited: {stall:.0f} ms (aim: 30 ms)")
        many(folder, given.many)


if __name__ == "__main__":
    main()
