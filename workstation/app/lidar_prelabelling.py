"""Cuboid tracks proposed from the sweeps of a LiDAR (``prelabel/lidar_detect.py``), and stored as proposals.

Asked by the job runner of pre-labelling and by the bench. Everything happens in the root of the frame tree, where what
stands still stands still; the poses bring it there, each point as it would have been seen at the sweep's own time.
What a label shows already, whatever became of it, is not proposed again: a rejected proposal does not come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace as with_fields

from workstation.app.builtin_models import SOUGHT
from workstation.app.cloud_ground import Ground, PlacedSweep
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.app.usual_sizes import mostly
from workstation.core.annotation import Source, SourceKind, State
from workstation.core.box_fitting import Size
from workstation.core.errors import DataError, UserError
from workstation.core.geometry import Cuboid
from workstation.core.rights import ActorKind
from workstation.core.sample import Stream
from workstation.media.base import CloudReader
from workstation.prelabel.api import FoundCuboid
from workstation.prelabel.cuboid_overlap import bird_eye_iou, rows_of
from workstation.prelabel.lidar_detect import NAME, VERSION, cuboids_in
from workstation.prelabel.lidar_tracks import CuboidTracker, TrackedCuboid, keyframes_of

Vec3 = tuple[float, float, float]
Progress = Callable[[int, int], bool]
"""Sweeps done and all of them; answers whether to go on."""
COMMON: Mapping[str, float] = {"van": 0.8, "truck": 0.75, "bus": 0.6, "motorcycle": 0.6, "bicycle": 0.6}
"""How much rarer things are to be believed where size alone leaves several."""
_TWO_WHEELS = frozenset({"bicycle", "motorcycle"})
_SAME = 0.2
"""Seen from above, so much of both in common is one thing."""
_LEAST_SCORE = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class FoundTracks:
    """Tracks in ``frame``, whose zero for them is ``origin``; times in the stream's own nanoseconds."""

    stream: str
    frame: str
    origin: Vec3
    tracks: tuple[TrackedCuboid, ...]
    sweeps: int
    skipped: tuple[str, ...] = ()
    """Sweeps that could not be read or placed, and why."""
    sizes: Mapping[str, Size] = field(default_factory=dict)

    def source(self) -> Source:
        """Who proposes: no weights, so no hash of any."""
        sought = " ".join(sorted(self.sizes))
        return Source(
            kind=SourceKind.MODEL, name=NAME, version=VERSION, device="CPU",
            parameters={"weights": "none", "classes": sought, "sweeps": self.sweeps},
        )  # fmt: skip


Finder = Callable[[PlacedSweep], list[FoundCuboid]]
"""What stands in a sweep, in the scene that the sweep lies in."""


def sizes_sought(view: SampleView, classes: Iterable[str] = ()) -> dict[str, Size]:
    """The usual size of the classes that may be proposed: those given, else what the ontology has of the usual ones."""
    known = {} if view.ontology is None else view.ontology.classes
    wanted = list(classes) or [each for each in SOUGHT if not (each == "person" and "pedestrian" in known)]
    sizes = {each: mostly(view, each) for each in wanted if each in known}
    return {each: size for each, size in sizes.items() if size is not None}


def riders_of(sizes: Mapping[str, Size]) -> dict[str, Size]:
    """Those of the classes that are on two wheels."""
    return {each: size for each, size in sizes.items() if each in _TWO_WHEELS}


def by_size(sizes: Mapping[str, Size]) -> Finder:
    """Finds what stands on the ground and is as large as something of these sizes, by label."""
    if not sizes:
        raise UserError("no class of the ontology has a usual size: state usual_size_m, or name classes that have one")
    return lambda sweep: cuboids_in(sweep.points, sizes, eye=sweep.sensor, common=COMMON)


@dataclass(frozen=True, slots=True, eq=False)
class LidarScene:
    """A LiDAR of a sample with the scene its sweeps lie in."""

    stream: Stream
    reader: CloudReader
    ground: Ground
    placed: PlacedCuboids
    times_ns: tuple[int, ...]

    @classmethod
    def of(cls, view: SampleView, readers: OpenStreams, stream: Stream) -> LidarScene:
        """``UserError`` for what is no LiDAR."""
        reader = readers.reader(stream)
        if not isinstance(reader, CloudReader):
            raise UserError(f"{stream.key} has no sweeps of a LiDAR")
        placed = PlacedCuboids(view, readers)
        times = tuple(reader.table.times_ns.tolist())
        ground = Ground.of(
            placed.calibration, placed.tree, placed.trajectories, lead=stream.frame or "",
            first_ns=stream.time_map.to_session(times[0]) if times else 0,
        )  # fmt: skip
        return cls(stream, reader, ground, placed, times)

    def sweep(self, index: int) -> PlacedSweep:
        """A sweep in the scene, each point where it would have been seen at the sweep's time. ``DataError`` if it
        cannot be read or placed."""
        return self.ground.place(self.reader.cloud(index), self.stream, index, self.times_ns[index], correct=True)


def found_tracks(
    view: SampleView,
    readers: OpenStreams,
    stream: Stream,
    *,
    classes: Iterable[str] = (),
    progress: Progress = lambda _done, _all: True,
) -> FoundTracks:
    """What stands and moves about a LiDAR, over all its sweeps. ``UserError`` where it cannot be looked for."""
    sizes = sizes_sought(view, classes)
    scene, find = LidarScene.of(view, readers, stream), by_size(sizes)
    tracker, skipped = CuboidTracker(riders=riders_of(sizes)), []
    done = 0
    for index, own_ns in enumerate(scene.times_ns):
        try:
            sweep = scene.sweep(index)
        except DataError as error:
            skipped.append(str(error))
        else:
            tracker.add(own_ns, find(sweep), eye=sweep.sensor)
            done += 1
        if not progress(index + 1, len(scene.times_ns)):
            break
    return FoundTracks(
        stream=stream.id, frame=scene.ground.frame, origin=scene.ground.origin, tracks=worth_proposing(tracker),
        sweeps=done, skipped=tuple(skipped), sizes=sizes,
    )  # fmt: skip


def worth_proposing(tracker: CuboidTracker) -> tuple[TrackedCuboid, ...]:
    """The tracks that are sure enough for a person's time."""
    return tuple(each for each in tracker.tracks() if each.score >= _LEAST_SCORE)


def new_tracks(view: SampleView, placed: PlacedCuboids, found: FoundTracks) -> list[TrackedCuboid]:
    """Those that no label shows already, be it a proposal, a judgement or what was rejected."""
    stream = view.streams[found.stream]
    return [each for each in found.tracks if not _is_labelled(placed, found, each, stream)]


def _is_labelled(placed: PlacedCuboids, found: FoundTracks, track: TrackedCuboid, stream: Stream) -> bool:
    rows = sorted({0, len(track.times_ns) // 2, len(track.times_ns) - 1})
    hits = 0
    for row in rows:
        session_ns = stream.time_map.to_session(track.times_ns[row])
        mine = rows_of([_moved(track.cuboids[row], found.origin)])
        for there in placed.at(session_ns):
            if there.root == found.frame and len(there.ids):
                ahead = np.arctan2(
                    2 * (there.rotations[:, 0] * there.rotations[:, 3] + there.rotations[:, 1] * there.rotations[:, 2]),
                    1 - 2 * (there.rotations[:, 2] ** 2 + there.rotations[:, 3] ** 2),
                )
                theirs = np.column_stack([there.centers, there.sizes, ahead])
                hits += bool((bird_eye_iou(mine, theirs) >= _SAME).any())
    return 2 * hits > len(rows)


def propose_tracks(session: Session, view: SampleView, found: FoundTracks, tracks: Sequence[TrackedCuboid]) -> None:
    """Store tracks as proposals of their model, in one step. What stands still has two equal keyframes:
    ``track.set_rule`` would make a draft of the proposal."""
    actor = with_fields(session.actor, kind=ActorKind.MODEL, tool=f"predictions {NAME}")
    key, add = view.streams[found.stream].key, session.registry.find("track.add")
    with session.store.transaction(f"Propose {len(tracks)} tracks in {key}", actor=actor, sample=view.id) as tx:
        for each in tracks:
            given = {
                "sample": view.id, "state": State.PROPOSED, "source": found.source(), "class_id": each.label,
                **as_arguments(found, each),
            }  # fmt: skip
            add.run(tx, given, sample=view.id)


def as_arguments(found: FoundTracks, track: TrackedCuboid) -> dict[str, Any]:
    """A track as the command ``track.add`` takes it, without its class."""
    return {
        "stream": found.stream,
        "frame": found.frame or None,
        "keyframes": [
            {
                "time_ns": track.times_ns[row],
                "shape": msgspec.to_builtins(_moved(track.cuboids[row], found.origin)),
                "presence": "visible",
            }
            for row in keyframes_of(track)
        ],
        "confidence": round(min(track.score, 1.0), 3),
    }


def _moved(cuboid: Cuboid, origin: Vec3) -> Cuboid:
    x, y, z = (a + b for a, b in zip(cuboid.center, origin, strict=True))
    return Cuboid(center=(x, y, z), size=cuboid.size, rotation=cuboid.rotation)
