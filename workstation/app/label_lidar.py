"""Models over the sweeps of a LiDAR: cuboids of single sweeps, joined into tracks in the world once all were seen.

Two who find them: sizes and nothing else (``lidar-clusters``), and detectors given as graphs, which see each sweep
about its sensor. Sweeps are kept as they are done, so that a stopped job goes on; the last one brings the tracks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import msgspec
import numpy as np

from workstation.app.builtin_models import LIDAR_CLUSTERS
from workstation.app.cloud_ground import PlacedSweep
from workstation.app.known_models import cloud_family
from workstation.app.label_records import labelled
from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.lidar_prelabelling import (
    Finder,
    FoundTracks,
    LidarScene,
    as_arguments,
    by_size,
    new_tracks,
    riders_of,
    worth_proposing,
)
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.app.sweep_chunks import Proposals, chunked, sweep_indices
from workstation.app.usual_sizes import mostly
from workstation.core.box_fitting import Size
from workstation.core.rotation import about_z, matrix_of
from workstation.core.sample import StreamKind
from workstation.prelabel.api import FoundCuboid, Runs, SensorSweep, Task
from workstation.prelabel.lidar_tracks import CuboidTracker
from workstation.prelabel.sweep_stages import ENCODER, TwoStages
from workstation.prelabel.worker import Worker

SWEEPS_A_CHUNK = 20
Vec3 = tuple[float, float, float]
_Row = tuple[Vec3, Vec3, tuple[float, float, float, float], str, float, int]


class _Sweep(msgspec.Struct, frozen=True):
    """What was found in one sweep: its time, where its sensor was, the cuboids."""

    own_ns: int
    eye: Vec3
    rows: list[_Row]


class LidarLabeller:
    """Cuboid tracks."""

    tasks = frozenset({Task.LIDAR_DETECT})
    kinds = frozenset({StreamKind.CLOUD})
    follows_labels = False

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """Twenty sweeps at a time."""
        with ExitStack() as held:
            view = held.enter_context(labelled(assignment))
            readers = held.enter_context(OpenStreams(assignment.project, readers=Formats().readers))
            scene = LidarScene.of(view, readers, view.streams[assignment.stream.id])
            if not sweep_indices(assignment, scene):
                yield Chunk(position=1, done=1, total=1)
                return
            find = held.enter_context(_finder(assignment, view, scene, cancelled))

            def look(index: int) -> list[_Sweep]:
                sweep = scene.sweep(index)
                return [_Sweep(scene.times_ns[index], sweep.sensor, [_row(each) for each in find(sweep)])]

            yield from chunked(
                assignment, scene, look, lambda seen: _tracks(assignment, view, scene, seen), kept=_READ,
                a_chunk=SWEEPS_A_CHUNK, cancelled=cancelled,
            )  # fmt: skip


LABELLER = LidarLabeller()


def _tracks(assignment: Assignment, view: SampleView, scene: LidarScene, sweeps: list[_Sweep]) -> Proposals:
    by_shape = assignment.model.manifest.family == LIDAR_CLUSTERS  # others know a rider when they see one
    tracker = CuboidTracker(riders=riders_of(_sizes(assignment, view)) if by_shape else {})
    for each in sweeps:
        tracker.add(each.own_ns, [_found(row) for row in each.rows], eye=each.eye)
    found = FoundTracks(
        stream=scene.stream.id, frame=scene.ground.frame, origin=scene.ground.origin,
        tracks=worth_proposing(tracker), sweeps=len(sweeps),
    )  # fmt: skip
    calls: list[Call] = []
    left_out: Counter[str] = Counter()
    for track in new_tracks(view, scene.placed, found):
        class_id = assignment.classes.get(track.label)
        if class_id is None:
            left_out[track.label] += 1
        else:
            calls.append(Call("track.add", {**as_arguments(found, track), "class_id": class_id}, called=track.label))
    return tuple(calls), left_out


def _row(each: FoundCuboid) -> _Row:
    points = 0 if each.points is None else len(each.points)
    return (each.center, each.size, each.rotation, each.label, each.score, points)


def _found(row: _Row) -> FoundCuboid:
    """How many points it has is all that counts of them later."""
    center, size, rotation, label, score, points = row
    rows = np.zeros(points, np.int64) if points else None
    return FoundCuboid(center=center, size=size, rotation=rotation, label=label, score=score, points=rows)


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.msgpack.Decoder(list[_Sweep])


# --- who finds them -------------------------------------------------------------------------------------------------


def _sizes(assignment: Assignment, view: SampleView) -> dict[str, Size]:
    """What clusters are held against, by label."""
    sizes = {label: mostly(view, class_id) for label, class_id in sought(assignment).items()}
    return {label: size for label, size in sizes.items() if size is not None}


@contextmanager
def _finder(
    assignment: Assignment, view: SampleView, scene: LidarScene, cancelled: Callable[[], bool]
) -> Iterator[Finder]:  # fmt: skip
    model = assignment.model
    if model.manifest.family == LIDAR_CLUSTERS:
        yield by_size(_sizes(assignment, view))
        return
    family, card = cloud_family(model.manifest.family), model.manifest.card
    with ExitStack() as running:
        worker = running.enter_context(
            Worker(
                model.file(), provider=assignment.providers[0], threads=assignment.threads, cancelled=cancelled
            )
        )  # fmt: skip
        graph: Runs = worker
        if ENCODER in model.manifest.files:
            # The first graph is small, and was not proven on the device.
            first = Worker(model.file(ENCODER), threads=assignment.threads, cancelled=cancelled)
            graph = TwoStages(card, running.enter_context(first), worker)

        def find(sweep: PlacedSweep) -> list[FoundCuboid]:
            prepared = family.prepare(card, about_sensor(scene, sweep))
            if any(0 in values.shape for values in prepared.feeds.values()):
                return []  # nothing of the sweep lies in the detector's range
            answer = family.decode(card, graph.run(prepared.feeds), prepared)
            return [_in_scene(scene, sweep, each) for each in answer]

        yield find


def sought(assignment: Assignment) -> dict[str, str]:
    """The labels that a class stands for, each class once: a person is not looked for beside a pedestrian."""
    found: dict[str, str] = {}
    for label in assignment.model.manifest.labels:
        class_id = assignment.classes.get(label)
        if (
            class_id is not None
            and class_id not in found.values()
            and not (label == "person" and found.get("pedestrian"))
        ):
            found[label] = class_id
    return found


def about_sensor(scene: LidarScene, sweep: PlacedSweep) -> SensorSweep:
    """A sweep of the scene as a detector sees it."""
    turn, place = _sensor(scene, sweep)
    points = ((sweep.points - place) @ turn).astype(np.float32)
    strength = sweep.columns.get("intensity")
    values = np.zeros(len(points), np.float32) if strength is None else _share(np.asarray(strength, np.float32))
    return SensorSweep(points, values)


def _share(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Intensity as 0 to 1: sensors that count to 255 are told by their largest value."""
    clean = np.nan_to_num(values.reshape(len(values), -1)[:, 0])
    most = float(clean.max(initial=0.0))
    return np.clip(clean / 255.0 if most > 1.0 else clean, 0.0, 1.0)


def _sensor(scene: LidarScene, sweep: PlacedSweep) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], Vec3]:
    """How the sensor is turned in the scene then, and where it is."""
    frame = scene.stream.frame or ""
    there = scene.ground.in_scene(frame, sweep.session_ns or 0)
    return (np.eye(3) if there is None else matrix_of(there.rotation)), sweep.sensor


def _in_scene(scene: LidarScene, sweep: PlacedSweep, found: FoundCuboid) -> FoundCuboid:
    turn, place = _sensor(scene, sweep)
    ahead = turn @ matrix_of(found.rotation)[:, 0]
    x, y, z = (turn @ np.array(found.center) + np.array(place)).tolist()
    return replace(found, center=(x, y, z), rotation=about_z(math.atan2(float(ahead[1]), float(ahead[0]))))
