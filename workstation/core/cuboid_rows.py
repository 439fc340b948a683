"""Tracks of cuboids as arrays in the root of the frame tree, and where all of them are at a session time.

Made from the records by ``rows_of``, for the panes (``app/placed_cuboids.py``) and for the checks
(``cuboid_views.py``); ``with_moment`` makes the rows of one track as they would be with a keyframe that is not stored
yet, without reading the others again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from workstation.core.annotation import Annotation, Interpolation, Keyframe, Presence, Track
from workstation.core.geometry import Cuboid
from workstation.core.poses import RigidTransform
from workstation.core.rotation import Floats, matrix_of, multiply, slerp, unit
from workstation.core.sample import Stream
from workstation.core.values import dataclass

_LINEAR = Track()
_Number = TypeVar("_Number", np.int8, np.int64, np.float64)
CLOSE_NS = 250_000_000
"""Keyframes closer than this stand for sweeps that were all labelled: what is between them is as good as labelled."""
NEVER_NS = np.iinfo(np.int64).max
RootFrom = Callable[[str, int], tuple[str, RigidTransform] | None]
"""The root above a frame at a session time, and ``root_from_frame``; ``None`` where the rig cannot say."""
_PRESENCE = {Presence.VISIBLE: 0, Presence.OCCLUDED: 1, Presence.ABSENT: 2}


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Cuboids in one root frame."""

    ids: tuple[str, ...]
    root: str
    centers: Floats
    sizes: Floats
    rotations: Floats
    between: NDArray[np.bool_]
    """Interpolated over more than neighbouring sweeps."""
    occluded: NDArray[np.bool_]

    def only(self, ids: Collection[str]) -> Placed:
        """Those of them."""
        kept = [row for row, each in enumerate(self.ids) if each in ids]
        return Placed(
            tuple(self.ids[row] for row in kept), self.root, self.centers[kept], self.sizes[kept],
            self.rotations[kept], self.between[kept], self.occluded[kept],
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """One cuboid at many times, in its root frame; rows that are not ``there`` hold NaN."""

    there: NDArray[np.bool_]
    centers: Floats
    sizes: Floats
    rotations: Floats

    def cuboid(self, row: int) -> Cuboid:
        """At one of them."""
        (x, y, z), (length, width, height) = self.centers[row].tolist(), self.sizes[row].tolist()
        return Cuboid((x, y, z), (length, width, height), unit(self.rotations[row]))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One track: keyframes in the root, times in session nanoseconds."""

    source: tuple[Annotation, Sequence[Keyframe], Stream | None] | None
    """What they were made from; ``None`` if from nothing stored."""
    root: str
    times_ns: NDArray[np.int64]
    centers: Floats
    sizes: Floats
    rotations: Floats
    presence: NDArray[np.int8]
    """0 visible, 1 occluded, 2 absent."""
    gaps: NDArray[np.int64]
    """(g, 2) session nanoseconds."""
    end_ns: int
    """Half-open end of its life."""


class Table:
    """All tracks of one root, one after another."""

    def __init__(self, root: str, tracks: list[tuple[str, Rows]], rules: Mapping[str, object]) -> None:
        self._root = root
        self._ids = tuple(each for each, _ in tracks)
        rows = [each for _, each in tracks]
        counts = np.array([len(each.times_ns) for each in rows])
        self._starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self._lasts = self._starts + counts - 1
        self._times = np.concatenate([each.times_ns for each in rows])
        self._centers = np.concatenate([each.centers for each in rows])
        self._sizes = np.concatenate([each.sizes for each in rows])
        self._rotations = np.concatenate([each.rotations for each in rows])
        self._presence = np.concatenate([each.presence for each in rows])
        self._ends = np.array([each.end_ns for each in rows], np.int64)
        self._gaps = np.concatenate([each.gaps for each in rows])
        self._gap_of = np.repeat(np.arange(len(rows)), [len(each.gaps) for each in rows])
        kinds = [getattr(rules[each], "interpolation", Interpolation.HOLD) for each in self._ids]
        self._hold = np.array([kind is not Interpolation.LINEAR for kind in kinds])
        self._only_keyframes = np.array([kind is Interpolation.NONE for kind in kinds])

    def within_life(self, session_ns: int) -> int:
        """The time itself, or the end of life of what lives shortest if that is hardly away from it."""
        first, last = int(self._times[self._starts].max()), int(self._ends.min()) - 1
        near = min(max(session_ns, first), max(first, last))
        return near if abs(near - session_ns) <= CLOSE_NS else session_ns

    def at(self, session_ns: int) -> Placed:
        before = self._starts + np.add.reduceat(self._times <= session_ns, self._starts) - 1
        there = (before >= self._starts) & (session_ns < self._ends)
        before = np.maximum(before, self._starts)
        after = np.minimum(before + 1, self._lasts)
        there &= self._presence[before] != 2
        there &= ~self._only_keyframes | (self._times[before] == session_ns)
        in_gap = (self._gaps[:, 0] <= session_ns) & (session_ns < self._gaps[:, 1])
        there[self._gap_of[in_gap]] = False
        kept = np.flatnonzero(there)
        before, after = before[kept], after[kept]
        step = (self._times[after] - self._times[before]).astype(np.float64)
        gone = (session_ns - self._times[before]).astype(np.float64)
        still = (step <= 0) | self._hold[kept] | (self._presence[after] == 2)
        share = np.where(still, 0.0, gone / np.where(step > 0, step, 1.0))
        part = share[:, None]
        return Placed(
            tuple(self._ids[i] for i in kept.tolist()),
            self._root,
            self._centers[before] * (1 - part) + self._centers[after] * part,
            self._sizes[before] * (1 - part) + self._sizes[after] * part,
            slerp(self._rotations[before], self._rotations[after], share),
            (gone > 0) & (step > CLOSE_NS),
            self._presence[before] == 1,
        )


def placed_along(rows: Rows, rule: Track | None, times_ns: NDArray[np.int64]) -> Standing:
    """One track at many session times, as ``Table.at`` shows it; but where a moving thing is from its last keyframe on
    until it is stated to be gone nobody knows, and what is drawn there is no measure of anything."""
    linear = rule is not None and rule.interpolation is Interpolation.LINEAR
    last = len(rows.times_ns) - 1
    before = rows.times_ns.searchsorted(times_ns, side="right") - 1
    there = (before >= 0) & (times_ns < rows.end_ns)
    before = np.maximum(before, 0)
    after = np.minimum(before + 1, last)
    there &= rows.presence[before] != 2
    if rule is not None and rule.interpolation is Interpolation.NONE:
        there &= rows.times_ns[before] == times_ns
    for start_ns, end_ns in rows.gaps.tolist():
        there &= (times_ns < start_ns) | (times_ns >= end_ns)
    if linear:
        there &= (rows.presence[after] != 2) | (times_ns <= rows.times_ns[before])
    step = (rows.times_ns[after] - rows.times_ns[before]).astype(np.float64)
    still = (step <= 0) | (not linear) | (rows.presence[after] == 2)
    share = np.where(still, 0.0, (times_ns - rows.times_ns[before]) / np.where(step > 0, step, 1.0))
    part = share[:, None]
    found = Standing(
        there,
        rows.centers[before] * (1 - part) + rows.centers[after] * part,
        rows.sizes[before] * (1 - part) + rows.sizes[after] * part,
        slerp(rows.rotations[before], rows.rotations[after], share),
    )
    for values in (found.centers, found.sizes, found.rotations):
        values[~there] = np.nan
    return found


def with_moment(rows: Rows, time_ns: int, cuboid: Cuboid, *, whole_size: bool) -> Rows:
    """The same track with a keyframe in the root then, as ``cuboid.set`` would store it: in place of the one there, or
    between its neighbours, occluded where it was.

    ``whole_size``: its size becomes that of all keyframes; a face that stays here stays in all of them.
    """
    at = int(rows.times_ns.searchsorted(time_ns))
    there = at < len(rows.times_ns) and int(rows.times_ns[at]) == time_ns
    seen = rows.presence[at] if there else rows.presence[max(0, at - 1)]

    def put(values: NDArray[_Number], row: object) -> NDArray[_Number]:
        kept = np.delete(values, at, axis=0) if there else values
        return np.insert(kept, at, np.asarray(row, values.dtype), axis=0)

    centers, sizes = rows.centers, rows.sizes
    if whole_size:
        # A face that stays: the middle goes half as far as the size changes, along the same axis.
        held = _held(rows, time_ns, cuboid)
        grown = (np.array(cuboid.size) - sizes) / 2
        centers = centers + np.einsum("nij,nj->ni", matrix_of(rows.rotations), -held * grown)
        sizes = np.tile(np.array(cuboid.size), (len(sizes), 1))
    return replace(
        rows,
        times_ns=put(rows.times_ns, time_ns),
        centers=put(centers, cuboid.center),
        sizes=put(sizes, cuboid.size),
        rotations=put(rows.rotations, cuboid.rotation),
        presence=put(rows.presence, 1 if seen == 1 else 0),
        end_ns=max(rows.end_ns, time_ns + 1),
    )


def _held(rows: Rows, time_ns: int, cuboid: Cuboid) -> Floats:
    """Which face of length, width and height stays where the track's size becomes this one's: 1, -1, or 0."""
    table = Table(rows.root, [("", rows)], {"": _LINEAR})
    before = table.at(table.within_life(time_ns))
    if not before.ids:
        return np.zeros(3)
    gone = (np.array(cuboid.center) - before.centers[0]) @ matrix_of(before.rotations[0])
    grown = (np.array(cuboid.size) - before.sizes[0]) / 2
    share = np.divide(gone, grown, out=np.zeros(3), where=np.abs(grown) > 1e-9)
    return np.where(np.abs(np.abs(share) - 1) < 1e-3, -np.sign(share), 0.0)


def still_rows(root: str, cuboid: Cuboid) -> Rows:
    """What is there at all times, as something that does not exist yet is while it is drawn."""
    return Rows(
        source=None,
        root=root,
        times_ns=np.array([-NEVER_NS], np.int64),
        centers=np.array([cuboid.center]),
        sizes=np.array([cuboid.size]),
        rotations=np.array([cuboid.rotation]),
        presence=np.zeros(1, np.int8),
        gaps=np.empty((0, 2), np.int64),
        end_ns=NEVER_NS,
    )


_NO_CUBOID = Cuboid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
_NO_WAY = RigidTransform()


def in_root(
    shapes: list[Cuboid | None], moves: list[tuple[str, RigidTransform] | None]
) -> tuple[Floats, Floats, Floats]:
    """Centres, sizes and rotations in the root; where there is none, of a cuboid that is never shown."""
    plain = [_NO_CUBOID if shape is None else shape for shape in shapes]
    ways = [_NO_WAY if move is None else move[1] for move in moves]
    turns = np.array([way.rotation for way in ways])
    centers = np.array([shape.center for shape in plain])
    moved = (matrix_of(turns) @ centers[:, :, None])[:, :, 0] + np.array([way.translation for way in ways])
    rotations = _multiplied(turns, np.array([shape.rotation for shape in plain]))
    return moved, np.array([shape.size for shape in plain]), rotations


def _multiplied(left: Floats, right: Floats) -> Floats:
    """(n, 4) quaternions: ``right``, then ``left``."""
    a, b, c, d = left.T
    w, x, y, z = right.T
    rows = (
        a * w - b * x - c * y - d * z,
        a * x + b * w + c * z - d * y,
        a * y - b * z + c * w + d * x,
        a * z + b * y - c * x + d * w,
    )
    product = np.stack(rows, -1)
    ones: Floats = product / np.linalg.norm(product, axis=-1, keepdims=True)
    return ones


def moved(cuboid: Cuboid, target_from_source: RigidTransform) -> Cuboid:
    """A cuboid in another frame."""
    there = target_from_source @ RigidTransform(cuboid.rotation, cuboid.center)
    return Cuboid(
        center=there.translation,
        size=cuboid.size,
        rotation=unit(multiply(target_from_source.rotation, cuboid.rotation)),
    )


def rows_of(
    annotation: Annotation, keyframes: Sequence[Keyframe], stream: Stream | None, root_from: RootFrom
) -> Rows | None:
    """The rows of a cuboid's keyframes (none of a label of one moment); ``None`` where it has no place."""
    moments = [(each.time_ns, each.shape, _PRESENCE[each.presence]) for each in keyframes]
    if annotation.track is None and isinstance(annotation.shape, Cuboid):
        moments = [(annotation.start_ns or 0, annotation.shape, 0)]
    if not moments:
        return None
    own = np.array([time_ns for time_ns, _, _ in moments], np.int64)
    times = own if stream is None else stream.time_map.to_session_array(own)
    frame = annotation.frame or ("" if stream is None else stream.frame or "")
    moves = [root_from(frame, time_ns) for time_ns in times.tolist()]
    root = next((move[0] for move in moves if move is not None), None)
    shapes = [shape if isinstance(shape, Cuboid) else None for _, shape, _ in moments]
    if root is None or not any(shapes):
        return None
    usable = [s is not None and m is not None and m[0] == root for s, m in zip(shapes, moves, strict=True)]
    centers, sizes, rotations = in_root(shapes, moves)
    presence = [2 if not usable[i] else each for i, (_, _, each) in enumerate(moments)]
    gaps = [] if annotation.track is None else [(g.start_ns, g.end_ns) for g in annotation.track.gaps]
    gap_ns = np.array(gaps, np.int64).reshape(-1, 2)
    if stream is not None and len(gap_ns):
        gap_ns = stream.time_map.to_session_array(gap_ns.ravel()).reshape(-1, 2)
    end_ns = int(times[-1]) + 1
    if annotation.track is None:
        end_ns = NEVER_NS if annotation.end_ns is None else max(end_ns, _session(stream, annotation.end_ns))
        if annotation.start_ns is None:
            times = np.array([-NEVER_NS], np.int64)
    source = (annotation, keyframes, stream)
    return Rows(source, root, times, centers, sizes, rotations, np.array(presence, np.int8), gap_ns, end_ns)


def _session(stream: Stream | None, own_ns: int) -> int:
    return own_ns if stream is None else stream.time_map.to_session(own_ns)
