"""LiDAR pre-labelling without a trained model, against truth: what is found, by class and by range, and how fast.

    python tests/bench/bench_lidar.py [--seconds 4] [--project FOLDER --sample KEY --stream KEY]

The generated drive is judged by its own exact truth; with ``--project`` a real one by the cuboids that people made
(``workstation demo FOLDER``, then ``--sample sf_drive --stream lidar``).
Prints for single sweeps and for tracks: average precision at 0.5 and 0.25 in space and from above, recall by range and
by number of points, identity switches, IDF1, processor time per sweep; how many tracks lie on something and on nothing.
Goal of AI-05: of objects with 30 points or more at least 80 % get a cuboid with IoU 0.5 or more. Needs no display and
no graphics card.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "app"))

from drive_projects import SAMPLE, drive_project

from workstation import open_project
from workstation.app.cloud_ground import Ground, PlacedSweep
from workstation.app.lidar_prelabelling import COMMON, found_tracks, sizes_sought
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.core.annotation import SourceKind
from workstation.core.cuboid_edits import inside, yaw_of
from workstation.core.geometry import Cuboid
from workstation.core.rotation import about_z
from workstation.core.sample import Stream
from workstation.media.base import CloudReader
from workstation.prelabel.api import FoundCuboid
from workstation.prelabel.evaluate import (
    as_found,
    average_precision,
    cuboid_overlap,
    cuboid_overlap_from_above,
    identity,
)
from workstation.prelabel.lidar_detect import cuboids_in
from workstation.prelabel.lidar_tracks import TrackedCuboid
from workstation.synth.drive.fixture import drive
from workstation.synth.drive.rig import DriveOptions

FEWEST = 30
RANGES = (0, 15, 30, 45, 80)
Frames = list[tuple[list[FoundCuboid], list[FoundCuboid]]]


def sweeps(ground: Ground, reader: CloudReader, stream: Stream) -> Iterator[tuple[int, PlacedSweep]]:
    for index, own_ns in enumerate(reader.table.times_ns.tolist()):
        yield own_ns, ground.place(reader.cloud(index), stream, index, own_ns, correct=True)


def truth_at(view: SampleView, placed: PlacedCuboids, session_ns: int, origin: tuple[float, ...]) -> list[FoundCuboid]:
    found = []
    for there in placed.at(session_ns):
        for row, each in enumerate(there.ids):
            record = view.annotations[each]
            if record.source.kind is not SourceKind.MODEL:
                x, y, z = np.subtract(there.centers[row], origin).tolist()
                length, width, height = there.sizes[row].tolist()
                w, a, b, c = there.rotations[row].tolist()
                cuboid = Cuboid((x, y, z), (length, width, height), (w, a, b, c))
                number = list(view.annotations).index(each)
                found.append(as_found(cuboid, view.class_of(record) or "", track=number))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--sample", default=SAMPLE)
    parser.add_argument("--stream", default="lidar_top")
    given = parser.parse_args()
    if given.project is not None:
        judge(given.project, given.sample, given.stream)
        return
    with tempfile.TemporaryDirectory() as folder:
        made = drive(Path(folder) / "fx", options=DriveOptions(seconds=given.seconds, cameras=1, scale=0.25, workers=1))
        judge(drive_project(made, Path(folder) / "p"), given.sample, given.stream)


def judge(folder: Path, sample: str, key: str) -> None:
    with open_project(folder, read_only=True) as session, OpenStreams(folder, readers=Formats().readers) as readers:
        view = SampleView(session.store, session.open_sample(sample))
        stream, placed = view.stream_by_key(key), PlacedCuboids(view, readers)
        if stream is None:
            sys.exit(f"{sample} has no stream {key}; it has {', '.join(each.key for each in view.streams.values())}")
        reader = readers.reader(stream)
        assert isinstance(reader, CloudReader)
        sizes = sizes_sought(view)
        ground = Ground.of(
            placed.calibration, placed.tree, placed.trajectories, lead=stream.frame or "",
            first_ns=stream.time_map.to_session(int(reader.table.times_ns[0])),
        )  # fmt: skip
        single, seen, times, truths, everything = [], [], [], {}, {}
        for own_ns, sweep in sweeps(ground, reader, stream):
            everything[own_ns] = truth_at(view, placed, stream.time_map.to_session(own_ns), ground.origin)
            true = [each for each in everything[own_ns] if each.label in sizes]
            start = time.thread_time()
            found = cuboids_in(sweep.points, sizes, eye=sweep.sensor, common=COMMON)
            times.append(1e3 * (time.thread_time() - start))
            points = [int(inside(Cuboid(t.center, t.size, t.rotation), sweep.points).sum()) for t in true]
            away = [float(np.hypot(*np.subtract(t.center, sweep.sensor)[:2])) for t in true]
            single.append((found, true))
            seen.append(list(zip(points, away, strict=True)))
            truths[own_ns] = true
        print(
            f"{sample}, {key}: {len(times)} sweeps, {len(sweep.points)} points in the last, classes {' '.join(sizes)}"
        )
        print(f"processor time per sweep: median {np.median(times):.0f} ms, worst {max(times):.0f} ms")
        tell("single sweeps", single, seen)
        start = time.perf_counter()
        found = found_tracks(view, readers, stream)
        frames = [(_at(found.tracks, own_ns), true) for own_ns, true in truths.items()]
        print(f"\ntracks: {len(found.tracks)} in {time.perf_counter() - start:.1f} s, "
              f"{sum(each.static for each in found.tracks)} of them stand still")  # fmt: skip
        tell("tracks", frames, seen)
        tell_tracks(found.tracks, everything)
        kept = [(f, [t for t, (n, _) in zip(true, facts, strict=True) if n >= FEWEST])
                for (f, true), facts in zip(frames, seen, strict=True)]  # fmt: skip
        for score in identity(kept, cuboid_overlap_from_above, level=0.25):
            print(
                f"  identity of {score.label or 'all'}: {score.switches} switches, {score.misses} misses of "
                f"{score.truths}, MOTA {score.mota:.2f}, IDF1 {score.idf1:.2f}"
            )


def _at(tracks: tuple[TrackedCuboid, ...], own_ns: int) -> list[FoundCuboid]:
    """What the proposed tracks show then: between two looks the cuboid between theirs, as a person would see it."""
    found = []
    for each in tracks:
        if each.times_ns[0] <= own_ns <= each.times_ns[-1]:
            after = int(np.searchsorted(each.times_ns, own_ns))
            cuboid = each.cuboids[after]
            if each.times_ns[after] != own_ns:
                since, until = each.times_ns[after - 1], each.times_ns[after]
                cuboid = between(each.cuboids[after - 1], cuboid, (own_ns - since) / (until - since))
            found.append(as_found(cuboid, each.label, score=each.score, track=each.number))
    return found


def between(one: Cuboid, other: Cuboid, share: float) -> Cuboid:
    turned = math.remainder(yaw_of(other) - yaw_of(one), math.tau)
    x, y, z = ((1 - share) * np.array(one.center) + share * np.array(other.center)).tolist()
    return Cuboid((x, y, z), one.size, about_z(yaw_of(one) + share * turned))


def tell_tracks(tracks: tuple[TrackedCuboid, ...], truths: dict[int, list[FoundCuboid]]) -> None:
    """Good is a track that lies on one thing, of whatever class, in most of its looks (seen from above, IoU 0.25);
    false one that lies on nothing in four of five."""
    on_things, false = set(), 0
    for track in tracks:
        hits: Counter[int] = Counter()
        for own_ns, cuboid in zip(track.times_ns, track.cuboids, strict=True):
            true = truths[own_ns]
            overlap = cuboid_overlap_from_above([as_found(cuboid, track.label)], true)
            if true and overlap.max() >= 0.25:
                hits[true[int(overlap.argmax())].track or 0] += 1
        thing, most = hits.most_common(1)[0] if hits else (0, 0)
        if 2 * most >= len(track.times_ns) > 0:
            on_things.add(thing)
        elif sum(hits.values()) < 0.2 * len(track.times_ns):
            false += 1
    print(f"  {len(tracks)} tracks: {len(on_things)} things have one, {false} lie on nothing that is labelled")


def tell(what: str, frames: Frames, seen: list[list[tuple[int, float]]]) -> None:
    print(f"{what}:")
    for level, overlap, name in (
        (0.5, cuboid_overlap, "in space"), (0.5, cuboid_overlap_from_above, "from above"),
        (0.25, cuboid_overlap_from_above, "from above"),
    ):  # fmt: skip
        for score in average_precision(frames, overlap, level=level):
            if score.truths:
                print(
                    f"  {score.label}, IoU {level} {name}: AP {score.ap:.2f}, recall {score.recall:.2f}, precision "
                    f"{score.precision:.2f}, mean IoU {score.mean_overlap:.2f}, {score.truths} truths"
                )
    rows = []
    for (found, true), facts in zip(frames, seen, strict=True):
        best = cuboid_overlap(found, true).max(axis=0, initial=0.0) if found else np.zeros(len(true))
        rows += [(iou, points, away) for iou, (points, away) in zip(best.tolist(), facts, strict=True)]
    table = np.array(rows).reshape(-1, 3)
    dense = table[table[:, 1] >= FEWEST]
    share = float((dense[:, 0] >= 0.5).mean()) if len(dense) else float("nan")
    print(f"  whatever the class, {FEWEST} points or more: {share:.0%} of {len(dense)} with IoU 0.5 (goal 80 %), "
          f"median IoU {np.median(dense[:, 0]) if len(dense) else float('nan'):.2f}")  # fmt: skip
    for low, high in pairwise(RANGES):
        there = dense[(dense[:, 2] >= low) & (dense[:, 2] < high)]
        if len(there):
            print(f"    {low}–{high} m: {(there[:, 0] >= 0.5).mean():.0%} of {len(there)}, "
                  f"at IoU 0.25 {(there[:, 0] >= 0.25).mean():.0%}")  # fmt: skip


if __name__ == "__main__":
    main()
