"""Where the labelled things of a sample are at a session time, in frames that cameras and clouds can be drawn in.

Read once from a project by whatever draws a scene (``contact_sheet.py``). Cuboid tracks are interpolated in the root
of the frame tree, through the poses, so that a thing that stands stays where it is while the vehicle moves.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from workstation.app.streams import OpenStreams
from workstation.core.annotation import Annotation, Keyframe, Track, effective_class
from workstation.core.cameras import Camera
from workstation.core.cuboid_rows import moved
from workstation.core.errors import DataError
from workstation.core.geometry import Cuboid, ShapeKind
from workstation.core.ids import SampleId
from workstation.core.poses import RigidTransform, Trajectory
from workstation.core.projection import Outline, cuboid_outline, rolling_outline
from workstation.core.rigs import newest_calibration
from workstation.core.rotation import unit
from workstation.core.sample import Stream, StreamKind
from workstation.core.space import Calibration, FrameTree, NoTransform
from workstation.core.tracks import interpolated, moment
from workstation.core.values import dataclass
from workstation.media.base import TrajectoryReader
from workstation.media.gaps import longest_step_ns
from workstation.store.queries import Reads

_GREY = "#9aa0a6"


class HoldsRecords(Protocol):
    """A session, or a worker's own connection in its place."""

    @property
    def store(self) -> Reads:
        """The records, to be read."""
        ...


@dataclass(frozen=True, slots=True)
class PlacedCuboid:
    """One thing at one time: its cuboid in ``frame``, and how it is shown."""

    annotation: Annotation
    cuboid: Cuboid
    frame: str
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class _Tracked:
    annotation: Annotation
    track: Track
    keyframes: Sequence[Keyframe]
    stream: Stream
    name: str
    colour: str


class Scenery:
    """The rig, the poses and the cuboid tracks of one sample."""

    def __init__(self, session: HoldsRecords, sample: SampleId, readers: OpenStreams) -> None:
        self._session = session
        self._sample = sample
        self.readers = readers
        self.streams = {stream.id: stream for stream in session.store.streams(sample)}
        self.calibration = newest_calibration(session.store, sample)
        self.tree = FrameTree(self.calibration, trajectories_of(self.streams.values(), readers))
        self.roots = roots_of(self.calibration)
        self._tracks = list(self._cuboid_tracks())

    def spoken(self, stream: Stream) -> list[Annotation]:
        """The turns on a stream of sound, by time."""
        said = self._session.store.annotations(self._sample, stream=stream.id)
        turns = [each for each in said if each.text is not None and each.start_ns is not None]
        return sorted(turns, key=lambda each: each.start_ns or 0)

    def transform(self, target: str, source: str, session_ns: int) -> RigidTransform | None:
        """``target_from_source`` then, if the rig can say."""
        found = self.tree.transform(target, source, session_ns)
        return None if isinstance(found, NoTransform) else found

    def cuboids_at(self, session_ns: int) -> Iterator[PlacedCuboid]:
        """Every cuboid that is there then."""
        for tracked in self._tracks:
            placed = self._placed(tracked, session_ns)
            if placed is not None:
                cuboid, frame = placed
                yield PlacedCuboid(tracked.annotation, cuboid, frame, tracked.name, tracked.colour)

    def outlines(self, camera: Camera, taken_ns: int) -> Iterator[tuple[PlacedCuboid, Outline, float]]:
        """Every cuboid that shows in a picture taken then: as placed, its outline, and how far away it is in metres.

        With a rolling shutter each corner stands where it was when its own row was read.
        """
        for each in self.cuboids_at(taken_ns):
            camera_from_frame = self.transform(camera.frame, each.frame, taken_ns)
            if camera_from_frame is None:
                continue
            if camera.row_time_ns:
                outline = self._rolling(camera, each, taken_ns)
            else:
                outline = cuboid_outline(camera, each.cuboid, camera_from_frame=camera_from_frame)
            if outline is not None and len(outline.segments):
                yield each, outline, float(np.linalg.norm(camera_from_frame @ np.array([each.cuboid.center])))

    def _rolling(self, camera: Camera, shown: PlacedCuboid, taken_ns: int) -> Outline | None:
        """From where the thing was when the first, the middle and the last row were read."""
        tracked = next(each for each in self._tracks if each.annotation is shown.annotation)
        times = np.unique(camera.row_times_ns(taken_ns, (0, camera.height_px / 2, camera.height_px)))
        moves: list[RigidTransform] = []
        for time_ns in times.tolist():
            placed = self._placed(tracked, time_ns)
            move = None if placed is None else self.transform(camera.frame, placed[1], time_ns)
            if placed is None or move is None:
                return None
            moves.append(move @ RigidTransform(unit(placed[0].rotation), placed[0].center))
        motion = Trajectory(
            times_ns=times,
            rotations=np.array([each.rotation for each in moves]),
            translations=np.array([each.translation for each in moves]),
            max_gap_ns=int(times[-1] - times[0]),
        )
        still = Cuboid(center=(0.0, 0.0, 0.0), size=shown.cuboid.size)
        return rolling_outline(camera, still, camera_from_frame=motion, frame_time_ns=taken_ns)

    def _placed(self, tracked: _Tracked, session_ns: int) -> tuple[Cuboid, str] | None:
        own_ns = tracked.stream.time_map.first_stream_at(session_ns + 1) - 1
        shown = moment(tracked.track, tracked.keyframes, own_ns).shape
        if not isinstance(shown, Cuboid):
            return None
        frame = tracked.annotation.frame or tracked.stream.frame
        after = bisect_right(tracked.keyframes, own_ns, key=lambda keyframe: keyframe.time_ns)
        around = tracked.keyframes[after - 1 : after + 1]
        in_root = [self._in_root(each, frame, tracked.stream) for each in around]
        if len(in_root) == 1 and in_root[0] is not None:
            return in_root[0]
        if len(in_root) < 2 or in_root[0] is None or in_root[1] is None:
            return shown, frame
        share = (own_ns - around[0].time_ns) / (around[1].time_ns - around[0].time_ns)
        between = interpolated(in_root[0][0], in_root[1][0], share)
        assert isinstance(between, Cuboid)
        return between, in_root[0][1]

    def _in_root(self, keyframe: Keyframe, frame: str, stream: Stream) -> tuple[Cuboid, str] | None:
        if not isinstance(keyframe.shape, Cuboid):
            return None
        for root in self.roots:
            root_from_frame = self.transform(root, frame, stream.time_map.to_session(keyframe.time_ns))
            if root_from_frame is not None:
                return moved(keyframe.shape, root_from_frame), root
        return None

    def _cuboid_tracks(self) -> Iterator[_Tracked]:
        store = self._session.store
        ontology = store.ontology()
        entities = {entity.id: entity for entity in store.entities(self._sample)}
        for annotation in store.annotations(self._sample):
            if annotation.kind is not ShapeKind.CUBOID or annotation.track is None or annotation.stream is None:
                continue
            entity = None if annotation.entity is None else entities.get(annotation.entity)
            class_id = effective_class(annotation, entity) or ""
            known = ontology is not None and class_id in ontology.classes
            colour = ontology.look(class_id).colour if ontology is not None and known else _GREY
            name = class_id if entity is None else entity.called()
            keyframes = store.keyframes(annotation.id)
            yield _Tracked(annotation, annotation.track, keyframes, self.streams[annotation.stream], name, colour)


def trajectories_of(streams: Iterable[Stream], readers: OpenStreams) -> dict[str, Trajectory]:
    """The poses that move frames, by stream key, in session time."""
    found = {}
    for stream in streams:
        if stream.kind is StreamKind.TRAJECTORY:
            try:
                reader = readers.reader(stream)
            except DataError:  # without poses frames do not connect, and the panel says so
                continue
            if isinstance(reader, TrajectoryReader):
                found[stream.key] = _session_poses(reader, stream)
    return found


def roots_of(calibration: Calibration) -> list[str]:
    """The frames that hang under no other."""
    parents = {frame.parent for frame in calibration.frames}
    return sorted(parents - {frame.name for frame in calibration.frames})


def _session_poses(reader: TrajectoryReader, stream: Stream) -> Trajectory:
    known = np.asarray(np.isfinite(reader.positions_m).all(axis=1) & np.isfinite(reader.rotations).all(axis=1))
    known[1:] &= np.diff(reader.times_ns) > 0
    return Trajectory(
        times_ns=reader.times_ns[known],
        rotations=reader.rotations[known],
        translations=reader.positions_m[known],
        max_gap_ns=longest_step_ns(reader.times_ns) or 0,
    ).in_session_time(stream.time_map)
