"""A large project against one large JSON file, the way most tools keep their labels.

Run: ``python tests/bench/bench_scale.py [--annotations 1000000] [--samples 1000000] [--folder DIR]``
Prints ratios taken in one run; absolute times mean little on a shared machine.

* first sample: a fresh process opens the project and reads one sample's annotations, against a fresh process that
  loads the JSON file and picks the same sample (standard ``json``, and ``msgspec`` as the fastest naive choice);
  resident memory of both.
* counts: whole-project counts by class and state, kept by the writer, against a GROUP BY over the rows.
* index: a collection of samples (metadata only): insert, first page, filter by state, find by key.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "store")]

from small_world import World  # noqa: E402

from workstation.core.annotation import Annotation  # noqa: E402
from workstation.core.geometry import Box, ShapeKind  # noqa: E402
from workstation.core.ids import AnnotationId, IdSource, SampleId, StreamId  # noqa: E402
from workstation.core.records import RecordKind, encode  # noqa: E402
from workstation.core.sample import Sample, SampleState, Stream, StreamKind  # noqa: E402
from workstation.core.timebase import TimeMap  # noqa: E402

PER_SAMPLE = 1000
BATCH = 50_000

CHILD_PROJECT = """
import sys, time
start = time.perf_counter(); cpu = time.process_time()
from pathlib import Path
from workstation.core.rights import Actor
from workstation.core.records import RecordKind
from workstation.store.store import Store
begun = time.perf_counter()
store = Store.open(Path(sys.argv[1]), actor=Actor(name="bench"), read_only=True)
sample = store.sample_by_key(sys.argv[2])
n = len(list(store.annotations(sample.id)))
done = time.perf_counter()
store.close()
peak_kib = next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM'))
print(n, done - begun, done - start, peak_kib / 1024)
"""

CHILD_JSON = """
import sys, time
start = time.perf_counter()
import {module}
begun = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    document = {load}
n = sum(1 for a in document["annotations"] if a["sample"] == sys.argv[2])
done = time.perf_counter()
peak_kib = next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM'))
print(n, done - begun, done - start, peak_kib / 1024)
"""


def samples_with_streams(world: World, count: int) -> list[tuple[Sample, Stream]]:
    """New samples, each with one video stream."""
    pairs = []
    for number in range(count):
        sample = Sample(id=SampleId(world.ids.new()), key=f"drive-{number:05}")
        stream = Stream(
            id=StreamId(world.ids.new()), sample=sample.id, key="front", kind=StreamKind.VIDEO, time_map=TimeMap()
        )
        pairs.append((sample, stream))
    return pairs


def annotations(pairs: list[tuple[Sample, Stream]], ids: IdSource, count: int) -> Iterator[Annotation]:
    """Boxes of one second, one a tenth of a second, sample after sample."""
    for number in range(count):
        sample, stream = pairs[number // PER_SAMPLE]
        start_ns = (number % PER_SAMPLE) * 100_000_000
        yield Annotation(
            id=AnnotationId(ids.new()), sample=sample.id, stream=stream.id, class_id="car", kind=ShapeKind.BOX,
            shape=Box(number % 1700 + 0.5, number % 900 + 0.25, 100.0, 50.0), start_ns=start_ns,
            end_ns=start_ns + 1_000_000_000, ontology_version=1,
        )  # fmt: skip


def child(code: str, *arguments: str) -> tuple[int, float, float, float]:
    """What a fresh process printed: how many, seconds, seconds with imports, megabytes."""
    command = [sys.executable, "-c", code, *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
    return int(output[0]), float(output[1]), float(output[2]), float(output[3])


def bench_first_sample(folder: Path, count: int) -> None:
    """Build both and open both."""
    world = World(folder)
    pairs = samples_with_streams(world, -(-count // PER_SAMPLE))
    with world.store.transaction("Add samples", actor=world.lead) as tx:
        tx.put_many([record for pair in pairs for record in pair])
    made = list(annotations(pairs, world.ids, count))
    begun = time.perf_counter()
    for start in range(0, count, BATCH):
        with world.store.transaction("Import boxes") as tx:
            tx.put_many(made[start : start + BATCH])
    seconds = time.perf_counter() - begun
    print(f"bulk insert with gate and history: {count:,} annotations, {count / seconds:,.0f}/s (aim 30,000/s)")
    bench_counts(world)
    path = world.store.path
    world.store.close()
    print(f"database {path.stat().st_size / 1e6:,.0f} MB")
    document = folder / "all.json"
    with document.open("wb") as file:
        file.write(b'{"annotations":[')
        for number, record in enumerate(made):
            file.write((b"," if number else b"") + encode(record))
        file.write(b"]}")
    print(f"JSON file {document.stat().st_size / 1e6:,.0f} MB")
    sample = pairs[len(pairs) // 2][0]
    ours = [child(CHILD_PROJECT, str(path), sample.key) for _ in range(5)]
    best = min(ours, key=lambda row: row[1])
    print(f"project: first sample ({best[0]} annotations) {best[1] * 1000:.1f} ms, {best[3]:.0f} MB resident")
    for module, load in (("json", "json.load(file)"), ("msgspec", "msgspec.json.decode(file.read())")):
        theirs = min(
            (child(CHILD_JSON.format(module=module, load=load), str(document), sample.id) for _ in range(2)),
            key=lambda row: row[1],
        )
        print(
            f"one JSON file with {module}: {theirs[1] * 1000:,.0f} ms, {theirs[3]:,.0f} MB;"
            f" ratio {theirs[1] / best[1]:.0f} x (aim 50 x), with imports {theirs[2] / best[2]:.0f} x"
        )


def bench_counts(world: World) -> None:
    """Counts by class and state of the whole project."""
    begun = time.perf_counter()
    for _ in range(100):
        kept = world.store.counts(kind=RecordKind.ANNOTATION)
    kept_s = (time.perf_counter() - begun) / 100
    connection = world.store._db
    begun = time.perf_counter()
    scanned = connection.execute("SELECT class_id, state, layer, count(*) FROM annotation GROUP BY 1, 2, 3").fetchall()
    scan_s = time.perf_counter() - begun
    assert sum(row.n for row in kept) == sum(row[3] for row in scanned)
    ratio = f"{scan_s / kept_s:,.0f} x"
    print(f"counts by class and state: {kept_s * 1e6:.0f} µs kept, {scan_s * 1000:.0f} ms scanned: {ratio}")


def bench_index(folder: Path, count: int) -> None:
    """A large collection, metadata only."""
    world = World(folder)
    begun = time.perf_counter()
    states = list(SampleState)
    for start in range(0, count, BATCH):
        batch = (
            Sample(id=SampleId(world.ids.new()), key=f"item-{number:08}", state=states[number % 1000 % len(states)])
            for number in range(start, min(start + BATCH, count))
        )
        with world.store.transaction("Index samples", actor=world.lead) as tx:
            tx.put_many(batch)
    seconds = time.perf_counter() - begun
    world.reopen()
    timings = []
    for name, ask in (
        ("first page", lambda: list(world.store.samples(limit=100))),
        ("filter by state", lambda: list(world.store.samples(state=SampleState.RETURNED, limit=100))),
        ("page after the middle", lambda: list(world.store.samples(after_key=f"item-{count // 2:08}", limit=100))),
        ("find by key", lambda: world.store.sample_by_key(f"item-{count - 1:08}")),
        ("counts by state", lambda: world.store.counts(kind=RecordKind.SAMPLE)),
    ):
        best = 1e9
        for _ in range(20):
            begun = time.perf_counter()
            found = ask()
            best = min(best, time.perf_counter() - begun)
        assert found
        timings.append(f"{name} {best * 1000:.2f} ms")
    print(f"index of {count:,} samples: insert {count / seconds:,.0f}/s; " + ", ".join(timings))
    world.store.close()


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotations", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        for part, bench, count in (("a", bench_first_sample, given.annotations), ("b", bench_index, given.samples)):
            folder = Path(name) / part
            folder.mkdir()
            bench(folder, count)


if __name__ == "__main__":
    main()
