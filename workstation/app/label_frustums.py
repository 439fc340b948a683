"""Cuboids in sweeps from what is labelled in pictures: the job behind the action "Cuboid from the 2D box".

Size tells classes apart badly, and pictures tell them well: the class is the label's, the cuboid the one among the
points in its frustum that projects onto it best (``frustum_labels.py``). All sweeps of one label are one track, which
belongs to the label's thing; a thing that has a cuboid on this LiDAR gets no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import msgspec
import numpy as np

from workstation.app.frustum_labels import cuboid_of_label
from workstation.app.label_records import MAIN, labelled
from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.lidar_prelabelling import FoundTracks, LidarScene, as_arguments, new_tracks
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.sightings import FLAT
from workstation.app.streams import OpenStreams
from workstation.app.sweep_chunks import chunked
from workstation.app.usual_sizes import usual_size
from workstation.core.annotation import Annotation, SourceKind, State
from workstation.core.errors import UserError
from workstation.core.geometry import ShapeKind
from workstation.core.sample import StreamKind
from workstation.prelabel.api import FoundCuboid, Task
from workstation.prelabel.lidar_tracks import CuboidTracker, TrackedCuboid

FROM = "from_label"
"""The parameter of a track's provenance that names the label in the picture."""
_SWEEPS_A_CHUNK = 10
_SEEN_M = 60.0
Vec3 = tuple[float, float, float]


class _Fit(msgspec.Struct, frozen=True):
    """What one label gave in one sweep: the sweep's time and sensor, the cuboid, how well it fits, its points."""

    label: str
    own_ns: int
    eye: Vec3
    center: Vec3
    size: Vec3
    rotation: tuple[float, float, float, float]
    overlap: float
    points: int


class FrustumLabeller:
    """Cuboid tracks of what pictures show."""

    tasks = frozenset({Task.LIDAR_DETECT})
    kinds = frozenset({StreamKind.CLOUD})
    follows_labels = True

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """Ten sweeps at a time; the last one brings the tracks."""
        with ExitStack() as held:
            view = held.enter_context(labelled(assignment))
            readers = held.enter_context(OpenStreams(assignment.project, readers=Formats().readers))
            scene = LidarScene.of(view, readers, view.streams[assignment.stream.id])
            labels = list(_without_cuboid(assignment, view, scene))
            if not labels:
                note = "nothing is labelled in a calibrated picture that has no cuboid here"
                yield Chunk(position=1, done=1, total=1, notes=(note,))
                return
            yield from chunked(
                assignment, scene, lambda index: list(_fits(view, scene, index, labels)),
                lambda fits: (tuple(_tracks(view, scene, fits)), {}), kept=_READ, a_chunk=_SWEEPS_A_CHUNK,
                cancelled=cancelled,
            )  # fmt: skip


LABELLER = FrustumLabeller()


def _without_cuboid(assignment: Assignment, view: SampleView, scene: LidarScene) -> Iterator[Annotation]:
    """The labels in calibrated pictures whose thing has no cuboid here yet and is of a class with a usual size."""
    name, layers = assignment.model.manifest.id, {MAIN, assignment.layer}
    mine = [each for each in view.annotations_of(assignment.stream.id) if each.kind is ShapeKind.CUBOID]
    solid = {each.entity for each in mine if each.entity is not None}
    done = {each.source.parameters.get(FROM) for each in mine if each.source.kind is SourceKind.MODEL}
    for label in view.annotations.values():
        stream = view.streams.get(label.stream or "")
        if label.kind not in FLAT or label.state is State.REJECTED or label.layer not in layers:
            continue
        if label.id in done or label.entity in solid or label.source.name == name:
            continue
        if stream is None or scene.placed.camera_of(stream) is None:
            continue
        if usual_size(view, view.class_of(label)) is not None:
            yield label


def _fits(view: SampleView, scene: LidarScene, index: int, labels: list[Annotation]) -> Iterator[_Fit]:
    sweep = scene.sweep(index)
    session_ns = sweep.session_ns or 0
    for label in labels:
        try:
            fit = cuboid_of_label(
                view, scene.placed, label, sweep.points, frame=scene.ground.frame, origin=scene.ground.origin,
                session_ns=session_ns, eye=sweep.sensor, heading_rad=0.0,
            )  # fmt: skip
        except UserError:
            continue  # it is in no picture near this sweep, or too few points are in it: the next sweep may have more
        if fit.range_m <= _SEEN_M:
            made = fit.cuboid
            yield _Fit(
                str(label.id), scene.times_ns[index], sweep.sensor, made.center, made.size, made.rotation,
                fit.overlap, fit.points,
            )  # fmt: skip


def _tracks(view: SampleView, scene: LidarScene, fits: list[_Fit]) -> Iterator[Call]:
    """One track a label: the surest that its cuboids make."""
    by_label: dict[str, list[_Fit]] = defaultdict(list)
    for each in fits:
        by_label[each.label].append(each)
    for label, own in by_label.items():
        track = _followed(own)
        if track is None:
            continue
        found = FoundTracks(
            stream=scene.stream.id, frame=scene.ground.frame, origin=scene.ground.origin, tracks=(track,),
            sweeps=len(own),
        )  # fmt: skip
        if new_tracks(view, scene.placed, found):
            record = view.annotations[label]
            given = as_arguments(found, track) | {"entity": record.entity, "class_id": None}
            if record.entity is None:
                given["class_id"] = view.class_of(record)
            yield Call("track.add", given, parameters={FROM: label})


def _followed(fits: list[_Fit]) -> TrackedCuboid | None:
    tracker = CuboidTracker(fewest=2)
    for each in sorted(fits, key=lambda fit: fit.own_ns):
        found = FoundCuboid(
            center=each.center, size=each.size, rotation=each.rotation, label="", score=each.overlap,
            points=np.zeros(each.points, np.int64),
        )  # fmt: skip
        tracker.add(each.own_ns, [found], eye=each.eye)
    return max(tracker.tracks(), key=lambda track: (len(track.times_ns), track.score), default=None)


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.msgpack.Decoder(list[_Fit])
