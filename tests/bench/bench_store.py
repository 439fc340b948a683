"""How fast the store is on this disk, each figure beside what it is measured against. No part of pass or fail.

``PYTHONPATH=.:tests/store python tests/bench/bench_store.py [number of annotations] [folder]``; a million takes some
minutes.
"""

from __future__ import annotations

import json
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from small_world import World

from workstation.core.annotation import Annotation
from workstation.core.geometry import Box
from workstation.core.ids import AnnotationId, IdSource, SampleId
from workstation.core.records import RecordKind, encode
from workstation.core.sample import Sample, SampleState
from workstation.store.store import Store

_STEP_NS = 68_493_150  # a million of them fill 19 hours, 146 starting in ten seconds


def say(text: str) -> None:
    """One line of the report."""
    sys.stdout.write(text + "\n")


def spread(times_s: list[float]) -> str:
    """Median and 95th percentile in milliseconds."""
    times = sorted(times_s)
    return f"{times[len(times) // 2] * 1e3:8.3f} ms median {times[int(len(times) * 0.95)] * 1e3:8.3f} ms p95"


def timed(work: Callable[[int], object], count: int) -> list[float]:
    """How long each call took."""
    times = []
    for i in range(count):
        start = time.perf_counter()
        work(i)
        times.append(time.perf_counter() - start)
    return times


def p95(times: list[float]) -> float:
    """The 95th percentile."""
    return sorted(times)[int(len(times) * 0.95)]


def annotations(world: World, count: int) -> Iterator[Annotation]:
    """Boxes of two seconds, every tenth of a minute and more, on one stream."""
    ids = IdSource()
    for i in range(count):
        start = i * _STEP_NS
        length = 2_000_000_000 if i % 10 else 90_000_000_000
        yield world.box(float(i % 1900), id=AnnotationId(ids.new()), start_ns=start, end_ns=start + length)


def bulk(world: World, count: int) -> None:
    """Full gate and history against the bare insert of the same bytes."""
    records = list(annotations(world, min(count, 100_000)))
    with sqlite3.connect(world.path / "bare.db", isolation_level=None) as bare:
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("CREATE TABLE t(id BLOB PRIMARY KEY, s BLOB, a INTEGER, b INTEGER, p BLOB) WITHOUT ROWID")
        bare.execute("CREATE INDEX i ON t(s, a)")
        start = time.perf_counter()
        bare.execute("BEGIN")
        rows = ((r.id.encode(), r.stream, r.start_ns, r.end_ns, encode(r)) for r in records)
        bare.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
        bare.execute("COMMIT")
        bare_rate = len(records) / (time.perf_counter() - start)
    bare.close()
    made = annotations(world, count)
    writing = 0.0
    start = time.perf_counter()
    for _ in range(0, count, 100_000):
        part = [record for record, _ in zip(made, range(100_000), strict=False)]
        start = time.perf_counter()
        with world.store.transaction("Import") as tx:
            tx.put_many(part)
        writing += time.perf_counter() - start
    rate = count / writing
    say(f"bulk insert, gate and history    {rate:10,.0f} records/s   bare {bare_rate:,.0f}/s   (aim 30,000)")


def edits(world: World) -> None:
    """One durable edit against the bare durable commit of the same disk, taken in turns."""
    with sqlite3.connect(world.path / "commit.db", isolation_level=None) as bare:
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = FULL")
        bare.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, p BLOB)")
        payload = encode(world.box())
        boxes = [world.box() for _ in range(10)]
        world.put(*boxes)

        def edit(i: int) -> None:
            with world.store.transaction("Move") as tx:
                tx.put(msgspec.structs.replace(boxes[i % 10], shape=Box(float(i), 1, 5, 5)))

        bare_times, edit_times = [], []
        for i in range(500):
            bare_times += timed(lambda _: bare.execute("INSERT INTO t(p) VALUES (?)", (payload,)), 1)
            edit_times += timed(lambda _, i=i: edit(i), 1)  # type: ignore[misc]
    bare.close()
    ratio = p95(edit_times) / p95(bare_times)
    say(f"one durable edit                 {spread(edit_times)}   (aim 1.5 ms p95)")
    say(f"bare durable commit              {spread(bare_times)}   edit / bare {ratio:.2f} (aim 2)")


def windows(world: World, count: int) -> None:
    """Ten seconds out of all intervals, against the plain question to the same table."""
    last = count * _STEP_NS
    starts = [(i * 7919 * 10**9) % last for i in range(300)]
    found = [len(world.store.annotations_between(world.camera, s, s + 10**10)) for s in starts[:20]]
    spans = timed(lambda i: world.store.spans_between(world.camera, starts[i], starts[i] + 10**10), 300)
    whole = timed(lambda i: world.store.annotations_between(world.camera, starts[i], starts[i] + 10**10), 300)
    key = world.store._db.execute("SELECT id FROM stream WHERE key = 'camera'").fetchone()[0]
    plain = timed(
        lambda i: world.store._db.execute(
            "SELECT id FROM annotation WHERE ifnull(stream, sample) = ? AND start_ns < ? AND end_ns > ?",
            (key, starts[i] + 10**10, starts[i]),
        ).fetchall(),
        10,
    )
    say(f"10 s window as columns           {spread(spans)}   (aim 1.5 ms p95; {sum(found) // 20} intervals in it)")
    say(f"10 s window as records           {spread(whole)}")
    say(f"10 s window, plain SQL           {spread(plain)}")


def undo(world: World) -> None:
    """A step of ten thousand records, back and forth."""
    ids = IdSource()
    with world.store.transaction("Many") as tx:
        tx.put_many([world.box(id=AnnotationId(ids.new())) for _ in range(10_000)])
    back = timed(lambda _: world.store.undo(), 1)[0]
    forth = timed(lambda _: world.store.redo(), 1)[0]
    say(f"undo of 10,000 records           {back:8.3f} s   redo {forth:.3f} s   (aim 1 s)")


def opening(world: World) -> None:
    """From nothing to the first sample in a fresh process, against loading one JSON file."""
    code = (
        "import sys, time, resource; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from workstation.core.rights import Actor; from workstation.store.store import Store\n"
        "a = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; t = time.perf_counter()\n"
        "s = Store.open(Path(sys.argv[2]), actor=Actor(name='bench')); x = s.sample_by_key('drive')\n"
        "n = s.spans_between(s.streams(x.id)[0].id, 0, 10**10); print(time.perf_counter() - t,"
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - a); s.close()"
    )
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", code, root, str(world.path)]
    seconds, kib = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    file = world.path / "all.json"
    with file.open("wb") as out:
        out.write(b"[" + b",".join(encode(r) for r in world.store.annotations(world.sample)) + b"]")
    start = time.perf_counter()
    with file.open(encoding="utf-8") as whole:
        json.load(whole)
    loaded = time.perf_counter() - start
    say(
        f"open to the first sample         {float(seconds) * 1e3:8.1f} ms, {int(kib) / 1024:.1f} MiB more   "
        f"one JSON file {loaded:.2f} s   ratio {loaded / float(seconds):.0f} (aim 50)"
    )


def counts(world: World) -> None:
    """By class and state, kept against counted."""
    kept = timed(lambda _: world.store.counts(), 20)
    sql = "SELECT class_id, state, count(*) FROM annotation GROUP BY 1, 2"
    scanned = timed(lambda _: world.store._db.execute(sql).fetchall(), 1)
    say(f"counts by class and state        {spread(kept)}   counted {scanned[0] * 1e3:.0f} ms")


def samples(world: World, count: int) -> None:
    """A large collection: adding, and a page of a filtered list."""
    ids = IdSource()
    states = (SampleState.NEW, SampleState.APPROVED, SampleState.RETURNED)
    start = time.perf_counter()
    with world.store.transaction("Add", actor=world.lead) as tx:
        tx.put_many(Sample(id=SampleId(ids.new()), key=f"clip-{i:08}", state=states[i % 3]) for i in range(count))
    rate = count / (time.perf_counter() - start)
    keys = [f"clip-{(i * 7919) % count:08}" for i in range(200)]
    page = timed(lambda i: list(world.store.samples(state=SampleState.RETURNED, after_key=keys[i], limit=100)), 200)
    say(f"{count:,} samples added           {rate:10,.0f} samples/s")
    say(f"page of 100 of a filtered list   {spread(page)}")


def main() -> None:
    """Run all of it in one process on one disk."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    folder = Path(tempfile.mkdtemp(dir=sys.argv[2] if len(sys.argv) > 2 else None))
    world = World(folder)
    try:
        say(f"{count:,} annotations, SQLite {sqlite3.sqlite_version}, Python {sys.version.split()[0]}")
        bulk(world, count)
        world.store.close()
        world.store = Store.open(folder, actor=world.anna, ids=world.ids, now_ms=world.now_ms)
        edits(world)
        windows(world, count)
        undo(world)
        counts(world)
        opening(world)
        samples(world, count)
        say(f"database {(folder / 'project.db').stat().st_size / 2**20:.0f} MiB, peak memory of this process"
              f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB,"
              f" {world.store.total(RecordKind.ANNOTATION):,} annotations")  # fmt: skip
        start = time.perf_counter()
        report = world.store.verify()
        say(f"audit of {report.changes:,} changes in {time.perf_counter() - start:.1f} s: intact {report.intact}")
    finally:
        world.store.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
