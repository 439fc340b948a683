"""Tracks of cuboids as arrays in the root of the frame tree, and where all of them are at a session time.

Made by ``placed_cuboids.py`` from the records; ``with_moment`` makes the rows of one track as they would be with a
keyframe that is not stored yet, without reading the others again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from workstation.core.annotation import Annotation, Interpolation, Keyframe, Track
from workstation.core.geometry import Cuboid
from workstation.core.poses import RigidTransform
from workstation.core.rotation import Floats, matrix_of, slerp
from workstation.core.sample import Stream

_LINEAR = Track()
_Number = TypeVar("_Number", np.int8, np.int64, np.float64)
CLOSE_NS = 250_000_000
"""Keyframes closer than this stand for sweeps that were all labelled: what is between them is as good as labelled."""
NEVER_NS = np.iinfo(np.int64).max


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
