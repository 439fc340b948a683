"""Where all cuboids of the open sample are at a session time, at once: for projecting them into every camera.

The same rules as ``scenery.py`` (tracks are interpolated in the root of the frame tree, through the poses), over
arrays: the demo's 128 tracks of 80 keyframes cost 0.2 ms a question instead of 70. Asked by camera panes; kept true by
``apply``, which reads again only what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from operator import is_

import numpy as np
from numpy.typing import NDArray

from workstation.app.previews import Dragged
from workstation.app.sample_view import SampleView
from workstation.app.scenery import roots_of, trajectories_of
from workstation.app.streams import OpenStreams
from workstation.core.annotation import Annotation, State
from workstation.core.cameras import Camera
from workstation.core.cuboid_rows import Placed, Rows, Table, moved, rows_of, still_rows, with_moment
from workstation.core.geometry import Cuboid, ShapeKind
from workstation.core.poses import NO_MOVE, RigidTransform, Trajectory
from workstation.core.projection import (
    PictureBox,
    corners_of,
    cuboid_box,
    cuboid_corners,
    outlines,
    project,
    rolling_outline,
)
from workstation.core.records import RecordKind
from workstation.core.rotation import Floats, unit
from workstation.core.sample import Stream
from workstation.core.space import Calibration, FrameTree, NoTransform, calibration_of
from workstation.core.values import dataclass
from workstation.store.changes import ChangeSet


@dataclass(frozen=True, slots=True, eq=False)
class Projected:
    """What shows of one cuboid in a picture: pieces (m, 2, 2) of its edges in pixels, and how far its middle is."""

    annotation: str
    segments: Floats
    edges: NDArray[np.intp]
    depth_m: float
    between: bool
    occluded: bool


_MOST_WAYS = 4096
_At = Callable[[int], Iterable[Placed]]


class PlacedCuboids:
    """The cuboids of one sample view. One thread: it reads the store through the view."""

    def __init__(self, view: SampleView, readers: OpenStreams) -> None:
        self._view = view
        self._readers = readers
        self._rows: dict[str, Rows | None] = {}
        self._tables: list[Table] | None = None
        self._dragged: tuple[tuple[Dragged, ...], list[Table]] = ((), [])
        self._dragged_there: dict[int, list[Placed]] = {}
        self.version = 0
        """Grows with every commit after which cuboids may stand elsewhere: for whoever keeps what was asked."""
        self._read_rig()

    def apply(self, changes: ChangeSet) -> None:
        """A commit changed records."""
        if changes.touched(RecordKind.RIG) or changes.touched(RecordKind.STREAM):
            self._rows.clear()
            self._read_rig()
        if changes.kinds & {RecordKind.RIG, RecordKind.STREAM, RecordKind.ANNOTATION, RecordKind.KEYFRAME}:
            self._tables = None
            self._dragged, self._dragged_there = ((), []), {}
            self.version += 1

    def camera_of(self, stream: Stream) -> Camera | None:
        """The calibrated camera of a stream: the one at its frame."""
        return next((each for each in self.calibration.cameras if each.name == stream.frame), None)

    def transform(self, target: str, source: str, session_ns: int) -> RigidTransform | None:
        """``target_from_source`` then, if the rig can say. Kept: a drag asks for the same few at every move."""
        key = (target, source, session_ns)
        if key not in self._ways:
            if len(self._ways) >= _MOST_WAYS:
                self._ways.clear()
            found = self.tree.transform(target, source, session_ns)
            self._ways[key] = None if isinstance(found, NoTransform) else found
        return self._ways[key]

    def carried(self, target: str, target_ns: int, source: str, source_ns: int | None) -> RigidTransform | None:
        """From a frame as it was then to another as it was at another time, through what stands still.

        ``source_ns`` is ``None`` for a frame that stands still itself.
        """
        if source_ns is None or source_ns == target_ns:
            return self.transform(target, source, target_ns)
        for root in self.roots:
            target_from_root = self.transform(target, root, target_ns)
            root_from_source = self.transform(root, source, source_ns)
            if target_from_root is not None and root_from_source is not None:
                return target_from_root @ root_from_source
        return None

    def rows(self) -> Mapping[str, Rows | None]:
        """Every cuboid's keyframes in the root, by annotation; the same object as before where nothing changed."""
        self._held_tables()
        return self._rows

    def _held_tables(self) -> list[Table]:
        if self._tables is None:
            self._tables = list(self._tabled())
        return self._tables

    def at(self, session_ns: int) -> Iterator[Placed]:
        """Every cuboid that is there then, by root frame."""
        for table in self._held_tables():
            placed = table.at(session_ns)
            if placed.ids:
                yield placed

    def placed(self, annotation: str, session_ns: int) -> tuple[Cuboid, str] | None:
        """Where one cuboid is then, and in which root frame."""
        return self._placed(annotation, self.at(session_ns))

    def life_of(self, annotation: str) -> tuple[int, int] | None:
        """First and last session time of a cuboid's track; ``None`` if it has no place."""
        record = self._view.annotations.get(annotation)
        rows = None if record is None else self._rows_of(record)
        return None if rows is None else (int(rows.times_ns[0]), rows.end_ns - 1)

    def box_of(self, camera: Camera, session_ns: int, seen: Projected, *, dragged: bool = False) -> PictureBox | None:
        """The tight box around what a camera sees of a cuboid, clipped to the picture. With a rolling shutter it is
        that of the outline."""
        there = self._placed(seen.annotation, (self._dragged_at if dragged else self.at)(session_ns))
        camera_from_root = None if there is None else self.transform(camera.frame, there[1], session_ns)
        if there is None or camera_from_root is None:
            return None
        whole = bool(project(camera, cuboid_corners(there[0]), camera_from_frame=camera_from_root).in_picture.all())
        if not whole and not camera.row_time_ns:  # the picture's corners and the near plane may cut it
            return cuboid_box(camera, there[0], camera_from_frame=camera_from_root)
        ends = seen.segments.reshape(-1, 2)
        (left, top), (right, bottom) = ends.min(0).tolist(), ends.max(0).tolist()
        return PictureBox(left, top, right, bottom, clipped=not whole)

    def _placed(self, annotation: str, there: Iterable[Placed]) -> tuple[Cuboid, str] | None:
        for placed in there:
            if annotation in placed.ids:
                row = placed.ids.index(annotation)
                (x, y, z), (length, width, height) = placed.centers[row].tolist(), placed.sizes[row].tolist()
                return Cuboid((x, y, z), (length, width, height), unit(placed.rotations[row])), placed.root
        return None

    def projected(
        self, camera: Camera, session_ns: int, *, only: Collection[str] | None = None
    ) -> list[Projected]:  # fmt: skip
        """What a camera sees of them in a picture captured then, nearest first; of all, or of these."""
        return self._projected(camera, session_ns, self.at if only is None else partial(self._some_at, only))

    def dragged(self, camera: Camera, session_ns: int, shapes: Iterable[Dragged]) -> list[Projected]:
        """The same of cuboids that are being dragged and not stored: each as its track would show it after release.

        Costs what is dragged, not what is there. What is dragged where its track has just ended is shown all the same.
        """
        wanted = tuple(shapes)
        if self._dragged[0] != wanted:
            rows = [(each.annotation, self._dragged_rows(each)) for each in wanted]
            rules = {each: None if record is None else record.track for each, record in self._records(wanted)}
            tables = [Table(row.root, [(each, row)], rules) for each, row in rows if row is not None]
            self._dragged = (wanted, tables)
            self._dragged_there = {}
        return self._projected(camera, session_ns, self._dragged_at)

    def _projected(self, camera: Camera, session_ns: int, at: _At) -> list[Projected]:
        found: list[Projected] = []
        for placed in at(session_ns):
            camera_from_root = self.transform(camera.frame, placed.root, session_ns)
            if camera_from_root is not None:
                seen = _seen(camera, placed, camera_from_root)
                found += self._rolling(camera, placed, seen, session_ns, at) if camera.row_time_ns else seen
        return sorted(found, key=lambda each: each.depth_m)

    def _some_at(self, only: Collection[str], session_ns: int) -> Iterator[Placed]:
        return (some for placed in self.at(session_ns) if (some := placed.only(only)).ids)

    def _dragged_at(self, session_ns: int) -> Iterable[Placed]:
        found = self._dragged_there.get(session_ns)
        if found is None:
            shown = [table.at(table.within_life(session_ns)) for table in self._dragged[1]]
            found = self._dragged_there[session_ns] = [placed for placed in shown if placed.ids]
        return found

    def _records(self, shapes: Iterable[Dragged]) -> Iterator[tuple[str, Annotation | None]]:
        return ((each.annotation, self._view.annotations.get(each.annotation)) for each in shapes)

    def _dragged_rows(self, dragged: Dragged) -> Rows | None:
        """The track with the dragged keyframe; what is no track or does not exist yet stands still."""
        stream, record = self._view.streams.get(dragged.stream), self._view.annotations.get(dragged.annotation)
        if stream is None or not isinstance(dragged.shape, Cuboid):
            return None
        frame = dragged.frame or (None if record is None else record.frame) or stream.frame or ""
        session_ns = stream.time_map.to_session(dragged.own_ns)
        way = self._root_from(frame, session_ns)
        if way is None:
            return None
        cuboid = moved(dragged.shape, way[1])
        rows = None if record is None or record.track is None else self._rows_of(record)
        parked = record is not None and record.track is not None and record.track.static
        if record is None or rows is None or rows.root != way[0] or parked:
            return still_rows(way[0], cuboid)
        return with_moment(rows, session_ns, cuboid, whole_size=not self._deformable(record))

    def _deformable(self, record: Annotation) -> bool:
        ontology, class_id = self._view.ontology, self._view.class_of(record)
        return ontology is not None and class_id in ontology.classes and ontology.deformable(class_id)

    def _rolling(
        self, camera: Camera, placed: Placed, seen: Iterator[Projected], session_ns: int, at: _At
    ) -> Iterator[Projected]:
        """The same with each corner where it was when its own row was read: from where camera and thing were at the
        first, the middle and the last row. What is not there all that time stays as it is in one moment."""
        times = np.unique(camera.row_times_ns(session_ns, (0, camera.height_px / 2, camera.height_px)))
        at_rows = []
        for time_ns in times.tolist():
            there = next((each for each in at(time_ns) if each.root == placed.root and set(placed.ids) & set(each.ids)),
                         None)  # fmt: skip
            move = self.transform(camera.frame, placed.root, time_ns)
            at_rows.append((there, move, {} if there is None else {key: i for i, key in enumerate(there.ids)}))
        now = {key: i for i, key in enumerate(placed.ids)}
        for each in seen:
            moves = [_pose_in(there, known.get(each.annotation), move) for there, move, known in at_rows]
            known_moves = [move for move in moves if move is not None]
            if len(known_moves) != len(times) or len(times) < 2:
                yield each
                continue
            motion = Trajectory(
                times_ns=times,
                rotations=np.array([move.rotation for move in known_moves]),
                translations=np.array([move.translation for move in known_moves]),
                max_gap_ns=int(times[-1] - times[0]),
            )
            length, width, height = placed.sizes[now[each.annotation]].tolist()
            still = Cuboid(center=(0.0, 0.0, 0.0), size=(length, width, height))
            outline = rolling_outline(camera, still, camera_from_frame=motion, frame_time_ns=session_ns)
            if len(outline.segments):
                yield replace(each, segments=outline.segments, edges=outline.edges)

    def _read_rig(self) -> None:
        rig = self._view.rig()
        self.calibration: Calibration = Calibration() if rig is None else calibration_of(rig.frames, rig.cameras)
        self.trajectories = trajectories_of(self._view.streams.values(), self._readers)
        self.tree = FrameTree(self.calibration, self.trajectories)
        self.roots = roots_of(self.calibration)
        self._moves: dict[tuple[str, int], tuple[str, RigidTransform] | None] = {}
        self._ways: dict[tuple[str, str, int], RigidTransform | None] = {}

    # --- reading tracks -----------------------------------------------------------------------------------------

    def _tabled(self) -> Iterator[Table]:
        by_root: dict[str, list[tuple[str, Rows]]] = {}
        cuboids = (each for each in self._view.annotations.values() if each.kind is ShapeKind.CUBOID)
        there = [each for each in cuboids if each.state is not State.REJECTED]  # as in pictures: it is not there
        if there:
            self._view.hold_keyframes()
        self._rows = {each.id: self._rows_of(each) for each in there}
        for annotation_id, rows in self._rows.items():
            if rows is not None:
                by_root.setdefault(rows.root, []).append((annotation_id, rows))
        for root, tracks in by_root.items():
            yield Table(root, tracks, {each.id: each.track for each in there})

    def _rows_of(self, annotation: Annotation) -> Rows | None:
        stream = self._view.streams.get(annotation.stream or "")
        keyframes = self._view.keyframes(annotation.id) if annotation.track is not None else ()
        held = self._rows.get(annotation.id)
        source = (annotation, keyframes, stream)
        if held is not None and held.source is not None and all(map(is_, held.source, source)):
            return held
        return rows_of(annotation, keyframes, stream, self._root_from)

    def _root_from(self, frame: str, session_ns: int) -> tuple[str, RigidTransform] | None:
        if frame not in self.tree.names:
            return frame, NO_MOVE  # no rig knows it: it stands for itself
        key = (frame, session_ns)
        if key not in self._moves:
            ways = ((root, self.transform(root, frame, session_ns)) for root in self.roots)
            self._moves[key] = next(((root, way) for root, way in ways if way is not None), None)
        return self._moves[key]


def _pose_in(there: Placed | None, row: int | None, move: RigidTransform | None) -> RigidTransform | None:
    """``camera_from_cuboid``, if both are there."""
    if there is None or row is None or move is None:
        return None
    x, y, z = there.centers[row].tolist()
    return move @ RigidTransform(unit(there.rotations[row]), (x, y, z))


def _seen(camera: Camera, placed: Placed, camera_from_root: RigidTransform) -> Iterator[Projected]:
    centers = camera_from_root @ placed.centers
    radius = np.linalg.norm(placed.sizes, axis=1) / 2
    ahead = np.flatnonzero((centers[:, 2] > -radius) | camera.lens.sees_behind)
    if not len(ahead):
        return
    corners = corners_of(placed.centers[ahead], placed.sizes[ahead], placed.rotations[ahead])
    outline, whose = outlines(camera, camera_from_root @ corners)
    if not len(whose):
        return
    order = np.argsort(whose, kind="stable")
    whose, segments, edges = whose[order], outline.segments[order], outline.edges[order]
    first = np.flatnonzero(np.diff(whose, prepend=-1))
    rows = ahead[whose[first]]
    columns = (rows, np.linalg.norm(centers[rows], axis=1), placed.between[rows], placed.occluded[rows])
    ends = [*first[1:].tolist(), len(whose)]
    for start, end, (i, depth_m, between, occluded) in zip(
        first.tolist(), ends, zip(*(each.tolist() for each in columns), strict=True), strict=True
    ):
        yield Projected(placed.ids[i], segments[start:end], edges[start:end], depth_m, between, occluded)
